// JSON documents, tables and mail: what a record gives, how its fields are mapped, and what a broken one costs others.
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/error.h"
#include "extraction/source_reader.h"
#include "extraction/testing_sources.h"
#include "tests/support/status_matchers.h"

namespace dateline::extraction {
namespace {

using ::dateline::testing::IsOk;
using ::dateline::testing::StatusIs;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

constexpr char kSentence[] =
    "The ferries that cross the strait each morning used to carry schoolchildren and fishermen.";

std::vector<FieldMapping> Map(const std::vector<std::string>& texts) {
  std::vector<FieldMapping> mappings;
  for (const std::string& text : texts) {
    const absl::StatusOr<FieldMapping> mapping = ParseFieldMapping(text);
    EXPECT_THAT(mapping, IsOk());
    mappings.push_back(mapping.value_or(FieldMapping()));
  }
  return mappings;
}

TEST(FieldMappingTest, NamesWhatItDoesNotKnow) {
  EXPECT_THAT(ParseFieldMapping("body_html"), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("FIELD=NAME")));
  EXPECT_THAT(
      ParseFieldMapping("text=content"),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("\"text\" is no field of an article; there are id, url")));
  EXPECT_THAT(ParseFieldMapping("label.=x"), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("label.")));
  ASSERT_THAT(ParseFieldMapping(" label.section = news_desk "), IsOk());
  EXPECT_EQ(ParseFieldMapping(" label.section = news_desk ")->path, "news_desk");
}

TEST(RecordTest, LanguagesAreTagsWhateverTheyAreCalled) {
  std::string lines;
  const std::vector<std::pair<std::string, std::string>> stated_and_tags = {
      {"english", "en"},  {"Deutsch", "de"}, {"fran\u00e7ais", "fr"}, {"eng", "en"},     {"fa-IR", "fa-IR"},
      {"en_GB", "en-GB"}, {"ckb", "ckb"},    {"zho-Hant", "zh-Hant"}, {"gibberish", ""}, {"e", ""}};
  for (const auto& [stated, tag] : stated_and_tags) {
    absl::StrAppend(&lines, R"({"title":"A","body":"B","language":")", stated, "\"}\n");
  }
  const std::vector<SourceItem> items = ReadAll(lines, {.format = Format::kJsonLines});
  ASSERT_THAT(items, SizeIs(stated_and_tags.size()));
  for (size_t i = 0; i < items.size(); ++i) {
    const auto& [stated, tag] = stated_and_tags[i];
    ASSERT_THAT(items[i].extraction, IsOk());
    EXPECT_EQ(items[i].extraction->article.language_code, tag) << stated;
    EXPECT_EQ(absl::StrContains(absl::StrJoin(items[i].extraction->warnings, "\n"), "language_code"), tag.empty())
        << stated;
  }
}

TEST(FieldMappingTest, ReachesIntoObjectsAndLists) {
  const std::vector<SourceItem> items = ReadAll(
      absl::StrCat(R"({"headline":{"main":"The Lease"},"content":"<h2>Why</h2><p>)", kSentence,
                   R"(</p>","web_url":"https://x.example/1","pub":1695117000,"desk":"Foreign","with.dot":"en",)",
                   R"("people":[{"who":{"name":"Jane Roe"}},{"who":{"name":"John Doe"}}],"k1":["Ports"],"k2":"Trade"})",
                   "\n"),
      {.format = Format::kJsonLines,
       .field_map =
           Map({"title=headline.main", "body_html=content", "url=web_url", "date=pub", "label.desk=desk",
                "authors=people.who", "language=with.dot", "keywords=k1", "keywords=k2", "attribute.section=desk"})});
  ASSERT_THAT(items, SizeIs(1));
  ASSERT_THAT(items[0].extraction, IsOk());
  const Article& article = items[0].extraction->article;
  EXPECT_EQ(article.title, "The Lease");
  EXPECT_EQ(article.body, absl::StrCat("Why\n\n", kSentence));
  ASSERT_THAT(article.headings, SizeIs(1));
  EXPECT_EQ(article.url, "https://x.example/1");
  EXPECT_EQ(article.publish_time, absl::FromUnixSeconds(1695117000));
  EXPECT_THAT(article.authors, ElementsAre("Jane Roe", "John Doe"));
  EXPECT_EQ(article.language_code, "en");
  EXPECT_THAT(article.source_labels, ElementsAre(SourceLabel{"keyword", "Ports"}, SourceLabel{"keyword", "Trade"},
                                                 SourceLabel{"desk", "Foreign"}));
  EXPECT_THAT(article.attributes.at("section"), ElementsAre("Foreign"));
}

TEST(FieldMappingTest, OfSeveralTheFirstThatSaysSomethingCounts) {
  const SourceOptions options{.format = Format::kJsonLines, .field_map = Map({"body=full", "body=lead"})};
  const std::vector<SourceItem> items = ReadAll(
      "{\"title\":\"a\",\"full\":\" \",\"lead\":\"Lead.\"}\n{\"title\":\"b\",\"full\":\"Full.\",\"lead\":\"Lead.\"}",
      options);
  ASSERT_THAT(items, SizeIs(2));
  EXPECT_EQ(items[0].extraction->article.body, "Lead.");
  EXPECT_EQ(items[1].extraction->article.body, "Full.");
}

TEST(FieldMappingTest, TellsWhichWereOfUse) {
  SourceOptions options{.format = Format::kJsonLines, .field_map = Map({"title=head", "body=txt", "body=text"})};
  options.mappings_used = std::make_shared<std::vector<bool>>(options.field_map.size());
  ReadAll("{\"head\":\"A\",\"text\":\"B\"}\n{\"head\":\"\",\"text\":\"B\"}\n", options);
  EXPECT_THAT(*options.mappings_used, ElementsAre(true, false, true));
}

