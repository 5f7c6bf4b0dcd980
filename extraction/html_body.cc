#include "extraction/html_body.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"

#include "common/text.h"
#include "extraction/dates.h"
#include "extraction/html_hints.h"
#include "extraction/text_shape.h"

namespace dateline::extraction {
namespace {

// Weights and thresholds, chosen on one half of a set of annotated pages and checked on the other.
constexpr size_t kSolidWords = 9;           // A sentence this long is text, not furniture.
constexpr size_t kLongWords = 25;           // Text even without the full stop.
constexpr double kMaxTextLinkShare = 0.4;   // Of a paragraph's letters within links.
constexpr double kMaxListLinkShare = 0.55;  // Of a list's, before it counts as a menu.
constexpr double kHintGuard = 0.6;  // A name that hides more than this share of the page's text means something else.
constexpr double kCommentGuard = 0.9;
constexpr double kMinLinksOfRelated = 0.05;  // Share of its letters.
constexpr double kMaxTextOfByline = 700.0;
constexpr double kMinTextBesideGallery = 1500.0;
constexpr double kStrongShare = 0.3;  // A marked body must hold this share of the best unmarked one's text.
constexpr double kContentBoost = 1.1;
constexpr double kShortPenalty = 12.0;  // Of a line that is no sentence, in letters of text.
constexpr size_t kMaxHeadingWords = 40;
constexpr size_t kMaxHeadingBlocks = 3;
constexpr size_t kHeadingReach = 3;     // Block elements between a heading's tag and its text.
constexpr size_t kLeadReach = 25;       // Blocks between title and text that may hold the lead.
constexpr size_t kMaxBlockText = 2000;  // Of `Block::text`.
constexpr size_t kMaxStandfirstWords = 80;
// When the element around title and text is preferred to a larger one.
constexpr int kSureTitle = 36;  // A heading of the first or second level that says what the page states.
constexpr double kMinTextOfTitled = 1000.0;
constexpr double kMinTextOfScrolled = 200.0;  // Where other whole articles stand beside it.
constexpr double kMinShareOfTitled = 0.1;
constexpr std::ptrdiff_t kMinBlocksOfTitled = 4;
// A teaser: a link, a sentence or two, perhaps a picture's credit, a date, a counter.
constexpr int32_t kMaxCardNodes = 200;
constexpr size_t kMaxCardBlocks = 12;
constexpr double kMaxCardText = 700.0;  // In letters, as all values.
constexpr size_t kMinCards = 3;
constexpr double kMinTextBesides = 500.0;
constexpr double kMinShareOfList = 0.8;  // Of a page's text, where teasers are all that it holds.

enum class Shape { kParagraph, kHeading, kListItem, kTableRow, kPreformatted };

struct PageBlock {
  int32_t start = 0;        // Its first node of text.
  int32_t node = kNoNode;   // The block element around it.
  int32_t group = kNoNode;  // The list or table it is part of.
  Shape shape = Shape::kParagraph;
  int level = 0;  // Of a heading.
  std::string text;
  size_t chars = 0;
  size_t words = 0;
  double link_share = 0.0;
  bool bold = false;
  bool solid = false;          // Certainly sentences.
  bool beside_text = false;    // Before the first sentences or after the last, in an element like theirs.
  bool below_heading = false;  // After the last sentences, next to a heading of the text.
  bool speech = false;         // One of several lines that say who speaks.
  bool of_digest = false;      // The heading of one of several pieces.
  LineKind kind = LineKind::kNone;
  double value = 0.0;
  bool kept = false;
  std::string reason;
};

bool IsHeadingTag(GumboTag tag) { return tag >= GUMBO_TAG_H1 && tag <= GUMBO_TAG_H6; }

// Splits the page's text at its block elements.
class BlockCollector {
 public:
  BlockCollector(const HtmlDocument& document, const std::vector<Hint>& hints) : document_(document), hints_(hints) {}

  std::vector<PageBlock> Collect() {
    for (int32_t i = 0; i < document_.size();) {
      while (!open_.empty() && document_.node(open_.back()).end <= i) {
        Leave();
      }
      i = Enter(i);
    }
    while (!open_.empty()) {
      Leave();
    }
    Flush();
    // A heading of many paragraphs was never closed.
    for (const auto& [heading, members] : heading_blocks_) {
      if (members.size() > kMaxHeadingBlocks) {
        for (const size_t member : members) {
          blocks_[member].shape = Shape::kParagraph;
          blocks_[member].level = 0;
        }
      }
    }
    return std::move(blocks_);
  }

 private:
  // Takes node `i` in; returns the next node to look at.
  int32_t Enter(int32_t i) {
    const HtmlNode& node = document_.node(i);
    if (node.is_text) {
      AddText(i, node.text);
      return i + 1;
    }
    if (IsSkipped(i)) {
      return node.end;
    }
    if (node.tag == GUMBO_TAG_BR) {
      AddLineBreak();
      return i + 1;
    }
    open_.push_back(i);
    link_depth_ += node.link ? 1 : 0;
    bold_depth_ += node.bold ? 1 : 0;
    if (IsBoundary(i)) {
      if (IsDataCell(i)) {
        AddCellBorder();
      } else {
        Flush();
      }
      block_stack_.push_back(i);
      if (node.tag == GUMBO_TAG_PRE) {
        ++pre_depth_;
      }
      if (node.tag == GUMBO_TAG_TABLE && IsDataTable(i)) {
        data_tables_.push_back(i);
      }
    }
    return i + 1;
  }

  void Leave() {
    const int32_t i = open_.back();
    const HtmlNode& node = document_.node(i);
    open_.pop_back();
    link_depth_ -= node.link ? 1 : 0;
    bold_depth_ -= node.bold ? 1 : 0;
    if (!IsBoundary(i)) {
      return;
    }
    if (!IsDataCell(i)) {
      Flush();
    }
    block_stack_.pop_back();
    pre_depth_ -= node.tag == GUMBO_TAG_PRE ? 1 : 0;
    if (!data_tables_.empty() && data_tables_.back() == i) {
      data_tables_.pop_back();
    }
  }

  bool IsBoundary(int32_t i) const {
    return IsBlockTag(document_.node(i).tag) || document_.node(i).tag == GUMBO_TAG_UNKNOWN;
  }

  bool IsSkipped(int32_t i) const {
    const HtmlNode& node = document_.node(i);
    if (node.tag == GUMBO_TAG_TITLE || node.tag == GUMBO_TAG_BUTTON) {
      return true;
    }
    if (node.tag == GUMBO_TAG_SUP) {  // A mark of a footnote.
      for (int32_t k = i + 1; k < node.end; ++k) {
        if (document_.node(k).link) {
          return true;
        }
      }
    }
    if (IsBlockTag(node.tag)) {
      return false;
    }
    const Hint hint = hints_[static_cast<size_t>(i)];
    return hint == Hint::kHidden || hint == Hint::kSiteRule || hint == Hint::kShare || hint == Hint::kAdvertisement ||
           (hint == Hint::kMeta && node.end - i < 6) || (hint == Hint::kNavigation && node.end - i < 6);
  }

  bool IsDataCell(int32_t i) const {
    const GumboTag tag = document_.node(i).tag;
    return !data_tables_.empty() && (tag == GUMBO_TAG_TD || tag == GUMBO_TAG_TH);
  }

  // A table whose cells hold words, not paragraphs: those are layout.
  bool IsDataTable(int32_t i) const {
    const int32_t end = document_.node(i).end;
    size_t cell_text = 0;
    for (int32_t k = i + 1; k < end; ++k) {
      const HtmlNode& node = document_.node(k);
      if (node.is_text) {
        cell_text += node.text.size();
        if (cell_text > 600) {
          return false;
        }
      } else if (node.tag == GUMBO_TAG_TD || node.tag == GUMBO_TAG_TH) {
        cell_text = 0;
      } else if (node.tag == GUMBO_TAG_TABLE || node.tag == GUMBO_TAG_UL || node.tag == GUMBO_TAG_OL ||
                 IsHeadingTag(node.tag) || node.tag == GUMBO_TAG_ARTICLE || node.tag == GUMBO_TAG_SECTION) {
        return false;
      }
    }
    return true;
  }

  // A line that <br> ended or began within a block: where it begins, and what had been counted by then.
  struct Line {
    size_t offset = 0;  // Into `text_`.
    int32_t start = kNoNode;
    size_t chars = 0;
    size_t link_chars = 0;
    size_t bold_chars = 0;
  };

  void AddText(int32_t i, absl::string_view text) {
    const bool blank = std::all_of(text.begin(), text.end(),
                                   [](char c) { return absl::ascii_isspace(static_cast<unsigned char>(c)); });
    if (text_.empty() && blank) {
      return;
    }
    if (text_.empty()) {
      start_ = i;
    }
    if (!blank) {
      line_breaks_ = 0;
      if (!lines_.empty() && lines_.back().start == kNoNode) {
        lines_.back().start = i;
      }
      const size_t count = CountCodePoints(text);
      chars_ += count;
      link_chars_ += link_depth_ > 0 ? count : 0;
      bold_chars_ += bold_depth_ > 0 ? count : 0;
    }
    if (pre_depth_ > 0) {
      text_.append(text.data(), text.size());
      return;
    }
    // Line ends within text are spaces; only <br> makes a line.
    for (const char c : text) {
      text_.push_back(c == '\n' || c == '\r' || c == '\t' || c == '\f' ? ' ' : c);
    }
  }

