#include "search_service/relabeling.h"

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "search_service/engine_test_util.h"

namespace dateline::search {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class RelabelingTest : public ::testing::Test {
 protected:
  void Open(bool relabel_outdated = false, double rate = 1e6) {
    Engine::Options options;
    options.data_dir = dir_.path() + "/data";
    options.label_grace = absl::ZeroDuration();
    options.min_commit_interval = absl::ZeroDuration();
    options.taxonomy_refresh = absl::Milliseconds(20);
    options.min_backoff = absl::Milliseconds(5);
    options.max_backoff = absl::Milliseconds(20);
    options.relabel_outdated = relabel_outdated;
    options.relabel_rate = rate;
    engine_ = nullptr;
    absl::StatusOr<std::unique_ptr<Engine>> engine = Engine::Open(options, labeler_);
    ASSERT_TRUE(engine.ok()) << engine.status();
    engine_ = *std::move(engine);
  }

  void IngestTalks(int count) {
    for (int i = 0; i < count; ++i) {
      Article article = MakeArticle(absl::StrCat("a", i), "Talks", absl::StrCat("Talks about oil in Iran, number ", i));
      article.source = i % 2 == 0 ? "Even" : "Odd";
      IngestAndWait(*engine_, std::move(article));
    }
    Settle(*engine_, Progress::kLabelled);
  }

  JobInfo Finish(const std::string& id) {
    const absl::Time limit = Soon();
    while (absl::Now() < limit) {
      const absl::StatusOr<JobInfo> job = engine_->jobs().Get(id);
      if (!job.ok() || job->end_time != absl::InfiniteFuture()) return job.value_or(JobInfo());
      absl::SleepFor(absl::Milliseconds(2));
    }
    ADD_FAILURE() << "the job does not end";
    return {};
  }
  JobInfo Relabel(const RelabelRequest& request) {
    const absl::StatusOr<JobInfo> job = engine_->RelabelArticles(request);
    EXPECT_TRUE(job.ok()) << job.status();
    return job.ok() ? Finish(job->id) : JobInfo();
  }

  std::vector<std::string> TagsOf(const std::string& id) {
    std::vector<std::string> tags;
    const absl::StatusOr<Article> article = engine_->Get(id);
    if (article.ok()) {
      for (const Label& label : EffectiveLabels(*article)) tags.push_back(label.id);
    }
    return tags;
  }

