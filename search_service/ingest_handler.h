// IngestService over the engine: batches, streams, deletions, corrections, waiting, following.
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
class WaitingCall;

// Thread-safe.
class IngestHandler final
    : public v1::IngestService::WithRawCallbackMethod_IngestArticles<
          v1::IngestService::WithRawCallbackMethod_StreamIngest<v1::IngestService::WithRawCallbackMethod_DeleteArticle<
              v1::IngestService::WithRawCallbackMethod_WaitForCommit<
                  v1::IngestService::WithRawCallbackMethod_ListChanges<
                      v1::IngestService::WithRawCallbackMethod_UpdateArticleLabels<v1::IngestService::Service>>>>>> {
 public:
  struct Options {
    // Of one stream: items that were read and whose answer is not yet sent. Reading stops there, so that the memory of
    // a stream is bounded whatever its client does.
    int max_stream_items = 512;
    size_t max_stream_bytes = 16'000'000;
    int max_streams = 64;                                // At a time; more are told to try again.
    size_t max_batch_bytes = 256'000'000;                // Of batches that wait for their turn, or have it.
    absl::Duration extract_timeout = absl::Seconds(20);  // Of one raw document.
  };

  // All must outlive the handler; `extractor` may be null (raw documents are then answered RETRY_LATER). `ingest_pool`
  // runs what writes, `document_pool` what holds raw documents and so may have to wait for the classifier. A call that
  // waits for what it wrote takes no thread.
  IngestHandler(Engine& engine, DocumentExtractor* extractor, common::WorkerPool& ingest_pool,
                common::WorkerPool& document_pool, const Options& options);
  ~IngestHandler() override;

  // Lets each stream answer what it has read and then end with UNAVAILABLE, and ends all waits with what was reached:
  // the first step of a shutdown.
  void DrainStreams();

  grpc::ServerUnaryReactor* IngestArticles(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                           grpc::ByteBuffer* response) override;
  grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* StreamIngest(
      grpc::CallbackServerContext* context) override;
  grpc::ServerUnaryReactor* DeleteArticle(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                          grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* WaitForCommit(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                          grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* UpdateArticleLabels(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                                grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* ListChanges(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                        grpc::ByteBuffer* response) override;

 private:
  friend class IngestStream;

  // The core's article of an item; what was odd about it goes to `warnings`.
  absl::StatusOr<Article> ArticleOf(const article::v1::Article& article) const;
  absl::StatusOr<Article> ArticleOf(const article::v1::RawDocument& document, absl::Time deadline,
                                    std::vector<std::string>& warnings) const;

  // A batch whose articles are durable or refused, and what is still to be done before it is answered.
  struct Batch;
  // A share of max_batch_bytes, for as long as it is kept; null if there is none to be had.
  std::shared_ptr<void> Admit(size_t bytes);
  void BeginBatch(const std::shared_ptr<Batch>& batch);
  void RunBatch(const std::shared_ptr<Batch>& batch);
  absl::Status Ingest(const v1::IngestArticlesRequest& request, absl::Time deadline, Batch& batch);
  // Articles for as much of the answer as they may take.
  void AddArticles(Batch& batch) const;

  void Forget(IngestStream* stream);

  Engine& engine_;
  DocumentExtractor* const extractor_;
  common::WorkerPool& ingest_pool_;
  common::WorkerPool& document_pool_;
  const Options options_;

  common::Mutex mutex_;
  bool draining_ ABSL_GUARDED_BY(mutex_) = false;
  size_t batch_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  std::vector<std::weak_ptr<IngestStream>> streams_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace dateline::search

#endif  // DATELINE_SEARCH_SERVICE_INGEST_HANDLER_H_
