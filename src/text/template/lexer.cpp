// White space rules (Jinja2's Template Designer Documentation, "Whitespace Control"): a tag written
// with '-' eats all white space on that side; a block or comment tag that is alone on its line up
// to the tag loses its indentation (lstrip_blocks) and the newline after it (trim_blocks), unless
// '+'.

#include "text/template/lexer.h"

#include <algorithm>
#include <array>

#include "text/template/error.h"
#include "text/template/literals.h"
#include "text/template/unicode.h"

namespace edgelm::text {
namespace {

bool is_name_start(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}
bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Newlines become \n and one at the end is dropped, as Jinja2 does before it looks for tags.
std::string normalized(std::string_view source) {
  std::string out;
  out.reserve(source.size());
  for (std::size_t i = 0; i < source.size(); ++i) {
    if (source[i] == '\r') {
      out += '\n';
      if (i + 1 < source.size() && source[i + 1] == '\n') ++i;
    } else {
      out += source[i];
    }
  }
  if (!out.empty() && out.back() == '\n') out.pop_back();
  return out;
}

class Lexer {
 public:
  explicit Lexer(std::string_view source) : source_(normalized(source)), rest_(source_) {}

  std::vector<Token> run() {
    while (at_ < rest_.size()) {
      const std::size_t tag = find_tag(at_);
      if (tag == std::string_view::npos) {
        add_data(rest_.substr(at_));
        at_ = rest_.size();
        break;
      }
      read_tag(tag);
    }
    add(TokenKind::kEnd, "");
    return std::move(tokens_);
  }

 private:
  [[nodiscard]] bool looking_at(std::string_view text) const {
    return rest_.substr(at_, text.size()) == text;
  }

  void add(TokenKind kind, std::string_view text) {
    tokens_.push_back({kind, std::string(text), line_});
  }

  void add_data(std::string_view text) {
    if (!text.empty()) add(TokenKind::kData, text);
  }

  void move_to(std::size_t at) {
    line_ += static_cast<std::uint32_t>(std::count(rest_.begin() + static_cast<std::ptrdiff_t>(at_),
                                                   rest_.begin() + static_cast<std::ptrdiff_t>(at),
                                                   '\n'));
    line_start_ = at > at_ ? rest_[at - 1] == '\n' : line_start_;
    at_ = at;
  }

  [[nodiscard]] std::size_t find_tag(std::size_t from) const {
    for (std::size_t i = rest_.find('{', from); i != std::string_view::npos;
         i = rest_.find('{', i + 1)) {
      if (i + 1 >= rest_.size()) break;
      if (rest_[i + 1] == '{' || rest_[i + 1] == '%' || rest_[i + 1] == '#') return i;
    }
    return std::string_view::npos;
  }

  [[nodiscard]] std::size_t skip_space(std::size_t at) const {
    while (at < rest_.size()) {
      const CodePoint c = code_point_at(rest_, at);
      if (!is_space(c.value)) break;
      at += c.bytes;
    }
    return at;
  }

  // The text before a tag, after the tag's own '-' or '+' and lstrip_blocks have had their say.
  [[nodiscard]] std::string_view data_before(std::string_view text, char sign,
                                             bool variable) const {
    if (sign == '-') return strip_right(text, "", true);
    if (sign == '+' || variable) return text;
    const std::size_t newline = text.rfind('\n');
    if (newline == std::string_view::npos && !line_start_) return text;
    const std::size_t start = newline == std::string_view::npos ? 0 : newline + 1;
    const bool blank = strip_left(text.substr(start), "", true).empty();
    return blank ? text.substr(0, start) : text;
  }

  void read_tag(std::size_t tag) {
    const char kind = rest_[tag + 1];
    const char sign = tag + 2 < rest_.size() ? rest_[tag + 2] : '\0';
    const bool signed_tag = sign == '-' || sign == '+';
    add_data(data_before(rest_.substr(at_, tag - at_), sign, kind == '{'));
    move_to(tag + (signed_tag ? 3 : 2));
    if (kind == '#') {
      skip_comment();
    } else if (kind == '%' && is_raw()) {
      read_raw();
    } else {
      add(kind == '{' ? TokenKind::kVariableBegin : TokenKind::kBlockBegin, "");
      read_code(kind == '{');
    }
  }

  // Just behind the two characters that end a tag, `sign` standing before them: what it eats.
  void end_tag(char sign, bool trim) {
    if (sign == '-') {
      move_to(skip_space(at_));
    } else if (sign != '+' && trim && looking_at("\n")) {
      move_to(at_ + 1);
    }
  }

  void skip_comment() {
    const std::size_t end = rest_.find("#}", at_);
    if (end == std::string_view::npos) template_error_at(line_, "comment is not closed");
    const char sign = end > at_ ? rest_[end - 1] : '\0';
    move_to(end + 2);
    end_tag(sign, true);
  }

  // Whether the block that begins here is {% raw %}.
  [[nodiscard]] bool is_raw() const {
    std::size_t at = skip_space(at_);
    if (rest_.substr(at, 3) != "raw") return false;
    at = skip_space(at + 3);
    return rest_.substr(at, 2) == "%}" || rest_.substr(at, 3) == "-%}";
  }

