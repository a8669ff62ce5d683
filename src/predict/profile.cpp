// Finding profiles for a passport, and this engine's own from what was measured.

#include "predict/profile.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>
#include <utility>

#include "predict/constants.h"
#include "predict/mix.h"
#include "predict/passports.h"

namespace edgelm::predict {
namespace {

using device::PerThreads;

// Of the f32 peak, what attention reaches with the cache in memory (docs/performance.md: 24 of 63
// GMAC/s per core with AVX2 for one query row; blocks of queries in prefill reach more).
constexpr double kDecodeAttentionShare = 0.35;
constexpr double kPrefillAttentionShare = 0.45;
// Per layer: five barriers of 0.2 to 0.5 us (docs/performance.md), and starting the threads once.
constexpr double kLayerOverhead = 2e-6;
constexpr double kTokenOverhead = 20e-6;
// Norms, rotation, SiLU: what a layer takes beyond its products and beyond quantizing its inputs,
// which the kernels' speeds include. Per float, on an AVX-512 core (docs/predict.md).
constexpr double kActivationSeconds = 0.4e-9;
// A float that another core's cache holds: prefill on two threads beside one (docs/predict.md).
constexpr double kTransferSeconds = 0.2e-9;
constexpr double kRepackBytesPerSecond = 1.5e9;  // packing weights for the first time, per core
constexpr std::uint64_t kRuntimeBytes = 20U << 20U;
constexpr std::uint32_t kBatchTokens = 256;
constexpr std::uint32_t kRowGrain = 32;  // backend/cpu/cpu_matmul.cpp
constexpr double kMeasuredError = 0.15;

// A virtual machine is told the size of its host's last level, which it shares with others: only
// caches of single cores count there.
double cache_bytes_of(const device::Cpu& cpu, bool virtual_machine) {
  const device::CacheLevel* last = nullptr;
  for (const device::CacheLevel& cache : cpu.caches)
    if (cache.type != "Instruction" && (!virtual_machine || cache.shared_by_cpus <= 1) &&
        (last == nullptr || cache.level > last->level))
      last = &cache;
  // A cache of one core's own (L2 of a small board) counts for each of them.
  if (last == nullptr) return 0;
  const std::uint32_t sharing = std::max(1U, last->shared_by_cpus);
  return static_cast<double>(last->bytes) * std::max(1U, cpu.logical_cpus / sharing);
}

// This engine's kernels as they were measured on the device.
std::optional<Profile> measured_profile(const device::Passport& passport, std::string& why_not) {
  const device::Speeds& speeds = passport.speeds;
  Profile profile;
  profile.device = passport.name;
  profile.engine = "edgelm";
  profile.origin = speeds.origin;
  profile.basis = "this engine's kernels, measured on the device";
  profile.bandwidth = speeds.read_bytes_per_s;
  for (const device::KernelSpeed& kernel : speeds.kernels) {
    const auto geometry = geometry_of(kernel.type);
    if (!geometry || kernel.per_threads.empty()) continue;
    TypeRate* rate = nullptr;
    for (TypeRate& known : profile.types)
      if (known.type == kernel.type) rate = &known;
    if (rate == nullptr) {
      profile.types.push_back({.type = kernel.type});
      rate = &profile.types.back();
    }
    if (kernel.phase == "decode") rate->memory_bytes_per_s = kernel.per_threads;
    if (kernel.phase == "prefill") rate->prefill_macs_per_s = kernel.per_threads;
    if (kernel.phase == "decode_cached") {
      rate->decode_weights_per_s = kernel.per_threads;
      for (PerThreads& at : rate->decode_weights_per_s)
        at.value *= static_cast<double>(geometry->elements) / geometry->bytes;
    }
  }
  if (profile.bandwidth.empty() || profile.types.empty()) {
    why_not = speeds.why.empty() ? "the kernels of this engine were not measured on this device"
                                 : speeds.why;
    return std::nullopt;
  }
  const double f32_macs = at_threads(speeds.f32_ops_per_s, 1) / 2;
  profile.decode_attention_macs_per_s = kDecodeAttentionShare * f32_macs;
  profile.prefill_attention_macs_per_s = kPrefillAttentionShare * f32_macs;
  profile.layer_overhead_s = kLayerOverhead;
  profile.token_overhead_s = kTokenOverhead;
  profile.cache_bytes =
      cache_bytes_of(passport.cpu, passport.board.kind == device::BoardKind::kVirtual);
  profile.activation_s = kActivationSeconds;
  profile.transfer_s = kTransferSeconds;
  profile.repack_bytes_per_s = kRepackBytesPerSecond * std::max(1U, passport.cpu.cores);
  profile.runtime_bytes = kRuntimeBytes;
  profile.batch_tokens = kBatchTokens;
  profile.row_grain = kRowGrain;
  profile.decode_error = kMeasuredError;
  profile.prefill_error = kMeasuredError;
  return profile;
}

// Boards of many makers share a system on a chip, whose name a device tree writes small.
bool has_soc(const device::Board& board, std::string_view name) {
  const auto same = [](char a, char b) { return a == (b >= 'A' && b <= 'Z' ? b - 'A' + 'a' : b); };
  const auto found =
      std::search(board.soc.begin(), board.soc.end(), name.begin(), name.end(), same);
  return found != board.soc.end();
}

bool is_of(const Profile& profile, const device::Passport& passport) {
  return !profile.device.empty() &&
         (passport.name.starts_with(profile.device) ||
          passport.board.name.find(profile.device) != std::string::npos ||
          has_soc(passport.board, profile.device));
}

// Kernels differ by a few percent in what they keep for themselves; memories by half.
std::string shipped_name(const device::Passport& passport) {
  constexpr double kSameMemory = 0.1;
  if (!passport.memory.total_bytes) return "";
  const auto total = static_cast<double>(*passport.memory.total_bytes);
  for (const device::Passport& shipped : shipped_passports()) {
    const auto stated = static_cast<double>(shipped.memory.total_bytes.value_or(0));
    if (std::abs(total - stated) > kSameMemory * stated) continue;
    for (const Profile& profile : shipped_profiles())
      if (is_of(profile, passport) && is_of(profile, shipped)) return shipped.name;
  }
  return "";
}

}  // namespace

double at_threads(const std::vector<PerThreads>& values, std::uint32_t threads) {
  if (values.empty()) return 0;
  const PerThreads* below = nullptr;
  const PerThreads* above = nullptr;
  for (const PerThreads& at : values) {
    if (at.threads <= threads && (below == nullptr || at.threads > below->threads)) below = &at;
    if (at.threads >= threads && (above == nullptr || at.threads < above->threads)) above = &at;
  }
  if (below == nullptr) return above->value;
  if (above == nullptr || above->threads == below->threads) return below->value;
  const double share = static_cast<double>(threads - below->threads) /
                       static_cast<double>(above->threads - below->threads);
  return below->value + share * (above->value - below->value);
}

const TypeRate* Profile::find_type(std::string_view type) const {
  const TypeRate* any = nullptr;
  for (const TypeRate& rate : types) {
    if (rate.type == type) return &rate;
    if (rate.type == "*") any = &rate;
  }
  return any;
}

std::vector<std::uint32_t> Profile::thread_counts() const {
  if (gpu) return {0};
  std::set<std::uint32_t> counts;
  for (const PerThreads& at : bandwidth) counts.insert(at.threads);
  return {counts.begin(), counts.end()};
}

const Profile* Device::find(std::string_view engine, std::string_view power_mode) const {
  for (const Profile& profile : profiles)
    if ((engine.empty() || profile.engine == engine) &&
        (power_mode.empty() || profile.power_mode == power_mode))
      return &profile;
  return nullptr;
}

Device device_of(const device::Passport& passport) {
  Device device;
  device.passport = passport;
  if (auto own = measured_profile(passport, device.why_not_here))
    device.profiles.push_back(std::move(*own));
  for (const Profile& profile : shipped_profiles())
    if (is_of(profile, passport)) device.profiles.push_back(profile);
  device.shipped = shipped_name(passport);
  return device;
}

}  // namespace edgelm::predict
