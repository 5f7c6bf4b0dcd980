#include "extraction/feed_reader.h"

#include <libxml/parser.h>
#include <libxml/tree.h>
#include <libxml/xmlerror.h>
#include <libxml/xmlreader.h>

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

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"

#include "common/error.h"
#include "common/text.h"
#include "common/url.h"
#include "extraction/article_builder.h"
#include "extraction/dates.h"
#include "extraction/html_body.h"
#include "extraction/html_document.h"
#include "extraction/html_metadata.h"
#include "extraction/text_shape.h"

namespace dateline::extraction {
namespace {

constexpr size_t kMaxEntityName = 32;
constexpr size_t kMaxIdBytes = 200;

struct ReaderCloser {
  void operator()(xmlTextReader* reader) const { xmlFreeTextReader(reader); }
};

absl::string_view View(const xmlChar* text) {
  return text == nullptr ? absl::string_view() : absl::string_view(reinterpret_cast<const char*>(text));
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

// The markup within `node`: XHTML content of Atom.
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

// Among the child elements of an entry, those of one name. Prefixes count only where they tell two apart.
class Entry {
 public:
  explicit Entry(const xmlNode* node) : node_(node) {}

  std::vector<const xmlNode*> All(absl::string_view name) const {
    std::vector<const xmlNode*> found;
    const size_t colon = name.find(':');
    const absl::string_view prefix = colon == absl::string_view::npos ? absl::string_view() : name.substr(0, colon);
    const absl::string_view local = colon == absl::string_view::npos ? name : name.substr(colon + 1);
    for (const xmlNode* child = node_->children; child != nullptr; child = child->next) {
      if (child->type != XML_ELEMENT_NODE || View(child->name) != local) {
        continue;
      }
      const absl::string_view child_prefix = child->ns == nullptr ? absl::string_view() : View(child->ns->prefix);
      if (prefix.empty() ? (child_prefix.empty() || child_prefix == "atom" || child_prefix == "rss")
                         : child_prefix == prefix) {
        found.push_back(child);
      }
    }
    return found;
  }

  const xmlNode* First(absl::string_view name) const {
    const auto all = All(name);
    return all.empty() ? nullptr : all.front();
  }

  std::string Text(absl::string_view name) const {
    const xmlNode* const node = First(name);
    return node == nullptr ? std::string() : CollapseSpace(TextOf(node));
  }

 private:
  const xmlNode* node_;
};

// HTML or text as HTML: what Atom's `type` and RSS's habits mean.
std::string HtmlOf(const xmlNode* node) {
  const std::string type = AttributeOf(node, "type");
  if (type == "xhtml") {
    return MarkupOf(node);
  }
  return TextOf(node);
}

std::vector<BodyPart> PartsOfText(absl::string_view html) {
  std::vector<BodyPart> parts;
  const absl::StatusOr<HtmlDocument> document = HtmlDocument::Parse(html);
  if (!document.ok()) {
    return parts;
  }
  // A feed's content is the article: where the search for it finds little, all of it is taken.
  const std::string all = document->size() > 0 ? document->Text(0) : "";
  HtmlBody body = ExtractHtmlBody(*document, HtmlMetadata(), false);
  size_t kept = 0;
  for (const BodyPart& part : body.parts) {
    kept += part.text.size();
  }
  if (kept * 2 >= all.size() && !body.parts.empty()) {
    return std::move(body.parts);
  }
  std::string paragraph;
  for (int32_t i = 0; i < document->size(); ++i) {
    const HtmlNode& node = document->node(i);
    if (node.is_text) {
      absl::StrAppend(&paragraph, node.text);
    } else if (IsBlockTag(node.tag) || node.tag == GUMBO_TAG_BR) {
      if (std::string clean = CollapseSpace(paragraph); !clean.empty()) {
        parts.push_back({.text = std::move(clean), .heading_level = 0});
      }
      paragraph.clear();
    }
  }
  if (std::string clean = CollapseSpace(paragraph); !clean.empty()) {
    parts.push_back({.text = std::move(clean), .heading_level = 0});
  }
  return parts;
}

bool IsUsableId(absl::string_view id) {
  return !id.empty() && id.size() <= kMaxIdBytes && std::all_of(id.begin(), id.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
           absl::StrContains("-._~:/@+=,", absl::string_view(&c, 1));
  });
}

class FeedReader final : public SourceReader {
 public:
  FeedReader(const std::string& xml, const SourceOptions& options, absl::Time now)
      : SourceReader(Format::kFeed), xml_(CleanXml(xml)), options_(options), now_(now) {
    static std::once_flag once;
    std::call_once(once, [] { xmlInitParser(); });
    reader_.reset(xmlReaderForMemory(xml_.data(), static_cast<int>(xml_.size()), nullptr, "UTF-8",
                                     XML_PARSE_NONET | XML_PARSE_NOCDATA | XML_PARSE_NOERROR | XML_PARSE_NOWARNING));
    if (reader_ != nullptr) {
      xmlTextReaderSetStructuredErrorHandler(reader_.get(), &FeedReader::Ignore, nullptr);
    }
  }

