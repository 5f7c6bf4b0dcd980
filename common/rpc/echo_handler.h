// A handler of the test service, written as the handlers of the real ones are.
#ifndef DATELINE_COMMON_RPC_ECHO_HANDLER_H_
#define DATELINE_COMMON_RPC_ECHO_HANDLER_H_

#include <functional>
#include <stdexcept>
#include <utility>

#include "absl/status/status.h"

#include "common/error.h"
#include "common/rpc/test_service.grpc.pb.h"
#include "common/rpc/unary.h"
#include "common/worker_pool.h"

namespace dateline::common::rpc::test {

class EchoHandler final : public EchoService::WithRawCallbackMethod_Echo<EchoService::CallbackService> {
 public:
  // `before` runs on the pool's thread at the start of each call.
  explicit EchoHandler(
      WorkerPool& pool, UnaryOptions options = {}, std::function<void(const Call&)> before = [](const Call&) {})
      : pool_(pool), options_(options), before_(std::move(before)) {}

 private:
  grpc::ServerUnaryReactor* Echo(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                 grpc::ByteBuffer* response) override {
    return RunUnary<EchoRequest, EchoResponse>(
        context, request, response, pool_, options_,
        [this](const Call& call, const EchoRequest& echo, EchoResponse& answer) -> absl::Status {
          before_(call);
          if (echo.text().empty()) {
            return InvalidField("text", "must not be empty");
          }
          if (echo.text() == "throw") {
            throw std::runtime_error("thrown on purpose");
          }
          for (int i = 0; i < echo.times(); ++i) {
            answer.mutable_text()->append(echo.text());
          }
          return absl::OkStatus();
        });
  }

  WorkerPool& pool_;
  const UnaryOptions options_;
  const std::function<void(const Call&)> before_;
};

}  // namespace dateline::common::rpc::test

#endif  // DATELINE_COMMON_RPC_ECHO_HANDLER_H_
