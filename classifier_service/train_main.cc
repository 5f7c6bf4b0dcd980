// classifier_train: makes and measures issue models and country models. Links no gRPC.
#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

#include "CLI/CLI.hpp"
#include "classifier_service/country_model.h"
#include "classifier_service/issue_model.h"
#include "classifier_service/issue_tagger.h"
#include "classifier_service/issue_thresholds.h"
#include "classifier_service/issue_trainer.h"
#include "classifier_service/issue_trainer_corpus.h"
#include "classifier_service/publish_check.h"
#include "classifier_service/taxonomy.h"
#include "classifier_service/train_countries.h"
#include "common/printable.h"
#include "common/program.h"
#include "common/status_macros.h"
#include "common/version.h"

namespace {

using dateline::classifier::AdaptOptions;
using dateline::classifier::AdaptResult;
using dateline::classifier::ArticleText;
using dateline::classifier::BrokenLines;
using dateline::classifier::CheckNotWorse;
using dateline::classifier::Corpus;
using dateline::classifier::CorpusOptions;
using dateline::classifier::EvaluateIssues;
using dateline::classifier::Evaluation;
using dateline::classifier::FormatEvaluation;
using dateline::classifier::HeldOutSet;
using dateline::classifier::Issue;
using dateline::classifier::IssueLabelMap;
using dateline::classifier::IssueModel;
using dateline::classifier::IssueModelInfo;
using dateline::classifier::IssueTagger;
using dateline::classifier::IssueThreshold;
using dateline::classifier::LabelledArticle;
using dateline::classifier::LabelState;
using dateline::classifier::Learner;
using dateline::classifier::OwnArticles;
using dateline::classifier::Taxonomy;
using dateline::classifier::ThresholdChoice;
using dateline::classifier::ThresholdGoal;
using dateline::classifier::TrainOptions;
using dateline::classifier::TrainResult;
using dateline::classifier::UnknownLabels;

struct Flags {
  std::string taxonomy;
  std::string output;
  std::string model;
  std::string articles;            // evaluate
  std::vector<std::string> own;    // issues --articles
  std::vector<std::string> added;  // issues --add
  std::string base;
  int own_weight = 8;
  int hold_out = 5;
  std::vector<std::string> without;
  std::string label_map;
  ThresholdGoal goal;            // thresholds
  std::vector<std::string> set;  // thresholds: "politics=0.55".
  bool keep_going = false;
  bool force = false;
  std::string date;
  std::string learner = "auto";
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

// "Levant Desk (12), Opinion (3) and 4 more", most frequent first.
std::string NamesOf(const std::map<std::string, size_t>& counts) {
  constexpr size_t kNamesShown = 20;
  std::vector<std::pair<std::string, size_t>> sorted(counts.begin(), counts.end());
  std::stable_sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  const size_t shown = std::min(kNamesShown, sorted.size());
  std::string names = absl::StrJoin(
      sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(shown), ", ", [](std::string* out, const auto& one) {
        absl::StrAppend(out, dateline::common::Printable(one.first), " (", one.second, ")");
      });
  if (sorted.size() > shown) absl::StrAppend(&names, " and ", sorted.size() - shown, " more");
  return names;
}

// Articles of a site's own files in one of `languages`, with names of labels made ids. Says on stderr what was odd.
absl::StatusOr<std::vector<LabelledArticle>> ReadOwn(const std::vector<std::string>& paths, const Taxonomy& taxonomy,
                                                     const std::vector<std::string>& languages, const Flags& flags) {
  IssueLabelMap map;
  if (!flags.label_map.empty()) {
    absl::StatusOr<IssueLabelMap> read = dateline::classifier::ReadIssueLabelMap(flags.label_map, taxonomy);
    if (!read.ok()) {
      return absl::Status(read.status().code(), absl::StrCat("--label_map: ", read.status().message()));
    }
    map = *std::move(read);
  }
  std::vector<LabelledArticle> all;
  BrokenLines broken;
  for (const std::string& path : paths) {
    absl::StatusOr<std::vector<LabelledArticle>> articles =
        dateline::classifier::ReadLabelledArticles(path, flags.keep_going ? &broken : nullptr);
    if (absl::IsInvalidArgument(articles.status())) {
      return absl::InvalidArgumentError(
          absl::StrCat(articles.status().message(), " (--keep_going leaves such lines out)"));
    }
    RETURN_IF_ERROR(articles.status());
    all.insert(all.end(), std::make_move_iterator(articles->begin()), std::make_move_iterator(articles->end()));
  }
  OwnArticles own = dateline::classifier::PrepareOwnArticles(std::move(all), taxonomy, map, languages);
  for (const std::string& problem : broken.problems) {
    Progress(absl::StrCat("left out: ", problem));
  }
  if (broken.count > 0) {
    Progress(absl::StrCat(broken.count, " broken lines left out"));
  }
  if (!own.other_languages.empty()) {
    Progress(absl::StrCat(
        "articles left out because they are in languages that issue models don't know: ", NamesOf(own.other_languages),
        "; \"language\" in their lines says which it is if that is wrong"));
  }
  if (!own.unknown_labels.empty()) {
    Progress(absl::StrCat("labels that are no issue of the taxonomy, and count for nothing: ",
                          NamesOf(own.unknown_labels), "; --label_map FILE says what they mean"));
  }
  if (own.undecided > 0) {
    Progress(absl::StrCat(own.undecided, " labels are both applied and rejected, and count for nothing: ",
                          absl::StrJoin(own.undecided_in, "; ")));
  }
  if (own.contradictions > 0) {
    Progress(absl::StrCat(own.contradictions,
                          " articles came twice with different labels, of which the later ones count: ",
                          absl::StrJoin(own.contradicting, "; ")));
  }
  std::vector<std::string> few;
  for (const Issue* issue : taxonomy.LiveIssues()) {
    const auto examples = std::count_if(own.articles.begin(), own.articles.end(), [&](const LabelledArticle& article) {
      return std::any_of(issue->trained_from.begin(), issue->trained_from.end(),
                         [&](const std::string& label) { return StateOf(article, label) == LabelState::kYes; });
    });
    if (examples > 0 && examples < dateline::classifier::kEnoughExamples) {
      few.push_back(absl::StrCat(issue->id, " (", examples, ")"));
    }
  }
  if (!few.empty()) {
    Progress(absl::StrCat("issues with fewer than ", dateline::classifier::kEnoughExamples,
                          " examples here: ", absl::StrJoin(few, ", ")));
  }
  return std::move(own.articles);
}

// A model that is there already, if it can judge articles of this taxonomy; null if there is no file. An error: the
// file is something else, and is not to be written over.
absl::StatusOr<std::unique_ptr<IssueTagger>> Published(const std::string& path, const Taxonomy& taxonomy) {
  absl::StatusOr<std::unique_ptr<IssueTagger>> tagger = IssueTagger::Load(path, taxonomy);
  if (absl::IsNotFound(tagger.status())) return nullptr;
  if (tagger.ok()) return tagger;
  return dateline::classifier::NotReplaceable(tagger.status());
}

// Fails if the new model does worse than the published one, which decides whether it takes its place. Issues that no
// article has are compared by the tags that are wrong: where editors only rejected, there is nothing else.
absl::Status Compare(const std::string& path, const Evaluation& published, const Evaluation& fresh,
                     absl::string_view what) {
  const std::string articles = absl::StrCat(fresh.quality.article_count, " ", what);
  if (!fresh.issues.empty()) {
    RETURN_IF_ERROR(CheckNotWorse(path, published.quality.f1, fresh.quality.f1, fresh.quality.article_count, what));
  }
  if (!fresh.issues.empty() && fresh.stray_tags == 0 && published.stray_tags == 0) return absl::OkStatus();
  Print(absl::StrFormat("on %s: %d wrong tags of issues that none of them has, by %s %d\n", articles, fresh.stray_tags,
                        path, published.stray_tags));
  if (fresh.stray_tags > published.stray_tags) {
    return absl::FailedPreconditionError(absl::StrFormat(
        "not published: on %s it gives %d wrong tags of issues that none of them has, %s %d; --force publishes it all "
        "the same",
        articles, fresh.stray_tags, path, published.stray_tags));
  }
  if (fresh.issues.empty() && fresh.stray_tags == published.stray_tags) {
    return absl::FailedPreconditionError(absl::StrFormat(
        "not published: on %s, none of which has an issue, both models give %d wrong tags, so that nothing tells the "
        "two apart; give articles that have the issues, too, or --force publishes it all the same",
        articles, fresh.stray_tags));
  }
  return absl::OkStatus();
}

// Puts the model in place and says so.
absl::Status Publish(const std::string& path, IssueModel& model) {
  RETURN_IF_ERROR(dateline::classifier::PublishIssueModel(path, model));
  dateline::classifier::SayPublished(path, model.report.model_version, Progress);
  return absl::OkStatus();
}

// issues --add without --data and --articles: teaches the model that is there.
absl::Status Adapt(const Flags& flags, const Taxonomy& taxonomy, const absl::Time train_time) {
  const std::string& base = flags.base.empty() ? flags.output : flags.base;
  ASSIGN_OR_RETURN(const IssueModel model, dateline::classifier::ReadIssueModel(base));
  ASSIGN_OR_RETURN(const std::vector<LabelledArticle> articles,
                   ReadOwn(flags.added, taxonomy, model.report.language_codes, flags));
  AdaptOptions options;
  options.cost = flags.train.cost;
  options.folds = flags.train.folds;
  options.threads = flags.train.threads;
  options.train_time = train_time;
  options.notes =
      absl::StrFormat("then classifier_train issues --add: %d articles, C %g", articles.size(), options.cost);
  ASSIGN_OR_RETURN(AdaptResult result, AdaptIssueModel(model, taxonomy, articles, options, Progress));
  Print(FormatEvaluation("before", result.before, false));
  Print(FormatEvaluation("after, by folds", result.after, true));
  for (const AdaptResult::Contradiction& one : result.contradictions) {
    Progress(absl::StrCat(
        "warning: ", one.contradicting, " of ", one.labels, one.applied ? " labels that apply " : " rejections of ",
        one.issue_id, " contradict the model, which is sure that ", one.applied ? "it doesn't" : "it does",
        " apply, and the figures above can't tell who is right, as all of them say the same; look at ",
        dateline::common::Printable(absl::StrJoin(one.examples, ", ")),
        one.contradicting > static_cast<int>(one.examples.size()) ? " and more" : "", " in ",
        absl::StrJoin(flags.added, ", "), "; `classifier_train rollback` takes back what is published"));
  }
  for (const IssueModelInfo& info : result.model.report.issues) {
    const bool is_new =
        std::find(result.new_issues.begin(), result.new_issues.end(), info.issue_id) != result.new_issues.end();
    if (info.provenance == dateline::classifier::Provenance::kSeed) {
      Progress(absl::StrCat(info.issue_id, ": ", info.example_count, " of ", dateline::classifier::kEnoughExamples,
                            " examples that it takes; until then it goes by its seed phrases and by what these teach"));
    } else if (is_new) {
      Progress(absl::StrCat(info.issue_id, ": new to the model, and learned from ", info.example_count, " examples"));
    }
  }
  for (const Issue* issue : taxonomy.LiveIssues()) {
    const auto examples = std::count_if(articles.begin(), articles.end(), [&](const LabelledArticle& article) {
      return StateOf(article, *issue) == LabelState::kYes;
    });
    const bool known = std::any_of(result.model.trained_from.begin(), result.model.trained_from.end(),
                                   [&](const std::vector<std::string>& labels) {
                                     return std::any_of(labels.begin(), labels.end(), [&](const std::string& label) {
                                       return std::find(issue->trained_from.begin(), issue->trained_from.end(),
                                                        label) != issue->trained_from.end();
                                     });
                                   });
    if (!known && examples > 0) {
      Progress(absl::StrCat("the model doesn't know ", issue->id, " yet: ", examples, " of ",
                            dateline::classifier::kEnoughExamples,
                            " examples that it takes, as it has no seed phrases. Give these again with the others"));
    }
  }
  if (!flags.force) {
    if (result.after.quality.article_count == 0) {
      return absl::FailedPreconditionError(
          "not published: the model was trained on all of these articles before, so that nothing says whether it would "
          "get better; --force publishes it all the same");
    }
    RETURN_IF_ERROR(Compare(base, result.before, result.after, "articles, judged by what the others teach"));
  }
  return Publish(flags.output, result.model);
}

absl::Status Issues(const Flags& flags) {
  ASSIGN_OR_RETURN(const Taxonomy taxonomy, LoadTaxonomy(flags.taxonomy));
  TrainOptions options = flags.train;
  ASSIGN_OR_RETURN(options.train_time, TrainTime(flags.date));
  if (flags.corpus.data_dir.empty() && flags.own.empty()) {
    return Adapt(flags, taxonomy, options.train_time);
  }
  std::unique_ptr<IssueTagger> published;
  if (!flags.force) {
    ASSIGN_OR_RETURN(published, Published(flags.output, taxonomy));
  }
  Corpus corpus;
  if (!flags.corpus.data_dir.empty()) {
    ASSIGN_OR_RETURN(corpus, LoadCorpus(flags.corpus, Progress));
    for (const std::string& source : flags.without) {
      const size_t gone = std::erase_if(corpus.train, [&](const LabelledArticle& one) { return one.source == source; });
      Progress(absl::StrCat("left out ", gone, " articles of ", source));
    }
  }
  std::vector<std::string> paths = flags.own;
  paths.insert(paths.end(), flags.added.begin(), flags.added.end());
  ASSIGN_OR_RETURN(std::vector<LabelledArticle> own,
                   ReadOwn(paths, taxonomy, {dateline::classifier::kTrainingLanguage}, flags));
  for (LabelledArticle& article : own) {
    article.weight = flags.corpus.data_dir.empty() ? 1 : flags.own_weight;
  }
  if (!own.empty()) {
    const size_t count = own.size();
    const size_t gone = AddOwnArticles(std::move(own), flags.hold_out, corpus);
    Progress(absl::StrCat(count, " articles of your own; ", gone, " others are the same and went out"));
  }
  const bool svm = flags.learner == "svm" || (flags.learner == "auto" && flags.corpus.data_dir.empty());
  options.learner = svm ? Learner::kSvm : Learner::kLogistic;
  if (svm) {
    options.min_articles = 2;  // A rare issue's words are rare.
  }
  options.notes = absl::StrFormat(
      "classifier_train issues: %d articles; left out %d by id and %d by text of test splits and gold; %sC %g, %d "
      "terms, gold weight %d, one gold article in %d held out, weight of labelled ones %d, %d folds, seed %d",
      corpus.train.size(), corpus.dropped_by_id, corpus.dropped_by_text, svm ? "SVM, " : "", options.cost,
      options.max_terms, flags.corpus.gold_weight, flags.corpus.gold_held_out,
      flags.corpus.labelled_file.empty() ? 0 : flags.corpus.labelled_weight, options.folds, options.seed);
  ASSIGN_OR_RETURN(TrainResult result, TrainIssueModel(corpus, taxonomy, options, Progress));

  Report(result.gold_folds, result.model);
  // Measured as it will be used: read back from the file.
  const std::string candidate = absl::StrCat(flags.output, ".candidate");
  RETURN_IF_ERROR(WriteIssueModel(candidate, result.model));
  const absl::StatusOr<std::unique_ptr<IssueTagger>> tagger = IssueTagger::Load(candidate, taxonomy);
  std::error_code error;
  std::filesystem::remove(candidate, error);
  RETURN_IF_ERROR(tagger.status());
  Print(FormatEvaluation("by folds", result.gold_folds, true));
  for (const HeldOutSet& held_out : corpus.held_out) {
    Print(FormatEvaluation(absl::StrCat(held_out.name, " (held out)"),
                           EvaluateIssues(**tagger, taxonomy, held_out.articles),
                           held_out.name == "gold" || held_out.name == "own"));
  }
  // The first set is a site's own, if there is one, else gold; of it what the published model has not seen either.
  if (published != nullptr) {
    std::vector<LabelledArticle> unseen;
    for (const LabelledArticle& article :
         corpus.held_out.empty() ? std::vector<LabelledArticle>() : corpus.held_out.front().articles) {
      ArticleText text;
      text.title = article.title;
      text.body = article.body;
      if (!published->InTraining(text).value_or(false)) {
        unseen.push_back(article);
      }
    }
    if (unseen.empty()) {
      return dateline::classifier::NothingToCompareOn(flags.output);
    }
    RETURN_IF_ERROR(Compare(flags.output, EvaluateIssues(*published, taxonomy, unseen),
                            EvaluateIssues(**tagger, taxonomy, unseen), "held-out articles"));
  }
  return Publish(flags.output, result.model);
}

// "politics=0.55".
absl::Status SetGiven(const std::vector<std::string>& given, IssueModel& model) {
  for (const std::string& one : given) {
    const size_t equals = one.rfind('=');
    double threshold = 0.0;
    if (equals == std::string::npos || !absl::SimpleAtod(one.substr(equals + 1), &threshold)) {
      return absl::InvalidArgumentError(
          absl::StrCat("--set: \"", one, "\" has no threshold; write for example politics=0.55"));
    }
    const absl::Status set = dateline::classifier::SetThreshold(model, one.substr(0, equals), threshold);
    if (!set.ok()) return absl::InvalidArgumentError(absl::StrCat("--set: ", set.message()));
  }
  return absl::OkStatus();
}

// For the commands that know issue models only.
absl::Status CheckIsOfIssues(const std::string& path) {
  if (!dateline::classifier::CountryModel::IsAt(path)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("--model: \"", path,
                   "\" is a country model, and this command is for issue models; `classifier_train "
                   "countries` prints the figures of country models, and `dateline evaluate` those of both"));
}

absl::Status Thresholds(const Flags& flags) {
  RETURN_IF_ERROR(CheckIsOfIssues(flags.model));
  ASSIGN_OR_RETURN(IssueModel model, dateline::classifier::ReadIssueModel(flags.model));
  if (!flags.articles.empty()) {
    ASSIGN_OR_RETURN(const Taxonomy taxonomy, LoadTaxonomy(flags.taxonomy));
    ASSIGN_OR_RETURN(const std::unique_ptr<IssueTagger> tagger, IssueTagger::Load(flags.model, taxonomy));
    ASSIGN_OR_RETURN(const std::vector<LabelledArticle> articles,
                     ReadOwn({flags.articles}, taxonomy, tagger->info().language_codes, flags));
    ASSIGN_OR_RETURN(const ThresholdChoice choice, ChooseThresholds(model, *tagger, taxonomy, articles, flags.goal));
    Print(FormatThresholds(choice));
    for (const IssueThreshold& issue : choice.issues) {
      RETURN_IF_ERROR(dateline::classifier::SetThreshold(model, issue.issue_id, issue.after));
    }
    absl::StrAppend(&model.training_notes, "; thresholds for ",
                    flags.goal.min_precision > 0.0 ? absl::StrCat("precision ", flags.goal.min_precision) : "F1",
                    " on ", choice.articles, " articles");
  }
  RETURN_IF_ERROR(SetGiven(flags.set, model));
  if (!flags.set.empty()) absl::StrAppend(&model.training_notes, "; thresholds set: ", absl::StrJoin(flags.set, ", "));
  return Publish(flags.output.empty() ? flags.model : flags.output, model);
}

absl::Status RollBack(const Flags& flags) {
  // Either file may be missing or damaged, and errors should speak of the right kind.
  const bool countries = dateline::classifier::CountryModel::IsAt(flags.model + ".previous") ||
                         dateline::classifier::CountryModel::IsAt(flags.model);
  ASSIGN_OR_RETURN(const std::string version, countries ? dateline::classifier::CountryModel::RollBack(flags.model)
                                                        : dateline::classifier::RollBackIssueModel(flags.model));
  Print(absl::StrCat(flags.model, " is ", version, " again\n"));
  return absl::OkStatus();
}

absl::Status Countries(const Flags& flags) {
  ASSIGN_OR_RETURN(const absl::Time train_time, TrainTime(flags.date));
  return TrainCountries(flags.countries, train_time, Progress);
}

absl::Status Evaluate(const Flags& flags) {
  RETURN_IF_ERROR(CheckIsOfIssues(flags.model));
  ASSIGN_OR_RETURN(const Taxonomy taxonomy, LoadTaxonomy(flags.taxonomy));
  ASSIGN_OR_RETURN(const std::unique_ptr<IssueTagger> tagger, IssueTagger::Load(flags.model, taxonomy));
  Print(absl::StrCat("model ", tagger->info().model_version, ", taxonomy ", taxonomy.version(), "\n"));
  if (!flags.articles.empty()) {
    ASSIGN_OR_RETURN(const std::vector<LabelledArticle> articles,
                     ReadOwn({flags.articles}, taxonomy, tagger->info().language_codes, flags));
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
  RETURN_IF_ERROR(CheckIsOfIssues(flags.model));
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
    Print(absl::StrFormat("%s: %d examples, threshold %.4f", info.issue_id, info.example_count, info.threshold));
    if (model.issues[issue].seed_weight > 0.0F) {
      Print(absl::StrFormat(", beside its seed phrases, which count %.2f times",
                            static_cast<double>(model.issues[issue].seed_weight)));
    }
    Print("\n   ");
    for (size_t i = 0; i < shown; ++i) {
      Print(absl::StrCat(i > 0 ? ", " : " ", model.vocabulary.term(ranked[i].second)));
    }
    Print("\n");
  }
  return absl::OkStatus();
}

void AddCorpusOptions(CLI::App* command, Flags& flags) {
  command
      ->add_option("--data", flags.corpus.data_dir,
                   "Folder with articles/ and issues/: the labelled articles, with their splits (docs/data.md)")
      ->type_name("FOLDER");
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

void AddLabelMapOption(CLI::App* command, Flags& flags) {
  command
      ->add_option(
          "--label_map", flags.label_map,
          "What the site's own names of labels mean, as `dateline evaluate` takes it: NAME = issue:security, a "
          "line each; what it says of countries is passed over")
      ->type_name("FILE");
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
      "models made without it.\n\"held out\": articles that no training has seen, judged by the file just written.\n\n"
      "A model that does worse than the one at --output is not published, nor one of which nothing says whether it "
      "does.\n"
      "What was there is kept as FILE.previous. Corrections most of which say of an issue the opposite of what the "
      "model\n"
      "is sure of are named in a warning: they confirm each other, so that no figure can tell that they are wrong.\n"
      "Your own articles are JSON Lines: {\"id\", \"title\", \"body\", \"issues\": [all that apply]}, or \"applied\" "
      "and "
      "\"rejected\"\nin the place of \"issues\" for what an editor said of some; and \"language\": those in languages "
      "that "
      "models don't\nknow are left out. Issues are ids, names or aliases of the taxonomy. A new one that has seed "
      "phrases "
      "learns from the\nfirst example on.");
  issues->footer(
      "Examples:\n"
      "  classifier_train issues --add corrections.jsonl --taxonomy mine.textproto --output issues.model\n"
      "  classifier_train issues --articles labelled.jsonl --taxonomy mine.textproto --output issues.model\n"
      "  classifier_train issues --add archive.jsonl --label_map names.txt --taxonomy mine.textproto --output "
      "issues.model");
  issues->callback([&] {
    if (flags.corpus.data_dir.empty() && flags.own.empty() && flags.added.empty()) {
      throw CLI::ValidationError("issues", "give --data, --articles or --add: there is nothing to learn from");
    }
  });
  AddTaxonomyOption(issues, flags);
  AddCorpusOptions(issues, flags);
  issues->add_option("--articles", flags.own, "Labelled articles of your own to train on, beside --data or without it")
      ->type_name("FILE");
  issues
      ->add_option("--add", flags.added,
                   "Corrections: the same, and they count where both say something. Without --data and --articles the "
                   "model at --output (or --base) learns from them, which takes seconds")
      ->type_name("FILE");
  issues->add_option("--base", flags.base, "The model that --add alone teaches; default: that at --output")
      ->type_name("FILE");
  issues
      ->add_option(
          "--without", flags.without,
          "Of --data, train on no article of this source (what its ids begin with): how a model does on sources "
          "it doesn't know")
      ->type_name("SOURCE");
  issues->add_option("--own_weight", flags.own_weight, "Beside --data, articles of your own count so often")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  issues
      ->add_option("--hold_out", flags.hold_out,
                   "Of --articles, keep one in so many out of training, to compare models on; 0: none")
      ->check(CLI::Range(0, 1000))
      ->capture_default_str();
  AddLabelMapOption(issues, flags);
  issues->add_flag("--keep_going", flags.keep_going, "Leave out broken lines of --articles and --add, and say which");
  issues->add_flag("--force", flags.force,
                   "Publish also a model that does worse than the one at --output, or that nothing tells from it");
  issues->add_option("--output", flags.output, "The model file to write")->type_name("FILE")->required();
  issues->add_option("--date", flags.date, "The day to write into the model, as 2026-01-31; default: today (UTC)");
  issues->add_option("--seed", flags.train.seed, "Another division into folds")->capture_default_str();
  issues->add_option("--threads", flags.train.threads, "Trainings at a time; the model does not depend on it")
      ->capture_default_str()
      ->check(CLI::Range(1, 256));
  issues->add_option("--terms", flags.train.max_terms, "Size of the vocabulary")
      ->capture_default_str()
      ->check(CLI::Range(100, 1'000'000));
  issues
      ->add_option(
          "--learner", flags.learner,
          "logistic carries from one source to another; svm is for articles like those it learns from, and for "
          "rare issues; auto: svm without --data, else logistic. --add alone goes on with what the model has")
      ->capture_default_str()
      ->check(CLI::IsMember({"auto", "logistic", "svm"}));
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
      "evaluate",
      "Measure an issue model, on the held-out articles of --data or on --articles of your own. Country models: "
      "`countries --evaluate`.");
  evaluate->footer(
      "Example:\n"
      "  classifier_train evaluate --model issues.model --taxonomy default.textproto --articles mine.jsonl");
  AddTaxonomyOption(evaluate, flags);
  AddCorpusOptions(evaluate, flags);
  evaluate->add_option("--model", flags.model, "The issue model's file")->type_name("FILE")->required();
  evaluate->add_option("--articles", flags.articles, "JSON Lines (or .zst) as `issues` takes them")->type_name("FILE");
  AddLabelMapOption(evaluate, flags);
  evaluate->add_flag("--keep_going", flags.keep_going, "Leave out broken lines of --articles, and say which");
  evaluate->callback([&] {
    if (flags.articles.empty() == flags.corpus.data_dir.empty()) {
      throw CLI::ValidationError("evaluate", "give either --data or --articles");
    }
  });