  void AddLineBreak() {
    if (text_.empty()) {
      return;
    }
    text_.push_back('\n');
    if (++line_breaks_ >= 2 && pre_depth_ == 0) {
      Flush();
      return;
    }
    lines_.push_back({.offset = text_.size(), .chars = chars_, .link_chars = link_chars_, .bold_chars = bold_chars_});
  }

  void AddCellBorder() {
    if (!text_.empty()) {
      text_.append(" | ");
    }
  }

  // `text` with white space collapsed in each line, blank lines gone.
  std::string CleanLines(absl::string_view text) const {
    std::string clean;
    for (const absl::string_view line : absl::StrSplit(text, '\n')) {
      std::string collapsed =
          pre_depth_ > 0 ? std::string(absl::StripTrailingAsciiWhitespace(line)) : CollapseSpace(line);
      if (!collapsed.empty()) {
        absl::StrAppend(&clean, clean.empty() ? "" : "\n", collapsed);
      }
    }
    return clean;
  }

  // Shape and surroundings of a block here and now.
  PageBlock BlockHere() {
    PageBlock block;
    block.node = block_stack_.empty() ? 0 : block_stack_.back();
    for (size_t k = block_stack_.size(); k > 0; --k) {
      const int32_t ancestor = block_stack_[k - 1];
      const GumboTag tag = document_.node(ancestor).tag;
      if (IsHeadingTag(tag) && block_stack_.size() - k < kHeadingReach) {
        block.shape = Shape::kHeading;
        heading_blocks_[ancestor].push_back(blocks_.size());
        block.level = static_cast<int>(tag) - static_cast<int>(GUMBO_TAG_H1) + 1;
        break;
      }
      if (tag == GUMBO_TAG_LI || tag == GUMBO_TAG_DD || tag == GUMBO_TAG_DT) {
        block.shape = Shape::kListItem;
        continue;
      }
      if ((tag == GUMBO_TAG_UL || tag == GUMBO_TAG_OL || tag == GUMBO_TAG_DL) && block.shape == Shape::kListItem) {
        block.group = ancestor;
        break;
      }
      if (!data_tables_.empty() && ancestor == data_tables_.back()) {
        block.shape = Shape::kTableRow;
        block.group = ancestor;
        break;
      }
      if (tag == GUMBO_TAG_PRE) {
        block.shape = Shape::kPreformatted;
        block.group = ancestor;
        break;
      }
      if (tag == GUMBO_TAG_DIV || tag == GUMBO_TAG_SECTION || tag == GUMBO_TAG_ARTICLE || tag == GUMBO_TAG_BLOCKQUOTE) {
        if (block.shape == Shape::kListItem || block_stack_.size() - k > 2) {
          continue;
        }
      }
    }
    return block;
  }

  void Flush() {
    if (text_.empty()) {
      return;
    }
    std::string text = CleanLines(text_);
    if (!text.empty()) {
      PageBlock block = BlockHere();
      if (block.shape == Shape::kParagraph && !lines_.empty() && absl::StrContains(text, '\n')) {
        AddLines(block);
      } else {
        AddBlock(std::move(block), std::move(text), {.start = start_}, LineAtEnd());
      }
    }
    Reset();
  }

  Line LineAtEnd() const {
    return {.offset = text_.size(), .chars = chars_, .link_chars = link_chars_, .bold_chars = bold_chars_};
  }

  // Old pages set byline, date and labels apart from the text, and from each other, by nothing but <br>.
  void AddLines(const PageBlock& like) {
    std::vector<Line> bounds = {{.start = start_}};
    for (const Line& line : lines_) {
      if (line.start != kNoNode) {  // Else nothing stands in it.
        bounds.push_back(line);
      }
    }
    bounds.push_back(LineAtEnd());
    const size_t count = bounds.size() - 1;
    std::vector<LineKind> kinds(count, LineKind::kNone);
    for (size_t i = 0; i < count; ++i) {
      kinds[i] = ClassifyLine(TextBetween(bounds[i], bounds[i + 1]));
    }
    // The title may stand above the byline.
    size_t head = count > 1 && kinds[0] == LineKind::kNone && kinds[1] == LineKind::kByline &&
                          MayBeTitle(TextBetween(bounds[0], bounds[1]))
                      ? 1
                      : 0;
    bool byline = false;
    while (head < count && IsAboutArticle(kinds[head])) {
      byline = byline || kinds[head] == LineKind::kByline;
      ++head;
    }
    if (!byline && head < count) {
      head = 0;  // A date alone may be the text's own, as in diaries.
    }
    size_t tail = count;
    while (tail > head && kinds[tail - 1] == LineKind::kLabel) {
      --tail;
    }
    for (size_t i = 0; i < count;) {
      const size_t next = i >= head && i < tail ? tail : i + 1;
      AddBlock(like, TextBetween(bounds[i], bounds[next]), bounds[i], bounds[next]);
      i = next;
    }
  }

  static bool MayBeTitle(absl::string_view line) {
    constexpr size_t kMaxTitleWords = 20;
    return CountWords(line) <= kMaxTitleWords && !absl::EndsWith(line, ".") && !EndsCutOff(line);
  }

  static bool IsAboutArticle(LineKind kind) {
    return kind == LineKind::kByline || kind == LineKind::kDate || kind == LineKind::kReadingTime ||
           kind == LineKind::kLabel;
  }

  std::string TextBetween(const Line& begin, const Line& end) const {
    return CleanLines(absl::string_view(text_).substr(begin.offset, end.offset - begin.offset));
  }

  // Adds what stands between two lines as a block like `block`.
  void AddBlock(PageBlock block, std::string text, const Line& begin, const Line& end) {
    if (text.empty()) {
      return;
    }
    block.start = begin.start;
    block.text = std::move(text);
    block.chars = end.chars - begin.chars;
    block.words = CountWords(block.text);
    if (block.shape == Shape::kHeading && block.words > kMaxHeadingWords) {
      block.shape = Shape::kParagraph;  // Text below a heading that was never closed, or set large.
    }
    const auto link_chars = static_cast<double>(end.link_chars - begin.link_chars);
    block.link_share = block.chars == 0 ? 0.0 : link_chars / static_cast<double>(block.chars);
    block.bold = block.chars > 0 && (end.bold_chars - begin.bold_chars) * 10 >= block.chars * 9;
    blocks_.push_back(std::move(block));
  }

  void Reset() {
    text_.clear();
    lines_.clear();
    chars_ = link_chars_ = bold_chars_ = 0;
    line_breaks_ = 0;
  }

  const HtmlDocument& document_;
  const std::vector<Hint>& hints_;
  std::vector<PageBlock> blocks_;
  absl::flat_hash_map<int32_t, std::vector<size_t>> heading_blocks_;
  std::vector<int32_t> open_;         // All elements around the current node.
  std::vector<int32_t> block_stack_;  // The block elements among them.
  std::vector<int32_t> data_tables_;
  int link_depth_ = 0;
  int bold_depth_ = 0;
  int pre_depth_ = 0;
  int32_t start_ = 0;
  std::string text_;
  std::vector<Line> lines_;  // After the first.
  size_t chars_ = 0;
  size_t link_chars_ = 0;
  size_t bold_chars_ = 0;
  int line_breaks_ = 0;
};

class BodyFinder {
 public:
  BodyFinder(const HtmlDocument& document, const HtmlMetadata& metadata, const RuleMatches* rule)
      : document_(document), metadata_(metadata), rule_(rule) {}

  HtmlBody Find(bool explain, bool locate) {
    ReadHints();
    if (rule_ != nullptr) {
      FollowRule();
    }
    blocks_ = BlockCollector(document_, hints_).Collect();
    JudgeBlocks();
    MarkTeasers();
    SetAsideBoilerplate();
    TakeBackStatedText();
    FindTitle();
    ChooseContainer();
    SelectBlocks();
    DropRepeated();
    KeepTinyPage();
    ReadAround();
    DropAuthorNotes();
    ReadDirection();
    Assemble();
    if (explain) {
      Explain(locate);
    }
    return std::move(body_);
  }

 private:
  void ReadHints() {
    HintReader reader;
    hints_.resize(static_cast<size_t>(document_.size()), Hint::kNone);
    for (int32_t i = 0; i < document_.size(); ++i) {
      hints_[static_cast<size_t>(i)] = reader.Read(document_, i);
    }
  }

  Hint HintOf(int32_t node) const { return hints_[static_cast<size_t>(node)]; }

  // Marks what the site's rule drops, and what stands outside the elements that it selects.
  void FollowRule() {
    for (const int32_t node : rule_->drop) {
      hints_[static_cast<size_t>(node)] = Hint::kSiteRule;
    }
    const std::vector<int32_t>& selected = rule_->select;
    if (selected.empty()) {
      return;
    }
    rule_selects_ = true;
    std::vector<bool> holds(hints_.size(), false);  // The selected nodes and all around them.
    for (const int32_t node : selected) {
      for (int32_t around = node; around != kNoNode && !holds[static_cast<size_t>(around)];
           around = document_.node(around).parent) {
        holds[static_cast<size_t>(around)] = true;
        Hint& hint = hints_[static_cast<size_t>(around)];
        hint = hint == Hint::kSiteRule ? hint : Hint::kNone;
      }
    }
    int32_t inside = 0;  // The end of the selected element that was entered last.
    size_t next = 0;
    for (int32_t i = 0; i < document_.size(); ++i) {
      if (next < selected.size() && selected[next] == i) {
        inside = std::max(inside, document_.node(i).end);
        ++next;
      }
      if (i >= inside && !holds[static_cast<size_t>(i)]) {
        hints_[static_cast<size_t>(i)] = Hint::kSiteRule;
      }
    }
  }

