#include "classifier_service/taxonomy_diff.h"

#include <string>
#include <tuple>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/support/status_matchers.h"

namespace dateline::classifier {
namespace {

using Kind = TaxonomyChange::Kind;
using ::testing::ElementsAre;
using ::testing::FieldsAre;
using ::testing::IsEmpty;

std::string Issue(const std::string& id, const std::string& more = "", const std::string& name = "") {
  return absl::StrCat("issue { id: \"", id, "\" names { language: \"en\" display_name: \"", name.empty() ? id : name,
                      "\" } definition: \"d\" ", more, " }\n");
}

std::vector<TaxonomyChange> Diff(const std::string& before, const std::string& after) {
  const absl::StatusOr<Taxonomy> a = Taxonomy::Parse(absl::StrCat("version: \"1\"\n", before), "before");
  const absl::StatusOr<Taxonomy> b = Taxonomy::Parse(absl::StrCat("version: \"2\"\n", after), "after");
  EXPECT_OK(a);
  EXPECT_OK(b);
  return a.ok() && b.ok() ? DiffTaxonomies(*a, *b) : std::vector<TaxonomyChange>();
}

TEST(TaxonomyDiffTest, OrderAndCommentsChangeNothing) {
  EXPECT_THAT(Diff(absl::StrCat(Issue("a"), Issue("b")), absl::StrCat("# New order.\n", Issue("b"), Issue("a"))),
              IsEmpty());
}

TEST(TaxonomyDiffTest, IdsComeGoAndAreReplaced) {
  EXPECT_THAT(Diff(absl::StrCat(Issue("a"), Issue("b"), Issue("c")),
                   absl::StrCat(Issue("a"), Issue("b", "replaced_by: \"a\""), Issue("n", "", "New"))),
              ElementsAre(FieldsAre(Kind::kRetired, "b", "", "a"), FieldsAre(Kind::kAdded, "n", "", "New"),
                          FieldsAre(Kind::kRemoved, "c", "c", "")));
  EXPECT_THAT(Diff(absl::StrCat(Issue("a"), Issue("b", "replaced_by: \"a\"")), absl::StrCat(Issue("a"), Issue("b"))),
              ElementsAre(FieldsAre(Kind::kRevived, "b", "a", "")));
  EXPECT_THAT(Diff(absl::StrCat(Issue("a"), Issue("c"), Issue("b", "replaced_by: \"a\"")),
                   absl::StrCat(Issue("a"), Issue("c"), Issue("b", "replaced_by: \"c\""))),
              ElementsAre(FieldsAre(Kind::kReplaced, "b", "a", "c")));
}

TEST(TaxonomyDiffTest, NamesParentsAndLessonsAreToldApart) {
  const std::string french = "names { language: \"fr\" display_name: \"Commerce\" alias: \"Échanges\" } ";
  EXPECT_THAT(
      Diff(absl::StrCat(Issue("a"), Issue("t", french)),
           absl::StrCat(Issue("a"),
                        Issue("t", "parent: \"a\" seed_phrase: \"tariff\" iptc_media_topic: \"00000001\"", "Trade"))),
      ElementsAre(FieldsAre(Kind::kRenamed, "t", "t", "Trade"), FieldsAre(Kind::kTranslated, "t", "fr: Commerce", ""),
                  FieldsAre(Kind::kAliases, "t", "Échanges", ""), FieldsAre(Kind::kMoved, "t", "", "a"),
                  FieldsAre(Kind::kRetrained, "t", "", "“tariff”"),
                  FieldsAre(Kind::kCodes, "t", "IPTC ; CAP ", "IPTC 00000001; CAP ")));
}

TEST(TaxonomyDiffTest, WhatAnIssueLearnsFromIsNamed) {
  EXPECT_THAT(Diff(Issue("t", "seed_phrase: \"tariff\" seed_phrase: \"quota\""),
                   Issue("t", "seed_phrase: \"tariff\" seed_phrase: \"customs\" trained_from: \"trade\"")),
              ElementsAre(FieldsAre(Kind::kRetrained, "t", "label t, “quota”", "label trade, “customs”")));
}

TEST(TaxonomyDiffTest, OnlyIssuesThatAModelSaysNothingOfAreWithoutOne) {
  const auto without = [](const std::string& before, const std::string& after) {
    const absl::StatusOr<Taxonomy> a = Taxonomy::Parse(absl::StrCat("version: \"1\"\n", before), "before");
    const absl::StatusOr<Taxonomy> b = Taxonomy::Parse(absl::StrCat("version: \"2\"\n", after), "after");
    EXPECT_OK(a);
    EXPECT_OK(b);
    return a.ok() && b.ok() ? IssuesWithoutModel(*a, *b) : std::vector<std::string>();
  };
  const std::string both = absl::StrCat(Issue("a"), Issue("b"));
  EXPECT_THAT(without(both, absl::StrCat(both, Issue("n"))), ElementsAre("n"));
  EXPECT_THAT(without(both, Issue("a")), IsEmpty()) << "fewer issues need no other model";
  EXPECT_THAT(without(both, absl::StrCat(Issue("a"), Issue("b", "replaced_by: \"a\""))), IsEmpty());
  EXPECT_THAT(without(both, absl::StrCat(Issue("n"), Issue("b", "replaced_by: \"n\""))), IsEmpty())
      << "what stands for an issue is judged as that";
  EXPECT_THAT(without(both, Issue("coarse", "trained_from: \"a\" trained_from: \"b\"")), IsEmpty());
}

}  // namespace
}  // namespace dateline::classifier
