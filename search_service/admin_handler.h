// SearchAdminService over the engine.
#ifndef DATELINE_SEARCH_SERVICE_ADMIN_HANDLER_H_
#define DATELINE_SEARCH_SERVICE_ADMIN_HANDLER_H_

#include "grpcpp/grpcpp.h"

#include "common/worker_pool.h"
#include "dateline/search/v1/search_admin_service.grpc.pb.h"
#include "search_service/engine.h"

namespace dateline::search {

// Thread-safe. RelabelArticles is not built yet and answers UNIMPLEMENTED.
class SearchAdminHandler final
    : public v1::SearchAdminService::WithRawCallbackMethod_GetIndexInfo<
          v1::SearchAdminService::WithRawCallbackMethod_CreateSnapshot<
              v1::SearchAdminService::WithRawCallbackMethod_CompactIndex<
                  v1::SearchAdminService::WithRawCallbackMethod_CheckIndex<
                      v1::SearchAdminService::WithRawCallbackMethod_RebuildIndex<
                          v1::SearchAdminService::WithRawCallbackMethod_RelabelArticles<
                              v1::SearchAdminService::WithRawCallbackMethod_GetJob<
                                  v1::SearchAdminService::WithRawCallbackMethod_ListJobs<
                                      v1::SearchAdminService::WithRawCallbackMethod_CancelJob<
                                          v1::SearchAdminService::Service>>>>>>>>> {
 public:
  // Both must outlive the handler.
  SearchAdminHandler(Engine& engine, common::WorkerPool& pool) : engine_(engine), pool_(pool) {}

  grpc::ServerUnaryReactor* GetIndexInfo(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                         grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* CreateSnapshot(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                           grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* CompactIndex(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                         grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* CheckIndex(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                       grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* RebuildIndex(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                         grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* RelabelArticles(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                            grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* GetJob(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                   grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* ListJobs(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                     grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* CancelJob(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                      grpc::ByteBuffer* response) override;

 private:
  Engine& engine_;
  common::WorkerPool& pool_;
};

}  // namespace dateline::search

#endif  // DATELINE_SEARCH_SERVICE_ADMIN_HANDLER_H_