TEST(FieldMappingTest, ATableWithoutTheColumnIsRefused) {
  const std::string table = absl::StrCat("Headline,Text,id\nA,", kSentence, ",1\n");
  const std::vector<SourceItem> items =
      ReadAll(table, {.format = Format::kCsv, .field_map = Map({"title=Heading", "body=Text"})});
  ASSERT_THAT(items, SizeIs(1));
  EXPECT_THAT(items[0].extraction, StatusIs(absl::StatusCode::kInvalidArgument,
                                            HasSubstr("names no column \"Heading\", as --map title=Heading has it; it "
                                                      "names Headline, Text, id")));
  EXPECT_TRUE(items[0].cuts_off);
  // One of several for the same field is enough, and case and blanks don't matter.
  EXPECT_THAT(
      ReadAll(table, {.format = Format::kCsv, .field_map = Map({"title=Heading", "title=headline", "body=TEXT"})})[0]
          .extraction,
      IsOk());
}

TEST(RecordTest, ABodyWithTagsOfHtmlIsReadAsThat) {
  const std::vector<SourceItem> items =
      ReadAll(absl::StrCat("{\"title\":\"A\",\"body\":\"<p>", kSentence, "</p><p>Again &amp; again: ", kSentence,
                           "</p>\"}\n", "{\"title\":\"B\",\"body\":\"If a < b and b > c, write <p> once.\"}\n"));
  ASSERT_THAT(items, SizeIs(2));
  EXPECT_EQ(items[0].extraction->article.body, absl::StrCat(kSentence, "\n\nAgain & again: ", kSentence));
  EXPECT_THAT(items[0].extraction->warnings, Contains(HasSubstr("map it with body_html")));
  EXPECT_EQ(items[1].extraction->article.body, "If a < b and b > c, write <p> once.");
}

TEST(RecordTest, SeveralValuesMayStandInOneString) {
  const std::vector<SourceItem> items = ReadAll(
      R"({"title":"A","body":"B","countries":"Iran; Korea, Republic of","authors":"Jane Roe; John Doe"})"
      "\n"
      R"({"title":"A","body":"B","countries":"Iran, Korea, Republic of, FJ","tags":"trade, ports","authors":"Jane Roe, John Doe"})"
      "\n"
      R"({"title":"A","body":"B","countries":["Iran, Iraq"],"tags":["a, b","c;d"]})"
      "\n");
  ASSERT_THAT(items, SizeIs(3));
  EXPECT_THAT(items[0].extraction->article.source_labels,
              ElementsAre(SourceLabel{"country", "Iran"}, SourceLabel{"country", "Korea, Republic of"}));
  EXPECT_THAT(items[0].extraction->article.authors, ElementsAre("Jane Roe", "John Doe"));
  EXPECT_THAT(items[1].extraction->article.source_labels,
              ElementsAre(SourceLabel{"country", "Iran"}, SourceLabel{"country", "Korea, Republic of"},
                          SourceLabel{"country", "FJ"}, SourceLabel{"tag", "trade"}, SourceLabel{"tag", "ports"}));
  EXPECT_THAT(items[1].extraction->article.authors, ElementsAre("Jane Roe", "John Doe"));
  EXPECT_THAT(items[2].extraction->article.source_labels,
              ElementsAre(SourceLabel{"country", "Iran, Iraq"}, SourceLabel{"tag", "a, b"}, SourceLabel{"tag", "c;d"}));
}

TEST(RecordTest, ARecordWithoutTextSaysWhatItHas) {
  const std::vector<SourceItem> items = ReadAll("{\"headline\":\"x\",\"content\":\"y\"}\n", {});
  ASSERT_THAT(items, SizeIs(1));
  EXPECT_THAT(items[0].extraction,
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("its fields are headline, content: map them")));
}

TEST(RecordTest, AnAddressAloneIsALinkToItsPage) {
  const std::vector<SourceItem> items =
      ReadAll("{\"url\":\"https://x.example/1\",\"update_time\":\"2023-09-20T00:00:00Z\"}\n", {});
  ASSERT_THAT(items, SizeIs(1));
  ASSERT_TRUE(items[0].link.has_value());
  EXPECT_EQ(items[0].link->url, "https://x.example/1");
  EXPECT_EQ(items[0].link->modified, absl::FromCivil(absl::CivilDay(2023, 9, 20), absl::UTCTimeZone()));
}

TEST(JsonTest, ReadsAListPieceByPiece) {
  const std::vector<SourceItem> items = ReadAll(
      "\xEF\xBB\xBF [ {\"title\":\"one ] \\\" }\"} ,\n{\"title\":5},[], 7 , {\"title\":\"two\"}]trailing", {}, 3);
  ASSERT_THAT(items, SizeIs(5));
  EXPECT_EQ(items[0].extraction->article.title, "one ] \" }");
  EXPECT_EQ(items[0].position, "entry 1");
  EXPECT_EQ(items[0].format, Format::kJson);
  EXPECT_THAT(items[1].extraction, StatusIs(absl::StatusCode::kInvalidArgument, StartsWith("title: must be a string")));
  EXPECT_THAT(items[2].extraction, StatusIs(absl::StatusCode::kInvalidArgument, StartsWith("is no JSON object")));
  EXPECT_THAT(items[3].extraction, StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_EQ(items[4].extraction->article.title, "two");
}

TEST(JsonTest, FindsTheListInAnObject) {
  const std::string record = "[{\"title\":\"one\"},{\"title\":\"two\"}]";
  for (const std::string& text :
       {absl::StrCat("{\"status\":\"ok\",\"authors\":[{\"name\":\"x\"}],\"articles\":", record, ",\"n\":2}"),
        absl::StrCat("{\"items\":", record, "}")}) {
    EXPECT_THAT(ReadAll(text, {.format = Format::kJson}), SizeIs(2)) << text;
  }
  const std::string deep = absl::StrCat("{\"response\":{\"meta\":{},\"found\":", record, "}}");
  EXPECT_THAT(ReadAll(deep, {.format = Format::kJson, .field_map = Map({"items=response.found"})}), SizeIs(2));
  const std::vector<SourceItem> none = ReadAll(deep, {.format = Format::kJson, .field_map = Map({"items=response.x"})});
  ASSERT_THAT(none, SizeIs(1));
  EXPECT_THAT(none[0].extraction, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("no list there")));
}

