#include "cli/text_output.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"

#include "common/printable.h"
#include "common/text.h"

namespace dateline::cli {
namespace {

namespace apb = article::v1;
namespace cpb = classifier::v1;
namespace spb = search::v1;

// Reasons shown for one tag; the rest are in the JSON.
constexpr size_t kReasonsShown = 8;

constexpr char kBullet[] = " · ";

int CodePoints(absl::string_view text) {
  return static_cast<int>(std::count_if(text.begin(), text.end(),
                                        [](char byte) { return (static_cast<unsigned char>(byte) & 0xC0) != 0x80; }));
}

std::string Pad(absl::string_view text, int width) {
  return absl::StrCat(text, std::string(static_cast<size_t>(std::max(0, width - CodePoints(text))), ' '));
}

std::string Quoted(absl::string_view text) { return absl::StrCat("“", text, "”"); }

absl::Time TimeOf(const google::protobuf::Timestamp& time) {
  return absl::FromUnixSeconds(time.seconds()) + absl::Nanoseconds(time.nanos());
}

std::string Moment(const google::protobuf::Timestamp& time) {
  return absl::FormatTime("%Y-%m-%d %H:%M:%S UTC", TimeOf(time), absl::UTCTimeZone());
}

std::string Day(const google::protobuf::Timestamp& time) {
  return absl::FormatTime("%Y-%m-%d", TimeOf(time), absl::UTCTimeZone());
}

std::string Published(const apb::Article& article) {
  if (!article.has_publish_time()) return "";
  return article.publish_time_precision() == apb::TIME_PRECISION_DAY ? Day(article.publish_time())
                                                                     : Moment(article.publish_time());
}

// "SET_ASIDE_PERSON_NAME" without its prefix: "person name".
std::string Spoken(absl::string_view name, absl::string_view prefix) {
  absl::ConsumePrefix(&name, prefix);
  std::string spoken = absl::AsciiStrToLower(name);
  std::replace(spoken.begin(), spoken.end(), '_', ' ');
  return spoken;
}

// The words that speak for a tag, each once, with how often it occurs; then those against it, then those set aside.
template <typename Evidence>
std::string Reasons(const Evidence& evidence) {
  struct Reason {
    std::string text;
    std::string kind;
    int count = 0;
    bool against = false;
    apb::SetAside set_aside = apb::SET_ASIDE_UNSPECIFIED;
  };
  std::vector<Reason> reasons;
  std::map<std::pair<std::string, int>, size_t> known;
  for (const apb::Evidence& piece : evidence) {
    const auto key = std::make_pair(common::FoldForMatch(piece.text()), static_cast<int>(piece.set_aside()));
    const auto [place, is_new] = known.emplace(key, reasons.size());
    if (is_new) {
      // What a prior adds to the log-odds is the caller's own number.
      const std::string text = piece.has_span()          ? Quoted(piece.text())
                               : piece.kind() == "PRIOR" ? absl::StrFormat("%s: %+.4g", piece.text(), piece.weight())
                                                         : piece.text();
      reasons.push_back({text, piece.kind(), 0, piece.weight() < 0, piece.set_aside()});
    }
    ++reasons[place->second].count;
  }
  std::vector<std::string> counted;
  std::vector<std::string> against;
  std::vector<std::string> aside;
  for (const Reason& reason : reasons) {
    std::string text = reason.text;
    if (reason.count > 1) absl::StrAppend(&text, " ×", reason.count);
    if (reason.set_aside != apb::SET_ASIDE_UNSPECIFIED) {
      aside.push_back(absl::StrCat(text, " (", Spoken(apb::SetAside_Name(reason.set_aside), "SET_ASIDE_"), ")"));
    } else {
      // That an issue's reasons are words goes without saying.
      if (reason.kind != "WORD" && reason.kind != "PHRASE" && !reason.kind.empty()) {
        absl::StrAppend(&text, " (", Spoken(reason.kind, ""), ")");
      }
      (reason.against ? against : counted).push_back(std::move(text));
    }
  }
  const auto join = [](std::vector<std::string>& words) {
    const size_t left_out = words.size() > kReasonsShown ? words.size() - kReasonsShown : 0;
    words.resize(words.size() - left_out);
    return absl::StrCat(absl::StrJoin(words, ", "), left_out > 0 ? absl::StrCat(" and ", left_out, " more") : "");
  };
  std::vector<std::string> parts;
  if (!counted.empty()) parts.push_back(join(counted));
  if (!against.empty()) parts.push_back(absl::StrCat("against: ", join(against)));
  if (!aside.empty()) parts.push_back(absl::StrCat("not counted: ", join(aside)));
  return absl::StrJoin(parts, "; ");
}

struct TagLine {
  std::string name;
  std::string id;
  double score = 0;
  bool primary = false;
  std::string reasons;
  bool by_seeds = false;  // No model was trained for it yet.
};

std::string FormatTagLines(absl::string_view heading, const std::vector<TagLine>& lines, absl::string_view outcome,
                           const TextStyle& style) {
  std::string text = absl::StrCat(style.Bold(heading), "\n");
  if (lines.empty()) return absl::StrCat(text, "  ", style.Dim(outcome), "\n");
  int width = 0;
  for (const TagLine& line : lines) width = std::max(width, CodePoints(line.name) + CodePoints(line.id) + 3);
  for (const TagLine& line : lines) {
    const std::string name = Pad(absl::StrCat(line.name, " (", line.id, ")"), width);
    absl::StrAppend(&text, "  ", style.Cyan(name), "  ", absl::StrFormat("%.2f", line.score),
                    line.primary ? style.Green("  primary") : "", line.by_seeds ? style.Dim("  by seed phrases") : "",
                    "\n");
    if (!line.reasons.empty()) absl::StrAppend(&text, Wrap(line.reasons, style.columns, "      "), "\n");
  }
  return text;
}

std::string OutcomeSentence(apb::TagOutcome outcome) {
  switch (outcome) {
    case apb::TAG_OUTCOME_ABSTAINED:
      return "none: nothing applies strongly enough";
    case apb::TAG_OUTCOME_UNSUPPORTED_LANGUAGE:
      return "none: the classifier does not know this language here";
    default:
      return "none";
  }
}

std::string LabelText(const apb::Label& label) {
  std::string text = label.display_name();
  if (text.empty()) {
    text = label.has_region_code() ? label.region_code() : label.has_group_id() ? label.group_id() : label.issue_id();
  }
  if (label.primary()) text += "*";
  return text;
}

// "Iran*, Russia · Geopolitics": countries and groups, then issues.
std::string LabelSummary(const apb::Article& article) {
  std::vector<std::string> places;
  std::vector<std::string> issues;
  for (const apb::Label& label : article.labels()) {
    if (label.state() == apb::Label::STATE_REJECTED) continue;
    (label.has_issue_id() ? issues : places).push_back(LabelText(label));
  }
  std::vector<std::string> parts;
  if (!places.empty()) parts.push_back(absl::StrJoin(places, ", "));
  if (!issues.empty()) parts.push_back(absl::StrJoin(issues, ", "));
  if (parts.empty() && article.label_state() == apb::LABEL_STATE_PENDING) parts.emplace_back("tags pending");
  return absl::StrJoin(parts, kBullet);
}

// Whether `summary`, perhaps cut off ("…"), is how `body` begins.
bool BeginsWith(absl::string_view body, absl::string_view summary) {
  std::string start = common::FoldForMatch(common::NormalizeLine(summary));
  absl::string_view uncut = start;
  for (bool more = true; more;) {
    more = absl::ConsumeSuffix(&uncut, "…") || absl::ConsumeSuffix(&uncut, ".") || absl::ConsumeSuffix(&uncut, " ");
  }
  // White space may be twice as much in the body, and folding takes some bytes away.
  const absl::string_view head = body.substr(0, common::CodePointFloor(body, summary.size() * 4 + 100));
  return absl::StartsWith(common::FoldForMatch(common::NormalizeLine(head)), uncut);
}

std::string JoinNonEmpty(const std::vector<std::string>& parts, absl::string_view separator) {
  std::string text;
  for (const std::string& part : parts) {
    if (part.empty()) continue;
    if (!text.empty()) absl::StrAppend(&text, separator);
    absl::StrAppend(&text, part);
  }
  return text;
}

std::string Bytes(int64_t bytes) {
  if (bytes >= 1'000'000) return absl::StrFormat("%.1f MB", static_cast<double>(bytes) / 1e6);
  return absl::StrFormat("%.1f KB", static_cast<double>(bytes) / 1e3);
}

std::string Row(absl::string_view name, absl::string_view value, const TextStyle& style) {
  if (value.empty()) return "";
  return absl::StrCat(style.Dim(Pad(name, 22)), value, "\n");
}

std::string QualityText(const cpb::Quality& quality) {
  std::string text =
      absl::StrFormat("precision %.3f, recall %.3f, F1 %.3f", quality.precision(), quality.recall(), quality.f1());
  if (quality.has_macro_f1()) absl::StrAppend(&text, absl::StrFormat(", macro F1 %.3f", quality.macro_f1()));
  return absl::StrCat(text, " on ", quality.article_count(), " articles");
}

template <typename Names>
std::string EnglishName(const Names& names) {
  return names.empty() ? "" : names.Get(0).display_name();
}

std::string InterpretationText(const spb::QueryInterpretation& interpretation, const TextStyle& style) {
  std::string text;
  for (const spb::RecognizedName& name : interpretation.recognized()) {
    const std::string action = name.action() == spb::INTERPRETATION_MODE_FILTER  ? "only these are shown"
                               : name.action() == spb::INTERPRETATION_MODE_BOOST ? "ranked higher"
                                                                                 : "recognised only";
    absl::StrAppend(
        &text, style.Dim(absl::StrCat(Quoted(name.text()), " read as ", name.display_name(), " (", action, ")")), "\n");
  }
  if (!interpretation.corrected_query().empty()) {
    absl::StrAppend(&text, style.Yellow(absl::StrCat("Did you mean: ", interpretation.corrected_query(), "?")), "\n");
  }
  // The notes say more, where there are any.
  if (interpretation.relaxed() && interpretation.notes().empty()) {
    absl::StrAppend(&text, style.Dim("Few articles have all the words: articles with some of them are shown too."),
                    "\n");
  }
  for (const std::string& part : interpretation.ignored_parts()) {
    absl::StrAppend(&text, style.Dim(absl::StrCat("Without effect: ", Quoted(part))), "\n");
  }
  for (const std::string& note : interpretation.notes()) absl::StrAppend(&text, style.Dim(note), "\n");
  return text;
}

bool EndsSentence(absl::string_view text) {
  for (bool more = true; more;) {
    more = false;
    for (const char* closing : {"”", "’", "\"", "'", ")", "]", "»"}) more = absl::ConsumeSuffix(&text, closing) || more;
  }
  constexpr absl::string_view kEnds[] = {".", "!", "?", ":", "…", "。", "！", "？", "؟", "۔", "।"};
  return std::any_of(std::begin(kEnds), std::end(kEnds),
                     [text](absl::string_view end) { return absl::EndsWith(text, end); });
}

// The paragraphs of a passage on one line. One that ends no sentence, such as a heading, is set off from the next.
std::string JoinParagraphs(absl::string_view passage) {
  std::string joined;
  for (absl::string_view paragraph : absl::StrSplit(passage, "\n\n", absl::SkipWhitespace())) {
    if (!joined.empty()) {
      absl::string_view end = joined;
      for (bool more = true; more;) {
        more = absl::ConsumeSuffix(&end, "]") || absl::ConsumeSuffix(&end, "\x1b[0m");
      }
      absl::StrAppend(&joined, EndsSentence(end) ? " " : kBullet);
    }
    absl::StrAppend(&joined, absl::StripAsciiWhitespace(paragraph));
  }
  std::replace(joined.begin(), joined.end(), '\n', ' ');
  return joined;
}

}  // namespace

std::string TextStyle::Paint(absl::string_view code, absl::string_view text) const {
  if (!color || text.empty()) return std::string(text);
  return absl::StrCat("\x1b[", code, "m", text, "\x1b[0m");
}

std::string Wrap(absl::string_view text, int columns, absl::string_view indent) {
  std::string wrapped;
  int used = 0;
  for (const absl::string_view word : absl::StrSplit(text, ' ', absl::SkipEmpty())) {
    // Colour sequences take no room.
    int width = CodePoints(word);
    for (size_t at = word.find('\x1b'); at != absl::string_view::npos; at = word.find('\x1b', at + 1)) {
      const size_t end = word.find('m', at);
      width -= static_cast<int>((end == absl::string_view::npos ? word.size() : end + 1) - at);
    }
    if (used > 0 && used + 1 + width > columns) {
      wrapped += '\n';
      used = 0;
    }
    if (used == 0) {
      absl::StrAppend(&wrapped, indent);
      used = CodePoints(indent);
    } else {
      wrapped += ' ';
      ++used;
    }
    absl::StrAppend(&wrapped, word);
    used += width;
  }
  return wrapped;
}

std::string Highlight(absl::string_view text, const google::protobuf::RepeatedPtrField<spb::TextRange>& ranges,
                      const TextStyle& style) {
  std::string marked;
  size_t done = 0;
  for (const spb::TextRange& range : ranges) {
    const auto start = static_cast<size_t>(std::max(range.start(), 0));
    const auto end = static_cast<size_t>(std::max(range.end(), 0));
    if (start < done || end <= start || end > text.size()) continue;
    const std::string words(text.substr(start, end - start));
    // Word by word, so that wrapping between them leaves no line with its colour still on.
    std::vector<std::string> parts = absl::StrSplit(words, ' ');
    for (std::string& part : parts) {
      part = style.color ? absl::StrCat("\x1b[1;33m", part, "\x1b[0m") : part;
    }
    absl::StrAppend(&marked, text.substr(done, start - done),
                    style.color ? absl::StrJoin(parts, " ") : absl::StrCat("[", words, "]"));
    done = end;
  }
  return absl::StrCat(marked, text.substr(done));
}

std::string FormatArticle(const apb::Article& article, const TextStyle& style) {
  std::string text = absl::StrCat(style.Bold(article.title()), "\n");
  const std::string about = JoinNonEmpty(
      {absl::StrJoin(article.authors(), ", "), article.source(), Published(article), article.language_code()}, kBullet);
  if (!about.empty()) absl::StrAppend(&text, style.Cyan(about), "\n");
  if (!article.url().empty()) absl::StrAppend(&text, style.Dim(article.url()), "\n");
  if (!article.id().empty()) absl::StrAppend(&text, style.Dim(absl::StrCat("id ", article.id())), "\n");
  if (!article.source_labels().empty()) {
    std::vector<std::string> labels;
    for (const apb::SourceLabel& label : article.source_labels()) {
      labels.push_back(label.kind().empty() ? label.name() : absl::StrCat(label.kind(), ": ", label.name()));
    }
    absl::StrAppend(&text, Wrap(absl::StrCat("Filed under ", absl::StrJoin(labels, ", ")), style.columns, ""), "\n");
  }
  if (const std::string labels = LabelSummary(article); !labels.empty()) {
    absl::StrAppend(&text, Wrap(absl::StrCat("Labels ", labels), style.columns, ""), "\n");
  }
  if (!article.duplicate_of().empty()) absl::StrAppend(&text, "Nearly repeats ", article.duplicate_of(), "\n");
  if (!article.summary().empty() && !BeginsWith(article.body(), article.summary())) {
    absl::StrAppend(&text, "\n", Wrap(article.summary(), style.columns, "  "), "\n");
  }
  std::map<int, int> headings;  // Start to level.
  for (const apb::Heading& heading : article.headings()) headings[heading.span().start()] = heading.level();
  int offset = 0;
  for (const absl::string_view paragraph : absl::StrSplit(article.body(), "\n\n")) {
    if (!paragraph.empty()) {
      std::string block;
      for (const absl::string_view line : absl::StrSplit(paragraph, '\n')) {
        absl::StrAppend(&block, Wrap(line, style.columns, ""), "\n");
      }
      absl::StrAppend(&text, "\n", headings.contains(offset) ? style.Bold(block) : block);
    }
    offset += static_cast<int>(paragraph.size()) + 2;
  }
  return text;
}

std::string FormatBlocks(const std::vector<extraction::Block>& blocks, const TextStyle& style) {
  std::string text = absl::StrCat(style.Bold("Blocks of the page"), "  (+ kept, - dropped)\n",
                                  style.Dim(absl::StrCat("  ", Pad("why", 22), Pad("  score", 9), "text")), "\n");
  for (const extraction::Block& block : blocks) {
    const std::string sign = block.kept ? style.Green("+") : style.Red("-");
    std::string line = block.text;
    std::replace(line.begin(), line.end(), '\n', ' ');
    const auto room = static_cast<size_t>(std::max(style.columns - 34, 20));
    if (line.size() > room) line = absl::StrCat(line.substr(0, common::CodePointFloor(line, room)), "…");
    const std::string score = block.score ? absl::StrFormat("%7.1f  ", *block.score) : Pad("", 9);
    absl::StrAppend(&text, sign, " ", Pad(block.reason, 22), score, line, "\n");
  }
  return text;
}

std::string FormatWarnings(const std::vector<std::string>& warnings, const TextStyle& style) {
  std::string text;
  for (const std::string& warning : warnings)
    absl::StrAppend(&text, style.Yellow("note: "), common::Printable(warning), "\n");
  return text;
}

std::string FormatTags(const apb::Article& article, const cpb::ClassifyResponse& response, const TextStyle& style) {
  std::string text = absl::StrCat(style.Bold(article.title().empty() ? "(no title)" : article.title()), "\n");
  const std::string about = JoinNonEmpty({article.source(), Published(article), response.language_code()}, kBullet);
  if (!about.empty()) absl::StrAppend(&text, style.Dim(about), "\n");
  std::vector<TagLine> countries;
  for (const cpb::CountryTag& tag : response.countries()) {
    countries.push_back({tag.display_name(), tag.region_code(), tag.score(), tag.primary(), Reasons(tag.evidence())});
  }
  std::vector<TagLine> groups;
  for (const cpb::GroupTag& tag : response.groups()) {
    groups.push_back({tag.display_name(), tag.group_id(), tag.score(), false, Reasons(tag.evidence())});
  }
  std::vector<TagLine> issues;
  for (const cpb::IssueTag& tag : response.issues()) {
    issues.push_back({tag.display_name(), tag.issue_id(), tag.score(), false, Reasons(tag.evidence()),
                      tag.provenance() == cpb::TAG_PROVENANCE_SEED});
  }
  absl::StrAppend(&text, FormatTagLines("Countries", countries, OutcomeSentence(response.country_outcome()), style));
  if (!groups.empty()) absl::StrAppend(&text, FormatTagLines("Groups", groups, "", style));
  absl::StrAppend(&text, FormatTagLines("Issues", issues, OutcomeSentence(response.issue_outcome()), style));
  if (!response.scores().empty() || response.has_no_country()) {
    absl::StrAppend(&text, style.Bold("Scores"), "\n");
    for (const cpb::TagScore& score : response.scores()) {
      const std::string& id = score.has_region_code() ? score.region_code()
                              : score.has_group_id()  ? score.group_id()
                                                      : score.issue_id();
      absl::StrAppend(&text, "  ", Pad(id, 18), absl::StrFormat("%.4f", score.score()),
                      score.has_threshold() ? absl::StrFormat("  threshold %.2f", score.threshold()) : "",
                      score.has_raw() ? absl::StrFormat("  raw %+.3f", score.raw()) : "",
                      score.tagged() ? style.Green("  tagged") : "", "\n");
    }
    if (response.has_no_country()) {
      const cpb::NoCountryScore& none = response.no_country();
      absl::StrAppend(&text, "  ", Pad("no country", 18),
                      absl::StrFormat("%.4f  threshold %.2f", none.score(), none.threshold()),
                      none.score() >= none.threshold() ? style.Yellow("  so that none is tagged") : "", "\n");
    }
    if (response.in_training()) {
      absl::StrAppend(&text, "  ", style.Yellow("the issue model was trained on this text"), "\n");
    }
    if (response.in_country_training()) {
      absl::StrAppend(&text, "  ", style.Yellow("the country model was trained on this text"), "\n");
    }
  }
  if (!response.mentions().empty()) {
    absl::StrAppend(&text, style.Bold("Mentions"), "\n");
    for (const cpb::Mention& mention : response.mentions()) {
      const std::string target = mention.has_region_code() ? mention.region_code() : mention.group_id();
      // A group's id may be longer than its column.
      absl::StrAppend(
          &text, "  ", Pad(absl::StrCat(mention.span().field(), ":", mention.span().start()), 12), Pad(target, 10),
          target.size() < 10 ? "" : "  ", mention.text(), " (", Spoken(mention.kind(), ""), ")",
          mention.set_aside() == apb::SET_ASIDE_UNSPECIFIED
              ? ""
              : absl::StrCat(", not counted: ", Spoken(apb::SetAside_Name(mention.set_aside()), "SET_ASIDE_")),
          "\n");
    }
  }
  return text;
}

std::string FormatHit(const spb::SearchHit& hit, int number, const TextStyle& style) {
  const apb::Article& article = hit.article();
  const std::string indent = "    ";
  std::string title = style.Bold(common::Printable(article.title()));
  std::string snippets;
  for (const spb::Snippet& snippet : hit.snippets()) {
    if (snippet.field() == "title") {
      if (snippet.text() == article.title()) title = Highlight(snippet.text(), snippet.ranges(), style);
      continue;
    }
    const std::string passage = JoinParagraphs(Highlight(snippet.text(), snippet.ranges(), style));
    absl::StrAppend(&snippets, Wrap(passage, style.columns, indent), "\n");
  }
  std::string text = absl::StrCat(absl::StrFormat("%3d ", number), title, "\n");
  const std::string about = JoinNonEmpty({article.source(), Published(article), LabelSummary(article)}, kBullet);
  if (!about.empty()) absl::StrAppend(&text, indent, style.Cyan(about), "\n");
  absl::StrAppend(&text, snippets);
  if (hit.collapsed_count() > 0) {
    absl::StrAppend(&text, indent, style.Dim(absl::StrCat("and ", hit.collapsed_count(), " more like it")), "\n");
  }
  absl::StrAppend(&text, indent, style.Dim(article.url().empty() ? absl::StrCat("id ", article.id()) : article.url()),
                  "\n");
  if (!hit.explanation().empty()) {
    absl::StrAppend(&text, Wrap(hit.explanation(), style.columns, absl::StrCat(indent, "  ")), "\n");
  }
  return text;
}

std::string FormatTrends(const spb::AnalyzeTrendsResponse& response, const spb::AnalyzeTrendsRequest& request,
                         const TextStyle& style) {
  absl::TimeZone zone = absl::UTCTimeZone();
  if (!request.time_zone().empty()) (void)absl::LoadTimeZone(request.time_zone(), &zone);
  std::string text;
  for (const spb::TrendCell& cell : response.cells()) {
    std::vector<std::string> parts;
    if (cell.has_bucket_start_time()) {
      const char* const format = request.bucket() == spb::TREND_BUCKET_YEAR    ? "%Y"
                                 : request.bucket() == spb::TREND_BUCKET_MONTH ? "%Y-%m"
                                                                               : "%Y-%m-%d";
      parts.push_back(absl::FormatTime(format, absl::FromUnixSeconds(cell.bucket_start_time().seconds()), zone));
    }
    for (const std::string& value : cell.values()) parts.push_back(style.Bold(common::Printable(value)));
    absl::StrAppend(&text, absl::StrFormat("%7d", cell.count()), "  ", absl::StrJoin(parts, "  "));
    if (cell.has_expected_count()) {
      absl::StrAppend(&text, style.Dim(absl::StrFormat("  (%.1f expected)", cell.expected_count())));
    }
    text += "\n";
  }
  return text;
}

std::string FormatSearch(const spb::SearchResponse& response, const SearchAsked& asked, const TextStyle& style) {
  const spb::TotalHits& total = response.total();
  const std::string relation = total.relation() == spb::TOTAL_RELATION_LOWER_BOUND ? "at least "
                               : total.relation() == spb::TOTAL_RELATION_ESTIMATE  ? "about "
                                                                                   : "";
  std::string text = absl::StrCat(relation, total.value(), total.value() == 1 ? " article" : " articles");
  if (response.timing().has_total_ms())
    absl::StrAppend(&text, absl::StrFormat(" in %.1f ms", response.timing().total_ms()));
  text = absl::StrCat(style.Bold(text), "\n", InterpretationText(response.interpretation(), style));
  for (const spb::Degradation& degradation : response.degraded()) {
    absl::StrAppend(&text, style.Yellow(absl::StrCat("incomplete: ", degradation.message())), "\n");
  }
  int number = asked.skip;
  for (const spb::SearchHit& hit : response.hits()) absl::StrAppend(&text, "\n", FormatHit(hit, ++number, style));
  if (!response.facets().empty()) absl::StrAppend(&text, "\n");
  for (int i = 0; i < response.facets_size(); ++i) {
    const spb::FacetResult& facet = response.facets(i);
    // Facets are answered in the order in which they were asked for.
    const auto place = static_cast<size_t>(i);
    const std::string& name = place < asked.facet_names.size() ? asked.facet_names[place] : facet.field();
    std::vector<std::string> values;
    for (const spb::FacetValue& value : facet.values()) {
      values.push_back(absl::StrCat(value.selected() ? "✓ " : "",
                                    value.display_name().empty() ? value.id() : value.display_name(), " ",
                                    value.count()));
    }
    if (facet.other_count() > 0) values.push_back(absl::StrCat("others ", facet.other_count()));
    const std::string line =
        Wrap(values.empty() ? "none" : absl::StrJoin(values, kBullet), style.columns, "              ");
    absl::StrAppend(&text, style.Bold(Pad(common::Printable(name), 13)), " ", absl::StripLeadingAsciiWhitespace(line),
                    "\n");
  }
  if (!response.next_page_token().empty()) {
    absl::StrAppend(&text, "\n", style.Dim(absl::StrCat("more with --page_token ", response.next_page_token())), "\n");
  }
  return text;
}

std::string FormatSuggestions(const spb::SuggestResponse& response, const TextStyle& style) {
  std::string text;
  for (const spb::Suggestion& suggestion : response.suggestions()) {
    absl::StrAppend(&text, Pad(Spoken(spb::SuggestionKind_Name(suggestion.kind()), "SUGGESTION_KIND_"), 9),
                    Highlight(suggestion.text(), suggestion.ranges(), style));
    if (!suggestion.id().empty()) absl::StrAppend(&text, style.Dim(absl::StrCat("  ", suggestion.id())));
    if (suggestion.has_count()) absl::StrAppend(&text, style.Dim(absl::StrCat("  ", suggestion.count())));
    text += '\n';
  }
  return text;
}

std::string StageName(spb::CommitStage stage) { return Spoken(spb::CommitStage_Name(stage), "COMMIT_STAGE_"); }

std::string OutcomeName(spb::IngestOutcome outcome) {
  return Spoken(spb::IngestOutcome_Name(outcome), "INGEST_OUTCOME_");
}

std::string FormatIngestLine(const IngestLine& line, bool verbose, const TextStyle& style) {
  const bool taken = line.outcome() == spb::INGEST_OUTCOME_CREATED || line.outcome() == spb::INGEST_OUTCOME_UPDATED;
  const bool rejected = line.outcome() == spb::INGEST_OUTCOME_REJECTED;
  const std::string outcome = Pad(line.would_be_sent() ? "to send" : OutcomeName(line.outcome()), 9);
  const std::string where =
      JoinNonEmpty({common::Printable(line.source()), line.position() == "page" ? "" : line.position()}, ", ");
  std::string text = absl::StrCat(rejected ? style.Red(outcome)
                                  : taken  ? style.Green(outcome)
                                           : style.Dim(outcome),
                                  "  ");
  if (rejected) {
    absl::StrAppend(&text, where, ": ", common::Printable(line.error().message()));
    if (!line.error().reason().empty()) absl::StrAppend(&text, " [", line.error().reason(), "]");
  } else {
    absl::StrAppend(&text, style.Dim(line.id()), "  ", common::Printable(line.title()));
    if (!line.duplicate_of().empty())
      absl::StrAppend(&text, style.Yellow(absl::StrCat("  nearly repeats ", line.duplicate_of())));
    if (verbose) absl::StrAppend(&text, style.Dim(absl::StrCat("  ", where)));
  }
  text += '\n';
  if (verbose || rejected) {
    for (const apb::FieldViolation& violation : line.error().field_violations()) {
      const std::string sentence = absl::StrCat(violation.field(), ": ", violation.description());
      if (absl::StrContains(line.error().message(), sentence)) continue;
      absl::StrAppend(&text, "           ", common::Printable(sentence), "\n");
    }
    for (const std::string& warning : line.warnings()) {
      absl::StrAppend(&text, "           ", style.Yellow("note: "), common::Printable(warning), "\n");
    }
  }
  return text;
}

std::string FormatDeletion(const DeletionLine::Deletion& deletion, const TextStyle& style) {
  const std::string outcome = deletion.outcome() == "would be deleted" ? "to delete" : deletion.outcome();
  return absl::StrCat(deletion.outcome() == "changed" ? style.Dim(Pad("kept", 9)) : style.Red(Pad(outcome, 9)), "  ",
                      style.Dim(deletion.id()), "  ", common::Printable(deletion.url()),
                      style.Dim(absl::StrCat(deletion.url().empty() ? "" : "  ", deletion.reason(),
                                             deletion.outcome() == "changed" ? ", but changed meanwhile" : "")),
                      "\n");
}

std::string FormatChange(const spb::Change& change, const TextStyle& style) {
  const apb::Article& article = change.article();
  const std::string kind = Spoken(spb::ChangeKind_Name(change.kind()), "CHANGE_KIND_");
  const std::string what = JoinNonEmpty({article.title(), article.url(), LabelSummary(article)}, kBullet);
  return absl::StrCat(style.Dim(change.has_change_time() ? Moment(change.change_time()) : Pad("", 23)), "  ",
                      change.kind() == spb::CHANGE_KIND_DELETED ? style.Red(Pad(kind, 10)) : style.Green(Pad(kind, 10)),
                      "  ", style.Cyan(article.id()), what.empty() ? "" : "  ", common::Printable(what), "\n");
}

std::string FormatLabels(const spb::UpdateArticleLabelsResponse& response, const TextStyle& style) {
  const apb::Article& article = response.article();
  std::string text = absl::StrCat(style.Bold(common::Printable(article.title())), "\n",
                                  style.Dim(absl::StrCat("id ", article.id())), "\n");
  int width = 0;
  const auto name_of = [](const apb::Label& label) {
    const std::string& id = label.has_region_code() ? label.region_code()
                            : label.has_group_id()  ? label.group_id()
                                                    : label.issue_id();
    return label.display_name().empty() || label.display_name() == id
               ? id
               : absl::StrCat(label.display_name(), " (", id, ")");
  };
  for (const apb::Label& label : article.labels()) width = std::max(width, CodePoints(name_of(label)));
  for (const apb::Label& label : article.labels()) {
    const char* kind = label.has_region_code() ? "country" : label.has_group_id() ? "group" : "issue";
    const std::string by = label.source() == apb::LABEL_SOURCE_EDITOR ? "editor"
                           : label.source() == apb::LABEL_SOURCE_SOURCE
                               ? "publisher"
                               : absl::StrFormat("classifier %.2f", label.score());
    absl::StrAppend(&text, "  ", Pad(kind, 7), "  ", style.Cyan(Pad(name_of(label), width)), "  ", by,
                    label.primary() ? style.Green("  primary") : "", "\n");
  }
  if (article.labels().empty()) absl::StrAppend(&text, "  ", style.Dim("no label counts"), "\n");
  std::vector<std::string> alone;
  for (const int dimension : response.replaced_dimensions()) {
    alone.emplace_back(dimension == spb::LABEL_DIMENSION_REGION  ? "countries"
                       : dimension == spb::LABEL_DIMENSION_GROUP ? "groups"
                                                                 : "issues");
  }
  if (!alone.empty()) {
    absl::StrAppend(&text, "  ", style.Dim(absl::StrCat("the editor's alone: ", absl::StrJoin(alone, ", "))), "\n");
  }
  return text;
}

std::string FormatJob(const spb::Job& job, const TextStyle& style) {
  const auto state = [&]() -> std::string {
    switch (job.state()) {
      case spb::JOB_STATE_QUEUED:
        return "waits for its turn";
      case spb::JOB_STATE_RUNNING:
        return absl::StrFormat("running, %.0f %%", job.progress() * 100.0);
      case spb::JOB_STATE_SUCCEEDED:
        return style.Green("done");
      case spb::JOB_STATE_FAILED:
        return style.Red("failed");
      case spb::JOB_STATE_CANCELLED:
        return style.Yellow("cancelled");
      default:
        return "?";
    }
  };
  std::string text = absl::StrCat(Moment(job.start_time()), "  ", common::Printable(job.id()), "  ",
                                  style.Bold(common::Printable(job.method())), "  ", state(), "\n");
  const std::string& more = job.error().empty() ? job.message() : job.error();
  if (!more.empty()) absl::StrAppend(&text, "    ", common::Printable(more), "\n");
  for (const spb::TagChange& change : job.relabel_report().tag_changes()) {
    const std::string& tag = change.has_region_code() ? change.region_code()
                             : change.has_group_id()  ? change.group_id()
                                                      : change.issue_id();
    const auto part = [&](absl::string_view what, int count, const auto& ids) {
      if (count == 0) return std::string();
      return absl::StrCat("  ", count, " ", what, " it (", common::Printable(absl::StrJoin(ids, ", ")),
                          count > ids.size() ? ", …)" : ")");
    };
    absl::StrAppend(&text, "    ", style.Bold(common::Printable(tag)),
                    part("gain", change.gained_count(), change.gained_ids()),
                    part("lose", change.lost_count(), change.lost_ids()), "\n");
  }
  return text;
}

std::string FormatIndexInfo(const spb::GetIndexInfoResponse& info, const TextStyle& style) {
  std::string text;
  absl::StrAppend(&text, Row("articles", absl::StrCat(info.article_count()), style));
  absl::StrAppend(&text, Row("visible to searches", absl::StrCat(info.visible_article_count()), style));
  absl::StrAppend(&text, Row("tags pending", absl::StrCat(info.pending_article_count()), style));
  absl::StrAppend(&text, Row("tagging failed", absl::StrCat(info.failed_article_count()), style));
  absl::StrAppend(&text, Row("near-duplicates", absl::StrCat(info.duplicate_article_count()), style));
  absl::StrAppend(&text, Row("deleted", absl::StrCat(info.deleted_article_count()), style));
  absl::StrAppend(&text, Row("purged", absl::StrCat(info.purged_count()), style));
  absl::StrAppend(&text, Row("classifier", info.classifier_available() ? "available" : "not available", style));
  absl::StrAppend(&text, Row("model", info.model_version(), style));
  absl::StrAppend(&text, Row("taxonomy", info.taxonomy_version(), style));
  absl::StrAppend(&text, Row("article store", Bytes(info.store_bytes()), style));
  absl::StrAppend(
      &text, Row("index", absl::StrCat(Bytes(info.index_bytes()), ", format ", info.index_format_version()), style));
  // Nothing was ever written to an empty index.
  if (info.index_time().seconds() > 0) absl::StrAppend(&text, Row("index updated", Moment(info.index_time()), style));
  absl::StrAppend(&text, Row("durable commit token", info.durable_commit_token(), style));
  absl::StrAppend(&text, Row("visible commit token", info.commit_token(), style));
  absl::StrAppend(&text, Row("server", info.server_version(), style));
  if (!info.unmapped_labels().empty()) {
    absl::StrAppend(&text, style.Bold("Publishers' labels that the taxonomy does not know"), "\n");
    for (const spb::UnmappedLabel& label : info.unmapped_labels()) {
      absl::StrAppend(&text, absl::StrFormat("%6d  ", label.count()), label.kind().empty() ? "" : label.kind() + ": ",
                      label.name(), "\n");
    }
  }
  return text;
}

std::string FormatModelInfo(const cpb::GetModelInfoResponse& info, const TextStyle& style) {
  std::string text;
  absl::StrAppend(&text, Row("model", info.model_version(), style));
  absl::StrAppend(&text, Row("taxonomy", info.taxonomy_version(), style));
  absl::StrAppend(&text, Row("gazetteer", info.gazetteer_version(), style));
  if (info.has_load_time()) absl::StrAppend(&text, Row("loaded", Moment(info.load_time()), style));
  if (info.has_failed_reload_time()) {
    absl::StrAppend(
        &text, Row("reload failed",
                   absl::StrCat(Moment(info.failed_reload_time()), "; the log of classifier_service says why"), style));
  }
  if (info.has_train_time()) absl::StrAppend(&text, Row("issues trained", Moment(info.train_time()), style));
  absl::StrAppend(&text, Row("issues learned from", absl::StrCat(info.training_article_count(), " articles"), style));
  if (info.has_quality()) absl::StrAppend(&text, Row("issues, held out", QualityText(info.quality()), style));
  absl::StrAppend(&text, Row("issue languages", absl::StrJoin(info.issue_language_codes(), ", "), style));
  if (info.issues().empty()) return text;
  absl::StrAppend(
      &text, style.Bold(absl::StrCat("\n", Pad("issue", 28), "examples  threshold   precision  recall     F1")), "\n");
  for (const cpb::IssueModelInfo& issue : info.issues()) {
    absl::StrAppend(&text, Pad(issue.issue_id(), 28),
                    absl::StrFormat("%8d  %9.3f", issue.example_count(), issue.threshold()));
    if (issue.has_quality()) {
      absl::StrAppend(&text, absl::StrFormat("   %9.3f  %6.3f  %5.3f", issue.quality().precision(),
                                             issue.quality().recall(), issue.quality().f1()));
    }
    if (issue.provenance() == cpb::TAG_PROVENANCE_SEED) {
      absl::StrAppend(&text, style.Dim(absl::StrCat("   by seed phrases; ", issue.examples_needed(),
                                                    " labelled articles would make it worth training")));
    }
    text += '\n';
  }
  return text;
}

std::string FormatTaxonomy(const cpb::GetTaxonomyResponse& taxonomy, TaxonomyPart part, const TextStyle& style) {
  std::string text;
  switch (part) {
    case TaxonomyPart::kIssues:
      for (const cpb::Issue& issue : taxonomy.issues()) {
        absl::StrAppend(&text, issue.parent_issue_id().empty() ? "" : "  ", style.Cyan(Pad(issue.issue_id(), 28)),
                        EnglishName(issue.names()), "\n");
        if (!issue.definition().empty())
          absl::StrAppend(&text, Wrap(issue.definition(), style.columns, "      "), "\n");
        if (!issue.replaced_by().empty()) {
          absl::StrAppend(&text, "      retired; replaced by ", absl::StrJoin(issue.replaced_by(), ", "), "\n");
        }
      }
      break;
    case TaxonomyPart::kRegions:
      for (const cpb::Region& region : taxonomy.regions()) {
        absl::StrAppend(&text, style.Cyan(Pad(region.region_code(), 4)), EnglishName(region.names()), "\n");
      }
      break;
    case TaxonomyPart::kGroups:
      for (const cpb::Group& group : taxonomy.groups()) {
        std::vector<std::string> members;
        for (const cpb::GroupMember& member : group.members()) {
          std::string years;
          if (member.start_year() != 0 || member.end_year() != 0) {
            years = absl::StrCat(" (", member.start_year() != 0 ? absl::StrCat(member.start_year()) : "", "–",
                                 member.end_year() != 0 ? absl::StrCat(member.end_year()) : "", ")");
          }
          members.push_back(absl::StrCat(member.region_code(), years));
        }
        absl::StrAppend(&text, style.Cyan(Pad(group.group_id(), 28)), EnglishName(group.names()), "\n");
        if (!members.empty()) absl::StrAppend(&text, Wrap(absl::StrJoin(members, ", "), style.columns, "      "), "\n");
      }
      break;
  }
  absl::StrAppend(&text,
                  style.Dim(part == TaxonomyPart::kIssues ? absl::StrCat("taxonomy ", taxonomy.taxonomy_version())
                                                          : absl::StrCat("gazetteer ", taxonomy.gazetteer_version())),
                  "\n");
  return text;
}

}  // namespace dateline::cli
