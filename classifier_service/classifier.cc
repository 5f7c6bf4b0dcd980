#include "classifier_service/classifier.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

#include "classifier_service/issue_model.h"
#include "classifier_service/language.h"
#include "common/error.h"
#include "common/status_macros.h"

namespace dateline::classifier {

namespace {

// Countries that are less probable than this are not among the scores: there would be some for every article.
constexpr double kLeastScore = 0.01;

// The errors among `parts` as one, which lists what is wrong with each; OK if there is none.
absl::Status Joined(const std::vector<absl::Status>& parts) {
  std::vector<absl::Status> errors;
  std::vector<common::FieldViolation> problems;
  for (const absl::Status& part : parts) {
    if (part.ok()) {
      continue;
    }
    errors.push_back(part);
    const std::vector<common::FieldViolation> listed = common::FieldViolationsOf(part);
    problems.insert(problems.end(), listed.begin(), listed.end());
    if (listed.empty()) {
      problems.push_back({.field = "", .description = std::string(part.message())});
    }
  }
  if (errors.empty()) {
    return absl::OkStatus();
  }
  if (errors.size() == 1) {
    return errors.front();
  }
  return common::WithFieldViolations(
      absl::Status(errors.front().code(), absl::StrCat(errors.front().message(), "; and ", errors[1].message())),
      problems);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Classifier>> Classifier::Load(const Options& options) {
  absl::StatusOr<Taxonomy> taxonomy = Taxonomy::Load(options.taxonomy_path);
  absl::StatusOr<std::unique_ptr<Gazetteer>> gazetteer =
      Gazetteer::Load(options.gazetteer_path, options.gazetteer_overlay_path);
  absl::StatusOr<std::unique_ptr<IssueTagger>> issue_tagger = nullptr;
  if (taxonomy.ok()) {
    issue_tagger = IssueTagger::Load(options.model_path, *taxonomy);
  } else if (absl::Status model = ReadIssueModel(options.model_path).status(); !model.ok()) {
    issue_tagger = std::move(model);
  }
  absl::StatusOr<std::unique_ptr<CountryModel>> country_model = CountryModel::Load(options.country_model_path);
  RETURN_IF_ERROR(Joined({taxonomy.status(), gazetteer.status(), country_model.status(), issue_tagger.status()}));
  return std::unique_ptr<Classifier>(
      new Classifier(*std::move(taxonomy), *std::move(gazetteer), *std::move(country_model), *std::move(issue_tagger)));
}

std::vector<std::string> Classifier::ProblemsOf(const absl::Status& error) {
  std::vector<std::string> problems;
  for (const common::FieldViolation& problem : common::FieldViolationsOf(error)) {
    problems.push_back(problem.field.empty() ? problem.description
                                             : absl::StrCat(problem.field, ": ", problem.description));
  }
  if (problems.empty() && !error.ok()) {
    problems.emplace_back(error.message());
  }
  return problems;
}

Classifier::Classifier(Taxonomy taxonomy, std::unique_ptr<Gazetteer> gazetteer,
                       std::unique_ptr<CountryModel> country_model, std::unique_ptr<IssueTagger> issue_tagger)
    : taxonomy_(std::move(taxonomy)),
      gazetteer_(std::move(gazetteer)),
      country_model_(std::move(country_model)),
      country_tagger_(*gazetteer_, *country_model_),
      issue_tagger_(std::move(issue_tagger)),
      model_version_(absl::StrCat(issue_tagger_->info().model_version, "+", country_model_->version)) {}

Classification Classifier::Classify(const ArticleText& article, const ClassifyOptions& options) const {
  Classification result;
  result.language_code =
      article.language_code.empty() ? DetectLanguage(article.title, article.body) : article.language_code;

  const ScannedArticle scanned(article);
  CountryTags countries = country_tagger_.Tag(scanned, {.want_mentions = options.include_mentions,
                                                        .want_scores = options.include_scores,
                                                        .profile = options.profile,
                                                        .priors = options.priors});
  result.countries = std::move(countries.countries);
  result.groups = std::move(countries.groups);
  result.country_outcome = countries.outcome;
  result.mentions = std::move(countries.mentions);

  if (issue_tagger_->SupportsLanguage(result.language_code)) {
    IssueResult issues = issue_tagger_->Tag(scanned);
    result.issues = std::move(issues.tags);
    result.issue_outcome = issues.outcome;
  } else {
    result.issue_outcome = Outcome::kUnsupportedLanguage;
  }

  if (options.include_scores) {
    for (TagScore& score : countries.scores) {
      if (score.tagged || score.score >= kLeastScore) {
        result.scores.push_back(std::move(score));
      }
    }
    result.no_country = countries.no_country;
    if (result.issue_outcome != Outcome::kUnsupportedLanguage) {
      for (IssueScore& score : issue_tagger_->Score(article)) {
        result.scores.push_back({.dimension = TagScore::Dimension::kIssue,
                                 .id = std::move(score.issue_id),
                                 .score = score.score,
                                 .threshold = score.threshold,
                                 .raw = score.raw,
                                 .tagged = score.tagged});
      }
    }
    result.in_training = issue_tagger_->InTraining(article);
    result.in_country_training = country_model_->InTraining(article);
  }

  if (!options.display_language.empty()) {
    for (Tag& tag : result.countries) {
      tag.display_name = gazetteer_->DisplayName(tag.id, options.display_language);
    }
    for (Tag& tag : result.groups) {
      tag.display_name = gazetteer_->DisplayName(tag.id, options.display_language);
    }
    for (Tag& tag : result.issues) {
      tag.display_name = taxonomy_.DisplayName(tag.id, options.display_language);
    }
  }
  return result;
}

}  // namespace dateline::classifier