  void JudgeBlocks() {
    size_t chars = 0;
    double link_chars = 0.0;
    constexpr std::ptrdiff_t kMinSpeeches = 3;
    const auto speaks = [](const PageBlock& block) {
      return block.shape == Shape::kParagraph && block.link_share == 0.0 && IsSpeech(block.text);
    };
    const bool speeches = std::count_if(blocks_.begin(), blocks_.end(), speaks) >= kMinSpeeches;
    for (PageBlock& block : blocks_) {
      block.kind = ClassifyLine(block.text);
      block.speech = speeches && block.kind == LineKind::kNone && speaks(block);
      const bool furniture =
          block.kind != LineKind::kNone && block.kind != LineKind::kByline && block.kind != LineKind::kLabel;
      const bool sentence = EndsSentence(block.text) && !EndsCutOff(block.text);
      const bool fields = block.kind == LineKind::kByline && IsFieldLine(block.text);
      block.solid = !furniture && !fields && block.shape != Shape::kHeading && block.link_share < kMaxTextLinkShare &&
                    ((sentence && block.words >= kSolidWords) || block.words >= kLongWords || IsDenseText(block));
      block.value = ValueOf(block, furniture);
      body_.paywall = body_.paywall || block.kind == LineKind::kPaywall;
      chars += block.chars;
      link_chars += block.link_share * static_cast<double>(block.chars);
    }
    body_.link_share = chars == 0 ? 0.0 : link_chars / static_cast<double>(chars);
  }

  // Scripts without spaces: many writers divide their lines, and end none of them.
  static bool IsDenseText(const PageBlock& block) {
    constexpr size_t kMinChars = 28;
    return block.shape == Shape::kParagraph && block.link_share == 0.0 && block.chars >= kMinChars &&
           block.words * 3 >= block.chars;
  }

  static double ValueOf(const PageBlock& block, bool furniture) {
    const auto chars = static_cast<double>(block.chars);
    if (block.solid) {
      return chars * (1.0 - block.link_share);
    }
    if (furniture) {
      return -kShortPenalty * 2;
    }
    if (block.link_share > kMaxTextLinkShare) {
      return -std::min(60.0, kShortPenalty + chars * 0.3);
    }
    switch (block.shape) {
      case Shape::kHeading:
        return 0.0;
      case Shape::kPreformatted:
        return chars * 0.5;
      case Shape::kTableRow:
        return 2.0;
      case Shape::kListItem:
      case Shape::kParagraph:
        break;
    }
    // Cut off, it is the teaser of another article; items of lists are cut off in articles, too.
    const bool teaser = block.shape != Shape::kListItem && EndsCutOff(block.text);
    if (block.speech || (EndsSentence(block.text) && block.words >= 4 && !teaser)) {
      return chars * 0.5;
    }
    return block.shape == Shape::kListItem ? -2.0 : -kShortPenalty;
  }

  // The range of blocks below `node`.
  std::pair<size_t, size_t> RangeOf(int32_t node) const {
    const auto at = [this](int32_t position) {
      return static_cast<size_t>(std::lower_bound(blocks_.begin(), blocks_.end(), position,
                                                  [](const PageBlock& block, int32_t p) { return block.start < p; }) -
                                 blocks_.begin());
    };
    return {at(node), at(document_.node(node).end)};
  }

  static std::vector<double> Prefix(const std::vector<PageBlock>& blocks, double (*value)(const PageBlock&)) {
    std::vector<double> sums(blocks.size() + 1, 0.0);
    for (size_t i = 0; i < blocks.size(); ++i) {
      sums[i + 1] = sums[i] + value(blocks[i]);
    }
    return sums;
  }

  // Three and more elements side by side that each hold a link and a sentence or two are teasers of other articles,
  // provided that the page has a text besides.
  void MarkTeasers() {
    const std::vector<double> solid =
        Prefix(blocks_, [](const PageBlock& block) { return block.solid ? block.value : 0.0; });
    const std::vector<double> links = Prefix(blocks_, [](const PageBlock& block) {
      return block.link_share > 0.6 && block.words >= 2 && block.kind == LineKind::kNone ? 1.0 : 0.0;
    });
    std::vector<bool> in_body(hints_.size(), false);
    absl::flat_hash_map<std::pair<int32_t, GumboTag>, std::vector<int32_t>> cards;
    for (int32_t i = 0; i < document_.size(); ++i) {
      const HtmlNode& node = document_.node(i);
      const auto index = static_cast<size_t>(i);
      in_body[index] =
          HintOf(i) == Hint::kBody || (node.parent != kNoNode && in_body[static_cast<size_t>(node.parent)]);
      if (node.is_text || !IsBlockTag(node.tag) || in_body[index] || node.end - i < 3 || node.end - i > kMaxCardNodes) {
        continue;
      }
      const auto [begin, end] = RangeOf(i);
      const double text = solid[end] - solid[begin];
      const double link_count = links[end] - links[begin];
      if (end - begin >= 2 && end - begin <= kMaxCardBlocks && text > 0.0 && text < kMaxCardText && link_count >= 1.0) {
        cards[{node.parent, node.tag}].push_back(i);
      }
    }
    std::vector<int32_t> teasers;
    for (const auto& [place, nodes] : cards) {
      if (nodes.size() >= kMinCards) {
        teasers.insert(teasers.end(), nodes.begin(), nodes.end());
      }
    }
    std::sort(teasers.begin(), teasers.end());
    double text_of_teasers = 0.0;
    int32_t last_end = 0;
    for (const int32_t node : teasers) {
      if (node >= last_end) {  // Else within another one.
        const auto [begin, end] = RangeOf(node);
        text_of_teasers += solid[end] - solid[begin];
        last_end = document_.node(node).end;
      }
    }
    if (BestRunOutside(teasers) < kMinTextBesides) {
      body_.teasers = text_of_teasers > solid.back() * kMinShareOfList ? teasers.size() : 0;
      return;
    }
    for (const int32_t node : teasers) {
      Hint& hint = hints_[static_cast<size_t>(node)];
      hint = IsBoilerplate(hint) ? hint : Hint::kRelated;
    }
  }

  // The most text that stands together outside of `nodes`, which are in document order.
  double BestRunOutside(const std::vector<int32_t>& nodes) const {
    constexpr int kMaxGap = 6;  // Blocks that are no text, in a row.
    double best = 0.0;
    double run = 0.0;
    int gap = 0;
    size_t next = 0;
    int32_t card_end = 0;
    for (const PageBlock& block : blocks_) {
      for (; next < nodes.size() && nodes[next] <= block.start; ++next) {
        card_end = std::max(card_end, document_.node(nodes[next]).end);
      }
      if (block.start < card_end) {
        run = 0.0;
      } else if (block.solid) {
        run += block.value;
        gap = 0;
      } else if (++gap > kMaxGap) {
        run = 0.0;
      }
      best = std::max(best, run);
    }
    return best;
  }

  // Marks what lies below elements whose names say that it isn't the article, unless that would be most of the page.
  void SetAsideBoilerplate() {
    const std::vector<double> good =
        Prefix(blocks_, [](const PageBlock& block) { return block.solid ? block.value : 0.0; });
    const std::vector<double> chars =
        Prefix(blocks_, [](const PageBlock& block) { return static_cast<double>(block.chars); });
    const std::vector<double> links =
        Prefix(blocks_, [](const PageBlock& block) { return block.link_share * static_cast<double>(block.chars); });
    const double total = good.back();
    boilerplate_.assign(static_cast<size_t>(document_.size()), kNoNode);
    for (int32_t i = 0; i < document_.size(); ++i) {
      const HtmlNode& node = document_.node(i);
      const auto index = static_cast<size_t>(i);
      if (node.parent != kNoNode && boilerplate_[static_cast<size_t>(node.parent)] != kNoNode) {
        boilerplate_[index] = boilerplate_[static_cast<size_t>(node.parent)];
        continue;
      }
      const Hint hint = HintOf(i);
      if (!IsBoilerplate(hint) || (!IsBlockTag(node.tag) && node.tag != GUMBO_TAG_UNKNOWN)) {
        continue;
      }
      const auto [begin, end] = RangeOf(i);
      if (hint == Hint::kRelated && links[end] - links[begin] <= (chars[end] - chars[begin]) * kMinLinksOfRelated) {
        continue;  // What leads nowhere is no list of other articles.
      }
      const double inside = good[end] - good[begin];
      if ((hint == Hint::kByline || hint == Hint::kTags) && inside > kMaxTextOfByline) {
        continue;  // A text by the author of that name, or filed under these tags.
      }
      if (hint == Hint::kCaption && total - inside >= kMinTextBesideGallery) {
        boilerplate_[index] = i;  // A gallery may hold more text than the article.
        continue;
      }
      const double share = total <= 0.0 ? 0.0 : inside / total;
      if (hint == Hint::kSiteRule || share <= (hint == Hint::kComments ? kCommentGuard : kHintGuard)) {
        boilerplate_[index] = i;
      }
    }
    for (PageBlock& block : blocks_) {
      const int32_t around = boilerplate_[static_cast<size_t>(block.node)];
      if (around != kNoNode) {
        block.value = 0.0;
        block.reason = std::string(HintName(HintOf(around)));
      }
    }
  }

