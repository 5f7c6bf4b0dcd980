#include "extraction/xml_stream.h"

#include <libxml/SAX2.h>
#include <libxml/parser.h>
#include <libxml/tree.h>
#include <libxml/xmlerror.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

#include "common/error.h"
#include "extraction/html_document.h"
#include "extraction/text_shape.h"

namespace dateline::extraction {
namespace {

constexpr size_t kMaxEntityName = 32;
constexpr size_t kReadBytes = 16'384;
// A longer tag than this is read for its name alone. Attributes hold addresses, and now and then a picture.
constexpr size_t kMaxTagBytes = 65'536;
constexpr size_t kMaxNameBytes = 1024;
// The end of a processing instruction is looked for so far; none in a feed is longer.
constexpr size_t kMaxInstructionBytes = 4096;
// What is remembered of names of entities; a document with more of them looks the others up again.
constexpr size_t kMaxEntities = 1000;

absl::string_view View(const xmlChar* text) {
  return text == nullptr ? absl::string_view() : absl::string_view(reinterpret_cast<const char*>(text));
}

// The customary prefix of a namespace; "" for those whose elements go by their bare names here; "?" for others.
absl::string_view PrefixOf(absl::string_view uri) {
  struct Known {
    absl::string_view uri;
    absl::string_view prefix;
  };
  static constexpr std::array<Known, 14> kKnown = {{{"http://www.w3.org/2005/Atom", ""},
                                                    {"http://purl.org/atom/ns#", ""},
                                                    {"http://purl.org/rss/1.0/", ""},
                                                    {"http://my.netscape.com/rdf/simple/0.9/", ""},
                                                    {"http://backend.userland.com/rss2", ""},
                                                    {"http://www.sitemaps.org/schemas/sitemap/0.9", ""},
                                                    {"https://www.sitemaps.org/schemas/sitemap/0.9", ""},
                                                    {"http://purl.org/rss/1.0/modules/content/", "content"},
                                                    {"http://purl.org/dc/elements/1.1/", "dc"},
                                                    {"http://purl.org/dc/terms/", "dcterms"},
                                                    {"http://search.yahoo.com/mrss/", "media"},
                                                    {"http://www.google.com/schemas/sitemap-news/0.9", "news"},
                                                    {"http://www.google.com/schemas/sitemap-image/1.1", "image"},
                                                    {"http://www.w3.org/1999/02/22-rdf-syntax-ns#", "rdf"}}};
  const auto* const known =
      std::find_if(kKnown.begin(), kKnown.end(), [uri](const Known& each) { return each.uri == uri; });
  if (known != kKnown.end()) {
    return known->prefix;
  }
  if (absl::StartsWith(uri, "http://wordpress.org/export/")) {
    return absl::StrContains(uri, "/excerpt/") ? "excerpt" : "wp";
  }
  return "?";
}

// The name of an element as Children has it.
std::string NameOf(absl::string_view local, absl::string_view prefix, absl::string_view uri) {
  const absl::string_view known = uri.empty() ? "?" : PrefixOf(uri);
  if (known != "?") {
    return known.empty() ? std::string(local) : absl::StrCat(known, ":", local);
  }
  if (prefix.empty() || prefix == "atom" || prefix == "rss") {
    return std::string(local);
  }
  return absl::StrCat(prefix, ":", local);
}

bool IsControl(char c) {
  const auto u = static_cast<unsigned char>(c);
  return u < 0x20 && u != '\n' && u != '\t' && u != '\r';
}

bool IsContinuation(char c) { return (c & 0xC0) == 0x80; }

// UTF-8 without the beginning of a character at its end.
absl::string_view WholeCharacters(absl::string_view text) {
  size_t lead = text.size();
  while (lead > 0 && text.size() - lead < 4) {
    --lead;
    if (!IsContinuation(text[lead])) {
      break;
    }
  }
  if (lead == text.size()) {
    return text;
  }
  const auto first = static_cast<unsigned char>(text[lead]);
  const size_t length = first < 0xC0 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  return lead + length > text.size() ? text.substr(0, lead) : text;
}

// Appends `text` without what XML has no place for: control characters, and U+FFFE and U+FFFF.
void AppendClean(absl::string_view text, std::string* clean) {
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\xEF' && (text.substr(i, 3) == "\xEF\xBF\xBE" || text.substr(i, 3) == "\xEF\xBF\xBF")) {
      clean->push_back(' ');
      i += 2;
      continue;
    }
    clean->push_back(IsControl(text[i]) ? ' ' : text[i]);
  }
}

