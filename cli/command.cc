#include "cli/command.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"

#include "common/error.h"
#include "common/hash.h"
#include "common/printable.h"
#include "extraction/site_rules.h"
#include "extraction/source_reader.h"

namespace dateline::cli {

namespace {

void LoadSiteRules(const std::string& path, InputOptions& options) {
  constexpr size_t kMaxBytes = 4'000'000;
  std::string text(kMaxBytes + 1, '\0');
  std::ifstream file(path, std::ios::binary);
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!file.is_open() || file.bad()) throw CLI::ValidationError(common::Printable(path) + " cannot be read");
  text.resize(static_cast<size_t>(file.gcount()));
  if (text.size() > kMaxBytes) throw CLI::ValidationError(common::Printable(path) + " is longer than 4 MB");
  absl::StatusOr<extraction::SiteRules> rules = extraction::SiteRules::Parse(text);
  if (!rules.ok()) {
    throw CLI::ValidationError(
        absl::StrCat(common::Printable(path), ", ", common::Printable(std::string(rules.status().message()))));
  }
  options.site_rules = std::make_shared<const extraction::SiteRules>(*std::move(rules));
  options.site_rules_digest = common::Hash128Hex(text);
}

}  // namespace

void AddInputFlags(CLI::App& command, InputOptions& options) {
  using extraction::Format;
  std::vector<std::pair<std::string, Format>> formats = {{"auto", Format::kUnknown}};
  for (const Format format : extraction::KnownFormats()) {
    const absl::string_view name = extraction::FormatName(format);
    formats.emplace_back(std::string(name.data(), name.size()), format);
  }
  AddChoice<Format>(command, "--input_format", options.format, std::move(formats),
                    "What the inputs are, where that is not to be told from them");
  command
      .add_option("--url", options.url, "The address of the one page that is read from a file or from standard input")
      ->type_name("URL");
  command
      .add_option_function<std::string>(
          "--site_rules", [&options](const std::string& path) { LoadSiteRules(path, options); },
          "What to select, drop and read on the pages of some sites: [host], then lines such as drop = .promo")
      ->type_name("FILE");
  command
      .add_option_function<std::vector<std::string>>(
          "--map",
          [&options](const std::vector<std::string>& texts) {
            for (const std::string& text : texts) {
              absl::StatusOr<extraction::FieldMapping> mapping = extraction::ParseFieldMapping(text);
              if (!mapping.ok()) throw CLI::ValidationError(std::string(mapping.status().message()));
              options.field_map.push_back(*std::move(mapping));
            }
          },
          "Where JSON, JSON Lines and CSV have a field: body_html=content, title=headline.main, label.section=desk, "
          "items=response.docs for the list of articles; repeat it for each")
      ->type_name("FIELD=NAME")
      ->allow_extra_args(false);
  command.add_option("--post_types", options.post_types, "Of an export of WordPress: which posts are articles [post]")
      ->type_name("TYPE,...")
      ->delimiter(',');
  command.add_option("--post_statuses", options.post_statuses, "The same by status [publish]")
      ->type_name("STATUS,...")
      ->delimiter(',');
  AddChoice<Follow>(command, "--follow", options.follow,
                    {{"auto", Follow::kAuto}, {"always", Follow::kAlways}, {"never", Follow::kNever}},
                    "Fetch the pages that feeds, sitemaps and tables name without having their text [auto: if the "
                    "source is itself a URL]");
  command
      .add_option("--max_fetches", options.max_fetches, "How many pages and sitemaps that sources name may be fetched")
      ->type_name("N")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  command
      .add_option("--max_source_bytes", options.fetch.max_source_bytes,
                  "How long a feed, sitemap or export that is fetched may be; a page may have 16 MB [4GB]")
      ->type_name("SIZE")
      ->transform(CLI::AsSizeValue(/*kb_is_1000=*/true));
  AddDuration(command, "--fetch_delay", options.fetch.delay, "Pause between two of them from one host");
  command.add_flag_callback(
      "--ignore_robots", [&options] { options.fetch.obey_robots = false; },
      "Fetch them also where robots.txt asks not to: for a site of your own");
  command.add_flag("--allow_private_addresses", options.fetch.allow_private_addresses,
                   "Fetch them also from this machine and private networks, from hosts that you did not name");
}

