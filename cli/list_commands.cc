// dateline list, dateline changes: all that is stored, and what became of it.
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/json_output.h"
#include "cli/label_flags.h"
#include "cli/output.pb.h"
#include "common/status_macros.h"

namespace dateline::cli {
namespace {

namespace apb = article::v1;
namespace spb = search::v1;

constexpr int kPageSize = 1'000;  // The most that the service takes.

struct ListFlags {
  LabelTexts labels;
  std::string filter;
  spb::ListArticlesRequest request;
};

struct ChangesFlags {
  LabelTexts labels;
  std::string filter;
  spb::ListChangesRequest request;
  bool follow = false;
  absl::Duration interval = absl::Seconds(2);
};

const std::vector<FieldOfFlag>& Fields() {
  static const auto* const kFields = new std::vector<FieldOfFlag>{
      {"filter", "--filter"}, {"since_token", "--since"}, {"view", "--view"}, {"label_sources", "--label_source"}};
  return *kFields;
}

// Where labels that were given to flags stand in the request.
std::vector<absl::string_view> FieldsOfLabels(const LabelTexts& labels) {
  if (labels.empty()) return {};
  return {"filter"};
}

// One answer of many: a document each, indented or on a line.
void PrintOne(const Context& context, const google::protobuf::Message& message) {
  PrintJson(ToJson(message, context.output == OutputFormat::kJson ? JsonLayout::kPretty : JsonLayout::kLine,
                   JsonFields::kSet));
}

ExitCode List(const Context& context, const ListFlags& flags) {
  const absl::StatusOr<SearchClient> client = SearchClient::Connect(context.search, context.call_options());
  if (!client.ok()) return Fail(context, client.status());
  spb::ListArticlesRequest request = flags.request;
  request.set_page_size(kPageSize);
  int64_t count = 0;
  do {
    const absl::StatusOr<spb::ListArticlesResponse> page =
        AskWithNames(context, FieldsOfLabels(flags.labels),
                     [&](const LabelReader& read) -> absl::StatusOr<spb::ListArticlesResponse> {
                       // What the first page was asked with is good for all.
                       if (request.page_token().empty()) {
                         ASSIGN_OR_RETURN(*request.mutable_filter(), FilterOf(flags.labels, flags.filter, read));
                       }
                       return client->ListArticles(request);
                     });
    if (!page.ok()) return Fail(context, InTermsOfFlags(page.status(), Fields()));
    for (const apb::Article& article : page->articles()) {
      ++count;
      if (context.output == OutputFormat::kText) {
        Print(absl::StrCat(article.id(), article.url().empty() ? "" : "\t", article.url(), "\n"));
      } else {
        PrintOne(context, article);
      }
    }
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty());
  if (!context.quiet) PrintError(context, absl::StrCat(count, count == 1 ? " article" : " articles"));
  return kExitOk;
}

void PrintChange(const Context& context, const spb::Change& change) {
  if (context.output == OutputFormat::kText) {
    Print(FormatChange(change, context.style));
  } else {
    ChangesLine line;
    *line.mutable_change() = change;
    PrintOne(context, line);
  }
}

void PrintNextToken(const Context& context, const std::string& token) {
  if (context.output == OutputFormat::kText) {
    Print(absl::StrCat("next token ", token, "\n"));
  } else {
    ChangesLine line;
    line.set_next_token(token);
    PrintOne(context, line);
  }
  std::fflush(stdout);  // Whoever reads this along may act on it.
}

ExitCode Changes(const Context& context, const ChangesFlags& flags) {
  if (flags.follow) InstallInterruptHandler();
  const absl::StatusOr<SearchClient> client = SearchClient::Connect(context.search, context.call_options());
  if (!client.ok()) return Fail(context, client.status());
  spb::ListChangesRequest request = flags.request;
  request.set_page_size(kPageSize);
  std::optional<std::string> filter;  // Once names in it are read.
  bool told = false;                  // The token was printed.
  while (true) {
    const absl::StatusOr<spb::ListChangesResponse> page =
        AskWithNames(context, FieldsOfLabels(flags.labels),
                     [&](const LabelReader& read) -> absl::StatusOr<spb::ListChangesResponse> {
                       if (!filter) {
                         ASSIGN_OR_RETURN(*request.mutable_filter(), FilterOf(flags.labels, flags.filter, read));
                       }
                       return client->ListChanges(request);
                     });
    if (!page.ok()) return Fail(context, InTermsOfFlags(page.status(), Fields()));
    filter = request.filter();
    for (const spb::Change& change : page->changes()) PrintChange(context, change);
    const bool moved = page->next_token() != request.since_token();
    const bool at_end = page->next_token() == page->commit_token();
    request.set_since_token(page->next_token());
    // For programs at each page, so that they can go on from there whatever happens; for people when there is no more.
    const bool tells = context.output == OutputFormat::kText ? at_end && page->changes_size() > 0 : moved;
    if ((tells || (at_end && !told)) && !page->next_token().empty()) {
      PrintNextToken(context, page->next_token());
      told = true;
    }
    if (!at_end) continue;
    if (!flags.follow) return kExitOk;
    if (!SleepUnlessInterrupted(flags.interval)) return kExitInterrupted;
  }
}

void AddSelectionFlags(CLI::App& command, LabelTexts& labels, std::string& filter) {
  AddTexts(command, "--country", "NAME,..", labels.countries,
           "Only articles about one of these countries: codes or names (IR,Russia)");
  AddTexts(command, "--group", "NAME,..", labels.groups, "Or about one of these groups: ids or names (gcc,EU)");
  AddTexts(command, "--issue", "NAME,..", labels.issues,
           "Only articles on one of these issues: ids or names (geopolitics)");
  command.add_option("--filter", filter, "A condition, such as: source = \"Example\" AND publish_time >= 2024-01-01")
      ->type_name("CONDITION");
}

void AddListCommand(CLI::App& root, CommandTable& commands) {
  auto flags = std::make_shared<ListFlags>();
  CLI::App* command = root.add_subcommand("list", "List all articles that are stored: how a job finds what is gone");
  command->footer(
      "Prints id and URL of each article on a line, however many there are; --output jsonl gives also etag, "
      "contentHash\n"
      "and updateTime. What was acknowledged is there, searchable or not.\n"
      "\n"
      "Examples:\n"
      "  dateline list | cut -f1 | sort > stored.txt\n"
      "  dateline list --country Iran --filter 'publish_time < 2020' --output jsonl\n"
      "  dateline list --label_source editor\n"
      "\n"
      "Exit status: 0 done; 1 the service could not answer; 2 wrong usage.");
  AddSelectionFlags(*command, flags->labels, flags->filter);
  AddChoiceFunction<apb::LabelSource>(
      *command, "--label_source", [flags](apb::LabelSource source) { flags->request.add_label_sources(source); },
      {{"classifier", apb::LABEL_SOURCE_CLASSIFIER},
       {"source", apb::LABEL_SOURCE_SOURCE},
       {"editor", apb::LABEL_SOURCE_EDITOR}},
      "Only articles of which this one has said something");
  commands.emplace_back(command, [flags](const Context& context) { return List(context, *flags); });
}

void AddChangesCommand(CLI::App& root, CommandTable& commands) {
  auto flags = std::make_shared<ChangesFlags>();
  CLI::App* command = root.add_subcommand("changes", "Say what came, changed and went since a token");
  command->footer(
      "Each article stands once, at its last change: created, updated, relabelled, corrected or deleted. At the end "
      "comes\n"
      "the token to go on from. With --output jsonl a line is {\"change\": {…}} or {\"nextToken\": \"…\"}. With a "
      "filter,\n"
      "articles that no longer pass it are left out; deletions are told of all.\n"
      "\n"
      "Examples:\n"
      "  dateline changes\n"
      "  dateline changes --since \"$TOKEN\" --issue energy --view full --output jsonl\n"
      "  dateline changes --since \"$TOKEN\" --follow\n"
      "\n"
      "Exit status: 0 done; 1 the service could not answer, or the token is of another store; 2 wrong usage; 130 "
      "Ctrl-C.");
  command
      ->add_option_function<std::string>(
          "--since", [flags](const std::string& token) { flags->request.set_since_token(token); },
          "The token that the last run ended with, or any commit token; without it, from the beginning")
      ->type_name("TOKEN");
  AddSelectionFlags(*command, flags->labels, flags->filter);
  AddChoiceFunction<apb::ArticleView>(
      *command, "--view", [flags](apb::ArticleView view) { flags->request.set_view(view); },
      {{"basic", apb::ARTICLE_VIEW_BASIC}, {"snippet", apb::ARTICLE_VIEW_SNIPPET}, {"full", apb::ARTICLE_VIEW_FULL}},
      "How much of each article [basic]");
  command->add_flag("--follow", flags->follow, "Go on asking, until Ctrl-C");
  AddDuration(*command, "--interval", flags->interval, "With --follow, how long to wait when there is nothing new");
  commands.emplace_back(command, [flags](const Context& context) { return Changes(context, *flags); });
}

}  // namespace

void AddListCommands(CLI::App& root, CommandTable& commands) {
  AddListCommand(root, commands);
  AddChangesCommand(root, commands);
}

}  // namespace dateline::cli
