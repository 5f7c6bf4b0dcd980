#include "web_gateway/http_server.h"

#include <poll.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/buffer.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/error.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/version.hpp>
#include <map>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

#include "common/log.h"
#include "common/mutex.h"
#include "common/status_macros.h"

namespace dateline::web_gateway {
namespace {

namespace net = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using tcp = net::ip::tcp;
using boost::system::error_code;

// Read at once while waiting for a request, and while watching for a client that leaves.
constexpr size_t kReadAheadBytes = 4096;
// How long, and how much, is still read from a client that was refused, so that it can read why: closing a socket that
// has unread bytes would tear the answer away.
constexpr std::chrono::seconds kLingerTime(2);
constexpr size_t kLingerBytes = 64'000'000;
// How long to wait when the system has no descriptor for a new connection.
constexpr std::chrono::milliseconds kAcceptPause(100);
constexpr char kContinue[] = "HTTP/1.1 100 Continue\r\n\r\n";

std::chrono::milliseconds ToMilliseconds(absl::Duration duration) { return absl::ToChronoMilliseconds(duration); }

absl::string_view ToView(beast::string_view text) { return {text.data(), text.size()}; }

// Turns a target in absolute-form, which servers must take as well as proxies (RFC 9112, 3.2.2), into origin-form. Its
// host is not looked at: one collection is served under whatever name.
std::string OriginForm(absl::string_view target) {
  if (!absl::StartsWithIgnoreCase(target, "http://") && !absl::StartsWithIgnoreCase(target, "https://")) {
    return std::string(target);
  }
  target.remove_prefix(target.find("//") + 2);
  const size_t end = target.find_first_of("/?");
  target.remove_prefix(std::min(end, target.size()));
  // A URL may leave out an empty path, a request may not.
  return absl::StrCat(absl::StartsWith(target, "/") ? "" : "/", target);
}

}  // namespace

class HttpServer::Impl {
 public:
  Impl(const Options& options, HttpHandler& handler)
      : options_(options),
        handler_(handler),
        work_(net::make_work_guard(context_)),
        acceptor_(net::make_strand(context_)),
        accept_pause_(acceptor_.get_executor()) {}

  absl::Status Listen();
  void Run();
  void Shutdown(absl::Duration grace);
  uint16_t port() const { return port_; }

 private:
  class Session;

  // The sessions that live. Shared with them, because the last thing that a session does is to leave.
  class Sessions {
   public:
    // Returns false while shutting down.
    bool Add(Session* session, std::weak_ptr<Session> reference) {
      const common::MutexLock lock(mutex_);
      if (closing_) {
        return false;
      }
      sessions_.emplace(session, std::move(reference));
      return true;
    }
    void Remove(Session* session) {
      const common::MutexLock lock(mutex_);
      sessions_.erase(session);
      if (sessions_.empty()) {
        empty_.NotifyAll();
      }
    }
    std::vector<std::shared_ptr<Session>> Close() {
      const common::MutexLock lock(mutex_);
      closing_ = true;
      std::vector<std::shared_ptr<Session>> alive;
      for (const auto& [session, reference] : sessions_) {
        if (auto strong = reference.lock()) {
          alive.push_back(std::move(strong));
        }
      }
      return alive;
    }
    bool WaitUntilEmpty(absl::Time deadline) {
      const common::MutexLock lock(mutex_);
      while (!sessions_.empty()) {
        if (!empty_.WaitUntil(mutex_, deadline)) {
          return sessions_.empty();
        }
      }
      return true;
    }
    size_t size() const {
      const common::MutexLock lock(mutex_);
      return sessions_.size();
    }
    bool closing() const {
      const common::MutexLock lock(mutex_);
      return closing_;
    }

   private:
    mutable common::Mutex mutex_;
    common::CondVar empty_;
    std::map<Session*, std::weak_ptr<Session>> sessions_ ABSL_GUARDED_BY(mutex_);
    bool closing_ ABSL_GUARDED_BY(mutex_) = false;
  };

  void Accept();
  void OnAccept(error_code error, tcp::socket socket);

