#include "classifier_service/issue_trainer.h"

#include <linear.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <numeric>
#include <optional>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

#include "classifier_service/issue_calibration.h"
#include "classifier_service/issue_seeds.h"
#include "common/parallel.h"
#include "common/printable.h"
#include "common/status_macros.h"

namespace dateline::classifier {
namespace {

// Terms seen once in so many articles are pruned while counting, or the count of two-word phrases would not fit.
constexpr size_t kMaxCountedTerms = 6'000'000;

constexpr double kCalibrationFloor = 0.05;

constexpr int kNoFold = -2;

struct Example {
  std::vector<feature_node> features;  // By index from 1, ended by -1.
  std::vector<int8_t> labels;          // For each issue 1, -1, or 0 for unknown.
  int weight = 1;
  int fold = 0;  // kNoFold: in every training, never measured (seed phrases).
  bool gold = false;
};

int8_t StateOfIssue(const LabelledArticle& article, const Issue& issue) {
  const LabelState state = StateOf(article, issue);
  return state == LabelState::kYes ? 1 : state == LabelState::kNo ? -1 : 0;
}

// Chooses the vocabulary: terms that are frequent enough and tell at least one issue from the rest.
absl::StatusOr<Vocabulary> ChooseVocabulary(const std::vector<const LabelledArticle*>& articles,
                                            const std::vector<std::vector<int8_t>>& labels, const Taxonomy& taxonomy,
                                            const TrainOptions& options) {
  struct Count {
    int articles = 0;
    int32_t last = -1;  // The last article it was seen in.
  };
  absl::flat_hash_map<std::string, Count> counts;
  int pruned_at = 0;
  for (size_t i = 0; i < articles.size(); ++i) {
    VisitTerms(articles[i]->title, articles[i]->body, [&](absl::string_view term) {
      Count& count = counts[term];
      if (count.last != static_cast<int32_t>(i)) {
        count.last = static_cast<int32_t>(i);
        ++count.articles;
      }
    });
    if (counts.size() > kMaxCountedTerms) {
      ++pruned_at;
      for (auto it = counts.begin(); it != counts.end();) {
        const auto current = it++;
        if (current->second.articles <= pruned_at) {
          counts.erase(current);
        }
      }
    }
  }
  absl::flat_hash_set<std::string> seeds;
  if (options.seed_phrase_weight > 0) {
    for (const Issue* issue : taxonomy.LiveIssues()) {
      for (const std::string& phrase : issue->seed_phrases) {
        for (std::string& term : TermsOfPhrase(phrase)) {
          seeds.insert(std::move(term));
        }
      }
    }
  }
  // Those that remain, in an order of their own: hash tables have none.
  std::vector<std::string> terms;
  for (const auto& [term, count] : counts) {
    if (count.articles >= options.min_articles || seeds.contains(term)) {
      terms.push_back(term);
    }
  }
  std::sort(terms.begin(), terms.end());
  absl::flat_hash_map<absl::string_view, int32_t> index;
  std::vector<float> idf(terms.size());
  for (size_t i = 0; i < terms.size(); ++i) {
    index.emplace(terms[i], static_cast<int32_t>(i));
    idf[i] = std::log(static_cast<float>(articles.size()) / static_cast<float>(counts[terms[i]].articles)) + 1.0F;
  }
  counts.clear();

  // How much each term tells of each issue: the log-likelihood ratio of the two-by-two table.
  const size_t issue_count = labels.empty() ? 0 : labels.front().size();
  std::vector<int> with_term(terms.size() * issue_count, 0);  // Known articles that have the term.
  std::vector<int> both(terms.size() * issue_count, 0);       // Those that have the issue, too.
  std::vector<int> known(issue_count, 0);
  std::vector<int> positive(issue_count, 0);
  std::vector<int32_t> last(terms.size(), -1);
  for (size_t i = 0; i < articles.size(); ++i) {
    for (size_t k = 0; k < issue_count; ++k) {
      known[k] += labels[i][k] != 0 ? 1 : 0;
      positive[k] += labels[i][k] > 0 ? 1 : 0;
    }
    VisitTerms(articles[i]->title, articles[i]->body, [&](absl::string_view term) {
      const auto it = index.find(term);
      if (it == index.end() || last[static_cast<size_t>(it->second)] == static_cast<int32_t>(i)) {
        return;
      }
      const auto at = static_cast<size_t>(it->second);
      last[at] = static_cast<int32_t>(i);
      for (size_t k = 0; k < issue_count; ++k) {
        with_term[at * issue_count + k] += labels[i][k] != 0 ? 1 : 0;
        both[at * issue_count + k] += labels[i][k] > 0 ? 1 : 0;
      }
    });
  }
  const auto x_log_x = [](double x) { return x > 0.0 ? x * std::log(x) : 0.0; };
  std::vector<std::pair<double, int32_t>> ranked;
  for (size_t i = 0; i < terms.size(); ++i) {
    double best = seeds.contains(terms[i]) ? std::numeric_limits<double>::max() : 0.0;
    for (size_t k = 0; k < issue_count; ++k) {
      const double n = known[k];
      const double a = both[i * issue_count + k];
      const double b = with_term[i * issue_count + k] - a;
      const double c = positive[k] - a;
      const double d = n - a - b - c;
      const double ratio = x_log_x(a) + x_log_x(b) + x_log_x(c) + x_log_x(d) + x_log_x(n) - x_log_x(a + b) -
                           x_log_x(c + d) - x_log_x(a + c) - x_log_x(b + d);
      best = std::max(best, ratio);
    }
    ranked.emplace_back(-best, static_cast<int32_t>(i));
  }
  std::sort(ranked.begin(), ranked.end());
  ranked.resize(std::min(ranked.size(), options.max_terms));
  std::vector<int32_t> chosen;
  for (const auto& [ratio, term] : ranked) {
    chosen.push_back(term);
  }
  std::sort(chosen.begin(), chosen.end());
  std::vector<std::string> chosen_terms;
  std::vector<float> chosen_idf;
  for (const int32_t term : chosen) {
    chosen_terms.push_back(terms[static_cast<size_t>(term)]);
    chosen_idf.push_back(idf[static_cast<size_t>(term)]);
  }
  return Vocabulary::Create(std::move(chosen_terms), std::move(chosen_idf));
}

std::vector<feature_node> NodesOf(const Vocabulary& vocabulary, absl::string_view title, absl::string_view body) {
  TextFeatures features = ExtractFeatures(vocabulary, title, body);
  std::sort(features.values.begin(), features.values.end(),
            [](const TermValue& a, const TermValue& b) { return a.term < b.term; });
  std::vector<feature_node> nodes;
  nodes.reserve(features.values.size() + 2);
  for (const TermValue& value : features.values) {
    nodes.push_back({value.term + 1, static_cast<double>(value.value)});
  }
  nodes.push_back({static_cast<int>(vocabulary.size()) + 1, 1.0});  // The bias.
  nodes.push_back({-1, 0.0});
  return nodes;
}

struct Weights {
  std::vector<double> terms;  // Empty: nothing could be learned.
  double bias = 0.0;

