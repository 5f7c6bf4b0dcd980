// ClassifierService over the classifier and the extraction library.
#ifndef DATELINE_CLASSIFIER_SERVICE_CLASSIFIER_HANDLER_H_
#define DATELINE_CLASSIFIER_SERVICE_CLASSIFIER_HANDLER_H_

#include <memory>
#include <optional>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "grpcpp/grpcpp.h"

#include "classifier_service/classifier.h"
#include "common/mutex.h"
#include "common/worker_pool.h"
#include "dateline/classifier/v1/classifier_service.grpc.pb.h"

namespace dateline::classifier {

// Thread-safe. A call is answered by one classifier from its beginning to its end, all of a batch included; which one
// that is may be changed while calls run.
class ClassifierHandler final
    : public v1::ClassifierService::WithRawCallbackMethod_Classify<
          v1::ClassifierService::WithRawCallbackMethod_BatchClassify<
              v1::ClassifierService::WithRawCallbackMethod_ExtractArticle<
                  v1::ClassifierService::WithRawCallbackMethod_GetTaxonomy<
                      v1::ClassifierService::WithRawCallbackMethod_GetModelInfo<v1::ClassifierService::Service>>>>> {
 public:
  // `classifier` is not null. `pool` must outlive the handler.
  ClassifierHandler(std::shared_ptr<const Classifier> classifier, common::WorkerPool& pool);

  // Takes what came of loading the files again. A classifier takes the place of the one in use: calls that run end with
  // that one, which is freed with the last of them, and calls that begin have the new one. An error changes nothing but
  // what GetModelInfo says of it.
  void Publish(absl::StatusOr<std::shared_ptr<const Classifier>> loaded);

  grpc::ServerUnaryReactor* Classify(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                     grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* BatchClassify(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                          grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* ExtractArticle(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                           grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* GetTaxonomy(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                        grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* GetModelInfo(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                         grpc::ByteBuffer* response) override;

 private:
  // What answers come from. Immutable; a call holds it until it ends.
  struct Served {
    std::shared_ptr<const Classifier> classifier;
    v1::GetTaxonomyResponse taxonomy;  // Whole, with its etag: it is the same for every caller.
    absl::Time load_time;
  };

  std::shared_ptr<const Served> served() const;

  common::WorkerPool& pool_;
  mutable common::Mutex mutex_;
  std::shared_ptr<const Served> served_ ABSL_GUARDED_BY(mutex_);
  std::optional<absl::Time> failed_reload_ ABSL_GUARDED_BY(mutex_);  // Of the last Publish(), if it brought an error.
};

}  // namespace dateline::classifier

#endif  // DATELINE_CLASSIFIER_SERVICE_CLASSIFIER_HANDLER_H_
