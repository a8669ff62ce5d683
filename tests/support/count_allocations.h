#pragma once
// Counts calls of operator new, for tests of promises such as "allocates only when constructed". A
// test program that uses it defines the replacement by including count_allocations_main.h in
// exactly one of its files.

#include <atomic>
#include <cstddef>

namespace edgelm::test {

std::atomic<std::size_t>& allocation_count();

// Number of allocations that `body` makes on all threads.
template <class Body>
std::size_t allocations_of(Body&& body) {
  const std::size_t before = allocation_count().load();
  body();
  return allocation_count().load() - before;
}

}  // namespace edgelm::test
