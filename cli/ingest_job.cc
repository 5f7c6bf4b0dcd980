#include "cli/ingest_job.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <functional>
#include <future>
#include <system_error>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"

#include "cli/article_check.h"
#include "cli/interrupt.h"
#include "cli/json_output.h"
#include "cli/output.pb.h"
#include "cli/progress.h"
#include "common/error.h"
#include "common/mutex.h"
#include "common/printable.h"
#include "common/rpc/item_error.h"
#include "common/status_macros.h"
#include "common/url.h"
#include "extraction/extraction_proto.h"

namespace dateline::cli {
namespace {

namespace spb = search::v1;

// The contract's limit on one article, serialised.
constexpr size_t kMaxArticleBytes = 2'000'000;
// The contract's reasons for what will never be taken: a takedown, and what is older than the service keeps.
constexpr absl::string_view kReasonPurged = "PURGED";
constexpr absl::string_view kReasonTooOld = "TOO_OLD";
// After Ctrl-C: how long the answers to what was sent are waited for.
constexpr absl::Duration kInterruptGrace = absl::Seconds(5);
// How often waits look up to see whether the user pressed Ctrl-C.
constexpr std::chrono::milliseconds kGlance(100);
// With --watch: a file that changed so shortly ago may not be whole yet.
constexpr absl::Duration kSettling = absl::Seconds(2);
// With --watch: between two looks whether a service is back that was away at the start.
constexpr absl::Duration kAwayPause = absl::Seconds(1);

size_t HashOf(const std::string& text) { return std::hash<std::string>()(text); }

IngestLine LineOf(const Origin& origin) {
  IngestLine line;
  line.set_source(common::Printable(origin.source));
  line.set_position(origin.position);
  line.set_title(origin.title);
  for (const std::string& warning : origin.warnings) line.add_warnings(warning);
  return line;
}

IngestLine LineOf(const IngestAnswer& answer) {
  IngestLine line = LineOf(answer.origin);
  line.set_id(answer.ack.id());
  line.set_outcome(answer.ack.outcome());
  if (answer.ack.has_error()) *line.mutable_error() = answer.ack.error();
  line.set_commit_token(answer.ack.commit_token());
  line.mutable_warnings()->MergeFrom(answer.ack.warnings());
  line.set_duplicate_of(answer.ack.duplicate_of());
  return line;
}

absl::Status ReportError(const std::string& path) {
  return absl::FailedPreconditionError(absl::StrCat("--report ", path, ": cannot be written: ", std::strerror(errno)));
}

absl::Status WriteFile(const std::string& path, const std::string& text) {
  std::FILE* const file = std::fopen(path.c_str(), "w");
  const bool written = file != nullptr && std::fwrite(text.data(), 1, text.size(), file) == text.size();
  const bool closed = file != nullptr && std::fclose(file) == 0;
  return written && closed ? absl::OkStatus() : ReportError(path);
}

// Writes the report beside its place first, so that whoever waits for it never sees half of it. What is no file (a
// pipe, /dev/stderr) is written to and stays what it is; a link leads to what is replaced.
absl::Status WriteReport(const std::string& path, const std::string& json) {
  struct stat about = {};
  const bool is_there = stat(path.c_str(), &about) == 0;
  if (is_there && !S_ISREG(about.st_mode)) return WriteFile(path, json);
  std::error_code error;
  const std::string place = is_there ? std::filesystem::canonical(path, error).string() : path;
  if (error) return absl::FailedPreconditionError(absl::StrCat("--report ", path, ": ", error.message()));
  const std::string partial = place + ".partial";
  RETURN_IF_ERROR(WriteFile(partial, json));
  return std::rename(partial.c_str(), place.c_str()) == 0 ? absl::OkStatus() : ReportError(path);
}

// Whether a report can be written, before anything is done. Leaves an empty one.
absl::Status PrepareReport(const std::string& path) {
  struct stat about = {};
  if (stat(path.c_str(), &about) == 0 && !S_ISREG(about.st_mode)) {
    if (S_ISDIR(about.st_mode)) {
      return absl::InvalidArgumentError(absl::StrCat("--report ", path, ": is a folder; name a file in it"));
    }
    return access(path.c_str(), W_OK) == 0 ? absl::OkStatus() : ReportError(path);
  }
  return WriteReport(path, "{}\n");
}

// "--map, --follow": the flags in which the two differ.
std::string DifferingFlags(const Checkpoint::Settings& one, const Checkpoint::Settings& other) {
  std::vector<std::string> flags;
  for (const auto& [flag, value] : other) {
    const auto found = one.find(flag);
    if (found == one.end() || found->second != value) flags.push_back(flag);
  }
  return absl::StrJoin(flags, ", ");
}

// What an article is known by, as the service sees it.
size_t NameHash(const article::v1::Article& article) {
  if (!article.id().empty()) return HashOf(absl::StrCat("id ", article.id()));
  const absl::StatusOr<std::string> url = common::CanonicalUrl(article.url());
  return HashOf(url.ok() ? *url : absl::StrCat("text ", article.title(), "\n", article.body()));
}

// Of all that is in it.
size_t ContentHash(const article::v1::Article& article) {
  std::string bytes;
  {
    google::protobuf::io::StringOutputStream stream(&bytes);
    google::protobuf::io::CodedOutputStream coded(&stream);
    coded.SetSerializationDeterministic(true);  // Attributes are a map.
    article.SerializeToCodedStream(&coded);
  }
  return HashOf(bytes);
}

}  // namespace

// Where results go: lines on standard output, the bar on standard error, counts into the report, what was rejected into
// its file. Thread-safe.
class IngestJob::Results {
 public:
  Results(const Context& context, const IngestFlags& flags, RejectedFile* rejected_file)
      : context_(context),
        shown_(flags.results),
        verbose_(flags.verbose),
        rejected_file_(rejected_file),
        report_(absl::Now()),
        bar_(STDERR_FILENO, context.stderr_is_terminal && !context.quiet, context.error_style.columns) {}

