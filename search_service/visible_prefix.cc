#include "search_service/visible_prefix.h"

#include <algorithm>
#include <utility>

namespace dateline::search {
namespace {

using Taken = absl::flat_hash_map<int64_t, uint64_t>;

Taken LastOf(const std::vector<RowState>& states) {
  Taken last;
  for (const RowState& state : states) {
    uint64_t& seq = last[state.row];
    seq = std::max(seq, state.seq);
  }
  return last;
}

// The first of a row's places that the index has not taken in.
std::vector<uint64_t>::const_iterator FirstUnseen(int64_t row, const std::vector<uint64_t>& places,
                                                  const Taken& taken) {
  const auto found = taken.find(row);
  if (found == taken.end()) return places.begin();
  return std::upper_bound(places.begin(), places.end(), found->second);
}

// Whether the index, at `applied`, has passed over one of the places: all but the last are abandoned.
bool PassedOver(std::vector<uint64_t>::const_iterator first, const std::vector<uint64_t>& places, uint64_t applied) {
  return places.end() - first > 1 && places.back() > applied;
}

}  // namespace

VisiblePrefix::VisiblePrefix(uint64_t applied, uint64_t visible, uint64_t log_end)
    : applied_(applied), visible_(applied >= log_end ? applied : std::min(applied, visible)), log_end_(log_end) {}

void VisiblePrefix::Begin(const std::vector<RowMove>& moves) {
  moving_.clear();
  for (const RowMove& move : moves) {
    if (const auto found = moving_.find(move.row); found != moving_.end()) {
      found->second.push_back(move.to);
    } else if (const auto before = places_.find(move.row); before != places_.end()) {
      std::vector<uint64_t> places = before->second;
      places.push_back(move.to);
      moving_.emplace(move.row, std::move(places));
    } else if (move.from > applied_) {
      moving_.emplace(move.row, std::vector<uint64_t>{move.from, move.to});
    }
  }
}

void VisiblePrefix::End(bool committed) {
  if (committed) {
    for (auto& [row, places] : moving_) places_[row] = std::move(places);
  }
  moving_.clear();
}

uint64_t VisiblePrefix::After(uint64_t applied, const std::vector<RowState>& taken) const {
  uint64_t visible = applied >= log_end_ ? applied : visible_;
  const Taken last = LastOf(taken);
  for (const Places* all : {&places_, &moving_}) {
    for (const auto& [row, places] : *all) {
      const auto first = FirstUnseen(row, places, last);
      if (PassedOver(first, places, applied)) visible = std::min(visible, *first - 1);
    }
  }
  // What was visible stays so: the index never goes back.
  return std::max(visible, visible_);
}

void VisiblePrefix::Advance(uint64_t applied, uint64_t visible, const std::vector<RowState>& taken) {
  applied_ = std::max(applied_, applied);
  visible_ = std::max(visible_, visible);
  const Taken last = LastOf(taken);
  for (Places* all : {&places_, &moving_}) {
    absl::erase_if(*all, [&](auto& entry) {
      auto& places = entry.second;
      places.erase(places.begin(), FirstUnseen(entry.first, places, last));
      return !PassedOver(places.begin(), places, applied);
    });
  }
}

}  // namespace dateline::search
