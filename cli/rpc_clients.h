// The services as the commands see them: one function for each method, with a deadline, with another attempt where that
// may help, and with errors that tell a person what to do.
#ifndef DATELINE_CLI_RPC_CLIENTS_H_
#define DATELINE_CLI_RPC_CLIENTS_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

#include "cli/retry_policy.h"
#include "dateline/classifier/v1/classifier_service.pb.h"
#include "dateline/search/v1/ingest_service.pb.h"
#include "dateline/search/v1/search_admin_service.pb.h"
#include "dateline/search/v1/search_service.pb.h"

namespace grpc {
class Channel;
}  // namespace grpc

namespace dateline::cli {

// A server, and what to call it in messages.
struct Endpoint {
  std::string service;  // "search_service"
  std::string address;  // HOST:PORT, or what else gRPC dials.
  std::string flag;     // The flag that sets the address: "--search".
};

struct CallOptions {
  absl::Duration timeout = absl::Seconds(30);  // Of one attempt.
  RetryPolicy retry;
};

// A channel that connects when it is used. InvalidArgument, naming the flag, for an address that can't be understood.
absl::StatusOr<std::shared_ptr<grpc::Channel>> Dial(const Endpoint& endpoint);

// `error`, as the server or gRPC gave it, with what it means for whoever runs the command: which server, which field,
// what to do. Code, reason and details stay.
absl::Status Explain(const Endpoint& endpoint, const absl::Status& error, absl::Duration timeout);

// The message, then one indented line for each field at fault, then the reason: for stderr.
std::string DescribeError(const absl::Status& error);

// Both classes are thread-safe. Every function blocks for at most the timeout (longer only between attempts, as
// RetryPolicy says); errors have passed through Explain().
class ClassifierClient {
 public:
  // Does not wait for a connection. Errors as Dial().
  static absl::StatusOr<ClassifierClient> Connect(Endpoint endpoint, const CallOptions& options);
  ClassifierClient(ClassifierClient&&) noexcept;
  ClassifierClient& operator=(ClassifierClient&&) noexcept;
  ~ClassifierClient();

  absl::StatusOr<classifier::v1::BatchClassifyResponse> BatchClassify(
      const classifier::v1::BatchClassifyRequest& request) const;
  absl::StatusOr<classifier::v1::ClassifyResponse> Classify(const classifier::v1::ClassifyRequest& request) const;
  absl::StatusOr<classifier::v1::GetTaxonomyResponse> GetTaxonomy(
      const classifier::v1::GetTaxonomyRequest& request) const;
  absl::StatusOr<classifier::v1::GetModelInfoResponse> GetModelInfo(
      const classifier::v1::GetModelInfoRequest& request) const;

 private:
  struct Impl;
  explicit ClassifierClient(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

class SearchClient {
 public:
  // Does not wait for a connection. Errors as Dial().
  static absl::StatusOr<SearchClient> Connect(Endpoint endpoint, const CallOptions& options);
  SearchClient(SearchClient&&) noexcept;
  SearchClient& operator=(SearchClient&&) noexcept;
  ~SearchClient();

  absl::StatusOr<search::v1::SearchResponse> Search(const search::v1::SearchRequest& request) const;
  absl::StatusOr<search::v1::FindSimilarArticlesResponse> FindSimilarArticles(
      const search::v1::FindSimilarArticlesRequest& request) const;
  absl::StatusOr<search::v1::AnalyzeTrendsResponse> AnalyzeTrends(
      const search::v1::AnalyzeTrendsRequest& request) const;
  absl::StatusOr<search::v1::SuggestResponse> Suggest(const search::v1::SuggestRequest& request) const;
  absl::StatusOr<search::v1::GetArticleResponse> GetArticle(const search::v1::GetArticleRequest& request) const;
  absl::StatusOr<search::v1::ListArticlesResponse> ListArticles(const search::v1::ListArticlesRequest& request) const;
  absl::StatusOr<search::v1::ListChangesResponse> ListChanges(const search::v1::ListChangesRequest& request) const;
  absl::StatusOr<search::v1::UpdateArticleLabelsResponse> UpdateArticleLabels(
      const search::v1::UpdateArticleLabelsRequest& request) const;
  absl::StatusOr<search::v1::DeleteArticleResponse> DeleteArticle(
      const search::v1::DeleteArticleRequest& request) const;
  absl::StatusOr<search::v1::GetIndexInfoResponse> GetIndexInfo(const search::v1::GetIndexInfoRequest& request) const;
  absl::StatusOr<search::v1::CreateSnapshotResponse> CreateSnapshot(
      const search::v1::CreateSnapshotRequest& request) const;
  absl::StatusOr<search::v1::CompactIndexResponse> CompactIndex(const search::v1::CompactIndexRequest& request) const;
  absl::StatusOr<search::v1::CheckIndexResponse> CheckIndex(const search::v1::CheckIndexRequest& request) const;
  absl::StatusOr<search::v1::RelabelArticlesResponse> RelabelArticles(
      const search::v1::RelabelArticlesRequest& request) const;
  absl::StatusOr<search::v1::RebuildIndexResponse> RebuildIndex(const search::v1::RebuildIndexRequest& request) const;
  absl::StatusOr<search::v1::GetJobResponse> GetJob(const search::v1::GetJobRequest& request) const;
  absl::StatusOr<search::v1::ListJobsResponse> ListJobs(const search::v1::ListJobsRequest& request) const;
  absl::StatusOr<search::v1::CancelJobResponse> CancelJob(const search::v1::CancelJobRequest& request) const;

  // Asks again until `request.stage()` is reached or `patience` is over; then OK with what was reached.
  absl::StatusOr<search::v1::WaitForCommitResponse> WaitForCommit(const search::v1::WaitForCommitRequest& request,
                                                                  absl::Duration patience) const;

 private:
  struct Impl;
  explicit SearchClient(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// What grpc.health.v1 answers at `endpoint`: OK if `service` (empty: the server) is serving; Unavailable, saying what
// it is instead, if not; NotFound if the server doesn't know the service. One attempt.
absl::Status CheckHealth(const Endpoint& endpoint, const std::string& service, absl::Duration timeout);

}  // namespace dateline::cli

#endif  // DATELINE_CLI_RPC_CLIENTS_H_
