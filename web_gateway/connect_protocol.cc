#include "web_gateway/connect_protocol.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "google/rpc/status.pb.h"

#include "common/status_macros.h"
#include "web_gateway/gzip.h"

namespace dateline::web_gateway {
namespace {

// Smaller answers fit one packet as they are.
constexpr size_t kWorthCompressing = 1024;

constexpr size_t kFrameHeaderBytes = 5;
constexpr uint8_t kFrameCompressed = 0x01;
constexpr uint8_t kFrameTrailers = 0x80;

struct CodeEntry {
  absl::StatusCode code;
  absl::string_view name;
  int http_status;
};

// The table of Connect's specification.
constexpr std::array<CodeEntry, 17> kCodes = {{
    {absl::StatusCode::kOk, "ok", 200},
    {absl::StatusCode::kCancelled, "canceled", 499},
    {absl::StatusCode::kUnknown, "unknown", 500},
    {absl::StatusCode::kInvalidArgument, "invalid_argument", 400},
    {absl::StatusCode::kDeadlineExceeded, "deadline_exceeded", 504},
    {absl::StatusCode::kNotFound, "not_found", 404},
    {absl::StatusCode::kAlreadyExists, "already_exists", 409},
    {absl::StatusCode::kPermissionDenied, "permission_denied", 403},
    {absl::StatusCode::kResourceExhausted, "resource_exhausted", 429},
    {absl::StatusCode::kFailedPrecondition, "failed_precondition", 400},
    {absl::StatusCode::kAborted, "aborted", 409},
    {absl::StatusCode::kOutOfRange, "out_of_range", 400},
    {absl::StatusCode::kUnimplemented, "unimplemented", 501},
    {absl::StatusCode::kInternal, "internal", 500},
    {absl::StatusCode::kUnavailable, "unavailable", 503},
    {absl::StatusCode::kDataLoss, "data_loss", 500},
    {absl::StatusCode::kUnauthenticated, "unauthenticated", 401},
}};

const CodeEntry& EntryOf(absl::StatusCode code) {
  const auto* entry = std::find_if(kCodes.begin(), kCodes.end(), [code](const CodeEntry& e) { return e.code == code; });
  // A code that no version of gRPC knows is what gRPC itself calls unknown.
  return entry != kCodes.end() ? *entry : kCodes[2];
}

std::string UnpaddedBase64(absl::string_view bytes) {
  std::string text = absl::Base64Escape(bytes);
  while (absl::EndsWith(text, "=")) {
    text.pop_back();
  }
  return text;
}

// Headers that speak of the hop, the browser or the protocol, and so are not the call's metadata.
bool IsTransportHeader(absl::string_view name) {
  static constexpr std::array kExact = {
      absl::string_view("alt-used"),
      absl::string_view("cache-control"),
      absl::string_view("connection"),
      absl::string_view("cookie"),
      absl::string_view("date"),
      absl::string_view("dnt"),
      absl::string_view("etag"),
      absl::string_view("expect"),
      absl::string_view("forwarded"),
      absl::string_view("from"),
      absl::string_view("host"),
      absl::string_view("keep-alive"),
      absl::string_view("origin"),
      absl::string_view("pragma"),
      absl::string_view("priority"),
      absl::string_view("range"),
      absl::string_view("referer"),
      absl::string_view("save-data"),
      absl::string_view("te"),
      absl::string_view("trailer"),
      absl::string_view("transfer-encoding"),
      absl::string_view("upgrade"),
      absl::string_view("upgrade-insecure-requests"),
      absl::string_view("user-agent"),
      absl::string_view("via"),
      absl::string_view("x-grpc-web"),
      absl::string_view("x-real-ip"),
      absl::string_view("x-user-agent"),
  };
  static constexpr std::array kPrefixes = {
      absl::string_view("accept"),   absl::string_view("access-control-"),
      absl::string_view("connect-"), absl::string_view("content-"),
      absl::string_view("grpc-"),    absl::string_view("if-"),
      absl::string_view("proxy-"),   absl::string_view("sec-"),
      absl::string_view("trailer-"), absl::string_view("x-forwarded-"),
  };
  return std::find(kExact.begin(), kExact.end(), name) != kExact.end() ||
         std::any_of(kPrefixes.begin(), kPrefixes.end(),
                     [name](absl::string_view prefix) { return absl::StartsWith(name, prefix); });
}

bool IsMetadataKey(absl::string_view key) {
  return !key.empty() && std::all_of(key.begin(), key.end(), [](char c) {
    return absl::ascii_islower(static_cast<unsigned char>(c)) || absl::ascii_isdigit(static_cast<unsigned char>(c)) ||
           c == '-' || c == '_' || c == '.';
  });
}

bool IsPrintableAscii(absl::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c <= 0x7e; });
}

