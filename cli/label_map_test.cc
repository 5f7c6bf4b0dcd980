#include "cli/label_map.h"

#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"

#include "tests/support/status_matchers.h"

namespace dateline::cli {
namespace {

using ::dateline::testing::StatusIs;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Optional;

TaxonomyNames Names() {
  classifier::v1::GetTaxonomyResponse taxonomy;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(
      R"pb(
        regions {
          region_code: "OM"
          names { language_code: "en" display_name: "Oman" }
        }
        groups {
          group_id: "gcc"
          names { language_code: "en" display_name: "Gulf" }
        }
        issues {
          issue_id: "security"
          names { language_code: "en" display_name: "Security" aliases: "Gulf" }
        }
        issues {
          issue_id: "trade"
          names { language_code: "en" display_name: "Trade" }
        }
      )pb",
      &taxonomy));
  return TaxonomyNames(taxonomy);
}

TEST(LabelMapTest, OneNameMayMeanSeveralThingsOrNothing) {
  ASSERT_OK_AND_ASSIGN(const LabelMap map, LabelMap::Parse("# Our desks.\n"
                                                           "Muscat Desk = Oman, issue:Trade , trade\n"
                                                           "\n"
                                                           "Opinion =   # says nothing\r\n",
                                                           Names()));
  EXPECT_THAT(map.Find("  muscat  DESK "),
              Optional(ElementsAre(LabelTarget{LabelKind::kCountry, "OM"}, LabelTarget{LabelKind::kIssue, "trade"})));
  EXPECT_THAT(map.Find("opinion"), Optional(IsEmpty()));
  EXPECT_EQ(map.Find("Muscat"), std::nullopt);
}

TEST(LabelMapTest, WhatIsWrongIsNamedWithItsLine) {
  EXPECT_THAT(LabelMap::Parse("\nGulf security", Names()),
              StatusIs(absl::StatusCode::kInvalidArgument, AllOf(HasSubstr("line 2"), HasSubstr("there is no ="))));
  EXPECT_THAT(LabelMap::Parse("A = gulf", Names()),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr("line 1"), HasSubstr("write group:gulf or issue:gulf"))));
  EXPECT_THAT(LabelMap::Parse("A = atlantis", Names()),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("“atlantis” is no country, group or issue")));
  EXPECT_THAT(LabelMap::Parse("A = country:trade", Names()),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("“trade” is no country")));
  EXPECT_THAT(LabelMap::Parse("A = OM\n a= trade", Names()),
              StatusIs(absl::StatusCode::kInvalidArgument, AllOf(HasSubstr("line 2"), HasSubstr("earlier line"))));
  EXPECT_THAT(LabelMap::Parse("= OM", Names()),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("no name before =")));
}

}  // namespace
}  // namespace dateline::cli
