#include "search_service/suggester.h"

#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace dateline::search {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

TaxonomyEntry MakeEntry(const std::string& id, std::vector<LocalizedNames> names) {
  TaxonomyEntry entry;
  entry.id = id;
  entry.names = std::move(names);
  return entry;
}

std::shared_ptr<const Taxonomy> SmallTaxonomy() {
  TaxonomyData data;
  data.regions = {MakeEntry("IR", {{"en", "Iran", {"Islamic Republic of Iran"}}, {"fr", "Iran", {}}}),
                  MakeEntry("KZ", {{"en", "Kazakhstan", {}}}),
                  MakeEntry("GB", {{"en", "United Kingdom", {"UK", "Great Britain"}}})};
  data.groups = {MakeEntry("eu", {{"en", "European Union", {"EU"}}})};
  data.issues = {MakeEntry("climate", {{"en", "Climate Change", {}}, {"fr", "Changement climatique", {}}})};
  return std::make_shared<const Taxonomy>(std::move(data));
}

class SuggesterTest : public ::testing::Test {
 protected:
  void Add(int64_t row, const std::string& title) { suggester_.Update(row, MakeArticle(row, title)); }

  static Article MakeArticle(int64_t row, const std::string& title) {
    Article article;
    article.id = absl::StrCat("a", row);
    article.title = title;
    article.publish_time = absl::FromUnixSeconds(1'700'000'000 + row);
    return article;
  }

  std::vector<Suggestion> Suggest(const std::string& prefix, std::vector<SuggestionKind> kinds = {}, int limit = 8) {
    SuggestQuery query;
    query.prefix = prefix;
    query.kinds = std::move(kinds);
    query.limit = limit;
    return suggester_.Suggest(query, taxonomy_);
  }
  std::vector<std::string> Texts(const std::string& prefix, std::vector<SuggestionKind> kinds = {}, int limit = 8) {
    std::vector<std::string> texts;
    for (const Suggestion& suggestion : Suggest(prefix, std::move(kinds), limit)) texts.push_back(suggestion.text);
    return texts;
  }
  std::vector<std::string> Phrases(const std::string& prefix) { return Texts(prefix, {SuggestionKind::kPhrase}); }
  std::vector<std::string> Titles(const std::string& prefix) { return Texts(prefix, {SuggestionKind::kArticle}); }

  Suggester suggester_;
  std::shared_ptr<const Taxonomy> taxonomy_ = SmallTaxonomy();
};

// What of the text was typed, in brackets.
std::string Marked(const Suggestion& suggestion) {
  std::string text = suggestion.text;
  for (auto range = suggestion.ranges.rbegin(); range != suggestion.ranges.rend(); ++range) {
    text.insert(static_cast<size_t>(range->end), "]").insert(static_cast<size_t>(range->start), "[");
  }
  return text;
}

TEST_F(SuggesterTest, TitlesThatBeginSoComeFirstThenTheNewest) {
  Add(1, "Sanctions bite");
  Add(2, "New sanctions");
  Add(3, "Sanctions again");
  Add(4, "More sanctions");
  for (const char* typed : {"s", "sanct", "SANCTIONS"}) {
    EXPECT_THAT(Titles(typed), ElementsAre("Sanctions again", "Sanctions bite", "More sanctions", "New sanctions"));
  }
  EXPECT_THAT(Titles("sanct m"), ElementsAre("More sanctions"));
  suggester_.Remove(3);
  Add(1, "Tariffs bite");
  EXPECT_THAT(Titles("s"), ElementsAre("More sanctions", "New sanctions"));
  EXPECT_THAT(Titles("t"), ElementsAre("Tariffs bite"));
}

TEST_F(SuggesterTest, AmongManyTitlesTheRightOnesAreFound) {
  for (int row = 0; row < 20'000; ++row) Add(row, absl::StrCat("Talks about trade, part ", row));
  Add(20'000, "Zebras");
  Add(3, "Talks about zinc");
  EXPECT_THAT(Texts("t", {SuggestionKind::kArticle}, 2),
              ElementsAre("Talks about trade, part 19999", "Talks about trade, part 19998"));
  EXPECT_THAT(Titles("talks z"), ElementsAre("Talks about zinc"));
  EXPECT_THAT(Texts("trade talks", {SuggestionKind::kArticle}, 1), ElementsAre("Talks about trade, part 19999"));
}

TEST_F(SuggesterTest, CopiesOfOneTitleAreOneSuggestion) {
  for (int row = 0; row < 10; ++row) Add(row, "The wire has it");
  Add(10, "The wire is cut");
  EXPECT_THAT(Titles("wire"), ElementsAre("The wire is cut", "The wire has it"));
}

TEST_F(SuggesterTest, PhrasesThatSeveralTitlesHaveAreSuggested) {
  Add(1, "A trade war in steel");
  Add(2, "Trade war: who pays?");
  EXPECT_THAT(Phrases("tr"), IsEmpty());
  Add(3, "No end to the trade war");
  EXPECT_THAT(Phrases("t"), ElementsAre("trade war"));
  const std::vector<Suggestion> phrases = Suggest("wa", {SuggestionKind::kPhrase});
  ASSERT_THAT(phrases, SizeIs(1));
  EXPECT_EQ(phrases[0].kind, SuggestionKind::kPhrase);
  EXPECT_EQ(phrases[0].article_count, 3);
  EXPECT_EQ(phrases[0].id, "");
  EXPECT_EQ(Marked(phrases[0]), "trade [wa]r");
  suggester_.Remove(2);
  EXPECT_THAT(Phrases("trade"), IsEmpty());
}

TEST_F(SuggesterTest, APhraseIsOfNeighboursWithinASentence) {
  for (int row = 0; row < 4; ++row) Add(row, "Oman: peace talks, or the war of words");
  EXPECT_THAT(Phrases("p"), ElementsAre("peace talks"));
  EXPECT_THAT(Phrases("oman"), IsEmpty());
  EXPECT_THAT(Phrases("w"), ElementsAre("war of words"));
  EXPECT_THAT(Phrases("the"), IsEmpty());
}

TEST_F(SuggesterTest, APhraseGivesWayToALongerOneThatIsAsFrequent) {
  for (int row = 0; row < 5; ++row) Add(row, absl::StrCat("United Arab Emirates and gas ", row));
  EXPECT_THAT(Phrases("united"), ElementsAre("United Arab Emirates"));
  for (int row = 5; row < 10; ++row) Add(row, absl::StrCat("United Arab front ", row));
  EXPECT_THAT(Phrases("united"), ElementsAre("United Arab", "United Arab Emirates", "United Arab front"));
}

TEST_F(SuggesterTest, APhraseIsNotRepeatedThatIsANameAlready) {
  for (int row = 0; row < 4; ++row) Add(row, absl::StrCat("Climate change, year ", row));
  std::vector<std::string> texts = Texts("climate ch");
  EXPECT_THAT(texts, Contains("Climate Change"));
  EXPECT_THAT(texts, Not(Contains("Climate change")));
}

// The spelling that is shown is that of a title that is still there.
TEST_F(SuggesterTest, NothingOfARemovedTitleIsLeft) {
  Add(1, "Grain deal holds");
  Add(2, "Grain deal ends");
  Add(3, "A new grain deal");
  Add(4, "GRAIN DEAL SECRETS");
  EXPECT_THAT(Phrases("grain"), ElementsAre("GRAIN DEAL"));
  suggester_.Remove(4);
  EXPECT_THAT(Phrases("grain"), ElementsAre("grain deal"));
  EXPECT_THAT(Texts("secre"), IsEmpty());
  EXPECT_THAT(Texts("secrtes"), IsEmpty());
  for (int row = 1; row < 4; ++row) suggester_.Remove(row);
  EXPECT_THAT(Texts("g", {SuggestionKind::kArticle, SuggestionKind::kPhrase}), IsEmpty());
}

TEST_F(SuggesterTest, NothingShowsUnderEmbargo) {
  for (int row = 0; row < 4; ++row) {
    Article article = MakeArticle(row, "Budget leak");
    article.authors = {"Bo Nilsson"};
    article.visible_from = absl::Now() + absl::Hours(1);
    suggester_.Update(row, article);
  }
  for (const char* typed : {"b", "budget", "budgte", "nils"}) EXPECT_THAT(Texts(typed), IsEmpty()) << typed;
  Article article = MakeArticle(1, "Budget leak");
  article.visible_from = absl::Now() - absl::Seconds(1);
  suggester_.Update(1, article);
  EXPECT_THAT(Texts("b"), ElementsAre("Budget leak"));
}

TEST_F(SuggesterTest, MistypedWordsAreCorrectedBelowWhatIsAsTyped) {
  Add(1, "Sanctions bite");
  Add(2, "Sancitons, a misprint");
  EXPECT_THAT(Titles("sancit"), ElementsAre("Sancitons, a misprint", "Sanctions bite"));
  EXPECT_EQ(Marked(Suggest("sancit", {SuggestionKind::kArticle})[1]), "[Sanctions] bite");
  EXPECT_THAT(Titles("bite sanctoins"), ElementsAre("Sanctions bite"));
  EXPECT_THAT(Titles("zanctions"), IsEmpty()) << "the first letter is kept";
  EXPECT_THAT(Titles("snc"), IsEmpty()) << "too short to be corrected";
}

TEST_F(SuggesterTest, AKnownWordIsNotCorrected) {
  Add(1, "Iraq votes");
  Add(2, "Iran votes");
  EXPECT_THAT(Texts("iran"), ElementsAre("Iran", "Iran votes"));
  EXPECT_THAT(Texts("iraq"), ElementsAre("Iraq votes"));
}

TEST_F(SuggesterTest, NamesOfTheTaxonomyAreCorrectedAndKnownByTheirAliases) {
  EXPECT_THAT(Texts("kazakstan"), ElementsAre("Kazakhstan"));
  EXPECT_THAT(Texts("Kazaks"), ElementsAre("Kazakhstan"));
  EXPECT_THAT(Texts("uk"), ElementsAre("United Kingdom"));
  EXPECT_THAT(Suggest("uk")[0].ranges, IsEmpty());
  EXPECT_THAT(Texts("great b"), ElementsAre("United Kingdom"));
  EXPECT_THAT(Texts("republic"), IsEmpty());
  SuggestQuery query;
  query.prefix = "changement";
  query.display_language = "fr";
  ASSERT_THAT(suggester_.Suggest(query, taxonomy_), SizeIs(1));
  EXPECT_EQ(suggester_.Suggest(query, taxonomy_)[0].id, "climate");
}

std::shared_ptr<const Taxonomy> CountriesAlike() {
  TaxonomyData data;
  data.regions = {
      MakeEntry("US", {{"en", "United States", {"America", "US", "USA"}, {"American", "American Indian"}},
                       {"de", "Vereinigte Staaten", {}}}),
      MakeEntry("VI", {{"en", "U.S. Virgin Islands", {}}}),
      MakeEntry("UM", {{"en", "U.S. Outlying Islands", {}}}),
      MakeEntry("AS", {{"en", "American Samoa", {}}}),
      MakeEntry("GB", {{"en", "United Kingdom", {"UK", "Britain"}, {"British"}}}),
      MakeEntry("UA", {{"en", "Ukraine", {}, {"Ukrainian"}}}),
      MakeEntry("IR", {{"en", "Iran", {}, {"Iranian", "Iranians"}}, {"ar", "إيران", {}}, {"tr", "İran", {}}}),
      MakeEntry("DE", {{"en", "Germany", {}, {"German"}}, {"fr", "Allemagne", {}}}),
      MakeEntry("DK", {{"en", "Denmark", {}}}),
      MakeEntry("AL", {{"en", "Albania", {}}}),
      MakeEntry("NG", {{"en", "Nigeria", {}}}),
      MakeEntry("NE", {{"en", "Niger", {}}})};
  return std::make_shared<const Taxonomy>(std::move(data));
}

TEST_F(SuggesterTest, AnExactAliasCodeOrNameComesBeforeWhatOnlyBeginsSo) {
  taxonomy_ = CountriesAlike();
  const auto carry = [&](int64_t row, const std::string& id) {
    Article article = MakeArticle(row, "Untitled");
    Label label;
    label.dimension = Dimension::kCountry;
    label.id = id;
    article.labels = {label};
    suggester_.Update(row, article);
  };
  for (const char* id : {"VI", "UA", "UA", "NG", "DK", "AS"}) carry(static_cast<int64_t>(100 + id[0] * 7 + id[1]), id);
  EXPECT_THAT(Texts("us"), ElementsAre("United States", "U.S. Virgin Islands", "U.S. Outlying Islands"));
  EXPECT_THAT(Texts("U.S."), ElementsAre("United States", "U.S. Virgin Islands", "U.S. Outlying Islands"));
  EXPECT_THAT(Texts("uk"), ElementsAre("United Kingdom", "Ukraine"));
  EXPECT_THAT(Texts("uk", {}, 1), ElementsAre("United Kingdom"));
  EXPECT_THAT(Texts("niger"), ElementsAre("Niger", "Nigeria"));
  EXPECT_THAT(Texts("de"), ElementsAre("Germany", "Denmark"));
  EXPECT_THAT(Texts("american"), ElementsAre("United States", "American Samoa"));
  // A code counts as a whole only, as do several words for a people.
  EXPECT_THAT(Texts("g"), ElementsAre("Germany"));
  EXPECT_THAT(Texts("american indi"), IsEmpty());
  EXPECT_THAT(Texts("american indian"), ElementsAre("United States"));
}

TEST_F(SuggesterTest, CountriesAreFoundByTheirPeopleAndInAllLanguages) {
  taxonomy_ = CountriesAlike();
  EXPECT_THAT(Texts("iranian"), ElementsAre("Iran"));
  EXPECT_THAT(Texts("irani"), ElementsAre("Iran"));
  EXPECT_THAT(Texts("إير"), ElementsAre("Iran"));
  EXPECT_THAT(Texts("اير"), ElementsAre("Iran"));
  EXPECT_THAT(Texts("vereinigte st"), ElementsAre("United States"));
  EXPECT_THAT(Texts("al"), ElementsAre("Albania", "Germany"));
  SuggestQuery query;
  query.prefix = "iran";
  query.display_language = "ar-EG";
  ASSERT_THAT(suggester_.Suggest(query, taxonomy_), SizeIs(1));
  EXPECT_EQ(suggester_.Suggest(query, taxonomy_)[0].text, "إيران");
  // A name in another language is no typing error.
  Add(1, "Allemande, a dance");
  EXPECT_THAT(Titles("allemag"), IsEmpty());
}

TEST_F(SuggesterTest, ATitleTypedToItsEndComesBeforeLongerOnes) {
  Add(1, "The Who");
  for (int row = 2; row < 8'000; ++row) Add(row, absl::StrCat("The whole story of those who left, part ", row));
  EXPECT_EQ(Titles("the who")[0], "The Who");
  EXPECT_EQ(Titles("THE WHO")[0], "The Who");
  EXPECT_EQ(Titles("the wh")[0], "The whole story of those who left, part 7999");
  EXPECT_EQ(Titles("the who left")[0], "The whole story of those who left, part 7999");
  Add(9'000, "The WHO");
  EXPECT_THAT(Texts("the who", {SuggestionKind::kArticle}, 3),
              ElementsAre("The WHO", "The Who", "The whole story of those who left, part 7999"));
  suggester_.Remove(1);
  suggester_.Remove(9'000);
  EXPECT_EQ(Titles("the who")[0], "The whole story of those who left, part 7999");
  Add(10'000, "Sanctions");
  Add(10'001, "Sanctions again");
  EXPECT_THAT(Titles("sanctions"), ElementsAre("Sanctions", "Sanctions again"));
}

TEST_F(SuggesterTest, ANewTaxonomyHasItsOwnNames) {
  EXPECT_THAT(Texts("kaz"), ElementsAre("Kazakhstan"));
  TaxonomyData data;
  data.regions = {MakeEntry("KZ", {{"en", "Qazaqstan", {}}})};
  taxonomy_ = std::make_shared<const Taxonomy>(std::move(data));
  EXPECT_THAT(Texts("kaz"), IsEmpty());
  EXPECT_THAT(Texts("qaz"), ElementsAre("Qazaqstan"));
}

TEST_F(SuggesterTest, LettersAreFoldedOnBothSides) {
  Add(1, "Élections à Québec");
  Add(2, "أَمْنُ الطاقة");
  EXPECT_THAT(Titles("elec"), ElementsAre("Élections à Québec"));
  EXPECT_THAT(Titles("QUÉB"), ElementsAre("Élections à Québec"));
  EXPECT_THAT(Titles("امن"), ElementsAre("أَمْنُ الطاقة"));
  EXPECT_THAT(Titles("الطاقه"), ElementsAre("أَمْنُ الطاقة"));
  EXPECT_THAT(Titles("electoins"), ElementsAre("Élections à Québec"));
}

TEST_F(SuggesterTest, NamesPhrasesAndTitlesAllHaveRoom) {
  for (int row = 0; row < 30; ++row) {
    Article article = MakeArticle(row, absl::StrCat("Trade war and trade deal ", row));
    article.authors = {absl::StrCat("Tr", row, " Writer")};
    suggester_.Update(row, article);
  }
  std::map<SuggestionKind, int> kinds;
  for (const Suggestion& suggestion : Suggest("tr")) ++kinds[suggestion.kind];
  EXPECT_EQ(kinds[SuggestionKind::kAuthor], 3);
  EXPECT_EQ(kinds[SuggestionKind::kPhrase], 2);
  EXPECT_EQ(kinds[SuggestionKind::kArticle], 3);
  for (const int limit : {1, 2, 3, 7, 50}) EXPECT_THAT(Texts("tr", {}, limit), SizeIs(std::min(limit, 50))) << limit;
}

// Whatever came and went, what is suggested is what the articles that are there would give alone.
TEST_F(SuggesterTest, WhatCameAndWentLeavesNoTrace) {
  std::mt19937 random(5);
  const std::vector<std::string> words = {"trade", "war",   "peace", "talks", "iran", "oil",
                                          "deal",  "grain", "of",    "the",   "vote", "union"};
  std::map<int64_t, Article> there;
  for (int step = 0; step < 2'000; ++step) {
    const auto row = static_cast<int64_t>(random() % 60);
    if (random() % 3 == 0) {
      suggester_.Remove(row);
      there.erase(row);
      continue;
    }
    std::vector<std::string> title;
    for (size_t i = 0; i < 2 + random() % 4; ++i) title.push_back(words[random() % words.size()]);
    Article article = MakeArticle(row, absl::StrJoin(title, random() % 8 == 0 ? ", " : " "));
    article.authors = {words[random() % words.size()]};
    article.source = words[random() % words.size()];
    suggester_.Update(row, article);
    there[row] = std::move(article);
  }
  Suggester fresh;
  for (const auto& [row, article] : there) fresh.Update(row, article);
  const auto told = [&](const Suggester& suggester, const std::string& prefix) {
    SuggestQuery query;
    query.prefix = prefix;
    query.limit = 50;
    std::vector<std::string> lines;
    for (const Suggestion& one : suggester.Suggest(query, taxonomy_)) {
      lines.push_back(absl::StrCat(static_cast<int>(one.kind), " ", one.text, " ", one.id, " ", one.article_count));
    }
    return lines;
  };
  for (const char* prefix : {"t", "w", "p", "tr", "oil", "grain d", "trade war", "tarde", "pecae t", "o", "un"}) {
    EXPECT_EQ(told(suggester_, prefix), told(fresh, prefix)) << prefix;
  }
}

}  // namespace
}  // namespace dateline::search
