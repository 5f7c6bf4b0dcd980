// What `dateline ingest` and `dateline sync` have in common: everything from the places that the user named into the
// search service, answered, counted and reported.
#ifndef DATELINE_CLI_INGEST_JOB_H_
#define DATELINE_CLI_INGEST_JOB_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"

#include "cli/checkpoint.h"
#include "cli/command.h"
#include "cli/fetch_state.h"
#include "cli/ingest_session.h"
#include "cli/inventory.h"
#include "cli/rejected_file.h"

namespace dateline::cli {

enum class ResultsShown { kAll, kRejected, kNone };

struct IngestFlags {
  std::vector<std::string> places;
  InputOptions input;
  std::string max_rejects = "0";
  std::string report;
  std::string rejected;
  std::string fetch_state;
  std::string checkpoint;
  std::optional<absl::Duration> watch;  // The pause between rounds.
  bool dry_run = false;
  search::v1::CommitStage wait = search::v1::COMMIT_STAGE_VISIBLE;
  absl::Duration wait_timeout = absl::Minutes(1);
  absl::Duration retry_for = absl::Minutes(1);
  ResultsShown results = ResultsShown::kAll;
  bool verbose = false;
};

// The flags that both commands have: all but `checkpoint` and `watch`.
void AddIngestFlags(CLI::App& command, IngestFlags& flags);
// What --quiet means for --results, if that was not given.
void SettleResultsShown(const CLI::App& command, const Context& context, IngestFlags& flags);

// Not thread-safe.
class IngestJob {
 public:
  // `inventory`, which may be null, is told of all that the places have; a dry run with one asks the service, too.
  // The arguments outlive the job.
  IngestJob(const Context& context, const IngestFlags& flags, Inventory* inventory);
  ~IngestJob();
  IngestJob(const IngestJob&) = delete;
  IngestJob& operator=(const IngestJob&) = delete;

  // Opens all that the flags name. If the job can't begin: the exit status, after saying why.
  std::optional<ExitCode> Begin();
  // As in InputOptions; for before the first round.
  void AskWhetherStored(std::function<bool(const std::string& id, const std::string& url)> is_stored) {
    is_stored_ = std::move(is_stored);
  }
  // Reads all places and sends what they have; returns once that is answered, or the job has failed or was interrupted.
  // After the first time only what is new: see `watch`.
  void RunRound();
  // OK unless the job has failed.
  const absl::Status& failure() const { return failure_; }
  void Fail(absl::Status failure) { failure_ = std::move(failure); }

  // For what else a command does between RunRound() and End().
  int64_t cut_off() const;
  // Whether `count` inputs may be rejected.
  bool AllowsRejected(int64_t count) const;
  InputReader& reader() { return *reader_; }
  void Note(absl::string_view text);
  void Print(const DeletionLine& line);
  // What End() waits for covers this token, too.
  void CoverToken(std::string commit_token);
  // The article is no longer stored: whatever is fetched under its addresses is no longer known.
  void ForgetPages(const article::v1::Article& article);

  // Waits for what the flags ask, and reports.
  ExitCode End(std::optional<RunReport::Deletions> deletions = std::nullopt);

 private:
  class Results;
  class FullerTexts;
  class Memory;

  ExitCode FailBeforeStart(const absl::Status& status);
  absl::Status OpenFiles();
  // Has the checkpoint start anew unless it is of this collection and these flags.
  absl::Status BindCheckpoint();
  // OK if the service has all that the token covers; FailedPrecondition or InvalidArgument if not.
  absl::Status AskForAllOf(const std::string& commit_token) const;
  // All that was answered until now is durable: lets the checkpoint say so.
  absl::Status CoverCheckpoint();
  // Sends one input, or rejects it. False if the session takes no more.
  bool Take(InputItem item);
  bool Send(Origin origin, article::v1::Article article);
  void Reject(const InputItem& item, const Origin& origin, const absl::Status& error,
              const article::v1::Article* article = nullptr);
  void TakeAnswers(IngestSession& session);
  void SaveFetchState();
  // Ends the session, if there is one, and keeps what it knows.
  void CloseSession();
  // How far everything that was taken has come, after waiting for what the flags ask, into `end`.
  void AwaitStage(RunReport::End& end);
  ExitCode Verdict(const RunReport& report, const RunReport::End& end) const;

  const Context& context_;
  const IngestFlags& flags_;
  Inventory* const inventory_;
  RejectLimit limit_;
  std::optional<FetchState> fetch_state_;
  std::function<bool(const std::string& id, const std::string& url)> is_stored_;
  std::vector<std::string> refused_pages_;  // For good, in this round; as InputItem::state_url.
  int64_t refused_unsaid_ = 0;              // Of them, those that were taken before.
  std::set<std::string> forgotten_urls_;
  std::unique_ptr<Checkpoint> checkpoint_;
  std::unique_ptr<RejectedFile> rejected_file_;
  std::map<std::string, FileStamp> read_before_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<Results> results_;
  std::unique_ptr<FullerTexts> texts_;
  std::unique_ptr<Memory> memory_;  // Null unless there are several rounds.
  std::optional<InputReader> reader_;
  struct Running;
  std::unique_ptr<Running> running_;  // The session of this round, from its first article on.
  std::set<std::string> notes_said_;
  absl::Status failure_;
  int64_t unanswered_ = 0;
  int64_t skipped_files_ = 0;
  int64_t unchanged_inputs_ = 0;
  int64_t answered_before_ = 0;
  int64_t bytes_read_ = 0;
  std::string commit_token_;
  bool all_visible_ = false;
};

}  // namespace dateline::cli

#endif  // DATELINE_CLI_INGEST_JOB_H_
