// dateline extract: pages in, articles out, without any service.
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/json_output.h"
#include "cli/output.pb.h"
#include "extraction/extraction_proto.h"

namespace dateline::cli {
namespace {

struct Flags {
  std::vector<std::string> places;
  InputOptions input;
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

void PrintItem(const Context& context, const InputItem& item, bool explain, bool first) {
  const article::v1::Article article = extraction::ToProto(item.extraction->article);
  const JsonLayout layout = context.output == OutputFormat::kJson ? JsonLayout::kPretty : JsonLayout::kLine;
  switch (context.output) {
    case OutputFormat::kText:
      Print(absl::StrCat(first ? "" : "\n", FormatArticle(article, context.style)));
      if (explain) Print(absl::StrCat("\n", FormatBlocks(item.extraction->blocks, context.style)));
      break;
    case OutputFormat::kJson:
    case OutputFormat::kJsonLines:
      Print(explain ? ToJson(Explain(*item.extraction, article), layout, JsonFields::kSet)
                    : ToJson(article, layout, JsonFields::kSet));
      break;
  }
  if (!context.quiet) std::fputs(FormatWarnings(item.extraction->warnings, context.error_style).c_str(), stderr);
}

ExitCode Run(const Context& context, const Flags& flags) {
  InstallInterruptHandler();
  NoteTypedInput(context, flags.places);
  InputReader reader(flags.places, flags.input);
  bool first = true;
  int failures = 0;
  while (const std::optional<InputItem> item = reader.Next()) {
    if (!item->extraction.ok()) {
      ++failures;
      PrintError(context, absl::StrCat(DescribeItem(*item), ": ", DescribeError(item->extraction.status())));
      continue;
    }
    PrintItem(context, *item, flags.input.explain, first);
    first = false;
  }
  if (Interrupted()) return kExitInterrupted;
  return failures > 0 ? kExitSomeRejected : kExitOk;
}

}  // namespace

void AddExtractCommand(CLI::App& root, CommandTable& commands) {
  auto flags = std::make_shared<Flags>();
  CLI::App* command = root.add_subcommand("extract", "Show the article in a page: no service is needed");
  command->footer(
      "The article is printed with its title, authors, date and the publisher's own labels; menus, teasers,\n"
      "biographies and the like are left out, and --explain says of each why. Its score is how much a block speaks "
      "for\n"
      "the text around it being the article, mostly by its length; where a rule decided there is none. --output json\n"
      "gives the Article message as JSON, with --explain within an object {article, warnings, blocks}.\n"
      "\n"
      "Where the wrong part of a page comes out, --site_rules names a file that says where the text is:\n"
      "  [example.org]\n"
      "  select = article .story-body\n"
      "  drop = .promo, aside.related\n"
      "  published = time.pub @datetime\n"
      "There are select, drop, title, author, published, updated, summary, source and label.KIND.\n"
      "\n"
      "Examples:\n"
      "  dateline extract page.html\n"
      "  dateline extract https://example.org/commentary/a-piece\n"
      "  curl -s https://example.org/a-piece | dateline extract - --url https://example.org/a-piece --output json\n"
      "  dateline extract page.txt --explain\n"
      "\n"
      "Exit status: 0; 3 if there was no article in some of the inputs; 2 wrong usage; 130 Ctrl-C.");
  command->add_option("PAGE", flags->places, "What to read: files, folders, http(s) URLs; - is standard input")
      ->required()
      ->type_name("FILE|FOLDER|URL");
  command->add_flag("--explain", flags->input.explain, "Show each block of the page: whether it was kept, and why");
  AddInputFlags(*command, flags->input);
  commands.emplace_back(command, [flags](const Context& context) { return Run(context, *flags); });
}

}  // namespace dateline::cli
