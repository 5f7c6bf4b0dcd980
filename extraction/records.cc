#include "extraction/records.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"

#include "common/error.h"
#include "common/status_macros.h"
#include "common/text.h"
#include "common/url.h"
#include "extraction/article_builder.h"
#include "extraction/dates.h"
#include "extraction/format.h"
#include "extraction/html_fragment.h"
#include "extraction/html_metadata.h"
#include "extraction/text_shape.h"

namespace dateline::extraction {
namespace {

using Json = nlohmann::json;

constexpr size_t kMaxIdBytes = 200;
constexpr size_t kMaxSeen = 12;  // Names of fields in a message.
constexpr size_t kMaxValues = 1000;
// Numbers beyond this are milliseconds: in seconds it is the year 5138.
constexpr double kLargestSeconds = 1e11;

struct Known {
  absl::string_view field;
  std::array<absl::string_view, 4> names;  // Its own, and those that JSON Feed and this project's output have for it.
};
constexpr std::array<Known, 20> kFields = {{{"id", {"id"}},
                                            {"url", {"url", "external_url"}},
                                            {"alternate_urls", {"alternate_urls", "alternateUrls"}},
                                            {"title", {"title"}},
                                            {"body", {"body", "content_text"}},
                                            {"body_html", {"body_html", "content_html"}},
                                            {"summary", {"summary"}},
                                            {"authors", {"authors", "author"}},
                                            {"source", {"source"}},
                                            {"date", {"date", "publish_time", "publishTime", "date_published"}},
                                            {"update_time", {"update_time", "updateTime", "date_modified"}},
                                            {"language", {"language", "language_code", "languageCode"}},
                                            {"image_url", {"image_url", "imageUrl", "image"}},
                                            {"content_type", {"content_type", "contentType"}},
                                            {"countries", {"countries"}},
                                            {"issues", {"issues"}},
                                            {"keywords", {"keywords"}},
                                            {"categories", {"categories"}},
                                            {"tags", {"tags"}},
                                            {"source_labels", {"source_labels", "sourceLabels"}}}};

// Lists that give labels, and the kind of those.
constexpr std::array<std::pair<absl::string_view, absl::string_view>, 5> kLabelFields = {{{"countries", "country"},
                                                                                          {"issues", "issue"},
                                                                                          {"keywords", "keyword"},
                                                                                          {"categories", "category"},
                                                                                          {"tags", "tag"}}};

absl::Status WrongType(absl::string_view field, absl::string_view wanted) {
  return common::WithReason(common::InvalidField(field, absl::StrCat("must be ", wanted)), kMalformedLine);
}

bool IsBlank(const Json& value) {
  return value.is_null() ||
         (value.is_string() && absl::StripAsciiWhitespace(value.get_ref<const std::string&>()).empty());
}

// What `path` leads to in `value`, in lists to each of their elements. Null and blank values count as absent.
void Collect(const Json& value, absl::string_view path, std::vector<const Json*>* found) {
  if (found->size() >= kMaxValues) {
    return;
  }
  if (value.is_array()) {
    for (const Json& element : value) {
      Collect(element, path, found);
    }
    return;
  }
  if (!value.is_object()) {
    return;
  }
  if (const auto whole = value.find(std::string(path)); whole != value.end()) {
    if (!IsBlank(*whole)) {
      found->push_back(&*whole);
    }
    return;
  }
  for (size_t dot = path.find('.'); dot != absl::string_view::npos; dot = path.find('.', dot + 1)) {
    if (const auto part = value.find(std::string(path.substr(0, dot))); part != value.end()) {
      Collect(*part, path.substr(dot + 1), found);
      return;
    }
  }
}

// A value with the path that it was found at.
struct Found {
  const Json* value = nullptr;
  std::string path;
};

std::optional<Found> FindFirst(const Json& record, const std::vector<std::string>& paths) {
  for (const std::string& path : paths) {
    std::vector<const Json*> found;
    Collect(record, path, &found);
    if (!found.empty()) {
      return Found{found.front(), path};
    }
  }
  return std::nullopt;
}

absl::StatusOr<std::string> ReadText(const Json& record, const std::vector<std::string>& paths) {
  const std::optional<Found> found = FindFirst(record, paths);
  if (!found) {
    return std::string();
  }
  if (!found->value->is_string()) {
    return WrongType(found->path, "a string");
  }
  return found->value->get<std::string>();
}

// What divides several values in one string, where there is no list.
enum class Dividers {
  kNone,
  kSemicolons,  // And bars.
  kCommas,      // Where there are none of those.
  kCommasOfCountries,
};

// Whether what follows a comma is the rest of a name as ISO 3166-1 writes it ("Korea, Republic of"), not another one.
bool GoesOnAfterComma(absl::string_view part) {
  for (const absl::string_view head :
       {"republic", "democratic", "islamic", "bolivarian", "plurinational", "federated", "united republic", "province",
        "state of", "kingdom", "the", "occupied", "british", "u.s."}) {
    if (absl::StartsWithIgnoreCase(part, head)) {
      return true;
    }
  }
  return false;
}

std::vector<std::string> Divide(absl::string_view text, Dividers dividers) {
  const bool has_semicolons = text.find_first_of(";|") != absl::string_view::npos;
  const bool by_commas = !has_semicolons && (dividers == Dividers::kCommas || dividers == Dividers::kCommasOfCountries);
  std::vector<std::string> parts;
  for (absl::string_view part : absl::StrSplit(text, absl::ByAnyChar(by_commas ? "," : ";|"))) {
    part = absl::StripAsciiWhitespace(part);
    if (part.empty()) {
      continue;
    }
    if (dividers == Dividers::kCommasOfCountries && by_commas && !parts.empty() && GoesOnAfterComma(part)) {
      absl::StrAppend(&parts.back(), ", ", part);
    } else {
      parts.emplace_back(part);
    }
  }
  return parts;
}

// A string, an object with a `name`, or a list of such; a string that stands in no list may hold several.
absl::Status AddTexts(const Json& value, absl::string_view path, Dividers dividers, std::vector<std::string>* texts) {
  if (value.is_array()) {
    for (const Json& element : value) {
      if (element.is_array() || texts->size() >= kMaxValues) {
        return WrongType(path, "a string or a list of strings");
      }
      RETURN_IF_ERROR(AddTexts(element, path, Dividers::kNone, texts));
    }
    return absl::OkStatus();
  }
  if (value.is_object()) {
    const auto name = value.find("name");
    if (name != value.end() && name->is_string()) {
      texts->push_back(name->get<std::string>());
      return absl::OkStatus();
    }
    return WrongType(path, "a string or a list of strings");
  }
  if (!value.is_string()) {
    return WrongType(path, "a string or a list of strings");
  }
  if (dividers == Dividers::kNone) {
    texts->push_back(value.get<std::string>());
    return absl::OkStatus();
  }
  for (std::string& part : Divide(value.get_ref<const std::string&>(), dividers)) {
    texts->push_back(std::move(part));
  }
  return absl::OkStatus();
}

// What all of `paths` lead to.
absl::StatusOr<std::vector<std::string>> ReadTexts(const Json& record, const std::vector<std::string>& paths,
                                                   Dividers dividers) {
  std::vector<std::string> texts;
  for (const std::string& path : paths) {
    std::vector<const Json*> found;
    Collect(record, path, &found);
    for (const Json* value : found) {
      RETURN_IF_ERROR(AddTexts(*value, path, dividers, &texts));
    }
  }
  return texts;
}

// Seconds or milliseconds since 1970, as exports have it.
std::optional<absl::Time> ReadEpoch(double number) {
  if (!(number > 0) || number > kLargestSeconds * 1000) {
    return std::nullopt;
  }
  return absl::FromUnixMillis(static_cast<int64_t>(number > kLargestSeconds ? number : number * 1000));
}

std::optional<ParsedDate> ReadDateValue(const Json& value) {
  double number = 0;
  const bool numeric = value.is_number();
  if (numeric) {
    number = value.get<double>();
  }
  const std::string text = value.is_string() ? value.get<std::string>() : "";
  const bool digits = text.size() >= 9 && text.size() <= 13 && std::all_of(text.begin(), text.end(), [](char c) {
                        return absl::ascii_isdigit(static_cast<unsigned char>(c));
                      });
  if (numeric || (digits && absl::SimpleAtod(text, &number))) {
    const std::optional<absl::Time> time = ReadEpoch(number);
    return time ? std::optional<ParsedDate>({.time = *time, .precision = TimePrecision::kSecond, .start = 0, .end = 0})
                : std::nullopt;
  }
  return FindDate(text);
}

// The date that the first of `paths` leads to. What is no date is dropped with a warning; what is neither a string nor
// a number is an error.
absl::StatusOr<std::optional<ParsedDate>> ReadDate(const Json& record, const std::vector<std::string>& paths,
                                                   absl::Time now, std::vector<std::string>* warnings) {
  const std::optional<Found> found = FindFirst(record, paths);
  if (!found) {
    return std::optional<ParsedDate>();
  }
  if (!found->value->is_string() && !found->value->is_number()) {
    return WrongType(found->path, "a string or a number");
  }
  std::optional<ParsedDate> date = ReadDateValue(*found->value);
  if (!date || !IsPlausibleTime(date->time, now)) {
    const std::string text = found->value->is_string() ? found->value->get<std::string>() : found->value->dump();
    const absl::string_view why =
        date && date->time > now
            ? "is too far in the future and was dropped"
            : "is no date that can be read for certain and was dropped; write 2023-09-19 or 2023-09-19T10:00:00Z";
    warnings->push_back(
        absl::StrCat(found->path, ": \"", text.substr(0, common::CodePointFloor(text, 40)), "\" ", why));
    date.reset();
  }
  return date;
}

absl::Status AddLabels(const Json& record, const std::vector<std::string>& paths, absl::string_view kind,
                       Article* article) {
  ASSIGN_OR_RETURN(const std::vector<std::string> names,
                   ReadTexts(record, paths, kind == "country" ? Dividers::kCommasOfCountries : Dividers::kCommas));
  for (const std::string& name : names) {
    AddLabel(kind, name, article);
  }
  return absl::OkStatus();
}

absl::Status AddSourceLabels(const Json& record, const std::vector<std::string>& paths, Article* article) {
  const std::optional<Found> found = FindFirst(record, paths);
  if (!found) {
    return absl::OkStatus();
  }
  if (!found->value->is_array()) {
    return WrongType(found->path, "a list of objects with `kind` and `name`");
  }
  for (const Json& label : *found->value) {
    if (!label.is_object() || !label.contains("name") || !label["name"].is_string()) {
      return WrongType(found->path, "a list of objects with `kind` and `name`");
    }
    const bool has_kind = label.contains("kind") && label["kind"].is_string();
    AddLabel(has_kind ? label["kind"].get<std::string>() : "", label["name"].get<std::string>(), article);
  }
  return absl::OkStatus();
}

// Lower case, with one _ for each run of what is neither letter nor digit.
std::string Simplified(absl::string_view name) {
  std::string simple;
  for (const char c : absl::StripAsciiWhitespace(name)) {
    const auto u = static_cast<unsigned char>(c);
    if (absl::ascii_isalnum(u) || u >= 0x80 || c == '.') {
      simple.push_back(static_cast<char>(absl::ascii_tolower(u)));
    } else if (simple.empty() || simple.back() != '_') {
      simple.push_back('_');
    }
  }
  return simple;
}

void Deliver(absl::StatusOr<SourceItem> read, SourceItem* item) {
  if (!read.ok()) {
    item->extraction = read.status();
    return;
  }
  item->extraction = std::move(read->extraction);
  item->link = std::move(read->link);
}

absl::Status Malformed(absl::string_view problem, absl::string_view remedy) {
  return common::WithReason(absl::InvalidArgumentError(absl::StrCat(problem, "; ", remedy)), kMalformedLine);
}

absl::string_view RightForm(Format format) {
  return format == Format::kJsonLines
             ? "write each article as one JSON object on one line, {\"title\": \"…\", \"body\": \"…\"}"
             : "write each article as one JSON object, {\"title\": \"…\", \"body\": \"…\"}";
}

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

}  // namespace

bool IsUsableId(absl::string_view id) {
  return !id.empty() && id.size() <= kMaxIdBytes && std::all_of(id.begin(), id.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
           absl::StrContains("-._~:/@+=,", absl::string_view(&c, 1));
  });
}

