#include "cli/rpc_clients.h"

#include <algorithm>
#include <functional>
#include <future>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "grpcpp/channel.h"
#include "grpcpp/client_context.h"
#include "grpcpp/generic/generic_stub.h"

#include "cli/health.pb.h"
#include "common/error.h"
#include "common/rpc/channel.h"
#include "common/rpc/status.h"
#include "common/status_macros.h"
#include "common/version.h"
#include "dateline/classifier/v1/classifier_service.grpc.pb.h"
#include "dateline/search/v1/ingest_service.grpc.pb.h"
#include "dateline/search/v1/search_admin_service.grpc.pb.h"
#include "dateline/search/v1/search_service.grpc.pb.h"

namespace dateline::cli {
namespace {

using classifier::v1::ClassifierService;
using search::v1::CommitStage;
using search::v1::IngestService;
using search::v1::SearchAdminService;
using search::v1::SearchService;

// Servers give at most 4,000,000 bytes; one may be set up to give more.
constexpr int kMaxAnswerBytes = 17'000'000;
// A wait of the server's is asked for in pieces of this length, so that a dead connection shows.
constexpr absl::Duration kWaitPiece = absl::Seconds(10);

absl::Status WithMessage(const absl::Status& status, absl::string_view message) {
  absl::Status result(status.code(), message);
  status.ForEachPayload(
      [&result](absl::string_view url, const absl::Cord& payload) { result.SetPayload(url, payload); });
  return result;
}

// "Connection refused", of gRPC's "failed to connect to all addresses; last error: UNKNOWN: ipv4:127.0.0.1:1: Failed to
// connect to remote host: Connection refused".
absl::string_view WhyNotConnected(absl::string_view message) {
  constexpr absl::string_view kLast = "Failed to connect to remote host: ";
  const size_t at = message.rfind(kLast);
  return at == absl::string_view::npos ? message : message.substr(at + kLast.size());
}

// Calls `attempt` until it succeeds or trying again is of no use.
template <typename Response>
absl::StatusOr<Response> CallWithRetry(
    const Endpoint& endpoint, const CallOptions& options,
    const std::function<grpc::Status(grpc::ClientContext& context, Response& response)>& attempt) {
  Backoff backoff(options.retry, absl::Now());
  while (true) {
    grpc::ClientContext context;
    context.set_deadline(absl::ToChronoTime(absl::Now() + options.timeout));
    Response response;
    const absl::Status status = common::rpc::FromGrpcStatus(attempt(context, response));
    if (status.ok()) return response;
    std::optional<absl::Duration> delay;
    if (IsRetryable(status)) delay = backoff.NextDelay(status, absl::Now());
    if (!delay) return Explain(endpoint, status, options.timeout);
    absl::SleepFor(*delay);
  }
}

}  // namespace

absl::StatusOr<std::shared_ptr<grpc::Channel>> Dial(const Endpoint& endpoint) {
  // Further attempts are ours (CallWithRetry), because gRPC's own don't know RetryInfo.
  absl::StatusOr<std::shared_ptr<grpc::Channel>> channel =
      common::rpc::MakeChannel(endpoint.address, {.max_response_bytes = kMaxAnswerBytes, .max_attempts = 1});
  if (!channel.ok())
    return WithMessage(channel.status(), absl::StrCat(endpoint.flag, ": ", channel.status().message()));
  return channel;
}

absl::Status Explain(const Endpoint& endpoint, const absl::Status& error, absl::Duration timeout) {
  const std::string where = absl::StrCat(endpoint.service, " at ", endpoint.address);
  switch (error.code()) {
    case absl::StatusCode::kOk:
      return error;
    case absl::StatusCode::kUnavailable: {
      // A server that answers for itself names a reason; a connection that fails does not.
      if (common::ReasonOf(error) != absl::StatusCodeToString(error.code())) {
        return WithMessage(error, absl::StrCat(where, ": ", error.message()));
      }
      return WithMessage(error, absl::StrCat(where, " does not answer: ", WhyNotConnected(error.message()),
                                             ". Is it running (`", endpoint.service, " --help` says how to start it)? ",
                                             endpoint.flag, " HOST:PORT names another address"));
    }
    case absl::StatusCode::kDeadlineExceeded:
      return WithMessage(error, absl::StrCat(where, " gave no answer within ", absl::FormatDuration(timeout),
                                             "; --timeout gives it longer"));
    case absl::StatusCode::kUnimplemented:
      // The method is there and says what of the request it can't do.
      if (common::ReasonOf(error) != absl::StatusCodeToString(error.code())) {
        return WithMessage(error, absl::StrCat(endpoint.service, ": ", error.message()));
      }
      return WithMessage(error, absl::StrCat(where, " does not know this method; is it a Dateline ", common::kVersion,
                                             " ", endpoint.service, "? (", error.message(), ")"));
    default:
      return WithMessage(error, absl::StrCat(endpoint.service, ": ", error.message()));
  }
}

std::string DescribeError(const absl::Status& error) {
  std::string text(error.message());
  if (text.empty()) text = absl::StatusCodeToString(error.code());
  for (const common::FieldViolation& violation : common::FieldViolationsOf(error)) {
    // The message of an error about one field says the same already.
    if (absl::StrContains(text, violation.field) && absl::StrContains(text, violation.description)) continue;
    absl::StrAppend(&text, "\n  ", violation.field, ": ", violation.description);
  }
  const std::string reason = common::ReasonOf(error);
  if (reason != absl::StatusCodeToString(error.code())) absl::StrAppend(&text, " [", reason, "]");
  if (const std::optional<absl::Duration> delay = common::RetryDelayOf(error)) {
    absl::StrAppend(&text, " (try again in ", absl::FormatDuration(*delay), ")");
  }
  return text;
}

struct ClassifierClient::Impl {
  Impl(Endpoint where, const CallOptions& how, const std::shared_ptr<grpc::Channel>& channel)
      : endpoint(std::move(where)), options(how), stub(ClassifierService::NewStub(channel)) {}
  const Endpoint endpoint;
  const CallOptions options;
  const std::unique_ptr<ClassifierService::Stub> stub;
};

absl::StatusOr<ClassifierClient> ClassifierClient::Connect(Endpoint endpoint, const CallOptions& options) {
  ASSIGN_OR_RETURN(const std::shared_ptr<grpc::Channel> channel, Dial(endpoint));
  return ClassifierClient(std::make_unique<Impl>(std::move(endpoint), options, channel));
}

ClassifierClient::ClassifierClient(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ClassifierClient::ClassifierClient(ClassifierClient&&) noexcept = default;
ClassifierClient& ClassifierClient::operator=(ClassifierClient&&) noexcept = default;
ClassifierClient::~ClassifierClient() = default;

absl::StatusOr<classifier::v1::BatchClassifyResponse> ClassifierClient::BatchClassify(
    const classifier::v1::BatchClassifyRequest& request) const {
  return CallWithRetry<classifier::v1::BatchClassifyResponse>(
      impl_->endpoint, impl_->options,
      [&](auto& context, auto& response) { return impl_->stub->BatchClassify(&context, request, &response); });
}

absl::StatusOr<classifier::v1::ClassifyResponse> ClassifierClient::Classify(
    const classifier::v1::ClassifyRequest& request) const {
  return CallWithRetry<classifier::v1::ClassifyResponse>(
      impl_->endpoint, impl_->options,
      [&](auto& context, auto& response) { return impl_->stub->Classify(&context, request, &response); });
}

absl::StatusOr<classifier::v1::GetTaxonomyResponse> ClassifierClient::GetTaxonomy(
    const classifier::v1::GetTaxonomyRequest& request) const {
  return CallWithRetry<classifier::v1::GetTaxonomyResponse>(
      impl_->endpoint, impl_->options,
      [&](auto& context, auto& response) { return impl_->stub->GetTaxonomy(&context, request, &response); });
}

absl::StatusOr<classifier::v1::GetModelInfoResponse> ClassifierClient::GetModelInfo(
    const classifier::v1::GetModelInfoRequest& request) const {
  return CallWithRetry<classifier::v1::GetModelInfoResponse>(
      impl_->endpoint, impl_->options,
      [&](auto& context, auto& response) { return impl_->stub->GetModelInfo(&context, request, &response); });
}

struct SearchClient::Impl {
  Impl(Endpoint where, const CallOptions& how, const std::shared_ptr<grpc::Channel>& channel)
      : endpoint(std::move(where)),
        options(how),
        search(SearchService::NewStub(channel)),
        ingest(IngestService::NewStub(channel)),
        admin(SearchAdminService::NewStub(channel)) {}
  const Endpoint endpoint;
  const CallOptions options;
  const std::unique_ptr<SearchService::Stub> search;
  const std::unique_ptr<IngestService::Stub> ingest;
  const std::unique_ptr<SearchAdminService::Stub> admin;
};

absl::StatusOr<SearchClient> SearchClient::Connect(Endpoint endpoint, const CallOptions& options) {
  ASSIGN_OR_RETURN(const std::shared_ptr<grpc::Channel> channel, Dial(endpoint));
  return SearchClient(std::make_unique<Impl>(std::move(endpoint), options, channel));
}

SearchClient::SearchClient(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
SearchClient::SearchClient(SearchClient&&) noexcept = default;
SearchClient& SearchClient::operator=(SearchClient&&) noexcept = default;
SearchClient::~SearchClient() = default;

absl::StatusOr<search::v1::SearchResponse> SearchClient::Search(const search::v1::SearchRequest& request) const {
  return CallWithRetry<search::v1::SearchResponse>(impl_->endpoint, impl_->options, [&](auto& context, auto& response) {
    return impl_->search->Search(&context, request, &response);
  });
}

absl::StatusOr<search::v1::FindSimilarArticlesResponse> SearchClient::FindSimilarArticles(
    const search::v1::FindSimilarArticlesRequest& request) const {
  return CallWithRetry<search::v1::FindSimilarArticlesResponse>(
      impl_->endpoint, impl_->options,
      [&](auto& context, auto& response) { return impl_->search->FindSimilarArticles(&context, request, &response); });
}

absl::StatusOr<search::v1::AnalyzeTrendsResponse> SearchClient::AnalyzeTrends(
    const search::v1::AnalyzeTrendsRequest& request) const {
  return CallWithRetry<search::v1::AnalyzeTrendsResponse>(
      impl_->endpoint, impl_->options,
      [&](auto& context, auto& response) { return impl_->search->AnalyzeTrends(&context, request, &response); });
}

absl::StatusOr<search::v1::SuggestResponse> SearchClient::Suggest(const search::v1::SuggestRequest& request) const {
  return CallWithRetry<search::v1::SuggestResponse>(
      impl_->endpoint, impl_->options,
      [&](auto& context, auto& response) { return impl_->search->Suggest(&context, request, &response); });
}

absl::StatusOr<search::v1::GetArticleResponse> SearchClient::GetArticle(
    const search::v1::GetArticleRequest& request) const {
  return CallWithRetry<search::v1::GetArticleResponse>(
      impl_->endpoint, impl_->options,
      [&](auto& context, auto& response) { return impl_->search->GetArticle(&context, request, &response); });
}

absl::StatusOr<search::v1::ListArticlesResponse> SearchClient::ListArticles(
    const search::v1::ListArticlesRequest& request) const {
  return CallWithRetry<search::v1::ListArticlesResponse>(
      impl_->endpoint, impl_->options,
      [&](auto& context, auto& response) { return impl_->search->ListArticles(&context, request, &response); });
}

absl::StatusOr<search::v1::ListChangesResponse> SearchClient::ListChanges(
    const search::v1::ListChangesRequest& request) const {
  return CallWithRetry<search::v1::ListChangesResponse>(
      impl_->endpoint, impl_->options,
      [&](auto& context, auto& response) { return impl_->ingest->ListChanges(&context, request, &response); });
}

absl::StatusOr<search::v1::UpdateArticleLabelsResponse> SearchClient::UpdateArticleLabels(
    const search::v1::UpdateArticleLabelsRequest& request) const {
  return CallWithRetry<search::v1::UpdateArticleLabelsResponse>(
      impl_->endpoint, impl_->options,
      [&](auto& context, auto& response) { return impl_->ingest->UpdateArticleLabels(&context, request, &response); });
}

absl::StatusOr<search::v1::DeleteArticleResponse> SearchClient::DeleteArticle(
    const search::v1::DeleteArticleRequest& request) const {
  return CallWithRetry<search::v1::DeleteArticleResponse>(
      impl_->endpoint, impl_->options,
      [&](auto& context, auto& response) { return impl_->ingest->DeleteArticle(&context, request, &response); });
}

absl::StatusOr<search::v1::GetIndexInfoResponse> SearchClient::GetIndexInfo(
    const search::v1::GetIndexInfoRequest& request) const {
  return CallWithRetry<search::v1::GetIndexInfoResponse>(
      impl_->endpoint, impl_->options,
      [&](auto& context, auto& response) { return impl_->admin->GetIndexInfo(&context, request, &response); });
}

absl::StatusOr<search::v1::CreateSnapshotResponse> SearchClient::CreateSnapshot(
    const search::v1::CreateSnapshotRequest& request) const {
  return CallWithRetry<search::v1::CreateSnapshotResponse>(
      impl_->endpoint, impl_->options,
      [&](auto& context, auto& response) { return impl_->admin->CreateSnapshot(&context, request, &response); });
}

absl::StatusOr<search::v1::CompactIndexResponse> SearchClient::CompactIndex(
    const search::v1::CompactIndexRequest& request) const {
  return CallWithRetry<search::v1::CompactIndexResponse>(
      impl_->endpoint, impl_->options,
      [&](auto& context, auto& response) { return impl_->admin->CompactIndex(&context, request, &response); });
}

absl::StatusOr<search::v1::CheckIndexResponse> SearchClient::CheckIndex(
    const search::v1::CheckIndexRequest& request) const {
  return CallWithRetry<search::v1::CheckIndexResponse>(
      impl_->endpoint, impl_->options,
      [&](auto& context, auto& response) { return impl_->admin->CheckIndex(&context, request, &response); });
}

absl::StatusOr<search::v1::RelabelArticlesResponse> SearchClient::RelabelArticles(
    const search::v1::RelabelArticlesRequest& request) const {
  return CallWithRetry<search::v1::RelabelArticlesResponse>(
      impl_->endpoint, impl_->options,
      [&](auto& context, auto& response) { return impl_->admin->RelabelArticles(&context, request, &response); });
}

absl::StatusOr<search::v1::RebuildIndexResponse> SearchClient::RebuildIndex(
    const search::v1::RebuildIndexRequest& request) const {
  return CallWithRetry<search::v1::RebuildIndexResponse>(
      impl_->endpoint, impl_->options,
      [&](auto& context, auto& response) { return impl_->admin->RebuildIndex(&context, request, &response); });
}

absl::StatusOr<search::v1::GetJobResponse> SearchClient::GetJob(const search::v1::GetJobRequest& request) const {
  return CallWithRetry<search::v1::GetJobResponse>(impl_->endpoint, impl_->options, [&](auto& context, auto& response) {
    return impl_->admin->GetJob(&context, request, &response);
  });
}

absl::StatusOr<search::v1::ListJobsResponse> SearchClient::ListJobs(const search::v1::ListJobsRequest& request) const {
  return CallWithRetry<search::v1::ListJobsResponse>(
      impl_->endpoint, impl_->options,
      [&](auto& context, auto& response) { return impl_->admin->ListJobs(&context, request, &response); });
}

absl::StatusOr<search::v1::CancelJobResponse> SearchClient::CancelJob(
    const search::v1::CancelJobRequest& request) const {
  return CallWithRetry<search::v1::CancelJobResponse>(
      impl_->endpoint, impl_->options,
      [&](auto& context, auto& response) { return impl_->admin->CancelJob(&context, request, &response); });
}

absl::StatusOr<search::v1::WaitForCommitResponse> SearchClient::WaitForCommit(
    const search::v1::WaitForCommitRequest& request, absl::Duration patience) const {
  const CommitStage wanted =
      request.stage() == search::v1::COMMIT_STAGE_UNSPECIFIED ? search::v1::COMMIT_STAGE_VISIBLE : request.stage();
  const absl::Time deadline = absl::Now() + patience;
  search::v1::WaitForCommitResponse reached;
  while (true) {
    CallOptions options = impl_->options;
    options.timeout = std::clamp(deadline - absl::Now(), absl::Milliseconds(200), kWaitPiece);
    absl::StatusOr<search::v1::WaitForCommitResponse> response = CallWithRetry<search::v1::WaitForCommitResponse>(
        impl_->endpoint, options,
        [&](auto& context, auto& answer) { return impl_->ingest->WaitForCommit(&context, request, &answer); });
    if (response.ok()) {
      reached = *std::move(response);
      if (reached.reached() >= wanted) return reached;
    } else if (!absl::IsDeadlineExceeded(response.status())) {
      return response.status();
    }
    if (absl::Now() >= deadline) return reached;
    // A server waits as long as the deadline lets it; one that doesn't is not asked in a tight loop.
    absl::SleepFor(absl::Milliseconds(50));
  }
}

absl::Status CheckHealth(const Endpoint& endpoint, const std::string& service, absl::Duration timeout) {
  ASSIGN_OR_RETURN(const std::shared_ptr<grpc::Channel> channel, Dial(endpoint));
  grpc::TemplatedGenericStub<HealthCheckRequest, HealthCheckResponse> stub(channel);
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + timeout));
  HealthCheckRequest request;
  request.set_service(service);
  HealthCheckResponse response;
  std::promise<grpc::Status> result;
  stub.UnaryCall(&context, "/grpc.health.v1.Health/Check", grpc::StubOptions(), &request, &response,
                 [&result](grpc::Status status) { result.set_value(std::move(status)); });
  const absl::Status status = common::rpc::FromGrpcStatus(result.get_future().get());
  if (absl::IsNotFound(status)) {
    return absl::NotFoundError(absl::StrCat(endpoint.address, " hosts no service called ", service));
  }
  RETURN_IF_ERROR(Explain(endpoint, status, timeout));
  if (response.status() == HealthCheckResponse::SERVING) return absl::OkStatus();
  return absl::UnavailableError(
      absl::StrCat(endpoint.address, " is ", HealthCheckResponse::ServingStatus_Name(response.status())));
}

}  // namespace dateline::cli
