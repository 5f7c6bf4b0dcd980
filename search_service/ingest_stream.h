// The book-keeping of one stream of articles: which of the client's items are answered, which are visible, and so how
// far the stream has come. No RPC and no threads: the handler owns the lock.
#ifndef DATELINE_SEARCH_SERVICE_INGEST_STREAM_H_
#define DATELINE_SEARCH_SERVICE_INGEST_STREAM_H_

#include <cstdint>
#include <deque>
#include <optional>

#include "absl/status/status.h"

namespace dateline::search {

// Client sequences rise but may leave gaps. Not thread-safe.
class StreamProgress {
 public:
  struct Watermark {
    int64_t durable_through = 0;  // Everything up to here is answered. 0: nothing yet.
    int64_t visible_through = 0;  // Everything up to here is answered, and what was taken is visible.
    friend bool operator==(const Watermark&, const Watermark&) = default;
  };

  // Notes an item that has come. InvalidArgument, naming client_sequence, unless it is above all before it and above 0.
  absl::Status Receive(int64_t client_sequence);

  // Notes the answer to an item that was received. `seq` is its place in the engine's log; 0 if nothing was stored.
  void Answer(int64_t client_sequence, uint64_t seq);

  // How far the stream has come when searches see the log up to `visible_seq`. Never goes back.
  Watermark Advance(uint64_t visible_seq);

  // Whether every item is answered.
  bool all_answered() const { return unanswered_ == 0; }

 private:
  struct Item {
    int64_t client_sequence = 0;
    bool answered = false;
    uint64_t seq = 0;
  };

  // Received and not yet both answered and visible, in order of client_sequence.
  std::deque<Item> items_;
  // How many items at the front of items_ are known to be answered: the place of durable_through.
  size_t answered_prefix_ = 0;
  int64_t last_received_ = 0;
  int64_t unanswered_ = 0;
  Watermark watermark_;
};

}  // namespace dateline::search

#endif  // DATELINE_SEARCH_SERVICE_INGEST_STREAM_H_
