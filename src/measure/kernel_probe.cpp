// Matrices of 2048 columns cut out of the probe's buffer, one after the other, so that decode finds
// none of its weights in a cache; a matrix per thread that stays in its second-level cache; and
// blocks of 256 tokens, as prefill runs them.

#include "measure/kernel_probe.h"

#include <algorithm>
#include <cstring>

#include "base/random.h"
#include "kernels/panel/layout.h"
#include "measure/thread_rates.h"
#include "os/clock.h"
#include "os/pages.h"

namespace edgelm::measure {
namespace {

using Member = threads::ThreadPool::Member;

constexpr std::size_t kCols = 2048;
constexpr std::size_t kRowGrain = 32;           // as backend/cpu/cpu_matmul.cpp
constexpr std::size_t kMatrixBytes = 4U << 20;  // of decode: a layer's matrix of a 1B model
constexpr std::size_t kMaxRows = 8192;
constexpr std::size_t kCachedBytes = 96U << 10;  // more than L1, less than a core's part of L2
constexpr std::size_t kTokens = 256;             // of a prefill step
// Of a matrix in prefill. A sample that has time for fewer rows, or for more, prepares as many of
// its inputs fewer or more, so that speeds of fast and slow devices, and of one thread and several,
// mean the same.
constexpr std::size_t kTypicalRows = 2048;
constexpr std::size_t kGroups = kCols / kernels::kGroup;

// Of os::Pages: huge ones where there are any.
template <class T>
class Array {
 public:
  explicit Array(std::size_t count) : pages_(std::max(count * sizeof(T), os::kHugePageBytes)) {}
  [[nodiscard]] T* get() const { return reinterpret_cast<T*>(pages_.data()); }

