// Searches against an oracle that counts by hand, and against texts that no one would type.
#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/civil_time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "search_service/engine.h"
#include "search_service/engine_test_util.h"

namespace dateline::search {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

constexpr int kArticles = 300;
const std::vector<std::string>& Vocabulary() {
  static const auto* const kWords =
      new std::vector<std::string>{"iran", "russia", "emirates", "oil", "wheat", "treaty", "summit", "harbour"};
  return *kWords;
}

class SearcherTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    dir_ = new TempDir();
    Engine::Options options;
    options.data_dir = dir_->path();
    engine_ = Engine::Open(options, std::make_shared<FakeLabeler>()).value().release();
    articles_ = new std::vector<Article>();
    std::mt19937 random(1);
    for (int i = 0; i < kArticles; ++i) {
      Article article = MakeArticle(absl::StrCat("a", i), "", absl::StrCat("number", i));
      for (const std::string& word : Vocabulary()) {
        if (random() % 3 == 0) absl::StrAppend(random() % 4 == 0 ? &article.title : &article.body, " ", word);
      }
      article.source = absl::StrCat("Source ", random() % 4);
      if (random() % 5 != 0) article.publish_time = absl::FromUnixSeconds(1'600'000'000 + random() % 150'000'000);
      if (random() % 2 == 0) article.authors = {"Jane Roe", "John Doe"};
      article.attributes["series"] = {absl::StrCat("s", random() % 3)};
      articles_->push_back(article);
      engine_->Ingest(article, {}, [](IngestResult result) { EXPECT_EQ(result.outcome, IngestOutcome::kCreated); });
    }
    IngestAndWait(*engine_, MakeArticle("end", "end", "end"));
    Settle(*engine_, Progress::kLabelled);
    ASSERT_TRUE(engine_->Delete("end", {}).ok());
    Settle(*engine_);
    for (Article& article : *articles_) article = engine_->Get(article.id).value();
  }
  static void TearDownTestSuite() {
    delete engine_;
    delete articles_;
    delete dir_;
  }

  static bool HasWord(const Article& article, const std::string& word) {
    return absl::StrContains(absl::StrCat(article.title, " ", article.body, " "), word);
  }
  static std::set<std::string> Values(const Article& article, const std::string& field) {
    std::set<std::string> values;
    if (field == "source") values.insert(article.source);
    if (field == "author") values.insert(article.authors.begin(), article.authors.end());
    if (field == "attributes.series")
      values.insert(article.attributes.at("series").begin(), article.attributes.at("series").end());
    if (field == "year" && article.publish_time)
      values.insert(absl::FormatTime("%Y", *article.publish_time, absl::UTCTimeZone()));
    for (const Label& label : EffectiveLabels(article)) {
      if (field == "region_code" && label.dimension == Dimension::kCountry) values.insert(label.id);
      if (field == "issue_id" && label.dimension == Dimension::kIssue) values.insert(label.id);
    }
    return values;
  }

  static TempDir* dir_;
  static Engine* engine_;
  static std::vector<Article>* articles_;
};
TempDir* SearcherTest::dir_ = nullptr;
Engine* SearcherTest::engine_ = nullptr;
std::vector<Article>* SearcherTest::articles_ = nullptr;

TEST_F(SearcherTest, TotalsFacetsAndPagesAreThoseCountedByHand) {
  const std::vector<std::string> fields = {"region_code", "issue_id", "source", "author", "year", "attributes.series"};
  std::mt19937 random(2);
  for (int round = 0; round < 60; ++round) {
    SearchQuery query;
    std::vector<std::string> words;
    for (size_t i = random() % 3; i > 0; --i) {
      words.push_back(Vocabulary()[random() % Vocabulary().size()]);
      absl::StrAppend(&query.query, query.query.empty() ? "" : " AND ", words.back());
    }
    std::map<std::string, std::set<std::string>> selected;
    if (random() % 2 == 0) selected["region_code"] = {"IR"};
    if (random() % 3 == 0) selected["region_code"].insert("RU");
    if (random() % 2 == 0) selected["source"] = {absl::StrCat("Source ", random() % 4)};
    for (const auto& [field, values] : selected) {
      query.selections.push_back({field, {values.begin(), values.end()}, false});
    }
    query.facets = Facets(fields);
    query.page_size = static_cast<int>(1 + random() % 100);
    if (random() % 2 == 0) query.order_by = "publish_time desc";

    const auto matches = [&](const Article& article, const std::string& left_out) {
      for (const std::string& word : words) {
        if (!HasWord(article, word)) return false;
      }
      for (const auto& [field, values] : selected) {
        if (field == left_out) continue;
        const std::set<std::string> has = Values(article, field);
        bool any = false;
        for (const std::string& value : values) any = any || has.contains(value);
        if (!any) return false;
      }
      return true;
    };
    std::set<std::string> expected;
    for (const Article& article : *articles_) {
      if (matches(article, "")) expected.insert(article.id);
    }

    std::set<std::string> seen;
    size_t hits = 0;
    SearchResult first;
    while (true) {
      const absl::StatusOr<SearchResult> page = engine_->Search(query);
      ASSERT_TRUE(page.ok()) << page.status();
      if (query.page_token.empty()) first = *page;
      for (const std::string& id : Ids(*page)) seen.insert(id);
      hits += page->hits.size();
      if (page->next_page_token.empty()) break;
      query.page_token = page->next_page_token;
    }
    EXPECT_EQ(seen, expected) << query.query;
    EXPECT_EQ(hits, expected.size());
    EXPECT_EQ(first.total, static_cast<int64_t>(expected.size()));
    for (size_t i = 0; i < fields.size(); ++i) {
      std::map<std::string, int64_t> counts;
      for (const Article& article : *articles_) {
        if (!matches(article, fields[i])) continue;
        for (const std::string& value : Values(article, fields[i])) ++counts[value];
      }
      if (selected.contains(fields[i])) {
        for (const std::string& value : selected.at(fields[i])) counts[value] += 0;  // Selected ones always show.
      }
      std::map<std::string, int64_t> got;
      for (const FacetValue& value : first.facets[i].values) got[value.id] = value.count;
      EXPECT_EQ(got, counts) << fields[i] << " of " << query.query;
    }
  }
}

TEST_F(SearcherTest, FacetsAreCutAtTheirLimitAndTheRestIsSummed) {
  SearchQuery query;
  query.facets = Facets({"source"});
  query.facets[0].limit = 1;
  const absl::StatusOr<SearchResult> result = engine_->Search(query);
  ASSERT_TRUE(result.ok());
  ASSERT_EQ(result->facets[0].values.size(), 1U);
  EXPECT_EQ(result->facets[0].values[0].count + result->facets[0].other_count, kArticles);
}

TEST_F(SearcherTest, NewestAndOldestFirstAreEachOthersReverseAndUndatedComeLast) {
  for (const char* order : {"publish_time desc", "publish_time asc"}) {
    SearchQuery query;
    query.order_by = order;
    query.page_size = 100;
    const absl::StatusOr<SearchResult> result = engine_->Search(query);
    ASSERT_TRUE(result.ok());
    for (size_t i = 1; i < result->hits.size(); ++i) {
      const auto& before = result->hits[i - 1].article.publish_time;
      const auto& after = result->hits[i].article.publish_time;
      ASSERT_TRUE(before.has_value()) << "dated articles fill the first page";
      if (!after) continue;
      EXPECT_TRUE(absl::string_view(order) == "publish_time asc" ? *before <= *after : *before >= *after);
    }
  }
}

TEST_F(SearcherTest, AQuestionWithWordsThatNoArticleHasIsRelaxedAndSaysSo) {
  SearchQuery query;
  query.query = "wheat zzzunknown";
  const absl::StatusOr<SearchResult> result = engine_->Search(query);
  ASSERT_TRUE(result.ok());
  EXPECT_GT(result->total, 0);
  EXPECT_TRUE(result->interpretation.relaxed);
  EXPECT_THAT(result->interpretation.notes, ElementsAre(HasSubstr("some of them")));
}

TEST_F(SearcherTest, AMistypedWordIsCorrectedInASuggestion) {
  SearchQuery query;
  query.query = "wheta treaty";
  const absl::StatusOr<SearchResult> result = engine_->Search(query);
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->interpretation.corrected_query, "wheat treaty");
}

TEST_F(SearcherTest, ACorrectionLeavesTheRestOfTheQueryAsItWasTyped) {
  SearchQuery query;
  query.query = "country:IR  \"wheta treaty\" -sumit source:Sourse Wheta!";
  const absl::StatusOr<SearchResult> result = engine_->Search(query);
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->interpretation.corrected_query, "country:IR  \"wheat treaty\" -sumit source:Sourse wheat!");
}

