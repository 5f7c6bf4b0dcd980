#include "search_service/ingest_handler.h"

#include <algorithm>
#include <deque>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

#include "common/error.h"
#include "common/rpc/item_error.h"
#include "common/rpc/status.h"
#include "common/rpc/unary.h"
#include "common/status_macros.h"
#include "search_service/article_proto.h"
#include "search_service/ingest_stream.h"
#include "search_service/search_proto.h"

namespace dateline::search {
namespace {

namespace apb = article::v1;

constexpr int kMaxBatchItems = 1'000;
constexpr size_t kMaxBatchBytes = 16'000'000;
constexpr size_t kMaxDocumentBytes = 16'000'000;
// What is kept back from the caller's deadline, so that an answer that waited still arrives in time.
constexpr absl::Duration kAnswerTime = absl::Milliseconds(50);
constexpr absl::Duration kRetryDelay = absl::Seconds(1);

// Collects the results of a batch, in its order. Thread-safe.
class BatchResults {
 public:
  explicit BatchResults(size_t size) : results_(size), missing_(size) {}

  void Set(size_t index, IngestResult result) {
    common::MutexLock lock(mutex_);
    results_[index] = std::move(result);
    if (--missing_ == 0) complete_.NotifyAll();
  }

  // The engine answers every item, so this ends.
  std::vector<IngestResult> Wait() {
    common::MutexLock lock(mutex_);
    while (missing_ > 0) complete_.Wait(mutex_);
    return std::move(results_);
  }

 private:
  common::Mutex mutex_;
  common::CondVar complete_;
  std::vector<IngestResult> results_ ABSL_GUARDED_BY(mutex_);
  size_t missing_ ABSL_GUARDED_BY(mutex_);
};

// Not taken: refused for good, or to be sent again.
IngestResult NotTaken(absl::Status error) {
  IngestResult result;
  const bool retry = absl::IsUnavailable(error) || absl::IsResourceExhausted(error) ||
                     absl::IsDeadlineExceeded(error) || absl::IsCancelled(error);
  result.outcome = retry ? IngestOutcome::kRetryLater : IngestOutcome::kRejected;
  if (retry && !common::RetryDelayOf(error).has_value()) error = common::WithRetryDelay(error, kRetryDelay);
  result.error = std::move(error);
  return result;
}

template <typename Proto>
void ResultToProto(const Engine& engine, IngestResult result, Proto& proto) {
  proto.set_id(std::move(result.id));
  proto.set_outcome(ToProto(result.outcome));
  if (!result.error.ok()) *proto.mutable_error() = common::rpc::ToItemError(result.error);
  proto.set_commit_token(engine.TokenOf(result.seq != 0 ? result.seq : engine.durable_seq()));
  for (std::string& warning : result.warnings) proto.add_warnings(std::move(warning));
  proto.set_duplicate_of(std::move(result.duplicate_of));
}

std::vector<std::string> Join(std::vector<std::string> first, std::vector<std::string> second) {
  first.insert(first.end(), std::make_move_iterator(second.begin()), std::make_move_iterator(second.end()));
  return first;
}

}  // namespace

// One stream. Items are taken in the order they came, on the ingest pool; answers leave in any order. Kept alive by
// itself until gRPC is done with it, and by each answer that is still to come.
class IngestStream final : public grpc::ServerBidiReactor<v1::StreamIngestRequest, v1::StreamIngestResponse>,
                           public std::enable_shared_from_this<IngestStream> {
 public:
  explicit IngestStream(IngestHandler& handler) : handler_(handler), engine_(handler.engine_) {}

  void Begin() {
    self_ = shared_from_this();
    listener_ = engine_.AddProgressListener([weak = weak_from_this()](uint64_t, uint64_t) {
      if (const std::shared_ptr<IngestStream> stream = weak.lock()) {
        common::MutexLock lock(stream->mutex_);
        stream->Pump();
      }
    });
    common::MutexLock lock(mutex_);
    reading_ = true;
    StartRead(&incoming_);
  }

  // Answers what was read and then ends the stream.
  void DrainAndEnd() {
    common::MutexLock lock(mutex_);
    if (end_.ok()) {
      end_ = common::Unavailable(
          "the server is shutting down; send what was not acknowledged to it again, or to "
          "another one",
          kRetryDelay);
    }
    no_more_reads_ = true;
    Pump();
  }

  void OnReadDone(bool ok) override {
    common::MutexLock lock(mutex_);
    reading_ = false;
    if (!ok || no_more_reads_) {
      no_more_reads_ = true;
      Pump();
      return;
    }
    if (absl::Status status = progress_.Receive(incoming_.client_sequence()); !status.ok()) {
      end_ = std::move(status);
      no_more_reads_ = true;
      Pump();
      return;
    }
    const size_t bytes = incoming_.ByteSizeLong();
    ++held_items_;
    held_bytes_ += bytes;
    waiting_.push_back({.request = std::move(incoming_), .bytes = bytes});
    incoming_.Clear();
    Work();
    Read();
    Pump();
  }

  void OnWriteDone(bool ok) override {
    common::MutexLock lock(mutex_);
    writing_ = false;
    held_items_ -= outgoing_items_;
    held_bytes_ -= outgoing_bytes_;
    if (!ok) broken_ = true;
    Read();
    Pump();
  }

  void OnCancel() override {
    common::MutexLock lock(mutex_);
    broken_ = true;
    no_more_reads_ = true;
    Pump();
  }

  void OnDone() override {
    engine_.RemoveProgressListener(listener_);
    handler_.Forget(this);
    // May destroy this object: what still has an answer to come holds it too.
    const std::shared_ptr<IngestStream> last = std::move(self_);
  }

 private:
  struct Item {
    v1::StreamIngestRequest request;
    size_t bytes = 0;
  };
  struct Answer {
    v1::StreamIngestResponse response;
    size_t bytes = 0;
  };

  void Read() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (reading_ || no_more_reads_ || finished_) return;
    if (held_items_ >= handler_.options_.max_stream_items || held_bytes_ >= handler_.options_.max_stream_bytes) return;
    reading_ = true;
    StartRead(&incoming_);
  }

