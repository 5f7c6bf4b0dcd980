#include "web_gateway/http_server.h"

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/mutex.h"
#include "tests/support/status_matchers.h"
#include "web_gateway/test_client.h"

namespace dateline::web_gateway {
namespace {

using ::dateline::testing::StatusIs;
using ::testing::HasSubstr;

std::string HeaderOf(const HttpResponse& response, absl::string_view name) {
  return std::string(FindHeader(response.headers, name).value_or("(none)"));
}

// Says back what it heard; `/slow` waits for `release`, `/later` for a moment.
class EchoHandler final : public HttpHandler {
 public:
  Cancel Handle(HttpRequest request, Responder respond) override {
    const bool slow = request.target == "/slow";
    const bool later = request.target == "/later";
    auto answer = [request = std::move(request), respond = std::move(respond)] {
      respond([request] {
        HttpResponse response;
        response.status = request.target == "/nothing" ? 204 : 200;
        response.headers.push_back({"X-Header", std::string(FindHeader(request.headers, "x-header").value_or("-"))});
        response.body = absl::StrCat(request.method, " ", request.target, " ", request.body.size());
        return response;
      });
    };
    if (later) {
      const common::MutexLock lock(mutex_);
      late_.emplace_back([answer = std::move(answer)] {
        absl::SleepFor(absl::Milliseconds(1));
        answer();
      });
      return [] {};
    }
    if (!slow) {
      answer();
      return [] {};
    }
    arrived.Notify();
    waiter_ = std::thread([this, answer = std::move(answer)] {
      release.WaitForNotification();
      answer();
    });
    return [this] {
      cancelled.Notify();
      release.Notify();
    };
  }
  ~EchoHandler() override {
    if (waiter_.joinable()) {
      waiter_.join();
    }
    const common::MutexLock lock(mutex_);
    for (std::thread& thread : late_) {
      thread.join();
    }
  }

  absl::Notification arrived;
  absl::Notification release;
  absl::Notification cancelled;

