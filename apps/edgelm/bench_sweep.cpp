// The sweep of bench: cells, processes, records, and the end.

#include "apps/edgelm/bench_sweep.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdlib>
#include <random>

#include "apps/edgelm/bench_cell.h"
#include "apps/edgelm/bench_keeper.h"
#include "apps/edgelm/bench_models.h"
#include "apps/edgelm/bench_output.h"
#include "apps/edgelm/output.h"
#include "apps/edgelm/progress.h"
#include "base/counted.h"
#include "base/printable.h"
#include "device/power/power_mode.h"
#include "device/power/sources.h"
#include "endpoint/endpoint.h"
#include "kernels/kernels.h"
#include "measure/device_speed.h"
#include "measure/endpoint_cell.h"
#include "os/clock.h"
#include "os/cpu.h"

namespace edgelm::apps {
namespace {

volatile std::sig_atomic_t stop_signal = 0;

// Ctrl-C and a polite kill end the sweep between two instructions of ours, so that what was
// measured is kept and the power mode goes back. A second one changes nothing: it is fast.
class StopGuard {
 public:
  StopGuard() {
    stop_signal = 0;
    struct sigaction action {};
    action.sa_handler = [](int signal) { stop_signal = signal; };
    sigaction(SIGINT, &action, &old_interrupt_);
    sigaction(SIGTERM, &action, &old_terminate_);
  }
  ~StopGuard() {
    sigaction(SIGINT, &old_interrupt_, nullptr);
    sigaction(SIGTERM, &old_terminate_, nullptr);
  }
  StopGuard(const StopGuard&) = delete;
  StopGuard& operator=(const StopGuard&) = delete;

 private:
  struct sigaction old_interrupt_ {};
  struct sigaction old_terminate_ {};
};

std::string duration(double seconds) {
  const auto whole = static_cast<std::uint64_t>(seconds);
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{} min", (whole + 30) / 60);
  return fmt::format("{} h {:02} min", whole / 3600, whole % 3600 / 60);
}

// A server that has been silent for so long has hung, however long a cell may take.
double endpoint_timeout_s(const BenchOptions& options) {
  constexpr double kMost = 120;
  return options.timeout_s > 0 ? std::min(options.timeout_s, kMost) : kMost;
}

class BenchSweep {
 public:
  explicit BenchSweep(const BenchOptions& options) : options_(options) {}

  Status prepare();
  Status run(int& exit_code);

 private:
  Status list_models(measure::SweepLists& lists);
  Status list_endpoint(measure::SweepLists& lists);
  Status check_power_modes();
  void describe_device();
  [[nodiscard]] measure::SweepHooks hooks(BenchKeeper& keeper);
  Result<measure::Record> measure(const measure::Cell& cell, bool first_of_model);
  [[nodiscard]] CellJob job_of(const measure::Cell& cell, bool first_of_model) const;
  void show(const std::string& phase);
  Status print_end(const BenchKeeper& keeper) const;
  static Status judge(const std::vector<measure::Record>& records);

