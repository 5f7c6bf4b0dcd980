#include "search_service/engine.h"

#include <algorithm>
#include <deque>
#include <filesystem>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/memory/memory.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

#include "common/error.h"
#include "common/hash.h"
#include "common/log.h"
#include "common/mutex.h"
#include "common/status_macros.h"
#include "common/text.h"
#include "search_service/article_store.h"
#include "search_service/files.h"
#include "search_service/maintenance.h"
#include "search_service/query_parser.h"
#include "search_service/relabeling.h"
#include "search_service/search_index.h"
#include "search_service/searcher.h"
#include "search_service/snapshot.h"
#include "search_service/suggester.h"
#include "search_service/visible_prefix.h"
#include "search_service/wait_list.h"

namespace dateline::search {
namespace {

// Articles of one transaction: what came while the last one was forced to disk.
constexpr size_t kMaxGroup = 500;
// One commit of the index: more makes it slow to appear, less makes each article dear.
constexpr size_t kMaxIndexBatch = 500;
constexpr size_t kMaxIndexBytes = 8'000'000;
constexpr absl::Duration kMaxIndexTime = absl::Seconds(1);
// While waiting for labels, how often the store is asked.
constexpr absl::Duration kGracePoll = absl::Milliseconds(20);
constexpr absl::Duration kCancelPoll = absl::Milliseconds(20);
constexpr absl::Duration kTaxonomyTimeout = absl::Seconds(5);
constexpr absl::Duration kQueueRetry = absl::Milliseconds(500);
constexpr absl::Duration kTaxonomyRetry = absl::Seconds(5);
constexpr absl::Duration kErrorPause = absl::Milliseconds(500);
// Rounds of the labeller over what it could not label: each pause is so many times the last, up to the limit.
constexpr int kLabelRetryFactor = 4;
constexpr absl::Duration kMaxLabelRetryDelay = absl::Minutes(10);
// The index that says that it is damaged is rebuilt, but not more often than this.
constexpr absl::Duration kMendInterval = absl::Minutes(1);
constexpr size_t kSuggesterLoadBatch = 1'000;
// Articles whose age is looked at, and that are deleted for it, in one transaction.
constexpr size_t kRetentionBatch = 500;
// Articles whose labels follow a new taxonomy in one transaction: ingestion goes on in between.
constexpr size_t kFollowBatch = 500;
// Articles that one transaction tells of, whose embargo has ended.
constexpr size_t kReleaseBatch = 500;
// Replaced versions that are too old go in steps that nobody has to wait for.
constexpr size_t kPruneBatch = 100;
constexpr absl::Duration kPrunePause = absl::Milliseconds(100);
constexpr absl::Duration kPruneInterval = absl::Hours(1);
// Of a commit token's hash: by chance a damaged one passes once in 4 billion times.
constexpr size_t kTokenCheckChars = 8;

// Where the index tells that it is damaged: it is opened before there is anybody to tell, and closed after.
class DamageSignal {
 public:
  void Arm(std::function<void()> listener) {
    const common::MutexLock lock(mutex_);
    listener_ = std::move(listener);
  }
  void Raise() {
    const common::MutexLock lock(mutex_);
    if (!listener_ || common::SteadyNow() < next_) return;
    next_ = common::SteadyAfter(kMendInterval);
    listener_();
  }

 private:
  common::Mutex mutex_;
  std::function<void()> listener_ ABSL_GUARDED_BY(mutex_);
  common::SteadyTime next_ ABSL_GUARDED_BY(mutex_);
};

// A change of the store, waiting for its transaction.
struct WriteTask {
  size_t articles = 0;
  size_t bytes = 0;
  // On the writer's thread, in the transaction. An error undoes this change alone, unless it is the disk's: then the
  // whole group. May run again after having been undone.
  std::function<absl::Status(ArticleStore&)> apply;
  // On the writer's thread, once the group is on disk, or could not be written.
  std::function<void(const absl::Status&)> finish;
};

absl::Status QueueFull() {
  return common::WithReason(
      common::ResourceExhausted("too many articles wait to be written; send this one again later", kQueueRetry),
      kReasonQueueFull);
}

std::string StorePath(const std::string& data_dir) { return absl::StrCat(data_dir, "/articles.db"); }
std::string IndexPath(const std::string& data_dir) { return absl::StrCat(data_dir, "/index"); }

// SQLite takes a store that is missing or empty for a new one.
absl::Status CheckStoreIsThere(const std::string& data_dir) {
  std::error_code error;
  const std::string path = StorePath(data_dir);
  const auto size = std::filesystem::file_size(path, error);
  if (!error && size > 0) return absl::OkStatus();
  const std::string index = IndexPath(data_dir);
  const auto log_size = std::filesystem::file_size(path + "-wal", error);
  if ((error || log_size == 0) && !SearchIndex::IsIn(index)) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("the article store ", path, " is missing or empty, and what belongs to it is still there: put a ",
                   "snapshot or another backup copy in its place; to begin anew, move the data folder away"));
}

absl::Status ShuttingDown() {
  return common::Unavailable("the service is shutting down; send this one again later", absl::Seconds(2));
}

std::string TokenFor(absl::string_view place) {
  return absl::WebSafeBase64Escape(absl::StrCat(place, ".", common::Hash128Hex(place).substr(0, kTokenCheckChars)));
}

// The parts of a token, the check among them; empty if it can be none.
std::vector<std::string> PartsOfToken(absl::string_view text) {
  constexpr size_t kMaxTokenBytes = 200;
  std::string plain;
  if (text.size() > kMaxTokenBytes || !absl::WebSafeBase64Unescape(text, &plain)) return {};
  return absl::StrSplit(plain, '.');
}

}  // namespace

std::string EncodeCommitToken(const CommitToken& token) {
  return TokenFor(absl::StrCat(token.log_uuid, ".", token.seq));
}

std::string EncodeChangesToken(const std::string& log_uuid, const LogPlace& place) {
  if (place.base == place.seq) return EncodeCommitToken({log_uuid, place.seq});
  return TokenFor(absl::StrCat(log_uuid, ".", place.seq, ".", place.base));
}

absl::StatusOr<CommitToken> ParseCommitToken(absl::string_view field, absl::string_view text) {
  const std::vector<std::string> parts = PartsOfToken(text);
  CommitToken token;
  if (parts.size() == 3 && !parts[0].empty() && absl::SimpleAtoi(parts[1], &token.seq)) {
    token.log_uuid = parts[0];
    // Base64 and numbers can be written in several ways. What is not to the letter what was given out was damaged.
    if (EncodeCommitToken(token) == text) return token;
  }
  return common::InvalidField(field, "is not a commit token of this service");
}

class Engine::Impl {
 public:
  Impl(const Options& options, std::shared_ptr<ArticleLabeler> labeler, FolderLock lock,
       std::unique_ptr<ArticleStore> store, std::shared_ptr<DamageSignal> damage, std::unique_ptr<SearchIndex> index,
       Taxonomy taxonomy)
      : options_(options),
        labeler_(std::move(labeler)),
        lock_(std::move(lock)),
        store_(std::move(store)),
        damage_(std::move(damage)),
        index_(std::move(index)),
        searcher_(*store_, *index_, options.paging),
        jobs_(absl::StrCat(options.data_dir, "/jobs")),
        maintenance_(*store_, *index_, StorePath(options.data_dir),
                     [this](std::function<absl::Status()> work) { return RunOnIndexer(std::move(work)); }),
        started_seq_(store_->last_seq()),
        prefix_(index_->applied_seq(), index_->visible_seq(), store_->last_seq()),
        taxonomy_(std::make_shared<const Taxonomy>(std::move(taxonomy))) {
    durable_ = store_->last_seq();
    visible_ = prefix_.visible();
    if (labeler_ != nullptr) {
      const Relabeling::Options relabeling{.rate = options_.relabel_rate,
                                           .labeling_timeout = options_.labeling_timeout,
                                           .min_backoff = options_.min_backoff,
                                           .max_backoff = options_.max_backoff};
      relabeling_ = std::make_unique<Relabeling>(
          relabeling, *store_, *labeler_,
          [this](std::function<absl::Status(ArticleStore&)> change) { return WriteAndWait(std::move(change)); },
          [this] { return this->taxonomy(); });
    }
  }
  ~Impl() { Shutdown(); }

  absl::Status Start() {
    RETURN_IF_ERROR(LoadSuggestions());
    ASSIGN_OR_RETURN(const uint64_t labelled, store_->LabelledThrough());
    ASSIGN_OR_RETURN(followed_, store_->ReadFollowed());
    ASSIGN_OR_RETURN(relabelled_, store_->ReadRelabelled());
    {
      const common::MutexLock lock(mutex_);
      // Of labels that the index lacks, the first pass will tell.
      if (visible_ == durable_) labelled_ = std::min(labelled, visible_);
    }
    NoteRefusals();
    writer_ = std::thread([this] { RunWriter(); });
    indexer_ = std::thread([this] { RunIndexer(); });
    if (labeler_ != nullptr) labeling_ = std::thread([this] { RunLabeling(); });
    waiter_ = std::thread([this] { RunWaits(); });
    if (!options_.retention.keeps_all()) retention_ = std::thread([this] { RunRetention(); });
    damage_->Arm([this] { MendIndex(); });
    // What was not on the disk when the machine went down is gone, and known to be; the rest is looked at.
    if (index_->opened_after_boot()) RETURN_IF_ERROR(CheckIndex(/*full=*/false).status());
    return absl::OkStatus();
  }

