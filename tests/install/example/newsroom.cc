// What a backend in C++ does with Dateline: it hands over a web page as it is, waits until the page can be found, and
// searches.
//
//   newsroom --search 127.0.0.1:50052 --ingest page.html lithium
//
// prints the outcome and the tags of the page, then one line for each hit: its id, a tab, its title.
#include <grpcpp/grpcpp.h>

#include <chrono>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <string>

#include "dateline/search/v1/ingest_service.grpc.pb.h"
#include "dateline/search/v1/search_service.grpc.pb.h"

namespace article = dateline::article::v1;
namespace search = dateline::search::v1;

namespace {

constexpr char kUsage[] =
    "usage: newsroom --search ADDRESS [--ingest FILE] QUERY\n"
    "  Sends the page in FILE to Dateline, if one is given, and searches for QUERY.\n";

// A call without a deadline may wait for ever.
constexpr std::chrono::seconds kDeadline{20};

int Fail(const std::string& what, const grpc::Status& status) {
  std::cerr << "newsroom: " << what << ": " << status.error_message() << " (code " << status.error_code() << ")\n";
  return 1;
}

int Ingest(const std::shared_ptr<grpc::Channel>& channel, const std::string& path, std::string* commit_token) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    std::cerr << "newsroom: " << path << ": cannot be read\n";
    return 1;
  }
  search::IngestArticlesRequest request;
  request.add_items()->mutable_document()->set_content(std::string(std::istreambuf_iterator<char>(file), {}));
  request.set_view(article::ARTICLE_VIEW_FULL);
  request.set_wait_for(search::COMMIT_STAGE_LABELLED);

  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kDeadline);
  search::IngestArticlesResponse response;
  const grpc::Status status = search::IngestService::NewStub(channel)->IngestArticles(&context, request, &response);
  if (!status.ok()) return Fail("ingest", status);
  for (const search::IngestResult& result : response.results()) {
    std::cout << search::IngestOutcome_Name(result.outcome()) << " " << result.id();
    for (const article::Label& label : result.article().labels()) {
      std::cout << " " << (label.has_region_code() ? label.region_code() : label.issue_id());
    }
    std::cout << "\n";
    if (result.has_error()) {
      std::cerr << "newsroom: " << path << ": " << result.error().message() << "\n";
      return 1;
    }
  }
  *commit_token = response.commit_token();
  return 0;
}

int Search(const std::shared_ptr<grpc::Channel>& channel, const std::string& query, const std::string& commit_token) {
  search::SearchRequest request;
  request.set_query(query);
  // Find what was just ingested, too.
  request.set_min_commit_token(commit_token);

  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kDeadline);
  search::SearchResponse response;
  const grpc::Status status = search::SearchService::NewStub(channel)->Search(&context, request, &response);
  if (!status.ok()) return Fail("search", status);
  for (const search::SearchHit& hit : response.hits()) {
    std::cout << hit.article().id() << "\t" << hit.article().title() << "\n";
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  std::string address;
  std::string page;
  std::string query;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--help") {
      std::cout << kUsage;
      return 0;
    }
    if (word == "--search" && i + 1 < argc) {
      address = argv[++i];
    } else if (word == "--ingest" && i + 1 < argc) {
      page = argv[++i];
    } else {
      query += (query.empty() ? "" : " ") + word;
    }
  }
  if (address.empty() || query.empty()) {
    std::cerr << kUsage;
    return 2;
  }
  const std::shared_ptr<grpc::Channel> channel = grpc::CreateChannel(address, grpc::InsecureChannelCredentials());
  std::string commit_token;
  if (!page.empty()) {
    if (const int result = Ingest(channel, page, &commit_token); result != 0) return result;
  }
  return Search(channel, query, commit_token);
}
