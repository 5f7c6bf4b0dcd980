#include "common/label_map_lines.h"

#include <fstream>
#include <unordered_set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

#include "common/printable.h"
#include "common/text.h"

namespace dateline::common {

std::string LabelKey(absl::string_view name) { return FoldForMatch(NormalizeLine(name)); }

absl::Status LabelMapError(const LabelMapLine& line, absl::string_view problem) {
  return absl::InvalidArgumentError(absl::StrCat("line ", line.number, ": ", problem));
}

absl::StatusOr<std::vector<LabelMapLine>> ParseLabelMapLines(absl::string_view text) {
  std::vector<LabelMapLine> lines;
  std::unordered_set<std::string> keys;
  int number = 0;
  for (absl::string_view rest : absl::StrSplit(text, '\n')) {
    LabelMapLine line;
    line.number = ++number;
    rest = absl::StripAsciiWhitespace(rest.substr(0, rest.find('#')));
    if (rest.empty()) continue;
    const size_t equals = rest.find('=');
    if (equals == absl::string_view::npos) {
      return LabelMapError(line, "there is no =; write NAME = issue:trade, country:IR");
    }
    const absl::string_view name = absl::StripAsciiWhitespace(rest.substr(0, equals));
    line.key = LabelKey(name);
    if (line.key.empty()) return LabelMapError(line, "there is no name before =");
    for (const absl::string_view part : absl::StrSplit(rest.substr(equals + 1), ',')) {
      const absl::string_view target = absl::StripAsciiWhitespace(part);
      if (!target.empty()) line.targets.emplace_back(target);
    }
    if (!keys.insert(line.key).second) {
      return LabelMapError(line,
                           absl::StrCat("“", Printable(name), "” is mapped on an earlier line as well; merge the two"));
    }
    lines.push_back(std::move(line));
  }
  return lines;
}

absl::StatusOr<std::vector<LabelMapLine>> ReadLabelMapLines(const std::string& path) {
  std::string text(kMaxLabelMapBytes + 1, '\0');
  std::ifstream file(path, std::ios::binary);
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!file.is_open() || file.bad()) {
    return absl::InvalidArgumentError(absl::StrCat(Printable(path), " cannot be read"));
  }
  text.resize(static_cast<size_t>(file.gcount()));
  if (text.size() > kMaxLabelMapBytes) {
    return absl::InvalidArgumentError(absl::StrCat(Printable(path), " is longer than 4 MB"));
  }
  absl::StatusOr<std::vector<LabelMapLine>> lines = ParseLabelMapLines(text);
  if (lines.ok()) return lines;
  return absl::InvalidArgumentError(absl::StrCat(Printable(path), ", ", lines.status().message()));
}

}  // namespace dateline::common
