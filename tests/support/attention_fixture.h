#pragma once
// Keys, values and queries of one test case, the blocks that hold them, and a run of a kernel over
// all spans. For attention_test.cpp and store_test.cpp.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <vector>

#include "base/half.h"
#include "base/random.h"
#include "kernels/kernels.h"
#include "support/guarded_buffer.h"

namespace edgelm::kernels {

struct AttentionDims {
  std::size_t group, k_dim, v_dim, n_positions, n_tokens;  // the last n_tokens positions ask
  bool q8_0 = false;
};

struct AttentionData {
  AttentionDims dims;
  std::vector<float> q;  // (n_tokens, group, k_dim), scaled
  // f16: k (n_positions, k_dim) and v are halves. q8_0: they are int8, with halves for scales.
  std::vector<std::uint16_t> k, v, k_scale, v_scale;

  AttentionData(const AttentionDims& d, float q_size, float v_size)
      : dims(d),
        q(d.n_tokens * d.group * d.k_dim),
        k(d.n_positions * d.k_dim),
        v(d.n_positions * d.v_dim),
        k_scale(d.n_positions * d.k_dim / 32),
        v_scale(d.n_positions * d.v_dim / 32) {
    Random random(d.k_dim * 1000003 + d.n_positions);
    const float scale = 1 / std::sqrt(static_cast<float>(d.k_dim));
    for (float& x : q) x = scale * q_size * random.uniform(-1, 1);
    for (std::uint16_t& x : k_scale) x = float_to_half(random.uniform(0.003F, 0.008F));
    for (std::uint16_t& x : v_scale) x = float_to_half(v_size * random.uniform(0.003F, 0.008F));
    const auto draw = [&](float size) {
      if (d.q8_0) return static_cast<std::uint16_t>(random.below(256));
      return float_to_half(size * random.uniform(-1, 1));
    };
    for (std::uint16_t& x : k) x = draw(1);
    for (std::uint16_t& x : v) x = draw(v_size);
  }

  [[nodiscard]] float key(std::size_t p, std::size_t d) const {
    return element(k, k_scale, p * dims.k_dim + d);
  }
  [[nodiscard]] float value(std::size_t p, std::size_t d) const {
    return element(v, v_scale, p * dims.v_dim + d);
  }
  [[nodiscard]] std::size_t visible(std::size_t row) const {
    return dims.n_positions - dims.n_tokens + row / dims.group + 1;
  }
  // One key and, for rows that see it, every output.
  void set_nan(std::size_t position) {
    if (dims.q8_0) {
      k_scale[position * dims.k_dim / 32] = 0x7e00;
      for (std::size_t g = 0; g < dims.v_dim / 32; ++g)
        v_scale[position * dims.v_dim / 32 + g] = 0x7e00;
    } else {
      k[position * dims.k_dim + 9] = 0x7e00;
      for (std::size_t d = 0; d < dims.v_dim; ++d) v[position * dims.v_dim + d] = 0x7e00;
    }
  }

