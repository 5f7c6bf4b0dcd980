// Whether an article, as the store has it, passes a filter: for reads that enumerate the store and ask no index.
#ifndef DATELINE_SEARCH_SERVICE_FILTER_MATCH_H_
#define DATELINE_SEARCH_SERVICE_FILTER_MATCH_H_

#include "search_service/article.h"
#include "search_service/query_node.h"

namespace dateline::search {

// `condition` is what ParseFilter gives. Needs no body. The answer is the one that a search with this filter gives of
// the same article: labels are those that count.
bool PassesFilter(const QueryNode& condition, const Article& article);

}  // namespace dateline::search

#endif  // DATELINE_SEARCH_SERVICE_FILTER_MATCH_H_
