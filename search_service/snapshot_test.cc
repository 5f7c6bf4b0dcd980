#include "search_service/snapshot.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "search_service/engine_test_util.h"

namespace dateline::search {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

std::unique_ptr<Engine> OpenOrDie(const std::string& data_dir) {
  Engine::Options options;
  options.data_dir = data_dir;
  options.label_grace = absl::ZeroDuration();
  options.min_commit_interval = absl::ZeroDuration();
  absl::StatusOr<std::unique_ptr<Engine>> engine = Engine::Open(options, nullptr);
  if (!engine.ok()) {
    ADD_FAILURE() << engine.status();
    std::abort();
  }
  return *std::move(engine);
}

// Gives the folder.
std::string MakeSnapshot(Engine& engine, const std::string& data_dir, const std::string& name) {
  const absl::StatusOr<JobInfo> job = engine.CreateSnapshot(name);
  EXPECT_TRUE(job.ok()) << job.status();
  const absl::Time limit = Soon();
  while (job.ok() && absl::Now() < limit) {
    const absl::StatusOr<JobInfo> now = engine.jobs().Get(job->id);
    if (!now.ok() || now->end_time != absl::InfiniteFuture()) {
      EXPECT_EQ(now->state, JobState::kSucceeded) << now->error;
      break;
    }
    absl::SleepFor(absl::Milliseconds(2));
  }
  return absl::StrCat(data_dir, "/snapshots/", name);
}

void Purge(Engine& engine, const std::string& id) {
  DeleteOptions options;
  options.purge = true;
  const absl::StatusOr<uint64_t> seq = engine.Delete(id, options);
  EXPECT_TRUE(seq.ok()) << seq.status();
}

int64_t Total(Engine& engine, const std::string& words) {
  Settle(engine);
  SearchQuery query;
  query.query = words;
  query.deadline = Soon();
  const absl::StatusOr<SearchResult> result = engine.Search(query);
  EXPECT_TRUE(result.ok()) << result.status();
  return result.ok() ? result->total : -1;
}

bool FolderHolds(const std::string& folder, const std::string& text) {
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string content{std::istreambuf_iterator<char>(file), {}};
    if (content.find(text) != std::string::npos) return true;
  }
  return false;
}

TEST(SnapshotTest, ComesBackAsAStoreWithALogOfItsOwnAndTheOldOneIsKept) {
  TempDir dir;
  const std::string data = dir.path() + "/data";
  std::string snapshot;
  std::string token;
  {
    auto engine = OpenOrDie(data);
    for (int i = 0; i < 5; ++i) {
      IngestAndWait(*engine, MakeArticle(absl::StrCat("a", i), "Canal", absl::StrCat("Text ", i)));
    }
    snapshot = MakeSnapshot(*engine, data, "monday");
    IngestAndWait(*engine, MakeArticle("later", "Canal", "Text of later"));
    token = engine->TokenOf(engine->durable_seq());
    // The data folder is in use.
    EXPECT_EQ(RestoreSnapshot(snapshot, data).status().code(), absl::StatusCode::kFailedPrecondition);
  }
  const absl::StatusOr<RestoredSnapshot> restored = RestoreSnapshot(snapshot, data);
  ASSERT_TRUE(restored.ok()) << restored.status();
  EXPECT_EQ(restored->article_count, 5);
  EXPECT_EQ(restored->erased_count, 0);
  EXPECT_FALSE(restored->purges_unknown);
  EXPECT_TRUE(FolderHolds(restored->set_aside, "Text of later"));
  auto engine = OpenOrDie(data);
  EXPECT_EQ(Total(*engine, "canal"), 5);
  EXPECT_EQ(engine->SeqOf("token", token).status().code(), absl::StatusCode::kFailedPrecondition);
  // It goes on as any.
  IngestAndWait(*engine, MakeArticle("new", "Canal", "Text of new"));
  EXPECT_EQ(Total(*engine, "canal"), 6);
}

