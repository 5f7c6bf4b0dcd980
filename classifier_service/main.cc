// classifier_service: tags articles by country and issue, and extracts articles from pages.
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <thread>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"

#include "CLI/CLI.hpp"
#include "classifier_service/classifier.h"
#include "classifier_service/classifier_handler.h"
#include "common/log.h"
#include "common/program.h"
#include "common/rpc/address.h"
#include "common/rpc/server.h"
#include "common/rpc/signals.h"
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
      "with grpc.health.v1 and reflection). Stateless: run as many as you like. Stops cleanly on SIGTERM.");
  app.footer(
      "Example:\n  classifier_service --listen 127.0.0.1:50051\n\n"
      "Exit status: 0 after SIGTERM or SIGINT, 1 if it could not start (one line on stderr says why), 2 wrong usage.");
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
  app.add_option("--model", flags.classifier.model_path, "The issue model, made by `classifier_train issues`")
      ->type_name("FILE")
      ->capture_default_str();
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

// Whether the data files can be read; otherwise which flag names the one that can't, and the remedy.
absl::Status CheckDataFiles(const Classifier::Options& options) {
  const struct {
    const char* flag;
    const std::string& path;
    const char* by_default;
  } files[] = {{"--taxonomy", options.taxonomy_path, kTaxonomy},
               {"--gazetteer", options.gazetteer_path, kGazetteer},
               {"--model", options.model_path, kModel}};
  for (const auto& [flag, path, by_default] : files) {
    std::error_code error;
    if (!std::filesystem::is_directory(path, error) && std::ifstream(path, std::ios::binary).is_open()) continue;
    return absl::NotFoundError(absl::StrCat(
        flag, ": \"", path, "\" cannot be read; ",
        path == DataFile(by_default) ? absl::StrCat("install share/dateline beside bin, or give ", flag, " FILE")
                                     : "check the path and who may read it"));
  }
  return absl::OkStatus();
}

absl::Status Serve(const Flags& flags, const rpc::TerminationSignals& signals) {
  if (absl::Status status = CheckDataFiles(flags.classifier); !status.ok()) return status;
  absl::StatusOr<std::unique_ptr<Classifier>> classifier = Classifier::Load(flags.classifier);
  if (!classifier.ok()) return std::move(classifier).status();
  WorkerPool pool(flags.pool);
  ClassifierHandler handler(**classifier, pool);
  absl::StatusOr<std::unique_ptr<rpc::Server>> server = rpc::Server::Start(
      flags.server, {{.name = dateline::classifier::v1::ClassifierService::service_full_name(), .service = &handler}});
  if (!server.ok()) return std::move(server).status();
  common::LogInfo("ready", {{"service", "classifier_service"},
                            {"version", common::kVersion},
                            {"address", (*server)->address()},
                            {"port", (*server)->port()},
                            {"threads", flags.pool.threads},
                            {"model_version", (*classifier)->model_version()},
                            {"taxonomy_version", (*classifier)->taxonomy_version()},
                            {"gazetteer_version", (*classifier)->gazetteer_version()}});
  common::LogInfo("stopping", {{"signal", signals.Wait()}});
  signals.Restore();  // A second signal ends the process at once.
  (*server)->Shutdown(absl::Seconds(flags.grace_seconds));
  pool.Shutdown();
  common::LogInfo("stopped");
  return absl::OkStatus();
}

}  // namespace

int main(int argc, char** argv) {
  const rpc::TerminationSignals signals;  // Before any thread starts, so that all inherit it.
  Flags flags;
  flags.server.listen = "127.0.0.1:50051";
  flags.classifier = {.taxonomy_path = DataFile(kTaxonomy),
                      .gazetteer_path = DataFile(kGazetteer),
                      .model_path = DataFile(kModel),
                      .country_model_path = DataFile(kCountryModel)};
  flags.pool.threads = static_cast<int>(std::max(2U, std::thread::hardware_concurrency()));
  CLI::App app("", "classifier_service");
  Declare(flags, app);
  if (const std::optional<int> status = common::StartProgram(app, argc, argv)) return *status;
  common::ConfigureLog({.min_level = common::ParseLogLevel(flags.log_level).value(),
                        .format = flags.log_json ? common::LogFormat::kJson : common::LogFormat::kText});
  if (const absl::Status status = Serve(flags, signals); !status.ok()) {
    std::fprintf(stderr, "classifier_service: %s\n", std::string(status.message()).c_str());
    return EXIT_FAILURE;
  }
  return EXIT_SUCCESS;
}
