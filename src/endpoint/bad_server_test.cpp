// Servers that refuse, break off, lie or never end: an error that says so, and what came is kept.

#include <gmock/gmock.h>

#include <chrono>

#include "endpoint/endpoint.h"
#include "endpoint/failure.h"
#include "os/clock.h"
#include "support/scripted_api.h"

namespace edgelm::endpoint {
namespace {

using test::Exchange;
using test::HttpRequest;
using test::LoopbackServer;
using test::ScriptedApi;
using test::streaming;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

constexpr const char* kPiece = R"({"choices": [{"delta": {"content": "x"}}]})";
constexpr const char* kEnd = R"({"choices": [{"delta": {}, "finish_reason": "stop"}]})";

Error error_of(const LoopbackServer::Handler& handler, Options options = {}) {
  ScriptedApi api(handler);
  const auto endpoint = api.connect(std::move(options));
  if (endpoint == nullptr) return {ErrorCode::kInternal, "not connected"};
  const auto answer = endpoint->chat({{"user", "Hi"}}, {.max_tokens = 4});
  return answer ? Error{ErrorCode::kInternal, "no error: " + answer->text} : answer.error();
}

TEST(BadServer, StatusAndMessageAreTold) {
  struct Case {
    int status;
    std::string body, type;
    ErrorCode code;
    std::string message;
  };
  const Case cases[] = {
      {400, R"({"error": {"message": "too many tokens", "type": "x"}})", "application/json",
       ErrorCode::kUsage, "400 Bad Request: too many tokens"},
      {404, R"({"error": "model 'm' not found"})", "application/json", ErrorCode::kNotFound,
       "404 Not Found: model 'm' not found"},
      {422, R"({"detail": [{"loc": ["body"], "msg": "field required"}]})", "application/json",
       ErrorCode::kUsage, "422 Unprocessable Content: field required"},
      {500, "<html><head><title>502 Bad\n Gateway</title></head><body>x</body></html>", "text/html",
       ErrorCode::kIo, "500 Internal Server Error: 502 Bad Gateway (an HTML page)"},
      {500, "oops\x1b[31m\r\nred", "text/plain", ErrorCode::kIo,
       "500 Internal Server Error: oops [31m red"},
      {403, "", "text/plain", ErrorCode::kPermission, "403 Forbidden; it may want an API key"},
      {418, R"([[[[[[["deep"]]]]]]])", "application/json", ErrorCode::kIo,
       "/chat/completions: 418"},
  };
  for (const Case& expected : cases) {
    const Error error = error_of([&](const HttpRequest&, Exchange& exchange) {
      exchange.respond(expected.status, expected.body, expected.type);
    });
    EXPECT_EQ(error.code, expected.code) << error.message;
    EXPECT_THAT(error.message, AllOf(HasSubstr(expected.message), Not(HasSubstr("\x1b"))));
  }
}

TEST(BadServer, LongMessagesAreCutAtACharacter) {
  std::string text;
  for (int i = 0; i < 400; ++i) text += "\xC3\xA9";
  const std::string line = printable_line(text, 101);
  EXPECT_LE(line.size(), 104u);
  EXPECT_THAT(line, ::testing::EndsWith("\xC3\xA9..."));
  EXPECT_EQ(printable_line("a\xC2\x9b"
                           "31m\x7f\xff"),
            "a\\u009b31m?\xEF\xBF\xBD");
}

TEST(BadServer, EventsOfWrongShape) {
  const std::string cases[][2] = {
      {"{not json", "not valid JSON"},
      {"[1]", "no JSON object"},
      {R"({"choices": 5})", "'choices': expected an array"},
      {R"({"choices": [5]})", "expected objects"},
      {R"({"choices": [{"delta": {"content": 5}}]})", "'content': expected a string, got 5"},
      {R"({"choices": [{"delta": {}, "finish_reason": []}]})",
       "'finish_reason': expected a string"},
      {R"({"error": {"message": "out of memory"}})", "the server broke off: out of memory"},
      {std::string(300, '['), "more than 64 levels"},
  };
  for (const auto& [event, message] : cases) {
    const Error error = error_of(streaming({kPiece, event, kEnd, "[DONE]"}));
    EXPECT_THAT(error.message, HasSubstr(message));
  }
}

TEST(BadServer, NumbersOfWrongTypeAreNotAvailable) {
  for (const char* usage : {R"("many")", R"({"prompt_tokens": "7", "completion_tokens": -1})",
                            R"({"prompt_tokens": 1e300, "completion_tokens": 1.5})",
                            R"({"prompt_tokens": 4294967296})"}) {
    ScriptedApi api(streaming({std::string(R"({"choices": [{"text": "a", "finish_reason": "stop",
        "logprobs": {"tokens": 1}}], "timings": {"prompt_ms": "x", "predicted_ms": -1}, "usage": )") +
                                   usage + "}",
                               "[DONE]"}));
    const auto endpoint = api.connect();
    ASSERT_NE(endpoint, nullptr);
    const auto answer = endpoint->complete("p", {});
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_FALSE(answer->prompt_tokens) << usage;
    EXPECT_FALSE(answer->completion_tokens) << usage;
    EXPECT_FALSE(answer->server_prefill_ms);
    EXPECT_FALSE(answer->server_decode_ms);
  }
}

