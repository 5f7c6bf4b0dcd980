// dateline info, model, health: what the servers say of themselves.
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"

#include "cli/command.h"
#include "cli/json_output.h"
#include "common/rpc/address.h"

namespace dateline::cli {
namespace {

namespace cpb = classifier::v1;
namespace spb = search::v1;

struct HealthFlags {
  std::string address;
  std::string service;
};

// `text` makes the answer into text.
template <typename Response, typename Formatter>
ExitCode PrintAnswer(const Context& context, const absl::StatusOr<Response>& response, Formatter text) {
  if (!response.ok()) return Fail(context, response.status());
  if (context.output == OutputFormat::kText) {
    Print(text(*response));
  } else {
    PrintJson(ToJson(*response, context.output == OutputFormat::kJson ? JsonLayout::kPretty : JsonLayout::kLine,
                     JsonFields::kSet));
  }
  return kExitOk;
}

ExitCode Info(const Context& context) {
  const absl::StatusOr<SearchClient> client = SearchClient::Connect(context.search, context.call_options());
  if (!client.ok()) return Fail(context, client.status());
  return PrintAnswer(context, client->GetIndexInfo({}),
                     [&](const spb::GetIndexInfoResponse& info) { return FormatIndexInfo(info, context.style); });
}

ExitCode Model(const Context& context) {
  const absl::StatusOr<ClassifierClient> client = ClassifierClient::Connect(context.classifier, context.call_options());
  if (!client.ok()) return Fail(context, client.status());
  return PrintAnswer(context, client->GetModelInfo({}),
                     [&](const cpb::GetModelInfoResponse& info) { return FormatModelInfo(info, context.style); });
}

// One server.
ExitCode Health(const Context& context, const Endpoint& endpoint, const std::string& service) {
  if (const absl::Status status = CheckHealth(endpoint, service, context.timeout); !status.ok()) {
    return Fail(context, status);
  }
  if (!context.quiet) Print(absl::StrCat(endpoint.address, " is SERVING\n"));
  return kExitOk;
}

}  // namespace

void AddServerCommands(CLI::App& root, CommandTable& commands) {
  CLI::App* info = root.add_subcommand("info", "Show what the search service holds");
  info->footer("Example:\n  dateline info --output json");
  commands.emplace_back(info, Info);

  CLI::App* model =
      root.add_subcommand("model", "Show the classifier's versions and how well its issue model was measured to do");
  model->footer(
      "Countries have no figures here: `classifier_train countries` prints them when it makes a model, and `dateline "
      "evaluate`\n"
      "measures both on articles of yours.\n"
      "\n"
      "Example:\n  dateline model");
  commands.emplace_back(model, Model);

  auto flags = std::make_shared<HealthFlags>();
  CLI::App* health = root.add_subcommand("health", "Ask servers whether they serve (grpc.health.v1)");
  health->footer(
      "Without --address both the search service and the classifier are asked.\n"
      "\n"
      "Examples:\n"
      "  dateline health\n"
      "  dateline health --address 127.0.0.1:50051 --quiet --timeout 2s\n"
      "\n"
      "Exit status: 0 if all that was asked is SERVING, 1 otherwise.");
  CLI::Option* const address = health->add_option("--address", flags->address, "Ask this server, and no other")
                                   ->type_name("HOST:PORT")
                                   ->check(common::rpc::AddressProblem);
  health
      ->add_option("--service", flags->service,
                   "Ask for one service by its full name, such as dateline.search.v1.SearchService; default: the whole "
                   "server")
      ->type_name("NAME")
      ->needs(address);
  commands.emplace_back(health, [flags](const Context& context) {
    if (!flags->address.empty()) {
      return Health(context, {"the server", flags->address, "--address"}, flags->service);
    }
    const ExitCode search = Health(context, context.search, "");
    const ExitCode classifier = Health(context, context.classifier, "");
    return search == kExitOk ? classifier : search;
  });
}

}  // namespace dateline::cli
