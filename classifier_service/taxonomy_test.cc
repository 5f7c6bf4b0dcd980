#include "classifier_service/taxonomy.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/error.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace dateline::classifier {
namespace {

using ::dateline::testing::StatusIs;
using ::dateline::testing::TempDir;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kDefault[] = "classifier_service/data/taxonomy/default.textproto";
constexpr char kThinkTank[] = "classifier_service/data/taxonomy/think_tank.textproto";

std::string IssueText(const std::string& id, const std::string& more) {
  return absl::StrCat("issue { id: \"", id, "\" names { language: \"en\" display_name: \"Name of ", id,
                      "\" } definition: \"d\" ", more, " }\n");
}

absl::StatusOr<Taxonomy> ParseIssues(const std::string& issues) {
  return Taxonomy::Parse(absl::StrCat("version: \"v\"\n", issues), "test.textproto");
}

TEST(TaxonomyTest, DefaultHoldsTwentyIssuesNamedInSixLanguages) {
  ASSERT_OK_AND_ASSIGN(const Taxonomy taxonomy, Taxonomy::Load(kDefault));
  EXPECT_EQ(taxonomy.LiveIssues().size(), 20U);
  for (const Issue* issue : taxonomy.LiveIssues()) {
    std::vector<std::string> languages;
    for (const IssueNames& names : issue->names) {
      languages.push_back(names.language_code);
    }
    EXPECT_THAT(languages, ElementsAre("en", "ar", "fr", "es", "de", "ru")) << issue->id;
    EXPECT_GE(issue->seed_phrases.size(), 10U) << issue->id;
    EXPECT_FALSE(issue->definition.empty()) << issue->id;
  }
}

TEST(TaxonomyTest, PresetForThinkTanksHoldsNineIssues) {
  ASSERT_OK_AND_ASSIGN(const Taxonomy taxonomy, Taxonomy::Load(kThinkTank));
  EXPECT_EQ(taxonomy.LiveIssues().size(), 9U);
  EXPECT_THAT(taxonomy.Find("security")->trained_from, ElementsAre("security", "terrorism", "nuclear"));
}

TEST(TaxonomyTest, FindsIssuesByAliasWhateverTheirCase) {
  ASSERT_OK_AND_ASSIGN(const Taxonomy taxonomy, Taxonomy::Load(kDefault));
  EXPECT_EQ(taxonomy.FindByName(" GREAT POWER competition ")->id, "geopolitics");
  EXPECT_EQ(taxonomy.FindByName("GÉOPOLITIQUE")->id, "geopolitics");
  EXPECT_EQ(taxonomy.FindByName("السياسة الخارجية")->id, "geopolitics");
  EXPECT_EQ(taxonomy.FindByName("geopolitics")->id, "geopolitics");
  EXPECT_EQ(taxonomy.FindByName("Gardening"), nullptr);
}

TEST(TaxonomyTest, DisplayNameFallsBackToBaseLanguageThenEnglish) {
  ASSERT_OK_AND_ASSIGN(const Taxonomy taxonomy, Taxonomy::Load(kDefault));
  EXPECT_EQ(taxonomy.DisplayName("health", "fr"), "Santé publique");
  EXPECT_EQ(taxonomy.DisplayName("health", "fr-CA"), "Santé publique");
  EXPECT_EQ(taxonomy.DisplayName("health", "ja"), "Public health");
  EXPECT_EQ(taxonomy.DisplayName("unheard_of", "en"), "unheard_of");
}

TEST(TaxonomyTest, RenamingKeepsTheFingerprintAndChangesTheContentHash) {
  ASSERT_OK_AND_ASSIGN(const Taxonomy before, ParseIssues(IssueText("a", "")));
  ASSERT_OK_AND_ASSIGN(const Taxonomy renamed,
                       ParseIssues(IssueText("a", "names { language: \"fr\" display_name: \"Autre\" }")));
  EXPECT_EQ(before.fingerprint(), renamed.fingerprint());
  EXPECT_NE(before.content_hash(), renamed.content_hash());
}

TEST(TaxonomyTest, AnotherIssueChangesTheFingerprint) {
  ASSERT_OK_AND_ASSIGN(const Taxonomy one, ParseIssues(IssueText("a", "")));
  ASSERT_OK_AND_ASSIGN(const Taxonomy two, ParseIssues(IssueText("a", "") + IssueText("b", "")));
  EXPECT_NE(one.fingerprint(), two.fingerprint());
}

TEST(TaxonomyTest, OrderOfTheFileDoesNotChangeTheFingerprint) {
  ASSERT_OK_AND_ASSIGN(const Taxonomy one, ParseIssues(IssueText("a", "") + IssueText("b", "")));
  ASSERT_OK_AND_ASSIGN(const Taxonomy two, ParseIssues(IssueText("b", "") + IssueText("a", "")));
  EXPECT_EQ(one.fingerprint(), two.fingerprint());
}

TEST(TaxonomyTest, RetiredIdsResolveToTheirReplacements) {
  ASSERT_OK_AND_ASSIGN(const Taxonomy taxonomy,
                       ParseIssues(IssueText("old", "replaced_by: \"older\" replaced_by: \"b\"") +
                                   IssueText("older", "replaced_by: \"a\"") + IssueText("a", "") + IssueText("b", "")));
  EXPECT_THAT(taxonomy.Resolve("old"), ElementsAre("b", "a"));
  EXPECT_THAT(taxonomy.Resolve("a"), ElementsAre("a"));
  EXPECT_THAT(taxonomy.Resolve("unheard_of"), IsEmpty());
  EXPECT_EQ(taxonomy.LiveIssues().size(), 2U);
}

TEST(TaxonomyTest, ParentsStandBeforeChildren) {
  ASSERT_OK_AND_ASSIGN(const Taxonomy taxonomy,
                       ParseIssues(IssueText("child", "parent: \"top\"") + IssueText("top", "")));
  EXPECT_EQ(taxonomy.issues()[0].id, "top");
  EXPECT_EQ(taxonomy.issues()[1].id, "child");
}

TEST(TaxonomyTest, MissingFileIsNotFoundWithRemedy) {
  EXPECT_THAT(Taxonomy::Load("/nonexistent/taxonomy"),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("give the path of a taxonomy")));
}

