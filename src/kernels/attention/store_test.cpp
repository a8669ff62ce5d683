// Contract test of the cache's writer: what goes in comes out through KvF16 and KvQ8_0, rounded as
// promised, and nothing beside it changes.

#include "kernels/attention/store.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "base/random.h"
#include "support/guarded_buffer.h"
#include "support/isa.h"

namespace edgelm::kernels {
namespace {

struct Case {
  std::size_t block_tokens, slot, n_tokens, k_dim, v_dim;
};

// Stores rows of stride dim + 3 and calls expect(stored, original) for every element.
template <class Kv, class Store, class F>
void round_trip(const Kernels& set, const Case& c, const KvLayout& layout, Store store,
                std::vector<float>& k, std::vector<float>& v, F&& expect) {
  test::GuardedBuffer<std::byte> block(layout.bytes, 2);
  std::fill(block.span().begin(), block.span().end(), std::byte{0x11});
  KvStoreArgs args{.head = block.data(), .layout = layout, .block_tokens = c.block_tokens};
  args.slot = c.slot;
  args.n_tokens = c.n_tokens;
  args.k_dim = c.k_dim;
  args.v_dim = c.v_dim;
  args.k = k.data();
  args.k_stride = c.k_dim + 3;
  args.v = v.data();
  args.v_stride = c.v_dim + 3;
  store(set, args);
  EXPECT_TRUE(block.intact());
  const std::byte* base = block.data();
  const KvHead kv{&base, c.block_tokens, 0, layout, c.k_dim, c.v_dim};
  for (std::size_t t = 0; t < c.n_tokens; ++t) {
    for (std::size_t d = 0; d < c.k_dim; ++d)
      expect(Kv::key(kv, c.slot + t, d), k.data() + t * args.k_stride, d);
    for (std::size_t d = 0; d < c.v_dim; ++d)
      expect(Kv::value(kv, c.slot + t, d), v.data() + t * args.v_stride, d);
  }
  std::size_t touched = 0;
  for (const std::byte byte : block.span()) touched += byte != std::byte{0x11};
  EXPECT_LE(touched, layout.bytes / c.block_tokens * c.n_tokens);
}

std::vector<float> numbers(std::size_t n, std::uint64_t seed) {
  Random random(seed);
  std::vector<float> values(n);
  for (float& value : values) value = random.uniform(-3, 3);
  values[1] = 0;
  return values;
}

TEST(StoreKv, F16IsTheNearestHalf) {
  for (const Kernels* set : test::runnable_kernels()) {
    for (const Case& c : {Case{32, 0, 32, 64, 64},
                          {32, 31, 1, 64, 128},
                          {7, 2, 4, 36, 20},
                          {64, 20, 32, 512, 512},
                          {1, 0, 1, 4, 4}}) {
      std::vector<float> k = numbers(c.n_tokens * (c.k_dim + 3), 1);
      std::vector<float> v = numbers(c.n_tokens * (c.v_dim + 3), 2);
      round_trip<KvF16>(*set, c, kv_layout_f16(c.block_tokens, c.k_dim, c.v_dim), store_kv_f16, k,
                        v, [](float stored, const float* row, std::size_t d) {
                          ASSERT_EQ(stored, half_to_float(float_to_half(row[d])));
                        });
    }
  }
}

TEST(StoreKv, Q8_0IsWithinHalfAStep) {
  for (const Kernels* set : test::runnable_kernels()) {
    for (const Case& c : {Case{32, 0, 32, 64, 64},
                          {32, 31, 1, 64, 128},
                          {7, 2, 4, 32, 96},
                          {64, 20, 32, 512, 512}}) {
      std::vector<float> k = numbers(c.n_tokens * (c.k_dim + 3), 1);
      std::vector<float> v = numbers(c.n_tokens * (c.v_dim + 3), 2);
      round_trip<KvQ8_0>(*set, c, kv_layout_q8_0(c.block_tokens, c.k_dim, c.v_dim), store_kv_q8_0,
                         k, v, [](float stored, const float* row, std::size_t d) {
                           float max = 0;
                           for (std::size_t i = d / 32 * 32; i < d / 32 * 32 + 32; ++i)
                             max = std::max(max, std::fabs(row[i]));
                           // Half a step of the int8, and the scale's own rounding to 11 bits.
                           ASSERT_NEAR(stored, row[d], max / 127 * 0.501F + max * 0x1p-11F);
                         });
    }
  }
}

TEST(StoreKv, NoInfinityEntersAndNaNStays) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const Case c{32, 5, 2, 64, 64};
  for (const Kernels* set : test::runnable_kernels()) {
    std::vector<float> k = numbers(2 * 67, 1);
    std::vector<float> v = numbers(2 * 67, 2);
    k[0] = kInfinity;
    k[67 + 40] = -1e30F;
    v[2] = 65520;  // would round to infinity
    v[67 + 33] = NAN;
    round_trip<KvF16>(*set, c, kv_layout_f16(32, 64, 64), store_kv_f16, k, v,
                      [](float stored, const float* row, std::size_t d) {
                        ASSERT_EQ(std::isnan(stored), std::isnan(row[d]));
                        ASSERT_FALSE(std::isinf(stored));
                        if (row[d] > 65504) {
                          ASSERT_EQ(stored, 65504);
                        }
                        if (row[d] < -65504) {
                          ASSERT_EQ(stored, -65504);
                        }
                      });
    round_trip<KvQ8_0>(*set, c, kv_layout_q8_0(32, 64, 64), store_kv_q8_0, k, v,
                       [](float stored, const float* row, std::size_t d) {
                         bool nan = false;
                         for (std::size_t i = d / 32 * 32; i < d / 32 * 32 + 32; ++i)
                           nan |= std::isnan(row[i]);
                         ASSERT_EQ(std::isnan(stored), nan);
                         ASSERT_FALSE(std::isinf(stored));
                         if (row[d] > 65504) {
                           ASSERT_NEAR(stored, 65504, 65504 / 254.0);
                         }
                       });
  }
}

}  // namespace
}  // namespace edgelm::kernels
