// Checks and texts of message.h.

#include "http/message.h"

#include <algorithm>

namespace edgelm::http {
namespace {

bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_token_char);
}

bool is_value(std::string_view text) {
  return std::none_of(text.begin(), text.end(),
                      [](char c) { return c == '\r' || c == '\n' || c == '\0'; });
}

bool has(const Headers& headers, std::string_view lower_name) {
  return std::any_of(headers.begin(), headers.end(),
                     [&](const auto& header) { return lower_case(header.first) == lower_name; });
}

void add(std::string& head, std::string_view name, std::string_view value) {
  head += name;
  head += ": ";
  head += value;
  head += "\r\n";
}

}  // namespace

bool is_token_char(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

std::string lower_case(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

Status check_request(const Request& request, const Url& url) {
  if (!is_token(request.method))
    return fail(ErrorCode::kUsage, "{}: the request's method is not a word", display_name(url));
  for (const auto& [name, value] : request.headers) {
    if (!is_token(name) || !is_value(value))
      return fail(ErrorCode::kUsage, "{}: header '{}' of the request: not a header (line break?)",
                  display_name(url), is_token(name) ? name : "?");
  }
  return {};
}

std::string request_head(const Request& request, const Url& url) {
  std::string head = request.method + " ";
  head += url.target;
  head += " HTTP/1.1\r\n";
  const std::string origin = display_origin(url);
  add(head, "host", std::string_view(origin).substr(origin.find("//") + 2));
  if (!has(request.headers, "user-agent")) add(head, "user-agent", "edgelm");
  if (!has(request.headers, "accept")) add(head, "accept", "*/*");
  if (!request.body.empty() || request.method == "POST" || request.method == "PUT")
    add(head, "content-length", std::to_string(request.body.size()));
  for (const auto& [name, value] : request.headers) add(head, lower_case(name), value);
  head += "\r\n";
  return head;
}

bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

Result<Url> redirect_target(const Url& from, std::string_view location) {
  const std::string path = from.target.substr(0, from.target.find('?'));
  std::string text;
  if (location.find("://") < location.find_first_of("/?#")) {
    text = location;
  } else if (location.starts_with("//")) {
    text = from.scheme + ":";
    text += location;
  } else {
    text = display_origin(from);
    if (location.starts_with('?')) {
      text += path;
    } else if (!location.starts_with('/')) {
      text += path.substr(0, path.rfind('/') + 1);
    }
    text += location;
  }
  Result<Url> next = parse_url(text);
  if (!next)
    return fail(ErrorCode::kFormat, "{}: redirected to what is no URL: {}", display_name(from),
                next.error().message);
  if (from.scheme == "https" && next->scheme != "https")
    return fail(ErrorCode::kIo, "{}: redirected from https to http ({}): not followed",
                display_name(from), display_name(*next));
  return next;
}

void drop_credentials(Headers& headers) {
  std::erase_if(headers, [](const auto& header) {
    const std::string name = lower_case(header.first);
    return name == "authorization" || name == "cookie" || name == "proxy-authorization";
  });
}

std::string_view Response::header(std::string_view lower_name) const {
  for (const auto& [name, value] : headers) {
    if (name == lower_name) return value;
  }
  return {};
}

}  // namespace edgelm::http
