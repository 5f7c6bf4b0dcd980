// classifier_train: makes and measures issue models and country models. Links no gRPC.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

#include "CLI/CLI.hpp"
#include "classifier_service/issue_model.h"
#include "classifier_service/issue_tagger.h"
#include "classifier_service/issue_trainer.h"
#include "classifier_service/issue_trainer_corpus.h"
#include "classifier_service/taxonomy.h"
#include "classifier_service/train_countries.h"
#include "common/program.h"
#include "common/status_macros.h"
#include "common/version.h"

namespace {

using dateline::classifier::Corpus;
using dateline::classifier::CorpusOptions;
using dateline::classifier::EvaluateIssues;
using dateline::classifier::Evaluation;
using dateline::classifier::FormatEvaluation;
using dateline::classifier::HeldOutSet;
using dateline::classifier::IssueModel;
using dateline::classifier::IssueModelInfo;
using dateline::classifier::IssueTagger;
using dateline::classifier::LabelledArticle;
using dateline::classifier::Taxonomy;
using dateline::classifier::TrainOptions;
using dateline::classifier::TrainResult;
using dateline::classifier::UnknownLabels;

struct Flags {
  std::string taxonomy;
  std::string output;
  std::string model;
  std::string articles;
  std::string date;
  CorpusOptions corpus;
  TrainOptions train;
  dateline::classifier::TrainCountriesFlags countries;
};

void Print(const std::string& text) { std::fputs(text.c_str(), stdout); }

// NOLINTNEXTLINE(cert-err58-cpp): absl::Now() throws nothing.
const absl::Time kStart = absl::Now();

// Progress goes to stderr, so that the tables on stdout can be kept.
void Progress(absl::string_view message) {
  std::fprintf(stderr, "%6.1f s  %s\n", absl::ToDoubleSeconds(absl::Now() - kStart), std::string(message).c_str());
}

absl::StatusOr<absl::Time> TrainTime(const std::string& date) {
  if (date.empty()) {
    // The day only: a model should not differ from its twin by the minute it was made.
    return absl::FromUnixSeconds(absl::ToUnixSeconds(absl::Now()) / 86'400 * 86'400);
  }
  absl::Time time;
  std::string error;
  if (!absl::ParseTime("%Y-%m-%d", date, &time, &error)) {
    return absl::InvalidArgumentError(absl::StrCat("--date: \"", date, "\" is no day; write it as 2026-01-31"));
  }
  return time;
}

// The model's own account of itself: what it does on gold articles it has not seen.
void Report(const Evaluation& evaluation, IssueModel& model) {
  model.report.quality = evaluation.quality;
  for (const Evaluation::Issue& issue : evaluation.issues) {
    for (IssueModelInfo& info : model.report.issues) {
      if (info.issue_id == issue.issue_id) {
        info.quality = issue.quality;
      }
    }
  }
}

absl::StatusOr<Taxonomy> LoadTaxonomy(const std::string& path) {
  absl::StatusOr<Taxonomy> taxonomy = Taxonomy::Load(path);
  if (absl::IsNotFound(taxonomy.status())) {
    return absl::NotFoundError(absl::StrCat("--taxonomy: ", taxonomy.status().message()));
  }
  return taxonomy;
}

absl::Status Issues(const Flags& flags) {
  ASSIGN_OR_RETURN(const Taxonomy taxonomy, LoadTaxonomy(flags.taxonomy));
  TrainOptions options = flags.train;
  ASSIGN_OR_RETURN(options.train_time, TrainTime(flags.date));
  ASSIGN_OR_RETURN(const Corpus corpus, LoadCorpus(flags.corpus, Progress));
  options.notes = absl::StrFormat(
      "classifier_train issues: %d articles; left out %d by id and %d by text of test splits and gold; C %g, %d terms, "
      "gold weight %d, one gold article in %d held out, weight of labelled ones %d, %d folds, seed %d",
      corpus.train.size(), corpus.dropped_by_id, corpus.dropped_by_text, options.cost, options.max_terms,
      flags.corpus.gold_weight, flags.corpus.gold_held_out,
      flags.corpus.labelled_file.empty() ? 0 : flags.corpus.labelled_weight, options.folds, options.seed);
  ASSIGN_OR_RETURN(TrainResult result, TrainIssueModel(corpus, taxonomy, options, Progress));

  Report(result.gold_folds, result.model);
  RETURN_IF_ERROR(WriteIssueModel(flags.output, result.model));
  std::error_code error;
  const uintmax_t size = std::filesystem::file_size(flags.output, error);
  Progress(absl::StrCat("wrote ", flags.output, ", ", error ? 0 : size, " bytes: ", result.model.report.model_version));

  // Measured as it will be used: read back from the file.
  ASSIGN_OR_RETURN(const std::unique_ptr<IssueTagger> tagger, IssueTagger::Load(flags.output, taxonomy));
  Print(FormatEvaluation("gold, by folds", result.gold_folds, true));
  for (const HeldOutSet& held_out : corpus.held_out) {
    Print(FormatEvaluation(absl::StrCat(held_out.name, " (held out)"),
                           EvaluateIssues(*tagger, taxonomy, held_out.articles), held_out.name == "gold"));
  }
  return absl::OkStatus();
}

absl::Status Countries(const Flags& flags) {
  ASSIGN_OR_RETURN(const absl::Time train_time, TrainTime(flags.date));
  return TrainCountries(flags.countries, train_time, Progress);
}

absl::Status Evaluate(const Flags& flags) {
  ASSIGN_OR_RETURN(const Taxonomy taxonomy, LoadTaxonomy(flags.taxonomy));
  ASSIGN_OR_RETURN(const std::unique_ptr<IssueTagger> tagger, IssueTagger::Load(flags.model, taxonomy));
  Print(absl::StrCat("model ", tagger->info().model_version, ", taxonomy ", taxonomy.version(), "\n"));
  if (!flags.articles.empty()) {
    ASSIGN_OR_RETURN(const std::vector<LabelledArticle> articles,
                     dateline::classifier::ReadLabelledArticles(flags.articles));
    Print(FormatEvaluation("articles", EvaluateIssues(*tagger, taxonomy, articles), true));
    return absl::OkStatus();
  }
  CorpusOptions options = flags.corpus;
  options.with_training = false;
  ASSIGN_OR_RETURN(const Corpus corpus, LoadCorpus(options, Progress));
  for (const HeldOutSet& held_out : corpus.held_out) {
    size_t bytes = 0;
    for (const LabelledArticle& article : held_out.articles) {
      bytes += article.title.size() + article.body.size();
    }
    const std::clock_t start = std::clock();  // Of the processor: what else the machine does should not count.
    const Evaluation evaluation = EvaluateIssues(*tagger, taxonomy, held_out.articles);
    const double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
    Print(FormatEvaluation(absl::StrCat(held_out.name, " (held out)"), evaluation, true));
    Print(FormatEvaluation("  unknown as no",
                           EvaluateIssues(*tagger, taxonomy, held_out.articles, UnknownLabels::kAreNo), false));
    Print(absl::StrFormat("    scored at %.1f MB/s on one core\n", static_cast<double>(bytes) / 1e6 / seconds));
  }
  return absl::OkStatus();
}

absl::Status Show(const Flags& flags) {
  ASSIGN_OR_RETURN(const IssueModel model, dateline::classifier::ReadIssueModel(flags.model));
  Print(absl::StrCat("model        ", model.report.model_version, "\ntaxonomy     ", model.report.taxonomy_version,
                     " (fingerprint ", model.taxonomy_fingerprint, ")\ntrained      ",
                     absl::FormatTime("%Y-%m-%d", model.report.train_time, absl::UTCTimeZone()), " on ",
                     model.report.training_article_count, " articles\nvocabulary   ", model.vocabulary.size(),
                     " terms\nnotes        ", model.training_notes, "\n\n"));
  for (size_t issue = 0; issue < model.issues.size(); ++issue) {
    const IssueModelInfo& info = model.report.issues[issue];
    std::vector<std::pair<int, int32_t>> ranked;
    for (size_t term = 0; term < model.vocabulary.size(); ++term) {
      ranked.emplace_back(-model.weights[term * model.issues.size() + issue], static_cast<int32_t>(term));
    }
    constexpr size_t kShown = 15;
    const size_t shown = std::min(kShown, ranked.size());
    std::partial_sort(ranked.begin(), ranked.begin() + static_cast<long>(shown), ranked.end());
    Print(absl::StrFormat("%s: %d examples, threshold %.4f\n   ", info.issue_id, info.example_count, info.threshold));
    for (size_t i = 0; i < shown; ++i) {
      Print(absl::StrCat(i > 0 ? ", " : " ", model.vocabulary.term(ranked[i].second)));
    }
    Print("\n");
  }
  return absl::OkStatus();
}

void AddCorpusOptions(CLI::App* command, Flags& flags, bool required) {
  CLI::Option* data =
      command->add_option("--data", flags.corpus.data_dir,
                          "Folder with articles/ and issues/: the labelled articles, with their splits (docs/data.md)");
  data->type_name("FOLDER");
  if (required) {
    data->required();
  }
  command
      ->add_option("--gold_held_out", flags.corpus.gold_held_out,
                   "Hold out one gold article in so many, by a hash of its id; 0: none, to train on all of them")
      ->capture_default_str()
      ->check(CLI::Range(0, 1000));
}

void AddTaxonomyOption(CLI::App* command, Flags& flags) {
  command->add_option("--taxonomy", flags.taxonomy, "The issues: classifier_service/data/taxonomy/default.textproto")
      ->type_name("FILE")
      ->required();
}

}  // namespace

