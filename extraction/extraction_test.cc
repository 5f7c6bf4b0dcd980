// HTML pages, bad input, and what both kinds of page share.
#include "extraction/extraction.h"

#include <ctime>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/error.h"
#include "common/text.h"
#include "tests/support/status_matchers.h"

namespace dateline::extraction {
namespace {

using ::dateline::testing::IsOk;
using ::dateline::testing::StatusIs;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::StartsWith;

constexpr char kFirst[] =
    "The assembly voted on Tuesday to send the water law back to committee, the third time in as many years that the "
    "reform "
    "has failed to reach the floor.";
constexpr char kSecond[] =
    "Farmers in the northern districts, who would have lost their exemption, had parked their tractors around the "
    "building "
    "since dawn, and cheered when the result was read.";
constexpr char kThird[] =
    "The minister said that he would try again in autumn, and that wells would not fill themselves in the meantime.";

std::string Body(const std::string& inner) {
  return absl::StrCat("<!DOCTYPE html><html lang=en-GB><body>", inner, "</body></html>");
}

std::string Paragraphs() { return absl::StrCat("<p>", kFirst, "</p>\n<p>", kSecond, "</p>\n<p>", kThird, "</p>"); }

std::string PlainParagraphs() { return absl::StrCat(kFirst, "\n\n", kSecond, "\n\n", kThird); }

Extraction ExtractHtml(const std::string& html, const std::string& url = "") {
  absl::StatusOr<Extraction> extraction = Extract({.content = html, .media_type = "text/html", .url = url});
  EXPECT_THAT(extraction, IsOk());
  return extraction.ok() ? *std::move(extraction) : Extraction();
}

absl::Time Second(int year, int month, int day, int hour, int minute) {
  return absl::FromCivil(absl::CivilSecond(year, month, day, hour, minute, 0), absl::UTCTimeZone());
}

TEST(ExtractHtmlTest, LeavesOutWhatIsNotTheArticle) {
  const Article article = ExtractHtml(Body(absl::StrCat(R"(
    <header><nav><ul><li><a href="/">Home</a></li><li><a href="/world">World</a></li></ul></nav></header>
    <div class="cookie-banner"><p>We use cookies to make this site better for you, and you can say no to some of them.</p></div>
    <div class="layout"><div class="main-column">
      <h1>Water Law Fails a Third Time</h1>
      <div class="byline">By <a rel="author" href="/authors/ines">Inés Carrasco</a></div>
      <div class="share-bar"><a href="#">Share on Facebook</a> <a href="#">Tweet</a></div>
      )",
                                                        Paragraphs(), R"(
      <div class="newsletter-box"><p>Sign up for our weekly letter, which brings the best of our analysis to your inbox.</p></div>
      <div class="related-posts"><h3>Related</h3><a href="/a">The last well of the plain ran dry in March this year.</a></div>
      <div class="author-bio"><p>Inés Carrasco is a correspondent who has covered water and land in the north for ten years.</p></div>
      <section id="comments"><h3>2 comments</h3><p>I have never read such a thing about our farmers, and I have lived here all my life.</p></section>
    </div>
    <aside><h3>Most read</h3><p>A river that was promised to two countries is claimed by a third one, and runs dry.</p></aside></div>
    <footer><p>© 2022 The Northern Post. All rights reserved. Nothing may be copied without our consent.</p></footer>)")))
                              .article;
  EXPECT_EQ(article.title, "Water Law Fails a Third Time");
  EXPECT_EQ(article.body, PlainParagraphs());
  EXPECT_THAT(article.authors, ElementsAre("Inés Carrasco"));
  EXPECT_EQ(article.language_code, "en-GB");
}

TEST(ExtractHtmlTest, FindsTheTextWithoutHelpFromNames) {
  const Article article =
      ExtractHtml(
          Body(absl::StrCat(
              R"(<div><div><a href="/1">One</a> <a href="/2">Two</a> <a href="/3">Three</a></div><div><div>)",
              Paragraphs(),
              R"(</div></div><div><a href="/4">The well that ran dry in March</a><br><a href="/5">A budget in pencil</a></div></div>)")))
          .article;
  EXPECT_EQ(article.body, PlainParagraphs());
}

TEST(ExtractHtmlTest, KeepsHeadingsListsQuotesTablesAndCodeInOrder) {
  const Article article = ExtractHtml(Body(absl::StrCat("<article><h1>Water Law Fails</h1><p>", kFirst, R"(</p>
    <h2>What it would have changed</h2><p>The reform rested on three rules, which its authors called simple:</p>
    <ul><li>wells are counted</li><li>water has a price</li><li>exemptions end</li></ul>
    <blockquote><p>Nobody has ever measured what we take, and nobody will begin with me, the oldest of them said.</p></blockquote>
    <h3>In figures</h3><table><tr><th>District</th><th>Wells</th></tr><tr><td>North</td><td>812</td></tr></table>
    <p>)",
                                                        kThird, R"(</p><pre>a = 1
  b = 2</pre><p>)",
                                                        kSecond, "</p></article>")))
                              .article;
  EXPECT_EQ(article.body,
            absl::StrCat(kFirst,
                         "\n\nWhat it would have changed\n\nThe reform rested on three rules, which its "
                         "authors called simple:\n\n- wells are counted\n- water has a price\n- exemptions end"
                         "\n\nNobody has ever measured what we take, and nobody will begin with me, the oldest "
                         "of them said.\n\nIn figures\n\nDistrict | Wells\nNorth | 812\n\n",
                         kThird, "\n\na = 1\n  b = 2\n\n", kSecond));
  ASSERT_EQ(article.headings.size(), 2U);
  EXPECT_EQ(article.body.substr(static_cast<size_t>(article.headings[0].start),
                                static_cast<size_t>(article.headings[0].end - article.headings[0].start)),
            "What it would have changed");
  EXPECT_EQ(article.headings[0].level, 2);
  EXPECT_EQ(article.headings[1].level, 3);
}

TEST(ExtractHtmlTest, ReadsJsonLd) {
  const Article article = ExtractHtml(absl::StrCat(R"(<html><head><title>Water law fails - The Northern Post</title>
    <script type="application/ld+json">{"@context":"https://schema.org","@graph":[
      {"@type":"WebSite","name":"The Northern Post"},
      {"@type":"Person","@id":"#ines","name":"Inés Carrasco"},
      {"@type":["AnalysisNewsArticle"],"headline":"Water Law Fails a Third Time","url":"/politics/water",
       "datePublished":"2022-05-03T10:15:00+02:00","dateModified":"2022-05-03T12:00:00+02:00",
       "author":[{"@id":"#ines"},{"@type":"Person","name":"Dr. Tom Brandt"},{"@type":"Organization","name":"The Northern Post"}],
       "publisher":{"@type":"Organization","name":"The Northern Post"},"articleSection":"Politics",
       "keywords":["Water","Farming"],"inLanguage":"en_GB","isAccessibleForFree":false,
       "image":{"@type":"ImageObject","url":"https://post.example/water.jpg"},"description":"A reform &amp; its enemies"}]}
    </script></head><body><h1>Water Law Fails a Third Time</h1>)",
                                                   Paragraphs(), "</body></html>"),
                                      "https://post.example/politics/water?utm_source=x")
                              .article;
  EXPECT_EQ(article.title, "Water Law Fails a Third Time");
  EXPECT_THAT(article.authors, ElementsAre("Inés Carrasco", "Tom Brandt"));
  EXPECT_EQ(article.publish_time, Second(2022, 5, 3, 8, 15));
  EXPECT_EQ(article.publish_time_precision, TimePrecision::kSecond);
  EXPECT_EQ(article.update_time, Second(2022, 5, 3, 10, 0));
  EXPECT_EQ(article.source, "The Northern Post");
  EXPECT_EQ(article.language_code, "en-GB");
  EXPECT_EQ(article.url, "https://post.example/politics/water");
  EXPECT_EQ(article.image_url, "https://post.example/water.jpg");
  EXPECT_EQ(article.summary, "A reform & its enemies");
  EXPECT_EQ(article.content_type, "AnalysisNewsArticle");
  EXPECT_THAT(article.source_labels, ElementsAre(SourceLabel{"section", "Politics"}, SourceLabel{"keyword", "Water"},
                                                 SourceLabel{"keyword", "Farming"}));
  EXPECT_THAT(article.attributes,
              ElementsAre(Pair("access", ElementsAre("paid")), Pair("section", ElementsAre("Politics"))));
}

