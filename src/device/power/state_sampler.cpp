// Temperature, clocks and throttle evidence from sysfs and the Raspberry Pi's firmware.

#include "device/power/state_sampler.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <iterator>
#include <limits>
#include <string_view>
#include <utility>

#include "os/program.h"
#include "stats/summary.h"

namespace edgelm::device {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr const char* kCpus = "/sys/devices/system/cpu";
constexpr const char* kThermal = "/sys/class/thermal";
constexpr const char* kHwmon = "/sys/class/hwmon";
// Where the Raspberry Pi's own kernels have the firmware's word, without any program.
constexpr const char* kFirmwareFlags = "/sys/devices/platform/soc/soc:firmware/get_throttled";
constexpr std::uint64_t kLiveBits = 0xF;

// "throttled=0x50005", or the hexadecimal digits alone.
Result<std::uint64_t> parse_throttled(std::string_view text) {
  const std::size_t equals = text.find('=');
  std::string_view digits = equals == std::string_view::npos ? text : text.substr(equals + 1);
  while (!digits.empty() && (digits.back() == '\n' || digits.back() == ' '))
    digits.remove_suffix(1);
  if (digits.starts_with("0x")) digits.remove_prefix(2);
  std::uint64_t bits = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), bits, 16);
  if (error != std::errc{} || end != digits.data() + digits.size() || digits.empty())
    return fail(ErrorCode::kFormat, "get_throttled: expected throttled=0x..., got '{}'",
                text.substr(0, 40));
  return bits;
}

