#include "extraction/page_text.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

#include "common/text.h"
#include "extraction/dates.h"
#include "extraction/text_shape.h"

namespace dateline::extraction {
namespace {

constexpr size_t kProseWords = 12;      // A sentence this long is text.
constexpr size_t kLongProseWords = 35;  // Text even when it ends like a teaser.
constexpr size_t kTitleWords = 4;       // A line this long that the page repeats is another article's title.
constexpr size_t kMaxHeadingWords = 14;
constexpr size_t kMaxHeadingBytes = 160;
constexpr size_t kMaxTitleWords = 35;
constexpr size_t kMaxBlockText = 2000;
constexpr double kMaxProse = 600.0;  // What one paragraph counts at most: many paragraphs make an article.
constexpr double kShortLine = -25.0;
constexpr double kTeaser = -150.0;
constexpr double kMinBeforeComments = 1000.0;  // What a text above a heading of comments is worth.
constexpr double kCommentShare = 0.25;
constexpr double kRepeatedLine = -90.0;
constexpr double kFurniture = -60.0;
constexpr double kHardStop = -1e5;  // Disclaimers, comments: the article never goes on behind them.
constexpr size_t kLabelReach = 10;  // How many blocks from the text a label may stand.

struct TextBlock {
  std::string text;  // One paragraph, its lines joined; a list keeps its lines.
  std::string key;
  size_t words = 0;
  LineKind kind = LineKind::kNone;
  bool bullet = false;
  bool sentence = false;
  bool cut_off = false;
  bool prose = false;
  int copies = 1;                      // How often the page holds this text.
  std::vector<std::string> biography;  // Whom it introduces, if it is a biography.
  double value = 0.0;
  bool kept = false;
  std::string reason;
};

// "• ", "- ", "* ", "1. " at the beginning of a line; its length, or 0.
size_t BulletLength(absl::string_view line) {
  for (const absl::string_view bullet :
       {"• ", "•\t", "- ", "* ", "– ", "— ", "◦ ", "▪ ", "· ", "‣ ", "○ ", "● ", "•"}) {
    if (absl::StartsWith(line, bullet)) {
      return bullet.size();
    }
  }
  size_t digits = 0;
  while (digits < line.size() && digits < 3 && absl::ascii_isdigit(static_cast<unsigned char>(line[digits]))) {
    ++digits;
  }
  if (digits > 0 && digits + 1 < line.size() && (line[digits] == '.' || line[digits] == ')') &&
      line[digits + 1] == ' ') {
    return digits + 2;
  }
  return 0;
}

class PageTextReader {
 public:
  HtmlBody Read(absl::string_view text, bool explain) {
    Split(text);
    Judge();
    if (FindRegion()) {
      KeepRegion();
      ReadHead();
      ReadLabels();
      ReadBiographies();
      DropAuthorNotes();
      Assemble();
    }
    if (explain) {
      Explain();
    }
    return std::move(body_);
  }

 private:
  // Blank lines divide paragraphs. Where lines of one paragraph were broken at a fixed width they are joined; where
  // there are no blank lines at all, each line is a paragraph.
  void Split(absl::string_view text) {
    const std::vector<absl::string_view> lines = absl::StrSplit(text, absl::ByAnyChar("\n\r"));
    const size_t margin = MarginOf(lines);
    std::vector<std::string> paragraph;
    for (const absl::string_view line : lines) {
      std::string clean = CollapseSpace(line);
      if (clean.empty()) {
        AddParagraph(&paragraph, margin);
      } else {
        paragraph.push_back(std::move(clean));
        if (margin == 0) {
          AddParagraph(&paragraph, 0);
        }
      }
    }
    AddParagraph(&paragraph, margin);
  }

  // The width at which the lines were broken, in code points; 0 if they were not. Hard-wrapped text has many lines of
  // nearly the same width that go on in the next one, and none much wider.
  static size_t MarginOf(const std::vector<absl::string_view>& lines) {
    constexpr size_t kMaxWidth = 100;
    constexpr size_t kMinFullLines = 3;
    size_t width = 0;
    for (const absl::string_view line : lines) {
      width = std::max(width, CountCodePoints(line));
    }
    if (width > kMaxWidth) {
      return 0;
    }
    size_t full = 0;
    size_t ends = 0;  // Of sentences, and of lines: paragraphs that are lines of their own end so.
    for (size_t i = 0; i + 1 < lines.size(); ++i) {
      const bool goes_on = !absl::StripAsciiWhitespace(lines[i + 1]).empty();
      if (goes_on && CountCodePoints(lines[i]) * 4 >= width * 3) {
        ++full;
        ends += EndsSentence(lines[i]) ? 1 : 0;
      }
    }
    return full >= kMinFullLines && ends * 2 <= full ? width : 0;
  }

