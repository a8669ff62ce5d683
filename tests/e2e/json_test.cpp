// The machine-readable outputs: fields, types, and that the numbers agree with each other.

#include <gtest/gtest.h>

#include <cmath>
#include <sstream>

#include "api/json.h"
#include "process.h"
#include "support/data.h"

namespace edgelm::e2e {
namespace {

api::Json run_json(const std::string& command, const std::string& input = {}) {
  const Outcome outcome = run(command, input);
  EXPECT_EQ(outcome.exit_code, 0) << command << ": " << outcome.err;
  auto json = api::Json::parse(outcome.out, nullptr, false);
  EXPECT_FALSE(json.is_discarded()) << command << ": " << outcome.out;
  return json.is_discarded() ? api::Json::object() : json;
}

TEST(RunJson, HasEveryFieldAndConsistentLogprobs) {
  const auto json =
      run_json("edgelm run -p 'Once upon a time' -n 12 --temp 0 -o json --logprobs 4");
  EXPECT_EQ(json["generated_ids"].size(), 12U);
  EXPECT_GT(json["prompt_ids"].size(), 2U);
  EXPECT_FALSE(json["text"].get<std::string>().empty());
  for (const char* field : {"load_ms", "ttft_ms", "prefill_tokens_per_second",
                            "decode_tokens_per_second", "peak_rss_bytes"})
    EXPECT_GT(json[field].get<double>(), 0) << field;
  ASSERT_EQ(json["logprobs"].size(), 12U);
  for (std::size_t i = 0; i < 12; ++i) {
    const auto& token = json["logprobs"][i];
    EXPECT_EQ(token["id"], json["generated_ids"][i]);
    ASSERT_EQ(token["top"].size(), 4U);
    EXPECT_EQ(token["top"][0]["id"], token["id"]);  // greedy takes the best
    EXPECT_EQ(token["top"][0]["logprob"], token["logprob"]);
    double sum = 0;
    for (std::size_t k = 0; k < 4; ++k) {
      sum += std::exp(token["top"][k]["logprob"].get<double>());
      if (k > 0) {
        EXPECT_LE(token["top"][k]["logprob"], token["top"][k - 1]["logprob"]);
      }
    }
    EXPECT_LE(sum, 1.0001);
  }
}

TEST(RunJson, TextIsTheSameHoweverItRuns) {
  const std::string base = "edgelm run -p 'The house stood' -n 40 --seed 7 -o json";
  const auto text = run_json(base)["generated_ids"];
  for (const char* flags : {"-t 1", "-t 2 -tb 1", "-b 1", "-b 3", "-c 300"})
    EXPECT_EQ(run_json(base + " " + flags)["generated_ids"], text) << flags;
  EXPECT_NE(run_json("edgelm run -p 'The house stood' -n 40 --seed 8 -o json")["generated_ids"],
            text);
}

TEST(RunJson, IdsFedAsTheyAreGiveTheSameAnswer) {
  const auto first = run_json("edgelm run tiny -p 'He said' -n 8 --temp 0 -o json");
  std::ostringstream ids;
  for (const auto& id : first["prompt_ids"]) ids << id << ' ';
  const auto second =
      run_json("edgelm run tiny --tokens '" + ids.str() + "' -n 8 --temp 0 -o json");
  EXPECT_EQ(first["generated_ids"], second["generated_ids"]);
  EXPECT_EQ(first["prompt_ids"], second["prompt_ids"]);
}

TEST(RunJson, AStopStringIsNeverPrinted) {
  const auto whole = run_json("edgelm run -p 'He said' -n 60 --temp 0 -o json");
  const std::string text = whole["text"];
  ASSERT_GT(text.size(), 20U);
  // A stop from the middle, so that it spans tokens.
  const std::string stop = text.substr(10, 4);
  std::string quoted;
  for (const char c : stop) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  const auto stopped =
      run_json("edgelm run -p 'He said' -n 60 --temp 0 -o json --stop '" + quoted + "'");
  EXPECT_EQ(stopped["text"], text.substr(0, text.find(stop)));
  EXPECT_EQ(stopped["finish_reason"], "stop");
}

TEST(BenchJson, HasEveryFieldOfTheProtocol) {
  const auto json = run_json("edgelm bench tiny -p 16 -n 8 -t 1,2 -r 2 -o json");
  ASSERT_EQ(json.size(), 4U);
  for (const auto& record : json) {
    EXPECT_EQ(record["model"], "tiny");
    EXPECT_EQ(record["type"], "Q8_0");
    EXPECT_GT(record["n_params"].get<double>(), 1e6);
    EXPECT_TRUE(record["test"] == "pp16" || record["test"] == "tg8");
    EXPECT_EQ(record["tokens_per_second"]["samples"].size(), 2U);
    const double median = record["tokens_per_second"]["median"];
    EXPECT_LE(record["tokens_per_second"]["min"].get<double>(), median);
    EXPECT_GE(record["tokens_per_second"]["max"].get<double>(), median);
    const double gb_per_s = record["gb_per_s"];
    EXPECT_NEAR(gb_per_s, record["bytes_per_token"].get<double>() * median * 1e-9, 1e-9);
    EXPECT_NEAR(record["bandwidth_fraction"].get<double>(),
                gb_per_s / record["bandwidth_gb_per_s"].get<double>(), 1e-9);
    EXPECT_GE(record["load_ms"].get<double>(), 0);
    for (const char* part : {"weights", "kv", "compute", "peak_rss"})
      EXPECT_GT(record["memory"][part].get<double>(), 0) << part;
    EXPECT_TRUE(record["machine"]["cpu"].is_string());
    EXPECT_TRUE(record["build"]["isa"].is_string());
  }
}

TEST(BenchJson, LinesAreOneRecordEach) {
  const Outcome outcome = run("edgelm bench tiny -p 8 -n 4 -r 1 -o jsonl");
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  std::istringstream lines(outcome.out);
  std::string line;
  int count = 0;
  for (; std::getline(lines, line); ++count)
    EXPECT_FALSE(api::Json::parse(line, nullptr, false).is_discarded()) << line;
  EXPECT_EQ(count, 2);
}

TEST(Perplexity, AgreesWithTheReference) {
  const auto data = test::shared_data();
  if (!data) GTEST_SKIP() << "the external data folder is absent";
  const std::string base =
      "edgelm eval perplexity \"$DATA/models/stories260K.gguf\" "
      "-f \"$DATA/eval/wikitext-2-raw.wiki.test.raw\" -o json ";
  const auto golden = api::Json::parse(
      run("cat \"$DATA/models/stories260K.golden.json\"").out)["perplexity"]["cases"];
  for (const auto& one : golden) {
    const auto got =
        run_json(base + "-c " + one["n_ctx"].dump() + " --chunks " + one["chunks"].dump());
    EXPECT_NEAR(got["perplexity"].get<double>(), one["ppl"].get<double>(),
                one["ppl"].get<double>() * 1e-3);
    EXPECT_NEAR(got["stderr"].get<double>(), one["stderr"].get<double>(),
                one["stderr"].get<double>() * 1e-2);
    EXPECT_EQ(got["chunks"], one["chunks"]);
  }
}

}  // namespace
}  // namespace edgelm::e2e
