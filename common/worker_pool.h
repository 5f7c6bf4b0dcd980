// A fixed number of threads and a bounded queue before them.
//
// Calls of gRPC arrive on threads that must never block; what reads a disk or thinks for a while runs here instead. The
// bound is the point: when work comes faster than it is done, callers are told at once rather than kept waiting for an
// answer that comes after their deadline.
#ifndef DATELINE_COMMON_WORKER_POOL_H_
#define DATELINE_COMMON_WORKER_POOL_H_

#include <cstddef>
#include <deque>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"

#include "common/mutex.h"

namespace dateline::common {

// Thread-safe, but for the destructor.
class WorkerPool {
 public:
  using Task = absl::AnyInvocable<void()>;

  struct Options {
    int threads = 4;           // At least 1.
    size_t queue_limit = 256;  // Tasks that may wait, beyond those that run.
  };

  explicit WorkerPool(const Options& options);
  // As Shutdown().
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  // Queues `task` to run on one of the threads and returns true; or returns false, and the task is destroyed without
  // having run, if the queue is full or the pool is shut down. Never blocks. Tasks start in the order of submission. An
  // exception that leaves a task ends the process.
  [[nodiscard]] bool TrySubmit(Task task);

  // Takes no more tasks, runs all that were taken, and joins the threads. A second call returns once the first is done.
  // Must not be called from a task.
  void Shutdown();

  // Tasks that wait, at this moment.
  size_t queued() const;

 private:
  void Run();

  const size_t queue_limit_;
  mutable Mutex mutex_;
  CondVar work_;
  std::deque<Task> queue_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  Mutex join_mutex_ ABSL_ACQUIRED_BEFORE(mutex_);
  std::vector<std::thread> threads_ ABSL_GUARDED_BY(join_mutex_);
};

}  // namespace dateline::common

#endif  // DATELINE_COMMON_WORKER_POOL_H_
