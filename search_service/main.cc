// search_service: keeps articles, has them tagged, makes them searchable.
#include <malloc.h>
#include <sys/resource.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "CLI/CLI.hpp"
#include "common/country_prior.h"
#include "common/log.h"
#include "common/program.h"
#include "common/rpc/address.h"
#include "common/rpc/channel.h"
#include "common/rpc/server.h"
#include "common/rpc/signals.h"
#include "common/status_macros.h"
#include "common/version.h"
#include "common/worker_pool.h"
#include "search_service/admin_handler.h"
#include "search_service/classifier_client.h"
#include "search_service/engine.h"
#include "search_service/ingest_handler.h"
#include "search_service/search_handler.h"
#include "search_service/snapshot.h"
#include "search_service/synonyms.h"

namespace {

using dateline::common::WorkerPool;
namespace common = dateline::common;
namespace rpc = dateline::common::rpc;
namespace search = dateline::search;

struct Flags {
  rpc::Server::Options server;
  search::Engine::Options engine;
  std::string classifier = "127.0.0.1:50051";
  std::string profile = "default";
  std::vector<std::string> priors;
  WorkerPool::Options search_pool;
  WorkerPool::Options ingest_pool;
  std::string restore;
  std::vector<std::string> retain;
  std::string synonyms;
  std::string log_level = "info";
  bool log_json = false;
  int grace_seconds = 20;
};

void Declare(Flags& flags, CLI::App& app) {
  app.description(
      "Keeps articles, has them tagged by the classifier service, indexes them and answers searches\n"
      "(dateline.search.v1: SearchService, IngestService, SearchAdminService; grpc.health.v1 and reflection).\n"
      "An article is acknowledged once it is on disk. The classifier may be away: articles are taken and searchable,\n"
      "and tagged when it is back. One process at a time owns a data folder. Stops cleanly on SIGTERM; SIGHUP makes "
      "it\n"
      "load --synonyms again.");
  app.footer(
      "Examples:\n  search_service --data_dir /var/lib/dateline --classifier 127.0.0.1:50051\n"
      "  search_service --data_dir /var/lib/dateline --restore /var/lib/dateline/snapshots/monday\n"
      "  search_service --data_dir /var/lib/dateline --profile strict --prior IR=1.5 --prior gcc=1\n\n"
      "Exit status: 0 after SIGTERM or SIGINT, 1 if it could not start (one line on stderr says why), 2 wrong usage.");
  app.set_version_flag("--version", common::kVersion);
  app.add_option("--listen", flags.server.listen, "Where to listen: HOST:PORT or unix:PATH; port 0 takes any free one")
      ->type_name("ADDRESS")
      ->capture_default_str()
      ->check(rpc::AddressProblem);
  app.add_option("--data_dir", flags.engine.data_dir, "Folder of the article store and the index; made if missing")
      ->type_name("FOLDER")
      ->required();
  app.add_option(
         "--restore", flags.restore,
         "Put this snapshot (a folder that `dateline snapshot` made) in the place of what the data folder holds, "
         "and end. Articles that were purged since stay erased; what was there before is kept in a folder "
         "beside. The service must not be running")
      ->type_name("FOLDER");
  app.add_option("--classifier", flags.classifier, "Address of the classifier service")
      ->type_name("ADDRESS")
      ->capture_default_str()
      ->check(rpc::AddressProblem);
  app.add_option("--profile", flags.profile,
                 "Which countries and groups articles are tagged with: their focus only (strict), what an editor would "
                 "file them under (default), all that an archive would (generous). Articles that are tagged already "
                 "are tagged again by themselves when this changes")
      ->capture_default_str()
      ->type_name("WORD")
      ->check(CLI::IsMember({"strict", "default", "generous"}));
  app.add_option("--prior", flags.priors,
                 "What is known of this archive's articles beforehand: IR=1.5 adds 1.5 to the log-odds of Iran, gcc=1 "
                 "that much to those of the group and half to its members; -2 to 2; may be repeated. As --profile, it "
                 "changes the tags of all articles")
      ->type_name("CODE=N")
      ->expected(1)
      ->take_all();
  app.add_option("--search_threads", flags.search_pool.threads, "Threads that answer searches and other reads")
      ->capture_default_str()
      ->check(CLI::Range(1, 256));
  app.add_option("--ingest_threads", flags.ingest_pool.threads,
                 "Threads that take articles in, and as many that wait for the classifier to extract them from pages")
      ->capture_default_str()
      ->check(CLI::Range(1, 256));
  app.add_option("--index_threads", flags.engine.index_threads,
                 "Threads that analyse articles for the index, where many wait")
      ->capture_default_str()
      ->check(CLI::Range(1, 64));
  app.add_option(
         "--retain", flags.retain,
         "How many days articles of a source are kept, counted from when they were published: \"Example "
         "Review=90\"; \"*=365\" is for all other sources; may be repeated. Older ones are deleted within the hour, "
         "and refused when they come")
      ->type_name("SOURCE=DAYS")
      ->expected(1)
      ->take_all();
  app.add_option("--synonyms", flags.synonyms,
                 "Words that searches are to find for one another, a group in each line: \"oil, petroleum, crude\"; "
                 "\"uk => britain\" finds Britain for UK only. SIGHUP loads the file again, while searches go on")
      ->type_name("FILE");
  app.add_option("--relabel_rate", flags.engine.relabel_rate,
                 "Articles a second that are tagged again at most, when the classifier has another model, taxonomy or "
                 "gazetteer, or when somebody orders it (dateline relabel)")
      ->capture_default_str()
      ->check(CLI::Range(0.1, 1e6));
  app.add_flag("!--no_relabel", flags.engine.relabel_outdated,
               "Don't tag articles again by itself when the classifier has another model, taxonomy or gazetteer");
  app.add_option("--queue", flags.search_pool.queue_limit,
                 "Calls that may wait for a thread; more are told to try again")
      ->capture_default_str()
      ->check(CLI::Range(1, 100'000));
  app.add_option("--grace", flags.grace_seconds, "Seconds that running calls are given at a shutdown")
      ->capture_default_str()
      ->check(CLI::Range(0, 3600));
  app.add_option("--log_level", flags.log_level, "debug, info, warning or error; user text is logged at debug only")
      ->capture_default_str()
      ->check(CLI::IsMember({"debug", "info", "warning", "error"}));
  app.add_flag("--log_json", flags.log_json, "Log one JSON object a line");
}

// How articles are to be tagged. InvalidArgument for a prior that is none.
absl::StatusOr<search::ClassifierClient::Tagging> TaggingOf(const Flags& flags) {
  search::ClassifierClient::Tagging tagging;
  if (flags.profile == "strict") tagging.profile = dateline::classifier::v1::COUNTRY_PROFILE_STRICT;
  if (flags.profile == "generous") tagging.profile = dateline::classifier::v1::COUNTRY_PROFILE_GENEROUS;
  ASSIGN_OR_RETURN(const std::vector<common::CountryPrior> priors, common::ParseCountryPriors(flags.priors));
  for (const common::CountryPrior& prior : priors) {
    dateline::classifier::v1::CountryPrior& added = tagging.priors.emplace_back();
    prior.is_country ? added.set_region_code(prior.id) : added.set_group_id(prior.id);
    added.set_log_odds(prior.log_odds);
  }
  return tagging;
}

// Of no file: none.
absl::StatusOr<search::Synonyms> LoadSynonyms(const std::string& path) {
  if (path.empty()) return search::Synonyms();
  absl::StatusOr<search::Synonyms> synonyms = search::Synonyms::Load(path);
  if (synonyms.ok()) return synonyms;
  return absl::Status(synonyms.status().code(), absl::StrCat("--synonyms: ", synonyms.status().message()));
}

// SIGHUP. What is broken stays out, and what was loaded stays in use.
void Reload(const Flags& flags, search::Engine& engine) {
  absl::StatusOr<search::Synonyms> synonyms = LoadSynonyms(flags.synonyms);
  if (!synonyms.ok()) {
    common::LogError("reload_failed", {{"problem", synonyms.status()}, {"kept", "what was loaded before"}});
    return;
  }
  common::LogInfo("reloaded", {{"synonyms", flags.synonyms}, {"words", synonyms->size()}});
  engine.SetSynonyms(*std::move(synonyms));
}

absl::Status Serve(Flags& flags, search::ClassifierClient::Tagging tagging, const rpc::TerminationSignals& signals) {
  absl::StatusOr<std::shared_ptr<grpc::Channel>> channel = rpc::MakeChannel(flags.classifier);
  if (!channel.ok()) return std::move(channel).status();
  ASSIGN_OR_RETURN(search::Synonyms synonyms, LoadSynonyms(flags.synonyms));
  const size_t synonym_count = synonyms.size();
  const auto classifier = std::make_shared<search::ClassifierClient>(*channel, std::move(tagging));
  absl::StatusOr<std::unique_ptr<search::Engine>> opened = search::Engine::Open(flags.engine, classifier);
  if (!opened.ok()) return std::move(opened).status();
  search::Engine& engine = **opened;
  engine.SetSynonyms(std::move(synonyms));
  flags.ingest_pool.queue_limit = flags.search_pool.queue_limit;
  WorkerPool search_pool(flags.search_pool);
  WorkerPool ingest_pool(flags.ingest_pool);
  WorkerPool document_pool(flags.ingest_pool);
  search::SearchHandler search_handler(engine, search_pool, /*max_waiting=*/std::max(1, flags.search_pool.threads / 2));
  search::SearchAdminHandler admin_handler(engine, search_pool);
  search::IngestHandler ingest_handler(engine, classifier.get(), ingest_pool, document_pool, {});
  absl::StatusOr<std::unique_ptr<rpc::Server>> server = rpc::Server::Start(
      flags.server, {{.name = search::v1::SearchService::service_full_name(), .service = &search_handler},
                     {.name = search::v1::IngestService::service_full_name(), .service = &ingest_handler},
                     {.name = search::v1::SearchAdminService::service_full_name(), .service = &admin_handler}});
  if (!server.ok()) return std::move(server).status();
  common::LogInfo("ready", {{"service", "search_service"},
                            {"version", common::kVersion},
                            {"address", (*server)->address()},
                            {"port", (*server)->port()},
                            {"data_dir", flags.engine.data_dir},
                            {"classifier", flags.classifier},
                            {"profile", flags.profile},
                            {"priors", absl::StrJoin(flags.priors, ",")},
                            {"synonyms", synonym_count},
                            {"search_threads", flags.search_pool.threads},
                            {"ingest_threads", flags.ingest_pool.threads},
                            {"durable_seq", engine.durable_seq()},
                            {"visible_seq", engine.visible_seq()}});
  int signal = signals.Wait();
  for (; signal == SIGHUP; signal = signals.Wait()) Reload(flags, engine);
  common::LogInfo("stopping", {{"signal", signal}});
  signals.Restore();  // A second signal ends the process at once.
  ingest_handler.DrainStreams();
  (*server)->Shutdown(absl::Seconds(flags.grace_seconds));
  search_pool.Shutdown();
  ingest_pool.Shutdown();
  document_pool.Shutdown();
  engine.Shutdown();
  common::LogInfo("stopped");
  return absl::OkStatus();
}

absl::Status Restore(const std::string& snapshot, const std::string& data_dir) {
  ASSIGN_OR_RETURN(const search::RestoredSnapshot restored, search::RestoreSnapshot(snapshot, data_dir));
  std::printf("%lld articles restored from %s into %s\n", static_cast<long long>(restored.article_count),
              snapshot.c_str(), data_dir.c_str());
  if (restored.erased_count > 0) {
    std::printf("%lld %s of the snapshot purged since it was made, and erased\n",
                static_cast<long long>(restored.erased_count), restored.erased_count == 1 ? "article" : "articles");
  }
  if (!restored.set_aside.empty()) {
    std::printf("what was there before is kept in %s; delete it when you need it no more\n",
                restored.set_aside.c_str());
  }
  if (restored.purges_unknown) {
    std::fprintf(stderr,
                 "search_service: no purged.keys is beside the snapshot, and no old store tells what was purged: if "
                 "anything was since the snapshot was made, it is back; purge it again\n");
  }
  std::printf("commit tokens of before are refused from now on; the index is built at the next start\n");
  return absl::OkStatus();
}

// By default glibc's allocator has eight arenas a core, and each keeps what the busiest moment of its threads took:
// with two, a bulk load of 12,000 articles takes 363 MB in place of 824, at the same rate.
void LimitArenas() {
#ifdef __GLIBC__
  mallopt(M_ARENA_MAX, 2);
#endif
}

// Every reader of the index has a few files of each segment open; the usual limit of 1,024 is for programs that use
// select().
void RaiseFileLimit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);  // Where it is refused, as many as before are allowed.
}

}  // namespace

