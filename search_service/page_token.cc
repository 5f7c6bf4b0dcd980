#include "search_service/page_token.h"

#include <algorithm>
#include <cstddef>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

#include "common/hash.h"

namespace dateline::search {

uint64_t Fingerprint64(absl::string_view text) {
  uint64_t value = 0;
  (void)absl::SimpleHexAtoi(common::Hash128Hex(text).substr(0, 16), &value);
  return value;
}

std::string EncodePageToken(const PageToken& token) {
  const std::string body =
      absl::StrCat(absl::Hex(token.nonce), ".", absl::Hex(token.id), ".", absl::Hex(token.fingerprint), ".",
                   absl::Hex(token.offset), ".", absl::Hex(token.state), ".", absl::Hex(token.visible_until));
  return absl::WebSafeBase64Escape(absl::StrCat(body, ".", absl::Hex(Fingerprint64(body))));
}

std::optional<PageToken> ParsePageToken(absl::string_view text) {
  std::string plain;
  if (text.size() > 200 || !absl::WebSafeBase64Unescape(text, &plain)) return std::nullopt;
  const size_t last = plain.rfind('.');
  if (last == std::string::npos) return std::nullopt;
  const std::string body = plain.substr(0, last);
  uint64_t check = 0;
  if (!absl::SimpleHexAtoi(plain.substr(last + 1), &check) || check != Fingerprint64(body)) return std::nullopt;
  PageToken token;
  size_t start = 0;
  for (uint64_t* part :
       {&token.nonce, &token.id, &token.fingerprint, &token.offset, &token.state, &token.visible_until}) {
    const size_t end = std::min(body.find('.', start), body.size());
    if (!absl::SimpleHexAtoi(body.substr(start, end - start), part)) return std::nullopt;
    start = std::min(end + 1, body.size());
  }
  // The check says nothing of how the token is written: base64 has several forms for the same bytes.
  if (EncodePageToken(token) != text) return std::nullopt;
  return token;
}

}  // namespace dateline::search