TEST(JsonTest, OneObjectIsOneArticle) {
  const std::vector<SourceItem> items =
      ReadAll("{\n \"title\": \"One\",\n \"authors\": [{\"name\": \"Jane Roe\"}],\n \"body\": \"Text.\"\n}\n", {});
  ASSERT_THAT(items, SizeIs(1));
  ASSERT_THAT(items[0].extraction, IsOk());
  EXPECT_EQ(items[0].extraction->article.body, "Text.");
  EXPECT_THAT(items[0].extraction->article.authors, ElementsAre("Jane Roe"));
}

TEST(JsonTest, WhatBreaksOffGivesWhatStandsBefore) {
  const std::vector<SourceItem> items = ReadAll("[{\"title\":\"one\"},\n{\"title\":\"tw", {});
  ASSERT_THAT(items, SizeIs(2));
  EXPECT_THAT(items[0].extraction, IsOk());
  EXPECT_THAT(items[1].extraction, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("breaks off at line 2")));
  EXPECT_EQ(common::ReasonOf(items[1].extraction.status()), kMalformedFeed);
  EXPECT_TRUE(items.back().cuts_off);
}

TEST(JsonTest, AnotherListOfObjectsIsNamed) {
  const auto notes_of = [](const std::string& json, const std::vector<std::string>& map) {
    auto reader = SourceReader::Open(Pieces(json), {.format = Format::kJson, .field_map = Map(map)});
    EXPECT_THAT(reader, IsOk());
    while ((*reader)->Next()) {
    }
    return (*reader)->notes();
  };
  const std::string lists =
      R"({"a":[1],"items":[{"title":"one"}],"count":2,"pages":[1,2],"articles":[{"title":"two"}],"posts":[{}]})";
  EXPECT_THAT(notes_of(lists, {}), ElementsAre(AllOf(HasSubstr("articles"), HasSubstr("--map items=articles"))));
  EXPECT_THAT(notes_of(lists, {"items=articles"}), ElementsAre());
  EXPECT_THAT(notes_of(R"({"items":[{"title":"one"}],"articles":[]})", {}), ElementsAre());
}

TEST(JsonTest, AnObjectThatBreaksOffBehindItsListIsCutOff) {
  const std::vector<SourceItem> items = ReadAll(R"({"items":[{"title":"one"}],"articles)", {.format = Format::kJson});
  ASSERT_THAT(items, SizeIs(2));
  EXPECT_THAT(items[0].extraction, IsOk());
  EXPECT_THAT(items[1].extraction, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("breaks off")));
  EXPECT_TRUE(items[1].cuts_off);
}

