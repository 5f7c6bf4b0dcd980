// The truth: every article, its labels and tombstones, in SQLite (WAL, synchronous=FULL). Whatever a committed
// transaction holds survives kill -9 and power loss.
//
// Every change gets the next number of one rising sequence; an article's row keeps the last one, so that whoever tails
// the store reads `seq > applied` and misses nothing. Deleted articles stay as tombstones with their number.
//
// One thread writes (Begin … Commit and what stands between them); any number of threads read at the same time, each
// call from one committed state. docs/store-format.md describes the tables.
#ifndef DATELINE_SEARCH_SERVICE_ARTICLE_STORE_H_
#define DATELINE_SEARCH_SERVICE_ARTICLE_STORE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

#include "common/mutex.h"
#include "search_service/article.h"
#include "search_service/article_labeler.h"
#include "search_service/engine.h"
#include "search_service/label_correction.h"
#include "search_service/near_duplicates.h"
#include "search_service/sqlite.h"
#include "search_service/taxonomy.h"
#include "search_service/visible_prefix.h"

namespace dateline::search {

inline constexpr int32_t kStoreVersion = 4;
// How long a version of an article is kept after another replaced it, or after it was deleted.
inline constexpr absl::Duration kVersionAge = absl::Hours(30 * 24);

// How much of an article a read brings along.
enum class Parts {
  kHead,      // All but body and evidence: what a hit shows.
  kBody,      // Head and body.
  kEvidence,  // Head and evidence.
  kAll,
};

struct StoredArticle {
  int64_t row = 0;
  bool deleted = false;  // A tombstone: only id, seq and row are filled in.
  // What is stored can't be decoded, all or in part: it is not to be shown, but can be replaced and deleted. The id and
  // what has a column of its own are right.
  bool damaged = false;
  int label_attempts = 0;
  Article article;
};

class ArticleStore {
 public:
  struct PutResult {
    IngestOutcome outcome = IngestOutcome::kRejected;
    absl::Status error;
    uint64_t seq = 0;
    int64_t row = 0;
    std::string duplicate_of;
  };

  // DataLoss if the file is damaged, FailedPrecondition if a newer version made it. One of an older version is brought
  // up to this one.
  static absl::StatusOr<std::unique_ptr<ArticleStore>> Open(const std::string& path);
  ~ArticleStore();

