// Trains and measures the issue model: vocabulary, one LIBLINEAR logistic regression for each issue, calibration and
// thresholds from folds, a report inside the model.
#ifndef DATELINE_CLASSIFIER_SERVICE_ISSUE_TRAINER_H_
#define DATELINE_CLASSIFIER_SERVICE_ISSUE_TRAINER_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

#include "classifier_service/issue_model.h"
#include "classifier_service/issue_tagger.h"
#include "classifier_service/issue_trainer_corpus.h"
#include "classifier_service/taxonomy.h"

namespace dateline::classifier {

struct TrainOptions {
  size_t max_terms = 60'000;   // Size of the vocabulary; a model takes some 40 bytes a term on disk.
  int min_articles = 4;        // Terms in fewer articles are left out, unless a seed phrase has them.
  double cost = 1.0;           // LIBLINEAR's C: larger fits closer.
  int folds = 4;               // For calibration and thresholds: scores of articles by models that have not seen them.
  int seed_phrase_weight = 2;  // Each seed phrase counts as so many short articles; 0: not at all.
  int threads = 2;             // The result does not depend on it.
  int seed = 1;                // Decides which article is in which fold.
  absl::Time train_time;       // Written into the model.
  std::string notes;           // Written into the model: the command, for people.
};

// How tags agree with labels. Issues that no article of the set has are left out: nothing can be said of them.
struct Evaluation {
  struct Issue {
    std::string issue_id;
    int positives = 0;  // Articles that have it.
    Quality quality;
  };
  Quality quality;                 // All issues, micro-averaged; `macro_f1` is set.
  double top1 = 0.0;               // Share of articles whose best issue is one of theirs.
  double top3 = 0.0;               // Share of articles one of whose three best issues is one of theirs.
  double calibration_error = 0.0;  // Expected calibration error over predictions of at least 0.05, ten bins.
  std::vector<Issue> issues;
};

// What training found out besides the model itself.
struct TrainResult {
  IssueModel model;
  // Over the gold articles in training, each judged by models and thresholds that were made without it.
  Evaluation gold_folds;
};

// Trains a model for `taxonomy`. The same corpus, taxonomy and options give the same model, to the byte.
// InvalidArgument if an issue has neither an example nor a seed phrase, or options are out of range.
absl::StatusOr<TrainResult> TrainIssueModel(const Corpus& corpus, const Taxonomy& taxonomy, const TrainOptions& options,
                                            absl::FunctionRef<void(absl::string_view)> progress);

// What to make of a label that a source could not have given.
enum class UnknownLabels {
  kSkip,   // The pair of article and issue counts neither way: fair to the model.
  kAreNo,  // The article does not have the issue: harsh, and what figures published elsewhere mostly do.
};

// Runs a model over labelled articles.
Evaluation EvaluateIssues(const IssueTagger& tagger, const Taxonomy& taxonomy,
                          const std::vector<LabelledArticle>& articles, UnknownLabels unknown = UnknownLabels::kSkip);

// A line for the set and, if asked for, one for each issue.
std::string FormatEvaluation(absl::string_view name, const Evaluation& evaluation, bool issues);

}  // namespace dateline::classifier

#endif  // DATELINE_CLASSIFIER_SERVICE_ISSUE_TRAINER_H_
