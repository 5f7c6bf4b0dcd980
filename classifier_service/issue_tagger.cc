#include "classifier_service/issue_tagger.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <tuple>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"

#include "classifier_service/issue_model.h"
#include "classifier_service/issue_seeds.h"
#include "classifier_service/text_features.h"
#include "common/error.h"
#include "common/language_tag.h"
#include "common/status_macros.h"

namespace dateline::classifier {
namespace {

// Scores are the same on every machine only up to the last bits of exp(), which glibc picks by CPU.
double Round(double value) { return std::round(value * 1e4) / 1e4; }

double Logistic(double x) { return 1.0 / (1.0 + std::exp(-std::clamp(x, -40.0, 40.0))); }

// Rows of weights lie all over a table larger than the cache: each is fetched so many terms before its turn.
constexpr size_t kRowsAhead = 8;

// What an issue of the taxonomy is judged by.
struct IssueSource {
  std::string id;
  std::string display_name;     // English.
  std::vector<size_t> members;  // Issues of the model; empty: the seed phrases.
  size_t seed = 0;              // Without members: its place among the issues that go by seed phrases.
};

// Where in the model stand the labels that `issue` is trained from, and those of retired issues that it stands for.
std::vector<size_t> MembersOf(const Issue& issue, const Taxonomy& taxonomy, const IssueModel& model) {
  const std::vector<IssueModelInfo>& known = model.report.issues;
  std::vector<std::string> labels = issue.trained_from;
  for (const Issue& other : taxonomy.issues()) {
    if (!other.retired()) {
      continue;
    }
    const std::vector<std::string> stand_in = taxonomy.Resolve(other.id);
    if (std::find(stand_in.begin(), stand_in.end(), issue.id) != stand_in.end()) {
      labels.push_back(other.id);
    }
  }
  std::vector<size_t> members;
  size_t own = known.size();
  for (size_t i = 0; i < known.size(); ++i) {
    const std::vector<std::string>& trained_from = model.trained_from[i];
    if (known[i].issue_id == issue.id) {
      own = i;
      if (trained_from == issue.trained_from && labels.size() == issue.trained_from.size()) {
        return {i};
      }
    }
    // All that it was trained from belongs to the issue.
    if (std::all_of(trained_from.begin(), trained_from.end(), [&](const std::string& label) {
          return std::find(labels.begin(), labels.end(), label) != labels.end();
        })) {
      members.push_back(i);
    }
  }
  if (members.empty() && own < known.size()) {
    members.push_back(own);
  }
  return members;
}

}  // namespace

struct IssueTagger::Model {
  IssueModel issue_model;
  IssueModelReport report;           // What info() returns.
  std::vector<IssueSource> sources;  // In the order of `report.issues`.
  std::optional<SeedScorer> seeds;
  // For each issue of the model that goes by seed phrases, too, their place in `seeds`.
  std::vector<std::optional<size_t>> seeds_of;

  size_t issue_count() const { return issue_model.issues.size(); }

  double Weight(int32_t term, size_t issue) const {
    return static_cast<double>(issue_model.weights[static_cast<size_t>(term) * issue_count() + issue]) *
           static_cast<double>(issue_model.issues[issue].weight_step);
  }

  struct Judgement {
    double raw = 0.0;    // Before calibration.
    double score = 0.0;  // Rounded.
  };

  // What the seed phrases add to the margin of an issue of the model.
  double SeedMargin(size_t issue, const std::vector<SeedScorer::Result>& seed_results) const {
    return seeds_of[issue].has_value()
               ? static_cast<double>(issue_model.issues[issue].seed_weight) * seed_results[*seeds_of[issue]].lift
               : 0.0;
  }

