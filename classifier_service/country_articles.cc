#include "classifier_service/country_articles.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/civil_time.h"

#include "common/printable.h"
#include "common/status_macros.h"
#include "common/text.h"

namespace dateline::classifier {
namespace {

// The first year from 1900 to 2099 that a date names ("1987-02-26", "26-FEB-1987 15:01"); 0 if there is none.
int YearOf(absl::string_view date) {
  for (size_t i = 0; i + 4 <= date.size(); ++i) {
    int year = 0;
    const bool digit_before = i > 0 && absl::ascii_isdigit(static_cast<unsigned char>(date[i - 1]));
    if (!digit_before && absl::SimpleAtoi(date.substr(i, 4), &year) && year >= 1900 && year < 2100) {
      return year;
    }
  }
  return 0;
}

absl::StatusOr<CountryArticle> Parse(const nlohmann::json& record) {
  CountryArticle article;
  if (record.contains("id")) {
    ASSIGN_OR_RETURN(article.id, IdField(record));
  }
  ASSIGN_OR_RETURN(article.source, StringField(record, "source"));
  ASSIGN_OR_RETURN(article.subset, StringField(record, "subset"));
  ASSIGN_OR_RETURN(article.split, StringField(record, "split"));
  ASSIGN_OR_RETURN(const std::string title, StringField(record, "title"));
  ASSIGN_OR_RETURN(const std::string body, StringField(record, "body"));
  ASSIGN_OR_RETURN(const std::string dateline, StringField(record, "dateline"));
  ASSIGN_OR_RETURN(const std::string date, StringField(record, "date"));
  article.text.title = common::NormalizeLine(title);
  article.text.body = common::NormalizeText(body);
  article.dateline = common::NormalizeLine(dateline);
  if (const int year = YearOf(date); year != 0) {
    article.text.publish_time = absl::FromCivil(absl::CivilDay(year, 7, 1), absl::UTCTimeZone());
  }
  ASSIGN_OR_RETURN(article.topics, StringsField(record, "topics"));
  ASSIGN_OR_RETURN(article.countries, StringsField(record, "countries"));
  std::sort(article.countries.begin(), article.countries.end());
  article.labelled = record.contains("countries");
  if (const auto complete = record.find("countries_complete"); complete != record.end() && !complete->is_null()) {
    if (!complete->is_boolean()) {
      return absl::InvalidArgumentError("countries_complete: must be true or false");
    }
    article.labelled = article.labelled && complete->get<bool>();
  }
  return article;
}

// Makes the labels region codes, each once. Groups are taken out and counted.
absl::Status ResolveCountries(const Gazetteer& gazetteer, std::vector<std::string>& labels,
                              std::map<std::string, int>& groups) {
  std::vector<std::string> codes;
  for (const std::string& label : labels) {
    const std::string id = gazetteer.FindRegion(label) != nullptr ? label : gazetteer.FindByName(label);
    if (gazetteer.FindRegion(id) != nullptr) {
      codes.push_back(id);
    } else if (gazetteer.FindGroup(id) != nullptr) {
      ++groups[id];
    } else {
      return absl::InvalidArgumentError(
          absl::StrCat("countries: \"", common::Printable(label),
                       "\" is no country of the gazetteer, or the name of several; write its code or its full name "
                       "(`dateline taxonomy --show countries` lists them), or take it out"));
    }
  }
  std::sort(codes.begin(), codes.end());
  codes.erase(std::unique(codes.begin(), codes.end()), codes.end());
  labels = std::move(codes);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<LabelledCountryArticles> ReadLabelledCountryArticles(const std::string& path, absl::string_view split,
                                                                    const Gazetteer& gazetteer, BrokenLines* broken) {
  LabelledCountryArticles labelled;
  const auto read = [&](const nlohmann::json& record) -> absl::Status {
    ASSIGN_OR_RETURN(CountryArticle article, Parse(record));
    if (!split.empty() && article.split != split) {
      return absl::OkStatus();
    }
    if (!article.labelled) {
      ++labelled.unlabelled;
      return absl::OkStatus();
    }
    if (article.text.title.empty() && article.text.body.empty()) {
      return absl::InvalidArgumentError("no text; give each article a title, a body or both");
    }
    RETURN_IF_ERROR(ResolveCountries(gazetteer, article.countries, labelled.groups));
    RestoreDateline(article);
    labelled.articles.push_back(std::move(article));
    return absl::OkStatus();
  };
  RETURN_IF_ERROR(ForEachJsonLine(path, read, broken));
  return labelled;
}

void RestoreDateline(CountryArticle& article) {
  if (!article.dateline.empty() && !absl::StartsWith(article.text.body, article.dateline)) {
    article.text.body =
        article.text.body.empty() ? article.dateline : absl::StrCat(article.dateline, " ", article.text.body);
  }
}

absl::Status ForEachCountryArticle(const std::string& path, const std::function<void(CountryArticle)>& visit,
                                   BrokenLines* broken) {
  return ForEachJsonLine(
      path,
      [&](const nlohmann::json& record) -> absl::Status {
        ASSIGN_OR_RETURN(CountryArticle article, Parse(record));
        visit(std::move(article));
        return absl::OkStatus();
      },
      broken);
}

}  // namespace dateline::classifier
