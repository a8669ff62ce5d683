#pragma once
// What a device says about its own state while something runs: hottest thermal zone, clock of the
// processors, and throttling by counters and flags (not by guess). Sampled by the recorder; pure
// summaries for windows. Reads under a sysroot; what needs a library (a GPU) comes as a watch.

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "device/power/recorder.h"
#include "os/system_files.h"

namespace edgelm::device {

// Text that a program of the system prints, given the arguments; os::program_output, or a test's.
using RunProgram = std::function<Result<std::string>(const std::vector<std::string>& arguments)>;

class StateSampler {
 public:
  // Looks once for the files there are. `files` must outlive it.
  explicit StateSampler(const os::SystemFiles& files, RunProgram run = nullptr,
                        ThrottleWatch watch = nullptr);
  // From one thread at a time. What is absent is NaN or empty, what vanishes too.
  [[nodiscard]] StateSample sample(std::int64_t now_ns);

 private:
  struct Counter {  // grows with every throttling
    std::string path;
    std::string cause;
    long long last = -1;
  };
  struct Level {  // above 0 while throttled
    std::string path;
    std::string cause;
  };

  void find_counters();
  void find_levels();
  void read_firmware_flags(StateSample& sample);

  const os::SystemFiles& files_;
  RunProgram run_;
  ThrottleWatch watch_;
  std::vector<std::string> zones_;   // .../temp
  std::vector<std::string> clocks_;  // .../scaling_cur_freq
  std::vector<Counter> counters_;
  std::vector<Level> levels_;
  std::string flags_path_;         // of the Raspberry Pi's firmware; "" none
  bool flags_program_ = false;     // vcgencmd get_throttled instead
  std::uint64_t since_start_ = 0;  // its sticky bits at the first sample
  bool first_ = true;
  std::uint64_t events_ = 0;
};

// Over the samples with begin <= t <= end; when there is none, of the last one before.
StateSummary summarize_state(std::span<const StateSample> samples, std::int64_t begin,
                             std::int64_t end);

// "under-voltage, throttled" of the bits 0 to 3 of get_throttled (Raspberry Pi documentation,
// "vcgencmd"); "" for none.
std::string throttle_bits_text(std::uint64_t bits);

}  // namespace edgelm::device