  // One for each issue.
  std::vector<Judgement> Judge(const TextFeatures& features,
                               const std::vector<SeedScorer::Result>& seed_results) const {
    const size_t count = issue_count();
    std::vector<float> sums(count, 0.0F);
    const auto row_of = [&](const TermValue& value) {
      return issue_model.weights.data() + static_cast<size_t>(value.term) * count;
    };
    for (size_t n = 0; n < features.values.size(); ++n) {
      const TermValue& value = features.values[n];
      const int8_t* row = row_of(value);
      if (n + kRowsAhead < features.values.size()) {
        __builtin_prefetch(row_of(features.values[n + kRowsAhead]));
      }
      for (size_t i = 0; i < count; ++i) {
        sums[i] += value.value * static_cast<float>(row[i]);
      }
    }
    std::vector<Judgement> judgements(count);
    for (size_t i = 0; i < count; ++i) {
      const LinearIssue& issue = issue_model.issues[i];
      const double margin = static_cast<double>(issue.bias) + static_cast<double>(issue.weight_step) * sums[i] +
                            SeedMargin(i, seed_results);
      judgements[i].raw = margin;
      judgements[i].score =
          Round(Logistic(static_cast<double>(issue.slope) * margin + static_cast<double>(issue.intercept)));
    }
    return judgements;
  }

  // What is made of one issue of the taxonomy.
  struct Verdict {
    double score = 0.0;
    double threshold = 0.0;
    std::optional<double> raw;
    size_t member = 0;  // The issue of the model that decided; of no meaning for seeds.
  };
  Verdict Decide(const IssueSource& source, const std::vector<Judgement>& judgements,
                 const std::vector<SeedScorer::Result>& seed_results) const {
    if (source.members.empty()) {
      const SeedScorer::Result& result = seed_results[source.seed];
      // Without a phrase the score is 0, whatever the logistic function would say.
      const bool scored = result.score > 0.0;
      return {result.score, SeedScorer::kThreshold, scored ? std::optional<double>(Round(result.raw)) : std::nullopt,
              0};
    }
    const auto over = [&](size_t member) {
      return judgements[member].score - issue_model.report.issues[member].threshold;
    };
    const size_t best = *std::max_element(source.members.begin(), source.members.end(),
                                          [&](size_t a, size_t b) { return over(a) < over(b); });
    Verdict verdict{judgements[best].score, issue_model.report.issues[best].threshold, std::nullopt, best};
    if (source.members.size() == 1) {
      verdict.raw = Round(judgements[best].raw);
    }
    return verdict;
  }

  // Whether anything can be said of this text: of one without a word that it knows, the model would say what issues are
  // frequent.
  bool CanJudge(const IssueSource& source, const TextFeatures& features) const {
    return !features.values.empty() || source.members.empty() ||
           std::any_of(source.members.begin(), source.members.end(),
                       [&](size_t member) { return seeds_of[member].has_value(); });
  }

  // The terms that speak most for an issue, each where it stands first.
  std::vector<Evidence> Explain(size_t issue, const TextFeatures& features, const ArticleText& article) const;

