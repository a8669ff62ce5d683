// Speed of the float kernels (norm, elementwise, rope) of every instruction set that
// runs here, on the shapes of small models. Run by hand: float_kernels_bench
// --benchmark_filter=avx2.

#include <benchmark/benchmark.h>

#include <string>
#include <vector>

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
