#include "common/rpc/server.h"

#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/grpcpp.h"
#include "gtest/gtest.h"

#include "common/log.h"
#include "common/rpc/channel.h"
#include "common/rpc/echo_handler.h"
#include "common/rpc/status.h"
#include "common/rpc/test_service.grpc.pb.h"
#include "common/worker_pool.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace dateline::common::rpc {
namespace {

using ::dateline::testing::IsOk;
using ::dateline::testing::StatusIs;
using ::dateline::testing::TempDir;
using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr char kService[] = "dateline.common.rpc.test.EchoService";

absl::Status Echo(const std::shared_ptr<grpc::Channel>& channel, const std::string& text = "x") {
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + absl::Seconds(30)));
  context.set_wait_for_ready(true);
  test::EchoRequest request;
  request.set_text(text);
  test::EchoResponse response;
  return FromGrpcStatus(test::EchoService::NewStub(channel)->Echo(&context, request, &response));
}

// Asks grpc.health.v1 by hand: a HealthCheckRequest is the name in field 1, a response the status in field 1.
absl::StatusOr<int> AskHealth(const std::shared_ptr<grpc::Channel>& channel, const std::string& service) {
  test::EchoRequest request;  // Has a string in field 1, too.
  request.set_text(service);
  const std::string bytes = request.SerializeAsString();
  const grpc::Slice slice(bytes);
  const grpc::ByteBuffer request_bytes(&slice, 1);
  grpc::ByteBuffer response;
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + absl::Seconds(30)));
  std::promise<grpc::Status> done;
  grpc::GenericStub(channel).UnaryCall(&context, "/grpc.health.v1.Health/Check", {}, &request_bytes, &response,
                                       [&done](grpc::Status answered) { done.set_value(std::move(answered)); });
  const grpc::Status status = done.get_future().get();
  if (!status.ok()) {
    return FromGrpcStatus(status);
  }
  grpc::Slice answer;
  if (response.Length() == 0 || !response.TrySingleSlice(&answer).ok() || answer.size() != 2) {
    return 0;
  }
  return answer.begin()[1];
}
constexpr int kServing = 1;
constexpr int kNotServing = 2;

TEST(ServerTest, ServesOnAFreePortOverTcp) {
  WorkerPool pool({});
  test::EchoHandler handler(pool);
  ASSERT_OK_AND_ASSIGN(const auto server, Server::Start({}, {{kService, &handler}}));
  EXPECT_GT(server->port(), 0);
  EXPECT_EQ(server->address(), absl::StrCat("127.0.0.1:", server->port()));
  ASSERT_OK_AND_ASSIGN(const auto channel, MakeChannel(server->address()));
  EXPECT_TRUE(WaitUntilConnected(*channel, absl::Seconds(10)));
  EXPECT_THAT(Echo(channel), IsOk());
}

TEST(ServerTest, ServesOnAUnixSocket) {
  const TempDir folder;
  WorkerPool pool({});
  test::EchoHandler handler(pool);
  const std::string address = "unix:" + folder.File("echo.sock");
  ASSERT_OK_AND_ASSIGN(const auto server, Server::Start({.listen = address}, {{kService, &handler}}));
  EXPECT_EQ(server->port(), 0);
  ASSERT_OK_AND_ASSIGN(const auto channel, MakeChannel(address));
  EXPECT_THAT(Echo(channel), IsOk());
}

TEST(ServerTest, APortInUseIsOneClearErrorAndPrintsNothing) {
  ASSERT_OK_AND_ASSIGN(const auto first, Server::Start({}, {}));
  ::testing::internal::CaptureStderr();
  const auto second = Server::Start({.listen = first->address()}, {});
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
  EXPECT_THAT(second,
              StatusIs(absl::StatusCode::kFailedPrecondition, AllOf(HasSubstr(first->address()), HasSubstr("in use"))));
}