std::string WorldwideId(absl::string_view id, absl::string_view feed_url) {
  const size_t colon = id.find(':');
  const absl::StatusOr<std::string> host = common::UrlHost(feed_url);
  if (colon != absl::string_view::npos || !host.ok()) {
    return std::string(id);
  }
  std::string whole = absl::StrCat(*host, "/", id);
  return IsUsableId(whole) ? whole : std::string(id);
}

absl::StatusOr<FieldMapping> ParseFieldMapping(absl::string_view text) {
  const size_t equals = text.find('=');
  FieldMapping mapping;
  if (equals != absl::string_view::npos) {
    mapping.field = std::string(absl::StripAsciiWhitespace(text.substr(0, equals)));
    mapping.path = std::string(absl::StripAsciiWhitespace(text.substr(equals + 1)));
  }
  if (mapping.field.empty() || mapping.path.empty()) {
    return common::InvalidField("map", "must be FIELD=NAME, as in body_html=content");
  }
  const bool is_open = (absl::StartsWith(mapping.field, "label.") && mapping.field.size() > 6) ||
                       (absl::StartsWith(mapping.field, "attribute.") && mapping.field.size() > 10);
  const std::vector<std::string>& fields = MappableFields();
  if (!is_open && mapping.field != kItemsField &&
      std::find(fields.begin(), fields.end(), mapping.field) == fields.end()) {
    return common::InvalidField(
        "map",
        absl::StrCat("\"", mapping.field, "\" is no field of an article; there are ", absl::StrJoin(fields, ", "),
                     ", label.KIND, attribute.NAME, and items for the list of articles"));
  }
  return mapping;
}

