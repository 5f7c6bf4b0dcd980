// dateline search, dateline suggest.
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

#include "cli/command.h"
#include "cli/json_output.h"

namespace dateline::cli {
namespace {

namespace apb = article::v1;
namespace spb = search::v1;

struct SearchFlags {
  std::vector<std::string> words;
  spb::SearchRequest request;
  std::vector<std::string> countries;
  std::vector<std::string> groups;
  std::vector<std::string> issues;
  std::vector<std::string> selections;
  std::vector<std::string> facets;
  int facet_limit = 0;
  int snippet_bytes = 0;
  int snippets = 0;
  bool no_snippets = false;
  spb::CollapseKind collapse = spb::COLLAPSE_KIND_UNSPECIFIED;
  std::optional<double> min_label_score;
  apb::LabelSource label_source = apb::LABEL_SOURCE_UNSPECIFIED;
  std::vector<std::string> ignored;
};

struct SuggestFlags {
  std::vector<std::string> words;
  spb::SuggestRequest request;
};

// Short names of fields, as people type them.
std::string FieldName(const std::string& name) {
  if (name == "country") return "region_code";
  if (name == "group") return "group_id";
  if (name == "issue") return "issue_id";
  if (name == "language") return "language_code";
  return name;
}

template <typename Field>
void Assign(const std::vector<std::string>& values, Field* field) {
  field->Assign(values.begin(), values.end());
}

absl::StatusOr<spb::SearchRequest> RequestOf(const SearchFlags& flags) {
  spb::SearchRequest request = flags.request;
  request.set_query(absl::StrJoin(flags.words, " "));
  Assign(flags.countries, request.mutable_region_codes());
  Assign(flags.groups, request.mutable_group_ids());
  Assign(flags.issues, request.mutable_issue_ids());
  Assign(flags.ignored, request.mutable_ignored_interpretations());
  for (const std::string& selection : flags.selections) {
    const std::vector<std::string> parts = absl::StrSplit(selection, absl::MaxSplits('=', 1));
    if (parts.size() != 2 || parts[0].empty() || parts[1].empty()) {
      return absl::InvalidArgumentError(absl::StrCat("--select: ", selection, " is not FIELD=VALUE[,VALUE…]"));
    }
    spb::Selection& selected = *request.add_selections();
    selected.set_field(FieldName(parts[0]));
    for (const absl::string_view value : absl::StrSplit(parts[1], ',', absl::SkipEmpty())) {
      selected.add_values(std::string(value));
    }
  }
  for (const std::string& facet : flags.facets) {
    spb::FacetSpec& spec = *request.add_facets();
    spec.set_field(FieldName(facet));
    spec.set_limit(flags.facet_limit);
  }
  if (!flags.no_snippets) {
    request.mutable_snippet()->set_max_bytes(flags.snippet_bytes);
    request.mutable_snippet()->set_max_snippets(flags.snippets);
  }
  if (flags.collapse != spb::COLLAPSE_KIND_UNSPECIFIED) request.mutable_collapse()->set_kind(flags.collapse);
  if (flags.min_label_score) request.set_min_label_score(*flags.min_label_score);
  if (flags.label_source != apb::LABEL_SOURCE_UNSPECIFIED) request.add_label_sources(flags.label_source);
  return request;
}

ExitCode Search(const Context& context, const SearchFlags& flags) {
  const absl::StatusOr<spb::SearchRequest> request = RequestOf(flags);
  if (!request.ok()) {
    PrintError(context, request.status().message());
    return kExitUsage;
  }
  const absl::StatusOr<SearchClient> client = SearchClient::Connect(context.search, context.call_options());
  if (!client.ok()) return Fail(context, client.status());
  const absl::StatusOr<spb::SearchResponse> response = client->Search(*request);
  if (!response.ok()) return Fail(context, response.status());
  if (context.output == OutputFormat::kText) {
    Print(FormatSearch(*response, request->skip(), context.style));
  } else {
    Print(ToJson(*response, context.output == OutputFormat::kJson ? JsonLayout::kPretty : JsonLayout::kLine,
                 JsonFields::kSet));
  }
  return kExitOk;
}

ExitCode Suggest(const Context& context, const SuggestFlags& flags) {
  const absl::StatusOr<SearchClient> client = SearchClient::Connect(context.search, context.call_options());
  if (!client.ok()) return Fail(context, client.status());
  spb::SuggestRequest request = flags.request;
  request.set_query(absl::StrJoin(flags.words, " "));
  const absl::StatusOr<spb::SuggestResponse> response = client->Suggest(request);
  if (!response.ok()) return Fail(context, response.status());
  if (context.output == OutputFormat::kText) {
    Print(FormatSuggestions(*response, context.style));
  } else {
    Print(ToJson(*response, context.output == OutputFormat::kJson ? JsonLayout::kPretty : JsonLayout::kLine,
                 JsonFields::kSet));
  }
  return kExitOk;
}

// A string field of the request, by its setter.
template <typename Setter>
CLI::Option* AddText(CLI::App& command, const std::string& name, const std::string& type, Setter setter,
                     const std::string& help) {
  return command.add_option_function<std::string>(name, std::move(setter), help)->type_name(type);
}

void AddFilterFlags(CLI::App& command, SearchFlags& flags) {
  spb::SearchRequest& request = flags.request;
  command.add_option("--country", flags.countries, "Only articles about one of these countries (IR,RU)")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->type_name("CODE,…");
  command.add_option("--group", flags.groups, "Or about one of these groups (gcc, eu)")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->type_name("ID,…");
  command.add_option("--issue", flags.issues, "Only articles on one of these issues (geopolitics)")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->type_name("ID,…");
  command.add_flag_function(
      "--expand_groups", [&request](int64_t) { request.set_expand_groups(true); },
      "--group also finds articles about members of the group");
  AddText(
      command, "--filter", "CONDITION", [&request](const std::string& text) { request.set_filter(text); },
      "A condition, such as: source = \"Example\" AND publish_time >= 2024-01-01");
  command
      .add_option("--select", flags.selections,
                  "Chosen values of a facet, which stays whole: source=A,B; may be repeated")
      ->allow_extra_args(false)
      ->type_name("FIELD=VALUE,…");
  command
      .add_option("--min_label_score", flags.min_label_score,
                  "Labels of the classifier below this don't count (0 to 1)")
      ->type_name("SCORE");
  AddChoice<apb::LabelSource>(command, "--label_source", flags.label_source,
                              {{"classifier", apb::LABEL_SOURCE_CLASSIFIER},
                               {"source", apb::LABEL_SOURCE_SOURCE},
                               {"editor", apb::LABEL_SOURCE_EDITOR}},
                              "Only labels from there count");
}

void AddQueryFlags(CLI::App& command, SearchFlags& flags) {
  spb::SearchRequest& request = flags.request;
  AddChoiceFunction<spb::MatchMode>(
      command, "--match", [&request](spb::MatchMode mode) { request.set_match_mode(mode); },
      {{"full", spb::MATCH_MODE_FULL_QUERY},
       {"prefix", spb::MATCH_MODE_PREFIX_LAST_WORD},
       {"literal", spb::MATCH_MODE_LITERAL}},
      "How the words are matched");
  AddChoiceFunction<spb::TypoMode>(
      command, "--typos", [&request](spb::TypoMode mode) { request.set_typo_mode(mode); },
      {{"auto", spb::TYPO_MODE_AUTO}, {"suggest", spb::TYPO_MODE_SUGGEST_ONLY}, {"off", spb::TYPO_MODE_OFF}},
      "What to do about mistyped words");
  AddChoiceFunction<spb::InterpretationMode>(
      command, "--interpretation", [&request](spb::InterpretationMode mode) { request.set_interpretation_mode(mode); },
      {{"off", spb::INTERPRETATION_MODE_OFF},
       {"boost", spb::INTERPRETATION_MODE_BOOST},
       {"filter", spb::INTERPRETATION_MODE_FILTER}},
      "What to do with names of countries and issues in the query");
  AddChoiceFunction<spb::TimeoutPolicy>(
      command, "--on_timeout", [&request](spb::TimeoutPolicy policy) { request.set_on_timeout(policy); },
      {{"fail", spb::TIMEOUT_POLICY_FAIL}, {"partial", spb::TIMEOUT_POLICY_RETURN_PARTIAL}},
      "What to do when the time is up");
  AddChoiceFunction<apb::ArticleView>(
      command, "--view", [&request](apb::ArticleView view) { request.set_view(view); },
      {{"basic", apb::ARTICLE_VIEW_BASIC}, {"snippet", apb::ARTICLE_VIEW_SNIPPET}, {"full", apb::ARTICLE_VIEW_FULL}},
      "How much of each article to return");
  AddChoice<spb::CollapseKind>(command, "--collapse", flags.collapse,
                               {{"near_duplicate", spb::COLLAPSE_KIND_NEAR_DUPLICATE},
                                {"source", spb::COLLAPSE_KIND_SOURCE},
                                {"author", spb::COLLAPSE_KIND_AUTHOR}},
                               "Show articles that belong together as one");
  command.add_option("--ignore", flags.ignored, "Ids of interpretations to take back")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->type_name("ID,…");
  AddText(
      command, "--language", "LANGUAGE", [&request](const std::string& text) { request.set_language_code(text); },
      "The language of the query, such as ar");
  AddText(
      command, "--display_language", "LANGUAGE",
      [&request](const std::string& text) { request.set_display_language(text); }, "Language of the names shown");
  AddText(
      command, "--min_commit_token", "TOKEN",
      [&request](const std::string& text) { request.set_min_commit_token(text); },
      "Wait until the search covers this token: read your own writes");
  command.add_flag_function(
      "--explain", [&request](int64_t) { request.set_explain(true); }, "Say of each hit how its score came about");
}

void AddPageFlags(CLI::App& command, SearchFlags& flags) {
  spb::SearchRequest& request = flags.request;
  AddText(
      command, "--order", "ORDER", [&request](const std::string& text) { request.set_order_by(text); },
      "relevance, \"publish_time desc\" or publish_time");
  command
      .add_option_function<int32_t>(
          "--page_size", [&request](const int32_t& size) { request.set_page_size(size); },
          "How many hits, 1 to 100 [10]")
      ->type_name("N");
  AddText(
      command, "--page_token", "TOKEN", [&request](const std::string& text) { request.set_page_token(text); },
      "Go on where the last page ended; all else must be the same");
  command
      .add_option_function<int32_t>(
          "--skip", [&request](const int32_t& count) { request.set_skip(count); }, "How many hits to pass over")
      ->type_name("N");
  command
      .add_option("--facets", flags.facets,
                  "What to count: country, group, issue, source, author, language, year, month, attributes.NAME")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->type_name("FIELD,…");
  command.add_option("--facet_limit", flags.facet_limit, "How many values of each [10]")->type_name("N");
  command.add_option("--snippets", flags.snippets, "How many passages of each hit [1]")->type_name("N");
  command.add_option("--snippet_bytes", flags.snippet_bytes, "The longest passage [240]")->type_name("N");
  command.add_flag("--no_snippets", flags.no_snippets, "No passages");
}

}  // namespace

void AddSearchCommand(CLI::App& root, CommandTable& commands) {
  auto flags = std::make_shared<SearchFlags>();
  CLI::App* command = root.add_subcommand("search", "Find articles");
  command->footer(
      "The query may hold words, \"phrases\", -not, AND, OR, NOT, parentheses, prefix*, title: author: source: "
      "country:\n"
      "issue: before: after:. Without a query all articles that pass the filters are listed, newest first. A query "
      "that\n"
      "begins with a dash comes after --. --output json gives the SearchResponse message as JSON.\n"
      "\n"
      "Examples:\n"
      "  dateline search iran russia alignment\n"
      "  dateline search '\"oil price\" -opec' --country SA,AE --issue economy --facets country,issue\n"
      "  dateline search --filter 'publish_time >= 2024-01-01' --order 'publish_time desc' --page_size 20\n"
      "  dateline search sanctions --output json | jq '.hits[].article.title'");
  command->add_option("QUERY", flags->words, "What to look for; empty lists everything");
  AddFilterFlags(*command, *flags);
  AddPageFlags(*command, *flags);
  AddQueryFlags(*command, *flags);
  commands.emplace_back(command, [flags](const Context& context) { return Search(context, *flags); });
}

void AddSuggestCommand(CLI::App& root, CommandTable& commands) {
  auto flags = std::make_shared<SuggestFlags>();
  CLI::App* command = root.add_subcommand("suggest", "Complete what is being typed");
  command->footer(
      "Examples:\n"
      "  dateline suggest ira\n"
      "  dateline suggest 'energy tr' --page_size 3 --output json");
  command->add_option("TEXT", flags->words, "What was typed so far")->required();
  command
      ->add_option_function<int32_t>(
          "--page_size", [flags](const int32_t& size) { flags->request.set_page_size(size); },
          "How many suggestions, 1 to 50 [8]")
      ->type_name("N");
  AddText(
      *command, "--display_language", "LANGUAGE",
      [flags](const std::string& text) { flags->request.set_display_language(text); }, "Language of the names shown");
  commands.emplace_back(command, [flags](const Context& context) { return Suggest(context, *flags); });
}

}  // namespace dateline::cli
