// Connections that are kept between requests, and redirects.

#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <future>
#include <string>
#include <thread>

#include "http/client.h"
#include "support/loopback_server.h"

namespace edgelm::http {
namespace {

using test::Exchange;
using test::HttpRequest;
using test::LoopbackServer;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

Request get(std::string url, int max_redirects = 0) {
  Request request;
  request.url = std::move(url);
  request.max_redirects = max_redirects;
  return request;
}

void answer_ok(const HttpRequest& /*request*/, Exchange& exchange) { exchange.respond(200, "ok"); }

TEST(HttpConnection, IsKept) {
  LoopbackServer server(answer_ok);
  Connection connection;
  for (int i = 0; i < 3; ++i) {
    const auto response = connection.fetch(get(server.url()));
    ASSERT_TRUE(response) << response.error().message;
    EXPECT_EQ(response->body, "ok");
  }
  EXPECT_EQ(server.n_connections(), 1u);
}

TEST(HttpConnection, IsNotKeptWhenTheServerSaysSo) {
  LoopbackServer server([](const HttpRequest&, Exchange& exchange) {
    exchange.respond(200, "ok", "text/plain", {{"Connection", "close"}});
    exchange.close();
  });
  Connection connection;
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(connection.fetch(get(server.url())));
  EXPECT_EQ(server.n_connections(), 2u);
}

// What is left of an answer must not be read as the next one.
TEST(HttpConnection, IsNotKeptAfterAStoppedStream) {
  LoopbackServer server([](const HttpRequest& request, Exchange& exchange) {
    if (request.target == "/next") {
      exchange.respond(200, "next");
      return;
    }
    exchange.begin_chunks();
    while (exchange.chunk("HTTP/1.1 200 OK\r\n\r\n")) {
    }
  });
  Connection connection;
  ASSERT_TRUE(connection.stream(get(server.url()), [](std::string_view) { return false; }));
  const auto response = connection.fetch(get(server.url("/next")));
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->body, "next");
}

// "[DONE]" is the end for whoever reads events, and the server's last chunk follows on its heels.
TEST(HttpConnection, IsKeptAfterAStreamStoppedAtItsEnd) {
  LoopbackServer server([](const HttpRequest&, Exchange& exchange) {
    exchange.begin_chunks();
    exchange.event("x");
    exchange.event("[DONE]");
    exchange.end_chunks();
  });
  Connection connection;
  for (int i = 0; i < 2; ++i) {
    const auto response = connection.stream(get(server.url()), [&](std::string_view piece) {
      return piece.find("[DONE]") == std::string_view::npos;
    });
    ASSERT_TRUE(response) << response.error().message;
  }
  EXPECT_EQ(server.n_connections(), 1u);
}

TEST(HttpConnection, TellsWhenTheRequestWasSent) {
  LoopbackServer server(answer_ok);
  Connection connection;
  Request request = get(server.url());
  int sent = 0;
  request.on_sent = [&] { ++sent; };
  ASSERT_TRUE(connection.fetch(request));
  EXPECT_EQ(sent, 1);
}

// The server takes the second request on the kept connection and closes without a byte: that
// request is sent once more, on a new connection.
TEST(HttpConnection, RetriesOnceWhenTheKeptConnectionWasClosed) {
  LoopbackServer server([](const HttpRequest& request, Exchange& exchange) {
    if (request.connection == 0 && request.target == "/2") {
      exchange.close();
    } else {
      exchange.respond(200, request.body);
    }
  });
  Connection connection;
  ASSERT_TRUE(connection.fetch(get(server.url("/1"))));
  Request second = get(server.url("/2"));
  second.method = "POST";
  second.body = "again";
  const auto response = connection.fetch(second);
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->body, "again");
  EXPECT_THAT(server.requests(), SizeIs(3));
  EXPECT_EQ(server.n_connections(), 2u);
}

TEST(HttpConnection, DoesNotRetryANewConnectionOrAStartedAnswer) {
  LoopbackServer server([](const HttpRequest& request, Exchange& exchange) {
    if (request.target == "/ok") {
      exchange.respond(200, "ok");
      return;
    }
    if (request.target == "/started") exchange.send("HTTP/1.1 200 OK\r\n");
    exchange.close();
  });
  Connection connection;
  EXPECT_FALSE(connection.fetch(get(server.url("/closed"))));
  EXPECT_THAT(server.requests(), SizeIs(1));
  ASSERT_TRUE(connection.fetch(get(server.url("/ok"))));
  EXPECT_FALSE(connection.fetch(get(server.url("/started"))));
  EXPECT_THAT(server.requests(), SizeIs(3));
}

