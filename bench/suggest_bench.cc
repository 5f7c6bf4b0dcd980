// How fast suggestions come while somebody types, and what they hold in memory: in process, one thread, no index.
//
//   build/release/bin/suggest_bench news.jsonl wiki.jsonl --count 100000
//
// Takes the first articles of JSON Lines files (id, title; of `authors` and `source` what there is), the files one
// after another until there are enough, then asks for what people type who look for a title: its beginning, and the
// beginning of one of its words, at several lengths; a beginning of two words; and a beginning with one typing error
// behind the first letter. Every article brings its issue and its country with it, drawn by chance, from a taxonomy of
// made-up names in many languages.
#include <time.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"

#include "CLI/CLI.hpp"
#include "common/program.h"
#include "nlohmann/json.hpp"
#include "search_service/suggester.h"

namespace dateline::search {
namespace {

struct Arguments {
  std::vector<std::string> files;
  size_t count = 100'000;
  int calls = 3'000;
  std::string show;
};

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

double CpuMillis() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) / 1e6;
}

constexpr std::array<const char*, 10> kSyllables = {"ka", "zan", "bor", "mi", "tu", "ral", "so", "pen", "ia", "len"};

// As many as the classifier serves names in, besides English.
constexpr std::array<const char*, 17> kOtherLanguages = {"ar", "de", "es", "fa", "fr", "he", "hi", "id", "it",
                                                         "ja", "ko", "pt", "ru", "tr", "uk", "ur", "zh"};

std::shared_ptr<const Taxonomy> MadeUpTaxonomy(std::mt19937& random) {
  const auto entries = [&](const char* prefix, int count) {
    std::vector<TaxonomyEntry> all;
    for (int i = 0; i < count; ++i) {
      std::string name;
      for (int k = 0; k < 4; ++k) name += kSyllables[random() % kSyllables.size()];
      TaxonomyEntry& entry = all.emplace_back();
      entry.id = absl::StrCat(prefix, i);
      entry.names = {{"en", name, {absl::StrCat(name, " republic"), absl::StrCat("the ", name)}, {name + "ian"}}};
      for (const char* language : kOtherLanguages) {
        entry.names.push_back({language, absl::StrCat(kSyllables[random() % kSyllables.size()], name), {}});
      }
    }
    return all;
  };
  TaxonomyData data;
  data.regions = entries("r", 250);
  data.groups = entries("g", 60);
  data.issues = entries("i", 40);
  return std::make_shared<const Taxonomy>(std::move(data));
}

std::vector<std::string> WordsOf(const std::string& title) {
  return absl::StrSplit(title, ' ', absl::SkipWhitespace());
}

// The first letters of a text; fewer if it has no more.
std::string Beginning(const std::string& text, size_t letters) {
  size_t end = 0;
  for (size_t count = 0; end < text.size(); ++end) {
    const bool starts = (static_cast<unsigned char>(text[end]) & 0xC0) != 0x80;
    if (starts && count++ == letters) break;
  }
  return text.substr(0, end);
}

// One error behind the first letter: a letter left out, doubled, replaced, or changed with its neighbour. ASCII only.
std::string Mistyped(std::string word, std::mt19937& random) {
  const size_t at = 1 + random() % (word.size() - 2);
  switch (random() % 4) {
    case 0:
      return word.erase(at, 1);
    case 1:
      return word.insert(at, 1, word[at]);
    case 2:
      word[at] = word[at] == 'x' ? 'y' : 'x';
      return word;
    default:
      std::swap(word[at], word[at + 1]);
      return word;
  }
}