  // Has the pool take what is waiting, one task at a time so that the order stays.
  void Work() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (working_ || waiting_.empty()) return;
    working_ = handler_.ingest_pool_.TrySubmit([self = shared_from_this()] { self->TakeAll(); });
    if (working_) return;
    // No room: each is to be sent again.
    while (!waiting_.empty()) {
      const Item item = std::move(waiting_.front());
      waiting_.pop_front();
      AddAnswer(item.request.client_sequence(), item.bytes,
                NotTaken(common::ResourceExhausted("the server has too much to do", kRetryDelay)));
    }
  }

  void TakeAll() {
    while (true) {
      Item item;
      {
        common::MutexLock lock(mutex_);
        if (waiting_.empty() || broken_) {
          working_ = false;
          return;
        }
        item = std::move(waiting_.front());
        waiting_.pop_front();
      }
      Take(std::move(item));
    }
  }

  void Take(Item item) {
    const int64_t sequence = item.request.client_sequence();
    std::vector<std::string> warnings;
    absl::StatusOr<Article> article = common::InvalidField("article", "is missing; send an article or a document");
    if (item.request.has_article()) {
      article = handler_.ArticleOf(item.request.article());
    } else if (item.request.has_document()) {
      article = handler_.ArticleOf(item.request.document(), absl::Now() + handler_.options_.extract_timeout, warnings);
    }
    if (!article.ok()) {
      common::MutexLock lock(mutex_);
      AddAnswer(sequence, item.bytes, NotTaken(std::move(article).status()));
      Pump();
      return;
    }
    engine_.Ingest(*std::move(article), {},
                   [self = shared_from_this(), sequence, bytes = item.bytes,
                    warnings = std::move(warnings)](IngestResult result) mutable {
                     result.warnings = Join(std::move(warnings), std::move(result.warnings));
                     common::MutexLock lock(self->mutex_);
                     self->AddAnswer(sequence, bytes, std::move(result));
                     self->Pump();
                   });
  }

  void AddAnswer(int64_t sequence, size_t bytes, IngestResult result) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    progress_.Answer(sequence, result.seq);
    if (finished_) return;
    Answer answer;
    answer.bytes = bytes;
    v1::IngestAck& ack = *answer.response.mutable_ack();
    ack.set_client_sequence(sequence);
    ResultToProto(engine_, std::move(result), ack);
    answers_.push_back(std::move(answer));
  }

  // Writes what is to be written next, or ends the stream when nothing is left to say.
  void Pump() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (finished_ || writing_) return;
    if (broken_) {
      EndWith(grpc::Status::CANCELLED);
      return;
    }
    if (!answers_.empty()) {
      outgoing_ = std::move(answers_.front().response);
      outgoing_bytes_ = answers_.front().bytes;
      outgoing_items_ = 1;
      answers_.pop_front();
      writing_ = true;
      StartWrite(&outgoing_);
      return;
    }
    const StreamProgress::Watermark watermark = progress_.Advance(engine_.visible_seq());
    // Acknowledgements say themselves what is durable; the mark says it again when the stream comes to rest, and
    // whenever searches see more.
    if (watermark.visible_through != sent_.visible_through ||
        (watermark.durable_through != sent_.durable_through && progress_.all_answered())) {
      sent_ = watermark;
      outgoing_.Clear();
      outgoing_.mutable_watermark()->set_durable_through(watermark.durable_through);
      outgoing_.mutable_watermark()->set_visible_through(watermark.visible_through);
      outgoing_bytes_ = 0;
      outgoing_items_ = 0;
      writing_ = true;
      StartWrite(&outgoing_);
      return;
    }
    if (no_more_reads_ && progress_.all_answered()) EndWith(common::rpc::ToGrpcStatus(end_));
  }

  void EndWith(const grpc::Status& status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    finished_ = true;
    answers_.clear();
    Finish(status);
  }

  IngestHandler& handler_;
  Engine& engine_;
  int64_t listener_ = 0;
  std::shared_ptr<IngestStream> self_;

  common::Mutex mutex_;
  StreamProgress progress_ ABSL_GUARDED_BY(mutex_);
  StreamProgress::Watermark sent_ ABSL_GUARDED_BY(mutex_);
  std::deque<Item> waiting_ ABSL_GUARDED_BY(mutex_);
  std::deque<Answer> answers_ ABSL_GUARDED_BY(mutex_);
  int held_items_ ABSL_GUARDED_BY(mutex_) = 0;  // Read, and the answer is not yet written.
  size_t held_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  bool reading_ ABSL_GUARDED_BY(mutex_) = false;
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool working_ ABSL_GUARDED_BY(mutex_) = false;  // A task of this stream is on the pool.
  bool no_more_reads_ ABSL_GUARDED_BY(mutex_) = false;
  bool broken_ ABSL_GUARDED_BY(mutex_) = false;  // The client is gone.
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status end_ ABSL_GUARDED_BY(mutex_);

  // Lent to gRPC while an operation runs.
  v1::StreamIngestRequest incoming_;
  v1::StreamIngestResponse outgoing_;
  int outgoing_items_ ABSL_GUARDED_BY(mutex_) = 0;
  size_t outgoing_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
};

