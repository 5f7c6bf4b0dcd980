#include "cli/ingest_session.h"

#include <algorithm>
#include <deque>
#include <map>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "grpcpp/channel.h"
#include "grpcpp/support/client_callback.h"

#include "common/mutex.h"
#include "common/rpc/status.h"
#include "dateline/search/v1/ingest_service.grpc.pb.h"

namespace dateline::cli {
namespace {

using search::v1::IngestAck;
using search::v1::IngestService;
using search::v1::StreamIngestRequest;
using search::v1::StreamIngestResponse;

// One stream goes on for as long as the run; the contract wants a deadline for every call, and a fresh stream now and
// then is cheap.
constexpr absl::Duration kStreamLife = absl::Hours(1);
// How often a wait for room asks whether it is still wanted.
constexpr absl::Duration kGlance = absl::Milliseconds(100);
// What a RETRY_LATER without a delay means.
constexpr absl::Duration kDefaultItemDelay = absl::Milliseconds(500);

// An article between Send() and its answer. The request lives here while gRPC reads it.
struct Item {
  Origin origin;
  StreamIngestRequest request;
  size_t bytes = 0;
  std::optional<absl::Time> first_refused;  // When the server first answered RETRY_LATER.
};

}  // namespace

class IngestSession::Impl {
 public:
  explicit Impl(Options options) : options_(std::move(options)), stub_(IngestService::NewStub(options_.channel)) {
    manager_ = std::thread([this] { Run(); });
  }

  ~Impl() {
    Abandon(absl::ZeroDuration());
    manager_.join();
  }

  bool Send(Origin origin, article::v1::Article article) {
    auto item = std::make_unique<Item>();
    item->origin = std::move(origin);
    *item->request.mutable_article() = std::move(article);
    item->bytes = item->request.ByteSizeLong();
    const common::MutexLock lock(mutex_);
    while (!over_ && !abandoned() && !HasRoom(item->bytes)) {
      if (options_.interrupted()) return false;
      changed_.WaitUntil(mutex_, absl::Now() + kGlance);
    }
    if (over_ || abandoned()) return false;
    if (window_items_ == 0) last_answer_ = absl::Now();  // From here on an answer is waited for.
    ++window_items_;
    window_bytes_ += item->bytes;
    outbox_.push_back(std::move(item));
    changed_.NotifyAll();
    WriteNext();
    return true;
  }

  void CloseSending() {
    const common::MutexLock lock(mutex_);
    sending_closed_ = true;
    changed_.NotifyAll();
  }

  std::optional<IngestAnswer> NextAnswer() {
    const common::MutexLock lock(mutex_);
    while (answers_.empty() && !over_) changed_.Wait(mutex_);
    if (answers_.empty()) return std::nullopt;
    IngestAnswer answer = std::move(answers_.front());
    answers_.pop_front();
    changed_.NotifyAll();
    return answer;
  }

  void Abandon(absl::Duration grace) {
    const common::MutexLock lock(mutex_);
    sending_closed_ = true;
    abandon_at_ = std::min(abandon_at_, absl::Now() + grace);
    changed_.NotifyAll();
  }

  absl::Status status() const {
    const common::MutexLock lock(mutex_);
    return failure_;
  }

  size_t unanswered() const {
    const common::MutexLock lock(mutex_);
    return window_items_;
  }

  bool all_visible() const {
    const common::MutexLock lock(mutex_);
    return all_visible_;
  }

  std::string last_commit_token() const {
    const common::MutexLock lock(mutex_);
    return last_commit_token_;
  }

 private:
  // One StreamIngest call. Its state beside the call itself is guarded by the session's mutex.
  class Stream final : public grpc::ClientBidiReactor<StreamIngestRequest, StreamIngestResponse> {
   public:
    Stream(Impl& session, IngestService::Stub& stub) : session_(session) {
      context_.set_deadline(absl::ToChronoTime(absl::Now() + kStreamLife));
      stub.async()->StreamIngest(&context_, this);
      // Writes are started by other threads: the hold keeps the call from being over in between.
      AddHold();
      StartRead(&response_);
      StartCall();
    }

