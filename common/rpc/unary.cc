#include "common/rpc/unary.h"

#include <algorithm>
#include <exception>
#include <memory>

#include "absl/strings/str_cat.h"
#include "google/protobuf/descriptor.h"

#include "common/error.h"
#include "common/log.h"
#include "common/rpc/status.h"

namespace dateline::common::rpc {
namespace {

absl::Status Run(absl::AnyInvocable<absl::Status(const Call&)>& work, const Call& call) {
  if (call.context().IsCancelled()) {
    return absl::CancelledError("the caller went away before the call had its turn");
  }
  if (absl::Now() >= call.deadline()) {
    return absl::DeadlineExceededError("the deadline passed before the call had its turn");
  }
  try {
    return work(call);
  } catch (const std::exception& error) {
    return absl::InternalError(absl::StrCat("unexpected: ", error.what()));
  } catch (...) {
    return absl::InternalError("unexpected failure of an unknown kind");
  }
}

bool IsOurs(absl::StatusCode code) {
  return code == absl::StatusCode::kInternal || code == absl::StatusCode::kUnknown ||
         code == absl::StatusCode::kDataLoss;
}

}  // namespace

absl::Time CallDeadline(const grpc::ServerContextBase& context, absl::Duration max_duration) {
  const absl::Time latest = absl::Now() + max_duration;
  const std::chrono::system_clock::time_point asked = context.deadline();
  // "No deadline" comes as the greatest time point, which Abseil could not convert without overflow.
  return asked == std::chrono::system_clock::time_point::max() ? latest : std::min(latest, absl::FromChrono(asked));
}

void LogCall(absl::string_view method, const absl::Status& status, absl::Duration queued, absl::Duration worked) {
  const std::string code = absl::StatusCodeToString(status.code());
  if (status.ok()) {
    LogInfo("rpc", {{"method", method}, {"code", code}, {"queued_ms", queued}, {"ms", worked}});
  } else if (IsOurs(status.code())) {
    LogError("rpc",
             {{"method", method}, {"code", code}, {"queued_ms", queued}, {"ms", worked}, {"error", status.message()}});
  } else {
    // The message of a caller's error may quote what the caller sent, which belongs at debug level.
    LogInfo("rpc",
            {{"method", method}, {"code", code}, {"reason", ReasonOf(status)}, {"queued_ms", queued}, {"ms", worked}});
    LogDebug("rpc_error", {{"method", method}, {"error", status.message()}});
  }
}

std::string MethodNameOf(const google::protobuf::Descriptor& request) {
  const google::protobuf::FileDescriptor& file = *request.file();
  for (int s = 0; s < file.service_count(); ++s) {
    const google::protobuf::ServiceDescriptor& service = *file.service(s);
    for (int m = 0; m < service.method_count(); ++m) {
      if (service.method(m)->input_type() == &request) {
        return absl::StrCat(service.full_name(), "/", service.method(m)->name());
      }
    }
  }
  return request.full_name();
}

grpc::ServerUnaryReactor* RunOnPool(grpc::CallbackServerContext* context, WorkerPool& pool, const UnaryOptions& options,
                                    absl::string_view method, absl::AnyInvocable<absl::Status(const Call&)> work) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  const absl::Time arrival = absl::Now();
  const absl::Time deadline = CallDeadline(*context, options.max_duration);
  const bool taken = pool.TrySubmit([=, work = std::move(work)]() mutable {
    const absl::Time start = absl::Now();
    absl::Status status = Run(work, Call(context, deadline));
    work = nullptr;
    LogCall(method, status, start - arrival, absl::Now() - start);
    // From here on the call, the context and the handler may be gone.
    reactor->Finish(ToGrpcStatus(status));
  });
  if (!taken) {
    const absl::Status status =
        WithReason(ResourceExhausted("the server is busy: try again later", options.retry_delay), "OVERLOADED");
    LogCall(method, status, absl::ZeroDuration(), absl::ZeroDuration());
    reactor->Finish(ToGrpcStatus(status));
  }
  return reactor;
}

}  // namespace dateline::common::rpc
