// Names of countries, groups and issues among the words of a query.
#ifndef DATELINE_SEARCH_SERVICE_RECOGNIZED_NAMES_H_
#define DATELINE_SEARCH_SERVICE_RECOGNIZED_NAMES_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

#include "search_service/query_parser.h"
#include "search_service/search_query.h"
#include "search_service/taxonomy.h"

namespace dateline::search {

// Names and aliases to the letter (but for case, diacritics and punctuation), the longest first, each word in one name;
// never what is merely spelled nearly so. Left out: what stands for several things, words as common as "us" unless they
// are written in capitals, and whatever has its id in `ignored`. In the order of the query.
std::vector<RecognizedName> RecognizeNames(absl::string_view query, const std::vector<WordPlace>& places,
                                           const Taxonomy& taxonomy, const std::vector<std::string>& ignored);

}  // namespace dateline::search

#endif  // DATELINE_SEARCH_SERVICE_RECOGNIZED_NAMES_H_