  // What the page itself states to be the article's text is no boilerplate, whatever the names around it say.
  void TakeBackStatedText() {
    constexpr size_t kMinStated = 300;
    constexpr size_t kMaxStated = 200'000;
    constexpr size_t kMaxLookups = 300;
    if (metadata_.article_body.size() < kMinStated || metadata_.article_body.size() > kMaxStated) {
      return;
    }
    const std::string stated = MatchKey(HtmlToText(metadata_.article_body));
    size_t lookups = 0;
    for (PageBlock& block : blocks_) {
      if (!block.solid || !IsSetAside(block) ||
          HintOf(boilerplate_[static_cast<size_t>(block.node)]) == Hint::kSiteRule || ++lookups > kMaxLookups) {
        continue;
      }
      if (absl::StrContains(stated, MatchKey(block.text))) {
        boilerplate_[static_cast<size_t>(block.node)] = kNoNode;
        block.value = ValueOf(block, false);
        block.reason.clear();
      }
    }
  }

  bool IsSetAside(const PageBlock& block) const { return boilerplate_[static_cast<size_t>(block.node)] != kNoNode; }

  // The block that shows the title which the page states; else its first <h1>.
  void FindTitle() {
    std::vector<std::string> keys;
    for (const std::string& title : metadata_.titles) {
      keys.push_back(MatchKey(title));
    }
    keys.push_back(MatchKey(metadata_.page_title));
    absl::flat_hash_set<std::string> parts;  // Of the page's title: one of them is the article's.
    const std::string divided = absl::StrReplaceAll(
        metadata_.page_title, {{"·", "|"}, {"•", "|"}, {"–", "|"}, {"—", "|"}, {"»", "|"}, {"«", "|"}});
    for (const absl::string_view part : absl::StrSplit(divided, absl::ByAnyChar("|:-"))) {
      parts.insert(MatchKey(part));
    }
    size_t longest = 0;
    for (const std::string& key : keys) {
      longest = std::max(longest, key.size());
    }
    int best = 0;
    std::optional<size_t> of_site;  // A heading that names the site.
    parts.erase(MatchKey(metadata_.article.source));
    for (size_t i = 0; i < blocks_.size(); ++i) {
      const PageBlock& block = blocks_[i];
      if (block.shape == Shape::kHeading && block.level == 1 && body_.heading.empty()) {
        body_.heading = block.text;
      }
      // Punctuation and letters of several bytes count more than what is left of them in a key.
      const bool too_long = block.shape != Shape::kHeading && block.text.size() > longest * 4 + 40;
      if (block.text.size() > 400 || block.words == 0 || too_long) {
        continue;
      }
      const Hint around = IsSetAside(block) ? HintOf(boilerplate_[static_cast<size_t>(block.node)]) : Hint::kNone;
      if (around == Hint::kNavigation || around == Hint::kRelated || around == Hint::kSidebar ||
          around == Hint::kComments) {
        continue;
      }
      if (IsOfSite(block, keys)) {
        of_site = of_site ? of_site : i;
        continue;
      }
      const int rank = TitleRank(block, keys, parts);
      if (rank > best) {
        best = rank;
        title_ = i;
        title_rank_ = rank;
      }
    }
    PreferTitleBelow(keys, parts, of_site);
    if (!title_) {
      return;
    }
    body_.title = blocks_[*title_].text;
    std::replace(body_.title.begin(), body_.title.end(), '\n', ' ');
    // Where a kicker stands before the title, what the page states is better.
    const std::string shown = MatchKey(body_.title);
    for (const std::string& title : metadata_.titles) {
      const std::string key = MatchKey(title);
      if (key.size() >= 12 && key.size() < shown.size() && absl::EndsWith(shown, key)) {
        body_.title = title;
        break;
      }
    }
  }

  // A heading of the first level that leads to the front page, or says the host's name, and that no stated title says.
  bool IsOfSite(const PageBlock& block, const std::vector<std::string>& keys) const {
    if (block.shape != Shape::kHeading || block.level != 1) {
      return false;
    }
    const std::string key = MatchKey(block.text);
    if (std::find(keys.begin(), keys.end() - 1, key) != keys.end() - 1) {
      return false;
    }
    constexpr size_t kMinName = 5;
    std::string host = metadata_.host;
    host.erase(std::remove(host.begin(), host.end(), '-'), host.end());
    if (key.size() >= kMinName && absl::StrContains(host, key)) {
      return true;
    }
    for (int32_t i = block.node; i < document_.node(block.node).end; ++i) {
      if (document_.node(i).link) {
        return document_.Attribute(i, "data-a") == "/";
      }
    }
    return false;
  }

  // Where the heading of the first level names the site or a section, the title is the heading below it, next to the
  // text: one that is the longer part of the page's title, or any where the page's title says no more.
  void PreferTitleBelow(const std::vector<std::string>& keys, const absl::flat_hash_set<std::string>& parts,
                        std::optional<size_t> of_site) {
    std::string above;
    if (title_) {
      const PageBlock& chosen = blocks_[*title_];
      above = MatchKey(chosen.text);
      if (chosen.shape != Shape::kHeading || chosen.level != 1 || !parts.contains(above) ||
          std::find(keys.begin(), keys.end(), above) != keys.end()) {
        return;
      }
    } else if (!of_site && !metadata_.is_untitled) {
      return;
    }
    constexpr size_t kReach = 12;
    constexpr size_t kMaxWords = 25;
    const size_t from = title_ ? *title_ + 1 : (of_site ? *of_site + 1 : 0);
    std::optional<size_t> next;
    for (size_t i = from; i < blocks_.size() && (!title_ || i < from + kReach); ++i) {
      const PageBlock& block = blocks_[i];
      if (IsSetAside(block)) {
        continue;
      }
      if (block.solid) {
        break;
      }
      const bool heading = block.shape == Shape::kHeading && block.kind == LineKind::kNone && block.level <= 4;
      const std::string key = MatchKey(block.text);
      if (heading && key.size() > above.size() && (parts.contains(key) || IsPartOf(key, keys.back()))) {
        next = i;
        break;
      }
      const bool bold = block.shape == Shape::kParagraph && block.bold && block.kind == LineKind::kNone;
      if (!title_ && (heading || (bold && metadata_.is_untitled)) && block.words >= 2 && block.words <= kMaxWords) {
        next = i;
      }
    }
    if (next) {
      title_ = next;
      title_rank_ = kSureTitle;
    }
  }

  static bool IsPartOf(absl::string_view key, absl::string_view title) {
    constexpr size_t kMinPart = 12;
    return key.size() >= kMinPart && absl::StrContains(title, key);
  }

  static int TitleRank(const PageBlock& block, const std::vector<std::string>& keys,
                       const absl::flat_hash_set<std::string>& parts) {
    const std::string key = MatchKey(block.text);
    int rank = block.shape == Shape::kHeading && block.level == 1 && key.size() >= 3 && parts.contains(key) ? 2 : 0;
    if (key.size() >= 6 || (block.shape == Shape::kHeading && !key.empty())) {
      for (const std::string& title : keys) {
        if (title.empty()) {
          continue;
        }
        if (title == key) {
          rank = std::max(rank, 4);
        } else if (key.size() < 6) {
          continue;
        } else if (absl::StrContains(title, key) &&
                   (key.size() * 2 >= title.size() ||
                    (key.size() * 4 >= title.size() && absl::StartsWith(title, key)))) {
          rank = std::max(rank, 3);
        } else if (title.size() * 3 >= key.size() * 2 && absl::StrContains(key, title)) {
          rank = std::max(rank, 2);
        }
      }
    }
    if (rank > 0 && block.shape == Shape::kHeading) {
      return rank * 10 + (block.level == 1 ? 9 : 7 - block.level);
    }
    if (rank >= 3 && block.link_share < 0.5 && block.words >= 3) {
      return rank * 5;
    }
    return block.shape == Shape::kHeading && block.level == 1 && rank == 0 && SharesWords(block.text, keys) ? 1 : 0;
  }

  // The element that holds most text and least else.
  void ChooseContainer() {
    std::vector<double> sums = Prefix(blocks_, [](const PageBlock& block) { return block.value; });
    if (*std::max_element(sums.begin(), sums.end()) <= 0.0 && rule_ == nullptr) {
      // Nothing but what names call boilerplate: then the names are wrong.
      boilerplate_.assign(boilerplate_.size(), kNoNode);
      for (PageBlock& block : blocks_) {
        block.value = ValueOf(block, false);
        block.reason.clear();
      }
      sums = Prefix(blocks_, [](const PageBlock& block) { return block.value; });
    }
    double best = 0.0;
    double best_plain = 0.0;
    std::vector<std::pair<double, int32_t>> marked;
    for (int32_t i = 0; i < document_.size(); ++i) {
      const HtmlNode& node = document_.node(i);
      if (node.is_text || (!IsBlockTag(node.tag) && node.tag != GUMBO_TAG_UNKNOWN) ||
          boilerplate_[static_cast<size_t>(i)] != kNoNode) {
        continue;
      }
      const auto [begin, end] = RangeOf(i);
      const double sum = sums[end] - sums[begin];
      const Hint hint = HintOf(i);
      if (hint == Hint::kBody && sum > 0) {
        marked.emplace_back(sum, i);
      }
      const double score = sum * (hint == Hint::kContent || hint == Hint::kBody ? kContentBoost : 1.0);
      best_plain = std::max(best_plain, sum);
      const bool inside = container_ != kNoNode && i < document_.node(container_).end;
      if (score > best || (inside && score >= best && score > 0)) {
        best = score;
        container_ = i;
      }
    }
    const int32_t chosen = ChooseMarked(marked, best_plain, sums);
    if (rule_selects_) {
      container_ = 0;  // Everything else is set aside.
    } else {
      const int32_t titled = ContainerOfTitle(sums);
      const bool inside =
          chosen < titled && chosen != kNoNode && document_.node(titled).end <= document_.node(chosen).end;
      if (titled != kNoNode && (chosen == kNoNode || inside)) {
        container_ = titled;
      } else if (chosen != kNoNode) {
        container_ = chosen;
      }
    }
  }

