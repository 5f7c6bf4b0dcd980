#include "common/text.h"

#include <cstdint>
#include <iterator>
#include <random>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace dateline::common {
namespace {

std::string Repeat(absl::string_view part, int count) {
  std::string out;
  for (int i = 0; i < count; ++i) {
    absl::StrAppend(&out, part);
  }
  return out;
}

std::string Utf8(char32_t c) {
  std::string out;
  if (c < 0x80) {
    out.push_back(static_cast<char>(c));
  } else if (c < 0x800) {
    out.push_back(static_cast<char>(0xC0 | (c >> 6)));
    out.push_back(static_cast<char>(0x80 | (c & 0x3F)));
  } else if (c < 0x10000) {
    out.push_back(static_cast<char>(0xE0 | (c >> 12)));
    out.push_back(static_cast<char>(0x80 | ((c >> 6) & 0x3F)));
    out.push_back(static_cast<char>(0x80 | (c & 0x3F)));
  } else {
    out.push_back(static_cast<char>(0xF0 | (c >> 18)));
    out.push_back(static_cast<char>(0x80 | ((c >> 12) & 0x3F)));
    out.push_back(static_cast<char>(0x80 | ((c >> 6) & 0x3F)));
    out.push_back(static_cast<char>(0x80 | (c & 0x3F)));
  }
  return out;
}

constexpr char32_t kBlock = 256;
constexpr char32_t kLast = 0x10FFFF;

// All code points from `first` on, `kBlock` of them, each between a letter and a mark; without surrogates.
std::string Block(char32_t first) {
  std::string out;
  for (char32_t c = first; c < first + kBlock; ++c) {
    if (c < 0xD800 || c >= 0xE000) {
      absl::StrAppend(&out, "a", Utf8(c), "\xcc\x81 b ");
    }
  }
  return out;
}

TEST(IsValidUtf8Test, AcceptsTextOfAnyScript) {
  EXPECT_TRUE(IsValidUtf8(""));
  EXPECT_TRUE(IsValidUtf8("plain"));
  EXPECT_TRUE(IsValidUtf8("Téhéran, طهران, 德黑兰, 🇮🇷"));
}

TEST(IsValidUtf8Test, RejectsWhatIsNotWellFormed) {
  EXPECT_FALSE(IsValidUtf8("\xff"));
  EXPECT_FALSE(IsValidUtf8("caf\xe9"));           // Latin-1.
  EXPECT_FALSE(IsValidUtf8("\xc3"));              // Cut off.
  EXPECT_FALSE(IsValidUtf8("\xc0\xaf"));          // Over-long.
  EXPECT_FALSE(IsValidUtf8("\xed\xa0\x80"));      // A surrogate.
  EXPECT_FALSE(IsValidUtf8("\xf4\x90\x80\x80"));  // Above U+10FFFF.
  EXPECT_FALSE(IsValidUtf8(absl::StrCat("ok ", "\x80")));
}

TEST(NormalizeTextTest, EndsEveryLineWithOneLf) {
  EXPECT_EQ(NormalizeText("a\r\nb\rc\nd\xc2\x85"
                          "e\xe2\x80\xa8"
                          "f"),
            "a\nb\nc\nd\ne\nf");
}

TEST(NormalizeTextTest, DividesParagraphsByExactlyOneBlankLine) {
  EXPECT_EQ(NormalizeText("a\n\n\n\nb\n \t \nc\r\n\r\nd\xe2\x80\xa9"
                          "e"),
            "a\n\nb\n\nc\n\nd\n\ne");
}

TEST(NormalizeTextTest, TrimsLinesAndTheWhole) {
  EXPECT_EQ(NormalizeText("\n\n  a \t\n  b\xc2\xa0\n\n"), "a\n  b");
  EXPECT_EQ(NormalizeText(" \n\t "), "");
}

TEST(NormalizeTextTest, DropsControlCharactersAndByteOrderMarks) {
  const std::string text(
      "\xef\xbb\xbf"
      "a\0b\x07"
      "c\x7f"
      "d\xc2\x9f"
      "e\tf",
      15);
  EXPECT_EQ(NormalizeText(text), "abcde f");
}

TEST(NormalizeTextTest, ComposesCharacters) {
  EXPECT_EQ(NormalizeText("e\xcc\x81lan"), "\xc3\xa9lan");
  // A control character between a letter and its mark doesn't keep them apart.
  EXPECT_EQ(NormalizeText(absl::string_view("e\x01\xcc\x81", 4)), "\xc3\xa9");
}

TEST(NormalizeTextTest, ReplacesWhatIsNotUtf8) { EXPECT_EQ(NormalizeText("caf\xe9 x"), "caf\xef\xbf\xbd x"); }

TEST(NormalizeTextTest, KeepsAtMostThirtyMarksOnACharacter) {
  EXPECT_EQ(NormalizeText("x" + Repeat("\xcc\x96", 100)), "x" + Repeat("\xcc\x96", 30));
}

// What would be quadratic if marks were sorted without a bound: marks of alternating classes, and Tibetan vowel signs
// that only NFC takes apart.
TEST(NormalizeTextTest, TakesLinearTimeOnHostileMarks) {
  const absl::Time start = absl::Now();
  EXPECT_LT(NormalizeText("x" + Repeat("\xcc\x81\xcc\x96", 500'000)).size(), 100U);
  EXPECT_LT(NormalizeText("x" + Repeat("\xe0\xbd\xb3", 500'000)).size(), 200U);
  EXPECT_LT(FoldForMatch("x" + Repeat("\xe0\xbd\xb3", 500'000)).size(), 200U);
  EXPECT_LT(NormalizeText(Repeat("\n ", 1'000'000)).size(), 1U);
  // Unbounded sorting takes minutes; this takes milliseconds.
  EXPECT_LT(absl::Now() - start, absl::Seconds(20));
}

TEST(NormalizeTextTest, IsIdempotentOnEveryCodePoint) {
  for (char32_t first = 0; first <= kLast; first += kBlock) {
    const std::string once = NormalizeText(Block(first));
    ASSERT_EQ(NormalizeText(once), once) << "from code point " << static_cast<uint32_t>(first);
    ASSERT_TRUE(IsValidUtf8(once));
  }
}

TEST(NormalizeTextTest, IsIdempotentOnRandomBytesAndCharacters) {
  std::mt19937 random(7);
  const std::string pool[] = {"a",
                              " ",
                              "\n",
                              "\r",
                              "\t",
                              "\xcc\x81",
                              "\xcc\x96",
                              "\xcd\x84",
                              "\xe0\xbd\xb3",
                              "\xff",
                              "\xe2\x80\xa9",
                              "\xc2\xa0",
                              "\xc3",
                              "\xef\xac\xac",
                              "\xef\xbb\xbf",
                              "\xe1\x84\x80",
                              "\xe1\x85\xa1",
                              "\xe1\x86\xa8",
                              std::string(1, '\0')};
  for (int round = 0; round < 5'000; ++round) {
    std::string text;
    const int length = static_cast<int>(random() % 60);
    for (int i = 0; i < length; ++i) {
      absl::StrAppend(&text, Repeat(pool[random() % std::size(pool)], random() % 20 == 0 ? 40 : 1));
    }
    const std::string once = NormalizeText(text);
    ASSERT_EQ(NormalizeText(once), once);
    ASSERT_TRUE(IsValidUtf8(once));
    ASSERT_EQ(once.find("\n\n\n"), std::string::npos);
    const std::string line = NormalizeLine(text);
    ASSERT_EQ(NormalizeLine(line), line);
    ASSERT_EQ(line.find('\n'), std::string::npos);
    const std::string folded = FoldForMatch(text);
    ASSERT_EQ(FoldForMatch(folded), folded);
  }
}

TEST(NormalizeLineTest, MakesOneLineWithSingleSpaces) {
  EXPECT_EQ(NormalizeLine("  The\r\n  Long\t\xc2\xa0 War \n\n"), "The Long War");
  EXPECT_EQ(NormalizeLine("\n"), "");
}

TEST(CodePointFloorTest, FindsTheBoundaryAtOrBefore) {
  const absl::string_view text = "a\xc3\xa9\xf0\x9f\x87\xae";  // a, é, a regional indicator.
  EXPECT_EQ(CodePointFloor(text, 0), 0U);
  EXPECT_EQ(CodePointFloor(text, 1), 1U);
  EXPECT_EQ(CodePointFloor(text, 2), 1U);
  EXPECT_EQ(CodePointFloor(text, 3), 3U);
  EXPECT_EQ(CodePointFloor(text, 6), 3U);
  EXPECT_EQ(CodePointFloor(text, 7), 7U);
  EXPECT_EQ(CodePointFloor(text, 99), 7U);
}

TEST(HoldsHtmlTest, KnowsTagsFromOtherSigns) {
  for (const absl::string_view text :
       {"<p>Iran</p>", "Iran<BR>and<br/>Oman", "<a href=\"https://x.example/\">x</a>\n<div>", "<p\n<em>"}) {
    EXPECT_TRUE(HoldsHtml(text)) << text;
  }
  for (const absl::string_view text :
       {"", "<", "a < b > c < d", "the tag <p> alone", "<pre <iran> <amir>", "<p", "<p<", "</ <>"}) {
    EXPECT_FALSE(HoldsHtml(text)) << text;
  }
  EXPECT_FALSE(HoldsHtml(std::string(1'000'000, '<')));
}

TEST(FoldForMatchTest, IgnoresCaseAndDiacritics) {
  EXPECT_EQ(FoldForMatch("Élysée"), "elysee");
  EXPECT_EQ(FoldForMatch("ŁÓDŹ"), "lodz");
  EXPECT_EQ(FoldForMatch("Erdoğan"), "erdogan");
  EXPECT_EQ(FoldForMatch("İSTANBUL"), "istanbul");
  EXPECT_EQ(FoldForMatch("Straße"), "strasse");
  EXPECT_EQ(FoldForMatch("ΑΘΉΝΑ"), FoldForMatch("αθήνα"));
  EXPECT_EQ(FoldForMatch("مُحَمَّد"), FoldForMatch("محمد"));
  EXPECT_EQ(FoldForMatch("PLAIN Ascii"), "plain ascii");
}

TEST(FoldForMatchTest, KeepsVowelSignsThatAreLetters) { EXPECT_NE(FoldForMatch("कि"), FoldForMatch("क")); }

TEST(FoldForMatchTest, IsIdempotentOnEveryCodePoint) {
  for (char32_t first = 0; first <= kLast; first += kBlock) {
    const std::string once = FoldForMatch(Block(first));
    ASSERT_EQ(FoldForMatch(once), once) << "from code point " << static_cast<uint32_t>(first);
  }
}

}  // namespace
}  // namespace dateline::common