  std::optional<SourceItem> Next() override {
    if (done_ || reader_ == nullptr) {
      return std::nullopt;
    }
    int result = skip_subtree_ ? xmlTextReaderNext(reader_.get()) : xmlTextReaderRead(reader_.get());
    skip_subtree_ = false;
    for (; result == 1; result = xmlTextReaderRead(reader_.get())) {
      if (xmlTextReaderNodeType(reader_.get()) != XML_READER_TYPE_ELEMENT) {
        continue;
      }
      const absl::string_view name = View(xmlTextReaderConstLocalName(reader_.get()));
      if (name == "item" || name == "entry") {
        const xmlNode* const node = xmlTextReaderExpand(reader_.get());
        if (node == nullptr) {
          break;
        }
        skip_subtree_ = true;
        return ReadEntry(node);
      }
      ReadFeedField(name);
    }
    done_ = true;
    if (result == 0 && number_ > 0) {
      return std::nullopt;
    }
    return LastError(result == 0);
  }

 private:
  static void Ignore(void* /*context*/, xmlErrorPtr /*error*/) {}

  SourceItem LastError(bool complete) {
    SourceItem item;
    item.number = number_ + 1;
    item.position = absl::StrCat("entry ", item.number);
    item.extraction = common::WithReason(
        common::InvalidField("content", complete ? std::string("is a feed without entries")
                                                 : absl::StrCat("is a feed that breaks off at line ",
                                                                xmlTextReaderGetParserLineNumber(reader_.get()),
                                                                ": it is not well-formed XML from there on")),
        complete ? kNotAnArticle : "MALFORMED_FEED");
    return item;
  }

  // <title> and <language> of the feed itself, which stand before its entries.
  void ReadFeedField(absl::string_view name) {
    const int depth = xmlTextReaderDepth(reader_.get());
    if (name == "feed" || name == "rss" || name == "RDF") {
      xmlChar* const lang = xmlTextReaderGetAttribute(reader_.get(), reinterpret_cast<const xmlChar*>("xml:lang"));
      language_ = std::string(View(lang));
      xmlFree(lang);
    } else if (depth >= 1 && depth <= 2 && (name == "title" || name == "language")) {
      std::string& field = name == "title" ? source_ : language_;
      const xmlNode* const node = field.empty() ? xmlTextReaderExpand(reader_.get()) : nullptr;
      if (node != nullptr) {
        field = HtmlToText(TextOf(node));
      }
    }
  }

  SourceItem ReadEntry(const xmlNode* node) {
    SourceItem item;
    item.number = ++number_;
    item.position = absl::StrCat("entry ", number_);
    const Entry entry(node);
    Extraction extraction;
    Article& article = extraction.article;
    const xmlNode* const title = entry.First("title");
    article.title = title == nullptr ? std::string() : HtmlToText(HtmlOf(title));
    article.source = source_;
    if (language_.size() >= 2 && language_.size() <= 11) {
      article.language_code = language_;
    }
    ReadLinks(entry, &article);
    ReadAuthors(entry, &article);
    ReadDates(entry, &extraction);
    for (const char* name : {"category", "dc:subject"}) {
      for (const xmlNode* category : entry.All(name)) {
        const std::string label = AttributeOf(category, "label");
        const std::string term = AttributeOf(category, "term");
        AddLabel("category", !label.empty() ? label : !term.empty() ? term : HtmlToText(TextOf(category)), &article);
      }
    }
    ReadContent(entry, &extraction);
    if (article.title.empty() && article.body.empty()) {
      item.extraction =
          common::WithReason(common::InvalidField(item.position, "has neither title nor text"), kNotAnArticle);
      return item;
    }
    std::vector<std::string>& warnings = extraction.warnings;
    FinishArticle("", now_, &article, &warnings);
    item.extraction = std::move(extraction);
    return item;
  }

