#include "common/parallel.h"

#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace dateline::common {
namespace {

TEST(RunParallelTest, RunsEachTaskOnceOnAnyNumberOfThreads) {
  for (const int threads : {1, 3, 8}) {
    std::vector<int> runs(1000, 0);
    RunParallel(threads, runs.size(), [&](size_t i) { ++runs[i]; });
    EXPECT_THAT(runs, ::testing::Each(1)) << threads << " threads";
  }
}

TEST(RunParallelTest, NothingToDoIsDone) {
  RunParallel(4, 0, [](size_t /*i*/) { ADD_FAILURE() << "there is no task"; });
}

}  // namespace
}  // namespace dateline::common