  // `cuts_off`: as in InputItem. Of what was rejected `article`, as far as it could be read, or else its `text`.
  void Add(const IngestLine& line, bool cuts_off = false, const article::v1::Article* article = nullptr,
           const std::string& text = "") {
    const bool rejected = line.outcome() == spb::INGEST_OUTCOME_REJECTED;
    if (rejected && rejected_file_ != nullptr) rejected_file_->Add(line, article, text);
    const common::MutexLock lock(mutex_);
    away_ = false;
    report_.Add(line, cuts_off);
    progress_.items = report_.total();
    progress_.rejected = report_.rejected();
    if (shown_ == ResultsShown::kAll || (shown_ == ResultsShown::kRejected && rejected)) {
      Print(FormatIngestLine(line, verbose_, context_.style), line);
    }
    bar_.Show(progress_);
  }

  void AddGone(const std::string& url) {
    const common::MutexLock lock(mutex_);
    report_.AddGone(common::Printable(url));
  }

  void Add(const DeletionLine& line) {
    const common::MutexLock lock(mutex_);
    if (shown_ == ResultsShown::kAll) Print(FormatDeletion(line.deletion(), context_.style), line);
  }

  void Read(int64_t bytes, std::optional<int64_t> total_bytes) {
    const common::MutexLock lock(mutex_);
    progress_.bytes = bytes;
    progress_.total_bytes = total_bytes;
    bar_.Show(progress_);
  }

  void Note(absl::string_view text) {
    if (context_.quiet) return;
    const common::MutexLock lock(mutex_);
    bar_.Clear();
    PrintError(context_, text);
  }

  // That the service is away; whoever waits for it however long (`patient`) is told once.
  void Retry(const absl::Status& error, absl::Duration delay, bool patient) {
    {
      const common::MutexLock lock(mutex_);
      if (std::exchange(away_, true) && patient) return;
    }
    Note(absl::StrCat(error.message(), "; trying again in ",
                      absl::FormatDuration(absl::Trunc(delay, absl::Milliseconds(1)))));
  }

  void EndRound() {
    const common::MutexLock lock(mutex_);
    bar_.Clear();
    report_.NextRound();
  }

  // As it is now. Nothing is shown any more until something is added.
  RunReport Report() {
    const common::MutexLock lock(mutex_);
    bar_.Clear();
    return report_;
  }

 private:
  void Print(const std::string& text, const google::protobuf::Message& message) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (context_.output == OutputFormat::kText) {
      bar_.Clear();
      cli::Print(text);
    } else if (context_.output == OutputFormat::kJsonLines) {
      PrintJson(ToJson(message, JsonLayout::kLine, JsonFields::kAll));
    }
    // Whoever reads the other end of a pipe may wait for this line.
    std::fflush(stdout);
  }

  const Context& context_;
  const ResultsShown shown_;
  const bool verbose_;
  RejectedFile* const rejected_file_;
  common::Mutex mutex_;
  RunReport report_ ABSL_GUARDED_BY(mutex_);
  Progress progress_ ABSL_GUARDED_BY(mutex_);
  ProgressBar bar_ ABSL_GUARDED_BY(mutex_);
  bool away_ ABSL_GUARDED_BY(mutex_) = false;
};

// What this run has sent, and what the service has: so that a summary is never sent in the place of a fuller text. For
// one thread.
class IngestJob::FullerTexts {
 public:
  // Without the service, what is stored is not known. One that is away is waited for as long as `patience` says.
  FullerTexts(const Context& context, bool ask_service, absl::Duration patience)
      : context_(context), ask_service_(ask_service), patience_(patience) {}

  void Sent(const extraction::Article& article) {
    const size_t size = article.body.size();
    for (const std::string& url : UrlsOf(article)) {
      size_t& known = sent_[std::hash<std::string>()(url)];
      known = std::max(known, size);
    }
  }

