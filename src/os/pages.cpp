// mmap and madvise.

#include "os/pages.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <limits>

namespace edgelm::os {
namespace {

std::size_t round_up(std::size_t value, std::size_t unit) {
  return (value + unit - 1) / unit * unit;
}

// Bytes from `pointer` to the next multiple of `unit`.
std::size_t gap(const void* pointer, std::size_t unit) {
  const auto address = reinterpret_cast<std::uintptr_t>(pointer);
  return round_up(address, unit) - address;
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
  data_ = static_cast<std::byte*>(mapped) + gap(mapped, kHugePageBytes);
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
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  const std::size_t before = gap(bytes.data(), page);
  if (before >= bytes.size()) return;
  const std::size_t whole = (bytes.size() - before) / page * page;
  if (whole == 0) return;
  (void)madvise(const_cast<std::byte*>(bytes.data()) + before, whole, MADV_DONTNEED);
}

}  // namespace edgelm::os
