// A gRPC server that the gateway calls: any unary method by its path, messages as bytes.
#ifndef DATELINE_WEB_GATEWAY_UPSTREAM_H_
#define DATELINE_WEB_GATEWAY_UPSTREAM_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
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
  // `address` is HOST:PORT, [IPV6]:PORT or unix:PATH; InvalidArgument if it cannot be understood. A server that is not
  // there yet is looked for whenever a call is made.
  static absl::StatusOr<std::unique_ptr<Upstream>> Create(const std::string& address);

  // Sends `message`, serialised, to `path` (`/package.Service/Method`). `done` gets the answer, also serialised, once,
  // on a thread of gRPC, which it must not block. The returned function cancels the call: `done` then hears
  // kCancelled, unless the answer was faster. Where the server cannot be reached the error says so without naming its
  // address, which is no business of browsers.
  std::function<void()> Call(const std::string& path, const std::string& message, const Metadata& metadata,
                             absl::Duration timeout, std::function<void(RpcReply)> done);

  // Asks grpc.health.v1.Health whether the whole server is serving. `done` gets "SERVING", "NOT_SERVING", "UNKNOWN" or,
  // where no answer came in time, "UNREACHABLE".
  void CheckHealth(absl::Duration timeout, std::function<void(absl::string_view)> done);

 private:
  explicit Upstream(std::shared_ptr<grpc::Channel> channel);

  const std::shared_ptr<grpc::Channel> channel_;
};

}  // namespace dateline::web_gateway

#endif  // DATELINE_WEB_GATEWAY_UPSTREAM_H_
