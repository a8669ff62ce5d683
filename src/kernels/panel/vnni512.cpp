// AVX-512 VNNI: 16 rows to a vector, 32 registers, tiles of 32 rows x 6 tokens.

#include <algorithm>

#include "kernels/panel/avx2_group.h"
#include "kernels/panel/tables.h"

#ifdef EDGELM_X86

// GCC 12 finds its own intrinsics to read what they call undefined (its bug 105593).
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

#define VNNI_TARGET EDGELM_VNNI512
#define VNNI_INLINE EDGELM_VNNI512_INLINE

namespace edgelm::kernels {
namespace {

using Ints = __m512i;
using Floats = __m512;
constexpr std::size_t kLaneRows = 16;
constexpr std::size_t kLanePanels = kLaneRows / kPanelRows;
constexpr int kTileTokens = 6;

struct Lanes {
  VNNI_INLINE static Floats zero() { return _mm512_setzero_ps(); }
  VNNI_INLINE static Ints zeros() { return _mm512_setzero_si512(); }
  VNNI_INLINE static Floats all(float x) { return _mm512_set1_ps(x); }
  VNNI_INLINE static Ints all(std::int32_t x) { return _mm512_set1_epi32(x); }
  // Four activations in every row's place.
  VNNI_INLINE static Ints four(const void* source) {
    std::int32_t bytes;
    std::memcpy(&bytes, source, sizeof bytes);
    return _mm512_set1_epi32(bytes);
  }
  VNNI_INLINE static Ints load_ints(const std::byte* p) { return _mm512_load_si512(p); }
  VNNI_INLINE static Floats load(const float* p) { return _mm512_load_ps(p); }
  VNNI_INLINE static void store(float* p, Floats x) { _mm512_store_ps(p, x); }
  VNNI_INLINE static Ints dot(Ints sum, Ints weights, Ints x) {
    return _mm512_dpbusd_epi32(sum, weights, x);
  }
  VNNI_INLINE static Ints add_pairs(Ints x) { return _mm512_madd_epi16(x, _mm512_set1_epi16(1)); }
  VNNI_INLINE static Floats floats(Ints x) { return _mm512_cvtepi32_ps(x); }
  VNNI_INLINE static Floats add(Floats x, Floats y) { return _mm512_add_ps(x, y); }
  VNNI_INLINE static Floats mul(Floats x, Floats y) { return _mm512_mul_ps(x, y); }
  VNNI_INLINE static Floats fma(Floats x, Floats y, Floats sum) {
    return _mm512_fmadd_ps(x, y, sum);
  }
};

VNNI_INLINE __m256i dot_256(__m256i sum, __m256i weights, __m256i x) {
  return _mm256_dpbusd_epi32(sum, weights, x);
}

#include "kernels/panel/vnni_tiles.inc"

struct Vnni512 {
  template <class Type>
  static constexpr PanelFn kFunction = run<Type>;
};

}  // namespace

PanelFn panel_vnni512(tensor::DType type) { return find_panel<Vnni512>(type); }

PanelWants panel_wants_vnni(tensor::DType type) {
  return {.bias = type == tensor::DType::kQ6_K || type == tensor::DType::kQ8_0, .wide = false};
}

}  // namespace edgelm::kernels

#endif
