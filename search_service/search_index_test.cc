#include "search_service/search_index.h"

#include <sys/resource.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <list>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/hash.h"
#include "search_service/engine_test_util.h"
#include "search_service/storage.pb.h"

namespace dateline::search {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::unique_ptr<SearchIndex> OpenOrDie(const TempDir& dir, uint64_t last_seq = 1'000'000,
                                       absl::Duration sync_interval = absl::Minutes(1)) {
  absl::StatusOr<std::unique_ptr<SearchIndex>> index =
      SearchIndex::Open(dir.path() + "/index", "log", last_seq, {.threads = 2, .sync_interval = sync_interval});
  if (!index.ok()) {
    ADD_FAILURE() << index.status();
    std::abort();
  }
  return *std::move(index);
}

// Changes to be applied together, with the articles that they speak of.
class Batch {
 public:
  void Put(int64_t row, Article article, uint64_t seq = 0) {
    articles_.push_back(std::move(article));
    changes_.push_back({{row, seq != 0 ? seq : static_cast<uint64_t>(row)}, &articles_.back()});
  }
  void Remove(int64_t row, uint64_t seq) { changes_.push_back({{row, seq}, nullptr}); }
  absl::Status ApplyTo(SearchIndex& index, uint64_t applied) const { return index.Apply(changes_, applied, applied); }

 private:
  std::list<Article> articles_;
  std::vector<IndexChange> changes_;
};

MatchRequest RequestFor(QueryNode query) {
  MatchRequest request;
  request.query = std::move(query);
  request.max_hits = 1'000;
  return request;
}

QueryNode Word(const std::string& word) {
  QueryNode node;
  node.kind = QueryNode::Kind::kWord;
  node.words = {word};
  node.stems = {word};
  return node;
}

std::vector<int64_t> RowsOf(const MatchResult& result) {
  std::vector<int64_t> rows;
  for (const HitRef& hit : result.hits) rows.push_back(hit.row);
  return rows;
}

std::vector<int64_t> Find(const SearchIndex& index, const std::string& word) {
  const absl::StatusOr<MatchResult> result = index.Match(RequestFor(Word(word)));
  EXPECT_TRUE(result.ok()) << result.status();
  if (!result.ok()) return {-1};
  EXPECT_EQ(result->total, static_cast<int64_t>(result->hits.size()));
  return RowsOf(*result);
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

std::string Contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::string> FilesIn(const std::string& folder) {
  std::vector<std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) files.push_back(entry.path().string());
  }
  return files;
}