  // The id, empty if it isn't known, of an article with the same address and a longer text; nullopt if there is none.
  std::optional<std::string> Find(const extraction::Article& article) {
    for (const std::string& url : UrlsOf(article)) {
      const auto sent = sent_.find(std::hash<std::string>()(url));
      if (sent != sent_.end() && sent->second > article.body.size()) return article.id;
    }
    if (!ask_service_ || (article.url.empty() && article.id.empty())) return std::nullopt;
    if (!client_) {
      absl::StatusOr<SearchClient> client = SearchClient::Connect(context_.search, context_.call_options());
      if (!client.ok()) return std::nullopt;
      client_ = *std::move(client);
    }
    spb::GetArticleRequest request;
    request.set_id(article.url.empty() ? article.id : article.url);
    absl::StatusOr<spb::GetArticleResponse> stored = client_->GetArticle(request);
    const absl::Time give_up = absl::Now() + patience_;
    while (absl::IsUnavailable(stored.status()) && absl::Now() < give_up && SleepUnlessInterrupted(absl::Seconds(1))) {
      stored = client_->GetArticle(request);
    }
    if (!stored.ok() || stored->article().body().size() <= article.body.size()) return std::nullopt;
    return stored->article().id();
  }

 private:
  static std::vector<std::string> UrlsOf(const extraction::Article& article) {
    std::vector<std::string> urls;
    for (const std::string& url : article.alternate_urls) {
      if (absl::StatusOr<std::string> canonical = common::CanonicalUrl(url); canonical.ok()) urls.push_back(*canonical);
    }
    if (absl::StatusOr<std::string> canonical = common::CanonicalUrl(article.url); canonical.ok()) {
      urls.push_back(*canonical);
    }
    return urls;
  }

  const Context& context_;
  const bool ask_service_;
  const absl::Duration patience_;
  std::optional<SearchClient> client_;
  std::unordered_map<size_t, size_t> sent_;  // Bytes of text by the hash of the address.
};

// What the rounds before have taken and rejected, so that a round sends and says only what is new. Thread-safe.
class IngestJob::Memory {
 public:
  bool HasTaken(size_t name_hash, size_t content_hash) const {
    const common::MutexLock lock(mutex_);
    const auto found = taken_.find(name_hash);
    return found != taken_.end() && found->second == content_hash;
  }
  void Take(size_t name_hash, size_t content_hash) {
    const common::MutexLock lock(mutex_);
    fresh_taken_.insert_or_assign(name_hash, content_hash);
  }

  // Whether a round before has rejected the same for the same reason. Remembers it for those to come. In a file each
  // place counts; a feed's entries move on.
  bool HasRejected(const IngestLine& line, bool is_of_file) {
    const size_t hash = HashOf(absl::StrCat(line.source(), "\n", is_of_file ? line.position() : "", "\n", line.id(),
                                            "\n", line.error().reason(), "\n", line.error().message()));
    const common::MutexLock lock(mutex_);
    fresh_rejected_.insert(hash);
    return rejected_.count(hash) > 0;
  }

  void EndRound() {
    const common::MutexLock lock(mutex_);
    for (const auto& [name, content] : fresh_taken_) taken_.insert_or_assign(name, content);
    fresh_taken_.clear();
    rejected_.merge(fresh_rejected_);
    fresh_rejected_.clear();
  }

 private:
  mutable common::Mutex mutex_;
  std::unordered_map<size_t, size_t> taken_ ABSL_GUARDED_BY(mutex_);  // Content by name.
  std::unordered_map<size_t, size_t> fresh_taken_ ABSL_GUARDED_BY(mutex_);
  std::unordered_set<size_t> rejected_ ABSL_GUARDED_BY(mutex_);
  std::unordered_set<size_t> fresh_rejected_ ABSL_GUARDED_BY(mutex_);
};

struct IngestJob::Running {
  explicit Running(IngestSession::Options options) : session(std::move(options)) {}
  IngestSession session;
  std::future<void> answered;  // Ends before the session does.
};

IngestJob::IngestJob(const Context& context, const IngestFlags& flags, Inventory* inventory)
    : context_(context), flags_(flags), inventory_(inventory) {}
IngestJob::~IngestJob() = default;