TEST_F(SearcherTest, NoWordIsCorrectedWhereThatIsTurnedOff) {
  SearchQuery query;
  query.query = "wheta treaty";
  query.typo_mode = TypoMode::kOff;
  EXPECT_EQ(engine_->Search(query)->interpretation.corrected_query, "");
}

TEST_F(SearcherTest, TheQueryAsItWasRunSaysSoWhereItWasRelaxed) {
  SearchQuery query;
  query.query = "wheat zzzunknown country:IR";
  const absl::StatusOr<SearchResult> result = engine_->Search(query);
  ASSERT_TRUE(result.ok());
  ASSERT_TRUE(result->interpretation.relaxed);
  EXPECT_EQ(result->interpretation.normalized_query, "((wheat zzzunknown) AND country:IR)");
}

TEST_F(SearcherTest, SnippetsAreThoseAskedForWhateverTheView) {
  SearchQuery query;
  query.query = "title:oil";
  for (const View view : {View::kBasic, View::kSnippet, View::kFull}) {
    for (const bool title : {false, true}) {
      for (const bool body : {false, true}) {
        query.view = view;
        query.snippet.title = title;
        query.snippet.body = body;
        const absl::StatusOr<SearchResult> result = engine_->Search(query);
        ASSERT_TRUE(result.ok());
        ASSERT_FALSE(result->hits.empty());
        for (const Hit& hit : result->hits) {
          std::set<std::string> fields;
          for (const Snippet& snippet : hit.snippets) fields.insert(snippet.field);
          std::set<std::string> expected;
          if (title) expected.insert("title");
          if (body) expected.insert("body");
          EXPECT_EQ(fields, expected);
          EXPECT_EQ(hit.article.body.empty(), view != View::kFull);
        }
      }
    }
  }
}

TEST_F(SearcherTest, TwoFacetsOfOneFieldAreBothCounted) {
  for (const char* field : {"region_code", "source"}) {
    SearchQuery query;
    query.facets = Facets({field, field});
    query.facets[1].prefix = absl::string_view(field) == "source" ? "Source 1" : "I";
    const absl::StatusOr<SearchResult> result = engine_->Search(query);
    ASSERT_TRUE(result.ok());
    EXPECT_GE(result->facets[0].values.size(), 3U) << field;
    ASSERT_EQ(result->facets[1].values.size(), 1U) << field;
    for (const FacetValue& value : result->facets[0].values) {
      const FacetValue& same = result->facets[1].values[0];
      EXPECT_TRUE(value.id != same.id || value.count == same.count) << field;
    }
  }
}

TEST_F(SearcherTest, FacetsAreOrderedByIdWhereThatIsAskedFor) {
  SearchQuery query;
  query.facets = Facets({"region_code"});
  query.facets[0].order_by_id = true;
  const absl::StatusOr<SearchResult> result = engine_->Search(query);
  ASSERT_TRUE(result.ok());
  std::vector<std::string> ids;
  for (const FacetValue& value : result->facets[0].values) ids.push_back(value.id);
  EXPECT_THAT(ids, ElementsAre("AE", "IR", "RU"));  // By name the Emirates would be last.
}

TEST_F(SearcherTest, CountsThatMustBeExactAreRefusedWhenTimeRunsOut) {
  SearchQuery query;
  query.facets = Facets({"source"});
  query.facets[0].exact = true;
  EXPECT_TRUE(engine_->Search(query)->facets[0].exact);
  query.deadline = absl::Now() - absl::Seconds(1);
  query.partial_on_timeout = true;
  EXPECT_EQ(engine_->Search(query).status().code(), absl::StatusCode::kDeadlineExceeded);
}

TEST_F(SearcherTest, ARetiredOrDifferentlyWrittenSelectionIsShownWithItsCount) {
  SearchQuery query;
  query.selections = {{"issue_id", {"old_energy"}, false}, {"language_code", {"EN"}, false}};
  query.facets = Facets({"issue_id", "language_code"});
  const absl::StatusOr<SearchResult> result = engine_->Search(query);
  ASSERT_TRUE(result.ok());
  ASSERT_GT(result->total, 0);
  for (const Facet& facet : result->facets) {
    ASSERT_EQ(facet.values.size(), 1U) << facet.field;
    EXPECT_TRUE(facet.values[0].selected);
    EXPECT_EQ(facet.values[0].count, result->total);
  }
}

TEST_F(SearcherTest, AnExpandedGroupFindsItsMembersWhereverItIsAskedFor) {
  SearchQuery members;
  members.region_codes = {"AE"};
  const int64_t expected = engine_->Search(members)->total;
  ASSERT_GT(expected, 0);
  std::vector<SearchQuery> queries(4);
  queries[0].group_ids = {"gcc"};
  queries[1].filter = "group_id = \"gcc\"";
  queries[2].selections = {{"group_id", {"old_gulf"}, false}};
  queries[3].query = "group:gcc";
  for (SearchQuery& query : queries) {
    EXPECT_EQ(engine_->Search(query)->total, 0);
    query.expand_groups = true;
    EXPECT_EQ(engine_->Search(query)->total, expected);
  }
}

TEST_F(SearcherTest, TheBeginningOfTheLastWordFindsAsOneTypes) {
  SearchQuery query;
  query.query = "harb";
  EXPECT_EQ(engine_->Search(query)->total, 0);
  query.match_mode = MatchMode::kPrefixLastWord;
  EXPECT_GT(engine_->Search(query)->total, 0);
}

TEST_F(SearcherTest, AFilterAndTimesAreThoseCountedByHand) {
  SearchQuery query;
  query.filter = "publish_time >= 2022-01-01 AND publish_time < 2023-01-01 AND NOT source = \"Source 1\"";
  int64_t expected = 0;
  for (const Article& article : *articles_) {
    expected += Values(article, "year").contains("2022") && article.source != "Source 1" ? 1 : 0;
  }
  EXPECT_EQ(engine_->Search(query)->total, expected);
}

TEST_F(SearcherTest, ADeadlineThatIsPastAndACallerWhoLeftEndTheSearch) {
  SearchQuery query;
  query.query = "oil";
  query.deadline = absl::Now() - absl::Seconds(1);
  EXPECT_EQ(engine_->Search(query).status().code(), absl::StatusCode::kDeadlineExceeded);
  query.deadline = absl::InfiniteFuture();
  query.cancelled = [] { return true; };
  EXPECT_EQ(engine_->Search(query).status().code(), absl::StatusCode::kCancelled);
}

TEST_F(SearcherTest, ADeadlineThatIsPastGivesAPartialAnswerWhereOneIsWanted) {
  SearchQuery query;
  query.query = "oil wheat";
  query.facets = Facets({"source"});
  query.deadline = absl::Now() - absl::Seconds(1);
  query.partial_on_timeout = true;
  const absl::StatusOr<SearchResult> result = engine_->Search(query);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_TRUE(result->degraded);
  EXPECT_FALSE(result->total_exact);
  ASSERT_EQ(result->facets.size(), 1U);
  EXPECT_FALSE(result->facets[0].exact);
  EXPECT_FALSE(result->commit_token.empty());
}

TEST_F(SearcherTest, PassagesAreCutWhileThereIsTime) {
  SearchQuery query;
  query.query = "oil";
  query.partial_on_timeout = true;
  query.passages_until = absl::InfinitePast();
  absl::StatusOr<SearchResult> result = engine_->Search(query);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_TRUE(result->degraded);
  EXPECT_EQ(result->hits.size(), 10U);
  for (const Hit& hit : result->hits) EXPECT_THAT(hit.snippets, IsEmpty());
  // Where no partial answer is wanted, the reading of hits ends as the match does: here those of a kept ranking.
  query.partial_on_timeout = false;
  query.page_token = result->next_page_token;
  ASSERT_TRUE(engine_->Search(query).ok());
  query.deadline = absl::Now() - absl::Seconds(1);
  EXPECT_EQ(engine_->Search(query).status().code(), absl::StatusCode::kDeadlineExceeded);
  query.deadline = absl::InfiniteFuture();
  query.cancelled = [] { return true; };
  EXPECT_EQ(engine_->Search(query).status().code(), absl::StatusCode::kCancelled);
}

