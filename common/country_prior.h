// What is said of a country before any article is read: its limits, and the value of the flag --prior.
#ifndef DATELINE_COMMON_COUNTRY_PRIOR_H_
#define DATELINE_COMMON_COUNTRY_PRIOR_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace dateline::common {

// As dateline.classifier.v1.CountryPrior, which states the limits.
struct CountryPrior {
  std::string id;           // A region code, or the id of a group.
  bool is_country = false;  // By the form of `id`: two capital letters.
  double log_odds = 0.0;
};

inline constexpr size_t kMaxCountryPriors = 20;
inline constexpr double kMaxPriorLogOdds = 2.0;

// Reads "IR=1.5" and "gcc=-0.5", one prior a text. InvalidArgument, quoting the text and saying what is right, for any
// other form, a number beyond +-kMaxPriorLogOdds, a target given twice, and too many. Whether there is such a country
// or group only a classifier knows.
absl::StatusOr<std::vector<CountryPrior>> ParseCountryPriors(const std::vector<std::string>& texts);

}  // namespace dateline::common

#endif  // DATELINE_COMMON_COUNTRY_PRIOR_H_
