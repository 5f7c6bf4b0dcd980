// Matchers for absl::Status and absl::StatusOr. (Abseil 20220623, the version Debian 12 ships, has none.)
//
//   EXPECT_THAT(Open(path), IsOk());
//   EXPECT_THAT(Parse("7"), IsOkAndHolds(7));
//   EXPECT_THAT(Parse("x"), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("digits")));
//
// There is no matcher for "not OK": a test names the error that it expects.
#ifndef DATELINE_TESTS_SUPPORT_STATUS_MATCHERS_H_
#define DATELINE_TESTS_SUPPORT_STATUS_MATCHERS_H_

#include <ostream>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace dateline::testing {

inline const absl::Status& GetStatus(const absl::Status& status) { return status; }
template <typename T>
const absl::Status& GetStatus(const absl::StatusOr<T>& result) {
  return result.status();
}

// NOLINTBEGIN: gMock's macros declare what they please.
MATCHER(IsOk, negation ? "is not OK" : "is OK") {
  *result_listener << "whose status is " << GetStatus(arg).ToString();
  return GetStatus(arg).ok();
}

MATCHER_P(IsOkAndHolds, value_matcher, "is OK and holds a value that matches") {
  if (!arg.ok()) {
    *result_listener << "whose status is " << arg.status().ToString();
    return false;
  }
  return ::testing::ExplainMatchResult(value_matcher, *arg, result_listener);
}

MATCHER_P2(StatusIs, code, message_matcher, "has the code " + absl::StatusCodeToString(code)) {
  *result_listener << "whose status is " << GetStatus(arg).ToString();
  return GetStatus(arg).code() == code &&
         ::testing::ExplainMatchResult(message_matcher, std::string(GetStatus(arg).message()), result_listener);
}
// NOLINTEND

inline auto StatusIs(absl::StatusCode code) { return StatusIs(code, ::testing::_); }

}  // namespace dateline::testing

#define DATELINE_TEST_CONCAT_INNER_(a, b) a##b
#define DATELINE_TEST_CONCAT_(a, b) DATELINE_TEST_CONCAT_INNER_(a, b)

// In a test body: fails the test with the status, or goes on with the value.
#define ASSERT_OK(expression) ASSERT_THAT((expression), ::dateline::testing::IsOk())
#define EXPECT_OK(expression) EXPECT_THAT((expression), ::dateline::testing::IsOk())
#define ASSERT_OK_AND_ASSIGN(lhs, expression) \
  DATELINE_ASSERT_OK_AND_ASSIGN_(DATELINE_TEST_CONCAT_(dateline_test_result_, __LINE__), lhs, expression)
#define DATELINE_ASSERT_OK_AND_ASSIGN_(result, lhs, expression) \
  auto result = (expression);                                   \
  ASSERT_TRUE(result.ok()) << result.status();                  \
  lhs = std::move(result).value()

#endif  // DATELINE_TESTS_SUPPORT_STATUS_MATCHERS_H_
