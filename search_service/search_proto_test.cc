#include "search_service/search_proto.h"

#include <cmath>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/error.h"
#include "tests/support/status_matchers.h"

namespace dateline::search {
namespace {

using ::dateline::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

TEST(SearchProtoTest, ReadsARequest) {
  v1::SearchRequest request;
  request.set_query("iran oil");
  request.add_region_codes("IR");
  request.add_issue_ids("energy");
  v1::Selection& selection = *request.add_selections();
  selection.set_field("source");
  selection.add_values("Example");
  request.set_page_size(20);
  request.add_facets()->set_field("issue_id");
  request.mutable_snippet()->set_max_snippets(2);
  request.set_match_mode(v1::MATCH_MODE_PREFIX_LAST_WORD);
  request.set_min_label_score(0.5);
  request.set_on_timeout(v1::TIMEOUT_POLICY_RETURN_PARTIAL);
  ASSERT_OK_AND_ASSIGN(const SearchQuery query, FromProto(request));
  EXPECT_EQ(query.query, "iran oil");
  EXPECT_THAT(query.region_codes, ElementsAre("IR"));
  EXPECT_THAT(query.issue_ids, ElementsAre("energy"));
  ASSERT_THAT(query.selections, SizeIs(1));
  EXPECT_THAT(query.selections[0].values, ElementsAre("Example"));
  EXPECT_EQ(query.page_size, 20);
  EXPECT_EQ(query.snippet.max_count, 2);
  EXPECT_EQ(query.snippet.max_bytes, 240);
  EXPECT_EQ(query.match_mode, MatchMode::kPrefixLastWord);
  EXPECT_EQ(query.view, View::kSnippet);
  EXPECT_EQ(query.labels.min_score, 0.5);
  EXPECT_TRUE(query.partial_on_timeout);
}

TEST(SearchProtoTest, WithoutASnippetSpecThereAreNone) {
  ASSERT_OK_AND_ASSIGN(const SearchQuery query, FromProto(v1::SearchRequest()));
  EXPECT_FALSE(query.snippet.title);
  EXPECT_FALSE(query.snippet.body);
}

TEST(SearchProtoTest, SnippetsAreOfTheFieldsNamedAndOfBothWhereNoneIs) {
  v1::SearchRequest request;
  request.mutable_snippet();
  ASSERT_OK_AND_ASSIGN(SearchQuery query, FromProto(request));
  EXPECT_TRUE(query.snippet.title);
  EXPECT_TRUE(query.snippet.body);
  request.mutable_snippet()->add_fields("title");
  ASSERT_OK_AND_ASSIGN(query, FromProto(request));
  EXPECT_TRUE(query.snippet.title);
  EXPECT_FALSE(query.snippet.body);
}

TEST(SearchProtoTest, TypoModeOffLooksForNoCorrections) {
  v1::SearchRequest request;
  ASSERT_OK_AND_ASSIGN(SearchQuery query, FromProto(request));
  EXPECT_EQ(query.typo_mode, TypoMode::kAuto);
  request.set_typo_mode(v1::TYPO_MODE_OFF);
  ASSERT_OK_AND_ASSIGN(query, FromProto(request));
  EXPECT_EQ(query.typo_mode, TypoMode::kOff);
}

TEST(SearchProtoTest, AnswersRoundScoresAndSayWhereTheTimeWent) {
  SearchResult result;
  result.hits.emplace_back().score = 1.23456789;
  result.facets_time = absl::Milliseconds(3);
  v1::SearchResponse response;
  ToProto(result, SearchQuery(), Taxonomy(), response);
  EXPECT_EQ(response.hits(0).score(), 1.2346);
  EXPECT_EQ(response.timing().facets_ms(), 3.0);
}

TEST(SearchProtoTest, RefusesNonsenseByName) {
  const std::vector<std::pair<std::string, std::function<void(v1::SearchRequest&)>>> cases = {
      {"min_label_score", [](v1::SearchRequest& r) { r.set_min_label_score(1.5); }},
      {"min_label_score", [](v1::SearchRequest& r) { r.set_min_label_score(std::nan("")); }},
      {"snippet.fields[1]",
       [](v1::SearchRequest& r) {
         r.mutable_snippet()->add_fields("title");
         r.mutable_snippet()->add_fields("authors");
       }},
      {"label_sources[0]", [](v1::SearchRequest& r) { r.add_label_sources(article::v1::LABEL_SOURCE_UNSPECIFIED); }},
      {"match_mode", [](v1::SearchRequest& r) { r.set_match_mode(static_cast<v1::MatchMode>(77)); }},
      {"typo_mode", [](v1::SearchRequest& r) { r.set_typo_mode(static_cast<v1::TypoMode>(77)); }},
      {"interpretation_mode",
       [](v1::SearchRequest& r) { r.set_interpretation_mode(static_cast<v1::InterpretationMode>(77)); }},
      {"on_timeout", [](v1::SearchRequest& r) { r.set_on_timeout(static_cast<v1::TimeoutPolicy>(77)); }},
      {"selections[0].match",
       [](v1::SearchRequest& r) { r.add_selections()->set_match(static_cast<v1::SelectionMatch>(77)); }},
      {"facets[0].order", [](v1::SearchRequest& r) { r.add_facets()->set_order(static_cast<v1::FacetOrder>(77)); }},
      {"view", [](v1::SearchRequest& r) { r.set_view(static_cast<article::v1::ArticleView>(77)); }},
  };
  for (const auto& [field, set] : cases) {
    v1::SearchRequest request;
    set(request);
    EXPECT_THAT(FromProto(request), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(field)));
  }
}

TEST(SearchProtoTest, SuggestStatesItsLimits) {
  v1::SuggestRequest request;
  request.set_page_size(-1);
  EXPECT_THAT(FromProto(request), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("page_size")));
  request.set_page_size(1'000);
  request.set_query("te");
  ASSERT_OK_AND_ASSIGN(const SuggestQuery query, FromProto(request));
  EXPECT_EQ(query.limit, 50);
  request.set_query(std::string(300, 'a'));
  EXPECT_THAT(FromProto(request), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("query")));
  request.set_query("te");
  request.add_kinds(v1::SUGGESTION_KIND_PHRASE);
  EXPECT_THAT(FromProto(request)->kinds, ElementsAre(SuggestionKind::kPhrase));
  request.clear_kinds();
  request.add_kinds(v1::SUGGESTION_KIND_REGION);
  request.add_kinds(v1::SUGGESTION_KIND_UNSPECIFIED);
  EXPECT_THAT(FromProto(request), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("kinds[1]")));
}

