#pragma once
// The store of records: one SQLite file (WAL) that `bench` and `eval` fill and that `report` and
// `compare` read. A record is one transaction that is on the disk when add() returns, so a kill, a
// crash or a power cut loses at most the record in the making. One object per thread; any number of
// processes may use one file.
//
// The schema is in store_schema.h, its version in the file (PRAGMA user_version): older files are
// migrated when opened for writing, newer ones are refused.

#include <chrono>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "report/record_json.h"
#include "report/sqlite.h"

namespace edgelm::report {

// A run: one call of bench or eval, which may be continued by later calls.
struct Run {
  std::string id = "";
  std::string label = "";  // bench --label: a name people can give to `compare`; "" for none
  std::string sweep_key =
      "";  // equal for calls that ask for the same cells: what resuming looks for
  std::string sweep_json = "";  // what was asked for
  std::string version = "";     // of edgelm
  std::string started = "";     // RFC 3339, UTC; filled by begin_run() when empty
  std::string finished = "";    // "" while it is under way or was killed
  std::uint64_t n_records = 0;  // filled by runs()
};

// Which records; empty members do not restrict.
struct Filter {
  std::string run = "";     // an id, a unique beginning of one (4 letters or more), or a label
  std::uint32_t last = 0;   // of the newest N runs
  std::string device = "";  // a fingerprint or its beginning
  std::string model = "";   // a part of the model's name
};

struct Records {
  std::vector<measure::Record> measured;  // in order of time of storing
  std::vector<quality::Record> quality;
  std::vector<std::string> unreadable;  // one message per record that could not be read
};

class Store {
 public:
  enum class Mode : std::uint8_t { kRead, kWrite };
  struct Options {
    Mode mode = Mode::kWrite;
    std::chrono::milliseconds busy_timeout{10'000};  // for other processes
    std::int64_t max_pages = 0;                      // bounds the file's size; 0: no bound
  };

  // EDGELM_STORE, or edgelm/records.sqlite in XDG_DATA_HOME or ~/.local/share. kNotFound when none
  // of these is set.
  static Result<std::string> default_path();

  // kWrite creates the file and its folder when absent; kRead changes nothing and works on
  // read-only file systems. "" is the default path.
  static Result<Store> open(const std::string& path, const Options& options);
  static Result<Store> open(const std::string& path = "") { return open(path, Options{}); }

  // `run.id` must be new.
  Status begin_run(Run run);
  Status finish_run(std::string_view run_id);
  // The newest run of these cells that did not finish, if any.
  [[nodiscard]] Result<std::optional<Run>> find_unfinished_run(std::string_view sweep_key) const;
  // Oldest first.
  [[nodiscard]] Result<std::vector<Run>> runs() const;

  // The record's id must be new. The key names the cell within its run; cell_key(settings) when
  // none is given.
  Status add(const measure::Record& record, std::string_view cell_key = {});
  Status add(const quality::Record& record, std::string_view cell_key = {});
  // Keys of the cells of a run that have a record, whatever its outcome.
  [[nodiscard]] Result<std::set<std::string>> cells_done(std::string_view run_id) const;

  // kNotFound when `filter.run` names nothing, kUsage when it names several runs. A record that
  // cannot be read is reported in `unreadable` and costs no other.
  [[nodiscard]] Result<Records> records(const Filter& filter = {}) const;

  [[nodiscard]] const std::string& path() const { return database_.path(); }

 private:
  explicit Store(Database database) : database_(std::move(database)) {}
  Status insert(const api::Json& json, std::string_view cell_key);
  Status add_json(const api::Json& json, std::string_view cell_key);
  [[nodiscard]] Result<std::vector<std::string>> run_ids(const Filter& filter) const;

  Database database_;
};

// What identifies a cell within a run: its settings in one line.
std::string cell_key(const measure::Settings& settings);
std::string cell_key(const quality::Record& record);

struct Salvaged {
  std::uint64_t n_records = 0;
  std::uint64_t n_lost = 0;  // records that were seen and could not be read
};
// Copies what can still be read of a damaged store into a new one, which must not exist.
Result<Salvaged> salvage(const std::string& damaged, const std::string& fresh);

}  // namespace edgelm::report
