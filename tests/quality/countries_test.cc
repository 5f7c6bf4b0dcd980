// How well countries are tagged, on labelled articles that nothing was fitted to. Prints precision, recall and F1 and
// holds floors a little below what was measured when they were set, so that a change that costs quality fails here.
//
// `gold` is labelled by an assistant from title and lead: better than rules, not human. Features were once chosen on
// two thirds of it; the weights never saw it. Reuters' PLACES often mean the home of a company that the text does not
// place.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "classifier_service/country_tagger.h"
#include "tests/quality/countries_data.h"
#include "tests/support/shared_data.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace dateline::quality {
namespace {

using classifier::ArticleText;
using classifier::CountryTagger;
using classifier::CountryTags;
using classifier::Gazetteer;
using ::dateline::testing::ReadFile;
using ::dateline::testing::SharedFile;
using ::dateline::testing::SharedFileMissing;

const Gazetteer& TheGazetteer() {
  static const auto* const kGazetteer = [] {
    auto loaded = Gazetteer::Load("classifier_service/data/gazetteer/gazetteer.tsv");
    if (!loaded.ok()) {
      std::fprintf(stderr, "%s\n", std::string(loaded.status().message()).c_str());
      std::abort();
    }
    return loaded->release();
  }();
  return *kGazetteer;
}

std::string FamilyOf(const LabelledArticle& article) {
  static const auto* const kFamilies =
      new std::map<std::string, std::string>{{"English Wikinews", "wikinews"},
                                             {"en-worldwide-newswire", "mena"},
                                             {"CFI.co (Capital Finance International)", "cfi"},
                                             {"Gulf International Forum (seed page)", "seed"}};
  const auto it = kFamilies->find(article.source);
  return it == kFamilies->end() ? "allsides" : it->second;
}

struct Counts {
  int right = 0;
  int given = 0;
  int gold = 0;
  double Precision() const { return given == 0 ? 0.0 : static_cast<double>(right) / given; }
  double Recall() const { return gold == 0 ? 0.0 : static_cast<double>(right) / gold; }
  double F1() const { return given + gold == 0 ? 0.0 : 2.0 * right / (given + gold); }
};

class Score {
 public:
  void Add(const LabelledArticle& article, const CountryTags& tags) {
    ++articles_;
    const std::set<std::string> gold(article.countries.begin(), article.countries.end());
    bool hit = false;
    for (const auto& tag : tags.countries) {
      const bool right = gold.contains(tag.id);
      hit |= right;
      all_.right += right ? 1 : 0;
      ++all_.given;
      by_country_[tag.id].right += right ? 1 : 0;
      ++by_country_[tag.id].given;
      primary_ += right && tag.primary ? 1 : 0;
    }
    for (const std::string& code : gold) {
      ++all_.gold;
      ++by_country_[code].gold;
    }
    hits_ += hit ? 1 : 0;
    with_gold_ += gold.empty() ? 0 : 1;
  }

  double F1() const { return all_.F1(); }

  // Over the countries that occur in the labels.
  double MacroF1() const {
    double sum = 0;
    int count = 0;
    for (const auto& [code, counts] : by_country_) {
      if (counts.gold > 0) {
        sum += counts.F1();
        ++count;
      }
    }
    return count == 0 ? 0.0 : sum / count;
  }

  double F1Without(const std::string& country) const {
    Counts rest = all_;
    if (const auto it = by_country_.find(country); it != by_country_.end()) {
      rest.right -= it->second.right;
      rest.given -= it->second.given;
      rest.gold -= it->second.gold;
    }
    return rest.F1();
  }

  double PrimaryRight() const { return with_gold_ == 0 ? 0.0 : static_cast<double>(primary_) / with_gold_; }

  void Print(const std::string& name) const {
    std::printf(
        "%-22s %5d articles  P %.3f  R %.3f  F1 %.3f  macro F1 %.3f  F1 without US %.3f  hit %.3f  primary %.3f\n",
        name.c_str(), articles_, all_.Precision(), all_.Recall(), F1(), MacroF1(), F1Without("US"),
        with_gold_ == 0 ? 0.0 : static_cast<double>(hits_) / with_gold_, PrimaryRight());
  }

