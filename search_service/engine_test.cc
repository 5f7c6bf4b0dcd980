#include "search_service/engine.h"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <future>
#include <iterator>
#include <map>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/error.h"
#include "search_service/engine_test_util.h"
#include "search_service/sqlite.h"

namespace dateline::search {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

Engine::Options OptionsFor(const TempDir& dir) {
  Engine::Options options;
  options.data_dir = dir.path();
  options.min_backoff = absl::Milliseconds(5);
  options.max_backoff = absl::Milliseconds(50);
  options.label_retry_delay = absl::Milliseconds(1);
  options.min_commit_interval = absl::ZeroDuration();
  return options;
}

std::unique_ptr<Engine> OpenOrDie(const Engine::Options& options, std::shared_ptr<ArticleLabeler> labeler = nullptr) {
  absl::StatusOr<std::unique_ptr<Engine>> engine = Engine::Open(options, std::move(labeler));
  if (!engine.ok()) {
    ADD_FAILURE() << engine.status();
    std::abort();
  }
  return *std::move(engine);
}

SearchResult SearchOrDie(const Engine& engine, const SearchQuery& query) {
  absl::StatusOr<SearchResult> result = engine.Search(query);
  if (!result.ok()) {
    ADD_FAILURE() << result.status();
    return {};
  }
  return *std::move(result);
}

SearchQuery Words(std::string text) {
  SearchQuery query;
  query.query = std::move(text);
  return query;
}

std::string FieldOf(const absl::Status& status) {
  const auto violations = common::FieldViolationsOf(status);
  return violations.empty() ? "" : violations.front().field;
}

TEST(EngineTest, IngestedArticleIsFoundByWordsOfTitleAndBody) {
  TempDir dir;
  auto engine = OpenOrDie(OptionsFor(dir));
  const IngestResult result =
      IngestAndWait(*engine, MakeArticle("a", "Nuclear talks resume", "Diplomats met in Vienna."));
  EXPECT_EQ(result.outcome, IngestOutcome::kCreated);
  EXPECT_EQ(result.id, "a");
  Settle(*engine);
  EXPECT_THAT(Ids(SearchOrDie(*engine, Words("nuclear talk"))), ElementsAre("a"));
  EXPECT_THAT(Ids(SearchOrDie(*engine, Words("VIENNA"))), ElementsAre("a"));
  EXPECT_THAT(Ids(SearchOrDie(*engine, Words("\"met in Vienna\""))), ElementsAre("a"));
  // Not in that order, and better than nothing.
  const SearchResult near = SearchOrDie(*engine, Words("\"in met Vienna\""));
  EXPECT_THAT(Ids(near), ElementsAre("a"));
  EXPECT_TRUE(near.interpretation.relaxed);
}

TEST(EngineTest, SameContentIsUnchangedAndOlderVersionIsStale) {
  TempDir dir;
  auto engine = OpenOrDie(OptionsFor(dir));
  Article article = MakeArticle("a", "One", "First body");
  article.update_time = absl::FromUnixSeconds(2'000);
  const IngestResult created = IngestAndWait(*engine, article);
  EXPECT_EQ(created.outcome, IngestOutcome::kCreated);
  const IngestResult unchanged = IngestAndWait(*engine, article);
  EXPECT_EQ(unchanged.outcome, IngestOutcome::kUnchanged);
  EXPECT_EQ(unchanged.seq, created.seq);
  article.body = "Older body";
  article.update_time = absl::FromUnixSeconds(1'000);
  EXPECT_EQ(IngestAndWait(*engine, article).outcome, IngestOutcome::kStale);
  article.body = "Newer body";
  article.update_time = absl::FromUnixSeconds(3'000);
  EXPECT_EQ(IngestAndWait(*engine, article).outcome, IngestOutcome::kUpdated);
  Settle(*engine);
  EXPECT_THAT(Ids(SearchOrDie(*engine, Words("newer"))), ElementsAre("a"));
  EXPECT_THAT(Ids(SearchOrDie(*engine, Words("first"))), IsEmpty());
}

TEST(EngineTest, AVersionOlderThanOneThatChangedNothingIsStale) {
  TempDir dir;
  auto engine = OpenOrDie(OptionsFor(dir));
  Article article = MakeArticle("a", "One", "First body");
  IngestAndWait(*engine, article);
  article.update_time = absl::FromUnixSeconds(3'000);
  EXPECT_EQ(IngestAndWait(*engine, article).outcome, IngestOutcome::kUnchanged);
  EXPECT_FALSE(engine->Get("a")->update_time.has_value());
  article.update_time = absl::FromUnixSeconds(1'000);  // Late, and takes nothing back.
  EXPECT_EQ(IngestAndWait(*engine, article).outcome, IngestOutcome::kUnchanged);
  article.body = "What it said between the two";
  article.update_time = absl::FromUnixSeconds(2'000);
  EXPECT_EQ(IngestAndWait(*engine, article).outcome, IngestOutcome::kStale);
  article.update_time = absl::FromUnixSeconds(3'001);
  EXPECT_EQ(IngestAndWait(*engine, article).outcome, IngestOutcome::kUpdated);
}

TEST(EngineTest, EtagIsAPrecondition) {
  TempDir dir;
  auto engine = OpenOrDie(OptionsFor(dir));
  IngestAndWait(*engine, MakeArticle("a", "One", "Body"));
  Article article = *engine->Get("a");
  const std::string etag = article.etag;
  Article change = MakeArticle("a", "One", "Another body");
  change.etag = "somethingelse";
  const IngestResult refused = IngestAndWait(*engine, change);
  EXPECT_EQ(refused.outcome, IngestOutcome::kRejected);
  EXPECT_EQ(refused.error.code(), absl::StatusCode::kAborted);
  change.etag = etag;
  EXPECT_EQ(IngestAndWait(*engine, change).outcome, IngestOutcome::kUpdated);
  EXPECT_NE(engine->Get("a")->etag, etag);
}

TEST(EngineTest, AnArticleWithoutTextIsRejectedNamingTheField) {
  TempDir dir;
  auto engine = OpenOrDie(OptionsFor(dir));
  const IngestResult result = IngestAndWait(*engine, MakeArticle("a", " ", "\n"));
  EXPECT_EQ(result.outcome, IngestOutcome::kRejected);
  EXPECT_EQ(FieldOf(result.error), "title");
}

TEST(EngineTest, DeletedArticleIsGoneAndItsIdCanBeTakenAgain) {
  TempDir dir;
  auto engine = OpenOrDie(OptionsFor(dir));
  IngestAndWait(*engine, MakeArticle("a", "Grain", "Body"));
  const absl::StatusOr<uint64_t> seq = engine->Delete("a", {});
  ASSERT_TRUE(seq.ok()) << seq.status();
  Settle(*engine);
  EXPECT_THAT(Ids(SearchOrDie(*engine, Words("grain"))), IsEmpty());
  EXPECT_EQ(engine->Get("a").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(engine->Delete("a", {}).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(IngestAndWait(*engine, MakeArticle("a", "Grain", "Body")).outcome, IngestOutcome::kCreated);
  Settle(*engine);
  EXPECT_THAT(Ids(SearchOrDie(*engine, Words("grain"))), ElementsAre("a"));
}

TEST(EngineTest, PurgedArticleIsRefusedByIdAndByUrl) {
  TempDir dir;
  auto engine = OpenOrDie(OptionsFor(dir));
  Article article = MakeArticle("a", "Secretword", "Body with secretword");
  article.url = "https://example.com/a?utm_source=x";
  IngestAndWait(*engine, article);
  DeleteOptions purge;
  purge.purge = true;
  ASSERT_TRUE(engine->Delete("https://www.example.com/a", purge).status().code() == absl::StatusCode::kNotFound ||
              engine->Delete("https://example.com/a", purge).ok());
  ASSERT_TRUE(engine->Delete("a", DeleteOptions{"", true, true}).ok());
  const IngestResult by_id = IngestAndWait(*engine, MakeArticle("a", "Other", "Other"));
  EXPECT_EQ(by_id.outcome, IngestOutcome::kRejected);
  EXPECT_EQ(common::ReasonOf(by_id.error), kReasonPurged);
  Article by_url = MakeArticle("b", "Other", "Other");
  by_url.url = "https://example.com/a";
  EXPECT_EQ(common::ReasonOf(IngestAndWait(*engine, by_url).error), kReasonPurged);
  engine.reset();
  for (const auto& entry : std::filesystem::directory_iterator(dir.path())) {
    if (!entry.is_regular_file()) continue;
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    EXPECT_EQ(bytes.find("ecretword"), std::string::npos) << entry.path();
  }
}

TEST(EngineTest, APurgeAfterTheDeletionRefusesIdAndUrlsAllTheSame) {
  TempDir dir;
  auto engine = OpenOrDie(OptionsFor(dir));
  DeleteOptions purge;
  purge.purge = true;
  Article article = MakeArticle("a", "Title", "Body");
  article.url = "https://example.com/a";
  article.alternate_urls = {"https://example.com/other"};
  IngestAndWait(*engine, article);
  ASSERT_TRUE(engine->Delete("a", {}).ok());
  EXPECT_FALSE(engine->Get("https://example.com/a").ok());
  ASSERT_TRUE(engine->Delete("a", purge).ok());
  for (const std::string url : {"https://example.com/a", "https://example.com/other"}) {
    Article again = MakeArticle("b", "Other", "Other");
    again.url = url;
    EXPECT_EQ(common::ReasonOf(IngestAndWait(*engine, again).error), kReasonPurged) << url;
  }
  // And where the takedown knows the URL alone.
  article.id = "c";
  article.url = "https://example.com/c";
  article.alternate_urls.clear();
  IngestAndWait(*engine, article);
  ASSERT_TRUE(engine->Delete("c", {}).ok());
  purge.allow_missing = true;
  ASSERT_TRUE(engine->Delete("https://example.com/c", purge).ok());
  EXPECT_EQ(common::ReasonOf(IngestAndWait(*engine, MakeArticle("c", "Other", "Other")).error), kReasonPurged);
}

Article ArticleAt(const std::string& id, std::string url, std::vector<std::string> alternate_urls = {}) {
  Article article = MakeArticle(id, "Title", absl::StrCat("Body of ", id));
  article.url = std::move(url);
  article.alternate_urls = std::move(alternate_urls);
  return article;
}

DeleteOptions Takedown() {
  DeleteOptions options;
  options.purge = options.allow_missing = true;
  return options;
}

TEST(EngineTest, APurgeByUrlErasesEveryArticleThatHasItAndCanBeRepeated) {
  TempDir dir;
  auto engine = OpenOrDie(OptionsFor(dir));
  const std::string url = "http://pur.org/1";
  IngestAndWait(*engine, ArticleAt("p1", url, {"http://pur.org/one"}));
  IngestAndWait(*engine, ArticleAt("p2", url));
  IngestAndWait(*engine, ArticleAt("p3", "http://pur.org/3", {"https://pur.org/1/#top"}));
  IngestAndWait(*engine, ArticleAt("deleted", "http://pur.org/d", {url}));
  ASSERT_TRUE(engine->Delete("deleted", {}).ok());
  IngestAndWait(*engine, MakeArticle(url, "Title", "Text"));  // The URL as an id.
  IngestAndWait(*engine, ArticleAt("other", "http://pur.org/other"));
  Settle(*engine);
  for (int i = 0; i < 2; ++i) {
    const absl::StatusOr<uint64_t> seq = engine->Delete(url, Takedown());
    ASSERT_TRUE(seq.ok()) << seq.status();
    EXPECT_EQ(*seq == 0, i == 1);
    Settle(*engine);
    EXPECT_THAT(Ids(SearchOrDie(*engine, Words(""))), ElementsAre("other"));
    EXPECT_EQ(engine->Get(url).status().code(), absl::StatusCode::kNotFound);
  }
  for (const char* id : {"p1", "p2", "p3", "deleted", "http://pur.org/1"}) {
    EXPECT_EQ(common::ReasonOf(IngestAndWait(*engine, MakeArticle(id, "New", "New")).error), kReasonPurged) << id;
  }
  for (const char* again : {"http://pur.org/1", "http://pur.org/one", "http://pur.org/3", "http://pur.org/d"}) {
    EXPECT_EQ(common::ReasonOf(IngestAndWait(*engine, ArticleAt("new", again)).error), kReasonPurged) << again;
  }
}

TEST(EngineTest, APurgeByUrlWithAnEtagErasesAllOrNothing) {
  TempDir dir;
  auto engine = OpenOrDie(OptionsFor(dir));
  IngestAndWait(*engine, ArticleAt("p1", "http://pur.org/1"));
  IngestAndWait(*engine, ArticleAt("p2", "http://pur.org/1"));
  DeleteOptions purge = Takedown();
  for (const char* id : {"p1", "p2"}) {
    purge.etag = engine->Get(id)->etag;
    EXPECT_EQ(common::ReasonOf(engine->Delete("http://pur.org/1", purge).status()), kReasonEtagMismatch);
  }
  EXPECT_TRUE(engine->Get("p1").ok());
  EXPECT_TRUE(engine->Get("p2").ok());
  EXPECT_TRUE(engine->Delete("p2", purge).ok());  // By its id alone.
  EXPECT_FALSE(engine->Get("p2").ok());
}

TEST(EngineTest, NothingStaysUnderAUrlThatAPurgeByIdRefuses) {
  TempDir dir;
  auto engine = OpenOrDie(OptionsFor(dir));
  const std::string front = "http://pur.org/";
  IngestAndWait(*engine, ArticleAt("purged", "http://pur.org/1", {"http://pur.org/2", front}));
  IngestAndWait(*engine, ArticleAt("same", "http://pur.org/1"));
  IngestAndWait(*engine, ArticleAt("second", "http://pur.org/2", {"http://pur.org/22"}));
  // Names the front page too: that is no reason to lose it.
  IngestAndWait(*engine, ArticleAt("neighbour", "http://pur.org/3", {front, "http://pur.org/33"}));
  Settle(*engine);
  const absl::StatusOr<uint64_t> seq = engine->Delete("purged", Takedown());
  ASSERT_TRUE(seq.ok()) << seq.status();
  EXPECT_EQ(*seq, engine->durable_seq());
  Settle(*engine);
  EXPECT_THAT(Ids(SearchOrDie(*engine, Words(""))), ElementsAre("neighbour"));
  for (const char* id : {"purged", "same", "second"}) {
    EXPECT_EQ(common::ReasonOf(IngestAndWait(*engine, MakeArticle(id, "New", "New")).error), kReasonPurged) << id;
  }
  EXPECT_EQ(engine->Get(front).status().code(), absl::StatusCode::kNotFound);
  SearchQuery by_url;
  by_url.filter = absl::StrCat("url = \"", front, "\"");
  EXPECT_EQ(SearchOrDie(*engine, by_url).total, 0);
  const absl::StatusOr<Article> neighbour = engine->Get("http://pur.org/33");
  ASSERT_TRUE(neighbour.ok()) << neighbour.status();
  EXPECT_THAT(neighbour->alternate_urls, ElementsAre("http://pur.org/33"));
  EXPECT_EQ(neighbour->body, "Body of neighbour");
  // It was not asked for: of its URLs only the one that was refused is.
  EXPECT_EQ(IngestAndWait(*engine, ArticleAt("new", "http://pur.org/22")).outcome, IngestOutcome::kCreated);
}

TEST(EngineTest, AUrlLeadsToTheArticleWhoseOwnItIsThenToTheOneThatChangedLast) {
  TempDir dir;
  auto labeler = std::make_shared<FakeLabeler>();
  labeler->SetAway(true);
  auto engine = OpenOrDie(OptionsFor(dir), labeler);
  const std::string url = "http://pur.org/1";
  IngestAndWait(*engine, ArticleAt("own", url));
  IngestAndWait(*engine, ArticleAt("own2", url));
  IngestAndWait(*engine, ArticleAt("names", "http://pur.org/2", {url}));
  const auto owner = [&] {
    const absl::StatusOr<Article> article = engine->Get(url);
    return article.ok() ? article->id : std::string(article.status().message());
  };
  EXPECT_EQ(owner(), "own2");
  Article changed = ArticleAt("own", url);
  changed.body = "Another text";
  IngestAndWait(*engine, changed);
  EXPECT_EQ(owner(), "own");
  // Labels change nothing about it, in whatever order they come.
  labeler->SetAway(false);
  Settle(*engine, Progress::kLabelled);
  EXPECT_EQ(owner(), "own");
  for (const char* next : {"own", "own2", "names"}) {
    EXPECT_EQ(owner(), next);
    ASSERT_TRUE(engine->Delete(url, {}).ok());
  }
  EXPECT_FALSE(engine->Get(url).ok());
}

TEST(EngineTest, AnIdThatIsTakenAgainLeavesTheUrlsOfItsTombstoneBehind) {
  TempDir dir;
  auto engine = OpenOrDie(OptionsFor(dir));
  Article article = MakeArticle("a", "Title", "Body");
  article.url = "https://example.com/old";
  IngestAndWait(*engine, article);
  ASSERT_TRUE(engine->Delete("a", {}).ok());
  article.url = "https://example.com/new";
  EXPECT_EQ(IngestAndWait(*engine, article).outcome, IngestOutcome::kCreated);
  EXPECT_FALSE(engine->Get("https://example.com/old").ok());
  EXPECT_TRUE(engine->Get("https://example.com/new").ok());
}

Label GivenLabel(Dimension dimension, std::string id) {
  Label label;
  label.dimension = dimension;
  label.id = std::move(id);
  label.source = LabelSource::kSource;
  return label;
}

std::vector<std::string> LabelIds(const Article& article) {
  std::vector<std::string> ids;
  for (const Label& label : article.labels) ids.push_back(label.id);
  return ids;
}

TEST(EngineTest, ALabelWithARetiredIdIsStoredAndFoundUnderWhatReplacedIt) {
  TempDir dir;
  auto labeler = std::make_shared<FakeLabeler>();
  auto engine = OpenOrDie(OptionsFor(dir), labeler);
  IngestAndWait(*engine, MakeArticle("first", "Title", "Body"));
  Settle(*engine, Progress::kLabelled);  // The taxonomy is there.
  Article article = MakeArticle("a", "Title", "Body");
  article.labels = {GivenLabel(Dimension::kIssue, "old_energy")};
  EXPECT_EQ(IngestAndWait(*engine, article).outcome, IngestOutcome::kCreated);
  EXPECT_EQ(IngestAndWait(*engine, article).outcome, IngestOutcome::kUnchanged);
  Settle(*engine, Progress::kLabelled);
  EXPECT_THAT(LabelIds(*engine->Get("a")), ElementsAre("energy"));
  for (const std::string id : {"energy", "old_energy"}) {
    SearchQuery query;
    query.issue_ids = {id};
    EXPECT_THAT(Ids(SearchOrDie(*engine, query)), ElementsAre("a")) << id;
  }
}

TEST(EngineTest, StoredLabelsFollowANewTaxonomy) {
  TempDir dir;
  auto labeler = std::make_shared<FakeLabeler>();
  std::string etag;
  {
    auto engine = OpenOrDie(OptionsFor(dir), labeler);
    IngestAndWait(*engine, MakeArticle("first", "Title", "Body"));
    Settle(*engine, Progress::kLabelled);
    Article article = MakeArticle("a", "Title", "Body");
    article.labels = {GivenLabel(Dimension::kIssue, "energy"), GivenLabel(Dimension::kIssue, "geopolitics")};
    IngestAndWait(*engine, article);
    article = MakeArticle("b", "Title", "Body");
    article.source_labels = {{"issue", "Fossil fuels"}};
    IngestAndWait(*engine, article);
    Settle(*engine, Progress::kLabelled);
    EXPECT_EQ(engine->GetIndexInfo()->unmapped_label_count, 1);
    etag = engine->Get("a")->etag;
  }
  TaxonomyData data = TestTaxonomy();
  data.etag = "e2";
  data.taxonomy_version = "t2";
  data.issues.push_back(Entry("oil", "Oil", {"Fossil fuels"}));
  data.issues.push_back(Entry("power", "Power"));
  data.issues[1].replaced_by = {"oil", "power"};  // "energy".
  labeler->SetTaxonomy(data);
  auto engine = OpenOrDie(OptionsFor(dir), labeler);
  // The taxonomy comes before the labels of what comes after it, and so does what follows from it.
  IngestAndWait(*engine, MakeArticle("last", "Title", "Body"));
  Settle(*engine, Progress::kLabelled);
  EXPECT_THAT(LabelIds(*engine->Get("a")), ElementsAre("oil", "power", "geopolitics"));
  EXPECT_THAT(LabelIds(*engine->Get("b")), ElementsAre("oil"));
  EXPECT_EQ(engine->Get("a")->etag, etag);
  EXPECT_EQ(engine->Get("a")->labels[0].taxonomy_version, "t2");
  EXPECT_EQ(engine->GetIndexInfo()->unmapped_label_count, 0);
  Settle(*engine);
  SearchQuery query;
  query.issue_ids = {"energy"};
  EXPECT_THAT(Ids(SearchOrDie(*engine, query)), UnorderedElementsAre("a", "b"));
}

TEST(EngineTest, LabelsOfANewTaxonomyOrGazetteerBringItAtOnce) {
  TempDir dir;
  auto labeler = std::make_shared<FakeLabeler>();
  Engine::Options options = OptionsFor(dir);
  options.taxonomy_refresh = absl::Hours(1);
  auto engine = OpenOrDie(options, labeler);
  IngestAndWait(*engine, MakeArticle("first", "Iran", "Body"));
  Settle(*engine, Progress::kLabelled);
  EXPECT_EQ(engine->taxonomy()->data().etag, "e1");
  TaxonomyData data = TestTaxonomy();
  data.etag = "e2";
  data.gazetteer_version = "g2";
  data.groups.push_back(Entry("gulf_pact", "Gulf Pact"));
  labeler->SetTaxonomy(data);
  IngestAndWait(*engine, MakeArticle("second", "Iran", "Body"));
  Settle(*engine, Progress::kLabelled);
  EXPECT_EQ(engine->taxonomy()->data().etag, "e2");
  EXPECT_NE(engine->taxonomy()->Find(Dimension::kGroup, "gulf_pact"), nullptr);
  EXPECT_THAT(LabelIds(*engine->Get("second")), ElementsAre("IR"));
}

TEST(EngineTest, LabelsThatCannotBeCheckedYetAreForLaterAndUnknownOnesAreNot) {
  TempDir dir;
  auto labeler = std::make_shared<FakeLabeler>();
  labeler->SetAway(true);
  auto engine = OpenOrDie(OptionsFor(dir), labeler);
  Article article = MakeArticle("a", "Title", "Body");
  article.labels = {GivenLabel(Dimension::kCountry, "IR"), GivenLabel(Dimension::kIssue, "energy")};
  IngestResult result = IngestAndWait(*engine, article);
  EXPECT_EQ(result.outcome, IngestOutcome::kRetryLater);
  EXPECT_EQ(common::ReasonOf(result.error), kReasonTaxonomyUnavailable);
  EXPECT_THAT(std::string(result.error.message()), HasSubstr("labels[1].issue_id"));
  EXPECT_TRUE(common::RetryDelayOf(result.error).has_value());
  article.labels = {GivenLabel(Dimension::kCountry, "ZZ")};
  result = IngestAndWait(*engine, article);
  EXPECT_EQ(result.outcome, IngestOutcome::kRejected);
  EXPECT_EQ(FieldOf(result.error), "labels[0].region_code");
  article.labels = {GivenLabel(Dimension::kCountry, "IR"), GivenLabel(Dimension::kCountry, "XK")};
  EXPECT_EQ(IngestAndWait(*engine, article).outcome, IngestOutcome::kCreated);
  labeler->SetAway(false);
  Settle(*engine, Progress::kLabelled);
  article.labels = {GivenLabel(Dimension::kIssue, "energy"), GivenLabel(Dimension::kIssue, "nonsense")};
  EXPECT_EQ(FieldOf(IngestAndWait(*engine, article).error), "labels[1].issue_id");
  article.labels.pop_back();
  EXPECT_EQ(IngestAndWait(*engine, article).outcome, IngestOutcome::kUpdated);
}

TEST(EngineTest, LabelsArriveAndCanBeFilteredAndCounted) {
  TempDir dir;
  auto labeler = std::make_shared<FakeLabeler>();
  auto engine = OpenOrDie(OptionsFor(dir), labeler);
  IngestAndWait(*engine, MakeArticle("a", "Iran and oil", "Prices rise"));
  IngestAndWait(*engine, MakeArticle("b", "Russia", "Prices fall"));
  IngestAndWait(*engine, MakeArticle("c", "Iran and Russia", "Prices stay"));
  Settle(*engine, Progress::kLabelled);
  SearchQuery query = Words("prices");
  query.region_codes = {"IR"};
  query.facets = Facets({"region_code", "issue_id"});
  const SearchResult result = SearchOrDie(*engine, query);
  EXPECT_THAT(Ids(result), UnorderedElementsAre("a", "c"));
  EXPECT_EQ(result.total, 2);
  ASSERT_EQ(result.facets.size(), 2U);
  ASSERT_EQ(result.facets[0].values.size(), 2U);
  EXPECT_EQ(result.facets[0].values[0].id, "IR");
  EXPECT_EQ(result.facets[0].values[0].display_name, "Iran");
  EXPECT_EQ(result.facets[0].values[0].count, 2);
  EXPECT_EQ(result.facets[1].values[0].id, "energy");
  const absl::StatusOr<Article> article = engine->Get("a");
  ASSERT_TRUE(article.ok());
  EXPECT_EQ(article->label_state, LabelState::kDone);
  ASSERT_EQ(article->labels.size(), 2U);
  EXPECT_EQ(article->labels[0].evidence.size(), 1U);
}

TEST(EngineTest, ArticlesArePendingWhileTheLabelerIsAwayAndLabelledWhenItReturns) {
  TempDir dir;
  auto labeler = std::make_shared<FakeLabeler>();
  labeler->SetAway(true);
  auto engine = OpenOrDie(OptionsFor(dir), labeler);
  const IngestResult result = IngestAndWait(*engine, MakeArticle("a", "Iran", "Talks"));
  Settle(*engine);
  EXPECT_THAT(Ids(SearchOrDie(*engine, Words("talks"))), ElementsAre("a"));
  EXPECT_EQ(engine->GetIndexInfo()->pending_count, 1);
  EXPECT_EQ(engine->Reached(result.seq), Progress::kVisible);
  labeler->SetAway(false);
  Settle(*engine, Progress::kLabelled);
  SearchQuery query = Words("talks");
  query.region_codes = {"IR"};
  EXPECT_THAT(Ids(SearchOrDie(*engine, query)), ElementsAre("a"));
  EXPECT_EQ(engine->GetIndexInfo()->pending_count, 0);
  EXPECT_TRUE(engine->GetIndexInfo()->labeler_healthy);
}

TEST(EngineTest, OneArticleThatCannotBeLabelledFailsAloneAndSparesTheOthers) {
  TempDir dir;
  auto labeler = std::make_shared<FakeLabeler>();
  labeler->SetAway(true);
  Engine::Options options = OptionsFor(dir);
  options.max_label_attempts = 2;
  auto engine = OpenOrDie(options, labeler);
  for (int i = 0; i < 10; ++i)
    IngestAndWait(*engine, MakeArticle(absl::StrCat("a", i), "Iran", absl::StrCat("Text ", i)));
  IngestAndWait(*engine, MakeArticle("p", "poison", "Text"));
  IngestAndWait(*engine, MakeArticle("u", "unlabelable", "Text"));
  labeler->SetAway(false);
  Settle(*engine, Progress::kLabelled);
  EXPECT_EQ(engine->Get("p")->label_state, LabelState::kFailed);
  EXPECT_EQ(engine->Get("u")->label_state, LabelState::kFailed);
  EXPECT_EQ(engine->GetIndexInfo()->failed_count, 2);
  SearchQuery query;
  query.region_codes = {"IR"};
  EXPECT_EQ(SearchOrDie(*engine, query).total, 10);
}

TEST(EngineTest, ALabelerThatPutsOffAWholeBatchIsAskedAgain) {
  TempDir dir;
  auto labeler = std::make_shared<FakeLabeler>();
  labeler->SetBusy(true);
  auto engine = OpenOrDie(OptionsFor(dir), labeler);
  for (int i = 0; i < 20; ++i)
    IngestAndWait(*engine, MakeArticle(absl::StrCat("a", i), "Iran", absl::StrCat("Text ", i)));
  const int before = labeler->calls();
  while (labeler->calls() < before + 2) std::this_thread::yield();
  labeler->SetBusy(false);
  Settle(*engine, Progress::kLabelled);
  EXPECT_EQ(engine->GetIndexInfo()->failed_count, 0);
}

TEST(EngineTest, ADamagedCopyOfTheTaxonomyIsFetchedAgain) {
  TempDir dir;
  auto labeler = std::make_shared<FakeLabeler>();
  {
    auto engine = OpenOrDie(OptionsFor(dir), labeler);
    IngestAndWait(*engine, MakeArticle("a", "Iran", "Text"));
    Settle(*engine, Progress::kLabelled);
  }
  {
    auto database = SqlConnection::Open(dir.path() + "/articles.db", /*read_only=*/false);
    ASSERT_TRUE(database.ok());
    ASSERT_TRUE((*database)->Execute("UPDATE meta SET value = x'ff' WHERE key = 'taxonomy'").ok());
  }
  auto engine = OpenOrDie(OptionsFor(dir), labeler);
  IngestAndWait(*engine, MakeArticle("b", "Iran", "Text"));
  Settle(*engine, Progress::kLabelled);
  EXPECT_FALSE(engine->taxonomy()->empty());
}

TEST(EngineTest, AnArticleThatKillsTheLabelerDoesNotKeepTheOthersFromLabels) {
  TempDir dir;
  auto labeler = std::make_shared<FakeLabeler>();
  labeler->SetAway(true);
  Engine::Options options = OptionsFor(dir);
  options.label_retry_delay = absl::Hours(1);
  auto engine = OpenOrDie(options, labeler);
  IngestAndWait(*engine, MakeArticle("k1", "killer", "Text"));
  IngestAndWait(*engine, MakeArticle("k2", "killer", "Other text"));
  for (int i = 0; i < 10; ++i) {
    IngestAndWait(*engine, MakeArticle(absl::StrCat("a", i), "Iran", absl::StrCat("Text ", i)));
  }
  labeler->SetAway(false);
  while (engine->GetIndexInfo()->pending_count > 2) std::this_thread::yield();
  EXPECT_EQ(engine->Get("k1")->label_state, LabelState::kPending);
  EXPECT_EQ(engine->Get("k2")->label_state, LabelState::kPending);
}

TEST(EngineTest, AnArticleThatKillsTheLabelerFailsAfterSomeTriesThoughTheLabelerIsAwayAfterEach) {
  TempDir dir;
  auto labeler = std::make_shared<FakeLabeler>();
  Engine::Options options = OptionsFor(dir);
  options.max_label_attempts = 2;
  auto engine = OpenOrDie(options, labeler);
  IngestAndWait(*engine, MakeArticle("k", "killer", "Text"));
  IngestAndWait(*engine, MakeArticle("a", "Iran", "Text"));
  Settle(*engine, Progress::kLabelled);
  EXPECT_EQ(engine->Get("k")->label_state, LabelState::kFailed);
  EXPECT_EQ(engine->Get("a")->label_state, LabelState::kDone);
}

TEST(EngineTest, AnAbsenceOfTheLabelerCostsNoArticleMoreThanOneTry) {
  TempDir dir;
  auto labeler = std::make_shared<FakeLabeler>();
  Engine::Options options = OptionsFor(dir);
  options.max_label_attempts = 2;
  auto engine = OpenOrDie(options, labeler);
  IngestAndWait(*engine, MakeArticle("first", "Iran", "Text"));
  Settle(*engine, Progress::kLabelled);
  labeler->SetAway(true);
  const int before = labeler->calls();
  IngestAndWait(*engine, MakeArticle("a", "Iran", "Text"));
  IngestAndWait(*engine, MakeArticle("b", "Iran", "Other text"));
  while (labeler->calls() == before) std::this_thread::yield();
  labeler->SetAway(false);
  Settle(*engine, Progress::kLabelled);
  EXPECT_EQ(engine->GetIndexInfo()->failed_count, 0);
}

TEST(EngineTest, FailedArticlesAreTriedAgainByAnotherModel) {
  TempDir dir;
  auto labeler = std::make_shared<FakeLabeler>();
  auto engine = OpenOrDie(OptionsFor(dir), labeler);
  IngestAndWait(*engine, MakeArticle("u", "unlabelable Iran", "Text"));
  IngestAndWait(*engine, MakeArticle("a", "Iran", "Text"));
  Settle(*engine, Progress::kLabelled);
  EXPECT_EQ(engine->Get("u")->label_state, LabelState::kFailed);
  labeler->Upgrade();
  IngestAndWait(*engine, MakeArticle("b", "Iran", "Other text"));
  while (engine->Get("u")->label_state != LabelState::kDone) std::this_thread::yield();
  Settle(*engine, Progress::kLabelled);
  EXPECT_EQ(engine->GetIndexInfo()->failed_count, 0);
}

TEST(EngineTest, PublishersLabelsAreMappedCountBeforeTheClassifiersAndUnknownOnesAreCounted) {
  TempDir dir;
  auto labeler = std::make_shared<FakeLabeler>();
  auto engine = OpenOrDie(OptionsFor(dir), labeler);
  Article article = MakeArticle("a", "Russia and oil", "Text");
  article.source_labels = {{"country", "Islamic Republic of Iran"}, {"issue", "geopolitics"}, {"issue", "Gardening"}};
  IngestAndWait(*engine, article);
  Settle(*engine, Progress::kLabelled);
  const SearchResult result = SearchOrDie(*engine, Words("russia"));
  ASSERT_EQ(result.hits.size(), 1U);
  std::vector<std::string> labels;
  for (const Label& label : result.hits[0].article.labels) labels.push_back(label.id);
  EXPECT_THAT(labels, ElementsAre("IR", "geopolitics"));
  const absl::StatusOr<IndexInfo> info = engine->GetIndexInfo();
  ASSERT_EQ(info->unmapped_labels.size(), 1U);
  EXPECT_EQ(info->unmapped_labels[0].name, "Gardening");
  SearchQuery classifier = Words("russia");
  classifier.labels.sources = {LabelSource::kClassifier};
  classifier.region_codes = {"RU"};
  EXPECT_EQ(SearchOrDie(*engine, classifier).total, 1);
  classifier.labels.sources = {LabelSource::kSource};
  EXPECT_EQ(SearchOrDie(*engine, classifier).total, 0);
  classifier.labels = {{LabelSource::kClassifier}, 0.85};
  EXPECT_EQ(SearchOrDie(*engine, classifier).total, 0);
}

TEST(EngineTest, UnknownIdsInFiltersAreErrorsThatNameTheField) {
  TempDir dir;
  auto labeler = std::make_shared<FakeLabeler>();
  auto engine = OpenOrDie(OptionsFor(dir), labeler);
  IngestAndWait(*engine, MakeArticle("a", "Iran", "Text about oil"));
  Settle(*engine, Progress::kLabelled);
  SearchQuery query;
  query.region_codes = {"ZZ"};
  EXPECT_EQ(FieldOf(engine->Search(query).status()), "region_codes[0]");
  query.region_codes = {"IR", "RU", "ZZ"};
  EXPECT_EQ(FieldOf(engine->Search(query).status()), "region_codes[2]");
  query = {};
  query.group_ids = {"gcc", ""};
  EXPECT_EQ(FieldOf(engine->Search(query).status()), "group_ids[1]");
  query = {};
  query.issue_ids = {"nonsense"};
  EXPECT_EQ(FieldOf(engine->Search(query).status()), "issue_ids[0]");
  query = {};
  query.selections = {{"source", {"x"}, false}, {"colour", {"red"}, false}};
  EXPECT_EQ(FieldOf(engine->Search(query).status()), "selections[1].field");
  query.selections[1] = {"region_code", {}, false};
  EXPECT_EQ(FieldOf(engine->Search(query).status()), "selections[1].values");
  query.selections[1].values = {"IR", "ZZ"};
  EXPECT_EQ(FieldOf(engine->Search(query).status()), "selections[1].values[1]");
  query = {};
  query.facets = Facets({"source", "colour"});
  EXPECT_EQ(FieldOf(engine->Search(query).status()), "facets[1].field");
  for (const int limit : {-1, 1'001}) {
    query.facets[1].field = "author";
    query.facets[1].limit = limit;
    EXPECT_EQ(FieldOf(engine->Search(query).status()), "facets[1].limit") << limit;
  }
  query.facets[1].limit = 1'000;
  EXPECT_TRUE(engine->Search(query).ok());
  query = {};
  query.filter = "country = \"ZZ\"";
  EXPECT_EQ(FieldOf(engine->Search(query).status()), "filter");
  query = {};
  query.issue_ids = {"old_energy"};  // Retired: what replaced it is meant.
  EXPECT_EQ(SearchOrDie(*engine, query).total, 1);
  query = {};
  query.page_size = -1;
  EXPECT_EQ(FieldOf(engine->Search(query).status()), "page_size");
  query = {};
  query.page_token = "bm9uc2Vuc2U=";
  EXPECT_EQ(FieldOf(engine->Search(query).status()), "page_token");
  query = Words(std::string(2'000, 'x'));
  EXPECT_EQ(FieldOf(engine->Search(query).status()), "query");
}

TEST(EngineTest, AnEmbargoedArticleIsHiddenFromReadsUntilItsTime) {
  TempDir dir;
  auto engine = OpenOrDie(OptionsFor(dir));
  Article article = MakeArticle("a", "Embargoed budget", "Text");
  article.visible_from = absl::Now() + absl::Hours(1);
  IngestAndWait(*engine, article);
  article = MakeArticle("b", "Past budget", "Text");
  article.visible_from = absl::Now() - absl::Hours(1);
  IngestAndWait(*engine, article);
  Settle(*engine);
  EXPECT_THAT(Ids(SearchOrDie(*engine, Words("budget"))), ElementsAre("b"));
  EXPECT_FALSE(engine->Get("a").ok());
  EXPECT_TRUE(engine->Get("a", /*include_embargoed=*/true).ok());
  SearchQuery query = Words("budget");
  query.include_embargoed = true;
  EXPECT_EQ(SearchOrDie(*engine, query).total, 2);
  EXPECT_EQ(engine->Suggest(Typed("emb"))->size(), 0U);
}

TEST(EngineTest, VersionsThatAreTooOldGoWithoutBeingAskedFor) {
  TempDir dir;
  const std::string path = dir.path() + "/articles.db";
  {
    auto engine = OpenOrDie(OptionsFor(dir));
    IngestAndWait(*engine, MakeArticle("a", "Title", "First text"));
    IngestAndWait(*engine, MakeArticle("a", "Title", "Second text"));
  }
  const auto versions = [&] {
    absl::StatusOr<std::unique_ptr<SqlConnection>> sql = SqlConnection::Open(path, /*read_only=*/true);
    SqlStatement count = *(*sql)->Prepare("SELECT COUNT(*) FROM versions");
    return *count.Step() ? count.Int(0) : -1;
  };
  ASSERT_EQ(versions(), 1);
  {
    absl::StatusOr<std::unique_ptr<SqlConnection>> sql = SqlConnection::Open(path, /*read_only=*/false);
    ASSERT_TRUE((*sql)->Execute("UPDATE versions SET time = 0").ok());
  }
  auto engine = OpenOrDie(OptionsFor(dir));
  while (versions() > 0) absl::SleepFor(absl::Milliseconds(5));
  EXPECT_EQ(engine->Get("a")->body, "Second text");
}

TEST(EngineTest, TheEndOfAnEmbargoIsToldToWhoFollowsTheLog) {
  TempDir dir;
  auto engine = OpenOrDie(OptionsFor(dir));
  Article article = MakeArticle("a", "Embargoed budget", "Text");
  article.visible_from = absl::Now() + absl::Milliseconds(200);
  const uint64_t seq = IngestAndWait(*engine, article).seq;
  ASSERT_EQ(engine->WaitFor(seq + 1, Progress::kVisible, Soon()), Progress::kVisible);
  ChangeQuery query;
  query.since = {seq, seq};
  const absl::StatusOr<ChangeList> changes = engine->ListChanges(query);
  ASSERT_TRUE(changes.ok()) << changes.status();
  ASSERT_EQ(changes->changes.size(), 1U);
  EXPECT_EQ(changes->changes[0].kind, ChangeKind::kCreated);
  EXPECT_EQ(changes->changes[0].article.id, "a");
  EXPECT_THAT(Ids(SearchOrDie(*engine, Words("budget"))), ElementsAre("a"));
}

TEST(EngineTest, WhatAnEditorDecidedOutlivesTaggingAndSendingAgainAndIsSearchable) {
  TempDir dir;
  const auto labeler = std::make_shared<FakeLabeler>();
  auto engine = OpenOrDie(OptionsFor(dir), labeler);
  Article article = MakeArticle("a", "Iran and Russia", "On oil.");
  article.url = "https://example.com/a";
  IngestAndWait(*engine, article);
  Settle(*engine, Progress::kLabelled);
  const std::string etag = engine->Get("a")->etag;
  const auto country = [](const char* id) {
    Label label;
    label.dimension = Dimension::kCountry;
    label.id = id;
    return label;
  };
  LabelCorrection correction;
  correction.add = {country("AE")};
  correction.remove = {country("RU")};
  correction.replace = {Dimension::kIssue};
  correction.etag = etag;
  const absl::StatusOr<Article> corrected = engine->CorrectLabels("https://example.com/a", correction);
  ASSERT_TRUE(corrected.ok()) << corrected.status();
  EXPECT_NE(corrected->etag, etag);
  EXPECT_EQ(engine->Reached(corrected->seq) >= Progress::kDurable, true);
  const auto counting = [&] {
    std::vector<std::string> ids;
    const absl::StatusOr<Article> stored = engine->Get("a");
    if (!stored.ok()) return ids;
    for (const Label& label : EffectiveLabels(*stored)) ids.push_back(label.id);
    return ids;
  };
  EXPECT_THAT(counting(), ElementsAre("AE", "IR"));
  Settle(*engine, Progress::kLabelled);
  const auto found = [&](const std::string& filter) {
    SearchQuery query;
    query.filter = filter;
    return SearchOrDie(*engine, query).total;
  };
  EXPECT_EQ(found("country = AE"), 1);
  EXPECT_EQ(found("country = RU"), 0);
  EXPECT_EQ(found("issue = energy"), 0);
  ChangeQuery changes;
  changes.since = {corrected->seq - 1, corrected->seq - 1};
  EXPECT_EQ(engine->ListChanges(changes)->changes.at(0).kind, ChangeKind::kCorrected);
  ListQuery edited;
  edited.label_sources = {LabelSource::kEditor};
  EXPECT_EQ(engine->ListArticles(edited)->articles.size(), 1U);
  edited.label_sources = {LabelSource::kSource};
  EXPECT_EQ(engine->ListArticles(edited)->articles.size(), 0U);

  // The etag is the old one: nothing is done. The same again is no change, and has the same token.
  EXPECT_EQ(engine->CorrectLabels("a", correction).status().code(), absl::StatusCode::kAborted);
  correction.etag.clear();
  EXPECT_EQ(engine->CorrectLabels("a", correction)->seq, corrected->seq);

  // Another text is tagged anew, with the decisions kept; so it is after a restart.
  article.body = "On oil and Russia, again.";
  IngestAndWait(*engine, article);
  Settle(*engine, Progress::kLabelled);
  EXPECT_THAT(counting(), ElementsAre("AE", "IR"));
  EXPECT_NE(engine->Get("a")->etag, corrected->etag);
  engine.reset();
  engine = OpenOrDie(OptionsFor(dir), labeler);
  EXPECT_THAT(counting(), ElementsAre("AE", "IR"));
  EXPECT_EQ(engine->Get("a")->replaced_dimensions, 1U << static_cast<int>(Dimension::kIssue));

  EXPECT_EQ(engine->CorrectLabels("none", correction).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(FieldOf(engine->CorrectLabels("", correction).status()), "id");
  EXPECT_EQ(FieldOf(engine->CorrectLabels("\xff", correction).status()), "id");
  correction.add = {country("QQ")};
  EXPECT_EQ(FieldOf(engine->CorrectLabels("a", correction).status()), "add[0].region_code");
}

TEST(EngineTest, AListUnderAFilterHoldsWhatASearchWithItFinds) {
  TempDir dir;
  auto engine = OpenOrDie(OptionsFor(dir), std::make_shared<FakeLabeler>());
  for (int i = 0; i < 40; ++i) {
    Article article = MakeArticle(absl::StrCat("a", i), i % 3 == 0 ? "Iran and oil" : "Emirates", "Text");
    if (i % 2 == 0) article.url = absl::StrCat("https://Example.com/", i, "?utm_source=x");
    if (i % 5 == 0) article.alternate_urls = {absl::StrCat("http://example.org/", i)};
    if (i % 4 != 0) article.source = i % 4 == 1 ? "The \"Post\"" : std::string(300, 's');
    if (i % 3 == 1) article.authors = {"Ann", "Ben"};
    if (i % 7 == 0) article.language_code = "pt-BR";
    if (i % 6 != 0) article.publish_time = absl::FromUnixSeconds(1'700'000'000 + i * 5'000'000);
    if (i % 8 == 0) article.update_time = absl::FromUnixSeconds(1'700'000'000 + i * 5'000'000);
    if (i % 9 == 0) article.content_type = "report";
    if (i % 10 == 0) article.attributes["section"] = {"World", "Front"};
    if (i % 11 == 0) {
      Label& label = article.labels.emplace_back();
      label.dimension = Dimension::kCountry;
      label.id = "RU";
      label.source = LabelSource::kSource;
    }
    IngestAndWait(*engine, article);
  }
  Settle(*engine, Progress::kLabelled);
  const std::vector<std::string> filters = {
      "",
      "country = IR",
      "country = RU",
      "country != IR",
      "issue = energy",
      "issue = old_energy",
      "group = gcc",
      "source = \"The \\\"Post\\\"\"",
      absl::StrCat("source = ", std::string(300, 's')),
      "author = Ann",
      "NOT author = Ann",
      "language = pt",
      "language = PT-br",
      "language != en",
      "content_type = report",
      "year = 2023",
      "month = 2024-03",
      "year < 2025",
      "publish_time >= 2025-02-03",
      "publish_time < 2025-02",
      "NOT publish_time < 2025-02",
      "update_time > 2024",
      "id = a7",
      "url = \"http://example.com/8\"",
      "url = \"https://example.org/10\"",
      "attributes.section = Front",
      "attributes.section = World AND (country = IR OR year = 2024)",
      "-country = IR OR author = Ben",
  };
  int passed = 0;
  for (const std::string& filter : filters) {
    SearchQuery query;
    query.filter = filter;
    query.page_size = 100;
    std::vector<std::string> found = Ids(SearchOrDie(*engine, query));
    ListQuery list;
    list.filter = filter;
    const absl::StatusOr<ArticleList> listed = engine->ListArticles(list);
    ASSERT_TRUE(listed.ok()) << listed.status();
    std::vector<std::string> ids;
    for (const Article& article : listed->articles) ids.push_back(article.id);
    EXPECT_THAT(ids, ::testing::UnorderedElementsAreArray(found)) << filter;
    passed += ids.empty() || ids.size() == 40 ? 0 : 1;
  }
  EXPECT_GE(passed, 20);  // Otherwise the filters say little.
}

TEST(EngineTest, AnAnswerSaysWhetherAnEmbargoMayChangeIt) {
  TempDir dir;
  auto engine = OpenOrDie(OptionsFor(dir));
  Article article = MakeArticle("a", "Past budget", "Text");
  article.visible_from = absl::Now() - absl::Hours(1);
  IngestAndWait(*engine, article);
  Settle(*engine);
  EXPECT_FALSE(SearchOrDie(*engine, Words("budget")).embargoes);
  EXPECT_FALSE(*engine->HasEmbargoes());
  article = MakeArticle("b", "Embargoed budget", "Text");
  article.visible_from = absl::Now() + absl::Hours(1);
  IngestAndWait(*engine, article);
  Settle(*engine);
  EXPECT_TRUE(SearchOrDie(*engine, Words("budget")).embargoes);
  EXPECT_TRUE(*engine->HasEmbargoes());
}

TEST(EngineTest, ATaxonomyThatCameMakesAnotherStateOfTheSameCommit) {
  TempDir dir;
  auto labeler = std::make_shared<FakeLabeler>();
  labeler->SetAway(true);
  auto engine = OpenOrDie(OptionsFor(dir), labeler);
  const SearchResult before = SearchOrDie(*engine, Words("budget"));
  EXPECT_EQ(SearchOrDie(*engine, Words("budget")).state, before.state);
  labeler->SetAway(false);
  const absl::Time give_up = Soon();
  while (engine->taxonomy()->empty() && absl::Now() < give_up) std::this_thread::yield();
  const SearchResult after = SearchOrDie(*engine, Words("budget"));
  EXPECT_EQ(after.commit_token, before.commit_token);
  EXPECT_NE(after.state, before.state);
}

TEST(EngineTest, ALongNameIsCountedAndCanBeSelected) {
  TempDir dir;
  auto engine = OpenOrDie(OptionsFor(dir));
  Article article = MakeArticle("a", "Title", "Text");
  article.source = std::string(kMaxNameBytes, 's');
  article.attributes["series"] = {std::string(kMaxNameBytes, 'x')};
  IngestAndWait(*engine, article);
  Settle(*engine);
  SearchQuery query;
  query.facets = Facets({"source", "attributes.series"});
  const SearchResult all = SearchOrDie(*engine, query);
  for (const Facet& facet : all.facets) {
    ASSERT_EQ(facet.values.size(), 1U) << facet.field;
    EXPECT_EQ(facet.values[0].id.size(), kMaxNameBytes);
    EXPECT_EQ(facet.values[0].count, 1);
    query.selections.push_back({facet.field, {facet.values[0].id}, false});
  }
  EXPECT_EQ(SearchOrDie(*engine, query).total, 1);
}

TEST(EngineTest, ALiveArticleIsFoundByAUrlThatADeletedOneHadAsItsId) {
  TempDir dir;
  auto engine = OpenOrDie(OptionsFor(dir));
  const std::string url = "https://example.org/story";
  IngestAndWait(*engine, MakeArticle(url, "Old", "Text"));
  ASSERT_TRUE(engine->Delete(url, {}).ok());
  Article article = MakeArticle("new", "New", "Text");
  article.url = url;
  IngestAndWait(*engine, article);
  EXPECT_EQ(engine->Get(url)->id, "new");
}

TEST(EngineTest, PagesNeitherOverlapNorSkipWhileArticlesComeIn) {
  TempDir dir;
  auto engine = OpenOrDie(OptionsFor(dir));
  std::set<std::string> expected;
  for (int i = 0; i < 50; ++i) {
    expected.insert(absl::StrCat("a", i));
    engine->Ingest(MakeArticle(absl::StrCat("a", i), absl::StrCat("Harvest ", i), "Wheat"), {}, [](IngestResult) {});
  }
  IngestAndWait(*engine, MakeArticle("last", "Nothing", "Nothing"));
  Settle(*engine);
  SearchQuery query = Words("harvest");
  query.page_size = 7;
  std::multiset<std::string> seen;
  int extra = 0;
  while (true) {
    const SearchResult page = SearchOrDie(*engine, query);
    EXPECT_EQ(page.total, 50);
    for (const std::string& id : Ids(page)) seen.insert(id);
    if (page.next_page_token.empty()) break;
    query.page_token = page.next_page_token;
    IngestAndWait(*engine, MakeArticle(absl::StrCat("x", extra++), "Harvest harvest harvest", "Wheat harvest"));
    Settle(*engine);
  }
  EXPECT_EQ(seen, std::multiset<std::string>(expected.begin(), expected.end()));
  query.query = "other";
  EXPECT_EQ(FieldOf(engine->Search(query).status()), "page_token");
}

void ExpectExpired(const absl::Status& status) {
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(common::ReasonOf(status), kReasonPageTokenExpired);
}

TEST(EngineTest, APageTokenHoldsHoweverManySearchesCameSince) {
  TempDir dir;
  auto engine = OpenOrDie(OptionsFor(dir));
  for (const char* id : {"a", "b", "c"}) IngestAndWait(*engine, MakeArticle(id, "Harvest", "Text"));
  Settle(*engine);
  SearchQuery query = Words("harvest");
  query.page_size = 1;
  SearchQuery next = query;
  next.page_token = SearchOrDie(*engine, query).next_page_token;
  for (int i = 0; i < 4'200; ++i) SearchOrDie(*engine, query);
  IngestAndWait(*engine, MakeArticle("d", "Harvest harvest", "Harvest"));
  Settle(*engine);
  EXPECT_EQ(SearchOrDie(*engine, next).total, 3);
}

TEST(EngineTest, WithoutRoomForRankingsATokenGoesOnExactlyOrHasExpired) {
  TempDir dir;
  Engine::Options options = OptionsFor(dir);
  options.paging.max_bytes = 0;
  auto engine = OpenOrDie(options);
  for (const char* id : {"a", "b", "c"}) IngestAndWait(*engine, MakeArticle(id, "Harvest", "Text"));
  Settle(*engine);
  SearchQuery query = Words("harvest");
  query.page_size = 1;
  std::multiset<std::string> seen;
  std::string last_token;
  do {
    const SearchResult page = SearchOrDie(*engine, query);
    for (const std::string& id : Ids(page)) seen.insert(id);
    last_token = std::exchange(query.page_token, page.next_page_token);
  } while (!query.page_token.empty());
  EXPECT_EQ(seen, (std::multiset<std::string>{"a", "b", "c"}));
  query.page_token = last_token;
  IngestAndWait(*engine, MakeArticle("d", "Harvest", "Text"));
  Settle(*engine);
  ExpectExpired(engine->Search(query).status());
}

TEST(EngineTest, APageTokenOfAnotherRunGoesOnExactlyOrHasExpired) {
  TempDir dir;
  SearchQuery query;
  query.page_size = 1;
  std::string first;
  {
    auto engine = OpenOrDie(OptionsFor(dir));
    IngestAndWait(*engine, MakeArticle("a", "One", "Text"));
    IngestAndWait(*engine, MakeArticle("b", "Two", "Text"));
    Settle(*engine);
    const SearchResult page = SearchOrDie(*engine, query);
    first = Ids(page).at(0);
    query.page_token = page.next_page_token;
    ASSERT_FALSE(query.page_token.empty());
  }
  {
    auto engine = OpenOrDie(OptionsFor(dir));
    EXPECT_THAT(Ids(SearchOrDie(*engine, query)), ElementsAre(first == "a" ? "b" : "a"));
  }
  auto engine = OpenOrDie(OptionsFor(dir));
  IngestAndWait(*engine, MakeArticle("c", "Three", "Text"));
  Settle(*engine);
  ExpectExpired(engine->Search(query).status());
}

TEST(EngineTest, APageThatIsOlderThanMinCommitTokenHasExpired) {
  TempDir dir;
  auto engine = OpenOrDie(OptionsFor(dir));
  for (const char* id : {"a", "b"}) IngestAndWait(*engine, MakeArticle(id, "Harvest", "Text"));
  Settle(*engine);
  SearchQuery query = Words("harvest");
  query.page_size = 1;
  const SearchResult page = SearchOrDie(*engine, query);
  query.page_token = page.next_page_token;
  const IngestResult added = IngestAndWait(*engine, MakeArticle("c", "Harvest", "Text"));
  query.min_commit_token = page.commit_token;
  EXPECT_EQ(SearchOrDie(*engine, query).hits.size(), 1U);
  query.min_commit_token = engine->TokenOf(added.seq);
  ExpectExpired(engine->Search(query).status());
}

TEST(EngineTest, CommitTokensReadOnesOwnWritesAndForeignOnesAreRefused) {
  TempDir dir;
  TempDir other_dir;
  auto engine = OpenOrDie(OptionsFor(dir));
  auto other = OpenOrDie(OptionsFor(other_dir));
  const IngestResult result = IngestAndWait(*engine, MakeArticle("a", "Fresh", "Text"));
  SearchQuery query = Words("fresh");
  query.min_commit_token = engine->TokenOf(result.seq);
  query.deadline = Soon();
  EXPECT_EQ(SearchOrDie(*engine, query).total, 1);
  const absl::Status foreign = other->Search(query).status();
  EXPECT_EQ(foreign.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(common::ReasonOf(foreign), kReasonCommitTokenUnknown);
  query.min_commit_token = "!!";
  EXPECT_EQ(FieldOf(engine->Search(query).status()), "min_commit_token");
}

TEST(EngineTest, ACommitTokenThatWasDamagedIsNone) {
  const CommitToken place{"0123456789abcdef0123456789abcdef", 1'234'567};
  const std::string token = EncodeCommitToken(place);
  const absl::StatusOr<CommitToken> back = ParseCommitToken("commit_token", token);
  ASSERT_TRUE(back.ok()) << back.status();
  EXPECT_EQ(back->log_uuid, place.log_uuid);
  EXPECT_EQ(back->seq, place.seq);
  std::vector<std::string> damaged = {token + "=",
                                      token + "==",
                                      token + "\n",
                                      " " + token,
                                      token + "A",
                                      token.substr(1),
                                      token.substr(0, 10) + " " + token.substr(10),
                                      absl::WebSafeBase64Escape(absl::StrCat(place.log_uuid, ".", place.seq))};
  for (size_t size = 0; size < token.size(); ++size) damaged.push_back(token.substr(0, size));
  for (size_t i = 0; i < token.size(); ++i) {
    damaged.push_back(token);
    damaged.back()[i] = token[i] == 'A' ? 'B' : 'A';
  }
  for (const std::string& text : damaged) {
    EXPECT_EQ(FieldOf(ParseCommitToken("commit_token", text).status()), "commit_token") << text;
  }
}

TEST(EngineTest, APageTokenIsTakenToTheLetterOnly) {
  TempDir dir;
  auto engine = OpenOrDie(OptionsFor(dir));
  for (const char* id : {"a", "b"}) IngestAndWait(*engine, MakeArticle(id, "Grain", "Text"));
  Settle(*engine);
  SearchQuery query = Words("grain");
  query.page_size = 1;
  const std::string token = SearchOrDie(*engine, query).next_page_token;
  ASSERT_FALSE(token.empty());
  query.page_token = token;
  EXPECT_EQ(SearchOrDie(*engine, query).hits.size(), 1U);
  for (const std::string& text : {token + "=", token + "\n", " " + token, token.substr(0, token.size() - 1)}) {
    query.page_token = text;
    EXPECT_EQ(FieldOf(engine->Search(query).status()), "page_token") << text;
  }
}

TEST(EngineTest, ASecondProcessOnTheSameFolderIsRefusedAndToldWhy) {
  TempDir dir;
  auto engine = OpenOrDie(OptionsFor(dir));
  const absl::Status status = Engine::Open(OptionsFor(dir), nullptr).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), HasSubstr("in use by another process"));
}

TEST(EngineTest, TheIndexIsBuiltAnewFromTheStoreWhenItIsGoneOrDamaged) {
  TempDir dir;
  {
    auto engine = OpenOrDie(OptionsFor(dir));
    for (int i = 0; i < 20; ++i)
      IngestAndWait(*engine, MakeArticle(absl::StrCat("a", i), "Canal", absl::StrCat("Text ", i)));
  }
  std::filesystem::remove_all(dir.path() + "/index");
  {
    auto engine = OpenOrDie(OptionsFor(dir));
    Settle(*engine);
    EXPECT_EQ(SearchOrDie(*engine, Words("canal")).total, 20);
  }
  for (const auto& entry : std::filesystem::recursive_directory_iterator(dir.path() + "/index")) {
    if (entry.path().filename() == "postlist.glass") std::filesystem::resize_file(entry.path(), 3);
  }
  auto engine = OpenOrDie(OptionsFor(dir));
  Settle(*engine);
  EXPECT_EQ(SearchOrDie(*engine, Words("canal")).total, 20);
}

TEST(EngineTest, WhileTheIndexIsBuiltAnewAnswersSayThatTheyAreIncomplete) {
  TempDir dir;
  {
    auto engine = OpenOrDie(OptionsFor(dir));
    IngestAndWait(*engine, MakeArticle("a", "Canal", "Text"));
  }
  std::filesystem::remove_all(dir.path() + "/index");
  std::promise<void> may_commit;
  Engine::Options options = OptionsFor(dir);
  options.before_index_commit = [allowed = may_commit.get_future().share()] { allowed.wait(); };
  auto engine = OpenOrDie(options);
  const SearchResult early = SearchOrDie(*engine, Words("canal"));
  EXPECT_EQ(early.total, 0);
  EXPECT_TRUE(early.incomplete);
  may_commit.set_value();
  Settle(*engine);
  const SearchResult whole = SearchOrDie(*engine, Words("canal"));
  EXPECT_EQ(whole.total, 1);
  EXPECT_FALSE(whole.incomplete);
}

TEST(EngineTest, AStoreThatIsGoneOrEmptyOrOlderThanItsIndexIsNotTakenForANewOne) {
  TempDir dir;
  const std::string store = dir.path() + "/articles.db";
  const auto reopen = [&] { return Engine::Open(OptionsFor(dir), nullptr).status(); };
  {
    auto engine = OpenOrDie(OptionsFor(dir));
    IngestAndWait(*engine, MakeArticle("a", "Canal", "Text"));
  }
  std::filesystem::copy_file(store, dir.path() + "/older");
  {
    auto engine = OpenOrDie(OptionsFor(dir));
    IngestAndWait(*engine, MakeArticle("b", "Canal", "Text"));
    Settle(*engine);
  }
  std::filesystem::copy_file(dir.path() + "/older", store, std::filesystem::copy_options::overwrite_existing);
  EXPECT_EQ(reopen().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(reopen().message()), HasSubstr("has lost changes"));
  std::filesystem::resize_file(store, 0);
  EXPECT_EQ(reopen().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(reopen().message()), HasSubstr("missing or empty"));
  std::filesystem::remove(store);
  EXPECT_THAT(std::string(reopen().message()), HasSubstr("missing or empty"));
  std::filesystem::remove_all(dir.path() + "/index");
  EXPECT_TRUE(reopen().ok());
}

TEST(EngineTest, AFullQueueAnswersRetryLaterAndStoresNothing) {
  TempDir dir;
  Engine::Options options = OptionsFor(dir);
  options.max_queued_articles = 4;
  auto engine = OpenOrDie(options);
  std::atomic<int> later{0};
  std::atomic<int> created{0};
  std::atomic<int> answered{0};
  constexpr int kArticles = 400;
  for (int i = 0; i < kArticles; ++i) {
    engine->Ingest(MakeArticle(absl::StrCat("a", i), "Title", absl::StrCat("Body ", i)), {}, [&](IngestResult result) {
      if (result.outcome == IngestOutcome::kRetryLater) {
        EXPECT_EQ(result.error.code(), absl::StatusCode::kResourceExhausted);
        EXPECT_TRUE(common::RetryDelayOf(result.error).has_value());
        ++later;
      } else {
        ++created;
      }
      ++answered;
    });
  }
  engine->Shutdown();
  EXPECT_EQ(answered, kArticles);
  EXPECT_GT(later, 0);
  EXPECT_EQ(engine->GetIndexInfo()->article_count, created);
}

TEST(EngineTest, AcknowledgedArticlesSurviveKill9) {
  TempDir dir;
  for (int round = 0; round < 5; ++round) {
    int acks[2];
    ASSERT_EQ(pipe(acks), 0);
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      close(acks[0]);
      auto engine = Engine::Open(OptionsFor(dir), std::make_shared<FakeLabeler>());
      if (!engine.ok()) _exit(1);
      for (int i = 0;; ++i) {
        const int number = round * 1'000'000 + i;
        const IngestResult result = IngestAndWait(**engine, MakeArticle(absl::StrCat("k", number), "Iran", "Survivor"));
        if (result.outcome != IngestOutcome::kCreated) _exit(2);
        if (write(acks[1], &number, sizeof(number)) != sizeof(number)) _exit(3);
      }
    }
    close(acks[1]);
    std::vector<int> acked;
    int number = 0;
    while (acked.size() < 30 && read(acks[0], &number, sizeof(number)) == sizeof(number)) acked.push_back(number);
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    while (read(acks[0], &number, sizeof(number)) == sizeof(number)) acked.push_back(number);
    close(acks[0]);
    ASSERT_GE(acked.size(), 30U);
    auto engine = OpenOrDie(OptionsFor(dir), std::make_shared<FakeLabeler>());
    for (const int id : acked) EXPECT_TRUE(engine->Get(absl::StrCat("k", id)).ok()) << id;
    Settle(*engine, Progress::kLabelled);
    const absl::StatusOr<IndexInfo> info = engine->GetIndexInfo();
    ASSERT_TRUE(info.ok());
    EXPECT_EQ(info->indexed_count, info->article_count);
    SearchQuery query = Words("survivor");
    query.region_codes = {"IR"};
    EXPECT_EQ(SearchOrDie(*engine, query).total, info->article_count);
  }
}

TEST(EngineTest, ADeathBetweenStoreAndIndexCommitLosesAndDoublesNothing) {
  TempDir dir;
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    Engine::Options options = OptionsFor(dir);
    std::atomic<int> commits{0};
    options.before_index_commit = [&] {
      if (++commits == 2) _exit(7);
    };
    auto engine = Engine::Open(options, nullptr);
    if (!engine.ok()) _exit(1);
    for (int i = 0;; ++i) {
      const IngestResult result = IngestAndWait(**engine, MakeArticle(absl::StrCat("d", i), "Dam", "Water"));
      (*engine)->WaitFor(result.seq, Progress::kVisible, Soon());
    }
  }
  int status = 0;
  waitpid(child, &status, 0);
  ASSERT_EQ(WEXITSTATUS(status), 7);
  auto engine = OpenOrDie(OptionsFor(dir));
  Settle(*engine);
  const absl::StatusOr<IndexInfo> info = engine->GetIndexInfo();
  EXPECT_GE(info->article_count, 2);
  EXPECT_EQ(SearchOrDie(*engine, Words("dam")).total, info->article_count);
}

TEST(EngineTest, WaitsAreBoundedCanBeStoppedAndEndWithTheEngine) {
  TempDir dir;
  Engine::Options options = OptionsFor(dir);
  options.max_waits = 2;
  auto engine = OpenOrDie(options);  // Nobody labels.
  const IngestResult result = IngestAndWait(*engine, MakeArticle("a", "Title", "Body"));
  Settle(*engine);
  std::vector<Progress> ended;  // By this thread, and by Shutdown once this thread waits for it.
  const auto end = [&](Progress reached) { ended.push_back(reached); };
  const absl::StatusOr<int64_t> first = engine->WaitAsync(result.seq, Progress::kLabelled, Soon(), end);
  ASSERT_TRUE(first.ok());
  ASSERT_TRUE(engine->WaitAsync(result.seq, Progress::kLabelled, Soon(), end).ok());
  EXPECT_EQ(engine->WaitAsync(result.seq, Progress::kLabelled, Soon(), end).status().code(),
            absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(ended, IsEmpty());
  engine->StopWaiting(*first);
  engine->StopWaiting(*first);
  EXPECT_THAT(ended, ElementsAre(Progress::kVisible));
  ASSERT_TRUE(engine->WaitAsync(result.seq, Progress::kVisible, Soon(), end).ok());
  EXPECT_THAT(ended, ElementsAre(Progress::kVisible, Progress::kVisible));
  engine->Shutdown();
  EXPECT_EQ(ended.size(), 3U);
}

// More articles than one pass of the indexer takes in.
void IngestMany(Engine& engine, const std::string& prefix, int count) {
  for (int i = 0; i < count; ++i) {
    engine.Ingest(MakeArticle(absl::StrCat(prefix, i), "Bulk", absl::StrCat("Load ", i)), {}, [](IngestResult) {});
  }
}

TEST(EngineTest, AChangeThatMovedOnBeforeItWasIndexedIsNotVisibleBeforeItsNewPlaceIs) {
  TempDir dir;
  CommitGate gate;
  Engine::Options options = OptionsFor(dir);
  options.before_index_commit = gate.Hook();
  auto engine = OpenOrDie(options);
  const uint64_t first = IngestAndWait(*engine, MakeArticle("first", "First", "Text")).seq;
  gate.AwaitCommit(1);
  const IngestResult moved = IngestAndWait(*engine, MakeArticle("x", "Rare", "Text"));
  IngestMany(*engine, "a", 700);
  const IngestResult update = IngestAndWait(*engine, MakeArticle("x", "Rare", "Newer text"));
  EXPECT_EQ(update.outcome, IngestOutcome::kUpdated);
  gate.Allow(2);
  gate.AwaitCommit(3);
  // The index has gone past the old place of x, and has not come to its new one.
  EXPECT_GT(SearchOrDie(*engine, Words("bulk")).total, 0);
  SearchQuery query = Words("rare");
  EXPECT_EQ(SearchOrDie(*engine, query).total, 0);
  EXPECT_EQ(engine->Reached(moved.seq), Progress::kDurable);
  EXPECT_EQ(engine->visible_seq(), first);
  EXPECT_EQ(SearchOrDie(*engine, query).commit_token, engine->TokenOf(first));
  query.min_commit_token = engine->TokenOf(moved.seq);
  query.deadline = absl::Now();
  EXPECT_EQ(engine->Search(query).status().code(), absl::StatusCode::kDeadlineExceeded);
  gate.Open();
  query.deadline = Soon();
  EXPECT_EQ(SearchOrDie(*engine, query).total, 1);
  Settle(*engine);
  EXPECT_EQ(engine->visible_seq(), update.seq);
}

TEST(EngineTest, AfterADeathBetweenTwoPassesNothingIsVisibleThatIsNotThere) {
  TempDir dir;
  uint64_t moved = 0;
  std::array<int, 2> pipe_ends{};
  ASSERT_EQ(pipe(pipe_ends.data()), 0);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    CommitGate gate;
    Engine::Options options = OptionsFor(dir);
    options.before_index_commit = gate.Hook();
    auto engine = Engine::Open(options, nullptr);
    if (!engine.ok()) _exit(1);
    IngestAndWait(**engine, MakeArticle("first", "First", "Text"));
    gate.AwaitCommit(1);
    moved = IngestAndWait(**engine, MakeArticle("x", "Rare", "Text")).seq;
    IngestMany(**engine, "a", 700);
    IngestAndWait(**engine, MakeArticle("x", "Rare", "Newer text"));
    gate.Allow(2);
    gate.AwaitCommit(3);
    _exit(write(pipe_ends[1], &moved, sizeof(moved)) == sizeof(moved) ? 7 : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  ASSERT_EQ(WEXITSTATUS(status), 7);
  ASSERT_EQ(read(pipe_ends[0], &moved, sizeof(moved)), static_cast<ssize_t>(sizeof(moved)));
  CommitGate gate;
  Engine::Options options = OptionsFor(dir);
  options.before_index_commit = gate.Hook();
  auto engine = OpenOrDie(options);
  gate.AwaitCommit(1);
  EXPECT_EQ(SearchOrDie(*engine, Words("rare")).total, 0);
  EXPECT_EQ(engine->Reached(moved), Progress::kDurable);
  gate.Open();
  Settle(*engine);
  EXPECT_EQ(SearchOrDie(*engine, Words("rare")).total, 1);
}

TEST(EngineTest, LabelsThatALongPassLeftBehindAreKnownToBeThereAfterTheNext) {
  TempDir dir;
  CommitGate gate;
  auto labeler = std::make_shared<FakeLabeler>();
  Engine::Options options = OptionsFor(dir);
  options.before_index_commit = gate.Hook();
  options.label_grace = absl::ZeroDuration();
  auto engine = OpenOrDie(options, labeler);
  const auto all_labelled = [&] {
    while (engine->GetIndexInfo()->pending_count > 0) std::this_thread::yield();
  };
  IngestAndWait(*engine, MakeArticle("first", "First", "Text"));
  gate.AwaitCommit(1);
  IngestMany(*engine, "a", 600);
  IngestAndWait(*engine, MakeArticle("end", "End", "Text"));
  all_labelled();
  labeler->SetAway(true);
  IngestAndWait(*engine, MakeArticle("last", "Last", "Text"));
  gate.Allow(1);
  gate.AwaitCommit(2);  // Incomplete, and of a state with an article pending.
  labeler->SetAway(false);
  all_labelled();
  gate.Open();  // The next one is complete, and the last.
  // Long before the index is forced to disk, which would tell as well.
  const absl::Time deadline = absl::Now() + absl::Seconds(20);
  EXPECT_EQ(engine->WaitFor(engine->durable_seq(), Progress::kLabelled, deadline), Progress::kLabelled);
}

TEST(EngineTest, WhatTricklesInIsCommittedTogether) {
  TempDir dir;
  CommitGate gate;
  gate.Open();
  Engine::Options options = OptionsFor(dir);
  options.before_index_commit = gate.Hook();
  options.min_commit_interval = absl::Hours(1);
  auto engine = OpenOrDie(options);
  IngestAndWait(*engine, MakeArticle("first", "First", "Text"));
  Settle(*engine);
  for (int i = 0; i < 20; ++i) IngestAndWait(*engine, MakeArticle(absl::StrCat(i), "Trickle", absl::StrCat(i)));
  engine->Shutdown();
  EXPECT_EQ(SearchOrDie(*engine, Words("trickle")).total, 20);
  EXPECT_LE(gate.arrived(), 2);  // The first, and the others.
}

TEST(EngineTest, AShutdownLeavesToTheNextStartWhatItHasNoTimeToIndex) {
  TempDir dir;
  CommitGate gate;
  Engine::Options options = OptionsFor(dir);
  options.before_index_commit = gate.Hook();
  options.shutdown_indexing = absl::ZeroDuration();
  {
    auto engine = OpenOrDie(options);
    IngestAndWait(*engine, MakeArticle("first", "First", "Text"));
    gate.AwaitCommit(1);
    IngestMany(*engine, "a", 1'200);
    IngestAndWait(*engine, MakeArticle("last", "Last", "Text"));
    gate.Allow(1);
    gate.AwaitCommit(2);
    std::thread closing([&] { engine->Shutdown(); });
    for (int i = 0;; ++i) {
      const IngestResult late = IngestAndWait(*engine, MakeArticle(absl::StrCat("late", i), "Late", "Text"));
      if (late.outcome == IngestOutcome::kRetryLater) break;
    }
    gate.Open();
    closing.join();
    EXPECT_EQ(gate.arrived(), 2);  // The one that was running.
    EXPECT_LT(engine->visible_seq(), engine->durable_seq());
  }
  auto engine = OpenOrDie(OptionsFor(dir));
  Settle(*engine);
  EXPECT_EQ(SearchOrDie(*engine, Words("bulk")).total, 1'200);
}

TEST(EngineTest, AShutdownDoesNotWaitForTheLabeler) {
  class Hanging final : public ArticleLabeler {
   public:
    absl::StatusOr<std::vector<absl::StatusOr<Labeling>>> Label(const std::vector<LabelingInput>&,
                                                                absl::Time) override {
      asked_.set_value();
      cancelled_.get_future().wait();
      return absl::CancelledError("cancelled");
    }
    absl::StatusOr<std::optional<TaxonomyData>> FetchTaxonomy(absl::string_view, absl::Time) override {
      return TestTaxonomy();
    }
    absl::StatusOr<std::string> FetchVersion(absl::Time) override { return std::string("1"); }
    void Cancel() override { cancelled_.set_value(); }
    std::promise<void> asked_;
    std::promise<void> cancelled_;
  };
  TempDir dir;
  auto labeler = std::make_shared<Hanging>();
  auto engine = OpenOrDie(OptionsFor(dir), labeler);
  IngestAndWait(*engine, MakeArticle("a", "Iran", "Text"));
  labeler->asked_.get_future().wait();
  engine->Shutdown();
  EXPECT_EQ(engine->GetIndexInfo()->failed_count, 0);
}

TEST(EngineTest, AChangeThatTheStoreCannotTakeSparesTheOthersOfItsGroup) {
  TempDir dir;
  auto engine = OpenOrDie(OptionsFor(dir));
  IngestAndWait(*engine, MakeArticle("first", "First", "Text"));
  absl::StatusOr<std::unique_ptr<SqlConnection>> other =
      SqlConnection::Open(dir.path() + "/articles.db", /*read_only=*/false);
  ASSERT_TRUE(other.ok()) << other.status();
  // The writer waits for the other's transaction: what comes meanwhile is one group.
  ASSERT_TRUE((*other)
                  ->Execute("CREATE TRIGGER refuse BEFORE INSERT ON articles WHEN NEW.id = 'bad' "
                            "BEGIN SELECT RAISE(ABORT, 'refused'); END; BEGIN IMMEDIATE")
                  .ok());
  common::Mutex mutex;
  std::map<std::string, IngestOutcome> outcomes;
  for (const char* id : {"x", "a", "bad", "b"}) {
    engine->Ingest(MakeArticle(id, "Title", absl::StrCat("Text ", id)), {}, [&](IngestResult result) {
      const common::MutexLock lock(mutex);
      outcomes[result.id] = result.outcome;
    });
  }
  ASSERT_TRUE((*other)->Execute("COMMIT").ok());
  engine->Shutdown();
  const common::MutexLock lock(mutex);
  EXPECT_EQ(outcomes["a"], IngestOutcome::kCreated);
  EXPECT_EQ(outcomes["b"], IngestOutcome::kCreated);
  EXPECT_EQ(outcomes["bad"], IngestOutcome::kRetryLater);
  EXPECT_EQ(engine->GetIndexInfo()->article_count, 4);
}

TEST(EngineTest, ADamagedArticleStopsNeitherStartNorIndexNorLabels) {
  TempDir dir;
  auto labeler = std::make_shared<FakeLabeler>();
  {
    auto engine = OpenOrDie(OptionsFor(dir));
    for (const char* id : {"a", "b", "c"}) {
      IngestAndWait(*engine, MakeArticle(id, "Iran", absl::StrCat("Harvest ", id)));
    }
  }
  {
    absl::StatusOr<std::unique_ptr<SqlConnection>> sql =
        SqlConnection::Open(dir.path() + "/articles.db", /*read_only=*/false);
    ASSERT_TRUE((*sql)->Execute("UPDATE articles SET head = x'FF' WHERE id = 'b'").ok());
  }
  std::filesystem::remove_all(dir.path() + "/index");
  auto engine = OpenOrDie(OptionsFor(dir), labeler);
  Settle(*engine, Progress::kLabelled);
  EXPECT_THAT(Ids(SearchOrDie(*engine, Words("harvest"))), UnorderedElementsAre("a", "c"));
  EXPECT_EQ(engine->GetIndexInfo()->pending_count, 0);
  EXPECT_EQ(engine->Get("b").status().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(IngestAndWait(*engine, MakeArticle("b", "Iran", "Harvest b")).outcome, IngestOutcome::kUpdated);
  Settle(*engine, Progress::kLabelled);
  SearchQuery query = Words("harvest");
  query.region_codes = {"IR"};
  EXPECT_EQ(SearchOrDie(*engine, query).total, 3);
}

TEST(EngineTest, ListenersHearOfEveryMoveOfTheWatermark) {
  TempDir dir;
  auto engine = OpenOrDie(OptionsFor(dir));
  common::Mutex mutex;
  uint64_t last = 0;
  bool rising = true;
  const int64_t id = engine->AddProgressListener([&](uint64_t visible, uint64_t) {
    const common::MutexLock lock(mutex);
    rising = rising && visible >= last;
    last = visible;
  });
  IngestResult result;
  for (int i = 0; i < 5; ++i) result = IngestAndWait(*engine, MakeArticle(absl::StrCat(i), "T", absl::StrCat(i)));
  Settle(*engine);
  engine->RemoveProgressListener(id);  // Returns only when no call is running: the last one has been heard.
  {
    const common::MutexLock lock(mutex);
    EXPECT_TRUE(rising);
  }
  IngestAndWait(*engine, MakeArticle("after", "T", "after"));
  const uint64_t heard = last;
  Settle(*engine);
  EXPECT_EQ(last, heard);
}

TEST(EngineTest, SearchesAndAWriterAtTheSameTimeSeeOnlyWholeStates) {
  TempDir dir;
  auto engine = OpenOrDie(OptionsFor(dir), std::make_shared<FakeLabeler>());
  IngestAndWait(*engine, MakeArticle("first", "Iran", "Common words"));
  Settle(*engine);
  std::atomic<bool> stop{false};
  std::atomic<int> searches{0};
  std::vector<std::thread> readers;
  for (int t = 0; t < 3; ++t) {
    readers.emplace_back([&] {
      int64_t last = 0;
      while (!stop) {
        SearchQuery query = Words("common");
        query.facets = Facets({"region_code"});
        const absl::StatusOr<SearchResult> result = engine->Search(query);
        ASSERT_TRUE(result.ok()) << result.status();
        EXPECT_GE(result->total, last);
        last = result->total;
        (void)engine->Suggest(Typed("ir"));
        ++searches;
      }
    });
  }
  for (int i = 0; i < 150; ++i) {
    IngestAndWait(*engine, MakeArticle(absl::StrCat("n", i), "Iran", absl::StrCat("Common words ", i)));
  }
  Settle(*engine);
  stop = true;
  for (std::thread& reader : readers) reader.join();
  EXPECT_GT(searches, 0);
  EXPECT_EQ(SearchOrDie(*engine, Words("common")).total, 151);
}

TEST(EngineTest, WhatIsPurgedIsSuggestedNoMoreAndAStartFindsTheSame) {
  TempDir dir;
  auto engine = OpenOrDie(OptionsFor(dir));
  for (int i = 0; i < 4; ++i) IngestAndWait(*engine, MakeArticle(absl::StrCat("a", i), "Grain deal holds", "Text"));
  IngestAndWait(*engine, MakeArticle("secret", "Grain deal secrets", "Text"));
  Settle(*engine);
  const auto texts = [&](const std::string& prefix) {
    std::vector<std::string> all;
    const absl::StatusOr<std::vector<Suggestion>> suggestions = engine->Suggest(Typed(prefix));
    EXPECT_TRUE(suggestions.ok()) << suggestions.status();
    if (!suggestions.ok()) return all;
    for (const Suggestion& suggestion : *suggestions) all.push_back(suggestion.text);
    return all;
  };
  EXPECT_THAT(texts("secr"), ElementsAre("Grain deal secrets"));
  DeleteOptions purge;
  purge.purge = true;
  ASSERT_TRUE(engine->Delete("secret", purge).ok());
  ASSERT_TRUE(engine->Delete("a0", {}).ok());
  Settle(*engine);
  EXPECT_THAT(texts("secr"), IsEmpty());
  EXPECT_THAT(texts("grian"), ElementsAre("Grain deal holds", "Grain deal holds"));
  ASSERT_TRUE(engine->Delete("a1", {}).ok());
  Settle(*engine);
  EXPECT_THAT(texts("g"), ElementsAre("Grain deal holds"));
  engine.reset();
  engine = OpenOrDie(OptionsFor(dir));
  Settle(*engine);
  EXPECT_THAT(texts("g"), ElementsAre("Grain deal holds"));
}

TEST(EngineTest, SuggestionsBeginWithTheFirstLetter) {
  TempDir dir;
  auto engine = OpenOrDie(OptionsFor(dir), std::make_shared<FakeLabeler>());
  Article article = MakeArticle("a", "Iran's new pipeline", "Text");
  article.authors = {"Irina Petrova"};
  article.source = "Irish Review";
  IngestAndWait(*engine, article);
  Settle(*engine, Progress::kLabelled);
  const absl::StatusOr<std::vector<Suggestion>> suggestions = engine->Suggest(Typed("i"));
  ASSERT_TRUE(suggestions.ok());
  std::map<SuggestionKind, std::string> by_kind;
  for (const Suggestion& suggestion : *suggestions) by_kind[suggestion.kind] = suggestion.text;
  EXPECT_EQ(by_kind[SuggestionKind::kCountry], "Iran");
  EXPECT_EQ(by_kind[SuggestionKind::kAuthor], "Irina Petrova");
  EXPECT_EQ(by_kind[SuggestionKind::kSource], "Irish Review");
  EXPECT_EQ(by_kind[SuggestionKind::kArticle], "Iran's new pipeline");
  EXPECT_EQ(engine->Suggest(Typed("new pip"))->at(0).id, "a");
  EXPECT_THAT(engine->Suggest(Typed("")).value(), IsEmpty());
}

}  // namespace
// A follower reads a change a moment before the writer has noted it: the token must be good at once.
TEST(EngineTest, AFollowerIsNeverGivenAPlaceThatIsRefused) {
  TempDir dir;
  auto engine = OpenOrDie(OptionsFor(dir));
  std::atomic<bool> over{false};
  std::vector<std::thread> writers;
  for (int k = 0; k < 2; ++k) {
    writers.emplace_back([&, k] {
      for (int i = 0; !over; ++i) {
        IngestAndWait(*engine, MakeArticle(absl::StrCat("w", k, "-", i % 50), "Title", absl::StrCat("Text ", i)));
      }
    });
  }
  ChangeQuery query;
  query.page_size = 7;
  int pages = 0;
  for (const absl::Time end = absl::Now() + absl::Seconds(2); absl::Now() < end; ++pages) {
    const absl::StatusOr<ChangeList> list = engine->ListChanges(query);
    EXPECT_TRUE(list.ok()) << list.status();
    if (!list.ok()) break;
    const absl::StatusOr<LogPlace> place = engine->PlaceOf("since_token", engine->ChangesTokenOf(list->next));
    EXPECT_TRUE(place.ok()) << place.status() << " after " << pages << " pages";
    if (!place.ok()) break;
    query.since = *place;
  }
  over = true;
  for (std::thread& writer : writers) writer.join();
  EXPECT_GT(pages, 10);
}

}  // namespace dateline::search
