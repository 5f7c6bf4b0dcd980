#include "extraction/feed_reader.h"

#include <libxml/tree.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"

#include "common/error.h"
#include "common/text.h"
#include "common/url.h"
#include "extraction/article_builder.h"
#include "extraction/dates.h"
#include "extraction/html_document.h"
#include "extraction/html_fragment.h"
#include "extraction/html_metadata.h"
#include "extraction/records.h"
#include "extraction/text_shape.h"
#include "extraction/xml_stream.h"

namespace dateline::extraction {
namespace {

// A description that is no longer than this and of which there is no fuller text is a summary: journalism textbooks
// give an article 300 words and more, and what feeds cut off at, by default, is 55 words (WordPress) to 150.
constexpr size_t kMaxSummaryWords = 150;

// HTML or text as HTML: what Atom's `type` and RSS's habits mean.
std::string HtmlOf(const xmlNode* node) { return AttributeOf(node, "type") == "xhtml" ? MarkupOf(node) : TextOf(node); }

// WordPress stores what its older editor wrote without marks of paragraphs: blank lines stand for them.
std::string WithParagraphs(const std::string& html) {
  std::string marked;
  marked.reserve(html.size() + html.size() / 16);
  for (size_t i = 0; i < html.size(); ++i) {
    marked.push_back(html[i]);
    if (html[i] != '\n') {
      continue;
    }
    const size_t next = html.find_first_not_of(" \t\r", i + 1);
    if (next != std::string::npos && html[next] == '\n') {
      marked.append("<p>");
      i = html.find_first_not_of(" \t\r\n", next);
      if (i == std::string::npos) {
        break;
      }
      --i;
    }
  }
  return marked;
}

// Where in `html` from `at` ("[") a shortcode of WordPress ends, behind its "]"; npos if none begins there. `name` is
// its name, with the slash of an end.
size_t EndOfShortcode(absl::string_view html, size_t at, absl::string_view* name) {
  constexpr size_t kMaxBytes = 1000;
  const absl::string_view code = html.substr(at, kMaxBytes);
  const size_t close = code.find_first_of("[]", 1);
  if (close == absl::string_view::npos || code[close] == '[') {
    return absl::string_view::npos;
  }
  size_t end = code.size() > 1 && code[1] == '/' ? 2 : 1;
  const size_t first = end;
  while (end < close &&
         (absl::ascii_islower(static_cast<unsigned char>(code[end])) || code[end] == '_' ||
          (end > first && (code[end] == '-' || absl::ascii_isdigit(static_cast<unsigned char>(code[end])))))) {
    ++end;
  }
  if (end == first || (end < close && code[end] != ' ' && code[end] != '/' && code[end] != '=')) {
    return absl::string_view::npos;
  }
  *name = code.substr(1, end - 1);
  return at + close + 1;
}

// What stands for something that plugins make of it, such as a gallery, or wraps text for them. "[sic]" and "[1]" are
// none: a shortcode has attributes, or an end, or is one that WordPress itself knows.
bool IsShortcode(absl::string_view code, absl::string_view name, const absl::flat_hash_set<absl::string_view>& ended) {
  static constexpr std::array<absl::string_view, 9> kOwn = {"gallery", "embed",      "audio", "video", "playlist",
                                                            "caption", "wp_caption", "more",  "toc"};
  return absl::StartsWith(name, "/") || absl::StrContains(code, "=") || ended.contains(name) ||
         absl::StrContains(name, "_") || std::find(kOwn.begin(), kOwn.end(), name) != kOwn.end();
}

// `html` as WordPress would show it without the plugins it has: the text within shortcodes stays, those that stand for
// media are gone, captions are captions.
std::string WithoutShortcodes(absl::string_view html) {
  if (!absl::StrContains(html, "[")) {
    return std::string(html);
  }
  absl::flat_hash_set<absl::string_view> ended;
  absl::string_view name;
  for (size_t at = html.find("[/"); at != absl::string_view::npos; at = html.find("[/", at + 1)) {
    if (EndOfShortcode(html, at, &name) != absl::string_view::npos) {
      ended.insert(name.substr(1));
    }
  }
  std::string shown;
  absl::string_view media;  // Of which the end is awaited: what is between is an address.
  for (size_t at = 0; at < html.size();) {
    const size_t next = std::min(html.find('[', at), html.size());
    if (media.empty()) {
      shown.append(html.data() + at, next - at);
    }
    if (next == html.size()) {
      break;
    }
    const size_t end = EndOfShortcode(html, next, &name);
    const bool escaped = next > 0 && html[next - 1] == '[';
    if (end == absl::string_view::npos || escaped || !IsShortcode(html.substr(next, end - next), name, ended)) {
      if (media.empty()) {
        shown.push_back('[');
      }
      at = next + 1;
      continue;
    }
    at = end;
    if (!media.empty()) {
      media = name.substr(1) == media && name[0] == '/' ? absl::string_view() : media;
    } else if (absl::EndsWith(name, "caption")) {
      // Without its end it would take in all that follows.
      shown.append(!ended.contains(absl::StripPrefix(name, "/")) ? ""
                   : name[0] == '/'                              ? "</figcaption></figure>"
                                                                 : "<figure><figcaption>");
    } else if ((name == "embed" || name == "audio" || name == "video" || name == "playlist") && ended.contains(name)) {
      media = name;
    } else if (absl::StrContains(name, "_")) {
      shown.append("\n\n");  // Of a page builder: rows and columns.
    }
  }
  return shown;
}

// What a feed says of a text that goes on elsewhere, in small letters; the title may stand before or after it.
constexpr std::array<absl::string_view, 26> kContinuations = {"continue reading",
                                                              "read more",
                                                              "read the full article",
                                                              "read full article",
                                                              "read the full story",
                                                              "read full story",
                                                              "read the rest",
                                                              "keep reading",
                                                              "weiterlesen",
                                                              "mehr lesen",
                                                              "lesen sie mehr",
                                                              "lesen sie weiter",
                                                              "hier weiterlesen",
                                                              "den ganzen artikel lesen",
                                                              "zum artikel",
                                                              "lire la suite",
                                                              "continuer la lecture",
                                                              "poursuivre la lecture",
                                                              "lire l’article",
                                                              "lire l'article",
                                                              "lire plus",
                                                              "leer más",
                                                              "seguir leyendo",
                                                              "continuar leyendo",
                                                              "sigue leyendo",
                                                              "leer el artículo"};

constexpr size_t kMaxContinuationBytes = 400;  // With a title.

bool HoldsContinuation(absl::string_view lower) {
  return std::any_of(kContinuations.begin(), kContinuations.end(),
                     [lower](absl::string_view phrase) { return absl::StrContains(lower, phrase); });
}

// True if `line` is such a phrase and nothing else but the title: "Continue reading “Quay” →", "„Kai“ weiterlesen".
bool IsContinuation(absl::string_view line, absl::string_view title) {
  const std::string lower = absl::AsciiStrToLower(line);
  if (!HoldsContinuation(lower)) {
    return false;
  }
  const std::string title_key = MatchKey(title);
  for (const absl::string_view phrase : kContinuations) {
    const size_t at = absl::string_view(lower).find(phrase);
    if (at == absl::string_view::npos) {
      continue;
    }
    std::string rest = MatchKey(absl::StrCat(lower.substr(0, at), " ", lower.substr(at + phrase.size())));
    const size_t said = title_key.empty() ? std::string::npos : rest.find(title_key);
    if (said != std::string::npos) {
      rest.erase(said, title_key.size());
    }
    if (rest.empty() || (said != std::string::npos && rest == "de")) {  // « Lire la suite de … »
      return true;
    }
  }
  return false;
}

// `text` without a phrase at its end that only leads to the rest of it: a paragraph of its own, or what follows dots or
// a sentence.
absl::string_view WithoutContinuation(absl::string_view text, absl::string_view title) {
  text = absl::StripTrailingAsciiWhitespace(WithoutFeedNote(absl::StripTrailingAsciiWhitespace(text)));
  const size_t blank = text.rfind("\n\n");
  const size_t paragraph = blank == absl::string_view::npos ? 0 : blank + 2;
  const size_t first = std::max(paragraph, text.size() - std::min(text.size(), kMaxContinuationBytes));
  if (!HoldsContinuation(absl::AsciiStrToLower(text.substr(first)))) {
    return text;
  }
  for (size_t at = text.size(); at-- > first;) {
    const absl::string_view before = absl::StripTrailingAsciiWhitespace(text.substr(0, at));
    const bool begins = at == paragraph || EndsCutOff(text.substr(0, at)) ||
                        (absl::ascii_isspace(static_cast<unsigned char>(text[at - 1])) && EndsSentence(before));
    if (begins && common::CodePointFloor(text, at) == at && IsContinuation(text.substr(at), title)) {
      return before;
    }
  }
  return text;
}

// The same of markup, of which the extractor may have left out a link at the end. Only its end is read.
bool GoesOn(absl::string_view html, absl::string_view title) {
  constexpr size_t kTailBytes = 1000;
  const std::string text =
      HtmlToText(html.substr(common::CodePointFloor(html, html.size() - std::min(html.size(), kTailBytes))));
  return WithoutContinuation(text, title).size() < WithoutFeedNote(text).size();
}

// Takes that phrase off the body. True if there was one.
bool DropContinuation(Article* article) {
  const absl::string_view kept = WithoutContinuation(article->body, article->title);
  if (kept.size() >= WithoutFeedNote(absl::StripTrailingAsciiWhitespace(article->body)).size()) {
    return false;
  }
  article->body.resize(kept.size());
  while (!article->headings.empty() && static_cast<size_t>(article->headings.back().end) > kept.size()) {
    article->headings.pop_back();
  }
  return true;
}

// "…", "[…]", "The post X appeared first on Y": the text goes on elsewhere.
bool IsCutOff(absl::string_view text) { return EndsCutOff(WithoutFeedNote(absl::StripTrailingAsciiWhitespace(text))); }

std::string Quoted(absl::string_view text) {
  return absl::StrCat("\"", text.substr(0, common::CodePointFloor(text, 40)), "\"");
}

absl::Status WrongRoot(absl::string_view wanted, absl::string_view root) {
  return common::WithReason(
      common::InvalidField("content", absl::StrCat("is no ", wanted, ": its first element is <",
                                                   root.substr(0, common::CodePointFloor(root, 40)),
                                                   ">; leave the format to be detected, or name the right one")),
      kMalformedFeed);
}

// Why a document can't be read on, as an error of the item that would have been `next`.
absl::Status Broken(const XmlStream& xml, absl::string_view what, absl::string_view next) {
  const absl::Status& status = xml.status();
  if (!absl::IsInvalidArgument(status)) {
    return status;
  }
  return common::WithReason(
      common::InvalidField(
          "content", absl::StrCat("is a ", what, " that breaks off at line ", xml.line(), ": it ", status.message(),
                                  "; what comes from ", next, " on is not known and was not read")),
      kMalformedFeed);
}

absl::Status TooLong(size_t limit) {
  return common::WithReason(
      absl::InvalidArgumentError(absl::StrCat("is longer than ", limit, " bytes and was passed over")),
      kDocumentTooLarge);
}

class FeedReader final : public SourceReader {
 public:
  FeedReader(Input input, const SourceOptions& options, absl::Time now)
      : SourceReader(Format::kFeed),
        options_(options),
        now_(now),
        xml_(std::move(input), options.charset, options.max_item_bytes) {}