  double Margin(const std::vector<feature_node>& features) const {
    double margin = bias;
    for (const feature_node& node : features) {
      if (node.index > 0 && static_cast<size_t>(node.index) <= terms.size()) {
        margin += node.value * terms[static_cast<size_t>(node.index) - 1];
      }
    }
    return margin;
  }
};

// `issue` against the rest, without the articles of `left_out` (-1: with all).
Weights TrainOne(const std::vector<Example>& examples, size_t issue, int left_out, size_t terms,
                 const TrainOptions& options) {
  std::vector<feature_node*> rows;
  std::vector<double> labels;
  double positives = 0.0;
  double negatives = 0.0;
  for (const Example& example : examples) {
    if (example.labels[issue] == 0 || (example.fold == left_out && left_out >= 0)) {
      continue;
    }
    // LIBLINEAR takes no weights for examples, so that the weightier stand several times. It never writes to them.
    for (int i = 0; i < example.weight; ++i) {
      rows.push_back(const_cast<feature_node*>(example.features.data()));
      labels.push_back(example.labels[issue]);
    }
    (example.labels[issue] > 0 ? positives : negatives) += example.weight;
  }
  Weights weights;
  if (positives == 0.0 || negatives == 0.0) {
    // Nothing to learn from, as in a fold that has the only examples of an issue: surely not, or surely.
    constexpr double kSure = 4.0;
    weights.bias = positives == 0.0 ? -kSure : kSure;
    return weights;
  }
  problem data{};
  data.l = static_cast<int>(rows.size());
  data.n = static_cast<int>(terms) + 1;
  data.y = labels.data();
  data.x = rows.data();
  data.bias = 1.0;
  const bool logistic = options.learner == Learner::kLogistic;
  parameter how{};
  // Both solve the primal problem, without chance; the solvers of the dual one share the C library's random numbers.
  how.solver_type = logistic ? L2R_LR : L2R_L2LOSS_SVC;
  how.eps = 0.01;
  how.C = options.cost;
  // A rare issue would drown among the rest: its examples count more, though not as much as their rarity.
  std::array<int, 1> weight_labels = {1};
  std::array<double, 1> label_weights = {logistic ? std::clamp(std::sqrt(negatives / positives) / 2.0, 1.0, 5.0) : 1.0};
  how.nr_weight = 1;
  how.weight_label = weight_labels.data();
  how.weight = label_weights.data();
  model* trained = train(&data, &how);
  const double sign = trained->label[0] == 1 ? 1.0 : -1.0;
  weights.terms.resize(terms);
  for (size_t i = 0; i < terms; ++i) {
    weights.terms[i] = sign * trained->w[i];
  }
  weights.bias = sign * trained->w[terms];
  free_and_destroy_model(&trained);
  return weights;
}

// Sums up what was predicted against what was labelled.
class Tally {
 public:
  explicit Tally(std::vector<std::string> issue_ids) : ids_(std::move(issue_ids)), counts_(ids_.size()) {}

  // `scores`, `tagged` and `labels` hold one entry an issue.
  void Add(const LabelledArticle& article, const std::vector<double>& scores, const std::vector<bool>& tagged,
           const std::vector<int8_t>& labels) {
    articles_.push_back({article.id, article.title, scores, tagged, labels});
    for (size_t i = 0; i < ids_.size(); ++i) {
      counts_[i].positives += labels[i] > 0 ? 1 : 0;
    }
  }

  Evaluation Finish() {
    Evaluation result;
    int hits = 0;
    int given = 0;
    int positives = 0;
    double macro = 0.0;
    int present = 0;
    std::vector<std::vector<common::Prediction>> predictions(articles_.size());
    for (size_t i = 0; i < ids_.size(); ++i) {
      if (counts_[i].positives == 0) {
        result.stray_tags +=
            static_cast<int>(std::count_if(articles_.begin(), articles_.end(),
                                           [&](const Article& one) { return one.labels[i] < 0 && one.tagged[i]; }));
        continue;
      }
      Evaluation::Issue issue;
      issue.issue_id = ids_[i];
      issue.positives = counts_[i].positives;
      int issue_hits = 0;
      int issue_given = 0;
      for (size_t at = 0; at < articles_.size(); ++at) {
        const Article& article = articles_[at];
        if (article.labels[i] == 0) {
          continue;
        }
        ++issue.quality.article_count;
        issue_given += article.tagged[i] ? 1 : 0;
        issue_hits += article.tagged[i] && article.labels[i] > 0 ? 1 : 0;
        predictions[at].push_back({article.scores[i], article.labels[i] > 0});
        if (article.tagged[i] != (article.labels[i] > 0)) {
          result.worst.push_back({article.id, article.title, ids_[i], article.labels[i] > 0, article.scores[i]});
        }
      }
      Fill(issue_hits, issue_given, issue.positives, issue.quality);
      hits += issue_hits;
      given += issue_given;
      positives += issue.positives;
      macro += issue.quality.f1;
      ++present;
      result.issues.push_back(std::move(issue));
    }
    Fill(hits, given, positives, result.quality);
    result.quality.macro_f1 = present > 0 ? macro / present : 0.0;
    std::vector<common::Prediction> all;
    for (const std::vector<common::Prediction>& of_article : predictions) {
      all.insert(all.end(), of_article.begin(), of_article.end());
    }
    result.calibration_error = common::MeasureCalibration(all, kCalibrationFloor).debiased_error;
    result.calibration_interval = common::CalibrationInterval(predictions, kCalibrationFloor);
    constexpr size_t kWorst = 10;
    const auto distance = [](const Evaluation::Disagreement& one) {
      return one.labelled ? 1.0 - one.score : one.score;
    };
    std::stable_sort(result.worst.begin(), result.worst.end(),
                     [&](const auto& a, const auto& b) { return distance(a) > distance(b); });
    result.worst.resize(std::min(result.worst.size(), kWorst));
    RankArticles(result);
    return result;
  }

