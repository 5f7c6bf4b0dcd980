// Reuters PLACES (Reuters-21578, ModApte split), learned from its train split as a site's own habits would be: the same
// training as `classifier_train countries --articles reuters21578.jsonl.zst --split train --hold_out 0 --habits
// --min_terms 4 --min_examples 15 --word_cost 1 --terms 15000 --folds 3`, judged on the test split. Optional data;
// skipped where it is not there. Takes a minute or two.
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "classifier_service/country_articles.h"
#include "classifier_service/country_model.h"
#include "classifier_service/country_tagger.h"
#include "classifier_service/country_trainer.h"
#include "classifier_service/gazetteer.h"
#include "tests/support/shared_data.h"
#include "tests/support/status_matchers.h"

namespace dateline::quality {
namespace {

using namespace classifier;  // NOLINT(google-build-using-namespace): this test is about nothing else.

TEST(ReutersPlacesTest, LearnsTheHabitsOfOneSource) {
  const std::optional<std::string> path = testing::SharedFile("data/articles/reuters21578.jsonl.zst");
  if (!path) {
    GTEST_SKIP() << testing::SharedFileMissing("data/articles/reuters21578.jsonl.zst");
  }
  std::vector<CountryArticle> train;
  std::vector<CountryArticle> test;
  ASSERT_OK(ForEachCountryArticle(*path, [&](CountryArticle article) {
    RestoreDateline(article);
    if (article.labelled && article.split == "train") {
      train.push_back(std::move(article));
    } else if (article.labelled && article.split == "test") {
      test.push_back(std::move(article));
    }
  }));
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Gazetteer> gazetteer,
                       Gazetteer::Load("classifier_service/data/gazetteer/gazetteer.tsv"));
  CountryTrainOptions options;
  options.habits = true;
  options.min_terms = 4;
  options.min_examples = 15;
  options.word_cost = 1.0;
  options.max_terms = 15'000;
  options.folds = 3;
  options.train_time = absl::UnixEpoch();
  ASSERT_OK_AND_ASSIGN(CountryTrainResult result,
                       TrainCountryModel(*gazetteer, train, options, [](absl::string_view message) {
                         std::fprintf(stderr, "%s\n", std::string(message).c_str());
                       }));
  std::fputs(FormatCountryEvaluation("Reuters train, by folds", EvaluateCountries(result.held_out)).c_str(), stdout);
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<CountryModel> model, CountryModel::Decode(result.model.Encode(), "test"));
  const CountryTagger tagger(*gazetteer, *model);
  const std::vector<CountryPrediction> predictions = PredictCountries(tagger, test);
  const CountryEvaluation all = EvaluateCountries(predictions);
  const CountryEvaluation without = EvaluateCountries(predictions, "US");
  std::fputs(FormatCountryEvaluation("Reuters test", all).c_str(), stdout);
  std::fputs(FormatCountryEvaluation("  without US", without).c_str(), stdout);
  EXPECT_GE(all.f1.value, 0.90);
  EXPECT_GE(all.macro_f1, 0.80);
  EXPECT_GE(without.f1.value, 0.83);
}

}  // namespace
}  // namespace dateline::quality
