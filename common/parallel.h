// One task for each index, on several threads.
#ifndef DATELINE_COMMON_PARALLEL_H_
#define DATELINE_COMMON_PARALLEL_H_

#include <cstddef>

#include "absl/functional/function_ref.h"

namespace dateline::common {

// Runs `task(i)` once for each i below `count`, on `threads` threads, the caller's among them, and returns when all
// have ended. In which order, and on which thread, is not said: a task that writes to a place of its own leaves no
// trace of it. `task` must not throw.
void RunParallel(int threads, size_t count, absl::FunctionRef<void(size_t)> task);

}  // namespace dateline::common

#endif  // DATELINE_COMMON_PARALLEL_H_