  void Ingest(Article article, const IngestOptions& options, std::function<void(IngestResult)> done) {
    IngestResult rejected;
    rejected.id = article.id;
    std::string unchecked;
    const absl::Status labels = AcceptLabels(options, article.labels, unchecked);
    absl::StatusOr<Normalized> normalized = labels.ok() ? Normalize(std::move(article), absl::Now()) : labels;
    if (!normalized.ok()) {
      rejected.error = std::move(normalized).status();
      done(std::move(rejected));
      return;
    }
    if (const absl::Status status = CheckAge(normalized->article); !status.ok()) {
      rejected.id = normalized->article.id;
      rejected.error = status;
      done(std::move(rejected));
      return;
    }
    if (!options.accept_editor_labels) DropEditorLabels(*normalized);
    if (!unchecked.empty()) {
      rejected.id = normalized->article.id;
      rejected.outcome = IngestOutcome::kRetryLater;
      rejected.error = common::WithReason(
          common::Unavailable(absl::StrCat(unchecked,
                                           ": can't be checked, the classifier was never reached; send the "
                                           "article again later, or without the label"),
                              kTaxonomyRetry),
          kReasonTaxonomyUnavailable);
      done(std::move(rejected));
      return;
    }
    struct Item {
      Normalized normalized;
      std::function<void(IngestResult)> done;
      IngestResult result;
    };
    auto item = std::make_shared<Item>();
    item->normalized = *std::move(normalized);
    item->done = std::move(done);
    item->result.id = item->normalized.article.id;
    item->result.warnings = item->normalized.warnings;

    WriteTask task;
    task.articles = 1;
    task.bytes = TextBytes(item->normalized.article);
    task.apply = [this, item](ArticleStore& store) -> absl::Status {
      ASSIGN_OR_RETURN(const ArticleStore::PutResult put,
                       store.Put(item->normalized.article, *taxonomy(), absl::Now()));
      item->result.outcome = put.outcome;
      item->result.error = put.error;
      item->result.seq = put.seq;
      item->result.duplicate_of = put.duplicate_of;
      return absl::OkStatus();
    };
    task.finish = [item](const absl::Status& status) {
      if (!status.ok()) {
        item->result.outcome = IngestOutcome::kRetryLater;
        item->result.error = common::RetryDelayOf(status) ? status : common::WithRetryDelay(status, absl::Seconds(1));
        item->result.seq = 0;
      }
      item->done(std::move(item->result));
    };
    if (absl::Status status = Enqueue(std::move(task), /*bounded=*/true); !status.ok()) {
      item->result.outcome = IngestOutcome::kRetryLater;
      item->result.error = std::move(status);
      item->done(std::move(item->result));
    }
  }

  absl::StatusOr<uint64_t> Delete(absl::string_view id_or_url, const DeleteOptions& options) {
    struct Outcome {
      absl::Status refused;
      uint64_t seq = 0;
    };
    auto outcome = std::make_shared<Outcome>();
    const std::string key(id_or_url);
    RETURN_IF_ERROR(WriteAndWait([outcome, key, options](ArticleStore& store) -> absl::Status {
      const absl::StatusOr<uint64_t> seq = store.Delete(key, options, absl::Now());
      if (seq.ok()) {
        outcome->seq = *seq;
      } else if (absl::IsNotFound(seq.status()) || absl::IsAborted(seq.status())) {
        outcome->refused = seq.status();
      } else {
        return seq.status();
      }
      return absl::OkStatus();
    }));
    // Moved, so that nothing of it is shared with the writer, which may still hold the outcome.
    RETURN_IF_ERROR(std::move(outcome->refused));
    if (options.purge) NoteRefusals();
    return outcome->seq;
  }

  absl::StatusOr<Article> CorrectLabels(absl::string_view id_or_url, const LabelCorrection& correction) {
    RETURN_IF_ERROR(CheckId(id_or_url));
    struct Outcome {
      absl::Status refused;
      Article article;
    };
    auto outcome = std::make_shared<Outcome>();
    const std::shared_ptr<const Taxonomy> known = taxonomy();
    ASSIGN_OR_RETURN(LabelCorrection checked, CheckCorrection(correction, *known));
    const auto write = [outcome, key = std::string(id_or_url), checked = std::move(checked),
                        known](ArticleStore& store) -> absl::Status {
      absl::StatusOr<StoredArticle> stored = store.CorrectLabels(key, checked, *known, absl::Now());
      if (stored.ok()) {
        outcome->article = std::move(stored->article);
        return absl::OkStatus();
      }
      const absl::Status& status = stored.status();
      if (!absl::IsNotFound(status) && !absl::IsAborted(status) && !absl::IsDataLoss(status)) return status;
      outcome->refused = status;
      return absl::OkStatus();
    };
    RETURN_IF_ERROR(WriteAndWait(write));
    // Moved, so that nothing of it is shared with the writer, which may still hold the outcome.
    RETURN_IF_ERROR(std::move(outcome->refused));
    return std::move(outcome->article);
  }

  absl::StatusOr<Article> Get(absl::string_view id_or_url, bool include_embargoed) const {
    RETURN_IF_ERROR(CheckId(id_or_url));
    ASSIGN_OR_RETURN(std::optional<StoredArticle> stored, store_->Find(id_or_url, Parts::kAll));
    const bool hidden =
        stored && !include_embargoed && stored->article.visible_from && *stored->article.visible_from > absl::Now();
    if (!stored || hidden) {
      return common::WithReason(absl::NotFoundError(absl::StrCat("no article has the id or URL \"", id_or_url, "\"")),
                                kReasonNotFound);
    }
    return std::move(stored->article);
  }

  absl::StatusOr<ArticleList> ListArticles(const ListQuery& query) const {
    return search::ListArticles(*store_, *taxonomy(), query);
  }
  absl::StatusOr<ChangeList> ListChanges(const ChangeQuery& query) const {
    return search::ListChanges(*store_, *taxonomy(), query);
  }

  absl::StatusOr<SearchResult> Search(const SearchQuery& query) const {
    ASSIGN_OR_RETURN(const uint64_t min_seq, AwaitMinimum(query));
    ASSIGN_OR_RETURN(SearchResult result, searcher_.Search(query, *taxonomy(), *synonyms()));
    if (result.visible_seq < min_seq) {
      return common::WithReason(
          absl::FailedPreconditionError(
              "page_token: is of a search before min_commit_token; start again from the first page"),
          kReasonPageTokenExpired);
    }
    result.commit_token = TokenOf(result.visible_seq);
    result.incomplete = result.visible_seq < started_seq_;
    return result;
  }

  absl::StatusOr<TrendResult> AnalyzeTrends(const TrendQuery& query) const {
    RETURN_IF_ERROR(AwaitMinimum(query.selection).status());
    return searcher_.AnalyzeTrends(query, *taxonomy());
  }

  absl::StatusOr<std::vector<Hit>> FindSimilarArticles(const SimilarQuery& query) const {
    return searcher_.FindSimilarArticles(query, *taxonomy());
  }

  absl::StatusOr<std::vector<Suggestion>> Suggest(const SuggestQuery& query) const {
    if (query.prefix.size() > kMaxQueryBytes) {
      return common::InvalidField("query", absl::StrCat("is longer than ", kMaxQueryBytes, " bytes"));
    }
    if (!common::IsValidUtf8(query.prefix)) return common::InvalidField("query", "is not valid UTF-8");
    if (query.limit < 0) return common::InvalidField("page_size", "must not be negative");
    return suggester_.Suggest(query, taxonomy());
  }

  absl::StatusOr<bool> HasEmbargoes() const { return index_->HasEmbargoes(absl::Now()); }

  Progress WaitFor(uint64_t seq, Progress progress, absl::Time deadline, const std::function<bool()>& cancelled) const {
    const common::MutexLock lock(mutex_);
    while (ReachedLocked(seq) < progress && !stopped_) {
      const absl::Time now = absl::Now();
      if (now >= deadline || (cancelled && cancelled())) break;
      progress_changed_.WaitUntil(mutex_, cancelled ? std::min(deadline, now + kCancelPoll) : deadline);
    }
    return ReachedLocked(seq);
  }

  absl::StatusOr<int64_t> WaitAsync(uint64_t seq, Progress progress, absl::Time deadline,
                                    std::function<void(Progress)> done) {
    Progress reached = Progress::kNone;
    {
      const common::MutexLock lock(mutex_);
      reached = ReachedLocked(seq);
      if (reached < progress && !no_waits_ && absl::Now() < deadline) {
        if (waits_.size() >= options_.max_waits) {
          return common::ResourceExhausted("too many callers are waiting; ask again later", kQueueRetry);
        }
        const int64_t id = waits_.Add({seq, progress, deadline, std::move(done)});
        waits_changed_.NotifyOne();
        return id;
      }
    }
    done(reached);
    return 0;
  }

