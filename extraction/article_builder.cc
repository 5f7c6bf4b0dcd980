#include "extraction/article_builder.h"

#include <unicode/locid.h>
#include <unicode/uloc.h>
#include <unicode/unistr.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

#include "common/language_tag.h"
#include "common/text.h"
#include "common/url.h"
#include "extraction/dates.h"
#include "extraction/html_body.h"

namespace dateline::extraction {
namespace {

// The contracts' limits (proto/dateline/article/v1/article.proto).
constexpr size_t kMaxTitleBytes = 2000;
constexpr size_t kMaxSummaryBytes = 10'000;
constexpr size_t kMaxNameBytes = 500;
constexpr size_t kMaxContentTypeBytes = 200;
constexpr size_t kMaxBodyBytes = 1'800'000;  // Of an article's 2 MB, so that the rest has room.
constexpr size_t kMaxKindBytes = 100;
constexpr size_t kMaxLabels = 100;
constexpr size_t kMaxUrlBytes = 2000;
constexpr size_t kMaxWordBytes = 2000;  // Longer runs without a space are data, not words.

// Codes of languages by what people call them, in English and in the language itself: "english", "deutsch". Folded.
const absl::flat_hash_map<std::string, std::string>& LanguageNames() {
  static const auto* const kNames = [] {
    auto* names = new absl::flat_hash_map<std::string, std::string>();
    for (const char* const* code = uloc_getISOLanguages(); *code != nullptr; ++code) {
      for (const char* in : {"en", *code}) {
        const icu::Locale language(*code);
        icu::UnicodeString name;
        language.getDisplayLanguage(icu::Locale(in), name);
        std::string text;
        name.toUTF8String(text);
        names->try_emplace(common::FoldForMatch(text), *code);
      }
    }
    return names;
  }();
  return *kNames;
}

// "en" for "english" and "eng", which some sources write; other tags as they should be. Empty for what is none.
std::string LanguageTagOf(absl::string_view given) {
  std::string tag = common::NormalizeLanguageTag(given);
  const std::string base = common::BaseLanguage(tag);
  if (base.size() == 2 && common::CheckLanguageTag("language_code", tag).ok()) {
    return tag;
  }
  const auto named = LanguageNames().find(common::FoldForMatch(tag));
  if (named != LanguageNames().end()) {
    return named->second;
  }
  // No language has a registered tag of four letters or more.
  if (base.size() != 3 || !common::CheckLanguageTag("language_code", tag).ok()) {
    return "";
  }
  return absl::StrCat(icu::Locale(base.c_str()).getLanguage(), tag.substr(base.size()));
}

std::string Bounded(absl::string_view text, size_t limit) {
  return std::string(text.substr(0, common::CodePointFloor(text, limit)));
}

// At most `limit` bytes, up to the end of a word.
std::string Beginning(absl::string_view text, size_t limit) {
  if (text.size() <= limit) {
    return std::string(text);
  }
  text = text.substr(0, common::CodePointFloor(text, limit));
  const size_t space = text.find_last_of(" \n");
  return std::string(absl::StripTrailingAsciiWhitespace(text.substr(0, space)));
}

// True for encoded data (base64 and the like) that stands in the text of a page.
bool HoldsEncodedData(absl::string_view text) {
  size_t run = 0;
  for (const char c : text) {
    run = c == ' ' || c == '\n' || (c & 0x80) != 0 ? 0 : run + 1;
    if (run > kMaxWordBytes) {
      return true;
    }
  }
  return false;
}

}  // namespace

void SetBody(const std::vector<BodyPart>& parts, Article* article, std::vector<std::string>* warnings) {
  bool dropped = false;
  for (const BodyPart& part : parts) {
    if (HoldsEncodedData(part.text)) {
      dropped = true;
      continue;
    }
    std::string text = common::NormalizeText(part.text);
    if (text.empty()) {
      continue;
    }
    std::string& body = article->body;
    const bool too_long = body.size() + text.size() + 2 > kMaxBodyBytes;
    if (too_long) {
      text = Beginning(text, kMaxBodyBytes - std::min(body.size() + 2, kMaxBodyBytes));
    }
    absl::StrAppend(&body, body.empty() ? "" : "\n\n", text);
    if (part.heading_level > 0) {
      article->headings.push_back({.start = static_cast<int32_t>(body.size() - text.size()),
                                   .end = static_cast<int32_t>(body.size()),
                                   .level = part.heading_level});
    }
    if (too_long) {
      warnings->push_back(
          absl::StrCat("body: cut off after ", body.size(), " bytes; no article may have more than 2 MB"));
      break;
    }
  }
  if (dropped) {
    warnings->emplace_back("body: encoded data within the text was left out");
  }
}

void FinishArticle(absl::string_view url, absl::Time now, Article* article, std::vector<std::string>* warnings) {
  article->title = Bounded(common::NormalizeLine(article->title), kMaxTitleBytes);
  article->summary = Bounded(common::NormalizeText(article->summary), kMaxSummaryBytes);
  article->source = Bounded(common::NormalizeLine(article->source), kMaxNameBytes);
  const std::string language = LanguageTagOf(article->language_code);
  if (language.empty() && !article->language_code.empty()) {
    warnings->emplace_back("language_code: what is stated is no language tag (\"en\") and was left out");
  }
  article->language_code = language;
  article->content_type = Bounded(common::NormalizeLine(article->content_type), kMaxContentTypeBytes);
  for (std::string& author : article->authors) {
    author = Bounded(common::NormalizeLine(author), kMaxNameBytes);
  }
  std::vector<SourceLabel> labels;
  for (SourceLabel& label : article->source_labels) {
    label.kind = Bounded(common::NormalizeLine(label.kind), kMaxKindBytes);
    label.name = Bounded(common::NormalizeLine(label.name), kMaxNameBytes);
    if (!label.name.empty() && labels.size() < kMaxLabels &&
        std::find(labels.begin(), labels.end(), label) == labels.end()) {
      labels.push_back(std::move(label));
    }
  }
  article->source_labels = std::move(labels);
  for (auto& [name, values] : article->attributes) {
    for (std::string& value : values) {
      value = Bounded(common::NormalizeLine(value), kMaxNameBytes);
    }
  }
  const absl::StatusOr<std::string> canonical = common::CanonicalUrl(url);
  if (canonical.ok() && url.size() <= kMaxUrlBytes) {
    if (article->url.empty()) {
      article->url = std::string(url);
    } else if (*canonical != common::CanonicalUrl(article->url).value_or("")) {
      article->alternate_urls.emplace_back(url);
    }
  }
  std::vector<std::string>& others = article->alternate_urls;
  article->url = common::WithoutUserInfo(article->url);
  article->image_url = common::WithoutUserInfo(article->image_url);
  for (std::string& other : others) {
    other = common::WithoutUserInfo(other);
  }
  others.erase(std::remove(others.begin(), others.end(), article->url), others.end());
  if (article->publish_time && !IsPlausibleTime(*article->publish_time, now)) {
    warnings->emplace_back("publish_time: cannot be right and was dropped");
    article->publish_time.reset();
  }
  if (article->update_time &&
      (!IsPlausibleTime(*article->update_time, now) ||
       (article->publish_time && *article->update_time < *article->publish_time - absl::Hours(24)))) {
    article->update_time.reset();
  }
  if (article->body.empty()) {
    warnings->emplace_back("body: none found");
  }
}

}  // namespace dateline::extraction
