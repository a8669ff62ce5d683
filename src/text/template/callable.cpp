// Taking the arguments of a call apart.

#include "text/template/callable.h"

#include <algorithm>

#include "text/template/error.h"

namespace edgelm::text {

Value Args::take(std::size_t index, std::string_view name) {
  if (index < positional.size()) return positional[index];
  const auto at = std::find_if(named.begin(), named.end(),
                               [name](const auto& pair) { return pair.first == name; });
  if (at == named.end()) return {};
  Value value = at->second;
  named.erase(at);
  return value;
}

Value Args::require(std::string_view callee, std::size_t index, std::string_view name) {
  Value value = take(index, name);
  if (!value.is_undefined()) return value;
  if (index < positional.size() && value.get<Undefined>().what) throw_undefined(value);
  template_error("{}: argument '{}' is missing", callee, name);
}

bool Args::take_bool(std::size_t index, std::string_view name, bool fallback) {
  const Value value = take(index, name);
  return value.is_undefined() ? fallback : truth(value);
}

std::int64_t Args::take_int(std::size_t index, std::string_view name, std::int64_t fallback) {
  const Value value = take(index, name);
  if (value.is_undefined() || value.is_none()) return fallback;
  if (!value.is_integer())
    template_error("argument '{}': expected int, got {}", name, type_name(value));
  return value.integer();
}

std::string Args::take_text(std::size_t index, std::string_view name, std::string_view fallback) {
  const Value value = take(index, name);
  if (value.is_undefined() || value.is_none()) return std::string(fallback);
  if (!value.is_text())
    template_error("argument '{}': expected str, got {}", name, type_name(value));
  return std::string(value.text());
}

void Args::done(std::string_view callee, std::size_t n_parameters) const {
  if (positional.size() > n_parameters) {
    template_error("{}: expected at most {} arguments, got {}", callee, n_parameters,
                   positional.size());
  }
  if (!named.empty()) template_error("{}: unknown argument '{}'", callee, named[0].first);
}

}  // namespace edgelm::text
