// The lines of a file that says what a site's own names of labels mean. What a target is, only its reader knows:
//
//   Gulf Security = issue:security, group:gcc
//   Opinion       =                            # says nothing of countries or issues
#ifndef DATELINE_COMMON_LABEL_MAP_LINES_H_
#define DATELINE_COMMON_LABEL_MAP_LINES_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace dateline::common {

inline constexpr size_t kMaxLabelMapBytes = 4'000'000;

struct LabelMapLine {
  int number = 0;                    // From 1.
  std::string key;                   // LabelKey() of the name before =.
  std::vector<std::string> targets;  // What stands between commas behind it, as written; none: it says nothing.
};

// Names are the same without regard to case, diacritics and space.
std::string LabelKey(absl::string_view name);

// Reads them all; # begins a comment. InvalidArgument, "line 3: …", for a line without =, without a name, or of a name
// that an earlier line has.
absl::StatusOr<std::vector<LabelMapLine>> ParseLabelMapLines(absl::string_view text);

// The same for the file at `path`; its errors name it. InvalidArgument also if it can't be read or is too long.
absl::StatusOr<std::vector<LabelMapLine>> ReadLabelMapLines(const std::string& path);

// The error of a target: "line 3: " before `problem`.
absl::Status LabelMapError(const LabelMapLine& line, absl::string_view problem);

}  // namespace dateline::common

#endif  // DATELINE_COMMON_LABEL_MAP_LINES_H_
