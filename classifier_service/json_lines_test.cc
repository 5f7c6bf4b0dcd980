#include "classifier_service/json_lines.h"

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace dateline::classifier {
namespace {

using ::dateline::testing::StatusIs;
using ::dateline::testing::TempDir;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class JsonLinesTest : public ::testing::Test {
 protected:
  // The ids of the lines of `text`; what is broken goes to `broken_`.
  std::vector<std::string> Ids(const std::string& text) {
    std::vector<std::string> ids;
    broken_ = {};
    const absl::Status status = ForEachJsonLine(
        dir_.Write("a.jsonl", text),
        [&](const nlohmann::json& object) -> absl::Status {
          const absl::StatusOr<std::string> id = IdField(object);
          if (id.ok()) {
            ids.push_back(*id);
          }
          return id.status();
        },
        &broken_);
    EXPECT_OK(status);
    return ids;
  }

  TempDir dir_;
  BrokenLines broken_;
};

TEST_F(JsonLinesTest, BlankLinesAndLineEndsOfOtherSystemsDoNoHarm) {
  EXPECT_THAT(Ids("\xEF\xBB\xBF{\"id\":\"1\"}\r\n\r\n   \n{\"id\":\"2\"}"), ElementsAre("1", "2"));
  EXPECT_EQ(broken_.count, 0U);
}

TEST_F(JsonLinesTest, NumbersNameArticlesToo) { EXPECT_THAT(Ids("{\"id\":7}\n"), ElementsAre("7")); }

TEST_F(JsonLinesTest, EachBrokenLineIsNamedWithItsReason) {
  EXPECT_THAT(Ids("{bad\n[1]\n{\"id\":\n{\"id\":\"a \xFF\"}\n{\"id\":[]}\n{\"x\":1e999}\n{\"id\":\"7\"}\n"),
              ElementsAre("7"));
  EXPECT_EQ(broken_.count, 6U);
  EXPECT_THAT(broken_.problems,
              ElementsAre(HasSubstr("line 1: malformed JSON at byte 2: "),
                          HasSubstr("line 2: is no JSON object but a JSON array"),
                          HasSubstr("line 3: ends in the middle"), HasSubstr("line 4: is not UTF-8 near byte "),
                          HasSubstr("line 5: id: must be a string"), HasSubstr("line 6: malformed JSON: ")));
}

TEST_F(JsonLinesTest, ALineThatIsTooLongLeavesTheOthersUnharmed) {
  const std::string text = absl::StrCat("{\"id\":\"1\"}\n{\"id\":\"2\",\"body\":\"",
                                        std::string(kMaxJsonLineBytes, 'x'), "\"}\n{\"id\":\"3\"}\n");
  EXPECT_THAT(Ids(text), ElementsAre("1", "3"));
  EXPECT_THAT(broken_.problems, ElementsAre(AllOf(HasSubstr("line 2: has more than"), HasSubstr("leave it out"))));
}

TEST_F(JsonLinesTest, WithoutAPlaceForThemBrokenLinesEndIt) {
  EXPECT_THAT(ForEachJsonLine(dir_.Write("a.jsonl", "{}\n{\n"), [](const nlohmann::json&) { return absl::OkStatus(); }),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("line 2: ends in the middle")));
  EXPECT_THAT(ForEachJsonLine(dir_.File("none.jsonl"), [](const nlohmann::json&) { return absl::OkStatus(); }),
              StatusIs(absl::StatusCode::kNotFound));
}

}  // namespace
}  // namespace dateline::classifier
