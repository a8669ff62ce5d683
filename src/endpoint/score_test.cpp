// Scoring with `echo`: the answers of servers as they come, with sums worked out by hand.

#include <gmock/gmock.h>

#include "endpoint/endpoint.h"
#include "support/scripted_api.h"

namespace edgelm::endpoint {
namespace {

using test::Exchange;
using test::HttpRequest;
using test::LoopbackServer;
using test::ScriptedApi;
using ::testing::HasSubstr;

LoopbackServer::Handler answering(std::string body, int status = 200) {
  return [body = std::move(body), status](const HttpRequest&, Exchange& exchange) {
    exchange.respond(status, body);
  };
}

Result<Continuation> score(const LoopbackServer::Handler& handler, const std::string& context,
                           const std::string& continuation, const std::string& owner = "vllm") {
  ScriptedApi api(handler, owner);
  return api.connect()->score(context, continuation);
}

TEST(Score, SumsTheTokensOfTheContinuation) {
  ScriptedApi api(answering(R"({"choices": [{"text": "The cat sat!", "logprobs": {
      "tokens": ["The", " cat", " sa", "t", "!"], "text_offset": [0, 3, 7, 10, 11],
      "token_logprobs": [null, -4.5, -1.25, -0.25, -9],
      "top_logprobs": [null, {" dog": -1}, {" sa": -1.25}, {"t": -0.25, "d": -2}, {"!": -9}]}}]})"));
  const auto result = api.connect()->score("The cat", " sat");
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_DOUBLE_EQ(result->sum_logprob, -1.5);  // neither the context's nor the generated token's
  EXPECT_EQ(result->n_tokens, 2u);
  EXPECT_TRUE(result->greedy_known);
  EXPECT_TRUE(result->all_greedy);
  const api::Json body = api.bodies().at(0);
  EXPECT_EQ(body["prompt"], "The cat sat");
  EXPECT_EQ(body["echo"], true);
  EXPECT_EQ(body["logprobs"], 1);
  EXPECT_EQ(body["max_tokens"], 1);
  EXPECT_EQ(body["stream"], false);
}

TEST(Score, NoticesTokensThatAreNotTheLikeliest) {
  const auto result =
      score(answering(R"({"choices": [{"text": "a b c", "logprobs": {"tokens": ["a", " b", " c"],
          "text_offset": [0, 1, 3], "token_logprobs": [null, -1, -3],
          "top_logprobs": [null, {" b": -1}, {" x": -0.5, " c": -3}]}}]})"),
            "a", " b c");
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_DOUBLE_EQ(result->sum_logprob, -4);
  EXPECT_TRUE(result->greedy_known);
  EXPECT_FALSE(result->all_greedy);
}

TEST(Score, SaysWhenTheLikeliestAreNotGiven) {
  const auto result =
      score(answering(R"({"choices": [{"text": "a b", "logprobs": {"tokens": ["a", " b"],
          "text_offset": [0, 1], "token_logprobs": [null, -1], "top_logprobs": null}}]})"),
            "a", " b");
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_FALSE(result->greedy_known);
  EXPECT_FALSE(result->all_greedy);
}

// vLLM: the begin token is among the tokens and counted in the offsets, which are in characters;
// the generated token is an end token that the text does not show.
TEST(Score, AllowsForBeginAndEndTokens) {
  const auto result = score(answering(R"({"choices": [{"text": "\u00e9t\u00e9 ici", "logprobs": {
          "tokens": ["<s>", "\u00e9t", "\u00e9", " ici", "</s>"],
          "text_offset": [0, 3, 5, 6, 10], "token_logprobs": [null, -1, -2, -4, -0.5]}}]})"),
                            "\xC3\xA9t\xC3\xA9", " ici");
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_DOUBLE_EQ(result->sum_logprob, -4);
  EXPECT_EQ(result->n_tokens, 1u);
}

TEST(Score, WithABeginTokenNeedsNoContext) {
  const auto result = score(
      answering(R"({"choices": [{"text": "a b!", "logprobs": {"tokens": ["<s>", "a", " b", "!"],
          "text_offset": [0, 3, 4, 6], "token_logprobs": [null, -1, -2, -4]}}]})"),
      "", "a b");
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_DOUBLE_EQ(result->sum_logprob, -3);
}

TEST(Score, TakesOffsetsInBytes) {
  const auto result = score(answering(R"({"choices": [{"text": "\u00e9t\u00e9 ici!", "logprobs": {
          "tokens": ["\u00e9t\u00e9", " ici", "!"], "text_offset": [0, 5, 9],
          "token_logprobs": [null, -4, -1]}}]})"),
                            "\xC3\xA9t\xC3\xA9", " ici");
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_DOUBLE_EQ(result->sum_logprob, -4);
}

