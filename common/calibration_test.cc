#include "common/calibration.h"

#include <random>
#include <vector>

#include "gtest/gtest.h"

namespace dateline::common {
namespace {

// Predictions of which `share` in one come true, whatever they say.
std::vector<Prediction> Predictions(int count, double said, double share, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<Prediction> predictions;
  for (int i = 0; i < count; ++i) {
    predictions.push_back({said, static_cast<double>(random() % 10'000) < share * 10'000});
  }
  return predictions;
}

TEST(CalibrationTest, ErrorIsTheDistanceBetweenSaidAndSeen) {
  const Calibration calibration = MeasureCalibration(
      {{0.72, true}, {0.72, true}, {0.72, false}, {0.72, false}, {0.1, true}, {0.01, true}, {1.0, true}});
  ASSERT_EQ(calibration.bins.size(), 10U);
  EXPECT_DOUBLE_EQ(calibration.count, 6.0) << "what is below 0.05 is left out";
  EXPECT_DOUBLE_EQ(calibration.bins[7].count, 4.0);
  EXPECT_NEAR(calibration.bins[7].predicted, 0.72, 1e-12);
  EXPECT_DOUBLE_EQ(calibration.bins[7].observed, 0.5);
  EXPECT_DOUBLE_EQ(calibration.bins[9].observed, 1.0);
  EXPECT_NEAR(calibration.error, (4 * 0.22 + 0.9) / 6, 1e-12);
  EXPECT_LE(calibration.debiased_error, calibration.error);
}

TEST(CalibrationTest, WeightsCountAsSoManyPredictions) {
  const Calibration one = MeasureCalibration({{0.6, true, 3.0}, {0.6, false, 1.0}});
  const Calibration many = MeasureCalibration({{0.6, true}, {0.6, true}, {0.6, true}, {0.6, false}});
  EXPECT_DOUBLE_EQ(one.error, many.error);
  EXPECT_DOUBLE_EQ(one.debiased_error, many.debiased_error);
}

TEST(CalibrationTest, DebiasedErrorOfGoodProbabilitiesIsSmallerWithFewPredictions) {
  double plain = 0.0;
  double debiased = 0.0;
  double wrong_plain = 0.0;
  double wrong_debiased = 0.0;
  constexpr int kTrials = 300;
  for (int trial = 0; trial < kTrials; ++trial) {
    const Calibration good = MeasureCalibration(Predictions(40, 0.55, 0.55, 2U * trial));
    plain += good.error / kTrials;
    debiased += good.debiased_error / kTrials;
    const Calibration wrong = MeasureCalibration(Predictions(40, 0.55, 0.25, 2U * trial + 1));
    wrong_plain += wrong.error / kTrials;
    wrong_debiased += wrong.debiased_error / kTrials;
  }
  // With 40 predictions chance alone makes an error of 0.063.
  EXPECT_NEAR(plain, 0.063, 0.01);
  EXPECT_LT(debiased, 0.6 * plain);
  EXPECT_NEAR(wrong_plain, 0.3, 0.02);
  EXPECT_NEAR(wrong_debiased, 0.3, 0.02) << "a real error stays one";
}

TEST(CalibrationTest, NothingPredictedIsNoError) {
  EXPECT_EQ(MeasureCalibration({}).error, 0.0);
  EXPECT_EQ(MeasureCalibration({{0.01, true}}).count, 0.0);
  EXPECT_EQ(CalibrationInterval({}).high, 0.0);
}

TEST(CalibrationTest, IntervalHoldsTheErrorAndNarrowsWithMore) {
  const auto groups_of = [](int count) {
    std::vector<std::vector<Prediction>> groups;
    for (const Prediction& one : Predictions(count, 0.55, 0.35, 7)) groups.push_back({one});
    return groups;
  };
  const Interval few = CalibrationInterval(groups_of(100));
  const Interval many = CalibrationInterval(groups_of(10'000));
  EXPECT_LT(few.low, 0.2);
  EXPECT_GT(few.high, 0.2);
  EXPECT_LT(many.high - many.low, few.high - few.low);
  EXPECT_NEAR((many.low + many.high) / 2, 0.2, 0.02);
}

}  // namespace
}  // namespace dateline::common
