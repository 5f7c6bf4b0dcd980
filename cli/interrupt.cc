#include "cli/interrupt.h"

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdint>

#include "absl/time/clock.h"

namespace dateline::cli {
namespace {

// Only what a signal handler may touch.
std::atomic<bool> interrupted{false};
std::atomic<int> descriptor{-1};
static_assert(std::atomic<bool>::is_always_lock_free && std::atomic<int>::is_always_lock_free);

void OnSignal(int /*signal*/) {
  const int saved_errno = errno;
  interrupted.store(true);
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(descriptor.load(), &one, sizeof(one));
  errno = saved_errno;
}

}  // namespace

void InstallInterruptHandler() {
  descriptor.store(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  struct sigaction action = {};
  action.sa_handler = OnSignal;
  // Reset after the first: a second Ctrl-C is the user's last word. No SA_RESTART: blocking calls return.
  action.sa_flags = SA_RESETHAND;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

bool Interrupted() { return interrupted.load(); }

int InterruptDescriptor() { return descriptor.load(); }

bool SleepUnlessInterrupted(absl::Duration duration) {
  constexpr absl::Duration kLongestPoll = absl::Hours(1);  // poll() counts milliseconds in an int.
  const absl::Time end = absl::Now() + duration;
  while (!Interrupted()) {
    const absl::Duration left = end - absl::Now();
    if (left <= absl::ZeroDuration()) return true;
    pollfd signal = {.fd = InterruptDescriptor(), .events = POLLIN, .revents = 0};
    const absl::Duration wait = std::min(absl::Ceil(left, absl::Milliseconds(1)), kLongestPoll);
    poll(&signal, 1, static_cast<int>(absl::ToInt64Milliseconds(wait)));
  }
  return false;
}

}  // namespace dateline::cli
