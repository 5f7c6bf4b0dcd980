// Text of strangers on a terminal.
#ifndef DATELINE_COMMON_PRINTABLE_H_
#define DATELINE_COMMON_PRINTABLE_H_

#include <string>

#include "absl/strings/string_view.h"

namespace dateline::common {

// One line that a terminal can be given: control characters, which could move the cursor or change the title, become
// '?', ill-formed UTF-8 becomes U+FFFD, and characters that turn the direction of what follows (U+202E and its like)
// go.
std::string Printable(absl::string_view text);

// The same for text of several lines: line ends and tabs stay, and so do sequences that set colours (ESC [ … m).
std::string PrintableLines(absl::string_view text);

// JSON, as a terminal can be given it: the same characters are escaped, so that it means the same.
std::string PrintableJson(absl::string_view json);

}  // namespace dateline::common

#endif  // DATELINE_COMMON_PRINTABLE_H_
