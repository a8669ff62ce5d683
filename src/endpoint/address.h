#pragma once
// Where an OpenAI-compatible server has its parts: what people type as its URL, taken apart. Used
// by endpoint.cpp.

#include <string>
#include <string_view>

#include "base/result.h"

namespace edgelm::endpoint {

struct ServerAddress {
  std::string base;  // "http://127.0.0.1:8080/v1": chat/completions, completions, models lie below
  std::string root;  // "http://127.0.0.1:8080": what is outside the API lies below (/tokenize)
};

// "http://host:port" gets /v1; a URL with a path is taken as the base, without an operation
// ("/chat/completions") that was pasted with it. kUsage for a query or what http::parse_url
// refuses.
Result<ServerAddress> parse_address(std::string_view url);

}  // namespace edgelm::endpoint
