#include "common/rpc/status.h"

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "gtest/gtest.h"

#include "common/error.h"
#include "common/text.h"

namespace dateline::common::rpc {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST(StatusTest, RoundTripKeepsCodeMessageAndEveryDetail) {
  absl::Status status = InvalidFields({{"page_size", "must not be negative"}, {"query", "is too long"}});
  status = WithMetadata(WithReason(std::move(status), "QUERY_INVALID"), "limit", "1000");
  status = WithRetryDelay(std::move(status), absl::Milliseconds(1250));
  const absl::Status back = FromGrpcStatus(ToGrpcStatus(status));
  EXPECT_EQ(back, WithMetadata(status, "limit", "1000"));
  EXPECT_EQ(ReasonOf(back), "QUERY_INVALID");
  EXPECT_EQ(RetryDelayOf(back), absl::Milliseconds(1250));
  EXPECT_EQ(FieldViolationsOf(back), FieldViolationsOf(status));
  EXPECT_EQ(MetadataOf(back), MetadataOf(status));
}

TEST(StatusTest, OkHasNoDetails) {
  EXPECT_TRUE(ToGrpcStatus(absl::OkStatus()).ok());
  EXPECT_THAT(ToGrpcStatus(absl::OkStatus()).error_details(), IsEmpty());
  EXPECT_TRUE(FromGrpcStatus(grpc::Status::OK).ok());
}

TEST(StatusTest, EveryErrorHasAnErrorInfoWithOurDomain) {
  const grpc::Status status = ToGrpcStatus(absl::NotFoundError("no article 'x'"));
  google::rpc::Status proto;
  ASSERT_TRUE(proto.ParseFromString(status.error_details()));
  EXPECT_EQ(proto.code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(proto.message(), "no article 'x'");
  ASSERT_THAT(proto.details(), SizeIs(1));
  google::rpc::ErrorInfo info;
  ASSERT_TRUE(proto.details(0).UnpackTo(&info));
  EXPECT_EQ(info.domain(), "dateline");
  EXPECT_EQ(info.reason(), "NOT_FOUND");
}

TEST(StatusTest, StaysWithinWhatClientsTakeAsTrailers) {
  std::vector<FieldViolation> violations;
  for (int i = 0; i < 1000; ++i) {
    violations.push_back({absl::StrCat("articles[", i, "].", std::string(500, 'f')), std::string(500, 'd')});
  }
  absl::Status status = InvalidFields(violations);
  for (int i = 0; i < 100; ++i) {
    status = WithMetadata(std::move(status), absl::StrCat("key", i), std::string(500, 'v'));
  }
  const grpc::Status wire = ToGrpcStatus(WithRetryDelay(std::move(status), absl::Seconds(1)));
  EXPECT_LE(3 * wire.error_message().size() + absl::Base64Escape(wire.error_details()).size(), 7800U);
  const absl::Status back = FromGrpcStatus(wire);
  EXPECT_FALSE(FieldViolationsOf(back).empty());
  EXPECT_EQ(RetryDelayOf(back), absl::Seconds(1));
}

TEST(StatusTest, MessagesAreCutAtACharacterAndMadeUtf8) {
  const grpc::Status cut = ToGrpcStatus(absl::InternalError(std::string(999, 'x') + "éé"));
  EXPECT_EQ(cut.error_message(), std::string(999, 'x'));
  const grpc::Status broken = ToGrpcStatus(WithReason(absl::InternalError("bad \xff byte"), "ODD"));
  EXPECT_TRUE(IsValidUtf8(broken.error_message()));
  EXPECT_EQ(ReasonOf(FromGrpcStatus(broken)), "ODD");
}

TEST(StatusTest, DetailsOfOtherServersAreSkipped) {
  const absl::Status back = FromGrpcStatus(grpc::Status(grpc::StatusCode::UNAVAILABLE, "gone", "not a protobuf \xff"));
  EXPECT_EQ(back.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(back.message(), "gone");
  EXPECT_EQ(ReasonOf(back), "UNAVAILABLE");
}

}  // namespace
}  // namespace dateline::common::rpc
