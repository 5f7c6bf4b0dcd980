// The short texts of tests/quality/country_traps.tsv and country_traps_blind.tsv: what misleads whoever looks for names
// of countries.
#include <algorithm>
#include <cstdio>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/time/civil_time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "classifier_service/country_tagger.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace dateline::classifier {
namespace {

using ::dateline::testing::ReadFile;

std::set<std::string> Codes(absl::string_view list) {
  std::set<std::string> codes = absl::StrSplit(list, ',', absl::SkipEmpty());
  return codes;
}

struct TrapCount {
  int traps = 0;
  int passed = 0;
};

// How many of the file's traps are seen through; prints the others.
TrapCount SeenThrough(const std::string& path) {
  TrapCount count;
  const auto gazetteer = Gazetteer::Load("classifier_service/data/gazetteer/gazetteer.tsv");
  const auto model = CountryModel::Load("classifier_service/data/model/countries.model");
  EXPECT_TRUE(gazetteer.ok()) << gazetteer.status();
  EXPECT_TRUE(model.ok()) << model.status();
  if (!gazetteer.ok() || !model.ok()) return count;
  const CountryTagger tagger(**gazetteer, **model);
  const std::string file = ReadFile(path);
  for (const absl::string_view line : absl::StrSplit(file, '\n', absl::SkipEmpty())) {
    if (absl::StartsWith(line, "#")) continue;
    const std::vector<std::string> fields = absl::StrSplit(line, '\t');
    if (fields.size() != 5) {
      ADD_FAILURE() << "not five columns: " << line;
      continue;
    }
    ArticleText article;
    article.body = absl::StrReplaceAll(fields[4], {{"\\n", "\n"}});
    int year = 0;
    if (absl::SimpleAtoi(fields[1], &year)) {
      article.publish_time = absl::FromCivil(absl::CivilDay(year, 7, 1), absl::UTCTimeZone());
    }
    std::set<std::string> tags;
    for (const Tag& tag : tagger.Tag(article, {}).countries) tags.insert(tag.id);
    const std::set<std::string> given = Codes(fields[2]);
    const std::set<std::string> not_given = Codes(fields[3]);
    const bool all_given = std::includes(tags.begin(), tags.end(), given.begin(), given.end());
    const bool none_other = std::none_of(tags.begin(), tags.end(), [&](const std::string& code) {
      return not_given.contains(code) || (not_given.contains("*") && !given.contains(code));
    });
    ++count.traps;
    if (all_given && none_other) {
      ++count.passed;
    } else {
      std::printf("%s: tagged %s: %s\n", fields[0].c_str(), absl::StrJoin(tags, ",").c_str(), fields[4].c_str());
    }
  }
  std::printf("%s: %d of %d traps seen through\n", path.c_str(), count.passed, count.traps);
  return count;
}

TEST(CountryTrapsTest, NinetySevenInAHundredAreSeenThrough) {
  const TrapCount count = SeenThrough("tests/quality/country_traps.tsv");
  EXPECT_GE(count.traps, 400);
  EXPECT_GE(count.passed * 100, count.traps * 97);
}

// A little below what was measured: 269 of 310.
TEST(CountryTrapsTest, OfThoseWrittenBlindFiveInSixAre) {
  const TrapCount count = SeenThrough("tests/quality/country_traps_blind.tsv");
  EXPECT_EQ(count.traps, 310);
  EXPECT_GE(count.passed * 6, count.traps * 5);
}

}  // namespace
}  // namespace dateline::classifier
