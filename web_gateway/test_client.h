// For tests: an HTTP client that sends what it is told, byte by byte, and reads what comes.
#ifndef DATELINE_WEB_GATEWAY_TEST_CLIENT_H_
#define DATELINE_WEB_GATEWAY_TEST_CLIENT_H_

#include <sys/socket.h>
#include <sys/time.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

#include "web_gateway/http_message.h"

namespace dateline::web_gateway {

// One connection to 127.0.0.1. Every wait ends after 20 seconds with an error. Not thread-safe.
class TestClient {
 public:
  explicit TestClient(uint16_t port) : socket_(context_) {
    boost::system::error_code error;
    socket_.connect({boost::asio::ip::make_address("127.0.0.1"), port}, error);
    const timeval timeout = {20, 0};
    ::setsockopt(socket_.native_handle(), SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
  }

  // Returns false once the other end no longer takes bytes.
  bool Send(absl::string_view bytes) {
    boost::system::error_code error;
    boost::asio::write(socket_, boost::asio::buffer(bytes.data(), bytes.size()), error);
    return !error;
  }

  // Reads one response; status 0 where none came.
  HttpResponse Read(bool head = false) {
    boost::beast::http::response_parser<boost::beast::http::string_body> parser;
    parser.body_limit(1ULL << 30U);
    parser.skip(head);
    boost::system::error_code error;
    boost::beast::http::read(socket_, buffer_, parser, error);
    HttpResponse response;
    if (error) {
      response.status = 0;
      response.body = error.message();
      return response;
    }
    response.status = parser.get().result_int();
    for (const auto& field : parser.get()) {
      response.headers.push_back({std::string(field.name_string()), std::string(field.value())});
    }
    response.body = parser.get().body();
    return response;
  }

  HttpResponse Send(absl::string_view verb, absl::string_view target, const HttpHeaders& headers = {},
                    absl::string_view body = "") {
    std::string request = absl::StrCat(verb, " ", target, " HTTP/1.1\r\nHost: test\r\n");
    for (const HttpHeader& header : headers) {
      absl::StrAppend(&request, header.name, ": ", header.value, "\r\n");
    }
    if (!body.empty() || verb == "POST") {
      absl::StrAppend(&request, "Content-Length: ", body.size(), "\r\n");
    }
    Send(absl::StrCat(request, "\r\n", body));
    return Read(verb == "HEAD");
  }

  // Whether the other end has closed; waits for bytes or the end.
  bool ReadsEnd() {
    char byte = 0;
    boost::system::error_code error;
    socket_.read_some(boost::asio::buffer(&byte, 1), error);
    return error == boost::asio::error::eof || error == boost::asio::error::connection_reset;
  }

  // Says that nothing more will be sent; answers can still be read.
  void CloseSendingHalf() {
    boost::system::error_code ignored;
    socket_.shutdown(boost::asio::ip::tcp::socket::shutdown_send, ignored);
  }

  void Close() {
    boost::system::error_code ignored;
    socket_.close(ignored);
  }

 private:
  boost::asio::io_context context_;
  boost::asio::ip::tcp::socket socket_;
  boost::beast::flat_buffer buffer_;
};

}  // namespace dateline::web_gateway

#endif  // DATELINE_WEB_GATEWAY_TEST_CLIENT_H_
