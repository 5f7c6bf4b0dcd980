// How fast the search core takes articles in and answers, in one process, with no RPC and no classifier.
//
//   build/release/bin/engine_bench DATA/corpora/news.jsonl.zst 5000
//
// Takes the first N articles of a JSON Lines file (id, title, body; plain or zstd), ingests them as fast as the queue
// allows, waits until all are visible, then asks queries made of words of their titles: 2 or 3 words, with and without
// facets, one thread. Prints one line for each figure. The data folder is a temporary one on the disk of TMPDIR.
#include <time.h>
#include <zstd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <random>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"

#include "CLI/CLI.hpp"
#include "common/mutex.h"
#include "common/program.h"
#include "nlohmann/json.hpp"
#include "search_service/engine.h"

namespace dateline::search {
namespace {

// The first `limit` lines of a file.
std::vector<std::string> ReadLines(const std::string& path, size_t limit) {
  std::ifstream file(path, std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  std::string text;
  if (absl::EndsWith(path, ".zst")) {
    std::unique_ptr<ZSTD_DCtx, size_t (*)(ZSTD_DCtx*)> context(ZSTD_createDCtx(), ZSTD_freeDCtx);
    ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
    std::vector<char> buffer(ZSTD_DStreamOutSize());
    size_t lines = 0;
    while (in.pos < in.size && lines < limit) {
      ZSTD_outBuffer out{buffer.data(), buffer.size(), 0};
      if (ZSTD_isError(ZSTD_decompressStream(context.get(), &out, &in)) != 0) break;
      text.append(buffer.data(), out.pos);
      lines += static_cast<size_t>(std::count(buffer.data(), buffer.data() + out.pos, '\n'));
    }
  } else {
    text = bytes;
  }
  std::vector<std::string> lines;
  std::istringstream stream(text);
  std::string line;
  while (lines.size() < limit && std::getline(stream, line)) lines.push_back(line);
  return lines;
}

// Processor time, which says the same on a busy machine: of the calling thread, or of the whole process.
double CpuMillis(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) / 1e6;
}

double Millis(absl::Duration duration) { return absl::ToDoubleMilliseconds(duration); }

void PrintPercentiles(const char* name, std::vector<double> millis) {
  std::sort(millis.begin(), millis.end());
  const auto at = [&](double share) {
    return millis[std::min(millis.size() - 1, static_cast<size_t>(share * static_cast<double>(millis.size())))];
  };
  std::printf("%s: p50 %.2f ms, p95 %.2f ms, p99 %.2f ms, max %.2f ms (%zu calls)\n", name, at(0.5), at(0.95), at(0.99),
              millis.back(), millis.size());
}

int Run(const std::string& path, size_t count) {
  std::vector<Article> articles;
  size_t bytes = 0;
  for (const std::string& line : ReadLines(path, count)) {
    const nlohmann::json json = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (json.is_discarded()) continue;
    Article article;
    article.id = json.value("id", "");
    article.title = json.value("title", "");
    article.body = json.value("body", "");
    article.language_code = "en";
    bytes += article.title.size() + article.body.size();
    articles.push_back(std::move(article));
  }
  if (articles.empty()) {
    std::fprintf(stderr, "no articles in %s\n", path.c_str());
    return 1;
  }
  std::vector<std::string> titles;
  for (const Article& article : articles) titles.push_back(article.title);

  std::string folder = (std::filesystem::temp_directory_path() / "dateline_bench_XXXXXX").string();
  if (mkdtemp(folder.data()) == nullptr) return 1;
  Engine::Options options;
  options.data_dir = folder;
  absl::StatusOr<std::unique_ptr<Engine>> opened = Engine::Open(options, nullptr);
  if (!opened.ok()) {
    std::fprintf(stderr, "%s\n", opened.status().ToString().c_str());
    return 1;
  }
  Engine& engine = **opened;

  const absl::Time start = absl::Now();
  const double cpu_start = CpuMillis(CLOCK_PROCESS_CPUTIME_ID);
  common::Mutex mutex;
  std::vector<double> acks;
  for (const Article& article : articles) {
    bool taken = false;
    while (!taken) {
      const absl::Time sent = absl::Now();
      taken = true;
      engine.Ingest(article, {}, [&, sent](IngestResult result) {
        // Answered at once, on this thread, when the queue is full.
        if (result.outcome == IngestOutcome::kRetryLater) {
          taken = false;
          return;
        }
        const common::MutexLock lock(mutex);
        acks.push_back(Millis(absl::Now() - sent));
      });
      if (!taken) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }
  uint64_t last = 0;
  while (true) {
    const common::MutexLock lock(mutex);
    if (acks.size() == articles.size()) break;
  }
  last = engine.durable_seq();
  const absl::Duration durable = absl::Now() - start;
  engine.WaitFor(last, Progress::kVisible, absl::InfiniteFuture());
  const absl::Duration visible = absl::Now() - start;
  const auto number = static_cast<double>(articles.size());
  std::printf("articles: %zu of %.1f KB\n", articles.size(), static_cast<double>(bytes) / number / 1'000.0);
  std::printf("durable: %.0f articles/s; visible: %.0f articles/s\n", number / absl::ToDoubleSeconds(durable),
              number / absl::ToDoubleSeconds(visible));
  std::printf("processor time, all threads: %.2f ms an article\n",
              (CpuMillis(CLOCK_PROCESS_CPUTIME_ID) - cpu_start) / number);

  std::mt19937 random(7);
  for (const bool facets : {false, true}) {
    std::vector<double> millis;
    std::vector<double> cpu;
    std::vector<double> match;
    for (int i = 0; i < 2'000; ++i) {
      const std::vector<std::string> words =
          absl::StrSplit(titles[random() % titles.size()], ' ', absl::SkipWhitespace());
      if (words.size() < 4) continue;
      SearchQuery query;
      const size_t first = random() % (words.size() - 3);
      query.query = absl::StrCat(words[first], " ", words[first + 2]);
      if (random() % 2 == 0) absl::StrAppend(&query.query, " ", words[first + 3]);
      if (facets) {
        for (const char* field : {"region_code", "issue_id", "source", "year"})
          query.facets.emplace_back().field = field;
      }
      const absl::Time sent = absl::Now();
      const double cpu_sent = CpuMillis(CLOCK_THREAD_CPUTIME_ID);
      const absl::StatusOr<SearchResult> result = engine.Search(query);
      if (!result.ok()) {
        std::fprintf(stderr, "%s: %s\n", query.query.c_str(), result.status().ToString().c_str());
        return 1;
      }
      cpu.push_back(CpuMillis(CLOCK_THREAD_CPUTIME_ID) - cpu_sent);
      millis.push_back(Millis(absl::Now() - sent));
      match.push_back(Millis(result->match_time));
    }
    const std::string name = facets ? "search, snippets and 4 facets" : "search, snippets";
    PrintPercentiles(name.c_str(), millis);
    PrintPercentiles(absl::StrCat(name, ": processor time").c_str(), cpu);
    PrintPercentiles(absl::StrCat(name, ": of it in the index").c_str(), match);
  }
  std::vector<double> millis;
  for (int i = 0; i < 1'000; ++i) {
    SuggestQuery query;
    query.prefix = titles[random() % titles.size()].substr(0, 1 + random() % 6);
    const absl::Time sent = absl::Now();
    if (!engine.Suggest(query).ok()) continue;  // A prefix may cut a character in two.
    millis.push_back(Millis(absl::Now() - sent));
  }
  PrintPercentiles("suggest, 1 to 6 letters", millis);

  // Acknowledgement and visibility at a steady rate.
  std::vector<double> durable_millis;
  std::vector<double> visible_millis;
  for (int i = 0; i < 100; ++i) {
    Article article = articles[static_cast<size_t>(i) % articles.size()];
    article.id = absl::StrCat("steady-", i);
    const absl::Time sent = absl::Now();
    common::CondVar changed;
    uint64_t seq = 0;
    engine.Ingest(std::move(article), {}, [&](IngestResult result) {
      const common::MutexLock lock(mutex);
      seq = result.seq;
      changed.NotifyAll();
    });
    {
      const common::MutexLock lock(mutex);
      while (seq == 0) changed.Wait(mutex);
    }
    durable_millis.push_back(Millis(absl::Now() - sent));
    engine.WaitFor(seq, Progress::kVisible, absl::InfiniteFuture());
    visible_millis.push_back(Millis(absl::Now() - sent));
  }
  PrintPercentiles("one at a time: durable", durable_millis);
  PrintPercentiles("one at a time: visible", visible_millis);
  const absl::StatusOr<IndexInfo> info = engine.GetIndexInfo();
  if (info.ok()) {
    std::printf("store %.0f MB, index %.0f MB\n", static_cast<double>(info->store_bytes) / 1e6,
                static_cast<double>(info->index_bytes) / 1e6);
  }
  opened->reset();
  std::filesystem::remove_all(folder);
  return 0;
}

}  // namespace
}  // namespace dateline::search

int main(int argc, char** argv) {
  std::string file;
  size_t articles = 5'000;
  CLI::App app("How fast the search core takes articles in and answers: in one process, without RPC and classifier.",
               "engine_bench");
  app.add_option("ARTICLES", file, "JSON Lines with id, title and body; plain or zstd")->type_name("FILE")->required();
  app.add_option("COUNT", articles, "How many of them")->capture_default_str()->check(CLI::Range(1, 10'000'000));
  if (const std::optional<int> status = dateline::common::StartProgram(app, argc, argv)) return *status;
  return dateline::search::Run(file, articles);
}
