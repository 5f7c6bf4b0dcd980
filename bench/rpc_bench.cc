// Latency and rate of searches, classifications and steady ingestion over gRPC, against servers that run.
//
//   rpc_bench --search 127.0.0.1:50052 --queries queries.txt --count 2000 --concurrency 1
//   rpc_bench --classifier 127.0.0.1:50051 --articles articles.jsonl --batch 32
//   rpc_bench --ingest 127.0.0.1:50052 --articles articles.jsonl --rate 200 --bytes 1000 --count 6000
//
// Queries: one a line. Articles: JSON Lines with `title` and `body` (or `text`). Simulated: a caller that sends its
// next request when the last one is answered, `concurrency` of them at once, from another process on the same machine:
// on two cores client and servers share them, so rates are lower bounds. Ingestion: one stream that sends an article
// every 1/rate seconds whatever comes back, each with an id of its own and a body cut or repeated to `bytes`; latencies
// are from when an article was due to be sent until its acknowledgement, and until the stream says that searches see
// it. Prints one line of JSON.
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "grpcpp/grpcpp.h"

#include "CLI/CLI.hpp"
#include "common/program.h"
#include "common/rpc/channel.h"
#include "common/text.h"
#include "dateline/classifier/v1/classifier_service.grpc.pb.h"
#include "dateline/search/v1/ingest_service.grpc.pb.h"
#include "dateline/search/v1/search_service.grpc.pb.h"
#include "nlohmann/json.hpp"

