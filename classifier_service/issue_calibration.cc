#include "classifier_service/issue_calibration.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <utility>

namespace dateline::classifier {
namespace {

// Thresholds outside of these would tag nearly everything or nearly nothing wherever the folds mislead.
constexpr double kLowestThreshold = 0.12;
constexpr double kHighestThreshold = 0.7;

// An issue with so few examples is tuned together with the others' mean rather than alone.
constexpr double kThresholdPrior = 8.0;

// DecideTogether(): margins are counted in cells; support vector machines put all but a few within these.
constexpr double kLowestMargin = -1.5;
constexpr double kCellWidth = 0.015;
constexpr size_t kCells = 200;

// Below, next to -1, an SVM no longer says how sure it is: its loss is flat there. Articles there would bend the
// sigmoid where it matters.
constexpr double kSureOfNot = -0.97;

// Issues lend to each other by how alike their numbers of examples are: a normal distribution over the ratio's
// logarithm, with this deviation (a factor of two).
constexpr double kAlike = 0.7;

// How many articles with the issue are borrowed, with as many others as belong to them, for the sigmoid and the
// threshold.
constexpr double kBorrowedForSigmoid = 16.0;
constexpr double kBorrowedForThreshold = 32.0;

// With so many examples the threshold is half the one that suits frequent issues, and half the one that suits rare
// ones.
constexpr double kFrequent = 40.0;
constexpr double kThresholdOfFrequent = 0.4;

// What is less probable than the first is never given, what is more than the last always.
constexpr double kLowestTogether = 0.05;
constexpr double kHighestTogether = 0.9;

// Articles by margin: in each cell those with the issue, and the others.
struct Cells {
  std::array<double, kCells> with = {};
  std::array<double, kCells> without = {};
};

size_t CellOf(double margin) {
  const double cell = std::floor((margin - kLowestMargin) / kCellWidth);
  return static_cast<size_t>(std::clamp(cell, 0.0, static_cast<double>(kCells - 1)));
}

double LowerEdge(size_t cell) { return kLowestMargin + kCellWidth * static_cast<double>(cell); }

// What one issue brings.
struct Own {
  Cells cells;
  double judged = 0.0;    // Articles with the issue whose margin says something.
  double examples = 0.0;  // All that have it.
};

Own CountCells(const std::vector<Scored>& scored, int left_out) {
  // Weights say how an issue's articles compare; what one counts beside other issues' is their number.
  double articles = 0.0;
  double weights = 0.0;
  for (const Scored& one : scored) {
    if (one.fold != left_out) {
      articles += 1.0;
      weights += one.weight;
    }
  }
  Own own;
  for (const Scored& one : scored) {
    if (one.fold == left_out) {
      continue;
    }
    const double count = one.weight * articles / weights;
    own.examples += one.positive ? count : 0.0;
    if (one.judged) {
      own.judged += one.positive ? count : 0.0;
      (one.positive ? own.cells.with : own.cells.without)[CellOf(one.margin)] += count;
    }
  }
  return own;
}

// The average of the other issues, for each of their articles with the issue, and how much it is worth: 1, or less if
// no issue is about as frequent.
struct Lent {
  Cells cells;
  double worth = 0.0;
};

Lent Borrow(const std::vector<Own>& issues, size_t issue) {
  Lent lent;
  double total = 0.0;
  for (size_t other = 0; other < issues.size(); ++other) {
    const Own& lender = issues[other];
    if (other == issue || lender.judged <= 0.0) {
      continue;
    }
    const double apart = std::log(lender.judged / std::max(1.0, issues[issue].examples)) / kAlike;
    const double alike = std::exp(-apart * apart / 2.0);
    total += alike;
    for (size_t cell = 0; cell < kCells; ++cell) {
      lent.cells.with[cell] += alike * lender.cells.with[cell] / lender.judged;
      lent.cells.without[cell] += alike * lender.cells.without[cell] / lender.judged;
    }
  }
  lent.worth = std::min(1.0, total);
  for (size_t cell = 0; cell < kCells && total > 0.0; ++cell) {
    lent.cells.with[cell] /= total;
    lent.cells.without[cell] /= total;
  }
  return lent;
}

Cells Sum(const Cells& own, const Lent& lent, double borrowed) {
  Cells sum = own;
  for (size_t cell = 0; cell < kCells; ++cell) {
    sum.with[cell] += borrowed * lent.worth * lent.cells.with[cell];
    sum.without[cell] += borrowed * lent.worth * lent.cells.without[cell];
  }
  return sum;
}

Sigmoid CalibrateCells(const Cells& cells) {
  std::vector<Scored> scored;
  for (size_t cell = CellOf(kSureOfNot); cell < kCells; ++cell) {
    const double middle = LowerEdge(cell) + kCellWidth / 2.0;
    for (const bool positive : {true, false}) {
      const double count = positive ? cells.with[cell] : cells.without[cell];
      if (count > 0.0) {
        scored.push_back({middle, positive, count});
      }
    }
  }
  return Calibrate(scored, -1);
}

// The margin from which on tags have the best F1, where `positives` articles have the issue: the middle, if there is a
// gap between those that should be given and the next.
double BestMargin(const Cells& cells, double positives) {
  double hits = 0.0;
  double given = 0.0;
  double best = -1.0;
  size_t highest = 0;
  size_t lowest = 0;
  for (size_t cell = kCells; cell-- > 0;) {
    const double here = cells.with[cell] + cells.without[cell];
    hits += cells.with[cell];
    given += here;
    const double f1 = given + positives > 0.0 ? 2.0 * hits / (given + positives) : 0.0;
    if (f1 > best) {
      best = f1;
      highest = cell;
      lowest = cell;
    } else if (here == 0.0 && lowest == cell + 1) {
      lowest = cell;
    }
  }
  // Without a hit nothing is known to be given at any margin.
  return best > 0.0 ? (LowerEdge(highest) + LowerEdge(lowest)) / 2.0 : LowerEdge(kCells - 1);
}

}  // namespace

double Sigmoid::operator()(double margin) const {
  return 1.0 / (1.0 + std::exp(-std::clamp(slope * margin + intercept, -40.0, 40.0)));
}

Sigmoid Calibrate(const std::vector<Scored>& scored, int left_out) {
  double positives = 0.0;
  double negatives = 0.0;
  for (const Scored& one : scored) {
    if (one.fold != left_out) {
      (one.positive ? positives : negatives) += one.weight;
    }
  }
  if (positives == 0.0 || negatives == 0.0) {
    return Sigmoid();
  }
  const double high = (positives + 1.0) / (positives + 2.0);
  const double low = 1.0 / (negatives + 2.0);
  Sigmoid sigmoid{1.0, 0.0};
  for (int iteration = 0; iteration < 50; ++iteration) {
    double g0 = 1e-3 * (sigmoid.slope - 1.0);
    double g1 = 0.0;
    double h00 = 1e-3;
    double h01 = 0.0;
    double h11 = 1e-9;
    for (const Scored& one : scored) {
      if (one.fold == left_out) {
        continue;
      }
      const double p = sigmoid(one.margin);
      const double error = one.weight * (p - (one.positive ? high : low));
      const double curvature = one.weight * std::max(p * (1.0 - p), 1e-9);
      g0 += error * one.margin;
      g1 += error;
      h00 += curvature * one.margin * one.margin;
      h01 += curvature * one.margin;
      h11 += curvature;
    }
    const double determinant = h00 * h11 - h01 * h01;
    if (determinant < 1e-12) {
      break;
    }
    const double step0 = std::clamp((h11 * g0 - h01 * g1) / determinant, -1.0, 1.0);
    const double step1 = std::clamp((h00 * g1 - h01 * g0) / determinant, -1.0, 1.0);
    sigmoid.slope -= step0;
    sigmoid.intercept -= step1;
    if (std::abs(step0) + std::abs(step1) < 1e-6) {
      break;
    }
  }
  // A model that ranks backwards is no model; let it say nothing strongly.
  sigmoid.slope = std::max(sigmoid.slope, 0.05);
  return sigmoid;
}

double ChooseThreshold(const std::vector<Scored>& scored, const Sigmoid& sigmoid, int left_out, double prior) {
  std::vector<std::pair<double, const Scored*>> ranked;
  double positives = 0.0;
  double positive_examples = 0.0;
  for (const Scored& one : scored) {
    if (one.fold != left_out) {
      ranked.emplace_back(sigmoid(one.margin), &one);
      positives += one.positive ? one.weight : 0.0;
      positive_examples += one.positive && one.gold ? 1.0 : 0.0;
    }
  }
  std::sort(ranked.begin(), ranked.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  double hits = 0.0;
  double given = 0.0;
  double best = -1.0;
  double threshold = prior;
  for (size_t i = 0; i < ranked.size(); ++i) {
    given += ranked[i].second->weight;
    hits += ranked[i].second->positive ? ranked[i].second->weight : 0.0;
    if (i + 1 < ranked.size() && ranked[i + 1].first == ranked[i].first) {
      continue;
    }
    const double f1 = 2.0 * hits / (given + positives);
    if (f1 > best) {
      best = f1;
      threshold = i + 1 < ranked.size() ? (ranked[i].first + ranked[i + 1].first) / 2.0 : ranked[i].first;
    }
  }
  const double trust = positive_examples / (positive_examples + kThresholdPrior);
  return std::clamp(trust * threshold + (1.0 - trust) * prior, kLowestThreshold, kHighestThreshold);
}

std::vector<Decision> DecideApart(const std::vector<std::vector<Scored>>& issues, int left_out) {
  std::vector<Decision> decisions;
  for (const std::vector<Scored>& scored : issues) {
    decisions.push_back({Calibrate(scored, left_out)});
  }
  // Thresholds in two rounds: first each alone, then drawn towards the mean of the first round.
  constexpr double kFirstGuess = 0.35;
  double prior = kFirstGuess;
  for (int round = 0; round < 2; ++round) {
    double sum = 0.0;
    for (size_t k = 0; k < issues.size(); ++k) {
      decisions[k].threshold = ChooseThreshold(issues[k], decisions[k].sigmoid, left_out, prior);
      sum += decisions[k].threshold;
    }
    prior = sum / static_cast<double>(issues.size());
  }
  return decisions;
}

std::vector<Decision> DecideTogether(const std::vector<std::vector<Scored>>& issues, int left_out) {
  std::vector<Own> own;
  for (const std::vector<Scored>& scored : issues) {
    own.push_back(CountCells(scored, left_out));
  }
  std::vector<Decision> decisions;
  for (size_t k = 0; k < issues.size(); ++k) {
    const Lent lent = Borrow(own, k);
    Decision decision;
    decision.sigmoid = CalibrateCells(Sum(own[k].cells, lent, kBorrowedForSigmoid));
    const double of_frequent =
        (std::log(kThresholdOfFrequent / (1.0 - kThresholdOfFrequent)) - decision.sigmoid.intercept) /
        decision.sigmoid.slope;
    const double of_rare =
        BestMargin(Sum(own[k].cells, lent, kBorrowedForThreshold), own[k].judged + kBorrowedForThreshold * lent.worth);
    const double frequent = own[k].judged / (own[k].judged + kFrequent);
    const double margin = frequent * of_frequent + (1.0 - frequent) * of_rare;
    decision.threshold = std::clamp(decision.sigmoid(margin), kLowestTogether, kHighestTogether);
    decisions.push_back(decision);
  }
  return decisions;
}

}  // namespace dateline::classifier