// "#233" or "#xE9": a character that XML knows?
bool IsXmlCharacter(absl::string_view reference) {
  reference.remove_prefix(1);
  const bool hex = absl::ConsumePrefix(&reference, "x");
  uint32_t code = 0;
  if (reference.empty() || reference.size() > 8) {
    return false;
  }
  for (const char c : reference) {
    const bool digit =
        hex ? absl::ascii_isxdigit(static_cast<unsigned char>(c)) : absl::ascii_isdigit(static_cast<unsigned char>(c));
    if (!digit) {
      return false;
    }
    const int value = absl::ascii_isdigit(static_cast<unsigned char>(c))
                          ? c - '0'
                          : absl::ascii_tolower(static_cast<unsigned char>(c)) - 'a' + 10;
    code = code * (hex ? 16 : 10) + static_cast<uint32_t>(value);
  }
  return code == '\t' || code == '\n' || code == '\r' || (code >= 0x20 && code < 0xD800) ||
         (code >= 0xE000 && code < 0xFFFE) || (code >= 0x10000 && code <= 0x10FFFF);
}

absl::string_view LocalName(absl::string_view name) {
  const size_t colon = name.rfind(':');
  return colon == absl::string_view::npos ? name : name.substr(colon + 1);
}

// The elements that hold records together, by their local names.
bool HoldsRecords(absl::string_view name) {
  name = LocalName(name);
  for (const absl::string_view holder : {"rss", "channel", "feed", "RDF", "urlset", "sitemapindex"}) {
    if (name == holder) {
      return true;
    }
  }
  return false;
}

// Records of which there are many, and never one within another.
bool RepeatsOnly(absl::string_view name) {
  return name == "item" || name == "entry" || name == "url" || name == "sitemap";
}

// Whether an element of this name, within the record `record`, is an entry of its own: what holds it is then no record
// but an element around entries that no format has ("<items>", "<group>").
bool IsEntryWithin(absl::string_view name, absl::string_view record) {
  return (name == "item" || name == "entry") && !RepeatsOnly(LocalName(record));
}

bool IsNameStart(char c) { return absl::ascii_isalpha(static_cast<unsigned char>(c)) || c == '_' || (c & 0x80) != 0; }

bool IsNameCharacter(char c) {
  return IsNameStart(c) || absl::ascii_isdigit(static_cast<unsigned char>(c)) || c == '-' || c == '.' || c == ':';
}

bool IsSpace(char c) { return absl::ascii_isspace(static_cast<unsigned char>(c)); }

// A name that every parser takes: with one colon at most, and that between two parts. Not every letter may be in a
// name, and which ones may depends on the edition of XML: those that aren't ASCII, which no format that is read here
// has, become underscores.
std::string CleanName(absl::string_view name) {
  std::string clean(name);
  bool colon = false;
  for (size_t i = 0; i < clean.size(); ++i) {
    const bool parts = i + 1 < clean.size() && i > 0 && IsNameStart(clean[i + 1]);
    if ((clean[i] & 0x80) != 0 || (clean[i] == ':' && (colon || !parts))) {
      clean[i] = '_';
    }
    colon = colon || clean[i] == ':';
  }
  return clean;
}

}  // namespace

