#pragma once
// Randomness as a function of (seed, index): no hidden state, so that a stream can be continued on
// another machine from its ids alone. The mixer is SplitMix64's finalizer (Steele, Lea, Flood
// 2014).

#include <cstdint>

namespace edgelm {

constexpr std::uint64_t mix64(std::uint64_t z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

// 64 uniform bits for draw number `index` of stream `seed`.
constexpr std::uint64_t random_bits(std::uint64_t seed, std::uint64_t index) {
  constexpr std::uint64_t kGolden = 0x9e3779b97f4a7c15ULL;
  return mix64(mix64(seed + kGolden) + (index + 1) * kGolden);
}

// Uniform in [0, 1) with 53 bits.
constexpr double random_unit(std::uint64_t seed, std::uint64_t index) {
  return static_cast<double>(random_bits(seed, index) >> 11) * 0x1.0p-53;
}

// A sequential generator over one stream, for tests and synthetic data.
class Random {
 public:
  explicit constexpr Random(std::uint64_t seed) : seed_(seed) {}
  constexpr std::uint64_t bits() { return random_bits(seed_, index_++); }
  constexpr double unit() { return random_unit(seed_, index_++); }
  // Uniform in [0, bound), bound > 0; the bias of the modulo is below 2^-32 for bounds < 2^32.
  constexpr std::uint64_t below(std::uint64_t bound) { return bits() % bound; }
  // Uniform in [low, high).
  constexpr float uniform(float low, float high) {
    return low + (high - low) * static_cast<float>(unit());
  }

 private:
  std::uint64_t seed_;
  std::uint64_t index_ = 0;
};

}  // namespace edgelm
