#include "classifier_service/issue_thresholds.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace dateline::classifier {
namespace {

// By so much F1 another threshold has to be better: the one that is there was chosen on more articles, as a rule.
constexpr double kClearlyBetter = 0.01;

// One article's score for one issue, and whether it has the label.
struct Ranked {
  double score = 0.0;
  bool positive = false;
};

double Rounded(double value) { return std::round(value * 1e4) / 1e4; }

Quality QualityOf(int right, int tagged, int positives, int articles) {
  Quality quality;
  quality.precision = tagged > 0 ? static_cast<double>(right) / tagged : 0.0;
  quality.recall = positives > 0 ? static_cast<double>(right) / positives : 0.0;
  quality.f1 = tagged + positives > 0 ? 2.0 * right / (tagged + positives) : 0.0;
  quality.article_count = articles;
  return quality;
}

struct Counts {
  int right = 0;
  int tagged = 0;
  int positives = 0;

  void Add(const Ranked& one, double threshold) {
    const bool tag = one.score >= threshold;
    tagged += tag ? 1 : 0;
    positives += one.positive ? 1 : 0;
    right += tag && one.positive ? 1 : 0;
  }
};

// Halfway between the two scores that it divides; nullopt if no threshold reaches the goal.
std::optional<double> Best(std::vector<Ranked> ranked, const ThresholdGoal& goal) {
  std::stable_sort(ranked.begin(), ranked.end(), [](const Ranked& a, const Ranked& b) { return a.score > b.score; });
  const auto positives =
      static_cast<double>(std::count_if(ranked.begin(), ranked.end(), [](const Ranked& one) { return one.positive; }));
  std::optional<double> threshold;
  double best = 0.0;
  double right = 0.0;
  for (size_t i = 0; i < ranked.size(); ++i) {
    right += ranked[i].positive ? 1.0 : 0.0;
    const bool last = i + 1 == ranked.size();
    if (!last && ranked[i + 1].score == ranked[i].score) {
      continue;
    }
    const auto tagged = static_cast<double>(i + 1);
    const bool enough = tagged >= kFewestForThreshold && right >= goal.min_precision * tagged;
    const double value = goal.min_precision > 0.0 ? (enough ? right : 0.0) : 2.0 * right / (tagged + positives);
    if (value > best) {
      best = value;
      threshold = Rounded(last ? ranked[i].score : (ranked[i].score + ranked[i + 1].score) / 2.0);
    }
  }
  return threshold;
}

// What comes of a threshold that is chosen on other articles than it is used on.
Counts Crossed(const std::vector<Ranked>& ranked, const ThresholdGoal& goal, double otherwise) {
  std::array<std::vector<Ranked>, 2> halves;
  for (size_t i = 0; i < ranked.size(); ++i) {
    halves[i % 2].push_back(ranked[i]);
  }
  Counts counts;
  for (const size_t half : {0, 1}) {
    const double threshold = Best(halves[1 - half], goal).value_or(otherwise);
    for (const Ranked& one : halves[half]) {
      counts.Add(one, threshold);
    }
  }
  return counts;
}

}  // namespace

