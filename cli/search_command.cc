// dateline search, dateline suggest, dateline similar, dateline trends.
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

#include "cli/command.h"
#include "cli/json_output.h"
#include "cli/label_flags.h"
#include "common/error.h"
#include "common/nearest.h"
#include "common/status_macros.h"

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
  int alternates = 0;
  std::optional<double> freshness_days;
  std::optional<double> freshness_weight;
  std::optional<double> label_weight;
  std::optional<double> min_label_score;
  apb::LabelSource label_source = apb::LABEL_SOURCE_UNSPECIFIED;
  std::vector<std::string> ignored;
};

struct SimilarFlags {
  spb::FindSimilarArticlesRequest request;
  std::string text_file;
};

struct TrendsFlags {
  SearchFlags search;  // What selects articles.
  spb::AnalyzeTrendsRequest request;
  std::vector<std::string> dimensions;
};

struct SuggestFlags {
  std::vector<std::string> words;
  spb::SuggestRequest request;
};

// What --facets takes, as people type it; and "attributes.NAME".
const std::vector<std::string>& FacetNames() {
  static const auto* const kNames = new std::vector<std::string>{
      "country", "group", "issue", "source", "author", "language", "content_type", "year", "month"};
  return *kNames;
}

// Short names of fields, as people type them.
std::string FieldName(const std::string& name) {
  // Names of attributes are the publisher's, and keep their case.
  if (absl::StrContains(name, '.')) return name;
  std::string lower = absl::AsciiStrToLower(name);
  if (lower == "country") return "region_code";
  if (lower == "group") return "group_id";
  if (lower == "issue") return "issue_id";
  if (lower == "language") return "language_code";
  return lower;
}

// The kind of label that `field` filters by, where it does.
std::optional<LabelKind> LabelKindOf(absl::string_view field) {
  if (field == "region_code") return LabelKind::kCountry;
  if (field == "group_id") return LabelKind::kGroup;
  if (field == "issue_id") return LabelKind::kIssue;
  return std::nullopt;
}