  void ReadLinks(const Entry& entry, Article* article) const {
    for (const xmlNode* link : entry.All("link")) {
      const std::string rel = AttributeOf(link, "rel");
      const std::string href = AttributeOf(link, "href");
      const std::string target = href.empty() ? CollapseSpace(TextOf(link)) : href;
      if (rel.empty() || rel == "alternate") {
        const std::string url = ResolveUrl(target, options_.url);
        if (article->url.empty()) {
          article->url = url;
        }
      } else if (rel == "enclosure" && absl::StartsWith(AttributeOf(link, "type"), "image/")) {
        article->image_url = ResolveUrl(target, options_.url);
      }
    }
    for (const char* name : {"feedburner:origLink"}) {
      const std::string original = ResolveUrl(entry.Text(name), options_.url);
      if (!original.empty()) {
        if (!article->url.empty() && article->url != original) {
          article->alternate_urls.push_back(article->url);
        }
        article->url = original;
      }
    }
    const xmlNode* const guid = entry.First("guid");
    const std::string id = guid != nullptr ? CollapseSpace(TextOf(guid)) : entry.Text("id");
    if (article->url.empty() && common::LooksLikeUrl(id)) {
      article->url = ResolveUrl(id, options_.url);
    }
    if (article->url.empty() && IsUsableId(id)) {
      article->id = id;  // With a URL the id follows from that, as for the page itself.
    }
    for (const char* name : {"media:content", "media:thumbnail", "enclosure"}) {
      for (const xmlNode* media : entry.All(name)) {
        const std::string type = AttributeOf(media, "type");
        if (article->image_url.empty() &&
            (absl::StartsWith(type, "image/") || AttributeOf(media, "medium") == "image" ||
             absl::string_view(name) == "media:thumbnail")) {
          article->image_url = ResolveUrl(AttributeOf(media, "url"), options_.url);
        }
      }
    }
  }

  static void ReadAuthors(const Entry& entry, Article* article) {
    const auto add = [article](absl::string_view text) {
      std::vector<std::string> names = ParseNameList(text);
      if (names.empty()) {
        names.push_back(CleanAuthorName(text));
      }
      for (std::string& name : names) {
        if (!name.empty() &&
            std::find(article->authors.begin(), article->authors.end(), name) == article->authors.end()) {
          article->authors.push_back(std::move(name));
        }
      }
    };
    for (const xmlNode* creator : entry.All("dc:creator")) {
      add(HtmlToText(TextOf(creator)));
    }
    for (const xmlNode* author : entry.All("author")) {
      const std::string name = Entry(author).Text("name");
      if (!name.empty()) {
        add(name);
        continue;
      }
      // RSS: "jane@example.org (Jane Roe)".
      const std::string text = CollapseSpace(TextOf(author));
      const size_t open = text.find('(');
      const size_t close = text.find(')', open == std::string::npos ? 0 : open);
      add(open != std::string::npos && close != std::string::npos ? text.substr(open + 1, close - open - 1) : text);
    }
  }

  void ReadDates(const Entry& entry, Extraction* extraction) const {
    Article& article = extraction->article;
    for (const char* name : {"pubDate", "published", "dc:date", "issued", "created", "updated"}) {
      const std::string text = entry.Text(name);
      const auto date = FindDate(text);
      if (!date || article.publish_time) {
        continue;
      }
      if (!IsPlausibleTime(date->time, now_)) {
        extraction->warnings.push_back(absl::StrCat("publish_time: \"",
                                                    text.substr(0, common::CodePointFloor(text, 40)),
                                                    "\" cannot be right and was dropped"));
        continue;
      }
      article.publish_time = date->time;
      article.publish_time_precision = date->precision;
    }
    for (const char* name : {"updated", "modified", "dcterms:modified"}) {
      const auto date = FindDate(entry.Text(name));
      if (date && !article.update_time && IsPlausibleTime(date->time, now_)) {
        article.update_time = date->time;
      }
    }
  }

