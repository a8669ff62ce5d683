#pragma once
// Made-up records of two boards and a plain machine, of the size and shape that real sweeps leave:
// what reports are tested and looked at with. Figures follow simple laws of bandwidth and cores so
// that plots look as plots do; none is a measurement.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "support/record_fixture.h"

namespace edgelm::test {

struct FixtureModel {
  const char* name;
  const char* type;
  double parameters;
  double bytes_per_weight;
  std::uint64_t kv_bytes_per_token;
  double accuracy;
};

inline const std::vector<FixtureModel>& fixture_models() {
  static const std::vector<FixtureModel> kModels = {
      {"smollm2-135m-instruct.gguf", "Q8_0", 134.5e6, 1.0625, 23040, 0.311},
      {"qwen2.5-0.5b-instruct.gguf", "Q4_0", 494e6, 0.5625, 12288, 0.362},
      {"qwen2.5-1.5b-instruct.gguf", "Q4_0", 1543e6, 0.5625, 28672, 0.508},
      {"qwen2.5-1.5b-instruct.gguf", "Q8_0", 1543e6, 1.0625, 28672, 0.522}};
  return kModels;
}

// `count` samples around `center`, the same for the same seed; interval and MAD as for real ones.
inline measure::Series fixture_series(double center, std::uint32_t seed, std::size_t count = 10) {
  measure::Series s;
  for (std::size_t i = 0; i < count; ++i) {
    seed = seed * 1664525U + 1013904223U;
    s.samples.push_back(center * (1 + (static_cast<double>(seed >> 8) / (1U << 24) - 0.5) * 0.03));
  }
  std::vector<double> sorted = s.samples;
  std::sort(sorted.begin(), sorted.end());
  s.median = (sorted[(count - 1) / 2] + sorted[count / 2]) / 2;
  s.mad = s.median * 0.006;
  s.low = sorted[count / 4];
  s.high = sorted[count - 1 - count / 4];
  return s;
}

inline device::Passport fixture_board(bool jetson) {
  device::Passport p = full_passport();
  const double scale = jetson ? 2.2 : 1;
  p.speeds.kernels.clear();
  for (const char* type : {"Q4_0", "Q8_0"}) {
    p.speeds.kernels.push_back(
        {type, "decode", {{1, 8.0e9 * scale}, {2, 13.2e9 * scale}, {4, 14.8e9 * scale}}});
    p.speeds.kernels.push_back(
        {type, "decode_cached", {{1, 1.4e10 * scale}, {2, 2.8e10 * scale}, {4, 5.4e10 * scale}}});
    p.speeds.kernels.push_back(
        {type, "prefill", {{1, 1.5e10 * scale}, {2, 2.9e10 * scale}, {4, 5.6e10 * scale}}});
  }
  if (!jetson) return p;
  p.name = "Jetson Orin Nano 8 GB";
  p.cpu.model = "6x Cortex-A78AE";
  p.board = {device::BoardKind::kJetson, "NVIDIA Jetson Orin Nano", "/proc/device-tree/model",
             "nvidia,tegra234"};
  p.fingerprint = "fedcba9876543210";
  p.speeds.read_bytes_per_s = {{1, 12e9}, {2, 22e9}, {4, 34e9}};
  p.sensors[0].id = "ina3221";
  p.sensors[0].name = "INA3221 VDD_IN";
  p.sensors[0].scope = device::Scope::kModule;
  p.sensors[0].not_readable.clear();
  return p;
}

inline measure::Record fixture_cell(const FixtureModel& model, bool jetson, std::uint32_t threads,
                                    std::uint32_t depth, std::uint32_t number) {
  measure::Record r;
  r.id = std::string(jetson ? "orin-" : "pi-") + std::to_string(number);
  r.run_id = jetson ? "20260305T090000-orin" : "20260304T050607-pi5";
  r.time = jetson ? "2026-03-05T09:00:00Z" : "2026-03-04T05:06:07Z";
  r.version = "0.2.0";
  r.settings.model = std::string("models/") + model.name;
  r.settings.model_hash = std::string(model.name) + model.type;
  r.settings.type = model.type;
  r.settings.engine = "edgelm 0.2.0";
  r.settings.isa = "dotprod";
  r.settings.threads = threads;
  r.settings.prompt_tokens = 512;
  r.settings.decode_tokens = 128;
  r.settings.context_tokens = depth;
  r.settings.batch_tokens = 512;
  r.passport = fixture_board(jetson);
  r.parameters = static_cast<std::uint64_t>(model.parameters);
  r.bytes_per_token = model.parameters * model.bytes_per_weight;
  r.file_bytes = static_cast<std::uint64_t>(r.bytes_per_token * 1.02);
  r.shape = predict::model_of_figures(model.name, model.type, r.parameters, r.bytes_per_token,
                                      r.file_bytes);
  r.shape->kv = {{.elements = static_cast<std::uint32_t>(model.kv_bytes_per_token / 2),
                  .window = 0,
                  .macs_per_pair = model.kv_bytes_per_token * 3}};

  const double busy = threads == 3 ? 2.6 : std::min<double>(threads, 4);
  const double bandwidth = (jetson ? 34e9 : 15e9) * (threads == 1 ? 0.55 : threads == 2 ? 0.9 : 1);
  const double kv = static_cast<double>(model.kv_bytes_per_token) * (depth + 576.0);
  const double decode = 1 / ((r.bytes_per_token + kv) / bandwidth + 0.002);
  const double prefill = (jetson ? 9e10 : 5.2e10) * busy / 4 / (2 * model.parameters) * 2.2;
  r.prefill_tokens_per_s = fixture_series(prefill, number * 7 + 1);
  r.decode_tokens_per_s = fixture_series(decode, number * 7 + 2);
  r.ttft_ms = fixture_series(512e3 / prefill + 1e3 / decode, number * 7 + 3);
  r.tpot_ms = fixture_series(1e3 / decode, number * 7 + 2);
  r.itl_p50_ms = 1e3 / decode;
  r.itl_p90_ms = 1.05e3 / decode;
  r.itl_p99_ms = not_available("1270 gaps of 10 repetitions of which 3 were interrupted");
  r.cold_load_ms = static_cast<double>(r.file_bytes) / 4.2e8 * 1e3;
  r.warm_load_ms = static_cast<double>(r.file_bytes) / 3e9 * 1e3;
  r.read_bytes_per_s = bandwidth * 1.02;

  r.planned = {
      r.file_bytes,
      static_cast<std::uint64_t>(static_cast<double>(model.kv_bytes_per_token) * (depth + 640.0)),
      300'000'000ULL, 12'000'000ULL};
  r.memory.pss_file = r.file_bytes / 20;
  r.memory.pss_anonymous = r.file_bytes + *r.planned.kv + 280'000'000ULL;
  r.memory.peak_rss = r.file_bytes + *r.planned.kv + 330'000'000ULL;
  r.memory.major_faults = 0ULL;
  r.memory.weights_resident = 1.0;

  r.sensor = r.passport.sensors[0];
  r.sensor.not_readable.clear();
  const double idle = jetson ? 4.6 : 2.7;
  const double watts = idle + (jetson ? 1.5 : 1.05) * busy;
  const auto energy = [&](double tokens, double rate) {
    const double seconds = tokens / rate;
    return device::Energy{watts * seconds,
                          watts * seconds * 0.06,
                          watts,
                          watts * 1.1,
                          seconds,
                          static_cast<std::uint32_t>(seconds / 0.25),
                          1.0,
                          false};
  };
  r.prefill = {energy(2560, prefill), (watts - idle) * 2560 / prefill, 2560};
  r.decode = {energy(1280, decode), (watts - idle) * 1280 / decode, 1280};
  r.idle_watts_before = idle;
  r.idle_watts_after = idle * 1.03;
  r.state = {68.5 + threads, 2.4e9, 2.4e9, !jetson && threads == 4 && depth > 0, ""};
  if (r.state.throttled) r.state.cause = "soft temperature limit";
  for (int i = 0; i < 240; ++i) {
    const double t = i * 0.25;
    const bool working = i > 20 && i < 220;
    const bool loading = i < 10;
    r.watts.push_back({static_cast<std::int64_t>(t * 1e9), (working   ? watts
                                                            : loading ? (watts + idle) / 2
                                                                      : idle) *
                                                               (1 + 0.03 * std::sin(i * 1.7))});
    r.states.push_back({static_cast<std::int64_t>(t * 1e9),
                        working ? 52 + 18 * (1 - std::exp(-(i - 20) / 60.0)) : 52,
                        r.state.throttled && i > 150 ? 2.2e9 : 2.4e9,
                        r.state.throttled && i > 150 ? 1ULL : 0ULL,
                        r.state.throttled && i > 150 ? "soft temperature limit" : ""});
  }
  using measure::CellPhase;
  const std::int64_t s = 1'000'000'000;
  r.phases = {{CellPhase::kLoad, 0, 2 * s},
              {CellPhase::kFirstRuns, 2 * s, 2 * s + s / 2},
              {CellPhase::kIdleBefore, 2 * s + s / 2, 5 * s},
              {CellPhase::kWarmUp, 5 * s, 7 * s},
              {CellPhase::kPrefill, 7 * s, 20 * s},
              {CellPhase::kWarmUp, 20 * s, 23 * s},
              {CellPhase::kDecode, 23 * s, 55 * s},
              {CellPhase::kIdleAfter, 55 * s, 60 * s}};
  r.warmup_runs = 4;
  return r;
}

inline quality::Record fixture_evaluation(const FixtureModel& model) {
  quality::Record q =
      full_quality_record(std::string("eval-") + model.name + model.type, "20260306T101112-eval");
  q.model = model.name;
  q.type = model.type;
  q.model_hash = std::string(model.name) + model.type;
  q.file_bytes = static_cast<std::uint64_t>(model.parameters * model.bytes_per_weight * 1.02);
  q.value = model.accuracy;
  q.standard_error = 0.025;
  q.low = model.accuracy - 0.049;
  q.high = model.accuracy + 0.049;
  return q;
}

struct FixtureRecords {
  std::vector<measure::Record> measured;
  std::vector<quality::Record> quality;
};

// Two boards, four model files, up to four thread counts, two depths, one cell that does not fit.
inline FixtureRecords fixture_records() {
  FixtureRecords all;
  std::uint32_t number = 0;
  for (const bool jetson : {false, true}) {
    for (const FixtureModel& model : fixture_models()) {
      for (const std::uint32_t threads : {1U, 2U, 3U, 4U})
        all.measured.push_back(fixture_cell(model, jetson, threads, 0, number++));
      if (!jetson) all.measured.push_back(fixture_cell(model, jetson, 4, 2048, number++));
    }
  }
  measure::Record large = fixture_cell(fixture_models()[3], false, 4, 0, number++);
  large.settings.model = "models/qwen2.5-14b-instruct.gguf";
  large.settings.model_hash = "14b";
  large.outcome = measure::Outcome::kInfeasible;
  large.reason = "weights 15.7 GB + cache 0.2 GB + compute 0.3 GB, 7.0 GB available";
  large.needed_bytes = 16'200'000'000ULL;
  all.measured.push_back(large);
  for (const FixtureModel& model : fixture_models())
    all.quality.push_back(fixture_evaluation(model));
  return all;
}

// Without any sensor, cold loads or clocks, and with names that want to break out.
inline measure::Record fixture_plain(const std::string& model) {
  measure::Record r = fixture_cell(fixture_models()[0], false, 2, 0, 99);
  r.id = "plain-1";
  r.run_id = "20260307T111213-plain";
  r.settings.model = model;
  r.settings.model_hash = "plain";
  r.passport = device::Passport{};
  r.passport.name = "this device";
  r.passport.cpu.model = "Virtual CPU @ 2.1 GHz";
  r.passport.fingerprint = "00112233445566aa";
  r.passport.speeds.why = "not measured";
  r.sensor = {};
  const auto none = not_available("no power sensor on this device");
  r.prefill = {none, none, 0};
  r.decode = {none, none, 0};
  r.idle_watts_before = none;
  r.idle_watts_after = none;
  r.cold_load_ms = not_available("the page cache could not be dropped: not root");
  r.state = {};
  r.watts.clear();
  r.states.clear();
  r.phases.clear();
  return r;
}

}  // namespace edgelm::test
