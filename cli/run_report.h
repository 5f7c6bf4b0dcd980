// What a run of `dateline ingest` did: counts, what was rejected and why, the exit status that follows, and the report
// that programs read.
#ifndef DATELINE_CLI_RUN_REPORT_H_
#define DATELINE_CLI_RUN_REPORT_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

#include "cli/output.pb.h"

namespace dateline::cli {

// The exit statuses of all commands.
enum ExitCode {
  kExitOk = 0,             // Done; for `ingest`: all taken, or no more rejected than allowed.
  kExitFailed = 1,         // The job failed: a server that can't be reached, an error that concerns all of it.
  kExitUsage = 2,          // The command line is wrong, by itself or in the eyes of the service; nothing was done.
  kExitSomeRejected = 3,   // Done, but for some inputs that were rejected.
  kExitNotReached = 4,     // Done, but what was waited for was not reached in time.
  kExitHeldBack = 5,       // `sync`: all taken, but more would have been deleted than is allowed; nothing was.
  kExitInterrupted = 130,  // Ctrl-C, as shells count it.
};

// How many rejected inputs still count as success: a number, or a share of all inputs.
class RejectLimit {
 public:
  RejectLimit() = default;  // None.

  // "12" or "2.5%". InvalidArgument for anything else.
  static absl::StatusOr<RejectLimit> Parse(absl::string_view text);

  // Whether `rejected` of `total` inputs are within the limit.
  bool Allows(int64_t rejected, int64_t total) const;

 private:
  int64_t count_ = 0;
  double percent_ = -1;  // Negative: `count_` holds.
};

// Not thread-safe.
class RunReport {
 public:
  explicit RunReport(absl::Time start) : start_(start) {}

  // One input is done with. `cuts_off`: it is a source that can't be read any further, whatever it still holds.
  void Add(const IngestLine& line, bool cuts_off = false);

  // A page that a source names is gone, which is for `sync` to act upon, and no fault of the input.
  void AddGone(const std::string& url);
  // How many these were, and which was the first; "" if there were none.
  std::string GoneNote() const;

  // The same articles may come again, in newer versions: for runs that go round.
  void NextRound() { stored_.clear(); }

  int64_t total() const { return total_; }
  int64_t rejected() const { return rejected_; }
  // How many sources could not be read to their ends.
  int64_t cut_off() const { return cut_off_; }
  // How many articles were stored in the place of others that this run had stored under the same ids, which was the
  // first, and what to do; "" if there are none.
  std::string ReplacedNote() const;
  // Of one outcome.
  int64_t count(search::v1::IngestOutcome outcome) const;

  // What `dateline sync` did about what the places no longer have.
  struct Deletions {
    int64_t stored = 0;                         // Articles that the job is about, after what the places have was taken.
    int64_t missing = 0;                        // Of those, how many the places no longer have.
    int64_t kept = 0;                           // Of those, how many changed meanwhile.
    std::vector<std::string> deleted_ids = {};  // With --dry-run, those that would be.
    std::string held_back = {};  // Why nothing was deleted though something is missing, or may be; empty otherwise.
    bool unread = false;         // With `held_back`: because not all that the places have could be read.
  };

  // What is known about the run as a whole when it ends.
  struct End {
    absl::Time time;
    ExitCode exit_code = kExitOk;
    std::string error = {};        // Why the job failed; empty if it didn't.
    std::string waited_for = {};   // "durable", "visible", "labelled": what was asked for.
    std::string reached = {};      // The same: how far all of it is known to have come; empty if nothing was stored.
    std::string shortfall = {};    // Why it has not come as far as asked; empty if it has.
    int64_t unanswered = 0;        // Sent, and no answer came: stored or not.
    int64_t skipped_files = 0;     // In folders, by their names.
    int64_t unchanged_inputs = 0;  // Files, pages and sources that are as they were when taken, and were not read.
    int64_t answered_before = 0;   // Articles that an earlier run has sent, as the checkpoint says.
    int64_t bytes = 0;             // Read.
    bool dry_run = false;
    std::string commit_token = {};  // Of one of the last articles.
    std::optional<Deletions> deletions = {};
  };

  // "44 articles: 40 created, 3 unchanged, 1 rejected; 2.1 s, 21/s".
  std::string Summary(const End& end) const;
  // The same for programs, as JSON. Of the rejected inputs the first 10,000 are listed, so that memory is bounded;
  // `rejectedListComplete` says whether that is all of them.
  std::string Json(const End& end) const;

 private:
  struct Rejection {
    std::string source;
    std::string position;
    std::string id;
    std::string reason;
    std::string message;
    bool cuts_off;
  };

  const absl::Time start_;
  int64_t total_ = 0;
  int64_t rejected_ = 0;
  int64_t cut_off_ = 0;
  int64_t would_be_sent_ = 0;
  int64_t gone_ = 0;
  std::vector<std::string> gone_urls_;
  int64_t with_warnings_ = 0;
  int64_t dates_dropped_ = 0;
  int64_t languages_dropped_ = 0;
  int64_t near_duplicates_ = 0;
  int64_t replaced_in_run_ = 0;
  std::string first_replaced_;         // Its id and where it stands.
  std::unordered_set<size_t> stored_;  // Hashes of the ids of all that this run has stored.
  std::map<search::v1::IngestOutcome, int64_t> counts_;
  std::map<std::string, int64_t> reasons_;
  std::vector<Rejection> rejections_;
};

}  // namespace dateline::cli

#endif  // DATELINE_CLI_RUN_REPORT_H_
