#include "cli/byte_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <vector>

namespace dateline::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Gives `text` in pieces of `piece` bytes, then `end`.
extraction::ReadFunction Pieces(std::string text, size_t piece, absl::Status end = absl::OkStatus()) {
  return [text = std::move(text), piece, end, used = size_t{0}](char* buffer,
                                                                size_t size) mutable -> absl::StatusOr<size_t> {
    const size_t bytes = std::min({size, piece, text.size() - used});
    if (bytes == 0 && !end.ok()) return end;
    std::memcpy(buffer, text.data() + used, bytes);
    used += bytes;
    return bytes;
  };
}

std::vector<std::string> Lines(LineReader reader) {
  std::vector<std::string> lines;
  while (const auto line = reader.Next()) {
    EXPECT_EQ(line->number, static_cast<int64_t>(lines.size()) + 1);
    lines.push_back(line->text.ok() ? *line->text : "error: " + std::string(line->text.status().message()));
  }
  return lines;
}

TEST(LineReaderTest, CountsEveryLineAlsoEmptyOnesAndOneWithoutALineEnd) {
  for (const size_t piece : {1, 2, 3, 100}) {
    EXPECT_THAT(Lines(LineReader(Pieces("a\n\nb\r\nc", piece), 100)), ElementsAre("a", "", "b", "c"));
    EXPECT_THAT(Lines(LineReader(Pieces("a\nb\n", piece), 100)), ElementsAre("a", "b"));
    EXPECT_THAT(Lines(LineReader(Pieces("a\n\n", piece), 100)), ElementsAre("a", ""));
    EXPECT_THAT(Lines(LineReader(Pieces("", piece), 100)), ElementsAre());
  }
}

TEST(LineReaderTest, ALineThatIsTooLongIsAnErrorAndHarmsNoOther) {
  const std::string text = "first\n" + std::string(500'000, 'x') + "\nlast\n";
  for (const size_t piece : {7UL, 1'000UL, 1'000'000UL}) {
    EXPECT_THAT(Lines(LineReader(Pieces(text, piece), 1'000)),
                ElementsAre("first", HasSubstr("longer than 1000 bytes"), "last"));
  }
}

TEST(LineReaderTest, ALongLineAtTheEndIsOneError) {
  EXPECT_THAT(Lines(LineReader(Pieces("a\n" + std::string(300'000, 'x'), 1'000), 1'000)),
              ElementsAre("a", HasSubstr("longer than")));
}

TEST(LineReaderTest, AFailedReadIsTheLastLine) {
  EXPECT_THAT(Lines(LineReader(Pieces("a\nhalf a li", 3, absl::DataLossError("disk gone")), 100)),
              ElementsAre("a", "error: disk gone"));
}

TEST(LineReaderTest, KnowsWhetherALineIsAtHand) {
  LineReader reader(Pieces("a\nb\nc", 4), 100);
  EXPECT_FALSE(reader.HasLine());
  ASSERT_TRUE(reader.Next().has_value());
  EXPECT_TRUE(reader.HasLine());
  ASSERT_TRUE(reader.Next().has_value());
  EXPECT_FALSE(reader.HasLine());
}

TEST(ReplayTest, GivesTheHeadThenTheRest) {
  EXPECT_THAT(Lines(LineReader(Replay("a\nb", Pieces("c\nd", 1)), 100)), ElementsAre("a", "bc", "d"));
}

TEST(DescriptorReaderTest, ReadsAPipeToItsEndAndCountsTheBytes) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  ASSERT_EQ(write(ends[1], "x\ny\n", 4), 4);
  EXPECT_TRUE(IsReadable(ends[0]));
  close(ends[1]);
  size_t bytes = 0;
  EXPECT_THAT(Lines(LineReader(DescriptorReader(ends[0], true, [&bytes](size_t got) { bytes += got; }), 100)),
              ElementsAre("x", "y"));
  EXPECT_EQ(bytes, 4U);
}

TEST(DescriptorReaderTest, AnUnreadableDescriptorIsAnError) {
  const auto read = DescriptorReader(STDERR_FILENO + 500, false, [](size_t) {});
  char byte = 0;
  EXPECT_FALSE(read(&byte, 1).ok());
}

}  // namespace
}  // namespace dateline::cli
