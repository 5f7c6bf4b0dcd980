#include "search_service/search_index.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

#include "common/mutex.h"
#include "search_service/engine_test_util.h"

namespace dateline::search {
namespace {

std::unique_ptr<SearchIndex> OpenOrDie(const TempDir& dir, uint64_t last_seq = 1'000'000) {
  absl::StatusOr<std::unique_ptr<SearchIndex>> index = SearchIndex::Open(dir.path() + "/index", "log", last_seq);
  if (!index.ok()) {
    ADD_FAILURE() << index.status();
    std::abort();
  }
  return *std::move(index);
}

MatchRequest RequestFor(QueryNode query) {
  MatchRequest request;
  request.query = std::move(query);
  return request;
}

Article WithCountry(Article article, std::string id) {
  Label label;
  label.dimension = Dimension::kCountry;
  label.id = std::move(id);
  label.source = LabelSource::kClassifier;
  label.score = 0.9;
  article.labels.push_back(std::move(label));
  return article;
}

// No file of this process grows beyond so many bytes, as on a full disk.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    old_handler_ = std::signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &old_);
    rlimit limit = old_;
    limit.rlim_cur = bytes;
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    setrlimit(RLIMIT_FSIZE, &old_);
    std::signal(SIGXFSZ, old_handler_);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  rlimit old_{};
  void (*old_handler_)(int) = nullptr;
};

void AddMany(SearchIndex& index, const std::string& prefix, int count) {
  for (int i = 0; i < count; ++i) {
    const Article article = MakeArticle(absl::StrCat(prefix, i), "Common title", absl::StrCat("Common words ", i));
    ASSERT_TRUE(index.Upsert(i + 1, article).ok());
  }
}

// Where there is no room, a commit may fail at any of its steps, each of which leaves another state behind.
class RecoverTest : public ::testing::TestWithParam<int> {};

TEST_P(RecoverTest, ForgetsWhatACommitLeftThatFoundNoRoomEvenWhileThereIsNone) {
  TempDir dir;
  auto index = OpenOrDie(dir);
  ASSERT_TRUE(index->Upsert(1, MakeArticle("a", "First", "Text")).ok());
  ASSERT_TRUE(index->Commit(1, 1, /*durable=*/false).ok());
  AddMany(*index, "lost", 2'000);
  {
    const FileSizeLimit limit(GetParam());
    ASSERT_FALSE(index->Commit(2'001, 2'001, /*durable=*/false).ok());
    const absl::Status recovered = index->Recover();
    EXPECT_TRUE(recovered.ok()) << recovered;
  }
  ASSERT_TRUE(index->Recover().ok());
  EXPECT_EQ(index->applied_seq(), 1U);
  EXPECT_EQ(*index->document_count(), 1);
  ASSERT_TRUE(index->Upsert(2, MakeArticle("b", "Second", "Text")).ok());
  ASSERT_TRUE(index->Commit(2, 2, /*durable=*/false).ok());
  EXPECT_EQ(*index->document_count(), 2);
}

INSTANTIATE_TEST_SUITE_P(FileSizes, RecoverTest, ::testing::Values(1, 30'000, 100'000));

TEST(SearchIndexTest, RecoverForgetsWhatWasNotCommitted) {
  TempDir dir;
  auto index = OpenOrDie(dir);
  ASSERT_TRUE(index->Upsert(1, MakeArticle("a", "First", "Text")).ok());
  ASSERT_TRUE(index->Commit(1, 1, /*durable=*/false).ok());
  AddMany(*index, "lost", 3);
  ASSERT_TRUE(index->Recover().ok());
  EXPECT_EQ(*index->document_count(), 1);
}

TEST(SearchIndexTest, ClosingCommitsNothing) {
  TempDir dir;
  {
    auto index = OpenOrDie(dir);
    ASSERT_TRUE(index->Upsert(1, MakeArticle("a", "First", "Text")).ok());
    ASSERT_TRUE(index->Commit(1, 1, /*durable=*/true).ok());
    AddMany(*index, "lost", 3);
  }
  auto index = OpenOrDie(dir);
  EXPECT_EQ(index->applied_seq(), 1U);
  EXPECT_EQ(*index->document_count(), 1);
}

TEST(SearchIndexTest, ALookupOfLabelsThatFindsNothingCanBeCancelled) {
  TempDir dir;
  auto index = OpenOrDie(dir);
  for (int i = 0; i < 1'000; ++i) {
    ASSERT_TRUE(index->Upsert(i + 1, WithCountry(MakeArticle(absl::StrCat(i), "Title", "Text"), "RU")).ok());
  }
  // Fewer have labels than there are articles: the match goes by the labels, and asks nothing else in between.
  ASSERT_TRUE(index->Upsert(1'001, MakeArticle("unlabelled", "Title", "Text")).ok());
  ASSERT_TRUE(index->Commit(1'000, 1'000, /*durable=*/false).ok());
  MatchRequest request = RequestFor(QueryNode::All());
  request.labels.min_score = 0.5;
  request.filters.push_back(
      {FieldRef{Field::kRegion, ""},
       QueryNode::Or({QueryNode::Term({Field::kRegion, ""}, "IR"), QueryNode::Term({Field::kRegion, ""}, "FR")})});
  int asked = 0;
  request.cancelled = [&] { return ++asked > 1; };
  EXPECT_EQ(index->Match(request).status().code(), absl::StatusCode::kCancelled);
  request.cancelled = nullptr;
  EXPECT_EQ(index->Match(request)->total, 0);
}

TEST(SearchIndexTest, AnyOfSeveralLabelsIsLookedUpInEachDimension) {
  TempDir dir;
  auto index = OpenOrDie(dir);
  ASSERT_TRUE(index->Upsert(1, WithCountry(MakeArticle("a", "Title", "Text"), "RU")).ok());
  ASSERT_TRUE(index->Upsert(2, WithCountry(MakeArticle("b", "Title", "Text"), "IR")).ok());
  Article issue = MakeArticle("c", "Title", "Text");
  Label label;
  label.dimension = Dimension::kIssue;
  label.id = "IR";
  label.score = 0.9;
  issue.labels.push_back(label);
  ASSERT_TRUE(index->Upsert(3, issue).ok());
  ASSERT_TRUE(index->Commit(3, 3, /*durable=*/false).ok());
  MatchRequest request = RequestFor(
      QueryNode::Or({QueryNode::Term({Field::kRegion, ""}, "RU"), QueryNode::Term({Field::kRegion, ""}, "FR"),
                     QueryNode::Term({Field::kIssue, ""}, "IR")}));
  for (const double min_score : {0.0, 0.5}) {
    request.labels.min_score = min_score;
    const absl::StatusOr<MatchResult> result = index->Match(request);
    ASSERT_TRUE(result.ok()) << result.status();
    EXPECT_EQ(*index->Resolve(result->hits), (std::vector<int64_t>{1, 3}));
  }
  request.labels.min_score = 0.95;
  EXPECT_EQ(index->Match(request)->total, 0);
}

// The search's last try waits for the writer in vain; before, each try met two commits.
TEST(SearchIndexTest, ASearchThatCommitsKeepOvertakingIsGivenTimeAtItsLastTry) {
  constexpr int kDocuments = 200;  // So few that the search looks at the clock once, when it begins.
  TempDir dir;
  auto index = OpenOrDie(dir);
  AddMany(*index, "a", kDocuments);
  ASSERT_TRUE(index->Commit(kDocuments, kDocuments, /*durable=*/false).ok());
  uint64_t seq = kDocuments;
  const auto commit_twice = [&] {
    for (int i = 0; i < 2; ++i) {
      ++seq;
      for (int n = 0; n < kDocuments; ++n) {
        const Article article = MakeArticle(absl::StrCat("a", n), "Common title", absl::StrCat("Common words ", seq));
        Article changed = article;
        changed.content_seq = seq;
        EXPECT_TRUE(index->Upsert(n + 1, changed).ok());
      }
      EXPECT_TRUE(index->Commit(seq, seq, /*durable=*/false).ok());
    }
  };
  common::Mutex mutex;
  common::CondVar changed;
  bool committed = false;
  std::thread writer;
  QueryNode word;
  word.kind = QueryNode::Kind::kWord;
  word.words = {"common"};
  word.stems = {"common"};
  MatchRequest request = RequestFor(word);
  request.deadline = Soon();
  int tries = 0;
  request.cancelled = [&] {
    if (++tries < 3) {
      commit_twice();
      return false;
    }
    if (tries > 3) return false;
    writer = std::thread([&] {
      commit_twice();
      const common::MutexLock lock(mutex);
      committed = true;
      changed.NotifyAll();
    });
    const common::MutexLock lock(mutex);
    const absl::Time until = absl::Now() + absl::Milliseconds(300);
    while (!committed && changed.WaitUntil(mutex, until)) {
    }
    return false;
  };
  const absl::StatusOr<MatchResult> result = index->Match(request);
  EXPECT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(tries, 3);
  if (writer.joinable()) writer.join();
  EXPECT_TRUE(committed);
}

// Lets the next reader of `path` read `once`, and all others `after`. A reader that opens the file waits for it.
class ReadOnce {
 public:
  ReadOnce(std::string path, std::string once, const std::string& after) : path_(std::move(path)) {
    std::ofstream(Next(), std::ios::binary) << after;
    std::filesystem::remove(path_);
    EXPECT_EQ(mkfifo(path_.c_str(), 0600), 0);
    feeder_ = std::thread([this, once = std::move(once)] {
      const int pipe = open(path_.c_str(), O_WRONLY | O_CLOEXEC);
      std::filesystem::rename(Next(), path_);
      EXPECT_EQ(write(pipe, once.data(), once.size()), static_cast<ssize_t>(once.size()));
      close(pipe);
    });
  }
  ~ReadOnce() {
    const int nobody = open(path_.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);  // Where no reader came.
    feeder_.join();
    close(nobody);
  }
  ReadOnce(const ReadOnce&) = delete;
  ReadOnce& operator=(const ReadOnce&) = delete;

 private:
  std::string Next() const { return path_ + ".next"; }
  std::string path_;
  std::thread feeder_;
};

std::string Contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// A reader reads which revision is the latest, then the roots of its tables. Where two commits come in between, a root
// may be a block of another kind by then; Xapian calls that corrupt.
TEST(SearchIndexTest, ARevisionThatGoesWhileAReaderOpensItIsNotTakenForDamage) {
  TempDir dir;
  auto index = OpenOrDie(dir);
  const std::string version_file = dir.path() + "/index/main/iamglass";
  QueryNode word;
  word.kind = QueryNode::Kind::kWord;
  word.words = {"common"};
  word.stems = {"common"};
  MatchRequest request = RequestFor(word);
  AddMany(*index, "a", 1);
  ASSERT_TRUE(index->Commit(1, 1, /*durable=*/false).ok());
  ASSERT_TRUE(index->Match(request).ok());
  std::vector<std::string> versions;
  for (int i = 0; i < 60; ++i) {
    const int row = 2 + i * 7 % 50;
    if (i % 3 == 2) {
      ASSERT_TRUE(index->Remove(absl::StrCat("b", row)).ok());
    } else {
      std::string body = "Common";
      for (int w = 0; w < 5 + i * 31 % 400; ++w) absl::StrAppend(&body, " w", (w * 7919 + i * 104729) % 5000);
      const Article article = WithCountry(MakeArticle(absl::StrCat("b", row), "Common title", body), "IR");
      ASSERT_TRUE(index->Upsert(row, article).ok());
    }
    ASSERT_TRUE(index->Commit(i + 2, i + 2, /*durable=*/false).ok());
    versions.push_back(Contents(version_file));
    for (size_t age = 3; age < 30 && age <= versions.size(); age += 3) {
      const ReadOnce race(version_file, versions[versions.size() - age], versions.back());
      const absl::StatusOr<MatchResult> result = index->Match(request);
      ASSERT_TRUE(result.ok()) << i << ": " << result.status();
    }
  }
}

}  // namespace
}  // namespace dateline::search