  // The smallest element that holds both the heading with the article's title and a text: around it other articles may
  // stand in full. kNoNode if the page doesn't show its title so.
  int32_t ContainerOfTitle(const std::vector<double>& sums) const {
    if (!title_ || container_ == kNoNode || title_rank_ < kSureTitle) {
      return kNoNode;
    }
    const auto [whole_begin, whole_end] = RangeOf(container_);
    const double whole = sums[whole_end] - sums[whole_begin];
    for (int32_t node = blocks_[*title_].node; node != kNoNode && node != container_;
         node = document_.node(node).parent) {
      const auto [begin, end] = RangeOf(node);
      const double sum = sums[end] - sums[begin];
      if (sum >= kMinTextOfScrolled && IsOneOfSeveral(node)) {
        return node;
      }
      const auto solid = std::count_if(blocks_.begin() + static_cast<std::ptrdiff_t>(*title_),
                                       blocks_.begin() + static_cast<std::ptrdiff_t>(end),
                                       [](const PageBlock& block) { return block.solid && block.value > 0.0; });
      if (sum >= kMinTextOfTitled && sum >= whole * kMinShareOfTitled && solid >= kMinBlocksOfTitled) {
        return WithItsLike(node, sums);
      }
    }
    return kNoNode;
  }

  // Pages that go on with the next article have each in an element of its own, with a heading of the first level.
  bool IsOneOfSeveral(int32_t node) const {
    const auto is_whole = [this](int32_t article) {
      const auto [begin, end] = RangeOf(article);
      return document_.node(article).tag == GUMBO_TAG_ARTICLE &&
             std::any_of(blocks_.begin() + static_cast<std::ptrdiff_t>(begin),
                         blocks_.begin() + static_cast<std::ptrdiff_t>(end), [](const PageBlock& block) {
                           return block.shape == Shape::kHeading && block.level == 1 && block.value >= 0.0;
                         });
    };
    const int32_t parent = document_.node(node).parent;
    if (parent == kNoNode || !is_whole(node)) {
      return false;
    }
    for (int32_t other = parent + 1; other < document_.node(parent).end; other = document_.node(other).end) {
      if (other != node && is_whole(other)) {
        return true;
      }
    }
    return false;
  }

  // `node`, or the outermost element around it that holds more text beside it in elements of the same kind: sections of
  // one text.
  int32_t WithItsLike(int32_t node, const std::vector<double>& sums) const {
    constexpr double kMinTextOfSection = 200.0;
    int32_t whole = node;
    for (; node != container_ && document_.node(node).parent != kNoNode; node = document_.node(node).parent) {
      const int32_t parent = document_.node(node).parent;
      const absl::string_view classes = document_.Attribute(node, "class");
      const bool section = document_.node(node).tag == GUMBO_TAG_SECTION;
      bool more = false;
      for (int32_t other = parent + 1; other < document_.node(parent).end && !more; other = document_.node(other).end) {
        const auto [begin, end] = RangeOf(other);
        more = other != node && document_.node(other).tag == document_.node(node).tag &&
               (section || (!classes.empty() && document_.Attribute(other, "class") == classes)) &&
               sums[end] - sums[begin] >= kMinTextOfSection;
      }
      whole = more ? parent : whole;
    }
    return whole;
  }

  int32_t ChooseMarked(const std::vector<std::pair<double, int32_t>>& marked, double best_plain,
                       const std::vector<double>& sums) const {
    int32_t chosen = kNoNode;
    double chosen_sum = 0.0;
    for (const auto& [sum, node] : marked) {
      if (sum < best_plain * kStrongShare) {
        continue;
      }
      const bool inside = chosen != kNoNode && node < document_.node(chosen).end;
      if (sum > chosen_sum || (inside && sum >= chosen_sum * 0.85)) {
        chosen = node;
        chosen_sum = sum;
      }
    }
    if (chosen == kNoNode) {
      return kNoNode;
    }
    // The text may be cut into several marked pieces: then it is what holds them all, unless that holds much else.
    double together = 0.0;
    int32_t around = chosen;
    int32_t last_end = 0;
    for (const auto& [sum, node] : marked) {
      if (sum < chosen_sum * 0.1 || node < last_end || node == chosen ||
          (node < chosen && document_.node(node).end > chosen)) {
        continue;
      }
      last_end = document_.node(node).end;
      together += sum;
      while (around != kNoNode && !(around <= node && document_.node(node).end <= document_.node(around).end)) {
        around = document_.node(around).parent;
      }
    }
    if (around == kNoNode || around == chosen || together < chosen_sum * 0.25) {
      return chosen;
    }
    const auto [begin, end] = RangeOf(around);
    return sums[end] - sums[begin] >= (together + chosen_sum) * 0.8 ? around : chosen;
  }

  // Share of the letters of block `i`'s list or table that are links.
  double ListLinkShare(size_t i) {
    const int32_t group = blocks_[i].group;
    if (group == kNoNode) {
      return blocks_[i].link_share;
    }
    const auto [entry, added] = list_link_share_.try_emplace(group, 0.0);
    if (added) {
      double links = 0.0;
      double chars = 0.0;
      const auto [begin, end] = RangeOf(group);
      for (size_t k = begin; k < end; ++k) {
        links += blocks_[k].link_share * static_cast<double>(blocks_[k].chars);
        chars += static_cast<double>(blocks_[k].chars);
      }
      entry->second = chars == 0.0 ? 0.0 : links / chars;
    }
    return entry->second;
  }

  void SelectBlocks() {
    if (container_ == kNoNode) {
      return;
    }
    std::tie(begin_, end_) = RangeOf(container_);
    container_end_ = end_;
    solid_sums_ = Prefix(blocks_, [](const PageBlock& block) { return block.solid ? block.value : 0.0; });
    CutEnd();
    std::optional<size_t> first;
    std::optional<size_t> last;
    for (size_t i = begin_; i < end_; ++i) {
      if (blocks_[i].solid && !IsSetAside(blocks_[i]) && i != title_) {
        first = first ? first : i;
        last = i;
      }
    }
    size_t from = begin_;
    if (title_ && *title_ >= begin_ && *title_ < end_ && TextBefore(*title_) < 0.3) {
      from = *title_ + 1;
    }
    if (first) {
      ReadHeadingsOfDigest(*first, *last);
    }
    bool teasers = false;
    double group_share = 0.0;
    int32_t group = kNoNode;
    for (size_t i = begin_; i < end_; ++i) {
      PageBlock& block = blocks_[i];
      if (block.group == kNoNode) {
        group_share = block.link_share;
      } else if (block.group != group) {
        group_share = ListLinkShare(i);
      }
      group = block.group;
      if (i < from) {
        block.reason = i == title_ ? "title" : (block.reason.empty() ? "before the title" : block.reason);
        continue;
      }
      const bool in_head = first && i < *first;
      const bool in_tail = last && i > *last;
      block.beside_text = (in_head && AreSiblings(blocks_[*first].node, block.node)) ||
                          (in_tail && AreSiblings(blocks_[*last].node, block.node));
      // Sections that end the text may be as short as "Likelihood: high".
      block.below_heading = in_tail && block.beside_text && block.link_share == 0.0 &&
                            blocks_[i - 1].shape == Shape::kHeading && blocks_[i - 1].kept &&
                            blocks_[i - 1].link_share == 0.0 &&
                            document_.node(blocks_[i - 1].node).parent == document_.node(block.node).parent;
      block.kept = Keeps(i, group_share, in_head, in_tail, &teasers);
    }
    DropLoneHeadings();
    KeepLead();
  }

  // A text of several pieces has a heading above each; such headings may be links, or no more than bold lines. Above
  // the first piece they stand where furniture does.
  void ReadHeadingsOfDigest(size_t first, size_t last) {
    constexpr size_t kMinPieces = 3;
    std::vector<size_t> linked;
    std::vector<size_t> bold;
    size_t solid = 0;
    for (size_t i = first == begin_ ? first : first - 1; i < last; ++i) {
      const PageBlock& block = blocks_[i];
      solid += block.solid ? 1 : 0;
      if (block.solid || IsSetAside(block) || block.kind != LineKind::kNone || !blocks_[i + 1].solid || i == title_) {
        continue;
      }
      if (block.shape == Shape::kHeading && block.link_share > kMaxTextLinkShare) {
        linked.push_back(i);
      } else if (block.shape == Shape::kParagraph && block.bold && block.link_share == 0.0) {
        bold.push_back(i);
      }
    }
    for (const std::vector<size_t>& headings : {linked, bold}) {
      for (const size_t i : headings) {
        blocks_[i].of_digest = headings.size() >= kMinPieces && headings.size() * 2 > solid;
      }
    }
  }

  // A box around the title, or one around this single paragraph.
  bool MayHoldLead(int32_t box) const {
    const Hint hint = HintOf(box);
    if (hint != Hint::kRelated && hint != Hint::kMeta && hint != Hint::kHeaderFooter && hint != Hint::kByline) {
      return false;
    }
    const auto [begin, end] = RangeOf(box);
    return end - begin == 1 || (*title_ >= begin && *title_ < end);
  }

