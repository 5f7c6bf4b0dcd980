#include "web_gateway/upstream.h"

#include <chrono>
#include <map>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "google/protobuf/unknown_field_set.h"
#include "grpcpp/channel.h"
#include "grpcpp/client_context.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/support/byte_buffer.h"

#include "common/log.h"
#include "common/rpc/channel.h"
#include "common/status_macros.h"

namespace dateline::web_gateway {
namespace {

constexpr char kHealthPath[] = "/grpc.health.v1.Health/Check";
// Number of `status` in grpc.health.v1.HealthCheckResponse, and its values.
constexpr int kHealthStatusField = 1;
constexpr uint64_t kHealthServing = 1;
constexpr uint64_t kHealthNotServing = 2;

// What must live until the call is over.
struct CallState {
  grpc::ClientContext context;
  grpc::ByteBuffer request;
  grpc::ByteBuffer response;
};

Metadata CopyMetadata(const std::multimap<grpc::string_ref, grpc::string_ref>& metadata) {
  Metadata copy;
  copy.reserve(metadata.size());
  for (const auto& [key, value] : metadata) {
    copy.emplace_back(std::string(key.data(), key.size()), std::string(value.data(), value.size()));
  }
  return copy;
}

std::string CopyBytes(const grpc::ByteBuffer& buffer) {
  std::string bytes;
  std::vector<grpc::Slice> slices;
  if (buffer.Valid() && buffer.Dump(&slices).ok()) {
    bytes.reserve(buffer.Length());
    for (const grpc::Slice& slice : slices) {
      bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
    }
  }
  return bytes;
}

// Whether gRPC itself made the error because there is no connection, rather than the server.
bool IsNotConnected(const CallState& state, grpc::Channel& channel, const grpc::Status& status) {
  return status.error_code() == grpc::StatusCode::UNAVAILABLE && status.error_details().empty() &&
         state.context.GetServerTrailingMetadata().empty() && channel.GetState(false) != GRPC_CHANNEL_READY;
}

RpcReply ReplyOf(const CallState& state, grpc::Channel& channel, const grpc::Status& status) {
  RpcReply reply;
  reply.code = static_cast<absl::StatusCode>(status.error_code());
  if (status.ok()) {
    reply.message = CopyBytes(state.response);
  } else if (IsNotConnected(state, channel, status)) {
    common::LogWarning("upstream_unreachable", {{"reason", status.error_message()}});
    reply.error_message = "the service behind the gateway cannot be reached: try again in a moment";
  } else {
    reply.error_message = status.error_message();
    reply.error_details = status.error_details();
  }
  reply.initial_metadata = CopyMetadata(state.context.GetServerInitialMetadata());
  reply.trailing_metadata = CopyMetadata(state.context.GetServerTrailingMetadata());
  return reply;
}

absl::string_view HealthName(const RpcReply& reply) {
  if (reply.code == absl::StatusCode::kUnimplemented) {
    // A server without the health service answers, so it serves.
    return "SERVING";
  }
  if (reply.code != absl::StatusCode::kOk) {
    return "UNREACHABLE";
  }
  google::protobuf::UnknownFieldSet fields;
  uint64_t status = 0;
  if (fields.ParseFromString(reply.message)) {
    for (int i = 0; i < fields.field_count(); ++i) {
      if (fields.field(i).number() == kHealthStatusField &&
          fields.field(i).type() == google::protobuf::UnknownField::TYPE_VARINT) {
        status = fields.field(i).varint();
      }
    }
  }
  return status == kHealthServing ? "SERVING" : status == kHealthNotServing ? "NOT_SERVING" : "UNKNOWN";
}

}  // namespace

absl::StatusOr<std::unique_ptr<Upstream>> Upstream::Create(const std::string& address) {
  ASSIGN_OR_RETURN(std::shared_ptr<grpc::Channel> channel, common::rpc::MakeChannel(address));
  return std::unique_ptr<Upstream>(new Upstream(std::move(channel)));
}

Upstream::Upstream(std::shared_ptr<grpc::Channel> channel) : channel_(std::move(channel)) {}

std::function<void()> Upstream::Call(const std::string& path, const std::string& message, const Metadata& metadata,
                                     absl::Duration timeout, std::function<void(RpcReply)> done) {
  auto state = std::make_shared<CallState>();
  state->context.set_deadline(absl::ToChronoTime(absl::Now() + timeout));
  for (const auto& [key, value] : metadata) {
    state->context.AddMetadata(key, value);
  }
  grpc::Slice slice(message);
  state->request = grpc::ByteBuffer(&slice, 1);
  grpc::GenericStub stub(channel_);
  stub.UnaryCall(&state->context, path, grpc::StubOptions(), &state->request, &state->response,
                 [state, channel = channel_, done = std::move(done)](const grpc::Status& status) {
                   done(ReplyOf(*state, *channel, status));
                 });
  return [state] { state->context.TryCancel(); };
}

void Upstream::CheckHealth(absl::Duration timeout, std::function<void(absl::string_view)> done) {
  // An empty request asks for the server as a whole.
  Call(kHealthPath, "", {}, timeout, [done = std::move(done)](const RpcReply& reply) { done(HealthName(reply)); });
}

}  // namespace dateline::web_gateway
