// Details of errors, attached to absl::Status without any protobuf: which fields are wrong, a reason that programs can
// act on, when to try again. common/rpc/status.h turns them into google.rpc details at the edge, and back.
#ifndef DATELINE_COMMON_ERROR_H_
#define DATELINE_COMMON_ERROR_H_

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace dateline::common {

// The `domain` of every google.rpc.ErrorInfo that this project emits.
inline constexpr absl::string_view kErrorDomain = "dateline";

// One thing wrong with a request. `field` is the path in the request's message, as in "articles[3].publish_time";
// `description` says what is wrong and what would be right.
struct FieldViolation {
  std::string field;
  std::string description;
  friend bool operator==(const FieldViolation&, const FieldViolation&) = default;
};

// InvalidArgument with the message "FIELD: DESCRIPTION" and one violation: InvalidField("page_size", "must not be
// negative").
absl::Status InvalidField(absl::string_view field, absl::string_view description);

// InvalidArgument for several fields at once; OK if `violations` is empty.
absl::Status InvalidFields(const std::vector<FieldViolation>& violations);

// ResourceExhausted or Unavailable, to be tried again after `retry_delay`.
absl::Status ResourceExhausted(absl::string_view message, absl::Duration retry_delay);
absl::Status Unavailable(absl::string_view message, absl::Duration retry_delay);

// The same status with a detail added or replaced. An OK status stays as it is. `reason` is UPPER_SNAKE_CASE and
// stable: programs compare it.
absl::Status WithReason(absl::Status status, absl::string_view reason);
absl::Status WithMetadata(absl::Status status, absl::string_view key, absl::string_view value);
absl::Status WithRetryDelay(absl::Status status, absl::Duration retry_delay);
absl::Status WithFieldViolations(absl::Status status, const std::vector<FieldViolation>& violations);

// The same status with `prefix` and a dot before each field it names, and before its message: for a part of a request
// that was checked by itself. WithFieldPrefix(InvalidField("title", "is missing"), "articles[3]") names
// "articles[3].title".
absl::Status WithFieldPrefix(absl::Status status, absl::string_view prefix);

// What was attached. Without a reason of its own a status has the name of its code ("NOT_FOUND"); OK has "".
std::string ReasonOf(const absl::Status& status);
std::map<std::string, std::string> MetadataOf(const absl::Status& status);
std::vector<FieldViolation> FieldViolationsOf(const absl::Status& status);
std::optional<absl::Duration> RetryDelayOf(const absl::Status& status);

}  // namespace dateline::common

#endif  // DATELINE_COMMON_ERROR_H_
