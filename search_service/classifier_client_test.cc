#include "search_service/classifier_client.h"

#include <memory>

#include "gmock/gmock.h"
#include "grpcpp/grpcpp.h"
#include "gtest/gtest.h"

#include "common/error.h"
#include "common/rpc/server.h"
#include "common/rpc/status.h"
#include "tests/support/status_matchers.h"

namespace dateline::search {
namespace {

namespace cpb = classifier::v1;

using ::dateline::testing::IsOk;
using ::dateline::testing::StatusIs;

constexpr absl::Duration kPatience = absl::Seconds(20);

// A classifier that answers every document with one error.
class FailingClassifier final
    : public cpb::ClassifierService::WithCallbackMethod_ExtractArticle<cpb::ClassifierService::Service> {
 public:
  grpc::ServerUnaryReactor* ExtractArticle(grpc::CallbackServerContext* context,
                                           const cpb::ExtractArticleRequest* /*request*/,
                                           cpb::ExtractArticleResponse* /*response*/) override {
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    reactor->Finish(common::rpc::ToGrpcStatus(error));
    return reactor;
  }

  absl::Status error;
};

class ClassifierClientTest : public ::testing::Test {
 protected:
  ClassifierClientTest() {
    auto server = common::rpc::Server::Start(
        {}, {{.name = cpb::ClassifierService::service_full_name(), .service = &classifier_}});
    EXPECT_THAT(server, IsOk());
    server_ = *std::move(server);
  }

  absl::Status ErrorFor(absl::Status error) {
    classifier_.error = std::move(error);
    ClassifierClient client(server_->InProcessChannel());
    return client.Extract(article::v1::RawDocument(), absl::Now() + kPatience).status();
  }

  FailingClassifier classifier_;
  std::unique_ptr<common::rpc::Server> server_;
};

TEST_F(ClassifierClientTest, ErrorsThatStayAreTheDocumentsOwnWithTheirDetails) {
  const absl::Status too_large =
      ErrorFor(common::WithReason(absl::ResourceExhaustedError("too large"), kReasonResponseTooLarge));
  EXPECT_THAT(too_large, StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_EQ(common::ReasonOf(too_large), kReasonResponseTooLarge);
  const absl::Status invalid = ErrorFor(common::InvalidField("document.content", "is empty"));
  EXPECT_EQ(common::FieldViolationsOf(invalid).size(), 1U);
  for (const absl::StatusCode code : {absl::StatusCode::kUnimplemented, absl::StatusCode::kFailedPrecondition,
                                      absl::StatusCode::kOutOfRange, absl::StatusCode::kNotFound}) {
    EXPECT_THAT(ErrorFor(absl::Status(code, "no")), StatusIs(code));
  }
}

TEST_F(ClassifierClientTest, ErrorsThatMayPassAreUnavailableWithADelay) {
  for (const absl::StatusCode code :
       {absl::StatusCode::kUnavailable, absl::StatusCode::kDeadlineExceeded, absl::StatusCode::kResourceExhausted,
        absl::StatusCode::kCancelled, absl::StatusCode::kAborted, absl::StatusCode::kInternal,
        absl::StatusCode::kUnknown}) {
    const absl::Status status = ErrorFor(absl::Status(code, "not now"));
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kUnavailable));
    EXPECT_EQ(common::ReasonOf(status), "CLASSIFIER_UNAVAILABLE");
    EXPECT_TRUE(common::RetryDelayOf(status).has_value());
  }
  EXPECT_EQ(common::RetryDelayOf(ErrorFor(common::ResourceExhausted("busy", absl::Seconds(7)))), absl::Seconds(7));
}

}  // namespace
}  // namespace dateline::search
