#include "extraction/text_shape.h"

#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace dateline::extraction {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(ClassifyLineTest, KnowsTheFurnitureOfPages) {
  const std::vector<std::pair<const char*, LineKind>> lines = {
      {"Related Articles", LineKind::kRelatedHeading},
      {"Das könnte Sie auch interessieren:", LineKind::kRelatedHeading},
      {"3 Comments", LineKind::kCommentHeading},
      {"About the author", LineKind::kAboutAuthor},
      {"Read also: The Last Lighthouse", LineKind::kReadMore},
      {"Subscribe to Receive Latest Updates from GIF.", LineKind::kNewsletter},
      {"The views expressed in this piece are those of the author and do not necessarily reflect ours.",
       LineKind::kDisclaimer},
      {"The opinions expressed here are the author’s alone and do not represent a position of the Quay Institute, its "
       "staff or its board.",
       LineKind::kDisclaimer},
      {"Opinions expressed in this commentary do not represent those of the Quay Institute.", LineKind::kDisclaimer},
      {"Share on Facebook", LineKind::kShare},
      {"We use cookies to improve our service.", LineKind::kConsent},
      {"© 2023 The Strait Review", LineKind::kCopyright},
      {"- Advertisement -", LineKind::kAdvertisement},
      {"Photo: Jane Roe / Agency", LineKind::kCredit},
      {"By Jane Roe", LineKind::kByline},
      {"4. März 2025, 18:30 Uhr Lesezeit: 3 min", LineKind::kDate},
      {"Veröffentlicht am 04.03.2025 | Lesedauer: 4 Minuten", LineKind::kDate},
      {"18 de febrero de 2025 a las 06:30", LineKind::kDate},
      {"Jane Roe6 min read·Feb 18, 2025", LineKind::kDate},
      {"Temps de lecture : 4 min", LineKind::kReadingTime},
      {"By Jane Roe April 22, 2024", LineKind::kByline},
      {"Issue: Trade Country: Nigeria, Niger", LineKind::kLabel},
      {"Published on September 19, 2023", LineKind::kDate},
      {"Tuesday, 19 September 2023, 10:30", LineKind::kDate},
      {"Issue: Geopolitics", LineKind::kLabel},
      {"5 min read", LineKind::kReadingTime},
      {"The post Water Law Fails appeared first on The Northern Post.", LineKind::kFeedNote},
      {"L’article « Eau » est apparu en premier sur Le Nord.", LineKind::kFeedNote},
      {"アクセスランキング", LineKind::kRelatedHeading},
      {"Skip to content", LineKind::kNavigation}};
  for (const auto& [line, kind] : lines) {
    EXPECT_EQ(ClassifyLine(line), kind) << line << " is " << LineKindName(ClassifyLine(line));
  }
}

TEST(ClassifyLineTest, LeavesTextAlone) {
  for (const char* line :
       {"Related to this is the question of who pays for the quay, which nobody has answered yet.",
        "By the time the vote was called, most of the members had gone home.",
        "The views of the opposition were heard in silence.",
        "The views that the two ministers expressed were theirs alone, and the cabinet did not meet again.",
        "By April 22, 2024, the lorries stood nose to tail.",
        "By Jane Roe 22 April 2024 the lorries that stood at the border reached the coast at last",
        "On September 19, 2023, the assembly met for the last time.",
        "The issue: nobody has counted the wells, and nobody will.", "Home is where the ferry stops.",
        "The post he had held for years appeared first on a list of those to be abolished.",
        "The post appeared first on Monday.", "The post Water Law Fails appeared first on Monday. Nobody read it.",
        "Der Beitrag zur Rente erschien zuerst auf dem Lohnzettel.", "Iran’s Balancing Act on the Ukraine War",
        "Comments by the minister did not help."}) {
    EXPECT_EQ(ClassifyLine(line), LineKind::kNone) << line << " is " << LineKindName(ClassifyLine(line));
  }
}

