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

TEST(FindDateTest, ReadsTheMonthsOfManyLanguages) {
  EXPECT_EQ(Found("15 марта 2024 г."), "2024-03-15");
  EXPECT_EQ(Found("15 марта 2024 года в 10:30 МСК"), "2024-03-15T07:30:00Z");
  EXPECT_EQ(Found("15 березня 2024 р. о 10:30"), "2024-03-15");
  EXPECT_EQ(Found("15 marca 2024"), "2024-03-15");
  EXPECT_EQ(Found("15 Mart 2024"), "2024-03-15");
  EXPECT_EQ(Found("15 Μαρτίου 2024"), "2024-03-15");
  EXPECT_EQ(Found("15 मार्च 2024"), "2024-03-15");
  EXPECT_EQ(Found("2024. március 15."), "2024-03-15");
  EXPECT_EQ(Found("2024-Mar-15"), "2024-03-15");
  EXPECT_EQ(Found("15 mars 2024 à 08h15"), "2024-03-15");
  EXPECT_EQ(Found("15 de março de 2024, às 8h15"), "2024-03-15");
  EXPECT_EQ(Found("15. Jänner 2024"), "2024-01-15");
}

TEST(FindDateTest, ReadsArabicMonthsUnderAllTheirNames) {
  EXPECT_EQ(Found("١٥ مارس ٢٠٢٤"), "2024-03-15");
  EXPECT_EQ(Found("15 آذار 2024"), "2024-03-15");
  EXPECT_EQ(Found("٢ كانون الثاني ٢٠٢٤"), "2024-01-02");
  EXPECT_EQ(Found("2 تشرين الأول، 2024"), "2024-10-02");
  EXPECT_EQ(Found("15 مارس/آذار 2024"), "2024-03-15");
  EXPECT_EQ(Found("15 جانفي 2024"), "2024-01-15");
  EXPECT_EQ(Found("15 مارس/أيار 2024"), "none");
  EXPECT_EQ(Found("\u200F15\u200F مارس 2024"), "2024-03-15");
  EXPECT_EQ(Found("١٥/٣/٢٠٢٤"), "2024-03-15");
  EXPECT_EQ(Found("١٤٤٥/٩/٥"), "none");  // Of the Hijra.
}

TEST(FindDateTest, ReadsThePersianCalendar) {
  EXPECT_EQ(Found("۲۵ اسفند ۱۴۰۲"), "2024-03-15");
  EXPECT_EQ(Found("۱۴۰۲/۱۲/۲۵"), "2024-03-15");
  EXPECT_EQ(Found("30 اسفند 1403"), "2025-03-20");  // A leap year,
  EXPECT_EQ(Found("30 اسفند 1402"), "none");        // and none.
  EXPECT_EQ(Found("1402/12/25"), "none");           // In any calendar.
  EXPECT_EQ(Found("۱۵ مارس ۲۰۲۴"), "2024-03-15");
}

TEST(FindDateTest, ReadsChineseJapaneseAndKorean) {
  EXPECT_EQ(Found("2024年3月15日"), "2024-03-15");
  EXPECT_EQ(Found("２０２４年０３月１５日"), "2024-03-15");
  EXPECT_EQ(Found("2024 年 3 月 15 日 星期五 10:30"), "2024-03-15");
  EXPECT_EQ(Found("2024年3月15日（金）9時30分 JST"), "2024-03-15T00:30:00Z");
  EXPECT_EQ(Found("2024年3月15日 午後3時 JST"), "2024-03-15T06:00:00Z");
  EXPECT_EQ(Found("令和6年3月15日"), "2024-03-15");
  EXPECT_EQ(Found("令和元年5月1日"), "2019-05-01");
  EXPECT_EQ(Found("2024년 3월 15일"), "2024-03-15");
  EXPECT_EQ(Found("2024年3月"), "none");
  EXPECT_EQ(Found("6年3月15日"), "none");
  EXPECT_EQ(Found("2024年2月30日"), "none");
}

