// Scores issues that no model was trained for, from the seed phrases and the definition that an editor wrote.
//
// One logistic function for all issues, over how many of the phrases stand in the text, how often, how many of them in
// the title and lead, and how much of the definition the lead has. Its numbers were fitted on the issues and seed
// phrases of the default taxonomy, as if no issue of it had been trained (issue_seeds.cc says on what).
#ifndef DATELINE_CLASSIFIER_SERVICE_ISSUE_SEEDS_H_
#define DATELINE_CLASSIFIER_SERVICE_ISSUE_SEEDS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "classifier_service/classification.h"
#include "classifier_service/taxonomy.h"
#include "classifier_service/text_features.h"

namespace dateline::classifier {

// Immutable; safe to use from any number of threads.
class SeedScorer {
 public:
  // The score from which on an issue is given: the one with the best F1 on the articles it was fitted on.
  static const double kThreshold;

  // The log-odds of an issue none of whose phrases stands in the article, as they were there.
  static const double kWithoutPhrase;

  // What the logistic function sees; public for the program that fits it.
  static constexpr size_t kFeatures = 5;  // The last is the constant.
  using Features = std::array<double, kFeatures>;

  struct Result {
    Features features = {};
    double raw = 0.0;    // Before calibration: any number.
    double score = 0.0;  // 0 to 1, rounded to 1e-4.
    double lift = 0.0;   // `raw` less kWithoutPhrase: what the phrases add to the log-odds. 0 if there is none.
    std::vector<Evidence> evidence;
  };

  // Scores `issues`, in this order; copies what it needs. `known` gives the rarity of words; those that it lacks count
  // as rare.
  SeedScorer(const std::vector<const Issue*>& issues, const Vocabulary& known);

  // One result for each issue. `with_evidence`: fill Result::evidence.
  std::vector<Result> Score(const ScannedArticle& scanned, bool with_evidence) const;

 private:
  struct Use {
    size_t issue = 0;
    bool seed = false;    // Otherwise of the definition.
    double weight = 0.0;  // By rarity; around 1.
  };

  size_t issue_count_ = 0;
  Vocabulary vocabulary_;
  std::vector<std::vector<Use>> uses_;      // For each term of the vocabulary.
  std::vector<double> definition_weights_;  // For each issue, the sum over its definition's words.
};

}  // namespace dateline::classifier

#endif  // DATELINE_CLASSIFIER_SERVICE_ISSUE_SEEDS_H_