  // True where title, byline and date follow each other without a blank line, none of them as wide as the text.
  static bool EndsHeadLine(absl::string_view line, absl::string_view next, size_t margin) {
    const auto about_article = [](absl::string_view text) {
      const LineKind kind = ClassifyLine(text);
      return kind == LineKind::kByline || kind == LineKind::kDate;
    };
    return CountCodePoints(line) * 10 < margin * 8 && (about_article(line) || about_article(next));
  }

  void AddParagraph(std::vector<std::string>* lines, size_t margin) {
    std::string joined;
    size_t widest = 0;
    for (const std::string& line : *lines) {
      widest = std::max(widest, line.size());
    }
    for (size_t i = 0; i < lines->size(); ++i) {
      const std::string& line = (*lines)[i];
      if (!joined.empty()) {
        // A line that ends well before the margin ended its paragraph: titles, labels, menus.
        const std::string& before = (*lines)[i - 1];
        const bool broken = BulletLength(line) > 0 || margin == 0 || before.size() * 10 < widest * 6 ||
                            EndsHeadLine(before, line, margin);
        if (broken) {
          AddBlock(std::move(joined));
          joined.clear();
        }
      }
      absl::StrAppend(&joined, joined.empty() ? "" : " ", line);
    }
    if (!joined.empty()) {
      AddBlock(std::move(joined));
    }
    lines->clear();
  }

  void AddBlock(std::string text) {
    TextBlock block;
    const size_t bullet = BulletLength(text);
    block.bullet = bullet > 0 && absl::ascii_isdigit(static_cast<unsigned char>(text[0])) == 0;
    block.text = block.bullet ? std::string(absl::StripAsciiWhitespace(absl::string_view(text).substr(bullet)))
                              : std::move(text);
    if (!block.text.empty()) {
      blocks_.push_back(std::move(block));
    }
  }

  void Judge() {
    absl::flat_hash_map<std::string, int> copies;
    for (TextBlock& block : blocks_) {
      block.key = MatchKey(block.text);
      ++copies[block.key];
    }
    for (TextBlock& block : blocks_) {
      block.words = CountWords(block.text);
      block.kind = ClassifyLine(block.text);
      if (block.kind == LineKind::kNone && IsMenuLine(block.text)) {
        block.kind = LineKind::kNavigation;
      }
      body_.paywall = body_.paywall || block.kind == LineKind::kPaywall;
      block.sentence = EndsSentence(block.text);
      block.cut_off = EndsCutOff(block.text);
      block.copies = copies[block.key];
      const bool furniture = block.kind != LineKind::kNone;
      block.prose =
          !furniture && block.copies == 1 &&
          ((block.sentence && !block.cut_off && block.words >= kProseWords) || block.words >= kLongProseWords);
      if (block.prose) {
        block.biography = ParseBiography(block.text);
      }
      block.value = ValueOf(block);
    }
    JudgeTeasers();
  }

  // A number with its signs: "$915", "’17", "12.5%".
  static bool IsFigure(absl::string_view text) {
    constexpr size_t kMaxBytes = 12;
    return text.size() <= kMaxBytes && text.find_first_of("0123456789") != absl::string_view::npos &&
           std::none_of(text.begin(), text.end(),
                        [](char c) { return absl::ascii_isalpha(static_cast<unsigned char>(c)); });
  }

  // A menu set on one line: "News • World • Sport • Weather".
  static bool IsMenuLine(absl::string_view text) {
    constexpr int kMinBorders = 4;
    for (const absl::string_view border : {" • ", " | ", " · ", " › ", " / "}) {
      int count = 0;
      for (size_t at = text.find(border); at != absl::string_view::npos;
           at = text.find(border, at + border.size() - 1)) {
        ++count;
      }
      if (count >= kMinBorders && CountWords(text) <= static_cast<size_t>(count) * 6) {
        return true;
      }
    }
    return false;
  }

