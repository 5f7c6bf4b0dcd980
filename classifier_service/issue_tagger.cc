#include "classifier_service/issue_tagger.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "classifier_service/issue_model.h"
#include "classifier_service/language.h"
#include "classifier_service/text_features.h"
#include "common/status_macros.h"

namespace dateline::classifier {
namespace {

// Scores are the same on every machine only up to the last bits of exp(), which glibc picks by CPU.
double Round(double value) { return std::round(value * 1e4) / 1e4; }

double Logistic(double x) { return 1.0 / (1.0 + std::exp(-std::clamp(x, -40.0, 40.0))); }

}  // namespace

struct IssueTagger::Model {
  IssueModel issue_model;
  std::vector<std::string> display_names;  // English; in the order of the model's issues.

  size_t issue_count() const { return issue_model.issues.size(); }

  double Weight(int32_t term, size_t issue) const {
    return static_cast<double>(issue_model.weights[static_cast<size_t>(term) * issue_count() + issue]) *
           static_cast<double>(issue_model.issues[issue].weight_step);
  }

  // One score for each issue.
  std::vector<double> Scores(const TextFeatures& features) const {
    const size_t count = issue_count();
    std::vector<float> sums(count, 0.0F);
    for (const TermValue& value : features.values) {
      const int8_t* row = issue_model.weights.data() + static_cast<size_t>(value.term) * count;
      for (size_t i = 0; i < count; ++i) {
        sums[i] += value.value * static_cast<float>(row[i]);
      }
    }
    std::vector<double> scores(count);
    for (size_t i = 0; i < count; ++i) {
      const LinearIssue& issue = issue_model.issues[i];
      const double margin = static_cast<double>(issue.bias) + static_cast<double>(issue.weight_step) * sums[i];
      scores[i] = Round(Logistic(static_cast<double>(issue.slope) * margin + static_cast<double>(issue.intercept)));
    }
    return scores;
  }

  // The terms that speak most for an issue, each where it stands first.
  std::vector<Evidence> Explain(size_t issue, const TextFeatures& features, const ArticleText& article) const;
};

std::vector<Evidence> IssueTagger::Model::Explain(size_t issue, const TextFeatures& features,
                                                  const ArticleText& article) const {
  const double slope = static_cast<double>(issue_model.issues[issue].slope);
  absl::flat_hash_map<int32_t, double> contributions;
  for (const TermValue& value : features.values) {
    const double contribution = slope * Weight(value.term, issue) * static_cast<double>(value.value);
    if (contribution > 0.0) {
      contributions.emplace(value.term, contribution);
    }
  }
  struct Candidate {
    TextSpan span;
    bool phrase = false;
    double weight = 0.0;
  };
  std::vector<Candidate> candidates;
  for (const TermOccurrence& occurrence : features.occurrences) {
    const auto it = contributions.find(occurrence.term);
    if (it == contributions.end()) {
      continue;
    }
    // A term of the lead follows its twin, which stands at the same place.
    if (!candidates.empty() && candidates.back().span == occurrence.span) {
      candidates.back().weight += it->second;
    } else {
      candidates.push_back({occurrence.span, occurrence.phrase, it->second});
    }
    contributions.erase(it);
  }
  std::sort(candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) {
    if (a.weight != b.weight) {
      return a.weight > b.weight;
    }
    return a.span.field != b.span.field ? a.span.field < b.span.field : a.span.start < b.span.start;
  });
  // The heaviest only: looking at all would be slow for a long text, and the light ones say nothing to a reader.
  constexpr size_t kConsidered = size_t{kMaxEvidencePerTag} * 4;
  candidates.resize(std::min(candidates.size(), kConsidered));
  std::vector<Candidate> chosen;
  for (const Candidate& candidate : candidates) {
    const auto covering = std::find_if(chosen.begin(), chosen.end(), [&](const Candidate& other) {
      return other.span.field == candidate.span.field && other.span.start <= candidate.span.start &&
             candidate.span.end <= other.span.end;
    });
    if (covering != chosen.end()) {
      // A word of a phrase that is there already: one reason, not two.
      covering->weight += candidate.weight;
    } else if (chosen.size() < static_cast<size_t>(kMaxEvidencePerTag)) {
      chosen.push_back(candidate);
    }
  }
  std::stable_sort(chosen.begin(), chosen.end(),
                   [](const Candidate& a, const Candidate& b) { return a.weight > b.weight; });
  std::vector<Evidence> evidence;
  for (const Candidate& candidate : chosen) {
    const double weight = Round(candidate.weight);
    if (weight <= 0.0) {
      break;
    }
    const std::string& field = candidate.span.field == Field::kTitle ? article.title : article.body;
    Evidence reason;
    reason.span = candidate.span;
    reason.text = field.substr(static_cast<size_t>(candidate.span.start),
                               static_cast<size_t>(candidate.span.end - candidate.span.start));
    reason.kind = candidate.phrase ? "PHRASE" : "WORD";
    reason.weight = weight;
    evidence.push_back(std::move(reason));
  }
  return evidence;
}

