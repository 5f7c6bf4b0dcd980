// An HTTP request and its answer as plain values: what the gateway's logic sees of HTTP.
#ifndef DATELINE_WEB_GATEWAY_HTTP_MESSAGE_H_
#define DATELINE_WEB_GATEWAY_HTTP_MESSAGE_H_

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"

namespace dateline::web_gateway {

struct HttpHeader {
  // In lower case in requests; as it goes out in responses.
  std::string name;
  std::string value;
};

using HttpHeaders = std::vector<HttpHeader>;

// Returns the value of the first header of that name, whatever its case; nothing where there is none. The view
// lives as long as `headers` is unchanged.
inline std::optional<absl::string_view> FindHeader(const HttpHeaders& headers, absl::string_view name) {
  for (const HttpHeader& header : headers) {
    if (absl::EqualsIgnoreCase(header.name, name)) {
      return header.value;
    }
  }
  return std::nullopt;
}

struct HttpRequest {
  std::string method;
  // In origin-form: the path, and after a `?` the query.
  std::string target;
  HttpHeaders headers;
  std::string body;
};

struct HttpResponse {
  int status = 200;
  // `Content-Length`, `Connection` and `Date` are the server's business.
  HttpHeaders headers;
  std::string body;
};

// Answers requests. Thread-safe: any number of requests may be under way at once.
class HttpHandler {
 public:
  // Makes the answer. It runs on a thread of the server, so it may compute but not wait.
  using MakeResponse = std::function<HttpResponse()>;
  // Takes the answer; to be called exactly once, from any thread, during or after Handle(). It never blocks.
  using Responder = std::function<void(MakeResponse)>;
  // Gives up on a request, because its client has gone. The responder is called all the same. Called at most
  // once, from any thread, perhaps when the answer is already there; never empty.
  using Cancel = std::function<void()>;

  virtual ~HttpHandler() = default;

  virtual Cancel Handle(HttpRequest request, Responder respond) = 0;
};

}  // namespace dateline::web_gateway

#endif  // DATELINE_WEB_GATEWAY_HTTP_MESSAGE_H_
