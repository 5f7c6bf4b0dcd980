// Which articles a request selects beside its words: as conditions of the index.
#ifndef DATELINE_SEARCH_SERVICE_SELECTION_H_
#define DATELINE_SEARCH_SERVICE_SELECTION_H_

#include <cstddef>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "search_service/query_parser.h"
#include "search_service/search_index.h"
#include "search_service/search_query.h"

namespace dateline::search {

// InvalidArgument naming `field` if a list of the request is too long.
absl::Status CheckCount(absl::string_view field, size_t count);

// The lists of regions, groups and issues, the selections and the filter of a request. InvalidArgument naming the
// field, Unavailable as of ValueCondition.
absl::StatusOr<std::vector<IndexFilter>> FiltersOf(const SearchQuery& query, const LabelNames& names);

}  // namespace dateline::search

#endif  // DATELINE_SEARCH_SERVICE_SELECTION_H_