  // A paragraph in a box with the name of a caption, too long to be one.
  bool IsLeadInCaption(int32_t box, const PageBlock& block) const {
    constexpr size_t kMinWords = 30;
    return HintOf(box) == Hint::kCaption && document_.node(box).tag != GUMBO_TAG_FIGCAPTION && block.words >= kMinWords;
  }

  // The first paragraph often stands apart from the others, under the title.
  void KeepLead() {
    if (!title_ || *title_ >= begin_ || begin_ - *title_ > kLeadReach) {
      return;
    }
    for (size_t i = *title_ + 1; i < begin_; ++i) {
      PageBlock& block = blocks_[i];
      const int32_t around = boilerplate_[static_cast<size_t>(block.node)];
      const bool teaser =
          around != kNoNode && block.link_share == 0.0 && (MayHoldLead(around) || IsLeadInCaption(around, block));
      if (block.solid && (around == kNoNode || teaser) && block.kind == LineKind::kNone && block.link_share < 0.2) {
        block.kept = true;
        block.reason = "lead";
      }
    }
  }

  // Share of the container's text that stands before block `i`.
  double TextBefore(size_t i) const {
    const double all = solid_sums_[container_end_] - solid_sums_[begin_];
    return all <= 0.0 ? 0.0 : (solid_sums_[i] - solid_sums_[begin_]) / all;
  }

  // Readers' comments, biographies and lists of other articles come last, under headings of their own.
  void CutEnd() {
    for (size_t i = begin_; i < end_; ++i) {
      const PageBlock& block = blocks_[i];
      const double before = block.kind == LineKind::kNone ? 0.0 : TextBefore(i);
      const bool cuts = (block.kind == LineKind::kCommentHeading && before > 0.3) ||
                        (block.kind == LineKind::kAboutAuthor && before > 0.7) ||
                        (block.kind == LineKind::kRelatedHeading && block.shape == Shape::kHeading && before > 0.92);
      if (cuts) {
        for (size_t k = i; k < end_; ++k) {
          if (blocks_[k].reason.empty()) {
            blocks_[k].reason =
                absl::StrCat("after \"", block.text.substr(0, common::CodePointFloor(block.text, 40)), "\"");
          }
        }
        end_ = i;
        return;
      }
    }
  }

  bool Keeps(size_t i, double group_share, bool in_head, bool in_tail, bool* teasers) {
    PageBlock& block = blocks_[i];
    if (IsSetAside(block)) {
      return false;
    }
    if (i == title_) {
      block.reason = "title";
      return false;
    }
    switch (block.kind) {
      case LineKind::kNone:
        break;
      case LineKind::kRelatedHeading:
      case LineKind::kAboutAuthor:
        *teasers = true;
        block.reason = std::string(LineKindName(block.kind));
        return false;
      case LineKind::kByline:
      case LineKind::kDate:
        if (!in_head && !in_tail && block.kind == LineKind::kByline) {
          break;
        }
        block.reason = std::string(LineKindName(block.kind));
        return false;
      case LineKind::kNavigation:
        if (block.shape == Shape::kHeading && !in_tail) {
          break;
        }
        block.reason = std::string(LineKindName(block.kind));
        return false;
      case LineKind::kFeedNote:
        if (solid_sums_[end_] > solid_sums_[i]) {
          break;
        }
        block.reason = std::string(LineKindName(block.kind));
        return false;
      case LineKind::kReadingTime:
      case LineKind::kReadMore:
      case LineKind::kCommentHeading:
      case LineKind::kNewsletter:
      case LineKind::kDisclaimer:
      case LineKind::kShare:
      case LineKind::kConsent:
      case LineKind::kCopyright:
      case LineKind::kAdvertisement:
      case LineKind::kCredit:
      case LineKind::kLabel:
      case LineKind::kPaywall:
        block.reason = std::string(LineKindName(block.kind));
        return false;
    }
    if (block.group != kNoNode && group_share > kMaxListLinkShare) {
      block.reason = "list of links";
      return false;
    }
    if (block.solid) {
      *teasers = false;
      block.reason = "text";
      return true;
    }
    if (*teasers && block.shape != Shape::kHeading) {
      block.reason = "teaser";
      return false;
    }
    *teasers = *teasers && block.shape != Shape::kHeading;
    if (block.of_digest) {
      block.reason = "heading";
      return true;
    }
    if (block.link_share > 0.6 && block.shape != Shape::kTableRow &&
        !(block.shape == Shape::kListItem && group_share < kMaxTextLinkShare)) {
      block.reason = "link density";
      return false;
    }
    if (in_tail && block.shape != Shape::kListItem && EndsCutOff(block.text)) {
      block.reason = "teaser";
      return false;
    }
    if (in_tail && !KeepsInTail(block)) {
      block.reason = "short line after the text";
      return false;
    }
    if (in_head && !KeepsInHead(block)) {
      block.reason = "short line before the text";
      return false;
    }
    if (block.shape == Shape::kParagraph && block.words <= 1 && !EndsSentence(block.text) && block.chars < 20) {
      block.reason = "single word";
      return false;
    }
    block.reason = block.shape == Shape::kHeading ? "heading" : "within the text";
    return true;
  }

  // A paragraph as those of the text are, however short: "So it goes."
  static bool IsOfText(const PageBlock& block) {
    return block.speech || (block.beside_text && block.link_share == 0.0 && !absl::EndsWith(block.text, ":"));
  }

  static bool KeepsInTail(const PageBlock& block) {
    return block.shape == Shape::kHeading || block.shape == Shape::kListItem || block.shape == Shape::kTableRow ||
           block.shape == Shape::kPreformatted || (EndsSentence(block.text) && (block.words >= 4 || IsOfText(block))) ||
           block.words >= 12 || block.below_heading;
  }

  static bool KeepsInHead(const PageBlock& block) {
    return block.shape == Shape::kHeading || block.shape == Shape::kListItem || block.shape == Shape::kTableRow ||
           block.shape == Shape::kPreformatted || (EndsSentence(block.text) && (block.words >= 4 || IsOfText(block))) ||
           block.words >= 6;
  }

  // Headings with no text of their own below them are those of what was dropped.
  void DropLoneHeadings() {
    bool text_follows = false;
    int level_below = 0;
    for (size_t i = end_; i > begin_; --i) {
      PageBlock& block = blocks_[i - 1];
      if (!block.kept) {
        continue;
      }
      if (block.shape != Shape::kHeading) {
        text_follows = true;
        level_below = 0;
        continue;
      }
      if (!text_follows && (level_below == 0 || level_below <= block.level)) {
        block.kept = false;
        block.reason = "heading without text";
        continue;
      }
      level_below = block.level;
      text_follows = false;
      if (level_below != 0) {
        text_follows = i > 1 && blocks_[i - 2].shape == Shape::kHeading && blocks_[i - 2].level < block.level;
      }
    }
  }

  // A page of a few words and nothing around them: they are its text, though they are no paragraphs. Pages with scripts
  // are shells that say "Loading" more often than not: a few words are no text there.
  void KeepTinyPage() {
    constexpr size_t kMaxChars = 300;
    constexpr size_t kMinWords = 5;
    const bool any = std::any_of(blocks_.begin(), blocks_.end(), [](const PageBlock& block) { return block.kept; });
    size_t chars = 0;
    size_t words = 0;
    for (size_t i = 0; i < blocks_.size(); ++i) {
      const PageBlock& block = blocks_[i];
      if (IsSetAside(block) || block.kind != LineKind::kNone || block.link_share > 0.0) {
        return;
      }
      chars += block.chars;
      words += block.shape == Shape::kHeading && (i == title_ || !document_.bare()) ? 0 : block.words;
    }
    if (chars > kMaxChars || words < (document_.bare() ? 1 : kMinWords)) {
      return;
    }
    body_.whole_page = true;
    for (size_t i = 0; i < blocks_.size() && !any; ++i) {
      blocks_[i].kept = i != title_;
      blocks_[i].reason = i == title_ ? "title" : "all that the page holds";
    }
  }

  // Text that the page holds twice (for small screens and large ones) is kept once: a run of paragraphs that all stood
  // there before, or one that stands there twice in succession. What its author repeats, as in refrains, is alone among
  // new text, or in the same place in the same kind of element.
  void DropRepeated() {
    absl::flat_hash_map<std::string, size_t> first_places;  // Among the long kept blocks.
    std::vector<size_t> places;
    std::vector<size_t> copies_of;  // By place; its own if it is the first.
    for (size_t i = 0; i < blocks_.size(); ++i) {
      if (!blocks_[i].kept || blocks_[i].chars < 40) {
        continue;
      }
      const size_t place = places.size();
      places.push_back(i);
      copies_of.push_back(first_places.try_emplace(MatchKey(blocks_[i].text), place).first->second);
    }
    const auto is_copy = [&](size_t place) { return place < places.size() && copies_of[place] != place; };
    for (size_t place = 0; place < places.size(); ++place) {
      PageBlock& block = blocks_[places[place]];
      const size_t first = copies_of[place];
      const bool in_run = is_copy(place + 1) || (place > 0 && is_copy(place - 1));
      if (is_copy(place) && (in_run || first + 1 == place || first == 0) &&
          !AreSiblings(blocks_[places[first]].node, block.node)) {
        block.kept = false;
        block.reason = "repeated";
      }
    }
  }

  bool AreSiblings(int32_t a, int32_t b) const {
    return document_.node(a).parent == document_.node(b).parent && document_.node(a).tag == document_.node(b).tag &&
           document_.Attribute(a, "class") == document_.Attribute(b, "class");
  }