int main(int argc, char** argv) {
  Flags flags;
  CLI::App app(
      "Makes and measures the models that tag articles with issues and countries.\n\n"
      "An issue model belongs to a taxonomy: train again after adding, retiring or splitting an issue; not after a "
      "rename, a\n"
      "translation or a new alias. Test splits never enter training, neither by id nor by text.",
      "classifier_train");
  app.footer(
      "Examples:\n"
      "  classifier_train issues --data DATA --output classifier_service/data/model/issues.model \\\n"
      "      --taxonomy classifier_service/data/taxonomy/default.textproto\n"
      "  classifier_train evaluate --model issues.model --taxonomy default.textproto --articles mine.jsonl\n"
      "  classifier_train show --model issues.model\n"
      "  classifier_train countries --articles mine.jsonl --gazetteer gazetteer.tsv --output countries.model\n\n"
      "Exit status: 0 done, 1 failed with one line on stderr that says why, 2 wrong usage.");
  app.set_version_flag("--version", dateline::common::kVersion);
  app.require_subcommand(1);

  CLI::App* issues = app.add_subcommand(
      "issues",
      "Train a model and write it.\n\nPrints two kinds of figures. \"by folds\": every gold article in training judged "
      "by "
      "models made without it.\n\"held out\": articles that no training has seen, judged by the file just written.");
  AddTaxonomyOption(issues, flags);
  AddCorpusOptions(issues, flags, true);
  issues->add_option("--output", flags.output, "The model file to write")->type_name("FILE")->required();
  issues->add_option("--date", flags.date, "The day to write into the model, as 2026-01-31; default: today (UTC)");
  issues->add_option("--seed", flags.train.seed, "Another division into folds")->capture_default_str();
  issues->add_option("--threads", flags.train.threads, "Trainings at a time; the model does not depend on it")
      ->capture_default_str()
      ->check(CLI::Range(1, 256));
  issues->add_option("--terms", flags.train.max_terms, "Size of the vocabulary")
      ->capture_default_str()
      ->check(CLI::Range(100, 1'000'000));
  issues->add_option("--cost", flags.train.cost, "LIBLINEAR's C: larger fits the training articles closer")
      ->capture_default_str();
  issues->add_option("--folds", flags.train.folds, "Folds for calibration and thresholds")
      ->capture_default_str()
      ->check(CLI::Range(2, 20));
  issues
      ->add_option("--labelled", flags.corpus.labelled_file,
                   "More articles with complete labels (scripts/join_labels.py writes them): id, title, body, issues")
      ->check(CLI::ExistingFile);
  issues->add_option("--labelled_weight", flags.corpus.labelled_weight, "These count so often")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  issues->add_option("--gold_weight", flags.corpus.gold_weight, "Gold articles count so often")
      ->capture_default_str()
      ->check(CLI::Range(1, 1000));
  issues
      ->add_option("--seed_phrase_weight", flags.train.seed_phrase_weight, "Seed phrases count so often; 0: not at all")
      ->capture_default_str()
      ->check(CLI::Range(0, 1000));

  CLI::App* countries = dateline::classifier::AddTrainCountries(app, flags.countries);
  countries->add_option("--date", flags.date, "The day to write into the model, as 2026-01-31; default: today (UTC)");

  CLI::App* evaluate = app.add_subcommand(
      "evaluate", "Measure a model, on the held-out articles of --data or on --articles of your own.");
  AddTaxonomyOption(evaluate, flags);
  AddCorpusOptions(evaluate, flags, false);
  evaluate->add_option("--model", flags.model, "The model file")->type_name("FILE")->required();
  evaluate
      ->add_option("--articles", flags.articles,
                   "JSON Lines (or .zst) with id, title, body, issues; all of an article's issues must be given")
      ->type_name("FILE");
  evaluate->callback([&] {
    if (flags.articles.empty() == flags.corpus.data_dir.empty()) {
      throw CLI::ValidationError("evaluate", "give either --data or --articles");
    }
  });

  CLI::App* show = app.add_subcommand("show", "Print what a model was trained on and the terms that weigh most.");
  show->add_option("--model", flags.model, "The model file")->type_name("FILE")->required();

  if (const std::optional<int> status = dateline::common::StartProgram(app, argc, argv)) return *status;
  const absl::Status status = *issues      ? Issues(flags)
                              : *countries ? Countries(flags)
                              : *evaluate  ? Evaluate(flags)
                                           : Show(flags);
  if (!status.ok()) {
    std::fprintf(stderr, "classifier_train: %s\n", std::string(status.message()).c_str());
    return EXIT_FAILURE;
  }
  return EXIT_SUCCESS;
}
