// Trains and measures the issue model: vocabulary, one LIBLINEAR model for each issue, calibration and thresholds from
// folds, a report inside the model.
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
#include "common/calibration.h"

namespace dateline::classifier {

// How issues are learned, and what is made of the margins (issue_calibration.h).
enum class Learner {
  // Logistic regression in which rare issues weigh more; each issue calibrated by itself. The default model is made so:
  // from many sources whose labels differ, for texts of others.
  kLogistic,
  // Support vector machines (squared hinge loss) that weigh all articles alike; issues of about the same frequency
  // share
  // what is known of their margins. Better for a collection's own topics, rare ones above all (docs/quality.md).
  kSvm,
};

// The language that models are trained for.
inline constexpr char kTrainingLanguage[] = "en";

struct TrainOptions {
  Learner learner = Learner::kLogistic;
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
  Quality quality;    // All issues, micro-averaged; `macro_f1` is set.
  double top1 = 0.0;  // Share of articles whose best issue is one of theirs.
  double top3 = 0.0;  // Share of articles one of whose three best issues is one of theirs.
  // Over predictions of at least 0.05, ten bins, without what chance adds (common/calibration.h), with a 95 % interval.
  double calibration_error = 0.0;
  common::Interval calibration_interval;
  std::vector<Issue> issues;
  // Tags of issues that no article of the set has, given to articles known not to have them: no figure above counts
  // them, and where editors only rejected, there is nothing else to count.
  int stray_tags = 0;
  // Labels and scores that are farthest apart: the ten worst.
  struct Disagreement {
    std::string article_id;
    std::string title;
    std::string issue_id;
    bool labelled = false;
    double score = 0.0;
  };
  std::vector<Disagreement> worst;
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

struct AdaptOptions {
  // How far an article may pull: LIBLINEAR's C, but towards the weights as they are rather than towards zero.
  double cost = 1.0;
  int folds = 4;  // For the figures.
  int threads = 2;
  absl::Time train_time;  // Written into the model.
  std::string notes;      // Added to the model's.
};

struct AdaptResult {
  IssueModel model;
  // On the articles that the model given had not seen: by it, and by models that learned from the others of them only.
  Evaluation before;
  Evaluation after;
  std::vector<std::string> new_issues;  // Those that the model didn't know, and knows of now.
  // Issues most of whose labels say the opposite of what the model given was sure of. Figures by folds can't tell: what
  // is wrong in the same way everywhere is learned from the others, and confirmed by them.
  struct Contradiction {
    std::string issue_id;
    bool applied = false;               // What the labels say of the issue; otherwise that it does not apply.
    int labels = 0;                     // So many say so; of rejections, those of editors.
    int contradicting = 0;              // Of them, where the model gave the opposite at least 98 %.
    std::vector<std::string> examples;  // The ten that it was surest of: "a-1 (0.002)".
  };
  std::vector<Contradiction> contradictions;
};

// Teaches a model from a site's own articles, without those that it was made from: each issue's weights and bias move
// as little from where they are as the articles allow. Vocabulary, calibration and thresholds stay.
//
// An issue of `taxonomy` that the model doesn't know is added with its first example or rejection, if it has seed
// phrases: what is learned comes on top of what they say, which counts for less with each example. It stays an issue by
// seed phrases (Provenance::kSeed) until it has kEnoughExamples, given at once or over time; an article counts once. An
// issue without seed phrases is added if kEnoughExamples of the articles have it.
//
// Takes seconds for hundreds of articles. The same input gives the same model, to the byte. InvalidArgument if there
// are fewer articles than folds, or options are out of range.
absl::StatusOr<AdaptResult> AdaptIssueModel(const IssueModel& model, const Taxonomy& taxonomy,
                                            const std::vector<LabelledArticle>& articles, const AdaptOptions& options,
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