IngestHandler::IngestHandler(Engine& engine, DocumentExtractor* extractor, common::WorkerPool& ingest_pool,
                             common::WorkerPool& wait_pool, const Options& options)
    : engine_(engine), extractor_(extractor), ingest_pool_(ingest_pool), wait_pool_(wait_pool), options_(options) {}

IngestHandler::~IngestHandler() = default;

void IngestHandler::DrainStreams() {
  std::vector<std::weak_ptr<IngestStream>> streams;
  {
    common::MutexLock lock(mutex_);
    draining_ = true;
    streams = streams_;
  }
  for (const std::weak_ptr<IngestStream>& weak : streams) {
    if (const std::shared_ptr<IngestStream> stream = weak.lock()) stream->DrainAndEnd();
  }
}

void IngestHandler::Forget(IngestStream* stream) {
  common::MutexLock lock(mutex_);
  std::erase_if(streams_, [stream](const std::weak_ptr<IngestStream>& weak) {
    const std::shared_ptr<IngestStream> other = weak.lock();
    return other == nullptr || other.get() == stream;
  });
}

absl::StatusOr<Article> IngestHandler::ArticleOf(const apb::Article& article) const { return FromProto(article); }

absl::StatusOr<Article> IngestHandler::ArticleOf(const apb::RawDocument& document, absl::Time deadline,
                                                 std::vector<std::string>& warnings) const {
  if (document.content().size() > kMaxDocumentBytes) {
    return common::WithReason(
        common::InvalidField("document.content",
                             absl::StrCat("has ", document.content().size(), " bytes; at most ", kMaxDocumentBytes)),
        "DOCUMENT_TOO_LARGE");
  }
  if (extractor_ == nullptr) {
    return common::Unavailable("this server has no classifier to extract articles from documents", kRetryDelay);
  }
  ASSIGN_OR_RETURN(ExtractedDocument extracted, extractor_->Extract(document, deadline));
  warnings = std::move(extracted.warnings);
  return FromProto(extracted.article);
}

