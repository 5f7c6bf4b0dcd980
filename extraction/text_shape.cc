#include "extraction/text_shape.h"

#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
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
#include "absl/strings/strip.h"

#include "common/text.h"
#include "extraction/dates.h"

namespace dateline::extraction {
namespace {

using WordSet = absl::flat_hash_set<absl::string_view>;

constexpr size_t kMaxPhraseBytes = 400;  // Longer paragraphs are no furniture, whatever they begin with.
constexpr size_t kMaxLineBytes = 200;

// Calls `visit(code point)` for each, the last first, until it returns false.
template <typename Visit>
void ForEachFromEnd(absl::string_view text, Visit visit) {
  auto i = static_cast<int32_t>(text.size());
  const auto* const bytes = reinterpret_cast<const uint8_t*>(text.data());
  while (i > 0) {
    UChar32 c = 0;
    U8_PREV(bytes, 0, i, c);
    if (!visit(c)) {
      return;
    }
  }
}

bool IsClosing(UChar32 c) {
  const int8_t type = u_charType(c);
  return c == '"' || c == '\'' || type == U_END_PUNCTUATION || type == U_FINAL_PUNCTUATION ||
         type == U_INITIAL_PUNCTUATION || u_isUWhiteSpace(c) || c == 0x201E || c == '*';
}

bool IsTerminal(UChar32 c) {
  switch (c) {
    case '.':
    case '!':
    case '?':
    case ':':
    case 0x2026:  // …
    case 0x3002:  // 。
    case 0xFF01:  // ！
    case 0xFF1F:  // ？
    case 0x061F:  // ؟
    case 0x06D4:  // ۔
    case 0x0964:  // ।
    case 0x203C:
    case 0x2049:
      return true;
    default:
      return false;
  }
}

// The last code points of `text` once closing quotes and brackets are set aside: [0] is the last.
std::array<UChar32, 3> LastOfSentence(absl::string_view text) {
  std::array<UChar32, 3> last = {0, 0, 0};
  size_t found = 0;
  ForEachFromEnd(text, [&](UChar32 c) {
    if (found == 0 && IsClosing(c)) {
      return true;
    }
    last[found++] = c;
    return found < last.size();
  });
  return last;
}

// A folded line without punctuation at its ends and with single spaces: what phrases are looked up by.
std::string PhraseKey(absl::string_view text) {
  std::string folded = common::FoldForMatch(CollapseSpace(text));
  absl::string_view view = folded;
  const auto is_edge = [](char c) {
    return absl::ascii_ispunct(static_cast<unsigned char>(c)) && c != '(' && c != '#';
  };
  while (!view.empty() && (is_edge(view.back()) || view.back() == ' ')) {
    view.remove_suffix(1);
  }
  while (!view.empty() && (is_edge(view.front()) || view.front() == ' ')) {
    view.remove_prefix(1);
  }
  for (const absl::string_view mark : {"»", "›", "→", "…", "•", "·", "▸", "▶", "«", "‹", "←", "|"}) {
    while (absl::ConsumeSuffix(&view, mark) || absl::ConsumePrefix(&view, mark)) {
      view = absl::StripAsciiWhitespace(view);
    }
  }
  return std::string(view);
}

// True if `text` begins with `prefix` and that is a word of its own there.
bool StartsWithWords(absl::string_view text, absl::string_view prefix) {
  return absl::StartsWith(text, prefix) &&
         (text.size() == prefix.size() || !absl::ascii_isalnum(static_cast<unsigned char>(text[prefix.size()])));
}

template <typename Phrases>
bool StartsWithAny(absl::string_view text, const Phrases& prefixes) {
  return std::any_of(prefixes.begin(), prefixes.end(),
                     [text](absl::string_view prefix) { return StartsWithWords(text, prefix); });
}

template <typename Phrases>
bool ContainsAny(absl::string_view text, const Phrases& parts) {
  return std::any_of(parts.begin(), parts.end(),
                     [text](absl::string_view part) { return absl::StrContains(text, part); });
}

// The lexicon. All phrases are folded: lower case, no diacritics. Whole lines first.
const absl::flat_hash_map<absl::string_view, LineKind>& WholeLines() {
  static const auto* const kLines = [] {
    auto* lines = new absl::flat_hash_map<absl::string_view, LineKind>();
    const auto add = [lines](LineKind kind, std::initializer_list<absl::string_view> phrases) {
      for (const absl::string_view phrase : phrases) {
        lines->emplace(phrase, kind);
      }
    };
    add(LineKind::kRelatedHeading,
        {"related", "related articles", "related article", "related stories", "related story", "related posts",
         "related post", "related content", "related news", "related topics", "related links", "related reading",
         "related coverage", "related publications", "related commentary", "related analysis", "related items",
         "read more", "read next", "read also", "see also", "more stories", "more articles", "more news", "more posts",
         "more commentary", "more analysis", "further reading", "recommended", "recommended reading",
         "recommended for you", "recommended articles", "recommended stories", "you may also like",
         "you might also like", "you may like", "you might like", "you may also be interested in", "up next",
         "most read", "most popular", "most viewed", "popular", "popular posts", "trending", "trending now",
         "trending stories", "latest", "latest news", "latest articles", "latest posts", "latest stories",
         "latest commentary", "latest analysis", "recent posts", "recent articles", "recent news", "top stories",
         "editor's picks", "editors picks", "editor's pick", "editors' picks", "don't miss", "dont miss",
         "more on this topic", "more on this story", "more on this", "more from this author", "in this series",
         "also in this series", "also read", "what to read next", "keep reading", "continue reading", "explore more",
         "around the web", "from around the web", "sponsored", "sponsored content", "promoted content", "promoted",
         "similar posts", "similar articles", "other articles", "other news", "other stories", "featured",
         "featured articles", "in case you missed it", "related research", "suggested reading", "more like this",
         // German
         "mehr zum thema", "zum thema", "lesen sie auch", "lesen sie mehr", "lesen sie dazu auch", "weiterlesen",
         "das konnte sie auch interessieren", "das konnte dich auch interessieren", "auch interessant",
         "das interessiert andere leser", "ahnliche artikel", "ahnliche beitrage", "verwandte artikel",
         "verwandte beitrage", "verwandte themen", "weitere artikel", "weitere beitrage", "weitere themen",
         "weitere nachrichten", "weitere meldungen", "weitere news", "weitere informationen", "meistgelesen",
         "meist gelesen", "meistgelesene artikel", "neueste beitrage", "neueste artikel", "aktuelle beitrage",
         "aktuelle nachrichten", "letzte beitrage", "mehr dazu", "mehr von", "mehr aus", "mehr", "empfehlungen",
         "empfehlungen der redaktion", "anzeige und mehr", "das konnte sie interessieren",
         "das konnte ihnen auch gefallen", "auch lesenswert", "passend zum thema", "zum weiterlesen", "themenseiten",
         "mehr zu diesem thema", "links zum thema", "beliebte artikel", "beliebte beitrage", "top-themen",
         "gefallt mir", "dieses thema im programm",
         // French
         "a lire aussi", "lire aussi", "a lire egalement", "voir aussi", "sur le meme sujet", "articles similaires",
         "articles lies", "a decouvrir", "les plus lus", "dans la meme rubrique", "pour aller plus loin",
         "sur le meme theme", "derniers articles", "plus d'articles", "vous aimerez aussi", "a voir aussi",
         // Spanish, Italian, Portuguese
         "te puede interesar", "le puede interesar", "tambien te puede interesar", "lea tambien", "lee tambien",
         "noticias relacionadas", "articulos relacionados", "mas noticias", "mas leidas", "lo mas leido", "leggi anche",
         "articoli correlati", "potrebbe interessarti", "potrebbe interessarti anche", "i piu letti", "leia tambem",
         "leia mais", "veja tambem", "noticias relacionadas", "mais lidas", "artigos relacionados",
         // Dutch, Polish, Turkish
         "lees ook", "lees meer", "meer over", "meer nieuws", "gerelateerde artikelen", "czytaj tez", "zobacz tez",
         "czytaj takze", "zobacz takze", "powiazane artykuly", "ilgili haberler",
         // Russian, Arabic, Chinese, Japanese
         "相关阅读", "热门文章", "热门新闻", "排行榜", "点击排行", "アクセスランキンク", "人気記事ランキンク",
         "記事ランキンク", "ランキンク", "人気記事", "おすすめ記事", "新着記事", "最新記事", "あわせて読みたい",
         "많이 본 뉴스", "관련기사", "читаите также", "по теме", "смотрите также", "اقرا ايضا", "مواضيع ذات صلة",
         "اخبار ذات صلة", "相关新闻", "相关文章", "関連記事", "延伸阅读"});
    add(LineKind::kCommentHeading, {"comments",
                                    "leave a comment",
                                    "leave a reply",
                                    "leave a response",
                                    "add a comment",
                                    "post a comment",
                                    "post comment",
                                    "join the conversation",
                                    "join the discussion",
                                    "no comments",
                                    "no comments yet",
                                    "view comments",
                                    "show comments",
                                    "reader comments",
                                    "write a comment",
                                    "add comment",
                                    "cancel reply",
                                    "be the first to comment",
                                    "load comments",
                                    "kommentare",
                                    "kommentar",
                                    "kommentieren",
                                    "kommentar schreiben",
                                    "kommentar verfassen",
                                    "schreibe einen kommentar",
                                    "antworten",
                                    "antwort abbrechen",
                                    "keine kommentare",
                                    "leserkommentare",
                                    "commentaires",
                                    "laisser un commentaire",
                                    "comentarios",
                                    "deja un comentario",
                                    "deja una respuesta",
                                    "commenti",
                                    "lascia un commento",
                                    "comentarios",
                                    "reacties",
                                    "reageer",
                                    "komentarze",
                                    "комментарии",
                                    "التعليقات",
                                    "تعليقات",
                                    "评论",
                                    "コメント",
                                    "trackbacks",
                                    "pingbacks"});
    add(LineKind::kAboutAuthor, {"about the author",
                                 "about the authors",
                                 "about author",
                                 "about the writer",
                                 "about the contributor",
                                 "author",
                                 "authors",
                                 "the author",
                                 "the authors",
                                 "written by",
                                 "contributors",
                                 "more from author",
                                 "uber den autor",
                                 "uber die autorin",
                                 "zum autor",
                                 "zur autorin",
                                 "autor",
                                 "autorin",
                                 "zur person",
                                 "uber die autoren",
                                 "a propos de l'auteur",
                                 "l'auteur",
                                 "sobre el autor",
                                 "sobre la autora",
                                 "l'autore",
                                 "sobre o autor",
                                 "about",
                                 "author bio",
                                 "author biography",
                                 "meet the author"});
    add(LineKind::kShare, {"share",
                           "share this",
                           "share this:",
                           "share this article",
                           "share this story",
                           "share this post",
                           "share on facebook",
                           "share on twitter",
                           "share on x",
                           "share on linkedin",
                           "share on whatsapp",
                           "share via email",
                           "share article",
                           "share post",
                           "facebook",
                           "twitter",
                           "linkedin",
                           "whatsapp",
                           "telegram",
                           "reddit",
                           "pinterest",
                           "instagram",
                           "youtube",
                           "tumblr",
                           "email",
                           "e-mail",
                           "mail",
                           "print",
                           "print page",
                           "print this page",
                           "print article",
                           "pdf",
                           "download pdf",
                           "download",
                           "copy link",
                           "copy url",
                           "link",
                           "link copied",
                           "save",
                           "save article",
                           "bookmark",
                           "follow",
                           "follow us",
                           "like this",
                           "like this:",
                           "like",
                           "loading",
                           "tweet",
                           "pin it",
                           "pocket",
                           "xing",
                           "flipboard",
                           "listen",
                           "listen to this article",
                           "teilen",
                           "drucken",
                           "artikel drucken",
                           "merken",
                           "senden",
                           "versenden",
                           "empfehlen",
                           "tweeten",
                           "twittern",
                           "mailen",
                           "artikel teilen",
                           "seite drucken",
                           "auf facebook teilen",
                           "auf twitter teilen",
                           "beitrag teilen",
                           "teile diesen beitrag",
                           "link kopieren",
                           "vorlesen",
                           "imprimer",
                           "partager",
                           "partager cet article",
                           "compartir",
                           "imprimir",
                           "condividi",
                           "stampa",
                           "delen",
                           "compartilhar",
                           "compartilhe",
                           "udostepnij",
                           "поделиться",
                           "مشاركة",
                           "شارك",
                           "طباعة",
                           "分享",
                           "シェア",
                           "gift this article",
                           "share full article"});
    add(LineKind::kNavigation, {"home",
                                "homepage",
                                "menu",
                                "main menu",
                                "search",
                                "back",
                                "back to top",
                                "to top",
                                "top",
                                "next",
                                "previous",
                                "next article",
                                "previous article",
                                "next post",
                                "previous post",
                                "next story",
                                "previous story",
                                "skip to content",
                                "skip to main content",
                                "skip to navigation",
                                "back to home",
                                "back to overview",
                                "all articles",
                                "all news",
                                "view all",
                                "see all",
                                "show all",
                                "show more",
                                "load more",
                                "more",
                                "view more",
                                "see more",
                                "learn more",
                                "click here",
                                "contact",
                                "contact us",
                                "about us",
                                "sitemap",
                                "archive",
                                "archives",
                                "newsroom",
                                "close",
                                "open",
                                "edit",
                                "reply",
                                "report",
                                "nach oben",
                                "zuruck",
                                "zur ubersicht",
                                "zuruck zur ubersicht",
                                "zuruck zur startseite",
                                "startseite",
                                "impressum",
                                "datenschutz",
                                "datenschutzerklarung",
                                "kontakt",
                                "suche",
                                "weiter",
                                "vorheriger artikel",
                                "nachster artikel",
                                "vorheriger beitrag",
                                "nachster beitrag",
                                "schliessen",
                                "mehr anzeigen",
                                "alle anzeigen",
                                "inhalt",
                                "inhaltsverzeichnis",
                                "table of contents",
                                "contents",
                                "in this article",
                                "on this page",
                                "jump to",
                                "accueil",
                                "inicio",
                                "inicio",
                                "privacy policy",
                                "terms of use",
                                "terms of service",
                                "privacy",
                                "terms and conditions",
                                "imprint",
                                "rss",
                                "faq",
                                "login",
                                "log in",
                                "sign in",
                                "sign up",
                                "register",
                                "subscribe",
                                "subscribe now",
                                "donate",
                                "donate now",
                                "support us",
                                "tags",
                                "schlagworte",
                                "schlagworter",
                                "kategorien",
                                "categories",
                                "stichworte",
                                "themen",
                                "topics",
                                "permalink",
                                "hide caption",
                                "toggle caption",
                                "enlarge this image",
                                "image",
                                "bild",
                                "video",
                                "play",
                                "pause",
                                "gallery"});
    add(LineKind::kAdvertisement, {"advertisement",
                                   "advertisements",
                                   "ad",
                                   "ads",
                                   "advertising",
                                   "article continues below advertisement",
                                   "article continues after advertisement",
                                   "story continues below advertisement",
                                   "story continues below",
                                   "continue reading below",
                                   "continue reading the main story",
                                   "scroll to continue",
                                   "story continues after advertisement",
                                   "supported by",
                                   "anzeige",
                                   "werbung",
                                   "anzeigen",
                                   "publicite",
                                   "publicidad",
                                   "pubblicita",
                                   "advertentie",
                                   "reklama",
                                   "реклама",
                                   "publicidade",
                                   "اعلان",
                                   "广告",
                                   "- advertisement -",
                                   "sponsored by",
                                   "paid post"});
    return lines;
  }();
  return *kLines;
}

// "Follow Jane Roe on Twitter @janeroe."
bool AsksToFollow(absl::string_view key) {
  static constexpr std::array<absl::string_view, 13> kWhere = {
      " on twitter",     " on facebook",  " on instagram",   " on linkedin", " on bluesky",
      " on mastodon",    " on threads",   " on telegram",    " on tiktok",   " on youtube",
      " on google news", " on flipboard", " on social media"};
  return absl::StartsWith(key, "follow ") &&
         (ContainsAny(key, kWhere) || absl::EndsWith(key, " on x") || absl::StrContains(key, " on x @"));
}

LineKind ClassifyByPrefix(absl::string_view key, size_t words) {
  static constexpr std::array<absl::string_view, 39> kRelated = {
      "related:",           "read more:",      "read more about",
      "read also",          "also read",       "see also:",
      "read next:",         "more:",           "more on",
      "more from",          "watch:",          "listen:",
      "don't miss:",        "lesen sie auch",  "lesen sie dazu",
      "lesen sie hier",     "lies auch",       "lesen sie mehr",
      "mehr zum thema",     "lire aussi",      "a lire aussi",
      "lea tambien",        "lee tambien",     "le puede interesar",
      "te puede interesar", "leggi anche",     "leia tambem",
      "leia mais",          "lees ook",        "czytaj tez",
      "czytaj takze",       "zobacz takze",    "siehe auch",
      "auch interessant",   "hier geht es zu", "voir aussi",
      "читаите также",      "اقرا ايضا",       "mehr dazu"};
  static constexpr std::array<absl::string_view, 37> kNewsletter = {"subscribe to",
                                                                    "you are receiving this e",
                                                                    "you received this e",
                                                                    "you're receiving this e",
                                                                    "unsubscribe",
                                                                    "update preferences",
                                                                    "view this email in your",
                                                                    "you have read all of your free",
                                                                    "sign up for",
                                                                    "sign up to",
                                                                    "join our newsletter",
                                                                    "get our newsletter",
                                                                    "newsletter",
                                                                    "subscribe for",
                                                                    "sign up here",
                                                                    "receive our",
                                                                    "get the latest",
                                                                    "stay up to date",
                                                                    "stay informed",
                                                                    "never miss",
                                                                    "join our mailing list",
                                                                    "enter your email",
                                                                    "your email address",
                                                                    "email address",
                                                                    "abonnieren sie",
                                                                    "jetzt abonnieren",
                                                                    "newsletter abonnieren",
                                                                    "inscrivez-vous",
                                                                    "abonnez-vous",
                                                                    "suscribete",
                                                                    "iscriviti",
                                                                    "assine",
                                                                    "follow us on",
                                                                    "folgen sie uns",
                                                                    "like us on",
                                                                    "follow @",
                                                                    "subscribe today"};
  static constexpr std::array<absl::string_view, 36> kPaywall = {"subscribe to continue",
                                                                 "reservee aux abonnes",
                                                                 "reserves aux abonnes",
                                                                 "subscribe to read",
                                                                 "subscribe now to read",
                                                                 "to continue reading",
                                                                 "continue reading with",
                                                                 "to read the full",
                                                                 "to read this article",
                                                                 "to read the rest of",
                                                                 "to keep reading",
                                                                 "already a subscriber",
                                                                 "already a member?",
                                                                 "for subscribers only",
                                                                 "exclusive to subscribers",
                                                                 "available to subscribers",
                                                                 "available only to subscribers",
                                                                 "is reserved for subscribers",
                                                                 "this article is for subscribers",
                                                                 "sign in to read",
                                                                 "log in to read",
                                                                 "you have reached your limit",
                                                                 "reached your article limit",
                                                                 "nur fur abonnenten",
                                                                 "exklusiv fur abonnenten",
                                                                 "sie sind bereits abonnent",
                                                                 "bereits abonnent",
                                                                 "jetzt weiterlesen",
                                                                 "weiterlesen mit",
                                                                 "mit abo weiterlesen",
                                                                 "reserve aux abonnes",
                                                                 "reserve a nos abonnes",
                                                                 "pour lire la suite",
                                                                 "exclusivo para suscriptores",
                                                                 "riservato agli abbonati",
                                                                 "exclusivo para assinantes"};
  static constexpr std::array<absl::string_view, 16> kComment = {"leave a comment",
                                                                 "leave a reply",
                                                                 "be the first to comment",
                                                                 "join the conversation",
                                                                 "your email address will not be published",
                                                                 "required fields are marked",
                                                                 "log in to comment",
                                                                 "you must be logged in",
                                                                 "sign in to comment",
                                                                 "comments are closed",
                                                                 "comments on",
                                                                 "schreibe einen kommentar",
                                                                 "ihre e-mail-adresse",
                                                                 "deine e-mail-adresse",
                                                                 "comments (",
                                                                 "kommentare ("};
  static constexpr std::array<absl::string_view, 24> kConsent = {"we use cookies",
                                                                 "this website uses cookies",
                                                                 "this site uses cookies",
                                                                 "our website uses cookies",
                                                                 "by continuing to",
                                                                 "by using this site",
                                                                 "please enable javascript",
                                                                 "you need to enable javascript",
                                                                 "javascript is",
                                                                 "accept all cookies",
                                                                 "accept cookies",
                                                                 "cookie settings",
                                                                 "manage cookies",
                                                                 "wir verwenden cookies",
                                                                 "diese website verwendet",
                                                                 "diese webseite verwendet",
                                                                 "diese website benutzt",
                                                                 "ce site utilise",
                                                                 "nous utilisons des cookies",
                                                                 "utilizamos cookies",
                                                                 "questo sito utilizza",
                                                                 "your browser does not support",
                                                                 "your browser is out of date",
                                                                 "this content is not available"};
  static constexpr std::array<absl::string_view, 10> kCopyright = {"©",
                                                                   "(c) 20",
                                                                   "copyright",
                                                                   "all rights reserved",
                                                                   "alle rechte vorbehalten",
                                                                   "tous droits reserves",
                                                                   "todos los derechos reservados",
                                                                   "tutti i diritti riservati",
                                                                   "todos os direitos reservados",
                                                                   "(c) 19"};
  static constexpr std::array<absl::string_view, 31> kCredit = {
      "photo:",          "photo by",       "photos:",        "photos by",    "photograph:",    "photograph by",
      "image:",          "image by",       "images:",        "image credit", "photo credit",   "picture:",
      "credit:",         "photo courtesy", "image courtesy", "image source", "photo source",   "illustration:",
      "illustration by", "foto:",          "fotos:",         "bild:",        "bildquelle",     "bildnachweis",
      "quelle:",         "source: getty",  "©getty",         "header image", "featured image", "cover photo",
      "credits:"};
  static constexpr std::array<absl::string_view, 24> kShare = {"share this",
                                                               "share on",
                                                               "share via",
                                                               "share with",
                                                               "share to",
                                                               "click to share",
                                                               "click to email",
                                                               "click to print",
                                                               "tweet this",
                                                               "email this",
                                                               "print this",
                                                               "auf facebook",
                                                               "auf twitter",
                                                               "per e-mail",
                                                               "bei facebook",
                                                               "auf whatsapp",
                                                               "partager sur",
                                                               "compartir en",
                                                               "teilen auf",
                                                               "teilen sie",
                                                               "diesen artikel teilen",
                                                               "diesen beitrag teilen",
                                                               "opens in new window",
                                                               "diesen artikel"};
  if (words <= 25 && StartsWithAny(key, kRelated)) {
    return LineKind::kReadMore;
  }
  if (words <= 40 && ContainsAny(key, kPaywall)) {
    return LineKind::kPaywall;
  }
  if (words <= 40 && (StartsWithAny(key, kNewsletter) || absl::StrContains(key, "free articles remaining") ||
                      absl::StrContains(key, "free articles left"))) {
    return LineKind::kNewsletter;
  }
  if (words <= 25 && StartsWithAny(key, kComment)) {
    return LineKind::kCommentHeading;
  }
  if (StartsWithAny(key, kConsent)) {
    return LineKind::kConsent;
  }
  if (words <= 40 &&
      (StartsWithAny(key, kCopyright) || absl::StartsWith(key, "©") ||
       (words <= 25 && ContainsAny(key, std::array<absl::string_view, 3>{"all rights reserved",
                                                                         "alle rechte vorbehalten", "(c) 20"})))) {
    return LineKind::kCopyright;
  }
  if (words <= 30 && StartsWithAny(key, kCredit)) {
    return LineKind::kCredit;
  }
  if (words <= 12 && (StartsWithAny(key, kShare) || AsksToFollow(key))) {
    return LineKind::kShare;
  }
  if (words <= 8 && absl::StartsWith(key, "advertisement") &&
      (absl::StrContains(key, "continue") || absl::StrContains(key, "scroll"))) {
    return LineKind::kAdvertisement;
  }
  return LineKind::kNone;
}

bool IsDisclaimer(absl::string_view key) {
  static constexpr std::array<absl::string_view, 5> kWhat = {"views", "opinions", "opinion", "statements",
                                                             "perspectives"};
  static constexpr std::array<absl::string_view, 19> kHow = {"do not necessarily",
                                                             "not necessarily reflect",
                                                             "does not necessarily",
                                                             "are those of the author",
                                                             "are solely those",
                                                             "are the author's own",
                                                             "are the authors' own",
                                                             "are the author's alone",
                                                             "are the authors' alone",
                                                             "are those of the writer",
                                                             "are the writer's own",
                                                             "are the writer's alone",
                                                             "are his own",
                                                             "are her own",
                                                             "are their own",
                                                             "are his alone",
                                                             "are hers alone",
                                                             "are mine alone",
                                                             "do not reflect"};
  static constexpr std::array<absl::string_view, 9> kWhose = {
      "author", "writer", "article", "contributor", "piece", "expressed", "here", "publication", "commentary"};
  // FoldForMatch leaves the typographic apostrophe.
  const std::string straight = absl::StrReplaceAll(key, {{"’", "'"}});
  if (!ContainsAny(straight, kWhat) || !ContainsAny(straight, kWhose)) {
    return false;
  }
  // What an institute's view is *not* may be said of anybody's; of what is "expressed" only disclaimers say it.
  return ContainsAny(straight, kHow) ||
         (absl::StrContains(straight, "expressed") &&
          ContainsAny(straight, std::array<absl::string_view, 3>{"not represent", "not constitute", "not reflect"}));
}

bool HoldsReadingTime(absl::string_view key) {
  static constexpr std::array<absl::string_view, 12> kReading = {
      "min read", "minute read", "minutes read",     "min. read",         "min lesezeit",     "minuten lesezeit",
      "lesezeit", "lesedauer",   "temps de lecture", "tiempo de lectura", "tempo di lettura", "tempo de leitura"};
  return ContainsAny(key, kReading) || absl::StartsWith(key, "reading time");
}

// "12 comments", "5 min read", "3 shares".
LineKind ClassifyCount(absl::string_view key, size_t words) {
  if (words > 5 || key.empty()) {
    return LineKind::kNone;
  }
  const bool digit =
      std::any_of(key.begin(), key.end(), [](char c) { return absl::ascii_isdigit(static_cast<unsigned char>(c)); });
  if (!digit) {
    return LineKind::kNone;
  }
  static constexpr std::array<absl::string_view, 8> kComments = {"comment",  "kommentar", "commentaire", "comentario",
                                                                 "commenti", "reactie",   "response",    "replies"};
  static constexpr std::array<absl::string_view, 4> kShares = {"shares", "likes", "views", "followers"};
  if (HoldsReadingTime(key)) {
    return LineKind::kReadingTime;
  }
  if ((words <= 3 || (words <= 5 && (absl::StartsWith(key, "there are ") || absl::StartsWith(key, "there is ")))) &&
      ContainsAny(key, kComments)) {
    return LineKind::kCommentHeading;
  }
  if (words <= 2 && ContainsAny(key, kShares)) {
    return LineKind::kShare;
  }
  return LineKind::kNone;
}

// What stands before and after the title in the note below a text in a feed, before the name of the site: the setting
// that Yoast SEO, a plugin of WordPress, comes with, in the languages in which sites were seen to have it.
constexpr std::array<std::pair<absl::string_view, absl::string_view>, 8> kFeedNotes = {
    {{"The post ", " appeared first on "},
     {"Der Beitrag ", " erschien zuerst auf "},
     {"La entrada ", " se publicó primero en "},
     {"L’article ", " est apparu en premier sur "},
     {"L'article ", " est apparu en premier sur "},
     {"L'articolo ", " proviene da "},
     {"L’articolo ", " proviene da "},
     {"O post ", " apareceu primeiro em "}}};

// True if `text` may be a title or a site's name: it begins with no small letter.
bool BeginsLikeTitle(absl::string_view text) {
  UChar32 c = 0;
  U8_GET(reinterpret_cast<const uint8_t*>(text.data()), 0, 0, static_cast<int32_t>(text.size()), c);
  return c > ' ' && u_islower(c) == 0;
}

// `any_site`: the site's name may begin with a small letter, as in sentences.
bool IsFeedNote(absl::string_view text, bool any_site) {
  constexpr size_t kMaxSiteWords = 12;
  for (const auto& [begin, middle] : kFeedNotes) {
    absl::string_view title = text;
    const size_t at = text.rfind(middle);
    if (at != absl::string_view::npos && at > begin.size() && absl::ConsumePrefix(&title, begin)) {
      absl::string_view site = absl::StripAsciiWhitespace(text.substr(at + middle.size()));
      absl::ConsumeSuffix(&site, ".");
      return !site.empty() && BeginsLikeTitle(title) && (any_site || BeginsLikeTitle(site)) &&
             !absl::StrContains(site, ". ") && !absl::StrContains(site, "\n") && CountWords(site) <= kMaxSiteWords;
    }
  }
  return false;
}

// What the publisher's word before a colon stands for ("Filed under": "category"); empty if it announces no labels.
absl::string_view KindOfLabels(absl::string_view name) {
  static const auto* const kKinds =
      new absl::flat_hash_map<absl::string_view, absl::string_view>{{"issue", "issue"},
                                                                    {"issues", "issue"},
                                                                    {"country", "country"},
                                                                    {"countries", "country"},
                                                                    {"topic", "topic"},
                                                                    {"topics", "topic"},
                                                                    {"region", "region"},
                                                                    {"regions", "region"},
                                                                    {"tag", "tag"},
                                                                    {"tags", "tag"},
                                                                    {"tagged", "tag"},
                                                                    {"tagged with", "tag"},
                                                                    {"tagged as", "tag"},
                                                                    {"category", "category"},
                                                                    {"categories", "category"},
                                                                    {"section", "section"},
                                                                    {"sections", "section"},
                                                                    {"keyword", "keyword"},
                                                                    {"keywords", "keyword"},
                                                                    {"key words", "keyword"},
                                                                    {"subject", "subject"},
                                                                    {"subjects", "subject"},
                                                                    {"theme", "theme"},
                                                                    {"themes", "theme"},
                                                                    {"filed under", "category"},
                                                                    {"filed in", "category"},
                                                                    {"posted in", "category"},
                                                                    {"published in", "category"},
                                                                    {"location", "location"},
                                                                    {"locations", "location"},
                                                                    {"place", "place"},
                                                                    {"places", "place"},
                                                                    {"program", "program"},
                                                                    {"programme", "program"},
                                                                    {"programs", "program"},
                                                                    {"series", "series"},
                                                                    {"area", "area"},
                                                                    {"areas", "area"},
                                                                    {"focus", "focus"},
                                                                    {"more on", "topic"},
                                                                    {"related topics", "topic"},
                                                                    {"related tags", "tag"},
                                                                    {"country/region", "country"},
                                                                    {"policy area", "area"},
                                                                    {"research area", "area"},
                                                                    {"research areas", "area"},
                                                                    {"topics covered", "topic"},
                                                                    {"in this story", "topic"},
                                                                    {"thema", "topic"},
                                                                    {"themen", "topic"},
                                                                    {"schlagworte", "tag"},
                                                                    {"schlagworter", "tag"},
                                                                    {"stichworte", "tag"},
                                                                    {"kategorie", "category"},
                                                                    {"kategorien", "category"},
                                                                    {"land", "country"},
                                                                    {"lander", "country"},
                                                                    {"rubrique", "section"},
                                                                    {"pays", "country"},
                                                                    {"mots-cles", "keyword"},
                                                                    {"sujets", "topic"},
                                                                    {"etiquetas", "tag"},
                                                                    {"temas", "topic"},
                                                                    {"pais", "country"},
                                                                    {"categoria", "category"},
                                                                    {"categorie", "category"},
                                                                    {"argomenti", "topic"}};
  const auto kind = kKinds->find(PhraseKey(name));
  return kind == kKinds->end() ? absl::string_view() : kind->second;
}

// Where in `values` the next kind of labels is announced, as in "Trade Country: Nigeria": pages set several lists on
// one line. npos if it holds one list only.
size_t FindNextKind(absl::string_view values) {
  for (size_t colon = values.find(':'); colon != absl::string_view::npos; colon = values.find(':', colon + 1)) {
    size_t found = absl::string_view::npos;
    size_t start = colon;
    for (int words = 1; words <= 2 && start > 0; ++words) {
      const size_t space = values.rfind(' ', start - 1);
      start = space == absl::string_view::npos ? 0 : space + 1;
      const bool capital = !absl::ascii_islower(static_cast<unsigned char>(values[start]));
      if (start > 0 && capital && !KindOfLabels(values.substr(start, colon - start)).empty()) {
        found = start;
      }
      start = start == 0 ? 0 : start - 1;
    }
    if (found != absl::string_view::npos) {
      return found;
    }
  }
  return absl::string_view::npos;
}

// Adds the names in `values`, which `kind` announced; false if they are a sentence rather than names.
bool AddLabels(absl::string_view kind, absl::string_view values, std::vector<SourceLabel>* labels) {
  char separator = ',';
  for (const char candidate : {';', '|', '/'}) {
    if (absl::StrContains(values, std::string(1, candidate))) {
      separator = candidate;
      break;
    }
  }
  while (!values.empty()) {
    const size_t cut = values.find(separator);
    absl::string_view name = absl::StripAsciiWhitespace(values.substr(0, cut));
    absl::ConsumePrefix(&name, "#");
    if (CountWords(name) > 8) {
      return false;
    }
    if (!name.empty()) {
      labels->push_back({.kind = std::string(kind), .name = std::string(name)});
    }
    values = cut == absl::string_view::npos ? absl::string_view() : values.substr(cut + 1);
  }
  return true;
}

}  // namespace

absl::string_view LineKindName(LineKind kind) {
  switch (kind) {
    case LineKind::kNone:
      return "text";
    case LineKind::kRelatedHeading:
      return "heading of related articles";
    case LineKind::kCommentHeading:
      return "comments";
    case LineKind::kAboutAuthor:
      return "heading of a biography";
    case LineKind::kReadMore:
      return "teaser line";
    case LineKind::kNewsletter:
      return "newsletter";
    case LineKind::kDisclaimer:
      return "disclaimer";
    case LineKind::kShare:
      return "share bar";
    case LineKind::kConsent:
      return "cookie or browser notice";
    case LineKind::kCopyright:
      return "copyright";
    case LineKind::kAdvertisement:
      return "advertisement";
    case LineKind::kCredit:
      return "credit";
    case LineKind::kByline:
      return "byline";
    case LineKind::kDate:
      return "date";
    case LineKind::kLabel:
      return "publisher's label";
    case LineKind::kReadingTime:
      return "reading time";
    case LineKind::kPaywall:
      return "subscription notice";
    case LineKind::kNavigation:
      return "navigation";
    case LineKind::kFeedNote:
      return "note of a feed";
  }
  return "text";
}

LineKind ClassifyLine(absl::string_view text) {
  if (text.size() > 3 * kMaxPhraseBytes) {
    return LineKind::kNone;
  }
  if (text.size() > kMaxPhraseBytes) {
    return IsDisclaimer(common::FoldForMatch(text)) ? LineKind::kDisclaimer : LineKind::kNone;
  }
  if (IsFeedNote(text, /*any_site=*/false)) {
    return LineKind::kFeedNote;
  }
  const std::string key = PhraseKey(text);
  const auto whole = WholeLines().find(key);
  if (whole != WholeLines().end()) {
    return whole->second;
  }
  const size_t words = CountWords(key);
  if (text.size() <= kMaxLineBytes) {
    if (!ParseLabelLine(text).empty()) {
      return LineKind::kLabel;
    }
    if (IsDateLine(text)) {
      return LineKind::kDate;
    }
    if (!ParseByline(text).empty() || IsFieldLine(text)) {
      return LineKind::kByline;
    }
    const LineKind count = ClassifyCount(key, words);
    constexpr size_t kMaxWordsOfMeta = 14;  // "Jane Roe · 6 min read · Feb 18, 2025"
    constexpr size_t kMaxWordsOfTime = 7;
    if (words <= kMaxWordsOfMeta && HoldsReadingTime(key) && key.find_first_of("0123456789") != std::string::npos) {
      if (FindDate(text)) {
        return LineKind::kDate;
      }
      if (words <= kMaxWordsOfTime) {
        return LineKind::kReadingTime;
      }
    }
    if (count != LineKind::kNone) {
      return count;
    }
  }
  const LineKind kind = ClassifyByPrefix(key, words);
  if (kind != LineKind::kNone) {
    return kind;
  }
  return IsDisclaimer(key) ? LineKind::kDisclaimer : LineKind::kNone;
}

std::string CollapseSpace(absl::string_view text) {
  std::string out;
  out.reserve(text.size());
  bool space = false;
  size_t i = 0;
  while (i < text.size()) {
    const auto c = static_cast<unsigned char>(text[i]);
    size_t length = 1;
    bool is_space = false;
    bool skip = false;
    if (c < 0x80) {
      is_space = c <= 0x20 || c == 0x7F;
    } else if (c == 0xC2 && i + 1 < text.size()) {
      const auto next = static_cast<unsigned char>(text[i + 1]);
      length = 2;
      is_space = next == 0xA0 || next == 0x85;
      skip = next == 0xAD;  // Soft hyphen.
    } else if (c == 0xE2 && i + 2 < text.size()) {
      const auto b = static_cast<unsigned char>(text[i + 1]);
      const auto d = static_cast<unsigned char>(text[i + 2]);
      length = 3;
      is_space = b == 0x80 && ((d >= 0x80 && d <= 0x8A) || d == 0xA8 || d == 0xA9 || d == 0xAF);
      skip = (b == 0x80 && d == 0x8B) || (b == 0x81 && d == 0xA0);  // Zero-width space, word joiner.
    } else if (c == 0xEF && i + 2 < text.size() && text.substr(i, 3) == "\xEF\xBB\xBF") {
      length = 3;
      skip = true;
    } else if (c == 0xE3 && text.substr(i, 3) == "\xE3\x80\x80") {
      length = 3;
      is_space = true;
    }
    if (is_space) {
      space = true;
    } else if (!skip) {
      if (space && !out.empty()) {
        out.push_back(' ');
      }
      space = false;
      out.append(text.data() + i, length);
    }
    i += length;
  }
  return out;
}

std::string MatchKey(absl::string_view text) {
  const std::string folded = common::FoldForMatch(text);
  std::string key;
  key.reserve(folded.size());
  const auto* const bytes = reinterpret_cast<const uint8_t*>(folded.data());
  const auto size = static_cast<int32_t>(folded.size());
  int32_t i = 0;
  while (i < size) {
    const int32_t start = i;
    UChar32 c = 0;
    U8_NEXT(bytes, i, size, c);
    if (c >= 0 && (c < 0x80 ? absl::ascii_isalnum(static_cast<unsigned char>(c)) : u_isalnum(c) != 0)) {
      key.append(folded, static_cast<size_t>(start), static_cast<size_t>(i - start));
    }
  }
  return key;
}

bool IsSpeech(absl::string_view text) {
  constexpr size_t kMaxSpeaker = 40;
  const size_t colon = text.substr(0, kMaxSpeaker).find(": ");
  if (colon == absl::string_view::npos || colon == 0 || !EndsSentence(text)) {
    return false;
  }
  const absl::string_view speaker = text.substr(0, colon);
  return std::all_of(speaker.begin(), speaker.end(), [](char c) {
    return absl::ascii_isupper(static_cast<unsigned char>(c)) || c == ' ' || c == '.' || c == '-' || c == '\'';
  });
}

bool SharesWords(absl::string_view text, const std::vector<std::string>& keys) {
  const std::vector<absl::string_view> words = absl::StrSplit(text, ' ', absl::SkipEmpty());
  if (std::all_of(keys.begin(), keys.end(), [](const std::string& title) { return title.empty(); })) {
    return true;
  }
  return std::any_of(keys.begin(), keys.end(), [&words](const std::string& title) {
    const auto shared = std::count_if(words.begin(), words.end(), [&title](absl::string_view word) {
      const std::string key = MatchKey(word);
      return key.size() >= 4 && absl::StrContains(title, key);
    });
    return shared > 0 && static_cast<size_t>(shared) * 5 >= words.size() * 2;
  });
}

size_t CountCodePoints(absl::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

size_t CountWords(absl::string_view text) {
  size_t words = 0;
  size_t dense = 0;
  bool in_word = false;
  size_t i = 0;
  while (i < text.size()) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c < 0x80) {
      const bool is_space = c <= 0x20;
      words += !is_space && !in_word ? 1 : 0;
      in_word = !is_space;
      ++i;
    } else if (c >= 0xE3 && c <= 0xED && !(c == 0xEA || c == 0xEB)) {  // Kana, Han, most Hangul is spaced anyway.
      ++dense;
      in_word = false;
      i += 3;
    } else {
      words += in_word ? 0 : 1;
      in_word = true;
      i += c >= 0xF0 ? 4 : (c >= 0xE0 ? 3 : 2);
    }
  }
  return words + (dense + 1) / 2;
}