 private:
  struct Article {
    std::string id;
    std::string title;
    std::vector<double> scores;
    std::vector<bool> tagged;
    std::vector<int8_t> labels;
  };
  struct Counts {
    int positives = 0;
  };

  static void Fill(int hits, int given, int positives, Quality& quality) {
    quality.precision = given > 0 ? static_cast<double>(hits) / given : 0.0;
    quality.recall = positives > 0 ? static_cast<double>(hits) / positives : 0.0;
    quality.f1 = given + positives > 0 ? 2.0 * hits / (given + positives) : 0.0;
  }

  // Over all issues, those of unknown label included: what a reader sees first.
  void RankArticles(Evaluation& result) const {
    int first = 0;
    int third = 0;
    int labelled = 0;
    for (const Article& article : articles_) {
      std::vector<size_t> order;
      for (size_t i = 0; i < ids_.size(); ++i) {
        if (counts_[i].positives > 0) {
          order.push_back(i);
        }
      }
      std::stable_sort(order.begin(), order.end(),
                       [&](size_t a, size_t b) { return article.scores[a] > article.scores[b]; });
      const auto is_right = [&](size_t issue) { return article.labels[issue] > 0; };
      if (std::none_of(order.begin(), order.end(), is_right)) {
        continue;
      }
      ++labelled;
      first += is_right(order.front()) ? 1 : 0;
      third +=
          std::any_of(order.begin(), order.begin() + static_cast<long>(std::min<size_t>(3, order.size())), is_right)
              ? 1
              : 0;
    }
    result.quality.article_count = static_cast<int>(articles_.size());
    result.top1 = labelled > 0 ? static_cast<double>(first) / labelled : 0.0;
    result.top3 = labelled > 0 ? static_cast<double>(third) / labelled : 0.0;
  }

