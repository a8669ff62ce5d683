#pragma once
// A thin owner of SQLite's handles: statements that are finalised, errors that become ours. Used by
// store.cpp alone; nothing of SQLite leaves report/.

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace edgelm::report {

// A database connection. `path` is for messages.
class Database {
 public:
  // `flags` of sqlite3_open_v2; `uri` is a path or a file: URI.
  static Result<Database> open(const std::string& uri, const std::string& path, int flags);

  // One or more statements without parameters or rows.
  Status execute(const char* sql) const;
  // First column of the first row; 0 or "" when there is none.
  [[nodiscard]] Result<std::int64_t> integer(const char* sql) const;
  [[nodiscard]] Result<std::string> text(const char* sql) const;
  // What SQLite's return code means for the user, with the path and the next step.
  [[nodiscard]] tl::unexpected<Error> error(int code) const;

  [[nodiscard]] sqlite3* get() const { return handle_.get(); }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  struct Close {
    void operator()(sqlite3* handle) const { sqlite3_close_v2(handle); }
  };
  std::unique_ptr<sqlite3, Close> handle_;
  std::string path_;
};

// One prepared statement. bind() counts from 1 and keeps the first error for step().
class Statement {
 public:
  static Result<Statement> prepare(const Database& database, std::string_view sql);

  // The text must live until the next step().
  Statement& bind(int index, std::string_view text);
  Statement& bind(int index, std::int64_t value);
  // True: a row is there; false: done.
  Result<bool> step();
  [[nodiscard]] std::string text(int column) const;
  [[nodiscard]] std::int64_t integer(int column) const;

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* handle) const { sqlite3_finalize(handle); }
  };
  const Database* database_ = nullptr;
  std::unique_ptr<sqlite3_stmt, Finalize> handle_;
  int bind_error_ = SQLITE_OK;
};

}  // namespace edgelm::report
