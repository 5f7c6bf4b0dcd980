#include "common/rpc/server.h"

#include <algorithm>
#include <array>
#include <thread>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "google/protobuf/stubs/logging.h"
#include "grpc/grpc.h"
#include "grpc/support/log.h"
#include "grpcpp/ext/proto_server_reflection_plugin.h"
#include "grpcpp/health_check_service_interface.h"
#include "grpcpp/security/server_credentials.h"
#include "grpcpp/server_builder.h"
#include "grpcpp/support/server_interceptor.h"

#include "common/error.h"
#include "common/log.h"
#include "common/rpc/address.h"
#include "common/rpc/status.h"
#include "common/status_macros.h"

namespace dateline::common::rpc {
namespace {

// What gRPC says while a server is being started on this thread: it reports why it can't listen only in its log.
thread_local std::string* heard = nullptr;

// gRPC and protobuf print several lines for what we report in one, and for whatever clients do wrong. Their words go to
// the log, at debug level.
void HearGrpc(gpr_log_func_args* arguments) {
  if (heard != nullptr) {
    absl::StrAppend(heard, arguments->message, "\n");
  }
  LogDebug("grpc", {{"message", arguments->message}});
}

void HearProtobuf(google::protobuf::LogLevel level, const char* /*file*/, int /*line*/, const std::string& message) {
  if (level == google::protobuf::LOGLEVEL_FATAL) {
    LogError("protobuf", {{"message", message}});
  } else {
    LogDebug("protobuf", {{"message", message}});
  }
}

// Before the first server of the process.
void SetUpLibraries() {
  static const bool done = [] {
    gpr_set_log_function(&HearGrpc);
    google::protobuf::SetLogHandler(&HearProtobuf);
    grpc::EnableDefaultHealthCheckService(true);
    grpc::reflection::InitProtoReflectionServerBuilderPlugin();
    return true;
  }();
  static_cast<void>(done);
}

std::string WhyNotListening(absl::string_view said) {
  // The texts of strerror and gai_strerror in the C locale, which servers run in.
  constexpr std::array<std::pair<absl::string_view, absl::string_view>, 6> kCauses = {{
      {"Address already in use", "the address is in use: stop what listens there, or choose another port"},
      {"Permission denied", "permission denied: choose a port above 1023 or another path"},
      {"Cannot assign requested address", "the host is not an address of this machine"},
      {"Name or service not known", "the host is unknown"},
      {"name resolution", "the host can't be resolved"},
      {"No such file or directory", "the folder of the socket does not exist"},
  }};
  for (const auto& [text, cause] : kCauses) {
    if (absl::StrContains(said, text)) {
      return std::string(cause);
    }
  }
  return "run with debug logs to see why";
}

void Configure(const Server::Options& options, grpc::ServerBuilder& builder) {
  builder.SetMaxReceiveMessageSize(options.max_request_bytes);
  // Otherwise a second server binds the same port without a word, and gets half of the calls.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, options.max_concurrent_calls_per_connection);
  // Dead peers are noticed within a minute and a half; clients may ask as often as every ten seconds.
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 60'000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 20'000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 10'000);
  if (options.max_connection_age < absl::Hours(24 * 20)) {  // Further off it doesn't fit the argument's 32 bits.
    builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_MS,
                               static_cast<int>(absl::ToInt64Milliseconds(options.max_connection_age)));
  }
}

// How long no call may have been seen before connections are closed: time for the last answer to reach its socket, and
// for a call that came in with the shutdown to be counted.
constexpr absl::Duration kQuiet = absl::Milliseconds(50);

}  // namespace

// The calls that run, but for those of gRPC's own services. Thread-safe.
class Server::CallCount {
 public:
  // An interceptor lives as long as its call.
  class Factory final : public grpc::experimental::ServerInterceptorFactoryInterface {
   public:
    explicit Factory(std::shared_ptr<CallCount> calls) : calls_(std::move(calls)) {}

    grpc::experimental::Interceptor* CreateServerInterceptor(grpc::experimental::ServerRpcInfo* info) override {
      if (absl::StartsWith(info->method(), "/grpc.")) {
        return nullptr;
      }
      return new Presence(calls_, info->method());  // gRPC owns it.
    }

   private:
    const std::shared_ptr<CallCount> calls_;
  };

