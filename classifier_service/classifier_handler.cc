#include "classifier_service/classifier_handler.h"

#include <map>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "google/protobuf/arena.h"

#include "classifier_service/classifier_proto.h"
#include "common/error.h"
#include "common/hash.h"
#include "common/rpc/item_error.h"
#include "common/rpc/message.h"
#include "common/rpc/unary.h"
#include "common/status_macros.h"
#include "common/text.h"
#include "extraction/extraction.h"

namespace dateline::classifier {
namespace {

constexpr int kMaxBatchItems = 1'000;
constexpr size_t kMaxBatchBytes = 16'000'000;

v1::GetTaxonomyResponse TaxonomyOf(const Classifier& classifier) {
  v1::GetTaxonomyResponse response;
  ToProto(classifier, response);
  // Of all that it says: another program may read the same files in another way.
  response.set_etag(common::Hash128Hex(response.SerializeAsString()));
  return response;
}

// Extracts the article of a request's `document`.
absl::StatusOr<article::v1::Article> Extract(const article::v1::RawDocument& raw,
                                             google::protobuf::RepeatedPtrField<std::string>& warnings) {
  ASSIGN_OR_RETURN(const extraction::Document document, FromProto(raw));
  const absl::StatusOr<extraction::Extraction> extraction = extraction::Extract(document);
  if (!extraction.ok()) return common::WithFieldPrefix(extraction.status(), "document");
  for (const std::string& warning : extraction->warnings) *warnings.Add() = warning;
  return ToProto(*extraction, raw.known());
}

absl::Status ClassifyOne(const Classifier& classifier, const v1::ClassifyRequest& request,
                         v1::ClassifyResponse& response) {
  // First: extraction is dear.
  ASSIGN_OR_RETURN(const ClassifyOptions options, OptionsFromProto(request, classifier.gazetteer()));
  const article::v1::Article* article = nullptr;
  absl::string_view path = "article";
  switch (request.input_case()) {
    case v1::ClassifyRequest::kArticle:
      article = &request.article();
      if (common::HoldsHtml(article->body())) {
        response.add_warnings(
            "article.body: holds tags of HTML; what stands in them and in scripts was read as text, too: send the page "
            "as document, or take them out");
      }
      break;
    case v1::ClassifyRequest::kDocument: {
      ASSIGN_OR_RETURN(*response.mutable_article(), Extract(request.document(), *response.mutable_warnings()));
      article = &response.article();
      path = "document.known";  // What extraction gives is in order.
      break;
    }
    case v1::ClassifyRequest::INPUT_NOT_SET:
      return common::InvalidField("article", "is missing; send an article or a document");
  }
  ASSIGN_OR_RETURN(const ArticleText text, FromProto(*article, path, absl::Now(), *response.mutable_warnings()));
  if (response.article().has_publish_time() && !text.publish_time.has_value()) {
    // Dropped, and so no part of what is answered.
    response.mutable_article()->clear_publish_time();
    response.mutable_article()->clear_publish_time_precision();
  }
  const Classification classification = classifier.Classify(text, options);
  ToProto(classification, classifier, response);
  return absl::OkStatus();
}

}  // namespace

ClassifierHandler::ClassifierHandler(std::shared_ptr<const Classifier> classifier, common::WorkerPool& pool)
    : pool_(pool) {
  Publish(std::move(classifier));
}

void ClassifierHandler::Publish(absl::StatusOr<std::shared_ptr<const Classifier>> loaded) {
  std::shared_ptr<const Served> served;
  if (loaded.ok()) {
    served = std::make_shared<const Served>(
        Served{.classifier = *loaded, .taxonomy = TaxonomyOf(**loaded), .load_time = absl::Now()});
  }
  const common::MutexLock lock(mutex_);
  failed_reload_.reset();
  if (served == nullptr) {
    failed_reload_ = absl::Now();
    return;
  }
  // The old one goes when the lock is open again, here or with the last call that holds it.
  served_.swap(served);
}

std::shared_ptr<const ClassifierHandler::Served> ClassifierHandler::served() const {
  const common::MutexLock lock(mutex_);
  return served_;
}

grpc::ServerUnaryReactor* ClassifierHandler::Classify(grpc::CallbackServerContext* context,
                                                      const grpc::ByteBuffer* request, grpc::ByteBuffer* response) {
  return common::rpc::RunUnary<v1::ClassifyRequest, v1::ClassifyResponse>(
      context, request, response, pool_, {},
      [this](const common::rpc::Call& /*call*/, const v1::ClassifyRequest& in, v1::ClassifyResponse& out) {
        return ClassifyOne(*served()->classifier, in, out);
      });
}

grpc::ServerUnaryReactor* ClassifierHandler::BatchClassify(grpc::CallbackServerContext* context,
                                                           const grpc::ByteBuffer* request,
                                                           grpc::ByteBuffer* response) {
  static const std::string& method =
      *new std::string(common::rpc::MethodNameOf(*v1::BatchClassifyRequest::descriptor()));
  return common::rpc::RunOnPool(
      context, pool_, {}, method, [this, request, response](const common::rpc::Call& call) -> absl::Status {
        google::protobuf::Arena arena;
        auto& in = *google::protobuf::Arena::CreateMessage<v1::BatchClassifyRequest>(&arena);
        auto& out = *google::protobuf::Arena::CreateMessage<v1::BatchClassifyResponse>(&arena);
        std::map<int, absl::Status> broken;
        RETURN_IF_ERROR(common::rpc::ParseBatch(*request, "requests", in, broken));
        if (in.requests_size() == 0 || in.requests_size() > kMaxBatchItems) {
          return common::InvalidField(
              "requests", absl::StrCat("holds ", in.requests_size(), " requests; 1 to ", kMaxBatchItems, " are taken"));
        }
        if (const size_t bytes = in.ByteSizeLong(); bytes > kMaxBatchBytes) {
          return common::WithReason(
              common::InvalidField("requests",
                                   absl::StrCat("have ", bytes, " bytes together; at most ", kMaxBatchBytes)),
              "BATCH_TOO_LARGE");
        }
        const std::shared_ptr<const Served> now = served();
        size_t answer_bytes = 0;
        for (int i = 0; i < in.requests_size(); ++i) {
          if (call.CallerLeft()) return absl::CancelledError("the caller went away");
          if (call.IsCancelled()) return absl::DeadlineExceededError("the deadline passed before the batch was done");
          v1::BatchClassifyResult& result = *out.add_results();
          const auto unreadable = broken.find(i);
          absl::Status status = unreadable != broken.end()
                                    ? unreadable->second
                                    : ClassifyOne(*now->classifier, in.requests(i), *result.mutable_response());
          answer_bytes += result.ByteSizeLong();
          // One answer that would make all of them undeliverable is left out, and says so.
          if (status.ok() && answer_bytes > common::rpc::kMaxResponseBytes - 100'000) {
            answer_bytes -= result.ByteSizeLong();
            status = common::WithReason(
                absl::ResourceExhaustedError("the answers to this batch are too long together; send this one in a "
                                             "smaller batch"),
                "RESPONSE_TOO_LARGE");
          }
          if (!status.ok()) *result.mutable_error() = common::rpc::ToItemError(status);
        }
        return common::rpc::SerializeMessage(out, *response);
      });
}

grpc::ServerUnaryReactor* ClassifierHandler::ExtractArticle(grpc::CallbackServerContext* context,
                                                            const grpc::ByteBuffer* request,
                                                            grpc::ByteBuffer* response) {
  return common::rpc::RunUnary<v1::ExtractArticleRequest, v1::ExtractArticleResponse>(
      context, request, response, pool_, {},
      [](const common::rpc::Call& /*call*/, const v1::ExtractArticleRequest& in,
         v1::ExtractArticleResponse& out) -> absl::Status {
        if (!in.has_document()) return common::InvalidField("document", "is missing; send the page to extract from");
        ASSIGN_OR_RETURN(*out.mutable_article(), Extract(in.document(), *out.mutable_warnings()));
        return absl::OkStatus();
      });
}

grpc::ServerUnaryReactor* ClassifierHandler::GetTaxonomy(grpc::CallbackServerContext* context,
                                                         const grpc::ByteBuffer* request, grpc::ByteBuffer* response) {
  return common::rpc::RunUnary<v1::GetTaxonomyRequest, v1::GetTaxonomyResponse>(
      context, request, response, pool_, {},
      [this](const common::rpc::Call& /*call*/, const v1::GetTaxonomyRequest& in,
             v1::GetTaxonomyResponse& out) -> absl::Status {
        const std::shared_ptr<const Served> now = served();
        if (in.etag() != now->taxonomy.etag()) {
          out = now->taxonomy;
          return absl::OkStatus();
        }
        out.set_not_modified(true);
        out.set_etag(now->taxonomy.etag());
        out.set_taxonomy_version(now->taxonomy.taxonomy_version());
        out.set_gazetteer_version(now->taxonomy.gazetteer_version());
        return absl::OkStatus();
      });
}

grpc::ServerUnaryReactor* ClassifierHandler::GetModelInfo(grpc::CallbackServerContext* context,
                                                          const grpc::ByteBuffer* request, grpc::ByteBuffer* response) {
  return common::rpc::RunUnary<v1::GetModelInfoRequest, v1::GetModelInfoResponse>(
      context, request, response, pool_, {},
      [this](const common::rpc::Call& /*call*/, const v1::GetModelInfoRequest& /*in*/,
             v1::GetModelInfoResponse& out) -> absl::Status {
        std::shared_ptr<const Served> now;
        {
          const common::MutexLock lock(mutex_);
          now = served_;
          if (failed_reload_.has_value()) {
            out.mutable_failed_reload_time()->set_seconds(absl::ToUnixSeconds(*failed_reload_));
          }
        }
        ToProto(*now->classifier, out);
        out.mutable_load_time()->set_seconds(absl::ToUnixSeconds(now->load_time));
        return absl::OkStatus();
      });
}

}  // namespace dateline::classifier
