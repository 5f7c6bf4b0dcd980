#include "common/rpc/timestamp.h"

#include <cstdint>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/support/status_matchers.h"

namespace dateline::common::rpc {
namespace {

using ::dateline::testing::IsOkAndHolds;
using ::dateline::testing::StatusIs;
using ::testing::HasSubstr;

google::protobuf::Timestamp Timestamp(int64_t seconds, int32_t nanos) {
  google::protobuf::Timestamp timestamp;
  timestamp.set_seconds(seconds);
  timestamp.set_nanos(nanos);
  return timestamp;
}

TEST(TimeFromProtoTest, TakesWhatIsInRangeAndNamesTheFieldOtherwise) {
  EXPECT_THAT(TimeFromProto("t", Timestamp(-2, 1)), IsOkAndHolds(absl::FromUnixSeconds(-2) + absl::Nanoseconds(1)));
  EXPECT_TRUE(TimeFromProto("t", Timestamp(-62135596800, 0)).ok());
  EXPECT_TRUE(TimeFromProto("t", Timestamp(253402300799, 999'999'999)).ok());
  for (const int64_t seconds : {int64_t{-62135596801}, int64_t{253402300800}, INT64_MIN, INT64_MAX}) {
    EXPECT_THAT(TimeFromProto("t", Timestamp(seconds, 0)),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("t: is no time between the years 1 and 9999")));
  }
  for (const int32_t nanos : {-1, 1'000'000'000}) {
    EXPECT_THAT(TimeFromProto("t", Timestamp(0, nanos)),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("nanos; send 0 to 999999999")));
  }
}

}  // namespace
}  // namespace dateline::common::rpc