TEST(ExtractHtmlTest, ReadsOpenGraphMetaAndLinks) {
  const Article article = ExtractHtml(absl::StrCat(R"(<html lang="fr"><head><title>Loi sur l'eau | Le Courrier</title>
    <link rel="canonical" href="/politique/eau"><link rel="amphtml" href="https://courrier.example/amp/eau">
    <meta property="og:title" content="La loi sur l&#39;eau échoue | Le Courrier"><meta property="og:site_name" content="Le Courrier">
    <meta property="og:image" content="/img/eau.jpg"><meta name="description" content="Une réforme et ses ennemis">
    <meta name="author" content="Par Anne Roux et Paul Roy"><meta property="article:published_time" content="2022-05-03">
    <meta property="article:section" content="Politique"><meta property="article:tag" content="eau">
    <meta name="keywords" content="eau, agriculture"></head><body><main>)",
                                                   Paragraphs(), "</main></body></html>"),
                                      "https://courrier.example/politique/eau?ref=home")
                              .article;
  EXPECT_EQ(article.title, "La loi sur l'eau échoue");
  EXPECT_EQ(article.source, "Le Courrier");
  EXPECT_THAT(article.authors, ElementsAre("Anne Roux", "Paul Roy"));
  EXPECT_EQ(article.publish_time_precision, TimePrecision::kDay);
  EXPECT_EQ(article.url, "https://courrier.example/politique/eau");
  EXPECT_THAT(article.alternate_urls, Contains("https://courrier.example/amp/eau"));
  EXPECT_EQ(article.image_url, "https://courrier.example/img/eau.jpg");
  EXPECT_EQ(article.summary, "Une réforme et ses ennemis");
  EXPECT_EQ(article.language_code, "fr");
  EXPECT_THAT(article.source_labels, ElementsAre(SourceLabel{"section", "Politique"}, SourceLabel{"tag", "eau"},
                                                 SourceLabel{"keyword", "eau"}, SourceLabel{"keyword", "agriculture"}));
}

TEST(ExtractHtmlTest, KeywordsThatArePagesLabelsStayWhole) {
  const Article article = ExtractHtml(absl::StrCat(R"(<html><head><title>The Ring Road</title>
    <meta property="article:section" content="Transport, infrastructure &amp; cities">
    <meta name="keywords" content="Ghana, transport, Infrastructure &amp; cities, roads, Transport"></head><body><main>)",
                                                   Paragraphs(), "</main></body></html>"),
                                      "https://courrier.example/ring-road")
                              .article;
  EXPECT_THAT(article.source_labels,
              ElementsAre(SourceLabel{"section", "Transport, infrastructure & cities"}, SourceLabel{"keyword", "Ghana"},
                          SourceLabel{"keyword", "transport, Infrastructure & cities"}, SourceLabel{"keyword", "roads"},
                          SourceLabel{"keyword", "Transport"}));
}

TEST(ExtractHtmlTest, ReadsMicrodata) {
  const Article article = ExtractHtml(Body(absl::StrCat(R"(<div itemscope itemtype="http://schema.org/NewsArticle">
    <h1 itemprop="headline">Water Law Fails</h1><span itemprop="author" itemscope><span itemprop="name">Inés Carrasco</span></span>
    <time itemprop="datePublished" datetime="2022-05-03T08:15:00Z">3 May</time><div itemprop="articleBody">)",
                                                        Paragraphs(), "</div></div>")))
                              .article;
  EXPECT_EQ(article.title, "Water Law Fails");
  EXPECT_THAT(article.authors, ElementsAre("Inés Carrasco"));
  EXPECT_EQ(article.publish_time, Second(2022, 5, 3, 8, 15));
  EXPECT_EQ(article.body, PlainParagraphs());
}

TEST(ExtractHtmlTest, MicrodataOfCommentsAndOtherArticlesIsNotTheArticles) {
  const std::string item = R"(<span itemprop="author">Tom Brandt</span>
    <time itemprop="datePublished" datetime="2020-01-01">then</time>)";
  const std::string head = R"(<h1 itemprop="headline">Water Law Fails</h1>)";
  const std::string own =
      R"(<span itemprop="author">Inés Carrasco</span><meta itemprop="datePublished" content="2022-05-03">)";
  const std::string open = R"(<div itemscope itemtype="https://schema.org/Article">)";
  for (const std::string& other :
       {absl::StrCat(R"(<div itemprop="comment" itemscope itemtype="http://schema.org/Comment">)", item, "</div>"),
        absl::StrCat(R"(<div itemscope itemtype="http://schema.org/comment"><p>Nonsense.</p>)", item, "</div>"),
        absl::StrCat(open, R"(<h3 itemprop="headline">The Last Well</h3>)", item, "</div>"),
        absl::StrCat(R"(<div class="card"><h3>The Last Well</h3>)", item, "</div>"),
        absl::StrCat(R"(<article class="hentry"><h3><a href="/x">The Last Well</a></h3>
                     <span class="vcard"><a rel="author" href="/t">Tom Brandt</a></span>)",
                     item, "</article>")}) {
    for (const std::string& stated : {own, std::string()}) {
      const Article article = ExtractHtml(Body(absl::StrCat(open, head, stated, "<div itemprop=articleBody>",
                                                            Paragraphs(), "</div></div>", other)))
                                  .article;
      EXPECT_EQ(article.authors,
                stated.empty() ? std::vector<std::string>() : std::vector<std::string>{"Inés Carrasco"})
          << other;
      EXPECT_EQ(article.publish_time.has_value(), !stated.empty()) << other;
      EXPECT_EQ(article.title, "Water Law Fails") << other;
    }
  }
}

