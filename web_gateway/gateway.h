// Browsers in, gRPC out: answers HTTP requests by calling upstreams, or with the page.
#ifndef DATELINE_WEB_GATEWAY_GATEWAY_H_
#define DATELINE_WEB_GATEWAY_GATEWAY_H_

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

#include "web_gateway/connect_protocol.h"
#include "web_gateway/http_message.h"
#include "web_gateway/method_registry.h"
#include "web_gateway/static_site.h"
#include "web_gateway/upstream.h"

namespace dateline::web_gateway {

// Paths: `/package.Service/Method` for calls (Connect by POST and, where a method has no side effects, GET; gRPC-Web by
// POST), `/healthz` (the gateway runs), `/readyz`, and the page.
//
// `/readyz` is 200 while the required upstream serves, else 503. Others do not count: what they don't answer fails call
// by call, while the rest is of use. The body, {"ready": BOOL, "required": [NAME], "upstreams": {NAME: STATE}}, tells
// of all; a STATE is one of Upstream::CheckHealth().
//
// An answer to a GET that has a `commit_token` is cacheable by it: it is the ETag, and `If-None-Match` gets 304. An
// upstream decides otherwise by sending `cache-control` in its initial metadata; a request with a `min_commit_token`
// and every error are `no-store`.
//
// Thread-safe. Must outlive its requests.
class Gateway final : public HttpHandler {
 public:
  struct Options {
    // What a message may have after decompression, in bytes.
    size_t max_request_bytes = 17'000'000;
    // The deadline of calls whose callers set none, and the longest one a caller may set.
    absl::Duration default_timeout = absl::Seconds(10);
    absl::Duration max_timeout = absl::Seconds(60);
    // How long /readyz waits for an upstream.
    absl::Duration health_timeout = absl::Seconds(1);
    // Origins (`https://example.org`) whose pages may call, besides the gateway's own; `*` means any.
    std::vector<std::string> cors_origins;
    // Name of the upstream without which /readyz says 503.
    std::string required_upstream;
  };

  // `registry` names upstreams that `upstreams` has.
  Gateway(std::unique_ptr<MethodRegistry> registry, std::map<std::string, std::unique_ptr<Upstream>> upstreams,
          StaticSite site, Options options);

  Cancel Handle(HttpRequest request, Responder respond) override;

 private:
  struct RpcCall;

  Cancel HandleRpc(HttpRequest request, absl::string_view method_name, absl::string_view query, Responder respond);
  Cancel Start(const std::shared_ptr<RpcCall>& call, Responder respond);
  Cancel CheckReadiness(const Responder& respond);
  HttpResponse Preflight(const HttpRequest& request, HttpResponse response) const;
  HttpResponse ReplyTo(const RpcCall& call, RpcReply reply) const;
  HttpResponse FailureOf(const RpcCall& call, const absl::Status& status) const;
  void AddCacheHeaders(const RpcCall& call, const std::string& proto_message, const Metadata& metadata,
                       HttpResponse* response) const;
  void AddCorsHeaders(const HttpHeaders& request_headers, HttpResponse* response) const;

  std::unique_ptr<MethodRegistry> registry_;
  std::map<std::string, std::unique_ptr<Upstream>> upstreams_;
  StaticSite site_;
  Options options_;
};

}  // namespace dateline::web_gateway

#endif  // DATELINE_WEB_GATEWAY_GATEWAY_H_
