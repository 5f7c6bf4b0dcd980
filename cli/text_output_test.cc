#include "cli/text_output.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "cli/json_output.h"
#include "cli/rpc_clients.h"
#include "common/error.h"

namespace dateline::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

namespace apb = article::v1;
namespace cpb = classifier::v1;
namespace spb = search::v1;

constexpr TextStyle kPlain = {.color = false, .columns = 120};

void AddEvidence(cpb::CountryTag& tag, const std::string& text, const std::string& kind,
                 apb::SetAside set_aside = apb::SET_ASIDE_UNSPECIFIED) {
  apb::Evidence& evidence = *tag.add_evidence();
  evidence.set_text(text);
  evidence.set_kind(kind);
  evidence.set_set_aside(set_aside);
  evidence.mutable_span()->set_field("body");
}

TEST(FormatTagsTest, ShowsScoresAndTheWordsBehindThem) {
  apb::Article article;
  article.set_title("Tehran and Moscow draw closer");
  cpb::ClassifyResponse response;
  response.set_country_outcome(apb::TAG_OUTCOME_TAGGED);
  response.set_issue_outcome(apb::TAG_OUTCOME_ABSTAINED);
  cpb::CountryTag& tag = *response.add_countries();
  tag.set_region_code("IR");
  tag.set_display_name("Iran");
  tag.set_score(0.97);
  tag.set_primary(true);
  AddEvidence(tag, "Iranian", "DEMONYM");
  AddEvidence(tag, "iranian", "DEMONYM");
  AddEvidence(tag, "Tehran", "CAPITAL");
  AddEvidence(tag, "Persian Gulf", "NAME", apb::SET_ASIDE_BLOC);
  const std::string text = FormatTags(article, response, kPlain);
  EXPECT_THAT(text, HasSubstr("Iran (IR)"));
  EXPECT_THAT(text, HasSubstr("0.97  primary"));
  EXPECT_THAT(text, HasSubstr("“Iranian” ×2 (demonym), “Tehran” (capital)"));
  EXPECT_THAT(text, HasSubstr("not counted: “Persian Gulf” (bloc)"));
  EXPECT_THAT(text, HasSubstr("none: nothing applies strongly enough"));
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
}

TEST(FormatTagsTest, SaysWhatAPriorAddsAndSetsLongTargetsApart) {
  cpb::ClassifyResponse response;
  cpb::CountryTag& tag = *response.add_countries();
  tag.set_region_code("OM");
  tag.set_display_name("Oman");
  apb::Evidence& prior = *tag.add_evidence();
  prior.set_text("expected by the caller");
  prior.set_kind("PRIOR");
  prior.set_weight(1.5);
  cpb::Mention& mention = *response.add_mentions();
  mention.set_group_id("soviet_union");
  mention.set_text("Soviet");
  mention.set_kind("DEMONYM");
  const std::string text = FormatTags(apb::Article(), response, kPlain);
  EXPECT_THAT(text, HasSubstr("expected by the caller: +1.5 (prior)"));
  EXPECT_THAT(text, HasSubstr("soviet_union  Soviet (demonym)"));
}

TEST(HighlightTest, MarksRangesAndPassesOverThoseThatDoNotFit) {
  google::protobuf::RepeatedPtrField<spb::TextRange> ranges;
  const auto add = [&ranges](int start, int end) {
    spb::TextRange& range = *ranges.Add();
    range.set_start(start);
    range.set_end(end);
  };
  add(0, 4);
  add(2, 6);     // Overlaps.
  add(8, 8);     // Empty.
  add(12, 400);  // Beyond the end.
  EXPECT_EQ(Highlight("Iran and Oman", ranges, kPlain), "[Iran] and Oman");
  EXPECT_EQ(Highlight("Iran and Oman", ranges, {.color = true}), "\x1b[1;33mIran\x1b[0m and Oman");
}

TEST(WrapTest, BreaksAtSpacesAndCountsCodePointsNotBytesNorColours) {
  EXPECT_EQ(Wrap("one two three", 7, ""), "one two\nthree");
  EXPECT_EQ(Wrap("één twéé drié", 8, ""), "één twéé\ndrié");
  EXPECT_EQ(Wrap("\x1b[1mone\x1b[0m two", 7, ""), "\x1b[1mone\x1b[0m two");
  EXPECT_EQ(Wrap("unbreakable", 3, "  "), "  unbreakable");
  EXPECT_EQ(Wrap("", 10, "  "), "");
}

