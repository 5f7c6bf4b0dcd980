#include "extraction/html_metadata.h"

#include <libxml/uri.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"

#include "common/text.h"
#include "common/url.h"
#include "extraction/dates.h"
#include "extraction/text_shape.h"

namespace dateline::extraction {
namespace {

using Json = nlohmann::json;

constexpr int kMaxJsonDepth = 8;
constexpr size_t kMaxObjects = 500;
constexpr size_t kMaxLabels = 100;
constexpr size_t kMaxLabelBytes = 500;
constexpr size_t kMaxKeywords = 1000;     // Looked at in one list; few of them can become labels.
constexpr size_t kMaxKeywordPieces = 12;  // Of one keyword with separators in it.
constexpr size_t kMaxAuthors = 50;
constexpr size_t kMaxHeadings = 5;
constexpr size_t kMaxUrlBytes = 2000;  // As the contracts have it.

// JSON-LD
// ---------------------------------------------------------------------------------------------------------------

std::vector<std::string> StringsOf(const Json& value) {
  std::vector<std::string> strings;
  if (value.is_string()) {
    strings.push_back(value.get<std::string>());
  } else if (value.is_array()) {
    for (const Json& item : value) {
      if (item.is_string()) {
        strings.push_back(item.get<std::string>());
      }
    }
  }
  return strings;
}

const Json& Member(const Json& object, const char* key) {
  static const auto* const kNull = new Json();
  if (!object.is_object()) {
    return *kNull;
  }
  const auto found = object.find(key);
  return found == object.end() ? *kNull : *found;
}

std::string StringMember(const Json& object, const char* key) {
  const std::vector<std::string> strings = StringsOf(Member(object, key));
  return strings.empty() ? std::string() : HtmlToText(strings.front());
}

// 0: not an article; the more, the surer.
int ArticleRank(const Json& object) {
  int rank = 0;
  for (const std::string& type : StringsOf(Member(object, "@type"))) {
    if (absl::StrContains(type, "Article") || absl::StrContains(type, "Posting")) {
      rank = std::max(rank, 3);
    } else if (type == "Report" || type == "Review" || type == "CriticReview") {
      rank = std::max(rank, 2);
    } else if (type == "CreativeWork" || type == "WebPage" || type == "ItemPage") {
      rank = std::max(rank, 1);
    }
  }
  return rank;
}

class JsonLd {
 public:
  explicit JsonLd(const std::vector<std::string>& scripts) {
    for (const std::string& script : scripts) {
      roots_.push_back(Parse(script));
    }
    for (const Json& root : roots_) {
      Collect(root, 0);
    }
    for (const Json* object : objects_) {
      const std::string id = IdOf(*object);
      if (!id.empty() && object->size() > 1) {
        by_id_.emplace(id, object);
      }
    }
  }

  // How much an object is about this page.
  enum class Aboutness { kAnother, kPerhaps, kThis };

  // Chooses among the articles and pages that are described here.
  template <typename Judge>
  void Choose(const Judge& judge) {
    std::pair<int, Aboutness> best = {0, Aboutness::kAnother};
    for (const Json* object : objects_) {
      const int rank = ArticleRank(*object);
      if (rank == 0) {
        continue;
      }
      const bool named = object->contains("headline") || object->contains("name");
      const Aboutness about = judge(*object);
      if (about == Aboutness::kAnother) {
        continue;
      }
      if ((named || rank > 1) && std::pair(rank, about) > best) {
        best_ = object;
        best = {rank, about};
      }
      if (rank == 1 && page_ == nullptr) {
        page_ = object;
      }
    }
    best_rank_ = best.first;
  }

  bool has_unreadable() const {
    return std::any_of(roots_.begin(), roots_.end(), [](const Json& root) { return root.is_discarded(); });
  }

  // The article that the page describes; null if it describes none. A mere web page counts if there is nothing better.
  const Json* article() const { return best_; }
  bool is_article() const { return best_rank_ >= 2; }
  const Json* page() const { return page_; }

  // The addresses that `object` gives itself.
  static std::vector<std::string> UrlsOf(const Json& object) {
    std::vector<std::string> urls = StringsOf(Member(object, "url"));
    const Json& page = Member(object, "mainEntityOfPage");
    for (std::string& url : StringsOf(page)) {
      urls.push_back(std::move(url));
    }
    for (const Json* owner : {&object, &page}) {
      if (std::string id = IdOf(*owner); !absl::StartsWith(id, "#")) {
        urls.push_back(std::move(id));
      }
    }
    return urls;
  }

  // The object that `value` is or refers to.
  const Json& Resolve(const Json& value) const {
    if (value.is_object() && value.size() == 1) {
      const auto found = by_id_.find(IdOf(value));
      if (found != by_id_.end()) {
        return *found->second;
      }
    }
    return value;
  }

