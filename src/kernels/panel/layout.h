#pragma once
// The packed layout of quantized matrices, in which all SIMD kernels of this folder read them.
// Eight rows stand together in a *panel*; a panel is cut along the columns into chunks of 256
// (eight groups of 32, the last chunk of a row may have fewer). Everything a kernel needs is read
// once and in order, and takes no more bytes than in the file (a panel is padded to 64 bytes;
// missing rows of the last panel are zeros).
//
//   panel  = [d: f16 (chunk, row), padded to 64 bytes; Q6_K only] chunk...
//   chunk  = header, group...
//   header = Q4_0, Q5_0, Q8_0   d: f16 (group, row)
//            Q5_1               d, then m: f16 (group, row)
//            Q4_K, Q5_K         d, dmin: f16 (row); s_low | m_low << 4: u8 (group 0..7, row);
//                               s_hi | m_hi << 2 | s_hi' << 4 | m_hi' << 6: u8 (group 0..3, row),
//                               hi the upper two of six bits, ' those of group + 4
//            Q6_K               s: int8 (group, half, row), a half being 16 columns
//   group  = the low four bits of 8 x 32 values, then the bits above them. Values are unsigned:
//            Q4_0 q + 8, Q5_0 q + 16, Q6_K q + 32, the others as stored; Q8_0 is signed bytes.
//
// Within a group, k-vector j (0..7) is 32 bytes: columns 4j .. 4j+3 of row 0, of row 1, ... So one
// broadcast of four activations meets eight rows: 8 x int32 on AVX2 (16 rows from two panels on
// AVX-512), 2 x int32x4 by lane with SDOT, and a zip of two k-vectors gives the row pairs of SMMLA.
//   low bits:  byte vector v (0..3) = k-vector v | k-vector v+4 << 4
//   bit 4:     one byte vector, bit j belongs to k-vector j            (Q5_0, Q5_1, Q5_K)
//   bits 4-5:  two byte vectors (h = 0, 1), bits 2v, 2v+1 belong to k-vector 4h + v       (Q6_K)
//   Q8_0:      eight byte vectors, k-vector j is vector j

#include <cstddef>
#include <cstdint>

#include "tensor/types/all.h"

namespace edgelm::kernels {

constexpr std::size_t kPanelRows = 8;
constexpr std::size_t kPanelAlignment = 64;
constexpr std::size_t kChunkGroups = 8;  // 256 columns
constexpr std::size_t kVectorBytes = 32;

// Changes with every change of the bytes above: packed files of another version are not read.
constexpr std::uint32_t kPanelLayoutVersion = 1;

enum class PanelScales : std::uint8_t {
  kPerGroup,     // value = d * (u - kOffset)
  kPerGroupMin,  // value = d * u + m
  kSuper,        // value = d * s * u - dmin * m, six-bit s and m per group
  kSuperHalves,  // value = d * s * (u - 32), int8 s per 16 columns
};

template <class Type>
struct PanelLayout {
  static constexpr bool kPacked = false;  // F32, F16, BF16 are used as they are
};

template <PanelScales kScalesOf, int kBitsOf, int kOffsetOf>
struct PanelLayoutOf {
  static constexpr bool kPacked = true;
  static constexpr PanelScales kScales = kScalesOf;
  static constexpr int kBits = kBitsOf;      // per value
  static constexpr int kOffset = kOffsetOf;  // value 0 is stored as this
  static constexpr std::size_t kGroupBytes = static_cast<std::size_t>(kBitsOf) * kVectorBytes;
  static constexpr bool kWholeChunks =  // columns are a multiple of 256
      kScalesOf == PanelScales::kSuper || kScalesOf == PanelScales::kSuperHalves;

  static constexpr std::size_t header_bytes(std::size_t n_groups) {
    switch (kScalesOf) {
      case PanelScales::kPerGroup:
        return 2 * kPanelRows * n_groups;
      case PanelScales::kPerGroupMin:
        return 4 * kPanelRows * n_groups;
      case PanelScales::kSuper:
        return 4 * kPanelRows + 12 * kPanelRows;
      case PanelScales::kSuperHalves:
        return 2 * kChunkGroups * kPanelRows;
    }
    return 0;
  }
  static constexpr std::size_t chunk_bytes(std::size_t n_groups) {
    return header_bytes(n_groups) + n_groups * kGroupBytes;
  }
  static constexpr std::size_t prefix_bytes(std::size_t cols) {
    if (kScalesOf != PanelScales::kSuperHalves) return 0;
    const std::size_t bytes = cols / 256 * 2 * kPanelRows;
    return (bytes + kPanelAlignment - 1) / kPanelAlignment * kPanelAlignment;
  }
  static constexpr std::size_t panel_bytes(std::size_t cols) {
    const std::size_t groups = cols / 32;
    const std::size_t rest = groups % kChunkGroups;
    const std::size_t bytes = prefix_bytes(cols) +
                              groups / kChunkGroups * chunk_bytes(kChunkGroups) +
                              (rest == 0 ? 0 : chunk_bytes(rest));
    return (bytes + kPanelAlignment - 1) / kPanelAlignment * kPanelAlignment;
  }
};

template <>
struct PanelLayout<tensor::TypeQ4_0> : PanelLayoutOf<PanelScales::kPerGroup, 4, 8> {};
template <>
struct PanelLayout<tensor::TypeQ5_0> : PanelLayoutOf<PanelScales::kPerGroup, 5, 16> {};
template <>
struct PanelLayout<tensor::TypeQ5_1> : PanelLayoutOf<PanelScales::kPerGroupMin, 5, 0> {};
template <>
struct PanelLayout<tensor::TypeQ8_0> : PanelLayoutOf<PanelScales::kPerGroup, 8, 0> {};
template <>
struct PanelLayout<tensor::TypeQ4_K> : PanelLayoutOf<PanelScales::kSuper, 4, 0> {};
template <>
struct PanelLayout<tensor::TypeQ5_K> : PanelLayoutOf<PanelScales::kSuper, 5, 0> {};
template <>
struct PanelLayout<tensor::TypeQ6_K> : PanelLayoutOf<PanelScales::kSuperHalves, 6, 32> {};

}  // namespace edgelm::kernels
