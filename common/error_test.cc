#include "common/error.h"

#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/support/status_matchers.h"

namespace dateline::common {
namespace {

using ::dateline::testing::IsOk;
using ::dateline::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

TEST(ErrorTest, InvalidFieldNamesTheFieldInMessageAndDetail) {
  const absl::Status status = InvalidField("page_size", "must not be negative");
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument, "page_size: must not be negative"));
  EXPECT_THAT(FieldViolationsOf(status), ElementsAre(FieldViolation{"page_size", "must not be negative"}));
}

TEST(ErrorTest, InvalidFieldsReportsAllAtOnce) {
  const absl::Status status = InvalidFields({{"a", "x"}, {"b", "y"}});
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument, "a: x; b: y"));
  EXPECT_THAT(FieldViolationsOf(status), ElementsAre(FieldViolation{"a", "x"}, FieldViolation{"b", "y"}));
}

TEST(ErrorTest, NoViolationsAreNoError) { EXPECT_THAT(InvalidFields({}), IsOk()); }

TEST(ErrorTest, ReasonDefaultsToTheNameOfTheCode) {
  EXPECT_EQ(ReasonOf(absl::NotFoundError("no such article")), "NOT_FOUND");
  EXPECT_EQ(ReasonOf(absl::OkStatus()), "");
}

TEST(ErrorTest, DetailsAreIndependentOfEachOther) {
  absl::Status status = ResourceExhausted("queue full", absl::Milliseconds(250));
  status = WithReason(status, "OVERLOADED");
  status = WithMetadata(status, "queue", "256");
  status = WithMetadata(status, "odd: 3:x", "a\nb");
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kResourceExhausted, "queue full"));
  EXPECT_EQ(ReasonOf(status), "OVERLOADED");
  EXPECT_EQ(RetryDelayOf(status), absl::Milliseconds(250));
  EXPECT_THAT(MetadataOf(status), ElementsAre(Pair("odd: 3:x", "a\nb"), Pair("queue", "256")));
  EXPECT_THAT(FieldViolationsOf(status), IsEmpty());
}

TEST(ErrorTest, UnavailableCarriesItsDelay) {
  EXPECT_EQ(RetryDelayOf(Unavailable("starting", absl::Seconds(2))), absl::Seconds(2));
  EXPECT_EQ(RetryDelayOf(absl::UnavailableError("gone")), std::nullopt);
}

TEST(ErrorTest, OkTakesNoDetails) {
  const absl::Status status = WithReason(WithRetryDelay(absl::OkStatus(), absl::Seconds(1)), "X");
  EXPECT_THAT(status, IsOk());
  EXPECT_EQ(RetryDelayOf(status), std::nullopt);
}

TEST(ErrorTest, PrefixGoesBeforeEachFieldAndKeepsOtherDetails) {
  const absl::Status status =
      WithFieldPrefix(WithReason(InvalidField("title", "is missing"), "ARTICLE_INVALID"), "articles[3]");
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument, "articles[3].title: is missing"));
  EXPECT_THAT(FieldViolationsOf(status), ElementsAre(FieldViolation{"articles[3].title", "is missing"}));
  EXPECT_EQ(ReasonOf(status), "ARTICLE_INVALID");
}

TEST(ErrorTest, FieldsMayHoldAnyBytes) {
  const std::string odd("5:\0:\xff", 5);
  EXPECT_THAT(FieldViolationsOf(InvalidField(odd, "")), ElementsAre(FieldViolation{odd, ""}));
}

}  // namespace
}  // namespace dateline::common
