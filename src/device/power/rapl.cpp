// Finds the zones, and adds up what their counters moved.

#include "device/power/rapl.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>
#include <utility>

#include "device/power/wrapping_counter.h"

namespace edgelm::device {
namespace {

constexpr const char* kPowercap = "/sys/class/powercap";
// Energy status units are 2^-14 J on most processors (Intel SDM volume 3B, section 15.10.1).
constexpr double kQuantumJoules = 6.1e-5;
constexpr int kMirroredReadings = 20;

struct Zone {
  std::string name;  // "package-0", "dram", "psys"
  std::string folder;
};

bool is_zone_folder(std::string_view name) {
  return (name.starts_with("intel-rapl:") || name.starts_with("intel-rapl-mmio:")) &&
         name.find(':') != std::string_view::npos;
}

// "intel-rapl:0:1" -> "intel-rapl:0"; "" for a zone at the top.
std::string parent_of(const std::string& folder) {
  const std::size_t first = folder.find(':');
  const std::size_t last = folder.rfind(':');
  return first == last ? "" : folder.substr(0, last);
}

// Zones that can be added up: packages and drams, or psys. Sorted by folder, so that intel-rapl
// comes before intel-rapl-mmio, of which only zones with new names are taken.
std::vector<Zone> zones_of(const os::SystemFiles& files, bool psys) {
  std::vector<std::string> folders = files.list(kPowercap);
  std::erase_if(folders, [](const std::string& name) { return !is_zone_folder(name); });
  std::stable_sort(folders.begin(), folders.end(), [](const auto& a, const auto& b) {
    return a.starts_with("intel-rapl:") && !b.starts_with("intel-rapl:");
  });
  std::vector<Zone> zones;
  for (const std::string& folder : folders) {
    const Result<std::string> own = files.line(fmt::format("{}/{}/name", kPowercap, folder));
    if (!own) continue;
    const std::string parent = parent_of(folder);
    std::string name = *own;
    if (!parent.empty()) {
      // drams of two packages have one name; their package tells them apart.
      const Result<std::string> above = files.line(fmt::format("{}/{}/name", kPowercap, parent));
      name = fmt::format("{} {}", above ? *above : parent, name);
    }
    const bool wanted = psys ? *own == "psys" : own->starts_with("package") || *own == "dram";
    const bool listed = std::any_of(zones.begin(), zones.end(),
                                    [&](const Zone& zone) { return zone.name == name; });
    if (wanted && !listed) zones.push_back({name, fmt::format("{}/{}", kPowercap, folder)});
  }
  return zones;
}

SensorInfo info_of(const os::SystemFiles& files, const std::vector<Zone>& zones, bool psys) {
  SensorInfo info;
  info.id = psys ? "rapl-psys" : "rapl";
  info.scope = psys ? Scope::kBoard : Scope::kPackage;
  info.name = "RAPL:";
  for (const Zone& zone : zones)
    info.name.append(&zone == zones.data() ? " " : " + ").append(zone.name);
  if (psys) info.name += " (not validated by anybody for this board)";
  info.counter = true;
  info.period_s = 0.05;
  info.update_s = 0.001;
  info.min_window_s = 0.5;
  info.relative_uncertainty = psys ? 0.3 : 0.05;
  info.quantum = kQuantumJoules;
  for (const Zone& zone : zones) {
    const Result<std::string> text = files.read(zone.folder + "/energy_uj");
    if (text) continue;
    info.not_readable = text.error().message;
    if (text.error().code == ErrorCode::kPermission)
      info.hint =
          "sudo chmod a+r /sys/class/powercap/intel-rapl*:*/energy_uj  (until the next start; the "
          "counters are closed to users because they can betray secrets of other programs, "
          "CVE-2020-8694)";
    break;
  }
  return info;
}

class Rapl final : public EnergySource {
 public:
  Rapl(const os::SystemFiles& files, Clock now, SensorInfo info)
      : files_(files), now_(std::move(now)), info_(std::move(info)) {}

