// Connecting, the dialects of streamed answers, and what is asked of servers.

#include "endpoint/endpoint.h"

#include <gmock/gmock.h>

#include "endpoint/address.h"
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

void never(const HttpRequest& request, Exchange& exchange) {
  ADD_FAILURE() << request.target;
  exchange.close();
}

TEST(Address, TakesWhatPeopleType) {
  const std::string cases[][3] = {
      {"http://h:8080", "http://h:8080/v1", "http://h:8080"},
      {"http://h:8080/", "http://h:8080/v1", "http://h:8080"},
      {"http://h/v1/", "http://h/v1", "http://h"},
      {"http://h/v1/chat/completions", "http://h/v1", "http://h"},
      {"https://h/api/v1", "https://h/api/v1", "https://h/api"},
      {"https://h/v1beta/openai/", "https://h/v1beta/openai", "https://h/v1beta/openai"}};
  for (const auto& [url, base, root] : cases) {
    const auto address = parse_address(url);
    ASSERT_TRUE(address) << address.error().message;
    EXPECT_EQ(address->base, base);
    EXPECT_EQ(address->root, root);
  }
  EXPECT_EQ(parse_address("http://h/v1?api-key=1").error().code, ErrorCode::kUsage);
  EXPECT_EQ(parse_address("h:8080").error().code, ErrorCode::kUsage);
}

TEST(Connect, TakesTheOnlyModel) {
  ScriptedApi api(never, "someone", {"only"});
  const auto endpoint = Endpoint::connect({.url = api.url()});
  ASSERT_TRUE(endpoint) << endpoint.error().message;
  EXPECT_EQ((*endpoint)->model(), "only");
  EXPECT_EQ((*endpoint)->url(), api.url("/v1"));
  EXPECT_EQ((*endpoint)->server(), ServerKind::kUnknown);
}

TEST(Connect, AsksForAChoiceAmongSeveral) {
  ScriptedApi api(never, "someone", {"one", "two:latest", "/models/three.gguf"});
  const auto none = Endpoint::connect({.url = api.url()});
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, ErrorCode::kUsage);
  EXPECT_THAT(none.error().message, HasSubstr("one, two:latest, /models/three.gguf"));
  const auto wrong = Endpoint::connect({.url = api.url(), .model = "four"});
  ASSERT_FALSE(wrong);
  EXPECT_THAT(wrong.error().message, AllOf(HasSubstr("no model 'four'"), HasSubstr("one")));
  EXPECT_EQ(Endpoint::connect({.url = api.url(), .model = "two"}).value()->model(), "two:latest");
  EXPECT_EQ(Endpoint::connect({.url = api.url(), .model = "three.gguf"}).value()->model(),
            "/models/three.gguf");
}

TEST(Connect, RecognizesServers) {
  const std::pair<const char*, ServerKind> cases[] = {{"llamacpp", ServerKind::kLlamaCpp},
                                                      {"vllm", ServerKind::kVllm},
                                                      {"edgelm", ServerKind::kEdgelm},
                                                      {"library", ServerKind::kOllama},
                                                      {"system", ServerKind::kUnknown}};
  for (const auto& [owner, kind] : cases) {
    ScriptedApi api(never, owner);
    const auto endpoint = Endpoint::connect({.url = api.url()});
    ASSERT_TRUE(endpoint) << endpoint.error().message;
    EXPECT_EQ((*endpoint)->server(), kind) << owner;
  }
}

TEST(Connect, NamesWhatIsWrong) {
  const std::string closed = "http://127.0.0.1:" + std::to_string(test::free_port());
  EXPECT_EQ(Endpoint::connect({.url = closed}).error().message,
            closed + ": nobody listens (connection refused)");

  LoopbackServer page([](const HttpRequest&, Exchange& exchange) {
    exchange.respond(200, "<html><head><title>Router login</title></head>", "text/html");
  });
  const auto html = Endpoint::connect({.url = page.url()});
  ASSERT_FALSE(html);
  EXPECT_EQ(html.error().code, ErrorCode::kFormat);
  EXPECT_THAT(html.error().message, AllOf(HasSubstr("text/html"), HasSubstr("Router login")));

  LoopbackServer listless(
      [](const HttpRequest&, Exchange& exchange) { exchange.respond(404, "{}"); });
  EXPECT_THAT(Endpoint::connect({.url = listless.url()}).error().message,
              HasSubstr("one that lists no models"));
  EXPECT_EQ(Endpoint::connect({.url = listless.url(), .model = "x"}).value()->model(), "x");

  for (const char* body : {R"({"data": [{"id": 5}]})", R"({"data": {}})", "[]", "{"}) {
    LoopbackServer wrong(
        [&](const HttpRequest&, Exchange& exchange) { exchange.respond(200, body); });
    EXPECT_EQ(Endpoint::connect({.url = wrong.url()}).error().code, ErrorCode::kFormat) << body;
  }
}

