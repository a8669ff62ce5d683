// Statements of the template language, and the parser's way through the tokens.

#include <algorithm>

#include "text/template/error.h"
#include "text/template/parser.h"

namespace edgelm::text {

const Token& Parser::next() const { return tokens_[std::min(at_ + 1, tokens_.size() - 1)]; }

void Parser::advance() {
  if (at_ + 1 < tokens_.size()) ++at_;
}

bool Parser::is_op(std::string_view op) const {
  return current().kind == TokenKind::kOperator && current().text == op;
}

bool Parser::is_name(std::string_view name) const {
  return current().kind == TokenKind::kName && current().text == name;
}

bool Parser::skip_op(std::string_view op) {
  const bool found = is_op(op);
  if (found) advance();
  return found;
}

bool Parser::skip_name(std::string_view name) {
  const bool found = is_name(name);
  if (found) advance();
  return found;
}

void Parser::expect_op(std::string_view op) {
  if (!skip_op(op)) unexpected(fmt::format("'{}'", op));
}

void Parser::expect_name(std::string_view name) {
  if (!skip_name(name)) unexpected(fmt::format("'{}'", name));
}

std::string Parser::expect_identifier() {
  if (current().kind != TokenKind::kName) unexpected("a name");
  std::string name = current().text;
  advance();
  return name;
}

void Parser::expect_block_end() {
  if (current().kind != TokenKind::kBlockEnd) unexpected("'%}'");
  advance();
}

void Parser::unexpected(std::string_view expected) const {
  const Token& token = current();
  std::string got;
  switch (token.kind) {
    case TokenKind::kEnd:
      got = "the end of the template";
      break;
    case TokenKind::kVariableEnd:
      got = "'}}'";
      break;
    case TokenKind::kBlockEnd:
      got = "'%}'";
      break;
    case TokenKind::kText:
      got = "a string";
      break;
    default:
      got = fmt::format("'{}'", token.text);
  }
  template_error_at(token.line, "expected {}, got {}", expected, got);
}

Block Parser::parse() { return parse_block({}); }

// Statements up to a block tag named in `ends` (the cursor is then at that name), or to the end of
// the template when there are none.
Block Parser::parse_block(std::initializer_list<std::string_view> ends) {
  const Nesting nesting(*this);
  Block block;
  for (;;) {
    Statement statement;
    statement.line = current().line;
    if (current().kind == TokenKind::kData) {
      statement.text = current().text;
      advance();
      block.push_back(std::move(statement));
    } else if (current().kind == TokenKind::kVariableBegin) {
      advance();
      statement.kind = StatementKind::kOutput;
      statement.expressions.push_back(parse_tuple(true, false));
      if (current().kind != TokenKind::kVariableEnd) unexpected("'}}'");
      advance();
      block.push_back(std::move(statement));
    } else if (current().kind == TokenKind::kBlockBegin) {
      advance();
      if (std::any_of(ends.begin(), ends.end(), [this](auto end) { return is_name(end); }))
        return block;
      parse_statement(block);
      expect_block_end();
    } else if (ends.size() == 0) {
      return block;
    } else {
      unexpected(fmt::format("'{}'", *(ends.end() - 1)));
    }
  }
}

// The inside of a block statement, from the end of its opening tag.
Block Parser::parse_body(std::initializer_list<std::string_view> ends) {
  skip_op(":");
  expect_block_end();
  return parse_block(ends);
}

void Parser::parse_statement(Block& block) {
  Statement statement;
  statement.line = current().line;
  const std::string name = expect_identifier();
  if (name == "if") {
    parse_if(statement);
  } else if (name == "for") {
    parse_for(statement);
  } else if (name == "set") {
    parse_set(statement);
  } else if (name == "macro") {
    parse_macro(statement);
  } else if (name == "call") {
    parse_call_block(statement);
  } else if (name == "with") {
    parse_with(statement);
  } else if (name == "filter") {
    statement.kind = StatementKind::kFilterBlock;
    statement.filter = parse_filter(nullptr);
    while (skip_op("|")) statement.filter = parse_filter(std::move(statement.filter));
    statement.body = parse_body({"endfilter"});
    expect_name("endfilter");
  } else if (name == "generation" || name == "block" || name == "autoescape") {
    statement.kind = StatementKind::kScope;
    if (name == "block") expect_identifier();
    if (name == "autoescape") parse_expression();
    const std::string end = "end" + name;
    statement.body = parse_body({end});
    expect_name(end);
    if (name == "block" && current().kind == TokenKind::kName) advance();
  } else if (name == "print") {
    statement.kind = StatementKind::kOutput;
    do {
      statement.expressions.push_back(parse_expression());
    } while (skip_op(","));
  } else if (name == "do") {
    statement.kind = StatementKind::kDo;
    statement.expressions.push_back(parse_tuple(true, false));
  } else if (name == "break" || name == "continue") {
    if (loop_depth_ == 0) template_error_at(statement.line, "'{}' outside of a loop", name);
    statement.kind = name == "break" ? StatementKind::kBreak : StatementKind::kContinue;
  } else if (name == "include" || name == "import" || name == "from" || name == "extends") {
    throw TemplateError{ErrorCode::kUnsupported,
                        fmt::format("'{}': a chat template cannot load other templates", name),
                        statement.line};
  } else {
    template_error_at(statement.line, "unknown tag '{}'", name);
  }
  block.push_back(std::move(statement));
}

void Parser::parse_if(Statement& statement) {
  statement.kind = StatementKind::kIf;
  for (;;) {
    Branch branch;
    branch.condition = parse_tuple(false, false);
    branch.body = parse_body({"elif", "else", "endif"});
    statement.branches.push_back(std::move(branch));
    if (skip_name("elif")) continue;
    if (skip_name("else")) statement.branches.push_back({nullptr, parse_body({"endif"})});
    expect_name("endif");
    return;
  }
}

void Parser::parse_for(Statement& statement) {
  statement.kind = StatementKind::kFor;
  statement.target = parse_target();
  expect_name("in");
  statement.expressions.push_back(parse_tuple(false, false));
  if (skip_name("if")) statement.condition = parse_expression();
  if (is_name("recursive")) {
    throw TemplateError{ErrorCode::kUnsupported, "recursive loops are not supported",
                        statement.line};
  }
  ++loop_depth_;
  statement.body = parse_body({"else", "endfor"});
  --loop_depth_;
  if (skip_name("else")) statement.other = parse_body({"endfor"});
  expect_name("endfor");
}

void Parser::parse_set(Statement& statement) {
  statement.target = parse_target();
  if (skip_op("=")) {
    statement.kind = StatementKind::kSet;
    statement.expressions.push_back(parse_tuple(true, false));
    return;
  }
  statement.kind = StatementKind::kSetBlock;
  while (skip_op("|")) statement.filter = parse_filter(std::move(statement.filter));
  statement.body = parse_body({"endset"});
  expect_name("endset");
}

Target Parser::parse_target() {
  Target target = parse_target_part();
  if (!is_op(",")) return target;
  Target tuple;
  tuple.parts.push_back(std::move(target));
  while (skip_op(",")) {
    if (current().kind != TokenKind::kName && !is_op("(")) break;
    if (is_name("in")) break;
    tuple.parts.push_back(parse_target_part());
  }
  return tuple;
}

Target Parser::parse_target_part() {
  const Nesting nesting(*this);
  Target target;
  if (skip_op("(")) {
    target = parse_target();
    expect_op(")");
    return target;
  }
  target.name = expect_identifier();
  if (skip_op(".")) target.attribute = expect_identifier();
  return target;
}

void Parser::parse_signature(Statement& statement) {
  expect_op("(");
  while (!is_op(")")) {
    Parameter parameter;
    parameter.name = expect_identifier();
    if (skip_op("=")) {
      parameter.value = parse_expression();
    } else if (!statement.parameters.empty() && statement.parameters.back().value) {
      unexpected("a default value");
    }
    statement.parameters.push_back(std::move(parameter));
    if (!skip_op(",")) break;
  }
  expect_op(")");
}

// A macro is a world of its own: outer loops do not reach into it, and what it mentions is noted.
void Parser::parse_macro_body(Statement& statement, std::string_view end) {
  const bool outer[] = {uses_varargs_, uses_kwargs_, uses_caller_};
  const std::uint32_t outer_loops = std::exchange(loop_depth_, 0);
  uses_varargs_ = uses_kwargs_ = uses_caller_ = false;
  statement.body = parse_body({end});
  expect_name(end);
  statement.uses_varargs = uses_varargs_;
  statement.uses_kwargs = uses_kwargs_;
  statement.uses_caller = uses_caller_;
  uses_varargs_ = outer[0];
  uses_kwargs_ = outer[1];
  uses_caller_ = outer[2] || (statement.kind == StatementKind::kCallBlock && statement.uses_caller);
  loop_depth_ = outer_loops;
}

void Parser::parse_macro(Statement& statement) {
  statement.kind = StatementKind::kMacro;
  statement.text = expect_identifier();
  parse_signature(statement);
  parse_macro_body(statement, "endmacro");
}

void Parser::parse_call_block(Statement& statement) {
  statement.kind = StatementKind::kCallBlock;
  statement.text = "caller";
  if (is_op("(")) parse_signature(statement);
  ExprPtr call = parse_expression();
  if (call->kind != ExprKind::kCall) {
    template_error_at(statement.line, "'call' expects a call of a macro");
  }
  statement.expressions.push_back(std::move(call));
  parse_macro_body(statement, "endcall");
}

void Parser::parse_with(Statement& statement) {
  statement.kind = StatementKind::kWith;
  while (current().kind == TokenKind::kName) {
    Parameter parameter;
    parameter.name = expect_identifier();
    expect_op("=");
    parameter.value = parse_expression();
    statement.parameters.push_back(std::move(parameter));
    if (!skip_op(",")) break;
  }
  statement.body = parse_body({"endwith"});
  expect_name("endwith");
}

}  // namespace edgelm::text