TEST(ParseLabelLineTest, SplitsLists) {
  EXPECT_THAT(ParseLabelLine("Countries: Iran, Iraq"),
              ElementsAre(SourceLabel{"country", "Iran"}, SourceLabel{"country", "Iraq"}));
  EXPECT_THAT(ParseLabelLine("Filed under: Trade; Ports, Quays"),
              ElementsAre(SourceLabel{"category", "Trade"}, SourceLabel{"category", "Ports, Quays"}));
  EXPECT_THAT(ParseLabelLine("ISSUE: Geopolitics"), ElementsAre(SourceLabel{"issue", "Geopolitics"}));
  EXPECT_THAT(
      ParseLabelLine("Issue: Trade Country: Nigeria, Niger"),
      ElementsAre(SourceLabel{"issue", "Trade"}, SourceLabel{"country", "Nigeria"}, SourceLabel{"country", "Niger"}));
  EXPECT_THAT(ParseLabelLine("Topics: Oil | Filed under: Markets"),
              ElementsAre(SourceLabel{"topic", "Oil"}, SourceLabel{"category", "Markets"}));
  EXPECT_THAT(ParseLabelLine("Topics: Oil, the country: a history"),
              ElementsAre(SourceLabel{"topic", "Oil"}, SourceLabel{"topic", "the country: a history"}));
  EXPECT_THAT(ParseLabelLine("Minister: we have no money"), IsEmpty());
  EXPECT_THAT(ParseLabelLine("Topic: this is a whole sentence about a matter that goes on and on"), IsEmpty());
  EXPECT_THAT(ParseLabelLine("Issue:"), IsEmpty());
}

TEST(WithoutFeedNoteTest, TakesTheNoteOffTheEndOnly) {
  EXPECT_EQ(WithoutFeedNote("A beginning […] The post The Lease appeared first on Strait."), "A beginning […]");
  EXPECT_EQ(WithoutFeedNote("Ein Anfang […]\nDer Beitrag Hafen erschien zuerst auf Blatt."), "Ein Anfang […]");
  EXPECT_EQ(WithoutFeedNote("The post The Lease appeared first on Strait. And then"),
            "The post The Lease appeared first on Strait. And then");
  EXPECT_EQ(WithoutFeedNote("A beginning […] The post The Lease appeared first on strait.example."), "A beginning […]");
  EXPECT_EQ(WithoutFeedNote("The post fell"), "The post fell");
  EXPECT_EQ(WithoutFeedNote(""), "");
}

TEST(ParseCatalogNamesTest, TurnsNamesThatCataloguesInvert) {
  EXPECT_THAT(ParseCatalogNames("Roe, Jane"), ElementsAre("Jane Roe"));
  EXPECT_THAT(ParseCatalogNames("Roe, Jane; Doe, John M."), ElementsAre("Jane Roe", "John M. Doe"));
  EXPECT_THAT(ParseCatalogNames("van der Berg, Pieter"), ElementsAre("Pieter van der Berg"));
  EXPECT_THAT(ParseCatalogNames("Jane Roe, John Doe"), ElementsAre("Jane Roe", "John Doe"));
  EXPECT_THAT(ParseCatalogNames("Jane Roe, PhD"), ElementsAre("Jane Roe"));
  EXPECT_THAT(ParseCatalogNames("Jane Roe"), ElementsAre("Jane Roe"));
}

