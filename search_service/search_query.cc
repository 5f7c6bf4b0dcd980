#include "search_service/search_query.h"

#include "absl/status/status.h"
#include "absl/time/clock.h"

namespace dateline::search {

absl::Status SearchOutOfTime() {
  return absl::DeadlineExceededError("the search did not finish before its deadline; ask for less, or allow more time");
}

absl::Status SearchCancelled() { return absl::CancelledError("the caller cancelled the search"); }

absl::Status CheckTime(absl::Time deadline, const std::function<bool()>& cancelled) {
  if (cancelled && cancelled()) return SearchCancelled();
  return absl::Now() < deadline ? absl::OkStatus() : SearchOutOfTime();
}

}  // namespace dateline::search