TEST_F(SearcherTest, ADeadlineDuringTheMatchLeavesWhatWasFoundByThen) {
  SearchQuery query;
  query.facets = Facets({"source", "region_code"});
  query.deadline = absl::Now() + absl::Seconds(1);
  query.partial_on_timeout = true;
  int calls = 0;
  query.cancelled = [&] {
    // The first call comes before the match, the second one in the midst of it.
    while (++calls == 2 && absl::Now() <= query.deadline) --calls;
    return false;
  };
  const absl::StatusOr<SearchResult> result = engine_->Search(query);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_TRUE(result->degraded);
  EXPECT_FALSE(result->total_exact);
  EXPECT_FALSE(result->hits.empty());
  for (const Facet& facet : result->facets) EXPECT_FALSE(facet.exact) << facet.field;
}

TEST_F(SearcherTest, NoQueryHoweverStrangeIsAnError) {
  const std::vector<std::string> pieces = {"oil",
                                           "\"",
                                           "(",
                                           ")",
                                           "-",
                                           "AND",
                                           "OR",
                                           "NOT",
                                           "title:",
                                           "country:IR",
                                           "*",
                                           "w*",
                                           "中国",
                                           "إيران",
                                           "after:2022",
                                           "newer_than:7d",
                                           "NEAR",
                                           "NEAR/4",
                                           "\"oil wheat\"",
                                           "source:\"Source 1\"",
                                           "a",
                                           "the"};
  std::mt19937 random(3);
  for (int i = 0; i < 1'500; ++i) {
    SearchQuery query;
    for (size_t k = random() % 12; k > 0; --k)
      absl::StrAppend(&query.query, pieces[random() % pieces.size()], random() % 4 == 0 ? "" : " ");
    query.match_mode = static_cast<MatchMode>(random() % 3);
    query.facets = Facets({"region_code"});
    const absl::StatusOr<SearchResult> result = engine_->Search(query);
    ASSERT_TRUE(result.ok()) << query.query << ": " << result.status();
    ASSERT_LE(result->hits.size(), 10U);
  }
}

// Its texts are chosen for how hits are ranked and folded.
class RankingTest : public ::testing::Test {
 protected:
  RankingTest() {
    Engine::Options options;
    options.data_dir = dir_.path();
    options.label_grace = absl::ZeroDuration();
    options.min_commit_interval = absl::ZeroDuration();
    engine_ = *Engine::Open(options, std::make_shared<FakeLabeler>());
  }

  void Ingest(const std::string& id, const std::string& title, const std::string& body, const std::string& source = "",
              int days_old = 0) {
    Article article = MakeArticle(id, title, body);
    article.source = source;
    article.publish_time = absl::Now() - absl::Hours(24 * days_old);
    IngestAndWait(*engine_, std::move(article));
  }
  SearchResult Search(const SearchQuery& query) {
    Settle(*engine_, Progress::kLabelled);
    absl::StatusOr<SearchResult> result = engine_->Search(query);
    EXPECT_TRUE(result.ok()) << result.status();
    return result.ok() ? *std::move(result) : SearchResult();
  }
  // Some 60 words that go with `word`.
  static std::string Story(const std::string& word) {
    std::string text = word;
    for (int i = 0; i < 60; ++i) absl::StrAppend(&text, " ", word, "x", i * i % 59);
    return text;
  }

  TempDir dir_;
  std::unique_ptr<Engine> engine_;
};

TEST_F(RankingTest, MistypedWordsFindWhatIsSpelledNearlyTheSameBelowTheWordItself) {
  Ingest("a", "Petroleum exports", "Petroleum and nothing else");
  Ingest("b", "Petroleum imports", "Petroleum again");
  Ingest("c", "Wheat", "Wheat and rye");
  Ingest("e", "Grain", "Wheat and barley");  // What a single article has may be a slip itself.
  SearchQuery query;
  query.query = "petroluem exports";
  SearchResult result = Search(query);
  EXPECT_THAT(Ids(result), ElementsAre("a"));
  EXPECT_EQ(result.interpretation.corrected_query, "petroleum exports");
  EXPECT_THAT(result.interpretation.notes, ElementsAre(HasSubstr("\"petroleum\" was searched for as well")));
  // What is found is shown.
  ASSERT_FALSE(result.hits[0].snippets.empty());
  EXPECT_EQ(result.hits[0].snippets[0].ranges.size(), 2U);
  query.typo_mode = TypoMode::kSuggestOnly;
  result = Search(query);
  EXPECT_EQ(result.interpretation.corrected_query, "petroleum exports");
  EXPECT_TRUE(result.interpretation.relaxed);
  // An article that has the word as it was typed is found by it alone.
  Ingest("d", "Petroluem", "A petroluem exports slip of the pen");
  query.typo_mode = TypoMode::kAuto;
  EXPECT_THAT(Ids(Search(query)), ElementsAre("d"));
  // Where no word of several articles is near, one of a single article is taken.
  query.query = "barely";
  EXPECT_THAT(Ids(Search(query)), ElementsAre("e"));
  // Not of three letters, nor another first one.
  query.query = "whaet";
  EXPECT_EQ(Search(query).total, 2);
  for (const std::string query_text : {"ryx", "theat"}) {
    query.query = query_text;
    EXPECT_EQ(Search(query).total, 0) << query_text;
  }
}

// Five articles have two words each of a question; what the best have in common, "tanker", tells the others apart.
TEST_F(RankingTest, SynonymsFindWhatHasNotTheWordBelowWhatHasIt) {
  // The synonym is rarer than the word, and so would count for more by itself.
  Ingest("word", "Markets today", "oil prices rose again in many markets");
  Ingest("word2", "Markets", "oil and more oil");
  Ingest("synonym", "Markets today", "petroleum prices rose again in many markets");
  Ingest("other", "Wheat", "wheat prices fell");
  SearchQuery query;
  query.query = "oil";
  query.snippet.title = false;
  EXPECT_THAT(Ids(Search(query)), UnorderedElementsAre("word", "word2"));
  const std::string state_before = absl::StrCat(Search(query).state);
  const double alone = Search(query).hits[0].score;

  engine_->SetSynonyms(*Synonyms::Parse("oil, petroleum, naphtha\nwheats => oil"));
  SearchResult result = Search(query);
  EXPECT_THAT(Ids(result), ElementsAre("word2", "word", "synonym"));
  EXPECT_LE(result.hits[0].score, alone);
  EXPECT_EQ(result.total, 3);
  EXPECT_NE(absl::StrCat(result.state), state_before);
  EXPECT_THAT(result.interpretation.notes,
              ElementsAre("synonyms were searched for as well: \"petroleum\", \"naphtha\" for \"oil\""));
  EXPECT_EQ(result.interpretation.normalized_query, "oil");
  ASSERT_EQ(result.hits[2].snippets.size(), 1U);
  ASSERT_EQ(result.hits[2].snippets[0].ranges.size(), 1U);
  EXPECT_EQ(result.hits[2].snippets[0].ranges[0], (TextRange{0, 9}));

  // The same in each of several words, and the other way round.
  query.query = "petroleum prices";
  EXPECT_THAT(Ids(Search(query)), ElementsAre("synonym", "word"));
  // A word that no article has is no slip where an operator knows it.
  query.query = "naphtha";
  result = Search(query);
  EXPECT_EQ(result.total, 3);
  EXPECT_EQ(result.interpretation.corrected_query, "");
  // One way only.
  query.query = "wheat";
  EXPECT_THAT(Ids(Search(query)), UnorderedElementsAre("other", "word", "word2"));
  query.query = "\"wheat\"";
  EXPECT_THAT(Ids(Search(query)), ElementsAre("other"));
  query.query = "prices -oil";
  EXPECT_THAT(Ids(Search(query)), UnorderedElementsAre("synonym", "other"));
  query.query = "oil";
  query.explain = true;
  EXPECT_THAT(Search(query).hits[2].explanation, HasSubstr("= oil "));

  engine_->SetSynonyms(Synonyms());
  EXPECT_EQ(Search(query).total, 2);
}

TEST_F(RankingTest, ATokenOfBeforeOtherSynonymsGoesOnWithItsOwnHits) {
  for (int i = 0; i < 3; ++i) Ingest(absl::StrCat("a", i), "Markets", "oil prices");
  SearchQuery query;
  query.query = "petroleum";
  query.page_size = 2;
  engine_->SetSynonyms(*Synonyms::Parse("petroleum => oil"));
  const SearchResult first = Search(query);
  engine_->SetSynonyms(Synonyms());
  query.page_token = first.next_page_token;
  const absl::StatusOr<SearchResult> second = engine_->Search(query);
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_EQ(second->hits.size(), 1U);
}

