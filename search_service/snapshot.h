// Snapshots of the article store: what CreateSnapshot leaves in DATA_DIR/snapshots/NAME, and how it comes back.
#ifndef DATELINE_SEARCH_SERVICE_SNAPSHOT_H_
#define DATELINE_SEARCH_SERVICE_SNAPSHOT_H_

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "search_service/article_store.h"

namespace dateline::search {

// Whether the snapshot in `folder` is as it was made. DataLoss if not, or if there is none; Cancelled.
absl::Status CheckSnapshot(const std::string& folder, const std::function<bool()>& cancelled);

// Writes what the store refuses into DATA_DIR/snapshots/purged.keys, where it lies beside the snapshots and goes with
// them wherever they are copied to: one hash and one time (microseconds) a line. Nothing happens if nothing is refused.
absl::Status WriteRefusals(const ArticleStore& store, const std::string& data_dir);

struct RestoredSnapshot {
  int64_t article_count = 0;  // Now in the store.
  int64_t erased_count = 0;   // Articles of the snapshot that have been purged since it was made.
  std::string set_aside;      // The folder with the store that was there before; empty if there was none.
  // Nothing tells what was purged since the snapshot was made: there was no store that could be read, and no
  // purged.keys.
  bool purges_unknown = false;
};

// Puts the snapshot in `folder` in the place of the store in the data folder, as a store with a log of its own. First
// it erases what the store there, or a purged.keys in DATA_DIR/snapshots or beside the snapshot, refuses. The store
// that was there is kept aside, also where it is damaged. The index is built anew at the next start. A failure or a
// crash leaves the old store or the new one, whole. FailedPrecondition: another process has the data folder, or the
// snapshot is of a newer version. DataLoss: it is damaged. Unavailable: the disk.
absl::StatusOr<RestoredSnapshot> RestoreSnapshot(const std::string& folder, const std::string& data_dir);

}  // namespace dateline::search

#endif  // DATELINE_SEARCH_SERVICE_SNAPSHOT_H_
