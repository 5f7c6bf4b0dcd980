#include "common/printable.h"

#include "gtest/gtest.h"

namespace dateline::common {
namespace {

TEST(PrintableTest, LeavesNothingThatMovesACursor) {
  EXPECT_EQ(Printable("a\x1b[2Jb\nc\x7f"), "a?[2Jb?c?");
  EXPECT_EQ(Printable("a\xc2\x9b"
                      "31mb"),
            "a?31mb");
  EXPECT_EQ(Printable("caf\xe9.html"), "caf\xEF\xBF\xBD.html");
  EXPECT_EQ(Printable("Élysée ☕"), "Élysée ☕");
  EXPECT_EQ(Printable("exe.\xE2\x80\xAEtxt\xE2\x81\xA9 \xE2\x80\x8F"), "exe.txt \xE2\x80\x8F");
}

TEST(PrintableTest, LinesKeepTheirEndsAndColours) {
  EXPECT_EQ(PrintableLines("a\n\tb\x1b[31mc\x1b[0m\x1b[2J\r\x1b[8m\x1b"), "a\n\tb\x1b[31mc\x1b[0m?[2J??[8m?");
  EXPECT_EQ(PrintableLines(""), "");
}

TEST(PrintableTest, JsonMeansTheSame) {
  EXPECT_EQ(PrintableJson("{\n \"a\": \"\xc2\x9b\x7f\xE2\x80\xAE\xE2\x81\xA6é\"}"),
            "{\n \"a\": \"\\u009b\\u007f\\u202e\\u2066é\"}");
}

}  // namespace
}  // namespace dateline::common