TEST(ExtractHtmlTest, MicrodataAroundNothingShownIsThePages) {
  const Article article = ExtractHtml(Body(absl::StrCat(R"(<h1>Water Law Fails</h1>)", Paragraphs(),
                                                        R"(<div itemscope itemtype="https://schema.org/NewsArticle">
    <meta itemprop="author" content="Inés Carrasco"><meta itemprop="datePublished" content="2022-05-03">
    <meta itemprop="keywords" content="wells, tractors"><div itemprop="publisher" itemscope
    itemtype="https://schema.org/Organization"><meta itemprop="name" content="The Northern Post"></div></div>)")))
                              .article;
  EXPECT_THAT(article.authors, ElementsAre("Inés Carrasco"));
  EXPECT_EQ(article.publish_time, Second(2022, 5, 3, 0, 0));
  EXPECT_EQ(article.source, "The Northern Post");
  EXPECT_THAT(article.source_labels, ElementsAre(SourceLabel{"keyword", "wells"}, SourceLabel{"keyword", "tractors"}));
}

TEST(ExtractHtmlTest, DatesAboveTheArticleAndOfEventsAreNotIts) {
  for (const char* above :
       {"<div class=latest><h3>Latest</h3><ul><li><a href=/x>Tea</a> <time datetime=2026-01-05>5 Jan"
        "</time></li></ul></div>",
        "<div><a href=/b>A quake in the east</a> <time datetime=2026-01-05T09:00Z>9:00</time></div>",
        "<div>Friday, November 27, 2026</div>", "<div class=today>Friday, November 27, 2026</div>"}) {
    EXPECT_FALSE(ExtractHtml(Body(absl::StrCat(above, "<article><h1>Water Law Fails</h1>", Paragraphs(), "</article>")))
                     .article.publish_time.has_value())
        << above;
  }
  for (const char* below : {"<div class=event-date>4 April 2026, in the town hall</div>",
                            "<p class=date>Conference: 4 April 2026, in the town hall</p>"}) {
    EXPECT_FALSE(ExtractHtml(Body(absl::StrCat("<article><h1>Water Law Fails</h1>", below, Paragraphs(), "</article>")))
                     .article.publish_time.has_value())
        << below;
  }
  for (const char* above : {"<div class=topline><span>4 April 2026</span></div>", "<p>4 April 2026</p>",
                            "<h2 class=date-header>4 April 2026</h2>"}) {
    EXPECT_EQ(ExtractHtml(Body(absl::StrCat("<div>", above, "<h1>Water Law Fails</h1>", Paragraphs(), "</div>")))
                  .article.publish_time,
              Second(2026, 4, 4, 0, 0))
        << above;
  }
}

TEST(ExtractHtmlTest, TakesLabelLinesAsLabels) {
  const Article article =
      ExtractHtml(Body(absl::StrCat("<article><h1>Water Law Fails</h1>", Paragraphs(),
                                    "<p>Issue: Natural Resources</p><p>Country: Spain</p></article>")))
          .article;
  EXPECT_EQ(article.body, PlainParagraphs());
  EXPECT_THAT(article.source_labels,
              ElementsAre(SourceLabel{"issue", "Natural Resources"}, SourceLabel{"country", "Spain"}));
}

TEST(ExtractHtmlTest, LineBreaksAloneSetBylineDateAndLabelsApart) {
  const std::string head = "<h1>Water Law Fails a Third Time</h1>";
  const Article in_paragraphs =
      ExtractHtml(Body(absl::StrCat(head, "<p><i>By Inés Carrasco</i><br>April 22, 2024</p>", Paragraphs(), R"(
      <p>Issue: <a href="/w">Water</a><br>Country: <a href="/p">Peru</a>, <a href="/c">Chile</a></p>)")))
          .article;
  EXPECT_THAT(in_paragraphs.authors, ElementsAre("Inés Carrasco"));
  EXPECT_EQ(in_paragraphs.publish_time, absl::FromCivil(absl::CivilDay(2024, 4, 22), absl::UTCTimeZone()));
  EXPECT_EQ(in_paragraphs.body, PlainParagraphs());
  EXPECT_THAT(in_paragraphs.source_labels, ElementsAre(SourceLabel{"issue", "Water"}, SourceLabel{"country", "Peru"},
                                                       SourceLabel{"country", "Chile"}));

  const Article in_one =
      ExtractHtml(Body(absl::StrCat(head, "<b>by Inés Carrasco</b><br>\n22 Apr 2024<br>\n", kFirst, "<br><br>", kSecond,
                                    "<br><br>", kThird, "<br>Tags: wells, law")))
          .article;
  EXPECT_THAT(in_one.authors, ElementsAre("Inés Carrasco"));
  EXPECT_EQ(in_one.publish_time, in_paragraphs.publish_time);
  EXPECT_EQ(in_one.body, PlainParagraphs());
  EXPECT_THAT(in_one.source_labels, ElementsAre(SourceLabel{"tag", "wells"}, SourceLabel{"tag", "law"}));
}

TEST(ExtractHtmlTest, LineBreaksAloneMaySetTheTitleApart) {
  const Article article =
      ExtractHtml(absl::StrCat("<html><title>Column: Water Law Fails</title><div><font size=5><b>Water Law "
                               "Fails</b></font><br><font size=2>by Inés Carrasco, April 22, 2024</font><br><br>",
                               kFirst, "<br><br>", kSecond, "<br><br>", kThird, "</div></html>"))
          .article;
  EXPECT_THAT(article.title, EndsWith("Water Law Fails"));
  EXPECT_THAT(article.authors, ElementsAre("Inés Carrasco"));
  EXPECT_EQ(article.publish_time, absl::FromCivil(absl::CivilDay(2024, 4, 22), absl::UTCTimeZone()));
  EXPECT_EQ(article.body, PlainParagraphs());
}

TEST(ExtractHtmlTest, RankingsOfOtherArticlesAreLeftOut) {
  constexpr char kText[] =
      "<p>政府は火曜日、輸入穀物に対する新たな課徴金の導入を、国会で審議されるまで延期すると発表した。</p>"
      "<p>港の業者は、月末までに在庫が尽きると警告していた。ある輸入業者は匿名を条件にそう語っている。</p>"
      "<p>国会は六月九日に再開する。それまで税関は従来の一〇パーセントの税率で徴収を続けることになる。</p>"
      "<p>課徴金の目的について、経済学者の見方は分かれている。消費者への課税にすぎないという意見もある。</p>";
  const Article article =
      ExtractHtml(Body(absl::StrCat("<h1>穀物課徴金、政府が延期</h1>", kText,
                                    "<div>アクセスランキング<ol><li><a>円安進む</a><li><a>選挙改革</a></ol></div>")))
          .article;
  EXPECT_THAT(article.body, EndsWith("意見もある。"));
}

TEST(ExtractHtmlTest, TheNoteOfAFeedIsNoText) {
  const std::string note = "The post Water Law Fails appeared first on The Northern Post.";
  const std::string head = "<h1>Water Law Fails</h1>";
  EXPECT_EQ(ExtractHtml(Body(absl::StrCat(head, Paragraphs(), "<p>", note, "</p>"))).article.body, PlainParagraphs());
  EXPECT_THAT(ExtractHtml(Body(absl::StrCat(head, "<p>", note, "</p>", Paragraphs()))).article.body,
              EndsWith(PlainParagraphs()));
  EXPECT_THAT(ExtractHtml(Body(absl::StrCat(head, Paragraphs(), "<p>", note, "</p>", Paragraphs()))).article.body,
              HasSubstr(note));
}

TEST(ExtractHtmlTest, BylineAndDateMayShareALine) {
  const Article article =
      ExtractHtml(Body(absl::StrCat("<h1>Water Law Fails a Third Time</h1>"
                                    "<p><span>By Inés Carrasco</span> <span>April 22, 2024</span></p>",
                                    Paragraphs(), "<p><span>Issue: Water</span> <span>Country: Peru</span></p>")))
          .article;
  EXPECT_THAT(article.authors, ElementsAre("Inés Carrasco"));
  EXPECT_EQ(article.publish_time, absl::FromCivil(absl::CivilDay(2024, 4, 22), absl::UTCTimeZone()));
  EXPECT_EQ(article.body, PlainParagraphs());
  EXPECT_THAT(article.source_labels, ElementsAre(SourceLabel{"issue", "Water"}, SourceLabel{"country", "Peru"}));
}

TEST(ExtractHtmlTest, ADateThatOpensAParagraphStaysInIt) {
  const std::string entry = absl::StrCat("<p>April 22, 2024<br>", kSecond, "</p>");
  EXPECT_THAT(ExtractHtml(Body(absl::StrCat("<h1>A Diary of the Drought</h1><p>", kFirst, "</p>", entry, "<p>", kThird,
                                            "</p>")))
                  .article.body,
              HasSubstr(absl::StrCat("April 22, 2024\n", kSecond)));
}

TEST(ExtractHtmlTest, CutOffLinesBesideTheTextAreTeasers) {
  const Article article =
      ExtractHtml(Body(absl::StrCat("<table><tr><td><h1>Water Law Fails a Third Time</h1>", Paragraphs(), R"(</td>
      <td><b>Recent notes</b><br><br>
      <a href="/1">The Toll Booths</a><br><small>Between the coast and the capital a driver pays eleven times…</small><br><br>
      <a href="/2">The Ghost Port</a><br><small>It handles more boxes than its hinterland can use…</small><br><br>
      <a href="/3">Counting Bags</a><br><small>Cotton left the gin twice, on paper…</small></td></tr></table>)")))
          .article;
  EXPECT_EQ(article.body, PlainParagraphs());
}

TEST(ExtractHtmlTest, NotesOnTheAuthorsThatEndTheTextAreLeftOut) {
  const std::string head = "<h1>Water Law Fails a Third Time</h1><p>By Inés Carrasco and John Doe</p>";
  const std::string notes =
      "<p>Inés Carrasco has walked along most of the canals she writes about.</p>"
      "<p>John Doe is at work on a book about the wells of the south.</p>";
  EXPECT_EQ(ExtractHtml(Body(absl::StrCat(head, Paragraphs(), notes))).article.body, PlainParagraphs());
  const std::string other = "John Smith has walked along most of the canals that the law is about.";
  EXPECT_THAT(ExtractHtml(Body(absl::StrCat(head, Paragraphs(), "<p>", other, "</p>"))).article.body, EndsWith(other));
}

TEST(ExtractHtmlTest, DoesNotTakeADateOfATeaser) {
  const Article article = ExtractHtml(Body(absl::StrCat("<article><h1>Water Law Fails</h1>", Paragraphs(), R"(</article>
    <div class="teasers"><h3>The Last Well</h3><time datetime="2022-01-02">2 January 2022</time></div>)")))
                              .article;
  EXPECT_FALSE(article.publish_time.has_value());
}

TEST(ExtractHtmlTest, TheDateOfAChangeIsNoDateOfPublication) {
  for (const char* line :
       {"<p>Updated March 3, 2024</p>", "<p>Last updated: <time datetime='2024-03-03'>on Sunday</time></p>",
        "<p class='updated'>March 3, 2024</p>", "<time class='updated' datetime='2024-03-03'>March 3</time>",
        "<p>2 days ago</p><p>Zuletzt aktualisiert am 3. März 2024</p>", "<p>آخر تحديث: ٣ مارس ٢٠٢٤</p>",
        "<p>更新：2024年3月3日 9時30分</p>"}) {
    const Article article = ExtractHtml(Body(absl::StrCat("<h1>Water Law Fails</h1>", line, Paragraphs()))).article;
    EXPECT_FALSE(article.publish_time.has_value()) << line;
    EXPECT_EQ(article.update_time, absl::FromCivil(absl::CivilDay(2024, 3, 3), absl::UTCTimeZone())) << line;
    EXPECT_THAT(article.body, StartsWith(kFirst)) << line;
  }
  for (const char* line :
       {"<p>March 1, 2024 (updated March 3, 2024)</p>", "<p>Updated March 3, 2024</p><p>Published March 1, 2024</p>",
        "<p><span>Updated 3 March</span> <time datetime='2024-03-01'>1 March</time></p><p>Updated March 3, 2024</p>",
        "<div>Updated rules</div><time datetime='2024-03-01'>1 March</time><p>Updated March 3, 2024</p>",
        "<p>Published <time datetime='2024-03-01'></time>, updated: <b><time datetime='2024-03-03'></time></b></p>",
        "<time class='updated' datetime='2024-03-03'></time><time class='entry-date' datetime='2024-03-01'></time>"}) {
    const Article article = ExtractHtml(Body(absl::StrCat("<h1>Water Law Fails</h1>", line, Paragraphs()))).article;
    EXPECT_EQ(article.publish_time, absl::FromCivil(absl::CivilDay(2024, 3, 1), absl::UTCTimeZone())) << line;
    EXPECT_EQ(article.update_time, absl::FromCivil(absl::CivilDay(2024, 3, 3), absl::UTCTimeZone())) << line;
  }
}

TEST(ExtractHtmlTest, DropsAbsurdDatesWithAWarning) {
  for (const char* date : {"0001-01-01T00:00:00Z", "2999-01-01T00:00:00Z"}) {
    const Extraction extraction =
        ExtractHtml(absl::StrCat("<html><head><meta property='article:published_time' content='", date,
                                 "'></head><body>", Paragraphs(), "</body></html>"));
    EXPECT_FALSE(extraction.article.publish_time.has_value()) << date;
    EXPECT_THAT(extraction.warnings, Contains(HasSubstr("cannot be right"))) << date;
  }
}

TEST(ExtractHtmlTest, NamesThatHideTheWholePageAreNotBelieved) {
  EXPECT_EQ(
      ExtractHtml(Body(absl::StrCat("<div class='sidebar-layout sidebar'>", Paragraphs(), "</div>"))).article.body,
      PlainParagraphs());
}

TEST(ExtractHtmlTest, ExplainsEachBlock) {
  const std::string html = Body(absl::StrCat("<nav><a href='/'>Home</a></nav><article>", Paragraphs(), "</article>"));
  const absl::StatusOr<Extraction> extraction = Extract({.content = html}, {.explain = true});
  ASSERT_THAT(extraction, IsOk());
  ASSERT_EQ(extraction->blocks.size(), 4U);
  EXPECT_EQ(extraction->blocks[0].reason, "navigation");
  EXPECT_FALSE(extraction->blocks[0].kept);
  EXPECT_EQ(extraction->blocks[1].text, kFirst);
  EXPECT_TRUE(extraction->blocks[1].kept);
  EXPECT_THAT(ExtractHtml(html).blocks, IsEmpty());
}

TEST(ExtractHtmlTest, TellsHtmlFromTextWithoutAMediaType) {
  const absl::StatusOr<Extraction> html = Extract({.content = absl::StrCat("<h1>Water Law</h1>", Paragraphs())});
  ASSERT_THAT(html, IsOk());
  EXPECT_EQ(html->article.body, PlainParagraphs());
  const absl::StatusOr<Extraction> text =
      Extract({.content = absl::StrCat("Water Law Fails Again\n\n", PlainParagraphs())});
  ASSERT_THAT(text, IsOk());
  EXPECT_EQ(text->article.body, PlainParagraphs());
}

TEST(ExtractHtmlTest, GivesNormalisedText) {
  const Article article =
      ExtractHtml(Body(absl::StrCat("<h1>Cafe\xCC\x81\x07 Law\n and more</h1>", Paragraphs()))).article;
  EXPECT_EQ(article.title, "Caf\xC3\xA9 Law and more");
}

// Bad input
// ---------------------------------------------------------------------------------------------------------------

absl::Status ErrorFor(const std::string& content, const std::string& media_type = "") {
  return Extract({.content = content, .media_type = media_type}).status();
}

// Cards as front pages and endless lists have them.
std::string Cards(int count) {
  std::string cards;
  for (int i = 0; i < count; ++i) {
    absl::StrAppend(
        &cards, "<li><h3><a href='/", i, "'>Story number ", i, " of the many that we have</a></h3><p>In town ", i,
        " a bridge was opened by a mayor who had not been invited to the opening of the last one.</p></li>");
  }
  return absl::StrCat("<ul>", cards, "</ul>");
}

TEST(ExtractHtmlTest, TeasersSideBySideAreNotTheTextHoweverLongTheyAreTogether) {
  const std::string page = Body(absl::StrCat("<div><div><h1>Water Law Fails</h1><div>", Paragraphs(), "<p>", kThird,
                                             " Nobody asked them.</p></div></div><div>", Cards(30), "</div></div>"));
  EXPECT_EQ(ExtractHtml(page).article.body, absl::StrCat(PlainParagraphs(), "\n\n", kThird, " Nobody asked them."));
}

TEST(ExtractHtmlTest, SectionsOfOneKindAreOneText) {
  std::string sections;
  for (int i = 0; i < 4; ++i) {
    absl::StrAppend(&sections, "<section class=s>", i == 0 ? "<h1>Water Law Fails</h1>" : "<h2>More</h2>", "<p>",
                    kFirst, " ", i, ".</p><p>", kSecond, " ", i, ".</p><p>", kThird, " ", i, ".</p><p>", kFirst,
                    " Again ", i, ".</p></section>");
  }
  const Article article =
      ExtractHtml(Body(absl::StrCat("<title>Water Law Fails</title><div>", sections, "</div>"))).article;
  EXPECT_THAT(article.body, HasSubstr(absl::StrCat(kThird, " 3.")));
  EXPECT_THAT(article.headings, ::testing::SizeIs(3));
}

TEST(ExtractHtmlTest, TheWholePageTwiceIsOnePageAndARefrainIsNone) {
  const std::string twice =
      Body(absl::StrCat("<div class=phone>", Paragraphs(), "</div><div class=desk>", Paragraphs(), "</div>"));
  EXPECT_EQ(ExtractHtml(twice).article.body, PlainParagraphs());
  const std::string refrain = Body(absl::StrCat("<div><p>", kFirst, "</p><p>", kThird, "</p></div><div><p>", kSecond,
                                                "</p><p>", kThird, "</p></div>"));
  EXPECT_EQ(ExtractHtml(refrain).article.body, absl::StrCat(kFirst, "\n\n", kThird, "\n\n", kSecond, "\n\n", kThird));
}

TEST(ExtractHtmlTest, WhatThePageStatesToBeTheTextIsNoBoilerplate) {
  const std::string json =
      absl::StrCat("<script type='application/ld+json'>{\"@type\":\"NewsArticle\",\"articleBody\":\"",
                   PlainParagraphs().substr(0, 700), "\"}</script>");
  const std::string boxed =
      absl::StrCat("<div><p>", kFirst, "</p><div class=ad-wrapper><p>", kSecond, "</p></div><p>", kThird, "</p></div>");
  std::string escaped = json;
  for (size_t at = escaped.find("\n\n"); at != std::string::npos; at = escaped.find("\n\n")) {
    escaped.replace(at, 2, "  ");
  }
  EXPECT_EQ(ExtractHtml(Body(absl::StrCat(escaped, boxed))).article.body, PlainParagraphs());
  EXPECT_EQ(ExtractHtml(Body(boxed)).article.body, absl::StrCat(kFirst, "\n\n", kThird));
}

TEST(ExtractHtmlTest, IdsMadeOfHeadingsSayNothing) {
  const std::string page =
      Body(absl::StrCat("<div><p>", kFirst, "</p><section id='sharing-the-water-with-neighbours'><p>", kSecond,
                        "</p></section><p>", kThird, "</p></div>"));
  EXPECT_EQ(ExtractHtml(page).article.body, PlainParagraphs());
}

TEST(ExtractHtmlTest, StatedTitlesStandAboveTheHeadingAndLoseTheHousesName) {
  const auto title = [](const std::string& head, const std::string& heading) {
    return ExtractHtml(absl::StrCat("<head>", head, "</head><body><h1>", heading, "</h1>", Paragraphs())).article.title;
  };
  EXPECT_EQ(title("<title>Law | Post</title><meta property=og:title content='Water Law Fails a Third Time'>",
                  "The water law, in numbers"),
            "Water Law Fails a Third Time");
  EXPECT_EQ(title("<meta property=og:title content='Water Law Fails | The Northern Post of Rivers and Wells'>",
                  "Water Law Fails"),
            "Water Law Fails");
  EXPECT_EQ(title("<meta property='x:title dc:title' content='Water Law Fails'><meta property=og:title content=Other>",
                  "Something else"),
            "Water Law Fails");
  EXPECT_EQ(
      title("<meta property=og:site_name content='The Northern Post'>"
            "<meta property=og:title content='The Northern Post'><title>Water Law Fails | The Northern Post</title>",
            "Water Law Fails"),
      "Water Law Fails");
}

TEST(ExtractHtmlTest, NamesAHouseAsAuthorOnlyIfNoPersonIsNamed) {
  const auto authors = [](const std::string& json) {
    return ExtractHtml(absl::StrCat("<script type='application/ld+json'>{\"@type\":\"NewsArticle\",", json,
                                    "}</script>", Paragraphs()))
        .article.authors;
  };
  EXPECT_THAT(authors(R"("author":{"@type":"Organization","name":"Reuters"},"publisher":{"name":"The Post"})"),
              ElementsAre("Reuters"));
  EXPECT_THAT(authors(R"("author":{"@type":"Organization","name":"The Post"},"publisher":{"name":"The Post"})"),
              IsEmpty());
  EXPECT_THAT(authors(R"("author":[{"@type":"Organization","name":"Reuters"},{"@type":"Person","name":"Jane Roe"}])"),
              ElementsAre("Jane Roe"));
  EXPECT_THAT(authors(R"j("author":"Jane Roe (https://example.org/jane)")j"), ElementsAre("Jane Roe"));
}

TEST(ExtractHtmlTest, JsonLdAboutAnotherArticleIsNotThePages) {
  const std::string other =
      R"({"@type":"NewsArticle","headline":"Tolls and Tariffs","url":"https://post.example/tolls",
          "datePublished":"2020-01-01","author":{"name":"Tom Brandt"}})";
  const std::string own = R"({"@type":"Article","headline":"Water Law Fails","author":{"name":"Ines Carrasco"}})";
  const auto article = [](const std::string& json) {
    return ExtractHtml(absl::StrCat("<title>Water Law Fails | Post</title>"
                                    "<link rel=canonical href=https://post.example/water>"
                                    "<script type='application/ld+json'>",
                                    json, "</script><h1>Water Law Fails</h1>", Paragraphs()))
        .article;
  };
  EXPECT_EQ(article(other).title, "Water Law Fails");
  EXPECT_THAT(article(other).authors, IsEmpty());
  EXPECT_FALSE(article(other).publish_time.has_value());
  EXPECT_THAT(article(absl::StrCat("[", other, ",", own, "]")).authors, ElementsAre("Ines Carrasco"));
  // Another headline alone, or another address alone, is the same article told in another way.
  EXPECT_THAT(article(R"({"@type":"Article","headline":"Tractors Win","author":{"name":"Jane Roe"}})").authors,
              ElementsAre("Jane Roe"));
  EXPECT_THAT(article(R"({"@type":"Article","headline":"Water Law Fails","url":"https://other.example/w",
                          "author":{"name":"Jane Roe"}})")
                  .authors,
              ElementsAre("Jane Roe"));
  EXPECT_THAT(article(R"({"@type":"Article","headline":"Water Law Fails","creator":["Jane Roe"]})").authors,
              ElementsAre("Jane Roe"));
}

TEST(ExtractHtmlTest, CatalogueRecordsNameAllAuthorsInTheirOrder) {
  EXPECT_THAT(ExtractHtml(absl::StrCat(R"(<meta name="dcterms.creator" content="Roe, Jane">
    <meta name="citation_author" content="Roe, Jane"><meta name="citation_author" content="van der Berg, Pieter">)",
                                       Paragraphs()))
                  .article.authors,
              ElementsAre("Jane Roe", "Pieter van der Berg"));
  EXPECT_THAT(ExtractHtml(absl::StrCat(R"(<meta name="DC.Creator" content="Roe, Jane; Doe, John">)", Paragraphs()))
                  .article.authors,
              ElementsAre("Jane Roe", "John Doe"));
}

TEST(ExtractHtmlTest, TheFrontPageIsNoArticlesAddress) {
  const auto url = [](const std::string& head, const std::string& from) {
    return ExtractHtml(absl::StrCat(head, "<h1>Water Law Fails</h1>", Paragraphs()), from).article.url;
  };
  const std::string here = "https://post.example/water";
  EXPECT_EQ(url("<link rel=canonical href=https://post.example/>", here), here);
  EXPECT_EQ(url("<link rel=canonical href=/><meta property=og:url content=https://post.example/w>", here),
            "https://post.example/w");
  EXPECT_EQ(url("<link rel=canonical href=http://localhost:3000/water>", here), here);
  EXPECT_EQ(url("<link rel=canonical href=http://localhost:3000/water>", "http://localhost:3000/w"),
            "http://localhost:3000/water");
  EXPECT_EQ(url("<link rel=canonical href='https%3A%2F%2Fpost.example%2Fw'>", here), here);
  EXPECT_EQ(url("<link rel=canonical href=https://post.example/?p=7>", here), "https://post.example/?p=7");
}

TEST(ExtractHtmlTest, TheSitesNameIsNoTitle) {
  const auto title = [](const std::string& stated, const std::string& headings, const std::string& url = "") {
    return ExtractHtml(absl::StrCat("<head>", stated, "</head><body>", headings, Paragraphs()), url).article.title;
  };
  const std::string below = "<h2>The Law That Wasn’t</h2>";
  for (const char* stated :
       {"<title>The Post » Blog Archive » The Law That Wasn’t</title>", "<title>The Post</title>",
        "<title>The Post - The Law That Wasn’t</title>", "<title>The Post: The Law That Wasn’t</title>"}) {
    EXPECT_EQ(title(stated, absl::StrCat("<h1><a href='/'>The Post</a></h1><p>Notes</p>", below)),
              "The Law That Wasn’t");
    EXPECT_EQ(title(stated, absl::StrCat("<h1>The Post</h1>", below), "https://thepost.example/law"),
              "The Law That Wasn’t");
  }
  EXPECT_EQ(title("<title>The Post - The Law That Wasn’t</title>", absl::StrCat("<h1>The Post</h1>", below)),
            "The Law That Wasn’t");
  EXPECT_EQ(title("<title>Opinion | The Law That Wasn’t - The Post</title>", absl::StrCat("<h1>Opinion</h1>", below)),
            "The Law That Wasn’t");
  EXPECT_EQ(title("<title>Home</title>", below), "The Law That Wasn’t");
  EXPECT_EQ(title("<title>Untitled Document</title>", "<font size=5><b>The Law That Wasn’t</b></font><br>"),
            "The Law That Wasn’t");
  EXPECT_EQ(title("<meta property=og:title content=Home><title>The Law | Post</title>", "<h1>The Law</h1>"), "The Law");
  // A title and the heading of its first section.
  EXPECT_EQ(title("<title>The Law</title>", "<h1>The Law</h1><h2>How it came about</h2>"), "The Law");
  EXPECT_EQ(title("<title>The Water Law - The Northern Post</title>",
                  absl::StrCat("<h1>The Water Law</h1>", Paragraphs(), "<h2>The Northern Post</h2>")),
            "The Water Law");
  EXPECT_EQ(title("<title>Post » Blog Archive » The Law</title>", ""), "The Law");
}

TEST(ExtractHtmlTest, SaysInWhichDirectionTheTextRunsIfThePageDoes) {
  const auto direction = [](const std::string& html) {
    const Article article = ExtractHtml(html).article;
    const auto found = article.attributes.find("direction");
    return found == article.attributes.end() ? std::string("none") : found->second.at(0);
  };
  EXPECT_EQ(direction(Paragraphs()), "none");
  EXPECT_EQ(direction(absl::StrCat("<html dir=rtl><body>", Paragraphs())), "rtl");
  EXPECT_EQ(direction(absl::StrCat("<html dir=ltr><body dir=RTL>", Paragraphs())), "rtl");
  EXPECT_EQ(direction(absl::StrCat("<html dir=ltr><body><div dir=rtl>", Paragraphs(), "</div>")), "rtl");
}

TEST(ExtractHtmlTest, SaysThatSubscribersAloneCanReadOn) {
  const std::string stub = absl::StrCat("<h1>Water Law Fails</h1>", Paragraphs());
  EXPECT_THAT(ExtractHtml(stub).warnings, IsEmpty());
  EXPECT_FALSE(ExtractHtml(stub).is_stub);
  for (const char* notice : {"Subscribe to continue reading", "Already a subscriber? Sign in",
                             "This article is for subscribers only.", "Jetzt weiterlesen mit dem Probeabo"}) {
    const Extraction extraction = ExtractHtml(absl::StrCat(stub, "<div><p>", notice, "</p></div>"));
    EXPECT_EQ(extraction.article.body, PlainParagraphs()) << notice;
    EXPECT_THAT(extraction.warnings, Contains(HasSubstr("keeps the rest for subscribers"))) << notice;
    EXPECT_TRUE(extraction.is_stub) << notice;
  }
  EXPECT_THAT(ExtractHtml(absl::StrCat("<script type='application/ld+json'>{\"@type\":\"NewsArticle\","
                                       "\"isAccessibleForFree\":\"False\"}</script>",
                                       stub))
                  .warnings,
              Contains(HasSubstr("keeps the rest for subscribers")));
}

TEST(ExtractHtmlTest, APageOfAFewWordsIsTakenWholeWithAWarning) {
  const Extraction extraction = ExtractHtml("<html><body><ol><li><p>The ferry will not sail tomorrow</p></li></ol>");
  EXPECT_THAT(extraction.article.body, HasSubstr("The ferry will not sail tomorrow"));
  EXPECT_THAT(extraction.warnings, Contains(HasSubstr("all that the page holds")));
}

TEST(ExtractHtmlTest, TakesADateAndNameFromABylineThatNamesNoYear) {
  EXPECT_THAT(ExtractHtml(absl::StrCat("<h1>Water Law Fails</h1><p>By Jane Roe March 18 at 3:57 PM</p>", Paragraphs()))
                  .article.authors,
              ElementsAre("Jane Roe"));
}

TEST(ExtractHtmlTest, ShortSentencesBesideTheTextAreOfIt) {
  const Extraction extraction =
      ExtractHtml(Body(absl::StrCat("<main><h1>Water</h1><div><p>Why now?</p>", Paragraphs(),
                                    "<p>So it goes.</p><p>Again.</p></div><div class=x><p>Ask us.</p></div></main>")));
  EXPECT_EQ(extraction.article.body, absl::StrCat("Why now?\n\n", PlainParagraphs(), "\n\nSo it goes.\n\nAgain."));
}

TEST(ExtractHtmlTest, PiecesOfADigestKeepTheirHeadings) {
  for (const absl::string_view heading : {"<p><b>$</b></p>", "<h3><a href=/1>$</a></h3>"}) {
    std::string page = "<main><h1>The week in water</h1>";
    std::string text;
    for (const auto& [name, piece] :
         {std::pair("The assembly", kFirst), std::pair("The farmers", kSecond), std::pair("The minister", kThird)}) {
      absl::StrAppend(&page, absl::StrReplaceAll(heading, {{"$", name}}), "<p>", piece, "</p>");
      absl::StrAppend(&text, text.empty() ? "" : "\n\n", name, "\n\n", piece);
    }
    EXPECT_EQ(ExtractHtml(Body(absl::StrCat(page, "</main>"))).article.body, text) << heading;
  }
}

TEST(ExtractHtmlTest, WhatThePageStatesIsTakenWhereItShowsNoText) {
  const std::string json =
      absl::StrCat(R"(<script type="application/ld+json">{"@type":"NewsArticle","headline":"Water","articleBody":")",
                   kFirst, R"(\n)", kSecond, R"( AT&amp;T agrees.\n\n)", kThird, R"("}</script>)");
  const std::string text = absl::StrCat(kFirst, "\n\n", kSecond, " AT&T agrees.\n\n", kThird);
  const Extraction shell = ExtractHtml(Body(absl::StrCat(json, "<div id=app>Loading</div>")));
  EXPECT_EQ(shell.article.body, text);
  EXPECT_EQ(shell.article.title, "Water");
  EXPECT_THAT(shell.warnings, Contains(HasSubstr("articleBody")));
  EXPECT_EQ(ExtractHtml(Body(absl::StrCat(json, "<h1>Water</h1><p>", kFirst, "</p><p>", kThird, "</p>"))).article.body,
            absl::StrCat(kFirst, "\n\n", kThird));
  const std::string html =
      absl::StrCat(R"(<script type="application/ld+json">{"@type":"NewsArticle","headline":"Water","articleBody":"<p>)",
                   kFirst, "<\\/p><p>", kSecond, R"(<\/p>"}</script>)");
  EXPECT_EQ(ExtractHtml(Body(html)).article.body, absl::StrCat(kFirst, "\n\n", kSecond));
}

TEST(ExtractHtmlTest, WhatThePageStatesMayBeEscapedOnceMore) {
  const Extraction shell = ExtractHtml(absl::StrCat(
      R"(<script type="application/ld+json">{"@type":"NewsArticle","headline":"Water","isAccessibleForFree":
      "False","articleBody":"&lt;p&gt;)",
      kFirst, "&lt;/p&gt;&lt;p&gt;", kSecond, R"(&lt;/p&gt;"}</script><div id=app></div>)"));
  EXPECT_EQ(shell.article.body, absl::StrCat(kFirst, "\n\n", kSecond));
  EXPECT_FALSE(shell.is_stub);  // It is all there.
}

TEST(ExtractHtmlTest, JsonLdMayHaveACommaTooMany) {
  const std::string page = absl::StrCat("<h1>Water Law</h1>", Paragraphs());
  const Extraction mended = ExtractHtml(absl::StrCat(
      R"(<script type="application/ld+json">{"@type":"Article","name":"a, ]","author":["Jane Roe",],}</script>)",
      page));
  EXPECT_THAT(mended.article.authors, ElementsAre("Jane Roe"));
  EXPECT_THAT(mended.warnings, IsEmpty());
  EXPECT_THAT(ExtractHtml(absl::StrCat(R"(<script type="application/ld+json">{"@type":"Article" "x"}</script>)", page))
                  .warnings,
              Contains(HasSubstr("JSON-LD")));
}

TEST(ExtractHtmlTest, WhatIsSaidInABriefingIsTextHoweverShort) {
  const Article article =
      ExtractHtml(Body(absl::StrCat("<h1>Briefing on Water</h1><p>MODERATOR: Good day.</p><p>MINISTER ROE: ", kFirst,
                                    "</p><p>QUESTION: And tea?</p><p>MINISTER ROE: No.</p><p>QUESTION: Thanks.</p>")))
          .article;
  EXPECT_THAT(article.body, StartsWith("MODERATOR: Good day."));
  EXPECT_THAT(article.body, EndsWith("QUESTION: And tea?\n\nMINISTER ROE: No.\n\nQUESTION: Thanks."));
}

TEST(ExtractHtmlTest, SectionsThatEndTheTextMayBeALineEach) {
  EXPECT_THAT(ExtractHtml(Body(absl::StrCat("<h1>Risks of the Water Law</h1>", Paragraphs(),
                                            "<h2>Floods</h2><p><b>Likelihood:</b> high<br><b>Impact:</b> low</p>"
                                            "<h2>Drought</h2><p><b>Likelihood:</b> low<br><b>Impact:</b> high</p>")))
                  .article.body,
              EndsWith("Floods\n\nLikelihood: high\nImpact: low\n\nDrought\n\nLikelihood: low\nImpact: high"));
}

TEST(ExtractHtmlTest, ExplainsAlsoWhatWasRejected) {
  std::vector<Block> rejected = {Block()};
  Options options{.explain = true};
  options.rejected = &rejected;
  const std::string shell =
      "<script src=a.js></script><noscript>Please turn JavaScript on.</noscript><div id=app></div>";
  const absl::StatusOr<Extraction> none = Extract({.content = shell, .media_type = "text/html"}, options);
  EXPECT_THAT(none, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("JavaScript")));
  const std::string list = "<ul><li><a href=/a>The last well</a></li><li><a href=/b>The ghost port</a></li></ul>";
  EXPECT_FALSE(Extract({.content = Body(list), .media_type = "text/html"}, options).ok());
  ASSERT_FALSE(rejected.empty());
  EXPECT_EQ(rejected.front().text, "The last well");
  EXPECT_FALSE(rejected.front().reason.empty());
  EXPECT_THAT(Extract({.content = Body(Paragraphs()), .media_type = "text/html"}, options), IsOk());
  EXPECT_THAT(rejected, IsEmpty());
}

TEST(ExtractHtmlTest, ShortTextsOfDenseScriptsAreLongEnough) {
  const Article article = ExtractHtml(R"(<h1>港口租约</h1><p>2024年3月15日</p>
    <p>自从码头租给外国财团以后，每天早晨渡过海峡的轮船上就不再有学生和渔民了，只有工程师。</p>
    <p>首都的官员说，这份租约是本地区的榜样，而住在港口旁边的人却指着围栏，说散步的路被切成了两半。</p>)")
                              .article;
  EXPECT_EQ(article.title, "港口租约");
  EXPECT_EQ(article.publish_time, Second(2024, 3, 15, 0, 0));
}

TEST(BadInputTest, AProfileIsNoArticle) {
  EXPECT_THAT(
      Extract({.content = absl::StrCat("<meta property=og:type content=profile><h1>Inés Carrasco</h1>", Paragraphs()),
               .media_type = "text/html"}),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("profile")));
}

