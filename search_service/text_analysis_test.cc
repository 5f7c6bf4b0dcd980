#include "search_service/text_analysis.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "search_service/snippets.h"

namespace dateline::search {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> WordsIn(const std::string& text) {
  TextAnalyzer analyzer;
  std::vector<std::string> words;
  for (const Token& token : analyzer.Tokenize(text, "")) words.push_back(token.word->folded);
  return words;
}

std::string StemOf(const std::string& word, const std::string& language) {
  TextAnalyzer analyzer;
  const std::vector<Token> tokens = analyzer.Tokenize(word, language);
  return tokens.empty() ? "" : tokens[0].word->stem;
}

TEST(TextAnalysisTest, WordsEndWhereReadersSeeThemEnd) {
  EXPECT_THAT(WordsIn("Iran's oil, don't pay $1,000.50 (U.S. troops)."),
              ElementsAre("iran", "oil", "dont", "pay", "1000.50", "us", "troops"));
  EXPECT_THAT(WordsIn("Russo-Iranian l\xE2\x80\x99\xC3\xA9"
                      "conomie"),
              ElementsAre("russo", "iranian", "l", "economie"));
  EXPECT_THAT(WordsIn("State\xE2\x80\x99s end."), ElementsAre("state", "end"));
  EXPECT_THAT(WordsIn(" -- '' ... "), ElementsAre());
}

TEST(TextAnalysisTest, CaseDiacriticsAndArabicVariantsFold) {
  EXPECT_THAT(WordsIn("CAFÉ Tehrān"), ElementsAre("cafe", "tehran"));
  EXPECT_EQ(Fold("مَدرسَة"), Fold("مدرسه"));
  EXPECT_EQ(Fold("أحمد"), Fold("احمد"));
  EXPECT_EQ(Fold("کتاب"), Fold("كتاب"));
}

TEST(TextAnalysisTest, ArabicIsFoundHoweverItIsWritten) {
  const std::vector<std::pair<std::string, std::string>> same = {
      {"مُحَمَّدٌ", "محمد"},               // Vowel signs, doubling and case endings.
      {"الرحمٰن", "الرحمن"},           // A small alef above.
      {"بـــيـــروت", "بيروت"},       // Tatweel.
      {"إيران", "ايران"},             // Alef with hamza below,
      {"أوروبا", "اوروبا"},           // above,
      {"آسيا", "اسيا"},               // with madda,
      {"ٱلله", "الله"},               // and wasla.
      {"مصطفى", "مصطفي"},             // Alef maksura,
      {"ایران", "ايران"},             // and the yeh of Persian keyboards.
      {"حكومة", "حكومه"},             // Teh marbuta.
      {"١٩٧٣", "1973"},               // Digits of Arabic,
      {"۱۹۷۳", "1973"},               // and of Persian.
      {"\uFEE3\uFEBC\uFEAE", "مصر"},  // Letters as printers join them, as PDFs have them,
      {"\uFEFB", "لا"},               // in ligatures,
      {"\uFDF2", "الله"},             // of whole words,
      {"\uFE91\uFE77\uFEAE", "بر"},   // and a vowel sign on a tatweel.
  };
  for (const auto& [written, plain] : same) {
    EXPECT_EQ(Fold(written), Fold(plain)) << written;
    EXPECT_EQ(WordsIn(written), WordsIn(plain)) << written;
  }
  EXPECT_NE(Fold("علم"), Fold("عالم"));
}

TEST(TextAnalysisTest, ArabicStemsAreTheSameWithTheArticleAndWithout) {
  for (const char* word : {"حكومة", "حكومه", "دولة", "أزمة", "مدرسة", "مطار"}) {
    EXPECT_EQ(StemOf(absl::StrCat("ال", word), "ar"), StemOf(word, "ar")) << word;
    EXPECT_EQ(StemOf(absl::StrCat("ب", "ال", word), ""), StemOf(word, "")) << word;
  }
  EXPECT_EQ(StemOf("السياسية", "ar"), StemOf("سياسة", "ar"));
}

TEST(TextAnalysisTest, LettersInOtherShapesFold) {
  EXPECT_THAT(WordsIn("Ｉｒａｎ　ＯＩＬ１２３"), ElementsAre("iran", "oil123"));
  EXPECT_THAT(WordsIn("ŉ aŉ"), ElementsAre("n", "an"));  // Folded again it stays as it is.
  EXPECT_THAT(WordsIn("𝐈𝐫𝐚𝐧 ﬁnance ﬂeet CO₂ m² Ⅳ 1º"),
              ElementsAre("iran", "finance", "fleet", "co2", "m2", "iv", "1o"));
  // Half-width katakana, voiced with a mark behind, is what full-width is.
  EXPECT_EQ(WordsIn("ｲﾗﾝ"), WordsIn("イラン"));
  EXPECT_EQ(WordsIn("ﾊﾟﾘｶﾞ"), WordsIn("パリガ"));
  EXPECT_EQ(StemOf("Ｅｌｅｃｔｉｏｎｓ", ""), StemOf("election", ""));
  // What is more than another shape stays as it is.
  EXPECT_EQ(Fold("½"), "½");
  EXPECT_EQ(Fold("\uFDFA"), "\uFDFA");
  for (const char* word : {"Ｉｒａｎ", "𝐈𝐫𝐚𝐧", "ﾊﾟﾘ", "\uFEFB", "ŀ", "½"})
    EXPECT_EQ(Fold(Fold(word)), Fold(word)) << word;
}

TEST(TextAnalysisTest, SoftHyphensAreNoPartOfAWord) {
  EXPECT_THAT(WordsIn("in\u00ADfor\u00ADma\u00ADtion\u00AD, \u00AD end\u00AD"), ElementsAre("information", "end"));
}

TEST(TextAnalysisTest, StemsFollowLanguageOrScript) {
  EXPECT_EQ(StemOf("Elections", ""), StemOf("election", "en"));
  EXPECT_EQ(StemOf("élections", "fr"), StemOf("élection", "fr-CA"));
  EXPECT_EQ(StemOf("санкции", ""), StemOf("санкций", "ru"));
}

TEST(TextAnalysisTest, ScriptsWithoutSpacesGiveCharactersAndPairs) {
  EXPECT_THAT(WordsIn("中国经"), ElementsAre("中", "中国", "国", "国经", "经"));
}

TEST(TextAnalysisTest, TokensPointIntoTheText) {
  TextAnalyzer analyzer;
  const std::string text = "Ünïted \xF0\x9F\x98\x80 Nations";
  const std::vector<Token> tokens = analyzer.Tokenize(text, "");
  ASSERT_EQ(tokens.size(), 2U);
  EXPECT_EQ(text.substr(tokens[0].start, tokens[0].end - tokens[0].start), "Ünïted");
  EXPECT_EQ(text.substr(tokens[1].start, tokens[1].end - tokens[1].start), "Nations");
}

TEST(TextAnalysisTest, TokensOfOtherShapesPointIntoTheText) {
  TextAnalyzer analyzer;
  const std::string text = "x Ｉｒａｎ ﾊﾟﾘ 𝐎𝐢𝐥 in\u00ADform";
  std::vector<std::string> pieces;
  for (const Token& token : analyzer.Tokenize(text, "")) {
    pieces.push_back(text.substr(token.start, token.end - token.start));
  }
  EXPECT_THAT(pieces, ElementsAre("x", "Ｉｒａｎ", "ﾊﾟ", "ﾊﾟﾘ", "ﾘ", "𝐎𝐢𝐥", "in\u00ADform"));
}

TEST(TextAnalysisTest, BrokenBytesAndEndlessWordsDoNoHarm) {
  TextAnalyzer analyzer;
  EXPECT_EQ(analyzer.Tokenize("a\xFF\xC3", "").size(), 1U);
  const std::vector<Token> tokens = analyzer.Tokenize(std::string(100'000, 'x'), "");
  ASSERT_EQ(tokens.size(), 1U);
  EXPECT_EQ(tokens[0].word->folded.size(), kMaxWordBytes);
  // A number that is cut at its point.
  const std::string number(kMaxWordBytes - 1, '3');
  EXPECT_THAT(WordsIn(number + ".3"), ElementsAre(number));
}

TEST(SnippetsTest, RangesMarkTheWordsInPlainText) {
  TextAnalyzer analyzer;
  Article article;
  article.title = "Oil & <b>prices</b>";
  article.body = "Nothing here.\n\nThe price of <i>oil</i> rose. Something else follows that is long enough.";
  SearchedWord price{{"price", StemOf("price", "")}, false, TextScope::kAny};
  SnippetOptions options;
  options.max_bytes = 60;
  const std::vector<Snippet> snippets = MakeSnippets(article, {price}, {}, options, analyzer);
  ASSERT_EQ(snippets.size(), 2U);
  EXPECT_EQ(snippets[0].field, "title");
  EXPECT_EQ(snippets[0].text, article.title);
  ASSERT_EQ(snippets[0].ranges.size(), 1U);
  EXPECT_EQ(snippets[0].text.substr(snippets[0].ranges[0].start, 6), "prices");
  EXPECT_EQ(snippets[1].field, "body");
  EXPECT_LE(snippets[1].text.size(), 60U);
  ASSERT_EQ(snippets[1].ranges.size(), 1U);
  const TextRange range = snippets[1].ranges[0];
  EXPECT_EQ(snippets[1].text.substr(range.start, range.end - range.start), "price");
  EXPECT_EQ(snippets[1].text.find("<i>oil</i>"), 13U);
}

TEST(SnippetsTest, RangesAreOfTheTextAsItStands) {
  TextAnalyzer analyzer;
  Article article;
  article.title = "Talks";
  article.body = "The price of Ｏｉｌ rose in the week before.";
  const SearchedWord oil{{"oil", StemOf("oil", "")}, false, TextScope::kAny};
  const std::vector<Snippet> snippets = MakeSnippets(article, {oil}, {}, {}, analyzer);
  ASSERT_EQ(snippets.size(), 1U);
  ASSERT_EQ(snippets[0].ranges.size(), 1U);
  const TextRange range = snippets[0].ranges[0];
  EXPECT_EQ(snippets[0].text.substr(range.start, range.end - range.start), "Ｏｉｌ");
}

TEST(SnippetsTest, WordsOfAPhraseCountWhereTheyStandSideBySide) {
  TextAnalyzer analyzer;
  Article article;
  article.title = "Nuclear power";
  article.body =
      "Talks on nuclear arms, and a nuclear test, talks of it. Long after that, at the end, the nuclear talks failed.";
  const SearchedWord nuclear{{"nuclear", "nuclear"}, false, TextScope::kAny, /*in_phrase=*/true};
  const SearchedWord talks{{"talks", "talks"}, false, TextScope::kAny, /*in_phrase=*/true};
  const SearchedPhrase phrase{{"nuclear", "talks"}, TextScope::kAny};
  SnippetOptions options;
  options.max_bytes = 60;
  options.max_count = 1;
  const auto marked = [&](const Article& in, const std::vector<SearchedWord>& words) {
    std::string marks;
    for (const Snippet& snippet : MakeSnippets(in, words, {phrase}, options, analyzer)) {
      for (const TextRange& range : snippet.ranges) {
        absl::StrAppend(&marks, snippet.field, ":", snippet.text.substr(range.start, range.end - range.start), " ");
      }
    }
    return marks;
  };
  EXPECT_EQ(marked(article, {nuclear, talks}), "body:nuclear body:talks ");
  EXPECT_THAT(MakeSnippets(article, {nuclear, talks}, {phrase}, options, analyzer)[0].text,
              ::testing::HasSubstr("the nuclear talks failed"));
  SearchedWord plain = nuclear;
  plain.in_phrase = false;
  EXPECT_EQ(marked(article, {plain, talks}), "title:Nuclear body:nuclear body:talks ")
      << "it is searched by itself, too";
  // It was found by the words alone.
  article.body = "Talks on nuclear arms.";
  EXPECT_EQ(marked(article, {nuclear, talks}), "title:Nuclear body:Talks body:nuclear ");
}

TEST(SnippetsTest, NoBlankEndsAPassage) {
  TextAnalyzer analyzer;
  Article article;
  article.body = "The price of oil rose in the very last week.\n\nUnforeseeably, something else followed.";
  const SearchedWord oil{{"oil", StemOf("oil", "")}, false, TextScope::kAny};
  SnippetOptions options;
  for (options.max_bytes = 40; options.max_bytes < 70; ++options.max_bytes) {
    const std::vector<Snippet> snippets = MakeSnippets(article, {oil}, {}, options, analyzer);
    ASSERT_EQ(snippets.size(), 1U);
    EXPECT_NE(snippets[0].text.back(), ' ') << options.max_bytes;
  }
}

TEST(SnippetsTest, TheBeginningStandsInWhereNoWordIsFound) {
  TextAnalyzer analyzer;
  Article article;
  article.body = "First words of the body, which goes on for longer than a snippet may.";
  SnippetOptions options;
  options.max_bytes = 40;
  const std::vector<Snippet> snippets = MakeSnippets(article, {}, {}, options, analyzer);
  ASSERT_EQ(snippets.size(), 1U);
  EXPECT_EQ(snippets[0].text, "First words of the body, which goes on");
}

}  // namespace
}  // namespace dateline::search
