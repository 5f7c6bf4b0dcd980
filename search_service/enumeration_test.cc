#include "search_service/enumeration.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/error.h"
#include "search_service/article_store.h"
#include "search_service/engine_test_util.h"
#include "search_service/sqlite.h"

namespace dateline::search {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// A store that writes one change at a time.
class EnumerationTest : public ::testing::Test {
 protected:
  EnumerationTest() { Open(); }

  void Open() {
    store_.reset();
    absl::StatusOr<std::unique_ptr<ArticleStore>> store = ArticleStore::Open(path());
    ASSERT_TRUE(store.ok()) << store.status();
    store_ = *std::move(store);
  }

  std::string path() const { return dir_.path() + "/articles.db"; }

  template <typename Change>
  void Write(const Change& change) {
    ASSERT_TRUE(store_->Begin().ok());
    const absl::Status status = change();
    ASSERT_TRUE(status.ok()) << status;
    ASSERT_TRUE(store_->Commit().ok());
  }

  void Put(Article article, absl::Time now = absl::Now()) {
    const absl::StatusOr<Normalized> normalized = Normalize(std::move(article), now);
    ASSERT_TRUE(normalized.ok()) << normalized.status();
    Write([&] { return store_->Put(normalized->article, taxonomy_, now).status(); });
  }

  void Put(const std::string& id, const std::string& body) {
    Article article = MakeArticle(id, absl::StrCat("Title ", id), body);
    article.url = absl::StrCat("https://example.com/", id);
    Put(article);
  }

  void Delete(const std::string& id, bool purge = false) {
    DeleteOptions options;
    options.purge = purge;
    Write([&] { return store_->Delete(id, options, absl::Now()).status(); });
  }

  void Label(const std::string& id, const std::string& country) {
    const std::optional<StoredArticle> stored = *store_->Find(id, Parts::kHead);
    Labeling labeling;
    search::Label& label = labeling.labels.emplace_back();
    label.dimension = Dimension::kCountry;
    label.id = country;
    label.score = 0.9;
    Write([&] { return store_->SetLabeling(stored->row, stored->article.content_seq, labeling, taxonomy_).status(); });
  }

  std::vector<std::string> List(const ListQuery& query, std::string* next = nullptr) const {
    const absl::StatusOr<ArticleList> list = ListArticles(*store_, taxonomy_, query);
    EXPECT_TRUE(list.ok()) << list.status();
    std::vector<std::string> ids;
    if (!list.ok()) return ids;
    for (const Article& article : list->articles) ids.push_back(article.id);
    if (next != nullptr) *next = list->next_page_token;
    return ids;
  }

  // "created a" and so on, all pages of `page_size`; leaves `place` at the end of the log.
  std::vector<std::string> Follow(LogPlace& place, int page_size = 0, const std::string& filter = "") const {
    static const char* const kNames[] = {"", "created", "updated", "relabelled", "corrected", "deleted"};
    std::vector<std::string> seen;
    while (true) {
      ChangeQuery query;
      query.since = place;
      query.page_size = page_size;
      query.filter = filter;
      const absl::StatusOr<ChangeList> list = ListChanges(*store_, taxonomy_, query);
      EXPECT_TRUE(list.ok()) << list.status();
      if (!list.ok()) return seen;
      for (const ArticleChange& change : list->changes) {
        seen.push_back(absl::StrCat(kNames[static_cast<int>(change.kind)], " ", change.article.id));
      }
      place = list->next;
      if (place == LogPlace{list->log_seq, list->log_seq}) return seen;
    }
  }

