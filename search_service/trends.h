// Counts of what a query selects, by country, issue, source and time, and what would be expected of each count.
#ifndef DATELINE_SEARCH_SERVICE_TRENDS_H_
#define DATELINE_SEARCH_SERVICE_TRENDS_H_

#include "absl/status/statusor.h"

#include "search_service/search_index.h"
#include "search_service/search_query.h"
#include "search_service/taxonomy.h"
#include "search_service/text_analysis.h"

namespace dateline::search {

// Articles count if they have all the words of the query; each once for every one of its values. With buckets, articles
// without a date don't count. What is expected of a cell is the mean of the same values' counts in the eight buckets
// before, as far back as anything was counted. InvalidArgument names the field. A page token is good for the state of
// the index that it is of: FailedPrecondition (kReasonPageTokenExpired) afterwards.
absl::StatusOr<TrendResult> AnalyzeTrends(const SearchIndex& index, const Taxonomy& taxonomy, TextAnalyzer& analyzer,
                                          const TrendQuery& query);

}  // namespace dateline::search

#endif  // DATELINE_SEARCH_SERVICE_TRENDS_H_
