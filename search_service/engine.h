// The search service without its RPCs: takes articles, keeps them, has them labelled, makes them searchable.
//
//   Ingest → writer (group commit, fsync: DURABLE) → labeller → indexer (commit: VISIBLE) → Search
//
// The article store is the truth; the index and the suggestions are views of it and are rebuilt from it by themselves
// when they are missing, damaged or of another version. All changes of the store have a place in one rising sequence.
#ifndef DATELINE_SEARCH_SERVICE_ENGINE_H_
#define DATELINE_SEARCH_SERVICE_ENGINE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

#include "search_service/article.h"
#include "search_service/article_labeler.h"
#include "search_service/enumeration.h"
#include "search_service/job_list.h"
#include "search_service/label_correction.h"
#include "search_service/retention.h"
#include "search_service/search_query.h"
#include "search_service/synonyms.h"
#include "search_service/taxonomy.h"

namespace dateline::search {

// Reasons that errors carry (common/error.h), beside the fields that InvalidArgument names, and beside
// kReasonTaxonomyUnavailable.
inline constexpr char kReasonCommitTokenUnknown[] = "COMMIT_TOKEN_UNKNOWN";  // FailedPrecondition
inline constexpr char kReasonPageTokenExpired[] = "PAGE_TOKEN_EXPIRED";      // FailedPrecondition
inline constexpr char kReasonPurged[] = "PURGED";                            // FailedPrecondition
inline constexpr char kReasonTooOld[] = "TOO_OLD";                           // FailedPrecondition
inline constexpr char kReasonEtagMismatch[] = "ETAG_MISMATCH";               // Aborted
inline constexpr char kReasonQueueFull[] = "QUEUE_FULL";                     // ResourceExhausted, with a retry delay
inline constexpr char kReasonNotFound[] = "ARTICLE_NOT_FOUND";               // NotFound

// A place in the log of one article store: opaque to callers.
struct CommitToken {
  std::string log_uuid;
  uint64_t seq = 0;
};
std::string EncodeCommitToken(const CommitToken& token);
// InvalidArgument naming `field` if `text` is not, to the letter, what EncodeCommitToken gives: a token that lost or
// gained something on its way is refused, and never taken for another place.
absl::StatusOr<CommitToken> ParseCommitToken(absl::string_view field, absl::string_view text);

// How far the changes of a log were followed, as a token. At the end of the log it is the commit token of that place,
// and any commit token is taken for one.
std::string EncodeChangesToken(const std::string& log_uuid, const LogPlace& place);

enum class IngestOutcome { kCreated, kUpdated, kUnchanged, kStale, kRejected, kRetryLater };

struct IngestOptions {
  bool accept_editor_labels =
      false;  // The caller has the edit role; otherwise kEditor labels are dropped with a warning.
};

struct IngestResult {
  std::string id;  // Of the article; the derived one if the caller gave none. May be empty when rejected.
  IngestOutcome outcome = IngestOutcome::kRejected;
  absl::Status error;                 // OK unless kRejected or kRetryLater.
  std::vector<std::string> warnings;  // For people.
  uint64_t seq = 0;                   // Of the stored article; wait for this one. 0 when nothing is stored.
  std::string duplicate_of;
};

struct DeleteOptions {
  std::string etag;  // Precondition; empty for none.
  // Erase the text for good and refuse it when it is sent again. By URL: of all articles that have it. ArticleStore::
  // Delete says what goes with them.
  bool purge = false;
  bool allow_missing = false;  // No error if there is no such article; a purge is recorded all the same.
};

// How far a change has come; each includes the ones before it.
enum class Progress { kNone, kDurable, kVisible, kLabelled };

struct UnmappedLabel {
  std::string kind;
  std::string name;
  int64_t article_count = 0;
};

struct IndexInfo {
  int64_t article_count = 0;  // Stored, deleted ones not counted.
  int64_t deleted_count = 0;
  int64_t pending_count = 0;
  int64_t failed_count = 0;
  int64_t indexed_count = 0;    // In the index as searched.
  int64_t duplicate_count = 0;  // That nearly repeat another one.
  uint64_t durable_seq = 0;
  uint64_t visible_seq = 0;
  uint64_t labelled_seq = 0;                   // No article up to there is pending, and all of it is visible.
  std::vector<UnmappedLabel> unmapped_labels;  // Most frequent first, at most 100.
  int64_t unmapped_label_count = 0;            // Different ones.
  std::string log_uuid;
  std::string index_generation;  // Changes when the index is built anew.
  int32_t store_version = 0;
  int32_t index_version = 0;
  int64_t store_bytes = 0;  // On disk.
  int64_t index_bytes = 0;
  int64_t purged_count = 0;  // Hashes of ids and URLs that are refused.
  std::string taxonomy_version;
  std::string gazetteer_version;
  std::string model_version;     // Of the last labels since the start; empty before.
  bool labeler_healthy = false;  // The last call succeeded.
  std::string labeler_error;     // Of the last call that did not; empty when healthy.
  int64_t queued_articles = 0;   // Taken in, not yet durable.
  int64_t queued_bytes = 0;
  absl::Time index_time;  // Of the last commit of the index.
};

struct RelabelRequest {
  std::string filter = {};     // Of ParseFilter; empty: all articles.
  bool only_outdated = false;  // Those whose labels are of another version of the labeler.
  bool validate_only = false;  // Change nothing, and tell what would change.
};

// Thread-safe. Blocking calls (Search, Suggest, Get, Delete, WaitFor, IndexInfo and the like) belong on worker threads.
class Engine {
 public:
  struct Options {
    std::string data_dir;  // Made if missing. One process at a time.
    // Articles that are taken but not yet durable; more are answered kRetryLater.
    size_t max_queued_articles = 2'000;
    size_t max_queued_bytes = 64'000'000;
    // How long the index waits for the labels of what just came, so that it is written once. Nothing is delayed longer.
    absl::Duration label_grace = absl::Milliseconds(300);
    absl::Duration labeling_timeout = absl::Seconds(20);  // Of a full batch; small ones get a quarter of it and more.
    // How often the labeler is asked whether its taxonomy changed. Labels taken from another one make it ask at once.
    absl::Duration taxonomy_refresh = absl::Minutes(1);
    // Between tries while the labeler is away: doubled from the first to the second, with jitter.
    absl::Duration min_backoff = absl::Milliseconds(100);
    absl::Duration max_backoff = absl::Seconds(3);
    // Tries for one article that gets no labels while the labeler answers otherwise; kFailed after that, until the
    // labeler has another model or taxonomy. One that the labeler refuses for good is kFailed at once.
    int max_label_attempts = 5;
    // Before the second try for such articles; longer before each further one, up to ten minutes.
    absl::Duration label_retry_delay = absl::Seconds(1);
    // Between two moves of what searches see: each makes a segment of the index, and an article is seen that much later
    // at most.
    absl::Duration min_commit_interval = absl::Milliseconds(100);
    // What is kept for how long, and how often what is older is looked for. Such articles are deleted, as by Delete,
    // and refused (kReasonTooOld) when they come.
    Retention retention;
    absl::Duration retention_interval = absl::Hours(1);
    // Whether articles are tagged again by themselves when the labeler has another version, and how many a second at
    // most, whoever orders it.
    bool relabel_outdated = true;
    double relabel_rate = 200.0;
    int index_threads = 2;  // That analyse articles for the index, where many wait.
    // How long a shutdown goes on indexing what was taken; the next start catches up with the rest.
    absl::Duration shutdown_indexing = absl::Seconds(5);
    PagingLimits paging;
    size_t max_waits = 10'000;  // Of WaitAsync, at a time.
    // Test hook: called by the indexer between reading the store and committing the index. Empty: none.
    std::function<void()> before_index_commit;
  };

