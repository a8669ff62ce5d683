#pragma once
// Recursive descent over the tokens of a template; Jinja2's grammar and precedence.
// Expressions are in parse_expression.cpp, statements in parse_statement.cpp.

#include <initializer_list>
#include <string_view>
#include <vector>

#include "text/template/ast.h"
#include "text/template/lexer.h"

namespace edgelm::text {

constexpr std::size_t kMaxTemplateBytes = 1U << 20;

class Parser {
 public:
  explicit Parser(std::vector<Token> tokens) : tokens_(std::move(tokens)) {}

  Block parse();  // throws TemplateError

 private:
  // Statements.
  Block parse_block(std::initializer_list<std::string_view> ends);
  Block parse_body(std::initializer_list<std::string_view> ends);
  void parse_statement(Block& block);
  void parse_if(Statement& statement);
  void parse_for(Statement& statement);
  void parse_set(Statement& statement);
  void parse_macro(Statement& statement);
  void parse_call_block(Statement& statement);
  void parse_with(Statement& statement);
  void parse_signature(Statement& statement);
  void parse_macro_body(Statement& statement, std::string_view end);
  Target parse_target();
  Target parse_target_part();

  // Expressions, loosest first.
  ExprPtr parse_tuple(bool conditional, bool parenthesized);
  ExprPtr parse_expression();
  ExprPtr parse_or();
  ExprPtr parse_and();
  ExprPtr parse_not();
  ExprPtr parse_compare();
  ExprPtr parse_sum();
  ExprPtr parse_concat();
  ExprPtr parse_product();
  ExprPtr parse_power();
  ExprPtr parse_unary(bool with_filters);
  ExprPtr parse_primary();
  ExprPtr parse_postfix(ExprPtr node);
  ExprPtr parse_filters_and_tests(ExprPtr node);
  ExprPtr parse_subscript(ExprPtr object);
  ExprPtr parse_call(ExprPtr callee);
  ExprPtr parse_filter(ExprPtr input);
  ExprPtr parse_test(ExprPtr input);
  ExprPtr parse_list();
  ExprPtr parse_dict();
  void parse_arguments(Expr& call);
  ExprPtr parse_number();
  [[nodiscard]] bool at_tuple_end() const;

  // Tokens.
  [[nodiscard]] const Token& current() const { return tokens_[at_]; }
  [[nodiscard]] const Token& next() const;
  [[nodiscard]] bool is_op(std::string_view op) const;
  [[nodiscard]] bool is_name(std::string_view name) const;
  bool skip_op(std::string_view op);
  bool skip_name(std::string_view name);
  void expect_op(std::string_view op);
  void expect_name(std::string_view name);
  std::string expect_identifier();
  void expect_block_end();
  void advance();
  [[noreturn]] void unexpected(std::string_view expected) const;

  // Nodes. Every finished node goes through checked(), which bounds the depth of the tree.
  [[nodiscard]] ExprPtr make(ExprKind kind) const;
  static ExprPtr checked(ExprPtr node);
  class Nesting;

  std::vector<Token> tokens_;
  std::size_t at_ = 0;
  std::uint32_t nesting_ = 0;     // of the parser's own recursion
  std::uint32_t loop_depth_ = 0;  // for break and continue
  bool uses_varargs_ = false;     // names seen in the macro being parsed
  bool uses_kwargs_ = false;
  bool uses_caller_ = false;
};

// Counts the recursion and ends it with an error before the stack does.
class Parser::Nesting {
 public:
  explicit Nesting(Parser& parser);
  ~Nesting() { --parser_.nesting_; }
  Nesting(const Nesting&) = delete;
  Nesting& operator=(const Nesting&) = delete;

 private:
  Parser& parser_;
};

}  // namespace edgelm::text
