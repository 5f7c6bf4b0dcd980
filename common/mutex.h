// A mutex, a scoped lock and a condition variable with clang's thread-safety annotations.
//
// Thin over the standard library rather than absl::Mutex because ThreadSanitizer sees through std::mutex, while
// Debian's Abseil is built without instrumentation and makes it report races that are not there.
#ifndef DATELINE_COMMON_MUTEX_H_
#define DATELINE_COMMON_MUTEX_H_

#include <chrono>
#include <condition_variable>
#include <mutex>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"

namespace dateline::common {

// A moment of a clock that nobody sets: for how long to wait. absl::Time is when something is due by the calendar; who
// paused until then would pause for a day where the calendar was put back by one.
using SteadyTime = std::chrono::steady_clock::time_point;
inline SteadyTime SteadyNow() { return std::chrono::steady_clock::now(); }
inline SteadyTime SteadyAfter(absl::Duration pause) {
  constexpr absl::Duration kLongest = absl::Hours(24 * 365);
  return SteadyNow() + absl::ToChronoNanoseconds(pause < kLongest ? pause : kLongest);
}

class ABSL_LOCKABLE Mutex {
 public:
  Mutex() = default;
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;

  void Lock() ABSL_EXCLUSIVE_LOCK_FUNCTION() { mutex_.lock(); }
  void Unlock() ABSL_UNLOCK_FUNCTION() { mutex_.unlock(); }

 private:
  friend class CondVar;
  std::mutex mutex_;
};

// Holds a mutex from its construction to its destruction.
class ABSL_SCOPED_LOCKABLE MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) ABSL_EXCLUSIVE_LOCK_FUNCTION(mutex) : mutex_(mutex) { mutex_.Lock(); }
  ~MutexLock() ABSL_UNLOCK_FUNCTION() { mutex_.Unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

// A condition to wait for. Wakes may be spurious: wait in a loop that tests the condition.
class CondVar {
 public:
  void Wait(Mutex& mutex) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    std::unique_lock<std::mutex> lock(mutex.mutex_, std::adopt_lock);
    condition_.wait(lock);
    lock.release();
  }

  // Returns false once `deadline` has passed.
  bool WaitUntil(Mutex& mutex, absl::Time deadline) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    std::unique_lock<std::mutex> lock(mutex.mutex_, std::adopt_lock);
    bool in_time = true;
    if (deadline == absl::InfiniteFuture()) {
      condition_.wait(lock);
    } else {
      in_time = condition_.wait_until(lock, absl::ToChronoTime(deadline)) == std::cv_status::no_timeout;
    }
    lock.release();
    return in_time;
  }

  bool WaitUntil(Mutex& mutex, SteadyTime deadline) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    std::unique_lock<std::mutex> lock(mutex.mutex_, std::adopt_lock);
    const bool in_time = condition_.wait_until(lock, deadline) == std::cv_status::no_timeout;
    lock.release();
    return in_time;
  }

  void NotifyOne() { condition_.notify_one(); }
  void NotifyAll() { condition_.notify_all(); }

 private:
  std::condition_variable condition_;
};

}  // namespace dateline::common

#endif  // DATELINE_COMMON_MUTEX_H_
