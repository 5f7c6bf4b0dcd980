// Language tags as requests and articles carry them.
#ifndef DATELINE_COMMON_LANGUAGE_TAG_H_
#define DATELINE_COMMON_LANGUAGE_TAG_H_

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace dateline::common {

constexpr size_t kMaxLanguageTagBytes = 35;  // RFC 5646, 4.4.1.

// As people write them to as they should be: "_" for "-", blanks around.
std::string NormalizeLanguageTag(absl::string_view tag);

// "en" for "en-GB", "EN" or "en_US"; empty for an empty tag.
std::string BaseLanguage(absl::string_view tag);

// As BCP 47 writes it: "pt-BR", "zh-Hant-TW" for a well-formed tag in any case.
std::string CanonicalLanguageTag(absl::string_view tag);

// "ar" for "Arabic": of a language's English name, case ignored. Empty for what is none.
std::string LanguageOfName(absl::string_view name);

// OK if `tag` is empty or well-formed after BCP 47 (RFC 5646, 2.1): a language of 2 or 3 letters (longer ones were
// never registered; "english" is none), then subtags of 1 to 8 letters and digits, joined by "-". Whether the subtags
// are registered isn't looked up. Otherwise InvalidArgument naming `field`.
absl::Status CheckLanguageTag(absl::string_view field, absl::string_view tag);

}  // namespace dateline::common

#endif  // DATELINE_COMMON_LANGUAGE_TAG_H_
