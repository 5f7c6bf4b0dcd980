#include "cli/interrupt.h"

#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>

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

}  // namespace dateline::cli
