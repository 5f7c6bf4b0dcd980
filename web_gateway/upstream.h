// A gRPC server that the gateway calls: any unary method by its path, messages as bytes.
#ifndef DATELINE_WEB_GATEWAY_UPSTREAM_H_
#define DATELINE_WEB_GATEWAY_UPSTREAM_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

#include "web_gateway/connect_protocol.h"

namespace grpc {
class Channel;
}  // namespace grpc

namespace dateline::web_gateway {

// Thread-safe. Must outlive its calls.
class Upstream {
 public:
  struct Options {
    // As gRPC takes it: `127.0.0.1:50052`, `localhost:50052`, `unix:/run/search.sock`.
    std::string address;
    // A longer answer fails with ResourceExhausted.
    int max_reply_bytes = 16'000'000;
  };

  // Connects in the background; a server that is not there yet is tried again, at most every few seconds.
  explicit Upstream(const Options& options);

  // Sends `message`, serialised, to `path` (`/package.Service/Method`). `done` gets the answer, also serialised, once,
  // on a thread of gRPC, which it must not block. The returned function cancels the call: `done` then hears
  // kCancelled, unless the answer was faster.
  std::function<void()> Call(const std::string& path, const std::string& message, const Metadata& metadata,
                             absl::Duration timeout, std::function<void(RpcReply)> done);

  // Asks grpc.health.v1.Health whether the whole server is serving. `done` gets "SERVING", "NOT_SERVING", "UNKNOWN" or,
  // where no answer came in time, "UNREACHABLE".
  void CheckHealth(absl::Duration timeout, std::function<void(absl::string_view)> done);

  const std::string& address() const { return address_; }

 private:
  std::string address_;
  std::shared_ptr<grpc::Channel> channel_;
};

}  // namespace dateline::web_gateway

#endif  // DATELINE_WEB_GATEWAY_UPSTREAM_H_
