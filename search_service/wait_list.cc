#include "search_service/wait_list.h"

namespace dateline::search {

int64_t WaitList::Add(Wait wait) {
  const int64_t id = ++last_id_;
  by_progress_[static_cast<size_t>(wait.wanted)].emplace(wait.seq, id);
  by_deadline_.emplace(wait.deadline, id);
  waits_.emplace(id, std::move(wait));
  return id;
}

std::optional<WaitList::Wait> WaitList::Take(int64_t id) {
  const auto found = waits_.find(id);
  if (found == waits_.end()) return std::nullopt;
  Wait wait = std::move(found->second);
  waits_.erase(found);
  by_progress_[static_cast<size_t>(wait.wanted)].erase({wait.seq, id});
  by_deadline_.erase({wait.deadline, id});
  return wait;
}

std::vector<WaitList::Wait> WaitList::TakeEnded(uint64_t durable, uint64_t visible, uint64_t labelled, absl::Time now) {
  std::vector<Wait> ended;
  const std::array<uint64_t, 4> come = {UINT64_MAX, durable, visible, labelled};
  for (size_t progress = 0; progress < come.size(); ++progress) {
    auto& waiting = by_progress_[progress];
    while (!waiting.empty() && waiting.begin()->first <= come[progress]) {
      ended.push_back(*Take(waiting.begin()->second));
    }
  }
  while (!by_deadline_.empty() && by_deadline_.begin()->first <= now) {
    ended.push_back(*Take(by_deadline_.begin()->second));
  }
  return ended;
}

std::vector<WaitList::Wait> WaitList::TakeAll() {
  std::vector<Wait> all;
  all.reserve(waits_.size());
  for (auto& [id, wait] : waits_) all.push_back(std::move(wait));
  waits_.clear();
  for (auto& waiting : by_progress_) waiting.clear();
  by_deadline_.clear();
  return all;
}

absl::Time WaitList::NextDeadline() const {
  return by_deadline_.empty() ? absl::InfiniteFuture() : by_deadline_.begin()->first;
}

}  // namespace dateline::search
