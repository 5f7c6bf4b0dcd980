#include "common/language_tag.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/support/status_matchers.h"

namespace dateline::common {
namespace {

using ::dateline::testing::IsOk;
using ::dateline::testing::StatusIs;
using ::testing::HasSubstr;

TEST(LanguageTagTest, TakesTagsAndNothing) {
  for (const char* tag : {"", "en", "EN", "pt-BR", "zh-Hant-TW", "fil", "de-1996", "sl-rozaj-biske"}) {
    EXPECT_THAT(CheckLanguageTag("language_code", tag), IsOk()) << tag;
  }
}

TEST(LanguageTagTest, WritesThemAsTheyShouldBe) { EXPECT_EQ(NormalizeLanguageTag(" pt_BR\n"), "pt-BR"); }

TEST(LanguageTagTest, NamesTheFieldOfWhatIsNone) {
  for (const char* tag : {"x", "e", "12", "en-", "-en", "en--US", "en_US", "english!", "not a tag", "ninelongg",
                          "en-ninelongg", "\xC3\xA9n", "en-US-aaaaaaaa-bbbbbbbb-cccccccc-ddd"}) {
    EXPECT_THAT(CheckLanguageTag("display_language", tag),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("display_language")))
        << tag;
  }
}

TEST(LanguageTagTest, BaseLanguageIsTheFirstSubtag) {
  EXPECT_EQ(BaseLanguage("en-GB"), "en");
  EXPECT_EQ(BaseLanguage("PT_BR"), "pt");
  EXPECT_EQ(BaseLanguage(""), "");
}

}  // namespace
}  // namespace dateline::common
