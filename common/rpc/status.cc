#include "common/rpc/status.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

#include "common/error.h"
#include "common/text.h"

namespace dateline::common::rpc {
namespace {

// gRPC's code and Abseil's are the same numbers; a cast is enough, and this is what makes it safe.
#define DATELINE_SAME_CODE(absl_code, grpc_code)                                              \
  static_assert(static_cast<int>(absl::StatusCode::absl_code) == grpc::StatusCode::grpc_code, \
                "absl::StatusCode and grpc::StatusCode differ")
DATELINE_SAME_CODE(kOk, OK);
DATELINE_SAME_CODE(kCancelled, CANCELLED);
DATELINE_SAME_CODE(kUnknown, UNKNOWN);
DATELINE_SAME_CODE(kInvalidArgument, INVALID_ARGUMENT);
DATELINE_SAME_CODE(kDeadlineExceeded, DEADLINE_EXCEEDED);
DATELINE_SAME_CODE(kNotFound, NOT_FOUND);
DATELINE_SAME_CODE(kAlreadyExists, ALREADY_EXISTS);
DATELINE_SAME_CODE(kPermissionDenied, PERMISSION_DENIED);
DATELINE_SAME_CODE(kResourceExhausted, RESOURCE_EXHAUSTED);
DATELINE_SAME_CODE(kFailedPrecondition, FAILED_PRECONDITION);
DATELINE_SAME_CODE(kAborted, ABORTED);
DATELINE_SAME_CODE(kOutOfRange, OUT_OF_RANGE);
DATELINE_SAME_CODE(kUnimplemented, UNIMPLEMENTED);
DATELINE_SAME_CODE(kInternal, INTERNAL);
DATELINE_SAME_CODE(kUnavailable, UNAVAILABLE);
DATELINE_SAME_CODE(kDataLoss, DATA_LOSS);
DATELINE_SAME_CODE(kUnauthenticated, UNAUTHENTICATED);
#undef DATELINE_SAME_CODE

// On the wire the message is percent-encoded (up to three bytes for one) and the details are base64 (four for three).
// Together with some headers both stay below the 8 KB that clients accept by default.
constexpr size_t kMaxMessageBytes = 1000;
constexpr size_t kMaxDetailsBytes = 3200;

// At most `limit` bytes of UTF-8: protobuf's strings take nothing else.
std::string Clip(absl::string_view text, size_t limit) {
  std::string valid = IsValidUtf8(text) ? std::string(text) : NormalizeText(text);
  if (valid.size() > limit) {
    valid.resize(CodePointFloor(valid, limit));
  }
  return valid;
}

// Adds `detail` unless that would make the whole too large for the trailers.
void Attach(const google::protobuf::Message& detail, google::rpc::Status& proto) {
  google::protobuf::Any any;
  any.PackFrom(detail);
  if (proto.ByteSizeLong() + any.ByteSizeLong() + 8 <= kMaxDetailsBytes) {
    *proto.add_details() = std::move(any);
  }
}

google::rpc::RetryInfo MakeRetryInfo(absl::Duration delay) {
  google::rpc::RetryInfo info;
  absl::Duration rest;
  info.mutable_retry_delay()->set_seconds(absl::IDivDuration(delay, absl::Seconds(1), &rest));
  info.mutable_retry_delay()->set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(rest)));
  return info;
}

}  // namespace

grpc::Status ToGrpcStatus(const absl::Status& status) {
  if (status.ok()) {
    return grpc::Status::OK;
  }
  const std::string message = Clip(status.message(), kMaxMessageBytes);
  google::rpc::Status proto;
  proto.set_code(static_cast<int32_t>(status.code()));
  proto.set_message(message);

  google::rpc::ErrorInfo info;
  info.set_domain(std::string(kErrorDomain));
  info.set_reason(Clip(ReasonOf(status), 63));
  for (const auto& [key, value] : MetadataOf(status)) {
    (*info.mutable_metadata())[Clip(key, 64)] = Clip(value, 256);
    if (info.ByteSizeLong() > kMaxDetailsBytes / 4) {
      break;
    }
  }
  Attach(info, proto);
  if (const auto delay = RetryDelayOf(status)) {
    Attach(MakeRetryInfo(*delay), proto);
  }
  google::rpc::BadRequest bad_request;
  for (const FieldViolation& violation : FieldViolationsOf(status)) {
    auto& added = *bad_request.add_field_violations();
    added.set_field(Clip(violation.field, 200));
    added.set_description(Clip(violation.description, 300));
    if (proto.ByteSizeLong() + bad_request.ByteSizeLong() + 100 > kMaxDetailsBytes) {
      bad_request.mutable_field_violations()->RemoveLast();
      break;
    }
  }
  if (bad_request.field_violations_size() > 0) {
    Attach(bad_request, proto);
  }
  return {static_cast<grpc::StatusCode>(status.code()), message, proto.SerializeAsString()};
}

absl::Status FromGrpcStatus(const grpc::Status& status) {
  if (status.ok()) {
    return absl::OkStatus();
  }
  absl::Status result(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
  google::rpc::Status proto;
  if (status.error_details().empty() || !proto.ParseFromString(status.error_details())) {
    return result;
  }
  for (const google::protobuf::Any& any : proto.details()) {
    google::rpc::ErrorInfo info;
    google::rpc::BadRequest bad_request;
    google::rpc::RetryInfo retry;
    if (any.UnpackTo(&info)) {
      result = WithReason(std::move(result), info.reason());
      for (const auto& [key, value] : info.metadata()) {
        result = WithMetadata(std::move(result), key, value);
      }
    } else if (any.UnpackTo(&bad_request)) {
      std::vector<FieldViolation> violations;
      for (const auto& violation : bad_request.field_violations()) {
        violations.push_back({violation.field(), violation.description()});
      }
      result = WithFieldViolations(std::move(result), violations);
    } else if (any.UnpackTo(&retry)) {
      result = WithRetryDelay(std::move(result), absl::Seconds(retry.retry_delay().seconds()) +
                                                     absl::Nanoseconds(retry.retry_delay().nanos()));
    }
  }
  return result;
}

}  // namespace dateline::common::rpc
