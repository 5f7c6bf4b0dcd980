#include "search_service/article_store.h"

#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "search_service/engine_test_util.h"
#include "search_service/sqlite.h"

namespace dateline::search {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

std::unique_ptr<ArticleStore> OpenOrDie(const std::string& path) {
  absl::StatusOr<std::unique_ptr<ArticleStore>> store = ArticleStore::Open(path);
  if (!store.ok()) {
    ADD_FAILURE() << store.status();
    std::abort();
  }
  return *std::move(store);
}

ArticleStore::PutResult PutOrDie(ArticleStore& store, Article article) {
  const absl::StatusOr<Normalized> normalized = Normalize(std::move(article), absl::Now());
  const absl::StatusOr<ArticleStore::PutResult> result = store.Put(normalized->article, Taxonomy(), absl::Now());
  if (!result.ok()) ADD_FAILURE() << result.status();
  return result.value_or(ArticleStore::PutResult());
}

TEST(ArticleStoreTest, ATransactionThatWasLeftOpenHindersNoOther) {
  TempDir dir;
  auto store = OpenOrDie(dir.path() + "/articles.db");
  ASSERT_TRUE(store->Begin().ok());
  PutOrDie(*store, MakeArticle("left", "Title", "Text"));
  // As when the rollback failed.
  ASSERT_TRUE(store->Begin().ok());
  EXPECT_EQ(PutOrDie(*store, MakeArticle("a", "Title", "Text")).seq, 1U);
  ASSERT_TRUE(store->Commit().ok());
  EXPECT_FALSE((*store->Find("left", Parts::kAll)).has_value());
  EXPECT_TRUE((*store->Find("a", Parts::kAll)).has_value());
}

TEST(ArticleStoreTest, WhatWasUndoneToTheSavepointLeavesNeitherArticleNorNumberNorMove) {
  TempDir dir;
  auto store = OpenOrDie(dir.path() + "/articles.db");
  ASSERT_TRUE(store->Begin().ok());
  const ArticleStore::PutResult first = PutOrDie(*store, MakeArticle("a", "Title", "Text"));
  ASSERT_TRUE(store->Savepoint().ok());
  PutOrDie(*store, MakeArticle("a", "Title", "Undone"));
  PutOrDie(*store, MakeArticle("b", "Title", "Undone"));
  ASSERT_TRUE(store->RollbackToSavepoint().ok());
  EXPECT_TRUE(store->moves().empty());
  ASSERT_TRUE(store->Savepoint().ok());
  const ArticleStore::PutResult second = PutOrDie(*store, MakeArticle("c", "Title", "Text"));
  ASSERT_TRUE(store->ReleaseSavepoint().ok());
  ASSERT_TRUE(store->Commit().ok());
  EXPECT_EQ(second.seq, first.seq + 1);
  EXPECT_EQ((*store->Find("a", Parts::kAll))->article.body, "Text");
  EXPECT_FALSE((*store->Find("b", Parts::kAll)).has_value());
}

TEST(ArticleStoreTest, AFileThatIsNoStoreIsSaidToBeSoInOneLineWithTheRemedy) {
  TempDir dir;
  const std::string path = dir.path() + "/articles.db";
  const std::string whole = [&] {
    { auto store = OpenOrDie(path); }
    std::ifstream file(path, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(file), {});
  }();
  ASSERT_GT(whole.size(), 4'096U);
  for (const std::string& bytes : {std::string(10'000, 'x'), whole.substr(0, 100) + std::string(10'000, 'x'),
                                   whole.substr(0, 4'096) + std::string(whole.size() - 4'096, 'x')}) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
    const absl::Status status = ArticleStore::Open(path).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << status;
    EXPECT_THAT(std::string(status.message()),
                AllOf(HasSubstr("; put a backup copy of the data folder in its place"), Not(HasSubstr("\n")),
                      Not(HasSubstr("PRAGMA")), Not(HasSubstr("CREATE")), Not(HasSubstr("SELECT"))));
  }
}

TEST(ArticleStoreTest, AStoreOfTheFirstVersionLearnsWhichUrlsAreArticlesOwn) {
  TempDir dir;
  const std::string path = dir.path() + "/articles.db";
  {
    auto store = OpenOrDie(path);
    ASSERT_TRUE(store->Begin().ok());
    for (const char* id : {"own", "names"}) {
      Article article = MakeArticle(id, "Title", "Text");
      article.url = absl::StrCat("https://example.com/", id);
      if (article.id == "names") article.alternate_urls = {"https://example.com/own"};
      PutOrDie(*store, article);
    }
    ASSERT_TRUE(store->Commit().ok());
  }
  {
    absl::StatusOr<std::unique_ptr<SqlConnection>> sql = SqlConnection::Open(path, /*read_only=*/false);
    ASSERT_TRUE(
        (*sql)
            ->Execute("ALTER TABLE urls DROP COLUMN own; DROP INDEX articles_embargo; "
                      "ALTER TABLE articles DROP COLUMN create_seq; ALTER TABLE articles DROP COLUMN "
                      "correct_seq; ALTER TABLE articles DROP COLUMN change_time; ALTER TABLE articles DROP "
                      "COLUMN embargo; ALTER TABLE articles DROP COLUMN labelled_by; DROP TABLE sketches; PRAGMA "
                      "user_version=1")
            .ok());
  }
  for (int i = 0; i < 2; ++i) {
    auto store = OpenOrDie(path);
    EXPECT_EQ((*store->Find("https://example.com/own", Parts::kHead))->article.id, "own");
    EXPECT_EQ((*store->Find("https://example.com/names", Parts::kHead))->article.id, "names");
  }
}

TEST(ArticleStoreTest, ARetiredLabelThatMeansAGivenOneLeavesItPrimary) {
  TempDir dir;
  auto store = OpenOrDie(dir.path() + "/articles.db");
  TaxonomyData data = TestTaxonomy();
  data.regions.push_back(Entry("SU", "Soviet Union"));
  data.regions.back().replaced_by = {"RU"};
  Article article = MakeArticle("a", "Title", "Text");
  for (const char* code : {"SU", "RU"}) {
    Label& label = article.labels.emplace_back();
    label.dimension = Dimension::kCountry;
    label.id = code;
    label.source = LabelSource::kSource;
  }
  article.labels[0].primary = true;
  const absl::StatusOr<Normalized> normalized = Normalize(article, absl::Now());
  ASSERT_TRUE(normalized.ok()) << normalized.status();
  ASSERT_TRUE(store->Begin().ok());
  ASSERT_TRUE(store->Put(normalized->article, Taxonomy(data), absl::Now()).ok());
  ASSERT_TRUE(store->Commit().ok());
  const absl::StatusOr<std::optional<StoredArticle>> stored = store->Find("a", Parts::kHead);
  ASSERT_TRUE(stored.ok() && stored->has_value()) << stored.status();
  ASSERT_EQ((*stored)->article.labels.size(), 1U);
  EXPECT_EQ((*stored)->article.labels[0].id, "RU");
  EXPECT_TRUE((*stored)->article.labels[0].primary);
}

// Names of the files in `folder` that hold `bytes`.
std::vector<std::string> FilesWith(const std::string& folder, const std::string& bytes) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string content(std::istreambuf_iterator<char>(file), {});
    if (content.find(bytes) != std::string::npos) names.push_back(entry.path().filename().string());
  }
  return names;
}

