#include "common/rpc/signals.h"

#include <pthread.h>
#include <signal.h>

#include <cerrno>

namespace dateline::common::rpc {
namespace {

sigset_t Signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  return signals;
}

}  // namespace

TerminationSignals::TerminationSignals() {
  const sigset_t signals = Signals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  struct sigaction ignore = {};
  ignore.sa_handler = SIG_IGN;
  sigaction(SIGPIPE, &ignore, nullptr);
  // A shell starts background jobs with SIGINT ignored, and an ignored signal never reaches sigwait.
  struct sigaction standard = {};
  standard.sa_handler = SIG_DFL;
  sigaction(SIGINT, &standard, nullptr);
  sigaction(SIGTERM, &standard, nullptr);
}

int TerminationSignals::Wait() const {
  const sigset_t signals = Signals();
  int number = 0;
  while (sigwait(&signals, &number) == EINTR) {
  }
  return number;
}

void TerminationSignals::Restore() const {
  const sigset_t signals = Signals();
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
}

}  // namespace dateline::common::rpc