TEST(BadServer, StreamThatStopsKeepsWhatCame) {
  for (const bool orderly : {true, false}) {
    ScriptedApi api([&](const HttpRequest&, Exchange& exchange) {
      exchange.begin_chunks();
      exchange.event(kPiece);
      exchange.event(kPiece);
      if (orderly) exchange.end_chunks();
      exchange.close();
    });
    const auto endpoint = api.connect();
    ASSERT_NE(endpoint, nullptr);
    const auto answer = endpoint->chat({{"user", "Hi"}}, {});
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, ErrorCode::kIo);
    EXPECT_THAT(answer.error().message, HasSubstr(orderly ? "stopped in the middle" : "cut off"));
    ASSERT_NE(endpoint->partial(), nullptr);
    EXPECT_EQ(endpoint->partial()->text, "xx");
    EXPECT_THAT(endpoint->partial()->piece_ns, SizeIs(2));
    EXPECT_GT(endpoint->partial()->start_ns, 0);
  }
}

TEST(BadServer, EndWithoutDoneIsAnEnd) {
  ScriptedApi api(streaming({kPiece, kEnd}));
  const auto endpoint = api.connect();
  ASSERT_NE(endpoint, nullptr);
  const auto answer = endpoint->chat({{"user", "Hi"}}, {});
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->text, "x");
  EXPECT_EQ(endpoint->partial(), nullptr);
}

TEST(BadServer, StreamWithoutEnd) {
  const Error error = error_of([](const HttpRequest&, Exchange& exchange) {
    exchange.begin_chunks();
    while (exchange.event(kPiece)) {
    }
  });
  EXPECT_EQ(error.code, ErrorCode::kLimit);
  EXPECT_THAT(error.message, HasSubstr("does not end"));
}

TEST(BadServer, LineWithoutEnd) {
  const Error error = error_of([](const HttpRequest&, Exchange& exchange) {
    exchange.begin_chunks();
    exchange.chunk("data: ");
    const std::string much(16384, 'x');
    while (exchange.chunk(much)) {
    }
  });
  EXPECT_EQ(error.code, ErrorCode::kLimit);
  EXPECT_THAT(error.message, HasSubstr("a line of more than"));
}

TEST(BadServer, WhatIsNoStream) {
  const Error page = error_of([](const HttpRequest&, Exchange& exchange) {
    exchange.respond(200, "<html><title>Welcome</title></html>", "text/html");
  });
  EXPECT_EQ(page.code, ErrorCode::kFormat);
  EXPECT_THAT(page.message,
              AllOf(HasSubstr("expected a stream of events, got text/html"), HasSubstr("Welcome")));
  const Error json = error_of([](const HttpRequest&, Exchange& exchange) {
    exchange.respond(200, R"({"error": {"message": "no streaming here"}})");
  });
  EXPECT_THAT(json.message,
              AllOf(HasSubstr("got application/json"), HasSubstr("no streaming here")));
  const Error empty = error_of([](const HttpRequest&, Exchange& exchange) {
    exchange.respond(200, "", "text/event-stream");
  });
  EXPECT_EQ(empty.code, ErrorCode::kFormat);
}

TEST(BadServer, OllamaThatMisbehaves) {
  const std::string cases[][2] = {
      {"{\"error\": \"model requires more system memory\"}\n", "requires more system memory"},
      {"{\"response\": 5}\n", "'response': expected a string"},
      {"not json\n", "not valid JSON"},
      {"[]\n", "no JSON object"},
      {"{\"response\": \"a\"}\n", "stopped in the middle, after 1 pieces"},
      {"{\"response\": \"a\", \"done\": tr", "not valid JSON"},
      {"", "expected a stream of JSON lines"},
      {std::string((1 << 20) + 1, 'x'), "a line of more than"}};
  for (const auto& [lines, message] : cases) {
    ScriptedApi api(
        [&](const HttpRequest&, Exchange& exchange) {
          exchange.respond(200, lines, "application/x-ndjson");
        },
        "library");
    const auto endpoint = api.connect();
    ASSERT_NE(endpoint, nullptr);
    const auto answer = endpoint->complete("p", {});
    ASSERT_FALSE(answer) << lines;
    EXPECT_THAT(answer.error().message, HasSubstr(message));
  }
}

