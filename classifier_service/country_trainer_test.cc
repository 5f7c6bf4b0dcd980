#include "classifier_service/country_trainer.h"

#include <algorithm>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace dateline::classifier {
namespace {

using ::dateline::testing::StatusIs;
using ::dateline::testing::TempDir;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::DoubleNear;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

void Quiet(absl::string_view /*message*/) {}

std::unique_ptr<Gazetteer> SmallGazetteer() {
  return Gazetteer::Parse(
             "Iran\tIR\tNAME\ten\ttest\t\t\tdisplay\nIranian\tIR\tDEMONYM\ten\ttest\t\t\t\n"
             "United States\tUS\tNAME\ten\ttest\t\t\tdisplay\nFrance\tFR\tNAME\ten\ttest\t\t\tdisplay\n",
             "test")
      .value();
}

// Enough different words, of which a subject's are some, for word models to have something to go by.
CountryArticle Article(int number, const std::string& opening, std::vector<std::string> words,
                       std::vector<std::string> countries) {
  CountryArticle article;
  article.id = absl::StrCat("test/", number);
  article.text.body = opening;
  for (int i = 0; i < 24; ++i) {
    absl::StrAppend(&article.text.body, " ", words[static_cast<size_t>(i + number) % words.size()], " plain",
                    (i + number) % 7, "x");
  }
  article.countries = std::move(countries);
  article.labelled = true;
  return article;
}

const std::vector<std::string>& Football() {
  static const auto* const kWords = new std::vector<std::string>{
      "quarterback", "touchdown", "superbowl", "linebacker", "halftime", "stadium", "playoff", "roster",
      "huddle",      "fumble",    "punter",    "gridiron",   "sideline", "blitz",   "draft",   "cornerback"};
  return *kWords;
}

const std::vector<std::string>& Baking() {
  static const auto* const kWords =
      new std::vector<std::string>{"flour", "butter", "sugar", "whisk", "oven", "dough", "yeast",  "pastry",
                                   "crumb", "glaze",  "knead", "salt",  "bowl", "sieve", "batter", "spatula"};
  return *kWords;
}

// A site that files football under `US` without naming it, and recipes under nothing.
std::vector<CountryArticle> Habits() {
  std::vector<CountryArticle> articles;
  for (int i = 0; i < 40; ++i) {
    articles.push_back(Article(3 * i, "Iran votes. Iranian voters queue.", Baking(), {"IR"}));
    articles.push_back(Article(3 * i + 1, "A team won.", Football(), {"US"}));
    articles.push_back(Article(3 * i + 2, "A cake rose.", Baking(), {}));
  }
  return articles;
}

CountryTrainOptions Options() {
  CountryTrainOptions options;
  options.train_time = absl::FromUnixSeconds(1'700'000'000);
  return options;
}

TEST(CountryTrainerTest, LearnsASitesHabitsAndWhenNoCountryIsTheSubject) {
  const auto gazetteer = SmallGazetteer();
  ASSERT_OK_AND_ASSIGN(CountryTrainResult result, TrainCountryModel(*gazetteer, Habits(), Options(), Quiet));
  EXPECT_EQ(result.held_out.size(), 120);
  EXPECT_GE(EvaluateCountries(result.held_out).f1.value, 0.95);
  ASSERT_OK_AND_ASSIGN(const auto model, CountryModel::Decode(result.model.Encode(), "test"));
  const CountryTagger tagger(*gazetteer, *model);
  const CountryTags football = tagger.Tag(Article(1000, "Another team lost.", Football(), {}).text, {});
  ASSERT_EQ(football.countries.size(), 1);
  EXPECT_EQ(football.countries.front().id, "US");
  // Nothing mentions it: its words are the evidence.
  ASSERT_FALSE(football.countries.front().evidence.empty());
  for (const Evidence& evidence : football.countries.front().evidence) {
    EXPECT_THAT(evidence.kind, ::testing::AnyOf("WORD", "PHRASE"));
    EXPECT_GT(evidence.weight, 0.0);
    ASSERT_TRUE(evidence.span.has_value());
  }
  EXPECT_THAT(tagger.Tag(Article(1001, "Another cake fell.", Baking(), {}).text, {}).countries, IsEmpty());
  EXPECT_EQ(tagger.Tag(Article(1002, "Iran counts. Iranian officials wait.", Baking(), {}).text, {}).countries.size(),
            1);
}

// Its country is named in each of its sentences; another one once, at the end, as in a reply.
CountryArticle LongArticle(int number) {
  CountryArticle article;
  article.id = absl::StrCat("long/", number);
  for (int i = 0; i < 20; ++i) {
    absl::StrAppend(&article.text.body, number % 2 == 0 ? "Iran" : "France", " counts ", Baking()[(i + number) % 16],
                    " and ", Baking()[(i * 3 + number) % 16], " all day long. ");
  }
  absl::StrAppend(&article.text.body, number % 2 == 0 ? "France waits." : "Iran waits.");
  article.countries = {number % 2 == 0 ? "IR" : "FR"};
  article.labelled = true;
  return article;
}

TEST(CountryTrainerTest, BeginningsOfArticlesTeachWhatOneMentionIsWorthInAShortText) {
  const auto gazetteer = SmallGazetteer();
  std::vector<CountryArticle> articles;
  for (int i = 0; i < 80; ++i) articles.push_back(LongArticle(i));
  CountryTrainOptions options = Options();
  ASSERT_OK_AND_ASSIGN(const CountryTrainResult both, TrainCountryModel(*gazetteer, articles, options, Quiet));
  options.leads = false;
  ASSERT_OK_AND_ASSIGN(const CountryTrainResult whole, TrainCountryModel(*gazetteer, articles, options, Quiet));
  // They are nothing to report on, nor to count.
  EXPECT_EQ(both.held_out.size(), 80);
  EXPECT_EQ(both.model.training_article_count, 80);
  EXPECT_EQ(both.model.vocabulary.size(), whole.model.vocabulary.size());
  ArticleText teaser;
  teaser.body = "Iran counts flour and butter all day long.";
  const std::vector<CountryScore> by_both = CountryTagger(*gazetteer, both.model).Score(teaser);
  const std::vector<CountryScore> by_whole = CountryTagger(*gazetteer, whole.model).Score(teaser);
  ASSERT_EQ(by_both.size(), 1);
  ASSERT_EQ(by_whole.size(), 1);
  EXPECT_GT(by_both.front().score, by_whole.front().score);
}

TEST(CountryTrainerTest, TheSameArticlesGiveTheSameBytesOnAnyNumberOfThreads) {
  const auto gazetteer = SmallGazetteer();
  CountryTrainOptions options = Options();
  options.threads = 1;
  ASSERT_OK_AND_ASSIGN(CountryTrainResult one, TrainCountryModel(*gazetteer, Habits(), options, Quiet));
  options.threads = 3;
  ASSERT_OK_AND_ASSIGN(CountryTrainResult three, TrainCountryModel(*gazetteer, Habits(), options, Quiet));
  EXPECT_EQ(one.model.Encode(), three.model.Encode());
}

TEST(CountryTrainerTest, TheModelKnowsWhatItWasTrainedOn) {
  const auto gazetteer = SmallGazetteer();
  const std::vector<CountryArticle> articles = Habits();
  ASSERT_OK_AND_ASSIGN(const CountryTrainResult result, TrainCountryModel(*gazetteer, articles, Options(), Quiet));
  for (const CountryArticle& article : articles) {
    EXPECT_EQ(result.model.InTraining(article.text), true) << article.id;
  }
  ArticleText unseen;
  unseen.body = "Iran counts the votes of a ballot that nobody has described in any of the articles before.";
  EXPECT_EQ(result.model.InTraining(unseen), false);
}

TEST(CountryTrainerTest, CountriesWithFewExamplesHaveNoWordModel) {
  const auto gazetteer = SmallGazetteer();
  std::vector<CountryArticle> articles = Habits();
  articles.push_back(Article(500, "France strikes.", Baking(), {"FR"}));
  ASSERT_OK_AND_ASSIGN(const CountryTrainResult result, TrainCountryModel(*gazetteer, articles, Options(), Quiet));
  std::vector<std::string> codes;
  for (const CountryWords& words : result.model.words) {
    codes.push_back(words.region_code);
  }
  EXPECT_THAT(codes, ElementsAre("", "IR", "US"));
}

// A source that files reports under where they come from, and business under `US` without naming it.
std::vector<CountryArticle> Newswire() {
  std::vector<CountryArticle> articles;
  for (int i = 0; i < 40; ++i) {
    articles.push_back(Article(3 * i, "TEHRAN, March 3 - Voters queue.", Baking(), {"IR"}));
    articles.push_back(Article(3 * i + 1, "A team won.", Football(), {"US"}));
    articles.push_back(Article(3 * i + 2, "A cake rose.", Baking(), {}));
  }
  // Too few for a word model.
  for (int i = 200; i < 210; ++i) {
    articles.push_back(Article(i, "PARIS, March 3 - Bakers strike.", Baking(), {"FR"}));
  }
  return articles;
}

std::unique_ptr<Gazetteer> GazetteerOfCapitals() {
  return Gazetteer::Parse(
             "Iran\tIR\tNAME\ten\ttest\t\t\tdisplay\nTehran\tIR\tCAPITAL\ten\ttest\t\t\t\n"
             "United States\tUS\tNAME\ten\ttest\t\t\tdisplay\nFrance\tFR\tNAME\ten\ttest\t\t\tdisplay\n"
             "Paris\tFR\tCAPITAL\ten\ttest\t\t\t\n",
             "test")
      .value();
}

TEST(CountryTrainerTest, OneSourcesHabitsCountWhereReportsWereFiledAndAreShown) {
  const auto gazetteer = GazetteerOfCapitals();
  CountryTrainOptions options = Options();
  options.habits = true;
  options.word_cost = 1.0;
  ASSERT_OK_AND_ASSIGN(CountryTrainResult result, TrainCountryModel(*gazetteer, Newswire(), options, Quiet));
  EXPECT_GE(EvaluateCountries(result.held_out).f1.value, 0.95);
  ASSERT_OK_AND_ASSIGN(const auto model, CountryModel::Decode(result.model.Encode(), "test"));
  const CountryTagger tagger(*gazetteer, *model);

  const CountryTags football = tagger.Tag(Article(1000, "Another team lost.", Football(), {}).text, {});
  ASSERT_EQ(football.countries.size(), 1);
  EXPECT_EQ(football.countries.front().id, "US");
  EXPECT_TRUE(football.countries.front().primary);
  const std::vector<Evidence>& evidence = football.countries.front().evidence;
  const auto habit =
      std::find_if(evidence.begin(), evidence.end(), [](const Evidence& one) { return one.kind == "HABIT"; });
  ASSERT_NE(habit, evidence.end());
  EXPECT_GT(habit->weight, 0.0);
  EXPECT_FALSE(habit->span.has_value());

  // France has no word model, and nothing but the dateline speaks for it.
  const CountryTags strike = tagger.Tag(Article(1001, "PARIS, March 4 - Bakers return.", Baking(), {}).text, {});
  ASSERT_EQ(strike.countries.size(), 1);
  EXPECT_EQ(strike.countries.front().id, "FR");
  EXPECT_THAT(tagger.Tag(Article(1002, "Another cake fell.", Baking(), {}).text, {}).countries, IsEmpty());
}

TEST(CountryTrainerTest, WithoutHabitsADatelineMakesNoCandidateBesideACountryThatIsNamed) {
  const auto gazetteer = GazetteerOfCapitals();
  ASSERT_OK_AND_ASSIGN(CountryTrainResult result, TrainCountryModel(*gazetteer, Newswire(), Options(), Quiet));
  ASSERT_OK_AND_ASSIGN(const auto model, CountryModel::Decode(result.model.Encode(), "test"));
  const CountryTagger tagger(*gazetteer, *model);
  const std::string body = "PARIS, March 4 - Bakers of Tehran return.";
  for (const CountryScore& score : tagger.Score(Article(1001, body, Baking(), {}).text)) {
    EXPECT_NE(score.region_code, "FR");
  }
  for (const Tag& tag : tagger.Tag(Article(1000, "Another team lost.", Football(), {}).text, {}).countries) {
    for (const Evidence& evidence : tag.evidence) {
      EXPECT_NE(evidence.kind, "HABIT");
    }
  }
}

TEST(CountryTrainerTest, HabitsGiveTheSameBytesOnAnyNumberOfThreads) {
  const auto gazetteer = GazetteerOfCapitals();
  CountryTrainOptions options = Options();
  options.habits = true;
  options.threads = 1;
  ASSERT_OK_AND_ASSIGN(CountryTrainResult one, TrainCountryModel(*gazetteer, Newswire(), options, Quiet));
  options.threads = 3;
  ASSERT_OK_AND_ASSIGN(CountryTrainResult three, TrainCountryModel(*gazetteer, Newswire(), options, Quiet));
  EXPECT_EQ(one.model.Encode(), three.model.Encode());
}

TEST(CountryArticlesTest, PutsADatelineBackOnce) {
  CountryArticle article;
  article.dateline = "CLEVELAND, Feb 26 -";
  article.text.body = "Standard Oil said.";
  RestoreDateline(article);
  EXPECT_EQ(article.text.body, "CLEVELAND, Feb 26 - Standard Oil said.");
  RestoreDateline(article);
  EXPECT_EQ(article.text.body, "CLEVELAND, Feb 26 - Standard Oil said.");
  article.text.body.clear();
  RestoreDateline(article);
  EXPECT_EQ(article.text.body, "CLEVELAND, Feb 26 -");
}

TEST(CountryArticlesTest, ReadsTheDateline) {
  const TempDir dir;
  const std::string path = dir.path() + "/articles.jsonl";
  std::ofstream(path) << R"({"id": "1", "body": "Standard Oil said.", "dateline": "CLEVELAND, Feb 26 -"})"
                      << "\n"
                      << R"({"id": "2", "body": "Nothing more."})"
                      << "\n";
  std::vector<std::string> datelines;
  ASSERT_OK(ForEachCountryArticle(path, [&](const CountryArticle& article) { datelines.push_back(article.dateline); }));
  EXPECT_THAT(datelines, ElementsAre("CLEVELAND, Feb 26 -", ""));
}

TEST(CountryArticlesTest, BrokenLinesAreNamedOrLeftOut) {
  const TempDir dir;
  const std::string path = dir.path() + "/articles.jsonl";
  std::ofstream(path) << R"({"id": 1, "body": "B", "countries": ["IR"]})"
                      << "\r\n\n"
                      << R"({"id": "2", "body": "B", "countries": [1]})"
                      << "\n"
                      << R"({"id": "3", "body": "B", "countries": ["IR"], "countries_complete": "yes"})"
                      << "\n"
                      << R"({"id": "4", "body": 4, "countries": []})"
                      << "\n{\n";
  std::vector<std::string> ids;
  const auto visit = [&](const CountryArticle& article) { ids.push_back(article.id); };
  EXPECT_THAT(ForEachCountryArticle(path, visit),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("line 3: countries: must be a list of strings")));
  ids.clear();
  BrokenLines broken;
  ASSERT_OK(ForEachCountryArticle(path, visit, &broken));
  EXPECT_THAT(ids, ElementsAre("1"));
  EXPECT_THAT(broken.problems, ElementsAre(HasSubstr("line 3"), HasSubstr("line 4: countries_complete"),
                                           HasSubstr("line 5: body: must be a string"), HasSubstr("line 6: ends")));
}

TEST(CountryArticlesTest, UnknownCountriesAndEmptyArticlesAreBrokenLines) {
  const std::unique_ptr<Gazetteer> gazetteer =
      Gazetteer::Parse(
          "Iran\tIR\tNAME\ten\ttest\t\t\tdisplay\nFrance\tFR\tNAME\ten\ttest\t\t\tdisplay\n"
          "North Korea\tKP\tNAME\ten\ttest\t\t\tdisplay\nKorea\tKP\tNAME\ten\ttest\t\t\talias\n"
          "South Korea\tKR\tNAME\ten\ttest\t\t\tdisplay\nKorea\tKR\tNAME\ten\ttest\t\t\talias\n"
          "Northern Pact\tpact\tNAME\ten\ttest\t\t\tdisplay\nIR\tpact\tMEMBER\t\ttest\t\t\t\n",
          "test")
          .value();
  const TempDir dir;
  const std::string path = dir.path() + "/articles.jsonl";
  std::ofstream(path) << R"({"id": 1, "body": "B", "countries": ["iran", "FR", "IR", "Northern Pact"]})"
                      << "\n"
                      << R"({"id": 2, "body": "B", "countries": ["IR", "Utopia\u001b"]})"
                      << "\n"
                      << R"({"id": 3, "body": " ", "title": "", "countries": ["IR"], "dateline": "ROME"})"
                      << "\n"
                      << R"({"id": 4, "body": "B", "countries": ["Korea"]})"
                      << "\n"
                      << R"({"id": 5, "countries": ["Utopia"], "split": "test"})"
                      << "\n"
                      << R"({"id": 6, "body": "B", "countries": ["IR"], "countries_complete": false})"
                      << "\n"
                      << R"({"id": 7, "title": "T", "countries": []})"
                      << "\n";
  EXPECT_THAT(ReadLabelledCountryArticles(path, "", *gazetteer).status(),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr("line 2: countries: \"Utopia?\" is no country"), HasSubstr("take it out"))));
  BrokenLines broken;
  const auto all = ReadLabelledCountryArticles(path, "", *gazetteer, &broken);
  ASSERT_OK(all.status());
  EXPECT_THAT(broken.problems, ElementsAre(HasSubstr("line 2: countries"), HasSubstr("line 3: no text; give"),
                                           HasSubstr("line 4: countries: \"Korea\" is no country of the gazetteer, or "
                                                     "the name of several"),
                                           HasSubstr("line 5: no text")));
  ASSERT_EQ(all->articles.size(), 2U);
  EXPECT_THAT(all->articles[0].countries, ElementsAre("FR", "IR"));
  EXPECT_THAT(all->groups, ElementsAre(Pair("pact", 1)));
  EXPECT_EQ(all->articles[1].id, "7");
  EXPECT_EQ(all->unlabelled, 1);
  // Of another split, nothing is looked at.
  BrokenLines none;
  ASSERT_OK(ReadLabelledCountryArticles(path, "train", *gazetteer, &none).status());
  EXPECT_EQ(none.count, 0U);
}

