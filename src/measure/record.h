#pragma once
// What one measured cell of a sweep leaves behind: settings, raw samples, what was derived from
// them at once, and the device at that time. Written by measure/, kept by report/ (SQLite), read by
// report, compare and the predictor's validation. Money, carbon, scores and usability are computed
// from it when a report is made (econ/), so that prices can change afterwards. Plain data.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/known.h"
#include "device/passport.h"
#include "device/power/recorder.h"
#include "predict/model.h"

namespace edgelm::measure {

// What identifies a cell: two records with equal settings on one device can be compared.
struct Settings {
  std::string model;  // as named: a path's file name, "builtin", "synth:...", or the endpoint's
  std::string model_hash;     // of the header (and size) for files; "" for endpoints
  std::string type;           // "Q4_K", of most weights; "" when unknown
  std::string engine;         // "edgelm 0.2.0", "endpoint http://127.0.0.1:8080"
  std::string isa;            // kernels; "" for endpoints
  std::uint32_t threads = 0;  // 0: not ours to choose
  std::uint32_t prompt_tokens = 0;
  std::uint32_t decode_tokens = 0;
  std::uint32_t context_tokens = 0;  // positions in the cache before the prompt (depth)
  std::uint32_t batch_tokens = 0;
  std::uint32_t n_sequences = 1;
  std::string kv_type = "f16";
  std::string power_mode;  // "" : as it was
};

// What came of a cell.
enum class Outcome : std::uint8_t {
  kMeasured,
  kInfeasible,   // would not fit: `reason` gives the bytes needed and there
  kOutOfMemory,  // it was tried, and the system ended it
  kFailed,       // the model does not load, the endpoint answers nonsense, ...
};

// For people, for CSV and JSON columns, and in records.
inline constexpr std::array<std::string_view, 4> kOutcomeWords = {"measured", "infeasible",
                                                                  "out of memory", "failed"};
constexpr std::string_view outcome_word(Outcome outcome) {
  return kOutcomeWords[static_cast<std::size_t>(outcome)];
}

// What a cell does, in the order of time; warm-up comes before prefill and before decode.
enum class CellPhase : std::uint8_t {
  kLoad,       // first, cold and warm loads
  kFirstRuns,  // the cache is filled to its depth, and everything runs once; memory is read
  kIdleBefore,
  kProbe,  // its buffer is made; it runs before every repetition
  kWarmUp,
  kPrefill,  // repetitions, and the energy window behind them
  kDecode,
  kIdleAfter,
};
inline constexpr std::array<std::string_view, 8> kPhaseWords = {
    "load", "first runs", "idle before", "probe", "warm-up", "prefill", "decode", "idle after"};
constexpr std::string_view phase_word(CellPhase phase) {
  return kPhaseWords[static_cast<std::size_t>(phase)];
}

// When a phase began and ended, on the clock of the power readings.
struct PhaseSpan {
  CellPhase phase = CellPhase::kLoad;
  std::int64_t begin_ns = 0, end_ns = 0;
};

// Repeated samples of one quantity, raw, with their order statistics.
struct Series {
  std::vector<double> samples;  // in order of time
  double median = 0;
  double mad = 0;                       // median absolute deviation
  double low = 0, high = 0;             // 95 % bootstrap interval of the median
  std::vector<std::uint32_t> outliers;  // indices beyond 5 MAD: flagged, not removed
  bool drifting = false;   // the slope's interval excludes 0, and it moved by 2 % or more
  double slope_per_s = 0;  // Theil-Sen, relative to the median
};

// Bytes; planned by the engine, measured by the system.
struct MemoryParts {
  Known<std::uint64_t> weights = not_available("not told");
  Known<std::uint64_t> kv = not_available("not told");
  Known<std::uint64_t> compute = not_available("not told");
  Known<std::uint64_t> runtime = not_available("not told");  // the program without a model
};
struct MemoryMeasured {
  Known<std::uint64_t> pss_file = not_available("not told");
  Known<std::uint64_t> pss_anonymous = not_available("not told");
  Known<std::uint64_t> peak_rss = not_available("not told");
  Known<std::uint64_t> cgroup_peak = not_available("not told");
  Known<std::uint64_t> major_faults = not_available("not told");  // during the timed phases
  Known<double> weights_resident = not_available("not told");     // share of the mapping, mincore
  bool paging = false;  // the cliff: weights were read from storage again and again
};

struct EnergyOfPhase {
  Known<device::Energy> gross = not_available("no power sensor");
  Known<double> net_joules = not_available("no idle baseline");
  double tokens = 0;  // over the window
};

struct Record {
  std::string id;       // unique
  std::string run_id;   // of the sweep
  std::string time;     // RFC 3339, UTC, when the cell began
  std::string version;  // of edgelm
  Settings settings;
  Outcome outcome = Outcome::kMeasured;
  std::string reason;  // unless measured
  Known<std::uint64_t> needed_bytes = not_available("it fits");

  // Of the model.
  std::uint64_t parameters = 0;
  double bytes_per_token = 0;  // weights read by a decoded token; 0 unknown
  std::uint64_t file_bytes = 0;
  // Weights by part and type, cache and attention: for prediction beside measurement where the file
  // is not at hand.
  Known<predict::Model> shape = not_available("not kept by the version that measured");

  // Phases. Samples in the unit of the name.
  Known<double> cold_load_ms = not_available("not measured");
  Known<double> warm_load_ms = not_available("not measured");
  Known<Series> prefill_tokens_per_s = not_available("not measured");
  Known<Series> ttft_ms = not_available("not measured");
  // What the time to the first token is made of; medians.
  Known<double> ttft_tokenize_ms = not_available("not measured");
  Known<double> ttft_prefill_ms = not_available("not measured");
  Known<double> ttft_sample_ms = not_available("not measured");
  Known<Series> decode_tokens_per_s = not_available("not measured");
  Known<Series> tpot_ms = not_available("not measured");  // samples: per repetition
  // Over all inter-token latencies: 50, 90, 99 (n/a when too few)
  Known<double> itl_p50_ms = not_available("not measured");
  Known<double> itl_p90_ms = not_available("not measured");
  Known<double> itl_p99_ms = not_available("fewer than 1000 tokens");
  Known<double> read_bytes_per_s = not_available("not measured");  // probe, same threads

  MemoryParts planned;
  MemoryMeasured memory;

  // Energy.
  device::SensorInfo sensor;  // id "" when there is none
  EnergyOfPhase load, prefill, decode;
  Known<double> idle_watts_before = not_available("no power sensor");
  Known<double> idle_watts_after = not_available("no power sensor");
  device::StateSummary state;
  std::vector<device::Reading> watts;  // t_ns relative to the cell's begin; thinned to 2000
  std::vector<device::StateSample> states;
  std::vector<PhaseSpan> phases;  // in order of time, relative to the cell's begin as well

  // Conditions: warm-up runs needed, the load of other processes, definitions used.
  std::uint32_t warmup_runs = 0;
  bool settled = true;    // the warm-up ended because rates settled
  double other_load = 0;  // busy processors of other programs while measuring
  std::vector<std::string> notes;

  device::Passport passport;
};

}  // namespace edgelm::measure