size_t FoldersIn(const std::string& folder) {
  return static_cast<size_t>(std::count_if(fs::directory_iterator(folder), fs::directory_iterator(),
                                           [](const auto& entry) { return entry.is_directory(); }));
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

TEST(SearchIndexTest, TheLatestStateOfARowIsTheOneThatIsFound) {
  TempDir dir;
  auto index = OpenOrDie(dir);
  Batch first;
  first.Put(1, MakeArticle("a", "First", "apple common"));
  first.Put(2, MakeArticle("b", "Second", "banana common"));
  ASSERT_TRUE(first.ApplyTo(*index, 2).ok());
  Batch second;
  second.Put(1, MakeArticle("a", "First", "cherry common"), 3);
  ASSERT_TRUE(second.ApplyTo(*index, 3).ok());
  EXPECT_THAT(Find(*index, "apple"), ElementsAre());
  EXPECT_THAT(Find(*index, "cherry"), ElementsAre(1));
  EXPECT_THAT(Find(*index, "common"), ElementsAre(1, 2));
  Batch third;
  third.Remove(1, 4);
  ASSERT_TRUE(third.ApplyTo(*index, 4).ok());
  EXPECT_THAT(Find(*index, "common"), ElementsAre(2));
  EXPECT_EQ(index->document_count(), 1);
  Batch fourth;
  fourth.Put(1, MakeArticle("a", "First", "common again"), 5);
  ASSERT_TRUE(fourth.ApplyTo(*index, 5).ok());
  EXPECT_EQ(Find(*index, "common").size(), 2U);
  EXPECT_EQ(index->applied_seq(), 5U);
  EXPECT_EQ(index->visible_seq(), 5U);
}

// Random puts and removals, some merged and some not, against a map; and again after reopening.
TEST(SearchIndexTest, FindsWhatAMapWouldHoldHoweverItIsSpreadOverSegments) {
  TempDir dir;
  std::mt19937 random(20261127);
  std::map<int64_t, std::string> expected;
  uint64_t seq = 0;
  auto index = OpenOrDie(dir);
  for (int round = 0; round < 120; ++round) {
    Batch batch;
    std::set<int64_t> rows;
    const auto count = static_cast<size_t>(1 + random() % (round % 10 == 0 ? 60 : 4));
    while (rows.size() < count) rows.insert(1 + static_cast<int64_t>(random() % 150));
    for (const int64_t row : rows) {
      ++seq;
      if (random() % 4 == 0) {
        batch.Remove(row, seq);
        expected.erase(row);
      } else {
        expected[row] = absl::StrCat("word", random() % 5);
        batch.Put(row, MakeArticle(absl::StrCat("id", row), "Title", expected[row] + " common"), seq);
      }
    }
    ASSERT_TRUE(batch.ApplyTo(*index, seq).ok());
    if (round % 40 == 39) index = nullptr, index = OpenOrDie(dir);
    if (round == 100) {
      ASSERT_TRUE(index->Compact().ok());
    }
    std::map<std::string, std::vector<int64_t>> by_word;
    std::vector<int64_t> all;
    for (const auto& [row, word] : expected) by_word[word].push_back(row), all.push_back(row);
    const auto sorted = [&](const std::string& word) {
      std::vector<int64_t> found = Find(*index, word);
      std::sort(found.begin(), found.end());
      return found;
    };
    ASSERT_EQ(sorted("common"), all) << round;
    for (int i = 0; i < 5; ++i) ASSERT_EQ(sorted(absl::StrCat("word", i)), by_word[absl::StrCat("word", i)]) << round;
    ASSERT_EQ(index->document_count(), static_cast<int64_t>(all.size()));
    ASSERT_EQ(index->applied_seq(), seq);
  }
}

TEST(SearchIndexTest, ManySmallSegmentsBecomeFew) {
  TempDir dir;
  auto index = OpenOrDie(dir);
  for (int i = 1; i <= 100; ++i) {
    Batch batch;
    batch.Put(i, MakeArticle(absl::StrCat("a", i), "Title", "common"));
    ASSERT_TRUE(batch.ApplyTo(*index, i).ok());
  }
  const absl::Time limit = Soon();
  while (index->segment_count() >= 16 && absl::Now() < limit) absl::SleepFor(absl::Milliseconds(5));
  EXPECT_LT(index->segment_count(), 16);
  EXPECT_EQ(Find(*index, "common").size(), 100U);
  ASSERT_TRUE(index->Compact().ok());
  EXPECT_EQ(index->segment_count(), 1);
  std::vector<int64_t> in_order;
  for (int i = 1; i <= 100; ++i) in_order.push_back(i);
  EXPECT_EQ(Find(*index, "common"), in_order) << "hits that rank alike come by row";
}

TEST(SearchIndexTest, SearchesSeeAllOfABatchOrNothing) {
  TempDir dir;
  auto index = OpenOrDie(dir);
  constexpr int kRows = 40;
  const auto apply = [&](int version) {
    Batch batch;
    for (int row = 1; row <= kRows; ++row) {
      batch.Put(row, MakeArticle(absl::StrCat("a", row), "Title", absl::StrCat("common version", version)),
                static_cast<uint64_t>(version) * kRows + static_cast<uint64_t>(row));
    }
    ASSERT_TRUE(batch.ApplyTo(*index, (static_cast<uint64_t>(version) + 1) * kRows).ok());
  };
  apply(0);
  std::atomic<bool> done = false;
  std::atomic<int> searches = 0;
  std::vector<std::thread> readers;
  for (int i = 0; i < 3; ++i) {
    readers.emplace_back([&] {
      while (!done) {
        const absl::StatusOr<MatchResult> result = index->Match(RequestFor(Word("common")));
        ASSERT_TRUE(result.ok()) << result.status();
        ASSERT_EQ(result->total, kRows);
        // All hits are of one version.
        const uint64_t version = result->applied_seq / kRows - 1;
        const absl::StatusOr<MatchResult> later = index->Match(RequestFor(Word(absl::StrCat("version", version))));
        ASSERT_TRUE(later.ok()) << later.status();
        ASSERT_TRUE(later->total == kRows || (later->total == 0 && later->applied_seq > result->applied_seq));
        ++searches;
      }
    });
  }
  for (int version = 1; version <= 60; ++version) apply(version);
  while (searches < 30) absl::SleepFor(absl::Milliseconds(1));
  done = true;
  for (std::thread& reader : readers) reader.join();
}

TEST(SearchIndexTest, WhatFoundNoRoomChangesNothingAndLeavesNothing) {
  TempDir dir;
  auto index = OpenOrDie(dir);
  Batch first;
  first.Put(1, MakeArticle("a", "First", "common"));
  ASSERT_TRUE(first.ApplyTo(*index, 1).ok());
  const size_t folders = FoldersIn(dir.path() + "/index");
  Batch many;
  for (int i = 2; i < 500; ++i) {
    many.Put(i, MakeArticle(absl::StrCat("b", i), "Title", absl::StrCat("common words ", i, " ", i * 7, " ", i * 13)));
  }
  for (const rlim_t bytes : {1U, 9'000U, 30'000U}) {
    const FileSizeLimit limit(bytes);
    const absl::Status applied = many.ApplyTo(*index, 500);
    ASSERT_FALSE(applied.ok()) << bytes;
    EXPECT_EQ(applied.code(), absl::StatusCode::kUnavailable) << applied;
    EXPECT_EQ(index->applied_seq(), 1U);
    EXPECT_THAT(Find(*index, "common"), ElementsAre(1));
    EXPECT_EQ(FoldersIn(dir.path() + "/index"), folders) << bytes;
  }
  ASSERT_TRUE(many.ApplyTo(*index, 500).ok());
  EXPECT_EQ(Find(*index, "common").size(), 499U);
}

// A killed process leaves the files as they are: what a copy of the folder shows.
TEST(SearchIndexTest, AKilledProcessLeavesWhatWasPublishedLast) {
  TempDir dir;
  TempDir copy;
  auto index = OpenOrDie(dir);
  for (int i = 1; i <= 5; ++i) {
    Batch batch;
    batch.Put(i, MakeArticle(absl::StrCat("a", i), "Title", "common"));
    ASSERT_TRUE(batch.ApplyTo(*index, i).ok());
  }
  // While segments are merged some of what is copied may go, or come when half of it was copied: then it is copied once
  // more.
  const std::string set = dir.path() + "/index/set";
  bool whole = false;
  while (!whole) {
    const std::string before = Contents(set);
    std::error_code error;
    fs::remove_all(copy.path() + "/index");
    fs::copy(dir.path() + "/index", copy.path() + "/index", fs::copy_options::recursive, error);
    whole = !error && Contents(set) == before;
  }
  fs::create_directory(copy.path() + "/index/s00009999");  // It was writing this one.
  auto again = OpenOrDie(copy);
  EXPECT_EQ(again->applied_seq(), 5U);
  EXPECT_EQ(Find(*again, "common").size(), 5U);
  EXPECT_EQ(again->generation(), index->generation());
  EXPECT_FALSE(fs::exists(copy.path() + "/index/s00009999"));
}

// As if the machine had gone down since.
void Reboot(const std::string& index_path) {
  const std::string path = index_path + "/set";
  std::string content = Contents(path);
  content.resize(content.size() - 64);
  storage::v1::SegmentSet set;
  ASSERT_TRUE(set.ParseFromString(content));
  set.set_boot_id("another");
  content = set.SerializeAsString();
  std::ofstream(path, std::ios::binary | std::ios::trunc) << content << common::Sha256Hex(content);
}

TEST(SearchIndexTest, AfterABootOnlyWhatWasForcedToDiskCounts) {
  TempDir dir;
  TempDir copy;
  auto index = OpenOrDie(dir);
  Batch first;
  for (int i = 1; i <= 3; ++i) first.Put(i, MakeArticle(absl::StrCat("a", i), "Title", "common"));
  ASSERT_TRUE(first.ApplyTo(*index, 3).ok());
  ASSERT_TRUE(index->Sync().ok());
  Batch second;
  second.Remove(1, 4);
  second.Put(5, MakeArticle("a5", "Title", "common"));
  ASSERT_TRUE(second.ApplyTo(*index, 5).ok());
  // What was forced to disk stays there, though it is merged into another segment.
  ASSERT_TRUE(index->Compact().ok());
  EXPECT_THAT(Find(*index, "common"), ElementsAre(2, 3, 5));
  fs::copy(dir.path() + "/index", copy.path() + "/index", fs::copy_options::recursive);
  Reboot(copy.path() + "/index");
  {
    auto again = OpenOrDie(copy);
    EXPECT_EQ(again->applied_seq(), 3U);
    EXPECT_THAT(Find(*again, "common"), ElementsAre(1, 2, 3));
    // The log goes on from there.
    ASSERT_TRUE(second.ApplyTo(*again, 5).ok());
  }
  Reboot(copy.path() + "/index");
  auto again = OpenOrDie(copy);
  EXPECT_EQ(again->applied_seq(), 5U) << "closing forces all to disk";
  EXPECT_THAT(Find(*again, "common"), ElementsAre(2, 3, 5));
}

TEST(SearchIndexTest, AnIndexOfAnotherLogIsMadeAnew) {
  TempDir dir;
  Batch batch;
  batch.Put(7, MakeArticle("a", "Title", "common"));
  ASSERT_TRUE(batch.ApplyTo(*OpenOrDie(dir), 7).ok());
  const std::string generation = OpenOrDie(dir)->generation();
  auto other = SearchIndex::Open(dir.path() + "/index", "another log", 100, {});
  ASSERT_TRUE(other.ok());
  EXPECT_EQ((*other)->applied_seq(), 0U);
  EXPECT_EQ((*other)->document_count(), 0);
  EXPECT_NE((*other)->generation(), generation);
  EXPECT_EQ(FoldersIn(dir.path() + "/index"), 0U);
}

TEST(SearchIndexTest, AnIndexThatIsAheadOfItsLogTellsThatTheLogHasLostSomething) {
  TempDir dir;
  Batch batch;
  batch.Put(7, MakeArticle("a", "Title", "common"));
  ASSERT_TRUE(batch.ApplyTo(*OpenOrDie(dir), 7).ok());
  const absl::Status ahead = SearchIndex::Open(dir.path() + "/index", "log", 6, {}).status();
  EXPECT_EQ(ahead.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(ahead.message()), HasSubstr("move the index away"));
  // Nothing was thrown away.
  EXPECT_EQ(OpenOrDie(dir, /*last_seq=*/7)->applied_seq(), 7U);
}

TEST(SearchIndexTest, DamageIsNoticed) {
  TempDir dir;
  {
    auto index = OpenOrDie(dir);
    Batch batch;
    for (int i = 1; i <= 30; ++i) batch.Put(i, MakeArticle(absl::StrCat("a", i), "Title", absl::StrCat("common ", i)));
    ASSERT_TRUE(batch.ApplyTo(*index, 30).ok());
    EXPECT_TRUE(index->Verify().ok()) << "of what was not forced to disk nothing is known";
    ASSERT_TRUE(index->Sync().ok());
    EXPECT_TRUE(index->Verify().ok());
  }
  const std::vector<std::string> files = FilesIn(dir.path() + "/index");
  ASSERT_GE(files.size(), 7U);
  for (const std::string& file : files) {
    if (fs::path(file).filename() == "flintlock") continue;
    SCOPED_TRACE(file);
    const std::string good = Contents(file);
    ASSERT_FALSE(good.empty());
    std::ofstream(file, std::ios::binary | std::ios::trunc) << good.substr(0, good.size() / 2);
    TempDir copy;
    fs::copy(dir.path() + "/index", copy.path() + "/index", fs::copy_options::recursive);
    {
      auto index = OpenOrDie(copy);
      // One of the two lists of segments is enough.
      const bool list = absl::StartsWith(fs::path(file).filename().string(), "set");
      EXPECT_EQ(index->applied_seq(), list ? 30U : 0U);
    }
    // A bit that flips changes no size.
    std::string flipped = good;
    flipped[flipped.size() / 2] = static_cast<char>(flipped[flipped.size() / 2] ^ 4);
    std::ofstream(file, std::ios::binary | std::ios::trunc) << flipped;
    TempDir second;
    fs::copy(dir.path() + "/index", second.path() + "/index", fs::copy_options::recursive);
    auto index = OpenOrDie(second);
    if (index->applied_seq() == 30U && !absl::StrContains(file, "/index/set")) {
      EXPECT_EQ(index->Verify().code(), absl::StatusCode::kDataLoss);
    }
    std::ofstream(file, std::ios::binary | std::ios::trunc) << good;
  }
}

TEST(SearchIndexTest, AFileThatIsGoneIsDamageAndOneThatCannotBeOpenedForNowIsNone) {
  TempDir dir;
  std::atomic<int> damages = 0;
  auto index = SearchIndex::Open(dir.path() + "/index", "log", 100, {.threads = 1, .on_damage = [&] { ++damages; }});
  ASSERT_TRUE(index.ok()) << index.status();
  Batch batch;
  batch.Put(1, MakeArticle("a", "Title", "common"));
  ASSERT_TRUE(batch.ApplyTo(**index, 1).ok());
  rlimit old{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &old), 0);
  rlimit none = old;
  none.rlim_cur = 3;
  setrlimit(RLIMIT_NOFILE, &none);
  const absl::Status for_now = (*index)->Match(RequestFor(Word("common"))).status();
  setrlimit(RLIMIT_NOFILE, &old);
  EXPECT_EQ(for_now.code(), absl::StatusCode::kUnavailable) << for_now;
  EXPECT_EQ(damages, 0);
  EXPECT_THAT(Find(**index, "common"), ElementsAre(1));
  Batch more;
  more.Put(2, MakeArticle("b", "Title", "common"));
  ASSERT_TRUE(more.ApplyTo(**index, 2).ok());
  for (const auto& entry : fs::directory_iterator(dir.path() + "/index")) {
    if (entry.is_directory()) fs::remove_all(entry.path());
  }
  EXPECT_FALSE((*index)->Match(RequestFor(Word("common"))).ok());
  EXPECT_GE(damages, 1);
}