TEST(JsonTest, AnEntryBeyondTheLimitHarmsNoOther) {
  const std::vector<SourceItem> items =
      ReadAll(absl::StrCat("[{\"title\":\"", std::string(100'000, 'x'), "\"},{\"title\":\"two\"}]"),
              {.format = Format::kJson, .max_item_bytes = 1000});
  ASSERT_THAT(items, SizeIs(2));
  EXPECT_EQ(common::ReasonOf(items[0].extraction.status()), kDocumentTooLarge);
  EXPECT_THAT(items[1].extraction, IsOk());
}

TEST(JsonTest, DeepNestingAndGarbageAreErrors) {
  EXPECT_THAT(ReadAll(std::string(1'000'000, '['), {.format = Format::kJson}).back().extraction,
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(ReadAll(absl::StrCat("[", std::string(1'000'000, '{')), {.format = Format::kJson}).back().extraction,
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(ReadAll("", {.format = Format::kJson}).back().extraction,
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("neither an object nor a list")));
  EXPECT_THAT(ReadAll("[]", {.format = Format::kJson}).back().extraction,
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("without articles")));
}

TEST(JsonFeedTest, ReadsItemsAndWhatTheFeedSays) {
  const std::vector<SourceItem> items = ReadAll(absl::StrCat(
      R"({"version":"https://jsonfeed.org/version/1.1","title":"The Strait Review","language":"en","authors":[{"name":"Jane Roe"}],)",
      R"("items":[{"id":"https://x.example/1","url":"https://x.example/1","title":"The Lease","content_html":"<p>)",
      kSentence,
      R"(</p>","date_published":"2023-09-19T10:30:00+02:00","date_modified":"2023-09-20T10:30:00Z","tags":["Ports"],)",
      R"("image":"https://x.example/1.jpg"},{"id":"2","content_text":"Only text.","authors":[{"name":"John Doe"}],"language":"de"},)",
      R"({"id":"3","url":"https://x.example/3","title":"Short","summary":"A summary."}]})"));
  ASSERT_THAT(items, SizeIs(3));
  ASSERT_THAT(items[0].extraction, IsOk());
  const Article& article = items[0].extraction->article;
  EXPECT_EQ(article.body, kSentence);
  EXPECT_EQ(article.source, "The Strait Review");
  EXPECT_EQ(article.language_code, "en");
  EXPECT_EQ(article.id, "") << "it follows from the URL";
  EXPECT_THAT(article.authors, ElementsAre("Jane Roe"));
  EXPECT_THAT(article.source_labels, ElementsAre(SourceLabel{"tag", "Ports"}));
  EXPECT_EQ(article.image_url, "https://x.example/1.jpg");
  EXPECT_EQ(article.publish_time, absl::FromCivil(absl::CivilSecond(2023, 9, 19, 8, 30, 0), absl::UTCTimeZone()));
  EXPECT_FALSE(items[0].link.has_value());
  EXPECT_EQ(items[1].extraction->article.id, "2");
  EXPECT_EQ(items[1].extraction->article.language_code, "de");
  EXPECT_THAT(items[1].extraction->article.authors, ElementsAre("John Doe"));
  EXPECT_EQ(items[2].extraction->article.body, "A summary.");
  ASSERT_TRUE(items[2].link.has_value());
  EXPECT_EQ(items[2].link->url, "https://x.example/3");
}

TEST(TableTest, ReadsQuotedCells) {
  const std::vector<SourceItem> items = ReadAll(
      "Title,Body,URL,Date,Authors,Countries,Unused\r\n"
      "\"The \"\"Lease\"\", again\",\"One.\r\n\r\nTwo, three.\",https://x.example/1,2023-09-19,Jane Roe and John "
      "Doe,Iran; Iraq|Chad,x\r\n"
      "\r\n"
      "Second,Text.,,,,,\r\n",
      {.path = "articles.csv"}, 5);
  ASSERT_THAT(items, SizeIs(2));
  ASSERT_THAT(items[0].extraction, IsOk());
  const Article& article = items[0].extraction->article;
  EXPECT_EQ(article.title, "The \"Lease\", again");
  EXPECT_EQ(article.body, "One.\n\nTwo, three.");
  EXPECT_EQ(article.url, "https://x.example/1");
  EXPECT_TRUE(article.publish_time.has_value());
  EXPECT_THAT(article.authors, ElementsAre("Jane Roe", "John Doe"));
  EXPECT_THAT(article.source_labels, ElementsAre(SourceLabel{"country", "Iran"}, SourceLabel{"country", "Iraq"},
                                                 SourceLabel{"country", "Chad"}));
  EXPECT_EQ(items[0].position, "row 2");
  EXPECT_EQ(items[0].format, Format::kCsv);
  EXPECT_EQ(items[1].position, "row 3");
}

TEST(TableTest, RowsOfNothingButDividersArePassedOver) {
  const std::vector<SourceItem> items =
      ReadAll(",,\ntitle,body,url\n\n,,\none,Text.,\n , ,\n\"\",,\n\ntwo,Text.,\n,,\n", {.format = Format::kCsv});
  ASSERT_THAT(items, SizeIs(2));
  ASSERT_THAT(items[0].extraction, IsOk());
  ASSERT_THAT(items[1].extraction, IsOk());
  EXPECT_EQ(items[1].extraction->article.title, "two");
  EXPECT_EQ(items[1].position, "row 7") << "blank lines are no rows, as ever";
  const std::vector<SourceItem> none = ReadAll("title,body\n,\n,\n", {.format = Format::kCsv});
  ASSERT_THAT(none, SizeIs(1));
  EXPECT_THAT(none[0].extraction, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("without rows")));
}

TEST(TableTest, FindsTheDivider) {
  for (const char* divider : {",", ";", "\t", "|"}) {
    const std::string text = absl::StrCat("title", divider, "body\none", divider, "Text, and more.\n");
    const std::vector<SourceItem> items =
        ReadAll(divider[0] == ',' ? "title,body\none,\"Text, and more.\"\n" : text, {.format = Format::kCsv});
    ASSERT_THAT(items, SizeIs(1)) << divider;
    ASSERT_THAT(items[0].extraction, IsOk()) << divider;
    EXPECT_EQ(items[0].extraction->article.body, "Text, and more.") << divider;
  }
}

TEST(TableTest, ReadsTheCharsetsOfSpreadsheets) {
  std::string utf16 = "\xFF\xFE";
  for (const char c : std::string("title\tbody\nCaf\xE9\tText.\n")) {
    utf16 += c;
    utf16 += '\0';
  }
  for (const std::string& text : {utf16, std::string("title;body\nCaf\xE9;Text with a \x96 dash.\n"),
                                  std::string("\xEF\xBB\xBFtitle;body\nCaf\xC3\xA9;Text.\n")}) {
    const std::vector<SourceItem> items = ReadAll(text, {.format = Format::kCsv}, 3);
    ASSERT_THAT(items, SizeIs(1));
    ASSERT_THAT(items[0].extraction, IsOk());
    EXPECT_EQ(items[0].extraction->article.title, "Café");
  }
}

TEST(TableTest, AQuoteThatIsNotClosedIsNamed) {
  const std::vector<SourceItem> items =
      ReadAll("title,body\none,Text.\ntwo,\"open\nthree,Text.\n", {.format = Format::kCsv});
  ASSERT_THAT(items, SizeIs(2));
  EXPECT_THAT(items[0].extraction, IsOk());
  EXPECT_THAT(items[1].extraction, StatusIs(absl::StatusCode::kInvalidArgument, StartsWith("opens a quote")));
  EXPECT_TRUE(items.back().cuts_off);
}

TEST(TableTest, ARowBeyondTheLimitThatDoesNotEndIsTheLast) {
  const std::vector<SourceItem> items =
      ReadAll(absl::StrCat("title,body\none,Text.\ntwo,\"", std::string(100'000, 'x')),
              {.format = Format::kCsv, .max_item_bytes = 1000});
  ASSERT_THAT(items, SizeIs(2));
  EXPECT_THAT(items[0].extraction, IsOk());
  EXPECT_EQ(common::ReasonOf(items[1].extraction.status()), kDocumentTooLarge);
  EXPECT_EQ(items[1].position, "row 3");
}

TEST(TableTest, ARowBeyondTheLimitHarmsNoOther) {
  const std::string quotes(60'000, '"');  // An even number: so many halves of them.
  for (const std::string& cell :
       {std::string(100'000, 'x'), absl::StrCat("\"", std::string(100'000, 'x'), "\""),
        absl::StrCat("\"", quotes, "x\""), absl::StrCat("\"x\"", std::string(50'000, ' ')),
        absl::StrCat("\"x\"", std::string(50'000, ' '), "y\""), std::string(50'000, ' ') + "x" + quotes}) {
    const std::vector<SourceItem> items = ReadAll(absl::StrCat("title,body\none,Text.\ntwo,", cell, ",\nthree,Text.\n"),
                                                  {.format = Format::kCsv, .max_item_bytes = 1000}, 8192);
    ASSERT_GE(items.size(), 2U);
    EXPECT_THAT(items.back().extraction, IsOk());
    EXPECT_EQ(items.back().extraction->article.title, "three");
    EXPECT_EQ(items.back().position, "row 4");
    if (items.size() == 3 && !items[1].extraction.ok()) {
      EXPECT_EQ(common::ReasonOf(items[1].extraction.status()), kDocumentTooLarge);
      EXPECT_FALSE(items[1].cuts_off);
    }
  }
  const std::string rows = absl::StrCat("title,body\ntwo,\"", std::string(2'000, 'x'), "\n", std::string(20'000, 'x'));
  const std::vector<SourceItem> open =
      ReadAll(absl::StrCat(rows, "\"\nthree,Text.\n"), {.format = Format::kCsv, .max_item_bytes = 1000});
  ASSERT_THAT(open, SizeIs(2));
  EXPECT_THAT(open[0].extraction.status().message(), HasSubstr("a quote that is not closed?"));
  EXPECT_TRUE(open[0].cuts_off) << "nobody knows what is in it";
  EXPECT_THAT(open[1].extraction, IsOk());
}

TEST(TableTest, TheFirstLineMayNameTheDivider) {
  for (const char* line : {"sep=;\n", "SEP=;\r\n"}) {
    const std::vector<SourceItem> items = ReadAll(absl::StrCat(line, "title;body,url\none;Text.\n"), {.path = "x.csv"});
    ASSERT_THAT(items, SizeIs(1));
    ASSERT_THAT(items[0].extraction, IsOk());
    EXPECT_EQ(items[0].extraction->article.title, "one");
    EXPECT_EQ(items[0].position, "row 3");
  }
  const std::vector<SourceItem> tabs = ReadAll("sep=\t\ntitle\tbody\none\tText.\n", {.path = "x.csv"});
  ASSERT_THAT(tabs, SizeIs(1));
  EXPECT_THAT(tabs[0].extraction, IsOk());
}

TEST(TableTest, AHeaderOfUnknownNamesSaysHowToMapThem) {
  const std::vector<SourceItem> items = ReadAll("Headline,Text\none,Words.\n", {.format = Format::kCsv});
  ASSERT_THAT(items, SizeIs(1));
  EXPECT_THAT(items[0].extraction, StatusIs(absl::StatusCode::kInvalidArgument,
                                            StartsWith("names no column that is known; it has Headline, Text")));
  const std::vector<SourceItem> mapped =
      ReadAll("Headline,Full Text\none,Words.\n",
              {.format = Format::kCsv, .field_map = Map({"title=headline", "body=Full Text"})});
  ASSERT_THAT(mapped, SizeIs(1));
  ASSERT_THAT(mapped[0].extraction, IsOk());
  EXPECT_EQ(mapped[0].extraction->article.body, "Words.");
}

TEST(TableTest, CellsBeyondTheColumnsAreAWarning) {
  const std::vector<SourceItem> items = ReadAll("title,body\none,Text.,more,still\n", {.format = Format::kCsv});
  ASSERT_THAT(items, SizeIs(1));
  EXPECT_THAT(items[0].extraction->warnings, Contains(HasSubstr("4 cells")));
  for (const size_t before : {size_t{0}, size_t{400}}) {  // Also where a piece ends within the row.
    std::string table = "title,body\n";
    for (size_t i = 0; i < before; ++i) {
      table += "before,The text here.\n";
    }
    const std::vector<SourceItem> wide =
        ReadAll(absl::StrCat(table, "one,Text.", std::string(1'198, ','), "\ntwo,Text.\n"), {.format = Format::kCsv});
    ASSERT_THAT(wide, SizeIs(before + 2));
    EXPECT_THAT(wide[before].extraction->warnings, Contains(HasSubstr("1200 cells")));
    EXPECT_THAT(wide[before + 1].extraction, IsOk());
  }
}

constexpr char kLetter[] =
    "From: =?utf-8?q?The_Strait_Revi=C3=A8w?= <letters@x.example>\r\nTo: reader@y.example\r\n"
    "Date: Tue, 19 Sep 2023 10:30:00 +0200\r\nSubject: =?iso-8859-1?q?Caf=E9_and_lease?=\r\n"
    "Message-ID: <letter-1@x.example>\r\nList-Unsubscribe: <https://x.example/u>\r\nMIME-Version: 1.0\r\n"
    "Content-Type: multipart/alternative; boundary=\"b\"\r\n\r\n"
    "--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nRead this letter in your browser.\r\n"
    "--b\r\nContent-Type: text/html; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
    "<p>The caf=E9 on the quay closed when the ferries that cross the strait each morning stop=\r\nped.</p>"
    "<p>A second paragraph, in which the harbour master explains why nobody was told, and what it will cost.</p>\r\n"
    "--b\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment\r\n\r\n%PDF\r\n--b--\r\n";

TEST(MailTest, ReadsALetter) {
  const std::vector<SourceItem> items = ReadAll(kLetter, {.path = "letter.eml"}, 11);
  ASSERT_THAT(items, SizeIs(2));
  EXPECT_EQ(items[1].position, "message 1, attachment 1");
  EXPECT_EQ(common::ReasonOf(items[1].extraction.status()), kMalformedPdf);
  ASSERT_THAT(items[0].extraction, IsOk());
  const Article& article = items[0].extraction->article;
  EXPECT_EQ(article.title, "Café and lease");
  EXPECT_EQ(article.source, "The Strait Revièw");
  EXPECT_THAT(article.authors, ElementsAre());
  EXPECT_EQ(article.id, "letter-1@x.example");
  EXPECT_EQ(article.publish_time, absl::FromCivil(absl::CivilSecond(2023, 9, 19, 8, 30, 0), absl::UTCTimeZone()));
  EXPECT_THAT(article.body,
              HasSubstr("The café on the quay closed when the ferries that cross the strait each morning stopped."));
  EXPECT_THAT(article.body, HasSubstr("\n\nA second paragraph"));
  EXPECT_EQ(items[0].position, "message 1");
}

TEST(MailTest, SignaturesFootersAndQuotedLettersAreNoText) {
  const auto body = [](const std::string& text) {
    const std::vector<SourceItem> items = ReadAll(
        absl::StrCat("From: \"Roe, Jane (Institute)\" <j@x.example>\nSubject: S\n\n", text), {.format = Format::kMail});
    EXPECT_EQ(items.size(), 1U);
    EXPECT_THAT(items[0].extraction->article.authors, ElementsAre("Jane Roe"));
    return items[0].extraction->article.body;
  };
  const std::string text = "Nobody on the quay knows why the lease was signed.\n";
  const std::string shown = "Nobody on the quay knows why the lease was signed.";
  for (const char* below :
       {"", "\n--\nJane Roe | Institute\n",
        "\n______________________________________\nPorts mailing list\nhttps://x.example\n",
        "\n-- \nJane\n\n______________________________________\nPorts mailing list\n",
        "\nOn Tuesday, 4 May 2021, John Doe wrote:\n> Why was it signed?\n>\n> John\n",
        "\nOn Tuesday, 4 May 2021, at half past ten in the morning,\nJohn Doe <john@x.example> wrote:\n\n> Why?\n"}) {
    EXPECT_EQ(body(absl::StrCat(text, below)), shown) << below;
  }
  EXPECT_THAT(body(absl::StrCat("> Why was it signed?\n\n", text)), HasSubstr("Why was it signed?"));
}

TEST(TableTest, SaysWhichColumnMayHoldTheText) {
  const std::string table =
      absl::StrCat("Title,Content\nOne,<p>", std::string(300, 'a'), "</p>\nTwo,<p>", std::string(300, 'b'), "</p>\n");
  const std::vector<SourceItem> items = ReadAll(table, {.format = Format::kCsv});
  ASSERT_THAT(items, SizeIs(2));
  ASSERT_THAT(items[0].extraction, IsOk());
  EXPECT_THAT(items[0].extraction->warnings, Contains(HasSubstr("--map body_html=Content")));
  EXPECT_THAT(items[1].extraction->warnings, Not(Contains(HasSubstr("--map"))));
}

TEST(MailTest, AMessageMayBeginWithoutABlankLine) {
  const auto message = [](int number) {
    return absl::StrCat(
        "From x@y.example Tue May 20 06:00:00 2025\nSubject: Letter ", number,
        "\nFrom: Jane Roe <jane@x.example>\n\nThere we stayed.\nFrom there we left at 10:30 on Tuesday.\n",
        "From noon till 12:45 nothing happened, says letter ", number, ".\n");
  };
  const std::vector<SourceItem> items = ReadAll(absl::StrCat(message(1), message(2), message(3)));
  ASSERT_THAT(items, SizeIs(3));
  for (int i = 0; i < 3; ++i) {
    ASSERT_THAT(items[static_cast<size_t>(i)].extraction, IsOk());
    const Article& article = items[static_cast<size_t>(i)].extraction->article;
    EXPECT_EQ(article.title, absl::StrCat("Letter ", i + 1));
    EXPECT_THAT(article.body, HasSubstr(absl::StrCat("says letter ", i + 1)));
  }
}

TEST(MailTest, ReadsAMailbox) {
  const std::string plain =
      "From: Jane Roe <jane@x.example>\nSubject: Plain\n\nFirst paragraph, which was broken to a width of\nseventy "
      "columns "
      "or so by whatever wrote it.\n\n>From here it goes on; a line that looks like the start of another\n\n-- "
      "\nJane\n";
  const std::vector<SourceItem> items = ReadAll(
      absl::StrCat("From jane@x.example Tue Sep 19 10:30:00 2023\n", plain, "\nFrom x Tue Sep 19 10:31:00 2023\n",
                   kLetter, "\nFrom x Tue Sep 19 10:32:00 2023\nSubject: Empty\n\n"),
      {});
  ASSERT_THAT(items, SizeIs(4));
  ASSERT_THAT(items[0].extraction, IsOk());
  const Article& article = items[0].extraction->article;
  EXPECT_EQ(article.title, "Plain");
  EXPECT_THAT(article.authors, ElementsAre("Jane Roe"));
  EXPECT_EQ(article.body,
            "First paragraph, which was broken to a width of seventy columns or so by whatever wrote it.\n\n"
            "From here it goes on; a line that looks like the start of another");
  ASSERT_THAT(items[1].extraction, IsOk());
  EXPECT_EQ(items[1].extraction->article.title, "Café and lease");
  EXPECT_EQ(items[3].position, "message 3");
  EXPECT_THAT(items[3].extraction, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("holds no text")));
}

TEST(MailTest, AMessageBeyondTheLimitHarmsNoOther) {
  const std::vector<SourceItem> items =
      ReadAll(absl::StrCat("From a Tue Sep 19 10:30:00 2023\nSubject: Long\n\n", std::string(50'000, 'x'),
                           "\n\nFrom a Tue Sep 19 10:30:00 2023\nSubject: Short\n\nText.\n"),
              {.format = Format::kMail, .max_item_bytes = 10'000});
  ASSERT_THAT(items, SizeIs(2));
  EXPECT_EQ(common::ReasonOf(items[0].extraction.status()), kDocumentTooLarge);
  ASSERT_THAT(items[1].extraction, IsOk());
  EXPECT_EQ(items[1].extraction->article.body, "Text.");
}

// A multipart of `parts`, each with its header, blank line and text.
std::string Multipart(const std::string& kind, const std::string& boundary, const std::vector<std::string>& parts) {
  std::string text = absl::StrCat("Content-Type: multipart/", kind, "; boundary=", boundary, "\n\n");
  for (const std::string& part : parts) {
    absl::StrAppend(&text, "--", boundary, "\n", part, "\n");
  }
  return absl::StrCat(text, "--", boundary, "--\n");
}

std::string Plain(const std::string& text) { return absl::StrCat("Content-Type: text/plain\n\n", text); }

std::string Attachment(const std::string& type, const std::string& name, const std::string& content) {
  return absl::StrCat("Content-Type: ", type, "\nContent-Disposition: attachment; filename=\"", name, "\"\n\n",
                      content);
}

constexpr char kHead[] =
    "From: Jane Roe <jane@x.example>\nDate: Tue, 19 Sep 2023 10:30:00 +0000\nSubject: Look\n"
    "Message-ID: <look@x.example>\n";
constexpr char kPage[] =
    "<html><head><title>The Lease and the Fence</title></head><body><h1>The Lease and the Fence</h1><p>The harbour "
    "board met on Tuesday to decide on the new pier, and after four hours its members had agreed on nothing but the "
    "date of the next meeting.</p><p>The lease was signed in the evening, and the harbour master explains how it came "
    "about and what it will cost the town from now on.</p></body></html>";

TEST(MailTest, WhatIsForwardedIsAnArticleOfItsOwn) {
  const std::string forwarded = absl::StrCat("Content-Type: message/rfc822\n\n", kLetter);
  for (const std::string& letter :
       {absl::StrCat(kHead, Multipart("mixed", "m", {Plain("For your information."), forwarded})),
        absl::StrCat(kHead, Multipart("mixed", "m", {forwarded})), absl::StrCat(kHead, forwarded)}) {
    const bool has_text = absl::StrContains(letter, "For your information");
    const std::vector<SourceItem> items = ReadAll(letter);
    ASSERT_THAT(items, SizeIs(has_text ? 3 : 2)) << "one that has no text of its own is no article";
    if (has_text) {
      EXPECT_EQ(items[0].position, "message 1");
      EXPECT_EQ(items[0].extraction->article.body, "For your information.");
    }
    const SourceItem& item = items[has_text ? 1 : 0];
    EXPECT_EQ(item.position, "message 1, forwarded message 1");
    ASSERT_THAT(item.extraction, IsOk());
    EXPECT_EQ(item.extraction->article.title, "Café and lease");
    EXPECT_EQ(item.extraction->article.source, "The Strait Revièw");
    EXPECT_EQ(item.extraction->article.id, "letter-1@x.example");
    EXPECT_EQ(items.back().position, "message 1, forwarded message 1, attachment 1");
  }
}

TEST(MailTest, AttachedTextIsAnArticleOfItsOwn) {
  const std::vector<SourceItem> items = ReadAll(absl::StrCat(
      kHead, Multipart("mixed", "m",
                       {Plain("See attached."), Attachment("text/html", "page.html", kPage),
                        Attachment("application/octet-stream", "notes.txt", "A note on the pier, and nothing more."),
                        Attachment("text/html", "ATT00001.htm", " \n"), Attachment("image/png", "logo.png", "x")})));
  ASSERT_THAT(items, SizeIs(3));
  ASSERT_THAT(items[0].extraction, IsOk());
  EXPECT_EQ(items[0].extraction->article.body, "See attached.");
  EXPECT_THAT(items[0].extraction->warnings, ElementsAre()) << "pictures and blank pages are no loss";
  EXPECT_EQ(items[1].position, "message 1, attachment page.html");
  ASSERT_THAT(items[1].extraction, IsOk());
  const Article& page = items[1].extraction->article;
  EXPECT_EQ(page.title, "The Lease and the Fence");
  EXPECT_THAT(page.body, HasSubstr("The lease was signed in the evening"));
  EXPECT_EQ(page.publish_time, items[0].extraction->article.publish_time);
  EXPECT_EQ(page.id, "");
  EXPECT_EQ(items[2].position, "message 1, attachment notes.txt");
  ASSERT_THAT(items[2].extraction, IsOk());
  EXPECT_EQ(items[2].extraction->article.title, "Look");
  EXPECT_EQ(items[2].extraction->article.body, "A note on the pier, and nothing more.");
}

TEST(MailTest, WhatIsNotReadIsNamed) {
  const std::string sheet = Attachment("text/plain", "figures.csv", "a,b");
  const std::string paper = Attachment("application/msword", "paper.doc", "x");
  const std::vector<SourceItem> items =
      ReadAll(absl::StrCat(kHead, Multipart("mixed", "m", {Plain("See attached."), sheet, paper})));
  ASSERT_THAT(items, SizeIs(1));
  ASSERT_THAT(items[0].extraction, IsOk());
  EXPECT_THAT(items[0].extraction->warnings,
              ElementsAre("attachments: not read: \"figures.csv\" (text/plain), \"paper.doc\" (application/msword); "
                          "attachments may be text, HTML, PDF and messages"));
  const std::vector<SourceItem> alone = ReadAll(absl::StrCat(kHead, Multipart("mixed", "m", {paper})));
  ASSERT_THAT(alone, SizeIs(1));
  EXPECT_THAT(alone[0].extraction, StatusIs(absl::StatusCode::kInvalidArgument,
                                            HasSubstr("holds no text; not read: \"paper.doc\" (application/msword)")));
}

TEST(MailTest, ATextInSeveralPartsIsReadWhole) {
  const std::string html =
      absl::StrCat("Content-Type: text/html\n\n<p>The harbour board met on Tuesday to decide on the new pier.</p>");
  const std::vector<SourceItem> items =
      ReadAll(absl::StrCat(kHead, Multipart("mixed", "m",
                                            {Plain("First."), Attachment("image/png", "pier.png", "x"),
                                             Plain("Second."), Plain("____________________\nPier mailing list")})));
  ASSERT_THAT(items, SizeIs(1));
  ASSERT_THAT(items[0].extraction, IsOk());
  EXPECT_EQ(items[0].extraction->article.body, "First.\n\nSecond.");
  EXPECT_THAT(items[0].extraction->warnings, ElementsAre());
  // A branch of the alternatives may have several parts; the other branch says the same.
  const std::vector<SourceItem> either = ReadAll(
      absl::StrCat(kHead, Multipart("alternative", "a",
                                    {Plain("All in plain text."),
                                     Multipart("mixed", "m", {html, "Content-Type: text/html\n\n<p>Signed."})})));
  ASSERT_THAT(either, SizeIs(1));
  ASSERT_THAT(either[0].extraction, IsOk());
  EXPECT_EQ(either[0].extraction->article.body,
            "The harbour board met on Tuesday to decide on the new pier.\n\nSigned.");
  EXPECT_THAT(either[0].extraction->warnings, ElementsAre());
  const std::vector<SourceItem> both =
      ReadAll(absl::StrCat(kHead, Multipart("mixed", "m", {Plain("Dear all, please read on."), html})));
  ASSERT_THAT(both, SizeIs(1));
  ASSERT_THAT(both[0].extraction, IsOk());
  EXPECT_THAT(both[0].extraction->warnings, ElementsAre(HasSubstr("1 part in plain text beside it is not read")));
}

// `count` multiparts within each other around a text.
std::string Nested(int count) {
  std::string text = kHead;
  for (int i = 0; i < count; ++i) {
    absl::StrAppend(&text, "Content-Type: multipart/mixed; boundary=\"b", i, "\"\n\n--b", i, "\n");
  }
  return absl::StrCat(text, "\nText.\n");
}

TEST(MailTest, NestingIsReadToADepth) {
  const std::vector<SourceItem> items = ReadAll(Nested(50), {.format = Format::kMail});
  ASSERT_THAT(items, SizeIs(1));
  ASSERT_THAT(items[0].extraction, IsOk());
  EXPECT_EQ(items[0].extraction->article.body, "Text.");
  for (const int count : {51, 5000}) {
    const std::vector<SourceItem> deep = ReadAll(Nested(count), {.format = Format::kMail});
    ASSERT_THAT(deep, SizeIs(1));
    EXPECT_THAT(deep[0].extraction, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("more than 50 deep")));
  }
  std::string forwarded;
  for (int i = 0; i < 5000; ++i) {
    absl::StrAppend(&forwarded, "From: a@x.example\nSubject: Fwd\nContent-Type: message/rfc822\n\n");
  }
  const std::vector<SourceItem> chain = ReadAll(absl::StrCat(forwarded, "\nText."), {.format = Format::kMail});
  ASSERT_THAT(chain, SizeIs(1));
  EXPECT_THAT(chain[0].extraction, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("more than 50 deep")));
}

TEST(MailTest, PartsBeyondTheLimitAreNamed) {
  const std::vector<SourceItem> items =
      ReadAll(absl::StrCat(kHead, Multipart("mixed", "m", std::vector<std::string>(1200, Plain("Part.")))), {}, 65'536);
  ASSERT_THAT(items, SizeIs(1));
  ASSERT_THAT(items[0].extraction, IsOk());
  EXPECT_THAT(items[0].extraction->warnings, ElementsAre("attachments: parts after the first 1000 are not read"));
  // Each of the lines is compared with a thousand dividers.
  const std::vector<SourceItem> hostile =
      ReadAll(absl::StrCat(Nested(1000), absl::StrReplaceAll(std::string(100'000, 'x'), {{"x", "--\n"}})), {}, 65'536);
  ASSERT_THAT(hostile, SizeIs(1));
  EXPECT_THAT(hostile[0].extraction, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("too many parts")));
}

}  // namespace
}  // namespace dateline::extraction
