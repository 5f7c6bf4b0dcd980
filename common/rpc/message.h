// Messages in and out of the raw bytes of a call.
//
// gRPC 1.51 answers a request that it can't parse with a bare UNIMPLEMENTED. Handlers therefore take the bytes ("raw"
// methods) and parse them here, so that the caller is told what is wrong with them.
#ifndef DATELINE_COMMON_RPC_MESSAGE_H_
#define DATELINE_COMMON_RPC_MESSAGE_H_

#include <cstddef>
#include <map>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/message.h"
#include "grpcpp/support/byte_buffer.h"

namespace dateline::common::rpc {

// The largest answer, in bytes: what clients of gRPC take by default is 4 MiB, and frames and headers take some.
inline constexpr size_t kMaxResponseBytes = 4'000'000;

// Parses `bytes` into `message`, replacing what it holds. InvalidArgument if that fails: a string field that is not
// UTF-8 is named as a field violation with its path ("articles[3].title"); anything else is "not a valid X message".
absl::Status ParseMessage(const grpc::ByteBuffer& bytes, google::protobuf::Message& message);

// The same for a batch, of which one bad item must not harm the others: an item of the repeated message field `items`
// with a string that is not UTF-8 becomes an empty message, and `broken` has by its index what ParseMessage would say
// of it alone ("article.title").
absl::Status ParseBatch(const grpc::ByteBuffer& bytes, absl::string_view items, google::protobuf::Message& message,
                        std::map<int, absl::Status>& broken);

// Serialises `message` into `bytes`. ResourceExhausted with the reason RESPONSE_TOO_LARGE if it is larger than
// kMaxResponseBytes.
absl::Status SerializeMessage(const google::protobuf::Message& message, grpc::ByteBuffer& bytes);

}  // namespace dateline::common::rpc

#endif  // DATELINE_COMMON_RPC_MESSAGE_H_
