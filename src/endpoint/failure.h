#pragma once
// What a server's refusal says, as an Error for people: the status, and the server's own message
// wherever it keeps it. Used by whatever talks to servers in this folder.

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "http/client.h"

namespace edgelm::endpoint {

// The server's message: of JSON "error.message", "error", "message" or "detail", else the start of
// the text, else "". One line, printable, at most 300 bytes.
std::string server_message(std::string_view body);

// `text` as one printable line of at most `limit` bytes.
std::string printable_line(std::string_view text, std::size_t limit = 300);

// "http://host/v1/completions: 404 Not Found: model 'x' is not loaded". kPermission for 401 and
// 403, kNotFound for 404, kLimit for 413 and 429, kUnsupported for 405 and 501, kUsage for 400 and
// 422, kIo otherwise. `secret` never shows, even when the server repeats it.
Error status_error(const http::Response& response, const std::string& name,
                   std::string_view secret);

// Every occurrence of `secret` as "***".
std::string redacted(std::string text, std::string_view secret);

// Retry-After in seconds, as servers send it to programs; nothing for dates and nonsense.
std::optional<std::chrono::milliseconds> retry_after(const http::Response& response);

}  // namespace edgelm::endpoint
