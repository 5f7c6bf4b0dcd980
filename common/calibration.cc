#include "common/calibration.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <random>

namespace dateline::common {
namespace {

constexpr size_t kBins = 10;
}  // namespace

Calibration MeasureCalibration(const std::vector<Prediction>& predictions, double least) {
  Calibration result;
  result.bins.resize(kBins);
  for (const Prediction& one : predictions) {
    if (one.probability < least) continue;
    CalibrationBin& bin = result.bins[static_cast<size_t>(std::clamp(one.probability * kBins, 0.0, kBins - 1.0))];
    bin.count += one.weight;
    bin.predicted += one.weight * one.probability;
    bin.observed += one.right ? one.weight : 0.0;
    result.count += one.weight;
  }
  if (result.count <= 0.0) return result;
  for (CalibrationBin& bin : result.bins) {
    if (bin.count <= 0.0) continue;
    bin.predicted /= bin.count;
    bin.observed /= bin.count;
    const double difference = std::abs(bin.predicted - bin.observed);
    // The variance of a share, estimated without bias; one prediction alone says nothing of it.
    const double variance = bin.observed * (1.0 - bin.observed) / std::max(bin.count - 1.0, 1.0);
    const double share = bin.count / result.count;
    result.error += share * difference;
    result.debiased_error += share * std::sqrt(std::max(0.0, difference * difference - variance));
  }
  return result;
}

Interval CalibrationInterval(const std::vector<std::vector<Prediction>>& groups, double least, int rounds) {
  if (groups.empty() || rounds <= 0) return {};
  std::mt19937_64 random(1);  // Its sequence is fixed by the standard; the library's distributions are not.
  std::vector<double> errors;
  std::vector<Prediction> sample;
  for (int round = 0; round < rounds; ++round) {
    sample.clear();
    for (size_t i = 0; i < groups.size(); ++i) {
      const std::vector<Prediction>& group = groups[random() % groups.size()];
      sample.insert(sample.end(), group.begin(), group.end());
    }
    errors.push_back(MeasureCalibration(sample, least).debiased_error);
  }
  std::sort(errors.begin(), errors.end());
  const auto at = [&](double share) {
    return errors[static_cast<size_t>(std::lround(share * static_cast<double>(errors.size() - 1)))];
  };
  return {at(0.025), at(0.975)};
}

}  // namespace dateline::common
