#pragma once
// Merging neighbouring symbols, best pair first, until no pair is known: the core of both
// byte-level BPE (Sennrich 2016; pairs by rank) and SentencePiece's BPE (pairs by score). Ties go
// to the left.

#include <algorithm>
#include <cstdint>
#include <vector>

#include "text/tokenizer.h"

namespace edgelm::text {

struct Symbol {
  std::uint32_t begin = 0;   // byte position in the text being merged
  std::uint32_t length = 0;  // bytes
  TokenId id = kNoToken;     // kNoToken when no token has this text
};

constexpr std::uint32_t kNoMerge = UINT32_MAX;

struct Merge {
  std::uint32_t order = kNoMerge;  // lower is merged first; kNoMerge: the pair does not merge
  TokenId id = kNoToken;           // token of the merged text
};

// Buffers of merge_symbols, kept by the caller from word to word.
struct MergeScratch {
  struct Candidate {
    std::uint64_t key;    // order, then position of the left symbol
    std::uint32_t bytes;  // both symbols when it was found: tells whether it is still current
    TokenId id;
  };
  std::vector<Candidate> first;
  std::vector<Candidate> heap;
  std::vector<std::uint32_t> next;
  std::vector<std::uint32_t> previous;
  std::vector<Merge> merges;
};

namespace detail {

// Quadratic, but without indirections: for the few symbols of an ordinary word.
template <class Lookup>
void merge_short(std::vector<Symbol>& symbols, Lookup&& lookup, MergeScratch& scratch) {
  std::vector<Merge>& merges = scratch.merges;  // merges[i]: of symbols i and i + 1
  merges.clear();
  for (std::size_t i = 0; i + 1 < symbols.size(); ++i)
    merges.push_back(lookup(symbols[i], symbols[i + 1]));
  while (!merges.empty()) {
    std::size_t best = 0;
    for (std::size_t i = 1; i < merges.size(); ++i) {
      if (merges[i].order < merges[best].order) best = i;
    }
    if (merges[best].order == kNoMerge) return;
    symbols[best].length += symbols[best + 1].length;
    symbols[best].id = merges[best].id;
    symbols.erase(symbols.begin() + static_cast<std::ptrdiff_t>(best) + 1);
    merges.erase(merges.begin() + static_cast<std::ptrdiff_t>(best));
    if (best > 0) merges[best - 1] = lookup(symbols[best - 1], symbols[best]);
    if (best < merges.size()) merges[best] = lookup(symbols[best], symbols[best + 1]);
  }
}

// O(n log n): symbols in a linked list, candidates in order; outdated ones are skipped. The pairs
// of the start are sorted once (runs of one character come sorted), later ones go through a heap.
template <class Lookup>
void merge_long(std::vector<Symbol>& symbols, Lookup&& lookup, MergeScratch& scratch) {
  constexpr std::uint32_t kEnd = UINT32_MAX;
  const auto n = static_cast<std::uint32_t>(symbols.size());
  auto& [first, heap, next, previous, unused] = scratch;
  first.clear();
  heap.clear();
  next.resize(n);
  previous.resize(n);
  const auto earlier = [](const auto& a, const auto& b) { return a.key < b.key; };
  const auto later = [](const auto& a, const auto& b) { return a.key > b.key; };
  const auto candidate = [&](std::uint32_t left, std::uint32_t right, auto&& add) {
    const Merge merge = lookup(symbols[left], symbols[right]);
    if (merge.order == kNoMerge) return;
    add(MergeScratch::Candidate{std::uint64_t{merge.order} << 32 | left,
                                symbols[left].length + symbols[right].length, merge.id});
  };
  for (std::uint32_t i = 0; i < n; ++i) {
    next[i] = i + 1 < n ? i + 1 : kEnd;
    previous[i] = i > 0 ? i - 1 : kEnd;
    if (i > 0) candidate(i - 1, i, [&](const auto& c) { first.push_back(c); });
  }
  if (!std::is_sorted(first.begin(), first.end(), earlier))
    std::sort(first.begin(), first.end(), earlier);
  const auto push = [&](const auto& c) {
    heap.push_back(c);
    std::push_heap(heap.begin(), heap.end(), later);
  };
  std::size_t at = 0;  // in `first`
  while (at < first.size() || !heap.empty()) {
    MergeScratch::Candidate best;
    if (heap.empty() || (at < first.size() && earlier(first[at], heap.front()))) {
      best = first[at++];
    } else {
      best = heap.front();
      std::pop_heap(heap.begin(), heap.end(), later);
      heap.pop_back();
    }
    const auto left = static_cast<std::uint32_t>(best.key);
    if (symbols[left].length == 0) continue;  // became part of its left neighbour
    const std::uint32_t right = next[left];
    // Symbols only ever grow, so the same number of bytes means the same two symbols.
    if (right == kEnd || symbols[left].length + symbols[right].length != best.bytes) continue;
    symbols[left].length = best.bytes;
    symbols[left].id = best.id;
    symbols[right].length = 0;
    next[left] = next[right];
    if (next[left] != kEnd) previous[next[left]] = left;
    if (previous[left] != kEnd) candidate(previous[left], left, push);
    if (next[left] != kEnd) candidate(left, next[left], push);
  }
  std::erase_if(symbols, [](const Symbol& symbol) { return symbol.length == 0; });
}

}  // namespace detail

// Merges `symbols` (at least one, none empty) in place. `lookup(left, right)` gives the Merge of
// two neighbours and must depend on their text alone.
template <class Lookup>
void merge_symbols(std::vector<Symbol>& symbols, Lookup&& lookup, MergeScratch& scratch) {
  constexpr std::size_t kShort = 32;
  if (symbols.size() <= kShort) {
    detail::merge_short(symbols, lookup, scratch);
  } else {
    detail::merge_long(symbols, lookup, scratch);
  }
}

}  // namespace edgelm::text
