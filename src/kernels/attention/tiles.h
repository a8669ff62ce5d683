#pragma once
// What the vector versions of attention share: the walk over one span, tile by tile, with an online
// softmax. Per tile, keys and values become float32 once for all rows, in panels of 16 columns, and
// both products are one kernel: a scalar of the left side times a vector of the right side.
//
//   keys:   panel of 16 positions, (k_dim, 16);   scores = q x keys
//   values: panel of 16 dims, (64, 16) padded;    out = out * c + weights x values
//
// An element of a product is one chain of FMAs in order of k_dim or position, from 0 or from out *
// c. So a row's bits depend neither on the rows beside it nor on where a register tile ends.
//
// `Isa` gives: kRows (most rows of a register tile), product(), softmax(), fold(), and the
// conversions keys(), values() of a run of positions within one block.

#include <algorithm>
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
  std::size_t first;  // position
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
        keys_(args.scratch),
        values_(keys_ + kAttentionTile * args.kv.k_dim),
        scores_(values_ + (kAttentionTile + 1) * out_stride_),
        factors_(scores_ + args.n_rows * kAttentionTile),
        sums_(factors_ + args.n_rows) {}

  void run() {
    std::fill(a_.partial.max, a_.partial.max + a_.n_rows, -FLT_MAX);
    std::fill(a_.partial.out, a_.partial.out + a_.n_rows * out_stride_, 0.0F);
    std::fill(sums_, sums_ + a_.n_rows * 8, 0.0F);
    if (out_stride_ != a_.kv.v_dim)  // the columns that conversion leaves alone
      std::fill(value_row(values_, 0, out_stride_ - kAttentionPanel),
                value_row(values_, kAttentionTile, out_stride_ - kAttentionPanel), 0.0F);
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

  // Register tiles of equal height, as few as there can be.
  template <class F>
  void for_each_group(F&& f) const {
    for (std::size_t row = first_row_; row < a_.n_rows;) {
      const std::size_t left = a_.n_rows - row;
      const std::size_t groups = (left + Isa::kRows - 1) / Isa::kRows;
      const std::size_t count = (left + groups - 1) / groups;
      f(row, count);
      row += count;
    }
  }

  void tile(std::size_t begin) {
    tile_begin_ = begin;
    tile_count_ = std::min(kAttentionTile, a_.end - begin);
    first_row_ = 0;
    while (first_row_ < a_.n_rows && visible(first_row_) == 0) first_row_ += a_.rows_per_token;
    convert(&Isa::keys, keys_);
    for_each_group([this](std::size_t row, std::size_t count) { score(row, count); });
    for (std::size_t row = first_row_; row < a_.n_rows; ++row)
      factors_[row] = Isa::softmax(scores_ + row * kAttentionTile, visible(row),
                                   a_.partial.max + row, sums_ + row * 8);
    convert(&Isa::values, values_);
    for_each_group([this](std::size_t row, std::size_t count) { weigh(row, count); });
  }

  template <class F>
  void convert(F* function, float* panels) const {
    const std::size_t block_tokens = a_.kv.block_tokens;
    for (std::size_t at = 0; at < tile_count_;) {
      const std::size_t position = tile_begin_ + at;
      const std::size_t slot = position % block_tokens;
      const std::size_t count = std::min(block_tokens - slot, tile_count_ - at);
      function(a_.kv, {a_.kv.head(position), slot, count, at, position}, panels);
      at += count;
    }
  }

  // Scores of positions that a row does not see are computed with the rest and not looked at.
  void score(std::size_t row, std::size_t count) const {
    const std::size_t n = visible(row + count - 1);
    Isa::product(count, {.a = a_.q + row * a_.kv.k_dim,
                         .a_stride = a_.kv.k_dim,
                         .b = keys_,
                         .panel_stride = a_.kv.k_dim * kAttentionPanel,
                         .n_panels = (n + kAttentionPanel - 1) / kAttentionPanel,
                         .n_k = a_.kv.k_dim,
                         .c = scores_ + row * kAttentionTile,
                         .c_stride = kAttentionTile,
                         .factors = nullptr});
  }

  // All rows up to the last position that the first one sees; the later tokens' rows go on alone.
  void weigh(std::size_t row, std::size_t count) const {
    constexpr float kOne = 1;
    PanelProduct product{.a = scores_ + row * kAttentionTile,
                         .a_stride = kAttentionTile,
                         .b = values_,
                         .panel_stride = kValuePanel,
                         .n_panels = out_stride_ / kAttentionPanel,
                         .n_k = visible(row),
                         .c = a_.partial.out + row * out_stride_,
                         .c_stride = out_stride_,
                         .factors = factors_ + row};
    Isa::product(count, product);
    const std::size_t done = product.n_k;
    if (visible(row + count - 1) == done) return;
    for (std::size_t i = row; i < row + count; ++i) {
      if (visible(i) == done) continue;
      product.a = scores_ + i * kAttentionTile + done;
      product.b = values_ + done * kAttentionPanel;
      product.n_k = visible(i) - done;
      product.c = a_.partial.out + i * out_stride_;
      product.factors = &kOne;
      Isa::product(1, product);
    }
  }

  const AttentionArgs& a_;
  std::size_t out_stride_;
  float* keys_;
  float* values_;
  float* scores_;   // (n_rows, 64); weights after the softmax
  float* factors_;  // (n_rows): what the tile's new maximum makes of the sums so far
  float* sums_;     // (n_rows, 8)
  std::size_t tile_begin_ = 0;
  std::size_t tile_count_ = 0;
  std::size_t first_row_ = 0;  // the first that sees the tile
};

}  // namespace edgelm::kernels