// How many files hold the end of the word "xylographicsecret": Xapian writes the beginnings that neighbouring terms
// share once.
int FilesWithTheSecret(const std::string& folder) {
  int count = 0;
  for (const std::string& file : FilesIn(folder)) {
    if (absl::StrContains(Contents(file), "lographicsecret")) ++count;
  }
  return count;
}

TEST(SearchIndexTest, WhatWasRemovedLeavesTheDiskByItself) {
  TempDir dir;
  auto index = OpenOrDie(dir, 100, absl::Milliseconds(50));
  Batch batch;
  for (int i = 1; i <= 20; ++i) {
    batch.Put(i, MakeArticle(absl::StrCat("a", i), "Title", i == 7 ? "xylographicsecret common" : "common"));
  }
  ASSERT_TRUE(batch.ApplyTo(*index, 20).ok());
  ASSERT_TRUE(index->Sync().ok());
  EXPECT_GT(FilesWithTheSecret(dir.path()), 0);
  Batch removal;
  removal.Remove(7, 21);
  ASSERT_TRUE(removal.ApplyTo(*index, 21).ok());
  EXPECT_THAT(Find(*index, "xylographicsecret"), ElementsAre());
  const absl::Time limit = Soon();
  // Files may go while they are looked for.
  const auto folders = [&] { return FoldersIn(dir.path() + "/index"); };
  while ((folders() > 1 || index->segment_count() > 1) && absl::Now() < limit) absl::SleepFor(absl::Milliseconds(10));
  EXPECT_EQ(index->segment_count(), 1U) << "nothing is left that the removal would have to keep away";
  EXPECT_EQ(folders(), 1);
  EXPECT_EQ(FilesWithTheSecret(dir.path()), 0);
  EXPECT_EQ(Find(*index, "common").size(), 19U);
}

