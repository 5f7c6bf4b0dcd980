#include "web_gateway/gzip.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace dateline::web_gateway {
namespace {

using ::testing::HasSubstr;

constexpr size_t kLimit = 1 << 20;

TEST(GzipTest, GivesBackWhatWasCompressed) {
  std::string mixed;
  for (int i = 0; i < 200000; ++i) {
    mixed.push_back(static_cast<char>((i * 7919) >> 3));
  }
  for (const std::string& text : {std::string(), std::string("a"), std::string("\0\xff\n", 3), mixed}) {
    const auto back = Gunzip(Gzip(text), kLimit);
    ASSERT_TRUE(back.ok()) << back.status();
    EXPECT_EQ(*back, text);
  }
}

TEST(GzipTest, AllowsExactlyTheLimit) {
  const auto back = Gunzip(Gzip(std::string(70000, 'x')), 70000);
  ASSERT_TRUE(back.ok()) << back.status();
  EXPECT_EQ(back->size(), 70000);
}

TEST(GzipTest, StopsAtTheLimitHoweverMuchWouldComeOut) {
  // 30 MB of zeros in about 30 kB.
  const std::string bomb = Gzip(std::string(30'000'000, '\0'));
  EXPECT_LT(bomb.size(), 200'000);
  const auto back = Gunzip(bomb, kLimit);
  EXPECT_EQ(back.status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(back.status().message(), HasSubstr("1048576 bytes"));
}

TEST(GzipTest, RefusesWhatIsDamagedCutOffOrPadded) {
  const std::string whole = Gzip("some text that is long enough to be cut");
  std::string damaged = whole;
  damaged[12] = static_cast<char>(damaged[12] ^ 0x55);
  for (const std::string& bad : {std::string("not gzip"), std::string(), whole.substr(0, whole.size() - 1),
                                 whole.substr(0, 10), whole + "x", damaged}) {
    EXPECT_EQ(Gunzip(bad, kLimit).status().code(), absl::StatusCode::kInvalidArgument);
  }
}

}  // namespace
}  // namespace dateline::web_gateway
