#include "web_gateway/upstream.h"

#include <chrono>
#include <map>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "google/protobuf/unknown_field_set.h"
#include "grpcpp/channel.h"
#include "grpcpp/client_context.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/channel_arguments.h"

namespace dateline::web_gateway {
namespace {

// A restarted upstream is found again soon: gRPC's own back-off goes up to two minutes.
constexpr int kMinReconnectMs = 100;
constexpr int kMaxReconnectMs = 2000;

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

RpcReply ReplyOf(const CallState& state, const grpc::Status& status) {
  RpcReply reply;
  reply.code = static_cast<absl::StatusCode>(status.error_code());
  if (status.ok()) {
    reply.message = CopyBytes(state.response);
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

Upstream::Upstream(const Options& options) : address_(options.address) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(options.max_reply_bytes);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, kMinReconnectMs);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, kMinReconnectMs);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, kMaxReconnectMs);
  channel_ = grpc::CreateCustomChannel(options.address, grpc::InsecureChannelCredentials(), arguments);
}

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
                 [state, done = std::move(done)](const grpc::Status& status) { done(ReplyOf(*state, status)); });
  return [state] { state->context.TryCancel(); };
}

void Upstream::CheckHealth(absl::Duration timeout, std::function<void(absl::string_view)> done) {
  // An empty request asks for the server as a whole.
  Call(kHealthPath, "", {}, timeout, [done = std::move(done)](const RpcReply& reply) { done(HealthName(reply)); });
}

}  // namespace dateline::web_gateway
