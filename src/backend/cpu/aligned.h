#pragma once
// An owned array whose start lies on a cache line, zero-filled by the system on first touch.

#include <cstdint>
#include <cstdlib>
#include <cstring>
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
    constexpr std::size_t kAlignment = 64;
    const std::size_t bytes = (size * sizeof(T) + kAlignment - 1) / kAlignment * kAlignment;
    data_.reset(static_cast<T*>(std::aligned_alloc(kAlignment, bytes)));
    if (!data_) throw std::bad_alloc();
    // Large arrays come from fresh zero pages; only small ones may hold old bytes.
    if (bytes < (1U << 20)) std::memset(data_.get(), 0, bytes);
  }
  [[nodiscard]] T* data() { return data_.get(); }
  [[nodiscard]] const T* data() const { return data_.get(); }
  [[nodiscard]] std::size_t size() const { return size_; }
  T& operator[](std::size_t i) { return data_.get()[i]; }
  const T& operator[](std::size_t i) const { return data_.get()[i]; }

 private:
  struct Free {
    void operator()(T* pointer) const { std::free(pointer); }
  };
  std::unique_ptr<T, Free> data_;
  std::size_t size_ = 0;
};

}  // namespace edgelm::backend
