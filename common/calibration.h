// Whether probabilities mean what they say: of what was predicted with 0.7, are seven in ten right?
#ifndef DATELINE_COMMON_CALIBRATION_H_
#define DATELINE_COMMON_CALIBRATION_H_

#include <cstdint>
#include <vector>

namespace dateline::common {

// One prediction and whether it came true.
struct Prediction {
  double probability = 0.0;  // 0 to 1.
  bool right = false;
  double weight = 1.0;
};

// Ten bins of equal width.
struct CalibrationBin {
  double count = 0.0;      // Predictions in it, by weight.
  double predicted = 0.0;  // Their mean probability.
  double observed = 0.0;   // The share of them that was right.
};

struct Calibration {
  std::vector<CalibrationBin> bins;  // All ten; those without predictions have count 0.
  double count = 0.0;
  // The expected calibration error: |predicted - observed|, averaged over predictions. With few predictions it is above
  // zero also where all is well, because shares of few vary by chance.
  double error = 0.0;
  // The same less what chance adds: the square of each bin's difference is made unbiased by taking off the variance of
  // the share, as Kumar, Liang and Ma do ("Verified Uncertainty Calibration", 2019), and its root is averaged; a bin
  // whose difference is within one standard error counts as right.
  double debiased_error = 0.0;
};

// Predictions below `least` are left out: the many that say "surely not" are nearly always right, and hide the others.
Calibration MeasureCalibration(const std::vector<Prediction>& predictions, double least = 0.05);

struct Interval {
  double low = 0.0;
  double high = 0.0;
};

// A 95 % interval of the debiased error by the bootstrap: groups of predictions (those of one article, which err
// together) are drawn with replacement `rounds` times. The same on every machine. Both ends are 0 without predictions.
Interval CalibrationInterval(const std::vector<std::vector<Prediction>>& groups, double least = 0.05, int rounds = 200);

}  // namespace dateline::common

#endif  // DATELINE_COMMON_CALIBRATION_H_
