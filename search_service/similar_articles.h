// Finds articles like a given one.
#ifndef DATELINE_SEARCH_SERVICE_SIMILAR_ARTICLES_H_
#define DATELINE_SEARCH_SERVICE_SIMILAR_ARTICLES_H_

#include <vector>

#include "absl/status/statusor.h"

#include "search_service/article_store.h"
#include "search_service/search_index.h"
#include "search_service/search_query.h"
#include "search_service/taxonomy.h"
#include "search_service/text_analysis.h"

namespace dateline::search {

// By the words that tell the text from others (the highest tf-idf) and, of a stored article, by the labels it shares;
// most similar first. Never the article itself, nor a near-duplicate of it (near_duplicates.h). NotFound as of
// Engine::Get; InvalidArgument names the field.
absl::StatusOr<std::vector<Hit>> FindSimilarArticles(const ArticleStore& store, const SearchIndex& index,
                                                     const Taxonomy& taxonomy, TextAnalyzer& analyzer,
                                                     const SimilarQuery& query);

}  // namespace dateline::search

#endif  // DATELINE_SEARCH_SERVICE_SIMILAR_ARTICLES_H_
