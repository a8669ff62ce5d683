// Lines of "what  value", then the sensors, then the tables of speeds.

#include "apps/edgelm/device_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <vector>

#include "base/counted.h"
#include "device/passport_json.h"

namespace edgelm::apps {
namespace {

using device::Passport;
using device::PerThreads;

constexpr const char* kNa = "n/a";

void line(std::string& out, std::string_view what, std::string_view value) {
  out += fmt::format("{:<12} {}\n", what, value);
}

std::string gibibytes(std::uint64_t bytes) {
  return fmt::format("{:.2f} GiB", static_cast<double>(bytes) / (1024.0 * 1024.0 * 1024.0));
}

std::string kibibytes(std::uint64_t bytes) {
  return bytes < (1U << 20) ? fmt::format("{:.0f} KiB", static_cast<double>(bytes) / 1024.0)
                            : fmt::format("{:.4g} MiB", static_cast<double>(bytes) / 1048576.0);
}

std::string na(const Absent& absent) { return fmt::format("{} ({})", kNa, absent.reason); }

std::string clock_text(const device::Cpu& cpu) {
  if (!cpu.max_hz) return na(cpu.max_hz.error());
  std::string text = cpu.current_hz ? fmt::format("{:.2f} GHz now, ", *cpu.current_hz * 1e-9) : "";
  text += fmt::format("{:.2f} GHz at most", *cpu.max_hz * 1e-9);
  if (cpu.limit_hz) text += fmt::format(", limited to {:.2f} GHz", *cpu.limit_hz * 1e-9);
  text += fmt::format(", governor {}", cpu.governor.value_or(kNa));
  if (cpu.driver) text += fmt::format(" ({})", *cpu.driver);
  return text;
}

// "0-3", "0-3,8".
std::string cpu_list(const std::vector<std::uint32_t>& cpus) {
  std::string text;
  for (std::size_t i = 0; i < cpus.size();) {
    std::size_t last = i;
    while (last + 1 < cpus.size() && cpus[last + 1] == cpus[last] + 1) ++last;
    text += fmt::format("{}{}", text.empty() ? "" : ",", cpus[i]);
    if (last > i) text += fmt::format("-{}", cpus[last]);
    i = last + 1;
  }
  return text;
}

void processor(std::string& out, const device::Cpu& cpu) {
  line(out, "processor",
       fmt::format("{}, {}; {}, {}", cpu.model, cpu.architecture, counted(cpu.cores, "core"),
                   counted(cpu.logical_cpus, "thread")));
  line(out, "kernels", fmt::format("{}", fmt::join(cpu.isa, ", ")));
  if (cpu.clusters.size() > 1) {
    for (const device::CpuCluster& cluster : cpu.clusters) {
      std::string text = fmt::format("processors {}", cpu_list(cluster.cpus));
      if (cluster.part) text += ": " + *cluster.part;
      if (cluster.max_hz) text += fmt::format(", {:.2f} GHz at most", *cluster.max_hz * 1e-9);
      if (cluster.capacity) text += fmt::format(", capacity {} of 1024", *cluster.capacity);
      line(out, "", text);
    }
  }
  line(out, "clock", clock_text(cpu));
  std::string caches;
  for (const device::CacheLevel& cache : cpu.caches) {
    const std::string kind = cache.type == "Data" ? "d" : cache.type == "Instruction" ? "i" : "";
    caches += fmt::format("{}L{}{} {}", caches.empty() ? "" : ", ", cache.level, kind,
                          kibibytes(cache.bytes));
    if (cache.shared_by_cpus > 1) caches += fmt::format(" for {} threads", cache.shared_by_cpus);
  }
  line(out, "caches", caches.empty() ? "n/a (not told)" : caches);
}

void memory(std::string& out, const device::Memory& memory) {
  std::string text =
      memory.total_bytes ? gibibytes(*memory.total_bytes) : na(memory.total_bytes.error());
  if (memory.available_bytes) text += ", available " + gibibytes(*memory.available_bytes);
  if (memory.limit_bytes) text += ", limited to " + gibibytes(*memory.limit_bytes);
  if (memory.swap_bytes)
    text += fmt::format(", swap {} {}", gibibytes(*memory.swap_bytes), memory.swap_kind);
  line(out, "memory", text);
}

void thermal(std::string& out, const Passport& passport) {
  if (passport.thermal.empty()) line(out, "thermal", "n/a (no thermal zone)");
  bool is_first = true;
  for (const device::ThermalZone& zone : passport.thermal) {
    std::string text =
        zone.celsius ? fmt::format("{:.1f} C", *zone.celsius) : na(zone.celsius.error());
    if (zone.trip_celsius) text += fmt::format(", throttles from {:.0f} C", *zone.trip_celsius);
    line(out, is_first ? "thermal" : "", fmt::format("{} {}", zone.name, text));
    is_first = false;
  }
  if (!passport.throttle) {
    line(out, "throttled", na(passport.throttle.error()));
  } else {
    const std::string flags = fmt::format("{}", fmt::join(passport.throttle_flags, ", "));
    line(out, "throttled",
         fmt::format("{} ({})", flags.empty() ? "no" : flags, *passport.throttle));
  }
}

void sensors(std::string& out, const Passport& passport) {
  if (passport.sensors.empty())
    line(out, "power", "n/a (no power sensor; see edgelm bench --help for plugs and commands)");
  bool is_first = true;
  for (const device::SensorInfo& sensor : passport.sensors) {
    const std::string rate = fmt::format(
        "{}, {:.3g} readings/s, windows from {:.3g} s", sensor.counter ? "counter" : "gauge",
        sensor.period_s > 0 ? 1 / sensor.period_s : 0, sensor.min_window_s);
    line(out, is_first ? "power" : "",
         fmt::format("{}: {}, {} scope, {}", sensor.id, sensor.name,
                     device::scope_name(sensor.scope), rate));
    if (!sensor.not_readable.empty()) line(out, "", "  n/a (" + sensor.not_readable + ")");
    if (!sensor.hint.empty()) line(out, "", "  try: " + sensor.hint);
    is_first = false;
  }
  const device::PowerModes& modes = passport.power_modes;
  if (modes.interface.empty()) {
    line(out, "power modes", na(modes.current.has_value() ? Absent{} : modes.current.error()));
  } else {
    line(out, "power modes",
         fmt::format("{} now; {} ({})", modes.current ? *modes.current : na(modes.current.error()),
                     fmt::join(modes.available, ", "), modes.interface));
  }
}

const PerThreads* at(const std::vector<PerThreads>& figures, std::uint32_t threads) {
  const auto found = std::find_if(figures.begin(), figures.end(), [&](const PerThreads& figure) {
    return figure.threads == threads;
  });
  return found == figures.end() ? nullptr : &*found;
}

std::string cell(const std::vector<PerThreads>& figures, std::uint32_t threads) {
  const PerThreads* figure = at(figures, threads);
  return figure == nullptr ? kNa : fmt::format("{:.2f}", figure->value * 1e-9);
}

const std::vector<PerThreads>& kernel(const device::Speeds& speeds, std::string_view type,
                                      std::string_view phase) {
  static const std::vector<PerThreads> kNone;
  for (const device::KernelSpeed& speed : speeds.kernels)
    if (speed.type == type && speed.phase == phase) return speed.per_threads;
  return kNone;
}

// One thread, where reading is fastest, all.
std::set<std::uint32_t> shown_threads(const device::Speeds& speeds) {
  const auto& figures = speeds.read_bytes_per_s;
  if (figures.empty()) return {};
  const auto best =
      std::max_element(figures.begin(), figures.end(),
                       [](const PerThreads& a, const PerThreads& b) { return a.value < b.value; });
  return {figures.front().threads, best->threads, figures.back().threads};
}

void kernel_table(std::string& out, const device::Speeds& speeds) {
  const std::set<std::uint32_t> threads = shown_threads(speeds);
  std::vector<std::string> types;
  for (const device::KernelSpeed& speed : speeds.kernels)
    if (std::find(types.begin(), types.end(), speed.type) == types.end())
      types.push_back(speed.type);
  if (types.empty() || threads.empty()) return;
  const auto with_threads = [&](const char* what) {
    return fmt::format("{}, {} thread{}", what, fmt::join(threads, " | "),
                       threads == std::set{1U} ? "" : "s");
  };
  const std::array<std::pair<const char*, std::string>, 3> phases{
      std::pair{"decode", with_threads("decode GB/s")},
      {"decode_cached", with_threads("from caches GB/s")},
      {"prefill", with_threads("prefill GMAC/s")}};
  out += "\n" + fmt::format("{:<6}", "type");
  for (const auto& [phase, title] : phases) out += fmt::format("  {:>30}", title);
  out += "\n";
  for (const std::string& type : types) {
    out += fmt::format("{:<6}", type);
    for (const auto& [phase, title] : phases) {
      std::vector<std::string> cells;
      cells.reserve(threads.size());
      for (const std::uint32_t n : threads) cells.push_back(cell(kernel(speeds, type, phase), n));
      out += fmt::format("  {:>30}", fmt::format("{}", fmt::join(cells, " | ")));
    }
    out += "\n";
  }
}

void speeds_tables(std::string& out, const device::Speeds& speeds) {
  if (speeds.read_bytes_per_s.empty() && speeds.kernels.empty()) {
    line(out, "speeds", na({speeds.why.empty() ? "not measured" : speeds.why}));
    return;
  }
  line(out, "storage",
       speeds.storage_bytes_per_s
           ? fmt::format("reads {:.0f} MB/s ({}), {}", *speeds.storage_bytes_per_s * 1e-6,
                         origin_name(speeds.origin), speeds.storage_path)
           : na(speeds.storage_bytes_per_s.error()));
  out += fmt::format("\nSpeeds, {}{}\n", origin_name(speeds.origin),
                     speeds.why.empty() ? "" : ": " + speeds.why);
  out += fmt::format("{:>7}  {:>12}  {:>10}  {:>10}\n", "threads", "memory GB/s", "int8 GOPS",
                     "f32 GFLOPS");
  for (const PerThreads& figure : speeds.read_bytes_per_s) {
    out += fmt::format("{:>7}  {:>12}  {:>10}  {:>10}\n", figure.threads,
                       cell(speeds.read_bytes_per_s, figure.threads),
                       cell(speeds.int8_ops_per_s, figure.threads),
                       cell(speeds.f32_ops_per_s, figure.threads));
  }
  kernel_table(out, speeds);
}

}  // namespace

std::string passport_text(const Passport& passport) {
  std::string out = fmt::format("{}, fingerprint {}\n\n", passport.name, passport.fingerprint);
  line(out, "board",
       fmt::format(
           "{} ({}{}; {})", passport.board.name, device::board_kind_name(passport.board.kind),
           passport.board.soc.empty() ? "" : ", " + passport.board.soc, passport.board.evidence));
  line(out, "system", fmt::format("{}, {}", passport.os_name, passport.kernel));
  processor(out, passport.cpu);
  memory(out, passport.memory);
  thermal(out, passport);
  sensors(out, passport);
  speeds_tables(out, passport.speeds);
  return out;
}

}  // namespace edgelm::apps
