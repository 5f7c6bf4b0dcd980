#include "common/rpc/signals.h"

#include <pthread.h>
#include <signal.h>

#include <cerrno>

namespace dateline::common::rpc {
namespace {

sigset_t Ending() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  return signals;
}

sigset_t Awaited(TerminationSignals::Hangup hangup) {
  sigset_t signals = Ending();
  if (hangup == TerminationSignals::Hangup::kReload) {
    sigaddset(&signals, SIGHUP);
  }
  return signals;
}

}  // namespace

TerminationSignals::TerminationSignals(Hangup hangup) : hangup_(hangup) {
  const sigset_t signals = Awaited(hangup);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  struct sigaction ignore = {};
  ignore.sa_handler = SIG_IGN;
  sigaction(SIGPIPE, &ignore, nullptr);
  // A shell starts background jobs with SIGINT ignored, nohup does so with SIGHUP, and an ignored signal never reaches
  // sigwait.
  struct sigaction standard = {};
  standard.sa_handler = SIG_DFL;
  sigaction(SIGINT, &standard, nullptr);
  sigaction(SIGTERM, &standard, nullptr);
  if (hangup == Hangup::kReload) {
    sigaction(SIGHUP, &standard, nullptr);
  }
}

int TerminationSignals::Wait() const {
  const sigset_t signals = Awaited(hangup_);
  int number = 0;
  while (sigwait(&signals, &number) == EINTR) {
  }
  return number;
}

void TerminationSignals::Restore() const {
  const sigset_t signals = Ending();
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
}

}  // namespace dateline::common::rpc
