// The whole of tagging behind one door: countries and groups by gazetteer, issues by a trained model, names in the
// language asked for. Knows no RPC: the handler, the trainer and the tests call it alike.
#ifndef DATELINE_CLASSIFIER_SERVICE_CLASSIFIER_H_
#define DATELINE_CLASSIFIER_SERVICE_CLASSIFIER_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"

#include "classifier_service/classification.h"
#include "classifier_service/country_model.h"
#include "classifier_service/country_tagger.h"
#include "classifier_service/gazetteer.h"
#include "classifier_service/issue_tagger.h"
#include "classifier_service/taxonomy.h"

namespace dateline::classifier {

struct ClassifyOptions {
  bool include_mentions = false;  // Fill `Classification::mentions`.
  std::string display_language;   // BCP 47; display names in this language where there are such; empty: English.
};

// Immutable and safe to use from any number of threads.
class Classifier {
 public:
  struct Options {
    std::string taxonomy_path;       // Required: the issues (taxonomy.h).
    std::string gazetteer_path;      // Required: names of places, people and organisations (gazetteer.h).
    std::string model_path;          // Required: the issue model (issue_tagger.h).
    std::string country_model_path;  // Required: the country model (country_model.h).
  };

  // Loads all four. Any error is that of the part that failed and names the file and the remedy.
  static absl::StatusOr<std::unique_ptr<Classifier>> Load(const Options& options);

  // Tags one article. Never fails: a text nothing can be said about gets no tags, and outcomes that say why.
  // An empty `article.language_code` is detected; what was found, or given, comes back in `language_code` ("und" where
  // it could not be told). Issues are only judged in languages the model was trained on; countries in all.
  Classification Classify(const ArticleText& article, const ClassifyOptions& options) const;

  const Taxonomy& taxonomy() const { return taxonomy_; }
  const Gazetteer& gazetteer() const { return *gazetteer_; }
  const IssueModelReport& issue_model() const { return issue_tagger_->info(); }

  // What answers carry, so that a tag can be traced to what gave it.
  const std::string& model_version() const { return issue_tagger_->info().model_version; }
  const std::string& taxonomy_version() const { return taxonomy_.version(); }
  const std::string& gazetteer_version() const { return gazetteer_->version(); }
  const std::string& country_model_version() const { return country_model_->version; }

 private:
  Classifier(Taxonomy taxonomy, std::unique_ptr<Gazetteer> gazetteer, std::unique_ptr<CountryModel> country_model,
             std::unique_ptr<IssueTagger> issue_tagger);

  Taxonomy taxonomy_;
  std::unique_ptr<Gazetteer> gazetteer_;
  std::unique_ptr<CountryModel> country_model_;
  CountryTagger country_tagger_;  // Refers to the two above.
  std::unique_ptr<IssueTagger> issue_tagger_;
};

}  // namespace dateline::classifier

#endif  // DATELINE_CLASSIFIER_SERVICE_CLASSIFIER_H_
