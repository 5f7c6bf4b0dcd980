#include "classifier_service/classifier.h"

#include <optional>
#include <utility>
#include <vector>

#include "classifier_service/language.h"
#include "common/status_macros.h"

namespace dateline::classifier {

absl::StatusOr<std::unique_ptr<Classifier>> Classifier::Load(const Options& options) {
  ASSIGN_OR_RETURN(Taxonomy taxonomy, Taxonomy::Load(options.taxonomy_path));
  ASSIGN_OR_RETURN(std::unique_ptr<Gazetteer> gazetteer, Gazetteer::Load(options.gazetteer_path));
  ASSIGN_OR_RETURN(std::unique_ptr<IssueTagger> issue_tagger, IssueTagger::Load(options.model_path, taxonomy));
  return std::unique_ptr<Classifier>(
      new Classifier(std::move(taxonomy), std::move(gazetteer), std::move(issue_tagger)));
}

Classifier::Classifier(Taxonomy taxonomy, std::unique_ptr<Gazetteer> gazetteer,
                       std::unique_ptr<IssueTagger> issue_tagger)
    : taxonomy_(std::move(taxonomy)),
      gazetteer_(std::move(gazetteer)),
      country_tagger_(*gazetteer_),
      issue_tagger_(std::move(issue_tagger)) {}

Classification Classifier::Classify(const ArticleText& article, const ClassifyOptions& options) const {
  Classification result;
  result.language_code =
      article.language_code.empty() ? DetectLanguage(article.title, article.body) : article.language_code;

  CountryTags countries = country_tagger_.Tag(article, {.want_mentions = options.include_mentions});
  result.countries = std::move(countries.countries);
  result.groups = std::move(countries.groups);
  result.country_outcome = countries.outcome;
  result.mentions = std::move(countries.mentions);

  if (issue_tagger_->SupportsLanguage(result.language_code)) {
    IssueResult issues = issue_tagger_->Tag(article);
    result.issues = std::move(issues.tags);
    result.issue_outcome = issues.outcome;
  } else {
    result.issue_outcome = Outcome::kUnsupportedLanguage;
  }

  if (options.include_scores) {
    for (const auto& [dimension, tags] : {std::pair(TagScore::Dimension::kCountry, &result.countries),
                                          std::pair(TagScore::Dimension::kGroup, &result.groups)}) {
      for (const Tag& tag : *tags) {
        result.scores.push_back({.dimension = dimension,
                                 .id = tag.id,
                                 .score = tag.score,
                                 .threshold = std::nullopt,
                                 .raw = std::nullopt,
                                 .tagged = true});
      }
    }
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