 private:
  static std::string IdOf(const Json& object) {
    const Json& id = Member(object, "@id");
    return id.is_string() ? id.get<std::string>() : std::string();
  }

  static Json Parse(absl::string_view script) {
    std::string text(script);
    // Line ends within strings are common and not JSON; wrappers of old are dropped.
    for (char& c : text) {
      if (static_cast<unsigned char>(c) < 0x20) {
        c = ' ';
      }
    }
    absl::string_view view = absl::StripAsciiWhitespace(text);
    for (const absl::string_view wrapper : {"//<![CDATA[", "/*<![CDATA[*/", "<![CDATA[", "<!--"}) {
      absl::ConsumePrefix(&view, wrapper);
    }
    for (const absl::string_view wrapper : {"//]]>", "/*]]>*/", "]]>", "-->", ";"}) {
      absl::ConsumeSuffix(&view, wrapper);
    }
    Json parsed = Json::parse(view.begin(), view.end(), nullptr, /*allow_exceptions=*/false);
    if (parsed.is_discarded()) {
      const std::string mended = WithoutLastCommas(view);
      parsed = Json::parse(mended.begin(), mended.end(), nullptr, /*allow_exceptions=*/false);
    }
    return parsed;
  }

  // `json` without commas that nothing follows, as in [1, 2, ].
  static std::string WithoutLastCommas(absl::string_view json) {
    std::string mended;
    mended.reserve(json.size());
    bool in_string = false;
    size_t comma = std::string::npos;  // In `mended`: a comma that but spaces follow so far.
    for (size_t i = 0; i < json.size(); ++i) {
      const char c = json[i];
      if (in_string) {
        mended.push_back(c);
        if (c == '\\' && i + 1 < json.size()) {
          mended.push_back(json[++i]);
        }
        in_string = c != '"';
        continue;
      }
      if ((c == '}' || c == ']') && comma != std::string::npos) {
        mended[comma] = ' ';
      }
      comma = c == ',' ? mended.size() : (c == ' ' ? comma : std::string::npos);
      in_string = c == '"';
      mended.push_back(c);
    }
    return mended;
  }

  void Collect(const Json& value, int depth) {
    if (depth > kMaxJsonDepth || objects_.size() >= kMaxObjects) {
      return;
    }
    if (value.is_array()) {
      for (const Json& item : value) {
        Collect(item, depth + 1);
      }
    } else if (value.is_object()) {
      objects_.push_back(&value);
      for (const char* key : {"@graph", "mainEntity", "mainEntityOfPage", "author", "publisher", "itemReviewed"}) {
        const Json& inner = Member(value, key);
        if (inner.is_structured()) {
          Collect(inner, depth + 1);
        }
      }
    }
  }

  std::vector<Json> roots_;
  std::vector<const Json*> objects_;
  absl::flat_hash_map<std::string, const Json*> by_id_;
  const Json* best_ = nullptr;
  const Json* page_ = nullptr;
  int best_rank_ = 0;
};

// Metadata
// --------------------------------------------------------------------------------------------------------------

std::string NormalizeLanguage(absl::string_view language) {
  const std::string tag = absl::StrReplaceAll(absl::StripAsciiWhitespace(language), {{"_", "-"}});
  const std::vector<std::string> parts = absl::StrSplit(tag, '-');
  if (parts.empty() || parts[0].size() < 2 || parts[0].size() > 3 || parts.size() > 4) {
    return "";
  }
  std::string result;
  for (size_t i = 0; i < parts.size(); ++i) {
    const std::string& part = parts[i];
    if (part.empty() || part.size() > 8 || !std::all_of(part.begin(), part.end(), [](char c) {
          return absl::ascii_isalnum(static_cast<unsigned char>(c));
        })) {
      return i == 0 ? "" : result;
    }
    if (i == 0) {
      result = absl::AsciiStrToLower(part);
    } else if (part.size() == 2) {
      absl::StrAppend(&result, "-", absl::AsciiStrToUpper(part));
    } else {
      absl::StrAppend(&result, "-", part);
    }
  }
  return result == "und" || result == "mul" || result == "xx" ? "" : result;
}

// What programs and templates write where nobody wrote a title.
bool IsNoTitle(absl::string_view title) {
  static const auto* const kNoTitles = new absl::flat_hash_set<absl::string_view>{
      "home",    "homepage",  "untitled",   "untitleddocument",    "untitledpage", "newpage1",
      "notitle", "index",     "startseite", "unbenanntesdokument", "accueil",      "sanstitre",
      "inicio",  "sintitulo", "главная",    "безназвания",         "无标题文档",   "无标题页",
      "ホーム",  "首页",      "문서"};
  constexpr size_t kMaxBytes = 40;
  return title.size() <= kMaxBytes && kNoTitles->contains(MatchKey(title));
}

class MetadataReader {
 public:
  MetadataReader(const HtmlDocument& document, absl::string_view url, absl::Time now)
      : document_(document), json_ld_(document.json_ld()), document_url_(url), base_(url), now_(now) {}

