#pragma once
// The one door to nlohmann-json: an ordered JSON value to build, and a writer whose output is valid
// JSON whatever it is given. Used by every command that has `-o json`, and by the API types.

#include <nlohmann/json.hpp>

#include <string>

namespace edgelm::api {

using Json = nlohmann::ordered_json;  // objects keep the order in which keys were added

// Valid UTF-8 JSON: non-finite numbers become null, invalid UTF-8 becomes U+FFFD, and control
// characters (DEL and C1 included, which JSON would let through to a terminal) are escaped.
// `indent` < 0 writes one line; otherwise that many spaces per level. No trailing newline.
std::string dump(const Json& value, int indent = 2);

}  // namespace edgelm::api