  std::optional<SourceItem> Next() override {
    if (!std::exchange(begun_, true)) {
      const xmlNode* const root = xml_.Root();
      if (root != nullptr && !ReadRoot(root)) {
        done_ = true;
        return Failed(WrongRoot("feed", NameOf(root)));
      }
    }
    while (!done_) {
      const std::optional<XmlRecord> record = xml_.Next();
      if (!record) {
        break;
      }
      const std::string name = NameOf(record->node);
      if (name != "item" && name != "entry") {
        ReadFeedField(name, record->node);
        continue;
      }
      if (record->cut_off) {
        break;
      }
      ++number_;
      if (record->too_long) {
        return ItemAt("entry", number_, TooLong(options_.max_item_bytes));
      }
      if (IsSkipped(Children(record->node))) {
        AddSkipped(1);
        continue;
      }
      SourceItem item = ReadEntry(record->node);
      if (record->mended && item.extraction.ok()) {
        item.extraction->warnings.emplace_back("the entry is not well-formed XML; some of it may be missing");
      }
      return item;
    }
    if (std::exchange(done_, true)) {
      return std::nullopt;
    }
    if (!xml_.status().ok()) {
      SourceItem item = Failed(Broken(xml_, "feed", absl::StrCat("entry ", number_ + 1)));
      item.cuts_off = true;
      return item;
    }
    if (number_ > 0 && number_ == skipped()) {
      return ItemAt(
          "entry", number_,
          common::WithReason(absl::InvalidArgumentError(absl::StrCat(
                                 "is the last, and all were passed over: their types are ", absl::StrJoin(types_, ", "),
                                 ", their statuses ", absl::StrJoin(statuses_, ", "),
                                 "; --post_types and --post_statuses say which of them are articles")),
                             kNotAnArticle));
    }
    if (number_ > 0) {
      return std::nullopt;
    }
    return Failed(common::WithReason(common::InvalidField("content", "is a feed without entries"), kNotAnArticle));
  }

