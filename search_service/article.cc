#include "search_service/article.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"

#include "common/error.h"
#include "common/hash.h"
#include "common/language_tag.h"
#include "common/status_macros.h"
#include "common/text.h"
#include "common/url.h"

namespace dateline::search {
namespace {

// A publication time outside these is a parsing accident, not a date: printing began in the 15th century.
const absl::CivilSecond kEarliestPublication(1400, 1, 1);
constexpr absl::Duration kLatestPublication = absl::Hours(24 * 366);
constexpr absl::Duration kClockSkew = absl::Hours(24);
constexpr int32_t kMaxHeadingLevel = 6;

bool IsIdChar(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
         absl::string_view("-._~:/@+=,").find(c) != absl::string_view::npos;
}

bool IsAttributeNameChar(char c) { return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-'; }

absl::Status CheckSize(absl::string_view field, size_t bytes, size_t limit) {
  if (bytes <= limit) return absl::OkStatus();
  return common::InvalidField(field, absl::StrCat("is ", bytes, " bytes long; at most ", limit, " are allowed"));
}

absl::Status CheckCount(absl::string_view field, size_t count, size_t limit) {
  if (count <= limit) return absl::OkStatus();
  return common::InvalidField(field, absl::StrCat("has ", count, " entries; at most ", limit, " are allowed"));
}

absl::Status CheckUrl(absl::string_view field, absl::string_view url) {
  RETURN_IF_ERROR(CheckSize(field, url.size(), kMaxUrlBytes));
  const absl::StatusOr<std::string> canonical = common::CanonicalUrl(url);
  if (canonical.ok()) return absl::OkStatus();
  // The message begins with a name of its own; the field is the one that helps.
  return common::InvalidField(field, absl::StripPrefix(canonical.status().message(), "url: "));
}

std::string ElementPath(absl::string_view list, size_t index) { return absl::StrCat(list, "[", index, "]"); }
std::string ValuesPath(absl::string_view attribute) { return absl::StrCat("attributes.", attribute, ".values"); }

absl::Status CheckUtf8(const Article& article) {
  const auto check = [](absl::string_view field, absl::string_view text) {
    return common::IsValidUtf8(text) ? absl::OkStatus() : common::InvalidField(field, "is not valid UTF-8");
  };
  RETURN_IF_ERROR(check("title", article.title));
  RETURN_IF_ERROR(check("body", article.body));
  RETURN_IF_ERROR(check("summary", article.summary));
  RETURN_IF_ERROR(check("source", article.source));
  RETURN_IF_ERROR(check("content_type", article.content_type));
  const auto check_list = [&](absl::string_view field, const std::vector<std::string>& list) -> absl::Status {
    for (size_t i = 0; i < list.size(); ++i) RETURN_IF_ERROR(check(ElementPath(field, i), list[i]));
    return absl::OkStatus();
  };
  RETURN_IF_ERROR(check_list("authors", article.authors));
  for (size_t i = 0; i < article.source_labels.size(); ++i) {
    const std::string path = ElementPath("source_labels", i);
    RETURN_IF_ERROR(check(absl::StrCat(path, ".kind"), article.source_labels[i].kind));
    RETURN_IF_ERROR(check(absl::StrCat(path, ".name"), article.source_labels[i].name));
  }
  for (const auto& [name, values] : article.attributes) {
    RETURN_IF_ERROR(check("attributes", name));
    RETURN_IF_ERROR(check_list(ValuesPath(name), values));
  }
  return absl::OkStatus();
}

// Normalises every string to one line, drops what is empty then, and checks size and number.
absl::Status NormalizeNames(absl::string_view field, size_t max_count, std::vector<std::string>& names) {
  for (size_t i = 0; i < names.size(); ++i) {
    names[i] = common::NormalizeLine(names[i]);
    RETURN_IF_ERROR(CheckSize(ElementPath(field, i), names[i].size(), kMaxNameBytes));
  }
  std::erase_if(names, [](const std::string& name) { return name.empty(); });
  return CheckCount(field, names.size(), max_count);
}

absl::Status NormalizeUrls(Article& article) {
  // A name and password in it are for whoever fetched the page, and nobody else's business.
  article.url = common::WithoutUserInfo(absl::StripAsciiWhitespace(article.url));
  article.image_url = common::WithoutUserInfo(absl::StripAsciiWhitespace(article.image_url));
  if (!article.url.empty()) RETURN_IF_ERROR(CheckUrl("url", article.url));
  if (!article.image_url.empty()) RETURN_IF_ERROR(CheckUrl("image_url", article.image_url));
  // Errors count as the caller does: what is empty goes afterwards.
  for (size_t i = 0; i < article.alternate_urls.size(); ++i) {
    article.alternate_urls[i] = common::WithoutUserInfo(article.alternate_urls[i]);
    const std::string& url = article.alternate_urls[i];
    if (!url.empty()) RETURN_IF_ERROR(CheckUrl(ElementPath("alternate_urls", i), url));
  }
  std::erase(article.alternate_urls, "");
  return CheckCount("alternate_urls", article.alternate_urls.size(), kMaxAlternateUrls);
}

absl::Status NormalizeText(Article& article) {
  article.title = common::NormalizeLine(article.title);
  RETURN_IF_ERROR(CheckSize("title", article.title.size(), kMaxTitleBytes));
  std::string body = common::NormalizeText(article.body);
  // Offsets of headings are the extractor's into its own, normalised text.
  if (body != article.body) article.headings.clear();
  article.body = std::move(body);
  int32_t last_end = 0;
  std::erase_if(article.headings, [&](const Heading& heading) {
    const bool fits = heading.start >= last_end && heading.end > heading.start && heading.level >= 1 &&
                      heading.level <= kMaxHeadingLevel && static_cast<size_t>(heading.end) <= article.body.size() &&
                      common::CodePointFloor(article.body, heading.start) == static_cast<size_t>(heading.start) &&
                      common::CodePointFloor(article.body, heading.end) == static_cast<size_t>(heading.end);
    if (fits) last_end = heading.end;
    return !fits;
  });
  if (article.headings.size() > kMaxHeadings) article.headings.resize(kMaxHeadings);
  article.summary = common::NormalizeText(article.summary);
  RETURN_IF_ERROR(CheckSize("summary", article.summary.size(), kMaxSummaryBytes));
  article.source = common::NormalizeLine(article.source);
  RETURN_IF_ERROR(CheckSize("source", article.source.size(), kMaxNameBytes));
  article.content_type = common::NormalizeLine(article.content_type);
  RETURN_IF_ERROR(CheckSize("content_type", article.content_type.size(), kMaxContentTypeBytes));
  if (article.title.empty() && article.body.empty()) {
    return common::InvalidField("title", "is empty, and so is body: an article needs one of them");
  }
  return NormalizeNames("authors", kMaxAuthors, article.authors);
}

absl::Status NormalizeAttributes(Article& article) {
  RETURN_IF_ERROR(CheckCount("attributes", article.attributes.size(), kMaxAttributes));
  for (auto& [name, values] : article.attributes) {
    if (name.size() > kMaxAttributeNameBytes) {
      return common::InvalidField("attributes", absl::StrCat("has a name of ", name.size(), " bytes; at most ",
                                                             kMaxAttributeNameBytes, " are allowed"));
    }
    if (name.empty() || !std::all_of(name.begin(), name.end(), IsAttributeNameChar)) {
      return common::InvalidField("attributes", absl::StrCat("has the name \"", absl::Utf8SafeCHexEscape(name),
                                                             "\"; names are of ASCII letters, digits, _ and -"));
    }
    RETURN_IF_ERROR(NormalizeNames(ValuesPath(name), kMaxAttributeValues, values));
  }
  std::erase_if(article.attributes, [](const auto& entry) { return entry.second.empty(); });
  return absl::OkStatus();
}

absl::Status NormalizeLabels(Article& article, std::vector<std::string>& warnings) {
  RETURN_IF_ERROR(CheckCount("source_labels", article.source_labels.size(), kMaxLabels));
  std::vector<SourceLabel> source_labels;
  for (size_t i = 0; i < article.source_labels.size(); ++i) {
    SourceLabel& label = article.source_labels[i];
    label.kind = absl::AsciiStrToLower(common::NormalizeLine(label.kind));
    label.name = common::NormalizeLine(label.name);
    RETURN_IF_ERROR(CheckSize(absl::StrCat("source_labels[", i, "].kind"), label.kind.size(), kMaxKindBytes));
    RETURN_IF_ERROR(CheckSize(absl::StrCat("source_labels[", i, "].name"), label.name.size(), kMaxNameBytes));
    if (label.name.empty()) {
      return common::InvalidField(absl::StrCat("source_labels[", i, "].name"), "is missing; leave the label out");
    }
    if (std::find(source_labels.begin(), source_labels.end(), label) == source_labels.end()) {
      source_labels.push_back(std::move(label));
    }
  }
  article.source_labels = std::move(source_labels);

  const auto ignored = std::count_if(article.labels.begin(), article.labels.end(),
                                     [](const Label& label) { return label.source == LabelSource::kClassifier; });
  RETURN_IF_ERROR(CheckCount("labels", article.labels.size() - static_cast<size_t>(ignored), kMaxLabels));
  struct Primary {
    size_t given = 0;  // Index in what was given.
    size_t kept = 0;   // In `labels`.
  };
  std::optional<Primary> primary;
  std::vector<Label> labels;
  std::map<std::tuple<LabelSource, Dimension, std::string>, size_t> kept;
  for (size_t i = 0; i < article.labels.size(); ++i) {
    Label& label = article.labels[i];
    if (label.source == LabelSource::kClassifier) continue;
    if (label.id.empty()) {
      return common::InvalidField(absl::StrCat("labels[", i, "]"),
                                  "has no target; set region_code, group_id or issue_id");
    }
    RETURN_IF_ERROR(CheckSize(LabelPath(i, label.dimension), label.id.size(), kMaxAttributeNameBytes));
    if (label.source == LabelSource::kSource && label.verdict == LabelVerdict::kRejected) {
      return common::InvalidField(absl::StrCat("labels[", i, "].state"),
                                  "only an editor rejects a label; leave out what the article is not about");
    }
    if (label.primary && label.dimension != Dimension::kCountry) {
      warnings.push_back(absl::StrCat("labels[", i, "].primary: ignored; only a country can be primary"));
      label.primary = false;
    }
    // A label that is given twice is one, and primary if it is so in either place.
    const auto [place, first] = kept.emplace(std::tuple(label.source, label.dimension, label.id), labels.size());
    if (label.primary && primary && primary->kept != place->second) {
      warnings.push_back(
          absl::StrCat("labels[", i, "].primary: ignored; labels[", primary->given, "] is primary already"));
      label.primary = false;
    } else if (label.primary && !primary) {
      primary = {.given = i, .kept = place->second};
    }
    if (!first) {
      labels[place->second].primary = labels[place->second].primary || label.primary;
      continue;
    }
    label.score = 1.0;
    label.evidence.clear();
    label.model_version.clear();
    label.taxonomy_version.clear();  // It is checked against the taxonomy of today.
    labels.push_back(std::move(label));
  }
  if (ignored > 0) {
    warnings.push_back(absl::StrCat("labels: ", ignored,
                                    " ignored; only SOURCE labels (and EDITOR ones, with the edit "
                                    "role) can be given"));
  }
  article.labels = std::move(labels);
  return absl::OkStatus();
}

// Whole microseconds, as they are stored.
absl::Time ToMicros(absl::Time time) { return absl::FromUnixMicros(absl::ToUnixMicros(time)); }

void NormalizeTimes(absl::Time now, Article& article, std::vector<std::string>& warnings) {
  if (article.publish_time) {
    const absl::Time earliest = absl::FromCivil(kEarliestPublication, absl::UTCTimeZone());
    if (*article.publish_time < earliest || *article.publish_time > now + kLatestPublication) {
      warnings.push_back(absl::StrCat(
          "publish_time: ", absl::FormatTime(absl::RFC3339_sec, *article.publish_time, absl::UTCTimeZone()),
          " is before the year 1400 or more than a year ahead, and was dropped"));
      article.publish_time.reset();
    } else if (article.publish_time_precision == TimePrecision::kDay) {
      article.publish_time =
          absl::FromCivil(absl::ToCivilDay(*article.publish_time, absl::UTCTimeZone()), absl::UTCTimeZone());
    } else {
      article.publish_time = ToMicros(*article.publish_time);
    }
  }
  if (!article.publish_time) article.publish_time_precision = TimePrecision::kSecond;
  if (article.update_time && *article.update_time > now + kClockSkew) {
    warnings.push_back(
        absl::StrCat("update_time: ", absl::FormatTime(absl::RFC3339_sec, *article.update_time, absl::UTCTimeZone()),
                     " is more than a day ahead, and was dropped"));
    article.update_time.reset();
  }
  if (article.update_time) article.update_time = ToMicros(*article.update_time);
  if (article.visible_from) {
    // Beyond the year 9999 a time can't be answered; as an embargo it means "never" all the same.
    const absl::Time latest = absl::FromCivil(absl::CivilSecond(9999, 12, 31, 23, 59, 59), absl::UTCTimeZone());
    article.visible_from = ToMicros(std::clamp(*article.visible_from, absl::UnixEpoch(), latest));
  }
}

// Everything that identifies the content, each part preceded by its length so that no two articles run together.
std::string ContentHash(const Article& article) {
  std::string all;
  const auto add = [&](absl::string_view part) { absl::StrAppend(&all, part.size(), ":", part); };
  const auto add_time = [&](const std::optional<absl::Time>& time) {
    add(time ? absl::StrCat(absl::ToUnixMicros(*time)) : std::string());
  };
  const auto add_list = [&](const std::vector<std::string>& list) {
    add(absl::StrCat(list.size()));
    for (const std::string& item : list) add(item);
  };
  all.reserve(article.body.size() + article.title.size() + 512);
  add("1");  // Of this layout.
  add(article.url);
  add_list(article.alternate_urls);
  add(article.title);
  add(article.body);
  add(article.summary);
  add_list(article.authors);
  add(article.source);
  add_time(article.publish_time);
  add(article.publish_time_precision == TimePrecision::kDay ? "d" : "s");
  add(article.language_code);
  add(article.image_url);
  add(article.content_type);
  add(absl::StrCat(article.attributes.size()));
  for (const auto& [name, values] : article.attributes) {
    add(name);
    add_list(values);
  }
  add_time(article.visible_from);
  add(absl::StrCat(article.source_labels.size()));
  for (const SourceLabel& label : article.source_labels) {
    add(label.kind);
    add(label.name);
  }
  for (const Label& label : article.labels) {
    add(absl::StrCat(static_cast<int>(label.source), ".", static_cast<int>(label.dimension), ".",
                     static_cast<int>(label.verdict), ".", label.primary));
    add(label.id);
  }
  return common::Hash128Hex(all);
}

// The id of an article without a URL. Who sends it again with another summary, date or label means the same article, so
// only what makes it a text of its own counts: title and body; and the source, because publications that print the same
// text, or columns that bear the same title, are not to replace each other.
std::string IdFromContent(const Article& article) {
  std::string all = "text";
  for (const std::string* part : {&article.title, &article.body, &article.source}) {
    absl::StrAppend(&all, ":", part->size(), ":", *part);
  }
  return common::Hash128Hex(all);
}

absl::Status CheckArticleSize(const Article& article) {
  const size_t bytes = TextBytes(article);
  if (bytes <= kMaxArticleBytes) return absl::OkStatus();
  return common::WithReason(
      common::InvalidField(
          "body", absl::StrCat("makes the article ", bytes, " bytes long; at most ", kMaxArticleBytes, " are allowed")),
      kReasonArticleTooLarge);
}

}  // namespace

std::vector<Label> EffectiveLabels(const Article& article, const LabelOptions& options) {
  std::vector<Label> result;
  const auto keep = [&](const Label& label) {
    if (label.verdict == LabelVerdict::kApplied && label.score >= options.min_score) result.push_back(label);
  };
  if (!options.sources.empty()) {
    for (const Label& label : article.labels) {
      if (std::find(options.sources.begin(), options.sources.end(), label.source) == options.sources.end()) continue;
      if (options.with_rejected && label.verdict == LabelVerdict::kRejected) {
        result.push_back(label);
      } else {
        keep(label);
      }
    }
  } else {
    std::array<bool, kDimensionCount> has_source{};
    std::set<std::pair<Dimension, absl::string_view>> edited;
    for (const Label& label : article.labels) {
      if (label.source == LabelSource::kSource && label.verdict == LabelVerdict::kApplied) {
        has_source[static_cast<size_t>(label.dimension)] = true;
      }
      if (label.source == LabelSource::kEditor) edited.emplace(label.dimension, label.id);
    }
    for (const Label& label : article.labels) {
      if (label.source == LabelSource::kEditor) {
        keep(label);
        continue;
      }
      const auto dimension = static_cast<size_t>(label.dimension);
      const bool replaced = (article.replaced_dimensions & (1U << dimension)) != 0;
      const bool outranked = label.source == LabelSource::kClassifier && has_source[dimension];
      if (!replaced && !outranked && !edited.contains({label.dimension, label.id})) keep(label);
    }
  }
  // At most one is primary: that of whoever ranks highest.
  const Label* primary = nullptr;
  for (const Label& label : result) {
    if (!label.primary) continue;
    if (primary == nullptr || std::tuple(label.source, label.score) > std::tuple(primary->source, primary->score)) {
      primary = &label;
    }
  }
  for (Label& label : result) label.primary = &label == primary;
  std::sort(result.begin(), result.end(), [](const Label& a, const Label& b) {
    return std::tuple(a.verdict, a.dimension, !a.primary, -a.score, absl::string_view(a.id),
                      -static_cast<int>(a.source)) < std::tuple(b.verdict, b.dimension, !b.primary, -b.score,
                                                                absl::string_view(b.id), -static_cast<int>(b.source));
  });
  if (!options.sources.empty()) return result;
  std::set<std::pair<Dimension, std::string>> seen;
  std::erase_if(result, [&](const Label& label) { return !seen.emplace(label.dimension, label.id).second; });
  return result;
}

std::string LabelPath(size_t index, Dimension dimension) {
  constexpr std::array<absl::string_view, kDimensionCount> kFields = {"region_code", "group_id", "issue_id"};
  return absl::StrCat("labels[", index, "].", kFields[static_cast<size_t>(dimension)]);
}

std::string IdFromUrl(absl::string_view url) {
  const absl::StatusOr<std::string> canonical = common::CanonicalUrl(url);
  return canonical.ok() ? common::Hash128Hex(*canonical) : std::string();
}

size_t TextBytes(const Article& article) {
  size_t bytes = article.id.size() + article.url.size() + article.title.size() + article.body.size() +
                 article.summary.size() + article.source.size() + article.image_url.size() +
                 article.content_type.size();
  for (const std::string& url : article.alternate_urls) bytes += url.size();
  for (const std::string& author : article.authors) bytes += author.size();
  for (const SourceLabel& label : article.source_labels) bytes += label.kind.size() + label.name.size();
  for (const Label& label : article.labels) bytes += label.id.size();
  for (const auto& [name, values] : article.attributes) {
    bytes += name.size();
    for (const std::string& value : values) bytes += value.size();
  }
  return bytes;
}

absl::StatusOr<Normalized> Normalize(Article article, absl::Time now) {
  RETURN_IF_ERROR(CheckArticleSize(article));
  RETURN_IF_ERROR(CheckUtf8(article));
  RETURN_IF_ERROR(CheckSize("id", article.id.size(), kMaxIdBytes));
  if (!std::all_of(article.id.begin(), article.id.end(), IsIdChar)) {
    return common::InvalidField("id", "may hold ASCII letters, digits and -._~:/@+=, only");
  }
  std::vector<std::string> warnings;
  RETURN_IF_ERROR(NormalizeUrls(article));
  RETURN_IF_ERROR(NormalizeText(article));
  RETURN_IF_ERROR(NormalizeAttributes(article));
  RETURN_IF_ERROR(NormalizeLabels(article, warnings));
  article.language_code = common::NormalizeLanguageTag(article.language_code);
  RETURN_IF_ERROR(common::CheckLanguageTag("language_code", article.language_code));
  NormalizeTimes(now, article, warnings);
  if (common::HoldsHtml(article.body)) {
    warnings.emplace_back(
        "body: holds tags of HTML, which are taken for text: send the page as document, or take them out");
  }
  // Normalised text may be longer than what came; an answer has to hold it.
  RETURN_IF_ERROR(CheckArticleSize(article));

  article.content_hash = ContentHash(article);
  if (article.id.empty()) article.id = article.url.empty() ? IdFromContent(article) : IdFromUrl(article.url);
  return Normalized{std::move(article), std::move(warnings)};
}

}  // namespace dateline::search
