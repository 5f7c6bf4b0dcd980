// A gRPC server: one listening address, health, reflection, limits, a clean end.
#ifndef DATELINE_COMMON_RPC_SERVER_H_
#define DATELINE_COMMON_RPC_SERVER_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "grpcpp/channel.h"
#include "grpcpp/impl/codegen/service_type.h"
#include "grpcpp/server.h"

#include "common/mutex.h"

namespace dateline::common::rpc {

// A service to host. `name` is its full name, SearchService::service_full_name(), by which health is asked for.
// `service` must outlive the server.
struct HostedService {
  std::string name;
  grpc::Service* service = nullptr;
};

// Thread-safe, but for the destructor.
class Server {
 public:
  struct Options {
    // HOST:PORT or unix:PATH. Port 0 takes any free port: see port(). An IPv6 host stands in brackets.
    std::string listen = "127.0.0.1:0";
    // The largest request, in bytes. Larger ones are answered RESOURCE_EXHAUSTED by gRPC.
    int max_request_bytes = 17'000'000;
    // Calls that one connection may have open at once.
    int max_concurrent_calls_per_connection = 1000;
    // After this long a connection is asked to end, so that clients spread over new replicas. Infinite: never.
    absl::Duration max_connection_age = absl::InfiniteDuration();
  };

  // Listens, serves grpc.health.v1 and reflection beside `services`, and reports all of them, and "", as SERVING.
  // InvalidArgument if the address can't be understood; FailedPrecondition, saying why, if it can't be listened on (it
  // is in use, for example). Nothing is printed.
  static absl::StatusOr<std::unique_ptr<Server>> Start(const Options& options,
                                                       const std::vector<HostedService>& services);

  // Shutdown without grace, unless Shutdown was called before.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // The port listened on; 0 for unix:PATH.
  int port() const { return port_; }
  // What a client on this machine dials: the address given, with the port that was taken.
  const std::string& address() const { return address_; }

  // What grpc.health.v1 answers for `service_name`; "" stands for the server as a whole.
  void SetServing(const std::string& service_name, bool serving);

  // A channel within the process, for tests. It must not outlive the server.
  std::shared_ptr<grpc::Channel> InProcessChannel();

  // Reports NOT_SERVING for good, takes no new calls, waits up to `grace` for those that run, cancels the rest, and
  // waits for them to end. Connections without a call, streams of health and reflection (grpc.*) are closed as soon as
  // no other call runs: nothing waits for a client that is idle. Later calls return when the first is done.
  void Shutdown(absl::Duration grace);

 private:
  class CallCount;

  Server(std::unique_ptr<grpc::Server> server, int port, std::string address, std::shared_ptr<CallCount> calls);

  const int port_;
  const std::string address_;
  const std::shared_ptr<CallCount> calls_;
  Mutex shutdown_mutex_;
  bool shut_down_ ABSL_GUARDED_BY(shutdown_mutex_) = false;
  const std::unique_ptr<grpc::Server> server_;
};

}  // namespace dateline::common::rpc

#endif  // DATELINE_COMMON_RPC_SERVER_H_