TEST(TaxonomyTest, FolderIsNotFound) {
  const TempDir dir;
  EXPECT_THAT(Taxonomy::Load(dir.path()), StatusIs(absl::StatusCode::kNotFound));
}

TEST(TaxonomyTest, BrokenTextNamesTheLine) {
  EXPECT_THAT(
      Taxonomy::Parse("version: \"v\"\nissue { id: \"a\" colour: 3 }", "my.textproto"),
      StatusIs(absl::StatusCode::kInvalidArgument, AllOf(HasSubstr("my.textproto:2: column "), HasSubstr("colour"))));
}

TEST(TaxonomyTest, BinaryGarbageIsInvalid) {
  EXPECT_THAT(Taxonomy::Parse(std::string(1000, '\x01'), "x"), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(TaxonomyTest, EmptyFileNeedsAVersion) {
  EXPECT_THAT(Taxonomy::Parse("", "x"), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("version")));
}

struct BadCase {
  const char* name;
  std::string issues;
  const char* message;
};

class BadTaxonomyTest : public ::testing::TestWithParam<BadCase> {};

TEST_P(BadTaxonomyTest, IsRefusedNamingTheIssue) {
  EXPECT_THAT(ParseIssues(GetParam().issues),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(GetParam().message)));
}

INSTANTIATE_TEST_SUITE_P(
    All, BadTaxonomyTest,
    ::testing::Values(
        BadCase{"NoIssues", "", "no issues"},
        BadCase{"BadId", IssueText("Big Id", ""), "issue \"Big Id\": the id must be"},
        BadCase{"Twice", IssueText("a", "") + IssueText("a", ""), "issue \"a\" is defined twice"},
        BadCase{"NoEnglish", "issue { id: \"a\" names { language: \"fr\" display_name: \"A\" } definition: \"d\" }",
                "issue \"a\": no English name"},
        BadCase{"NoDefinition", "issue { id: \"a\" names { language: \"en\" display_name: \"A\" } }",
                "issue \"a\": no definition"},
        BadCase{"UnknownParent", IssueText("a", "parent: \"b\""), "issue \"a\": parent \"b\" is not defined"},
        BadCase{"CircularParents", IssueText("a", "parent: \"b\"") + IssueText("b", "parent: \"a\""),
                "test.textproto:2: issue \"a\": its parents form a circle"},
        BadCase{"UnknownReplacement", IssueText("a", "replaced_by: \"b\""), "replaced_by \"b\" is not defined"},
        BadCase{"CircularReplacements",
                IssueText("a", "replaced_by: \"b\"") + IssueText("b", "replaced_by: \"a\"") + IssueText("c", ""),
                "test.textproto:2: issue \"a\": its replacements form a circle"},
        BadCase{
            "SharedAlias",
            IssueText("a", "names { language: \"fr\" display_name: \"A\" alias: \"Name of b\" }") + IssueText("b", ""),
            "test.textproto:3: issue \"b\": the name \"Name of b\" belongs to issue \"a\" of line 2"},
        BadCase{"RetiredParent",
                IssueText("a", "parent: \"b\"") + IssueText("b", "replaced_by: \"c\"") + IssueText("c", ""),
                "test.textproto:2: issue \"a\": parent \"b\" is retired"},
        BadCase{"NoLanguageTag", IssueText("a", "names { language: \"french\" display_name: \"A\" }"),
                "language \"french\" is no BCP 47 tag"},
        BadCase{"EmptyAlias", IssueText("a", "names { language: \"fr\" display_name: \"A\" alias: \" \" }"),
                "an alias is empty"},
        BadCase{"NoMediaTopic", IssueText("a", "iptc_media_topic: \"12\""),
                "iptc_media_topic \"12\" has not eight digits"},
        BadCase{"NoAgendasCode", IssueText("a", "comparative_agendas_code: \"x\""), "comparative_agendas_code \"x\""},
        BadCase{"NotUtf8", IssueText("a", "notes: \"\\377\""),
                "test.textproto:2: issue 1 of the file holds what is not UTF-8"},
        BadCase{"LanguageTwice", IssueText("a", "names { language: \"en\" display_name: \"A\" }"),
                "two names blocks for language \"en\""}),
    [](const ::testing::TestParamInfo<BadCase>& test) { return test.param.name; });