TEST_F(RankingTest, LettersInOtherShapesFindAndAreFound) {
  Ingest("wide", "Ｅｌｅｃｔｉｏｎｓ", "Ｏｉｌ prices and CO₂ in ﬁnance");
  Ingest("plain", "Elections", "Oil prices and CO2 in finance");
  for (const char* text :
       {"election", "ｅｌｅｃｔｉｏｎ", "oil", "ＯＩＬ", "co2", "CO₂", "\"in finance\"", "title:ｅｌｅｃｔｉｏｎｓ"}) {
    SearchQuery query;
    query.query = text;
    EXPECT_THAT(Ids(Search(query)), UnorderedElementsAre("wide", "plain")) << text;
  }
  SearchQuery query;
  query.query = "oil";
  for (const Hit& hit : Search(query).hits) {
    ASSERT_EQ(hit.snippets.size(), 1U);
    ASSERT_EQ(hit.snippets[0].ranges.size(), 1U);
    const TextRange range = hit.snippets[0].ranges[0];
    EXPECT_EQ(
        hit.snippets[0].text.substr(static_cast<size_t>(range.start), static_cast<size_t>(range.end - range.start)),
        hit.article.id == "wide" ? "Ｏｉｌ" : "Oil");
  }
}

TEST_F(RankingTest, AQuestionIsRankedAlsoByWhatItsBestHitsHaveInCommon) {
  for (int i = 1; i <= 6; ++i) {
    Ingest(absl::StrCat("best", i), "Report of tankers", "seizure hormuz strait tanker tanker captain");
  }
  Ingest("apart", "Report", "hormuz pottery museum ceramics glaze ancient");
  Ingest("near", "Report", "hormuz tanker captain crew insurance ancient");
  Ingest("stranger", "Report", "tanker captain tanker captain");
  for (int i = 1; i <= 12; ++i) Ingest(absl::StrCat("other", i), "Report", "wheat harvest rain barley rye oats");
  SearchQuery query;
  query.query = "seizure hormuz strait zzzunknown";
  query.page_size = 20;
  SearchResult result = Search(query);
  ASSERT_TRUE(result.interpretation.relaxed);
  EXPECT_THAT(result.interpretation.expansion, AllOf(Contains("tanker"), Not(Contains(HasSubstr("S")))));
  EXPECT_EQ(result.total, 8) << "what has no word of the query is not found by it";
  ASSERT_EQ(result.hits.size(), 8U);
  EXPECT_EQ(result.hits[6].article.id, "near");
  EXPECT_EQ(result.hits[7].article.id, "apart");
  EXPECT_GT(result.hits[6].score, result.hits[7].score);
  // A page at a time it is the same order.
  const std::vector<std::string> all = Ids(result);
  std::vector<std::string> paged;
  query.page_size = 3;
  do {
    result = Search(query);
    for (const std::string& id : Ids(result)) paged.push_back(id);
    query.page_token = result.next_page_token;
  } while (!query.page_token.empty());
  EXPECT_EQ(paged, all);
  query.page_token.clear();
  query.page_size = 20;
  query.explain = true;
  EXPECT_THAT(Search(query).hits[6].explanation,
              AllOf(HasSubstr("what the best have in common"), Not(HasSubstr("seizure"))));
  query.explain = false;
  // Not while somebody types, not by time, and not for fewer than five hits.
  query.match_mode = MatchMode::kPrefixLastWord;
  EXPECT_THAT(Search(query).interpretation.expansion, IsEmpty());
  query.match_mode = MatchMode::kFullQuery;
  query.order_by = "publish_time desc";
  EXPECT_THAT(Search(query).interpretation.expansion, IsEmpty());
  query.order_by.clear();
  query.query = "pottery museum ceramics zzzunknown";
  EXPECT_THAT(Search(query).interpretation.expansion, IsEmpty());
}

TEST_F(RankingTest, FunctionWordsCountInAShortQueryAndNotInAQuestion) {
  Ingest("a", "Between the rivers", "Between rivers");
  Ingest("b", "Rivers", "Rivers and nothing else");
  for (int i = 0; i < 3; ++i) Ingest(absl::StrCat("c", i), "Other", "however between using during");
  SearchQuery query;
  query.query = "between rivers";
  EXPECT_THAT(Ids(Search(query)), ElementsAre("a"));
  query.query = "however between rivers else zzzunknown using during";
  const SearchResult result = Search(query);
  ASSERT_TRUE(result.interpretation.relaxed);
  EXPECT_EQ(result.interpretation.normalized_query, "(rivers else zzzunknown)");
  EXPECT_THAT(Ids(result), UnorderedElementsAre("a", "b"));
}

TEST_F(RankingTest, AWordThatAQueryRepeatsCountsMore) {
  Ingest("a", "Note", "wheat or something else");
  Ingest("b", "Note", "barley or something else");
  // An article that is written again counts twice until segments are merged: that must not decide.
  for (int i = 0; i < 20; ++i) Ingest(absl::StrCat("other", i), "Note", "rye and something else");
  SearchQuery query;
  query.query = "wheat barley wheat wheat wheat zzzunknown";
  EXPECT_THAT(Ids(Search(query)), ElementsAre("a", "b"));
  query.query = "wheat barley barley barley barley zzzunknown";
  EXPECT_THAT(Ids(Search(query)), ElementsAre("b", "a"));
}

TEST_F(RankingTest, NamesInTheQueryRaiseWhatHasTheLabelOrFilterByItAndCanBeTakenBack) {
  Ingest("has", "Oil", "Iran oil talks");
  Ingest("says", "Oil oil", "Oil of Teheran, some say");
  SearchQuery query;
  query.query = "energy OR oil";
  SearchResult result = Search(query);
  ASSERT_EQ(result.interpretation.names.size(), 1U);
  EXPECT_EQ(result.interpretation.names[0].id, "issue:energy");
  EXPECT_EQ(result.interpretation.names[0].text, "energy");
  EXPECT_EQ(result.interpretation.names[0].range, (TextRange{0, 6}));
  query.query = "oil Iran";
  query.name_mode = NameMode::kFilter;
  EXPECT_THAT(Ids(Search(query)), ElementsAre("has"));
  query.query = "iranian oil";
  result = Search(query);
  EXPECT_THAT(Ids(result), ElementsAre("has")) << "it has the label, and one of the words";
  ASSERT_EQ(result.interpretation.names.size(), 1U);
  EXPECT_EQ(result.interpretation.names[0].id, "country:IR");
  EXPECT_EQ(result.interpretation.names[0].text, "iranian");
  query.query = "oil Iran";
  query.ignored_names = {"country:IR"};
  EXPECT_TRUE(Search(query).interpretation.names.empty());
  query.name_mode = NameMode::kOff;
  query.ignored_names.clear();
  EXPECT_TRUE(Search(query).interpretation.names.empty());
  // By the boost alone: the words are the same.
  Ingest("p1", "Plain", "harbour report");
  Ingest("p2", "Plain", "harbour report emirates");
  query.query = "harbour report \"United Arab Emirates\" OR report";
  query.name_mode = NameMode::kBoost;
  result = Search(query);
  ASSERT_EQ(result.hits.size(), 2U);
  EXPECT_EQ(result.hits[0].article.id, "p2");
}

TEST_F(RankingTest, ANameOnOneSideOfAnOrRaisesAndNeverFilters) {
  Ingest("has", "Harbour", "Iran and its harbour");
  Ingest("other", "Wheat", "Wheat harvest");
  SearchQuery query;
  query.query = "wheat OR iran";
  query.name_mode = NameMode::kFilter;
  SearchResult result = Search(query);
  EXPECT_THAT(Ids(result), UnorderedElementsAre("has", "other"));
  ASSERT_EQ(result.interpretation.names.size(), 1U);
  EXPECT_TRUE(result.interpretation.names[0].alternative);
  query.query = "(wheat OR harbour) iran";
  EXPECT_THAT(Ids(Search(query)), ElementsAre("has"));
  query.query = "wheat -iran";
  EXPECT_THAT(Ids(Search(query)), ElementsAre("other"));
}

TEST_F(RankingTest, ARareWordDoesNotCountForWhatIsBeingTyped) {
  for (int i = 0; i < 9; ++i) {
    Ingest(absl::StrCat("t", i), absl::StrCat("Wheat ", i), "the harvest of canal wheat");
  }
  Ingest("canal", "Canals", "the canal, canals: canal");
  Ingest("stray", "Other", "some other text that has a stray can and more of it");
  SearchQuery query;
  query.match_mode = MatchMode::kPrefixLastWord;
  query.query = "can";
  const SearchResult result = Search(query);
  ASSERT_EQ(result.total, 11);
  EXPECT_EQ(result.hits[0].article.id, "canal");
  query.query = "canals";
  EXPECT_EQ(Search(query).total, 10) << "other forms of a word that may be finished";
}

