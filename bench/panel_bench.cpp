// Panel products of every packed type on every instruction set, one thread: one token (decode) as
// GB/s of packed weights, from memory and from L2, and as a share of the read probe over the same
// memory; several tokens as GMAC/s and as a share of what the processor reaches with the
// instructions of the kernel alone (kernels/probe/mixes.h). All rates are per second of thread CPU
// time, so that a shared machine does not blur them.
//   taskset -c 1 panel_bench --benchmark_filter='avx2/Q4_K'

#include <benchmark/benchmark.h>
#include <time.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "kernels/kernels.h"
#include "kernels/probe/mixes.h"
#include "os/pages.h"
#include "support/random_blocks.h"

namespace edgelm::kernels {
namespace {

constexpr std::size_t kMemoryBytes = std::size_t{256} << 20;  // far more than fits near a core
constexpr std::size_t kL2Bytes = std::size_t{256} << 10;      // more than L1, less than L2

// Of the calling thread: other work on the machine does not count.
double thread_cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

// The best of ten runs, each a few milliseconds.
double peak_macs_per_second(const Mix& mix) {
  constexpr std::int64_t kRounds = 1'000'000;
  double best = 0;
  for (int i = 0; i < 10; ++i) {
    const double start = thread_cpu_seconds();
    mix.run(kRounds);
    const double seconds = thread_cpu_seconds() - start;
    if (seconds > 0) best = std::max(best, mix.macs_per_round * kRounds / seconds);
  }
  return best;
}

struct Shape {
  std::size_t rows, cols;
};

// Memory in huge pages, as the backend's weights: with 4 KiB pages under nested paging (a virtual
// machine) one token runs at 0.65 of the probe in place of 0.95.
template <class T>
class Array {
 public:
  explicit Array(std::size_t count) : pages_(std::max(count * sizeof(T), os::kHugePageBytes)) {
    std::memset(pages_.data(), 1, pages_.size());
  }
  [[nodiscard]] T* get() const { return reinterpret_cast<T*>(pages_.data()); }

 private:
  os::Pages pages_;
};

// GB/s of the set's read probe over a region of this size: the best of some runs.
double probe_speed(const Kernels& set, const std::byte* memory, std::size_t bytes) {
  bytes = bytes / 512 * 512;
  const int passes = std::max(1, static_cast<int>(kMemoryBytes / bytes));
  double best = 0;
  for (int run = 0; run < 5; ++run) {
    const double start = thread_cpu_seconds();
    for (int i = 0; i < passes; ++i) benchmark::DoNotOptimize(set.read_probe(memory, bytes));
    const double seconds = thread_cpu_seconds() - start;
    best = std::max(best, 1e-9 * passes * static_cast<double>(bytes) / seconds);
  }
  return best;
}

// The instructions that a kernel for several tokens cannot do without.
const Mix& mix_of([[maybe_unused]] const Kernels& set, [[maybe_unused]] tensor::DType type) {
#if defined(EDGELM_X86)
  if (set.isa == Isa::kAvx512) return kVnni512;
  if (set.isa == Isa::kAvxVnni) return kVnni256;
  return type == tensor::DType::kQ8_0 ? kWide : kInt16;
#elif defined(EDGELM_ARM)
  return set.isa == Isa::kI8mm ? kI8mm : kDotprod;
#else
  static constexpr Mix kNone{"none", 0, [](std::int64_t) {}};
  return kNone;
#endif
}

double peak_of(const Mix& mix) {
  static std::map<std::string_view, double> measured;
  const auto [at, is_new] = measured.try_emplace(mix.name, 0);
  if (is_new) at->second = peak_macs_per_second(mix);
  return at->second;
}

// Packed weights, as many copies of a matrix as `bytes` hold, and activations for some tokens.
struct Problem {
  Problem(const Kernels& set, tensor::DType type, Shape shape, std::size_t n_tokens,
          std::size_t bytes)
      : matrix_bytes((shape.rows + kPanelRows - 1) / kPanelRows * panel_bytes(type, shape.cols)),
        copies(bytes / matrix_bytes + 1),
        panels(copies * matrix_bytes),
        x(n_tokens * shape.cols),
        q(n_tokens * shape.cols),
        scale(n_tokens * shape.cols / kGroup),
        sum(n_tokens * shape.cols / kGroup),
        bias(n_tokens * shape.cols / 8),
        wide(n_tokens * shape.cols),
        out(n_tokens * shape.rows) {
    Random random(1);
    const tensor::DTypeInfo& info = tensor::dtype_info(type);
    std::vector<std::byte> blocks(shape.rows * shape.cols / info.block_elements * info.block_bytes);
    test::fill_blocks(type, shape.rows * shape.cols, test::Blocks::kRandom, random, blocks.data());
    pack_panels(type, blocks.data(), shape.rows, shape.cols, 0,
                (shape.rows + kPanelRows - 1) / kPanelRows, panels.get());
    for (std::size_t i = 1; i < copies; ++i)
      std::memcpy(panels.get() + i * matrix_bytes, panels.get(), matrix_bytes);
    const std::size_t n = n_tokens * shape.cols;
    for (std::size_t i = 0; i < n; ++i) x.get()[i] = random.uniform(-1, 1);
    set.quantize(x.get(), n, q.get(), scale.get(), sum.get());
    panel_bias_scalar(q.get(), n, bias.get());
    panel_wide_scalar(q.get(), n, wide.get());
    args.panel_bytes = panel_bytes(type, shape.cols);
    args.cols = shape.cols;
    args.row_end = shape.rows;
    args.x.q = q.get();
    args.x.q_stride = shape.cols;
    args.x.scale = scale.get();
    args.x.scaled_sum = sum.get();
    args.x.scale_stride = shape.cols / kGroup;
    args.x.bias = bias.get();
    args.x.wide = wide.get();
    args.n_tokens = n_tokens;
    args.out = out.get();
    args.out_stride = shape.rows;
  }

