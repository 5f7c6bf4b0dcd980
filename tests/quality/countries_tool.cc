// What the country tagger says of articles, and how fast it is.
//
//   countries_tool tags GAZETTEER MODEL FILE...       one JSON object a line: id, gold, countries {code: score}, groups
//   countries_tool speed GAZETTEER MODEL FILE...      megabytes of text a second, on one core; time to load; memory
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
#include "classifier_service/country_articles.h"
#include "classifier_service/country_tagger.h"
#include "common/program.h"

namespace {

using dateline::classifier::CountryArticle;
using dateline::classifier::CountryModel;
using dateline::classifier::CountryTagger;
using dateline::classifier::ForEachCountryArticle;
using dateline::classifier::Gazetteer;

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

void PrintTags(const CountryTagger& tagger, const CountryArticle& article) {
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

void MeasureSpeed(const CountryTagger& tagger, const std::vector<CountryArticle>& articles) {
  double bytes = 0;
  size_t tags = 0;
  for (const CountryArticle& article : articles) {
    bytes += static_cast<double>(article.text.title.size() + article.text.body.size());
  }
  const double start = ProcessorSeconds();
  for (const CountryArticle& article : articles) {
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
  std::string model;
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
  const auto model = CountryModel::Load(arguments.model);
  if (!model.ok()) {
    std::cerr << model.status().message() << "\n";
    return 1;
  }
  const CountryTagger tagger(**gazetteer, **model);
  const std::string& command = arguments.command;
  if (command == "speed") {
    std::cout << "gazetteer " << (*gazetteer)->version() << ": " << (*gazetteer)->surface_count()
              << " forms, loaded in " << ProcessorSeconds() - start << " s, " << ResidentMegabytes() - before
              << " MB\n";
  }
  std::vector<CountryArticle> kept;
  for (const std::string& file : arguments.files) {
    const absl::Status status = ForEachCountryArticle(file, [&](CountryArticle article) {
      if (command == "tags") {
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
  CLI::App app("What the country tagger says of articles, and how fast it is.", "countries_tool");
  app.add_option("COMMAND", arguments.command, "tags: each article's; speed: of the tagger, on one core")
      ->required()
      ->check(CLI::IsMember({"tags", "speed"}));
  app.add_option("GAZETTEER", arguments.gazetteer, "gazetteer.tsv")->type_name("FILE")->required();
  app.add_option("MODEL", arguments.model, "countries.model")->type_name("FILE")->required();
  app.add_option("ARTICLES", arguments.files, "JSON Lines, plain or zstd")->type_name("FILE")->required();
  if (const std::optional<int> status = dateline::common::StartProgram(app, argc, argv)) return *status;
  return Run(arguments);
}
