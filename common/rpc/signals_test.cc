#include "common/rpc/signals.h"

#include <signal.h>
#include <unistd.h>

#include <cerrno>

#include "gtest/gtest.h"

namespace dateline::common::rpc {
namespace {

// A signal sent to a process may be taken by any of its threads that does not block it, and threads
// of other tests (gRPC's own among them) outlive those tests. What sends one to the whole process
// therefore does so in a process of its own, as a death test, and says by its exit code whether it
// saw what it should.

TEST(SignalsDeathTest, WaitReturnsTheSignalThatCame) {
  EXPECT_EXIT(
      {
        const TerminationSignals signals;
        ::kill(::getpid(), SIGTERM);
        const int first = signals.Wait();
        ::kill(::getpid(), SIGINT);
        const int second = signals.Wait();
        ::_exit(first == SIGTERM && second == SIGINT ? 0 : 1);
      },
      ::testing::ExitedWithCode(0), "");
}

TEST(SignalsDeathTest, AHangupIsOneMoreSignalWhereItMeansToReload) {
  EXPECT_EXIT(
      {
        const TerminationSignals signals(TerminationSignals::Hangup::kReload);
        ::kill(::getpid(), SIGHUP);
        ::kill(::getpid(), SIGHUP);
        const int first = signals.Wait();
        ::kill(::getpid(), SIGTERM);
        // Of two hangups that nobody waited for, one is kept.
        const int second = signals.Wait();
        ::_exit(first == SIGHUP && second == SIGTERM ? 0 : 1);
      },
      ::testing::ExitedWithCode(0), "");
}

TEST(SignalsDeathTest, AHangupEndsTheProcessWhereItMeansNothingElse) {
  EXPECT_EXIT(
      {
        sigset_t hangup;
        sigemptyset(&hangup);
        sigaddset(&hangup, SIGHUP);
        sigprocmask(SIG_UNBLOCK, &hangup, nullptr);  // Another test may have blocked it.
        const TerminationSignals signals;
        ::raise(SIGHUP);
      },
      ::testing::KilledBySignal(SIGHUP), "");
}

TEST(SignalsTest, WritingToAClosedPipeIsAnErrorAndNotTheEnd) {
  const TerminationSignals signals;
  int ends[2] = {};
  ASSERT_EQ(::pipe(ends), 0);
  ::close(ends[0]);
  EXPECT_EQ(::write(ends[1], "x", 1), -1);
  EXPECT_EQ(errno, EPIPE);
  ::close(ends[1]);
}

TEST(SignalsDeathTest, AfterRestoreTheNextSignalEndsTheProcess) {
  const TerminationSignals signals;
  EXPECT_EXIT(
      {
        signals.Restore();
        ::raise(SIGTERM);
      },
      ::testing::KilledBySignal(SIGTERM), "");
}

}  // namespace
}  // namespace dateline::common::rpc
