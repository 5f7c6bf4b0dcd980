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
}

}  // namespace
}  // namespace dateline::common
