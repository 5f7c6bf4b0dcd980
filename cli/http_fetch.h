// Fetches one page over http or https.
#ifndef DATELINE_CLI_HTTP_FETCH_H_
#define DATELINE_CLI_HTTP_FETCH_H_

#include <cstddef>
#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace dateline::cli {

struct FetchLimits {
  size_t max_bytes = 16'000'000;  // After decompression: what the server sends may unpack to a thousand times as much.
  absl::Duration timeout = absl::Seconds(30);  // For everything, redirects included.
  int max_redirects = 5;
};

struct FetchedPage {
  std::string content;
  std::string media_type;  // The Content-Type header, parameters included; empty if there was none.
  std::string url;         // Where it was found in the end.
  absl::Time fetch_time;
};

// Blocks. `interrupted` is asked now and then; when it says true the result is Cancelled.
//
// InvalidArgument for an address that is not http or https (also one that a redirect leads to) or not well-formed;
// NotFound for 404 and 410, PermissionDenied for 401, 403 and 451, Unavailable for a host that cannot be reached and
// for 5xx and 429, FailedPrecondition for other answers but 2xx, ResourceExhausted beyond `max_bytes`,
// DeadlineExceeded beyond `timeout`.
absl::StatusOr<FetchedPage> FetchPage(const std::string& url, const FetchLimits& limits,
                                      const std::function<bool()>& interrupted);

}  // namespace dateline::cli

#endif  // DATELINE_CLI_HTTP_FETCH_H_
