#include "common/rpc/timestamp.h"

#include <cstdint>

#include "absl/strings/str_cat.h"

#include "common/error.h"

namespace dateline::common::rpc {

absl::StatusOr<absl::Time> TimeFromProto(absl::string_view field, const google::protobuf::Timestamp& timestamp) {
  constexpr int64_t kMinSeconds = -62135596800;  // The year 1.
  constexpr int64_t kMaxSeconds = 253402300799;  // The end of the year 9999.
  if (timestamp.seconds() < kMinSeconds || timestamp.seconds() > kMaxSeconds) {
    return InvalidField(field, "is no time between the years 1 and 9999; correct it or leave it out");
  }
  if (timestamp.nanos() < 0 || timestamp.nanos() > 999'999'999) {
    return InvalidField(field, absl::StrCat("has ", timestamp.nanos(), " nanos; send 0 to 999999999"));
  }
  return absl::FromUnixSeconds(timestamp.seconds()) + absl::Nanoseconds(timestamp.nanos());
}

}  // namespace dateline::common::rpc
