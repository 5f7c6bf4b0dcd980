// The client's end: channels to our servers.
#ifndef DATELINE_COMMON_RPC_CHANNEL_H_
#define DATELINE_COMMON_RPC_CHANNEL_H_

#include <memory>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "grpcpp/channel.h"

namespace dateline::common::rpc {

struct ChannelOptions {
  // The largest answer taken, in bytes.
  int max_response_bytes = 8'000'000;
  // Tries of one call, the first included: again only after UNAVAILABLE, with a growing pause, and only while most
  // calls succeed. 1: never again.
  int max_attempts = 3;
};

// A channel to HOST:PORT, [IPV6]:PORT or unix:PATH: calls are spread over all addresses of the host. Connects when the
// first call is made, and again whenever needed. InvalidArgument if the address can't be understood.
absl::StatusOr<std::shared_ptr<grpc::Channel>> MakeChannel(absl::string_view address,
                                                           const ChannelOptions& options = {});

// True once the channel is connected; false if it isn't within `timeout`.
bool WaitUntilConnected(grpc::Channel& channel, absl::Duration timeout);

}  // namespace dateline::common::rpc

#endif  // DATELINE_COMMON_RPC_CHANNEL_H_
