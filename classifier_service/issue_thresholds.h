// The probability from which on an issue is a tag, chosen for a model that is there already: for what a site wants of
// its tags, from articles that it has labelled.
#ifndef DATELINE_CLASSIFIER_SERVICE_ISSUE_THRESHOLDS_H_
#define DATELINE_CLASSIFIER_SERVICE_ISSUE_THRESHOLDS_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "classifier_service/issue_model.h"
#include "classifier_service/issue_tagger.h"
#include "classifier_service/issue_trainer_corpus.h"
#include "classifier_service/taxonomy.h"

namespace dateline::classifier {

// What a threshold is chosen for.
struct ThresholdGoal {
  // The lowest threshold from which on so many of the tags are right; 0: the threshold with the best F1, where that is
  // clearly better on articles that it wasn't chosen on.
  double min_precision = 0.0;
};

// With fewer labelled articles of an issue, or fewer tags, a threshold would be fitted to chance.
inline constexpr int kFewestForThreshold = 10;

struct IssueThreshold {
  std::string issue_id;
  int positives = 0;  // Articles that have it.
  double before = 0.0;
  double after = 0.0;  // As before, if there is a `reason`.
  Quality quality_before;
  // Of each half of the articles at the threshold that the other half would get.
  Quality quality_after;
  std::string reason;  // Why it stays as it is; empty: it was chosen.
};

struct ThresholdChoice {
  int articles = 0;                    // That the model had not learned from.
  std::vector<IssueThreshold> issues;  // In the model's order.
};

// One for each issue of the model, from those of `articles`, labelled for `taxonomy`, that it had not learned from.
// `tagger` is the model with that taxonomy. InvalidArgument if `goal` is
// out of range, FailedPrecondition if the model had learned from all articles.
absl::StatusOr<ThresholdChoice> ChooseThresholds(const IssueModel& model, const IssueTagger& tagger,
                                                 const Taxonomy& taxonomy, const std::vector<LabelledArticle>& articles,
                                                 const ThresholdGoal& goal);

// Sets the threshold of an issue of the model, 0 to 1, and takes back figures that were of another. InvalidArgument
// with the remedy if there is no such issue or it is no such number.
absl::Status SetThreshold(IssueModel& model, const std::string& issue_id, double threshold);

// A line for each issue.
std::string FormatThresholds(const ThresholdChoice& choice);

}  // namespace dateline::classifier

#endif  // DATELINE_CLASSIFIER_SERVICE_ISSUE_THRESHOLDS_H_
