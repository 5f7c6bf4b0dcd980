#include "common/worker_pool.h"

#include <algorithm>
#include <utility>

namespace dateline::common {

WorkerPool::WorkerPool(const Options& options) : queue_limit_(options.queue_limit) {
  const MutexLock lock(join_mutex_);
  const int count = std::max(options.threads, 1);
  threads_.reserve(static_cast<size_t>(count));
  for (int i = 0; i < count; ++i) {
    threads_.emplace_back([this] { Run(); });
  }
}

WorkerPool::~WorkerPool() { Shutdown(); }

bool WorkerPool::TrySubmit(Task task) {
  {
    const MutexLock lock(mutex_);
    if (stopping_ || queue_.size() >= queue_limit_) {
      return false;
    }
    queue_.push_back(std::move(task));
  }
  work_.NotifyOne();
  return true;
}

void WorkerPool::Shutdown() {
  const MutexLock join_lock(join_mutex_);
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  work_.NotifyAll();
  for (std::thread& thread : threads_) {
    thread.join();
  }
  threads_.clear();
}

size_t WorkerPool::queued() const {
  const MutexLock lock(mutex_);
  return queue_.size();
}

void WorkerPool::Run() {
  for (;;) {
    Task task;
    {
      const MutexLock lock(mutex_);
      while (queue_.empty() && !stopping_) {
        work_.Wait(mutex_);
      }
      if (queue_.empty()) {
        return;
      }
      task = std::move(queue_.front());
      queue_.pop_front();
    }
    task();
  }
}

}  // namespace dateline::common