  // Opens or makes the data folder and starts the threads. `labeler` may be null: articles stay pending.
  // FailedPrecondition: another process has the folder, or it is of a newer version; the message says which and what
  // to do. DataLoss: the store is damaged.
  static absl::StatusOr<std::unique_ptr<Engine>> Open(const Options& options, std::shared_ptr<ArticleLabeler> labeler);
  // As Shutdown.
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Validates, stores and acknowledges one article. `done` is called exactly once: after the fsync of the article's
  // group, or at once (on this thread) when it is rejected or can't be taken. It must be quick and must not block.
  void Ingest(Article article, const IngestOptions& options, std::function<void(IngestResult)> done);

  // Deletes by id or URL; durable when it returns. Gives the sequence of the deletion (0: nothing to delete).
  // Where several articles have a URL it deletes the one that Get gives. NotFound; Aborted if the etag is another one.
  absl::StatusOr<uint64_t> Delete(absl::string_view id_or_url, const DeleteOptions& options);

  // Makes an editor's decisions those of one article, found as by Get; durable when it returns. Gives the article as it
  // is then, without body; its `seq` is the place to wait for. InvalidArgument and Unavailable as CheckCorrection;
  // NotFound; Aborted if the etag is another one; DataLoss if the article is damaged. Who may is the caller's business.
  absl::StatusOr<Article> CorrectLabels(absl::string_view id_or_url, const LabelCorrection& correction);

