// ClassifierService over the classifier and the extraction library.
#ifndef DATELINE_CLASSIFIER_SERVICE_CLASSIFIER_HANDLER_H_
#define DATELINE_CLASSIFIER_SERVICE_CLASSIFIER_HANDLER_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "grpcpp/grpcpp.h"

#include "classifier_service/classifier.h"
#include "common/worker_pool.h"
#include "dateline/classifier/v1/classifier_service.grpc.pb.h"

namespace dateline::classifier {

// Stateless and thread-safe.
class ClassifierHandler final
    : public v1::ClassifierService::WithRawCallbackMethod_Classify<
          v1::ClassifierService::WithRawCallbackMethod_BatchClassify<
              v1::ClassifierService::WithRawCallbackMethod_ExtractArticle<
                  v1::ClassifierService::WithRawCallbackMethod_GetTaxonomy<
                      v1::ClassifierService::WithRawCallbackMethod_GetModelInfo<v1::ClassifierService::Service>>>>> {
 public:
  // Both must outlive the handler.
  ClassifierHandler(const Classifier& classifier, common::WorkerPool& pool);

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
  absl::Status ClassifyOne(const v1::ClassifyRequest& request, v1::ClassifyResponse& response) const;

  const Classifier& classifier_;
  common::WorkerPool& pool_;
  const v1::GetTaxonomyResponse taxonomy_;  // Whole, with its etag: it is the same for every caller.
};

}  // namespace dateline::classifier

#endif  // DATELINE_CLASSIFIER_SERVICE_CLASSIFIER_HANDLER_H_