// An HTTP header must not be broken by what an upstream sends: such a metadatum is left out.
bool GoesIntoHeader(absl::string_view key, absl::string_view value) {
  return IsMetadataKey(key) && (absl::EndsWith(key, "-bin") || IsPrintableAscii(value)) && !IsTransportHeader(key);
}

std::string HeaderValue(absl::string_view key, absl::string_view value) {
  return absl::EndsWith(key, "-bin") ? UnpaddedBase64(value) : std::string(value);
}

absl::StatusOr<absl::Duration> ParseConnectTimeout(absl::string_view value) {
  uint64_t milliseconds = 0;
  if (value.empty() || value.size() > 10 ||
      !std::all_of(value.begin(), value.end(), [](unsigned char c) { return absl::ascii_isdigit(c); }) ||
      !absl::SimpleAtoi(value, &milliseconds)) {
    return absl::InvalidArgumentError(
        "Connect-Timeout-Ms: must be a whole number of milliseconds of at most 10 digits");
  }
  return absl::Milliseconds(static_cast<int64_t>(milliseconds));
}

absl::StatusOr<absl::Duration> ParseGrpcTimeout(absl::string_view value) {
  static constexpr absl::string_view kMessage =
      "Grpc-Timeout: must be at most 8 digits and one of the units H, M, S, m, u, n";
  if (value.size() < 2 || value.size() > 9) {
    return absl::InvalidArgumentError(kMessage);
  }
  const absl::string_view digits = value.substr(0, value.size() - 1);
  int64_t amount = 0;
  if (!std::all_of(digits.begin(), digits.end(), [](unsigned char c) { return absl::ascii_isdigit(c); }) ||
      !absl::SimpleAtoi(digits, &amount)) {
    return absl::InvalidArgumentError(kMessage);
  }
  switch (value.back()) {
    case 'H':
      return absl::Hours(amount);
    case 'M':
      return absl::Minutes(amount);
    case 'S':
      return absl::Seconds(amount);
    case 'm':
      return absl::Milliseconds(amount);
    case 'u':
      return absl::Microseconds(amount);
    case 'n':
      return absl::Nanoseconds(amount);
    default:
      return absl::InvalidArgumentError(kMessage);
  }
}

absl::StatusOr<std::string> Decompress(absl::string_view encoding, std::string data, size_t max_bytes) {
  if (encoding.empty() || absl::EqualsIgnoreCase(encoding, "identity")) {
    if (data.size() > max_bytes) {
      return absl::ResourceExhaustedError(absl::StrCat("the message is larger than ", max_bytes, " bytes"));
    }
    return data;
  }
  if (!absl::EqualsIgnoreCase(encoding, "gzip")) {
    return absl::UnimplementedError(absl::StrCat("unknown compression \"", absl::CHexEscape(encoding.substr(0, 40)),
                                                 "\": supported encodings are gzip, identity"));
  }
  // A message of no bytes is not compressed, whatever its header says.
  return data.empty() ? absl::StatusOr<std::string>(std::move(data)) : Gunzip(data, max_bytes);
}

uint32_t ReadBigEndian32(absl::string_view bytes) {
  uint32_t value = 0;
  for (size_t i = 0; i < 4; ++i) {
    value = (value << 8U) | static_cast<uint8_t>(bytes[i]);
  }
  return value;
}

void AppendFrame(uint8_t flags, absl::string_view payload, std::string* out) {
  out->push_back(static_cast<char>(flags));
  const auto size = static_cast<uint32_t>(payload.size());
  for (const uint32_t shift : {24U, 16U, 8U, 0U}) {
    out->push_back(static_cast<char>((size >> shift) & 0xffU));
  }
  out->append(payload.data(), payload.size());
}

// gRPC-Web text: base64 pieces, each padded to its own end, one behind the other.
std::optional<std::string> DecodeBase64Pieces(absl::string_view text) {
  std::string out;
  out.reserve(text.size() / 4 * 3);
  while (!text.empty()) {
    size_t end = text.find('=');
    end = end == absl::string_view::npos ? text.size() : std::min(text.find_first_not_of('=', end), text.size());
    const std::optional<std::string> piece = DecodeBase64(text.substr(0, end));
    if (!piece.has_value()) {
      return std::nullopt;
    }
    out += *piece;
    text.remove_prefix(end);
  }
  return out;
}