// InvalidArgument for what can't be right; what `read` says of a name that it does not know.
absl::StatusOr<spb::SearchRequest> RequestOf(const SearchFlags& flags, const LabelReader& read) {
  spb::SearchRequest request = flags.request;
  request.set_query(absl::StrJoin(flags.words, " "));
  RETURN_IF_ERROR(AddLabels(LabelKind::kCountry, "--country", flags.countries, read, request.mutable_region_codes()));
  RETURN_IF_ERROR(AddLabels(LabelKind::kGroup, "--group", flags.groups, read, request.mutable_group_ids()));
  RETURN_IF_ERROR(AddLabels(LabelKind::kIssue, "--issue", flags.issues, read, request.mutable_issue_ids()));
  request.mutable_ignored_interpretations()->Assign(flags.ignored.begin(), flags.ignored.end());
  for (const std::string& selection : flags.selections) {
    const std::vector<std::string> parts = absl::StrSplit(selection, absl::MaxSplits('=', 1));
    if (parts.size() != 2 || parts[0].empty() || parts[1].empty()) {
      return absl::InvalidArgumentError(absl::StrCat("--select: “", selection, "” is not FIELD=VALUE[,VALUE…]"));
    }
    spb::Selection& selected = *request.add_selections();
    selected.set_field(FieldName(parts[0]));
    if (const std::optional<LabelKind> kind = LabelKindOf(selected.field())) {
      RETURN_IF_ERROR(
          AddLabels(*kind, absl::StrCat("--select ", parts[0]), {parts[1]}, read, selected.mutable_values()));
      continue;
    }
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
  if (flags.collapse != spb::COLLAPSE_KIND_UNSPECIFIED) {
    request.mutable_collapse()->set_kind(flags.collapse);
    request.mutable_collapse()->set_max_alternates(flags.alternates);
  }
  if (flags.freshness_days) {
    constexpr double kDaySeconds = 86'400.0;
    request.mutable_ranking()->mutable_freshness_half_life()->set_seconds(
        static_cast<int64_t>(*flags.freshness_days * kDaySeconds));
  }
  if (flags.freshness_weight) request.mutable_ranking()->set_freshness_weight(*flags.freshness_weight);
  if (flags.label_weight) request.mutable_ranking()->set_label_weight(*flags.label_weight);
  if (flags.min_label_score) request.set_min_label_score(*flags.min_label_score);
  if (flags.label_source != apb::LABEL_SOURCE_UNSPECIFIED) request.add_label_sources(flags.label_source);
  return request;
}

// Where the fields of requests come from.
const std::vector<FieldOfFlag>& Fields() {
  static const auto* const kFields = new std::vector<FieldOfFlag>{
      {"query", "QUERY"},
      {"region_codes", "--country"},
      {"group_ids", "--group"},
      {"issue_ids", "--issue"},
      {"selections", "--select"},
      {"filter", "--filter"},
      {"order_by", "--order"},
      {"page_size", "--page_size"},
      {"page_token", "--page_token"},
      {"skip", "--skip"},
      {"facets.limit", "--facet_limit"},
      {"facets", "--facets"},
      {"snippet.max_bytes", "--snippet_bytes"},
      {"snippet.max_snippets", "--snippets"},
      {"collapse.max_alternates", "--alternates"},
      {"collapse", "--collapse"},
      {"ranking.freshness_half_life", "--freshness"},
      {"ranking.freshness_weight", "--freshness_weight"},
      {"ranking.label_weight", "--label_weight"},
      {"view", "--view"},
      {"language_code", "--language"},
      {"display_language", "--display_language"},
      {"ignored_interpretations", "--ignore"},
      {"min_commit_token", "--min_commit_token"},
      {"min_label_score", "--min_label_score"},
      {"label_sources", "--label_source"},
      {"expand_groups", "--expand_groups"},
      {"match_mode", "--match"},
      {"typo_mode", "--typos"},
      {"interpretation_mode", "--interpretation"},
      {"on_timeout", "--on_timeout"},
      {"explain", "--explain"},
  };
  return *kFields;
}

// `error` with what there is to count, and what may have been meant, where it is a facet that the service refuses.
absl::Status WithFacetNames(const absl::Status& error, const std::vector<std::string>& asked) {
  std::vector<common::FieldViolation> violations = common::FieldViolationsOf(error);
  for (common::FieldViolation& violation : violations) {
    if (WithoutIndexes(violation.field) != "facets.field") continue;
    for (const std::string& facet : asked) {
      const std::vector<std::string>& names = FacetNames();
      if (absl::StrContains(facet, '.') || std::find(names.begin(), names.end(), facet) != names.end()) continue;
      const std::vector<size_t> nearest = common::NearestNames(facet, names, 1);
      if (!nearest.empty()) absl::StrAppend(&violation.description, "; did you mean ", names[nearest.front()], "?");
    }
    absl::StrAppend(&violation.description, "\n  There are: ", absl::StrJoin(FacetNames(), ", "), ", attributes.NAME");
  }
  return common::WithFieldViolations(error, violations);
}

ExitCode Search(const Context& context, const SearchFlags& flags) {
  const absl::StatusOr<SearchClient> client = SearchClient::Connect(context.search, context.call_options());
  if (!client.ok()) return Fail(context, client.status());
  const absl::StatusOr<spb::SearchResponse> response =
      AskWithNames(context, {"region_codes", "group_ids", "issue_ids", "selections"},
                   [&](const LabelReader& read) -> absl::StatusOr<spb::SearchResponse> {
                     ASSIGN_OR_RETURN(const spb::SearchRequest request, RequestOf(flags, read));
                     return client->Search(request);
                   });
  if (!response.ok()) {
    return Fail(context, InTermsOfFlags(WithFacetNames(response.status(), flags.facets), Fields()));
  }
  if (context.output == OutputFormat::kText) {
    Print(FormatSearch(*response, {.skip = flags.request.skip(), .facet_names = flags.facets}, context.style));
  } else {
    PrintJson(ToJson(*response, context.output == OutputFormat::kJson ? JsonLayout::kPretty : JsonLayout::kLine,
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
  if (!response.ok()) return Fail(context, InTermsOfFlags(response.status(), {{"query", "TEXT"}}));
  if (context.output == OutputFormat::kText) {
    Print(FormatSuggestions(*response, context.style));
  } else {
    PrintJson(ToJson(*response, context.output == OutputFormat::kJson ? JsonLayout::kPretty : JsonLayout::kLine,
                     JsonFields::kSet));
  }
  return kExitOk;
}

// A text from a file, or from standard input for "-": as much as the service takes, and one byte more.
absl::StatusOr<std::string> ReadText(const std::string& path) {
  constexpr size_t kMaxBytes = 100'000;
  std::FILE* const file = path == "-" ? stdin : std::fopen(path.c_str(), "rb");
  if (file == nullptr) {
    return absl::NotFoundError(absl::StrCat("--text ", path, ": cannot be read: ", std::strerror(errno)));
  }
  std::string text(kMaxBytes + 1, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), file));
  if (file != stdin) std::fclose(file);
  return text;
}

ExitCode Similar(const Context& context, const SimilarFlags& flags) {
  spb::FindSimilarArticlesRequest request = flags.request;
  if (!flags.text_file.empty()) {
    absl::StatusOr<std::string> text = ReadText(flags.text_file);
    if (!text.ok()) return Fail(context, text.status());
    request.set_text(*std::move(text));
  }
  const absl::StatusOr<SearchClient> client = SearchClient::Connect(context.search, context.call_options());
  if (!client.ok()) return Fail(context, client.status());
  const absl::StatusOr<spb::FindSimilarArticlesResponse> response = client->FindSimilarArticles(request);
  if (!response.ok()) {
    return Fail(
        context,
        InTermsOfFlags(
            response.status(),
            {{"id", "ID"}, {"text", "--text"}, {"like", "ID"}, {"filter", "--filter"}, {"page_size", "--page_size"}}));
  }
  if (context.output == OutputFormat::kText) {
    int number = 0;
    for (const spb::SearchHit& hit : response->hits()) Print(FormatHit(hit, ++number, context.style));
    if (number == 0 && !context.quiet) Print("nothing is like it\n");
  } else {
    PrintJson(ToJson(*response, context.output == OutputFormat::kJson ? JsonLayout::kPretty : JsonLayout::kLine,
                     JsonFields::kSet));
  }
  return kExitOk;
}

ExitCode Trends(const Context& context, const TrendsFlags& flags) {
  const absl::StatusOr<SearchClient> client = SearchClient::Connect(context.search, context.call_options());
  if (!client.ok()) return Fail(context, client.status());
  spb::AnalyzeTrendsRequest request = flags.request;
  for (const std::string& dimension : flags.dimensions) request.add_dimensions(FieldName(dimension));
  do {
    const absl::StatusOr<spb::AnalyzeTrendsResponse> response =
        AskWithNames(context, {"region_codes", "group_ids", "issue_ids", "selections"},
                     [&](const LabelReader& read) -> absl::StatusOr<spb::AnalyzeTrendsResponse> {
                       ASSIGN_OR_RETURN(const spb::SearchRequest selected, RequestOf(flags.search, read));
                       request.set_query(selected.query());
                       request.set_filter(selected.filter());
                       *request.mutable_region_codes() = selected.region_codes();
                       *request.mutable_group_ids() = selected.group_ids();
                       *request.mutable_issue_ids() = selected.issue_ids();
                       *request.mutable_selections() = selected.selections();
                       *request.mutable_label_sources() = selected.label_sources();
                       if (selected.has_min_label_score()) request.set_min_label_score(selected.min_label_score());
                       request.set_expand_groups(selected.expand_groups());
                       return client->AnalyzeTrends(request);
                     });
    if (!response.ok()) {
      std::vector<FieldOfFlag> fields = Fields();
      fields.insert(fields.begin(), {{"dimensions", "--by"}, {"bucket", "--bucket"}, {"time_zone", "--time_zone"}});
      return Fail(context, InTermsOfFlags(response.status(), fields));
    }
    if (context.output == OutputFormat::kText) {
      Print(FormatTrends(*response, request, context.style));
    } else {
      PrintJson(ToJson(*response, context.output == OutputFormat::kJson ? JsonLayout::kPretty : JsonLayout::kLine,
                       JsonFields::kSet));
    }
    request.set_page_token(response->next_page_token());
  } while (!request.page_token().empty());
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
  AddTexts(command, "--country", "NAME,..", flags.countries,
           "Only articles about one of these countries: codes or names (IR,Russia)");
  AddTexts(command, "--group", "NAME,..", flags.groups, "Or about one of these groups: ids or names (gcc,EU)");
  AddTexts(command, "--issue", "NAME,..", flags.issues,
           "Only articles on one of these issues: ids or names (geopolitics); `dateline taxonomy` lists them");
  command.add_flag_function(
      "--expand_groups", [&request](int64_t) { request.set_expand_groups(true); },
      "--group also finds articles about members of the group");
  AddText(
      command, "--filter", "CONDITION", [&request](const std::string& text) { request.set_filter(text); },
      "A condition, such as: source = \"Example\" AND publish_time >= 2024-01-01");
  AddTexts(command, "--select", "FIELD=VALUE,..", flags.selections,
           "Chosen values of a facet, which stays whole: source=A,B; may be repeated");
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
      "What to do about words that no article has: find what is spelled nearly the same as well, offer a corrected "
      "query "
      "only, or nothing [auto]");
  AddChoiceFunction<spb::InterpretationMode>(
      command, "--interpretation", [&request](spb::InterpretationMode mode) { request.set_interpretation_mode(mode); },
      {{"off", spb::INTERPRETATION_MODE_OFF},
       {"boost", spb::INTERPRETATION_MODE_BOOST},
       {"filter", spb::INTERPRETATION_MODE_FILTER}},
      "What to do with names of countries, groups and issues in the query: nothing, rank articles with the label "
      "higher, or "
      "show these only [boost]");
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
                               "Show articles that belong together as one: near-duplicates, or of a source or author");
  AddNumber(
      command, "--alternates", [&flags](int32_t count) { flags.alternates = count; },
      "How many of those to list with each, 0 to 10, in --output json [0]");
  command
      .add_option("--freshness", flags.freshness_days,
                  "Rank what is new higher: an article that is so many days old counts half as fresh as one of today")
      ->type_name("DAYS")
      ->check(CLI::Range(0.001, 1e5));
  command
      .add_option("--freshness_weight", flags.freshness_weight, "How much that counts, 0 to 1; with --freshness [0.5]")
      ->type_name("N");
  command
      .add_option("--label_weight", flags.label_weight,
                  "How much the scores of the labels that are filtered by count, 0 to 1 [0]")
      ->type_name("N");
  AddTexts(command, "--ignore", "ID,..", flags.ignored,
           "Names in the query to take for mere words: country:IR, as --output json gives their ids")
      ->delimiter(',');
  AddText(
      command, "--language", "LANGUAGE", [&request](const std::string& text) { request.set_language_code(text); },
      "The language of the query, such as ar");
  AddText(
      command, "--display_language", "LANGUAGE",
      [&request](const std::string& text) { request.set_display_language(text); },
      "Language of the names shown, such as fr");
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
  AddNumber(
      command, "--page_size", [&request](int32_t size) { request.set_page_size(size); },
      "How many hits, 1 to 100 [10]; 0 is the default, more than 100 are 100");
  AddText(
      command, "--page_token", "TOKEN", [&request](const std::string& text) { request.set_page_token(text); },
      "Go on where the last page ended; all else must be the same");
  AddNumber(
      command, "--skip", [&request](int32_t count) { request.set_skip(count); }, "How many hits to pass over [0]");
  AddTexts(command, "--facets", "FIELD,..", flags.facets,
           absl::StrCat("What to count: ", absl::StrJoin(FacetNames(), ", "), ", attributes.NAME"))
      ->delimiter(',');
  AddNumber(
      command, "--facet_limit", [&flags](int32_t count) { flags.facet_limit = count; }, "How many values of each [10]");
  AddNumber(
      command, "--snippets", [&flags](int32_t count) { flags.snippets = count; }, "How many passages of each hit [1]");
  AddNumber(
      command, "--snippet_bytes", [&flags](int32_t bytes) { flags.snippet_bytes = bytes; },
      "The longest passage, in bytes [240]");
  command.add_flag("--no_snippets", flags.no_snippets, "No passages");
}

}  // namespace

