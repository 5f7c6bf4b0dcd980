// dateline ingest: pages, feeds and exports into the search service.
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
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <unordered_map>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

#include "cli/command.h"
#include "cli/fetch_state.h"
#include "cli/ingest_session.h"
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
// After Ctrl-C: how long the answers to what was sent are waited for.
constexpr absl::Duration kInterruptGrace = absl::Seconds(5);
// How often waits look up to see whether the user pressed Ctrl-C.
constexpr std::chrono::milliseconds kGlance(100);

enum class ResultsShown { kAll, kRejected, kNone };

struct Flags {
  std::vector<std::string> places;
  InputOptions input;
  std::string max_rejects = "0";
  std::string report;
  std::string fetch_state;
  spb::CommitStage wait = spb::COMMIT_STAGE_VISIBLE;
  absl::Duration wait_timeout = absl::Minutes(1);
  absl::Duration retry_for = absl::Minutes(1);
  ResultsShown results = ResultsShown::kAll;
  bool verbose = false;
};

// Where results go: lines on standard output, the bar on standard error, counts into the report. Thread-safe.
class Results {
 public:
  Results(const Context& context, const Flags& flags)
      : context_(context),
        shown_(flags.results),
        verbose_(flags.verbose),
        report_(absl::Now()),
        bar_(STDERR_FILENO, context.stderr_is_terminal && !context.quiet, context.error_style.columns) {}