  const Options options_;
  HttpHandler& handler_;
  net::io_context context_;
  net::executor_work_guard<net::io_context::executor_type> work_;
  tcp::acceptor acceptor_;
  net::steady_timer accept_pause_;
  uint16_t port_ = 0;
  std::vector<std::thread> threads_;
  std::shared_ptr<Sessions> sessions_ = std::make_shared<Sessions>();
  std::atomic<uint64_t> buffered_bytes_ = 0;
  bool shut_down_ = false;
};

// One connection. Everything runs on its strand; it lives as long as something is pending.
class HttpServer::Impl::Session : public std::enable_shared_from_this<Session> {
 public:
  Session(tcp::socket socket, Impl& server)
      : membership_{server.sessions_, this},
        server_(server),
        stream_(std::move(socket)),
        buffer_(server.options_.max_header_bytes + 2 * kReadAheadBytes + 65536) {}

  void Start() {
    net::dispatch(stream_.get_executor(), [self = shared_from_this()] { self->WaitForRequest(); });
  }

  // Says that there is no room, and closes.
  void Refuse() {
    net::dispatch(stream_.get_executor(), [self = shared_from_this()] {
      self->keep_alive_ = false;
      self->WriteError(503, "Too many connections: try again in a moment.\n");
    });
  }

  // Ends after the request under way, or now if there is none.
  void Drain() {
    net::post(stream_.get_executor(), [self = shared_from_this()] {
      self->draining_ = true;
      if (self->idle_) {
        self->Close();
      }
    });
  }

  // Gives up on the request under way.
  void Abort() {
    net::post(stream_.get_executor(), [self = shared_from_this()] {
      self->draining_ = true;
      self->Leave();
    });
  }

 private:
  // Leaves the server's list when all else of the session is gone: declared first, so destroyed last.
  struct Membership {
    std::shared_ptr<Sessions> sessions;
    Session* session;
    ~Membership() { sessions->Remove(session); }
  };

  const Options& options() const { return server_.options_; }

  void Close() {
    error_code ignored;
    stream_.socket().close(ignored);
  }

  // Waits for the first bytes of a request, which may be long in coming.
  void WaitForRequest() {
    ReleaseBuffered();
    if (draining_) {
      Close();
      return;
    }
    if (buffer_.size() > 0) {
      ReadHeader();
      return;
    }
    idle_ = true;
    stream_.expires_after(ToMilliseconds(options().idle_timeout));
    stream_.async_read_some(buffer_.prepare(kReadAheadBytes),
                            [self = shared_from_this()](error_code error, size_t size) {
                              self->idle_ = false;
                              if (error) {
                                self->Close();
                                return;
                              }
                              self->buffer_.commit(size);
                              self->ReadHeader();
                            });
  }

  void ReadHeader() {
    parser_.emplace();
    parser_->header_limit(options().max_header_bytes);
    parser_->body_limit(options().max_body_bytes);
    stream_.expires_after(ToMilliseconds(options().header_timeout));
    http::async_read_header(stream_, buffer_, *parser_, [self = shared_from_this()](error_code error, size_t) {
      if (error) {
        self->OnReadError(error);
        return;
      }
      self->OnHeader();
    });
  }

  void OnHeader() {
    transfer_start_ = std::chrono::steady_clock::now();
    if (!beast::iequals(parser_->get()[http::field::expect], "100-continue")) {
      ReadBody();
      return;
    }
    ExpireTransfer(0);
    net::async_write(stream_, net::buffer(kContinue, sizeof(kContinue) - 1),
                     [self = shared_from_this()](error_code error, size_t) {
                       if (error) {
                         self->Close();
                         return;
                       }
                       self->ReadBody();
                     });
  }

  // Allows the time for `bytes`, counted from the start of this transfer.
  void ExpireTransfer(uint64_t bytes) {
    const auto allowance = ToMilliseconds(options().transfer_timeout) +
                           std::chrono::milliseconds(1000 * bytes / options().min_bytes_per_second);
    stream_.expires_at(transfer_start_ + allowance);
  }

  void ReadBody() {
    if (parser_->is_done()) {
      Handle();
      return;
    }
    ExpireTransfer(parser_->get().body().size());
    http::async_read_some(stream_, buffer_, *parser_, [self = shared_from_this()](error_code error, size_t) {
      if (error) {
        self->OnReadError(error);
      } else if (!self->HoldBuffered(self->parser_->get().body().size())) {
        self->keep_alive_ = false;
        self->WriteError(503, "Too much is being sent at once: try again in a moment.\n");
      } else {
        self->ReadBody();
      }
    });
  }

