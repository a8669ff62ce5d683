// URLs: what client.h accepts of them, and how they are named in messages. Apart from client.cpp so
// that whoever only looks at a URL compiles no Beast.

#include <algorithm>
#include <charconv>
#include <string>
#include <string_view>

#include "http/client.h"
#include "http/message.h"

namespace edgelm::http {
namespace {

constexpr std::size_t kMaxUrlBytes = 8192;

bool is_alnum(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool valid_host(std::string_view host, bool bracketed) {
  if (host.empty() || host.size() > 255) return false;
  return std::all_of(host.begin(), host.end(), [&](char c) {
    if (bracketed) return is_alnum(c) || c == ':' || c == '.' || c == '%';
    return is_alnum(c) || c == '.' || c == '-' || c == '_';
  });
}

}  // namespace

Result<Url> parse_url(std::string_view text) {
  // Nothing of a refused URL but its scheme is repeated: it may hold a password, or a terminal's
  // control sequences.
  if (text.size() > kMaxUrlBytes)
    return fail(ErrorCode::kUsage, "URL of {} bytes: more than {}", text.size(), kMaxUrlBytes);
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);  // char is signed on some machines only
    if (byte <= ' ' || byte >= 0x7f || c == '\\')
      return fail(ErrorCode::kUsage,
                  "URL with a space, a backslash, a control or non-ASCII character: write those as "
                  "%XX");
  }
  const std::size_t colon = text.find("://");
  Url url;
  if (colon != std::string_view::npos) url.scheme = lower_case(text.substr(0, colon));
  if (url.scheme != "http" && url.scheme != "https")
    return fail(ErrorCode::kUsage, "expected a URL that begins with http:// or https://");
  std::string_view rest = text.substr(colon + 3);
  rest = rest.substr(0, rest.find('#'));
  const std::size_t end = std::min(rest.find_first_of("/?"), rest.size());
  std::string_view authority = rest.substr(0, end);
  url.target = std::string(rest.substr(end));
  if (url.target.empty() || url.target[0] == '?') url.target.insert(0, 1, '/');
  if (authority.find('@') != std::string_view::npos)
    return fail(ErrorCode::kUsage,
                "URL with user or password before '@': not accepted, they would "
                "show in messages and logs");
  const bool bracketed = authority.starts_with('[');
  std::string_view port;
  if (bracketed) {
    const std::size_t close = authority.find(']');
    if (close == std::string_view::npos)
      return fail(ErrorCode::kUsage, "URL with '[' but no ']' around its IPv6 address");
    port = authority.substr(close + 1);
    authority = authority.substr(1, close - 1);
    if (!port.empty() && port[0] != ':')
      return fail(ErrorCode::kUsage, "URL: expected ':' and a port after ']'");
  } else {
    const std::size_t at = std::min(authority.find(':'), authority.size());
    port = authority.substr(at);
    authority = authority.substr(0, at);
  }
  if (!valid_host(authority, bracketed))
    return fail(ErrorCode::kUsage, "{}:// URL without a valid host name", url.scheme);
  url.host = lower_case(authority);
  url.port = url.scheme == "https" ? "443" : "80";
  if (port.size() > 1) {
    port.remove_prefix(1);
    unsigned number = 0;
    const auto [stop, error] = std::from_chars(port.data(), port.data() + port.size(), number);
    if (error != std::errc{} || stop != port.data() + port.size() || number == 0 || number > 65535)
      return fail(ErrorCode::kUsage, "URL of {}: port '{}': expected 1 to 65535", url.host, port);
    url.port = std::to_string(number);
  }
  return url;
}

std::string display_origin(const Url& url) {
  const bool v6 = url.host.find(':') != std::string::npos;
  std::string name = url.scheme + (v6 ? "://[" : "://");
  name += url.host;
  if (v6) name += ']';
  if (url.port != (url.scheme == "https" ? "443" : "80")) {
    name += ':';
    name += url.port;
  }
  return name;
}

std::string display_name(const Url& url) {
  const std::string_view path = std::string_view(url.target).substr(0, url.target.find('?'));
  std::string name = display_origin(url);
  if (path != "/") name += path;
  return name;
}

}  // namespace edgelm::http
