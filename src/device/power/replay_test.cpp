// Recorded machines replayed with a scripted power: the whole way from the files of a Raspberry Pi
// 5 and a Jetson Orin Nano to joules, against the analytic integral. Virtual time.

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <map>
#include <sstream>

#include "device/power/ina3221.h"
#include "device/power/pmic.h"
#include "device/power/rapl.h"
#include "device/power/sources.h"
#include "device/power/stepped_recorder.h"
#include "os/program.h"
#include "support/power_signals.h"
#include "support/scripted_files.h"
#include "support/sysroot.h"

namespace edgelm::device {
namespace {

using test::PowerSignal;
using test::ScriptedFiles;
using test::Sysroot;
using test::VirtualTime;

std::string read_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// The text of pmic_read_adc with all currents so scaled that the rails take `watts`. Reads it in
// another way than pmic.cpp does: line by line with scanf.
std::string pmic_text(const std::string& recorded, double watts) {
  std::map<std::string, double> amps;
  std::map<std::string, double> volts;
  std::istringstream lines(recorded);
  std::string line;
  while (std::getline(lines, line)) {
    std::array<char, 64> name{};
    double value = 0;
    if (std::sscanf(line.c_str(), " %63s current(%*d)=%lfA", name.data(), &value) == 2)
      amps[std::string(name.data()).substr(0, std::strlen(name.data()) - 2)] = value;
    else if (std::sscanf(line.c_str(), " %63s volt(%*d)=%lfV", name.data(), &value) == 2)
      volts[std::string(name.data()).substr(0, std::strlen(name.data()) - 2)] = value;
  }
  EXPECT_EQ(amps.size(), 12U) << "rails with current of a Raspberry Pi 5";
  double recorded_watts = 0;
  for (const auto& [rail, current] : amps) recorded_watts += current * volts.at(rail);
  std::string text;
  for (const auto& [rail, current] : amps)
    text += fmt::format("{}_A current(0)={:.8f}A\n", rail, current * watts / recorded_watts);
  for (const auto& [rail, voltage] : volts)
    text += fmt::format("{}_V volt(8)={:.8f}V\n", rail, voltage);
  return text;
}

struct Measured {
  Known<Energy> energy = not_available("not measured");
  double expected = 0;
  StateSummary state;
};

// Steps at each due time for `seconds`; `play` sets the machine to the moment.
template <class Play>
Measured measure(VirtualTime& time, const os::SystemFiles& files,
                 Result<std::unique_ptr<EnergySource>> source, const PowerSignal& signal,
                 double seconds, Play&& play, const RunProgram& run = nullptr) {
  EXPECT_TRUE(source);
  play(signal.watts(time.s()));
  SteppedRecorder recorder(std::move(*source), "", files,
                           {time.clock(), [] { return 0; }, 1.0, run});
  const double begin_s = time.s();
  const std::int64_t begin = recorder.mark();
  const std::int64_t until = begin + static_cast<std::int64_t>(seconds * 1e9);
  recorder.step();
  while (recorder.next_due() < until) {
    time.ns = std::max(time.ns + 1, recorder.next_due());
    play(signal.watts(time.s()));
    recorder.step();
  }
  time.ns = until;
  play(signal.watts(time.s()));
  const std::int64_t end = recorder.mark();
  return {recorder.energy(begin, end), signal.between(begin_s, time.s()),
          recorder.state(begin, end)};
}

// Straight lines are exact up to rounding; of the sine the trapezoid misses T h^2/12 max|P''|; of
// the square wave it may miss half a step per edge, of which all but one cancel.
double trapezoid_bound(const PowerSignal& signal, double seconds, double h) {
  if (signal.name == "sine") return 1e-3 + seconds * h * h / 12 * 2.5 * std::pow(6.2832 / 7, 2);
  if (signal.name == "square") return 1e-3 + 5.5 * h;
  return 1e-3;
}

TEST(Replay, OrinNanoGivesTheJoulesOfTheOracle) {
  const Sysroot machine("orin-nano");
  for (const PowerSignal& signal : test::power_signals()) {
    ScriptedFiles files(machine.root());
    VirtualTime time;
    const std::string chip = "/sys/bus/i2c/drivers/ina3221/1-0040/hwmon/hwmon1";
    // VDD_IN at 5000 mV follows the signal; what it contains takes part of it.
    const auto play = [&](double watts) {
      files.set(chip + "/in1_input", "5000\n");
      files.set(chip + "/curr1_input", fmt::format("{}\n", std::llround(watts * 200)));
      files.set(chip + "/curr2_input", fmt::format("{}\n", std::llround(watts * 80)));
    };
    const Measured measured =
        measure(time, files, open_ina3221(files, time.clock()), signal, 45, play);
    ASSERT_TRUE(measured.energy) << signal.name << measured.energy.error().reason;
    // Whole milliamperes: at most 2.5 mW off all the time.
    EXPECT_NEAR(measured.energy->joules, measured.expected,
                trapezoid_bound(signal, 45, 0.1) + 45 * 0.0025)
        << signal.name;
    EXPECT_EQ(measured.energy->coverage, 1);
    EXPECT_FALSE(measured.energy->low_confidence);
    EXPECT_FALSE(measured.state.throttled) << measured.state.cause << ": 17 old events are no news";
    EXPECT_TRUE(measured.state.max_celsius);
  }
}

TEST(Replay, PiFiveGivesTheJoulesOfTheOracle) {
  const PowerSignal signal = test::sine_power(6, 2.5, 7);
  const Sysroot machine("pi5");
  const auto files = os::system_files(machine.root());
  const std::string answer = "/usr/share/vcgencmd/pmic_read_adc";
  const std::string recorded = read_text(machine.path(answer));
  // The program that the machine has is run for every reading; a busy test machine may be slow.
  const RunProgram run = [&files](const std::vector<std::string>& arguments) {
    return os::program_output(*files, arguments, {.seconds = 120});
  };
  for (const std::string id : {"pmic", "pmic-board"}) {
    VirtualTime time;
    const auto play = [&](double watts) { machine.write(answer, pmic_text(recorded, watts)); };
    const Measured measured =
        measure(time, *files, open_pmic(id, *files, time.clock(), run), signal, 28, play, run);
    ASSERT_TRUE(measured.energy) << measured.energy.error().reason;
    const double expected =
        id == "pmic" ? measured.expected : 1.1451 * measured.expected + 0.5879 * 28;
    EXPECT_NEAR(measured.energy->joules, expected, 1.15 * trapezoid_bound(signal, 28, 0.5)) << id;
    EXPECT_FALSE(measured.energy->low_confidence);
    EXPECT_NEAR(*measured.state.max_celsius, 52.85, 1e-9);
    EXPECT_NEAR(*measured.state.median_hz, 1.5e9, 1);
    EXPECT_FALSE(measured.state.throttled);
  }
}

TEST(Replay, PiFiveAllSignalsWithoutThePrograms) {
  const Sysroot machine("pi5");
  const std::string recorded = read_text(machine.path("/usr/share/vcgencmd/pmic_read_adc"));
  for (const PowerSignal& signal : test::power_signals()) {
    const ScriptedFiles files(machine.root());
    VirtualTime time;
    const RunProgram run = [&](const std::vector<std::string>& arguments) -> Result<std::string> {
      EXPECT_EQ(arguments.front(), "vcgencmd");
      if (arguments.back() == "get_throttled") return "throttled=0x0\n";
      return pmic_text(recorded, signal.watts(time.s()));
    };
    const Measured measured = measure(
        time, files, open_pmic("pmic", files, time.clock(), run), signal, 60, [](double) {}, run);
    ASSERT_TRUE(measured.energy) << signal.name;
    EXPECT_NEAR(measured.energy->joules, measured.expected, trapezoid_bound(signal, 60, 0.5))
        << signal.name;
  }
}

TEST(Replay, LaptopCountersGiveTheJoulesOfTheOracle) {
  const PowerSignal signal = test::square_power(4, 28, 3);
  const Sysroot machine("intel-laptop");
  ScriptedFiles files(machine.root());
  VirtualTime time;
  const std::string counter = "/sys/class/powercap/intel-rapl:0/energy_uj";
  files.script(counter, [&]() -> Result<std::string> {
    return fmt::format("{}\n", 153'278'224'183 + std::llround(1e6 * signal.joules(time.s())));
  });
  const Measured measured =
      measure(time, files, open_rapl("rapl", files, time.clock()), signal, 20, [](double) {});
  ASSERT_TRUE(measured.energy) << measured.energy.error().reason;
  EXPECT_NEAR(measured.energy->joules, measured.expected, 1e-5);
}

TEST(Replay, EachMachineListsItsSensors) {
  const auto listed = [](const std::string& name) {
    const Sysroot machine(name);
    const auto files = os::system_files(machine.root());
    std::vector<std::string> ids;
    for (const SensorInfo& info : list_sensors(*files))
      ids.push_back(info.id + (info.not_readable.empty() ? "" : " (no)"));
    return ids;
  };
  using Ids = std::vector<std::string>;
  EXPECT_EQ(listed("pi5"), (Ids{"pmic", "pmic-board"}));
  EXPECT_EQ(listed("orin-nano"), (Ids{"ina3221"}));
  EXPECT_EQ(listed("intel-laptop"), (Ids{"rapl", "battery", "rapl-psys"}));
  EXPECT_EQ(listed("nothing"), Ids{});
}

}  // namespace
}  // namespace edgelm::device
