#include "classifier_service/issue_seeds.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

namespace dateline::classifier {
namespace {

// The weights of Features, and kThreshold, as `issues_tool seeds` fits them on the first 2,760 articles of data/labels
// and the twenty issues of the default taxonomy.
constexpr SeedScorer::Features kWeights = {1.7481, 0.5343, 12.7299, -0.7962, -1.8279};

// The rarity (idf) of a phrase of middling frequency, and that of one that the vocabulary doesn't know.
constexpr double kMiddlingIdf = 6.0;
constexpr double kUnknownIdf = 8.0;

double Round(double value) { return std::round(value * 1e4) / 1e4; }

bool IsPhrase(const std::string& term) { return term.find(' ') != std::string::npos; }

// The terms that stand for a phrase: pairs of words where it has several, else the word.
std::vector<std::string> SeedTerms(const std::string& phrase) {
  std::vector<std::string> terms = TermsOfPhrase(phrase);
  terms.erase(std::remove_if(terms.begin(), terms.end(), [](const std::string& term) { return term[0] == kLeadMark; }),
              terms.end());
  if (std::any_of(terms.begin(), terms.end(), IsPhrase)) {
    terms.erase(std::remove_if(terms.begin(), terms.end(), [](const std::string& term) { return !IsPhrase(term); }),
                terms.end());
  }
  return terms;
}

std::vector<std::string> DefinitionTerms(const std::string& definition) {
  std::vector<std::string> terms = TermsOfPhrase(definition);
  terms.erase(std::remove_if(terms.begin(), terms.end(),
                             [](const std::string& term) { return term[0] == kLeadMark || IsPhrase(term); }),
              terms.end());
  return terms;
}

}  // namespace

const double SeedScorer::kThreshold = 0.18;
const double SeedScorer::kWithoutPhrase = -3.0;  // 4.5 % of them had the issue all the same.

SeedScorer::SeedScorer(const std::vector<const Issue*>& issues, const Vocabulary& known)
    : issue_count_(issues.size()), definition_weights_(issues.size(), 0.0) {
  std::map<std::string, double> idf_of;
  for (size_t i = 0; i < known.size(); ++i) {
    idf_of.emplace(known.term(static_cast<int32_t>(i)), static_cast<double>(known.idf(static_cast<int32_t>(i))));
  }
  const auto weight = [&](const std::string& term) {
    const auto found = idf_of.find(term);
    return (found == idf_of.end() ? kUnknownIdf : found->second) / kMiddlingIdf;
  };
  std::map<std::string, std::vector<Use>> uses;
  for (size_t i = 0; i < issues.size(); ++i) {
    std::set<std::string> seeds;
    for (const std::string& phrase : issues[i]->seed_phrases) {
      for (std::string& term : SeedTerms(phrase)) {
        seeds.insert(std::move(term));
      }
    }
    for (const std::string& term : seeds) {
      uses[term].push_back({i, true, weight(term)});
    }
    for (const std::string& term : DefinitionTerms(issues[i]->definition)) {
      uses[term].push_back({i, false, weight(term)});
      definition_weights_[i] += weight(term);
    }
  }
  // Each term twice over, as in all vocabularies: in the text, and in the title and lead.
  std::vector<std::string> terms;
  std::vector<float> idf;
  for (const auto& [term, of] : uses) {
    for (std::string written : {term, absl::StrCat(absl::string_view(&kLeadMark, 1), term)}) {
      terms.push_back(std::move(written));
      idf.push_back(1.0F);
      uses_.push_back(of);
    }
  }
  // Terms are unique by construction; two of a few hundred with the same 64-bit hash are not to be expected, and then
  // nothing is known by its seed phrases.
  if (absl::StatusOr<Vocabulary> vocabulary = Vocabulary::Create(std::move(terms), std::move(idf)); vocabulary.ok()) {
    vocabulary_ = *std::move(vocabulary);
  }
}

std::vector<SeedScorer::Result> SeedScorer::Score(const ScannedArticle& scanned, bool with_evidence) const {
  const ArticleText& article = scanned.article;
  TextFeatures features = ExtractFeatures(vocabulary_, scanned.title, scanned.body);
  std::sort(features.values.begin(), features.values.end(),
            [](const TermValue& a, const TermValue& b) { return a.term < b.term; });
  std::vector<Result> results(issue_count_);
  std::vector<double> in_text(issue_count_, 0.0);
  std::vector<double> in_lead(issue_count_, 0.0);
  std::vector<double> of_definition(issue_count_, 0.0);
  for (const TermValue& of : features.values) {
    const bool lead = vocabulary_.is_lead(of.term);
    for (const Use& use : uses_[static_cast<size_t>(of.term)]) {
      if (!use.seed) {
        of_definition[use.issue] += lead ? use.weight : 0.0;
        continue;
      }
      const double weight = use.weight * (1.0 + std::log(static_cast<double>(of.count)));
      (lead ? in_lead : in_text)[use.issue] += lead ? use.weight : weight;
      if (with_evidence && !lead) {
        const std::string& field = of.span.field == Field::kTitle ? article.title : article.body;
        Evidence evidence;
        evidence.span = of.span;
        evidence.text =
            field.substr(static_cast<size_t>(of.span.start), static_cast<size_t>(of.span.end - of.span.start));
        evidence.kind = of.phrase ? "PHRASE" : "WORD";
        evidence.weight = Round(weight);
        results[use.issue].evidence.push_back(std::move(evidence));
      }
    }
  }
  for (size_t i = 0; i < issue_count_; ++i) {
    Result& result = results[i];
    result.features = {std::log1p(in_text[i]), std::log1p(in_lead[i]),
                       definition_weights_[i] > 0.0 ? of_definition[i] / definition_weights_[i] : 0.0,
                       std::log1p(static_cast<double>(article.body.size()) / 2000.0), 1.0};
    for (size_t k = 0; k < kFeatures; ++k) {
      result.raw += kWeights[k] * result.features[k];
    }
    // Words of the definition alone are no reason.
    result.lift = in_text[i] > 0.0 ? result.raw - kWithoutPhrase : 0.0;
    result.score = in_text[i] > 0.0 ? Round(1.0 / (1.0 + std::exp(-std::clamp(result.raw, -40.0, 40.0)))) : 0.0;
    std::stable_sort(result.evidence.begin(), result.evidence.end(),
                     [](const Evidence& a, const Evidence& b) { return a.weight > b.weight; });
    result.evidence.resize(std::min<size_t>(result.evidence.size(), static_cast<size_t>(kMaxEvidencePerTag)));
  }
  return results;
}

}  // namespace dateline::classifier
