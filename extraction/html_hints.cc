#include "extraction/html_hints.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace dateline::extraction {
namespace {

constexpr size_t kMaxWords = 40;

using HintMap = absl::flat_hash_map<absl::string_view, Hint>;

// Words, and pairs of words with a hyphen between, of class names and ids.
const HintMap& Names() {
  static const auto* const kNames = [] {
    auto* names = new HintMap();
    const auto add = [names](Hint hint, std::initializer_list<absl::string_view> words) {
      for (const absl::string_view word : words) {
        names->emplace(word, hint);
      }
    };
    add(Hint::kBody, {"articlebody",    "article-body",      "articlecontent",   "article-content", "articletext",
                      "article-text",   "entry-content",     "entrycontent",     "post-content",    "postcontent",
                      "post-body",      "postbody",          "post-text",        "story-body",      "storybody",
                      "story-content",  "story-text",        "storytext",        "news-text",       "news-body",
                      "news-content",   "newstext",          "body-text",        "bodytext",        "content-body",
                      "contentbody",    "single-content",    "blog-content",     "name-body",       "article-copy",
                      "story-copy",     "caas-body",         "e-content",        "parser-output",   "artikeltext",
                      "artikel-text",   "article-main",      "post-entry",       "entry-body",      "entrybody",
                      "entrytext",      "entry-text",        "blogpost-content", "post-fulltext",   "article-entry",
                      "node-body",      "page-content-body", "rte-text",         "story-main",      "articlebodytext",
                      "text-body",      "news-detail",       "article-fulltext", "article-detail",  "body-content",
                      "body-copy",      "copy-body",         "post-article",     "artikel-inhalt",  "artikel-content",
                      "beitrag-text",   "detail-text",       "texto-noticia",    "cuerpo-noticia",  "article-corps",
                      "content-article"});
    add(Hint::kContent, {"article", "content", "maincontent", "main-content", "post", "hentry", "entry", "story",
                         "main", "artikel", "richtext", "rich-text", "wysiwyg", "page-content", "content-main"});
    add(Hint::kNavigation, {"nav",
                            "navbar",
                            "navigation",
                            "menu",
                            "menus",
                            "submenu",
                            "dropdown",
                            "breadcrumb",
                            "breadcrumbs",
                            "crumbs",
                            "skip",
                            "skiplink",
                            "pagination",
                            "pager",
                            "paging",
                            "pagenav",
                            "prevnext",
                            "toc",
                            "sitemap",
                            "topbar",
                            "megamenu",
                            "navigator",
                            "subnav",
                            "mainnav",
                            "metanav",
                            "navi",
                            "tabs",
                            "back-to",
                            "nach-oben",
                            "totop",
                            "toplink",
                            "post-nav",
                            "prev-next",
                            "nextprev",
                            "offcanvas",
                            "hamburger",
                            "langswitch",
                            "language-switcher",
                            "inhaltsverzeichnis",
                            "editsection",
                            "navbox",
                            "catlinks",
                            "jump-to",
                            "anchorlinks",
                            "brotkrumen",
                            "servicenav"});
    add(Hint::kHeaderFooter,
        {"footer", "foot", "masthead", "pagefooter", "page-footer", "site-footer", "site-header", "page-header",
         "siteheader", "sitefooter", "pageheader", "colophon", "impressum", "topline"});
    add(Hint::kSidebar,
        {"sidebar",     "sidebars",     "aside",      "rail",      "right-rail",    "rightcol",       "right-col",
         "rightcolumn", "right-column", "sidecolumn", "side-bar",  "marginal",      "marginalspalte", "widget",
         "widgets",     "infobox",      "factbox",    "secondary", "complementary", "randspalte"});
    add(Hint::kRelated, {"related",         "relateds",        "relatedposts",
                         "relatedarticles", "relatedcontent",  "recommended",
                         "recommendation",  "recommendations", "recommend",
                         "teaser",          "teasers",         "teaserlist",
                         "outbrain",        "taboola",         "popular",
                         "trending",        "mostread",        "most-read",
                         "mostpopular",     "most-popular",    "readmore",
                         "read-more",       "read-next",       "readnext",
                         "see-also",        "seealso",         "more-stories",
                         "morestories",     "more-articles",   "more-news",
                         "morenews",        "upnext",          "up-next",
                         "also-like",       "yarpp",           "carousel",
                         "swiper",          "slick",           "jp-relatedposts",
                         "promo",           "promos",          "promotion",
                         "upsell",          "latest-news",     "latest-posts",
                         "recent-posts",    "recentposts",     "similar",
                         "onward",          "suggested",       "suggestions",
                         "linklist",        "link-list",       "weiterfuehrend",
                         "themenseiten",    "mehr-zum",        "crp",
                         "zergnet",         "plista",          "articlelist",
                         "article-list",    "newslist",        "news-list",
                         "post-list",       "read-also",       "next-article",
                         "further-reading", "more-from",       "morefrom",
                         "crosslink",       "crosslinks",      "verwandte",
                         "interlink"});
    add(Hint::kShare, {"share",  "shares",       "sharing",      "sharebar", "sharedaddy", "shareaholic", "sharethis",
                       "social", "socials",      "socialmedia",  "addthis",  "addtoany",   "shariff",     "heateor",
                       "ssba",   "social-share", "sharebuttons", "followus", "follow-us",  "socialbar",   "snsbar",
                       "likes",  "reactions",    "teilen",       "bookmark", "bookmarks"});
    add(Hint::kComments,
        {"comment",    "comments",        "commentlist", "commentarea", "comments-area",  "commentform",
         "disqus",     "respond",         "replies",     "pingback",    "pings",          "trackbacks",
         "discussion", "kommentare",      "kommentar",   "fb-comments", "commentsection", "livefyre",
         "coral",      "leserkommentare", "webmentions", "webmention"});
    add(Hint::kNewsletter,
        {"newsletter", "newsletters", "subscribe", "subscription", "signup", "sign-up", "optin", "mailinglist", "mc4wp",
         "mailchimp", "mailpoet", "donate", "donation", "membership", "abo", "abobox", "newsletterbox"});
    add(Hint::kConsent, {"cookie", "cookies", "consent", "gdpr", "cookiebar", "cookiebanner", "privacy", "modal",
                         "popup", "overlay", "lightbox", "login", "paywall-message", "noscript", "browser-warning",
                         "toast", "onetrust", "cmp", "registration"});
    add(Hint::kAdvertisement,
        {"ad",        "ads",        "advert",    "adverts", "advertisement", "advertising", "advertorial",
         "adsense",   "adslot",     "adbox",     "adunit",  "banner",        "banners",     "sponsor",
         "sponsored", "sponsors",   "anzeige",   "werbung", "dfp",           "gpt",         "affiliate",
         "marketing", "publicidad", "publicite", "googlead"});
    add(Hint::kAuthorBox,
        {"authorbox",   "author-box",     "authorbio",   "author-bio",      "about-author",       "aboutauthor",
         "bio",         "biography",      "author-info", "authorinfo",      "author-description", "author-profile",
         "author-card", "authordesc",     "about-the",   "contributor-bio", "author-about",       "vcard",
         "autorenbox",  "author-details", "post-author", "entry-author",    "article-author"});
    add(Hint::kByline,
        {"byline", "bylines", "author", "authors", "dateline", "timestamp", "autor", "published", "pubdate",
         "post-date", "entry-date", "article-date", "posted-on", "postdate", "date", "reading-time", "readtime"});
    add(Hint::kMeta,
        {"postmeta",      "post-meta",    "entry-meta",      "entrymeta",      "article-meta", "articlemeta",
         "meta",          "metadata",     "post-info",       "postinfo",       "article-info", "entry-info",
         "post-footer",   "entry-footer", "article-footer",  "postfooter",     "toolbar",      "tools",
         "article-tools", "print",        "printbutton",     "rating",         "ratings",      "vote",
         "poll",          "feedback",     "kicker",          "overline",       "copyright",    "disclaimer",
         "rights",        "licence",      "license",         "icon",           "icons",        "button",
         "buttons",       "btn",          "badge",           "actions",        "audio-player", "player",
         "screen-reader", "sr-only",      "visually-hidden", "visuallyhidden", "screenreader", "reader-text",
         "tooltip",       "noprint",      "no-print",        "assistive"});
    add(Hint::kTags,
        {"tags", "taglist", "tag-list", "tagcloud", "tag-cloud", "tag-links", "post-tags", "entry-tags", "categories",
         "cat-links", "category-list", "keywords", "topics", "topic-list", "schlagworte", "filed-under", "labels"});
    add(Hint::kCaption, {"caption", "captions", "wp-caption", "credit", "credits", "image-caption", "photo-credit",
                         "img-caption", "bildunterschrift", "bildunterzeile", "imagecaption", "image-credit", "gallery",
                         "slideshow", "thumbnail", "thumbcaption", "bildtext", "picture-caption", "legends"});
    add(Hint::kForm, {"search", "searchform", "search-form", "searchbox", "contact-form", "wpcf7", "form", "formular"});
    add(Hint::kStandfirst, {"standfirst", "subheadline", "sub-headline", "dek", "deck", "subtitle", "sub-title", "lede",
                            "article-summary", "intro-text", "article-intro", "excerpt"});
    return names;
  }();
  return *kNames;
}

// Splits "articleBody js-related_Posts" into article, body, js, related, posts.
std::vector<std::string> SplitWords(absl::string_view names, std::vector<bool>* starts_name) {
  std::vector<std::string> words;
  std::string word;
  bool new_name = true;
  const auto flush = [&] {
    if (!word.empty() && words.size() < kMaxWords) {
      words.push_back(absl::AsciiStrToLower(word));
      starts_name->push_back(new_name);
      new_name = false;
    }
    word.clear();
  };
  for (size_t i = 0; i < names.size(); ++i) {
    const auto c = static_cast<unsigned char>(names[i]);
    if (!absl::ascii_isalnum(c)) {
      flush();
      new_name = new_name || absl::ascii_isspace(c);
      continue;
    }
    if (absl::ascii_isupper(c) && !word.empty() && absl::ascii_islower(static_cast<unsigned char>(word.back()))) {
      flush();
    }
    word.push_back(names[i]);
  }
  flush();
  return words;
}

// What an <article> may have, but not be: "author-jane" on it names its author.
bool IsDetail(Hint hint) {
  return hint == Hint::kByline || hint == Hint::kMeta || hint == Hint::kTags || hint == Hint::kCaption ||
         hint == Hint::kForm || hint == Hint::kStandfirst || hint == Hint::kShare;
}

// An id made of a heading's words ("sharing-with-a-single-developer") says nothing about what its element is for.
bool IsSlug(absl::string_view id) {
  constexpr std::ptrdiff_t kMinDivisions = 4;
  return std::count_if(id.begin(), id.end(), [](char c) { return c == '-' || c == '_'; }) >= kMinDivisions;
}

}  // namespace