  // The same with the seed phrases, for an issue that goes by both.
  std::vector<Evidence> ExplainBoth(size_t issue, const TextFeatures& features,
                                    const std::vector<SeedScorer::Result>& seed_results,
                                    const ArticleText& article) const;
};

namespace {

// A term that speaks for an issue.
struct Candidate {
  double weight = 0.0;  // Above 0.
  const TermValue* at = nullptr;
};

bool IsHeavier(const Candidate& a, const Candidate& b) {
  if (a.weight != b.weight) {
    return a.weight > b.weight;
  }
  const TextSpan& left = a.at->span;
  const TextSpan& right = b.at->span;  // Of two that begin together, the phrase: it covers the word.
  return std::tie(left.field, left.start, right.end) < std::tie(right.field, right.start, left.end);
}

// The `limit` heaviest, in order; all, if there are fewer. Good until the thread calls it again.
//
// Which of two is heavier is as good as random, and sorting would guess wrong at every other comparison. So they are
// first laid out by magnitude, in steps of an eighth of a power of two: then they stand nearly right.
absl::Span<const Candidate> Heaviest(absl::Span<const Candidate> candidates, size_t limit) {
  constexpr size_t kSteps = 256;
  constexpr int kStepShift = 49;  // Leaves of a double its exponent and three bits of its fraction.
  thread_local std::vector<Candidate> laid_out;
  laid_out.resize(std::max(laid_out.size(), candidates.size()));
  uint64_t top = 0;
  for (const Candidate& candidate : candidates) {
    top = std::max(top, std::bit_cast<uint64_t>(candidate.weight) >> kStepShift);
  }
  const auto step_of = [top](const Candidate& candidate) {
    return std::min<uint64_t>(top - (std::bit_cast<uint64_t>(candidate.weight) >> kStepShift), kSteps - 1);
  };
  std::array<size_t, kSteps + 1> begins = {};  // Of each step.
  for (const Candidate& candidate : candidates) {
    ++begins[step_of(candidate) + 1];
  }
  std::partial_sum(begins.begin(), begins.end(), begins.begin());
  // What the step holds with which the limit is reached has to be sorted, too.
  const size_t sorted = *std::lower_bound(begins.begin(), begins.end(), std::min(limit, candidates.size()));
  for (const Candidate& candidate : candidates) {
    laid_out[begins[step_of(candidate)]++] = candidate;
  }
  const auto heaviest = absl::MakeSpan(laid_out).first(sorted);
  std::sort(heaviest.begin(), heaviest.end(), IsHeavier);
  return heaviest.first(std::min(limit, sorted));
}

}  // namespace

std::vector<Evidence> IssueTagger::Model::Explain(size_t issue, const TextFeatures& features,
                                                  const ArticleText& article) const {
  const double slope = static_cast<double>(issue_model.issues[issue].slope);
  thread_local std::vector<Candidate> memory;  // That a thread keeps from one tag to the next.
  memory.resize(std::max(memory.size(), features.values.size()));
  // Which terms speak for an issue is as good as random: all are written down, those that don't are overwritten.
  size_t count = 0;
  for (const TermValue& value : features.values) {
    const double contribution = slope * Weight(value.term, issue) * static_cast<double>(value.value);
    memory[count].weight = contribution;
    memory[count].at = &value;
    count += contribution > 0.0 ? 1 : 0;
  }
  // A term of the lead follows its twin, which stands at the same place.
  size_t merged = 0;
  for (const Candidate& candidate : absl::MakeConstSpan(memory).first(count)) {
    if (merged > 0 && memory[merged - 1].at->span == candidate.at->span) {
      memory[merged - 1].weight += candidate.weight;
    } else {
      memory[merged++] = candidate;
    }
  }
  // The heaviest only: looking at all would be slow for a long text, and the light ones say nothing to a reader.
  constexpr size_t kConsidered = size_t{kMaxEvidencePerTag} * 4;
  const absl::Span<const Candidate> candidates = Heaviest(absl::MakeConstSpan(memory).first(merged), kConsidered);
  std::vector<Candidate> chosen;
  chosen.reserve(kMaxEvidencePerTag);
  std::vector<size_t> phrases;  // Among those chosen: what covers another.
  for (const Candidate& candidate : candidates) {
    const TextSpan& span = candidate.at->span;
    const auto covering = std::find_if(phrases.begin(), phrases.end(), [&](size_t phrase) {
      const TextSpan& wider = chosen[phrase].at->span;
      return wider.start <= span.start && span.end <= wider.end && wider.field == span.field;
    });
    if (covering != phrases.end()) {
      // A word of a phrase that is there already: one reason, not two.
      chosen[*covering].weight += candidate.weight;
    } else if (chosen.size() < static_cast<size_t>(kMaxEvidencePerTag)) {
      if (candidate.at->phrase) {
        phrases.push_back(chosen.size());
      }
      chosen.push_back(candidate);
    }
  }
  std::stable_sort(chosen.begin(), chosen.end(),
                   [](const Candidate& a, const Candidate& b) { return a.weight > b.weight; });
  std::vector<Evidence> evidence;
  evidence.reserve(chosen.size());
  for (const Candidate& candidate : chosen) {
    const double weight = Round(candidate.weight);
    if (weight <= 0.0) {
      break;
    }
    const TextSpan& span = candidate.at->span;
    const std::string& field = span.field == Field::kTitle ? article.title : article.body;
    Evidence reason;
    reason.span = span;
    reason.text = field.substr(static_cast<size_t>(span.start), static_cast<size_t>(span.end - span.start));
    reason.kind = candidate.at->phrase ? "PHRASE" : "WORD";
    reason.weight = weight;
    evidence.push_back(std::move(reason));
  }
  return evidence;
}

std::vector<Evidence> IssueTagger::Model::ExplainBoth(size_t issue, const TextFeatures& features,
                                                      const std::vector<SeedScorer::Result>& seed_results,
                                                      const ArticleText& article) const {
  std::vector<Evidence> evidence = Explain(issue, features, article);
  if (!seeds_of[issue].has_value()) {
    return evidence;
  }
  // Seed phrases weigh by rarity; here as parts of the log-odds that all of them add, as the words of the model do.
  const SeedScorer::Result& seeds_say = seed_results[*seeds_of[issue]];
  double total = 0.0;
  for (const Evidence& reason : seeds_say.evidence) {
    total += reason.weight;
  }
  const double added = static_cast<double>(issue_model.issues[issue].slope) * SeedMargin(issue, seed_results);
  if (total <= 0.0 || added <= 0.0) {
    return evidence;
  }
  for (Evidence reason : seeds_say.evidence) {
    reason.weight = Round(added * reason.weight / total);
    const auto same = std::find_if(evidence.begin(), evidence.end(),
                                   [&](const Evidence& other) { return other.span == reason.span; });
    if (same != evidence.end()) {
      same->weight += reason.weight;
    } else if (reason.weight > 0.0) {
      evidence.push_back(std::move(reason));
    }
  }
  std::stable_sort(evidence.begin(), evidence.end(),
                   [](const Evidence& a, const Evidence& b) { return a.weight > b.weight; });
  evidence.resize(std::min<size_t>(evidence.size(), static_cast<size_t>(kMaxEvidencePerTag)));
  return evidence;
}

absl::StatusOr<std::unique_ptr<IssueTagger>> IssueTagger::Load(const std::string& model_path,
                                                               const Taxonomy& taxonomy) {
  ASSIGN_OR_RETURN(IssueModel issue_model, ReadIssueModel(model_path));
  auto model = std::make_unique<Model>();
  model->report = issue_model.report;
  model->report.issues.clear();
  if (issue_model.taxonomy_fingerprint != taxonomy.fingerprint()) {
    model->report.quality.reset();  // It was measured over other issues.
  }
  std::vector<const Issue*> by_seeds;
  std::vector<common::FieldViolation> problems;
  bool any_known = false;
  model->seeds_of.resize(issue_model.issues.size());
  for (const Issue* issue : taxonomy.LiveIssues()) {
    IssueSource source{issue->id, taxonomy.DisplayName(issue->id, "en"), MembersOf(*issue, taxonomy, issue_model), 0};
    IssueModelInfo info;
    info.issue_id = issue->id;
    if (source.members.empty()) {
      if (issue->seed_phrases.empty()) {
        problems.push_back(
            {absl::StrCat("issue model ", model_path),
             absl::StrCat("it knows nothing of issue \"", issue->id, "\" in line ", issue->line, " of taxonomy ",
                          taxonomy.version(),
                          ", which has no seed_phrase either; add some ten seed phrases, or train a model with "
                          "classifier_train issues --taxonomy FILE")});
        continue;
      }
      source.seed = by_seeds.size();
      by_seeds.push_back(issue);
      info.threshold = SeedScorer::kThreshold;
      info.slope = 1.0;
      info.intercept = 0.0;
      info.provenance = Provenance::kSeed;
    } else {
      any_known = true;
      for (const size_t member : source.members) {
        if (issue_model.issues[member].seed_weight > 0.0F && !issue->seed_phrases.empty()) {
          model->seeds_of[member] = by_seeds.size();
          by_seeds.push_back(issue);
        }
      }
      const std::vector<IssueModelInfo>& known = issue_model.report.issues;
      info = known[source.members.front()];
      info.issue_id = issue->id;
      if (source.members.size() > 1) {
        info.provenance = Provenance::kSeed;  // If all of them are.
        info.quality.reset();
        info.slope.reset();
        info.intercept.reset();
        info.example_count = 0;
        for (const size_t member : source.members) {
          info.threshold = std::min(info.threshold, known[member].threshold);
          info.example_count += known[member].example_count;
          if (known[member].provenance == Provenance::kModel) {
            info.provenance = Provenance::kModel;
          }
        }
      }
    }
    info.examples_needed = std::max(0, kEnoughExamples - info.example_count);
    model->report.issues.push_back(std::move(info));
    model->sources.push_back(std::move(source));
  }
  if (!any_known) {
    problems.insert(problems.begin(),
                    {absl::StrCat("issue model ", model_path),
                     absl::StrCat("trained for taxonomy ", issue_model.report.taxonomy_version,
                                  ", none of whose issues is in the loaded taxonomy ", taxonomy.version(),
                                  "; load the taxonomy it was trained for, or train a model with classifier_train "
                                  "issues --taxonomy FILE")});
  }
  if (!problems.empty()) {
    const std::string more = problems.size() > 1 ? absl::StrCat(" (and ", problems.size() - 1, " more)") : "";
    return common::WithFieldViolations(
        absl::FailedPreconditionError(absl::StrCat(problems[0].field, ": ", problems[0].description, more)), problems);
  }
  if (!by_seeds.empty()) {
    model->seeds.emplace(by_seeds, issue_model.vocabulary);
  }
  model->issue_model = std::move(issue_model);
  return std::unique_ptr<IssueTagger>(new IssueTagger(std::move(model)));
}

IssueTagger::IssueTagger(std::unique_ptr<const Model> model) : model_(std::move(model)) {}
IssueTagger::~IssueTagger() = default;

IssueResult IssueTagger::Tag(const ArticleText& article) const { return Tag(ScannedArticle(article)); }

IssueResult IssueTagger::Tag(const ScannedArticle& scanned) const {
  const ArticleText& article = scanned.article;
  IssueResult result;
  if (!SupportsLanguage(article.language_code)) {
    result.outcome = Outcome::kUnsupportedLanguage;
    return result;
  }
  const TextFeatures features = ExtractFeatures(model_->issue_model.vocabulary, scanned.title, scanned.body);
  std::vector<SeedScorer::Result> seed_results;
  if (model_->seeds.has_value()) {
    seed_results = model_->seeds->Score(scanned, /*with_evidence=*/true);
  }
  const std::vector<Model::Judgement> judgements = model_->Judge(features, seed_results);
  for (const IssueSource& source : model_->sources) {
    const bool by_seeds = source.members.empty();
    if (!model_->CanJudge(source, features)) {
      continue;
    }
    const Model::Verdict verdict = model_->Decide(source, judgements, seed_results);
    if (verdict.score < verdict.threshold) {
      continue;
    }
    dateline::classifier::Tag tag;
    tag.id = source.id;
    tag.display_name = source.display_name;
    tag.score = verdict.score;
    if (by_seeds) {
      tag.provenance = Provenance::kSeed;
      tag.evidence = std::move(seed_results[source.seed].evidence);
    } else {
      tag.provenance = model_->issue_model.report.issues[verdict.member].provenance;
      tag.evidence = model_->ExplainBoth(verdict.member, features, seed_results, article);
    }
    result.tags.push_back(std::move(tag));
  }
  std::stable_sort(result.tags.begin(), result.tags.end(),
                   [](const auto& a, const auto& b) { return a.score > b.score; });
  result.outcome = result.tags.empty() ? Outcome::kAbstained : Outcome::kTagged;
  return result;
}

std::vector<IssueScore> IssueTagger::Score(const ArticleText& article) const {
  const ScannedArticle scanned(article);
  const TextFeatures features = ExtractFeatures(model_->issue_model.vocabulary, scanned.title, scanned.body);
  std::vector<SeedScorer::Result> seed_results;
  if (model_->seeds.has_value()) {
    seed_results = model_->seeds->Score(scanned, /*with_evidence=*/false);
  }
  const std::vector<Model::Judgement> judgements = model_->Judge(features, seed_results);
  std::vector<IssueScore> result;
  for (const IssueSource& source : model_->sources) {
    const Model::Verdict verdict = model_->Decide(source, judgements, seed_results);
    const bool judged = model_->CanJudge(source, features);
    result.push_back(
        {source.id, verdict.score, judged && verdict.score >= verdict.threshold, verdict.threshold, verdict.raw});
  }
  std::stable_sort(result.begin(), result.end(),
                   [](const IssueScore& a, const IssueScore& b) { return a.score > b.score; });
  return result;
}

std::optional<bool> IssueTagger::InTraining(const ArticleText& article) const {
  const TextSketch& texts = model_->issue_model.training_texts;
  if (texts.empty()) {
    return std::nullopt;
  }
  return texts.Contains(article.title, article.body);
}

bool IssueTagger::SupportsLanguage(absl::string_view language_code) const {
  const std::string base = common::BaseLanguage(language_code);
  if (base.empty() || base == "und") {
    return true;
  }
  const std::vector<std::string>& known = info().language_codes;
  return std::find(known.begin(), known.end(), base) != known.end();
}

const IssueModelReport& IssueTagger::info() const { return model_->report; }

}  // namespace dateline::classifier
