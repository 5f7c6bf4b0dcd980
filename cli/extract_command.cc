// dateline extract: pages in, articles out, without any service.
#include <sys/stat.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/json_output.h"
#include "cli/output.pb.h"
#include "common/url.h"
#include "extraction/extraction_proto.h"
#include "extraction/site_learner.h"
#include "extraction/site_rules.h"

namespace dateline::cli {
namespace {

struct Flags {
  std::vector<std::string> places;
  InputOptions input;
  bool learn = false;
};

ExplainedArticle Explain(const extraction::Extraction& extraction, const article::v1::Article& article) {
  ExplainedArticle explained;
  *explained.mutable_article() = article;
  for (const std::string& warning : extraction.warnings) explained.add_warnings(warning);
  for (const extraction::Block& block : extraction.blocks) {
    ExplainedArticle::Block& out = *explained.add_blocks();
    out.set_text(block.text);
    out.set_kept(block.kept);
    out.set_reason(block.reason);
    if (block.score) out.set_score(*block.score);
  }
  return explained;
}

void PrintItem(const Context& context, const InputItem& item, bool explain, bool first, bool alone) {
  const article::v1::Article article = extraction::ToProto(item.extraction->article);
  const JsonLayout layout = context.output == OutputFormat::kJson ? JsonLayout::kPretty : JsonLayout::kLine;
  switch (context.output) {
    case OutputFormat::kText:
      Print(absl::StrCat(first ? "" : "\n", FormatArticle(article, context.style)));
      if (explain) Print(absl::StrCat("\n", FormatBlocks(item.extraction->blocks, context.style)));
      break;
    case OutputFormat::kJson:
    case OutputFormat::kJsonLines:
      PrintJson(explain ? ToJson(Explain(*item.extraction, article), layout, JsonFields::kSet)
                        : ToJson(article, layout, JsonFields::kSet));
      break;
  }
  if (context.quiet) return;
  std::vector<std::string> warnings = item.extraction->warnings;
  // Of one of many, they say of which.
  for (std::string& warning : warnings) {
    if (!alone || item.position != "page") warning = absl::StrCat(DescribeItem(item), ": ", warning);
  }
  std::fputs(FormatWarnings(warnings, context.error_style).c_str(), stderr);
}

// Whether rules for some sites have a section for the host of an article.
bool HasRules(const InputOptions& input, const InputItem& item) {
  const std::string& url = input.url.empty() ? item.extraction->article.url : input.url;
  return input.site_rules->Find(url) != nullptr ||
         (common::LooksLikeUrl(item.source) && input.site_rules->Find(item.source) != nullptr);
}

ExitCode Run(const Context& context, const Flags& flags) {
  if (const absl::Status status = CheckUrlIsOfOne(flags.places, flags.input); !status.ok())
    return Fail(context, status);
  NoteTypedInput(context, flags.places);
  InputOptions input = flags.input;
  std::vector<extraction::Block> rejected;
  input.rejected = &rejected;
  InputReader reader(flags.places, input);
  bool first = true;
  int failures = 0;
  int pages = 0;
  bool has_rules = flags.input.site_rules == nullptr;
  while (const std::optional<InputItem> item = reader.Next()) {
    if (!item->extraction.ok()) {
      ++failures;
      PrintError(context, absl::StrCat(DescribeItem(*item), ": ", DescribeError(item->extraction.status())));
      if (!rejected.empty() && context.output == OutputFormat::kText) Print(FormatBlocks(rejected, context.style));
      rejected.clear();
      continue;
    }
    pages += item->format == extraction::Format::kHtml ? 1 : 0;
    has_rules = has_rules || HasRules(flags.input, *item);
    PrintItem(context, *item, flags.input.explain, first, flags.places.size() == 1 && item->source == flags.places[0]);
    first = false;
  }
  if (Interrupted()) return kExitInterrupted;
  PrintNotes(context, reader);
  if (pages > 0 && !has_rules) {
    PrintError(context,
               "--site_rules: no section of the file is for the host of a page that was read, so that it changed "
               "nothing; check its [host] lines, and say with --url what the address of a saved page is");
  }
  return failures > 0 ? kExitSomeRejected : kExitOk;
}

// Reads all pages, as `take` wants to have them. Returns how many could not be read or hold no article; those are said
// if `say` asks for it.
int ReadPages(const Context& context, const Flags& flags, const InputOptions& input, bool say,
              const std::function<void(const std::string& name, const InputItem& item)>& take) {
  InputReader reader(flags.places, input);
  int failures = 0;
  while (const std::optional<InputItem> item = reader.Next()) {
    if (!item->extraction.ok()) {
      ++failures;
      if (say) PrintError(context, absl::StrCat(DescribeItem(*item), ": ", DescribeError(item->extraction.status())));
    }
    take(absl::StrCat(item->source, "\n", item->position), *item);
  }
  return failures;
}

// Whether all inputs can be read a second time.
bool CanReadAgain(const std::vector<std::string>& places) {
  return std::none_of(places.begin(), places.end(), [](const std::string& place) {
    struct stat about = {};
    return place == kStandardInput || common::LooksLikeUrl(place) || stat(place.c_str(), &about) != 0 ||
           !(S_ISREG(about.st_mode) || S_ISDIR(about.st_mode));
  });
}

ExitCode Learn(const Context& context, const Flags& flags) {
  constexpr int kMaxChecks = 10;
  if (context.output != OutputFormat::kText) {
    return Fail(context, absl::InvalidArgumentError("--learn writes a file of site rules: --output must be text"));
  }
  if (!CanReadAgain(flags.places)) {
    return Fail(context, absl::InvalidArgumentError(
                             "--learn reads its pages more than once; save them to files, and name these or a folder"));
  }
  InputOptions input = flags.input;
  input.explain = true;
  input.locate = true;
  input.follow = Follow::kNever;
  extraction::SiteLearner learner;
  const int failures =
      ReadPages(context, flags, input, /*say=*/true, [&](const std::string& name, const InputItem& item) {
        if (item.extraction.ok()) learner.Add(name, flags.input.url, *item.extraction);
      });
  std::string rules = learner.Rules();
  // What the rules do is seen when they are applied; what does more than it should is withdrawn.
  bool withdrawn = learner.learned() > 0;
  for (int check = 0; check < kMaxChecks && withdrawn && !Interrupted(); ++check) {
    absl::StatusOr<extraction::SiteRules> parsed = extraction::SiteRules::Parse(rules);
    if (!parsed.ok()) return Fail(context, absl::InternalError(parsed.status().message()));
    input.site_rules = std::make_shared<const extraction::SiteRules>(*std::move(parsed));
    withdrawn = false;
    ReadPages(context, flags, input, /*say=*/false, [&](const std::string& name, const InputItem& item) {
      withdrawn = learner.Check(name, item.extraction) || withdrawn;
    });
    if (withdrawn) rules = learner.Rules();
  }
  if (Interrupted()) return kExitInterrupted;
  if (withdrawn) {
    return Fail(context,
                absl::ResourceExhaustedError(absl::StrCat("the rules still changed after ", kMaxChecks,
                                                          " readings; learn from the pages of one host alone")));
  }
  if (learner.homeless() > 0) {
    PrintError(context, absl::StrCat(learner.homeless(), " pages say no address, so that nobody knows whose they are; ",
                                     "--url https://HOST/ says it for all"));
  }
  if (learner.beyond() > 0) {
    PrintError(context,
               absl::StrCat(learner.beyond(), " pages were passed over: more than is learned from at one time"));
  }
  Print(rules);
  return failures > 0 ? kExitSomeRejected : kExitOk;
}

}  // namespace

void AddExtractCommand(CLI::App& root, CommandTable& commands) {
  auto flags = std::make_shared<Flags>();
  CLI::App* command = root.add_subcommand("extract", "Show the article in a page: no service is needed");
  command->footer(
      "The article is printed with its title, authors, date and the publisher's own labels; menus, teasers,\n"
      "biographies and the like are left out, and --explain says of each why, also where no article was found. Its\n"
      "score is how much a block speaks for the text around it being the article, mostly by its length; where a rule\n"
      "decided there is none. --output json gives the Article message as JSON, with --explain within an object\n"
      "{article, warnings, blocks}.\n"
      "\n"
      "Where the wrong part of a page comes out, --site_rules names a file that says where the text is:\n"
      "  [example.org]\n"
      "  select = article .story-body\n"
      "  drop = .promo, aside.related\n"
      "  published = time.pub @datetime\n"
      "There are select, drop, title, author, published, updated, summary, source and label.KIND. A select, title,\n"
      "author or published that finds nothing on a page is a warning; a section may have 2,000 selectors.\n"
      "\n"
      "--learn prints drop rules instead of articles: what stands in the texts of three saved pages of a host or\n"
      "more, and of a quarter of them all, is the site's, and the element around it is dropped if on no page it\n"
      "holds an article's own text. Each rule is tried on the same pages; what changes more than it should is out.\n"
      "Look through them: a comment says what each drops, and on how many pages.\n"
      "\n"
      "Examples:\n"
      "  dateline extract page.html\n"
      "  dateline extract https://example.org/commentary/a-piece\n"
      "  curl -s https://example.org/a-piece | dateline extract - --url https://example.org/a-piece --output json\n"
      "  dateline extract page.txt --explain\n"
      "  dateline extract --learn saved_pages > rules.txt; dateline extract page.html --site_rules rules.txt\n"
      "\n"
      "Exit status: 0; 3 if there was no article in some of the inputs; 2 wrong usage; 130 Ctrl-C.");
  command->add_option("PAGE", flags->places, "What to read: files, folders, http(s) URLs; - is standard input")
      ->required()
      ->type_name("FILE|FOLDER|URL");
  command->add_flag("--explain", flags->input.explain, "Show each block of the page: whether it was kept, and why");
  AddInputFlags(*command, flags->input);
  command
      ->add_flag("--learn", flags->learn,
                 "Print no articles but site rules: what repeats in the texts of a host's pages is dropped")
      ->excludes(command->get_option("--site_rules"))
      ->excludes(command->get_option("--explain"));
  commands.emplace_back(command, [flags](const Context& context) {
    InstallInterruptHandler();
    return flags->learn ? Learn(context, *flags) : Run(context, *flags);
  });
}

}  // namespace dateline::cli
