#pragma once
// An owned array of zeros whose start lies on a cache line. Large ones come straight from the
// system (os/pages.h): memory is taken on first touch, in huge pages where there are any.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <memory>
#include <new>

#include "os/pages.h"

namespace edgelm::backend {

template <class T>
class AlignedArray {
 public:
  AlignedArray() = default;
  // Throws std::bad_alloc, which CpuBackend::compile turns into an Error.
  explicit AlignedArray(std::size_t size) : size_(size) {
    if (size == 0) return;
    // One cache line more to align the start, another so that the last one is whole.
    if (size > (std::numeric_limits<std::size_t>::max() - 2 * kAlignment) / sizeof(T))
      throw std::bad_alloc();
    const std::size_t bytes = size * sizeof(T) + 2 * kAlignment;
    void* start = nullptr;
    if (bytes >= 2 * os::kHugePageBytes) {
      pages_ = os::Pages(bytes);
      start = pages_.data();
    } else {
      memory_.reset(std::calloc(bytes, 1));
      start = memory_.get();
    }
    if (start == nullptr) throw std::bad_alloc();
    const std::uintptr_t past = reinterpret_cast<std::uintptr_t>(start) % kAlignment;
    data_ =
        reinterpret_cast<T*>(static_cast<std::byte*>(start) + (past == 0 ? 0 : kAlignment - past));
  }
  [[nodiscard]] T* data() { return data_; }
  [[nodiscard]] const T* data() const { return data_; }
  [[nodiscard]] std::size_t size() const { return size_; }
  T& operator[](std::size_t i) { return data_[i]; }
  const T& operator[](std::size_t i) const { return data_[i]; }

 private:
  static constexpr std::uintptr_t kAlignment = 64;

  struct Free {
    void operator()(void* pointer) const { std::free(pointer); }
  };
  std::unique_ptr<void, Free> memory_;
  os::Pages pages_;
  T* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace edgelm::backend
