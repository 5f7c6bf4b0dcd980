#include "classifier_service/country_trainer.h"

#include <linear.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <deque>
#include <limits>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "classifier_service/country_analysis.h"
#include "classifier_service/country_habits.h"
#include "classifier_service/text_features.h"
#include "common/hash.h"
#include "common/parallel.h"
#include "common/status_macros.h"

namespace dateline::classifier {
namespace {

// LIBLINEAR shrinks the constant like any weight; as the weight of a large value it is hardly shrunk.
constexpr double kConstantValue = 10.0;
// A country's own deviations are shrunk more than what holds for all: one has fewer examples.
constexpr double kOwnScale = 0.5;
// Margins of support vector machines are about so much smaller than log-odds, and would be shrunk more by the ranker.
constexpr double kMarginScale = 3.0;
constexpr int kAll = -1;  // No fold is left out.

// The goals of the profiles, on articles that training had not seen.
constexpr double kStrictPrecision = 0.97;
constexpr double kGenerousRecall = 0.95;
// A country that the title passes over while it names two heavier ones is hardly ever what the article is about; there
// are too few of them in any training set to choose this by.
constexpr double kCrowdedThreshold = 0.85;
// An F1 that is less than this below the best is as good.
constexpr double kPlateau = 0.003;
constexpr double kRarePlateau = 0.01;  // Of the mean over countries with a handful of articles each.
constexpr double kLowestThreshold = 0.05;
// Log-odds against silence where no training article is without a country.
constexpr double kMaxSilence = 20.0;

struct Example {
  const CountryArticle* article = nullptr;
  bool is_lead = false;
  int fold = 0;                     // A lead is in that of its article.
  std::vector<feature_node> words;  // By index from 1, ended by -1.
  std::vector<CountryCandidate> candidates;
  std::vector<double> margins;   // Of word models that had not seen it; empty if it has too few words.
  std::vector<double> log_odds;  // Of the candidates, by a ranker that had not seen it.
  std::vector<double> scores;
  double silence = 1.0;  // The probability that no country is the subject, by a model that had not seen it.
};

// A linear model of LIBLINEAR: the weights, the constant last.
std::vector<double> TrainLinear(std::vector<feature_node*>& rows, std::vector<double>& labels, int size, int solver,
                                double cost) {
  problem data{};
  data.l = static_cast<int>(rows.size());
  data.n = size;
  data.y = labels.data();
  data.x = rows.data();
  data.bias = -1.0;
  parameter how{};
  how.solver_type = solver;
  how.eps = solver == L2R_LR ? 0.001 : 0.01;
  how.C = cost;
  model* trained = train(&data, &how);
  const double sign = trained->label[0] == 1 ? 1.0 : -1.0;
  std::vector<double> weights(static_cast<size_t>(size));
  for (size_t i = 0; i < weights.size(); ++i) {
    weights[i] = sign * trained->w[i];
  }
  free_and_destroy_model(&trained);
  weights.back() *= kConstantValue;
  return weights;
}

std::vector<double> TrainLogistic(std::vector<feature_node*>& rows, std::vector<double>& labels, int size,
                                  double cost) {
  return TrainLinear(rows, labels, size, L2R_LR, cost);
}

double Dot(const std::vector<double>& weights, const std::vector<feature_node>& row) {
  double sum = weights.back();
  for (const feature_node& node : row) {
    if (node.index > 0 && static_cast<size_t>(node.index) < weights.size()) {
      sum += weights[static_cast<size_t>(node.index) - 1] * node.value;
    }
  }
  return sum;
}

bool Has(const CountryArticle& article, absl::string_view code) {
  return std::binary_search(article.countries.begin(), article.countries.end(), code);
}

absl::Status Check(const CountryTrainOptions& options) {
  if (options.folds < 2 || options.folds > 20) {
    return absl::InvalidArgumentError("folds: must be 2 to 20");
  }
  if (options.min_examples < 2) {
    return absl::InvalidArgumentError("min_examples: must be 2 or more");
  }
  if (!(options.cost > 0.0) || options.cost > 1e6 || !(options.word_cost > 0.0) || options.word_cost > 1e6) {
    return absl::InvalidArgumentError("cost: must be above 0, at most 1000000");
  }
  if (options.min_terms < 1 || options.min_terms > 1'000'000) {
    return absl::InvalidArgumentError("min_terms: must be 1 to 1000000");
  }
  if (options.max_terms < 1 || options.max_terms > 1'000'000) {
    return absl::InvalidArgumentError("max_terms: must be 1 to 1000000");
  }
  if (options.threads < 1 || options.threads > 256) {
    return absl::InvalidArgumentError("threads: must be 1 to 256");
  }
  return absl::OkStatus();
}

// Words of a lead, each as often as the others; and how much longer an article must be, to be learned from twice.
constexpr std::array<size_t, 5> kLeadLengths = {25, 40, 60, 90, 130};
constexpr double kMinLeadFactor = 1.5;

// The first words of the text, and the rest of the sentence; all of it if it is hardly longer.
absl::string_view LeadOf(absl::string_view body, size_t words) {
  constexpr absl::string_view kSpace = " \t\n";
  size_t end = 0;
  for (size_t i = 0; i < words && end != absl::string_view::npos; ++i) {
    end = body.find_first_of(kSpace, body.find_first_not_of(kSpace, end));
  }
  if (end == absl::string_view::npos || static_cast<double>(body.size()) < kMinLeadFactor * static_cast<double>(end)) {
    return body;
  }
  if (!absl::StrContains(".!?", body[end - 1])) {
    const size_t stop = std::min(body.find(". ", end), body.find('\n', end));
    end = stop == absl::string_view::npos ? body.size() : stop + 1;
  }
  return absl::StripTrailingAsciiWhitespace(body.substr(0, end));
}

// The text without what the gazetteer finds in it.
std::string WithoutNames(const Gazetteer& gazetteer, absl::string_view text) {
  std::string result(text);
  for (const GazetteerMatch& match : gazetteer.Match(text)) {
    std::fill(result.begin() + static_cast<std::ptrdiff_t>(match.start),
              result.begin() + static_cast<std::ptrdiff_t>(match.end), '|');
  }
  return result;
}

// The terms of titles and leads, the most frequent ones.
absl::StatusOr<Vocabulary> ChooseVocabulary(const std::vector<Example>& examples, const Gazetteer& gazetteer,
                                            const CountryTrainOptions& options) {
  absl::flat_hash_map<std::string, int> counts;
  double articles = 0.0;
  for (const Example& example : examples) {
    if (example.is_lead) {
      continue;
    }
    ++articles;
    absl::flat_hash_set<std::string> seen;
    const std::string& title = example.article->text.title;
    const absl::string_view body = CountryWordText(example.article->text.body);
    const auto see = [&](absl::string_view term) { seen.emplace(term); };
    if (options.habits) {
      VisitTerms(title, body, see);
    } else {
      VisitTerms(WithoutNames(gazetteer, title), WithoutNames(gazetteer, body), see);
    }
    for (const std::string& term : seen) {
      ++counts[term];
    }
  }
  std::vector<std::pair<int, std::string>> ranked;
  for (auto& [term, count] : counts) {
    if (count >= options.min_articles) {
      ranked.emplace_back(-count, term);
    }
  }
  std::sort(ranked.begin(), ranked.end());
  ranked.resize(std::min(ranked.size(), options.max_terms));
  std::sort(ranked.begin(), ranked.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  std::vector<std::string> terms;
  std::vector<float> idf;
  for (const auto& [count, term] : ranked) {
    terms.push_back(term);
    idf.push_back(std::log(static_cast<float>(articles) / static_cast<float>(-count)) + 1.0F);
  }
  return Vocabulary::Create(std::move(terms), std::move(idf));
}

// One word model: `code` against the rest, or, with an empty code, no country at all.
std::vector<double> TrainWords(std::vector<Example>& examples, const std::string& code, int left_out, size_t terms,
                               const CountryTrainOptions& options) {
  std::vector<feature_node*> rows;
  std::vector<double> labels;
  double positives = 0.0;
  for (Example& example : examples) {
    if (example.fold != left_out) {
      const bool positive = code.empty() ? example.article->countries.empty() : Has(*example.article, code);
      rows.push_back(example.words.data());
      labels.push_back(positive ? 1.0 : -1.0);
      positives += positive ? 1.0 : 0.0;
    }
  }
  if (positives == 0.0 || positives == static_cast<double>(labels.size())) {
    return std::vector<double>(terms + 1, 0.0);
  }
  const int size = static_cast<int>(terms) + 1;
  if (!options.habits) {
    return TrainLogistic(rows, labels, size, options.word_cost);
  }
  std::vector<double> weights = TrainLinear(rows, labels, size, L2R_L2LOSS_SVC, options.word_cost);
  for (double& weight : weights) {
    weight *= kMarginScale;
  }
  return weights;
}

// The rows that a ranker is trained on and judges: features of candidates as LIBLINEAR takes them.
class RankerRows {
 public:
  // `own` has one entry for each region of the gazetteer: the index of its word model, or -1.
  // `habits`: countries deviate in all features of the candidate.
  RankerRows(const std::vector<int>& own, const std::vector<CountryWords>& words, bool habits)
      : own_(own), words_(words), deviations_(2 + (habits ? kCountryFeatureNames.size() : 1)) {}

  int size() const { return static_cast<int>(kCountryRankerSize + deviations_ * words_.size() + 1); }

  // Where a country's deviations begin: constant, of the words, of the first features.
  size_t At(size_t own) const { return kCountryRankerSize + deviations_ * own; }

  std::vector<feature_node> Of(const CountryCandidate& candidate, const std::vector<double>& margins) const {
    std::vector<feature_node> row;
    const auto add = [&row](size_t index, double value) {
      if (value != 0.0) {
        row.push_back({static_cast<int>(index) + 1, value});
      }
    };
    const int own = own_[static_cast<size_t>(candidate.region)];
    const CountryWordFeatures words = WordFeaturesOf(candidate, margins, own, words_);
    for (size_t i = 0; i < candidate.features.size(); ++i) {
      add(i, candidate.features[i]);
    }
    for (size_t i = 0; i < words.common.size(); ++i) {
      add(candidate.features.size() + i, words.common[i]);
    }
    if (own >= 0) {
      const size_t at = At(static_cast<size_t>(own));
      add(at, kOwnScale);
      add(at + 1, kOwnScale * words.own);
      for (size_t i = 0; i + 2 < deviations_; ++i) {
        add(at + 2 + i, kOwnScale * candidate.features[i]);
      }
    }
    row.push_back({size(), kConstantValue});
    row.push_back({-1, 0.0});
    return row;
  }

 private:
  const std::vector<int>& own_;
  const std::vector<CountryWords>& words_;
  size_t deviations_;
};

std::vector<double> TrainRanker(const std::vector<Example>& examples, const Gazetteer& gazetteer,
                                const RankerRows& rows, int left_out, double cost) {
  std::vector<std::vector<feature_node>> nodes;
  std::vector<double> labels;
  for (const Example& example : examples) {
    if (example.fold == left_out) {
      continue;
    }
    for (const CountryCandidate& candidate : example.candidates) {
      nodes.push_back(rows.Of(candidate, example.margins));
      labels.push_back(
          Has(*example.article, gazetteer.regions()[static_cast<size_t>(candidate.region)].region_code) ? 1.0 : -1.0);
    }
  }
  std::vector<feature_node*> pointers;
  pointers.reserve(nodes.size());
  for (std::vector<feature_node>& row : nodes) {
    pointers.push_back(row.data());
  }
  return TrainLogistic(pointers, labels, rows.size(), cost);
}

// Whether no country is the subject, from what the ranker says of articles that it had not seen.
std::vector<double> TrainSilence(const std::vector<Example>& examples, const std::vector<CountryWords>& words,
                                 int left_out, double cost) {
  constexpr size_t kSize = kSilenceFeatureNames.size() + 1;
  std::vector<std::vector<feature_node>> nodes;
  std::vector<double> labels;
  double silent = 0.0;
  for (const Example& example : examples) {
    if (example.fold == left_out || example.candidates.empty()) {
      continue;
    }
    std::vector<feature_node> row;
    int index = 0;
    for (const double value : SilenceFeatures(example.candidates, example.log_odds, NoneOf(example.margins, words))) {
      row.push_back({++index, value});
    }
    row.push_back({static_cast<int>(kSize), kConstantValue});
    row.push_back({-1, 0.0});
    nodes.push_back(std::move(row));
    labels.push_back(example.article->countries.empty() ? 1.0 : -1.0);
    silent += labels.back() > 0.0 ? 1.0 : 0.0;
  }
  if (silent == 0.0) {
    std::vector<double> never(kSize, 0.0);
    never.back() = -kMaxSilence;
    return never;
  }
  std::vector<feature_node*> pointers;
  pointers.reserve(nodes.size());
  for (std::vector<feature_node>& row : nodes) {
    pointers.push_back(row.data());
  }
  return TrainLogistic(pointers, labels, static_cast<int>(kSize), cost);
}

// How many decisions are right at some thresholds.
struct Counts {
  double right = 0.0;
  double given = 0.0;
  double gold = 0.0;
  Counts operator+(const Counts& other) const { return {right + other.right, given + other.given, gold + other.gold}; }
  double Precision() const { return given > 0.0 ? right / given : 1.0; }
  double Recall() const { return gold > 0.0 ? right / gold : 1.0; }
  double F1() const { return given + gold > 0.0 ? 2.0 * right / (given + gold) : 0.0; }
};

class ThresholdChooser {
 public:
  // `own` has one entry for each region of the gazetteer: the index of its word model, or -1. `habits`: rare countries
  // have a threshold of their own.
  ThresholdChooser(const std::vector<Example>& examples, const Gazetteer& gazetteer, const std::vector<int>& own,
                   bool habits, int left_out)
      : habits_(habits) {
    for (const Example& example : examples) {
      if (example.fold == left_out || example.is_lead) {
        continue;
      }
      Article article;
      article.silence = example.silence;
      article.gold = static_cast<double>(example.article->countries.size());
      for (const std::string& code : example.article->countries) {
        if (const GazetteerRegion* region = gazetteer.FindRegion(code); region != nullptr) {
          const auto index = static_cast<int16_t>(region - gazetteer.regions().data());
          if (own[static_cast<size_t>(index)] < 0) {
            article.rare.push_back(index);
          }
        }
      }
      const double best =
          example.scores.empty() ? 0.0 : *std::max_element(example.scores.begin(), example.scores.end());
      for (size_t i = 0; i < example.candidates.size(); ++i) {
        if (example.scores[i] < kLowestThreshold) {
          continue;
        }
        const CountryCandidate& candidate = example.candidates[i];
        article.judged.push_back(
            {&candidate, example.scores[i], example.scores[i] == best, own[static_cast<size_t>(candidate.region)] >= 0,
             Has(*example.article, gazetteer.regions()[static_cast<size_t>(candidate.region)].region_code)});
      }
      articles_.push_back(std::move(article));
    }
  }

  std::array<CountryThresholds, kCountryProfileCount> Choose() const {
    std::array<CountryThresholds, kCountryProfileCount> result;
    // By the best F1, or rather within what is hardly worse: the curve is flat, and chance has its peak. "No country"
    // counts as a tag of its own, or abstaining would gain nothing where it is right. `middle`: of what is hardly
    // worse; otherwise what is nearest to half of the best F1, where the best threshold is if scores are probabilities
    // (Lipton, Elkan, Naryanaswamy: Optimal Thresholding of Classifiers to Maximize F1 Measure, 2014).
    CountryThresholds best;
    best.crowded = kCrowdedThreshold;
    const auto choose = [&](double CountryThresholds::*which, bool middle) {
      std::vector<std::pair<int, double>> tried;
      double best_f1 = 0.0;
      for (int percent = 15; percent <= 85; percent += 2) {
        CountryThresholds changed = best;
        changed.*which = percent / 100.0;
        changed.rare = changed.other;
        const auto [tags, none] = Count(changed);
        tried.emplace_back(percent, (tags + none).F1());
        best_f1 = std::max(best_f1, tried.back().second);
      }
      double sum = 0.0;
      double count = 0.0;
      double nearest = std::numeric_limits<double>::max();
      for (const auto& [percent, f1] : tried) {
        if (f1 >= best_f1 - kPlateau) {
          sum += percent;
          count += 1.0;
          nearest = std::abs(percent - 50.0 * best_f1) < std::abs(nearest - 50.0 * best_f1) ? percent : nearest;
        }
      }
      best.*which = (middle ? std::round(sum / count) : nearest) / 100.0;
    };
    for (int round = 0; round < 2; ++round) {
      choose(&CountryThresholds::silent, /*middle=*/true);
      choose(&CountryThresholds::first, /*middle=*/true);
      choose(&CountryThresholds::other, /*middle=*/false);
    }
    best.rare = best.other;
    if (habits_) {
      best.rare = RareThreshold(best);
    }
    result[static_cast<size_t>(CountryProfile::kDefault)] = best;
    // The focus alone, as often as the goal for precision allows.
    CountryThresholds strict{best.silent, 1.0, 1.0, 1.0, 1.0};
    for (int percent = 99; percent >= 30; --percent) {
      CountryThresholds changed = strict;
      changed.first = percent / 100.0;
      changed.crowded = changed.first;
      if (Count(changed).first.Precision() < kStrictPrecision) {
        break;
      }
      strict = changed;
    }
    result[static_cast<size_t>(CountryProfile::kStrict)] = strict;
    // The highest threshold that finds enough. Abstaining is for the default: here one too many does no harm.
    CountryThresholds generous{1.0, kLowestThreshold, kLowestThreshold, kLowestThreshold, kLowestThreshold};
    for (int percent = 50; percent >= 5; --percent) {
      const double t = percent / 100.0;
      if (Count({1.0, t, t, t, t}).first.Recall() >= kGenerousRecall) {
        generous = {1.0, t, t, t, t};
        break;
      }
    }
    result[static_cast<size_t>(CountryProfile::kGenerous)] = generous;
    return result;
  }

 private:
  struct Judged {
    const CountryCandidate* candidate;
    double score;
    bool best;
    bool has_words;
    bool right;
  };
  struct Article {
    double silence = 1.0;
    double gold = 0.0;
    std::vector<int16_t> rare;  // Its countries without a word model.
    std::vector<Judged> judged;
  };

  // Countries of which a source has few articles are found by what the articles name; fewer of their tags are right, so
  // that the best threshold is lower. It is sought by the mean of their F1, in which each counts as much: again the
  // middle of what is hardly worse.
  double RareThreshold(CountryThresholds thresholds) const {
    std::vector<std::pair<int, double>> tried;
    double best_f1 = 0.0;
    for (int percent = 15; percent <= 85; percent += 2) {
      thresholds.rare = percent / 100.0;
      tried.emplace_back(percent, RareF1(thresholds));
      best_f1 = std::max(best_f1, tried.back().second);
    }
    double sum = 0.0;
    double count = 0.0;
    for (const auto& [percent, f1] : tried) {
      if (f1 > 0.0 && f1 >= best_f1 - kRarePlateau) {
        sum += percent;
        count += 1.0;
      }
    }
    return count > 0.0 ? std::round(sum / count) / 100.0 : thresholds.other;
  }

  // The mean F1 of the countries without a word model that some article has.
  double RareF1(const CountryThresholds& thresholds) const {
    std::map<int16_t, Counts> tags;
    for (const Article& article : articles_) {
      for (const int16_t region : article.rare) {
        ++tags[region].gold;
      }
      for (const Judged& one : article.judged) {
        if (!one.has_words && thresholds.Admits(*one.candidate, one.score, one.best, one.has_words, article.silence)) {
          ++tags[one.candidate->region].given;
          tags[one.candidate->region].right += one.right ? 1.0 : 0.0;
        }
      }
    }
    double sum = 0.0;
    double count = 0.0;
    for (const auto& [region, counts] : tags) {
      if (counts.gold > 0.0) {
        sum += counts.F1();
        ++count;
      }
    }
    return count > 0.0 ? sum / count : 0.0;
  }

  // Of tags, and of "no country".
  std::pair<Counts, Counts> Count(const CountryThresholds& thresholds) const {
    Counts tags;
    Counts none;
    for (const Article& article : articles_) {
      double given = 0.0;
      for (const Judged& one : article.judged) {
        if (thresholds.Admits(*one.candidate, one.score, one.best, one.has_words, article.silence)) {
          ++given;
          tags.right += one.right ? 1.0 : 0.0;
        }
      }
      tags.given += given;
      tags.gold += article.gold;
      none.given += given == 0.0 ? 1.0 : 0.0;
      none.gold += article.gold == 0.0 ? 1.0 : 0.0;
      none.right += given == 0.0 && article.gold == 0.0 ? 1.0 : 0.0;
    }
    return {tags, none};
  }

  bool habits_;
  std::vector<Article> articles_;
};

double Round(double value) { return std::round(value * 1e4) / 1e4; }

double Sigmoid(double log_odds) { return 1.0 / (1.0 + std::exp(-log_odds)); }

}  // namespace

absl::StatusOr<CountryTrainResult> TrainCountryModel(const Gazetteer& gazetteer,
                                                     const std::vector<CountryArticle>& articles,
                                                     const CountryTrainOptions& options,
                                                     absl::FunctionRef<void(absl::string_view)> progress) {
  RETURN_IF_ERROR(Check(options));
  set_print_string_function([](const char* /*text*/) {});
  std::vector<Example> examples;
  std::deque<CountryArticle> leads;  // Stay where they are.
  std::map<std::string, int> counts;
  for (const CountryArticle& article : articles) {
    if (!article.labelled) {
      continue;
    }
    Example example;
    example.article = &article;
    const std::string hash = common::Sha256Hex(absl::StrCat(options.seed, "/", article.id)).substr(0, 8);
    example.fold = static_cast<int>(std::strtoul(hash.c_str(), nullptr, 16) % static_cast<unsigned>(options.folds));
    const int fold = example.fold;
    examples.push_back(std::move(example));
    if (options.leads && !options.habits) {
      const absl::string_view body = article.text.body;
      const size_t length = std::strtoul(hash.c_str() + 6, nullptr, 16) % kLeadLengths.size();
      if (const absl::string_view lead = LeadOf(body, kLeadLengths[length]); lead.size() < body.size()) {
        CountryArticle& copy = leads.emplace_back(article);
        copy.text.body = std::string(lead);
        Example& short_one = examples.emplace_back();
        short_one.article = &copy;
        short_one.is_lead = true;
        short_one.fold = fold;
      }
    }
    for (const std::string& code : article.countries) {
      counts[code] += gazetteer.FindRegion(code) != nullptr ? 1 : 0;
    }
  }
  if (std::none_of(counts.begin(), counts.end(), [](const auto& one) { return one.second > 0; })) {
    return absl::InvalidArgumentError(
        absl::StrCat("none of ", articles.size(),
                     " articles has a complete list of countries that the gazetteer knows; "
                     "give each article the field \"countries\", a list of ISO 3166-1 alpha-2 codes"));
  }

  CountryTrainResult result;
  CountryModel& model = result.model;
  model.min_terms = options.min_terms;
  model.habits = options.habits;
  model.words.emplace_back();
  for (const auto& [code, count] : counts) {
    if (count >= options.min_examples) {
      model.words.push_back({.region_code = code, .example_count = count});
    }
  }
  std::vector<int> own(gazetteer.regions().size(), -1);
  std::vector<int16_t> always;
  for (size_t i = 1; i < model.words.size(); ++i) {
    const auto region =
        static_cast<int16_t>(gazetteer.FindRegion(model.words[i].region_code) - gazetteer.regions().data());
    own[static_cast<size_t>(region)] = static_cast<int>(i);
    always.push_back(region);
  }
  std::sort(always.begin(), always.end());
  for (const Example& example : examples) {
    model.words.front().example_count += !example.is_lead && example.article->countries.empty() ? 1 : 0;
  }

  ASSIGN_OR_RETURN(model.vocabulary, ChooseVocabulary(examples, gazetteer, options));
  const size_t terms = model.vocabulary.size();
  const size_t word_models = model.words.size();
  progress(absl::StrCat("reading ", examples.size() - leads.size(), " articles; ", terms, " terms"));
  common::RunParallel(options.threads, examples.size(), [&](size_t i) {
    Example& example = examples[i];
    TextFeatures features =
        ExtractFeatures(model.vocabulary, example.article->text.title, CountryWordText(example.article->text.body));
    std::sort(features.values.begin(), features.values.end(),
              [](const TermValue& a, const TermValue& b) { return a.term < b.term; });
    for (const TermValue& value : features.values) {
      example.words.push_back({value.term + 1, static_cast<double>(value.value)});
    }
    example.words.push_back({static_cast<int>(terms) + 1, kConstantValue});
    example.words.push_back({-1, 0.0});
    const bool enough_words = features.values.size() >= static_cast<size_t>(options.min_terms);
    const CountryAnalysis analysis = AnalyseCountries(gazetteer, example.article->text);
    const absl::Span<const int16_t> unnamed = enough_words ? absl::MakeConstSpan(always) : absl::Span<const int16_t>();
    example.candidates =
        options.habits ? CandidatesOf(analysis, gazetteer, example.article->text, WithDatelines(unnamed, analysis))
                       : CandidatesOf(analysis, gazetteer, example.article->text, unnamed);
    example.margins.assign(enough_words ? word_models : 0, 0.0);
  });

  // One training for each word model and fold, and one with all: tasks in rows of `folds + 1`.
  const auto runs = static_cast<size_t>(options.folds) + 1;
  progress(absl::StrCat("training ", word_models, " word models, ", runs, " times each"));
  std::vector<std::vector<double>> final_words(word_models);
  common::RunParallel(options.threads, word_models * runs, [&](size_t task) {
    const size_t k = task / runs;
    const size_t run = task % runs;
    const int left_out = run + 1 < runs ? static_cast<int>(run) : kAll;
    std::vector<double> weights = TrainWords(examples, model.words[k].region_code, left_out, terms, options);
    if (left_out == kAll) {
      final_words[k] = std::move(weights);
      return;
    }
    for (Example& example : examples) {
      if (example.fold == left_out && !example.margins.empty()) {
        example.margins[k] = Dot(weights, example.words);
      }
    }
  });

  progress(absl::StrCat("training the ranker ", runs, " times"));
  for (size_t k = 0; k < word_models; ++k) {
    double sum = 0.0;
    double count = 0.0;
    for (const Example& example : examples) {
      const bool is_counted =
          k == 0 ||
          std::any_of(example.candidates.begin(), example.candidates.end(), [&](const CountryCandidate& candidate) {
            return candidate.mentioned && own[static_cast<size_t>(candidate.region)] == static_cast<int>(k);
          });
      if (is_counted && !example.margins.empty()) {
        sum += example.margins[k];
        count += 1.0;
      }
    }
    model.words[k].center = count > 0.0 ? sum / count : 0.0;
  }
  const RankerRows rows(own, model.words, options.habits);
  std::vector<double> final_ranker;
  common::RunParallel(options.threads, runs, [&](size_t run) {
    const int left_out = run + 1 < runs ? static_cast<int>(run) : kAll;
    std::vector<double> weights = TrainRanker(examples, gazetteer, rows, left_out, options.cost);
    if (left_out == kAll) {
      final_ranker = std::move(weights);
      return;
    }
    for (Example& example : examples) {
      if (example.fold == left_out) {
        for (const CountryCandidate& candidate : example.candidates) {
          example.log_odds.push_back(Dot(weights, rows.Of(candidate, example.margins)));
          example.scores.push_back(Round(Sigmoid(example.log_odds.back())));
        }
      }
    }
  });

  std::vector<double> final_silence;
  for (int left_out = kAll; left_out < options.folds; ++left_out) {
    const std::vector<double> weights = TrainSilence(examples, model.words, left_out, options.cost);
    if (left_out == kAll) {
      final_silence = weights;
      continue;
    }
    CountryModel judge;
    judge.words = model.words;
    std::copy_n(weights.begin(), kSilenceFeatureNames.size(), judge.silence_weights.begin());
    judge.silence_constant = weights.back();
    for (Example& example : examples) {
      if (example.fold == left_out) {
        example.silence = judge.Silence(example.candidates, example.log_odds, example.margins);
      }
    }
  }

  for (int fold = 0; fold < options.folds; ++fold) {
    const CountryThresholds thresholds = ThresholdChooser(examples, gazetteer, own, options.habits, fold)
                                             .Choose()[static_cast<size_t>(CountryProfile::kDefault)];
    for (const Example& example : examples) {
      if (example.fold != fold || example.is_lead) {
        continue;
      }
      CountryPrediction prediction;
      prediction.id = example.article->id;
      prediction.group = example.article->source;
      prediction.gold = example.article->countries;
      const double best =
          example.scores.empty() ? 0.0 : *std::max_element(example.scores.begin(), example.scores.end());
      for (size_t i = 0; i < example.candidates.size(); ++i) {
        const CountryCandidate& candidate = example.candidates[i];
        prediction.candidates.push_back(
            {gazetteer.regions()[static_cast<size_t>(candidate.region)].region_code, example.scores[i],
             thresholds.Admits(candidate, example.scores[i], example.scores[i] == best,
                               own[static_cast<size_t>(candidate.region)] >= 0, example.silence)});
      }
      result.held_out.push_back(std::move(prediction));
    }
  }
  std::sort(result.held_out.begin(), result.held_out.end(),
            [](const CountryPrediction& a, const CountryPrediction& b) { return a.id < b.id; });

  model.thresholds = ThresholdChooser(examples, gazetteer, own, options.habits, kAll).Choose();
  std::copy_n(final_ranker.begin(), kCountryRankerSize, model.weights.begin());
  model.constant = final_ranker.back();
  std::copy_n(final_silence.begin(), kSilenceFeatureNames.size(), model.silence_weights.begin());
  model.silence_constant = final_silence.back();
  model.word_weights.assign(terms * word_models, 0);
  for (size_t k = 0; k < word_models; ++k) {
    double largest = 1e-9;
    for (size_t i = 0; i < terms; ++i) {
      largest = std::max(largest, std::abs(final_words[k][i]));
    }
    const double step = largest / 127.0;
    for (size_t i = 0; i < terms; ++i) {
      model.word_weights[i * word_models + k] = static_cast<int8_t>(std::lround(final_words[k][i] / step));
    }
    CountryWords& words = model.words[k];
    words.weight_step = static_cast<float>(step);
    words.bias = static_cast<float>(final_words[k].back());
    const size_t at = rows.At(k);
    words.own_constant = kOwnScale * final_ranker[at];
    words.own_words = kOwnScale * final_ranker[at + 1];
    if (options.habits) {
      for (size_t i = 0; i < kCountryFeatureNames.size(); ++i) {
        words.own_features.push_back(kOwnScale * final_ranker[at + 2 + i]);
      }
    } else {
      words.own_weight = kOwnScale * final_ranker[at + 2];
    }
  }
  model.train_time = options.train_time;
  model.training_article_count = static_cast<int>(examples.size() - leads.size());
  model.training_notes = options.notes;
  model.training_texts = TextSketch(examples.size() - leads.size());
  for (const Example& example : examples) {
    if (example.is_lead) {
      continue;
    }
    model.training_texts.Add(example.article->text.title, example.article->text.body);
  }
  return result;
}

}  // namespace dateline::classifier
