// Times that callers send.
#ifndef DATELINE_COMMON_RPC_TIMESTAMP_H_
#define DATELINE_COMMON_RPC_TIMESTAMP_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "google/protobuf/timestamp.pb.h"

namespace dateline::common::rpc {

// InvalidArgument, naming `field`, if the timestamp is out of its range: the years 1 to 9999, `nanos` from 0 on.
absl::StatusOr<absl::Time> TimeFromProto(absl::string_view field, const google::protobuf::Timestamp& timestamp);

}  // namespace dateline::common::rpc

#endif  // DATELINE_COMMON_RPC_TIMESTAMP_H_