 private:
  SourceItem Failed(absl::Status status) const { return ItemAt("entry", number_ + 1, std::move(status)); }

  bool ReadRoot(const xmlNode* root) {
    language_ = AttributeOf(root, "lang");
    base_ = AttributeOf(root, "base");
    base_ = base_.empty() ? options_.url : ResolveUrl(base_, options_.url);
    const std::string name = NameOf(root);
    return name == "feed" || name == "rss" || name == "rdf:RDF" || name == "RDF" || name == "channel";
  }

  // <title>, <language>, <link> and <author> of the feed itself, which stand before its entries.
  void ReadFeedField(absl::string_view name, const xmlNode* node) {
    if (name == "link" && base_.empty()) {
      const std::string href = AttributeOf(node, "href");
      base_ = ResolveUrl(href.empty() ? CollapseSpace(TextOf(node)) : href, "");
    } else if (name == "title" || name == "language") {
      std::string& field = name == "title" ? source_ : language_;
      if (field.empty()) {
        field = HtmlToText(TextOf(node));
      }
    } else if (name == "author") {
      // Atom: whoever wrote the feed wrote the entries that name nobody else.
      AddAuthors(Children(node).Text("name"), &feed_authors_);
    } else if (name == "wp:author") {
      // WordPress names authors by login in its entries, and says who they are before them.
      const Children author(node);
      if (authors_.size() < kMaxAuthors) {
        authors_.emplace(author.Text("wp:author_login"), author.Text("wp:author_display_name"));
      }
    }
  }