TEST(ParseBylineTest, TakesNamesOnly) {
  EXPECT_THAT(ParseByline("By Jane Roe"), ElementsAre("Jane Roe"));
  EXPECT_THAT(ParseByline("BY JANE ROE AND JOHN DOE"), ElementsAre("Jane Roe", "John Doe"));
  EXPECT_THAT(ParseByline("By Dr. Jane Roe, Senior Fellow at the Institute"), ElementsAre("Jane Roe"));
  EXPECT_THAT(ParseByline("Von Ursula von der Leyen"), ElementsAre("Ursula von der Leyen"));
  EXPECT_THAT(ParseByline("By Hossein Amir-Abdollahian | 19 September 2023"), ElementsAre("Hossein Amir-Abdollahian"));
  EXPECT_THAT(ParseByline("By Jane Roe April 22, 2024"), ElementsAre("Jane Roe"));
  EXPECT_THAT(ParseByline("by Jane Roe and John Doe (Published on Monday, 22 April 2024, 10:30)"),
              ElementsAre("Jane Roe", "John Doe"));
  EXPECT_THAT(ParseByline("Par Jeanne Roe le 7 mai 2020"), ElementsAre("Jeanne Roe"));
  EXPECT_THAT(ParseByline("By Wei Sun • April 22, 2024"), ElementsAre("Wei Sun"));
  EXPECT_THAT(ParseByline("By the end of the year"), IsEmpty());
  EXPECT_THAT(ParseByline("By Tuesday morning"), IsEmpty());
  EXPECT_THAT(ParseByline("Jane Roe"), IsEmpty());
}

TEST(ParseBylineTest, PlacesRolesAndHousesEndNoListOfNames) {
  EXPECT_THAT(ParseByline("By JANE ROE and John Doe in Nairobi, and Li Wei in Beijing"),
              ElementsAre("Jane Roe", "John Doe", "Li Wei"));
  EXPECT_THAT(ParseByline("by Jane Roe in Nairobi and John Doe in London"), ElementsAre("Jane Roe", "John Doe"));
  EXPECT_THAT(ParseByline("By Jane Roe in Nairobi, Kenya, and John Doe"), ElementsAre("Jane Roe", "John Doe"));
  EXPECT_THAT(ParseByline("By Jane Roe, John Doe and Li Wei in Beijing"),
              ElementsAre("Jane Roe", "John Doe", "Li Wei"));
  EXPECT_THAT(ParseByline("Written by: Jane Roe, Senior Fellow, Africa Programme; John Doe, Research Assistant"),
              ElementsAre("Jane Roe", "John Doe"));
  EXPECT_THAT(ParseByline("Por Ana Souza, da Redação"), ElementsAre("Ana Souza"));
  EXPECT_THAT(ParseByline("By Jane Roe in the north"), IsEmpty());
}

TEST(ParseBylineTest, KnowsWhatPiecesAreCalled) {
  for (const char* line : {"Opinion by Jane Roe", "Analysis by Jane Roe, News", "Interview by Jane Roe",
                           "Guest post by Jane Roe", "Ein Kommentar von Jane Roe", "Eine Analyse von Jane Roe",
                           "Propos recueillis par Jane Roe", "Author(s): Jane Roe | Published: 18 Feb 2025"}) {
    EXPECT_THAT(ParseByline(line), ElementsAre("Jane Roe")) << line;
  }
  EXPECT_THAT(ParseByline("מאת: דנה כהן"), ElementsAre("דנה כהן"));
  EXPECT_THAT(ParseByline("홍길동 기자 | 입력 2025.03.04 20:15 | 수정 2025.03.05 09:00"), ElementsAre("홍길동"));
  EXPECT_THAT(ParseByline("29. Juni 2017, 23:39 · von Tobi"), ElementsAre("Tobi"));
}

