// dateline classify: the tags of pages, by the classifier service.
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <deque>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/json_output.h"
#include "cli/output.pb.h"
#include "cli/progress.h"
#include "common/country_prior.h"
#include "common/error.h"
#include "common/printable.h"
#include "common/rpc/item_error.h"
#include "extraction/extraction_proto.h"

namespace dateline::cli {
namespace {

namespace cpb = classifier::v1;

// Enough to keep the classifier busy while the next lines are read; answers of so many articles stay far below the
// limit on an answer.
constexpr int kMaxBatchItems = 32;
constexpr size_t kMaxBatchBytes = 2'000'000;
constexpr size_t kBatchesInFlight = 4;
// A classifier that restarts in the middle of a long run is waited for.
constexpr absl::Duration kGiveUpAfter = absl::Seconds(30);
constexpr char kResponseTooLarge[] = "RESPONSE_TOO_LARGE";

struct Flags {
  std::vector<std::string> places;
  InputOptions input;
  bool mentions = false;
  std::string display_language;
  cpb::CountryProfile profile = cpb::COUNTRY_PROFILE_UNSPECIFIED;
  std::vector<common::CountryPrior> priors;
};

// One input: what is asked about it, or why nothing is.
struct Entry {
  InputItem item;
  article::v1::Article article;
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

using Answers = absl::StatusOr<cpb::BatchClassifyResponse>;

struct Batch {
  std::vector<Entry> entries;
  cpb::BatchClassifyRequest request;  // One for each entry whose extraction succeeded, in their order.
  size_t bytes = 0;
  std::future<Answers> answers;
};

// Asks for `request`; what is too large to be answered together is asked for in parts.
Answers Ask(const ClassifierClient& client, const cpb::BatchClassifyRequest& request) {
  Answers answers = client.BatchClassify(request);
  if (request.requests_size() < 2) return answers;
  if (!answers.ok() && common::ReasonOf(answers.status()) == kResponseTooLarge) {
    cpb::BatchClassifyResponse joined;
    for (const int half : {0, 1}) {
      cpb::BatchClassifyRequest part;
      const int middle = request.requests_size() / 2;
      for (int i = half == 0 ? 0 : middle; i < (half == 0 ? middle : request.requests_size()); ++i) {
        *part.add_requests() = request.requests(i);
      }
      Answers answered = Ask(client, part);
      if (!answered.ok()) return answered;
      for (cpb::BatchClassifyResult& result : *answered->mutable_results()) *joined.add_results() = std::move(result);
    }
    return joined;
  }
  if (!answers.ok()) return answers;
  for (int i = 0; i < std::min(answers->results_size(), request.requests_size()); ++i) {
    cpb::BatchClassifyResult& result = *answers->mutable_results(i);
    if (result.error().reason() != kResponseTooLarge) continue;
    cpb::BatchClassifyRequest alone;
    *alone.add_requests() = request.requests(i);
    Answers answered = client.BatchClassify(alone);
    if (answered.ok() && answered->results_size() == 1) result = std::move(*answered->mutable_results(0));
  }
  return answers;
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
    while (true) {
      // Whoever writes the lines may wait for an answer before writing the next.
      if (reader_.MayWait()) {
        Launch();
        while (!in_flight_.empty()) {
          if (const absl::Status status = FinishFirst(); !status.ok()) return End(status);
        }
      }
      std::optional<InputItem> item = reader_.Next();
      if (!item) break;
      Add(*std::move(item));
      while (in_flight_.size() >= kBatchesInFlight) {
        if (const absl::Status status = FinishFirst(); !status.ok()) return End(status);
      }
    }
    Launch();
    while (!in_flight_.empty()) {
      if (const absl::Status status = FinishFirst(); !status.ok()) return End(status);
    }
    return End(absl::OkStatus());
  }

 private:
  static InputOptions InputWithEveryLine(InputOptions input) {
    input.every_line = true;
    return input;
  }

  ExitCode End(const absl::Status& status) {
    progress_.Clear();
    if (!status.ok()) return Fail(context_, status);
    if (Interrupted()) return kExitInterrupted;
    return failures_ > 0 ? kExitSomeRejected : kExitOk;
  }

