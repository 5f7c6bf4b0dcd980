// Text of strangers on a terminal.
#ifndef DATELINE_COMMON_PRINTABLE_H_
#define DATELINE_COMMON_PRINTABLE_H_

#include <string>

#include "absl/strings/string_view.h"

namespace dateline::common {

// One line that a terminal can be given: control characters, which could move the cursor or change the title, become
// '?', ill-formed UTF-8 becomes U+FFFD.
std::string Printable(absl::string_view text);

}  // namespace dateline::common

#endif  // DATELINE_COMMON_PRINTABLE_H_