size_t XmlCleaner::CleanReference(absl::string_view rest, bool last, std::string* clean) {
  // By number: names of entities are passed over by a parser that has met an error.
  static constexpr std::array<std::pair<absl::string_view, absl::string_view>, 5> kPredefined = {
      {{"amp", "&#38;"}, {"lt", "&#60;"}, {"gt", "&#62;"}, {"quot", "&#34;"}, {"apos", "&#39;"}}};
  size_t end = 1;
  while (end < rest.size() && end <= kMaxEntityName &&
         (absl::ascii_isalnum(static_cast<unsigned char>(rest[end])) || rest[end] == '#')) {
    ++end;
  }
  if (end == rest.size() && end <= kMaxEntityName && !last) {
    return 0;
  }
  const std::string name(rest.substr(1, end - 1));
  if (end >= rest.size() || rest[end] != ';' || name.empty()) {
    clean->append("&#38;");
    return 1;
  }
  if (name[0] == '#') {
    absl::StrAppend(clean, IsXmlCharacter(name) ? absl::StrCat("&", name, ";") : " ");
    return end + 1;
  }
  for (const auto& [predefined, number] : kPredefined) {
    if (name == predefined) {
      absl::StrAppend(clean, number);
      return end + 1;
    }
  }
  auto entry = entities_.find(name);
  if (entry == entities_.end()) {
    const std::string decoded = HtmlToText(absl::StrCat("x&", name, ";x"));
    const bool known = decoded.size() > 2 && !absl::StrContains(decoded, "&") && !absl::StrContains(decoded, "<");
    std::string value = known ? decoded.substr(1, decoded.size() - 2) : absl::StrCat("&#38;", name, ";");
    if (entities_.size() >= kMaxEntities) {
      clean->append(value);
      return end + 1;
    }
    entry = entities_.emplace(name, std::move(value)).first;
  }
  clean->append(entry->second);
  return end + 1;
}

// Through the end of the document type, or all of `rest`; declarations within brackets belong to it.
size_t XmlCleaner::SkipDoctype(absl::string_view rest) {
  for (size_t i = 0; i < rest.size(); ++i) {
    const char c = rest[i];
    if (quote_ != 0) {
      quote_ = c == quote_ ? '\0' : quote_;
    } else if (c == '"' || c == '\'') {
      quote_ = c;
    } else if (c == '[') {
      in_subset_ = true;
    } else if (c == ']') {
      in_subset_ = false;
    } else if (c == '>' && !in_subset_) {
      state_ = State::kText;
      return i + 1;
    }
  }
  return rest.size();
}

// Through the end of a tag whose attributes are dropped, or all of `rest`.
size_t XmlCleaner::SkipLongTag(absl::string_view rest, std::string* clean) {
  for (size_t i = 0; i < rest.size(); ++i) {
    const char c = rest[i];
    if (quote_ != 0) {
      quote_ = c == quote_ ? '\0' : quote_;
    } else if ((c == '"' || c == '\'') && before_ == '=') {
      quote_ = c;
    } else if (c == '>') {
      state_ = State::kText;
      if (before_ == '/' && long_tag_opened_) {
        CloseThrough(open_.size() - 1, clean);
      } else if (before_ == '/' && too_deep_ > 0) {
        --too_deep_;
      }
      return i + 1;
    }
    before_ = absl::ascii_isspace(static_cast<unsigned char>(c)) ? before_ : c;
  }
  return rest.size();
}

size_t XmlCleaner::Skip(absl::string_view rest, bool last) {
  if (const size_t at = rest.find(skip_end_); at != absl::string_view::npos) {
    state_ = State::kText;
    return at + skip_end_.size();
  }
  return last ? rest.size() : rest.size() - std::min(rest.size(), skip_end_.size() - 1);
}

void XmlCleaner::Mark(absl::string_view what, std::string* clean) {
  if (!drops()) {
    absl::StrAppend(clean, "<?", what, "?>");
  }
}