bool EndsSentence(absl::string_view text) {
  const auto last = LastOfSentence(text);
  return IsTerminal(last[0]);
}

bool EndsCutOff(absl::string_view text) {
  absl::string_view rest = absl::StripTrailingAsciiWhitespace(text);
  for (const absl::string_view bracket : {"]", ")"}) {  // "[…]", "(...)"
    absl::ConsumeSuffix(&rest, bracket);
  }
  return absl::EndsWith(rest, "…") || absl::EndsWith(rest, "...") || absl::EndsWith(rest, "[&hellip;");
}

absl::string_view WithoutFeedNote(absl::string_view text) {
  for (const auto& [begin, middle] : kFeedNotes) {
    const size_t note = text.rfind(begin);
    if (note != absl::string_view::npos && IsFeedNote(text.substr(note), /*any_site=*/true)) {
      return absl::StripTrailingAsciiWhitespace(text.substr(0, note));
    }
  }
  return text;
}

std::vector<SourceLabel> ParseLabelLine(absl::string_view line) {
  if (line.size() > kMaxLineBytes * 2) {
    return {};
  }
  const std::string collapsed = CollapseSpace(line);
  std::vector<SourceLabel> labels;
  absl::string_view rest = collapsed;
  while (!rest.empty()) {
    const size_t colon = rest.find(':');
    if (colon == absl::string_view::npos || colon == 0 || colon > 40) {
      return {};
    }
    const absl::string_view kind = KindOfLabels(rest.substr(0, colon));
    absl::string_view values = absl::StripAsciiWhitespace(rest.substr(colon + 1));
    if (kind.empty() || values.empty() || EndsSentence(values) || CountWords(values) > 40 ||
        absl::StartsWith(values, "//")) {
      return {};
    }
    const size_t next = FindNextKind(values);
    rest = next == absl::string_view::npos ? absl::string_view() : values.substr(next);
    values = absl::StripAsciiWhitespace(values.substr(0, next));
    for (const absl::string_view border : {"-", "–", "—", "·", "•"}) {
      if (!rest.empty() && absl::ConsumeSuffix(&values, border)) {
        values = absl::StripAsciiWhitespace(values);
      }
    }
    if (!AddLabels(kind, values, &labels)) {
      return {};
    }
  }
  return labels;
}

}  // namespace dateline::extraction
