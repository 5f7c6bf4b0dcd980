#include "classifier_service/text_features.h"

#include <cmath>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/support/status_matchers.h"

namespace dateline::classifier {
namespace {

using ::dateline::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<std::string> Terms(absl::string_view title, absl::string_view body) {
  std::vector<std::string> terms;
  VisitTerms(title, body, [&](absl::string_view term) { terms.emplace_back(term); });
  return terms;
}

// Without the terms of the lead.
std::vector<std::string> BodyTerms(absl::string_view body) {
  std::vector<std::string> terms;
  for (std::string& term : Terms("", body)) {
    if (term.front() != kLeadMark) {
      terms.push_back(std::move(term));
    }
  }
  return terms;
}

TEST(TextFeaturesTest, WordsAreFoldedAndLeadTermsMarked) {
  EXPECT_THAT(Terms("", "Élysée talks"),
              ElementsAre("elysee", "^elysee", "talk", "^talk", "elysee talk", "^elysee talk"));
}

TEST(TextFeaturesTest, FunctionWordsAndNumbersCarryNothingAndEndPhrases) {
  EXPECT_THAT(BodyTerms("the war of 1991 oil"), ElementsAre("war", "oil"));
}

TEST(TextFeaturesTest, PunctuationEndsPhrases) {
  EXPECT_THAT(BodyTerms("oil, gas"), ElementsAre("oil", "gas"));
  EXPECT_THAT(BodyTerms("oil-gas"), ElementsAre("oil", "gas", "oil gas"));
  EXPECT_THAT(BodyTerms("oil\n\ngas"), ElementsAre("oil", "gas"));
}

TEST(TextFeaturesTest, PossessivesAndPluralsAreOneTerm) {
  EXPECT_THAT(BodyTerms("Iran’s policies; policy; Iran's wars"),
              ElementsAre("iran", "policy", "iran policy", "policy", "iran", "war", "iran war"));
  EXPECT_THAT(BodyTerms("crisis"), ElementsAre("crisis"));
}

TEST(TextFeaturesTest, AcronymsWithDotsStayTogether) {
  EXPECT_THAT(BodyTerms("U.S.-led U.N."), ElementsAre("u.s", "led", "u.s led", "u.n", "led u.n"));
}

TEST(TextFeaturesTest, ReadsThroughSignsThatNobodySees) {
  EXPECT_THAT(BodyTerms("nu\u00ADclear de\u200Bal"), ElementsAre("nuclear", "deal", "nuclear deal"));
  EXPECT_THAT(BodyTerms("a\u200Cto\u200Dmic\uFEFF; \u00ADoil\u2060 ta\u200Fx"),
              ElementsAre("atomic", "oil", "tax", "oil tax"));
  EXPECT_THAT(BodyTerms("Iran\u200B\u2019s po\u00ADli\u00ADcies"), ElementsAre("iran", "policy", "iran policy"));
  EXPECT_THAT(BodyTerms("\u202Aoil\u202C\u2014gas"), ElementsAre("oil", "gas"));
  EXPECT_THAT(BodyTerms("\u00AD\u200B"), IsEmpty());
}

TEST(TextFeaturesTest, SpansEndWithTheLastLetter) {
  ASSERT_OK_AND_ASSIGN(const Vocabulary vocabulary, Vocabulary::Create({"nuclear", "nuclear deal"}, {1.0F, 1.0F}));
  const std::string body = "a nu\u00ADclear\u200B de\u00ADal\u00AD";
  const TextFeatures features = ExtractFeatures(vocabulary, "", body);
  ASSERT_EQ(features.values.size(), 2U);
  EXPECT_EQ(features.values[0].span, (TextSpan{Field::kBody, 2, 11}));
  EXPECT_EQ(features.values[1].span, (TextSpan{Field::kBody, 2, 21}));
  EXPECT_EQ(body.substr(2, 19), "nu\u00ADclear\u200B de\u00ADal");
}

TEST(TextFeaturesTest, OnlyTheBeginningOfTheBodyIsLead) {
  std::string body;
  for (int i = 0; i < kLeadWords; ++i) {
    body += "lead ";
  }
  body += "treaty";
  const std::vector<std::string> terms = Terms("", body);
  EXPECT_THAT(terms, ::testing::Contains("treaty"));
  EXPECT_THAT(terms, ::testing::Not(::testing::Contains("^treaty")));
}

TEST(TextFeaturesTest, WordsBeyondTheLimitAreNotLookedAt) {
  std::string body;
  for (int i = 0; i < kMaxBodyWords; ++i) {
    body += "word ";
  }
  body += "treaty";
  EXPECT_THAT(Terms("", body), ::testing::Not(::testing::Contains("treaty")));
}

TEST(TextFeaturesTest, AnyBytesAreTaken) {
  EXPECT_THAT(BodyTerms("\xff\xfe oil \xc3"), ElementsAre("oil"));
  EXPECT_THAT(BodyTerms(std::string(1'000'000, 'a')), IsEmpty()) << "a word of a megabyte is none";
  EXPECT_THAT(BodyTerms(std::string("a\0b", 3)), IsEmpty());
}

TEST(TextFeaturesTest, EachHalfHasItsOwnLength) {
  ASSERT_OK_AND_ASSIGN(const Vocabulary vocabulary, Vocabulary::Create({"^oil", "gas", "oil"}, {1.0F, 2.0F, 3.0F}));
  const TextFeatures features = ExtractFeatures(vocabulary, "", "Oil, gas and more gas.");
  double whole = 0.0;
  double lead = 0.0;
  for (const TermValue& value : features.values) {
    (vocabulary.is_lead(value.term) ? lead : whole) +=
        static_cast<double>(value.value) * static_cast<double>(value.value);
  }
  EXPECT_NEAR(whole, 1.0, 1e-5);
  EXPECT_NEAR(std::sqrt(lead), 0.8, 1e-5);
}

TEST(TextFeaturesTest, ValuesSayWhereTheirTermsStandFirst) {
  ASSERT_OK_AND_ASSIGN(const Vocabulary vocabulary, Vocabulary::Create({"nuclear deal", "elan"}, {1.0F, 1.0F}));
  const std::string title = "Towards a Nuclear Deal";
  const TextFeatures features = ExtractFeatures(vocabulary, title, "Élan, a nuclear deal, and more élan.");
  ASSERT_EQ(features.values.size(), 2U);
  EXPECT_TRUE(features.values[0].phrase);
  EXPECT_EQ(features.values[0].span, (TextSpan{Field::kTitle, 10, 22}));
  EXPECT_EQ(features.values[0].count, 2);
  EXPECT_FALSE(features.values[1].phrase);
  EXPECT_EQ(features.values[1].span, (TextSpan{Field::kBody, 0, 5}));
  EXPECT_EQ(features.values[1].count, 2);
}

TEST(TextFeaturesTest, FindsWordsBehindAnAmpersandAmongOtherSigns) {
  EXPECT_THAT(BodyTerms("oil \u2013&\u00E9lan & gas"), ElementsAre("oil", "elan", "gas"));
}

TEST(TextFeaturesTest, ExtractionFindsEveryTermThatWasVisited) {
  const std::string title = "Oil prices & U.S. élites";
  const std::string body = "Saudi Arabia’s oil policies; the state-owned company, \"Aramco\", said Müller.";
  std::vector<std::string> terms = Terms(title, body);
  std::sort(terms.begin(), terms.end());
  terms.erase(std::unique(terms.begin(), terms.end()), terms.end());
  ASSERT_OK_AND_ASSIGN(const Vocabulary vocabulary, Vocabulary::Create(terms, std::vector<float>(terms.size(), 1.0F)));
  EXPECT_EQ(ExtractFeatures(vocabulary, title, body).values.size(), terms.size());
}

TEST(TextFeaturesTest, EmptyVocabularyFindsNothing) {
  EXPECT_THAT(ExtractFeatures(Vocabulary(), "oil", "gas").values, IsEmpty());
}

TEST(VocabularyTest, RefusesDoubleAndEmptyTermsAndUnevenLists) {
  EXPECT_THAT(Vocabulary::Create({"a", "a"}, {1.0F, 1.0F}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("stands twice")));
  EXPECT_THAT(Vocabulary::Create({""}, {1.0F}), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(Vocabulary::Create({"a"}, {}), StatusIs(absl::StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace dateline::classifier
