#pragma once
// An owned array of zeros whose start lies on a cache line; large ones take memory on first touch.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <memory>
#include <new>

namespace edgelm::backend {

template <class T>
class AlignedArray {
 public:
  AlignedArray() = default;
  // Throws std::bad_alloc, which CpuBackend::compile turns into an Error.
  explicit AlignedArray(std::size_t size) : size_(size) {
    if (size == 0) return;
    // calloc knows which pages are fresh from the system and need no writing. One cache line more
    // to align the start, another so that the last one is whole.
    if (size > (std::numeric_limits<std::size_t>::max() - 2 * kAlignment) / sizeof(T))
      throw std::bad_alloc();
    memory_.reset(std::calloc(size * sizeof(T) + 2 * kAlignment, 1));
    if (!memory_) throw std::bad_alloc();
  }
  [[nodiscard]] T* data() { return aligned(); }
  [[nodiscard]] const T* data() const { return aligned(); }
  [[nodiscard]] std::size_t size() const { return size_; }
  T& operator[](std::size_t i) { return aligned()[i]; }
  const T& operator[](std::size_t i) const { return aligned()[i]; }

 private:
  static constexpr std::uintptr_t kAlignment = 64;

  [[nodiscard]] T* aligned() const {
    auto* const start = static_cast<std::byte*>(memory_.get());
    const std::uintptr_t past = reinterpret_cast<std::uintptr_t>(start) % kAlignment;
    return reinterpret_cast<T*>(past == 0 ? start : start + (kAlignment - past));
  }

  struct Free {
    void operator()(void* pointer) const { std::free(pointer); }
  };
  std::unique_ptr<void, Free> memory_;
  std::size_t size_ = 0;
};

}  // namespace edgelm::backend
