// Trains and measures the country model (country_model.h): a word model for each country with enough examples, one for
// "no country", and the ranker that joins them with what the gazetteer finds; logistic regressions by LIBLINEAR, or,
// where one source's habits are learned, support vector machines for the words.
//
// The ranker sees word models' scores only of articles that these had not seen (folds); thresholds and the figures
// reported come from articles that neither had seen.
#ifndef DATELINE_CLASSIFIER_SERVICE_COUNTRY_TRAINER_H_
#define DATELINE_CLASSIFIER_SERVICE_COUNTRY_TRAINER_H_

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

#include "classifier_service/country_articles.h"
#include "classifier_service/country_model.h"
#include "classifier_service/country_tagger.h"
#include "classifier_service/gazetteer.h"

namespace dateline::classifier {

struct CountryTrainOptions {
  int folds = 5;
  int min_examples = 30;  // A country with fewer has no word model.
  int min_articles = 3;   // Terms in fewer articles are left out.
  int min_terms = 30;     // Words of a text count only where so many of its terms are known.
  // For one source that will go on as it has begun: its habits (country_habits.h). Names that the gazetteer knows are
  // words, too, places of filing are candidates, and rare countries have a threshold of their own. Elsewhere it would
  // give countries with a word model an advantage over others where all are named. Word models are support vector
  // machines, which learn the habits of many articles better and sooner.
  bool habits = false;
  // Learns from the beginning of each article, too, as if it were one: what teasers and feeds have of it, and all that
  // annotators mostly read. By whole articles alone, what is named once in a short text hardly counts. Not with
  // `habits`.
  bool leads = true;
  size_t max_terms = 30'000;  // The most frequent ones.
  double word_cost = 3.0;     // LIBLINEAR's C of the word models: larger fits closer.
  double cost = 1.0;          // The same of the ranker.
  int seed = 1;               // Decides which article is in which fold.
  int threads = 2;            // The result does not depend on it.
  absl::Time train_time;      // Written into the model.
  std::string notes;          // Written into the model: the command, for people.
};

// What was predicted of one article, and what is right.
struct CountryPrediction {
  struct Candidate {
    std::string region_code;
    double score = 0.0;
    bool tagged = false;
  };
  std::string id;
  std::string group;  // What figures are shown by: the source.
  std::vector<Candidate> candidates;
  std::vector<std::string> gold;  // Sorted.
};

// A figure and the interval that holds it in 95 of 100 resamplings of the articles (percentile bootstrap, seeded).
struct Interval {
  double value = 0.0;
  double low = 0.0;
  double high = 0.0;
};

// How tags agree with labels.
struct CountryEvaluation {
  int articles = 0;
  double precision = 0.0;  // Micro-averaged over all pairs of article and country.
  double recall = 0.0;
  Interval f1;
  double macro_f1 = 0.0;       // Mean over the countries that occur in the labels.
  double hit = 0.0;            // Of the articles with a country, those that are given a right one.
  double primary = 0.0;        // Of the articles with a country, those whose best tag is right.
  Interval abstain_precision;  // Of the articles given no country, those that have none.
  Interval abstain_recall;     // Of the articles that have none, those given none.
  int silent = 0;
  int without_country = 0;
  // Expected calibration error over scores of 0.05 and more, in ten bins of equal width, debiased: what chance alone
  // would give (the mean error of labels drawn by the scores) is taken off, down to 0.
  Interval calibration_error;
  double raw_calibration_error = 0.0;
  std::map<std::string, int> confusions;  // "US for GB": given wrongly while the other was missed.
};

// `without`: a country left out of tags and labels; empty: none.
CountryEvaluation EvaluateCountries(const std::vector<CountryPrediction>& predictions, absl::string_view without = "");

// What a tagger says of labelled articles.
std::vector<CountryPrediction> PredictCountries(const CountryTagger& tagger,
                                                const std::vector<CountryArticle>& articles,
                                                const CountryTagger::Options& options = {});

// A line of figures.
std::string FormatCountryEvaluation(absl::string_view name, const CountryEvaluation& evaluation);

struct CountryTrainResult {
  CountryModel model;
  std::vector<CountryPrediction> held_out;  // Each article by models that had not seen it, thresholds included.
};

// Trains a model. The same articles, gazetteer and options give the same model, to the byte. InvalidArgument if there
// are no articles, none of them has a country that the gazetteer knows, or options are out of range.
absl::StatusOr<CountryTrainResult> TrainCountryModel(const Gazetteer& gazetteer,
                                                     const std::vector<CountryArticle>& articles,
                                                     const CountryTrainOptions& options,
                                                     absl::FunctionRef<void(absl::string_view)> progress);

}  // namespace dateline::classifier

#endif  // DATELINE_CLASSIFIER_SERVICE_COUNTRY_TRAINER_H_