  static double ValueOf(const TextBlock& block) {
    switch (block.kind) {
      case LineKind::kNone:
        break;
      case LineKind::kDisclaimer:
      case LineKind::kCommentHeading:
      case LineKind::kAboutAuthor:
        return kHardStop;
      case LineKind::kAdvertisement:
      case LineKind::kCredit:
      case LineKind::kFeedNote:
      case LineKind::kReadMore:
      case LineKind::kShare:
        return kShortLine;  // Stands in the middle of articles, too.
      default:
        return kFurniture;
    }
    if (block.prose) {
      return std::min(kMaxProse, static_cast<double>(CountCodePoints(block.text)));
    }
    if (IsFigure(block.text)) {
      return kShortLine * 0.2;  // Of a chart or table: they come in dozens.
    }
    if (block.copies > 1 || (block.cut_off && block.words >= 5)) {
      return block.words >= kTitleWords ? kTeaser : kRepeatedLine;
    }
    if (block.sentence && block.words >= 3 && block.copies == 1) {
      return std::min(kMaxProse, static_cast<double>(block.text.size()) * 0.5);  // Speech, one-line paragraphs.
    }
    return block.bullet ? kShortLine * 0.3 : kShortLine;
  }

  // A short line, a date and a paragraph, several times over, are teasers although each paragraph reads like text.
  void JudgeTeasers() {
    for (size_t i = 0; i < blocks_.size(); ++i) {
      TextBlock& block = blocks_[i];
      if (!block.prose || block.words > 60) {
        continue;
      }
      const bool dated = i > 1 && blocks_[i - 1].kind == LineKind::kDate && i + 2 < blocks_.size() &&
                         (blocks_[i + 2].kind == LineKind::kDate || (i > 4 && blocks_[i - 4].kind == LineKind::kDate));
      if (dated && TextWithin(i + 1, i + 4) < 400.0) {
        block.value = kTeaser;
        block.prose = false;
        block.reason = "teaser";
      }
    }
  }

  double TextWithin(size_t from, size_t to) const {
    double sum = 0.0;
    for (size_t i = from; i < std::min(to, blocks_.size()); ++i) {
      sum += blocks_[i].prose ? blocks_[i].value : 0.0;
    }
    return sum;
  }

  // The run of blocks with the greatest sum, from text to text.
  bool FindRegion() {
    double best = 0.0;
    double sum = 0.0;
    bool comments = false;  // Readers may have written more than the author.
    size_t start = 0;
    for (size_t i = 0; i < blocks_.size(); ++i) {
      double value = blocks_[i].value;
      comments = comments || (blocks_[i].kind == LineKind::kCommentHeading && sum >= kMinBeforeComments);
      value *= comments && value > 0.0 ? kCommentShare : 1.0;
      if (!blocks_[i].biography.empty() && !IsAmidText(i)) {
        value = kFurniture;
      }
      if (sum <= 0.0) {
        sum = 0.0;
        start = i;
      }
      sum += value;
      if (sum > best) {
        best = sum;
        begin_ = start;
        end_ = i + 1;
      }
    }
    if (best <= 0.0) {
      return false;
    }
    while (begin_ < end_ && !IsText(blocks_[begin_])) {
      ++begin_;
    }
    while (end_ > begin_ && !IsText(blocks_[end_ - 1])) {
      --end_;
    }
    body_.text_score = best;
    return begin_ < end_;
  }

  static bool IsText(const TextBlock& block) {
    return block.prose || (block.value > 0 && block.kind == LineKind::kNone);
  }

  // A paragraph about a person with text on both sides is part of the article.
  bool IsAmidText(size_t i) const {
    return i > 0 && blocks_[i - 1].prose && i + 1 < blocks_.size() && blocks_[i + 1].prose &&
           blocks_[i + 1].biography.empty();
  }

  // The standfirst may be the first sentence of the region: it stands above the byline.
  void KeepRegion() {
    for (size_t i = begin_; i < end_; ++i) {
      if (blocks_[i].kind == LineKind::kByline || blocks_[i].kind == LineKind::kDate) {
        if (i - begin_ <= 2 && i + 1 < end_) {
          begin_ = i + 1;
        } else if (i - begin_ > 2) {
          break;
        }
      }
    }
    while (begin_ < end_ && !IsText(blocks_[begin_])) {
      ++begin_;
    }
    TrimBullets();
    for (size_t i = begin_; i < end_; ++i) {
      TextBlock& block = blocks_[i];
      block.kept = KeepsInside(i);
    }
    for (size_t i = end_; i > begin_; --i) {  // Headings need text below them.
      TextBlock& block = blocks_[i - 1];
      if (block.kept && block.reason == "heading" && !FollowedByText(i)) {
        block.kept = false;
        block.reason = "heading without text";
      }
    }
  }

  // The list that an article ends or begins with belongs to it if it hangs on its text.
  void TrimBullets() {
    size_t i = end_;
    while (i < blocks_.size() && blocks_[i].bullet && blocks_[i].kind == LineKind::kNone && blocks_[i].copies == 1) {
      ++i;
    }
    if (i > end_ && absl::EndsWith(blocks_[end_ - 1].text, ":")) {
      end_ = i;
    }
  }