TEST(ExtractHtmlTest, OfSeveralWholeArticlesTheOneOfThePagesTitleIsTaken) {
  const auto piece = [](absl::string_view title, absl::string_view end) {
    return absl::StrCat("<article class=story><h1>", title, "</h1>", Paragraphs(), "<p>", end, "</p></article>");
  };
  const Article article =
      ExtractHtml(
          absl::StrCat("<title>Water Law Fails | Post</title>",
                       Body(absl::StrCat("<div>", piece("Water Law Fails", "So it ended in the north this year."),
                                         piece("The Ghost Port", "So it ended in the east this year."),
                                         piece("The Last Well", "So it ended in the west this year."), "</div>"))))
          .article;
  EXPECT_EQ(article.title, "Water Law Fails");
  EXPECT_THAT(article.body, EndsWith("So it ended in the north this year."));
}

TEST(ExtractHtmlTest, RequestsToFollowAndNotesOnAdvertisementsAreLeftOut) {
  const Extraction extraction = ExtractHtml(
      Body(absl::StrCat("<h1>Water</h1><p>", kFirst, "</p><p>ADVERTISEMENT - STORY CONTINUES BELOW</p><p>", kSecond,
                        "</p><p>Follow Jane Roe on Twitter @janeroe.</p><p>Follow the water on its way on foot.</p>")));
  EXPECT_EQ(extraction.article.body, absl::StrCat(kFirst, "\n\n", kSecond, "\n\nFollow the water on its way on foot."));
}