bool XmlCleaner::Open(absl::string_view name, absl::string_view attributes, bool empty, std::string* clean) {
  if (ended_) {
    goes_on_ = true;
    return false;
  }
  // An entry never holds another one: the end of the one before is missing.
  if (in_record() && open_.size() == record_level_ + 1 && open_.back() == name && RepeatsOnly(name)) {
    Mark(kMended, clean);
    CloseThrough(record_level_, clean);
  }
  if (open_.size() >= kMaxXmlDepth) {
    too_deep_ += empty ? 0 : 1;
    return false;
  }
  if (in_record() && !too_long_ && IsEntryWithin(name, open_[record_level_])) {
    record_level_ = open_.size();
  }
  const bool holds_records = !in_record() && HoldsRecords(name);
  if (!in_record() && !holds_records) {
    record_bytes_ = 0;
    mended_ = false;
  }
  const bool dropped = in_record() && too_long_;
  open_.emplace_back(name);
  record_level_ += holds_records ? 1 : 0;
  if (!dropped) {
    absl::StrAppend(clean, "<", name, attributes, ">");
  }
  if (empty) {
    CloseThrough(open_.size() - 1, clean);
  }
  return true;
}

void XmlCleaner::CloseThrough(size_t level, std::string* clean) {
  while (open_.size() > level) {
    const bool ends_record = open_.size() == record_level_ + 1;
    // Of a record that is too long, all but itself was closed when that was seen.
    if (!too_long_ || open_.size() <= record_level_ + 1) {
      absl::StrAppend(clean, "</", open_.back(), ">");
    }
    open_.pop_back();
    record_level_ = std::min(record_level_, open_.size());
    if (ends_record) {
      too_long_ = false;
      too_deep_ = 0;
    }
  }
  ended_ = ended_ || open_.empty();
}

bool XmlCleaner::CleanAttributes(absl::string_view found, std::string* clean) {
  bool well_formed = true;
  std::vector<std::string> names;
  const auto skip = [&found](const auto& is) {
    size_t count = 0;
    while (count < found.size() && is(found[count])) {
      ++count;
    }
    const absl::string_view skipped = found.substr(0, count);
    found.remove_prefix(count);
    return skipped;
  };
  while (skip(IsSpace), !found.empty()) {
    const std::string name = CleanName(IsNameStart(found[0]) ? skip(IsNameCharacter) : absl::string_view());
    skip(IsSpace);
    if (name.empty() || !absl::ConsumePrefix(&found, "=")) {
      well_formed = false;
      found.remove_prefix(name.empty() && !found.empty() ? 1 : 0);
      continue;
    }
    skip(IsSpace);
    absl::string_view value;
    if (!found.empty() && (found[0] == '"' || found[0] == '\'')) {
      const size_t close = found.find(found[0], 1);
      well_formed = well_formed && close != absl::string_view::npos;
      value = found.substr(1, close == absl::string_view::npos ? close : close - 1);
      found.remove_prefix(std::min(found.size(), value.size() + 2));
    } else {
      well_formed = false;
      value = skip([](char c) { return !IsSpace(c); });
    }
    if (std::find(names.begin(), names.end(), name) != names.end()) {
      well_formed = false;
      continue;
    }
    // References are put right as those in text are; what they stand for may hold quotes.
    std::string text;
    for (size_t i = 0; i < value.size();) {
      const size_t run = std::min(value.find('&', i), value.size());
      AppendClean(value.substr(i, run - i), &text);
      i = run;
      if (i < value.size()) {
        i += CleanReference(value.substr(i), /*last=*/true, &text);
      }
    }
    absl::StrAppend(clean, " ", name, "=\"", absl::StrReplaceAll(text, {{"\"", "&#34;"}}), "\"");
    names.push_back(name);
  }
  return well_formed;
}

