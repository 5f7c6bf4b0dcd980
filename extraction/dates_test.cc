#include "extraction/dates.h"

#include <optional>
#include <string>

#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace dateline::extraction {
namespace {

std::string Found(absl::string_view text) {
  const std::optional<ParsedDate> date = FindDate(text);
  if (!date) {
    return "none";
  }
  return absl::FormatTime(date->precision == TimePrecision::kDay ? "%Y-%m-%d" : "%Y-%m-%dT%H:%M:%SZ", date->time,
                          absl::UTCTimeZone());
}

TEST(FindDateTest, ReadsIso8601) {
  EXPECT_EQ(Found("2023-09-19"), "2023-09-19");
  EXPECT_EQ(Found("20230919"), "2023-09-19");
  EXPECT_EQ(Found("2023/09/19"), "2023-09-19");
  EXPECT_EQ(Found("2023-09-19T10:30:05Z"), "2023-09-19T10:30:05Z");
  EXPECT_EQ(Found("2023-09-19T10:30:05.123+02:00"), "2023-09-19T08:30:05Z");
  EXPECT_EQ(Found("2023-09-19 10:30 -0500"), "2023-09-19T15:30:00Z");
  EXPECT_EQ(Found("2023-01-01T00:30:00+02:00"), "2022-12-31T22:30:00Z");
}

TEST(FindDateTest, ReadsRfc822) {
  EXPECT_EQ(Found("Tue, 19 Sep 2023 10:30:05 GMT"), "2023-09-19T10:30:05Z");
  EXPECT_EQ(Found("19 Sep 2023 10:30:05 +0200"), "2023-09-19T08:30:05Z");
  EXPECT_EQ(Found("Sat, 07 Sep 02 00:00:01 EST"), "2002-09-07T05:00:01Z");
}

TEST(FindDateTest, ReadsProse) {
  EXPECT_EQ(Found("September 19, 2023"), "2023-09-19");
  EXPECT_EQ(Found("Sept. 19th 2023"), "2023-09-19");
  EXPECT_EQ(Found("19 September 2023"), "2023-09-19");
  EXPECT_EQ(Found("Published on Tuesday, 19 September, 2023 | 5 min read"), "2023-09-19");
  EXPECT_EQ(Found("September 19, 2023 at 3:05 p.m. EDT"), "2023-09-19T19:05:00Z");
  EXPECT_EQ(Found("19. März 2023"), "2023-03-19");
  EXPECT_EQ(Found("19.3.2023"), "2023-03-19");
  EXPECT_EQ(Found("1er août 2023"), "2023-08-01");
  EXPECT_EQ(Found("19 de septiembre de 2023"), "2023-09-19");
  EXPECT_EQ(Found("19 سبتمبر 2023"), "2023-09-19");
}

TEST(FindDateTest, ATimeWithoutAZoneIsDropped) { EXPECT_EQ(Found("2023-09-19T23:30:00"), "2023-09-19"); }

TEST(FindDateTest, DatesThatReadTwoWaysAreNoDates) {
  EXPECT_EQ(Found("3/4/2023"), "none");
  EXPECT_EQ(Found("19/9/2023"), "2023-09-19");
  EXPECT_EQ(Found("9/19/2023"), "2023-09-19");
  EXPECT_EQ(Found("4/4/2023"), "2023-04-04");
}

TEST(FindDateTest, OtherNumbersAreNoDates) {
  for (const char* text : {"", "2023", "May 2023", "30 February 2023", "2023-13-01", "12345678", "1.2.3.2023",
                           "In March 15 were seen", "99999999999999999999-01-01", "32 May 2020", "version 2.0.2023x"}) {
    EXPECT_EQ(Found(text), "none") << text;
  }
}

TEST(FindDateTest, SaysWhereTheDateStands) {
  const absl::string_view text = "Posted 19 September 2023, late";
  const std::optional<ParsedDate> date = FindDate(text);
  ASSERT_TRUE(date.has_value());
  EXPECT_EQ(text.substr(date->start, date->end - date->start), "19 September 2023");
}

TEST(IsPlausibleTimeTest, BoundsAreThoseOfTheContract) {
  const absl::Time now = absl::FromCivil(absl::CivilDay(2024, 1, 1), absl::UTCTimeZone());
  EXPECT_TRUE(IsPlausibleTime(absl::FromCivil(absl::CivilDay(1400, 1, 1), absl::UTCTimeZone()), now));
  EXPECT_FALSE(IsPlausibleTime(absl::FromCivil(absl::CivilDay(1399, 12, 31), absl::UTCTimeZone()), now));
  EXPECT_TRUE(IsPlausibleTime(now + absl::Hours(24 * 365), now));
  EXPECT_FALSE(IsPlausibleTime(now + absl::Hours(24 * 400), now));
}

}  // namespace
}  // namespace dateline::extraction