// What a rebuild writes is of the same rows and the same states as what it replaces.
TEST(SearchIndexTest, WhatIsWrittenAgainMergesWithWhatItReplaces) {
  TempDir dir;
  auto index = OpenOrDie(dir);
  constexpr int kCount = 40;
  for (int round = 0; round < 3; ++round) {
    for (int begin = 1; begin <= kCount; begin += 8) {
      Batch batch;
      for (int i = begin; i < begin + 8; ++i) batch.Put(i, MakeArticle(absl::StrCat("a", i), "Title", "common"));
      ASSERT_TRUE(batch.ApplyTo(*index, kCount).ok());
    }
    EXPECT_EQ(Find(*index, "common").size(), size_t{kCount});
  }
  const absl::Status compacted = index->Compact();
  ASSERT_TRUE(compacted.ok()) << compacted;
  EXPECT_EQ(Find(*index, "common").size(), size_t{kCount});
  EXPECT_EQ(index->segment_count(), 1U);
}

TEST(SearchIndexTest, CompactingLeavesNothingOfWhatWasRemoved) {
  TempDir dir;
  auto index = OpenOrDie(dir);
  Batch batch;
  for (int i = 1; i <= 20; ++i) {
    batch.Put(i, MakeArticle(absl::StrCat("a", i), "Title", i == 7 ? "xylographicsecret common" : "common"));
  }
  ASSERT_TRUE(batch.ApplyTo(*index, 20).ok());
  Batch removal;
  removal.Remove(7, 21);
  ASSERT_TRUE(removal.ApplyTo(*index, 21).ok());
  ASSERT_TRUE(index->Compact().ok());
  EXPECT_THAT(Find(*index, "xylographicsecret"), ElementsAre());
  ASSERT_TRUE(index->Sync().ok());
  EXPECT_EQ(FilesWithTheSecret(dir.path()), 0);
  EXPECT_EQ(Find(*index, "common").size(), 19U);
}

