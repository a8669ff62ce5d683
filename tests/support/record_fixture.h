#pragma once
// Records for tests: every field set to something that is neither its default nor another field's
// value, and reasons where figures are absent.

#include <limits>
#include <string>

#include "measure/record.h"
#include "quality/record.h"

namespace edgelm::test {

inline device::Passport full_passport() {
  device::Passport p;
  p.name = "Raspberry Pi 5 8 GB";
  p.cpu.model = "4x Cortex-A76";
  p.cpu.architecture = "aarch64";
  p.cpu.isa = {"dotprod", "neon", "scalar"};
  p.cpu.logical_cpus = 4;
  p.cpu.cores = 3;
  p.cpu.clusters = {{{0, 1, 2, 3}, "Cortex-A76", 2.4e9, 1024U},
                    {{4}, not_available("no part"), not_available("no clock"), not_available("-")}};
  p.cpu.caches = {{1, "Data", 65536, 1}, {3, "Unified", 2097152, 4}};
  p.cpu.governor = "ondemand";
  p.cpu.driver = "cpufreq-dt";
  p.cpu.current_hz = 1.5e9;
  p.cpu.max_hz = 2.4e9;
  p.memory.total_bytes = 8454029312ULL;
  p.memory.available_bytes = 7000000000ULL;
  p.memory.limit_bytes = not_available("no control group");
  p.memory.swap_bytes = 209715200ULL;
  p.board = {device::BoardKind::kRaspberryPi, "Raspberry Pi 5 Model B Rev 1.0",
             "/proc/device-tree/model", "brcm,bcm2712"};
  p.kernel = "Linux 6.12.25";
  p.os_name = "Debian GNU/Linux 12 (bookworm)";
  device::SensorInfo pmic;
  pmic.id = "pi5-pmic";
  pmic.name = "Raspberry Pi 5 PMIC";
  pmic.scope = device::Scope::kModelled;
  pmic.period_s = 0.25;
  pmic.min_window_s = 1.5;
  pmic.relative_uncertainty = 0.06;
  pmic.not_readable = "vcgencmd: permission denied";
  pmic.hint = "sudo usermod -aG video $USER";
  p.sensors = {pmic};
  p.thermal = {{"cpu-thermal", 51.5, 85.0}, {"rp1", 47.0, not_available("none")}};
  p.throttle_flags = {"under-voltage since start"};
  p.throttle = "vcgencmd get_throttled";
  p.power_modes = {"ondemand", {"ondemand", "performance"}, "cpufreq governor"};
  p.speeds.why = "";
  p.speeds.read_bytes_per_s = {{1, 9.1e9}, {2, 13.4e9}, {4, 15.0e9}};
  p.speeds.int8_ops_per_s = {{4, 3.1e11}};
  p.speeds.f32_ops_per_s = {{4, 7.7e10}};
  p.speeds.kernels = {{"Q4_K", "decode", {{1, 4.4e9}, {4, 9.9e9}}}};
  p.speeds.storage_bytes_per_s = 4.2e8;
  p.speeds.storage_path = "/home/pi/models";
  p.fingerprint = "0123456789abcdef";
  return p;
}

inline measure::Series series(double base) {
  return {{base, base * 1.01, base * 0.99, base * 0.7, 0.1 + 0.2},
          base,
          base * 0.01,
          base * 0.985,
          base * 1.015,
          {3, 4},
          true,
          -1.25e-5};
}

inline measure::Record full_measure_record(const std::string& id = "cell-1",
                                           const std::string& run = "run-1") {
  measure::Record r;
  r.id = id;
  r.run_id = run;
  r.time = "2026-03-04T05:06:07Z";
  r.version = "0.2.0";
  r.settings = {"qwen2.5-1.5b.gguf",
                "9f8e",
                "Q4_K",
                "edgelm 0.2.0",
                "dotprod",
                3,
                512,
                128,
                1024,
                256,
                2,
                "q8_0",
                "25W"};
  r.outcome = measure::Outcome::kOutOfMemory;
  r.reason = "killed by the system";
  r.needed_bytes = std::numeric_limits<std::uint64_t>::max();
  r.parameters = 1543714304;
  r.bytes_per_token = 9.1e8;
  r.file_bytes = 986048768;
  r.shape = predict::Model{.name = "m",
                           .architecture = "llama",
                           .type = "Q4_K",
                           .origin = "GGUF header",
                           .n_layers = 2,
                           .n_embd = 64,
                           .n_vocab = 512,
                           .context_length = 2048,
                           .activation_floats = 900,
                           .widest_input = 192,
                           .weights = {{.part = predict::Part::kExperts,
                                        .type = "Q4_K",
                                        .elements = 4096,
                                        .bytes = 2304,
                                        .share = 0.25}},
                           .kv = {{.elements = 64, .window = 128, .macs_per_pair = 256}},
                           .state_bytes = 12,
                           .file_bytes = 986048768,
                           .notes = {"one"}};
  r.cold_load_ms = not_available("the page cache could not be dropped: not root");
  r.warm_load_ms = 12.75;
  r.prefill_tokens_per_s = series(101.5);
  r.ttft_ms = series(5044.0);
  r.ttft_tokenize_ms = 0.75;
  r.ttft_prefill_ms = 5040.5;
  r.ttft_sample_ms = 2.125;
  r.decode_tokens_per_s = series(9.25);
  r.tpot_ms = series(108.1);
  r.itl_p50_ms = 107.5;
  r.itl_p90_ms = 111.25;
  r.itl_p99_ms = not_available("128 tokens: fewer than 1000");
  r.read_bytes_per_s = 1.4e10;
  r.planned = {986000000ULL, 29360128ULL, 300000000ULL, 45000000ULL};
  r.memory = {986000001ULL, 330000000ULL, 1330000000ULL, not_available("no control group"),
              17ULL,        0.625,        true};
  r.sensor = full_passport().sensors[0];
  r.sensor.id = "ina3221";
  r.sensor.counter = true;
  r.load = {not_available("shorter than the sensor's window"), not_available("no window"), 1};
  r.prefill = {device::Energy{41.5, 2.5, 8.3, 9.1, 5.0, 20, 0.98, true}, 30.25, 512};
  r.decode = {device::Energy{97.0, 5.75, 7.0, 8.0, 13.9, 55, 1.0, false}, 61.5, 128};
  r.idle_watts_before = 2.75;
  r.idle_watts_after = 2.875;
  r.state = {71.5, 2.4e9, not_available("one sample"), true, "under-voltage", true};
  r.watts = {{0, 2.75}, {250000000, 8.125}, {-5, 1e-300, true}};
  r.states = {{0, 51.5, 2.4e9, 0, ""},
              {1000000000, std::numeric_limits<double>::quiet_NaN(), 1.5e9, 3, "thermal"}};
  r.phases = {{measure::CellPhase::kLoad, 0, 250000000},
              {measure::CellPhase::kIdleAfter, 250000001, 1000000000}};
  r.warmup_runs = 4;
  r.settled = false;
  r.other_load = 0.375;
  r.notes = {"TTFT ends when the first token is sampled", "naïve </script> \"quoted\"\n\x01"};
  r.passport = full_passport();
  return r;
}

inline quality::Record full_quality_record(const std::string& id = "eval-1",
                                           const std::string& run = "run-2") {
  quality::Record r;
  r.id = id;
  r.run_id = run;
  r.time = "2026-03-04T05:07:08Z";
  r.version = "0.2.0";
  r.model = "qwen2.5-1.5b.gguf";
  r.model_hash = "9f8e";
  r.type = "Q4_K";
  r.engine = "edgelm 0.2.0";
  r.file_bytes = 986048768;
  r.device_fingerprint = "0123456789abcdef";
  r.task = "hellaswag";
  r.data = "hellaswag_val.txt#ab12";
  r.metric = "acc_norm";
  r.protocol = "400 tasks, log-likelihood per byte";
  r.value = 0.615;
  r.standard_error = 0.0243;
  r.low = 0.566;
  r.high = 0.662;
  r.random_level = 0.25;
  r.n = 400;
  r.items = {{"0", 1, "", "", ""}, {"1", 0, "How many?", "41\n", "42"}};
  return r;
}

}  // namespace edgelm::test
