#include "common/worker_pool.h"

#include <atomic>
#include <future>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace dateline::common {
namespace {

TEST(WorkerPoolTest, RunsWhatItTook) {
  std::atomic<int> ran = 0;
  WorkerPool pool({.threads = 3, .queue_limit = 1000});
  for (int i = 0; i < 500; ++i) {
    ASSERT_TRUE(pool.TrySubmit([&ran] { ++ran; }));
  }
  pool.Shutdown();
  EXPECT_EQ(ran, 500);
}

TEST(WorkerPoolTest, SaysNoWhenTheQueueIsFull) {
  WorkerPool pool({.threads = 1, .queue_limit = 2});
  std::promise<void> started;
  std::promise<void> gate;
  ASSERT_TRUE(pool.TrySubmit([&] {
    started.set_value();
    gate.get_future().wait();
  }));
  started.get_future().wait();
  std::atomic<int> ran = 0;
  EXPECT_TRUE(pool.TrySubmit([&ran] { ++ran; }));
  EXPECT_TRUE(pool.TrySubmit([&ran] { ++ran; }));
  EXPECT_EQ(pool.queued(), 2U);
  EXPECT_FALSE(pool.TrySubmit([&ran] { ran += 100; }));
  gate.set_value();
  pool.Shutdown();
  EXPECT_EQ(ran, 2);
}

TEST(WorkerPoolTest, DestroysARefusedTask) {
  WorkerPool pool({.threads = 1, .queue_limit = 0});
  auto held = std::make_shared<int>(1);
  EXPECT_FALSE(pool.TrySubmit([held] {}));
  EXPECT_EQ(held.use_count(), 1);
}

TEST(WorkerPoolTest, TakesNothingAfterShutdown) {
  WorkerPool pool({.threads = 1, .queue_limit = 8});
  pool.Shutdown();
  EXPECT_FALSE(pool.TrySubmit([] {}));
  pool.Shutdown();
}

TEST(WorkerPoolTest, ShutdownWhileBusyDrains) {
  std::atomic<int> taken = 0;
  std::atomic<int> ran = 0;
  WorkerPool pool({.threads = 2, .queue_limit = 64});
  std::vector<std::thread> clients;
  for (int c = 0; c < 3; ++c) {
    clients.emplace_back([&] {
      for (int i = 0; i < 2000; ++i) {
        if (pool.TrySubmit([&ran] { ++ran; })) {
          ++taken;
        }
      }
    });
  }
  std::thread closer([&pool] { pool.Shutdown(); });
  pool.Shutdown();
  closer.join();
  for (std::thread& client : clients) {
    client.join();
  }
  EXPECT_EQ(ran, taken);
}

TEST(WorkerPoolTest, MovesOwnershipIntoTasks) {
  std::promise<int> answer;
  WorkerPool pool({.threads = 1, .queue_limit = 1});
  ASSERT_TRUE(pool.TrySubmit([&answer, value = std::make_unique<int>(7)] { answer.set_value(*value); }));
  EXPECT_EQ(answer.get_future().get(), 7);
}

}  // namespace
}  // namespace dateline::common