TEST_F(RankingTest, WhatIsNoCountryIsNotCorrectedToAnother) {
  Ingest("a", "Atlantic", "The atlantic treaty");
  Ingest("b", "Atlantic", "The atlantic again");
  SearchQuery query;
  query.query = "country:Atlantis";
  EXPECT_EQ(Search(query).interpretation.corrected_query, "");
  query.query = "atlantis";
  EXPECT_EQ(Search(query).interpretation.corrected_query, "atlantic");
}

TEST_F(RankingTest, ASelectedLanguageOfARegionHasItsOwnCount) {
  for (const char* tag : {"en-GB", "en-GB", "en-US", "en", "fr"}) {
    static int number = 0;
    Article article = MakeArticle(absl::StrCat("a", ++number), "Wheat", "wheat harvest");
    article.language_code = tag;
    IngestAndWait(*engine_, std::move(article));
  }
  SearchQuery query;
  query.query = "wheat";
  query.facets = Facets({"language_code"});
  query.selections = {{"language_code", {"EN-gb"}, false}};
  const auto counted = [](const SearchResult& result) {
    std::string values;
    for (const FacetValue& value : result.facets[0].values) {
      absl::StrAppend(&values, value.id, value.selected ? "*" : "", " ", value.count, "; ");
    }
    return values;
  };
  SearchResult result = Search(query);
  EXPECT_EQ(result.total, 2);
  EXPECT_EQ(counted(result), "en 4; en-GB* 2; fr 1; ");
  query.selections = {{"language_code", {"en-GB", "en", "en-NZ"}, false}};
  result = Search(query);
  EXPECT_EQ(result.total, 4);
  EXPECT_EQ(counted(result), "en* 4; en-GB* 2; fr 1; en-NZ* 0; ");
}

TEST_F(RankingTest, NearDuplicatesAreShownAsOneAndCountedWhole) {
  Ingest("first", "Canal", Story("canal"), "A");
  Ingest("copy", "Canal again", Story("canal") + " (Reuters)", "B");
  Ingest("other", "Canal", Story("lock") + " canal", "B");
  SearchQuery query;
  query.query = "canal";
  query.facets = Facets({"source"});
  query.collapse = CollapseKind::kNearDuplicate;
  query.max_alternates = 3;
  SearchResult result = Search(query);
  EXPECT_EQ(result.total, 3);
  EXPECT_EQ(result.facets[0].values[0].count + result.facets[0].values[1].count, 3);
  ASSERT_EQ(result.hits.size(), 2U);
  const size_t head = result.hits[0].article.id == "other" ? 1 : 0;
  EXPECT_EQ(result.hits[head].collapsed_count, 1);
  ASSERT_EQ(result.hits[head].alternates.size(), 1U);
  const std::set<std::string> both = {result.hits[head].article.id, result.hits[head].alternates[0].id};
  EXPECT_EQ(both, (std::set<std::string>{"first", "copy"}));
  EXPECT_EQ(result.hits[1 - head].collapsed_count, 0);
  query.collapse = CollapseKind::kSource;
  query.max_alternates = 0;
  result = Search(query);
  ASSERT_EQ(result.hits.size(), 2U);
  EXPECT_EQ(result.hits[0].collapsed_count + result.hits[1].collapsed_count, 1);
  EXPECT_TRUE(result.hits[0].alternates.empty());
  query.max_alternates = kMaxAlternates + 1;
  EXPECT_EQ(engine_->Search(query).status().code(), absl::StatusCode::kInvalidArgument);
  // Gone with its head, the link is gone.
  ASSERT_TRUE(engine_->Delete("first", {}).ok());
  query.max_alternates = 0;
  query.collapse = CollapseKind::kNearDuplicate;
  EXPECT_EQ(Search(query).hits.size(), 2U);
}

TEST_F(RankingTest, WhatIsFreshOrSurelyLabelledComesFirstWhereThatIsAskedFor) {
  Ingest("old", "Canal canal", "canal canal canal of Iran", "", 400);
  Ingest("new", "Report", "the canal and other matters of the day in Russia", "", 1);
  SearchQuery query;
  query.query = "canal";
  EXPECT_THAT(Ids(Search(query)), ElementsAre("old", "new"));
  query.ranking.freshness_half_life = absl::Hours(24 * 30);
  query.ranking.freshness_weight = 1.0;
  query.explain = true;
  const SearchResult result = Search(query);
  EXPECT_THAT(Ids(result), ElementsAre("new", "old"));
  EXPECT_THAT(result.hits[0].explanation, HasSubstr("times 0.98 for its age"));
  EXPECT_THAT(result.hits[1].explanation, HasSubstr("= canal "));
  // Iran has 0.9, Russia 0.8.
  Ingest("same1", "Wheat", "wheat russia");
  Ingest("same2", "Wheat", "wheat iran");
  query = SearchQuery();
  query.query = "wheat";
  query.region_codes = {"IR", "RU"};
  EXPECT_THAT(Ids(Search(query)), ElementsAre("same1", "same2"));
  query.ranking.label_weight = 1.0;
  EXPECT_THAT(Ids(Search(query)), ElementsAre("same2", "same1"));
  query.ranking.label_weight = 1.5;
  EXPECT_THAT(std::string(engine_->Search(query).status().message()), HasSubstr("ranking.label_weight"));
}

TEST_F(RankingTest, AnExplanationSumsUpToTheScore) {
  Ingest("a", "Iran oil exports", "Oil from Iran and more oil");
  Ingest("b", "Wheat", "Wheat exports");
  SearchQuery query;
  query.query = "iran oil";
  query.name_mode = NameMode::kOff;
  query.explain = true;
  const SearchResult result = Search(query);
  ASSERT_EQ(result.hits.size(), 1U);
  double total = 0.0;
  double iran = 0.0;
  double oil = 0.0;
  double title = 0.0;
  ASSERT_EQ(std::sscanf(result.hits[0].explanation.c_str(), "%lf = iran %lf + oil %lf + all in the title %lf", &total,
                        &iran, &oil, &title),
            4)
      << result.hits[0].explanation;
  EXPECT_NEAR(total, iran + oil + title, 0.02);
  EXPECT_NEAR(total, result.hits[0].score, 0.01);
}

TEST_F(RankingTest, TheArticleThatIsTitledWithWhatWasTypedComesFirst) {
  for (int i = 0; i < 4; ++i) {
    Ingest(absl::StrCat("other", i), absl::StrCat("All 50 states recall onions ", i),
           "50 states, 50 states, 50 states");
  }
  std::string news;
  for (int i = 0; i < 40; ++i) absl::StrAppend(&news, "News of the day from every one of them. ");
  Ingest("titled", "50 States", news);
  SearchQuery query;
  query.explain = true;
  for (const char* text : {"50 States", "50 states", " 50  STATES ", "\"50 states\""}) {
    query.query = text;
    const SearchResult result = Search(query);
    EXPECT_EQ(result.total, 5) << text;
    EXPECT_EQ(result.hits.front().article.id, "titled") << text;
    EXPECT_THAT(result.hits.front().explanation, HasSubstr("all of the title 25.00")) << text;
  }
  query.query = "states 50";
  EXPECT_NE(Search(query).hits.front().article.id, "titled");
}

TEST_F(RankingTest, AnAddressThatIsPastedFindsItsArticle) {
  Article article = MakeArticle("page", "Harvest", "Wheat and rye.");
  article.url = "https://example.org/2026/iran-oil-news/?id=7";
  IngestAndWait(*engine_, article);
  Ingest("other", "Iran oil news of 2026", "https example org 2026 iran oil news id 7");
  SearchQuery query;
  for (const char* text :
       {"https://example.org/2026/iran-oil-news/?id=7", " http://example.org/2026/iran-oil-news?id=7 "}) {
    query.query = text;
    const SearchResult result = Search(query);
    EXPECT_THAT(Ids(result), ElementsAre("page")) << text;
    EXPECT_THAT(result.interpretation.notes, ElementsAre("articles that have this address are shown"));
    EXPECT_THAT(result.interpretation.names, IsEmpty());
    query.query = result.interpretation.normalized_query;
    EXPECT_THAT(Ids(Search(query)), ElementsAre("page"));
  }
  for (const char* text : {"https://example.org/2026/iran-oil", "see https://example.org/2026/iran-oil-news/?id=7"}) {
    query.query = text;
    EXPECT_THAT(Ids(Search(query)), Contains("other")) << "words like others: " << text;
  }
  query.query = "https://example.org/2026/iran-oil-news/?id=7";
  query.match_mode = MatchMode::kLiteral;
  EXPECT_THAT(Ids(Search(query)), ElementsAre("other"));
}