grpc::ServerBidiReactor<v1::StreamIngestRequest, v1::StreamIngestResponse>* IngestHandler::StreamIngest(
    grpc::CallbackServerContext* /*context*/) {
  const auto stream = std::make_shared<IngestStream>(*this);
  bool draining = false;
  {
    common::MutexLock lock(mutex_);
    draining = draining_;
    streams_.push_back(stream);
  }
  stream->Begin();
  if (draining) stream->DrainAndEnd();
  return stream.get();
}

grpc::ServerUnaryReactor* IngestHandler::IngestArticles(grpc::CallbackServerContext* context,
                                                        const grpc::ByteBuffer* request, grpc::ByteBuffer* response) {
  return common::rpc::RunUnary<v1::IngestArticlesRequest, v1::IngestArticlesResponse>(
      context, request, response, ingest_pool_, {},
      [this](const common::rpc::Call& call, const v1::IngestArticlesRequest& in, v1::IngestArticlesResponse& out) {
        return Ingest(in, call.deadline(), out);
      });
}

absl::Status IngestHandler::Ingest(const v1::IngestArticlesRequest& request, absl::Time deadline,
                                   v1::IngestArticlesResponse& response) {
  if (request.items_size() == 0 || request.items_size() > kMaxBatchItems) {
    return common::InvalidField(
        "items", absl::StrCat("holds ", request.items_size(), " items; 1 to ", kMaxBatchItems, " are taken"));
  }
  if (const size_t bytes = request.ByteSizeLong(); bytes > kMaxBatchBytes + kMaxDocumentBytes / 100) {
    return common::WithReason(
        common::InvalidField("items", absl::StrCat("have ", bytes, " bytes together; at most ", kMaxBatchBytes)),
        "BATCH_TOO_LARGE");
  }
  ASSIGN_OR_RETURN(const Progress wanted, ProgressFromProto("wait_for", request.wait_for(), Progress::kDurable));
  // Unspecified stays so: then no articles are returned.
  RETURN_IF_ERROR(ViewFromProto(request.view(), apb::ARTICLE_VIEW_UNSPECIFIED).status());
  deadline -= kAnswerTime;

  const auto results = std::make_shared<BatchResults>(static_cast<size_t>(request.items_size()));
  for (int i = 0; i < request.items_size(); ++i) {
    const v1::IngestItem& item = request.items(i);
    const size_t index = static_cast<size_t>(i);
    std::vector<std::string> warnings;
    absl::StatusOr<Article> article = common::InvalidField("article", "is missing; send an article or a document");
    if (item.has_article()) {
      article = ArticleOf(item.article());
    } else if (item.has_document()) {
      article = ArticleOf(item.document(), std::min(deadline, absl::Now() + options_.extract_timeout), warnings);
    }
    if (!article.ok()) {
      results->Set(index, NotTaken(std::move(article).status()));
      continue;
    }
    engine_.Ingest(*std::move(article), {},
                   [results, index, warnings = std::move(warnings)](IngestResult result) mutable {
                     result.warnings = Join(std::move(warnings), std::move(result.warnings));
                     results->Set(index, std::move(result));
                   });
  }
  std::vector<IngestResult> done = results->Wait();

  uint64_t last_seq = 0;
  for (const IngestResult& result : done) last_seq = std::max(last_seq, result.seq);
  Progress reached = Progress::kLabelled;
  if (last_seq != 0) reached = engine_.WaitFor(last_seq, wanted, deadline);
  response.set_reached(ToProto(reached));

  const std::shared_ptr<const Taxonomy> taxonomy = engine_.taxonomy();
  for (IngestResult& result : done) {
    v1::IngestResult& proto = *response.add_results();
    const std::string id = result.id;
    const bool stored = result.seq != 0;
    ResultToProto(engine_, std::move(result), proto);
    if (!stored || request.view() == apb::ARTICLE_VIEW_UNSPECIFIED) continue;
    // It may have been deleted since; then there is nothing to show.
    if (const absl::StatusOr<Article> article = engine_.Get(id, /*include_embargoed=*/true); article.ok()) {
      ToProto(*article, {.view = request.view(), .display_language = "", .labels = {}}, *taxonomy,
              *proto.mutable_article());
    }
  }
  response.set_commit_token(engine_.TokenOf(last_seq != 0 ? last_seq : engine_.durable_seq()));
  return absl::OkStatus();
}

