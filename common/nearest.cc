#include "common/nearest.h"

#include <unicode/unistr.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <utility>

#include "common/text.h"

namespace dateline::common {
namespace {

// Typed names are short. What is longer is a sentence, or an attempt to make the comparison slow.
constexpr int32_t kLongestName = 64;
constexpr int32_t kShortestBeginning = 3;

icu::UnicodeString Folded(absl::string_view text) {
  const std::string folded = FoldForMatch(text);
  return icu::UnicodeString::fromUTF8(icu::StringPiece(folded.data(), static_cast<int32_t>(folded.size())));
}

// Both at most kLongestName long.
int Edits(const icu::UnicodeString& a, const icu::UnicodeString& b) {
  using Row = std::array<int, kLongestName + 1>;
  Row before_last = {};
  Row last = {};
  Row row = {};
  for (int32_t j = 0; j <= b.length(); ++j) last[static_cast<size_t>(j)] = j;
  for (int32_t i = 1; i <= a.length(); ++i) {
    row[0] = i;
    for (int32_t j = 1; j <= b.length(); ++j) {
      const auto at = static_cast<size_t>(j);
      const int replaced = last[at - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[at] = std::min({last[at] + 1, row[at - 1] + 1, replaced});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[at] = std::min(row[at], before_last[at - 2] + 1);
      }
    }
    before_last = last;
    last = row;
  }
  return last[static_cast<size_t>(b.length())];
}

}  // namespace

std::vector<size_t> NearestNames(absl::string_view word, const std::vector<std::string>& names, size_t count) {
  const icu::UnicodeString wanted = Folded(word);
  if (wanted.isEmpty() || wanted.length() > kLongestName) return {};
  const int limit = std::max(1, wanted.length() / 3);
  std::vector<std::pair<int, size_t>> near;  // How far, and where.
  for (size_t i = 0; i < names.size(); ++i) {
    const icu::UnicodeString name = Folded(names[i]);
    if (wanted.length() >= kShortestBeginning && name.startsWith(wanted)) {
      // As one that is off by one; a name that is equal comes before.
      near.emplace_back(name.length() == wanted.length() ? 0 : 1, i);
    } else if (name.length() <= kLongestName && std::abs(name.length() - wanted.length()) <= limit) {
      if (const int edits = Edits(wanted, name); edits <= limit) near.emplace_back(edits, i);
    }
  }
  std::sort(near.begin(), near.end());
  std::vector<size_t> places;
  for (const auto& [distance, place] : near) {
    if (places.size() == count) break;
    places.push_back(place);
  }
  return places;
}

}  // namespace dateline::common