  // `cuts_off`: as in InputItem.
  void Add(const IngestLine& line, bool cuts_off = false) {
    const common::MutexLock lock(mutex_);
    report_.Add(line, cuts_off);
    progress_.items = report_.total();
    progress_.rejected = report_.rejected();
    const bool rejected = line.outcome() == spb::INGEST_OUTCOME_REJECTED;
    if (shown_ == ResultsShown::kAll || (shown_ == ResultsShown::kRejected && rejected)) {
      if (context_.output == OutputFormat::kText) {
        bar_.Clear();
        Print(FormatIngestLine(line, verbose_, context_.style));
      } else if (context_.output == OutputFormat::kJsonLines) {
        PrintJson(ToJson(line, JsonLayout::kLine, JsonFields::kAll));
      }
      // Whoever reads the other end of a pipe may wait for this line.
      std::fflush(stdout);
    }
    bar_.Show(progress_);
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

  // For after the run: nothing is added any more.
  RunReport TakeReport() {
    const common::MutexLock lock(mutex_);
    bar_.Clear();
    return std::move(report_);
  }

 private:
  const Context& context_;
  const ResultsShown shown_;
  const bool verbose_;
  common::Mutex mutex_;
  RunReport report_ ABSL_GUARDED_BY(mutex_);
  Progress progress_ ABSL_GUARDED_BY(mutex_);
  ProgressBar bar_ ABSL_GUARDED_BY(mutex_);
};

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

// An input that is not even sent.
IngestLine Rejection(const Origin& origin, const std::string& id, const absl::Status& error) {
  IngestLine line = LineOf(origin);
  line.set_id(id);
  line.set_outcome(spb::INGEST_OUTCOME_REJECTED);
  *line.mutable_error() = common::rpc::ToItemError(error);
  return line;
}

// What this run has sent, and what the service has: so that a summary is never sent in the place of a fuller text. For
// one thread.
class FullerTexts {
 public:
  explicit FullerTexts(const Context& context) : context_(context) {}

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
    if (article.url.empty() && article.id.empty()) return std::nullopt;
    if (!client_) {
      absl::StatusOr<SearchClient> client = SearchClient::Connect(context_.search, context_.call_options());
      if (!client.ok()) return std::nullopt;
      client_ = *std::move(client);
    }
    spb::GetArticleRequest request;
    request.set_id(article.url.empty() ? article.id : article.url);
    const absl::StatusOr<spb::GetArticleResponse> stored = client_->GetArticle(request);
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
  std::optional<SearchClient> client_;
  std::unordered_map<size_t, size_t> sent_;  // Bytes of text by the hash of the address.
};

// Sends one input, or rejects it. False if the session takes no more.
bool SendItem(InputItem item, FullerTexts& texts, IngestSession& session, Results& results) {
  Origin origin{.source = item.source, .position = item.position, .title = "", .warnings = {}};
  if (!item.extraction.ok()) {
    results.Add(Rejection(origin, item.id, item.extraction.status()), item.cuts_off);
    return true;
  }
  origin.title = item.extraction->article.title;
  origin.warnings = std::move(item.extraction->warnings);
  if (item.summary_only) {
    if (const std::optional<std::string> fuller = texts.Find(item.extraction->article)) {
      origin.warnings.emplace_back("body: a summary or beginning only; the fuller text that came before was kept");
      IngestLine line = LineOf(origin);
      if (!fuller->empty()) line.set_id(*fuller);
      line.set_outcome(spb::INGEST_OUTCOME_UNCHANGED);
      results.Add(line);
      return true;
    }
  } else {
    texts.Sent(item.extraction->article);
  }
  article::v1::Article article = extraction::ToProto(item.extraction->article);
  if (const size_t bytes = article.ByteSizeLong(); bytes > kMaxArticleBytes) {
    const absl::Status error = absl::InvalidArgumentError(
        absl::StrCat("the article has ", bytes, " bytes; at most ", kMaxArticleBytes, " are taken"));
    results.Add(Rejection(origin, item.id, common::WithReason(error, "ARTICLE_TOO_LARGE")));
    return true;
  }
  return session.Send(std::move(origin), std::move(article));
}

// How far everything that was taken has come, after waiting for what the flags ask, into `end`.
void AwaitStage(const Context& context, const Flags& flags, const IngestSession& session, RunReport::End& end) {
  spb::CommitStage reached = spb::COMMIT_STAGE_DURABLE;
  std::string token = session.last_commit_token();
  // Nothing was stored by this run, so there is nothing to wait for.
  if (token.empty()) return;
  if (session.all_visible()) reached = spb::COMMIT_STAGE_VISIBLE;
  const absl::StatusOr<SearchClient> client = SearchClient::Connect(context.search, context.call_options());
  absl::Status failure = client.status();
  const absl::Time deadline = absl::Now() + flags.wait_timeout;
  bool token_covers_all = false;
  while (failure.ok() && reached < flags.wait && !Interrupted()) {
    spb::WaitForCommitRequest request;
    request.set_commit_token(token);
    // First all of it visible: the answer then has a token that covers everything this run has stored.
    request.set_stage(token_covers_all ? flags.wait : spb::COMMIT_STAGE_VISIBLE);
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
  end.reached = StageName(std::min(reached, flags.wait));
  if (reached >= flags.wait || Interrupted()) return;
  end.shortfall = absl::StrCat("all that was taken is ", end.reached, ", but not ", end.waited_for,
                               failure.ok() ? absl::StrCat(" after ", absl::FormatDuration(flags.wait_timeout))
                                            : absl::StrCat(" (", DescribeError(failure), ")"),
                               "; the service goes on with it, and `dateline wait ", token, " --for ", end.waited_for,
                               "` waits on");
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

ExitCode Verdict(const absl::Status& failure, const RunReport& report, const RejectLimit& limit,
                 const RunReport::End& end) {
  if (!failure.ok()) return kExitFailed;
  if (Interrupted()) return kExitInterrupted;
  if (!limit.Allows(report.rejected(), report.total()) || report.cut_off() > 0) return kExitSomeRejected;
  return end.shortfall.empty() ? kExitOk : kExitNotReached;
}

// The end of a job that could not begin. The report, which is known to be writable, says so as well.
ExitCode FailBeforeStart(const Context& context, const Flags& flags, const absl::Status& status) {
  const ExitCode exit_code = Fail(context, status);
  if (flags.report.empty()) return exit_code;
  const absl::Time now = absl::Now();
  const std::string json = RunReport(now).Json({.time = now, .exit_code = exit_code, .error = DescribeError(status)});
  if (const absl::Status written = WriteReport(flags.report, json); !written.ok()) {
    PrintError(context, written.message());
  }
  return exit_code;
}

ExitCode Ingest(const Context& context, const Flags& flags) {
  InstallInterruptHandler();
  if (const absl::Status status = CheckUrlIsOfOne(flags.places, flags.input); !status.ok())
    return Fail(context, status);
  NoteTypedInput(context, flags.places);
  const absl::StatusOr<RejectLimit> limit = RejectLimit::Parse(flags.max_rejects);
  if (!limit.ok()) {
    PrintError(context, absl::StrCat("--max_rejects: ", flags.max_rejects, " ", limit.status().message()));
    return kExitUsage;
  }
  if (!flags.report.empty()) {
    if (const absl::Status status = PrepareReport(flags.report); !status.ok()) return Fail(context, status);
  }
  const absl::StatusOr<std::shared_ptr<grpc::Channel>> channel = Dial(context.search);
  if (!channel.ok()) return FailBeforeStart(context, flags, channel.status());
  // A server that isn't there is said at once; one that goes away in the middle of the run is waited for.
  if (const absl::Status status = CheckHealth(context.search, "", context.timeout); absl::IsUnavailable(status)) {
    return FailBeforeStart(context, flags, status);
  }

  InputOptions input = flags.input;
  std::optional<FetchState> fetch_state;
  if (!flags.fetch_state.empty()) {
    absl::StatusOr<FetchState> loaded = FetchState::Load(flags.fetch_state);
    // Written once before anything is done: that it can't be is better known now.
    const absl::Status usable = loaded.ok() ? loaded->Save() : loaded.status();
    if (!usable.ok()) {
      return FailBeforeStart(context, flags,
                             absl::Status(usable.code(), absl::StrCat("--fetch_state ", usable.message())));
    }
    fetch_state = *std::move(loaded);
    input.fetch_state = &*fetch_state;
  }

  Results results(context, flags);
  IngestSession::Options options;
  options.endpoint = context.search;
  options.channel = *channel;
  options.answer_timeout = context.timeout;
  options.retry.give_up_after = flags.retry_for;
  if (flags.wait >= spb::COMMIT_STAGE_VISIBLE) options.visible_patience = flags.wait_timeout;
  options.interrupted = Interrupted;
  options.on_retry = [&results](const absl::Status& error, absl::Duration delay) {
    results.Note(absl::StrCat(error.message(), "; trying again in ",
                              absl::FormatDuration(absl::Trunc(delay, absl::Milliseconds(1)))));
  };
  InputReader reader(flags.places, input);
  FullerTexts texts(context);
  IngestSession session(std::move(options));
  std::future<void> answered = std::async(std::launch::async, [&session, &results] {
    while (const std::optional<IngestAnswer> answer = session.NextAnswer()) results.Add(LineOf(*answer));
  });
  while (std::optional<InputItem> item = reader.Next()) {
    if (!SendItem(*std::move(item), texts, session, results)) break;
    results.Read(reader.bytes_read(), reader.total_bytes());
  }
  session.CloseSending();
  bool abandoned = false;
  while (answered.wait_for(kGlance) != std::future_status::ready) {
    if (Interrupted() && !std::exchange(abandoned, true)) session.Abandon(kInterruptGrace);
  }

  RunReport::End end;
  const absl::Status failure = session.status();
  if (reader.unchanged() > 0) {
    results.Note(absl::StrCat(reader.unchanged(),
                              reader.unchanged() == 1 ? " page or source has" : " pages and sources have",
                              " not changed since they were fetched last"));
  }
  for (const std::string& note : reader.Notes()) results.Note(note);
  // Only once all that was fetched is also taken: what is remembered is not fetched again.
  if (fetch_state && failure.ok() && !Interrupted()) {
    if (const absl::Status saved = fetch_state->Save(); !saved.ok()) {
      results.Note(absl::StrCat("--fetch_state ", saved.message(), "; the next run will fetch everything again"));
    }
  }
  end.waited_for = StageName(flags.wait);
  if (failure.ok() && !Interrupted()) AwaitStage(context, flags, session, end);
  const RunReport report = results.TakeReport();
  if (const std::string note = report.ReplacedNote(); !note.empty()) results.Note(note);
  end.time = absl::Now();
  end.exit_code = Verdict(failure, report, *limit, end);
  if (!failure.ok()) end.error = DescribeError(failure);
  end.unanswered = static_cast<int64_t>(session.unanswered());
  end.skipped_files = reader.skipped_files();
  end.bytes = reader.bytes_read();
  end.commit_token = session.last_commit_token();
  if (!flags.report.empty()) {
    if (const absl::Status status = WriteReport(flags.report, report.Json(end)); !status.ok()) {
      PrintError(context, status.message());
      if (end.exit_code != kExitInterrupted) end.exit_code = kExitFailed;
    }
  }
  const std::string summary = absl::StrCat(Interrupted() ? "interrupted; " : "", report.Summary(end), "\n");
  if (context.output == OutputFormat::kJson) {
    PrintJson(report.Json(end));
  } else if (!context.quiet) {
    std::fputs(common::PrintableLines(summary).c_str(), context.output == OutputFormat::kText ? stdout : stderr);
  }
  if (!failure.ok()) PrintError(context, DescribeError(failure));
  if (!end.shortfall.empty()) PrintError(context, end.shortfall);
  return end.exit_code;
}

}  // namespace

void AddIngestCommand(CLI::App& root, CommandTable& commands) {
  auto flags = std::make_shared<Flags>();
  CLI::App* command =
      root.add_subcommand("ingest", "Take pages, feeds, exports or folders of them into the search service");
  command->footer(
      "Inputs are pages (HTML, MHTML, plain text, PDF), feeds (RSS, Atom, JSON Feed), sitemaps, exports (WordPress, "
      "JSON, "
      "JSON\n"
      "Lines, CSV, TSV), mail (EML, mbox), folders of such files, and zip, tar, gzip, bzip2, xz or zstd of any of "
      "them. In\n"
      "folders and archives, files are told by their names (.html .xml .jsonl.gz ...); others are passed over. Fields "
      "of\n"
      "JSON and columns of CSV are id, url, title, body, body_html, summary, authors, source, date, update_time,\n"
      "language, image_url, countries, issues, keywords, categories, tags; --map says where others are. A feed's "
      "summary\n"
      "never takes the place of a fuller text. Pages that a source only names are fetched at the pace of "
      "--fetch_delay,\n"
      "and not where robots.txt forbids it. Each article is answered once it is on disk: created, updated, unchanged,\n"
      "stale (the stored one is newer) or rejected.\n"
      "Running it again does no harm. A lost connection is taken up again, and what was not answered is sent again.\n"
      "\n"
      "Examples:\n"
      "  dateline ingest page.html folder/ https://example.org/feed.rss\n"
      "  dateline ingest export.jsonl.zst --max_rejects 1% --report run.json\n"
      "  dateline ingest folder/ --output jsonl --wait labelled > results.jsonl\n"
      "  dateline ingest https://example.org/sitemap.xml --fetch_state example.state   # next time, only what is new\n"
      "  dateline ingest table.csv --map title=Headline --map body_html='Full Text' --map label.section=Desk\n"
      "\n"
      "Exit status: 0 all taken (or no more rejected than --max_rejects), and what --wait asks for was reached; 3 "
      "some\n"
      "rejected, or a source not read to its end (`cutOff` in the report); 4 all taken, but --wait_timeout was over "
      "before what --wait asks for was reached; 1 the job failed; 2 "
      "wrong\n"
      "usage; 130 Ctrl-C. The report says the same in `exitCode`, `error`, `waitedFor`, `reached` and `shortfall`.");
  command->add_option("PATH", flags->places, "What to take: files, folders, http(s) URLs; - is standard input")
      ->required()
      ->type_name("FILE|FOLDER|URL");
  AddInputFlags(*command, flags->input);
  command
      ->add_option(
          "--max_rejects", flags->max_rejects,
          "How many inputs may be rejected, as a number or a share (2%) [0]; a source that can't be read to its "
          "end is never one of them: nobody knows how much is missing")
      ->type_name("N|P%");
  command->add_option("--report", flags->report, "Write what was done to this file, as JSON")->type_name("FILE");
  command
      ->add_option("--fetch_state", flags->fetch_state,
                   "Keep in this file what was fetched, and pass over what has not changed since (ETag, Last-Modified, "
                   "lastmod); for one run at a time")
      ->type_name("FILE");
  AddChoice<spb::CommitStage>(*command, "--wait", flags->wait,
                              {{"durable", spb::COMMIT_STAGE_DURABLE},
                               {"visible", spb::COMMIT_STAGE_VISIBLE},
                               {"labelled", spb::COMMIT_STAGE_LABELLED}},
                              "What all that is taken must be at the end [visible]");
  AddDuration(*command, "--wait_timeout", flags->wait_timeout, "How long to wait for that");
  AddDuration(*command, "--retry_for", flags->retry_for,
              "How long to go on trying when the service goes away during the run; one that isn't there at the "
              "start fails the job at once");
  AddChoice<ResultsShown>(
      *command, "--results", flags->results,
      {{"all", ResultsShown::kAll}, {"rejected", ResultsShown::kRejected}, {"none", ResultsShown::kNone}},
      "Which results to print [all; rejected with --quiet and text]");
  command->add_flag("-v,--verbose", flags->verbose, "Print sources and warnings of what was taken, too");
  const CLI::Option* results_flag = command->get_option("--results");
  commands.emplace_back(command, [flags, results_flag](const Context& context) {
    if (results_flag->count() == 0 && context.quiet && context.output == OutputFormat::kText) {
      flags->results = ResultsShown::kRejected;
    }
    return Ingest(context, *flags);
  });
}

}  // namespace dateline::cli
