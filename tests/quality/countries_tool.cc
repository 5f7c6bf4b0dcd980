// What the country tagger says of articles.
//
//   countries_tool GAZETTEER MODEL FILE...       one JSON object a line: id, gold, countries {code: score}, groups
//
// How fast it is, bench/classifier_bench measures.
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

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
using dateline::classifier::RestoreDateline;

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

struct Arguments {
  std::string gazetteer;
  std::string model;
  std::vector<std::string> files;
};

int Run(const Arguments& arguments) {
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
  for (const std::string& file : arguments.files) {
    const absl::Status status = ForEachCountryArticle(file, [&tagger](CountryArticle article) {
      RestoreDateline(article);
      PrintTags(tagger, article);
    });
    if (!status.ok()) {
      std::cerr << status.message() << "\n";
      return 1;
    }
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  CLI::App app("What the country tagger says of articles.", "countries_tool");
  app.add_option("GAZETTEER", arguments.gazetteer, "gazetteer.tsv")->type_name("FILE")->required();
  app.add_option("MODEL", arguments.model, "countries.model")->type_name("FILE")->required();
  app.add_option("ARTICLES", arguments.files, "JSON Lines, plain or zstd")->type_name("FILE")->required();
  if (const std::optional<int> status = dateline::common::StartProgram(app, argc, argv)) return *status;
  return Run(arguments);
}
