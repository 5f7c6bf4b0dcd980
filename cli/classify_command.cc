// dateline classify: the tags of pages, by the classifier service.
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "cli/classify_session.h"
#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/json_output.h"
#include "cli/output.pb.h"
#include "cli/progress.h"
#include "common/country_prior.h"
#include "common/error.h"
#include "common/printable.h"
#include "common/rpc/item_error.h"

namespace dateline::cli {
namespace {

namespace cpb = classifier::v1;

struct Flags {
  std::vector<std::string> places;
  InputOptions input;
  bool mentions = false;
  bool explain = false;
  std::string display_language;
  cpb::CountryProfile profile = cpb::COUNTRY_PROFILE_UNSPECIFIED;
  std::vector<common::CountryPrior> priors;
};

const std::vector<FieldOfFlag>& FieldsOfFlags() {
  static const auto* const kFields = new std::vector<FieldOfFlag>{
      {"display_language", "--display_language"}, {"priors", "--prior"}, {"profile", "--profile"}};
  return *kFields;
}

// Whether what is wrong is not this article but a flag, and so every article.
bool IsOfAFlag(const absl::Status& error) {
  const std::vector<common::FieldViolation> violations = common::FieldViolationsOf(error);
  return std::any_of(violations.begin(), violations.end(), [](const common::FieldViolation& violation) {
    const std::string field = WithoutIndexes(violation.field);
    return std::any_of(FieldsOfFlags().begin(), FieldsOfFlags().end(), [&field](const FieldOfFlag& known) {
      return field == known.field || absl::StartsWith(field, absl::StrCat(known.field, "."));
    });
  });
}

class Run {
 public:
  Run(const Context& context, const Flags& flags, const ClassifierClient& client)
      : context_(context),
        flags_(flags),
        client_(client),
        reader_(flags.places, InputWithEveryLine(flags.input)),
        progress_(STDERR_FILENO, context.stderr_is_terminal && !context.quiet && context.output != OutputFormat::kText,
                  context.error_style.columns) {}

  ExitCode Go() {
    cpb::ClassifyRequest request;
    request.set_include_mentions(flags_.mentions);
    request.set_display_language(flags_.display_language);
    request.set_include_scores(flags_.explain);
    request.set_profile(flags_.profile);
    for (const common::CountryPrior& prior : flags_.priors) {
      cpb::CountryPrior& added = *request.add_priors();
      prior.is_country ? added.set_region_code(prior.id) : added.set_group_id(prior.id);
      added.set_log_odds(prior.log_odds);
    }
    ClassifySession session(client_, reader_, {.request = request, .keep_bodies = false});
    const absl::Status status = session.Run([this](ClassifiedItem& answered) { return Show(answered); },
                                            [this] {
                                              std::fflush(stdout);
                                              progress_.Show({.items = done_,
                                                              .rejected = failures_,
                                                              .bytes = reader_.bytes_read(),
                                                              .total_bytes = reader_.total_bytes()});
                                            });
    progress_.Clear();
    if (!status.ok()) return Fail(context_, status);
    if (Interrupted()) return kExitInterrupted;
    PrintNotes(context_, reader_);
    return failures_ > 0 ? kExitSomeRejected : kExitOk;
  }

 private:
  static InputOptions InputWithEveryLine(InputOptions input) {
    input.every_line = true;
    return input;
  }

  absl::Status Show(ClassifiedItem& answered) {
    const absl::Status& error = answered.response.status();
    if (IsOfAFlag(error)) return InTermsOfFlags(error, FieldsOfFlags());
    if (error.ok()) {
      PrintTags(answered, *answered.response);
    } else {
      PrintFailure(answered, error);
    }
    ++done_;
    return absl::OkStatus();
  }

  static ClassifyLine LineOf(const ClassifiedItem& entry) {
    ClassifyLine line;
    line.set_id(entry.item.id);
    line.set_source(common::Printable(entry.item.source));
    line.set_position(entry.item.position);
    if (entry.item.extraction.ok()) {
      for (const std::string& warning : entry.item.extraction->warnings) line.add_warnings(warning);
    }
    return line;
  }

  void PrintFailure(const ClassifiedItem& entry, const absl::Status& error) {
    ++failures_;
    if (context_.output == OutputFormat::kJsonLines) {
      ClassifyLine line = LineOf(entry);
      *line.mutable_error() = common::rpc::ToItemError(error);
      PrintJson(ToJson(line, JsonLayout::kLine, JsonFields::kAll));
      return;
    }
    progress_.Clear();
    PrintError(context_, absl::StrCat(DescribeItem(entry.item), ": ", DescribeError(error)));
  }