TEST_F(RankingTest, WordsThatAreAllCommonAreMeantSideBySide) {
  Ingest("apart", "Who is who", "What the answer is to who it was, or not, the reader is to be told who is to be who.");
  Ingest("play", "Theatre", "Hamlet asks whether to be or not to be, and for long.");
  Ingest("band", "Rock", "Last night The Who played for two hours, and it was loud.");
  SearchQuery query;
  query.query = "To be or not to be";
  EXPECT_EQ(Search(query).hits.front().article.id, "play");
  for (int i = 0; i < 40; ++i) Ingest(absl::StrCat("title", i), absl::StrCat("Who was it, the man of ", i), Story("x"));
  query.query = "the who";
  query.explain = true;
  EXPECT_EQ(Search(query).hits.front().article.id, "band");
  for (const Hit& hit : Search(query).hits) EXPECT_THAT(hit.explanation, Not(HasSubstr("for all its words")));
  EXPECT_EQ(Search(query).total, 42) << "only their order changes";
}

// A long text that has them scattered, and more often, comes behind.
TEST_F(RankingTest, AnArticleWithAllWordsInItsTitleComesFirst) {
  std::string much = "rallying cry rallying cry rallying cry";
  for (int i = 0; i < 20; ++i) absl::StrAppend(&much, " rallying then a cry");
  Ingest("much", "Coal in the ground", much);
  Ingest("title", "The new climate rallying cry: keep it there",
         absl::StrCat("It was first heard last year.", Story("other")));
  SearchQuery query;
  query.query = "rallying cry";
  EXPECT_EQ(Search(query).hits.front().article.id, "title");
  query.query = "rallying cr";
  query.match_mode = MatchMode::kPrefixLastWord;
  EXPECT_EQ(Search(query).hits.front().article.id, "title");
}

TEST_F(RankingTest, WordsThatSayNothingAreSearchedForWhereThereAreNoOthers) {
  for (int i = 0; i < 5; ++i) {
    Ingest(absl::StrCat("a", i), "Wheat of the year",
           "The farmers who grow it, and the ones who do not, are to be heard.");
  }
  Ingest("who", "The Who", "A band from London.");
  Ingest("last", "Rain and the roads",
         "The people who drive are late; that is who they are, the ones who do not walk.");
  SearchQuery query;
  query.query = "the who";
  const SearchResult result = Search(query);
  ASSERT_FALSE(result.hits.empty());
  EXPECT_EQ(result.hits.front().article.id, "who");
  EXPECT_GT(result.hits.front().score, 0.0);
}

TEST_F(RankingTest, WhatIsBeingTypedIsSearchedForAsFarAsItGoes) {
  Ingest("a", "Expensive cities", "Singapore is the most expensive city.");
  Ingest("b", "Vitamin C", "The letter c.");
  SearchQuery query;
  query.match_mode = MatchMode::kPrefixLastWord;
  // A first letter is nothing to go by, a word that none begins with may be mistyped.
  for (const char* typed : {"expensive c", "expensive ci", "singapre"}) {
    query.query = typed;
    const SearchResult result = Search(query);
    ASSERT_EQ(result.hits.size(), 1U) << typed;
    EXPECT_EQ(result.hits.front().article.id, "a");
  }
}

// Sorted by time as well.
TEST_F(RankingTest, AnArticleWithOneWordOfAQuestionIsNoAnswerToIt) {
  Ingest("crash", "Crash in Ethiopia", "The Boeing 737 Max went down near Addis Ababa.");
  Ingest("prices", "Groceries", "Prices are at their max, and a crash is near.");
  Ingest("golf", "Golf", "He hit it to the max.");
  SearchQuery query;
  query.query = "what caused the boeing 737 max crash over ethiopia yesterday";
  query.order_by = "publish_time desc";
  const SearchResult result = Search(query);
  ASSERT_EQ(result.hits.size(), 1U);
  EXPECT_EQ(result.hits.front().article.id, "crash");
  EXPECT_EQ(result.total, 1);
  EXPECT_THAT(result.interpretation.notes, Contains(HasSubstr("at least 3")));
  query.order_by = "relevance";
  EXPECT_EQ(Search(query).total, 3);
}

TEST_F(RankingTest, ABeginningOfTwoLettersIsLookedForInAllOfTheText) {
  Ingest("a", "Cities", "Trade is up.");
  Ingest("b", "Towns", "Trees are down.");
  SearchQuery query;
  query.query = "tr*";
  const SearchResult result = Search(query);
  EXPECT_EQ(result.total, 2);
  EXPECT_TRUE(result.total_exact);
}

TEST_F(RankingTest, WhereOnlyTheMostFrequentWordsAreLookedForTheTotalIsABound) {
  std::string many;
  for (int i = 0; i < 300; ++i) absl::StrAppend(&many, " tr", i);
  Ingest("a", "Many", many);
  SearchQuery query;
  query.query = "tr*";
  const SearchResult result = Search(query);
  EXPECT_EQ(result.total, 1);
  EXPECT_FALSE(result.total_exact);
  EXPECT_THAT(result.interpretation.notes, ElementsAre(HasSubstr("many words begin with")));
}

TEST_F(RankingTest, SimilarArticlesShareTellingWordsAndAreNoDuplicates) {
  Ingest("a", "Canal treaty", Story("canal") + " treaty of the canal companies with Iran");
  Ingest("copy", "Reprint", Story("canal") + " treaty of the canal companies with Iran (Reuters)");
  Ingest("like", "Canal companies", "The canal companies signed a treaty, canalx1 canalx4 canalx9");
  Ingest("unlike", "Wheat", Story("wheat"));
  Settle(*engine_, Progress::kLabelled);
  SimilarQuery query;
  query.id = "a";
  absl::StatusOr<std::vector<Hit>> hits = engine_->FindSimilarArticles(query);
  ASSERT_TRUE(hits.ok()) << hits.status();
  ASSERT_EQ(hits->size(), 1U);
  EXPECT_EQ((*hits)[0].article.id, "like");
  query.id.clear();
  query.text = Story("canal") + " treaty of the canal companies with Iran";
  hits = engine_->FindSimilarArticles(query);
  ASSERT_TRUE(hits.ok()) << hits.status();
  ASSERT_EQ(hits->size(), 1U);
  EXPECT_EQ((*hits)[0].article.id, "like");
  // Of a text that is like a story, its best copy only.
  query.text = "treaty of the canal companies with Iran canalx1 canalx4 canalx7";
  hits = engine_->FindSimilarArticles(query);
  ASSERT_TRUE(hits.ok()) << hits.status();
  ASSERT_EQ(hits->size(), 2U);
  EXPECT_NE((*hits)[0].article.id == "like", (*hits)[1].article.id == "like");
  query.filter = "source = \"Nobody\"";
  EXPECT_TRUE(engine_->FindSimilarArticles(query)->empty());
  query = SimilarQuery();
  EXPECT_EQ(engine_->FindSimilarArticles(query).status().code(), absl::StatusCode::kInvalidArgument);
  query.id = "nobody";
  EXPECT_EQ(engine_->FindSimilarArticles(query).status().code(), absl::StatusCode::kNotFound);
  query.id.clear();
  query.text = std::string(kMaxSimilarBytes + 1, 'x');
  EXPECT_THAT(std::string(engine_->FindSimilarArticles(query).status().message()), HasSubstr("text"));
}

TEST_F(RankingTest, SimilarArticlesAndTrendsEndWithTheirTimeAndTheirCaller) {
  for (int i = 0; i < 20; ++i) {
    Ingest(absl::StrCat("a", i), absl::StrCat("Canal ", i),
           absl::StrCat(Story("canal"), " ", Story(absl::StrCat("n", i))));
  }
  Settle(*engine_, Progress::kLabelled);
  SimilarQuery similar;
  similar.text = Story("canal");
  ASSERT_TRUE(engine_->FindSimilarArticles(similar).ok());
  similar.deadline = absl::Now() - absl::Seconds(1);
  EXPECT_EQ(engine_->FindSimilarArticles(similar).status().code(), absl::StatusCode::kDeadlineExceeded);
  // The first look is before the match; those behind it are at each hit, whose text is compared.
  similar.deadline = absl::InfiniteFuture();
  int looks = 0;
  similar.cancelled = [&] { return ++looks > 3; };
  EXPECT_EQ(engine_->FindSimilarArticles(similar).status().code(), absl::StatusCode::kCancelled);

  TrendQuery trends;
  trends.dimensions = {"source"};
  trends.bucket = TrendBucket::kDay;
  ASSERT_TRUE(engine_->AnalyzeTrends(trends).ok());
  trends.selection.deadline = absl::Now() - absl::Seconds(1);
  EXPECT_EQ(engine_->AnalyzeTrends(trends).status().code(), absl::StatusCode::kDeadlineExceeded);
  trends.selection.deadline = absl::InfiniteFuture();
  trends.selection.cancelled = [] { return true; };
  EXPECT_EQ(engine_->AnalyzeTrends(trends).status().code(), absl::StatusCode::kCancelled);
}