TEST(TaxonomyTest, EveryIssueThatIsWrongIsNamedByItsLine) {
  const absl::Status status =
      Taxonomy::Parse(
          "version: \"v\"\n"
          "issue { id: \"Bad Id\" names { language: \"en\" display_name: \"A\" } definition: \"a\" }\n"
          "issue { id: \"b\" names { language: \"en\" display_name: \"B\" } definition: \"b\"\n"
          "  parent: \"none\" }\n"
          "issue { id: \"c\" definition: \"c\" }\n",
          "t.textproto")
          .status();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("t.textproto:2: issue \"Bad Id\"")));
  std::vector<std::string> places;
  for (const common::FieldViolation& problem : common::FieldViolationsOf(status)) places.push_back(problem.field);
  EXPECT_THAT(places, ::testing::UnorderedElementsAre("t.textproto:2", "t.textproto:3", "t.textproto:5"));
}

// Everything that is wrong, "PLACE: PROBLEM" each.
std::vector<std::string> ProblemsOf(const absl::Status& status) {
  std::vector<std::string> problems;
  for (const common::FieldViolation& problem : common::FieldViolationsOf(status)) {
    problems.push_back(absl::StrCat(problem.field, ": ", problem.description));
  }
  return problems;
}

// A field that doesn't exist, faults of one issue and faults between issues: nobody mends them one run after another.
TEST(TaxonomyTest, FaultsOfAllKindsAreNamedAtOnceInTheOrderOfTheFile) {
  const absl::Status status =
      Taxonomy::Parse("issue { id: \"Bad Id\" colour: 3 iptc_media_topic: \"12\" }\n" +
                          IssueText("a", "parent: \"b\"") + IssueText("b", "parent: \"a\"") +
                          IssueText("c", "parent: \"none\" hue { deep: [1, 2] }") +
                          IssueText("d", "replaced_by: \"e\"") + IssueText("e", "replaced_by: \"d\"") +
                          IssueText("f", "names { language: \"fr\" display_name: \"Name of c\" }") +
                          IssueText("f", "notes: \"\\377\"") + IssueText("g", "replaced_by: \"none\""),
                      "t")
          .status();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("(and 15 more)")));
  EXPECT_THAT(
      ProblemsOf(status),
      ElementsAre(
          AllOf(HasSubstr("t:1: column "), HasSubstr("\"colour\"")), HasSubstr("t:1: no version"),
          HasSubstr("t:1: issue \"Bad Id\": the id must be"), HasSubstr("t:1: issue \"Bad Id\": no English name"),
          HasSubstr("t:1: issue \"Bad Id\": no definition"), HasSubstr("t:1: issue \"Bad Id\": iptc_media_topic"),
          HasSubstr("t:2: issue \"a\": its parents form a circle"),
          HasSubstr("t:3: issue \"b\": its parents form a circle"),
          AllOf(HasSubstr("t:4: column "), HasSubstr("\"hue\"")),
          HasSubstr("t:4: issue \"c\": parent \"none\" is not defined"),
          HasSubstr("t:5: issue \"d\": its replacements form a circle"),
          HasSubstr("t:6: issue \"e\": its replacements form a circle"),
          HasSubstr("t:7: issue \"f\": the name \"Name of c\" belongs to issue \"c\" of line 4"),
          HasSubstr("t:8: issue 8 of the file holds what is not UTF-8"), HasSubstr("t:8: issue \"f\" is defined twice"),
          HasSubstr("t:9: issue \"g\": replaced_by \"none\" is not defined")));
}