  void OnReadError(error_code error) {
    keep_alive_ = false;
    if (error == http::error::header_limit || error == http::error::buffer_overflow) {
      WriteError(431, absl::StrCat("The request's headers are larger than ", options().max_header_bytes, " bytes.\n"));
    } else if (error == http::error::body_limit) {
      WriteError(413, absl::StrCat("The request's body is larger than ", options().max_body_bytes, " bytes.\n"));
    } else if (error.category() == make_error_code(http::error::bad_method).category() &&
               error != http::error::end_of_stream && error != http::error::partial_message) {
      WriteError(400, absl::StrCat("This is no HTTP/1.1 request: ", error.message(), ".\n"));
    } else {
      Close();
    }
  }

  void Handle() {
    auto message = parser_->release();
    keep_alive_ = message.keep_alive() && server_.sessions_->size() <= options().max_connections / 2;
    head_only_ = message.method() == http::verb::head;
    http_version_ = message.version();
    HttpRequest request;
    request.method = std::string(ToView(message.method_string()));
    request.target = OriginForm(ToView(message.target()));
    for (const auto& field : message) {
      request.headers.push_back(
          {absl::AsciiStrToLower(ToView(field.name_string())), std::string(ToView(field.value()))});
    }
    request.body = std::move(message.body());
    cancel_ = server_.handler_.Handle(std::move(request), [self = shared_from_this()](HttpHandler::MakeResponse make) {
      net::post(self->stream_.get_executor(), [self, make = std::move(make)] { self->OnResponse(make); });
    });
    WatchForLeaving();
  }

  // While an answer is being made, the only thing to hear from a client is that it goes, or its next request.
  void WatchForLeaving() {
    if (ended_ || buffer_.size() + kReadAheadBytes > buffer_.max_size()) {
      return;
    }
    watching_ = true;
    stream_.expires_never();
    stream_.async_read_some(buffer_.prepare(kReadAheadBytes),
                            [self = shared_from_this()](error_code error, size_t size) {
                              self->watching_ = false;
                              if (!error) {
                                self->buffer_.commit(size);
                              } else if (error == net::error::eof) {
                                self->ended_ = true;
                              } else if (error != net::error::operation_aborted) {
                                self->Leave();
                              }
                              if (self->response_.has_value()) {
                                self->Write(*std::exchange(self->response_, std::nullopt));
                              } else if (self->ended_) {
                                self->ProbeForLeaving();
                              }
                            });
  }

  // The client sends no more, which is all that its end of stream says: it may have closed its half and wait for the
  // answer, or have gone. Bytes that come to a client that has gone are answered with a reset. `100 Continue` is what
  // can be sent at any time: clients of HTTP/1.1 must pass over any number of them (RFC 9110, 15.2). With older ones
  // the end of the call tells.
  void ProbeForLeaving() {
    if (http_version_ < 11 || !stream_.socket().is_open()) {
      return;
    }
    WaitForReset();
    probing_ = true;
    transfer_start_ = std::chrono::steady_clock::now();
    ExpireTransfer(0);
    net::async_write(stream_, net::buffer(kContinue, sizeof(kContinue) - 1),
                     [self = shared_from_this()](error_code error, size_t) {
                       self->probing_ = false;
                       self->stream_.expires_never();
                       if (error) {
                         self->Leave();
                       }
                       if (self->response_.has_value()) {
                         self->Write(*std::exchange(self->response_, std::nullopt));
                       }
                     });
  }

  // A wait may end for an event of a connection that had the descriptor before, so the socket itself is asked.
  void WaitForReset() {
    stream_.socket().async_wait(tcp::socket::wait_error, [self = shared_from_this()](error_code error) {
      if (error || !self->stream_.socket().is_open()) {
        return;
      }
      pollfd socket = {self->stream_.socket().native_handle(), 0, 0};
      if (::poll(&socket, 1, 0) == 1 && (socket.revents & (POLLERR | POLLHUP)) != 0) {
        self->Leave();
      } else {
        self->WaitForReset();
      }
    });
  }

  // The client has gone.
  void Leave() {
    GiveUp();
    Close();
  }

  void GiveUp() {
    if (const HttpHandler::Cancel cancel = std::exchange(cancel_, nullptr); cancel) {
      cancel();
    }
  }

