#include "common/program.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

#include "CLI/CLI.hpp"
#include "common/nearest.h"
#include "common/printable.h"
#include "common/text.h"

namespace dateline::common {
namespace {

// Opens a standard stream that is closed on /dev/null. Runs when nothing is initialised yet, not even a sanitizer: it
// touches no memory and calls the kernel only.
#define DATELINE_UNINSTRUMENTED __attribute__((no_sanitize("address", "thread", "undefined")))
DATELINE_UNINSTRUMENTED void OpenIfClosed(int stream, int mode) {
  if (syscall(SYS_fcntl, stream, F_GETFD) != -1) return;
  // The lowest number that is free is taken: this one, if those below it are open.
  syscall(SYS_openat, AT_FDCWD, "/dev/null", mode);
}

DATELINE_UNINSTRUMENTED void OpenStandardStreams(int /*argc*/, char** /*argv*/, char** /*environment*/) {
  // The wrong way round on purpose: what needs the stream must hear that it isn't there. Nobody could be told that
  // standard error isn't.
  OpenIfClosed(STDIN_FILENO, O_WRONLY);
  OpenIfClosed(STDOUT_FILENO, O_RDONLY);
  OpenIfClosed(STDERR_FILENO, O_WRONLY);
}

// Before the constructors of libraries: gRPC's open an eventfd, which would become standard input. Only the linker's
// .preinit_array, which executables have and libraries may not, comes before those.
using Initializer = void (*)(int, char**, char**);
__attribute__((section(".preinit_array"), used)) const Initializer kBeforeLibraries = OpenStandardStreams;

bool StandardStreamsAreOpen() {
  return fcntl(STDIN_FILENO, F_GETFD) != -1 && fcntl(STDOUT_FILENO, F_GETFD) != -1 &&
         fcntl(STDERR_FILENO, F_GETFD) != -1;
}

std::string Quoted(absl::string_view word) { return absl::StrCat("“", Printable(word), "”"); }

bool IsFlag(absl::string_view word) { return word.size() > 1 && word[0] == '-'; }

// Stands before words that came after "--" until TakePlainWords() removes it. CLI11 forgets what "--" means when a
// command hands it on to the program, as after `search iran --`.
constexpr char kPlain[] = "\x01";

std::string WithoutMark(const std::string& word) { return std::string(absl::StripPrefix(word, kPlain)); }

// Lets positional arguments take words that came after "--".
void TakePlainWords(CLI::App& app) {
  for (CLI::Option* option : app.get_options()) {
    if (option->get_positional()) option->transform(WithoutMark);
  }
  for (CLI::App* command : app.get_subcommands({})) TakePlainWords(*command);
}

// The command line as CLI11 wants it, but first word first.
std::vector<std::string> Words(const CLI::App& app, int argc, const char* const* argv) {
  std::vector<std::string> given(argv + std::min(argc, 1), argv + argc);
  if (!given.empty() && given.front() == "help" && !app.get_subcommands({}).empty()) {
    given.erase(given.begin());
    given.emplace_back("--help");
  }
  std::vector<std::string> words;
  for (auto word = given.begin(); word != given.end(); ++word) {
    if (*word == "--") {
      while (++word != given.end()) words.push_back(kPlain + *word);
      break;
    }
    if (absl::StartsWith(*word, "--")) {
      const size_t end = std::min(word->find('='), word->size());
      std::replace(word->begin() + 2, word->begin() + static_cast<std::ptrdiff_t>(end), '-', '_');
      // CLI11 would take the next word for the value.
      if (end + 1 == word->size()) {
        words.push_back(word->substr(0, end));
        words.emplace_back();
        continue;
      }
    }
    words.push_back(*word);
  }
  return words;
}

// The program, then the commands that were given.
std::vector<const CLI::App*> Chosen(const CLI::App& app) {
  std::vector<const CLI::App*> chosen = {&app};
  while (!chosen.back()->get_subcommands().empty()) chosen.push_back(chosen.back()->get_subcommands().front());
  return chosen;
}

std::vector<const CLI::Option*> OptionsOf(const std::vector<const CLI::App*>& apps) {
  std::vector<const CLI::Option*> options;
  for (const CLI::App* app : apps) {
    for (const CLI::Option* option : app->get_options()) options.push_back(option);
  }
  return options;
}

std::vector<std::string> CommandNames(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands({})) names.push_back(command->get_name());
  return names;
}

std::string ListCommands(const CLI::App& app) {
  return absl::StrCat("Commands: ", absl::StrJoin(CommandNames(app), ", "));
}

// "; did you mean X?", or nothing.
std::string Guess(absl::string_view word, const std::vector<std::string>& names) {
  const std::vector<size_t> nearest = NearestNames(word, names, 1);
  return nearest.empty() ? "" : absl::StrCat("; did you mean ", names[nearest.front()], "?");
}

bool HasFlag(const CLI::App& app, absl::string_view name) {
  const std::vector<const CLI::Option*> options = app.get_options();
  return std::any_of(options.begin(), options.end(),
                     [name](const CLI::Option* option) { return option->check_name(std::string(name)); });
}

std::string DescribeUnknownFlag(const std::vector<const CLI::App*>& chosen, absl::string_view word) {
  const absl::string_view name = word.substr(0, word.find('='));
  const std::string program = chosen.front()->get_name();
  std::vector<std::string> owners;
  for (const CLI::App* command : chosen.front()->get_subcommands({})) {
    if (!HasFlag(*command, name)) continue;
    if (command == chosen.back()) {
      return absl::StrCat(Printable(name), " comes after the command: ", program, " ", command->get_name(), " ",
                          Printable(name));
    }
    owners.push_back(absl::StrCat("`", program, " ", command->get_name(), "`"));
  }
  if (!owners.empty()) {
    return absl::StrCat(Printable(name), " is a flag of ", absl::StrJoin(owners, ", "),
                        chosen.size() == 1
                            ? ", and comes after the command"
                            : absl::StrCat("; `", program, " ", chosen.back()->get_name(), "` has none"));
  }
  std::vector<std::string> names;
  bool takes_words = false;
  for (const CLI::Option* option : OptionsOf(chosen)) {
    for (const std::string& long_name : option->get_lnames()) names.push_back(absl::StrCat("--", long_name));
    takes_words = takes_words || option->get_positional();
  }
  std::string text = absl::StrCat("there is no flag ", Printable(name));
  const std::string guess = absl::StartsWith(name, "--") ? Guess(name, names) : "";
  absl::StrAppend(&text, guess);
  if (guess.empty() && takes_words) absl::StrAppend(&text, "; a word that begins with a dash comes after --");
  return text;
}

// CLI11 passes over what the environment holds, from 2.4 on, if it can't be a value: it would look as if it had been
// taken. Throws what such a value on the command line would.
void TakeRefusedEnvironment(CLI::App& app) {
  for (CLI::App* chosen = &app; chosen != nullptr;) {
    for (CLI::Option* option : chosen->get_options()) {
      if (option->count() > 0 || option->get_envname().empty()) continue;
      const char* const value = std::getenv(option->get_envname().c_str());
      if (value == nullptr || *value == '\0') continue;
      option->add_result(std::string(value));
      option->run_callback();
    }
    const std::vector<CLI::App*> commands = chosen->get_subcommands();
    chosen = commands.empty() ? nullptr : commands.front();
  }
}

// "--search", or "--search (or DATELINE_SEARCH)": where its value may have come from.
std::string NameOf(const CLI::Option& option) {
  const std::string name = option.get_name();
  return option.get_envname().empty() ? name : absl::StrCat(name, " (or ", option.get_envname(), ")");
}

std::string DescribeMissing(const CLI::Option& option) {
  return absl::StrCat(NameOf(option), " is missing: ", option.get_description());
}

// What is wrong, in a line or two. CLI11's exceptions know little: what `app` has seen says more.
std::string Describe(const CLI::App& app, const std::vector<std::string>& words, const CLI::ParseError& error) {
  const std::vector<const CLI::App*> chosen = Chosen(app);
  const std::vector<const CLI::Option*> options = OptionsOf(chosen);
  const bool lacks_command = chosen.size() == 1 && !app.get_subcommands({}).empty();
  // What nobody took comes first: other complaints mostly follow from it.
  for (const std::string& word : app.remaining(true)) {
    if (IsFlag(word)) return DescribeUnknownFlag(chosen, word);
    if (lacks_command) {
      return absl::StrCat("there is no command ", Quoted(WithoutMark(word)), Guess(word, CommandNames(app)), "\n",
                          ListCommands(app));
    }
    return absl::StrCat(Quoted(WithoutMark(word)), " is one word too many");
  }
  const std::string name = error.get_name();
  if (name == "RequiredError") {
    if (lacks_command) return absl::StrCat("a command is missing\n", ListCommands(app));
    for (const CLI::Option* option : options) {
      if (option->get_required() && option->count() == 0) return DescribeMissing(*option);
    }
  }
  if (name == "ArgumentMismatch") {
    for (const CLI::Option* option : options) {
      const int most = option->get_items_expected_max();  // 0 for flags without a value, which may be repeated.
      if (option->get_multi_option_policy() == CLI::MultiOptionPolicy::Throw && most > 0 &&
          option->count() > static_cast<size_t>(most)) {
        return absl::StrCat(NameOf(*option), " is given ", option->count(), " times; once is enough");
      }
    }
    // The command line ended where a value should have been.
    for (const CLI::Option* option : options) {
      if (!words.empty() && option->check_name(words.back())) {
        const std::string type = option->get_type_name();
        return absl::StrCat(option->get_name(), " needs a value", type.empty() ? "" : ": ", type);
      }
    }
  }
  std::string what = Printable(error.what());
  for (const CLI::Option* option : options) {
    absl::string_view rest = what;
    if (absl::ConsumePrefix(&rest, absl::StrCat(option->get_name(), ": "))) {
      return absl::StrCat(NameOf(*option), ": ", rest);
    }
  }
  return what;
}

bool NamesFiles(const CLI::Option& option) {
  const std::vector<std::string> types = absl::StrSplit(option.get_type_name(), absl::ByAnyChar("|:"));
  return std::any_of(types.begin(), types.end(),
                     [](const std::string& type) { return type == "FILE" || type == "FOLDER"; });
}

// What is wrong with values that CLI11 took; empty if nothing.
std::string DescribeBadValue(const CLI::App& app) {
  for (const CLI::Option* option : OptionsOf(Chosen(app))) {
    const bool names_files = NamesFiles(*option);
    for (const std::string& value : option->results()) {
      if (names_files && option->get_positional() && value.empty()) {
        return absl::StrCat(option->get_name(), ": one of them is empty; what was it to name?");
      }
      if (!names_files && !IsValidUtf8(value)) {
        return absl::StrCat(NameOf(*option), ": ", Quoted(value),
                            " is not UTF-8; is the terminal or the script in another encoding?");
      }
    }
  }
  return "";
}

// Help as CLI11 writes it, but for its names of numbers: they are those of C++.
class Help : public CLI::Formatter {
 public:
  std::string make_option_opts(const CLI::Option* option) const override {
    std::string text = CLI::Formatter::make_option_opts(option);
    for (const char* type : {"UINT", "INT", "FLOAT"}) {
      const std::string name = absl::StrCat(" ", type);
      if (!absl::StartsWith(text, name)) continue;
      absl::string_view rest = absl::string_view(text).substr(name.size());
      // The check of a range says once more what it is a range of.
      if (absl::ConsumePrefix(&rest, ":")) rest.remove_prefix(std::min(rest.find(' '), rest.size()));
      return absl::StrCat(" N", rest);
    }
    return text;
  }
};

void UseFormatter(CLI::App& app, const std::shared_ptr<Help>& formatter) {
  app.formatter(formatter);
  for (CLI::App* command : app.get_subcommands({})) UseFormatter(*command, formatter);
}

}  // namespace