// Whatever a server says, the key is in no message.
TEST(Connect, KeepsTheKeyToItself) {
  const std::string key = "sk-very-secret-0123456789";
  LoopbackServer server([&](const HttpRequest& request, Exchange& exchange) {
    EXPECT_EQ(request.header("authorization"), "Bearer " + key);
    exchange.respond(401, R"({"error": {"message": "Incorrect API key provided: )" + key + "\"}}");
  });
  const auto endpoint = Endpoint::connect({.url = server.url(), .api_key = key});
  ASSERT_FALSE(endpoint);
  EXPECT_EQ(endpoint.error().code, ErrorCode::kPermission);
  EXPECT_THAT(endpoint.error().message,
              AllOf(HasSubstr("Incorrect API key provided: ***"), Not(HasSubstr("very-secret"))));
}

TEST(Chat, ReadsTextUsageAndMoments) {
  ScriptedApi api(streaming({
      R"({"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}}]})",
      R"({"choices": [{"index": 0, "delta": {"content": "Hel"}, "finish_reason": null}]})",
      R"({"choices": [{"index": 0, "delta": {"content": "lo \u00e9"}}]})",
      R"({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})",
      R"({"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 3,
          "prompt_tokens_details": {"cached_tokens": 5}}})",
      "[DONE]",
  }));
  const auto endpoint = api.connect();
  ASSERT_NE(endpoint, nullptr);
  const std::int64_t before = os::now_ns();
  const auto answer = endpoint->chat(
      {{"system", "Be brief."}, {"user", "Hi"}},
      {.temperature = 0.5, .top_p = 0.9, .seed = 42, .max_tokens = 9, .stop = {"\n"}});
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->text, "Hello \xC3\xA9");
  EXPECT_EQ(answer->finish_reason, "stop");
  EXPECT_EQ(answer->prompt_tokens, 7u);
  EXPECT_EQ(answer->completion_tokens, 3u);
  EXPECT_EQ(answer->cached_prompt_tokens, 5u);
  ASSERT_THAT(answer->piece_ns, SizeIs(2));  // the empty piece is none
  EXPECT_LE(before, answer->start_ns);
  EXPECT_LE(answer->start_ns, answer->piece_ns[0]);
  EXPECT_LE(answer->piece_ns[0], answer->piece_ns[1]);
  EXPECT_LE(answer->piece_ns[1], answer->end_ns);
  EXPECT_FALSE(answer->server_prefill_ms);

  ASSERT_THAT(api.bodies(), SizeIs(1));
  EXPECT_EQ(api.bodies()[0], api::parse(R"({"model": "m", "temperature": 0.5, "top_p": 0.9,
      "seed": 42, "max_tokens": 9, "stop": ["\n"], "stream": true,
      "stream_options": {"include_usage": true},
      "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]})",
                                        "expected")
                                 .value());
}

// The moments are those at which the pieces arrive: each is sent only after the one before was
// read.
TEST(Chat, MomentsAreThoseOfArrival) {
  std::int64_t sent[3] = {};
  ScriptedApi api([&](const HttpRequest&, Exchange& exchange) {
    exchange.begin_chunks();
    for (std::int64_t& moment : sent) {
      exchange.wait_ms(2);
      moment = os::now_ns();
      exchange.event(R"({"choices": [{"delta": {"content": "x"}}]})");
    }
    exchange.event(R"({"choices": [{"delta": {}, "finish_reason": "length"}]})");
    exchange.event("[DONE]");
    exchange.end_chunks();
  });
  const auto endpoint = api.connect();
  ASSERT_NE(endpoint, nullptr);
  const auto answer = endpoint->chat({{"user", "Hi"}}, {});
  ASSERT_TRUE(answer) << answer.error().message;
  ASSERT_THAT(answer->piece_ns, SizeIs(3));
  EXPECT_LT(answer->start_ns, sent[0]);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_LE(sent[i], answer->piece_ns[i]);
}