  HtmlMetadata Read() {
    ReadHead();
    ReadJsonLd();
    ReadMeta();
    ReadMicrodata();
    Article& article = result_.article;
    result_.host = common::UrlHost(article.url.empty() ? document_url_ : article.url).value_or("");
    // Many pages give the house as their author.
    const std::string house = MatchKey(article.source);
    std::vector<std::string>& titles = result_.titles;
    titles.erase(std::remove_if(titles.begin(), titles.end(), IsNoTitle), titles.end());
    if (IsNoTitle(result_.page_title)) {
      result_.page_title.clear();
      result_.is_untitled = true;
    }
    titles.erase(std::remove_if(titles.begin(), titles.end(),
                                [&](const std::string& title) { return !house.empty() && MatchKey(title) == house; }),
                 titles.end());
    article.authors.erase(std::remove_if(article.authors.begin(), article.authors.end(),
                                         [&](const std::string& name) { return MatchKey(name) == house; }),
                          article.authors.end());
    if (article.language_code.empty()) {
      article.language_code = NormalizeLanguage(document_.language());
    }
    for (const char* name : {"content-language", "language", "dc.language", "og:locale"}) {
      if (article.language_code.empty()) {
        article.language_code = NormalizeLanguage(First(name));
      }
    }
    return std::move(result_);
  }

 private:
  void ReadHead() {
    for (int32_t i = 0; i < document_.size(); ++i) {
      const HtmlNode& node = document_.node(i);
      if (node.is_text) {
        continue;
      }
      if (node.tag == GUMBO_TAG_META) {
        const absl::string_view content = document_.Attribute(i, "content");
        for (const char* key : {"property", "name", "http-equiv"}) {
          // Several names may stand in one attribute: <meta property="dc:title og:title" …>.
          for (const absl::string_view name : absl::StrSplit(document_.Attribute(i, key), ' ', absl::SkipEmpty())) {
            if (content.empty()) {
              break;
            }
            std::vector<std::string>& values = meta_[MetaKey(name)];
            if (values.size() < kMaxLabels) {
              values.emplace_back(content);
            }
          }
        }
      } else if (node.tag == GUMBO_TAG_BASE && !document_.Attribute(i, "href").empty()) {
        const std::string resolved = ResolveUrl(document_.Attribute(i, "href"), base_);
        base_ = resolved.empty() ? base_ : resolved;
      } else if (node.tag == GUMBO_TAG_LINK) {
        ReadLink(i);
      } else if (node.tag == GUMBO_TAG_TITLE && result_.page_title.empty()) {
        result_.page_title = document_.Text(i);
      } else if (node.tag == GUMBO_TAG_H1 && headings_.size() < kMaxHeadings) {
        headings_.push_back(document_.Text(i));
      }
    }
    std::string& url = result_.article.url;
    if (url.empty()) {
      url = Believed(ResolveUrl(First("og:url"), base_));
    }
  }

  // `url` unless it can't be the address of one article for everybody: the front page, which a site's templates may
  // name on all pages, or a host that nobody else can reach. "" then.
  std::string Believed(std::string url) const {
    const absl::StatusOr<std::string> canonical = common::CanonicalUrl(url);
    const absl::StatusOr<std::string> host = common::UrlHost(url);
    if (!canonical.ok() || !host.ok() || common::CanonicalUrl(document_url_).value_or("") == *canonical) {
      return url;
    }
    const bool local = !absl::StrContains(*host, '.') || absl::StartsWith(*host, "127.") ||
                       absl::EndsWith(*host, ".local") || absl::EndsWith(*host, ".localhost");
    const bool front_page = !absl::StrContains(*canonical, '/') && !absl::StrContains(*canonical, '?');
    return (local && common::UrlHost(document_url_).value_or("") != *host) || front_page ? "" : url;
  }

  // What tells the article of one address from that of another: neither parameters nor the short form for phones.
  static std::string PathKey(absl::string_view url) {
    std::string key = common::CanonicalUrl(url).value_or("");
    key.resize(std::min(key.size(), key.find('?')));
    for (const absl::string_view suffix : {"/amp", "/"}) {
      key.resize(key.size() - (absl::EndsWith(key, suffix) ? suffix.size() : 0));
    }
    return std::string(absl::StripPrefix(key, "www."));
  }

