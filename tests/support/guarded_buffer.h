#pragma once
// An array that ends at an inaccessible page, with canaries in the bytes before it and in the gap
// that alignment leaves behind it. Kernel contract tests put weights, activations and outputs into
// such arrays: an over-read or an overwrite faults at once, one into the gap is found by intact().

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <type_traits>

namespace edgelm::test {

template <class T>
class GuardedBuffer {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  // `alignment` (a power of two, at most a page) is that of the first element. The last element
  // touches the guard page when count * sizeof(T) is a multiple of the alignment.
  explicit GuardedBuffer(std::size_t count, std::size_t alignment = alignof(T)) : count_(count) {
    const std::size_t page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    const std::size_t bytes = count * sizeof(T);
    const std::size_t usable = (bytes + alignment + page) / page * page;
    mapped_ = usable + 2 * page;
    void* base = mmap(nullptr, mapped_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (base == MAP_FAILED) std::abort();
    base_ = static_cast<std::byte*>(base);
    begin_ = base_ + page;
    end_ = begin_ + usable;
    if (mprotect(begin_, usable, PROT_READ | PROT_WRITE) != 0) std::abort();
    for (std::byte* at = begin_; at != end_; ++at) *at = kCanary;
    const std::size_t rounded = (bytes + alignment - 1) / alignment * alignment;
    data_ = reinterpret_cast<T*>(end_ - rounded);
  }
  GuardedBuffer(const GuardedBuffer&) = delete;
  GuardedBuffer& operator=(const GuardedBuffer&) = delete;
  ~GuardedBuffer() { munmap(base_, mapped_); }

  [[nodiscard]] T* data() { return data_; }
  [[nodiscard]] const T* data() const { return data_; }
  [[nodiscard]] std::size_t size() const { return count_; }
  [[nodiscard]] std::span<T> span() { return {data_, count_}; }
  T& operator[](std::size_t index) { return data_[index]; }
  const T& operator[](std::size_t index) const { return data_[index]; }

  // Whether every byte around the array still holds its canary.
  [[nodiscard]] bool intact() const {
    const std::byte* first = reinterpret_cast<const std::byte*>(data_);
    for (const std::byte* at = begin_; at != first; ++at) {
      if (*at != kCanary) return false;
    }
    for (const std::byte* at = first + count_ * sizeof(T); at != end_; ++at) {
      if (*at != kCanary) return false;
    }
    return true;
  }

 private:
  static constexpr std::byte kCanary{0xa5};
  std::size_t count_;
  std::size_t mapped_ = 0;
  std::byte* base_ = nullptr;
  std::byte* begin_ = nullptr;
  std::byte* end_ = nullptr;
  T* data_ = nullptr;
};

}  // namespace edgelm::test
