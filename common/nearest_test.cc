#include "common/nearest.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace dateline::common {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> Nearest(absl::string_view word, const std::vector<std::string>& names, size_t count = 3) {
  std::vector<std::string> found;
  for (const size_t place : NearestNames(word, names, count)) found.push_back(names[place]);
  return found;
}

const std::vector<std::string>& Commands() {
  static const auto* const kCommands =
      new std::vector<std::string>{"ingest", "extract", "classify", "search", "suggest", "get", "wait", "info"};
  return *kCommands;
}

TEST(NearestNamesTest, FindsSwappedDroppedAddedAndReplacedCharacters) {
  EXPECT_THAT(Nearest("serach", Commands()), ElementsAre("search"));
  EXPECT_THAT(Nearest("sarch", Commands()), ElementsAre("search"));
  EXPECT_THAT(Nearest("searchh", Commands()), ElementsAre("search"));
  EXPECT_THAT(Nearest("seerch", Commands()), ElementsAre("search"));
}

TEST(NearestNamesTest, PutsTheNearestFirstAndEqualsInTheirOrder) {
  EXPECT_THAT(Nearest("abcdef", {"abxxef", "abcdex", "xbcdef", "abcdef"}), ElementsAre("abcdef", "abcdex", "xbcdef"));
  EXPECT_THAT(Nearest("abcdef", {"abxxef", "abcdex"}, 1), ElementsAre("abcdex"));
}

TEST(NearestNamesTest, TakesAWordThatANameBeginsWith) {
  EXPECT_THAT(Nearest("class", Commands()), ElementsAre("classify"));
  EXPECT_THAT(Nearest("cl", Commands()), IsEmpty());
}

TEST(NearestNamesTest, KnowsNoNameThatIsFar) {
  EXPECT_THAT(Nearest("frobnicate", Commands()), IsEmpty());
  EXPECT_THAT(Nearest("", Commands()), IsEmpty());
  // A short word has room for one slip.
  EXPECT_THAT(Nearest("gxx", Commands()), IsEmpty());
  EXPECT_THAT(Nearest("gte", Commands()), ElementsAre("get"));
}

TEST(NearestNamesTest, ComparesCharactersWithoutCaseAndDiacritics) {
  EXPECT_THAT(Nearest("ELYSEE", {"Élysée"}), ElementsAre("Élysée"));
  EXPECT_THAT(Nearest("Россиа", {"Россия", "Румыния"}), ElementsAre("Россия"));
}

TEST(NearestNamesTest, IsBounded) {
  EXPECT_THAT(Nearest(std::string(65, 'a'), {std::string(65, 'a')}), IsEmpty());
  EXPECT_THAT(Nearest(std::string(64, 'a'), {std::string(64, 'b'), std::string(63, 'a')}),
              ElementsAre(std::string(63, 'a')));
  EXPECT_THAT(Nearest("\xff\xfe\xfd", {"\xff\xfe\xfd"}), ElementsAre("\xff\xfe\xfd"));
}

}  // namespace
}  // namespace dateline::common