  bool KeepsInside(size_t i) {
    TextBlock& block = blocks_[i];
    if (block.kind == LineKind::kFeedNote) {
      block.reason = "text";  // The region ends with text, so there is some below: it is a sentence like others.
      return true;
    }
    if (block.kind != LineKind::kNone) {
      // In the midst of the text only what can't be a heading of the article's own goes.
      block.reason = std::string(LineKindName(block.kind));
      return false;
    }
    if (!block.biography.empty() && i + 1 == end_) {
      block.reason = "biography";
      return false;
    }
    if (block.prose || block.value > 0) {
      block.reason = "text";
      return true;
    }
    if (block.bullet) {
      block.reason = block.copies > 1 ? "repeated" : "list";
      return block.copies == 1;
    }
    if (block.copies > 1) {
      block.reason = "repeated";
      return false;
    }
    if (block.cut_off) {
      block.reason = "teaser";
      return false;
    }
    const bool heading = !block.key.empty() && block.words <= kMaxHeadingWords &&
                         block.text.size() <= kMaxHeadingBytes && i + 1 < end_ &&
                         (IsText(blocks_[i + 1]) || blocks_[i + 1].bullet);
    if (IsSpeech(block.text) && i > begin_ && IsText(blocks_[i - 1])) {
      block.reason = "text";
      return true;
    }
    block.reason = heading ? "heading" : (block.words > kMaxHeadingWords ? "text" : "short line");
    return block.reason != "short line";
  }

  bool FollowedByText(size_t i) const { return i < end_ && blocks_[i].kept && blocks_[i].reason != "heading"; }

  // Title, standfirst, byline and date stand above the text.
  void ReadHead() {
    std::optional<size_t> best;
    double best_score = 0.0;
    const size_t reach = begin_ > 40 ? begin_ - 40 : 0;
    for (size_t i = begin_; i > reach; --i) {
      const double score = TitleScore(i - 1);
      if (score > best_score) {
        best_score = score;
        best = i - 1;
      }
    }
    if (!best) {
      return;
    }
    TextBlock& title = blocks_[*best];
    title.reason = "title";
    body_.title = title.text;
    for (size_t i = 0; i < blocks_.size(); ++i) {
      if (i != *best && blocks_[i].key == title.key) {
        blocks_[i].kept = false;
        blocks_[i].reason = "title again";
      }
    }
    for (size_t i = *best + 1; i < begin_; ++i) {
      TextBlock& block = blocks_[i];
      if (block.kind == LineKind::kByline && body_.authors.empty()) {
        body_.authors = ParseByline(block.text);
        block.reason = "byline";
      }
      if (block.kind == LineKind::kDate || block.kind == LineKind::kByline) {
        body_.dates.FillFrom(FindStatedDates(block.text));
      }
      if (block.kind == LineKind::kNone && body_.standfirst.empty() && block.words >= 6 && block.copies == 1 &&
          !block.bullet) {
        body_.standfirst = block.text;
        block.reason = "standfirst";
      }
      // A line that is nothing but a name, with a date or a line of the same kind beside it.
      if (body_.authors.empty() && block.kind == LineKind::kNone && block.words <= 5 && block.words >= 2 &&
          (blocks_[i + 1].kind == LineKind::kDate || blocks_[i - 1].kind == LineKind::kDate)) {
        body_.authors = ParseNameList(block.text);
        block.reason = body_.authors.empty() ? block.reason : "byline";
      }
    }
  }

  // True of a line that breaks off within a sentence, which the next one takes up: text with breaks at a width.
  bool RunsOn(size_t i) const {
    return !blocks_[i].sentence && i + 1 < blocks_.size() && blocks_[i + 1].kind == LineKind::kNone &&
           !blocks_[i + 1].bullet && absl::ascii_islower(static_cast<unsigned char>(blocks_[i + 1].text[0])) != 0;
  }

