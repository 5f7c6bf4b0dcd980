#include "common/printable.h"

#include <cstddef>

#include "common/text.h"

namespace dateline::common {

std::string Printable(absl::string_view text) {
  std::string clean = IsValidUtf8(text) ? std::string(text) : NormalizeLine(text);
  for (size_t i = 0; i < clean.size(); ++i) {
    const auto byte = static_cast<unsigned char>(clean[i]);
    if (byte < 0x20 || byte == 0x7F) clean[i] = '?';
    // C1 controls are two bytes: C2 80 to C2 9F.
    if (byte == 0xC2 && i + 1 < clean.size() && static_cast<unsigned char>(clean[i + 1]) < 0xA0) {
      clean.replace(i, 2, "?");
    }
  }
  return clean;
}

}  // namespace dateline::common
