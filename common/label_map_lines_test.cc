#include "common/label_map_lines.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace dateline::common {
namespace {

using ::dateline::testing::StatusIs;
using ::dateline::testing::TempDir;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(LabelMapLinesTest, NamesAndTargetsStandAsTheyAreMeant) {
  ASSERT_OK_AND_ASSIGN(const std::vector<LabelMapLine> lines,
                       ParseLabelMapLines("# Desks\nGulf  Désk = issue:security , OM,\r\n\nOpinion = # nothing\n"));
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0].number, 2);
  EXPECT_EQ(lines[0].key, LabelKey("gulf desk"));
  EXPECT_THAT(lines[0].targets, ElementsAre("issue:security", "OM"));
  EXPECT_THAT(lines[1].targets, IsEmpty());
}

TEST(LabelMapLinesTest, FilesAreNamedByTheirErrors) {
  const TempDir dir;
  EXPECT_THAT(ReadLabelMapLines(dir.Write("names.txt", "A = b\na = c\n")),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr("names.txt, line 2: "), HasSubstr("mapped on an earlier line"))));
  EXPECT_THAT(ReadLabelMapLines(dir.File("none.txt")),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("none.txt cannot be read")));
  EXPECT_THAT(ReadLabelMapLines(dir.Write("long.txt", std::string(kMaxLabelMapBytes + 1, '#'))),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("longer than 4 MB")));
}

}  // namespace
}  // namespace dateline::common
