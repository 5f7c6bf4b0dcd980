// The gateway in front of a gRPC server of its own kind: the real contract, answers made up by the test.
#include "web_gateway/gateway.h"

#include <algorithm>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "google/rpc/error_details.pb.h"
#include "gtest/gtest.h"

#include "common/error.h"
#include "common/rpc/server.h"
#include "common/rpc/status.h"
#include "dateline/search/v1/ingest_service.grpc.pb.h"
#include "dateline/search/v1/search_service.grpc.pb.h"
#include "tests/support/status_matchers.h"
#include "web_gateway/descriptor_set.h"
#include "web_gateway/gzip.h"
#include "web_gateway/http_server.h"
#include "web_gateway/test_client.h"

namespace dateline::web_gateway {
namespace {

namespace v1 = ::dateline::search::v1;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kSearch[] = "/dateline.search.v1.SearchService/Search";
const HttpHeaders kJsonType = {{"Content-Type", "application/json"}};

std::string HeaderOf(const HttpResponse& response, absl::string_view name) {
  return std::string(FindHeader(response.headers, name).value_or("(none)"));
}

std::string Frame(uint8_t flags, const std::string& payload) {
  std::string frame(1, static_cast<char>(flags));
  for (const int shift : {24, 16, 8, 0}) {
    frame.push_back(static_cast<char>((payload.size() >> shift) & 0xff));
  }
  return frame + payload;
}

// Ends only when it is cancelled.
class Hanging final : public grpc::ServerUnaryReactor {
 public:
  explicit Hanging(absl::Notification* cancelled) : cancelled_(cancelled) {}
  void OnCancel() override {
    if (!cancelled_->HasBeenNotified()) {
      cancelled_->Notify();
    }
    Finish(grpc::Status::CANCELLED);
  }
  void OnDone() override { delete this; }

 private:
  absl::Notification* cancelled_;
};

// Answers by what the query says.
class ScriptedSearch final : public v1::SearchService::CallbackService {
 public:
  grpc::ServerUnaryReactor* Search(grpc::CallbackServerContext* context, const v1::SearchRequest* request,
                                   v1::SearchResponse* response) override {
    if (request->query() == "hang") {
      hanging.Notify();
      return new Hanging(&cancelled);
    }
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    if (request->query() == "error") {
      reactor->Finish(
          common::rpc::ToGrpcStatus(common::InvalidField("page_size", "must not be negative, \xc3\xa9 5 %")));
      return reactor;
    }
    if (request->query() == "private") {
      context->AddInitialMetadata("cache-control", "private, max-age=5");
    }
    if (request->query() == "named") {
      context->AddInitialMetadata("etag", "names-2");
    }
    const auto id = context->client_metadata().find("x-request-id");
    if (id != context->client_metadata().end()) {
      context->AddInitialMetadata("x-request-id", std::string(id->second.data(), id->second.size()));
      context->AddTrailingMetadata("x-done", "yes");
      context->AddTrailingMetadata("x-bytes-bin", std::string("\x00\xff", 2));
    }
    if (request->query() == "deadline") {
      response->mutable_timing()->set_total_ms(
          absl::ToDoubleMilliseconds(absl::FromChrono(context->deadline()) - absl::Now()));
    }
    if (request->query() == "big") {
      response->mutable_interpretation()->set_parsed_query(std::string(100'000, 'x'));
    } else {
      response->mutable_interpretation()->set_parsed_query(request->query());
      response->set_commit_token("log-7");
    }
    response->mutable_total()->set_value(request->page_size());
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }

  absl::Notification hanging;
  absl::Notification cancelled;
};

class DeletingIngest final : public v1::IngestService::CallbackService {
 public:
  grpc::ServerUnaryReactor* DeleteArticle(grpc::CallbackServerContext* context,
                                          const v1::DeleteArticleRequest* /*request*/,
                                          v1::DeleteArticleResponse* /*response*/) override {
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }
};

class GatewayTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(grpc_, common::rpc::Server::Start({}, {{v1::SearchService::service_full_name(), &search_},
                                                                {v1::IngestService::service_full_name(), &ingest_}}));
  }