TEST(Chat, KeepsReasoningApart) {
  for (const char* key : {"reasoning_content", "reasoning"}) {
    ScriptedApi api(streaming({
        std::string(R"({"choices": [{"delta": {")") + key + R"(": "hm", "content": null}}]})",
        R"({"choices": [{"delta": {"content": "42"}, "finish_reason": "stop"}]})",
        "[DONE]",
    }));
    const auto endpoint = api.connect();
    ASSERT_NE(endpoint, nullptr);
    const auto answer = endpoint->chat({{"user", "Hi"}}, {});
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_EQ(answer->text, "42");
    EXPECT_EQ(answer->reasoning, "hm");
    EXPECT_THAT(answer->piece_ns, SizeIs(2));
    EXPECT_FALSE(answer->prompt_tokens);
    EXPECT_EQ(answer->prompt_tokens.error().reason, "the server reports no usage");
  }
}

TEST(Complete, ReadsTimingsOfLlamaCpp) {
  ScriptedApi api(streaming({
                      R"({"choices": [{"text": "a", "index": 0, "finish_reason": null}]})",
                      R"({"choices": [{"text": "", "index": 0, "finish_reason": "length"}],
          "timings": {"cache_n": 2, "prompt_n": 10, "prompt_ms": 20.5, "predicted_n": 4,
                      "predicted_ms": 81.25}})",
                      "[DONE]",
                  }),
                  "llamacpp");
  const auto endpoint = api.connect();
  ASSERT_NE(endpoint, nullptr);
  const auto answer = endpoint->complete("p", {.ignore_eos = true});
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->server_prefill_ms, 20.5);
  EXPECT_EQ(answer->server_decode_ms, 81.25);
  EXPECT_EQ(answer->prompt_tokens, 12u);
  EXPECT_EQ(answer->cached_prompt_tokens, 2u);
  EXPECT_EQ(answer->completion_tokens, 4u);
  // Prefill is to be measured: llama.cpp must not take it from the last request.
  EXPECT_EQ(api.bodies()[0]["cache_prompt"], false);
  EXPECT_EQ(api.bodies()[0]["ignore_eos"], true);
  EXPECT_EQ(api.bodies()[0]["prompt"], "p");
}

// Ollama is asked in its own way, which tells durations and leaves the chat template out.
TEST(Complete, SpeaksOllamasOwnApi) {
  ScriptedApi api(
      [](const HttpRequest& request, Exchange& exchange) {
        const bool chat = request.target == "/api/chat";
        EXPECT_EQ(request.target, chat ? "/api/chat" : "/api/generate");
        exchange.begin_chunks(200, "application/x-ndjson");
        exchange.chunk(
            chat ? R"({"message": {"role": "assistant", "thinking": "hm"}, "done": false})"
                 : R"({"response": "a", "done": false})");
        exchange.chunk("\n");
        exchange.chunk(chat ? "{\"message\": {\"content\": \"b\"}, \"done\""
                            : "{\"response\": \"b\", \"done\"");
        exchange.chunk(": false}\n");
        exchange.chunk(
            "{\"response\": \"\", \"done\": true, \"done_reason\": \"length\", "
            "\"prompt_eval_count\": 11, \"prompt_eval_duration\": 250000000, "
            "\"eval_count\": 2, \"eval_duration\": 1500000000}\n");
        exchange.end_chunks();
      },
      "library");
  const auto endpoint = api.connect({.context_tokens = 2048});
  ASSERT_NE(endpoint, nullptr);
  const auto answer = endpoint->complete("p", {.max_tokens = 2, .stop = {"x"}});
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->text, "ab");
  EXPECT_EQ(answer->finish_reason, "length");
  EXPECT_EQ(answer->prompt_tokens, 11u);
  EXPECT_EQ(answer->completion_tokens, 2u);
  EXPECT_EQ(answer->server_prefill_ms, 250);
  EXPECT_EQ(answer->server_decode_ms, 1500);
  EXPECT_THAT(answer->piece_ns, SizeIs(2));
  EXPECT_GE(answer->end_ns, answer->piece_ns[1]);
  EXPECT_EQ(api.bodies()[0], api::parse(R"({"model": "m", "stream": true, "options": {
      "temperature": 0, "top_p": 1, "seed": 0, "num_predict": 2, "top_k": 0, "min_p": 0,
      "repeat_penalty": 1, "stop": ["x"], "num_ctx": 2048}, "prompt": "p", "raw": true})",
                                        "expected")
                                 .value());
  const auto chat = endpoint->chat({{"user", "Hi"}}, {});
  ASSERT_TRUE(chat) << chat.error().message;
  EXPECT_EQ(chat->text, "b");
  EXPECT_EQ(chat->reasoning, "hm");
  EXPECT_EQ(api.server().n_connections(), 1u);
}

