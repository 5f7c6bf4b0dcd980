#include "cli/command.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"

#include "common/error.h"
#include "common/printable.h"
#include "extraction/source_reader.h"

namespace dateline::cli {

void AddInputFlags(CLI::App& command, InputOptions& options) {
  using extraction::Format;
  AddChoice<Format>(command, "--input_format", options.format,
                    {{"auto", Format::kUnknown},
                     {"html", Format::kHtml},
                     {"text", Format::kText},
                     {"feed", Format::kFeed},
                     {"jsonl", Format::kJsonLines}},
                    "What the inputs are, where that is not to be told from them");
  command.add_option("--url", options.url, "The address of a page that is read from a file or from standard input")
      ->type_name("URL");
}

void NoteTypedInput(const Context& context, const std::vector<std::string>& places) {
  if (context.quiet || isatty(STDIN_FILENO) == 0) return;
  if (std::find(places.begin(), places.end(), kStandardInput) == places.end()) return;
  PrintError(context, "reading what is typed; Ctrl-D at the beginning of a line ends it");
}

CLI::Option* AddNumber(CLI::App& command, const std::string& name, std::function<void(int32_t)> assign,
                       const std::string& help) {
  return command
      .add_option_function<std::string>(
          name,
          [name, assign = std::move(assign)](const std::string& text) {
            int32_t number = 0;
            if (!absl::SimpleAtoi(text, &number)) {
              throw CLI::ValidationError(name, absl::StrCat("“", text, "” is no whole number"));
            }
            assign(number);
          },
          help)
      ->type_name("N");
}

CLI::Option* AddDuration(CLI::App& command, const std::string& name, absl::Duration& target, const std::string& help) {
  return command
      .add_option_function<std::string>(
          name,
          [name, &target](const std::string& text) {
            double seconds = 0;
            absl::Duration duration;
            if (absl::SimpleAtod(text, &seconds)) {
              duration = absl::Seconds(seconds);
            } else if (!absl::ParseDuration(text, &duration)) {
              throw CLI::ValidationError(name, absl::StrCat("“", text, "” is no duration such as 30s or 1m30s"));
            }
            if (!(duration >= absl::ZeroDuration()))
              throw CLI::ValidationError(name, absl::StrCat("“", text, "” is negative"));
            target = duration;
          },
          absl::StrCat(help, " [", absl::FormatDuration(target), "]"))
      ->type_name("DURATION");
}

std::string DescribeItem(const InputItem& item) {
  const std::string source = item.source == kStandardInput ? "standard input" : common::Printable(item.source);
  return item.position.empty() || item.position == "page" ? source : absl::StrCat(source, ", ", item.position);
}

void Print(absl::string_view text) { std::fwrite(text.data(), 1, text.size(), stdout); }

void PrintError(const Context& context, absl::string_view message) {
  // What was printed before comes first, also where both go to the same place.
  std::fflush(stdout);
  const std::string line = absl::StrCat(context.error_style.Red("dateline:"), " ", message, "\n");
  std::fwrite(line.data(), 1, line.size(), stderr);
}

ExitCode Fail(const Context& context, const absl::Status& error) {
  PrintError(context, DescribeError(error));
  return absl::IsInvalidArgument(error) ? kExitUsage : kExitFailed;
}

absl::Status InTermsOfFlags(const absl::Status& error, const std::vector<FieldOfFlag>& fields) {
  const std::vector<common::FieldViolation> violations = common::FieldViolationsOf(error);
  if (!absl::IsInvalidArgument(error) || violations.empty()) return error;
  std::vector<std::string> problems;
  for (const common::FieldViolation& violation : violations) {
    std::string name = violation.field;
    for (const FieldOfFlag& known : fields) {
      absl::string_view rest = violation.field;
      if (absl::ConsumePrefix(&rest, known.field) && (rest.empty() || rest[0] == '.' || rest[0] == '[')) {
        name = std::string(known.flag);
        break;
      }
    }
    problems.push_back(absl::StrCat(name, ": ", violation.description));
  }
  return absl::InvalidArgumentError(absl::StrJoin(problems, "\n  "));
}

}  // namespace dateline::cli
