#pragma once
// Counts calls of operator new, for tests of promises such as "allocates only when constructed". A
// test program that uses it defines the replacement by including count_allocations_main.h in
// exactly one of its files.

#include <atomic>
#include <cstddef>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define EDGELM_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define EDGELM_SANITIZED 1
#endif
#endif

namespace edgelm::test {

// False under a sanitizer: a test of a promise about allocations must skip then, and say so.
#ifdef EDGELM_SANITIZED
constexpr bool kCountsAllocations = false;
#else
constexpr bool kCountsAllocations = true;
#endif

std::atomic<std::size_t>& allocation_count();

// Number of allocations that `body` makes on all threads.
template <class Body>
std::size_t allocations_of(Body&& body) {
  const std::size_t before = allocation_count().load();
  body();
  return allocation_count().load() - before;
}

}  // namespace edgelm::test
