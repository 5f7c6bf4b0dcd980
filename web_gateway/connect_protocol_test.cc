#include "web_gateway/connect_protocol.h"

#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "gtest/gtest.h"

#include "tests/support/status_matchers.h"
#include "web_gateway/gzip.h"

namespace dateline::web_gateway {
namespace {

using ::dateline::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

constexpr size_t kLimit = 1000;
constexpr MediaType kJson = {Protocol::kConnect, Codec::kJson};
constexpr MediaType kProto = {Protocol::kConnect, Codec::kProto};
constexpr MediaType kWeb = {Protocol::kGrpcWeb, Codec::kProto};
constexpr MediaType kWebText = {Protocol::kGrpcWebText, Codec::kProto};

std::string Frame(uint8_t flags, const std::string& payload) {
  std::string frame(1, static_cast<char>(flags));
  for (const int shift : {24, 16, 8, 0}) {
    frame.push_back(static_cast<char>((payload.size() >> shift) & 0xff));
  }
  return frame + payload;
}

std::string HeaderOf(const HttpResponse& response, absl::string_view name) {
  return std::string(FindHeader(response.headers, name).value_or("(none)"));
}

TEST(ContentTypeTest, TellsProtocolAndCodec) {
  for (const auto& [text, type] :
       std::vector<std::pair<std::string, MediaType>>{{"application/json", kJson},
                                                      {"Application/JSON; charset=UTF-8", kJson},
                                                      {"application/json;charset=\"utf-8\"", kJson},
                                                      {"application/proto", kProto},
                                                      {"application/grpc-web", kWeb},
                                                      {"application/grpc-web+proto", kWeb},
                                                      {"application/grpc-web+json", {Protocol::kGrpcWeb, Codec::kJson}},
                                                      {"application/grpc-web-text", kWebText},
                                                      {"application/grpc-web-text+proto", kWebText}}) {
    const auto parsed = ParseContentType(text);
    ASSERT_TRUE(parsed.has_value()) << text;
    EXPECT_EQ(parsed->protocol, type.protocol) << text;
    EXPECT_EQ(parsed->codec, type.codec) << text;
  }
}

TEST(ContentTypeTest, RefusesWhatNoUnaryCallComesAs) {
  for (const absl::string_view text :
       {"", "text/plain", "application/json; charset=latin1", "application/connect+json", "application/connect+proto",
        "application/grpc", "application/grpc-web+xml", "application/grpc-webx", "application/x-www-form-urlencoded"}) {
    EXPECT_FALSE(ParseContentType(text).has_value()) << text;
  }
}

TEST(ConnectPostTest, TakesTheBareMessageTheTimeoutAndGzip) {
  ASSERT_OK_AND_ASSIGN(const RpcRequest request, ParsePost(kJson,
                                                           {{"connect-protocol-version", "1"},
                                                            {"connect-timeout-ms", "2500"},
                                                            {"content-encoding", "gzip"},
                                                            {"accept-encoding", "br, gzip;q=0.5"}},
                                                           Gzip("{\"query\":\"gas\"}"), kLimit));
  EXPECT_EQ(request.message, "{\"query\":\"gas\"}");
  EXPECT_EQ(request.timeout, absl::Milliseconds(2500));
  EXPECT_TRUE(request.accepts_gzip);
}

TEST(ConnectPostTest, TakesAnEmptyBodyAsItIsWhateverItsEncoding) {
  ASSERT_OK_AND_ASSIGN(const RpcRequest request, ParsePost(kProto, {{"content-encoding", "gzip"}}, "", kLimit));
  EXPECT_EQ(request.message, "");
  EXPECT_FALSE(request.timeout.has_value());
  EXPECT_FALSE(request.accepts_gzip);
}

TEST(ConnectPostTest, NamesWhatIsWrong) {
  EXPECT_THAT(ParsePost(kJson, {{"connect-protocol-version", "2"}}, "{}", kLimit),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("Connect-Protocol-Version")));
  for (const char* timeout : {"", "-1", "+5", "12345678901", "5s", " 5", "1e3"}) {
    EXPECT_THAT(ParsePost(kJson, {{"connect-timeout-ms", timeout}}, "{}", kLimit),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("Connect-Timeout-Ms")))
        << timeout;
  }
  EXPECT_THAT(ParsePost(kJson, {{"content-encoding", "br"}}, "{}", kLimit),
              StatusIs(absl::StatusCode::kUnimplemented, HasSubstr("gzip, identity")));
  EXPECT_THAT(ParsePost(kJson, {{"content-encoding", "gzip"}}, "{}", kLimit),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("gzip")));
  EXPECT_THAT(ParsePost(kJson, {}, std::string(kLimit + 1, 'x'), kLimit),
              StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("1000 bytes")));
}

