#pragma once
// JSON in and out of template values. Reading is strict (RFC 8259); writing is Python's json.dumps,
// as the tojson filter of Hugging Face calls it.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "text/template/value.h"

namespace edgelm::text {

struct JsonStyle {
  std::optional<std::string> indent;  // text of one level; absent: everything on one line
  std::string item_separator = ", ";
  std::string key_separator = ": ";
  bool ensure_ascii = false;
  bool sort_keys = false;
};

std::string to_json(const Value& value, const JsonStyle& style);  // throws TemplateError
Value from_json(std::string_view text);                           // throws TemplateError

}  // namespace edgelm::text