TEST(ParseBylineTest, ReadsOtherLanguages) {
  EXPECT_THAT(ParseByline("Автор: Иван Петров"), ElementsAre("Иван Петров"));
  EXPECT_THAT(ParseByline("АВТОР Иван Петров"), ElementsAre("Иван Петров"));
  EXPECT_THAT(ParseByline("Авторы: Иван Петров и Анна Иванова"), ElementsAre("Иван Петров", "Анна Иванова"));
  EXPECT_THAT(ParseByline("بقلم: د. أحمد الجبوري"), ElementsAre("أحمد الجبوري"));
  EXPECT_THAT(ParseByline("بقلم/ أحمد الجبوري"), ElementsAre("أحمد الجبوري"));
  EXPECT_THAT(ParseByline("بقلم أحمد الجبوري، سارة علي"), ElementsAre("أحمد الجبوري", "سارة علي"));
  EXPECT_THAT(ParseByline("作者:王小明"), ElementsAre("王小明"));
  EXPECT_THAT(ParseByline("作者：王小明、李华"), ElementsAre("王小明", "李华"));
  EXPECT_THAT(ParseByline("作者 王小明"), ElementsAre("王小明"));
  EXPECT_THAT(ParseByline("記者 山田太郎"), ElementsAre("山田太郎"));
  EXPECT_THAT(ParseByline("文・山田太郎　写真・佐藤花子"), IsEmpty());
  EXPECT_THAT(ParseByline("文・山田太郎、写真・佐藤花子"), ElementsAre("山田太郎"));
  EXPECT_THAT(ParseByline("文＝ジョン・スミス"), ElementsAre("ジョン・スミス"));
  EXPECT_THAT(ParseByline("Von: Jörg Müller"), ElementsAre("Jörg Müller"));
  EXPECT_THAT(ParseByline("Par : Jean Dupont"), ElementsAre("Jean Dupont"));
  EXPECT_THAT(ParseByline("Por María Pérez"), ElementsAre("María Pérez"));
  EXPECT_THAT(ParseByline("di: Mario Rossi"), ElementsAre("Mario Rossi"));
  EXPECT_THAT(ParseByline("20 мая 2025, 09:30 Автор: Иван Петров"), ElementsAre("Иван Петров"));
  EXPECT_THAT(ParseByline("2025年05月20日 09:30作者:王小明"), ElementsAre("王小明"));
  EXPECT_THAT(ParseByline("May 20, 2025 | By Jane Roe"), ElementsAre("Jane Roe"));
  EXPECT_THAT(ParseByline("2026年04月01日 10:20 来源：海港报 作者：王小明"), ElementsAre("王小明"));
  EXPECT_THAT(ParseByline("作者：王小明、李华 | 来源： 海港报 | 时间：2026-04-01"), ElementsAre("王小明", "李华"));
}

TEST(FieldLineTest, HoldsFieldsAndNothingElse) {
  for (const char* line :
       {"来源：海港报", "（责任编辑：李四）", "2026-04-01 10:20 来源：海港报", "来源: 海港报 编辑: 李四"}) {
    EXPECT_TRUE(IsFieldLine(line)) << line;
    EXPECT_EQ(ClassifyLine(line), LineKind::kByline) << line;
  }
  for (const char* line :
       {"", "：", "来源", "来源：海港报 港口的工期已经推迟了三年", "他说：来源：海港报", "2026-04-01 10:20"}) {
    EXPECT_FALSE(IsFieldLine(line)) << line;
  }
}

TEST(ParseBylineTest, GivesNoNameRatherThanAWrongOne) {
  for (const char* line :
       {"بقلم أحمد الجبوري وسارة علي",  // "and" is no word of its own.
        "بقلم رصاص كتب الوزير رسالته.", "作者：王小明 李华", "作者：新华社", "作者：佚名", "記者会見",
        "記者 会見で発表した", "文化：山田太郎", "文字", "Автор книги: о чём она", "Автор: редакция",
        "Par exemple, le maire", "On May 20, 2025, by Jane Roe, the law was read.",
        "20. Mai 2025 von Hafenwart Ein Kommentar", "Text messages Jane Roe", "글로벌 뉴스"}) {
    EXPECT_THAT(ParseByline(line), IsEmpty()) << line;
  }
}

TEST(CleanAuthorNameTest, DropsWhatIsNoName) {
  EXPECT_EQ(CleanAuthorName("Автор: Иван Петров"), "Иван Петров");
  EXPECT_EQ(CleanAuthorName("作者：王小明"), "王小明");
  EXPECT_EQ(CleanAuthorName("Редакция"), "");

  EXPECT_EQ(CleanAuthorName("By Prof. Jane Roe, PhD"), "Jane Roe");
  EXPECT_EQ(CleanAuthorName("https://example.org/jane"), "");
  EXPECT_EQ(CleanAuthorName("jane@example.org"), "");
  EXPECT_EQ(CleanAuthorName("admin"), "");
  EXPECT_EQ(CleanAuthorName("example.org"), "");
  EXPECT_EQ(CleanAuthorName("J.R.R. Roe"), "J.R.R. Roe");
}

