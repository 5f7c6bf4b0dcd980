#include "common/parallel.h"

#include <atomic>
#include <thread>
#include <vector>

namespace dateline::common {

void RunParallel(int threads, size_t count, absl::FunctionRef<void(size_t)> task) {
  std::atomic<size_t> next{0};
  const auto work = [&] {
    for (size_t i = next++; i < count; i = next++) {
      task(i);
    }
  };
  std::vector<std::thread> pool;
  for (int i = 1; i < threads; ++i) {
    pool.emplace_back(work);
  }
  work();
  for (std::thread& thread : pool) {
    thread.join();
  }
}

}  // namespace dateline::common
