#include "search_service/maintenance.h"

#include <atomic>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "search_service/engine_test_util.h"
#include "search_service/snapshot.h"

namespace dateline::search {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;

Engine::Options OptionsFor(const TempDir& dir) {
  Engine::Options options;
  options.data_dir = dir.path() + "/data";
  options.label_grace = absl::ZeroDuration();
  options.min_commit_interval = absl::ZeroDuration();
  return options;
}

std::unique_ptr<Engine> OpenOrDie(const Engine::Options& options) {
  absl::StatusOr<std::unique_ptr<Engine>> engine = Engine::Open(options, nullptr);
  if (!engine.ok()) {
    ADD_FAILURE() << engine.status();
    std::abort();
  }
  return *std::move(engine);
}

JobInfo Finish(Engine& engine, const absl::StatusOr<JobInfo>& job) {
  EXPECT_TRUE(job.ok()) << job.status();
  const absl::Time limit = Soon();
  while (job.ok() && absl::Now() < limit) {
    const absl::StatusOr<JobInfo> now = engine.jobs().Get(job->id);
    if (!now.ok() || now->end_time != absl::InfiniteFuture()) return now.value_or(JobInfo());
    absl::SleepFor(absl::Milliseconds(2));
  }
  ADD_FAILURE() << "the job does not end";
  return {};
}

void IngestSome(Engine& engine, int count, const std::string& prefix = "a") {
  for (int i = 0; i < count; ++i) {
    IngestAndWait(engine, MakeArticle(absl::StrCat(prefix, i), absl::StrCat("Canal ", i % 7),
                                      absl::StrCat("Text of the canal ", i, " with words ", i * 31 % 17)));
  }
  Settle(engine);
}

SearchQuery CanalQuery() {
  SearchQuery query;
  query.query = "canal words";
  query.page_size = 50;
  query.facets = Facets({"source"});
  query.deadline = Soon();
  return query;
}

std::vector<std::string> Answer(Engine& engine) {
  const absl::StatusOr<SearchResult> result = engine.Search(CanalQuery());
  EXPECT_TRUE(result.ok()) << result.status();
  if (!result.ok()) return {};
  std::vector<std::string> answer = Ids(*result);
  answer.push_back(absl::StrCat(result->total));
  return answer;
}

void FlipABit(const std::string& path) {
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  const auto middle = static_cast<std::streamoff>(fs::file_size(path) / 2);
  file.seekg(middle);
  const char byte = static_cast<char>(file.get() ^ 1);
  file.seekp(middle);
  file.put(byte);
}

std::string AnyFile(const std::string& folder, const std::string& name) {
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.path().filename() == name) return entry.path().string();
  }
  return "";
}

TEST(MaintenanceTest, RebuildingBringsTheSameAnswersWhileSearchesGoOn) {
  TempDir dir;
  auto engine = OpenOrDie(OptionsFor(dir));
  IngestSome(*engine, 200);
  ASSERT_EQ(Finish(*engine, engine->CompactIndex()).state, JobState::kSucceeded);
  const std::vector<std::string> before = Answer(*engine);
  std::atomic<bool> done = false;
  std::thread searcher([&] {
    while (!done) {
      const absl::StatusOr<SearchResult> result = engine->Search(CanalQuery());
      ASSERT_TRUE(result.ok()) << result.status();
      ASSERT_EQ(result->total, 200);
    }
  });
  const JobInfo job = Finish(*engine, engine->RebuildIndex());
  done = true;
  searcher.join();
  EXPECT_EQ(job.state, JobState::kSucceeded) << job.error;
  EXPECT_THAT(job.message, HasSubstr("200 articles"));
  EXPECT_EQ(Answer(*engine), before);
  EXPECT_EQ(Finish(*engine, engine->CheckIndex(true)).state, JobState::kSucceeded);
}

TEST(MaintenanceTest, AnIndexThatSomebodyDeletedIsRebuiltWhileTheServiceRuns) {
  TempDir dir;
  auto engine = OpenOrDie(OptionsFor(dir));
  IngestSome(*engine, 60);
  const std::vector<std::string> before = Answer(*engine);
  // A merge may be writing there.
  const auto remove_all = [folder = dir.path() + "/data/index"] {
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(folder)) fs::remove_all(entry.path(), error);
    return fs::is_empty(folder);
  };
  while (!remove_all()) {
  }
  EXPECT_EQ(Finish(*engine, engine->RebuildIndex()).state, JobState::kSucceeded);
  EXPECT_EQ(Answer(*engine), before);
  engine = nullptr;
  engine = OpenOrDie(OptionsFor(dir));
  EXPECT_EQ(Answer(*engine), before);
}

