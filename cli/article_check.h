// What the search service would say of an article, known without asking it.
#ifndef DATELINE_CLI_ARTICLE_CHECK_H_
#define DATELINE_CLI_ARTICLE_CHECK_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

#include "dateline/article/v1/article.pb.h"

namespace dateline::cli {

// Judges what a source can say of an article, by the service's own rules: the characters of ids, addresses, the length
// and number of everything. The warnings that an answer would have, or the error that it would be. What depends on what
// the service holds (its taxonomy, what is purged, newer versions) is not among it.
absl::StatusOr<std::vector<std::string>> CheckArticle(const article::v1::Article& article, absl::Time now);

}  // namespace dateline::cli

#endif  // DATELINE_CLI_ARTICLE_CHECK_H_