  // One article with all its labels. Of several that have a URL: first those whose own it is, then the one whose
  // content changed last. NotFound, also for one under embargo unless `include_embargoed`.
  absl::StatusOr<Article> Get(absl::string_view id_or_url, bool include_embargoed = false) const;

  // As the functions of enumeration.h.
  absl::StatusOr<ArticleList> ListArticles(const ListQuery& query) const;
  absl::StatusOr<ChangeList> ListChanges(const ChangeQuery& query) const;

  absl::StatusOr<SearchResult> Search(const SearchQuery& query) const;
  // As the functions of trends.h and similar_articles.h; `min_commit_token` as for Search.
  absl::StatusOr<TrendResult> AnalyzeTrends(const TrendQuery& query) const;
  absl::StatusOr<std::vector<Hit>> FindSimilarArticles(const SimilarQuery& query) const;
  absl::StatusOr<std::vector<Suggestion>> Suggest(const SuggestQuery& query) const;

  // Whether an article of the index waits for its embargo to end: answers may change then without any commit.
  // Unavailable as for Search.
  absl::StatusOr<bool> HasEmbargoes() const;

  // Waits until `seq` has come as far as `progress`; returns early, with what was reached, at the deadline, when
  // `cancelled` (may be empty; polled) says so, or on shutdown.
  Progress WaitFor(uint64_t seq, Progress progress, absl::Time deadline,
                   const std::function<bool()>& cancelled = {}) const;
  // The same without a thread that waits: calls `done` once with what was reached, also after StopWaiting. It is called
  // on this thread if there is nothing to wait for, else on one of the engine's: it must be quick and must not block.
  // Gives a number for StopWaiting. ResourceExhausted, and `done` is never called, if max_waits are waiting.
  absl::StatusOr<int64_t> WaitAsync(uint64_t seq, Progress progress, absl::Time deadline,
                                    std::function<void(Progress)> done);
  // Ends a wait early, on this thread; nothing happens if it has ended.
  void StopWaiting(int64_t wait);
  // Ends all waits of WaitAsync, and from now on each at once: nobody should wait for a server that is about to go.
  void StopAllWaiting();
  Progress Reached(uint64_t seq) const;
  uint64_t durable_seq() const;
  uint64_t visible_seq() const;
  uint64_t labelled_seq() const;

  // Calls `listener` after each move of visible_seq or labelled_seq, from the indexer's thread: it must be quick, must
  // not block and must not call RemoveProgressListener. Once RemoveProgressListener has returned it is not running and
  // will not be called again.
  int64_t AddProgressListener(std::function<void(uint64_t visible_seq, uint64_t labelled_seq)> listener);
  void RemoveProgressListener(int64_t id);

  // The token of a place in this engine's log.
  std::string TokenOf(uint64_t seq) const;
  // The sequence of a token. InvalidArgument if it is no token, FailedPrecondition (kReasonCommitTokenUnknown) if it
  // is another log's or of a place that this log never had.
  absl::StatusOr<uint64_t> SeqOf(absl::string_view field, absl::string_view token) const;

  // The same of a place that somebody who follows the changes has come to; empty is the beginning.
  std::string ChangesTokenOf(const LogPlace& place) const;
  absl::StatusOr<LogPlace> PlaceOf(absl::string_view field, absl::string_view token) const;

  // What other words are searched for from now on. None at first.
  void SetSynonyms(Synonyms synonyms);
  // The last copy of the taxonomy; empty() if none was ever had. Never null.
  std::shared_ptr<const Taxonomy> taxonomy() const;

  absl::StatusOr<IndexInfo> GetIndexInfo() const;

  // Orders long work (maintenance.h), which a job does in the background. Errors as of JobList::Start.
  // InvalidArgument if `name` (empty: the time) is in no form or taken. Its folder is DATA_DIR/snapshots/NAME.
  absl::StatusOr<JobInfo> CreateSnapshot(absl::string_view name);
  absl::StatusOr<JobInfo> CompactIndex();
  absl::StatusOr<JobInfo> CheckIndex(bool full);
  absl::StatusOr<JobInfo> RebuildIndex();
  // The same; FailedPrecondition without a labeler, InvalidArgument naming `filter`.
  absl::StatusOr<JobInfo> RelabelArticles(const RelabelRequest& request);
  JobList& jobs();

  // Takes no more articles (kRetryLater), makes durable what was taken, cancels the labeler for good, indexes for
  // Options::shutdown_indexing at most, commits the index, stops the threads. Idempotent. Reads still work afterwards.
  void Shutdown();

 private:
  class Impl;
  explicit Engine(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace dateline::search

#endif  // DATELINE_SEARCH_SERVICE_ENGINE_H_
