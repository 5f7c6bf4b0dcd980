// classifier_service: tags articles by country and issue, and extracts articles from pages.
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

#include "CLI/CLI.hpp"
#include "classifier_service/classifier.h"
#include "classifier_service/classifier_handler.h"
#include "common/error.h"
#include "common/log.h"
#include "common/program.h"
#include "common/rpc/address.h"
#include "common/rpc/server.h"
#include "common/rpc/signals.h"
#include "common/status_macros.h"
#include "common/version.h"
#include "common/worker_pool.h"

namespace {

using dateline::classifier::Classifier;
using dateline::classifier::ClassifierHandler;
using dateline::common::WorkerPool;
namespace common = dateline::common;
namespace rpc = dateline::common::rpc;

struct Flags {
  rpc::Server::Options server;
  Classifier::Options classifier;
  WorkerPool::Options pool;
  std::string log_level = "info";
  bool log_json = false;
  int grace_seconds = 20;
  bool check = false;
};

// Data files lie in ../share/dateline beside the program, installed or in the build tree.
constexpr char kTaxonomy[] = "taxonomy/default.textproto";
constexpr char kGazetteer[] = "gazetteer/gazetteer.tsv";
constexpr char kModel[] = "model/issues.model";
constexpr char kCountryModel[] = "model/countries.model";

std::string DataFile(const std::string& name) {
  std::error_code error;
  const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", error);
  return (program.parent_path().parent_path() / "share" / "dateline" / name).string();
}

void Declare(Flags& flags, CLI::App& app) {
  app.description(
      "Tags articles by country and issue, and extracts articles from pages "
      "(dateline.classifier.v1.ClassifierService,\n"
      "with grpc.health.v1 and reflection). Stateless: run as many as you like. Stops cleanly on SIGTERM.\n"
      "On SIGHUP it loads taxonomy, gazetteer, overlay and model again. Calls that run end with what they began with;\n"
      "none fails. If a file is broken, the log says what is wrong with it, and what was loaded stays in use.");
  app.footer(
      "Examples:\n  classifier_service --listen 127.0.0.1:50051\n"
      "  classifier_service --gazetteer_overlay /etc/dateline/overlay.tsv --check\n\n"
      "Exit status: 0 after SIGTERM or SIGINT, or a --check without faults; 1 faults, or no start (stderr says why); 2 "
      "wrong usage.");
  app.set_version_flag("--version", common::kVersion);
  app.add_option("--listen", flags.server.listen, "Where to listen: HOST:PORT or unix:PATH; port 0 takes any free one")
      ->type_name("ADDRESS")
      ->capture_default_str()
      ->check(rpc::AddressProblem);
  app.add_option("--taxonomy", flags.classifier.taxonomy_path, "The issues: a text file that editors may change")
      ->type_name("FILE")
      ->capture_default_str();
  app.add_option("--gazetteer", flags.classifier.gazetteer_path, "Names of countries, places, people, organisations")
      ->type_name("FILE")
      ->capture_default_str();
  app.add_option("--gazetteer_overlay", flags.classifier.gazetteer_overlay_path,
                 "Your own names over the gazetteer's, in its format: adds, outranks, removes (docs/gazetteer.md)")
      ->type_name("FILE");
  app.add_option("--model", flags.classifier.model_path, "The issue model, made by `classifier_train issues`")
      ->type_name("FILE")
      ->capture_default_str();
  app.add_option("--country_model", flags.classifier.country_model_path,
                 "The country model, made by `classifier_train countries`")
      ->type_name("FILE")
      ->capture_default_str();
  app.add_flag("--check", flags.check,
               "Load the files, print their versions, or everything that is wrong with them, and end");
  app.add_option("--threads", flags.pool.threads, "Threads that classify and extract")
      ->capture_default_str()
      ->check(CLI::Range(1, 256));
  app.add_option("--queue", flags.pool.queue_limit, "Calls that may wait for a thread; more are told to try again")
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

// Whether the data files can be read; otherwise which flags name those that can't, and the remedy.
absl::Status CheckDataFiles(const Classifier::Options& options) {
  const struct {
    const char* flag;
    const std::string& path;
    const char* by_default;
  } files[] = {{"--taxonomy", options.taxonomy_path, kTaxonomy},
               {"--gazetteer", options.gazetteer_path, kGazetteer},
               {"--gazetteer_overlay", options.gazetteer_overlay_path, ""},
               {"--model", options.model_path, kModel},
               {"--country_model", options.country_model_path, kCountryModel}};
  std::vector<common::FieldViolation> missing;
  for (const auto& [flag, path, by_default] : files) {
    if (path.empty() && *by_default == '\0') continue;
    std::error_code error;
    // Opening a pipe would wait for its writer.
    if (std::filesystem::is_regular_file(path, error) && std::ifstream(path, std::ios::binary).is_open()) continue;
    missing.push_back(
        {flag, absl::StrCat("\"", path, "\" cannot be read; ",
                            path == DataFile(by_default)
                                ? absl::StrCat("install share/dateline beside bin, or give ", flag, " FILE")
                                : "check the path and who may read it")});
  }
  if (missing.empty()) return absl::OkStatus();
  return common::WithFieldViolations(
      absl::NotFoundError(absl::StrCat(missing.front().field, ": ", missing.front().description)), missing);
}

absl::StatusOr<std::shared_ptr<const Classifier>> Load(const Classifier::Options& options) {
  RETURN_IF_ERROR(CheckDataFiles(options));
  return Classifier::Load(options);
}

// --check: what SIGHUP would load.
int Check(const Classifier::Options& options) {
  const absl::StatusOr<std::shared_ptr<const Classifier>> loaded = Load(options);
  for (const std::string& problem : Classifier::ProblemsOf(loaded.status())) {
    std::fprintf(stderr, "classifier_service: %s\n", problem.c_str());
  }
  if (!loaded.ok()) return EXIT_FAILURE;
  for (const std::string& warning : (*loaded)->gazetteer().warnings()) {
    std::fprintf(stderr, "classifier_service: warning: %s\n", warning.c_str());
  }
  const std::string& overlay = options.gazetteer_overlay_path;
  std::printf("taxonomy %s: %s\ngazetteer %s: %s%s%s\nmodels %s: %s and %s\nAll of it can be loaded.\n",
              (*loaded)->taxonomy_version().c_str(), options.taxonomy_path.c_str(),
              (*loaded)->gazetteer_version().c_str(), options.gazetteer_path.c_str(), overlay.empty() ? "" : " and ",
              overlay.c_str(), (*loaded)->model_version().c_str(), options.model_path.c_str(),
              options.country_model_path.c_str());
  return std::fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

void LogOverlayWarnings(const Classifier& classifier) {
  for (const std::string& warning : classifier.gazetteer().warnings()) {
    common::LogWarning("gazetteer_overlay", {{"problem", warning}});
  }
}

// SIGHUP. What is broken stays out, and what was loaded stays in use.
void Reload(const Classifier::Options& options, ClassifierHandler& handler) {
  const absl::Time start = absl::Now();
  absl::StatusOr<std::shared_ptr<const Classifier>> loaded = Load(options);
  if (!loaded.ok()) {
    const std::vector<std::string> problems = Classifier::ProblemsOf(loaded.status());
    for (const std::string& problem : problems) common::LogError("reload_problem", {{"problem", problem}});
    handler.Publish(std::move(loaded));
    common::LogError("reload_failed", {{"problems", problems.size()}, {"kept", "what was loaded before"}});
    return;
  }
  const std::shared_ptr<const Classifier> classifier = *loaded;
  LogOverlayWarnings(*classifier);
  handler.Publish(std::move(loaded));
  common::LogInfo("reloaded", {{"model_version", classifier->model_version()},
                               {"taxonomy_version", classifier->taxonomy_version()},
                               {"gazetteer_version", classifier->gazetteer_version()},
                               {"ms", absl::Now() - start}});
}

absl::Status Serve(const Flags& flags, const rpc::TerminationSignals& signals) {
  absl::StatusOr<std::shared_ptr<const Classifier>> loaded = Load(flags.classifier);
  const size_t problems = Classifier::ProblemsOf(loaded.status()).size();
  if (problems > 1 && !absl::IsNotFound(loaded.status())) {
    return absl::Status(loaded.status().code(),
                        absl::StrCat(loaded.status().message(), "; --check lists all ", problems));
  }
  RETURN_IF_ERROR(loaded.status());
  std::shared_ptr<const Classifier> classifier = *std::move(loaded);
  LogOverlayWarnings(*classifier);
  WorkerPool pool(flags.pool);
  ClassifierHandler handler(classifier, pool);
  absl::StatusOr<std::unique_ptr<rpc::Server>> server = rpc::Server::Start(
      flags.server, {{.name = dateline::classifier::v1::ClassifierService::service_full_name(), .service = &handler}});
  if (!server.ok()) return std::move(server).status();
  common::LogInfo("ready", {{"service", "classifier_service"},
                            {"version", common::kVersion},
                            {"address", (*server)->address()},
                            {"port", (*server)->port()},
                            {"threads", flags.pool.threads},
                            {"model_version", classifier->model_version()},
                            {"taxonomy_version", classifier->taxonomy_version()},
                            {"gazetteer_version", classifier->gazetteer_version()}});
  classifier.reset();  // The handler's alone: a reload frees it.
  int signal = signals.Wait();
  for (; signal == SIGHUP; signal = signals.Wait()) Reload(flags.classifier, handler);
  common::LogInfo("stopping", {{"signal", signal}});
  signals.Restore();  // A second signal ends the process at once.
  (*server)->Shutdown(absl::Seconds(flags.grace_seconds));
  pool.Shutdown();
  common::LogInfo("stopped");
  return absl::OkStatus();
}

}  // namespace

int main(int argc, char** argv) {
  // Before any thread starts, so that all inherit it.
  const rpc::TerminationSignals signals(rpc::TerminationSignals::Hangup::kReload);
  Flags flags;
  flags.server.listen = "127.0.0.1:50051";
  flags.classifier.taxonomy_path = DataFile(kTaxonomy);
  flags.classifier.gazetteer_path = DataFile(kGazetteer);
  flags.classifier.model_path = DataFile(kModel);
  flags.classifier.country_model_path = DataFile(kCountryModel);
  flags.pool.threads = static_cast<int>(std::max(2U, std::thread::hardware_concurrency()));
  CLI::App app("", "classifier_service");
  Declare(flags, app);
  if (const std::optional<int> status = common::StartProgram(app, argc, argv)) return *status;
  if (flags.check) return Check(flags.classifier);
  common::ConfigureLog({.min_level = common::ParseLogLevel(flags.log_level).value(),
                        .format = flags.log_json ? common::LogFormat::kJson : common::LogFormat::kText});
  if (const absl::Status status = Serve(flags, signals); !status.ok()) {
    std::fprintf(stderr, "classifier_service: %s\n", std::string(status.message()).c_str());
    return EXIT_FAILURE;
  }
  return EXIT_SUCCESS;
}
