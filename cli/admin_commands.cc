// dateline index, dateline snapshot, dateline relabel, dateline jobs: what an operator orders of the search service.
#include <unistd.h>

#include <cstdio>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"

#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/json_output.h"
#include "common/printable.h"

namespace dateline::cli {
namespace {

namespace spb = search::v1;

constexpr absl::Duration kPoll = absl::Milliseconds(200);

struct OrderFlags {
  bool detach = false;
  bool full = false;
  std::string name;
};

struct RelabelFlags {
  bool detach = false;
  std::string filter;
  bool only_outdated = false;
  bool dry_run = false;
};

struct JobsFlags {
  std::string id;
  bool cancel = false;
};

bool HasEnded(const spb::Job& job) {
  return job.state() != spb::JOB_STATE_QUEUED && job.state() != spb::JOB_STATE_RUNNING;
}

void PrintMessage(const Context& context, const google::protobuf::Message& message) {
  PrintJson(ToJson(message, context.output == OutputFormat::kJson ? JsonLayout::kPretty : JsonLayout::kLine,
                   JsonFields::kSet));
}

// One line on a terminal, in place of the one before.
void ShowProgress(const Context& context, const spb::Job& job) {
  if (context.quiet || !context.stderr_is_terminal) return;
  std::fprintf(stderr, "\r\x1b[K%3.0f %%  %s", job.progress() * 100.0, common::Printable(job.message()).c_str());
}

ExitCode Report(const Context& context, const spb::Job& job) {
  if (context.output == OutputFormat::kText) {
    Print(FormatJob(job, context.style));
  } else {
    PrintMessage(context, job);
  }
  return job.state() == spb::JOB_STATE_FAILED || job.state() == spb::JOB_STATE_CANCELLED ? kExitFailed : kExitOk;
}

// Watches a job to its end. Ctrl-C leaves it running: it is the service's.
ExitCode Watch(const Context& context, const SearchClient& client, spb::Job job) {
  while (!HasEnded(job)) {
    ShowProgress(context, job);
    if (Interrupted()) {
      if (context.stderr_is_terminal) std::fprintf(stderr, "\n");
      PrintError(context, absl::StrCat("the job goes on; see: dateline jobs ", job.id()));
      return kExitInterrupted;
    }
    absl::SleepFor(kPoll);
    spb::GetJobRequest request;
    request.set_id(job.id());
    absl::StatusOr<spb::GetJobResponse> response = client.GetJob(request);
    if (!response.ok()) return Fail(context, response.status());
    job = std::move(*response->mutable_job());
  }
  if (!context.quiet && context.stderr_is_terminal) std::fprintf(stderr, "\r\x1b[K");
  return Report(context, job);
}

// `order` gives the job.
template <typename Order>
ExitCode OrderJob(const Context& context, bool detach, const Order& order) {
  const absl::StatusOr<SearchClient> client = SearchClient::Connect(context.search, context.call_options());
  if (!client.ok()) return Fail(context, client.status());
  auto response = order(*client);
  if (!response.ok())
    return Fail(context, InTermsOfFlags(response.status(), {{"name", "NAME"}, {"filter", "--filter"}}));
  return detach ? Report(context, response->job()) : Watch(context, *client, response->job());
}

ExitCode Jobs(const Context& context, const JobsFlags& flags) {
  const absl::StatusOr<SearchClient> client = SearchClient::Connect(context.search, context.call_options());
  if (!client.ok()) return Fail(context, client.status());
  if (!flags.id.empty() && flags.cancel) {
    spb::CancelJobRequest request;
    request.set_id(flags.id);
    const absl::StatusOr<spb::CancelJobResponse> response = client->CancelJob(request);
    if (!response.ok()) return Fail(context, response.status());
    Report(context, response->job());
    return kExitOk;
  }
  if (!flags.id.empty()) {
    spb::GetJobRequest request;
    request.set_id(flags.id);
    const absl::StatusOr<spb::GetJobResponse> response = client->GetJob(request);
    if (!response.ok()) return Fail(context, response.status());
    Report(context, response->job());
    return kExitOk;
  }
  spb::ListJobsRequest request;
  request.set_page_size(100);
  const absl::StatusOr<spb::ListJobsResponse> response = client->ListJobs(request);
  if (!response.ok()) return Fail(context, response.status());
  if (context.output != OutputFormat::kText) {
    PrintMessage(context, *response);
    return kExitOk;
  }
  for (const spb::Job& job : response->jobs()) Print(FormatJob(job, context.style));
  if (response->jobs().empty() && !context.quiet) Print("no jobs yet\n");
  return kExitOk;
}

void AddDetach(CLI::App& command, bool& detach) {
  command.add_flag("--detach", detach, "Don't wait for the end; `dateline jobs ID` tells how far it is");
}

constexpr char kExits[] =
    "Exit status: 0 if all went well, 1 if the job failed or was cancelled, 130 after Ctrl-C, which leaves the job "
    "running.";

}  // namespace

void AddAdminCommands(CLI::App& root, CommandTable& commands) {
  CLI::App* const index = root.add_subcommand("index", "Check, compact or rebuild the index of the search service");
  index->require_subcommand(1);
  index->footer(
      "Examples:\n  dateline index check --full\n  dateline index rebuild --detach\n\nSearches and ingestion go on "
      "meanwhile.");

  auto check_flags = std::make_shared<OrderFlags>();
  CLI::App* const check =
      index->add_subcommand("check",
                            "Look for damage of article store and index: files that are not as they were "
                            "written");
  check->add_flag("--full", check_flags->full, "Compare every article with the index, too");
  AddDetach(*check, check_flags->detach);
  check->footer(absl::StrCat("Example:\n  dateline index check --full\n\n", kExits));
  commands.emplace_back(check, [check_flags](const Context& context) {
    return OrderJob(context, check_flags->detach, [&](const SearchClient& client) {
      spb::CheckIndexRequest request;
      request.set_full(check_flags->full);
      return client.CheckIndex(request);
    });
  });

  auto compact_flags = std::make_shared<OrderFlags>();
  CLI::App* const compact = index->add_subcommand("compact", "Merge the index into one segment, without what is dead");
  AddDetach(*compact, compact_flags->detach);
  compact->footer(
      absl::StrCat("Small segments are merged by themselves: this is for an archive that hardly changes any "
                   "more.\n\nExample:\n  dateline index compact\n\n",
                   kExits));
  commands.emplace_back(compact, [compact_flags](const Context& context) {
    return OrderJob(context, compact_flags->detach, [](const SearchClient& client) { return client.CompactIndex({}); });
  });

  auto rebuild_flags = std::make_shared<OrderFlags>();
  CLI::App* const rebuild = index->add_subcommand("rebuild", "Write all articles of the store into the index again");
  AddDetach(*rebuild, rebuild_flags->detach);
  rebuild->footer(absl::StrCat("Example:\n  dateline index rebuild\n\n", kExits));
  commands.emplace_back(rebuild, [rebuild_flags](const Context& context) {
    return OrderJob(context, rebuild_flags->detach, [](const SearchClient& client) { return client.RebuildIndex({}); });
  });

  auto snapshot_flags = std::make_shared<OrderFlags>();
  CLI::App* const snapshot =
      root.add_subcommand("snapshot", "Have the search service copy its article store, while writing goes on");
  snapshot->add_option("NAME", snapshot_flags->name, "Letters, digits, - and _; default: the time")->type_name("NAME");
  AddDetach(*snapshot, snapshot_flags->detach);
  snapshot->footer(
      absl::StrCat("The copy lies in DATA_DIR/snapshots/NAME of the service, and was checked when this "
                   "ends.\n\nExample:\n  dateline snapshot before-upgrade\n\n",
                   kExits));
  commands.emplace_back(snapshot, [snapshot_flags](const Context& context) {
    return OrderJob(context, snapshot_flags->detach, [&](const SearchClient& client) {
      spb::CreateSnapshotRequest request;
      request.set_name(snapshot_flags->name);
      return client.CreateSnapshot(request);
    });
  });

  auto relabel_flags = std::make_shared<RelabelFlags>();
  CLI::App* const relabel =
      root.add_subcommand("relabel", "Have articles tagged again, and see which tags come and go");
  relabel
      ->add_option("--filter", relabel_flags->filter,
                   "Only these articles, such as: source = \"Example\" AND publish_time >= 2024-01-01")
      ->type_name("CONDITION");
  relabel->add_flag("--only_outdated", relabel_flags->only_outdated,
                    "Only articles with tags of another model, taxonomy or gazetteer than the classifier has now");
  relabel->add_flag("--dry-run,--dry_run", relabel_flags->dry_run, "Change nothing; say what would change");
  AddDetach(*relabel, relabel_flags->detach);
  relabel->footer(absl::StrCat(
      "When the classifier has another model, taxonomy or gazetteer, the search service does this by itself. "
      "What editors\nand publishers said stays.\n\nExamples:\n  dateline relabel --dry-run\n  dateline "
      "relabel --filter 'source = \"Example\"'\n\n",
      kExits));
  commands.emplace_back(relabel, [relabel_flags](const Context& context) {
    return OrderJob(context, relabel_flags->detach, [&](const SearchClient& client) {
      spb::RelabelArticlesRequest request;
      request.set_filter(relabel_flags->filter);
      request.set_only_outdated(relabel_flags->only_outdated);
      request.set_validate_only(relabel_flags->dry_run);
      return client.RelabelArticles(request);
    });
  });

  auto jobs_flags = std::make_shared<JobsFlags>();
  CLI::App* const jobs = root.add_subcommand("jobs", "Show the long work of the search service: all of it, or one job");
  CLI::Option* const id = jobs->add_option("ID", jobs_flags->id, "The job")->type_name("ID");
  jobs->add_flag("--cancel", jobs_flags->cancel, "Ask it to stop")->needs(id);
  jobs->footer("Examples:\n  dateline jobs\n  dateline jobs job-0123456789abcdef --cancel");
  commands.emplace_back(jobs, [jobs_flags](const Context& context) { return Jobs(context, *jobs_flags); });
}

}  // namespace dateline::cli
