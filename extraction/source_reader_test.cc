// Feeds, sitemaps, JSON Lines, single pages: what each item gives and what a broken one costs the others.
#include "extraction/source_reader.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/time/civil_time.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/error.h"
#include "extraction/testing_sources.h"
#include "tests/support/status_matchers.h"

namespace dateline::extraction {
namespace {

using ::dateline::testing::IsOk;
using ::dateline::testing::StatusIs;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

constexpr char kSentence[] =
    "The ferries that cross the strait each morning used to carry schoolchildren and fishermen.";

TEST(JsonLinesTest, ReadsEveryField) {
  const std::vector<SourceItem> items = ReadAll(
      absl::StrCat(
          R"({"id":"a1","url":"https://x.example/1","title":"The  Lease","body":"One.\n\nTwo.","date":"2023-09-19","authors":["Jane Roe",{"name":"John Doe"}],)",
          R"("source":"The Review","language":"en","countries":["IR","Iraq"],"issues":"Trade","other":{"deep":[1,2,3]}})",
          "\n"),
      {}, 5);
  ASSERT_THAT(items, SizeIs(1));
  ASSERT_THAT(items[0].extraction, IsOk());
  const Article& article = items[0].extraction->article;
  EXPECT_EQ(article.id, "a1");
  EXPECT_EQ(article.url, "https://x.example/1");
  EXPECT_EQ(article.title, "The Lease");
  EXPECT_EQ(article.body, "One.\n\nTwo.");
  EXPECT_EQ(article.publish_time, absl::FromCivil(absl::CivilDay(2023, 9, 19), absl::UTCTimeZone()));
  EXPECT_EQ(article.publish_time_precision, TimePrecision::kDay);
  EXPECT_THAT(article.authors, ElementsAre("Jane Roe", "John Doe"));
  EXPECT_EQ(article.source, "The Review");
  EXPECT_EQ(article.language_code, "en");
  EXPECT_THAT(article.source_labels,
              ElementsAre(SourceLabel{"country", "IR"}, SourceLabel{"country", "Iraq"}, SourceLabel{"issue", "Trade"}));
}

TEST(JsonLinesTest, MayBeUtf16) {
  std::string utf16 = "\xFF\xFE";
  for (const char c : std::string("{\"title\":\"one\",\"body\":\"\\u0416\"}\n{\"title\":\"two\"}\n")) {
    utf16.append({c, '\0'});
  }
  const std::vector<SourceItem> items = ReadAll(utf16, {.path = "x.jsonl"});
  ASSERT_THAT(items, SizeIs(2));
  ASSERT_THAT(items[0].extraction, IsOk());
  EXPECT_EQ(items[0].extraction->article.body, "\u0416");
  EXPECT_EQ(items[1].position, "line 2");
}

TEST(JsonLinesTest, AMalformedLineHarmsNoOther) {
  const std::vector<SourceItem> items = ReadAll(
      "\xEF\xBB\xBF{\"title\":\"one\"}\r\n\r\n{\"title\":\n[1]\n{\"title\":5}\n{\"id\":7}\n{\"title\":\"last\"}",
      {.format = Format::kJsonLines});
  ASSERT_THAT(items, SizeIs(6));
  EXPECT_THAT(items[0].extraction, IsOk());
  EXPECT_EQ(items[0].number, 1);
  EXPECT_THAT(items[1].extraction, StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_EQ(common::ReasonOf(items[1].extraction.status()), "MALFORMED_LINE");
  EXPECT_EQ(items[1].position, "line 3");
  EXPECT_THAT(items[2].extraction, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("no JSON object")));
  EXPECT_THAT(items[3].extraction, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("title: must be a string")));
  EXPECT_THAT(items[4].extraction, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("body: is missing")));
  ASSERT_THAT(items[5].extraction, IsOk());
  EXPECT_EQ(items[5].extraction->article.title, "last");
  EXPECT_EQ(items[5].number, 7);
}

// What is said of a line that is no article.
std::string Complaint(const std::string& line) {
  const std::vector<SourceItem> items = ReadAll(line, {.format = Format::kJsonLines});
  if (items.size() != 1) return "";
  const absl::Status status = items[0].extraction.status();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_EQ(common::ReasonOf(status), "MALFORMED_LINE");
  // Whose library reads the JSON is nobody's concern.
  EXPECT_THAT(std::string(status.message()), Not(HasSubstr("json.exception")));
  return std::string(status.message());
}

TEST(JsonLinesTest, SaysWhereTheJsonIsMalformedAndWhatIsRight) {
  EXPECT_THAT(Complaint("{broken"), AllOf(StartsWith("malformed JSON at byte 2: invalid literal"),
                                          HasSubstr("write each article as one JSON object on one line")));
  EXPECT_THAT(Complaint(R"({"title": "a", "body": "b",})"), HasSubstr("malformed JSON at byte 28: unexpected '}'"));
  EXPECT_THAT(Complaint("{\"title\": \"a\tb\"}"), HasSubstr("control character"));
  EXPECT_THAT(Complaint(R"({"title": "a"} more)"), StartsWith("malformed JSON at byte "));
  EXPECT_THAT(Complaint(R"({"title": "a", "date": 1e400})"), StartsWith("malformed JSON: number overflow"));
}