TEST_F(SearcherTest, TrendsAreThoseCountedByHand) {
  std::mt19937 random(5);
  const std::vector<std::string> fields = {"region_code", "issue_id", "source"};
  for (int round = 0; round < 30; ++round) {
    TrendQuery query;
    const std::string word = Vocabulary()[random() % Vocabulary().size()];
    query.selection.query = word;
    for (size_t i = random() % 3; i > 0; --i) {
      const std::string& field = fields[random() % fields.size()];
      if (query.dimensions.empty() || query.dimensions[0] != field) query.dimensions.push_back(field);
    }
    const bool by_month = random() % 2 == 0;
    if (by_month) query.bucket = TrendBucket::kMonth;
    query.page_size = static_cast<int>(1 + random() % 50);

    std::map<std::pair<std::string, std::vector<std::string>>, int64_t> expected;
    for (const Article& article : *articles_) {
      if (!HasWord(article, word) || (by_month && !article.publish_time)) continue;
      const std::string month =
          by_month ? absl::FormatTime("%Y-%m", *article.publish_time, absl::UTCTimeZone()) : std::string();
      std::vector<std::vector<std::string>> combinations = {{}};
      for (const std::string& field : query.dimensions) {
        std::vector<std::vector<std::string>> longer;
        for (const std::vector<std::string>& one : combinations) {
          for (const std::string& value : Values(article, field)) {
            longer.push_back(one);
            longer.back().push_back(value);
          }
        }
        combinations = longer;
      }
      for (const std::vector<std::string>& values : combinations) ++expected[{month, values}];
    }
    std::map<std::pair<std::string, std::vector<std::string>>, int64_t> counted;
    do {
      const absl::StatusOr<TrendResult> result = engine_->AnalyzeTrends(query);
      ASSERT_TRUE(result.ok()) << result.status();
      for (const TrendCell& cell : result->cells) {
        const std::string month =
            by_month ? absl::FormatTime("%Y-%m", cell.bucket_start, absl::UTCTimeZone()) : std::string();
        EXPECT_TRUE(counted.emplace(std::pair(month, cell.values), cell.count).second);
        EXPECT_TRUE(by_month || !cell.expected_count);
      }
      query.page_token = result->next_page_token;
    } while (!query.page_token.empty());
    EXPECT_EQ(counted, expected) << word;
  }
}

TEST_F(RankingTest, NearFindsWordsWithinTheirDistanceAndWithinOneFieldOnly) {
  Ingest("a", "Talks", "iran one two three four oil");  // 5 apart.
  Ingest("b", "Talks", "oil one iran");
  Ingest("c", "Pact of iran", "oil begins the text");  // In two fields.
  Ingest("d", "Oil pact of iran", "Nothing else");
  Ingest("e", "Talks", "oil and wheat");
  Ingest("f", "Talks", "oil one oil");
  const auto found = [&](absl::string_view text) {
    SearchQuery query;
    query.query = std::string(text);
    query.order_by = "publish_time";
    std::vector<std::string> ids = Ids(Search(query));
    std::sort(ids.begin(), ids.end());
    return absl::StrJoin(ids, "");
  };
  EXPECT_EQ(found("iran NEAR oil"), "abd");
  EXPECT_EQ(found("iran NEAR/50 oil"), "abd");
  EXPECT_EQ(found("iran NEAR/5 oil"), "abd");
  EXPECT_EQ(found("iran NEAR/4 oil"), "bd");
  EXPECT_EQ(found("oil NEAR/2 iran"), "b");
  EXPECT_EQ(found("iran NEAR/1 oil"), "");
  EXPECT_EQ(found("title:iran NEAR/5 title:oil"), "d");
  EXPECT_EQ(found("oil -iran NEAR/2 oil"), "acdef");
  EXPECT_EQ(found("iran NEAR/4 oil -title:pact"), "b");
  EXPECT_EQ(found("wheat OR iran NEAR/2 oil"), "be");
  // All within the distance, whatever their number; another place for each.
  EXPECT_EQ(found("one NEAR/3 two NEAR/3 four"), "a");
  EXPECT_EQ(found("iran NEAR/3 two NEAR/3 four"), "");
  EXPECT_EQ(found("one NEAR/1 two NEAR/1 three"), "a");
  EXPECT_EQ(found("oil NEAR oil"), "f");
  EXPECT_EQ(found("\"three four\" iran NEAR/5 oil"), "a");
}

TEST_F(RankingTest, AMistypedWordBesideNearIsCorrectedInASuggestionOnly) {
  for (const char* id : {"a", "b"}) Ingest(id, "Sanctions on petroleum", "Text");
  SearchQuery query;
  query.query = "petroleum NEAR sanctoins";
  const SearchResult result = Search(query);
  EXPECT_EQ(result.total, 0);
  EXPECT_EQ(result.interpretation.corrected_query, "petroleum NEAR sanctions");
  EXPECT_THAT(result.interpretation.notes, ::testing::IsEmpty());
}

// Slips that are told from rare words by the articles that have both, by the neighbours, or by nothing.
class SlipTest : public RankingTest {
 protected:
  // So many articles with this text.
  void IngestMany(int count, const std::string& text) {
    for (int i = 0; i < count; ++i) {
      ++made_;
      engine_->Ingest(MakeArticle(absl::StrCat("many", made_), absl::StrCat("Number", made_), text), {},
                      [](IngestResult result) { EXPECT_EQ(result.outcome, IngestOutcome::kCreated); });
    }
    Ingest(absl::StrCat("last", made_), "Last", "Of these");
  }
  std::string Offer(const std::string& text) {
    SearchQuery query;
    query.query = text;
    return Search(query).interpretation.corrected_query;
  }

 private:
  int made_ = 0;
};

TEST_F(SlipTest, ASlipThatSomeArticleHasIsOfferedAndSearchedAsItWasTyped) {
  IngestMany(40, "The government has a plan");
  IngestMany(130, "A harvest of wheat and rye");
  Ingest("slip", "Plan", "The goverment waits. The government has no plan");
  SearchQuery query;
  query.query = "goverment";
  const SearchResult result = Search(query);
  EXPECT_THAT(Ids(result), ElementsAre("slip"));
  EXPECT_EQ(result.interpretation.corrected_query, "government");
  EXPECT_THAT(result.interpretation.notes,
              ElementsAre(HasSubstr("few articles have \"goverment\", which may be a slip for \"government\"")));
  query.typo_mode = TypoMode::kOff;
  EXPECT_EQ(Search(query).interpretation.corrected_query, "");
}

TEST_F(SlipTest, ARareNameIsNoSlipForAFrequentWordThatItsArticlesDoNotHave) {
  IngestMany(40, "Mister Carter has a plan");
  IngestMany(130, "A harvest of wheat and rye");
  Ingest("name", "Plan", "Mister Carer has none");
  EXPECT_EQ(Offer("carer"), "");
  EXPECT_EQ(Offer("harvest"), "");
}

TEST_F(SlipTest, ALongWordWithALetterLeftOutIsASlipForAFarMoreFrequentOne) {
  IngestMany(60, "The environment of the harbour");
  Ingest("slip", "Plan", "Of the enviroment");
  Ingest("name", "Plan", "Of the environmenty");
  EXPECT_EQ(Offer("enviroment"), "environment");
  EXPECT_EQ(Offer("environmenty"), "");
}

TEST_F(SlipTest, NeighboursTellWhatAWordThatSomeArticleHasWasMeantToBe) {
  IngestMany(25, "The supreme court decides");
  IngestMany(30, "Corn is sold");
  Ingest("slip", "Plan", "The supreme cort waits");
  EXPECT_EQ(Offer("supreme cort"), "supreme court");
  EXPECT_EQ(Offer("the  supreme cort decides"), "the  supreme court decides");
  EXPECT_EQ(Offer("cort"), "");
  EXPECT_EQ(Offer("wheat cort"), "");
}