absl::StatusOr<ThresholdChoice> ChooseThresholds(const IssueModel& model, const IssueTagger& tagger,
                                                 const Taxonomy& taxonomy, const std::vector<LabelledArticle>& articles,
                                                 const ThresholdGoal& goal) {
  if (!(goal.min_precision >= 0.0 && goal.min_precision <= 1.0)) {
    return absl::InvalidArgumentError(
        absl::StrCat("min_precision: ", goal.min_precision, " is no share; give a number from 0 to 1"));
  }
  const size_t count = model.report.issues.size();
  absl::flat_hash_map<std::string, size_t> places;
  for (size_t k = 0; k < count; ++k) {
    places.emplace(model.report.issues[k].issue_id, k);
  }
  ThresholdChoice choice;
  std::vector<std::vector<Ranked>> ranked(count);
  for (const LabelledArticle& article : articles) {
    ArticleText text;
    text.title = article.title;
    text.body = article.body;
    if (tagger.InTraining(text).value_or(false)) {
      continue;
    }
    ++choice.articles;
    for (const IssueScore& score : tagger.Score(text)) {
      // What gathers several issues of the model has no threshold of its own there, nor has what seed phrases judge.
      const auto place = places.find(score.issue_id);
      const LabelState state = StateOf(article, *taxonomy.Find(score.issue_id));
      if (place != places.end() && score.raw.has_value() && state != LabelState::kUnknown) {
        ranked[place->second].push_back({score.score, state == LabelState::kYes});
      }
    }
  }
  if (choice.articles == 0) {
    return absl::FailedPreconditionError(
        "the model had learned from all of these articles, and knows their answers; give some that it hasn't seen");
  }
  for (size_t k = 0; k < count; ++k) {
    IssueThreshold issue;
    issue.issue_id = model.report.issues[k].issue_id;
    issue.before = model.report.issues[k].threshold;
    issue.after = issue.before;
    Counts before;
    for (const Ranked& one : ranked[k]) {
      before.Add(one, issue.before);
    }
    const auto of = static_cast<int>(ranked[k].size());
    issue.positives = before.positives;
    issue.quality_before = QualityOf(before.right, before.tagged, before.positives, of);
    issue.quality_after = issue.quality_before;
    if (issue.positives < kFewestForThreshold) {
      issue.reason = absl::StrCat("fewer than ", kFewestForThreshold, " articles have it");
    } else if (const std::optional<double> best = Best(ranked[k], goal); !best.has_value()) {
      issue.reason = absl::StrFormat("no threshold gives %d tags of which %g %% are right", kFewestForThreshold,
                                     goal.min_precision * 100.0);
    } else {
      const Counts after = Crossed(ranked[k], goal, issue.before);
      const Quality quality = QualityOf(after.right, after.tagged, after.positives, of);
      if (goal.min_precision == 0.0 && quality.f1 < issue.quality_before.f1 + kClearlyBetter) {
        issue.reason = "no other is clearly better on articles that it wasn't chosen on";
      } else {
        issue.after = *best;
        issue.quality_after = quality;
      }
    }
    choice.issues.push_back(std::move(issue));
  }
  return choice;
}

absl::Status SetThreshold(IssueModel& model, const std::string& issue_id, double threshold) {
  if (!(threshold >= 0.0 && threshold <= 1.0)) {
    return absl::InvalidArgumentError(
        absl::StrCat("the threshold of ", issue_id, ", ", threshold, ", is no probability; give a number from 0 to 1"));
  }
  for (IssueModelInfo& info : model.report.issues) {
    if (info.issue_id == issue_id) {
      if (info.threshold != Rounded(threshold)) {
        info.threshold = Rounded(threshold);
        info.quality.reset();  // It was of another threshold.
        model.report.quality.reset();
      }
      return absl::OkStatus();
    }
  }
  return absl::InvalidArgumentError(
      absl::StrCat("\"", issue_id, "\" is no issue of the model; `classifier_train show` lists them"));
}

std::string FormatThresholds(const ThresholdChoice& choice) {
  std::string text = absl::StrFormat("%d articles that the model had not learned from\n", choice.articles);
  for (const IssueThreshold& issue : choice.issues) {
    absl::StrAppendFormat(&text, "    %-18s %4d positive  threshold %.4f", issue.issue_id, issue.positives,
                          issue.before);
    if (!issue.reason.empty()) {
      absl::StrAppendFormat(&text, "  stays: %s\n", issue.reason);
      continue;
    }
    absl::StrAppendFormat(&text, " -> %.4f  P %.3f -> %.3f  R %.3f -> %.3f  F1 %.3f -> %.3f\n", issue.after,
                          issue.quality_before.precision, issue.quality_after.precision, issue.quality_before.recall,
                          issue.quality_after.recall, issue.quality_before.f1, issue.quality_after.f1);
  }
  return text;
}

}  // namespace dateline::classifier