  // An object with another address and a headline that the page shows nowhere is about another article.
  JsonLd::Aboutness AboutnessOf(const Json& object) const {
    const std::string own[] = {PathKey(result_.article.url), PathKey(document_url_),
                               PathKey(ResolveUrl(First("og:url"), base_))};
    bool elsewhere = false;
    bool here = false;
    for (const std::string& url : JsonLd::UrlsOf(object)) {
      const std::string key = PathKey(Believed(ResolveUrl(url, base_)));
      if (absl::StrContains(key, '/') && absl::StrContains(absl::StrCat(own[0], own[1], own[2]), '/')) {
        const bool same = std::find(std::begin(own), std::end(own), key) != std::end(own);
        here = here || same;
        elsewhere = elsewhere || !same;
      }
    }
    if (here) {
      return JsonLd::Aboutness::kThis;
    }
    const auto beginning = [](absl::string_view title) {
      constexpr size_t kMaxCompared = 500;
      return title.substr(0, common::CodePointFloor(title, kMaxCompared));
    };
    std::vector<std::string> shown = {MatchKey(beginning(result_.page_title)), MatchKey(beginning(First("og:title")))};
    for (const std::string& heading : headings_) {
      shown.push_back(MatchKey(beginning(heading)));
    }
    std::string headline = StringMember(object, "headline");
    headline = std::string(beginning(headline.empty() ? StringMember(object, "name") : headline));
    const std::string key = MatchKey(headline);
    const bool whole = !key.empty() && std::any_of(shown.begin(), shown.end(), [&key](const std::string& title) {
      return absl::StrContains(title, key) || (!title.empty() && absl::StrContains(key, title));
    });
    if (whole) {
      return JsonLd::Aboutness::kThis;
    }
    return elsewhere && !key.empty() && !SharesWords(headline, shown) ? JsonLd::Aboutness::kAnother
                                                                      : JsonLd::Aboutness::kPerhaps;
  }

  // "DC:Title" and "dcterm.title" are written in many ways; here they are "dc.title" and "dcterms.title".
  static std::string MetaKey(absl::string_view name) {
    std::string key = absl::AsciiStrToLower(name);
    if (absl::StartsWith(key, "dc:") || absl::StartsWith(key, "dcterm")) {
      std::replace(key.begin(), key.end(), ':', '.');
    }
    if (absl::StartsWith(key, "dcterm.")) {
      key.insert(6, "s");
    }
    return key;
  }

  void ReadLink(int32_t i) {
    const std::string rel = absl::AsciiStrToLower(document_.Attribute(i, "rel"));
    const absl::string_view href = document_.Attribute(i, "href");
    if (rel == "canonical" && result_.article.url.empty()) {
      result_.article.url = Believed(ResolveUrl(href, base_));
    } else if (rel == "amphtml" || rel == "shortlink") {
      std::string other = ResolveUrl(href, base_);
      if (!other.empty() && result_.article.alternate_urls.size() < 20) {
        result_.article.alternate_urls.push_back(std::move(other));
      }
    }
  }

  // The first value of <meta> with one of these names; "" if there is none.
  std::string First(const char* name) const {
    const auto found = meta_.find(name);
    return found == meta_.end() ? std::string() : CollapseSpace(found->second.front());
  }

  void ReadJsonLd() {
    if (json_ld_.has_unreadable()) {
      result_.warnings.emplace_back("JSON-LD: a script of the page is no JSON and was left out");
    }
    json_ld_.Choose([this](const Json& object) { return AboutnessOf(object); });
    const Json* const object = json_ld_.article();
    Article& article = result_.article;
    if (object == nullptr) {
      return;
    }
    result_.states_article = json_ld_.is_article();
    AddTitle(StringMember(*object, "name"));  // Where both are there, as in encyclopaedias, the headline is a gloss.
    AddTitle(StringMember(*object, "headline"));
    if (json_ld_.is_article()) {
      const std::vector<std::string> types = StringsOf(Member(*object, "@type"));
      article.content_type = types.empty() ? "" : types.front();
      const std::vector<std::string> texts = StringsOf(Member(*object, "articleBody"));
      result_.article_body = texts.empty() ? "" : texts.front();
      article.summary = StringMember(*object, "description");
      ReadJsonAuthors(*object);
      for (const std::string& section : StringsOf(Member(*object, "articleSection"))) {
        AddLabel("section", HtmlToText(section), &article);
        AddAttribute("section", HtmlToText(section));
      }
      ReadJsonKeywords(*object);
      const Json& free = Member(*object, "isAccessibleForFree");
      if ((free.is_boolean() && !free.get<bool>()) ||
          (free.is_string() && absl::EqualsIgnoreCase(free.get<std::string>(), "false"))) {
        AddAttribute("access", "paid");
      }
      const Json& series = json_ld_.Resolve(Member(*object, "isPartOf"));
      if (absl::StrContains(StringMember(series, "@type"), "Series")) {
        AddAttribute("series", StringMember(series, "name"));
      }
      article.source = StringMember(json_ld_.Resolve(Member(*object, "publisher")), "name");
      if (article.url.empty()) {
        article.url = Believed(ResolveUrl(StringMember(*object, "url"), base_));
      }
      article.image_url = JsonImage(json_ld_.Resolve(Member(*object, "image")));
    }
    SetPublished(StringMember(*object, "datePublished"), "JSON-LD datePublished");
    SetUpdated(StringMember(*object, "dateModified"), "JSON-LD dateModified");
    if (json_ld_.page() != nullptr) {
      SetPublished(StringMember(*json_ld_.page(), "datePublished"), "JSON-LD datePublished");
    }
    article.language_code = NormalizeLanguage(StringMember(*object, "inLanguage"));
  }

