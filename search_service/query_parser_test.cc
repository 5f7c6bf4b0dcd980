#include "search_service/query_parser.h"

#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/error.h"
#include "search_service/engine_test_util.h"

namespace dateline::search {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// Friday, 2026-11-27, 18:30 UTC.
const absl::Time kNow = absl::FromCivil(absl::CivilSecond(2026, 11, 27, 18, 30, 0), absl::UTCTimeZone());

class QueryParserTest : public ::testing::Test {
 protected:
  ParsedQuery Parse(absl::string_view text, MatchMode mode = MatchMode::kFullQuery) {
    absl::StatusOr<ParsedQuery> parsed = ParseQuery(text, mode, "", names_, kNow, analyzer_);
    EXPECT_TRUE(parsed.ok()) << parsed.status();
    return parsed.ok() ? *std::move(parsed) : ParsedQuery();
  }
  std::string Strict(absl::string_view text) { return ToString(Parse(text).strict); }
  std::string Filter(absl::string_view text) {
    const absl::StatusOr<QueryNode> node = ParseFilter(text, names_);
    return node.ok() ? ToString(*node) : std::string(node.status().message());
  }

  const Taxonomy taxonomy_{TestTaxonomy()};
  LabelNames names_{taxonomy_};
  TextAnalyzer analyzer_;
};

TEST_F(QueryParserTest, WordsAllCountAndStopWordsDoNot) {
  EXPECT_EQ(Strict("Oil prices"), "(oil AND prices)");
  EXPECT_EQ(Strict("the price of oil"), "(price AND oil)");
  EXPECT_EQ(Strict("the oil AND wheat"), "(oil AND wheat)");
  EXPECT_EQ(Strict("to be or not to be"), "(to AND be AND or AND not)");
  EXPECT_EQ(ToString(Parse("oil prices").relaxed), "(oil prices)");
}

TEST_F(QueryParserTest, OperatorsPhrasesAndParentheses) {
  EXPECT_EQ(Strict("iran OR russia"), "(iran OR russia)");
  EXPECT_EQ(Strict("iran AND NOT russia"), "(iran AND NOT russia)");
  EXPECT_EQ(Strict("iran -russia"), "(iran AND NOT russia)");
  EXPECT_EQ(Strict("\"oil price\" iran"), "(iran AND \"oil price\")");
  EXPECT_EQ(Strict("(iran OR russia) oil"), "(oil AND (iran OR russia))");
  EXPECT_EQ(Strict("NOT iran"), "NOT iran");
  EXPECT_EQ(Strict("well-known fact"), "(well AND known AND fact)");
  EXPECT_EQ(Strict("pipel*"), "pipel*");
  EXPECT_EQ(Strict("(iran AND oil) AND (wheat OR (gas OR coal))"), "(iran AND oil AND (wheat OR gas OR coal))");
  EXPECT_EQ(Strict("1 AND 2 AND 3 AND 4 AND 5 AND 6"), "(1 AND 2 AND 3 AND 4 AND 5 AND 6)");
}

TEST_F(QueryParserTest, WhatAQueryMeansCanBeSentAgainHoweverDeepItIs) {
  // One group that is typed means two.
  const auto nested = [](size_t depth) {
    std::string text = "x";
    for (size_t i = 0; i < depth; ++i) text = absl::StrCat("(iran OR oil ", text, ")");
    return text;
  };
  for (const size_t depth : {1, 15, 16, 17, 20, 30, 31}) {
    const ParsedQuery parsed = Parse(nested(depth));
    const std::string meant = ToString(parsed.strict);
    EXPECT_EQ(Strict(meant), meant) << depth;
    EXPECT_EQ(parsed.interpretation.normalized_query, meant);
    const std::vector<std::string>& notes = parsed.interpretation.notes;
    if (depth <= 16) {
      EXPECT_THAT(notes, IsEmpty()) << depth;
    } else {
      EXPECT_THAT(notes, Contains(HasSubstr("groups more than 32 deep"))) << depth;
      EXPECT_EQ(meant, "(iran AND oil AND x)") << depth;
    }
  }
}

TEST_F(QueryParserTest, SignsThatAreNotSearchedAreNamed) {
  for (const char* text : {"C++", "C#", "$4 oil", "5% growth", "€100", "a=b"}) {
    EXPECT_THAT(Parse(text).interpretation.notes, Contains(HasSubstr("was searched without its signs"))) << text;
  }
  for (const char* text : {"#iran", "@reuters", "well-known", "U.S.", "AT&T", "COVID-19", "don't", "$ oil", "3.5"}) {
    EXPECT_THAT(Parse(text).interpretation.notes, IsEmpty()) << text;
  }
}

TEST_F(QueryParserTest, FieldsOfOtherSearchBoxesAndTheirMinusAreNotPassedOverInSilence) {
  EXPECT_THAT(Parse("site:example.org oil").interpretation.notes,
              ElementsAre("\"site:\" is no field here and was searched as a word; there is source:"));
  EXPECT_THAT(Parse("region_code:IR").interpretation.notes, ElementsAre(HasSubstr("there is country:")));
  for (const char* text : {"site: a history", "tag:", "https://example.org", "\"site:a\"", "12:30"}) {
    EXPECT_THAT(Parse(text).interpretation.notes, IsEmpty()) << text;
  }
  const ParsedQuery minus = Parse("country:-iran");
  EXPECT_EQ(ToString(minus.strict), "country:IR");
  EXPECT_THAT(minus.interpretation.notes,
              ElementsAre("the - in \"country:-iran\" leaves nothing out; -country:iran does"));
  EXPECT_THAT(Parse("title:-oil").interpretation.notes, ElementsAre(HasSubstr("-title:oil does")));
  EXPECT_THAT(Parse("-title:oil").interpretation.notes, IsEmpty());
}

TEST_F(QueryParserTest, CapitalsInATextThatWasPastedAreForEmphasis) {
  const std::string sentence = "Iran did NOT agree to the talks, said two of its envoys in the spring.";
  ParsedQuery parsed = Parse(sentence);
  EXPECT_EQ(ToString(parsed.strict), "(iran AND agree AND talks AND said AND two AND envoys AND spring)");
  EXPECT_THAT(parsed.interpretation.notes, Contains(HasSubstr("\"NOT\" was read as a word")));
  EXPECT_EQ(parsed.free_words, 7) << "they may be relaxed";
  EXPECT_EQ(Strict(parsed.interpretation.normalized_query), ToString(parsed.strict));
  EXPECT_THAT(Strict("Source: Envoys of Iran did agree to the talks, it is said in the spring"),
              Not(HasSubstr("source:")));
  EXPECT_THAT(Strict("Source:iran did agree to the talks, it is said by two in the spring"), HasSubstr("source:iran"));
  // A query, however long.
  EXPECT_THAT(Strict("the talks of iran and the envoys in the spring NOT russia"), HasSubstr("NOT russia"));
  EXPECT_THAT(Strict("iran, the talks NOT russia"), HasSubstr("NOT russia"));
  EXPECT_THAT(Strict("(the talks OR the envoys) AND (iran OR tehran), in the spring NOT (russia OR moscow)"),
              HasSubstr("NOT (russia OR moscow)"));
  EXPECT_THAT(Strict("iran AND \"did not agree to the talks, said two of its envoys, in the spring\""),
              HasSubstr("(iran AND \"did not"));
}

TEST_F(QueryParserTest, NumbersAndLettersThatAreJoinedToWordsStandSideBySide) {
  EXPECT_EQ(Strict("9/11"), "\"9 11\"");
  EXPECT_EQ(Strict("F-35 jets"), "(jets AND \"f 35\")");
  EXPECT_EQ(Strict("the F-35's price"), "(price AND \"f 35\")");
  EXPECT_EQ(Strict("AT&T’s x-ray"), "(\"at t\" AND \"x ray\")");
  EXPECT_EQ(Strict("COVID-19,2026-03-15"), "(\"covid 19\" AND \"2026 03 15\")");
  EXPECT_EQ(Strict("-covid-19 title:9/11"), "(NOT \"covid 19\" AND title:\"9 11\")");
  EXPECT_EQ(Strict("well-known and/or fact"), "(well AND known AND fact)");
  EXPECT_EQ(Strict("9/ 11 -/- 5- oil"), "(9 AND 11 AND 5 AND oil)");
  // While it is typed the last one may go on.
  EXPECT_EQ(ToString(Parse("jets F-35", MatchMode::kPrefixLastWord).strict), "(jets AND f AND 35*)");
  EXPECT_EQ(ToString(Parse("F-35 je", MatchMode::kPrefixLastWord).strict), "(je* AND \"f 35\")");
}

TEST_F(QueryParserTest, NearJoinsWordsWithinADistance) {
  EXPECT_EQ(Strict("iran NEAR oil"), "(iran NEAR oil)");
  EXPECT_EQ(Strict("iran NEAR/10 oil"), "(iran NEAR oil)");
  EXPECT_EQ(Strict("iran NEAR/5 \"Oil\" talks"), "(talks AND (iran NEAR/5 oil))");
  EXPECT_EQ(Strict("iran NEAR/3 oil NEAR/7 talks"), "(iran NEAR/7 oil NEAR/7 talks)");
  EXPECT_EQ(Strict("title:iran NEAR/2 title:oil"), "(title:iran NEAR/2 title:oil)");
  EXPECT_EQ(Strict("NOT iran NEAR oil"), "NOT (iran NEAR oil)");
  EXPECT_EQ(Strict("wheat -iran NEAR/4 oil"), "(wheat AND NOT (iran NEAR/4 oil))");
  EXPECT_EQ(Strict("wheat OR iran NEAR/4 oil AND talks"), "(wheat OR ((iran NEAR/4 oil) AND talks))");
  EXPECT_EQ(Strict("(the NEAR/1 who)"), "(the NEAR/1 who)");
  EXPECT_EQ(ToString(Parse("iran NEAR oil prices talks").relaxed), "((prices talks) AND (iran NEAR oil))");
  EXPECT_THAT(Parse("iran NEAR oil").interpretation.notes, IsEmpty());
  EXPECT_THAT(Parse("iran NEAR oil").interpretation.ignored_parts, IsEmpty());
  EXPECT_EQ(Parse("iran NEAR oil").words.size(), 2U);
  EXPECT_THAT(Parse("-iran NEAR oil").words, IsEmpty());
  // A word like any other: small, or quoted.
  EXPECT_EQ(Strict("iran near oil"), "(iran AND near AND oil)");
  EXPECT_EQ(Strict("\"iran NEAR oil\""), "\"iran near oil\"");
}

TEST_F(QueryParserTest, ANearThatJoinsNothingIsSearchedLiterallyAndSaidSo) {
  const auto words = [&](absl::string_view text) {
    const ParsedQuery parsed = Parse(text);
    EXPECT_THAT(parsed.interpretation.notes, Contains(HasSubstr("NEAR stands between single whole words"))) << text;
    return ToString(parsed.strict);
  };
  EXPECT_EQ(words("iran NEAR"), "(iran AND near)");
  EXPECT_EQ(words("NEAR iran"), "(near AND iran)");
  EXPECT_EQ(words("iran NEAR/0 oil"), "(iran AND near AND 0 AND oil)");
  EXPECT_EQ(words("iran NEAR/51 oil"), "(iran AND near AND 51 AND oil)");
  EXPECT_EQ(words("iran NEAR/ oil"), "(iran AND near AND oil)");
  EXPECT_EQ(words("iran NEAR/x oil"), "(iran AND near AND x AND oil)");
  EXPECT_EQ(words("iran NEAR -oil"), "(iran AND near AND NOT oil)");
  EXPECT_EQ(words("iran NEAR oi*"), "(iran AND near AND oi*)");
  EXPECT_EQ(words("\"oil price\" NEAR iran"), "(near AND iran AND \"oil price\")");
  EXPECT_EQ(words("iran NEAR well-known"), "(iran AND near AND well AND known)");
  EXPECT_EQ(words("title:iran NEAR oil"), "(near AND oil AND title:iran)");
  EXPECT_EQ(words("country:IR NEAR oil"), "(near AND oil AND country:IR)");
  EXPECT_EQ(words("iran NEAR (oil OR gas)"), "(iran AND near AND (oil OR gas))");
  EXPECT_EQ(words("iran NEAR oil NEAR -gas"), "(near AND (iran NEAR oil) AND NOT gas)");
}

TEST_F(QueryParserTest, NearWaitsForItsLastWordAsOneTypes) {
  const auto typed = [&](absl::string_view text) { return Parse(text, MatchMode::kPrefixLastWord); };
  EXPECT_EQ(ToString(typed("iran NEAR").strict), "iran");
  EXPECT_EQ(ToString(typed("iran NEAR/5 oi").strict), "(iran AND oi*)");
  EXPECT_THAT(typed("iran NEAR/5 oi").interpretation.ignored_parts, ElementsAre("NEAR/5"));
  EXPECT_EQ(ToString(typed("iran NEAR/5 oil ").strict), "(iran NEAR/5 oil)");
  EXPECT_EQ(ToString(typed("iran NEAR oil NEAR ga").strict), "(ga* AND (iran NEAR oil))");
}

TEST_F(QueryParserTest, AgesCountBackFromTheTimeOfTheRequest) {
  EXPECT_EQ(Strict("newer_than:7d oil"), "(oil AND after:2026-11-20T18:30:00Z)");
  EXPECT_EQ(Strict("older_than:7d"), "before:2026-11-20T18:30:00Z");
  EXPECT_EQ(Strict("Newer_Than:12H"), "after:2026-11-27T06:30:00Z");
  EXPECT_EQ(Strict("newer_than:2w"), "after:2026-11-13T18:30:00Z");
  EXPECT_EQ(Strict("newer_than:9m"), "after:2026-02-27T18:30:00Z");
  EXPECT_EQ(Strict("newer_than:1y"), "after:2025-11-27T18:30:00Z");
  EXPECT_EQ(Strict("older_than:2025y"), "before:0001-11-27T18:30:00Z");
  EXPECT_EQ(Strict("-newer_than:1d"), "NOT after:2026-11-26T18:30:00Z");
  EXPECT_TRUE(Parse("oil OR newer_than:7d").relative);
  EXPECT_FALSE(Parse("oil after:2026-11-20").relative);
  // The last day of a shorter month.
  const absl::Time leap = absl::FromCivil(absl::CivilSecond(2024, 3, 31), absl::UTCTimeZone());
  EXPECT_EQ(ToString(ParseQuery("newer_than:1m", MatchMode::kFullQuery, "", names_, leap, analyzer_)->strict),
            "after:2024-02-29");
  for (const char* span : {"7", "d", "-7d", "7 d", "7x", "7days", "1.5d", "7654321000h", "\"7d 2h\"", "٧d"}) {
    const ParsedQuery parsed = Parse(absl::StrCat("newer_than:", span));
    EXPECT_FALSE(parsed.relative) << span;
    EXPECT_THAT(parsed.interpretation.notes, Contains(HasSubstr("is no span of time"))) << span;
  }
  EXPECT_EQ(Strict("newer_than:someday"), "someday");
  // Nothing is younger than the request, and time begins with the year 1.
  EXPECT_EQ(Strict("newer_than:0d"), "after:2026-11-27T18:30:00Z");
  EXPECT_EQ(Strict("older_than:9999y"), "before:0001-01-01");
  EXPECT_EQ(Strict("newer_than:999999999w"), "after:0001-01-01");
}

TEST_F(QueryParserTest, FieldsAreUnderstoodByNameAndById) {
  EXPECT_EQ(Strict("country:Iran oil"), "(oil AND country:IR)");
  EXPECT_EQ(Strict("country:ir"), "country:IR");
  EXPECT_EQ(Strict("country:\"Russian Federation\""), "country:RU");
  EXPECT_EQ(Strict("country:GCC"), "group:gcc");
  EXPECT_EQ(Strict("issue:old_energy"), "issue:energy");
  EXPECT_EQ(Strict("title:oil author:\"Samuel Ramani\""), "(title:oil AND author:\"samuel ramani\")");
  EXPECT_EQ(Strict("after:2026-03 oil"), "(oil AND after:2026-03-01)");
  EXPECT_EQ(Strict("before:2026"), "before:2026-01-01");
}

TEST_F(QueryParserTest, WhatMakesNoSenseIsSearchedLiterallyAndSaidSo) {
  const ParsedQuery unknown = Parse("country:Atlantis");
  EXPECT_EQ(ToString(unknown.strict), "atlantis");
  EXPECT_THAT(unknown.interpretation.notes, ElementsAre("\"Atlantis\" is no known country; it was searched as words"));
  EXPECT_THAT(unknown.places, IsEmpty()) << "neither corrected nor recognised";
  EXPECT_EQ(Strict("oil issue:nonsense"), "(oil AND nonsense)");
  EXPECT_EQ(Strict("-issue:nonsense oil"), "(oil AND NOT nonsense)");
  EXPECT_EQ(Strict("country:\"lost atlantis\""), "\"lost atlantis\"");
  EXPECT_THAT(Parse("iran AND").interpretation.ignored_parts, ElementsAre("AND"));
  EXPECT_EQ(Strict("iran AND"), "iran");
  EXPECT_EQ(Strict("OR iran"), "iran");
  EXPECT_EQ(Strict("((iran"), "iran");
  EXPECT_EQ(Strict("iran))) oil"), "(iran AND oil)");
  EXPECT_EQ(Strict("\"iran oil"), "(iran AND oil)");
  EXPECT_THAT(Parse("before:someday").interpretation.notes, Not(IsEmpty()));
  const ParsedQuery no_tag = Parse("language:en- oil");
  EXPECT_EQ(ToString(no_tag.strict), "(en AND oil)");
  EXPECT_THAT(no_tag.interpretation.notes, ElementsAre(HasSubstr("\"en-\" is no language tag")));
  EXPECT_THAT(Parse("a* oil").interpretation.notes, ElementsAre(HasSubstr("\"a*\" was searched as a word")));
  EXPECT_TRUE(Parse("").empty);
  EXPECT_TRUE(Parse(" () -  ").empty);
}

TEST_F(QueryParserTest, AFieldAppliesToItsParenthesesAndToTheWordBehindABlank) {
  EXPECT_EQ(Strict("title:(Oil prices)"), "(title:oil AND title:prices)");
  EXPECT_EQ(Strict("title:(iran OR \"oil price\") wheat"), "(wheat AND (title:iran OR title:\"oil price\"))");
  EXPECT_EQ(Strict("title:(iran -pipel* author:roe)"), "(title:iran AND NOT title:pipel* AND author:roe)");
  EXPECT_EQ(Strict("title:(iran NEAR/2 oil)"), "(title:iran NEAR/2 title:oil)");
  EXPECT_EQ(Strict("country:(Iran OR \"Russian Federation\" OR atlantis)"), "(country:IR OR country:RU OR atlantis)");
  EXPECT_EQ(Strict("title:((a OR b) c) d"), "(d AND (title:a OR title:b) AND title:c)");
  EXPECT_EQ(Strict("title:iran (oil)"), "(oil AND title:iran)");
  EXPECT_EQ(Strict("title: iran oil"), "(oil AND title:iran)");
  EXPECT_EQ(Strict("title: \"oil price\""), "title:\"oil price\"");
  EXPECT_EQ(Strict("country: Iran"), "country:IR");
  EXPECT_THAT(Parse("title:(a b)").interpretation.notes, ElementsAre(HasSubstr("in its parentheses")));
  EXPECT_THAT(Parse("title: iran").interpretation.notes, ElementsAre(HasSubstr("follows the blank")));
  EXPECT_THAT(Parse("title:()").interpretation.ignored_parts, ElementsAre("title:()"));
  // Prose, and fields that have nothing.
  for (const char* text : {"title:", "title: OR iran", "title: -iran", "title: author:roe", "country: a history"}) {
    EXPECT_THAT(Parse(text).interpretation.notes, Contains(HasSubstr("has no value"))) << text;
  }
  EXPECT_EQ(Strict("country: history"), "(country AND history)");
}

TEST_F(QueryParserTest, CurlyQuotationMarksMakePhrases) {
  for (const char* text : {"“oil price”", "„oil price“", "«oil price»", "”oil price”", "»oil price«", "“oil price\"",
                           "\"oil price”", "“oil price“", "＂oil price＂", "« oil price »"}) {
    EXPECT_EQ(Strict(text), "\"oil price\"") << text;
    EXPECT_EQ(Strict(absl::StrCat("title:", text, " iran")), "(iran AND title:\"oil price\")") << text;
    EXPECT_EQ(Strict(absl::StrCat("-", text, " iran")), "(iran AND NOT \"oil price\")") << text;
  }
  EXPECT_EQ(Strict("“iran” NEAR “oil”"), "(iran NEAR oil)");
  EXPECT_EQ(Strict("iran“oil price”"), "(iran AND \"oil price\")");
  EXPECT_EQ(Strict("\"«oil» price\" “a” “b”"), "(\"oil price\" AND \"a\" AND \"b\")");
  EXPECT_EQ(Strict("Iran’s oil"), Strict("Iran's oil"));
  const ParsedQuery open = Parse("“iran oil");
  EXPECT_EQ(ToString(open.strict), "(iran AND oil)");
  EXPECT_THAT(open.interpretation.ignored_parts, ElementsAre("“"));
  EXPECT_THAT(open.interpretation.notes, ElementsAre(HasSubstr("a quotation mark was not closed")));
}

TEST_F(QueryParserTest, WordsJoinedByAnAmpersandAreAPhrase) {
  EXPECT_EQ(Strict("AT&T"), "\"at t\"");
  EXPECT_EQ(Strict("R&D spending"), "(spending AND \"r d\")");
  EXPECT_EQ(Strict("non-B&B&B-like"), "\"non b b b like\"");
  EXPECT_EQ(Strict("title:S&P -Q&A"), "(title:\"s p\" AND NOT \"q a\")");
  EXPECT_EQ(ToString(Parse("oil M&S", MatchMode::kPrefixLastWord).strict), "(oil AND \"m s\")");
  EXPECT_EQ(Strict("iran & oil"), "(iran AND oil)");
  EXPECT_EQ(Strict("&iran oil&"), "(iran AND oil)");
}

TEST_F(QueryParserTest, LanguagesGoByTagOrEnglishName) {
  EXPECT_EQ(Strict("language:pt-BR"), "language:pt-BR");
  const ParsedQuery named = Parse("language:Arabic oil");
  EXPECT_EQ(ToString(named.strict), "(oil AND language:ar)");
  EXPECT_THAT(named.interpretation.notes, ElementsAre("\"Arabic\" was taken for the language ar"));
  EXPECT_THAT(Parse("language:klingonese").interpretation.notes, ElementsAre(HasSubstr("is no language tag")));
}

TEST_F(QueryParserTest, PlacesSayWhatOneSideOfAnOrHas) {
  const ParsedQuery parsed = Parse("oil (wheat OR iran) talks");
  ASSERT_EQ(parsed.places.size(), 4U);
  EXPECT_FALSE(parsed.places[0].alternative);
  EXPECT_TRUE(parsed.places[1].alternative);
  EXPECT_TRUE(parsed.places[2].alternative);
  EXPECT_FALSE(parsed.places[3].alternative);
}

TEST_F(QueryParserTest, AQueryWithNothingSearchableSaysThatItListsEverything) {
  for (const absl::string_view text : {absl::string_view("😀"), absl::string_view("-----"), absl::string_view("\0", 1),
                                       absl::string_view("()"), absl::string_view("\"!\""), absl::string_view("*"),
                                       absl::string_view("title:😀"), absl::string_view("source:\"--\"")}) {
    const ParsedQuery parsed = Parse(absl::StrCat(" ", text, " "));
    EXPECT_TRUE(parsed.empty) << text;
    EXPECT_THAT(parsed.interpretation.ignored_parts, ElementsAre(text));
    EXPECT_THAT(parsed.interpretation.notes, ElementsAre(HasSubstr("nothing in the query can be searched for")))
        << text;
  }
  EXPECT_THAT(Parse("NOT 😀").interpretation.ignored_parts, ElementsAre("NOT 😀"));
  EXPECT_THAT(Parse("(-😀)").interpretation.ignored_parts, ElementsAre("(-😀)"));
  EXPECT_THAT(Parse("😀 --", MatchMode::kLiteral).interpretation.ignored_parts, ElementsAre("😀", "--"));
  for (const char* text : {"", "  \n"}) {
    EXPECT_THAT(Parse(text).interpretation.notes, IsEmpty());
    EXPECT_THAT(Parse(text).interpretation.ignored_parts, IsEmpty());
  }
}

TEST_F(QueryParserTest, WhatHasNoEffectIsListedAsItStandsInItsOrder) {
  const auto ignored = [&](absl::string_view text, MatchMode mode = MatchMode::kFullQuery) {
    return Parse(text, mode).interpretation.ignored_parts;
  };
  EXPECT_THAT(ignored(absl::string_view("a\0b iran", 8)), ElementsAre("a"));
  EXPECT_THAT(ignored("iran & OR"), ElementsAre("&", "OR"));
  EXPECT_THAT(ignored("😀 The price of oil - of"), ElementsAre("😀", "The", "of", "-"));
  EXPECT_THAT(ignored("The price & oil", MatchMode::kLiteral), ElementsAre("The", "&"));
  EXPECT_THAT(ignored("iran (the oil OR the wheat) -\"?\""), ElementsAre("the", "-\"?\""));
  EXPECT_THAT(ignored("\"iran"), ElementsAre("\""));
  // All of these count.
  for (const char* text :
       {"to be or not to be", "oil prices", "\"the price\"", "title:the oil", "-the oil", "iran OR 中"}) {
    EXPECT_THAT(ignored(text), IsEmpty()) << text;
  }
}

TEST_F(QueryParserTest, WhatIsSaidOfAQueryIsAQueryThatMeansTheSame) {
  for (const char* text : {"oil country:Iran -russia", "issue:old_energy OR title:\"wheat price\"",
                           "pipel* after:2026-03", "before:2026-03-15T12:30:00Z language:en",
                           "newer_than:3h wheat NEAR/4 oil", "country:gcc NOT (oil OR author:roe)",
                           "\"oils\" title:\"prices\" NOT \"wheats\"", "-1 AND 2 AND 3 AND 4 AND 5 AND 6"}) {
    const QueryNode parsed = Parse(text).strict;
    EXPECT_EQ(ToString(Parse(ToString(parsed)).strict), ToString(parsed)) << text;
    EXPECT_EQ(Parse(ToString(parsed)).strict, parsed) << text;
    EXPECT_THAT(ToString(parsed), Not(HasSubstr("X"))) << text;
  }
}

TEST_F(QueryParserTest, AQuotedWordIsSaidWithItsQuotes) {
  EXPECT_EQ(Strict("\"prices\""), "\"prices\"");
  EXPECT_EQ(Strict("title:\"Prices\""), "title:\"prices\"");
  EXPECT_EQ(Strict("-\"prices\" oil"), "(oil AND NOT \"prices\")");
  EXPECT_EQ(ToString(Parse("\"prices\" oil").relaxed), "(oil \"prices\")");
}

TEST_F(QueryParserTest, AGroupStandsForItsMembersWhereItIsExpanded) {
  EXPECT_EQ(Strict("group:gcc"), "group:gcc");
  names_.expand_groups = true;
  EXPECT_EQ(Strict("group:gcc"), "(group:gcc OR country:AE)");
  EXPECT_EQ(Filter("group_id = \"gcc\" AND source=x"), "((group:gcc OR country:AE) AND source:x)");
  EXPECT_EQ(Filter("group_id = \"old_gulf\""), "(group:gcc OR country:AE)");  // Retired: its own members went with it.
}

TEST_F(QueryParserTest, WithoutATaxonomyCodesAreCldrsAndOtherIdsCannotBeChecked) {
  const Taxonomy none;
  const LabelNames names{none};
  EXPECT_TRUE(ParseFilter("country = IR", names).ok());
  EXPECT_TRUE(ParseFilter("country = XK", names).ok());
  for (const char* text : {"country = ZZ", "country = ir", "country = EU", "country = SU", "country = 840"}) {
    EXPECT_EQ(ParseFilter(text, names).status().code(), absl::StatusCode::kInvalidArgument) << text;
  }
  for (const char* text : {"issue = energy", "group = gcc"}) {
    const absl::Status status = ParseFilter(text, names).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << text;
    EXPECT_EQ(common::ReasonOf(status), kReasonTaxonomyUnavailable);
    EXPECT_TRUE(common::RetryDelayOf(status).has_value());
  }
}

TEST_F(QueryParserTest, TheLastWordMayBeGrowingInASearchBox) {
  EXPECT_EQ(ToString(Parse("oil pri", MatchMode::kPrefixLastWord).strict), "(oil AND pri*)");
  EXPECT_EQ(ToString(Parse("oil pri ", MatchMode::kPrefixLastWord).strict), "(oil AND pri)");
  EXPECT_EQ(ToString(Parse("title:a OR -b", MatchMode::kLiteral).strict), "(title AND b)");
}

TEST_F(QueryParserTest, SynonymsAreOfPlainFinishedWordsOnly) {
  const absl::StatusOr<Synonyms> synonyms = Synonyms::Parse("oil, petroleum, crude\nuk => britain");
  ASSERT_TRUE(synonyms.ok()) << synonyms.status();
  names_.synonyms = &*synonyms;
  const auto synonyms_of = [&](absl::string_view text, MatchMode mode = MatchMode::kFullQuery) {
    std::vector<std::string> found;
    for (const SearchedWord& word : Parse(text, mode).synonym_words) found.push_back(word.word.folded);
    return found;
  };
  const ParsedQuery parsed = Parse("Oils uk Oils");
  ASSERT_EQ(parsed.synonyms.size(), 2U);
  EXPECT_EQ(parsed.synonyms[0].word, "oils");
  EXPECT_THAT(parsed.synonyms[0].synonyms, ElementsAre("petroleum", "crude"));
  EXPECT_THAT(parsed.synonyms[1].synonyms, ElementsAre("britain"));
  EXPECT_THAT(parsed.strict.children.at(0).synonym_stems, ElementsAre("petroleum", "crude"));
  EXPECT_THAT(parsed.relaxed.children.at(0).synonyms, ElementsAre("petroleum", "crude"));
  EXPECT_EQ(parsed.words.size(), 2U);  // Those of the query alone.
  EXPECT_EQ(ToString(parsed.strict), "(oils AND uk)");
  EXPECT_THAT(synonyms_of("britain"), IsEmpty());
  EXPECT_THAT(synonyms_of("oil OR wheat"), ElementsAre("petroleum", "crude"));
  EXPECT_THAT(synonyms_of("oil", MatchMode::kPrefixLastWord), IsEmpty());
  EXPECT_THAT(synonyms_of("oil w", MatchMode::kPrefixLastWord), ElementsAre("petroleum", "crude"));
  EXPECT_THAT(synonyms_of("oil", MatchMode::kLiteral), IsEmpty());
  for (const char* exact : {"\"oil\"", "\"oil price\"", "wheat -oil", "wheat NOT (oil OR uk)", "oil*", "title:oil",
                            "oil NEAR price", "wheat -(uk -oil)"}) {
    EXPECT_THAT(synonyms_of(exact), IsEmpty()) << exact;
  }
  // A language stems as it does; which words are meant is for the script to say.
  const absl::StatusOr<ParsedQuery> french = ParseQuery("oils", MatchMode::kFullQuery, "fr", names_, kNow, analyzer_);
  ASSERT_TRUE(french.ok()) << french.status();
  EXPECT_THAT(french->strict.synonyms, ElementsAre("petroleum", "crude"));
}

TEST_F(QueryParserTest, NegatedWordsAreNotHighlighted) {
  const ParsedQuery parsed = Parse("iran -russia");
  ASSERT_EQ(parsed.words.size(), 1U);
  EXPECT_EQ(parsed.words[0].word.folded, "iran");
}

TEST_F(QueryParserTest, TooLongAndTooManyAreErrorsNamingTheQuery) {
  std::string many;
  for (int i = 0; i < 65; ++i) absl::StrAppend(&many, "w", i, " ");
  for (const std::string& text : {std::string(kMaxQueryBytes + 1, 'x'), many, std::string("\xFF")}) {
    const absl::Status status = ParseQuery(text, MatchMode::kFullQuery, "", names_, kNow, analyzer_).status();
    ASSERT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << text;
    EXPECT_EQ(common::FieldViolationsOf(status).at(0).field, "query");
  }
}

TEST_F(QueryParserTest, FilterIsTypedAndOrBindsTighterThanAnd) {
  EXPECT_EQ(Filter("country = \"IR\" AND publish_time >= \"2026-01-01\""), "(country:IR AND after:2026-01-01)");
  EXPECT_EQ(Filter("region_code:IR OR region_code:RU AND issue_id=energy"),
            "((country:IR OR country:RU) AND issue:energy)");
  EXPECT_EQ(Filter("NOT source = 'The Times'"), "NOT source:\"The Times\"");
  EXPECT_EQ(Filter("-author=\"A B\" language_code=en"), "(NOT author:\"A B\" AND language:en)");
  EXPECT_EQ(Filter("attributes.series = \"x\""), "attributes.series:x");
  EXPECT_EQ(Filter("publish_time = 2026-03-01"), "(after:2026-03-01 AND before:2026-03-02)");
  EXPECT_EQ(Filter(""), "*");
}

TEST_F(QueryParserTest, AFilterHasAsManyBytesComparisonsAndParenthesesAsAreStated) {
  const auto comparisons = [](size_t count) {
    std::string text = "(year = 2026)";
    for (size_t i = 1; i < count; ++i) absl::StrAppend(&text, " OR (year=2026)");
    return text;
  };
  EXPECT_THAT(Filter(comparisons(kMaxQueryTerms)), HasSubstr("year:2026"));
  EXPECT_THAT(Filter(comparisons(kMaxQueryTerms + 1)), HasSubstr("has more than 64 comparisons"));
  const auto nested = [](size_t depth) {
    return absl::StrCat(std::string(depth, '('), "year=2026", std::string(depth, ')'));
  };
  EXPECT_EQ(Filter(nested(31)), "year:2026");
  EXPECT_THAT(Filter(nested(32)), HasSubstr("is nested more than 32 deep"));
  const std::string longest = absl::StrCat("source = \"", std::string(kMaxFilterBytes - 11, 'x'), "\"");
  ASSERT_EQ(longest.size(), kMaxFilterBytes);
  EXPECT_THAT(Filter(longest), HasSubstr("source:xxx"));
  EXPECT_THAT(Filter(longest + " "), HasSubstr("is 2049 bytes long; at most 2048"));
}

TEST_F(QueryParserTest, EveryMistakeInAFilterIsAnErrorWithItsPlace) {
  EXPECT_THAT(Filter("colour = red"), HasSubstr("there is no field \"colour\""));
  EXPECT_THAT(Filter("country = ZZ"), HasSubstr("there is no region_code \"ZZ\""));
  EXPECT_THAT(Filter("country"), HasSubstr("expected one of"));
  EXPECT_THAT(Filter("country = "), HasSubstr("expected a value"));
  EXPECT_THAT(Filter("(country = IR"), HasSubstr("expected )"));
  EXPECT_THAT(Filter("country = IR AND"), HasSubstr("behind AND"));
  EXPECT_THAT(Filter("publish_time > yesterday"), HasSubstr("is no time"));
  EXPECT_THAT(Filter("source < b"), HasSubstr("compares times"));
  EXPECT_THAT(Filter(std::string(40, '(')), HasSubstr("nested"));
  for (const char* tag : {"\"en-\"", "x_y_z", "en_US", "e", "englishlanguage", "\"en us\""}) {
    for (const char* comparison : {"=", "!=", ":"}) {
      EXPECT_THAT(Filter(absl::StrCat("language_code ", comparison, " ", tag)), HasSubstr("is no BCP 47 tag")) << tag;
    }
  }
  EXPECT_EQ(Filter("language = pt-BR"), "language:pt-BR");
  EXPECT_THAT(Filter("language = english"), HasSubstr("language_code \"english\" is no BCP 47 tag"));
}

TEST_F(QueryParserTest, AFilterInAnotherLanguagesOperatorsIsToldThisOnes) {
  EXPECT_THAT(Filter("year == 2026"), HasSubstr("at byte 6: expected a value; equality is asked for with one ="));
  EXPECT_THAT(Filter("year=2026 and source=a"),
              HasSubstr("at byte 10: expected a field name, not \"and\"; the operator is AND"));
  EXPECT_THAT(Filter("not year=2026"), HasSubstr("the operator is NOT"));
  EXPECT_THAT(Filter("year=2026 && source=a"), HasSubstr("not \"&&\"; the operator is AND"));
  EXPECT_THAT(Filter("year=2026 || source=a"), HasSubstr("not \"||\"; the operator is OR"));
  EXPECT_THAT(Filter("source = “CNN”"), HasSubstr("at byte 9: expected a value; strings stand in \" or ', not in “"));
  EXPECT_THAT(Filter("publish_time > 2026-02-30"), HasSubstr("at byte 15: \"2026-02-30\" is no time"));
}

TEST_F(QueryParserTest, AFilterRefusesValuesThatNoArticleCanHave) {
  for (const char* value : {"twothousand", "26", "20261", "2026-01", "\" 2026\""}) {
    for (const char* comparison : {"=", "!=", ":", "<", ">="}) {
      EXPECT_THAT(Filter(absl::StrCat("year ", comparison, " ", value)), HasSubstr("is no year such as \"2026\""))
          << value;
    }
  }
  for (const char* value : {"13", "2022-6", "2022-13", "2022-00", "2022", "2022-06-01"}) {
    EXPECT_THAT(Filter(absl::StrCat("month = \"", value, "\"")), HasSubstr("is no month such as \"2026-03\"")) << value;
  }
  EXPECT_EQ(Filter("year >= 2025 month=2026-03"), "(after:2025-01-01 AND month:2026-03)");
  EXPECT_THAT(Filter("author:*"), HasSubstr("at byte 7: expected a value of author"));
  EXPECT_THAT(Filter("attributes.series = *"), HasSubstr("expected a value"));
  EXPECT_EQ(Filter("author:\"*\""), "author:\"*\"");
}

TEST_F(QueryParserTest, NoTextHoweverStrangeBreaksTheParsers) {
  const std::vector<std::string> pieces = {"iran",    "\"",          "(",
                                           ")",       "-",           "AND",
                                           "OR",      "NOT",         " ",
                                           ":",       "title:",      "country:",
                                           "before:", "*",           "'",
                                           "中国",    "إيران",       "\\",
                                           "=",       ">=",          "publish_time",
                                           "\n",      "2026-02-30",  "NEAR",
                                           "NEAR/3",  "newer_than:", "7d",
                                           "U.S.",    "don't",       "\xC3\xA9",
                                           ".",       "--",          "é̀"};
  std::mt19937 random(42);
  for (int i = 0; i < 20'000; ++i) {
    std::string text;
    const size_t count = random() % 24;
    for (size_t k = 0; k < count; ++k)
      absl::StrAppend(&text, pieces[random() % pieces.size()], random() % 3 == 0 ? " " : "");
    const auto mode = static_cast<MatchMode>(random() % 3);
    const absl::StatusOr<ParsedQuery> parsed = ParseQuery(text, mode, "", names_, kNow, analyzer_);
    ASSERT_TRUE(parsed.ok() || absl::IsInvalidArgument(parsed.status())) << text;
    const absl::StatusOr<QueryNode> filter = ParseFilter(text, names_);
    ASSERT_TRUE(filter.ok() || absl::IsInvalidArgument(filter.status())) << text;
  }
}

}  // namespace
}  // namespace dateline::search
