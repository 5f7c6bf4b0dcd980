#include "classifier_service/issue_calibration.h"

#include <cmath>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace dateline::classifier {
namespace {

// Evenly from `low` to `high`, dealt out to four folds.
void Add(std::vector<Scored>& scored, int count, double low, double high, bool positive) {
  for (int i = 0; i < count; ++i) {
    Scored one;
    one.margin = count > 1 ? low + (high - low) * i / (count - 1) : low;
    one.positive = positive;
    one.fold = i % 4;
    scored.push_back(one);
  }
}

// An issue as support vector machines see it: most of what it has lies from -0.7 to 0.5, most of the rest at -1.
std::vector<Scored> Issue(int positives) {
  std::vector<Scored> scored;
  Add(scored, positives, -0.7, 0.5, true);
  Add(scored, positives / 2, -0.8, -0.2, false);
  Add(scored, 2000, -1.1, -0.85, false);
  return scored;
}

std::vector<Scored> IssueWithOneExample() {
  std::vector<Scored> scored;
  Add(scored, 1, -4.0, -4.0, true);  // The model without it had nothing to learn from.
  scored.back().judged = false;
  Add(scored, 2000, -1.1, -0.95, false);
  return scored;
}

double MarginOf(const Decision& decision) {
  return (std::log(decision.threshold / (1.0 - decision.threshold)) - decision.sigmoid.intercept) /
         decision.sigmoid.slope;
}

TEST(IssueCalibrationTest, ProbabilitiesAreTheShareOfArticlesThatHaveTheIssue) {
  std::vector<Scored> scored;
  Add(scored, 300, 0.0, 0.0, true);
  Add(scored, 700, 0.0, 0.0, false);
  Add(scored, 900, 1.0, 1.0, true);
  Add(scored, 100, 1.0, 1.0, false);
  const Sigmoid sigmoid = Calibrate(scored, -1);
  EXPECT_NEAR(sigmoid(0.0), 0.3, 0.01);
  EXPECT_NEAR(sigmoid(1.0), 0.9, 0.01);
  const Sigmoid together = DecideTogether({scored}, -1).front().sigmoid;
  EXPECT_NEAR(together(0.0), 0.3, 0.02);
  EXPECT_NEAR(together(1.0), 0.9, 0.02);
}

TEST(IssueCalibrationTest, ARareIssueTakesItsThresholdFromIssuesAboutAsRare) {
  const std::vector<Decision> alone = DecideTogether({IssueWithOneExample()}, -1);
  const std::vector<Decision> among =
      DecideTogether({IssueWithOneExample(), Issue(2), Issue(2), Issue(3), Issue(3)}, -1);
  // Nothing is known of it alone, so that it is given to next to nothing; among others it is given where theirs are.
  EXPECT_GT(MarginOf(alone.front()), 1.0);
  EXPECT_GT(MarginOf(among.front()), -0.85);
  EXPECT_LT(MarginOf(among.front()), 0.0);
}

TEST(IssueCalibrationTest, AFrequentIssueSaysNothingOfARareOne) {
  const std::vector<Decision> beside = DecideTogether({IssueWithOneExample(), Issue(1000)}, -1);
  EXPECT_GT(MarginOf(beside.front()), 1.0);
}

TEST(IssueCalibrationTest, AFrequentIssueIsGivenFromAProbabilityOfTwoFifthsOn) {
  const std::vector<Decision> decisions = DecideTogether({Issue(1000), Issue(800), Issue(2), Issue(3)}, -1);
  EXPECT_NEAR(decisions[0].threshold, 0.4, 0.02);
  EXPECT_NEAR(decisions[1].threshold, 0.4, 0.02);
}

TEST(IssueCalibrationTest, WhatIsImprobableIsNeverGiven) {
  std::vector<Scored> hopeless;
  Add(hopeless, 4, -1.1, -1.0, true);
  Add(hopeless, 2000, -1.1, -0.5, false);
  for (const Decision& decision : DecideTogether({hopeless, hopeless, hopeless}, -1)) {
    EXPECT_GE(decision.threshold, 0.05);
  }
}

TEST(IssueCalibrationTest, TheFoldLeftOutHasNoSay) {
  std::vector<Scored> scored = Issue(100);
  std::vector<Scored> other = scored;
  for (Scored& one : other) {
    if (one.fold == 2) {
      one.margin = -one.margin;
      one.positive = !one.positive;
    }
  }
  for (const auto decide : {DecideApart, DecideTogether}) {
    const std::vector<Decision> a = decide({scored, Issue(50)}, 2);
    const std::vector<Decision> b = decide({other, Issue(50)}, 2);
    EXPECT_EQ(a.front().threshold, b.front().threshold);
    EXPECT_EQ(a.front().sigmoid.slope, b.front().sigmoid.slope);
  }
}

TEST(IssueCalibrationTest, WeightsOfAllArticlesAlikeChangeNothing) {
  std::vector<Scored> heavy = Issue(10);
  for (Scored& one : heavy) one.weight = 8.0;
  const std::vector<Decision> light_ones = DecideTogether({Issue(10), Issue(12)}, -1);
  const std::vector<Decision> heavy_ones = DecideTogether({heavy, Issue(12)}, -1);
  EXPECT_NEAR(light_ones[0].threshold, heavy_ones[0].threshold, 1e-9);
  EXPECT_NEAR(light_ones[1].threshold, heavy_ones[1].threshold, 1e-9);
}

TEST(IssueCalibrationTest, NoArticlesNoProblem) {
  const std::vector<Decision> decisions = DecideTogether({{}, {}}, -1);
  ASSERT_EQ(decisions.size(), 2u);
  EXPECT_TRUE(std::isfinite(decisions.front().threshold));
  EXPECT_TRUE(std::isfinite(decisions.front().sigmoid.slope));
}

}  // namespace
}  // namespace dateline::classifier