TEST(SearchProtoTest, APhraseHasNoCount) {
  Suggestion phrase;
  phrase.kind = SuggestionKind::kPhrase;
  phrase.text = "trade war";
  phrase.article_count = 3;
  v1::SuggestResponse response;
  ToProto({phrase}, response);
  ASSERT_EQ(response.suggestions_size(), 1);
  EXPECT_EQ(response.suggestions(0).kind(), v1::SUGGESTION_KIND_PHRASE);
  EXPECT_FALSE(response.suggestions(0).has_count());
}

TEST(SearchProtoTest, StagesAndOutcomesKeepTheirMeaning) {
  for (const Progress progress : {Progress::kDurable, Progress::kVisible, Progress::kLabelled}) {
    EXPECT_THAT(ProgressFromProto("stage", ToProto(progress), Progress::kNone),
                ::dateline::testing::IsOkAndHolds(progress));
  }
  EXPECT_THAT(ProgressFromProto("stage", static_cast<v1::CommitStage>(9), Progress::kNone),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("stage")));
  EXPECT_EQ(ToProto(IngestOutcome::kStale), v1::INGEST_OUTCOME_STALE);
  EXPECT_EQ(ToProto(IngestOutcome::kRetryLater), v1::INGEST_OUTCOME_RETRY_LATER);
}

}  // namespace
}  // namespace dateline::search