TEST(JsonLinesTest, TellsALineThatIsCutOff) {
  for (const char* line : {R"({"title": "a")", R"({"title": "a)", "{"}) {
    EXPECT_THAT(Complaint(line), HasSubstr("ends in the middle of its JSON: it was cut off, or the object goes on"));
  }
}

TEST(JsonLinesTest, TellsWhatIsNotUtf8) {
  EXPECT_THAT(Complaint("{\"title\": \"caf\xe9\"}"), HasSubstr("is not UTF-8 near byte 16; convert it"));
}

TEST(JsonLinesTest, TellsOtherJsonFromAnObject) {
  EXPECT_THAT(Complaint("[1, 2]"), HasSubstr("is no JSON object but a JSON array; write each article"));
  EXPECT_THAT(Complaint("null"), HasSubstr("is no JSON object but a JSON null"));
}

TEST(JsonLinesTest, NamesTheFieldThatIsWrong) {
  EXPECT_EQ(Complaint(R"({"title": 7})"), "title: must be a string");
  EXPECT_EQ(Complaint(R"({"id": 1.5, "title": "a"})"), "id: must be a string or a whole number");
}

TEST(JsonLinesTest, ALineBeyondTheLimitIsAnErrorOfItsOwn) {
  const std::vector<SourceItem> items =
      ReadAll(absl::StrCat("{\"title\":\"", std::string(200'000, 'x'), "\"}\n{\"title\":\"short\"}\n"),
              {.max_item_bytes = 1000});
  ASSERT_THAT(items, SizeIs(2));
  EXPECT_EQ(common::ReasonOf(items[0].extraction.status()), kDocumentTooLarge);
  ASSERT_THAT(items[1].extraction, IsOk());
  EXPECT_EQ(items[1].extraction->article.title, "short");
}

TEST(JsonLinesTest, BrokenUtf8AndDeepNestingAreErrorsOrClean) {
  const std::vector<SourceItem> items =
      ReadAll(absl::StrCat("{\"title\":\"\xFF\xFE\"}\n{\"title\":\"ok\",\"x\":", std::string(1'000'000, '['), "}\n",
                           "{\"title\":\"a\\u0000b\"}\n"),
              {.format = Format::kJsonLines});
  ASSERT_THAT(items, SizeIs(3));
  EXPECT_EQ(items[0].position, "line 1");
  EXPECT_THAT(items[0].extraction, StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_EQ(items[1].position, "line 2");
  EXPECT_THAT(items[1].extraction, StatusIs(absl::StatusCode::kInvalidArgument));
  ASSERT_THAT(items[2].extraction, IsOk());
  EXPECT_EQ(items[2].extraction->article.title, "ab");
}

TEST(JsonLinesTest, AbsurdDatesAreDroppedWithAWarning) {
  for (const char* date : {"0300-01-01", "2999-01-01", "soon"}) {
    const std::vector<SourceItem> items = ReadAll(absl::StrCat("{\"title\":\"x\",\"date\":\"", date, "\"}"));
    ASSERT_THAT(items, SizeIs(1));
    ASSERT_THAT(items[0].extraction, IsOk());
    EXPECT_FALSE(items[0].extraction->article.publish_time.has_value()) << date;
    EXPECT_THAT(items[0].extraction->warnings, Contains(HasSubstr("date"))) << date;
  }
}

TEST(JsonLinesTest, AFailedReadIsTheLastItem) {
  int calls = 0;
  auto reader = SourceReader::Open(
      [&calls](char* buffer, size_t) -> absl::StatusOr<size_t> {
        constexpr char kLine[] = "{\"title\":\"one\"}\n";
        if (++calls > 600) {
          return absl::DataLossError("the disk is gone");
        }
        std::memcpy(buffer, kLine, sizeof(kLine) - 1);
        return sizeof(kLine) - 1;
      },
      {});
  ASSERT_THAT(reader, IsOk());
  absl::Status last;
  int items = 0;
  while (std::optional<SourceItem> item = (*reader)->Next()) {
    last = item->extraction.status();
    ++items;
  }
  EXPECT_EQ(items, 601);
  EXPECT_THAT(last, StatusIs(absl::StatusCode::kDataLoss, HasSubstr("disk")));
}

std::string Rss(const std::string& items) {
  return absl::StrCat(
      R"(<?xml version="1.0" encoding="UTF-8"?><rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"
    xmlns:dc="http://purl.org/dc/elements/1.1/"><channel><title>The Strait Review</title><link>https://x.example/</link><language>en</language>)",
      items, "</channel></rss>");
}

TEST(FeedTest, ReadsRssWithFullContent) {
  const std::vector<SourceItem> items = ReadAll(Rss(absl::StrCat(
      R"(<item><title>The Lease &amp;amp; the Fence</title><link>https://x.example/lease</link><guid isPermaLink="false">tag:1</guid>
      <pubDate>Tue, 19 Sep 2023 10:30:00 GMT</pubDate><dc:creator>Jane Roe</dc:creator><category>Ports</category><category>Trade</category>
      <description>A summary.</description><content:encoded><![CDATA[<p>)",
      kSentence, "</p><p>Second: ", kSentence,
      "</p><div class='sharedaddy'><a href='#'>Share this</a></div>]]></content:encoded></item>")));
  ASSERT_THAT(items, SizeIs(1));
  ASSERT_THAT(items[0].extraction, IsOk());
  const Article& article = items[0].extraction->article;
  EXPECT_EQ(article.title, "The Lease & the Fence");
  EXPECT_EQ(article.url, "https://x.example/lease");
  EXPECT_EQ(article.id, "") << "it follows from the URL";
  EXPECT_EQ(article.body, absl::StrCat(kSentence, "\n\nSecond: ", kSentence));
  EXPECT_EQ(article.summary, "A summary.");
  EXPECT_EQ(article.source, "The Strait Review");
  EXPECT_EQ(article.language_code, "en");
  EXPECT_THAT(article.authors, ElementsAre("Jane Roe"));
  EXPECT_EQ(article.publish_time, absl::FromCivil(absl::CivilSecond(2023, 9, 19, 10, 30, 0), absl::UTCTimeZone()));
  EXPECT_THAT(article.source_labels, ElementsAre(SourceLabel{"category", "Ports"}, SourceLabel{"category", "Trade"}));
}

TEST(FeedTest, LeavesOutTheNoteBelowTheText) {
  constexpr char kNote[] =
      "<p>The post <a href='https://x.example/lease'>The Lease</a> appeared first on <a href='/'>Strait</a>.</p>";
  const auto item = [](const std::string& content) {
    return absl::StrCat("<item><title>The Lease</title><guid>urn:x:1</guid><content:encoded><![CDATA[", content,
                        "]]></content:encoded></item>");
  };
  const std::string text = absl::StrCat("<p>", kSentence, "</p>");
  const std::vector<SourceItem> items =
      ReadAll(Rss(absl::StrCat(item(absl::StrCat(text, kNote)), item(absl::StrCat("<p>Only this much.</p>", kNote)),
                               item(absl::StrCat(text, kNote, text)))));
  ASSERT_THAT(items, SizeIs(3));
  EXPECT_EQ(items[0].extraction->article.body, kSentence);
  EXPECT_EQ(items[1].extraction->article.body, "Only this much.");
  EXPECT_THAT(items[2].extraction->article.body, HasSubstr("The post The Lease appeared first on Strait."));
}

TEST(FeedTest, SaysWhenThereIsASummaryOnly) {
  const std::vector<SourceItem> items =
      ReadAll(Rss("<item><title>The Lease</title><guid>urn:x:1</guid><author>jane@x.example (Jane "
                  "Roe)</author><description>Only &lt;b&gt;this&lt;/b&gt; much.</description></item>"));
  ASSERT_THAT(items, SizeIs(1));
  ASSERT_THAT(items[0].extraction, IsOk());
  EXPECT_EQ(items[0].extraction->article.body, "Only this much.");
  EXPECT_EQ(items[0].extraction->article.id, "urn:x:1");
  EXPECT_THAT(items[0].extraction->article.authors, ElementsAre("Jane Roe"));
  EXPECT_THAT(items[0].extraction->warnings, Contains(HasSubstr("summary only")));
}

TEST(FeedTest, APhraseThatOnlyLeadsToTheRestIsNoText) {
  for (const char* phrase :
       {"Continue reading &lt;span&gt;The Lease&lt;/span&gt; &#8594;", "Read more", "Read More&amp;hellip;",
        "Weiterlesen &#187;", "&#8222;The Lease&#8220; weiterlesen", "Lire la suite",
        "Lire la suite de &#171; The Lease &#187;", "Leer m&#225;s", "Seguir leyendo"}) {
    for (const char* divider : {"&lt;/p&gt;&lt;p&gt;", " ", " [&amp;hellip;] "}) {
      const std::string text = absl::StrCat("&lt;p&gt;The lease was signed in March, and nobody on the quay knows why.",
                                            divider, "&lt;a href=&quot;/x&quot;&gt;", phrase, "&lt;/a&gt;&lt;/p&gt;");
      for (const char* element : {"description", "content:encoded"}) {
        const std::vector<SourceItem> items = ReadAll(Rss(absl::StrCat(
            "<item><title>The Lease</title><link>https://x.example/1</link><", element,
            " xmlns:content='http://purl.org/rss/1.0/modules/content/'>", text, "</", element, "></item>")));
        ASSERT_THAT(items, SizeIs(1));
        ASSERT_THAT(items[0].extraction, IsOk());
        const std::string& body = items[0].extraction->article.body;
        EXPECT_TRUE(body == "The lease was signed in March, and nobody on the quay knows why." ||
                    body == "The lease was signed in March, and nobody on the quay knows why. […]")
            << body;
        EXPECT_TRUE(items[0].link.has_value()) << phrase;
      }
    }
  }
}

TEST(FeedTest, ASentenceOnReadingIsText) {
  for (const char* sentence : {"Those who want to read more about it may write to the harbour master.",
                               "Read more about the lease in our next number.", "She went to bed to keep reading."}) {
    const std::vector<SourceItem> items = ReadAll(
        Rss(absl::StrCat("<item><title>The Lease</title><link>https://x.example/1</link><content:encoded "
                         "xmlns:content='http://purl.org/rss/1.0/modules/content/'>&lt;p&gt;The lease was signed in "
                         "March.&lt;/p&gt;&lt;p&gt;",
                         sentence, "&lt;/p&gt;</content:encoded></item>")));
    ASSERT_THAT(items, SizeIs(1));
    ASSERT_THAT(items[0].extraction, IsOk());
    EXPECT_THAT(items[0].extraction->article.body, HasSubstr(sentence));
    EXPECT_FALSE(items[0].link.has_value());
  }
}

TEST(FeedTest, ReadsAtom) {
  const std::vector<SourceItem> items =
      ReadAll(absl::StrCat(R"(<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="de"><title>Blatt</title>
    <entry><title type="html">Hafen &amp;amp; Zaun</title><link rel="alternate" href="/hafen"/><link rel="self" href="/feed/1"/><id>tag:1</id>
    <published>2023-09-19T10:30:00+02:00</published><updated>2023-09-20T10:30:00+02:00</updated><author><name>Jane Roe</name></author>
    <category term="ports" label="Häfen"/><content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>)",
                           kSentence,
                           "</p></div></content></entry><entry><title>Zweiter</title><link "
                           "href='https://y.example/2'/><summary>Kurz.</summary></entry></feed>"),
              {.url = "https://x.example/feed.xml"});
  ASSERT_THAT(items, SizeIs(2));
  ASSERT_THAT(items[0].extraction, IsOk());
  const Article& article = items[0].extraction->article;
  EXPECT_EQ(article.title, "Hafen & Zaun");
  EXPECT_EQ(article.url, "https://x.example/hafen");
  EXPECT_EQ(article.body, kSentence);
  EXPECT_EQ(article.source, "Blatt");
  EXPECT_EQ(article.language_code, "de");
  EXPECT_THAT(article.source_labels, ElementsAre(SourceLabel{"category", "Häfen"}));
  EXPECT_TRUE(article.update_time.has_value());
  EXPECT_EQ(items[1].position, "entry 2");
  EXPECT_EQ(items[1].extraction->article.title, "Zweiter");
}

TEST(FeedTest, ReadsRdf) {
  const std::vector<SourceItem> items = ReadAll(
      R"(<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/">
    <channel><title>Old Feed</title></channel><item><title>One</title><link>https://x.example/1</link><dc:date>2003-05-01T10:00:00Z</dc:date></item></rdf:RDF>)");
  ASSERT_THAT(items, SizeIs(1));
  ASSERT_THAT(items[0].extraction, IsOk());
  EXPECT_EQ(items[0].extraction->article.source, "Old Feed");
  EXPECT_TRUE(items[0].extraction->article.publish_time.has_value());
}

TEST(FeedTest, ReadsSloppyXml) {
  const std::vector<SourceItem> items = ReadAll(Rss("<item><title>Caf&eacute;&nbsp;& bar &bogus; \x01</title></item>"));
  ASSERT_THAT(items, SizeIs(1));
  ASSERT_THAT(items[0].extraction, IsOk());
  EXPECT_EQ(items[0].extraction->article.title, "Café & bar &bogus;");
}

TEST(FeedTest, AnItemWithoutAnythingHarmsNoOther) {
  const std::vector<SourceItem> items = ReadAll(Rss("<item></item><item><title>Two</title></item>"));
  ASSERT_THAT(items, SizeIs(2));
  EXPECT_EQ(items[0].position, "entry 1");
  EXPECT_THAT(items[0].extraction, StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(items[1].extraction, IsOk());
}

TEST(FeedTest, AFeedThatBreaksOffGivesWhatStandsBefore) {
  for (const char* end : {"<item><title>Two</ti", "<item><title>Two</title>", "<item><title><![CDATA[Two", "<it",
                          "<item", "<!-- Two", "", "<item><title a='", "</item></i"}) {
    SCOPED_TRACE(end);
    const std::vector<SourceItem> items = ReadAll(absl::StrCat("<rss><channel><item><title>One</title></item>\n", end));
    ASSERT_THAT(items, SizeIs(2));
    EXPECT_THAT(items[0].extraction, IsOk());
    EXPECT_FALSE(items[0].cuts_off);
    EXPECT_EQ(items[1].position, "entry 2");
    EXPECT_THAT(items[1].extraction, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("breaks off at line 2")));
    EXPECT_TRUE(items[1].cuts_off);
  }
}

TEST(FeedTest, EntitiesAreNeitherExpandedNorFetched) {
  std::string bomb =
      "<?xml version='1.0'?><!DOCTYPE rss [<!ENTITY a0 'boom boom boom'><!ENTITY f SYSTEM 'file:///etc/passwd'>";
  for (int i = 1; i < 30; ++i) {
    absl::StrAppend(&bomb, "<!ENTITY a", i, " '&a", i - 1, ";&a", i - 1, ";&a", i - 1, ";'>");
  }
  absl::StrAppend(&bomb, "]><rss><channel><item><title>One &a29; &f;</title></item></channel></rss>");
  const absl::Time start = absl::Now();
  const std::vector<SourceItem> items = ReadAll(bomb);
  EXPECT_LT(absl::Now() - start, absl::Seconds(5));
  ASSERT_THAT(items, SizeIs(1));
  ASSERT_THAT(items[0].extraction, IsOk());
  EXPECT_EQ(items[0].extraction->article.title, "One &a29; &f;");
}

TEST(FeedTest, NestingBeyondTheLimitIsReadAsFlat) {
  std::string deep;
  for (int i = 0; i < 100'000; ++i) {
    deep += "<a>";
  }
  const std::vector<SourceItem> items = ReadAll(Rss(absl::StrCat(
      "<item>", deep, "</item><item><title>", deep, "Two", deep, "</title></item><item><title>Three</title></item>")));
  ASSERT_THAT(items, SizeIs(3));
  ASSERT_THAT(items[1].extraction, IsOk());
  EXPECT_EQ(items[1].extraction->article.title, "Two");
  ASSERT_THAT(items[2].extraction, IsOk());
  EXPECT_EQ(items[2].extraction->article.title, "Three");
}

TEST(FeedTest, AStrayTagHarmsNoMoreThanItsEntry) {
  const std::vector<SourceItem> items =
      ReadAll(Rss("<item><title>One</b></title></i></item></b></b></b><item><title>Two</title><description><p>A<br>b"
                  "</description></item><item><title>Three</title></item>"));
  ASSERT_THAT(items, SizeIs(3));
  for (const SourceItem& item : items) {
    ASSERT_THAT(item.extraction, IsOk());
  }
  EXPECT_EQ(items[0].extraction->article.title, "One");
  EXPECT_THAT(items[0].extraction->warnings, Contains(HasSubstr("not well-formed")));
  EXPECT_EQ(items[1].extraction->article.title, "Two");
  EXPECT_THAT(items[1].extraction->warnings, Contains(HasSubstr("not well-formed")));
  EXPECT_EQ(items[2].extraction->article.title, "Three");
  EXPECT_THAT(items[2].extraction->warnings, Not(Contains(HasSubstr("not well-formed"))));
}

TEST(FeedTest, AnEntryWithoutItsEndEndsWhereTheNextBegins) {
  const std::vector<SourceItem> items = ReadAll(Rss("<item><title>One</title><item><title>Two</title></item>"));
  ASSERT_THAT(items, SizeIs(2));
  ASSERT_THAT(items[0].extraction, IsOk());
  EXPECT_EQ(items[0].extraction->article.title, "One");
  ASSERT_THAT(items[1].extraction, IsOk());
  EXPECT_EQ(items[1].extraction->article.title, "Two");
}

// (libxml2 takes an element with bad attributes for closed, and so what follows for no part of the entry.)
TEST(FeedTest, ABadAttributeEndsNoEntry) {
  std::string entries;
  for (int i = 0; i < 50; ++i) {
    absl::StrAppend(&entries, "<item><t\"></t>,<b></b>,<title>Title ", i, "</title></item>,");
  }
  const std::vector<SourceItem> items = ReadAll(Rss(entries));
  ASSERT_THAT(items, SizeIs(50));
  for (size_t i = 0; i < items.size(); ++i) {
    ASSERT_THAT(items[i].extraction, IsOk());
    EXPECT_EQ(items[i].extraction->article.title, absl::StrCat("Title ", i));
    EXPECT_THAT(items[i].extraction->warnings, Contains(HasSubstr("not well-formed")));
  }
}

TEST(FeedTest, BadAttributesHarmNoOtherEntry) {
  const std::vector<SourceItem> items =
      ReadAll(Rss("<item><title a=1 b b='2' a='3' c='x<y' d='>' &>One</title></item><item><title>a < b &lt;3 &amp; "
                  "&eacute;</title></item>"
                  "<item><title e='>Three</title></item><item><title>Four</title></item>"));
  ASSERT_THAT(items, SizeIs(4));
  ASSERT_THAT(items[0].extraction, IsOk());
  ASSERT_THAT(items[1].extraction, IsOk());
  ASSERT_THAT(items[3].extraction, IsOk());
  EXPECT_EQ(items[0].extraction->article.title, "One");
  EXPECT_EQ(items[1].extraction->article.title, "a < b <3 & é");
  EXPECT_EQ(items[3].extraction->article.title, "Four");
}

// Parsers compare each attribute of an element with each.
TEST(FeedTest, ManyAttributesTakeNoMoreThanLinearTime) {
  std::string attributes;
  for (int i = 0; i < 400'000; ++i) {
    absl::StrAppend(&attributes, " a", i, "='1'");
  }
  const absl::Time start = absl::Now();
  for (const absl::string_view end : {">", "/>"}) {
    const std::vector<SourceItem> items = ReadAll(
        Rss(absl::StrCat("<item><title>One</title><g", attributes, end, "<link>https://x.example/1</link></item>")));
    ASSERT_THAT(items, SizeIs(1));
    ASSERT_THAT(items[0].extraction, IsOk());
    EXPECT_EQ(items[0].extraction->article.title, "One");
    EXPECT_EQ(items[0].extraction->article.url, end == "/>" ? "https://x.example/1" : "");
  }
  EXPECT_LT(absl::Now() - start, absl::Seconds(20));
}

// The titles of `items`, "!" for an error.
std::vector<std::string> Titles(const std::vector<SourceItem>& items) {
  std::vector<std::string> titles;
  for (const SourceItem& item : items) {
    titles.push_back(item.extraction.ok() ? item.extraction->article.title : "!");
  }
  return titles;
}

std::string Entry(const std::string& title) {
  return absl::StrCat("<item><title>", title, "</title><description>Text of it.</description></item>");
}

TEST(FeedTest, EntriesInAnElementOfTheirOwnAreRead) {
  const std::string wrapped =
      absl::StrCat("<items><title>No title</title><a><b>", Entry("2"), Entry("3"), "</b></a><c>x</c></items>");
  for (const size_t piece : {size_t{1}, size_t{4096}}) {
    const std::vector<SourceItem> items = ReadAll(Rss(absl::StrCat(Entry("1"), wrapped, Entry("4"))), {}, piece);
    EXPECT_THAT(Titles(items), ElementsAre("1", "2", "3", "4"));
    EXPECT_THAT(
        Titles(ReadAll("<feed xmlns='http://www.w3.org/2005/Atom'><group><entry><title>1</title><content>Text."
                       "</content></entry></group><entry><title>2</title><content>Text.</content></entry></feed>",
                       {}, piece)),
        ElementsAre("1", "2"));
  }
  // Each is as long as one may be, and all of them together are longer; so is the one that is too long.
  std::string many = "<items>";
  for (int i = 0; i < 20; ++i) {
    many += Entry(i == 10 ? std::string(2'000, 'x') : "one");
  }
  const std::vector<SourceItem> items = ReadAll(Rss(many + "</items>"), {.max_item_bytes = 500});
  ASSERT_THAT(items, SizeIs(20));
  EXPECT_FALSE(items[10].extraction.ok());
  EXPECT_THAT(items[19].extraction, IsOk());
}

TEST(FeedTest, AProcessingInstructionTakesNothingWithIt) {
  const std::string feed = Rss(absl::StrCat(Entry("1"), "<?php echo \"a > b\"; ?>", Entry("2"), "<? open ", Entry("3"),
                                            "<?sgml>", Entry("4"), "<?", std::string(10'000, 'x'), "?>", Entry("5")));
  for (const size_t piece : {size_t{1}, size_t{4096}}) {
    EXPECT_THAT(Titles(ReadAll(feed, {}, piece)), ElementsAre("1", "2", "3", "4", "5"));
  }
  const std::vector<SourceItem> items =
      ReadAll(Rss("<item><title>One</title><description>Text <? open <b>goes</b> on.</description></item>"));
  ASSERT_THAT(items, SizeIs(1));
  ASSERT_THAT(items[0].extraction, IsOk());
  EXPECT_THAT(items[0].extraction->warnings, Contains(HasSubstr("not well-formed")));
}

TEST(FeedTest, WhatAProgramSaysBeforeAFeedIsPassedOver) {
  const std::string feed = absl::StrCat("<?xml version=\"1.0\"?>", Rss(Entry("One")));
  for (const char* junk : {"<br />\n<b>Warning</b>: x() in <b>/x.php</b> on line 3<br />\n", "Notice: x in /y.php\n",
                           "\xEF\xBB\xBF\n<!-- cached -->"}) {
    EXPECT_THAT(Titles(ReadAll(absl::StrCat(junk, feed))), ElementsAre("One")) << junk;
  }
}

TEST(FeedTest, AnyPrefixMayStandForANamespace) {
  EXPECT_THAT(Titles(ReadAll("<a:feed xmlns:a=\"http://www.w3.org/2005/Atom\"><a:entry><a:title>One</a:title>"
                             "<a:content>Text.</a:content></a:entry></a:feed>")),
              ElementsAre("One"));
  EXPECT_EQ(DetectFormat("", "<s:urlset xmlns:s='http://www.sitemaps.org/schemas/sitemap/0.9'>"), Format::kSitemap);
  EXPECT_EQ(DetectFormat("", "<a:feed xmlns:a='urn:other'>"), Format::kHtml);
}

TEST(FeedTest, ADocumentTypeThatIsNotClosedIsAnError) {
  for (const char* type : {"<!DOCTYPE rss [ <!ENTITY a \"x\" ", "<!DOCTYPE rss SYSTEM \"x "}) {
    const std::vector<SourceItem> items = ReadAll(absl::StrCat(type, Rss(Entry("One"))));
    ASSERT_THAT(items, SizeIs(1));
    EXPECT_EQ(common::ReasonOf(items[0].extraction.status()), kMalformedFeed);
    EXPECT_TRUE(items[0].cuts_off);
  }
}

TEST(FeedTest, WhatFollowsTheRootIsNotPassedOverInSilence) {
  const std::string feed = Rss("<item><title>One</title></item>");
  const std::vector<SourceItem> items = ReadAll(absl::StrCat(feed, feed));
  ASSERT_THAT(items, SizeIs(2));
  EXPECT_THAT(items[0].extraction, IsOk());
  EXPECT_THAT(items[1].extraction, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("another document")));
  EXPECT_TRUE(items[1].cuts_off);
}

TEST(FeedTest, EntriesOfAtomHaveTheAuthorOfTheirFeed) {
  const std::vector<SourceItem> items = ReadAll(
      "<feed xmlns='http://www.w3.org/2005/Atom'><title>F</title><author><name>Jane Roe</name></author>"
      "<entry><title>One</title></entry><entry><title>Two</title><author><name>John Doe</name></author></entry>"
      "</feed>");
  ASSERT_THAT(items, SizeIs(2));
  EXPECT_THAT(items[0].extraction->article.authors, ElementsAre("Jane Roe"));
  EXPECT_THAT(items[1].extraction->article.authors, ElementsAre("John Doe"));
}

// A guid that is no URI names an entry among those of its feed only.
TEST(FeedTest, AnIdOfTheFeedsOwnIsNoIdOfTheWholeWorld) {
  const std::string feed =
      Rss("<item><guid isPermaLink='false'>17</guid><title>One</title></item>"
          "<item><guid isPermaLink='false'>urn:x:17</guid><title>Two</title></item>");
  const std::vector<SourceItem> items = ReadAll(feed, {.url = "https://x.example/feed.rss"});
  ASSERT_THAT(items, SizeIs(2));
  EXPECT_EQ(items[0].extraction->article.id, "x.example/17");
  EXPECT_EQ(items[1].extraction->article.id, "urn:x:17");
}

TEST(FeedTest, AnEmptyFeedSaysSo) {
  const std::vector<SourceItem> items = ReadAll(Rss(""));
  ASSERT_THAT(items, SizeIs(1));
  EXPECT_EQ(common::ReasonOf(items[0].extraction.status()), kNotAnArticle);
}

TEST(FeedTest, AFeedThatIsHtmlIsReadAsAPage) {
  const std::vector<SourceItem> items = ReadAll(
      absl::StrCat("<html><body><h1>Moved</h1><p>", kSentence, "</p><p>Again: ", kSentence, "</p></body></html>"),
      {.path = "feed.rss"});
  ASSERT_THAT(items, SizeIs(1));
  ASSERT_THAT(items[0].extraction, IsOk());
  EXPECT_EQ(items[0].position, "page");
}

TEST(FeedTest, APageThatAServerCallsAFeedIsReadAsAPage) {
  const std::vector<SourceItem> items =
      ReadAll(absl::StrCat("<!DOCTYPE html><html><body><h1>Moved</h1><p>", kSentence, "</p><p>Again: ", kSentence,
                           "</p></body></html>"),
              {.path = "https://x.example/feed", .media_type = "application/rss+xml; charset=utf-8"});
  ASSERT_THAT(items, SizeIs(1));
  EXPECT_EQ(items[0].format, Format::kHtml);
  EXPECT_THAT(items[0].extraction, IsOk());
}

TEST(FeedTest, AFeedDeclaredToBeOneButHtmlIsAnError) {
  const std::vector<SourceItem> items =
      ReadAll("<html><body><br>words<p>and more</body></html>", {.format = Format::kFeed});
  ASSERT_THAT(items, SizeIs(1));
  EXPECT_THAT(items[0].extraction, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("feed")));
}

TEST(FeedTest, FindsNamespacesByWhatTheyAreNotByTheirPrefix) {
  const std::vector<SourceItem> items = ReadAll(
      absl::StrCat(
          R"(<r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:s="http://purl.org/rss/1.0/" xmlns:d="http://purl.org/dc/elements/1.1/"
      xmlns:c="http://purl.org/rss/1.0/modules/content/"><s:channel><s:title>Old Feed</s:title></s:channel><s:item>
      <s:title>One</s:title><s:link>https://x.example/1</s:link><d:creator>Jane Roe</d:creator><c:encoded>&lt;p&gt;)",
          kSentence, "&lt;/p&gt;</c:encoded><media:thumbnail url='https://x.example/1.jpg'/></s:item></r:RDF>"),
      {.format = Format::kFeed});
  ASSERT_THAT(items, SizeIs(1));
  ASSERT_THAT(items[0].extraction, IsOk());
  EXPECT_EQ(items[0].extraction->article.body, kSentence);
  EXPECT_EQ(items[0].extraction->article.source, "Old Feed");
  EXPECT_THAT(items[0].extraction->article.authors, ElementsAre("Jane Roe"));
  EXPECT_EQ(items[0].extraction->article.image_url, "https://x.example/1.jpg") << "its prefix is not even declared";
}

TEST(FeedTest, ASummaryLinksToItsPage) {
  std::string full;
  for (int i = 0; i < 20; ++i) {
    absl::StrAppend(&full, kSentence, " ");
  }
  const std::vector<SourceItem> items = ReadAll(
      Rss(absl::StrCat(
          "<item><title>One</title><link>/1</link><description>Short.</description></item>"
          "<item><title>Two</title><link>/2</link><description>",
          full,
          "</description></item>"
          "<item><title>Three</title><link>/3</link><description>Cut off […]</description><content:encoded>Cut off too "
          "[&amp;#8230;]</content:encoded></item>"
          "<item><title>Four</title><link>/4</link><content:encoded>A short piece, in full.</content:encoded></item>"
          "<item><title>Five</title><link>/5</link></item><item><title>Six</title><description>Short.</description></"
          "item>")),
      {.url = "https://x.example/feed"});
  ASSERT_THAT(items, SizeIs(6));
  ASSERT_TRUE(items[0].link.has_value());
  EXPECT_EQ(items[0].link->url, "https://x.example/1");
  EXPECT_EQ(items[0].link->kind, Link::Kind::kPage);
  EXPECT_FALSE(items[1].link.has_value()) << "a description of that length is the article";
  EXPECT_TRUE(items[2].link.has_value());
  EXPECT_FALSE(items[3].link.has_value());
  EXPECT_TRUE(items[4].link.has_value());
  EXPECT_FALSE(items[5].link.has_value()) << "there is no page to go to";
}

TEST(FeedTest, RelativeLinksOfAFileAreTheSites) {
  const std::vector<SourceItem> items = ReadAll(Rss("<item><title>One</title><link>/a/1</link></item>"));
  ASSERT_THAT(items, SizeIs(1));
  EXPECT_EQ(items[0].extraction->article.url, "https://x.example/a/1");
}

TEST(FeedTest, ReadsAnyLengthAndAnyPieces) {
  std::string feed;
  for (int i = 0; i < 600; ++i) {
    absl::StrAppend(&feed, "<item><title>Caf&eacute; & bar ", i, "</title><description><![CDATA[", kSentence,
                    " caf\xC3\xA9 ]] > ]]></description></item>");
  }
  for (const size_t piece : {1UL, 13UL, 70'000UL}) {
    const std::vector<SourceItem> items = ReadAll(Rss(feed), {.max_item_bytes = 100'000}, piece);
    ASSERT_THAT(items, SizeIs(600));
    EXPECT_EQ(items[599].extraction->article.title, "Café & bar 599");
    EXPECT_EQ(items[599].extraction->article.body, absl::StrCat(kSentence, " café ]] >"));
  }
}

TEST(FeedTest, NoCharacterIsPartedWhereAPieceEnds) {
  for (const absl::string_view character : {"é", "語", "😀"}) {
    for (size_t before = 0; before < 4; ++before) {
      std::string text = absl::StrCat("<p>", std::string(before, 'x'));
      for (int i = 0; i < 20'000; ++i) {
        absl::StrAppend(&text, character, i % 50 == 49 ? " " : "");
      }
      const std::vector<SourceItem> items = ReadAll(
          Rss(absl::StrCat("<item><title>One</title><description><![CDATA[", text, "]]></description></item>")));
      ASSERT_THAT(items, SizeIs(1));
      ASSERT_THAT(items[0].extraction, IsOk());
      EXPECT_EQ(absl::StripAsciiWhitespace(text.substr(3)), items[0].extraction->article.body);
      EXPECT_THAT(items[0].extraction->warnings, Not(Contains(HasSubstr("not well-formed"))));
    }
  }
}

TEST(FeedTest, AnEntryBeyondTheLimitIsPassedOver) {
  const std::string long_text(300'000, 'x');
  const std::vector<SourceItem> items =
      ReadAll(Rss(absl::StrCat("<item><title>One</title></item><item><title><b>", long_text, "</b><i>", long_text,
                               "</i></title><link/></item><item><title>Three</title></item>")),
              {.max_item_bytes = 10'000});
  ASSERT_THAT(items, SizeIs(3));
  EXPECT_THAT(items[0].extraction, IsOk());
  EXPECT_EQ(items[1].position, "entry 2");
  EXPECT_THAT(items[1].extraction, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("longer than 10000 bytes")));
  EXPECT_EQ(common::ReasonOf(items[1].extraction.status()), kDocumentTooLarge);
  EXPECT_FALSE(items[1].cuts_off);
  ASSERT_THAT(items[2].extraction, IsOk());
  EXPECT_EQ(items[2].extraction->article.title, "Three");
}

TEST(FeedTest, AFeedWithoutEndGivesEntriesForEver) {
  int reads = 0;
  const std::string item = "<item><title>Again and again</title></item>";
  auto reader = SourceReader::Open(
      [&reads, &item](char* buffer, size_t) -> absl::StatusOr<size_t> {
        const std::string& text = ++reads == 1 ? "<rss><channel>" : item;
        std::memcpy(buffer, text.data(), text.size());
        return text.size();
      },
      {});
  ASSERT_THAT(reader, IsOk());
  for (int i = 1; i <= 5000; ++i) {
    const std::optional<SourceItem> read = (*reader)->Next();
    ASSERT_TRUE(read.has_value());
    ASSERT_THAT(read->extraction, IsOk());
  }
  EXPECT_LT(reads, 50'000) << "it is not read ahead of what is asked for by more than a few pieces";
}

TEST(FeedTest, ReadsCharsets) {
  const std::string body = "<rss><channel><item><title>Caf\xE9 \x96 bar</title></item></channel></rss>";
  const std::vector<SourceItem> declared =
      ReadAll(absl::StrCat("<?xml version='1.0' encoding='ISO-8859-1'?>", body), {}, 5);
  ASSERT_THAT(declared, SizeIs(1));
  EXPECT_EQ(declared[0].extraction->article.title, "Café – bar");
  // Declared as UTF-8, and after so much ASCII that nobody would know.
  const std::vector<SourceItem> wrong =
      ReadAll(absl::StrCat("<?xml version='1.0' encoding='UTF-8'?><!--", std::string(200'000, 'x'), "-->", body),
              {.format = Format::kFeed});
  ASSERT_THAT(wrong, SizeIs(1));
  EXPECT_EQ(wrong[0].extraction->article.title, "Café – bar");
  std::string utf16 = "\xFE\xFF";
  for (const char c : std::string("<?xml version='1.0' encoding='UTF-16'?>") + body) {
    utf16 += '\0';
    utf16 += c == '\x96' ? '-' : c;
  }
  const std::vector<SourceItem> wide = ReadAll(utf16, {}, 3);
  ASSERT_THAT(wide, SizeIs(1));
  EXPECT_EQ(wide[0].extraction->article.title, "Café - bar");
}

TEST(FeedTest, NulBytesAndBadCharacterReferencesHarmNothing) {
  std::string text = Rss("<item><title>One&#0; &#x1F;two &#xD800; three &#233;</title></item>");
  text.insert(text.find("One"), std::string(3, '\0'));
  const std::vector<SourceItem> items = ReadAll(text);
  ASSERT_THAT(items, SizeIs(1));
  ASSERT_THAT(items[0].extraction, IsOk());
  EXPECT_EQ(items[0].extraction->article.title, "One two three é");
}

TEST(FeedTest, SaysWhatItIsInsteadOfAFeed) {
  const std::vector<SourceItem> items = ReadAll("<html><body>x</body></html>", {.format = Format::kFeed});
  ASSERT_THAT(items, SizeIs(1));
  EXPECT_THAT(items[0].extraction,
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("no feed: its first element is <html>")));
}

constexpr char kExport[] = R"(<?xml version="1.0" encoding="UTF-8" ?>
<rss version="2.0" xmlns:excerpt="http://wordpress.org/export/1.2/excerpt/" xmlns:content="http://purl.org/rss/1.0/modules/content/"
  xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:wp="http://wordpress.org/export/1.2/"><channel><title>The Strait Review</title>
  <link>https://x.example</link><language>en-GB</language>
  <wp:author><wp:author_login><![CDATA[jroe]]></wp:author_login><wp:author_display_name><![CDATA[Jane Roe]]></wp:author_display_name></wp:author>
  <item><title>The Lease</title><link>https://x.example/lease/</link><pubDate>Tue, 19 Sep 2023 10:30:00 +0000</pubDate>
    <dc:creator><![CDATA[jroe]]></dc:creator><guid isPermaLink="false">https://x.example/?p=7</guid>
    <content:encoded><![CDATA[<!-- wp:paragraph --><p>The ferries that cross the strait each morning used to carry schoolchildren.</p><!-- /wp:paragraph -->

<h2>Why</h2>Nobody on the quay knows why the lease was signed, and the harbour master does not say.

It was written in the older editor, where a blank line is all that divides two paragraphs of a post.]]></content:encoded><excerpt:encoded><![CDATA[An excerpt.]]></excerpt:encoded>
    <wp:post_date>2023-09-19 12:30:00</wp:post_date><wp:post_date_gmt>2023-09-19 10:30:00</wp:post_date_gmt>
    <wp:post_modified_gmt>2023-09-21 08:00:00</wp:post_modified_gmt><wp:status>publish</wp:status><wp:post_type>post</wp:post_type>
    <category domain="category" nicename="ports"><![CDATA[Ports & Trade]]></category><category domain="post_tag" nicename="iran"><![CDATA[Iran]]></category>
    <category domain="post_format" nicename="post-format-aside"><![CDATA[Aside]]></category></item>
  <item><title>Draft</title><wp:status>draft</wp:status><wp:post_type>post</wp:post_type></item>
  <item><title>About</title><content:encoded>About us.</content:encoded><wp:status>publish</wp:status><wp:post_type>page</wp:post_type></item>
  <item><title>photo</title><wp:status>inherit</wp:status><wp:post_type>attachment</wp:post_type></item>
</channel></rss>)";

TEST(WordPressTest, ShortcodesAreNoText) {
  const auto body = [](const std::string& content) {
    const std::vector<SourceItem> items = ReadAll(absl::StrCat(
        R"(<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"
        xmlns:wp="http://wordpress.org/export/1.2/"><channel><item><title>The Lease</title><content:encoded><![CDATA[)",
        content,
        "]]></content:encoded><wp:status>publish</wp:status><wp:post_type>post</wp:post_type></item></channel></rss>"));
    return items.size() == 1 && items[0].extraction.ok() ? items[0].extraction->article.body : "";
  };
  const std::string first =
      "The ferries that cross the strait each morning used to carry schoolchildren and fishermen.";
  const std::string second = "Nobody on the quay knows why the lease was signed, and the harbour master does not say.";
  const std::string both = absl::StrCat(first, "\n\n", second);
  for (const char* between :
       {"\n\n", "\n\n[gallery ids=\"1,2\"][embed]https://video.example/x[/embed]\n\n",
        "\n\n[caption id=\"a_5\" width=\"300\"]<img src=a.jpg> The quay[/caption]\n\n",
        "[/vc_column][vc_column width=\"1/2\"]", "\n\n[dropcap][/dropcap]", "\n\n[caption id=\"a_5\"]"}) {
    EXPECT_EQ(body(absl::StrCat(first, between, second)), both) << between;
  }
  EXPECT_EQ(body(absl::StrCat("[vc_row][vc_column]", first, "\n\n", second, "[/vc_column][/vc_row]")), both);
  for (const char* kept :
       {"They said it[1] and [sic] wrote array[i] down.", "Write [[gallery]] to show one of them here."}) {
    EXPECT_EQ(body(absl::StrCat(first, "\n\n", kept)), absl::StrCat(first, "\n\n", kept));
  }
}

TEST(WordPressTest, TakesPublishedPosts) {
  auto reader = SourceReader::Open(Pieces(kExport, 100), {});
  ASSERT_THAT(reader, IsOk());
  const std::optional<SourceItem> item = (*reader)->Next();
  ASSERT_TRUE(item.has_value());
  ASSERT_THAT(item->extraction, IsOk());
  const Article& article = item->extraction->article;
  EXPECT_EQ(article.url, "https://x.example/lease/");
  EXPECT_THAT(article.authors, ElementsAre("Jane Roe"));
  EXPECT_EQ(article.summary, "An excerpt.");
  EXPECT_THAT(
      article.body,
      HasSubstr("schoolchildren.\n\nWhy\n\nNobody on the quay knows why the lease was signed, and the harbour master "
                "does not say.\n\nIt was written in the older editor"));
  EXPECT_EQ(article.publish_time, absl::FromCivil(absl::CivilSecond(2023, 9, 19, 10, 30, 0), absl::UTCTimeZone()));
  EXPECT_EQ(article.publish_time_precision, TimePrecision::kSecond);
  EXPECT_EQ(article.update_time, absl::FromCivil(absl::CivilSecond(2023, 9, 21, 8, 0, 0), absl::UTCTimeZone()));
  EXPECT_THAT(article.source_labels, ElementsAre(SourceLabel{"category", "Ports & Trade"}, SourceLabel{"tag", "Iran"}));
  EXPECT_FALSE(item->link.has_value());
  EXPECT_FALSE((*reader)->Next().has_value());
  EXPECT_EQ((*reader)->skipped(), 3);
}

TEST(SourceItemTest, FeedsAndNewsSitemapsListTheLatestOnly) {
  const auto latest_only = [](const std::string& content) {
    const std::vector<SourceItem> items = ReadAll(content);
    return !items.empty() && items[0].latest_only;
  };
  EXPECT_TRUE(latest_only("<rss version=\"2.0\"><channel><item><title>One</title></item></channel></rss>"));
  EXPECT_TRUE(latest_only(R"({"version":"https://jsonfeed.org/version/1.1","items":[{"id":"1","title":"One"}]})"));
  EXPECT_TRUE(latest_only(
      "<urlset xmlns:news=\"http://www.google.com/schemas/sitemap-news/0.9\"><url><loc>https://x.example/1</loc>"
      "<news:news><news:title>One</news:title></news:news></url></urlset>"));
  EXPECT_FALSE(latest_only("<urlset><url><loc>https://x.example/1</loc></url></urlset>"));
  EXPECT_FALSE(latest_only(kExport)) << "an export of WordPress has everything";
  EXPECT_FALSE(latest_only(R"([{"id":"1","title":"One"}])"));
}

TEST(WordPressTest, TakesWhatItIsToldTo) {
  const std::vector<SourceItem> items =
      ReadAll(kExport, {.post_types = {"post", "page"}, .post_statuses = {"publish", "draft"}});
  EXPECT_THAT(items, SizeIs(3));
}

TEST(WordPressTest, WhatAsksForAPasswordIsPassedOver) {
  std::string text(kExport);
  const std::string type = "<wp:post_type>post</wp:post_type>";
  const size_t at = text.find(type);
  ASSERT_NE(at, std::string::npos);
  text.insert(at, "<wp:post_password>s3cret</wp:post_password>");
  EXPECT_THAT(ReadAll(text), SizeIs(1));
  EXPECT_THAT(ReadAll(text)[0].extraction, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("protected")));
}

TEST(WordPressTest, SaysWhatItPassedOverIfThatIsAll) {
  const std::vector<SourceItem> items = ReadAll(kExport, {.post_types = {"posts"}});
  ASSERT_THAT(items, SizeIs(1));
  EXPECT_THAT(items[0].extraction,
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr("all were passed over"), HasSubstr("post"), HasSubstr("--post_types"))));
}

TEST(SitemapTest, GivesAddresses) {
  const std::vector<SourceItem> items = ReadAll(
      R"(<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:n="http://www.google.com/schemas/sitemap-news/0.9">
      <url><loc> https://x.example/1?a=1&amp;b=2 </loc><lastmod>2023-09-20T08:00:00Z</lastmod><n:news><n:publication><n:name>The Strait Review</n:name>
      <n:language>en</n:language></n:publication><n:publication_date>2023-09-19</n:publication_date><n:title>The Lease &amp; the Fence</n:title>
      <n:keywords>ports, trade</n:keywords></n:news></url><url><loc>/relative</loc></url><url><lastmod>2023-09-20</lastmod></url>
      <url><loc>ftp://x.example/file</loc></url></urlset>)",
      {.url = "https://x.example/sitemap.xml"}, 9);
  ASSERT_THAT(items, SizeIs(4));
  ASSERT_TRUE(items[0].link.has_value());
  EXPECT_EQ(items[0].link->url, "https://x.example/1?a=1&b=2");
  EXPECT_EQ(items[0].link->kind, Link::Kind::kPage);
  EXPECT_EQ(items[0].link->modified, absl::FromCivil(absl::CivilHour(2023, 9, 20, 8), absl::UTCTimeZone()));
  const Article& article = items[0].extraction->article;
  EXPECT_EQ(article.title, "The Lease & the Fence");
  EXPECT_EQ(article.source, "The Strait Review");
  EXPECT_FALSE(article.update_time.has_value()) << "sites set <lastmod> for what is no change of the article";
  EXPECT_THAT(article.source_labels, ElementsAre(SourceLabel{"keyword", "ports"}, SourceLabel{"keyword", "trade"}));
  EXPECT_EQ(items[1].link->url, "https://x.example/relative");
  EXPECT_THAT(items[2].extraction, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("has no address")));
  EXPECT_THAT(items[3].extraction, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("has no address")));
}

TEST(SitemapTest, AnIndexGivesSources) {
  const std::vector<SourceItem> items = ReadAll(
      "<sitemapindex><sitemap><loc>https://x.example/news.xml.gz</loc><lastmod>2023-09-20</lastmod></sitemap></"
      "sitemapindex>");
  ASSERT_THAT(items, SizeIs(1));
  ASSERT_TRUE(items[0].link.has_value());
  EXPECT_EQ(items[0].link->kind, Link::Kind::kSource);
  EXPECT_TRUE(items[0].link->modified.has_value());
}

TEST(SitemapTest, WhatIsNoneSaysSo) {
  EXPECT_THAT(ReadAll("<rss/>", {.format = Format::kSitemap}).back().extraction,
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("no sitemap")));
  EXPECT_THAT(ReadAll("<urlset></urlset>").back().extraction,
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("without addresses")));
  EXPECT_THAT(ReadAll("<urlset><url><loc>https://x.example/1</loc></url><url>").back().extraction,
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("breaks off at line 1")));
}

Document Page(const std::string& paragraph) {
  return {.content = absl::StrCat(
              "<html lang=en><head><title>Page title | Site</title><meta property='og:type' content='article'>"
              "<link rel=canonical href='https://x.example/canonical'></head><body><article><h1>Page title</h1><p>",
              paragraph, "</p><p>", paragraph, "</p></article></body></html>"),
          .media_type = "text/html",
          .url = "https://x.example/1"};
}

TEST(CompleteFromPageTest, TheLongerTextWins) {
  Extraction item;
  item.article.title = "Feed title";
  item.article.url = "https://x.example/1";
  item.article.body = "A summary.";
  item.article.source_labels = {{"category", "Ports"}};
  const absl::StatusOr<Extraction> page = CompleteFromPage(item, Page(kSentence));
  ASSERT_THAT(page, IsOk());
  EXPECT_THAT(page->article.body, HasSubstr(kSentence));
  EXPECT_EQ(page->article.summary, "A summary.");
  EXPECT_EQ(page->article.title, "Feed title");
  EXPECT_EQ(page->article.url, "https://x.example/canonical");
  EXPECT_THAT(page->article.alternate_urls, Contains("https://x.example/1"));
  EXPECT_THAT(page->article.source_labels, Contains(SourceLabel{"category", "Ports"}));

  item.article.body = std::string(5000, 'x');
  const absl::StatusOr<Extraction> kept = CompleteFromPage(item, Page(kSentence));
  ASSERT_THAT(kept, IsOk());
  EXPECT_EQ(kept->article.body, item.article.body);
  EXPECT_THAT(kept->warnings, Contains(HasSubstr("longer than the page's")));
}

TEST(CompleteFromPageTest, WithoutAnArticleInThePageTheSummaryStands) {
  Extraction item;
  item.article.title = "Feed title";
  EXPECT_EQ(common::ReasonOf(CompleteFromPage(item, {.content = "<p>Sign in", .media_type = "text/html"}).status()),
            kNotAnArticle);
  item.article.body = "A summary.";
  const absl::StatusOr<Extraction> kept = CompleteFromPage(item, {.content = "<p>Sign in", .media_type = "text/html"});
  ASSERT_THAT(kept, IsOk());
  EXPECT_EQ(kept->article.body, "A summary.");
  EXPECT_THAT(kept->warnings, Contains(HasSubstr("gives no article")));
}

TEST(SourceReaderTest, RefusesBinaryFiles) {
  const auto reader = SourceReader::Open(Pieces("\x89PNG\r\n ..."), {});
  EXPECT_THAT(reader, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("no text")));
  EXPECT_EQ(common::ReasonOf(reader.status()), kUnsupportedMediaType);
}

TEST(SourceReaderTest, NamesAFileThatIsNotThere) {
  EXPECT_THAT(SourceReader::OpenFile("/nonexistent/page.html"),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("/nonexistent/page.html")));
}

constexpr char kSavedPage[] =
    "\r\n\r\nThis is a multi-part message in MIME format.\r\n------b\r\nContent-Type: text/html; charset=\"utf-8\"\r\n"
    "Content-Transfer-Encoding: quoted-printable\r\nContent-ID: <frame-1@mhtml.blink>\r\n"
    "Content-Location: https://x.example/lease\r\n\r\n"
    "<html><head><title>The Lease</title></head><body><nav>Home News Ports</nav><article><h1>The Lease</h1><p>The "
    "lease of the "
    "port was signed in March, and nobody on the quay knows why or by =E2=80=9Cwhom=E2=80=9D.</p><p>The harbour master "
    "does "
    "not say, and the ministry answers no letters about it, nor does the town.</p></article></body></html>\r\n"
    "------b\r\nContent-Type: text/css\r\nContent-Location: https://x.example/s.css\r\n\r\nbody { margin: 0 }\r\n"
    "------b\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: base64\r\nContent-Location: "
    "https://x.example/a.png\r\n\r\niVBORw0KGgo=\r\n------b--\r\n";

std::string Utf16WithoutMark(const std::string& ascii) {
  std::string utf16;
  for (const char c : ascii) {
    utf16.append({c, '\0'});
  }
  return utf16;
}

TEST(SourceReaderTest, LinesAndLettersMayBeInUtf16WithoutAMark) {
  const std::vector<SourceItem> lines = ReadAll(
      Utf16WithoutMark(absl::StrCat(R"({"title":"One","body":"Text."})", "\n", R"({"title":"Two","body":"Text."})")),
      {.path = "a.jsonl"}, 3);
  ASSERT_THAT(lines, SizeIs(2));
  ASSERT_THAT(lines[1].extraction, IsOk());
  EXPECT_EQ(lines[1].extraction->article.title, "Two");
  const std::vector<SourceItem> letters = ReadAll(
      Utf16WithoutMark("From: Jane Roe <jane@x.example>\nTo: a@x.example\nSubject: One\n\nThe lease was signed.\n"),
      {.path = "a.eml"});
  ASSERT_THAT(letters, SizeIs(1));
  ASSERT_THAT(letters[0].extraction, IsOk());
  EXPECT_EQ(letters[0].extraction->article.title, "One");
}

TEST(MailTest, APageThatABrowserSavedIsAPage) {
  const std::string related =
      "MIME-Version: 1.0\r\nContent-Type: multipart/related; type=\"text/html\"; boundary=\"----b\"";
  for (const std::string& header :
       {absl::StrCat("From: <Saved by Blink>\r\nSnapshot-Content-Location: https://x.example/lease\r\nSubject: The "
                     "Lease\r\nDate: Tue, 19 Sep 2023 10:30:00 -0000\r\n",
                     related),
        related}) {
    const std::vector<SourceItem> items = ReadAll(absl::StrCat(header, kSavedPage), {.path = "lease.mhtml"});
    ASSERT_THAT(items, SizeIs(1));
    ASSERT_THAT(items[0].extraction, IsOk());
    const Extraction& page = *items[0].extraction;
    EXPECT_EQ(items[0].position, "page");
    EXPECT_EQ(items[0].format, Format::kHtml);
    EXPECT_EQ(page.article.title, "The Lease");
    EXPECT_EQ(page.article.url, "https://x.example/lease");
    EXPECT_THAT(page.article.body, AllOf(HasSubstr("or by “whom”."), Not(HasSubstr("Home"))));
    EXPECT_THAT(page.article.authors, IsEmpty());
    EXPECT_FALSE(page.article.publish_time.has_value()) << "when it was saved is not when it was published";
    EXPECT_THAT(page.warnings, Not(Contains(HasSubstr("attachments"))));
  }
}

TEST(MailTest, ALetterWithPicturesIsNoPage) {
  const std::vector<SourceItem> items = ReadAll(
      absl::StrCat("From: Jane Roe <jane@x.example>\r\nTo: list@x.example\r\nMessage-ID: <1@x.example>\r\nSubject: A "
                   "letter\r\nDate: Tue, 19 Sep 2023 10:30:00 +0000\r\nMIME-Version: 1.0\r\nContent-Type: "
                   "multipart/related; type=\"text/html\"; boundary=\"----b\"",
                   kSavedPage),
      {.path = "letter.eml"});
  ASSERT_THAT(items, SizeIs(1));
  ASSERT_THAT(items[0].extraction, IsOk());
  EXPECT_EQ(items[0].extraction->article.title, "A letter");
  EXPECT_THAT(items[0].extraction->article.authors, ElementsAre("Jane Roe"));
}

TEST(SourceReaderTest, APageBeyondTheLimitIsAnError) {
  const std::vector<SourceItem> items =
      ReadAll(std::string(5000, 'x'), {.format = Format::kText, .max_item_bytes = 1000});
  ASSERT_THAT(items, SizeIs(1));
  EXPECT_EQ(common::ReasonOf(items[0].extraction.status()), kDocumentTooLarge);
}

}  // namespace
}  // namespace dateline::extraction