  // Writing, from one thread at a time. After an error of any of these roll back: nothing since Begin is kept.
  absl::Status Begin();
  absl::Status Commit();
  void Rollback();
  // What comes between Savepoint and one of the others can be undone by itself, after an error as well.
  absl::Status Savepoint();
  absl::Status ReleaseSavepoint();
  absl::Status RollbackToSavepoint();
  // `incoming` is normalised. Labels of the classifier stay if the text is the same; an editor's always. A new or new
  // written text that nearly repeats another article's (near_duplicates.h) is linked to that one, or to the one that
  // that is linked to: nothing is linked to what is linked itself, nor to what is under embargo. When the head of such
  // a group goes, or gets another text, the one of them that came first takes its place.
  absl::StatusOr<PutResult> Put(const Article& incoming, const Taxonomy& taxonomy, absl::Time now);
  // Deletes the article that Find finds. A purge by URL goes by all articles that have it, and an etag must be that of
  // each. What a purge refuses: the ids of the articles it erases, and all URLs of those that it was asked for. With
  // them goes every article whose own URL is refused; the others that name such a URL are parted from it.
  // The sequence of the last change; 0 if there was nothing to delete and that is allowed. NotFound and Aborted are the
  // caller's errors: nothing was changed, and the transaction may go on.
  absl::StatusOr<uint64_t> Delete(absl::string_view id_or_url, const DeleteOptions& options, absl::Time now);
  // What is refused: hashes of ids and URLs, and when that was ordered.
  struct Refusal {
    std::string key;
    absl::Time time;
  };
  // Makes of a copy of a store another one: with a log of its own, from which nothing that was told of the first one's
  // can be followed, and without what has been purged since the copy was made. Gives how many articles that erased.
  absl::StatusOr<int64_t> BecomeAnother(const std::vector<Refusal>& refusals, absl::Time now);
  // Replaces the classifier's labels, unless the text has changed since `content_seq`. True if it was done. A damaged
  // article is kFailed instead. Where the labels are those that it has already, nothing changes that readers of the log
  // must see.
  absl::StatusOr<bool> SetLabeling(int64_t row, uint64_t content_seq, const Labeling& labeling,
                                   const Taxonomy& taxonomy);
  // Makes an editor's decisions those of the article that Find finds, and gives it as it is then, without body. `seq`
  // is a new one if that changed anything. `correction` is checked. NotFound, Aborted (etag) and DataLoss (damaged) are
  // the caller's errors: nothing was changed, and the transaction may go on.
  absl::StatusOr<StoredArticle> CorrectLabels(absl::string_view id_or_url, const LabelCorrection& correction,
                                              const Taxonomy& taxonomy, absl::Time now);
  // Counts a failed attempt; the article is kFailed from the `max_attempts`-th on.
  absl::Status CountLabelFailure(int64_t row, uint64_t content_seq, int max_attempts);
  // Articles that are kFailed are pending again, as if never tried, if what labels are made by (`what`: a model, a
  // taxonomy) is of another version than when this was last called.
  absl::Status RetryFailedIfNew(absl::string_view what, absl::string_view version);
  absl::Status SetTaxonomy(const Taxonomy& taxonomy);
  // Brings the labels of up to `max_articles` articles after `after_row` in line with `taxonomy`: retired ids give way
  // to what replaced them, and publishers' labels are mapped anew. What changes by that gets a new sequence. Gives the
  // row to go on after; 0 when all are done.
  absl::StatusOr<int64_t> FollowTaxonomy(int64_t after_row, size_t max_articles, const Taxonomy& taxonomy,
                                         absl::Time now);
  // Notes that all labels are in line with the taxonomy of this etag.
  absl::Status SetFollowed(absl::string_view etag);
  // Notes that no article has labels of another version of the labeler.
  absl::Status SetRelabelled(absl::string_view version);
  // Gives up to `max_articles` articles whose embargo has ended by `now` a new place in the log: whoever follows the
  // log hears of them, though nobody has written anything. One whose end has come and was not told yet stays until it
  // is.
  absl::Status ReleaseEmbargoes(absl::Time now, size_t max_articles);
  // When the next embargo ends that was not told yet; InfiniteFuture if there is none.
  absl::Time next_embargo() const { return next_embargo_; }
  // Drops replaced versions that are older than kVersionAge, and the replaced labels of articles that were deleted so
  // long ago: at most so many of each. True if there may be more.
  absl::StatusOr<bool> PruneHistory(absl::Time now, size_t max_rows);
  // The steps of rows that were there before, since Begin.
  const std::vector<RowMove>& moves() const { return moves_; }

  // The last sequence that is committed.
  uint64_t last_seq() const;