TEST(ParseBiographyTest, FindsWhomItIntroduces) {
  EXPECT_THAT(ParseBiography("Dr. Samuel Ramani is an Associate Fellow at the Royal United Services Institute."),
              ElementsAre("Samuel Ramani"));
  EXPECT_THAT(ParseBiography("Jane Roe is a former diplomat and a senior fellow at the Institute."),
              ElementsAre("Jane Roe"));
  EXPECT_THAT(ParseBiography("Jane Roe, a freelance journalist, lives in Beirut and writes about ports."),
              ElementsAre("Jane Roe"));
  EXPECT_THAT(ParseBiography("Amb. (ret.) Jane Roe and John Doe are visiting scholars at the university."),
              ElementsAre("Jane Roe", "John Doe"));
  EXPECT_THAT(ParseBiography("The committee is a body of nine members, and an analyst leads it."), IsEmpty());
  EXPECT_THAT(ParseBiography("Emmanuel Macron is the president of France and will travel to Berlin."), IsEmpty());
  EXPECT_THAT(ParseBiography("Jane Roe said that the law was dead."), IsEmpty());
}

TEST(ParseBiographyTest, KnowsProfessions) {
  EXPECT_THAT(ParseBiography("Pratima Roe is a structural engineer. She trains masons."), ElementsAre("Pratima Roe"));
}

TEST(IsAboutPersonTest, KnowsWhoIsIntroduced) {
  const std::vector<std::string> authors = {"Jane Roe", "José Doe"};
  EXPECT_TRUE(IsAboutPerson("Jane Roe has driven most of the roads she writes about.", authors));
  EXPECT_TRUE(IsAboutPerson("Dr. Jose Doe, a former diplomat, lives in Muscat.", authors));
  EXPECT_FALSE(IsAboutPerson("John Smith has driven most of the roads.", authors));
  EXPECT_FALSE(IsAboutPerson("Jane Roe, who was there, saw the lorries.", authors));
  EXPECT_FALSE(IsAboutPerson("Jane Roes are rare.", authors));
  EXPECT_FALSE(IsAboutPerson("Jane Roe", authors));
  EXPECT_FALSE(IsAboutPerson("The road has been closed.", {}));
}

TEST(EndsSentenceTest, KnowsQuotesAndOtherScripts) {
  EXPECT_TRUE(EndsSentence("He said “no.”"));
  EXPECT_TRUE(EndsSentence("He said so (twice.)"));
  EXPECT_TRUE(EndsSentence("日本のニュース。"));
  EXPECT_TRUE(EndsSentence("هل هذا صحيح؟"));
  EXPECT_FALSE(EndsSentence("Iran’s Balancing Act"));
  EXPECT_FALSE(EndsSentence(""));
}

TEST(EndsCutOffTest, KnowsTeasers) {
  EXPECT_TRUE(EndsCutOff("The prisoner swap has spurred debates about..."));
  EXPECT_TRUE(EndsCutOff("The prisoner swap has […]"));
  EXPECT_FALSE(EndsCutOff("The prisoner swap is over."));
}

TEST(CountWordsTest, CountsScriptsWithoutSpaces) {
  EXPECT_EQ(CountWords("two words"), 2U);
  EXPECT_EQ(CountWords("日本語文章"), 3U);
  EXPECT_EQ(CountWords(""), 0U);
  EXPECT_EQ(CountWords("слово и дело"), 3U);
}

TEST(CollapseSpaceTest, KnowsAllSpaces) {
  EXPECT_EQ(CollapseSpace("  a\xC2\xA0\xE2\x80\x89 b\n\tc\xC2\xAD"
                          "d\xE2\x80\x8B "),
            "a b cd");
}

}  // namespace
}  // namespace dateline::extraction
