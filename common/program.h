// How every program of this project begins: standard streams, then the command line, declared in its main.cc.
#ifndef DATELINE_COMMON_PROGRAM_H_
#define DATELINE_COMMON_PROGRAM_H_

#include <optional>

#include "absl/strings/string_view.h"

namespace CLI {  // NOLINT(readability-identifier-naming): the library chose it.
class App;
}  // namespace CLI

namespace dateline::common {

// The exit status of every program for a command line that can't be right: nothing was done.
inline constexpr int kExitUsage = 2;

// Reads the command line into what `app` declares. Call it once, before anything opens a file or starts a thread.
// Returns the exit status to end with at once: 0 after --help or --version, kExitUsage after saying on standard error
// what is wrong, EXIT_FAILURE if there is no standard output for help; nullopt to go on.
//
// `app` needs a name, that of the program. Its rules are the same for all programs:
//   - Standard streams that are closed are opened on /dev/null, so that no file or socket takes their place: reading
//     standard input and writing standard output then fail, what is written to standard error is lost. (That happens in
//     every executable that calls this function, before main() and before the constructors of libraries.)
//   - Words of a flag may be divided by dashes or by underscores: --page-size is --page_size. `--name=` gives the flag
//     an empty value. What follows `--` is no flag. `help COMMAND` is `COMMAND --help`.
//   - A command or flag that doesn't exist is named, with the one that may have been meant.
//   - Values must be UTF-8, as all text that leaves a program is, and so must what comes from the environment. Names of
//     files are what they are: values of options whose type_name() is FILE or FOLDER, or a choice with these such as
//     FILE|URL, may hold any bytes.
//   - --help calls every number N, with its range.
std::optional<int> StartProgram(CLI::App& app, int argc, const char* const* argv);

// Says on standard error what is wrong with the command line and where to read on, as StartProgram() does: for what a
// program sees only later. It is to end with kExitUsage then.
void PrintUsageError(const CLI::App& app, absl::string_view problem);

}  // namespace dateline::common

#endif  // DATELINE_COMMON_PROGRAM_H_
