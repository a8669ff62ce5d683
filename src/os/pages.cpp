// mmap and madvise.

#include "os/pages.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <limits>

namespace edgelm::os {
namespace {

std::uintptr_t round_up(std::uintptr_t value, std::uintptr_t unit) {
  return (value + unit - 1) / unit * unit;
}

}  // namespace

Pages::Pages(std::size_t bytes) {
  if (bytes == 0 || bytes > std::numeric_limits<std::size_t>::max() / 2) return;
  const std::size_t whole = round_up(bytes, kHugePageBytes) + kHugePageBytes;
  void* const mapped = mmap(nullptr, whole, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapped == MAP_FAILED) return;
  mapped_ = mapped;
  mapped_bytes_ = whole;
  const std::uintptr_t start = round_up(reinterpret_cast<std::uintptr_t>(mapped), kHugePageBytes);
  data_ = reinterpret_cast<std::byte*>(start);
  size_ = bytes;
#ifdef MADV_HUGEPAGE
  // A last piece of less than half a huge page stays with small ones: no memory for nothing.
  const std::size_t huge = (bytes + kHugePageBytes / 2) / kHugePageBytes * kHugePageBytes;
  if (huge > 0) (void)madvise(data_, huge, MADV_HUGEPAGE);
#endif
}

Pages::~Pages() {
  if (mapped_ != nullptr) (void)munmap(mapped_, mapped_bytes_);
}

void release_file_pages(std::span<const std::byte> bytes) {
  const auto page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
  const auto begin = reinterpret_cast<std::uintptr_t>(bytes.data());
  const std::uintptr_t first = round_up(begin, page);
  const std::uintptr_t last = (begin + bytes.size()) / page * page;
  if (first < last) (void)madvise(reinterpret_cast<void*>(first), last - first, MADV_DONTNEED);
}

}  // namespace edgelm::os
