#pragma once
// What the vector versions of attention share: the walk over one span, tile by tile, with an online
// softmax. Per tile, keys and values become float32 once for all rows, in panels of 16 columns, and
// both products are one kernel: a scalar of the left side times a vector of the right side. Few
// rows (decode) take the right side from the cache itself, where conversion costs less than a
// panel.
//
//   keys:   panel of 16 positions, (k_dim, 16);   scores = q x keys
//   values: panel of 16 dims, (64, 16) padded;    out = out * c + weights x values
//
// An element of a product is one chain of FMAs in order of k_dim or position, from 0 or from out *
// c. So a row's bits depend neither on the rows beside it nor on where a register tile ends.
//
// `Isa` gives: kRows (most rows of a register tile), product(), softmax(), fold(), and the
// conversions keys(), values() of a run of positions within one block. With kDirectRows > 0 also
// reads_directly(), direct_tile(), scales(), keys_product() and values_product() for so many rows
// at most.

#include <algorithm>
#include <array>
#include <cfloat>

#include "kernels/attention/attention.h"

namespace edgelm::kernels {

// c[r][panel * 16 + j] = start + sum over k < n_k of a[r][k] * b[panel][k][j], where start is
// c[r][..] * factors[r], or 0 without factors.
struct PanelProduct {
  const float* a;
  std::size_t a_stride;
  const float* b;
  std::size_t panel_stride;  // floats
  std::size_t n_panels;
  std::size_t n_k;
  float* c;
  std::size_t c_stride;
  const float* factors;
};

// Positions [slot, slot + count) of one block, which go to columns (keys) or rows (values) `at`,
// `at` + 1, ... of a tile.
struct KvRun {
  const std::byte* head;
  std::size_t slot;
  std::size_t count;
  std::size_t at;
  std::size_t first;       // position
  const std::byte* ahead;  // the block a tile later, or this one where the span ends
  std::size_t ahead_slot;
};

// The same product with keys (columns: positions of the run) or values (columns: dims, k: positions
// of the run) of the cache for a right side.
struct CacheProduct {
  const float* a;
  std::size_t a_stride;
  KvRun run;
  const float* scales;  // of the tile, q8_0 only: (k_dim / 32, 64) or (64, v_dim / 32)
  std::size_t n_columns;
  std::size_t n_k;
  float* c;
  std::size_t c_stride;
  const float* factors;
};

constexpr std::size_t kValuePanel = (kAttentionTile + 1) * kAttentionPanel;  // no two 4 KiB apart

inline float* key_column(float* panels, std::size_t k_dim, std::size_t column) {
  return panels + column / kAttentionPanel * k_dim * kAttentionPanel + column % kAttentionPanel;
}

inline float* value_row(float* panels, std::size_t row, std::size_t d) {
  return panels + d / kAttentionPanel * kValuePanel + row * kAttentionPanel + d % kAttentionPanel;
}

// Element by element: block sizes that are no multiple of a vector.
template <class Kv>
void convert_keys_plainly(const KvHead& kv, const KvRun& run, float* panels) {
  for (std::size_t i = 0; i < run.count; ++i) {
    float* column = key_column(panels, kv.k_dim, run.at + i);
    for (std::size_t d = 0; d < kv.k_dim; ++d)
      column[d * kAttentionPanel] = Kv::key(kv, run.first + i, d);
  }
}

template <class Isa>
class SpanWalk {
 public:
  explicit SpanWalk(const AttentionArgs& args)
      : a_(args),
        out_stride_(attention_out_stride(args.kv.v_dim)),
        panels_(args.scratch),
        scores_(panels_ + attention_panel_floats(args.kv.k_dim, args.kv.v_dim)),
        factors_(scores_ + args.n_rows * kAttentionTile),
        sums_(factors_ + args.n_rows) {
    if constexpr (Isa::kDirectRows > 0)
      direct_ = args.n_rows <= Isa::kDirectRows && Isa::reads_directly(args.kv);
  }

  void run() {
    std::fill(a_.partial.max, a_.partial.max + a_.n_rows, -FLT_MAX);
    std::fill(a_.partial.out, a_.partial.out + a_.n_rows * out_stride_, 0.0F);
    std::fill(sums_, sums_ + a_.n_rows * 8, 0.0F);
    for (std::size_t begin = a_.begin; begin < a_.end; begin += kAttentionTile) tile(begin);
    for (std::size_t row = 0; row < a_.n_rows; ++row)
      a_.partial.sum[row] = Isa::fold(sums_ + row * 8);
  }

 private:
  // Positions of the tile that a row sees.
  [[nodiscard]] std::size_t visible(std::size_t row) const {
    const std::size_t limit = a_.positions[row / a_.rows_per_token] + std::size_t{1};
    return limit <= tile_begin_ ? 0 : std::min(limit - tile_begin_, tile_count_);
  }

  // Register tiles of equal height, as few as there can be; straight from the cache as `Isa` likes.
  template <class F>
  void for_each_group(F&& f) const {
    for (std::size_t row = first_row_; row < a_.n_rows;) {
      const std::size_t left = a_.n_rows - row;
      std::size_t count = 0;
      if constexpr (Isa::kDirectRows > 0) {
        if (direct_) count = Isa::direct_tile(left);
      }
      if (count == 0) {
        const std::size_t groups = (left + Isa::kRows - 1) / Isa::kRows;
        count = (left + groups - 1) / groups;
      }
      f(row, count);
      row += count;
    }
  }