size_t XmlCleaner::CleanStartTag(absl::string_view rest, bool last, std::string* clean) {
  size_t name_end = 1;
  while (name_end < std::min(rest.size(), kMaxNameBytes) && IsNameCharacter(rest[name_end])) {
    ++name_end;
  }
  const absl::string_view name = rest.substr(1, name_end - 1);
  size_t attributes = 0;
  char quote = 0;
  char before = 0;
  size_t end = name_end;
  for (; end < std::min(rest.size(), kMaxTagBytes) && attributes <= kMaxXmlAttributes; ++end) {
    const char c = rest[end];
    if (c == '<' || (quote == 0 && c == '>')) {
      break;  // A bracket that opens has no place in a tag, in quotes or not: this one was never closed.
    }
    if (quote != 0) {
      quote = c == quote ? '\0' : quote;
    } else if ((c == '"' || c == '\'') && before == '=') {
      quote = c;
    } else if (c == '=') {
      ++attributes;
    }
    before = absl::ascii_isspace(static_cast<unsigned char>(c)) ? before : c;
  }
  if (attributes > kMaxXmlAttributes || end == kMaxTagBytes) {
    long_tag_opened_ = Open(CleanName(name), "", /*empty=*/false, clean);
    if (!std::exchange(mended_, true)) {
      Mark(kMended, clean);
    }
    quote_ = quote;
    before_ = before;
    state_ = State::kLongTag;
    return end;
  }
  if (end == rest.size()) {
    return last ? rest.size() : 0;
  }
  const bool closed = rest[end] == '>';
  const bool empty = closed && rest[end - 1] == '/';
  std::string attributes_text;
  const bool well_formed =
      CleanAttributes(rest.substr(name_end, end - name_end - (empty ? 1 : 0)), &attributes_text) && closed;
  Open(CleanName(name), attributes_text, empty, clean);
  if (!well_formed && !std::exchange(mended_, true)) {
    Mark(kMended, clean);
  }
  return closed ? end + 1 : end;
}

size_t XmlCleaner::CleanEndTag(absl::string_view rest, bool last, std::string* clean) {
  const size_t end = rest.substr(0, kMaxNameBytes).find_first_of("<>", 1);
  if (end == absl::string_view::npos) {
    if (rest.size() < kMaxNameBytes) {
      return last ? rest.size() : 0;
    }
    return 2;  // No name is so long: what follows is text.
  }
  const std::string name = CleanName(absl::StripAsciiWhitespace(rest.substr(2, end - 2)));
  const size_t length = rest[end] == '>' ? end + 1 : end;
  const bool ends_record = in_record() && open_[record_level_] == name;
  if (too_deep_ > 0 && !ends_record) {
    --too_deep_;
    return length;
  }
  for (size_t level = open_.size(); level > 0; --level) {
    if (open_[level - 1] != name) {
      continue;
    }
    if (level < open_.size() && !std::exchange(mended_, true)) {
      Mark(kMended, clean);
    }
    CloseThrough(level - 1, clean);
    return length;
  }
  if (!std::exchange(mended_, true)) {
    Mark(kMended, clean);
  }
  return length;
}

size_t XmlCleaner::CleanCdata(absl::string_view rest, bool last, std::string* clean) {
  size_t sure = 0;
  size_t used = 0;
  if (const size_t end = rest.find("]]>"); end != absl::string_view::npos) {
    sure = end;
    used = end + 3;
    state_ = State::kText;
  } else {
    // The last two bytes may begin the end; and no character may be parted by what is put around this.
    sure = last ? rest.size() : rest.size() - std::min<size_t>(rest.size(), 2);
    while (sure > 0 && sure < rest.size() && IsContinuation(rest[sure])) {
      --sure;
    }
    used = sure;
  }
  if (!drops()) {
    clean->append("<![CDATA[");
    AppendClean(rest.substr(0, sure), clean);
    clean->append("]]>");
  }
  return used;
}

size_t XmlCleaner::CleanInstruction(absl::string_view rest, bool last, std::string* clean) {
  const absl::string_view window = rest.substr(0, kMaxInstructionBytes);
  const auto is_tag = [window](size_t at) {
    return at + 1 < window.size() &&
           (IsNameStart(window[at + 1]) || absl::StrContains("/!?", window.substr(at + 1, 1)));
  };
  size_t tag = window.find('<', 2);
  while (tag != absl::string_view::npos && !is_tag(tag)) {
    tag = window.find('<', tag + 1);
  }
  const size_t end = window.find("?>", 2);
  if (end != absl::string_view::npos && end < tag) {
    return end + 2;
  }
  if (tag == absl::string_view::npos && window.size() < kMaxInstructionBytes && !last) {
    return 0;
  }
  // As SGML has it; or it was never closed, and takes nothing with it.
  const size_t bracket = window.find('>', 2);
  if (bracket != absl::string_view::npos && bracket < tag) {
    return bracket + 1;
  }
  if (tag != absl::string_view::npos) {
    if (!std::exchange(mended_, true)) {
      Mark(kMended, clean);
    }
    return tag;
  }
  state_ = State::kSkip;
  skip_end_ = ">";
  return window.size();
}

