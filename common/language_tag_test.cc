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

TEST(LanguageTagTest, WritesThemAsBcp47Does) {
  EXPECT_EQ(CanonicalLanguageTag("EN-gb"), "en-GB");
  EXPECT_EQ(CanonicalLanguageTag("zh-hANT-tw"), "zh-Hant-TW");
  EXPECT_EQ(CanonicalLanguageTag("sl-Rozaj-1996-u-CO-Phonebk"), "sl-rozaj-1996-u-co-phonebk");
  EXPECT_EQ(CanonicalLanguageTag(""), "");
}

TEST(LanguageTagTest, KnowsEnglishNames) {
  EXPECT_EQ(LanguageOfName(" arabic"), "ar");
  EXPECT_EQ(LanguageOfName("Portuguese"), "pt");
  EXPECT_EQ(LanguageOfName("nonsense"), "");
  EXPECT_EQ(LanguageOfName(""), "");
}

TEST(LanguageTagTest, NamesTheFieldOfWhatIsNone) {
  for (const char* tag : {"x", "e", "12", "en-", "-en", "en--US", "en_US", "english!", "english", "latn", "not a tag",
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