TEST(ServerTest, AnAddressOfAnotherMachineIsAClearError) {
  EXPECT_THAT(Server::Start({.listen = "192.0.2.1:0"}, {}),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("not an address of this machine")));
  EXPECT_THAT(Server::Start({.listen = "nowhere"}, {}), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(ServerTest, ReportsHealthByService) {
  WorkerPool pool({});
  test::EchoHandler handler(pool);
  ASSERT_OK_AND_ASSIGN(const auto server, Server::Start({}, {{kService, &handler}}));
  const auto channel = server->InProcessChannel();
  EXPECT_THAT(AskHealth(channel, ""), testing::IsOkAndHolds(kServing));
  EXPECT_THAT(AskHealth(channel, kService), testing::IsOkAndHolds(kServing));
  EXPECT_THAT(AskHealth(channel, "unknown.Service"), StatusIs(absl::StatusCode::kNotFound));
  server->SetServing(kService, false);
  EXPECT_THAT(AskHealth(channel, kService), testing::IsOkAndHolds(kNotServing));
  EXPECT_THAT(AskHealth(channel, ""), testing::IsOkAndHolds(kServing));
}

TEST(ServerTest, LimitsTheSizeOfRequests) {
  WorkerPool pool({});
  test::EchoHandler handler(pool);
  ASSERT_OK_AND_ASSIGN(const auto server, Server::Start({.max_request_bytes = 1000}, {{kService, &handler}}));
  EXPECT_THAT(Echo(server->InProcessChannel(), std::string(2000, 'x')), StatusIs(absl::StatusCode::kResourceExhausted));
}

TEST(ServerTest, ShutdownDrainsCallsInFlight) {
  std::promise<void> started;
  std::promise<void> gate;
  WorkerPool pool({});
  test::EchoHandler handler(pool, {}, [&](const Call&) {
    started.set_value();
    gate.get_future().wait();
  });
  ASSERT_OK_AND_ASSIGN(const auto server, Server::Start({}, {{kService, &handler}}));
  ASSERT_OK_AND_ASSIGN(const auto channel, MakeChannel(server->address()));
  absl::Status answer = absl::UnknownError("not answered");
  std::thread client([&] { answer = Echo(channel); });
  started.get_future().wait();
  std::thread closer([&server] { server->Shutdown(absl::Seconds(30)); });
  gate.set_value();
  client.join();
  closer.join();
  EXPECT_THAT(answer, IsOk());
}

TEST(ServerTest, ShutdownCancelsWhatOutlastsTheGrace) {
  std::promise<void> started;
  WorkerPool pool({});
  test::EchoHandler handler(pool, {}, [&](const Call& call) {
    started.set_value();
    while (!call.IsCancelled()) {
      std::this_thread::yield();
    }
  });
  ASSERT_OK_AND_ASSIGN(const auto server, Server::Start({}, {{kService, &handler}}));
  ASSERT_OK_AND_ASSIGN(const auto channel, MakeChannel(server->address(), {.max_attempts = 1}));
  std::thread client([&] {
    EXPECT_THAT(Echo(channel),
                ::testing::AnyOf(StatusIs(absl::StatusCode::kCancelled), StatusIs(absl::StatusCode::kUnavailable)));
  });
  started.get_future().wait();
  server->Shutdown(absl::Milliseconds(10));
  client.join();
}

// It would take the whole grace, if it waited for them.
TEST(ServerTest, ShutdownWaitsForNoWatcherOfHealth) {
  ASSERT_OK_AND_ASSIGN(const auto server, Server::Start({}, {}));
  ASSERT_OK_AND_ASSIGN(const auto channel, MakeChannel(server->address()));
  grpc::CompletionQueue events;
  const auto happened = [&events] {
    void* tag = nullptr;
    bool ok = false;
    return events.Next(&tag, &ok) && ok;
  };
  grpc::ClientContext context;
  grpc::GenericStub stub(channel);
  const auto watch = stub.PrepareCall(&context, "/grpc.health.v1.Health/Watch", &events);
  watch->StartCall(nullptr);
  ASSERT_TRUE(happened());
  const grpc::Slice whole_server;  // The empty message asks for it.
  watch->WriteLast(grpc::ByteBuffer(&whole_server, 1), {}, nullptr);
  ASSERT_TRUE(happened());
  grpc::ByteBuffer response;
  watch->Read(&response, nullptr);
  ASSERT_TRUE(happened());

  server->Shutdown(absl::Hours(1));
  do {
    watch->Read(&response, nullptr);
  } while (happened());
  grpc::Status status;
  watch->Finish(&status, nullptr);
  happened();
  EXPECT_FALSE(status.ok());
}

TEST(ChannelTest, RejectsAnAddressItCannotDial) {
  EXPECT_THAT(MakeChannel("nowhere"), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("HOST:PORT")));
}

TEST(ChannelTest, SaysThatNobodyIsThereInTime) {
  // Taken and given back: nobody listens there now.
  std::string address;
  {
    ASSERT_OK_AND_ASSIGN(const auto server, Server::Start({}, {}));
    address = server->address();
  }
  ASSERT_OK_AND_ASSIGN(const auto channel, MakeChannel(address));
  EXPECT_FALSE(WaitUntilConnected(*channel, absl::Milliseconds(100)));
}

}  // namespace
}  // namespace dateline::common::rpc
