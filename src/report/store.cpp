// Opening a store, and writing to it.

#include "report/store.h"

#include <fmt/chrono.h>

#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <utility>

#include "api/json.h"
#include "os/file.h"
#include "report/store_schema.h"

namespace edgelm::report {
namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::string now_utc() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  if (::gmtime_r(&now, &parts) == nullptr) return "";
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", parts);
}

// SQLite fills what is missing of a last page with zeros. A crash may leave half a page while the
// log still has the whole of it.
Status check_whole_pages(const Database& database) {
  EDGELM_TRY(database.integer("PRAGMA user_version"));  // it is a database
  const Result<std::uint64_t> log = os::file_size(database.path() + "-wal");
  if (log && *log > 0) return {};
  EDGELM_TRY_ASSIGN(const std::uint64_t size, os::file_size(database.path()));
  EDGELM_TRY_ASSIGN(const std::int64_t page, database.integer("PRAGMA page_size"));
  if (page > 0 && size % static_cast<std::uint64_t>(page) != 0)
    return database.error(SQLITE_CORRUPT);
  return {};
}

// SQLite reads % and ? in file: URIs.
std::string uri_of(const std::string& path, std::string_view options) {
  std::string uri = path.starts_with('/') ? "file://" : "file:";
  for (const char c : path) {
    if (c == '%' || c == '?' || c == '#') {
      uri += fmt::format("%{:02x}", static_cast<unsigned char>(c));
    } else {
      uri += c;
    }
  }
  return uri.append(options);
}

// A file that is not written, whose folder may not be writable either: SQLite then wants to be told
// that nobody changes it. That is only right while there is no log of changes beside it.
Result<Database> open_for_reading(const std::string& path, std::chrono::milliseconds timeout) {
  if (!os::file_exists(path))
    return fail(ErrorCode::kNotFound,
                "{}: no store of records there yet; `edgelm bench` makes it, --store FILE names "
                "another",
                path);
  Result<Database> database =
      Database::open(uri_of(path, ""), path, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI);
  if (database) {
    sqlite3_busy_timeout(database->get(), static_cast<int>(timeout.count()));
    const Result<std::int64_t> probe = database->integer("PRAGMA user_version");
    if (probe) return database;
    if (probe.error().code != ErrorCode::kPermission) return fail(probe.error());
  }
  const Result<std::uint64_t> log = os::file_size(path + "-wal");
  if (log && *log > 0)
    return fail(ErrorCode::kPermission,
                "{}: its folder is read-only and changes wait in {}-wal; copy both files to a "
                "folder that can be written and name the copy with --store",
                path, path);
  return Database::open(uri_of(path, "?immutable=1"), path, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI);
}

Result<Database> open_for_writing(const std::string& path, const Store::Options& options) {
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  std::error_code code;
  if (!folder.empty()) std::filesystem::create_directories(folder, code);
  if (code)
    return fail(ErrorCode::kIo, "{}: the folder cannot be made: {}", folder.string(),
                code.message());
  EDGELM_TRY_ASSIGN(Database database,
                    Database::open(uri_of(path, ""), path,
                                   SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_URI));
  sqlite3_busy_timeout(database.get(), static_cast<int>(options.busy_timeout.count()));
  if (sqlite3_db_readonly(database.get(), "main") == 1) return database.error(SQLITE_READONLY);
  if (options.max_pages > 0) {
    const std::string bound = fmt::format("PRAGMA max_page_count = {}", options.max_pages);
    EDGELM_TRY(database.execute(bound.c_str()));
  }
  EDGELM_TRY(check_whole_pages(database));
  EDGELM_TRY(migrate(database, kMigrations));
  // File systems that cannot share memory keep the older journal, which is as safe.
  EDGELM_TRY(database.execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL"));
  return database;
}

// The text of a key that a record's JSON is known to have.
std::string text_of(const api::Json& json, std::string_view key) {
  return api::string_at(json, key, "").value_or("");
}

}  // namespace

Result<std::string> Store::default_path() {
  if (std::string path = environment("EDGELM_STORE"); !path.empty()) return path;
  // The XDG specification: relative paths in it are to be ignored.
  if (const std::string folder = environment("XDG_DATA_HOME"); folder.starts_with('/'))
    return folder + "/edgelm/records.sqlite";
  if (const std::string home = environment("HOME"); home.starts_with('/'))
    return home + "/.local/share/edgelm/records.sqlite";
  return fail(ErrorCode::kNotFound,
              "there is no place for records: EDGELM_STORE, XDG_DATA_HOME and HOME are not set; "
              "name a file with --store");
}

Result<Store> Store::open(const std::string& path, const Options& options) {
  std::string file = path;
  if (file.empty()) {
    EDGELM_TRY_ASSIGN(file, default_path());
  }
  // SQLite takes a file of a few bytes for an empty one and overwrites it.
  constexpr std::uint64_t kSmallestPage = 512;
  const Result<std::uint64_t> size = os::file_size(file);
  if (size && *size > 0 && *size < kSmallestPage)
    return fail(ErrorCode::kFormat, "{}: not a store of records: {} bytes", file, *size);
  if (options.mode == Mode::kWrite) {
    EDGELM_TRY_ASSIGN(Database database, open_for_writing(file, options));
    return Store(std::move(database));
  }
  EDGELM_TRY_ASSIGN(Database database, open_for_reading(file, options.busy_timeout));
  EDGELM_TRY(check_version(database, kMigrations.size()));
  EDGELM_TRY(check_whole_pages(database));
  return Store(std::move(database));
}

