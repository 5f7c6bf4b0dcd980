// Articles to IngestService.StreamIngest, and the answer to each of them, across broken connections and restarts of the
// server: what was not answered is sent again.
#ifndef DATELINE_CLI_INGEST_SESSION_H_
#define DATELINE_CLI_INGEST_SESSION_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"

#include "cli/retry_policy.h"
#include "cli/rpc_clients.h"
#include "dateline/article/v1/article.pb.h"
#include "dateline/search/v1/ingest_service.pb.h"

namespace dateline::cli {

// Where an article came from; travels with it and comes back with the answer.
struct Origin {
  std::string source;
  std::string position;
  std::string title;
  std::vector<std::string> warnings;  // Of the extraction.
  // As in InputItem.
  int64_t file = 0;
  int64_t number = 0;
  bool unfinished = false;
  std::string state_url = {};
  bool missed = false;
  // Hashes for the sender's own use: of what the article is known by, and of all that is in it.
  size_t name_hash = 0;
  size_t content_hash = 0;
};

struct IngestAnswer {
  Origin origin;
  search::v1::IngestAck ack;                          // Never RETRY_LATER: such items are sent again.
  std::optional<article::v1::Article> rejected = {};  // What was sent, if it was rejected.
};

// Send() and CloseSending() are for one thread, NextAnswer() for one (the same or another); everything else is
// thread-safe.
class IngestSession {
 public:
  struct Options {
    Endpoint endpoint;                       // For messages.
    std::shared_ptr<grpc::Channel> channel;  // As Dial() gave it.
    // The window: Send() waits while this much is unanswered.
    size_t max_items = 512;
    size_t max_bytes = 32'000'000;
    // With nothing answered for this long, though something waits for an answer, the connection is taken for dead.
    absl::Duration answer_timeout = absl::Seconds(30);
    // `give_up_after` counts from the last answer.
    RetryPolicy retry;
    // How long to wait, after everything is answered, until all of it is visible to searches; zero: not at all.
    absl::Duration visible_patience = absl::ZeroDuration();
    // Asked now and then while Send() waits for room: true makes it give up.
    std::function<bool()> interrupted = [] { return false; };
    // Told when a stream broke and will be opened again after `delay`. Called on a thread of the session.
    std::function<void(const absl::Status& error, absl::Duration delay)> on_retry;
  };

  explicit IngestSession(Options options);
  // Ends the stream at once; what is unanswered then may be stored or not.
  ~IngestSession();
  IngestSession(const IngestSession&) = delete;
  IngestSession& operator=(const IngestSession&) = delete;

  // Takes one article, waiting while the window is full. False once the session has failed or was abandoned: the
  // article is not taken.
  bool Send(Origin origin, article::v1::Article article);
  // Says that there is no more.
  void CloseSending();

  // The next answer, in whatever order they come; waits for it. nullopt once all is answered after CloseSending(), or
  // the session has failed or was abandoned.
  std::optional<IngestAnswer> NextAnswer();

  // Gives up what is unanswered, unless that is answered within `grace`.
  void Abandon(absl::Duration grace);

  // OK unless the session has failed: a permanent error of the server, or an outage longer than the policy allows.
  absl::Status status() const;
  // How many articles were taken by Send() and not answered.
  size_t unanswered() const;
  // After NextAnswer() said that it is over: whether all that was sent is visible to searches (known only with
  // `visible_patience`), and a token of one of the last articles, empty if none was stored.
  bool all_visible() const;
  std::string last_commit_token() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace dateline::cli

#endif  // DATELINE_CLI_INGEST_SESSION_H_