grpc::ServerUnaryReactor* IngestHandler::DeleteArticle(grpc::CallbackServerContext* context,
                                                       const grpc::ByteBuffer* request, grpc::ByteBuffer* response) {
  return common::rpc::RunUnary<v1::DeleteArticleRequest, v1::DeleteArticleResponse>(
      context, request, response, ingest_pool_, {},
      [this](const common::rpc::Call& /*call*/, const v1::DeleteArticleRequest& in,
             v1::DeleteArticleResponse& out) -> absl::Status {
        if (in.id().empty()) return common::InvalidField("id", "is missing; give the article's id or URL");
        // The answer names the article by its id, also where a URL was asked for.
        const absl::StatusOr<Article> article = engine_.Get(in.id(), /*include_embargoed=*/true);
        ASSIGN_OR_RETURN(
            const uint64_t seq,
            engine_.Delete(in.id(), {.etag = in.etag(), .purge = in.purge(), .allow_missing = in.purge()}));
        out.set_id(article.ok() ? article->id : in.id());
        out.set_commit_token(engine_.TokenOf(seq != 0 ? seq : engine_.durable_seq()));
        return absl::OkStatus();
      });
}

grpc::ServerUnaryReactor* IngestHandler::WaitForCommit(grpc::CallbackServerContext* context,
                                                       const grpc::ByteBuffer* request, grpc::ByteBuffer* response) {
  return common::rpc::RunUnary<v1::WaitForCommitRequest, v1::WaitForCommitResponse>(
      context, request, response, wait_pool_, {},
      [this](const common::rpc::Call& call, const v1::WaitForCommitRequest& in,
             v1::WaitForCommitResponse& out) -> absl::Status {
        ASSIGN_OR_RETURN(const uint64_t seq, engine_.SeqOf("commit_token", in.commit_token()));
        ASSIGN_OR_RETURN(const Progress wanted, ProgressFromProto("stage", in.stage(), Progress::kVisible));
        const Progress reached =
            engine_.WaitFor(seq, wanted, call.deadline() - kAnswerTime, [&call] { return call.IsCancelled(); });
        out.set_reached(ToProto(reached));
        out.set_commit_token(engine_.TokenOf(engine_.visible_seq()));
        return absl::OkStatus();
      });
}

}  // namespace dateline::search