  // What an export of WordPress holds beside articles.
  bool IsSkipped(const Children& entry) {
    const auto is_none_of = [](const std::vector<std::string>& wanted, const std::string& value) {
      return !value.empty() && std::find(wanted.begin(), wanted.end(), value) == wanted.end();
    };
    const std::string type = entry.Text("wp:post_type");
    // What asks its readers for a password is not for all, whatever its status.
    const std::string status = entry.Text("wp:post_password").empty() ? entry.Text("wp:status") : "protected";
    if (!is_none_of(options_.post_types, type) && !is_none_of(options_.post_statuses, status)) {
      return false;
    }
    // For a message, should there be nothing else.
    for (const auto& [names, name] : {std::pair(&types_, &type), std::pair(&statuses_, &status)}) {
      if (names->size() < kMaxNamed) {
        names->insert(name->substr(0, common::CodePointFloor(*name, 40)));
      }
    }
    return true;
  }

  SourceItem ReadEntry(const xmlNode* node) const {
    SourceItem item = ItemAt("entry", number_);
    const Children entry(node);
    item.latest_only = entry.First("wp:post_type") == nullptr;
    const std::string own_base = AttributeOf(node, "base");
    const std::string base = own_base.empty() ? base_ : ResolveUrl(own_base, base_);
    Extraction extraction;
    Article& article = extraction.article;
    const xmlNode* const title = entry.First("title");
    article.title = title == nullptr ? std::string() : HtmlToText(HtmlOf(title));
    article.source = source_;
    const std::string own_language = AttributeOf(node, "lang");
    for (const std::string& language : {own_language, entry.Text("dc:language"), language_}) {
      if (article.language_code.empty() && language.size() >= 2 && language.size() <= 11) {
        article.language_code = language;
      }
    }
    ReadLinks(entry, base, &article);
    ReadAuthors(entry, &article);
    ReadDates(entry, &extraction);
    ReadCategories(entry, &article);
    const bool summary_only = ReadContent(entry, &extraction);
    const std::string page = article.url;
    if (article.title.empty() && article.body.empty() && page.empty()) {
      item.extraction = common::WithReason(absl::InvalidArgumentError("has neither title nor text"), kNotAnArticle);
      return item;
    }
    if (summary_only && !page.empty()) {
      item.link = Link{.kind = Link::Kind::kPage, .url = page, .modified = article.update_time};
    }
    FinishArticle("", now_, &article, &extraction.warnings);
    item.extraction = std::move(extraction);
    return item;
  }

