#include "search_service/classifier_client.h"

#include <memory>
#include <string>

#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "grpcpp/grpcpp.h"
#include "gtest/gtest.h"

#include "common/error.h"
#include "common/rpc/item_error.h"
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
    ClassifierClient client(server_->InProcessChannel(), {});
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

// A classifier with a taxonomy of one country and one group, which refuses priors of anything else, keeps what it was
// asked, and counts the taxonomies that it sent in full.
class StrictClassifier final
    : public cpb::ClassifierService::WithCallbackMethod_BatchClassify<
          cpb::ClassifierService::WithCallbackMethod_GetTaxonomy<cpb::ClassifierService::Service>> {
 public:
  grpc::ServerUnaryReactor* BatchClassify(grpc::CallbackServerContext* context,
                                          const cpb::BatchClassifyRequest* request,
                                          cpb::BatchClassifyResponse* response) override {
    asked = *request;
    for (const cpb::ClassifyRequest& one : request->requests()) {
      cpb::BatchClassifyResult& result = *response->add_results();
      result.mutable_response()->set_model_version("m1");
      for (const cpb::CountryPrior& prior : one.priors()) {
        if (prior.group_id().empty() || prior.group_id() == group) continue;
        *result.mutable_error() =
            common::rpc::ToItemError(common::InvalidField("priors[1].group_id", "is no group of the taxonomy"));
      }
    }
    return Finish(context);
  }
  grpc::ServerUnaryReactor* GetTaxonomy(grpc::CallbackServerContext* context, const cpb::GetTaxonomyRequest* request,
                                        cpb::GetTaxonomyResponse* response) override {
    response->set_etag("etag of " + group);
    response->set_not_modified(request->etag() == response->etag());
    if (!response->not_modified()) {
      ++sent;
      response->add_regions()->set_region_code("IR");
      response->add_groups()->set_group_id(group);
    }
    return Finish(context);
  }

  std::string group = "gcc";
  int sent = 0;
  cpb::BatchClassifyRequest asked;

 private:
  static grpc::ServerUnaryReactor* Finish(grpc::CallbackServerContext* context) {
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }
};

class TaggingTest : public ::testing::Test {
 protected:
  TaggingTest() {
    auto server = common::rpc::Server::Start(
        {}, {{.name = cpb::ClassifierService::service_full_name(), .service = &classifier_}});
    EXPECT_THAT(server, IsOk());
    server_ = *std::move(server);
    tagging_.profile = cpb::COUNTRY_PROFILE_STRICT;
    tagging_.priors.resize(2);
    tagging_.priors[0].set_region_code("IR");
    tagging_.priors[0].set_log_odds(1.5);
    tagging_.priors[1].set_group_id("gcc");
    tagging_.priors[1].set_log_odds(-1.0);
  }

  absl::Time Soon() const { return absl::Now() + kPatience; }

  StrictClassifier classifier_;
  std::unique_ptr<common::rpc::Server> server_;
  ClassifierClient::Tagging tagging_;
};

TEST_F(TaggingTest, EveryRequestCarriesProfileAndPriors) {
  ClassifierClient client(server_->InProcessChannel(), tagging_);
  const auto answer = client.Label({LabelingInput(), LabelingInput()}, Soon());
  ASSERT_THAT(answer, IsOk());
  ASSERT_EQ(classifier_.asked.requests_size(), 2);
  for (const cpb::ClassifyRequest& request : classifier_.asked.requests()) {
    EXPECT_EQ(request.profile(), cpb::COUNTRY_PROFILE_STRICT);
    ASSERT_EQ(request.priors_size(), 2);
    EXPECT_EQ(request.priors(0).region_code(), "IR");
    EXPECT_EQ(request.priors(0).log_odds(), 1.5);
    EXPECT_EQ(request.priors(1).group_id(), "gcc");
  }
}

TEST_F(TaggingTest, ATaxonomyThatIsKnownIsFetchedOnceToCheckThePriors) {
  ClassifierClient client(server_->InProcessChannel(), tagging_);
  for (int i = 0; i < 3; ++i) {
    const auto fetched = client.FetchTaxonomy("etag of gcc", Soon());
    ASSERT_THAT(fetched, IsOk());
    EXPECT_FALSE(fetched->has_value());
  }
  EXPECT_EQ(classifier_.sent, 1);
}

TEST_F(TaggingTest, APriorOfWhatThereIsNotStopsTaggingAndRefusesNoArticle) {
  ClassifierClient client(server_->InProcessChannel(), tagging_);
  ASSERT_THAT(client.FetchTaxonomy("etag of gcc", Soon()), IsOk());
  classifier_.group = "opec";  // Another taxonomy is loaded.
  EXPECT_THAT(client.Label({LabelingInput()}, Soon()),
              StatusIs(absl::StatusCode::kFailedPrecondition, ::testing::HasSubstr("--prior")));
  for (const std::string etag : {"etag of gcc", "etag of opec", ""}) {
    EXPECT_THAT(client.FetchTaxonomy(etag, Soon()),
                StatusIs(absl::StatusCode::kFailedPrecondition, ::testing::HasSubstr("\"gcc\" is in no taxonomy")));
  }
  classifier_.group = "gcc";
  EXPECT_THAT(client.FetchTaxonomy("etag of gcc", Soon()), IsOk());
  EXPECT_THAT(client.Label({LabelingInput()}, Soon()), IsOk());
}

}  // namespace
}  // namespace dateline::search