 private:
  os::Pages pages_;
};

}  // namespace

// Activations in every form that a kernel may want: kTokens rows for prefill, one per thread for
// decode (each thread prepares its own).
struct KernelProbe::Inputs {
  explicit Inputs(std::size_t rows)
      : f32(rows * kCols),
        q(rows * kCols),
        scale(rows * kGroups),
        sum(rows * kGroups),
        bias(rows * kGroups * 4),
        wide(rows * kCols),
        out(kTokens * kMaxRows) {
    Random random(2);
    for (std::size_t i = 0; i < rows * kCols; ++i) f32.get()[i] = random.uniform(-1, 1);
  }
  Array<float> f32;
  Array<std::int8_t> q;
  Array<float> scale, sum;
  Array<std::int16_t> bias, wide;
  Array<float> out;
};

// Rows of one type as they lie in the buffer.
struct KernelProbe::Rows {
  tensor::DType type;
  bool quantized;
  bool packed;
  kernels::PanelWants wants;
  std::size_t file_bytes;   // of a row, in a file
  std::size_t panel_bytes;  // of eight packed rows; of one row when it is not packed
  [[nodiscard]] std::size_t bytes(std::size_t n_rows) const {
    return packed ? n_rows / kernels::kPanelRows * panel_bytes : n_rows * panel_bytes;
  }
  // A multiple of the grain that takes about `bytes`, at least one grain.
  [[nodiscard]] std::size_t rows_in(std::size_t bytes_wanted) const {
    const std::size_t n = bytes_wanted / bytes(kRowGrain) * kRowGrain;
    return std::clamp(n, kRowGrain, kMaxRows);
  }
};

KernelProbe::KernelProbe(const kernels::Kernels& kernels, threads::ThreadPool& pool,
                         std::span<const std::byte> weights)
    : kernels_(&kernels),
      pool_(&pool),
      weights_(weights),
      inputs_(std::make_unique<Inputs>(std::max<std::size_t>(kTokens, pool.size()))) {}

KernelProbe::~KernelProbe() = default;

KernelProbe::Rows KernelProbe::rows_of(tensor::DType type) const {
  const tensor::DTypeInfo& info = tensor::dtype_info(type);
  Rows rows{type, info.quantized, kernels_->panel(type) != nullptr, {}, 0, 0};
  rows.file_bytes = kCols / info.block_elements * info.block_bytes;
  rows.panel_bytes = rows.packed ? kernels::panel_bytes(type, kCols) : rows.file_bytes;
  if (rows.packed) rows.wants = kernels_->panel_wants(type);
  return rows;
}

// As CpuExecutor::prepare.
void KernelProbe::prepare(const Rows& rows, std::size_t first, std::size_t count) {
  if (!rows.quantized) return;
  for (std::size_t i = first; i < first + count; ++i) {
    std::int8_t* const q = inputs_->q.get() + i * kCols;
    kernels_->quantize(inputs_->f32.get() + i * kCols, kCols, q, inputs_->scale.get() + i * kGroups,
                       inputs_->sum.get() + i * kGroups);
    if (rows.wants.bias) kernels_->panel_bias(q, kCols, inputs_->bias.get() + i * 4 * kGroups);
    if (rows.wants.wide && count > kernels::kFewTokens)
      kernels_->panel_wide(q, kCols, inputs_->wide.get() + i * kCols);
  }
}

void KernelProbe::multiply(const Rows& rows, const std::byte* weights, std::size_t begin,
                           std::size_t end, std::size_t first_input, std::size_t n_tokens,
                           float* out, std::size_t out_stride) {
  const kernels::Activations x{.f32 = inputs_->f32.get() + first_input * kCols,
                               .f32_stride = kCols,
                               .q = inputs_->q.get() + first_input * kCols,
                               .q_stride = kCols,
                               .scale = inputs_->scale.get() + first_input * kGroups,
                               .scaled_sum = inputs_->sum.get() + first_input * kGroups,
                               .scale_stride = kGroups,
                               .bias = inputs_->bias.get() + first_input * 4 * kGroups,
                               .wide = inputs_->wide.get() + first_input * kCols};
  if (rows.packed) {
    kernels_->panel(rows.type)({.panels = weights,
                                .panel_bytes = rows.panel_bytes,
                                .cols = kCols,
                                .row_begin = begin,
                                .row_end = end,
                                .x = x,
                                .n_tokens = n_tokens,
                                .out = out,
                                .out_stride = out_stride});
    return;
  }
  kernels_->matmul(rows.type)({.weights = weights,
                               .row_bytes = rows.file_bytes,
                               .cols = kCols,
                               .row_begin = begin,
                               .row_end = end,
                               .x = x,
                               .n_tokens = n_tokens,
                               .out = out,
                               .out_stride = out_stride});
}

double KernelProbe::run_decode(const Rows& rows, std::uint32_t n_threads, std::size_t n_matrices) {
  const std::size_t n_rows = rows.rows_in(kMatrixBytes);
  const std::size_t matrix = (rows.bytes(n_rows) + 63) / 64 * 64;
  std::size_t at = next_;
  auto work = [&](Member& member) {
    std::size_t place = at;
    for (std::size_t i = 0; i < n_matrices; ++i) {
      if (place + matrix > weights_.size()) place = 0;
      prepare(rows, member.index(), 1);
      member.share_out(n_rows, kRowGrain, [&](std::size_t begin, std::size_t end) {
        multiply(rows, weights_.data() + place, begin, end, member.index(), 1, inputs_->out.get(),
                 kMaxRows);
      });
      member.barrier();
      place += matrix;
    }
    if (member.index() == 0) next_ = place;
  };
  const std::int64_t start = os::now_ns();
  pool_->run(n_threads, work);
  const double seconds = os::ns_to_s(os::now_ns() - start);
  return static_cast<double>(n_matrices * n_rows * rows.file_bytes) / seconds;
}

double KernelProbe::pass(tensor::DType type, std::uint32_t n_threads, std::size_t passes) {
  const Rows rows = rows_of(type);
  const std::size_t matrix = (rows.bytes(rows.rows_in(kMatrixBytes)) + 63) / 64 * 64;
  return run_decode(rows, n_threads, passes * std::max<std::size_t>(1, weights_.size() / matrix));
}

double KernelProbe::run_cached(const Rows& rows, std::uint32_t n_threads, std::size_t passes) {
  const std::size_t n_rows = rows.rows_in(kCachedBytes);
  const std::size_t matrix = (rows.bytes(n_rows) + 63) / 64 * 64;
  const auto loop = [&](Member& member) {
    // A matrix and a part of the output for each.
    const std::byte* own = weights_.data() + member.index() * matrix;
    float* out = inputs_->out.get() + member.index() * kMaxRows;
    prepare(rows, member.index(), 1);
    for (std::size_t i = 0; i < passes; ++i)
      multiply(rows, own, 0, n_rows, member.index(), 1, out, kMaxRows);
  };
  return sum_of_rates(*pool_, n_threads, static_cast<double>(passes * n_rows * rows.file_bytes),
                      loop);
}

double KernelProbe::run_prefill(const Rows& rows, std::uint32_t n_threads, std::size_t n_rows) {
  auto work = [&](Member& member) {
    const auto range = member.share(kTokens);
    const std::size_t own = range.end - range.begin;
    for (std::size_t left = own * n_rows / kTypicalRows; left > 0; left -= std::min(left, own))
      prepare(rows, range.begin, std::min(left, own));
    member.barrier();
    member.share_out(n_rows, kRowGrain, [&](std::size_t begin, std::size_t end) {
      multiply(rows, weights_.data(), begin, end, 0, kTokens, inputs_->out.get(), kMaxRows);
    });
    member.barrier();
  };
  const std::int64_t start = os::now_ns();
  pool_->run(n_threads, work);
  const double seconds = os::ns_to_s(os::now_ns() - start);
  return static_cast<double>(n_rows * kCols * kTokens) / seconds;
}

std::size_t& KernelProbe::work_of(tensor::DType type, KernelPhase phase, std::uint32_t n_threads) {
  for (Work& work : work_)
    if (work.type == type && work.phase == phase && work.n_threads == n_threads) return work.amount;
  work_.push_back({type, phase, n_threads, 0});
  return work_.back().amount;
}

double KernelProbe::measure(tensor::DType type, KernelPhase phase, std::uint32_t n_threads) {
  const Rows rows = rows_of(type);
  std::size_t& amount = work_of(type, phase, n_threads);
  const bool is_first = amount == 0;
  // Rows of prefill go in whole grains for each thread.
  const std::size_t step = phase == KernelPhase::kPrefill ? kRowGrain * n_threads : 1;
  if (is_first) amount = step;
  double speed = 0;
  double unit = 0;  // what one of `amount` adds to the speed's numerator
  switch (phase) {
    case KernelPhase::kDecode:
      speed = run_decode(rows, n_threads, amount);
      unit = static_cast<double>(rows.rows_in(kMatrixBytes) * rows.file_bytes);
      break;
    case KernelPhase::kDecodeCached:
      speed = run_cached(rows, n_threads, amount);
      unit = static_cast<double>(n_threads * rows.rows_in(kCachedBytes) * rows.file_bytes);
      break;
    case KernelPhase::kPrefill:
      if (is_first) prepare(rows, 0, kTokens);  // samples may be too short to prepare them all
      speed = run_prefill(rows, n_threads, amount);
      unit = static_cast<double>(kCols * kTokens);
      break;
  }
  if (!is_first) return speed;
  // The first sample learns how much work lasts long enough; it is cold, and not for the record.
  const double most = phase == KernelPhase::kPrefill ? static_cast<double>(kMaxRows) : 1e6;
  const double wanted = std::clamp(speed * kSampleSeconds / unit, 1.0, most);
  amount = (static_cast<std::size_t>(wanted) + step - 1) / step * step;
  if (phase == KernelPhase::kPrefill) amount = std::min(amount, kMaxRows / step * step);
  return speed;
}

}  // namespace edgelm::measure