TEST(BadInputTest, EmptyDocumentsAreRefused) {
  for (const char* content : {"", "   \r\n\t ", "\xEF\xBB\xBF  "}) {
    const absl::Status status = ErrorFor(content);
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("empty")));
    EXPECT_EQ(common::ReasonOf(status), kEmptyDocument);
  }
}

TEST(BadInputTest, DocumentsBeyondTheLimitAreRefused) {
  const absl::Status status = ErrorFor(std::string(kMaxDocumentBytes + 1, 'a'));
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("16000001 bytes")));
  EXPECT_EQ(common::ReasonOf(status), kDocumentTooLarge);
}

TEST(BadInputTest, BinaryContentIsRefusedWhateverItIsCalled) {
  const std::string png("\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\1\0", 20);
  const std::string pdf = "%PDF-1.7\n1 0 obj <</Type /Catalog>> endobj";
  std::string noise;
  for (int i = 0; i < 5000; ++i) {
    noise.push_back(static_cast<char>((i * 7919 + i / 3) % 256));
  }
  for (const std::string& content : {png, pdf, noise}) {
    for (const char* media_type : {"", "text/html", "text/plain"}) {
      EXPECT_EQ(common::ReasonOf(ErrorFor(content, media_type)), kUnsupportedMediaType) << media_type;
    }
  }
  EXPECT_EQ(common::ReasonOf(ErrorFor("some words", "image/png")), kUnsupportedMediaType);
  EXPECT_THAT(ErrorFor("%PDF-1.7\n\x80\x81", "").message(), HasSubstr("is a PDF; `dateline ingest`"));
  EXPECT_THAT(ErrorFor(std::string("\x1F\x8B\x08\0\0\0\0\0", 8), "").message(), HasSubstr("is packed or compressed"));
}

