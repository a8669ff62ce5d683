// Speed of the float kernels (norm, elementwise, rope, attention) of every instruction set that
// runs here, on the shapes of small models. Run by hand: float_kernels_bench
// --benchmark_filter=avx2.

#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "base/half.h"
#include "base/random.h"
#include "kernels/kernels.h"
#include "kernels/rope/rope.h"

namespace edgelm::kernels {
namespace {

std::vector<float> random_floats(std::size_t n, std::uint64_t seed) {
  Random random(seed);
  std::vector<float> values(n);
  for (float& value : values) value = random.uniform(-2, 2);
  return values;
}

// One KV head with its group of query heads, as decode sees it. Reports the bytes of K and V read
// and the multiply-adds done; each layer of a model does this n_kv_heads times per token.
void attention(benchmark::State& state, const Kernels* kernels) {
  const auto n_heads = static_cast<std::size_t>(state.range(0));
  const auto dim = static_cast<std::size_t>(state.range(1));
  const auto n_positions = static_cast<std::size_t>(state.range(2));
  constexpr std::size_t kBlockTokens = 32;
  const std::size_t n_blocks = (n_positions + kBlockTokens - 1) / kBlockTokens;
  const std::size_t block_elements = 2 * kBlockTokens * dim;
  std::vector<std::uint16_t> cache(n_blocks * block_elements);
  Random random(1);
  for (std::uint16_t& half : cache) half = float_to_half(random.uniform(-1, 1));
  std::vector<const std::uint16_t*> blocks(n_blocks);
  for (std::size_t b = 0; b < n_blocks; ++b) blocks[b] = cache.data() + b * block_elements;
  const std::vector<float> q = random_floats(n_heads * dim, 2);
  std::vector<float> out(n_heads * dim);
  AttentionArgs args{.q = q.data(), .n_heads = n_heads, .k_dim = dim, .v_dim = dim};
  args.blocks = blocks.data();
  args.v_offset = kBlockTokens * dim;
  args.block_tokens = kBlockTokens;
  args.n_positions = n_positions;
  args.scale = 0.1f;
  args.score_stride = (n_positions + 15) / 16 * 16;
  std::vector<float> scores(n_heads * args.score_stride);
  args.scores = scores.data();
  args.out = out.data();
  for (auto _ : state) {
    kernels->attention(args);
    benchmark::DoNotOptimize(out.data());
    benchmark::ClobberMemory();
  }
  const auto steps = static_cast<double>(state.iterations());
  const auto elements = static_cast<double>(2 * dim * n_positions);
  state.counters["bytes"] = benchmark::Counter(steps * 2 * elements, benchmark::Counter::kIsRate);
  state.counters["fma"] = benchmark::Counter(steps * elements * static_cast<double>(n_heads),
                                             benchmark::Counter::kIsRate);
}

void rms_norm(benchmark::State& state, const Kernels* kernels) {
  const auto n = static_cast<std::size_t>(state.range(0));
  const std::vector<float> x = random_floats(n, 1), weight = random_floats(n, 2);
  std::vector<float> out(n);
  for (auto _ : state) {
    kernels->rms_norm(x.data(), weight.data(), n, 1e-5f, out.data());
    benchmark::DoNotOptimize(out.data());
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

void silu_mul(benchmark::State& state, const Kernels* kernels) {
  const auto n = static_cast<std::size_t>(state.range(0));
  const std::vector<float> gate = random_floats(n, 1), up = random_floats(n, 2);
  std::vector<float> out(n);
  for (auto _ : state) {
    kernels->silu_mul(gate.data(), up.data(), n, out.data());
    benchmark::DoNotOptimize(out.data());
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

void to_half(benchmark::State& state, const Kernels* kernels) {
  const auto n = static_cast<std::size_t>(state.range(0));
  const std::vector<float> x = random_floats(n, 1);
  std::vector<std::uint16_t> out(n);
  for (auto _ : state) {
    kernels->to_half(x.data(), n, out.data());
    benchmark::DoNotOptimize(out.data());
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

template <RopeFn Kernels::*kRope>
void rope(benchmark::State& state, const Kernels* kernels) {
  const auto n = static_cast<std::size_t>(state.range(0));
  std::vector<float> head = random_floats(n, 1);
  const std::vector<float> cos(n / 2, 0.6f), sin(n / 2, 0.8f);
  for (auto _ : state) {
    (kernels->*kRope)(head.data(), n, cos.data(), sin.data());
    benchmark::DoNotOptimize(head.data());
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

void register_all(const Kernels* kernels) {
  const std::string isa(kernels->name);
  auto* attend = benchmark::RegisterBenchmark((isa + "/attention").c_str(), attention, kernels);
  attend->ArgNames({"heads", "dim", "positions"});
  for (const std::int64_t positions : {128, 1024, 4096}) {
    attend->Args({3, 64, positions});   // SmolLM2 135M
    attend->Args({4, 64, positions});   // Llama 3.2 1B
    attend->Args({7, 64, positions});   // Qwen2.5 0.5B
    attend->Args({2, 128, positions});  // Qwen3 0.6B
    attend->Args({4, 256, positions});  // Gemma 3 1B
    attend->Args({1, 80, positions});   // one head alone
  }
  benchmark::RegisterBenchmark((isa + "/rms_norm").c_str(), rms_norm, kernels)->Arg(576)->Arg(2048);
  benchmark::RegisterBenchmark((isa + "/silu_mul").c_str(), silu_mul, kernels)
      ->Arg(1536)
      ->Arg(8192);
  benchmark::RegisterBenchmark((isa + "/to_half").c_str(), to_half, kernels)->Arg(512);
  benchmark::RegisterBenchmark((isa + "/rope_interleaved").c_str(),
                               rope<&Kernels::rope_interleaved>, kernels)
      ->Arg(64)
      ->Arg(128);
  benchmark::RegisterBenchmark((isa + "/rope_half").c_str(), rope<&Kernels::rope_half>, kernels)
      ->Arg(64)
      ->Arg(128);
}

}  // namespace
}  // namespace edgelm::kernels

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  for (const edgelm::kernels::Kernels* kernels : edgelm::kernels::all_kernels())
    if (edgelm::kernels::runs_here(*kernels)) edgelm::kernels::register_all(kernels);
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
