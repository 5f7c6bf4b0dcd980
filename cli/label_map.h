// A site's own names of what it files articles under, made into countries, groups and issues.
#ifndef DATELINE_CLI_LABEL_MAP_H_
#define DATELINE_CLI_LABEL_MAP_H_

#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "cli/taxonomy_names.h"
#include "common/label_map_lines.h"

namespace dateline::cli {

// What a label means.
struct LabelTarget {
  LabelKind kind = LabelKind::kIssue;
  std::string code;
  friend bool operator==(const LabelTarget&, const LabelTarget&) = default;
};

// Immutable, thus thread-safe.
class LabelMap {
 public:
  LabelMap() = default;  // Maps nothing.

  // One mapping a line; # begins a comment:
  //
  //   Gulf Security = issue:security, group:gcc
  //   Levant Desk   = group:levant
  //   Opinion       =                      # says nothing of countries or issues
  //
  // What is right of = are codes, ids, names or aliases, with `country:`, `group:` or `issue:` before them, or without
  // where only one of the three has the name. InvalidArgument, with the line, for anything else.
  static absl::StatusOr<LabelMap> Parse(absl::string_view text, const TaxonomyNames& names);

  // The same for a file, which its errors name.
  static absl::StatusOr<LabelMap> Load(const std::string& path, const TaxonomyNames& names);

  // What `label` is mapped to, without regard to case, diacritics and space; empty: it says nothing. nullopt: it is not
  // in the map.
  std::optional<std::vector<LabelTarget>> Find(absl::string_view label) const;

 private:
  static absl::StatusOr<LabelMap> Of(const std::vector<common::LabelMapLine>& lines, const TaxonomyNames& names);

  std::unordered_map<std::string, std::vector<LabelTarget>> targets_;  // By folded name.
};

}  // namespace dateline::cli

#endif  // DATELINE_CLI_LABEL_MAP_H_