  // Returns once no call has run for kQuiet, or Stop was called.
  void AwaitNone() ABSL_LOCKS_EXCLUDED(mutex_) {
    const MutexLock lock(mutex_);
    changed_at_ = absl::Now();
    while (!stopped_ && (running_ > 0 || absl::Now() < changed_at_ + kQuiet)) {
      changed_.WaitUntil(mutex_, running_ > 0 ? absl::InfiniteFuture() : changed_at_ + kQuiet);
    }
  }

  void Stop() ABSL_LOCKS_EXCLUDED(mutex_) {
    const MutexLock lock(mutex_);
    stopped_ = true;
    changed_.NotifyAll();
  }

 private:
  class Presence final : public grpc::experimental::Interceptor {
   public:
    Presence(std::shared_ptr<CallCount> calls, const char* method) : calls_(std::move(calls)), method_(method) {
      calls_->Add(1);
    }
    ~Presence() override { calls_->Add(-1); }

    void Intercept(grpc::experimental::InterceptorBatchMethods* methods) override {
      if (methods->QueryInterceptionHookPoint(grpc::experimental::InterceptionHookPoints::PRE_SEND_STATUS)) {
        // What gRPC answers where a service doesn't override a method. It says nothing with it.
        const grpc::Status status = methods->GetSendStatus();
        if (status.error_code() == grpc::StatusCode::UNIMPLEMENTED && status.error_message().empty()) {
          methods->ModifySendStatus(ToGrpcStatus(WithReason(
              absl::UnimplementedError(absl::StrCat(absl::StripPrefix(method_, "/"),
                                                    " is in the contract, but this server doesn't have it yet")),
              "METHOD_NOT_BUILT")));
        }
      }
      methods->Proceed();
    }

   private:
    const std::shared_ptr<CallCount> calls_;
    const absl::string_view method_;  // gRPC's, which lives as long as the server.
  };

  void Add(int calls) ABSL_LOCKS_EXCLUDED(mutex_) {
    const MutexLock lock(mutex_);
    running_ += calls;
    changed_at_ = absl::Now();
    changed_.NotifyAll();
  }

  Mutex mutex_;
  CondVar changed_;
  int running_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::Time changed_at_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
};

absl::StatusOr<std::unique_ptr<Server>> Server::Start(const Options& options,
                                                      const std::vector<HostedService>& services) {
  SetUpLibraries();
  ASSIGN_OR_RETURN(Address address, ParseAddress(options.listen));
  grpc::ServerBuilder builder;
  Configure(options, builder);
  const auto calls = std::make_shared<CallCount>();
  std::vector<std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface>> interceptors;
  interceptors.push_back(std::make_unique<CallCount::Factory>(calls));
  builder.experimental().SetInterceptorCreators(std::move(interceptors));
  int port = 0;
  builder.AddListeningPort(address.ToString(), grpc::InsecureServerCredentials(), &port);
  for (const HostedService& service : services) {
    builder.RegisterService(service.service);
  }
  std::string said;
  heard = &said;
  std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  heard = nullptr;
  if (server == nullptr || port == 0) {
    if (server != nullptr) {
      server->Shutdown();
    }
    return absl::FailedPreconditionError(absl::StrCat("can't listen on ", options.listen, ": ", WhyNotListening(said)));
  }
  if (!address.is_unix()) {
    address.port = port;
  }
  std::unique_ptr<Server> result(new Server(std::move(server), address.port, address.ToString(), calls));
  for (const HostedService& service : services) {
    result->SetServing(service.name, true);
  }
  return result;
}

Server::Server(std::unique_ptr<grpc::Server> server, int port, std::string address, std::shared_ptr<CallCount> calls)
    : port_(port), address_(std::move(address)), calls_(std::move(calls)), server_(std::move(server)) {}

Server::~Server() { Shutdown(absl::ZeroDuration()); }

void Server::SetServing(const std::string& service_name, bool serving) {
  server_->GetHealthCheckService()->SetServingStatus(service_name, serving);
}

std::shared_ptr<grpc::Channel> Server::InProcessChannel() {
  return server_->InProcessChannel(grpc::ChannelArguments());
}

void Server::Shutdown(absl::Duration grace) {
  const MutexLock lock(shutdown_mutex_);
  if (shut_down_) {
    return;
  }
  shut_down_ = true;
  server_->GetHealthCheckService()->Shutdown();
  // gRPC would wait for every connection to close, and a client that is idle may not read for minutes that it should.
  std::thread closer([this] {
    calls_->AwaitNone();
    grpc_server_cancel_all_calls(server_->c_server());
  });
  server_->Shutdown(absl::ToChronoTime(absl::Now() + grace));
  calls_->Stop();
  closer.join();
}

}  // namespace dateline::common::rpc
