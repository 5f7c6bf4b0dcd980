#include "search_service/ingest_handler.h"

#include <algorithm>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "google/protobuf/arena.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/wire_format_lite.h"
#include "grpcpp/support/proto_buffer_reader.h"

#include "common/error.h"
#include "common/rpc/item_error.h"
#include "common/rpc/message.h"
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
// What is kept back from the caller's deadline, and at most a quarter of the time, so that an answer that waited still
// arrives in time when the machine is busy.
constexpr absl::Duration kAnswerTime = absl::Milliseconds(250);
constexpr absl::Duration kRetryDelay = absl::Seconds(1);
constexpr size_t kFraming = 16;    // Of a message in an answer, and of the lengths around it.
constexpr int kItemsPerTurn = 32;  // Of a stream, while others wait for the pool.
constexpr absl::string_view kNoRoom = "article: left out, the answer has no room for it; read it with GetArticle";
constexpr absl::string_view kTooBusy = "article: left out, the server is busy; read it with GetArticle";

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
  // An article that is too large for the classifier's answer stays so.
  const bool exhausted = absl::IsResourceExhausted(error) && common::ReasonOf(error) != kReasonResponseTooLarge;
  const bool retry =
      exhausted || absl::IsUnavailable(error) || absl::IsDeadlineExceeded(error) || absl::IsCancelled(error);
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

// Gives back the bytes of a request that is parsed. They are gRPC's until the call ends, but nobody reads them again:
// many calls may wait, and need not hold 16 MB each.
void Drop(const grpc::ByteBuffer* request) { const_cast<grpc::ByteBuffer*>(request)->Clear(); }

absl::Status Overloaded() {
  return common::WithReason(common::ResourceExhausted("the server is busy: try again later", kRetryDelay),
                            "OVERLOADED");
}

// What the bytes of an item say of it without being parsed, as far as they make sense: an item that is no valid message
// is to be answered by its number all the same.
struct Glance {
  std::optional<int64_t> sequence;
  bool is_document = false;
};

Glance GlanceAt(grpc::ByteBuffer bytes) {
  using google::protobuf::internal::WireFormatLite;
  Glance glance;
  if (!bytes.Valid()) return glance;
  grpc::ProtoBufferReader reader(&bytes);
  if (!reader.status().ok()) return glance;
  google::protobuf::io::CodedInputStream input(&reader);
  constexpr uint32_t kTag =
      WireFormatLite::MakeTag(v1::StreamIngestRequest::kClientSequenceFieldNumber, WireFormatLite::WIRETYPE_VARINT);
  while (const uint32_t tag = input.ReadTag()) {
    uint64_t value = 0;
    if (tag == kTag) {
      if (!input.ReadVarint64(&value)) break;
      glance.sequence = static_cast<int64_t>(value);
      continue;
    }
    if (WireFormatLite::GetTagFieldNumber(tag) == v1::StreamIngestRequest::kDocumentFieldNumber) {
      glance.is_document = true;
    }
    if (!WireFormatLite::SkipField(&input, tag)) break;
  }
  return glance;
}

std::vector<std::string> Join(std::vector<std::string> first, std::vector<std::string> second) {
  first.insert(first.end(), std::make_move_iterator(second.begin()), std::make_move_iterator(second.end()));
  return first;
}

}  // namespace