size_t XmlCleaner::CleanMarkup(absl::string_view rest, bool last, std::string* clean) {
  static constexpr absl::string_view kCdata = "<![CDATA[";
  static constexpr absl::string_view kDoctype = "<!doctype";
  if (rest.size() < kCdata.size() && !last && rest.find('>') == absl::string_view::npos) {
    return 0;
  }
  if (absl::StartsWith(rest, kCdata)) {
    state_ = State::kCdata;
    return kCdata.size();
  }
  if (absl::StartsWithIgnoreCase(rest, kDoctype)) {
    state_ = State::kDoctype;
    in_subset_ = false;
    quote_ = 0;
    return kDoctype.size();
  }
  if (absl::StartsWith(rest, "<!--")) {
    state_ = State::kSkip;
    skip_end_ = "-->";
    return 4;
  }
  if (absl::StartsWith(rest, "<?")) {
    return CleanInstruction(rest, last, clean);
  }
  if (absl::StartsWith(rest, "<!")) {
    state_ = State::kSkip;
    skip_end_ = ">";
    return 2;
  }
  if (rest.size() > 2 && rest[1] == '/' && IsNameStart(rest[2])) {
    return CleanEndTag(rest, last, clean);
  }
  if (rest.size() > 1 && IsNameStart(rest[1])) {
    return CleanStartTag(rest, last, clean);
  }
  if (!drops()) {
    clean->append("&#60;");
  }
  return 1;
}

size_t XmlCleaner::CleanText(absl::string_view rest, bool last, std::string* clean) {
  if (rest[0] == '<') {
    return CleanMarkup(rest, last, clean);
  }
  if (rest[0] == '&') {
    std::string reference;
    const size_t used = CleanReference(rest, last, &reference);
    if (!drops()) {
      clean->append(reference);
    }
    return used;
  }
  const size_t run = std::min(rest.find_first_of("<&"), rest.size());  // Up to what has a meaning.
  if (!drops()) {
    AppendClean(rest.substr(0, run), clean);
  }
  return run;
}

void XmlCleaner::Clean(absl::string_view xml, bool last, std::string* clean) {
  line_ += static_cast<int>(std::count(xml.begin(), xml.end(), '\n'));
  kept_.append(xml.data(), xml.size());
  const absl::string_view input = last ? kept_ : WholeCharacters(kept_);
  size_t i = 0;
  while (i < input.size()) {
    const absl::string_view rest = input.substr(i);
    size_t used = 0;
    switch (state_) {
      case State::kText:
        used = CleanText(rest, last, clean);
        break;
      case State::kCdata:
        used = CleanCdata(rest, last, clean);
        break;
      case State::kDoctype:
        used = SkipDoctype(rest);
        break;
      case State::kSkip:
        used = Skip(rest, last);
        break;
      case State::kLongTag:
        used = SkipLongTag(rest, clean);
        break;
    }
    if (used == 0) {
      break;
    }
    i += used;
    record_bytes_ += used;
    if (in_record() && !too_long_ && record_bytes_ > max_record_bytes_) {
      Mark(kTooLong, clean);
      for (size_t level = open_.size(); level > record_level_ + 1; --level) {
        absl::StrAppend(clean, "</", open_[level - 1], ">");
      }
      too_long_ = true;
    }
  }
  kept_.erase(0, i);
  if (last && !open_.empty()) {
    cut_off_ = true;
    if (in_record()) {
      // Also in one whose rest is dropped.
      absl::StrAppend(clean, "<?", kCutOff, "?>");
    }
    CloseThrough(0, clean);
  }
}