 private:
  std::thread waiter_;
  common::Mutex mutex_;
  std::vector<std::thread> late_ ABSL_GUARDED_BY(mutex_);
};

struct Running {
  std::unique_ptr<EchoHandler> handler = std::make_unique<EchoHandler>();
  std::unique_ptr<HttpServer> server;
};

Running Start(HttpServer::Options options = {}) {
  Running running;
  options.listen = "127.0.0.1:0";
  auto server = HttpServer::Start(options, *running.handler);
  EXPECT_OK(server);
  running.server = *std::move(server);
  return running;
}

TEST(HttpServerTest, AnswersSeveralRequestsOnOneConnection) {
  const Running running = Start();
  TestClient client(running.server->port());
  EXPECT_EQ(client.Send("GET", "/a?b").body, "GET /a?b 0");
  const HttpResponse post = client.Send("POST", "/b", {{"X-Header", "v"}}, "12345");
  EXPECT_EQ(post.body, "POST /b 5");
  EXPECT_EQ(HeaderOf(post, "x-header"), "v");
  EXPECT_THAT(HeaderOf(post, "date"), HasSubstr("GMT"));
}

TEST(HttpServerTest, AnswersPipelinedRequestsInOrder) {
  const Running running = Start();
  TestClient client(running.server->port());
  client.Send("GET /1 HTTP/1.1\r\nHost: t\r\n\r\nGET /2 HTTP/1.1\r\nHost: t\r\n\r\nGET /3 HTTP/1.1\r\nHost: t\r\n\r\n");
  EXPECT_EQ(client.Read().body, "GET /1 0");
  EXPECT_EQ(client.Read().body, "GET /2 0");
  EXPECT_EQ(client.Read().body, "GET /3 0");
}

TEST(HttpServerTest, ClosesWhenTheClientAsksForIt) {
  const Running running = Start();
  TestClient client(running.server->port());
  EXPECT_EQ(HeaderOf(client.Send("GET", "/", {{"Connection", "close"}}), "connection"), "close");
  EXPECT_TRUE(client.ReadsEnd());
  TestClient old(running.server->port());
  old.Send("GET /old HTTP/1.0\r\n\r\n");
  EXPECT_EQ(old.Read().body, "GET /old 0");
  EXPECT_TRUE(old.ReadsEnd());
}

TEST(HttpServerTest, SendsNoBodyWhereThereIsNone) {
  const Running running = Start();
  TestClient client(running.server->port());
  const HttpResponse head = client.Send("HEAD", "/a");
  EXPECT_EQ(HeaderOf(head, "content-length"), "9");
  EXPECT_EQ(head.body, "");
  EXPECT_EQ(client.Send("GET", "/nothing").status, 204);
  EXPECT_EQ(client.Send("GET", "/b").body, "GET /b 0");
}

TEST(HttpServerTest, TakesChunkedBodiesAndExpectContinue) {
  const Running running = Start();
  TestClient client(running.server->port());
  client.Send("POST /c HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n");
  EXPECT_EQ(client.Read().body, "POST /c 7");
  client.Send("POST /d HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
  EXPECT_EQ(client.Read(/*head=*/true).status, 100);
  client.Send("xyz");
  EXPECT_EQ(client.Read().body, "POST /d 3");
}

TEST(HttpServerTest, SaysWhatIsWrongWithARequest) {
  HttpServer::Options options;
  options.max_header_bytes = 2000;
  options.max_body_bytes = 1000;
  const Running running = Start(options);
  const auto status = [&running](const std::string& bytes) {
    TestClient client(running.server->port());
    client.Send(bytes);
    const int result = client.Read().status;
    EXPECT_TRUE(client.ReadsEnd());
    return result;
  };
  EXPECT_EQ(status("this is no HTTP\r\n\r\n"), 400);
  EXPECT_EQ(status("GET / HTTP/9.9\r\n\r\n"), 400);
  constexpr char kTlsHello[] = "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 a TLS hello\r\n\r\n";
  EXPECT_EQ(status(std::string(kTlsHello, sizeof(kTlsHello) - 1)), 400);
  EXPECT_EQ(status("POST / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef"), 400);
  EXPECT_EQ(status("POST / HTTP/1.1\r\nContent-Length: -5\r\n\r\n"), 400);
  EXPECT_EQ(status("GET /" + std::string(3000, 'a') + " HTTP/1.1\r\n\r\n"), 431);
  EXPECT_EQ(status("GET / HTTP/1.1\r\nX: " + std::string(200'000, 'a')), 431);
  EXPECT_EQ(status("POST / HTTP/1.1\r\nContent-Length: 1001\r\n\r\n"), 413);
  EXPECT_EQ(status("POST / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n"), 400);
  EXPECT_EQ(status("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n800\r\n" + std::string(0x800, 'a')), 413);
}

TEST(HttpServerTest, LetsARefusedClientReadWhy) {
  HttpServer::Options options;
  options.max_body_bytes = 1000;
  const Running running = Start(options);
  TestClient client(running.server->port());
  // Goes on sending although it was refused, as curl does.
  client.Send(absl::StrCat("POST / HTTP/1.1\r\nContent-Length: 5000000\r\n\r\n", std::string(5'000'000, 'a')));
  const HttpResponse response = client.Read();
  EXPECT_EQ(response.status, 413) << response.body;
  EXPECT_THAT(response.body, HasSubstr("1000 bytes"));
}

TEST(HttpServerTest, CutsOffSlowHeadersAndBodiesAndIdleConnections) {
  HttpServer::Options options;
  options.header_timeout = absl::Milliseconds(100);
  options.transfer_timeout = absl::Milliseconds(100);
  options.idle_timeout = absl::Milliseconds(100);
  const Running running = Start(options);
  TestClient idle(running.server->port());
  TestClient slow_header(running.server->port());
  slow_header.Send("GET / HTTP/1.1\r\nX: ");
  TestClient slow_body(running.server->port());
  slow_body.Send("POST / HTTP/1.1\r\nContent-Length: 100\r\n\r\nabc");
  EXPECT_TRUE(idle.ReadsEnd());
  EXPECT_TRUE(slow_header.ReadsEnd());
  EXPECT_TRUE(slow_body.ReadsEnd());
}

TEST(HttpServerTest, CutsOffHeadersThatDripForEver) {
  HttpServer::Options options;
  options.header_timeout = absl::Milliseconds(200);
  const Running running = Start(options);
  TestClient client(running.server->port());
  client.Send("GET / HTTP/1.1\r\n");
  const absl::Time start = absl::Now();
  // Each byte comes well within the timeout; all of them together do not.
  while (client.Send("X") && absl::Now() - start < absl::Seconds(10)) {
    absl::SleepFor(absl::Milliseconds(10));
  }
  EXPECT_LT(absl::Now() - start, absl::Seconds(5));
}

TEST(HttpServerTest, TellsTheHandlerWhenTheClientLeaves) {
  const Running running = Start();
  TestClient client(running.server->port());
  client.Send("GET /slow HTTP/1.1\r\nHost: t\r\n\r\n");
  running.handler->arrived.WaitForNotification();
  client.Close();
  EXPECT_TRUE(running.handler->cancelled.WaitForNotificationWithTimeout(absl::Seconds(10)));
}

TEST(HttpServerTest, AnswersAClientThatClosedItsSendingHalf) {
  const Running running = Start();
  for (const char* connection : {"close", "keep-alive"}) {
    TestClient client(running.server->port());
    client.Send(absl::StrCat("GET /a HTTP/1.1\r\nHost: t\r\nConnection: ", connection, "\r\n\r\n"));
    client.CloseSendingHalf();
    HttpResponse response = client.Read();
    if (response.status == 100) {
      response = client.Read();
    }
    EXPECT_EQ(response.body, "GET /a 0");
    EXPECT_TRUE(client.ReadsEnd());
  }
  TestClient pipelined(running.server->port());
  pipelined.Send("GET /1 HTTP/1.1\r\nHost: t\r\n\r\nGET /2 HTTP/1.1\r\nHost: t\r\n\r\n");
  pipelined.CloseSendingHalf();
  for (const char* body : {"GET /1 0", "GET /2 0"}) {
    HttpResponse response = pipelined.Read();
    if (response.status == 100) {
      response = pipelined.Read();
    }
    EXPECT_EQ(response.body, body);
  }
  EXPECT_TRUE(pipelined.ReadsEnd());
}

TEST(HttpServerTest, AnswersASlowRequestOfAClientThatClosedItsSendingHalf) {
  for (const char* version : {"1.1", "1.0"}) {
    const Running running = Start();
    TestClient client(running.server->port());
    client.Send(absl::StrCat("GET /slow HTTP/", version, "\r\nHost: t\r\n\r\n"));
    running.handler->arrived.WaitForNotification();
    client.CloseSendingHalf();
    if (absl::string_view(version) == "1.1") {
      // By now the server knows, and has asked whether the client is there.
      EXPECT_EQ(client.Read().status, 100);
    }
    running.handler->release.Notify();
    EXPECT_EQ(client.Read().body, "GET /slow 0") << version;
    EXPECT_TRUE(client.ReadsEnd());
    EXPECT_FALSE(running.handler->cancelled.HasBeenNotified()) << version;
  }
}

// Descriptors come and go fast here, so what is heard of one must not be taken for another's.
TEST(HttpServerTest, AnswersManyClientsThatClosedTheirSendingHalves) {
  const Running running = Start();
  std::vector<std::thread> clients;
  std::atomic<int> unanswered = 0;
  for (int i = 0; i < 4; ++i) {
    clients.emplace_back([&] {
      for (int j = 0; j < 500; ++j) {
        TestClient client(running.server->port());
        client.Send("GET /later HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n");
        client.CloseSendingHalf();
        HttpResponse response = client.Read();
        if (response.status == 100) {
          response = client.Read();
        }
        if (response.body != "GET /later 0") {
          ++unanswered;
        }
      }
    });
  }
  for (std::thread& client : clients) {
    client.join();
  }
  EXPECT_EQ(unanswered, 0);
}

TEST(HttpServerTest, TakesTargetsInAbsoluteForm) {
  const Running running = Start();
  TestClient client(running.server->port());
  EXPECT_EQ(client.Send("GET", "http://news.example/a?b=c").body, "GET /a?b=c 0");
  EXPECT_EQ(client.Send("GET", "HTTPS://news.example:8443/a/b").body, "GET /a/b 0");
  EXPECT_EQ(client.Send("GET", "http://news.example").body, "GET / 0");
  EXPECT_EQ(client.Send("GET", "http://news.example?b=/c").body, "GET /?b=/c 0");
  EXPECT_EQ(client.Send("POST", "http://[::1]:80/p", {}, "123").body, "POST /p 3");
  // Only the form of the target counts, not what stands in a path or a query.
  EXPECT_EQ(client.Send("GET", "/http://news.example/a").body, "GET /http://news.example/a 0");
}

TEST(HttpServerTest, AnswersBusyBeyondTheConnectionLimit) {
  HttpServer::Options options;
  options.max_connections = 4;
  const Running running = Start(options);
  std::vector<std::unique_ptr<TestClient>> clients;
  for (int i = 0; i < 4; ++i) {
    clients.push_back(std::make_unique<TestClient>(running.server->port()));
  }
  // All four are in, since the last one has been answered.
  EXPECT_EQ(clients.back()->Send("GET", "/a").status, 200);
  TestClient fifth(running.server->port());
  const HttpResponse response = fifth.Read();
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(HeaderOf(response, "retry-after"), "1");
}

TEST(HttpServerTest, AnswersBusyWhenTooMuchIsHeld) {
  HttpServer::Options options;
  options.max_buffered_bytes = 100'000;
  const Running running = Start(options);
  TestClient client(running.server->port());
  EXPECT_EQ(client.Send("POST", "/", {}, std::string(500'000, 'a')).status, 503);
  TestClient next(running.server->port());
  EXPECT_EQ(next.Send("POST", "/", {}, std::string(50'000, 'a')).status, 200);
}

TEST(HttpServerTest, DrainsBeforeItStops) {
  Running running = Start();
  TestClient idle(running.server->port());
  EXPECT_EQ(idle.Send("GET", "/a").status, 200);
  TestClient busy(running.server->port());
  busy.Send("GET /slow HTTP/1.1\r\nHost: t\r\n\r\n");
  running.handler->arrived.WaitForNotification();
  std::thread stopper([&running] { running.server->Shutdown(absl::Seconds(20)); });
  EXPECT_TRUE(idle.ReadsEnd());
  running.handler->release.Notify();
  const HttpResponse response = busy.Read();
  EXPECT_EQ(response.body, "GET /slow 0");
  EXPECT_EQ(HeaderOf(response, "connection"), "close");
  stopper.join();
  EXPECT_FALSE(running.handler->cancelled.HasBeenNotified());
}

TEST(HttpServerTest, CancelsWhatDoesNotEndWithinTheGrace) {
  Running running = Start();
  TestClient busy(running.server->port());
  busy.Send("GET /slow HTTP/1.1\r\nHost: t\r\n\r\n");
  running.handler->arrived.WaitForNotification();
  running.server->Shutdown(absl::Milliseconds(20));
  EXPECT_TRUE(running.handler->cancelled.HasBeenNotified());
}

TEST(HttpServerTest, SaysThatAPortIsTakenAndAnAddressWrong) {
  const Running running = Start();
  EchoHandler handler;
  HttpServer::Options options;
  options.listen = absl::StrCat("127.0.0.1:", running.server->port());
  EXPECT_THAT(HttpServer::Start(options, handler),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("choose another port")));
  for (const char* listen : {"", "8080", "127.0.0.1:", "127.0.0.1:70000", "127.0.0.1:http", "no such host:80"}) {
    options.listen = listen;
    EXPECT_THAT(HttpServer::Start(options, handler), StatusIs(absl::StatusCode::kInvalidArgument)) << listen;
  }
}

}  // namespace
}  // namespace dateline::web_gateway