  Status add(const Zone& zone) {
    EDGELM_TRY_ASSIGN(const long long range, files_.integer(zone.folder + "/max_energy_range_uj"));
    if (range <= 0)
      return fail(ErrorCode::kFormat, "{}/max_energy_range_uj: {} is no range", zone.folder, range);
    counters_.push_back({zone.folder + "/energy_uj",
                         WrappingCounter(static_cast<std::uint64_t>(range), 1e-6), 0, 0});
    return {};
  }

  const SensorInfo& info() const override { return info_; }

  Result<Reading> read() override {
    std::vector<long long> raw;
    raw.reserve(counters_.size());
    const std::int64_t begin = now_();
    for (const Counter& counter : counters_) {
      EDGELM_TRY_ASSIGN(const long long value, files_.integer(counter.path));
      if (value < 0) return fail(ErrorCode::kFormat, "{}: {} is no energy", counter.path, value);
      raw.push_back(value);
    }
    const std::int64_t t = begin + (now_() - begin) / 2;
    bool restart = std::exchange(lost_, false);
    for (std::size_t i = 0; i < counters_.size(); ++i) {
      Result<std::optional<double>> joules =
          counters_[i].counter.step(static_cast<std::uint64_t>(raw[i]), t);
      if (!joules) {
        lost_ = true;
        return fail(ErrorCode::kFormat, "{}: {}", counters_[i].path, joules.error().message);
      }
      counters_[i].moved = joules->value_or(0);
      restart |= !joules->has_value();
      total_ += counters_[i].moved;
    }
    compare();
    return Reading{t, total_, restart};
  }

  std::vector<std::string> warnings() const override {
    if (mirrored_ < kMirroredReadings) return {};
    return {
        "two zones move in step to 0.1 %: they show one counter twice, and their sum is too large "
        "by as much (seen on processors of several dies)"};
  }

 private:
  struct Counter {
    std::string path;
    WrappingCounter counter;
    double moved = 0;    // in the last step
    double pending = 0;  // since zones were compared
  };

  // Whether two counters show the same: over steps of a joule at least, so that idle noise and the
  // different moments of reading do not decide.
  void compare() {
    if (counters_.size() < 2) return;
    bool enough = true;
    for (Counter& counter : counters_) {
      counter.pending += counter.moved;
      enough &= counter.pending >= 1;
    }
    if (!enough) return;
    bool same = false;
    for (std::size_t i = 1; i < counters_.size(); ++i)
      for (std::size_t j = 0; j < i; ++j)
        same |=
            std::abs(counters_[i].pending - counters_[j].pending) < 0.001 * counters_[i].pending;
    mirrored_ = same ? mirrored_ + 1 : 0;
    for (Counter& counter : counters_) counter.pending = 0;
  }

  const os::SystemFiles& files_;
  Clock now_;
  SensorInfo info_;
  std::vector<Counter> counters_;
  double total_ = 0;
  bool lost_ = false;
  int mirrored_ = 0;
};

}  // namespace

std::vector<SensorInfo> list_rapl(const os::SystemFiles& files) {
  std::vector<SensorInfo> sensors;
  for (const bool psys : {false, true}) {
    const std::vector<Zone> zones = zones_of(files, psys);
    if (!zones.empty()) sensors.push_back(info_of(files, zones, psys));
  }
  return sensors;
}

Result<std::unique_ptr<EnergySource>> open_rapl(const std::string& id, const os::SystemFiles& files,
                                                Clock now) {
  const bool psys = id == "rapl-psys";
  const std::vector<Zone> zones = zones_of(files, psys);
  if (zones.empty()) return fail(ErrorCode::kNotFound, "{}: no such zone in {}", id, kPowercap);
  auto source = std::make_unique<Rapl>(files, std::move(now), info_of(files, zones, psys));
  for (const Zone& zone : zones) EDGELM_TRY(source->add(zone));
  return source;
}

}  // namespace edgelm::device
