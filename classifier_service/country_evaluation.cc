#include <algorithm>
#include <array>
#include <cmath>
#include <random>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

#include "classifier_service/country_trainer.h"

namespace dateline::classifier {
namespace {

constexpr double kCalibrationFloor = 0.05;
constexpr size_t kBins = 10;
constexpr int kResamplings = 1000;
constexpr unsigned kSeed = 1;

// What one article adds to the figures.
struct Outcomes {
  int right = 0;
  int given = 0;
  int gold = 0;
  std::array<double, kBins> scores{};
  std::array<int, kBins> labels{};
  std::array<int, kBins> sizes{};
};

struct Sums {
  double right = 0.0;
  double given = 0.0;
  double gold = 0.0;
  double silent = 0.0;
  double without_country = 0.0;
  double silent_rightly = 0.0;
  std::array<double, kBins> scores{};
  std::array<double, kBins> labels{};
  std::array<double, kBins> sizes{};

  void Add(const Outcomes& article) {
    right += article.right;
    given += article.given;
    gold += article.gold;
    silent += article.given == 0 ? 1.0 : 0.0;
    without_country += article.gold == 0 ? 1.0 : 0.0;
    silent_rightly += article.given == 0 && article.gold == 0 ? 1.0 : 0.0;
    for (size_t bin = 0; bin < kBins; ++bin) {
      scores[bin] += article.scores[bin];
      labels[bin] += article.labels[bin];
      sizes[bin] += article.sizes[bin];
    }
  }

  static double Ratio(double a, double b) { return b > 0.0 ? a / b : 0.0; }
  double F1() const { return Ratio(2.0 * right, given + gold); }
  double AbstainPrecision() const { return Ratio(silent_rightly, silent); }
  double AbstainRecall() const { return Ratio(silent_rightly, without_country); }

  double RawCalibrationError() const {
    double off = 0.0;
    double all = 0.0;
    for (size_t bin = 0; bin < kBins; ++bin) {
      off += std::abs(scores[bin] - labels[bin]);
      all += sizes[bin];
    }
    return Ratio(off, all);
  }

