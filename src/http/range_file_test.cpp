// The start of a file by Range requests, from servers that do as asked and servers that do not.

#include "http/range_file.h"

#include <gmock/gmock.h>

#include <cstdlib>
#include <string>

#include "support/loopback_server.h"

namespace edgelm::http {
namespace {

using test::Exchange;
using test::HttpRequest;
using test::LoopbackServer;
using ::testing::HasSubstr;
using ::testing::SizeIs;

std::string numbered_bytes(std::size_t n) {
  std::string bytes(n, '\0');
  for (std::size_t i = 0; i < n; ++i) bytes[i] = static_cast<char>(i * 31 + i / 256);
  return bytes;
}

LoopbackServer::Handler serving(const std::string& file) {
  return [&file](const HttpRequest& request, Exchange& exchange) {
    exchange.respond_range(request, file);
  };
}

TEST(RangeFile, GrowsAndFetchesNothingTwice) {
  const std::string content = numbered_bytes(10'000);
  LoopbackServer server(serving(content));
  RangeFile file(server.url("/model.gguf"));
  ASSERT_TRUE(file.need(1000));
  EXPECT_EQ(file.bytes(), content.substr(0, 1000));
  EXPECT_EQ(file.file_bytes(), 10'000u);
  ASSERT_TRUE(file.need(500));
  ASSERT_TRUE(file.need(4000));
  EXPECT_EQ(file.bytes(), content.substr(0, 4000));
  EXPECT_FALSE(file.whole());
  ASSERT_TRUE(file.need(1'000'000));
  EXPECT_EQ(file.bytes(), content);
  EXPECT_TRUE(file.whole());
  ASSERT_TRUE(file.need(2'000'000));
  ASSERT_THAT(server.requests(), SizeIs(3));
  EXPECT_EQ(server.requests()[1].header("range"), "bytes=1000-3999");
  EXPECT_EQ(server.requests()[2].header("range"), "bytes=4000-9999");
}

TEST(RangeFile, FollowsToAnotherHostWithoutCredentials) {
  const std::string content = numbered_bytes(100);
  LoopbackServer store([&](const HttpRequest& request, Exchange& exchange) {
    EXPECT_EQ(request.header("authorization"), "");
    serving(content)(request, exchange);
  });
  LoopbackServer hub([&](const HttpRequest& request, Exchange& exchange) {
    EXPECT_EQ(request.header("authorization"), "Bearer token");
    exchange.respond(302, "", "text/plain", {{"Location", store.url("/blob?signature=1")}});
  });
  RangeFile file(hub.url("/f"), {{"authorization", "Bearer token"}});
  ASSERT_TRUE(file.need(10));
  ASSERT_TRUE(file.need(20));
  EXPECT_EQ(file.bytes(), content.substr(0, 20));
  EXPECT_THAT(hub.requests(), SizeIs(2));
}

TEST(RangeFile, LeavesAServerThatSendsTheWholeFile) {
  bool gone = false;
  LoopbackServer server([&](const HttpRequest&, Exchange& exchange) {
    exchange.send("HTTP/1.1 200 OK\r\ncontent-length: 9000000000\r\n\r\n");
    const std::string piece(100'000, 'x');
    while (exchange.send(piece)) {
    }
    gone = true;
  });
  RangeFile file(server.url());
  ASSERT_TRUE(file.need(1'000'000));
  EXPECT_THAT(file.bytes(), SizeIs(1'000'000));
  EXPECT_EQ(file.file_bytes(), 9'000'000'000u);
}

TEST(RangeFile, TakesASmallFileWhole) {
  LoopbackServer server([](const HttpRequest&, Exchange& exchange) {
    exchange.begin_chunks(200, "application/octet-stream");
    exchange.chunk("small");
    exchange.end_chunks();
  });
  RangeFile file(server.url());
  ASSERT_TRUE(file.need(1'000'000));
  EXPECT_EQ(file.bytes(), "small");
  EXPECT_TRUE(file.whole());
}

TEST(RangeFile, RefusesPartsThatAreNotWhatWasAskedFor) {
  for (const char* range :
       {"", "bytes 5-9/100", "bytes 0-8/100", "bytes 0-9/*", "bytes */100", "bytes 0-9/5",
        "bytes 9-0/100", "items 0-9/100", "bytes 0-9", "bytes 0-9/99999999999999999999"}) {
    LoopbackServer server([&](const HttpRequest&, Exchange& exchange) {
      exchange.respond(206, "0123456789", "application/octet-stream", {{"Content-Range", range}});
    });
    RangeFile file(server.url());
    const Status status = file.need(10);
    ASSERT_FALSE(status) << range;
    EXPECT_EQ(status.error().code, ErrorCode::kFormat) << range;
  }
  // Less than was asked for, though there is more.
  LoopbackServer mean([](const HttpRequest&, Exchange& exchange) {
    exchange.respond(206, "01234", "application/octet-stream",
                     {{"Content-Range", "bytes 0-4/100"}});
  });
  EXPECT_THAT(RangeFile(mean.url()).need(10).error().message, HasSubstr("got only 5"));
  // More than was asked for.
  LoopbackServer lavish([](const HttpRequest&, Exchange& exchange) {
    exchange.respond(206, std::string(20, 'x'), "application/octet-stream",
                     {{"Content-Range", "bytes 0-19/100"}});
  });
  EXPECT_EQ(RangeFile(lavish.url()).need(10).error().code, ErrorCode::kLimit);
}

TEST(RangeFile, NoticesAFileThatChanges) {
  std::string content = numbered_bytes(100);
  LoopbackServer server(
      [&](const HttpRequest& request, Exchange& exchange) { serving(content)(request, exchange); });
  RangeFile file(server.url());
  ASSERT_TRUE(file.need(10));
  content = numbered_bytes(90);
  const Status status = file.need(20);
  ASSERT_FALSE(status);
  EXPECT_THAT(status.error().message, HasSubstr("changed while it was read"));
}

TEST(RangeFile, NamesOtherStatuses) {
  const std::pair<int, ErrorCode> cases[] = {{404, ErrorCode::kNotFound},
                                             {401, ErrorCode::kPermission},
                                             {416, ErrorCode::kIo},
                                             {500, ErrorCode::kIo}};
  for (const auto& [status, code] : cases) {
    LoopbackServer server([status = status](const HttpRequest&, Exchange& exchange) {
      exchange.respond(status, "");
    });
    const Status result = RangeFile(server.url()).need(10);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, code);
    EXPECT_THAT(result.error().message, HasSubstr(std::to_string(status)));
  }
}

}  // namespace
}  // namespace edgelm::http
