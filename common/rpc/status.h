// Errors at the edge: absl::Status with the details of common/error.h, to and from gRPC's status with google.rpc
// details.
#ifndef DATELINE_COMMON_RPC_STATUS_H_
#define DATELINE_COMMON_RPC_STATUS_H_

#include "absl/status/status.h"
#include "grpcpp/support/status.h"

namespace dateline::common::rpc {

// The same code and message; in the trailers (`grpc-status-details-bin`) a google.rpc.Status with ErrorInfo (domain
// "dateline", the reason, the metadata), BadRequest if fields are named, and RetryInfo if there is a delay. Messages
// are cut to 1,000 bytes and violations to as many as fit, because clients take 8 KB of trailers and no more.
grpc::Status ToGrpcStatus(const absl::Status& status);

// The reverse, for clients. Details that are missing or of other kinds are skipped: any server's status will do.
absl::Status FromGrpcStatus(const grpc::Status& status);

}  // namespace dateline::common::rpc

#endif  // DATELINE_COMMON_RPC_STATUS_H_