  TempDir dir_;
  std::shared_ptr<FakeLabeler> labeler_ = std::make_shared<FakeLabeler>();
  std::unique_ptr<Engine> engine_;
};

TEST_F(RelabelingTest, AShadowRunTellsWhatWouldComeAndGoAndChangesNothing) {
  Open();
  IngestTalks(100);
  labeler_->Upgrade();
  const uint64_t before = engine_->durable_seq();
  const JobInfo job = Relabel({.validate_only = true});
  ASSERT_EQ(job.state, JobState::kSucceeded) << job.error;
  EXPECT_THAT(job.message, HasSubstr("100 articles tagged again: the tags of 100 would change"));
  ASSERT_TRUE(job.relabel_report.has_value());
  EXPECT_EQ(job.relabel_report->article_count, 100);
  EXPECT_EQ(job.relabel_report->changed_count, 100);
  ASSERT_EQ(job.relabel_report->changes.size(), 1U);
  EXPECT_EQ(job.relabel_report->changes[0].id, "geopolitics");
  EXPECT_EQ(job.relabel_report->changes[0].gained_count, 100);
  EXPECT_EQ(job.relabel_report->changes[0].lost_count, 0);
  EXPECT_THAT(job.relabel_report->changes[0].gained_ids, ElementsAre("a0", "a1", "a2", "a3", "a4"));
  EXPECT_EQ(engine_->durable_seq(), before);
  EXPECT_THAT(TagsOf("a7"), ElementsAre("IR", "energy"));
  // The report is there after a restart.
  Open();
  EXPECT_EQ(engine_->jobs().Get(job.id)->relabel_report->changes[0].gained_ids.size(), 5U);
}

TEST_F(RelabelingTest, ARunChangesWhatItsFilterNamesAndEditorsHaveTheLastWord) {
  Open();
  IngestTalks(10);
  LabelCorrection correction;
  correction.add.emplace_back().id = "geopolitics";
  correction.remove.emplace_back().id = "energy";
  ASSERT_TRUE(engine_->CorrectLabels("a1", correction).ok());
  labeler_->Upgrade();
  const JobInfo job = Relabel({.filter = "source = \"Odd\""});
  ASSERT_EQ(job.state, JobState::kSucceeded) << job.error;
  EXPECT_EQ(job.relabel_report->article_count, 5);
  EXPECT_EQ(job.relabel_report->changed_count, 4);
  EXPECT_THAT(TagsOf("a0"), ElementsAre("IR", "energy"));
  EXPECT_THAT(TagsOf("a1"), ElementsAre("IR", "geopolitics"));
  EXPECT_THAT(TagsOf("a3"), ElementsAre("IR", "energy", "geopolitics"));
  EXPECT_EQ(engine_->RelabelArticles({.filter = "no such field = 1"}).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_F(RelabelingTest, WhatGetsTheSameTagsIsNoChangeInTheLogAndIsUpToDate) {
  Open();
  IngestAndWait(*engine_, MakeArticle("a", "Iran", "Nothing else"));
  Settle(*engine_, Progress::kLabelled);
  labeler_->Upgrade();
  const uint64_t before = engine_->durable_seq();
  EXPECT_EQ(Relabel({.only_outdated = true}).relabel_report->article_count, 1);
  EXPECT_EQ(engine_->durable_seq(), before);
  const absl::StatusOr<Article> article = engine_->Get("a");
  ASSERT_TRUE(article.ok());
  EXPECT_EQ(article->labels[0].model_version, "fake2");
}

TEST_F(RelabelingTest, ANewModelTagsAllAgainByItselfAndGoesOnAfterARestart) {
  Open(/*relabel_outdated=*/true, /*rate=*/20.0);
  IngestTalks(150);
  labeler_->Upgrade();
  const absl::Time limit = Soon();
  while (TagsOf("a0").size() < 3 && absl::Now() < limit) absl::SleepFor(absl::Milliseconds(2));
  // Some are done; the rest is for the next start. At 20 a second it can't have come to the end.
  EXPECT_EQ(TagsOf("a149").size(), 2U);
  Open(/*relabel_outdated=*/true);
  while (TagsOf("a149").size() < 3 && absl::Now() < limit) absl::SleepFor(absl::Milliseconds(2));
  EXPECT_EQ(TagsOf("a149").size(), 3U);
  const JobInfo job = engine_->jobs().List("", 1)[0];
  EXPECT_EQ(job.method, "RelabelArticles");
  const JobInfo done = Finish(job.id);
  EXPECT_EQ(done.state, JobState::kSucceeded) << done.error;
  EXPECT_LT(done.relabel_report->article_count, 150);
  // Nothing is left, and nothing is ordered again.
  const size_t jobs = engine_->jobs().List("", 100).size();
  Open(/*relabel_outdated=*/true);
  IngestAndWait(*engine_, MakeArticle("new", "Iran", "Text"));
  Settle(*engine_, Progress::kLabelled);
  EXPECT_EQ(engine_->jobs().List("", 100).size(), jobs);
}

TEST_F(RelabelingTest, WaitsForALabelerThatIsAwayAndCanBeStopped) {
  Open();
  IngestTalks(3);
  labeler_->Upgrade();
  labeler_->SetAway(true);
  absl::StatusOr<JobInfo> job = engine_->RelabelArticles({});
  ASSERT_TRUE(job.ok());
  const absl::Time limit = Soon();
  while (engine_->jobs().Get(job->id)->message.find("waits for the classifier") == std::string::npos &&
         absl::Now() < limit) {
    absl::SleepFor(absl::Milliseconds(2));
  }
  EXPECT_THAT(engine_->jobs().Get(job->id)->message, HasSubstr("waits for the classifier: the labeler is away"));
  // Upkeep need not wait for it.
  const absl::StatusOr<JobInfo> compact = engine_->CompactIndex();
  ASSERT_TRUE(compact.ok());
  EXPECT_EQ(Finish(compact->id).state, JobState::kSucceeded);
  labeler_->SetAway(false);
  EXPECT_EQ(Finish(job->id).state, JobState::kSucceeded);
  EXPECT_EQ(TagsOf("a0").size(), 3U);
  labeler_->SetAway(true);
  job = engine_->RelabelArticles({});
  ASSERT_TRUE(job.ok());
  ASSERT_TRUE(engine_->jobs().Cancel(job->id).ok());
  EXPECT_EQ(Finish(job->id).state, JobState::kCancelled);
}

}  // namespace
}  // namespace dateline::search
