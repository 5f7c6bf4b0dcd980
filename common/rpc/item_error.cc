#include "common/rpc/item_error.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/error.h"

namespace dateline::common::rpc {

article::v1::ItemError ToItemError(const absl::Status& status) {
  article::v1::ItemError error;
  error.set_code(static_cast<int32_t>(status.code()));
  error.set_reason(ReasonOf(status));
  error.set_message(std::string(status.message()));
  for (const FieldViolation& violation : FieldViolationsOf(status)) {
    article::v1::FieldViolation& proto = *error.add_field_violations();
    proto.set_field(violation.field);
    proto.set_description(violation.description);
  }
  if (const std::optional<absl::Duration> delay = RetryDelayOf(status); delay.has_value()) {
    const int64_t seconds = absl::ToInt64Seconds(*delay);
    error.mutable_retry_delay()->set_seconds(seconds);
    error.mutable_retry_delay()->set_nanos(
        static_cast<int32_t>(absl::ToInt64Nanoseconds(*delay - absl::Seconds(seconds))));
  }
  return error;
}

absl::Status FromItemError(const article::v1::ItemError& error) {
  absl::Status status(static_cast<absl::StatusCode>(error.code()), error.message());
  if (!error.reason().empty()) status = WithReason(std::move(status), error.reason());
  std::vector<FieldViolation> violations;
  for (const article::v1::FieldViolation& violation : error.field_violations()) {
    violations.push_back({.field = violation.field(), .description = violation.description()});
  }
  if (!violations.empty()) status = WithFieldViolations(std::move(status), violations);
  if (error.has_retry_delay()) {
    status = WithRetryDelay(std::move(status), absl::Seconds(error.retry_delay().seconds()) +
                                                   absl::Nanoseconds(error.retry_delay().nanos()));
  }
  return status;
}

}  // namespace dateline::common::rpc
