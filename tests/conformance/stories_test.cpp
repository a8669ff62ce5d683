// A trained model end to end: stories260K of the external data folder, whose greedy continuations
// and logits an independent float64 implementation computed. Skipped where the folder is absent.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>

#include "api/json.h"
#include "engine/engine.h"
#include "golden.h"
#include "runner.h"
#include "support/data.h"

namespace edgelm::conformance {
namespace {

class Stories : public testing::TestWithParam<std::string_view> {
 protected:
  void SetUp() override {
    const auto data = test::shared_data();
    if (!data) GTEST_SKIP() << "no data folder (EDGELM_DATA): stories260K is not tested";
    std::ifstream file(*data + "/models/stories260K.golden.json");
    golden_ = api::Json::parse(file).at("stories260K");
    auto model = model::Model::load(*data + "/models/stories260K.gguf");
    ASSERT_TRUE(model) << model.error().message;
    model_ = *model;
  }

  struct Case {
    std::vector<text::TokenId> prompt;
    std::vector<text::TokenId> tokens;  // prompt and greedy continuation
  };

  Case golden_case(std::string_view name) const {
    const api::Json& json = golden_.at(name);
    if (json.is_array()) return {{json.at(0).get<text::TokenId>()}, json};  // from BOS alone
    return {json.at("prompt"), json.at("tokens")};
  }

  // All cases at once in one engine, at temperature 0.
  void expect_greedy(const std::vector<Case>& cases, std::uint32_t batch_tokens) const {
    auto backend = backend::CpuBackend::create({.isa = std::string(GetParam())});
    ASSERT_TRUE(backend) << backend.error().message;
    engine::EngineOptions options{.context_tokens = 256, .batch_tokens = batch_tokens};
    options.max_sequences = static_cast<std::uint32_t>(cases.size());
    auto engine = engine::Engine::create(model_, **backend, options);
    ASSERT_TRUE(engine) << engine.error().message;
    std::map<engine::SequenceId, std::vector<text::TokenId>> generated;
    std::vector<engine::SequenceId> sequences;
    for (const Case& one : cases) {
      engine::Request request;
      request.prompt = one.prompt;
      request.max_tokens = static_cast<std::uint32_t>(one.tokens.size() - one.prompt.size());
      request.ignore_end = true;
      request.sampling.temperature = 0;
      auto sequence = (*engine)->add(std::move(request));
      ASSERT_TRUE(sequence) << sequence.error().message;
      sequences.push_back(*sequence);
      generated[*sequence] = one.prompt;
    }
    engine::TokenEvent event;
    while (!(*engine)->idle()) {
      ASSERT_TRUE((*engine)->step());
      while ((*engine)->poll(event)) generated[event.sequence].push_back(event.id);
    }
    for (std::size_t i = 0; i < cases.size(); ++i)
      EXPECT_EQ(generated[sequences[i]], cases[i].tokens) << "prompt " << i;
  }

  api::Json golden_;
  std::shared_ptr<const model::Model> model_;
};

TEST_P(Stories, LogitsAfterBos) {
  const auto expected = golden_.at("logits_after_bos").get<std::vector<double>>();
  auto runner = Runner::create(model_, GetParam(), 1);
  ASSERT_TRUE(runner) << runner.error().message;
  const std::int32_t bos = 1;
  const auto rows = (*runner)->step({{0, 0, std::span(&bos, 1)}});
  ASSERT_TRUE(rows) << rows.error().message;
  const std::vector<float>& ours = rows->front();
  ASSERT_EQ(ours.size(), expected.size());
  EXPECT_LT(relative_error(ours, expected), 1e-4);

  double largest = 0;
  double largest_difference = 0;
  for (std::size_t i = 0; i < ours.size(); ++i) {
    largest = std::max(largest, std::abs(expected[i]));
    largest_difference = std::max(largest_difference, std::abs(double{ours[i]} - expected[i]));
  }
  EXPECT_LT(largest_difference, 1e-4 * largest);
  fmt::print("stories260K {}: relative error of the logits after BOS {:.1e}\n", GetParam(),
             relative_error(ours, expected));
}

TEST_P(Stories, GreedyFromBos) { expect_greedy({golden_case("greedy_bos")}, 256); }

TEST_P(Stories, GreedyFromOnceUponATime) { expect_greedy({golden_case("greedy_once")}, 256); }

TEST_P(Stories, GreedyFromTheDog) { expect_greedy({golden_case("greedy_dog")}, 256); }

// Four tokens a step: prompts are cut up and wait for each other.
TEST_P(Stories, GreedyTogether) {
  expect_greedy({golden_case("greedy_bos"), golden_case("greedy_once"), golden_case("greedy_dog")},
                4);
}

INSTANTIATE_TEST_SUITE_P(, Stories, testing::ValuesIn(runnable_isas()),
                         [](const auto& test) { return std::string(test.param); });

}  // namespace
}  // namespace edgelm::conformance
