#pragma once
// The tree of a parsed template. Chains (a + b + c, elif) are flat, so that only real nesting costs
// depth; the parser bounds that.

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "text/template/value.h"

namespace edgelm::text {

struct Expr;
struct Statement;
using ExprPtr = std::unique_ptr<Expr>;
using Block = std::vector<Statement>;

enum class ExprKind : std::uint8_t {
  kLiteral,      // literal
  kName,         // name
  kList,         // items
  kTuple,        // items
  kDict,         // items: key, value, key, value, ...
  kAttribute,    // items[0].name
  kItem,         // items[0][items[1]]
  kSlice,        // items[0][items[1]:items[2]:items[3]], absent ones null
  kCall,         // items[0](items[1...], named)
  kFilter,       // items[0] | name(items[1...], named); items[0] null in a filter block
  kTest,         // items[0] is name(items[1...], named)
  kNot,          // items[0]
  kNegative,     // items[0]
  kPositive,     // items[0]
  kArithmetic,   // items[0] ops[0] items[1] ops[1] ...; one level of precedence, from the left
  kPower,        // likewise
  kConcat,       // items joined by ~
  kCompare,      // items[0] ops[0] items[1] ops[1] ..., as Python chains them
  kAnd,          // items
  kOr,           // items
  kConditional,  // items[1] if items[0] else items[2] (may be null)
};

struct Expr {
  ExprKind kind = ExprKind::kLiteral;
  std::uint32_t line = 0;
  std::uint32_t depth = 1;
  std::string name;
  Value literal;
  std::vector<ExprPtr> items;
  std::vector<std::string> ops;
  std::vector<std::pair<std::string, ExprPtr>> named;
  ExprPtr star;         // f(*star)
  ExprPtr double_star;  // f(**double_star)
};

enum class StatementKind : std::uint8_t {
  kText,         // text
  kOutput,       // expressions
  kIf,           // branches: condition (null for else) and body
  kFor,          // for targets in expressions[0] if condition: body else: other
  kSet,          // targets = expressions[0]
  kSetBlock,     // targets = body, through filter (may be null)
  kMacro,        // name, parameters, body
  kCallBlock,    // expressions[0] is the call, parameters, body
  kFilterBlock,  // filter, body
  kWith,         // parameters with their values, body
  kScope,        // body (generation, block, autoescape)
  kBreak,
  kContinue,
  kDo,  // expressions[0], printed nowhere
};

// What a set statement or a loop assigns to: a name, an attribute of a namespace, or a tuple.
struct Target {
  std::string name;
  std::string attribute;      // of namespace `name`; may be empty
  std::vector<Target> parts;  // of a tuple; then `name` is empty
};

struct Parameter {
  std::string name;
  ExprPtr value;  // default; may be null
};

struct Branch {
  ExprPtr condition;
  Block body;
};

struct Statement {
  StatementKind kind = StatementKind::kText;
  std::uint32_t line = 0;
  std::string text;  // of kText; the name of a macro
  std::vector<ExprPtr> expressions;
  std::vector<Branch> branches;
  std::vector<Parameter> parameters;
  Target target;
  ExprPtr condition;
  ExprPtr filter;
  Block body;
  Block other;
  bool uses_varargs = false;  // what a macro's body mentions
  bool uses_kwargs = false;
  bool uses_caller = false;
};

}  // namespace edgelm::text