TEST(Score, CountsATokenOverTheBorder) {
  const auto result = score(
      answering(R"({"choices": [{"text": "a bc d!", "logprobs": {"tokens": ["a", " bc", " d", "!"],
          "text_offset": [0, 1, 4, 6], "token_logprobs": [null, -1, -2, -4]}}]})"),
      "a b", "c d");
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_DOUBLE_EQ(result->sum_logprob, -3);
  EXPECT_EQ(result->n_tokens, 2u);
}

// Two tokens of one character show as U+FFFD each, and offsets run ahead of the text: the context's
// own count decides.
TEST(Score, CountsTokensWhereOffsetsDoNotAddUp) {
  ScriptedApi api([](const HttpRequest& request, Exchange& exchange) {
    const bool whole = api::parse(request.body, "body").value()["prompt"] != "\xF0\x9F\x98\x80";
    exchange.respond(200, whole ? R"({"choices": [{"text": "\ud83d\ude00 yes.", "logprobs": {
                 "tokens": ["\ufffd", "\ufffd", " y", "es", "."], "text_offset": [0, 1, 2, 4, 6],
                 "token_logprobs": [null, -8, -1, -2, -3]}}], "usage": {"prompt_tokens": 4}})"
                                : R"({"choices": [{"text": "\ud83d\ude00!", "logprobs": {
                 "tokens": ["\ufffd", "\ufffd", "!"], "text_offset": [0, 1, 2],
                 "token_logprobs": [null, -8, -1]}}], "usage": {"prompt_tokens": 2}})");
  });
  const auto result = api.connect()->score("\xF0\x9F\x98\x80", " yes");
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_DOUBLE_EQ(result->sum_logprob, -3);
  EXPECT_EQ(result->n_tokens, 2u);
}

TEST(Score, ServersThatCannotSaySo) {
  const auto llama_cpp =
      score(answering(R"({"error": {"code": 400, "message": "Only no echo is supported"}})", 400),
            "a", " b", "llamacpp");
  ASSERT_FALSE(llama_cpp);
  EXPECT_EQ(llama_cpp.error().code, ErrorCode::kUnsupported);
  EXPECT_THAT(llama_cpp.error().message, HasSubstr("Only no echo is supported"));
  const auto ollama = score(answering("{}"), "a", " b", "library");
  ASSERT_FALSE(ollama);
  EXPECT_EQ(ollama.error().code, ErrorCode::kUnsupported);
  const auto deaf = score(answering(R"({"choices": [{"text": "generated"}]})"), "a", " b");
  EXPECT_EQ(deaf.error().code, ErrorCode::kUnsupported);
  const auto bare = score(answering(R"({"choices": [{"text": "a b"}]})"), "a", " b");
  EXPECT_EQ(bare.error().code, ErrorCode::kUnsupported);
}

TEST(Score, NeedsAContextForTheFirstToken) {
  const auto result =
      score(answering(R"({"choices": [{"text": "a b", "logprobs": {"tokens": ["a", " b"],
          "text_offset": [0, 1], "token_logprobs": [null, -1]}}]})"),
            "", "a b");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kUsage);
  EXPECT_FALSE(score(answering("{}"), "a", ""));
}

TEST(Score, RefusesAnswersThatDoNotFit) {
  for (const char* logprobs :
       {R"({"tokens": ["a", " b"], "text_offset": [0], "token_logprobs": [null, -1]})",
        R"({"tokens": [], "text_offset": [], "token_logprobs": []})",
        R"({"tokens": ["a", 5], "text_offset": [0, 1], "token_logprobs": [null, -1]})",
        R"({"tokens": ["a", " b"], "text_offset": [0, -1], "token_logprobs": [null, -1]})",
        R"({"tokens": ["a", " b"], "text_offset": [5, 1], "token_logprobs": [null, -1]})",
        R"({"tokens": ["a", " b"], "text_offset": [0, 1], "token_logprobs": [null, "x"]})",
        R"({"tokens": ["a", " b"], "text_offset": [0, 1], "token_logprobs": [null, 7]})",
        R"({"tokens": ["a", " b"], "text_offset": [0, 1], "token_logprobs": [null, -9999]})",
        R"({"tokens": ["a", " b"], "text_offset": [0, 1], "token_logprobs": [null, -1e308]})",
        R"({"tokens": ["a", " b"], "text_offset": [0, 9], "token_logprobs": [null, -1]})",
        R"({"tokens": ["a", " b"], "text_offset": [0, 1], "token_logprobs": [null, -1],
            "top_logprobs": [null]})"}) {
    std::string body = R"({"choices": [{"text": "a b", "logprobs": )";
    body += logprobs;
    const auto result = score(answering(body + "}]}"), "a", " b");
    ASSERT_FALSE(result) << logprobs;
    EXPECT_EQ(result.error().code, ErrorCode::kFormat) << logprobs << result.error().message;
  }
}

}  // namespace
}  // namespace edgelm::endpoint
