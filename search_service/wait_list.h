// Who waits for the log of articles to come how far, and until when. No threads and no clock: the engine owns the lock,
// and one thread of it serves any number of waits.
#ifndef DATELINE_SEARCH_SERVICE_WAIT_LIST_H_
#define DATELINE_SEARCH_SERVICE_WAIT_LIST_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "absl/time/time.h"

#include "search_service/engine.h"

namespace dateline::search {

// Not thread-safe.
class WaitList {
 public:
  struct Wait {
    uint64_t seq = 0;
    Progress wanted = Progress::kDurable;
    absl::Time deadline;
    std::function<void(Progress)> done;
  };

  // Gives the number by which Take finds it.
  int64_t Add(Wait wait);
  // Takes one out; nullopt if it was taken before.
  std::optional<Wait> Take(int64_t id);
  // Takes out those whose deadline has come, and those that have what they wanted when the log is durable, visible and
  // labelled up to these sequences.
  std::vector<Wait> TakeEnded(uint64_t durable, uint64_t visible, uint64_t labelled, absl::Time now);
  std::vector<Wait> TakeAll();
  // When the next one runs out; InfiniteFuture if none waits.
  absl::Time NextDeadline() const;
  size_t size() const { return waits_.size(); }

 private:
  int64_t last_id_ = 0;
  std::map<int64_t, Wait> waits_;
  // By what they wait for: only the front is looked at when the log moves on.
  std::array<std::set<std::pair<uint64_t, int64_t>>, 4> by_progress_;
  std::set<std::pair<absl::Time, int64_t>> by_deadline_;
};

}  // namespace dateline::search

#endif  // DATELINE_SEARCH_SERVICE_WAIT_LIST_H_
