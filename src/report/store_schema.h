#pragma once
// The tables of the store, as the steps that lead from one version to the next. Step i brings a
// file from version i to i + 1. A published step never changes; a change of the schema is one more
// step. docs/report.md describes the columns.

#include <array>
#include <cstdint>
#include <span>

#include "report/sqlite.h"

namespace edgelm::report {

// In the file's header (PRAGMA application_id): "edLM".
inline constexpr std::int64_t kApplicationId = 0x65644c4d;

inline constexpr std::array<const char*, 1> kMigrations = {
    R"sql(
CREATE TABLE runs (
  id TEXT PRIMARY KEY NOT NULL,
  label TEXT NOT NULL,
  sweep_key TEXT NOT NULL,
  sweep TEXT NOT NULL,
  version TEXT NOT NULL,
  started TEXT NOT NULL,
  finished TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE TABLE records (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL,
  run_id TEXT NOT NULL,
  cell_key TEXT NOT NULL,
  time TEXT NOT NULL,
  device TEXT NOT NULL,
  model TEXT NOT NULL,
  model_hash TEXT NOT NULL,
  type TEXT NOT NULL,
  engine TEXT NOT NULL,
  outcome TEXT NOT NULL,
  task TEXT NOT NULL,
  json TEXT NOT NULL
) STRICT;
CREATE INDEX records_by_run ON records (run_id, cell_key);
CREATE INDEX runs_by_sweep ON runs (sweep_key);
)sql"};

// Brings an open database to version steps.size(), in one transaction. kFormat when it is another
// program's, kUnsupported when it is of a newer version.
Status migrate(const Database& database, std::span<const char* const> steps);
// The same checks for a file that may not be written: its version must be steps.size().
Status check_version(const Database& database, std::size_t n_steps);

}  // namespace edgelm::report
