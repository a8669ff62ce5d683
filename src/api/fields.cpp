// Places and messages of Fields.

#include "api/fields.h"

#include <algorithm>

namespace edgelm::api {
namespace {

std::string shown(const Json& value) {
  std::string text = dump(value, -1);
  if (text.size() > 60) text = text.substr(0, 57) + "...";
  return text;
}

}  // namespace

Fields::Fields(const Json& object, std::string where) : object_(object), where_(std::move(where)) {
  if (!object.is_object()) expected(where_, "an object", object);
}

// The place of a file's own fields is "file: key", below that "file: key.key".
std::string Fields::place(std::string_view key) const {
  const bool top = where_.find(": ") == std::string::npos;
  return fmt::format("{}{}{}", where_, top ? ": " : ".", key);
}

std::string Fields::place_of(std::string_view key, std::size_t index) const {
  return fmt::format("{}[{}]", place(key), index);
}

void Fields::wrong(const std::string& place, const std::string& problem) {
  if (!failed()) error_ = fmt::format("{}: {}", place, problem);
}

void Fields::expected(const std::string& place, std::string_view what, const Json& got) {
  if (!failed()) error_ = fmt::format("{}: expected {}, got {}", place, what, shown(got));
}

const Json* Fields::field(std::string_view key) {
  asked_.emplace(key);
  return failed() ? nullptr : find(object_, key);
}

bool Fields::missing(std::string_view key) {
  if (!failed() && find(object_, key) == nullptr) wrong(place(key), "is missing");
  return failed();
}

bool Fields::check_array(const Json& value, const std::string& place) {
  if (!value.is_array()) {
    expected(place, "an array", value);
  } else if (value.size() > kMaxItems) {
    wrong(place, fmt::format("{} items, at most {} are read", value.size(), kMaxItems));
  }
  return !failed();
}

std::size_t Fields::index_of(const Json& value, const std::string& place,
                             std::span<const std::string_view> names) {
  if (value.is_string()) {
    const auto at = std::find(names.begin(), names.end(), value.get_ref<const std::string&>());
    if (at != names.end()) return static_cast<std::size_t>(at - names.begin());
  }
  expected(place, fmt::format("one of {}", fmt::join(names, ", ")), value);
  return 0;
}

void Fields::read(const Json& value, const std::string& place, std::string& out) {
  if (!value.is_string()) return expected(place, "a string", value);
  out = value.get<std::string>();
}

void Fields::read(const Json& value, const std::string& place, bool& out) {
  if (!value.is_boolean()) return expected(place, "true or false", value);
  out = value.get<bool>();
}

void Fields::read(const Json& value, const std::string& place, double& out) {
  if (!value.is_number()) return expected(place, "a number", value);
  out = value.get<double>();
}

Status Fields::done() {
  if (!failed()) {
    for (const auto& [key, value] : object_.items()) {
      if (asked_.contains(key)) continue;
      wrong(place(key), "is no field that is known here");
      break;
    }
  }
  if (failed()) return fail({ErrorCode::kFormat, error_});
  return {};
}

}  // namespace edgelm::api
