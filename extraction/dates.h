// Dates as pages write them. Internal to extraction/.
#ifndef DATELINE_EXTRACTION_DATES_H_
#define DATELINE_EXTRACTION_DATES_H_

#include <cstddef>
#include <optional>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

#include "extraction/extraction.h"

namespace dateline::extraction {

struct ParsedDate {
  absl::Time time;  // Midnight UTC if the precision is a day.
  TimePrecision precision = TimePrecision::kSecond;
  size_t start = 0;  // Where in the text the date stands: half-open range of bytes.
  size_t end = 0;
};

// The first date in `text` (its first 300 bytes): ISO 8601, RFC 822, "September 19, 2023", "19 September 2023",
// "19.9.2023", "2023年9月19日"; in the digits of any script, with the names of months of some forty languages as ICU
// has them, among them those of the Persian calendar. A time of day without a time zone is dropped: the precision is
// then a day. Dates that can be read in two ways ("3/4/2023") are no dates.
std::optional<ParsedDate> FindDate(absl::string_view text);

// Dates of a line such as "Published March 1, 2024, updated March 3, 2024". What the words around a date do not say to
// be that of a change is the publication's; but "Conference: 4 April 2026" holds none.
struct StatedDates {
  std::optional<ParsedDate> published;
  std::optional<ParsedDate> updated;

  // Takes from `other` what is not there yet.
  void FillFrom(const StatedDates& other) {
    published = published ? published : other.published;
    updated = updated ? updated : other.updated;
  }
};
StatedDates FindStatedDates(absl::string_view text);

// True if `words` ("Last updated:", "Aktualisiert am") say that the date after them is that of a change.
bool AnnouncesUpdate(absl::string_view words);

// True of nothing but dates, times of day and the words that announce them.
bool IsDateLine(absl::string_view line);

// True for the name of a month, or its abbreviation, in any of these languages.
bool IsMonthName(absl::string_view word);

// True of the times of publication that the contracts allow: not before the year 1400, and not more than a year after
// `now`.
bool IsAllowedTime(absl::Time time, absl::Time now);

// True if a publisher may have meant `time`: one of these, and not the zero of computers' clocks, 1 January 1970.
bool IsPlausibleTime(absl::Time time, absl::Time now);

}  // namespace dateline::extraction

#endif  // DATELINE_EXTRACTION_DATES_H_