  void Add(InputItem item) {
    Entry entry{.item = std::move(item), .article = {}};
    if (entry.item.extraction.ok()) {
      entry.article = extraction::ToProto(entry.item.extraction->article);
      cpb::ClassifyRequest request;
      // What the classifier looks at, and nothing else.
      article::v1::Article& asked = *request.mutable_article();
      asked.set_title(entry.article.title());
      asked.set_body(entry.article.body());
      asked.set_language_code(entry.article.language_code());
      if (entry.article.has_publish_time()) *asked.mutable_publish_time() = entry.article.publish_time();
      asked.set_publish_time_precision(entry.article.publish_time_precision());
      request.set_include_mentions(flags_.mentions);
      request.set_display_language(flags_.display_language);
      request.set_profile(flags_.profile);
      for (const common::CountryPrior& prior : flags_.priors) {
        cpb::CountryPrior& added = *request.add_priors();
        prior.is_country ? added.set_region_code(prior.id) : added.set_group_id(prior.id);
        added.set_log_odds(prior.log_odds);
      }
      const size_t bytes = request.ByteSizeLong();
      if (batch_.bytes > 0 && batch_.bytes + bytes > kMaxBatchBytes) Launch();
      batch_.bytes += bytes;
      *batch_.request.add_requests() = std::move(request);
      // The body is shown with the tags of a page only.
      if (entry.item.format == extraction::Format::kJsonLines) entry.article.clear_body();
      entry.item.extraction->article = {};
      entry.item.extraction->blocks = {};
    }
    batch_.entries.push_back(std::move(entry));
    if (batch_.entries.size() >= kMaxBatchItems) Launch();
  }

  void Launch() {
    if (batch_.entries.empty()) return;
    in_flight_.push_back(std::exchange(batch_, {}));
    Batch& launched = in_flight_.back();
    if (launched.request.requests().empty()) return;
    // The batch stays where it is (a deque's elements do) until FinishFirst() has its answer.
    launched.answers = std::async(std::launch::async, [this, &launched] { return Ask(client_, launched.request); });
  }

  absl::Status FinishFirst() {
    Batch& batch = in_flight_.front();
    cpb::BatchClassifyResponse answers;
    if (batch.answers.valid()) {
      Answers answered = batch.answers.get();
      if (!answered.ok()) return answered.status();
      answers = *std::move(answered);
      if (answers.results_size() != batch.request.requests_size()) {
        return absl::InternalError(absl::StrCat("classifier_service gave ", answers.results_size(), " answers to ",
                                                batch.request.requests_size(), " articles"));
      }
    }
    int next = 0;
    for (Entry& entry : batch.entries) {
      if (!entry.item.extraction.ok()) {
        PrintFailure(entry, entry.item.extraction.status());
        continue;
      }
      cpb::BatchClassifyResult& result = *answers.mutable_results(next++);
      if (result.has_error()) {
        const absl::Status error = common::rpc::FromItemError(result.error());
        if (IsOfAFlag(error)) return InTermsOfFlags(error, FieldsOfFlags());
        PrintFailure(entry, error);
      } else {
        PrintTags(entry, *result.mutable_response());
      }
    }
    done_ += static_cast<int64_t>(batch.entries.size());
    in_flight_.pop_front();
    std::fflush(stdout);
    progress_.Show(
        {.items = done_, .rejected = failures_, .bytes = reader_.bytes_read(), .total_bytes = reader_.total_bytes()});
    return absl::OkStatus();
  }

  static ClassifyLine LineOf(const Entry& entry) {
    ClassifyLine line;
    line.set_id(entry.item.id);
    line.set_source(common::Printable(entry.item.source));
    line.set_position(entry.item.position);
    if (entry.item.extraction.ok()) {
      for (const std::string& warning : entry.item.extraction->warnings) line.add_warnings(warning);
    }
    return line;
  }

  void PrintFailure(const Entry& entry, const absl::Status& error) {
    ++failures_;
    if (context_.output == OutputFormat::kJsonLines) {
      ClassifyLine line = LineOf(entry);
      *line.mutable_error() = common::rpc::ToItemError(error);
      Print(ToJson(line, JsonLayout::kLine, JsonFields::kAll));
      return;
    }
    progress_.Clear();
    PrintError(context_, absl::StrCat(DescribeItem(entry.item), ": ", DescribeError(error)));
  }

  void PrintTags(Entry& entry, cpb::ClassifyResponse& response) {
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
        Print(ToJson(response, JsonLayout::kPretty, JsonFields::kSet));
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
        Print(ToJson(line, JsonLayout::kLine, JsonFields::kAll));
        break;
      }
    }
  }

  const Context& context_;
  const Flags& flags_;
  const ClassifierClient& client_;
  InputReader reader_;
  ProgressBar progress_;
  Batch batch_;                  // Being filled.
  std::deque<Batch> in_flight_;  // Oldest first; answered in this order.
  int64_t done_ = 0;
  int64_t failures_ = 0;
  bool first_ = true;
};

ExitCode Classify(const Context& context, const Flags& flags) {
  InstallInterruptHandler();
  NoteTypedInput(context, flags.places);
  CallOptions options = context.call_options();
  options.retry.give_up_after = kGiveUpAfter;
  // Nothing has been answered yet: a server that isn't there is more likely than one that restarts.
  const absl::StatusOr<ClassifierClient> probe = ClassifierClient::Connect(context.classifier, context.call_options());
  if (!probe.ok()) return Fail(context, probe.status());
  if (const auto info = probe->GetModelInfo({}); !info.ok() && absl::IsUnavailable(info.status())) {
    return Fail(context, info.status());
  }
  const absl::StatusOr<ClassifierClient> client = ClassifierClient::Connect(context.classifier, options);
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