std::string NameOf(const xmlNode* node) {
  const absl::string_view prefix = node->ns == nullptr ? absl::string_view() : View(node->ns->prefix);
  const absl::string_view uri = node->ns == nullptr ? absl::string_view() : View(node->ns->href);
  return NameOf(View(node->name), prefix, uri);
}

std::string TextOf(const xmlNode* node) {
  xmlChar* const content = xmlNodeGetContent(node);
  std::string text(View(content));
  xmlFree(content);
  return text;
}

std::string AttributeOf(const xmlNode* node, const char* name) {
  xmlChar* const value = xmlGetProp(node, reinterpret_cast<const xmlChar*>(name));
  std::string text(View(value));
  xmlFree(value);
  return text;
}

std::string MarkupOf(const xmlNode* node) {
  std::string markup;
  xmlBuffer* const buffer = xmlBufferCreate();
  if (buffer == nullptr) {
    return markup;
  }
  for (xmlNode* child = node->children; child != nullptr; child = child->next) {
    xmlNodeDump(buffer, node->doc, child, 0, 0);
  }
  markup = std::string(View(xmlBufferContent(buffer)));
  xmlBufferFree(buffer);
  return markup;
}

std::vector<const xmlNode*> Children::All(absl::string_view name) const {
  const size_t colon = name.find(':');
  const absl::string_view local = colon == absl::string_view::npos ? name : name.substr(colon + 1);
  std::vector<const xmlNode*> found;
  for (const xmlNode* child = node_->children; child != nullptr; child = child->next) {
    // The end of the name tells most of them apart without a new string.
    if (child->type == XML_ELEMENT_NODE && absl::EndsWith(View(child->name), local) && NameOf(child) == name) {
      found.push_back(child);
    }
  }
  return found;
}

const xmlNode* Children::First(absl::string_view name) const {
  const auto all = All(name);
  return all.empty() ? nullptr : all.front();
}

std::string Children::Text(absl::string_view name) const {
  const xmlNode* const node = First(name);
  return node == nullptr ? std::string() : CollapseSpace(TextOf(node));
}

void XmlStream::ParserCloser::operator()(xmlParserCtxt* parser) const {
  xmlDoc* const document = parser->myDoc;
  xmlFreeParserCtxt(parser);
  xmlFreeDoc(document);
}

XmlStream* XmlStream::Of(void* parser) {
  return static_cast<XmlStream*>(static_cast<xmlParserCtxt*>(parser)->_private);
}

XmlStream::XmlStream(Input input, std::string charset, size_t max_record_bytes)
    : read_(ReadAsUtf8(std::move(input), std::move(charset))), cleaner_(max_record_bytes) {
  static std::once_flag once;
  std::call_once(once, [] { xmlInitParser(); });
  // The parser builds the tree; what is added here takes each record out of it as soon as it is whole.
  xmlSAXHandler handler = {};
  xmlSAXVersion(&handler, 2);
  handler.startElementNs = [](void* parser, const xmlChar* name, const xmlChar* prefix, const xmlChar* uri,
                              int namespace_count, const xmlChar** namespaces, int attribute_count, int default_count,
                              const xmlChar** attributes) {
    xmlSAX2StartElementNs(parser, name, prefix, uri, namespace_count, namespaces, attribute_count, default_count,
                          attributes);
    Of(parser)->OnOpened(static_cast<xmlParserCtxt*>(parser)->node);
  };
  handler.endElementNs = [](void* parser, const xmlChar* name, const xmlChar* prefix, const xmlChar* uri) {
    xmlNode* const node = static_cast<xmlParserCtxt*>(parser)->node;
    xmlSAX2EndElementNs(parser, name, prefix, uri);
    Of(parser)->OnClosed(node);
  };
  handler.processingInstruction = [](void* parser, const xmlChar* target, const xmlChar* /*data*/) {
    Of(parser)->OnInstruction(View(target));
  };
  // (libxml2 2.12 has made the second parameter const.)
  handler.serror = [](void* parser, auto error) {
    if (error != nullptr && error->level >= XML_ERR_ERROR && error->domain != XML_FROM_NAMESPACE) {
      Of(parser)->about_open_.mended = true;
    }
  };
  parser_.reset(xmlCreatePushParserCtxt(&handler, nullptr, nullptr, 0, nullptr));
  if (parser_ == nullptr) {
    status_ = absl::ResourceExhaustedError("no memory to read XML");
    ended_ = true;
    return;
  }
  parser_->_private = this;
  // Sizes and depths are limited by the cleaner, and it lets no entity through.
  xmlCtxtUseOptions(parser_.get(), XML_PARSE_RECOVER | XML_PARSE_NONET | XML_PARSE_NOCDATA | XML_PARSE_HUGE);
}