  void StopWaiting(int64_t wait) {
    std::optional<WaitList::Wait> ended;
    Progress reached = Progress::kNone;
    {
      const common::MutexLock lock(mutex_);
      ended = waits_.Take(wait);
      if (ended) reached = ReachedLocked(ended->seq);
    }
    if (ended) ended->done(reached);
  }

  void StopAllWaiting() {
    const common::MutexLock lock(mutex_);
    no_waits_ = true;
    waits_changed_.NotifyOne();
  }

  Progress Reached(uint64_t seq) const {
    const common::MutexLock lock(mutex_);
    return ReachedLocked(seq);
  }
  uint64_t durable_seq() const {
    const common::MutexLock lock(mutex_);
    return durable_;
  }
  uint64_t visible_seq() const {
    const common::MutexLock lock(mutex_);
    return visible_;
  }
  uint64_t labelled_seq() const {
    const common::MutexLock lock(mutex_);
    return labelled_;
  }

  int64_t AddListener(std::function<void(uint64_t, uint64_t)> listener) {
    const common::MutexLock lock(listener_mutex_);
    listeners_.emplace(++last_listener_, std::move(listener));
    return last_listener_;
  }
  void RemoveListener(int64_t id) {
    const common::MutexLock lock(listener_mutex_);
    listeners_.erase(id);
  }

  std::string TokenOf(uint64_t seq) const { return EncodeCommitToken({store_->log_uuid(), seq}); }

  absl::StatusOr<uint64_t> SeqOf(absl::string_view field, absl::string_view text) const {
    ASSIGN_OR_RETURN(const CommitToken token, ParseCommitToken(field, text));
    RETURN_IF_ERROR(CheckPlace(field, token));
    return token.seq;
  }

  std::string ChangesTokenOf(const LogPlace& place) const { return EncodeChangesToken(store_->log_uuid(), place); }

  absl::StatusOr<LogPlace> PlaceOf(absl::string_view field, absl::string_view text) const {
    LogPlace place;
    if (text.empty()) return place;
    const std::vector<std::string> parts = PartsOfToken(text);
    if (parts.size() == 4 && absl::SimpleAtoi(parts[1], &place.seq) && absl::SimpleAtoi(parts[2], &place.base) &&
        place.base < place.seq && EncodeChangesToken(parts[0], place) == text) {
      RETURN_IF_ERROR(CheckPlace(field, {parts[0], place.seq}));
      return place;
    }
    ASSIGN_OR_RETURN(const uint64_t seq, SeqOf(field, text));
    return LogPlace{.base = seq, .seq = seq};
  }

  void SetSynonyms(Synonyms synonyms) {
    auto fresh = std::make_shared<const Synonyms>(std::move(synonyms));
    const common::MutexLock lock(mutex_);
    synonyms_ = std::move(fresh);
  }

  std::shared_ptr<const Synonyms> synonyms() const {
    const common::MutexLock lock(mutex_);
    return synonyms_;
  }

  std::shared_ptr<const Taxonomy> taxonomy() const {
    const common::MutexLock lock(mutex_);
    return taxonomy_;
  }

  absl::StatusOr<IndexInfo> GetIndexInfo() const {
    IndexInfo info;
    RETURN_IF_ERROR(store_->FillInfo(info));
    info.indexed_count = index_->document_count();
    info.index_generation = index_->generation();
    info.index_version = kIndexVersion;
    info.index_bytes = index_->DiskBytes();
    info.index_time = index_->commit_time();
    const common::MutexLock lock(mutex_);
    info.durable_seq = durable_;
    info.visible_seq = visible_;
    info.labelled_seq = labelled_;
    info.taxonomy_version = taxonomy_->data().taxonomy_version;
    info.gazetteer_version = taxonomy_->data().gazetteer_version;
    info.model_version = model_version_;
    info.labeler_healthy = labeler_healthy_;
    info.labeler_error = labeler_error_;
    info.queued_articles = static_cast<int64_t>(queued_articles_);
    info.queued_bytes = static_cast<int64_t>(queued_bytes_);
    return info;
  }

  absl::StatusOr<JobInfo> CreateSnapshot(absl::string_view name) {
    constexpr size_t kMaxBytes = 100;
    const std::string folder =
        name.empty() ? absl::FormatTime("%Y%m%d-%H%M%S", absl::Now(), absl::UTCTimeZone()) : std::string(name);
    const bool in_form = folder.size() <= kMaxBytes && std::all_of(folder.begin(), folder.end(), [](char c) {
                           return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_';
                         });
    if (!in_form) {
      return common::InvalidField(
          "name", absl::StrCat("must be letters, digits, \"-\" and \"_\", at most ", kMaxBytes, " bytes"));
    }
    const std::string path = absl::StrCat(options_.data_dir, "/snapshots/", folder);
    std::error_code error;
    if (std::filesystem::exists(path, error)) {
      return common::InvalidField("name", absl::StrCat("there is a snapshot of this name already: ", path));
    }
    return jobs_.Start("CreateSnapshot", folder,
                       [this, path](JobList::Run& run) { return maintenance_.Snapshot(run, path); });
  }
  absl::StatusOr<JobInfo> CompactIndex() {
    return jobs_.Start("CompactIndex", "", [this](JobList::Run& run) { return maintenance_.Compact(run); });
  }
  absl::StatusOr<JobInfo> RebuildIndex() {
    return jobs_.Start("RebuildIndex", "", [this](JobList::Run& run) { return maintenance_.Rebuild(run); });
  }
  absl::StatusOr<JobInfo> CheckIndex(bool full) {
    return jobs_.Start("CheckIndex", full ? "full" : "",
                       [this, full](JobList::Run& run) { return maintenance_.Check(run, full); });
  }
  absl::StatusOr<JobInfo> RelabelArticles(const RelabelRequest& request) {
    if (relabeling_ == nullptr) return absl::FailedPreconditionError("there is no classifier to tag articles");
    RETURN_IF_ERROR(ParseFilter(request.filter, {.taxonomy = *taxonomy()}).status());
    return jobs_.Start(
        "RelabelArticles", absl::StrCat(request.only_outdated, request.validate_only, request.filter),
        [this, request](JobList::Run& run) { return relabeling_->Run(run, request); }, JobList::Lane::kTagging);
  }
  JobList& jobs() { return jobs_; }

  void Shutdown() {
    damage_->Arm({});
    // Jobs write through the indexer, which is still there.
    jobs_.Shutdown();
    {
      const common::MutexLock lock(mutex_);
      if (closing_) return;
      closing_ = true;  // Nothing new; the writer ends when its queue is empty.
      index_until_ = absl::Now() + options_.shutdown_indexing;
      queue_changed_.NotifyAll();
      work_changed_.NotifyAll();
    }
    if (labeler_ != nullptr) labeler_->Cancel();
    // These may wait for a write: they end before the writer does.
    if (labeling_.joinable()) labeling_.join();
    if (retention_.joinable()) retention_.join();
    {
      const common::MutexLock lock(mutex_);
      writer_may_end_ = true;
      queue_changed_.NotifyAll();
    }
    if (writer_.joinable()) writer_.join();
    {
      const common::MutexLock lock(mutex_);
      indexer_may_end_ = true;
      work_changed_.NotifyAll();
    }
    if (indexer_.joinable()) indexer_.join();
    {
      const common::MutexLock lock(mutex_);
      stopped_ = true;
      no_waits_ = true;
      progress_changed_.NotifyAll();
      waits_changed_.NotifyOne();
    }
    if (waiter_.joinable()) waiter_.join();
  }