absl::Status IngestJob::OpenFiles() {
  const auto with_flag = [](const char* flag, const absl::Status& status) {
    return absl::Status(status.code(), absl::StrCat(flag, " ", status.message()));
  };
  if (!flags_.fetch_state.empty()) {
    absl::StatusOr<FetchState> loaded = FetchState::Load(flags_.fetch_state);
    // Written once before anything is done: that it can't be is better known now.
    const absl::Status usable = loaded.ok() && !flags_.dry_run ? loaded->Save() : loaded.status();
    if (!usable.ok()) return with_flag("--fetch_state", usable);
    fetch_state_ = *std::move(loaded);
  } else if (flags_.watch) {
    fetch_state_ = FetchState::InMemory();
  }
  if (!flags_.checkpoint.empty()) {
    absl::StatusOr<std::unique_ptr<Checkpoint>> loaded =
        Checkpoint::Load(flags_.checkpoint, flags_.dry_run ? Checkpoint::Access::kRead : Checkpoint::Access::kWrite);
    if (!loaded.ok()) return with_flag("--checkpoint", loaded.status());
    checkpoint_ = *std::move(loaded);
  }
  if (!flags_.rejected.empty()) {
    absl::StatusOr<std::unique_ptr<RejectedFile>> opened = RejectedFile::Open(flags_.rejected, flags_.places);
    if (!opened.ok()) return with_flag("--rejected", opened.status());
    rejected_file_ = *std::move(opened);
  }
  return absl::OkStatus();
}

absl::Status IngestJob::CoverCheckpoint() {
  ASSIGN_OR_RETURN(const SearchClient client, SearchClient::Connect(context_.search, context_.call_options()));
  ASSIGN_OR_RETURN(const spb::GetIndexInfoResponse info, client.GetIndexInfo({}));
  checkpoint_->SetCollection(info.durable_commit_token());
  return absl::OkStatus();
}

absl::Status IngestJob::AskForAllOf(const std::string& commit_token) const {
  ASSIGN_OR_RETURN(const SearchClient client, SearchClient::Connect(context_.search, context_.call_options()));
  spb::WaitForCommitRequest request;
  request.set_commit_token(commit_token);
  request.set_stage(spb::COMMIT_STAGE_DURABLE);
  return client.WaitForCommit(request, context_.timeout).status();
}

absl::Status IngestJob::BindCheckpoint() {
  if (checkpoint_ == nullptr) return absl::OkStatus();
  // Who watches waits for a service that is away.
  const auto patiently = [this](const std::function<absl::Status()>& ask) {
    absl::Status answer = ask();
    while (absl::IsUnavailable(answer) && flags_.watch) {
      results_->Retry(answer, kAwayPause, /*patient=*/true);
      if (!SleepUnlessInterrupted(kAwayPause)) return absl::OkStatus();
      answer = ask();
    }
    return answer;
  };
  const Checkpoint::Settings settings = SettingsOf(flags_.input);
  std::string why;
  if (checkpoint_->collection().empty()) {
    why = "does not say of which collection it is";
  } else if (const std::string others = DifferingFlags(checkpoint_->settings(), settings); !others.empty()) {
    why = absl::StrCat("was kept with another ", others);
  } else if (!flags_.dry_run) {
    absl::Status answer = patiently([&] { return AskForAllOf(checkpoint_->collection()); });
    if (absl::IsFailedPrecondition(answer) || absl::IsInvalidArgument(answer)) {
      // Of another log, of more than there is of this one, or of a build that wrote tokens in another way.
      why = "is of another collection than the service has, or of a later state of it";
    } else if (!answer.ok()) {
      return answer;
    }
  }
  if (!checkpoint_->empty()) {
    if (!why.empty()) {
      Note(absl::StrCat("--checkpoint ", flags_.checkpoint, ": ", why, ", so that all files are taken again"));
    } else if (flags_.dry_run) {
      Note(absl::StrCat("--checkpoint ", flags_.checkpoint,
                        ": a dry run asks no service, and does not know whether it is of the collection there"));
    }
  }
  if (Interrupted()) return absl::OkStatus();
  if (!why.empty()) RETURN_IF_ERROR(checkpoint_->StartAnew(settings));
  return flags_.dry_run ? absl::OkStatus() : patiently([this] { return CoverCheckpoint(); });
}

// The end of a job that could not begin. The report, which is known to be writable, says so as well.
ExitCode IngestJob::FailBeforeStart(const absl::Status& status) {
  const ExitCode exit_code = cli::Fail(context_, status);
  if (flags_.report.empty()) return exit_code;
  const absl::Time now = absl::Now();
  const std::string json = RunReport(now).Json({.time = now, .exit_code = exit_code, .error = DescribeError(status)});
  if (const absl::Status written = WriteReport(flags_.report, json); !written.ok()) {
    PrintError(context_, written.message());
  }
  return exit_code;
}