  // Starts a gateway with these options and returns a client that is connected to it.
  TestClient Connect(std::vector<std::string> allow = {}, Gateway::Options options = {},
                     const std::string& search_address = "") {
    auto registry = MethodRegistry::Create(
        DescriptorSet().front().content,
        {.routes = {{"dateline.search.v1", "search"}, {"dateline.classifier.v1", "classifier"}},
         .readable_services = {"dateline.search.v1.SearchService", "dateline.classifier.v1.ClassifierService"},
         .allow = std::move(allow)});
    EXPECT_OK(registry);
    std::map<std::string, std::unique_ptr<Upstream>> upstreams;
    upstreams["search"] = *Upstream::Create(search_address.empty() ? grpc_->address() : search_address);
    // Nobody is there.
    upstreams["classifier"] = *Upstream::Create("127.0.0.1:1");
    options.required_upstream = "search";
    gateway_ = std::make_unique<Gateway>(*std::move(registry), std::move(upstreams),
                                         StaticSite(std::vector<StaticSite::File>{{"index.html", "<p>page</p>"}}),
                                         std::move(options));
    HttpServer::Options http;
    http.listen = "127.0.0.1:0";
    auto server = HttpServer::Start(http, *gateway_);
    EXPECT_OK(server);
    server_ = *std::move(server);
    return TestClient(server_->port());
  }