TEST(SnapshotTest, WhatWasPurgedSinceStaysErasedInEveryFile) {
  TempDir dir;
  const std::string data = dir.path() + "/data";
  std::string snapshot;
  {
    auto engine = OpenOrDie(data);
    Article first = MakeArticle("a", "Canal", "Text of a secretword");
    first.url = "https://example.org/a";
    IngestAndWait(*engine, first);
    // The same page under another id, an earlier version of another article, and one deleted: all of the URL.
    Article twin = MakeArticle("twin", "Canal", "Twin with the secretword");
    twin.url = "https://example.org/a";
    IngestAndWait(*engine, twin);
    IngestAndWait(*engine, MakeArticle("b", "Canal", "Text of b"));
    IngestAndWait(*engine, MakeArticle("byid", "Canal", "An old secretword version"));
    IngestAndWait(*engine, MakeArticle("byid", "Canal", "A new version"));
    snapshot = MakeSnapshot(*engine, data, "monday");
    Purge(*engine, "https://example.org/a");
    Purge(*engine, "byid");
  }
  ASSERT_TRUE(FolderHolds(snapshot, "secretword"));
  const auto check = [](const std::string& folder) {
    auto engine = OpenOrDie(folder);
    EXPECT_EQ(Total(*engine, "canal"), 1);
    const IngestResult again = IngestAndWait(*engine, MakeArticle("byid", "Canal", "Again"));
    EXPECT_EQ(again.outcome, IngestOutcome::kRejected);
    engine = nullptr;
    EXPECT_FALSE(FolderHolds(folder + "/index", "secretword"));
    for (const std::string name : {"/articles.db", "/articles.db-wal"}) {
      std::ifstream file(folder + name, std::ios::binary);
      const std::string content{std::istreambuf_iterator<char>(file), {}};
      EXPECT_EQ(content.find("secretword"), std::string::npos) << name;
    }
  };
  // Into another folder, where nothing is known but what lies beside the snapshot.
  const std::string elsewhere = dir.path() + "/elsewhere";
  absl::StatusOr<RestoredSnapshot> restored = RestoreSnapshot(snapshot + "/", elsewhere);
  ASSERT_TRUE(restored.ok()) << restored.status();
  EXPECT_EQ(restored->erased_count, 3);
  EXPECT_EQ(restored->set_aside, "");
  check(elsewhere);
  // Of a copy that lies alone, by what the store there refuses.
  fs::create_directories(dir.path() + "/alone");
  fs::copy(snapshot, dir.path() + "/alone/copy", fs::copy_options::recursive);
  fs::remove(data + "/snapshots/purged.keys");
  restored = RestoreSnapshot(dir.path() + "/alone/copy", data);
  ASSERT_TRUE(restored.ok()) << restored.status();
  EXPECT_EQ(restored->erased_count, 3);
  EXPECT_FALSE(restored->purges_unknown);
  check(data);
  // Where neither is, it says so.
  restored = RestoreSnapshot(dir.path() + "/alone/copy", dir.path() + "/third");
  ASSERT_TRUE(restored.ok()) << restored.status();
  EXPECT_TRUE(restored->purges_unknown);
}