std::optional<ExitCode> IngestJob::Begin() {
  InstallInterruptHandler();
  if (const absl::Status status = CheckUrlIsOfOne(flags_.places, flags_.input); !status.ok()) {
    return cli::Fail(context_, status);
  }
  NoteTypedInput(context_, flags_.places);
  const absl::StatusOr<RejectLimit> limit = RejectLimit::Parse(flags_.max_rejects);
  if (!limit.ok()) {
    PrintError(context_, absl::StrCat("--max_rejects: ", flags_.max_rejects, " ", limit.status().message()));
    return kExitUsage;
  }
  limit_ = *limit;
  if (!flags_.report.empty()) {
    if (const absl::Status status = PrepareReport(flags_.report); !status.ok()) return cli::Fail(context_, status);
  }
  if (!flags_.dry_run || inventory_ != nullptr) {
    absl::StatusOr<std::shared_ptr<grpc::Channel>> channel = Dial(context_.search);
    if (!channel.ok()) return FailBeforeStart(channel.status());
    channel_ = *std::move(channel);
    // A server that isn't there is said at once; one that goes away in the middle of the run is waited for.
    const absl::Status health = CheckHealth(context_.search, "", context_.timeout);
    if (absl::IsUnavailable(health) && !flags_.watch) return FailBeforeStart(health);
  }
  if (const absl::Status status = OpenFiles(); !status.ok()) return FailBeforeStart(status);
  if (rejected_file_ != nullptr) rejected_file_->Clear();
  results_ = std::make_unique<Results>(context_, flags_, rejected_file_.get());
  texts_ = std::make_unique<FullerTexts>(context_, !flags_.dry_run,
                                         flags_.watch ? absl::InfiniteDuration() : flags_.retry_for);
  if (flags_.watch) memory_ = std::make_unique<Memory>();
  if (const absl::Status status = BindCheckpoint(); !status.ok()) return FailBeforeStart(status);
  return std::nullopt;
}

void IngestJob::RunRound() {
  InputOptions input = flags_.input;
  if (fetch_state_) input.fetch_state = &*fetch_state_;
  input.is_stored = is_stored_;
  input.checkpoint = checkpoint_.get();
  input.inventory = inventory_;
  if (flags_.watch) {
    input.read_before = &read_before_;
    input.settling = kSettling;
  }
  reader_.emplace(flags_.places, std::move(input));
  while (std::optional<InputItem> item = reader_->Next()) {
    if (!Take(*std::move(item))) break;
    results_->Read(reader_->bytes_read(), reader_->total_bytes());
  }
  CloseSession();
  unchanged_inputs_ += reader_->unchanged() + reader_->unchanged_files();
  answered_before_ += reader_->answered_before();
  // Each round passes over the same files.
  skipped_files_ = std::max(skipped_files_, reader_->skipped_files());
  bytes_read_ += reader_->bytes_read();
  if (!flags_.watch && reader_->unchanged() > 0) {
    Note(absl::StrCat(reader_->unchanged(),
                      reader_->unchanged() == 1 ? " page or source has" : " pages and sources have",
                      " not changed since they were fetched last"));
  }
  if (reader_->unchanged_files() > 0) {
    Note(absl::StrCat(reader_->unchanged_files(), reader_->unchanged_files() == 1
                                                      ? " file has not changed since all in it was taken"
                                                      : " files have not changed since all in them was taken"));
  }
  if (reader_->answered_before() > 0) {
    Note(absl::StrCat(reader_->answered_before(), reader_->answered_before() == 1 ? " article was" : " articles were",
                      " answered in an earlier run"));
  }
  for (const std::string& note : reader_->Notes()) Note(note);
  // That its article is not stored must not make a page be fetched each time.
  for (const std::string& url : std::exchange(refused_pages_, {})) {
    FetchState::Entry entry = fetch_state_->Find(url);
    entry.refused = true;
    fetch_state_->Remember(url, std::move(entry));
  }
  if (refused_unsaid_ > 0) {
    Note(absl::StrCat(refused_unsaid_,
                      refused_unsaid_ == 1 ? " article stays away: it was" : " articles stay away: they were",
                      " purged, or published longer ago than the service keeps them"));
    unchanged_inputs_ += std::exchange(refused_unsaid_, 0);
  }
  // Only once all that was fetched is also taken: what is remembered is not fetched again.
  SaveFetchState();
  if (checkpoint_ != nullptr) {
    // Answers come in any order. If it can't be asked, the token of the last of them stands.
    if (!flags_.dry_run && !Interrupted()) CoverCheckpoint().IgnoreError();
    if (const absl::Status written = checkpoint_->Flush(); !written.ok()) {
      Note(absl::StrCat("--checkpoint ", written.message(), "; the next run will send again what this one sends now"));
    }
  }
  if (memory_ != nullptr) {
    memory_->EndRound();
    results_->EndRound();
  }
}

void IngestJob::SaveFetchState() {
  if (!fetch_state_ || !failure_.ok() || Interrupted() || flags_.dry_run) return;
  if (const absl::Status saved = fetch_state_->Save(); !saved.ok()) {
    Note(absl::StrCat("--fetch_state ", saved.message(), "; the next run will fetch everything again"));
  }
}