absl::StatusOr<std::string> ReadGrpcWebMessage(const HttpHeaders& headers, absl::string_view body, size_t max_bytes) {
  if (body.size() < kFrameHeaderBytes) {
    return absl::InvalidArgumentError("the gRPC-Web body is cut off: no frame of 5 bytes and more");
  }
  const auto flags = static_cast<uint8_t>(body[0]);
  const size_t size = ReadBigEndian32(body.substr(1));
  body.remove_prefix(kFrameHeaderBytes);
  if ((flags & ~kFrameCompressed) != 0) {
    return absl::InvalidArgumentError(absl::StrCat("the gRPC-Web frame has unknown flags ", flags));
  }
  if (size > max_bytes) {
    return absl::ResourceExhaustedError(absl::StrCat("the message is larger than ", max_bytes, " bytes"));
  }
  if (size > body.size()) {
    return absl::InvalidArgumentError(
        absl::StrCat("the gRPC-Web frame is cut off: it promises ", size, " bytes and has ", body.size()));
  }
  if (size < body.size()) {
    return absl::UnimplementedError("more than one message in the body: only unary methods are served here");
  }
  if (flags == 0) {
    return std::string(body);
  }
  const absl::string_view encoding = FindHeader(headers, "grpc-encoding").value_or("");
  if (encoding.empty() || absl::EqualsIgnoreCase(encoding, "identity")) {
    return absl::InvalidArgumentError(
        "the gRPC-Web frame is marked as compressed, but Grpc-Encoding names no compression");
  }
  return Decompress(encoding, std::string(body), max_bytes);
}

// As gRPC spells a status message in a header: bytes outside printable ASCII, and `%`, in hex.
std::string PercentEncode(absl::string_view text) {
  static constexpr absl::string_view kHex = "0123456789ABCDEF";
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    const auto byte = static_cast<uint8_t>(c);
    if (byte >= 0x20 && byte <= 0x7e && c != '%') {
      out.push_back(c);
    } else {
      out += {'%', kHex[byte >> 4U], kHex[byte & 0xfU]};
    }
  }
  return out;
}