void NoteTypedInput(const Context& context, const std::vector<std::string>& places) {
  if (context.quiet || isatty(STDIN_FILENO) == 0) return;
  if (std::find(places.begin(), places.end(), kStandardInput) == places.end()) return;
  PrintError(context, "reading what is typed; Ctrl-D at the beginning of a line ends it");
}

void PrintNotes(const Context& context, const InputReader& reader) {
  if (context.quiet) return;
  for (const std::string& note : reader.Notes()) PrintError(context, note);
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

absl::StatusOr<absl::Duration> ParseDurationText(const std::string& text) {
  double seconds = 0;
  absl::Duration duration;
  if (absl::SimpleAtod(text, &seconds)) {
    duration = absl::Seconds(seconds);
  } else if (!absl::ParseDuration(text, &duration)) {
    return absl::InvalidArgumentError(absl::StrCat("“", text, "” is no duration such as 30s or 1m30s"));
  }
  if (!(duration >= absl::ZeroDuration())) return absl::InvalidArgumentError(absl::StrCat("“", text, "” is negative"));
  return duration;
}

CLI::Option* AddDuration(CLI::App& command, const std::string& name, absl::Duration& target, const std::string& help) {
  return command
      .add_option_function<std::string>(
          name,
          [name, &target](const std::string& text) {
            const absl::StatusOr<absl::Duration> duration = ParseDurationText(text);
            if (!duration.ok()) throw CLI::ValidationError(name, std::string(duration.status().message()));
            target = *duration;
          },
          absl::StrCat(help, " [", absl::FormatDuration(target), "]"))
      ->type_name("DURATION");
}

std::string DescribeItem(const InputItem& item) {
  const std::string source = item.source == kStandardInput ? "standard input" : common::Printable(item.source);
  return item.position.empty() || item.position == "page" ? source : absl::StrCat(source, ", ", item.position);
}

void Print(absl::string_view text) {
  const std::string clean = common::PrintableLines(text);
  std::fwrite(clean.data(), 1, clean.size(), stdout);
}

void PrintJson(absl::string_view json) {
  const std::string clean = common::PrintableJson(json);
  std::fwrite(clean.data(), 1, clean.size(), stdout);
}

void PrintError(const Context& context, absl::string_view message) {
  // What was printed before comes first, also where both go to the same place.
  std::fflush(stdout);
  const std::string line = absl::StrCat(context.error_style.Red("dateline:"), " ", message, "\n");
  std::fputs(common::PrintableLines(line).c_str(), stderr);
}

ExitCode Fail(const Context& context, const absl::Status& error) {
  PrintError(context, DescribeError(error));
  return absl::IsInvalidArgument(error) ? kExitUsage : kExitFailed;
}

std::string WithoutIndexes(absl::string_view field) {
  std::string plain;
  for (size_t at = 0; at < field.size(); ++at) {
    if (field[at] == '[') at = std::min(field.find(']', at), field.size() - 1);
    if (field[at] != ']') plain.push_back(field[at]);
  }
  return plain;
}

absl::Status InTermsOfFlags(const absl::Status& error, const std::vector<FieldOfFlag>& fields) {
  const std::vector<common::FieldViolation> violations = common::FieldViolationsOf(error);
  const bool refuses_fields = absl::IsInvalidArgument(error) || common::ReasonOf(error) == "FIELD_NOT_SUPPORTED";
  if (!refuses_fields || violations.empty()) return error;
  std::vector<std::string> problems;
  for (const common::FieldViolation& violation : violations) {
    std::string name = violation.field;
    const std::string field = WithoutIndexes(violation.field);
    for (const FieldOfFlag& known : fields) {
      absl::string_view rest = field;
      if (absl::ConsumePrefix(&rest, known.field) && (rest.empty() || rest[0] == '.')) {
        name = std::string(known.flag);
        break;
      }
    }
    problems.push_back(absl::StrCat(name, ": ", violation.description));
  }
  return absl::InvalidArgumentError(absl::StrJoin(problems, "\n  "));
}

}  // namespace dateline::cli