const std::vector<std::string>& MappableFields() {
  static const auto* const kNames = [] {
    auto* names = new std::vector<std::string>();
    for (const Known& known : kFields) {
      names->emplace_back(known.field);
    }
    return names;
  }();
  return *kNames;
}

RecordMapper::RecordMapper(const SourceOptions& options, Origin origin)
    : origin_(origin), field_map_(options.field_map), used_(options.mappings_used) {
  const std::vector<FieldMapping>& field_map = options.field_map;
  for (const Known& known : kFields) {
    Field field{.name = std::string(known.field), .paths = {}};
    for (const FieldMapping& mapping : field_map) {
      if (mapping.field == known.field) {
        field.paths.push_back(mapping.path);
      }
    }
    if (field.paths.empty()) {
      for (const absl::string_view name : known.names) {
        if (!name.empty()) {
          field.paths.emplace_back(name);
        }
      }
    }
    fields_.push_back(std::move(field));
  }
  for (const FieldMapping& mapping : field_map) {
    absl::string_view name = mapping.field;
    if (absl::ConsumePrefix(&name, "label.")) {
      labels_.emplace_back(name, mapping.path);
    } else if (absl::ConsumePrefix(&name, "attribute.")) {
      attributes_.emplace_back(name, mapping.path);
    }
  }
  const auto add = [this](const std::string& path) {
    names_.insert(path);
    for (size_t dot = path.find('.'); dot != std::string::npos; dot = path.find('.', dot + 1)) {
      names_.insert(path.substr(0, dot));
    }
  };
  for (const Field& field : fields_) {
    std::for_each(field.paths.begin(), field.paths.end(), add);
  }
  for (const auto& [name, path] : labels_) {
    add(path);
  }
  for (const auto& [name, path] : attributes_) {
    add(path);
  }
}