TEST(MaintenanceTest, ACheckFindsABitThatFlippedAndRebuildingMendsIt) {
  TempDir dir;
  auto engine = OpenOrDie(OptionsFor(dir));
  IngestSome(*engine, 100);
  ASSERT_EQ(Finish(*engine, engine->CompactIndex()).state, JobState::kSucceeded);
  EXPECT_EQ(Finish(*engine, engine->CheckIndex(false)).message, "no damage found");
  EXPECT_THAT(Finish(*engine, engine->CheckIndex(true)).message, HasSubstr("all 100 articles"));
  FlipABit(AnyFile(dir.path() + "/data/index", "position.glass"));
  const JobInfo failed = Finish(*engine, engine->CheckIndex(false));
  EXPECT_EQ(failed.state, JobState::kFailed);
  EXPECT_THAT(failed.error, AllOf(HasSubstr("index is damaged"), HasSubstr("RebuildIndex")));
  EXPECT_EQ(engine->jobs().List("", 1)[0].method, "RebuildIndex") << "it is ordered by the check";
  EXPECT_EQ(Finish(*engine, engine->RebuildIndex()).state, JobState::kSucceeded);
  EXPECT_EQ(Finish(*engine, engine->CheckIndex(true)).state, JobState::kSucceeded);
}

TEST(MaintenanceTest, RebuildingLeavesNoDamagedSegmentBehindThoughItHoldsRemovals) {
  TempDir dir;
  auto engine = OpenOrDie(OptionsFor(dir));
  IngestSome(*engine, 100);
  ASSERT_EQ(Finish(*engine, engine->CompactIndex()).state, JobState::kSucceeded);
  // What is deleted from the large segment is noted in the next one, together with what comes.
  ASSERT_TRUE(engine->Delete("a1", {}).ok());
  IngestSome(*engine, 10, "b");
  engine = nullptr;
  for (const auto& entry : fs::recursive_directory_iterator(dir.path() + "/data/index")) {
    if (entry.path().filename() == "position.glass") FlipABit(entry.path().string());
  }
  engine = OpenOrDie(OptionsFor(dir));
  EXPECT_EQ(Finish(*engine, engine->RebuildIndex()).state, JobState::kSucceeded);
  const JobInfo job = Finish(*engine, engine->CheckIndex(true));
  EXPECT_EQ(job.state, JobState::kSucceeded) << job.error;
  EXPECT_THAT(job.message, HasSubstr("all 109 articles"));
}

TEST(MaintenanceTest, AFullCheckFindsATextThatIsNotWhatWasWritten) {
  TempDir dir;
  const std::string path = dir.path() + "/data/articles.db";
  auto engine = OpenOrDie(OptionsFor(dir));
  IngestSome(*engine, 3);
  IngestAndWait(*engine, MakeArticle("odd", "Title", "An unmistakable text"));
  engine = nullptr;
  std::string content;
  {
    std::ifstream file(path, std::ios::binary);
    content.assign(std::istreambuf_iterator<char>(file), {});
  }
  const size_t at = content.find("unmistakable");
  ASSERT_NE(at, std::string::npos);
  {
    std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
    file.seekp(static_cast<std::streamoff>(at));
    file.put('U');
  }
  engine = OpenOrDie(OptionsFor(dir));
  const JobInfo job = Finish(*engine, engine->CheckIndex(true));
  EXPECT_EQ(job.state, JobState::kFailed);
  EXPECT_THAT(job.error, HasSubstr("1 article with another text in the store than was written"));
}

