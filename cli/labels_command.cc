// dateline labels: what editors decide about labels, and what the classifier can learn from it.
#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "cli/command.h"
#include "cli/correction_export.h"
#include "cli/json_output.h"
#include "cli/label_flags.h"
#include "common/printable.h"
#include "common/status_macros.h"

namespace dateline::cli {
namespace {

namespace apb = article::v1;
namespace spb = search::v1;

using Labels = google::protobuf::RepeatedPtrField<apb::Label>;

struct CorrectFlags {
  std::vector<std::string> ids;
  LabelTexts labels;
  std::string primary;
  std::vector<spb::LabelDimension> dimensions;  // Of --replace, --restore or --only.
  std::string etag;
};

struct ExportFlags {
  enum class What { kIssues, kCountries };
  What what = What::kIssues;
  std::string filter;
  bool assume_complete = false;
};

const std::vector<FieldOfFlag>& Fields() {
  static const auto* const kFields = new std::vector<FieldOfFlag>{{"id", "ID"}, {"etag", "--etag"}};
  return *kFields;
}

// Appends a label for each of what the flags name, the primary country first.
absl::Status AddTargets(const CorrectFlags& flags, const LabelReader& read, Labels& labels) {
  const auto add = [&](LabelKind kind, absl::string_view flag, const std::vector<std::string>& texts,
                       const std::function<void(const std::string& id, apb::Label& label)>& set) -> absl::Status {
    google::protobuf::RepeatedPtrField<std::string> ids;
    RETURN_IF_ERROR(AddLabels(kind, flag, texts, read, &ids));
    for (const std::string& id : ids) set(id, *labels.Add());
    return absl::OkStatus();
  };
  const auto country = [](const std::string& id, apb::Label& label) { label.set_region_code(id); };
  if (!flags.primary.empty()) {
    RETURN_IF_ERROR(add(LabelKind::kCountry, "--primary", {flags.primary}, country));
    if (labels.size() != 1) return absl::InvalidArgumentError("--primary: takes one country");
    labels.Mutable(0)->set_primary(true);
  }
  RETURN_IF_ERROR(add(LabelKind::kCountry, "--country", flags.labels.countries, country));
  RETURN_IF_ERROR(add(LabelKind::kGroup, "--group", flags.labels.groups,
                      [](const std::string& id, apb::Label& label) { label.set_group_id(id); }));
  return add(LabelKind::kIssue, "--issue", flags.labels.issues,
             [](const std::string& id, apb::Label& label) { label.set_issue_id(id); });
}

// An error that another article would meet as well.
bool IsOfAll(const absl::Status& error) {
  return !absl::IsNotFound(error) && !absl::IsAborted(error) && !absl::IsDataLoss(error) &&
         !absl::IsFailedPrecondition(error);
}

// Corrects one article after the other. `fill` makes the request for one of them, but for its id.
using Fill = std::function<absl::Status(const SearchClient& client, const std::string& id, const LabelReader& read,
                                        spb::UpdateArticleLabelsRequest& request)>;
ExitCode Correct(const Context& context, const CorrectFlags& flags, const Fill& fill) {
  if (!flags.etag.empty() && flags.ids.size() > 1) {
    return Fail(context, absl::InvalidArgumentError("--etag: is of one article; give one ID with it"));
  }
  const absl::StatusOr<SearchClient> client = SearchClient::Connect(context.search, context.call_options());
  if (!client.ok()) return Fail(context, client.status());
  int failed = 0;
  for (const std::string& id : flags.ids) {
    const absl::StatusOr<spb::UpdateArticleLabelsResponse> response =
        AskWithNames(context, {"add", "remove", "clear"},
                     [&](const LabelReader& read) -> absl::StatusOr<spb::UpdateArticleLabelsResponse> {
                       spb::UpdateArticleLabelsRequest request;
                       request.set_id(id);
                       request.set_etag(flags.etag);
                       RETURN_IF_ERROR(fill(*client, id, read, request));
                       return client->UpdateArticleLabels(request);
                     });
    if (response.ok()) {
      if (context.output == OutputFormat::kText) {
        Print(FormatLabels(*response, context.style));
      } else {
        PrintJson(ToJson(*response, context.output == OutputFormat::kJson ? JsonLayout::kPretty : JsonLayout::kLine,
                         JsonFields::kSet));
      }
      continue;
    }
    if (IsOfAll(response.status()) || flags.ids.size() == 1) {
      return Fail(context, InTermsOfFlags(response.status(), Fields()));
    }
    ++failed;
    PrintError(context, absl::StrCat(common::Printable(id), ": ", DescribeError(response.status())));
  }
  return failed == 0 ? kExitOk : kExitSomeRejected;
}

absl::Status NothingGiven(const CorrectFlags& flags) {
  if (!flags.labels.empty() || !flags.primary.empty() || !flags.dimensions.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError("give at least one of --country, --group and --issue");
}

ExitCode Set(const Context& context, const CorrectFlags& flags) {
  if (const absl::Status status = NothingGiven(flags); !status.ok()) return Fail(context, status);
  return Correct(context, flags,
                 [&](const SearchClient&, const std::string&, const LabelReader& read,
                     spb::UpdateArticleLabelsRequest& request) -> absl::Status {
                   for (const spb::LabelDimension dimension : flags.dimensions) {
                     request.add_replace_dimensions(dimension);
                   }
                   return AddTargets(flags, read, *request.mutable_add());
                 });
}

ExitCode Remove(const Context& context, const CorrectFlags& flags) {
  if (const absl::Status status = NothingGiven(flags); !status.ok()) return Fail(context, status);
  return Correct(context, flags,
                 [&](const SearchClient&, const std::string&, const LabelReader& read,
                     spb::UpdateArticleLabelsRequest& request) -> absl::Status {
                   return AddTargets(flags, read, *request.mutable_remove());
                 });
}

ExitCode Clear(const Context& context, const CorrectFlags& flags) {
  if (const absl::Status status = NothingGiven(flags); !status.ok()) return Fail(context, status);
  return Correct(context, flags,
                 [&](const SearchClient&, const std::string&, const LabelReader& read,
                     spb::UpdateArticleLabelsRequest& request) -> absl::Status {
                   for (const spb::LabelDimension dimension : flags.dimensions) {
                     request.add_restore_dimensions(dimension);
                   }
                   return AddTargets(flags, read, *request.mutable_clear());
                 });
}

spb::LabelDimension DimensionOf(const apb::Label& label) {
  if (label.has_region_code()) return spb::LABEL_DIMENSION_REGION;
  return label.has_group_id() ? spb::LABEL_DIMENSION_GROUP : spb::LABEL_DIMENSION_ISSUE;
}

ExitCode Confirm(const Context& context, CorrectFlags flags) {
  if (flags.dimensions.empty()) {
    flags.dimensions = {spb::LABEL_DIMENSION_REGION, spb::LABEL_DIMENSION_GROUP, spb::LABEL_DIMENSION_ISSUE};
  }
  return Correct(
      context, flags,
      [&](const SearchClient& client, const std::string& id, const LabelReader&,
          spb::UpdateArticleLabelsRequest& request) -> absl::Status {
        spb::GetArticleRequest get;
        get.set_id(id);
        get.set_view(apb::ARTICLE_VIEW_BASIC);
        ASSIGN_OR_RETURN(const spb::GetArticleResponse now, client.GetArticle(get));
        if (now.article().label_state() == apb::LABEL_STATE_PENDING) {
          return absl::FailedPreconditionError("is not tagged yet: there is nothing to confirm; try again later");
        }
        // Another may have decided otherwise meanwhile.
        if (request.etag().empty()) request.set_etag(now.article().etag());
        for (const spb::LabelDimension dimension : flags.dimensions) {
          request.add_replace_dimensions(dimension);
          for (const apb::Label& label : now.article().labels()) {
            if (DimensionOf(label) == dimension) *request.add_add() = label;
          }
        }
        return absl::OkStatus();
      });
}

ExitCode Export(const Context& context, const ExportFlags& flags) {
  const absl::StatusOr<SearchClient> client = SearchClient::Connect(context.search, context.call_options());
  if (!client.ok()) return Fail(context, client.status());
  spb::ListArticlesRequest list;
  list.set_filter(flags.filter);
  list.set_page_size(1'000);
  list.add_label_sources(apb::LABEL_SOURCE_EDITOR);
  int64_t count = 0;
  do {
    const absl::StatusOr<spb::ListArticlesResponse> page = client->ListArticles(list);
    if (!page.ok()) return Fail(context, InTermsOfFlags(page.status(), {{"filter", "--filter"}}));
    for (const apb::Article& listed : page->articles()) {
      spb::GetArticleRequest get;
      get.set_id(listed.id());
      get.set_view(apb::ARTICLE_VIEW_FULL);
      get.add_label_sources(apb::LABEL_SOURCE_EDITOR);
      const absl::StatusOr<spb::GetArticleResponse> article = client->GetArticle(get);
      if (absl::IsNotFound(article.status())) continue;  // It was deleted meanwhile.
      if (!article.ok()) return Fail(context, article.status());
      std::string line;
      if (flags.what == ExportFlags::What::kIssues) {
        line = IssueExample(*article);
      } else if (!flags.assume_complete) {
        line = CountryExample(*article, nullptr);
      } else {
        get.clear_label_sources();
        get.set_view(apb::ARTICLE_VIEW_BASIC);
        const absl::StatusOr<spb::GetArticleResponse> counting = client->GetArticle(get);
        if (absl::IsNotFound(counting.status())) continue;
        if (!counting.ok()) return Fail(context, counting.status());
        line = CountryExample(*article, &*counting);
      }
      if (line.empty()) continue;
      ++count;
      PrintJson(line);
    }
    list.set_page_token(page->next_page_token());
  } while (!list.page_token().empty());
  if (!context.quiet) PrintError(context, absl::StrCat(count, count == 1 ? " article" : " articles"));
  return kExitOk;
}

void AddIds(CLI::App& command, CorrectFlags& flags) {
  command.add_option("ID", flags.ids, "Ids of articles, or URLs")->required()->type_name("");
  command.add_option("--etag", flags.etag, "Only this version of the article")->type_name("ETAG");
}

void AddTargetFlags(CLI::App& command, CorrectFlags& flags) {
  AddTexts(command, "--country", "NAME,..", flags.labels.countries, "Countries: codes or names (IR,Russia)");
  AddTexts(command, "--group", "NAME,..", flags.labels.groups, "Groups: ids or names (gcc,EU)");
  AddTexts(command, "--issue", "NAME,..", flags.labels.issues,
           "Issues: ids or names (geopolitics); `dateline taxonomy` lists them");
}

void AddDimensions(CLI::App& command, const std::string& name, CorrectFlags& flags, const std::string& help) {
  AddChoiceFunction<spb::LabelDimension>(
      command, name, [&flags](spb::LabelDimension dimension) { flags.dimensions.push_back(dimension); },
      {{"country", spb::LABEL_DIMENSION_REGION},
       {"group", spb::LABEL_DIMENSION_GROUP},
       {"issue", spb::LABEL_DIMENSION_ISSUE}},
      help)
      ->trigger_on_parse();  // Each of several.
}

constexpr char kCorrectionStatus[] =
    "\n\nExit status: 0 done; 3 some of the articles could not be corrected; 1 none, or the service could not answer; "
    "2 "
    "wrong usage,\nor a label that the taxonomy doesn't know.";

}  // namespace

void AddLabelsCommand(CLI::App& root, CommandTable& commands) {
  CLI::App* labels = root.add_subcommand("labels", "Correct labels as an editor, and export what was corrected");
  labels->require_subcommand(1);
  labels->footer(
      "What an editor decides outranks publisher and classifier, and stays when the article is tagged or sent again.\n"
      "`dateline get ID --label_source editor --output json` shows it.\n"
      "\n"
      "Examples:\n"
      "  dateline labels set a-1 --country Iran --issue geopolitics\n"
      "  dateline labels remove a-1 --issue trade\n"
      "  dateline labels confirm a-2 a-3\n"
      "  dateline labels export issues > corrections.jsonl");

  auto set_flags = std::make_shared<CorrectFlags>();
  CLI::App* set = labels->add_subcommand("set", "Give articles labels, whatever others say");
  set->footer(
      absl::StrCat("Prints the labels that count then.\n"
                   "\n"
                   "Examples:\n"
                   "  dateline labels set a-1 --country Iran,Russia --primary Iran\n"
                   "  dateline labels set a-1 --issue energy --replace issue      # energy and nothing else\n"
                   "  dateline labels set a-1 --replace country                   # no country at all",
                   kCorrectionStatus));
  AddIds(*set, *set_flags);
  AddTargetFlags(*set, *set_flags);
  set->add_option("--primary", set_flags->primary, "The country that they are mainly about")->type_name("NAME");
  AddDimensions(*set, "--replace", *set_flags,
                "Of this kind they have exactly what is given here, even nothing; may be repeated");
  commands.emplace_back(set, [set_flags](const Context& context) { return Set(context, *set_flags); });

  auto remove_flags = std::make_shared<CorrectFlags>();
  CLI::App* remove = labels->add_subcommand("remove", "Say that articles do not have labels, whatever others say");
  remove->footer(absl::StrCat(
      "Prints the labels that count then. What is removed here stays so when the article is tagged again.\n"
      "\n"
      "Example:\n"
      "  dateline labels remove a-1 --country Russia --issue trade",
      kCorrectionStatus));
  AddIds(*remove, *remove_flags);
  AddTargetFlags(*remove, *remove_flags);
  commands.emplace_back(remove, [remove_flags](const Context& context) { return Remove(context, *remove_flags); });

  auto clear_flags = std::make_shared<CorrectFlags>();
  CLI::App* clear = labels->add_subcommand("clear", "Take back what was set or removed");
  clear->footer(
      absl::StrCat("Prints the labels that count then: publisher and classifier are heard again.\n"
                   "\n"
                   "Examples:\n"
                   "  dateline labels clear a-1 --country Russia\n"
                   "  dateline labels clear a-1 --restore issue",
                   kCorrectionStatus));
  AddIds(*clear, *clear_flags);
  AddTargetFlags(*clear, *clear_flags);
  AddDimensions(*clear, "--restore", *clear_flags,
                "Of this kind others are heard again (after set --replace, or confirm); may be repeated");
  commands.emplace_back(clear, [clear_flags](const Context& context) { return Clear(context, *clear_flags); });

  auto confirm_flags = std::make_shared<CorrectFlags>();
  CLI::App* confirm = labels->add_subcommand("confirm", "Say that the labels that count now are right, and complete");
  confirm->footer(absl::StrCat(
      "They are the editor's from now on, and no others are added to them. Confirmed articles teach the most.\n"
      "\n"
      "Examples:\n"
      "  dateline labels confirm a-1 a-2\n"
      "  dateline labels confirm a-1 --only country",
      kCorrectionStatus));
  AddIds(*confirm, *confirm_flags);
  AddDimensions(*confirm, "--only", *confirm_flags, "Of one kind [all]; may be repeated");
  commands.emplace_back(confirm, [confirm_flags](const Context& context) { return Confirm(context, *confirm_flags); });

  auto export_flags = std::make_shared<ExportFlags>();
  CLI::App* exported = labels->add_subcommand("export", "Write what editors decided, to train with");
  exported->footer(
      "Prints JSON Lines whatever --output says. Issues are for `classifier_train issues --add`: of articles whose "
      "issues were\n"
      "confirmed or replaced all that apply, of others what was applied and rejected; the trainer leaves out, and "
      "counts,\n"
      "those in languages that the model doesn't know. Countries are for `classifier_train countries --articles`, "
      "which\n"
      "learns from complete lists only: confirmed or replaced ones, or all with --assume_complete.\n"
      "\n"
      "Examples:\n"
      "  dateline labels export issues > corrections.jsonl\n"
      "  dateline labels export countries --assume_complete > countries.jsonl\n"
      "\n"
      "Exit status: 0 done; 1 the service could not answer; 2 wrong usage.");
  AddChoice<ExportFlags::What>(*exported, "WHAT", export_flags->what,
                               {{"issues", ExportFlags::What::kIssues}, {"countries", ExportFlags::What::kCountries}},
                               "What to write")
      ->required()
      ->type_name("");
  exported
      ->add_option("--filter", export_flags->filter, "Only articles that pass this condition, as in `dateline list`")
      ->type_name("CONDITION");
  exported->add_flag("--assume_complete", export_flags->assume_complete,
                     "Countries: take those that count for all, wherever an editor decided about any");
  commands.emplace_back(exported, [export_flags](const Context& context) { return Export(context, *export_flags); });
}

}  // namespace dateline::cli
