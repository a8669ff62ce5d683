// Published shapes against published files: sizes, bytes read per token, cache per token.

#include "predict/reference_model.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "predict/mix.h"
#include "predict/reference_data.h"

namespace edgelm::predict {
namespace {

Model model(const std::string& name) {
  auto result = reference_model(name);
  EXPECT_TRUE(result) << result.error().message;
  return result.value_or(Model{});
}

TEST(ReferenceModel, CacheBytesPerToken) {
  // KiB per token in f16, from the public configurations (docs/predict.md).
  const std::pair<const char*, double> expected[] = {
      {"qwen2.5-0.5b", 12}, {"qwen2.5-1.5b", 28},  {"qwen2.5-3b", 36},     {"qwen2.5-7b", 56},
      {"qwen2.5-14b", 192}, {"qwen2.5-32b", 256},  {"qwen2.5-72b", 320},   {"llama3.2-1b", 32},
      {"llama3.2-3b", 112}, {"llama3.1-8b", 128},  {"tinyllama-1.1b", 22}, {"gemma-2-2b", 104},
      {"gemma-2-9b", 336},  {"phi-3.5-mini", 384}, {"llama2-7b", 512}};
  for (const auto& [name, kib] : expected)
    EXPECT_EQ(static_cast<double>(model(std::string(name) + ":Q4_0").kv_bytes(1, 2)) / 1024, kib)
        << name;
}

TEST(ReferenceModel, TheCacheGrowsPastTheWeights) {
  // Positions at which the cache is as large as the weights in 4 bits.
  const auto crossing = [](const std::string& name) {
    const Model m = model(name);
    return static_cast<double>(m.weight_bytes()) / static_cast<double>(m.kv_bytes(1, 2));
  };
  EXPECT_NEAR(crossing("llama3.2-1b:Q4_K_M"), 24'000, 1000);
  EXPECT_NEAR(crossing("qwen2.5-1.5b:Q4_K_M"), 34'000, 1000);
  EXPECT_NEAR(crossing("phi-3.5-mini:Q4_K_M"), 6'000, 500);
  EXPECT_NEAR(crossing("llama2-7b:Q4_0"), 7'000, 500);
}

TEST(ReferenceModel, LatentWindowExpertsAndConvolutions) {
  const Model latent = model("deepseek-v2-lite:Q4_K_M");
  EXPECT_EQ(latent.kv_bytes(1, 2), 27U * (512 + 64) * 2);
  EXPECT_LT(latent.bytes_per_token(), 0.2 * static_cast<double>(latent.weight_bytes()));
  const Model windowed = model("gemma-3-1b:Q4_0");
  // 26 layers of which 4 see everything; the others stop at 512 positions.
  EXPECT_EQ(windowed.kv_bytes(4096, 2), (4ULL * 4096 + 22ULL * 512) * 512 * 2);
  const Model experts = model("olmoe-1b-7b:Q8_0");
  EXPECT_NEAR(experts.active_parameters(), 1.2e9, 0.1e9);  // "1B-7B": of 6.9
  const Model convolution = model("lfm2-1.2b:Q4_K_M");
  EXPECT_EQ(convolution.kv.size(), 6U);
  EXPECT_GT(convolution.state_bytes, 0U);
}

// Memory within 10 %: every file size of the reference data whose shape is known.
TEST(ReferenceModel, SizesOfPublishedFiles) {
  std::size_t n = 0;
  double worst = 0;
  for (const ReferenceRow& row : reference_rows()) {
    if (!row.file_mb) continue;
    const auto laid_out = model_of_row(row);
    if (!laid_out || laid_out->origin == "figures") continue;
    const double error = static_cast<double>(laid_out->file_bytes) / 1e6 / *row.file_mb - 1;
    EXPECT_LT(std::abs(error), 0.1) << row.model << ' ' << row.quant << ' ' << error;
    worst = std::max(worst, std::abs(error));
    ++n;
    if (row.read_mb) {
      EXPECT_NEAR(laid_out->bytes_per_token() / 1e6, *row.read_mb, 0.02 * *row.read_mb);
    }
  }
  EXPECT_GT(n, 100U);
  EXPECT_LT(worst, 0.05);
}

TEST(ReferenceModel, Names) {
  EXPECT_EQ(model("synth:llama3.2-1b:Q4_K").weight_bytes(),
            model("llama3.2-1b:Q4_K").weight_bytes());
  EXPECT_EQ(reference_model("nonsense:Q4_0").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(reference_model("llama3.2-1b").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(reference_model("llama3.2-1b:Q9").error().code, ErrorCode::kUsage);
}

TEST(ReferenceModel, BrokenTables) {
  EXPECT_FALSE(parse_shapes("name\nx\n", "t.csv"));
  EXPECT_GT(reference_shapes().size(), 40U);
  EXPECT_GT(reference_rows().size(), 200U);
}

TEST(Mix, FallbacksWhereRowsAreNoWholeBlocks) {
  EXPECT_EQ(*matrix_type("q4_k_m", {}, 896), "Q5_0");
  EXPECT_EQ(*matrix_type("Q2_K", {}, 896), "IQ4_NL");
  EXPECT_EQ(*matrix_type("Q4_0", {.role = MatrixRole::kOutput}, 896), "Q8_0");
  EXPECT_EQ(*matrix_type("Q4_0", {.role = MatrixRole::kOutput}, 2048), "Q6_K");
  EXPECT_EQ(*matrix_type("Q4_0", {}, 30), "F16");
}

}  // namespace
}  // namespace edgelm::predict
