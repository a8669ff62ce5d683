#pragma once
// A progress bar on standard error: on a terminal only, quiet in a pipe, gone when destroyed.

#include <cstdio>
#include <string>

#include "apps/edgelm/output.h"
#include "os/clock.h"
#include "os/file.h"

namespace edgelm::apps {

class Progress {
 public:
  Progress() : on_(os::stderr_is_terminal()) {}
  ~Progress() {
    if (shown_) note("\r\x1b[K");
  }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // `note` follows the bar. Redraws at most ten times a second, and for the last step.
  void update(std::uint64_t done, std::uint64_t total, const std::string& note) {
    if (!on_ || total == 0) return;
    const std::int64_t now = os::now_ns();
    if (shown_ && done < total && now - last_ns_ < 100'000'000) return;
    last_ns_ = now;
    shown_ = true;
    constexpr std::uint64_t kWidth = 24;
    const auto filled = static_cast<std::size_t>(done * kWidth / total);
    apps::note("\r\x1b[K[{}{}] {}/{} {}", std::string(filled, '#'),
               std::string(kWidth - filled, '.'), done, total, note);
    std::fflush(stderr);
  }

 private:
  bool on_;
  bool shown_ = false;
  std::int64_t last_ns_ = 0;
};

}  // namespace edgelm::apps
