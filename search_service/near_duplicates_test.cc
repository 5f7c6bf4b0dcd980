#include "search_service/near_duplicates.h"

#include <cmath>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gtest/gtest.h"

namespace dateline::search {
namespace {

std::vector<std::string> RandomWords(std::mt19937_64& random, size_t count) {
  std::vector<std::string> words;
  for (size_t i = 0; i < count; ++i) words.push_back(absl::StrCat("w", random() % 5'000));
  return words;
}

std::string Text(const std::vector<std::string>& words) { return absl::StrJoin(words, " "); }

// Replaces words at random places.
std::vector<std::string> Edited(std::mt19937_64& random, std::vector<std::string> words, size_t edits) {
  for (size_t i = 0; i < edits; ++i) words[random() % words.size()] = absl::StrCat("new", random() % 5'000);
  return words;
}

TEST(ShinglesTest, CaseAndPunctuationCountForNothingAndWordsInAnotherOrderDo) {
  std::mt19937_64 random(1);
  const std::vector<std::string> words = RandomWords(random, 200);
  const Shingles plain(Text(words));
  EXPECT_EQ(plain.Resemblance(Shingles(absl::StrCat("\"", absl::StrJoin(words, ",  "), "!\""))), 1.0);
  std::string upper = Text(words);
  for (char& c : upper) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  EXPECT_EQ(plain.Resemblance(Shingles(upper)), 1.0);
  EXPECT_EQ(plain.Resemblance(Shingles(Text({words.rbegin(), words.rend()}))), 0.0);
  EXPECT_EQ(Shingles("ЙОД и Émile, один ٣ два").Resemblance(Shingles("йод И émile — ОДИН ٣ ДВА")), 1.0);
}

TEST(ShinglesTest, ResemblanceIsTheShareOfCommonRunsOfFiveWords) {
  // 16 runs each, of which 11 are common: 11 of 21.
  std::vector<std::string> a;
  for (int i = 0; i < 20; ++i) a.push_back(absl::StrCat("a", i));
  std::vector<std::string> b = a;
  b[10] = "other";
  EXPECT_DOUBLE_EQ(Shingles(Text(a)).Resemblance(Shingles(Text(b))), 11.0 / 21.0);
}

TEST(ShinglesTest, ShortTextsHaveTooLittleAndUnspacedScriptsAreReadByCharacter) {
  std::mt19937_64 random(2);
  EXPECT_FALSE(Shingles("").enough());
  EXPECT_FALSE(Shingles("Read the full story on our site.").enough());
  EXPECT_FALSE(Shingles(Text(RandomWords(random, 33))).enough());
  EXPECT_TRUE(Shingles(Text(RandomWords(random, 34))).enough());
  std::string repeated;
  for (int i = 0; i < 1'000; ++i) absl::StrAppend(&repeated, "again ");
  EXPECT_FALSE(Shingles(repeated).enough());
  EXPECT_TRUE(
      Shingles("伊朗外长星期三在德黑兰会见俄罗斯代表团，双方讨论了石油出口以及里海地区的安全合作问题，并同意继续磋商。")
          .enough());
}

TEST(SketchTest, ItsResemblanceIsThatOfTheTexts) {
  std::mt19937_64 random(3);
  double error = 0.0;
  int count = 0;
  for (const size_t edits : {0U, 5U, 10U, 20U, 40U, 100U}) {
    for (int round = 0; round < 20; ++round) {
      const std::vector<std::string> words = RandomWords(random, 500);
      const Shingles a(Text(words));
      const Shingles b(Text(Edited(random, words, edits)));
      error += std::abs(a.MakeSketch().Resemblance(b.MakeSketch()) - a.Resemblance(b));
      ++count;
    }
  }
  // The standard deviation is at most half an eighth.
  EXPECT_LT(error / count, 0.06);
}

TEST(SketchTest, IsStoredAsBytesThatNeverChange) {
  std::string body;
  for (int i = 0; i < 100; ++i) absl::StrAppend(&body, "word", i, " ");
  const Sketch sketch = Shingles(body).MakeSketch();
  const std::optional<Sketch> read = Sketch::Decode(sketch.Encode());
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->values, sketch.values);
  EXPECT_FALSE(Sketch::Decode("short").has_value());
  // Sketches lie in stores: another way to make them needs a new version of the store.
  EXPECT_EQ(sketch.values[0], 52776);
  EXPECT_EQ(sketch.values[63], 47093);
}

TEST(SketchIndexTest, FindsNearlyAllOfWhatIsNearAndNothingElse) {
  std::mt19937_64 random(4);
  SketchIndex index;
  std::map<int64_t, std::vector<std::string>> stored;
  for (int64_t row = 1; row <= 3'000; ++row) {
    stored[row] = RandomWords(random, 120);
    index.Put(row, Shingles(Text(stored[row])).MakeSketch());
  }
  int near = 0;
  int found = 0;
  for (const auto& [row, words] : stored) {
    const Shingles copy(Text(Edited(random, words, 3)));
    if (copy.Resemblance(Shingles(Text(words))) < kNearDuplicate) continue;
    ++near;
    const std::vector<SketchIndex::Match> matches = index.Find(copy.MakeSketch(), 0.5, 10);
    for (const SketchIndex::Match& match : matches) {
      found += match.row == row ? 1 : 0;
      EXPECT_EQ(match.row, row);
    }
  }
  EXPECT_GT(near, 2'000);
  EXPECT_GE(found, near * 97 / 100);
}

TEST(SketchIndexTest, WhatIsRemovedOrReplacedIsFoundNoMore) {
  std::mt19937_64 random(5);
  std::vector<Sketch> sketches;
  SketchIndex index;
  for (int64_t row = 0; row < 2'000; ++row) {
    sketches.push_back(Shingles(Text(RandomWords(random, 60))).MakeSketch());
    index.Put(row, sketches.back());
  }
  for (int64_t row = 0; row < 2'000; row += 2) index.Remove(row);
  index.Remove(12'345);
  index.Put(1, sketches[0]);
  EXPECT_EQ(index.size(), 1'000U);
  for (int64_t row = 0; row < 2'000; ++row) {
    const std::vector<SketchIndex::Match> matches = index.Find(sketches[static_cast<size_t>(row)], 0.9, 10);
    const int64_t expected = row == 0 ? 1 : row == 1 || row % 2 == 0 ? -1 : row;
    ASSERT_EQ(matches.size(), expected < 0 ? 0U : 1U) << row;
    if (expected >= 0) {
      EXPECT_EQ(matches[0].row, expected);
    }
  }
}

TEST(SketchIndexTest, ManyCopiesOfOneTextTakeBoundedTime) {
  std::mt19937_64 random(6);
  const Sketch sketch = Shingles(Text(RandomWords(random, 60))).MakeSketch();
  SketchIndex index;
  for (int64_t row = 0; row < 50'000; ++row) index.Put(row, sketch);
  EXPECT_EQ(index.Find(sketch, 0.9, 8).size(), 8U);
  // From the front, and from the back: each is found at once, or after a walk of its chain.
  for (int64_t row = 49'999; row >= 0; --row) index.Remove(row);
  EXPECT_TRUE(index.Find(sketch, 0.0, 8).empty());
}

}  // namespace
}  // namespace dateline::search