// One stream. Items are taken in the order they came, on the ingest pool; answers leave in any order. Kept alive by
// itself until gRPC is done with it, and by each answer that is still to come.
class IngestStream final : public grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>,
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

  // In the place of Begin.
  void Refuse(const absl::Status& status) {
    self_ = shared_from_this();
    common::MutexLock lock(mutex_);
    EndWith(common::rpc::ToGrpcStatus(status));
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
    const Glance glance = GlanceAt(incoming_);
    if (absl::Status status = progress_.Receive(glance.sequence.value_or(0)); !status.ok()) {
      // No number, because the bytes are no message at all? Then that is what is wrong.
      v1::StreamIngestRequest request;
      absl::Status parsed = glance.sequence ? absl::OkStatus() : common::rpc::ParseMessage(incoming_, request);
      end_ = parsed.ok() ? std::move(status) : std::move(parsed);
      no_more_reads_ = true;
      Pump();
      return;
    }
    ++held_items_;
    held_bytes_ += incoming_.Length();
    waiting_.push_back({.sequence = *glance.sequence,
                        .is_document = glance.is_document,
                        .request = incoming_,
                        .bytes = incoming_.Length()});
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
    int64_t sequence = 0;
    bool is_document = false;
    grpc::ByteBuffer request;  // Parsed on the pool.
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

  // Has a pool take what is waiting, one task at a time so that the order stays.
  void Work() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (working_ || waiting_.empty()) return;
    working_ = Submit();
    if (working_) return;
    // No room: each is to be sent again.
    while (!waiting_.empty()) {
      AddAnswer(waiting_.front().sequence, waiting_.front().bytes, NotTaken(Overloaded()));
      waiting_.pop_front();
    }
  }

  // A turn on the pool for items of the next one's kind; false if that is full.
  bool Submit() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const bool documents = waiting_.front().is_document;
    common::WorkerPool& pool = documents ? handler_.document_pool_ : handler_.ingest_pool_;
    return pool.TrySubmit([self = shared_from_this(), documents] { self->TakeTurn(documents); });
  }

  // Takes some items, so that others have their turn too, however much this stream brings.
  void TakeTurn(bool documents) {
    const int turn = documents ? 1 : kItemsPerTurn;
    for (int taken = 0;; ++taken) {
      Item item;
      {
        common::MutexLock lock(mutex_);
        if (waiting_.empty() || broken_) {
          working_ = false;
          return;
        }
        const bool is_other = waiting_.front().is_document != documents;
        if ((is_other || taken >= turn) && Submit()) return;
        item = std::move(waiting_.front());
        waiting_.pop_front();
        // A pool that is full takes no turns, and this thread goes on; but it must not wait for the classifier unless
        // it is there to.
        if (item.is_document && !documents) {
          AddAnswer(item.sequence, item.bytes, NotTaken(Overloaded()));
          Pump();
          continue;
        }
      }
      Take(std::move(item));
    }
  }

  absl::StatusOr<Article> ArticleOf(const grpc::ByteBuffer& bytes, std::vector<std::string>& warnings) const {
    google::protobuf::Arena arena;
    auto& request = *google::protobuf::Arena::CreateMessage<v1::StreamIngestRequest>(&arena);
    RETURN_IF_ERROR(common::rpc::ParseMessage(bytes, request));
    if (request.has_article()) return handler_.ArticleOf(request.article());
    if (!request.has_document()) {
      return common::InvalidField("article", "is missing; send an article or a document");
    }
    return handler_.ArticleOf(request.document(), absl::Now() + handler_.options_.extract_timeout, warnings);
  }

  void Take(Item item) {
    std::vector<std::string> warnings;
    absl::StatusOr<Article> article = ArticleOf(item.request, warnings);
    item.request.Clear();
    if (!article.ok()) {
      common::MutexLock lock(mutex_);
      AddAnswer(item.sequence, item.bytes, NotTaken(std::move(article).status()));
      Pump();
      return;
    }
    engine_.Ingest(*std::move(article), {},
                   [self = shared_from_this(), sequence = item.sequence, bytes = item.bytes,
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
      const Answer answer = std::move(answers_.front());
      answers_.pop_front();
      Write(answer.response, 1, answer.bytes);
      return;
    }
    const StreamProgress::Watermark watermark = progress_.Advance(engine_.visible_seq());
    // Acknowledgements say themselves what is durable; the mark says it again when the stream comes to rest, and
    // whenever searches see more.
    if (watermark.visible_through != sent_.visible_through ||
        (watermark.durable_through != sent_.durable_through && progress_.all_answered())) {
      sent_ = watermark;
      v1::StreamIngestResponse response;
      response.mutable_watermark()->set_durable_through(watermark.durable_through);
      response.mutable_watermark()->set_visible_through(watermark.visible_through);
      Write(response, 0, 0);
      return;
    }
    if (no_more_reads_ && progress_.all_answered()) EndWith(common::rpc::ToGrpcStatus(end_));
  }

  // `items` and `bytes` are no longer held once this has left.
  void Write(const v1::StreamIngestResponse& response, int items, size_t bytes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    outgoing_.Clear();  // A buffer is written once.
    if (const absl::Status status = common::rpc::SerializeMessage(response, outgoing_); !status.ok()) {
      EndWith(common::rpc::ToGrpcStatus(status));
      return;
    }
    outgoing_items_ = items;
    outgoing_bytes_ = bytes;
    writing_ = true;
    StartWrite(&outgoing_);
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
  grpc::ByteBuffer incoming_;
  grpc::ByteBuffer outgoing_;
  int outgoing_items_ ABSL_GUARDED_BY(mutex_) = 0;
  size_t outgoing_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
};

// A unary call that may wait for the engine, and holds no thread while it does. Kept alive by itself until gRPC is done
// with it, and by whoever is to end it.
class WaitingCall final : public grpc::ServerUnaryReactor, public std::enable_shared_from_this<WaitingCall> {
 public:
  // `method`, for the log, must live as long as the process.
  WaitingCall(grpc::CallbackServerContext& context, Engine& engine, absl::string_view method)
      : context_(context),
        engine_(engine),
        method_(method),
        deadline_(common::rpc::CallDeadline(context, common::rpc::UnaryOptions().max_duration)) {}

  static std::shared_ptr<WaitingCall> Begin(grpc::CallbackServerContext& context, Engine& engine,
                                            absl::string_view method) {
    auto call = std::make_shared<WaitingCall>(context, engine, method);
    call->self_ = call;
    return call;
  }

  // For work: the caller's deadline, but for the time that the answer needs.
  absl::Time deadline() const { return deadline_ - std::min(kAnswerTime, (deadline_ - arrival_) / 4); }
  // As long as End was not called: whether anybody still waits for the answer.
  bool IsCancelled() const { return context_.IsCancelled(); }
  bool IsOverdue() const { return absl::Now() >= deadline_; }
  // The call's work begins now; for the log.
  void Start() { start_ = absl::Now(); }

  // Calls `then` with what was reached: as Engine::WaitAsync, and at once when the call is cancelled.
  absl::Status Wait(uint64_t seq, Progress wanted, std::function<void(Progress)> then) {
    // `then` may end the call before this returns.
    const std::shared_ptr<WaitingCall> alive = shared_from_this();
    ASSIGN_OR_RETURN(const int64_t wait, engine_.WaitAsync(seq, wanted, deadline(), std::move(then)));
    bool cancelled = false;
    {
      common::MutexLock lock(mutex_);
      wait_ = wait;
      cancelled = cancelled_;
    }
    if (cancelled) engine_.StopWaiting(wait);
    return absl::OkStatus();
  }

  void OnCancel() override {
    int64_t wait = 0;
    {
      common::MutexLock lock(mutex_);
      cancelled_ = true;
      wait = wait_;
    }
    engine_.StopWaiting(wait);
  }

  // Once.
  void End(const absl::Status& status) {
    const absl::Time now = absl::Now();
    common::rpc::LogCall(method_, status, start_ - arrival_, now - start_);
    Finish(common::rpc::ToGrpcStatus(status));
  }

  void OnDone() override {
    // May destroy this object.
    const std::shared_ptr<WaitingCall> last = std::move(self_);
  }

 private:
  grpc::CallbackServerContext& context_;
  Engine& engine_;
  const absl::string_view method_;
  const absl::Time deadline_;
  const absl::Time arrival_ = absl::Now();
  absl::Time start_ = arrival_;
  std::shared_ptr<WaitingCall> self_;

  common::Mutex mutex_;
  bool cancelled_ ABSL_GUARDED_BY(mutex_) = false;
  int64_t wait_ ABSL_GUARDED_BY(mutex_) = 0;
};

struct IngestHandler::Batch {
  std::shared_ptr<WaitingCall> call;
  const grpc::ByteBuffer* request_bytes = nullptr;
  grpc::ByteBuffer* response_bytes = nullptr;
  std::shared_ptr<void> admission;
  std::unique_ptr<google::protobuf::Arena> arena;
  v1::IngestArticlesRequest* request = nullptr;  // On the arena.
  std::map<int, absl::Status> broken;            // Items that could not be parsed, and stand empty.
  v1::IngestArticlesResponse response;
  apb::ArticleView view = apb::ARTICLE_VIEW_UNSPECIFIED;
  std::vector<int> stored;  // The results whose articles the answer shall show.
  Progress wanted = Progress::kDurable;
  uint64_t last_seq = 0;

  // What came is not needed any more.
  void Release() {
    arena.reset();
    Drop(request_bytes);
    admission.reset();
  }
  void Refuse(const absl::Status& status) {
    Release();
    call->End(status);
  }
  void Answer(Progress reached) {
    response.set_reached(ToProto(reached));
    call->End(common::rpc::SerializeMessage(response, *response_bytes));
  }
};

IngestHandler::IngestHandler(Engine& engine, DocumentExtractor* extractor, common::WorkerPool& ingest_pool,
                             common::WorkerPool& document_pool, const Options& options)
    : engine_(engine),
      extractor_(extractor),
      ingest_pool_(ingest_pool),
      document_pool_(document_pool),
      options_(options) {}

IngestHandler::~IngestHandler() = default;

void IngestHandler::DrainStreams() {
  engine_.StopAllWaiting();
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

grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* IngestHandler::StreamIngest(
    grpc::CallbackServerContext* /*context*/) {
  const auto stream = std::make_shared<IngestStream>(*this);
  bool draining = false;
  bool refused = false;
  {
    common::MutexLock lock(mutex_);
    draining = draining_;
    refused = streams_.size() >= static_cast<size_t>(options_.max_streams);
    if (!refused) streams_.push_back(stream);
  }
  if (refused) {
    stream->Refuse(Overloaded());
    return stream.get();
  }
  stream->Begin();
  if (draining) stream->DrainAndEnd();
  return stream.get();
}

grpc::ServerUnaryReactor* IngestHandler::IngestArticles(grpc::CallbackServerContext* context,
                                                        const grpc::ByteBuffer* request, grpc::ByteBuffer* response) {
  static const std::string& method =
      *new std::string(common::rpc::MethodNameOf(*v1::IngestArticlesRequest::descriptor()));
  const auto batch = std::make_shared<Batch>();
  batch->call = WaitingCall::Begin(*context, engine_, method);
  batch->request_bytes = request;
  batch->response_bytes = response;
  batch->admission = Admit(request->Length());
  const std::shared_ptr<WaitingCall> call = batch->call;
  const bool taken = batch->admission != nullptr && ingest_pool_.TrySubmit([this, batch] { BeginBatch(batch); });
  if (!taken) batch->Refuse(Overloaded());
  return call.get();
}

std::shared_ptr<void> IngestHandler::Admit(size_t bytes) {
  common::MutexLock lock(mutex_);
  // One alone is always let in.
  if (batch_bytes_ > 0 && batch_bytes_ + bytes > options_.max_batch_bytes) return nullptr;
  batch_bytes_ += bytes;
  return std::shared_ptr<void>(this, [this, bytes](void*) {
    common::MutexLock relock(mutex_);
    batch_bytes_ -= bytes;
  });
}

void IngestHandler::BeginBatch(const std::shared_ptr<Batch>& batch) {
  batch->call->Start();
  if (batch->call->IsCancelled()) {
    batch->Refuse(absl::CancelledError("the caller went away before the call had its turn"));
    return;
  }
  if (batch->call->IsOverdue()) {
    batch->Refuse(absl::DeadlineExceededError("the deadline passed before the call had its turn"));
    return;
  }
  batch->arena = std::make_unique<google::protobuf::Arena>();
  batch->request = google::protobuf::Arena::CreateMessage<v1::IngestArticlesRequest>(batch->arena.get());
  if (const absl::Status status =
          common::rpc::ParseBatch(*batch->request_bytes, "items", *batch->request, batch->broken);
      !status.ok()) {
    batch->Refuse(status);
    return;
  }
  const auto& items = batch->request->items();
  if (std::any_of(items.begin(), items.end(), [](const v1::IngestItem& item) { return item.has_document(); })) {
    if (!document_pool_.TrySubmit([this, batch] { RunBatch(batch); })) batch->Refuse(Overloaded());
    return;
  }
  RunBatch(batch);
}

void IngestHandler::RunBatch(const std::shared_ptr<Batch>& batch) {
  if (const absl::Status status = Ingest(*batch->request, batch->call->deadline(), *batch); !status.ok()) {
    batch->Refuse(status);
    return;
  }
  batch->Release();
  const Progress reached = batch->last_seq == 0 ? Progress::kLabelled : engine_.Reached(batch->last_seq);
  if (reached >= batch->wanted) {
    AddArticles(*batch);
    batch->Answer(reached);
    return;
  }
  const absl::Status waits = batch->call->Wait(batch->last_seq, batch->wanted, [this, batch](Progress come) {
    const bool shows = !batch->stored.empty() && !batch->call->IsCancelled();
    const bool submitted = shows && ingest_pool_.TrySubmit([this, batch, come] {
      AddArticles(*batch);
      batch->Answer(come);
    });
    if (submitted) return;
    for (const int index : batch->stored) {
      batch->response.mutable_results(index)->add_warnings(kTooBusy.data(), kTooBusy.size());
    }
    batch->Answer(come);
  });
  if (!waits.ok()) {
    // Too many wait. What became of the articles is not to be lost for that.
    AddArticles(*batch);
    batch->Answer(reached);
  }
}

void IngestHandler::AddArticles(Batch& batch) const {
  const std::shared_ptr<const Taxonomy> taxonomy = engine_.taxonomy();
  // Each result may come to need the warning; and `reached` is still to come.
  size_t used = batch.response.ByteSizeLong() + kFraming + batch.stored.size() * (kNoRoom.size() + kFraming);
  for (const int index : batch.stored) {
    v1::IngestResult& result = *batch.response.mutable_results(index);
    // It may have been deleted since; then there is nothing to show.
    const absl::StatusOr<Article> article = engine_.Get(result.id(), /*include_embargoed=*/true);
    if (!article.ok()) continue;
    apb::Article proto;
    ToProto(*article, {.view = batch.view, .display_language = "", .labels = {}}, *taxonomy, proto);
    const size_t bytes = proto.ByteSizeLong() + kFraming;
    if (used + bytes > common::rpc::kMaxResponseBytes) {
      result.add_warnings(kNoRoom.data(), kNoRoom.size());
      continue;
    }
    used += bytes;
    *result.mutable_article() = std::move(proto);
  }
}

absl::Status IngestHandler::Ingest(const v1::IngestArticlesRequest& request, absl::Time deadline, Batch& batch) {
  if (request.items_size() == 0 || request.items_size() > kMaxBatchItems) {
    return common::InvalidField(
        "items", absl::StrCat("holds ", request.items_size(), " items; 1 to ", kMaxBatchItems, " are taken"));
  }
  size_t bytes = 0;
  for (const v1::IngestItem& item : request.items()) {
    // As their own limits count them: the largest document that is taken alone is taken in a batch.
    bytes += item.has_document() ? item.document().content().size() : item.article().ByteSizeLong();
  }
  if (bytes > kMaxBatchBytes) {
    return common::WithReason(
        common::InvalidField("items", absl::StrCat("have ", bytes, " bytes together; at most ", kMaxBatchBytes)),
        "BATCH_TOO_LARGE");
  }
  ASSIGN_OR_RETURN(batch.wanted, ProgressFromProto("wait_for", request.wait_for(), Progress::kDurable));
  // Unspecified stays so: then no articles are returned.
  ASSIGN_OR_RETURN(batch.view, ViewFromProto(request.view(), apb::ARTICLE_VIEW_UNSPECIFIED));

  const auto results = std::make_shared<BatchResults>(static_cast<size_t>(request.items_size()));
  for (int i = 0; i < request.items_size(); ++i) {
    const v1::IngestItem& item = request.items(i);
    const size_t index = static_cast<size_t>(i);
    std::vector<std::string> warnings;
    absl::StatusOr<Article> article = common::InvalidField("article", "is missing; send an article or a document");
    if (const auto broken = batch.broken.find(i); broken != batch.broken.end()) {
      article = broken->second;
    } else if (item.has_article()) {
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

  for (IngestResult& result : done) {
    batch.last_seq = std::max(batch.last_seq, result.seq);
    if (result.seq != 0 && batch.view != apb::ARTICLE_VIEW_UNSPECIFIED) {
      batch.stored.push_back(batch.response.results_size());
    }
    ResultToProto(engine_, std::move(result), *batch.response.add_results());
  }
  batch.response.set_commit_token(engine_.TokenOf(batch.last_seq != 0 ? batch.last_seq : engine_.durable_seq()));
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

grpc::ServerUnaryReactor* IngestHandler::UpdateArticleLabels(grpc::CallbackServerContext* context,
                                                             const grpc::ByteBuffer* request,
                                                             grpc::ByteBuffer* response) {
  return common::rpc::RunUnary<v1::UpdateArticleLabelsRequest, v1::UpdateArticleLabelsResponse>(
      context, request, response, ingest_pool_, {},
      [this](const common::rpc::Call& /*call*/, const v1::UpdateArticleLabelsRequest& in,
             v1::UpdateArticleLabelsResponse& out) -> absl::Status {
        if (in.id().empty()) return common::InvalidField("id", "is missing; give the article's id or URL");
        ASSIGN_OR_RETURN(const LabelCorrection correction, FromProto(in));
        ASSIGN_OR_RETURN(const Article article, engine_.CorrectLabels(in.id(), correction));
        const ArticleFormat format = {.view = apb::ARTICLE_VIEW_SNIPPET, .display_language = "", .labels = {}};
        ToProto(article, format, *engine_.taxonomy(), *out.mutable_article());
        ToProto(article.replaced_dimensions, *out.mutable_replaced_dimensions());
        out.set_commit_token(engine_.TokenOf(article.seq));
        return absl::OkStatus();
      });
}

grpc::ServerUnaryReactor* IngestHandler::WaitForCommit(grpc::CallbackServerContext* context,
                                                       const grpc::ByteBuffer* request, grpc::ByteBuffer* response) {
  static const std::string& method =
      *new std::string(common::rpc::MethodNameOf(*v1::WaitForCommitRequest::descriptor()));
  const std::shared_ptr<WaitingCall> call = WaitingCall::Begin(*context, engine_, method);
  const absl::Status status = [&]() -> absl::Status {
    v1::WaitForCommitRequest parsed;
    RETURN_IF_ERROR(common::rpc::ParseMessage(*request, parsed));
    Drop(request);
    ASSIGN_OR_RETURN(const uint64_t seq, engine_.SeqOf("commit_token", parsed.commit_token()));
    ASSIGN_OR_RETURN(const Progress wanted, ProgressFromProto("stage", parsed.stage(), Progress::kVisible));
    return call->Wait(seq, wanted, [this, call, response](Progress reached) {
      v1::WaitForCommitResponse answer;
      answer.set_reached(ToProto(reached));
      answer.set_commit_token(engine_.TokenOf(engine_.visible_seq()));
      call->End(common::rpc::SerializeMessage(answer, *response));
    });
  }();
  if (!status.ok()) call->End(status);
  return call.get();
}

grpc::ServerUnaryReactor* IngestHandler::ListChanges(grpc::CallbackServerContext* context,
                                                     const grpc::ByteBuffer* request, grpc::ByteBuffer* response) {
  return common::rpc::RunUnary<v1::ListChangesRequest, v1::ListChangesResponse>(
      context, request, response, ingest_pool_, {},
      [this](const common::rpc::Call& call, const v1::ListChangesRequest& in,
             v1::ListChangesResponse& out) -> absl::Status {
        ASSIGN_OR_RETURN(ChangeQuery query, FromProto(in, engine_));
        query.deadline = call.deadline();
        query.cancelled = [&call] { return call.CallerLeft(); };
        ASSIGN_OR_RETURN(const ChangeList list, engine_.ListChanges(query));
        const std::shared_ptr<const Taxonomy> taxonomy = engine_.taxonomy();
        out.set_commit_token(engine_.TokenOf(list.log_seq));
        out.set_next_token(engine_.ChangesTokenOf(list.next));
        size_t used = out.ByteSizeLong() + kFraming;
        LogPlace place = query.since;
        for (const ArticleChange& change : list.changes) {
          v1::Change& proto = *out.add_changes();
          ToProto(change, query.view, *taxonomy, proto);
          size_t bytes = proto.ByteSizeLong() + kFraming;
          if (used + bytes > common::rpc::kMaxResponseBytes && out.changes_size() > 1) {
            out.mutable_changes()->RemoveLast();
            out.set_next_token(engine_.ChangesTokenOf(place));
            break;
          }
          if (used + bytes > common::rpc::kMaxResponseBytes) {
            // Alone it is too much: better less of it than none of what comes after it.
            proto.Clear();
            ToProto(change, View::kBasic, *taxonomy, proto);
            bytes = proto.ByteSizeLong() + kFraming;
          }
          used += bytes;
          place.seq = change.article.seq;
        }
        call.context().AddInitialMetadata("cache-control", "no-store");  // How far it comes depends on the time.
        return absl::OkStatus();
      });
}

}  // namespace dateline::search
