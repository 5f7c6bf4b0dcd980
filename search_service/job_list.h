// Long work in the background, such as a snapshot: ordered, watched, stopped.
#ifndef DATELINE_SEARCH_SERVICE_JOB_LIST_H_
#define DATELINE_SEARCH_SERVICE_JOB_LIST_H_

#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

#include "common/mutex.h"
#include "search_service/article.h"

namespace dateline::search {

enum class JobState { kQueued = 1, kRunning, kSucceeded, kFailed, kCancelled };

// What tagging again changes, or would change, of the labels that count.
struct RelabelReport {
  struct TagChange {
    Dimension dimension = Dimension::kCountry;
    std::string id;
    int64_t gained_count = 0;  // Articles.
    int64_t lost_count = 0;
    std::vector<std::string> gained_ids;  // Some of them.
    std::vector<std::string> lost_ids;
  };
  int64_t article_count = 0;       // Tagged again.
  int64_t changed_count = 0;       // Of which a tag came or went.
  int64_t failed_count = 0;        // That the labeler refused: they keep what they have.
  std::vector<TagChange> changes;  // Most articles first.
};

struct JobInfo {
  std::string id;
  std::string method;  // Of the contract: "CompactIndex".
  JobState state = JobState::kQueued;
  double progress = 0.0;  // 0 to 1.
  std::string message;    // For people: how far it is; what came of it.
  std::string error;      // Why it failed.
  absl::Time start_time;  // When it was ordered.
  absl::Time end_time = absl::InfiniteFuture();
  std::optional<RelabelReport> relabel_report;
};

// Jobs of a lane run one at a time, in the order in which they were ordered, on a thread of their own. The last hundred
// are kept in a file. Thread-safe.
class JobList {
 public:
  // What a job tells, and is told, while it runs.
  class Run {
   public:
    bool cancelled() const;
    // `progress`: 0 to 1.
    void Report(double progress, std::string message);
    void Report(RelabelReport report);

   private:
    friend class JobList;
    Run(JobList* jobs, std::string id) : jobs_(jobs), id_(std::move(id)) {}
    JobList* jobs_;
    std::string id_;
  };
  // Gives the last message. Cancelled if it stopped because of Run::cancelled.
  using Work = std::function<absl::StatusOr<std::string>(Run&)>;
  // What takes minutes to hours of waiting for the classifier must not keep a damaged index from being mended.
  enum class Lane { kUpkeep, kTagging };

  // Reads `path`, or starts with no job if it is missing or can't be read. Jobs that had not ended have failed.
  explicit JobList(std::string path);
  // As Shutdown.
  ~JobList();
  JobList(const JobList&) = delete;
  JobList& operator=(const JobList&) = delete;

  // ResourceExhausted if too many wait; Unavailable during a shutdown. Where a job of the same method with the
  // same key (what it was asked for) waits for its turn, that is the one: nothing more is ordered.
  absl::StatusOr<JobInfo> Start(absl::string_view method, absl::string_view key, Work work, Lane lane = Lane::kUpkeep);
  // NotFound.
  absl::StatusOr<JobInfo> Get(absl::string_view id) const;
  // Newest first, after the one with id `after` (empty: from the first).
  std::vector<JobInfo> List(absl::string_view after, size_t max_jobs) const;
  // Asks it to stop; one that has ended stays as it is. NotFound.
  absl::StatusOr<JobInfo> Cancel(absl::string_view id);
  // Cancels what runs and what waits, and waits for its end.
  void Shutdown();

 private:
  struct Job {
    JobInfo info;
    std::string key;
    Work work;
    Lane lane = Lane::kUpkeep;
    bool cancelled = false;
  };

  void RunJobs(Lane lane);
  Job* Find(absl::string_view id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  const Job* Find(absl::string_view id) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void End(Job& job, const absl::StatusOr<std::string>& outcome) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Load() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Save() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::string path_;
  mutable common::Mutex mutex_;
  common::CondVar changed_;
  std::list<Job> jobs_ ABSL_GUARDED_BY(mutex_);  // Oldest first.
  bool closing_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_;
};

}  // namespace dateline::search

#endif  // DATELINE_SEARCH_SERVICE_JOB_LIST_H_