    void Cancel() { context_.TryCancel(); }

   private:
    friend class Impl;

    void OnReadDone(bool ok) override {
      if (!ok) {
        session_.OnReadsEnded(*this);
        return;
      }
      session_.OnResponse(*this, response_);
      StartRead(&response_);
    }
    void OnWriteDone(bool ok) override { session_.OnWritten(*this, ok); }
    void OnDone(const grpc::Status& status) override { session_.OnDone(*this, status); }

    Impl& session_;
    grpc::ClientContext context_;
    StreamIngestResponse response_;

    // Guarded by session_.mutex_ (which the annotations cannot say).
    std::map<int64_t, std::unique_ptr<Item>> sent_;  // Unanswered, by client_sequence.
    int64_t last_sequence_ = 0;
    int64_t visible_through_ = 0;
    bool writing_ = false;  // One write at a time.
    bool closing_ = false;  // No more writes: WritesDone, or the stream has broken.
    // Answered before gRPC said that it is written: the request is kept until then.
    std::unique_ptr<Item> answered_early_;
    bool answered_ = false;  // Any item.
    bool held_ = true;
    bool done_ = false;
    grpc::Status status_;
  };

  bool HasRoom(size_t bytes) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    // Answers that nobody has taken yet fill the window, too. One article larger than the window goes alone.
    const size_t held = window_items_ + answers_.size();
    return held == 0 || (held < options_.max_items && window_bytes_ + bytes <= options_.max_bytes);
  }

