#include "web_gateway/gateway.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

#include "common/hash.h"
#include "common/log.h"
#include "common/mutex.h"

namespace dateline::web_gateway {
namespace {

// What a browser may do with the page: run and ask only what comes from here, and be framed by nobody.
constexpr absl::string_view kContentSecurityPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

constexpr absl::string_view kCorsAllowedHeaders =
    "Content-Type, Content-Encoding, Connect-Protocol-Version, Connect-Timeout-Ms, Grpc-Timeout, Grpc-Encoding, "
    "Grpc-Accept-Encoding, X-Grpc-Web, X-User-Agent, X-Request-Id, Authorization, If-None-Match";
constexpr absl::string_view kCorsExposedHeaders = "Grpc-Status, Grpc-Message, Grpc-Status-Details-Bin, ETag";
// Two hours, in seconds; browsers cap it there or below.
constexpr absl::string_view kCorsMaxAge = "7200";

HttpHandler::Cancel NothingToCancel() {
  return [] {};
}

HttpResponse Text(int status, absl::string_view body) {
  HttpResponse response;
  response.status = status;
  response.headers = {{"Content-Type", "text/plain; charset=utf-8"}, {"Cache-Control", "no-store"}};
  response.body = std::string(body);
  return response;
}

bool IsReadVerb(absl::string_view method) { return method == "GET" || method == "HEAD"; }

// A path of a call is `/package.Service/Method`: two parts, the first with a dot. Files of the page live elsewhere.
bool LooksLikeCall(absl::string_view path) {
  const std::vector<absl::string_view> parts = absl::StrSplit(path, '/');
  return parts.size() == 3 && parts[0].empty() && absl::StrContains(parts[1], '.') && !parts[2].empty();
}

// Entity tags compare weakly here: gzip or not, it is the same answer.
bool HasETag(absl::string_view if_none_match, absl::string_view etag) {
  absl::ConsumePrefix(&etag, "W/");
  for (absl::string_view candidate : absl::StrSplit(if_none_match, ',')) {
    candidate = absl::StripAsciiWhitespace(candidate);
    absl::ConsumePrefix(&candidate, "W/");
    if (candidate == etag || candidate == "*") {
      return true;
    }
  }
  return false;
}

std::string ETagOf(absl::string_view commit_token) {
  const bool plain = std::all_of(commit_token.begin(), commit_token.end(),
                                 [](char c) { return c > 0x20 && c < 0x7f && c != '"' && c != '\\'; });
  return absl::StrCat("W/\"", plain ? std::string(commit_token) : common::Hash128Hex(commit_token), "\"");
}

}  // namespace

// One call, from the request to the answer.
struct Gateway::RpcCall {
  const Method* method = nullptr;
  HttpRequest http;
  RpcRequest rpc;
  absl::Time start = absl::Now();
};

Gateway::Gateway(std::unique_ptr<MethodRegistry> registry, std::map<std::string, std::unique_ptr<Upstream>> upstreams,
                 StaticSite site, Options options)
    : registry_(std::move(registry)),
      upstreams_(std::move(upstreams)),
      site_(std::move(site)),
      options_(std::move(options)) {}

HttpHandler::Cancel Gateway::Handle(HttpRequest request, Responder respond) {
  // Views of the target outlive the move of the request below.
  const std::string target = request.target;
  const std::pair<absl::string_view, absl::string_view> parts = absl::StrSplit(target, absl::MaxSplits('?', 1));
  const absl::string_view path = parts.first;
  if (LooksLikeCall(path)) {
    return HandleRpc(std::move(request), path.substr(1), parts.second, std::move(respond));
  }
  if (!IsReadVerb(request.method)) {
    HttpResponse response = Text(405, "Only GET and HEAD are answered here.\n");
    response.headers.push_back({"Allow", "GET, HEAD"});
    respond([response = std::move(response)] { return response; });
    return NothingToCancel();
  }
  if (path == "/readyz") {
    return CheckReadiness(respond);
  }
  HttpResponse response;
  if (path == "/healthz") {
    response = Text(200, "ok\n");
  } else if (auto file = site_.Get(path, request.headers); file.has_value()) {
    response = *std::move(file);
  } else {
    response = Text(404, "There is no such page. The search page is at /.\n");
  }
  response.headers.push_back({"Content-Security-Policy", std::string(kContentSecurityPolicy)});
  response.headers.push_back({"Referrer-Policy", "no-referrer"});
  response.headers.push_back({"X-Frame-Options", "DENY"});
  response.headers.push_back({"Cross-Origin-Opener-Policy", "same-origin"});
  response.headers.push_back({"X-Content-Type-Options", "nosniff"});
  respond([response = std::move(response)] { return response; });
  return NothingToCancel();
}

HttpHandler::Cancel Gateway::HandleRpc(HttpRequest request, absl::string_view method_name, absl::string_view query,
                                       Responder respond) {
  auto call = std::make_shared<RpcCall>();
  call->method = registry_->Find(method_name);
  call->http = std::move(request);
  const HttpHeaders& headers = call->http.headers;
  // Everything that needs no upstream is answered at once.
  const auto refuse = [this, call, &respond](HttpResponse response) {
    response.headers.push_back({"Cache-Control", "no-store"});
    AddCorsHeaders(call->http.headers, &response);
    common::LogInfo(
        "rpc", {{"method", call->method == nullptr ? absl::string_view("-") : absl::string_view(call->method->name)},
                {"http_status", response.status},
                {"ms", absl::Now() - call->start}});
    respond([response = std::move(response)] { return response; });
    return NothingToCancel();
  };

  if (call->http.method == "OPTIONS") {
    return refuse(Preflight(call->http, HttpResponse()));
  }
  if (call->method == nullptr) {
    return refuse(ComposeError(404, absl::StatusCode::kUnimplemented, "there is no such method"));
  }
  const Method& method = *call->method;
  const bool read_verb = IsReadVerb(call->http.method);
  if (call->http.method != "POST" && !(read_verb && method.side_effect_free)) {
    HttpResponse response =
        ComposeError(405, absl::StatusCode::kUnimplemented,
                     absl::StrCat("this method is called by POST", method.side_effect_free ? " or GET" : ""));
    response.headers.push_back({"Allow", method.side_effect_free ? "POST, GET, HEAD" : "POST"});
    return refuse(std::move(response));
  }
  if (method.streaming) {
    return refuse(ComposeError(HttpStatusOf(absl::StatusCode::kUnimplemented), absl::StatusCode::kUnimplemented,
                               "this method streams, which the gateway does not serve: call it over gRPC"));
  }
  if (!method.allowed) {
    return refuse(
        ComposeError(HttpStatusOf(absl::StatusCode::kPermissionDenied), absl::StatusCode::kPermissionDenied,
                     absl::StrCat("the gateway does not pass this method on: start it with --allow ", method.name)));
  }
  absl::StatusOr<RpcRequest> rpc = absl::InternalError("");
  if (read_verb) {
    rpc = ParseGet(query, headers, options_.max_request_bytes);
  } else {
    const std::optional<MediaType> type = ParseContentType(FindHeader(headers, "content-type").value_or(""));
    if (!type.has_value()) {
      HttpResponse response = ComposeError(415, absl::StatusCode::kUnimplemented,
                                           absl::StrCat("Content-Type: must be one of ", SupportedContentTypes()));
      response.headers.push_back({"Accept-Post", std::string(SupportedContentTypes())});
      return refuse(std::move(response));
    }
    call->rpc.type = *type;
    rpc = ParsePost(*type, headers, std::move(call->http.body), options_.max_request_bytes);
  }
  if (!rpc.ok()) {
    return refuse(FailureOf(*call, rpc.status()));
  }
  call->rpc = *std::move(rpc);
  return Start(call, std::move(respond));
}

// Sends the call on. Errors that come to light here are answered like those of the upstream.
HttpHandler::Cancel Gateway::Start(const std::shared_ptr<RpcCall>& call, Responder respond) {
  const absl::Duration timeout = std::min(call->rpc.timeout.value_or(options_.default_timeout), options_.max_timeout);
  absl::StatusOr<Metadata> metadata = MetadataFromHeaders(call->http.headers);
  absl::Status problem = metadata.status();
  if (problem.ok() && call->rpc.type.codec == Codec::kProto) {
    problem = registry_->CheckProto(*call->method->input, call->rpc.message);
  } else if (problem.ok()) {
    absl::StatusOr<std::string> message = registry_->JsonToProto(*call->method->input, call->rpc.message);
    problem = message.status();
    if (problem.ok()) {
      call->rpc.message = *std::move(message);
    }
  }
  if (problem.ok() && timeout <= absl::ZeroDuration()) {
    problem = absl::DeadlineExceededError("the deadline had passed when the call arrived");
  }
  if (!problem.ok()) {
    respond([this, call, problem] {
      RpcReply reply;
      reply.code = problem.code();
      reply.error_message = std::string(problem.message());
      return ReplyTo(*call, std::move(reply));
    });
    return NothingToCancel();
  }
  return upstreams_.at(call->method->upstream)
      ->Call(absl::StrCat("/", call->method->name), call->rpc.message, *metadata, timeout,
             [this, call, respond = std::move(respond)](RpcReply reply) {
               // gRPC's thread is left at once; JSON and gzip are made on the server's.
               respond([this, call, reply = std::move(reply)]() mutable { return ReplyTo(*call, std::move(reply)); });
             });
}

HttpResponse Gateway::ReplyTo(const RpcCall& call, RpcReply reply) const {
  const bool cacheable = reply.code == absl::StatusCode::kOk && IsReadVerb(call.http.method);
  const std::string proto_message = cacheable ? reply.message : "";
  if (reply.code == absl::StatusCode::kOk && call.rpc.type.codec == Codec::kJson) {
    absl::StatusOr<std::string> json = registry_->ProtoToJson(*call.method->output, reply.message);
    if (json.ok()) {
      reply.message = *std::move(json);
    } else {
      reply.code = json.status().code();
      reply.error_message = std::string(json.status().message());
    }
  }
  HttpResponse response = ComposeReply(
      call.rpc.type, reply, call.rpc.accepts_gzip,
      [this](absl::string_view type_url, const std::string& value) { return registry_->AnyToJson(type_url, value); });
  const absl::StatusCode code = reply.code;
  if (code == absl::StatusCode::kOk && IsReadVerb(call.http.method)) {
    AddCacheHeaders(call, proto_message, reply.initial_metadata, &response);
  } else {
    response.headers.push_back({"Cache-Control", "no-store"});
  }
  AddCorsHeaders(call.http.headers, &response);
  common::LogInfo("rpc", {{"method", call.method->name},
                          {"code", CodeName(code)},
                          {"http_status", response.status},
                          {"request_bytes", call.rpc.message.size()},
                          {"response_bytes", response.body.size()},
                          {"ms", absl::Now() - call.start}});
  return response;
}

// An error of the gateway's own, in the protocol of the call as far as that is known.
HttpResponse Gateway::FailureOf(const RpcCall& call, const absl::Status& status) const {
  RpcReply reply;
  reply.code = status.code();
  reply.error_message = std::string(status.message());
  return ComposeReply(call.rpc.type, reply, /*compress=*/false, nullptr);
}

void Gateway::AddCacheHeaders(const RpcCall& call, const std::string& proto_message, const Metadata& metadata,
                              HttpResponse* response) const {
  const auto find = [&metadata](absl::string_view key) {
    return std::find_if(metadata.begin(), metadata.end(), [key](const auto& entry) { return entry.first == key; });
  };
  if (const auto decided = find("cache-control"); decided != metadata.end()) {
    response->headers.push_back({"Cache-Control", decided->second});
    return;
  }
  // The service may know of more that its answer depends on than the articles: names, say.
  const auto stated = find("etag");
  const std::string token =
      stated != metadata.end() ? stated->second : TopLevelString(*call.method->output, proto_message, "commit_token");
  if (token.empty() || !TopLevelString(*call.method->input, call.rpc.message, "min_commit_token").empty()) {
    response->headers.push_back({"Cache-Control", "no-store"});
    return;
  }
  const std::string etag = ETagOf(token);
  response->headers.push_back({"ETag", etag});
  // Kept, but asked about each time: what came in a moment ago must be found.
  response->headers.push_back({"Cache-Control", "no-cache"});
  if (HasETag(FindHeader(call.http.headers, "if-none-match").value_or(""), etag)) {
    response->status = 304;
    response->body.clear();
    response->headers.erase(
        std::remove_if(response->headers.begin(), response->headers.end(),
                       [](const HttpHeader& h) { return h.name == "Content-Encoding" || h.name == "Content-Type"; }),
        response->headers.end());
  }
}

void Gateway::AddCorsHeaders(const HttpHeaders& request_headers, HttpResponse* response) const {
  response->headers.push_back({"X-Content-Type-Options", "nosniff"});
  response->headers.push_back({"Vary", "Origin, Accept-Encoding"});
  const std::optional<absl::string_view> origin = FindHeader(request_headers, "origin");
  if (!origin.has_value()) {
    return;
  }
  const auto matches = [&origin](const std::string& allowed) { return allowed == "*" || allowed == *origin; };
  if (std::none_of(options_.cors_origins.begin(), options_.cors_origins.end(), matches)) {
    return;
  }
  const bool any = absl::c_linear_search(options_.cors_origins, "*");
  response->headers.push_back({"Access-Control-Allow-Origin", any ? "*" : std::string(*origin)});
  std::vector<std::string> exposed = {std::string(kCorsExposedHeaders)};
  for (const HttpHeader& header : response->headers) {
    if (absl::StartsWith(header.name, "Trailer-")) {
      exposed.push_back(header.name);
    }
  }
  response->headers.push_back({"Access-Control-Expose-Headers", absl::StrJoin(exposed, ", ")});
}

HttpResponse Gateway::Preflight(const HttpRequest& request, HttpResponse response) const {
  response.status = 204;
  response.headers.push_back({"Allow", "OPTIONS, GET, HEAD, POST"});
  if (FindHeader(request.headers, "access-control-request-method").has_value()) {
    response.headers.push_back({"Access-Control-Allow-Methods", "GET, POST"});
    response.headers.push_back({"Access-Control-Allow-Headers", std::string(kCorsAllowedHeaders)});
    response.headers.push_back({"Access-Control-Max-Age", std::string(kCorsMaxAge)});
  }
  return response;
}

HttpHandler::Cancel Gateway::CheckReadiness(const Responder& respond) {
  // Filled by the answers as they come; the last one responds.
  struct Checks {
    common::Mutex mutex;
    std::map<std::string, std::string> states ABSL_GUARDED_BY(mutex);
    size_t missing ABSL_GUARDED_BY(mutex) = 0;
  };
  auto checks = std::make_shared<Checks>();
  {
    const common::MutexLock lock(checks->mutex);
    checks->missing = upstreams_.size();
  }
  for (const auto& [name, upstream] : upstreams_) {
    upstream->CheckHealth(options_.health_timeout, [this, checks, respond, key = name](absl::string_view state) {
      const common::MutexLock lock(checks->mutex);
      checks->states[key] = std::string(state);
      if (--checks->missing > 0) {
        return;
      }
      const auto required = checks->states.find(options_.required_upstream);
      const bool ready = required == checks->states.end() || required->second == "SERVING";
      nlohmann::json required_names = nlohmann::json::array();
      if (!options_.required_upstream.empty()) {
        required_names.push_back(options_.required_upstream);
      }
      const nlohmann::json body = {
          {"ready", ready}, {"required", std::move(required_names)}, {"upstreams", checks->states}};
      HttpResponse response;
      response.status = ready ? 200 : 503;
      response.headers = {{"Content-Type", "application/json"}, {"Cache-Control", "no-store"}};
      response.body = body.dump() + "\n";
      respond([response = std::move(response)] { return response; });
    });
  }
  return NothingToCancel();
}

}  // namespace dateline::web_gateway
