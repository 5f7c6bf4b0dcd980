#include "common/printable.h"

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace dateline::common {
namespace {

// U+202E and U+2069, spelt so that nobody's editor turns around.
constexpr char kOverride[] = {'\xE2', '\x80', '\xAE', '\0'};
constexpr char kPop[] = {'\xE2', '\x81', '\xA9', '\0'};
constexpr char kRightToLeftMark[] = {'\xE2', '\x80', '\x8F', '\0'};

TEST(PrintableTest, LeavesNothingThatMovesACursor) {
  EXPECT_EQ(Printable("a\x1b[2Jb\nc\x7f"), "a?[2Jb?c?");
  EXPECT_EQ(Printable("a\xc2\x9b"
                      "31mb"),
            "a?31mb");
  EXPECT_EQ(Printable("caf\xe9.html"), "caf\xEF\xBF\xBD.html");
  EXPECT_EQ(Printable("Élysée ☕"), "Élysée ☕");
  EXPECT_EQ(Printable(absl::StrCat("exe.", kOverride, "txt", kPop, kRightToLeftMark)),
            absl::StrCat("exe.txt", kRightToLeftMark));
}

TEST(PrintableTest, LinesKeepTheirEndsAndColours) {
  EXPECT_EQ(PrintableLines("a\n\tb\x1b[31mc\x1b[0m\x1b[2J\r\x1b[8m\x1b"), "a\n\tb\x1b[31mc\x1b[0m?[2J??[8m?");
  EXPECT_EQ(PrintableLines(""), "");
}

TEST(PrintableTest, JsonMeansTheSame) {
  EXPECT_EQ(PrintableJson(absl::StrCat("{\n \"a\": \"\xc2\x9b\x7f", kOverride, kPop, "é\"}")),
            "{\n \"a\": \"\\u009b\\u007f\\u202e\\u2069é\"}");
}

}  // namespace
}  // namespace dateline::common
