#include "classifier_service/classifier.h"

#include <algorithm>
#include <fstream>
#include <map>
#include <memory>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace dateline::classifier {
namespace {

using ::dateline::testing::StatusIs;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Classifier::Options Shipped() {
  const std::string data = "classifier_service/data/";
  Classifier::Options options;
  options.taxonomy_path = data + "taxonomy/default.textproto";
  options.gazetteer_path = data + "gazetteer/gazetteer.tsv";
  options.model_path = data + "model/issues.model";
  options.country_model_path = data + "model/countries.model";
  return options;
}

class ClassifierTest : public ::testing::Test {
 protected:
  // Once for all tests: the gazetteer takes a moment to read.
  static void SetUpTestSuite() {
    ASSERT_OK_AND_ASSIGN(std::unique_ptr<Classifier> classifier, Classifier::Load(Shipped()));
    classifier_ = classifier.release();
  }
  static void TearDownTestSuite() {
    delete classifier_;
    classifier_ = nullptr;
  }

  static ArticleText Article() {
    ArticleText article;
    article.title = "Iran and Saudi Arabia restore diplomatic relations";
    article.body =
        "The foreign ministers of Iran and Saudi Arabia met in Beijing and agreed to restore diplomatic relations. "
        "Iran "
        "said that embassies would open within months, and that bilateral relations with its rival had been mended by "
        "mediation. The agreement was welcomed by regional powers.";
    return article;
  }

