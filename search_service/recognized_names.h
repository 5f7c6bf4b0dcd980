// Names of countries, groups and issues among the words of a query.
#ifndef DATELINE_SEARCH_SERVICE_RECOGNIZED_NAMES_H_
#define DATELINE_SEARCH_SERVICE_RECOGNIZED_NAMES_H_

#include <string>
#include <vector>

#include "search_service/query_parser.h"
#include "search_service/search_query.h"
#include "search_service/taxonomy.h"

namespace dateline::search {

// Names and aliases to the letter (but for case, diacritics and punctuation), the longest first, each word in one name;
// never what is merely spelled nearly so. They are English, of the query's language or the one of display names, or
// written with letters that English doesn't have. Left out: what stands for several things; words as common as "us"
// unless they are written in capitals, and other words of two letters unless the query is English; names within those
// of something else ("New Mexico"); and whatever has its id in `ignored_names`. In the order of the query.
std::vector<RecognizedName> RecognizeNames(const SearchQuery& query, const std::vector<WordPlace>& places,
                                           const Taxonomy& taxonomy);

}  // namespace dateline::search

#endif  // DATELINE_SEARCH_SERVICE_RECOGNIZED_NAMES_H_