bool IngestJob::Take(InputItem item) {
  if (!item.gone.empty() && inventory_ != nullptr) {
    results_->AddGone(item.gone);
    return true;
  }
  Origin origin{.source = item.source, .position = item.position, .title = "", .warnings = {}};
  origin.file = item.file;
  origin.number = item.number;
  origin.unfinished = item.unfinished;
  origin.state_url = item.state_url;
  origin.missed = item.missed;
  if (!item.extraction.ok()) {
    Reject(item, origin, item.extraction.status());
    return true;
  }
  origin.title = item.extraction->article.title;
  origin.warnings = std::move(item.extraction->warnings);
  article::v1::Article article = extraction::ToProto(item.extraction->article);
  const auto done = [&] {
    if (checkpoint_ != nullptr) checkpoint_->Answered(item.file, item.number, !item.unfinished);
  };
  if (memory_ != nullptr) {
    origin.name_hash = NameHash(article);
    origin.content_hash = ContentHash(article);
    if (memory_->HasTaken(origin.name_hash, origin.content_hash)) {
      done();
      return true;
    }
  }
  if (item.summary_only) {
    if (const std::optional<std::string> fuller = texts_->Find(item.extraction->article)) {
      origin.warnings.emplace_back("body: a summary or beginning only; the fuller text that came before was kept");
      IngestLine line = LineOf(origin);
      if (!fuller->empty()) line.set_id(*fuller);
      line.set_outcome(spb::INGEST_OUTCOME_UNCHANGED);
      if (inventory_ != nullptr) inventory_->AddId(*fuller);
      if (memory_ != nullptr) memory_->Take(origin.name_hash, origin.content_hash);
      done();
      results_->Add(line);
      return true;
    }
  } else {
    texts_->Sent(item.extraction->article);
  }
  if (const size_t bytes = article.ByteSizeLong(); bytes > kMaxArticleBytes) {
    const absl::Status error = absl::InvalidArgumentError(
        absl::StrCat("the article has ", bytes, " bytes; at most ", kMaxArticleBytes, " are taken"));
    Reject(item, origin, common::WithReason(error, "ARTICLE_TOO_LARGE"), &article);
    return true;
  }
  if (!flags_.dry_run) return Send(std::move(origin), std::move(article));
  const absl::StatusOr<std::vector<std::string>> warnings = CheckArticle(article, absl::Now());
  if (!warnings.ok()) {
    Reject(item, origin, warnings.status(), &article);
    return true;
  }
  origin.warnings.insert(origin.warnings.end(), warnings->begin(), warnings->end());
  IngestLine line = LineOf(origin);
  line.set_id(article.id().empty() ? article.url() : article.id());
  line.set_would_be_sent(true);
  results_->Add(line);
  return !Interrupted();
}

void IngestJob::Reject(const InputItem& item, const Origin& origin, const absl::Status& error,
                       const article::v1::Article* article) {
  IngestLine line = LineOf(origin);
  line.set_id(item.id);
  line.set_outcome(spb::INGEST_OUTCOME_REJECTED);
  *line.mutable_error() = common::rpc::ToItemError(error);
  if (checkpoint_ != nullptr) checkpoint_->Answered(item.file, item.number, false);
  if (memory_ != nullptr && memory_->HasRejected(line, !common::LooksLikeUrl(item.source))) return;
  results_->Add(line, item.cuts_off, article, item.line);
}

bool IngestJob::Send(Origin origin, article::v1::Article article) {
  if (running_ == nullptr) {
    IngestSession::Options options;
    options.endpoint = context_.search;
    options.channel = channel_;
    options.answer_timeout = context_.timeout;
    options.retry.give_up_after = flags_.watch ? absl::InfiniteDuration() : flags_.retry_for;
    if (!flags_.watch && flags_.wait >= spb::COMMIT_STAGE_VISIBLE) options.visible_patience = flags_.wait_timeout;
    options.interrupted = Interrupted;
    options.on_retry = [this](const absl::Status& error, absl::Duration delay) {
      results_->Retry(error, delay, /*patient=*/flags_.watch.has_value());
    };
    running_ = std::make_unique<Running>(std::move(options));
    running_->answered =
        std::async(std::launch::async, [this, running = running_.get()] { TakeAnswers(running->session); });
  }
  return running_->session.Send(std::move(origin), std::move(article));
}

void IngestJob::TakeAnswers(IngestSession& session) {
  while (const std::optional<IngestAnswer> answer = session.NextAnswer()) {
    const Origin& origin = answer->origin;
    const IngestLine line = LineOf(*answer);
    const bool taken = line.outcome() != spb::INGEST_OUTCOME_REJECTED;
    if (inventory_ != nullptr && taken) inventory_->AddTaken(line.id());
    if (inventory_ != nullptr && !taken) inventory_->AddId(line.id());
    const std::string& reason = line.error().reason();
    if (!taken && !origin.state_url.empty() && (reason == kReasonPurged || reason == kReasonTooOld)) {
      refused_pages_.push_back(origin.state_url);
      // It has gone since it was taken, as somebody wanted.
      if (origin.missed) {
        ++refused_unsaid_;
        continue;
      }
    }
    // Said first: what a killed run has not said, the next one sends again.
    const bool is_news =
        taken || memory_ == nullptr || !memory_->HasRejected(line, !common::LooksLikeUrl(origin.source));
    if (is_news) results_->Add(line, /*cuts_off=*/false, answer->rejected ? &*answer->rejected : nullptr);
    if (memory_ != nullptr && taken && !origin.unfinished) memory_->Take(origin.name_hash, origin.content_hash);
    if (checkpoint_ != nullptr) {
      checkpoint_->SetCollection(line.commit_token());
      checkpoint_->Answered(origin.file, origin.number, taken && !origin.unfinished);
    }
  }
}

