// What the commands share: the global flags, as parsed, and how a command is added to the program.
//
// Flags are parsed in main.cc and in the *_command.cc files and nowhere else.
#ifndef DATELINE_CLI_COMMAND_H_
#define DATELINE_CLI_COMMAND_H_

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

#include "CLI/CLI.hpp"
#include "cli/input.h"
#include "cli/rpc_clients.h"
#include "cli/run_report.h"
#include "cli/text_output.h"

namespace dateline::cli {

enum class OutputFormat {
  kText,       // For people.
  kJson,       // One indented document for each answer.
  kJsonLines,  // One line for each answer.
};

// The global flags, and what the terminal makes of them.
struct Context {
  Endpoint search = {"search_service", "127.0.0.1:50052", "--search"};
  Endpoint classifier = {"classifier_service", "127.0.0.1:50051", "--classifier"};
  OutputFormat output = OutputFormat::kText;
  absl::Duration timeout = absl::Seconds(30);
  bool quiet = false;
  bool stderr_is_terminal = false;
  TextStyle style;        // Of standard output.
  TextStyle error_style;  // Of standard error.

  CallOptions call_options() const { return {.timeout = timeout, .retry = {}}; }
};

using CommandFunction = std::function<ExitCode(const Context&)>;

// The commands, each with what runs it.
using CommandTable = std::vector<std::pair<CLI::App*, CommandFunction>>;

void AddIngestCommand(CLI::App& root, CommandTable& commands);
void AddSyncCommand(CLI::App& root, CommandTable& commands);
void AddExtractCommand(CLI::App& root, CommandTable& commands);
void AddClassifyCommand(CLI::App& root, CommandTable& commands);
void AddEvaluateCommand(CLI::App& root, CommandTable& commands);
void AddSearchCommand(CLI::App& root, CommandTable& commands);
void AddSuggestCommand(CLI::App& root, CommandTable& commands);
void AddSimilarCommand(CLI::App& root, CommandTable& commands);
void AddTrendsCommand(CLI::App& root, CommandTable& commands);
// get, delete, wait.
void AddArticleCommands(CLI::App& root, CommandTable& commands);
// list, changes.
void AddListCommands(CLI::App& root, CommandTable& commands);
// labels set, remove, clear, confirm, export.
void AddLabelsCommand(CLI::App& root, CommandTable& commands);
// taxonomy, taxonomy diff, taxonomy check.
void AddTaxonomyCommand(CLI::App& root, CommandTable& commands);
// index, snapshot, relabel, jobs.
void AddAdminCommands(CLI::App& root, CommandTable& commands);
// info, model, health.
void AddServerCommands(CLI::App& root, CommandTable& commands);

// --input_format, --url, --site_rules, --map, --follow and their kin, which every command that reads pages has.
void AddInputFlags(CLI::App& command, InputOptions& options);

// A line on standard error if somebody at a terminal is expected to type the input: it would look as if nothing
// happened.
void NoteTypedInput(const Context& context, const std::vector<std::string>& places);

// What the reader has to say at the end, on standard error.
void PrintNotes(const Context& context, const InputReader& reader);

// A flag that takes a whole number. Its range is the service's concern.
CLI::Option* AddNumber(CLI::App& command, const std::string& name, std::function<void(int32_t)> assign,
                       const std::string& help);

// "30s", "1m30s", or a bare number of seconds. InvalidArgument for anything else, and for what is negative.
absl::StatusOr<absl::Duration> ParseDurationText(const std::string& text);

// A flag that takes such a duration.
CLI::Option* AddDuration(CLI::App& command, const std::string& name, absl::Duration& target, const std::string& help);

// A flag that takes one of some words; `assign` is called with what the word stands for.
template <typename Value>
CLI::Option* AddChoiceFunction(CLI::App& command, const std::string& name, std::function<void(Value)> assign,
                               std::vector<std::pair<std::string, Value>> choices, const std::string& help);
// The same into a variable.
template <typename Value>
CLI::Option* AddChoice(CLI::App& command, const std::string& name, Value& target,
                       std::vector<std::pair<std::string, Value>> choices, const std::string& help) {
  return AddChoiceFunction<Value>(
      command, name, [&target](Value value) { target = value; }, std::move(choices), help);
}

// "page.html, line 12": which input an item is.
std::string DescribeItem(const InputItem& item);

// Writes to standard output. What can't be written there (a full disk) shows when the program ends.
// Text for people: what could do more to a terminal than set colours goes (common/printable.h).
void Print(absl::string_view text);
// JSON, which means the same when it is read.
void PrintJson(absl::string_view json);
// One line "dateline: …" on standard error.
void PrintError(const Context& context, absl::string_view message);
// The same for an error; kExitFailed, or kExitUsage if it is the request that is invalid: it came from the command
// line.
ExitCode Fail(const Context& context, const absl::Status& error);

// A field of a request, and the flag it comes from.
struct FieldOfFlag {
  absl::string_view field;
  absl::string_view flag;
};
// "facets.field" for "facets[1].field".
std::string WithoutIndexes(absl::string_view field);

// `error` in the terms of the command line: where it refuses fields of the request, because of their values or because
// the server does not act on them yet (reason FIELD_NOT_SUPPORTED), it is an InvalidArgument that names flags instead.
// The first of `fields` counts that is the field or what it lies in. Fields without a flag keep their names.
absl::Status InTermsOfFlags(const absl::Status& error, const std::vector<FieldOfFlag>& fields);

// ---- implementation ----

template <typename Value>
CLI::Option* AddChoiceFunction(CLI::App& command, const std::string& name, std::function<void(Value)> assign,
                               std::vector<std::pair<std::string, Value>> choices, const std::string& help) {
  std::string words;
  for (const auto& choice : choices) words += (words.empty() ? "" : ", ") + choice.first;
  return command
      .add_option_function<std::string>(
          name,
          [name, assign = std::move(assign), choices = std::move(choices), words](const std::string& text) {
            for (const auto& [word, value] : choices) {
              if (word == text) return assign(value);
            }
            throw CLI::ValidationError(name, "“" + text + "” is none of: " + words);
          },
          help + ": " + words)
      ->type_name("WORD");
}

}  // namespace dateline::cli

#endif  // DATELINE_CLI_COMMAND_H_
