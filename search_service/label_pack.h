// The labels and facet values of an article in the few bytes that the index reads for every match.
#ifndef DATELINE_SEARCH_SERVICE_LABEL_PACK_H_
#define DATELINE_SEARCH_SERVICE_LABEL_PACK_H_

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

#include "search_service/article.h"
#include "search_service/query_node.h"

namespace dateline::search {

// As much as the length of a value can say; no value that is stored comes near it (kMaxNameBytes).
inline constexpr size_t kMaxPackedValueBytes = 0xFFFF;

inline void AppendPacked(char kind, char flags, uint16_t score, absl::string_view value, std::string& pack) {
  if (value.empty() || value.size() > kMaxPackedValueBytes) return;
  pack.push_back(kind);
  pack.push_back(flags);
  pack.push_back(static_cast<char>(score >> 8));
  pack.push_back(static_cast<char>(score & 0xFF));
  pack.push_back(static_cast<char>(value.size() >> 8));
  pack.push_back(static_cast<char>(value.size() & 0xFF));
  pack.append(value.data(), value.size());
}

// Scores are kept in steps of 1e-4.
inline uint16_t PackScore(double score) {
  return static_cast<uint16_t>(std::lround(std::clamp(score, 0.0, 1.0) * 10'000));
}

// One entry: for labels `kind` is the dimension and `flags` the source, with kCounts set if the label counts by the
// rule of EffectiveLabels; for other values `kind` is the field.
struct PackedValue {
  char kind = 0;
  char flags = 0;
  uint16_t score = 0;
  absl::string_view value;
};
inline constexpr char kCounts = 0x10;

// Calls `visit` for every entry; stops at bytes that are no pack.
template <typename Visitor>
void ForEachPacked(absl::string_view pack, const Visitor& visit) {
  constexpr size_t kHeader = 6;
  const auto number = [&pack](size_t place) {
    return static_cast<unsigned>(static_cast<unsigned char>(pack[place])) << 8 |
           static_cast<unsigned>(static_cast<unsigned char>(pack[place + 1]));
  };
  while (pack.size() >= kHeader) {
    const size_t size = number(4);
    if (pack.size() < kHeader + size) return;
    visit(PackedValue{pack[0], pack[1], static_cast<uint16_t>(number(2)), pack.substr(kHeader, size)});
    pack.remove_prefix(kHeader + size);
  }
}

// Whether a packed label is one of those that `options` ask for.
inline bool LabelCounts(const PackedValue& label, const LabelOptions& options) {
  if (label.score < PackScore(options.min_score)) return false;
  if (options.sources.empty()) return (label.flags & kCounts) != 0;
  const int source = label.flags & 0x0F;
  return std::any_of(options.sources.begin(), options.sources.end(),
                     [&](LabelSource wanted) { return static_cast<int>(wanted) == source; });
}

}  // namespace dateline::search

#endif  // DATELINE_SEARCH_SERVICE_LABEL_PACK_H_