  // Reading, from any thread.
  // By id, else by URL: first comes an article whose own URL it is, before those that name it among others; of several
  // the one whose content changed last. Nullopt if there is none (tombstones are none). DataLoss if it is damaged.
  absl::StatusOr<std::optional<StoredArticle>> Find(absl::string_view id_or_url, Parts parts) const;
  // In the order of `rows`; rows that are gone, deleted or damaged are nullopt.
  absl::StatusOr<std::vector<std::optional<StoredArticle>>> GetRows(const std::vector<int64_t>& rows,
                                                                    Parts parts) const;
  // What changed after `seq`, in the order of the sequence, with bodies, up to the limits (at least one), and how far
  // labelling had come in the same state.
  struct Changes {
    std::vector<StoredArticle> articles;
    bool complete = true;           // There was no more.
    uint64_t last_seq = 0;          // Of the store.
    uint64_t labelled_through = 0;  // No article with content_seq up to here is pending.
  };
  absl::StatusOr<Changes> ReadChanges(uint64_t after_seq, size_t max_articles, size_t max_bytes) const;
  // What changed after `seq`, without texts: at most so many, in the order of the sequence.
  struct LogEntry {
    StoredArticle stored;      // Of a tombstone the URL too, unless the article was purged.
    uint64_t create_seq = 0;   // Where it came, came again after a deletion, or came to be seen after an embargo.
    uint64_t correct_seq = 0;  // Where an editor changed its labels last; 0: nowhere.
    std::optional<absl::Time> change_time;  // Of `seq`; absent if an older version of the store made that change.
  };
  struct LogPage {
    std::vector<LogEntry> entries;
    bool complete = true;   // There was no more.
    uint64_t last_seq = 0;  // Of the store.
  };
  absl::StatusOr<LogPage> ReadLog(uint64_t after_seq, size_t max_entries) const;
  // What was replaced of the row, the oldest first; of a deleted article its last version as well. No method shows it
  // yet: it is there for the day on which an editor asks.
  struct ReplacedVersion {
    uint64_t content_seq = 0;
    absl::Time replaced_time;
    // The caller's fields, without labels. No body where the next version has the same text.
    Article article;
    bool same_text = false;
  };
  absl::StatusOr<std::vector<ReplacedVersion>> ReadVersions(int64_t row) const;
  struct ReplacedLabels {
    uint64_t seq = 0;  // Of the article with them.
    absl::Time replaced_time;
    std::vector<Label>
        labels;  // All that were stored, with source, verdict, score, version and time; without evidence.
    uint32_t replaced_dimensions = 0;
  };
  absl::StatusOr<std::vector<ReplacedLabels>> ReadLabelHistory(int64_t row) const;
  // No article with content_seq up to here is pending.
  absl::StatusOr<uint64_t> LabelledThrough() const;
  // Articles that wait for labels, longest waiting first, from `after_content_seq` on.
  absl::StatusOr<std::vector<StoredArticle>> ReadPending(uint64_t after_content_seq, size_t max_articles,
                                                         size_t max_bytes) const;
  // Articles with text after `row`, by row, that have labels, but not of this version of the labeler (empty: whatever
  // they are of): up to the limits, at least one.
  absl::StatusOr<std::vector<StoredArticle>> ReadLabelled(int64_t after_row, absl::string_view but_of,
                                                          size_t max_articles, size_t max_bytes) const;
  // Heads of all articles after `row`, by row.
  absl::StatusOr<std::vector<StoredArticle>> ReadHeads(int64_t after_row, size_t max_articles) const;
  // Whether the text of an article is the one that was written. What can't be decoded at all is not asked about: that
  // is `damaged`.
  absl::StatusOr<bool> IsAsWritten(int64_t row) const;
  absl::StatusOr<Taxonomy> ReadTaxonomy() const;
  // By time, then by key.
  absl::StatusOr<std::vector<Refusal>> ReadRefusals() const;
  // The etag that SetFollowed noted last; empty if none.
  absl::StatusOr<std::string> ReadFollowed() const;
  // The version that SetRelabelled noted last; empty if none.
  absl::StatusOr<std::string> ReadRelabelled() const;
  // Fills in the counts, sizes and unmapped labels.
  absl::Status FillInfo(IndexInfo& info) const;

  const std::string& log_uuid() const { return log_uuid_; }

 private:
  class ReadLease;