int Run(const Arguments& arguments) {
  std::mt19937 random(7);
  const std::shared_ptr<const Taxonomy> taxonomy = MadeUpTaxonomy(random);
  std::vector<Article> articles;
  for (const std::string& path : arguments.files) {
    std::ifstream file(path, std::ios::binary);
    for (std::string line; articles.size() < arguments.count && std::getline(file, line);) {
      const nlohmann::json json = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
      if (json.is_discarded() || json.value("title", "").empty()) continue;
      Article& article = articles.emplace_back();
      article.id = json.value("id", "");
      article.title = json.value("title", "");
      if (json.contains("source") && json["source"].is_string()) article.source = json["source"];
      if (json.contains("authors") && json["authors"].is_array()) {
        for (const nlohmann::json& author : json["authors"]) {
          if (author.is_string()) article.authors.push_back(author);
        }
      }
      article.publish_time = absl::FromUnixSeconds(1'500'000'000 + static_cast<int64_t>(random() % 200'000'000));
      for (const auto& [dimension, entries] : {std::pair(Dimension::kCountry, &taxonomy->data().regions),
                                               std::pair(Dimension::kIssue, &taxonomy->data().issues)}) {
        Label label;
        label.dimension = dimension;
        label.id = (*entries)[random() % entries->size()].id;
        article.labels.push_back(std::move(label));
      }
    }
  }
  if (articles.empty()) {
    std::fprintf(stderr, "no articles with a title in these files\n");
    return 1;
  }
  double title_bytes = 0;
  for (const Article& article : articles) title_bytes += static_cast<double>(article.title.size());

  const double before = ResidentMegabytes();
  const double start = CpuMillis();
  Suggester suggester;
  for (size_t row = 0; row < articles.size(); ++row) suggester.Update(static_cast<int64_t>(row), articles[row]);
  const auto number = static_cast<double>(articles.size());
  std::printf("articles: %zu, titles of %.0f bytes on average\n", articles.size(), title_bytes / number);
  std::printf("taken in: %.1f us an article; resident %.0f MB more, %.0f bytes an article\n",
              (CpuMillis() - start) * 1e3 / number, ResidentMegabytes() - before,
              (ResidentMegabytes() - before) * 1024 * 1024 / number);

  if (!arguments.show.empty()) {
    SuggestQuery query;
    query.prefix = arguments.show;
    query.limit = 8;
    for (const Suggestion& one : suggester.Suggest(query, taxonomy)) {
      std::printf("%d  %s  %lld\n", static_cast<int>(one.kind), one.text.c_str(),
                  static_cast<long long>(one.article_count));
    }
    return 0;
  }

  const auto measure = [&](const char* what, const std::function<std::string(const std::vector<std::string>&)>& type) {
    std::vector<double> wall;
    std::vector<double> cpu;
    size_t answered = 0;
    while (wall.size() < static_cast<size_t>(arguments.calls)) {
      const std::vector<std::string> words = WordsOf(articles[random() % articles.size()].title);
      SuggestQuery query;
      query.limit = 8;
      query.prefix = words.empty() ? "" : type(words);
      if (query.prefix.empty()) continue;
      const absl::Time sent = absl::Now();
      const double cpu_sent = CpuMillis();
      answered += suggester.Suggest(query, taxonomy).empty() ? 0 : 1;
      cpu.push_back(CpuMillis() - cpu_sent);
      wall.push_back(absl::ToDoubleMilliseconds(absl::Now() - sent));
    }
    std::sort(wall.begin(), wall.end());
    std::sort(cpu.begin(), cpu.end());
    const auto at = [](const std::vector<double>& sorted, double share) {
      return sorted[static_cast<size_t>(share * static_cast<double>(sorted.size() - 1))];
    };
    std::printf("%-34s p50 %.2f ms, p99 %.2f ms, max %.2f ms; processor time p99 %.2f ms; answered %.1f %%\n", what,
                at(wall, 0.5), at(wall, 0.99), wall.back(), at(cpu, 0.99),
                100.0 * static_cast<double>(answered) / static_cast<double>(wall.size()));
  };
  for (const size_t letters : {1, 2, 3, 5, 10}) {
    measure(absl::StrCat(letters, letters == 1 ? " letter" : " letters", " of the title").c_str(),
            [&](const std::vector<std::string>& words) {
              std::string title = words[0];
              for (size_t i = 1; i < words.size() && title.size() < 40; ++i) absl::StrAppend(&title, " ", words[i]);
              return Beginning(title, letters);
            });
    measure(absl::StrCat(letters, letters == 1 ? " letter" : " letters", " of a word").c_str(),
            [&](const std::vector<std::string>& words) { return Beginning(words[random() % words.size()], letters); });
  }
  measure("a word and 1 letter of another", [&](const std::vector<std::string>& words) {
    return words.size() < 2 ? std::string()
                            : absl::StrCat(words[random() % words.size()], " ", Beginning(words.back(), 1));
  });
  for (const size_t letters : {5, 10}) {
    measure(absl::StrCat(letters, " letters of a word, mistyped").c_str(), [&](const std::vector<std::string>& words) {
      const std::string word = Beginning(words[random() % words.size()], letters);
      const bool ascii = std::all_of(word.begin(), word.end(), [](char c) { return c > ' ' && c <= '~'; });
      return ascii && word.size() == letters ? Mistyped(word, random) : std::string();
    });
  }
  return 0;
}

}  // namespace
}  // namespace dateline::search

int main(int argc, char** argv) {
  dateline::search::Arguments arguments;
  CLI::App app("How fast suggestions come while somebody types: in process, one thread, without an index.",
               "suggest_bench");
  app.add_option("ARTICLES", arguments.files, "JSON Lines with id and title")->type_name("FILE")->required();
  app.add_option("--count", arguments.count, "How many articles")
      ->capture_default_str()
      ->check(CLI::Range(1, 10'000'000));
  app.add_option("--calls", arguments.calls, "How many calls of each kind")
      ->capture_default_str()
      ->check(CLI::Range(1, 10'000'000));
  app.add_option("--show", arguments.show, "Only print what is suggested for this")->type_name("TEXT");
  if (const std::optional<int> status = dateline::common::StartProgram(app, argc, argv)) return *status;
  return dateline::search::Run(arguments);
}
