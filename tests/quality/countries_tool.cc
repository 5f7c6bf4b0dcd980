// What the country ranker is fitted on, and how fast the tagger is.
//
//   countries_tool features GAZETTEER FILE...   one JSON object a line: id, source, subset, split, countries, names of
//                                               the features once, candidates {code: [features]}
//   countries_tool tags GAZETTEER FILE...       one JSON object a line: id, gold, countries {code: score}, groups
//   countries_tool speed GAZETTEER FILE...      megabytes of text a second, on one core; time to load; memory
#include <algorithm>
#include <ctime>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"

#include "CLI/CLI.hpp"
#include "classifier_service/country_tagger.h"
#include "common/program.h"
#include "tests/quality/countries_data.h"

namespace {

using dateline::classifier::CountryTagger;
using dateline::classifier::Gazetteer;
using dateline::quality::ForEachArticle;
using dateline::quality::LabelledArticle;

// Of this process, so that a busy machine does not spoil the figure.
double ProcessorSeconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

// Resident memory in MB, as the kernel says.
double ResidentMegabytes() {
  std::ifstream file("/proc/self/status");
  std::string line;
  double kilobytes = 0;
  while (std::getline(file, line)) {
    if (absl::StartsWith(line, "VmRSS:")) {
      const std::vector<std::string> fields = absl::StrSplit(line, absl::ByAnyChar(" \t"), absl::SkipEmpty());
      if (fields.size() < 2 || !absl::SimpleAtod(fields[1], &kilobytes)) {
        return 0;
      }
    }
  }
  return kilobytes / 1024.0;
}

void PrintFeatures(const CountryTagger& tagger, const LabelledArticle& article) {
  nlohmann::json line = {{"id", article.id},
                         {"source", article.source},
                         {"subset", article.subset},
                         {"split", article.split},
                         {"countries", article.countries},
                         {"labelled", article.labelled},
                         {"candidates", nlohmann::json::object()}};
  for (const auto& candidate : tagger.Candidates(article.text)) {
    line["candidates"][candidate.region_code] = candidate.features;
  }
  std::cout << line.dump() << "\n";
}

void PrintTags(const CountryTagger& tagger, const LabelledArticle& article) {
  const auto tags = tagger.Tag(article.text, {});
  nlohmann::json line = {{"id", article.id},
                         {"title", article.text.title},
                         {"gold", article.countries},
                         {"countries", nlohmann::json::object()},
                         {"groups", nlohmann::json::object()}};
  for (const auto& tag : tags.countries) {
    line["countries"][tag.id] = tag.score;
  }
  for (const auto& tag : tags.groups) {
    line["groups"][tag.id] = tag.score;
  }
  std::cout << line.dump() << "\n";
}

void MeasureSpeed(const CountryTagger& tagger, const std::vector<LabelledArticle>& articles) {
  double bytes = 0;
  size_t tags = 0;
  for (const LabelledArticle& article : articles) {
    bytes += static_cast<double>(article.text.title.size() + article.text.body.size());
  }
  const double start = ProcessorSeconds();
  for (const LabelledArticle& article : articles) {
    tags += tagger.Tag(article.text, {}).countries.size();
  }
  const double seconds = ProcessorSeconds() - start;
  std::cout << articles.size() << " articles, " << bytes / 1e6 << " MB, " << tags << " tags in " << seconds
            << " s: " << bytes / 1e6 / seconds << " MB/s, " << static_cast<double>(articles.size()) / seconds
            << " articles/s\n";
}

struct Arguments {
  std::string command;
  std::string gazetteer;
  std::vector<std::string> files;
};

int Run(const Arguments& arguments) {
  const double before = ResidentMegabytes();
  const double start = ProcessorSeconds();
  const auto gazetteer = Gazetteer::Load(arguments.gazetteer);
  if (!gazetteer.ok()) {
    std::cerr << gazetteer.status().message() << "\n";
    return 1;
  }
  const CountryTagger tagger(**gazetteer);
  const std::string& command = arguments.command;
  if (command == "speed") {
    std::cout << "gazetteer " << (*gazetteer)->version() << ": " << (*gazetteer)->surface_count()
              << " forms, loaded in " << ProcessorSeconds() - start << " s, " << ResidentMegabytes() - before
              << " MB\n";
  } else if (command == "features") {
    nlohmann::json names = nlohmann::json::array();
    for (const auto name : CountryTagger::FeatureNames()) {
      names.push_back(std::string(name));
    }
    std::cout << nlohmann::json{{"feature_names", names}}.dump() << "\n";
  }
  std::vector<LabelledArticle> kept;
  for (const std::string& file : arguments.files) {
    const absl::Status status = ForEachArticle(file, [&](LabelledArticle article) {
      if (command == "features") {
        PrintFeatures(tagger, article);
      } else if (command == "tags") {
        PrintTags(tagger, article);
      } else {
        kept.push_back(std::move(article));
      }
    });
    if (!status.ok()) {
      std::cerr << status.message() << "\n";
      return 1;
    }
  }
  if (command == "speed") {
    MeasureSpeed(tagger, kept);
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  CLI::App app("What the country ranker is fitted on, and how fast the tagger is.", "countries_tool");
  app.add_option("COMMAND", arguments.command,
                 "features: of each candidate; tags: each article's; speed: of the tagger, on one core")
      ->required()
      ->check(CLI::IsMember({"features", "tags", "speed"}));
  app.add_option("GAZETTEER", arguments.gazetteer, "gazetteer.tsv")->type_name("FILE")->required();
  app.add_option("ARTICLES", arguments.files, "JSON Lines, plain or zstd")->type_name("FILE")->required();
  if (const std::optional<int> status = dateline::common::StartProgram(app, argc, argv)) return *status;
  return Run(arguments);
}
