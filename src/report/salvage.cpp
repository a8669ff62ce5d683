// Reading what is left of a damaged store. A file that was cut short or overwritten in places still
// has most of its pages; with `writable_schema` on, SQLite reads them in spite of a size that does
// not fit the header.

#include <map>
#include <utility>

#include "os/file.h"
#include "report/store.h"

namespace edgelm::report {
namespace {

constexpr std::int64_t kProbeBeyond = 1000;  // rows looked for behind the last one seen

class Salvage {
 public:
  Salvage(const Database& from, Store& to) : from_(from), to_(to) {}

  // From both ends up to the first bad page, then row by row between.
  Result<Salvaged> run() {
    copy_runs();
    scan("SELECT seq, cell_key, json FROM records ORDER BY seq");
    if (!complete_) scan("SELECT seq, cell_key, json FROM records ORDER BY seq DESC");
    const std::int64_t last = (found_.empty() ? 0 : found_.rbegin()->first) + kProbeBeyond;
    for (std::int64_t seq = 1; seq <= last && !complete_; ++seq) {
      if (!found_.contains(seq))
        scan("SELECT seq, cell_key, json FROM records WHERE seq = " + std::to_string(seq));
    }
    return store();
  }

 private:
  void copy_runs() {
    auto rows = Statement::prepare(
        from_, "SELECT id, label, sweep_key, sweep, version, started, finished FROM runs");
    while (rows) {
      const Result<bool> row = rows->step();
      if (!row || !*row) return;
      const std::string id = rows->text(0);
      // A run that is there already is no loss.
      const Status begun = to_.begin_run({.id = id,
                                          .label = rows->text(1),
                                          .sweep_key = rows->text(2),
                                          .sweep_json = rows->text(3),
                                          .version = rows->text(4),
                                          .started = rows->text(5),
                                          .finished = {}});
      if (begun && !rows->text(6).empty()) static_cast<void>(to_.finish_run(id));
    }
  }

  // Until the end or the first row that cannot be read.
  void scan(const std::string& sql) {
    auto rows = Statement::prepare(from_, sql);
    while (rows) {
      const Result<bool> row = rows->step();
      if (!row) return;
      if (!*row) {
        complete_ = complete_ || sql.find("WHERE") == std::string::npos;
        return;
      }
      found_.try_emplace(rows->integer(0), rows->text(1), rows->text(2));
    }
  }

  // In the order in which they were stored. Fails only when the new store does.
  Result<Salvaged> store() {
    Salvaged counts;
    for (const auto& [seq, row] : found_) {
      const auto& [key, text] = row;
      const Result<AnyRecord> record = record_from_text(text, "record");
      if (!record) {
        ++counts.n_lost;
        continue;
      }
      EDGELM_TRY(std::visit([&](const auto& found) { return to_.add(found, key); }, *record));
      ++counts.n_records;
    }
    return counts;
  }

  const Database& from_;
  Store& to_;
  std::map<std::int64_t, std::pair<std::string, std::string>> found_;  // by row: key, text
  bool complete_ = false;  // one scan of all rows reached the end
};

}  // namespace

Result<Salvaged> salvage(const std::string& damaged, const std::string& fresh) {
  if (!os::file_exists(damaged)) return fail(ErrorCode::kNotFound, "{}: no such file", damaged);
  if (os::file_exists(fresh))
    return fail(ErrorCode::kUsage, "{}: exists already; name a new file", fresh);
  EDGELM_TRY_ASSIGN(const Database from, Database::open(damaged, damaged, SQLITE_OPEN_READONLY));
  EDGELM_TRY(from.execute("PRAGMA writable_schema = ON"));
  // Fails when not even the tables are known.
  if (const auto probe = Statement::prepare(from, "SELECT seq, cell_key, json FROM records");
      !probe)
    return fail(ErrorCode::kFormat, "{}: nothing can be read any more: {}", damaged,
                probe.error().message);
  EDGELM_TRY_ASSIGN(Store to, Store::open(fresh));
  return Salvage(from, to).run();
}

}  // namespace edgelm::report
