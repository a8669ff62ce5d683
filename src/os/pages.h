#pragma once
// Large blocks of memory straight from the system, and what it is told about pages. Huge pages are
// asked for: weights are read from end to end for every token, and each 4 KB page costs a walk of
// the page tables, which under a hypervisor is two-dimensional (measured on a 2-core Xeon VM, one
// thread: 10.7 GB/s of weights with 4 KB pages, 16.9 GB/s with 2 MB pages).

#include <cstddef>
#include <span>
#include <utility>

namespace edgelm::os {

constexpr std::size_t kHugePageBytes = std::size_t{2} << 20;

// Zeroed private memory, aligned to kHugePageBytes; taken from the machine page by page as it is
// touched. Movable, not copyable.
class Pages {
 public:
  Pages() = default;
  // Empty (data() == nullptr) when the system refuses, or for 0 bytes.
  explicit Pages(std::size_t bytes);
  ~Pages();
  Pages(Pages&& other) noexcept { swap(other); }
  Pages& operator=(Pages&& other) noexcept {
    swap(other);
    return *this;
  }

  [[nodiscard]] std::byte* data() const { return data_; }
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  void swap(Pages& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(mapped_, other.mapped_);
    std::swap(mapped_bytes_, other.mapped_bytes_);
  }

  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
  void* mapped_ = nullptr;
  std::size_t mapped_bytes_ = 0;
};

// Lets go of the resident pages that lie wholly inside `bytes` of a read-only file mapping; they
// come back from the file when they are read again. Anonymous memory would be zeroed: never that.
void release_file_pages(std::span<const std::byte> bytes);

}  // namespace edgelm::os