TEST_F(SlipTest, WhatWasReplacedCountsForNoWord) {
  IngestMany(25, "The supreme court decides");
  for (const char* title : {"Plan", "Plans", "More plans", "All plans"}) {
    Ingest("slip", title, "The supreme cort waits");
    Settle(*engine_, Progress::kLabelled);
  }
  EXPECT_EQ(Offer("supreme cort"), "supreme court");
  Ingest("slip", "No plan", "The supreme court waits");
  SearchQuery query;
  query.query = "supreme cort";
  EXPECT_EQ(Search(query).total, 26);
}

TEST_F(SlipTest, OfWordsAsNearTheOneThatGoesWithTheNeighboursIsMeant) {
  IngestMany(30, "They stop the ships");
  IngestMany(5, "The stock market falls");
  EXPECT_EQ(Offer("stok market"), "stock market");
  EXPECT_EQ(Offer("stok"), "stop");
  SearchQuery query;
  query.query = "stok market";
  EXPECT_EQ(Search(query).total, 5);
}

TEST_F(SlipTest, AWordThatNoArticleHasIsTwoThatStandSideBySide) {
  IngestMany(4, "The stock market falls");
  IngestMany(4, "An X-ray of Al-Qaeda");
  IngestMany(4, "Stocks of every market, a market for stock");
  SearchQuery query;
  query.query = "stockmarket";
  SearchResult result = Search(query);
  EXPECT_EQ(result.total, 4);
  EXPECT_EQ(result.interpretation.corrected_query, "stock market");
  EXPECT_THAT(result.interpretation.notes,
              ElementsAre(HasSubstr("no article has \"stockmarket\"; \"stock market\" was searched for as well")));
  query.typo_mode = TypoMode::kSuggestOnly;
  result = Search(query);
  EXPECT_EQ(result.total, 0);
  EXPECT_EQ(result.interpretation.corrected_query, "stock market");
  EXPECT_EQ(Offer("xray"), "x-ray");
  EXPECT_EQ(Offer("alqaeda falls"), "al-qaeda falls");
  EXPECT_EQ(Offer("marketfalls"), "market falls");
  EXPECT_EQ(Offer("everyray"), "");
}

TEST_F(SlipTest, TwoWordsThatArticlesWriteAsOneAreOfferedSo) {
  IngestMany(25, "Facebook and a whitehouse");
  IngestMany(3, "The white house; a face, a book");
  EXPECT_EQ(Offer("new face book rules"), "new facebook rules");
  EXPECT_EQ(Offer("white house"), "");
  EXPECT_EQ(Offer("face OR book"), "");
}

TEST_F(RankingTest, AgesGoByTheTimeOfTheFirstPageOnAllPages) {
  const absl::Time now = absl::FromUnixSeconds(absl::ToUnixSeconds(absl::Now()));
  for (int i = 0; i < 4; ++i) {
    Article article = MakeArticle(absl::StrCat("a", i), "Harvest", "Text");
    article.publish_time = now - absl::Hours(i);
    if (i == 3) article.publish_time = std::nullopt;
    IngestAndWait(*engine_, std::move(article));
  }
  SearchQuery query;
  query.query = "harvest newer_than:2h";
  query.time = now;
  EXPECT_THAT(Ids(Search(query)), ::testing::UnorderedElementsAre("a0", "a1", "a2"));
  query.time = now + absl::Seconds(1);
  EXPECT_THAT(Ids(Search(query)), ::testing::UnorderedElementsAre("a0", "a1"));
  query.query = "harvest older_than:2h";
  EXPECT_THAT(Ids(Search(query)), ElementsAre("a2"));
  EXPECT_TRUE(Search(query).relative);

  // A later page of a service that has started anew searches again: as of the first page, although time has passed.
  query.query = "newer_than:2h";
  query.time = now;
  query.page_size = 1;
  query.page_token = Search(query).next_page_token;
  engine_.reset();
  Engine::Options options;
  options.data_dir = dir_.path();
  engine_ = *Engine::Open(options, std::make_shared<FakeLabeler>());
  query.time = now + absl::Hours(2);
  std::vector<std::string> rest;
  do {
    const SearchResult page = Search(query);
    for (const std::string& id : Ids(page)) rest.push_back(id);
    query.page_token = page.next_page_token;
  } while (!query.page_token.empty());
  EXPECT_THAT(rest, ElementsAre("a1", "a2"));
}

TEST_F(RankingTest, PagesOfTrendsGoByTheTimeOfTheFirst) {
  const absl::Time now = absl::FromUnixSeconds(absl::ToUnixSeconds(absl::Now()));
  for (int i = 0; i < 3; ++i) {
    Article article = MakeArticle(absl::StrCat("a", i), "Harvest", "Text");
    article.source = absl::StrCat("Source ", i);
    article.publish_time = now - absl::Hours(i);
    IngestAndWait(*engine_, std::move(article));
  }
  Settle(*engine_, Progress::kLabelled);
  TrendQuery query;
  query.selection.query = "newer_than:2h";
  query.selection.time = now;
  query.dimensions = {"source"};
  query.page_size = 1;
  std::vector<std::string> sources;
  do {
    const absl::StatusOr<TrendResult> page = engine_->AnalyzeTrends(query);
    ASSERT_TRUE(page.ok()) << page.status();
    for (const TrendCell& cell : page->cells) sources.push_back(cell.values[0]);
    query.page_token = page->next_page_token;
    query.selection.time = now + absl::Hours(5);
  } while (!query.page_token.empty());
  EXPECT_THAT(sources, ElementsAre("Source 0", "Source 1", "Source 2"));
}

TEST_F(RankingTest, TrendsSayWhatIsExpectedOfACellAndInWhichZoneADayBegins) {
  // Eight, four and twelve articles in three months, and one of an hour before midnight.
  int number = 0;
  const auto ingest = [&](absl::CivilSecond time, int count) {
    for (int i = 0; i < count; ++i) {
      ++number;
      Article article = MakeArticle(absl::StrCat("t", number), "Canal", absl::StrCat("Text ", number));
      article.publish_time = absl::FromCivil(time, absl::UTCTimeZone());
      IngestAndWait(*engine_, std::move(article));
    }
  };
  ingest(absl::CivilSecond(2024, 1, 10, 12, 0, 0), 8);
  ingest(absl::CivilSecond(2024, 2, 10, 12, 0, 0), 4);
  ingest(absl::CivilSecond(2024, 3, 10, 12, 0, 0), 12);
  ingest(absl::CivilSecond(2024, 3, 31, 23, 30, 0), 1);
  Settle(*engine_);
  TrendQuery query;
  query.bucket = TrendBucket::kMonth;
  absl::StatusOr<TrendResult> result = engine_->AnalyzeTrends(query);
  ASSERT_TRUE(result.ok()) << result.status();
  ASSERT_EQ(result->cells.size(), 3U);
  EXPECT_FALSE(result->cells[0].expected_count.has_value());
  EXPECT_EQ(result->cells[1].expected_count, 8.0);
  EXPECT_EQ(result->cells[2].expected_count, 6.0);
  EXPECT_EQ(result->cells[2].count, 13);
  query.time_zone = "Europe/London";  // Summer time begins on that day.
  result = engine_->AnalyzeTrends(query);
  ASSERT_EQ(result->cells.size(), 4U);
  EXPECT_EQ(result->cells[3].count, 1);
  absl::TimeZone london;
  ASSERT_TRUE(absl::LoadTimeZone("Europe/London", &london));
  EXPECT_EQ(result->cells[3].bucket_start, absl::FromCivil(absl::CivilSecond(2024, 4, 1), london));
  query.page_size = 1;
  query.page_token = engine_->AnalyzeTrends(query)->next_page_token;
  ingest(absl::CivilSecond(2024, 5, 1, 12, 0, 0), 1);
  Settle(*engine_);
  EXPECT_EQ(engine_->AnalyzeTrends(query).status().code(), absl::StatusCode::kFailedPrecondition);
  query.page_token = "nonsense";
  EXPECT_EQ(engine_->AnalyzeTrends(query).status().code(), absl::StatusCode::kInvalidArgument);
  query = TrendQuery();
  query.time_zone = "Mars/Olympus";
  EXPECT_THAT(std::string(engine_->AnalyzeTrends(query).status().message()), HasSubstr("time_zone"));
  query = TrendQuery();
  query.dimensions = {"author"};
  EXPECT_THAT(std::string(engine_->AnalyzeTrends(query).status().message()), HasSubstr("dimensions[0]"));
}

}  // namespace
}  // namespace dateline::search
