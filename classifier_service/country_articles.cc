#include "classifier_service/country_articles.h"

#include <zstd.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/civil_time.h"

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

std::string Text(const nlohmann::json& record, const char* key) {
  const auto it = record.find(key);
  return it != record.end() && it->is_string() ? it->get<std::string>() : std::string();
}

CountryArticle Parse(const nlohmann::json& record) {
  CountryArticle article;
  article.id = Text(record, "id");
  article.source = Text(record, "source");
  article.subset = Text(record, "subset");
  article.split = Text(record, "split");
  article.text.title = common::NormalizeLine(Text(record, "title"));
  article.text.body = common::NormalizeText(Text(record, "body"));
  article.dateline = common::NormalizeLine(Text(record, "dateline"));
  if (const int year = YearOf(Text(record, "date")); year != 0) {
    article.text.publish_time = absl::FromCivil(absl::CivilDay(year, 7, 1), absl::UTCTimeZone());
  }
  if (const auto it = record.find("topics"); it != record.end() && it->is_array()) {
    for (const nlohmann::json& topic : *it) {
      article.topics.push_back(topic.get<std::string>());
    }
  }
  if (const auto it = record.find("countries"); it != record.end() && it->is_array()) {
    for (const nlohmann::json& code : *it) {
      article.countries.push_back(code.get<std::string>());
    }
    article.labelled = record.value("countries_complete", true);
  }
  std::sort(article.countries.begin(), article.countries.end());
  return article;
}

absl::Status VisitLine(absl::string_view line, const std::string& path, size_t number,
                       const std::function<void(CountryArticle)>& visit) {
  if (line.empty()) {
    return absl::OkStatus();
  }
  const nlohmann::json record = nlohmann::json::parse(line.begin(), line.end(), nullptr, /*allow_exceptions=*/false);
  if (!record.is_object()) {
    return absl::DataLossError(absl::StrCat(path, ":", number, ": no JSON object"));
  }
  visit(Parse(record));
  return absl::OkStatus();
}

}  // namespace

void RestoreDateline(CountryArticle& article) {
  if (!article.dateline.empty() && !absl::StartsWith(article.text.body, article.dateline)) {
    article.text.body =
        article.text.body.empty() ? article.dateline : absl::StrCat(article.dateline, " ", article.text.body);
  }
}

absl::Status ForEachCountryArticle(const std::string& path, const std::function<void(CountryArticle)>& visit) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    return absl::NotFoundError(absl::StrCat("cannot read \"", path, "\"; check the path and that the file exists"));
  }
  const bool packed = absl::EndsWith(path, ".zst");
  const std::unique_ptr<ZSTD_DCtx, size_t (*)(ZSTD_DCtx*)> context(ZSTD_createDCtx(), ZSTD_freeDCtx);
  std::vector<char> in(1 << 17);
  std::vector<char> out(1 << 18);
  std::string pending;
  size_t number = 0;
  const auto take = [&](absl::string_view chunk) -> absl::Status {
    pending.append(chunk.data(), chunk.size());
    size_t start = 0;
    for (size_t end = pending.find('\n'); end != std::string::npos; end = pending.find('\n', start)) {
      RETURN_IF_ERROR(VisitLine(absl::string_view(pending).substr(start, end - start), path, ++number, visit));
      start = end + 1;
    }
    pending.erase(0, start);
    return absl::OkStatus();
  };
  while (file.read(in.data(), static_cast<std::streamsize>(in.size())) || file.gcount() > 0) {
    ZSTD_inBuffer input{in.data(), static_cast<size_t>(file.gcount()), 0};
    if (!packed) {
      RETURN_IF_ERROR(take(absl::string_view(in.data(), input.size)));
      continue;
    }
    while (input.pos < input.size) {
      ZSTD_outBuffer output{out.data(), out.size(), 0};
      if (const size_t result = ZSTD_decompressStream(context.get(), &output, &input); ZSTD_isError(result) != 0) {
        return absl::DataLossError(absl::StrCat(path, ": ", ZSTD_getErrorName(result)));
      }
      RETURN_IF_ERROR(take(absl::string_view(out.data(), output.pos)));
    }
  }
  return VisitLine(pending, path, ++number, visit);
}

}  // namespace dateline::classifier
