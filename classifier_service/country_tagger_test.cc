#include "classifier_service/country_tagger.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "classifier_service/country_analysis.h"
#include "common/country_prior.h"
#include "common/text.h"
#include "tests/support/status_matchers.h"

namespace dateline::classifier {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

const Gazetteer& Shipped() {
  static const Gazetteer* const kGazetteer =
      Gazetteer::Load("classifier_service/data/gazetteer/gazetteer.tsv").value().release();
  return *kGazetteer;
}

const CountryModel& ShippedModel() {
  static const CountryModel* const kModel =
      CountryModel::Load("classifier_service/data/model/countries.model").value().release();
  return *kModel;
}

CountryTags TagText(const std::string& title, const std::string& body, int year = 0) {
  ArticleText article;
  article.title = title;
  article.body = body;
  if (year != 0) {
    article.publish_time = absl::FromCivil(absl::CivilDay(year, 6, 1), absl::UTCTimeZone());
  }
  return CountryTagger(Shipped(), ShippedModel())
      .Tag(article, {.want_mentions = true, .profile = CountryProfile::kDefault, .priors = {}});
}

std::vector<std::string> Ids(const std::vector<Tag>& tags) {
  std::vector<std::string> ids;
  for (const Tag& tag : tags) {
    ids.push_back(tag.id);
  }
  return ids;
}

// The mention with these words; the test fails where there is none.
Mention MentionOf(const CountryTags& tags, const std::string& words) {
  const auto it = std::find_if(tags.mentions.begin(), tags.mentions.end(),
                               [&](const Mention& mention) { return mention.text == words; });
  EXPECT_NE(it, tags.mentions.end()) << "no mention of " << words;
  return it == tags.mentions.end() ? Mention{} : *it;
}

TEST(CountryTaggerTest, TagsWhatTheArticleIsAboutAndSaysWhy) {
  const CountryTags tags =
      TagText("Iran's parliament debates the budget",
              "Tehran will spend more on subsidies, Iranian lawmakers said.\n\nIran's central bank "
              "warned of inflation. Analysts in London were sceptical.");
  EXPECT_THAT(Ids(tags.countries), ElementsAre("IR"));
  EXPECT_EQ(tags.outcome, Outcome::kTagged);
  const Tag& iran = tags.countries.front();
  EXPECT_TRUE(iran.primary);
  EXPECT_EQ(iran.display_name, "Iran");
  ASSERT_EQ(iran.evidence.size(), 4);
  EXPECT_EQ(iran.evidence.front().text, "Iran");
  EXPECT_EQ(iran.evidence.front().span->field, Field::kTitle);
  EXPECT_EQ(iran.evidence.front().kind, "NAME");
  EXPECT_GT(iran.evidence.front().weight, iran.evidence.back().weight);
}

TEST(CountryTaggerTest, AbstainsWhereNoCountryIsTheSubject) {
  const CountryTags tags = TagText("How to lead through change", "Good managers listen. They plan, and they delegate.");
  EXPECT_THAT(tags.countries, IsEmpty());
  EXPECT_EQ(tags.outcome, Outcome::kAbstained);
  EXPECT_EQ(TagText("", "").outcome, Outcome::kAbstained);
}

TEST(CountryTaggerTest, MakesAtMostOneCountryPrimary) {
  const CountryTags tags =
      TagText("Saudi Arabia and Iran restore relations",
              "Saudi Arabia and Iran agreed to reopen embassies. Riyadh and Tehran cut ties in 2016.");
  EXPECT_THAT(Ids(tags.countries), ::testing::UnorderedElementsAre("SA", "IR"));
  EXPECT_EQ(std::count_if(tags.countries.begin(), tags.countries.end(), [](const Tag& tag) { return tag.primary; }), 1);
}

TEST(CountryTaggerTest, TakesABlocForAGroupAndNeverForACountry) {
  const CountryTags tags =
      TagText("GCC summit ends in silence",
              "The Gulf Cooperation Council closed its summit. The GCC said little.\n\nGCC members "
              "will meet again, the bloc said.");
  EXPECT_THAT(Ids(tags.groups), Contains("gcc"));
  EXPECT_THAT(tags.countries, IsEmpty());
}

TEST(CountryTaggerTest, AGulfBesideTheGccIsTheGccs) {
  const std::string body =
      "The GCC was silent on the plan. Leaders met to weigh the answer to Tehran, and the markets fell.";
  const CountryTags tags = TagText("Gulf unity tested", body);
  const auto gcc = std::find_if(tags.groups.begin(), tags.groups.end(), [](const Tag& tag) { return tag.id == "gcc"; });
  ASSERT_NE(gcc, tags.groups.end());
  EXPECT_EQ(gcc->evidence.size(), 2);
  EXPECT_THAT(Ids(TagText("Unity tested", body).groups), Not(Contains("gcc")));
}

TEST(CountryTaggerTest, SetsAsidePersonsWithACountrysName) {
  const CountryTags tags =
      TagText("Michael Jordan sells his team", "Michael Jordan owned it for years. Robert Jordan did not.");
  EXPECT_THAT(tags.countries, IsEmpty());
  EXPECT_EQ(MentionOf(tags, "Michael Jordan").set_aside, SetAside::kPersonName);
  EXPECT_EQ(MentionOf(tags, "Jordan").set_aside, SetAside::kPersonName);
}

TEST(CountryTaggerTest, SetsAsideWhatIsInDoubtWhereNothingElseNamesTheCountry) {
  CountryTags tags =
      TagText("", "Unlike Denmark and Norway, Iran has no fund for its oil. Iran's parliament wants one.");
  EXPECT_EQ(MentionOf(tags, "Denmark").set_aside, SetAside::kPeripheral);
  EXPECT_EQ(MentionOf(tags, "Norway").set_aside, SetAside::kPeripheral);
  EXPECT_EQ(MentionOf(tags, "Iran").set_aside, SetAside::kNone);
  EXPECT_THAT(Ids(tags.countries), ElementsAre("IR"));
  // A group is in no doubt.
  tags =
      TagText("", "Unlike Denmark and the European Union, Iran has no fund for its oil. Iran's parliament wants one.");
  EXPECT_EQ(MentionOf(tags, "Denmark").set_aside, SetAside::kPeripheral);
  EXPECT_EQ(MentionOf(tags, "European Union").set_aside, SetAside::kBloc);
  // Where something else does, the doubt is gone.
  tags = TagText("", "Unlike Denmark, Iran has no fund for its oil. Danish ministers told Iran's parliament of it.");
  EXPECT_EQ(MentionOf(tags, "Denmark").set_aside, SetAside::kNone);
}

TEST(CountryTaggerTest, CountriesInAListAreNoTownsOfTheLast) {
  CountryTags tags =
      TagText("", "The European Commission reported on Ukraine, Georgia and Moldova on Wednesday. All three applied.");
  EXPECT_EQ(MentionOf(tags, "Ukraine").region_code, "UA");
  EXPECT_EQ(MentionOf(tags, "Georgia").region_code, "GE");
  EXPECT_EQ(MentionOf(tags, "Moldova").region_code, "MD");
  tags = TagText("Russia, Georgia resume flights", "Moscow and Tbilisi resumed direct flights.");
  EXPECT_THAT(Ids(tags.countries), UnorderedElementsAre("RU", "GE"));
  // Georgia has towns, too; and towns in other states are called like countries.
  for (const char* text : {"A court in Savannah, Georgia, sentenced the former sheriff to four years in prison.",
                           "A court in Athens, Georgia, sentenced the former sheriff to four years in prison."}) {
    EXPECT_THAT(Ids(TagText("", text).countries), ElementsAre("US")) << text;
  }
  tags = TagText("", "The circus museum in Peru, Indiana, reopened after the flood. It draws crowds in summer.");
  EXPECT_THAT(Ids(tags.countries), ElementsAre("US"));
}

TEST(CountryTaggerTest, ABodyBehindTheNameOfACountryIsThatCountrys) {
  for (const char* text : {"Thailand's Senate blocked the winner of the election.",
                           "Thailand\u2019s Senate blocked the winner.", "The Thai Senate blocked the winner."}) {
    const CountryTags tags = TagText("", text);
    EXPECT_THAT(Ids(tags.countries), ElementsAre("TH")) << text;
    EXPECT_EQ(MentionOf(tags, "Senate").set_aside, SetAside::kPeripheral) << text;
  }
}

TEST(CountryTaggerTest, ADisputedPlaceIsOfAllItsClaimantsWhereNoneIsNamed) {
  EXPECT_THAT(Ids(TagText("", "Kashmir has been without the internet for a month. Shops stayed closed.").countries),
              UnorderedElementsAre("IN", "PK"));
}

TEST(CountryTaggerTest, WhatIsListedBehindAComparisonIsNotWhatFollowsIt) {
  EXPECT_THAT(Ids(TagText("", "Unlike Poland, Hungary refused the deal and vetoed the budget of the union.").countries),
              ElementsAre("HU"));
}

TEST(CountryTaggerTest, SetsAsideWhatSomethingCostsAndTownsOfLongerNames) {
  const CountryTags tags =
      TagText("A ride costs more", "Fares rose by four US cents in San Antonio de los Baños, Cuba's news agency said.");
  EXPECT_EQ(MentionOf(tags, "US").set_aside, SetAside::kPeripheral);
  EXPECT_EQ(MentionOf(tags, "San Antonio").set_aside, SetAside::kPeripheral);
  EXPECT_THAT(Ids(tags.countries), ElementsAre("CU"));
}

TEST(CountryTaggerTest, SetsAsideTheDateline) {
  const CountryTags tags = TagText("Iran tests a missile",
                                   "DUBAI, March 3 (Reuters) - Iran said on Friday that it had "
                                   "tested a missile, Iranian media reported.");
  EXPECT_EQ(MentionOf(tags, "DUBAI").set_aside, SetAside::kDateline);
  EXPECT_THAT(Ids(tags.countries), ElementsAre("IR"));
}

TEST(CountryTaggerTest, TakesTheCountryFromTheDatelineWhereNothingElseSaysIt) {
  const std::string results =
      "Quarterly profit rose to 1.2 million from 0.9 million on higher sales, the company said.";
  for (const auto& [dateline, country] :
       {std::pair("TORONTO, March 3 - ", "CA"), std::pair("Toronto, 3 March 1987 - ", "CA"),
        std::pair("SAN MATEO, Calif., March 3 - ", "US"), std::pair("DUBLIN, Calif., March 3 - ", "US"),
        std::pair("LA PAZ, March 3 - ", "BO"), std::pair("DUBLIN (Reuters) - ", "IE")}) {
    const CountryTags tags = TagText("Company reports results", absl::StrCat(dateline, results));
    EXPECT_THAT(Ids(tags.countries), ElementsAre(country)) << dateline;
    EXPECT_EQ(tags.mentions.front().set_aside, SetAside::kNone) << dateline;
  }
  // A bloc is told, too: its seat is no subject.
  EXPECT_THAT(Ids(TagText("EU agrees on fish", "BRUSSELS, March 3 - The EU agreed on quotas.").countries), IsEmpty());
}

TEST(CountryTaggerTest, TheDatelineIsOneMoreMentionOfACountryThatTheTextNames) {
  const std::string text = "Iran and Kuwait will share a field. Engineers said that Kuwait would drill first.";
  const CountryTags filed_there = TagText("Iran plans a field", absl::StrCat("KUWAIT, March 3 (Reuters) - ", text));
  EXPECT_EQ(MentionOf(filed_there, "KUWAIT").set_aside, SetAside::kNone);
  const CountryTags elsewhere = TagText("Iran plans a field", absl::StrCat("MUSCAT, March 3 (Reuters) - ", text));
  EXPECT_EQ(MentionOf(elsewhere, "MUSCAT").set_aside, SetAside::kDateline);
}

TEST(CountryTaggerTest, SetsAsideBylines) {
  const CountryTags tags =
      TagText("Iran tests a missile", "Iran said it had tested a missile.\n\n(Reporting by A. Writer in Dubai)");
  EXPECT_EQ(MentionOf(tags, "Dubai").set_aside, SetAside::kByline);
}

TEST(CountryTaggerTest, SetsAsideLeadersOutOfOffice) {
  const std::string body = "Rouhani spoke on Friday. Raisi did not.";
  EXPECT_EQ(MentionOf(TagText("", body, 2015), "Rouhani").set_aside, SetAside::kNone);
  EXPECT_EQ(MentionOf(TagText("", body, 2026), "Rouhani").set_aside, SetAside::kHistorical);
}

TEST(CountryTaggerTest, SetsAsideTheOriginOfHyphenatedAmericans) {
  EXPECT_EQ(MentionOf(TagText("", "An Iranian-American scholar."), "Iranian").set_aside, SetAside::kPeripheral);
  EXPECT_EQ(MentionOf(TagText("", "Iranian-American relations."), "Iranian").set_aside, SetAside::kNone);
}

TEST(CountryTaggerTest, FilesAPastStateUnderItsSuccessorInItsTimeOnly) {
  const std::string title = "Soviet Union to buy wheat";
  const std::string body = "The Soviet Union will buy wheat, Soviet officials said. The USSR had a poor harvest.";
  const CountryTags then = TagText(title, body, 1987);
  EXPECT_THAT(Ids(then.countries), ElementsAre("RU"));
  EXPECT_THAT(Ids(then.groups), ElementsAre("soviet_union"));
  const CountryTags now = TagText(title, body, 2020);
  EXPECT_THAT(now.countries, IsEmpty());
  EXPECT_THAT(Ids(now.groups), ElementsAre("soviet_union"));
}

std::string Row(const std::string& surface, const std::string& target, const std::string& kind,
                const std::string& years, const std::string& flags) {
  return absl::StrCat(surface, "\t", target, "\t", kind, "\ten\ttest\t", years, "\t", flags, "\n");
}

// "words=REGION" for each mention that counts, by a gazetteer of a few places.
std::vector<std::string> Counted(const std::string& body, int year = 0) {
  static const auto* const kGazetteer =
      Gazetteer::Parse(
          absl::StrCat(Row("Iran", "IR", "NAME", "\t", "display"), Row("Iraq", "IQ", "NAME", "\t", "display"),
                       Row("Oman", "OM", "NAME", "\t", "display"), Row("Twin Gulfs", "IR", "NAME", "\t", "each"),
                       Row("Twin Gulfs", "OM", "NAME", "\t", "each"), Row("Shoal", "IR", "PLACE", "\t", "disputed"),
                       Row("Shoal", "IQ", "PLACE", "\t", "disputed"), Row("Shoal", "OM", "PLACE", "\t", "disputed"),
                       Row("Parsa", "IR", "NAME", "1900\t1935", ""), Row("Kuwait", "KW", "NAME", "\t", "display"),
                       Row("Northerners", "north", "NAME", "\t", "display"),
                       Row("Southerners", "south", "NAME", "\t", "display"), Row("IR", "north", "MEMBER", "\t", ""),
                       Row("IQ", "north", "MEMBER", "1960\t1970", ""), Row("IQ", "north", "MEMBER", "1980\t", ""),
                       Row("OM", "south", "MEMBER", "\t", ""), Row("KW", "south", "MEMBER", "\t", ""),
                       Row("Port", "IR", "CAPITAL", "\t", ""), Row("Port", "OM", "CAPITAL", "\t", "")),
          "g.tsv")
          .value()
          .release();
  ArticleText article;
  article.body = body;
  if (year != 0) {
    article.publish_time = absl::FromCivil(absl::CivilDay(year, 6, 1), absl::UTCTimeZone());
  }
  std::vector<std::string> counted;
  for (const FoundMention& found : AnalyseCountries(*kGazetteer, article).found) {
    if (found.weight > 0.0) {
      counted.push_back(absl::StrCat(body.substr(found.start, found.end - found.start), "=",
                                     kGazetteer->regions()[static_cast<size_t>(found.entry.region)].region_code));
    }
  }
  return counted;
}

TEST(CountryTaggerTest, CountsAFormThatNamesSeveralCountriesForEach) {
  EXPECT_THAT(Counted("The Twin Gulfs met."), ElementsAre("Twin Gulfs=IR", "Twin Gulfs=OM"));
  EXPECT_THAT(Counted("The Twin Gulfs met in Oman."), ElementsAre("Twin Gulfs=IR", "Twin Gulfs=OM", "Oman=OM"));
}

TEST(CountryTaggerTest, CountsADisputedPlaceForTheClaimantsThatTheTextNames) {
  EXPECT_THAT(Counted("Ships at the Shoal."), ElementsAre("Shoal=IR", "Shoal=IQ", "Shoal=OM"));
  EXPECT_THAT(Counted("Iraq sent ships to the Shoal."), ElementsAre("Iraq=IQ", "Shoal=IQ"));
  EXPECT_THAT(Counted("Iran and Oman sent ships to the Shoal."),
              ElementsAre("Iran=IR", "Oman=OM", "Shoal=IR", "Shoal=OM"));
}

TEST(CountryTaggerTest, ANeighbourThatWasInAGroupTwiceSpeaksOnce) {
  EXPECT_THAT(Counted("Iraq, Iraq; Kuwait, Kuwait, Kuwait; the Port."), Contains("Port=OM"));
  EXPECT_THAT(Counted("Iraq, Iraq; Kuwait; the Port."), Contains("Port=IR"));
}

TEST(CountryTaggerTest, SetsAsideNamesThatNobodyHasAnyMore) {
  EXPECT_THAT(Counted("Parsa sold oil.", 1930), ElementsAre("Parsa=IR"));
  EXPECT_THAT(Counted("Parsa sold oil.", 2020), IsEmpty());
  EXPECT_THAT(Counted("Parsa sold oil."), IsEmpty());
}

TEST(CountryTaggerTest, SaysThatAPastStateIsHistorical) {
  const std::string body = "A Soviet-era plant in East Germany, built like others in Yugoslavia and by NATO.";
  for (const int year : {0, 2020}) {
    const CountryTags tags = TagText("", body, year);
    for (const std::string words : {"Soviet", "East Germany", "Yugoslavia"}) {
      EXPECT_EQ(MentionOf(tags, words).set_aside, SetAside::kHistorical) << words << " in " << year;
    }
    EXPECT_EQ(MentionOf(tags, "NATO").set_aside, SetAside::kBloc);
  }
  EXPECT_EQ(MentionOf(TagText("", body, 1985), "East Germany").set_aside, SetAside::kNone);
}

TEST(CountryTaggerTest, TellsTheStateOfGeorgiaFromTheCountry) {
  EXPECT_THAT(Ids(TagText("Georgia votes",
                          "Voters in Georgia and in Florida went to the polls. In Atlanta the lines were "
                          "long, as in Alabama and Texas.")
                      .countries),
              Not(Contains("GE")));
  EXPECT_THAT(Ids(TagText("Georgia votes",
                          "Voters in Georgia went to the polls. In Tbilisi the lines were long, and "
                          "Russia watched.")
                      .countries),
              Contains("GE"));
}

TEST(CountryTaggerTest, TellsTheTwoCongosAndTheKoreasApart) {
  EXPECT_THAT(Ids(TagText("Congo holds vote", "Brazzaville was calm as Congo voted.").countries), ElementsAre("CG"));
  EXPECT_THAT(Ids(TagText("Congo holds vote", "Kinshasa was calm as Congo voted.").countries), ElementsAre("CD"));
  EXPECT_THAT(
      Ids(TagText("North Korea fires missile", "Pyongyang fired a missile. The North Koreans said no more.").countries),
      ElementsAre("KP"));
}

TEST(CountryTaggerTest, TagsTextsInOtherLanguages) {
  EXPECT_THAT(Ids(TagText("إيران وروسيا توقعان اتفاقا في طهران", "").countries), UnorderedElementsAre("IR", "RU"));
  const auto tagged = [](const std::string& title, const std::string& body) {
    return Ids(TagText(title, body).countries);
  };
  EXPECT_THAT(tagged("الرئيس الإيراني يزور طهران الجديدة", "قال الوزير الإيراني إن الإيرانيين ينتظرون الاتفاق."),
              ElementsAre("IR"));
  EXPECT_THAT(tagged("رئیس جمهور مصر", "مقام‌های مصری گفتند که مصریان رأی دادند."),
              ElementsAre("EG"));
  EXPECT_THAT(tagged("Le Parlement tunisien vote", "Les députés tunisiens ont adopté la loi; les Tunisiens attendent."),
              ElementsAre("TN"));
  EXPECT_THAT(tagged("El banco central turco sube los tipos", "La lira turca cayó; los turcos esperan."),
              ElementsAre("TR"));
  EXPECT_THAT(tagged("Ägyptische Regierung tritt zurück", "Die ägyptischen Minister gingen; viele Ägypter feierten."),
              ElementsAre("EG"));
  EXPECT_THAT(tagged("Турецкий парламент принял закон", "Турецкие депутаты голосовали ночью; турки ждут."),
              ElementsAre("TR"));
  EXPECT_THAT(tagged("Mısırlı bakan istifa etti", "Mısırlılar sokağa çıktı; Kahire sessiz."), ElementsAre("EG"));
  EXPECT_THAT(tagged("הפרלמנט הטורקי אישר", "הנשיא הטורקי אמר שהטורקים ממתינים."), ElementsAre("TR"));
  EXPECT_THAT(tagged("土耳其议会", "土耳其人在安卡拉等待。"), ElementsAre("TR"));
}

TEST(CountryTaggerTest, PointsIntoTheTextOnCodePoints) {
  const std::string body = "“Türkiye’nin” — إيران، 伊朗 and Côte d’Ivoire 🇹🇷 in Ankara";
  const CountryTags tags = TagText("«Türkiye»", body);
  EXPECT_EQ(tags.mentions.size(), 6);
  for (const Mention& mention : tags.mentions) {
    const std::string text = mention.span.field == Field::kTitle ? "«Türkiye»" : body;
    const auto start = static_cast<size_t>(mention.span.start);
    const auto end = static_cast<size_t>(mention.span.end);
    EXPECT_EQ(text.substr(start, end - start), mention.text);
    EXPECT_TRUE(common::IsValidUtf8(mention.text));
    EXPECT_NE(mention.region_code.empty(), mention.group_id.empty());
  }
}

TEST(CountryTaggerTest, ScoresAreRoundedAndRepeatable) {
  const CountryTags one = TagText("France and Germany", "Paris and Berlin agreed. Italy and Spain did not.");
  const CountryTags two = TagText("France and Germany", "Paris and Berlin agreed. Italy and Spain did not.");
  ASSERT_EQ(Ids(one.countries), Ids(two.countries));
  for (size_t i = 0; i < one.countries.size(); ++i) {
    EXPECT_EQ(one.countries[i].score, two.countries[i].score);
    EXPECT_NEAR(one.countries[i].score * 1e4, std::round(one.countries[i].score * 1e4), 1e-6);
  }
}

TEST(CountryTaggerTest, SurvivesTenMegabytesOfOneWordAndAllCountriesAtOnce) {
  std::string body;
  while (body.size() < 10'000'000) {
    body += "Iran ";
  }
  const CountryTags one = TagText("", body);
  EXPECT_THAT(Ids(one.countries), ElementsAre("IR"));
  EXPECT_EQ(one.countries.front().evidence.size(), kMaxEvidencePerTag);
  EXPECT_EQ(one.mentions.size(), CountryTagger::kMaxMentions);
  std::string every;
  for (const GazetteerRegion& region : Shipped().regions()) {
    absl::StrAppend(&every, region.names.front().display_name, ", ");
  }
  EXPECT_LE(TagText("", every).countries.size(), Shipped().regions().size());
}

ArticleText Embassies() {
  ArticleText article;
  article.title = "Embassies to reopen";
  article.body =
      "Saudi Arabia and Iran agreed to reopen embassies. A visit to Kuwait was mentioned at the end of a long day of "
      "talks on trade, water and air traffic between the neighbours.";
  return article;
}

const Tag* Find(const std::vector<Tag>& tags, const std::string& id) {
  const auto it = std::find_if(tags.begin(), tags.end(), [&](const Tag& tag) { return tag.id == id; });
  return it == tags.end() ? nullptr : &*it;
}

CountryTags TagWith(const ArticleText& article, CountryProfile profile, std::vector<CountryPrior> priors) {
  return CountryTagger(Shipped(), ShippedModel())
      .Tag(article, {.want_mentions = false, .profile = profile, .priors = std::move(priors)});
}

TEST(CountryTaggerTest, APriorIsAddedToTheLogOddsAndShown) {
  const CountryTags without = TagWith(Embassies(), CountryProfile::kGenerous, {});
  const CountryTags with = TagWith(Embassies(), CountryProfile::kGenerous, {{"IR", -1.5}});
  const Tag* before = Find(without.countries, "IR");
  const Tag* after = Find(with.countries, "IR");
  ASSERT_NE(before, nullptr);
  ASSERT_NE(after, nullptr);
  const auto log_odds = [](double p) { return std::log(p / (1.0 - p)); };
  EXPECT_NEAR(log_odds(after->score), log_odds(before->score) - 1.5, 0.05);
  const auto prior = std::find_if(after->evidence.begin(), after->evidence.end(),
                                  [](const Evidence& evidence) { return evidence.kind == "PRIOR"; });
  ASSERT_NE(prior, after->evidence.end());
  EXPECT_EQ(prior->weight, -1.5);
  EXPECT_FALSE(prior->span.has_value());
  // Nobody else is touched.
  EXPECT_EQ(Find(with.countries, "SA")->score, Find(without.countries, "SA")->score);
}

TEST(CountryTaggerTest, PriorsAreBoundedAndHalvedForMembersOfAGroup) {
  const auto prior_of = [](const CountryTags& tags, const std::string& id) {
    const Tag* tag = Find(tags.countries, id);
    if (tag == nullptr) {
      return 0.0;
    }
    for (const Evidence& evidence : tag->evidence) {
      if (evidence.kind == "PRIOR") {
        return evidence.weight;
      }
    }
    return 0.0;
  };
  EXPECT_EQ(prior_of(TagWith(Embassies(), CountryProfile::kGenerous, {{"SA", 100.0}}), "SA"), common::kMaxPriorLogOdds);
  const CountryTags gulf = TagWith(Embassies(), CountryProfile::kGenerous, {{"gcc", 1.0}});
  EXPECT_EQ(prior_of(gulf, "SA"), 0.5);
  EXPECT_EQ(prior_of(gulf, "IR"), 0.0);
  EXPECT_EQ(prior_of(TagWith(Embassies(), CountryProfile::kGenerous, {{"gcc", 9.0}, {"SA", 9.0}}), "SA"),
            common::kMaxPriorLogOdds);
  EXPECT_EQ(prior_of(TagWith(Embassies(), CountryProfile::kGenerous, {{"SA", std::nan("")}, {"xx", 1.0}}), "SA"), 0.0);
}

TEST(CountryTaggerTest, APriorMakesNoCountryACandidate) {
  const CountryTags tags = TagWith(Embassies(), CountryProfile::kGenerous, {{"BR", 2.0}, {"oecd", 2.0}});
  EXPECT_EQ(Find(tags.countries, "BR"), nullptr);
}

TEST(CountryTaggerTest, ProfilesGiveFewerOrMore) {
  const auto ids = [](CountryProfile profile) { return Ids(TagWith(Embassies(), profile, {}).countries); };
  const std::vector<std::string> strict = ids(CountryProfile::kStrict);
  const std::vector<std::string> standard = ids(CountryProfile::kDefault);
  const std::vector<std::string> generous = ids(CountryProfile::kGenerous);
  EXPECT_THAT(standard, ::testing::IsSupersetOf(strict));
  EXPECT_THAT(generous, ::testing::IsSupersetOf(standard));
  EXPECT_LT(strict.size(), generous.size());
}

TEST(CountryTaggerTest, ScoresAllCandidatesWhetherOrNotTheyBecomeTags) {
  const CountryTagger tagger(Shipped(), ShippedModel());
  std::vector<std::string> codes;
  for (const CountryScore& score : tagger.Score(Embassies())) {
    codes.push_back(score.region_code);
  }
  EXPECT_THAT(codes, ElementsAre("IR", "KW", "SA"));
}

// The score of a tag; 0 if there is none.
double ScoreOf(const std::vector<Tag>& tags, const std::string& id) {
  const auto it = std::find_if(tags.begin(), tags.end(), [&](const Tag& tag) { return tag.id == id; });
  return it == tags.end() ? 0.0 : it->score;
}

// About Oman, with `mentions` of Iran further down: from some number on it is about Iran as well.
ArticleText AboutOman(int mentions) {
  ArticleText article;
  article.title = "Oman's quiet diplomacy";
  article.body =
      "Omani officials carried messages all summer.\n\nMuscat speaks with everybody, and Oman gains from it. The "
      "sultan "
      "received guests, and Omani banks lent.\n\nKuwait was told.";
  for (int i = 0; i < mentions; ++i) {
    article.body += " Much of the talk was of trade with Iran.";
  }
  return article;
}

TEST(CountryTaggerTest, AStricterProfileTagsNoMoreAndScoresTheSame) {
  size_t strict_tags = 0;
  size_t generous_tags = 0;
  for (int mentions = 0; mentions < 12; ++mentions) {
    const CountryTags strict = TagWith(AboutOman(mentions), CountryProfile::kStrict, {});
    const CountryTags standard = TagWith(AboutOman(mentions), CountryProfile::kDefault, {});
    const CountryTags generous = TagWith(AboutOman(mentions), CountryProfile::kGenerous, {});
    EXPECT_LE(strict.countries.size(), standard.countries.size());
    EXPECT_LE(standard.countries.size(), generous.countries.size());
    for (const CountryTags* some : {&strict, &standard}) {
      for (const Tag& tag : some->countries) {
        EXPECT_EQ(tag.score, ScoreOf(generous.countries, tag.id));
      }
    }
    strict_tags += strict.countries.size();
    generous_tags += generous.countries.size();
  }
  EXPECT_LT(strict_tags, generous_tags);
}

TEST(CountryTaggerTest, APriorIsAddedToTheLogOddsAndStandsInTheEvidence) {
  const auto log_odds = [](double score) { return std::log(score / (1.0 - score)); };
  const double without = ScoreOf(TagWith(AboutOman(8), CountryProfile::kGenerous, {}).countries, "IR");
  ASSERT_GT(without, 0.0);
  const CountryTags tags = TagWith(AboutOman(8), CountryProfile::kGenerous, {{.id = "IR", .log_odds = 1.5}});
  EXPECT_NEAR(log_odds(ScoreOf(tags.countries, "IR")), log_odds(without) + 1.5, 0.01);
  for (const Tag& tag : tags.countries) {
    const auto prior = std::find_if(tag.evidence.begin(), tag.evidence.end(),
                                    [](const Evidence& evidence) { return evidence.kind == "PRIOR"; });
    ASSERT_EQ(prior != tag.evidence.end(), tag.id == "IR") << tag.id;
    if (prior == tag.evidence.end()) {
      continue;
    }
    EXPECT_FALSE(prior->span.has_value());
    EXPECT_EQ(prior->weight, 1.5);
    EXPECT_TRUE(std::is_sorted(tag.evidence.begin(), tag.evidence.end(),
                               [](const Evidence& a, const Evidence& b) { return a.weight > b.weight; }));
  }
}

TEST(CountryTaggerTest, APriorOfAGroupIsHalfAPriorOfItsMembers) {
  const double without = ScoreOf(TagWith(AboutOman(8), CountryProfile::kGenerous, {}).countries, "IR");
  const CountryTags of_group = TagWith(AboutOman(8), CountryProfile::kGenerous, {{.id = "gcc", .log_odds = 1.0}});
  const CountryTags of_members =
      TagWith(AboutOman(8), CountryProfile::kGenerous, {{.id = "OM", .log_odds = 0.5}, {.id = "KW", .log_odds = 0.5}});
  EXPECT_EQ(ScoreOf(of_group.countries, "OM"), ScoreOf(of_members.countries, "OM"));
  EXPECT_EQ(ScoreOf(of_group.countries, "KW"), ScoreOf(of_members.countries, "KW"));
  EXPECT_EQ(ScoreOf(of_group.countries, "IR"), without);
}

TEST(CountryTaggerTest, APriorOfAGroupIsForItsMembersOfThatTimeAndTheSumIsBounded) {
  const auto prior_of = [](const CountryTags& tags, const std::string& id) {
    for (const Tag& tag : tags.countries) {
      for (const Evidence& evidence : tag.evidence) {
        if (tag.id == id && evidence.kind == "PRIOR") {
          return evidence.weight;
        }
      }
    }
    return 0.0;
  };
  ArticleText article;
  article.title = "Britain votes on its budget";
  article.body = "London will spend more, British ministers said. Britain's parliament agreed.";
  const std::vector<CountryPrior> eu = {{.id = "eu", .log_odds = 1.0}};
  EXPECT_EQ(prior_of(TagWith(article, CountryProfile::kGenerous, eu), "GB"), 0.0);
  article.publish_time = absl::FromCivil(absl::CivilDay(2010, 6, 1), absl::UTCTimeZone());
  EXPECT_EQ(prior_of(TagWith(article, CountryProfile::kGenerous, eu), "GB"), 0.5);
  const std::vector<CountryPrior> both = {{.id = "GB", .log_odds = 2.0}, {.id = "eu", .log_odds = 2.0}};
  EXPECT_EQ(prior_of(TagWith(article, CountryProfile::kGenerous, both), "GB"), 2.0);
}

TEST(CountryTaggerTest, APriorAloneMakesNoTag) {
  const CountryTags tags = TagWith(AboutOman(8), CountryProfile::kGenerous, {{.id = "JP", .log_odds = 2.0}});
  EXPECT_EQ(ScoreOf(tags.countries, "JP"), 0.0);
}

TEST(CountryTaggerTest, ManyPriorsLeaveAtMostTwentyReasons) {
  ArticleText article = AboutOman(8);
  for (int i = 0; i < 30; ++i) {
    article.body += "\n\nOman and Muscat again.";
  }
  const CountryTags tags = TagWith(article, CountryProfile::kDefault, {{.id = "OM", .log_odds = -2.0}});
  ASSERT_EQ(tags.countries.front().id, "OM");
  EXPECT_EQ(tags.countries.front().evidence.size(), kMaxEvidencePerTag);
  EXPECT_EQ(tags.countries.front().evidence.back().kind, "PRIOR") << "it counts against the tag";
}

}  // namespace
}  // namespace dateline::classifier