TEST(BadInputTest, PagesWithoutAnArticleAreRefused) {
  const std::string menu = Body("<ul><li><a href='/1'>One</a></li><li><a href='/2'>Two</a></li></ul>");
  EXPECT_EQ(common::ReasonOf(ErrorFor(menu)), kNotAnArticle);
  EXPECT_EQ(common::ReasonOf(ErrorFor("<rss><channel><item><title>x</title></item></channel></rss>")), kNotAnArticle);
  EXPECT_EQ(common::ReasonOf(ErrorFor("<html><head><script>var a = 'text';</script></head></html>")), kNotAnArticle);
}

TEST(BadInputTest, ErrorPagesListsAndWallsAreNoArticles) {
  const std::string words =
      "<p>The page that you asked for is not on this server; it may have been moved, or there may be an error in its "
      "address, and we are sorry for that.</p><p>You can go to our front page, or look for it with the search "
      "above.</p>";
  EXPECT_THAT(ErrorFor(absl::StrCat("<title>404 Not Found</title><h1>Oh dear</h1>", words)).message(),
              HasSubstr("error message"));
  EXPECT_THAT(ErrorFor(absl::StrCat("<title>Post</title><h1>Seite nicht gefunden</h1>", words)).message(),
              HasSubstr("error message"));
  EXPECT_THAT(ErrorFor(absl::StrCat("<h1>Welcome</h1>", Cards(12))).message(), HasSubstr("list of 12 teasers"));
  EXPECT_THAT(ErrorFor(absl::StrCat("<h1>Jane Roe</h1>", Cards(3))).message(), HasSubstr("list of 3 teasers"));
  EXPECT_THAT(
      ErrorFor("<title>Log in</title><h1>Log in</h1><p>Enter your e-mail address and your password to go on "
               "to the Northern Post.</p><p>By going on you agree to our terms of use, and to be told of offers "
               "by us and our partners.</p>")
          .message(),
      HasSubstr("password"));
  const absl::Status wall = ErrorFor(
      "<h1>The Northern Post</h1><p>We and our 843 partners store cookies on your device and process personal data, so "
      "that "
      "we can show you what you like.</p><p>With your consent we may use tracking to measure what is read, and by "
      "whom.</p>");
  EXPECT_THAT(wall.message(), HasSubstr("asks for consent"));
  EXPECT_EQ(common::ReasonOf(wall), kNotAnArticle);
  EXPECT_THAT(ErrorFor("<h1>We value your privacy</h1><p>We and our 843 partners store cookies on your device and "
                       "process personal data, so that we can show you what you like.</p><p>With your consent we may "
                       "use tracking to measure what is read, and by whom.</p>")
                  .message(),
              HasSubstr("asks for consent"));
}

