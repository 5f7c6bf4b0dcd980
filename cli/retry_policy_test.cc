#include "cli/retry_policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/error.h"

namespace dateline::cli {
namespace {

constexpr absl::Time kStart = absl::UnixEpoch();

TEST(IsRetryableTest, UnavailableIsAndBadInputIsNot) {
  EXPECT_TRUE(IsRetryable(absl::UnavailableError("connection refused")));
  EXPECT_FALSE(IsRetryable(absl::InvalidArgumentError("query: too long")));
  EXPECT_FALSE(IsRetryable(absl::DeadlineExceededError("too slow")));
}

TEST(IsRetryableTest, ResourceExhaustedIsOnlyWhenTheServerSaysWhen) {
  EXPECT_FALSE(IsRetryable(absl::ResourceExhaustedError("received message larger than max")));
  EXPECT_TRUE(IsRetryable(common::ResourceExhausted("busy", absl::Milliseconds(200))));
}

TEST(IsRetryableTest, AStreamOfRepeatableItemsSurvivesABrokenConnection) {
  EXPECT_TRUE(IsRetryableStream(absl::InternalError("RST_STREAM")));
  EXPECT_TRUE(IsRetryableStream(absl::CancelledError("server shuts down")));
  EXPECT_FALSE(IsRetryableStream(absl::InvalidArgumentError("client_sequence: must rise")));
  EXPECT_FALSE(IsRetryableStream(absl::PermissionDeniedError("no")));
}

TEST(BackoffTest, WaitsGrowWithJitterUpToTheLimit) {
  Backoff backoff({.initial_delay = absl::Milliseconds(100),
                   .max_delay = absl::Seconds(1),
                   .multiplier = 2.0,
                   .give_up_after = absl::Hours(1)},
                  kStart);
  const absl::Status error = absl::UnavailableError("down");
  for (const double expected_ms : {100.0, 200.0, 400.0, 800.0, 1000.0, 1000.0}) {
    const auto delay = backoff.NextDelay(error, kStart);
    ASSERT_TRUE(delay.has_value());
    EXPECT_GE(absl::ToDoubleMilliseconds(*delay), expected_ms * 0.8 - 0.001);
    EXPECT_LE(absl::ToDoubleMilliseconds(*delay), expected_ms * 1.2 + 0.001);
  }
}

TEST(BackoffTest, NeverComesBackEarlierThanTheServerAsked) {
  Backoff backoff({.give_up_after = absl::Minutes(1)}, kStart);
  const auto delay = backoff.NextDelay(common::ResourceExhausted("busy", absl::Seconds(7)), kStart);
  ASSERT_TRUE(delay.has_value());
  EXPECT_GE(*delay, absl::Seconds(7));
}

TEST(BackoffTest, GivesUpWhenTheNextAttemptWouldComeTooLate) {
  Backoff backoff({.initial_delay = absl::Milliseconds(100), .give_up_after = absl::Seconds(2)}, kStart);
  const absl::Status error = absl::UnavailableError("down");
  EXPECT_TRUE(backoff.NextDelay(error, kStart + absl::Seconds(1)).has_value());
  EXPECT_FALSE(backoff.NextDelay(error, kStart + absl::Seconds(2)).has_value());
  EXPECT_FALSE(backoff.NextDelay(common::Unavailable("down", absl::Minutes(1)), kStart).has_value());
}

TEST(BackoffTest, ASuccessStartsTheCountAnew) {
  Backoff backoff({.initial_delay = absl::Milliseconds(100), .give_up_after = absl::Seconds(2)}, kStart);
  const absl::Status error = absl::UnavailableError("down");
  (void)backoff.NextDelay(error, kStart);
  (void)backoff.NextDelay(error, kStart);
  backoff.Succeeded(kStart + absl::Seconds(10));
  const auto delay = backoff.NextDelay(error, kStart + absl::Seconds(11));
  ASSERT_TRUE(delay.has_value());
  EXPECT_LE(*delay, absl::Milliseconds(121));
}

}  // namespace
}  // namespace dateline::cli
