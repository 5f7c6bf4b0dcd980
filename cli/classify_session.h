// Asks the classifier about many inputs: in batches, several of them under way, answers in the order of the inputs.
#ifndef DATELINE_CLI_CLASSIFY_SESSION_H_
#define DATELINE_CLI_CLASSIFY_SESSION_H_

#include <cstddef>
#include <deque>
#include <functional>
#include <future>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

#include "cli/input.h"
#include "cli/rpc_clients.h"
#include "dateline/article/v1/article.pb.h"
#include "dateline/classifier/v1/classifier_service.pb.h"

namespace dateline::cli {

// One input and what the classifier says of it.
struct ClassifiedItem {
  InputItem item;                // Its extraction's text has moved to `article`; its warnings are there.
  article::v1::Article article;  // Empty if there was none to be had; without the body if `keep_bodies` is false.
  // An error: why there was no article, or why the classifier refused it.
  absl::StatusOr<classifier::v1::ClassifyResponse> response = absl::UnknownError("not asked");
};

// A client for long runs: a classifier that restarts is waited for. One that isn't there at the start is an error.
absl::StatusOr<ClassifierClient> ConnectForManyArticles(const Endpoint& classifier, const CallOptions& options);

// For one thread.
class ClassifySession {
 public:
  struct Options {
    // What is asked of every article: all fields but the article itself.
    classifier::v1::ClassifyRequest request = {};
    // Keep the bodies of what was read from JSON Lines; those of pages are always kept.
    bool keep_bodies = false;
  };
  // An error of it ends the run.
  using OnAnswer = std::function<absl::Status(ClassifiedItem&)>;

  // All but `options` must outlive the session.
  ClassifySession(const ClassifierClient& client, InputReader& reader, Options options)
      : client_(client), reader_(reader), options_(std::move(options)) {}

  // Calls `on_answer` with each input of the reader, in order, and `on_batch` after some of them (time to flush and to
  // show progress). Returns the error that ended the run: `on_answer`'s, or that the classifier is gone. OK at the end,
  // and after Ctrl-C.
  absl::Status Run(const OnAnswer& on_answer, const std::function<void()>& on_batch);

 private:
  using Answers = absl::StatusOr<classifier::v1::BatchClassifyResponse>;
  struct Batch {
    std::vector<ClassifiedItem> items;
    classifier::v1::BatchClassifyRequest request;  // One for each item whose extraction succeeded, in their order.
    size_t bytes = 0;
    std::future<Answers> answers;
  };

  Answers Ask(const classifier::v1::BatchClassifyRequest& request) const;
  void Add(InputItem item);
  void Launch();
  absl::Status FinishFirst(const OnAnswer& on_answer, const std::function<void()>& on_batch);

  const ClassifierClient& client_;
  InputReader& reader_;
  const Options options_;
  Batch batch_;                  // Being filled.
  std::deque<Batch> in_flight_;  // Oldest first; answered in this order.
};

}  // namespace dateline::cli

#endif  // DATELINE_CLI_CLASSIFY_SESSION_H_