  static void ReadContent(const Entry& entry, Extraction* extraction) {
    const xmlNode* content = entry.First("content:encoded");
    content = content == nullptr ? entry.First("content") : content;
    const xmlNode* summary = entry.First("description");
    summary = summary == nullptr ? entry.First("summary") : summary;
    if (content != nullptr) {
      SetBody(PartsOfText(HtmlOf(content)), &extraction->article, &extraction->warnings);
      if (summary != nullptr) {
        extraction->article.summary = HtmlToText(HtmlOf(summary));
      }
    }
    if (extraction->article.body.empty() && summary != nullptr) {
      SetBody(PartsOfText(HtmlOf(summary)), &extraction->article, &extraction->warnings);
      extraction->article.summary.clear();
      extraction->warnings.emplace_back("body: the feed holds a summary only; it stands for the text");
    }
  }

  const std::string xml_;  // The reader points into it.
  const SourceOptions options_;
  const absl::Time now_;
  std::unique_ptr<xmlTextReader, ReaderCloser> reader_;
  std::string source_;
  std::string language_;
  int64_t number_ = 0;
  bool skip_subtree_ = false;
  bool done_ = false;
};

// The end of the document type that begins at `pos`; declarations within brackets belong to it.
size_t EndOfDoctype(absl::string_view xml, size_t pos) {
  bool in_subset = false;
  char quote = 0;
  for (size_t i = pos; i < xml.size(); ++i) {
    const char c = xml[i];
    if (quote != 0) {
      quote = c == quote ? '\0' : quote;
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (c == '[') {
      in_subset = true;
    } else if (c == ']') {
      in_subset = false;
    } else if (c == '>' && !in_subset) {
      return i + 1;
    }
  }
  return xml.size();
}

}  // namespace

std::string CleanXml(absl::string_view xml) {
  static constexpr std::array<absl::string_view, 5> kPredefined = {"amp", "lt", "gt", "quot", "apos"};
  std::string clean;
  clean.reserve(xml.size() + xml.size() / 16);
  absl::flat_hash_map<std::string, std::string> entities;
  size_t i = 0;
  while (i < xml.size()) {
    const char c = xml[i];
    if (c == '<' && absl::StartsWith(xml.substr(i), "<![CDATA[")) {
      const size_t end = xml.find("]]>", i);
      const size_t stop = end == absl::string_view::npos ? xml.size() : end + 3;
      for (; i < stop; ++i) {
        const auto u = static_cast<unsigned char>(xml[i]);
        clean.push_back(u < 0x20 && u != '\n' && u != '\t' && u != '\r' ? ' ' : xml[i]);
      }
      continue;
    }
    if (c == '<' && absl::StartsWithIgnoreCase(xml.substr(i, 9), "<!doctype")) {
      i = EndOfDoctype(xml, i);
      continue;
    }
    if (c == '&') {
      size_t end = i + 1;
      while (end < xml.size() && end - i <= kMaxEntityName &&
             (absl::ascii_isalnum(static_cast<unsigned char>(xml[end])) || xml[end] == '#')) {
        ++end;
      }
      const absl::string_view name = xml.substr(i + 1, end - i - 1);
      const bool complete = end < xml.size() && xml[end] == ';' && !name.empty();
      if (!complete) {
        clean.append("&amp;");
        ++i;
        continue;
      }
      i = end + 1;
      if (name[0] == '#' || std::find(kPredefined.begin(), kPredefined.end(), name) != kPredefined.end()) {
        absl::StrAppend(&clean, "&", name, ";");
        continue;
      }
      const auto [entry, added] = entities.try_emplace(std::string(name), "");
      if (added) {
        const std::string decoded = HtmlToText(absl::StrCat("x&", name, ";x"));
        const bool known = decoded.size() > 2 && !absl::StrContains(decoded, "&");
        entry->second = known ? decoded.substr(1, decoded.size() - 2) : absl::StrCat("&amp;", name, ";");
      }
      clean.append(entry->second);
      continue;
    }
    const auto u = static_cast<unsigned char>(c);
    clean.push_back(u < 0x20 && u != '\n' && u != '\t' && u != '\r' ? ' ' : c);
    ++i;
  }
  return clean;
}

std::unique_ptr<SourceReader> MakeFeedReader(const std::string& xml, const SourceOptions& options, absl::Time now) {
  return std::make_unique<FeedReader>(xml, options, now);
}

}  // namespace dateline::extraction
