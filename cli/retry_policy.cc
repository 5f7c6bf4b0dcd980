#include "cli/retry_policy.h"

#include <algorithm>
#include <cmath>

#include "absl/random/distributions.h"

#include "common/error.h"

namespace dateline::cli {

bool IsRetryable(const absl::Status& error) {
  return absl::IsUnavailable(error) || (absl::IsResourceExhausted(error) && common::RetryDelayOf(error).has_value());
}

bool IsRetryableStream(const absl::Status& error) {
  // Internal: a connection that breaks in the middle of a message (RST_STREAM).
  return IsRetryable(error) || absl::IsDeadlineExceeded(error) || absl::IsCancelled(error) || absl::IsAborted(error) ||
         absl::IsInternal(error);
}

std::optional<absl::Duration> Backoff::NextDelay(const absl::Status& error, absl::Time now) {
  const double growth = std::pow(policy_.multiplier, std::min(failures_, 30));
  ++failures_;
  absl::Duration delay = std::min(policy_.initial_delay * growth, policy_.max_delay);
  delay *= absl::Uniform(random_, 0.8, 1.2);
  if (const std::optional<absl::Duration> asked = common::RetryDelayOf(error)) delay = std::max(delay, *asked);
  if (now + delay > last_success_ + policy_.give_up_after) return std::nullopt;
  return delay;
}

void Backoff::Succeeded(absl::Time now) {
  last_success_ = now;
  failures_ = 0;
}

}  // namespace dateline::cli
