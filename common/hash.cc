#include "common/hash.h"

#include <openssl/evp.h>

#include <array>
#include <cstdlib>

#include "absl/strings/escaping.h"

namespace dateline::common {
namespace {

std::string Sha256(absl::string_view bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest = {};
  unsigned int size = 0;
  if (EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_sha256(), nullptr) != 1) {
    std::abort();  // Only without memory: SHA-256 itself can't fail, and an identity must never be made up.
  }
  return {reinterpret_cast<const char*>(digest.data()), size};
}

}  // namespace

std::string Sha256Hex(absl::string_view bytes) { return absl::BytesToHexString(Sha256(bytes)); }

std::string Hash128Hex(absl::string_view bytes) { return absl::BytesToHexString(Sha256(bytes).substr(0, 16)); }

}  // namespace dateline::common