absl::string_view HintName(Hint hint) {
  switch (hint) {
    case Hint::kNone:
      return "no hint";
    case Hint::kBody:
      return "marked as the article's body";
    case Hint::kContent:
      return "marked as content";
    case Hint::kNavigation:
      return "navigation";
    case Hint::kHeaderFooter:
      return "header or footer";
    case Hint::kSidebar:
      return "sidebar";
    case Hint::kRelated:
      return "related articles";
    case Hint::kShare:
      return "share bar";
    case Hint::kComments:
      return "comments";
    case Hint::kNewsletter:
      return "newsletter";
    case Hint::kConsent:
      return "cookie notice or dialog";
    case Hint::kAdvertisement:
      return "advertisement";
    case Hint::kAuthorBox:
      return "biography";
    case Hint::kByline:
      return "byline";
    case Hint::kMeta:
      return "page furniture";
    case Hint::kTags:
      return "tags";
    case Hint::kCaption:
      return "caption";
    case Hint::kForm:
      return "form";
    case Hint::kHidden:
      return "hidden";
    case Hint::kStandfirst:
      return "standfirst";
    case Hint::kSiteRule:
      return "dropped by the site's rules";
  }
  return "no hint";
}

Hint HintReader::OfNames(absl::string_view names) {
  if (names.empty()) {
    return Hint::kNone;
  }
  const auto seen = by_names_.find(names);
  if (seen != by_names_.end()) {
    return seen->second;
  }
  std::vector<bool> starts_name;
  const std::vector<std::string> words = SplitWords(names, &starts_name);
  Hint body = Hint::kNone;
  Hint content = Hint::kNone;
  Hint boilerplate = Hint::kNone;
  bool layout = false;   // Words of the page's grid say nothing about what it holds: "has-sidebar", "no-comments".
  bool builder = false;  // Page builders call everything a widget.
  for (size_t i = 0; i < words.size(); ++i) {
    if (starts_name[i]) {
      layout = words[i] == "has" || words[i] == "no" || words[i] == "with" || words[i] == "is" || words[i] == "hide" ||
               words[i] == "without" || words[i] == "col" || words[i] == "type" || words[i] == "category" ||
               words[i] == "tag" || words[i] == "post" || words[i] == "format" || words[i] == "status";
    }
    builder = builder || words[i] == "elementor" || words[i] == "et" || words[i] == "so" || words[i] == "fusion" ||
              words[i] == "vc";
    for (const bool pair : {true, false}) {
      if (pair && (i + 1 >= words.size() || starts_name[i + 1])) {
        continue;
      }
      const auto found = Names().find(pair ? absl::StrCat(words[i], "-", words[i + 1]) : words[i]);
      if (found == Names().end()) {
        continue;
      }
      const Hint hint = found->second;
      if (hint == Hint::kBody) {
        body = hint;
      } else if (hint == Hint::kContent) {
        content = hint;
      } else if (hint == Hint::kStandfirst) {
        boilerplate = boilerplate == Hint::kNone ? hint : boilerplate;
      } else if ((!layout || pair) && !(builder && hint == Hint::kSidebar) &&
                 (boilerplate == Hint::kNone || boilerplate == Hint::kStandfirst)) {
        boilerplate = hint;
      }
      if (pair) {
        break;
      }
    }
  }
  Hint hint = content;
  if (body != Hint::kNone &&
      (boilerplate == Hint::kNone || boilerplate == Hint::kStandfirst || boilerplate == Hint::kMeta)) {
    hint = body;
  } else if (boilerplate != Hint::kNone) {
    hint = boilerplate;
  }
  by_names_.emplace(names, hint);
  return hint;
}

