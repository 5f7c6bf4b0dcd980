// What the commands share: the global flags, as parsed, and how a command is added to the program.
//
// Flags are parsed in main.cc and in the *_command.cc files and nowhere else.
#ifndef DATELINE_CLI_COMMAND_H_
#define DATELINE_CLI_COMMAND_H_

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
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
void AddExtractCommand(CLI::App& root, CommandTable& commands);
void AddClassifyCommand(CLI::App& root, CommandTable& commands);
void AddSearchCommand(CLI::App& root, CommandTable& commands);
void AddSuggestCommand(CLI::App& root, CommandTable& commands);
// get, delete, wait.
void AddArticleCommands(CLI::App& root, CommandTable& commands);
// info, taxonomy, model, health.
void AddServerCommands(CLI::App& root, CommandTable& commands);

// --input_format and --url, which every command that reads pages has.
void AddInputFlags(CLI::App& command, InputOptions& options);

// A flag that takes a duration: "30s", "1m30s", or a bare number of seconds. Not negative.
CLI::Option* AddDuration(CLI::App& command, const std::string& names, absl::Duration& target, const std::string& help);

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
void Print(absl::string_view text);
// One line "dateline: …" on standard error.
void PrintError(const Context& context, absl::string_view message);
// The same for an error; kExitFailed.
ExitCode Fail(const Context& context, const absl::Status& error);

// ---- implementation ----

template <typename Value>
CLI::Option* AddChoiceFunction(CLI::App& command, const std::string& name, std::function<void(Value)> assign,
                               std::vector<std::pair<std::string, Value>> choices, const std::string& help) {
  std::string words;
  for (const auto& choice : choices) words += (words.empty() ? "" : ", ") + choice.first;
  return command
      .add_option_function<std::string>(
          name,
          [assign = std::move(assign), choices = std::move(choices), words](const std::string& text) {
            for (const auto& [word, value] : choices) {
              if (word == text) return assign(value);
            }
            throw CLI::ValidationError(text + " is none of: " + words);
          },
          help + ": " + words)
      ->type_name("");
}

}  // namespace dateline::cli

#endif  // DATELINE_CLI_COMMAND_H_
