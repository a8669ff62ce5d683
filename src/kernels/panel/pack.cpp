// Packing: from blocks as they lie in the file to the panels of layout.h. Four values at a time in
// 32-bit words, which compilers vectorise; about 2 GB/s per core, once per model and machine.

#include <algorithm>
#include <array>
#include <cstring>

#include "base/bytes.h"
#include "kernels/panel/panel.h"

namespace edgelm::kernels {
namespace {

using Words = std::array<std::uint32_t, 8>;  // 32 values, one byte each, in order of column
constexpr std::uint32_t kLow4 = 0x0f0f0f0f;

std::uint32_t word(const std::byte* source) { return load_le<std::uint32_t>(source); }

// Bit i of x (0..3) to bit 4 of byte i.
std::uint32_t spread_to_bit4(std::uint32_t x) {
  return ((x & 15) * 0x00204081U & 0x01010101U) << 4;
}

// --- the values of one group of 32, as unsigned bytes (Q8_0: signed) ---------------------------

Words nibbles_of_block(const std::byte* qs) {
  Words out;
  for (std::size_t v = 0; v < 4; ++v) {
    const std::uint32_t packed = word(qs + 4 * v);
    out[v] = packed & kLow4;
    out[v + 4] = (packed >> 4) & kLow4;
  }
  return out;
}

Words with_fifth_bits(Words nibbles, std::uint32_t bits) {
  for (std::size_t j = 0; j < 8; ++j) nibbles[j] |= spread_to_bit4(bits >> (4 * j));
  return nibbles;
}

Words values(tensor::TypeQ4_0, const std::byte* block, std::size_t) {
  return nibbles_of_block(block + 2);
}
Words values(tensor::TypeQ5_0, const std::byte* block, std::size_t) {
  return with_fifth_bits(nibbles_of_block(block + 6), word(block + 2));
}
Words values(tensor::TypeQ5_1, const std::byte* block, std::size_t) {
  return with_fifth_bits(nibbles_of_block(block + 8), word(block + 4));
}
Words values(tensor::TypeQ8_0, const std::byte* block, std::size_t) {
  Words out;
  std::memcpy(out.data(), block + 2, sizeof out);
  return out;
}
Words values(tensor::TypeQ4_K, const std::byte* block, std::size_t group) {
  Words out;
  for (std::size_t j = 0; j < 8; ++j)
    out[j] = (word(block + 16 + group / 2 * 32 + 4 * j) >> (group % 2 * 4)) & kLow4;
  return out;
}
Words values(tensor::TypeQ5_K, const std::byte* block, std::size_t group) {
  Words out;
  for (std::size_t j = 0; j < 8; ++j) {
    const std::uint32_t low = word(block + 48 + group / 2 * 32 + 4 * j) >> (group % 2 * 4);
    const std::uint32_t fifth = word(block + 16 + 4 * j) >> group;
    out[j] = (low & kLow4) | (fifth & 0x01010101U) << 4;
  }
  return out;
}
Words values(tensor::TypeQ6_K, const std::byte* block, std::size_t group) {
  const std::size_t half = group / 4, k = group % 4;
  Words out;
  for (std::size_t j = 0; j < 8; ++j) {
    const std::uint32_t low = word(block + half * 64 + k % 2 * 32 + 4 * j) >> (k / 2 * 4);
    const std::uint32_t high = word(block + 128 + half * 32 + 4 * j) >> (2 * k);
    out[j] = (low & kLow4) | (high & 0x03030303U) << 4;
  }
  return out;
}

// --- writing ----------------------------------------------------------------------------------

void put(std::byte* group, std::size_t vector, std::size_t row, std::uint32_t four) {
  store_le(group + vector * kVectorBytes + 4 * row, four);
}

template <int kBits>
void put_values(const Words& u, std::size_t row, std::byte* group) {
  if constexpr (kBits == 8) {
    for (std::size_t j = 0; j < 8; ++j) put(group, j, row, u[j]);
    return;
  }
  for (std::size_t v = 0; v < 4; ++v) put(group, v, row, (u[v] & kLow4) | (u[v + 4] & kLow4) << 4);
  if constexpr (kBits == 5) {
    std::uint32_t fifth = 0;
    for (std::size_t j = 0; j < 8; ++j) fifth |= ((u[j] >> 4) & 0x01010101U) << j;
    put(group, 4, row, fifth);
  }
  if constexpr (kBits == 6) {
    for (std::size_t h = 0; h < 2; ++h) {
      std::uint32_t high = 0;
      for (std::size_t v = 0; v < 4; ++v) high |= ((u[4 * h + v] >> 4) & 0x03030303U) << (2 * v);
      put(group, 4 + h, row, high);
    }
  }
}

void copy_half(const std::byte* source, std::byte* out) { std::memcpy(out, source, 2); }

// The scales of one row in one chunk. `blocks` is the first block of the chunk in the row.
template <class Type>
void put_scales(const std::byte* blocks, std::size_t n_groups, std::size_t row, std::byte* header,
                std::byte* prefix) {
  using Layout = PanelLayout<Type>;
  if constexpr (Layout::kScales == PanelScales::kPerGroup ||
                Layout::kScales == PanelScales::kPerGroupMin) {
    for (std::size_t g = 0; g < n_groups; ++g) {
      const std::byte* block = blocks + g * Type::kBlockBytes;
      copy_half(block, header + 2 * (g * kPanelRows + row));
      if constexpr (Layout::kScales == PanelScales::kPerGroupMin)
        copy_half(block + 2, header + 2 * ((n_groups + g) * kPanelRows + row));
    }
  } else if constexpr (Layout::kScales == PanelScales::kSuper) {
    copy_half(blocks, header + 2 * row);
    copy_half(blocks + 2, header + 2 * (kPanelRows + row));
    std::byte* low = header + 4 * kPanelRows;
    std::byte* high = low + kChunkGroups * kPanelRows;
    for (std::size_t g = 0; g < 4; ++g) {
      const tensor::ScaleMin a = tensor::unpack_scale_min(blocks + 4, g);
      const tensor::ScaleMin b = tensor::unpack_scale_min(blocks + 4, g + 4);
      low[g * kPanelRows + row] = static_cast<std::byte>((a.scale & 15) | (a.min & 15) << 4);
      low[(g + 4) * kPanelRows + row] = static_cast<std::byte>((b.scale & 15) | (b.min & 15) << 4);
      high[g * kPanelRows + row] = static_cast<std::byte>((a.scale >> 4) | (a.min >> 4) << 2 |
                                                          (b.scale >> 4) << 4 | (b.min >> 4) << 6);
    }
  } else {
    copy_half(blocks + 208, prefix + 2 * row);
    for (std::size_t i = 0; i < 2 * kChunkGroups; ++i)
      header[i * kPanelRows + row] = blocks[192 + i];
  }
}

template <class Type>
void pack_panel(const std::byte* rows, std::size_t n_rows, std::size_t cols, std::byte* out) {
  using Layout = PanelLayout<Type>;
  constexpr std::size_t kGroupsPerBlock = Type::kBlockElements / 32;
  const std::size_t row_bytes = cols / Type::kBlockElements * Type::kBlockBytes;
  std::memset(out, 0, Layout::panel_bytes(cols));
  std::byte* prefix = out;
  std::byte* chunk = out + Layout::prefix_bytes(cols);
  const std::size_t groups = cols / 32;
  for (std::size_t first = 0; first < groups; first += kChunkGroups) {
    const std::size_t n = std::min(kChunkGroups, groups - first);
    std::byte* group = chunk + Layout::header_bytes(n);
    for (std::size_t row = 0; row < n_rows; ++row) {
      const std::byte* blocks =
          rows + row * row_bytes + first / kGroupsPerBlock * Type::kBlockBytes;
      put_scales<Type>(blocks, n, row, chunk, prefix);
      for (std::size_t g = 0; g < n; ++g) {
        const std::byte* block = blocks + g / kGroupsPerBlock * Type::kBlockBytes;
        put_values<Layout::kBits>(values(Type{}, block, g % kGroupsPerBlock), row,
                                  group + g * Layout::kGroupBytes);
      }
    }
    chunk += Layout::chunk_bytes(n);
    prefix += 2 * kPanelRows;
  }
}

template <class Type>
void pack_type(const std::byte* rows, std::size_t n_rows, std::size_t cols, std::size_t begin,
               std::size_t end, std::byte* out) {
  const std::size_t row_bytes = cols / Type::kBlockElements * Type::kBlockBytes;
  const std::size_t stride = PanelLayout<Type>::panel_bytes(cols);
  for (std::size_t panel = begin; panel < end; ++panel) {
    const std::size_t first = panel * kPanelRows;
    pack_panel<Type>(rows + first * row_bytes, std::min(kPanelRows, n_rows - first), cols,
                     out + panel * stride);
  }
}

struct Packer {
  std::size_t (*bytes)(std::size_t cols);
  void (*pack)(const std::byte*, std::size_t, std::size_t, std::size_t, std::size_t, std::byte*);
};

template <class... Types>
Packer find_packer(tensor::TypeList<Types...>, tensor::DType type) {
  Packer found{};
  const auto consider = [&]<class Type>(Type) {
    if constexpr (PanelLayout<Type>::kPacked)
      if (Type::kType == type) found = {PanelLayout<Type>::panel_bytes, pack_type<Type>};
  };
  (consider(Types{}), ...);
  return found;
}

}  // namespace

std::size_t panel_bytes(tensor::DType type, std::size_t cols) {
  const Packer packer = find_packer(tensor::AllTypes{}, type);
  return packer.bytes == nullptr ? 0 : packer.bytes(cols);
}

void pack_panels(tensor::DType type, const std::byte* rows, std::size_t n_rows, std::size_t cols,
                 std::size_t panel_begin, std::size_t panel_end, std::byte* out) {
  const Packer packer = find_packer(tensor::AllTypes{}, type);
  if (packer.pack != nullptr) packer.pack(rows, n_rows, cols, panel_begin, panel_end, out);
}

}  // namespace edgelm::kernels
