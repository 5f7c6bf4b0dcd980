#include "cli/progress.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace dateline::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr absl::Time kStart = absl::UnixEpoch();

TEST(ProgressMeterTest, RateIsThatOfTheLastTenSeconds) {
  ProgressMeter meter(kStart);
  EXPECT_EQ(meter.ItemsPerSecond(), 0.0);
  int64_t items = 0;
  for (int second = 1; second <= 20; ++second) {
    items += second <= 10 ? 100 : 400;
    meter.Record(kStart + absl::Seconds(second), {.items = items});
  }
  EXPECT_NEAR(meter.ItemsPerSecond(), 400, 1);
}

TEST(ProgressMeterTest, TimeLeftFollowsTheBytesThatAreLeft) {
  ProgressMeter meter(kStart);
  meter.Record(kStart + absl::Seconds(2), {.items = 10, .bytes = 1'000, .total_bytes = 5'000});
  ASSERT_TRUE(meter.Remaining().has_value());
  EXPECT_NEAR(absl::ToDoubleSeconds(*meter.Remaining()), 8.0, 0.001);
}

TEST(ProgressMeterTest, TimeLeftIsUnknownWithoutATotalOrAPace) {
  ProgressMeter meter(kStart);
  meter.Record(kStart + absl::Seconds(2), {.items = 10, .bytes = 1'000});
  EXPECT_FALSE(meter.Remaining().has_value());
  ProgressMeter still(kStart);
  still.Record(kStart + absl::Seconds(2), {.total_bytes = 5'000});
  EXPECT_FALSE(still.Remaining().has_value());
}

TEST(ProgressMeterTest, ManyRecordsInAMomentDoNotPushTheWindowOut) {
  ProgressMeter meter(kStart);
  for (int i = 1; i <= 100'000; ++i) {
    meter.Record(kStart + absl::Microseconds(10) * i, {.items = i});
  }
  EXPECT_NEAR(meter.ItemsPerSecond(), 100'000, 2'000);
}

TEST(FormatRemainingTest, RoundsUpAndNeverGoesBelowZero) {
  EXPECT_EQ(FormatRemaining(absl::Milliseconds(200)), "0:01");
  EXPECT_EQ(FormatRemaining(absl::Seconds(754)), "12:34");
  EXPECT_EQ(FormatRemaining(absl::Seconds(3 * 3600 + 121)), "3:02:01");
  EXPECT_EQ(FormatRemaining(-absl::Seconds(5)), "0:00");
}

TEST(RenderProgressTest, ShowsBarShareRateRejectionsAndTimeLeft) {
  const Progress progress = {.items = 50, .rejected = 2, .bytes = 500, .total_bytes = 1'000};
  ProgressMeter meter(kStart);
  meter.Record(kStart + absl::Seconds(1), progress);
  const std::string line = RenderProgress(progress, meter, 100);
  EXPECT_THAT(line, StartsWith("[===============>"));
  EXPECT_THAT(line, HasSubstr("50%"));
  EXPECT_THAT(line, HasSubstr("50 articles  50/s"));
  EXPECT_THAT(line, HasSubstr("2 rejected"));
  EXPECT_THAT(line, HasSubstr("ETA 0:01"));
}

TEST(RenderProgressTest, HasNoBarWithoutATotalAndFitsTheTerminal) {
  const Progress unknown = {.items = 7, .bytes = 500};
  ProgressMeter meter(kStart);
  meter.Record(kStart + absl::Seconds(1), unknown);
  EXPECT_THAT(RenderProgress(unknown, meter, 80), Not(HasSubstr("%")));
  const Progress known = {.items = 7, .bytes = 500, .total_bytes = 1'000};
  for (const int columns : {0, 1, 10, 20, 40, 80, 200}) {
    EXPECT_LE(RenderProgress(known, meter, columns).size(), static_cast<size_t>(columns));
  }
}

TEST(RenderProgressTest, NeverShowsMoreThanAllWhenAFileGrew) {
  const Progress progress = {.items = 7, .bytes = 2'000, .total_bytes = 1'000};
  ProgressMeter meter(kStart);
  meter.Record(kStart + absl::Seconds(1), progress);
  EXPECT_THAT(RenderProgress(progress, meter, 80), HasSubstr("100%"));
}

TEST(ProgressBarTest, WritesNothingWhereItIsNotEnabled) {
  int pipe_ends[2];
  ASSERT_EQ(pipe2(pipe_ends, O_NONBLOCK), 0);
  {
    ProgressBar bar(pipe_ends[1], /*enabled=*/false, 80);
    bar.Show({.items = 1});
    bar.Clear();
  }
  char byte = 0;
  EXPECT_EQ(read(pipe_ends[0], &byte, 1), -1);
  close(pipe_ends[0]);
  close(pipe_ends[1]);
}

}  // namespace
}  // namespace dateline::cli
