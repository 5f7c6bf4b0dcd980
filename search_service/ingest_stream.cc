#include "search_service/ingest_stream.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

#include "common/error.h"

namespace dateline::search {

absl::Status StreamProgress::Receive(int64_t client_sequence) {
  if (client_sequence <= 0) {
    return common::InvalidField("client_sequence", "must be set and at least 1");
  }
  if (client_sequence <= last_received_) {
    return common::InvalidField("client_sequence",
                                absl::StrCat("is ", client_sequence, " after ", last_received_, "; it must rise"));
  }
  last_received_ = client_sequence;
  items_.push_back({.client_sequence = client_sequence});
  ++unanswered_;
  return absl::OkStatus();
}

void StreamProgress::Answer(int64_t client_sequence, uint64_t seq) {
  const auto item = std::lower_bound(items_.begin(), items_.end(), client_sequence,
                                     [](const Item& one, int64_t sequence) { return one.client_sequence < sequence; });
  if (item == items_.end() || item->client_sequence != client_sequence || item->answered) return;
  item->answered = true;
  item->seq = seq;
  --unanswered_;
}

StreamProgress::Watermark StreamProgress::Advance(uint64_t visible_seq) {
  while (answered_prefix_ < items_.size() && items_[answered_prefix_].answered) {
    watermark_.durable_through = items_[answered_prefix_].client_sequence;
    ++answered_prefix_;
  }
  while (answered_prefix_ > 0 && items_.front().seq <= visible_seq) {
    watermark_.visible_through = items_.front().client_sequence;
    items_.pop_front();
    --answered_prefix_;
  }
  return watermark_;
}

}  // namespace dateline::search