Hint HintReader::Read(const HtmlDocument& document, int32_t node) {
  const HtmlNode& n = document.node(node);
  if (n.is_text) {
    return Hint::kNone;
  }
  if (n.attribute_count > 0) {
    if (document.HasAttribute(node, "hidden")) {
      return Hint::kHidden;
    }
    const absl::string_view item = document.Attribute(node, "itemprop");
    if (item == "articleBody" || item == "reviewBody") {
      return Hint::kBody;
    }
    const absl::string_view role = document.Attribute(node, "role");
    if (role == "navigation" || role == "menu" || role == "menubar" || role == "search") {
      return Hint::kNavigation;
    }
    if (role == "complementary") {
      return Hint::kSidebar;
    }
    if (role == "contentinfo" || role == "banner") {
      return Hint::kHeaderFooter;
    }
    if (role == "dialog" || role == "alert" || role == "alertdialog" || role == "tooltip") {
      return Hint::kConsent;
    }
    const Hint by_class = OfNames(document.Attribute(node, "class"));
    const absl::string_view id = document.Attribute(node, "id");
    const Hint by_id = IsSlug(id) ? Hint::kNone : OfNames(id);
    const Hint by_test = OfNames(document.Attribute(node, "data-testid"));
    if (by_class == Hint::kBody || by_id == Hint::kBody) {
      return Hint::kBody;
    }
    const bool is_article = n.tag == GUMBO_TAG_ARTICLE || n.tag == GUMBO_TAG_MAIN;
    for (const Hint hint : {by_class, by_id, by_test}) {
      if ((IsBoilerplate(hint) || hint == Hint::kStandfirst) && !(is_article && IsDetail(hint))) {
        return hint;
      }
    }
    if (by_class == Hint::kContent || by_id == Hint::kContent) {
      return Hint::kContent;
    }
  }
  switch (n.tag) {
    case GUMBO_TAG_NAV:
    case GUMBO_TAG_MENU:
      return Hint::kNavigation;
    case GUMBO_TAG_FOOTER:
      return Hint::kHeaderFooter;
    case GUMBO_TAG_ASIDE:
      return Hint::kSidebar;
    case GUMBO_TAG_FIGCAPTION:
      return Hint::kCaption;
    case GUMBO_TAG_BUTTON:
    case GUMBO_TAG_LABEL:
    case GUMBO_TAG_FORM:
      return Hint::kForm;
    case GUMBO_TAG_ARTICLE:
    case GUMBO_TAG_MAIN:
      return Hint::kContent;
    default:
      return Hint::kNone;
  }
}

}  // namespace dateline::extraction
