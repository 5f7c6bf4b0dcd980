#include "cli/label_map.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

#include "common/printable.h"
#include "common/text.h"

namespace dateline::cli {
namespace {

struct Prefix {
  LabelKind kind;
  absl::string_view text;
};
constexpr Prefix kPrefixes[] = {
    {LabelKind::kCountry, "country:"}, {LabelKind::kGroup, "group:"}, {LabelKind::kIssue, "issue:"}};

std::string Key(absl::string_view name) { return common::FoldForMatch(common::NormalizeLine(name)); }

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

absl::StatusOr<LabelMap> LabelMap::Parse(absl::string_view text, const TaxonomyNames& names) {
  LabelMap map;
  int number = 0;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    ++number;
    line = line.substr(0, line.find('#'));
    line = absl::StripAsciiWhitespace(line);
    if (line.empty()) continue;
    const auto at_line = [number](absl::string_view problem) {
      return absl::InvalidArgumentError(absl::StrCat("line ", number, ": ", problem));
    };
    const size_t equals = line.find('=');
    if (equals == absl::string_view::npos) return at_line("there is no =; write NAME = issue:trade, country:IR");
    const std::string label = Key(line.substr(0, equals));
    if (label.empty()) return at_line("there is no name before =");
    std::vector<LabelTarget> targets;
    for (absl::string_view part : absl::StrSplit(line.substr(equals + 1), ',')) {
      part = absl::StripAsciiWhitespace(part);
      if (part.empty()) continue;
      absl::StatusOr<LabelTarget> target = TargetOf(part, names);
      if (!target.ok()) return at_line(target.status().message());
      if (std::find(targets.begin(), targets.end(), *target) == targets.end()) targets.push_back(*std::move(target));
    }
    if (!map.targets_.emplace(label, std::move(targets)).second) {
      return at_line(absl::StrCat("“", common::Printable(absl::StripAsciiWhitespace(line.substr(0, equals))),
                                  "” is mapped on an earlier line as well; merge the two"));
    }
  }
  return map;
}

std::optional<std::vector<LabelTarget>> LabelMap::Find(absl::string_view label) const {
  const auto found = targets_.find(Key(label));
  if (found == targets_.end()) return std::nullopt;
  return found->second;
}

}  // namespace dateline::cli