std::string RecordMapper::ColumnName(absl::string_view name) const {
  if (Reads(name)) {
    return std::string(name);
  }
  const std::string simple = Simplified(name);
  const auto found = std::find_if(names_.begin(), names_.end(),
                                  [&simple](const std::string& each) { return Simplified(each) == simple; });
  return found == names_.end() ? std::string(name) : *found;
}

const FieldMapping* RecordMapper::FindUnmet(const std::vector<std::string>& columns) const {
  const auto is_met = [&columns](const FieldMapping& mapping) {
    return std::find(columns.begin(), columns.end(), mapping.path) != columns.end();
  };
  for (const FieldMapping& mapping : field_map_) {
    if (mapping.field != kItemsField &&
        std::none_of(field_map_.begin(), field_map_.end(),
                     [&](const FieldMapping& other) { return other.field == mapping.field && is_met(other); })) {
      return &mapping;
    }
  }
  return nullptr;
}

void RecordMapper::NoteUse(const Json& record) const {
  for (size_t i = 0; used_ != nullptr && i < std::min(field_map_.size(), used_->size()); ++i) {
    if ((*used_)[i]) {
      continue;
    }
    std::vector<const Json*> found;
    Collect(record, field_map_[i].path, &found);
    (*used_)[i] = !found.empty();
  }
}

