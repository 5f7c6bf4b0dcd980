#include "common/rpc/signals.h"

#include <signal.h>
#include <unistd.h>

#include <cerrno>

#include "gtest/gtest.h"

namespace dateline::common::rpc {
namespace {

TEST(SignalsTest, WaitReturnsTheSignalThatCame) {
  const TerminationSignals signals;
  ASSERT_EQ(::kill(::getpid(), SIGTERM), 0);
  EXPECT_EQ(signals.Wait(), SIGTERM);
  ASSERT_EQ(::kill(::getpid(), SIGINT), 0);
  EXPECT_EQ(signals.Wait(), SIGINT);
}

TEST(SignalsTest, AHangupIsOneMoreSignalWhereItMeansToReload) {
  const TerminationSignals signals(TerminationSignals::Hangup::kReload);
  ASSERT_EQ(::kill(::getpid(), SIGHUP), 0);
  ASSERT_EQ(::kill(::getpid(), SIGHUP), 0);
  EXPECT_EQ(signals.Wait(), SIGHUP);
  ASSERT_EQ(::kill(::getpid(), SIGTERM), 0);
  EXPECT_EQ(signals.Wait(), SIGTERM) << "of two hangups that nobody waited for, one is kept";
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
