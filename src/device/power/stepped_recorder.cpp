// When what is read, and what is kept of it.

#include "device/power/stepped_recorder.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <ctime>
#include <limits>
#include <thread>
#include <utility>

#include "device/power/checked_reading.h"
#include "device/power/integrate.h"
#include "os/clock.h"

namespace edgelm::device {
namespace {

constexpr std::int64_t kSlowReadNs = 20'000'000;
constexpr std::int64_t kSuspendedNs = 500'000'000;
// A sensor is dead after so many periods without news: a plug whose radio was gone for some seconds
// is not.
constexpr double kDeadPeriods = 8;
constexpr double kLeastDeadS = 3;

std::int64_t clock_ns(clockid_t clock) {
  timespec time{};
  if (::clock_gettime(clock, &time) != 0) return 0;
  return static_cast<std::int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

// The monotonic clock stops while the machine is suspended, the other goes on.
std::int64_t system_suspended_ns() { return clock_ns(CLOCK_BOOTTIME) - clock_ns(CLOCK_MONOTONIC); }

std::int64_t to_ns(double seconds) { return static_cast<std::int64_t>(seconds * 1e9); }

}  // namespace

SteppedRecorder::SteppedRecorder(std::unique_ptr<EnergySource> source, std::string why_no_source,
                                 const os::SystemFiles& files, RecorderOptions options)
    : source_(std::move(source)),
      info_(source_ ? source_->info() : SensorInfo{}),
      why_no_source_(why_no_source.empty() ? "no power sensor" : std::move(why_no_source)),
      now_(options.now ? std::move(options.now) : Clock(os::now_ns)),
      suspended_(options.suspended ? std::move(options.suspended) : Clock(system_suspended_ns)),
      state_period_ns_(to_ns(options.state_s)),
      state_sampler_(files, std::move(options.run), std::move(options.watch)),
      last_suspended_(suspended_()),
      last_news_ns_(now_()) {
  const std::int64_t now = last_news_ns_;
  next_read_ = source_ ? now : std::numeric_limits<std::int64_t>::max();
  next_state_ = now;
}

std::int64_t SteppedRecorder::read_source(const std::unique_lock<std::mutex>& /*of_the_source*/) {
  const std::int64_t begin = now_();
  const Result<Reading> reading = source_->read();
  const std::int64_t end = now_();
  read_takes_ns_ = end - begin;
  // From the end, so that a source slower than its period does not fall behind for ever.
  next_read_ = std::max(begin + to_ns(info_.period_s), end);
  const std::int64_t suspended = suspended_();
  const bool slept = suspended - last_suspended_ > kSuspendedNs;
  last_suspended_ = suspended;
  keep(reading, slept, end - begin);
  return reading ? reading->t_ns : begin + (end - begin) / 2;
}

void SteppedRecorder::keep(const Result<Reading>& reading, bool slept, std::int64_t took_ns) {
  const std::lock_guard lock(data_mutex_);
  warnings_ = source_->warnings();
  if (!reading) {
    last_failure_ = reading.error().message;
    return;
  }
  // A plug or a recorded file may give the same moment again: nothing new.
  if (!readings_.empty() && reading->t_ns <= readings_.back().t_ns) return;
  bool restart = reading->restart || slept;
  if (info_.counter) {
    if (!std::isfinite(reading->value)) {
      last_failure_ = fmt::format("{}: {} J is no energy", info_.id, reading->value);
      return;
    }
    if (!readings_.empty() && !restart) {
      const Reading& before = readings_.back();
      const Status step = plausible_rise(reading->value - before.value,
                                         os::ns_to_s(reading->t_ns - before.t_ns), info_.id);
      if (!step) last_failure_ = step.error().message;
      restart = !step;
    }
  }
  readings_.push_back(*reading);
  readings_.back().restart = restart;
  last_news_ns_ = now_();
  longest_good_read_ns_ = std::max(longest_good_read_ns_, took_ns);
}

std::string SteppedRecorder::failure() const {
  if (!source_) return {};
  const std::lock_guard lock(data_mutex_);
  const double silent_s = os::ns_to_s(now_() - last_news_ns_);
  const double expected_s =
      std::max({info_.period_s, info_.update_s, os::ns_to_s(longest_good_read_ns_)});
  if (silent_s <= std::max(kLeastDeadS, kDeadPeriods * expected_s)) return {};
  return fmt::format("{} has failed: no new reading for {:.1f} s{}{}", info_.id, silent_s,
                     last_failure_.empty() ? "" : "; ", last_failure_);
}

void SteppedRecorder::step() {
  const std::int64_t cpu_before = clock_ns(CLOCK_THREAD_CPUTIME_ID);
  const std::int64_t now = now_();
  if (source_ && now >= next_read_) read_source(std::unique_lock(source_mutex_));
  if (now >= next_state_) {
    const StateSample sample = state_sampler_.sample(now);
    next_state_ = now + state_period_ns_;
    const std::lock_guard lock(data_mutex_);
    states_.push_back(sample);
  }
  cpu_ns_ += clock_ns(CLOCK_THREAD_CPUTIME_ID) - cpu_before;
}

std::int64_t SteppedRecorder::next_due() const {
  return std::min<std::int64_t>(next_read_, next_state_);
}

std::int64_t SteppedRecorder::mark() {
  const std::int64_t now = now_();
  if (!source_) return now;
  if (read_takes_ns_ <= kSlowReadNs) {
    // A read that is on its way ends in time, or has become slow just now.
    std::unique_lock lock(source_mutex_, std::try_to_lock);
    for (int i = 0; !lock && i < 100; ++i) {
      std::this_thread::sleep_for(std::chrono::nanoseconds(kSlowReadNs / 100));
      lock.try_lock();
    }
    if (lock) return read_source(lock);
  }
  next_read_ = now;
  wake();
  return now;
}

Known<Energy> SteppedRecorder::energy(std::int64_t begin, std::int64_t end) const {
  if (!source_) return not_available(why_no_source_);
  const std::lock_guard lock(data_mutex_);
  Known<Energy> energy = integrate(readings_, info_, begin, end, last_failure_);
  if (energy && !warnings_.empty()) energy->low_confidence = true;
  return energy;
}

StateSummary SteppedRecorder::state(std::int64_t begin, std::int64_t end) const {
  const std::lock_guard lock(data_mutex_);
  return summarize_state(states_, begin, end);
}

const SensorInfo* SteppedRecorder::sensor() const { return source_ ? &info_ : nullptr; }

std::vector<Reading> SteppedRecorder::watts() const {
  if (!source_) return {};
  const std::lock_guard lock(data_mutex_);
  return as_watts(readings_, info_);
}

std::vector<StateSample> SteppedRecorder::states() const {
  const std::lock_guard lock(data_mutex_);
  return states_;
}

std::vector<std::string> SteppedRecorder::warnings() const {
  const std::lock_guard lock(data_mutex_);
  return warnings_;
}

double SteppedRecorder::own_cpu_seconds() const { return os::ns_to_s(cpu_ns_); }

}  // namespace edgelm::device