  void ReadJsonAuthors(const Json& object) {
    const Json& author = Member(object, "author");
    if (author.is_null()) {
      // The creator is at times but the account that put the text in.
      for (const std::string& creator : StringsOf(Member(object, "creator"))) {
        AddAuthors(ParseNameList(HtmlToText(creator)));
      }
      return;
    }
    ReadJsonAuthor(author, 0);
    if (result_.article.authors.empty() && !house_author_.empty()) {
      result_.article.authors.push_back(house_author_);
    }
  }

  void ReadJsonAuthor(const Json& value, int depth) {
    if (depth > 2) {
      return;
    }
    if (value.is_array()) {
      for (const Json& item : value) {
        ReadJsonAuthor(item, depth + 1);
      }
      return;
    }
    if (value.is_string()) {
      AddAuthors(HtmlToText(value.get<std::string>()));
      return;
    }
    const Json& person = json_ld_.Resolve(value);
    const std::vector<std::string> types = StringsOf(Member(person, "@type"));
    if (std::find(types.begin(), types.end(), "Organization") != types.end() ||
        std::find(types.begin(), types.end(), "NewsMediaOrganization") != types.end()) {
      // The house, or an agency: named if there is no person.
      house_author_ = house_author_.empty() ? StringMember(person, "name") : house_author_;
      return;
    }
    const Json& name = Member(person, "name");
    for (const std::string& one : StringsOf(name)) {
      AddAuthors(HtmlToText(one));
    }
  }

  void ReadJsonKeywords(const Json& object) {
    const Json& keywords = Member(object, "keywords");
    if (keywords.is_string()) {
      result_.keyword_lists.push_back(HtmlToText(keywords.get<std::string>()));
    } else {
      for (const std::string& keyword : StringsOf(keywords)) {
        AddLabel("keyword", HtmlToText(keyword), &result_.article);
      }
    }
  }

  std::string JsonImage(const Json& image) const {
    if (image.is_array()) {
      return image.empty() ? std::string() : JsonImage(json_ld_.Resolve(image.front()));
    }
    if (image.is_string()) {
      return ResolveUrl(image.get<std::string>(), base_);
    }
    return image.is_object() ? ResolveUrl(StringMember(image, "url"), base_) : std::string();
  }