  void tile(std::size_t begin) {
    tile_begin_ = begin;
    tile_count_ = std::min(kAttentionTile, a_.end - begin);
    first_row_ = 0;
    while (first_row_ < a_.n_rows && visible(first_row_) == 0) first_row_ += a_.rows_per_token;
    prepare(Isa::keys, true);
    for_each_group([this](std::size_t row, std::size_t count) { score(row, count); });
    for (std::size_t row = first_row_; row < a_.n_rows; ++row)
      factors_[row] = Isa::softmax(scores_ + row * kAttentionTile, visible(row),
                                   a_.partial.max + row, sums_ + row * 8);
    prepare(Isa::values, false);
    for_each_group([this](std::size_t row, std::size_t count) { weigh(row, count); });
  }

  // Calls f(run) for the part of every block in positions [from, to) of the tile.
  template <class F>
  void for_each_run(std::size_t from, std::size_t to, F&& f) const {
    const std::size_t block_tokens = a_.kv.block_tokens;
    while (from < to) {
      const std::size_t position = tile_begin_ + from;
      const std::size_t slot = position % block_tokens;
      const std::size_t count = std::min(block_tokens - slot, to - from);
      const std::size_t later = position + kAttentionTile;
      const std::size_t ahead = later < a_.end ? later : position;
      f(KvRun{a_.kv.head(position), slot, count, from, position, a_.kv.head(ahead),
              ahead % block_tokens});
      from += count;
    }
  }

  // Keys and values use the same panels, in turn: they stay in the first cache.
  template <class Convert>
  void prepare(Convert* convert, bool keys) const {
    if constexpr (Isa::kDirectRows > 0) {
      if (direct_) {
        for_each_run(0, tile_count_,
                     [&](const KvRun& run) { Isa::scales(a_.kv, run, keys, panels_); });
        return;
      }
    }
    if (!keys && out_stride_ != a_.kv.v_dim)  // the columns that conversion leaves alone
      std::fill(value_row(panels_, 0, out_stride_ - kAttentionPanel),
                value_row(panels_, kAttentionTile, out_stride_ - kAttentionPanel), 0.0F);
    for_each_run(0, tile_count_, [&](const KvRun& run) { convert(a_.kv, run, panels_); });
  }

  // Scores of positions that a row does not see are computed with the rest and not looked at.
  void score(std::size_t row, std::size_t count) const {
    const std::size_t n = visible(row + count - 1);
    const std::size_t k_dim = a_.kv.k_dim;
    if constexpr (Isa::kDirectRows > 0) {
      if (direct_) {
        for_each_run(0, n, [&](const KvRun& run) {
          Isa::keys_product(count, a_.kv,
                            {.a = a_.q + row * k_dim,
                             .a_stride = k_dim,
                             .run = run,
                             .scales = panels_,
                             .n_columns = run.count,
                             .n_k = k_dim,
                             .c = scores_ + row * kAttentionTile + run.at,
                             .c_stride = kAttentionTile,
                             .factors = nullptr});
        });
        return;
      }
    }
    Isa::product(count, {.a = a_.q + row * k_dim,
                         .a_stride = k_dim,
                         .b = panels_,
                         .panel_stride = k_dim * kAttentionPanel,
                         .n_panels = (n + kAttentionPanel - 1) / kAttentionPanel,
                         .n_k = k_dim,
                         .c = scores_ + row * kAttentionTile,
                         .c_stride = kAttentionTile,
                         .factors = nullptr});
  }

  // All rows up to the last position that the first one sees; the later tokens' rows go on alone.
  void weigh(std::size_t row, std::size_t count) const {
    const std::size_t common = visible(row);
    add_values(row, count, 0, common, factors_ + row);
    if (visible(row + count - 1) == common) return;
    for (std::size_t i = row; i < row + count; ++i)
      if (visible(i) > common) add_values(i, 1, common, visible(i), kOnes.data());
  }

  // out = out * factor + weights x values, over positions [from, to) of the tile.
  void add_values(std::size_t row, std::size_t count, std::size_t from, std::size_t to,
                  const float* factors) const {
    const float* weights = scores_ + row * kAttentionTile;
    float* out = a_.partial.out + row * out_stride_;
    if constexpr (Isa::kDirectRows > 0) {
      if (direct_ && from < to) {
        for_each_run(from, to, [&](const KvRun& run) {
          Isa::values_product(count, a_.kv,
                              {.a = weights + run.at,
                               .a_stride = kAttentionTile,
                               .run = run,
                               .scales = panels_,
                               .n_columns = a_.kv.v_dim,
                               .n_k = run.count,
                               .c = out,
                               .c_stride = out_stride_,
                               .factors = run.at == from ? factors : kOnes.data()});
        });
        return;
      }
    }
    Isa::product(count, {.a = weights + from,
                         .a_stride = kAttentionTile,
                         .b = panels_ + from * kAttentionPanel,
                         .panel_stride = kValuePanel,
                         .n_panels = out_stride_ / kAttentionPanel,
                         .n_k = to - from,
                         .c = out,
                         .c_stride = out_stride_,
                         .factors = factors});
  }

  static constexpr auto kOnes = [] {
    std::array<float, 16> ones{};
    ones.fill(1);
    return ones;
  }();

  const AttentionArgs& a_;
  std::size_t out_stride_;
  bool direct_ = false;
  float* panels_;
  float* scores_;   // (n_rows, 64); weights after the softmax
  float* factors_;  // (n_rows): what the tile's new maximum makes of the sums so far
  float* sums_;     // (n_rows, 8)
  std::size_t tile_begin_ = 0;
  std::size_t tile_count_ = 0;
  std::size_t first_row_ = 0;  // the first that sees the tile
};

}  // namespace edgelm::kernels
