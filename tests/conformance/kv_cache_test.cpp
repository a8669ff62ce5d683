// The cache of keys and values over several spans of attention: the same bits for any number of
// threads, chunk and block size, for every type of cache; and q8_0 close to f16.

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "base/random.h"
#include "fixture_model.h"
#include "runner.h"

namespace edgelm::conformance {
namespace {

constexpr std::uint32_t kPrompt = 1090;  // over two spans of 512, and into the third
constexpr std::uint32_t kDecoded = 5;

struct Schedule {
  std::uint32_t n_threads = 1;
  std::uint32_t chunk = 256;
  std::uint32_t block_tokens = 32;
  plan::KvType kv_type = plan::KvType::kF16;
};

std::shared_ptr<const model::Model> fixture(std::string_view name) {
  static std::string bytes;  // the model refers to it
  bytes = fixture_gguf(*find_fixture(name));
  return model::Model::parse(as_byte_span(bytes), std::string(name)).value();
}

// Logits of the prompt's end and of every token decoded after it; the ids are random.
std::vector<float> last_logits(const std::shared_ptr<const model::Model>& model,
                               const Schedule& schedule) {
  const auto backend = backend::CpuBackend::create({.decode_threads = schedule.n_threads}).value();
  const auto executor = backend
                            ->compile(model->plan(), {.context_tokens = kPrompt + kDecoded,
                                                      .batch_tokens = schedule.chunk,
                                                      .logit_rows = 1,
                                                      .kv_block_tokens = schedule.block_tokens,
                                                      .kv_type = schedule.kv_type})
                            .value();
  std::vector<std::uint32_t> blocks(executor->n_kv_blocks());
  std::iota(blocks.rbegin(), blocks.rend(), 0U);
  std::vector<std::uint32_t> positions(kPrompt + kDecoded);
  std::iota(positions.begin(), positions.end(), 0U);
  const std::vector<std::uint32_t> sequence_of(positions.size(), 0);
  Random random(7);
  std::vector<std::int32_t> ids;
  ids.reserve(positions.size());
  for (std::size_t i = 0; i < positions.size(); ++i)
    ids.push_back(static_cast<std::int32_t>(random.below(model->hparams().n_vocab)));
  const backend::SequenceView sequence{blocks};
  std::vector<float> logits;
  for (std::size_t begin = 0; begin < ids.size();) {
    const std::size_t n =
        begin < kPrompt ? std::min<std::size_t>(schedule.chunk, kPrompt - begin) : 1;
    const auto last = static_cast<std::uint32_t>(n - 1);
    const auto status = executor->run({.ids = std::span(ids).subspan(begin, n),
                                       .positions = std::span(positions).subspan(begin, n),
                                       .sequence_of = std::span(sequence_of).first(n),
                                       .sequences = {&sequence, 1},
                                       .logit_tokens = {&last, 1}});
    EXPECT_TRUE(status);
    begin += n;
    if (begin < kPrompt) continue;
    const auto row = executor->logits(0);
    logits.insert(logits.end(), row.begin(), row.end());
  }
  return logits;
}

TEST(KvCache, SameBitsForAnyScheduleAndBlockSize) {
  const auto model = fixture("llama_f32");
  for (const plan::KvType type : {plan::KvType::kF16, plan::KvType::kQ8_0}) {
    SCOPED_TRACE(plan::kv_type_name(type));
    const std::vector<float> expected = last_logits(model, {.kv_type = type});
    for (const Schedule& other : {Schedule{2, 256, 32, type},
                                  {3, 100, 32, type},
                                  {2, 7, 24, type},
                                  {1, 256, 64, type},
                                  {3, 64, 13, type}})
      EXPECT_TRUE(last_logits(model, other) == expected)
          << other.n_threads << " threads, chunk " << other.chunk << ", block "
          << other.block_tokens;
  }
}

TEST(KvCache, Q8_0IsCloseToF16) {
  const auto model = fixture("qwen2_f32");
  const std::vector<float> exact = last_logits(model, {});
  const std::vector<float> small = last_logits(model, {.kv_type = plan::KvType::kQ8_0});
  ASSERT_EQ(exact.size(), small.size());
  double difference = 0, size = 0;
  for (std::size_t i = 0; i < exact.size(); ++i) {
    difference += std::pow(static_cast<double>(exact[i]) - static_cast<double>(small[i]), 2);
    size += std::pow(static_cast<double>(exact[i]), 2);
  }
  EXPECT_GT(difference, 0);
  EXPECT_LT(std::sqrt(difference / size), 0.02);
}

TEST(KvCache, Q8_0RefusesHeadsItCannotGroup) {
  const auto model = fixture("llama_odd_f32");
  const auto backend = backend::CpuBackend::create({.decode_threads = 1}).value();
  const auto executor = backend->compile(
      model->plan(),
      {.context_tokens = 64, .batch_tokens = 1, .logit_rows = 1, .kv_type = plan::KvType::kQ8_0});
  ASSERT_FALSE(executor);
  EXPECT_EQ(executor.error().code, ErrorCode::kUnsupported);
  EXPECT_NE(executor.error().message.find("12 key and 12 value dims"), std::string::npos)
      << executor.error().message;
}

}  // namespace
}  // namespace edgelm::conformance
