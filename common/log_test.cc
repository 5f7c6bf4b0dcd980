#include "common/log.h"

#include <cmath>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "nlohmann/json.hpp"
#include "tests/support/status_matchers.h"

namespace dateline::common {
namespace {

using ::dateline::testing::IsOkAndHolds;
using ::dateline::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::SizeIs;

class LogTest : public ::testing::Test {
 protected:
  LogTest() {
    SetLogSink([this](absl::string_view line) { lines_.emplace_back(line); });
  }
  ~LogTest() override {
    SetLogSink(nullptr);
    ConfigureLog({});
  }

  std::vector<std::string> lines_;
};

TEST_F(LogTest, TextLineHasTimeLevelEventAndFields) {
  LogInfo("ready", {{"port", 50051},
                    {"version", "0.1.0"},
                    {"tls", false},
                    {"took_ms", absl::Microseconds(1500)},
                    {"ratio", 0.25},
                    {"status", absl::NotFoundError("no index")}});
  EXPECT_THAT(lines_, ElementsAre(MatchesRegex(
                          "[0-9-]+T[0-9:]+\\.[0-9][0-9][0-9]Z INFO ready port=50051 version=0.1.0 tls=false "
                          "took_ms=1.5 ratio=0.25 status=\"NOT_FOUND: no index\"")));
}

TEST_F(LogTest, ValuesCannotForgeALine) {
  LogWarning("odd", {{"text", "a\nERROR \"x\" \x01 b=c"}, {"empty", ""}});
  EXPECT_THAT(lines_, ElementsAre(EndsWith(R"(WARNING odd text="a\nERROR \"x\" \u0001 b=c" empty="")")));
}

TEST_F(LogTest, JsonLineParsesAndKeepsTypes) {
  ConfigureLog({.format = LogFormat::kJson});
  LogError("failed", {{"path", "C:\\x \"y\"\n\x7f"}, {"count", 3}, {"ok", true}, {"nan", std::nan("")}});
  ASSERT_THAT(lines_, SizeIs(1));
  const nlohmann::json line = nlohmann::json::parse(lines_[0]);
  EXPECT_EQ(line["level"], "error");
  EXPECT_EQ(line["event"], "failed");
  EXPECT_EQ(line["path"], "C:\\x \"y\"\n\x7f");
  EXPECT_EQ(line["count"], 3);
  EXPECT_EQ(line["ok"], true);
  EXPECT_TRUE(line["nan"].is_null());
  EXPECT_THAT(line["time"].get<std::string>(), EndsWith("Z"));
}

TEST_F(LogTest, LevelsBelowTheLeastAreDropped) {
  ConfigureLog({.min_level = LogLevel::kWarning});
  LogDebug("a");
  LogInfo("b");
  LogWarning("c");
  EXPECT_FALSE(LogEnabled(LogLevel::kInfo));
  EXPECT_THAT(lines_, ElementsAre(EndsWith("WARNING c")));
}

TEST_F(LogTest, LinesOfManyThreadsStayWhole) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([] {
      for (int i = 0; i < 100; ++i) {
        LogInfo("tick", {{"i", i}, {"tail", "end"}});
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_THAT(lines_, SizeIs(400));
  EXPECT_THAT(lines_, ::testing::Each(EndsWith("tail=end")));
}

TEST(LogLevelTest, ParsesTheFourNamesAndNamesThemWhenItCannot) {
  EXPECT_THAT(ParseLogLevel("warning"), IsOkAndHolds(LogLevel::kWarning));
  EXPECT_THAT(ParseLogLevel("loud"), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("debug, info")));
}

}  // namespace
}  // namespace dateline::common
