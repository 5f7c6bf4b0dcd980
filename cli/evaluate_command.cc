// dateline evaluate: how good the classifier is on a site's own labelled articles.
#include <unistd.h>

#include <cstdio>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

#include "cli/classify_session.h"
#include "cli/command.h"
#include "cli/evaluation.h"
#include "cli/interrupt.h"
#include "cli/json_output.h"
#include "cli/label_map.h"
#include "cli/progress.h"
#include "common/printable.h"
#include "common/status_macros.h"

namespace dateline::cli {
namespace {

namespace cpb = classifier::v1;

// Failures are named one by one up to here, then only counted.
constexpr int kFailuresNamed = 20;

struct Flags {
  std::vector<std::string> places;
  InputOptions input;
  std::string label_map;
  std::vector<std::string> label_kinds = {"country", "issue"};
  bool unlabelled_is_none = false;
  bool include_trained = false;
  int worst = 20;
};

absl::StatusOr<LabelMap> LoadLabelMap(const std::string& path, const TaxonomyNames& names) {
  if (path.empty()) return LabelMap();
  absl::StatusOr<LabelMap> map = LabelMap::Load(path, names);
  if (map.ok()) return map;
  return absl::InvalidArgumentError(absl::StrCat("--label_map: ", map.status().message()));
}

absl::StatusOr<Evaluator> MakeEvaluator(const Flags& flags, const ClassifierClient& client) {
  ASSIGN_OR_RETURN(const cpb::GetTaxonomyResponse taxonomy, client.GetTaxonomy({}));
  Evaluator::Options options;
  ASSIGN_OR_RETURN(options.label_map, LoadLabelMap(flags.label_map, TaxonomyNames(taxonomy)));
  options.label_kinds.clear();
  for (const std::string& kind : flags.label_kinds) options.label_kinds.insert(absl::AsciiStrToLower(kind));
  options.unlabelled_is_none = flags.unlabelled_is_none;
  options.include_trained = flags.include_trained;
  options.worst = flags.worst;
  return Evaluator(taxonomy, std::move(options));
}

ExitCode Evaluate(const Context& context, const Flags& flags) {
  InstallInterruptHandler();
  if (const absl::Status status = CheckUrlIsOfOne(flags.places, flags.input); !status.ok())
    return Fail(context, status);
  NoteTypedInput(context, flags.places);
  const absl::StatusOr<ClassifierClient> client = ConnectForManyArticles(context.classifier, context.call_options());
  if (!client.ok()) return Fail(context, client.status());
  absl::StatusOr<Evaluator> evaluator = MakeEvaluator(flags, *client);
  if (!evaluator.ok()) return Fail(context, evaluator.status());

  InputReader reader(flags.places, flags.input);
  ProgressBar bar(STDERR_FILENO, context.stderr_is_terminal && !context.quiet, context.error_style.columns);
  Progress progress;
  cpb::ClassifyRequest request;
  request.set_include_scores(true);
  ClassifySession session(*client, reader, {.request = request, .keep_bodies = false});
  const absl::Status status = session.Run(
      [&](ClassifiedItem& classified) {
        evaluator->Add(classified);
        ++progress.items;
        if (classified.response.ok()) return absl::OkStatus();
        if (++progress.rejected > kFailuresNamed) return absl::OkStatus();
        bar.Clear();
        PrintError(context,
                   absl::StrCat(DescribeItem(classified.item), ": ", DescribeError(classified.response.status())));
        if (progress.rejected == kFailuresNamed) PrintError(context, "more inputs that fail are only counted");
        return absl::OkStatus();
      },
      [&] {
        progress.bytes = reader.bytes_read();
        progress.total_bytes = reader.total_bytes();
        bar.Show(progress);
      });
  bar.Clear();
  if (!status.ok()) return Fail(context, status);
  if (Interrupted()) return kExitInterrupted;
  PrintNotes(context, reader);
  const EvaluationReport report = evaluator->Finish();
  if (report.dimensions_size() == 0) {
    const std::string what =
        report.in_training() + report.in_country_training() > 0 && report.in_training_left_out()
            ? absl::StrCat("the models were trained on all that could be compared (that of issues on ",
                           report.in_training(), ", that of countries on ", report.in_country_training(),
                           "); --include_trained compares them all the same")
        : report.unmapped_labels_size() > 0
            ? absl::StrCat("no label is the name of a country, group or issue (the first: “",
                           common::Printable(report.unmapped_labels(0).name()),
                           "”); --label_map FILE says what they mean")
            : std::string(
                  "no article has labels in the fields countries or issues; --map names other fields, and "
                  "--label_kinds other kinds of labels");
    PrintError(context, absl::StrCat("none of ", report.articles(), " articles can be compared: ", what));
    return kExitFailed;
  }
  if (context.output == OutputFormat::kText) {
    Print(FormatEvaluation(report, context.style));
  } else {
    PrintJson(ToJson(report, context.output == OutputFormat::kJson ? JsonLayout::kPretty : JsonLayout::kLine,
                     JsonFields::kAll));
  }
  return report.failed() > 0 ? kExitSomeRejected : kExitOk;
}

}  // namespace

void AddEvaluateCommand(CLI::App& root, CommandTable& commands) {
  auto flags = std::make_shared<Flags>();
  CLI::App* command = root.add_subcommand(
      "evaluate", "Measure tags of countries, groups and issues on articles that you have labelled");
  command->footer(
      "Inputs are as `dateline ingest` takes them; best is JSON Lines with\n"
      "{\"id\", \"title\", \"body\", \"date\", \"countries\": [\"IR\", \"Oman\"], \"issues\": [\"Energy policy\"]}. "
      "Labels "
      "are codes,\n"
      "ids, names or aliases of the taxonomy; --label_map says what a site's own names mean, a line each:\n"
      "  Gulf Security = issue:security, group:gcc\n"
      "  Opinion =\n"
      "An article counts for countries and groups if it has a label of either, for issues if it has an issue; groups\n"
      "are shown only if some label is one. Printed are precision, recall and F1 over all tags (micro), averaged over\n"
      "values (macro) and for each value; how many articles got at least one right tag (hit); whether scores mean "
      "what\n"
      "they say; thresholds that would agree better, where the other half of the articles confirms it\n"
      "(`classifier_train thresholds` sets those of issues; those of countries are learned, by `classifier_train\n"
      "countries`, and --profile of search_service chooses among them); labels of unknown meaning; and where labels\n"
      "and tags are farthest apart, with the words that carried the tags. Articles that the issue model was trained "
      "on\n"
      "are left out of the figures of issues, those that the country model was trained on of those of countries and\n"
      "groups: it knows their answers.\n"
      "\n"
      "Examples:\n"
      "  dateline evaluate labelled.jsonl\n"
      "  dateline evaluate archive.jsonl.zst --label_map names.txt --output json > report.json\n"
      "  dateline evaluate export.xml --label_kinds category --unlabelled_is_none\n"
      "\n"
      "Exit status: 0; 3 if some inputs could not be classified; 1 if nothing could be compared or the classifier not "
      "be\n"
      "reached; 2 wrong usage; 130 Ctrl-C.");
  command->add_option("PATH", flags->places, "What to compare: files, folders, http(s) URLs; - is standard input")
      ->required()
      ->type_name("FILE|FOLDER|URL");
  command
      ->add_option("--label_map", flags->label_map,
                   "What the site's own names mean: NAME = issue:security, country:IR, a line each")
      ->type_name("FILE");
  command
      ->add_option(
          "--label_kinds", flags->label_kinds,
          "Kinds of labels whose names are looked up in the taxonomy [country,issue]; also keyword, category, tag, "
          "section. Labels of other kinds count if --label_map has them")
      ->type_name("KIND,...")
      ->delimiter(',');
  command->add_flag("--unlabelled_is_none", flags->unlabelled_is_none,
                    "Take an article without a label for one that should get no tag, instead of leaving it out");
  command->add_flag("--include_trained", flags->include_trained, "Count also what the models were trained on");
  command->add_option("--worst", flags->worst, "How many disagreements to show")
      ->check(CLI::Range(0, 10'000))
      ->capture_default_str();
  AddInputFlags(*command, flags->input);
  commands.emplace_back(command, [flags](const Context& context) { return Evaluate(context, *flags); });
}

}  // namespace dateline::cli
