// The phases of a cell in order.

#include "measure/cell.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/checked.h"
#include "device/describe_parts.h"
#include "measure/cell_record.h"
#include "measure/latencies.h"
#include "measure/load_phase.h"
#include "measure/memory_parts.h"
#include "measure/other_load.h"
#include "measure/prompt_text.h"
#include "measure/token_runner.h"
#include "measure/weight_pages.h"
#include "os/clock.h"
#include "predict/gguf_model.h"
#include "stats/summary.h"
#include "text/sampler.h"

namespace edgelm::measure {
namespace {

plan::Limits limits_of(const Settings& settings, plan::KvType kv_type) {
  constexpr std::uint32_t kBlock = plan::Limits{}.kv_block_tokens;
  const std::uint32_t n_sequences = std::max(settings.n_sequences, 1U);
  const std::uint32_t longest = std::max({settings.context_tokens + settings.prompt_tokens,
                                          settings.context_tokens + settings.decode_tokens, 1U});
  // No wider than any prefill step will be: the filling of the depth counts as one.
  const std::uint32_t widest = std::max(settings.prompt_tokens, settings.context_tokens);
  return {.context_tokens = n_sequences * ceil_div(longest, kBlock) * kBlock,
          .batch_tokens = std::max({std::min(settings.batch_tokens, widest), n_sequences, 1U}),
          .logit_rows = n_sequences,
          .kv_type = kv_type};
}

class CellRun {
 public:
  CellRun(const CellSpec& spec, const Rig& rig, const Surroundings& around, Record& record)
      : spec_(spec), rig_(rig), around_(around), record_(record) {}

  Status measure();

 private:
  Status check_fits(const Loaded& loaded, const plan::Limits& limits);
  Status start_runner(Running& running, const plan::Limits& limits);
  Status prefill_phase(const std::function<double()>& probe);
  Status decode_phase(const std::function<double()>& probe);
  Known<device::Idle> idle(CellPhase which);
  Status timed_phases(Running& running);
  Status first_runs();
  Result<TimedRun> prefill_once();
  Result<TimedRun> decode_once();
  void describe(const Loaded& loaded);
  void read_memory();
  void judge(const Running& running, const Faults& before, const Faults& after, double seconds);
  void say(const std::string& what) const {
    if (around_.progress) around_.progress(what);
  }