TEST(TaxonomyTest, WhatStandsBeforeBrokenSyntaxIsCheckedAllTheSame) {
  const absl::Status status = Taxonomy::Parse(IssueText("Bad Id", "") + IssueText("b", "parent: \"later\"") +
                                                  "issue { id \"c\" }\n" + IssueText("later", ""),
                                              "t")
                                  .status();
  EXPECT_THAT(ProblemsOf(status), ElementsAre(HasSubstr("t:1: issue \"Bad Id\": the id must be"),
                                              AllOf(HasSubstr("t:3: column 12: "), HasSubstr("compare with"))));
}

TEST(TaxonomyTest, AsManyProblemsAreListedAsOneReads) {
  std::string text = "version: \"v\"\n";
  for (int i = 0; i < 2'000; ++i) {
    text += "colour: 1\n";
  }
  const std::vector<std::string> problems = ProblemsOf(Taxonomy::Parse(text, "t").status());
  ASSERT_EQ(problems.size(), 101U);
  EXPECT_EQ(problems.back(), "t: and 1901 more");
}

TEST(TaxonomyTest, DeepNestingInWhatIsUnknownIsRefused) {
  EXPECT_THAT(Taxonomy::Parse(absl::StrCat("x: ", std::string(1'000'000, '[')), "t"),
              StatusIs(absl::StatusCode::kInvalidArgument));
  std::string nested;
  for (int i = 0; i < 1'000'000; ++i) {
    nested += "x{";
  }
  EXPECT_THAT(Taxonomy::Parse(nested, "t"), StatusIs(absl::StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace dateline::classifier
