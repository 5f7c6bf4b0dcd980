// An HTTP/1.1 server over Boost.Beast: few threads, any number of connections, every wait bounded.
#ifndef DATELINE_WEB_GATEWAY_HTTP_SERVER_H_
#define DATELINE_WEB_GATEWAY_HTTP_SERVER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

#include "web_gateway/http_message.h"

namespace dateline::web_gateway {

// Keeps connections alive, answers `Expect: 100-continue`, drops the body for HEAD, takes targets in absolute-form, and
// tells the handler when a client goes away while its answer is being made. One that only closes its sending half still
// gets its answer, perhaps after a `100 Continue` that finds out whether it is there. HTTP/1.0 has no such thing: there
// the call of a client that has closed goes on. Requests that are no HTTP get 400, too long headers 431, too long
// bodies 413; clients that send or take slower than allowed are cut off.
class HttpServer {
 public:
  struct Options {
    // `HOST:PORT`; the host an IP address or a name, IPv6 in brackets; port 0 lets the system choose.
    std::string listen = "127.0.0.1:8080";
    // Threads that run all connections.
    int threads = 2;
    // Connections at a time; further ones get 503. From half of it on, connections are not kept alive.
    size_t max_connections = 1024;
    // Request line and headers together. A GET carries its message there.
    uint32_t max_header_bytes = 32 * 1024;
    // Of one request, as it comes over the line.
    uint64_t max_body_bytes = 17'000'000;
    // Of all requests being read or answered at one time; what would go beyond it gets 503.
    uint64_t max_buffered_bytes = 256'000'000;
    // How long a connection may be idle between requests.
    absl::Duration idle_timeout = absl::Seconds(60);
    // How long the headers of a request may take, from its first byte.
    absl::Duration header_timeout = absl::Seconds(10);
    // How long a body may take, and an answer to be taken: this, and a second more for each `min_bytes_per_second`.
    absl::Duration transfer_timeout = absl::Seconds(20);
    uint64_t min_bytes_per_second = 32 * 1024;
  };

  // Listens and serves until Shutdown(). Fails with InvalidArgument if `listen` cannot be understood, and with
  // Unavailable, saying why, if the address cannot be had. `handler` must outlive the server.
  static absl::StatusOr<std::unique_ptr<HttpServer>> Start(const Options& options, HttpHandler& handler);

  // Shuts down without grace.
  ~HttpServer();

  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // The port it listens on.
  uint16_t port() const;

  // Takes no more connections, closes idle ones, lets requests under way be answered for as long as `grace`, then
  // cancels the rest. Returns when all is over. Call it once, from a thread that is not the server's.
  void Shutdown(absl::Duration grace);

 private:
  class Impl;
  explicit HttpServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace dateline::web_gateway

#endif  // DATELINE_WEB_GATEWAY_HTTP_SERVER_H_
