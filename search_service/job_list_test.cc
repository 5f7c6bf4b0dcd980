#include "search_service/job_list.h"

#include <future>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "search_service/engine_test_util.h"

namespace dateline::search {
namespace {

using ::testing::HasSubstr;

JobInfo AwaitEnd(const JobList& jobs, const std::string& id) {
  while (true) {
    const absl::StatusOr<JobInfo> job = jobs.Get(id);
    EXPECT_TRUE(job.ok()) << job.status();
    if (!job.ok() || job->end_time != absl::InfiniteFuture()) return job.value_or(JobInfo());
    absl::SleepFor(absl::Milliseconds(2));
  }
}

TEST(JobListTest, JobsRunOneAfterAnotherAndTellWhatCameOfThem) {
  TempDir dir;
  JobList jobs(dir.path() + "/jobs");
  std::vector<std::string> order;
  std::promise<void> go;
  const absl::StatusOr<JobInfo> first = jobs.Start("First", "", [&](JobList::Run& run) -> absl::StatusOr<std::string> {
    run.Report(0.25, "a quarter");
    go.get_future().wait();
    order.emplace_back("first");
    return std::string("done");
  });
  const absl::StatusOr<JobInfo> second = jobs.Start("Second", "", [&](JobList::Run&) -> absl::StatusOr<std::string> {
    order.emplace_back("second");
    return absl::DataLossError("broken");
  });
  ASSERT_TRUE(first.ok() && second.ok());
  // The same once more, while it waits, is the same job.
  EXPECT_EQ(jobs.Start("Second", "", nullptr)->id, second->id);
  while (jobs.Get(first->id)->message != "a quarter") absl::SleepFor(absl::Milliseconds(1));
  EXPECT_EQ(jobs.Get(first->id)->state, JobState::kRunning);
  EXPECT_EQ(jobs.Get(second->id)->state, JobState::kQueued);
  go.set_value();
  EXPECT_EQ(AwaitEnd(jobs, first->id).message, "done");
  const JobInfo failed = AwaitEnd(jobs, second->id);
  EXPECT_EQ(failed.state, JobState::kFailed);
  EXPECT_EQ(failed.error, "broken");
  EXPECT_EQ(order, (std::vector<std::string>{"first", "second"}));
  const std::vector<JobInfo> newest = jobs.List("", 1);
  ASSERT_EQ(newest.size(), 1U);
  EXPECT_EQ(newest[0].id, second->id);
  EXPECT_EQ(jobs.List(second->id, 5).size(), 1U);
  EXPECT_EQ(jobs.Get("unknown").status().code(), absl::StatusCode::kNotFound);
}

TEST(JobListTest, AJobCanBeStoppedBeforeItRunsAndWhileItDoes) {
  TempDir dir;
  JobList jobs(dir.path() + "/jobs");
  const auto until_stopped = [](JobList::Run& run) -> absl::StatusOr<std::string> {
    while (!run.cancelled()) absl::SleepFor(absl::Milliseconds(1));
    return absl::CancelledError("stopped");
  };
  const std::string running = jobs.Start("Running", "", until_stopped)->id;
  const std::string waiting = jobs.Start("Waiting", "", until_stopped)->id;
  EXPECT_EQ(jobs.Cancel(waiting)->state, JobState::kCancelled);
  EXPECT_TRUE(jobs.Cancel(running).ok());
  EXPECT_EQ(AwaitEnd(jobs, running).state, JobState::kCancelled);
  EXPECT_EQ(jobs.Cancel(running)->state, JobState::kCancelled);
  EXPECT_EQ(jobs.Cancel("unknown").status().code(), absl::StatusCode::kNotFound);
}

TEST(JobListTest, JobsAreThereAfterARestartAndThoseThatHadNotEndedHaveFailed) {
  TempDir dir;
  TempDir other;
  std::string done;
  std::string running;
  {
    JobList jobs(dir.path() + "/jobs");
    done = jobs.Start("Done", "", [](JobList::Run&) -> absl::StatusOr<std::string> { return std::string("well"); })->id;
    AwaitEnd(jobs, done);
    running = jobs.Start("Running", "",
                         [](JobList::Run& run) -> absl::StatusOr<std::string> {
                           while (!run.cancelled()) absl::SleepFor(absl::Milliseconds(1));
                           return absl::CancelledError("stopped");
                         })
                  ->id;
    while (jobs.Get(running)->state != JobState::kRunning) absl::SleepFor(absl::Milliseconds(1));
    // As a killed process leaves it.
    std::filesystem::copy(dir.path() + "/jobs", other.path() + "/jobs");
  }
  const JobList killed(other.path() + "/jobs");
  EXPECT_EQ(killed.Get(done)->message, "well");
  EXPECT_EQ(killed.Get(running)->state, JobState::kFailed);
  EXPECT_THAT(killed.Get(running)->error, HasSubstr("order it again"));
  const JobList stopped(dir.path() + "/jobs");
  EXPECT_EQ(stopped.Get(running)->state, JobState::kCancelled);
}

TEST(JobListTest, OnlySoManyWait) {
  TempDir dir;
  JobList jobs(dir.path() + "/jobs");
  std::promise<void> go;
  const std::shared_future<void> gone = go.get_future().share();
  const auto wait = [gone](JobList::Run&) -> absl::StatusOr<std::string> {
    gone.wait();
    return std::string();
  };
  absl::Status status;
  int taken = 0;
  for (int i = 0; i < 40 && status.ok(); ++i) {
    status = jobs.Start(absl::StrCat("Method", i), "", wait).status();
    if (status.ok()) ++taken;
  }
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_GE(taken, 20);
  go.set_value();
}

}  // namespace
}  // namespace dateline::search
