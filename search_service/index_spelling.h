// What words of a query that no article has, or few, may have been meant to be: other words of the index, two words, or
// one with the next.
#ifndef DATELINE_SEARCH_SERVICE_INDEX_SPELLING_H_
#define DATELINE_SEARCH_SERVICE_INDEX_SPELLING_H_

#include <cstddef>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

#include "search_service/index_set.h"
#include "search_service/search_index.h"

namespace dateline::search {

// All of these read through `reader`, which the caller leases for the call.

// As SearchIndex::Correct.
absl::StatusOr<Corrections> CorrectWord(IndexReader& reader, const SearchedWord& searched, const Neighbours& neighbours,
                                        size_t max_words, absl::Time deadline);
// As SearchIndex::IsOneWord.
absl::StatusOr<bool> IsOneWord(IndexReader& reader, const std::string& first, const std::string& second,
                               absl::Time deadline);

}  // namespace dateline::search

#endif  // DATELINE_SEARCH_SERVICE_INDEX_SPELLING_H_