  void read_raw() {
    const std::size_t open = rest_.find("%}", at_);
    const char open_sign = rest_[open - 1];
    move_to(open + 2);
    end_tag(open_sign, false);
    for (std::size_t tag = rest_.find("{%", at_); tag != std::string_view::npos;
         tag = rest_.find("{%", tag + 1)) {
      const char sign = tag + 2 < rest_.size() ? rest_[tag + 2] : '\0';
      std::size_t at = skip_space(tag + (sign == '-' || sign == '+' ? 3 : 2));
      if (rest_.substr(at, 6) != "endraw") continue;
      at = skip_space(at + 6);
      const char close_sign = at < rest_.size() ? rest_[at] : '\0';
      if (close_sign == '-' || close_sign == '+') ++at;
      if (rest_.substr(at, 2) != "%}") continue;
      add_data(data_before(rest_.substr(at_, tag - at_), sign, false));
      move_to(at + 2);
      end_tag(close_sign, true);
      return;
    }
    template_error_at(line_, "raw block is not closed");
  }

  void read_code(bool variable) {
    const std::string_view close = variable ? "}}" : "%}";
    std::string brackets;
    for (;;) {
      move_to(skip_space(at_));
      if (at_ >= rest_.size()) template_error_at(line_, "'{}' is missing", close);
      if (brackets.empty()) {
        const char sign = rest_[at_];
        const std::size_t mark = sign == '-' || (sign == '+' && !variable) ? 1 : 0;
        if (rest_.substr(at_ + mark, 2) == close) {
          add(variable ? TokenKind::kVariableEnd : TokenKind::kBlockEnd, "");
          move_to(at_ + mark + 2);
          end_tag(mark == 1 ? sign : '\0', !variable);
          return;
        }
      }
      read_token(brackets);
    }
  }

  void read_token(std::string& brackets) {
    const char c = rest_[at_];
    if (is_name_start(c)) {
      std::size_t end = at_;
      while (end < rest_.size() && (is_name_start(rest_[end]) || is_digit(rest_[end]))) ++end;
      add(TokenKind::kName, rest_.substr(at_, end - at_));
      move_to(end);
    } else if (is_digit(c)) {
      read_number();
    } else if (c == '\'' || c == '"') {
      read_string(c);
    } else {
      read_operator(brackets);
    }
  }

  void read_number() {
    std::size_t end = at_;
    bool is_float = false;
    const auto digits = [&] {
      while (end < rest_.size() && (is_digit(rest_[end]) || rest_[end] == '_')) ++end;
    };
    const char kind = at_ + 1 < rest_.size() ? static_cast<char>(rest_[at_ + 1] | 0x20) : '\0';
    if (rest_[at_] == '0' && (kind == 'x' || kind == 'o' || kind == 'b')) {
      end += 2;
      while (end < rest_.size() && (is_digit(rest_[end]) || is_name_start(rest_[end]))) ++end;
    } else {
      digits();
      if (end + 1 < rest_.size() && rest_[end] == '.' && is_digit(rest_[end + 1])) {
        is_float = true;
        ++end;
        digits();
      }
      std::size_t exponent = end + 1;
      if (exponent < rest_.size() && (rest_[exponent] == '+' || rest_[exponent] == '-')) ++exponent;
      if (end < rest_.size() && (rest_[end] | 0x20) == 'e' && exponent < rest_.size() &&
          is_digit(rest_[exponent])) {
        is_float = true;
        end = exponent;
        digits();
      }
    }
    std::string text(rest_.substr(at_, end - at_));
    std::erase(text, '_');
    add(is_float ? TokenKind::kFloat : TokenKind::kInteger, text);
    move_to(end);
  }

  void read_string(char quote) {
    std::size_t end = at_ + 1;
    while (end < rest_.size() && rest_[end] != quote) end += rest_[end] == '\\' ? 2 : 1;
    if (end >= rest_.size()) template_error_at(line_, "string is not closed");
    add(TokenKind::kText, unescaped(rest_.substr(at_ + 1, end - at_ - 1), line_));
    move_to(end + 1);
  }

  void read_operator(std::string& brackets) {
    constexpr std::array<std::string_view, 6> kLong = {"//", "**", "==", "!=", ">=", "<="};
    const auto found = std::find_if(kLong.begin(), kLong.end(),
                                    [&](std::string_view op) { return looking_at(op); });
    const std::string_view op = found != kLong.end() ? *found : rest_.substr(at_, 1);
    constexpr std::string_view kShort = "+-/*%~[](){}><=.:|,;";
    if (op.size() == 1 && kShort.find(op) == std::string_view::npos) {
      template_error_at(line_, "unexpected character {}", quoted_character(rest_, at_));
    }
    if (op == "(" || op == "[" || op == "{") {
      brackets += op == "(" ? ')' : (op == "[" ? ']' : '}');
    } else if (op == ")" || op == "]" || op == "}") {
      if (brackets.empty() || brackets.back() != op[0]) {
        template_error_at(line_, "unexpected '{}'", op);
      }
      brackets.pop_back();
    }
    add(TokenKind::kOperator, op);
    move_to(at_ + op.size());
  }

  std::string source_;
  std::string_view rest_;  // all of source_
  std::size_t at_ = 0;
  std::uint32_t line_ = 1;
  bool line_start_ = true;  // nothing, or a newline, before at_
  std::vector<Token> tokens_;
};

}  // namespace

std::vector<Token> lex_template(std::string_view source) { return Lexer(source).run(); }

}  // namespace edgelm::text