void AddSearchCommand(CLI::App& root, CommandTable& commands) {
  auto flags = std::make_shared<SearchFlags>();
  CLI::App* command = root.add_subcommand("search", "Find articles");
  command->footer(
      "The query may hold words, \"phrases\", -not, AND, OR, NOT, parentheses, prefix*; title: author: source:\n"
      "country: group: issue: language: before: after:; iran NEAR oil (within 10 words of each other), NEAR/5\n"
      "(within 5; at most 50); newer_than:7d and older_than:7d, counted from now (h, d, w, m, y: hours, days,\n"
      "weeks, months, years). Without a query all articles that pass the filters are listed, newest first. A query\n"
      "that begins with a dash comes after --. --output json gives the SearchResponse message as JSON.\n"
      "\n"
      "Examples:\n"
      "  dateline search iran russia alignment\n"
      "  dateline search '\"oil price\" -opec' --country 'Saudi Arabia,AE' --issue economy --facets country,issue\n"
      "  dateline search 'sanctions NEAR/5 oil newer_than:2w'\n"
      "  dateline search --filter 'publish_time >= 2024-01-01' --order 'publish_time desc' --page_size 20\n"
      "  dateline search sanctions --output json | jq '.hits[].article.title'\n"
      "\n"
      "Exit status: 0, also if nothing is found; 1 the service could not answer; 2 wrong usage, or a request that it "
      "refuses.");
  command->add_option("QUERY", flags->words, "What to look for; without it all articles are listed")->type_name("");
  AddFilterFlags(*command, *flags);
  AddPageFlags(*command, *flags);
  AddQueryFlags(*command, *flags);
  commands.emplace_back(command, [flags](const Context& context) { return Search(context, *flags); });
}

