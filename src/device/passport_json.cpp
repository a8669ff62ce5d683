// One function per part that writes it, one that reads it; kept next to each other.

#include "device/passport_json.h"

#include <array>
#include <cmath>
#include <string>

#include "api/fields.h"

namespace edgelm::device {
namespace {

using api::Fields;
using api::Json;
using api::known;

constexpr std::array<std::string_view, 6> kBoardKinds{"unknown",   "raspberry-pi", "jetson",
                                                      "other-arm", "pc",           "virtual"};
constexpr std::array<std::string_view, 4> kOrigins{"measured", "predicted", "modelled", "stated"};
// In the order of the enumerators; passport_json_test holds them to scope_name.
constexpr std::array<std::string_view, 10> kScopes{
    "wall", "board", "module", "package", "gpu", "dram", "rail", "battery", "modelled", "unknown"};

template <class T, class Write>
Json list_of(const std::vector<T>& items, Write&& write) {
  Json list = Json::array();
  for (const T& item : items) list.push_back(write(item));
  return list;
}

Json write_cluster(const CpuCluster& cluster) {
  return {{"cpus", cluster.cpus},
          {"part", known(cluster.part)},
          {"max_hz", known(cluster.max_hz)},
          {"capacity", known(cluster.capacity)}};
}

void read_cluster(Fields& fields, CpuCluster& cluster) {
  fields.need("cpus", cluster.cpus);
  fields.take("part", cluster.part);
  fields.take("max_hz", cluster.max_hz);
  fields.take("capacity", cluster.capacity);
}

Json write_cache(const CacheLevel& cache) {
  return {{"level", cache.level},
          {"type", cache.type},
          {"bytes", cache.bytes},
          {"shared_by_cpus", cache.shared_by_cpus}};
}

void read_cache(Fields& fields, CacheLevel& cache) {
  fields.need("level", cache.level);
  fields.need("type", cache.type);
  fields.need("bytes", cache.bytes);
  fields.take("shared_by_cpus", cache.shared_by_cpus);
}

Json write_cpu(const Cpu& cpu) {
  return {{"model", cpu.model},
          {"architecture", cpu.architecture},
          {"isa", cpu.isa},
          {"logical_cpus", cpu.logical_cpus},
          {"cores", cpu.cores},
          {"clusters", list_of(cpu.clusters, write_cluster)},
          {"caches", list_of(cpu.caches, write_cache)},
          {"governor", known(cpu.governor)},
          {"driver", known(cpu.driver)},
          {"current_hz", known(cpu.current_hz)},
          {"max_hz", known(cpu.max_hz)},
          {"limit_hz", known(cpu.limit_hz)}};
}

void read_cpu(Fields& fields, Cpu& cpu) {
  fields.need("model", cpu.model);
  fields.take("architecture", cpu.architecture);
  fields.take("isa", cpu.isa);
  fields.take("logical_cpus", cpu.logical_cpus);
  fields.need("cores", cpu.cores);
  fields.array("clusters", cpu.clusters, read_cluster);
  fields.array("caches", cpu.caches, read_cache);
  fields.take("governor", cpu.governor);
  fields.take("driver", cpu.driver);
  fields.take("current_hz", cpu.current_hz);
  fields.take("max_hz", cpu.max_hz);
  fields.take("limit_hz", cpu.limit_hz);
}

Json write_memory(const Memory& memory) {
  return {{"total_bytes", known(memory.total_bytes)},
          {"available_bytes", known(memory.available_bytes)},
          {"limit_bytes", known(memory.limit_bytes)},
          {"swap_bytes", known(memory.swap_bytes)},
          {"swap_kind", memory.swap_kind}};
}

void read_memory(Fields& fields, Memory& memory) {
  fields.take("total_bytes", memory.total_bytes);
  fields.take("available_bytes", memory.available_bytes);
  fields.take("limit_bytes", memory.limit_bytes);
  fields.take("swap_bytes", memory.swap_bytes);
  fields.take("swap_kind", memory.swap_kind);
}

void read_sensor(Fields& fields, SensorInfo& sensor) {
  fields.need("id", sensor.id);
  fields.take("name", sensor.name);
  fields.choice("scope", kScopes, sensor.scope);
  fields.take("counter", sensor.counter);
  fields.take("period_s", sensor.period_s);
  fields.take("min_window_s", sensor.min_window_s);
  fields.take("relative_uncertainty", sensor.relative_uncertainty);
  fields.take("not_readable", sensor.not_readable);
  fields.take("hint", sensor.hint);
}

Json write_zone(const ThermalZone& zone) {
  return {{"name", zone.name},
          {"celsius", known(zone.celsius)},
          {"trip_celsius", known(zone.trip_celsius)}};
}

void read_zone(Fields& fields, ThermalZone& zone) {
  fields.need("name", zone.name);
  fields.take("celsius", zone.celsius);
  fields.take("trip_celsius", zone.trip_celsius);
}

Json write_figure(const PerThreads& figure) {
  return {{"threads", figure.threads}, {"value", figure.value}};
}

// A speed of 0 would become a time without end in a prediction.
void read_figure(Fields& fields, PerThreads& figure) {
  fields.need("threads", figure.threads);
  fields.need("value", figure.value);
  if (!fields.failed() && figure.threads == 0) fields.refuse("threads", "expected 1 or more");
  if (!fields.failed() && figure.value <= 0) fields.refuse("value", "expected more than 0");
}

Json write_kernel(const KernelSpeed& kernel) {
  return {{"type", kernel.type},
          {"phase", kernel.phase},
          {"per_threads", list_of(kernel.per_threads, write_figure)}};
}

void read_kernel(Fields& fields, KernelSpeed& kernel) {
  fields.need("type", kernel.type);
  fields.need("phase", kernel.phase);
  fields.array("per_threads", kernel.per_threads, read_figure);
  if (!fields.failed() && kernel.phase != "decode" && kernel.phase != "decode_cached" &&
      kernel.phase != "prefill")
    fields.refuse("phase", "expected decode, decode_cached or prefill, got '" + kernel.phase + "'");
}

void read_speeds(Fields& fields, Speeds& speeds) {
  fields.choice("origin", kOrigins, speeds.origin);
  fields.take("why", speeds.why);
  fields.array("read_bytes_per_s", speeds.read_bytes_per_s, read_figure);
  fields.array("int8_ops_per_s", speeds.int8_ops_per_s, read_figure);
  fields.array("f32_ops_per_s", speeds.f32_ops_per_s, read_figure);
  fields.array("kernels", speeds.kernels, read_kernel);
  fields.take("storage_bytes_per_s", speeds.storage_bytes_per_s);
  fields.take("storage_path", speeds.storage_path);
}

void read_passport(Fields& fields, Passport& passport) {
  std::uint32_t schema = kPassportSchema;
  fields.take("schema", schema);  // checked before
  fields.need("name", passport.name);
  fields.take("fingerprint", passport.fingerprint);
  fields.object("cpu", [&](Fields& part) { read_cpu(part, passport.cpu); });
  fields.object("memory", [&](Fields& part) { read_memory(part, passport.memory); });
  fields.object("board", [&](Fields& part) {
    part.choice("kind", kBoardKinds, passport.board.kind);
    part.take("name", passport.board.name);
    part.take("evidence", passport.board.evidence);
    part.take("soc", passport.board.soc);
  });
  fields.take("kernel", passport.kernel);
  fields.take("os_name", passport.os_name);
  fields.array("sensors", passport.sensors, read_sensor);
  fields.array("thermal", passport.thermal, read_zone);
  fields.take("throttle_flags", passport.throttle_flags);
  fields.take("throttle", passport.throttle);
  fields.object("power_modes", [&](Fields& part) {
    part.take("current", passport.power_modes.current);
    part.take("available", passport.power_modes.available);
    part.take("interface", passport.power_modes.interface);
  });
  fields.object("speeds", [&](Fields& part) { read_speeds(part, passport.speeds); });
}

}  // namespace

std::string_view board_kind_name(BoardKind kind) {
  const auto index = static_cast<std::size_t>(kind);
  return index < kBoardKinds.size() ? kBoardKinds[index] : kBoardKinds[0];
}

Json to_json(const SensorInfo& sensor) {
  return {{"id", sensor.id},
          {"name", sensor.name},
          {"scope", scope_name(sensor.scope)},
          {"counter", sensor.counter},
          {"period_s", sensor.period_s},
          {"min_window_s", sensor.min_window_s},
          {"relative_uncertainty", sensor.relative_uncertainty},
          {"not_readable", sensor.not_readable},
          {"hint", sensor.hint}};
}

Json to_json(const Speeds& speeds) {
  return {{"origin", origin_name(speeds.origin)},
          {"why", speeds.why},
          {"read_bytes_per_s", list_of(speeds.read_bytes_per_s, write_figure)},
          {"int8_ops_per_s", list_of(speeds.int8_ops_per_s, write_figure)},
          {"f32_ops_per_s", list_of(speeds.f32_ops_per_s, write_figure)},
          {"kernels", list_of(speeds.kernels, write_kernel)},
          {"storage_bytes_per_s", known(speeds.storage_bytes_per_s)},
          {"storage_path", speeds.storage_path}};
}

Json to_json(const Passport& passport) {
  return {{"schema", kPassportSchema},
          {"name", passport.name},
          {"fingerprint", passport.fingerprint},
          {"cpu", write_cpu(passport.cpu)},
          {"memory", write_memory(passport.memory)},
          {"board",
           {{"kind", board_kind_name(passport.board.kind)},
            {"name", passport.board.name},
            {"evidence", passport.board.evidence},
            {"soc", passport.board.soc}}},
          {"kernel", passport.kernel},
          {"os_name", passport.os_name},
          {"sensors",
           list_of(passport.sensors, [](const SensorInfo& sensor) { return to_json(sensor); })},
          {"thermal", list_of(passport.thermal, write_zone)},
          {"throttle_flags", passport.throttle_flags},
          {"throttle", known(passport.throttle)},
          {"power_modes",
           {{"current", known(passport.power_modes.current)},
            {"available", passport.power_modes.available},
            {"interface", passport.power_modes.interface}}},
          {"speeds", to_json(passport.speeds)}};
}

Result<SensorInfo> sensor_from_json(const Json& json, std::string_view name) {
  SensorInfo sensor;
  Fields fields(json, std::string(name));
  read_sensor(fields, sensor);
  EDGELM_TRY(fields.done());
  return sensor;
}

Result<Speeds> speeds_from_json(const Json& json, std::string_view name) {
  Speeds speeds;
  Fields fields(json, std::string(name));
  read_speeds(fields, speeds);
  EDGELM_TRY(fields.done());
  return speeds;
}

Result<Passport> passport_from_json(const Json& json, std::string_view name) {
  if (const Json* schema = api::find(json, "schema")) {
    EDGELM_TRY_ASSIGN(const std::uint64_t version, api::unsigned_at(json, "schema", name));
    if (version > kPassportSchema)
      return fail(ErrorCode::kUnsupported,
                  "{}: a passport of schema {}, this edgelm knows {}: take a newer one", name,
                  schema->dump(), kPassportSchema);
  }
  Passport passport;
  Fields fields(json, std::string(name));
  read_passport(fields, passport);
  EDGELM_TRY(fields.done());
  return passport;
}

Result<Passport> parse_passport(std::string_view text, std::string_view name) {
  EDGELM_TRY_ASSIGN(const Json json, api::parse(text, name));
  return passport_from_json(json, name);
}

}  // namespace edgelm::device