TEST(ConnectPostTest, StopsUnpackingAtTheLimit) {
  EXPECT_THAT(ParsePost(kJson, {{"content-encoding", "gzip"}}, Gzip(std::string(50'000'000, ' ')), kLimit),
              StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("1000 bytes once decompressed")));
}

TEST(ConnectGetTest, TakesParametersInAnyOrderAndPassesOverOthers) {
  ASSERT_OK_AND_ASSIGN(const RpcRequest plain,
                       ParseGet("message=%7B%22query%22%3A%22a+b%22%7D&utm=x&encoding=json&connect=v1", {}, kLimit));
  EXPECT_EQ(plain.message, "{\"query\":\"a b\"}");
  EXPECT_EQ(plain.type.codec, Codec::kJson);

  const std::string bytes("\x0a\x03gas\xff\xfe", 7);
  ASSERT_OK_AND_ASSIGN(
      const RpcRequest binary,
      ParseGet(absl::StrCat("encoding=proto&base64=1&message=", absl::WebSafeBase64Escape(bytes)), {}, kLimit));
  EXPECT_EQ(binary.message, bytes);
  EXPECT_EQ(binary.type.codec, Codec::kProto);

  ASSERT_OK_AND_ASSIGN(
      const RpcRequest packed,
      ParseGet(absl::StrCat("compression=gzip&encoding=json&base64=1&message=", absl::WebSafeBase64Escape(Gzip("{}"))),
               {{"accept-encoding", "gzip"}, {"connect-timeout-ms", "7"}}, kLimit));
  EXPECT_EQ(packed.message, "{}");
  EXPECT_TRUE(packed.accepts_gzip);
  EXPECT_EQ(packed.timeout, absl::Milliseconds(7));
}

TEST(ConnectGetTest, NamesTheParameterThatIsWrong) {
  for (const auto& [query, field] :
       std::vector<std::pair<std::string, std::string>>{{"", "encoding"},
                                                        {"message={}", "encoding"},
                                                        {"encoding=xml&message={}", "encoding"},
                                                        {"encoding=json", "message"},
                                                        {"encoding=json&message=%7", "message"},
                                                        {"encoding=json&message=%zz", "message"},
                                                        {"encoding=json&message=%", "message"},
                                                        {"encoding=json&message={}&message={}", "message"},
                                                        {"encoding=json&encoding=json&message={}", "encoding"},
                                                        {"encoding=json&base64=1&message=a*b", "message"},
                                                        {"encoding=json&base64=1&message=e30&x=1&base64=1", "base64"},
                                                        {"encoding=json&base64=true&message=e30", "base64"},
                                                        {"encoding=json&connect=v2&message={}", "connect"},
                                                        {"encoding=json&compression=gzip&message=zzzz", "gzip"}}) {
    EXPECT_THAT(ParseGet(query, {}, kLimit), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(field))) << query;
  }
  EXPECT_THAT(ParseGet("encoding=json&compression=zstd&message={}", {}, kLimit),
              StatusIs(absl::StatusCode::kUnimplemented, HasSubstr("zstd")));
  EXPECT_THAT(ParseGet("encoding=json&message=" + std::string(kLimit + 1, 'x'), {}, kLimit),
              StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_THAT(ParseGet(absl::StrCat("encoding=json&compression=gzip&base64=1&message=",
                                    absl::WebSafeBase64Escape(Gzip(std::string(1'000'000, ' ')))),
                       {}, kLimit),
              StatusIs(absl::StatusCode::kResourceExhausted));
}

TEST(GrpcWebTest, TakesOneFramePlainCompressedOrAsBase64) {
  ASSERT_OK_AND_ASSIGN(const RpcRequest plain, ParsePost(kWeb, {{"grpc-timeout", "3S"}}, Frame(0, "abc"), kLimit));
  EXPECT_EQ(plain.message, "abc");
  EXPECT_EQ(plain.timeout, absl::Seconds(3));

  ASSERT_OK_AND_ASSIGN(const RpcRequest packed,
                       ParsePost(kWeb, {{"grpc-encoding", "gzip"}, {"grpc-accept-encoding", "identity,gzip"}},
                                 Frame(1, Gzip("abc")), kLimit));
  EXPECT_EQ(packed.message, "abc");
  EXPECT_TRUE(packed.accepts_gzip);

  const std::string frame = Frame(0, "abcd");
  ASSERT_OK_AND_ASSIGN(const RpcRequest text, ParsePost(kWebText, {}, absl::Base64Escape(frame), kLimit));
  EXPECT_EQ(text.message, "abcd");
  // Some clients encode header and message each by itself.
  ASSERT_OK_AND_ASSIGN(
      const RpcRequest pieces,
      ParsePost(kWebText, {}, absl::Base64Escape(frame.substr(0, 5)) + absl::Base64Escape(frame.substr(5)), kLimit));
  EXPECT_EQ(pieces.message, "abcd");
}

