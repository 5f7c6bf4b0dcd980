// The terms by which conditions find an article: the same in the index and beside it.
#ifndef DATELINE_SEARCH_SERVICE_ARTICLE_TERMS_H_
#define DATELINE_SEARCH_SERVICE_ARTICLE_TERMS_H_

#include <string>
#include <vector>

#include "search_service/article.h"
#include "search_service/query_node.h"
#include "search_service/text_analysis.h"

namespace dateline::search {

// The field by which labels of a dimension are asked for.
FieldRef FieldOf(Dimension dimension);

// TermFor of what the caller gave and tagging doesn't change: id, URLs, source, type, authors, attributes, year and
// month. Some may come twice.
std::vector<std::string> CallersTerms(const Article& article);

// The term of articles whose whole title is these words; empty for none.
std::string TitleTerm(const std::vector<Token>& title);

}  // namespace dateline::search

#endif  // DATELINE_SEARCH_SERVICE_ARTICLE_TERMS_H_
