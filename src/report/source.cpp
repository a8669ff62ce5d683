// Stores and files of JSON lines, read alike.

#include "report/source.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <map>
#include <utility>

#include "api/json.h"
#include "os/file.h"

namespace edgelm::report {
namespace {

constexpr std::uint64_t kLargestFile = std::uint64_t{2} << 30;

bool is_database(const std::string& path) {
  constexpr std::string_view kMagic("SQLite format 3\0", 16);
  std::array<char, kMagic.size()> head{};
  std::ifstream file(path, std::ios::binary);
  file.read(head.data(), static_cast<std::streamsize>(head.size()));
  return std::string_view(head.data(), static_cast<std::size_t>(file.gcount())) == kMagic;
}

bool wanted(const Filter& filter, const std::string& run, const std::string& device,
            const std::string& model) {
  return (filter.run.empty() || run.starts_with(filter.run)) && device.starts_with(filter.device) &&
         (filter.model.empty() || model.find(filter.model) != std::string::npos);
}

void keep(Loaded& loaded, AnyRecord record, const Filter& filter) {
  if (auto* m = std::get_if<measure::Record>(&record)) {
    if (wanted(filter, m->run_id, m->passport.fingerprint, m->settings.model))
      loaded.records.measured.push_back(std::move(*m));
  } else {
    auto& q = std::get<quality::Record>(record);
    if (wanted(filter, q.run_id, q.device_fingerprint, q.model))
      loaded.records.quality.push_back(std::move(q));
  }
}

// Runs in order of their first record; what a file knows of them.
void keep_last_runs(Loaded& loaded, std::uint32_t last) {
  if (last == 0) return;
  std::vector<std::pair<std::string, std::string>> runs;  // time, id
  const auto note = [&](const std::string& time, const std::string& id) {
    const bool known =
        std::any_of(runs.begin(), runs.end(), [&](const auto& run) { return run.second == id; });
    if (!known) runs.emplace_back(time, id);
  };
  for (const auto& record : loaded.records.measured) note(record.time, record.run_id);
  for (const auto& record : loaded.records.quality) note(record.time, record.run_id);
  std::sort(runs.begin(), runs.end());
  if (runs.size() > last) runs.erase(runs.begin(), runs.end() - static_cast<std::ptrdiff_t>(last));
  const auto old = [&](const auto& record) {
    return std::none_of(runs.begin(), runs.end(),
                        [&](const auto& run) { return run.second == record.run_id; });
  };
  std::erase_if(loaded.records.measured, old);
  std::erase_if(loaded.records.quality, old);
}

Result<Loaded> load_lines(const std::string& path, const Filter& filter) {
  EDGELM_TRY_ASSIGN(const std::string text, os::read_file(path, kLargestFile));
  Loaded loaded{.name = path, .records = {}, .runs = {}};
  std::size_t n_lines = 0;
  std::size_t n_read = 0;
  for (std::size_t at = 0, number = 1; at < text.size(); ++number) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view line = std::string_view(text).substr(at, end - at);
    at = end + 1;
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    ++n_lines;
    auto record = record_from_text(line, path + ":" + std::to_string(number));
    if (!record) {
      loaded.records.unreadable.push_back(std::move(record).error().message);
      continue;
    }
    ++n_read;
    keep(loaded, std::move(*record), filter);
  }
  if (n_read == 0)
    return fail(ErrorCode::kFormat, "{}: neither a store nor JSON lines of records{}{}", path,
                n_lines == 0 ? " (it is empty)" : ": ",
                n_lines == 0 ? "" : loaded.records.unreadable.front());
  keep_last_runs(loaded, filter.last);
  return loaded;
}

Result<Loaded> load_store(const std::string& path, const Filter& filter) {
  EDGELM_TRY_ASSIGN(const Store store, Store::open(path, {.mode = Store::Mode::kRead}));
  Loaded loaded{.name = filter.run.empty() ? store.path() : filter.run, .records = {}, .runs = {}};
  EDGELM_TRY_ASSIGN(loaded.runs, store.runs());
  EDGELM_TRY_ASSIGN(loaded.records, store.records(filter));
  return loaded;
}

}  // namespace

Result<Loaded> load_file(const std::string& path, const Filter& filter) {
  if (path.empty() || !os::file_exists(path) || is_database(path)) return load_store(path, filter);
  return load_lines(path, filter);
}

Result<Loaded> load(const std::string& what, const std::string& store) {
  if (os::file_exists(what)) return load_file(what, {});
  Filter filter;
  filter.run = what;
  auto loaded = load_file(store, filter);
  if (!loaded && loaded.error().code == ErrorCode::kNotFound)
    return fail(ErrorCode::kNotFound, "'{}' is no file, and: {}", what, loaded.error().message);
  return loaded;
}

std::string json_lines(const Records& records) {
  std::string out;
  for (const auto& record : records.measured) out += api::dump(to_json(record), -1) + '\n';
  for (const auto& record : records.quality) out += api::dump(to_json(record), -1) + '\n';
  return out;
}

}  // namespace edgelm::report
