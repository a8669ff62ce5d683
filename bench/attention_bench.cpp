// Speed of attention over a cache that does not fit the caches near the core, single-threaded, as
// multiply-adds per second, as a share of the float32 peak measured in the same process, and as
// bytes of cache read per second. Run by hand, pinned: taskset -c 1 attention_bench.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "base/half.h"
#include "base/random.h"
#include "kernels/kernels.h"
#include "os/clock.h"
#include "os/pages.h"

namespace edgelm::kernels {
namespace {

#if defined(EDGELM_X86)
constexpr double kLanes = 8;
using Vector = __m256;
EDGELM_AVX2 void fma_rounds(Vector* acc, std::int64_t rounds) {
  Vector x[12];
  for (int i = 0; i < 12; ++i) x[i] = acc[i];
  const Vector one = _mm256_set1_ps(0.999F);
  for (std::int64_t round = 0; round < rounds; ++round)
    for (int i = 0; i < 12; ++i) x[i] = _mm256_fmadd_ps(x[i], one, one);
  for (int i = 0; i < 12; ++i) acc[i] = x[i];
}
#elif defined(EDGELM_ARM)
constexpr double kLanes = 4;
using Vector = float32x4_t;
void fma_rounds(Vector* acc, std::int64_t rounds) {
  Vector x[12];
  for (int i = 0; i < 12; ++i) x[i] = acc[i];
  const Vector one = vdupq_n_f32(0.999F);
  for (std::int64_t round = 0; round < rounds; ++round)
    for (int i = 0; i < 12; ++i) x[i] = vfmaq_f32(one, x[i], one);
  for (int i = 0; i < 12; ++i) acc[i] = x[i];
}
#endif

// Multiply-adds per second of one core: the best of short runs.
double fma_peak() {
  static const double peak = [] {
    constexpr std::int64_t kRounds = 1'000'000;
    double best = 0;
    Vector acc[12] = {};
    for (int repeat = 0; repeat < 20; ++repeat) {
      const std::int64_t start = os::now_ns();
      fma_rounds(acc, kRounds);
      benchmark::DoNotOptimize(acc);
      best = std::max(best, 12 * kLanes * kRounds / os::ns_to_s(os::now_ns() - start));
    }
    return best;
  }();
  return peak;
}

struct Shape {
  std::size_t group, dim, n_tokens, n_positions, n_heads;
  bool q8_0;
};

// n_heads caches (layers x KV heads), one after the other.
class Problem {
 public:
  static constexpr std::size_t kBlockTokens = 32;

  explicit Problem(const Shape& shape)
      : shape_(shape),
        layout_((shape.q8_0 ? kv_layout_q8_0 : kv_layout_f16)(kBlockTokens, shape.dim, shape.dim)),
        n_rows_(shape.group * shape.n_tokens),
        cache_((shape.n_positions + kBlockTokens - 1) / kBlockTokens * shape.n_heads *
               layout_.bytes),
        q_(n_rows_ * shape.dim),
        scratch_(attention_scratch_floats(shape.dim, shape.dim, n_rows_)),
        state_(2 * n_rows_ * (2 + attention_out_stride(shape.dim))) {
    Random random(1);
    // Halves and int8 alike: exponents kept small.
    for (std::size_t i = 0; i + 1 < cache_.size(); i += 2) {
      const std::uint16_t half = float_to_half(random.uniform(-1, 1));
      std::memcpy(cache_.data() + i, &half, 2);
    }
    for (float& value : q_) value = random.uniform(-0.2F, 0.2F);
    for (std::size_t b = 0; b * shape.n_heads * layout_.bytes < cache_.size(); ++b)
      blocks_.push_back(cache_.data() + b * shape.n_heads * layout_.bytes);
    for (std::size_t t = 0; t < shape.n_tokens; ++t)
      positions_.push_back(static_cast<std::uint32_t>(shape.n_positions - shape.n_tokens + t));
  }

  void run(AttentionFn attention, std::size_t head) {
    AttentionArgs args;
    args.kv = {blocks_.data(), kBlockTokens, head * layout_.bytes, layout_, shape_.dim, shape_.dim};
    args.q = q_.data();
    args.n_rows = n_rows_;
    args.rows_per_token = shape_.group;
    args.positions = positions_.data();
    args.scratch = scratch_.data();
    args.partial = partial(0);
    for (std::size_t begin = 0; begin < shape_.n_positions; begin += kAttentionSpan) {
      args.begin = begin;
      args.end = std::min(begin + kAttentionSpan, shape_.n_positions);
      attention(args);
      merge_partials(n_rows_, shape_.dim, args.partial, partial(1));
    }
  }

  [[nodiscard]] double bytes() const {
    return static_cast<double>(shape_.n_positions * layout_.bytes) / kBlockTokens;
  }
  [[nodiscard]] double multiply_adds() const {
    double visible = 0;
    for (const std::uint32_t position : positions_) visible += position + 1.0;
    return visible * static_cast<double>(shape_.group * 2 * shape_.dim);
  }

 private:
  AttentionPartial partial(std::size_t which) {
    float* at = state_.data() + which * n_rows_ * (2 + attention_out_stride(shape_.dim));
    return {at, at + n_rows_, at + 2 * n_rows_};
  }

  Shape shape_;
  KvLayout layout_;
  std::size_t n_rows_;
  os::Pages cache_;
  std::vector<const std::byte*> blocks_;
  std::vector<std::uint32_t> positions_;
  std::vector<float> q_, scratch_, state_;
};

void attention(benchmark::State& state, const Kernels* kernels, const Shape& shape) {
  Problem problem(shape);
  const double peak = fma_peak();
  std::size_t head = 0;
  for (auto _ : state) {
    problem.run(shape.q8_0 ? kernels->attention_q8_0 : kernels->attention_f16, head);
    head = (head + 1) % shape.n_heads;
    benchmark::ClobberMemory();
  }
  const auto n = static_cast<double>(state.iterations());
  using benchmark::Counter;
  state.counters["MAC"] = Counter(n * problem.multiply_adds(), Counter::kIsRate);
  state.counters["of_peak"] = Counter(n * problem.multiply_adds() / peak, Counter::kIsRate);
  state.counters["B"] = Counter(n * problem.bytes(), Counter::kIsRate);
}

void register_all(const Kernels* kernels) {
  struct Model {
    const char* name;
    std::size_t group, dim;
  };
  constexpr Model kModels[] = {{"tinyllama", 8, 64},    {"llama3.2-1b", 4, 64}, {"smollm2", 3, 64},
                               {"qwen2.5-0.5b", 7, 64}, {"qwen3", 2, 128},      {"mha", 1, 64}};
  for (const Model& model : kModels) {
    for (const bool q8_0 : {false, true}) {
      const std::string name =
          std::string(kernels->name) + "/" + model.name + (q8_0 ? "/q8_0" : "/f16");
      const auto add = [&](const char* what, std::size_t n_tokens, std::size_t n_positions,
                           std::size_t n_heads) {
        const Shape shape{model.group, model.dim, n_tokens, n_positions, n_heads, q8_0};
        benchmark::RegisterBenchmark((name + what).c_str(), [kernels, shape](auto& state) {
          attention(state, kernels, shape);
        });
      };
      add("/decode4096", 1, 4096, 64);
      add("/decode512", 1, 512, 512);
      add("/decode512_in_l2", 1, 512, 1);
      add("/prefill512", 128 / model.group, 512, 16);
      add("/prefill2048", 128 / model.group, 2048, 16);
    }
  }
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
