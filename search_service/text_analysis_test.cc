#include "search_service/text_analysis.h"

#include <string>
#include <vector>

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

TEST(TextAnalysisTest, BrokenBytesAndEndlessWordsDoNoHarm) {
  TextAnalyzer analyzer;
  EXPECT_EQ(analyzer.Tokenize("a\xFF\xC3", "").size(), 1U);
  const std::vector<Token> tokens = analyzer.Tokenize(std::string(100'000, 'x'), "");
  ASSERT_EQ(tokens.size(), 1U);
  EXPECT_EQ(tokens[0].word->folded.size(), kMaxWordBytes);
}

TEST(SnippetsTest, RangesMarkTheWordsInPlainText) {
  TextAnalyzer analyzer;
  Article article;
  article.title = "Oil & <b>prices</b>";
  article.body = "Nothing here.\n\nThe price of <i>oil</i> rose. Something else follows that is long enough.";
  SearchedWord price{{"price", StemOf("price", "")}, false, TextScope::kAny};
  SnippetOptions options;
  options.max_bytes = 60;
  const std::vector<Snippet> snippets = MakeSnippets(article, {price}, options, analyzer);
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

TEST(SnippetsTest, TheBeginningStandsInWhereNoWordIsFound) {
  TextAnalyzer analyzer;
  Article article;
  article.body = "First words of the body, which goes on for longer than a snippet may.";
  SnippetOptions options;
  options.max_bytes = 40;
  const std::vector<Snippet> snippets = MakeSnippets(article, {}, options, analyzer);
  ASSERT_EQ(snippets.size(), 1U);
  EXPECT_EQ(snippets[0].text, "First words of the body, which goes on");
}

}  // namespace
}  // namespace dateline::search
