// Reading a store: runs, cells, records.

#include <algorithm>
#include <utility>

#include "base/counted.h"

#include "report/store.h"

namespace edgelm::report {
namespace {

constexpr std::string_view kRunColumns =
    "SELECT id, label, sweep_key, sweep, version, started, finished, "
    "(SELECT count(*) FROM records WHERE run_id = runs.id) FROM runs ";

Run run_of(const Statement& row) {
  return {.id = row.text(0),
          .label = row.text(1),
          .sweep_key = row.text(2),
          .sweep_json = row.text(3),
          .version = row.text(4),
          .started = row.text(5),
          .finished = row.text(6),
          .n_records = static_cast<std::uint64_t>(row.integer(7))};
}

constexpr std::size_t kShortestPrefix = 4;

}  // namespace

Result<std::optional<Run>> Store::find_unfinished_run(std::string_view sweep_key) const {
  std::string sql(kRunColumns);
  sql += "WHERE sweep_key = ? AND finished = '' ORDER BY rowid DESC LIMIT 1";
  EDGELM_TRY_ASSIGN(Statement statement, Statement::prepare(database_, sql));
  EDGELM_TRY_ASSIGN(const bool found, statement.bind(1, sweep_key).step());
  return found ? std::optional<Run>(run_of(statement)) : std::nullopt;
}

Result<std::vector<Run>> Store::runs() const {
  std::string sql(kRunColumns);
  sql += "ORDER BY rowid";
  EDGELM_TRY_ASSIGN(Statement statement, Statement::prepare(database_, sql));
  std::vector<Run> runs;
  while (true) {
    EDGELM_TRY_ASSIGN(const bool row, statement.step());
    if (!row) return runs;
    runs.push_back(run_of(statement));
  }
}

Result<std::set<std::string>> Store::cells_done(std::string_view run_id) const {
  EDGELM_TRY_ASSIGN(
      Statement statement,
      Statement::prepare(database_, "SELECT DISTINCT cell_key FROM records WHERE run_id = ?"));
  statement.bind(1, run_id);
  std::set<std::string> keys;
  while (true) {
    EDGELM_TRY_ASSIGN(const bool row, statement.step());
    if (!row) return keys;
    keys.insert(statement.text(0));
  }
}

// The runs that a filter names; empty for no restriction.
Result<std::vector<std::string>> Store::run_ids(const Filter& filter) const {
  std::vector<std::string> ids;
  if (filter.run.empty() && filter.last == 0) return ids;
  EDGELM_TRY_ASSIGN(std::vector<Run> all, runs());
  if (!filter.run.empty()) {
    const std::string& wanted = filter.run;
    std::vector<std::string> labelled;
    std::vector<std::string> beginning;
    for (const Run& run : all) {
      if (run.id == wanted) ids = {run.id};
      if (run.label == wanted) labelled.push_back(run.id);
      if (wanted.size() >= kShortestPrefix && run.id.starts_with(wanted))
        beginning.push_back(run.id);
    }
    if (ids.empty() && !labelled.empty()) ids = {labelled.back()};  // the newest of that name
    if (ids.empty()) ids = std::move(beginning);
    if (ids.empty())
      return fail(ErrorCode::kNotFound,
                  "{}: no run with the id or label '{}' ({}; `edgelm report --runs` lists them)",
                  path(), wanted, counted(all.size(), "run"));
    if (ids.size() > 1)
      return fail(ErrorCode::kUsage, "{}: '{}' is the beginning of {} runs: {}, {}{}", path(),
                  wanted, ids.size(), ids[0], ids[1], ids.size() > 2 ? ", ..." : "");
    return ids;
  }
  const std::size_t n = std::min<std::size_t>(filter.last, all.size());
  ids.reserve(n);
  for (std::size_t i = all.size() - n; i < all.size(); ++i) ids.push_back(std::move(all[i].id));
  if (ids.empty()) ids.emplace_back();  // no run at all: an id that no record has
  return ids;
}

Result<Records> Store::records(const Filter& filter) const {
  EDGELM_TRY_ASSIGN(const std::vector<std::string> ids, run_ids(filter));
  EDGELM_TRY_ASSIGN(Statement statement,
                    Statement::prepare(database_,
                                       "SELECT id, run_id, json FROM records WHERE "
                                       "substr(device, 1, length(?1)) = ?1 AND "
                                       "(?2 = '' OR instr(model, ?2) > 0) ORDER BY seq"));
  statement.bind(1, filter.device).bind(2, filter.model);
  Records records;
  while (true) {
    EDGELM_TRY_ASSIGN(const bool row, statement.step());
    if (!row) return records;
    if (!ids.empty() && std::find(ids.begin(), ids.end(), statement.text(1)) == ids.end()) continue;
    Result<AnyRecord> record =
        record_from_text(statement.text(2), path() + ": record " + statement.text(0));
    if (!record) {
      records.unreadable.push_back(std::move(record).error().message);
    } else if (auto* measured = std::get_if<measure::Record>(&*record)) {
      records.measured.push_back(std::move(*measured));
    } else {
      records.quality.push_back(std::move(std::get<quality::Record>(*record)));
    }
  }
}

}  // namespace edgelm::report
