// Matmul of every tensor type on every instruction set: one token (decode: GB/s of weights) and 128
// tokens (prefill: GMAC/s), single thread; and the read bandwidth that decode can hope for.
//   matmul_bench --benchmark_filter='avx2/Q4_K'

#include <benchmark/benchmark.h>

#include <memory>
#include <string>
#include <vector>

#include "kernels/kernels.h"
#include "support/random_blocks.h"

namespace edgelm::kernels {
namespace {

struct Shape {
  std::size_t rows, cols;
};

struct Free {
  void operator()(void* memory) const { std::free(memory); }
};

template <class T>
std::unique_ptr<T[], Free> allocate(std::size_t count) {
  const std::size_t bytes = (count * sizeof(T) + 63) / 64 * 64;
  return std::unique_ptr<T[], Free>(static_cast<T*>(std::aligned_alloc(64, bytes)));
}

// Enough copies of a matrix that decode reads them from memory and not from a cache.
constexpr std::size_t kDecodeBytes = std::size_t{64} << 20;

void matmul(benchmark::State& state, const Kernels& set, tensor::DType type, Shape shape,
            std::size_t n_tokens) {
  const tensor::DTypeInfo& info = tensor::dtype_info(type);
  const std::size_t row_bytes = shape.cols / info.block_elements * info.block_bytes;
  const std::size_t matrix_bytes = shape.rows * row_bytes;
  const std::size_t copies = n_tokens == 1 ? kDecodeBytes / matrix_bytes + 1 : 1;
  const auto weights = allocate<std::byte>(copies * matrix_bytes);
  const auto x = allocate<float>(n_tokens * shape.cols);
  const auto q = allocate<std::int8_t>(n_tokens * shape.cols);
  const auto scale = allocate<float>(n_tokens * shape.cols / kGroup);
  const auto sum = allocate<float>(n_tokens * shape.cols / kGroup);
  const auto out = allocate<float>(n_tokens * shape.rows);
  Random random(1);
  test::fill_blocks(type, shape.rows * shape.cols, test::Blocks::kRandom, random, weights.get());
  for (std::size_t i = 1; i < copies; ++i) {
    std::memcpy(weights.get() + i * matrix_bytes, weights.get(), matrix_bytes);
  }
  for (std::size_t i = 0; i < n_tokens * shape.cols; ++i) x[i] = random.uniform(-1, 1);
  set.quantize(x.get(), n_tokens * shape.cols, q.get(), scale.get(), sum.get());

  MatmulArgs args;
  args.row_bytes = row_bytes;
  args.cols = shape.cols;
  args.row_end = shape.rows;
  args.x = {x.get(), shape.cols, q.get(), shape.cols, scale.get(), sum.get(), shape.cols / kGroup};
  args.n_tokens = n_tokens;
  args.out = out.get();
  args.out_stride = shape.rows;
  const MatmulFn run = set.matmul(type);
  std::size_t copy = 0;
  for (auto _ : state) {
    args.weights = weights.get() + copy * matrix_bytes;
    copy = (copy + 1) % copies;
    run(args);
    benchmark::ClobberMemory();
  }
  const auto per_second = [&state](double amount) {
    return benchmark::Counter(amount * static_cast<double>(state.iterations()) * 1e-9,
                              benchmark::Counter::kIsRate);
  };
  state.counters["GB/s"] = per_second(static_cast<double>(matrix_bytes));
  state.counters["GMAC/s"] = per_second(static_cast<double>(shape.rows * shape.cols * n_tokens));
}

void read_probe(benchmark::State& state, const Kernels& set) {
  const auto memory = allocate<std::uint64_t>(kDecodeBytes / 8);
  std::memset(memory.get(), 1, kDecodeBytes);
  for (auto _ : state) benchmark::DoNotOptimize(set.read_probe(memory.get(), kDecodeBytes));
  state.counters["GB/s"] = benchmark::Counter(
      static_cast<double>(kDecodeBytes) * static_cast<double>(state.iterations()) * 1e-9,
      benchmark::Counter::kIsRate);
}

void quantize(benchmark::State& state, const Kernels& set) {
  constexpr std::size_t kCols = 2048;
  std::vector<float> x(kCols), scale(kCols / kGroup), sum(kCols / kGroup);
  std::vector<std::int8_t> q(kCols);
  Random random(1);
  for (float& value : x) value = random.uniform(-1, 1);
  for (auto _ : state) {
    set.quantize(x.data(), kCols, q.data(), scale.data(), sum.data());
    benchmark::ClobberMemory();
  }
}

const bool kRegistered = [] {
  for (const Kernels* set : all_kernels()) {
    if (!runs_here(*set)) continue;
    const std::string name(set->name);
    benchmark::RegisterBenchmark(("read_probe/" + name).c_str(),
                                 [set](benchmark::State& state) { read_probe(state, *set); });
    benchmark::RegisterBenchmark(("quantize/" + name + "/2048").c_str(),
                                 [set](benchmark::State& state) { quantize(state, *set); });
    test::for_each_type([&](tensor::DType type) {
      for (const Shape shape : {Shape{2048, 2048}, Shape{896, 4864}, Shape{4864, 896}}) {
        const tensor::DTypeInfo& info = tensor::dtype_info(type);
        if (shape.cols % info.block_elements != 0) continue;
        for (const std::size_t n_tokens : {1u, 4u, 128u}) {
          if (set->isa == Isa::kScalar && n_tokens > 4) continue;
          const std::string label = "matmul/" + name + "/" + std::string(info.name) + "/" +
                                    std::to_string(shape.rows) + "x" + std::to_string(shape.cols) +
                                    "/tokens:" + std::to_string(n_tokens);
          benchmark::RegisterBenchmark(label.c_str(), [=](benchmark::State& state) {
            matmul(state, *set, type, shape, n_tokens);
          });
        }
      }
    });
  }
  return true;
}();

}  // namespace
}  // namespace edgelm::kernels
