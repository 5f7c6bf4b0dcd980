#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>
#include <system_error>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

#include "CLI/CLI.hpp"
#include "classifier_service/country_articles.h"
#include "classifier_service/country_tagger.h"
#include "classifier_service/gazetteer.h"
#include "classifier_service/train_countries.h"
#include "common/status_macros.h"

namespace dateline::classifier {
namespace {

void Print(const std::string& text) { std::fputs(text.c_str(), stdout); }

// Names of countries become codes. Says what was odd; what has no complete list of countries is of no use here.
absl::StatusOr<std::vector<CountryArticle>> ReadArticles(const std::string& path, absl::string_view split,
                                                         const Gazetteer& gazetteer, bool keep_going,
                                                         absl::FunctionRef<void(absl::string_view)> progress) {
  std::vector<CountryArticle> articles;
  BrokenLines broken;
  int unlabelled = 0;
  std::map<std::string, int> unknown;
  const auto code_of = [&](const std::string& label) {
    if (gazetteer.FindRegion(label) != nullptr) {
      return label;
    }
    std::string code = gazetteer.FindByName(label);
    if (gazetteer.FindRegion(code) != nullptr) {
      return code;
    }
    ++unknown[label];
    return label;
  };
  absl::Status read = ForEachCountryArticle(
      path,
      [&](CountryArticle article) {
        if (!split.empty() && article.split != split) {
          return;
        }
        if (!article.labelled) {
          ++unlabelled;
          return;
        }
        std::transform(article.countries.begin(), article.countries.end(), article.countries.begin(), code_of);
        std::sort(article.countries.begin(), article.countries.end());
        RestoreDateline(article);
        articles.push_back(std::move(article));
      },
      keep_going ? &broken : nullptr);
  if (absl::IsInvalidArgument(read)) {
    return absl::InvalidArgumentError(absl::StrCat(read.message(), " (--keep_going leaves such lines out)"));
  }
  RETURN_IF_ERROR(read);
  for (const std::string& problem : broken.problems) {
    progress(absl::StrCat("left out: ", problem));
  }
  if (broken.count > 0) {
    progress(absl::StrCat(path, ": ", broken.count, " broken lines left out"));
  }
  if (unlabelled > 0) {
    progress(absl::StrCat(path, ": ", unlabelled,
                          " articles left out: their list of countries is missing or not complete; [] means none"));
  }
  if (!unknown.empty()) {
    progress(absl::StrCat(path, ": labels that are no country of the gazetteer: ",
                          absl::StrJoin(unknown, ", ", [](std::string* out, const auto& one) {
                            absl::StrAppend(out, one.first, " (", one.second, ")");
                          })));
  }
  return articles;
}

// All together, and by source where there are several.
void PrintFigures(absl::string_view name, const std::vector<CountryPrediction>& predictions) {
  constexpr size_t kMaxGroups = 12;
  constexpr size_t kShownConfusions = 10;
  const CountryEvaluation all = EvaluateCountries(predictions);
  Print(FormatCountryEvaluation(name, all));
  Print(FormatCountryEvaluation("  without US", EvaluateCountries(predictions, "US")));
  std::map<std::string, std::vector<CountryPrediction>> groups;
  for (const CountryPrediction& prediction : predictions) {
    groups[prediction.group].push_back(prediction);
  }
  if (groups.size() > 1 && groups.size() <= kMaxGroups) {
    for (const auto& [group, members] : groups) {
      Print(FormatCountryEvaluation(absl::StrCat("  ", group), EvaluateCountries(members)));
    }
  }
  std::vector<std::pair<int, std::string>> worst;
  for (const auto& [what, count] : all.confusions) {
    worst.emplace_back(-count, what);
  }
  std::sort(worst.begin(), worst.end());
  worst.resize(std::min(worst.size(), kShownConfusions));
  for (const auto& [count, what] : worst) {
    Print(absl::StrFormat("    %4d  %s\n", -count, what));
  }
}

// A file that is no country model is not to be written over: somebody has mistyped its name.
absl::Status CheckReplaceable(const std::string& path) {
  absl::Status read = CountryModel::Load(path).status();
  if (read.ok() || absl::IsNotFound(read)) {
    return absl::OkStatus();
  }
  return absl::Status(read.code(),
                      absl::StrCat("--output: ", read.message(), "; or remove it, if it is worth nothing"));
}

}  // namespace

CLI::App* AddTrainCountries(CLI::App& app, TrainCountriesFlags& flags) {
  CLI::App* command = app.add_subcommand("countries",
                                         "Train the country model and write it.\n\nFits how mentions and words become "
                                         "a country's probability, and a site's "
                                         "own habits for countries with enough\nexamples. The figures are of articles "
                                         "that no training had seen: by folds, "
                                         "thresholds included.\nWhat was at --output is kept as FILE.previous.");
  command->footer(
      "Examples:\n"
      "  classifier_train countries --articles mine.jsonl --gazetteer gazetteer.tsv --output countries.model\n"
      "  classifier_train countries --habits --min_examples 15 --articles mine.jsonl --gazetteer gazetteer.tsv \\\n"
      "      --output countries.model");
  command
      ->add_option("--articles", flags.articles,
                   "JSON Lines (or .zst): {\"id\", \"title\", \"body\", \"countries\": [all that apply, codes or "
                   "names], \"date\"}")
      ->type_name("FILE")
      ->required();
  command->add_option("--split", flags.split, "Only articles whose field \"split\" says so");
  command->add_option("--gazetteer", flags.gazetteer, "classifier_service/data/gazetteer/gazetteer.tsv")
      ->type_name("FILE")
      ->required();
  command->add_option("--output", flags.output, "The model file to write")->type_name("FILE")->required();
  command->add_flag("--keep_going", flags.keep_going, "Leave out broken lines, and say which");
  command->add_option("--evaluate", flags.evaluate, "Articles to measure the written model on, as --articles")
      ->type_name("FILE");
  command->add_option("--evaluate_split", flags.evaluate_split, "The split of --evaluate to measure on");
  command->add_option("--min_examples", flags.train.min_examples, "A country with fewer has no word model of its own")
      ->capture_default_str()
      ->check(CLI::Range(2, 1'000'000));
  command->add_option("--terms", flags.train.max_terms, "Words and phrases looked at")
      ->capture_default_str()
      ->check(CLI::Range(1, 1'000'000));
  command
      ->add_option("--min_terms", flags.train.min_terms,
                   "Words count only in texts with so many known terms; lower it for briefs of a few words")
      ->capture_default_str()
      ->check(CLI::Range(1, 1'000'000));
  command->add_flag(
      "--habits", flags.train.habits,
      "For one source that goes on as it is: names that the gazetteer knows are words, too, where a report "
      "was filed counts,\nrare countries have a threshold of their own; word models are support vector "
      "machines (--word_cost 1)");
  command->add_option("--word_cost", flags.train.word_cost, "LIBLINEAR's C of the word models")->capture_default_str();
  command->add_option("--cost", flags.train.cost, "LIBLINEAR's C of the ranker")->capture_default_str();
  command->add_option("--folds", flags.train.folds, "Folds for the figures, thresholds and word models")
      ->capture_default_str()
      ->check(CLI::Range(2, 20));
  command->add_option("--seed", flags.train.seed, "Another division into folds")->capture_default_str();
  command->add_option("--threads", flags.train.threads, "Trainings at a time; the model does not depend on it")
      ->capture_default_str()
      ->check(CLI::Range(1, 256));
  return command;
}

absl::Status TrainCountries(const TrainCountriesFlags& flags, absl::Time train_time,
                            absl::FunctionRef<void(absl::string_view)> progress) {
  RETURN_IF_ERROR(CheckReplaceable(flags.output));
  ASSIGN_OR_RETURN(const std::unique_ptr<Gazetteer> gazetteer, Gazetteer::Load(flags.gazetteer));
  ASSIGN_OR_RETURN(const std::vector<CountryArticle> articles,
                   ReadArticles(flags.articles, flags.split, *gazetteer, flags.keep_going, progress));
  CountryTrainOptions options = flags.train;
  options.train_time = train_time;
  options.notes = absl::StrFormat(
      "classifier_train countries: %d articles, gazetteer %s; C %g, of words %g; %d folds, seed %d, at least %d "
      "examples",
      articles.size(), gazetteer->version(), options.cost, options.word_cost, options.folds, options.seed,
      options.min_examples);
  ASSIGN_OR_RETURN(CountryTrainResult result, TrainCountryModel(*gazetteer, articles, options, progress));
  RETURN_IF_ERROR(result.model.Publish(flags.output));
  progress(absl::StrCat("wrote ", flags.output, ": ", result.model.version));
  std::error_code error;
  if (std::filesystem::exists(absl::StrCat(flags.output, ".previous"), error)) {
    progress(absl::StrCat("what was there is ", flags.output, ".previous; `classifier_train rollback --model ",
                          flags.output, "` brings it back"));
  }
  PrintFigures("held out, by folds", result.held_out);
  for (const auto& [name, profile] :
       {std::pair("strict", CountryProfile::kStrict), std::pair("default", CountryProfile::kDefault),
        std::pair("generous", CountryProfile::kGenerous)}) {
    const CountryThresholds& thresholds = result.model.thresholds[static_cast<size_t>(profile)];
    Print(absl::StrFormat("thresholds %-9s silent %.2f  first %.2f  other %.2f  crowded %.2f  rare %.2f\n", name,
                          thresholds.silent, thresholds.first, thresholds.other, thresholds.crowded, thresholds.rare));
  }
  for (size_t i = 0; i < kCountryRankerSize; ++i) {
    const absl::string_view name = i < kCountryFeatureNames.size()
                                       ? kCountryFeatureNames[i]
                                       : kCountryWordFeatureNames[i - kCountryFeatureNames.size()];
    Print(absl::StrFormat("  %-16s %8.4f\n", std::string(name), result.model.weights[i]));
  }
  for (size_t i = 0; i < kSilenceFeatureNames.size(); ++i) {
    Print(absl::StrFormat("  silence %-16s %8.4f\n", std::string(kSilenceFeatureNames[i]),
                          result.model.silence_weights[i]));
  }
  // Measured as it will be used: read back from the file.
  ASSIGN_OR_RETURN(const std::unique_ptr<CountryModel> model, CountryModel::Load(flags.output));
  const CountryTagger tagger(*gazetteer, *model);
  for (const std::string& path : flags.evaluate) {
    ASSIGN_OR_RETURN(const std::vector<CountryArticle> unseen,
                     ReadArticles(path, flags.evaluate_split, *gazetteer, flags.keep_going, progress));
    PrintFigures(path.substr(path.rfind('/') + 1), PredictCountries(tagger, unseen));
  }
  return absl::OkStatus();
}

}  // namespace dateline::classifier
