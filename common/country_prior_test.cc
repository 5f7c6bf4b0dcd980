#include "common/country_prior.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/support/status_matchers.h"

namespace dateline::common {
namespace {

using ::dateline::testing::StatusIs;
using ::testing::HasSubstr;
using ::testing::SizeIs;

TEST(CountryPriorTest, ReadsCountriesAndGroups) {
  ASSERT_OK_AND_ASSIGN(const std::vector<CountryPrior> priors,
                       ParseCountryPriors({"IR=1.5", "eu=-2", "gulf_states=0"}));
  ASSERT_THAT(priors, SizeIs(3));
  EXPECT_EQ(priors[0].id, "IR");
  EXPECT_TRUE(priors[0].is_country);
  EXPECT_EQ(priors[0].log_odds, 1.5);
  EXPECT_EQ(priors[1].id, "eu");
  EXPECT_FALSE(priors[1].is_country);
  EXPECT_EQ(priors[1].log_odds, -2.0);
  EXPECT_EQ(priors[2].log_odds, 0.0);
}

TEST(CountryPriorTest, RefusesWhatIsNoneAndQuotesIt) {
  for (const std::string text :
       {"", "IR", "=1", "IR=", "IR=x", "IR=nan", "IR=inf", "IR=2.1", "IR=-2.1", "Iran=1", "i-r=1", "IR=1=2"}) {
    EXPECT_THAT(ParseCountryPriors({text}),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("\"" + text + "\"")));
  }
  EXPECT_THAT(ParseCountryPriors({"IR=1", "OM=1", "IR=1"}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("IR is given twice")));
  EXPECT_THAT(ParseCountryPriors(std::vector<std::string>(21, "IR=1")),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("at most 20")));
}

}  // namespace
}  // namespace dateline::common
