// Where a later page of a search begins, as the opaque text that callers carry.
#ifndef DATELINE_SEARCH_SERVICE_PAGE_TOKEN_H_
#define DATELINE_SEARCH_SERVICE_PAGE_TOKEN_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace dateline::search {

struct PageToken {
  uint64_t nonce = 0;
  uint64_t id = 0;  // Of the ranking; 0: it is not kept.
  uint64_t fingerprint = 0;
  uint64_t offset = 0;
  uint64_t state = 0;          // Of index and taxonomy at the search; 0: it can't be done again exactly.
  uint64_t visible_until = 0;  // Of the ranking.
  friend bool operator==(const PageToken&, const PageToken&) = default;
};

std::string EncodePageToken(const PageToken& token);
// Takes what EncodePageToken gave, to the letter, and nothing else: not even another form of the same bytes.
std::optional<PageToken> ParsePageToken(absl::string_view text);

// What stands for a text in a token.
uint64_t Fingerprint64(absl::string_view text);

}  // namespace dateline::search

#endif  // DATELINE_SEARCH_SERVICE_PAGE_TOKEN_H_
