#include "cli/taxonomy_names.h"

#include <string>

#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"

#include "tests/support/status_matchers.h"

namespace dateline::cli {
namespace {

using ::dateline::testing::IsOkAndHolds;
using ::dateline::testing::StatusIs;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Optional;

TaxonomyNames Names() {
  classifier::v1::GetTaxonomyResponse taxonomy;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(
      R"pb(
        regions {
          region_code: "IR"
          names { language_code: "en" display_name: "Iran" aliases: "Islamic Republic of Iran" }
          names { language_code: "ru" display_name: "Иран" }
        }
        regions {
          region_code: "IQ"
          names { language_code: "en" display_name: "Iraq" }
        }
        regions {
          region_code: "GB"
          names { language_code: "en" display_name: "United Kingdom" aliases: "UK" aliases: "IR" }
        }
        regions {
          region_code: "CI"
          names { language_code: "en" display_name: "Côte d’Ivoire" aliases: "Ivory Coast" }
        }
        regions {
          region_code: "CD"
          names { language_code: "en" display_name: "DR Congo" aliases: "Congo" }
        }
        regions {
          region_code: "CG"
          names { language_code: "en" display_name: "Congo-Brazzaville" aliases: "Congo" }
        }
        groups {
          group_id: "eu"
          names { language_code: "en" display_name: "European Union" aliases: "EU" }
        }
        issues {
          issue_id: "geopolitics"
          names { language_code: "en" display_name: "Geopolitics" }
        }
        issues {
          issue_id: "climate"
          names { language_code: "en" display_name: "Climate, environment, water & food" }
        }
      )pb",
      &taxonomy));
  return TaxonomyNames(taxonomy);
}

TEST(CodesByFormTest, PutsCodesAndIdsIntoTheirCase) {
  EXPECT_THAT(CodesByForm(LabelKind::kCountry, "ir, RU,om"), Optional(ElementsAre("IR", "RU", "OM")));
  EXPECT_THAT(CodesByForm(LabelKind::kIssue, "Geopolitics,human_rights"),
              Optional(ElementsAre("geopolitics", "human_rights")));
  EXPECT_THAT(CodesByForm(LabelKind::kGroup, "GCC"), Optional(ElementsAre("gcc")));
  EXPECT_THAT(CodesByForm(LabelKind::kCountry, " ,"), Optional(IsEmpty()));
}

TEST(CodesByFormTest, LeavesNamesToTheTaxonomy) {
  EXPECT_EQ(CodesByForm(LabelKind::kCountry, "Iran"), std::nullopt);
  EXPECT_EQ(CodesByForm(LabelKind::kCountry, "IR,Iran"), std::nullopt);
  EXPECT_EQ(CodesByForm(LabelKind::kCountry, "I1"), std::nullopt);
  EXPECT_EQ(CodesByForm(LabelKind::kIssue, "Armed conflict"), std::nullopt);
}

TEST(TaxonomyNamesTest, KnowsCodesNamesAndAliasesWhateverTheirCase) {
  const TaxonomyNames names = Names();
  EXPECT_THAT(names.Codes(LabelKind::kCountry, "ir"), IsOkAndHolds(ElementsAre("IR")));
  EXPECT_THAT(names.Codes(LabelKind::kCountry, "iran,IRAQ"), IsOkAndHolds(ElementsAre("IR", "IQ")));
  EXPECT_THAT(names.Codes(LabelKind::kCountry, "islamic  republic of IRAN"), IsOkAndHolds(ElementsAre("IR")));
  EXPECT_THAT(names.Codes(LabelKind::kCountry, "ИРАН"), IsOkAndHolds(ElementsAre("IR")));
  EXPECT_THAT(names.Codes(LabelKind::kCountry, "cote d’ivoire"), IsOkAndHolds(ElementsAre("CI")));
  EXPECT_THAT(names.Codes(LabelKind::kIssue, "GeoPolitics"), IsOkAndHolds(ElementsAre("geopolitics")));
  EXPECT_THAT(names.Codes(LabelKind::kGroup, "EU"), IsOkAndHolds(ElementsAre("eu")));
}

TEST(TaxonomyNamesTest, NamesMayHoldCommas) {
  EXPECT_THAT(Names().Codes(LabelKind::kIssue, "geopolitics,Climate, environment,water & food"),
              IsOkAndHolds(ElementsAre("geopolitics", "climate")));
}

TEST(TaxonomyNamesTest, ACodeOutranksAnAliasOfAnother) {
  EXPECT_THAT(Names().Codes(LabelKind::kCountry, "IR,UK"), IsOkAndHolds(ElementsAre("IR", "GB")));
}

TEST(TaxonomyNamesTest, NamesTheLikeliestForWhatItDoesNotKnow) {
  const TaxonomyNames names = Names();
  EXPECT_THAT(
      names.Codes(LabelKind::kCountry, "Irann"),
      StatusIs(absl::StatusCode::kInvalidArgument, AllOf(HasSubstr("“Irann” is no country; did you mean Iran (IR)"),
                                                         HasSubstr("`dateline taxonomy --show countries`"))));
  EXPECT_THAT(names.Codes(LabelKind::kIssue, "geopolitcs"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("did you mean Geopolitics (geopolitics)?")));
  EXPECT_THAT(names.Codes(LabelKind::kCountry, "Atlantis"),
              StatusIs(absl::StatusCode::kInvalidArgument, Not(HasSubstr("did you mean"))));
}

TEST(TaxonomyNamesTest, SaysWhatElseSomethingIs) {
  EXPECT_THAT(Names().Codes(LabelKind::kCountry, "EU"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("no country, but a group: --group eu")));
  EXPECT_THAT(Names().Codes(LabelKind::kCountry, "Geopolitics"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("but an issue: --issue geopolitics")));
}

TEST(TaxonomyNamesTest, DoesNotGuessBetweenTwo) {
  EXPECT_THAT(
      Names().Codes(LabelKind::kCountry, "Congo"),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("may be DR Congo (CD) or Congo-Brazzaville (CG)")));
}

}  // namespace
}  // namespace dateline::cli