void IngestJob::CloseSession() {
  if (running_ == nullptr) return;
  IngestSession& session = running_->session;
  session.CloseSending();
  bool abandoned = false;
  while (running_->answered.wait_for(kGlance) != std::future_status::ready) {
    if (Interrupted() && !std::exchange(abandoned, true)) session.Abandon(kInterruptGrace);
  }
  failure_ = session.status();
  unanswered_ += static_cast<int64_t>(session.unanswered());
  all_visible_ = session.all_visible();
  if (const std::string token = session.last_commit_token(); !token.empty()) commit_token_ = token;
  running_.reset();
}

void IngestJob::Note(absl::string_view text) {
  // A round says nothing that one before it has said.
  if (memory_ == nullptr || notes_said_.insert(std::string(text)).second) results_->Note(text);
}

void IngestJob::Print(const DeletionLine& line) { results_->Add(line); }

void IngestJob::CoverToken(std::string commit_token) {
  commit_token_ = std::move(commit_token);
  all_visible_ = false;
}

void IngestJob::ForgetPages(const article::v1::Article& article) {
  const auto forget = [this](const std::string& url) {
    if (absl::StatusOr<std::string> canonical = common::CanonicalUrl(url); canonical.ok()) {
      forgotten_urls_.insert(*std::move(canonical));
    }
  };
  forget(article.url());
  for (const std::string& url : article.alternate_urls()) forget(url);
}

int64_t IngestJob::cut_off() const { return results_->Report().cut_off(); }
bool IngestJob::AllowsRejected(int64_t count) const { return limit_.Allows(count, results_->Report().total()); }

void IngestJob::AwaitStage(RunReport::End& end) {
  spb::CommitStage reached = spb::COMMIT_STAGE_DURABLE;
  std::string token = commit_token_;
  // Nothing was stored by this run, so there is nothing to wait for.
  if (token.empty()) return;
  if (all_visible_) reached = spb::COMMIT_STAGE_VISIBLE;
  const absl::StatusOr<SearchClient> client = SearchClient::Connect(context_.search, context_.call_options());
  absl::Status failure = client.status();
  const absl::Time deadline = absl::Now() + flags_.wait_timeout;
  bool token_covers_all = false;
  while (failure.ok() && reached < flags_.wait && !Interrupted()) {
    spb::WaitForCommitRequest request;
    request.set_commit_token(token);
    // First all of it visible: the answer then has a token that covers everything this run has stored.
    request.set_stage(token_covers_all ? flags_.wait : spb::COMMIT_STAGE_VISIBLE);
    const absl::Duration left = std::min(deadline - absl::Now(), absl::Seconds(1));
    const auto answer = client->WaitForCommit(request, std::max(left, absl::ZeroDuration()));
    if (!answer.ok()) {
      failure = answer.status();
      break;
    }
    if (answer->reached() >= spb::COMMIT_STAGE_VISIBLE) {
      reached = std::max(reached, token_covers_all ? answer->reached() : spb::COMMIT_STAGE_VISIBLE);
      if (!token_covers_all && !answer->commit_token().empty()) {
        token = answer->commit_token();
        token_covers_all = true;
      }
    }
    if (absl::Now() >= deadline) break;
  }
  end.reached = StageName(std::min(reached, flags_.wait));
  if (reached >= flags_.wait || Interrupted()) return;
  end.shortfall = absl::StrCat("all that was taken is ", end.reached, ", but not ", end.waited_for,
                               failure.ok() ? absl::StrCat(" after ", absl::FormatDuration(flags_.wait_timeout))
                                            : absl::StrCat(" (", DescribeError(failure), ")"),
                               "; the service goes on with it, and `dateline wait ", token, " --for ", end.waited_for,
                               "` waits on");
}

ExitCode IngestJob::Verdict(const RunReport& report, const RunReport::End& end) const {
  if (!failure_.ok()) return kExitFailed;
  // A signal is how watching ends.
  if (Interrupted() && (!flags_.watch || unanswered_ > 0)) return kExitInterrupted;
  // Whether more has gone than may go is for somebody to look at, whatever else there is.
  const bool held_back = end.deletions && !end.deletions->held_back.empty();
  if (held_back && !end.deletions->unread) return kExitHeldBack;
  if (!limit_.Allows(report.rejected(), report.total()) || report.cut_off() > 0) return kExitSomeRejected;
  return end.shortfall.empty() ? kExitOk : kExitNotReached;
}