  // Byline, date, labels and biography from the blocks around the text.
  void ReadAround() {
    std::optional<size_t> first;
    std::optional<size_t> last;
    for (size_t i = 0; i < blocks_.size(); ++i) {
      if (blocks_[i].kept) {
        first = first ? first : i;
        last = i;
      }
    }
    FindPlace(first, last);
    ReadItemFacts();
    if (!first) {
      return;
    }
    constexpr size_t kBefore = 30;
    constexpr size_t kBeforeTitled = 100;
    constexpr size_t kAfter = 25;
    const bool titled = title_ && *title_ < *first;
    const size_t reach = titled ? kBeforeTitled : kBefore;
    const size_t title = titled ? *title_ : (*first > kBefore ? *first - kBefore : 0);
    size_t from = title > 6 ? title - 6 : 0;
    from = *first > reach && *first - reach > from ? *first - reach : from;
    const size_t to = std::min(blocks_.size(), *last + kAfter);
    for (size_t i = from; i < to; ++i) {
      const PageBlock& block = blocks_[i];
      if (block.kept || i == title_) {
        continue;
      }
      const Hint around = IsSetAside(block) ? HintOf(boilerplate_[static_cast<size_t>(block.node)]) : Hint::kNone;
      if (around == Hint::kNavigation || around == Hint::kRelated || around == Hint::kComments ||
          around == Hint::kSidebar) {
        continue;
      }
      if (block.kind == LineKind::kLabel) {
        for (SourceLabel& label : ParseLabelLine(block.text)) {
          body_.labels.push_back(std::move(label));
        }
      }
      if (i < *first + 3) {
        ReadHeadBlock(block, around);
      }
    }
    ReadMarkedNodes(from, *first, to);
    ReadTagLinks(*first, to);
    if (body_.authors.empty() && metadata_.article.authors.empty()) {
      for (size_t i = *last + 1; i < to && body_.authors.empty(); ++i) {
        body_.authors = ParseBiography(blocks_[i].text);
      }
    }
  }

  // The blocks from the title, or from the text if it stands first, to the end of the text, and what holds them.
  struct Place {
    size_t title = 0;
    size_t begin = 0;
    size_t last = 0;
    int32_t around = kNoNode;  // The smallest element that holds the title and the beginning of the text.
    // How many headings that begin another text stand before each block; those alone that lead to it.
    std::vector<size_t> headings = {0};
    std::vector<size_t> linked_headings = {0};
  };

  void FindPlace(std::optional<size_t> first, std::optional<size_t> last) {
    if (!first && !title_) {
      return;
    }
    Place place;
    place.title = title_.value_or(first.value_or(0));
    place.begin = std::min(place.title, first.value_or(place.title));
    place.last = std::max(place.title, last.value_or(place.title));
    place.around = blocks_[place.begin].node;
    while (document_.node(place.around).parent != kNoNode && !Holds(place.around, first.value_or(place.title))) {
      place.around = document_.node(place.around).parent;
    }
    while (document_.node(place.around).parent != kNoNode && !Holds(place.around, place.title)) {
      place.around = document_.node(place.around).parent;
    }
    for (size_t i = 0; i < blocks_.size(); ++i) {
      const PageBlock& block = blocks_[i];
      const bool other = block.shape == Shape::kHeading && block.kind != LineKind::kAboutAuthor &&
                         block.kind != LineKind::kDate && block.kind != LineKind::kByline;
      const bool leads = other && (block.link_share > kMaxTextLinkShare ||
                                   (i > place.last && block.kind == LineKind::kRelatedHeading));
      place.headings.push_back(place.headings.back() + (other ? 1 : 0));
      place.linked_headings.push_back(place.linked_headings.back() + (leads ? 1 : 0));
    }
    place_ = std::move(place);
  }

  bool Holds(int32_t node, size_t block) const {
    return node <= blocks_[block].start && blocks_[block].start < document_.node(node).end;
  }

  // True if what `node` says is said of the article, not of another one beside it: no element of an article that holds
  // neither text nor title stands around it, and no heading of another text between. `anywhere`: its item holds the
  // text, and may go on below it.
  bool IsOfArticle(int32_t node, bool anywhere) const {
    if (!place_) {
      return true;
    }
    for (int32_t around = node; around != kNoNode; around = document_.node(around).parent) {
      const HtmlNode& n = document_.node(around);
      if (n.tag == GUMBO_TAG_ARTICLE && !Holds(around, place_->title) && !Holds(around, place_->last)) {
        return false;
      }
    }
    const size_t at = RangeOf(node).first;
    const std::vector<size_t>& headings = anywhere ? place_->linked_headings : place_->headings;
    if (at > place_->last) {
      return headings[at] == headings[place_->last + 1];
    }
    return at >= place_->begin || headings[at] == headings[place_->begin];
  }

  bool IsFactOfArticle(const ItemFact& fact) const {
    const int32_t set_aside = boilerplate_[static_cast<size_t>(fact.node)];
    const Hint around = set_aside == kNoNode ? Hint::kNone : HintOf(set_aside);
    if (around == Hint::kComments || around == Hint::kRelated || around == Hint::kSiteRule) {
      return false;
    }
    if (fact.scope == kNoNode) {
      return document_.node(fact.node).tag == GUMBO_TAG_META ||
             (around != Hint::kSidebar && around != Hint::kNavigation && IsOfArticle(fact.node, false));
    }
    const auto [begin, end] = RangeOf(fact.scope);
    if (begin == end) {
      return true;  // An item of <meta> alone, which shows nothing, and so no other article.
    }
    return place_ && (Holds(fact.scope, place_->title) || Holds(fact.scope, place_->last)) &&
           IsOfArticle(fact.node, true);
  }

  void ReadItemFacts() {
    for (const ItemFact& fact : metadata_.item_facts) {
      if (!IsFactOfArticle(fact)) {
        continue;
      }
      switch (fact.field) {
        case ItemFact::Field::kAuthor:
          for (std::string& name : ParseAuthors(fact.value)) {
            AddAuthor(std::move(name));
          }
          break;
        case ItemFact::Field::kPublished:
          body_.dates.published = body_.dates.published ? body_.dates.published : fact.date;
          break;
        case ItemFact::Field::kUpdated:
          body_.dates.updated = body_.dates.updated ? body_.dates.updated : fact.date;
          break;
        case ItemFact::Field::kSection:
          body_.labels.push_back({.kind = "section", .name = fact.value});
          break;
        case ItemFact::Field::kKeywords:
          body_.keyword_lists.push_back(fact.value);
          break;
        case ItemFact::Field::kPublisher:
          body_.source = body_.source.empty() ? fact.value : body_.source;
          break;
      }
    }
  }

  // Adds one that microdata names, unless it is the house.
  void AddAuthor(std::string name) {
    constexpr size_t kMaxAuthors = 50;
    std::vector<std::string>& authors = body_.authors;
    if (!name.empty() && authors.size() < kMaxAuthors &&
        std::find(authors.begin(), authors.end(), name) == authors.end() &&
        (metadata_.article.source.empty() || MatchKey(name) != MatchKey(metadata_.article.source))) {
      authors.push_back(std::move(name));
    }
  }

  // Notes on the authors that the text ends with, where nothing but their words tells them from it.
  void DropAuthorNotes() {
    const std::vector<std::string>& authors =
        metadata_.article.authors.empty() ? body_.authors : metadata_.article.authors;
    const auto first = std::find_if(blocks_.begin(), blocks_.end(), [](const PageBlock& block) { return block.kept; });
    for (auto block = blocks_.rbegin(); block != blocks_.rend() && block.base() - 1 != first; ++block) {
      if (!block->kept) {
        continue;
      }
      if (!IsAboutPerson(block->text, authors)) {
        return;
      }
      block->kept = false;
      block->reason = "biography";
    }
  }

  void ReadHeadBlock(const PageBlock& block, Hint around) {
    const bool byline_class = around == Hint::kByline || around == Hint::kAuthorBox || around == Hint::kMeta;
    if (body_.authors.empty() && block.text.size() < 200) {
      body_.authors = block.kind == LineKind::kByline ? ParseByline(block.text) : std::vector<std::string>();
      if (body_.authors.empty() && (around == Hint::kByline || around == Hint::kAuthorBox) &&
          HasName(block, "author")) {
        body_.authors = ParseNameList(absl::StrReplaceAll(block.text, {{"\n", ", "}}));
      }
    }
    if (block.text.size() < 200 && (block.kind == LineKind::kDate || block.kind == LineKind::kByline || byline_class) &&
        MayDate(block.start)) {
      AddDates(FindStatedDates(block.text), block.node);
    }
    const bool standfirst = HintOf(block.node) == Hint::kStandfirst;
    if (standfirst && body_.standfirst.empty() && block.words <= kMaxStandfirstWords) {
      body_.standfirst = block.text;
    }
  }

  // False of dates that are none of the article's: of other articles, of today, of events.
  bool MayDate(int32_t node) const {
    constexpr int kReach = 3;
    int32_t named = node;
    for (int up = 0; up < kReach && named != kNoNode && document_.node(named).tag != GUMBO_TAG_ARTICLE; ++up) {
      const std::string names = absl::AsciiStrToLower(
          absl::StrCat(document_.Attribute(named, "class"), " ", document_.Attribute(named, "id")));
      for (const absl::string_view other : {"today", "current-date", "currentdate", "event", "ticker", "deadline"}) {
        if (absl::StrContains(names, other)) {
          return false;
        }
      }
      named = document_.node(named).parent;
    }
    if (!title_ || !place_ || node >= blocks_[place_->begin].start) {
      return IsOfArticle(node, true);
    }
    // Above the title: within what holds title and text, or called a date.
    const int32_t set_aside = boilerplate_[static_cast<size_t>(node)];
    const Hint around = set_aside == kNoNode ? Hint::kNone : HintOf(set_aside);
    if (around == Hint::kByline || around == Hint::kMeta) {
      return IsOfArticle(node, false);
    }
    return node > place_->around && document_.node(place_->around).parent != kNoNode &&
           (around == Hint::kNone || around == Hint::kHeaderFooter) && IsOfArticle(node, false);
  }