// A list of all documents with a gap, in two parts, and a word that all of them have.
TEST(SearchIndexTest, AWordOfAllDocumentsOfAMergedSegmentIsFoundBesideGaps) {
  TempDir dir;
  auto index = OpenOrDie(dir);
  std::vector<int64_t> rows;
  uint64_t seq = 0;
  for (int round = 0; round < 3; ++round) {
    Batch batch;
    for (int i = 1; i <= 12; ++i) {
      const int64_t row = round * 12 + i;
      batch.Put(row, MakeArticle(absl::StrCat("a", row), "Title", "common"), ++seq);
      if (i != 5) rows.push_back(row);
    }
    ASSERT_TRUE(batch.ApplyTo(*index, seq).ok());
    ASSERT_TRUE(index->Compact().ok());
    Batch removal;
    removal.Remove(round * 12 + 5, ++seq);
    ASSERT_TRUE(removal.ApplyTo(*index, seq).ok());
    if (round == 2) break;
    ASSERT_TRUE(index->Compact().ok());
  }
  const auto expect_all = [&rows](const SearchIndex& searched) {
    QueryNode all;
    all.kind = QueryNode::Kind::kAll;
    for (const SortOrder sort : {SortOrder::kRelevance, SortOrder::kNewestFirst, SortOrder::kOldestFirst}) {
      for (const bool filtered : {false, true}) {
        MatchRequest request = RequestFor(filtered ? all : Word("common"));
        if (filtered) request.filters.push_back({std::nullopt, Word("common")});
        request.sort = sort;
        const absl::StatusOr<MatchResult> result = searched.Match(request);
        ASSERT_TRUE(result.ok()) << result.status();
        EXPECT_THAT(RowsOf(*result), ::testing::UnorderedElementsAreArray(rows));
        EXPECT_EQ(result->total, static_cast<int64_t>(rows.size()));
      }
    }
    const absl::StatusOr<MatchResult> result = searched.Match(RequestFor(all));
    ASSERT_TRUE(result.ok()) << result.status();
    EXPECT_THAT(RowsOf(*result), ::testing::UnorderedElementsAreArray(rows));
  };
  expect_all(*index);
  ASSERT_TRUE(index->Compact().ok());
  expect_all(*index);
  ASSERT_TRUE(index->Sync().ok());
  index = nullptr;
  index = OpenOrDie(dir);
  EXPECT_EQ(index->document_count(), static_cast<int64_t>(rows.size()));
  expect_all(*index);
}

