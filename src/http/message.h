#pragma once
// The rules of HTTP messages that need no library: what may be sent, where a redirect leads. Used
// by client.cpp and digest.cpp.

#include <string>
#include <string_view>

#include "base/result.h"
#include "http/client.h"

namespace edgelm::http {

std::string lower_case(std::string_view text);  // ASCII
bool is_token_char(char c);                     // RFC 9110, section 5.6.2

// kUsage when a method, a header's name or its value would break the message.
Status check_request(const Request& request, const Url& url);

// Request line and header, with what the request leaves out: host, length, accept, user-agent.
std::string request_head(const Request& request, const Url& url);

bool is_redirect(int status);

// RFC 3986 section 5 for what servers send: absolute URLs, //host/path, /path and path. Never from
// https to http.
Result<Url> redirect_target(const Url& from, std::string_view location);

void drop_credentials(Headers& headers);

}  // namespace edgelm::http
