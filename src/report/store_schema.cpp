// Whose file it is, of which version, and the way to the present one.

#include "report/store_schema.h"

namespace edgelm::report {
namespace {

// 0 for a file without anything in it.
Result<std::int64_t> version_of(const Database& database) {
  EDGELM_TRY_ASSIGN(const std::int64_t version, database.integer("PRAGMA user_version"));
  EDGELM_TRY_ASSIGN(const std::int64_t application, database.integer("PRAGMA application_id"));
  EDGELM_TRY_ASSIGN(const std::int64_t tables,
                    database.integer("SELECT count(*) FROM sqlite_schema"));
  const bool fresh = version == 0 && application == 0 && tables == 0;
  if (!fresh && application != kApplicationId)
    return fail(ErrorCode::kFormat,
                "{}: a SQLite database of another program, not a store of records",
                database.path());
  return version;
}

Status newer(const Database& database, std::int64_t version, std::size_t known) {
  return fail(ErrorCode::kUnsupported,
              "{}: schema {} was written by a newer edgelm; this one knows up to {}",
              database.path(), version, known);
}

Status apply(const Database& database, std::span<const char* const> steps) {
  // Read again under the lock: another process may have just done it.
  EDGELM_TRY_ASSIGN(const std::int64_t version, version_of(database));
  if (version < 0 || version > static_cast<std::int64_t>(steps.size()))
    return newer(database, version, steps.size());
  for (const char* step : steps.subspan(static_cast<std::size_t>(version)))
    EDGELM_TRY(database.execute(step));
  const std::string mark = fmt::format("PRAGMA application_id = {}; PRAGMA user_version = {}",
                                       kApplicationId, steps.size());
  return database.execute(mark.c_str());
}

}  // namespace

Status migrate(const Database& database, std::span<const char* const> steps) {
  EDGELM_TRY_ASSIGN(const std::int64_t version, version_of(database));
  if (version == static_cast<std::int64_t>(steps.size())) return {};
  EDGELM_TRY(database.execute("BEGIN IMMEDIATE"));
  Status applied = apply(database, steps);
  if (!applied) {
    static_cast<void>(database.execute("ROLLBACK"));
    return applied;
  }
  return database.execute("COMMIT");
}

Status check_version(const Database& database, std::size_t n_steps) {
  EDGELM_TRY_ASSIGN(const std::int64_t version, version_of(database));
  const auto known = static_cast<std::int64_t>(n_steps);
  if (version == 0)
    return fail(ErrorCode::kNotFound, "{}: a store without anything in it", database.path());
  if (version > known || version < 0) return newer(database, version, n_steps);
  if (version < known)
    return fail(
        ErrorCode::kUnsupported,
        "{}: schema {} of an older edgelm; the next `edgelm bench` or `eval` that writes to "
        "it brings it to {}",
        database.path(), version, known);
  return {};
}

}  // namespace edgelm::report