XmlStream::~XmlStream() {
  FreeRecord();
  for (const Owned& owned : whole_) {
    xmlFreeNode(owned.node);
  }
}

void XmlStream::FreeRecord() {
  if (given_ != nullptr) {
    xmlFreeNode(std::exchange(given_, nullptr));
  }
}

void XmlStream::OnOpened(xmlNode* node) {
  if (node == nullptr) {
    return;
  }
  const bool has_prefix = node->ns != nullptr && node->ns->prefix != nullptr;
  if (open_ != nullptr && (about_open_.too_long || has_prefix || !IsEntryWithin(View(node->name), View(open_->name)))) {
    return;
  }
  root_ = root_ == nullptr ? node : root_;
  if (!HoldsRecords(View(node->name))) {
    open_ = node;
    about_open_ = XmlRecord();
  }
}

void XmlStream::OnClosed(xmlNode* node) {
  if (node != open_) {
    return;
  }
  open_ = nullptr;
  if (node == nullptr || node == root_) {
    return;
  }
  // The parser knows of no node that leaves its tree: with the sizes of the text it read last, it would go on in
  // another text that is the last one now.
  xmlUnlinkNode(node);
  parser_->nodelen = 0;
  parser_->nodemem = 0;
  about_open_.node = node;
  whole_.push_back({node, about_open_});
}

void XmlStream::OnInstruction(absl::string_view target) {
  about_open_.mended = about_open_.mended || target == XmlCleaner::kMended;
  about_open_.too_long = about_open_.too_long || target == XmlCleaner::kTooLong;
  about_open_.cut_off = about_open_.cut_off || target == XmlCleaner::kCutOff;
}

bool XmlStream::ReadMore() {
  if (ended_) {
    return false;
  }
  std::array<char, kReadBytes> piece{};
  const absl::StatusOr<size_t> got = read_(piece.data(), piece.size());
  if (!got.ok()) {
    ended_ = true;
    status_ = got.status();
    return false;
  }
  ended_ = *got == 0;
  clean_.clear();
  cleaner_.Clean(absl::string_view(piece.data(), *got), ended_, &clean_);
  xmlParseChunk(parser_.get(), clean_.data(), static_cast<int>(clean_.size()), ended_ ? 1 : 0);
  const auto malformed = [this](absl::string_view what) {
    status_ = common::WithReason(absl::InvalidArgumentError(what), "MALFORMED_XML");
  };
  if (parser_->disableSAX != 0 && !ended_) {
    ended_ = true;
    malformed("is not well-formed XML");
  } else if (ended_ && root_ == nullptr) {
    malformed("has no element");
  } else if (ended_ && cleaner_.cut_off()) {
    malformed("ends before its elements do");
  } else if (ended_ && cleaner_.goes_on()) {
    malformed("goes on after its end, where another document seems to begin");
  }
  return true;
}

const xmlNode* XmlStream::Root() {
  while (root_ == nullptr && ReadMore()) {
  }
  return root_;
}

std::optional<XmlRecord> XmlStream::Next() {
  FreeRecord();
  while (whole_.empty() && ReadMore()) {
  }
  if (whole_.empty()) {
    return std::nullopt;
  }
  const Owned owned = whole_.front();
  whole_.pop_front();
  given_ = owned.node;
  return owned.record;
}

}  // namespace dateline::extraction
