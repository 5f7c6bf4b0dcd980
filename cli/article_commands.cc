// dateline get, dateline delete, dateline wait: single articles and what became of them.
#include <unistd.h>

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

#include "cli/command.h"
#include "cli/json_output.h"
#include "common/printable.h"

namespace dateline::cli {
namespace {

namespace apb = article::v1;
namespace spb = search::v1;

struct DeleteFlags {
  spb::DeleteArticleRequest request;
  bool yes = false;
};

struct WaitFlags {
  spb::WaitForCommitRequest request;
  spb::CommitStage stage = spb::COMMIT_STAGE_VISIBLE;
  absl::Duration patience = absl::Minutes(1);
};

void PrintMessage(const Context& context, const google::protobuf::Message& message) {
  PrintJson(ToJson(message, context.output == OutputFormat::kJson ? JsonLayout::kPretty : JsonLayout::kLine,
                   JsonFields::kSet));
}

const std::vector<FieldOfFlag>& Fields() {
  static const auto* const kFields = new std::vector<FieldOfFlag>{{"id", "ID"}, {"etag", "--etag"}, {"view", "--view"}};
  return *kFields;
}

ExitCode Get(const Context& context, const spb::GetArticleRequest& request) {
  const absl::StatusOr<SearchClient> client = SearchClient::Connect(context.search, context.call_options());
  if (!client.ok()) return Fail(context, client.status());
  const absl::StatusOr<spb::GetArticleResponse> response = client->GetArticle(request);
  if (!response.ok()) return Fail(context, InTermsOfFlags(response.status(), Fields()));
  if (context.output == OutputFormat::kText) {
    Print(FormatArticle(response->article(), context.style));
  } else {
    PrintMessage(context, *response);
  }
  return kExitOk;
}

// Asks on the terminal. Nobody there to ask means no.
bool Confirmed(const std::string& question) {
  if (isatty(STDIN_FILENO) == 0) return false;
  std::fprintf(stderr, "%s [y/N] ", question.c_str());
  char answer[16] = "";
  if (std::fgets(answer, sizeof(answer), stdin) == nullptr) return false;
  const std::string word = absl::AsciiStrToLower(absl::StripAsciiWhitespace(answer));
  return word == "y" || word == "yes";
}

ExitCode Delete(const Context& context, const DeleteFlags& flags) {
  const std::string deed = flags.request.purge() ? "purge" : "delete";
  if (!flags.yes && !Confirmed(absl::StrCat(deed, " ", common::Printable(flags.request.id()),
                                            flags.request.purge() ? " for good, and refuse it from now on?" : "?"))) {
    PrintError(context, absl::StrCat("nothing was done; --yes tells ", deed, " not to ask"));
    return kExitFailed;
  }
  const absl::StatusOr<SearchClient> client = SearchClient::Connect(context.search, context.call_options());
  if (!client.ok()) return Fail(context, client.status());
  // A purge refuses ids that nothing is stored under, too: after a slip of the pen it must not look done.
  bool stored = true;
  if (flags.request.purge()) {
    spb::GetArticleRequest look;
    look.set_id(flags.request.id());
    look.set_view(apb::ARTICLE_VIEW_BASIC);
    stored = !absl::IsNotFound(client->GetArticle(look).status());
  }
  const absl::StatusOr<spb::DeleteArticleResponse> response = client->DeleteArticle(flags.request);
  if (!response.ok()) return Fail(context, InTermsOfFlags(response.status(), Fields()));
  if (context.output == OutputFormat::kText) {
    Print(absl::StrCat(deed, "d ", response->id(),
                       stored ? "" : ": no such article was to be seen; what has this id or URL is refused from now on",
                       "\n"));
  } else {
    PrintMessage(context, *response);
  }
  return kExitOk;
}

ExitCode Wait(const Context& context, const WaitFlags& flags) {
  const absl::StatusOr<SearchClient> client = SearchClient::Connect(context.search, context.call_options());
  if (!client.ok()) return Fail(context, client.status());
  spb::WaitForCommitRequest request = flags.request;
  request.set_stage(flags.stage);
  const absl::StatusOr<spb::WaitForCommitResponse> response = client->WaitForCommit(request, flags.patience);
  if (!response.ok()) return Fail(context, InTermsOfFlags(response.status(), {{"commit_token", "TOKEN"}}));
  if (context.output != OutputFormat::kText) {
    PrintMessage(context, *response);
  } else if (response->reached() != spb::COMMIT_STAGE_UNSPECIFIED) {
    Print(absl::StrCat("reached ", StageName(response->reached()), "\n"));
  }
  if (response->reached() >= flags.stage) return kExitOk;
  PrintError(context, absl::StrCat("not ", StageName(flags.stage), " after ", absl::FormatDuration(flags.patience)));
  return kExitNotReached;
}

void AddGetCommand(CLI::App& root, CommandTable& commands) {
  auto request = std::make_shared<spb::GetArticleRequest>();
  CLI::App* command = root.add_subcommand("get", "Show a stored article");
  command->footer(
      "Examples:\n"
      "  dateline get https://example.org/commentary/a-piece\n"
      "  dateline get 5f3a9c --output json --view full");
  command
      ->add_option_function<std::string>(
          "ID", [request](const std::string& id) { request->set_id(id); }, "The article's id, or one of its URLs")
      ->required()
      ->type_name("");
  AddChoiceFunction<apb::ArticleView>(
      *command, "--view", [request](apb::ArticleView view) { request->set_view(view); },
      {{"basic", apb::ARTICLE_VIEW_BASIC}, {"snippet", apb::ARTICLE_VIEW_SNIPPET}, {"full", apb::ARTICLE_VIEW_FULL}},
      "How much of it");
  AddChoiceFunction<apb::LabelSource>(
      *command, "--label_source", [request](apb::LabelSource source) { request->add_label_sources(source); },
      {{"classifier", apb::LABEL_SOURCE_CLASSIFIER},
       {"source", apb::LABEL_SOURCE_SOURCE},
       {"editor", apb::LABEL_SOURCE_EDITOR}},
      "Only labels from there, also outranked ones and, of editors, rejected ones");
  command
      ->add_option_function<std::string>(
          "--display_language", [request](const std::string& text) { request->set_display_language(text); },
          "Language of the names shown, such as fr")
      ->type_name("LANGUAGE");
  commands.emplace_back(command, [request](const Context& context) { return Get(context, *request); });
}

void AddDeleteCommand(CLI::App& root, CommandTable& commands) {
  auto flags = std::make_shared<DeleteFlags>();
  CLI::App* command = root.add_subcommand("delete", "Delete a stored article");
  command->footer(
      "A deleted article may be ingested again. A purged one may not: its text is erased in store, history, index and\n"
      "later snapshots, and only hashes of its id and URLs are kept, to refuse it. Snapshots that were made before, "
      "and\n"
      "stores that a restore has set aside (DATA_DIR/replaced-...), keep it: delete these by hand.\n"
      "\n"
      "Examples:\n"
      "  dateline delete https://example.org/commentary/a-piece\n"
      "  dateline delete 5f3a9c --purge --yes");
  command
      ->add_option_function<std::string>(
          "ID", [flags](const std::string& id) { flags->request.set_id(id); }, "The article's id, or one of its URLs")
      ->required()
      ->type_name("");
  command->add_flag_function(
      "--purge", [flags](int64_t) { flags->request.set_purge(true); }, "A takedown: for good");
  command
      ->add_option_function<std::string>(
          "--etag", [flags](const std::string& etag) { flags->request.set_etag(etag); }, "Only this version of it")
      ->type_name("ETAG");
  command->add_flag("-y,--yes", flags->yes, "Don't ask");
  commands.emplace_back(command, [flags](const Context& context) { return Delete(context, *flags); });
}

void AddWaitCommand(CLI::App& root, CommandTable& commands) {
  auto flags = std::make_shared<WaitFlags>();
  CLI::App* command = root.add_subcommand("wait", "Wait until what was written is visible to searches, or tagged");
  command->footer(
      "Every answer of the search service has a commit token; so has every line of `dateline ingest --output jsonl`.\n"
      "\n"
      "Examples:\n"
      "  dateline wait \"$TOKEN\"\n"
      "  dateline wait \"$TOKEN\" --for labelled --wait_timeout 5m\n"
      "\n"
      "Exit status: 0 reached; 4 not within --wait_timeout; 1 the service could not be asked; 2 wrong usage.");
  command
      ->add_option_function<std::string>(
          "TOKEN", [flags](const std::string& token) { flags->request.set_commit_token(token); }, "A commit token")
      ->required()
      ->type_name("");
  AddChoice<spb::CommitStage>(*command, "--for", flags->stage,
                              {{"durable", spb::COMMIT_STAGE_DURABLE},
                               {"visible", spb::COMMIT_STAGE_VISIBLE},
                               {"labelled", spb::COMMIT_STAGE_LABELLED}},
                              "What to wait for [visible]");
  AddDuration(*command, "--wait_timeout", flags->patience, "How long to wait");
  commands.emplace_back(command, [flags](const Context& context) { return Wait(context, *flags); });
}

}  // namespace

void AddArticleCommands(CLI::App& root, CommandTable& commands) {
  AddGetCommand(root, commands);
  AddDeleteCommand(root, commands);
  AddWaitCommand(root, commands);
}

}  // namespace dateline::cli