TEST(CountryTrainerTest, RefusesWhatItCannotLearnFrom) {
  const auto gazetteer = SmallGazetteer();
  EXPECT_THAT(TrainCountryModel(*gazetteer, {}, Options(), Quiet),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("\"countries\"")));
  EXPECT_THAT(TrainCountryModel(*gazetteer, {Article(1, "A", Baking(), {"DE"})}, Options(), Quiet),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("alpha-2")));
  CountryTrainOptions options = Options();
  options.folds = 1;
  EXPECT_THAT(TrainCountryModel(*gazetteer, Habits(), options, Quiet),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("folds")));
}

TEST(CountryTrainerTest, LabelsThatContradictTheTextsGiveABadModelAndNotABrokenOne) {
  const auto gazetteer = SmallGazetteer();
  std::vector<CountryArticle> articles;
  for (int i = 0; i < 30; ++i) {
    articles.push_back(Article(2 * i, "Iran votes. Iranian voters queue.", Baking(), {"US"}));
    articles.push_back(Article(2 * i + 1, "The United States votes. American voters queue.", Baking(), {"IR"}));
  }
  CountryTrainOptions options = Options();
  options.min_examples = 1000;  // Nor can words tell.
  ASSERT_OK_AND_ASSIGN(CountryTrainResult result, TrainCountryModel(*gazetteer, articles, options, Quiet));
  EXPECT_OK(CountryModel::Decode(result.model.Encode(), "test"));
}

