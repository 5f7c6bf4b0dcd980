// The index on disk: a set of segments that are searched as one.
//
// What comes in is written into fresh segments (index_segment.h), several at a time where there is much; a thread in
// the background merges small ones into larger ones, and leaves out what no longer counts. What searches see is a view:
// a list of segments, with the documents in each that are dead because a newer state of their row is somewhere else, or
// the row is gone. A view never changes; writing and merging put another in its place, all at once. So a search is
// never overtaken, and two pages of one search can be of one view.
//
// The file `set` names the segments of the view, and is replaced as one: a process that is killed leaves the last view.
// Nothing of this is forced to disk, as the store has it all. Now and then all is, and `set.durable` names what was:
// that is what counts after a boot of the machine, and the log goes on from there.
#ifndef DATELINE_SEARCH_SERVICE_INDEX_SET_H_
#define DATELINE_SEARCH_SERVICE_INDEX_SET_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"

#include "common/mutex.h"
#include "search_service/index_segment.h"
#include "search_service/text_analysis.h"

namespace Xapian {  // NOLINT(readability-identifier-naming): the library chose it.
class Database;
}  // namespace Xapian

namespace dateline::search {

namespace storage::v1 {
class SegmentSet;
}  // namespace storage::v1

// What a search sees.
struct IndexView {
  struct Part {
    std::shared_ptr<const IndexSegment> segment;
    std::shared_ptr<const DocumentBitmap> dead = nullptr;  // With the vacant numbers. Null: none is dead.
    size_t dead_count = 0;
    bool erase = false;  // What is dead includes documents of rows that are gone for good.
  };
  std::vector<Part> parts;
  int64_t document_count = 0;  // Those that count.
  uint64_t revision = 0;       // Another for every view of a process.
  // As of the store's log when this was published.
  uint64_t applied_seq = 0;
  uint64_t visible_seq = 0;
  absl::Time commit_time;
};

// Open databases for one call at a time.
struct IndexReader {
  struct Part {
    std::shared_ptr<const IndexSegment> segment;
    std::unique_ptr<Xapian::Database> database;
    std::string uuid;
    const DocumentBitmap* hidden = nullptr;  // The dead documents and the vacant numbers; owned by `view`.
  };

  IndexReader();
  ~IndexReader();
  IndexReader(const IndexReader&) = delete;
  IndexReader& operator=(const IndexReader&) = delete;

  // Which state of which row a document of `all` shows.
  RowState StateOf(uint32_t document) const;
  // Whether a document of `all` is none that may be shown: dead, or a vacant number.
  bool IsHidden(uint32_t document) const;
  // The same of all documents of the database with this UUID, by their numbers there; null if it is none of these.
  const DocumentBitmap* HiddenIn(const std::string& uuid) const;

  std::shared_ptr<const IndexView> view;
  // Of the segments that have documents, in the order of the view.
  std::vector<Part> parts;
  std::unique_ptr<Xapian::Database> all;  // The parts together. Never null.
};

// One thread calls Apply; all else is thread-safe.
class IndexSet {
 public:
  struct Options {
    std::string path;       // The folder; made if it is missing.
    std::string log_uuid;   // What the index is a view of.
    uint64_t last_seq = 0;  // Of that log.
    int threads = 2;        // That write segments at a time.
    // Between times at which all is forced to disk, and what was removed leaves it.
    absl::Duration sync_interval = absl::Minutes(1);
    std::function<void()> on_damage = nullptr;  // As in SearchIndex::Options.
  };

  // Opens the set that is there. One that is damaged, of another version or of another log is thrown away: the view
  // is empty then. FailedPrecondition if it is ahead of its log, which must have lost something.
  static absl::StatusOr<std::unique_ptr<IndexSet>> Open(const Options& options);
  // Whether there is a set in the folder.
  static bool IsIn(const std::string& path);
  // Forces to disk what there is.
  ~IndexSet();
  IndexSet(const IndexSet&) = delete;
  IndexSet& operator=(const IndexSet&) = delete;

  // Publishes a view with these changes, each of another row. After an error everything is as it was.
  absl::Status Apply(absl::Span<const IndexChange> changes, uint64_t applied_seq, uint64_t visible_seq);
  // Forces all to disk that was published when this was called.
  absl::Status Sync();
  // Merges until there is nothing to merge. kSmall: where that is quickly done; kErase: until no segment holds a
  // document of a row that is gone; kOne: what there is now into one segment, with nothing dead.
  enum class MergeGoal { kSmall, kSteady, kIdle, kErase, kOne };
  // Cancelled, at some point, once `cancelled` says so or the set is closed.
  absl::Status Merge(MergeGoal goal, const std::function<bool()>& cancelled = {});
  // Leaves out the segments of which nothing counts, not even what they removed: after a rebuild all that were there
  // before it, damaged ones among them.
  absl::Status DropDead();
  // Whether all that was last forced to disk is as it was written. DataLoss, naming what is not.
  absl::Status Verify(const std::function<bool()>& cancelled) const;
  // Calls on_damage.
  void ReportDamage() const {
    if (options_.on_damage) options_.on_damage();
  }
  // Of all documents that count.
  std::vector<RowState> States() const;
  // What `set` named was lost with a boot, if there was anything.
  bool opened_after_boot() const { return opened_after_boot_; }

