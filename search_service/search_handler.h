// SearchService and SearchAdminService over the engine.
#ifndef DATELINE_SEARCH_SERVICE_SEARCH_HANDLER_H_
#define DATELINE_SEARCH_SERVICE_SEARCH_HANDLER_H_

#include "grpcpp/grpcpp.h"

#include "common/worker_pool.h"
#include "dateline/search/v1/search_admin_service.grpc.pb.h"
#include "dateline/search/v1/search_service.grpc.pb.h"
#include "search_service/engine.h"

namespace dateline::search {

// Reads. Thread-safe. Methods that are not built yet answer UNIMPLEMENTED.
class SearchHandler final
    : public v1::SearchService::WithRawCallbackMethod_Search<v1::SearchService::WithRawCallbackMethod_Suggest<
          v1::SearchService::WithRawCallbackMethod_GetArticle<v1::SearchService::Service>>> {
 public:
  // Both must outlive the handler.
  SearchHandler(const Engine& engine, common::WorkerPool& pool) : engine_(engine), pool_(pool) {}

  grpc::ServerUnaryReactor* Search(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                   grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* Suggest(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                    grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* GetArticle(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                       grpc::ByteBuffer* response) override;

 private:
  const Engine& engine_;
  common::WorkerPool& pool_;
};

// Administration. Thread-safe. Methods that are not built yet answer UNIMPLEMENTED.
class SearchAdminHandler final
    : public v1::SearchAdminService::WithRawCallbackMethod_GetIndexInfo<v1::SearchAdminService::Service> {
 public:
  // Both must outlive the handler.
  SearchAdminHandler(const Engine& engine, common::WorkerPool& pool) : engine_(engine), pool_(pool) {}

  grpc::ServerUnaryReactor* GetIndexInfo(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                         grpc::ByteBuffer* response) override;

 private:
  const Engine& engine_;
  common::WorkerPool& pool_;
};

}  // namespace dateline::search

#endif  // DATELINE_SEARCH_SERVICE_SEARCH_HANDLER_H_
