// Feeds, JSON Lines, single pages: what each item gives and what a broken one costs the others.
#include "extraction/source_reader.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/civil_time.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/error.h"
#include "tests/support/status_matchers.h"

namespace dateline::extraction {
namespace {

using ::dateline::testing::IsOk;
using ::dateline::testing::StatusIs;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

// Hands the text out in small pieces, as pipes do.
ReadFunction Pieces(std::string text, size_t piece = 7) {
  auto position = std::make_shared<size_t>(0);
  return [text = std::move(text), position, piece](char* buffer, size_t size) -> absl::StatusOr<size_t> {
    const size_t count = std::min({piece, size, text.size() - *position});
    std::memcpy(buffer, text.data() + *position, count);
    *position += count;
    return count;
  };
}

std::vector<SourceItem> ReadAll(const std::string& text, const SourceOptions& options = {}, size_t piece = 4096) {
  std::vector<SourceItem> items;
  absl::StatusOr<std::unique_ptr<SourceReader>> reader = SourceReader::Open(Pieces(text, piece), options);
  EXPECT_THAT(reader, IsOk());
  if (reader.ok()) {
    while (std::optional<SourceItem> item = (*reader)->Next()) {
      items.push_back(*std::move(item));
    }
  }
  return items;
}

constexpr char kSentence[] =
    "The ferries that cross the strait each morning used to carry schoolchildren and fishermen.";

TEST(DetectFormatTest, GoesByContentFirstAndByNameThen) {
  EXPECT_EQ(DetectFormat("x.txt", "<!DOCTYPE html><html>"), Format::kHtml);
  EXPECT_EQ(DetectFormat("", "  <?xml version='1.0'?><!-- c --><rss version='2.0'>"), Format::kFeed);
  EXPECT_EQ(DetectFormat("", "<feed xmlns='http://www.w3.org/2005/Atom'>"), Format::kFeed);
  EXPECT_EQ(DetectFormat("", "<?xml version='1.0'?><!DOCTYPE rss [<!ENTITY a 'b'>]><rss>"), Format::kFeed);
  EXPECT_EQ(DetectFormat("", "<rdf:RDF xmlns:rdf='x'>"), Format::kFeed);
  EXPECT_EQ(DetectFormat("", "<html><body>a feed that is HTML"), Format::kHtml);
  EXPECT_EQ(DetectFormat("articles.jsonl", "{\"title\": \"x\"}"), Format::kJsonLines);
  EXPECT_EQ(DetectFormat("-", "{\"title\": \"x\"}\n{\"title\""), Format::kJsonLines);
  EXPECT_EQ(DetectFormat("broken.jsonl", "not json"), Format::kJsonLines);
  EXPECT_EQ(DetectFormat("page.html", "words"), Format::kHtml);
  EXPECT_EQ(DetectFormat("page", "words <p>and</p> tags"), Format::kHtml);
  EXPECT_EQ(DetectFormat("page", "if a < b and c > d"), Format::kText);
  EXPECT_EQ(DetectFormat("picture.html", "\x89PNG\r\n"), Format::kUnknown);
}

TEST(FormatNameTest, GoesBothWays) {
  for (const Format format : {Format::kHtml, Format::kText, Format::kFeed, Format::kJsonLines}) {
    EXPECT_EQ(FormatFromName(FormatName(format)), format);
  }
  EXPECT_EQ(FormatFromName("unknown"), std::nullopt);
}

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

TEST(JsonLinesTest, AMalformedLineHarmsNoOther) {
  const std::vector<SourceItem> items = ReadAll(
      "\xEF\xBB\xBF{\"title\":\"one\"}\r\n\r\n{\"title\":\n[1]\n{\"title\":5}\n{\"id\":7}\n{\"title\":\"last\"}",
      {.format = Format::kJsonLines});
  ASSERT_THAT(items, SizeIs(6));
  EXPECT_THAT(items[0].extraction, IsOk());
  EXPECT_EQ(items[0].number, 1);
  EXPECT_THAT(items[1].extraction, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("line 3")));
  EXPECT_EQ(common::ReasonOf(items[1].extraction.status()), "MALFORMED_LINE");
  EXPECT_EQ(items[1].position, "line 3");
  EXPECT_THAT(items[2].extraction, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("no JSON object")));
  EXPECT_THAT(items[3].extraction, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("title: must be a string")));
  EXPECT_THAT(items[4].extraction, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("body: is missing")));
  ASSERT_THAT(items[5].extraction, IsOk());
  EXPECT_EQ(items[5].extraction->article.title, "last");
  EXPECT_EQ(items[5].number, 7);
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
  EXPECT_THAT(items[0].extraction, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("line 1")));
  EXPECT_THAT(items[1].extraction, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("line 2")));
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
  EXPECT_THAT(items[0].extraction, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("entry 1")));
  EXPECT_THAT(items[1].extraction, IsOk());
}

TEST(FeedTest, AFeedThatBreaksOffGivesWhatStandsBefore) {
  const std::vector<SourceItem> items = ReadAll("<rss><channel><item><title>One</title></item><item><title>Two</ti");
  ASSERT_THAT(items, SizeIs(2));
  EXPECT_THAT(items[0].extraction, IsOk());
  EXPECT_THAT(items[1].extraction, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("breaks off")));
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

TEST(FeedTest, DeepNestingIsAnError) {
  std::string deep = "<rss><channel><item>";
  for (int i = 0; i < 100'000; ++i) {
    deep += "<a>";
  }
  const std::vector<SourceItem> items = ReadAll(deep);
  ASSERT_THAT(items, SizeIs(1));
  EXPECT_THAT(items[0].extraction, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("well-formed")));
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

TEST(FeedTest, AFeedDeclaredToBeOneButHtmlIsAnError) {
  const std::vector<SourceItem> items =
      ReadAll("<html><body><br>words<p>and more</body></html>", {.format = Format::kFeed});
  ASSERT_THAT(items, SizeIs(1));
  EXPECT_THAT(items[0].extraction, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("feed")));
}

TEST(SourceReaderTest, RefusesBinaryFiles) {
  const auto reader = SourceReader::Open(Pieces("%PDF-1.7 ..."), {});
  EXPECT_THAT(reader, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("no text")));
  EXPECT_EQ(common::ReasonOf(reader.status()), kUnsupportedMediaType);
}

TEST(SourceReaderTest, NamesAFileThatIsNotThere) {
  EXPECT_THAT(SourceReader::OpenFile("/nonexistent/page.html"),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("/nonexistent/page.html")));
}

TEST(SourceReaderTest, APageBeyondTheLimitIsAnError) {
  const std::vector<SourceItem> items =
      ReadAll(std::string(5000, 'x'), {.format = Format::kText, .max_item_bytes = 1000});
  ASSERT_THAT(items, SizeIs(1));
  EXPECT_EQ(common::ReasonOf(items[0].extraction.status()), kDocumentTooLarge);
}

}  // namespace
}  // namespace dateline::extraction
