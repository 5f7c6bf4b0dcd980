#include "common/rpc/message.h"

#include <map>
#include <string>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "grpcpp/support/slice.h"
#include "gtest/gtest.h"

#include "common/error.h"
#include "common/rpc/test_service.pb.h"
#include "tests/support/status_matchers.h"

namespace dateline::common::rpc {
namespace {

using ::dateline::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;

grpc::ByteBuffer Bytes(const std::string& bytes) {
  const grpc::Slice slice(bytes);
  return {&slice, 1};
}

TEST(MessageTest, WhatIsSerialisedParsesAgain) {
  test::EchoRequest message;
  message.set_text(std::string(100'000, 'x'));
  message.add_parts()->set_title("طهران");
  grpc::ByteBuffer bytes;
  ASSERT_OK(SerializeMessage(message, bytes));
  test::EchoRequest parsed;
  parsed.set_times(3);
  ASSERT_OK(ParseMessage(bytes, parsed));
  EXPECT_EQ(parsed.SerializeAsString(), message.SerializeAsString());
}

TEST(MessageTest, NoBytesAreAnEmptyMessage) {
  test::EchoRequest parsed;
  parsed.set_times(3);
  ASSERT_OK(ParseMessage(grpc::ByteBuffer(), parsed));
  EXPECT_EQ(parsed.times(), 0);
  EXPECT_OK(ParseMessage(Bytes(""), parsed));
}

TEST(MessageTest, NamesTheStringThatIsNotUtf8) {
  // parts: { title: "ok" } parts: { title: "ok" words: "a" words: "\xff" }, by hand: protobuf would not write it.
  const std::string part0 = "\x0a\x02ok";
  const std::string part1 =
      "\x0a\x02ok\x12\x01"
      "a\x12\x01\xff";
  std::string bytes;
  for (const std::string& part : {part0, part1}) {
    bytes += '\x1a';
    bytes += static_cast<char>(part.size());
    bytes += part;
  }
  test::EchoRequest parsed;
  const absl::Status status = ParseMessage(Bytes(bytes), parsed);
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("parts[1].words[1]: must be UTF-8")));
  EXPECT_THAT(FieldViolationsOf(status), ElementsAre(Field(&FieldViolation::field, "parts[1].words[1]")));
  EXPECT_EQ(ReasonOf(status), "INVALID_UTF8");
}

TEST(MessageTest, ABrokenStringInOneItemOfABatchLeavesTheOthers) {
  // text: "t" parts: { title: "\xff" } parts: { title: "ok" }
  test::EchoRequest parsed;
  std::map<int, absl::Status> broken;
  ASSERT_OK(ParseBatch(Bytes("\x0a\x01t\x1a\x03\x0a\x01\xff\x1a\x04\x0a\x02ok"), "parts", parsed, broken));
  EXPECT_EQ(parsed.text(), "t");
  ASSERT_EQ(parsed.parts_size(), 2);
  EXPECT_EQ(parsed.parts(0).title(), "");
  EXPECT_EQ(parsed.parts(1).title(), "ok");
  ASSERT_EQ(broken.size(), 1U);
  EXPECT_THAT(broken.at(0), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("title: must be UTF-8")));

  // text: "\xff" parts: { title: "\xff" }: what is broken beside the items fails the batch.
  EXPECT_THAT(ParseBatch(Bytes("\x0a\x01\xff\x1a\x03\x0a\x01\xff"), "parts", parsed, broken),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("text: must be UTF-8")));
  EXPECT_TRUE(broken.empty());
  EXPECT_THAT(ParseBatch(Bytes("\xff\xff"), "parts", parsed, broken), StatusIs(absl::StatusCode::kInvalidArgument));
  ASSERT_OK(ParseBatch(Bytes("\x1a\x04\x0a\x02ok"), "parts", parsed, broken));
  EXPECT_TRUE(broken.empty());
}

TEST(MessageTest, BytesFieldsTakeAnything) {
  test::EchoRequest message;
  message.set_raw("\xff\x00\xfe");
  grpc::ByteBuffer bytes;
  ASSERT_OK(SerializeMessage(message, bytes));
  EXPECT_OK(ParseMessage(bytes, message));
}

TEST(MessageTest, SaysThatWhatIsNoMessageIsMalformed) {
  test::EchoRequest parsed;
  for (const std::string& bytes :
       {std::string("\x0a\x7f"), std::string("\xff\xff\xff"), std::string("{\"text\": 1}")}) {
    const absl::Status status = ParseMessage(Bytes(bytes), parsed);
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("EchoRequest message")));
    EXPECT_EQ(ReasonOf(status), "MALFORMED_MESSAGE");
  }
}

TEST(MessageTest, RefusesAnAnswerThatClientsWouldNotTake) {
  test::EchoResponse message;
  message.set_text(std::string(kMaxResponseBytes - 10, 'x'));
  grpc::ByteBuffer bytes;
  EXPECT_OK(SerializeMessage(message, bytes));
  message.set_text(std::string(kMaxResponseBytes, 'x'));
  const absl::Status status = SerializeMessage(message, bytes);
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("4000000")));
  EXPECT_EQ(ReasonOf(status), "RESPONSE_TOO_LARGE");
}

}  // namespace
}  // namespace dateline::common::rpc
