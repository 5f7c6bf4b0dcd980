// How the classifier's tags agree with the labels that a site's articles have.
#ifndef DATELINE_CLI_EVALUATION_H_
#define DATELINE_CLI_EVALUATION_H_

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "cli/classify_session.h"
#include "cli/label_map.h"
#include "cli/output.pb.h"
#include "cli/taxonomy_names.h"
#include "cli/text_output.h"
#include "dateline/classifier/v1/classifier_service.pb.h"

namespace dateline::cli {

// Collects articles with labels and answers with scores, then computes the figures. An article counts in a dimension
// (countries and groups together; issues) if it has a label there, or always with `unlabelled_is_none`. In memory it
// takes some 1 KB an article.
//
// Not thread-safe.
class Evaluator {
 public:
  struct Options {
    LabelMap label_map = {};  // Comes before the taxonomy's names, for labels of every kind.
    // Kinds of labels whose names are looked up in the taxonomy; labels of other kinds count if the map has them.
    std::set<std::string> label_kinds = {"country", "issue"};
    bool unlabelled_is_none = false;  // Without a label means: about no country, no issue.
    bool include_trained = false;     // Count also articles that a model was trained on.
    int worst = 20;                   // How many disagreements to report.
  };

  Evaluator(const classifier::v1::GetTaxonomyResponse& taxonomy, Options options);

  // One input, answered or failed. The answer must have scores.
  void Add(const ClassifiedItem& classified);

  // Everything but the names of the model's and taxonomy's versions, which come with the answers.
  EvaluationReport Finish() const;

 private:
  struct Score {
    double score = 0;
    std::optional<double> threshold;
    bool tagged = false;
  };
  struct Tag {
    std::string value;
    bool primary = false;
    std::vector<std::string> evidence;
  };
  // What is known of one article in one dimension.
  struct Side {
    bool labelled = false;
    std::set<std::string> labels;
    std::map<std::string, Score> scores;
    std::vector<Tag> tags;  // Best first.
    bool unsupported_language = false;
  };
  struct Entry {
    std::string id;
    std::string title;
    std::string source;
    std::string position;
    Side sides[3];  // By LabelKind.
  };

  std::vector<LabelTarget> TargetsOf(const std::string& kind, const std::string& name);
  EvaluationReport::Dimension Measure(LabelKind kind, EvaluationReport& report) const;
  std::string DisplayName(LabelKind kind, const std::string& code) const;

  const TaxonomyNames names_;
  const Options options_;
  std::map<std::pair<LabelKind, std::string>, std::string> display_names_;
  std::map<std::pair<LabelKind, std::string>, std::vector<std::string>> replaced_by_;
  std::map<std::pair<std::string, std::string>, std::vector<LabelTarget>> known_labels_;  // By kind and name.
  std::map<std::pair<std::string, std::string>, int32_t> unmapped_;
  std::vector<Entry> entries_;
  EvaluationReport counts_;  // Of articles, and versions.
};

// For people; ends in a line end.
std::string FormatEvaluation(const EvaluationReport& report, const TextStyle& style);

}  // namespace dateline::cli

#endif  // DATELINE_CLI_EVALUATION_H_