TEST(ExtractHtmlTest, ArticlesOnErrorsListsAndCookiesAreArticles) {
  std::string text;
  for (int i = 0; i < 8; ++i) {
    absl::StrAppend(&text, "<p>", kFirst, " ", i, "</p><p>", kSecond, " ", i, "</p>");
  }
  EXPECT_THAT(ExtractHtml(absl::StrCat("<h1>Access denied: what the new visas mean</h1>", text)).article.body,
              HasSubstr("The assembly"));
  EXPECT_THAT(
      ExtractHtml("<h1>Why cookies must crumble</h1><p>A cookie is a small file that your browser keeps for a "
                  "site, and it has had a bad name for twenty years.</p><p>Without the cookie there would be no "
                  "shopping on the web, say those who sell there; others say that this proves the point.</p>")
          .article.body,
      HasSubstr("small file"));
}

TEST(BadInputTest, NulBytesAreLeftOut) {
  std::string html = Body(Paragraphs());
  html.insert(html.find("assembly"), std::string(1, '\0'));
  EXPECT_EQ(ExtractHtml(html).article.body, PlainParagraphs());
}

TEST(BadInputTest, NothingClosedIsStillRead) {
  const Article article = ExtractHtml(absl::StrCat("<html><body><div><article><h1>Water Law Fails</h1><p>", kFirst,
                                                   "<p>", kSecond, "<div><p>", kThird, "<b><i><span><table><tr><td"))
                              .article;
  EXPECT_EQ(article.body, PlainParagraphs());
}

TEST(BadInputTest, AnAttributeThatNeverEndsTakesNoTextAway) {
  const Article article =
      ExtractHtml(Body(absl::StrCat(Paragraphs(), "<img alt=\"never closed > <p>", kFirst))).article;
  EXPECT_THAT(article.body, StartsWith(kFirst));
}