  // Attention of tokens [first, first + n) over blocks of block_tokens, whose unused places are
  // NaN. Guard pages stand behind blocks, scratch and results.
  [[nodiscard]] std::vector<float> run(const Kernels& set, std::size_t block_tokens,
                                       std::size_t first, std::size_t n) const {
    constexpr std::size_t kOffset = 6;  // leaves every vector unaligned
    const KvLayout layout =
        (dims.q8_0 ? kv_layout_q8_0 : kv_layout_f16)(block_tokens, dims.k_dim, dims.v_dim);
    std::deque<test::GuardedBuffer<std::byte>> blocks;
    std::vector<const std::byte*> bases;
    for (std::size_t begin = 0; begin < dims.n_positions; begin += block_tokens) {
      auto& block = blocks.emplace_back(kOffset + layout.bytes, 2);
      std::fill(block.span().begin(), block.span().end(), std::byte{0x7e});  // NaN halves
      const std::size_t end = std::min(begin + block_tokens, dims.n_positions);
      for (std::size_t p = begin; p < end; ++p)
        put(block.data() + kOffset, layout, block_tokens, p);
      bases.push_back(block.data());
    }
    const std::size_t n_rows = n * dims.group;
    const std::size_t stride = attention_out_stride(dims.v_dim);
    test::GuardedBuffer<float> rows(n_rows * dims.k_dim);
    std::copy_n(q.data() + first * dims.group * dims.k_dim, rows.size(), rows.data());
    test::GuardedBuffer<float> scratch(attention_scratch_floats(dims.k_dim, dims.v_dim, n_rows));
    test::GuardedBuffer<float> state[2] = {test::GuardedBuffer<float>(n_rows * (2 + stride)),
                                           test::GuardedBuffer<float>(n_rows * (2 + stride))};
    test::GuardedBuffer<float> out(n_rows * dims.v_dim);
    std::fill(scratch.span().begin(), scratch.span().end(), NAN);
    std::vector<std::uint32_t> positions;
    for (std::size_t t = first; t < first + n; ++t)
      positions.push_back(static_cast<std::uint32_t>(dims.n_positions - dims.n_tokens + t));
    const auto partial = [&](std::size_t i) -> AttentionPartial {
      float* at = state[i].data();
      return {at, at + n_rows, at + 2 * n_rows};
    };
    AttentionArgs args;
    args.kv = {bases.data(), block_tokens, kOffset, layout, dims.k_dim, dims.v_dim};
    args.q = rows.data();
    args.n_rows = n_rows;
    args.rows_per_token = dims.group;
    args.positions = positions.data();
    args.scratch = scratch.data();
    const std::size_t n_positions = positions.back() + std::size_t{1};
    for (args.begin = 0; args.begin < n_positions; args.begin += kAttentionSpan) {
      args.end = std::min(args.begin + kAttentionSpan, n_positions);
      args.partial = partial(args.begin == 0 ? 0 : 1);
      (dims.q8_0 ? set.attention_q8_0 : set.attention_f16)(args);
      if (args.begin > 0) merge_partials(n_rows, dims.v_dim, partial(1), partial(0));
    }
    for (std::size_t row = 0; row < n_rows; ++row)
      finish_row(partial(0), row, dims.v_dim, out.data() + row * dims.v_dim);
    EXPECT_TRUE(scratch.intact() && state[0].intact() && state[1].intact() && out.intact());
    return {out.data(), out.data() + out.size()};
  }

 private:
  [[nodiscard]] float element(const std::vector<std::uint16_t>& data,
                              const std::vector<std::uint16_t>& scales, std::size_t i) const {
    if (!dims.q8_0) return half_to_float(data[i]);
    return half_to_float(scales[i / 32]) * static_cast<float>(static_cast<std::int8_t>(data[i]));
  }

  // Position p into its block, as kv_head.h says.
  void put(std::byte* head, const KvLayout& layout, std::size_t block_tokens, std::size_t p) const {
    const std::size_t slot = p % block_tokens;
    const std::size_t size = dims.q8_0 ? 1 : 2;
    const auto store = [](std::byte* at, std::uint16_t x, std::size_t n) {
      std::memcpy(at, &x, n);  // little-endian: the low byte first
    };
    for (std::size_t d = 0; d < dims.k_dim; ++d)
      store(head + (d * block_tokens + slot) * size, k[p * dims.k_dim + d], size);
    for (std::size_t d = 0; d < dims.v_dim; ++d)
      store(head + layout.v + (slot * dims.v_dim + d) * size, v[p * dims.v_dim + d], size);
    if (!dims.q8_0) return;
    const std::size_t k_groups = dims.k_dim / 32, v_groups = dims.v_dim / 32;
    for (std::size_t g = 0; g < k_groups; ++g)
      store(head + layout.k_scales + (g * block_tokens + slot) * 2, k_scale[p * k_groups + g], 2);
    for (std::size_t g = 0; g < v_groups; ++g)
      store(head + layout.v_scales + (slot * v_groups + g) * 2, v_scale[p * v_groups + g], 2);
  }
};

}  // namespace edgelm::kernels
