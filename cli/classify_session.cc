#include "cli/classify_session.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

#include "common/error.h"
#include "common/rpc/item_error.h"
#include "common/status_macros.h"
#include "extraction/extraction_proto.h"

namespace dateline::cli {
namespace {

namespace cpb = classifier::v1;

// Enough to keep the classifier busy while the next lines are read; answers of so many articles stay far below the
// limit on an answer.
constexpr int kMaxBatchItems = 32;
constexpr size_t kMaxBatchBytes = 2'000'000;
constexpr size_t kBatchesInFlight = 4;
constexpr absl::Duration kGiveUpAfter = absl::Seconds(30);
constexpr char kResponseTooLarge[] = "RESPONSE_TOO_LARGE";

}  // namespace

absl::StatusOr<ClassifierClient> ConnectForManyArticles(const Endpoint& classifier, const CallOptions& options) {
  // Nothing has been answered yet: a server that isn't there is more likely than one that restarts.
  ASSIGN_OR_RETURN(const ClassifierClient probe, ClassifierClient::Connect(classifier, options));
  if (const auto info = probe.GetModelInfo({}); !info.ok() && absl::IsUnavailable(info.status())) return info.status();
  CallOptions patient = options;
  patient.retry.give_up_after = kGiveUpAfter;
  return ClassifierClient::Connect(classifier, patient);
}

absl::Status ClassifySession::Run(const OnAnswer& on_answer, const std::function<void()>& on_batch) {
  while (true) {
    // Whoever writes the lines may wait for an answer before writing the next.
    if (reader_.MayWait()) {
      Launch();
      while (!in_flight_.empty()) RETURN_IF_ERROR(FinishFirst(on_answer, on_batch));
    }
    std::optional<InputItem> item = reader_.Next();
    if (!item) break;
    Add(*std::move(item));
    while (in_flight_.size() >= kBatchesInFlight) RETURN_IF_ERROR(FinishFirst(on_answer, on_batch));
  }
  Launch();
  while (!in_flight_.empty()) RETURN_IF_ERROR(FinishFirst(on_answer, on_batch));
  return absl::OkStatus();
}

// Asks for `request`; what is too large to be answered together is asked for in parts.
ClassifySession::Answers ClassifySession::Ask(const cpb::BatchClassifyRequest& request) const {
  Answers answers = client_.BatchClassify(request);
  if (request.requests_size() < 2) return answers;
  if (!answers.ok() && common::ReasonOf(answers.status()) == kResponseTooLarge) {
    cpb::BatchClassifyResponse joined;
    for (const int half : {0, 1}) {
      cpb::BatchClassifyRequest part;
      const int middle = request.requests_size() / 2;
      for (int i = half == 0 ? 0 : middle; i < (half == 0 ? middle : request.requests_size()); ++i) {
        *part.add_requests() = request.requests(i);
      }
      Answers answered = Ask(part);
      if (!answered.ok()) return answered;
      for (cpb::BatchClassifyResult& result : *answered->mutable_results()) *joined.add_results() = std::move(result);
    }
    return joined;
  }
  if (!answers.ok()) return answers;
  for (int i = 0; i < std::min(answers->results_size(), request.requests_size()); ++i) {
    cpb::BatchClassifyResult& result = *answers->mutable_results(i);
    if (result.error().reason() != kResponseTooLarge) continue;
    cpb::BatchClassifyRequest alone;
    *alone.add_requests() = request.requests(i);
    Answers answered = client_.BatchClassify(alone);
    if (answered.ok() && answered->results_size() == 1) result = std::move(*answered->mutable_results(0));
  }
  return answers;
}

void ClassifySession::Add(InputItem item) {
  ClassifiedItem classified{.item = std::move(item), .article = {}};
  if (classified.item.extraction.ok()) {
    classified.article = extraction::ToProto(classified.item.extraction->article);
    cpb::ClassifyRequest request = options_.request;
    // What the classifier looks at, and nothing else.
    article::v1::Article& asked = *request.mutable_article();
    asked.set_title(classified.article.title());
    asked.set_body(classified.article.body());
    asked.set_language_code(classified.article.language_code());
    if (classified.article.has_publish_time()) *asked.mutable_publish_time() = classified.article.publish_time();
    asked.set_publish_time_precision(classified.article.publish_time_precision());
    const size_t bytes = request.ByteSizeLong();
    if (batch_.bytes > 0 && batch_.bytes + bytes > kMaxBatchBytes) Launch();
    batch_.bytes += bytes;
    *batch_.request.add_requests() = std::move(request);
    if (!options_.keep_bodies && classified.item.format == extraction::Format::kJsonLines) {
      classified.article.clear_body();
    }
    classified.item.extraction->article = {};
    classified.item.extraction->blocks = {};
  }
  batch_.items.push_back(std::move(classified));
  if (batch_.items.size() >= kMaxBatchItems) Launch();
}

void ClassifySession::Launch() {
  if (batch_.items.empty()) return;
  in_flight_.push_back(std::exchange(batch_, {}));
  Batch& launched = in_flight_.back();
  if (launched.request.requests().empty()) return;
  // The batch stays where it is (a deque's elements do) until FinishFirst() has its answer.
  launched.answers = std::async(std::launch::async, [this, &launched] { return Ask(launched.request); });
}

absl::Status ClassifySession::FinishFirst(const OnAnswer& on_answer, const std::function<void()>& on_batch) {
  Batch& batch = in_flight_.front();
  cpb::BatchClassifyResponse answers;
  if (batch.answers.valid()) {
    ASSIGN_OR_RETURN(answers, batch.answers.get());
    if (answers.results_size() != batch.request.requests_size()) {
      return absl::InternalError(absl::StrCat("classifier_service gave ", answers.results_size(), " answers to ",
                                              batch.request.requests_size(), " articles"));
    }
  }
  int next = 0;
  for (ClassifiedItem& classified : batch.items) {
    if (!classified.item.extraction.ok()) {
      classified.response = classified.item.extraction.status();
    } else if (cpb::BatchClassifyResult& result = *answers.mutable_results(next++); result.has_error()) {
      classified.response = common::rpc::FromItemError(result.error());
    } else {
      classified.response = std::move(*result.mutable_response());
    }
    RETURN_IF_ERROR(on_answer(classified));
  }
  in_flight_.pop_front();
  on_batch();
  return absl::OkStatus();
}

}  // namespace dateline::cli
