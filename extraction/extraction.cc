#include "extraction/extraction.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

#include "common/error.h"
#include "common/status_macros.h"
#include "common/text.h"
#include "common/url.h"
#include "extraction/article_builder.h"
#include "extraction/charset.h"
#include "extraction/dates.h"
#include "extraction/format.h"
#include "extraction/html_body.h"
#include "extraction/html_document.h"
#include "extraction/html_fragment.h"
#include "extraction/html_metadata.h"
#include "extraction/page_text.h"
#include "extraction/site_rules.h"
#include "extraction/text_shape.h"

namespace dateline::extraction {
namespace {

absl::Status Reject(absl::string_view reason, absl::string_view message) {
  return common::WithReason(common::InvalidField("content", message), reason);
}

// What was found may be data alone, which is no text.
absl::Status CheckNotEmpty(const Article& article) {
  return article.title.empty() && article.body.empty() ? Reject(kNotAnArticle, "holds data and no text")
                                                       : absl::OkStatus();
}

// The media type without its parameters, lower case.
std::string BareMediaType(absl::string_view media_type) {
  return absl::AsciiStrToLower(absl::StripAsciiWhitespace(media_type.substr(0, media_type.find(';'))));
}

std::string CharsetOf(const Document& document) {
  if (!document.charset.empty()) {
    return document.charset;
  }
  const std::string lower = absl::AsciiStrToLower(document.media_type);
  const size_t at = lower.find("charset=");
  if (at == std::string::npos) {
    return "";
  }
  absl::string_view value = absl::string_view(document.media_type).substr(at + 8);
  value = value.substr(0, value.find(';'));
  return std::string(absl::StripAsciiWhitespace(value));
}

enum class Kind { kHtml, kText, kUnsupported, kUnknown };

Kind KindOfMediaType(absl::string_view media_type) {
  if (media_type.empty() || media_type == "application/octet-stream" || media_type == "text/*" || media_type == "*/*") {
    return Kind::kUnknown;
  }
  if (media_type == "text/html" || media_type == "application/xhtml+xml" || media_type == "application/xml" ||
      media_type == "text/xml") {
    return Kind::kHtml;
  }
  if (media_type == "text/plain" || media_type == "text/markdown") {
    return Kind::kText;
  }
  return Kind::kUnsupported;
}

void MergeBody(HtmlBody* body, Article* article) {
  if (article->authors.empty()) {
    article->authors = std::move(body->authors);
  }
  if (const auto& published = body->dates.published; published && !article->publish_time) {
    article->publish_time = published->time;
    article->publish_time_precision = published->precision;
  }
  if (const auto& updated = body->dates.updated; updated && !article->update_time) {
    article->update_time = updated->time;
  }
  if (article->source.empty()) {
    article->source = std::move(body->source);
  }
  if (article->summary.empty()) {
    article->summary = std::move(body->standfirst);
  }
  if (!body->direction.empty()) {
    article->attributes["direction"] = {body->direction};
  }
  for (const SourceLabel& label : body->labels) {
    AddLabel(label.kind, label.name, article);
  }
}

// <title> as a last resort: most sites put their name after the last bar or dash.
std::string TitleOfPage(absl::string_view title, absl::string_view site) {
  const size_t bracket = title.rfind(" [");
  if (bracket != absl::string_view::npos && absl::EndsWith(title, "]") && CountWords(title.substr(0, bracket)) >= 2) {
    title = title.substr(0, bracket);  // "… [Archive of Our Own]"
  }
  constexpr absl::string_view kArchive = " » Blog Archive » ";  // The house stands before it.
  if (const size_t archive = title.rfind(kArchive); archive != absl::string_view::npos) {
    title = title.substr(archive + kArchive.size());
  }
  std::string stripped = StripSiteName(title, site);
  if (stripped != title) {
    return stripped;
  }
  for (const absl::string_view separator : {" | ", " │ ", " » ", " - ", " – ", " — "}) {
    const size_t at = title.rfind(separator);
    if (at != absl::string_view::npos && CountWords(title.substr(0, at)) >= 2 &&
        CountWords(title.substr(at + separator.size())) <= 4) {
      return std::string(title.substr(0, at));
    }
  }
  return stripped;
}

// True if one of two titles is the other, but for the site's name and the like.
bool SaysTheSame(absl::string_view shown, absl::string_view stated) {
  const std::string shown_key = MatchKey(shown);
  const std::string stated_key = MatchKey(stated);
  if (shown_key.empty() || stated_key.empty()) {
    return false;
  }
  if (absl::StrContains(shown_key, stated_key) || shown_key.size() * 2 >= stated_key.size()) {
    return absl::StrContains(shown_key, stated_key) || absl::StrContains(stated_key, shown_key);
  }
  // A long name of the house may follow a short title: "Quay | The Review of Ports and Harbours".
  absl::string_view rest = stated;
  return absl::ConsumePrefix(&rest, shown) && absl::ConsumePrefix(&rest, " ") && !rest.empty() &&
         (absl::ascii_ispunct(static_cast<unsigned char>(rest[0])) || absl::StartsWith(rest, "–") ||
          absl::StartsWith(rest, "—"));
}

std::string ChooseTitle(const HtmlBody& body, const HtmlMetadata& metadata) {
  // A stated title that is the page's own has the site's name in it, too.
  const bool stated = !metadata.titles.empty() && metadata.titles.front() != metadata.page_title;
  if (!body.title.empty() && (!stated || SaysTheSame(body.title, metadata.titles.front()))) {
    return StripSiteName(body.title, metadata.article.source);
  }
  if (stated) {
    return StripSiteName(metadata.titles.front(), metadata.article.source);
  }
  return TitleOfPage(metadata.page_title, metadata.article.source);
}

std::string Shortened(absl::string_view text) { return std::string(text.substr(0, common::CodePointFloor(text, 80))); }

// "site rules of example.org: select"
std::string NameOfRule(const SiteRule& rule, absl::string_view name) {
  return absl::StrCat("site rules of ", Shortened(rule.hosts), ": ", name);
}

void SetFromRule(const SiteRule& rule, absl::string_view field, const std::vector<std::string>& values,
                 Extraction* extraction) {
  Article& article = extraction->article;
  const std::string& first = values.front();
  if (field == "title") {
    article.title = first;
  } else if (field == "summary") {
    article.summary = first;
  } else if (field == "source") {
    article.source = first;
  } else if (field == "author") {
    article.authors.clear();
    for (const std::string& value : values) {
      for (std::string& name : ParseAuthors(value)) {
        article.authors.push_back(std::move(name));
      }
    }
  } else if (absl::StartsWith(field, "label.")) {
    for (const std::string& value : values) {
      AddLabel(field.substr(6), value, &article);
    }
  } else if (const auto date = FindDate(first)) {
    (field == "published" ? article.publish_time : article.update_time) = date->time;
    if (field == "published") {
      article.publish_time_precision = date->precision;
    }
  } else {
    extraction->warnings.push_back(absl::StrCat(NameOfRule(rule, field), ": \"", Shortened(first), "\" is no date"));
  }
}

// What the site's rules say of the fields stands above what was found. A rule that finds nothing changes nothing.
void FollowFieldRules(const SiteRule& rule, const RuleMatches& matches, const HtmlDocument& document,
                      Extraction* extraction) {
  constexpr size_t kMaxValues = 100;
  std::vector<absl::string_view> found;
  for (size_t i = 0; i < rule.fields.size(); ++i) {
    const auto& [field, where] = rule.fields[i];
    const size_t wanted = field == "author" || absl::StartsWith(field, "label.") ? kMaxValues : 1;
    std::vector<std::string> values;
    if (!where.text.empty()) {
      values.push_back(where.text);
    }
    for (const int32_t node : matches.fields[i]) {
      if (values.size() >= wanted) {
        break;
      }
      std::string value =
          where.attribute.empty() ? document.Text(node) : CollapseSpace(document.Attribute(node, where.attribute));
      if (!value.empty()) {
        values.push_back(std::move(value));
      }
    }
    if (!values.empty()) {
      SetFromRule(rule, field, values, extraction);
      found.emplace_back(field);
    }
  }
  // Other fields are on some pages only.
  for (const absl::string_view field : {"title", "author", "published"}) {
    const auto line = std::find_if(rule.fields.begin(), rule.fields.end(),
                                   [&](const auto& candidate) { return candidate.first == field; });
    if (line != rule.fields.end() && std::find(found.begin(), found.end(), field) == found.end()) {
      extraction->warnings.push_back(
          absl::StrCat(NameOfRule(rule, field), ": \"", Shortened(line->second.line), "\" finds nothing on this page"));
    }
  }
}

// Text that is too little, or nothing but links, is no article.
constexpr double kMinText = 140.0;
constexpr double kMinTextIfStated = 40.0;
constexpr double kMinTextOfLinkPage = 600.0;
constexpr double kLinkPage = 0.75;

constexpr double kMaxNotice = 1500.0;  // Text of an error page, in letters.
constexpr double kMaxWall = 4000.0;    // Of a consent dialog.
constexpr double kMinShareOfWall = 0.5;
constexpr double kMaxStub = 2500.0;  // Text before a paywall; articles that are longer are taken to be whole.
constexpr size_t kMinListed = 3;     // Teasers that make a list, where they are all that the page holds.

// What servers say instead of the page. Folded.
bool IsErrorTitle(absl::string_view title) {
  const std::string key = common::FoldForMatch(CollapseSpace(title));
  for (const absl::string_view phrase : {"page not found",
                                         "404 not found",
                                         "error 404",
                                         "404 error",
                                         "403 forbidden",
                                         "access denied",
                                         "access to this page",
                                         "500 internal server error",
                                         "502 bad gateway",
                                         "503 service",
                                         "504 gateway",
                                         "service unavailable",
                                         "temporarily unavailable",
                                         "just a moment",
                                         "attention required",
                                         "are you a robot",
                                         "are you human",
                                         "verify you are human",
                                         "security check",
                                         "page unavailable",
                                         "page cannot be found",
                                         "page can't be found",
                                         "page doesn't exist",
                                         "seite nicht gefunden",
                                         "seite wurde nicht gefunden",
                                         "zugriff verweigert",
                                         "page introuvable",
                                         "page non trouvee",
                                         "pagina no encontrada",
                                         "pagina non trovata",
                                         "pagina nao encontrada",
                                         "pagina niet gevonden",
                                         "nie znaleziono strony",
                                         "страница не наидена",
                                         "страница не найдена",
                                         "sayfa bulunamadı",
                                         "sayfa bulunamadi",
                                         "الصفحة غير موجودة",
                                         "页面不存在",
                                         "ページが見つかりません"}) {
    if (absl::StrContains(key, phrase)) {
      return true;
    }
  }
  return key == "404" || key == "403" || key == "not found" || key == "error" || key == "forbidden" ||
         absl::StartsWith(key, "404 ") || absl::StartsWith(key, "404:");
}

bool IsLoginTitle(absl::string_view title) {
  const std::string key = common::FoldForMatch(CollapseSpace(title));
  for (const absl::string_view name : {"log in", "login", "sign in", "anmelden", "einloggen", "connexion",
                                       "se connecter", "iniciar sesion", "accedi", "entrar", "inloggen"}) {
    if (key == name) {
      return true;
    }
  }
  return false;
}

// Headings of dialogs, which articles on privacy don't have.
bool AsksForConsent(absl::string_view title_key) {
  for (const absl::string_view phrase : {"your privacy", "ihre privatsphare", "votre vie privee", "su privacidad",
                                         "tu privacidad", "la tua privacy", "uw privacy"}) {
    if (absl::StrContains(title_key, phrase)) {
      return true;
    }
  }
  return false;
}

// Share of the text's letters that stand in paragraphs on cookies and consent.
double ShareOfConsent(const std::vector<BodyPart>& parts) {
  size_t all = 0;
  size_t consent = 0;
  for (const BodyPart& part : parts) {
    const std::string key = common::FoldForMatch(part.text.substr(0, common::CodePointFloor(part.text, 2000)));
    const bool about = absl::StrContains(key, "cookie") || absl::StrContains(key, "your consent") ||
                       absl::StrContains(key, "einwilligung") || absl::StrContains(key, "consentement") ||
                       absl::StrContains(key, "tracking") || absl::StrContains(key, "personal data") ||
                       absl::StrContains(key, "personenbezogene");
    all += part.text.size();
    consent += about ? part.text.size() : 0;
  }
  return all == 0 ? 0.0 : static_cast<double>(consent) / static_cast<double>(all);
}

// Pages that hold sentences and yet no article.
absl::Status CheckIsArticle(const HtmlBody& body, const HtmlMetadata& metadata) {
  const std::string& title =
      IsErrorTitle(metadata.page_title) || body.heading.empty() ? metadata.page_title : body.heading;
  if (body.text_score < kMaxNotice && IsErrorTitle(title)) {
    return Reject(kNotAnArticle,
                  absl::StrCat("the page is an error message (\"", title.substr(0, common::CodePointFloor(title, 80)),
                               "\"); fetch it again later, or check its address"));
  }
  if (body.text_score < kMaxNotice && !metadata.states_article && IsLoginTitle(title)) {
    return Reject(kNotAnArticle, "the page asks for a user name and password; fetch it as somebody who may read it");
  }
  const std::string title_key = common::FoldForMatch(title);
  const bool on_privacy = (absl::StrContains(title_key, "cookie") || absl::StrContains(title_key, "privacy") ||
                           absl::StrContains(title_key, "tracking") || absl::StrContains(title_key, "daten")) &&
                          !AsksForConsent(title_key);
  if (body.text_score < kMaxWall && !on_privacy && ShareOfConsent(body.parts) >= kMinShareOfWall) {
    return Reject(kNotAnArticle,
                  "the page asks for consent to cookies and shows no article; fetch it with that consent given");
  }
  if (metadata.article.content_type == "profile" && !metadata.article.publish_time) {
    return Reject(kNotAnArticle, "the page says of itself that it is a person's profile; send the articles it lists");
  }
  if (body.teasers >= kMinListed && !metadata.states_article && !metadata.article.publish_time) {
    return Reject(kNotAnArticle,
                  absl::StrCat("the page is a list of ", body.teasers, " teasers; send the pages that they lead to"));
  }
  return absl::OkStatus();
}

// Pages that scripts fill, and some that hide their text, state it all the same. A beginning of a few lines that stands
// there more often is no reason to prefer it.
bool StatesMoreThanItShows(const HtmlBody& body, const HtmlMetadata& metadata) {
  constexpr double kMinStated = 200.0;
  constexpr double kTimes = 4.0;
  const auto stated = static_cast<double>(metadata.article_body.size());
  return stated >= kMinStated && stated > body.text_score * kTimes;
}

void SetStatedBody(absl::string_view stated, Article* article, std::vector<std::string>* warnings) {
  std::string unescaped;  // Some escape their markup once more than it takes.
  if (absl::StrContains(stated, "&lt;/") || absl::StrContains(stated, "&lt;br")) {
    unescaped = HtmlToText(stated);
    stated = unescaped;
  }
  if (absl::StrContains(stated, "</") || absl::StrContains(stated, "<p>") || absl::StrContains(stated, "<br")) {
    SetBodyFromFragment(stated, article, warnings);
  } else {
    std::vector<BodyPart> parts;
    for (const absl::string_view line : absl::StrSplit(stated, '\n')) {
      std::string text = HtmlToText(line);
      if (!text.empty()) {
        parts.push_back({.text = std::move(text)});
      }
    }
    SetBody(parts, article, warnings);
  }
  warnings->emplace_back("body: the page shows less; this is what its JSON-LD states as articleBody");
}

void WarnOfPaywall(const HtmlBody& body, Extraction* extraction) {
  const auto access = extraction->article.attributes.find("access");
  const bool paid =
      access != extraction->article.attributes.end() && !access->second.empty() && access->second.front() != "free";
  if ((paid || body.paywall) && body.text_score < kMaxStub) {
    extraction->is_stub = true;
    extraction->warnings.emplace_back(
        "body: perhaps no more than its beginning; the page keeps the rest for subscribers");
  }
}

absl::StatusOr<Extraction> ExtractHtml(std::string html, const Document& document, const Options& options,
                                       absl::Time now) {
  absl::StatusOr<HtmlDocument> parsed = HtmlDocument::ParseAndFree(std::move(html));
  if (!parsed.ok()) {
    return Reject(kDocumentTooLarge, parsed.status().message());
  }
  HtmlMetadata metadata = ReadHtmlMetadata(*parsed, document.url, now);
  const SiteRule* const rule =
      options.site_rules == nullptr
          ? nullptr
          : options.site_rules->Find(document.url.empty() ? metadata.article.url : document.url);
  const RuleMatches matches = rule == nullptr ? RuleMatches() : MatchRule(*parsed, *rule);
  if (!matches.complete) {
    return Reject(kRulesTakeTooLong,
                  absl::StrCat("takes too long with the site rules for [", Shortened(rule->hosts),
                               "]: let each step of their selectors have an id or a class, or give fewer"));
  }
  const bool selected = !matches.select.empty();
  const std::string missed = rule == nullptr || rule->select.empty() || selected
                                 ? ""
                                 : absl::StrCat(NameOfRule(*rule, "select"), ": \"", Shortened(rule->select_line),
                                                "\" matches nothing on this page");
  HtmlBody body =
      ExtractHtmlBody(*parsed, metadata, options.explain, rule == nullptr ? nullptr : &matches, options.locate);
  if (options.explain && options.rejected != nullptr) {
    *options.rejected = body.blocks;
  }
  const bool stated = !selected && StatesMoreThanItShows(body, metadata);
  if (stated) {
    body.parts.clear();
    body.text_score = static_cast<double>(metadata.article_body.size());
    for (Block& block : body.blocks) {
      block.reason = block.kept ? "less than JSON-LD states" : block.reason;
      block.kept = false;
    }
  }
  const double least = metadata.states_article || selected ? kMinTextIfStated
                       : body.link_share > kLinkPage       ? kMinTextOfLinkPage
                                                           : kMinText;
  if ((body.parts.empty() && !stated) || (body.text_score < least && !body.whole_page)) {
    constexpr size_t kMaxShell = 400;  // Of a page that scripts fill: a name, "Loading", "Please enable JavaScript".
    const bool shell = parsed->has_script() && (parsed->size() == 0 || parsed->Text(0).size() < kMaxShell);
    return Reject(
        kNotAnArticle,
        absl::StrCat(shell ? "the page builds its text with JavaScript, which is not run; send what a browser "
                             "shows of it (\"save page as\"), or the site's feed"
                           : "no article found in the page; send the page of one article, not a list or a "
                             "front page",
                     missed.empty() ? "" : "; ", missed));
  }
  if (!selected) {  // Who says where the text is says that there is one.
    RETURN_IF_ERROR(CheckIsArticle(body, metadata));
  }
  Extraction extraction;
  extraction.warnings = parsed->warnings();
  extraction.warnings.insert(extraction.warnings.end(), metadata.warnings.begin(), metadata.warnings.end());
  std::string title = ChooseTitle(body, metadata);
  extraction.article = std::move(metadata.article);
  extraction.article.title = std::move(title);
  MergeBody(&body, &extraction.article);
  if (!missed.empty()) {
    extraction.warnings.push_back(absl::StrCat(missed, "; the text was found without it"));
  }
  if (rule != nullptr) {
    FollowFieldRules(*rule, matches, *parsed, &extraction);
  }
  for (const std::vector<std::string>& lists : {metadata.keyword_lists, body.keyword_lists}) {
    for (const std::string& list : lists) {
      AddKeywords(list, &extraction.article);
    }
  }
  if (stated) {
    SetStatedBody(metadata.article_body, &extraction.article, &extraction.warnings);
  } else {
    SetBody(body.parts, &extraction.article, &extraction.warnings);
  }
  RETURN_IF_ERROR(CheckNotEmpty(extraction.article));
  if (!stated || EndsCutOff(extraction.article.body)) {
    WarnOfPaywall(body, &extraction);
  }
  if (body.whole_page && !stated && body.text_score < kMinText) {
    extraction.warnings.emplace_back("body: a few words, which are all that the page holds");
  }
  extraction.blocks = std::move(body.blocks);
  return extraction;
}

// "kenya", "trade" in "[kenya, 'trade']"; the text itself if it is no list.
std::vector<std::string> ListOf(absl::string_view value) {
  std::vector<std::string> items = {std::string(value)};
  if (absl::ConsumePrefix(&value, "[") && absl::ConsumeSuffix(&value, "]")) {
    items.clear();
    for (const absl::string_view item : absl::StrSplit(value, ',', absl::SkipWhitespace())) {
      items.emplace_back(absl::StripAsciiWhitespace(item));
    }
  }
  for (std::string& item : items) {
    for (const char quote : {'"', '\''}) {
      if (item.size() >= 2 && item.front() == quote && item.back() == quote) {
        item = item.substr(1, item.size() - 2);
      }
    }
  }
  return items;
}

void SetFromFrontMatter(absl::string_view name, absl::string_view value, Article* article) {
  const std::string key = absl::AsciiStrToLower(name);
  for (const std::string& item : ListOf(value)) {
    if (item.empty()) {
      continue;
    }
    if (key == "title") {
      article->title = item;
    } else if (key == "summary" || key == "description") {
      article->summary = item;
    } else if (key == "author" || key == "authors") {
      for (std::string& author : ParseAuthors(item)) {
        article->authors.push_back(std::move(author));
      }
    } else if (key == "tags" || key == "keywords") {
      AddLabel(key == "tags" ? "tag" : "keyword", item, article);
    } else if (key == "categories" || key == "category") {
      AddLabel("category", item, article);
    } else if (key == "lang" || key == "language") {
      article->language_code = item;
    } else if (const auto date = key == "date" || key == "lastmod" ? FindDate(item) : std::nullopt) {
      (key == "date" ? article->publish_time : article->update_time) = date->time;
      article->publish_time_precision = key == "date" ? date->precision : article->publish_time_precision;
    }
  }
}

// Takes the lines "name: value" between two lines of dashes off the front of `text`, as files in Markdown have them,
// and the marks of headings off the rest. Lists may have an item on each line. False, and nothing done, if there are
// none.
bool ReadFrontMatter(std::string* text, Article* article) {
  constexpr size_t kMaxBytes = 8192;
  absl::string_view rest = *text;
  if (!absl::ConsumePrefix(&rest, "---\n")) {
    return false;
  }
  const size_t end = rest.substr(0, kMaxBytes).find("\n---\n");
  if (end == absl::string_view::npos) {
    return false;
  }
  std::vector<std::pair<absl::string_view, std::string>> fields;
  for (const absl::string_view line : absl::StrSplit(rest.substr(0, end), '\n', absl::SkipWhitespace())) {
    absl::string_view item = absl::StripAsciiWhitespace(line);
    if (absl::ConsumePrefix(&item, "- ") && !fields.empty()) {
      SetFromFrontMatter(fields.back().first, item, article);
      continue;
    }
    const size_t colon = line.find(':');
    if (colon == absl::string_view::npos || colon == 0) {
      return false;
    }
    fields.emplace_back(absl::StripAsciiWhitespace(line.substr(0, colon)),
                        absl::StripAsciiWhitespace(line.substr(colon + 1)));
  }
  for (const auto& [name, value] : fields) {
    SetFromFrontMatter(name, value, article);
  }
  std::string body;
  for (const absl::string_view line : absl::StrSplit(rest.substr(end + 5), '\n')) {
    const size_t marks = std::min(line.find_first_not_of('#'), line.size());
    const bool heading = marks > 0 && marks <= 6 && marks < line.size() && line[marks] == ' ';
    absl::StrAppend(&body, heading ? absl::StrCat("\n", absl::StripAsciiWhitespace(line.substr(marks)), "\n") : line,
                    "\n");
  }
  *text = std::move(body);
  return true;
}

absl::StatusOr<Extraction> ExtractText(std::string text, const Options& options) {
  Extraction extraction;
  const bool stated = ReadFrontMatter(&text, &extraction.article);
  HtmlBody body = ExtractPageText(text, options.explain);
  if (body.parts.empty()) {
    return Reject(kNotAnArticle,
                  "no article found in the text; it holds no paragraphs, nor a line that ends as a sentence does; send "
                  "a headline alone as the title of an article");
  }
  if (!stated || extraction.article.title.empty()) {
    extraction.article.title = body.title;
  }
  MergeBody(&body, &extraction.article);
  SetBody(body.parts, &extraction.article, &extraction.warnings);
  RETURN_IF_ERROR(CheckNotEmpty(extraction.article));
  WarnOfPaywall(body, &extraction);
  extraction.blocks = std::move(body.blocks);
  return extraction;
}

// What a document without text is, and what to do.
std::string DescribeUnsupported(const Document& document) {
  switch (DetectFormat("", document.content)) {
    case Format::kPdf:
      return "is a PDF; `dateline ingest` and `dateline extract` read PDFs, or send its text";
    case Format::kArchive:
      return "is packed or compressed; `dateline ingest` and `dateline extract` unpack files, or send the page itself";
    default:
      return absl::StrCat("holds no text", document.media_type.empty() ? "" : " (", document.media_type.substr(0, 80),
                          document.media_type.empty() ? "" : ")",
                          "; send HTML or plain text in UTF-8 or another charset");
  }
}

bool IsBlank(absl::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return c == '\0' || absl::ascii_isspace(static_cast<unsigned char>(c)); });
}

}  // namespace