  std::shared_ptr<const IndexView> view() const;
  const std::string& generation() const { return generation_; }
  // Of all segments that are kept.
  int64_t DiskBytes() const;
  // What names a view, across restarts.
  std::string StateOf(const IndexView& view) const;

  // A reader of the latest view, for as long as the lease lives. Unavailable, DataLoss: it can't be opened.
  class Lease {
   public:
    Lease(const IndexSet* set, std::unique_ptr<IndexReader> reader) : set_(set), reader_(std::move(reader)) {}
    Lease(Lease&&) = default;
    Lease& operator=(Lease&&) = delete;
    ~Lease() {
      if (reader_ != nullptr) set_->Return(std::move(reader_));
    }
    IndexReader& operator*() const { return *reader_; }
    // What failed must not be used again.
    void Drop() { reader_.reset(); }

   private:
    const IndexSet* set_;
    std::unique_ptr<IndexReader> reader_;
  };
  absl::StatusOr<Lease> Read() const;

 private:
  // Where the document of a row is that counts.
  struct Place {
    const IndexSegment* segment = nullptr;
    uint32_t document = 0;
  };
  using Places = absl::flat_hash_map<int64_t, Place>;

  explicit IndexSet(const Options& options);
  absl::Status OpenFiles();
  // Whether the log has all that the set shows.
  absl::Status CheckLog(const storage::v1::SegmentSet& set) const;
  bool TryOpen(const storage::v1::SegmentSet& set);
  void RemoveStrangers();
  absl::StatusOr<std::vector<std::shared_ptr<const IndexSegment>>> BuildSegments(absl::Span<const IndexChange> changes);
  std::string NewName();
  storage::v1::SegmentSet Describe(const IndexView& view) const;
  absl::Status WriteSet(const IndexView& view) const;
  // Puts `view` in the place of the present one.
  void Show(std::shared_ptr<IndexView> view) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Return(std::unique_ptr<IndexReader> reader) const;

  // The segments to be merged next, of those that nobody is merging; empty if there are none.
  std::vector<IndexSegment::Input> ChooseMerge(MergeGoal goal, const IndexView& view) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Chooses, and marks them as being merged.
  std::vector<IndexSegment::Input> ClaimMerge(MergeGoal goal);
  absl::Status MergeSmall();
  absl::Status VerifySegment(const IndexSegment& segment) const;
  absl::Status MergeOnce(const std::vector<IndexSegment::Input>& inputs, const std::function<bool()>& cancelled);
  void RunMaintenance();
  void RunSmallMerges();
  // After an error, for a while, or until the set is closed.
  void Pause();

  const Options options_;
  std::string generation_;
  bool opened_after_boot_ = false;
  // The threads that build: an analyzer for each.
  std::vector<std::unique_ptr<TextAnalyzer>> analyzers_;

  // One merge of any size at a time, and beside it one that is small: while a large one runs, for minutes perhaps, what
  // comes in must not pile up.
  common::Mutex merge_mutex_ ABSL_ACQUIRED_BEFORE(small_merge_mutex_);
  common::Mutex small_merge_mutex_ ABSL_ACQUIRED_BEFORE(publish_mutex_);
  common::Mutex sync_mutex_ ABSL_ACQUIRED_BEFORE(publish_mutex_);  // One sync,
  // and one change of the view.
  mutable common::Mutex publish_mutex_ ABSL_ACQUIRED_BEFORE(mutex_);
  Places places_ ABSL_GUARDED_BY(publish_mutex_);

  mutable common::Mutex mutex_;
  common::CondVar changed_;
  std::shared_ptr<const IndexView> view_ ABSL_GUARDED_BY(mutex_);
  uint64_t next_segment_ ABSL_GUARDED_BY(mutex_) = 1;
  uint64_t revision_ ABSL_GUARDED_BY(mutex_) = 0;
  // What `set.durable` names, so that it stays: and the digests of these, by name.
  std::vector<std::shared_ptr<const IndexSegment>> durable_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<std::string, std::string> digests_ ABSL_GUARDED_BY(mutex_);
  uint64_t durable_revision_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t left_revision_ ABSL_GUARDED_BY(mutex_) = 0;  // The first view after a segment left.
  absl::flat_hash_set<const IndexSegment*> merging_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  mutable std::vector<std::unique_ptr<IndexReader>> idle_ ABSL_GUARDED_BY(mutex_);

  std::thread maintenance_;
  std::thread small_merges_;
};

}  // namespace dateline::search

#endif  // DATELINE_SEARCH_SERVICE_INDEX_SET_H_
