#include "common/rpc/unary.h"

#include <atomic>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/grpcpp.h"
#include "gtest/gtest.h"

#include "common/error.h"
#include "common/log.h"
#include "common/mutex.h"
#include "common/rpc/echo_handler.h"
#include "common/rpc/server.h"
#include "common/rpc/status.h"
#include "common/rpc/test_service.grpc.pb.h"
#include "tests/support/status_matchers.h"

namespace dateline::common::rpc {
namespace {

using ::dateline::testing::IsOk;
using ::dateline::testing::StatusIs;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr absl::string_view kEcho = "dateline.common.rpc.test.EchoService/Echo";

// A server with a pool and a channel to it; destroyed in the right order.
struct Fixture {
  explicit Fixture(
      WorkerPool::Options pool_options = {}, UnaryOptions options = {},
      std::function<void(const Call&)> before = [](const Call&) {})
      : pool(pool_options), handler(pool, options, std::move(before)) {
    auto started = Server::Start({}, {{test::EchoService::service_full_name(), &handler}});
    if (!started.ok()) {
      ADD_FAILURE() << started.status();
      return;
    }
    server = *std::move(started);
    stub = test::EchoService::NewStub(server->InProcessChannel());
  }

  // Calls Echo and gives its answer.
  absl::StatusOr<std::string> Echo(const std::string& text, int times = 1,
                                   absl::Duration timeout = absl::Seconds(30)) const {
    grpc::ClientContext context;
    context.set_deadline(absl::ToChronoTime(absl::Now() + timeout));
    test::EchoRequest request;
    request.set_text(text);
    request.set_times(times);
    test::EchoResponse response;
    const absl::Status status = FromGrpcStatus(stub->Echo(&context, request, &response));
    if (!status.ok()) {
      return status;
    }
    return response.text();
  }

  WorkerPool pool;
  test::EchoHandler handler;
  std::unique_ptr<Server> server;
  std::unique_ptr<test::EchoService::Stub> stub;
};

// Collects log lines while it lives.
class LogLines {
 public:
  LogLines() {
    SetLogSink([this](absl::string_view line) {
      const MutexLock lock(mutex_);
      lines_.emplace_back(line);
    });
  }
  ~LogLines() { SetLogSink(nullptr); }
  std::vector<std::string> Get() {
    const MutexLock lock(mutex_);
    return lines_;
  }

 private:
  Mutex mutex_;
  std::vector<std::string> lines_ ABSL_GUARDED_BY(mutex_);
};

TEST(UnaryTest, AnswersFromThePool) {
  const Fixture fixture;
  EXPECT_THAT(fixture.Echo("ab", 3), testing::IsOkAndHolds("ababab"));
}

TEST(UnaryTest, TypedErrorsReachTheClient) {
  const Fixture fixture;
  const absl::Status status = fixture.Echo("").status();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument, "text: must not be empty"));
  EXPECT_THAT(FieldViolationsOf(status), ElementsAre(FieldViolation{"text", "must not be empty"}));
}

TEST(UnaryTest, MethodsThatAreNotBuiltAnswerUnimplemented) {
  const Fixture fixture;
  grpc::ClientContext context;
  test::ForgetResponse response;
  const absl::Status status = FromGrpcStatus(fixture.stub->Forget(&context, {}, &response));
  EXPECT_THAT(status,
              StatusIs(absl::StatusCode::kUnimplemented,
                       HasSubstr("EchoService/Forget is in the contract, but this server doesn't have it yet")));
  EXPECT_EQ(ReasonOf(status), "METHOD_NOT_BUILT");
}

TEST(UnaryTest, ExceptionsBecomeInternalErrors) {
  const Fixture fixture;
  EXPECT_THAT(fixture.Echo("throw"), StatusIs(absl::StatusCode::kInternal, HasSubstr("thrown on purpose")));
  EXPECT_THAT(fixture.Echo("next"), IsOk());
}

TEST(UnaryTest, MalformedBytesAreInvalidArgumentAndHarmNoOtherCall) {
  const Fixture fixture;
  const auto channel = fixture.server->InProcessChannel();
  grpc::GenericStub generic(channel);
  const grpc::Slice slice(std::string("\x0a\x01\xff"));  // text: one byte that is not UTF-8.
  const grpc::ByteBuffer request(&slice, 1);
  grpc::ByteBuffer response;
  grpc::ClientContext context;
  std::promise<grpc::Status> done;
  generic.UnaryCall(&context, "/" + std::string(kEcho), {}, &request, &response,
                    [&done](grpc::Status status) { done.set_value(std::move(status)); });
  const absl::Status status = FromGrpcStatus(done.get_future().get());
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("text: must be UTF-8")));
  EXPECT_EQ(ReasonOf(status), "INVALID_UTF8");
  EXPECT_THAT(fixture.Echo("next"), IsOk());
}

TEST(UnaryTest, AnswersThatAreTooLargeSaySo) {
  const Fixture fixture;
  const absl::Status status = fixture.Echo(std::string(1'000'000, 'x'), 5).status();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_EQ(ReasonOf(status), "RESPONSE_TOO_LARGE");
}

