// Handles of SQLite, and its return codes in words.

#include "report/sqlite.h"

namespace edgelm::report {

Result<Database> Database::open(const std::string& uri, const std::string& path, int flags) {
  Database database;
  database.path_ = path;
  sqlite3* raw = nullptr;
  const int code = sqlite3_open_v2(uri.c_str(), &raw, flags | SQLITE_OPEN_EXRESCODE, nullptr);
  database.handle_.reset(raw);
  if (code != SQLITE_OK) return database.error(code);
  return database;
}

tl::unexpected<Error> Database::error(int code) const {
  // Codes that are not SQLite's last word on this connection are ours.
  const bool told = handle_ != nullptr && sqlite3_extended_errcode(handle_.get()) == code;
  const std::string why = told ? sqlite3_errmsg(handle_.get()) : sqlite3_errstr(code);
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return fail(ErrorCode::kIo,
                  "{}: locked by another process for longer than the time to wait ({}); try again "
                  "when that has ended",
                  path_, why);
    case SQLITE_FULL:
      return fail(
          ErrorCode::kIo,
          "{}: the disk is full, or a limit on file size is reached; what was stored before "
          "is intact: free some space",
          path_);
    case SQLITE_READONLY:
      return fail(ErrorCode::kPermission,
                  "{}: cannot be written ({}); name another file with --store or EDGELM_STORE",
                  path_, why);
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return fail(ErrorCode::kPermission,
                  "{}: cannot be opened ({}): do its folder and the right to write there exist?",
                  path_, why);
    case SQLITE_NOTADB:
      return fail(ErrorCode::kFormat, "{}: not a store of records (not a SQLite database)", path_);
    case SQLITE_CORRUPT:
      return fail(ErrorCode::kFormat,
                  "{}: damaged or cut short ({}); `edgelm report --store {} --salvage NEW` copies "
                  "the records that can still be read",
                  path_, why, path_);
    case SQLITE_NOMEM:
      return fail(ErrorCode::kMemory, "{}: not enough memory", path_);
    case SQLITE_TOOBIG:
      return fail(ErrorCode::kLimit, "{}: a record is too large to be stored", path_);
    case SQLITE_IOERR:
      return fail(ErrorCode::kIo,
                  "{}: reading or writing failed ({}, SQLite code {}): is the disk full or gone?",
                  path_, why, code);
    default:
      return fail(ErrorCode::kIo, "{}: {} (SQLite code {})", path_, why, code);
  }
}

Status Database::execute(const char* sql) const {
  const int code = sqlite3_exec(handle_.get(), sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return error(code);
  return {};
}

Result<std::int64_t> Database::integer(const char* sql) const {
  EDGELM_TRY_ASSIGN(Statement statement, Statement::prepare(*this, sql));
  EDGELM_TRY_ASSIGN(const bool row, statement.step());
  return row ? statement.integer(0) : 0;
}

Result<std::string> Database::text(const char* sql) const {
  EDGELM_TRY_ASSIGN(Statement statement, Statement::prepare(*this, sql));
  EDGELM_TRY_ASSIGN(const bool row, statement.step());
  return row ? statement.text(0) : std::string();
}

Result<Statement> Statement::prepare(const Database& database, std::string_view sql) {
  Statement statement;
  statement.database_ = &database;
  sqlite3_stmt* raw = nullptr;
  const int code =
      sqlite3_prepare_v2(database.get(), sql.data(), static_cast<int>(sql.size()), &raw, nullptr);
  if (code != SQLITE_OK) return database.error(code);
  statement.handle_.reset(raw);
  return statement;
}

Statement& Statement::bind(int index, std::string_view text) {
  const int code =
      sqlite3_bind_text64(handle_.get(), index, text.data() == nullptr ? "" : text.data(),
                          text.size(), SQLITE_STATIC, SQLITE_UTF8);
  if (bind_error_ == SQLITE_OK) bind_error_ = code;
  return *this;
}

Statement& Statement::bind(int index, std::int64_t value) {
  const int code = sqlite3_bind_int64(handle_.get(), index, value);
  if (bind_error_ == SQLITE_OK) bind_error_ = code;
  return *this;
}

Result<bool> Statement::step() {
  if (bind_error_ != SQLITE_OK) return database_->error(bind_error_);
  const int code = sqlite3_step(handle_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return database_->error(code);
}

std::string Statement::text(int column) const {
  const auto* bytes = static_cast<const char*>(sqlite3_column_blob(handle_.get(), column));
  const int size = sqlite3_column_bytes(handle_.get(), column);
  return bytes == nullptr ? std::string() : std::string(bytes, static_cast<std::size_t>(size));
}

std::int64_t Statement::integer(int column) const {
  return sqlite3_column_int64(handle_.get(), column);
}

}  // namespace edgelm::report
