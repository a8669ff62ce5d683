#pragma once
// The counting operator new of a test program; see count_allocations.h. Sanitizers bring operators
// of their own, which must not be mixed with these: under them nothing is counted.

#include <cstdlib>
#include <new>

#include "support/count_allocations.h"

namespace edgelm::test {

std::atomic<std::size_t>& allocation_count() {
  static std::atomic<std::size_t> count{0};
  return count;
}

}  // namespace edgelm::test

#ifndef EDGELM_SANITIZED
void* operator new(std::size_t size) {
  edgelm::test::allocation_count().fetch_add(1, std::memory_order_relaxed);
  if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}
void* operator new[](std::size_t size) { return operator new(size); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }
#endif