void AddSimilarCommand(CLI::App& root, CommandTable& commands) {
  auto flags = std::make_shared<SimilarFlags>();
  CLI::App* command = root.add_subcommand("similar", "Find articles like a stored one, or like a text");
  command->footer(
      "By the words that tell the text from others and, of a stored article, by the labels it shares. Near-duplicates "
      "of "
      "it are left out.\n\nExamples:\n"
      "  dateline similar https://example.org/commentary/a-piece\n"
      "  dateline similar --text draft.txt --filter 'country = \"IR\"'");
  CLI::Option* const id = AddText(
      *command, "ID", "", [flags](const std::string& text) { flags->request.set_id(text); },
      "The id of a stored article, or one of its URLs");
  CLI::Option* const text =
      command->add_option("--text", flags->text_file, "Like the text of this file; - is standard input")
          ->type_name("FILE");
  id->excludes(text);
  AddText(
      *command, "--filter", "CONDITION", [flags](const std::string& filter) { flags->request.set_filter(filter); },
      "Only articles for which this holds");
  AddNumber(
      *command, "--page_size", [flags](int32_t size) { flags->request.set_page_size(size); },
      "How many, 1 to 100 [10]; 0 is the default, more than 100 are 100");
  AddText(
      *command, "--display_language", "LANGUAGE",
      [flags](const std::string& language) { flags->request.set_display_language(language); },
      "Language of the names shown, such as fr");
  commands.emplace_back(command, [flags](const Context& context) { return Similar(context, *flags); });
}