std::string ErrorJson(absl::StatusCode code, absl::string_view message, const std::string& serialized_status,
                      const DetailRenderer& render_detail) {
  nlohmann::ordered_json error = {{"code", std::string(CodeName(code))}};
  if (!message.empty()) {
    error["message"] = std::string(message);
  }
  google::rpc::Status status;
  if (!serialized_status.empty() && status.ParseFromString(serialized_status) && status.details_size() > 0) {
    nlohmann::ordered_json& details = error["details"] = nlohmann::ordered_json::array();
    for (const auto& any : status.details()) {
      const size_t slash = any.type_url().rfind('/');
      nlohmann::ordered_json detail = {
          {"type", slash == std::string::npos ? any.type_url() : any.type_url().substr(slash + 1)},
          {"value", UnpaddedBase64(any.value())}};
      if (const std::optional<std::string> text =
              render_detail ? render_detail(any.type_url(), any.value()) : std::nullopt) {
        auto debug = nlohmann::ordered_json::parse(*text, nullptr, /*allow_exceptions=*/false);
        if (!debug.is_discarded()) {
          detail["debug"] = std::move(debug);
        }
      }
      details.push_back(std::move(detail));
    }
  }
  return error.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

void AppendMetadata(const Metadata& metadata, absl::string_view prefix, HttpHeaders* headers) {
  for (const auto& [key, value] : metadata) {
    if (GoesIntoHeader(key, value)) {
      headers->push_back({absl::StrCat(prefix, key), HeaderValue(key, value)});
    }
  }
}

HttpResponse ComposeConnect(Codec codec, const RpcReply& reply, bool compress, const DetailRenderer& render_detail) {
  HttpResponse response;
  AppendMetadata(reply.initial_metadata, "", &response.headers);
  if (reply.code == absl::StatusCode::kOk) {
    AppendMetadata(reply.trailing_metadata, "Trailer-", &response.headers);
    response.headers.push_back({"Content-Type", ContentTypeOf({Protocol::kConnect, codec})});
    response.body = reply.message;
  } else {
    // An error has one set of metadata: Connect's clients read all headers of it.
    AppendMetadata(reply.trailing_metadata, "", &response.headers);
    response.status = HttpStatusOf(reply.code);
    response.headers.push_back({"Content-Type", "application/json"});
    response.body = ErrorJson(reply.code, reply.error_message, reply.error_details, render_detail);
  }
  if (compress && response.body.size() >= kWorthCompressing) {
    response.body = Gzip(response.body);
    response.headers.push_back({"Content-Encoding", "gzip"});
  }
  return response;
}

HttpResponse ComposeGrpcWeb(MediaType type, const RpcReply& reply, bool compress) {
  HttpResponse response;
  AppendMetadata(reply.initial_metadata, "", &response.headers);
  response.headers.push_back({"Content-Type", ContentTypeOf(type)});
  if (reply.code == absl::StatusCode::kOk) {
    if (compress && reply.message.size() >= kWorthCompressing) {
      response.headers.push_back({"Grpc-Encoding", "gzip"});
      AppendFrame(kFrameCompressed, Gzip(reply.message), &response.body);
    } else {
      AppendFrame(0, reply.message, &response.body);
    }
  }
  std::string trailers = absl::StrCat("grpc-status: ", static_cast<int>(EntryOf(reply.code).code), "\r\n");
  if (!reply.error_message.empty()) {
    absl::StrAppend(&trailers, "grpc-message: ", PercentEncode(reply.error_message), "\r\n");
  }
  if (!reply.error_details.empty()) {
    absl::StrAppend(&trailers, "grpc-status-details-bin: ", UnpaddedBase64(reply.error_details), "\r\n");
  }
  for (const auto& [key, value] : reply.trailing_metadata) {
    if (GoesIntoHeader(key, value)) {
      absl::StrAppend(&trailers, key, ": ", HeaderValue(key, value), "\r\n");
    }
  }
  AppendFrame(kFrameTrailers, trailers, &response.body);
  if (type.protocol == Protocol::kGrpcWebText) {
    response.body = absl::Base64Escape(response.body);
  }
  return response;
}

// Says by name what a GET's query holds; a name given twice is refused rather than guessed at.
struct GetQuery {
  std::optional<std::string> connect;
  std::optional<std::string> base64;
  std::optional<std::string> compression;
  std::optional<std::string> encoding;
  std::optional<std::string> message;
};

absl::StatusOr<GetQuery> ParseGetQuery(absl::string_view query) {
  GetQuery result;
  for (const absl::string_view pair : absl::StrSplit(query, '&', absl::SkipEmpty())) {
    const std::pair<absl::string_view, absl::string_view> parts = absl::StrSplit(pair, absl::MaxSplits('=', 1));
    const std::optional<std::string> name = PercentDecode(parts.first);
    std::optional<std::string>* field = nullptr;
    if (name == "connect") {
      field = &result.connect;
    } else if (name == "base64") {
      field = &result.base64;
    } else if (name == "compression") {
      field = &result.compression;
    } else if (name == "encoding") {
      field = &result.encoding;
    } else if (name == "message") {
      field = &result.message;
    } else {
      continue;
    }
    if (field->has_value()) {
      return absl::InvalidArgumentError(absl::StrCat(*name, ": given twice in the query"));
    }
    *field = PercentDecode(parts.second);
    if (!field->has_value()) {
      return absl::InvalidArgumentError(absl::StrCat(*name, ": a % in it is not followed by two hex digits"));
    }
  }
  return result;
}

}  // namespace

std::optional<MediaType> ParseContentType(absl::string_view content_type) {
  const std::vector<absl::string_view> parts = absl::StrSplit(content_type, ';');
  for (size_t i = 1; i < parts.size(); ++i) {
    const std::pair<absl::string_view, absl::string_view> parameter = absl::StrSplit(parts[i], absl::MaxSplits('=', 1));
    const absl::string_view value = absl::StripAsciiWhitespace(parameter.second);
    if (absl::EqualsIgnoreCase(absl::StripAsciiWhitespace(parameter.first), "charset") &&
        !absl::EqualsIgnoreCase(value, "utf-8") && !absl::EqualsIgnoreCase(value, "utf8") &&
        !absl::EqualsIgnoreCase(value, "\"utf-8\"")) {
      return std::nullopt;
    }
  }
  const std::string name = absl::AsciiStrToLower(absl::StripAsciiWhitespace(parts[0]));
  if (name == "application/json") {
    return MediaType{Protocol::kConnect, Codec::kJson};
  }
  if (name == "application/proto") {
    return MediaType{Protocol::kConnect, Codec::kProto};
  }
  absl::string_view rest = name;
  if (!absl::ConsumePrefix(&rest, "application/grpc-web")) {
    return std::nullopt;
  }
  const Protocol protocol = absl::ConsumePrefix(&rest, "-text") ? Protocol::kGrpcWebText : Protocol::kGrpcWeb;
  if (rest.empty() || rest == "+proto") {
    return MediaType{protocol, Codec::kProto};
  }
  if (rest == "+json") {
    return MediaType{protocol, Codec::kJson};
  }
  return std::nullopt;
}

