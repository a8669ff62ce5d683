#pragma once
// The one door to nlohmann-json: an ordered JSON value to build, a writer whose output is valid
// JSON whatever it is given, and a strict reader. Used by every command that has `-o json`, by what
// is kept in files and stores, and by the API types.

#include <nlohmann/json.hpp>

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace edgelm::api {

using Json = nlohmann::ordered_json;  // objects keep the order in which keys were added

// Valid UTF-8 JSON: non-finite numbers become null, invalid UTF-8 becomes U+FFFD, and control
// characters (DEL and C1 included, which JSON would let through to a terminal) are escaped.
// `indent` < 0 writes one line; otherwise that many spaces per level. No trailing newline.
std::string dump(const Json& value, int indent = 2);

// One JSON text and nothing after it. Refused (kFormat, with place and reason): duplicate keys,
// more than `max_depth` levels, numbers beyond double's range, invalid UTF-8. `name` is for
// messages.
Result<Json> parse(std::string_view text, std::string_view name, std::uint32_t max_depth = 64);

// Typed access for what came from outside: kFormat names `name`, key, expected and got. Whole
// numbers are read from any JSON number without a fraction.
Result<std::string> string_at(const Json& object, std::string_view key, std::string_view name);
Result<double> number_at(const Json& object, std::string_view key, std::string_view name);
Result<std::uint64_t> unsigned_at(const Json& object, std::string_view key, std::string_view name);
// nullptr when the key is absent or null, or `object` is no object.
const Json* find(const Json& object, std::string_view key);

}  // namespace edgelm::api
