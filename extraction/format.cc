#include "extraction/format.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

#include "common/text.h"
#include "extraction/charset.h"

namespace dateline::extraction {
namespace {

// How much of the beginning is looked at.
constexpr size_t kHeadBytes = 8192;

constexpr std::array<absl::string_view, 6> kPackedEndings = {".gz", ".bz2", ".xz", ".zst", ".zip", ".tar"};

// `text` without what may stand before the first element: declarations, comments, document types. The root that a
// document type is of is set to its name, as far as it may be told.
absl::string_view SkipProlog(absl::string_view text, absl::string_view* type_of = nullptr) {
  while (true) {
    text = absl::StripLeadingAsciiWhitespace(text);
    size_t end = absl::string_view::npos;
    if (absl::StartsWith(text, "<!--")) {
      end = text.find("-->");
      end = end == absl::string_view::npos ? end : end + 3;
    } else if (absl::StartsWith(text, "<?")) {
      end = text.find('>');
      end = end == absl::string_view::npos ? end : end + 1;
    } else if (absl::StartsWithIgnoreCase(text, "<!doctype")) {
      if (type_of != nullptr) {
        *type_of = absl::StripLeadingAsciiWhitespace(text.substr(9));
        *type_of = type_of->substr(0, type_of->find_first_of(" \t\r\n[>"));
      }
      const size_t bracket = text.find('[');
      end = text.find('>');
      if (bracket != absl::string_view::npos && bracket < end) {
        end = text.find("]>", bracket);
        end = end == absl::string_view::npos ? end : end + 2;
      } else {
        end = end == absl::string_view::npos ? end : end + 1;
      }
    } else {
      return text;
    }
    if (end == absl::string_view::npos) {
      return text;
    }
    text = text.substr(end);
  }
}

bool StartsWithTag(absl::string_view text, absl::string_view name) {
  return text.size() > name.size() + 1 && text[0] == '<' && absl::StartsWithIgnoreCase(text.substr(1), name) &&
         !absl::ascii_isalnum(static_cast<unsigned char>(text[name.size() + 1]));
}

bool StartsWithAnyTag(absl::string_view text, std::initializer_list<absl::string_view> names) {
  return std::any_of(names.begin(), names.end(), [text](absl::string_view name) { return StartsWithTag(text, name); });
}

// The same where a prefix stands for one of the namespaces of feeds and sitemaps: "<a:feed xmlns:a=…>".
bool StartsWithPrefixedTag(absl::string_view text, std::initializer_list<absl::string_view> names) {
  const absl::string_view tag = text.substr(0, text.find('>'));
  const size_t colon = tag.substr(0, tag.find_first_of(" \t\r\n/")).find(':');
  if (!absl::StartsWith(tag, "<") || colon == absl::string_view::npos ||
      !(absl::StrContains(tag, "w3.org/2005/Atom") || absl::StrContains(tag, "purl.org/atom/ns#") ||
        absl::StrContains(tag, "sitemaps.org/schemas/sitemap/"))) {
    return false;
  }
  const absl::string_view rest = text.substr(colon);  // The colon is as good as a bracket.
  return std::any_of(names.begin(), names.end(), [rest](absl::string_view name) {
    return absl::StartsWith(rest.substr(1), name) && rest.size() > name.size() + 1 &&
           !absl::ascii_isalnum(static_cast<unsigned char>(rest[name.size() + 1]));
  });
}

// kFeed or kSitemap if `text` begins as one; else kUnknown.
Format DetectXml(absl::string_view text) {
  absl::string_view type_of;
  const absl::string_view root = SkipProlog(text, &type_of);
  if (StartsWithAnyTag(root, {"rss", "feed", "rdf:RDF", "atom:feed"}) || StartsWithPrefixedTag(root, {"feed"})) {
    return Format::kFeed;
  }
  if (StartsWithAnyTag(root, {"urlset", "sitemapindex"}) || StartsWithPrefixedTag(root, {"urlset", "sitemapindex"})) {
    return Format::kSitemap;
  }
  // A document type that isn't closed leaves no root to be seen.
  return type_of == "rss" || type_of == "feed" || type_of == "rdf:RDF" ? Format::kFeed : Format::kUnknown;
}

bool HasSuffix(absl::string_view path, std::initializer_list<absl::string_view> suffixes) {
  return std::any_of(suffixes.begin(), suffixes.end(),
                     [path](absl::string_view suffix) { return absl::EndsWithIgnoreCase(path, suffix); });
}

bool IsPacked(absl::string_view head) {
  constexpr char kXz[] = {'\xFD', '7', 'z', 'X', 'Z', '\0'};
  for (const absl::string_view magic :
       {absl::string_view("\x1F\x8B"), absl::string_view("\x28\xB5\x2F\xFD"), absl::string_view(kXz),
        absl::string_view("PK\x03\x04"), absl::string_view("PK\x05\x06")}) {
    if (absl::StartsWith(head, magic)) {
      return true;
    }
  }
  // "BZh9" and then the digits of pi begin a block of bzip2; "ustar" stands at 257 in the header of a tar.
  return (absl::StartsWith(head, "BZh") && absl::ClippedSubstr(head, 4, 6) == "1AY&SY") ||
         absl::ClippedSubstr(head, 257, 5) == "ustar";
}

// Where the JSON value that `text` begins with ends; npos if it isn't whole.
size_t EndOfJsonValue(absl::string_view text) {
  size_t depth = 0;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      i += c == '\\' ? 1 : 0;
      in_string = c != '"';
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if ((c == '}' || c == ']') && --depth == 0) {
      return i + 1;
    }
  }
  return absl::string_view::npos;
}

// For text that begins with a brace or a bracket.
Format DetectJson(absl::string_view path, absl::string_view text) {
  const absl::string_view inside = absl::StripLeadingAsciiWhitespace(text.substr(1));
  if (text[0] == '[') {
    const bool list = absl::StartsWith(inside, "{") || (absl::StartsWith(inside, "]") && HasSuffix(path, {".json"}));
    return list ? Format::kJson : Format::kUnknown;
  }
  if (!absl::StartsWith(inside, "\"") && !absl::StartsWith(inside, "}")) {
    return Format::kUnknown;
  }
  if (HasSuffix(path, {".jsonl", ".ndjson", ".jsonlines"})) {
    return Format::kJsonLines;
  }
  if (absl::StrContains(text, "jsonfeed.org/version/")) {
    return Format::kJson;
  }
  // JSON Lines unless the first object goes on over the end of its line, or nothing but one object is there.
  const size_t line_end = text.find('\n');
  const size_t end = EndOfJsonValue(text);
  if (end != absl::string_view::npos && end <= line_end) {
    const bool alone = absl::StripAsciiWhitespace(text.substr(end)).empty();
    return alone && HasSuffix(path, {".json"}) ? Format::kJson : Format::kJsonLines;
  }
  return line_end != absl::string_view::npos || HasSuffix(path, {".json"}) ? Format::kJson : Format::kJsonLines;
}

// The names of three fields and more, as this project calls them: no text begins so.
bool BeginsLikeTable(absl::string_view text) {
  constexpr int kMinKnown = 3;
  absl::string_view line = text.substr(0, text.find('\n'));
  absl::ConsumeSuffix(&line, "\r");
  for (const char divider : {',', ';', '\t'}) {
    int known = 0;
    for (absl::string_view name : absl::StrSplit(line, divider)) {
      name = absl::StripAsciiWhitespace(name);
      if (absl::ConsumePrefix(&name, "\"")) {
        absl::ConsumeSuffix(&name, "\"");
      }
      for (const absl::string_view field : {"id", "url", "title", "body", "body_html", "summary", "author", "authors",
                                            "source", "date", "language", "countries", "issues"}) {
        known += absl::EqualsIgnoreCase(name, field) ? 1 : 0;
      }
    }
    if (known >= kMinKnown) {
      return true;
    }
  }
  return false;
}

// A message begins with the fields of its header, and a mailbox with a line "From jane@example.org Tue Sep 19 …".
bool BeginsLikeMail(absl::string_view path, absl::string_view text) {
  size_t fields = 0;
  size_t known = 0;
  const bool mailbox = IsMailboxLine(text.substr(0, text.find('\n')));
  if (mailbox) {
    const size_t end = text.find('\n');
    text = end == absl::string_view::npos ? "" : text.substr(end + 1);
  }
  while (!text.empty() && fields < 60) {
    const absl::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (absl::StripAsciiWhitespace(line).empty()) {
      break;
    }
    if (line[0] == ' ' || line[0] == '\t') {
      continue;  // Goes on with the field before.
    }
    const size_t colon = line.find(':');
    const bool is_field = colon != absl::string_view::npos && colon > 0 &&
                          std::all_of(line.begin(), line.begin() + static_cast<std::ptrdiff_t>(colon),
                                      [](char c) { return c > ' ' && c < 0x7F; });
    if (!is_field) {
      return false;
    }
    ++fields;
    const std::string name = absl::AsciiStrToLower(line.substr(0, colon));
    for (const absl::string_view field : {"from", "to", "date", "subject", "message-id", "received", "mime-version",
                                          "return-path", "delivered-to", "content-type"}) {
      known += name == field ? 1 : 0;
    }
  }
  return known >= (HasSuffix(path, {".eml", ".mbox", ".mbx", ".mht", ".mhtml"}) || mailbox ? 1 : 4);
}

}  // namespace