Status Store::begin_run(Run run) {
  if (run.started.empty()) run.started = now_utc();
  EDGELM_TRY_ASSIGN(Statement statement,
                    Statement::prepare(database_,
                                       "INSERT INTO runs (id, label, sweep_key, sweep, version, "
                                       "started) VALUES (?, ?, ?, ?, ?, ?)"));
  statement.bind(1, run.id).bind(2, run.label).bind(3, run.sweep_key).bind(4, run.sweep_json);
  EDGELM_TRY(statement.bind(5, run.version).bind(6, run.started).step());
  return {};
}

Status Store::finish_run(std::string_view run_id) {
  const std::string now = now_utc();
  EDGELM_TRY_ASSIGN(Statement statement,
                    Statement::prepare(database_, "UPDATE runs SET finished = ? WHERE id = ?"));
  EDGELM_TRY(statement.bind(1, now).bind(2, run_id).step());
  if (sqlite3_changes(database_.get()) == 0)
    return fail(ErrorCode::kNotFound, "{}: no run '{}'", path(), run_id);
  return {};
}

Status Store::insert(const api::Json& json, std::string_view cell_key) {
  const bool measured = text_of(json, "format") == kMeasureFormat;
  const api::Json& named = measured ? json["settings"] : json;  // where the model is told
  const std::string id = text_of(json, "id");
  const std::string run_id = text_of(json, "run_id");
  const std::string time = text_of(json, "time");
  const std::string version = text_of(json, "version");
  const std::string device =
      measured ? text_of(json["passport"], "fingerprint") : text_of(json, "device_fingerprint");
  const std::string model = text_of(named, "model");
  const std::string model_hash = text_of(named, "model_hash");
  const std::string type = text_of(named, "type");
  const std::string engine = text_of(named, "engine");
  const std::string outcome = text_of(json, "outcome");
  const std::string task = text_of(json, "task");
  const std::string text = api::dump(json, -1);

  // A record whose run was not begun makes one that is finished.
  EDGELM_TRY_ASSIGN(
      Statement run,
      Statement::prepare(database_,
                         "INSERT OR IGNORE INTO runs (id, label, sweep_key, sweep, "
                         "version, started, finished) VALUES (?, '', '', '', ?, ?, ?)"));
  EDGELM_TRY(run.bind(1, run_id).bind(2, version).bind(3, time).bind(4, time).step());
  EDGELM_TRY_ASSIGN(
      Statement record,
      Statement::prepare(database_,
                         "INSERT INTO records (id, kind, run_id, cell_key, time, device, model, "
                         "model_hash, type, engine, outcome, task, json) VALUES (?, ?, ?, ?, ?, ?, "
                         "?, ?, ?, ?, ?, ?, ?)"));
  record.bind(1, id).bind(2, measured ? "measure" : "quality").bind(3, run_id).bind(4, cell_key);
  record.bind(5, time).bind(6, device).bind(7, model).bind(8, model_hash).bind(9, type);
  record.bind(10, engine).bind(11, outcome).bind(12, task).bind(13, text);
  EDGELM_TRY(record.step());
  return {};
}

Status Store::add(const measure::Record& record, std::string_view key) {
  const std::string own = key.empty() ? report::cell_key(record.settings) : std::string(key);
  return add_json(to_json(record), own);
}

Status Store::add(const quality::Record& record, std::string_view key) {
  const std::string own = key.empty() ? report::cell_key(record) : std::string(key);
  return add_json(to_json(record), own);
}

Status Store::add_json(const api::Json& json, std::string_view key) {
  EDGELM_TRY(database_.execute("BEGIN IMMEDIATE"));
  const Status inserted = insert(json, key);
  Status done = inserted ? database_.execute("COMMIT") : inserted;
  // After some errors SQLite has rolled back already.
  if (!done && sqlite3_get_autocommit(database_.get()) == 0)
    static_cast<void>(database_.execute("ROLLBACK"));
  return done;
}

std::string cell_key(const measure::Settings& s) {
  return fmt::format("{}|{}|{}|{}|{}|t{}|p{}|n{}|d{}|b{}|s{}|{}|{}", s.model, s.model_hash, s.type,
                     s.engine, s.isa, s.threads, s.prompt_tokens, s.decode_tokens, s.context_tokens,
                     s.batch_tokens, s.n_sequences, s.kv_type, s.power_mode);
}

std::string cell_key(const quality::Record& r) {
  return fmt::format("{}|{}|{}|{}|{}|{}", r.model, r.model_hash, r.task, r.data, r.metric,
                     r.protocol);
}

}  // namespace edgelm::report