  void OnResponse(const HttpHandler::MakeResponse& make) {
    HttpResponse response = make();
    cancel_ = nullptr;
    if (probing_) {
      response_ = std::move(response);
    } else if (watching_) {
      // Written when the watch has ended: a stream has one timer for reading and writing alike.
      response_ = std::move(response);
      stream_.cancel();
    } else {
      Write(std::move(response));
    }
  }

  void WriteError(int status, absl::string_view text) {
    HttpResponse response;
    response.status = status;
    response.headers = {{"Content-Type", "text/plain; charset=utf-8"}, {"Cache-Control", "no-store"}};
    if (status == 503) {
      response.headers.push_back({"Retry-After", "1"});
    }
    response.body = std::string(text);
    Write(std::move(response));
  }

  void Write(HttpResponse response) {
    if (!stream_.socket().is_open()) {
      ReleaseBuffered();
      return;
    }
    // The server may be closing before this session has heard of it.
    keep_alive_ = keep_alive_ && !draining_ && !server_.sessions_->closing() && !(ended_ && buffer_.size() == 0);
    HoldBuffered(response.body.size());
    const size_t size = response.body.size();
    const bool bodiless = response.status == 204 || response.status == 304;
    out_ = http::response<http::string_body>();
    out_.version(http_version_);
    out_.result(static_cast<unsigned>(response.status));
    for (const HttpHeader& header : response.headers) {
      out_.insert(header.name, header.value);
    }
    out_.set(http::field::date, absl::FormatTime("%a, %d %b %E4Y %H:%M:%S GMT", absl::Now(), absl::UTCTimeZone()));
    out_.keep_alive(keep_alive_);
    if (!bodiless) {
      out_.content_length(size);
    }
    if (!bodiless && !head_only_) {
      out_.body() = std::move(response.body);
    }
    transfer_start_ = std::chrono::steady_clock::now();
    ExpireTransfer(size);
    serializer_.emplace(out_);
    const auto after = [self = shared_from_this()](error_code error, size_t) {
      if (error) {
        self->Close();
        self->ReleaseBuffered();
      } else if (self->keep_alive_) {
        self->WaitForRequest();
      } else {
        self->Linger();
      }
    };
    if (bodiless || head_only_) {
      http::async_write_header(stream_, *serializer_, after);
    } else {
      http::async_write(stream_, *serializer_, after);
    }
  }

  // Closes so that the client can still read the answer.
  void Linger() {
    ReleaseBuffered();
    error_code ignored;
    stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
    stream_.expires_after(kLingerTime);
    lingered_bytes_ = 0;
    buffer_.clear();
    LingerOn();
  }

  void LingerOn() {
    stream_.async_read_some(buffer_.prepare(kReadAheadBytes),
                            [self = shared_from_this()](error_code error, size_t size) {
                              self->lingered_bytes_ += size;
                              if (error || self->lingered_bytes_ > kLingerBytes || self->draining_) {
                                self->Close();
                              } else {
                                self->LingerOn();
                              }
                            });
  }

  // Counts `bytes` as what this session holds. Returns false, counting all the same, if that is too much for the
  // server.
  bool HoldBuffered(uint64_t bytes) {
    const uint64_t total = server_.buffered_bytes_.fetch_add(bytes - held_bytes_) + bytes - held_bytes_;
    held_bytes_ = bytes;
    return total <= options().max_buffered_bytes;
  }
  void ReleaseBuffered() { HoldBuffered(0); }

