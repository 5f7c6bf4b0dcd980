// How fast articles are tagged, on one core, in process: countries, issues, and both as the service does it, where the
// language is given and where it has to be told, on articles of one length. Also how long the models take to load and
// what memory they hold.
//
//   classifier_bench FILE.jsonl.zst [--bytes 4000] [--rounds 5] [--data DIR]
//   classifier_bench FILE.jsonl.zst --dump > texts.txt      the same texts, one a line, for fasttext_speed.py
//
// Processor time of the best round, so that a busy machine spoils little.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

#include "CLI/CLI.hpp"
#include "classifier_service/classifier.h"
#include "classifier_service/country_articles.h"
#include "classifier_service/country_model.h"
#include "classifier_service/country_tagger.h"
#include "classifier_service/issue_tagger.h"
#include "classifier_service/taxonomy.h"
#include "common/program.h"
#include "common/text.h"

namespace dateline::classifier {
namespace {

struct Arguments {
  std::vector<std::string> files;
  std::string data = "classifier_service/data";
  size_t bytes = 4000;
  size_t articles = 2000;
  int rounds = 5;
  bool dump = false;
};

double ProcessorSeconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

// Resident memory in MB, as the kernel says.
double ResidentMegabytes() {
  std::ifstream file("/proc/self/status");
  std::string line;
  double kilobytes = 0;
  while (std::getline(file, line)) {
    if (!absl::StartsWith(line, "VmRSS:")) continue;
    const std::vector<std::string> fields = absl::StrSplit(line, absl::ByAnyChar(" \t"), absl::SkipEmpty());
    if (fields.size() > 1 && absl::SimpleAtod(fields[1], &kilobytes)) break;
  }
  return kilobytes / 1024.0;
}

// Articles of `bytes` bytes: longer ones cut off at a word, shorter ones left out.
std::vector<ArticleText> ReadTexts(const Arguments& arguments) {
  std::vector<ArticleText> texts;
  for (const std::string& file : arguments.files) {
    const absl::Status status = ForEachCountryArticle(file, [&](CountryArticle article) {
      std::string& body = article.text.body;
      if (texts.size() >= arguments.articles || body.size() < arguments.bytes) return;
      body.resize(common::CodePointFloor(body, arguments.bytes));
      article.text.language_code.clear();
      texts.push_back(std::move(article.text));
    });
    if (!status.ok()) std::fprintf(stderr, "%s\n", std::string(status.message()).c_str());
  }
  return texts;
}

// Calls `tag`, which answers how many tags it gave, on all texts.
void Measure(const char* what, const std::vector<ArticleText>& texts, int rounds,
             const std::function<size_t(const ArticleText&)>& tag) {
  double bytes = 0;
  for (const ArticleText& text : texts) bytes += static_cast<double>(text.title.size() + text.body.size());
  double best = 0;
  size_t tags = 0;
  for (int round = 0; round < rounds; ++round) {
    tags = 0;
    const double start = ProcessorSeconds();
    for (const ArticleText& text : texts) tags += tag(text);
    const double seconds = ProcessorSeconds() - start;
    best = round == 0 ? seconds : std::min(best, seconds);
  }
  std::printf("%-10s %6.1f MB/s  %7.0f articles/s  %5.1f us an article  (%zu tags)\n", what, bytes / 1e6 / best,
              static_cast<double>(texts.size()) / best, best / static_cast<double>(texts.size()) * 1e6, tags);
}

int Run(const Arguments& arguments) {
  const std::vector<ArticleText> texts = ReadTexts(arguments);
  if (texts.empty()) {
    std::fprintf(stderr, "no article has %zu bytes\n", arguments.bytes);
    return 1;
  }
  if (arguments.dump) {
    for (const ArticleText& text : texts) {
      std::string line = absl::StrCat(text.title, " ", text.body);
      std::replace(line.begin(), line.end(), '\n', ' ');
      std::printf("%s\n", line.c_str());
    }
    return 0;
  }
  const std::string gazetteer_path = arguments.data + "/gazetteer/gazetteer.tsv";
  const std::string country_path = arguments.data + "/model/countries.model";
  const std::string issue_path = arguments.data + "/model/issues.model";
  const std::string taxonomy_path = arguments.data + "/taxonomy/default.textproto";
  const double before = ResidentMegabytes();
  const double start = ProcessorSeconds();
  const auto classifier = Classifier::Load({.taxonomy_path = taxonomy_path,
                                            .gazetteer_path = gazetteer_path,
                                            .model_path = issue_path,
                                            .country_model_path = country_path});
  if (!classifier.ok()) {
    std::fprintf(stderr, "%s\n", std::string(classifier.status().message()).c_str());
    return 1;
  }
  std::printf("loaded in %.2f s, %.0f MB\n", ProcessorSeconds() - start, ResidentMegabytes() - before);
  const auto country_model = CountryModel::Load(country_path);
  const auto taxonomy = Taxonomy::Load(taxonomy_path);
  const auto issue_tagger = IssueTagger::Load(issue_path, *taxonomy);
  if (!country_model.ok() || !issue_tagger.ok()) return 1;
  const CountryTagger country_tagger((*classifier)->gazetteer(), **country_model);
  std::printf("%zu articles of %zu bytes, %d rounds\n", texts.size(), arguments.bytes, arguments.rounds);
  Measure("countries", texts, arguments.rounds,
          [&](const ArticleText& text) { return country_tagger.Tag(text, {}).countries.size(); });
  Measure("issues", texts, arguments.rounds,
          [&](const ArticleText& text) { return (*issue_tagger)->Tag(text).tags.size(); });
  const auto classify = [&](const ArticleText& text) {
    const Classification result = (*classifier)->Classify(text, {});
    return result.countries.size() + result.issues.size();
  };
  std::vector<ArticleText> told = texts;
  for (ArticleText& text : told) text.language_code = "en";
  Measure("both", told, arguments.rounds, classify);
  Measure("+ language", texts, arguments.rounds, classify);
  return 0;
}

}  // namespace
}  // namespace dateline::classifier

int main(int argc, char** argv) {
  dateline::classifier::Arguments arguments;
  CLI::App app("How fast articles are tagged, on one core, and what the models take.", "classifier_bench");
  app.add_option("ARTICLES", arguments.files, "JSON Lines, plain or zstd")->type_name("FILE")->required();
  app.add_option("--data", arguments.data, "Where gazetteer, models and taxonomies are")->capture_default_str();
  app.add_option("--bytes", arguments.bytes, "Of each article's body")->capture_default_str();
  app.add_option("--articles", arguments.articles, "At most so many")->capture_default_str();
  app.add_option("--rounds", arguments.rounds, "The best of so many counts")
      ->capture_default_str()
      ->check(CLI::Range(1, 1'000));
  app.add_flag("--dump", arguments.dump, "Print the texts instead, one a line");
  if (const std::optional<int> status = dateline::common::StartProgram(app, argc, argv)) return *status;
  return dateline::classifier::Run(arguments);
}
