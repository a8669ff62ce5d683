// Text formatting: % and str.format().

#include "text/template/format.h"

#include <algorithm>
#include <cmath>

#include "text/template/render.h"
#include "text/template/unicode.h"

namespace edgelm::text {
namespace {

constexpr std::size_t kMaxWidth = 1000;

struct Conversion {
  bool left = false;
  bool zeros = false;
  std::size_t width = 0;
  std::size_t precision = 6;
  bool has_precision = false;
  char type = 's';
};

std::string converted(const Conversion& c, const Value& value) {
  if (c.type == 's' || c.type == 'r') {
    std::string text = c.type == 's' ? to_text(value) : to_repr(value);
    return c.has_precision ? text.substr(0, byte_offset(text, c.precision)) : text;
  }
  if (!value.is_number()) template_error("%{} needs a number, got {}", c.type, type_name(value));
  if (c.type == 'f') return fmt::format("{:.{}f}", value.number(), c.precision);
  if (value.is<double>() && !(std::abs(value.number()) < 9e18)) {
    template_error("%{} needs a number of 64 bits", c.type);
  }
  const auto number =
      value.is_integer() ? value.integer() : static_cast<std::int64_t>(value.number());
  if (c.type == 'x') return fmt::format("{:x}", number);
  if (c.type == 'd' || c.type == 'i') return std::to_string(number);
  template_error("unsupported format %{}", c.type);
}

std::string padded(const Conversion& c, std::string text) {
  const std::size_t length = count_code_points(text);
  if (length >= c.width) return text;
  const std::size_t missing = c.width - length;
  if (c.left) return text + std::string(missing, ' ');
  const bool zeros = c.zeros && c.type != 's' && c.type != 'r';
  if (!zeros) return std::string(missing, ' ') + text;
  const bool negative = text[0] == '-';
  return (negative ? "-" : "") + std::string(missing, '0') + text.substr(negative ? 1 : 0);
}

std::size_t read_number(std::string_view format, std::size_t& at) {
  std::size_t number = 0;
  while (at < format.size() && format[at] >= '0' && format[at] <= '9') {
    number = std::min(kMaxWidth + 1, number * 10 + static_cast<std::size_t>(format[at++] - '0'));
  }
  if (number > kMaxWidth) template_limit("format width exceeds {}", kMaxWidth);
  return number;
}

}  // namespace

std::string percent_format(Renderer& renderer, std::string_view format, const Value& value) {
  const bool tuple = value.is_list() && value.list().kind == ListKind::kTuple;
  const std::vector<Value> values = tuple ? renderer.iterate(value) : std::vector<Value>{value};
  std::size_t used = 0;
  std::string out;
  for (std::size_t at = 0; at < format.size();) {
    if (format[at] != '%') {
      out += format[at++];
      continue;
    }
    Conversion c;
    const Value* chosen = nullptr;
    ++at;
    if (at < format.size() && format[at] == '(') {
      const std::size_t close = format.find(')', at);
      if (close == std::string_view::npos) template_error("incomplete format key");
      const std::string_view key = format.substr(at + 1, close - at - 1);
      chosen = value.is_dict() ? value.dict().find(key) : nullptr;
      if (chosen == nullptr) template_error("format needs a dict with key '{}'", key);
      at = close + 1;
    }
    for (; at < format.size() && (format[at] == '-' || format[at] == '0'); ++at) {
      (format[at] == '-' ? c.left : c.zeros) = true;
    }
    c.width = read_number(format, at);
    if (at < format.size() && format[at] == '.') {
      c.has_precision = true;
      c.precision = read_number(format, ++at);
    }
    if (at >= format.size()) template_error("incomplete format");
    c.type = format[at++];
    if (c.type == '%') {
      out += '%';
      continue;
    }
    if (chosen == nullptr) {
      if (used >= values.size()) template_error("not enough arguments for format string");
      chosen = &values[used++];
    }
    renderer.charge(c.width / 16);
    out += padded(c, converted(c, *chosen));
    if (out.size() > kMaxTextBytes) template_limit("text exceeds {} bytes", kMaxTextBytes);
  }
  if (used < values.size() && (tuple || (used == 0 && !value.is_dict() && !value.is_list()))) {
    template_error("not all arguments were used by the format string");
  }
  return out;
}

std::string brace_format(Renderer& renderer, std::string_view format, const Args& args) {
  std::string out;
  std::size_t automatic = 0;
  for (std::size_t at = 0; at < format.size(); ++at) {
    const char c = format[at];
    if (c != '{' && c != '}') {
      out += c;
      continue;
    }
    if (at + 1 < format.size() && format[at + 1] == c) {
      out += c;
      ++at;
      continue;
    }
    const std::size_t close = format.find('}', at);
    if (c == '}' || close == std::string_view::npos)
      template_error("single '{}' in format string", c);
    const std::string_view field = format.substr(at + 1, close - at - 1);
    const Value* chosen = nullptr;
    if (field.find_first_not_of("0123456789") == std::string_view::npos && field.size() < 5) {
      const std::size_t index =
          field.empty() ? automatic++ : static_cast<std::size_t>(std::stoul(std::string(field)));
      if (index < args.positional.size()) chosen = &args.positional[index];
    } else {
      const auto named = std::find_if(args.named.begin(), args.named.end(),
                                      [&](const auto& pair) { return pair.first == field; });
      if (named != args.named.end()) chosen = &named->second;
    }
    if (chosen == nullptr) template_error("format(): no argument for '{{{}}}'", field);
    out += to_text(*chosen);
    renderer.charge(1);
    if (out.size() > kMaxTextBytes) template_limit("text exceeds {} bytes", kMaxTextBytes);
    at = close;
  }
  return out;
}

}  // namespace edgelm::text