absl::StatusOr<Extraction> Extract(const Document& document, const Options& options) {
  if (options.rejected != nullptr) {
    options.rejected->clear();
  }
  const absl::string_view content = document.content;
  if (content.size() > kMaxDocumentBytes) {
    return Reject(kDocumentTooLarge,
                  absl::StrCat("has ", content.size(), " bytes; at most ", kMaxDocumentBytes, " are taken"));
  }
  if (IsBlank(content)) {
    return Reject(kEmptyDocument, "is empty; send the page itself");
  }
  Kind kind = KindOfMediaType(BareMediaType(document.media_type));
  if (kind == Kind::kUnsupported || IsBinary(content)) {
    return Reject(kUnsupportedMediaType, DescribeUnsupported(document));
  }
  DecodedText decoded = DecodeText(content, CharsetOf(document));
  if (IsBlank(decoded.text)) {
    return Reject(kEmptyDocument, "is empty; send the page itself");
  }
  const Format format = DetectFormat("", decoded.text);
  if (kind == Kind::kUnknown || (kind == Kind::kText && format == Format::kHtml)) {
    kind = format == Format::kHtml ? Kind::kHtml : Kind::kText;
  }
  if (format == Format::kFeed || format == Format::kSitemap) {
    return Reject(kNotAnArticle, format == Format::kFeed
                                     ? "is a feed of several articles; send its articles one by one"
                                     : "is a sitemap, which holds no text; send the pages it names");
  }
  absl::Time now = options.now == absl::InfiniteFuture() ? absl::Now() : options.now;
  if (document.fetch_time) {
    now = std::min(now, *document.fetch_time);
  }
  ASSIGN_OR_RETURN(Extraction extraction, kind == Kind::kHtml
                                              ? ExtractHtml(std::move(decoded.text), document, options, now)
                                              : ExtractText(std::move(decoded.text), options));
  if (options.rejected != nullptr) {
    options.rejected->clear();
  }
  extraction.warnings.insert(extraction.warnings.begin(), decoded.warnings.begin(), decoded.warnings.end());
  FinishArticle(document.url, now, &extraction.article, &extraction.warnings);
  return extraction;
}

}  // namespace dateline::extraction