  static void ReadLinks(const Children& entry, const std::string& base, Article* article) {
    for (const xmlNode* link : entry.All("link")) {
      const std::string rel = AttributeOf(link, "rel");
      const std::string href = AttributeOf(link, "href");
      const std::string target = href.empty() ? CollapseSpace(TextOf(link)) : href;
      if (rel.empty() || rel == "alternate") {
        if (article->url.empty()) {
          article->url = ResolveUrl(target, base);
        }
      } else if (rel == "enclosure" && absl::StartsWith(AttributeOf(link, "type"), "image/")) {
        article->image_url = ResolveUrl(target, base);
      }
    }
    const std::string original = ResolveUrl(entry.Text("feedburner:origLink"), base);
    if (!original.empty()) {
      if (!article->url.empty() && article->url != original) {
        article->alternate_urls.push_back(article->url);
      }
      article->url = original;
    }
    const xmlNode* const guid = entry.First("guid");
    const std::string id = guid != nullptr ? CollapseSpace(TextOf(guid)) : entry.Text("id");
    const bool is_permalink = guid == nullptr || AttributeOf(guid, "isPermaLink") != "false";
    if (article->url.empty() && common::LooksLikeUrl(id) && is_permalink) {
      article->url = ResolveUrl(id, base);
    }
    if (article->url.empty() && IsUsableId(id)) {
      article->id = WorldwideId(id, base);  // With a URL the id follows from that, as for the page itself.
    }
    for (const char* name : {"media:content", "media:thumbnail", "enclosure"}) {
      for (const xmlNode* media : entry.All(name)) {
        const std::string type = AttributeOf(media, "type");
        if (article->image_url.empty() &&
            (absl::StartsWith(type, "image/") || AttributeOf(media, "medium") == "image" ||
             absl::string_view(name) == "media:thumbnail")) {
          article->image_url = ResolveUrl(AttributeOf(media, "url"), base);
        }
      }
    }
  }

  static void AddAuthors(absl::string_view text, std::vector<std::string>* authors) {
    std::vector<std::string> names = ParseNameList(text);
    if (names.empty()) {
      names.push_back(CleanAuthorName(text));
    }
    for (std::string& name : names) {
      if (!name.empty() && std::find(authors->begin(), authors->end(), name) == authors->end()) {
        authors->push_back(std::move(name));
      }
    }
  }

  void ReadAuthors(const Children& entry, Article* article) const {
    for (const xmlNode* creator : entry.All("dc:creator")) {
      const std::string name = HtmlToText(TextOf(creator));
      const auto known = authors_.find(name);
      AddAuthors(known != authors_.end() && !known->second.empty() ? known->second : name, &article->authors);
    }
    for (const xmlNode* author : entry.All("author")) {
      const std::string name = Children(author).Text("name");
      if (!name.empty()) {
        AddAuthors(name, &article->authors);
        continue;
      }
      // RSS: "jane@example.org (Jane Roe)".
      const std::string text = CollapseSpace(TextOf(author));
      const size_t open = text.find('(');
      const size_t close = text.find(')', open == std::string::npos ? 0 : open);
      AddAuthors(
          open != std::string::npos && close != std::string::npos ? text.substr(open + 1, close - open - 1) : text,
          &article->authors);
    }
    if (article->authors.empty()) {
      article->authors = feed_authors_;
    }
  }

