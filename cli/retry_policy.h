// When to try again, and how long to wait before it.
#ifndef DATELINE_CLI_RETRY_POLICY_H_
#define DATELINE_CLI_RETRY_POLICY_H_

#include <optional>

#include "absl/random/random.h"
#include "absl/status/status.h"
#include "absl/time/time.h"

namespace dateline::cli {

struct RetryPolicy {
  absl::Duration initial_delay = absl::Milliseconds(100);
  absl::Duration max_delay = absl::Seconds(5);
  double multiplier = 2.0;
  // How long to go on after the last success (or the start). A wait that would end later is not begun.
  absl::Duration give_up_after = absl::Seconds(5);
};

// True if the same call may succeed a little later: Unavailable, and ResourceExhausted that says when. (One that does
// not say when is a limit on size, and trying again is of no use.)
bool IsRetryable(const absl::Status& error);

// The same for a stream whose items may be sent again: also what a server that restarts, or a broken connection, ends
// it with.
bool IsRetryableStream(const absl::Status& error);

// The waits between attempts: growing, with jitter so that many clients don't return as one, never shorter than what
// the server asked for. Not thread-safe.
class Backoff {
 public:
  Backoff(const RetryPolicy& policy, absl::Time now) : policy_(policy), last_success_(now) {}

  // How long to wait after `error` (which the caller has judged to be worth another attempt); nullopt to give up.
  std::optional<absl::Duration> NextDelay(const absl::Status& error, absl::Time now);
  // Something succeeded: the next wait is short again, and the time to give up counts from here.
  void Succeeded(absl::Time now);

 private:
  const RetryPolicy policy_;
  absl::Time last_success_;
  int failures_ = 0;
  absl::BitGen random_;
};

}  // namespace dateline::cli

#endif  // DATELINE_CLI_RETRY_POLICY_H_
