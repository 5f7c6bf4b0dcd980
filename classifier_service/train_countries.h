// The subcommand `countries` of classifier_train.
#ifndef DATELINE_CLASSIFIER_SERVICE_TRAIN_COUNTRIES_H_
#define DATELINE_CLASSIFIER_SERVICE_TRAIN_COUNTRIES_H_

#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

#include "classifier_service/country_trainer.h"

namespace CLI {
class App;
}  // namespace CLI

namespace dateline::classifier {

struct TrainCountriesFlags {
  std::string gazetteer;
  std::string articles;
  std::string split;
  std::string output;
  std::vector<std::string> evaluate;
  std::string evaluate_split;
  bool keep_going = false;
  int hold_out = 5;
  bool force = false;
  CountryTrainOptions train;
};

// Declares the subcommand; the caller declares --date and runs it.
CLI::App* AddTrainCountries(CLI::App& app, TrainCountriesFlags& flags);

// Trains, writes the model and prints its figures to standard output.
absl::Status TrainCountries(const TrainCountriesFlags& flags, absl::Time train_time,
                            absl::FunctionRef<void(absl::string_view)> progress);

}  // namespace dateline::classifier

#endif  // DATELINE_CLASSIFIER_SERVICE_TRAIN_COUNTRIES_H_
