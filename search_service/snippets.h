// The passages of an article that show why it was found: plain text and the places of the words in it.
#ifndef DATELINE_SEARCH_SERVICE_SNIPPETS_H_
#define DATELINE_SEARCH_SERVICE_SNIPPETS_H_

#include <vector>

#include "absl/strings/string_view.h"

#include "search_service/query_parser.h"
#include "search_service/search_query.h"
#include "search_service/text_analysis.h"

namespace dateline::search {

// What `options` ask for: the title as a whole, where a word is in it, and the passages of the body with the most
// different words, in the order of the body; its beginning where none has any. Passages are cut between words; line
// ends in them are spaces. Words of `phrases` alone count where the article has them side by side; anywhere, if it
// nowhere has.
std::vector<Snippet> MakeSnippets(const Article& article, const std::vector<SearchedWord>& words,
                                  const std::vector<SearchedPhrase>& phrases, const SnippetOptions& options,
                                  TextAnalyzer& analyzer);

}  // namespace dateline::search

#endif  // DATELINE_SEARCH_SERVICE_SNIPPETS_H_