absl::string_view FormatName(Format format) {
  switch (format) {
    case Format::kHtml:
      return "html";
    case Format::kText:
      return "text";
    case Format::kFeed:
      return "feed";
    case Format::kSitemap:
      return "sitemap";
    case Format::kJsonLines:
      return "jsonl";
    case Format::kJson:
      return "json";
    case Format::kCsv:
      return "csv";
    case Format::kMail:
      return "mail";
    case Format::kPdf:
      return "pdf";
    case Format::kArchive:
      return "archive";
    case Format::kUnknown:
      break;
  }
  return "unknown";
}

const std::vector<Format>& KnownFormats() {
  static const auto* const kFormats =
      new std::vector<Format>{Format::kHtml, Format::kText, Format::kFeed, Format::kSitemap, Format::kJsonLines,
                              Format::kJson, Format::kCsv,  Format::kMail, Format::kPdf,     Format::kArchive};
  return *kFormats;
}

std::optional<Format> FormatFromName(absl::string_view name) {
  for (const Format format : KnownFormats()) {
    if (name == FormatName(format)) {
      return format;
    }
  }
  return std::nullopt;
}

Format DetectFormat(absl::string_view path, absl::string_view head) {
  if (absl::StartsWith(head, "%PDF-")) {
    return Format::kPdf;
  }
  if (IsPacked(head)) {
    return Format::kArchive;
  }
  if (IsBinary(head)) {
    return Format::kUnknown;
  }
  std::string decoded;
  absl::string_view text = head.substr(0, kHeadBytes);
  if (BeginsAsUtf16(text) || text.find('\0') != absl::string_view::npos) {
    decoded = DecodeText(text, "").text;
    text = decoded;
  }
  absl::ConsumePrefix(&text, "\xEF\xBB\xBF");
  text = absl::StripLeadingAsciiWhitespace(text);
  if (const size_t junk = JunkBeforeXml(text); junk > 0) {
    text.remove_prefix(junk);
  }
  if (absl::StartsWith(text, "<")) {
    if (const Format format = DetectXml(text); format != Format::kUnknown) {
      return format;
    }
    if (absl::StartsWith(text, "<?xml") && SkipProlog(text).empty() &&
        HasSuffix(path, {".rss", ".atom", ".xml", ".rdf"})) {
      return Format::kFeed;
    }
    return Format::kHtml;
  }
  if (absl::StartsWith(text, "{") || absl::StartsWith(text, "[")) {
    if (const Format format = DetectJson(path, text); format != Format::kUnknown) {
      return format;
    }
  }
  if (HasSuffix(path, {".jsonl", ".ndjson", ".jsonlines"})) {
    return Format::kJsonLines;
  }
  if (HasSuffix(path, {".json"})) {
    return Format::kJson;
  }
  if (HasSuffix(path, {".csv", ".tsv", ".tab"})) {
    return Format::kCsv;
  }
  if (HasSuffix(path, {".rss", ".atom"})) {
    return Format::kFeed;
  }
  if (path.find('.') == absl::string_view::npos && BeginsLikeTable(text)) {
    return Format::kCsv;
  }
  if (BeginsLikeMail(path, text)) {
    return Format::kMail;
  }
  if (HasSuffix(path, {".html", ".htm", ".xhtml"}) || common::HoldsHtml(text)) {
    return Format::kHtml;
  }
  return Format::kText;
}