  void ReadDates(const Children& entry, Extraction* extraction) const {
    Article& article = extraction->article;
    // WordPress states the time in UTC, and in the time of the site, which is anybody's guess.
    for (const char* name :
         {"wp:post_date_gmt", "pubDate", "published", "dc:date", "dcterms:created", "issued", "created", "updated"}) {
      std::string text = entry.Text(name);
      if (absl::StrContains(name, "_gmt")) {
        text = absl::StartsWith(text, "0000") || text.empty() ? "" : absl::StrCat(text, " +0000");
      }
      const auto date = FindDate(text);
      if (!date || article.publish_time) {
        continue;
      }
      if (!IsPlausibleTime(date->time, now_)) {
        extraction->warnings.push_back(
            absl::StrCat("publish_time: ", Quoted(text), " cannot be right and was dropped"));
        continue;
      }
      article.publish_time = date->time;
      article.publish_time_precision = date->precision;
    }
    for (const char* name : {"updated", "modified", "dcterms:modified", "wp:post_modified_gmt"}) {
      const std::string text = entry.Text(name);
      const auto date = FindDate(absl::StrContains(name, "_gmt") ? absl::StrCat(text, " +0000") : text);
      if (date && !article.update_time && IsPlausibleTime(date->time, now_)) {
        article.update_time = date->time;
      }
    }
  }

  static void ReadCategories(const Children& entry, Article* article) {
    for (const char* name : {"category", "dc:subject"}) {
      for (const xmlNode* category : entry.All(name)) {
        const std::string label = AttributeOf(category, "label");
        const std::string term = AttributeOf(category, "term");
        // WordPress says which of its taxonomies it means; its formats ("aside", "link") are none of a reader's
        // business.
        const std::string domain = absl::AsciiStrToLower(AttributeOf(category, "domain"));
        if (domain == "post_format" || domain == "nav_menu") {
          continue;
        }
        const std::string kind = domain == "post_tag" ? "tag" : "category";
        AddLabel(kind, !label.empty() ? label : !term.empty() ? term : HtmlToText(TextOf(category)), article);
      }
    }
    const std::string keywords = entry.Text("media:keywords");
    for (const absl::string_view keyword : absl::StrSplit(keywords, ',', absl::SkipWhitespace())) {
      AddLabel("keyword", keyword, article);
    }
  }

  // True if there is a summary at most.
  static bool ReadContent(const Children& entry, Extraction* extraction) {
    Article& article = extraction->article;
    const xmlNode* content = entry.First("content:encoded");
    content = content == nullptr ? entry.First("content") : content;
    const xmlNode* summary = nullptr;
    for (const char* name : {"excerpt:encoded", "description", "summary"}) {
      if (summary == nullptr || CollapseSpace(TextOf(summary)).empty()) {
        summary = entry.First(name);
      }
    }
    // Content that lies elsewhere (Atom's `src`) is a link, and media are no text.
    if (content != nullptr && AttributeOf(content, "src").empty()) {
      const std::string html = HtmlOf(content);
      const bool is_wordpress = entry.First("wp:post_type") != nullptr;
      SetBodyFromFragment(is_wordpress ? WithParagraphs(WithoutShortcodes(html)) : html, &article,
                          &extraction->warnings);
      const bool goes_on = DropContinuation(&article) || GoesOn(html, article.title);
      if (summary != nullptr) {
        const std::string text = HtmlToText(HtmlOf(summary));
        article.summary = std::string(WithoutContinuation(text, article.title));
      }
      if (!article.body.empty()) {
        return (goes_on || IsCutOff(article.body)) && CountWords(article.body) <= kMaxSummaryWords;
      }
    }
    if (summary != nullptr) {
      SetBodyFromFragment(HtmlOf(summary), &article, &extraction->warnings);
      article.summary.clear();
      const bool goes_on = DropContinuation(&article) || GoesOn(HtmlOf(summary), article.title);
      if (CountWords(article.body) > kMaxSummaryWords && !goes_on && !IsCutOff(article.body)) {
        return false;
      }
      if (!article.body.empty()) {
        extraction->warnings.emplace_back("body: the feed holds a summary only; it stands for the text");
      }
    }
    return true;
  }

  static constexpr size_t kMaxAuthors = 10'000;
  static constexpr size_t kMaxNamed = 10;

  const SourceOptions options_;
  const absl::Time now_;
  XmlStream xml_;
  std::string source_;
  std::string language_;
  std::string base_;
  std::vector<std::string> feed_authors_;
  std::set<std::string> types_;  // Of posts that were passed over.
  std::set<std::string> statuses_;
  absl::flat_hash_map<std::string, std::string> authors_;  // Names by login.
  int64_t number_ = 0;
  bool begun_ = false;
  bool done_ = false;
};

class SitemapReader final : public SourceReader {
 public:
  SitemapReader(Input input, const SourceOptions& options, absl::Time now)
      : SourceReader(Format::kSitemap),
        url_(options.url),
        max_record_bytes_(options.max_item_bytes),
        now_(now),
        xml_(std::move(input), options.charset, options.max_item_bytes) {}

