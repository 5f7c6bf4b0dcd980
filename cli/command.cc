#include "cli/command.h"

#include <cstdio>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

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

CLI::Option* AddDuration(CLI::App& command, const std::string& names, absl::Duration& target, const std::string& help) {
  return command
      .add_option_function<std::string>(
          names,
          [&target](const std::string& text) {
            double seconds = 0;
            absl::Duration duration;
            if (absl::SimpleAtod(text, &seconds)) {
              duration = absl::Seconds(seconds);
            } else if (!absl::ParseDuration(text, &duration)) {
              throw CLI::ValidationError(text + " is no duration such as 30s or 1m30s");
            }
            if (!(duration >= absl::ZeroDuration())) throw CLI::ValidationError(text + " is negative");
            target = duration;
          },
          absl::StrCat(help, " [", absl::FormatDuration(target), "]"))
      ->type_name("DURATION");
}

std::string DescribeItem(const InputItem& item) {
  const std::string source = item.source == kStandardInput ? "standard input" : Printable(item.source);
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
  return kExitFailed;
}

}  // namespace dateline::cli
