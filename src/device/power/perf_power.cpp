// Events from sysfs, counters from the system call, raw counts times the event's scale.

#include "device/power/perf_power.h"

#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstring>
#include <utility>

#include "device/power/checked_reading.h"
#include "os/descriptor.h"

namespace edgelm::device {
namespace {

constexpr const char* kPmu = "/sys/bus/event_source/devices/power";
constexpr std::uint64_t kMostCpus = 4096;

class SystemPerfCounter final : public PerfCounter {
 public:
  explicit SystemPerfCounter(int descriptor) : file_(descriptor) {}
  Result<std::uint64_t> read() override {
    std::uint64_t value = 0;
    const ssize_t n = ::read(file_.get(), &value, sizeof value);
    if (n == static_cast<ssize_t>(sizeof value)) return value;
    return fail(ErrorCode::kIo, "perf: reading a counter: {}",
                n < 0 ? std::strerror(errno) : "too few bytes");
  }

 private:
  os::Descriptor file_;
};

Result<std::uint64_t> unsigned_of(std::string_view text, int base) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc{} || end != text.data() + text.size() || text.empty())
    return fail(ErrorCode::kFormat, "expected a number, got '{}'", text.substr(0, 40));
  return value;
}

struct Event {
  std::string name;
  std::uint64_t config = 0;
  double joules_per_count = 0;
};

struct Pmu {
  std::uint32_t type = 0;
  std::vector<int> cpus;
  std::vector<Event> events;
};

Result<Event> event_of(const os::SystemFiles& files, const char* name) {
  const std::string path = fmt::format("{}/events/{}", kPmu, name);
  Event event;
  event.name = name;
  EDGELM_TRY_ASSIGN(const std::string text, files.line(path));
  EDGELM_TRY_ASSIGN(event.config, parse_perf_event(text));
  EDGELM_TRY_ASSIGN(const std::string scale, files.line(path + ".scale"));
  const auto [end, error] =
      std::from_chars(scale.data(), scale.data() + scale.size(), event.joules_per_count);
  if (error != std::errc{} || end != scale.data() + scale.size() ||
      !(event.joules_per_count > 0 && event.joules_per_count < 1))
    return fail(ErrorCode::kFormat, "{}.scale: '{}' is no scale", path, scale.substr(0, 40));
  EDGELM_TRY_ASSIGN(const std::string unit, files.line(path + ".unit"));
  if (unit != "Joules")
    return fail(ErrorCode::kFormat, "{}.unit: expected Joules, got '{}'", path, unit.substr(0, 40));
  return event;
}

Result<Pmu> find_pmu(const os::SystemFiles& files) {
  Pmu pmu;
  EDGELM_TRY_ASSIGN(const long long type, files.integer(fmt::format("{}/type", kPmu)));
  if (type < 0 || type > 0x7fffffff)
    return fail(ErrorCode::kFormat, "{}/type: {} is no type", kPmu, type);
  pmu.type = static_cast<std::uint32_t>(type);
  EDGELM_TRY_ASSIGN(const std::string mask, files.line(fmt::format("{}/cpumask", kPmu)));
  EDGELM_TRY_ASSIGN(pmu.cpus, parse_cpu_list(mask));
  EDGELM_TRY_ASSIGN(Event package, event_of(files, "energy-pkg"));
  pmu.events.push_back(std::move(package));
  Result<Event> memory = event_of(files, "energy-ram");
  if (memory) pmu.events.push_back(std::move(*memory));
  return pmu;
}

class PerfPower final : public EnergySource {
 public:
  PerfPower(SensorInfo info, Clock now) : info_(std::move(info)), now_(std::move(now)) {}

  Status add(const Event& event, const Pmu& pmu, const OpenPerf& open) {
    for (const int cpu : pmu.cpus) {
      EDGELM_TRY_ASSIGN(auto counter, open(pmu.type, event.config, cpu));
      counters_.push_back({std::move(counter), event.joules_per_count, 0});
    }
    return {};
  }

  const SensorInfo& info() const override { return info_; }

  Result<Reading> read() override {
    bool restart = std::exchange(lost_, false);
    lost_ = true;  // unless all counters are read
    Result<Reading> reading = timed(now_, [&]() -> Result<double> {
      for (Counter& counter : counters_) {
        EDGELM_TRY_ASSIGN(const std::uint64_t raw, counter.file->read());
        if (begun_ && raw < counter.last) restart = true;  // 64 bits do not wrap
        if (begun_ && raw > counter.last)
          total_ += static_cast<double>(raw - counter.last) * counter.joules_per_count;
        counter.last = raw;
      }
      return total_;
    });
    if (!reading) return reading;
    lost_ = false;
    begun_ = true;
    reading->restart = restart;
    return reading;
  }