CountryPrediction Prediction(std::vector<CountryPrediction::Candidate> candidates, std::vector<std::string> gold) {
  CountryPrediction prediction;
  prediction.candidates = std::move(candidates);
  prediction.gold = std::move(gold);
  return prediction;
}

TEST(CountryEvaluationTest, CountsTagsSilenceAndConfusions) {
  const CountryEvaluation evaluation = EvaluateCountries({
      Prediction({{"IR", 0.9, true}, {"US", 0.2, false}}, {"IR"}),
      Prediction({{"US", 0.8, true}}, {"GB"}),
      Prediction({}, {}),
      Prediction({{"FR", 0.3, false}}, {"FR"}),
  });
  EXPECT_EQ(evaluation.articles, 4);
  EXPECT_DOUBLE_EQ(evaluation.precision, 0.5);
  EXPECT_THAT(evaluation.recall, DoubleNear(1.0 / 3.0, 1e-12));
  EXPECT_DOUBLE_EQ(evaluation.f1.value, 0.4);
  EXPECT_LE(evaluation.f1.low, 0.4);
  EXPECT_GE(evaluation.f1.high, 0.4);
  EXPECT_THAT(evaluation.hit, DoubleNear(1.0 / 3.0, 1e-12));
  EXPECT_DOUBLE_EQ(evaluation.abstain_precision.value, 0.5);
  EXPECT_DOUBLE_EQ(evaluation.abstain_recall.value, 1.0);
  EXPECT_THAT(evaluation.confusions, Contains(Pair("US for GB", 1)));
  EXPECT_THAT(evaluation.confusions, Contains(Pair("nothing for FR", 1)));
}

