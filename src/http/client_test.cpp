// The client against scripted servers: what it sends, what it keeps, and that no server can make it
// hang, crash or take more than its limits.

#include "http/client.h"

#include <gmock/gmock.h>

#include <chrono>
#include <string>
#include <thread>

#include "support/loopback_server.h"

namespace edgelm::http {
namespace {

using std::chrono::milliseconds;
using test::Exchange;
using test::HttpRequest;
using test::LoopbackServer;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

Request get(std::string url) {
  Request request;
  request.url = std::move(url);
  return request;
}

// Whatever happens, a test of a silent server is over soon.
Request impatient(std::string url) {
  Request request = get(std::move(url));
  request.idle_timeout = milliseconds(60);
  return request;
}

LoopbackServer::Handler answering(std::string raw, bool close) {
  return [raw = std::move(raw), close](const HttpRequest&, Exchange& exchange) {
    exchange.send(raw);
    if (close) exchange.close();
  };
}

TEST(HttpClient, FetchesWithHeadersAndBody) {
  LoopbackServer server([](const HttpRequest&, Exchange& exchange) {
    exchange.respond(201, "hello", "text/plain", {{"X-Answer", "yes"}});
  });
  Request request = get(server.url("/a/b?c=d"));
  request.method = "POST";
  request.headers = {{"Authorization", "Bearer x"}};
  request.body = "the body";
  const auto response = fetch(request);
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->status, 201);
  EXPECT_EQ(response->body, "hello");
  EXPECT_EQ(response->header("x-answer"), "yes");
  EXPECT_EQ(response->header("absent"), "");
  EXPECT_EQ(response->url, server.url("/a/b?c=d"));
  ASSERT_THAT(server.requests(), SizeIs(1));
  const HttpRequest sent = server.requests()[0];
  EXPECT_EQ(sent.method, "POST");
  EXPECT_EQ(sent.target, "/a/b?c=d");
  EXPECT_EQ(sent.body, "the body");
  EXPECT_EQ(sent.header("authorization"), "Bearer x");
  EXPECT_EQ(sent.header("host"), "127.0.0.1:" + std::to_string(server.port()));
}

TEST(HttpClient, StatusesAreResponses) {
  for (const int status : {204, 304, 404, 500, 503}) {
    LoopbackServer server([&](const HttpRequest&, Exchange& exchange) {
      exchange.send("HTTP/1.1 " + std::to_string(status) + " x\r\ncontent-length: 0\r\n\r\n");
    });
    const auto response = fetch(get(server.url()));
    ASSERT_TRUE(response) << response.error().message;
    EXPECT_EQ(response->status, status);
  }
}

TEST(HttpClient, NamesAClosedPort) {
  const std::string url = "http://127.0.0.1:" + std::to_string(test::free_port());
  const auto response = fetch(get(url + "/v1?key=secret"));
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, ErrorCode::kIo);
  EXPECT_EQ(response.error().message, url + ": nobody listens (connection refused)");
}

TEST(HttpClient, NamesAnUnknownHost) {
  const auto response = fetch(get("http://no-such-host.invalid/"));
  ASSERT_FALSE(response);
  EXPECT_THAT(response.error().message, HasSubstr("no-such-host.invalid"));
}

// Every cut of a chunked answer gives the same body: with an empty one, the last chunk comes in
// pieces too, which trips an assert inside Beast.
TEST(HttpClient, ReadsAnswersCutAnywhere) {
  for (const std::string body :
       {"5\r\nhello\r\n1;x=y\r\n!\r\n0\r\nTrailer: 1\r\n\r\n", "0\r\n\r\n"}) {
    const std::string raw = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + body;
    LoopbackServer server([&](const HttpRequest&, Exchange& exchange) {
      for (const char c : raw) exchange.send({&c, 1});
    });
    const auto response = fetch(get(server.url()));
    ASSERT_TRUE(response) << response.error().message;
    EXPECT_EQ(response->body, body.starts_with("5") ? "hello!" : "");
    EXPECT_THAT(response->headers, SizeIs(1));
  }
}

TEST(HttpClient, ReadsABodyThatEndsWithTheConnection) {
  LoopbackServer server(answering("HTTP/1.0 200 OK\r\n\r\nall of it", true));
  const auto response = fetch(get(server.url()));
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->body, "all of it");
}