  // How much block `i` looks like the title of the text that begins at `begin_`; 0: not at all.
  double TitleScore(size_t i) const {
    const TextBlock& block = blocks_[i];
    const bool may_be = block.kind == LineKind::kNone || block.kind == LineKind::kRelatedHeading;
    // A line without a letter or digit (a rule, a fence, a bracket) is nothing to read.
    if (!may_be || block.bullet || block.words > kMaxTitleWords || block.key.empty() || block.cut_off || RunsOn(i)) {
      return 0.0;
    }
    double score = 1.0;
    if (block.kind == LineKind::kNone) {
      score += block.words >= 4 ? 3.0 : (block.words >= 3 ? 1.5 : (block.words >= 2 ? 0.7 : 0.0));
    }
    // The same words in the trail of links above ("Home › …"): pages repeat their titles, and nothing else, there.
    for (size_t k = i > 12 ? i - 12 : 0; k < i; ++k) {
      if (blocks_[k].key == block.key || (block.key.size() > 12 && absl::StrContains(blocks_[k].key, block.key))) {
        score += 3.0;
        break;
      }
    }
    if (block.sentence && absl::EndsWith(block.text, ".")) {
      score -= 2.5;  // A standfirst more likely.
    }
    // A byline or a date shortly below.
    for (size_t k = i + 1; k < std::min(begin_ + 1, i + 5); ++k) {
      if (blocks_[k].kind == LineKind::kByline || blocks_[k].kind == LineKind::kDate) {
        score += 1.0;
        break;
      }
    }
    size_t between = 0;  // Lines between it and the text that are neither byline, date nor label.
    for (size_t k = i + 1; k < begin_; ++k) {
      between += blocks_[k].kind == LineKind::kNone ? 1 : 0;
    }
    score -= 0.6 * static_cast<double>(between);
    // Not the line of a menu: those stand among their like.
    return std::max(score, 0.0);
  }

  // Lines such as "Issue: Geopolitics" close to the text.
  void ReadLabels() {
    const size_t from = begin_ > kLabelReach * 2 ? begin_ - kLabelReach * 2 : 0;
    const size_t to = std::min(blocks_.size(), end_ + kLabelReach);
    for (size_t i = from; i < to; ++i) {
      if (i >= end_ && blocks_[i].prose && blocks_[i].biography.empty()) {
        break;  // Another article's.
      }
      if (blocks_[i].kind == LineKind::kLabel && blocks_[i].copies <= 2) {
        for (SourceLabel& label : ParseLabelLine(blocks_[i].text)) {
          body_.labels.push_back(std::move(label));
        }
      }
    }
  }

  void ReadBiographies() {
    std::vector<std::string> names;
    for (size_t i = 0; i < blocks_.size(); ++i) {
      TextBlock& block = blocks_[i];
      if (block.kept || block.biography.empty() || (i < begin_ && i + 6 < begin_)) {
        continue;
      }
      block.reason = "biography";
      for (const std::string& name : block.biography) {
        if (std::find(names.begin(), names.end(), name) == names.end()) {
          names.push_back(name);
        }
      }
    }
    if (body_.authors.empty()) {
      body_.authors = std::move(names);
    }
  }

  // Notes on the authors that the text ends with. Their names are known by now.
  void DropAuthorNotes() {
    while (end_ > begin_ + 1 && (!blocks_[end_ - 1].kept || IsAboutPerson(blocks_[end_ - 1].text, body_.authors))) {
      TextBlock& block = blocks_[--end_];
      block.reason = block.kept ? "biography" : block.reason;
      block.kept = false;
    }
  }

  void Assemble() {
    bool in_list = false;
    for (size_t i = begin_; i < end_; ++i) {
      const TextBlock& block = blocks_[i];
      if (!block.kept) {
        continue;
      }
      if (block.bullet && in_list && !body_.parts.empty()) {
        absl::StrAppend(&body_.parts.back().text, "\n- ", block.text);
      } else {
        body_.parts.push_back({.text = absl::StrCat(block.bullet ? "- " : "", block.text),
                               .heading_level = block.reason == "heading" ? 2 : 0});
      }
      in_list = block.bullet;
    }
  }

  void Explain() {
    for (const TextBlock& block : blocks_) {
      Block explained;
      explained.text = block.text.substr(0, common::CodePointFloor(block.text, kMaxBlockText));
      explained.kept = block.kept;
      explained.reason = block.reason;
      if (explained.reason.empty()) {
        explained.reason = block.kind != LineKind::kNone ? std::string(LineKindName(block.kind))
                           : block.copies > 1            ? "repeated"
                           : block.cut_off               ? "teaser"
                                                         : "outside the article";
      }
      if (block.kind == LineKind::kNone && (block.kept || block.biography.empty())) {
        explained.score = block.value;
      }
      body_.blocks.push_back(std::move(explained));
    }
  }

  std::vector<TextBlock> blocks_;
  size_t begin_ = 0;  // The text: [begin_, end_).
  size_t end_ = 0;
  HtmlBody body_;
};

}  // namespace

HtmlBody ExtractPageText(absl::string_view text, bool explain) { return PageTextReader().Read(text, explain); }

}  // namespace dateline::extraction