 private:
  Progress ReachedLocked(uint64_t seq) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (seq > durable_) return Progress::kNone;
    if (seq > visible_) return Progress::kDurable;
    return seq > labelled_ ? Progress::kVisible : Progress::kLabelled;
  }

  // Waits for what an answer must cover, and gives its sequence.
  absl::StatusOr<uint64_t> AwaitMinimum(const SearchQuery& query) const {
    if (query.min_commit_token.empty()) return uint64_t{0};
    ASSIGN_OR_RETURN(const uint64_t seq, SeqOf("min_commit_token", query.min_commit_token));
    if (WaitFor(seq, Progress::kVisible, query.deadline, query.cancelled) >= Progress::kVisible) return seq;
    if (query.cancelled && query.cancelled()) return SearchCancelled();
    // Not even a partial answer may lack what it must cover.
    return absl::DeadlineExceededError("the index did not reach min_commit_token before the deadline");
  }

  static absl::Status CheckId(absl::string_view id_or_url) {
    if (id_or_url.empty()) return common::InvalidField("id", "is empty");
    if (!common::IsValidUtf8(id_or_url)) return common::InvalidField("id", "is not valid UTF-8");
    return absl::OkStatus();
  }

  // Whether the place is one of this log.
  absl::Status CheckPlace(absl::string_view field, const CommitToken& token) const {
    if (token.log_uuid == store_->log_uuid() && token.seq <= store_->last_seq()) return absl::OkStatus();
    return common::WithReason(
        absl::FailedPreconditionError(absl::StrCat(field, ": is of another article log; read again without it")),
        kReasonCommitTokenUnknown);
  }

  // Labels of an editor need the right. Ids must be known; where there is no taxonomy yet to know them from,
  // `unchecked` says which label has to wait for it.
  absl::Status AcceptLabels(const IngestOptions& options, const std::vector<Label>& labels,
                            std::string& unchecked) const {
    const std::shared_ptr<const Taxonomy> known = taxonomy();
    for (size_t i = 0; i < labels.size(); ++i) {
      const Label& label = labels[i];
      // What Normalize leaves out, or refuses itself.
      if (label.source == LabelSource::kClassifier || label.id.empty() || label.id.size() > kMaxAttributeNameBytes) {
        continue;
      }
      if (label.source == LabelSource::kEditor && !options.accept_editor_labels) continue;
      if (known->empty() && label.dimension != Dimension::kCountry) {
        if (unchecked.empty()) unchecked = LabelPath(i, label.dimension);
        continue;
      }
      const bool found = known->empty() ? IsRegionCode(label.id) : known->Find(label.dimension, label.id) != nullptr;
      if (!found) {
        return common::InvalidField(
            LabelPath(i, label.dimension),
            absl::StrCat("\"", absl::Utf8SafeCHexEscape(label.id), "\" is not in the taxonomy"));
      }
    }
    return absl::OkStatus();
  }

  static void DropEditorLabels(Normalized& normalized) {
    const size_t dropped = std::erase_if(normalized.article.labels,
                                         [](const Label& label) { return label.source == LabelSource::kEditor; });
    if (dropped == 0) return;
    normalized.warnings.push_back(absl::StrCat("labels: ", dropped, " of an editor ignored; they need the edit role"));
  }

  // For a restore that comes when the store is gone. What can't be written now is written at the next start.
  void NoteRefusals() {
    const common::MutexLock lock(refusals_mutex_);
    if (const absl::Status written = WriteRefusals(*store_, options_.data_dir); !written.ok()) {
      common::Log(common::LogLevel::kError, "purges_not_noted", {{"error", written}});
    }
  }

  absl::Status Enqueue(WriteTask task, bool bounded) {
    const common::MutexLock lock(mutex_);
    if (bounded) {
      if (closing_) return ShuttingDown();
      if (queued_articles_ + task.articles > options_.max_queued_articles ||
          (queued_bytes_ + task.bytes > options_.max_queued_bytes && queued_articles_ > 0)) {
        return QueueFull();
      }
    } else if (writer_may_end_) {
      return ShuttingDown();
    }
    queued_articles_ += task.articles;
    queued_bytes_ += task.bytes;
    queue_.push_back(std::move(task));
    queue_changed_.NotifyOne();
    return absl::OkStatus();
  }

  absl::Status WriteAndWait(std::function<absl::Status(ArticleStore&)> apply) {
    struct Wait {
      common::Mutex mutex;
      common::CondVar changed;
      bool done ABSL_GUARDED_BY(mutex) = false;
      absl::Status status ABSL_GUARDED_BY(mutex);
    };
    auto wait = std::make_shared<Wait>();
    WriteTask task;
    task.apply = std::move(apply);
    task.finish = [wait](const absl::Status& status) {
      const common::MutexLock lock(wait->mutex);
      wait->done = true;
      wait->status = status;
      wait->changed.NotifyAll();
    };
    RETURN_IF_ERROR(Enqueue(std::move(task), /*bounded=*/false));
    const common::MutexLock lock(wait->mutex);
    while (!wait->done) wait->changed.Wait(wait->mutex);
    return wait->status;
  }

  // --- The writer: groups of changes, one fsync for each group.

  void RunWriter() {
    absl::Time release_after = absl::InfinitePast();  // After an error.
    absl::Time next_prune = absl::InfinitePast();
    while (true) {
      std::vector<WriteTask> group;
      bool releases = false;
      bool prunes = false;
      {
        const common::MutexLock lock(mutex_);
        const absl::Time release = std::max(store_->next_embargo(), release_after);
        const absl::Time due = std::min(release, next_prune);
        while (queue_.empty() && !writer_may_end_ && absl::Now() < due) queue_changed_.WaitUntil(mutex_, due);
        releases = !closing_ && absl::Now() >= release;
        prunes = !closing_ && absl::Now() >= next_prune;
        if (queue_.empty() && !releases && !prunes) {
          if (writer_may_end_) return;
          // A shutdown has begun: the next start does what is due now.
          queue_changed_.Wait(mutex_);
          continue;
        }
        const size_t count = std::min(queue_.size(), kMaxGroup);
        group.assign(std::make_move_iterator(queue_.begin()),
                     std::make_move_iterator(queue_.begin() + static_cast<std::ptrdiff_t>(count)));
        queue_.erase(queue_.begin(), queue_.begin() + static_cast<std::ptrdiff_t>(count));
      }
      if (releases) {
        group.push_back(
            {.articles = 0,
             .bytes = 0,
             .apply = [](ArticleStore& store) { return store.ReleaseEmbargoes(absl::Now(), kReleaseBatch); },
             .finish =
                 [&release_after](const absl::Status& status) {
                   release_after = status.ok() ? absl::InfinitePast() : absl::Now() + kErrorPause;
                 }});
      }
      if (prunes) {
        auto more = std::make_shared<bool>(false);
        group.push_back({.articles = 0,
                         .bytes = 0,
                         .apply = [more](ArticleStore& store) -> absl::Status {
                           ASSIGN_OR_RETURN(*more, store.PruneHistory(absl::Now(), kPruneBatch));
                           return absl::OkStatus();
                         },
                         .finish =
                             [&next_prune, more](const absl::Status& status) {
                               next_prune = absl::Now() + (status.ok() && *more ? kPrunePause : kPruneInterval);
                             }});
      }
      const std::vector<absl::Status> results = WriteGroup(group);
      const auto failed = std::find_if(results.begin(), results.end(), [](const auto& status) { return !status.ok(); });
      if (failed != results.end()) {
        const auto count = std::count_if(failed, results.end(), [](const auto& status) { return !status.ok(); });
        common::Log(common::LogLevel::kError, "store_write_failed", {{"changes", count}, {"error", *failed}});
      }
      size_t articles = 0;
      size_t bytes = 0;
      for (const WriteTask& task : group) {
        articles += task.articles;
        bytes += task.bytes;
      }
      {
        const common::MutexLock lock(mutex_);
        queued_articles_ -= articles;
        queued_bytes_ -= bytes;
        const uint64_t last = store_->last_seq();
        if (last > durable_) {
          durable_ = last;
          arrivals_.emplace_back(last, common::SteadyNow());
        }
        progress_changed_.NotifyAll();
        waits_changed_.NotifyOne();
        work_changed_.NotifyAll();
      }
      for (size_t i = 0; i < group.size(); ++i) group[i].finish(results[i]);
    }
  }

  // All in one transaction; gives what became of each change.
  std::vector<absl::Status> WriteGroup(const std::vector<WriteTask>& group) {
    std::vector<absl::Status> results(group.size());
    absl::Status status = TryGroup(group, /*apart=*/false, results);
    // One of them can't be done: the others must not wait for it to go away. A savepoint for each costs too much to
    // have them always.
    if (!status.ok() && !IsOfTheDisk(status)) status = TryGroup(group, /*apart=*/true, results);
    if (!status.ok()) results.assign(group.size(), status);
    return results;
  }

  absl::Status TryGroup(const std::vector<WriteTask>& group, bool apart, std::vector<absl::Status>& results) {
    RETURN_IF_ERROR(store_->Begin());
    absl::Status status = ApplyGroup(group, apart, results);
    if (status.ok()) {
      {
        // Before the indexer can read where the rows have gone.
        const common::MutexLock lock(mutex_);
        prefix_.Begin(store_->moves());
      }
      status = store_->Commit();
      const common::MutexLock lock(mutex_);
      prefix_.End(status.ok());
    }
    if (!status.ok()) store_->Rollback();
    return status;
  }

  absl::Status ApplyGroup(const std::vector<WriteTask>& group, bool apart, std::vector<absl::Status>& results) {
    for (size_t i = 0; i < group.size(); ++i) {
      if (!apart) {
        RETURN_IF_ERROR(group[i].apply(*store_));
        continue;
      }
      RETURN_IF_ERROR(store_->Savepoint());
      results[i] = group[i].apply(*store_);
      if (IsOfTheDisk(results[i])) return results[i];
      RETURN_IF_ERROR(results[i].ok() ? store_->ReleaseSavepoint() : store_->RollbackToSavepoint());
    }
    return absl::OkStatus();
  }

  // No room, no permission, no answer: what one change met, all would meet.
  static bool IsOfTheDisk(const absl::Status& status) {
    return absl::IsUnavailable(status) || absl::IsResourceExhausted(status) || absl::IsFailedPrecondition(status);
  }

  // --- The indexer: tails the store, and publishes.

  // Runs some work between two publications of the indexer.
  absl::Status RunOnIndexer(std::function<absl::Status()> work) {
    struct Outcome {
      bool done = false;
      absl::Status status;
    };
    auto outcome = std::make_shared<Outcome>();
    const common::MutexLock lock(mutex_);
    if (indexer_may_end_) return ShuttingDown();
    indexer_work_.emplace_back([this, outcome, work = std::move(work)] {
      absl::Status status = work();
      const common::MutexLock done(mutex_);
      outcome->status = std::move(status);
      outcome->done = true;
      progress_changed_.NotifyAll();
    });
    work_changed_.NotifyAll();
    while (!outcome->done) progress_changed_.Wait(mutex_);
    return outcome->status;
  }

  // The index has damage: what the store has is written into it again.
  void MendIndex() {
    common::Log(common::LogLevel::kError, "index_damaged", {{"remedy", "it is rebuilt in the background"}});
    if (const absl::StatusOr<JobInfo> job = RebuildIndex(); !job.ok()) {
      common::Log(common::LogLevel::kError, "index_not_rebuilt", {{"error", job.status()}});
    }
  }

  void RunIndexer() {
    common::SteadyTime turn;
    while (true) {
      std::vector<std::function<void()>> work;
      {
        const common::MutexLock lock(mutex_);
        while (durable_ <= prefix_.applied() && !indexer_may_end_ && indexer_work_.empty()) work_changed_.Wait(mutex_);
        work = std::exchange(indexer_work_, {});
        // What a shutdown has no time for, the next start catches up with.
        const bool late = closing_ && absl::Now() >= index_until_;
        while (late && !indexer_may_end_) work_changed_.Wait(mutex_);
        if (indexer_may_end_ && (late || durable_ <= prefix_.applied())) break;
        if (!work.empty()) {
          turn = {};  // What waits is not to wait for this as well.
        }
        while (!closing_ && common::SteadyNow() < turn) work_changed_.WaitUntil(mutex_, turn);
      }
      for (const std::function<void()>& piece : work) piece();
      WaitForLabels();
      if (const absl::Status indexed = IndexBatch(); !indexed.ok()) {
        common::Log(common::LogLevel::kError, "index_failed", {{"error", indexed}});
        const common::MutexLock lock(mutex_);
        // Not shortened by what comes in meanwhile: a full disk would be asked for room all the time.
        const common::SteadyTime until = common::SteadyAfter(kErrorPause);
        while (!indexer_may_end_ && work_changed_.WaitUntil(mutex_, until)) {
        }
        if (indexer_may_end_) return;  // The store has it all; the next start catches up.
        continue;
      }
      turn = common::SteadyAfter(options_.min_commit_interval);
    }
    if (const absl::Status synced = index_->Sync(); !synced.ok()) {
      common::Log(common::LogLevel::kError, "index_not_synced", {{"error", synced}});
    }
  }

  // Labels that come at once are worth a short wait: the article is written once.
  void WaitForLabels() {
    while (true) {
      common::SteadyTime limit;
      uint64_t wanted = 0;
      {
        const common::MutexLock lock(mutex_);
        if (!labeler_healthy_ || closing_ || arrivals_.empty()) return;
        limit = arrivals_.front().second + absl::ToChronoNanoseconds(options_.label_grace);
        wanted = durable_;
        if (common::SteadyNow() >= limit) return;
      }
      const absl::StatusOr<uint64_t> labelled = store_->LabelledThrough();
      if (!labelled.ok() || *labelled >= wanted) return;
      const common::MutexLock lock(mutex_);
      work_changed_.WaitUntil(mutex_, std::min(limit, common::SteadyAfter(kGracePoll)));
    }
  }

  // Takes in what changed, up to the limits, and publishes it.
  absl::Status IndexBatch() {
    const absl::Time start = absl::Now();
    uint64_t applied = index_->applied_seq();
    const uint64_t before = applied;
    bool complete = false;
    uint64_t store_seq = applied;
    uint64_t labelled_through = 0;
    size_t count = 0;
    size_t bytes = 0;
    std::vector<RowState> taken;
    std::vector<StoredArticle> batch;
    absl::flat_hash_map<int64_t, size_t> place;  // By row, in the batch.
    while (!complete && count < kMaxIndexBatch && bytes < kMaxIndexBytes && absl::Now() < start + kMaxIndexTime) {
      constexpr size_t kReadAtOnce = 64;
      ASSIGN_OR_RETURN(ArticleStore::Changes changes, store_->ReadChanges(applied, kReadAtOnce, kMaxIndexBytes));
      for (StoredArticle& stored : changes.articles) {
        applied = stored.article.seq;
        ++count;
        bytes += stored.article.body.size() + stored.article.title.size();
        if (stored.damaged) {
          common::Log(common::LogLevel::kError, "article_damaged", {{"row", stored.row}, {"id", stored.article.id}});
          stored.deleted = true;  // Nothing of it can be shown.
        }
        taken.push_back({stored.row, applied});
        // It may have changed again since it was read.
        const auto [known, is_new] = place.emplace(stored.row, batch.size());
        if (is_new) {
          batch.push_back(std::move(stored));
        } else {
          batch[known->second] = std::move(stored);
        }
      }
      complete = changes.complete;
      store_seq = changes.last_seq;
      labelled_through = changes.labelled_through;
    }
    if (complete) applied = std::max(applied, store_seq);
    if (applied == before) return absl::OkStatus();
    if (options_.before_index_commit) options_.before_index_commit();
    uint64_t visible = 0;
    {
      const common::MutexLock lock(mutex_);
      visible = prefix_.After(applied, taken);
    }
    std::vector<IndexChange> changes;
    changes.reserve(batch.size());
    for (const StoredArticle& stored : batch) {
      changes.push_back({{stored.row, stored.article.seq}, stored.deleted ? nullptr : &stored.article});
    }
    RETURN_IF_ERROR(index_->Apply(changes, applied, visible));
    for (const StoredArticle& stored : batch) {
      if (stored.deleted) {
        suggester_.Remove(stored.row);
      } else {
        suggester_.Update(stored.row, stored.article);
      }
    }
    Publish(applied, visible, taken, {store_seq, labelled_through});
    return absl::OkStatus();
  }

  // A state of the store, and how far labelling had come in it: as far as searches see labels once they see all of it.
  struct LabelsSeen {
    uint64_t store_seq = 0;
    uint64_t labelled_through = 0;
  };

  void Publish(uint64_t applied, uint64_t visible, const std::vector<RowState>& taken, const LabelsSeen& seen) {
    uint64_t labelled = 0;
    {
      const common::MutexLock lock(mutex_);
      prefix_.Advance(applied, visible, taken);
      visible_ = prefix_.visible();
      // The first state of a long pass, which a later one reaches, and the state that this pass reached: both may be
      // news, and there may be no other pass to tell the second.
      if (labels_seen_ && labels_seen_->store_seq <= visible_) {
        RaiseLabelledLocked(labels_seen_->labelled_through);
        labels_seen_.reset();
      }
      if (seen.store_seq <= visible_) {
        RaiseLabelledLocked(seen.labelled_through);
      } else if (!labels_seen_) {
        labels_seen_ = seen;
      }
      while (!arrivals_.empty() && arrivals_.front().first <= applied) arrivals_.pop_front();
      visible = visible_;
      labelled = labelled_;
      progress_changed_.NotifyAll();
      waits_changed_.NotifyOne();
    }
    const common::MutexLock lock(listener_mutex_);
    for (const auto& [id, listener] : listeners_) listener(visible, labelled);
  }

  void RaiseLabelledLocked(uint64_t labelled_through) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    labelled_ = std::max(labelled_, std::min(labelled_through, visible_));
  }

  // --- The waiter: tells callers of WaitAsync what has come, or that their time is up.

  void RunWaits() {
    while (true) {
      std::vector<std::pair<WaitList::Wait, Progress>> ended;
      bool last = false;
      {
        const common::MutexLock lock(mutex_);
        while (true) {
          std::vector<WaitList::Wait> taken =
              no_waits_ ? waits_.TakeAll() : waits_.TakeEnded(durable_, visible_, labelled_, absl::Now());
          for (WaitList::Wait& wait : taken) {
            const Progress reached = ReachedLocked(wait.seq);
            ended.emplace_back(std::move(wait), reached);
          }
          last = stopped_;
          if (last || !ended.empty()) break;
          waits_changed_.WaitUntil(mutex_, waits_.NextDeadline());
        }
      }
      for (const auto& [wait, reached] : ended) wait.done(reached);
      if (last) return;
    }
  }

  // --- The retention: deletes what has been kept for long enough.

  absl::Status CheckAge(const Article& article) const {
    Article incoming;
    incoming.source = article.source;
    incoming.publish_time = article.publish_time;
    incoming.create_time = absl::InfiniteFuture();
    if (options_.retention.EndOf(incoming) > absl::Now()) return absl::OkStatus();
    return common::WithReason(
        absl::FailedPreconditionError("publish_time: is longer ago than articles of this source are kept"),
        kReasonTooOld);
  }

  void RunRetention() {
    while (true) {
      if (const absl::Status status = DeleteExpired(); !status.ok()) {
        common::Log(common::LogLevel::kError, "retention_failed", {{"error", status}});
      }
      const common::MutexLock lock(mutex_);
      const common::SteadyTime next = common::SteadyAfter(options_.retention_interval);
      while (!closing_ && common::SteadyNow() < next) work_changed_.WaitUntil(mutex_, next);
      if (closing_) return;
    }
  }

  absl::Status DeleteExpired() {
    int64_t row = 0;
    int64_t count = 0;
    while (true) {
      {
        const common::MutexLock lock(mutex_);
        if (closing_) break;
      }
      ASSIGN_OR_RETURN(const std::vector<StoredArticle> heads, store_->ReadHeads(row, kRetentionBatch));
      if (heads.empty()) break;
      row = heads.back().row;
      const absl::Time now = absl::Now();
      struct Expired {
        std::string id;
        std::string etag;
      };
      auto expired = std::make_shared<std::vector<Expired>>();
      for (const StoredArticle& stored : heads) {
        if (stored.damaged || options_.retention.EndOf(stored.article) > now) continue;
        expired->push_back({stored.article.id, stored.article.etag});
      }
      if (expired->empty()) continue;
      RETURN_IF_ERROR(WriteAndWait([expired](ArticleStore& store) -> absl::Status {
        for (const Expired& article : *expired) {
          DeleteOptions options;
          options.allow_missing = true;
          options.etag = article.etag;
          absl::Status status = store.Delete(article.id, options, absl::Now()).status();
          // One that has changed meanwhile is for the next time.
          if (!status.ok() && !absl::IsAborted(status)) return status;
        }
        return absl::OkStatus();
      }));
      count += static_cast<int64_t>(expired->size());
    }
    if (count > 0) common::Log(common::LogLevel::kInfo, "articles_expired", {{"count", count}});
    return absl::OkStatus();
  }

  absl::Status LoadSuggestions() {
    int64_t row = 0;
    int64_t damaged = 0;
    while (true) {
      ASSIGN_OR_RETURN(const std::vector<StoredArticle> heads, store_->ReadHeads(row, kSuggesterLoadBatch));
      if (heads.empty()) break;
      for (const StoredArticle& stored : heads) {
        if (stored.damaged) {
          ++damaged;
        } else {
          suggester_.Update(stored.row, stored.article);
        }
      }
      row = heads.back().row;
    }
    if (damaged > 0) common::Log(common::LogLevel::kError, "articles_damaged", {{"count", damaged}});
    return absl::OkStatus();
  }

  // --- The labeller: asks for labels of what has none, for as long as there is someone to ask.

  // Where the labeller is. Articles are asked about in the order in which they came, from `after` on; once past the
  // last, those that got no labels have their next turn in a new round. So an article that kills or blocks the labeler
  // delays the others once in a round, and not for good.
  struct LabelRound {
    uint64_t after = 0;  // content_seq.
    size_t batch_size = kMaxLabelingBatch;
    bool left_any = false;    // This round left articles without labels.
    common::SteadyTime next;  // Then: when the next one begins.
    bool answers = false;     // The labeler answered the last call.
    // An article that the labeler, asked about it alone, gave no answer to, though it had answered just before. The
    // article is to blame if the labeler answers again; until then it may be just away.
    struct Suspect {
      int64_t row = 0;
      uint64_t content_seq = 0;
    };
    std::optional<Suspect> suspect;
  };

  void RunLabeling() {
    std::mt19937_64 random{std::random_device{}()};
    absl::Duration backoff = options_.min_backoff;
    common::SteadyTime next_taxonomy;
    LabelRound round;
    while (true) {
      uint64_t seen = 0;
      {
        const common::MutexLock lock(mutex_);
        if (closing_) return;
        seen = durable_;  // What comes after the store was asked is news.
      }
      // First, and without the labeler: filters go by today's ids already.
      const absl::StatusOr<bool> followed = FollowTaxonomy();
      if (followed.ok() && *followed) continue;
      absl::Status status = followed.status();
      if (status.ok() && common::SteadyNow() >= next_taxonomy) {
        status = RefreshTaxonomy();
        round.answers = status.ok();
        if (status.ok()) {
          next_taxonomy = common::SteadyAfter(options_.taxonomy_refresh);
          SetLabelerState(status);  // Before anyone can see labels of it.
          status = CountSuspect(round);
          if (status.ok()) FollowVersion();
        }
        if (status.ok() && followed_ != taxonomy()->data().etag) continue;
      }
      bool worked = false;
      if (status.ok()) {
        absl::StatusOr<bool> labelled = LabelBatch(round);
        status = labelled.status();
        worked = labelled.ok() && *labelled;
      }
      SetLabelerState(status);
      if (status.ok()) {
        backoff = options_.min_backoff;
        if (worked) continue;
        const common::MutexLock lock(mutex_);
        common::SteadyTime until = std::min(next_taxonomy, common::SteadyAfter(options_.max_backoff));
        if (round.left_any) until = std::min(until, round.next);
        while (!closing_ && durable_ == seen && work_changed_.WaitUntil(mutex_, until)) {
        }
        continue;
      }
      const auto wait = backoff * std::uniform_real_distribution<double>(0.5, 1.0)(random);
      backoff = std::min(backoff * 2, options_.max_backoff);
      const common::SteadyTime until = common::SteadyAfter(wait);
      const common::MutexLock lock(mutex_);
      while (!closing_ && work_changed_.WaitUntil(mutex_, until)) {
      }
    }
  }

  void SetLabelerState(const absl::Status& status) {
    const common::MutexLock lock(mutex_);
    // Once for each change; what an operator has to mend is another thing than a labeler that is away.
    const auto kind = [](absl::StatusCode code) {
      return code == absl::StatusCode::kOk || code == absl::StatusCode::kFailedPrecondition
                 ? code
                 : absl::StatusCode::kUnavailable;
    };
    if (labeler_state_ != kind(status.code())) {
      if (status.ok()) {
        common::Log(common::LogLevel::kInfo, "labeler_available");
      } else {
        common::Log(common::LogLevel::kWarning, "labeler_unavailable", {{"error", status}});
      }
    }
    labeler_state_ = kind(status.code());
    labeler_healthy_ = status.ok();
    labeler_error_ = status.ok() ? std::string() : std::string(status.message());
  }

  absl::Status RefreshTaxonomy() {
    const std::shared_ptr<const Taxonomy> current = taxonomy();
    ASSIGN_OR_RETURN(std::optional<TaxonomyData> data,
                     labeler_->FetchTaxonomy(current->data().etag, absl::Now() + kTaxonomyTimeout));
    if (!data) return absl::OkStatus();
    const auto fetched = std::make_shared<const Taxonomy>(*std::move(data));
    if (fetched->empty()) return absl::InternalError("the labeler's taxonomy is empty");
    const auto write = [fetched](ArticleStore& store) -> absl::Status {
      RETURN_IF_ERROR(store.SetTaxonomy(*fetched));
      return store.RetryFailedIfNew(
          "taxonomy", absl::StrCat(fetched->data().taxonomy_version, "/", fetched->data().gazetteer_version));
    };
    RETURN_IF_ERROR(WriteAndWait(write));
    const common::MutexLock lock(mutex_);
    taxonomy_ = fetched;
    return absl::OkStatus();
  }

  // Brings some more stored labels in line with the taxonomy; false when all are. After a crash it begins again.
  absl::StatusOr<bool> FollowTaxonomy() {
    const std::shared_ptr<const Taxonomy> current = taxonomy();
    const std::string& etag = current->data().etag;
    if (current->empty() || followed_ == etag) return false;
    if (following_ != etag) {
      following_ = etag;
      follow_row_ = 0;
    }
    auto row = std::make_shared<int64_t>(follow_row_);
    const absl::Status status = WriteAndWait([row, current](ArticleStore& store) -> absl::Status {
      ASSIGN_OR_RETURN(*row, store.FollowTaxonomy(*row, kFollowBatch, *current, absl::Now()));
      return *row == 0 ? store.SetFollowed(current->data().etag) : absl::OkStatus();
    });
    if (absl::IsDataLoss(status)) {
      // It won't get better, and labelling must go on. The next start tries again.
      common::Log(common::LogLevel::kError, "labels_follow_failed", {{"error", status}});
      followed_ = etag;
      return false;
    }
    RETURN_IF_ERROR(status);
    follow_row_ = *row;
    if (*row == 0) followed_ = etag;
    return true;
  }

  // Articles with labels of another version of the labeler are tagged again, in a job. One that was stopped, or failed,
  // is not begun again until the next start.
  void FollowVersion() {
    if (!options_.relabel_outdated) return;
    const absl::StatusOr<std::string> version = labeler_->FetchVersion(absl::Now() + kTaxonomyTimeout);
    if (!version.ok() || version->empty() || *version == relabelled_) return;
    relabelled_ = *version;
    const absl::StatusOr<std::vector<StoredArticle>> outdated = store_->ReadLabelled(0, *version, 1, 1);
    absl::Status status = outdated.status();
    if (outdated.ok() && outdated->empty()) {
      status = WriteAndWait([version = *version](ArticleStore& store) { return store.SetRelabelled(version); });
    } else if (outdated.ok()) {
      common::Log(common::LogLevel::kInfo, "labels_outdated", {{"version", *version}});
      status = RelabelArticles({.only_outdated = true}).status();
    }
    if (!status.ok()) common::Log(common::LogLevel::kWarning, "labels_stay_outdated", {{"error", status}});
  }

  // The next articles of the round; empty if there are none whose turn it is. What failed before comes alone: it must
  // not fail others again.
  absl::StatusOr<std::vector<StoredArticle>> NextToLabel(LabelRound& round) {
    if (round.left_any && common::SteadyNow() >= round.next) {
      round.left_any = false;
      round.after = 0;
    }
    ASSIGN_OR_RETURN(std::vector<StoredArticle> pending,
                     store_->ReadPending(round.after, round.batch_size, kMaxLabelingBytes));
    if (pending.empty() && round.after > 0 && !round.left_any) {
      // Older ones may be pending again.
      round.after = 0;
      ASSIGN_OR_RETURN(pending, store_->ReadPending(0, round.batch_size, kMaxLabelingBytes));
    }
    const auto failed = std::find_if(pending.begin(), pending.end(),
                                     [](const StoredArticle& stored) { return stored.label_attempts > 0; });
    if (failed != pending.end()) pending.erase(failed == pending.begin() ? failed + 1 : failed, pending.end());
    return pending;
  }

  // The article stays without labels in this round.
  void LeaveForNextRound(const StoredArticle& stored, LabelRound& round) const {
    absl::Duration pause = options_.label_retry_delay;
    for (int i = 0; i < stored.label_attempts && pause < kMaxLabelRetryDelay; ++i) pause *= kLabelRetryFactor;
    const common::SteadyTime next = common::SteadyAfter(std::min(pause, kMaxLabelRetryDelay));
    round.next = round.left_any ? std::min(round.next, next) : next;
    round.left_any = true;
  }

  // The labeler answered: who had no answer before that was to blame.
  absl::Status CountSuspect(LabelRound& round) {
    round.answers = true;
    if (!round.suspect) return absl::OkStatus();
    const LabelRound::Suspect suspect = *std::exchange(round.suspect, std::nullopt);
    common::Log(common::LogLevel::kWarning, "labeling_failed", {{"row", suspect.row}});
    return WriteAndWait([suspect, attempts = options_.max_label_attempts](ArticleStore& store) {
      return store.CountLabelFailure(suspect.row, suspect.content_seq, attempts);
    });
  }

  // Takes out what can't be read, and so has no text to label.
  absl::StatusOr<bool> FailDamaged(std::vector<StoredArticle>& pending) {
    auto damaged = std::make_shared<std::vector<LabelRound::Suspect>>();
    std::erase_if(pending, [&](const StoredArticle& stored) {
      if (stored.damaged) damaged->push_back({stored.row, stored.article.content_seq});
      return stored.damaged;
    });
    if (damaged->empty()) return false;
    const auto write = [damaged](ArticleStore& store) -> absl::Status {
      for (const auto& [row, content_seq] : *damaged) {
        RETURN_IF_ERROR(store.CountLabelFailure(row, content_seq, /*max_attempts=*/1));
      }
      return absl::OkStatus();
    };
    RETURN_IF_ERROR(WriteAndWait(write));
    return true;
  }

  // Asks about some articles. An error is the labeler's: it gave no answer. Then the round knows what to ask about
  // next.
  absl::StatusOr<std::vector<absl::StatusOr<Labeling>>> AskLabeler(const std::vector<StoredArticle>& pending,
                                                                   LabelRound& round) {
    const bool alone = pending.size() == 1;
    if (!round.answers && (alone || round.suspect)) {
      // Is it there at all? Otherwise its silence would say nothing about the article.
      RETURN_IF_ERROR(labeler_->FetchTaxonomy(taxonomy()->data().etag, absl::Now() + kTaxonomyTimeout).status());
      RETURN_IF_ERROR(CountSuspect(round));
    }
    std::vector<LabelingInput> inputs;
    inputs.reserve(pending.size());
    size_t bytes = 0;
    for (const StoredArticle& stored : pending) {
      const Article& article = stored.article;
      bytes += article.title.size() + article.body.size();
      inputs.push_back(LabelingInputOf(article));
    }
    // Little text gets less time: an article that blocks the labeler is found sooner.
    const double full = std::max(static_cast<double>(pending.size()) / kMaxLabelingBatch,
                                 static_cast<double>(bytes) / kMaxLabelingBytes);
    const absl::Duration timeout = options_.labeling_timeout * (0.25 + 0.75 * std::min(full, 1.0));
    absl::StatusOr<std::vector<absl::StatusOr<Labeling>>> answer = labeler_->Label(inputs, absl::Now() + timeout);
    if (answer.ok() && answer->size() != pending.size()) {
      answer = absl::InternalError("the labeler gave another number of answers than it was asked for");
    }
    // Nothing but "later" is no answer.
    const auto later = [](const absl::StatusOr<Labeling>& item) { return !item.ok() && !IsForGood(item.status()); };
    if (answer.ok() && std::all_of(answer->begin(), answer->end(), later)) {
      // A copy: what it is taken from goes with the assignment.
      answer = absl::Status(answer->front().status());
    }
    if (answer.ok()) {
      RETURN_IF_ERROR(CountSuspect(round));
      return answer;
    }
    const bool answered_before = std::exchange(round.answers, false);
    if (!alone) {
      // It may be because of one article: smaller batches find it.
      round.batch_size = std::max<size_t>(1, round.batch_size / 4);
    } else if (IsForGood(answer.status())) {
      round.answers = true;
      return std::vector<absl::StatusOr<Labeling>>{answer.status()};
    } else if (answered_before) {
      round.suspect = {pending[0].row, pending[0].article.content_seq};
      round.after = pending[0].article.content_seq;
      LeaveForNextRound(pending[0], round);
    }
    return answer;
  }

  // The article will never be labelled as it is, by this labeler.
  static bool IsForGood(const absl::Status& status) { return absl::IsInvalidArgument(status); }

  bool FromKnownTaxonomy(const std::vector<absl::StatusOr<Labeling>>& answer) const {
    const std::shared_ptr<const Taxonomy> known = taxonomy();
    return std::all_of(answer.begin(), answer.end(), [&known](const absl::StatusOr<Labeling>& item) {
      return !item.ok() ||
             ((item->taxonomy_version.empty() || item->taxonomy_version == known->data().taxonomy_version) &&
              (item->gazetteer_version.empty() || item->gazetteer_version == known->data().gazetteer_version));
    });
  }

  // True if there were articles to label. An error is the labeler's, not an article's.
  absl::StatusOr<bool> LabelBatch(LabelRound& round) {
    ASSIGN_OR_RETURN(std::vector<StoredArticle> pending, NextToLabel(round));
    ASSIGN_OR_RETURN(const bool any_damaged, FailDamaged(pending));
    if (pending.empty()) {
      if (any_damaged) return true;
      if (!round.suspect) return false;
      // It was the last one: the taxonomy must tell whether the labeler is there.
      RETURN_IF_ERROR(labeler_->FetchTaxonomy(taxonomy()->data().etag, absl::Now() + kTaxonomyTimeout).status());
      RETURN_IF_ERROR(CountSuspect(round));
      return false;
    }
    ASSIGN_OR_RETURN(const std::vector<absl::StatusOr<Labeling>> answer, AskLabeler(pending, round));
    // Labels of another taxonomy than is known here need theirs first: to be checked, named and filtered by.
    if (!FromKnownTaxonomy(answer)) RETURN_IF_ERROR(RefreshTaxonomy());
    struct Answer {
      int64_t row;
      uint64_t content_seq;
      absl::StatusOr<Labeling> labeling;
    };
    auto answers = std::make_shared<std::vector<Answer>>();
    std::string model_version;
    for (size_t i = 0; i < pending.size(); ++i) {
      answers->push_back({pending[i].row, pending[i].article.content_seq, CheckedLabeling(answer[i], absl::Now())});
      const absl::StatusOr<Labeling>& labeling = answers->back().labeling;
      if (!labeling.ok() && !IsForGood(labeling.status())) LeaveForNextRound(pending[i], round);
      if (labeling.ok() && !labeling->labels.empty()) model_version = labeling->labels.front().model_version;
    }
    const int max_attempts = options_.max_label_attempts;
    const auto write = [this, answers, max_attempts, model_version](ArticleStore& store) -> absl::Status {
      const std::shared_ptr<const Taxonomy> known = taxonomy();
      // First: what fails now has failed with the new model.
      if (!model_version.empty()) RETURN_IF_ERROR(store.RetryFailedIfNew("model", model_version));
      for (const Answer& item : *answers) {
        if (item.labeling.ok()) {
          RETURN_IF_ERROR(store.SetLabeling(item.row, item.content_seq, *item.labeling, *known).status());
        } else {
          const int limit = IsForGood(item.labeling.status()) ? 1 : max_attempts;
          RETURN_IF_ERROR(store.CountLabelFailure(item.row, item.content_seq, limit));
        }
      }
      return absl::OkStatus();
    };
    RETURN_IF_ERROR(WriteAndWait(write));
    round.after = pending.back().article.content_seq;
    round.batch_size = std::min(round.batch_size * 2, kMaxLabelingBatch);
    if (!model_version.empty()) {
      const common::MutexLock lock(mutex_);
      model_version_ = model_version;
    }
    return true;
  }

  const Options options_;
  const std::shared_ptr<ArticleLabeler> labeler_;
  const FolderLock lock_;
  const std::unique_ptr<ArticleStore> store_;
  const std::shared_ptr<DamageSignal> damage_;
  const std::unique_ptr<SearchIndex> index_;
  const Searcher searcher_;
  JobList jobs_;
  Maintenance maintenance_;
  std::unique_ptr<Relabeling> relabeling_;  // Null without a labeler.
  Suggester suggester_;
  const uint64_t started_seq_;  // The last change that the store had at the start.

  mutable common::Mutex mutex_;
  common::CondVar queue_changed_;             // The writer waits here,
  common::CondVar work_changed_;              // the indexer and the labeller here,
  mutable common::CondVar progress_changed_;  // callers of WaitFor here,
  common::CondVar waits_changed_;             // and the one who waits for those of WaitAsync here.
  std::deque<WriteTask> queue_ ABSL_GUARDED_BY(mutex_);
  size_t queued_articles_ ABSL_GUARDED_BY(mutex_) = 0;  // Waiting, or in the group being written.
  size_t queued_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t durable_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t visible_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t labelled_ ABSL_GUARDED_BY(mutex_) = 0;
  VisiblePrefix prefix_ ABSL_GUARDED_BY(mutex_);
  std::optional<LabelsSeen> labels_seen_ ABSL_GUARDED_BY(mutex_);  // Not all visible yet.
  // When changes became durable that are not visible yet: the last sequence of each group, and the time.
  std::deque<std::pair<uint64_t, common::SteadyTime>> arrivals_ ABSL_GUARDED_BY(mutex_);
  std::shared_ptr<const Taxonomy> taxonomy_ ABSL_GUARDED_BY(mutex_);
  std::shared_ptr<const Synonyms> synonyms_ ABSL_GUARDED_BY(mutex_) = std::make_shared<const Synonyms>();
  std::optional<absl::StatusCode> labeler_state_ ABSL_GUARDED_BY(mutex_);  // None: not asked yet.
  bool labeler_healthy_ ABSL_GUARDED_BY(mutex_) = false;
  std::string labeler_error_ ABSL_GUARDED_BY(mutex_);
  std::string model_version_ ABSL_GUARDED_BY(mutex_);  // Of the last labels that came.
  std::vector<std::function<void()>> indexer_work_ ABSL_GUARDED_BY(mutex_);
  WaitList waits_ ABSL_GUARDED_BY(mutex_);
  bool no_waits_ ABSL_GUARDED_BY(mutex_) = false;
  bool closing_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Time index_until_ ABSL_GUARDED_BY(mutex_);  // When closing: what is not indexed then stays so.
  bool writer_may_end_ ABSL_GUARDED_BY(mutex_) = false;
  bool indexer_may_end_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;

  // Of the labeller's thread: the etags of the taxonomies that stored labels follow, and are being made to follow, and
  // the row that this has come to.
  std::string followed_;
  std::string following_;
  std::string relabelled_;  // The version of the labeler that was last looked after.
  int64_t follow_row_ = 0;

  common::Mutex refusals_mutex_;  // One writer of the file at a time.

  common::Mutex listener_mutex_;
  int64_t last_listener_ ABSL_GUARDED_BY(listener_mutex_) = 0;
  std::map<int64_t, std::function<void(uint64_t, uint64_t)>> listeners_ ABSL_GUARDED_BY(listener_mutex_);

  std::thread writer_;
  std::thread indexer_;
  std::thread labeling_;
  std::thread waiter_;
  std::thread retention_;
};

