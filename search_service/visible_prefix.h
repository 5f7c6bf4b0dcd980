// Which prefix of the log a search sees in full.
//
// A row of the store keeps only its last place in the log. While the index, which follows the log, has not come to a
// row yet, the row may move on: labelled, sent again, deleted. The index then passes the row's old place without having
// taken it in, so that "applied up to 1000" says nothing of a change with the number 510 whose row stands at 5200 now.
// Waits, commit tokens and watermarks promise a change, not a place, so they go by this prefix instead: it ends before
// the first change that was passed over, until the index comes to the row's new place.
//
// It keeps up: a passed-over change holds the prefix back only until the index has come as far as the log's end was
// when its row moved, or has taken in any later state of the row. A row that is written again and again counts from
// its last indexed state on, not from the first.
//
// Not thread-safe: the engine guards it.
#ifndef DATELINE_SEARCH_SERVICE_VISIBLE_PREFIX_H_
#define DATELINE_SEARCH_SERVICE_VISIBLE_PREFIX_H_

#include <cstdint>
#include <vector>

#include "absl/container/flat_hash_map.h"

namespace dateline::search {

// A row's step along the log.
struct RowMove {
  int64_t row = 0;
  uint64_t from = 0;
  uint64_t to = 0;
};

// A state of a row that the index took in: the row, and where it stood in the log.
struct RowState {
  int64_t row = 0;
  uint64_t seq = 0;
};

class VisiblePrefix {
 public:
  // The index was opened at `applied`, when it showed `visible`, and the log ends at `log_end`. Which changes rows had
  // in between is not known any more: nothing more is visible for certain before the index has come to `log_end`.
  VisiblePrefix(uint64_t applied, uint64_t visible, uint64_t log_end);

  // The writer, before its transaction can be read by others: rows are about to move. Then, how it ended.
  void Begin(const std::vector<RowMove>& moves);
  void End(bool committed);

  // The prefix once the index is at `applied`, after taking in `taken` since it was at applied().
  uint64_t After(uint64_t applied, const std::vector<RowState>& taken) const;
  // It is: visible() is what After gave.
  void Advance(uint64_t applied, uint64_t visible, const std::vector<RowState>& taken);

  uint64_t applied() const { return applied_; }
  uint64_t visible() const { return visible_; }

 private:
  // The places of a row since the index last took it in, rising; the last is where it stands. One number for each
  // write to a row between two commits of the index.
  using Places = absl::flat_hash_map<int64_t, std::vector<uint64_t>>;

  uint64_t applied_;
  uint64_t visible_;
  uint64_t log_end_;
  Places places_;  // Of rows that moved while the index had not come to them.
  Places moving_;  // The same for the rows of the running transaction, as they will be.
};

}  // namespace dateline::search

#endif  // DATELINE_SEARCH_SERVICE_VISIBLE_PREFIX_H_