TEST(FindDateTest, MidnightAtTheEndOfTheDayIsNoTime) {
  EXPECT_EQ(Found("2024-03-15T24:00:00Z"), "2024-03-15");
  EXPECT_EQ(Found("2024-03-15 24:00"), "2024-03-15");
  EXPECT_EQ(Found("2024年3月15日24時"), "2024-03-15");
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

std::string Stated(absl::string_view text) {
  const StatedDates dates = FindStatedDates(text);
  const auto day = [](const std::optional<ParsedDate>& date) {
    return date ? absl::FormatTime("%m-%d", date->time, absl::UTCTimeZone()) : "none";
  };
  return day(dates.published) + " " + day(dates.updated);
}

TEST(IsPlausibleTimeTest, TheZeroOfClocksIsNoDate) {
  const absl::Time now = absl::FromCivil(absl::CivilDay(2026, 1, 1), absl::UTCTimeZone());
  EXPECT_FALSE(IsPlausibleTime(absl::UnixEpoch(), now));
  EXPECT_FALSE(IsPlausibleTime(absl::UnixEpoch() - absl::Hours(8), now));
  EXPECT_TRUE(IsPlausibleTime(absl::UnixEpoch() + absl::Hours(24), now));
  EXPECT_TRUE(IsPlausibleTime(absl::UnixEpoch() - absl::Hours(24), now));
}

TEST(FindStatedDatesTest, WhatAnotherNameStandsBeforeIsNotTheTexts) {
  EXPECT_FALSE(FindStatedDates("Conference: 4 April 2026, Nairobi").published.has_value());
  EXPECT_FALSE(FindStatedDates("Applications close: 4 April 2026").published.has_value());
  EXPECT_TRUE(FindStatedDates("Conference: 4 April 2026. Published: 5 April 2026").published.has_value());
  for (const char* line : {"Date: 4 April 2026", "Released: 4 April 2026", "Datum: 4. April 2026",
                           "Online seit: 4.4.2026", "Posted on: 4 April 2026", "By Jane Roe 4 April 2026"}) {
    EXPECT_TRUE(FindStatedDates(line).published.has_value()) << line;
  }
}

TEST(FindStatedDatesTest, TellsAChangeFromThePublication) {
  EXPECT_EQ(Stated("March 1, 2024"), "03-01 none");
  EXPECT_EQ(Stated("Published March 1, 2024"), "03-01 none");
  EXPECT_EQ(Stated("Updated March 3, 2024"), "none 03-03");
  EXPECT_EQ(Stated("Last updated on 3 March 2024, 10:30 GMT"), "none 03-03");
  EXPECT_EQ(Stated("Last modified: 2024-03-03"), "none 03-03");
  EXPECT_EQ(Stated("Published March 1, 2024 | Updated March 3, 2024"), "03-01 03-03");
  EXPECT_EQ(Stated("March 1, 2024 (updated March 3, 2024)"), "03-01 03-03");
  EXPECT_EQ(Stated("Updated March 3, 2024; first published March 1, 2024"), "03-01 03-03");
  EXPECT_EQ(Stated("Zuletzt aktualisiert am 3. März 2024"), "none 03-03");
  EXPECT_EQ(Stated("Publié le 1er mars 2024, mis à jour le 3 mars 2024"), "03-01 03-03");
  EXPECT_EQ(Stated("Actualizado: 3 de marzo de 2024"), "none 03-03");
  EXPECT_EQ(Stated("Обновлено 3 марта 2024"), "none 03-03");
  EXPECT_EQ(Stated("Опубликовано 1 марта 2024 г."), "03-01 none");
  EXPECT_EQ(Stated("آخر تحديث: ٣ مارس ٢٠٢٤"), "none 03-03");
  EXPECT_EQ(Stated("2024年3月3日 10:00 更新"), "none 03-03");
  EXPECT_EQ(Stated("公開：2024年3月1日 更新：2024年3月3日"), "03-01 03-03");
  EXPECT_EQ(Stated("2024年3月1日公開 2024年3月3日更新"), "03-01 03-03");
  EXPECT_EQ(Stated("更新时间：2024-03-03 09:30"), "none 03-03");
  EXPECT_EQ(Stated("An outdated list of March 1, 2024"), "03-01 none");
}

TEST(IsDateLineTest, NothingButDatesAndWhatAnnouncesThem) {
  for (const char* line : {"Published March 1, 2024, updated March 3, 2024", "Freitag, 15. März 2024, 8.15 Uhr",
                           "15 марта 2024 г., пятница", "Обновлено: 15 марта 2024 в 10:30", "الجمعة 15 مارس 2024",
                           "15 березня 2024, п’ятниця", "2024年3月15日（金）9時30分", "2024年3月3日 10:00 更新",
                           "发布时间：2024-03-15 09:30", "2024년 3월 15일 금요일 오전 9:30", "venerdì 15 marzo 2024"}) {
    EXPECT_TRUE(IsDateLine(line)) << line;
  }
  for (const char* line : {"March", "Updated today", "2024年3月15日の地震", "The vote of March 1, 2024",
                           "15 марта 2024 погода", "15 March 2024 or 16 April 2024"}) {
    EXPECT_FALSE(IsDateLine(line)) << line;
  }
}

TEST(IsPlausibleTimeTest, BoundsAreThoseOfTheContract) {
  const absl::Time now = absl::FromCivil(absl::CivilDay(2024, 1, 1), absl::UTCTimeZone());
  EXPECT_TRUE(IsAllowedTime(absl::UnixEpoch(), now));
  EXPECT_FALSE(IsPlausibleTime(absl::UnixEpoch(), now));
  EXPECT_TRUE(IsPlausibleTime(absl::FromCivil(absl::CivilDay(1400, 1, 1), absl::UTCTimeZone()), now));
  EXPECT_FALSE(IsPlausibleTime(absl::FromCivil(absl::CivilDay(1399, 12, 31), absl::UTCTimeZone()), now));
  EXPECT_TRUE(IsPlausibleTime(now + absl::Hours(24 * 365), now));
  EXPECT_FALSE(IsPlausibleTime(now + absl::Hours(24 * 400), now));
}

}  // namespace
}  // namespace dateline::extraction