Engine::Engine(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Engine::~Engine() = default;

absl::StatusOr<std::unique_ptr<Engine>> Engine::Open(const Options& options, std::shared_ptr<ArticleLabeler> labeler) {
  RETURN_IF_ERROR(MakeFolder(options.data_dir));
  ASSIGN_OR_RETURN(FolderLock lock, FolderLock::Take(options.data_dir));
  RETURN_IF_ERROR(CheckStoreIsThere(options.data_dir));
  RemoveUnfinishedSnapshots(absl::StrCat(options.data_dir, "/snapshots"));
  ASSIGN_OR_RETURN(std::unique_ptr<ArticleStore> store, ArticleStore::Open(StorePath(options.data_dir)));
  const auto damage = std::make_shared<DamageSignal>();
  ASSIGN_OR_RETURN(std::unique_ptr<SearchIndex> index,
                   SearchIndex::Open(IndexPath(options.data_dir), store->log_uuid(), store->last_seq(),
                                     {.threads = options.index_threads, .on_damage = [damage] { damage->Raise(); }}));
  absl::StatusOr<Taxonomy> taxonomy = store->ReadTaxonomy();
  if (absl::IsDataLoss(taxonomy.status())) {
    // It is a copy: the classifier has it.
    common::Log(common::LogLevel::kError, "taxonomy_damaged", {{"error", taxonomy.status()}});
    taxonomy = Taxonomy();
  }
  RETURN_IF_ERROR(taxonomy.status());
  auto impl = std::make_unique<Impl>(options, std::move(labeler), std::move(lock), std::move(store), damage,
                                     std::move(index), *std::move(taxonomy));
  RETURN_IF_ERROR(impl->Start());
  return absl::WrapUnique(new Engine(std::move(impl)));
}

void Engine::Ingest(Article article, const IngestOptions& options, std::function<void(IngestResult)> done) {
  impl_->Ingest(std::move(article), options, std::move(done));
}
absl::StatusOr<uint64_t> Engine::Delete(absl::string_view id_or_url, const DeleteOptions& options) {
  return impl_->Delete(id_or_url, options);
}
absl::StatusOr<Article> Engine::CorrectLabels(absl::string_view id_or_url, const LabelCorrection& correction) {
  return impl_->CorrectLabels(id_or_url, correction);
}
absl::StatusOr<Article> Engine::Get(absl::string_view id_or_url, bool include_embargoed) const {
  return impl_->Get(id_or_url, include_embargoed);
}
absl::StatusOr<ArticleList> Engine::ListArticles(const ListQuery& query) const { return impl_->ListArticles(query); }
absl::StatusOr<ChangeList> Engine::ListChanges(const ChangeQuery& query) const { return impl_->ListChanges(query); }
absl::StatusOr<SearchResult> Engine::Search(const SearchQuery& query) const { return impl_->Search(query); }
absl::StatusOr<TrendResult> Engine::AnalyzeTrends(const TrendQuery& query) const { return impl_->AnalyzeTrends(query); }
absl::StatusOr<std::vector<Hit>> Engine::FindSimilarArticles(const SimilarQuery& query) const {
  return impl_->FindSimilarArticles(query);
}
absl::StatusOr<std::vector<Suggestion>> Engine::Suggest(const SuggestQuery& query) const {
  return impl_->Suggest(query);
}
absl::StatusOr<bool> Engine::HasEmbargoes() const { return impl_->HasEmbargoes(); }
Progress Engine::WaitFor(uint64_t seq, Progress progress, absl::Time deadline,
                         const std::function<bool()>& cancelled) const {
  return impl_->WaitFor(seq, progress, deadline, cancelled);
}
absl::StatusOr<int64_t> Engine::WaitAsync(uint64_t seq, Progress progress, absl::Time deadline,
                                          std::function<void(Progress)> done) {
  return impl_->WaitAsync(seq, progress, deadline, std::move(done));
}
void Engine::StopWaiting(int64_t wait) { impl_->StopWaiting(wait); }
void Engine::StopAllWaiting() { impl_->StopAllWaiting(); }
Progress Engine::Reached(uint64_t seq) const { return impl_->Reached(seq); }
uint64_t Engine::durable_seq() const { return impl_->durable_seq(); }
uint64_t Engine::visible_seq() const { return impl_->visible_seq(); }
uint64_t Engine::labelled_seq() const { return impl_->labelled_seq(); }
int64_t Engine::AddProgressListener(std::function<void(uint64_t, uint64_t)> listener) {
  return impl_->AddListener(std::move(listener));
}
void Engine::RemoveProgressListener(int64_t id) { impl_->RemoveListener(id); }
std::string Engine::TokenOf(uint64_t seq) const { return impl_->TokenOf(seq); }
absl::StatusOr<uint64_t> Engine::SeqOf(absl::string_view field, absl::string_view token) const {
  return impl_->SeqOf(field, token);
}
std::string Engine::ChangesTokenOf(const LogPlace& place) const { return impl_->ChangesTokenOf(place); }
absl::StatusOr<LogPlace> Engine::PlaceOf(absl::string_view field, absl::string_view token) const {
  return impl_->PlaceOf(field, token);
}
void Engine::SetSynonyms(Synonyms synonyms) { impl_->SetSynonyms(std::move(synonyms)); }
std::shared_ptr<const Taxonomy> Engine::taxonomy() const { return impl_->taxonomy(); }
absl::StatusOr<IndexInfo> Engine::GetIndexInfo() const { return impl_->GetIndexInfo(); }
absl::StatusOr<JobInfo> Engine::CreateSnapshot(absl::string_view name) { return impl_->CreateSnapshot(name); }
absl::StatusOr<JobInfo> Engine::CompactIndex() { return impl_->CompactIndex(); }
absl::StatusOr<JobInfo> Engine::CheckIndex(bool full) { return impl_->CheckIndex(full); }
absl::StatusOr<JobInfo> Engine::RebuildIndex() { return impl_->RebuildIndex(); }
absl::StatusOr<JobInfo> Engine::RelabelArticles(const RelabelRequest& request) {
  return impl_->RelabelArticles(request);
}
JobList& Engine::jobs() { return impl_->jobs(); }
void Engine::Shutdown() { impl_->Shutdown(); }

}  // namespace dateline::search
