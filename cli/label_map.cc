#include "cli/label_map.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

#include "common/label_map_lines.h"
#include "common/printable.h"
#include "common/status_macros.h"

namespace dateline::cli {
namespace {

struct Prefix {
  LabelKind kind;
  absl::string_view text;
};
constexpr Prefix kPrefixes[] = {
    {LabelKind::kCountry, "country:"}, {LabelKind::kGroup, "group:"}, {LabelKind::kIssue, "issue:"}};

absl::StatusOr<LabelTarget> TargetOf(absl::string_view text, const TaxonomyNames& names) {
  const auto only = [](LabelKind kind, absl::StatusOr<std::vector<std::string>> codes) -> absl::StatusOr<LabelTarget> {
    if (!codes.ok()) return codes.status();
    if (codes->size() != 1) return absl::InvalidArgumentError("a target is missing between two commas");
    return LabelTarget{kind, std::move(codes->front())};
  };
  for (const Prefix& prefix : kPrefixes) {
    absl::string_view name = text;
    if (absl::ConsumePrefix(&name, prefix.text)) return only(prefix.kind, names.Codes(prefix.kind, name));
  }
  std::vector<LabelTarget> found;
  std::string prefixes;
  for (const Prefix& prefix : kPrefixes) {
    absl::StatusOr<LabelTarget> target = only(prefix.kind, names.Codes(prefix.kind, text));
    if (!target.ok()) continue;
    found.push_back(*std::move(target));
    absl::StrAppend(&prefixes, prefixes.empty() ? "" : " or ", prefix.text, common::Printable(text));
  }
  if (found.size() == 1) return found.front();
  if (found.empty()) {
    return absl::InvalidArgumentError(absl::StrCat("“", common::Printable(text),
                                                   "” is no country, group or issue; `dateline taxonomy` lists what "
                                                   "there is"));
  }
  return absl::InvalidArgumentError(absl::StrCat("“", common::Printable(text), "” is more than one; write ", prefixes));
}

}  // namespace

absl::StatusOr<LabelMap> LabelMap::Of(const std::vector<common::LabelMapLine>& lines, const TaxonomyNames& names) {
  LabelMap map;
  for (const common::LabelMapLine& line : lines) {
    std::vector<LabelTarget> targets;
    for (const std::string& text : line.targets) {
      absl::StatusOr<LabelTarget> target = TargetOf(text, names);
      if (!target.ok()) return common::LabelMapError(line, target.status().message());
      if (std::find(targets.begin(), targets.end(), *target) == targets.end()) targets.push_back(*std::move(target));
    }
    map.targets_.emplace(line.key, std::move(targets));
  }
  return map;
}

absl::StatusOr<LabelMap> LabelMap::Parse(absl::string_view text, const TaxonomyNames& names) {
  ASSIGN_OR_RETURN(const std::vector<common::LabelMapLine> lines, common::ParseLabelMapLines(text));
  return Of(lines, names);
}

absl::StatusOr<LabelMap> LabelMap::Load(const std::string& path, const TaxonomyNames& names) {
  ASSIGN_OR_RETURN(const std::vector<common::LabelMapLine> lines, common::ReadLabelMapLines(path));
  absl::StatusOr<LabelMap> map = Of(lines, names);
  if (map.ok()) return map;
  return absl::InvalidArgumentError(absl::StrCat(common::Printable(path), ", ", map.status().message()));
}

std::optional<std::vector<LabelTarget>> LabelMap::Find(absl::string_view label) const {
  const auto found = targets_.find(common::LabelKey(label));
  if (found == targets_.end()) return std::nullopt;
  return found->second;
}

}  // namespace dateline::cli
