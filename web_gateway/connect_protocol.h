// Connect and gRPC-Web as bytes: what an HTTP request asks for, and how an answer is spelled.
//
// Pure functions over untrusted input: no sockets, no state, nothing thrown; every size is bounded by an argument.
// The protocols are those of connectrpc.com (unary, with GET) and of grpc/grpc PROTOCOL-WEB (binary and base64).
#ifndef DATELINE_WEB_GATEWAY_CONNECT_PROTOCOL_H_
#define DATELINE_WEB_GATEWAY_CONNECT_PROTOCOL_H_

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

#include "web_gateway/http_message.h"

namespace dateline::web_gateway {

enum class Protocol { kConnect, kGrpcWeb, kGrpcWebText };
enum class Codec { kProto, kJson };

// What a `Content-Type` says about the call.
struct MediaType {
  Protocol protocol = Protocol::kConnect;
  Codec codec = Codec::kProto;
};

// A unary call, once its protocol has been peeled off.
struct RpcRequest {
  MediaType type;
  // The message in its codec, uncompressed.
  std::string message;
  // Absent where the caller sets none.
  std::optional<absl::Duration> timeout;
  // Whether the answer may be compressed.
  bool accepts_gzip = false;
};

// Key and value of one metadatum. Values of keys that end in `-bin` are raw bytes, all others printable ASCII.
using Metadata = std::vector<std::pair<std::string, std::string>>;

// What an upstream answered.
struct RpcReply {
  absl::StatusCode code = absl::StatusCode::kOk;
  std::string error_message;
  // A serialised google.rpc.Status, or empty.
  std::string error_details;
  // The message in the codec of the request; only when `code` is kOk.
  std::string message;
  Metadata initial_metadata;
  Metadata trailing_metadata;
};

// Writes an error detail as JSON for people to read, or returns nothing where its type is not known.
using DetailRenderer = std::function<std::optional<std::string>(absl::string_view type_url, const std::string& value)>;

// Returns what the value of a `Content-Type` header asks for, or nothing where unary calls do not come that way
// (415). The streaming types of Connect are among the latter.
std::optional<MediaType> ParseContentType(absl::string_view content_type);

// The `Content-Type` of an answer to a request of that type.
std::string ContentTypeOf(MediaType type);

// The values for the header `Accept-Post` that goes with a 415.
absl::string_view SupportedContentTypes();

// Reads the body of a POST. Fails with InvalidArgument (bad frame, base64, gzip, timeout or protocol version),
// ResourceExhausted (more than `max_bytes` after decompression) or Unimplemented (a compression that is not served,
// more than one message).
absl::StatusOr<RpcRequest> ParsePost(MediaType type, const HttpHeaders& headers, std::string body, size_t max_bytes);

// Reads the query of a Connect GET, without its `?`. Errors as of ParsePost.
absl::StatusOr<RpcRequest> ParseGet(absl::string_view query, const HttpHeaders& headers, size_t max_bytes);

// Picks the headers of a request that an upstream should see, as gRPC metadata: the caller's own and `Authorization`,
// not those of HTTP, of browsers, of proxies or of the protocols. Fails with InvalidArgument, naming the header,
// where a value is not printable ASCII (or, for `-bin`, no base64): gRPC takes no other.
absl::StatusOr<Metadata> MetadataFromHeaders(const HttpHeaders& headers);

// Writes an answer in the protocol of the request: for Connect a failed call is JSON with an HTTP status of its own,
// for gRPC-Web it is 200 with the status in the trailer frame. `compress` asks for gzip where it is worth it.
HttpResponse ComposeReply(MediaType type, const RpcReply& reply, bool compress, const DetailRenderer& render_detail);

// Writes an error of the gateway's own in Connect's JSON form, with an HTTP status that may differ from the code's.
HttpResponse ComposeError(int http_status, absl::StatusCode code, absl::string_view message);

// Connect's name of a code, such as `invalid_argument`, and the HTTP status that goes with it.
absl::string_view CodeName(absl::StatusCode code);
int HttpStatusOf(absl::StatusCode code);

// Decodes `application/x-www-form-urlencoded` (`%41`, `+`). Returns nothing where a `%` is not followed by two hex
// digits.
std::optional<std::string> PercentDecode(absl::string_view text);

// Decodes base64 of either alphabet, padded or not. Returns nothing for anything else.
std::optional<std::string> DecodeBase64(absl::string_view text);

// Whether the value of an `Accept-Encoding` or `Grpc-Accept-Encoding` header admits gzip (a quality of 0 does not).
bool AcceptsGzip(absl::string_view accept_encoding);

}  // namespace dateline::web_gateway

#endif  // DATELINE_WEB_GATEWAY_CONNECT_PROTOCOL_H_