  void ReadMeta() {
    Article& article = result_.article;
    for (const char* name :
         {"dc.title", "dcterms.title", "og:title", "twitter:title", "parsely-title", "title", "citation_title"}) {
      AddTitle(HtmlToText(First(name)));
    }
    if (article.authors.empty()) {
      for (const char* name :
           {"citation_author", "dc.creator", "dcterms.creator", "author", "article:author", "byl", "parsely-author",
            "sailthru.author", "article:author_name", "og:article:author", "authors", "twitter:data1"}) {
        const auto found = meta_.find(name);
        const bool labelled = absl::string_view(name) != "twitter:data1" || IsWrittenByLabel(First("twitter:label1"));
        if (found != meta_.end() && article.authors.empty() && labelled) {
          for (const std::string& value : found->second) {
            // Libraries' way: "Roe, Jane", one in each element.
            const std::string author = HtmlToText(value);
            const bool single = absl::StartsWith(name, "citation") && !absl::StrContains(author, ";");
            AddAuthors(single ? ParseAuthors(Uninverted(author))
                       : absl::StartsWith(name, "dc") || absl::StartsWith(name, "citation") ? ParseCatalogNames(author)
                                                                                            : ParseAuthors(author));
          }
        }
      }
    }
    for (const char* name : {"article:published_time",
                             "og:published_time",
                             "datepublished",
                             "parsely-pub-date",
                             "sailthru.date",
                             "dc.date.issued",
                             "dcterms.issued",
                             "dcterms.created",
                             "dcterms.date",
                             "dc.date",
                             "dc.date.created",
                             "dc.created",
                             "pubdate",
                             "publishdate",
                             "publish-date",
                             "publication_date",
                             "published_time",
                             "article.published",
                             "og:article:published_time",
                             "citation_publication_date",
                             "date",
                             "rnews:datepublished",
                             "cxenseparse:recs:publishtime",
                             "date.created",
                             "article_date_original",
                             "originalpublicationdate"}) {
      SetPublished(First(name), name);
    }
    for (const char* name : {"article:modified_time", "og:updated_time", "datemodified", "lastmod", "dcterms.modified",
                             "dc.date.modified", "last-modified"}) {
      SetUpdated(First(name), name);
    }
    for (const char* name :
         {"og:site_name", "application-name", "dc.publisher", "apple-mobile-web-app-title", "al:ios:app_name"}) {
      if (article.source.empty() && !absl::StartsWith(First(name), "@")) {  // An account elsewhere.
        article.source = HtmlToText(First(name));
      }
    }
    for (const char* name : {"og:image", "og:image:url", "twitter:image", "twitter:image:src"}) {
      if (article.image_url.empty()) {
        article.image_url = ResolveUrl(First(name), base_);
      }
    }
    for (const char* name : {"og:description", "description", "twitter:description", "dc.description"}) {
      if (article.summary.empty()) {
        article.summary = HtmlToText(First(name));
      }
    }
    for (const char* name : {"article:section", "parsely-section", "section", "og:section", "cxenseparse:category"}) {
      for (const std::string& value : All(name)) {
        AddLabel("section", HtmlToText(value), &article);
        AddAttribute("section", HtmlToText(value));
      }
    }
    for (const std::string& value : All("article:tag")) {
      AddLabel("tag", HtmlToText(value), &article);
    }
    for (const char* name : {"news_keywords", "keywords", "parsely-tags", "sailthru.tags"}) {
      for (const std::string& value : All(name)) {
        result_.keyword_lists.push_back(HtmlToText(value));
      }
    }
    for (const std::string& value : All("article:content_tier")) {
      AddAttribute("access", HtmlToText(value));
    }
    const std::string type = First("og:type");
    if (type == "article") {
      result_.states_article = true;
    }
    if (article.content_type.empty() && !type.empty() && type != "website") {
      article.content_type = type;
    }
  }

  static bool IsWrittenByLabel(absl::string_view label) {
    return absl::StartsWithIgnoreCase(label, "written by") || absl::StartsWithIgnoreCase(label, "verfasst von") ||
           absl::StartsWithIgnoreCase(label, "geschrieben von") || absl::StartsWithIgnoreCase(label, "escrito por");
  }

  std::vector<std::string> All(const char* name) const {
    const auto found = meta_.find(name);
    return found == meta_.end() ? std::vector<std::string>() : found->second;
  }

  // The elements of items around the node that is read, the innermost last.
  struct Scope {
    int32_t node = kNoNode;
    bool is_comment = false;
    bool is_page = false;  // The page as a whole, or its site.
  };

  Scope ScopeOf(int32_t i, bool within_comment) const {
    const std::string type = absl::AsciiStrToLower(document_.Attribute(i, "itemtype"));
    const absl::string_view item = document_.Attribute(i, "itemprop");
    return {.node = i,
            .is_comment = within_comment || absl::StrContains(type, "comment") || item == "comment",
            .is_page = absl::EndsWith(type, "page") || absl::EndsWith(type, "website") || absl::EndsWith(type, "blog")};
  }

  void ReadMicrodata() {
    std::vector<Scope> scopes;
    std::optional<int32_t> headline_scope;
    for (int32_t i = 0; i < document_.size(); ++i) {
      const HtmlNode& node = document_.node(i);
      if (node.is_text || node.attribute_count == 0) {
        continue;
      }
      while (!scopes.empty() && document_.node(scopes.back().node).end <= i) {
        scopes.pop_back();
      }
      const bool in_comment = !scopes.empty() && scopes.back().is_comment;
      const int32_t scope = scopes.empty() || scopes.back().is_page ? kNoNode : scopes.back().node;
      if (!in_comment && !document_.Attribute(i, "itemprop").empty()) {
        ReadItemProperty(i, scope, &headline_scope);
      }
      const absl::string_view type = document_.Attribute(i, "itemtype");
      if (!type.empty() || document_.Attribute(i, "itemprop") == "comment") {
        scopes.push_back(ScopeOf(i, in_comment));
        result_.states_article =
            result_.states_article || (!in_comment && absl::StrContains(absl::AsciiStrToLower(type), "article"));
      }
    }
  }