std::string ContentTypeOf(MediaType type) {
  const absl::string_view codec = type.codec == Codec::kJson ? "json" : "proto";
  switch (type.protocol) {
    case Protocol::kGrpcWeb:
      return absl::StrCat("application/grpc-web+", codec);
    case Protocol::kGrpcWebText:
      return absl::StrCat("application/grpc-web-text+", codec);
    case Protocol::kConnect:
      break;
  }
  return absl::StrCat("application/", codec);
}

absl::string_view SupportedContentTypes() {
  return "application/json, application/proto, application/grpc-web+proto, application/grpc-web+json, "
         "application/grpc-web-text+proto, application/grpc-web-text+json";
}

absl::StatusOr<RpcRequest> ParsePost(MediaType type, const HttpHeaders& headers, std::string body, size_t max_bytes) {
  RpcRequest request;
  request.type = type;
  if (type.protocol == Protocol::kConnect) {
    if (const auto version = FindHeader(headers, "connect-protocol-version"); version.has_value() && *version != "1") {
      return absl::InvalidArgumentError("Connect-Protocol-Version: must be 1");
    }
    if (const auto timeout = FindHeader(headers, "connect-timeout-ms"); timeout.has_value()) {
      ASSIGN_OR_RETURN(request.timeout, ParseConnectTimeout(*timeout));
    }
    request.accepts_gzip = AcceptsGzip(FindHeader(headers, "accept-encoding").value_or(""));
    const absl::string_view encoding = FindHeader(headers, "content-encoding").value_or("");
    ASSIGN_OR_RETURN(request.message, Decompress(absl::StripAsciiWhitespace(encoding), std::move(body), max_bytes));
    return request;
  }
  if (const auto timeout = FindHeader(headers, "grpc-timeout"); timeout.has_value()) {
    ASSIGN_OR_RETURN(request.timeout, ParseGrpcTimeout(*timeout));
  }
  request.accepts_gzip = AcceptsGzip(FindHeader(headers, "grpc-accept-encoding").value_or(""));
  if (type.protocol == Protocol::kGrpcWebText) {
    std::optional<std::string> decoded = DecodeBase64Pieces(body);
    if (!decoded.has_value()) {
      return absl::InvalidArgumentError("the gRPC-Web body is not base64, though its type says so");
    }
    body = *std::move(decoded);
  }
  ASSIGN_OR_RETURN(request.message, ReadGrpcWebMessage(headers, body, max_bytes));
  return request;
}

absl::StatusOr<RpcRequest> ParseGet(absl::string_view query, const HttpHeaders& headers, size_t max_bytes) {
  ASSIGN_OR_RETURN(GetQuery parameters, ParseGetQuery(query));
  if (parameters.connect.has_value() && parameters.connect != "v1") {
    return absl::InvalidArgumentError("connect: must be v1");
  }
  RpcRequest request;
  if (parameters.encoding == "json") {
    request.type.codec = Codec::kJson;
  } else if (parameters.encoding == "proto") {
    request.type.codec = Codec::kProto;
  } else {
    return absl::InvalidArgumentError("encoding: required in the query, json or proto");
  }
  if (!parameters.message.has_value()) {
    return absl::InvalidArgumentError(
        "message: required in the query; an empty one is message= (proto) or message={} (json)");
  }
  if (parameters.base64.has_value() && parameters.base64 != "1") {
    return absl::InvalidArgumentError("base64: must be 1 where it is given");
  }
  std::string message = *std::move(parameters.message);
  if (parameters.base64.has_value()) {
    std::optional<std::string> decoded = DecodeBase64(message);
    if (!decoded.has_value()) {
      return absl::InvalidArgumentError("message: not base64, though base64=1 says so");
    }
    message = *std::move(decoded);
  }
  ASSIGN_OR_RETURN(request.message, Decompress(parameters.compression.value_or(""), std::move(message), max_bytes));
  if (const auto timeout = FindHeader(headers, "connect-timeout-ms"); timeout.has_value()) {
    ASSIGN_OR_RETURN(request.timeout, ParseConnectTimeout(*timeout));
  }
  request.accepts_gzip = AcceptsGzip(FindHeader(headers, "accept-encoding").value_or(""));
  return request;
}

