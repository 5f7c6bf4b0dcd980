#include "classifier_service/country_model.h"

#include <limits>
#include <optional>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace dateline::classifier {
namespace {

using ::dateline::testing::ReadFile;
using ::dateline::testing::StatusIs;
using ::dateline::testing::TempDir;
using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr char kShipped[] = "classifier_service/data/model/countries.model";

// Two terms, two word models.
CountryModel Small() {
  CountryModel model;
  model.weights.fill(0.25);
  model.constant = -1.5;
  model.silence_weights.fill(-0.5);
  model.silence_constant = 0.125;
  model.vocabulary = Vocabulary::Create({"^budget", "budget"}, {1.0F, 2.0F}).value();
  model.word_weights = {1, -2, 3, -4};
  model.words.resize(2);
  model.words[0].weight_step = 0.5F;
  model.words[1].region_code = "US";
  model.words[1].own_words = 0.75;
  model.training_notes = "by hand";
  return model;
}

TEST(CountryModelTest, ComesBackAsItWasWritten) {
  CountryModel model = Small();
  const std::string bytes = model.Encode();
  EXPECT_THAT(model.version, ::testing::StartsWith("countries-19700101-"));
  ASSERT_OK_AND_ASSIGN(const auto read, CountryModel::Decode(bytes, "test"));
  EXPECT_EQ(read->version, model.version);
  EXPECT_EQ(read->weights, model.weights);
  EXPECT_EQ(read->silence_weights, model.silence_weights);
  EXPECT_EQ(read->word_weights, model.word_weights);
  EXPECT_EQ(read->words[1].region_code, "US");
  EXPECT_EQ(read->words[1].own_words, 0.75);
  EXPECT_EQ(read->thresholds[1].other, model.thresholds[1].other);
  EXPECT_EQ(read->training_notes, "by hand");
  EXPECT_EQ(read->Encode(), bytes);
}

TEST(CountryModelTest, KnowsTheTextsItWasTrainedOnAndSaysWhereItDoesNot) {
  ArticleText seen;
  seen.title = "Oman votes";
  seen.body = "Oman voted on Sunday for a council that will advise the sultan on laws and on the budget of the year.";
  ArticleText other = seen;
  other.body =
      "Chile's congress debates how much of the lithium under its salt flats the state should keep for itself.";
  CountryModel model = Small();
  ASSERT_OK_AND_ASSIGN(const auto older, CountryModel::Decode(model.Encode(), "test"));
  EXPECT_EQ(older->InTraining(seen), std::nullopt) << "a model made before there was a sketch";
  model.training_texts = TextSketch(1);
  model.training_texts.Add(seen.title, seen.body);
  const std::string bytes = model.Encode();
  ASSERT_OK_AND_ASSIGN(const auto read, CountryModel::Decode(bytes, "test"));
  EXPECT_EQ(read->InTraining(seen), true);
  EXPECT_EQ(read->InTraining(other), false);
  EXPECT_EQ(read->Encode(), bytes);
  EXPECT_NE(read->version, older->version);
}

TEST(CountryModelTest, TheFreelyLicensedModelLoads) {
  ASSERT_OK_AND_ASSIGN(const auto model, CountryModel::Load("classifier_service/data/model/countries-free.model"));
  EXPECT_FALSE(model->habits);
  EXPECT_FALSE(model->training_texts.empty());
}

TEST(CountryModelTest, HabitsAndTheThresholdOfRareCountriesComeBack) {
  CountryModel model = Small();
  model.habits = true;
  model.words[1].own_features.assign(kCountryFeatureNames.size(), 0.125);
  model.thresholds[1].other = 0.45;
  model.thresholds[1].rare = 0.35;
  ASSERT_OK_AND_ASSIGN(const auto read, CountryModel::Decode(model.Encode(), "test"));
  EXPECT_TRUE(read->habits);
  EXPECT_EQ(read->thresholds[1].rare, 0.35);
  EXPECT_EQ(read->thresholds[0].rare, model.thresholds[0].other);
  EXPECT_EQ(read->words[1].own_features, model.words[1].own_features);
  EXPECT_THAT(read->words[0].own_features, ::testing::IsEmpty());
  model.thresholds[1].rare = 1.5;
  EXPECT_THAT(CountryModel::Decode(model.Encode(), "x.model"),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("threshold")));
  model.thresholds[1].rare = 0.35;
  model.words[1].own_features.pop_back();
  EXPECT_THAT(CountryModel::Decode(model.Encode(), "x.model"),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("not complete")));
}

// A file from before there was such a threshold has `other` for all.
TEST(CountryModelTest, TheShippedModelHasNoHabits) {
  ASSERT_OK_AND_ASSIGN(const auto model, CountryModel::Load(kShipped));
  EXPECT_FALSE(model->habits);
  for (const CountryThresholds& thresholds : model->thresholds) {
    EXPECT_EQ(thresholds.rare, thresholds.other);
  }
}