  TempDir dir_;
  const Taxonomy taxonomy_{TestTaxonomy()};
  std::unique_ptr<ArticleStore> store_;
};

TEST_F(EnumerationTest, APageNeitherSkipsNorRepeatsWhileArticlesComeChangeAndGo) {
  for (const char* id : {"a", "b", "c", "d", "e"}) Put(id, "Text");
  ListQuery query;
  query.page_size = 2;
  EXPECT_THAT(List(query, &query.page_token), ElementsAre("a", "b"));
  Put("a", "Another text");
  Delete("c");
  Put("f", "Text");
  EXPECT_THAT(List(query, &query.page_token), ElementsAre("d", "e"));
  EXPECT_THAT(List(query, &query.page_token), ElementsAre("f"));
  EXPECT_EQ(query.page_token, "");
  // A page that is just full is the last one if nothing follows.
  query.page_size = 5;
  EXPECT_THAT(List(query, &query.page_token), ElementsAre("a", "b", "d", "e", "f"));
  EXPECT_EQ(query.page_token, "");
}

TEST_F(EnumerationTest, ATokenIsOfItsFilterAndItsLog) {
  for (const char* id : {"a", "b"}) Put(id, "Text");
  ListQuery query;
  query.page_size = 1;
  List(query, &query.page_token);
  ListQuery other = query;
  other.filter = "source = x";
  absl::Status status = ListArticles(*store_, taxonomy_, other).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
  EXPECT_EQ(common::FieldViolationsOf(status).at(0).field, "page_token");
  other = query;
  other.page_token.back() = other.page_token.back() == 'A' ? 'B' : 'A';
  EXPECT_EQ(ListArticles(*store_, taxonomy_, other).status().code(), absl::StatusCode::kInvalidArgument);
  TempDir elsewhere;
  const auto foreign = ArticleStore::Open(elsewhere.path() + "/articles.db");
  status = ListArticles(**foreign, taxonomy_, query).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
  EXPECT_EQ(common::ReasonOf(status), kReasonPageTokenExpired);
}

TEST_F(EnumerationTest, EachChangeIsOfTheKindThatCountsMost) {
  LogPlace place;
  Put("a", "Text");
  Put("b", "Text");
  EXPECT_THAT(Follow(place), ElementsAre("created a", "created b"));
  EXPECT_THAT(Follow(place), IsEmpty());
  Label("a", "IR");
  EXPECT_THAT(Follow(place), ElementsAre("relabelled a"));
  Put("a", "Another text");
  Label("a", "RU");
  Put("c", "Text");
  Label("c", "IR");
  Delete("b");
  EXPECT_THAT(Follow(place), ElementsAre("updated a", "created c", "deleted b"));
  Put("b", "Text again");
  EXPECT_THAT(Follow(place), ElementsAre("created b"));
}

TEST_F(EnumerationTest, WhoComesInSeveralStepsIsToldOfWhatMovedOnBeforeThatItIsNew) {
  for (const char* id : {"a", "b", "c"}) Put(id, "Text");
  ChangeQuery query;
  query.page_size = 1;
  absl::StatusOr<ChangeList> list = ListChanges(*store_, taxonomy_, query);
  ASSERT_TRUE(list.ok()) << list.status();
  EXPECT_EQ(list->next, (LogPlace{0, 1}));
  // Moves behind the place before it was seen.
  Label("b", "IR");
  Label("a", "IR");
  LogPlace place = list->next;
  EXPECT_THAT(Follow(place, 1), ElementsAre("created c", "created b", "created a"));
}

TEST_F(EnumerationTest, ChangesUnderAFilterAreThoseThatPassItAndAllDeletions) {
  LogPlace place;
  for (const char* id : {"a", "b", "c"}) Put(id, "Text");
  Label("a", "IR");
  Label("b", "RU");
  EXPECT_THAT(Follow(place, 0, "country = IR"), ElementsAre("created a"));
  Delete("b");
  Label("c", "IR");
  EXPECT_THAT(Follow(place, 0, "country = IR"), ElementsAre("deleted b", "relabelled c"));
}

TEST_F(EnumerationTest, ADeletedArticleKeepsItsUrlAPurgedOneDoesNot) {
  for (const char* id : {"a", "b", "c"}) Put(id, "Text");
  Delete("a");
  Delete("b");
  Delete("c", /*purge=*/true);
  Delete("https://example.com/b", /*purge=*/true);
  const absl::StatusOr<ChangeList> list = ListChanges(*store_, taxonomy_, {});
  ASSERT_TRUE(list.ok()) << list.status();
  ASSERT_EQ(list->changes.size(), 3U);
  EXPECT_EQ(list->changes[0].article.url, "https://example.com/a");
  EXPECT_EQ(list->changes[1].article.id, "b");
  EXPECT_EQ(list->changes[1].article.url, "");
  EXPECT_EQ(list->changes[2].article.id, "c");
  EXPECT_EQ(list->changes[2].article.url, "");
}

TEST_F(EnumerationTest, AnArticleUnderEmbargoIsNeitherListedNorAChangeUntilItsEndWhichIsOne) {
  const absl::Time now = absl::Now();
  Article article = MakeArticle("a", "Embargoed", "Text");
  article.visible_from = now + absl::Hours(1);
  Put(article, now);
  Put("b", "Text");
  LogPlace place;
  EXPECT_THAT(Follow(place), ElementsAre("created b"));
  EXPECT_THAT(List({}), ElementsAre("b"));
  ListQuery editors;
  editors.include_embargoed = true;
  EXPECT_THAT(List(editors), ElementsAre("a", "b"));
  EXPECT_EQ(store_->next_embargo(), absl::FromUnixMicros(absl::ToUnixMicros(now + absl::Hours(1))));
  // Not before its time; and what is to come is known after a restart.
  Open();
  Write([&] { return store_->ReleaseEmbargoes(now + absl::Minutes(59), 10); });
  EXPECT_EQ(store_->last_seq(), 2U);
  Write([&] { return store_->ReleaseEmbargoes(now + absl::Minutes(61), 10); });
  EXPECT_EQ(store_->last_seq(), 3U);
  EXPECT_EQ(store_->next_embargo(), absl::InfiniteFuture());
  const absl::StatusOr<ArticleStore::LogPage> log = store_->ReadLog(place.seq, 10);
  ASSERT_EQ(log->entries.size(), 1U);
  EXPECT_EQ(log->entries[0].stored.article.id, "a");
  EXPECT_EQ(log->entries[0].create_seq, 3U);
  EXPECT_EQ(log->entries[0].change_time, absl::FromUnixMicros(absl::ToUnixMicros(now + absl::Hours(1))));
}

TEST_F(EnumerationTest, TheUrlOfWhatWasDeletedUnderEmbargoIsNotTold) {
  Article article = MakeArticle("a", "Embargoed", "Text");
  article.url = "https://example.com/secret";
  article.visible_from = absl::Now() + absl::Hours(1);
  Put(article);
  Delete("a");
  EXPECT_EQ(ListChanges(*store_, taxonomy_, {})->changes.at(0).article.url, "");
}

TEST_F(EnumerationTest, ADamagedArticleIsListedByItsIdAndIsNoChange) {
  for (const char* id : {"a", "b"}) Put(id, "Text");
  store_.reset();
  {
    absl::StatusOr<std::unique_ptr<SqlConnection>> sql = SqlConnection::Open(path(), /*read_only=*/false);
    ASSERT_TRUE((*sql)->Execute("UPDATE articles SET head = x'FF' WHERE id = 'a'").ok());
  }
  Open();
  const absl::StatusOr<ArticleList> list = ListArticles(*store_, taxonomy_, {});
  ASSERT_EQ(list->articles.size(), 2U);
  EXPECT_EQ(list->articles[0].id, "a");
  EXPECT_EQ(list->articles[0].content_hash, "");
  EXPECT_NE(list->articles[1].content_hash, "");
  LogPlace place;
  EXPECT_THAT(Follow(place), ElementsAre("created b"));
  ListQuery filtered;
  filtered.filter = "NOT source = x";
  EXPECT_THAT(List(filtered), ElementsAre("b"));
}

TEST_F(EnumerationTest, AShareEndsWhenTheTimeIsUpAndGoesOnWhereItWas) {
  constexpr int kArticles = 1'200;  // More than is read at once.
  Write([&]() -> absl::Status {
    for (int i = 0; i < kArticles; ++i) {
      const absl::StatusOr<Normalized> one = Normalize(MakeArticle(absl::StrCat("a", i), "Title", "Text"), absl::Now());
      if (absl::Status status = store_->Put(one->article, taxonomy_, absl::Now()).status(); !status.ok()) {
        return status;
      }
    }
    return absl::OkStatus();
  });
  ListQuery list;
  list.filter = absl::StrCat("id = a", kArticles - 1);
  list.deadline = absl::InfinitePast();  // The time is always up.
  int shares = 0;
  std::vector<std::string> ids;
  do {
    for (std::string& id : List(list, &list.page_token)) ids.push_back(std::move(id));
  } while (++shares < 10 && !list.page_token.empty());
  EXPECT_EQ(shares, 3);
  EXPECT_THAT(ids, ElementsAre(absl::StrCat("a", kArticles - 1)));

  ChangeQuery changes;
  changes.filter = list.filter;
  changes.deadline = list.deadline;
  shares = 0;
  absl::StatusOr<ChangeList> changed = ListChanges(*store_, taxonomy_, changes);
  while (++shares < 10 && changed->next.seq != changed->log_seq) {
    EXPECT_THAT(changed->changes, IsEmpty());
    changes.since = changed->next;
    changed = ListChanges(*store_, taxonomy_, changes);
  }
  EXPECT_EQ(shares, 3);
  EXPECT_EQ(changed->changes.size(), 1U);

  changes.cancelled = [] { return true; };
  EXPECT_EQ(ListChanges(*store_, taxonomy_, changes).status().code(), absl::StatusCode::kCancelled);
}

TEST_F(EnumerationTest, AStoreOfTheSecondVersionLearnsWhereItsArticlesCameAndWhatIsUnderEmbargo) {
  Article article = MakeArticle("a", "Embargoed", "Text");
  article.visible_from = absl::Now() + absl::Hours(1);
  Put(article);
  Put("b", "Text");
  Put("c", "Text");
  Label("b", "IR");
  Delete("c");
  store_.reset();
  {
    absl::StatusOr<std::unique_ptr<SqlConnection>> sql = SqlConnection::Open(path(), /*read_only=*/false);
    ASSERT_TRUE((*sql)
                    ->Execute("DROP INDEX articles_embargo; ALTER TABLE articles DROP COLUMN create_seq; "
                              "ALTER TABLE articles DROP COLUMN correct_seq; ALTER TABLE articles DROP COLUMN "
                              "change_time; ALTER TABLE articles DROP COLUMN embargo; UPDATE articles SET head = x'' "
                              "WHERE deleted = 1; ALTER TABLE articles DROP COLUMN labelled_by; DROP TABLE sketches; "
                              "PRAGMA user_version=2")
                    .ok());
  }
  for (int i = 0; i < 2; ++i) {
    Open();
    EXPECT_EQ(store_->next_embargo(), absl::FromUnixMicros(absl::ToUnixMicros(*article.visible_from)));
    LogPlace place;
    EXPECT_THAT(Follow(place), ElementsAre("created b", "deleted c"));
    place = {3, 3};
    EXPECT_THAT(Follow(place), ElementsAre("relabelled b", "deleted c"));
    EXPECT_FALSE(ListChanges(*store_, taxonomy_, {})->changes.at(0).change_time.has_value());
  }
}

}  // namespace
}  // namespace dateline::search
