#include "search_service/recognized_names.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

#include "search_service/text_analysis.h"

namespace dateline::search {
namespace {

constexpr size_t kMaxNameWords = 6;
// A shorter name is a word of its own in some language, unless it is written in capitals.
constexpr size_t kMinNameBytes = 3;

// Whether what stands there is meant as a name.
bool LooksMeant(absl::string_view text) {
  const bool capitals =
      std::all_of(text.begin(), text.end(), [](unsigned char c) { return !absl::ascii_islower(c); }) &&
      std::any_of(text.begin(), text.end(), [](unsigned char c) { return absl::ascii_isupper(c); });
  return capitals || (text.size() >= kMinNameBytes && !IsStopWord(Fold(text)));
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

std::vector<RecognizedName> RecognizeNames(absl::string_view query, const std::vector<WordPlace>& places,
                                           const Taxonomy& taxonomy, const std::vector<std::string>& ignored) {
  std::vector<RecognizedName> names;
  for (size_t i = 0; i < places.size();) {
    size_t taken = 1;
    for (size_t count = std::min(kMaxNameWords, places.size() - i); count > 0; --count) {
      const size_t start = places[i].start;
      const size_t end = places[i + count - 1].end;
      const absl::string_view text = query.substr(start, end - start);
      if (!LooksMeant(text)) continue;
      const std::vector<Taxonomy::Target> targets = taxonomy.ByNameOrDemonym(text);
      if (targets.size() != 1) continue;
      const std::vector<std::string> current = taxonomy.Current(targets[0].dimension, targets[0].id);
      if (current.size() != 1) continue;
      taken = count;
      RecognizedName name;
      name.dimension = targets[0].dimension;
      name.label_id = current[0];
      name.id = IdOf({name.dimension, name.label_id});
      if (std::find(ignored.begin(), ignored.end(), name.id) != ignored.end()) break;
      name.text = std::string(text);
      name.range = {static_cast<int32_t>(start), static_cast<int32_t>(end)};
      names.push_back(std::move(name));
      break;
    }
    i += taken;
  }
  return names;
}

}  // namespace dateline::search