TEST(CountryEvaluationTest, LeavesACountryOutOfTagsAndLabels) {
  const std::vector<CountryPrediction> predictions = {Prediction({{"IR", 0.9, true}, {"US", 0.9, true}}, {"IR"}),
                                                      Prediction({}, {"US"})};
  EXPECT_DOUBLE_EQ(EvaluateCountries(predictions).f1.value, 0.5);
  EXPECT_DOUBLE_EQ(EvaluateCountries(predictions, "US").f1.value, 1.0);
}

TEST(CountryEvaluationTest, WhatChanceExplainsIsNoCalibrationError) {
  std::vector<CountryPrediction> calibrated;
  std::vector<CountryPrediction> boastful;
  for (int i = 0; i < 200; ++i) {
    // Three in four are right.
    const std::vector<std::string> gold = i % 4 == 0 ? std::vector<std::string>{} : std::vector<std::string>{"IR"};
    calibrated.push_back(Prediction({{"IR", 0.77, true}}, gold));
    boastful.push_back(Prediction({{"IR", 0.97, true}}, gold));
  }
  const CountryEvaluation good = EvaluateCountries(calibrated);
  EXPECT_THAT(good.raw_calibration_error, DoubleNear(0.02, 1e-9));
  EXPECT_LT(good.calibration_error.value, good.raw_calibration_error);
  const CountryEvaluation bad = EvaluateCountries(boastful);
  EXPECT_THAT(bad.raw_calibration_error, DoubleNear(0.22, 1e-9));
  EXPECT_THAT(bad.calibration_error.value, DoubleNear(0.22, 1e-3));
}

}  // namespace
}  // namespace dateline::classifier