size_t JunkBeforeXml(absl::string_view head) {
  head = head.substr(0, kHeadBytes);
  const size_t at = head.find("<?xml");
  if (at == absl::string_view::npos || at == 0 || DetectXml(head) != Format::kUnknown) {
    return 0;
  }
  const absl::string_view before = SkipProlog(head);
  const bool is_page = StartsWithAnyTag(before, {"html", "head", "body"}) ||
                       absl::StartsWithIgnoreCase(absl::StripLeadingAsciiWhitespace(head), "<!doctype html");
  return !is_page && DetectXml(head.substr(at)) != Format::kUnknown ? at : 0;
}

bool BeginsAsUtf16(absl::string_view head) { return IsUtf16(head); }

bool MayHoldArticles(absl::string_view path) {
  const size_t slash = path.rfind('/');
  absl::string_view name = slash == absl::string_view::npos ? path : path.substr(slash + 1);
  if (name.empty() || name[0] == '.') {
    return false;
  }
  for (const absl::string_view ending : {".zip", ".tar", ".tgz", ".tbz2", ".txz"}) {
    if (absl::EndsWithIgnoreCase(name, ending)) {
      return true;
    }
  }
  for (const absl::string_view ending : kPackedEndings) {
    if (absl::EndsWithIgnoreCase(name, ending)) {
      name.remove_suffix(ending.size());
      break;
    }
  }
  return HasSuffix(
      name, {".html", ".htm",   ".xhtml",  ".shtml", ".txt", ".text", ".xml",  ".rss", ".atom",  ".rdf", ".wxr",
             ".json", ".jsonl", ".ndjson", ".csv",   ".tsv", ".eml",  ".mbox", ".mht", ".mhtml", ".pdf", ".tar"});
}

