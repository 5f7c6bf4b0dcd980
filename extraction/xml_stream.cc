#include "extraction/xml_stream.h"

#include <libxml/parser.h>
#include <libxml/tree.h>
#include <libxml/xmlerror.h>
#include <libxml/xmlreader.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

#include "common/error.h"
#include "extraction/html_document.h"
#include "extraction/text_shape.h"

namespace dateline::extraction {
namespace {

constexpr size_t kMaxEntityName = 32;
constexpr size_t kReadBytes = 16'384;
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

std::string NameOf(const xmlNode* node) {
  const absl::string_view prefix = node->ns == nullptr ? absl::string_view() : View(node->ns->prefix);
  const absl::string_view uri = node->ns == nullptr ? absl::string_view() : View(node->ns->href);
  return NameOf(View(node->name), prefix, uri);
}

bool IsControl(char c) {
  const auto u = static_cast<unsigned char>(c);
  return u < 0x20 && u != '\n' && u != '\t' && u != '\r';
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

}  // namespace

size_t XmlCleaner::CleanReference(absl::string_view rest, bool last, std::string* clean) {
  static constexpr std::array<absl::string_view, 5> kPredefined = {"amp", "lt", "gt", "quot", "apos"};
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
    clean->append("&amp;");
    return 1;
  }
  if (name[0] == '#') {
    absl::StrAppend(clean, IsXmlCharacter(name) ? absl::StrCat("&", name, ";") : " ");
    return end + 1;
  }
  if (std::find(kPredefined.begin(), kPredefined.end(), name) != kPredefined.end()) {
    absl::StrAppend(clean, "&", name, ";");
    return end + 1;
  }
  auto entry = entities_.find(name);
  if (entry == entities_.end()) {
    const std::string decoded = HtmlToText(absl::StrCat("x&", name, ";x"));
    const bool known = decoded.size() > 2 && !absl::StrContains(decoded, "&") && !absl::StrContains(decoded, "<");
    std::string value = known ? decoded.substr(1, decoded.size() - 2) : absl::StrCat("&amp;", name, ";");
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

void XmlCleaner::Clean(absl::string_view xml, bool last, std::string* clean) {
  static constexpr absl::string_view kCdata = "<![CDATA[";
  static constexpr absl::string_view kDoctype = "<!doctype";
  kept_.append(xml.data(), xml.size());
  const absl::string_view input = kept_;
  size_t i = 0;
  while (i < input.size()) {
    const absl::string_view rest = input.substr(i);
    if (state_ == State::kDoctype) {
      i += SkipDoctype(rest);
      continue;
    }
    if (state_ == State::kCdata) {
      const size_t end = rest.find("]]>");
      if (end != absl::string_view::npos) {
        AppendClean(rest.substr(0, end + 3), clean);
        i += end + 3;
        state_ = State::kText;
        continue;
      }
      // The last two bytes may begin the end, or be part of a character that is looked at as a whole.
      size_t sure = last ? rest.size() : rest.size() - std::min<size_t>(rest.size(), 2);
      const size_t lead = rest.substr(0, sure).rfind('\xEF');
      sure = !last && lead != absl::string_view::npos && lead + 3 > sure ? lead : sure;
      AppendClean(rest.substr(0, sure), clean);
      i += sure;
      break;
    }
    if (rest[0] == '<') {
      if (rest.size() < kCdata.size() && !last) {
        break;
      }
      if (absl::StartsWith(rest, kCdata)) {
        clean->append(kCdata.data(), kCdata.size());
        i += kCdata.size();
        state_ = State::kCdata;
        continue;
      }
      if (absl::StartsWithIgnoreCase(rest, kDoctype)) {
        i += kDoctype.size();
        state_ = State::kDoctype;
        in_subset_ = false;
        quote_ = 0;
        continue;
      }
      if (absl::StartsWith(rest, "<?xml ")) {
        const size_t end = rest.find("?>");
        if (end == absl::string_view::npos && rest.size() < 1024 && !last) {
          break;
        }
        if (end != absl::string_view::npos) {
          i += end + 2;
          continue;
        }
      }
      clean->push_back('<');
      ++i;
      continue;
    }
    if (rest[0] == '&') {
      const size_t read = CleanReference(rest, last, clean);
      if (read == 0) {
        break;
      }
      i += read;
      continue;
    }
    // Up to what has a meaning; a character that is looked at as a whole is kept whole.
    size_t run = rest.find_first_of("<&");
    run = run == absl::string_view::npos ? rest.size() : run;
    if (run == rest.size() && !last) {
      const size_t lead = rest.rfind('\xEF');
      run = lead != absl::string_view::npos && lead + 3 > run ? lead : run;
      if (run == 0) {
        break;
      }
    }
    AppendClean(rest.substr(0, run), clean);
    i += run;
  }
  kept_.erase(0, i);
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

XmlStream::XmlStream(Input input, std::string charset, size_t max_element_bytes)
    : read_(ReadAsUtf8(std::move(input), std::move(charset))), max_element_bytes_(max_element_bytes) {
  static std::once_flag once;
  std::call_once(once, [] { xmlInitParser(); });
  reader_.reset(xmlReaderForIO(&XmlStream::ReadFor, nullptr, this, nullptr, "UTF-8",
                               XML_PARSE_NONET | XML_PARSE_NOCDATA | XML_PARSE_NOERROR | XML_PARSE_NOWARNING));
  if (reader_ == nullptr) {
    Fail();
    return;
  }
  // Errors are told by what the reader returns. (libxml2 2.12, Debian 13's, has made the second parameter const.)
  xmlTextReaderSetStructuredErrorHandler(
      reader_.get(), [](void* /*context*/, auto /*error*/) {}, nullptr);
}

int XmlStream::ReadFor(void* stream, char* buffer, int size) {
  return static_cast<XmlStream*>(stream)->Read(buffer, static_cast<size_t>(size));
}

// -1 ends the parse.
int XmlStream::Read(char* buffer, size_t size) {
  while (given_ == clean_.size()) {
    clean_.clear();
    given_ = 0;
    if (read_all_) {
      return 0;
    }
    std::array<char, kReadBytes> piece{};
    const absl::StatusOr<size_t> got = read_(piece.data(), piece.size());
    if (!got.ok()) {
      status_ = got.status();
      return -1;
    }
    read_all_ = *got == 0;
    cleaner_.Clean(absl::string_view(piece.data(), *got), read_all_, &clean_);
    since_element_ += *got;
    if (since_element_ > max_element_bytes_ + kReadBytes) {
      status_ = common::WithReason(
          absl::InvalidArgumentError(absl::StrCat("is longer than ", max_element_bytes_, " bytes")), kDocumentTooLarge);
      return -1;
    }
  }
  const size_t count = std::min(size, clean_.size() - given_);
  std::memcpy(buffer, clean_.data() + given_, count);
  given_ += count;
  return static_cast<int>(count);
}

void XmlStream::Fail() {
  if (status_.ok()) {
    status_ = common::WithReason(
        absl::InvalidArgumentError(absl::StrCat("is not well-formed XML from line ", line(), " on")), "MALFORMED_XML");
  }
}

int XmlStream::line() const { return reader_ == nullptr ? 1 : xmlTextReaderGetParserLineNumber(reader_.get()); }

bool XmlStream::Next() {
  if (!status_.ok()) {
    return false;
  }
  since_element_ = 0;
  int result = expanded_ ? xmlTextReaderNext(reader_.get()) : xmlTextReaderRead(reader_.get());
  expanded_ = false;
  while (result == 1 && xmlTextReaderNodeType(reader_.get()) != XML_READER_TYPE_ELEMENT) {
    since_element_ = 0;
    result = xmlTextReaderRead(reader_.get());
  }
  if (result == 1) {
    return true;
  }
  if (result < 0 || !status_.ok()) {
    Fail();
  }
  return false;
}

std::string XmlStream::name() const {
  return NameOf(View(xmlTextReaderConstLocalName(reader_.get())), View(xmlTextReaderConstPrefix(reader_.get())),
                View(xmlTextReaderConstNamespaceUri(reader_.get())));
}

int XmlStream::depth() const { return xmlTextReaderDepth(reader_.get()); }

std::string XmlStream::Attribute(const char* attribute) const {
  xmlChar* const value = xmlTextReaderGetAttribute(reader_.get(), reinterpret_cast<const xmlChar*>(attribute));
  std::string text(View(value));
  xmlFree(value);
  return text;
}

const xmlNode* XmlStream::Expand() {
  const xmlNode* const node = xmlTextReaderExpand(reader_.get());
  if (node == nullptr || !status_.ok()) {
    Fail();
    return nullptr;
  }
  expanded_ = true;
  return node;
}

}  // namespace dateline::extraction