TEST(SearchIndexTest, ALookupOfLabelsThatFindsNothingCanBeCancelled) {
  TempDir dir;
  auto index = OpenOrDie(dir);
  Batch batch;
  for (int i = 0; i < 1'000; ++i) {
    batch.Put(i + 1, WithCountry(MakeArticle(absl::StrCat(i), "Title", "Text"), "RU"));
  }
  // Fewer have labels than there are articles: the match goes by the labels, and asks nothing else in between.
  batch.Put(1'001, MakeArticle("unlabelled", "Title", "Text"));
  ASSERT_TRUE(batch.ApplyTo(*index, 1'000).ok());
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
  Batch batch;
  batch.Put(1, WithCountry(MakeArticle("a", "Title", "Text"), "RU"));
  batch.Put(2, WithCountry(MakeArticle("b", "Title", "Text"), "IR"));
  Article issue = MakeArticle("c", "Title", "Text");
  Label label;
  label.dimension = Dimension::kIssue;
  label.id = "IR";
  label.score = 0.9;
  issue.labels.push_back(label);
  batch.Put(3, issue);
  ASSERT_TRUE(batch.ApplyTo(*index, 3).ok());
  MatchRequest request = RequestFor(
      QueryNode::Or({QueryNode::Term({Field::kRegion, ""}, "RU"), QueryNode::Term({Field::kRegion, ""}, "FR"),
                     QueryNode::Term({Field::kIssue, ""}, "IR")}));
  for (const double min_score : {0.0, 0.5}) {
    request.labels.min_score = min_score;
    const absl::StatusOr<MatchResult> result = index->Match(request);
    ASSERT_TRUE(result.ok()) << result.status();
    EXPECT_EQ(RowsOf(*result), (std::vector<int64_t>{1, 3}));
  }
  request.labels.min_score = 0.95;
  EXPECT_EQ(index->Match(request)->total, 0);
}

}  // namespace
}  // namespace dateline::search