const std::vector<std::string>& RecordMapper::PathsOf(absl::string_view field) const {
  return std::find_if(fields_.begin(), fields_.end(), [field](const Field& each) { return each.name == field; })->paths;
}

void RecordMapper::ReadJson(absl::string_view json, absl::Time now, SourceItem* item) const {
  Deliver(ParseJson(json, item->format, now), item);
}

void RecordMapper::Read(const Json& record, const std::vector<std::string>& seen, absl::Time now,
                        SourceItem* item) const {
  Deliver(Map(record, seen, now), item);
}

absl::StatusOr<SourceItem> RecordMapper::ParseJson(absl::string_view json, Format format, absl::Time now) const {
  std::vector<std::string> seen;
  // Values of fields that aren't read are dropped as they are parsed.
  const Json::parser_callback_t keep = [this, &seen](int depth, Json::parse_event_t event, Json& parsed) {
    if (event == Json::parse_event_t::key && depth == 1) {
      const auto& key = parsed.get_ref<const std::string&>();
      if (seen.size() <= kMaxSeen) {
        seen.push_back(key);
      }
      return Reads(key);
    }
    return true;
  };
  try {
    const Json record = Json::parse(json.begin(), json.end(), keep);
    if (!record.is_object()) {
      return Malformed(absl::StrCat("is no JSON object but a JSON ", record.type_name()), RightForm(format));
    }
    return Map(record, seen, now);
  } catch (const Json::parse_error& error) {
    if (absl::StrContains(error.what(), "ill-formed UTF-8")) {
      return Malformed(absl::StrCat("is not UTF-8 near byte ", error.byte), "convert it, with iconv for example");
    }
    if (error.byte > json.size()) {
      return Malformed(absl::StrCat("ends in the middle of its JSON: it was cut off",
                                    format == Format::kJsonLines ? ", or the object goes on in the next line" : ""),
                       RightForm(format));
    }
    return Malformed(absl::StrCat("malformed JSON at byte ", error.byte, ": ", ParserProblem(error)),
                     RightForm(format));
  } catch (const Json::exception& error) {
    // "[json.exception.out_of_range.406] number overflow parsing '1e400'"
    absl::string_view what = error.what();
    if (const size_t at = what.find("] "); at != absl::string_view::npos) {
      what.remove_prefix(at + 2);
    }
    return Malformed(absl::StrCat("malformed JSON: ", common::NormalizeLine(what)), RightForm(format));
  }
}

