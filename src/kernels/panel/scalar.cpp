// The specification of the panel kernels: one output at a time, straight from panel.h.

#include <algorithm>
#include <cmath>

#include "base/bytes.h"
#include "kernels/panel/panel.h"
#include "kernels/panel/tables.h"

namespace edgelm::kernels {
namespace {

template <class Layout>
std::int32_t value_at(const std::byte* group, std::size_t row, std::size_t column) {
  const std::size_t j = column / 4, byte = 4 * row + column % 4;
  const auto at = [&](std::size_t vector) {
    return std::to_integer<std::int32_t>(group[vector * kVectorBytes + byte]);
  };
  if constexpr (Layout::kBits == 8) return static_cast<std::int8_t>(at(j));
  std::int32_t value = (at(j % 4) >> (j / 4 * 4)) & 15;
  if constexpr (Layout::kBits == 5) value |= ((at(4) >> j) & 1) << 4;
  if constexpr (Layout::kBits == 6) value |= ((at(4 + j / 4) >> (2 * (j % 4))) & 3) << 4;
  return value;
}

float half_at(const std::byte* halves, std::size_t index) {
  return tensor::load_half(halves + 2 * index);
}

// s and m of Q4_K and Q5_K.
tensor::ScaleMin six_bits(const std::byte* header, std::size_t group, std::size_t row) {
  const std::byte* low = header + 4 * kPanelRows;
  const auto nibbles = std::to_integer<std::int32_t>(low[group * kPanelRows + row]);
  const auto high =
      std::to_integer<std::int32_t>(low[(kChunkGroups + group % 4) * kPanelRows + row]) >>
      (group / 4 * 4);
  return {(nibbles & 15) | (high & 3) << 4, nibbles >> 4 | ((high >> 2) & 3) << 4};
}

template <class Type>
float output(const PanelArgs& args, std::size_t row, std::size_t token) {
  using Layout = PanelLayout<Type>;
  const std::byte* panel = args.panels + row / kPanelRows * args.panel_bytes;
  const std::byte* chunk = panel + Layout::prefix_bytes(args.cols);
  const std::size_t r = row % kPanelRows;
  const std::int8_t* q = args.x.q + token * args.x.q_stride;
  const float* scale = args.x.scale + token * args.x.scale_stride;
  const float* scaled_sum = args.x.scaled_sum + token * args.x.scale_stride;
  const std::size_t groups = args.cols / kGroup;
  float out = 0;
  for (std::size_t first = 0; first < groups; first += kChunkGroups) {
    const std::size_t n = std::min(kChunkGroups, groups - first);
    float sum = 0, mins = 0;
    for (std::size_t g = 0; g < n; ++g) {
      const std::byte* group = chunk + Layout::header_bytes(n) + g * Layout::kGroupBytes;
      const std::int8_t* x = q + (first + g) * kGroup;
      std::int32_t halves[2] = {0, 0};
      for (std::size_t c = 0; c < kGroup; ++c) {
        std::int32_t value = value_at<Layout>(group, r, c);
        if constexpr (Layout::kScales == PanelScales::kSuperHalves) value -= Layout::kOffset;
        halves[c / 16] += value * x[c];
      }
      const float xs = scale[first + g], xsum = scaled_sum[first + g];
      const std::size_t at = g * kPanelRows + r;
      if constexpr (Layout::kScales == PanelScales::kSuper) {
        const tensor::ScaleMin six = six_bits(chunk, g, r);
        sum = std::fma(static_cast<float>(six.scale * (halves[0] + halves[1])), xs, sum);
        mins = std::fma(static_cast<float>(six.min), xsum, mins);
      } else if constexpr (Layout::kScales == PanelScales::kSuperHalves) {
        const auto s = [&](std::size_t half) {
          return load_le<std::int8_t>(chunk + (2 * g + half) * kPanelRows + r);
        };
        sum = std::fma(static_cast<float>(s(0) * halves[0] + s(1) * halves[1]), xs, sum);
      } else {
        const float d = half_at(chunk, at);
        sum = std::fma(static_cast<float>(halves[0] + halves[1]), d * xs, sum);
        if constexpr (Layout::kScales == PanelScales::kPerGroupMin)
          mins = std::fma(half_at(chunk, n * kPanelRows + at), xsum, mins);
        else if constexpr (Layout::kOffset != 0)
          mins = std::fma(d, xsum, mins);
      }
    }
    if constexpr (Layout::kScales == PanelScales::kSuper) {
      out = std::fma(half_at(chunk, r), sum, out);
      out = std::fma(-half_at(chunk, kPanelRows + r), mins, out);
    } else if constexpr (Layout::kScales == PanelScales::kSuperHalves) {
      out = std::fma(half_at(panel, first / kChunkGroups * kPanelRows + r), sum, out);
    } else {
      out += sum;
      if constexpr (Layout::kScales == PanelScales::kPerGroupMin)
        out += mins;
      else if constexpr (Layout::kOffset != 0)
        out = std::fma(-static_cast<float>(Layout::kOffset), mins, out);
    }
    chunk += Layout::chunk_bytes(n);
  }
  return out;
}

template <class Type>
void run(const PanelArgs& args) {
  for (std::size_t t = 0; t < args.n_tokens; ++t) {
    for (std::size_t row = args.row_begin; row < args.row_end; ++row) {
      float& out = args.out[t * args.out_stride + row];
      const float value = output<Type>(args, row, t);
      out = args.accumulate ? out + value : value;
    }
  }
}

struct Scalar {
  template <class Type>
  static constexpr PanelFn kFunction = run<Type>;
};

}  // namespace

void panel_bias_scalar(const std::int8_t* q, std::size_t n, std::int16_t* bias) {
  std::fill(bias, bias + n / 8, std::int16_t{0});
  for (std::size_t i = 0; i < n; ++i) {
    std::int16_t& sum = bias[i / 16 * 2 + i % 4 / 2];
    sum = static_cast<std::int16_t>(sum - 32 * q[i]);  // at most 8 * 32 * 127
  }
}

void panel_wide_scalar(const std::int8_t* q, std::size_t n, std::int16_t* wide) {
  constexpr std::size_t kOrder[4] = {0, 2, 1, 3};
  for (std::size_t i = 0; i < n; ++i) wide[i] = q[i / 4 * 4 + kOrder[i % 4]];
}

PanelFn panel_scalar(tensor::DType type) { return find_panel<Scalar>(type); }

}  // namespace edgelm::kernels
