// dateline: the command line of Dateline. A client of the RPCs like any other.
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

#include "CLI/CLI.hpp"
#include "cli/command.h"
#include "common/program.h"
#include "common/rpc/address.h"
#include "common/version.h"

namespace {

using dateline::cli::CommandTable;
using dateline::cli::Context;
using dateline::cli::ExitCode;
using dateline::cli::OutputFormat;

enum class Color { kAuto, kAlways, kNever };

int ColumnsOf(int descriptor) {
  winsize size = {};
  if (ioctl(descriptor, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 100;
  return std::clamp<int>(size.ws_col, 20, 160);
}

bool UseColor(Color color, int descriptor) {
  if (color != Color::kAuto) return color == Color::kAlways;
  const char* const no_color = std::getenv("NO_COLOR");
  const char* const terminal = std::getenv("TERM");
  return isatty(descriptor) != 0 && (no_color == nullptr || *no_color == '\0') &&
         (terminal == nullptr || std::strcmp(terminal, "dumb") != 0);
}

void AddGlobalFlags(CLI::App& app, Context& context, Color& color) {
  for (const auto& [endpoint, variable] :
       {std::pair{&context.search, "DATELINE_SEARCH"}, std::pair{&context.classifier, "DATELINE_CLASSIFIER"}}) {
    app.add_option(endpoint->flag, endpoint->address,
                   absl::StrCat("Address of ", endpoint->service, " [", endpoint->address, "]"))
        ->type_name("HOST:PORT")
        ->envname(variable)
        ->check(dateline::common::rpc::AddressProblem);
  }
  dateline::cli::AddChoice<OutputFormat>(
      app, "--output", context.output,
      {{"text", OutputFormat::kText}, {"json", OutputFormat::kJson}, {"jsonl", OutputFormat::kJsonLines}},
      "What to print [text]");
  dateline::cli::AddDuration(app, "--timeout", context.timeout, "How long one call to a service may take");
  app.add_flag("-q,--quiet", context.quiet, "No progress, notes and summaries");
  dateline::cli::AddChoice<Color>(app, "--color", color,
                                  {{"auto", Color::kAuto}, {"always", Color::kAlways}, {"never", Color::kNever}},
                                  "Whether to use colours [auto: on a terminal]");
  app.set_version_flag("--version", std::string("dateline ") + dateline::common::kVersion);
}

ExitCode RunCommand(const CommandTable& commands, const Context& context) {
  for (const auto& [command, function] : commands) {
    if (command->parsed()) return function(context);
  }
  return dateline::cli::kExitUsage;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Tags news commentary by country and issue, and finds it again.", "dateline");
  app.footer(
      "Flags of this page may stand before or after the command; `dateline COMMAND --help` tells more of that. Words "
      "of a\n"
      "flag may be divided by _ or by -. A variable in parentheses gives an address where the flag doesn't.\n"
      "\n"
      "Examples:\n"
      "  dateline ingest folder/ feed.rss https://example.org/commentary/a-piece\n"
      "  dateline classify page.html\n"
      "  dateline search iran --issue geopolitics --facets country\n"
      "\n"
      "Exit status: 0 done; 1 failed; 2 wrong usage; 3 some inputs were rejected; 4 done, but what was waited for was "
      "not\n"
      "reached in time; 5 `sync` deleted nothing, because too much would go; 130 interrupted.");
  app.require_subcommand(1);
  app.fallthrough();
  Context context;
  Color color = Color::kAuto;
  AddGlobalFlags(app, context, color);
  CommandTable commands;
  dateline::cli::AddIngestCommand(app, commands);
  dateline::cli::AddSyncCommand(app, commands);
  dateline::cli::AddExtractCommand(app, commands);
  dateline::cli::AddClassifyCommand(app, commands);
  dateline::cli::AddEvaluateCommand(app, commands);
  dateline::cli::AddSearchCommand(app, commands);
  dateline::cli::AddSuggestCommand(app, commands);
  dateline::cli::AddSimilarCommand(app, commands);
  dateline::cli::AddTrendsCommand(app, commands);
  dateline::cli::AddArticleCommands(app, commands);
  dateline::cli::AddListCommands(app, commands);
  dateline::cli::AddLabelsCommand(app, commands);
  dateline::cli::AddTaxonomyCommand(app, commands);
  dateline::cli::AddServerCommands(app, commands);
  dateline::cli::AddAdminCommands(app, commands);
  for (CLI::App* command : app.get_subcommands({})) {
    command->footer(absl::StrCat(command->get_footer(),
                                 "\n\nFlags of all commands (--search, --classifier, --output, --timeout, --quiet, "
                                 "--color): dateline --help"));
  }
  if (const std::optional<int> status = dateline::common::StartProgram(app, argc, argv)) return *status;
  context.stderr_is_terminal = isatty(STDERR_FILENO) != 0;
  context.style = {.color = UseColor(color, STDOUT_FILENO), .columns = ColumnsOf(STDOUT_FILENO)};
  context.error_style = {.color = UseColor(color, STDERR_FILENO), .columns = ColumnsOf(STDERR_FILENO)};
  const ExitCode code = RunCommand(commands, context);
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
    std::fprintf(stderr, "dateline: standard output could not be written\n");
    return dateline::cli::kExitFailed;
  }
  return code;
}
