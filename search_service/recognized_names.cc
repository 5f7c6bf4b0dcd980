#include "search_service/recognized_names.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

#include "common/language_tag.h"
#include "search_service/text_analysis.h"

namespace dateline::search {
namespace {

constexpr size_t kMaxNameWords = 6;
// Of scripts without spaces: "ボスニア・ヘルツェゴビナ".
constexpr size_t kMaxNameCharacters = 12;
// A shorter name is a word of its own in some language, unless it is written in capitals.
constexpr size_t kMinNameBytes = 3;
constexpr size_t kShortestNameBytes = 2;
// Well-known names that hold the name of a country which they don't mean. Those that are a country's own ("new
// caledonia", "south sudan") are found by being longer.
constexpr std::array<absl::string_view, 21> kNamesOfOthers = {
    "new jersey",     "jersey city",  "jersey shore",     "new mexico",     "gulf of mexico", "northern ireland",
    "new england",    "rhode island", "long island",      "staten island",  "new guinea",     "gulf of guinea",
    "guinea pig",     "guinea pigs",  "british columbia", "inner mongolia", "niger delta",    "south china sea",
    "east china sea", "sea of japan", "indian ocean"};

bool IsNameOfOthers(absl::string_view text) {
  return std::find(kNamesOfOthers.begin(), kNamesOfOthers.end(), NameKey(text)) != kNamesOfOthers.end();
}

// Whether what stands there is meant as a name.
bool LooksMeant(absl::string_view text, bool english) {
  const bool capitals =
      std::all_of(text.begin(), text.end(), [](unsigned char c) { return !absl::ascii_islower(c); }) &&
      std::any_of(text.begin(), text.end(), [](unsigned char c) { return absl::ascii_isupper(c); });
  return capitals || (text.size() >= (english ? kShortestNameBytes : kMinNameBytes) && !IsFunctionWord(Fold(text)));
}

// How many of the words that begin at `first` may be one name.
size_t LongestNameAt(const std::vector<WordPlace>& places, size_t first) {
  size_t count = 1;
  const size_t most = places[first].character ? kMaxNameCharacters : kMaxNameWords;
  while (count < most && first + count < places.size() && places[first + count].character == places[first].character) {
    ++count;
  }
  return count;
}

std::string IdOf(const Taxonomy::Target& target) {
  switch (target.dimension) {
    case Dimension::kCountry:
      return absl::StrCat("country:", target.id);
    case Dimension::kGroup:
      return absl::StrCat("group:", target.id);
    case Dimension::kIssue:
      break;
  }
  return absl::StrCat("issue:", target.id);
}

}  // namespace

std::vector<RecognizedName> RecognizeNames(const SearchQuery& query, const std::vector<WordPlace>& places,
                                           const Taxonomy& taxonomy) {
  const std::string language = common::BaseLanguage(query.language_code);
  const std::vector<std::string> languages = {language, common::BaseLanguage(query.display_language)};
  const bool english = language.empty() || language == "en";
  std::vector<RecognizedName> names;
  for (size_t i = 0; i < places.size();) {
    size_t taken = 1;
    // A single character is a word of its own, though some are short for a country.
    const size_t shortest = places[i].character ? 2 : 1;
    for (size_t count = LongestNameAt(places, i); count >= shortest; --count) {
      const size_t start = places[i].start;
      const size_t end = places[i + count - 1].end;
      const absl::string_view text = absl::string_view(query.query).substr(start, end - start);
      const std::vector<Taxonomy::Target> targets =
          LooksMeant(text, english) ? taxonomy.ByNameInQuery(text, languages) : std::vector<Taxonomy::Target>();
      // The taxonomy may know better: Northern Ireland as a name of the United Kingdom.
      if (targets.empty() && IsNameOfOthers(text)) {
        taken = count;
        break;
      }
      if (targets.size() != 1) continue;
      const std::vector<std::string> current = taxonomy.Current(targets[0].dimension, targets[0].id);
      if (current.size() != 1) continue;
      taken = count;
      RecognizedName name;
      name.dimension = targets[0].dimension;
      name.label_id = current[0];
      name.id = IdOf({name.dimension, name.label_id});
      const std::vector<std::string>& ignored = query.ignored_names;
      if (std::find(ignored.begin(), ignored.end(), name.id) != ignored.end()) break;
      name.text = std::string(text);
      name.range = {static_cast<int32_t>(start), static_cast<int32_t>(end)};
      name.alternative = places[i].alternative;
      names.push_back(std::move(name));
      break;
    }
    i += taken;
  }
  return names;
}

}  // namespace dateline::search
