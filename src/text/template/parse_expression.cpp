// Expressions of the template language.

#include <algorithm>
#include <array>
#include <charconv>

#include "text/template/error.h"
#include "text/template/parser.h"

namespace edgelm::text {

Parser::Nesting::Nesting(Parser& parser) : parser_(parser) {
  if (++parser.nesting_ > kMaxNesting) {
    throw TemplateError{ErrorCode::kLimit, fmt::format("nested deeper than {}", kMaxNesting),
                        parser.current().line};
  }
}

ExprPtr Parser::make(ExprKind kind) const {
  auto node = std::make_unique<Expr>();
  node->kind = kind;
  node->line = current().line;
  return node;
}

ExprPtr Parser::checked(ExprPtr node) {
  const auto deepen = [&](const ExprPtr& child) {
    if (child) node->depth = std::max(node->depth, child->depth + 1);
  };
  for (const ExprPtr& item : node->items) deepen(item);
  for (const auto& [name, value] : node->named) deepen(value);
  deepen(node->star);
  deepen(node->double_star);
  if (node->depth > kMaxNesting) {
    throw TemplateError{ErrorCode::kLimit,
                        fmt::format("expression nested deeper than {}", kMaxNesting), node->line};
  }
  return node;
}

bool Parser::at_tuple_end() const {
  const Token& token = current();
  return token.kind == TokenKind::kVariableEnd || token.kind == TokenKind::kBlockEnd ||
         is_op(")") || is_name("recursive");
}

ExprPtr Parser::parse_tuple(bool conditional, bool parenthesized) {
  const Nesting nesting(*this);
  ExprPtr tuple = make(ExprKind::kTuple);
  bool has_comma = false;
  while (!at_tuple_end()) {
    tuple->items.push_back(conditional ? parse_expression() : parse_or());
    if (!skip_op(",")) break;
    has_comma = true;
  }
  if (!has_comma && tuple->items.size() == 1) return std::move(tuple->items[0]);
  if (tuple->items.empty() && !parenthesized) unexpected("an expression");
  return checked(std::move(tuple));
}

ExprPtr Parser::parse_expression() {
  const Nesting nesting(*this);
  ExprPtr value = parse_or();
  while (is_name("if")) {
    ExprPtr node = make(ExprKind::kConditional);
    advance();
    node->items.push_back(parse_or());
    node->items.push_back(std::move(value));
    node->items.push_back(skip_name("else") ? parse_expression() : nullptr);
    value = checked(std::move(node));
  }
  return value;
}

ExprPtr Parser::parse_or() {
  ExprPtr left = parse_and();
  if (!is_name("or")) return left;
  ExprPtr node = make(ExprKind::kOr);
  node->items.push_back(std::move(left));
  while (skip_name("or")) node->items.push_back(parse_and());
  return checked(std::move(node));
}

ExprPtr Parser::parse_and() {
  ExprPtr left = parse_not();
  if (!is_name("and")) return left;
  ExprPtr node = make(ExprKind::kAnd);
  node->items.push_back(std::move(left));
  while (skip_name("and")) node->items.push_back(parse_not());
  return checked(std::move(node));
}

ExprPtr Parser::parse_not() {
  if (!is_name("not")) return parse_compare();
  const Nesting nesting(*this);
  ExprPtr node = make(ExprKind::kNot);
  advance();
  node->items.push_back(parse_not());
  return checked(std::move(node));
}

ExprPtr Parser::parse_compare() {
  constexpr std::array<std::string_view, 6> kOps = {"==", "!=", "<", "<=", ">", ">="};
  ExprPtr node = make(ExprKind::kCompare);
  node->items.push_back(parse_sum());
  for (;;) {
    std::string op;
    if (current().kind == TokenKind::kOperator &&
        std::find(kOps.begin(), kOps.end(), current().text) != kOps.end()) {
      op = current().text;
      advance();
    } else if (skip_name("in")) {
      op = "in";
    } else if (is_name("not") && next().kind == TokenKind::kName && next().text == "in") {
      advance();
      advance();
      op = "not in";
    } else {
      break;
    }
    node->ops.push_back(std::move(op));
    node->items.push_back(parse_sum());
  }
  return node->ops.empty() ? std::move(node->items[0]) : checked(std::move(node));
}

ExprPtr Parser::parse_sum() {
  ExprPtr node = make(ExprKind::kArithmetic);
  node->items.push_back(parse_concat());
  while (is_op("+") || is_op("-")) {
    node->ops.push_back(current().text);
    advance();
    node->items.push_back(parse_concat());
  }
  return node->ops.empty() ? std::move(node->items[0]) : checked(std::move(node));
}

ExprPtr Parser::parse_concat() {
  ExprPtr node = make(ExprKind::kConcat);
  node->items.push_back(parse_product());
  while (skip_op("~")) node->items.push_back(parse_product());
  return node->items.size() == 1 ? std::move(node->items[0]) : checked(std::move(node));
}

ExprPtr Parser::parse_product() {
  ExprPtr node = make(ExprKind::kArithmetic);
  node->items.push_back(parse_power());
  while (is_op("*") || is_op("/") || is_op("//") || is_op("%")) {
    node->ops.push_back(current().text);
    advance();
    node->items.push_back(parse_power());
  }
  return node->ops.empty() ? std::move(node->items[0]) : checked(std::move(node));
}

ExprPtr Parser::parse_power() {
  ExprPtr node = make(ExprKind::kPower);
  node->items.push_back(parse_unary(true));
  while (skip_op("**")) {
    node->ops.emplace_back("**");
    node->items.push_back(parse_unary(true));
  }
  return node->ops.empty() ? std::move(node->items[0]) : checked(std::move(node));
}

ExprPtr Parser::parse_unary(bool with_filters) {
  const Nesting nesting(*this);
  ExprPtr node;
  if (is_op("-") || is_op("+")) {
    node = make(is_op("-") ? ExprKind::kNegative : ExprKind::kPositive);
    advance();
    node->items.push_back(parse_unary(false));
    node = checked(std::move(node));
  } else {
    node = parse_primary();
  }
  node = parse_postfix(std::move(node));
  return with_filters ? parse_filters_and_tests(std::move(node)) : std::move(node);
}

ExprPtr Parser::parse_number() {
  ExprPtr node = make(ExprKind::kLiteral);
  const std::string& text = current().text;
  const char* begin = text.data();
  const char* end = begin + text.size();
  if (current().kind == TokenKind::kFloat) {
    double value = 0;
    const auto result = std::from_chars(begin, end, value);
    if (result.ec != std::errc() || result.ptr != end) unexpected("a number");
    node->literal = Value(value);
  } else {
    int base = 10;
    if (text.size() > 2 && text[0] == '0' && (text[1] < '0' || text[1] > '9')) {
      const char kind = static_cast<char>(text[1] | 0x20);
      base = kind == 'x' ? 16 : (kind == 'o' ? 8 : 2);
      begin += 2;
    }
    std::int64_t value = 0;
    const auto result = std::from_chars(begin, end, value, base);
    if (result.ec != std::errc() || result.ptr != end) unexpected("an integer of 64 bits");
    node->literal = Value(value);
  }
  advance();
  return node;
}

ExprPtr Parser::parse_primary() {
  const Token& token = current();
  if (token.kind == TokenKind::kInteger || token.kind == TokenKind::kFloat) return parse_number();
  if (is_op("[")) return parse_list();
  if (is_op("{")) return parse_dict();
  if (skip_op("(")) {
    ExprPtr node = parse_tuple(true, true);
    expect_op(")");
    return node;
  }
  ExprPtr node = make(ExprKind::kLiteral);
  if (token.kind == TokenKind::kText) {
    std::string text;
    for (; current().kind == TokenKind::kText; advance()) text += current().text;
    node->literal = Value(std::move(text));
    return node;
  }
  if (token.kind != TokenKind::kName) unexpected("an expression");
  if (token.text == "true" || token.text == "True" || token.text == "false" ||
      token.text == "False") {
    node->literal = Value(token.text == "true" || token.text == "True");
  } else if (token.text == "none" || token.text == "None") {
    node->literal = Value::none();
  } else {
    node->kind = ExprKind::kName;
    node->name = token.text;
    uses_varargs_ |= token.text == "varargs";
    uses_kwargs_ |= token.text == "kwargs";
    uses_caller_ |= token.text == "caller";
  }
  advance();
  return node;
}

ExprPtr Parser::parse_list() {
  ExprPtr node = make(ExprKind::kList);
  expect_op("[");
  while (!is_op("]")) {
    node->items.push_back(parse_expression());
    if (!skip_op(",")) break;
  }
  expect_op("]");
  return checked(std::move(node));
}

ExprPtr Parser::parse_dict() {
  ExprPtr node = make(ExprKind::kDict);
  expect_op("{");
  while (!is_op("}")) {
    node->items.push_back(parse_expression());
    expect_op(":");
    node->items.push_back(parse_expression());
    if (!skip_op(",")) break;
  }
  expect_op("}");
  return checked(std::move(node));
}

ExprPtr Parser::parse_postfix(ExprPtr node) {
  for (;;) {
    if (is_op(".") || is_op("[")) {
      node = parse_subscript(std::move(node));
    } else if (is_op("(")) {
      node = parse_call(std::move(node));
    } else {
      return node;
    }
  }
}

ExprPtr Parser::parse_filters_and_tests(ExprPtr node) {
  for (;;) {
    if (skip_op("|")) {
      node = parse_filter(std::move(node));
    } else if (skip_name("is")) {
      node = parse_test(std::move(node));
    } else if (is_op("(")) {
      node = parse_call(std::move(node));
    } else {
      return node;
    }
  }
}

ExprPtr Parser::parse_subscript(ExprPtr object) {
  ExprPtr node = make(ExprKind::kItem);
  node->items.push_back(std::move(object));
  if (skip_op(".")) {
    if (current().kind == TokenKind::kInteger) {
      node->items.push_back(parse_number());
    } else {
      node->kind = ExprKind::kAttribute;
      node->name = expect_identifier();
    }
    return checked(std::move(node));
  }
  expect_op("[");
  ExprPtr first = is_op(":") ? nullptr : parse_expression();
  if (!is_op(":")) {
    node->items.push_back(std::move(first));
  } else {
    node->kind = ExprKind::kSlice;
    node->items.push_back(std::move(first));
    for (int i = 0; i < 2; ++i) {
      const bool present = skip_op(":") && !is_op(":") && !is_op("]");
      node->items.push_back(present ? parse_expression() : nullptr);
    }
  }
  expect_op("]");
  return checked(std::move(node));
}

ExprPtr Parser::parse_call(ExprPtr callee) {
  ExprPtr node = make(ExprKind::kCall);
  node->items.push_back(std::move(callee));
  parse_arguments(*node);
  return checked(std::move(node));
}

void Parser::parse_arguments(Expr& call) {
  expect_op("(");
  while (!is_op(")")) {
    if (skip_op("*")) {
      if (call.star) unexpected("one * argument");
      call.star = parse_expression();
    } else if (skip_op("**")) {
      if (call.double_star) unexpected("one ** argument");
      call.double_star = parse_expression();
    } else if (current().kind == TokenKind::kName && next().kind == TokenKind::kOperator &&
               next().text == "=") {
      std::string name = expect_identifier();
      expect_op("=");
      call.named.emplace_back(std::move(name), parse_expression());
    } else {
      if (!call.named.empty() || call.star || call.double_star) unexpected("a named argument");
      call.items.push_back(parse_expression());
    }
    if (!skip_op(",")) break;
  }
  expect_op(")");
}

// Behind the '|'.
ExprPtr Parser::parse_filter(ExprPtr input) {
  ExprPtr node = make(ExprKind::kFilter);
  node->items.push_back(std::move(input));
  node->name = expect_identifier();
  if (is_op("(")) parse_arguments(*node);
  return checked(std::move(node));
}

// Behind the 'is'.
ExprPtr Parser::parse_test(ExprPtr input) {
  ExprPtr node = make(ExprKind::kTest);
  const bool negated = skip_name("not");
  node->items.push_back(std::move(input));
  node->name = expect_identifier();
  const auto starts_argument = [this] {
    switch (current().kind) {
      case TokenKind::kName:
        return !is_name("else") && !is_name("or") && !is_name("and") && !is_name("if") &&
               !is_name("is") && !is_name("not") && !is_name("in") && !is_name("recursive");
      case TokenKind::kText:
      case TokenKind::kInteger:
      case TokenKind::kFloat:
        return true;
      default:
        return is_op("[") || is_op("{");
    }
  };
  if (is_op("(")) {
    parse_arguments(*node);
  } else if (starts_argument()) {
    node->items.push_back(parse_postfix(parse_primary()));
  }
  node = checked(std::move(node));
  if (!negated) return node;
  ExprPtr inverse = make(ExprKind::kNot);
  inverse->items.push_back(std::move(node));
  return checked(std::move(inverse));
}

}  // namespace edgelm::text
