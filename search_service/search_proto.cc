#include "search_service/search_proto.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

#include "common/error.h"
#include "common/language_tag.h"
#include "common/status_macros.h"
#include "common/version.h"

namespace dateline::search {
namespace {

namespace apb = article::v1;

using common::InvalidField;

// The wire counts dimensions from 1.
static_assert(static_cast<int>(Dimension::kCountry) + 1 == v1::LABEL_DIMENSION_REGION);
static_assert(static_cast<int>(Dimension::kGroup) + 1 == v1::LABEL_DIMENSION_GROUP);
static_assert(static_cast<int>(Dimension::kIssue) + 1 == v1::LABEL_DIMENSION_ISSUE);
// The kinds of the core have the numbers of the wire, so that a cast is the translation.
static_assert(static_cast<int>(ChangeKind::kCreated) == v1::CHANGE_KIND_CREATED);
static_assert(static_cast<int>(ChangeKind::kUpdated) == v1::CHANGE_KIND_UPDATED);
static_assert(static_cast<int>(ChangeKind::kRelabelled) == v1::CHANGE_KIND_RELABELLED);
static_assert(static_cast<int>(ChangeKind::kCorrected) == v1::CHANGE_KIND_CORRECTED);
static_assert(static_cast<int>(ChangeKind::kDeleted) == v1::CHANGE_KIND_DELETED);

// Counts are 32-bit on the wire.
int32_t Count(int64_t value) {
  return static_cast<int32_t>(std::clamp<int64_t>(value, 0, std::numeric_limits<int32_t>::max()));
}

std::vector<std::string> Strings(const google::protobuf::RepeatedPtrField<std::string>& strings) {
  return {strings.begin(), strings.end()};
}

void RangesToProto(const std::vector<TextRange>& ranges, google::protobuf::RepeatedPtrField<v1::TextRange>& protos) {
  for (const TextRange& range : ranges) {
    v1::TextRange& proto = *protos.Add();
    proto.set_start(range.start);
    proto.set_end(range.end);
  }
}

absl::StatusOr<SnippetOptions> SnippetFromProto(const v1::SearchRequest& request) {
  SnippetOptions options;
  options.title = options.body = request.has_snippet() && request.snippet().fields().empty();
  if (!request.has_snippet()) return options;
  const v1::SnippetSpec& spec = request.snippet();
  options.max_bytes = spec.max_bytes() == 0 ? 240 : spec.max_bytes();
  options.max_count = spec.max_snippets() == 0 ? 1 : spec.max_snippets();
  for (int i = 0; i < spec.fields_size(); ++i) {
    const std::string& field = spec.fields(i);
    if (field != "title" && field != "body") {
      return InvalidField(absl::StrCat("snippet.fields[", i, "]"), "is neither \"title\" nor \"body\"");
    }
    (field == "title" ? options.title : options.body) = true;
  }
  return options;
}

// A number that this version knows no value for would be taken as the default, and the answer be another one.
absl::Status CheckEnums(const v1::SearchRequest& request) {
  constexpr absl::string_view kUnknown = "is no known value";
  if (!v1::MatchMode_IsValid(request.match_mode())) return InvalidField("match_mode", kUnknown);
  if (!v1::TypoMode_IsValid(request.typo_mode())) return InvalidField("typo_mode", kUnknown);
  if (!v1::InterpretationMode_IsValid(request.interpretation_mode())) {
    return InvalidField("interpretation_mode", kUnknown);
  }
  if (!v1::TimeoutPolicy_IsValid(request.on_timeout())) return InvalidField("on_timeout", kUnknown);
  for (int i = 0; i < request.selections_size(); ++i) {
    if (v1::SelectionMatch_IsValid(request.selections(i).match())) continue;
    return InvalidField(absl::StrCat("selections[", i, "].match"), kUnknown);
  }
  for (int i = 0; i < request.facets_size(); ++i) {
    if (v1::FacetOrder_IsValid(request.facets(i).order())) continue;
    return InvalidField(absl::StrCat("facets[", i, "].order"), kUnknown);
  }
  return absl::OkStatus();
}

TypoMode TypoModeFromProto(v1::TypoMode mode) {
  switch (mode) {
    case v1::TYPO_MODE_SUGGEST_ONLY:
      return TypoMode::kSuggestOnly;
    case v1::TYPO_MODE_OFF:
      return TypoMode::kOff;
    default:
      return TypoMode::kAuto;
  }
}

NameMode NameModeFromProto(v1::InterpretationMode mode) {
  switch (mode) {
    case v1::INTERPRETATION_MODE_OFF:
      return NameMode::kOff;
    case v1::INTERPRETATION_MODE_FILTER:
      return NameMode::kFilter;
    default:
      return NameMode::kBoost;
  }
}

v1::InterpretationMode NameModeToProto(NameMode mode) {
  switch (mode) {
    case NameMode::kOff:
      return v1::INTERPRETATION_MODE_OFF;
    case NameMode::kBoost:
      return v1::INTERPRETATION_MODE_BOOST;
    case NameMode::kFilter:
      return v1::INTERPRETATION_MODE_FILTER;
  }
  return v1::INTERPRETATION_MODE_UNSPECIFIED;
}

absl::StatusOr<CollapseKind> CollapseFromProto(const v1::SearchRequest& request) {
  if (!request.has_collapse()) return CollapseKind::kNone;
  switch (request.collapse().kind()) {
    case v1::COLLAPSE_KIND_NEAR_DUPLICATE:
      return CollapseKind::kNearDuplicate;
    case v1::COLLAPSE_KIND_SOURCE:
      return CollapseKind::kSource;
    case v1::COLLAPSE_KIND_AUTHOR:
      return CollapseKind::kAuthor;
    default:
      return InvalidField("collapse.kind", "is missing or no known value");
  }
}

absl::StatusOr<RankingOptions> RankingFromProto(const v1::RankingSpec& spec) {
  RankingOptions ranking;
  if (spec.has_freshness_half_life()) {
    ranking.freshness_half_life =
        absl::Seconds(spec.freshness_half_life().seconds()) + absl::Nanoseconds(spec.freshness_half_life().nanos());
    if (ranking.freshness_half_life < absl::Seconds(1)) {
      return InvalidField("ranking.freshness_half_life", "must be a second or more");
    }
  } else if (spec.has_freshness_weight()) {
    return InvalidField("ranking.freshness_weight", "needs freshness_half_life");
  }
  if (spec.has_freshness_weight()) ranking.freshness_weight = spec.freshness_weight();
  if (spec.has_label_weight()) ranking.label_weight = spec.label_weight();
  return ranking;
}

absl::StatusOr<TrendBucket> BucketFromProto(v1::TrendBucket bucket) {
  switch (bucket) {
    case v1::TREND_BUCKET_UNSPECIFIED:
      return TrendBucket::kNone;
    case v1::TREND_BUCKET_DAY:
      return TrendBucket::kDay;
    case v1::TREND_BUCKET_WEEK:
      return TrendBucket::kWeek;
    case v1::TREND_BUCKET_MONTH:
      return TrendBucket::kMonth;
    case v1::TREND_BUCKET_YEAR:
      return TrendBucket::kYear;
    default:
      return InvalidField("bucket", "is no known value");
  }
}

// Labels that count, of a request that has these two fields.
template <typename Request>
absl::Status LabelOptionsFromProto(const Request& request, LabelOptions& labels) {
  if (request.has_min_label_score()) {
    if (!(request.min_label_score() >= 0.0 && request.min_label_score() <= 1.0)) {
      return InvalidField("min_label_score", "must be between 0 and 1");
    }
    labels.min_score = request.min_label_score();
  }
  ASSIGN_OR_RETURN(labels.sources, LabelSourcesFromProto(request.label_sources()));
  return absl::OkStatus();
}

template <typename Request>
void SelectionsFromProto(const Request& request, SearchQuery& query) {
  query.query = request.query();
  query.filter = request.filter();
  query.region_codes = Strings(request.region_codes());
  query.group_ids = Strings(request.group_ids());
  query.issue_ids = Strings(request.issue_ids());
  query.expand_groups = request.expand_groups();
  for (const v1::Selection& selection : request.selections()) {
    query.selections.push_back({.field = selection.field(),
                                .values = Strings(selection.values()),
                                .match_all = selection.match() == v1::SELECTION_MATCH_ALL});
  }
}

v1::SuggestionKind KindToProto(SuggestionKind kind) {
  switch (kind) {
    case SuggestionKind::kArticle:
      return v1::SUGGESTION_KIND_ARTICLE;
    case SuggestionKind::kCountry:
      return v1::SUGGESTION_KIND_REGION;
    case SuggestionKind::kGroup:
      return v1::SUGGESTION_KIND_GROUP;
    case SuggestionKind::kIssue:
      return v1::SUGGESTION_KIND_ISSUE;
    case SuggestionKind::kAuthor:
      return v1::SUGGESTION_KIND_AUTHOR;
    case SuggestionKind::kSource:
      return v1::SUGGESTION_KIND_SOURCE;
    case SuggestionKind::kPhrase:
      return v1::SUGGESTION_KIND_PHRASE;
  }
  return v1::SUGGESTION_KIND_UNSPECIFIED;
}

absl::StatusOr<SuggestionKind> KindFromProto(absl::string_view field, int kind) {
  switch (kind) {
    case v1::SUGGESTION_KIND_ARTICLE:
      return SuggestionKind::kArticle;
    case v1::SUGGESTION_KIND_REGION:
      return SuggestionKind::kCountry;
    case v1::SUGGESTION_KIND_GROUP:
      return SuggestionKind::kGroup;
    case v1::SUGGESTION_KIND_ISSUE:
      return SuggestionKind::kIssue;
    case v1::SUGGESTION_KIND_AUTHOR:
      return SuggestionKind::kAuthor;
    case v1::SUGGESTION_KIND_SOURCE:
      return SuggestionKind::kSource;
    case v1::SUGGESTION_KIND_PHRASE:
      return SuggestionKind::kPhrase;
    default:
      return InvalidField(field, "is no known kind of suggestion");
  }
}

absl::StatusOr<std::vector<Label>> TargetsFromProto(absl::string_view list,
                                                    const google::protobuf::RepeatedPtrField<apb::Label>& protos) {
  std::vector<Label> labels;
  for (int i = 0; i < protos.size(); ++i) {
    ASSIGN_OR_RETURN(Label label, TargetFromProto(absl::StrCat(list, "[", i, "]"), protos[i]));
    label.primary = protos[i].primary();
    labels.push_back(std::move(label));
  }
  return labels;
}

absl::StatusOr<std::vector<Dimension>> DimensionsFromProto(absl::string_view field,
                                                           const google::protobuf::RepeatedField<int>& protos) {
  std::vector<Dimension> dimensions;
  for (int i = 0; i < protos.size(); ++i) {
    if (protos[i] == v1::LABEL_DIMENSION_UNSPECIFIED || !v1::LabelDimension_IsValid(protos[i])) {
      return InvalidField(absl::StrCat(field, "[", i, "]"), "is no known dimension");
    }
    dimensions.push_back(static_cast<Dimension>(protos[i] - 1));
  }
  return dimensions;
}

View ViewOf(apb::ArticleView view) {
  switch (view) {
    case apb::ARTICLE_VIEW_BASIC:
      return View::kBasic;
    case apb::ARTICLE_VIEW_FULL:
      return View::kFull;
    default:
      return View::kSnippet;
  }
}

MatchMode MatchModeFromProto(v1::MatchMode mode) {
  switch (mode) {
    case v1::MATCH_MODE_PREFIX_LAST_WORD:
      return MatchMode::kPrefixLastWord;
    case v1::MATCH_MODE_LITERAL:
      return MatchMode::kLiteral;
    default:
      return MatchMode::kFullQuery;
  }
}

apb::ArticleView ViewToProto(View view) {
  switch (view) {
    case View::kBasic:
      return apb::ARTICLE_VIEW_BASIC;
    case View::kSnippet:
      return apb::ARTICLE_VIEW_SNIPPET;
    case View::kFull:
      return apb::ARTICLE_VIEW_FULL;
  }
  return apb::ARTICLE_VIEW_SNIPPET;
}

}  // namespace

absl::StatusOr<apb::ArticleView> ViewFromProto(apb::ArticleView view, apb::ArticleView fallback) {
  if (!apb::ArticleView_IsValid(view)) return InvalidField("view", "is no known view");
  return view == apb::ARTICLE_VIEW_UNSPECIFIED ? fallback : view;
}

absl::StatusOr<SearchQuery> FromProto(const v1::SearchRequest& request) {
  RETURN_IF_ERROR(CheckEnums(request));
  SearchQuery query;
  SelectionsFromProto(request, query);
  query.order_by = request.order_by();
  query.page_size = request.page_size();
  query.page_token = request.page_token();
  query.skip = request.skip();
  for (const v1::FacetSpec& facet : request.facets()) {
    query.facets.push_back({.field = facet.field(),
                            .prefix = facet.prefix(),
                            .order_by_id = facet.order() == v1::FACET_ORDER_ID,
                            .exact = facet.exact(),
                            .limit = facet.limit()});
  }
  ASSIGN_OR_RETURN(query.snippet, SnippetFromProto(request));
  query.match_mode = MatchModeFromProto(request.match_mode());
  query.typo_mode = TypoModeFromProto(request.typo_mode());
  query.name_mode = NameModeFromProto(request.interpretation_mode());
  query.ignored_names = Strings(request.ignored_interpretations());
  ASSIGN_OR_RETURN(query.collapse, CollapseFromProto(request));
  query.max_alternates = request.collapse().max_alternates();
  ASSIGN_OR_RETURN(query.ranking, RankingFromProto(request.ranking()));
  query.explain = request.explain();
  ASSIGN_OR_RETURN(const apb::ArticleView view, ViewFromProto(request.view(), apb::ARTICLE_VIEW_SNIPPET));
  query.view = ViewOf(view);
  RETURN_IF_ERROR(common::CheckLanguageTag("language_code", request.language_code()));
  query.language_code = request.language_code();
  RETURN_IF_ERROR(common::CheckLanguageTag("display_language", request.display_language()));
  query.display_language = request.display_language();
  RETURN_IF_ERROR(LabelOptionsFromProto(request, query.labels));
  query.min_commit_token = request.min_commit_token();
  query.partial_on_timeout = request.on_timeout() == v1::TIMEOUT_POLICY_RETURN_PARTIAL;
  return query;
}

void ToProto(const SearchResult& result, const SearchQuery& query, const Taxonomy& taxonomy,
             v1::SearchResponse& response) {
  const ArticleFormat format = {
      .view = ViewToProto(query.view), .display_language = query.display_language, .labels = query.labels};
  for (const Hit& hit : result.hits) {
    v1::SearchHit& proto = *response.add_hits();
    ToProto(hit.article, format, taxonomy, *proto.mutable_article());
    proto.set_score(std::round(hit.score * 1e4) / 1e4);
    for (const Snippet& snippet : hit.snippets) {
      v1::Snippet& out = *proto.add_snippets();
      out.set_field(snippet.field);
      out.set_text(snippet.text);
      RangesToProto(snippet.ranges, *out.mutable_ranges());
    }
    proto.set_collapsed_count(Count(hit.collapsed_count));
    for (const Article& alternate : hit.alternates) {
      ToProto(alternate,
              {.view = apb::ARTICLE_VIEW_BASIC, .display_language = query.display_language, .labels = query.labels},
              taxonomy, *proto.add_alternates());
    }
    proto.set_explanation(hit.explanation);
  }
  response.set_next_page_token(result.next_page_token);
  response.mutable_total()->set_value(Count(result.total));
  response.mutable_total()->set_relation(result.total_exact ? v1::TOTAL_RELATION_EXACT
                                                            : v1::TOTAL_RELATION_LOWER_BOUND);
  for (const Facet& facet : result.facets) {
    v1::FacetResult& proto = *response.add_facets();
    proto.set_field(facet.field);
    for (const FacetValue& value : facet.values) {
      v1::FacetValue& out = *proto.add_values();
      out.set_id(value.id);
      out.set_display_name(value.display_name);
      out.set_count(Count(value.count));
      out.set_selected(value.selected);
    }
    proto.set_other_count(Count(facet.other_count));
    proto.set_exact(facet.exact);
  }
  v1::QueryInterpretation& interpretation = *response.mutable_interpretation();
  interpretation.set_parsed_query(result.interpretation.normalized_query);
  interpretation.set_corrected_query(result.interpretation.corrected_query);
  interpretation.set_relaxed(result.interpretation.relaxed);
  for (const RecognizedName& name : result.interpretation.names) {
    v1::RecognizedName& proto = *interpretation.add_recognized();
    switch (name.dimension) {
      case Dimension::kCountry:
        proto.set_region_code(name.label_id);
        break;
      case Dimension::kGroup:
        proto.set_group_id(name.label_id);
        break;
      case Dimension::kIssue:
        proto.set_issue_id(name.label_id);
        break;
    }
    proto.set_id(name.id);
    proto.set_text(name.text);
    proto.mutable_range()->set_start(name.range.start);
    proto.mutable_range()->set_end(name.range.end);
    const std::string display = taxonomy.DisplayName(name.dimension, name.label_id, query.display_language);
    proto.set_reason(absl::StrCat("\"", name.text, "\" stands for ", display));
    const bool only_boosts = query.name_mode == NameMode::kFilter && name.alternative;
    proto.set_action(NameModeToProto(only_boosts ? NameMode::kBoost : query.name_mode));
    proto.set_display_name(display);
  }
  for (const std::string& part : result.interpretation.ignored_parts) interpretation.add_ignored_parts(part);
  for (const std::string& stem : result.interpretation.expansion) interpretation.add_expansion_stems(stem);
  for (const std::string& note : result.interpretation.notes) interpretation.add_notes(note);
  response.set_commit_token(result.commit_token);
  *response.mutable_index_time() = TimestampToProto(result.index_time);
  if (result.degraded) {
    v1::Degradation& degradation = *response.add_degraded();
    degradation.set_reason("TIMEOUT");
    degradation.set_message("the deadline came before the search was finished; these are the hits found by then");
  }
  if (result.incomplete) {
    v1::Degradation& degradation = *response.add_degraded();
    degradation.set_reason("INDEX_INCOMPLETE");
    degradation.set_message("the index is being built anew, and does not have all articles yet; search again later");
  }
  response.mutable_timing()->set_match_ms(absl::ToDoubleMilliseconds(result.match_time));
  response.mutable_timing()->set_facets_ms(absl::ToDoubleMilliseconds(result.facets_time));
  response.mutable_timing()->set_fetch_ms(absl::ToDoubleMilliseconds(result.fetch_time));
}

absl::StatusOr<TrendQuery> FromProto(const v1::AnalyzeTrendsRequest& request) {
  TrendQuery query;
  SelectionsFromProto(request, query.selection);
  RETURN_IF_ERROR(LabelOptionsFromProto(request, query.selection.labels));
  query.selection.min_commit_token = request.min_commit_token();
  query.dimensions = Strings(request.dimensions());
  ASSIGN_OR_RETURN(query.bucket, BucketFromProto(request.bucket()));
  query.time_zone = request.time_zone();
  query.page_size = request.page_size();
  query.page_token = request.page_token();
  return query;
}

void ToProto(const TrendResult& result, v1::AnalyzeTrendsResponse& response) {
  for (const TrendCell& cell : result.cells) {
    v1::TrendCell& proto = *response.add_cells();
    for (const std::string& value : cell.values) proto.add_values(value);
    if (cell.bucket_start != absl::InfinitePast())
      *proto.mutable_bucket_start_time() = TimestampToProto(cell.bucket_start);
    proto.set_count(Count(cell.count));
    if (cell.expected_count) proto.set_expected_count(std::round(*cell.expected_count * 1e4) / 1e4);
  }
  response.set_next_page_token(result.next_page_token);
}

absl::StatusOr<SimilarQuery> FromProto(const v1::FindSimilarArticlesRequest& request) {
  SimilarQuery query;
  if (request.like_case() == v1::FindSimilarArticlesRequest::LIKE_NOT_SET) {
    return InvalidField("like", "is missing; give an article's id or a text");
  }
  if (request.has_id() && request.id().empty()) return InvalidField("id", "is empty");
  if (request.has_text() && request.text().empty()) return InvalidField("text", "is empty");
  query.id = request.id();
  query.text = request.text();
  query.filter = request.filter();
  query.page_size = request.page_size();
  ASSIGN_OR_RETURN(const apb::ArticleView view, ViewFromProto(request.view(), apb::ARTICLE_VIEW_BASIC));
  query.view = ViewOf(view);
  RETURN_IF_ERROR(common::CheckLanguageTag("display_language", request.display_language()));
  return query;
}

void ToProto(const std::vector<Hit>& hits, const v1::FindSimilarArticlesRequest& request, View view,
             const Taxonomy& taxonomy, v1::FindSimilarArticlesResponse& response) {
  for (const Hit& hit : hits) {
    v1::SearchHit& proto = *response.add_hits();
    ToProto(hit.article, {.view = ViewToProto(view), .display_language = request.display_language(), .labels = {}},
            taxonomy, *proto.mutable_article());
    proto.set_score(std::round(hit.score * 1e4) / 1e4);
  }
}

absl::StatusOr<LabelCorrection> FromProto(const v1::UpdateArticleLabelsRequest& request) {
  LabelCorrection correction;
  correction.etag = request.etag();
  for (int i = 0; i < request.add_size(); ++i) {
    if (request.add(i).state() == apb::Label::STATE_REJECTED) {
      return InvalidField(absl::StrCat("add[", i, "].state"),
                          "is rejected; what the article does not have is in remove");
    }
  }
  ASSIGN_OR_RETURN(correction.add, TargetsFromProto("add", request.add()));
  ASSIGN_OR_RETURN(correction.remove, TargetsFromProto("remove", request.remove()));
  ASSIGN_OR_RETURN(correction.clear, TargetsFromProto("clear", request.clear()));
  ASSIGN_OR_RETURN(correction.replace, DimensionsFromProto("replace_dimensions", request.replace_dimensions()));
  ASSIGN_OR_RETURN(correction.restore, DimensionsFromProto("restore_dimensions", request.restore_dimensions()));
  return correction;
}

void ToProto(uint32_t replaced_dimensions, google::protobuf::RepeatedField<int>& protos) {
  for (int dimension = 0; dimension < kDimensionCount; ++dimension) {
    if ((replaced_dimensions & (1U << dimension)) != 0) protos.Add(dimension + 1);
  }
}

void ToProto(const ArticleList& list, v1::ListArticlesResponse& response) {
  for (const Article& article : list.articles) {
    apb::Article& proto = *response.add_articles();
    proto.set_id(article.id);
    proto.set_url(article.url);
    proto.set_etag(article.etag);
    proto.set_content_hash(article.content_hash);
    if (article.update_time) *proto.mutable_update_time() = TimestampToProto(*article.update_time);
  }
  response.set_next_page_token(list.next_page_token);
}

absl::StatusOr<ChangeQuery> FromProto(const v1::ListChangesRequest& request, const Engine& engine) {
  ChangeQuery query;
  ASSIGN_OR_RETURN(query.since, engine.PlaceOf("since_token", request.since_token()));
  query.filter = request.filter();
  query.page_size = request.page_size();
  ASSIGN_OR_RETURN(const apb::ArticleView view, ViewFromProto(request.view(), apb::ARTICLE_VIEW_BASIC));
  query.view = ViewOf(view);
  return query;
}

void ToProto(const ArticleChange& change, View view, const Taxonomy& taxonomy, v1::Change& proto) {
  proto.set_kind(static_cast<v1::ChangeKind>(change.kind));
  if (change.change_time) *proto.mutable_change_time() = TimestampToProto(*change.change_time);
  apb::Article& article = *proto.mutable_article();
  if (change.kind == ChangeKind::kDeleted) {
    article.set_id(change.article.id);
    article.set_url(change.article.url);
    return;
  }
  ToProto(change.article, {.view = ViewToProto(view), .display_language = "", .labels = {}}, taxonomy, article);
}

absl::StatusOr<SuggestQuery> FromProto(const v1::SuggestRequest& request) {
  constexpr size_t kMaxSuggestBytes = 256;
  constexpr int kDefaultSuggestions = 8;
  constexpr int kMaxSuggestions = 50;
  SuggestQuery query;
  if (request.query().size() > kMaxSuggestBytes) {
    return InvalidField("query", absl::StrCat("is longer than ", kMaxSuggestBytes, " bytes"));
  }
  query.prefix = request.query();
  if (request.page_size() < 0) return InvalidField("page_size", "must not be negative");
  query.limit = request.page_size() == 0 ? kDefaultSuggestions : std::min(request.page_size(), kMaxSuggestions);
  for (int i = 0; i < request.kinds_size(); ++i) {
    ASSIGN_OR_RETURN(const SuggestionKind one, KindFromProto(absl::StrCat("kinds[", i, "]"), request.kinds(i)));
    query.kinds.push_back(one);
  }
  RETURN_IF_ERROR(common::CheckLanguageTag("display_language", request.display_language()));
  query.display_language = request.display_language();
  return query;
}

void ToProto(const std::vector<Suggestion>& suggestions, v1::SuggestResponse& response) {
  for (const Suggestion& suggestion : suggestions) {
    v1::Suggestion& proto = *response.add_suggestions();
    proto.set_text(suggestion.text);
    proto.set_kind(KindToProto(suggestion.kind));
    proto.set_id(suggestion.id);
    // A phrase was counted in titles; a search for it finds it in texts too.
    if (suggestion.kind != SuggestionKind::kPhrase) proto.set_count(Count(suggestion.article_count));
    RangesToProto(suggestion.ranges, *proto.mutable_ranges());
  }
}

void ToProto(const JobInfo& job, v1::Job& out) {
  out.set_id(job.id);
  out.set_method(job.method);
  switch (job.state) {
    case JobState::kQueued:
      out.set_state(v1::JOB_STATE_QUEUED);
      break;
    case JobState::kRunning:
      out.set_state(v1::JOB_STATE_RUNNING);
      break;
    case JobState::kSucceeded:
      out.set_state(v1::JOB_STATE_SUCCEEDED);
      break;
    case JobState::kFailed:
      out.set_state(v1::JOB_STATE_FAILED);
      break;
    case JobState::kCancelled:
      out.set_state(v1::JOB_STATE_CANCELLED);
      break;
  }
  // To what a reader can tell apart, as all shares in answers.
  out.set_progress(std::round(job.progress * 1e4) / 1e4);
  out.set_message(job.message);
  out.set_error(job.error);
  *out.mutable_start_time() = TimestampToProto(job.start_time);
  if (job.end_time != absl::InfiniteFuture()) *out.mutable_end_time() = TimestampToProto(job.end_time);
  if (!job.relabel_report) return;
  v1::RelabelReport& report = *out.mutable_relabel_report();
  report.set_article_count(Count(job.relabel_report->article_count));
  report.set_changed_article_count(Count(job.relabel_report->changed_count));
  report.set_failed_article_count(Count(job.relabel_report->failed_count));
  for (const RelabelReport::TagChange& change : job.relabel_report->changes) {
    v1::TagChange& proto = *report.add_tag_changes();
    switch (change.dimension) {
      case Dimension::kCountry:
        proto.set_region_code(change.id);
        break;
      case Dimension::kGroup:
        proto.set_group_id(change.id);
        break;
      case Dimension::kIssue:
        proto.set_issue_id(change.id);
        break;
    }
    proto.set_gained_count(Count(change.gained_count));
    proto.set_lost_count(Count(change.lost_count));
    for (const std::string& id : change.gained_ids) proto.add_gained_ids(id);
    for (const std::string& id : change.lost_ids) proto.add_lost_ids(id);
  }
}

void ToProto(const IndexInfo& info, const Engine& engine, v1::GetIndexInfoResponse& response) {
  response.set_article_count(Count(info.article_count));
  response.set_visible_article_count(Count(info.indexed_count));
  response.set_pending_article_count(Count(info.pending_count));
  response.set_failed_article_count(Count(info.failed_count));
  response.set_deleted_article_count(Count(info.deleted_count));
  for (const UnmappedLabel& label : info.unmapped_labels) {
    v1::UnmappedLabel& proto = *response.add_unmapped_labels();
    proto.set_kind(label.kind);
    proto.set_name(label.name);
    proto.set_count(Count(label.article_count));
  }
  response.set_durable_commit_token(engine.TokenOf(info.durable_seq));
  response.set_commit_token(engine.TokenOf(info.visible_seq));
  *response.mutable_index_time() = TimestampToProto(info.index_time);
  response.set_store_bytes(info.store_bytes);
  response.set_index_bytes(info.index_bytes);
  response.set_index_format_version(info.index_version);
  response.set_purged_count(Count(info.purged_count));
  response.set_duplicate_article_count(Count(info.duplicate_count));
  response.set_taxonomy_version(info.taxonomy_version);
  response.set_model_version(info.model_version);
  response.set_classifier_available(info.labeler_healthy);
  response.set_server_version(common::kVersion);
}

absl::StatusOr<Progress> ProgressFromProto(absl::string_view field, v1::CommitStage stage, Progress fallback) {
  switch (stage) {
    case v1::COMMIT_STAGE_UNSPECIFIED:
      return fallback;
    case v1::COMMIT_STAGE_DURABLE:
      return Progress::kDurable;
    case v1::COMMIT_STAGE_VISIBLE:
      return Progress::kVisible;
    case v1::COMMIT_STAGE_LABELLED:
      return Progress::kLabelled;
    default:
      return InvalidField(field, "is no known commit stage");
  }
}

v1::CommitStage ToProto(Progress progress) {
  switch (progress) {
    case Progress::kNone:
      return v1::COMMIT_STAGE_UNSPECIFIED;
    case Progress::kDurable:
      return v1::COMMIT_STAGE_DURABLE;
    case Progress::kVisible:
      return v1::COMMIT_STAGE_VISIBLE;
    case Progress::kLabelled:
      return v1::COMMIT_STAGE_LABELLED;
  }
  return v1::COMMIT_STAGE_UNSPECIFIED;
}

v1::IngestOutcome ToProto(IngestOutcome outcome) {
  switch (outcome) {
    case IngestOutcome::kCreated:
      return v1::INGEST_OUTCOME_CREATED;
    case IngestOutcome::kUpdated:
      return v1::INGEST_OUTCOME_UPDATED;
    case IngestOutcome::kUnchanged:
      return v1::INGEST_OUTCOME_UNCHANGED;
    case IngestOutcome::kStale:
      return v1::INGEST_OUTCOME_STALE;
    case IngestOutcome::kRejected:
      return v1::INGEST_OUTCOME_REJECTED;
    case IngestOutcome::kRetryLater:
      return v1::INGEST_OUTCOME_RETRY_LATER;
  }
  return v1::INGEST_OUTCOME_UNSPECIFIED;
}

}  // namespace dateline::search
