// Expressions: variables, attributes, items, calls and operators.

#include <algorithm>
#include <limits>

#include "text/template/render.h"
#include "text/template/unicode.h"

namespace edgelm::text {
namespace {

// Python's rules for the start and stop of a slice over `size` items.
std::int64_t clamp_index(std::int64_t index, std::int64_t size, std::int64_t low,
                         std::int64_t high) {
  if (index < 0) index += size;
  return std::clamp(index, low, high);
}

std::string missing(const Value& object, const Value& key) {
  const std::string what = object.is_none() ? "None" : fmt::format("{} object", type_name(object));
  if (key.is_text()) return fmt::format("'{}' has no attribute '{}'", what, key.text());
  return fmt::format("'{}' has no element {}", what, to_text(key));
}

}  // namespace

Value Renderer::make_text(std::string text) {
  if (text.size() > kMaxTextBytes) template_limit("text exceeds {} bytes", kMaxTextBytes);
  charge(text.size() / 16);
  return Value(std::move(text));
}

Value Renderer::make_list(std::vector<Value> items, ListKind kind) {
  charge(2 * items.size());
  return Value(List{std::move(items), kind, 1});
}

Namespace* Renderer::make_namespace() {
  charge(4);
  return &namespaces_.emplace_back();
}

Value Renderer::find_variable(std::string_view name, const ScopeRef& scope) const {
  for (const Scope* s = scope.get(); s != nullptr; s = s->parent.get()) {
    const auto at = s->variables.find(name);
    if (at != s->variables.end()) return at->second;
  }
  return Value::undefined(fmt::format("'{}' is undefined", name));
}

Value Renderer::evaluate(const Expr& expr, const ScopeRef& scope) {
  if (recursion_ >= kMaxRecursion) template_limit("recursion deeper than {} nodes", kMaxRecursion);
  charge(1);
  line_ = expr.line;
  ++recursion_;  // an exception ends the render, so nothing is left to count down for
  Value value = evaluate_node(expr, scope);
  --recursion_;
  return value;
}

Value Renderer::evaluate_node(const Expr& expr, const ScopeRef& scope) {
  switch (expr.kind) {
    case ExprKind::kLiteral:
      return expr.literal;
    case ExprKind::kName:
      return find_variable(expr.name, scope);
    case ExprKind::kList:
      return evaluate_list(expr, scope, ListKind::kList);
    case ExprKind::kTuple:
      return evaluate_list(expr, scope, ListKind::kTuple);
    case ExprKind::kDict:
      return evaluate_dict(expr, scope);
    case ExprKind::kAttribute:
      return attribute(evaluate(*expr.items[0], scope), expr.name);
    case ExprKind::kItem: {
      const Value object = evaluate(*expr.items[0], scope);
      return item(object, evaluate(*expr.items[1], scope));
    }
    case ExprKind::kSlice:
      return evaluate_slice(expr, scope);
    case ExprKind::kCall:
      return evaluate_call(expr, scope, nullptr);
    case ExprKind::kFilter:
      return apply_filter(expr, Value(), scope);
    case ExprKind::kTest: {
      const Value input = evaluate(*expr.items[0], scope);
      Args args = evaluate_arguments(expr, scope);
      line_ = expr.line;
      return Value(test(expr.name, input, args));
    }
    case ExprKind::kNot:
      return Value(!truth(evaluate(*expr.items[0], scope)));
    case ExprKind::kNegative:
      return negative(evaluate(*expr.items[0], scope));
    case ExprKind::kPositive:
      return arithmetic("+", Value(std::int64_t{0}), evaluate(*expr.items[0], scope));
    case ExprKind::kArithmetic:
    case ExprKind::kPower:
      return evaluate_chain(expr, scope);
    case ExprKind::kConcat:
      return evaluate_concat(expr, scope);
    case ExprKind::kCompare:
      return Value(evaluate_compare(expr, scope));
    case ExprKind::kAnd:
    case ExprKind::kOr: {
      const bool stop_at = expr.kind == ExprKind::kOr;
      for (std::size_t i = 0;; ++i) {
        Value value = evaluate(*expr.items[i], scope);
        if (i + 1 == expr.items.size() || truth(value) == stop_at) return value;
      }
    }
    case ExprKind::kConditional: {
      const bool chosen = truth(evaluate(*expr.items[0], scope));
      if (chosen) return evaluate(*expr.items[1], scope);
      if (expr.items[2]) return evaluate(*expr.items[2], scope);
      return Value::undefined("the inline if-expression evaluated to false and no else was given");
    }
  }
  return {};
}

Value Renderer::evaluate_list(const Expr& expr, const ScopeRef& scope, ListKind kind) {
  std::vector<Value> items;
  items.reserve(expr.items.size());
  for (const ExprPtr& child : expr.items) items.push_back(evaluate(*child, scope));
  return make_list(std::move(items), kind);
}

Value Renderer::evaluate_dict(const Expr& expr, const ScopeRef& scope) {
  Dict dict;
  charge(4 * expr.items.size());
  for (std::size_t i = 0; i < expr.items.size(); i += 2) {
    Value key = evaluate(*expr.items[i], scope);
    dict.set(std::move(key), evaluate(*expr.items[i + 1], scope));
  }
  return Value(std::move(dict));
}

Value Renderer::evaluate_slice(const Expr& expr, const ScopeRef& scope) {
  const Value object = evaluate(*expr.items[0], scope);
  std::int64_t bounds[3] = {};
  bool present[3] = {};
  for (std::size_t i = 0; i < 3; ++i) {
    if (!expr.items[i + 1]) continue;
    const Value bound = evaluate(*expr.items[i + 1], scope);
    if (bound.is_none()) continue;
    if (!bound.is_integer())
      template_error("slice bounds must be integers, got {}", type_name(bound));
    bounds[i] = bound.integer();
    present[i] = true;
  }
  if (object.is_undefined()) throw_undefined(object);
  const bool sliceable =
      object.is_text() || (object.is_list() && object.list().kind <= ListKind::kTuple);
  if (!sliceable) return Value::undefined(fmt::format("'{}' cannot be sliced", type_name(object)));
  charge(object.is_text() ? object.text().size() / 16 : 0);
  const auto size = static_cast<std::int64_t>(object.is_text() ? count_code_points(object.text())
                                                               : object.list().items.size());
  std::int64_t step = present[2] ? bounds[2] : 1;
  if (step == 0) template_error("slice step cannot be zero");
  step = std::clamp(step, -size - 1, size + 1);
  const bool up = step > 0;
  const std::int64_t low = up ? 0 : -1;
  const std::int64_t high = up ? size : size - 1;
  const std::int64_t start =
      present[0] ? clamp_index(bounds[0], size, low, high) : (up ? low : high);
  const std::int64_t stop =
      present[1] ? clamp_index(bounds[1], size, low, high) : (up ? high : low);
  if (object.is_text()) return text_slice(object.text(), start, stop, step);
  std::vector<Value> chosen;
  for (std::int64_t i = start; up ? i < stop : i > stop; i += step) {
    chosen.push_back(object.list().items[static_cast<std::size_t>(i)]);
  }
  return make_list(std::move(chosen), object.list().kind);
}

// Code points start, start + step, ... up to and without stop.
Value Renderer::text_slice(std::string_view text, std::int64_t start, std::int64_t stop,
                           std::int64_t step) {
  if (step == 1) {
    if (stop <= start) return make_text("");
    const std::size_t begin = byte_offset(text, static_cast<std::size_t>(start));
    const std::string_view rest = text.substr(begin);
    return make_text(
        std::string(rest.substr(0, byte_offset(rest, static_cast<std::size_t>(stop - start)))));
  }
  charge(text.size());
  std::vector<std::size_t> offsets;
  for (std::size_t at = 0; at < text.size(); at += code_point_at(text, at).bytes)
    offsets.push_back(at);
  std::string chosen;
  for (std::int64_t i = start; step > 0 ? i < stop : i > stop; i += step) {
    const std::size_t at = offsets[static_cast<std::size_t>(i)];
    chosen += text.substr(at, code_point_at(text, at).bytes);
  }
  return make_text(std::move(chosen));
}

Value Renderer::attribute(const Value& object, std::string_view name) {
  if (object.is_undefined()) throw_undefined(object);
  if (object.is<Namespace*>()) {
    const auto& attributes = object.get<Namespace*>()->attributes;
    const auto at = attributes.find(std::string(name));
    if (at != attributes.end()) return at->second;
  } else if (object.is<LoopRef>()) {
    const Loop& loop = *object.get<LoopRef>();
    const auto number = [](std::size_t n) { return Value(static_cast<std::int64_t>(n)); };
    const std::size_t n = loop.items.size();
    if (name == "index") return number(loop.index + 1);
    if (name == "index0") return number(loop.index);
    if (name == "revindex") return number(n - loop.index);
    if (name == "revindex0") return number(n - loop.index - 1);
    if (name == "first") return Value(loop.index == 0);
    if (name == "last") return Value(loop.index + 1 == n);
    if (name == "length") return number(n);
    if (name == "depth") return number(1);  // of recursive loops, which do not exist here
    if (name == "depth0") return number(0);
    if (name == "previtem" && loop.index > 0) return loop.items[loop.index - 1];
    if (name == "nextitem" && loop.index + 1 < n) return loop.items[loop.index + 1];
    if (name == "previtem") return Value::undefined("there is no previous item");
    if (name == "nextitem") return Value::undefined("there is no next item");
  }
  if (const Function method = find_method(object, name)) {
    return Value(
        std::make_shared<const Callable>(Callable{std::string(name), method, object, nullptr}));
  }
  if (object.is_dict()) {
    if (const Value* found = object.dict().find(name)) return *found;
  }
  return Value::undefined(missing(object, Value(name)));
}

Value Renderer::item(const Value& object, const Value& key) {
  if (object.is_undefined()) throw_undefined(object);
  if (object.is_dict()) {
    if (key.is_list() || key.is_dict()) return Value::undefined(missing(object, key));
    if (const Value* found = object.dict().find(key)) return *found;
  } else if (object.is_list() && object.list().kind <= ListKind::kTuple && key.is_integer()) {
    const auto& items = object.list().items;
    const auto size = static_cast<std::int64_t>(items.size());
    const std::int64_t index = key.integer() < 0 ? key.integer() + size : key.integer();
    if (index >= 0 && index < size) return items[static_cast<std::size_t>(index)];
  } else if (object.is_text() && key.is_integer()) {
    const std::string_view text = object.text();
    charge(text.size() / 64);
    std::int64_t index = key.integer();
    if (index < 0) index += static_cast<std::int64_t>(count_code_points(text));
    const std::size_t at =
        index < 0 ? text.size() : byte_offset(text, static_cast<std::size_t>(index));
    if (at < text.size())
      return make_text(std::string(text.substr(at, code_point_at(text, at).bytes)));
  }
  return key.is_text() ? attribute(object, key.text()) : Value::undefined(missing(object, key));
}

Args Renderer::evaluate_arguments(const Expr& expr, const ScopeRef& scope) {
  Args args;
  for (std::size_t i = 1; i < expr.items.size(); ++i) {
    args.positional.push_back(evaluate(*expr.items[i], scope));
  }
  for (const auto& [name, value] : expr.named)
    args.named.emplace_back(name, evaluate(*value, scope));
  if (expr.star) {
    for (Value& value : iterate(evaluate(*expr.star, scope)))
      args.positional.push_back(std::move(value));
  }
  if (expr.double_star) {
    const Value named = evaluate(*expr.double_star, scope);
    if (!named.is_dict()) template_error("** expects a dict, got {}", type_name(named));
    charge(4 * named.dict().size());
    for (const auto& [key, value] : named.dict().items())
      args.named.emplace_back(to_text(key), value);
  }
  return args;
}

Value Renderer::evaluate_call(const Expr& expr, const ScopeRef& scope, const Value* caller) {
  const Expr& callee = *expr.items[0];
  if (callee.kind == ExprKind::kAttribute) {  // a method, without making a bound one first
    const Value object = evaluate(*callee.items[0], scope);
    if (object.is_undefined()) throw_undefined(object);
    if (const Function method =
            object.is<Namespace*>() ? nullptr : find_method(object, callee.name)) {
      Args args = evaluate_arguments(expr, scope);
      line_ = expr.line;
      return method(*this, object, args);
    }
    const Value target = attribute(object, callee.name);
    Args args = evaluate_arguments(expr, scope);
    if (caller != nullptr) args.named.emplace_back("caller", *caller);
    line_ = expr.line;
    return call(target, args);
  }
  const Value target = evaluate(callee, scope);
  Args args = evaluate_arguments(expr, scope);
  if (caller != nullptr) args.named.emplace_back("caller", *caller);
  line_ = expr.line;
  return call(target, args);
}

Value Renderer::call(const Value& callee, Args& args) {
  if (callee.is_undefined()) throw_undefined(callee);
  if (!callee.is<CallableRef>()) template_error("'{}' is not callable", type_name(callee));
  const CallableRef& callable = callee.get<CallableRef>();
  if (callable->macro != nullptr) return call_macro(*callable->macro, args);
  return callable->function(*this, callable->self, args);
}

// `input` is used where the expression has none of its own (filter blocks).
Value Renderer::apply_filter(const Expr& expr, const Value& input, const ScopeRef& scope) {
  Value value = input;
  if (expr.items[0]) {
    const bool inner_filter = expr.items[0]->kind == ExprKind::kFilter;
    value =
        inner_filter ? apply_filter(*expr.items[0], input, scope) : evaluate(*expr.items[0], scope);
  }
  Args args = evaluate_arguments(expr, scope);
  charge(1);
  line_ = expr.line;
  return filter(expr.name, value, args);
}

Value Renderer::filter(std::string_view name, const Value& input, Args& args) {
  const Function function = find_filter(name);
  if (function == nullptr) {
    throw TemplateError{ErrorCode::kUnsupported, fmt::format("unknown filter '{}'", name), line_};
  }
  return function(*this, input, args);
}

bool Renderer::test(std::string_view name, const Value& input, Args& args) {
  const Predicate predicate = find_predicate(name);
  if (predicate == nullptr) {
    throw TemplateError{ErrorCode::kUnsupported, fmt::format("unknown test '{}'", name), line_};
  }
  return predicate(*this, input, args);
}

Value Renderer::evaluate_concat(const Expr& expr, const ScopeRef& scope) {
  std::string text;
  for (const ExprPtr& part : expr.items) {
    const Value value = evaluate(*part, scope);
    if (value.is_text()) {
      text += value.text();
    } else {
      text += to_text(value);
    }
    if (text.size() > kMaxTextBytes) template_limit("text exceeds {} bytes", kMaxTextBytes);
  }
  return make_text(std::move(text));
}

Value Renderer::evaluate_chain(const Expr& expr, const ScopeRef& scope) {
  Value left = evaluate(*expr.items[0], scope);
  for (std::size_t i = 0; i < expr.ops.size(); ++i) {
    const Value right = evaluate(*expr.items[i + 1], scope);
    line_ = expr.line;
    left = arithmetic(expr.ops[i], left, right);
  }
  return left;
}

bool Renderer::evaluate_compare(const Expr& expr, const ScopeRef& scope) {
  Value left = evaluate(*expr.items[0], scope);
  for (std::size_t i = 0; i < expr.ops.size(); ++i) {
    Value right = evaluate(*expr.items[i + 1], scope);
    line_ = expr.line;
    if (!compare_values(expr.ops[i], left, right)) return false;
    left = std::move(right);
  }
  return true;
}

bool Renderer::compare_values(std::string_view op, const Value& a, const Value& b) {
  if (op == "in") return contains(b, a);
  if (op == "not in") return !contains(b, a);
  if (op == "==") return equals(a, b);
  if (op == "!=") return !equals(a, b);
  const int sign = order(a, b, op);
  if (op == "<") return sign < 0;
  if (op == "<=") return sign <= 0;
  return op == ">" ? sign > 0 : sign >= 0;
}

}  // namespace edgelm::text