  const CellSpec& spec_;
  const Rig& rig_;
  const Surroundings& around_;
  Record& record_;
  Watched watched_;
  // Of the phases.
  std::unique_ptr<TokenRunner> runner_;
  const text::Tokenizer* tokenizer_ = nullptr;
  std::uint32_t n_vocab_ = 0;
  std::uint32_t batch_ = 1;
  Prompt prompt_;
  std::unique_ptr<text::Sampler> sampler_;
  std::string piece_;
  std::vector<std::int64_t> step_ns_;
  std::vector<double> bandwidths_;
  double tokens_run_ = 0;  // in the timed phases, as passes over the weights
  Known<std::uint64_t> cgroup_before_ = not_available("not told");
};

void CellRun::describe(const Loaded& loaded) {
  const model::Model& model = *loaded.model;
  Settings& settings = record_.settings;
  if (settings.model_hash.empty()) settings.model_hash = model_hash(model.file());
  if (settings.type.empty()) settings.type = model.main_type();
  if (settings.isa.empty()) settings.isa = loaded.isa;
  record_.parameters = plan::parameters(model.plan());
  record_.bytes_per_token = static_cast<double>(plan::decode_weight_bytes(model.plan()));
  record_.file_bytes = model.file().file_bytes();
  if (auto shape = predict::model_of_gguf(model.file(), settings.model, record_.file_bytes))
    record_.shape = std::move(*shape);
  else
    record_.shape = not_available(shape.error().message);
}

// By the plan, before anything large is allocated.
Status CellRun::check_fits(const Loaded& loaded, const plan::Limits& limits) {
  const plan::Memory need = plan::memory(loaded.model->plan(), limits);
  record_.planned.weights = need.weights_bytes;
  record_.planned.kv = need.kv_bytes;
  record_.planned.compute = need.compute_bytes;
  // With the limits of control groups of both versions.
  const std::uint64_t there = device::describe_memory(around_.files).available_bytes.value_or(0);
  if (there == 0 || need.total_bytes() <= there) return {};
  record_.needed_bytes = need.total_bytes();
  if (spec_.force) return {};
  constexpr double kMiB = 1024.0 * 1024.0;
  record_.outcome = Outcome::kInfeasible;
  record_.reason = fmt::format(
      "needs {:.0f} MiB (weights {:.0f}, KV {:.0f}, compute {:.0f}), {:.0f} MiB are available; "
      "--force tries it",
      static_cast<double>(need.total_bytes()) / kMiB,
      static_cast<double>(need.weights_bytes) / kMiB, static_cast<double>(need.kv_bytes) / kMiB,
      static_cast<double>(need.compute_bytes) / kMiB, static_cast<double>(there) / kMiB);
  return {};
}

Status CellRun::start_runner(Running& running, const plan::Limits& limits) {
  const Settings& settings = record_.settings;
  const model::Model& model = *running.loaded.model;
  tokenizer_ = model.tokenizer();
  n_vocab_ = model.hparams().n_vocab;
  batch_ = limits.batch_tokens;
  const std::uint32_t positions = limits.context_tokens / std::max(settings.n_sequences, 1U);
  runner_ = std::make_unique<TokenRunner>(*running.executor, n_vocab_, positions,
                                          std::max(settings.n_sequences, 1U));
  if (settings.prompt_tokens > 0 && tokenizer_ != nullptr) {
    if (auto prompt = prompt_of(*tokenizer_, settings.prompt_tokens, 1)) {
      prompt_ = std::move(*prompt);
      runner_->set_ids(settings.context_tokens, prompt_.ids);
    } else {
      record_.notes.push_back("no text for the prompt, ids are given: " + prompt.error().message);
      tokenizer_ = nullptr;
    }
  }
  sampler_ = std::make_unique<text::Sampler>(text::SamplingParams{}, n_vocab_, positions + 1);
  if (tokenizer_ != nullptr) piece_.reserve(tokenizer_->longest_piece_bytes());
  step_ns_.reserve(settings.decode_tokens);
  if (settings.context_tokens > 0) say("filling the cache");
  for (std::uint32_t s = 0; s < std::max(settings.n_sequences, 1U); ++s)
    EDGELM_TRY(runner_->prefill(s, 0, settings.context_tokens, batch_));
  return {};
}

// From the text to the text of the first token.
Result<TimedRun> CellRun::prefill_once() {
  const Settings& settings = record_.settings;
  TimedRun run;
  const std::int64_t start = os::now_ns();
  if (tokenizer_ != nullptr) EDGELM_TRY(tokenizer_->encode(prompt_.text, {}));
  const std::int64_t encoded = os::now_ns();
  EDGELM_TRY(runner_->prefill(0, settings.context_tokens,
                              settings.context_tokens + settings.prompt_tokens, batch_));
  const std::int64_t prefilled = os::now_ns();
  const text::TokenId id = sampler_->sample(runner_->executor().logits(0), 0);
  if (tokenizer_ != nullptr) {
    piece_.clear();
    tokenizer_->append_piece(id, false, false, piece_);
  }
  const std::int64_t end = os::now_ns();
  run.tokens = settings.prompt_tokens;
  run.seconds = os::ns_to_s(prefilled - encoded);
  run.tokenize_ms = os::ns_to_ms(encoded - start);
  run.sample_ms = os::ns_to_ms(end - prefilled);
  run.ttft_ms = os::ns_to_ms(end - start);
  tokens_run_ += static_cast<double>(ceil_div(settings.prompt_tokens, batch_));
  return run;
}

Result<TimedRun> CellRun::decode_once() {
  const Settings& settings = record_.settings;
  step_ns_.clear();
  EDGELM_TRY(runner_->decode(settings.context_tokens,
                             settings.context_tokens + settings.decode_tokens, step_ns_));
  TimedRun run;
  run.tokens = static_cast<double>(settings.decode_tokens) * std::max(settings.n_sequences, 1U);
  run.latencies_ms.reserve(step_ns_.size());
  for (const std::int64_t ns : step_ns_) {
    run.seconds += os::ns_to_s(ns);
    run.latencies_ms.push_back(os::ns_to_ms(ns));
  }
  tokens_run_ += settings.decode_tokens;
  return run;
}

// Before the bandwidth probe has its buffer, so that memory is that of the model alone.
Status CellRun::first_runs() {
  if (record_.settings.prompt_tokens > 0) EDGELM_TRY(prefill_once());
  if (record_.settings.decode_tokens > 0) EDGELM_TRY(decode_once());
  tokens_run_ = 0;
  return {};
}

void CellRun::read_memory() {
  const ProportionalSet set = read_proportional_set(around_.files);
  record_.memory.pss_file = set.file;
  record_.memory.pss_anonymous = set.anonymous;
  record_.memory.peak_rss = read_peak(around_.files);
  record_.memory.cgroup_peak = cgroup_peak_between(cgroup_before_, read_cgroup_peak(around_.files));
}

Status CellRun::prefill_phase(const std::function<double()>& probe) {
  if (record_.settings.prompt_tokens == 0) {
    const auto none = not_available("this cell has no prompt");
    record_.prefill_tokens_per_s = none;
    record_.ttft_ms = none;
    record_.ttft_tokenize_ms = record_.ttft_prefill_ms = record_.ttft_sample_ms = none;
    record_.prefill.gross = none;
    record_.prefill.net_joules = none;
    return {};
  }
  PhaseTask task{.name = "prefill", .run = [this] { return prefill_once(); }};
  task.progress = around_.progress;
  task.before_repetition = [&] { bandwidths_.push_back(probe()); };
  if (!probe) task.before_repetition = {};
  EDGELM_TRY_ASSIGN(const PhaseResult phase,
                    run_phase(task, spec_.pace, around_.recorder, around_.clock));
  take_phase(CellPhase::kPrefill, phase, watched_, record_);
  record_.prefill_tokens_per_s = phase.tokens_per_s;
  record_.ttft_ms = phase.series([](const TimedRun& run) { return run.ttft_ms; });
  record_.ttft_prefill_ms =
      phase.series([](const TimedRun& run) { return run.seconds * 1e3; }).median;
  record_.ttft_sample_ms = phase.series([](const TimedRun& run) { return run.sample_ms; }).median;
  if (tokenizer_ != nullptr) {
    record_.ttft_tokenize_ms =
        phase.series([](const TimedRun& run) { return run.tokenize_ms; }).median;
  } else {
    record_.ttft_tokenize_ms = not_available("the model has no vocabulary: ids are given");
  }
  record_.prefill = phase.energy;
  return {};
}

Status CellRun::decode_phase(const std::function<double()>& probe) {
  if (record_.settings.decode_tokens == 0) {
    const auto none = not_available("this cell decodes nothing");
    record_.decode_tokens_per_s = none;
    record_.tpot_ms = none;
    record_.itl_p50_ms = record_.itl_p90_ms = record_.itl_p99_ms = none;
    record_.decode.gross = none;
    record_.decode.net_joules = none;
    return {};
  }
  PhaseTask task{.name = "decode", .run = [this] { return decode_once(); }};
  task.progress = around_.progress;
  task.before_repetition = [&] { bandwidths_.push_back(probe()); };
  if (!probe) task.before_repetition = {};
  EDGELM_TRY_ASSIGN(const PhaseResult phase,
                    run_phase(task, spec_.pace, around_.recorder, around_.clock));
  take_phase(CellPhase::kDecode, phase, watched_, record_);
  record_.decode_tokens_per_s = phase.tokens_per_s;
  record_.tpot_ms = phase.series([](const TimedRun& run) {
    return run.seconds * 1e3 / static_cast<double>(run.latencies_ms.size());
  });
  fill_latencies(phase, record_);
  record_.decode = phase.energy;
  return {};
}

void CellRun::judge(const Running& running, const Faults& before, const Faults& after,
                    double seconds) {
  const plan::Plan& plan = running.loaded.model->plan();
  record_.memory.major_faults = growth(before.major, after.major);
  record_.memory.weights_resident = resident_share(weight_ranges(plan, running.loaded.packed));
  PagingEvidence evidence;
  evidence.seconds = seconds;
  evidence.major_faults = record_.memory.major_faults;
  evidence.storage_read_bytes = growth(before.storage_read_bytes, after.storage_read_bytes);
  evidence.refaulted_pages = growth(before.refaulted_pages, after.refaulted_pages);
  evidence.weights_resident = record_.memory.weights_resident;
  evidence.weight_bytes = static_cast<double>(plan::weight_bytes(plan));
  evidence.weight_bytes_used = tokens_run_ * record_.bytes_per_token;
  if (record_.decode_tokens_per_s && record_.read_bytes_per_s)
    evidence.bandwidth_share = record_.decode_tokens_per_s->median * record_.bytes_per_token /
                               record_.settings.n_sequences / *record_.read_bytes_per_s;
  const PagingVerdict verdict = judge_paging(evidence);
  record_.memory.paging = verdict.paging;
  if (verdict.paging) record_.notes.push_back(verdict.why);
}

Known<device::Idle> CellRun::idle(CellPhase which) {
  const std::int64_t begin = around_.recorder.mark();
  auto idle = measure_idle(spec_.pace, around_.recorder, around_.clock);
  watched_.took(which, begin, around_.recorder.mark());
  return idle;
}

Status CellRun::timed_phases(Running& running) {
  watched_.idle_before = idle(CellPhase::kIdleBefore);
  const std::int64_t idle_end_ns = around_.recorder.mark();
  std::function<double()> probe;
  if (rig_.probe) {
    auto made = rig_.probe(running.loaded);
    if (made) {
      probe = std::move(*made);
    } else {
      record_.notes.push_back("no bandwidth probe: " + made.error().message);
    }
  }
  const Faults faults = read_faults(around_.files);
  const Result<CpuTimes> cpu = read_cpu_times(around_.files);
  watched_.begin_ns = around_.recorder.mark();
  watched_.took(CellPhase::kProbe, idle_end_ns, watched_.begin_ns);
  const std::int64_t start = os::now_ns();
  EDGELM_TRY(prefill_phase(probe));
  EDGELM_TRY(decode_phase(probe));
  const double seconds = os::ns_to_s(os::now_ns() - start);
  watched_.end_ns = around_.recorder.mark();
  const Known<double> load = other_load(cpu, read_cpu_times(around_.files));
  record_.other_load = load.value_or(0);
  if (!load) record_.notes.push_back("load of other programs n/a: " + load.error().reason);
  if (record_.other_load > kQuietLoad)
    record_.notes.push_back(
        fmt::format("other programs kept {:.2f} processors busy", record_.other_load));
  if (!bandwidths_.empty()) record_.read_bytes_per_s = stats::median(bandwidths_);
  judge(running, faults, read_faults(around_.files), seconds);
  probe = {};
  watched_.idle_after = idle(CellPhase::kIdleAfter);
  finish_energy(around_.recorder, watched_, record_);
  return {};
}

Status CellRun::measure() {
  EDGELM_TRY_ASSIGN(const plan::KvType kv_type, plan::parse_kv_type(record_.settings.kv_type));
  watched_.cell_begin_ns = around_.recorder.mark();
  const ProportionalSet program = read_proportional_set(around_.files);
  if (program.file && program.anonymous)
    record_.planned.runtime = *program.file + *program.anonymous;
  cgroup_before_ = read_cgroup_peak(around_.files);
  if (!reset_peak(around_.files))
    record_.notes.push_back("the peak cannot be reset here: it is that of the whole process");
  plan::Limits limits = limits_of(record_.settings, kv_type);
  limits.n_threads = std::max(record_.settings.threads, 1U);
  {
    EDGELM_TRY_ASSIGN(const Loaded loaded, rig_.load());
    describe(loaded);
    EDGELM_TRY(check_fits(loaded, limits));
    if (record_.outcome == Outcome::kInfeasible) return {};
  }
  EDGELM_TRY_ASSIGN(Running running, measure_load(spec_, rig_, limits, around_, record_));
  const std::int64_t loaded_ns = around_.recorder.mark();
  watched_.took(CellPhase::kLoad, watched_.cell_begin_ns, loaded_ns);
  EDGELM_TRY(start_runner(running, limits));
  EDGELM_TRY(first_runs());
  read_memory();
  watched_.took(CellPhase::kFirstRuns, loaded_ns, around_.recorder.mark());
  return timed_phases(running);
}

}  // namespace

std::string_view definitions() {
  return "prefill: prompt tokens / time until the logits of the last one · TTFT: tokenize + "
         "prefill "
         "+ sample + detokenize, in process · decode: tokens / time, sampling not included; TPOT: "
         "time per decoded token of a repetition; ITL: of every token · load: open to one token "
         "done · intervals: 95 % bootstrap of the median";
}

Record measure_cell(const CellSpec& spec, const Rig& rig, const Surroundings& around) {
  Record record;
  record.settings = spec.settings;
  record.time = utc_now();
  run_guarded([&] { return CellRun(spec, rig, around, record).measure(); }, record);
  return record;
}

}  // namespace edgelm::measure