  ArticleStore(std::string path, std::unique_ptr<SqlConnection> writer);
  absl::Status Prepare();
  // Empties the write-ahead log; false if a reader is in the way.
  bool TruncateLog();
  absl::StatusOr<bool> IsPurged(const Article& article);
  // The latest `update_time` that was given with the content as it is stored; microseconds.
  absl::StatusOr<std::optional<int64_t>> LatestUpdateTime(int64_t row);
  absl::Status RememberPurged(absl::string_view key, absl::Time now);
  // The steps from older versions.
  absl::Status MarkOwnUrls();
  absl::Status NoteEmbargoes(absl::Time now);
  absl::Status FindNextEmbargo();
  // The parts of Delete.
  absl::StatusOr<std::vector<StoredArticle>> SelectToPurge(absl::string_view id_or_url);
  absl::StatusOr<uint64_t> Purge(absl::string_view id_or_url, const std::vector<StoredArticle>& named, absl::Time now);
  // Erases all of what is stored under these URLs, and parts from them what else names them.
  absl::StatusOr<uint64_t> EraseUrls(const std::set<std::string>& refused, absl::Time now);
  absl::StatusOr<int64_t> EraseIds(const std::set<std::string>& keys, absl::Time now);
  // `url` is what stays of a deleted article beside its id: for those who know it by that. Empty for a purge.
  absl::StatusOr<uint64_t> WriteTombstone(const StoredArticle& stored, const std::string& url, absl::Time now);
  absl::StatusOr<uint64_t> PartFromUrls(int64_t row, const std::set<std::string>& keys, absl::Time now);
  // Before the row is written over: keeps what it holds. Nothing is kept of a tombstone, nor labels that stay.
  absl::Status KeepVersion(int64_t row, bool same_text, absl::Time now);
  absl::Status KeepLabels(int64_t row, absl::string_view new_labels, absl::Time now);
  absl::Status ForgetHistory(int64_t row);
  // Near-duplicates. Who an article repeats, and by which sketch that was found; without a sketch it has too little
  // text.
  struct Likeness {
    std::optional<Sketch> sketch;
    int64_t head_row = 0;  // 0: nobody.
    std::string head_id;
  };
  absl::Status LoadSketches();
  absl::Status RestoreSketches(size_t from);
  absl::StatusOr<std::optional<Sketch>> ReadSketch(int64_t row);
  absl::StatusOr<int64_t> ReadHeadRow(int64_t row);
  // Of what is written at `row` (0: a new one) with this body.
  absl::StatusOr<Likeness> FindLikeness(int64_t row, absl::string_view body, absl::Time now);
  // Whether the text at `row` has become another one, so that it has to be compared anew.
  absl::StatusOr<bool> IsAnother(int64_t row, absl::string_view body);
  absl::Status WriteLikeness(int64_t row, const Likeness& likeness);
  // Takes a row out of its group, of which another becomes the head if it was it.
  absl::Status LeaveGroup(int64_t row, absl::Time now);
  absl::Status SetHead(int64_t row, int64_t head_row, const std::string& head_id, absl::Time now);
  absl::Status LinkAll(absl::Time now);
  // Writes the head of a stored article anew, as a change of its own.
  absl::StatusOr<uint64_t> RewriteHead(const StoredArticle& stored, bool new_content, absl::Time now);
  absl::Status WriteUrls(int64_t row, const Article& article);
  absl::Status WriteUnmapped(int64_t row, const std::vector<SourceLabel>& unmapped);
  absl::StatusOr<ReadLease> Lease() const;

  const std::string path_;
  std::string log_uuid_;
  std::unique_ptr<SqlConnection> writer_;
  uint64_t next_seq_ = 1;       // Writer thread only.
  bool erase_log_ = false;      // Writer thread only: a purge is in the transaction.
  std::vector<RowMove> moves_;  // Writer thread only.
  // Never later than the next end of an embargo. Writer thread only.
  absl::Time next_embargo_ = absl::InfiniteFuture();
  SketchIndex sketches_;           // Writer thread only: of the table of that name.
  std::vector<int64_t> sketched_;  // Writer thread only: rows whose sketch changed since Begin.
  bool sketches_lost_ = false;     // Writer thread only: they have to be loaded again.
  // At the savepoint. Writer thread only.
  size_t savepoint_sketched_ = 0;
  uint64_t savepoint_seq_ = 1;
  size_t savepoint_moves_ = 0;

  mutable common::Mutex mutex_;
  uint64_t last_seq_ ABSL_GUARDED_BY(mutex_) = 0;
  mutable std::vector<std::unique_ptr<SqlConnection>> idle_readers_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace dateline::search

#endif  // DATELINE_SEARCH_SERVICE_ARTICLE_STORE_H_
