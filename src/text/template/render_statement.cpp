// Statements: control flow, scopes and macros.

#include <algorithm>
#include <optional>

#include "text/template/render.h"

namespace edgelm::text {

class Renderer::Recursion {
 public:
  explicit Recursion(Renderer& renderer) : renderer_(renderer) {
    if (++renderer.recursion_ > kMaxRecursion) {
      --renderer.recursion_;
      template_limit("recursion deeper than {} nodes", kMaxRecursion);
    }
  }
  ~Recursion() { --renderer_.recursion_; }
  Recursion(const Recursion&) = delete;
  Recursion& operator=(const Recursion&) = delete;

 private:
  Renderer& renderer_;
};

Renderer::Renderer(std::vector<std::pair<std::string, Value>> variables, const std::tm& now,
                   std::uint64_t max_steps)
    : variables_(std::move(variables)),
      root_(std::make_shared<Scope>()),
      now_(now),
      max_steps_(max_steps) {
  for (const auto& [name, function] : global_functions()) {
    root_->variables[name] =
        Value(std::make_shared<const Callable>(Callable{std::string(name), function, {}, nullptr}));
  }
  for (auto& [name, value] : variables_) root_->variables[name] = value;
}

// Scopes and the macros in them refer to each other: empty both before they go.
Renderer::~Renderer() {
  for (MacroClosure& closure : closures_) {
    if (closure.scope) closure.scope->variables.clear();
  }
  for (Namespace& space : namespaces_) space.attributes.clear();
  root_->variables.clear();
}

std::string Renderer::run(const Block& block) {
  std::string out;
  execute(block, inner_scope(root_), out);
  return out;
}

void Renderer::charge(std::uint64_t steps) {
  steps_ += steps;
  if (steps_ > max_steps_) template_limit("more than {} steps", max_steps_);
}

ScopeRef Renderer::inner_scope(const ScopeRef& scope) {
  auto inner = std::make_shared<Scope>();
  inner->parent = scope;
  return inner;
}

void Renderer::append(std::string& out, std::string_view text) {
  if (out.size() + text.size() > kMaxTextBytes) {
    template_limit("output exceeds {} bytes", kMaxTextBytes);
  }
  charge(text.size() / 16);
  out += text;
}

Renderer::Flow Renderer::execute(const Block& block, const ScopeRef& scope, std::string& out) {
  for (const Statement& statement : block) {
    const Flow flow = execute(statement, scope, out);
    if (flow != Flow::kNext) return flow;
  }
  return Flow::kNext;
}

Renderer::Flow Renderer::execute(const Statement& statement, const ScopeRef& scope,
                                 std::string& out) {
  const Recursion recursion(*this);
  charge(1);
  line_ = statement.line;
  switch (statement.kind) {
    case StatementKind::kText:
      append(out, statement.text);
      break;
    case StatementKind::kOutput:
      for (const ExprPtr& expr : statement.expressions) {
        const Value value = evaluate(*expr, scope);
        append(out, value.is_text() ? value.text() : to_text(value));
      }
      break;
    case StatementKind::kIf:
      return execute_if(statement, scope, out);
    case StatementKind::kFor:
      return execute_for(statement, scope, out);
    case StatementKind::kSet:
      assign(statement.target, evaluate(*statement.expressions[0], scope), scope);
      break;
    case StatementKind::kSetBlock:
      execute_set_block(statement, scope);
      break;
    case StatementKind::kMacro:
      scope->variables[statement.text] = make_macro(statement, scope);
      break;
    case StatementKind::kCallBlock:
      execute_call(statement, scope, out);
      break;
    case StatementKind::kFilterBlock: {
      std::string body;
      const Flow flow = execute(statement.body, inner_scope(scope), body);
      const Value value = apply_filter(*statement.filter, make_text(std::move(body)), scope);
      append(out, to_text(value));
      return flow;
    }
    case StatementKind::kWith:
      return execute_with(statement, scope, out);
    case StatementKind::kScope:
      return execute(statement.body, inner_scope(scope), out);
    case StatementKind::kBreak:
      return Flow::kBreak;
    case StatementKind::kContinue:
      return Flow::kContinue;
    case StatementKind::kDo:
      evaluate(*statement.expressions[0], scope);
      break;
  }
  return Flow::kNext;
}

Renderer::Flow Renderer::execute_if(const Statement& statement, const ScopeRef& scope,
                                    std::string& out) {
  for (const Branch& branch : statement.branches) {
    if (branch.condition && !truth(evaluate(*branch.condition, scope))) continue;
    return execute(branch.body, scope, out);
  }
  return Flow::kNext;
}

Renderer::Flow Renderer::execute_for(const Statement& statement, const ScopeRef& scope,
                                     std::string& out) {
  std::vector<Value> items = iterate(evaluate(*statement.expressions[0], scope));
  if (statement.condition) {
    std::erase_if(items, [&](const Value& item) {
      charge(1);
      const ScopeRef inner = inner_scope(scope);
      assign(statement.target, item, inner);
      return !truth(evaluate(*statement.condition, inner));
    });
  }
  if (items.empty()) return execute(statement.other, inner_scope(scope), out);
  const auto loop = std::make_shared<Loop>(Loop{std::move(items), 0});
  Flow flow = Flow::kNext;
  for (; loop->index < loop->items.size() && flow != Flow::kBreak; ++loop->index) {
    charge(1);
    const ScopeRef inner = inner_scope(scope);
    inner->variables["loop"] = Value(loop);
    assign(statement.target, loop->items[loop->index], inner);
    flow = execute(statement.body, inner, out);
  }
  return Flow::kNext;
}

void Renderer::execute_set_block(const Statement& statement, const ScopeRef& scope) {
  std::string body;
  execute(statement.body, inner_scope(scope), body);
  Value value = make_text(std::move(body));
  if (statement.filter) value = apply_filter(*statement.filter, value, scope);
  assign(statement.target, value, scope);
}

void Renderer::execute_call(const Statement& statement, const ScopeRef& scope, std::string& out) {
  const Value caller = make_macro(statement, scope);
  append(out, to_text(evaluate_call(*statement.expressions[0], scope, &caller)));
}

Renderer::Flow Renderer::execute_with(const Statement& statement, const ScopeRef& scope,
                                      std::string& out) {
  const ScopeRef inner = inner_scope(scope);
  for (const Parameter& parameter : statement.parameters) {
    Value value = evaluate(*parameter.value, scope);
    inner->variables[parameter.name] = std::move(value);
  }
  return execute(statement.body, inner, out);
}

void Renderer::assign(const Target& target, const Value& value, const ScopeRef& scope) {
  if (!target.parts.empty()) {
    const std::vector<Value> items = iterate(value);
    if (items.size() != target.parts.size()) {
      template_error("cannot unpack {} values into {} names", items.size(), target.parts.size());
    }
    for (std::size_t i = 0; i < items.size(); ++i) assign(target.parts[i], items[i], scope);
  } else if (target.attribute.empty()) {
    scope->variables[target.name] = value;
  } else {
    const Value object = find_variable(target.name, scope);
    if (!object.is<Namespace*>()) {
      template_error("cannot set '{}.{}': '{}' is not a namespace", target.name, target.attribute,
                     target.name);
    }
    object.get<Namespace*>()->attributes[target.attribute] = value;
  }
}

Value Renderer::make_macro(const Statement& statement, const ScopeRef& scope) {
  charge(20);  // it keeps its scope alive
  const MacroClosure& closure = closures_.emplace_back(MacroClosure{&statement, scope});
  return Value(std::make_shared<const Callable>(Callable{statement.text, nullptr, {}, &closure}));
}

Value Renderer::call_macro(const MacroClosure& closure, Args& args) {
  const Statement& macro = *closure.macro;
  const ScopeRef scope = inner_scope(closure.scope);
  const auto take_named = [&args](std::string_view name) -> std::optional<Value> {
    const auto at = std::find_if(args.named.begin(), args.named.end(),
                                 [name](const auto& named) { return named.first == name; });
    if (at == args.named.end()) return std::nullopt;
    std::optional<Value> value(at->second);
    args.named.erase(at);
    return value;
  };
  const std::size_t n = macro.parameters.size();
  for (std::size_t i = 0; i < n; ++i) {
    const Parameter& parameter = macro.parameters[i];
    std::optional<Value> value;
    if (i < args.positional.size()) {
      value = args.positional[i];
    } else {
      value = take_named(parameter.name);
    }
    if (!value) {
      value =
          parameter.value
              ? evaluate(*parameter.value, scope)
              : Value::undefined(fmt::format("parameter '{}' was not provided", parameter.name));
    }
    scope->variables[parameter.name] = std::move(*value);
  }
  std::optional<Value> caller = take_named("caller");
  if (macro.uses_caller) {
    scope->variables["caller"] =
        caller ? std::move(*caller) : Value::undefined("No caller defined");
  }
  if (macro.uses_varargs) {
    const std::size_t first = std::min(n, args.positional.size());
    scope->variables["varargs"] = make_list(
        {args.positional.begin() + static_cast<std::ptrdiff_t>(first), args.positional.end()},
        ListKind::kTuple);
  } else if (args.positional.size() > n) {
    template_error("macro '{}' takes not more than {} arguments, got {}", macro.text, n,
                   args.positional.size());
  }
  if (macro.uses_kwargs) {
    Dict rest;
    for (auto& [name, value] : args.named) rest.set(Value(name), std::move(value));
    scope->variables["kwargs"] = Value(std::move(rest));
  } else if (!args.named.empty()) {
    template_error("macro '{}' takes no argument '{}'", macro.text, args.named[0].first);
  }
  std::string body;
  execute(macro.body, scope, body);
  return make_text(std::move(body));
}

}  // namespace edgelm::text
