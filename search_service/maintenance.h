// The long work on store and index that an operator orders: checks, rebuilding, compaction. Each method is the work of
// a job (job_list.h).
#ifndef DATELINE_SEARCH_SERVICE_MAINTENANCE_H_
#define DATELINE_SEARCH_SERVICE_MAINTENANCE_H_

#include <functional>
#include <string>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "search_service/article_store.h"
#include "search_service/job_list.h"
#include "search_service/search_index.h"

namespace dateline::search {

// Thread-safe. `store` and `index` must outlive it.
class Maintenance {
 public:
  // Runs some work on the thread that writes the index, between two of its publications, and gives its outcome.
  using OnIndexer = std::function<absl::Status(std::function<absl::Status()>)>;

  // `store_path`: the database of `store`.
  Maintenance(const ArticleStore& store, SearchIndex& index, std::string store_path, OnIndexer on_indexer);

  // Makes one segment of the whole index.
  absl::StatusOr<std::string> Compact(JobList::Run& run);
  // Writes all articles into the index again, a few at a time: searches find each by its old document until its new one
  // is published with others. What the store doesn't have goes.
  absl::StatusOr<std::string> Rebuild(JobList::Run& run);
  // Copies the store, as it is when this begins, into the folder `path`, which must not exist: `articles.db`, and
  // `snapshot`, which says what it is. Writing goes on meanwhile. The copy is on the disk and was checked when this
  // ends well; after an error there is none. What is purged before it ends is not in it: it begins anew then, and gives
  // up (Aborted) where that happens again and again.
  absl::StatusOr<std::string> Snapshot(JobList::Run& run, const std::string& path);
  // Whether the store's database and the files of the index are as they were written; `full`: and whether the index has
  // all articles of the store, each as it is there, and no other. DataLoss, with what is wrong and what to do, if not.
  absl::StatusOr<std::string> Check(JobList::Run& run, bool full);

 private:
  struct SnapshotMade {
    int64_t article_count = 0;
    absl::flat_hash_set<std::string> refused;  // Keys of what the copy refuses.
  };
  absl::StatusOr<SnapshotMade> MakeSnapshot(JobList::Run& run, const std::string& path);
  absl::Status RemoveStrays(JobList::Run& run);
  absl::StatusOr<std::string> Compare(JobList::Run& run);

  const ArticleStore& store_;
  SearchIndex& index_;
  const std::string store_path_;
  const OnIndexer on_indexer_;
};

// The files of a snapshot: a copy of the store, and a storage.v1.Snapshot in protobuf's text format.
inline constexpr char kSnapshotStore[] = "articles.db";
inline constexpr char kSnapshotFile[] = "snapshot";

// Removes from the folder of all snapshots what a process left there that was killed while it made one.
void RemoveUnfinishedSnapshots(const std::string& folder);

// Runs SQLite's own check of the database at `path`: all of its structure, or, `quick`, all but whether indices agree
// with tables. Cancelled once `cancelled` says so.
absl::Status CheckDatabase(const std::string& path, bool quick, const std::function<bool()>& cancelled);

}  // namespace dateline::search

#endif  // DATELINE_SEARCH_SERVICE_MAINTENANCE_H_
