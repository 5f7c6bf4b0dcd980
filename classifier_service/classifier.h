// The whole of tagging behind one door: countries and groups by gazetteer, issues by a trained model, names in the
// language asked for. Knows no RPC: the handler, the trainer and the tests call it alike.
#ifndef DATELINE_CLASSIFIER_SERVICE_CLASSIFIER_H_
#define DATELINE_CLASSIFIER_SERVICE_CLASSIFIER_H_

#include <memory>
#include <string>
#include <vector>

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
  bool include_scores = false;    // Fill `Classification::scores`, `no_country`, `in_training`, `in_country_training`.
  std::string display_language;   // BCP 47; display names in this language where there are such; empty: English.
  CountryProfile profile = CountryProfile::kDefault;
  std::vector<CountryPrior> priors = {};  // Of what the gazetteer knows; anything else has no effect.
};

// Immutable and safe to use from any number of threads.
class Classifier {
 public:
  struct Options {
    std::string taxonomy_path;                // Required: the issues (taxonomy.h).
    std::string gazetteer_path;               // Required: names of places, people and organisations (gazetteer.h).
    std::string model_path;                   // Required: the issue model (issue_tagger.h).
    std::string country_model_path;           // Required: the country model (country_model.h).
    std::string gazetteer_overlay_path = {};  // An operator's own rows over the gazetteer's; empty: none.
  };

  // Loads them all. The error is that of the first part that failed and names the file and the remedy; ProblemsOf()
  // lists what is wrong with all of them.
  static absl::StatusOr<std::unique_ptr<Classifier>> Load(const Options& options);

  // Everything that `error`, of Load(), found wrong: one line each, with file, line where it has one, and remedy.
  static std::vector<std::string> ProblemsOf(const absl::Status& error);

  // Tags one article. Never fails: a text nothing can be said about gets no tags, and outcomes that say why.
  // An empty `article.language_code` is detected; what was found, or given, comes back in `language_code` ("und" where
  // it could not be told). Issues are only judged in languages the model was trained on; countries in all.
  Classification Classify(const ArticleText& article, const ClassifyOptions& options) const;

  const Taxonomy& taxonomy() const { return taxonomy_; }
  const Gazetteer& gazetteer() const { return *gazetteer_; }
  const IssueModelReport& issue_model() const { return issue_tagger_->info(); }

  // What answers carry, so that a tag can be traced to what gave it.
  // Of both models: "issues-DATE-HASH+countries-DATE-HASH".
  const std::string& model_version() const { return model_version_; }
  const std::string& taxonomy_version() const { return taxonomy_.version(); }
  const std::string& gazetteer_version() const { return gazetteer_->version(); }

 private:
  Classifier(Taxonomy taxonomy, std::unique_ptr<Gazetteer> gazetteer, std::unique_ptr<CountryModel> country_model,
             std::unique_ptr<IssueTagger> issue_tagger);

  Taxonomy taxonomy_;
  std::unique_ptr<Gazetteer> gazetteer_;
  std::unique_ptr<CountryModel> country_model_;
  CountryTagger country_tagger_;  // Refers to the two above.
  std::unique_ptr<IssueTagger> issue_tagger_;
  std::string model_version_;
};

}  // namespace dateline::classifier

#endif  // DATELINE_CLASSIFIER_SERVICE_CLASSIFIER_H_