TEST(MaintenanceTest, DamageThatAMergeMeetsIsMendedByItself) {
  TempDir dir;
  auto engine = OpenOrDie(OptionsFor(dir));
  IngestSome(*engine, 100);
  ASSERT_EQ(Finish(*engine, engine->CompactIndex()).state, JobState::kSucceeded);
  FlipABit(AnyFile(dir.path() + "/data/index", "position.glass"));
  // As many again: the damaged segment is merged with them.
  IngestSome(*engine, 100, "b");
  const absl::Time limit = Soon();
  const auto rebuilt = [&] {
    const std::vector<JobInfo> jobs = engine->jobs().List("", 1);
    return jobs[0].method == "RebuildIndex" && jobs[0].state == JobState::kSucceeded;
  };
  while (!rebuilt() && absl::Now() < limit) absl::SleepFor(absl::Milliseconds(5));
  EXPECT_TRUE(rebuilt());
  EXPECT_THAT(Finish(*engine, engine->CheckIndex(true)).message, HasSubstr("all 200 articles"));
}

TEST(MaintenanceTest, AFullCheckTellsWhatIndexAndStoreHaveAlone) {
  TempDir dir;
  const std::string path = dir.path() + "/articles.db";
  absl::StatusOr<std::unique_ptr<ArticleStore>> store = ArticleStore::Open(path);
  ASSERT_TRUE(store.ok()) << store.status();
  ASSERT_TRUE((*store)->Begin().ok());
  for (const char* id : {"a", "b", "c"}) {
    const absl::StatusOr<Normalized> normalized = Normalize(MakeArticle(id, "Title", "Text"), absl::Now());
    ASSERT_TRUE((*store)->Put(normalized->article, Taxonomy(), absl::Now()).ok());
  }
  ASSERT_TRUE((*store)->Commit().ok());
  absl::StatusOr<std::unique_ptr<SearchIndex>> index = SearchIndex::Open(dir.path() + "/index", "log", 100, {});
  ASSERT_TRUE(index.ok()) << index.status();
  // Row 1 is missing, row 2 is as it never was, row 9 is nobody's.
  const Article article = MakeArticle("b", "Title", "Text");
  ASSERT_TRUE((*index)->Apply({{{2, 1}, &article}, {{3, 3}, &article}, {{9, 2}, &article}}, 3, 3).ok());
  Maintenance maintenance(**store, **index, path, [](const std::function<absl::Status()>& work) { return work(); });
  JobList jobs(dir.path() + "/jobs");
  const auto run = [&](const JobList::Work& work) {
    const absl::StatusOr<JobInfo> job = jobs.Start("Work", "", work);
    while (jobs.Get(job->id)->end_time == absl::InfiniteFuture()) absl::SleepFor(absl::Milliseconds(1));
    return *jobs.Get(job->id);
  };
  const JobList::Work check = [&](JobList::Run& job) { return maintenance.Check(job, true); };
  EXPECT_EQ(run(check).error,
            "1 article missing in the index, 1 article not as stored in the index, 1 article in the index but not in "
            "the store; RebuildIndex mends the index");
  EXPECT_EQ(run([&](JobList::Run& job) { return maintenance.Rebuild(job); }).state, JobState::kSucceeded);
  EXPECT_EQ(run(check).message, "no damage found; the index has all 3 articles");
}

TEST(MaintenanceTest, ASnapshotIsWholeAndCheckedWhileWritingGoesOn) {
  TempDir dir;
  auto engine = OpenOrDie(OptionsFor(dir));
  IngestSome(*engine, 50);
  std::atomic<bool> done = false;
  std::thread writer([&] {
    for (int i = 0; !done; ++i) IngestAndWait(*engine, MakeArticle(absl::StrCat("w", i), "Title", "Text"));
  });
  const JobInfo job = Finish(*engine, engine->CreateSnapshot("first"));
  done = true;
  writer.join();
  ASSERT_EQ(job.state, JobState::kSucceeded) << job.error;
  const std::string folder = dir.path() + "/data/snapshots/first";
  EXPECT_TRUE(CheckSnapshot(folder, {}).ok());
  EXPECT_EQ(engine->CreateSnapshot("first").status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(engine->CreateSnapshot("../first").status().code(), absl::StatusCode::kInvalidArgument);
  // It is a store.
  const absl::StatusOr<std::unique_ptr<ArticleStore>> copy = ArticleStore::Open(folder + "/articles.db");
  ASSERT_TRUE(copy.ok()) << copy.status();
  for (int i = 0; i < 50; ++i) EXPECT_TRUE((*copy)->Find(absl::StrCat("a", i), Parts::kAll)->has_value());
  FlipABit(folder + "/articles.db");
  EXPECT_EQ(CheckSnapshot(folder, {}).code(), absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace dateline::search
