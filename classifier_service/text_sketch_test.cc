#include "classifier_service/text_sketch.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace dateline::classifier {
namespace {

// A text of `words` words that no other number has.
std::string Text(int number, int words) {
  std::string text;
  for (int i = 0; i < words; ++i) {
    absl::StrAppend(&text, i > 0 ? " " : "", "w", (number * 7919 + i * i * 31 + i) % 100'003);
  }
  return text;
}

TEST(TextSketchTest, FindsWhatWasAddedAlsoAsACopyWithChanges) {
  TextSketch sketch(100);
  for (int i = 0; i < 100; ++i) {
    sketch.Add("", Text(i, 300));
  }
  for (int i = 0; i < 100; ++i) {
    EXPECT_TRUE(sketch.Contains("", Text(i, 300))) << i;
  }
  const TextSketch read = TextSketch::FromBytes(sketch.bytes());
  int with_another_end = 0;
  for (int i = 0; i < 100; ++i) {
    with_another_end +=
        read.Contains("A title of its own", absl::StrCat(Text(i, 300), " Read more on our site.")) ? 1 : 0;
  }
  EXPECT_GE(with_another_end, 95);
}

TEST(TextSketchTest, CaseAndPunctuationDoNotMatter) {
  TextSketch sketch(1);
  sketch.Add("", "The minister, who spoke in Muscat, said nothing of the talks.");
  EXPECT_TRUE(sketch.Contains("", "THE MINISTER who spoke in Muscat said: nothing of the talks"));
}

TEST(TextSketchTest, OtherTextsAreNotFound) {
  TextSketch sketch(2'000);
  for (int i = 0; i < 2'000; ++i) {
    sketch.Add("", Text(i, 60));
  }
  EXPECT_EQ(sketch.bytes().size(), 2'000U * 5);
  int wrong = 0;
  for (int i = 2'000; i < 22'000; ++i) {
    wrong += sketch.Contains("", Text(i, 60)) ? 1 : 0;
  }
  // The header says 3 in a million: one in 20,000 is unlikely, three are wrong.
  EXPECT_LE(wrong, 2);
}

TEST(TextSketchTest, ShortTextsAndEmptySketchesSayNo) {
  TextSketch sketch(1);
  sketch.Add("", "Too short to be known");
  EXPECT_FALSE(sketch.Contains("", "Too short to be known"));
  EXPECT_FALSE(sketch.Contains("", ""));
  TextSketch none;
  none.Add("", Text(1, 100));
  EXPECT_TRUE(none.empty());
  EXPECT_FALSE(none.Contains("", Text(1, 100)));
}

}  // namespace
}  // namespace dateline::classifier