  // The absolute gap of a bin is larger than the true one by what chance adds to it: the mean of a folded normal
  // distribution around the gap less the gap (the correction of Kumar, Liang and Ma, Verified Uncertainty Calibration,
  // NeurIPS 2019, in closed form). A resampling adds the same chance once more: `variances` is 2 then.
  double CalibrationError(double variances) const {
    double off = 0.0;
    double all = 0.0;
    for (size_t bin = 0; bin < kBins; ++bin) {
      if (sizes[bin] == 0.0) {
        continue;
      }
      const double mean = labels[bin] / sizes[bin];
      const double gap = std::abs(scores[bin] - labels[bin]) / sizes[bin];
      const double deviation = std::sqrt(variances * mean * (1.0 - mean) / sizes[bin]);
      double folded = gap;
      if (deviation > 0.0) {
        const double ratio = gap / deviation;
        folded =
            deviation * std::sqrt(2.0 / M_PI) * std::exp(-ratio * ratio / 2.0) + gap * std::erf(ratio / std::sqrt(2.0));
      }
      off += sizes[bin] * (2.0 * gap - folded);
      all += sizes[bin];
    }
    return std::max(0.0, Ratio(off, all));
  }
};

Outcomes OutcomesOf(const CountryPrediction& prediction, absl::string_view without) {
  Outcomes article;
  for (const std::string& code : prediction.gold) {
    article.gold += code == without ? 0 : 1;
  }
  for (const CountryPrediction::Candidate& candidate : prediction.candidates) {
    if (candidate.region_code == without) {
      continue;
    }
    const bool right = std::binary_search(prediction.gold.begin(), prediction.gold.end(), candidate.region_code);
    article.given += candidate.tagged ? 1 : 0;
    article.right += candidate.tagged && right ? 1 : 0;
    if (candidate.score >= kCalibrationFloor) {
      const auto bin = static_cast<size_t>(std::min(candidate.score * static_cast<double>(kBins), kBins - 1.0));
      article.scores[bin] += candidate.score;
      article.labels[bin] += right ? 1 : 0;
      article.sizes[bin] += 1;
    }
  }
  return article;
}

Interval IntervalOf(double value, std::vector<double> resampled) {
  std::sort(resampled.begin(), resampled.end());
  const auto at = [&](double share) {
    return resampled[static_cast<size_t>(share * static_cast<double>(resampled.size() - 1))];
  };
  return {value, at(0.025), at(0.975)};
}

}  // namespace

CountryEvaluation EvaluateCountries(const std::vector<CountryPrediction>& predictions, absl::string_view without) {
  CountryEvaluation result;
  result.articles = static_cast<int>(predictions.size());
  std::vector<Outcomes> outcomes;
  Sums sums;
  int hits = 0;
  int primary = 0;
  int with_country = 0;
  struct Counts {
    int right = 0;
    int given = 0;
    int gold = 0;
  };
  std::map<std::string, Counts> by_country;
  for (const CountryPrediction& prediction : predictions) {
    outcomes.push_back(OutcomesOf(prediction, without));
    sums.Add(outcomes.back());
    with_country += outcomes.back().gold > 0 ? 1 : 0;
    hits += outcomes.back().right > 0 ? 1 : 0;
    std::set<std::string> missed;
    for (const std::string& code : prediction.gold) {
      if (code != without) {
        ++by_country[code].gold;
        missed.insert(code);
      }
    }
    const CountryPrediction::Candidate* best = nullptr;
    std::vector<std::string> wrong;
    for (const CountryPrediction::Candidate& candidate : prediction.candidates) {
      if (!candidate.tagged || candidate.region_code == without) {
        continue;
      }
      ++by_country[candidate.region_code].given;
      if (missed.erase(candidate.region_code) > 0) {
        ++by_country[candidate.region_code].right;
      } else {
        wrong.push_back(candidate.region_code);
      }
      if (best == nullptr || candidate.score > best->score) {
        best = &candidate;
      }
    }
    primary += best != nullptr && std::binary_search(prediction.gold.begin(), prediction.gold.end(), best->region_code)
                   ? 1
                   : 0;
    for (const std::string& code : wrong) {
      if (missed.empty()) {
        ++result.confusions[absl::StrCat(code, prediction.gold.empty() ? " for none" : " besides")];
      }
      for (const std::string& other : missed) {
        ++result.confusions[absl::StrCat(code, " for ", other)];
      }
    }
    if (wrong.empty()) {
      for (const std::string& other : missed) {
        ++result.confusions[absl::StrCat(best == nullptr ? "nothing for " : "only others for ", other)];
      }
    }
  }
  result.precision = Sums::Ratio(sums.right, sums.given);
  result.recall = Sums::Ratio(sums.right, sums.gold);
  result.hit = Sums::Ratio(hits, with_country);
  result.primary = Sums::Ratio(primary, with_country);
  result.silent = static_cast<int>(sums.silent);
  result.without_country = static_cast<int>(sums.without_country);
  result.raw_calibration_error = sums.RawCalibrationError();
  double macro = 0.0;
  int present = 0;
  for (const auto& [code, counts] : by_country) {
    if (counts.gold > 0) {
      macro += 2.0 * counts.right / (counts.given + counts.gold);
      ++present;
    }
  }
  result.macro_f1 = Sums::Ratio(macro, present);
  if (outcomes.empty()) {
    return result;
  }

  std::vector<double> f1;
  std::vector<double> abstain_precision;
  std::vector<double> abstain_recall;
  std::vector<double> calibration;
  std::mt19937_64 random(kSeed);
  for (int i = 0; i < kResamplings; ++i) {
    Sums resampled;
    for (size_t j = 0; j < outcomes.size(); ++j) {
      resampled.Add(outcomes[random() % outcomes.size()]);
    }
    f1.push_back(resampled.F1());
    abstain_precision.push_back(resampled.AbstainPrecision());
    abstain_recall.push_back(resampled.AbstainRecall());
    calibration.push_back(resampled.CalibrationError(2.0));
  }
  result.f1 = IntervalOf(sums.F1(), std::move(f1));
  result.abstain_precision = IntervalOf(sums.AbstainPrecision(), std::move(abstain_precision));
  result.abstain_recall = IntervalOf(sums.AbstainRecall(), std::move(abstain_recall));
  result.calibration_error = IntervalOf(sums.CalibrationError(1.0), std::move(calibration));
  return result;
}

std::vector<CountryPrediction> PredictCountries(const CountryTagger& tagger,
                                                const std::vector<CountryArticle>& articles,
                                                const CountryTagger::Options& options) {
  std::vector<CountryPrediction> predictions;
  for (const CountryArticle& article : articles) {
    CountryPrediction prediction;
    prediction.id = article.id;
    prediction.group = article.source;
    prediction.gold = article.countries;
    std::set<std::string> tagged;
    for (const Tag& tag : tagger.Tag(article.text, options).countries) {
      tagged.insert(tag.id);
    }
    for (const CountryScore& score : tagger.Score(article.text)) {
      prediction.candidates.push_back({score.region_code, score.score, tagged.contains(score.region_code)});
    }
    predictions.push_back(std::move(prediction));
  }
  return predictions;
}

std::string FormatCountryEvaluation(absl::string_view name, const CountryEvaluation& evaluation) {
  return absl::StrFormat(
      "%-26s %5d articles  P %.3f  R %.3f  F1 %.3f [%.3f, %.3f]  macro F1 %.3f  hit %.3f  primary %.3f  "
      "none: P %.3f [%.3f, %.3f] R %.3f [%.3f, %.3f] (%d given, %d are)  ECE %.3f [%.3f, %.3f], raw %.3f\n",
      std::string(name), evaluation.articles, evaluation.precision, evaluation.recall, evaluation.f1.value,
      evaluation.f1.low, evaluation.f1.high, evaluation.macro_f1, evaluation.hit, evaluation.primary,
      evaluation.abstain_precision.value, evaluation.abstain_precision.low, evaluation.abstain_precision.high,
      evaluation.abstain_recall.value, evaluation.abstain_recall.low, evaluation.abstain_recall.high, evaluation.silent,
      evaluation.without_country, evaluation.calibration_error.value, evaluation.calibration_error.low,
      evaluation.calibration_error.high, evaluation.raw_calibration_error);
}

}  // namespace dateline::classifier