TEST(GrpcWebTest, RefusesBrokenFrames) {
  const auto parse = [](const std::string& body, const HttpHeaders& headers = {}) {
    return ParsePost(kWeb, headers, body, kLimit);
  };
  EXPECT_THAT(parse(""), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("cut off")));
  EXPECT_THAT(parse(std::string(4, '\0')), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("cut off")));
  EXPECT_THAT(parse(Frame(0, "abc").substr(0, 7)),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("promises 3 bytes and has 2")));
  EXPECT_THAT(parse(std::string("\0\xff\xff\xff\xff", 5)), StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_THAT(parse(Frame(0, "a") + Frame(0, "b")),
              StatusIs(absl::StatusCode::kUnimplemented, HasSubstr("more than one")));
  EXPECT_THAT(parse(Frame(0x80, "a")), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("flags")));
  EXPECT_THAT(parse(Frame(1, Gzip("a"))), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("Grpc-Encoding")));
  EXPECT_THAT(parse(Frame(1, "no gzip"), {{"grpc-encoding", "gzip"}}), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(parse(Frame(1, Gzip(std::string(100'000, 'x'))), {{"grpc-encoding", "gzip"}}),
              StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_THAT(ParsePost(kWebText, {}, "AAAA*", kLimit),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("base64")));
  EXPECT_THAT(ParsePost(kWebText, {}, "=", kLimit), StatusIs(absl::StatusCode::kInvalidArgument));
  for (const char* timeout : {"", "S", "5", "123456789S", "5x", "-5S", "5 S"}) {
    EXPECT_THAT(parse(Frame(0, ""), {{"grpc-timeout", timeout}}),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("Grpc-Timeout")))
        << timeout;
  }
}

TEST(MetadataTest, KeepsTheCallersOwnHeadersAndNoOthers) {
  ASSERT_OK_AND_ASSIGN(const Metadata metadata, MetadataFromHeaders({{"host", "x"},
                                                                     {"cookie", "secret=1"},
                                                                     {"accept-encoding", "gzip"},
                                                                     {"sec-fetch-mode", "cors"},
                                                                     {"content-type", "application/json"},
                                                                     {"connect-timeout-ms", "5"},
                                                                     {"grpc-timeout", "5S"},
                                                                     {"x-forwarded-for", "10.0.0.1"},
                                                                     {"x-grpc-web", "1"},
                                                                     {"authorization", "Bearer t"},
                                                                     {"x-request-id", "42"},
                                                                     {"trace-bin", "AAE"}}));
  EXPECT_THAT(metadata, ElementsAre(Pair("authorization", "Bearer t"), Pair("x-request-id", "42"),
                                    Pair("trace-bin", std::string("\0\x01", 2))));
}

TEST(MetadataTest, RefusesWhatGrpcWouldDieOf) {
  EXPECT_THAT(MetadataFromHeaders({{"x-name", "Zo\xc3\xab"}}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("x-name")));
  EXPECT_THAT(MetadataFromHeaders({{"x-name", "a\tb"}}), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(MetadataFromHeaders({{"x$name", "a"}}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("x$name")));
  EXPECT_THAT(MetadataFromHeaders({{"x-bin", "%%"}}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("base64")));
}

RpcReply ErrorReply() {
  google::rpc::BadRequest bad_request;
  auto* violation = bad_request.add_field_violations();
  violation->set_field("page_size");
  violation->set_description("must not be negative");
  google::rpc::Status status;
  status.add_details()->PackFrom(bad_request);
  RpcReply reply;
  reply.code = absl::StatusCode::kInvalidArgument;
  reply.error_message = "page_size: must not be negative, 5 % \xc3\xa9";
  reply.error_details = status.SerializeAsString();
  reply.trailing_metadata = {{"x-trace", "t"}, {"grpc-status-details-bin", reply.error_details}};
  return reply;
}

TEST(ComposeTest, GivesConnectTheBareMessageAndTrailersAsHeaders) {
  RpcReply reply;
  reply.message = "{}";
  reply.initial_metadata = {{"x-one", "1"}, {"x-two-bin", "\x01\x02"}, {"x-evil", "a\r\nset-cookie: b"}};
  reply.trailing_metadata = {{"x-three", "3"}};
  const HttpResponse response = ComposeReply(kJson, reply, false, nullptr);
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "{}");
  EXPECT_EQ(HeaderOf(response, "content-type"), "application/json");
  EXPECT_EQ(HeaderOf(response, "x-one"), "1");
  EXPECT_EQ(HeaderOf(response, "x-two-bin"), "AQI");
  EXPECT_EQ(HeaderOf(response, "x-evil"), "(none)");
  EXPECT_EQ(HeaderOf(response, "trailer-x-three"), "3");
  EXPECT_EQ(HeaderOf(ComposeReply(kProto, reply, false, nullptr), "content-type"), "application/proto");
}

TEST(ComposeTest, CompressesWhatIsWorthItAndOnlyOnRequest) {
  RpcReply reply;
  reply.message = std::string(5000, 'x');
  EXPECT_EQ(HeaderOf(ComposeReply(kJson, reply, false, nullptr), "content-encoding"), "(none)");
  const HttpResponse packed = ComposeReply(kJson, reply, true, nullptr);
  EXPECT_EQ(HeaderOf(packed, "content-encoding"), "gzip");
  ASSERT_OK_AND_ASSIGN(const std::string back, Gunzip(packed.body, 10'000));
  EXPECT_EQ(back, reply.message);
  reply.message = "short";
  EXPECT_EQ(HeaderOf(ComposeReply(kJson, reply, true, nullptr), "content-encoding"), "(none)");
}

TEST(ComposeTest, WritesConnectErrorsAsJsonWithDetails) {
  const DetailRenderer render = [](absl::string_view type_url, const std::string&) -> std::optional<std::string> {
    EXPECT_EQ(type_url, "type.googleapis.com/google.rpc.BadRequest");
    return "{\"fieldViolations\":[]}";
  };
  // Also for a caller that speaks binary.
  const HttpResponse response = ComposeReply(kProto, ErrorReply(), false, render);
  EXPECT_EQ(response.status, 400);
  EXPECT_EQ(HeaderOf(response, "content-type"), "application/json");
  EXPECT_EQ(HeaderOf(response, "x-trace"), "t");
  const auto error = nlohmann::json::parse(response.body);
  EXPECT_EQ(error["code"], "invalid_argument");
  EXPECT_EQ(error["message"], "page_size: must not be negative, 5 % \xc3\xa9");
  ASSERT_EQ(error["details"].size(), 1);
  EXPECT_EQ(error["details"][0]["type"], "google.rpc.BadRequest");
  EXPECT_TRUE(error["details"][0]["debug"].contains("fieldViolations"));
  std::string value;
  ASSERT_TRUE(absl::Base64Unescape(error["details"][0]["value"].get<std::string>(), &value));
  google::rpc::BadRequest bad_request;
  ASSERT_TRUE(bad_request.ParseFromString(value));
  EXPECT_EQ(bad_request.field_violations(0).field(), "page_size");
}

TEST(ComposeTest, WritesValidJsonWhateverTheMessageAndDetailsHold) {
  RpcReply reply;
  reply.code = absl::StatusCode::kInternal;
  reply.error_message = "broken \xff\xfe \x01 \" \\";
  reply.error_details = "no status at all";
  const HttpResponse response = ComposeReply(kJson, reply, false, nullptr);
  const auto error = nlohmann::json::parse(response.body);
  EXPECT_EQ(error["code"], "internal");
  EXPECT_FALSE(error.contains("details"));
}

TEST(ComposeTest, GivesGrpcWebTwoFrames) {
  RpcReply reply;
  reply.message = "abc";
  reply.trailing_metadata = {{"x-three", "3"}};
  const std::string expected = Frame(0, "abc") + Frame(0x80, "grpc-status: 0\r\nx-three: 3\r\n");
  const HttpResponse binary = ComposeReply(kWeb, reply, false, nullptr);
  EXPECT_EQ(binary.status, 200);
  EXPECT_EQ(HeaderOf(binary, "content-type"), "application/grpc-web+proto");
  EXPECT_EQ(binary.body, expected);
  const HttpResponse text = ComposeReply(kWebText, reply, false, nullptr);
  EXPECT_EQ(HeaderOf(text, "content-type"), "application/grpc-web-text+proto");
  EXPECT_EQ(text.body, absl::Base64Escape(expected));
}

TEST(ComposeTest, CompressesGrpcWebByFrame) {
  RpcReply reply;
  reply.message = std::string(5000, 'x');
  const HttpResponse response = ComposeReply(kWeb, reply, true, nullptr);
  EXPECT_EQ(HeaderOf(response, "grpc-encoding"), "gzip");
  EXPECT_EQ(response.body.substr(0, Frame(1, Gzip(reply.message)).size()), Frame(1, Gzip(reply.message)));
}

TEST(ComposeTest, PutsGrpcWebErrorsIntoTheTrailerFrame) {
  const HttpResponse response = ComposeReply(kWeb, ErrorReply(), false, nullptr);
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body[0], '\x80');
  EXPECT_THAT(response.body, HasSubstr("grpc-status: 3\r\n"));
  EXPECT_THAT(response.body, HasSubstr("grpc-message: page_size: must not be negative, 5 %25 %C3%A9\r\n"));
  EXPECT_THAT(response.body, HasSubstr("grpc-status-details-bin: "));
  EXPECT_THAT(response.body, HasSubstr("x-trace: t\r\n"));
}

TEST(CodeTest, HasAnHttpStatusForEachCode) {
  EXPECT_EQ(HttpStatusOf(absl::StatusCode::kCancelled), 499);
  EXPECT_EQ(HttpStatusOf(absl::StatusCode::kNotFound), 404);
  EXPECT_EQ(HttpStatusOf(absl::StatusCode::kFailedPrecondition), 400);
  EXPECT_EQ(HttpStatusOf(absl::StatusCode::kResourceExhausted), 429);
  EXPECT_EQ(HttpStatusOf(absl::StatusCode::kUnavailable), 503);
  EXPECT_EQ(HttpStatusOf(absl::StatusCode::kDeadlineExceeded), 504);
  EXPECT_EQ(CodeName(absl::StatusCode::kCancelled), "canceled");
  EXPECT_EQ(CodeName(static_cast<absl::StatusCode>(77)), "unknown");
}

TEST(AcceptEncodingTest, CountsAQualityOfZeroAsNo) {
  EXPECT_TRUE(AcceptsGzip("gzip, deflate, br"));
  EXPECT_TRUE(AcceptsGzip("deflate, GZIP;q=0.1"));
  EXPECT_FALSE(AcceptsGzip("gzip;q=0"));
  EXPECT_FALSE(AcceptsGzip("gzip; q=0.0, br"));
  EXPECT_FALSE(AcceptsGzip("br, xgzip"));
  EXPECT_FALSE(AcceptsGzip(""));
}

// Any bytes at all lead to a result or a status: the seed is fixed, so a failure can be repeated.
TEST(RobustnessTest, TakesAnyBytes) {
  std::mt19937 random(20240611);
  const std::vector<std::string> seeds = {
      "encoding=json&base64=1&compression=gzip&message=" + absl::WebSafeBase64Escape(Gzip("{\"query\":\"gas\"}")),
      "connect=v1&encoding=proto&message=%0A%03gas",
      Frame(1, Gzip("some message")),
      Frame(0, "some message"),
      absl::Base64Escape(Frame(0, "some message")),
      Gzip(std::string(3000, 'y'))};
  const HttpHeaders headers = {{"grpc-encoding", "gzip"}, {"content-encoding", "gzip"}};
  for (int round = 0; round < 20000; ++round) {
    std::string input = seeds[random() % seeds.size()];
    for (auto changes = random() % 6; changes > 0 && !input.empty(); --changes) {
      const size_t at = random() % input.size();
      switch (random() % 3) {
        case 0:
          input[at] = static_cast<char>(random());
          break;
        case 1:
          input.erase(at, 1 + random() % 4);
          break;
        default:
          input.insert(at, 1, static_cast<char>(random()));
      }
    }
    for (const absl::StatusOr<RpcRequest>& result :
         {ParseGet(input, headers, kLimit), ParsePost(kJson, headers, input, kLimit),
          ParsePost(kWeb, headers, input, kLimit), ParsePost(kWebText, headers, input, kLimit)}) {
      if (result.ok()) {
        ASSERT_LE(result->message.size(), kLimit);
      }
    }
    static_cast<void>(ParseContentType(input));
    static_cast<void>(MetadataFromHeaders({{"x-any", input}, {"x-any-bin", input}}));
    RpcReply reply;
    reply.code = absl::StatusCode::kInternal;
    reply.error_message = input;
    reply.error_details = input;
    ASSERT_TRUE(nlohmann::json::accept(ComposeReply(kJson, reply, true, nullptr).body));
  }
}

}  // namespace
}  // namespace dateline::web_gateway
