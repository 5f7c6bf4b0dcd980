#include "extraction/json_lines.h"

#include <string>

#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/error.h"
#include "tests/support/status_matchers.h"

namespace dateline::extraction {
namespace {

using ::dateline::testing::StatusIs;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

// What is said of a line that is no article.
std::string Complaint(absl::string_view line) {
  const absl::Status status = ReadJsonArticle(line, absl::Now()).status();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_EQ(common::ReasonOf(status), "MALFORMED_LINE");
  // Whose library reads the JSON is nobody's concern, and the number of the line is not known here.
  EXPECT_THAT(std::string(status.message()), AllOf(Not(HasSubstr("json.exception")), Not(HasSubstr("line 1"))));
  return std::string(status.message());
}

TEST(JsonArticleTest, SaysWhereTheJsonIsMalformedAndWhatIsRight) {
  EXPECT_THAT(Complaint("{broken"), AllOf(StartsWith("malformed JSON at byte 2: invalid literal"),
                                          HasSubstr("write each article as one JSON object on one line")));
  EXPECT_THAT(Complaint(R"({"title": "a", "body": "b",})"), StartsWith("malformed JSON at byte 28: unexpected '}'"));
  EXPECT_THAT(Complaint("{\"title\": \"a\tb\"}"), HasSubstr("control character"));
  EXPECT_THAT(Complaint(R"({"title": "a"} more)"), StartsWith("malformed JSON at byte "));
}

TEST(JsonArticleTest, TellsALineThatIsCutOff) {
  for (const char* line : {R"({"title": "a")", R"({"title": "a)", "{"}) {
    EXPECT_THAT(Complaint(line), StartsWith("ends in the middle of its JSON: it was cut off, or the object goes on"));
  }
}

TEST(JsonArticleTest, TellsWhatIsNotUtf8) {
  EXPECT_THAT(Complaint("{\"title\": \"caf\xe9\"}"), StartsWith("is not UTF-8 near byte 16; convert it"));
}

TEST(JsonArticleTest, TellsOtherJsonFromAnObject) {
  EXPECT_THAT(Complaint("[1, 2]"), StartsWith("is no JSON object but a JSON array; write each article"));
  EXPECT_THAT(Complaint("null"), StartsWith("is no JSON object but a JSON null"));
}

TEST(JsonArticleTest, NamesTheFieldThatIsWrong) {
  EXPECT_EQ(Complaint(R"({"title": 7})"), "title: must be a string");
  EXPECT_EQ(Complaint(R"({"id": 1.5, "title": "a"})"), "id: must be a string or a whole number");
  EXPECT_THAT(Complaint(R"({"id": "a"})"), StartsWith("body: is missing, and so is the title"));
}

}  // namespace
}  // namespace dateline::extraction