  std::optional<SourceItem> Next() override {
    if (!std::exchange(begun_, true)) {
      const xmlNode* const root = xml_.Root();
      if (root != nullptr && NameOf(root) != "urlset" && NameOf(root) != "sitemapindex") {
        done_ = true;
        return Failed(WrongRoot("sitemap", NameOf(root)));
      }
    }
    while (!done_) {
      const std::optional<XmlRecord> record = xml_.Next();
      if (!record || record->cut_off) {
        break;
      }
      const std::string name = NameOf(record->node);
      if (name != "url" && name != "sitemap") {
        continue;
      }
      ++number_;
      if (record->too_long) {
        return ItemAt("address", number_, TooLong(max_record_bytes_));
      }
      return ReadAddress(Children(record->node), name == "url" ? Link::Kind::kPage : Link::Kind::kSource);
    }
    if (std::exchange(done_, true)) {
      return std::nullopt;
    }
    if (!xml_.status().ok()) {
      SourceItem item = Failed(Broken(xml_, "sitemap", absl::StrCat("address ", number_ + 1)));
      item.cuts_off = true;
      return item;
    }
    if (number_ > 0) {
      return std::nullopt;
    }
    return Failed(common::WithReason(common::InvalidField("content", "is a sitemap without addresses"), kNotAnArticle));
  }

 private:
  SourceItem Failed(absl::Status status) const { return ItemAt("address", number_ + 1, std::move(status)); }

  SourceItem ReadAddress(const Children& entry, Link::Kind kind) const {
    SourceItem item = ItemAt("address", number_);
    Link link{.kind = kind, .url = ResolveUrl(entry.Text("loc"), url_), .modified = std::nullopt};
    if (link.url.empty()) {
      item.extraction = common::WithReason(
          absl::InvalidArgumentError("has no address in <loc>, or none that begins with http"), kMalformedFeed);
      return item;
    }
    if (const auto date = FindDate(entry.Text("lastmod")); date && IsPlausibleTime(date->time, now_)) {
      link.modified = date->time;
    }
    Extraction extraction;
    Article& article = extraction.article;
    if (kind == Link::Kind::kPage) {
      article.url = link.url;
      ReadNews(entry, &article);
      if (const xmlNode* const image = entry.First("image:image")) {
        article.image_url = ResolveUrl(Children(image).Text("image:loc"), url_);
      }
      std::vector<std::string> none;  // That there is no text is what a sitemap is like.
      FinishArticle("", now_, &article, &none);
    }
    item.extraction = std::move(extraction);
    item.link = std::move(link);
    item.latest_only = entry.First("news:news") != nullptr;
    return item;
  }

  void ReadNews(const Children& entry, Article* article) const {
    const xmlNode* const node = entry.First("news:news");
    if (node == nullptr) {
      return;
    }
    const Children news(node);
    article->title = HtmlToText(news.Text("news:title"));
    if (const xmlNode* const publication = news.First("news:publication")) {
      article->source = HtmlToText(Children(publication).Text("news:name"));
      const std::string language = Children(publication).Text("news:language");
      article->language_code = language.size() <= 11 ? language : "";
    }
    if (const auto date = FindDate(news.Text("news:publication_date")); date && IsPlausibleTime(date->time, now_)) {
      article->publish_time = date->time;
      article->publish_time_precision = date->precision;
    }
    const std::string keywords = news.Text("news:keywords");
    for (const absl::string_view keyword : absl::StrSplit(keywords, ',', absl::SkipWhitespace())) {
      AddLabel("keyword", keyword, article);
    }
  }

  const std::string url_;
  const size_t max_record_bytes_;
  const absl::Time now_;
  XmlStream xml_;
  int64_t number_ = 0;
  bool begun_ = false;
  bool done_ = false;
};

}  // namespace

std::unique_ptr<SourceReader> MakeFeedReader(Input input, const SourceOptions& options, absl::Time now) {
  return std::make_unique<FeedReader>(std::move(input), options, now);
}

std::unique_ptr<SourceReader> MakeSitemapReader(Input input, const SourceOptions& options, absl::Time now) {
  return std::make_unique<SitemapReader>(std::move(input), options, now);
}

}  // namespace dateline::extraction
