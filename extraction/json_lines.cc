#include "extraction/json_lines.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

#include "common/error.h"
#include "common/status_macros.h"
#include "common/text.h"
#include "extraction/article_builder.h"
#include "extraction/dates.h"
#include "extraction/html_metadata.h"
#include "extraction/text_shape.h"

namespace dateline::extraction {
namespace {

using Json = nlohmann::json;

constexpr char kMalformedLine[] = "MALFORMED_LINE";
constexpr std::array<absl::string_view, 11> kFields = {"id",     "url",      "title",     "body",   "date",  "authors",
                                                       "source", "language", "countries", "issues", "author"};

absl::Status WrongType(absl::string_view field, absl::string_view wanted) {
  return common::WithReason(common::InvalidField(field, absl::StrCat("must be ", wanted)), kMalformedLine);
}

// Null counts as absent.
const Json* Field(const Json& record, const char* name) {
  const auto found = record.find(name);
  return found == record.end() || found->is_null() ? nullptr : &*found;
}

absl::StatusOr<std::string> Text(const Json& record, const char* name) {
  const Json* const value = Field(record, name);
  if (value == nullptr) {
    return std::string();
  }
  if (!value->is_string()) {
    return WrongType(name, "a string");
  }
  return value->get<std::string>();
}

// A string, a list of strings, or a list of objects with a `name`.
absl::StatusOr<std::vector<std::string>> Texts(const Json& record, const char* name) {
  std::vector<std::string> texts;
  const Json* const value = Field(record, name);
  if (value == nullptr) {
    return texts;
  }
  if (value->is_string()) {
    texts.push_back(value->get<std::string>());
    return texts;
  }
  if (!value->is_array()) {
    return WrongType(name, "a string or a list of strings");
  }
  for (const Json& item : *value) {
    const bool named = item.is_object() && item.contains("name") && item["name"].is_string();
    if (!item.is_string() && !named) {
      return WrongType(name, "a string or a list of strings");
    }
    texts.push_back(named ? item["name"].get<std::string>() : item.get<std::string>());
  }
  return texts;
}

absl::Status Malformed(absl::string_view problem, absl::string_view remedy) {
  return common::WithReason(absl::InvalidArgumentError(absl::StrCat(problem, "; ", remedy)), kMalformedLine);
}

constexpr char kOneObjectALine[] =
    "write each article as one JSON object on one line, {\"title\": \"…\", \"body\": \"…\"}";

// What the parser says without what it says around it: "[json.exception…] parse error at line 1, column 2: syntax error
// while parsing object key - invalid literal; last read: '{b'; expected string literal".
std::string ParserProblem(const Json::parse_error& error) {
  absl::string_view what = error.what();
  for (const absl::string_view divider : {": ", " - "}) {
    if (const size_t at = what.find(divider); at != absl::string_view::npos) what.remove_prefix(at + divider.size());
  }
  const std::string clean = common::NormalizeLine(what);
  return clean.substr(0, common::CodePointFloor(clean, 160));
}

absl::StatusOr<Json> ParseRecord(absl::string_view line) {
  // Values of fields that aren't read are dropped as they are parsed.
  const Json::parser_callback_t keep = [](int depth, Json::parse_event_t event, Json& parsed) {
    if (event == Json::parse_event_t::key && depth == 1) {
      const auto& key = parsed.get_ref<const std::string&>();
      return std::find(kFields.begin(), kFields.end(), absl::string_view(key)) != kFields.end();
    }
    return true;
  };
  try {
    Json record = Json::parse(line.begin(), line.end(), keep);
    if (!record.is_object()) {
      return Malformed(absl::StrCat("is no JSON object but a JSON ", record.type_name()), kOneObjectALine);
    }
    return record;
  } catch (const Json::parse_error& error) {
    if (absl::StrContains(error.what(), "ill-formed UTF-8")) {
      return Malformed(absl::StrCat("is not UTF-8 near byte ", error.byte), "convert it, with iconv for example");
    }
    if (error.byte > line.size()) {
      return Malformed("ends in the middle of its JSON: it was cut off, or the object goes on in the next line",
                       kOneObjectALine);
    }
    return Malformed(absl::StrCat("malformed JSON at byte ", error.byte, ": ", ParserProblem(error)), kOneObjectALine);
  } catch (const Json::exception& error) {
    return Malformed(absl::StrCat("malformed JSON: ", common::NormalizeLine(error.what())), kOneObjectALine);
  }
}

}  // namespace

absl::StatusOr<Extraction> ReadJsonArticle(absl::string_view line, absl::Time now) {
  ASSIGN_OR_RETURN(const Json record, ParseRecord(line));
  Extraction extraction;
  Article& article = extraction.article;
  const Json* const id = Field(record, "id");
  if (id != nullptr && !id->is_string() && !id->is_number_integer()) {
    return WrongType("id", "a string or a whole number");
  }
  if (id != nullptr) {
    article.id = id->is_string() ? id->get<std::string>() : id->dump();
  }
  ASSIGN_OR_RETURN(article.url, Text(record, "url"));
  ASSIGN_OR_RETURN(article.title, Text(record, "title"));
  ASSIGN_OR_RETURN(article.source, Text(record, "source"));
  ASSIGN_OR_RETURN(article.language_code, Text(record, "language"));
  ASSIGN_OR_RETURN(const std::string body, Text(record, "body"));
  article.body = common::NormalizeText(body);
  ASSIGN_OR_RETURN(article.authors, Texts(record, Field(record, "authors") != nullptr ? "authors" : "author"));
  ASSIGN_OR_RETURN(const std::vector<std::string> countries, Texts(record, "countries"));
  for (const std::string& country : countries) {
    AddLabel("country", country, &article);
  }
  ASSIGN_OR_RETURN(const std::vector<std::string> issues, Texts(record, "issues"));
  for (const std::string& issue : issues) {
    AddLabel("issue", issue, &article);
  }
  ASSIGN_OR_RETURN(const std::string date, Text(record, "date"));
  if (const std::optional<ParsedDate> parsed = FindDate(date); parsed && IsPlausibleTime(parsed->time, now)) {
    article.publish_time = parsed->time;
    article.publish_time_precision = parsed->precision;
  } else if (!date.empty()) {
    extraction.warnings.push_back(
        absl::StrCat("date: \"", date.substr(0, common::CodePointFloor(date, 40)),
                     "\" is no date that can be right and was dropped; write 2023-09-19 or 2023-09-19T10:00:00Z"));
  }
  if (common::NormalizeLine(article.title).empty() && article.body.empty()) {
    return common::WithReason(
        common::InvalidField("body", "is missing, and so is the title; an article needs one of them"), kMalformedLine);
  }
  FinishArticle("", now, &article, &extraction.warnings);
  return extraction;
}

}  // namespace dateline::extraction