  CLI::App* show =
      app.add_subcommand("show", "Print what an issue model was trained on and the terms that weigh most.");
  show->add_option("--model", flags.model, "The issue model's file")->type_name("FILE")->required();
  show->footer("Example:\n  classifier_train show --model issues.model");

  CLI::App* thresholds = app.add_subcommand(
      "thresholds",
      "Set from which probability on issues are tags, in a model that is there: those that are best on labelled "
      "articles\n"
      "of yours, or as you say. What was there is kept as FILE.previous.\n\n"
      "Articles that the model learned from are left out. Printed is what comes of each half of the articles at the\n"
      "threshold that the other half would get.");
  thresholds->footer(
      "Examples:\n"
      "  classifier_train thresholds --model issues.model --articles labelled.jsonl --taxonomy mine.textproto\n"
      "  classifier_train thresholds --model issues.model --articles labelled.jsonl --taxonomy mine.textproto \\\n"
      "      --min_precision 0.8\n"
      "  classifier_train thresholds --model issues.model --set politics=0.55 --set trade=0.3");
  thresholds->add_option("--model", flags.model, "The issue model's file")->type_name("FILE")->required();
  CLI::Option* labelled =
      thresholds->add_option("--articles", flags.articles, "JSON Lines (or .zst) as `issues` takes them")
          ->type_name("FILE");
  CLI::Option* taxonomy =
      thresholds->add_option("--taxonomy", flags.taxonomy, "The issues that the labels are of")->type_name("FILE");
  labelled->needs(taxonomy);
  thresholds
      ->add_option(
          "--min_precision", flags.goal.min_precision,
          "The lowest thresholds from which on so many of the tags are right, such as 0.8; default: the best F1")
      ->check(CLI::Range(0.0, 1.0))
      ->needs(labelled);
  thresholds->add_option("--set", flags.set, "The threshold of one issue, as politics=0.55; it outranks --articles")
      ->type_name("ISSUE=N");
  AddLabelMapOption(thresholds, flags);
  thresholds->add_flag("--keep_going", flags.keep_going, "Leave out broken lines of --articles, and say which");
  thresholds->add_option("--output", flags.output, "The model file to write; default: that of --model")
      ->type_name("FILE");
  thresholds->callback([&] {
    if (flags.articles.empty() && flags.set.empty()) {
      throw CLI::ValidationError("thresholds", "give --articles or --set: there is nothing to set");
    }
  });

  CLI::App* rollback =
      app.add_subcommand("rollback",
                         "Swap a model of issues or of countries and FILE.previous, which `issues`, `thresholds` and "
                         "`countries` keep. Doing it twice\n"
                         "changes nothing. A service that runs loads what is there then when it is sent SIGHUP.");
  rollback->add_option("--model", flags.model, "The model's file")->type_name("FILE")->required();
  rollback->footer("Example:\n  classifier_train rollback --model issues.model");

  if (const std::optional<int> status = dateline::common::StartProgram(app, argc, argv)) return *status;
  const absl::Status status = *issues       ? Issues(flags)
                              : *countries  ? Countries(flags)
                              : *evaluate   ? Evaluate(flags)
                              : *thresholds ? Thresholds(flags)
                              : *rollback   ? RollBack(flags)
                                            : Show(flags);
  if (!status.ok()) {
    std::fprintf(stderr, "classifier_train: %s\n", std::string(status.message()).c_str());
    return EXIT_FAILURE;
  }
  return EXIT_SUCCESS;
}
