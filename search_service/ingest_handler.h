// IngestService over the engine: batches, streams, deletions, waiting.
#ifndef DATELINE_SEARCH_SERVICE_INGEST_HANDLER_H_
#define DATELINE_SEARCH_SERVICE_INGEST_HANDLER_H_

#include <cstddef>
#include <memory>
#include <vector>

#include "absl/time/time.h"
#include "grpcpp/grpcpp.h"

#include "common/mutex.h"
#include "common/worker_pool.h"
#include "dateline/search/v1/ingest_service.grpc.pb.h"
#include "search_service/document_extractor.h"
#include "search_service/engine.h"

namespace dateline::search {

class IngestStream;

// Thread-safe. Methods that are not built yet answer UNIMPLEMENTED.
class IngestHandler final
    : public v1::IngestService::WithRawCallbackMethod_IngestArticles<
          v1::IngestService::WithCallbackMethod_StreamIngest<v1::IngestService::WithRawCallbackMethod_DeleteArticle<
              v1::IngestService::WithRawCallbackMethod_WaitForCommit<v1::IngestService::Service>>>> {
 public:
  struct Options {
    // Of one stream: items that were read and whose answer is not yet sent. Reading stops there, so that the memory of
    // a stream is bounded whatever its client does.
    int max_stream_items = 512;
    size_t max_stream_bytes = 16'000'000;
    absl::Duration extract_timeout = absl::Seconds(20);  // Of one raw document.
  };

  // All must outlive the handler; `extractor` may be null (raw documents are then answered RETRY_LATER). `ingest_pool`
  // runs what may block on the classifier, `wait_pool` what only waits.
  IngestHandler(Engine& engine, DocumentExtractor* extractor, common::WorkerPool& ingest_pool,
                common::WorkerPool& wait_pool, const Options& options);
  ~IngestHandler() override;

  // Lets each stream answer what it has read and then end with UNAVAILABLE: the first step of a shutdown.
  void DrainStreams();

  grpc::ServerUnaryReactor* IngestArticles(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                           grpc::ByteBuffer* response) override;
  grpc::ServerBidiReactor<v1::StreamIngestRequest, v1::StreamIngestResponse>* StreamIngest(
      grpc::CallbackServerContext* context) override;
  grpc::ServerUnaryReactor* DeleteArticle(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                          grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* WaitForCommit(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                          grpc::ByteBuffer* response) override;

 private:
  friend class IngestStream;

  // The core's article of an item; what was odd about it goes to `warnings`.
  absl::StatusOr<Article> ArticleOf(const article::v1::Article& article) const;
  absl::StatusOr<Article> ArticleOf(const article::v1::RawDocument& document, absl::Time deadline,
                                    std::vector<std::string>& warnings) const;

  absl::Status Ingest(const v1::IngestArticlesRequest& request, absl::Time deadline,
                      v1::IngestArticlesResponse& response);

  void Forget(IngestStream* stream);

  Engine& engine_;
  DocumentExtractor* const extractor_;
  common::WorkerPool& ingest_pool_;
  common::WorkerPool& wait_pool_;
  const Options options_;

  common::Mutex mutex_;
  bool draining_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::weak_ptr<IngestStream>> streams_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace dateline::search

#endif  // DATELINE_SEARCH_SERVICE_INGEST_HANDLER_H_
