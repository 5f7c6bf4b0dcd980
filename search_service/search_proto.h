// The only translator between the search core's queries and answers and dateline.search.v1.
#ifndef DATELINE_SEARCH_SERVICE_SEARCH_PROTO_H_
#define DATELINE_SEARCH_SERVICE_SEARCH_PROTO_H_

#include "absl/status/statusor.h"

#include "dateline/search/v1/ingest_service.pb.h"
#include "dateline/search/v1/search_admin_service.pb.h"
#include "dateline/search/v1/search_service.pb.h"
#include "search_service/article_proto.h"
#include "search_service/engine.h"
#include "search_service/search_query.h"

namespace dateline::search {

// InvalidArgument names the field.
absl::StatusOr<SearchQuery> FromProto(const v1::SearchRequest& request);
void ToProto(const SearchResult& result, const SearchQuery& query, const Taxonomy& taxonomy,
             v1::SearchResponse& response);

absl::StatusOr<TrendQuery> FromProto(const v1::AnalyzeTrendsRequest& request);
void ToProto(const TrendResult& result, v1::AnalyzeTrendsResponse& response);

absl::StatusOr<SimilarQuery> FromProto(const v1::FindSimilarArticlesRequest& request);
// `view` is that of the query.
void ToProto(const std::vector<Hit>& hits, const v1::FindSimilarArticlesRequest& request, View view,
             const Taxonomy& taxonomy, v1::FindSimilarArticlesResponse& response);

absl::StatusOr<SuggestQuery> FromProto(const v1::SuggestRequest& request);
void ToProto(const std::vector<Suggestion>& suggestions, v1::SuggestResponse& response);

absl::StatusOr<LabelCorrection> FromProto(const v1::UpdateArticleLabelsRequest& request);
// Dimensions that are an editor's alone, of Article::replaced_dimensions.
void ToProto(uint32_t replaced_dimensions, google::protobuf::RepeatedField<int>& protos);

// Of each article what a list holds: id, url, etag, content_hash, update_time.
void ToProto(const ArticleList& list, v1::ListArticlesResponse& response);

absl::StatusOr<ChangeQuery> FromProto(const v1::ListChangesRequest& request, const Engine& engine);
// `view` is that of the query.
void ToProto(const ArticleChange& change, View view, const Taxonomy& taxonomy, v1::Change& proto);

void ToProto(const JobInfo& job, v1::Job& out);
void ToProto(const IndexInfo& info, const Engine& engine, v1::GetIndexInfoResponse& response);

// The stage of a request, `fallback` where none is named; InvalidArgument for an unknown one.
absl::StatusOr<Progress> ProgressFromProto(absl::string_view field, v1::CommitStage stage, Progress fallback);
v1::CommitStage ToProto(Progress progress);
v1::IngestOutcome ToProto(IngestOutcome outcome);

// `view` of a request, `fallback` where none is named; InvalidArgument for an unknown one.
absl::StatusOr<article::v1::ArticleView> ViewFromProto(article::v1::ArticleView view,
                                                       article::v1::ArticleView fallback);

}  // namespace dateline::search

#endif  // DATELINE_SEARCH_SERVICE_SEARCH_PROTO_H_