  // What `node` holds. A date may say what it is by its name alone: <p class="updated">.
  void AddDates(StatedDates dates, int32_t node) {
    if (dates.published && !dates.updated && SaysUpdated(node)) {
      std::swap(dates.published, dates.updated);
    }
    body_.dates.FillFrom(dates);
  }

  bool SaysUpdated(int32_t node) const {
    constexpr int32_t kMaxNodes = 40;  // More is not the date alone.
    for (int up = 0; up < 2 && node != kNoNode && document_.node(node).end - node <= kMaxNodes; ++up) {
      const std::string names = absl::AsciiStrToLower(
          absl::StrCat(document_.Attribute(node, "class"), " ", document_.Attribute(node, "itemprop")));
      if (absl::StrContains(names, "publish") || absl::StrContains(names, "entry-date")) {
        return false;
      }
      if (absl::StrContains(names, "updated") || absl::StrContains(names, "modified")) {
        return true;
      }
      node = document_.node(node).parent;
    }
    return false;
  }

  // The words before inline element `node` on its line, as far as they are not another date's.
  std::string WordsBefore(int32_t node) const {
    constexpr int32_t kReach = 100;
    int32_t block = document_.node(node).parent;
    while (block != kNoNode && !IsBlockTag(document_.node(block).tag)) {
      block = document_.node(block).parent;
    }
    std::string text;
    if (block == kNoNode || node - block > kReach) {
      return text;
    }
    for (int32_t i = block + 1; i < node;) {
      const HtmlNode& before = document_.node(i);
      if (!before.is_text && IsBlockTag(before.tag)) {
        text.clear();
        i = before.end;
        continue;
      }
      absl::StrAppend(&text, before.text);
      ++i;
    }
    const size_t digit = text.find_last_of("0123456789");
    return digit == std::string::npos ? text : text.substr(digit + 1);
  }

  // True if an element close around `block` has `part` in its class or id.
  bool HasName(const PageBlock& block, absl::string_view part) const {
    int32_t node = block.node;
    for (int up = 0; up < 4 && node != kNoNode; ++up) {
      if (absl::StrContains(absl::AsciiStrToLower(document_.Attribute(node, "class")), part) ||
          absl::StrContains(absl::AsciiStrToLower(document_.Attribute(node, "rel")), part)) {
        return true;
      }
      node = document_.node(node).parent;
    }
    return false;
  }

  // <time> above the text, and elements that say they hold the author's name, above it or below.
  void ReadMarkedNodes(size_t from, size_t first, size_t to) {
    const int32_t begin = blocks_[from].start > 40 ? blocks_[from].start - 40 : 0;
    const int32_t text = blocks_[first].start;
    const int32_t end = to < blocks_.size() ? blocks_[to].start : document_.size();
    const bool want_author = body_.authors.empty() && metadata_.article.authors.empty();
    for (int32_t i = begin; i < end; ++i) {
      const HtmlNode& node = document_.node(i);
      if (node.is_text || node.attribute_count == 0) {
        continue;
      }
      if (node.tag == GUMBO_TAG_TIME && i < text && MayDate(i)) {
        StatedDates dates;
        dates.published = FindDate(document_.Attribute(i, "datetime"));
        if (AnnouncesUpdate(WordsBefore(i))) {
          std::swap(dates.published, dates.updated);
        }
        AddDates(dates, i);
      }
      if (want_author && body_.authors.empty() && node.end - i <= 12 && NamesAuthor(i) && IsOfArticle(i, true)) {
        const std::string name = document_.Text(i);
        body_.authors = ParseNameList(name);
        if (body_.authors.empty() && name.size() <= 40 && CountWords(name) <= 3 && !absl::StrContains(name, ":")) {
          std::string clean = CleanAuthorName(name);
          if (!clean.empty()) {
            body_.authors.push_back(std::move(clean));
          }
        }
      }
    }
  }

  bool NamesAuthor(int32_t i) const {
    if (document_.Attribute(i, "rel") == "author") {
      return true;
    }
    const int32_t around = boilerplate_[static_cast<size_t>(i)];
    if (around != kNoNode && (HintOf(around) == Hint::kComments || HintOf(around) == Hint::kRelated ||
                              HintOf(around) == Hint::kSidebar || HintOf(around) == Hint::kNavigation)) {
      return false;
    }
    const std::string names = absl::AsciiStrToLower(document_.Attribute(i, "class"));
    for (const absl::string_view name : absl::StrSplit(names, ' ')) {
      if (name == "author" || name == "byline" || name == "fn" || name == "author-name" || name == "authorname" ||
          name == "author__name" || name == "byline__name" || name == "autor" || name == "entry-author" ||
          name == "p-author" || name == "post-author" || name == "byline-name" || name == "url fn n") {
        return true;
      }
    }
    return LinksToAuthor(i);
  }

  bool LinksToAuthor(int32_t i) const {
    const absl::string_view target = document_.Attribute(i, "data-a");
    return absl::StrContains(target, "/author/") || absl::StrContains(target, "/authors/") ||
           absl::StrContains(target, "/autor/") || absl::StrContains(target, "/autoren/");
  }

  // Links that say rel="tag", near the text.
  void ReadTagLinks(size_t first, size_t to) {
    const int32_t begin = first > 20 ? blocks_[first - 20].start : 0;
    const int32_t end = to < blocks_.size() ? blocks_[to].start : document_.size();
    for (int32_t i = begin; i < end && body_.labels.size() < 60; ++i) {
      const HtmlNode& node = document_.node(i);
      if (node.link && absl::StrContains(document_.Attribute(i, "rel"), "tag")) {
        const bool category = absl::StrContains(document_.Attribute(i, "rel"), "category");
        body_.labels.push_back({.kind = category ? "category" : "tag", .name = document_.Text(i)});
      }
    }
  }

  // The direction that most of the text stands in, as the elements around it state.
  void ReadDirection() {
    constexpr int kBlocks = 100;
    absl::flat_hash_map<std::string, size_t> chars;
    int seen = 0;
    for (const PageBlock& block : blocks_) {
      if (!block.kept || ++seen > kBlocks) {
        continue;
      }
      absl::string_view direction;
      for (int32_t node = block.node; node != kNoNode && direction.empty(); node = document_.node(node).parent) {
        direction = document_.Attribute(node, "dir");
      }
      chars[absl::AsciiStrToLower(direction.empty() ? absl::string_view(document_.direction()) : direction)] +=
          block.chars;
    }
    if (chars["ltr"] != chars["rtl"]) {
      body_.direction = chars["ltr"] > chars["rtl"] ? "ltr" : "rtl";
    }
  }

  void Assemble() {
    int32_t group = kNoNode;
    for (const PageBlock& block : blocks_) {
      if (!block.kept) {
        group = kNoNode;
        continue;
      }
      // Scripts without spaces say in two or three characters what takes others a word.
      constexpr size_t kLettersOfWord = 5;
      body_.text_score += block.solid ? static_cast<double>(std::max(block.chars, block.words * kLettersOfWord)) : 0.0;
      const bool item = block.shape == Shape::kListItem;
      if (block.group != kNoNode && block.group == group && !body_.parts.empty()) {
        absl::StrAppend(&body_.parts.back().text, "\n", item ? "- " : "", block.text);
      } else {
        body_.parts.push_back({.text = absl::StrCat(item && block.group != kNoNode ? "- " : "", block.text),
                               .heading_level = block.shape == Shape::kHeading ? block.level : 0});
      }
      group = block.group;
    }
  }

  void Explain(bool locate) {
    for (const PageBlock& block : blocks_) {
      Block explained;
      explained.text = block.text.substr(0, common::CodePointFloor(block.text, kMaxBlockText));
      explained.kept = block.kept;
      explained.reason = block.reason.empty() ? "outside the article" : block.reason;
      if (block.value != 0.0) {  // Of boilerplate and of headings.
        explained.score = block.value;
      }
      explained.place = locate ? PlaceOf(document_, block.node) : "";
      body_.blocks.push_back(std::move(explained));
    }
  }

  const HtmlDocument& document_;
  const HtmlMetadata& metadata_;
  const RuleMatches* rule_;
  std::vector<Hint> hints_;           // By node.
  std::vector<int32_t> boilerplate_;  // By node: the element that sets it aside.
  std::vector<PageBlock> blocks_;
  std::optional<size_t> title_;
  int title_rank_ = 0;
  int32_t container_ = kNoNode;
  bool rule_selects_ = false;
  std::optional<Place> place_;
  size_t begin_ = 0;  // Of the container's blocks.
  size_t end_ = 0;    // Less once the end is cut off.
  size_t container_end_ = 0;
  std::vector<double> solid_sums_;
  absl::flat_hash_map<int32_t, double> list_link_share_;
  HtmlBody body_;
};

}  // namespace

HtmlBody ExtractHtmlBody(const HtmlDocument& document, const HtmlMetadata& metadata, bool explain,
                         const RuleMatches* matches, bool locate) {
  return BodyFinder(document, metadata, matches).Find(explain, locate);
}

}  // namespace dateline::extraction
