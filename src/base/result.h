#pragma once
// Result<T> and Error: how every module reports what files, users, networks and the system can do
// wrong. Exceptions do not cross a module; a function that can fail returns Result<T> (or Status).

#include <fmt/format.h>

#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace edgelm {

enum class ErrorCode {
  kUsage,        // the command line or an argument is wrong
  kNotFound,     // a file or a name does not exist
  kPermission,   // the system refused for want of a right
  kIo,           // the system refused: disk, network
  kFormat,       // bytes from outside do not follow their format
  kUnsupported,  // well-formed, but not something this build can run
  kMemory,       // not enough memory
  kLimit,        // a stated limit (context, batch, size) is exceeded
  kInternal,     // a broken promise inside edgelm
};

struct Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string message;  // one line; names the thing, the place, expected and got
};

template <class T>
using Result = tl::expected<T, Error>;
using Status = Result<void>;

// return fail(ErrorCode::kFormat, "{}: bad magic", path);
template <class... Args>
tl::unexpected<Error> fail(ErrorCode code, fmt::format_string<Args...> format, Args&&... args) {
  return tl::unexpected<Error>(Error{code, fmt::format(format, std::forward<Args>(args)...)});
}

inline tl::unexpected<Error> fail(Error error) { return tl::unexpected<Error>(std::move(error)); }

}  // namespace edgelm

// EDGELM_TRY(expr): returns the error of `expr` (a Status or Result) from the calling function.
// EDGELM_TRY_ASSIGN(declaration, expr): declares a variable with the value, or returns the error.
#define EDGELM_CONCAT_INNER(a, b) a##b
#define EDGELM_CONCAT(a, b) EDGELM_CONCAT_INNER(a, b)
#define EDGELM_TRY(expr)                                       \
  do {                                                         \
    if (auto edgelm_status = (expr); !edgelm_status)           \
      return ::edgelm::fail(std::move(edgelm_status).error()); \
  } while (false)
#define EDGELM_TRY_ASSIGN_IMPL(temp, declaration, expr)      \
  auto temp = (expr);                                        \
  if (!temp) return ::edgelm::fail(std::move(temp).error()); \
  declaration = std::move(*temp)
#define EDGELM_TRY_ASSIGN(declaration, expr) \
  EDGELM_TRY_ASSIGN_IMPL(EDGELM_CONCAT(edgelm_result_, __LINE__), declaration, expr)
