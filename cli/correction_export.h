// What editors decided, as examples that `classifier_train` learns from.
#ifndef DATELINE_CLI_CORRECTION_EXPORT_H_
#define DATELINE_CLI_CORRECTION_EXPORT_H_

#include <string>

#include "dateline/search/v1/search_service.pb.h"

namespace dateline::cli {

// One line for `classifier_train issues --add`, with its line end: `issues`, all that apply, where an editor replaced
// the dimension; else `applied` and `rejected`. Empty if an editor has said nothing of issues. `article` is as
// GetArticle returns it with view FULL and label_sources EDITOR.
std::string IssueExample(const search::v1::GetArticleResponse& article);

// One line for `classifier_train countries --articles`: `countries`, with `countries_complete: false` (which the
// trainer leaves out) unless an editor replaced the dimension. With `counting`, the same article with the labels that
// count, these are taken for all the countries of an article of which an editor said anything. Empty if none did.
std::string CountryExample(const search::v1::GetArticleResponse& article,
                           const search::v1::GetArticleResponse* counting);

}  // namespace dateline::cli

#endif  // DATELINE_CLI_CORRECTION_EXPORT_H_