  void ReadItemProperty(int32_t i, int32_t scope, std::optional<int32_t>* headline_scope) {
    absl::string_view item = document_.Attribute(i, "itemprop");
    item = item.substr(0, item.find(' '));  // "author creator"
    if (item == "datePublished" || item == "dateCreated") {
      AddFact(ItemFact::Field::kPublished, i, scope);
    } else if (item == "dateModified") {
      AddFact(ItemFact::Field::kUpdated, i, scope);
    } else if (item == "author" || item == "creator") {
      AddFact(ItemFact::Field::kAuthor, i, scope);
    } else if (item == "articleSection") {
      AddFact(ItemFact::Field::kSection, i, scope);
    } else if (item == "keywords") {
      AddFact(ItemFact::Field::kKeywords, i, scope);
    } else if (item == "publisher") {
      AddFact(ItemFact::Field::kPublisher, i, scope);
    } else if (item == "headline") {
      // Those of further items are other articles'.
      if (scope != kNoNode && !*headline_scope) {
        *headline_scope = scope;
      }
      if (scope == kNoNode || scope == **headline_scope) {
        AddTitle(ItemValue(i));
      }
    }
  }

  void AddFact(ItemFact::Field field, int32_t i, int32_t scope) {
    constexpr size_t kMaxFacts = 1000;
    if (result_.item_facts.size() >= kMaxFacts) {
      return;
    }
    ItemFact fact{.field = field, .node = i, .scope = scope};
    switch (field) {
      case ItemFact::Field::kPublished:
      case ItemFact::Field::kUpdated:
        fact.date = ReadDate(DateValue(i), "itemprop");
        if (!fact.date) {
          return;
        }
        break;
      case ItemFact::Field::kAuthor:
      case ItemFact::Field::kPublisher:
        fact.value = NameValue(i);
        break;
      case ItemFact::Field::kSection:
      case ItemFact::Field::kKeywords:
        fact.value = ItemValue(i);
        break;
    }
    result_.item_facts.push_back(std::move(fact));
  }

  std::string ItemValue(int32_t i) const {
    const absl::string_view content = document_.Attribute(i, "content");
    return content.empty() ? document_.Text(i) : CollapseSpace(content);
  }

  std::string DateValue(int32_t i) const {
    for (const char* name : {"datetime", "content"}) {
      const absl::string_view value = document_.Attribute(i, name);
      if (!value.empty()) {
        return std::string(value);
      }
    }
    return document_.Text(i).substr(0, 100);
  }

  // The name inside the item of a person or house, or its whole text.
  std::string NameValue(int32_t i) const {
    const absl::string_view content = document_.Attribute(i, "content");
    if (!content.empty()) {
      return CollapseSpace(content);
    }
    for (int32_t k = i + 1; k < document_.node(i).end; ++k) {
      if (!document_.node(k).is_text && document_.Attribute(k, "itemprop") == "name") {
        const absl::string_view name = document_.Attribute(k, "content");
        return name.empty() ? document_.Text(k) : CollapseSpace(name);
      }
    }
    return document_.Text(i);
  }

  void AddTitle(std::string title) {
    if (!title.empty() && title.size() < 1000) {
      result_.titles.push_back(std::move(title));
    }
  }

  // `text` is one name, or several with commas or "and" between them.
  void AddAuthors(absl::string_view text) { AddAuthors(ParseAuthors(text)); }

  void AddAuthors(std::vector<std::string> names) {
    std::vector<std::string>& authors = result_.article.authors;
    for (std::string& name : names) {
      if (!name.empty() && authors.size() < kMaxAuthors &&
          std::find(authors.begin(), authors.end(), name) == authors.end()) {
        authors.push_back(std::move(name));
      }
    }
  }

  void AddAttribute(const std::string& name, std::string value) {
    std::vector<std::string>& values = result_.article.attributes[name];
    if (value.empty() || value.size() > kMaxLabelBytes || values.size() >= 50 ||
        std::find(values.begin(), values.end(), value) != values.end()) {
      if (values.empty()) {
        result_.article.attributes.erase(name);
      }
      return;
    }
    values.push_back(std::move(value));
  }

  std::optional<ParsedDate> ReadDate(absl::string_view text, absl::string_view where) {
    if (text.empty()) {
      return std::nullopt;
    }
    std::optional<ParsedDate> date = FindDate(text);
    if (date && !IsPlausibleTime(date->time, now_)) {
      result_.warnings.push_back(absl::StrCat("publish_time: ", where, " \"",
                                              text.substr(0, common::CodePointFloor(text, 40)),
                                              "\" cannot be right and was dropped"));
      return std::nullopt;
    }
    return date;
  }

