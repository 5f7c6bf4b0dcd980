#include "classifier_service/gazetteer.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/text.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace dateline::classifier {
namespace {

using ::dateline::testing::StatusIs;
using ::dateline::testing::TempDir;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;
using ::testing::Not;
using ::testing::SizeIs;

constexpr char kDataFile[] = "classifier_service/data/gazetteer/gazetteer.tsv";

const Gazetteer& Shipped() {
  static const Gazetteer* const kGazetteer = Gazetteer::Load(kDataFile).value().release();
  return *kGazetteer;
}

// "words=TARGET" for each match of the shipped gazetteer; the first meaning of ambiguous forms.
std::vector<std::string> Found(const std::string& text) {
  std::vector<std::string> found;
  for (const GazetteerMatch& match : Shipped().Match(text)) {
    const GazetteerEntry& entry = match.entries.front();
    const std::string target = entry.region >= 0  ? Shipped().regions()[static_cast<size_t>(entry.region)].region_code
                               : entry.group >= 0 ? Shipped().groups()[static_cast<size_t>(entry.group)].group_id
                                                  : "-";
    found.push_back(absl::StrCat(text.substr(match.start, match.end - match.start), "=", target));
  }
  return found;
}

std::string Row(const std::string& surface, const std::string& target, const std::string& kind,
                const std::string& language, const std::string& flags) {
  return absl::StrCat(surface, "\t", target, "\t", kind, "\t", language, "\ttest\t\t\t", flags, "\n");
}

const std::string& Small() {
  static const auto* const kSmall =
      new std::string(Row("Iran", "IR", "NAME", "en", "display,any") + Row("Iraq", "IQ", "NAME", "en", "display,any"));
  return *kSmall;
}

TEST(GazetteerTest, FindsTheTwoKoreasInOtherLanguages) {
  for (const auto& [text, words] : std::vector<std::pair<std::string, std::string>>{
           {"Le dialogue entre les deux Corées reprend.", "deux Corées"},
           {"L'histoire des Corées.", "Corées"},
           {"La cumbre de las dos Coreas", "dos Coreas"},
           {"Las relaciones entre ambas Coreas", "ambas Coreas"},
           {"Gespräche der beiden Koreas", "beiden Koreas"},
           {"Beide Koreas nehmen teil.", "Beide Koreas"},
           {"Обе Кореи договорились.", "Обе Кореи"},
           {"Лидеры обеих Корей встретились.", "обеих Корей"},
           {"قمة بين الكوريتين", "الكوريتين"},
           {"وقالت الكوريتان", "الكوريتان"},
           {"لقاء للكوريتين", "لكوريتين"},
           {"گفتگوی دو کره", "دو کره"},
           {"İki Kore'nin liderleri", "İki Kore"},
           {"Her iki Kore de katıldı.", "iki Kore"},
           {"שתי הקוריאות נפגשו", "שתי הקוריאות"},
           {"היחסים בין הקוריאות", "הקוריאות"},
           {"两韩领导人会晤", "两韩"},
           {"南北韓峰會", "南北韓"},
           {"关于朝韩关系", "朝韩"},
       }) {
    const std::vector<GazetteerMatch> matches = Shipped().Match(text);
    ASSERT_THAT(matches, SizeIs(1)) << text;
    EXPECT_EQ(text.substr(matches[0].start, matches[0].end - matches[0].start), words);
    ASSERT_THAT(matches[0].entries, SizeIs(2)) << text;
    for (const GazetteerEntry& entry : matches[0].entries) {
      EXPECT_TRUE(entry.has(GazetteerEntry::kEach)) << text;
    }
    EXPECT_EQ(Shipped().regions()[static_cast<size_t>(matches[0].entries[0].region)].region_code, "KR");
    EXPECT_EQ(Shipped().regions()[static_cast<size_t>(matches[0].entries[1].region)].region_code, "KP");
  }
  EXPECT_THAT(Found("两韩国人"), ElementsAre("两韩国=KR"));
  EXPECT_THAT(Found("今朝韩国"), ElementsAre("朝韩国=KR"));
  EXPECT_THAT(Found("唐朝韩愈"), ElementsAre("唐朝韩=-"));
}

TEST(GazetteerTest, FindsAbbreviationsOfDivisionsBehindATown) {
  EXPECT_THAT(Found("Newton, Mass., is old"), ElementsAre("Mass=US"));
  EXPECT_THAT(Found("SAN MATEO,\nCalif., March 2"), ElementsAre("Calif=US"));
  EXPECT_THAT(Found("of Secaucus, N.J. He"), ElementsAre("N.J.=US"));
  EXPECT_THAT(Found("Truro, N.S., and Dubbo, N.S.W., grow"), ElementsAre("N.S.=CA", "N.S.W.=AU"));
  EXPECT_THAT(Found("Mass. was said. They sang, Mass and all. In 40, B.C. was new"), IsEmpty());
}

TEST(GazetteerTest, TellsNamesakesFromPlaces) {
  EXPECT_THAT(Found("Kobe Bryant, Halima Aden, Fokker-Planck, Black Friday"),
              ElementsAre("Kobe Bryant=-", "Halima Aden=-", "Fokker-Planck=-", "Black Friday=-"));
  EXPECT_THAT(Found("The GAO wrote of Gao and of Rio Tinto"), ElementsAre("GAO=US", "Gao=ML", "Rio Tinto=GB"));
  EXPECT_THAT(Found("The Lira fell at St. Elizabeth"), ElementsAre("Lira=TR"));  // The currency, not the town.
}

TEST(GazetteerTest, FindsPossessivesHyphensAndCompounds) {
  EXPECT_THAT(Found("Iran's and Iran’s Russo-Iranian, US-China and Saudi-led talks"),
              ElementsAre("Iran=IR", "Iran=IR", "Russo=RU", "Iranian=IR", "US=US", "China=CN", "Saudi=SA"));
}

TEST(GazetteerTest, ReadsLettersOfOtherAlphabetsThatLookLatin) {
  // Cyrillic а, е, І, К and Т, Greek ο.
  EXPECT_THAT(Found("Irаn, Тurkеy, ІRАQ, Кuwait and Mοnacο"),
              ElementsAre("Irаn=IR", "Тurkеy=TR", "ІRАQ=IQ", "Кuwait=KW", "Mοnacο=MC"));
  EXPECT_THAT(Found("Irжn, Россия, Рим"), ElementsAre("Россия=RU"))
      << "letters that look like no others stay what they are";
  EXPECT_THAT(Found("Ｉｒａｎ and ＣＨＩＮＡ；日本"), ElementsAre("Ｉｒａｎ=IR", "ＣＨＩＮＡ=CN", "日本=JP"));
}

TEST(GazetteerTest, MatchesWholeWordsOnly) {
  EXPECT_THAT(Found("Albany, Iranology, Omanson and Chinatown"), ElementsAre("Albany=US"));
}

TEST(GazetteerTest, ServesTheDemonymsThatMeanACountryInLowerCaseToo) {
  EXPECT_THAT(Shipped().FindRegion("IR")->names.front().demonyms, IsSupersetOf({"Iranian", "Iranians"}));
  EXPECT_THAT(Shipped().FindRegion("PL")->names.front().demonyms, Not(Contains("Polish")));
}

TEST(GazetteerTest, ServesDemonymsOfOtherLanguagesUnderTheirs) {
  for (const GazetteerNames& names : Shipped().FindRegion("IR")->names) {
    if (names.language_code == "fr") {
      EXPECT_THAT(names.demonyms, ElementsAre("iranien", "iranienne", "iraniennes", "iraniens"));
    }
    if (names.language_code == "de") {
      EXPECT_THAT(names.demonyms, IsSupersetOf({"Iraner", "iranische"})) << "queries are typed in lower case";
    }
  }
  EXPECT_THAT(Shipped().FindRegion("IR")->names.front().demonyms, Not(Contains("iranien")));
}

TEST(GazetteerTest, FindsDemonymsOfOtherLanguages) {
  EXPECT_THAT(Found("Les négociateurs iraniens et la diplomatie française"),
              ElementsAre("iraniens=IR", "française=FR"));
  EXPECT_THAT(Found("las tropas rusas y el gobierno ucraniano"), ElementsAre("rusas=RU", "ucraniano=UA"));
  EXPECT_THAT(Found("Iraner und Syrer im türkischen Exil, iranischer Nachbar"),
              ElementsAre("Iraner=IR", "Syrer=SY", "türkischen=TR", "iranischer=IR"));
  EXPECT_THAT(Found("российские войска, сирийцы и турецкого президента"),
              ElementsAre("российские=RU", "сирийцы=SY", "турецкого=TR"));
  EXPECT_THAT(Found("İranlı bakan Suriyelilerle görüştü, Mısırlı ve Yunan heyetler"),
              ElementsAre("İranlı=IR", "Suriyelilerle=SY", "Mısırlı=EG", "Yunan=GR"));
  EXPECT_THAT(Found("الرئيس الإيراني ووزير روسي للمصريين والسعوديون"),
              ElementsAre("الإيراني=IR", "روسي=RU", "لمصريين=EG", "السعوديون=SA"));
  EXPECT_THAT(
      Found("وزیر خارجه روسیه با همتای ایرانی و دیپلمات‌های آمریکایی"),
      ElementsAre("روسیه=RU", "ایرانی=IR", "آمریکایی=US"));
  EXPECT_THAT(Found("השר האיראני והנשיא הרוסי, סורים ומצרית"), ElementsAre("איראני=IR", "רוסי=RU", "מצרית=EG"));
  EXPECT_THAT(Found("伊朗人与俄罗斯人"), ElementsAre("伊朗=IR", "俄罗斯=RU"));
}

TEST(GazetteerTest, FindsCapitalsInOtherLanguages) {
  EXPECT_THAT(Found("إيران وروسيا توقعان اتفاقا في طهران"), ElementsAre("إيران=IR", "روسيا=RU", "طهران=IR"));
  EXPECT_THAT(Found("گفتگوها در تهران و مسکو"), ElementsAre("تهران=IR", "مسکو=RU"));
  EXPECT_THAT(Found("à Téhéran et à Moscou; en Teherán, Londres y Moscú; in Kairo und Moskau"),
              ElementsAre("Téhéran=IR", "Moscou=RU", "Teherán=IR", "Londres=GB", "Moscú=RU", "Kairo=EG", "Moskau=RU"));
  EXPECT_THAT(Found("в Тегеране и в Москве"), ElementsAre("Тегеране=IR", "Москве=RU"));
  EXPECT_THAT(Found("Tahran'da ve Moskova'da"), ElementsAre("Tahran=IR", "Moskova=RU"));
  EXPECT_THAT(Found("בטהרן ובמוסקבה"), ElementsAre("טהרן=IR", "מוסקבה=RU"));
  EXPECT_THAT(Found("德黑兰和莫斯科"), ElementsAre("德黑兰=IR", "莫斯科=RU"));
}

TEST(GazetteerTest, LeavesFormsAloneThatAreWordsElsewhere) {
  EXPECT_THAT(Found("Frances Ingles sold chinos on a fin de siècle pole; Deutsche, Islanders, Georgiana"), IsEmpty());
  EXPECT_THAT(Found("este año, la mar; ein Este; вена, чехов; מסרבים; כסף לבית"), IsEmpty());
  EXPECT_THAT(Found("l'océan Indien, المحيط الهندي, بطولة فروسية, Финского залива"),
              ElementsAre("océan Indien=-", "المحيط الهندي=-", "فروسية=-", "Финского залива=-"));
}

TEST(GazetteerTest, PrefersTheLongestForm) {
  EXPECT_THAT(Found("Papua New Guinea, Equatorial Guinea, Guinea-Bissau, Guinea"),
              ElementsAre("Papua New Guinea=PG", "Equatorial Guinea=GQ", "Guinea-Bissau=GW", "Guinea=GN"));
  EXPECT_THAT(Found("the Democratic Republic of the Congo; Nigerien, Nigerian; South Sudan"),
              ElementsAre("Democratic Republic of the Congo=CD", "Nigerien=NE", "Nigerian=NG", "South Sudan=SS"));
}

TEST(GazetteerTest, PassesOverWhatOnlySoundsLikeACountry) {
  EXPECT_THAT(Found("Bank of America"), ElementsAre("Bank of America=-"));
  EXPECT_THAT(Found("the Geneva Conventions"), ElementsAre("Geneva Conventions=-"));
}

TEST(GazetteerTest, LetsCaseDecideWhereLowerCaseMeansSomethingElse) {
  EXPECT_THAT(Found("a turkey, a chad, us, old china, some polish"), IsEmpty());
  EXPECT_THAT(Found("Turkey, Chad, US, China, Polish"),
              ElementsAre("Turkey=TR", "Chad=TD", "US=US", "China=CN", "Polish=PL"));
  EXPECT_THAT(Found("iran and the russians"), ElementsAre("iran=IR", "russians=RU"));
}

TEST(GazetteerTest, TakesDottedAbbreviationsForOneWord) {
  EXPECT_THAT(Found("the U.S. and the U.K.; U.A.E., D.P.R.K., U.S.-led"),
              ElementsAre("U.S.=US", "U.K.=GB", "U.A.E.=AE", "D.P.R.K.=KP", "U.S.=US"));
}

TEST(GazetteerTest, TakesNoPronounForACountryInCapitals) {
  EXPECT_THAT(Found("TELL US ABOUT IRAN, WHO KNOWS"), ElementsAre("IRAN=IR"));
  EXPECT_THAT(Found("THE U.S. AND IRAN HOLD TALKS"), ElementsAre("U.S.=US", "IRAN=IR"));
}

TEST(GazetteerTest, TakesNoSumOfMoneyForACountry) { EXPECT_THAT(Found("a loan of US$ 617 million"), IsEmpty()); }

TEST(GazetteerTest, JoinsNoWordsAcrossSentences) {
  EXPECT_THAT(Found("It was in the South. Sudan followed."), ElementsAre("Sudan=SD"));
  EXPECT_THAT(Found("North\n\nKorea"), ElementsAre("Korea=KR"));
}

TEST(GazetteerTest, ReadsOtherScriptsWithAndWithoutSpaces) {
  EXPECT_THAT(Found("وإيران والعراق"), ElementsAre("إيران=IR", "العراق=IQ"));
  EXPECT_THAT(Found("伊朗和沙特阿拉伯"), ElementsAre("伊朗=IR", "沙特阿拉伯=SA"));
  EXPECT_THAT(Found("Россия и Иран, в Иране"), ElementsAre("Россия=RU", "Иран=IR", "Иране=IR"));
  EXPECT_THAT(Found("イランとアイランド"), ElementsAre("イラン=IR"));
  EXPECT_THAT(Found("이란은"), ElementsAre("이란=IR"));
}

TEST(GazetteerTest, FindsAFormWithAPlusBeforeTheSameWithout) {
  const std::string file = Small() + Row("Pact", "pact", "NAME", "en", "display,any") +
                           Row("Pact+", "pact_plus", "NAME", "en", "display,any");
  ASSERT_OK_AND_ASSIGN(const auto gazetteer, Gazetteer::Parse(file, "g.tsv"));
  const std::string text = "the Pact+'s quota, the Pact, PACT+";
  std::vector<std::string> found;
  for (const GazetteerMatch& match : gazetteer->Match(text)) {
    ASSERT_EQ(match.entries.size(), 1);
    found.push_back(absl::StrCat(text.substr(match.start, match.end - match.start), "=",
                                 gazetteer->groups()[static_cast<size_t>(match.entries.front().group)].group_id));
  }
  EXPECT_THAT(found, ElementsAre("Pact+=pact_plus", "Pact=pact", "PACT+=pact_plus"));
}

// The kind of the first meaning of a form of the shipped gazetteer; empty if it is found nowhere, or not whole.
std::string KindOf(const std::string& form) {
  const auto matches = Shipped().Match(form);
  return matches.size() == 1 && matches.front().end == form.size()
             ? std::string(GazetteerKindName(matches.front().entries.front().kind))
             : "";
}

TEST(GazetteerTest, TellsPersonsFromBodiesAndSeats) {
  for (const std::string form : {"White House", "The White House", "Malacanang Palace", "United States Congress",
                                 "National People's Congress", "US Attorney General"}) {
    EXPECT_EQ(KindOf(form), "METONYM") << form;
  }
  for (const std::string form : {"Peace Corps", "Transportation Security Administration", "National Science Foundation",
                                 "The Obama Administration", "Petrobras", "Al-Quds Brigades"}) {
    EXPECT_EQ(KindOf(form), "ORGANISATION") << form;
  }
  for (const std::string form : {"John Kirby", "Imad Mughniyah", "Sheikh Ahmed Yassin", "Secretary Kerry"}) {
    EXPECT_EQ(KindOf(form), "PERSON") << form;
  }
  for (const std::string form : {"Ursula von der Leyen", "Kofi Annan", "Raila Odinga"}) {
    EXPECT_EQ(KindOf(form), "LEADER") << form;
  }
  EXPECT_EQ(KindOf("Kashagan"), "PLACE");
}

TEST(GazetteerTest, TellsOpecFromOpecPlus) {
  EXPECT_THAT(Found("OPEC+ cuts, OPEC does not; ОПЕК+, أوبك+"),
              ElementsAre("OPEC+=opec_plus", "OPEC=opec", "ОПЕК+=opec_plus", "أوبك+=opec_plus"));
}

TEST(GazetteerTest, FindsGroupsInOtherLanguages) {
  EXPECT_THAT(Found("l'Union européenne et l'OTAN, la Ligue arabe, l'ONU"),
              ElementsAre("Union européenne=eu", "OTAN=nato", "Ligue arabe=arab_league", "ONU=un"));
  EXPECT_THAT(Found("la Unión Europea y la OTAN; der Europäischen Union, Vereinten Nationen, Golfkooperationsrat"),
              ElementsAre("Unión Europea=eu", "OTAN=nato", "Europäischen Union=eu", "Vereinten Nationen=un",
                          "Golfkooperationsrat=gcc"));
  EXPECT_THAT(Found("Евросоюза и НАТО, Африканского союза, ООН"),
              ElementsAre("Евросоюза=eu", "НАТО=nato", "Африканского союза=african_union", "ООН=un"));
  EXPECT_THAT(Found("الاتحاد الأوروبي وحلف الناتو ومجلس التعاون الخليجي"),
              ElementsAre("الاتحاد الأوروبي=eu", "حلف الناتو=nato", "مجلس التعاون الخليجي=gcc"));
  EXPECT_THAT(Found("اتحادیه اروپا و سازمان ملل"), ElementsAre("اتحادیه اروپا=eu", "سازمان ملل=un"));
  EXPECT_THAT(Found("Avrupa Birliği'nin, Birleşmiş Milletler"),
              ElementsAre("Avrupa Birliği=eu", "Birleşmiş Milletler=un"));
  EXPECT_THAT(Found("האיחוד האירופי והאומות המאוחדות"), ElementsAre("האיחוד האירופי=eu", "האומות המאוחדות=un"));
  EXPECT_THAT(Found("欧盟与北约；位于以北约三十公里"), ElementsAre("欧盟=eu", "北约=nato", "以北约=-"));
  EXPECT_EQ(Shipped().DisplayName("un", "fr"), "Nations unies");
  EXPECT_EQ(Shipped().FindByName("OTAN"), "nato");
}

// "1962-2008" for each time that a country was in a shipped group.
std::vector<std::string> TimesIn(const std::string& group, const std::string& region) {
  std::vector<std::string> times;
  for (const GazetteerMember& member : Shipped().FindGroup(group)->members) {
    if (member.region_code == region) {
      times.push_back(absl::StrCat(member.start_year, "-", member.end_year));
    }
  }
  return times;
}

TEST(GazetteerTest, KnowsWhoLeftAGroupAndCameBack) {
  EXPECT_THAT(TimesIn("opec", "ID"), ElementsAre("1962-2008", "2016-2016"));
  EXPECT_THAT(TimesIn("opec", "EC"), ElementsAre("1973-1992", "2007-2019"));
  EXPECT_THAT(TimesIn("opec", "GA"), ElementsAre("1975-1995", "2016-0"));
  EXPECT_THAT(TimesIn("commonwealth", "GM"), ElementsAre("1965-2013", "2018-0"));
  EXPECT_THAT(TimesIn("commonwealth", "ZW"), ElementsAre("1980-2003"));
  EXPECT_THAT(TimesIn("african_union", "MA"), ElementsAre("1963-1984", "2017-0"));
  EXPECT_THAT(Shipped().FindGroup("un")->members, IsEmpty()) << "all are in it: it says nothing of any";
}

TEST(GazetteerTest, TakesANameThatLanguagesShareForOneMeaning) {
  for (const std::string name : {"Iran", "Afghanistan", "Gibraltar"}) {
    const auto matches = Shipped().Match(name);
    ASSERT_EQ(matches.size(), 1) << name;
    EXPECT_EQ(matches.front().entries.size(), 1) << name;
  }
  const auto lower = Shipped().Match("in afghanistan");
  EXPECT_EQ(lower.size(), 1) << "one of them is found in lower case";
}

TEST(GazetteerTest, KnowsThatACountryWasInAGroupTwice) {
  const std::string file = Small() + Row("Pact", "pact", "NAME", "en", "display") +
                           "IR\tpact\tMEMBER\t\ttest\t1962\t2008\t\nIR\tpact\tMEMBER\t\ttest\t2016\t2016\t\n";
  ASSERT_OK_AND_ASSIGN(const auto gazetteer, Gazetteer::Parse(file, "g.tsv"));
  const std::vector<GazetteerMember>& members = gazetteer->FindGroup("pact")->members;
  ASSERT_EQ(members.size(), 2);
  EXPECT_EQ(members[0].end_year, 2008);
  EXPECT_EQ(members[1].start_year, 2016);
  EXPECT_EQ(gazetteer->FindRegion("IR")->groups.size(), 1);
}

TEST(GazetteerTest, IgnoresDirectionMarksAndMarkup) {
  EXPECT_THAT(Found("\u200FIran\u200E <b>Iraq</b> &amp; <a href=x>Qatar</a>"),
              ElementsAre("Iran=IR", "Iraq=IQ", "Qatar=QA"));
  EXPECT_THAT(Found("Côte d’Ivoire, Cote d'Ivoire, ÉLYSÉE"),
              ElementsAre("Côte d’Ivoire=CI", "Cote d'Ivoire=CI", "ÉLYSÉE=FR"));
}

TEST(GazetteerTest, SpansStandOnCodePointBoundaries) {
  const std::string text = "«Ирана» — إيران؛ “Iran”…伊朗。🇮🇷 Türkiye’de";
  for (const GazetteerMatch& match : Shipped().Match(text)) {
    EXPECT_EQ(common::CodePointFloor(text, match.start), match.start);
    EXPECT_EQ(common::CodePointFloor(text, match.end), match.end);
    EXPECT_LT(match.start, match.end);
  }
  EXPECT_EQ(Shipped().Match(text).size(), 5);
}

TEST(GazetteerTest, SurvivesHostileText) {
  EXPECT_THAT(Found(""), IsEmpty());
  EXPECT_THAT(Found("\xFF\xFE Iran \xC3"), ElementsAre("Iran=IR"));
  EXPECT_THAT(Found(std::string(10'000'000, 'a')), IsEmpty());
  std::string countries;
  for (int i = 0; i < 200'000; ++i) {
    countries += "United Arab ";
  }
  EXPECT_EQ(Shipped().Match(countries).size(), 200'000);  // "Arab", each time.
  std::string saints;
  for (int i = 0; i < 200'000; ++i) {
    saints += "Saint Vincent and the ";  // The longest form all but its last word, again and again.
  }
  EXPECT_LE(Shipped().Match(saints).size(), 200'000);
}

TEST(GazetteerTest, KnowsAGivenNameBeforeAPlace) {
  const auto matches = Shipped().Match("Irving Berlin lived in Berlin");
  ASSERT_EQ(matches.size(), 2);
  const auto jordan = Shipped().Match("Robert Jordan");
  ASSERT_EQ(jordan.size(), 1);
  EXPECT_TRUE(jordan[0].given_name_before);
  EXPECT_FALSE(matches[1].given_name_before);
}

TEST(GazetteerTest, ReadsThroughSignsThatNobodySees) {
  EXPECT_THAT(Found("in I\u00ADran and Sau\u200Bdi Ara\u200Dbia"),
              ElementsAre("I\u00ADran=IR", "Sau\u200Bdi Ara\u200Dbia=SA"));
}

TEST(GazetteerTest, RegionsKnowTheirGroups) {
  const auto& groups = Shipped().groups();
  for (size_t region = 0; region < Shipped().regions().size(); ++region) {
    std::vector<int16_t> expected;
    for (size_t group = 0; group < groups.size(); ++group) {
      if (std::any_of(groups[group].members.begin(), groups[group].members.end(),
                      [&](const GazetteerMember& member) { return static_cast<size_t>(member.region) == region; })) {
        expected.push_back(static_cast<int16_t>(group));
      }
    }
    EXPECT_EQ(Shipped().regions()[region].groups, expected) << Shipped().regions()[region].region_code;
  }
}

TEST(GazetteerTest, ListsRegionsAndGroupsWithNamesAndMembers) {
  EXPECT_GE(Shipped().regions().size(), 249);
  EXPECT_EQ(Shipped().DisplayName("IR", ""), "Iran");
  EXPECT_EQ(Shipped().DisplayName("DE", "fr-CA"), "Allemagne");
  EXPECT_EQ(Shipped().DisplayName("gcc", "en"), "Gulf Cooperation Council");
  EXPECT_EQ(Shipped().DisplayName("nowhere", "en"), "nowhere");
  const GazetteerGroup* eu = Shipped().FindGroup("eu");
  ASSERT_NE(eu, nullptr);
  for (const GazetteerMember& member : eu->members) {
    if (member.region_code == "GB") {
      EXPECT_EQ(member.start_year, 1973);
      EXPECT_EQ(member.end_year, 2020);
    }
  }
  EXPECT_EQ(Shipped().version().size(), 16);
}

TEST(GazetteerTest, FindsByExactNameAndNeverGuesses) {
  EXPECT_EQ(Shipped().FindByName(" uae "), "AE");
  EXPECT_EQ(Shipped().FindByName("Gulf States"), "gulf_states");
  EXPECT_EQ(Shipped().FindByName("TÜRKIYE"), "TR");
  EXPECT_EQ(Shipped().FindByName("IR"), "IR");
  EXPECT_EQ(Shipped().FindByName("Iranians"), "");
  EXPECT_EQ(Shipped().FindByName("السعودية"), "SA");
  EXPECT_EQ(Shipped().FindByName("فلسطين"), "PS");
}

TEST(GazetteerTest, NamesFileLineAndRemedyOfAMalformedRow) {
  EXPECT_THAT(Gazetteer::Parse(Small() + "Iran\tIR\n", "g.tsv"),
              StatusIs(absl::StatusCode::kInvalidArgument, AllOf(HasSubstr("g.tsv:3"), HasSubstr("divided by tabs"))));
  EXPECT_THAT(Gazetteer::Parse(Small() + Row("Oz", "oz!", "NAME", "en", ""), "g.tsv"),
              StatusIs(absl::StatusCode::kInvalidArgument, AllOf(HasSubstr("g.tsv:3"), HasSubstr("region code"))));
  EXPECT_THAT(Gazetteer::Parse(Small() + Row("Oz", "IR", "TOWN", "en", ""), "g.tsv"),
              StatusIs(absl::StatusCode::kInvalidArgument, AllOf(HasSubstr("g.tsv:3"), HasSubstr("use NAME"))));
  EXPECT_THAT(Gazetteer::Parse(Small() + Row("Oz", "IR", "NAME", "en", "loud"), "g.tsv"),
              StatusIs(absl::StatusCode::kInvalidArgument, AllOf(HasSubstr("g.tsv:3"), HasSubstr("unknown flag"))));
  EXPECT_THAT(Gazetteer::Parse(Small() + "Oz\tIR\tNAME\ten\ttest\tsoon\t\t\n", "g.tsv"),
              StatusIs(absl::StatusCode::kInvalidArgument, AllOf(HasSubstr("g.tsv:3"), HasSubstr("four digits"))));
  EXPECT_THAT(Gazetteer::Parse(Small() + Row("...", "IR", "NAME", "en", ""), "g.tsv"),
              StatusIs(absl::StatusCode::kInvalidArgument, AllOf(HasSubstr("g.tsv:3"), HasSubstr("0 words"))));
  EXPECT_THAT(Gazetteer::Parse(Small() + Row("Oz", "OZ", "NAME", "en", ""), "g.tsv"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("OZ has no English display name")));
  EXPECT_THAT(Gazetteer::Parse(Small() + Row("IR", "oz", "MEMBER", "", ""), "g.tsv"),
              StatusIs(absl::StatusCode::kInvalidArgument, AllOf(HasSubstr("g.tsv:3"), HasSubstr("names it"))));
  EXPECT_THAT(Gazetteer::Parse(Small() + Row("Persia", "IR", "NAME", "en", "display"), "g.tsv"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("second display name")));
  EXPECT_THAT(Gazetteer::Parse("# nothing\n", "g.tsv"), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(GazetteerTest, SaysWhichFileIsMissing) {
  const TempDir dir;
  EXPECT_THAT(Gazetteer::Load(dir.File("none.tsv")), StatusIs(absl::StatusCode::kNotFound, HasSubstr("none.tsv")));
}

TEST(GazetteerTest, VersionFollowsTheBytes) {
  const auto one = Gazetteer::Parse(Small(), "one");
  const auto again = Gazetteer::Parse(Small(), "again");
  const auto other = Gazetteer::Parse(Small() + "\n", "other");
  ASSERT_TRUE(one.ok() && again.ok() && other.ok());
  EXPECT_EQ((*one)->version(), (*again)->version());
  EXPECT_NE((*one)->version(), (*other)->version());
}

}  // namespace
}  // namespace dateline::classifier