  static const Classifier* classifier_;
};
const Classifier* ClassifierTest::classifier_ = nullptr;

TEST_F(ClassifierTest, TagsCountriesAndIssuesTogether) {
  const Classification result = classifier_->Classify(Article(), {});
  ASSERT_FALSE(result.countries.empty());
  EXPECT_EQ(result.country_outcome, Outcome::kTagged);
  ASSERT_FALSE(result.issues.empty());
  EXPECT_EQ(result.issues.front().id, "geopolitics");
  EXPECT_EQ(result.issue_outcome, Outcome::kTagged);
  EXPECT_EQ(result.language_code, "en");
  EXPECT_THAT(result.mentions, IsEmpty());
}

TEST_F(ClassifierTest, GivesMentionsWhenAsked) {
  EXPECT_FALSE(classifier_->Classify(Article(), {.include_mentions = true, .display_language = ""}).mentions.empty());
}

TEST_F(ClassifierTest, NamesTagsInTheLanguageAskedFor) {
  const Classification result = classifier_->Classify(Article(), {.include_mentions = false, .display_language = "fr"});
  ASSERT_FALSE(result.issues.empty());
  EXPECT_EQ(result.issues.front().display_name, "Géopolitique");
}

TEST_F(ClassifierTest, TextInALanguageTheModelDoesNotKnowGetsCountriesOnly) {
  ArticleText article;
  article.title = "إيران والسعودية تستأنفان العلاقات الدبلوماسية";
  article.body = "اتفقت إيران والمملكة العربية السعودية على استئناف العلاقات الدبلوماسية بينهما بعد محادثات في بكين.";
  const Classification result = classifier_->Classify(article, {});
  EXPECT_EQ(result.language_code, "ar");
  EXPECT_EQ(result.issue_outcome, Outcome::kUnsupportedLanguage);
  EXPECT_THAT(result.issues, IsEmpty());
}

TEST_F(ClassifierTest, LanguageOfTheCallerIsBelieved) {
  ArticleText article = Article();
  article.language_code = "de-CH";
  const Classification result = classifier_->Classify(article, {});
  EXPECT_EQ(result.language_code, "de-CH");
  EXPECT_EQ(result.issue_outcome, Outcome::kUnsupportedLanguage);
}

TEST_F(ClassifierTest, EmptyTextGetsNothingAndSaysSo) {
  const Classification result = classifier_->Classify({}, {});
  EXPECT_EQ(result.language_code, "und");
  EXPECT_EQ(result.country_outcome, Outcome::kAbstained);
  EXPECT_EQ(result.issue_outcome, Outcome::kAbstained);
}

TEST_F(ClassifierTest, ScoresHoldCountriesThatAreNoTagsAsWell) {
  ArticleText article;
  article.title = "Iran and the Gulf states";
  article.body =
      "Iran's foreign minister met the secretary general of the Gulf Cooperation Council in Tehran. The GCC and Iran "
      "will meet again, the GCC said. Russia was mentioned once; so was France.";
  ClassifyOptions options;
  options.include_scores = true;
  const Classification result = classifier_->Classify(article, options);
  ASSERT_FALSE(result.countries.empty());
  std::vector<TagScore::Dimension> dimensions;
  std::vector<TagScore> countries;
  for (const TagScore& score : result.scores) {
    dimensions.push_back(score.dimension);
    if (score.dimension == TagScore::Dimension::kCountry) countries.push_back(score);
  }
  EXPECT_TRUE(std::is_sorted(dimensions.begin(), dimensions.end()));
  ASSERT_GT(countries.size(), result.countries.size());
  for (size_t i = 0; i < countries.size(); ++i) {
    EXPECT_EQ(countries[i].tagged, i < result.countries.size());
    if (countries[i].tagged) {
      EXPECT_EQ(countries[i].id, result.countries[i].id);
    } else if (i > result.countries.size()) {
      EXPECT_LE(countries[i].score, countries[i - 1].score);
    }
  }
}

TEST_F(ClassifierTest, ScoresSayWhatCountriesAndGroupsWereHeldAgainst) {
  ArticleText article;
  article.title = "Iran and the Gulf states";
  article.body =
      "Iran's foreign minister met the secretary general of the Gulf Cooperation Council in Tehran. The GCC and Iran "
      "will meet again, the GCC said. Russia was mentioned once; so was France. The European Union was silent.";
  ClassifyOptions options;
  EXPECT_FALSE(classifier_->Classify(article, options).no_country.has_value());
  options.include_scores = true;
  options.priors = {{.id = "FR", .log_odds = 0.5}};
  std::map<std::string, double> thresholds[2];
  for (const CountryProfile profile : {CountryProfile::kDefault, CountryProfile::kGenerous}) {
    options.profile = profile;
    const Classification result = classifier_->Classify(article, options);
    ASSERT_TRUE(result.no_country.has_value());
    const bool silent = result.no_country->score >= result.no_country->threshold;
    size_t tagged = 0;
    size_t others = 0;
    for (const TagScore& score : result.scores) {
      if (score.dimension == TagScore::Dimension::kIssue) continue;
      ASSERT_TRUE(score.threshold.has_value()) << score.id;
      const bool above = score.score >= *score.threshold;
      EXPECT_EQ(score.tagged, above && (score.dimension == TagScore::Dimension::kGroup || !silent)) << score.id;
      (score.tagged ? tagged : others) += 1;
      thresholds[profile == CountryProfile::kGenerous ? 1 : 0][score.id] = *score.threshold;
    }
    EXPECT_EQ(tagged, result.countries.size() + result.groups.size());
    EXPECT_GT(others, 0U);
  }
  EXPECT_LT(thresholds[0].at("IR"), thresholds[0].at("FR")) << "the best country needs less";
  EXPECT_LT(thresholds[1].at("FR"), thresholds[0].at("FR")) << "less is asked by the generous profile";
  EXPECT_LT(thresholds[1].at("gcc"), thresholds[0].at("gcc"));
}

TEST_F(ClassifierTest, TellsItsVersions) {
  EXPECT_THAT(classifier_->model_version(), ::testing::MatchesRegex("issues-[^+]+\\+countries-[^+]+"));
  EXPECT_EQ(classifier_->taxonomy_version(), classifier_->taxonomy().version());
  EXPECT_FALSE(classifier_->gazetteer_version().empty());
}

TEST(ClassifierLoadTest, EachMissingFileIsNamed) {
  Classifier::Options options = Shipped();
  options.taxonomy_path = "/nonexistent/a";
  EXPECT_THAT(Classifier::Load(options), StatusIs(absl::StatusCode::kNotFound, HasSubstr("/nonexistent/a")));
  options = Shipped();
  options.gazetteer_path = "/nonexistent/b";
  EXPECT_THAT(Classifier::Load(options), StatusIs(absl::StatusCode::kNotFound, HasSubstr("/nonexistent/b")));
  options = Shipped();
  options.model_path = "/nonexistent/c";
  EXPECT_THAT(Classifier::Load(options), StatusIs(absl::StatusCode::kNotFound, HasSubstr("/nonexistent/c")));
  options = Shipped();
  options.country_model_path = "/nonexistent/d";
  EXPECT_THAT(Classifier::Load(options), StatusIs(absl::StatusCode::kNotFound, HasSubstr("/nonexistent/d")));
}

TEST(ClassifierLoadTest, EverythingThatIsWrongWithAllFilesIsListed) {
  const testing::TempDir dir;
  std::ofstream(dir.File("taxonomy")) << "version: \"x\"\n";
  std::ofstream(dir.File("overlay")) << "Oz\tZZ\tNAME\nOz\tIR\tTOWN\n";
  std::ofstream(dir.File("model")) << "something else";
  Classifier::Options options = Shipped();
  options.taxonomy_path = dir.File("taxonomy");
  options.gazetteer_overlay_path = dir.File("overlay");
  options.model_path = dir.File("model");
  const absl::Status error = Classifier::Load(options).status();
  EXPECT_THAT(error, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("no issues")));
  EXPECT_THAT(Classifier::ProblemsOf(error),
              ::testing::UnorderedElementsAre(HasSubstr("no issues"), HasSubstr("overlay:1: ZZ is no country"),
                                              HasSubstr("overlay:2: unknown kind"), HasSubstr("no issue model")));
}

TEST(ClassifierLoadTest, AnOverlayShowsInTheVersion) {
  const testing::TempDir dir;
  std::ofstream(dir.File("overlay")) << "Harbour Street\tOM\tMETONYM\n";
  Classifier::Options options = Shipped();
  options.gazetteer_overlay_path = dir.File("overlay");
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Classifier> classifier, Classifier::Load(options));
  EXPECT_THAT(classifier->gazetteer_version(), ::testing::MatchesRegex("[0-9a-f]{16}\\+[0-9a-f]{16}"));
}

}  // namespace
}  // namespace dateline::classifier