  const BenchOptions& options_;
  std::unique_ptr<os::SystemFiles> files_ = os::system_files();
  std::unique_ptr<device::PowerModeControl> modes_;
  device::Passport passport_;
  std::string engine_;
  std::vector<std::string> names_;    // of the models, as given
  std::vector<measure::Cell> cells_;  // in order of the lists
  std::string isa_;
  CurrentModel current_;
  std::unique_ptr<Progress> bar_;
  measure::SweepProgress progress_;
  std::string cell_name_;
};

Status BenchSweep::list_models(measure::SweepLists& lists) {
  EDGELM_TRY_ASSIGN(names_, expand_models(options_.models, options_.types));
  EDGELM_TRY_ASSIGN(lists.models, sweep_models(names_));
  EDGELM_TRY_ASSIGN(const kernels::Kernels* kernels, kernels::select_kernels(options_.cpu.isa));
  lists.isa = kernels->name;
  lists.engine = "edgelm " EDGELM_VERSION;
  lists.threads = options_.threads;
  if (lists.threads.empty()) lists.threads = {static_cast<std::uint32_t>(os::usable_cores())};
  lists.batches = options_.batches;
  lists.sequences = options_.sequences;
  lists.kv_types = options_.kv_types;
  return {};
}

// Asked once, so that an address where nobody answers is told at once.
Status BenchSweep::list_endpoint(measure::SweepLists& lists) {
  if (!options_.types.empty() || !options_.threads.empty())
    return fail(ErrorCode::kUsage, "--types and --threads are the server's own with --endpoint");
  const char* key =
      options_.api_key_env.empty() ? nullptr : std::getenv(options_.api_key_env.c_str());
  if (!options_.api_key_env.empty() && key == nullptr)
    return fail(ErrorCode::kUsage, "--api-key-env: there is no variable '{}' in the environment",
                options_.api_key_env);
  std::vector<std::string> wanted = options_.models;
  if (wanted.empty()) wanted = {""};
  for (const std::string& name : wanted) {
    EDGELM_TRY_ASSIGN(
        const auto server,
        endpoint::Endpoint::connect({.url = options_.endpoint,
                                     .model = name,
                                     .api_key = key == nullptr ? "" : key,
                                     .timeout = std::chrono::milliseconds(std::max<std::int64_t>(
                                         1, std::llround(endpoint_timeout_s(options_) * 1e3))),
                                     .cancelled = [] { return stop_signal != 0; }}));
    names_.push_back(server->model());
    lists.models.push_back({.name = server->model(), .hash = "", .type = ""});
    lists.engine = fmt::format("{} {}", server_kind_name(server->server()), server->url());
  }
  isa_.clear();
  lists.threads = {0};
  lists.batches = {0};
  lists.kv_types = {""};
  return {};
}

// A mode that nobody knows should not cost a sweep.
Status BenchSweep::check_power_modes() {
  if (options_.power_modes.empty()) return {};
  modes_ = std::make_unique<device::PowerModeControl>(
      *files_, device::PowerModeOptions{.command = options_.power_mode_command,
                                        .command_initial = options_.power_mode_after,
                                        .run = nullptr});
  for (const std::string& mode : options_.power_modes) EDGELM_TRY(modes_->check(mode));
  return {};
}

Status BenchSweep::prepare() {
  measure::SweepLists lists;
  EDGELM_TRY(options_.endpoint.empty() ? list_models(lists) : list_endpoint(lists));
  isa_ = lists.isa;
  engine_ = lists.engine;
  lists.prompts = options_.prompts;
  lists.decodes = options_.decodes;
  lists.contexts = options_.depths;
  if (!options_.power_modes.empty()) lists.power_modes = options_.power_modes;
  cells_ = measure::cells_of(lists);
  if (cells_.empty()) return fail(ErrorCode::kUsage, "nothing to measure: -p and -n are both 0");
  EDGELM_TRY(check_power_modes());
  // A sensor that was asked for by name and is not there should not cost a sweep.
  EDGELM_TRY(device::open_source(options_.power, *files_));
  describe_device();
  return {};
}

// With the speeds that `edgelm device` has measured, where they are kept.
void BenchSweep::describe_device() {
  passport_ = device::describe(*files_);
  if (auto speeds = measure::load_speeds(measure::speed_key(passport_, EDGELM_VERSION)))
    passport_.speeds = std::move(*speeds);
}

CellJob BenchSweep::job_of(const measure::Cell& cell, bool first_of_model) const {
  CellJob job;
  job.spec.settings = cell.settings;
  job.spec.pace = options_.pace;
  job.spec.cold_load = options_.cold_load && first_of_model;
  job.spec.force = options_.force;
  job.model = names_[cell.model];
  job.isa = options_.cpu.isa;
  job.repack = options_.cpu.repack;
  job.cache = options_.cpu.cache;
  job.probe = options_.probe;
  job.power = options_.power;
  job.endpoint = options_.endpoint;
  job.api_key_env = options_.api_key_env;
  job.endpoint_timeout_s = endpoint_timeout_s(options_);
  return job;
}

void BenchSweep::show(const std::string& phase) {
  if (!bar_) bar_ = std::make_unique<Progress>();
  std::string text = cell_name_ + " · " + phase;
  if (progress_.seconds_left) text += " · " + duration(*progress_.seconds_left) + " left";
  bar_->update(progress_.done, progress_.all, text);
}

Result<measure::Record> BenchSweep::measure(const measure::Cell& cell, bool first_of_model) {
  CellJob job = job_of(cell, first_of_model);
  bar_.reset();  // making a model has a bar of its own
  const Result<int> descriptor =
      job.endpoint.empty() ? current_.descriptor_of(job.model) : Result<int>(-1);
  if (!descriptor) {
    measure::Record record;
    record.settings = cell.settings;
    record.outcome = descriptor.error().code == ErrorCode::kMemory ? measure::Outcome::kOutOfMemory
                                                                   : measure::Outcome::kFailed;
    record.reason = descriptor.error().message;
    return record;
  }
  job.handed_down = *descriptor >= 0;
  show("start");
  CellWatch watch;
  watch.timeout_s = options_.timeout_s;
  watch.progress = [this](const std::string& phase) { show(phase); };
  watch.stop = [] { return stop_signal != 0; };
  watch.on_error = [this](const std::string& line) {
    bar_.reset();  // its line is cleared
    note("{}\n", line);
  };
  return run_cell_process(job, *descriptor, watch);
}

measure::SweepHooks BenchSweep::hooks(BenchKeeper& keeper) {
  measure::SweepHooks hooks;
  hooks.is_done = [&](const std::string& key) { return keeper.is_done(key); };
  hooks.measure = [this](const measure::Cell& cell, bool first) { return measure(cell, first); };
  hooks.keep = [&, this](const measure::Cell& cell, measure::Record&& record) {
    bar_.reset();
    record.passport = passport_;
    keeper.keep(cell, std::move(record));
  };
  hooks.progress = [this](const measure::SweepProgress& progress, const measure::Cell& cell) {
    progress_ = progress;
    const measure::Settings& s = cell.settings;
    cell_name_ = fmt::format("{} pp{} tg{}{}", printable(s.model), s.prompt_tokens, s.decode_tokens,
                             s.threads > 0 ? fmt::format(" t{}", s.threads) : "");
  };
  hooks.stop = [&keeper] { return stop_signal != 0 || !keeper.printed(); };
  if (modes_)
    hooks.set_power_mode = [this](const std::string& mode) -> Status {
      EDGELM_TRY(modes_->set(mode));
      describe_device();  // governor and clocks of this mode
      return {};
    };
  hooks.seconds = [] { return os::ns_to_s(os::now_ns()); };
  return hooks;
}

Status BenchSweep::print_end(const BenchKeeper& keeper) const {
  const std::vector<measure::Record> records = keeper.records();
  if (options_.output == "md" && !records.empty())
    return write_result(fmt::format(
        "{} · {} · {}{}{} · median of up to {}\n\n{}\n{}\n", os::cpu_name(),
        counted(os::usable_cores(), "core"), engine_, isa_.empty() ? "" : " ", isa_,
        options_.pace.max_repetitions, markdown(rows_of(records)),
        options_.endpoint.empty() ? measure::definitions() : measure::endpoint_definitions()));
  if (options_.output == "json") {
    api::Json all = api::Json::array();
    for (const BenchRow& row : rows_of(records)) all.push_back(to_json(row));
    return write_result(api::dump(all) + "\n");
  }
  return {};
}

// A cell that does not fit is a result; one that failed is not.
Status BenchSweep::judge(const std::vector<measure::Record>& records) {
  std::size_t failed = 0;
  std::string reason;
  for (const measure::Record& record : records) {
    if (record.outcome != measure::Outcome::kFailed) continue;
    if (failed++ == 0) reason = record.reason;
  }
  if (failed == 0) return {};
  if (failed == 1 && records.size() == 1) return fail(ErrorCode::kIo, "{}", reason);
  return fail(ErrorCode::kIo, "{} of {} failed; the first: {}", failed,
              counted(records.size(), "cell"), reason);
}

Status BenchSweep::run(int& exit_code) {
  std::vector<measure::Cell> mixed = cells_;
  const std::uint64_t seed = options_.seed != 0 ? options_.seed : std::random_device{}();
  measure::shuffle(mixed, seed);
  BenchKeeper keeper(options_, cells_);
  EDGELM_TRY(keeper.printed());
  if (cells_.size() > 1) note("edgelm: {} cells in mixed order, --seed {}\n", cells_.size(), seed);
  const StopGuard guard;
  const measure::SweepEnd end = run_sweep(mixed, hooks(keeper));
  bar_.reset();
  if (modes_)
    if (const Status restored = modes_->restore(); !restored)
      warn("the power mode is not as it was: " + restored.error().message);
  EDGELM_TRY(keeper.printed());
  if (!end.stopped) keeper.finish();
  EDGELM_TRY(print_end(keeper));
  if (stop_signal != 0) {
    exit_code = 128 + static_cast<int>(stop_signal);
    note("edgelm: stopped after {} of {}; {}\n", end.n_there + end.n_measured,
         counted(cells_.size(), "cell"),
         keeper.stored() ? "the same command goes on from here" : "nothing is kept");
    return {};
  }
  if (keeper.stored())
    note("edgelm: kept as run {} in {}; see: edgelm report --run {}\n", keeper.run_id(),
         keeper.path(), keeper.run_id());
  return judge(keeper.records());
}

}  // namespace

Status run_bench(const BenchOptions& options, int& exit_code) {
  BenchSweep sweep(options);
  EDGELM_TRY(sweep.prepare());
  return sweep.run(exit_code);
}

}  // namespace edgelm::apps