namespace {

namespace cpb = dateline::classifier::v1;
namespace spb = dateline::search::v1;

struct Flags {
  std::string search;
  std::string classifier;
  std::string ingest;
  std::string queries;
  std::string articles;
  int count = 2000;
  int concurrency = 1;
  int batch = 32;
  int facets = 2;
  std::string order;
  double rate = 200.0;
  int bytes = 1'000;
};

double Percentile(std::vector<double>& sorted, double p) {
  if (sorted.empty()) return 0.0;
  const auto last = static_cast<double>(sorted.size() - 1);
  return sorted[static_cast<size_t>(p * last)];
}

std::vector<std::string> Lines(const std::string& path) {
  std::ifstream file(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) {
    if (!line.empty()) lines.push_back(std::move(line));
  }
  return lines;
}

std::shared_ptr<grpc::Channel> Connect(const std::string& address) {
  auto channel = dateline::common::rpc::MakeChannel(address);
  if (!channel.ok() || !dateline::common::rpc::WaitUntilConnected(**channel, absl::Seconds(10))) {
    std::fprintf(stderr, "rpc_bench: no server at %s\n", address.c_str());
    std::exit(EXIT_FAILURE);
  }
  return *channel;
}

// Runs `call(i)` for 0 ≤ i < count from `concurrency` threads; gives the milliseconds of each.
template <typename Call>
std::vector<double> Run(int count, int concurrency, const Call& call, absl::Duration& elapsed) {
  std::vector<double> milliseconds(static_cast<size_t>(count));
  std::atomic<int> next{0};
  std::vector<std::thread> threads;
  const absl::Time start = absl::Now();
  for (int t = 0; t < concurrency; ++t) {
    threads.emplace_back([&] {
      for (int i = next++; i < count; i = next++) {
        const absl::Time begin = absl::Now();
        call(i);
        milliseconds[static_cast<size_t>(i)] = absl::ToDoubleMilliseconds(absl::Now() - begin);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  elapsed = absl::Now() - start;
  std::sort(milliseconds.begin(), milliseconds.end());
  return milliseconds;
}

void Print(nlohmann::json result, std::vector<double>& milliseconds, absl::Duration elapsed, int errors) {
  result["calls"] = milliseconds.size();
  result["errors"] = errors;
  result["seconds"] = absl::ToDoubleSeconds(elapsed);
  result["p50_ms"] = Percentile(milliseconds, 0.50);
  result["p95_ms"] = Percentile(milliseconds, 0.95);
  result["p99_ms"] = Percentile(milliseconds, 0.99);
  result["max_ms"] = milliseconds.empty() ? 0.0 : milliseconds.back();
  std::cout << result.dump() << "\n";
}

void BenchSearch(const Flags& flags) {
  const std::vector<std::string> queries = Lines(flags.queries);
  if (queries.empty()) {
    std::fprintf(stderr, "rpc_bench: no queries in %s\n", flags.queries.c_str());
    std::exit(EXIT_FAILURE);
  }
  const auto stub = spb::SearchService::NewStub(Connect(flags.search));
  std::atomic<int> errors{0};
  std::atomic<int64_t> hits{0};
  const auto search = [&](int i) {
    spb::SearchRequest request;
    request.set_query(queries[static_cast<size_t>(i) % queries.size()]);
    request.mutable_snippet();
    request.set_order_by(flags.order);
    if (flags.facets > 0) request.add_facets()->set_field("region_code");
    if (flags.facets > 1) request.add_facets()->set_field("issue_id");
    grpc::ClientContext context;
    context.set_deadline(absl::ToChronoTime(absl::Now() + absl::Seconds(30)));
    spb::SearchResponse response;
    if (!stub->Search(&context, request, &response).ok()) ++errors;
    hits += response.hits_size();
  };
  for (int i = 0; i < 50; ++i) search(i);  // Warm-up.
  errors = 0;
  hits = 0;
  absl::Duration elapsed;
  std::vector<double> milliseconds = Run(flags.count, flags.concurrency, search, elapsed);
  Print({{"what", "search"},
         {"concurrency", flags.concurrency},
         {"facets", flags.facets},
         {"order_by", flags.order},
         {"hits", hits.load()},
         {"searches_per_s", flags.count / absl::ToDoubleSeconds(elapsed)}},
        milliseconds, elapsed, errors);
}

void BenchClassify(const Flags& flags) {
  std::vector<cpb::BatchClassifyRequest> batches;
  size_t bytes = 0;
  int articles = 0;
  std::ifstream file(flags.articles);
  for (std::string line; articles < flags.count && std::getline(file, line);) {
    const nlohmann::json json = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (!json.is_object()) continue;
    if (batches.empty() || batches.back().requests_size() == flags.batch) batches.emplace_back();
    auto& article = *batches.back().add_requests()->mutable_article();
    article.set_title(json.value("title", ""));
    article.set_body(json.contains("body") ? json.value("body", "") : json.value("text", ""));
    bytes += article.body().size();
    ++articles;
  }
  const auto stub = cpb::ClassifierService::NewStub(Connect(flags.classifier));
  std::atomic<int> errors{0};
  std::atomic<int64_t> tagged{0};
  absl::Duration elapsed;
  std::vector<double> milliseconds = Run(
      static_cast<int>(batches.size()), flags.concurrency,
      [&](int i) {
        grpc::ClientContext context;
        context.set_deadline(absl::ToChronoTime(absl::Now() + absl::Seconds(60)));
        cpb::BatchClassifyResponse response;
        if (!stub->BatchClassify(&context, batches[static_cast<size_t>(i)], &response).ok()) ++errors;
        for (const auto& result : response.results()) {
          if (result.response().countries_size() > 0) ++tagged;
        }
      },
      elapsed);
  Print({{"what", "classify"},
         {"concurrency", flags.concurrency},
         {"batch", flags.batch},
         {"articles", articles},
         {"with_country", tagged.load()},
         {"articles_per_s", articles / absl::ToDoubleSeconds(elapsed)},
         {"mb_per_s", static_cast<double>(bytes) / 1e6 / absl::ToDoubleSeconds(elapsed)}},
        milliseconds, elapsed, errors);
}

std::vector<std::string> Bodies(const Flags& flags) {
  constexpr size_t kMaxBodies = 30'000;
  const auto size = static_cast<size_t>(flags.bytes);
  std::vector<std::string> bodies;
  std::ifstream file(flags.articles);
  for (std::string line; bodies.size() < kMaxBodies && std::getline(file, line);) {
    const nlohmann::json json = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (!json.is_object()) continue;
    const std::string text = json.contains("body") ? json.value("body", "") : json.value("text", "");
    if (text.size() < size / 4 || text.empty()) continue;
    std::string body;
    while (body.size() < size) body += text + "\n\n";
    bodies.push_back(body.substr(0, dateline::common::CodePointFloor(body, size)));
  }
  return bodies;
}

void BenchIngest(const Flags& flags) {
  const std::vector<std::string> bodies = Bodies(flags);
  if (bodies.empty()) {
    std::fprintf(stderr, "rpc_bench: no articles of that length in %s\n", flags.articles.c_str());
    std::exit(EXIT_FAILURE);
  }
  const auto stub = spb::IngestService::NewStub(Connect(flags.ingest));
  grpc::ClientContext context;
  const auto stream = stub->StreamIngest(&context);
  const auto count = static_cast<size_t>(flags.count);
  const absl::Time start = absl::Now() + absl::Milliseconds(100);
  const auto due = [&](size_t i) { return start + absl::Seconds(static_cast<double>(i) / flags.rate); };
  std::thread sender([&] {
    const std::string run = absl::StrCat("bench-", absl::ToUnixNanos(start), "-");
    spb::StreamIngestRequest request;
    for (size_t i = 0; i < count; ++i) {
      auto& article = *request.mutable_article();
      article.set_id(absl::StrCat(run, i));
      article.set_title(absl::StrCat("Report ", i));
      article.set_body(absl::StrCat(bodies[(i * 7919) % bodies.size()], " ", run, i));
      request.set_client_sequence(static_cast<int64_t>(i) + 1);
      absl::SleepFor(due(i) - absl::Now());
      if (!stream->Write(request)) break;
    }
  });
  std::vector<double> durable;
  std::vector<double> visible;
  int errors = 0;
  spb::StreamIngestResponse response;
  while (visible.size() < count && stream->Read(&response)) {
    const absl::Time now = absl::Now();
    if (response.has_ack()) {
      durable.push_back(
          absl::ToDoubleMilliseconds(now - due(static_cast<size_t>(response.ack().client_sequence()) - 1)));
      if (response.ack().has_error()) ++errors;
    }
    while (visible.size() < static_cast<size_t>(response.watermark().visible_through()) && visible.size() < count) {
      visible.push_back(absl::ToDoubleMilliseconds(now - due(visible.size())));
    }
  }
  const absl::Duration elapsed = absl::Now() - start;
  sender.join();
  // Only now: a stream that is half-closed ends with its last acknowledgement, and the watermarks after it don't come.
  stream->WritesDone();
  while (stream->Read(&response)) {
  }
  const grpc::Status status = stream->Finish();
  std::sort(durable.begin(), durable.end());
  std::sort(visible.begin(), visible.end());
  nlohmann::json result = {{"what", "ingest"},
                           {"articles_per_s", flags.rate},
                           {"bytes", flags.bytes},
                           {"visible_p50_ms", Percentile(visible, 0.50)},
                           {"visible_p95_ms", Percentile(visible, 0.95)},
                           {"visible_p99_ms", Percentile(visible, 0.99)},
                           {"visible_max_ms", visible.empty() ? 0.0 : visible.back()}};
  if (visible.size() < count) result["ended_early"] = status.error_message();
  Print(std::move(result), durable, elapsed, errors);
}

}  // namespace

int main(int argc, char** argv) {
  Flags flags;
  CLI::App app(
      "Latency and rate of searches, classifications and steady ingestion over gRPC, against servers that run.",
      "rpc_bench");
  app.add_option("--search", flags.search, "Address of a search service");
  app.add_option("--classifier", flags.classifier, "Address of a classifier service");
  app.add_option("--ingest", flags.ingest, "Address of a search service, to take articles in");
  app.add_option("--rate", flags.rate, "Articles a second")->check(CLI::Range(0.1, 1e5));
  app.add_option("--bytes", flags.bytes, "Of an article's body")->check(CLI::Range(100, 1'000'000));
  app.add_option("--queries", flags.queries, "Queries, one a line")->type_name("FILE");
  app.add_option("--articles", flags.articles, "Articles, JSON Lines")->type_name("FILE");
  app.add_option("--count", flags.count, "Searches, or articles, at most")->check(CLI::Range(1, 1'000'000));
  app.add_option("--concurrency", flags.concurrency, "Calls at once")->check(CLI::Range(1, 64));
  app.add_option("--batch", flags.batch, "Articles in one call")->check(CLI::Range(1, 1000));
  app.add_option("--facets", flags.facets, "Facets asked for: 0, 1 (countries) or 2 (and issues)");
  app.add_option("--order_by", flags.order, "Of searches: relevance (the default), \"publish_time desc\", …");
  if (const std::optional<int> status = dateline::common::StartProgram(app, argc, argv)) return *status;
  if (static_cast<int>(flags.search.empty()) + static_cast<int>(flags.classifier.empty()) +
          static_cast<int>(flags.ingest.empty()) !=
      2) {
    dateline::common::PrintUsageError(app, "give --search with --queries, or --classifier or --ingest with --articles");
    return dateline::common::kExitUsage;
  }
  if (!flags.search.empty()) BenchSearch(flags);
  if (!flags.classifier.empty()) BenchClassify(flags);
  if (!flags.ingest.empty()) BenchIngest(flags);
  return EXIT_SUCCESS;
}
