#include "search_service/retention.h"

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace dateline::search {
namespace {

constexpr char kAllOthers[] = "*";
constexpr double kMaxDays = 100'000.0;

}  // namespace

absl::StatusOr<Retention> Retention::Parse(const std::vector<std::string>& rules) {
  Retention retention;
  for (const std::string& rule : rules) {
    // A source may have "=" in its name, a number of days not.
    const size_t sign = rule.rfind('=');
    double days = 0.0;
    const bool formed =
        sign != std::string::npos && absl::SimpleAtod(rule.substr(sign + 1), &days) && days > 0.0 && days <= kMaxDays;
    const std::string source(
        absl::StripAsciiWhitespace(absl::string_view(rule).substr(0, formed ? sign : std::string::npos)));
    if (!formed || source.empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat("\"", rule, "\" is not SOURCE=DAYS, such as \"Example Review=90\" or \"*=365\""));
    }
    const absl::Duration age = absl::Hours(24.0 * days);
    const bool is_new = source == kAllOthers ? !retention.other_age_ : retention.ages_.emplace(source, age).second;
    if (!is_new) return absl::InvalidArgumentError(absl::StrCat("\"", source, "\" has two rules"));
    if (source == kAllOthers) retention.other_age_ = age;
  }
  return retention;
}

absl::Time Retention::EndOf(const Article& article) const {
  const auto found = ages_.find(article.source);
  const std::optional<absl::Duration> age = found != ages_.end() ? std::optional(found->second) : other_age_;
  return age ? article.publish_time.value_or(article.create_time) + *age : absl::InfiniteFuture();
}

}  // namespace dateline::search
