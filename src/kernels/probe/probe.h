#pragma once
// Contract of the read probe: the sum (modulo 2^64) of `bytes` bytes taken as 64-bit words, read in
// order with four independent accumulators in the widest loads of the set. The device passport
// times it to learn the read bandwidth a kernel can hope for; the sum keeps the reads from being
// removed. `data` is 64-byte aligned, `bytes` a multiple of 512. No over-read.

#include <cstddef>
#include <cstdint>

namespace edgelm::kernels {

std::uint64_t read_probe_scalar(const void* data, std::size_t bytes);
std::uint64_t read_probe_avx2(const void* data, std::size_t bytes);
std::uint64_t read_probe_neon(const void* data, std::size_t bytes);

}  // namespace edgelm::kernels