TEST(HttpClient, SkipsInterimAnswers) {
  LoopbackServer server(answering(
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok", false));
  const auto response = fetch(get(server.url()));
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->body, "ok");
}

TEST(HttpClient, ReportsAnswersThatAreCutOff) {
  const std::string cases[][2] = {
      {"", "closed the connection without an answer"},
      {"HTTP/1.1 200", "cut off in the header"},
      {"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nfour", "4 bytes of the body"},
      {"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhel", "3 bytes of the body"},
      {"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n",
       "cut off in the body"}};
  for (const auto& [raw, message] : cases) {
    LoopbackServer server(answering(raw, true));
    const auto response = fetch(get(server.url("/p?token=secret")));
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().code, ErrorCode::kIo);
    EXPECT_THAT(response.error().message,
                AllOf(HasSubstr(message), HasSubstr(server.url("/p")), Not(HasSubstr("secret"))));
  }
}

TEST(HttpClient, ReportsAReset) {
  LoopbackServer server([](const HttpRequest&, Exchange& exchange) {
    exchange.send("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nfour");
    exchange.wait_for_release();
    exchange.reset();
  });
  const auto response = stream(get(server.url()), [&](std::string_view) {
    server.release();
    return true;
  });
  ASSERT_FALSE(response);
  EXPECT_THAT(response.error().message, HasSubstr("cut off after 4 bytes"));
}

TEST(HttpClient, RefusesWhatIsNotHttp) {
  for (const std::string raw :
       {"SSH-2.0-OpenSSH_9.2\r\n\r\n", "HTTP/1.1 abc OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nno colon\r\n\r\n", "HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 99999999999999999999\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabcde\r\n"}) {
    LoopbackServer server(answering(raw, true));
    const auto response = fetch(get(server.url()));
    ASSERT_FALSE(response) << raw;
    EXPECT_EQ(response.error().code, ErrorCode::kFormat) << raw;
    EXPECT_THAT(response.error().message, HasSubstr("not HTTP/1.1")) << raw;
  }
}

TEST(HttpClient, SuspectsTls) {
  LoopbackServer server(answering("\x15\x03\x01\x02\x02\r\n\r\n", true));
  const auto response = fetch(get(server.url()));
  ASSERT_FALSE(response);
  EXPECT_THAT(response.error().message, HasSubstr("with https:// perhaps?"));
}

TEST(HttpClient, LimitsHeaders) {
  LoopbackServer server([](const HttpRequest&, Exchange& exchange) {
    exchange.send("HTTP/1.1 200 OK\r\n");
    while (exchange.send("x-more: of the same, without end\r\n")) {
    }
  });
  const auto response = fetch(get(server.url()));
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, ErrorCode::kLimit);
}

TEST(HttpClient, LimitsChunkHeaders) {
  LoopbackServer server([](const HttpRequest&, Exchange& exchange) {
    exchange.send("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1;x=");
    while (exchange.send("yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy")) {
    }
  });
  const auto response = fetch(get(server.url()));
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, ErrorCode::kLimit);
}

TEST(HttpClient, LimitsBodies) {
  for (const std::string head : {"content-length: 11\r\n\r\n", "transfer-encoding: chunked\r\n\r\n",
                                 "connection: close\r\n\r\n"}) {
    LoopbackServer server([&](const HttpRequest&, Exchange& exchange) {
      exchange.send("HTTP/1.1 200 OK\r\n" + head);
      if (head.starts_with("content-length")) return;  // refused before the body comes
      while (exchange.chunk("endless")) {  // with "close" its framing is part of the body
      }
    });
    Request request = get(server.url());
    request.max_body_bytes = 10;
    const auto response = fetch(request);
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().code, ErrorCode::kLimit);
    EXPECT_THAT(response.error().message, HasSubstr("larger than 10 bytes"));
  }
}

TEST(HttpClient, GivesUpOnSilentServers) {
  const std::string cases[][2] = {{"", "no answer within 0.06 s"},
                                  {"HTTP/1.1 200 OK\r\n", "no answer within 0.06 s"},
                                  {"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nab",
                                   "nothing more came for 0.06 s, after 2 bytes"}};
  for (const auto& [raw, message] : cases) {
    LoopbackServer server([raw = raw](const HttpRequest&, Exchange& exchange) {
      exchange.send(raw);
      exchange.wait_for_client();
    });
    Request request = impatient(server.url());
    if (raw.ends_with("ab")) request.first_byte_timeout = milliseconds(20'000);
    const auto response = fetch(request);
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().code, ErrorCode::kIo);
    EXPECT_THAT(response.error().message, HasSubstr(message));
  }
}

