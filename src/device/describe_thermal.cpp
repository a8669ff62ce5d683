// Thermal zones with the temperature at which the system begins to throttle. Zones whose sensor is
// powered down (those of a Jetson's accelerators) stay, with the reason.

#include <algorithm>

#include "device/describe_parts.h"
#include "device/system_text.h"

namespace edgelm::device {
namespace {

constexpr std::size_t kMaxZones = 256;
constexpr int kMaxTrips = 32;
constexpr double kLowMilli = -40'000;
constexpr double kHighMilli = 150'000;

Known<double> temperature(const os::SystemFiles& files, const std::string& path) {
  auto milli = number_line(files, path, kLowMilli, kHighMilli);
  if (!milli) return milli;
  return *milli * 1e-3;
}

// The lowest passive one above 0: a trip point of 0 is one that was never set.
Known<double> passive_trip(const os::SystemFiles& files, const std::string& folder,
                           BoardKind board) {
  Known<double> lowest = not_available(
      board == BoardKind::kRaspberryPi
          ? "no passive trip point: the firmware throttles, from 80 C on (Raspberry Pi's manual)"
          : "no passive trip point");
  for (int i = 0; i < kMaxTrips; ++i) {
    const std::string trip = folder + "/trip_point_" + std::to_string(i);
    const auto type = text_line(files, trip + "_type");
    if (!type) break;
    if (*type != "passive") continue;
    const auto celsius = temperature(files, trip + "_temp");
    if (celsius && *celsius > 0) lowest = std::min(lowest.value_or(*celsius), *celsius);
  }
  return lowest;
}

}  // namespace

std::vector<ThermalZone> describe_thermal(const os::SystemFiles& files, BoardKind board) {
  const std::string folder = "/sys/class/thermal/";
  std::vector<ThermalZone> zones;
  for (const std::string& name : files.list(folder)) {
    if (!name.starts_with("thermal_zone") || zones.size() >= kMaxZones) continue;
    ThermalZone zone;
    zone.name = text_line(files, folder + name + "/type").value_or(name);
    zone.celsius = temperature(files, folder + name + "/temp");
    zone.trip_celsius = passive_trip(files, folder + name, board);
    zones.push_back(std::move(zone));
  }
  return zones;
}

}  // namespace edgelm::device