 private:
  struct Counter {
    std::unique_ptr<PerfCounter> file;
    double joules_per_count;
    std::uint64_t last;
  };
  SensorInfo info_;
  Clock now_;
  std::vector<Counter> counters_;
  double total_ = 0;
  bool begun_ = false;
  bool lost_ = false;
};

Result<std::unique_ptr<EnergySource>> make(const os::SystemFiles& files, SensorInfo info, Clock now,
                                           OpenPerf open) {
  EDGELM_TRY_ASSIGN(const Pmu pmu, find_pmu(files));
  if (!open && !files.root().empty())
    return fail(ErrorCode::kUnsupported,
                "perf counters can be read on the machine itself, not from its files");
  if (!open) open = open_perf_counter;
  auto source = std::make_unique<PerfPower>(std::move(info), std::move(now));
  for (const Event& event : pmu.events) EDGELM_TRY(source->add(event, pmu, open));
  return source;
}

SensorInfo perf_info() {
  SensorInfo info;
  info.id = "perf";
  info.name = "perf power events, packages and memory";
  info.scope = Scope::kPackage;
  info.counter = true;
  info.period_s = 0.05;
  info.update_s = 0.001;
  info.min_window_s = 0.5;
  info.relative_uncertainty = 0.05;
  info.quantum = 6.1e-5;
  return info;
}

}  // namespace

Result<std::unique_ptr<PerfCounter>> open_perf_counter(std::uint32_t type, std::uint64_t config,
                                                       int cpu) {
  perf_event_attr attributes{};
  attributes.type = type;
  attributes.size = sizeof attributes;
  attributes.config = config;
  const long descriptor =
      ::syscall(SYS_perf_event_open, &attributes, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);
  if (descriptor >= 0) return std::make_unique<SystemPerfCounter>(static_cast<int>(descriptor));
  return fail(errno == EACCES || errno == EPERM ? ErrorCode::kPermission : ErrorCode::kIo,
              "perf_event_open: {}", std::strerror(errno));
}

Result<std::uint64_t> parse_perf_event(std::string_view text) {
  std::uint64_t config = 0;
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::string_view term = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(term.size() + 1, rest.size()));
    const std::size_t equals = term.find('=');
    const std::string_view key = term.substr(0, equals);
    const bool known = key == "event" || key == "umask";
    if (!known || equals == std::string_view::npos)
      return fail(ErrorCode::kFormat, "perf event: expected event=0x.., got '{}'",
                  text.substr(0, 40));
    std::string_view digits = term.substr(equals + 1);
    const bool hexadecimal = digits.starts_with("0x");
    if (hexadecimal) digits.remove_prefix(2);
    EDGELM_TRY_ASSIGN(const std::uint64_t value, unsigned_of(digits, hexadecimal ? 16 : 10));
    if (value > 0xFF)
      return fail(ErrorCode::kFormat, "perf event: {} in '{}' has more than 8 bits", value,
                  text.substr(0, 40));
    config |= value << (key == "umask" ? 8 : 0);
  }
  if (config == 0)
    return fail(ErrorCode::kFormat, "perf event: no event in '{}'", text.substr(0, 40));
  return config;
}

Result<std::vector<int>> parse_cpu_list(std::string_view text) {
  std::vector<int> cpus;
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::string_view range = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(range.size() + 1, rest.size()));
    const std::size_t dash = range.find('-');
    EDGELM_TRY_ASSIGN(const std::uint64_t first, unsigned_of(range.substr(0, dash), 10));
    std::uint64_t last = first;
    if (dash != std::string_view::npos) {
      EDGELM_TRY_ASSIGN(last, unsigned_of(range.substr(dash + 1), 10));
    }
    if (last < first || last >= kMostCpus)
      return fail(ErrorCode::kFormat, "'{}' is no list of processors", text.substr(0, 40));
    for (std::uint64_t cpu = first; cpu <= last; ++cpu) cpus.push_back(static_cast<int>(cpu));
  }
  if (cpus.empty()) return fail(ErrorCode::kFormat, "an empty list of processors");
  return cpus;
}

std::vector<SensorInfo> list_perf_power(const os::SystemFiles& files, OpenPerf open) {
  if (!files.read(fmt::format("{}/type", kPmu))) return {};
  SensorInfo info = perf_info();
  const auto source = make(
      files, info, [] { return std::int64_t{0}; }, std::move(open));
  if (!source) {
    info.not_readable = source.error().message;
    if (source.error().code == ErrorCode::kPermission)
      info.hint = "sudo sysctl kernel.perf_event_paranoid=0  (until the next start)";
  }
  return {info};
}

Result<std::unique_ptr<EnergySource>> open_perf_power(const os::SystemFiles& files, Clock now,
                                                      OpenPerf open) {
  return make(files, perf_info(), std::move(now), std::move(open));
}

}  // namespace edgelm::device
