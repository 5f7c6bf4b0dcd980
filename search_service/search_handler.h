// SearchService over the engine.
#ifndef DATELINE_SEARCH_SERVICE_SEARCH_HANDLER_H_
#define DATELINE_SEARCH_SERVICE_SEARCH_HANDLER_H_

#include <atomic>

#include "absl/status/status.h"
#include "grpcpp/grpcpp.h"

#include "common/worker_pool.h"
#include "dateline/search/v1/search_service.grpc.pb.h"
#include "search_service/engine.h"
#include "search_service/search_query.h"

namespace dateline::search {

// Reads. Thread-safe.
class SearchHandler final
    : public v1::SearchService::WithRawCallbackMethod_FindSimilarArticles<
          v1::SearchService::WithRawCallbackMethod_AnalyzeTrends<v1::SearchService::WithRawCallbackMethod_Search<
              v1::SearchService::WithRawCallbackMethod_Suggest<v1::SearchService::WithRawCallbackMethod_GetArticle<
                  v1::SearchService::WithRawCallbackMethod_BatchGetArticles<
                      v1::SearchService::WithRawCallbackMethod_ListArticles<v1::SearchService::Service>>>>>>> {
 public:
  // Both must outlive the handler. At most `max_waiting` searches wait for their min_commit_token at a time, each on a
  // thread of the pool: fewer than it has, so that others are answered meanwhile.
  SearchHandler(const Engine& engine, common::WorkerPool& pool, int max_waiting)
      : engine_(engine), pool_(pool), max_waiting_(max_waiting) {}

  grpc::ServerUnaryReactor* Search(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                   grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* Suggest(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                    grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* GetArticle(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                       grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* BatchGetArticles(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                             grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* FindSimilarArticles(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                                grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* AnalyzeTrends(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                          grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* ListArticles(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                         grpc::ByteBuffer* response) override;

 private:
  // Waits until searches see what `query` wants to read. ResourceExhausted if too many wait.
  absl::Status AwaitToken(const SearchQuery& query);

  const Engine& engine_;
  common::WorkerPool& pool_;
  const int max_waiting_;
  std::atomic<int> waiting_{0};
};

}  // namespace dateline::search

#endif  // DATELINE_SEARCH_SERVICE_SEARCH_HANDLER_H_
