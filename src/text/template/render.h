#pragma once
// Runs a parsed template once. Everything it makes lives and dies with it. Work, memory, output and
// recursion are bounded, because templates come from model files and anyone can write one.

#include <ctime>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "text/template/ast.h"
#include "text/template/callable.h"
#include "text/template/error.h"

namespace edgelm::text {

constexpr std::uint32_t kMaxRecursion = 500;  // of nodes being evaluated

struct Scope {
  std::unordered_map<std::string_view, Value> variables;  // names live in the tree
  std::shared_ptr<Scope> parent;
};
using ScopeRef = std::shared_ptr<Scope>;

struct MacroClosure {
  const Statement* macro = nullptr;
  ScopeRef scope;  // where it was defined
};

class Renderer {
 public:
  Renderer(std::vector<std::pair<std::string, Value>> variables, const std::tm& now,
           std::uint64_t max_steps = kMaxSteps);

  std::string run(const Block& block);  // throws TemplateError
  [[nodiscard]] std::uint32_t line() const { return line_; }

  // For filters, tests, methods and functions.
  void charge(std::uint64_t steps);
  Value make_text(std::string text);
  Value make_list(std::vector<Value> items, ListKind kind = ListKind::kList);
  Namespace* make_namespace();
  std::vector<Value> iterate(const Value& value);
  Value attribute(const Value& object, std::string_view name);  // object.name
  Value item(const Value& object, const Value& key);            // object[key]
  Value call(const Value& callee, Args& args);
  Value filter(std::string_view name, const Value& input, Args& args);
  bool test(std::string_view name, const Value& input, Args& args);
  Value arithmetic(std::string_view op, const Value& a, const Value& b);
  bool contains(const Value& container, const Value& item);
  bool equals(const Value& a, const Value& b);
  int order(const Value& a, const Value& b, std::string_view op);
  [[nodiscard]] const std::tm& now() const { return now_; }

 private:
  enum class Flow { kNext, kBreak, kContinue };
  class Recursion;

  // render_statement.cpp
  Flow execute(const Block& block, const ScopeRef& scope, std::string& out);
  Flow execute(const Statement& statement, const ScopeRef& scope, std::string& out);
  Flow execute_if(const Statement& statement, const ScopeRef& scope, std::string& out);
  Flow execute_for(const Statement& statement, const ScopeRef& scope, std::string& out);
  void execute_set_block(const Statement& statement, const ScopeRef& scope);
  void execute_call(const Statement& statement, const ScopeRef& scope, std::string& out);
  Flow execute_with(const Statement& statement, const ScopeRef& scope, std::string& out);
  void assign(const Target& target, const Value& value, const ScopeRef& scope);
  Value make_macro(const Statement& statement, const ScopeRef& scope);
  Value call_macro(const MacroClosure& closure, Args& args);
  static ScopeRef inner_scope(const ScopeRef& scope);
  void append(std::string& out, std::string_view text);

  // render_expression.cpp
  Value evaluate(const Expr& expr, const ScopeRef& scope);
  Value evaluate_node(const Expr& expr, const ScopeRef& scope);
  Value evaluate_list(const Expr& expr, const ScopeRef& scope, ListKind kind);
  Value evaluate_dict(const Expr& expr, const ScopeRef& scope);
  Value evaluate_slice(const Expr& expr, const ScopeRef& scope);
  Value text_slice(std::string_view text, std::int64_t start, std::int64_t stop, std::int64_t step);
  Value evaluate_call(const Expr& expr, const ScopeRef& scope, const Value* caller);
  Value evaluate_concat(const Expr& expr, const ScopeRef& scope);
  Value evaluate_chain(const Expr& expr, const ScopeRef& scope);
  bool evaluate_compare(const Expr& expr, const ScopeRef& scope);
  bool compare_values(std::string_view op, const Value& a, const Value& b);
  Args evaluate_arguments(const Expr& expr, const ScopeRef& scope);
  Value apply_filter(const Expr& expr, const Value& input, const ScopeRef& scope);
  Value find_variable(std::string_view name, const ScopeRef& scope) const;
  Value negative(const Value& value);

  std::deque<Namespace> namespaces_;
  std::deque<MacroClosure> closures_;
  std::vector<std::pair<std::string, Value>> variables_;
  ScopeRef root_;
  std::tm now_{};
  std::uint64_t steps_ = 0;
  std::uint64_t max_steps_;
  std::uint32_t recursion_ = 0;
  std::uint32_t line_ = 1;

 public:
  ~Renderer();
  Renderer(const Renderer&) = delete;
  Renderer& operator=(const Renderer&) = delete;
};

// The tables that filters_*.cpp, tests.cpp, methods_*.cpp and functions.cpp fill. nullptr: unknown.
Function find_filter(std::string_view name);
Function find_text_filter(std::string_view name);
Function find_list_filter(std::string_view name);
using Predicate = bool (*)(Renderer& renderer, const Value& value, Args& args);
Predicate find_predicate(std::string_view name);
Function find_method(const Value& object, std::string_view name);
Function find_text_method(std::string_view name);
const std::vector<std::pair<std::string_view, Function>>& global_functions();

}  // namespace edgelm::text