  std::vector<std::string> ids_;
  std::vector<Counts> counts_;
  std::vector<Article> articles_;
};

absl::Status Check(const TrainOptions& options) {
  if (options.max_terms < 100 || options.max_terms > 1'000'000) {
    return absl::InvalidArgumentError("max_terms: must be 100 to 1000000");
  }
  if (options.folds < 2 || options.folds > 20) {
    return absl::InvalidArgumentError("folds: must be 2 to 20");
  }
  if (!(options.cost > 0.0) || options.cost > 1e6) {
    return absl::InvalidArgumentError("cost: must be above 0, at most 1000000");
  }
  if (options.threads < 1 || options.threads > 256) {
    return absl::InvalidArgumentError("threads: must be 1 to 256");
  }
  if (options.seed_phrase_weight < 0 || options.seed_phrase_weight > 1000) {
    return absl::InvalidArgumentError("seed_phrase_weight: must be 0 to 1000");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<TrainResult> TrainIssueModel(const Corpus& corpus, const Taxonomy& taxonomy, const TrainOptions& options,
                                            absl::FunctionRef<void(absl::string_view)> progress) {
  RETURN_IF_ERROR(Check(options));
  set_print_string_function([](const char* /*text*/) {});
  const std::vector<const Issue*> issues = taxonomy.LiveIssues();

  std::vector<const LabelledArticle*> articles;
  std::vector<std::vector<int8_t>> labels;
  std::vector<int> example_counts(issues.size(), 0);
  for (const LabelledArticle& article : corpus.train) {
    std::vector<int8_t> states;
    for (size_t k = 0; k < issues.size(); ++k) {
      states.push_back(StateOfIssue(article, *issues[k]));
      example_counts[k] += states.back() > 0 ? 1 : 0;
    }
    articles.push_back(&article);
    labels.push_back(std::move(states));
  }
  for (size_t k = 0; k < issues.size(); ++k) {
    if (example_counts[k] == 0 && (issues[k]->seed_phrases.empty() || options.seed_phrase_weight == 0)) {
      return absl::InvalidArgumentError(absl::StrCat("issue \"", issues[k]->id,
                                                     "\": no labelled article has it and it has no seed_phrase; add "
                                                     "some ten seed phrases to the taxonomy, or retire it"));
    }
  }

  progress("choosing the vocabulary");
  ASSIGN_OR_RETURN(Vocabulary vocabulary, ChooseVocabulary(articles, labels, taxonomy, options));
  progress(absl::StrCat("reading ", articles.size(), " articles as vectors of ", vocabulary.size(), " terms"));
  std::vector<Example> examples;
  for (size_t i = 0; i < articles.size(); ++i) {
    Example example;
    example.features = NodesOf(vocabulary, articles[i]->title, articles[i]->body);
    example.labels = labels[i];
    example.weight = articles[i]->weight;
    example.gold = articles[i]->gold;
    // The seed shifts what is in which fold; the id alone would do for one of them.
    example.fold = static_cast<int>(HashOfId(absl::StrCat(options.seed, "/", articles[i]->id)) %
                                    static_cast<uint32_t>(options.folds));
    examples.push_back(std::move(example));
  }
  if (options.seed_phrase_weight > 0) {
    for (size_t k = 0; k < issues.size(); ++k) {
      for (const std::string& phrase : issues[k]->seed_phrases) {
        Example example;
        example.features = NodesOf(vocabulary, "", phrase);
        example.labels.assign(issues.size(), 0);
        example.labels[k] = 1;
        example.weight = options.seed_phrase_weight;
        example.fold = kNoFold;
        examples.push_back(std::move(example));
      }
    }
  }

  // One training for each issue and fold, and one with all: tasks in rows of `folds + 1`.
  const auto runs = static_cast<size_t>(options.folds) + 1;
  std::vector<Weights> final_weights(issues.size());
  std::vector<std::vector<double>> margins(issues.size(), std::vector<double>(examples.size(), 0.0));
  // By issue, then run: whether there was anything to learn from.
  std::vector<int8_t> learned(issues.size() * runs, 0);
  std::atomic<size_t> done{0};
  progress(absl::StrCat("training ", issues.size(), " issues, ", runs, " times each"));
  common::RunParallel(options.threads, issues.size() * runs, [&](size_t task) {
    const size_t issue = task / runs;
    const size_t run = task % runs;
    const int left_out = run < runs - 1 ? static_cast<int>(run) : -1;
    Weights weights = TrainOne(examples, issue, left_out, vocabulary.size(), options);
    learned[task] = weights.terms.empty() ? 0 : 1;
    if (left_out < 0) {
      final_weights[issue] = std::move(weights);
    } else {
      for (size_t i = 0; i < examples.size(); ++i) {
        if (examples[i].fold == left_out) {
          margins[issue][i] = weights.Margin(examples[i].features);
        }
      }
    }
    ++done;
  });
  progress(absl::StrCat(done.load(), " trainings done; calibrating"));

  std::vector<std::vector<Scored>> scored(issues.size());
  for (size_t k = 0; k < issues.size(); ++k) {
    for (size_t i = 0; i < examples.size(); ++i) {
      if (examples[i].fold >= 0 && examples[i].labels[k] != 0) {
        const bool judged = learned[k * runs + static_cast<size_t>(examples[i].fold)] != 0;
        scored[k].push_back({margins[k][i], examples[i].labels[k] > 0, static_cast<double>(examples[i].weight),
                             examples[i].fold, examples[i].gold, judged});
      }
    }
  }
  const auto decide = options.learner == Learner::kLogistic ? DecideApart : DecideTogether;

  TrainResult result;
  std::vector<std::string> ids;
  for (const Issue* issue : issues) {
    ids.push_back(issue->id);
  }
  Tally folds(ids);
  for (int fold = 0; fold < options.folds; ++fold) {
    const std::vector<Decision> decisions = decide(scored, fold);
    for (size_t i = 0; i < examples.size(); ++i) {
      if (!examples[i].gold || examples[i].fold != fold) {
        continue;
      }
      std::vector<double> scores;
      std::vector<bool> tagged;
      for (size_t k = 0; k < issues.size(); ++k) {
        scores.push_back(decisions[k].sigmoid(margins[k][i]));
        tagged.push_back(scores[k] >= decisions[k].threshold);
      }
      folds.Add(*articles[i], scores, tagged, examples[i].labels);
    }
  }
  result.gold_folds = folds.Finish();
  const std::vector<Decision> decisions = decide(scored, -1);

  IssueModel& model = result.model;
  model.weights.resize(vocabulary.size() * issues.size(), 0);
  for (size_t k = 0; k < issues.size(); ++k) {
    const Decision& decision = decisions[k];
    Weights& weights = final_weights[k];
    Sigmoid sigmoid = decision.sigmoid;
    if (options.learner == Learner::kSvm) {
      // In units of log-odds, which is what AdaptIssueModel() takes margins for.
      for (double& weight : weights.terms) {
        weight *= sigmoid.slope;
      }
      weights.bias = sigmoid.slope * weights.bias + sigmoid.intercept;
      sigmoid = Sigmoid();
    }
    double largest = 1e-9;
    for (const double weight : weights.terms) {
      largest = std::max(largest, std::abs(weight));
    }
    const double step = largest / 127.0;
    for (size_t i = 0; i < weights.terms.size(); ++i) {
      model.weights[i * issues.size() + k] = static_cast<int8_t>(std::lround(weights.terms[i] / step));
    }
    LinearIssue linear;
    linear.weight_step = static_cast<float>(step);
    linear.bias = static_cast<float>(weights.bias);
    linear.slope = static_cast<float>(sigmoid.slope);
    linear.intercept = static_cast<float>(sigmoid.intercept);
    model.issues.push_back(linear);
    IssueModelInfo info;
    info.issue_id = ids[k];
    info.example_count = example_counts[k];
    info.threshold = std::round(decision.threshold * 1e4) / 1e4;
    model.report.issues.push_back(std::move(info));
    model.trained_from.push_back(issues[k]->trained_from);
  }
  model.vocabulary = std::move(vocabulary);
  model.report.train_time = options.train_time;
  model.report.training_article_count = static_cast<int>(corpus.train.size());
  model.report.taxonomy_version = taxonomy.version();
  model.report.language_codes = {kTrainingLanguage};
  model.taxonomy_fingerprint = taxonomy.fingerprint();
  model.training_notes = options.notes;
  model.training_texts = TextSketch(corpus.train.size());
  for (const LabelledArticle& article : corpus.train) {
    model.training_texts.Add(article.title, article.body);
  }
  return result;
}

namespace {

// The vectors of articles over the terms that some of them has, and what the model says of them.
struct Lesson {
  std::vector<std::vector<std::pair<int, double>>> rows;  // Term by its place in `terms`; the last is the bias.
  std::vector<int32_t> terms;
  std::vector<double> ease;  // How easily what was learned of a term moves, 0 to 1; of the bias the last.
  std::vector<std::vector<double>> margins;  // By issue, then article.
  std::vector<std::vector<int8_t>> labels;   // By issue, then article.
  std::vector<int> folds;
};

// How an issue is taught.
struct Manner {
  double cost = 1.0;             // What an article may pull.
  double negative_weight = 1.0;  // An article without the issue counts so often.
  bool bias = true;              // The bias may move, too.
  bool firm = false;             // What was learned from many articles moves less: by Lesson::ease.
};

// What follows was chosen on the articles of data/labels, each issue of the default taxonomy as if it were new
// (`issues_tool teach`, docs/quality.md). With so many examples seed phrases count half.
constexpr double kExamplesThatHalveSeeds = 20.0;
// A few examples must show: they pull more than articles do on issues that were learned from many.
constexpr double kSeedCost = 100.0;
// What editors send in has far more of the issue than all articles have; with so many articles without it for each that
// has it, weighed so if need be, margins stay about what they were. For the same reason the bias stays.
constexpr double kRestPerExample = 3.0;
constexpr double kLeastNegativeWeight = 0.2;
constexpr double kMostNegativeWeight = 5.0;

double SeedWeight(int examples) { return 1.0 / (1.0 + examples / kExamplesThatHalveSeeds); }

// The sketch of its examples that an issue by seed phrases keeps is made for so many.
constexpr size_t kSketchedExamples = 64;

// How sharply the loss of an article of the training bends, on average over articles and issues: p * (1 - p). Chosen on
// the articles of data/labels (docs/quality.md), flat from 0.01 to 0.1.
constexpr double kMeanCurvature = 0.03;

// What is known of a weight after training, in the Gaussian approximation (Laplace's): its precision is 1, of the
// penalty, plus the sum of the curvature of the loss over the training articles that have the term. `mean_square`: of
// the term's value where it has one.
double EaseOf(double articles_with_term, double mean_square) {
  return 1.0 / std::sqrt(1.0 + articles_with_term * mean_square * kMeanCurvature);
}

// The change of an issue's weights that minimises |change / ease|^2 / 2 + the sum of cost * log(1 + exp(-label *
// (margin
// + change * row))), in units of ease: gradient descent with Nesterov's momentum for a strongly convex function, whose
// steps follow from bounds on its curvature.
std::vector<double> Change(const Lesson& lesson, size_t issue, int left_out, const Manner& manner) {
  const auto cost_of = [&](size_t i) {
    return lesson.labels[issue][i] < 0 ? manner.cost * manner.negative_weight : manner.cost;
  };
  const auto ease_of = [&](int term) { return manner.firm ? lesson.ease[static_cast<size_t>(term)] : 1.0; };
  const size_t size = lesson.terms.size() + 1;
  std::vector<double> change(size, 0.0);
  std::vector<double> ahead(size, 0.0);
  std::vector<double> gradient(size, 0.0);
  std::vector<size_t> rows;
  double curvature = 1.0;
  for (size_t i = 0; i < lesson.rows.size(); ++i) {
    if (lesson.labels[issue][i] == 0 || lesson.folds[i] == left_out) {
      continue;
    }
    rows.push_back(i);
    for (const auto& [term, value] : lesson.rows[i]) {
      const double eased = value * ease_of(term);
      curvature += cost_of(i) * eased * eased / 4.0;
    }
  }
  if (rows.empty()) {
    return change;
  }
  const double momentum = (std::sqrt(curvature) - 1.0) / (std::sqrt(curvature) + 1.0);
  constexpr int kMaxIterations = 1000;
  constexpr double kSmallEnough = 1e-3;
  double first_norm = 0.0;
  for (int iteration = 0; iteration < kMaxIterations; ++iteration) {
    gradient = ahead;
    for (const size_t i : rows) {
      double margin = lesson.margins[issue][i];
      for (const auto& [term, value] : lesson.rows[i]) {
        margin += ahead[static_cast<size_t>(term)] * value * ease_of(term);
      }
      const double label = lesson.labels[issue][i];
      const double pull = -cost_of(i) * label / (1.0 + std::exp(std::clamp(label * margin, -40.0, 40.0)));
      for (const auto& [term, value] : lesson.rows[i]) {
        gradient[static_cast<size_t>(term)] += pull * value * ease_of(term);
      }
    }
    if (!manner.bias) {
      gradient.back() = 0.0;
    }
    double norm = 0.0;
    for (size_t k = 0; k < size; ++k) {
      norm += gradient[k] * gradient[k];
      const double next = ahead[k] - gradient[k] / curvature;
      ahead[k] = next + momentum * (next - change[k]);
      change[k] = next;
    }
    first_norm = iteration == 0 ? norm : first_norm;
    if (norm <= kSmallEnough * kSmallEnough * first_norm) {
      break;
    }
  }
  for (size_t k = 0; k < size; ++k) {
    change[k] *= ease_of(static_cast<int>(k));
  }
  return change;
}

double MarginWith(const Lesson& lesson, size_t issue, size_t article, const std::vector<double>& change) {
  double margin = lesson.margins[issue][article];
  for (const auto& [term, value] : lesson.rows[article]) {
    margin += change[static_cast<size_t>(term)] * value;
  }
  return margin;
}

// What is said of issues that the model judges by what it learned (not of those that go by seed phrases), against its
// own margins of `articles`, by issue. A few surprises are what corrections are for; most of an issue's labels are not.
std::vector<AdaptResult::Contradiction> FindContradictions(const IssueModel& model,
                                                           const std::vector<LabelledArticle>& articles,
                                                           const Lesson& lesson,
                                                           const std::vector<std::vector<double>>& margins) {
  constexpr double kSure = 0.98;
  constexpr int kEnoughToTell = 10;
  constexpr size_t kExamplesShown = 10;
  std::vector<AdaptResult::Contradiction> found;
  for (size_t k = 0; k < model.issues.size(); ++k) {
    if (model.report.issues[k].provenance == Provenance::kSeed) {
      continue;
    }
    const Sigmoid sigmoid{static_cast<double>(model.issues[k].slope), static_cast<double>(model.issues[k].intercept)};
    for (const bool applied : {true, false}) {
      AdaptResult::Contradiction one;
      one.issue_id = model.report.issues[k].issue_id;
      one.applied = applied;
      std::vector<std::pair<double, std::string>> surprises;  // By the probability of what the label says.
      for (size_t i = 0; i < articles.size(); ++i) {
        const bool says_so =
            applied ? lesson.labels[k][i] > 0 : lesson.labels[k][i] < 0 && articles[i].labelling == Labelling::kPartial;
        if (!says_so) {
          continue;
        }
        ++one.labels;
        const double score = sigmoid(margins[k][i]);
        const double of_label = applied ? score : 1.0 - score;
        if (of_label <= 1.0 - kSure) {
          surprises.emplace_back(of_label, absl::StrFormat("%s (%.3f)", articles[i].id, score));
        }
      }
      one.contradicting = static_cast<int>(surprises.size());
      if (one.contradicting < kEnoughToTell || 2 * one.contradicting < one.labels) {
        continue;
      }
      std::sort(surprises.begin(), surprises.end());
      surprises.resize(std::min(surprises.size(), kExamplesShown));
      for (auto& [of_label, example] : surprises) {
        one.examples.push_back(std::move(example));
      }
      found.push_back(std::move(one));
    }
  }
  return found;
}

}  // namespace

absl::StatusOr<AdaptResult> AdaptIssueModel(const IssueModel& model, const Taxonomy& taxonomy,
                                            const std::vector<LabelledArticle>& articles, const AdaptOptions& options,
                                            absl::FunctionRef<void(absl::string_view)> progress) {
  TrainOptions checked;
  checked.cost = options.cost;
  checked.folds = options.folds;
  checked.threads = options.threads;
  RETURN_IF_ERROR(Check(checked));
  if (articles.size() < static_cast<size_t>(options.folds)) {
    return absl::InvalidArgumentError(
        absl::StrCat(articles.size(), " articles to learn from; at least ", options.folds, " are needed"));
  }
  AdaptResult result;
  result.model = model;
  const size_t old_count = model.issues.size();

  // The issues to be: those of the model, then new ones.
  std::vector<Issue> issues;
  for (size_t k = 0; k < old_count; ++k) {
    Issue issue;
    issue.id = model.report.issues[k].issue_id;
    issue.trained_from = model.trained_from[k];
    issues.push_back(std::move(issue));
  }
  for (const Issue* issue : taxonomy.LiveIssues()) {
    const bool known =
        std::any_of(issues.begin(), issues.begin() + static_cast<long>(old_count), [&](const Issue& one) {
          return one.id == issue->id ||
                 std::any_of(one.trained_from.begin(), one.trained_from.end(), [&](const auto& label) {
                   return std::find(issue->trained_from.begin(), issue->trained_from.end(), label) !=
                          issue->trained_from.end();
                 });
        });
    const auto examples = std::count_if(articles.begin(), articles.end(), [&](const LabelledArticle& article) {
      return StateOfIssue(article, *issue) > 0;
    });
    // A complete label without it may be older than the issue: no reason to begin.
    const bool rejected = std::any_of(articles.begin(), articles.end(), [&](const LabelledArticle& article) {
      return article.labelling == Labelling::kPartial && StateOfIssue(article, *issue) < 0;
    });
    const bool begun = issue->seed_phrases.empty() ? examples >= kEnoughExamples : examples > 0 || rejected;
    if (!known && begun) {
      issues.push_back(*issue);
      result.new_issues.push_back(issue->id);
    }
  }

  // Those that go by seed phrases, too: by which, and what becomes of them.
  struct Seeded {
    size_t place = 0;            // In the scorer.
    double weight_before = 1.0;  // Of the seed phrases.
    double weight = 1.0;
    int examples = 0;  // With those of before.
    TextSketch texts;
  };
  std::vector<std::optional<Seeded>> seeded(issues.size());
  std::vector<Manner> manners(issues.size(), Manner{options.cost, 1.0, true, true});
  std::vector<const Issue*> with_seeds;
  for (size_t k = 0; k < issues.size(); ++k) {
    const Issue* issue = k < old_count ? taxonomy.Find(issues[k].id) : &issues[k];
    if (k < old_count ? model.issues[k].seed_weight == 0.0F : issue->seed_phrases.empty()) {
      continue;
    }
    Seeded one;
    one.place = with_seeds.size();
    with_seeds.push_back(issue != nullptr ? issue : &issues[k]);
    one.texts = TextSketch(kSketchedExamples);
    if (k < old_count) {
      one.weight_before = static_cast<double>(model.issues[k].seed_weight);
      one.examples = model.report.issues[k].example_count;
      if (!model.issues[k].example_texts.empty()) {
        one.texts = model.issues[k].example_texts;
      }
    }
    const int examples_before = one.examples;
    int with_it = 0;
    int without_it = 0;
    const TextSketch texts_before = one.texts;  // Those of today may be near-duplicates.
    for (const LabelledArticle& article : articles) {
      const int8_t state = StateOfIssue(article, issues[k]);
      with_it += state > 0 ? 1 : 0;
      without_it += state < 0 ? 1 : 0;
      // Past the first few there is no sketch of its own.
      const bool counted = examples_before < kEnoughExamples || k >= old_count
                               ? texts_before.Contains(article.title, article.body)
                               : model.training_texts.Contains(article.title, article.body);
      if (state > 0 && !counted) {
        one.texts.Add(article.title, article.body);
        ++one.examples;
      }
    }
    one.weight = SeedWeight(one.examples);
    manners[k] = {options.cost * kSeedCost, 1.0, false, false};
    if (without_it > 0) {  // Where there is nothing but rejections, each counts least.
      manners[k].negative_weight =
          std::clamp(kRestPerExample * with_it / without_it, kLeastNegativeWeight, kMostNegativeWeight);
    }
    seeded[k] = std::move(one);
  }
  const SeedScorer seeds(with_seeds, model.vocabulary);

  Lesson lesson;
  std::vector<std::vector<double>> margins_before(issues.size());  // By the model as it is.
  lesson.margins.resize(issues.size());
  lesson.labels.resize(issues.size());
  absl::flat_hash_map<int32_t, int> place_of;
  std::vector<TextFeatures> features;
  for (const LabelledArticle& article : articles) {
    features.push_back(ExtractFeatures(model.vocabulary, article.title, article.body));
    for (const TermValue& value : features.back().values) {
      if (place_of.emplace(value.term, static_cast<int>(lesson.terms.size())).second) {
        lesson.terms.push_back(value.term);
      }
    }
  }
  const int bias = static_cast<int>(lesson.terms.size());
  const double trained = model.report.training_article_count;
  std::vector<std::pair<double, int>> squares(lesson.terms.size());  // Their sum and number.
  for (const TextFeatures& of_article : features) {
    for (const TermValue& value : of_article.values) {
      auto& [sum, count] = squares[static_cast<size_t>(place_of.at(value.term))];
      sum += static_cast<double>(value.value) * static_cast<double>(value.value);
      ++count;
    }
  }
  for (size_t place = 0; place < lesson.terms.size(); ++place) {
    // By the definition of idf; see ChooseVocabulary().
    const double with_term = trained * std::exp(1.0 - static_cast<double>(model.vocabulary.idf(lesson.terms[place])));
    lesson.ease.push_back(EaseOf(with_term, squares[place].first / squares[place].second));
  }
  lesson.ease.push_back(EaseOf(trained, 1.0));
  for (size_t i = 0; i < articles.size(); ++i) {
    std::vector<std::pair<int, double>> row;
    for (const TermValue& value : features[i].values) {
      row.emplace_back(place_of.at(value.term), static_cast<double>(value.value));
    }
    row.emplace_back(bias, 1.0);
    lesson.rows.push_back(std::move(row));
    lesson.folds.push_back(static_cast<int>(HashOfId(articles[i].id) % static_cast<uint32_t>(options.folds)));
    std::vector<SeedScorer::Result> seeds_say;
    if (!with_seeds.empty()) {
      ArticleText text;
      text.title = articles[i].title;
      text.body = articles[i].body;
      seeds_say = seeds.Score(ScannedArticle(text), /*with_evidence=*/false);
    }
    for (size_t k = 0; k < issues.size(); ++k) {
      double margin = k >= old_count && seeded[k].has_value() ? SeedScorer::kWithoutPhrase : 0.0;
      if (k < old_count) {
        margin = static_cast<double>(model.issues[k].bias);
        for (const TermValue& value : features[i].values) {
          margin += static_cast<double>(value.value) * static_cast<double>(model.issues[k].weight_step) *
                    model.weights[static_cast<size_t>(value.term) * old_count + k];
        }
      }
      const double lift = seeded[k].has_value() ? seeds_say[seeded[k]->place].lift : 0.0;
      lesson.margins[k].push_back(margin + (seeded[k].has_value() ? seeded[k]->weight * lift : 0.0));
      margins_before[k].push_back(margin + (seeded[k].has_value() ? seeded[k]->weight_before * lift : 0.0));
      lesson.labels[k].push_back(StateOfIssue(articles[i], issues[k]));
    }
  }

  const auto runs = static_cast<size_t>(options.folds) + 1;
  std::vector<std::vector<double>> changes(issues.size());
  std::vector<std::vector<double>> folded(issues.size(), std::vector<double>(articles.size(), 0.0));
  progress(
      absl::StrCat("teaching ", issues.size(), " issues from ", articles.size(), " articles, ", runs, " times each"));
  common::RunParallel(options.threads, issues.size() * runs, [&](size_t task) {
    const size_t issue = task / runs;
    const int left_out = task % runs < runs - 1 ? static_cast<int>(task % runs) : -1;
    std::vector<double> change = Change(lesson, issue, left_out, manners[issue]);
    for (size_t i = 0; i < articles.size(); ++i) {
      if (lesson.folds[i] == left_out) {
        folded[issue][i] = MarginWith(lesson, issue, i, change);
      }
    }
    if (left_out < 0) {
      changes[issue] = std::move(change);
    }
  });

  // Calibration and thresholds stay: the biases move, which does what other thresholds would. Those of new issues are
  // those of seed phrases, or, if there is a sample to learn them from, come from the folds.
  double mean_threshold = 0.0;
  for (const IssueModelInfo& info : model.report.issues) {
    mean_threshold += info.threshold / static_cast<double>(old_count);
  }
  std::vector<Sigmoid> sigmoids;
  std::vector<double> thresholds;
  for (size_t k = 0; k < issues.size(); ++k) {
    if (k < old_count) {
      const LinearIssue& linear = model.issues[k];
      sigmoids.push_back({static_cast<double>(linear.slope), static_cast<double>(linear.intercept)});
      thresholds.push_back(model.report.issues[k].threshold);
      continue;
    }
    std::vector<Scored> scored;
    int examples = 0;
    for (size_t i = 0; i < articles.size(); ++i) {
      // Corrections are no sample: of them nothing can be said about how often an issue comes.
      const bool sampled = !seeded[k].has_value() || articles[i].labelling != Labelling::kPartial;
      if (lesson.labels[k][i] != 0 && sampled) {
        scored.push_back({folded[k][i], lesson.labels[k][i] > 0, 1.0, lesson.folds[i], true});
        examples += lesson.labels[k][i] > 0 ? 1 : 0;
      }
    }
    if (seeded[k].has_value() && examples < kEnoughExamples) {
      sigmoids.emplace_back();
      thresholds.push_back(SeedScorer::kThreshold);
      continue;
    }
    sigmoids.push_back(Calibrate(scored, -1));
    thresholds.push_back(ChooseThreshold(scored, sigmoids.back(), -1, mean_threshold));
  }

  std::vector<std::string> ids;
  for (const Issue& issue : issues) {
    ids.push_back(issue.id);
  }
  Tally before(ids);
  Tally after(ids);
  for (size_t i = 0; i < articles.size(); ++i) {
    if (model.training_texts.Contains(articles[i].title, articles[i].body)) {
      continue;
    }
    std::vector<double> old_scores;
    std::vector<double> new_scores;
    std::vector<bool> old_tags;
    std::vector<bool> new_tags;
    std::vector<int8_t> labels;
    for (size_t k = 0; k < issues.size(); ++k) {
      // A new issue went by its seed phrases alone.
      const bool judged = k < old_count || seeded[k].has_value();
      const Sigmoid& sigmoid_before = k < old_count ? sigmoids[k] : Sigmoid();
      old_scores.push_back(judged ? sigmoid_before(margins_before[k][i]) : 0.0);
      new_scores.push_back(sigmoids[k](folded[k][i]));
      old_tags.push_back(judged && old_scores[k] >= (k < old_count ? thresholds[k] : SeedScorer::kThreshold));
      new_tags.push_back(new_scores[k] >= thresholds[k]);
      labels.push_back(lesson.labels[k][i]);
    }
    before.Add(articles[i], old_scores, old_tags, labels);
    after.Add(articles[i], new_scores, new_tags, labels);
  }
  result.before = before.Finish();
  result.after = after.Finish();
  result.contradictions = FindContradictions(model, articles, lesson, margins_before);

  IssueModel& taught = result.model;
  taught.weights.assign(model.vocabulary.size() * issues.size(), 0);
  std::vector<double> column(model.vocabulary.size());
  for (size_t k = 0; k < issues.size(); ++k) {
    LinearIssue linear = k < old_count ? model.issues[k] : LinearIssue();
    for (size_t term = 0; term < column.size(); ++term) {
      column[term] =
          k < old_count ? static_cast<double>(linear.weight_step) * model.weights[term * old_count + k] : 0.0;
    }
    for (size_t place = 0; place < lesson.terms.size(); ++place) {
      column[static_cast<size_t>(lesson.terms[place])] += changes[k][place];
    }
    double largest = 1e-9;
    for (const double weight : column) {
      largest = std::max(largest, std::abs(weight));
    }
    const double step = largest / 127.0;
    for (size_t term = 0; term < column.size(); ++term) {
      taught.weights[term * issues.size() + k] = static_cast<int8_t>(std::lround(column[term] / step));
    }
    linear.weight_step = static_cast<float>(step);
    linear.bias += static_cast<float>(changes[k].back());
    if (k >= old_count && seeded[k].has_value()) {
      linear.bias = static_cast<float>(SeedScorer::kWithoutPhrase);
    }
    linear.slope = static_cast<float>(sigmoids[k].slope);
    linear.intercept = static_cast<float>(sigmoids[k].intercept);
    auto examples = static_cast<int>(std::count(lesson.labels[k].begin(), lesson.labels[k].end(), int8_t{1}));
    examples += k < old_count ? model.report.issues[k].example_count : 0;
    Provenance provenance = Provenance::kModel;
    if (seeded[k].has_value()) {
      examples = seeded[k]->examples;
      linear.seed_weight = static_cast<float>(seeded[k]->weight);
      linear.example_texts = TextSketch();
      if (examples < kEnoughExamples) {
        provenance = Provenance::kSeed;
        linear.example_texts = seeded[k]->texts;
      }
    }
    if (k < old_count) {
      taught.issues[k] = std::move(linear);
      taught.report.issues[k].example_count = examples;
      taught.report.issues[k].provenance = provenance;
    } else {
      taught.issues.push_back(std::move(linear));
      IssueModelInfo info;
      info.issue_id = issues[k].id;
      info.provenance = provenance;
      info.example_count = examples;
      info.threshold = std::round(thresholds[k] * 1e4) / 1e4;
      taught.report.issues.push_back(std::move(info));
      taught.trained_from.push_back(issues[k].trained_from);
    }
  }
  taught.report.train_time = options.train_time;
  taught.report.training_article_count += static_cast<int>(articles.size());
  taught.report.taxonomy_version = taxonomy.version();
  taught.taxonomy_fingerprint = taxonomy.fingerprint();
  absl::StrAppend(&taught.training_notes, "; ", options.notes);
  for (const LabelledArticle& article : articles) {
    taught.training_texts.Add(article.title, article.body);
  }
  return result;
}

Evaluation EvaluateIssues(const IssueTagger& tagger, const Taxonomy& taxonomy,
                          const std::vector<LabelledArticle>& articles, UnknownLabels unknown) {
  const std::vector<const Issue*> issues = taxonomy.LiveIssues();
  std::vector<std::string> ids;
  absl::flat_hash_map<std::string, size_t> index;
  for (size_t k = 0; k < issues.size(); ++k) {
    ids.push_back(issues[k]->id);
    index.emplace(issues[k]->id, k);
  }
  Tally tally(ids);
  for (const LabelledArticle& article : articles) {
    ArticleText text;
    text.title = article.title;
    text.body = article.body;
    std::vector<double> scores(ids.size(), 0.0);
    std::vector<bool> tagged(ids.size(), false);
    for (const IssueScore& score : tagger.Score(text)) {
      const size_t k = index.at(score.issue_id);
      scores[k] = score.score;
      tagged[k] = score.tagged;
    }
    std::vector<int8_t> labels;
    for (const Issue* issue : issues) {
      const int8_t state = StateOfIssue(article, *issue);
      labels.push_back(state == 0 && unknown == UnknownLabels::kAreNo ? int8_t{-1} : state);
    }
    tally.Add(article, scores, tagged, labels);
  }
  return tally.Finish();
}

std::string FormatEvaluation(absl::string_view name, const Evaluation& evaluation, bool issues) {
  const Quality& all = evaluation.quality;
  std::string text = absl::StrFormat(
      "%-18s %6d articles  P %.3f  R %.3f  micro-F1 %.3f  macro-F1 %.3f (%d issues)  top-1 %.3f  top-3 %.3f  ECE "
      "%.3f (%.3f to %.3f)\n",
      std::string(name), all.article_count, all.precision, all.recall, all.f1, all.macro_f1.value_or(0.0),
      static_cast<int>(evaluation.issues.size()), evaluation.top1, evaluation.top3, evaluation.calibration_error,
      evaluation.calibration_interval.low, evaluation.calibration_interval.high);
  if (issues) {
    for (const Evaluation::Issue& issue : evaluation.issues) {
      absl::StrAppendFormat(&text, "    %-16s %5d positive  P %.3f  R %.3f  F1 %.3f\n", issue.issue_id, issue.positives,
                            issue.quality.precision, issue.quality.recall, issue.quality.f1);
    }
    if (!evaluation.worst.empty()) {
      absl::StrAppend(&text, "    most wrong about\n");
    }
    for (const Evaluation::Disagreement& one : evaluation.worst) {
      absl::StrAppendFormat(&text, "      %.4f %-16s %s  %s  %s\n", one.score, one.issue_id,
                            one.labelled ? "labelled, missed" : "not labelled    ", common::Printable(one.article_id),
                            common::Printable(one.title));
    }
  }
  return text;
}

}  // namespace dateline::classifier