absl::StatusOr<Metadata> MetadataFromHeaders(const HttpHeaders& headers) {
  Metadata metadata;
  for (const HttpHeader& header : headers) {
    std::string key = absl::AsciiStrToLower(header.name);
    if (IsTransportHeader(key)) {
      continue;
    }
    if (!IsMetadataKey(key)) {
      return absl::InvalidArgumentError(
          absl::StrCat("header ", absl::CHexEscape(key), ": its name may have letters, digits and -_. only"));
    }
    if (!absl::EndsWith(key, "-bin")) {
      if (!IsPrintableAscii(header.value)) {
        return absl::InvalidArgumentError(absl::StrCat("header ", key, ": its value may have printable ASCII only"));
      }
      metadata.emplace_back(std::move(key), header.value);
      continue;
    }
    std::optional<std::string> bytes = DecodeBase64(header.value);
    if (!bytes.has_value()) {
      return absl::InvalidArgumentError(absl::StrCat("header ", key, ": its value must be base64"));
    }
    metadata.emplace_back(std::move(key), *std::move(bytes));
  }
  return metadata;
}

HttpResponse ComposeReply(MediaType type, const RpcReply& reply, bool compress, const DetailRenderer& render_detail) {
  return type.protocol == Protocol::kConnect ? ComposeConnect(type.codec, reply, compress, render_detail)
                                             : ComposeGrpcWeb(type, reply, compress);
}

HttpResponse ComposeError(int http_status, absl::StatusCode code, absl::string_view message) {
  HttpResponse response;
  response.status = http_status;
  response.headers.push_back({"Content-Type", "application/json"});
  response.body = ErrorJson(code, message, "", nullptr);
  return response;
}

absl::string_view CodeName(absl::StatusCode code) { return EntryOf(code).name; }

int HttpStatusOf(absl::StatusCode code) { return EntryOf(code).http_status; }

std::optional<std::string> PercentDecode(absl::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+') {
      out.push_back(' ');
    } else if (text[i] != '%') {
      out.push_back(text[i]);
    } else {
      const absl::string_view hex = text.substr(i + 1, 2);
      uint32_t byte = 0;
      // SimpleHexAtoi alone would take spaces and signs, too.
      if (hex.size() != 2 || !absl::ascii_isxdigit(static_cast<unsigned char>(hex[0])) ||
          !absl::ascii_isxdigit(static_cast<unsigned char>(hex[1])) || !absl::SimpleHexAtoi(hex, &byte)) {
        return std::nullopt;
      }
      out.push_back(static_cast<char>(byte));
      i += 2;
    }
  }
  return out;
}

std::optional<std::string> DecodeBase64(absl::string_view text) {
  std::string standard(text);
  for (char& c : standard) {
    const bool known =
        absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '+' || c == '/' || c == '-' || c == '_' || c == '=';
    // Abseil would skip white space; a request that has some in its base64 is broken.
    if (!known) {
      return std::nullopt;
    }
    c = c == '-' ? '+' : c == '_' ? '/' : c;
  }
  std::string bytes;
  if (!absl::Base64Unescape(standard, &bytes)) {
    return std::nullopt;
  }
  return bytes;
}

bool AcceptsGzip(absl::string_view accept_encoding) {
  for (const absl::string_view item : absl::StrSplit(accept_encoding, ',')) {
    const std::vector<absl::string_view> parts = absl::StrSplit(item, ';');
    if (!absl::EqualsIgnoreCase(absl::StripAsciiWhitespace(parts[0]), "gzip")) {
      continue;
    }
    for (size_t i = 1; i < parts.size(); ++i) {
      absl::string_view quality = absl::StripAsciiWhitespace(parts[i]);
      double value = 0;
      if (absl::ConsumePrefix(&quality, "q=") && (!absl::SimpleAtod(quality, &value) || value <= 0)) {
        return false;
      }
    }
    return true;
  }
  return false;
}

}  // namespace dateline::web_gateway
