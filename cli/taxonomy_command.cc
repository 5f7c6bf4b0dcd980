// dateline taxonomy: what the classifier serves; and, for files that are not served yet, whether they are right and
// what they would change.
#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

#include "classifier_service/taxonomy.h"
#include "classifier_service/taxonomy_diff.h"
#include "cli/command.h"
#include "cli/json_output.h"
#include "cli/output.pb.h"
#include "common/error.h"
#include "common/printable.h"

namespace dateline::cli {
namespace {

using classifier::Issue;
using classifier::TaxonomyChange;

// Facets give at most so many values; a taxonomy has at most 500 issues.
constexpr int kMaxFacetValues = 1'000;

struct DiffFlags {
  std::string before;
  std::string after;
  bool no_counts = false;
};

// What to call a change, in JSON and for people.
struct KindText {
  TaxonomyChange::Kind kind;
  const char* name;
  const char* mark;
};
constexpr KindText kKinds[] = {
    {TaxonomyChange::Kind::kAdded, "added", "+"},           {TaxonomyChange::Kind::kRemoved, "removed", "!"},
    {TaxonomyChange::Kind::kRetired, "retired", "-"},       {TaxonomyChange::Kind::kRevived, "revived", "+"},
    {TaxonomyChange::Kind::kReplaced, "replaced_by", "~"},  {TaxonomyChange::Kind::kRenamed, "renamed", "~"},
    {TaxonomyChange::Kind::kTranslated, "translated", "~"}, {TaxonomyChange::Kind::kAliases, "aliases", "~"},
    {TaxonomyChange::Kind::kMoved, "moved", "~"},           {TaxonomyChange::Kind::kRedefined, "redefined", "~"},
    {TaxonomyChange::Kind::kRetrained, "retrained", "~"},   {TaxonomyChange::Kind::kCodes, "codes", "~"}};

const KindText& TextOf(TaxonomyChange::Kind kind) {
  return *std::find_if(std::begin(kKinds), std::end(kKinds),
                       [kind](const KindText& text) { return text.kind == kind; });
}

// How many articles have each issue, by the labels that count.
absl::StatusOr<std::map<std::string, int32_t>> CountArticles(const Context& context) {
  const absl::StatusOr<SearchClient> client = SearchClient::Connect(context.search, context.call_options());
  if (!client.ok()) return client.status();
  search::v1::SearchRequest request;
  request.set_page_size(1);
  search::v1::FacetSpec& facet = *request.add_facets();
  facet.set_field("issue_id");
  facet.set_limit(kMaxFacetValues);
  facet.set_exact(true);
  const absl::StatusOr<search::v1::SearchResponse> answer = client->Search(request);
  if (!answer.ok()) return answer.status();
  std::map<std::string, int32_t> counts;
  for (const search::v1::FacetResult& result : answer->facets()) {
    for (const search::v1::FacetValue& value : result.values()) counts[value.id()] = value.count();
  }
  return counts;
}

std::string Sentence(const TaxonomyDiff::Change& change) {
  const std::string& from = change.from();
  const std::string& to = change.to();
  if (change.kind() == "added") return absl::StrCat("added: ", to);
  if (change.kind() == "removed") {
    return absl::StrCat("removed, was ", from, ": its labels would mean nothing; retire it with replaced_by instead");
  }
  if (change.kind() == "retired") return absl::StrCat("retired: ", to, " stands for it");
  if (change.kind() == "revived") return absl::StrCat("live again: ", from, " stood for it");
  if (change.kind() == "aliases" || change.kind() == "retrained") {
    return absl::StrCat(
        change.kind() == "aliases" ? "aliases:" : "learns:", from.empty() ? "" : absl::StrCat(" without ", from),
        !from.empty() && !to.empty() ? ";" : "", to.empty() ? "" : absl::StrCat(" with ", to));
  }
  return absl::StrCat(change.kind(), ": ", from.empty() ? "nothing" : from, " → ", to.empty() ? "nothing" : to);
}

std::string FormatDiff(const TaxonomyDiff& diff, const TextStyle& style) {
  std::string text = absl::StrCat(style.Bold(absl::StrCat(diff.old_version(), " → ", diff.new_version())), ": ",
                                  diff.changes_size(), diff.changes_size() == 1 ? " change" : " changes", "\n");
  for (const TaxonomyDiff::Change& change : diff.changes()) {
    const KindText* kind = std::find_if(std::begin(kKinds), std::end(kKinds),
                                        [&](const KindText& known) { return known.name == change.kind(); });
    const bool removed = kind->kind == TaxonomyChange::Kind::kRemoved;
    absl::StrAppend(
        &text, "  ", removed ? style.Red(kind->mark) : kind->mark, " ",
        style.Cyan(absl::StrFormat("%-18s", change.issue_id())), "  ", common::Printable(Sentence(change)),
        change.has_articles()
            ? style.Dim(absl::StrCat("  (", change.articles(), change.articles() == 1 ? " article" : " articles", ")"))
            : "",
        "\n");
  }
  if (diff.model_fits()) {
    return absl::StrCat(text, "A model for the old one knows all issues of the new one.\n");
  }
  return absl::StrCat(text, "A model for the old one knows nothing of ",
                      absl::StrJoin(diff.issues_without_model(), ", "),
                      ": tagged by seed phrases until `classifier_train issues` has taught it.\n");
}

// Says all that is wrong with a file, a line each.
ExitCode FailWithProblems(const Context& context, const absl::Status& error) {
  const std::vector<common::FieldViolation> problems = common::FieldViolationsOf(error);
  if (problems.empty()) return Fail(context, absl::FailedPreconditionError(error.message()));
  ExitCode code = kExitOk;
  for (const common::FieldViolation& problem : problems) {
    code = Fail(context,
                absl::FailedPreconditionError(absl::StrCat("taxonomy ", problem.field, ": ", problem.description)));
  }
  return code;
}

ExitCode Diff(const Context& context, const DiffFlags& flags) {
  const absl::StatusOr<classifier::Taxonomy> before = classifier::Taxonomy::Load(flags.before);
  if (!before.ok()) return FailWithProblems(context, before.status());
  const absl::StatusOr<classifier::Taxonomy> after = classifier::Taxonomy::Load(flags.after);
  if (!after.ok()) return FailWithProblems(context, after.status());
  std::optional<std::map<std::string, int32_t>> counts;
  if (!flags.no_counts) {
    absl::StatusOr<std::map<std::string, int32_t>> counted = CountArticles(context);
    if (!counted.ok()) {
      return Fail(context, absl::Status(counted.status().code(),
                                        absl::StrCat(counted.status().message(),
                                                     "; --no_counts compares the files without counting articles")));
    }
    counts = *std::move(counted);
  }
  TaxonomyDiff diff;
  diff.set_old_version(before->version());
  diff.set_new_version(after->version());
  for (const std::string& id : classifier::IssuesWithoutModel(*before, *after)) diff.add_issues_without_model(id);
  diff.set_model_fits(diff.issues_without_model().empty());
  for (const TaxonomyChange& change : classifier::DiffTaxonomies(*before, *after)) {
    TaxonomyDiff::Change& out = *diff.add_changes();
    out.set_issue_id(change.issue_id);
    out.set_kind(TextOf(change.kind).name);
    out.set_from(change.from);
    out.set_to(change.to);
    // Nobody knows what will be filed under a new one before it is served.
    if (!counts || change.kind == TaxonomyChange::Kind::kAdded) continue;
    const auto found = counts->find(change.issue_id);
    out.set_articles(found == counts->end() ? 0 : found->second);
  }
  if (context.output == OutputFormat::kText) {
    Print(FormatDiff(diff, context.style));
  } else {
    PrintJson(ToJson(diff, context.output == OutputFormat::kJson ? JsonLayout::kPretty : JsonLayout::kLine,
                     JsonFields::kAll));
  }
  return kExitOk;
}

ExitCode Check(const Context& context, const std::string& path) {
  const absl::StatusOr<classifier::Taxonomy> taxonomy = classifier::Taxonomy::Load(path);
  if (!taxonomy.ok()) return FailWithProblems(context, taxonomy.status());
  std::set<std::string> languages;
  for (const Issue& issue : taxonomy->issues()) {
    for (const classifier::IssueNames& names : issue.names) languages.insert(names.language_code);
  }
  const size_t live = taxonomy->LiveIssues().size();
  Print(absl::StrCat(common::Printable(path), " is a taxonomy: version ", taxonomy->version(), ", ", live,
                     live == 1 ? " issue, " : " issues, ", taxonomy->issues().size() - live, " retired, ",
                     languages.size(), languages.size() == 1 ? " language\n" : " languages\n"));
  // What a model knows only the service can say; a warning, since it may know these.
  for (const Issue* issue : taxonomy->LiveIssues()) {
    if (!issue->seed_phrases.empty()) continue;
    PrintError(context,
               absl::StrCat("warning: taxonomy ", path, ":", issue->line, ": issue \"", issue->id,
                            "\" has no seed_phrase: classifier_service refuses the file unless its model was trained "
                            "for the issue (`classifier_service --taxonomy FILE --check` says); add some ten seed "
                            "phrases, or train a model with `classifier_train issues --taxonomy FILE`"));
  }
  if (context.quiet) return kExitOk;
  constexpr size_t kGoodSeeds = 10;
  for (const Issue* issue : taxonomy->LiveIssues()) {
    const size_t seeds = issue->seed_phrases.size();
    if (seeds > 0 && seeds < kGoodSeeds) {
      Print(absl::StrCat("  ", issue->id, " has ", seeds, seeds == 1 ? " seed phrase" : " seed phrases", "; with ",
                         kGoodSeeds, " or more it works before a model is trained for it\n"));
    }
    for (const std::string& language : languages) {
      const bool named =
          std::any_of(issue->names.begin(), issue->names.end(),
                      [&](const classifier::IssueNames& names) { return names.language_code == language; });
      if (!named) Print(absl::StrCat("  ", issue->id, " has no name in ", language, "; English is shown\n"));
    }
  }
  return kExitOk;
}

ExitCode Show(const Context& context, TaxonomyPart part) {
  const absl::StatusOr<ClassifierClient> client = ClassifierClient::Connect(context.classifier, context.call_options());
  if (!client.ok()) return Fail(context, client.status());
  const absl::StatusOr<classifier::v1::GetTaxonomyResponse> taxonomy = client->GetTaxonomy({});
  if (!taxonomy.ok()) return Fail(context, taxonomy.status());
  if (context.output == OutputFormat::kText) {
    Print(FormatTaxonomy(*taxonomy, part, context.style));
  } else {
    PrintJson(ToJson(*taxonomy, context.output == OutputFormat::kJson ? JsonLayout::kPretty : JsonLayout::kLine,
                     JsonFields::kSet));
  }
  return kExitOk;
}

}  // namespace

void AddTaxonomyCommand(CLI::App& root, CommandTable& commands) {
  auto part = std::make_shared<TaxonomyPart>(TaxonomyPart::kIssues);
  CLI::App* taxonomy =
      root.add_subcommand("taxonomy", "List the issues, countries and groups that tags are taken from");
  taxonomy->footer(
      "--output json gives all of it, with aliases and names in all languages.\n"
      "\n"
      "Examples:\n"
      "  dateline taxonomy\n"
      "  dateline taxonomy --show groups\n"
      "  dateline taxonomy check mine.textproto\n"
      "  dateline taxonomy diff default.textproto mine.textproto");
  AddChoice<TaxonomyPart>(
      *taxonomy, "--show", *part,
      {{"issues", TaxonomyPart::kIssues}, {"countries", TaxonomyPart::kRegions}, {"groups", TaxonomyPart::kGroups}},
      "What to list [issues]");

  auto flags = std::make_shared<DiffFlags>();
  CLI::App* diff = taxonomy->add_subcommand("diff", "Say what a taxonomy changes, and for how many articles");
  diff->footer(
      "Both are files as `classifier_service --taxonomy` reads them. Issues are the same if their ids are. Articles "
      "are\n"
      "counted by the search service: those that now have the issue, by the labels that count.\n"
      "\n"
      "Example:\n"
      "  dateline taxonomy diff default.textproto mine.textproto\n"
      "\n"
      "Exit status: 0, whether or not anything differs; 1 if a file is no taxonomy or the search service can't be "
      "reached;\n"
      "2 wrong usage.");
  diff->add_option("OLD", flags->before, "The taxonomy as it is")->required()->type_name("FILE");
  diff->add_option("NEW", flags->after, "The taxonomy as it would be")->required()->type_name("FILE");
  diff->add_flag("--no_counts", flags->no_counts, "Compare the files only, without the search service");
  commands.emplace_back(diff, [flags](const Context& context) { return Diff(context, *flags); });

  auto path = std::make_shared<std::string>();
  CLI::App* check = taxonomy->add_subcommand("check", "Say whether a file is a taxonomy, and what is wrong with it");
  check->footer(
      "Everything that `classifier_service` would say of the file by itself, a line each; and, as warnings, the "
      "issues\n"
      "that it would refuse if its model doesn't know them: `classifier_service --taxonomy FILE --check` says whether "
      "it\n"
      "does.\n"
      "\n"
      "Example:\n"
      "  dateline taxonomy check mine.textproto\n"
      "\n"
      "Exit status: 0 if it is one (with warnings, too), 1 otherwise, 2 wrong usage.");
  check->add_option("TAXONOMY", *path, "The file")->required()->type_name("FILE");
  commands.emplace_back(check, [path](const Context& context) { return Check(context, *path); });

  // After its own commands: the first that was given is run.
  commands.emplace_back(taxonomy, [part](const Context& context) { return Show(context, *part); });
}

}  // namespace dateline::cli
