#include "classifier_service/mention_context.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace dateline::classifier {
namespace {

// The context of what stands in brackets.
struct Marked {
  explicit Marked(absl::string_view marked) {
    const size_t open = marked.find('[');
    const size_t close = marked.find(']');
    text = absl::StrCat(marked.substr(0, open), marked.substr(open + 1, close - open - 1), marked.substr(close + 1));
    context = ContextOf(text, open, close - 1);
  }
  std::string text;
  MentionContext context;
};

SetAside Doubt(GazetteerKind kind, absl::string_view marked, bool capitals_are_names = true) {
  GazetteerEntry entry;
  entry.region = 0;
  entry.kind = kind;
  const Marked place(marked);
  return DoubtOf(entry, place.context, capitals_are_names);
}

constexpr SetAside kNone = SetAside::kNone;
constexpr SetAside kPeripheral = SetAside::kPeripheral;
constexpr auto kName = GazetteerKind::kName;
constexpr auto kDemonym = GazetteerKind::kDemonym;
constexpr auto kCity = GazetteerKind::kCity;

TEST(MentionContextTest, WhereSomebodyComesFromSaysNothingOfTheCountry) {
  EXPECT_EQ(Doubt(kCity, "The [Bombay]-born novelist spoke"), kPeripheral);
  EXPECT_EQ(Doubt(kDemonym, "a [South African]-born billionaire"), kPeripheral);
  EXPECT_EQ(Doubt(kName, "The chef, born in [Ethiopia] and raised"), kPeripheral);
  EXPECT_EQ(Doubt(kCity, "said the [London]-based fund"), kPeripheral);
  EXPECT_EQ(Doubt(kName, "Born in [Cuba], she"), kPeripheral);
  EXPECT_EQ(Doubt(kName, "stubborn in [Cuba]"), kNone);
  EXPECT_EQ(Doubt(kDemonym, "[Saudi]-led forces"), kNone);
}

TEST(MentionContextTest, WhatSomebodyIsSaysNothingOfTheCountryUnlessItIsPolitics) {
  EXPECT_EQ(Doubt(kDemonym, "Anna Keller, a [Swiss] dermatologist"), kPeripheral);
  EXPECT_EQ(Doubt(kDemonym, "the [Italian] film director's last work"), kPeripheral);
  EXPECT_EQ(Doubt(kDemonym, "the 41-year-old [Fijian] held off"), kPeripheral);
  EXPECT_EQ(Doubt(kDemonym, "The [Swiss] won it in five sets"), kPeripheral);
  EXPECT_EQ(Doubt(kDemonym, "against the [Spaniard]."), kPeripheral);
  EXPECT_EQ(Doubt(kDemonym, "the first ethnic [Indian] to lead"), kPeripheral);
  EXPECT_EQ(Doubt(kDemonym, "The [Mexican], known as Chicharito"), kPeripheral);
  EXPECT_EQ(Doubt(kDemonym, "Frida Kahlo was a [Mexican] painter"), kNone);
  EXPECT_EQ(Doubt(kDemonym, "The [Swiss] government won"), kNone);
  EXPECT_EQ(Doubt(kDemonym, "the [Iranians], for their part,"), kNone);
  EXPECT_EQ(Doubt(kDemonym, "the [French] lost"), kNone);
  EXPECT_EQ(Doubt(kDemonym, "the [Iranian] minister"), kNone);
  EXPECT_EQ(Doubt(kDemonym, "[German] voters"), kNone);
  EXPECT_EQ(Doubt(kDemonym, "[Iranian] state television director"), kNone);
}

TEST(MentionContextTest, ComparisonsAndFiguresOfSpeechAreNotAboutTheCountry) {
  EXPECT_EQ(Doubt(kName, "the [Switzerland] of Central America"), kPeripheral);
  EXPECT_EQ(Doubt(kCity, "the [Chernobyl] of finance"), kPeripheral);
  EXPECT_EQ(Doubt(kCity, "the [Chernobyl] plant"), kNone);
  EXPECT_EQ(Doubt(kName, "It is another [Vietnam], they say"), kPeripheral);
  EXPECT_EQ(Doubt(kName, "Are the states the next [Greece]?"), kPeripheral);
  EXPECT_EQ(Doubt(kName, "its [Iran] policy"), kNone);
  EXPECT_EQ(Doubt(kCity, "But Sacramento, unlike [Athens], has"), kPeripheral);
  EXPECT_EQ(Doubt(kName, "an area the size of [Belgium]."), kPeripheral);
  EXPECT_EQ(Doubt(kName, "aboard the [Norway] as the liner"), kPeripheral);
  EXPECT_EQ(Doubt(kName, "the [Iran] deal"), kNone);
  EXPECT_EQ(Doubt(kName, "in the [Ukraine]."), kNone);
  EXPECT_EQ(Doubt(kName, "unlikely [Iran]"), kNone);
}

TEST(MentionContextTest, WhereOthersMetIsNoSubject) {
  EXPECT_EQ(Doubt(kCity, "told reporters in [Geneva] that"), kPeripheral);
  EXPECT_EQ(Doubt(kName, "at the G-20 summit in [Turkey], where"), kPeripheral);
  EXPECT_EQ(Doubt(kCity, "Speaking in [Istanbul] on Sunday"), kPeripheral);
  EXPECT_EQ(Doubt(kCity, "reported at a congress in [Vienna]."), kPeripheral);
  EXPECT_EQ(Doubt(kCity, "a psychologist at [Manchester], pictured"), kPeripheral);
  EXPECT_EQ(Doubt(kCity, "Economists in [Chicago] applauded"), kPeripheral);
  EXPECT_EQ(Doubt(kCity, "teaches at the University of [Lagos]."), kPeripheral);
  EXPECT_EQ(Doubt(GazetteerKind::kSubdivision, "the University of [New Hampshire]."), kNone);
  EXPECT_EQ(Doubt(kName, "voters in [Turkey]"), kNone);
  EXPECT_EQ(Doubt(kName, "Nurses in [Zimbabwe] went on strike"), kNone);
  EXPECT_EQ(Doubt(kName, "The killing of journalists in [Mexico]"), kNone);
  EXPECT_EQ(Doubt(kName, "A peace deal was signed in [Sudan]"), kNone);
}

TEST(MentionContextTest, SomebodyMayBeCalledLikeACountry) {
  EXPECT_EQ(Doubt(kName, "[Jordan] scored 40 points"), SetAside::kPersonName);
  EXPECT_EQ(Doubt(kName, "[Chad], a software engineer, left"), SetAside::kPersonName);
  EXPECT_EQ(Doubt(kName, "[Georgia], 34, said"), SetAside::kPersonName);
  EXPECT_EQ(Doubt(kName, "[Brazil] scored in the last minute"), kNone);
  EXPECT_EQ(Doubt(kName, "[Chad], a landlocked country"), kNone);
  EXPECT_EQ(Doubt(kName, "[Jordan], 2,000 of whose"), kNone);
}

// Each of these was set aside once, and its country with it.
TEST(MentionContextTest, WhatIsSaidOfTheCountryItselfIsInNoDoubt) {
  for (const absl::string_view marked :
       {"[Chile], the largest producer of copper, will", "[Chad], a key player in the Sahel,",
        "[Israel] shrugged off the", "[Jordan] scored a victory", "Coalition talks in [Belgium] enter",
        "Peace talks in [Sudan] collapsed", "attacked a security meeting in [Burkina Faso] on",
        "more debt than [Japan].", "a place like [Eritrea].", "never seen anything like [North Korea].",
        "Rebels based in [Yemen] have", "have emigrated from [Venezuela] since",
        "Half of those killed were born in [Gaza] after", "Academics in [Turkey] are on trial",
        "[Uganda] Law Society called", "The [Somalia]-based militants",
        "Girls may not be educated in [Afghanistan] beyond"}) {
    EXPECT_EQ(Doubt(kName, marked), kNone) << marked;
  }
  for (const absl::string_view marked :
       {"[Slovak] voters go", "The [Argentine] economy shrank", "[Serb] protesters filled",
        "[Iranian] rapper Toomaj Salehi was sentenced to death", "A [Russian] physicist was jailed for treason",
        "The 92-year-old [Cameroonian] president will", "Ethnic [Tajik] leaders were", "The [Saudi] investor base"}) {
    EXPECT_EQ(Doubt(kDemonym, marked), kNone) << marked;
  }
  EXPECT_EQ(Doubt(kCity, "The party congress in [Beijing] gave"), kNone);
  EXPECT_FALSE(IsWork(", the novel tourist trap, wants"));
  EXPECT_TRUE(IsWork(", the novel by John Updike"));
}

TEST(MentionContextTest, ANameWithinAnotherNameIsNotTheCountrys) {
  EXPECT_EQ(Doubt(kName, "put [Denmark] Vesey on a pedestal"), SetAside::kPersonName);
  EXPECT_EQ(Doubt(kName, "Put [Denmark] Vesey on a Pedestal", /*capitals_are_names=*/false), kNone);
  EXPECT_EQ(Doubt(kName, "the [Bangladesh] Nationalist Party"), kNone);
  EXPECT_EQ(Doubt(kCity, "at [Kabul] Airport"), kNone);
  EXPECT_EQ(Doubt(kCity, "an attack in [Kabul] Tuesday killed"), kNone);
  EXPECT_EQ(Doubt(kName, "[Kenya] Airways will cut 600 jobs"), kNone);
  EXPECT_EQ(Doubt(kName, "the [US] Census Bureau"), kNone);
  EXPECT_EQ(Doubt(kName, "in [Iran]. Then"), kNone);
}

TEST(MentionContextTest, WhatIsWeakNeedsSupport) {
  GazetteerEntry island;
  island.kind = GazetteerKind::kSubdivision;
  const Marked place("written in [Java] by five");
  EXPECT_EQ(DoubtOf(island, place.context, true), kNone);
  island.flags = GazetteerEntry::kWeak;
  EXPECT_EQ(DoubtOf(island, place.context, true), kPeripheral);
  island.kind = kCity;
  EXPECT_EQ(DoubtOf(island, place.context, true), kNone);
}

TEST(MentionContextTest, OtherKindsAreNeverInDoubt) {
  EXPECT_EQ(Doubt(GazetteerKind::kLeader, "unlike [Rouhani],"), kNone);
  EXPECT_EQ(Doubt(GazetteerKind::kOrganisation, "another [Hamas]."), kNone);
}

TEST(MentionContextTest, WhatSomethingCostsIsNamedByTheCurrency) {
  EXPECT_TRUE(IsCurrency(Marked("a rise of four [US] cents").context));
  EXPECT_TRUE(IsCurrency(Marked("a million [Swiss] francs.").context));
  EXPECT_FALSE(IsCurrency(Marked("the [US] central bank").context));
  EXPECT_FALSE(IsCurrency(Marked("the [Swiss] won").context));
}

TEST(MentionContextTest, ATownWhoseNameGoesOnIsAnother) {
  EXPECT_TRUE(NameGoesOn(Marked("in [San Antonio] de los Baños").context));
  EXPECT_TRUE(NameGoesOn(Marked("in [Santiago] del Estero").context));
  EXPECT_FALSE(NameGoesOn(Marked("en [Madrid] de nuevo").context));
  EXPECT_FALSE(NameGoesOn(Marked("in [San Antonio] on Monday").context));
}

TEST(MentionContextTest, ContextsEndWhereTheTextDoes) {
  const Marked all("[Iran]");
  EXPECT_EQ(all.context.before, "");
  EXPECT_EQ(all.context.words, "Iran");
  EXPECT_EQ(all.context.after, "");
  EXPECT_EQ(Doubt(kName, "[Iran]"), kNone);
  EXPECT_EQ(Doubt(kDemonym, "the [Iranian]"), kNone);
}

}  // namespace
}  // namespace dateline::classifier
