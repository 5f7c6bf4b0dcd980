// dateline ingest: pages, feeds and exports into the search service.
#include <algorithm>
#include <memory>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"

#include "cli/command.h"
#include "cli/ingest_job.h"
#include "cli/interrupt.h"

namespace dateline::cli {
namespace {

// Less would be a busy loop.
constexpr absl::Duration kShortestPause = absl::Milliseconds(100);

ExitCode Ingest(const Context& context, const IngestFlags& flags) {
  IngestJob job(context, flags, /*inventory=*/nullptr);
  if (const std::optional<ExitCode> ended = job.Begin()) return *ended;
  do {
    job.RunRound();
  } while (flags.watch && job.failure().ok() && SleepUnlessInterrupted(*flags.watch));
  return job.End();
}

// What was given to --watch, into `flags`. What is wrong with it; empty if nothing is.
std::string ReadWatch(const std::string& text, IngestFlags& flags) {
  if (text.empty()) return "";
  const absl::StatusOr<absl::Duration> pause = ParseDurationText(text);
  if (!pause.ok()) return absl::StrCat("--watch: ", pause.status().message());
  if (*pause < kShortestPause) return absl::StrCat("--watch: “", text, "” is less than 0.1s");
  if (std::find(flags.places.begin(), flags.places.end(), kStandardInput) != flags.places.end()) {
    return "--watch: standard input (-) can be read only once; name files, folders or URLs";
  }
  flags.watch = *pause;
  return "";
}

}  // namespace

void AddIngestCommand(CLI::App& root, CommandTable& commands) {
  auto flags = std::make_shared<IngestFlags>();
  CLI::App* command =
      root.add_subcommand("ingest", "Take pages, feeds, exports or folders of them into the search service");
  command->footer(
      "Inputs are pages (HTML, MHTML, plain text, PDF), feeds (RSS, Atom, JSON Feed), sitemaps, exports (WordPress, "
      "JSON, "
      "JSON\n"
      "Lines, CSV, TSV), mail (EML, mbox), folders of such files, and zip, tar, gzip, bzip2, xz or zstd of any of "
      "them. In\n"
      "folders and archives, files are told by their names (.html .xml .jsonl.gz ...); others are passed over. Fields "
      "of\n"
      "JSON and columns of CSV are id, url, title, body, body_html, summary, authors, source, date, update_time,\n"
      "language, image_url, countries, issues, keywords, categories, tags; --map says where others are. A feed's "
      "summary\n"
      "never takes the place of a fuller text. Pages that a source only names are fetched at the pace of "
      "--fetch_delay,\n"
      "and not where robots.txt forbids it. Each article is answered once it is on disk: created, updated, unchanged,\n"
      "stale (the stored one is newer) or rejected.\n"
      "Running it again does no harm. A lost connection is taken up again, and what was not answered is sent again.\n"
      "With --checkpoint, a run that was killed goes on where it was: files of which all was taken are passed over "
      "while "
      "they\n"
      "are unchanged, and of another one what was answered, up to the first article that was rejected. Where the "
      "service has\n"
      "another collection, or an older state of it, or --map, --follow and the like are others than before, all files "
      "are\n"
      "taken again. --watch takes what comes into a folder or a feed until Ctrl-C or SIGTERM, and waits for the "
      "service "
      "while\n"
      "it is away.\n"
      "\n"
      "Examples:\n"
      "  dateline ingest page.html folder/ https://example.org/feed.rss\n"
      "  dateline ingest export.jsonl.zst --max_rejects 1% --report run.json\n"
      "  dateline ingest folder/ --output jsonl --wait labelled > results.jsonl\n"
      "  dateline ingest https://example.org/sitemap.xml --fetch_state example.state   # next time, only what is new\n"
      "  dateline ingest archive/ --checkpoint archive.checkpoint --rejected rejected.jsonl   # again after a kill\n"
      "  dateline ingest rejected.jsonl   # once corrected\n"
      "  dateline ingest inbox/ https://example.org/feed.rss --watch --fetch_state example.state\n"
      "  dateline ingest export.jsonl --dry_run   # what would be sent, and what rejected\n"
      "  dateline ingest table.csv --map title=Headline --map body_html='Full Text' --map label.section=Desk\n"
      "\n"
      "Exit status: 0 all taken (or no more rejected than --max_rejects), and what --wait asks for was reached; 3 "
      "some\n"
      "rejected, or a source not read to its end (`cutOff` in the report); 4 all taken, but --wait_timeout was over\n"
      "before what --wait asks for was reached; 1 the job failed; 2 wrong usage; 130 Ctrl-C (with --watch only if\n"
      "articles were left without an answer). --dry_run ends as the run would, and rejects what the service would, but "
      "for\n"
      "what depends on what it holds: purged ids and URLs, and newer versions. The report says the same in `exitCode`, "
      "`error`, `waitedFor`, `reached` and `shortfall`.");
  command->add_option("PATH", flags->places, "What to take: files, folders, http(s) URLs; - is standard input")
      ->required()
      ->type_name("FILE|FOLDER|URL");
  AddIngestFlags(*command, *flags);
  command
      ->add_option(
          "--checkpoint", flags->checkpoint,
          "Keep in this file how far the files named have come, and pass over what was taken and has not changed "
          "since; for one run at a time")
      ->type_name("FILE");
  CLI::Option* const dry_run =
      command->add_flag("--dry_run", flags->dry_run,
                        "Read and check everything, send nothing, and say what would be sent; needs no service");
  auto watch = std::make_shared<std::string>();
  command
      ->add_flag(
          "--watch{60}", *watch,
          "Go on: begin again after a pause of so many seconds (--watch=10), and take what is new or has changed; a "
          "file that changed within the last two seconds waits for the next round")
      ->excludes(dry_run)
      ->excludes(command->get_option("--wait"));
  commands.emplace_back(command, [command, flags, watch](const Context& context) {
    if (const std::string problem = ReadWatch(*watch, *flags); !problem.empty()) {
      PrintError(context, problem);
      return kExitUsage;
    }
    SettleResultsShown(*command, context, *flags);
    return Ingest(context, *flags);
  });
}

}  // namespace dateline::cli
