#pragma once
// Splits a template into tokens the way Jinja2 does with trim_blocks and lstrip_blocks on, which is
// how Hugging Face renders chat templates.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace edgelm::text {

enum class TokenKind : std::uint8_t {
  kData,           // text between tags, white space control applied
  kVariableBegin,  // {{
  kVariableEnd,    // }}
  kBlockBegin,     // {%
  kBlockEnd,       // %}
  kName,
  kText,  // a string literal, unescaped
  kInteger,
  kFloat,
  kOperator,
  kEnd,
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  std::string text;
  std::uint32_t line = 1;
};

// `source` must be valid UTF-8. Throws TemplateError.
std::vector<Token> lex_template(std::string_view source);

}  // namespace edgelm::text
