#pragma once
// The recorder without its thread: whoever drives it calls step() when step is due. The thread of
// recorder.cpp does that; tests do it with a virtual clock and never sleep.

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "device/power/recorder.h"
#include "device/power/state_sampler.h"

namespace edgelm::device {

struct RecorderOptions {
  Clock now;           // null: os::now_ns
  Clock suspended;     // ns that the machine slept so far; null: CLOCK_BOOTTIME - CLOCK_MONOTONIC
  double state_s = 1;  // period of temperature, clocks and flags
  RunProgram run;      // null: os::program_output
  ThrottleWatch watch = nullptr;
};

class SteppedRecorder : public Recorder {
 public:
  SteppedRecorder(std::unique_ptr<EnergySource> source, std::string why_no_source,
                  const os::SystemFiles& files, RecorderOptions options = {});

  // Reads what is due now. From one thread.
  void step();
  // When step() has something to do again; early when a reading was asked for.
  [[nodiscard]] std::int64_t next_due() const;

  std::int64_t mark() override;
  [[nodiscard]] Known<Energy> energy(std::int64_t begin, std::int64_t end) const override;
  [[nodiscard]] StateSummary state(std::int64_t begin, std::int64_t end) const override;
  [[nodiscard]] std::string failure() const override;
  [[nodiscard]] const SensorInfo* sensor() const override;
  [[nodiscard]] std::vector<Reading> watts() const override;
  [[nodiscard]] std::vector<StateSample> states() const override;
  [[nodiscard]] std::vector<std::string> warnings() const override;
  [[nodiscard]] double own_cpu_seconds() const override;

 protected:
  // Called by mark() when it leaves the reading to step().
  virtual void wake() {}

 private:
  std::int64_t read_source(const std::unique_lock<std::mutex>& of_the_source);
  void keep(const Result<Reading>& reading, bool slept, std::int64_t took_ns);

  const std::unique_ptr<EnergySource> source_;
  const SensorInfo info_;
  const std::string why_no_source_;
  const Clock now_;
  const Clock suspended_;
  const std::int64_t state_period_ns_;
  StateSampler state_sampler_;

  std::mutex source_mutex_;  // held while the source is read; taken before data_mutex_
  std::int64_t last_suspended_ = 0;
  std::atomic<std::int64_t> read_takes_ns_{0};
  std::atomic<std::int64_t> next_read_{0};
  std::atomic<std::int64_t> next_state_{0};
  std::atomic<std::int64_t> cpu_ns_{0};

  mutable std::mutex data_mutex_;
  std::vector<Reading> readings_;
  std::vector<StateSample> states_;
  std::vector<std::string> warnings_;
  std::string last_failure_;
  std::int64_t last_news_ns_;  // when something new was read, or the start
  std::int64_t longest_good_read_ns_ = 0;
};

}  // namespace edgelm::device