TEST(BadInputTest, EncodedDataIsNoText) {
  const std::string data(3'000'000, 'Q');
  const Extraction extraction =
      ExtractHtml(Body(absl::StrCat("<p>", data, ".</p><img src='data:image/png;base64,", data, "'>", Paragraphs())));
  EXPECT_EQ(extraction.article.body, PlainParagraphs());
}

TEST(BadInputTest, AParagraphBeyondTheLimitIsCutAtAWord) {
  std::string paragraph;
  while (paragraph.size() < 2'100'000) {
    paragraph += "Iran said it was so. ";
  }
  for (const Document& document : {Document{.content = absl::StrCat("A title of the thing\n\n", paragraph)},
                                   Document{.content = Body(absl::StrCat("<p>", paragraph, "</p>"))}}) {
    ASSERT_OK_AND_ASSIGN(const Extraction extraction, Extract(document));
    EXPECT_GT(extraction.article.body.size(), 1'799'000U);
    EXPECT_LE(extraction.article.body.size(), 1'800'000U);
    ASSERT_EQ(paragraph.compare(0, extraction.article.body.size(), extraction.article.body), 0);
    EXPECT_EQ(paragraph[extraction.article.body.size()], ' ');
    EXPECT_THAT(extraction.warnings, Contains(HasSubstr("body: cut off after ")));
  }
}

TEST(BadInputTest, DataAloneIsNoArticle) {
  EXPECT_THAT(Extract({.content = std::string(2'100'000, 'Q') + "."}), StatusIs(absl::StatusCode::kInvalidArgument));
}

// Of this thread: other work on the machine doesn't count.
absl::Duration ProcessorTime() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return absl::DurationFromTimespec(time);
}

// Far above what any page here takes (a second or two without sanitizers), far below what quadratic work would take.
constexpr absl::Duration kMaxTime = absl::Seconds(30);

// A page that makes careless parsers slow, hungry or crash.
struct Hostile {
  const char* name;
  std::function<std::string()> html;
};

std::string Repeat(const std::string& piece, size_t times) {
  std::string out;
  out.reserve(piece.size() * times);
  for (size_t i = 0; i < times; ++i) {
    out += piece;
  }
  return out;
}

std::string Numbered(const std::string& before, const std::string& after, int count) {
  std::string out;
  for (int i = 0; i < count; ++i) {
    absl::StrAppend(&out, before, i, after);
  }
  return out;
}

const std::vector<Hostile>& HostilePages() {
  static const auto* const kPages = new std::vector<Hostile>{
      {"Divs", [] { return Repeat("<div>", 100'000); }},
      {"DivsWithText", [] { return Repeat("<div>word ", 300'000); }},
      {"Spans", [] { return Repeat("<span>", 1'000'000); }},
      {"Lists", [] { return Repeat("<ul><li>", 200'000); }},
      {"Tables", [] { return Repeat("<table><tr><td>", 100'000); }},
      {"Fonts", [] { return Numbered("<font size=", "><p>", 200'000); }},
      {"Links", [] { return Repeat("<a href=x><div>", 200'000); }},
      {"Paragraphs", [] { return Repeat("<p>", 2'000'000); }},
      {"EndTags", [] { return Repeat("<div><span>", 1000) + Repeat("</div></i></b></table>", 200'000); }},
      {"ElementNames", [] { return Numbered("<x", ">", 200'000); }},
      {"Comments", [] { return Repeat("<!--", 1'000'000); }},
      {"SkippedElements", [] { return Repeat("<svg><template><textarea>", 300'000); }},
      {"Quotes", [] { return Repeat("<a b=\"", 1'000'000); }},
      {"Attributes", [] { return "<div " + Repeat("a=1 ", 2'000'000) + ">"; }},
      {"AngleBrackets", [] { return Repeat("<", 8'000'000); }},
      {"Entities", [] { return Repeat("&amp;&nbsp;&#x41;", 500'000); }},
      {"Words", [] { return Repeat("word ", 3'000'000); }},
      {"CommentHeadings", [] { return Repeat("<p>comments</p>", 200'000); }},
      {"ListsInLists", [] { return Repeat("<ul><li>word<ul><li>word</li></ul></li>", 100'000); }},
      {"Titles", [] { return Repeat("<title>", 500'000); }},
      {"ClassNames", [] { return Repeat("<div class='a-b-c d_e_f gHiJ'>x</div>", 200'000); }},
      {"JsonArrays", [] { return "<script type='application/ld+json'>" + Repeat("[", 1'500'000) + "</script>"; }},
      {"JsonObjects",
       [] { return "<script type='application/ld+json'>" + Repeat("{\"@graph\":[", 100'000) + "</script>"; }}};
  return *kPages;
}

class HostilePageTest : public ::testing::TestWithParam<Hostile> {};

TEST_P(HostilePageTest, TakesLittleTime) {
  const std::string html = GetParam().html();
  const absl::Duration start = ProcessorTime();
  const absl::StatusOr<Extraction> extraction = Extract({.content = html, .media_type = "text/html"});
  EXPECT_LT(ProcessorTime() - start, kMaxTime);
  if (!extraction.ok()) {
    EXPECT_THAT(common::ReasonOf(extraction.status()), ::testing::AnyOf(kNotAnArticle, kDocumentTooLarge));
  }
}

INSTANTIATE_TEST_SUITE_P(BadInput, HostilePageTest, ::testing::ValuesIn(HostilePages()),
                         [](const ::testing::TestParamInfo<Hostile>& page) { return std::string(page.param.name); });

TEST(BadInputTest, AnArticleAmongHostileMarkupIsFound) {
  for (const char* piece : {"<div>", "<span>", "<b>", "<ul><li>", "<font size=7>"}) {
    const Article article = ExtractHtml(Body(absl::StrCat("<article><h1>Water Law</h1>", Paragraphs(), "</article>",
                                                          Repeat(piece, 50'000))))
                                .article;
    EXPECT_EQ(article.body, PlainParagraphs()) << piece;
  }
}

TEST(BadInputTest, SixteenMegabytesOfPageAreRead) {
  std::string html = "<html><body><article>";
  while (html.size() + 400 < kMaxDocumentBytes) {
    absl::StrAppend(&html, "<p>", kFirst, " ", html.size(), "</p>");
  }
  const Extraction extraction = ExtractHtml(html);
  EXPECT_THAT(extraction.article.body, StartsWith(kFirst));
  EXPECT_LE(extraction.article.body.size(), 1'800'000U);
  EXPECT_THAT(extraction.warnings, Contains(HasSubstr("cut off")));
}

TEST(BadInputTest, PlainTextOfAllKindsTakesLittleTime) {
  for (const std::string& text : {Repeat("word ", 3'000'000), Repeat("a\n", 3'000'000), Repeat("Issue: x\n\n", 500'000),
                                  Repeat("By Jane Roe\n\n", 300'000), Repeat("19 September 2023\n\n", 300'000),
                                  Repeat(absl::StrCat(kFirst, "\n\n"), 20'000), std::string(10'000'000, 'a')}) {
    const absl::Duration start = ProcessorTime();
    const absl::StatusOr<Extraction> extraction = Extract({.content = text, .media_type = "text/plain"});
    EXPECT_LT(ProcessorTime() - start, kMaxTime) << text.substr(0, 20);
    if (!extraction.ok()) {
      EXPECT_EQ(common::ReasonOf(extraction.status()), kNotAnArticle);
    }
  }
}

TEST(BadInputTest, EveryPrefixOfAPageGivesAResultOrATypedError) {
  const std::string page = Body(
      absl::StrCat("<head><script type='application/ld+json'>{\"@type\":\"NewsArticle\",\"headline\":\"Öl\"}</script>"
                   "<style>p{}</style></head><!-- x --><article class=\"a b\"><h1>Öl &amp; Wasser</h1>",
                   Paragraphs(), "<table><tr><td>1<td>2</table></article>"));
  for (size_t length = 0; length <= page.size(); ++length) {
    const absl::StatusOr<Extraction> extraction = Extract({.content = page.substr(0, length)});
    if (extraction.ok()) {
      EXPECT_TRUE(common::IsValidUtf8(extraction->article.body)) << length;
      EXPECT_TRUE(common::IsValidUtf8(extraction->article.title)) << length;
    } else {
      EXPECT_NE(common::ReasonOf(extraction.status()), "") << length;
    }
  }
}

}  // namespace
}  // namespace dateline::extraction