absl::StatusOr<std::unique_ptr<IssueTagger>> IssueTagger::Load(const std::string& model_path,
                                                               const Taxonomy& taxonomy) {
  ASSIGN_OR_RETURN(IssueModel issue_model, ReadIssueModel(model_path));
  if (issue_model.taxonomy_fingerprint != taxonomy.fingerprint()) {
    std::vector<std::string> unknown_to_model;
    for (const Issue* issue : taxonomy.LiveIssues()) {
      const bool known = std::any_of(issue_model.report.issues.begin(), issue_model.report.issues.end(),
                                     [issue](const IssueModelInfo& info) { return info.issue_id == issue->id; });
      if (!known && unknown_to_model.size() < 5) {
        unknown_to_model.push_back(issue->id);
      }
    }
    return absl::FailedPreconditionError(absl::StrCat(
        "issue model ", model_path, ": trained for taxonomy ", issue_model.report.taxonomy_version, " (fingerprint ",
        issue_model.taxonomy_fingerprint, "), but the loaded taxonomy ", taxonomy.version(), " (fingerprint ",
        taxonomy.fingerprint(), ") has other issues",
        unknown_to_model.empty() ? "" : absl::StrCat(", such as ", absl::StrJoin(unknown_to_model, ", ")),
        "; load the taxonomy it was trained for, or train a model with classifier_train issues --taxonomy FILE"));
  }
  auto model = std::make_unique<Model>();
  model->issue_model = std::move(issue_model);
  for (const IssueModelInfo& info : model->issue_model.report.issues) {
    if (taxonomy.Find(info.issue_id) == nullptr) {
      return absl::DataLossError(absl::StrCat("issue model ", model_path, ": it holds an issue \"", info.issue_id,
                                              "\" that its own taxonomy lacks; train it again"));
    }
    model->display_names.push_back(taxonomy.DisplayName(info.issue_id, "en"));
  }
  return std::unique_ptr<IssueTagger>(new IssueTagger(std::move(model)));
}

IssueTagger::IssueTagger(std::unique_ptr<const Model> model) : model_(std::move(model)) {}
IssueTagger::~IssueTagger() = default;

IssueResult IssueTagger::Tag(const ArticleText& article) const {
  IssueResult result;
  if (!SupportsLanguage(article.language_code)) {
    result.outcome = Outcome::kUnsupportedLanguage;
    return result;
  }
  const TextFeatures features = ExtractFeatures(model_->issue_model.vocabulary, article.title, article.body);
  if (features.values.empty()) {
    return result;
  }
  const std::vector<double> scores = model_->Scores(features);
  for (size_t i = 0; i < scores.size(); ++i) {
    const IssueModelInfo& info = model_->issue_model.report.issues[i];
    if (scores[i] < info.threshold) {
      continue;
    }
    dateline::classifier::Tag tag;
    tag.id = info.issue_id;
    tag.display_name = model_->display_names[i];
    tag.score = scores[i];
    tag.evidence = model_->Explain(i, features, article);
    result.tags.push_back(std::move(tag));
  }
  std::stable_sort(result.tags.begin(), result.tags.end(),
                   [](const auto& a, const auto& b) { return a.score > b.score; });
  result.outcome = result.tags.empty() ? Outcome::kAbstained : Outcome::kTagged;
  return result;
}

std::vector<IssueScore> IssueTagger::Score(const ArticleText& article) const {
  const TextFeatures features = ExtractFeatures(model_->issue_model.vocabulary, article.title, article.body);
  const std::vector<double> scores = model_->Scores(features);
  std::vector<IssueScore> result;
  for (size_t i = 0; i < scores.size(); ++i) {
    const IssueModelInfo& info = model_->issue_model.report.issues[i];
    result.push_back({info.issue_id, scores[i], !features.values.empty() && scores[i] >= info.threshold});
  }
  std::stable_sort(result.begin(), result.end(),
                   [](const IssueScore& a, const IssueScore& b) { return a.score > b.score; });
  return result;
}

bool IssueTagger::SupportsLanguage(absl::string_view language_code) const {
  const std::string base = BaseLanguage(language_code);
  if (base.empty() || base == "und") {
    return true;
  }
  const std::vector<std::string>& known = info().language_codes;
  return std::find(known.begin(), known.end(), base) != known.end();
}

const IssueModelReport& IssueTagger::info() const { return model_->issue_model.report; }

}  // namespace dateline::classifier
