// Digests, in lower-case hexadecimal.
#ifndef DATELINE_COMMON_HASH_H_
#define DATELINE_COMMON_HASH_H_

#include <string>

#include "absl/strings/string_view.h"

namespace dateline::common {

// SHA-256: 64 digits.
std::string Sha256Hex(absl::string_view bytes);

// The first 128 bits of the SHA-256: 32 digits. Enough to name an article by its content or URL: among 10^9 of them two
// share a name with a probability of about 10^-21.
std::string Hash128Hex(absl::string_view bytes);

}  // namespace dateline::common

#endif  // DATELINE_COMMON_HASH_H_