 private:
  Counts all_;
  std::map<std::string, Counts> by_country_;
  int articles_ = 0;
  int hits_ = 0;
  int primary_ = 0;
  int with_gold_ = 0;
};

TEST(CountriesQualityTest, HoldsOnDeutscheWelleArticlesWithKeywordCountries) {
  const std::optional<std::string> path = SharedFile("data/articles/dwie.jsonl.zst");
  if (!path) {
    GTEST_SKIP() << SharedFileMissing("data/articles/dwie.jsonl.zst");
  }
  const CountryTagger tagger(TheGazetteer());
  Score score;
  ASSERT_OK(ForEachArticle(*path, [&](const LabelledArticle& article) {
    if (!article.countries.empty()) {
      score.Add(article, tagger.Tag(article.text, {}));
    }
  }));
  score.Print("DWIE");
  EXPECT_GE(score.F1(), 0.87);
}

TEST(CountriesQualityTest, HoldsOnTheGoldSet) {
  const std::optional<std::string> path = SharedFile("data/articles/gold.jsonl.zst");
  if (!path) {
    GTEST_SKIP() << SharedFileMissing("data/articles/gold.jsonl.zst");
  }
  const CountryTagger tagger(TheGazetteer());
  std::map<std::string, Score> by_family;
  Score all;
  int silent = 0;
  int rightly_silent = 0;
  int no_country = 0;
  ASSERT_OK(ForEachArticle(*path, [&](const LabelledArticle& article) {
    const CountryTags tags = tagger.Tag(article.text, {});
    by_family[FamilyOf(article)].Add(article, tags);
    all.Add(article, tags);
    silent += tags.countries.empty() ? 1 : 0;
    no_country += article.countries.empty() ? 1 : 0;
    rightly_silent += tags.countries.empty() && article.countries.empty() ? 1 : 0;
  }));
  for (const auto& [family, score] : by_family) {
    score.Print("gold, " + family);
  }
  all.Print("gold");
  std::printf("abstained on %d, rightly on %d, of %d articles with no country\n", silent, rightly_silent, no_country);
  EXPECT_GE(all.F1(), 0.91);
  EXPECT_GE(all.PrimaryRight(), 0.90);
}

TEST(CountriesQualityTest, HoldsOnReutersPlaces) {
  const std::optional<std::string> path = SharedFile("data/articles/reuters21578.jsonl.zst");
  if (!path) {
    GTEST_SKIP() << SharedFileMissing("data/articles/reuters21578.jsonl.zst");
  }
  const CountryTagger tagger(TheGazetteer());
  Score score;
  ASSERT_OK(ForEachArticle(*path, [&](const LabelledArticle& article) {
    if (article.split == "test") {
      score.Add(article, tagger.Tag(article.text, {}));
    }
  }));
  score.Print("Reuters PLACES, test");
  EXPECT_GE(score.F1(), 0.61);
  EXPECT_GE(score.MacroF1(), 0.62);
}

// The page the project starts from, as extraction gives it: the article without teasers, biography and footer.
TEST(CountriesQualityTest, FilesTheSeedPageUnderIran) {
  const std::optional<std::string> path = SharedFile("data/seed/russo-iranian-alignment.txt");
  if (!path) {
    GTEST_SKIP() << SharedFileMissing("data/seed/russo-iranian-alignment.txt");
  }
  const std::string page = ReadFile(*path);
  const std::string last = "storm clouds.";
  const size_t begin = page.find("On March 15");
  const size_t end = page.find(last);
  ASSERT_NE(begin, std::string::npos);
  ASSERT_NE(end, std::string::npos);
  ArticleText article;
  article.title = "Russo-Iranian Alignment Will Continue Despite Differences";
  article.body = page.substr(begin, end + last.size() - begin);
  const CountryTagger tagger(TheGazetteer());
  const CountryTags tags = tagger.Tag(article, {});
  ASSERT_FALSE(tags.countries.empty());
  std::vector<std::string> codes;
  for (const auto& tag : tags.countries) {
    std::printf("seed page: %s %.4f%s\n", tag.id.c_str(), tag.score, tag.primary ? " primary" : "");
    codes.push_back(tag.id);
  }
  EXPECT_EQ(tags.countries.front().id, "IR");
  EXPECT_TRUE(tags.countries.front().primary);
  EXPECT_THAT(codes, ::testing::Not(::testing::Contains("AE")));
  EXPECT_THAT(codes, ::testing::Not(::testing::Contains("UA")));
}

}  // namespace
}  // namespace dateline::quality