TEST(UnaryTest, ACallOverTheQueueLimitIsRefusedWithADelay) {
  std::promise<void> started;
  std::promise<void> gate;
  const std::shared_future<void> open = gate.get_future().share();
  std::once_flag once;
  const Fixture fixture({.threads = 1, .queue_limit = 1}, {.retry_delay = absl::Milliseconds(70)}, [&](const Call&) {
    std::call_once(once, [&started] { started.set_value(); });
    open.wait();
  });
  std::thread running([&] { EXPECT_THAT(fixture.Echo("running"), IsOk()); });
  started.get_future().wait();
  std::thread waiting([&] { EXPECT_THAT(fixture.Echo("waiting"), IsOk()); });
  while (fixture.pool.queued() == 0) {
    std::this_thread::yield();
  }
  const absl::Status status = fixture.Echo("refused").status();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("try again")));
  EXPECT_EQ(ReasonOf(status), "OVERLOADED");
  EXPECT_EQ(RetryDelayOf(status), absl::Milliseconds(70));
  gate.set_value();
  running.join();
  waiting.join();
}

TEST(UnaryTest, ACallThatExpiredInTheQueueNeverReachesTheCore) {
  std::promise<void> started;
  std::promise<void> gate;
  const std::shared_future<void> open = gate.get_future().share();
  std::atomic<int> reached = 0;
  {
    const Fixture fixture({.threads = 1, .queue_limit = 8}, {}, [&](const Call&) {
      if (reached++ == 0) {
        started.set_value();
        open.wait();
      }
    });
    std::thread running([&] { EXPECT_THAT(fixture.Echo("running"), IsOk()); });
    started.get_future().wait();
    EXPECT_THAT(fixture.Echo("late", 1, absl::Milliseconds(50)), StatusIs(absl::StatusCode::kDeadlineExceeded));
    gate.set_value();
    running.join();
  }
  EXPECT_EQ(reached, 1);
}

TEST(UnaryTest, EveryCallHasADeadlineAndNoneLaterThanTheLongest) {
  absl::Time seen;
  const Fixture fixture({}, {.max_duration = absl::Seconds(5)}, [&seen](const Call& call) { seen = call.deadline(); });
  grpc::ClientContext context;  // Without a deadline.
  test::EchoRequest request;
  request.set_text("x");
  test::EchoResponse response;
  ASSERT_TRUE(fixture.stub->Echo(&context, request, &response).ok());
  EXPECT_LE(seen, absl::Now() + absl::Seconds(5));
  ASSERT_OK(fixture.Echo("x", 1, absl::Seconds(100)));
  EXPECT_LE(seen, absl::Now() + absl::Seconds(5));
  ASSERT_OK(fixture.Echo("x", 1, absl::Seconds(3)));
  EXPECT_LE(seen, absl::Now() + absl::Seconds(4));
}

TEST(UnaryTest, WorkSeesThatItsCallWasCancelled) {
  std::promise<void> started;
  std::promise<bool> cancelled;
  const Fixture fixture({}, {}, [&](const Call& call) {
    started.set_value();
    const absl::Time give_up = absl::Now() + absl::Seconds(20);
    while (!call.IsCancelled() && absl::Now() < give_up) {
      std::this_thread::yield();
    }
    cancelled.set_value(call.IsCancelled() && call.CallerLeft());
  });
  grpc::ClientContext context;
  std::thread client([&] {
    test::EchoRequest request;
    request.set_text("x");
    test::EchoResponse response;
    EXPECT_EQ(fixture.stub->Echo(&context, request, &response).error_code(), grpc::StatusCode::CANCELLED);
  });
  started.get_future().wait();
  context.TryCancel();
  client.join();
  EXPECT_TRUE(cancelled.get_future().get());
}

TEST(UnaryTest, ADeadlineThatPassedIsNoCallerWhoLeft) {
  std::promise<std::pair<bool, bool>> seen;
  const Fixture fixture({}, {}, [&](const Call& call) {
    const absl::Time give_up = absl::Now() + absl::Seconds(20);
    while ((!call.context().IsCancelled() || absl::Now() < call.deadline()) && absl::Now() < give_up) {
      std::this_thread::yield();
    }
    seen.set_value({call.IsCancelled(), call.CallerLeft()});
  });
  EXPECT_THAT(fixture.Echo("late", 1, absl::Milliseconds(500)), StatusIs(absl::StatusCode::kDeadlineExceeded));
  EXPECT_EQ(seen.get_future().get(), std::pair(true, false));
}

TEST(UnaryTest, LogsOneLineForEachCallAndNoTextOfUsers) {
  LogLines lines;
  {
    const Fixture fixture;
    ASSERT_OK(fixture.Echo("secret words"));
    EXPECT_FALSE(fixture.Echo("").ok());
    EXPECT_FALSE(fixture.Echo("throw").ok());
  }
  const std::vector<std::string> got = lines.Get();
  EXPECT_THAT(got, ElementsAre(AllOf(HasSubstr("INFO rpc method=" + std::string(kEcho) + " code=OK queued_ms="),
                                     Not(HasSubstr("secret"))),
                               HasSubstr("code=INVALID_ARGUMENT reason=INVALID_ARGUMENT"),
                               AllOf(HasSubstr("ERROR rpc"), HasSubstr("thrown on purpose"))));
}

TEST(MethodNameOfTest, FindsTheMethodByItsRequest) {
  EXPECT_EQ(MethodNameOf(*test::EchoRequest::descriptor()), kEcho);
  EXPECT_EQ(MethodNameOf(*test::EchoResponse::descriptor()), "dateline.common.rpc.test.EchoResponse");
}

}  // namespace
}  // namespace dateline::common::rpc