// A server that says goodbye on an idle connection (408) has not answered the next request.
TEST(HttpConnection, DropsAConnectionWithUnaskedBytes) {
  std::promise<void> late;
  LoopbackServer server([&](const HttpRequest& request, Exchange& exchange) {
    exchange.respond(200, request.target);
    if (request.connection > 0) return;
    exchange.wait_for_release();
    exchange.send("HTTP/1.1 408 Late\r\ncontent-length: 0\r\n\r\n");
    late.set_value();
  });
  Connection connection;
  ASSERT_TRUE(connection.fetch(get(server.url("/1"))));
  server.release();
  late.get_future().wait();
  const auto response = connection.fetch(get(server.url("/2")));
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(response->body, "/2");
}

TEST(HttpConnection, ChangesServers) {
  LoopbackServer one([](const HttpRequest&, Exchange& exchange) { exchange.respond(200, "one"); });
  LoopbackServer two([](const HttpRequest&, Exchange& exchange) { exchange.respond(200, "two"); });
  Connection connection;
  EXPECT_EQ(connection.fetch(get(one.url()))->body, "one");
  EXPECT_EQ(connection.fetch(get(two.url()))->body, "two");
  EXPECT_EQ(connection.fetch(get(one.url()))->body, "one");
}

// "localhost" is two addresses as a rule, and only one of them answers here.
TEST(HttpConnection, TriesEveryAddressOfAName) {
  LoopbackServer server(answer_ok);
  const auto response = fetch(get("http://localhost:" + std::to_string(server.port())));
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->body, "ok");
}

TEST(HttpConnection, SpeaksIpv6) {
  const int listener = ::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in6 address = {};
  address.sin6_family = AF_INET6;
  address.sin6_addr = in6addr_loopback;
  socklen_t size = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  if (listener < 0 || ::bind(listener, generic, size) != 0) GTEST_SKIP() << "no IPv6 here";
  ASSERT_EQ(::getsockname(listener, generic, &size), 0);
  ASSERT_EQ(::listen(listener, 1), 0);
  std::string host;
  std::thread thread([&] {
    const int fd = ::accept(listener, nullptr, nullptr);
    char bytes[4096];
    const ssize_t n = ::recv(fd, bytes, sizeof bytes, 0);
    if (n > 0) host.assign(bytes, static_cast<std::size_t>(n));
    const std::string answer = "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nsix";
    ::send(fd, answer.data(), answer.size(), MSG_NOSIGNAL);
    ::close(fd);
  });
  const std::string authority = "[::1]:" + std::to_string(ntohs(address.sin6_port));
  const auto response = fetch(get("http://" + authority));
  thread.join();
  ::close(listener);
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->body, "six");
  EXPECT_THAT(host, HasSubstr("host: " + authority));
}

TEST(HttpRedirect, FollowsToPathsAndServersWithoutCredentials) {
  LoopbackServer other([](const HttpRequest& request, Exchange& exchange) {
    exchange.respond(200, request.header("authorization").empty() ? "without" : "with");
  });
  LoopbackServer server([&](const HttpRequest& request, Exchange& exchange) {
    const std::string target = request.target == "/a/b"       ? "c?d=e"
                               : request.target == "/a/c?d=e" ? "/f"
                                                              : other.url("/g");
    exchange.respond(302, "moved", "text/plain", {{"Location", target}});
  });
  Request request = get(server.url("/a/b"), 3);
  request.headers = {{"Authorization", "Bearer secret"}};
  const auto response = fetch(request);
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->body, "without");
  EXPECT_EQ(response->url, other.url("/g"));
  ASSERT_THAT(server.requests(), SizeIs(3));
  for (const HttpRequest& sent : server.requests())
    EXPECT_EQ(sent.header("authorization"), "Bearer secret");
}

TEST(HttpRedirect, IsBounded) {
  LoopbackServer server([](const HttpRequest&, Exchange& exchange) {
    exchange.respond(307, "", "text/plain", {{"Location", "/again"}});
  });
  const auto response = fetch(get(server.url(), 4));
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, ErrorCode::kLimit);
  EXPECT_THAT(server.requests(), SizeIs(5));
}

TEST(HttpRedirect, IsAResponseUnlessAskedFor) {
  LoopbackServer server([](const HttpRequest&, Exchange& exchange) {
    exchange.respond(301, "", "text/plain", {{"Location", "/x"}});
  });
  EXPECT_EQ(fetch(get(server.url()))->status, 301);
  Request post = get(server.url(), 5);
  post.method = "POST";
  EXPECT_EQ(fetch(post)->status, 301);
}

TEST(HttpRedirect, RefusesBadTargets) {
  for (const char* target : {"ftp://x/", "http://user:secret@127.0.0.1/", "http://:80/"}) {
    LoopbackServer server([&](const HttpRequest&, Exchange& exchange) {
      exchange.respond(302, "", "text/plain", {{"Location", target}});
    });
    const auto response = fetch(get(server.url(), 5));
    ASSERT_FALSE(response);
    EXPECT_THAT(response.error().message,
                AllOf(HasSubstr("redirected to what is no URL"), Not(HasSubstr("secret"))));
  }
}

}  // namespace
}  // namespace edgelm::http
