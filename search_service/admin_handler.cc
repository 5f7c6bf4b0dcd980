#include "search_service/admin_handler.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"

#include "common/error.h"
#include "common/rpc/unary.h"
#include "common/status_macros.h"
#include "search_service/search_proto.h"

namespace dateline::search {
namespace {

constexpr int kDefaultJobs = 20;
constexpr int kMaxJobs = 100;

template <typename Response>
absl::Status Answer(const absl::StatusOr<JobInfo>& job, Response& response) {
  if (!job.ok()) return job.status();
  ToProto(*job, *response.mutable_job());
  return absl::OkStatus();
}

absl::Status CheckJobId(const std::string& id) {
  return id.empty() ? common::InvalidField("id", "is missing; ListJobs gives the ids of jobs") : absl::OkStatus();
}

}  // namespace

grpc::ServerUnaryReactor* SearchAdminHandler::GetIndexInfo(grpc::CallbackServerContext* context,
                                                           const grpc::ByteBuffer* request,
                                                           grpc::ByteBuffer* response) {
  return common::rpc::RunUnary<v1::GetIndexInfoRequest, v1::GetIndexInfoResponse>(
      context, request, response, pool_, {},
      [this](const common::rpc::Call& /*call*/, const v1::GetIndexInfoRequest& /*in*/,
             v1::GetIndexInfoResponse& out) -> absl::Status {
        ASSIGN_OR_RETURN(const IndexInfo info, engine_.GetIndexInfo());
        ToProto(info, engine_, out);
        return absl::OkStatus();
      });
}

grpc::ServerUnaryReactor* SearchAdminHandler::CreateSnapshot(grpc::CallbackServerContext* context,
                                                             const grpc::ByteBuffer* request,
                                                             grpc::ByteBuffer* response) {
  return common::rpc::RunUnary<v1::CreateSnapshotRequest, v1::CreateSnapshotResponse>(
      context, request, response, pool_, {},
      [this](const common::rpc::Call& /*call*/, const v1::CreateSnapshotRequest& in,
             v1::CreateSnapshotResponse& out) -> absl::Status {
        // What is acknowledged now is in it.
        out.set_commit_token(engine_.TokenOf(engine_.durable_seq()));
        return Answer(engine_.CreateSnapshot(in.name()), out);
      });
}

grpc::ServerUnaryReactor* SearchAdminHandler::CompactIndex(grpc::CallbackServerContext* context,
                                                           const grpc::ByteBuffer* request,
                                                           grpc::ByteBuffer* response) {
  return common::rpc::RunUnary<v1::CompactIndexRequest, v1::CompactIndexResponse>(
      context, request, response, pool_, {},
      [this](const common::rpc::Call& /*call*/, const v1::CompactIndexRequest& /*in*/,
             v1::CompactIndexResponse& out) -> absl::Status {
        out.set_commit_token(engine_.TokenOf(engine_.visible_seq()));
        return Answer(engine_.CompactIndex(), out);
      });
}

grpc::ServerUnaryReactor* SearchAdminHandler::CheckIndex(grpc::CallbackServerContext* context,
                                                         const grpc::ByteBuffer* request, grpc::ByteBuffer* response) {
  return common::rpc::RunUnary<v1::CheckIndexRequest, v1::CheckIndexResponse>(
      context, request, response, pool_, {},
      [this](const common::rpc::Call& /*call*/, const v1::CheckIndexRequest& in,
             v1::CheckIndexResponse& out) -> absl::Status {
        out.set_commit_token(engine_.TokenOf(engine_.visible_seq()));
        return Answer(engine_.CheckIndex(in.full()), out);
      });
}

grpc::ServerUnaryReactor* SearchAdminHandler::RebuildIndex(grpc::CallbackServerContext* context,
                                                           const grpc::ByteBuffer* request,
                                                           grpc::ByteBuffer* response) {
  return common::rpc::RunUnary<v1::RebuildIndexRequest, v1::RebuildIndexResponse>(
      context, request, response, pool_, {},
      [this](const common::rpc::Call& /*call*/, const v1::RebuildIndexRequest& /*in*/,
             v1::RebuildIndexResponse& out) -> absl::Status {
        out.set_commit_token(engine_.TokenOf(engine_.visible_seq()));
        return Answer(engine_.RebuildIndex(), out);
      });
}

grpc::ServerUnaryReactor* SearchAdminHandler::RelabelArticles(grpc::CallbackServerContext* context,
                                                              const grpc::ByteBuffer* request,
                                                              grpc::ByteBuffer* response) {
  return common::rpc::RunUnary<v1::RelabelArticlesRequest, v1::RelabelArticlesResponse>(
      context, request, response, pool_, {},
      [this](const common::rpc::Call& /*call*/, const v1::RelabelArticlesRequest& in,
             v1::RelabelArticlesResponse& out) -> absl::Status {
        out.set_commit_token(engine_.TokenOf(engine_.visible_seq()));
        return Answer(
            engine_.RelabelArticles(
                {.filter = in.filter(), .only_outdated = in.only_outdated(), .validate_only = in.validate_only()}),
            out);
      });
}

grpc::ServerUnaryReactor* SearchAdminHandler::GetJob(grpc::CallbackServerContext* context,
                                                     const grpc::ByteBuffer* request, grpc::ByteBuffer* response) {
  return common::rpc::RunUnary<v1::GetJobRequest, v1::GetJobResponse>(
      context, request, response, pool_, {},
      [this](const common::rpc::Call& /*call*/, const v1::GetJobRequest& in, v1::GetJobResponse& out) -> absl::Status {
        out.set_commit_token(engine_.TokenOf(engine_.visible_seq()));
        RETURN_IF_ERROR(CheckJobId(in.id()));
        return Answer(engine_.jobs().Get(in.id()), out);
      });
}

grpc::ServerUnaryReactor* SearchAdminHandler::ListJobs(grpc::CallbackServerContext* context,
                                                       const grpc::ByteBuffer* request, grpc::ByteBuffer* response) {
  return common::rpc::RunUnary<v1::ListJobsRequest, v1::ListJobsResponse>(
      context, request, response, pool_, {},
      [this](const common::rpc::Call& /*call*/, const v1::ListJobsRequest& in,
             v1::ListJobsResponse& out) -> absl::Status {
        out.set_commit_token(engine_.TokenOf(engine_.visible_seq()));
        if (in.page_size() < 0 || in.page_size() > kMaxJobs) {
          return common::InvalidField("page_size",
                                      absl::StrCat("must be 0, for ", kDefaultJobs, ", or 1 to ", kMaxJobs));
        }
        const auto size = static_cast<size_t>(in.page_size() == 0 ? kDefaultJobs : in.page_size());
        // The last job of a page is the token of the next one: jobs come at the other end.
        if (!in.page_token().empty() && !engine_.jobs().Get(in.page_token()).ok()) {
          return common::InvalidField("page_token", "is not a token of this service, or has expired");
        }
        const std::vector<JobInfo> jobs = engine_.jobs().List(in.page_token(), size + 1);
        for (size_t i = 0; i < std::min(size, jobs.size()); ++i) ToProto(jobs[i], *out.add_jobs());
        if (jobs.size() > size) out.set_next_page_token(jobs[size - 1].id);
        return absl::OkStatus();
      });
}

grpc::ServerUnaryReactor* SearchAdminHandler::CancelJob(grpc::CallbackServerContext* context,
                                                        const grpc::ByteBuffer* request, grpc::ByteBuffer* response) {
  return common::rpc::RunUnary<v1::CancelJobRequest, v1::CancelJobResponse>(
      context, request, response, pool_, {},
      [this](const common::rpc::Call& /*call*/, const v1::CancelJobRequest& in,
             v1::CancelJobResponse& out) -> absl::Status {
        out.set_commit_token(engine_.TokenOf(engine_.visible_seq()));
        RETURN_IF_ERROR(CheckJobId(in.id()));
        return Answer(engine_.jobs().Cancel(in.id()), out);
      });
}

}  // namespace dateline::search