  void PrintTags(ClassifiedItem& entry, cpb::ClassifyResponse& response) {
    for (const std::string& warning : entry.item.extraction->warnings) response.add_warnings(warning);
    switch (context_.output) {
      case OutputFormat::kText:
        Print(absl::StrCat(done_ == 0 && first_ ? "" : "\n", FormatTags(entry.article, response, context_.style)));
        first_ = false;
        if (!context_.quiet) {
          const std::vector<std::string> warnings(response.warnings().begin(), response.warnings().end());
          Print(FormatWarnings(warnings, context_.style));
        }
        break;
      case OutputFormat::kJson:
        // As if the page had been sent: evidence points into the extracted article.
        if (entry.item.format != extraction::Format::kJsonLines) *response.mutable_article() = entry.article;
        PrintJson(ToJson(response, JsonLayout::kPretty, JsonFields::kSet));
        break;
      case OutputFormat::kJsonLines: {
        ClassifyLine line = LineOf(entry);
        *line.mutable_countries() = std::move(*response.mutable_countries());
        *line.mutable_groups() = std::move(*response.mutable_groups());
        *line.mutable_issues() = std::move(*response.mutable_issues());
        *line.mutable_mentions() = std::move(*response.mutable_mentions());
        *line.mutable_warnings() = std::move(*response.mutable_warnings());
        line.set_country_outcome(response.country_outcome());
        line.set_issue_outcome(response.issue_outcome());
        line.set_language_code(response.language_code());
        line.set_model_version(response.model_version());
        line.set_taxonomy_version(response.taxonomy_version());
        line.set_gazetteer_version(response.gazetteer_version());
        *line.mutable_scores() = std::move(*response.mutable_scores());
        if (response.has_in_training()) line.set_in_training(response.in_training());
        if (response.has_in_country_training()) line.set_in_country_training(response.in_country_training());
        if (response.has_no_country()) *line.mutable_no_country() = response.no_country();
        PrintJson(ToJson(line, JsonLayout::kLine, JsonFields::kAll));
        break;
      }
    }
  }

  const Context& context_;
  const Flags& flags_;
  const ClassifierClient& client_;
  InputReader reader_;
  ProgressBar progress_;
  int64_t done_ = 0;
  int64_t failures_ = 0;
  bool first_ = true;
};

ExitCode Classify(const Context& context, const Flags& flags) {
  InstallInterruptHandler();
  if (const absl::Status status = CheckUrlIsOfOne(flags.places, flags.input); !status.ok())
    return Fail(context, status);
  NoteTypedInput(context, flags.places);
  const absl::StatusOr<ClassifierClient> client = ConnectForManyArticles(context.classifier, context.call_options());
  if (!client.ok()) return Fail(context, client.status());
  return Run(context, flags, *client).Go();
}

}  // namespace

void AddClassifyCommand(CLI::App& root, CommandTable& commands) {
  auto flags = std::make_shared<Flags>();
  CLI::App* command = root.add_subcommand("classify", "Show the countries and issues of pages, and why");
  command->footer(
      "With --output jsonl every input gives one line, in the order of the inputs: its `id`, `countries`, `groups` "
      "and\n"
      "`issues` with their scores, or `error`. Every line of a JSON Lines input has its answer, also a bad one. Lines "
      "are\n"
      "{\"id\", \"url\", \"title\", \"body\", \"date\", \"authors\", \"source\", \"language\"}; title or body is "
      "needed.\n"
      "\n"
      "Examples:\n"
      "  dateline classify page.html\n"
      "  dateline classify page.html --explain\n"
      "  dateline classify --input_format jsonl --output jsonl < articles.jsonl > tags.jsonl\n"
      "  dateline classify https://example.org/commentary/a-piece --output json\n"
      "  dateline classify page.html --profile strict --prior IR=1.5 --prior gcc=1\n"
      "\n"
      "Exit status: 0; 3 if some inputs could not be classified; 1 if the classifier could not be reached; 2 wrong "
      "usage;\n"
      "130 Ctrl-C.");
  command
      ->add_option("PAGE", flags->places,
                   "What to classify: files, folders, http(s) URLs; - (the default) is standard input")
      ->type_name("FILE|FOLDER|URL");
  command->add_flag("--mentions", flags->mentions, "Show every place, person and organisation that was recognised");
  command->add_flag(
      "--explain", flags->explain,
      "Show of every issue what the model said, what that is as a probability, and from where on it is a tag");
  command->add_option("--display_language", flags->display_language, "Language of the names shown, such as fr")
      ->type_name("LANGUAGE");
  AddChoice<cpb::CountryProfile>(*command, "--profile", flags->profile,
                                 {{"strict", cpb::COUNTRY_PROFILE_STRICT},
                                  {"default", cpb::COUNTRY_PROFILE_DEFAULT},
                                  {"generous", cpb::COUNTRY_PROFILE_GENEROUS}},
                                 "Which countries and groups are tagged, the focus only, what an editor would file the "
                                 "page under, or all that an archive would [default]");
  command
      ->add_option_function<std::vector<std::string>>(
          "--prior",
          [flags](const std::vector<std::string>& texts) {
            absl::StatusOr<std::vector<common::CountryPrior>> priors = common::ParseCountryPriors(texts);
            if (!priors.ok()) throw CLI::ValidationError("--prior", std::string(priors.status().message()));
            flags->priors = *std::move(priors);
          },
          "What is known beforehand, such as where the outlet writes from: IR=1.5 adds 1.5 to the log-odds of Iran, "
          "gcc=1 that much to those of the group and half to its members; -2 to 2; repeat it for each")
      ->type_name("CODE=N")
      ->allow_extra_args(false);
  AddInputFlags(*command, flags->input);
  commands.emplace_back(command, [flags](const Context& context) {
    if (flags->places.empty()) flags->places.emplace_back(kStandardInput);
    return Classify(context, *flags);
  });
}

}  // namespace dateline::cli
