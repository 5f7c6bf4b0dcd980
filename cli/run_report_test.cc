#include "cli/run_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/support/status_matchers.h"

namespace dateline::cli {
namespace {

using ::testing::HasSubstr;

IngestLine Line(search::v1::IngestOutcome outcome, const std::string& reason = "") {
  IngestLine line;
  line.set_source("in.jsonl");
  line.set_position("line 7");
  line.set_outcome(outcome);
  if (!reason.empty()) {
    line.mutable_error()->set_reason(reason);
    line.mutable_error()->set_message("why it was not taken");
  }
  return line;
}

TEST(RejectLimitTest, TakesNumbersAndShares) {
  const auto ten = RejectLimit::Parse("10");
  ASSERT_TRUE(ten.ok());
  EXPECT_TRUE(ten->Allows(10, 10));
  EXPECT_FALSE(ten->Allows(11, 1'000'000));
  const auto share = RejectLimit::Parse("2.5%");
  ASSERT_TRUE(share.ok());
  EXPECT_TRUE(share->Allows(25, 1'000));
  EXPECT_FALSE(share->Allows(26, 1'000));
  EXPECT_TRUE(share->Allows(0, 0));
}

TEST(RejectLimitTest, AllowsNoneByDefault) {
  EXPECT_TRUE(RejectLimit().Allows(0, 100));
  EXPECT_FALSE(RejectLimit().Allows(1, 100));
}

TEST(RejectLimitTest, RefusesWhatIsNeither) {
  for (const char* text : {"", "%", "-1", "101%", "nan%", "ten", "1.5", "5 %x"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(RejectLimit::Parse(text).status())) << text;
  }
}

TEST(RunReportTest, CountsByOutcomeAndListsWhatWasRejected) {
  RunReport report(absl::UnixEpoch());
  report.Add(Line(search::v1::INGEST_OUTCOME_CREATED));
  report.Add(Line(search::v1::INGEST_OUTCOME_CREATED));
  report.Add(Line(search::v1::INGEST_OUTCOME_UNCHANGED));
  report.Add(Line(search::v1::INGEST_OUTCOME_REJECTED, "NOT_AN_ARTICLE"));
  const RunReport::End end = {.time = absl::UnixEpoch() + absl::Seconds(2),
                              .exit_code = kExitSomeRejected,
                              .reached = "visible",
                              .skipped_files = 3};
  const auto json = nlohmann::json::parse(report.Json(end));
  EXPECT_EQ(json["total"], 4);
  EXPECT_EQ(json["exitCode"], 3);
  EXPECT_EQ(json["outcomes"]["created"], 2);
  EXPECT_EQ(json["outcomes"]["updated"], 0);
  EXPECT_EQ(json["rejectedByReason"]["NOT_AN_ARTICLE"], 1);
  EXPECT_EQ(json["rejected"][0]["source"], "in.jsonl");
  EXPECT_EQ(json["rejected"][0]["position"], "line 7");
  EXPECT_EQ(json["rejectedListComplete"], true);
  EXPECT_EQ(json["articlesPerSecond"], 2.0);
  EXPECT_THAT(report.Summary(end), HasSubstr("4 articles: 2 created, 1 unchanged, 1 rejected; 2.0 s, 2.0/s; visible"));
}

TEST(RunReportTest, CountsSourcesThatWereNotReadToTheirEnds) {
  RunReport report(absl::UnixEpoch());
  IngestLine line;
  line.set_outcome(search::v1::INGEST_OUTCOME_REJECTED);
  report.Add(line);
  report.Add(line, /*cuts_off=*/true);
  EXPECT_EQ(report.cut_off(), 1);
  EXPECT_EQ(report.rejected(), 2);
  EXPECT_NE(report.Summary({.time = absl::UnixEpoch()}).find("1 source not read to the end"), std::string::npos);
}

TEST(RunReportTest, NamesArticlesThatReplaceOthersOfTheSameRun) {
  RunReport report(absl::UnixEpoch());
  const auto add = [&](search::v1::IngestOutcome outcome, const std::string& id, const std::string& position) {
    IngestLine line = Line(outcome);
    line.set_id(id);
    line.set_position(position);
    report.Add(line);
  };
  add(search::v1::INGEST_OUTCOME_CREATED, "1", "line 1");
  add(search::v1::INGEST_OUTCOME_UPDATED, "2", "line 2");  // Of an earlier run.
  add(search::v1::INGEST_OUTCOME_UNCHANGED, "1", "line 3");
  EXPECT_EQ(report.ReplacedNote(), "");
  add(search::v1::INGEST_OUTCOME_UPDATED, "1", "line 4");
  EXPECT_THAT(report.ReplacedNote(), HasSubstr("1 article has replaced"));
  add(search::v1::INGEST_OUTCOME_UPDATED, "2", "line 5");
  EXPECT_THAT(report.ReplacedNote(), HasSubstr("2 articles have replaced"));
  EXPECT_THAT(report.ReplacedNote(), HasSubstr("\"1\", in.jsonl, line 4"));
  EXPECT_EQ(nlohmann::json::parse(report.Json({.time = absl::UnixEpoch()}))["replacedInRun"], 2);
}

TEST(RunReportTest, SaysWhatWasWaitedForAndNotReached) {
  RunReport report(absl::UnixEpoch());
  report.Add(Line(search::v1::INGEST_OUTCOME_CREATED));
  const RunReport::End end = {.time = absl::UnixEpoch() + absl::Seconds(2),
                              .exit_code = kExitNotReached,
                              .waited_for = "labelled",
                              .reached = "visible",
                              .shortfall = "not labelled after 1m"};
  EXPECT_THAT(report.Summary(end), HasSubstr("; visible, not labelled"));
  const auto json = nlohmann::json::parse(report.Json(end));
  EXPECT_EQ(json["exitCode"], 4);
  EXPECT_EQ(json["waitedFor"], "labelled");
  EXPECT_EQ(json["reached"], "visible");
  EXPECT_EQ(json["shortfall"], "not labelled after 1m");
}

TEST(RunReportTest, SaysWhatADryRunWouldDo) {
  RunReport report(absl::UnixEpoch());
  IngestLine line;
  line.set_would_be_sent(true);
  report.Add(line);
  report.Add(Line(search::v1::INGEST_OUTCOME_REJECTED, "EMPTY_DOCUMENT"));
  RunReport::End end = {.time = absl::UnixEpoch(), .dry_run = true};
  end.deletions = {.stored = 30, .missing = 2, .kept = 0, .deleted_ids = {"a", "b"}, .held_back = ""};
  EXPECT_THAT(report.Summary(end),
              HasSubstr("2 articles: 1 rejected, 1 would be sent, 2 would be deleted of 30 stored"));
  const auto json = nlohmann::json::parse(report.Json(end));
  EXPECT_EQ(json["dryRun"], true);
  EXPECT_EQ(json["wouldBeSent"], 1);
  EXPECT_EQ(json["deletions"]["deletedIds"], nlohmann::json({"a", "b"}));
}

TEST(RunReportTest, CountsDatesAndLanguagesThatWereDropped) {
  RunReport report(absl::UnixEpoch());
  IngestLine line = Line(search::v1::INGEST_OUTCOME_CREATED);
  line.add_warnings("date: \"30/30/2024\" is no date that can be read for certain and was dropped; write 2023-09-19");
  line.add_warnings("language_code: what is stated is no language tag (\"en\") and was left out");
  line.add_warnings("body: none found");
  report.Add(line);
  line.clear_warnings();
  line.add_warnings("date: \"2999-01-01\" is too far in the future and was dropped");
  report.Add(line);
  line.clear_warnings();
  line.add_warnings(
      "publish_time: 1301-01-01T00:00:00Z is before the year 1400 or more than a year ahead, and was dropped");
  report.Add(line);
  EXPECT_THAT(report.Summary({.time = absl::UnixEpoch()}),
              HasSubstr("; 3 dates could not be read (-v); 1 language could not be read (-v)"));
  const auto json = nlohmann::json::parse(report.Json({.time = absl::UnixEpoch()}));
  EXPECT_EQ(json["datesDropped"], 3);
  EXPECT_EQ(json["languagesDropped"], 1);
}

TEST(RunReportTest, APageThatIsGoneIsNotRejected) {
  RunReport report(absl::UnixEpoch());
  EXPECT_EQ(report.GoneNote(), "");
  report.Add(Line(search::v1::INGEST_OUTCOME_CREATED));
  report.AddGone("https://x.example/1");
  report.AddGone("https://x.example/2");
  EXPECT_EQ(report.rejected(), 0);
  EXPECT_EQ(report.total(), 1);
  EXPECT_THAT(report.GoneNote(),
              HasSubstr("2 pages that the places name are gone (404 or 410); the first: https://x.example/1"));
  const RunReport::End end = {.time = absl::UnixEpoch(), .deletions = RunReport::Deletions{.stored = 30}};
  EXPECT_THAT(report.Summary(end), HasSubstr("1 article: 1 created, 2 pages gone, 0 deleted of 30 stored"));
  const auto json = nlohmann::json::parse(report.Json(end));
  EXPECT_EQ(json["gone"], 2);
  EXPECT_EQ(json["goneUrls"].size(), 2U);
}

TEST(RunReportTest, ANewVersionInTheNextRoundReplacesNothingOfThisRun) {
  RunReport report(absl::UnixEpoch());
  IngestLine line = Line(search::v1::INGEST_OUTCOME_CREATED);
  line.set_id("1");
  report.Add(line);
  report.NextRound();
  line.set_outcome(search::v1::INGEST_OUTCOME_UPDATED);
  report.Add(line);
  EXPECT_EQ(report.ReplacedNote(), "");
}

TEST(RunReportTest, MemoryIsBoundedHoweverMuchIsRejected) {
  RunReport report(absl::UnixEpoch());
  for (int i = 0; i < 10'050; ++i) report.Add(Line(search::v1::INGEST_OUTCOME_REJECTED, "EMPTY_DOCUMENT"));
  const auto json = nlohmann::json::parse(report.Json({.time = absl::UnixEpoch()}));
  EXPECT_EQ(json["rejected"].size(), 10'000U);
  EXPECT_EQ(json["rejectedListComplete"], false);
  EXPECT_EQ(json["outcomes"]["rejected"], 10'050);
  EXPECT_EQ(report.rejected(), 10'050);
}

TEST(RunReportTest, NamesThatAreNotUtf8DoNotBreakTheReport) {
  RunReport report(absl::UnixEpoch());
  IngestLine line = Line(search::v1::INGEST_OUTCOME_REJECTED, "EMPTY_DOCUMENT");
  line.set_source("caf\xe9.html");
  report.Add(line);
  EXPECT_TRUE(nlohmann::json::accept(report.Json({.time = absl::UnixEpoch()})));
}

}  // namespace
}  // namespace dateline::cli
