// Where evaluations go, and where `eval compare` finds them again.

#include <fmt/format.h>

#include <ctime>

#include "api/json.h"
#include "apps/edgelm/bench_keeper.h"
#include "apps/edgelm/eval.h"
#include "apps/edgelm/models.h"
#include "apps/edgelm/output.h"
#include "device/passport.h"
#include "os/file.h"
#include "os/system_files.h"
#include "report/store.h"

namespace edgelm::apps {
namespace {

constexpr std::uint64_t kMaxBytes = std::uint64_t{1} << 30;

std::string now_utc() {
  const std::time_t seconds = std::time(nullptr);
  std::tm fields{};
  if (gmtime_r(&seconds, &fields) == nullptr) return {};
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", fields.tm_year + 1900,
                     fields.tm_mon + 1, fields.tm_mday, fields.tm_hour, fields.tm_min,
                     fields.tm_sec);
}

// The path of the store.
Result<std::string> store(const EvalOptions& options, const std::vector<quality::Record>& records) {
  EDGELM_TRY_ASSIGN(report::Store store, report::Store::open(options.store));
  const std::string& run = records.front().run_id;
  EDGELM_TRY(store.begin_run({.id = run, .label = "eval", .version = EDGELM_VERSION}));
  for (const quality::Record& record : records) EDGELM_TRY(store.add(record));
  EDGELM_TRY(store.finish_run(run));
  return store.path();
}

Result<std::vector<quality::Record>> parse_records(const std::string& text,
                                                   const std::string& name) {
  EDGELM_TRY_ASSIGN(const api::Json json, api::parse(text, name));
  const api::Json* list = json.is_array() ? &json : api::find(json, "records");
  if (list == nullptr || !list->is_array() || list->empty())
    return fail(ErrorCode::kFormat, "{}: expected what `edgelm eval ... -o json` prints", name);
  std::vector<quality::Record> records;
  records.reserve(list->size());
  for (std::size_t i = 0; i < list->size(); ++i) {
    const std::string place = fmt::format("{}: record {}", name, i + 1);
    EDGELM_TRY_ASSIGN(report::AnyRecord record, report::record_from_json((*list)[i], place));
    auto* quality = std::get_if<quality::Record>(&record);
    if (quality == nullptr)
      return fail(ErrorCode::kFormat, "{}: expected an evaluation, got a measurement", place);
    records.push_back(std::move(*quality));
  }
  return records;
}

}  // namespace

Status keep(const EvalOptions& options, std::vector<quality::Record>& records) {
  if (records.empty()) return {};
  const std::string run = new_id();
  const std::string time = now_utc();
  const std::string device = device::describe(*os::system_files()).fingerprint;
  for (quality::Record& record : records) {
    record.id = new_id();
    record.run_id = run;
    record.time = time;
    record.version = EDGELM_VERSION;
    record.device_fingerprint = device;
  }
  if (options.no_store) return {};
  const auto path = store(options, records);
  if (path) {
    note("edgelm: kept as run {} in {}; see: edgelm report --run {}\n", run, *path, run);
  } else {
    warn(fmt::format("not kept: {}", path.error().message));
  }
  return {};
}

Result<std::vector<quality::Record>> load_records(const std::string& name) {
  if (os::file_exists(name)) {
    EDGELM_TRY_ASSIGN(const std::string text, os::read_file(name, kMaxBytes));
    return parse_records(text, name);
  }
  using Store = report::Store;
  EDGELM_TRY_ASSIGN(const std::string path, Store::default_path());
  const auto with_file = [&](Error error) {
    error.message = fmt::format("'{}' is no file, and as a run: {}", name, error.message);
    return error;
  };
  auto store = Store::open(path, {.mode = Store::Mode::kRead});
  if (!store) return fail(with_file(store.error()));
  auto found = store->records({.run = name});
  if (!found) return fail(with_file(found.error()));
  for (const std::string& message : found->unreadable) warn(message);
  if (found->quality.empty()) return fail(ErrorCode::kUsage, "run '{}' has no evaluations", name);
  return std::move(found->quality);
}

}  // namespace edgelm::apps