  bool abandoned() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return absl::Now() >= abandon_at_; }

  // Starts the next write, if the stream is ready for one and there is something to write.
  void WriteNext() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (stream_ == nullptr || stream_->writing_ || stream_->closing_ || outbox_.empty()) return;
    std::unique_ptr<Item> item = std::move(outbox_.front());
    outbox_.pop_front();
    const int64_t sequence = ++stream_->last_sequence_;
    item->request.set_client_sequence(sequence);
    stream_->writing_ = true;
    const StreamIngestRequest* request = &item->request;
    stream_->sent_.emplace(sequence, std::move(item));
    stream_->StartWrite(request);
  }

  // No write will be started any more.
  void Release(Stream& stream) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    stream.closing_ = true;
    if (std::exchange(stream.held_, false)) stream.RemoveHold();
  }

  void OnWritten(Stream& stream, bool ok) {
    const common::MutexLock lock(mutex_);
    stream.writing_ = false;
    stream.answered_early_.reset();
    if (!ok) {
      Release(stream);
    } else {
      WriteNext();
    }
    changed_.NotifyAll();
  }

  void OnReadsEnded(Stream& stream) {
    const common::MutexLock lock(mutex_);
    Release(stream);
    changed_.NotifyAll();
  }

  void OnDone(Stream& stream, const grpc::Status& status) {
    const common::MutexLock lock(mutex_);
    stream.status_ = status;
    stream.done_ = true;
    // The last thing that happens to the stream: the manager destroys it once it has the mutex.
    changed_.NotifyAll();
  }

  void OnResponse(Stream& stream, const StreamIngestResponse& response) {
    const common::MutexLock lock(mutex_);
    if (response.has_watermark()) {
      stream.visible_through_ = std::max(stream.visible_through_, response.watermark().visible_through());
    } else if (response.has_ack()) {
      OnAck(stream, response.ack());
    }
    changed_.NotifyAll();
  }

  void OnAck(Stream& stream, const IngestAck& ack) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const auto found = stream.sent_.find(ack.client_sequence());
    if (found == stream.sent_.end()) return;  // Answered before.
    std::unique_ptr<Item> item = std::move(found->second);
    stream.sent_.erase(found);
    stream.answered_ = true;
    last_answer_ = absl::Now();
    if (ack.outcome() == search::v1::INGEST_OUTCOME_RETRY_LATER) {
      Postpone(*item, ack);
    } else {
      if (!ack.commit_token().empty()) last_commit_token_ = ack.commit_token();
      --window_items_;
      window_bytes_ -= item->bytes;
      answers_.push_back({item->origin, ack});
      // A copy: gRPC may still be reading the request.
      if (ack.outcome() == search::v1::INGEST_OUTCOME_REJECTED) answers_.back().rejected = item->request.article();
    }
    // gRPC may still be reading the request that was written last.
    if (stream.writing_ && ack.client_sequence() == stream.last_sequence_) stream.answered_early_ = std::move(item);
  }

  // The item is sent again when the server says, on this stream under a new number or on the next one.
  void Postpone(const Item& item, const IngestAck& ack) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const absl::Time now = absl::Now();
    auto again = std::make_unique<Item>(item);  // A copy: the original may be in gRPC's hands.
    if (!again->first_refused) again->first_refused = now;
    if (now >= *again->first_refused + options_.retry.give_up_after && fatal_.ok()) {
      fatal_ =
          absl::FailedPreconditionError(absl::StrCat("the server keeps putting articles off: ", ack.error().message()));
    }
    const absl::Duration asked =
        absl::Seconds(ack.error().retry_delay().seconds()) + absl::Nanoseconds(ack.error().retry_delay().nanos());
    delayed_.emplace(now + (asked > absl::ZeroDuration() ? asked : kDefaultItemDelay), std::move(again));
  }

  // The life of the session: a stream while there is something to send or to wait for, another after a break.
  void Run() {
    Backoff backoff(options_.retry, absl::Now());
    bool last_stream_answered = true;
    while (AwaitWork()) {
      // Only time in which something waited in vain counts towards giving up.
      if (last_stream_answered) backoff.Succeeded(absl::Now());
      absl::Status error = Serve(last_stream_answered);
      if (last_stream_answered) backoff.Succeeded(absl::Now());
      if (!HasUnanswered()) continue;
      if (error.ok()) error = absl::UnavailableError("the server ended the stream");
      std::optional<absl::Duration> delay;
      if (IsRetryableStream(error)) delay = backoff.NextDelay(error, absl::Now());
      error = Explain(options_.endpoint, error, options_.answer_timeout);
      if (!delay) {
        const common::MutexLock lock(mutex_);
        if (!abandoned()) failure_ = error;
        break;
      }
      if (options_.on_retry) options_.on_retry(error, *delay);
      const common::MutexLock lock(mutex_);
      const absl::Time again_at = absl::Now() + *delay;
      while (absl::Now() < again_at && !abandoned()) changed_.WaitUntil(mutex_, std::min(again_at, abandon_at_));
    }
    const common::MutexLock lock(mutex_);
    over_ = true;
    changed_.NotifyAll();
  }

  // Waits for something to send. False if there will be nothing any more.
  bool AwaitWork() {
    const common::MutexLock lock(mutex_);
    while (window_items_ == 0 && !sending_closed_ && !abandoned()) changed_.WaitUntil(mutex_, abandon_at_);
    return window_items_ > 0 && !abandoned();
  }

  bool HasUnanswered() const {
    const common::MutexLock lock(mutex_);
    return window_items_ > 0;
  }

  // Opens a stream, runs it to its end, and takes back what it did not answer. `answered`: whether it answered
  // anything.
  absl::Status Serve(bool& answered) {
    const common::MutexLock lock(mutex_);
    stream_ = std::make_unique<Stream>(*this, *stub_);
    last_answer_ = absl::Now();
    absl::Status verdict;  // Ours, if we end the stream.
    absl::Time all_answered_at = absl::InfiniteFuture();
    while (!stream_->done_) {
      const absl::Time now = absl::Now();
      while (!delayed_.empty() && delayed_.begin()->first <= now) {
        outbox_.push_back(std::move(delayed_.begin()->second));
        delayed_.erase(delayed_.begin());
      }
      WriteNext();
      absl::Time wake = delayed_.empty() ? abandon_at_ : std::min(abandon_at_, delayed_.begin()->first);
      if (!fatal_.ok()) verdict = fatal_;
      if (!stream_->sent_.empty()) {
        const absl::Time silent_at = last_answer_ + options_.answer_timeout;
        if (now >= silent_at) verdict = absl::DeadlineExceededError("nothing was answered");
        wake = std::min(wake, silent_at);
      }
      if (window_items_ == 0 && sending_closed_) {
        all_answered_at = std::min(all_answered_at, now);
        wake = std::min(wake, Finish(all_answered_at, now, verdict));
      }
      if (abandoned()) verdict = absl::CancelledError("interrupted");
      if (!verdict.ok()) {
        stream_->Cancel();
        Release(*stream_);
        wake = absl::InfiniteFuture();
      }
      changed_.WaitUntil(mutex_, wake);
    }
    absl::Status status = verdict.ok() ? common::rpc::FromGrpcStatus(stream_->status_) : verdict;
    answered = stream_->answered_;
    // What was sent first is sent first again.
    for (auto item = stream_->sent_.rbegin(); item != stream_->sent_.rend(); ++item) {
      outbox_.push_front(std::move(item->second));
    }
    stream_.reset();
    return status;
  }

  // Everything is answered: waits for it to be visible, as long as the options say, then ends the stream. Returns when
  // to look again.
  absl::Time Finish(absl::Time all_answered_at, absl::Time now, absl::Status& verdict)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    all_visible_ = stream_->visible_through_ >= stream_->last_sequence_;
    const absl::Time patience_ends = all_answered_at + options_.visible_patience;
    if (!stream_->closing_) {
      if (!all_visible_ && now < patience_ends) return patience_ends;
      if (stream_->writing_) return absl::InfiniteFuture();  // OnWritten() wakes us.
      stream_->StartWritesDone();
      Release(*stream_);
    }
    // The server knows that it is over; one that doesn't end the stream is not waited for.
    const absl::Time end = patience_ends + options_.answer_timeout;
    if (now >= end) verdict = absl::DeadlineExceededError("the server does not end the stream");
    return end;
  }

  const Options options_;
  const std::unique_ptr<IngestService::Stub> stub_;
  std::thread manager_;

  mutable common::Mutex mutex_;
  common::CondVar changed_;
  // Every unanswered article is in exactly one of: outbox_, delayed_, stream_->sent_.
  size_t window_items_ ABSL_GUARDED_BY(mutex_) = 0;
  size_t window_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  std::deque<std::unique_ptr<Item>> outbox_ ABSL_GUARDED_BY(mutex_);
  std::multimap<absl::Time, std::unique_ptr<Item>> delayed_ ABSL_GUARDED_BY(mutex_);  // By when to send them.
  std::unique_ptr<Stream> stream_ ABSL_GUARDED_BY(mutex_);
  std::deque<IngestAnswer> answers_ ABSL_GUARDED_BY(mutex_);
  bool sending_closed_ ABSL_GUARDED_BY(mutex_) = false;
  bool over_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Time abandon_at_ ABSL_GUARDED_BY(mutex_) = absl::InfiniteFuture();
  absl::Time last_answer_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
  bool all_visible_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status fatal_ ABSL_GUARDED_BY(mutex_);  // The server refuses an item for too long.
  absl::Status failure_ ABSL_GUARDED_BY(mutex_);
  std::string last_commit_token_ ABSL_GUARDED_BY(mutex_);
};

IngestSession::IngestSession(Options options) : impl_(std::make_unique<Impl>(std::move(options))) {}
IngestSession::~IngestSession() = default;

bool IngestSession::Send(Origin origin, article::v1::Article article) {
  return impl_->Send(std::move(origin), std::move(article));
}
void IngestSession::CloseSending() { impl_->CloseSending(); }
std::optional<IngestAnswer> IngestSession::NextAnswer() { return impl_->NextAnswer(); }
void IngestSession::Abandon(absl::Duration grace) { impl_->Abandon(grace); }
absl::Status IngestSession::status() const { return impl_->status(); }
size_t IngestSession::unanswered() const { return impl_->unanswered(); }
bool IngestSession::all_visible() const { return impl_->all_visible(); }
std::string IngestSession::last_commit_token() const { return impl_->last_commit_token(); }

}  // namespace dateline::cli
