#pragma once
// Contract of the read probe: the sum (modulo 2^64) of `bytes` bytes taken as 64-bit words, read in
// the widest loads of the set as four streams, a quarter of the memory each, with an accumulator
// per stream. Four, because a matmul reads several weight rows at once and a core has more reads in
// flight that way: 16.1 GB/s against 12.6 GB/s in one stream (one core of a Sapphire Rapids Xeon,
// 512 MiB). The device passport times it to learn the bandwidth that decode can hope for; the sum
// keeps the reads from being removed. `data` is 64-byte aligned, `bytes` a multiple of 512. No
// over-read.

#include <cstddef>
#include <cstdint>

namespace edgelm::kernels {

std::uint64_t read_probe_scalar(const void* data, std::size_t bytes);
std::uint64_t read_probe_avx2(const void* data, std::size_t bytes);
std::uint64_t read_probe_neon(const void* data, std::size_t bytes);

}  // namespace edgelm::kernels