void AddTrendsCommand(CLI::App& root, CommandTable& commands) {
  auto flags = std::make_shared<TrendsFlags>();
  CLI::App* command = root.add_subcommand("trends", "Count articles by country, issue, source and time");
  command->footer(
      "With --bucket each count stands beside what is expected of it: the mean of the eight buckets "
      "before.\n\nExamples:\n"
      "  dateline trends iran --by issue --bucket month\n"
      "  dateline trends --by country,issue --bucket week --filter 'publish_time >= 2026-01-01' --output jsonl");
  command->add_option("QUERY", flags->search.words, "Only articles with all of these words")->type_name("");
  AddTexts(*command, "--by", "FIELD,..", flags->dimensions,
           "What to count by, at most two of: country, group, issue, source")
      ->delimiter(',');
  AddChoiceFunction<spb::TrendBucket>(
      *command, "--bucket", [flags](spb::TrendBucket bucket) { flags->request.set_bucket(bucket); },
      {{"day", spb::TREND_BUCKET_DAY},
       {"week", spb::TREND_BUCKET_WEEK},
       {"month", spb::TREND_BUCKET_MONTH},
       {"year", spb::TREND_BUCKET_YEAR}},
      "Divide by time");
  AddText(
      *command, "--time_zone", "ZONE", [flags](const std::string& zone) { flags->request.set_time_zone(zone); },
      "In which days begin, such as Europe/London [UTC]");
  AddFilterFlags(*command, flags->search);
  commands.emplace_back(command, [flags](const Context& context) { return Trends(context, *flags); });
}

void AddSuggestCommand(CLI::App& root, CommandTable& commands) {
  auto flags = std::make_shared<SuggestFlags>();
  CLI::App* command = root.add_subcommand("suggest", "Complete what is being typed");
  command->footer(
      "Examples:\n"
      "  dateline suggest ira\n"
      "  dateline suggest 'energy tr' --page_size 3 --output json");
  command->add_option("TEXT", flags->words, "What was typed so far")->required()->type_name("");
  AddNumber(
      *command, "--page_size", [flags](int32_t size) { flags->request.set_page_size(size); },
      "How many suggestions, 1 to 50 [8]; 0 is the default, more than 50 are 50");
  AddText(
      *command, "--display_language", "LANGUAGE",
      [flags](const std::string& text) { flags->request.set_display_language(text); },
      "Language of the names shown, such as fr");
  commands.emplace_back(command, [flags](const Context& context) { return Suggest(context, *flags); });
}

}  // namespace dateline::cli
