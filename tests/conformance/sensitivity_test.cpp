// Proof that the goldens can tell: plans with one mistake each, of the kind made when an
// architecture is added, must miss the tolerance of conformance_test.cpp by a factor.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "fixture_model.h"
#include "golden.h"
#include "runner.h"

namespace edgelm::conformance {
namespace {

constexpr double kClearlyWrong = 2e-3;  // twice what a float model is allowed

template <class Operation, class F>
void each(plan::Plan& plan, F&& change) {
  for (plan::Op& op : plan.ops)
    if (auto* found = std::get_if<Operation>(&op)) change(*found);
}

// Smallest error over the golden's positions when the plan is `change`d.
double error_with(std::string_view name, void (*change)(plan::Plan&)) {
  const std::string bytes = fixture_gguf(*find_fixture(name));
  const Golden golden = read_golden(name);
  const auto model = model::Model::parse(as_byte_span(bytes), std::string(name)).value();
  plan::Plan plan = model->plan();
  change(plan);
  const auto runner = Runner::create(model, plan, {}, 1).value();
  const std::uint32_t chunks[] = {golden.prompt_tokens, 1};
  const LogitRows rows = runner->run(golden.ids, chunks).value();
  double error = INFINITY;
  for (std::size_t i = 0; i < golden.positions.size(); ++i)
    error = std::min(error, relative_error(rows.at(golden.positions[i]), golden.logits[i]));
  return error;
}

TEST(Sensitivity, NothingChanged) {
  EXPECT_LT(error_with("llama_f32", [](plan::Plan&) {}), kClearlyWrong / 2);
}

TEST(Sensitivity, RotaryLayout) {
  const auto swap = [](plan::Plan& plan) {
    each<plan::StoreKv>(plan, [](plan::StoreKv& op) {
      using enum plan::RopeLayout;
      op.rope.layout = op.rope.layout == kInterleaved ? kHalfSplit : kInterleaved;
    });
  };
  for (const char* name : {"llama_f32", "qwen2_f32", "qwen3_f32"})
    EXPECT_GT(error_with(name, swap), kClearlyWrong) << name;
}

TEST(Sensitivity, RotaryBase) {
  const auto change = [](plan::Plan& plan) {
    each<plan::StoreKv>(plan, [](plan::StoreKv& op) { op.rope.base *= 1.1F; });
  };
  for (const char* name : {"llama_f32", "qwen2_f32", "qwen3_f32"})
    EXPECT_GT(error_with(name, change), kClearlyWrong) << name;
}

TEST(Sensitivity, FrequencyFactorsIgnored) {
  EXPECT_GT(error_with("llama_rope_freqs_f32",
                       [](plan::Plan& plan) {
                         each<plan::StoreKv>(plan,
                                             [](plan::StoreKv& op) { op.rope.factors.reset(); });
                       }),
            kClearlyWrong);
}

TEST(Sensitivity, BiasesIgnored) {
  EXPECT_GT(error_with("qwen2_f32",
                       [](plan::Plan& plan) {
                         each<plan::NormProject>(plan, [](plan::NormProject& op) {
                           for (plan::Projection& projection : op.projections)
                             projection.bias.reset();
                         });
                       }),
            kClearlyWrong);
}

TEST(Sensitivity, HeadNormsIgnored) {
  EXPECT_GT(error_with("qwen3_f32",
                       [](plan::Plan& plan) {
                         each<plan::StoreKv>(plan, [](plan::StoreKv& op) {
                           op.q_norm.reset();
                           op.k_norm.reset();
                         });
                       }),
            kClearlyWrong);
}

TEST(Sensitivity, Epsilon) {
  EXPECT_GT(error_with("llama_f32",
                       [](plan::Plan& plan) {
                         each<plan::NormProject>(plan,
                                                 [](plan::NormProject& op) { op.epsilon = 1e-6F; });
                       }),
            kClearlyWrong);
}

TEST(Sensitivity, AttentionScale) {
  EXPECT_GT(error_with("llama_f32",
                       [](plan::Plan& plan) {
                         each<plan::Attend>(plan, [](plan::Attend& op) { op.scale *= 1.05F; });
                       }),
            kClearlyWrong);
}

TEST(Sensitivity, GateAndUpSwapped) {
  EXPECT_GT(error_with("llama_f32",
                       [](plan::Plan& plan) {
                         each<plan::GatedFfn>(
                             plan, [](plan::GatedFfn& op) { std::swap(op.gate, op.up); });
                       }),
            kClearlyWrong);
}

}  // namespace
}  // namespace edgelm::conformance