TEST(FormatSearchTest, ShowsHitsFacetsAndHowTheQueryWasRead) {
  spb::SearchResponse response;
  response.mutable_total()->set_value(12);
  response.mutable_total()->set_relation(spb::TOTAL_RELATION_EXACT);
  response.mutable_timing()->set_total_ms(3.25);
  spb::RecognizedName& name = *response.mutable_interpretation()->add_recognized();
  name.set_text("iran");
  name.set_display_name("Iran");
  name.set_action(spb::INTERPRETATION_MODE_BOOST);
  response.mutable_interpretation()->set_corrected_query("iran sanctions");
  spb::SearchHit& hit = *response.add_hits();
  hit.mutable_article()->set_title("Sanctions bite");
  hit.mutable_article()->set_url("https://example.org/a");
  hit.mutable_article()->set_source("The Meridian");
  apb::Label& label = *hit.mutable_article()->add_labels();
  label.set_region_code("IR");
  label.set_display_name("Iran");
  label.set_primary(true);
  spb::FacetResult& facet = *response.add_facets();
  facet.set_field("region_code");
  spb::FacetValue& value = *facet.add_values();
  value.set_id("IR");
  value.set_display_name("Iran");
  value.set_count(7);
  EXPECT_THAT(
      FormatSearch(response, {.skip = 10, .facet_names = {}}, kPlain),
      AllOf(HasSubstr("12 articles in 3.2 ms"), HasSubstr("“iran” read as Iran (ranked higher)"),
            HasSubstr("Did you mean: iran sanctions?"), HasSubstr(" 11 Sanctions bite"),
            HasSubstr("The Meridian · Iran*"), HasSubstr("https://example.org/a"), HasSubstr("region_code   Iran 7")));
}

TEST(FormatSearchTest, CallsFacetsAsTheyWereAskedFor) {
  spb::SearchResponse response;
  response.add_facets()->set_field("region_code");
  response.add_facets()->set_field("source");
  const std::string text = FormatSearch(response, {.skip = 0, .facet_names = {"country", "source"}}, kPlain);
  EXPECT_THAT(text, AllOf(HasSubstr("country       none"), HasSubstr("source        none")));
  EXPECT_THAT(text, Not(HasSubstr("region_code")));
}

TEST(FormatSearchTest, SetsAHeadingOffFromTheTextBelow) {
  spb::SearchResponse response;
  spb::Snippet& snippet = *response.add_hits()->add_snippets();
  snippet.set_field("body");
  snippet.set_text("What changed\n\nTwo things moved.\n\nThe dam is owned\nby three.");
  spb::TextRange& range = *snippet.add_ranges();
  range.set_start(5);
  range.set_end(12);
  EXPECT_THAT(FormatSearch(response, {}, kPlain),
              HasSubstr("What [changed] · Two things moved. The dam is owned by three."));
  EXPECT_THAT(FormatSearch(response, {}, {.color = true, .columns = 120}),
              HasSubstr("\x1b[0m · Two things moved. The"));
}

TEST(FormatArticleTest, LeavesOutASummaryThatTheBodyBeginsWith) {
  apb::Article article;
  article.set_body("Two things moved.\n\nUzbekistan acquired a leadership that prefers neighbours.");
  for (const char* summary : {"Two things moved. Uzbekistan acquired a lead…", "Two  things moved.", "two things..."}) {
    article.set_summary(summary);
    EXPECT_EQ(FormatArticle(article, kPlain),
              "\n\nTwo things moved.\n\nUzbekistan acquired a leadership that prefers neighbours.\n")
        << summary;
  }
  article.set_summary("A river and three neighbours.");
  EXPECT_THAT(FormatArticle(article, kPlain), HasSubstr("  A river and three neighbours.\n"));
}

TEST(FormatBlocksTest, SaysWhatTheNumberIsAndPrintsNoneWhereARuleDecided) {
  const std::string text = FormatBlocks({{.text = "The talks went on.", .kept = true, .reason = "text", .score = 18.0},
                                         {.text = "Subscribe", .kept = false, .reason = "newsletter", .score = {}}},
                                        kPlain);
  EXPECT_THAT(text, HasSubstr("  why                     score  text\n"));
  EXPECT_THAT(text, HasSubstr("+ text                     18.0  The talks went on.\n"));
  EXPECT_THAT(text, HasSubstr("- newsletter                     Subscribe\n"));
}

TEST(FormatIngestLineTest, ARejectionSaysWhereAndWhy) {
  IngestLine line;
  line.set_source("in.jsonl");
  line.set_position("line 3");
  line.set_outcome(spb::INGEST_OUTCOME_REJECTED);
  line.mutable_error()->set_reason("NOT_AN_ARTICLE");
  line.mutable_error()->set_message("no article found");
  line.add_warnings("the date is in the future");
  EXPECT_EQ(FormatIngestLine(line, false, kPlain),
            "rejected   in.jsonl, line 3: no article found [NOT_AN_ARTICLE]\n"
            "           note: the date is in the future\n");
}