absl::StatusOr<SourceItem> RecordMapper::Map(const Json& record, const std::vector<std::string>& seen,
                                             absl::Time now) const {
  NoteUse(record);
  const Dividers dividers = origin_ == Origin::kTable ? Dividers::kSemicolons : Dividers::kNone;
  SourceItem item;
  Extraction extraction;
  Article& article = extraction.article;
  std::vector<std::string>& warnings = extraction.warnings;
  if (const std::optional<Found> id = FindFirst(record, PathsOf("id"))) {
    if (!id->value->is_string() && !id->value->is_number_integer()) {
      return WrongType(id->path, "a string or a whole number");
    }
    article.id = id->value->is_string() ? id->value->get<std::string>() : id->value->dump();
  }
  ASSIGN_OR_RETURN(article.url, ReadText(record, PathsOf("url")));
  ASSIGN_OR_RETURN(article.alternate_urls, ReadTexts(record, PathsOf("alternate_urls"), dividers));
  ASSIGN_OR_RETURN(article.title, ReadText(record, PathsOf("title")));
  ASSIGN_OR_RETURN(article.summary, ReadText(record, PathsOf("summary")));
  ASSIGN_OR_RETURN(article.source, ReadText(record, PathsOf("source")));
  ASSIGN_OR_RETURN(article.language_code, ReadText(record, PathsOf("language")));
  ASSIGN_OR_RETURN(article.image_url, ReadText(record, PathsOf("image_url")));
  ASSIGN_OR_RETURN(article.content_type, ReadText(record, PathsOf("content_type")));
  if (absl::StrContains(article.content_type, '/')) {
    article.content_type.clear();  // A media type: how the text is written, not what kind of piece it is.
  }
  ASSIGN_OR_RETURN(const std::string body, ReadText(record, PathsOf("body")));
  if (common::HoldsHtml(body)) {
    SetBodyFromFragment(body, &article, &warnings);
    warnings.emplace_back("body: holds tags of HTML and was read as that; map it with body_html, or take the tags out");
  } else {
    article.body = common::NormalizeText(body);
  }
  if (article.body.empty()) {
    ASSIGN_OR_RETURN(const std::string html, ReadText(record, PathsOf("body_html")));
    if (!html.empty()) {
      SetBodyFromFragment(html, &article, &warnings);
    }
  }
  ASSIGN_OR_RETURN(article.authors, ReadTexts(record, PathsOf("authors"), Dividers::kSemicolons));
  if (article.authors.size() == 1) {
    if (std::vector<std::string> names = ParseNameList(article.authors.front()); !names.empty()) {
      article.authors = std::move(names);
    }
  }
  for (const auto& [field, kind] : kLabelFields) {
    RETURN_IF_ERROR(AddLabels(record, PathsOf(field), kind, &article));
  }
  RETURN_IF_ERROR(AddSourceLabels(record, PathsOf("source_labels"), &article));
  for (const auto& [kind, path] : labels_) {
    RETURN_IF_ERROR(AddLabels(record, {path}, kind, &article));
  }
  for (const auto& [name, path] : attributes_) {
    ASSIGN_OR_RETURN(const std::vector<std::string> values, ReadTexts(record, {path}, dividers));
    std::vector<std::string>& attribute = article.attributes[name];
    attribute.insert(attribute.end(), values.begin(), values.end());
    if (attribute.empty()) {
      article.attributes.erase(name);
    }
  }
  ASSIGN_OR_RETURN(const std::optional<ParsedDate> date, ReadDate(record, PathsOf("date"), now, &warnings));
  if (date) {
    article.publish_time = date->time;
    article.publish_time_precision = date->precision;
  }
  ASSIGN_OR_RETURN(const std::optional<ParsedDate> updated, ReadDate(record, PathsOf("update_time"), now, &warnings));
  if (updated) {
    article.update_time = updated->time;
  }
  if (article.body.empty() && common::LooksLikeUrl(article.url)) {
    item.link = Link{.kind = Link::Kind::kPage, .url = article.url, .modified = article.update_time};
  }
  if (article.body.empty() && !common::NormalizeText(article.summary).empty()) {
    article.body = common::NormalizeText(article.summary);
    article.summary.clear();
    warnings.emplace_back("body: there is a summary only; it stands for the text");
  }
  if (common::NormalizeLine(article.title).empty() && article.body.empty() && !item.link) {
    std::vector<std::string> names(seen.begin(),
                                   seen.begin() + static_cast<std::ptrdiff_t>(std::min(seen.size(), kMaxSeen)));
    std::string hint;
    if (!names.empty()) {
      hint = absl::StrCat("; its fields are ", absl::StrJoin(names, ", "), seen.size() > kMaxSeen ? ", …" : "",
                          ": map them, as in --map title=NAME --map body=NAME");
      hint = hint.substr(0, common::CodePointFloor(hint, 400));
    }
    return common::WithReason(
        common::InvalidField("body",
                             absl::StrCat("is missing, and so is the title; an article needs one of them", hint)),
        kMalformedLine);
  }
  FinishArticle("", now, &article, &warnings);
  item.extraction = std::move(extraction);
  return item;
}

}  // namespace dateline::extraction