TEST(SnapshotTest, WhatIsPurgedWhileOneIsMadeIsNotInIt) {
  TempDir dir;
  const std::string data = dir.path() + "/data";
  auto engine = OpenOrDie(data);
  std::string body;
  for (int i = 0; i < 2'000; ++i) absl::StrAppend(&body, "filler", i % 97, " ");
  for (int i = 0; i < 200; ++i) {
    Article article = MakeArticle(absl::StrCat("a", i), "Canal", absl::StrCat(body, i));
    engine->Ingest(std::move(article), {},
                   [](IngestResult result) { EXPECT_EQ(result.outcome, IngestOutcome::kCreated); });
  }
  constexpr int kRounds = 8;
  int in_time = 0;
  for (int round = 0; round < kRounds; ++round) {
    const std::string id = absl::StrCat("victim", round);
    const std::string secret = absl::StrCat("secretword", round);
    IngestAndWait(*engine, MakeArticle(id, "Canal", absl::StrCat("Text of ", secret)));
    const absl::StatusOr<JobInfo> job = engine->CreateSnapshot(absl::StrCat("s", round));
    ASSERT_TRUE(job.ok()) << job.status();
    absl::SleepFor(absl::Milliseconds(5 * round));
    Purge(*engine, id);
    absl::StatusOr<JobInfo> now = engine->jobs().Get(job->id);
    const bool was_running = now.ok() && now->end_time == absl::InfiniteFuture();
    const absl::Time limit = Soon();
    while (now.ok() && now->end_time == absl::InfiniteFuture() && absl::Now() < limit) {
      absl::SleepFor(absl::Milliseconds(2));
      now = engine->jobs().Get(job->id);
    }
    ASSERT_TRUE(now.ok());
    EXPECT_EQ(now->state, JobState::kSucceeded) << now->error;
    if (!was_running) continue;
    ++in_time;
    EXPECT_FALSE(FolderHolds(absl::StrCat(data, "/snapshots/s", round), secret)) << round;
  }
  EXPECT_GT(in_time, 0) << "no purge came while a snapshot was made";
}

TEST(SnapshotTest, WhatAKilledProcessLeftOfOneIsRemovedAtTheStart) {
  TempDir dir;
  const std::string data = dir.path() + "/data";
  OpenOrDie(data);
  fs::create_directories(data + "/snapshots/monday.partial");
  std::ofstream(data + "/snapshots/monday.partial/articles.db") << "secretword";
  auto engine = OpenOrDie(data);
  EXPECT_FALSE(FolderHolds(data, "secretword"));
  EXPECT_FALSE(fs::exists(data + "/snapshots/monday.partial"));
}

TEST(SnapshotTest, TakesThePlaceOfADamagedStoreAndSaysWhatMayBeBack) {
  TempDir dir;
  const std::string data = dir.path() + "/data";
  std::string snapshot;
  {
    auto engine = OpenOrDie(data);
    IngestAndWait(*engine, MakeArticle("a", "Canal", "Text of a"));
    snapshot = MakeSnapshot(*engine, data, "monday");
  }
  std::ofstream(data + "/articles.db", std::ios::binary | std::ios::trunc) << "no database at all";
  const absl::StatusOr<RestoredSnapshot> restored = RestoreSnapshot(snapshot, data);
  ASSERT_TRUE(restored.ok()) << restored.status();
  EXPECT_EQ(restored->article_count, 1);
  EXPECT_TRUE(restored->purges_unknown);
  EXPECT_TRUE(FolderHolds(restored->set_aside, "no database at all"));
  auto engine = OpenOrDie(data);
  EXPECT_EQ(Total(*engine, "canal"), 1);
}

TEST(SnapshotTest, ADamagedOneIsRefusedAndTheStoreStays) {
  TempDir dir;
  const std::string data = dir.path() + "/data";
  std::string snapshot;
  {
    auto engine = OpenOrDie(data);
    IngestAndWait(*engine, MakeArticle("a", "Canal", "Text of a"));
    snapshot = MakeSnapshot(*engine, data, "monday");
  }
  EXPECT_THAT(std::string(RestoreSnapshot(dir.path(), data).status().message()), HasSubstr("is no snapshot"));
  {
    std::fstream file(snapshot + "/articles.db", std::ios::binary | std::ios::in | std::ios::out);
    file.seekp(static_cast<std::streamoff>(fs::file_size(snapshot + "/articles.db") / 2));
    file.put('!');
  }
  const absl::Status refused = RestoreSnapshot(snapshot, data).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("use another snapshot"));
  auto engine = OpenOrDie(data);
  EXPECT_EQ(Total(*engine, "canal"), 1);
}

}  // namespace
}  // namespace dateline::search
