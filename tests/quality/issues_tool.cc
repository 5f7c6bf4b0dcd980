// Measures what the trainer's own report doesn't: issues by seed phrases alone, and public collections of topics.
//
//   issues_tool seeds --labelled labelled.jsonl --data DATA      fits the weights of classifier_service/issue_seeds.cc
//   issues_tool teach --labelled labelled.jsonl                  how new issues get better with examples and rejections
//   issues_tool sources --data DATA                              the shipped model by source, and its calibration
//   issues_tool topics --articles FILE --test test               the trainer on a collection's own topics, and a plain
//   SVM
//
// `labelled.jsonl` is what scripts/join_labels.py writes; DATA the folder that docs/data.md describes.
#include <linear.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"

#include "CLI/CLI.hpp"
#include "classifier_service/country_articles.h"
#include "classifier_service/issue_model.h"
#include "classifier_service/issue_seeds.h"
#include "classifier_service/issue_tagger.h"
#include "classifier_service/issue_trainer.h"
#include "classifier_service/issue_trainer_corpus.h"
#include "classifier_service/taxonomy.h"
#include "classifier_service/word_scan.h"
#include "common/program.h"
#include "common/status_macros.h"
#include "tests/support/shared_data.h"

namespace dateline::quality {
namespace issues {
namespace {

using classifier::LabelledArticle;

using classifier::Issue;
using classifier::LabelState;
using classifier::SeedScorer;
using classifier::Taxonomy;

constexpr char kTaxonomy[] = "classifier_service/data/taxonomy/default.textproto";
constexpr char kModel[] = "classifier_service/data/model/issues.model";

// What ctest takes for "skipped".
constexpr int kSkipped = 77;

// One article and one issue.
struct Row {
  SeedScorer::Features features = {};
  size_t issue = 0;
  bool seen = false;  // Some seed phrase stands in the text: without, the score is 0.
  bool labelled = false;
};

using Weights = SeedScorer::Features;

double Probability(const Weights& weights, const Row& row) {
  if (!row.seen) return 0.0;
  double margin = 0;
  for (size_t k = 0; k < weights.size(); ++k) margin += weights[k] * row.features[k];
  return 1.0 / (1.0 + std::exp(-margin));
}

// Logistic regression by Newton's method, on the rows with a phrase, without those of one issue.
Weights Fit(const std::vector<Row>& rows, std::optional<size_t> left_out) {
  constexpr size_t kSize = SeedScorer::kFeatures;
  Weights weights = {};
  for (int iteration = 0; iteration < 30; ++iteration) {
    std::array<std::array<double, kSize + 1>, kSize> system = {};
    for (size_t k = 0; k < kSize; ++k) system[k][k] = 1e-3;
    for (const Row& row : rows) {
      if (!row.seen || row.issue == left_out) continue;
      const double p = Probability(weights, row);
      for (size_t i = 0; i < kSize; ++i) {
        for (size_t j = 0; j < kSize; ++j) system[i][j] += p * (1 - p) * row.features[i] * row.features[j];
        system[i][kSize] += ((row.labelled ? 1.0 : 0.0) - p) * row.features[i];
      }
    }
    for (size_t i = 0; i < kSize; ++i) {
      for (size_t j = 0; j < kSize; ++j) {
        if (i == j) continue;
        const double factor = system[j][i] / system[i][i];
        for (size_t k = i; k <= kSize; ++k) system[j][k] -= factor * system[i][k];
      }
    }
    for (size_t i = 0; i < kSize; ++i) weights[i] += system[i][kSize] / system[i][i];
  }
  return weights;
}

struct Counts {
  int right = 0;
  int given = 0;
  int labelled = 0;
  double F1() const { return given + labelled > 0 ? 2.0 * right / (given + labelled) : 0.0; }
};

// Prints micro- and macro-F1 with these weights, one set an issue.
void Measure(const char* name, const std::vector<Row>& rows, const std::vector<Weights>& weights, double threshold) {
  std::vector<Counts> by_issue(weights.size());
  Counts all;
  for (const Row& row : rows) {
    const bool given = Probability(weights[row.issue], row) >= threshold;
    for (Counts* counts : {&all, &by_issue[row.issue]}) {
      counts->right += given && row.labelled ? 1 : 0;
      counts->given += given ? 1 : 0;
      counts->labelled += row.labelled ? 1 : 0;
    }
  }
  double macro = 0;
  int present = 0;
  for (const Counts& counts : by_issue) {
    if (counts.labelled == 0) continue;
    macro += counts.F1();
    ++present;
  }
  std::printf("%-46s threshold %.2f  P %.3f  R %.3f  micro-F1 %.3f  macro-F1 %.3f (%d issues)\n", name, threshold,
              all.given > 0 ? 1.0 * all.right / all.given : 0.0,
              all.labelled > 0 ? 1.0 * all.right / all.labelled : 0.0, all.F1(), present > 0 ? macro / present : 0.0,
              present);
}

std::vector<Row> RowsOf(const std::vector<LabelledArticle>& articles, const std::vector<const Issue*>& issues,
                        const SeedScorer& scorer) {
  std::vector<Row> rows;
  for (const LabelledArticle& article : articles) {
    classifier::ArticleText text;
    text.title = article.title;
    text.body = article.body;
    const std::vector<SeedScorer::Result> results = scorer.Score(classifier::ScannedArticle(text), false);
    for (size_t i = 0; i < issues.size(); ++i) {
      rows.push_back(
          {results[i].features, i, results[i].features[0] > 0, StateOf(article, issues[i]->id) == LabelState::kYes});
    }
  }
  return rows;
}

absl::Status Seeds(const std::string& labelled, const std::string& data) {
  ASSIGN_OR_RETURN(const Taxonomy taxonomy, Taxonomy::Load(kTaxonomy));
  ASSIGN_OR_RETURN(const classifier::IssueModel model, classifier::ReadIssueModel(kModel));
  const std::vector<const Issue*> issues = taxonomy.LiveIssues();
  const SeedScorer scorer(issues, model.vocabulary);
  ASSIGN_OR_RETURN(const std::vector<LabelledArticle> articles, classifier::ReadLabelledArticles(labelled));
  const std::vector<Row> rows = RowsOf(articles, issues, scorer);
  const Weights all = Fit(rows, std::nullopt);
  double best = 0;
  double threshold = 0;
  for (int step = 10; step <= 90; ++step) {
    Counts counts;
    for (const Row& row : rows) {
      const bool given = Probability(all, row) >= step / 100.0;
      counts.right += given && row.labelled ? 1 : 0;
      counts.given += given ? 1 : 0;
      counts.labelled += row.labelled ? 1 : 0;
    }
    if (counts.F1() > best) {
      best = counts.F1();
      threshold = step / 100.0;
    }
  }
  std::printf("kWeights = {%.4f, %.4f, %.4f, %.4f, %.4f}; kThreshold = %.2f\n", all[0], all[1], all[2], all[3], all[4],
              threshold);
  std::vector<Weights> without_own;
  for (size_t i = 0; i < issues.size(); ++i) without_own.push_back(Fit(rows, i));
  Measure("labelled, fitted on them", rows, std::vector<Weights>(issues.size(), all), threshold);
  Measure("labelled, each issue by weights without it", rows, without_own, threshold);
  if (!data.empty()) {
    ASSIGN_OR_RETURN(const std::vector<LabelledArticle> gold,
                     classifier::ReadLabelledArticles(absl::StrCat(data, "/articles/gold.jsonl.zst")));
    const std::vector<Row> held_out = RowsOf(gold, issues, scorer);
    Measure("gold, each issue by weights without it", held_out, without_own, threshold);
  }
  return absl::OkStatus();
}

// How the examples of a new issue come.
enum class Teaching {
  kSample,       // Articles that have it, and three times as many that don't, as they come.
  kCorrections,  // The same, but every other one that doesn't is tagged wrongly by its seed phrases, while there are
                 // some.
  kRejections,   // Only articles that are tagged wrongly by its seed phrases.
};

// What an editor would send of one issue: a list whose beginnings are lessons, and the rest of the articles.
struct Lessons {
  std::vector<LabelledArticle> with_it;
  std::vector<LabelledArticle> without_it;
  std::vector<LabelledArticle> rest;
};

constexpr size_t kRestPerExample = 3;

Lessons LessonsOf(const Issue& issue, const std::vector<LabelledArticle>& articles, const SeedScorer& scorer,
                  size_t most, Teaching teaching) {
  std::vector<const LabelledArticle*> order;
  for (const LabelledArticle& article : articles) order.push_back(&article);
  const auto hash = [&](const LabelledArticle* article) {
    return classifier::HashOfId(absl::StrCat(issue.id, "/", article->id));
  };
  std::sort(order.begin(), order.end(), [&](const auto* a, const auto* b) { return hash(a) < hash(b); });
  const auto has_it = [&](const LabelledArticle* article) { return StateOf(*article, issue) == LabelState::kYes; };
  const auto positives = static_cast<size_t>(std::count_if(order.begin(), order.end(), has_it));
  std::vector<const LabelledArticle*> wrong;
  std::vector<const LabelledArticle*> others;
  Lessons lessons;
  const auto teach = [&](const LabelledArticle* article) {
    LabelledArticle one = *article;
    one.labelling = classifier::Labelling::kPartial;
    one.assertable = {issue.id};
    one.issues.clear();
    if (has_it(article)) std::swap(one.issues, one.assertable);
    (has_it(article) ? lessons.with_it : lessons.without_it).push_back(std::move(one));
  };
  for (const LabelledArticle* article : order) {
    // Half of them are for judging, or what was left would say little of a rare issue.
    if (has_it(article)) {
      if (teaching != Teaching::kRejections && lessons.with_it.size() < std::min(most, positives / 2)) {
        teach(article);
      } else {
        lessons.rest.push_back(*article);
      }
      continue;
    }
    classifier::ArticleText text;
    text.title = article->title;
    text.body = article->body;
    const bool tagged = teaching != Teaching::kSample &&
                        scorer.Score(classifier::ScannedArticle(text), false)[0].score >= SeedScorer::kThreshold;
    (tagged ? wrong : others).push_back(article);
  }
  const size_t wanted = teaching == Teaching::kRejections ? most : most * kRestPerExample;
  const size_t of_wrong = std::min(wrong.size() / 2, teaching == Teaching::kRejections ? most : wanted / 2);
  size_t taught_wrong = 0;
  size_t taught_others = 0;
  while (lessons.without_it.size() < wanted) {
    const bool even = lessons.without_it.size() % 2 == 0;
    if (taught_wrong < of_wrong && (even || teaching == Teaching::kRejections)) {
      teach(wrong[taught_wrong++]);
    } else if (teaching != Teaching::kRejections && taught_others < others.size()) {
      teach(others[taught_others++]);
    } else {
      break;
    }
  }
  for (size_t i = taught_wrong; i < wrong.size(); ++i) lessons.rest.push_back(*wrong[i]);
  for (size_t i = taught_others; i < others.size(); ++i) lessons.rest.push_back(*others[i]);
  // Equal scores rank as they come, which must say nothing.
  std::sort(lessons.rest.begin(), lessons.rest.end(),
            [&](const auto& a, const auto& b) { return hash(&a) < hash(&b); });
  return lessons;
}

// The model with one issue only, and that not this one: all that teaching another needs of it.
classifier::IssueModel WithoutIssue(const classifier::IssueModel& model, const std::string& issue_id) {
  const size_t kept = model.report.issues[0].issue_id == issue_id ? 1 : 0;
  classifier::IssueModel one = model;
  one.issues = {model.issues[kept]};
  one.report.issues = {model.report.issues[kept]};
  one.trained_from = {model.trained_from[kept]};
  one.weights.clear();
  for (size_t term = 0; term < model.vocabulary.size(); ++term) {
    one.weights.push_back(model.weights[term * model.issues.size() + kept]);
  }
  return one;
}

// How well the tags of one issue agree with labels; average precision of its scores.
struct Judged {
  Counts counts;
  double average_precision = 0;
};

absl::StatusOr<Judged> Judge(classifier::IssueModel& model, const Taxonomy& taxonomy, const Issue& issue,
                             const std::vector<LabelledArticle>& articles) {
  const std::string file = absl::StrCat(std::filesystem::temp_directory_path().string(), "/issues_tool.", getpid());
  RETURN_IF_ERROR(classifier::WriteIssueModel(file, model));
  const auto tagger = classifier::IssueTagger::Load(file, taxonomy);
  std::error_code error;
  std::filesystem::remove(file, error);
  RETURN_IF_ERROR(tagger.status());
  Judged judged;
  std::vector<std::pair<double, bool>> ranked;
  for (const LabelledArticle& article : articles) {
    classifier::ArticleText text;
    text.title = article.title;
    text.body = article.body;
    const bool labelled = StateOf(article, issue) == LabelState::kYes;
    for (const classifier::IssueScore& score : (*tagger)->Score(text)) {
      if (score.issue_id != issue.id) continue;
      judged.counts.labelled += labelled ? 1 : 0;
      judged.counts.given += score.tagged ? 1 : 0;
      judged.counts.right += score.tagged && labelled ? 1 : 0;
      ranked.emplace_back(-score.score, labelled);
    }
  }
  std::stable_sort(ranked.begin(), ranked.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  int seen = 0;
  for (size_t i = 0; i < ranked.size(); ++i) {
    if (!ranked[i].second) continue;
    ++seen;
    judged.average_precision += 1.0 * seen / static_cast<double>(i + 1) / judged.counts.labelled;
  }
  return judged;
}

// The learning curve of new issues. Fails if tags get worse than by seed phrases alone.
absl::Status Teach(const std::string& labelled, Teaching teaching) {
  ASSIGN_OR_RETURN(const Taxonomy taxonomy, Taxonomy::Load(kTaxonomy));
  ASSIGN_OR_RETURN(const classifier::IssueModel model, classifier::ReadIssueModel(kModel));
  ASSIGN_OR_RETURN(const std::vector<LabelledArticle> articles, classifier::ReadLabelledArticles(labelled));
  std::vector<size_t> sizes = {0, 2, 5, 10, 20, 30, 60};
  if (teaching == Teaching::kRejections) sizes = {0, 2, 5, 10, 20};
  struct Sum {
    Counts all;
    double f1 = 0;
    double average_precision = 0;
  };
  std::vector<Sum> sums(sizes.size());
  const std::vector<const Issue*> issues = taxonomy.LiveIssues();
  for (const Issue* issue : issues) {
    const classifier::IssueModel base = WithoutIssue(model, issue->id);
    const SeedScorer scorer({issue}, base.vocabulary);
    const Lessons lessons = LessonsOf(*issue, articles, scorer, sizes.back(), teaching);
    for (size_t n = 0; n < sizes.size(); ++n) {
      classifier::IssueModel taught = base;
      if (sizes[n] > 0) {
        const auto first = [](const std::vector<LabelledArticle>& of, size_t count) {
          return std::vector<LabelledArticle>(of.begin(),
                                              of.begin() + static_cast<std::ptrdiff_t>(std::min(of.size(), count)));
        };
        std::vector<LabelledArticle> lesson = first(lessons.with_it, sizes[n]);
        const std::vector<LabelledArticle> rest =
            first(lessons.without_it, teaching == Teaching::kRejections ? sizes[n] : sizes[n] * kRestPerExample);
        lesson.insert(lesson.end(), rest.begin(), rest.end());
        classifier::AdaptOptions options;
        options.folds = 2;
        options.train_time = absl::UnixEpoch();
        ASSIGN_OR_RETURN(classifier::AdaptResult result,
                         AdaptIssueModel(base, taxonomy, lesson, options, [](absl::string_view /*message*/) {}));
        taught = std::move(result.model);
      }
      ASSIGN_OR_RETURN(const Judged judged, Judge(taught, taxonomy, *issue, lessons.rest));
      sums[n].f1 += judged.counts.F1() / static_cast<double>(issues.size());
      sums[n].average_precision += judged.average_precision / static_cast<double>(issues.size());
      sums[n].all.right += judged.counts.right;
      sums[n].all.given += judged.counts.given;
      sums[n].all.labelled += judged.counts.labelled;
    }
    std::fprintf(stderr, "%s\n", issue->id.c_str());
  }
  for (size_t n = 0; n < sizes.size(); ++n) {
    const Counts& all = sums[n].all;
    std::printf("%2zu %s  P %.3f  R %.3f  micro-F1 %.3f  macro-F1 %.3f  mean average precision %.3f  wrong tags %d\n",
                sizes[n], teaching == Teaching::kRejections ? "rejections" : "examples",
                all.given > 0 ? 1.0 * all.right / all.given : 0.0, 1.0 * all.right / std::max(all.labelled, 1),
                all.F1(), sums[n].f1, sums[n].average_precision, all.given - all.right);
    // Rejections alone only take tags away: relatively more of the wrong ones than of the right ones.
    const Counts& none = sums[0].all;
    const bool worse = teaching == Teaching::kRejections
                           ? n > 0 && (all.given - all.right >= none.given - none.right ||
                                       1.0 * all.right / all.given <= 1.0 * none.right / none.given)
                           : sums[n].f1 < sums[0].f1 || all.F1() < none.F1();
    if (worse) {
      return absl::OutOfRangeError(absl::StrCat("with ", sizes[n], " it is worse than by seed phrases alone"));
    }
  }
  return absl::OkStatus();
}

// The shipped model, or another, on what was held out: gold by source, and the calibration of all sets together.
absl::Status Sources(const std::string& data, const std::string& model) {
  ASSIGN_OR_RETURN(const Taxonomy taxonomy, Taxonomy::Load(kTaxonomy));
  ASSIGN_OR_RETURN(const std::unique_ptr<classifier::IssueTagger> tagger,
                   classifier::IssueTagger::Load(model, taxonomy));
  classifier::CorpusOptions options;
  options.data_dir = data;
  options.with_training = false;
  options.gold_held_out = 1;
  ASSIGN_OR_RETURN(const classifier::Corpus corpus, LoadCorpus(options, [](absl::string_view /*message*/) {}));
  std::map<std::string, std::vector<LabelledArticle>> sets;
  std::vector<LabelledArticle> pooled;
  for (const classifier::HeldOutSet& set : corpus.held_out) {
    for (const LabelledArticle& article : set.articles) {
      sets[set.name == "gold" ? absl::StrCat("gold, ", article.source) : set.name].push_back(article);
      if (set.name == "gold") sets["gold"].push_back(article);
      pooled.push_back(article);
    }
  }
  for (const auto& [name, articles] : sets) {
    std::fputs(
        FormatEvaluation(name, EvaluateIssues(*tagger, taxonomy, articles, classifier::UnknownLabels::kAreNo), false)
            .c_str(),
        stdout);
  }
  std::fputs(FormatEvaluation("all, unknown left out", EvaluateIssues(*tagger, taxonomy, pooled), true).c_str(),
             stdout);
  return absl::OkStatus();
}

// An issue id for a topic: "veg-oil" is veg_oil.
std::string IdOf(std::string topic) {
  for (char& c : topic) {
    if (!absl::ascii_islower(c) && !absl::ascii_isdigit(c)) c = absl::ascii_isupper(c) ? absl::ascii_tolower(c) : '_';
  }
  return topic;
}

struct Collection {
  std::vector<std::string> topics;  // Those with a training and a test article, sorted.
  std::vector<LabelledArticle> train;
  std::vector<LabelledArticle> test;
};

bool HasTopic(const Collection& collection, const LabelledArticle& article) {
  return std::any_of(article.issues.begin(), article.issues.end(), [&](const std::string& label) {
    return std::binary_search(collection.topics.begin(), collection.topics.end(), label);
  });
}

// `test_split` empty: one article in five, by a hash of its id. Articles of the split "unused" are left out, and, if
// `with_topic`, those without one.
absl::StatusOr<Collection> ReadCollection(const std::string& path, const std::string& test_split, bool with_topic) {
  Collection collection;
  std::map<std::string, std::array<int, 2>> counts;
  RETURN_IF_ERROR(classifier::ForEachCountryArticle(path, [&](const classifier::CountryArticle& article) {
    if (article.split == "unused") return;
    const bool test = test_split.empty() ? classifier::HashOfId(article.id) % 5 == 0 : article.split == test_split;
    LabelledArticle labelled;
    labelled.id = article.id;
    labelled.title = article.text.title;
    labelled.body = article.text.body;
    labelled.gold = true;
    for (const std::string& topic : article.topics) {
      labelled.issues.push_back(IdOf(topic));
      ++counts[labelled.issues.back()][test ? 1 : 0];
    }
    (test ? collection.test : collection.train).push_back(std::move(labelled));
  }));
  for (const auto& [topic, of] : counts) {
    if (of[0] > 0 && of[1] > 0) collection.topics.push_back(topic);
  }
  if (with_topic) {
    const auto without = [&](const LabelledArticle& article) { return !HasTopic(collection, article); };
    std::erase_if(collection.train, without);
    std::erase_if(collection.test, without);
  }
  return collection;
}

// What is measured on one set of predictions: scores by article and topic, and from where on each topic is given.
// Returns macro-F1.
double PrintTopics(const char* name, const Collection& collection, const std::vector<LabelledArticle>& articles,
                   const std::vector<std::vector<double>>& scores, const std::vector<double>& thresholds) {
  const size_t topics = collection.topics.size();
  std::vector<Counts> by_topic(topics);
  std::vector<Counts> by_first(topics);
  Counts all;
  int with_topic = 0;
  int first_right = 0;
  for (size_t i = 0; i < articles.size(); ++i) {
    const size_t first = static_cast<size_t>(std::max_element(scores[i].begin(), scores[i].end()) - scores[i].begin());
    bool any = false;
    for (size_t k = 0; k < topics; ++k) {
      const auto& labels = articles[i].issues;
      const bool labelled = std::find(labels.begin(), labels.end(), collection.topics[k]) != labels.end();
      const bool given = scores[i][k] >= thresholds[k];
      any = any || labelled;
      first_right += labelled && k == first ? 1 : 0;
      for (Counts* counts : {&all, &by_topic[k]}) {
        counts->right += given && labelled ? 1 : 0;
        counts->given += given ? 1 : 0;
        counts->labelled += labelled ? 1 : 0;
      }
      by_first[k].right += labelled && k == first ? 1 : 0;
      by_first[k].given += k == first ? 1 : 0;
      by_first[k].labelled += labelled ? 1 : 0;
    }
    with_topic += any ? 1 : 0;
  }
  double macro = 0;
  double first_macro = 0;
  for (size_t k = 0; k < topics; ++k) {
    macro += by_topic[k].F1() / static_cast<double>(topics);
    first_macro += by_first[k].F1() / static_cast<double>(topics);
  }
  std::printf(
      "%-40s %5zu articles, %zu topics  micro-F1 %.3f  macro-F1 %.3f  best one right %.3f, macro-F1 of that %.3f\n",
      name, articles.size(), topics, all.F1(), macro, 1.0 * first_right / std::max(with_topic, 1), first_macro);
  return macro;
}

// The simple method: tf-idf of lower-case words, a linear SVM for each topic (LIBLINEAR, L2 loss, C = 1), given where
// its margin is positive.
std::vector<std::vector<double>> PlainScores(const Collection& collection) {
  std::map<std::string, int> index;
  std::vector<int> frequency;
  const auto count = [&](const LabelledArticle& article, bool learn) {
    std::map<int, double> words;
    std::string word;
    const std::string text = absl::AsciiStrToLower(absl::StrCat(article.title, " ", article.body, " "));
    for (const char c : text) {
      if (absl::ascii_isalnum(c)) {
        word.push_back(c);
        continue;
      }
      if (word.size() > 1) {
        auto found = index.find(word);
        if (found == index.end() && learn) {
          found = index.emplace(word, static_cast<int>(index.size())).first;
          frequency.push_back(0);
        }
        if (found != index.end()) words[found->second] += 1;
      }
      word.clear();
    }
    return words;
  };
  std::vector<std::map<int, double>> counted;
  for (const LabelledArticle& article : collection.train) {
    counted.push_back(count(article, true));
    for (const auto& [word, n] : counted.back()) ++frequency[static_cast<size_t>(word)];
  }
  const auto vector_of = [&](const std::map<int, double>& words) {
    std::vector<feature_node> nodes;
    double norm = 0;
    for (const auto& [word, n] : words) {
      const double idf = std::log(static_cast<double>(counted.size()) / frequency[static_cast<size_t>(word)]) + 1;
      nodes.push_back({word + 1, (1 + std::log(n)) * idf});
      norm += nodes.back().value * nodes.back().value;
    }
    for (feature_node& node : nodes) node.value /= std::sqrt(norm);
    nodes.push_back({static_cast<int>(index.size()) + 1, 1.0});
    nodes.push_back({-1, 0.0});
    return nodes;
  };
  std::vector<std::vector<feature_node>> rows;
  std::vector<feature_node*> pointers;
  for (const auto& words : counted) rows.push_back(vector_of(words));
  for (auto& row : rows) pointers.push_back(row.data());
  std::vector<std::vector<feature_node>> test;
  for (const LabelledArticle& article : collection.test) test.push_back(vector_of(count(article, false)));
  std::vector<std::vector<double>> scores(test.size());
  set_print_string_function([](const char* /*text*/) {});
  for (const std::string& topic : collection.topics) {
    std::vector<double> labels;
    for (const LabelledArticle& article : collection.train) {
      const bool has = std::find(article.issues.begin(), article.issues.end(), topic) != article.issues.end();
      labels.push_back(has ? 1 : -1);
    }
    problem data{};
    data.l = static_cast<int>(rows.size());
    data.n = static_cast<int>(index.size()) + 1;
    data.y = labels.data();
    data.x = pointers.data();
    data.bias = 1;
    parameter how{};
    how.solver_type = L2R_L2LOSS_SVC;
    how.eps = 0.01;
    how.C = 1;
    ::model* trained = ::train(&data, &how);
    const double sign = trained->label[0] == 1 ? 1 : -1;
    for (size_t i = 0; i < test.size(); ++i) {
      double margin = 0;
      predict_values(trained, test[i].data(), &margin);
      scores[i].push_back(sign * margin);
    }
    free_and_destroy_model(&trained);
  }
  return scores;
}

// The trainer as a site uses it, with the collection's topics for a taxonomy.
absl::Status Topics(const std::string& path, const std::string& test_split, bool topic_only,
                    const classifier::TrainOptions& options, bool measure_test, double floor) {
  ASSIGN_OR_RETURN(Collection collection,
                   ReadCollection(testing::SharedFile(path).value_or(path), test_split, topic_only));
  std::string text = "version: \"topics\"\n";
  for (const std::string& topic : collection.topics) {
    absl::StrAppend(&text, "issue { id: \"", topic, "\" names { language: \"en\" display_name: \"", topic,
                    "\" } definition: \"-\" }\n");
  }
  ASSIGN_OR_RETURN(const Taxonomy taxonomy, Taxonomy::Parse(text, path));
  classifier::Corpus corpus;
  corpus.train = collection.train;
  ASSIGN_OR_RETURN(classifier::TrainResult result,
                   TrainIssueModel(corpus, taxonomy, options, [](absl::string_view message) {
                     std::fprintf(stderr, "%s\n", std::string(message).c_str());
                   }));
  std::fputs(FormatEvaluation("training split, by folds", result.gold_folds, false).c_str(), stdout);
  if (!measure_test) return absl::OkStatus();
  const std::string file = absl::StrCat(std::filesystem::temp_directory_path().string(), "/issues_tool.", getpid());
  RETURN_IF_ERROR(classifier::WriteIssueModel(file, result.model));
  const auto tagger = classifier::IssueTagger::Load(file, taxonomy);
  std::error_code error;
  std::filesystem::remove(file, error);
  RETURN_IF_ERROR(tagger.status());
  std::vector<double> thresholds;
  for (const std::string& topic : collection.topics) {
    for (const classifier::IssueModelInfo& info : (*tagger)->info().issues) {
      if (info.issue_id == topic) thresholds.push_back(info.threshold);
    }
  }
  std::vector<std::vector<double>> scores;
  for (const LabelledArticle& article : collection.test) {
    classifier::ArticleText article_text;
    article_text.title = article.title;
    article_text.body = article.body;
    std::map<std::string, double> by_topic;
    for (const classifier::IssueScore& score : (*tagger)->Score(article_text)) by_topic[score.issue_id] = score.score;
    scores.emplace_back();
    for (const std::string& topic : collection.topics) scores.back().push_back(by_topic[topic]);
  }
  const std::vector<std::vector<double>> plain = PlainScores(collection);
  const std::vector<double> zero(collection.topics.size(), 0.0);
  const double macro = PrintTopics("trainer, test split", collection, collection.test, scores, thresholds);
  PrintTopics("plain LIBLINEAR SVM, margin > 0", collection, collection.test, plain, zero);
  // The same of those articles that have a topic; trained on all, unless --with_topic leaves the others out altogether.
  std::vector<LabelledArticle> with_topic;
  std::vector<std::vector<double>> their_scores;
  std::vector<std::vector<double>> their_plain;
  for (size_t i = 0; i < collection.test.size(); ++i) {
    if (!HasTopic(collection, collection.test[i])) continue;
    with_topic.push_back(collection.test[i]);
    their_scores.push_back(scores[i]);
    their_plain.push_back(plain[i]);
  }
  if (with_topic.size() < collection.test.size()) {
    PrintTopics("trainer, test articles with a topic", collection, with_topic, their_scores, thresholds);
    PrintTopics("plain, test articles with a topic", collection, with_topic, their_plain, zero);
  }
  if (macro < floor) {
    return absl::OutOfRangeError(absl::StrFormat("macro-F1 %.3f is below the floor %.3f", macro, floor));
  }
  return absl::OkStatus();
}

int Main(int argc, char** argv) {
  CLI::App app("Measures issue tagging beyond the trainer's own report.", "issues_tool");
  app.footer(
      "Example:\n  issues_tool seeds --labelled build/labelled.jsonl\n\nExit status: 0; 1 failed; 2 wrong usage; 77 "
      "the collection is not there.");
  app.require_subcommand(1);
  std::string labelled;
  std::string data;
  CLI::App* seeds = app.add_subcommand("seeds", "Fit the weights of seed phrases, and say how good they are");
  seeds->add_option("--labelled", labelled, "What scripts/join_labels.py writes")->required()->type_name("FILE");
  seeds->add_option("--data", data, "The folder of docs/data.md; for gold")->type_name("FOLDER");
  CLI::App* teach = app.add_subcommand(
      "teach", "Teach each issue of the default taxonomy as if it were new; fails if that is worse than seed phrases");
  teach->add_option("--labelled", labelled, "What scripts/join_labels.py writes")->required()->type_name("FILE");
  Teaching teaching = Teaching::kSample;
  teach
      ->add_option(
          "--lessons", teaching,
          "sample: three articles without the issue for each with it; corrections: every other one of those is "
          "one that its seed phrases tag wrongly; rejections: only such")
      ->transform(CLI::CheckedTransformer(std::map<std::string, Teaching>{{"sample", Teaching::kSample},
                                                                          {"corrections", Teaching::kCorrections},
                                                                          {"rejections", Teaching::kRejections}}));
  std::string model = kModel;
  CLI::App* sources = app.add_subcommand("sources", "Measure a model on what was held out, by source");
  sources->add_option("--data", data, "The folder of docs/data.md")->required()->type_name("FOLDER");
  sources->add_option("--model", model, "The model")->type_name("FILE")->capture_default_str();
  std::string articles;
  std::string test_split;
  bool validate = false;
  classifier::TrainOptions options;
  options.train_time = absl::UnixEpoch();
  options.min_articles = 2;
  CLI::App* topics = app.add_subcommand("topics", "Train on a collection's own topics, and measure on its test split");
  topics->add_option("--articles", articles, "The collection; also as a path below the folder of DATELINE_SHARED")
      ->required()
      ->type_name("FILE");
  topics->add_option("--test", test_split, "The name of its test split; default: one article in five");
  bool with_topic = false;
  topics->add_flag("--with_topic", with_topic, "Leave articles without a topic out, of training as well");
  double floor = 0;
  topics->add_option("--floor", floor, "Fail if the macro-F1 of the test split is lower");
  topics->add_flag("--validate", validate, "Only the figures of folds of the training split");
  std::string learner = "svm";
  topics->add_option("--learner", learner, "As classifier_train issues has it")
      ->capture_default_str()
      ->check(CLI::IsMember({"logistic", "svm"}));
  topics->add_option("--cost", options.cost, "LIBLINEAR's C")->capture_default_str();
  topics->add_option("--folds", options.folds, "Folds")->capture_default_str();
  topics->add_option("--terms", options.max_terms, "Size of the vocabulary")->capture_default_str();
  topics->add_option("--threads", options.threads, "Trainings at a time")->capture_default_str();
  if (const std::optional<int> status = common::StartProgram(app, argc, argv)) return *status;
  options.learner = learner == "svm" ? classifier::Learner::kSvm : classifier::Learner::kLogistic;
  const absl::Status status = *seeds     ? Seeds(labelled, data)
                              : *teach   ? Teach(labelled, teaching)
                              : *sources ? Sources(data, model)
                                         : Topics(articles, test_split, with_topic, options, !validate, floor);
  if (status.ok()) return EXIT_SUCCESS;
  if (*topics && absl::IsNotFound(status)) {
    std::printf("%s\n", testing::SharedFileMissing(articles).c_str());
    return kSkipped;
  }
  std::fprintf(stderr, "issues_tool: %s\n", std::string(status.message()).c_str());
  return EXIT_FAILURE;
}

}  // namespace

int Run(int argc, char** argv) { return Main(argc, argv); }

}  // namespace issues
}  // namespace dateline::quality

int main(int argc, char** argv) { return dateline::quality::issues::Run(argc, argv); }
