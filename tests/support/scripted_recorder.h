#pragma once
// A recorder without a sensor thread: power is a function of a clock that the test moves. Its
// energies are exact, so that what the protocol divides and subtracts can be checked to the last
// digit.

#include <cmath>
#include <functional>
#include <limits>
#include <string>

#include "device/power/recorder.h"

namespace edgelm::test {

// Time that passes only when somebody sleeps or works.
struct ScriptedTime {
  std::int64_t now_ns = 1'000'000'000;
  void pass(double seconds) { now_ns += static_cast<std::int64_t>(std::llround(seconds * 1e9)); }
};

inline device::SensorInfo scripted_sensor() {
  device::SensorInfo info;
  info.id = "scripted";
  info.name = "scripted";
  info.scope = device::Scope::kBoard;
  return info;
}

class ScriptedRecorder final : public device::Recorder {
 public:
  explicit ScriptedRecorder(ScriptedTime& time) : time_(time) {}

  // Watts that flow from now on; energy so far is kept.
  void set_watts(double watts) {
    account();
    watts_ = watts;
  }

  std::int64_t mark() override {
    account();
    return time_.now_ns;
  }
  [[nodiscard]] Known<device::Energy> energy(std::int64_t begin, std::int64_t end) const override {
    if (!has_sensor) return not_available(why_not);
    device::Energy energy;
    energy.seconds = static_cast<double>(end - begin) * 1e-9;
    if (energy.seconds < info.min_window_s) return not_available("the window is too short");
    energy.joules = joules_until(end) - joules_until(begin);
    energy.mean_watts = energy.joules / energy.seconds;
    return energy;
  }
  [[nodiscard]] device::StateSummary state(std::int64_t /*begin*/,
                                           std::int64_t /*end*/) const override {
    return summary;
  }
  [[nodiscard]] const device::SensorInfo* sensor() const override {
    return has_sensor ? &info : nullptr;
  }
  [[nodiscard]] std::string failure() const override {
    return has_sensor && time_.now_ns >= dies_at_ns ? "the sensor died" : "";
  }
  // Ten readings of every stretch of constant power.
  [[nodiscard]] std::vector<device::Reading> watts() const override {
    std::vector<device::Reading> all;
    all.reserve(10 * pieces_.size());
    for (const Piece& piece : pieces_)
      for (std::int64_t i = 0; i < 10; ++i)
        all.push_back(
            {piece.begin_ns + (piece.end_ns - piece.begin_ns) * (2 * i + 1) / 20, piece.watts});
    return all;
  }
  [[nodiscard]] std::vector<device::StateSample> states() const override { return {}; }

  bool has_sensor = true;
  std::int64_t dies_at_ns = std::numeric_limits<std::int64_t>::max();
  std::string why_not = "no power sensor on this device";
  device::SensorInfo info = scripted_sensor();
  device::StateSummary summary;

 private:
  struct Piece {
    std::int64_t begin_ns, end_ns;
    double watts;
  };
  void account() {
    if (time_.now_ns > last_ns_) pieces_.push_back({last_ns_, time_.now_ns, watts_});
    last_ns_ = time_.now_ns;
  }
  [[nodiscard]] double joules_until(std::int64_t t_ns) const {
    double joules = 0;
    for (const Piece& piece : pieces_)
      if (piece.begin_ns < t_ns)
        joules +=
            piece.watts * static_cast<double>(std::min(piece.end_ns, t_ns) - piece.begin_ns) * 1e-9;
    return joules;
  }

  ScriptedTime& time_;
  double watts_ = 0;
  std::int64_t last_ns_ = 0;
  std::vector<Piece> pieces_;
};

}  // namespace edgelm::test