TEST(Complete, ReadsLogprobsOfBothShapes) {
  ScriptedApi api(streaming({
      R"({"choices": [{"text": "a b", "logprobs": {"tokens": ["a", " b"],
          "token_logprobs": [-0.5, -1.5], "text_offset": [0, 1]}}]})",
      R"({"choices": [{"text": "c", "logprobs": {"content": [{"token": "c", "logprob": -2}]},
          "finish_reason": "stop"}]})",
      "[DONE]",
  }));
  const auto endpoint = api.connect();
  ASSERT_NE(endpoint, nullptr);
  const auto answer = endpoint->complete("p", {.logprobs = true});
  ASSERT_TRUE(answer) << answer.error().message;
  ASSERT_THAT(answer->tokens, SizeIs(3));
  EXPECT_EQ(answer->tokens[1].token, " b");
  EXPECT_EQ(answer->tokens[1].logprob, -1.5);
  EXPECT_EQ(answer->tokens[2].logprob, -2);
}

TEST(Complete, KeepsTheConnection) {
  ScriptedApi api(
      streaming({R"({"choices": [{"text": "a", "finish_reason": "stop"}]})", "[DONE]"}));
  const auto endpoint = api.connect();
  ASSERT_NE(endpoint, nullptr);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(endpoint->complete("p", {}));
  EXPECT_EQ(api.server().n_connections(), 1u);
}

// Servers that refuse one of our additions say which; they are asked again without it, once.
TEST(Complete, LeavesOutWhatAServerRefuses) {
  ScriptedApi api([](const HttpRequest& request, Exchange& exchange) {
    const api::Json body = api::parse(request.body, "body").value();
    for (const char* key : {"ignore_eos", "stream_options"}) {
      if (!body.contains(key)) continue;
      exchange.respond(
          400, std::string(R"({"error": {"message": "Unrecognized argument: )") + key + "\"}}");
      return;
    }
    if (body.contains("max_tokens")) {
      exchange.respond(400, R"({"error": {"message": "Use 'max_completion_tokens' instead."}})");
      return;
    }
    streaming({R"({"choices": [{"text": "a", "finish_reason": "stop"}]})", "[DONE]"})(request,
                                                                                      exchange);
  });
  const auto endpoint = api.connect();
  ASSERT_NE(endpoint, nullptr);
  ASSERT_TRUE(endpoint->complete("p", {.max_tokens = 5, .ignore_eos = true}));
  EXPECT_THAT(api.bodies(), SizeIs(4));
  EXPECT_EQ(api.bodies()[3]["max_completion_tokens"], 5);
  ASSERT_TRUE(endpoint->complete("p", {.max_tokens = 5, .ignore_eos = true}));
  EXPECT_THAT(api.bodies(), SizeIs(5));
}

TEST(Complete, RefusesTextThatIsNotUtf8) {
  ScriptedApi api(never);
  const auto endpoint = api.connect();
  ASSERT_NE(endpoint, nullptr);
  const auto answer = endpoint->complete("\xff", {});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::kUsage);
}

TEST(CountTokens, AsksTheServer) {
  ScriptedApi llama_cpp(
      [](const HttpRequest& request, Exchange& exchange) {
        EXPECT_EQ(request.target, "/tokenize");
        exchange.respond(200, R"({"tokens": [1, 2, 3]})");
      },
      "llamacpp");
  EXPECT_EQ(llama_cpp.connect()->count_tokens("a b"), 3u);
  EXPECT_EQ(llama_cpp.bodies()[0]["content"], "a b");
  EXPECT_EQ(llama_cpp.bodies()[0]["add_special"], false);
  ScriptedApi vllm([](const HttpRequest&, Exchange& exchange) {
    exchange.respond(200, R"({"count": 4, "tokens": [1, 2, 3, 4]})");
  });
  EXPECT_EQ(vllm.connect()->count_tokens("a b"), 4u);
  ScriptedApi none([](const HttpRequest&, Exchange& exchange) {
    exchange.respond(404, R"({"error": "no such path"})");
  });
  EXPECT_THAT(none.connect()->count_tokens("a b").error().reason, HasSubstr("404"));
}

}  // namespace
}  // namespace edgelm::endpoint
