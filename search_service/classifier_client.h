// The classifier service, as the search service's core wants it.
#ifndef DATELINE_SEARCH_SERVICE_CLASSIFIER_CLIENT_H_
#define DATELINE_SEARCH_SERVICE_CLASSIFIER_CLIENT_H_

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "grpcpp/channel.h"
#include "grpcpp/client_context.h"

#include "common/mutex.h"
#include "dateline/classifier/v1/classifier_service.grpc.pb.h"
#include "search_service/article_labeler.h"
#include "search_service/document_extractor.h"

namespace dateline::search {

// Thread-safe. Every call blocks until it is answered or its deadline has passed.
class ClassifierClient final : public ArticleLabeler, public DocumentExtractor {
 public:
  // How the classifier is asked to tag: what every request says besides its article.
  struct Tagging {
    classifier::v1::CountryProfile profile = classifier::v1::COUNTRY_PROFILE_UNSPECIFIED;
    std::vector<classifier::v1::CountryPrior> priors = {};
  };

  // Priors are checked when a taxonomy is fetched: FetchTaxonomy() is FailedPrecondition, naming the prior, while the
  // taxonomy doesn't know its target. So a prior that is mistyped leaves articles pending and never refuses one.
  ClassifierClient(const std::shared_ptr<grpc::Channel>& channel, Tagging tagging);

  absl::StatusOr<std::vector<absl::StatusOr<Labeling>>> Label(const std::vector<LabelingInput>& articles,
                                                              absl::Time deadline) override;
  absl::StatusOr<std::optional<TaxonomyData>> FetchTaxonomy(absl::string_view etag, absl::Time deadline) override;
  absl::StatusOr<std::string> FetchVersion(absl::Time deadline) override;
  absl::StatusOr<ExtractedDocument> Extract(const article::v1::RawDocument& document, absl::Time deadline) override;
  // All but Extract, which the engine calls; who waits for Extract has a deadline and a caller of its own.
  void Cancel() override;

 private:
  class CancellableCall;
  // Of answers with these versions, as they are asked for here.
  std::string VersionOf(absl::string_view model, absl::string_view taxonomy, absl::string_view gazetteer) const;

  const std::unique_ptr<classifier::v1::ClassifierService::StubInterface> stub_;
  const Tagging tagging_;
  common::Mutex mutex_;
  std::string checked_etag_ ABSL_GUARDED_BY(mutex_);  // Of the taxonomy that knows the priors' targets.
  bool cancelled_ ABSL_GUARDED_BY(mutex_) = false;
  std::set<grpc::ClientContext*> running_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace dateline::search

#endif  // DATELINE_SEARCH_SERVICE_CLASSIFIER_CLIENT_H_
