// When classifier_train publishes a model, and what it says: the same for models of issues and of countries.
#ifndef DATELINE_CLASSIFIER_SERVICE_PUBLISH_CHECK_H_
#define DATELINE_CLASSIFIER_SERVICE_PUBLISH_CHECK_H_

#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace dateline::classifier {

// Whether the new model may take the place of the one at `path`, by the micro-F1 of both on the same `article_count`
// articles, which `what` describes. Prints the figures; FailedPrecondition, with them and the remedy, if the new one
// does worse.
absl::Status CheckNotWorse(absl::string_view path, double published_f1, double fresh_f1, int article_count,
                           absl::string_view what);

// Why a model is not published where no article tells it from the one at `path`. FailedPrecondition.
absl::Status NothingToCompareOn(absl::string_view path);

// A file at `path` that is no model of the kind, or can't be used: not to be written over. `error` with the remedy.
absl::Status NotReplaceable(const absl::Status& error);

// Says that the model is in place and how what was there is brought back.
void SayPublished(const std::string& path, absl::string_view version,
                  absl::FunctionRef<void(absl::string_view)> progress);

}  // namespace dateline::classifier

#endif  // DATELINE_CLASSIFIER_SERVICE_PUBLISH_CHECK_H_
