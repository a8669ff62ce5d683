// Looks for a message in whatever came; see failure.h.

#include "endpoint/failure.h"

#include <charconv>

#include "api/json.h"

namespace edgelm::endpoint {
namespace {

std::string_view reason(int status) {
  switch (status) {
    case 400:
      return " Bad Request";
    case 401:
      return " Unauthorized";
    case 403:
      return " Forbidden";
    case 404:
      return " Not Found";
    case 405:
      return " Method Not Allowed";
    case 413:
      return " Content Too Large";
    case 422:
      return " Unprocessable Content";
    case 429:
      return " Too Many Requests";
    case 500:
      return " Internal Server Error";
    case 501:
      return " Not Implemented";
    case 502:
      return " Bad Gateway";
    case 503:
      return " Service Unavailable";
    case 504:
      return " Gateway Timeout";
    default:
      return "";
  }
}

ErrorCode code_of(int status) {
  switch (status) {
    case 400:
    case 422:
      return ErrorCode::kUsage;
    case 401:
    case 403:
      return ErrorCode::kPermission;
    case 404:
      return ErrorCode::kNotFound;
    case 405:
    case 501:
      return ErrorCode::kUnsupported;
    case 413:
    case 429:
      return ErrorCode::kLimit;
    default:
      return ErrorCode::kIo;
  }
}

// The text in `value`, which may be it or hold it: {"message": ...}, [{"msg": ...}].
std::string text_in(const api::Json& value, int depth = 0) {
  if (value.is_string()) return value.get<std::string>();
  if (depth > 3) return {};
  if (value.is_array()) return value.empty() ? "" : text_in(value.front(), depth + 1);
  for (const char* key : {"error", "message", "msg", "detail"}) {
    const api::Json* const inner = api::find(value, key);
    if (inner == nullptr) continue;
    if (std::string text = text_in(*inner, depth + 1); !text.empty()) return text;
  }
  return {};
}

}  // namespace

std::string printable_line(std::string_view text, std::size_t limit) {
  std::string line;
  bool space = false;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= ' ') {
      space = !line.empty();
      continue;
    }
    if (line.size() + 2 > limit) {
      // Not inside a character of several bytes.
      while (!line.empty() && (static_cast<unsigned char>(line.back()) & 0xc0) == 0x80)
        line.pop_back();
      if (!line.empty() && static_cast<unsigned char>(line.back()) >= 0xc0) line.pop_back();
      return line + "...";
    }
    if (space) line += ' ';
    space = false;
    line += byte == 0x7f ? '?' : c;
  }
  // C1 controls and invalid UTF-8 become visible the way they do in our JSON.
  const std::string quoted = api::dump(api::Json(line), -1);
  line.clear();
  for (std::size_t i = 1; i + 1 < quoted.size(); ++i) {
    if (quoted[i] == '\\' && (quoted[i + 1] == '"' || quoted[i + 1] == '\\')) ++i;
    line += quoted[i];
  }
  return line;
}

std::string server_message(std::string_view body) {
  constexpr std::size_t kMaxJsonBytes = 64u << 10;
  if (body.size() <= kMaxJsonBytes) {
    if (const auto json = api::parse(body, "answer"); json && json->is_structured())
      return printable_line(text_in(*json));
  }
  // A page of a proxy: its title says what its markup hides.
  const std::size_t title = body.find("<title>");
  if (title != std::string_view::npos) {
    body.remove_prefix(title + 7);
    return printable_line(body.substr(0, body.find('<'))) + " (an HTML page)";
  }
  if (body.find("<html") != std::string_view::npos) return "(an HTML page)";
  return printable_line(body);
}

std::string redacted(std::string text, std::string_view secret) {
  if (secret.empty()) return text;
  for (std::size_t at = 0; (at = text.find(secret, at)) != std::string::npos; at += 3)
    text.replace(at, secret.size(), "***");
  return text;
}

Error status_error(const http::Response& response, const std::string& name,
                   std::string_view secret) {
  // Redacted first: cut short, a secret could not be found any more.
  const std::string said = server_message(redacted(response.body, secret));
  std::string message = fmt::format("{}: {}{}{}{}", name, response.status, reason(response.status),
                                    said.empty() ? "" : ": ", said);
  if (response.status == 401 || response.status == 403)
    message += secret.empty() ? "; it may want an API key" : "; the API key was not accepted";
  return {code_of(response.status), redacted(std::move(message), secret)};
}

std::optional<std::chrono::milliseconds> retry_after(const http::Response& response) {
  const std::string_view text = response.header("retry-after");
  std::int64_t seconds = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (text.empty() || error != std::errc{} || stop != text.data() + text.size() || seconds < 0 ||
      seconds > 86'400)
    return std::nullopt;
  return std::chrono::seconds(seconds);
}

}  // namespace edgelm::endpoint
