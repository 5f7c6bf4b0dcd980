#include "common/language_tag.h"

#include <algorithm>

#include "absl/strings/ascii.h"
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

absl::Status CheckLanguageTag(absl::string_view field, absl::string_view tag) {
  if (tag.empty()) return absl::OkStatus();
  bool well_formed = tag.size() <= kMaxLanguageTagBytes;
  bool first = true;
  for (const absl::string_view part : absl::StrSplit(tag, '-')) {
    const bool sized = part.size() >= (first ? 2 : 1) && part.size() <= 8;
    const auto allowed = [first](unsigned char c) { return first ? absl::ascii_isalpha(c) : absl::ascii_isalnum(c); };
    well_formed = well_formed && sized && std::all_of(part.begin(), part.end(), allowed);
    first = false;
  }
  if (well_formed) return absl::OkStatus();
  return InvalidField(field, "is no BCP 47 tag such as \"en\" or \"pt-BR\"");
}

}  // namespace dateline::common
