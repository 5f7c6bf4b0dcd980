// web_gateway: browsers in, gRPC out.
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"
#include "google/protobuf/stubs/logging.h"

#include "CLI/CLI.hpp"
#include "common/log.h"
#include "common/program.h"
#include "common/rpc/address.h"
#include "common/rpc/signals.h"
#include "common/status_macros.h"
#include "common/version.h"
#include "web_gateway/descriptor_set.h"
#include "web_gateway/gateway.h"
#include "web_gateway/http_server.h"

namespace dateline::web_gateway {
namespace {

// The only place that knows which services there are: what is reachable where, and what may be read by anybody.
const std::vector<MethodRegistry::Route>& Routes() {
  static const auto* const kRoutes = new std::vector<MethodRegistry::Route>{
      {"dateline.search.v1", "search"},
      {"dateline.classifier.v1", "classifier"},
  };
  return *kRoutes;
}
const std::vector<std::string>& ReadableServices() {
  static const auto* const kServices =
      new std::vector<std::string>{"dateline.search.v1.SearchService", "dateline.classifier.v1.ClassifierService"};
  return *kServices;
}

struct Flags {
  std::string search = "127.0.0.1:50052";
  std::string classifier = "127.0.0.1:50051";
  std::string static_dir;
  std::vector<std::string> allow;
  HttpServer::Options http;
  Gateway::Options gateway;
  double default_timeout_s = 10;
  double max_timeout_s = 60;
  double idle_timeout_s = 60;
  double header_timeout_s = 10;
  double grace_s = 10;
  std::string log_level = "info";
  bool log_json = false;
};

// What is wrong with a value of --cors_origin, which browsers' Origin headers must equal; empty if nothing.
std::string OriginProblem(const std::string& origin) {
  const std::vector<std::string> parts = absl::StrSplit(origin, "://");
  if (origin == "*" || (parts.size() == 2 && !parts[0].empty() && !parts[1].empty() &&
                        parts[1].find_first_of("/?#*") == std::string::npos)) {
    return "";
  }
  return absl::StrCat("\"", origin,
                      "\" is no origin; write it as browsers do, https://example.org without a path, or *");
}

void Declare(Flags& flags, CLI::App& app) {
  app.add_option(
         "--listen", flags.http.listen,
         "Where to listen, HOST:PORT. Loopback by default: put a server with TLS before it to be seen from outside. "
         "Port 0 takes a free one, which the `ready` line names")
      ->type_name("ADDRESS")
      ->capture_default_str();
  app.add_option("--search", flags.search, "Address of search_service")
      ->type_name("ADDRESS")
      ->capture_default_str()
      ->check(common::rpc::AddressProblem);
  app.add_option("--classifier", flags.classifier, "Address of classifier_service")
      ->type_name("ADDRESS")
      ->capture_default_str()
      ->check(common::rpc::AddressProblem);
  app.add_option(
      "--allow", flags.allow,
      "A method that browsers may call besides the reads of SearchService and ClassifierService: "
      "package.Service/Method, or package.Service for all its unary methods. Repeatable. There is no login here: "
      "who reaches the gateway may call what is allowed");
  app.add_option("--cors_origin", flags.gateway.cors_origins,
                 "An origin, such as https://example.org, whose pages may call the gateway; * for any. Repeatable. "
                 "By default only pages that come from the gateway itself may")
      ->check(OriginProblem);
  app.add_option("--static_dir", flags.static_dir,
                 "A folder with a page to serve instead of the built-in one; read once, at the start")
      ->type_name("FOLDER");
  app.add_option("--max_request_bytes", flags.gateway.max_request_bytes,
                 "The largest message in bytes, after decompression. The contract allows 17 MB")
      ->capture_default_str()
      ->check(CLI::Range(1'000, 100'000'000));
  app.add_option("--max_header_bytes", flags.http.max_header_bytes,
                 "The longest request line with headers in bytes. A GET carries its message there")
      ->capture_default_str()
      ->check(CLI::Range(1'000, 1'000'000));
  app.add_option("--max_connections", flags.http.max_connections, "Connections at a time; further ones get 503")
      ->capture_default_str()
      ->check(CLI::Range(1, 100'000));
  app.add_option("--max_buffered_bytes", flags.http.max_buffered_bytes,
                 "Bytes of all requests and answers held at a time; what goes beyond gets 503")
      ->capture_default_str()
      ->check(CLI::Range(1'000'000ULL, 1'000'000'000'000ULL));
  app.add_option("--threads", flags.http.threads, "Threads that serve all connections")
      ->capture_default_str()
      ->check(CLI::Range(1, 256));
  app.add_option("--default_timeout", flags.default_timeout_s, "Deadline in seconds of calls that set none")
      ->capture_default_str()
      ->check(CLI::Range(0.1, 3600.0));
  app.add_option("--max_timeout", flags.max_timeout_s, "Longest deadline in seconds that a caller may set")
      ->capture_default_str()
      ->check(CLI::Range(0.1, 3600.0));
  app.add_option("--header_timeout", flags.header_timeout_s,
                 "Seconds that the headers of a request may take; slower clients are cut off")
      ->capture_default_str()
      ->check(CLI::Range(0.1, 3600.0));
  app.add_option("--idle_timeout", flags.idle_timeout_s, "Seconds that a connection may be idle between requests")
      ->capture_default_str()
      ->check(CLI::Range(0.1, 3600.0));
  app.add_option("--grace", flags.grace_s, "Seconds that requests under way have to finish after SIGTERM")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 3600.0));
  app.add_option("--log_level", flags.log_level, "Least level that is logged: debug, info, warning or error")
      ->capture_default_str()
      ->check(CLI::IsMember({"debug", "info", "warning", "error"}));
  app.add_flag("--log_json", flags.log_json, "Log JSON lines instead of text");
  app.footer(
      "Search by GET:\n"
      "  curl "
      "'http://127.0.0.1:8080/dateline.search.v1.SearchService/"
      "Search?encoding=json&message=%7B%22query%22:%22gas%22%7D'\n"
      "The same by POST:\n"
      "  curl -H 'Content-Type: application/json' -d '{\"query\":\"gas\"}' \\\n"
      "    http://127.0.0.1:8080/dateline.search.v1.SearchService/Search\n"
      "Let the pages of a site take in articles as well:\n"
      "  web_gateway --cors_origin https://example.org --allow dateline.search.v1.IngestService/IngestArticles\n"
      "/healthz says that the gateway runs, /readyz (200 or 503) whether search_service serves. The body of /readyz "
      "tells of classifier_service as well; without it searches go on, so that it alone does not make the gateway "
      "unready.\n"
      "\n"
      "Exit status: 0 after SIGTERM or SIGINT, 1 if it could not start (one line on stderr says why), 2 wrong usage.");
}

absl::StatusOr<StaticSite> LoadSite(const std::string& directory) {
  if (directory.empty()) {
    return StaticSite(BuiltInPage());
  }
  return StaticSite::Load(directory);
}

absl::Status Run(Flags flags) {
  const common::rpc::TerminationSignals signals;
  common::LogOptions log;
  ASSIGN_OR_RETURN(log.min_level, common::ParseLogLevel(flags.log_level));
  log.format = flags.log_json ? common::LogFormat::kJson : common::LogFormat::kText;
  common::ConfigureLog(log);
  // Protobuf would write a line of its own for each string that is not UTF-8: callers hear of it, the log need not.
  google::protobuf::SetLogHandler(nullptr);

  flags.http.header_timeout = absl::Seconds(flags.header_timeout_s);
  flags.http.idle_timeout = absl::Seconds(flags.idle_timeout_s);
  // What comes over the line is never longer than what it unfolds to, but for frames and base64.
  flags.http.max_body_bytes = flags.gateway.max_request_bytes / 3 * 4 + 1024;
  flags.gateway.default_timeout = absl::Seconds(flags.default_timeout_s);
  flags.gateway.max_timeout = absl::Seconds(flags.max_timeout_s);
  flags.gateway.required_upstream = "search";

  ASSIGN_OR_RETURN(auto registry, MethodRegistry::Create(DescriptorSet().front().content,
                                                         {Routes(), ReadableServices(), flags.allow}));
  ASSIGN_OR_RETURN(StaticSite site, LoadSite(flags.static_dir));
  const std::string allowed = absl::StrJoin(registry->AllowedMethods(), ",");
  std::map<std::string, std::unique_ptr<Upstream>> upstreams;
  ASSIGN_OR_RETURN(upstreams["search"], Upstream::Create(flags.search));
  ASSIGN_OR_RETURN(upstreams["classifier"], Upstream::Create(flags.classifier));
  Gateway gateway(std::move(registry), std::move(upstreams), std::move(site), flags.gateway);
  ASSIGN_OR_RETURN(const auto server, HttpServer::Start(flags.http, gateway));
  common::LogInfo("ready", {{"port", server->port()},
                            {"version", common::kVersion},
                            {"listen", flags.http.listen},
                            {"search", flags.search},
                            {"classifier", flags.classifier},
                            {"allowed", allowed},
                            {"cors_origins", absl::StrJoin(flags.gateway.cors_origins, ",")},
                            {"static_dir", flags.static_dir},
                            {"max_request_bytes", flags.gateway.max_request_bytes},
                            {"max_connections", flags.http.max_connections}});
  const int signal = signals.Wait();
  common::LogInfo("stopping", {{"signal", signal}});
  signals.Restore();
  server->Shutdown(absl::Seconds(flags.grace_s));
  common::LogInfo("stopped");
  return absl::OkStatus();
}

}  // namespace
}  // namespace dateline::web_gateway

int main(int argc, char** argv) {
  CLI::App app("Lets browsers search: speaks Connect and gRPC-Web over HTTP/1.1 and serves the search page.",
               "web_gateway");
  dateline::web_gateway::Flags flags;
  dateline::web_gateway::Declare(flags, app);
  app.set_version_flag("--version", dateline::common::kVersion);
  if (const std::optional<int> status = dateline::common::StartProgram(app, argc, argv)) return *status;
  const absl::Status status = dateline::web_gateway::Run(std::move(flags));
  if (!status.ok()) {
    if (absl::IsInvalidArgument(status)) {  // All that Run() can call invalid are flags.
      dateline::common::PrintUsageError(app, status.message());
      return dateline::common::kExitUsage;
    }
    std::fprintf(stderr, "web_gateway: %s\n", std::string(status.message()).c_str());
    return EXIT_FAILURE;
  }
  return EXIT_SUCCESS;
}