bool IsWholeMailboxLine(absl::string_view line) {
  if (!IsMailboxLine(line)) {
    return false;
  }
  const std::vector<absl::string_view> words =
      absl::StrSplit(line, absl::MaxSplits(absl::ByAnyChar(" \t\r\n"), 10), absl::SkipEmpty());
  constexpr absl::string_view kDays = "Mon Tue Wed Thu Fri Sat Sun";
  constexpr absl::string_view kMonths = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec";
  return words.size() >= 6 && absl::StrContains(words[1], '@') && words[2].size() == 3 && words[3].size() == 3 &&
         absl::StrContains(kDays, words[2]) && absl::StrContains(kMonths, words[3]) &&
         absl::ascii_isdigit(static_cast<unsigned char>(words[4][0]));
}

bool IsMailboxLine(absl::string_view line) {
  if (!absl::StartsWith(line, "From ") || line.size() > 1000) {
    return false;
  }
  for (size_t i = 5; i + 4 < line.size(); ++i) {
    const auto digit = [&line](size_t at) { return absl::ascii_isdigit(static_cast<unsigned char>(line[at])); };
    if (line[i + 2] == ':' && digit(i) && digit(i + 1) && digit(i + 3) && digit(i + 4)) {
      return true;
    }
  }
  return false;
}

}  // namespace dateline::extraction