  void run(PanelFn function) {
    args.panels = panels.get() + copy * matrix_bytes;
    copy = (copy + 1) % copies;
    function(args);
    benchmark::ClobberMemory();
  }

  std::size_t matrix_bytes, copies, copy = 0;
  Array<std::byte> panels;
  Array<float> x;
  Array<std::int8_t> q;
  Array<float> scale, sum;
  Array<std::int16_t> bias, wide;
  Array<float> out;
  PanelArgs args;
};

// Seconds of thread CPU time per iteration.
template <class Run>
double timed(benchmark::State& state, Run run) {
  const double start = thread_cpu_seconds();
  for (auto _ : state) run();
  return (thread_cpu_seconds() - start) / static_cast<double>(state.iterations());
}

void one_token(benchmark::State& state, const Kernels& set, tensor::DType type, Shape shape,
               std::size_t bytes) {
  Problem problem(set, type, shape, 1, bytes);
  const double probe =
      probe_speed(set, problem.panels.get(), problem.copies * problem.matrix_bytes);
  const double seconds = timed(state, [&] { problem.run(set.panel(type)); });
  const double speed = 1e-9 * static_cast<double>(problem.matrix_bytes) / seconds;
  state.counters["GB/s"] = speed;
  state.counters["of_probe"] = speed / probe;
}

void several_tokens(benchmark::State& state, const Kernels& set, tensor::DType type, Shape shape,
                    std::size_t n_tokens) {
  Problem problem(set, type, shape, n_tokens, 1);
  const Mix& mix = mix_of(set, type);
  const double seconds = timed(state, [&] { problem.run(set.panel(type)); });
  const double speed = static_cast<double>(shape.rows * shape.cols * n_tokens) / seconds;
  state.counters["GMAC/s"] = 1e-9 * speed;
  state.counters["of_peak"] = speed / peak_of(mix);
  state.SetLabel(std::string(mix.name));
}

template <class Run>
void add(const std::string& name, Run run) {
  benchmark::RegisterBenchmark(name.c_str(), run)->MinTime(0.1);
}

const bool kRegistered = [] {
  for (const Mix* mix : mixes_here()) {
    add("mix/" + std::string(mix->name), [mix](benchmark::State& state) {
      constexpr std::int64_t kRounds = 10000;
      const double seconds = timed(state, [mix] { mix->run(kRounds); });
      state.counters["GMAC/s"] = 1e-9 * mix->macs_per_round * kRounds / seconds;
    });
  }
  for (const Kernels* set : all_kernels()) {
    if (!runs_here(*set)) continue;
    test::for_each_type([&](tensor::DType type) {
      if (set->panel(type) == nullptr) return;
      const std::string name =
          std::string(set->name) + "/" + std::string(tensor::dtype_info(type).name);
      add("memory/" + name, [=](benchmark::State& state) {
        one_token(state, *set, type, {2048, 2048}, kMemoryBytes);
      });
      add("L2/" + name, [=](benchmark::State& state) {
        const std::size_t panels = kL2Bytes / panel_bytes(type, 2048);
        one_token(state, *set, type, {panels * kPanelRows, 2048}, 1);
      });
      for (const std::size_t n_tokens : {2u, 4u, 8u, 128u}) {
        add("tokens:" + std::to_string(n_tokens) + "/" + name, [=](benchmark::State& state) {
          several_tokens(state, *set, type, {2048, 2048}, n_tokens);
        });
      }
    });
  }
  return true;
}();

}  // namespace
}  // namespace edgelm::kernels