  const Membership membership_;
  Impl& server_;
  beast::tcp_stream stream_;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  http::response<http::string_body> out_;
  std::optional<http::response_serializer<http::string_body>> serializer_;
  std::optional<HttpResponse> response_;  // Waits for the watch to end.
  HttpHandler::Cancel cancel_;
  std::chrono::steady_clock::time_point transfer_start_;
  uint64_t held_bytes_ = 0;
  size_t lingered_bytes_ = 0;
  unsigned http_version_ = 11;
  bool idle_ = false;
  bool watching_ = false;
  bool probing_ = false;
  bool ended_ = false;  // The client sends no more.
  bool keep_alive_ = true;
  bool head_only_ = false;
  bool draining_ = false;
};

absl::Status HttpServer::Impl::Listen() {
  const size_t colon = options_.listen.rfind(':');
  int port = 0;
  if (colon == std::string::npos || !absl::SimpleAtoi(options_.listen.substr(colon + 1), &port) || port < 0 ||
      port > 65535) {
    return absl::InvalidArgumentError(
        absl::StrCat("--listen: \"", options_.listen, "\" is no address: use HOST:PORT, such as 127.0.0.1:8080"));
  }
  absl::string_view host = absl::string_view(options_.listen).substr(0, colon);
  if (absl::ConsumePrefix(&host, "[")) {
    absl::ConsumeSuffix(&host, "]");
  }
  error_code error;
  tcp::resolver resolver(context_);
  const auto found = resolver.resolve(std::string(host), absl::StrCat(port),
                                      tcp::resolver::passive | tcp::resolver::numeric_service, error);
  if (error || found.empty()) {
    return absl::InvalidArgumentError(absl::StrCat("--listen: there is no host \"", host, "\": ", error.message()));
  }
  const tcp::endpoint endpoint = found.begin()->endpoint();
  acceptor_.open(endpoint.protocol(), error);
  if (!error) {
    // Lets a restarted server have its port back at once; two that listen on one port are refused all the same.
    acceptor_.set_option(net::socket_base::reuse_address(true), error);
    acceptor_.bind(endpoint, error);
  }
  if (!error) {
    acceptor_.listen(net::socket_base::max_listen_connections, error);
  }
  if (error) {
    const std::string cause = error == net::error::address_in_use
                                  ? "the address is in use: stop what listens there, or choose another port"
                                  : error.message();
    return absl::UnavailableError(absl::StrCat("cannot listen on ", options_.listen, ": ", cause));
  }
  port_ = acceptor_.local_endpoint(error).port();
  return absl::OkStatus();
}

void HttpServer::Impl::Run() {
  net::dispatch(acceptor_.get_executor(), [this] { Accept(); });
  for (int i = 0; i < options_.threads; ++i) {
    threads_.emplace_back([this] { context_.run(); });
  }
}

void HttpServer::Impl::Accept() {
  acceptor_.async_accept(net::make_strand(context_),
                         [this](error_code error, tcp::socket socket) { OnAccept(error, std::move(socket)); });
}

void HttpServer::Impl::OnAccept(error_code error, tcp::socket socket) {
  if (!acceptor_.is_open()) {
    return;
  }
  if (error) {
    common::LogWarning("accept_failed", {{"reason", error.message()}});
    accept_pause_.expires_after(kAcceptPause);
    accept_pause_.async_wait([this](error_code stopped) {
      if (!stopped && acceptor_.is_open()) {
        Accept();
      }
    });
    return;
  }
  error_code ignored;
  socket.set_option(tcp::no_delay(true), ignored);
  const size_t sessions = sessions_->size();
  // Some room beyond the limit, to say that it is reached; past that, silence.
  if (sessions < options_.max_connections + options_.max_connections / 8 + 1) {
    const auto session = std::make_shared<Session>(std::move(socket), *this);
    if (sessions_->Add(session.get(), session)) {
      sessions < options_.max_connections ? session->Start() : session->Refuse();
    }
  }
  Accept();
}

void HttpServer::Impl::Shutdown(absl::Duration grace) {
  if (std::exchange(shut_down_, true)) {
    return;
  }
  net::post(acceptor_.get_executor(), [this] {
    error_code ignored;
    acceptor_.close(ignored);
    accept_pause_.cancel(ignored);
  });
  for (const auto& session : sessions_->Close()) {
    session->Drain();
  }
  if (!sessions_->WaitUntilEmpty(absl::Now() + grace)) {
    for (const auto& session : sessions_->Close()) {
      session->Abort();
    }
    sessions_->WaitUntilEmpty(absl::InfiniteFuture());
  }
  work_.reset();
  for (std::thread& thread : threads_) {
    thread.join();
  }
}

absl::StatusOr<std::unique_ptr<HttpServer>> HttpServer::Start(const Options& options, HttpHandler& handler) {
  auto impl = std::make_unique<Impl>(options, handler);
  RETURN_IF_ERROR(impl->Listen());
  impl->Run();
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
}

HttpServer::HttpServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

HttpServer::~HttpServer() { impl_->Shutdown(absl::ZeroDuration()); }

uint16_t HttpServer::port() const { return impl_->port(); }

void HttpServer::Shutdown(absl::Duration grace) { impl_->Shutdown(grace); }

}  // namespace dateline::web_gateway