  ScriptedSearch search_;
  DeletingIngest ingest_;
  std::unique_ptr<common::rpc::Server> grpc_;
  std::unique_ptr<Gateway> gateway_;
  std::unique_ptr<HttpServer> server_;
};

TEST_F(GatewayTest, AnswersConnectPostsInJsonAndProto) {
  TestClient client = Connect();
  const HttpResponse json = client.Send("POST", kSearch, kJsonType, R"({"query":"gas \u00e9","pageSize":3})");
  EXPECT_EQ(json.status, 200);
  EXPECT_EQ(HeaderOf(json, "content-type"), "application/json");
  EXPECT_EQ(HeaderOf(json, "cache-control"), "no-store");
  EXPECT_EQ(
      nlohmann::json::parse(json.body),
      nlohmann::json::parse(R"({"total":{"value":3},"interpretation":{"parsedQuery":"gas é"},"commitToken":"log-7"})"));

  v1::SearchRequest request;
  request.set_query("gas");
  const HttpResponse proto =
      client.Send("POST", kSearch, {{"Content-Type", "application/proto"}}, request.SerializeAsString());
  EXPECT_EQ(proto.status, 200);
  EXPECT_EQ(HeaderOf(proto, "content-type"), "application/proto");
  v1::SearchResponse response;
  ASSERT_TRUE(response.ParseFromString(proto.body));
  EXPECT_EQ(response.interpretation().parsed_query(), "gas");
}

TEST_F(GatewayTest, AnswersGetsWithAnETagMadeOfTheCommitToken) {
  TestClient client = Connect();
  const std::string target = absl::StrCat(kSearch, "?connect=v1&encoding=json&message=%7B%22query%22%3A%22gas%22%7D");
  const HttpResponse first = client.Send("GET", target);
  EXPECT_EQ(first.status, 200);
  EXPECT_EQ(HeaderOf(first, "etag"), "W/\"log-7\"");
  EXPECT_EQ(HeaderOf(first, "cache-control"), "no-cache");
  EXPECT_THAT(HeaderOf(first, "vary"), HasSubstr("Accept-Encoding"));
  const HttpResponse again = client.Send("GET", target, {{"If-None-Match", "\"other\", W/\"log-7\""}});
  EXPECT_EQ(again.status, 304);
  EXPECT_EQ(again.body, "");
  EXPECT_EQ(HeaderOf(again, "etag"), "W/\"log-7\"");
  const HttpResponse head = client.Send("HEAD", target);
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(HeaderOf(head, "content-length"), absl::StrCat(first.body.size()));

  v1::SearchRequest request;
  request.set_query("gas");
  const HttpResponse binary = client.Send("GET", absl::StrCat(kSearch, "?encoding=proto&base64=1&message=",
                                                              absl::WebSafeBase64Escape(request.SerializeAsString())));
  EXPECT_EQ(binary.status, 200);
  EXPECT_EQ(HeaderOf(binary, "content-type"), "application/proto");
}

TEST_F(GatewayTest, AnETagThatTheServiceStatesGoesBeforeTheCommitToken) {
  TestClient client = Connect();
  const std::string target = absl::StrCat(kSearch, "?connect=v1&encoding=json&message=%7B%22query%22%3A%22named%22%7D");
  const HttpResponse first = client.Send("GET", target);
  EXPECT_EQ(HeaderOf(first, "etag"), "W/\"names-2\"");
  EXPECT_EQ(std::count_if(first.headers.begin(), first.headers.end(),
                          [](const HttpHeader& header) { return absl::EqualsIgnoreCase(header.name, "etag"); }),
            1);
  EXPECT_EQ(client.Send("GET", target, {{"If-None-Match", "W/\"log-7\""}}).status, 200);
  EXPECT_EQ(client.Send("GET", target, {{"If-None-Match", "W/\"names-2\""}}).status, 304);
}

TEST_F(GatewayTest, KeepsFromCachesWhatWaitsFailsOrSaysSo) {
  TestClient client = Connect();
  const auto cache = [&client](const std::string& message) {
    return HeaderOf(
        client.Send("GET",
                    absl::StrCat(kSearch, "?encoding=json&base64=1&message=", absl::WebSafeBase64Escape(message))),
        "cache-control");
  };
  EXPECT_EQ(cache(R"({"query":"gas"})"), "no-cache");
  EXPECT_EQ(cache(R"({"query":"gas","minCommitToken":"log-6"})"), "no-store");
  EXPECT_EQ(cache(R"({"query":"private"})"), "private, max-age=5");
  EXPECT_EQ(cache(R"({"query":"big"})"), "no-store");
  EXPECT_EQ(cache(R"({"query":"error"})"), "no-store");
}

TEST_F(GatewayTest, PassesErrorsOnWithTheirDetails) {
  TestClient client = Connect();
  const HttpResponse response = client.Send("POST", kSearch, kJsonType, R"({"query":"error"})");
  EXPECT_EQ(response.status, 400);
  const auto error = nlohmann::json::parse(response.body);
  EXPECT_EQ(error["code"], "invalid_argument");
  EXPECT_THAT(error["message"].get<std::string>(), HasSubstr("page_size: must not be negative, \xc3\xa9 5 %"));
  bool bad_request_found = false;
  for (const auto& detail : error["details"]) {
    if (detail["type"] != "google.rpc.BadRequest") {
      continue;
    }
    bad_request_found = true;
    EXPECT_EQ(detail["debug"]["fieldViolations"][0]["field"], "page_size");
    std::string bytes;
    ASSERT_TRUE(absl::Base64Unescape(detail["value"].get<std::string>(), &bytes));
    google::rpc::BadRequest bad_request;
    ASSERT_TRUE(bad_request.ParseFromString(bytes));
    EXPECT_EQ(bad_request.field_violations(0).field(), "page_size");
  }
  EXPECT_TRUE(bad_request_found) << response.body;
}

TEST_F(GatewayTest, SpeaksGrpcWeb) {
  TestClient client = Connect();
  v1::SearchRequest request;
  request.set_query("gas");
  const std::string body = Frame(0, request.SerializeAsString());
  v1::SearchResponse expected;
  expected.mutable_interpretation()->set_parsed_query("gas");
  expected.set_commit_token("log-7");
  expected.mutable_total()->set_value(0);
  const std::string frames = Frame(0, expected.SerializeAsString()) + Frame(0x80, "grpc-status: 0\r\n");
  const HttpResponse binary =
      client.Send("POST", kSearch, {{"Content-Type", "application/grpc-web+proto"}, {"X-Grpc-Web", "1"}}, body);
  EXPECT_EQ(binary.status, 200);
  EXPECT_EQ(binary.body, frames);
  const HttpResponse text =
      client.Send("POST", kSearch, {{"Content-Type", "application/grpc-web-text"}}, absl::Base64Escape(body));
  EXPECT_EQ(text.body, absl::Base64Escape(frames));

  request.set_query("error");
  const HttpResponse error =
      client.Send("POST", kSearch, {{"Content-Type", "application/grpc-web"}}, Frame(0, request.SerializeAsString()));
  EXPECT_EQ(error.status, 200);
  EXPECT_THAT(error.body, HasSubstr("grpc-status: 3\r\n"));
  EXPECT_THAT(error.body, HasSubstr("grpc-status-details-bin: "));
}

TEST_F(GatewayTest, CompressesBothWays) {
  TestClient client = Connect();
  const HttpResponse response =
      client.Send("POST", kSearch,
                  {{"Content-Type", "application/json"}, {"Content-Encoding", "gzip"}, {"Accept-Encoding", "gzip"}},
                  Gzip(R"({"query":"big"})"));
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(HeaderOf(response, "content-encoding"), "gzip");
  EXPECT_LT(response.body.size(), 10'000);
  ASSERT_OK_AND_ASSIGN(const std::string json, Gunzip(response.body, 1'000'000));
  EXPECT_GT(json.size(), 100'000);
}

TEST_F(GatewayTest, PassesMetadataBothWays) {
  TestClient client = Connect();
  const HttpResponse response =
      client.Send("POST", kSearch, {{"Content-Type", "application/json"}, {"X-Request-Id", "42"}}, "{}");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(HeaderOf(response, "x-request-id"), "42");
  EXPECT_EQ(HeaderOf(response, "trailer-x-done"), "yes");
  EXPECT_EQ(HeaderOf(response, "trailer-x-bytes-bin"), "AP8");
}

TEST_F(GatewayTest, RefusesHeadersThatGrpcCannotCarry) {
  TestClient client = Connect();
  const HttpResponse response =
      client.Send("POST", kSearch, {{"Content-Type", "application/json"}, {"X-Name", "Zo\xc3\xab"}}, "{}");
  EXPECT_EQ(response.status, 400);
  EXPECT_THAT(response.body, HasSubstr("x-name"));
  // Still there.
  EXPECT_EQ(client.Send("POST", kSearch, kJsonType, "{}").status, 200);
}

TEST_F(GatewayTest, RefusesWithTheRightStatus) {
  Gateway::Options options;
  options.max_request_bytes = 1000;
  TestClient client = Connect({}, options);
  const auto check = [&client](absl::string_view verb, absl::string_view target, const HttpHeaders& headers,
                               absl::string_view body, int status, absl::string_view code) {
    const HttpResponse response = client.Send(verb, target, headers, body);
    EXPECT_EQ(response.status, status) << verb << " " << target << " " << body.substr(0, 50) << ": " << response.body;
    const auto error = nlohmann::json::parse(response.body, nullptr, false);
    ASSERT_TRUE(error.is_object()) << response.body;
    EXPECT_EQ(error["code"], std::string(code)) << response.body;
    EXPECT_EQ(HeaderOf(response, "content-type"), "application/json");
  };
  check("POST", "/dateline.search.v1.SearchService/Nothing", kJsonType, "{}", 404, "unimplemented");
  check("POST", "/grpc.health.v1.Health/Check", kJsonType, "{}", 404, "unimplemented");
  check("PUT", kSearch, kJsonType, "{}", 405, "unimplemented");
  check("GET", "/dateline.search.v1.IngestService/DeleteArticle?encoding=json&message={}", {}, "", 405,
        "unimplemented");
  check("POST", "/dateline.search.v1.IngestService/DeleteArticle", kJsonType, "{}", 403, "permission_denied");
  check("POST", "/dateline.search.v1.IngestService/StreamIngest", kJsonType, "{}", 501, "unimplemented");
  check("POST", kSearch, {}, "{}", 415, "unimplemented");
  check("POST", kSearch, {{"Content-Type", "application/xml"}}, "{}", 415, "unimplemented");
  check("POST", kSearch, kJsonType, "{", 400, "invalid_argument");
  check("POST", kSearch, kJsonType, "{\"query\":\"\xff\"}", 400, "invalid_argument");
  check("POST", kSearch, {{"Content-Type", "application/proto"}}, "\x0a\x7fgas", 400, "invalid_argument");
  check("POST", kSearch, {{"Content-Type", "application/json"}, {"Content-Encoding", "zstd"}}, "x", 501,
        "unimplemented");
  check("POST", kSearch, {{"Content-Type", "application/json"}, {"Content-Encoding", "gzip"}},
        Gzip(std::string(100'000, ' ')), 429, "resource_exhausted");
  check("POST", kSearch, {{"Content-Type", "application/json"}, {"Connect-Timeout-Ms", "x"}}, "{}", 400,
        "invalid_argument");
  check("POST", kSearch, {{"Content-Type", "application/json"}, {"Connect-Timeout-Ms", "0"}}, "{}", 504,
        "deadline_exceeded");
  check("GET", kSearch, {}, "", 400, "invalid_argument");
  check("GET", absl::StrCat(kSearch, "?encoding=json&base64=1&message=%25"), {}, "", 400, "invalid_argument");
  check("POST", "/dateline.classifier.v1.ClassifierService/Classify", kJsonType, "{}", 503, "unavailable");
  EXPECT_THAT(client.Send("POST", "/dateline.classifier.v1.ClassifierService/Classify", kJsonType, "{}").body,
              Not(HasSubstr("127.0.0.1")));
}

TEST_F(GatewayTest, OpensOnlyWhatTheAllowListNames) {
  TestClient client = Connect({"dateline.search.v1.IngestService/DeleteArticle"});
  EXPECT_EQ(client.Send("POST", "/dateline.search.v1.IngestService/DeleteArticle", kJsonType, R"({"id":"a"})").status,
            200);
  EXPECT_EQ(client.Send("POST", "/dateline.search.v1.IngestService/IngestArticles", kJsonType, "{}").status, 403);
}

TEST_F(GatewayTest, GivesEachCallADeadline) {
  Gateway::Options options;
  options.default_timeout = absl::Seconds(7);
  options.max_timeout = absl::Seconds(30);
  TestClient client = Connect({}, options);
  const auto remaining = [&client](const HttpHeaders& headers) {
    const HttpResponse response = client.Send("POST", kSearch, headers, R"({"query":"deadline"})");
    return nlohmann::json::parse(response.body)["timing"]["totalMs"].get<double>();
  };
  EXPECT_NEAR(remaining(kJsonType), 7000, 2000);
  EXPECT_NEAR(remaining({{"Content-Type", "application/json"}, {"Connect-Timeout-Ms", "20000"}}), 20000, 3000);
  EXPECT_NEAR(remaining({{"Content-Type", "application/json"}, {"Connect-Timeout-Ms", "9999999999"}}), 30000, 3000);
}

TEST_F(GatewayTest, EndsACallAtItsDeadline) {
  TestClient client = Connect();
  const HttpResponse response = client.Send(
      "POST", kSearch, {{"Content-Type", "application/json"}, {"Connect-Timeout-Ms", "100"}}, R"({"query":"hang"})");
  EXPECT_EQ(response.status, 504);
  EXPECT_EQ(nlohmann::json::parse(response.body)["code"], "deadline_exceeded");
  EXPECT_TRUE(search_.cancelled.WaitForNotificationWithTimeout(absl::Seconds(10)));
}

TEST_F(GatewayTest, CancelsTheCallOfAClientThatLeaves) {
  TestClient client = Connect();
  client.Send(absl::StrCat("POST ", kSearch, " HTTP/1.1\r\nHost: t\r\nContent-Type: application/json\r\n",
                           "Content-Length: 16\r\n\r\n{\"query\":\"hang\"}"));
  ASSERT_TRUE(search_.hanging.WaitForNotificationWithTimeout(absl::Seconds(10)));
  client.Close();
  // Long before the default deadline of the call.
  EXPECT_TRUE(search_.cancelled.WaitForNotificationWithTimeout(absl::Seconds(5)));
}

TEST_F(GatewayTest, AnswersPreflightsForAllowedOriginsOnly) {
  Gateway::Options options;
  options.cors_origins = {"https://a.example"};
  TestClient client = Connect({}, options);
  const HttpHeaders ask = {{"Origin", "https://a.example"},
                           {"Access-Control-Request-Method", "POST"},
                           {"Access-Control-Request-Headers", "content-type,connect-protocol-version"}};
  const HttpResponse preflight = client.Send("OPTIONS", kSearch, ask);
  EXPECT_EQ(preflight.status, 204);
  EXPECT_EQ(HeaderOf(preflight, "access-control-allow-origin"), "https://a.example");
  EXPECT_THAT(HeaderOf(preflight, "access-control-allow-headers"), HasSubstr("Connect-Protocol-Version"));
  EXPECT_THAT(HeaderOf(preflight, "access-control-allow-methods"), HasSubstr("POST"));
  EXPECT_EQ(HeaderOf(preflight, "access-control-max-age"), "7200");
  EXPECT_THAT(HeaderOf(preflight, "vary"), HasSubstr("Origin"));

  const HttpResponse call =
      client.Send("POST", kSearch,
                  {{"Content-Type", "application/json"}, {"Origin", "https://a.example"}, {"X-Request-Id", "1"}}, "{}");
  EXPECT_EQ(HeaderOf(call, "access-control-allow-origin"), "https://a.example");
  EXPECT_THAT(HeaderOf(call, "access-control-expose-headers"), HasSubstr("Trailer-x-done"));

  const HttpResponse other =
      client.Send("OPTIONS", kSearch, {{"Origin", "https://b.example"}, {"Access-Control-Request-Method", "POST"}});
  EXPECT_EQ(HeaderOf(other, "access-control-allow-origin"), "(none)");
}

TEST_F(GatewayTest, AllowsAnyOriginWhereToldTo) {
  Gateway::Options options;
  options.cors_origins = {"*"};
  TestClient client = Connect({}, options);
  const HttpResponse response =
      client.Send("POST", kSearch, {{"Content-Type", "application/json"}, {"Origin", "https://b.example"}}, "{}");
  EXPECT_EQ(HeaderOf(response, "access-control-allow-origin"), "*");
}

TEST_F(GatewayTest, ServesThePageWithItsPolicy) {
  TestClient client = Connect();
  const HttpResponse page = client.Send("GET", "/?q=gas");
  EXPECT_EQ(page.status, 200);
  EXPECT_EQ(page.body, "<p>page</p>");
  EXPECT_THAT(HeaderOf(page, "content-security-policy"), HasSubstr("default-src 'none'"));
  EXPECT_THAT(HeaderOf(page, "content-security-policy"), HasSubstr("frame-ancestors 'none'"));
  EXPECT_EQ(HeaderOf(page, "x-content-type-options"), "nosniff");
  EXPECT_EQ(HeaderOf(page, "referrer-policy"), "no-referrer");
  EXPECT_EQ(client.Send("GET", "/none").status, 404);
  EXPECT_EQ(client.Send("GET", "/../../etc/passwd").status, 404);
  EXPECT_EQ(client.Send("POST", "/", {}, "x").status, 405);
}

TEST_F(GatewayTest, IsReadyWhileTheRequiredUpstreamServes) {
  TestClient client = Connect();
  EXPECT_EQ(client.Send("GET", "/healthz").status, 200);
  const HttpResponse ready = client.Send("GET", "/readyz");
  EXPECT_EQ(ready.status, 200);
  const auto body = nlohmann::json::parse(ready.body);
  EXPECT_EQ(body["ready"], true);
  EXPECT_EQ(body["required"], nlohmann::json::array({"search"}));
  EXPECT_EQ(body["upstreams"]["search"], "SERVING");
  EXPECT_EQ(body["upstreams"]["classifier"], "UNREACHABLE");
  grpc_->SetServing("", false);
  const HttpResponse not_ready = client.Send("GET", "/readyz");
  EXPECT_EQ(not_ready.status, 503);
  EXPECT_EQ(nlohmann::json::parse(not_ready.body)["upstreams"]["search"], "NOT_SERVING");
}

TEST_F(GatewayTest, ComesBackWhenTheUpstreamDoes) {
  TestClient client = Connect();
  EXPECT_EQ(client.Send("POST", kSearch, kJsonType, "{}").status, 200);
  const std::string address = grpc_->address();
  grpc_->Shutdown(absl::ZeroDuration());
  grpc_.reset();
  EXPECT_EQ(client.Send("POST", kSearch, kJsonType, "{}").status, 503);
  common::rpc::Server::Options options;
  options.listen = address;
  ASSERT_OK_AND_ASSIGN(grpc_,
                       common::rpc::Server::Start(options, {{v1::SearchService::service_full_name(), &search_}}));
  // Retries go on for as long as gRPC's reconnecting takes.
  int status = 0;
  for (const absl::Time start = absl::Now(); status != 200 && absl::Now() - start < absl::Seconds(20);) {
    status = client.Send("POST", kSearch, kJsonType, "{}").status;
  }
  EXPECT_EQ(status, 200);
}

}  // namespace
}  // namespace dateline::web_gateway
