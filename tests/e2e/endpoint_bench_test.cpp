// edgelm bench --endpoint against a server in this process.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "process.h"
#include "support/scripted_api.h"

namespace edgelm::e2e {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// Streams as many pieces as tokens are asked for, and counts the prompt by its spaces.
void generate(const test::HttpRequest& request, test::Exchange& exchange) {
  const auto body = api::parse(request.body, "body");
  if (request.path() != "/v1/completions" || !body) {
    exchange.respond(404, R"({"error": {"message": "no such page"}})");
    return;
  }
  const std::string prompt = (*body)["prompt"];
  const int n = (*body)["max_tokens"];
  exchange.begin_chunks();
  for (int i = 0; i < n; ++i) {
    exchange.event(R"({"choices": [{"text": " word", "finish_reason": null}]})");
    exchange.wait_ms(1);
  }
  exchange.event(fmt::format(
      R"({{"choices": [{{"text": "", "finish_reason": "length"}}], "usage": {{"prompt_tokens": {}, "completion_tokens": {}}}}})",
      std::count(prompt.begin(), prompt.end(), ' ') + 3, n));
  exchange.event("[DONE]");
  exchange.end_chunks();
}

TEST(BenchEndpoint, MeasuresAServer) {
  const test::ScriptedApi server(generate);
  const Outcome outcome = run("edgelm bench --endpoint " + server.url() +
                              " -p 32,64 -n 8 -r 3 -o json --label servers");
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const auto json = api::parse(outcome.out, "bench");
  ASSERT_TRUE(json) << outcome.out;
  ASSERT_EQ(json->size(), 3U);  // pp32, tg8, pp64
  for (const api::Json& row : *json) {
    EXPECT_EQ(row["model"], "m");
    for (const char* unknown : {"threads", "n_params", "bytes_per_token"})
      EXPECT_TRUE(row[unknown].is_null()) << unknown << row[unknown];
    EXPECT_EQ(row["tokens_per_second"]["samples"].size(), 3U);
    EXPECT_GT(row["tokens_per_second"]["median"].get<double>(), 0);
    EXPECT_GT(row["memory"]["peak_rss"].get<double>(), 1e6);
    EXPECT_TRUE(row["load_ms"].contains("absent"));
  }
  const Outcome table = run("edgelm bench --endpoint " + server.url() + " -p 32 -n 8 -r 1");
  EXPECT_THAT(table.out, AllOf(HasSubstr("| pp32"), HasSubstr("TTFT: from the request until")));
}

TEST(BenchEndpoint, WrongAddressesAndNames) {
  const Outcome nobody = run("edgelm bench --endpoint http://127.0.0.1:1 -p 8 -n 2");
  EXPECT_EQ(nobody.exit_code, 1);
  EXPECT_THAT(nobody.err, HasSubstr("127.0.0.1:1"));
  const test::ScriptedApi server(generate, "someone", {"a", "b"});
  const Outcome two = run("edgelm bench --endpoint " + server.url());
  EXPECT_EQ(two.exit_code, 2);
  EXPECT_THAT(two.err, AllOf(HasSubstr("a"), HasSubstr("b")));
  EXPECT_EQ(run("edgelm bench --endpoint " + server.url() + " -m a -t 2").exit_code, 2);
  const Outcome key =
      run("edgelm bench --endpoint " + server.url() + " -m a --api-key-env NO_SUCH_VARIABLE");
  EXPECT_EQ(key.exit_code, 2);
  EXPECT_THAT(key.err, HasSubstr("NO_SUCH_VARIABLE"));
  EXPECT_EQ(run("edgelm bench --endpoint file:///etc/passwd").exit_code, 2);
}

// A server names its model as it likes.
TEST(BenchEndpoint, NamesAreNoFormulasCodesOrTables) {
  const std::string name = "=cmd|'/c calc'!A1<script>\n\x1b[31mred";
  const test::ScriptedApi server(generate, "someone", {name});
  const std::string command =
      "edgelm bench --endpoint " + server.url() + " -p 8 -n 4 -r 1 --no-store";
  const Outcome csv = run(command + " -o csv");
  ASSERT_EQ(csv.exit_code, 0) << csv.err;
  EXPECT_THAT(csv.out, HasSubstr("\n\"'=cmd|'/c calc'!A1<script>\\n\\x1b[31mred\","));
  const Outcome table = run(command);
  EXPECT_THAT(table.out, HasSubstr("| =cmd\\|'/c calc'!A1\\<script>\\n\\x1b\\[31mred |"));
  EXPECT_EQ((csv.out + csv.err + table.out + table.err).find('\x1b'), std::string::npos);
}

TEST(BenchEndpoint, AnUnsetVariableIsNoAddress) {
  for (const std::string command : {"bench", "eval open -f questions.jsonl"}) {
    const Outcome outcome = run("edgelm " + command + " --endpoint ''");
    EXPECT_EQ(outcome.exit_code, 2) << command;
    EXPECT_THAT(outcome.err, HasSubstr("--endpoint")) << command;
    EXPECT_EQ(outcome.out, "");
  }
}

TEST(BenchEndpoint, ASilentServerIsGivenUpInTime) {
  test::LoopbackServer silent(
      [](const test::HttpRequest&, test::Exchange& exchange) { exchange.wait_for_client(); });
  const Outcome outcome = run("edgelm bench --endpoint " + silent.url() + " --timeout 0.5");
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(outcome.err, HasSubstr("no answer within 0.5 s"));
  // Comments keep the connection alive, and say nothing.
  const test::ScriptedApi pings([](const test::HttpRequest&, test::Exchange& exchange) {
    exchange.begin_chunks();
    while (exchange.chunk(": ping\n\n") && exchange.wait_ms(20)) {
    }
  });
  std::ofstream(work_folder() + "/one_test.csv") << "Two and two,3,4,5,6,B\n";
  const Outcome eval =
      run("edgelm eval choice --letters --no-store --timeout 1 -f one_test.csv --endpoint " +
          pings.url());
  EXPECT_EQ(eval.exit_code, 1);
  EXPECT_THAT(eval.err, HasSubstr("no text for 1 s"));
}

TEST(BenchEndpoint, AServerThatFailsIsARecord) {
  const test::ScriptedApi server(
      [](const test::HttpRequest& /*request*/, test::Exchange& exchange) {
        exchange.respond(500, R"({"error": {"message": "out of tokens"}})");
      });
  const Outcome outcome =
      run("edgelm bench --endpoint " + server.url() + " -p 8 -n 2 -r 1 --no-store -o jsonl");
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(outcome.out, AllOf(HasSubstr(R"("outcome":"failed")"), HasSubstr("out of tokens")));
}

}  // namespace
}  // namespace edgelm::e2e