TEST(BadServer, SilenceEnds) {
  const Error error = error_of(
      [](const HttpRequest&, Exchange& exchange) {
        exchange.begin_chunks();
        exchange.event(kPiece);
        exchange.wait_for_client();
      },
      {.timeout = std::chrono::milliseconds(700)});
  EXPECT_EQ(error.code, ErrorCode::kIo);
  EXPECT_THAT(error.message, HasSubstr("nothing more came for 0.7 s"));
}

TEST(BadServer, BytesWithoutTextAreSilence) {
  for (const bool comments : {true, false}) {
    ScriptedApi api([&](const HttpRequest&, Exchange& exchange) {
      exchange.begin_chunks();
      exchange.event(kPiece);
      if (!comments) exchange.chunk("data: ");
      while (exchange.chunk(comments ? ": ping\n\n" : "x") && exchange.wait_ms(20)) {
      }
    });
    const auto endpoint = api.connect({.timeout = std::chrono::milliseconds(300)});
    ASSERT_NE(endpoint, nullptr);
    const std::int64_t begin = os::now_ns();
    const auto answer = endpoint->chat({{"user", "Hi"}}, {.max_tokens = 4});
    EXPECT_LT(os::ns_to_s(os::now_ns() - begin), 10);
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, ErrorCode::kIo);
    EXPECT_THAT(answer.error().message, AllOf(HasSubstr("no text for 0.3 s"), HasSubstr("1 piece")))
        << comments;
    ASSERT_NE(endpoint->partial(), nullptr);
    EXPECT_EQ(endpoint->partial()->text, "x");
  }
}

TEST(BadServer, AnAnswerThatIsThereDoesNotWaitForItsCounts) {
  ScriptedApi api([&](const HttpRequest&, Exchange& exchange) {
    exchange.begin_chunks();
    exchange.event(kPiece);
    exchange.event(kEnd);
    while (exchange.chunk(": ping\n\n") && exchange.wait_ms(20)) {
    }
  });
  const auto endpoint = api.connect({.timeout = std::chrono::milliseconds(300)});
  ASSERT_NE(endpoint, nullptr);
  const auto answer = endpoint->chat({{"user", "Hi"}}, {.max_tokens = 4});
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->text, "x");
}

// Of a refusal and of an answer that is not streamed.
TEST(BadServer, WholeAnswersMayNotDripForEver) {
  for (const int status : {500, 200}) {
    ScriptedApi api([&](const HttpRequest&, Exchange& exchange) {
      exchange.begin_chunks(status);
      while (exchange.chunk(" ") && exchange.wait_ms(20)) {
      }
    });
    const auto endpoint = api.connect({.timeout = std::chrono::milliseconds(200)});
    ASSERT_NE(endpoint, nullptr);
    if (status == 500) {
      EXPECT_FALSE(endpoint->chat({{"user", "Hi"}}, {.max_tokens = 4}));
    } else {
      EXPECT_FALSE(endpoint->score("a", " b"));
    }
  }
}

TEST(Retry, BusyServersAreAskedAgain) {
  int asked = 0;
  ScriptedApi api([&](const HttpRequest& request, Exchange& exchange) {
    if (++asked == 1) {
      exchange.respond(503, R"({"error": {"message": "Loading model"}})");
    } else if (asked == 2) {
      exchange.respond(429, "", "text/plain", {{"Retry-After", "0"}});
    } else {
      streaming({kPiece, kEnd, "[DONE]"})(request, exchange);
    }
  });
  const auto endpoint = api.connect();
  ASSERT_NE(endpoint, nullptr);
  const auto answer = endpoint->chat({{"user", "Hi"}}, {});
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(asked, 3);
}

TEST(Retry, IsBounded) {
  int asked = 0;
  const Error error = error_of(
      [&](const HttpRequest&, Exchange& exchange) {
        ++asked;
        exchange.respond(503, R"({"error": {"message": "Loading model"}})");
      },
      {.max_retries = 2});
  EXPECT_EQ(asked, 3);
  EXPECT_THAT(error.message, HasSubstr("503 Service Unavailable: Loading model"));
}

TEST(Retry, DoesNotWaitForHours) {
  const Error error = error_of([](const HttpRequest&, Exchange& exchange) {
    exchange.respond(429, R"({"error": {"message": "quota"}})", "application/json",
                     {{"Retry-After", "7200"}});
  });
  EXPECT_EQ(error.code, ErrorCode::kLimit);
  EXPECT_THAT(error.message, AllOf(HasSubstr("quota"), HasSubstr("in 7200 s")));
}

TEST(Retry, CanBeInterrupted) {
  bool busy = false;
  const Error error = error_of(
      [&](const HttpRequest&, Exchange& exchange) {
        busy = true;
        exchange.respond(429, "", "text/plain", {{"Retry-After", "50"}});
      },
      {.cancelled = [&] { return busy; }});
  EXPECT_THAT(error.message, HasSubstr("interrupted"));
}

}  // namespace
}  // namespace edgelm::endpoint
