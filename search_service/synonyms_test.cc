#include "search_service/synonyms.h"

#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "search_service/engine_test_util.h"

namespace dateline::search {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

std::string ErrorOf(absl::string_view text) {
  const absl::StatusOr<Synonyms> synonyms = Synonyms::Parse(text);
  EXPECT_EQ(synonyms.status().code(), absl::StatusCode::kInvalidArgument) << text;
  return std::string(synonyms.status().message());
}

TEST(SynonymsTest, WordsOfALineAreFoundForOneAnotherAndThoseBehindAnArrowOneWayOnly) {
  const absl::StatusOr<Synonyms> synonyms = Synonyms::Parse(
      "\xEF\xBB\xBF# of our archive\n\n"
      "Oil, Petroleum,crude # three\r\n"
      "UK, GB => Britain, Großbritannien\n"
      "crude, nafta\n"
      "petrole, Erdöl");
  ASSERT_TRUE(synonyms.ok()) << synonyms.status();
  EXPECT_THAT(synonyms->Of("oil"), ElementsAre("petroleum", "crude"));
  EXPECT_THAT(synonyms->Of("crude"), ElementsAre("oil", "petroleum", "nafta"));
  EXPECT_THAT(synonyms->Of("uk"), ElementsAre("britain", "grossbritannien"));
  EXPECT_THAT(synonyms->Of("gb"), ElementsAre("britain", "grossbritannien"));
  EXPECT_THAT(synonyms->Of("britain"), IsEmpty());
  EXPECT_THAT(synonyms->Of("petrol"), ElementsAre("erdol"));  // Any form of a word stands for it.
  EXPECT_THAT(Synonyms().Of("oil"), IsEmpty());
}

TEST(SynonymsTest, WhatIsWrongIsSaidWithItsLineAndTheRemedy) {
  const std::vector<std::pair<std::string, std::vector<std::string>>> cases = {
      {"oil, petroleum\ncrude oil, petroleum", {"line 2: ", "\"crude oil\" is not one word", "write single words"}},
      {"oil", {"line 1: ", "has one word", "behind a comma"}},
      {"oil,, petroleum", {"line 1: ", "no word beside a comma"}},
      {"uk =>", {"line 1: ", "no word beside a comma or =>"}},
      {"uk => britain => england", {"line 1: ", "two =>"}},
      {"uk, britain => britain", {"line 1: ", "\"britain\" is on both sides"}},
      {"oil, petroleum, oils", {"line 1: ", "\"oils\" and \"oil\" are forms of one word"}},
      {"oil, the", {"line 1: ", "\"the\" is so common"}},
      {"oil, !!", {"line 1: ", "\"!!\" is not one word"}},
      {"oil, 石油", {"line 1: ", "is not one word", "with spaces"}},
      {"\n\noil, \xFF", {"line 3: ", "not valid UTF-8"}},
  };
  for (const auto& [text, parts] : cases) {
    for (const std::string& part : parts) EXPECT_THAT(ErrorOf(text), HasSubstr(part)) << text;
  }
}

TEST(SynonymsTest, FilesGroupsAndWordsAreBounded) {
  // Letters only, so that no two are forms of one word.
  const auto word = [](size_t i) {
    std::string text = "w";
    for (; i > 0; i /= 10) text.push_back(static_cast<char>('b' + i % 10));
    return absl::StrCat(text, "q");
  };
  std::string group = word(0);
  for (size_t i = 1; i < kMaxSynonymsOfWord; ++i) absl::StrAppend(&group, ",", word(i));
  EXPECT_TRUE(Synonyms::Parse(group).ok());
  EXPECT_THAT(ErrorOf(absl::StrCat(group, ",extra")), HasSubstr("has 17 words; at most 16"));
  const std::string one_too_many = absl::StrCat("source => ", group, "\nsource => extra");
  EXPECT_THAT(ErrorOf(one_too_many), HasSubstr("line 2: gives \"source\" more than 16 synonyms"));

  std::string groups;
  for (size_t i = 0; i < kMaxSynonymGroups; ++i) absl::StrAppend(&groups, word(i), " => extra\n");
  const absl::StatusOr<Synonyms> many = Synonyms::Parse(groups);
  ASSERT_TRUE(many.ok()) << many.status();
  EXPECT_EQ(many->size(), kMaxSynonymGroups);
  EXPECT_THAT(ErrorOf(absl::StrCat(groups, "last => extra")), HasSubstr("line 10001: is one group more than 10000"));
  EXPECT_THAT(ErrorOf(std::string(kMaxSynonymBytes + 1, '\n')), HasSubstr("1000001 bytes long; at most 1000000"));
}

TEST(SynonymsTest, AFileIsNamedInItsErrors) {
  const TempDir dir;
  const std::string path = dir.path() + "/synonyms.txt";
  EXPECT_EQ(Synonyms::Load(path).status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(Synonyms::Load(dir.path()).status().message()), HasSubstr("check the path"));
  std::ofstream(path) << "oil, petroleum\noil\n";
  EXPECT_THAT(std::string(Synonyms::Load(path).status().message()), StartsWith(absl::StrCat(path, ": line 2: ")));
  std::ofstream(path) << "oil, petroleum\n";
  const absl::StatusOr<Synonyms> synonyms = Synonyms::Load(path);
  ASSERT_TRUE(synonyms.ok()) << synonyms.status();
  EXPECT_THAT(synonyms->Of("oil"), SizeIs(1));
  EXPECT_NE(synonyms->version(), Synonyms::Parse("oil, crude")->version());
}

}  // namespace
}  // namespace dateline::search
