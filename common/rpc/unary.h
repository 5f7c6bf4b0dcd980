// The shape of every unary method: hop from gRPC's thread to the pool, parse, work, serialise, finish, log.
//
// gRPC's callback threads must never block, and gRPC's own parsing answers a malformed request with a bare
// UNIMPLEMENTED. So handlers derive from the generated "raw callback" wrappers, which hand over bytes, and write each
// method as
//
//   class SearchHandler final : public v1::SearchService::WithRawCallbackMethod_Search<
//                                   v1::SearchService::WithRawCallbackMethod_Suggest<v1::SearchService::Service>> {
//     grpc::ServerUnaryReactor* Search(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
//                                      grpc::ByteBuffer* response) override {
//       return RunUnary<v1::SearchRequest, v1::SearchResponse>(
//           context, request, response, pool_, options_,
//           [this](const Call& call, const v1::SearchRequest& request, v1::SearchResponse& response) -> absl::Status {
//             ASSIGN_OR_RETURN(const Query query, FromProto(request));
//             ...
//           });
//     }
//
// Methods of the service that are not wrapped answer UNIMPLEMENTED.
#ifndef DATELINE_COMMON_RPC_UNARY_H_
#define DATELINE_COMMON_RPC_UNARY_H_

#include <string>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "google/protobuf/arena.h"
#include "google/protobuf/descriptor.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/server_callback.h"

#include "common/rpc/message.h"
#include "common/worker_pool.h"

namespace dateline::common::rpc {

struct UnaryOptions {
  // The longest that a call may take, from its arrival. Calls that came without a deadline, or with a later one, get
  // this one: no work is unbounded.
  absl::Duration max_duration = absl::Seconds(60);
  // What callers are told to wait when the pool is full.
  absl::Duration retry_delay = absl::Milliseconds(500);
};

// What the work may know of the call it does. Valid while the work runs.
class Call {
 public:
  Call(grpc::CallbackServerContext* context, absl::Time deadline) : context_(context), deadline_(deadline) {}

  // When the caller stops waiting; never infinite. Give it to whatever is called from here.
  absl::Time deadline() const { return deadline_; }
  // True once nobody waits for the answer: the caller cancelled or went away, or the deadline has passed. Long work
  // asks now and then, and ends.
  bool IsCancelled() const { return context_->IsCancelled() || absl::Now() >= deadline_; }
  // True if the caller cancelled or went away before its deadline. gRPC cancels a call at its deadline as well, which
  // is another thing: work that tells the two apart answers CANCELLED to the one and DEADLINE_EXCEEDED to the other.
  bool CallerLeft() const { return context_->IsCancelled() && absl::Now() < deadline_; }
  grpc::CallbackServerContext& context() const { return *context_; }

 private:
  grpc::CallbackServerContext* context_;
  absl::Time deadline_;
};

// Runs `work` on a thread of `pool`, then finishes the call with its status, and logs one line: method, code,
// milliseconds in the queue and at work. The building block of RunUnary; for methods that read or write bytes
// themselves.
//
// `work` does not run if the pool is full or shut down (RESOURCE_EXHAUSTED with RetryInfo, reason OVERLOADED), if the
// call was cancelled before its turn (CANCELLED), or if its deadline passed (DEADLINE_EXCEEDED). An exception becomes
// INTERNAL. `work` and what it captured is destroyed before the call is finished, so it may refer to the request, the
// response and the handler, and to nothing that dies earlier. `method` must be a literal, or live as long as the
// process.
grpc::ServerUnaryReactor* RunOnPool(grpc::CallbackServerContext* context, WorkerPool& pool, const UnaryOptions& options,
                                    absl::string_view method, absl::AnyInvocable<absl::Status(const Call&)> work);

// "dateline.search.v1.SearchService/Search" for the method whose request has type `request`; the type's name if no
// service in its file takes it.
std::string MethodNameOf(const google::protobuf::Descriptor& request);

// Parses the request on the pool (INVALID_ARGUMENT, naming the problem, if that fails), calls
// `work(call, request, response) -> absl::Status`, and serialises the response (RESOURCE_EXHAUSTED, reason
// RESPONSE_TOO_LARGE, if it is too large). All else as RunOnPool.
template <typename Request, typename Response, typename Work>
grpc::ServerUnaryReactor* RunUnary(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request_bytes,
                                   grpc::ByteBuffer* response_bytes, WorkerPool& pool, const UnaryOptions& options,
                                   Work work) {
  // Never destroyed: calls may still be logged while the process exits.
  static const std::string& method = *new std::string(MethodNameOf(*Request::descriptor()));
  return RunOnPool(context, pool, options, method,
                   [request_bytes, response_bytes, work = std::move(work)](const Call& call) mutable -> absl::Status {
                     google::protobuf::Arena arena;
                     auto& request = *google::protobuf::Arena::CreateMessage<Request>(&arena);
                     if (absl::Status status = ParseMessage(*request_bytes, request); !status.ok()) {
                       return status;
                     }
                     auto& response = *google::protobuf::Arena::CreateMessage<Response>(&arena);
                     if (absl::Status status = work(call, std::as_const(request), response); !status.ok()) {
                       return status;
                     }
                     return SerializeMessage(response, *response_bytes);
                   });
}

// The moment at which a call that arrived now must be done: its own deadline, but at most `max_duration` from now.
absl::Time CallDeadline(const grpc::ServerContextBase& context, absl::Duration max_duration);

// Logs the line of one call: for streams, whose handlers are written by hand. OK and errors of callers at info level,
// errors of ours (INTERNAL, UNKNOWN, DATA_LOSS) as errors, with their message.
void LogCall(absl::string_view method, const absl::Status& status, absl::Duration queued, absl::Duration worked);

}  // namespace dateline::common::rpc

#endif  // DATELINE_COMMON_RPC_UNARY_H_
