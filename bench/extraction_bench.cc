// How fast HTML becomes articles, on one core, and what memory that takes.
//
//   build/release/bin/extraction_bench DATA/pages/trafilatura_eval.jsonl.zst [rounds]
//
// Takes the pages of a JSON Lines file (`html` or `html_base64` and perhaps `url`; plain or zstd), decodes them before
// the clock starts, and extracts all of them, rounds times over; the best round counts. Prints MB of HTML a second of
// processor time, and the peak of memory that extraction itself took, as a multiple of the page, for pages of 100 KB or
// more. bench/readability/readability.mjs measures @mozilla/readability on the same pages:
//
//   extraction_bench PAGES.jsonl.zst 1 dump > pages.jsonl
//   npm ci --prefix bench/readability && node bench/readability/readability.mjs speed pages.jsonl
#include <time.h>
#include <zstd.h>

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"

#include "CLI/CLI.hpp"
#include "common/program.h"
#include "extraction/extraction.h"
#include "tests/support/counted_memory.h"

namespace dateline::extraction {
namespace {

using Json = nlohmann::json;

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (!absl::EndsWith(path, ".zst")) return bytes;
  const std::unique_ptr<ZSTD_DCtx, size_t (*)(ZSTD_DCtx*)> context(ZSTD_createDCtx(), ZSTD_freeDCtx);
  ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
  std::vector<char> buffer(ZSTD_DStreamOutSize());
  std::string text;
  while (in.pos < in.size) {
    ZSTD_outBuffer out{buffer.data(), buffer.size(), 0};
    if (ZSTD_isError(ZSTD_decompressStream(context.get(), &out, &in)) != 0) break;
    text.append(buffer.data(), out.pos);
  }
  return text;
}

std::vector<Document> ReadPages(const std::string& path) {
  std::vector<Document> pages;
  std::istringstream lines(ReadFile(path));
  std::string line;
  while (std::getline(lines, line)) {
    const Json record = Json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (!record.is_object()) continue;
    Document page{.media_type = "text/html", .url = record.value("url", "")};
    if (!absl::Base64Unescape(record.value("html_base64", ""), &page.content) || page.content.empty()) {
      page.content = record.value("html", "");
    }
    pages.push_back(std::move(page));
  }
  return pages;
}

double ProcessorSeconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

// The pages as the other program reads them: UTF-8, {"id", "html"} a line.
void Dump(const std::vector<Document>& pages) {
  for (size_t i = 0; i < pages.size(); ++i) {
    std::cout << Json{{"id", std::to_string(i)}, {"html", pages[i].content}}.dump(-1, ' ', false,
                                                                                  Json::error_handler_t::replace)
              << "\n";
  }
}

void Run(const std::vector<Document>& pages, int rounds) {
  constexpr size_t kLargePage = 100'000;
  double megabytes = 0.0;
  std::vector<double> multiples;
  size_t articles = 0;
  for (const Document& page : pages) {
    megabytes += static_cast<double>(page.content.size()) / 1e6;
    testing::MemoryPeak peak;
    articles += Extract(page).ok() ? 1 : 0;
    if (page.content.size() >= kLargePage) {
      multiples.push_back(static_cast<double>(peak.bytes()) / static_cast<double>(page.content.size()));
    }
  }
  double best = 0.0;
  for (int round = 0; round < rounds; ++round) {
    const double start = ProcessorSeconds();
    for (const Document& page : pages) {
      (void)Extract(page).ok();
    }
    const double seconds = ProcessorSeconds() - start;
    best = best == 0.0 || seconds < best ? seconds : best;
  }
  std::printf("extraction: %zu pages, %.1f MB, %zu articles\n", pages.size(), megabytes, articles);
  std::printf("%.2f MB/s, %.2f ms a page (processor time, best of %d)\n", megabytes / best,
              best / static_cast<double>(pages.size()) * 1e3, rounds);
  if (!multiples.empty()) {
    std::sort(multiples.begin(), multiples.end());
    std::printf(
        "peak of memory, of %zu pages of 100 KB or more: %.1f times the page at the median, %.1f at the 95th "
        "percentile, %.1f at the worst\n",
        multiples.size(), multiples[multiples.size() / 2], multiples[multiples.size() * 95 / 100], multiples.back());
  }
}

}  // namespace
}  // namespace dateline::extraction

int main(int argc, char** argv) {
  std::string file;
  int rounds = 3;
  std::string dump;
  CLI::App app("How fast HTML becomes articles, on one core, and what memory that takes.", "extraction_bench");
  app.add_option("PAGES", file, "JSON Lines with html or html_base64, and perhaps url; plain or zstd")
      ->type_name("FILE")
      ->required();
  app.add_option("ROUNDS", rounds, "How often all of them are extracted; the best round counts")
      ->capture_default_str()
      ->check(CLI::Range(1, 1'000));
  app.add_option("DUMP", dump, "The word dump: print the pages, decoded, instead")->check(CLI::IsMember({"dump"}));
  if (const std::optional<int> status = dateline::common::StartProgram(app, argc, argv)) return *status;
  const std::vector<dateline::extraction::Document> pages = dateline::extraction::ReadPages(file);
  if (pages.empty()) {
    std::fprintf(stderr, "%s holds no pages\n", file.c_str());
    return 1;
  }
  if (!dump.empty()) {
    dateline::extraction::Dump(pages);
  } else {
    dateline::extraction::Run(pages, rounds);
  }
  return 0;
}
