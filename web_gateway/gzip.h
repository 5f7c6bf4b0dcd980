// gzip (RFC 1952) over whole strings, with a bound on what comes out.
#ifndef DATELINE_WEB_GATEWAY_GZIP_H_
#define DATELINE_WEB_GATEWAY_GZIP_H_

#include <cstddef>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace dateline::web_gateway {

// Returns `data` as one gzip member.
std::string Gzip(absl::string_view data);

// Returns what the one gzip member `data` holds. Fails with InvalidArgument if it is damaged, cut off or followed
// by other bytes, and with ResourceExhausted as soon as more than `max_bytes` would come out: a few bytes that
// unfold to gigabytes cost no more than that.
absl::StatusOr<std::string> Gunzip(absl::string_view data, size_t max_bytes);

}  // namespace dateline::web_gateway

#endif  // DATELINE_WEB_GATEWAY_GZIP_H_