TEST(ArticleStoreTest, NothingOfAPurgedArticleStaysInAnyFile) {
  TempDir dir;
  auto store = OpenOrDie(dir.path() + "/articles.db");
  const auto write = [&](const std::function<void()>& change) {
    ASSERT_TRUE(store->Begin().ok());
    change();
    ASSERT_TRUE(store->Commit().ok());
  };
  Article article =
      MakeArticle("a", "Embarrassing headline", absl::StrCat("Libellous beginning. ", std::string(9'000, 'x')));
  article.url = "https://example.com/first-address";
  article.summary = "Indiscreet summary";
  write([&] { PutOrDie(*store, article); });
  article.body = "Milder text";
  article.url = "https://example.com/second-address";
  write([&] { PutOrDie(*store, article); });
  article.id = "b";
  article.url = "https://example.com/third-address";
  write([&] { PutOrDie(*store, article); });
  write([&] { EXPECT_TRUE(store->Delete("b", {}, absl::Now()).ok()); });
  ASSERT_FALSE(FilesWith(dir.path(), "Embarrassing headline").empty());
  ASSERT_FALSE(FilesWith(dir.path(), "third-address").empty());  // Of what was merely deleted.

  DeleteOptions purge;
  purge.purge = true;
  const int64_t row = (*store->Find("a", Parts::kHead))->row;
  ASSERT_EQ(store->ReadVersions(row)->size(), 1U);
  ASSERT_FALSE(FilesWith(dir.path(), "Libellous").empty());  // In a version that was replaced.
  // And in one of another article, that was at a URL which is refused now.
  article = MakeArticle("c", "Clean", "Milder text of another");
  article.url = "https://example.com/second-address";
  write([&] { PutOrDie(*store, article); });
  article.url = "https://example.com/elsewhere";
  write([&] { PutOrDie(*store, article); });
  const int64_t other = (*store->Find("c", Parts::kHead))->row;
  ASSERT_EQ(store->ReadVersions(other)->size(), 1U);
  for (const char* id : {"a", "b"}) write([&] { EXPECT_TRUE(store->Delete(id, purge, absl::Now()).ok()); });
  EXPECT_TRUE(store->ReadVersions(row)->empty());
  EXPECT_TRUE(store->ReadVersions(other)->empty());
  write([&] { EXPECT_TRUE(store->Delete("c", purge, absl::Now()).ok()); });
  for (const char* bytes : {"Embarrassing", "Libellous", "xxxxxxxx", "Milder text", "Indiscreet", "first-address",
                            "second-address", "third-address"}) {
    EXPECT_THAT(FilesWith(dir.path(), bytes), ::testing::IsEmpty()) << bytes;
  }
}

TEST(ArticleStoreTest, ReplacedVersionsAndLabelsAreKeptForTheirTime) {
  TempDir dir;
  const Taxonomy taxonomy(TestTaxonomy());
  auto store = OpenOrDie(dir.path() + "/articles.db");
  const absl::Time start = absl::FromUnixSeconds(1'800'000'000);
  const auto write = [&](const std::function<absl::Status()>& change) {
    ASSERT_TRUE(store->Begin().ok());
    const absl::Status status = change();
    ASSERT_TRUE(status.ok()) << status;
    ASSERT_TRUE(store->Commit().ok());
  };
  const auto put = [&](const Article& article, absl::Time now) {
    write([&] { return store->Put(Normalize(article, now)->article, taxonomy, now).status(); });
  };
  const auto label = [&](const char* country, double score) {
    const std::optional<StoredArticle> stored = *store->Find("a", Parts::kHead);
    Labeling labeling;
    Label& given = labeling.labels.emplace_back();
    given.dimension = Dimension::kCountry;
    given.id = country;
    given.score = score;
    given.model_version = "m1";
    given.taxonomy_version = "t1";
    given.label_time = start;
    write([&] { return store->SetLabeling(stored->row, stored->article.content_seq, labeling, taxonomy).status(); });
  };
  Article article = MakeArticle("a", "First title", "First text");
  put(article, start);
  const int64_t row = (*store->Find("a", Parts::kHead))->row;
  label("IR", 0.9);
  EXPECT_TRUE(store->ReadVersions(row)->empty());
  EXPECT_TRUE(store->ReadLabelHistory(row)->empty());  // Nothing was replaced yet.
  article.source = "The Post";
  put(article, start + absl::Hours(1));  // The same text: its labels stay.
  EXPECT_TRUE(store->ReadLabelHistory(row)->empty());
  LabelCorrection correction;
  Label& rejected = correction.remove.emplace_back();
  rejected.dimension = Dimension::kCountry;
  rejected.id = "RU";
  write([&] { return store->CorrectLabels("a", correction, taxonomy, start + absl::Hours(2)).status(); });
  article.body = "Second text";
  put(article, start + absl::Hours(3));
  label("AE", 0.7);
  write([&] { return store->Delete("a", {}, start + absl::Hours(4)).status(); });

  const auto versions = store->ReadVersions(row);
  ASSERT_TRUE(versions.ok()) << versions.status();
  ASSERT_EQ(versions->size(), 3U);
  EXPECT_TRUE(versions->at(0).same_text);
  EXPECT_EQ(versions->at(0).article.source, "");
  EXPECT_EQ(versions->at(0).article.title, "First title");
  EXPECT_EQ(versions->at(0).content_seq, 1U);
  EXPECT_EQ(versions->at(1).article.body, "First text");
  EXPECT_EQ(versions->at(1).article.source, "The Post");
  EXPECT_EQ(versions->at(1).replaced_time, start + absl::Hours(3));
  EXPECT_EQ(versions->at(2).article.body, "Second text");
  const auto history = store->ReadLabelHistory(row);
  ASSERT_TRUE(history.ok()) << history.status();
  ASSERT_EQ(history->size(), 4U);
  EXPECT_EQ(history->at(0).labels.size(), 1U);  // Before the correction,
  EXPECT_EQ(history->at(0).labels[0].id, "IR");
  EXPECT_EQ(history->at(0).labels[0].score, 0.9);
  EXPECT_EQ(history->at(0).labels[0].model_version, "m1");
  EXPECT_EQ(history->at(1).labels.size(), 2U);  // before the other text,
  EXPECT_EQ(history->at(1).labels[1].verdict, LabelVerdict::kRejected);
  EXPECT_EQ(history->at(2).labels.size(), 1U);  // before that was tagged,
  EXPECT_EQ(history->at(3).labels.size(), 2U);  // and before it was deleted.

  // In small steps, the oldest first.
  write([&] { return store->PruneHistory(start + kVersionAge + absl::Minutes(30), 1).status(); });
  EXPECT_EQ(store->ReadVersions(row)->size(), 3U);
  bool more = false;
  const auto prune = [&](size_t max_rows) {
    write([&]() -> absl::Status {
      const absl::StatusOr<bool> pruned = store->PruneHistory(absl::Now() + kVersionAge * 100, max_rows);
      if (pruned.ok()) more = *pruned;
      return pruned.status();
    });
  };
  prune(2);
  EXPECT_TRUE(more);
  ASSERT_EQ(store->ReadVersions(row)->size(), 1U);
  EXPECT_EQ(store->ReadVersions(row)->at(0).article.body, "Second text");
  prune(10);
  EXPECT_FALSE(more);
  EXPECT_TRUE(store->ReadVersions(row)->empty());
  EXPECT_TRUE(store->ReadLabelHistory(row)->empty());
}

// Some 80 words; another `number` has none of them.
std::string Story(int number) {
  std::string text;
  for (int i = 0; i < 80; ++i) absl::StrAppend(&text, i == 0 ? "" : " ", "word", number, "x", i * i % 97);
  return text;
}

std::string DuplicateOf(ArticleStore& store, const std::string& id) {
  const absl::StatusOr<std::optional<StoredArticle>> found = store.Find(id, Parts::kHead);
  if (!found.ok() || !*found) return "none such";
  return (*found)->article.duplicate_of;
}

int64_t DuplicateCount(const ArticleStore& store) {
  IndexInfo info;
  EXPECT_TRUE(store.FillInfo(info).ok());
  return info.duplicate_count;
}

TEST(ArticleStoreTest, NearDuplicatesAreLinkedToTheFirstWhateverTheirHeadlines) {
  TempDir dir;
  auto store = OpenOrDie(dir.path() + "/articles.db");
  ASSERT_TRUE(store->Begin().ok());
  EXPECT_EQ(PutOrDie(*store, MakeArticle("a", "One", Story(1))).duplicate_of, "");
  EXPECT_EQ(PutOrDie(*store, MakeArticle("b", "Another headline", Story(1) + " (Reuters)")).duplicate_of, "a");
  // Like the second; linked to the head of both.
  EXPECT_EQ(PutOrDie(*store, MakeArticle("c", "A third", Story(1) + " (Reuters) More")).duplicate_of, "a");
  EXPECT_EQ(PutOrDie(*store, MakeArticle("other", "One", Story(2))).duplicate_of, "");
  EXPECT_EQ(PutOrDie(*store, MakeArticle("short", "One", "Read more.")).duplicate_of, "");
  EXPECT_EQ(PutOrDie(*store, MakeArticle("short2", "One", "Read more.")).duplicate_of, "");
  ASSERT_TRUE(store->Commit().ok());
  EXPECT_EQ(DuplicateOf(*store, "a"), "");
  EXPECT_EQ(DuplicateOf(*store, "c"), "a");
  EXPECT_EQ(DuplicateCount(*store), 2);
  // They are there after the next start, and found.
  store = nullptr;
  store = OpenOrDie(dir.path() + "/articles.db");
  ASSERT_TRUE(store->Begin().ok());
  const ArticleStore::PutResult again = PutOrDie(*store, MakeArticle("b", "Another headline", Story(1) + " (Reuters)"));
  EXPECT_EQ(again.outcome, IngestOutcome::kUnchanged);
  EXPECT_EQ(again.duplicate_of, "a");
  EXPECT_EQ(PutOrDie(*store, MakeArticle("d", "A fourth", Story(2))).duplicate_of, "other");
  ASSERT_TRUE(store->Commit().ok());
}

TEST(ArticleStoreTest, WhenTheHeadGoesTheNextOneTakesItsPlaceAndAllHearOfIt) {
  TempDir dir;
  auto store = OpenOrDie(dir.path() + "/articles.db");
  ASSERT_TRUE(store->Begin().ok());
  for (const std::string id : {"a", "b", "c", "d"}) PutOrDie(*store, MakeArticle(id, "Title " + id, Story(1)));
  ASSERT_TRUE(store->Commit().ok());
  const uint64_t before = store->last_seq();
  ASSERT_TRUE(store->Begin().ok());
  ASSERT_TRUE(store->Delete("a", {}, absl::Now()).ok());
  ASSERT_TRUE(store->Commit().ok());
  EXPECT_EQ(DuplicateOf(*store, "b"), "");
  EXPECT_EQ(DuplicateOf(*store, "c"), "b");
  EXPECT_EQ(DuplicateOf(*store, "d"), "b");
  EXPECT_EQ(store->ReadChanges(before, 100, 1'000'000)->articles.size(), 4U);
  // Their text is as it was: labels are not asked for again.
  EXPECT_LE((*store->Find("c", Parts::kHead))->article.content_seq, before);

  // Another text of the head, with its old place taken by a purge of the next.
  ASSERT_TRUE(store->Begin().ok());
  EXPECT_EQ(PutOrDie(*store, MakeArticle("b", "Title b", Story(2))).duplicate_of, "");
  ASSERT_TRUE(store->Commit().ok());
  EXPECT_EQ(DuplicateOf(*store, "c"), "");
  EXPECT_EQ(DuplicateOf(*store, "d"), "c");
  ASSERT_TRUE(store->Begin().ok());
  DeleteOptions purge;
  purge.purge = true;
  ASSERT_TRUE(store->Delete("c", purge, absl::Now()).ok());
  ASSERT_TRUE(store->Commit().ok());
  EXPECT_EQ(DuplicateOf(*store, "d"), "");
  EXPECT_EQ(DuplicateCount(*store), 0);
}

TEST(ArticleStoreTest, AnEditThatMendsATextChangesNoLink) {
  TempDir dir;
  auto store = OpenOrDie(dir.path() + "/articles.db");
  ASSERT_TRUE(store->Begin().ok());
  PutOrDie(*store, MakeArticle("a", "Title", Story(1)));
  PutOrDie(*store, MakeArticle("b", "Title", Story(1)));
  EXPECT_EQ(PutOrDie(*store, MakeArticle("a", "Title", Story(1) + " mended")).duplicate_of, "");
  EXPECT_EQ(PutOrDie(*store, MakeArticle("b", "New title", Story(1) + " mended")).duplicate_of, "a");
  // It goes its own way, and comes back.
  EXPECT_EQ(PutOrDie(*store, MakeArticle("b", "New title", "Too short.")).duplicate_of, "");
  EXPECT_EQ(PutOrDie(*store, MakeArticle("b", "New title", Story(1))).duplicate_of, "a");
  ASSERT_TRUE(store->Commit().ok());
  EXPECT_EQ(DuplicateCount(*store), 1);
}

TEST(ArticleStoreTest, WhatWasUndoneIsNobodysHead) {
  TempDir dir;
  auto store = OpenOrDie(dir.path() + "/articles.db");
  ASSERT_TRUE(store->Begin().ok());
  PutOrDie(*store, MakeArticle("a", "Title", Story(1)));
  ASSERT_TRUE(store->Commit().ok());
  ASSERT_TRUE(store->Begin().ok());
  PutOrDie(*store, MakeArticle("a", "Title", Story(3)));
  ASSERT_TRUE(store->Savepoint().ok());
  PutOrDie(*store, MakeArticle("undone", "Title", Story(2)));
  ASSERT_TRUE(store->RollbackToSavepoint().ok());
  EXPECT_EQ(PutOrDie(*store, MakeArticle("b", "Title", Story(2))).duplicate_of, "");
  EXPECT_EQ(PutOrDie(*store, MakeArticle("c", "Title", Story(3))).duplicate_of, "a");
  store->Rollback();
  ASSERT_TRUE(store->Begin().ok());
  EXPECT_EQ(PutOrDie(*store, MakeArticle("d", "Title", Story(2))).duplicate_of, "");
  EXPECT_EQ(PutOrDie(*store, MakeArticle("e", "Title", Story(1))).duplicate_of, "a");
  EXPECT_EQ(PutOrDie(*store, MakeArticle("f", "Title", Story(3))).duplicate_of, "");
  ASSERT_TRUE(store->Commit().ok());
}

TEST(ArticleStoreTest, NothingIsLinkedToWhatNobodyIsToSee) {
  TempDir dir;
  auto store = OpenOrDie(dir.path() + "/articles.db");
  Article hidden = MakeArticle("hidden", "Title", Story(1));
  hidden.visible_from = absl::Now() + absl::Hours(1);
  ASSERT_TRUE(store->Begin().ok());
  PutOrDie(*store, hidden);
  EXPECT_EQ(PutOrDie(*store, MakeArticle("seen", "Title", Story(1))).duplicate_of, "");
  ASSERT_TRUE(store->Commit().ok());
  ASSERT_TRUE(store->Begin().ok());
  ASSERT_TRUE(store->ReleaseEmbargoes(absl::Now() + absl::Hours(2), 10).ok());
  ASSERT_TRUE(store->Commit().ok());
  EXPECT_EQ(DuplicateOf(*store, "hidden"), "seen");
  EXPECT_EQ(DuplicateOf(*store, "seen"), "");
}

TEST(ArticleStoreTest, AStoreOfBeforeLearnsWhatRepeatsWhat) {
  TempDir dir;
  const std::string path = dir.path() + "/articles.db";
  {
    auto store = OpenOrDie(path);
    ASSERT_TRUE(store->Begin().ok());
    PutOrDie(*store, MakeArticle("a", "Title", Story(1)));
    PutOrDie(*store, MakeArticle("b", "Title", Story(2)));
    PutOrDie(*store, MakeArticle("c", "Title", Story(1)));
    ASSERT_TRUE(store->Commit().ok());
  }
  {
    auto connection = *SqlConnection::Open(path, /*read_only=*/false);
    ASSERT_TRUE(
        connection
            ->Execute("ALTER TABLE articles DROP COLUMN labelled_by; DROP TABLE sketches; PRAGMA user_version = 3")
            .ok());
  }
  auto store = OpenOrDie(path);
  EXPECT_EQ(DuplicateOf(*store, "a"), "");
  EXPECT_EQ(DuplicateOf(*store, "b"), "");
  EXPECT_EQ(DuplicateOf(*store, "c"), "a");
  EXPECT_EQ(DuplicateCount(*store), 1);
}

TEST(ArticleStoreTest, ADamagedArticleIsLeftOutOfReadsAndCanBeReplacedOrDeleted) {
  TempDir dir;
  const std::string path = dir.path() + "/articles.db";
  {
    auto store = OpenOrDie(path);
    ASSERT_TRUE(store->Begin().ok());
    for (const char* id : {"a", "b", "c"}) PutOrDie(*store, MakeArticle(id, "Title", absl::StrCat("Text ", id)));
    ASSERT_TRUE(store->Commit().ok());
    absl::StatusOr<std::unique_ptr<SqlConnection>> sql = SqlConnection::Open(path, /*read_only=*/false);
    ASSERT_TRUE((*sql)->Execute("UPDATE articles SET head = x'FF' WHERE id <> 'a'").ok());
  }
  auto store = OpenOrDie(path);
  const absl::StatusOr<ArticleStore::Changes> changes = store->ReadChanges(0, 10, 1'000'000);
  ASSERT_TRUE(changes.ok()) << changes.status();
  ASSERT_EQ(changes->articles.size(), 3U);
  EXPECT_FALSE(changes->articles[0].damaged);
  EXPECT_TRUE(changes->articles[1].damaged);
  EXPECT_EQ(store->Find("b", Parts::kAll).status().code(), absl::StatusCode::kDataLoss);
  const auto rows = store->GetRows({changes->articles[0].row, changes->articles[1].row}, Parts::kHead);
  ASSERT_TRUE(rows.ok()) << rows.status();
  EXPECT_TRUE(rows->at(0).has_value());
  EXPECT_FALSE(rows->at(1).has_value());
  ASSERT_TRUE(store->Begin().ok());
  EXPECT_EQ(PutOrDie(*store, MakeArticle("b", "Title", "Text b")).outcome, IngestOutcome::kUpdated);
  EXPECT_TRUE(store->Delete("c", {}, absl::Now()).ok());
  ASSERT_TRUE(store->Commit().ok());
  EXPECT_EQ((*store->Find("b", Parts::kAll))->article.body, "Text b");
}

// SQLite hands out any bytes as text; what is none couldn't be sent, and is damage as well.
TEST(ArticleStoreTest, AnArticleWithBytesThatAreNoTextIsDamaged) {
  for (const char* damage :
       {"UPDATE articles SET etag = CAST(x'80' AS TEXT)", "UPDATE articles SET title = CAST(x'80' AS TEXT)",
        "UPDATE articles SET content_hash = CAST(x'80' AS TEXT)", "UPDATE texts SET body = CAST(x'80' AS TEXT)"}) {
    TempDir dir;
    const std::string path = dir.path() + "/articles.db";
    {
      auto store = OpenOrDie(path);
      ASSERT_TRUE(store->Begin().ok());
      PutOrDie(*store, MakeArticle("a", "Title", "Text"));
      ASSERT_TRUE(store->Commit().ok());
      absl::StatusOr<std::unique_ptr<SqlConnection>> sql = SqlConnection::Open(path, /*read_only=*/false);
      ASSERT_TRUE((*sql)->Execute(damage).ok());
    }
    auto store = OpenOrDie(path);
    EXPECT_EQ(store->Find("a", Parts::kAll).status().code(), absl::StatusCode::kDataLoss) << damage;
  }
}

}  // namespace
}  // namespace dateline::search