TEST(FormatDeletionTest, SaysWhichAndWhy) {
  DeletionLine::Deletion deletion;
  deletion.set_id("a1");
  deletion.set_url("https://x.example/1");
  deletion.set_outcome("deleted");
  deletion.set_reason("gone");
  EXPECT_EQ(FormatDeletion(deletion, kPlain), "deleted    a1  https://x.example/1  gone\n");
  deletion.set_outcome("would be deleted");
  EXPECT_EQ(FormatDeletion(deletion, kPlain), "to delete  a1  https://x.example/1  gone\n");
  deletion.set_outcome("changed");
  EXPECT_EQ(FormatDeletion(deletion, kPlain), "kept       a1  https://x.example/1  gone, but changed meanwhile\n");
}

TEST(FormatIngestLineTest, WarningsOfWhatWasTakenAreForTheVerbose) {
  IngestLine line;
  line.set_id("a1");
  line.set_title("Sanctions bite");
  line.set_outcome(spb::INGEST_OUTCOME_CREATED);
  line.add_warnings("the date is in the future");
  EXPECT_EQ(FormatIngestLine(line, false, kPlain), "created    a1  Sanctions bite\n");
  EXPECT_THAT(FormatIngestLine(line, true, kPlain), HasSubstr("note: the date is in the future"));
}

TEST(ToJsonTest, AllFieldsMeansThatAProgramMayCountOnLists) {
  ClassifyLine line;
  line.set_id("a1");
  const std::string json = ToJson(line, JsonLayout::kLine, JsonFields::kAll);
  EXPECT_THAT(json, AllOf(HasSubstr(R"("id":"a1")"), HasSubstr(R"("countries":[])"), HasSubstr(R"("issues":[])"),
                          Not(HasSubstr("error"))));
  EXPECT_EQ(json.find('\n'), json.size() - 1);
  EXPECT_EQ(ToJson(line, JsonLayout::kLine, JsonFields::kSet), "{\"id\":\"a1\"}\n");
}

TEST(DescribeErrorTest, NamesFieldsReasonAndWhenToTryAgain) {
  const absl::Status one = common::InvalidField("page_size", "must not be negative");
  EXPECT_EQ(DescribeError(one), "page_size: must not be negative");
  const absl::Status several =
      common::WithReason(common::InvalidFields({{"filter", "is not closed"}, {"skip", "is negative"}}), "BAD_QUERY");
  EXPECT_THAT(DescribeError(several), AllOf(HasSubstr("filter"), HasSubstr("skip"), HasSubstr("[BAD_QUERY]")));
  EXPECT_THAT(DescribeError(common::ResourceExhausted("busy", absl::Seconds(2))), HasSubstr("try again in 2s"));
}

TEST(ExplainTest, SaysWhichServerAndWhatToDo) {
  const Endpoint endpoint = {"search_service", "127.0.0.1:1", "--search"};
  const absl::Status refused = Explain(endpoint, absl::UnavailableError("connection refused"), absl::Seconds(30));
  EXPECT_THAT(refused.message(),
              AllOf(HasSubstr("search_service at 127.0.0.1:1 does not answer"), HasSubstr("--search")));
  // Of gRPC's words the cause is left.
  EXPECT_THAT(Explain(endpoint,
                      absl::UnavailableError("failed to connect to all addresses; last error: UNKNOWN: "
                                             "ipv4:127.0.0.1:1: Failed to connect to remote host: Connection refused"),
                      absl::Seconds(30))
                  .message(),
              HasSubstr("does not answer: Connection refused. Is it running"));
  const absl::Status slow = Explain(endpoint, absl::DeadlineExceededError("x"), absl::Seconds(30));
  EXPECT_THAT(slow.message(), AllOf(HasSubstr("within 30s"), HasSubstr("--timeout")));
}

TEST(TextOutputTest, AnEmptyIndexWasNeverUpdated) {
  search::v1::GetIndexInfoResponse info;
  info.mutable_index_time();
  EXPECT_THAT(FormatIndexInfo(info, TextStyle{}), Not(HasSubstr("index updated")));
  info.mutable_index_time()->set_seconds(1'700'000'000);
  EXPECT_THAT(FormatIndexInfo(info, TextStyle{}), HasSubstr("2023-11-14 22:13:20 UTC"));
}

}  // namespace
}  // namespace dateline::cli
