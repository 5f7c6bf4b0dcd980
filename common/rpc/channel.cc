#include "common/rpc/channel.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/support/channel_arguments.h"

#include "common/rpc/address.h"
#include "common/status_macros.h"

namespace dateline::common::rpc {
namespace {

// gRPC's service config. The throttle ends retries once about half of the calls fail: a server in trouble is not helped
// by being asked thrice.
std::string ServiceConfig(int max_attempts) {
  std::string config = R"({"loadBalancingConfig": [{"round_robin": {}}])";
  if (max_attempts > 1) {
    absl::StrAppend(&config, R"(, "retryThrottling": {"maxTokens": 100, "tokenRatio": 1},
      "methodConfig": [{"name": [{}], "retryPolicy": {"maxAttempts": )",
                    std::min(max_attempts, 5), R"(, "initialBackoff": "0.1s", "maxBackoff": "2s",
      "backoffMultiplier": 2, "retryableStatusCodes": ["UNAVAILABLE"]}}])");
  }
  return config + "}";
}

}  // namespace

absl::StatusOr<std::shared_ptr<grpc::Channel>> MakeChannel(absl::string_view address, const ChannelOptions& options) {
  ASSIGN_OR_RETURN(const Address parsed, ParseAddress(address));
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(options.max_response_bytes);
  arguments.SetServiceConfigJSON(ServiceConfig(options.max_attempts));
  // A server that was down is found again within a second or so of its return. (GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, in
  // spite of its name, is also the time that one attempt to connect may take: it stays at gRPC's 20 seconds, which slow
  // links and busy machines need.)
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 2'000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 30'000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10'000);
  return grpc::CreateCustomChannel(parsed.ToTarget(), grpc::InsecureChannelCredentials(), arguments);
}

bool WaitUntilConnected(grpc::Channel& channel, absl::Duration timeout) {
  return channel.WaitForConnected(absl::ToChronoTime(absl::Now() + timeout));
}

}  // namespace dateline::common::rpc
