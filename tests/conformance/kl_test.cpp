// KL divergence and perplexity of whole texts against forward passes in double, and base files
// against running side by side.

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "backend/cpu/cpu_backend.h"
#include "quality/chunks.h"
#include "quality/kl.h"
#include "quality/perplexity.h"
#include "support/float64_model.h"
#include "support/tiny_model.h"

namespace edgelm::conformance {
namespace {

// Two models of one vocabulary: the second has a layer more.
class Kl : public testing::Test {
 protected:
  void SetUp() override {
    test::TinyModel shape;
    base_bytes_ = shape.bytes();
    shape.n_layers = 2;
    bytes_ = shape.bytes();
    base_ = model::Model::parse(as_byte_span(base_bytes_), "base.gguf").value();
    model_ = model::Model::parse(as_byte_span(bytes_), "model.gguf").value();
    backend_ = backend::CpuBackend::create({.decode_threads = 1, .cache = false}).value();
    for (int i = 0; i < 400; ++i) text_ += static_cast<char>('a' + (i * i + i / 7) % 26);
    path_ = (std::filesystem::temp_directory_path() /
             ("edgelm-kl-conformance-" + std::to_string(::getpid())))
                .string();
  }
  void TearDown() override { std::filesystem::remove(path_); }

  std::string base_bytes_, bytes_, text_, path_;
  std::shared_ptr<const model::Model> base_, model_;
  std::unique_ptr<backend::CpuBackend> backend_;
  quality::KlOptions options_{.context = 64, .batch = 24};
};

TEST_F(Kl, IsThatOfTheFloat64Reference) {
  const auto got = quality::kl_divergence(base_, model_, *backend_, text_, options_).value();
  const test::Float64Model base(base_->file());
  const test::Float64Model model(model_->file());
  const auto chunks = quality::Chunks::make(*model_, text_, 64, 0).value();
  ASSERT_EQ(chunks.count(), 6U);
  ASSERT_EQ(got.tokens, 6U * 31);
  double divergence = 0, ratio = 0, base_nll = 0, delta = 0;
  for (std::uint32_t i = 0; i < chunks.count(); ++i) {
    const auto ids = chunks.chunk(i);
    EXPECT_EQ(ids[0], 1) << "BOS";
    const auto rows = model.logits(ids);
    const auto base_rows = base.logits(ids);
    for (std::uint32_t p = 32; p < 63; ++p) {
      for (std::int32_t t = 0; t < 259; ++t) {
        const double q = test::log_softmax(base_rows[p], t);
        divergence += std::exp(q) * (q - test::log_softmax(rows[p], t));
      }
      const double b = test::log_softmax(base_rows[p], ids[p + 1]);
      const double m = test::log_softmax(rows[p], ids[p + 1]);
      ratio += b - m;
      base_nll -= b;
      delta += std::exp(m) - std::exp(b);
    }
  }
  const auto n = static_cast<double>(got.tokens);
  EXPECT_NEAR(got.divergence.mean, divergence / n, 1e-3 * divergence / n);
  EXPECT_GT(got.divergence.mean, 0.05) << "the models must differ";
  EXPECT_NEAR(got.log_ratio.mean, ratio / n, 5e-4);
  EXPECT_NEAR(std::log(got.base_perplexity), base_nll / n, 5e-4);
  EXPECT_NEAR(got.delta_p.mean, delta / n, 1e-5);
  EXPECT_NEAR(got.perplexity / got.base_perplexity, std::exp(got.log_ratio.mean), 1e-9);
  // The same tokens as perplexity scores.
  const auto perplexity = quality::perplexity(model_, *backend_, text_, {.context = 64}).value();
  EXPECT_NEAR(got.perplexity, perplexity.perplexity, 1e-3 * perplexity.perplexity);
  EXPECT_EQ(got.divergence_items.at(3).id, perplexity.items.at(3).id);
}

TEST_F(Kl, OfAModelFromItselfIsZero) {
  const auto got = quality::kl_divergence(base_, base_, *backend_, text_, options_).value();
  EXPECT_NEAR(got.divergence.mean, 0, 1e-12);
  EXPECT_EQ(got.same_top, got.tokens);
  EXPECT_EQ(got.rms_delta_p, 0);
}

TEST_F(Kl, BaseFileAgreesWithSideBySide) {
  const auto exact = quality::kl_divergence(base_, model_, *backend_, text_, options_).value();
  for (const std::uint32_t top_k : {16U, 1000U}) {
    ASSERT_TRUE(quality::save_base(base_, *backend_, text_, options_, top_k, path_));
    const auto file = quality::BaseFile::open(path_).value();
    const auto got = quality::kl_divergence(file, model_, *backend_, text_, options_).value();
    EXPECT_EQ(got.lower_bound, top_k == 16);
    EXPECT_EQ(got.same_top, exact.same_top);
    EXPECT_NEAR(got.log_ratio.mean, exact.log_ratio.mean, 1e-6);
    EXPECT_NEAR(got.log_ratio.standard_error, exact.log_ratio.standard_error, 1e-6);
    EXPECT_NEAR(got.rms_delta_p, exact.rms_delta_p, 1e-6);
    if (top_k == 16) {
      EXPECT_LT(got.divergence.mean, exact.divergence.mean);
      EXPECT_GT(got.divergence.mean, 0.1 * exact.divergence.mean);
    } else {  // the whole vocabulary
      EXPECT_NEAR(got.divergence.mean, exact.divergence.mean, 1e-6);
    }
  }
}

TEST_F(Kl, OtherTokensAreRefused) {
  ASSERT_TRUE(quality::save_base(base_, *backend_, text_, options_, 8, path_));
  const auto file = quality::BaseFile::open(path_).value();
  std::string other = text_;
  other[100] = '!';
  const auto refused = quality::kl_divergence(file, model_, *backend_, other, options_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kUsage);
  EXPECT_NE(refused.error().message.find("other tokens"), std::string::npos);
  // Fewer chunks than the file has are fine.
  options_.max_chunks = 2;
  EXPECT_EQ(quality::kl_divergence(file, model_, *backend_, text_, options_).value().chunks, 2U);
}

TEST_F(Kl, CancelledKeepsWhatIsDone) {
  int asked = 0;
  options_.cancelled = [&asked] { return ++asked > 3; };
  const auto got = quality::kl_divergence(base_, model_, *backend_, text_, options_).value();
  EXPECT_EQ(got.chunks, 3U);
  EXPECT_EQ(got.asked_chunks, 6U);
  asked = 3;
  EXPECT_FALSE(quality::kl_divergence(base_, model_, *backend_, text_, options_));
  asked = 0;
  EXPECT_FALSE(quality::save_base(base_, *backend_, text_, options_, 8, path_));
  EXPECT_FALSE(std::filesystem::exists(path_));
}

}  // namespace
}  // namespace edgelm::conformance
