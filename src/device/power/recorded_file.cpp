// CSV traces, replayed or followed.

#include "device/power/recorded_file.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <utility>

#include "device/power/checked_reading.h"
#include "os/clock.h"
#include "os/file.h"

namespace edgelm::device {
namespace {

constexpr std::uint64_t kMostBytes = std::uint64_t{256} << 20;
constexpr double kUnixTime = 1e9;  // before 2001 nobody recorded; as a duration it is 31 years

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r'))
    text.remove_suffix(1);
  return text;
}

bool number(std::string_view text, double& value) {
  text = trimmed(text);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size() && std::isfinite(value);
}

std::int64_t unix_now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

class RecordedFile final : public EnergySource {
 public:
  RecordedFile(std::string path, PowerTrace trace, Clock now, Clock wall)
      : path_(std::move(path)),
        trace_(std::move(trace)),
        now_(std::move(now)),
        wall_(std::move(wall)) {
    info_.id = "file:" + path_;
    info_.name = fmt::format("recorded {}, {}", trace_.counter ? "joules" : "watts", path_);
    info_.counter = trace_.counter;
    std::vector<double> steps;
    steps.reserve(trace_.t_s.size());
    for (std::size_t i = 1; i < trace_.t_s.size(); ++i)
      steps.push_back(trace_.t_s[i] - trace_.t_s[i - 1]);
    std::nth_element(steps.begin(), steps.begin() + static_cast<std::ptrdiff_t>(steps.size() / 2),
                     steps.end());
    info_.period_s = std::clamp(steps[steps.size() / 2], 0.01, 60.0);
    info_.min_window_s = 2 * info_.period_s;
  }

  const SensorInfo& info() const override { return info_; }
  Result<Reading> read() override { return trace_.unix_time ? newest() : replayed(); }

 private:
  Result<Reading> newest() {
    EDGELM_TRY_ASSIGN(const std::string text, os::read_file(path_, kMostBytes));
    EDGELM_TRY_ASSIGN(const PowerTrace trace, parse_power_trace(text, path_, true));
    const std::int64_t now = now_();
    const double wall_s = os::ns_to_s(wall_());
    const auto later = std::upper_bound(trace.t_s.begin(), trace.t_s.end(), wall_s);
    if (later == trace.t_s.begin())
      return fail(ErrorCode::kFormat, "{}: all its times lie in the future", path_);
    const auto i = static_cast<std::size_t>(later - trace.t_s.begin()) - 1;
    const auto ago_ns = static_cast<std::int64_t>((wall_s - trace.t_s[i]) * 1e9);
    const double first = std::exchange(first_, std::isnan(first_) ? trace.values[i] : first_);
    const double base = std::isnan(first) ? trace.values[i] : first;
    return Reading{now - ago_ns, trace.values[i] - (trace.counter ? base : 0), false};
  }

  Result<Reading> replayed() {
    const std::int64_t now = now_();
    if (start_ < 0) start_ = now;
    const double t = trace_.t_s.front() + os::ns_to_s(now - start_);
    if (t > trace_.t_s.back())
      return fail(ErrorCode::kIo, "{}: the recording ends after {:.3f} s", path_,
                  trace_.t_s.back() - trace_.t_s.front());
    const auto later = std::upper_bound(trace_.t_s.begin(), trace_.t_s.end(), t);
    const auto i = static_cast<std::size_t>(later - trace_.t_s.begin());
    double value = trace_.values.back();
    if (i < trace_.t_s.size()) {
      const double share = (t - trace_.t_s[i - 1]) / (trace_.t_s[i] - trace_.t_s[i - 1]);
      value = trace_.values[i - 1] + share * (trace_.values[i] - trace_.values[i - 1]);
    }
    return Reading{now, value - (trace_.counter ? trace_.values.front() : 0), false};
  }

  std::string path_;
  PowerTrace trace_;
  Clock now_;
  Clock wall_;
  SensorInfo info_;
  std::int64_t start_ = -1;
  double first_ = std::nan("");
};

}  // namespace

Result<PowerTrace> parse_power_trace(std::string_view text, std::string_view name, bool growing) {
  PowerTrace trace;
  if (growing) text = text.substr(0, text.rfind('\n') + 1);
  bool header = false;
  for (std::size_t line_number = 1; !text.empty(); ++line_number) {
    const std::size_t newline = std::min(text.find('\n'), text.size());
    const std::string_view line = trimmed(text.substr(0, newline));
    text.remove_prefix(std::min(newline + 1, text.size()));
    if (line.empty() || line.front() == '#') continue;
    if (!header) {
      if (line != "t_s,watts" && line != "t_s,joules")
        return fail(ErrorCode::kFormat,
                    "{}: line {}: expected the header t_s,watts or t_s,joules, got '{}'", name,
                    line_number, line.substr(0, 40));
      header = true;
      trace.counter = line == "t_s,joules";
      continue;
    }
    const std::size_t comma = line.find(',');
    double t = 0;
    double value = 0;
    if (comma == std::string_view::npos || !number(line.substr(0, comma), t) ||
        !number(line.substr(comma + 1), value))
      return fail(ErrorCode::kFormat, "{}: line {}: expected two numbers, got '{}'", name,
                  line_number, line.substr(0, 40));
    if (!trace.t_s.empty() && t <= trace.t_s.back())
      return fail(ErrorCode::kFormat, "{}: line {}: time {} does not follow {}", name, line_number,
                  t, trace.t_s.back());
    if (trace.counter && !trace.values.empty()) {
      if (value < trace.values.back())
        return fail(ErrorCode::kFormat, "{}: line {}: joules fall from {} to {}", name, line_number,
                    trace.values.back(), value);
      // Of the step, and of the whole, which may be many steps within the slack.
      const std::string where = fmt::format("{}: line {}", name, line_number);
      EDGELM_TRY(plausible_rise(value - trace.values.back(), t - trace.t_s.back(), where));
      EDGELM_TRY(plausible_rise(value - trace.values.front(), t - trace.t_s.front(), where));
    }
    if (!trace.counter)
      EDGELM_TRY(plausible_watts(value, fmt::format("{}: line {}", name, line_number)));
    trace.t_s.push_back(t);
    trace.values.push_back(value);
  }
  if (trace.t_s.size() < 2)
    return fail(ErrorCode::kFormat, "{}: {} readings, at least 2 are needed", name,
                trace.t_s.size());
  trace.unix_time = trace.t_s.front() >= kUnixTime;
  return trace;
}

Result<std::unique_ptr<EnergySource>> open_recorded_file(const std::string& path, Clock now,
                                                         Clock wall) {
  EDGELM_TRY_ASSIGN(const std::string text, os::read_file(path, kMostBytes));
  EDGELM_TRY_ASSIGN(PowerTrace trace, parse_power_trace(text, path));
  if (!wall) wall = unix_now_ns;
  return std::make_unique<RecordedFile>(path, std::move(trace), std::move(now), std::move(wall));
}

}  // namespace edgelm::device