bool is_cpu_folder(std::string_view name) {
  return name.size() > 3 && name.starts_with("cpu") &&
         std::all_of(name.begin() + 3, name.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// `cause` may be several, "under-voltage, throttled": each stands once in `causes`.
void add_cause(std::string& causes, std::string_view cause) {
  while (!cause.empty()) {
    const std::size_t comma = std::min(cause.find(", "), cause.size());
    const std::string_view one = cause.substr(0, comma);
    cause.remove_prefix(std::min(comma + 2, cause.size()));
    if (causes.find(one) != std::string::npos) continue;
    if (!causes.empty()) causes += ", ";
    causes += one;
  }
}

}  // namespace

std::string throttle_bits_text(std::uint64_t bits) {
  constexpr std::array<std::string_view, 4> kNames{"under-voltage", "frequency capped", "throttled",
                                                   "soft temperature limit"};
  std::string text;
  for (std::size_t i = 0; i < kNames.size(); ++i)
    if (((bits >> i) & 1) != 0) add_cause(text, kNames[i]);
  return text;
}

StateSampler::StateSampler(const os::SystemFiles& files, RunProgram run, ThrottleWatch watch)
    : files_(files), run_(std::move(run)), watch_(std::move(watch)) {
  if (!run_)
    run_ = [&files](const std::vector<std::string>& arguments) {
      return os::program_output(files, arguments, {.seconds = 2, .output_bytes = 4096});
    };
  const std::string thermal = kThermal;
  for (const std::string& name : files_.list(thermal))
    if (name.starts_with("thermal_zone"))
      zones_.push_back(fmt::format("{}/{}/temp", thermal, name));
  const std::string cpus = kCpus;
  for (const std::string& name : files_.list(cpus)) {
    if (!is_cpu_folder(name)) continue;
    const std::string path = fmt::format("{}/{}/cpufreq/scaling_cur_freq", cpus, name);
    if (files_.read(path)) clocks_.push_back(path);
  }
  find_counters();
  find_levels();
  if (files_.read(kFirmwareFlags)) {
    flags_path_ = kFirmwareFlags;
  } else {
    const Result<std::string> model = files_.line("/proc/device-tree/model");
    flags_program_ = model && model->find("Raspberry Pi") != std::string::npos;
  }
}

void StateSampler::find_counters() {
  const std::string cpus = kCpus;
  for (const std::string& name : files_.list(cpus)) {
    if (!is_cpu_folder(name)) continue;
    for (const char* file : {"core_throttle_count", "package_throttle_count"}) {
      std::string path = fmt::format("{}/{}/thermal_throttle/{}", cpus, name, file);
      if (files_.read(path)) counters_.push_back({std::move(path), "processor temperature", -1});
    }
  }
  const std::string hwmon = kHwmon;  // Jetson: over-current events of soctherm
  for (const std::string& name : files_.list(hwmon)) {
    const std::string folder = fmt::format("{}/{}", hwmon, name);
    for (const std::string& file : files_.list(folder))
      if (file.starts_with("oc") && file.ends_with("_event_cnt"))
        counters_.push_back({fmt::format("{}/{}", folder, file), "over-current", -1});
  }
}

void StateSampler::find_levels() {
  const std::string thermal = kThermal;
  for (const std::string& name : files_.list(thermal)) {
    if (!name.starts_with("cooling_device")) continue;
    const Result<std::string> type = files_.line(fmt::format("{}/{}/type", thermal, name));
    // Devices that cool by slowing the processor; fans do no harm.
    if (type && (type->find("cpufreq") != std::string::npos || *type == "Processor"))
      levels_.push_back({fmt::format("{}/{}/cur_state", thermal, name), "thermal governor"});
  }
  const std::string hwmon = kHwmon;
  for (const std::string& name : files_.list(hwmon)) {
    const std::string folder = fmt::format("{}/{}", hwmon, name);
    for (const std::string& file : files_.list(folder)) {
      if (file == "in0_lcrit_alarm")
        levels_.push_back({fmt::format("{}/{}", folder, file), "under-voltage"});
      else if (file.starts_with("curr") && file.ends_with("_crit_alarm"))
        levels_.push_back({fmt::format("{}/{}", folder, file), "over-current"});
    }
  }
}

void StateSampler::read_firmware_flags(StateSample& sample) {
  if (flags_path_.empty() && !flags_program_) return;
  const Result<std::string> text =
      flags_program_ ? run_({"vcgencmd", "get_throttled"}) : files_.read(flags_path_);
  if (!text && first_) flags_program_ = false;  // not there: do not ask every second
  const Result<std::uint64_t> bits = text ? parse_throttled(*text) : fail(text.error());
  if (!bits) return;
  // Bits 16 to 19 say what happened since the start of the machine; the kernel's own driver clears
  // them when it looks, so that both are needed.
  const std::uint64_t sticky = (*bits >> 16) & kLiveBits;
  if (first_) since_start_ = sticky;
  const std::uint64_t news = (*bits & kLiveBits) | (sticky & ~since_start_);
  since_start_ |= sticky;
  if (news == 0) return;
  ++events_;
  add_cause(sample.throttle, throttle_bits_text(news));
}

StateSample StateSampler::sample(std::int64_t now_ns) {
  StateSample sample{now_ns, kNaN, kNaN, 0, ""};
  for (const std::string& path : zones_) {
    const Result<long long> milli = files_.integer(path);
    if (!milli || *milli <= -40'000 || *milli == 0 || *milli > 200'000) continue;
    sample.celsius = std::fmax(sample.celsius, static_cast<double>(*milli) * 1e-3);
  }
  std::vector<double> hz;
  hz.reserve(clocks_.size());
  for (const std::string& path : clocks_) {
    const Result<long long> kilo = files_.integer(path);
    if (kilo && *kilo > 0) hz.push_back(static_cast<double>(*kilo) * 1e3);
  }
  if (!hz.empty()) sample.cpu_hz = stats::median(hz);
  for (Counter& counter : counters_) {
    const Result<long long> count = files_.integer(counter.path);
    if (!count) continue;
    if (counter.last >= 0 && *count > counter.last) {
      events_ += static_cast<std::uint64_t>(*count - counter.last);
      add_cause(sample.throttle, counter.cause);
    }
    counter.last = *count;
  }
  for (const Level& level : levels_) {
    const Result<long long> value = files_.integer(level.path);
    if (!value || *value <= 0) continue;
    ++events_;
    add_cause(sample.throttle, level.cause);
  }
  read_firmware_flags(sample);
  if (const std::string seen = watch_ ? watch_() : std::string(); !seen.empty()) {
    ++events_;
    add_cause(sample.throttle, seen);
  }
  first_ = false;
  sample.throttle_events = events_;
  return sample;
}

StateSummary summarize_state(std::span<const StateSample> samples, std::int64_t begin,
                             std::int64_t end) {
  StateSummary summary;
  const auto first = std::find_if(samples.begin(), samples.end(),
                                  [begin](const StateSample& s) { return s.t_ns >= begin; });
  const bool none_inside = first == samples.end() || first->t_ns > end;
  // A window between two samples is described by the one before.
  if (none_inside && first != samples.begin()) begin = std::prev(first)->t_ns;
  std::vector<double> hz;
  std::uint64_t events_before = 0;
  bool have_before = false;
  for (const StateSample& sample : samples) {
    if (sample.t_ns > end) break;
    if (sample.t_ns < begin) {
      events_before = sample.throttle_events;
      have_before = true;
      continue;
    }
    if (!std::isnan(sample.celsius))
      summary.max_celsius = std::max(summary.max_celsius.value_or(sample.celsius), sample.celsius);
    if (!std::isnan(sample.cpu_hz)) hz.push_back(sample.cpu_hz);
    // A flag that was up at the very first sample is as good as a rise.
    if (sample.throttle_events > events_before && (have_before || !sample.throttle.empty())) {
      summary.throttled = true;
      add_cause(summary.cause, sample.throttle);
    }
    events_before = sample.throttle_events;
    have_before = true;
  }
  if (hz.empty()) return summary;
  summary.median_hz = stats::median(hz);
  summary.min_hz = *std::min_element(hz.begin(), hz.end());
  const std::size_t third = hz.size() / 3;
  if (third >= 2) {
    const std::span<const double> all = hz;
    summary.possibly_throttled = !summary.throttled && stats::median(all.last(third)) <
                                                           0.95 * stats::median(all.first(third));
  }
  return summary;
}

}  // namespace edgelm::device
