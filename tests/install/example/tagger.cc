// Asks the classifier for the tags of one text: `tagger --classifier 127.0.0.1:50051 TITLE BODY` prints one line for
// each tag, its id, a tab, its score.
#include <grpcpp/grpcpp.h>

#include <chrono>
#include <iostream>
#include <string>

#include "dateline/classifier/v1/classifier_service.grpc.pb.h"

namespace classifier = dateline::classifier::v1;

int main(int argc, char** argv) {
  constexpr char kUsage[] = "usage: tagger --classifier ADDRESS TITLE BODY\n";
  if (argc == 2 && std::string(argv[1]) == "--help") {
    std::cout << kUsage;
    return 0;
  }
  if (argc != 5 || std::string(argv[1]) != "--classifier") {
    std::cerr << kUsage;
    return 2;
  }
  classifier::ClassifyRequest request;
  request.mutable_article()->set_title(argv[3]);
  request.mutable_article()->set_body(argv[4]);

  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
  classifier::ClassifyResponse response;
  const auto stub =
      classifier::ClassifierService::NewStub(grpc::CreateChannel(argv[2], grpc::InsecureChannelCredentials()));
  const grpc::Status status = stub->Classify(&context, request, &response);
  if (!status.ok()) {
    std::cerr << "tagger: " << status.error_message() << " (code " << status.error_code() << ")\n";
    return 1;
  }
  for (const auto& country : response.countries())
    std::cout << country.region_code() << "\t" << country.score() << "\n";
  for (const auto& issue : response.issues()) std::cout << issue.issue_id() << "\t" << issue.score() << "\n";
  return 0;
}
