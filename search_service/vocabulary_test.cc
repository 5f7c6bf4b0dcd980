#include "search_service/vocabulary.h"

#include <algorithm>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace dateline::search {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

std::vector<std::string> Texts(const Vocabulary& vocabulary, const std::vector<Vocabulary::WordId>& ids) {
  std::vector<std::string> texts;
  for (const Vocabulary::WordId id : ids) texts.push_back(vocabulary.text(id));
  return texts;
}

std::vector<std::string> Nearest(const Vocabulary& vocabulary, const std::string& typed) {
  std::vector<std::string> texts;
  for (const Vocabulary::Near& near : vocabulary.Nearest(typed)) texts.push_back(vocabulary.text(near.id));
  return texts;
}

TEST(VocabularyTest, AWordIsKnownForAsLongAsItIsUsed) {
  Vocabulary vocabulary;
  const Vocabulary::WordId iran = vocabulary.Add("iran");
  EXPECT_EQ(vocabulary.Add("iran"), iran);
  vocabulary.Add("iraq");
  vocabulary.Release(iran);
  EXPECT_THAT(Texts(vocabulary, vocabulary.WithPrefix("ira")), ElementsAre("iran", "iraq"));
  vocabulary.Release(iran);
  EXPECT_THAT(Texts(vocabulary, vocabulary.WithPrefix("ira")), ElementsAre("iraq"));
  EXPECT_FALSE(vocabulary.Find("iran"));
  EXPECT_EQ(vocabulary.Add("oman"), iran);
  EXPECT_EQ(vocabulary.size(), 2U);
}

TEST(VocabularyTest, OneErrorIsAllowedFromFourLettersAndTwoFromEight) {
  EXPECT_FALSE(Resemblance("irn", "iran"));
  EXPECT_EQ(Resemblance("irna", "iran")->typos, 1U);   // Changed places.
  EXPECT_EQ(Resemblance("irran", "iran")->typos, 1U);  // One too many.
  EXPECT_FALSE(Resemblance("iten", "iran"));
  EXPECT_FALSE(Resemblance("gvoermn", "government"));
  EXPECT_EQ(Resemblance("govermnet", "government")->typos, 2U);
  EXPECT_FALSE(Resemblance("goevrmnet", "government"));
  EXPECT_FALSE(Resemblance("kran", "iran")) << "the first letter has no error";
  EXPECT_FALSE(Resemblance("2021", "2022")) << "another number is not a mistyped one";
}

TEST(VocabularyTest, LettersAreCountedAndNotBytes) {
  EXPECT_FALSE(Resemblance("غاز", "غار"));
  EXPECT_EQ(Resemblance("الغاذ", "الغاز")->typos, 1U);
  EXPECT_EQ(Resemblance("росся", "россия")->typos, 1U);
  EXPECT_FALSE(Resemblance("россфф", "россия"));
}

TEST(VocabularyTest, ABeginningIsEnough) {
  EXPECT_EQ(Resemblance("sancit", "sanctions")->typos, 1U);
  EXPECT_FALSE(Resemblance("sancit", "sanctions")->whole);
  EXPECT_TRUE(Resemblance("sancitons", "sanctions")->whole);
  EXPECT_EQ(Resemblance("sanct", "sanctions")->typos, 0U);
}

TEST(VocabularyTest, NearestAreThoseWithTheFewestErrors) {
  Vocabulary vocabulary;
  for (const char* word : {"sanctions", "sanction", "sanctuary", "sections", "santa", "auctions"}) vocabulary.Add(word);
  EXPECT_THAT(Nearest(vocabulary, "sancitons"), UnorderedElementsAre("sanctions"));
  EXPECT_THAT(Nearest(vocabulary, "sanctiom"), UnorderedElementsAre("sanction", "sanctions"));
  EXPECT_THAT(Nearest(vocabulary, "zanctions"), IsEmpty());
  EXPECT_THAT(Nearest(vocabulary, ""), IsEmpty());
}

// What is left out on the way through the words has no chance indeed.
TEST(VocabularyTest, NearestAreWhatMeasuringEachWordGives) {
  std::mt19937 random(11);
  const auto word = [&](size_t length) {
    std::string text = "a";
    while (text.size() < length) text.push_back(static_cast<char>('a' + random() % 3));
    return text;
  };
  Vocabulary vocabulary;
  std::set<std::string> words;
  for (int i = 0; i < 3'000; ++i) words.insert(word(1 + random() % 11));
  for (const std::string& one : words) vocabulary.Add(one);
  for (int i = 0; i < 300; ++i) {
    const std::string typed = word(4 + random() % 8);
    size_t fewest = 3;
    std::vector<std::string> expected;
    for (const std::string& one : words) {
      const std::optional<Spelling> spelling = Resemblance(typed, one);
      if (!spelling || spelling->typos == 0 || spelling->typos > fewest) continue;
      if (spelling->typos < fewest) expected.clear();
      fewest = spelling->typos;
      expected.push_back(one);
    }
    EXPECT_THAT(Nearest(vocabulary, typed), ::testing::UnorderedElementsAreArray(expected)) << typed;
  }
}

}  // namespace
}  // namespace dateline::search