int main(int argc, char** argv) {
  LimitArenas();
  // Before any thread starts, so that all inherit it.
  const rpc::TerminationSignals signals(rpc::TerminationSignals::Hangup::kReload);
  Flags flags;
  flags.server.listen = "127.0.0.1:50052";
  const int cores = static_cast<int>(std::max(2U, std::thread::hardware_concurrency()));
  flags.search_pool = {.threads = 2 * cores, .queue_limit = 256};
  flags.ingest_pool = {.threads = std::max(4, cores), .queue_limit = 256};
  flags.engine.index_threads = std::max(2, cores / 2);
  CLI::App app("", "search_service");
  Declare(flags, app);
  if (const std::optional<int> status = common::StartProgram(app, argc, argv)) return *status;
  absl::StatusOr<search::ClassifierClient::Tagging> tagging = TaggingOf(flags);
  if (!tagging.ok()) {
    common::PrintUsageError(app, absl::StrCat("--prior: ", tagging.status().message()));
    return common::kExitUsage;
  }
  absl::StatusOr<search::Retention> retention = search::Retention::Parse(flags.retain);
  if (!retention.ok()) {
    common::PrintUsageError(app, absl::StrCat("--retain: ", retention.status().message()));
    return common::kExitUsage;
  }
  flags.engine.retention = *std::move(retention);
  common::ConfigureLog({.min_level = common::ParseLogLevel(flags.log_level).value(),
                        .format = flags.log_json ? common::LogFormat::kJson : common::LogFormat::kText});
  RaiseFileLimit();
  const absl::Status status = flags.restore.empty() ? Serve(flags, *std::move(tagging), signals)
                                                    : Restore(flags.restore, flags.engine.data_dir);
  if (!status.ok()) {
    std::fprintf(stderr, "search_service: %s\n", std::string(status.message()).c_str());
    return EXIT_FAILURE;
  }
  return EXIT_SUCCESS;
}
