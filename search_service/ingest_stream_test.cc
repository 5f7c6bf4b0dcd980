#include "search_service/ingest_stream.h"

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace dateline::search {
namespace {

using ::testing::HasSubstr;
using Watermark = StreamProgress::Watermark;

TEST(StreamProgressTest, RefusesSequencesThatDoNotRise) {
  StreamProgress progress;
  EXPECT_EQ(progress.Receive(0).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(progress.Receive(-4).code(), absl::StatusCode::kInvalidArgument);
  ASSERT_TRUE(progress.Receive(3).ok());
  const absl::Status again = progress.Receive(3);
  EXPECT_EQ(again.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(again.message()), HasSubstr("client_sequence"));
}

TEST(StreamProgressTest, DurableThroughStopsBeforeTheFirstUnansweredItem) {
  StreamProgress progress;
  for (const int64_t sequence : {1, 2, 5}) ASSERT_TRUE(progress.Receive(sequence).ok());
  progress.Answer(5, 12);
  progress.Answer(1, 10);
  EXPECT_EQ(progress.Advance(0), (Watermark{.durable_through = 1, .visible_through = 0}));
  progress.Answer(2, 11);
  EXPECT_EQ(progress.Advance(0), (Watermark{.durable_through = 5, .visible_through = 0}));
  EXPECT_TRUE(progress.all_answered());
}

TEST(StreamProgressTest, VisibleThroughFollowsTheIndexInTheOrderOfTheClient) {
  StreamProgress progress;
  for (const int64_t sequence : {1, 2, 3}) ASSERT_TRUE(progress.Receive(sequence).ok());
  progress.Answer(1, 30);  // Stored later in the log than the others.
  progress.Answer(2, 10);
  progress.Answer(3, 0);  // Refused: nothing to wait for.
  EXPECT_EQ(progress.Advance(20), (Watermark{.durable_through = 3, .visible_through = 0}));
  EXPECT_EQ(progress.Advance(30), (Watermark{.durable_through = 3, .visible_through = 3}));
}

TEST(StreamProgressTest, KeepsNothingOfWhatIsVisible) {
  StreamProgress progress;
  for (int64_t sequence = 1; sequence <= 1000; ++sequence) {
    ASSERT_TRUE(progress.Receive(sequence).ok());
    progress.Answer(sequence, static_cast<uint64_t>(sequence));
    EXPECT_EQ(progress.Advance(static_cast<uint64_t>(sequence)),
              (Watermark{.durable_through = sequence, .visible_through = sequence}));
  }
  progress.Answer(7, 99);  // An answer to an item long gone changes nothing.
  EXPECT_EQ(progress.Advance(5000), (Watermark{.durable_through = 1000, .visible_through = 1000}));
}

}  // namespace
}  // namespace dateline::search
