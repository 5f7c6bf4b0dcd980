#include "common/language_tag.h"

#include <unicode/locid.h>
#include <unicode/unistr.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"

#include "common/error.h"

namespace dateline::common {

std::string NormalizeLanguageTag(absl::string_view tag) {
  return absl::StrReplaceAll(absl::StripAsciiWhitespace(tag), {{"_", "-"}});
}

std::string BaseLanguage(absl::string_view tag) {
  return absl::AsciiStrToLower(tag.substr(0, tag.find_first_of("-_")));
}

std::string CanonicalLanguageTag(absl::string_view tag) {
  std::vector<std::string> parts = absl::StrSplit(absl::AsciiStrToLower(tag), '-');
  bool extension = false;  // Behind a subtag of one letter all is in lower case.
  for (size_t i = 1; i < parts.size(); ++i) {
    extension = extension || parts[i].size() == 1;
    if (extension) continue;
    const bool region = parts[i].size() == 2;
    if (region) absl::AsciiStrToUpper(&parts[i]);
    if (parts[i].size() == 4) parts[i][0] = absl::ascii_toupper(static_cast<unsigned char>(parts[i][0]));
  }
  return absl::StrJoin(parts, "-");
}

std::string LanguageOfName(absl::string_view name) {
  static const auto* const kLanguages = [] {
    auto* languages = new std::map<std::string, std::string>();
    for (const char* const* code = icu::Locale::getISOLanguages(); *code != nullptr; ++code) {
      icu::UnicodeString display;
      icu::Locale(*code).getDisplayLanguage(icu::Locale::getEnglish(), display);
      std::string text;
      display.toUTF8String(text);
      languages->emplace(absl::AsciiStrToLower(text), *code);  // "en" stands before codes of three letters.
    }
    return languages;
  }();
  const auto found = kLanguages->find(absl::AsciiStrToLower(absl::StripAsciiWhitespace(name)));
  return found == kLanguages->end() ? std::string() : found->second;
}

absl::Status CheckLanguageTag(absl::string_view field, absl::string_view tag) {
  if (tag.empty()) return absl::OkStatus();
  bool well_formed = tag.size() <= kMaxLanguageTagBytes;
  bool first = true;
  for (const absl::string_view part : absl::StrSplit(tag, '-')) {
    const bool sized = part.size() >= (first ? 2 : 1) && part.size() <= (first ? 3 : 8);
    const auto allowed = [first](unsigned char c) { return first ? absl::ascii_isalpha(c) : absl::ascii_isalnum(c); };
    well_formed = well_formed && sized && std::all_of(part.begin(), part.end(), allowed);
    first = false;
  }
  if (well_formed) return absl::OkStatus();
  return InvalidField(field, "is no BCP 47 tag such as \"en\" or \"pt-BR\"");
}

}  // namespace dateline::common