void PrintUsageError(const CLI::App& app, absl::string_view problem) {
  std::vector<std::string> command;
  for (const CLI::App* chosen : Chosen(app)) command.push_back(chosen->get_name());
  const std::string text =
      absl::StrCat(app.get_name(), ": ", problem, "\n`", absl::StrJoin(command, " "), " --help` tells more\n");
  std::fwrite(text.data(), 1, text.size(), stderr);
}

std::optional<int> StartProgram(CLI::App& app, int argc, const char* const* argv) {
  if (!StandardStreamsAreOpen()) {
    std::fprintf(stderr, "%s: /dev/null cannot be opened, and a standard stream is closed\n", app.get_name().c_str());
    return EXIT_FAILURE;
  }
  const std::vector<std::string> words = Words(app, argc, argv);
  TakePlainWords(app);
  UseFormatter(app, std::make_shared<Help>());
  try {
    app.parse(std::vector<std::string>(words.rbegin(), words.rend()));
    TakeRefusedEnvironment(app);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() != static_cast<int>(CLI::ExitCodes::Success)) {
      PrintUsageError(app, Describe(app, words, error));
      return kExitUsage;
    }
    std::ostringstream help;
    app.exit(error, help, help);
    std::fputs(help.str().c_str(), stdout);
    if (std::fflush(stdout) == 0) return EXIT_SUCCESS;
    std::fprintf(stderr, "%s: standard output cannot be written: %s\n", app.get_name().c_str(), std::strerror(errno));
    return EXIT_FAILURE;
  }
  if (const std::string problem = DescribeBadValue(app); !problem.empty()) {
    PrintUsageError(app, problem);
    return kExitUsage;
  }
  return std::nullopt;
}

}  // namespace dateline::common
