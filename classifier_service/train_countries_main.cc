#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <iterator>
#include <map>
#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

#include "CLI/CLI.hpp"
#include "classifier_service/country_articles.h"
#include "classifier_service/country_tagger.h"
#include "classifier_service/gazetteer.h"
#include "classifier_service/issue_trainer_corpus.h"
#include "classifier_service/publish_check.h"
#include "classifier_service/train_countries.h"
#include "common/status_macros.h"

namespace dateline::classifier {
namespace {

void Print(const std::string& text) { std::fputs(text.c_str(), stdout); }

// Says what was odd; what has no complete list of countries is of no use here.
absl::StatusOr<std::vector<CountryArticle>> ReadArticles(const std::string& path, absl::string_view split,
                                                         const Gazetteer& gazetteer, bool keep_going,
                                                         absl::FunctionRef<void(absl::string_view)> progress) {
  BrokenLines broken;
  absl::StatusOr<LabelledCountryArticles> labelled =
      ReadLabelledCountryArticles(path, split, gazetteer, keep_going ? &broken : nullptr);
  if (absl::IsInvalidArgument(labelled.status())) {
    return absl::InvalidArgumentError(
        absl::StrCat(labelled.status().message(), " (--keep_going leaves such lines out)"));
  }
  RETURN_IF_ERROR(labelled.status());
  for (const std::string& problem : broken.problems) {
    progress(absl::StrCat("left out: ", problem));
  }
  if (broken.count > 0) {
    progress(absl::StrCat(path, ": ", broken.count, " broken lines left out"));
  }
  if (labelled->unlabelled > 0) {
    progress(absl::StrCat(path, ": ", labelled->unlabelled,
                          " articles left out: their list of countries is missing or not complete; [] means none"));
  }
  if (!labelled->groups.empty()) {
    progress(absl::StrCat(path, ": labels that are groups, no countries, and count for nothing: ",
                          absl::StrJoin(labelled->groups, ", ", [](std::string* out, const auto& one) {
                            absl::StrAppend(out, one.first, " (", one.second, ")");
                          })));
  }
  return std::move(labelled->articles);
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

// A model that is there already; null if there is no file. An error: the file is something else, and is not to be
// written over.
absl::StatusOr<std::unique_ptr<CountryModel>> Published(const std::string& path) {
  absl::StatusOr<std::unique_ptr<CountryModel>> model = CountryModel::Load(path);
  if (absl::IsNotFound(model.status())) {
    return nullptr;
  }
  if (!model.ok()) {
    return NotReplaceable(model.status());
  }
  return model;
}

// One in so many, by its id, so that a later training holds out the same ones.
std::vector<CountryArticle> TakeHeldOut(int hold_out, std::vector<CountryArticle>& articles) {
  if (hold_out == 0) {
    return {};
  }
  const auto first = std::stable_partition(articles.begin(), articles.end(), [&](const CountryArticle& article) {
    return HashOfId(article.id) % static_cast<uint32_t>(hold_out) != 0;
  });
  std::vector<CountryArticle> held_out(std::make_move_iterator(first), std::make_move_iterator(articles.end()));
  articles.erase(first, articles.end());
  return held_out;
}

// Compares the new model with the published one on what neither has learned from.
absl::Status CheckPublishable(const std::string& path, const Gazetteer& gazetteer, const CountryModel& published,
                              const CountryModel& fresh, const std::vector<CountryArticle>& held_out,
                              absl::FunctionRef<void(absl::string_view)> progress) {
  std::vector<CountryArticle> unseen;
  std::copy_if(held_out.begin(), held_out.end(), std::back_inserter(unseen), [&](const CountryArticle& article) {
    return !published.InTraining(article.text).value_or(false) && !fresh.InTraining(article.text).value_or(false);
  });
  if (unseen.empty()) {
    return NothingToCompareOn(path);
  }
  constexpr size_t kEnoughToTell = 50;
  if (unseen.size() < kEnoughToTell) {
    progress(absl::StrCat("warning: the two models were compared on ", unseen.size(),
                          " articles only, which hardly tells them apart; give more with --articles or --evaluate. "
                          "`classifier_train rollback` takes back what is published"));
  }
  if (published.training_texts.empty()) {
    progress(absl::StrCat("the model at ", path,
                          " doesn't say what it was trained on; if it knows these articles, its figure is too good"));
  }
  const auto f1_of = [&](const CountryModel& model) {
    return EvaluateCountries(PredictCountries(CountryTagger(gazetteer, model), unseen)).f1.value;
  };
  return CheckNotWorse(path, f1_of(published), f1_of(fresh), static_cast<int>(unseen.size()), "held-out articles");
}

}  // namespace

CLI::App* AddTrainCountries(CLI::App& app, TrainCountriesFlags& flags) {
  CLI::App* command = app.add_subcommand("countries",
                                         "Train the country model and write it.\n\nFits how mentions and words become "
                                         "a country's probability, and a site's "
                                         "own habits for countries with enough\nexamples. The figures are of articles "
                                         "that no training had seen: by folds, "
                                         "thresholds included.\n\nA model that does worse than the one at --output is "
                                         "not published, nor one of which nothing says whether it\ndoes. What was "
                                         "there is kept as FILE.previous.");
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
  command->add_flag("--keep_going", flags.keep_going,
                    "Leave out broken lines, articles without a text and those with a country that the gazetteer "
                    "doesn't know, and say which");
  command
      ->add_option(
          "--hold_out", flags.hold_out,
          "Of --articles, keep one in so many out of training, to compare models on; 0: none, they are compared "
          "on --evaluate")
      ->check(CLI::Range(0, 1000))
      ->capture_default_str();
  command->add_flag("--force", flags.force,
                    "Publish also a model that does worse than the one at --output, or that nothing tells from it");
  command->add_option("--evaluate", flags.evaluate, "Articles to measure the new model on, as --articles")
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
  command
      ->add_flag("--leads,!--no_leads", flags.train.leads,
                 "Learn from the beginning of each article, too, as if it were one, so that teasers are judged as well "
                 "(not with --habits)")
      ->default_str("true");
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
  std::unique_ptr<CountryModel> published;
  if (!flags.force) {
    ASSIGN_OR_RETURN(published, Published(flags.output));
  }
  ASSIGN_OR_RETURN(const std::unique_ptr<Gazetteer> gazetteer, Gazetteer::Load(flags.gazetteer));
  ASSIGN_OR_RETURN(std::vector<CountryArticle> articles,
                   ReadArticles(flags.articles, flags.split, *gazetteer, flags.keep_going, progress));
  std::vector<CountryArticle> held_out = TakeHeldOut(flags.hold_out, articles);
  CountryTrainOptions options = flags.train;
  options.train_time = train_time;
  options.notes = absl::StrFormat(
      "classifier_train countries: %d articles, gazetteer %s; C %g, of words %g; %d folds, seed %d, at least %d "
      "examples",
      articles.size(), gazetteer->version(), options.cost, options.word_cost, options.folds, options.seed,
      options.min_examples);
  ASSIGN_OR_RETURN(CountryTrainResult result, TrainCountryModel(*gazetteer, articles, options, progress));
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
  // Measured as it will be used: read back from the bytes of the file.
  ASSIGN_OR_RETURN(const std::unique_ptr<CountryModel> model,
                   CountryModel::Decode(result.model.Encode(), flags.output));
  const CountryTagger tagger(*gazetteer, *model);
  if (!held_out.empty()) {
    PrintFigures("held out", PredictCountries(tagger, held_out));
  }
  const bool by_hold_out = !held_out.empty();
  for (const std::string& path : flags.evaluate) {
    ASSIGN_OR_RETURN(std::vector<CountryArticle> unseen,
                     ReadArticles(path, flags.evaluate_split, *gazetteer, flags.keep_going, progress));
    PrintFigures(path.substr(path.rfind('/') + 1), PredictCountries(tagger, unseen));
    if (!by_hold_out) {
      std::move(unseen.begin(), unseen.end(), std::back_inserter(held_out));
    }
  }
  if (published != nullptr) {
    RETURN_IF_ERROR(CheckPublishable(flags.output, *gazetteer, *published, *model, held_out, progress));
  }
  RETURN_IF_ERROR(result.model.Publish(flags.output));
  SayPublished(flags.output, result.model.version, progress);
  return absl::OkStatus();
}

}  // namespace dateline::classifier
