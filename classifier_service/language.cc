#include "classifier_service/language.h"

#include <cld2/public/compact_lang_det.h>
#include <cld2/public/encodings.h>

#include <array>
#include <cstddef>
#include <cstdio>  // Which the next one leaves to others.

#include "absl/strings/str_cat.h"

#include "common/text.h"

namespace dateline::classifier {
namespace {

// Of 1,404 English articles, none was told otherwise from 700 bytes than from 4,000, one from 500, four from 300.
constexpr size_t kBodyBytes = 1000;
constexpr size_t kTitleBytes = 300;
// What CLD2 answers for a name or two is chance.
constexpr int kMinBytes = 20;

// CLD2 speaks ISO 639-1 of 1988 in places.
std::string TagOf(CLD2::Language language) {
  const absl::string_view code = CLD2::LanguageCode(language);
  if (code == "iw") {
    return "he";
  }
  if (code == "jw") {
    return "jv";
  }
  return std::string(code);
}

}  // namespace

std::string DetectLanguage(absl::string_view title, absl::string_view body) {
  const std::string text = absl::StrCat(title.substr(0, common::CodePointFloor(title, kTitleBytes)), "\n",
                                        body.substr(0, common::CodePointFloor(body, kBodyBytes)));
  const CLD2::CLDHints no_hints = {nullptr, nullptr, CLD2::UNKNOWN_ENCODING, CLD2::UNKNOWN_LANGUAGE};
  std::array<CLD2::Language, 3> languages{};
  std::array<int, 3> percents{};
  std::array<double, 3> scores{};
  int text_bytes = 0;
  bool reliable = false;
  int valid_bytes = 0;
  const auto detect = [&](size_t size) {
    return CLD2::ExtDetectLanguageSummaryCheckUTF8(text.data(), static_cast<int>(size), /*is_plain_text=*/true,
                                                   &no_hints, /*flags=*/0, languages.data(), percents.data(),
                                                   scores.data(), nullptr, &text_bytes, &reliable, &valid_bytes);
  };
  CLD2::Language language = detect(text.size());
  if (static_cast<size_t>(valid_bytes) < text.size()) {
    language = detect(static_cast<size_t>(valid_bytes));
  }
  return reliable && text_bytes >= kMinBytes && language != CLD2::UNKNOWN_LANGUAGE ? TagOf(language) : "und";
}

}  // namespace dateline::classifier
