// The device's passport as facts, each with its origin or the reason why it is not known.

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "base/counted.h"

#include "report/figures.h"
#include "report/sections.h"

namespace edgelm::report {
namespace {

Cell text(const Known<std::string>& value) {
  return value ? name(*value) : absent(value.error().reason);
}

Cell gigahertz(const Known<double>& hz) {
  Cell cell = figure(derived(hz, [](double v) { return v * 1e-9; }), Origin::kStated);
  if (cell.value) cell.text += " GHz";
  return cell;
}

// "1: 9.1, 2: 13.4, 4: 15 GB/s"
Cell per_threads(const std::vector<device::PerThreads>& values, double scale, const char* unit,
                 const device::Speeds& speeds) {
  if (values.empty()) return absent(speeds.why.empty() ? "not measured" : speeds.why);
  std::string line;
  for (const device::PerThreads& v : values)
    line += fmt::format("{}{} thr: {}", line.empty() ? "" : ", ", v.threads,
                        number(v.value * scale, 3));
  Cell cell = name(line + " " + unit);
  cell.origin = speeds.origin;
  return cell;
}

std::string caches(const device::Cpu& cpu) {
  std::string line;
  for (const device::CacheLevel& cache : cpu.caches)
    line += fmt::format("{}L{}{} {}", line.empty() ? "" : ", ", cache.level,
                        cache.type == "Data"          ? "d"
                        : cache.type == "Instruction" ? "i"
                                                      : "",
                        bytes(static_cast<double>(cache.bytes)));
  return line;
}

Fact sensor_fact(const device::SensorInfo& sensor) {
  Cell cell =
      name(fmt::format("{} ({}), {}", sensor.name, sensor.id, device::scope_name(sensor.scope)));
  if (!sensor.not_readable.empty()) {
    cell = absent(fmt::format("{}: {}{}", sensor.name, sensor.not_readable,
                              sensor.hint.empty() ? "" : "; " + sensor.hint));
  }
  return {"power sensor", std::move(cell)};
}

DeviceSheet sheet(const device::Passport& p) {
  DeviceSheet result{.name = device_name(p), .fingerprint = p.fingerprint, .facts = {}};
  std::vector<Fact>& facts = result.facts;
  facts.push_back({"processor", p.cpu.model.empty() ? absent("not told") : name(p.cpu.model)});
  facts.push_back({"cores", name(fmt::format("{}, {}, {}", counted(p.cpu.cores, "core"),
                                             counted(p.cpu.logical_cpus, "logical processor"),
                                             p.cpu.architecture))});
  facts.push_back({"kernels", name(fmt::format("{}", fmt::join(p.cpu.isa, ", ")))});
  facts.push_back({"caches", p.cpu.caches.empty() ? absent("not told") : name(caches(p.cpu))});
  facts.push_back({"largest clock", gigahertz(p.cpu.max_hz)});
  facts.push_back({"governor", text(p.cpu.governor)});
  facts.push_back({"memory", size(p.memory.total_bytes, Origin::kMeasured)});
  facts.push_back({"memory limit", size(p.memory.limit_bytes, Origin::kStated)});
  facts.push_back({"board", p.board.name.empty() ? absent("not told") : name(p.board.name)});
  facts.push_back({"system", name(p.os_name + (p.os_name.empty() ? "" : ", ") + p.kernel)});
  facts.push_back({"power mode", text(p.power_modes.current)});
  facts.push_back({"memory read", per_threads(p.speeds.read_bytes_per_s, 1e-9, "GB/s", p.speeds)});
  facts.push_back({"int8 peak", per_threads(p.speeds.int8_ops_per_s, 1e-9, "Gop/s", p.speeds)});
  facts.push_back({"f32 peak", per_threads(p.speeds.f32_ops_per_s, 1e-9, "Gflop/s", p.speeds)});
  Cell storage = figure(derived(p.speeds.storage_bytes_per_s, [](double v) { return v * 1e-6; }),
                        p.speeds.origin, p.speeds.storage_path);
  if (storage.value) storage.text += " MB/s";
  facts.push_back({"storage read", std::move(storage)});
  if (p.sensors.empty()) facts.push_back({"power sensor", absent("none on this device")});
  for (const device::SensorInfo& sensor : p.sensors) facts.push_back(sensor_fact(sensor));
  facts.push_back(
      {"throttle flags", !p.throttle ? absent(p.throttle.error().reason)
                         : p.throttle_flags.empty()
                             ? name("none")
                             : name(fmt::format("{}", fmt::join(p.throttle_flags, ", ")))});
  return result;
}

}  // namespace

std::vector<DeviceSheet> device_sheets(const std::vector<Row>& rows) {
  // The newest passport of each device.
  std::vector<DeviceSheet> sheets;
  std::set<std::string> seen;
  for (auto row = rows.rbegin(); row != rows.rend(); ++row)
    if (seen.insert(row->record->passport.fingerprint).second)
      sheets.push_back(sheet(row->record->passport));
  std::reverse(sheets.begin(), sheets.end());
  return sheets;
}

}  // namespace edgelm::report
