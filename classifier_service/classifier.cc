#include "classifier_service/classifier.h"

#include <utility>
#include <vector>

#include "classifier_service/language.h"
#include "common/status_macros.h"

namespace dateline::classifier {

absl::StatusOr<std::unique_ptr<Classifier>> Classifier::Load(const Options& options) {
  ASSIGN_OR_RETURN(Taxonomy taxonomy, Taxonomy::Load(options.taxonomy_path));
  ASSIGN_OR_RETURN(std::unique_ptr<Gazetteer> gazetteer, Gazetteer::Load(options.gazetteer_path));
  ASSIGN_OR_RETURN(std::unique_ptr<CountryModel> country_model, CountryModel::Load(options.country_model_path));
  ASSIGN_OR_RETURN(std::unique_ptr<IssueTagger> issue_tagger, IssueTagger::Load(options.model_path, taxonomy));
  return std::unique_ptr<Classifier>(
      new Classifier(std::move(taxonomy), std::move(gazetteer), std::move(country_model), std::move(issue_tagger)));
}

Classifier::Classifier(Taxonomy taxonomy, std::unique_ptr<Gazetteer> gazetteer,
                       std::unique_ptr<CountryModel> country_model, std::unique_ptr<IssueTagger> issue_tagger)
    : taxonomy_(std::move(taxonomy)),
      gazetteer_(std::move(gazetteer)),
      country_model_(std::move(country_model)),
      country_tagger_(*gazetteer_, *country_model_),
      issue_tagger_(std::move(issue_tagger)) {}

Classification Classifier::Classify(const ArticleText& article, const ClassifyOptions& options) const {
  Classification result;
  result.language_code =
      article.language_code.empty() ? DetectLanguage(article.title, article.body) : article.language_code;

  CountryTags countries = country_tagger_.Tag(
      article, {.want_mentions = options.include_mentions, .profile = CountryProfile::kDefault, .priors = {}});
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