TEST(CountryModelTest, AHabitIsThePartOfTheLogOddsThatBelongsToTheCountry) {
  CountryModel model = Small();
  model.words[1].own_constant = 0.5;
  model.words[1].own_features.assign(kCountryFeatureNames.size(), 0.25);
  CountryCandidate candidate;
  candidate.features.fill(1.0);
  const std::vector<double> margins = {0.0, 2.0};
  const double own = 0.5 + 0.75 * 2.0 + 0.25 * static_cast<double>(kCountryFeatureNames.size());
  EXPECT_DOUBLE_EQ(model.HabitLogOdds(candidate, margins, 1), own);
  EXPECT_DOUBLE_EQ(model.LogOdds(candidate, margins, 1) - model.LogOdds(candidate, margins, -1), own);
}

TEST(CountryModelTest, TheVersionFollowsTheContent) {
  CountryModel one = Small();
  CountryModel two = Small();
  two.constant = -1.25;
  one.Encode();
  two.Encode();
  EXPECT_NE(one.version, two.version);
}

TEST(CountryModelTest, RefusesForeignAndBrokenFilesWithTheRemedy) {
  const std::string bytes = ReadFile(kShipped);
  ASSERT_FALSE(bytes.empty());
  const auto remedy = HasSubstr("classifier_train countries");
  EXPECT_THAT(CountryModel::Decode("DLISSUE\n", "x.model"),
              StatusIs(absl::StatusCode::kFailedPrecondition, AllOf(HasSubstr("x.model"), remedy)));
  EXPECT_THAT(CountryModel::Decode("", "x.model"), StatusIs(absl::StatusCode::kFailedPrecondition, remedy));
  for (const size_t size : {size_t{8}, size_t{20}, bytes.size() / 2, bytes.size() - 1}) {
    EXPECT_THAT(CountryModel::Decode(bytes.substr(0, size), "x.model"),
                StatusIs(absl::StatusCode::kDataLoss, AllOf(HasSubstr("truncated"), remedy)))
        << size;
  }
  std::string flipped = bytes;
  flipped[flipped.size() / 2] = static_cast<char>(flipped[flipped.size() / 2] ^ 1);
  EXPECT_THAT(CountryModel::Decode(flipped, "x.model"), StatusIs(absl::StatusCode::kDataLoss, remedy));
  EXPECT_THAT(CountryModel::Load("/nonexistent/x.model"),
              StatusIs(absl::StatusCode::kNotFound, AllOf(HasSubstr("/nonexistent/x.model"), remedy)));
}

TEST(CountryModelTest, RefusesWeightsThatDoNotFitTheirTerms) {
  CountryModel model = Small();
  model.word_weights.pop_back();
  EXPECT_THAT(CountryModel::Decode(model.Encode(), "x.model"),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("do not fit together")));
  model = Small();
  model.thresholds[0].first = 1.5;
  EXPECT_THAT(CountryModel::Decode(model.Encode(), "x.model"),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("threshold")));
  model = Small();
  model.constant = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THAT(CountryModel::Decode(model.Encode(), "x.model"),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("none")));
}

TEST(CountryModelTest, PublishingKeepsTheModelBeforeAndRollingBackSwapsThem) {
  const TempDir dir;
  const std::string path = dir.path() + "/countries.model";
  CountryModel one = Small();
  CountryModel two = Small();
  two.constant = -1.25;
  ASSERT_OK(one.Publish(path));
  EXPECT_THAT(CountryModel::RollBack(path), StatusIs(absl::StatusCode::kNotFound, HasSubstr("none to bring back")));
  EXPECT_TRUE(CountryModel::IsAt(path));
  EXPECT_FALSE(CountryModel::IsAt(path + ".previous"));
  ASSERT_OK(two.Publish(path));
  ASSERT_OK_AND_ASSIGN(const std::string back, CountryModel::RollBack(path));
  EXPECT_EQ(back, one.version);
  EXPECT_EQ(CountryModel::Load(path).value()->version, one.version);
  ASSERT_OK(CountryModel::RollBack(path).status());
  EXPECT_EQ(CountryModel::Load(path).value()->version, two.version);
  dir.Write("countries.model", "damaged");
  ASSERT_OK(CountryModel::RollBack(path).status());
  EXPECT_EQ(CountryModel::Load(path).value()->version, one.version);
  ASSERT_OK(two.Write(path));
  dir.Write("countries.model.previous", "no model");
  EXPECT_THAT(CountryModel::RollBack(path), StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_EQ(CountryModel::Load(path).value()->version, two.version) << "nothing is swapped for what is no model";
}

TEST(CountryModelTest, IsReplacedAsAWhole) {
  const TempDir dir;
  const std::string path = dir.path() + "/countries.model";
  CountryModel model = Small();
  ASSERT_OK(model.Write(path));
  ASSERT_OK_AND_ASSIGN(const auto read, CountryModel::Load(path));
  EXPECT_EQ(read->version, model.version);
  EXPECT_THAT(model.Write("/nonexistent/x.model"),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("check that the folder exists")));
}

}  // namespace
}  // namespace dateline::classifier
