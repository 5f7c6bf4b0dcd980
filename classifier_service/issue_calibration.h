// From margins to decisions: for each issue the sigmoid that makes a probability of a margin, and the threshold from
// which on its tag is given. Learned from the margins of labelled articles by models that had not seen them. Private
// to the trainer. Pure functions; the same input gives the same numbers.
#ifndef DATELINE_CLASSIFIER_SERVICE_ISSUE_CALIBRATION_H_
#define DATELINE_CLASSIFIER_SERVICE_ISSUE_CALIBRATION_H_

#include <vector>

namespace dateline::classifier {

// One article and one issue, whose label is known.
struct Scored {
  double margin = 0.0;
  bool positive = false;
  double weight = 1.0;  // Counts as so many articles.
  int fold = 0;         // The margin is by a model without the articles of this fold.
  bool gold = false;    // Labelled for this very taxonomy.
  bool judged = true;   // False: that model had no example of the issue, and its margin says nothing.
};

// probability = 1 / (1 + exp(-(slope * margin + intercept)))
struct Sigmoid {
  double slope = 1.0;
  double intercept = 0.0;
  double operator()(double margin) const;
};

struct Decision {
  Sigmoid sigmoid;
  double threshold = 0.5;  // On the probability.
};

// J. Platt's scaling (Probabilistic Outputs for Support Vector Machines, 1999), with his softened targets, by Newton's
// method. Articles of the fold `left_out` don't count; -1: all do.
Sigmoid Calibrate(const std::vector<Scored>& scored, int left_out);

// The threshold with the best F1, drawn towards `prior` where there are few examples to go by; 0.12 to 0.7.
double ChooseThreshold(const std::vector<Scored>& scored, const Sigmoid& sigmoid, int left_out, double prior);

// One decision for each issue (`issues[k]` are its articles): its own sigmoid, its own threshold drawn towards the mean
// of all.
std::vector<Decision> DecideApart(const std::vector<std::vector<Scored>>& issues, int left_out);

// The same for issues of one collection, many of which may be rare, and for margins of support vector machines. Beside
// its own articles each issue counts some that are made up: the average of the issues about as frequent as it, which
// is what can be expected of it where it has next to no examples of its own.
//   - The sigmoid is fitted to both.
//   - Frequent issues are given from probability 0.4 on: about half of the F1 within reach, which is where F1 is best
//     (Z. Lipton et al., Optimal Thresholding of Classifiers to Maximize F1 Measure, 2014). For rare ones, whose F1 is
//     lower, it is the threshold that is best on both, at least 0.05; between them a mean that depends on the number
//     of examples.
// The constants are the best of few that were tried on the training split of Reuters-21578, by folds within folds
// (docs/quality.md); none is sharp.
std::vector<Decision> DecideTogether(const std::vector<std::vector<Scored>>& issues, int left_out);

}  // namespace dateline::classifier

#endif  // DATELINE_CLASSIFIER_SERVICE_ISSUE_CALIBRATION_H_
