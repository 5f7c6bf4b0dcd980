// Answers a match from the databases of the index: our query tree as Xapian's, facets, the clock.
#ifndef DATELINE_SEARCH_SERVICE_INDEX_MATCH_H_
#define DATELINE_SEARCH_SERVICE_INDEX_MATCH_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

#include "search_service/index_set.h"
#include "search_service/search_index.h"

namespace dateline::search {

// All of these read through `reader`, which the caller leases for the call.

// Fills in what comes from the documents; what the set itself knows is the caller's. DeadlineExceeded, Cancelled.
absl::StatusOr<MatchResult> MatchDocuments(IndexReader& reader, const MatchRequest& request);
// As SearchIndex::StemFrequencies.
absl::StatusOr<std::vector<int64_t>> StemFrequencies(IndexReader& reader, const std::vector<std::string>& stems);
// As SearchIndex::HasEmbargoes.
absl::StatusOr<bool> HasEmbargoes(IndexReader& reader, absl::Time now);

}  // namespace dateline::search

#endif  // DATELINE_SEARCH_SERVICE_INDEX_MATCH_H_