  void SetPublished(absl::string_view text, absl::string_view where) {
    if (result_.article.publish_time) {
      return;
    }
    if (const auto date = ReadDate(text, where)) {
      result_.article.publish_time = date->time;
      result_.article.publish_time_precision = date->precision;
    }
  }

  void SetUpdated(absl::string_view text, absl::string_view where) {
    if (result_.article.update_time) {
      return;
    }
    if (const auto date = ReadDate(text, where)) {
      result_.article.update_time = date->time;
    }
  }

  const HtmlDocument& document_;
  JsonLd json_ld_;
  const std::string document_url_;
  std::string base_;
  std::vector<std::string> headings_;  // <h1>.
  const absl::Time now_;
  absl::flat_hash_map<std::string, std::vector<std::string>> meta_;
  std::string house_author_;
  HtmlMetadata result_;
};

}  // namespace

HtmlMetadata ReadHtmlMetadata(const HtmlDocument& document, absl::string_view url, absl::Time now) {
  return MetadataReader(document, url, now).Read();
}

std::string ResolveUrl(absl::string_view reference, absl::string_view base) {
  const std::string relative(absl::StripAsciiWhitespace(reference));
  if (relative.empty() || relative.size() > kMaxUrlBytes || absl::StartsWithIgnoreCase(relative, "http%3a") ||
      absl::StartsWithIgnoreCase(relative, "https%3a")) {
    return "";
  }
  std::string absolute = relative;
  if (!common::LooksLikeUrl(relative)) {
    const std::string base_string(base);
    xmlChar* const built = xmlBuildURI(reinterpret_cast<const xmlChar*>(relative.c_str()),
                                       reinterpret_cast<const xmlChar*>(base_string.c_str()));
    if (built == nullptr) {
      return "";
    }
    absolute = reinterpret_cast<const char*>(built);
    xmlFree(built);
  }
  return common::CanonicalUrl(absolute).ok() && absolute.size() <= kMaxUrlBytes ? absolute : "";
}

std::string StripSiteName(absl::string_view title, absl::string_view site) {
  const std::string site_key = MatchKey(site);
  if (site_key.empty()) {
    return std::string(title);
  }
  for (const absl::string_view separator :
       {" | ", " - ", " – ", " — ", " · ", " • ", " » ", " :: ", ": ", " / ", " « "}) {
    const size_t last = title.rfind(separator);
    if (last != absl::string_view::npos && last > 0) {
      const std::string tail = MatchKey(title.substr(last + separator.size()));
      if (!tail.empty() && (tail == site_key || (tail.size() > 3 && absl::StartsWith(site_key, tail)) ||
                            (site_key.size() > 3 && absl::StartsWith(tail, site_key)))) {
        return StripSiteName(title.substr(0, last), site);
      }
    }
    const size_t first = title.find(separator);
    if (first != absl::string_view::npos && MatchKey(title.substr(0, first)) == site_key) {
      return std::string(title.substr(first + separator.size()));
    }
  }
  return std::string(title);
}

void AddLabel(absl::string_view kind, absl::string_view name, Article* article) {
  SourceLabel label{.kind = std::string(kind), .name = CollapseSpace(name)};
  std::vector<SourceLabel>& labels = article->source_labels;
  if (label.name.empty() || label.name.size() > kMaxLabelBytes || labels.size() >= kMaxLabels ||
      std::find(labels.begin(), labels.end(), label) != labels.end()) {
    return;
  }
  labels.push_back(std::move(label));
}

void AddKeywords(absl::string_view list, Article* article) {
  const char separator = absl::StrContains(list, ";") && !absl::StrContains(list, ",") ? ';' : ',';
  absl::flat_hash_set<std::string> whole;  // Names that would be divided, by their letters and digits.
  for (const SourceLabel& label : article->source_labels) {
    if (absl::StrContains(label.name, std::string(1, separator))) {
      whole.insert(MatchKey(label.name));
    }
  }
  std::vector<absl::string_view> pieces = absl::StrSplit(list, separator);
  pieces.resize(std::min(pieces.size(), kMaxKeywords));
  for (size_t first = 0; first < pieces.size();) {
    const auto through = [&](size_t count) {
      const char* const begin = pieces[first].data();
      const absl::string_view last = pieces[first + count - 1];
      return absl::string_view(begin, static_cast<size_t>(last.data() + last.size() - begin));
    };
    size_t count = whole.empty() ? 1 : std::min(kMaxKeywordPieces, pieces.size() - first);
    while (count > 1 && (through(count).size() > kMaxLabelBytes || !whole.contains(MatchKey(through(count))))) {
      --count;
    }
    AddLabel("keyword", through(count), article);
    first += count;
  }
}

}  // namespace dateline::extraction