// Bytes that keep coming are no reason to wait for ever.
TEST(HttpClient, TotalTimeoutEndsATrickle) {
  LoopbackServer server([](const HttpRequest&, Exchange& exchange) {
    exchange.begin_chunks(200, "text/plain");
    while (exchange.chunk(".") && exchange.wait_ms(5)) {
    }
  });
  Request request = get(server.url());
  request.total_timeout = milliseconds(80);
  const auto response = fetch(request);
  ASSERT_FALSE(response);
  EXPECT_THAT(response.error().message, HasSubstr("not done within 0.08 s in all"));
}

TEST(HttpClient, FirstByteHasItsOwnTimeout) {
  LoopbackServer server([](const HttpRequest&, Exchange& exchange) {
    exchange.wait_ms(120);
    exchange.respond(200, "late");
  });
  Request request = impatient(server.url());
  request.first_byte_timeout = milliseconds(20'000);
  const auto response = fetch(request);
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->body, "late");
}

TEST(HttpClient, CanBeCancelledWhileWaiting) {
  LoopbackServer server([](const HttpRequest&, Exchange& exchange) { exchange.wait_for_client(); });
  Request request = get(server.url());
  request.cancelled = [&] { return !server.requests().empty(); };
  const auto response = fetch(request);
  ASSERT_FALSE(response);
  EXPECT_THAT(response.error().message, HasSubstr("interrupted"));
}

TEST(HttpClient, StreamsPiecesAsTheyArrive) {
  LoopbackServer server([](const HttpRequest&, Exchange& exchange) {
    exchange.begin_chunks();
    for (const char* piece : {"one", "two", "three"}) {
      exchange.chunk(piece);
      exchange.wait_for_release();  // the next comes only after this one was handed on
    }
    exchange.end_chunks();
  });
  std::vector<std::string> pieces;
  const auto response = stream(get(server.url()), [&](std::string_view piece) {
    pieces.emplace_back(piece);
    server.release();
    return true;
  });
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_THAT(pieces, ::testing::ElementsAre("one", "two", "three"));
  EXPECT_EQ(response->body, "");
}

TEST(HttpClient, StreamStopsWhenTold) {
  LoopbackServer server([](const HttpRequest&, Exchange& exchange) {
    exchange.begin_chunks();
    while (exchange.chunk("more")) {
    }
  });
  int pieces = 0;
  const auto response = stream(get(server.url()), [&](std::string_view) { return ++pieces < 3; });
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(pieces, 3);
}

TEST(HttpClient, StreamKeepsTheBodiesOfErrors) {
  LoopbackServer server(
      [](const HttpRequest&, Exchange& exchange) { exchange.respond(429, "slow down"); });
  const auto response = stream(get(server.url()), [](std::string_view) -> bool {
    ADD_FAILURE();
    return true;
  });
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->status, 429);
  EXPECT_EQ(response->body, "slow down");
}

// The server closes while it is written to: an error or its answer, not SIGPIPE.
TEST(HttpClient, SurvivesAServerThatClosesWhileSending) {
  LoopbackServer server([](const HttpRequest&, Exchange& exchange) { exchange.reset(); });
  Request request = get(server.url());
  request.method = "POST";
  request.headers = {{"content-type", "text/plain"}};
  request.body = std::string(std::size_t{8} << 20, 'x');
  const auto response = fetch(request);
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, ErrorCode::kIo);
}

TEST(HttpClient, RefusesRequestsThatBreakTheMessage) {
  Request request = get("http://127.0.0.1:1/");
  request.headers = {{"x", "a\r\nevil: 1"}};
  EXPECT_EQ(fetch(request).error().code, ErrorCode::kUsage);
  request.headers = {{"x\r\ny", "a"}};
  EXPECT_EQ(fetch(request).error().code, ErrorCode::kUsage);
  request.headers = {};
  request.method = "GET / HTTP/1.1\r\n";
  EXPECT_EQ(fetch(request).error().code, ErrorCode::kUsage);
}

}  // namespace
}  // namespace edgelm::http
