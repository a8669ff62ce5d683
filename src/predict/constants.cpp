// A line per constant: device, engine, version, power mode, constant, type, threads, value.

#include "predict/constants.h"

#include <fmt/format.h>

#include "predict/csv.h"
#include "predict/embedded.h"

namespace edgelm::predict {
namespace {

// The constants that are one number each.
struct Scalar {
  std::string_view name;
  double Profile::*value;
};
constexpr Scalar kScalars[] = {
    {"norm", &Profile::norm},
    {"token_overhead_s", &Profile::token_overhead_s},
    {"layer_overhead_s", &Profile::layer_overhead_s},
    {"prefill_overhead_s", &Profile::prefill_overhead_s},
    {"decode_attention_macs_per_s", &Profile::decode_attention_macs_per_s},
    {"prefill_attention_macs_per_s", &Profile::prefill_attention_macs_per_s},
    {"repack_bytes_per_s", &Profile::repack_bytes_per_s},
    {"decode_error", &Profile::decode_error},
    {"prefill_error", &Profile::prefill_error},
    {"watts_error", &Profile::watts_error},
};
struct PowerScalar {
  std::string_view name;
  double PowerModel::*value;
};
constexpr PowerScalar kPower[] = {
    {"watts_base", &PowerModel::base},
    {"watts_per_thread", &PowerModel::per_thread},
    {"watts_per_busy_thread", &PowerModel::per_busy_thread},
    {"watts_per_gigabyte", &PowerModel::per_gigabyte},
    {"watts_per_gigaweight", &PowerModel::per_gigaweight},
};

struct Line {
  std::string constant, type;
  std::uint32_t threads = 0;
  double value = 0;
};

TypeRate& type_of(Profile& profile, const std::string& type) {
  for (TypeRate& rate : profile.types)
    if (rate.type == type) return rate;
  profile.types.push_back({.type = type});
  return profile.types.back();
}

Status apply(const Line& line, const std::string& name, Profile& profile) {
  const device::PerThreads at{line.threads, line.value};
  if (line.constant == "bandwidth") {
    profile.bandwidth.push_back(at);
    return {};
  }
  if (line.constant == "decode_weights_per_s") {
    type_of(profile, line.type).decode_weights_per_s.push_back(at);
    return {};
  }
  if (line.constant == "prefill_macs_per_s") {
    type_of(profile, line.type).prefill_macs_per_s.push_back(at);
    return {};
  }
  if (line.constant == "gpu") {
    profile.gpu = line.value != 0;
    return {};
  }
  for (const Scalar& scalar : kScalars)
    if (scalar.name == line.constant) {
      profile.*scalar.value = line.value;
      return {};
    }
  for (const PowerScalar& scalar : kPower)
    if (scalar.name == line.constant) {
      if (!profile.decode_power) profile.decode_power.emplace();
      (*profile.decode_power).*scalar.value = line.value;
      // The scope stands in the column of the type: "rail" or "wall".
      profile.watts_scope = line.type == "wall" ? device::Scope::kWall : device::Scope::kRail;
      return {};
    }
  if (line.constant == "rows") {
    profile.basis = line.type;
    profile.basis_rows = static_cast<std::uint32_t>(line.value);
    return {};
  }
  return fail(ErrorCode::kFormat, "{}: unknown constant '{}'", name, line.constant);
}

}  // namespace

std::string constants_csv(const std::vector<Profile>& profiles) {
  std::string csv =
      "# Written by: edgelm plan --fit. Constants of the speed model (docs/predict.md), fitted to "
      "data/reference/speed.csv.\n"
      "device,engine,version,power_mode,constant,type,threads,value\n";
  for (const Profile& p : profiles) {
    const auto line = [&](std::string_view constant, std::string_view type, std::uint32_t threads,
                          double value) {
      csv += fmt::format("{},{},{},{},{},{},{},{:.4g}\n", p.device, p.engine, p.version,
                         p.power_mode, constant, type, threads, value);
    };
    line("rows", p.basis, 0, static_cast<double>(p.basis_rows));
    if (p.gpu) line("gpu", "", 0, 1);
    for (const device::PerThreads& at : p.bandwidth) line("bandwidth", "", at.threads, at.value);
    for (const TypeRate& rate : p.types) {
      for (const device::PerThreads& at : rate.decode_weights_per_s)
        line("decode_weights_per_s", rate.type, at.threads, at.value);
      for (const device::PerThreads& at : rate.prefill_macs_per_s)
        line("prefill_macs_per_s", rate.type, at.threads, at.value);
    }
    for (const Scalar& scalar : kScalars)
      if (p.*scalar.value != 0) line(scalar.name, "", 0, p.*scalar.value);
    if (p.decode_power)
      for (const PowerScalar& scalar : kPower)
        line(scalar.name, p.watts_scope == device::Scope::kWall ? "wall" : "rail", 0,
             (*p.decode_power).*scalar.value);
  }
  return csv;
}

Result<std::vector<Profile>> parse_constants(std::string_view csv, const std::string& name) {
  EDGELM_TRY_ASSIGN(const CsvTable table, CsvTable::parse(csv, name));
  std::vector<Profile> profiles;
  for (std::size_t i = 0; i < table.rows(); ++i) {
    Profile key;
    EDGELM_TRY_ASSIGN(key.device, table.text(i, "device"));
    EDGELM_TRY_ASSIGN(key.engine, table.text(i, "engine"));
    EDGELM_TRY_ASSIGN(key.version, table.text(i, "version"));
    EDGELM_TRY_ASSIGN(key.power_mode, table.text(i, "power_mode"));
    if (profiles.empty() || profiles.back().device != key.device ||
        profiles.back().engine != key.engine || profiles.back().power_mode != key.power_mode) {
      key.origin = Origin::kStated;
      profiles.push_back(key);
    }
    Line line;
    EDGELM_TRY_ASSIGN(line.constant, table.text(i, "constant"));
    EDGELM_TRY_ASSIGN(line.type, table.text(i, "type"));
    EDGELM_TRY_ASSIGN(line.threads, table.count(i, "threads"));
    EDGELM_TRY_ASSIGN(const std::optional<double> value, table.number(i, "value"));
    if (!value) return fail(ErrorCode::kFormat, "{}: '{}' has no value", name, line.constant);
    line.value = *value;
    EDGELM_TRY(apply(line, name, profiles.back()));
  }
  return profiles;
}

const std::vector<Profile>& shipped_profiles() {
  // Part of the program: a test holds that it parses.
  static const std::vector<Profile> kProfiles =
      parse_constants(embedded_constants_csv(), "data/reference/constants.csv")
          .value_or(std::vector<Profile>());
  return kProfiles;
}

}  // namespace edgelm::predict
