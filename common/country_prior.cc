#include "common/country_prior.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

#include "common/printable.h"
#include "common/status_macros.h"

namespace dateline::common {
namespace {

bool IsCountry(absl::string_view id) {
  return id.size() == 2 && absl::ascii_isupper(static_cast<unsigned char>(id[0])) &&
         absl::ascii_isupper(static_cast<unsigned char>(id[1]));
}

bool IsGroup(absl::string_view id) {
  return id.size() >= 2 && id.size() <= 64 && std::all_of(id.begin(), id.end(), [](unsigned char c) {
           return absl::ascii_islower(c) || absl::ascii_isdigit(c) || c == '_';
         });
}

absl::StatusOr<CountryPrior> ParseCountryPrior(const std::string& text) {
  const auto invalid = [&text](absl::string_view problem) {
    return absl::InvalidArgumentError(absl::StrCat("\"", Printable(text), "\" ", problem));
  };
  const size_t equals = text.find('=');
  if (equals == std::string::npos) {
    return invalid("has no amount; write for example IR=1.5");
  }
  CountryPrior prior;
  prior.id = text.substr(0, equals);
  prior.is_country = IsCountry(prior.id);
  if (!prior.is_country && !IsGroup(prior.id)) {
    return invalid("names no country or group; write a code in upper case (IR=1.5) or the id of a group (gcc=1)");
  }
  if (!absl::SimpleAtod(text.substr(equals + 1), &prior.log_odds) ||
      !(prior.log_odds >= -kMaxPriorLogOdds && prior.log_odds <= kMaxPriorLogOdds)) {
    return invalid(
        absl::StrCat("has no amount from ", -kMaxPriorLogOdds, " to ", kMaxPriorLogOdds, "; write for example IR=1.5"));
  }
  return prior;
}

}  // namespace

absl::StatusOr<std::vector<CountryPrior>> ParseCountryPriors(const std::vector<std::string>& texts) {
  if (texts.size() > kMaxCountryPriors) {
    return absl::InvalidArgumentError(
        absl::StrCat(texts.size(), " are given; at most ", kMaxCountryPriors, " are taken"));
  }
  std::vector<CountryPrior> priors;
  for (const std::string& text : texts) {
    ASSIGN_OR_RETURN(CountryPrior prior, ParseCountryPrior(text));
    for (const CountryPrior& other : priors) {
      if (other.id == prior.id) {
        return absl::InvalidArgumentError(absl::StrCat(prior.id, " is given twice; give it once"));
      }
    }
    priors.push_back(std::move(prior));
  }
  return priors;
}

}  // namespace dateline::common
