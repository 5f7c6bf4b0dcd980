#include "classifier_service/word_scan.h"

#include <cstdint>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "classifier_service/hash_index.h"

namespace dateline::classifier {
namespace {

using ::testing::ElementsAre;
using ::testing::IsNull;
using ::testing::Pointee;

// What a scan shows of a text: plain words as they are written, "@" and the place for all else. A reader of everything
// else would go on behind it; this one goes on at the next byte.
std::vector<std::string> Scan(const std::string& text) {
  const ScannedText scanned(text);
  WordCursor scan(scanned);
  std::vector<std::string> seen;
  size_t pos = 0;
  while (const ScannedWord* word = scan.At(pos)) {
    seen.push_back(word->size == 0 ? absl::StrCat("@", word->start) : text.substr(word->start, word->size));
    pos = word->start + std::max<size_t>(word->size, 1);
  }
  return seen;
}

TEST(WordScanTest, DividesAtEverythingButLettersAndDigits) {
  EXPECT_THAT(Scan("In 1979, Iran's U.S.-backed Shah fled."),
              ElementsAre("In", "1979", "Iran", "s", "U", "S", "backed", "Shah", "fled"));
  EXPECT_THAT(Scan(""), ElementsAre());
  EXPECT_THAT(Scan(" \n--- "), ElementsAre());
}

TEST(WordScanTest, ShowsWhereSomethingElseBegins) {
  EXPECT_THAT(Scan("caf\u00E9 \u2019 x"), ElementsAre("caf", "@3", "@6", "x"));
  EXPECT_THAT(Scan("A&B"), ElementsAre("A", "@1", "B"));
  EXPECT_THAT(Scan(absl::StrCat("x ", std::string(33, 'y'), " ", std::string(32, 'z'))).front(), "x");
  EXPECT_THAT(Scan(absl::StrCat("x ", std::string(33, 'y')))[1], "@2");
}

TEST(WordScanTest, GoesOnWhereItIsAsked) {
  const ScannedText text("one two three");
  WordCursor scan(text);
  EXPECT_EQ(scan.At(0)->start, 0U);
  EXPECT_EQ(scan.At(5)->start, 8U);
  EXPECT_THAT(scan.At(13), IsNull());
}

TEST(WordScanTest, FindsEveryWordWhereverBlocksEnd) {
  std::mt19937 random(7);
  const std::string signs = "aZ09bQ -.&'\n";
  for (int round = 0; round < 500; ++round) {
    std::string text;
    while (text.size() < 300U + random() % 100) {
      text.append(1 + random() % 12, signs[random() % signs.size()]);
      if (random() % 20 == 0) text += "\u00E9";
    }
    const ScannedText scanned(text);
    WordCursor scan(scanned);
    size_t pos = 0;
    while (pos < text.size()) {
      // The same by looking at every byte.
      const auto is_word = [&](size_t i) { return absl::ascii_isalnum(static_cast<unsigned char>(text[i])); };
      const auto is_other = [&](size_t i) { return static_cast<uint8_t>(text[i]) >= 0x80 || text[i] == '&'; };
      size_t start = pos;
      while (start < text.size() && !is_word(start) && !is_other(start)) ++start;
      size_t end = start;
      while (end < text.size() && is_word(end)) ++end;
      const ScannedWord* word = scan.At(pos);
      if (start == text.size()) {
        ASSERT_THAT(word, IsNull());
        break;
      }
      ASSERT_TRUE(word != nullptr) << text;
      ASSERT_EQ(word->start, start) << text;
      if (end == start || end - start > ScannedText::kMaxPlain) {
        ASSERT_EQ(word->size, 0) << text;
        while (end < text.size() && is_other(end)) ++end;
      } else {
        const std::string written = text.substr(start, end - start);
        ASSERT_EQ(word->size, written.size()) << text;
        EXPECT_EQ(word->hash, HashWord(absl::AsciiStrToLower(written)));
        EXPECT_EQ(word->has_letter, absl::AsciiStrToLower(written) != absl::AsciiStrToUpper(written));
        EXPECT_EQ(word->has_small, absl::AsciiStrToUpper(written) != written);
        EXPECT_EQ(word->first_upper, absl::ascii_isupper(static_cast<unsigned char>(written.front())));
      }
      pos = end;
    }
  }
}

TEST(WordScanTest, HashesWordsOfAnyLengthTheSameWhereverTheyStand) {
  std::set<uint64_t> hashes;
  for (size_t size = 0; size <= 40; ++size) {
    const std::string word(size, 'w');
    EXPECT_EQ(HashPaddedWord((word + std::string(kWordStep, 'x')).data(), size), HashWord(word)) << size;
    EXPECT_TRUE(hashes.insert(HashWord(word)).second) << size;
  }
}

TEST(HashIndexTest, FindsWhatWasInsertedAndNothingElse) {
  HashIndex<int> index;
  EXPECT_THAT(index.Find(1), IsNull());
  std::mt19937_64 random(3);
  std::vector<uint64_t> hashes;
  for (int i = 0; i < 5000; ++i) {
    hashes.push_back(random());
    ASSERT_TRUE(index.Insert(hashes.back(), i));
  }
  EXPECT_EQ(index.size(), 5000U);
  EXPECT_FALSE(index.Insert(hashes[17], 1));
  int unlikely = 0;
  for (int i = 0; i < 5000; ++i) {
    index.Fetch(hashes[static_cast<size_t>(i)]);
    EXPECT_TRUE(index.MayHave(hashes[static_cast<size_t>(i)]));
    EXPECT_THAT(index.Find(hashes[static_cast<size_t>(i)]), Pointee(i));
    const uint64_t other = random();
    EXPECT_THAT(index.Find(other), IsNull());
    unlikely += index.MayHave(other) ? 0 : 1;
  }
  EXPECT_GT(unlikely, 4900);
}

TEST(HashIndexTest, TellsHashesApartThatShareSlotAndTag) {
  HashIndex<int> index;
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(index.Insert(uint64_t{0xAB} << 56 | static_cast<uint64_t>(i) << 32, i));
  }
  for (int i = 0; i < 20; ++i) {
    EXPECT_THAT(index.Find(uint64_t{0xAB} << 56 | static_cast<uint64_t>(i) << 32), Pointee(i));
  }
  EXPECT_THAT(index.Find(uint64_t{0xAB} << 56 | uint64_t{20} << 32), IsNull());
}

}  // namespace
}  // namespace dateline::classifier
