// Arithmetic, membership and iteration by Python's rules. Integers have 64 bits; what does not fit
// is an error, not a wrong number.

#include <algorithm>
#include <cmath>

#include "text/template/format.h"
#include "text/template/render.h"
#include "text/template/unicode.h"

namespace edgelm::text {
namespace {

[[noreturn]] void overflow(std::string_view op) {
  template_error("result of '{}' exceeds 64 bits", op);
}

std::int64_t floor_divide(std::int64_t a, std::int64_t b) {
  if (b == 0) template_error("integer division or modulo by zero");
  if (b == -1) {
    std::int64_t result = 0;
    if (__builtin_sub_overflow(std::int64_t{0}, a, &result)) overflow("//");
    return result;
  }
  const std::int64_t quotient = a / b;
  return a % b != 0 && (a < 0) != (b < 0) ? quotient - 1 : quotient;
}

std::int64_t modulo(std::int64_t a, std::int64_t b) {
  if (b == 0) template_error("integer division or modulo by zero");
  if (b == -1) return 0;
  const std::int64_t rest = a % b;
  return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}

Value power(std::int64_t base, std::int64_t exponent) {
  if (exponent < 0)
    return Value(std::pow(static_cast<double>(base), static_cast<double>(exponent)));
  std::int64_t result = 1;
  for (std::int64_t factor = base;; exponent >>= 1) {
    if ((exponent & 1) != 0 && __builtin_mul_overflow(result, factor, &result)) overflow("**");
    if (exponent <= 1) return Value(result);
    if (__builtin_mul_overflow(factor, factor, &factor)) overflow("**");
  }
}

Value integer_arithmetic(std::string_view op, std::int64_t a, std::int64_t b) {
  std::int64_t result = 0;
  bool overflowed = false;
  if (op == "+") {
    overflowed = __builtin_add_overflow(a, b, &result);
  } else if (op == "-") {
    overflowed = __builtin_sub_overflow(a, b, &result);
  } else if (op == "*") {
    overflowed = __builtin_mul_overflow(a, b, &result);
  } else if (op == "//") {
    result = floor_divide(a, b);
  } else if (op == "%") {
    result = modulo(a, b);
  } else if (op == "**") {
    return power(a, b);
  } else {
    if (b == 0) template_error("division by zero");
    return Value(static_cast<double>(a) / static_cast<double>(b));
  }
  if (overflowed) overflow(op);
  return Value(result);
}

Value float_arithmetic(std::string_view op, double a, double b) {
  if (op == "+") return Value(a + b);
  if (op == "-") return Value(a - b);
  if (op == "*") return Value(a * b);
  if (op == "**") return Value(std::pow(a, b));
  if (b == 0) template_error("float division by zero");
  if (op == "/") return Value(a / b);
  if (op == "//") return Value(std::floor(a / b));
  const double rest = std::fmod(a, b);
  return Value(rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest);
}

}  // namespace

Value Renderer::arithmetic(std::string_view op, const Value& a, const Value& b) {
  if (a.is_undefined()) throw_undefined(a);
  if (op == "%" && a.is_text()) return make_text(percent_format(*this, a.text(), b));
  if (b.is_undefined()) throw_undefined(b);
  if (a.is_integer() && b.is_integer()) return integer_arithmetic(op, a.integer(), b.integer());
  if (a.is_number() && b.is_number()) return float_arithmetic(op, a.number(), b.number());
  if (op == "+" && a.is_text() && b.is_text()) {
    if (a.text().size() + b.text().size() > kMaxTextBytes) {
      template_limit("text exceeds {} bytes", kMaxTextBytes);
    }
    return make_text(std::string(a.text()).append(b.text()));
  }
  if (op == "+" && a.is_list() && b.is_list() && a.list().kind == b.list().kind) {
    std::vector<Value> items = iterate(a);
    const std::vector<Value> more = iterate(b);
    items.insert(items.end(), more.begin(), more.end());
    return make_list(std::move(items), a.list().kind);
  }
  if (op == "*" && a.is_integer() && !b.is_number()) return arithmetic(op, b, a);
  if (op == "*" && b.is_integer() && (a.is_text() || a.is_list())) {
    const auto times = static_cast<std::uint64_t>(std::max<std::int64_t>(0, b.integer()));
    const std::uint64_t size = a.is_text() ? a.text().size() : a.list().items.size();
    if (size > 0 && times > kMaxTextBytes / size)
      template_limit("text or list exceeds {}", kMaxTextBytes);
    charge(size * times / (a.is_text() ? 16 : 1));
    std::string text;
    std::vector<Value> items;
    for (std::uint64_t i = 0; i < times && size > 0; ++i) {
      if (a.is_text()) {
        text += a.text();
      } else {
        items.insert(items.end(), a.list().items.begin(), a.list().items.end());
      }
    }
    return a.is_text() ? make_text(std::move(text)) : make_list(std::move(items), a.list().kind);
  }
  template_error("unsupported operands for {}: '{}' and '{}'", op, type_name(a), type_name(b));
}

Value Renderer::negative(const Value& value) {
  if (value.is_undefined()) throw_undefined(value);
  if (value.is_integer()) return integer_arithmetic("-", 0, value.integer());
  if (value.is<double>()) return Value(-value.get<double>());
  template_error("unsupported operand for unary -: '{}'", type_name(value));
}

bool Renderer::equals(const Value& a, const Value& b) {
  std::uint64_t work = 0;
  const bool result = equal(a, b, work);
  charge(work);
  return result;
}

int Renderer::order(const Value& a, const Value& b, std::string_view op) {
  std::uint64_t work = 0;
  const int result = compare(a, b, op, work);
  charge(work);
  return result;
}

bool Renderer::contains(const Value& container, const Value& item) {
  if (container.is_undefined()) return false;
  if (container.is_text()) {
    if (item.is_undefined()) throw_undefined(item);
    if (!item.is_text()) {
      template_error("'in <string>' requires a string as left operand, not {}", type_name(item));
    }
    charge(container.text().size() / 64);
    return container.text().find(item.text()) != std::string_view::npos;
  }
  if (container.is_dict()) return container.dict().find(item) != nullptr;
  if (container.is_list()) {
    const auto& items = container.list().items;
    return std::any_of(items.begin(), items.end(), [&](const Value& v) { return equals(v, item); });
  }
  template_error("argument of type '{}' is not iterable", type_name(container));
}

std::vector<Value> Renderer::iterate(const Value& value) {
  std::vector<Value> items;
  if (value.is_undefined()) return items;
  if (value.is_list()) {
    charge(value.list().items.size());
    return value.list().items;
  }
  if (value.is_dict()) {
    charge(value.dict().size());
    for (const auto& [key, unused] : value.dict().items()) items.push_back(key);
  } else if (value.is_text()) {
    const std::string_view text = value.text();
    charge(4 * text.size());
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t bytes = code_point_at(text, at).bytes;
      items.emplace_back(text.substr(at, bytes));
      at += bytes;
    }
  } else if (value.is<LoopRef>()) {
    template_error("'loop' cannot be iterated");
  } else {
    template_error("'{}' object is not iterable", type_name(value));
  }
  return items;
}

}  // namespace edgelm::text