ExitCode IngestJob::End(std::optional<RunReport::Deletions> deletions) {
  if (fetch_state_ && !forgotten_urls_.empty()) {
    fetch_state_->ForgetAll(forgotten_urls_);
    SaveFetchState();
  }
  RunReport::End end;
  end.waited_for = StageName(flags_.watch || flags_.dry_run ? spb::COMMIT_STAGE_DURABLE : flags_.wait);
  if (failure_.ok() && !Interrupted() && !flags_.dry_run) AwaitStage(end);
  const RunReport report = results_->Report();
  if (const std::string note = report.ReplacedNote(); !note.empty()) results_->Note(note);
  if (const std::string note = report.GoneNote(); !note.empty()) results_->Note(note);
  end.time = absl::Now();
  end.dry_run = flags_.dry_run;
  end.deletions = std::move(deletions);
  end.exit_code = Verdict(report, end);
  if (!failure_.ok()) end.error = DescribeError(failure_);
  end.unanswered = unanswered_;
  end.skipped_files = skipped_files_;
  end.unchanged_inputs = unchanged_inputs_;
  end.answered_before = answered_before_;
  end.bytes = bytes_read_;
  end.commit_token = commit_token_;
  const auto fail_to_write = [&](const absl::Status& status) {
    PrintError(context_, status.message());
    if (end.exit_code != kExitInterrupted) end.exit_code = kExitFailed;
  };
  if (rejected_file_ != nullptr && !rejected_file_->status().ok()) {
    fail_to_write(absl::FailedPreconditionError(absl::StrCat("--rejected ", rejected_file_->status().message())));
  }
  if (!flags_.report.empty()) {
    if (const absl::Status status = WriteReport(flags_.report, report.Json(end)); !status.ok()) fail_to_write(status);
  }
  const std::string summary = absl::StrCat(Interrupted() ? "interrupted; " : "", report.Summary(end), "\n");
  if (context_.output == OutputFormat::kJson) {
    PrintJson(report.Json(end));
  } else if (!context_.quiet) {
    std::fputs(common::PrintableLines(summary).c_str(), context_.output == OutputFormat::kText ? stdout : stderr);
  }
  if (!failure_.ok()) PrintError(context_, DescribeError(failure_));
  if (!end.shortfall.empty()) PrintError(context_, end.shortfall);
  if (end.deletions && !end.deletions->held_back.empty()) PrintError(context_, end.deletions->held_back);
  return end.exit_code;
}

void AddIngestFlags(CLI::App& command, IngestFlags& flags) {
  AddInputFlags(command, flags.input);
  command
      .add_option(
          "--max_rejects", flags.max_rejects,
          "How many inputs may be rejected, as a number or a share (2%) [0]; a source that can't be read to its "
          "end is never one of them: nobody knows how much is missing")
      ->type_name("N|P%");
  command.add_option("--report", flags.report, "Write what was done to this file, as JSON")->type_name("FILE");
  command
      .add_option(
          "--rejected", flags.rejected,
          "Write each rejected article to this file, as a line of JSON with the reason under `rejection`: correct "
          "it, and ingest the file. A line that is no JSON object stands under `rejected_line`, and is read from "
          "there. What an earlier run has left in the file goes")
      ->type_name("FILE");
  command
      .add_option("--fetch_state", flags.fetch_state,
                  "Keep in this file what was fetched, and pass over what has not changed since (ETag, Last-Modified, "
                  "lastmod); for one run at a time")
      ->type_name("FILE");
  AddChoice<spb::CommitStage>(command, "--wait", flags.wait,
                              {{"durable", spb::COMMIT_STAGE_DURABLE},
                               {"visible", spb::COMMIT_STAGE_VISIBLE},
                               {"labelled", spb::COMMIT_STAGE_LABELLED}},
                              "What all that is taken must be at the end [visible]");
  AddDuration(command, "--wait_timeout", flags.wait_timeout, "How long to wait for that");
  AddDuration(command, "--retry_for", flags.retry_for,
              "How long to go on trying when the service goes away during the run; one that isn't there at the "
              "start fails the job at once");
  AddChoice<ResultsShown>(
      command, "--results", flags.results,
      {{"all", ResultsShown::kAll}, {"rejected", ResultsShown::kRejected}, {"none", ResultsShown::kNone}},
      "Which results to print [all; rejected with --quiet and text]");
  command.add_flag("-v,--verbose", flags.verbose, "Print sources and warnings of what was taken, too");
}

void SettleResultsShown(const CLI::App& command, const Context& context, IngestFlags& flags) {
  const bool given = command.get_option("--results")->count() > 0;
  if (!given && context.quiet && context.output == OutputFormat::kText) flags.results = ResultsShown::kRejected;
}

}  // namespace dateline::cli
