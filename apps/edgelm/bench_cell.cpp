// Both ends of the pipe between `edgelm bench` and the process that measures a cell: lines
// {"progress": "prefill, repetition 3"} and at the end {"record": ...}.

#include "apps/edgelm/bench_cell.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>

#include "apps/edgelm/commands.h"
#include "apps/edgelm/models.h"
#include "apps/edgelm/output.h"
#include "device/power/nvml.h"
#include "device/power/sources.h"
#include "endpoint/endpoint.h"
#include "measure/endpoint_cell.h"
#include "os/file.h"
#include "report/record_json.h"

namespace edgelm::apps {
namespace {

constexpr std::uint64_t kMaxJobBytes = 1 << 20;

Status write_line(const api::Json& json) { return write_result(api::dump(json, -1) + "\n"); }

measure::Record failed(const CellJob& job, measure::Outcome outcome, const std::string& reason) {
  measure::Record record;
  record.settings = job.spec.settings;
  record.outcome = outcome;
  record.reason = reason;
  return record;
}

// Room for a prompt and its answer, whose lengths are only about what was asked for.
std::uint32_t context_of(const measure::Settings& s) {
  const std::uint32_t longest = std::max(s.prompt_tokens, s.context_tokens + s.decode_tokens);
  return longest + longest / 4 + 64;
}

// A server may run on the GPU, this engine does not: what slows a GPU down is its run's matter
// alone.
Result<std::unique_ptr<device::Recorder>> start_recorder(const CellJob& job,
                                                         const os::SystemFiles& files) {
  EDGELM_TRY_ASSIGN(auto source, device::open_source(job.power, files));
  std::string why = source ? std::string() : device::why_no_source(job.power, files);
  device::ThrottleWatch watch;
  if (!job.endpoint.empty() || job.power.starts_with("nvml")) watch = device::watch_nvml(files);
  return device::record(std::move(source), std::move(why), files, std::move(watch));
}

Result<measure::Record> measure_on_engine(const CellJob& job, const measure::Surroundings& around) {
  const ModelSource source =
      ModelSource::handed_down(job.model, job.handed_down ? measure::kChildDescriptor : -1);
  backend::CpuOptions cpu;
  cpu.isa = job.isa;
  cpu.decode_threads = job.spec.settings.threads;
  cpu.prefill_threads = job.spec.settings.threads;
  cpu.repack = job.repack;
  // A model that was made in memory will never be loaded again: nothing of it is worth the disk.
  cpu.cache = job.cache && !job.handed_down;
  cpu.notice = warn;
  measure::Rig rig = measure::cpu_rig([&source] { return source.load(); }, cpu);
  if (!job.probe) rig.probe = {};
  return measure_cell(job.spec, rig, around);
}

std::chrono::milliseconds milliseconds_of(double seconds) {
  return std::chrono::milliseconds(std::max<std::int64_t>(1, std::llround(seconds * 1e3)));
}

Result<measure::Record> measure_on_server(const CellJob& job, const measure::Surroundings& around) {
  const char* key = job.api_key_env.empty() ? nullptr : std::getenv(job.api_key_env.c_str());
  auto server = endpoint::Endpoint::connect({.url = job.endpoint,
                                             .model = job.model,
                                             .api_key = key == nullptr ? "" : key,
                                             .timeout = milliseconds_of(job.endpoint_timeout_s),
                                             .context_tokens = context_of(job.spec.settings)});
  if (!server) return failed(job, measure::Outcome::kFailed, server.error().message);
  return measure_endpoint(job.spec, **server, around);
}

Status measure_job() {
  EDGELM_TRY_ASSIGN(const std::string text, os::read_stdin(kMaxJobBytes));
  EDGELM_TRY_ASSIGN(const CellJob job, job_from_text(text));
  const auto files = os::system_files();
  EDGELM_TRY_ASSIGN(const auto recorder, start_recorder(job, *files));
  const measure::Surroundings around{
      .recorder = *recorder, .files = *files, .progress = [](const std::string& what) {
        static_cast<void>(write_line({{"progress", what}}));
      }};
  EDGELM_TRY_ASSIGN(const measure::Record record, job.endpoint.empty()
                                                      ? measure_on_engine(job, around)
                                                      : measure_on_server(job, around));
  return write_line({{"record", report::to_json(record)}});
}

// What the child has said so far.
struct Heard {
  std::string phase = "start";
  std::optional<measure::Record> record;
  std::string problem;  // with its last line
};

void hear(const std::string& line, const CellWatch& watch, Heard& heard) {
  const Result<api::Json> json = api::parse(line, "the measuring process");
  if (!json) {
    heard.problem = json.error().message;
    return;
  }
  if (const api::Json* phase = api::find(*json, "progress");
      phase != nullptr && phase->is_string()) {
    heard.phase = phase->get<std::string>();
    if (watch.progress) watch.progress(heard.phase);
    return;
  }
  const api::Json* found = api::find(*json, "record");
  if (found == nullptr) return;
  auto record = report::record_from_json(*found, "the measuring process");
  if (!record) {
    heard.problem = record.error().message;
  } else if (auto* measured = std::get_if<measure::Record>(&*record)) {
    heard.record = std::move(*measured);
  }
}

}  // namespace

Result<measure::Record> run_cell_process(const CellJob& job, int descriptor,
                                         const CellWatch& watch) {
  Heard heard;
  measure::ChildTask task;
  task.arguments = {"edgelm", "bench-cell"};
  task.input = api::dump(to_json(job), -1);
  task.descriptor = descriptor;
  task.timeout_s = watch.timeout_s;
  task.on_output = [&](const std::string& line) { hear(line, watch, heard); };
  task.on_error = watch.on_error;
  task.stop = watch.stop;
  EDGELM_TRY_ASSIGN(const measure::ChildEnd end, run_child(task));
  if (end.stopped) return fail(ErrorCode::kInternal, "interrupted");
  if (heard.record) return std::move(*heard.record);
  const std::string reason =
      fmt::format("{}{} (during: {})", describe(end),
                  heard.problem.empty() ? "" : "; its answer: " + heard.problem, heard.phase);
  return failed(job, end.out_of_memory ? measure::Outcome::kOutOfMemory : measure::Outcome::kFailed,
                reason);
}

void add_bench_cell(CLI::App& app, Outcome& outcome) {
  // In no help text: its input is not for people.
  CLI::App* command =
      app.add_subcommand("bench-cell", "One cell of bench, in a process")->group("");
  command->callback([&outcome] { outcome.status = measure_job(); });
}

}  // namespace edgelm::apps
