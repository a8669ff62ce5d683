// json.dumps() for template values, and a small strict reader for tool definitions and messages.

#include "text/template/json.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <vector>

#include "text/template/error.h"
#include "text/template/unicode.h"
#include "text/utf8.h"

namespace edgelm::text {
namespace {

class Writer {
 public:
  explicit Writer(const JsonStyle& style) : style_(style) {}

  void write(const Value& value, std::size_t level) {
    if (out_.size() > kMaxTextBytes) template_limit("JSON exceeds {} bytes", kMaxTextBytes);
    if (value.is_text()) {
      write_text(value.text());
    } else if (value.is_none()) {
      out_ += "null";
    } else if (value.is<bool>()) {
      out_ += value.get<bool>() ? "true" : "false";
    } else if (value.is<std::int64_t>()) {
      out_ += std::to_string(value.get<std::int64_t>());
    } else if (value.is<double>()) {
      write_double(value.get<double>());
    } else if (value.is_list() && value.list().kind <= ListKind::kTuple) {
      write_list(value.list(), level);
    } else if (value.is_dict()) {
      write_dict(value.dict(), level);
    } else {
      template_error("Object of type {} is not JSON serializable", type_name(value));
    }
  }

  std::string take() { return std::move(out_); }

 private:
  void write_double(double value) {
    if (std::isfinite(value)) {
      out_ += number_text(value);
    } else {
      out_ += std::isnan(value) ? "NaN" : (value > 0 ? "Infinity" : "-Infinity");
    }
  }

  void write_text(std::string_view text) {
    constexpr std::string_view kControls = "\"\\\n\r\t\b\f";
    constexpr std::string_view kLetters = "\"\\nrtbf";
    out_ += '"';
    for (std::size_t at = 0; at < text.size();) {
      const CodePoint c = code_point_at(text, at);
      const std::size_t known = kControls.find(text[at]);
      if (known != std::string_view::npos) {
        out_ += '\\';
        out_ += kLetters[known];
      } else if (c.value < 0x20 || (style_.ensure_ascii && c.value >= 0x7F)) {
        write_escape(c.value);
      } else {
        out_ += text.substr(at, c.bytes);
      }
      at += c.bytes;
    }
    out_ += '"';
  }

  void write_escape(char32_t c) {
    if (c == 0x7F) {  // ASCII after all
      out_ += '\x7F';
    } else if (c < 0x10000) {
      out_ += fmt::format("\\u{:04x}", static_cast<std::uint32_t>(c));
    } else {
      const auto rest = static_cast<std::uint32_t>(c) - 0x10000U;
      out_ += fmt::format("\\u{:04x}\\u{:04x}", 0xD800U + (rest >> 10), 0xDC00U + (rest & 0x3FFU));
    }
  }

  void new_line(std::size_t level) {
    if (!style_.indent) return;
    if (style_.indent->size() * level > kMaxTextBytes)
      template_limit("JSON exceeds {} bytes", kMaxTextBytes);
    out_ += '\n';
    for (std::size_t i = 0; i < level; ++i) out_ += *style_.indent;
  }

  void write_list(const List& list, std::size_t level) {
    out_ += '[';
    for (std::size_t i = 0; i < list.items.size(); ++i) {
      if (i > 0) out_ += style_.item_separator;
      new_line(level + 1);
      write(list.items[i], level + 1);
    }
    if (!list.items.empty()) new_line(level);
    out_ += ']';
  }

  void write_dict(const Dict& dict, std::size_t level) {
    std::vector<const Dict::Item*> items;
    for (const Dict::Item& item : dict.items()) items.push_back(&item);
    if (style_.sort_keys) {
      std::uint64_t work = 0;
      std::stable_sort(items.begin(), items.end(), [&work](const auto* a, const auto* b) {
        return compare(a->first, b->first, "<", work) < 0;
      });
    }
    out_ += '{';
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (i > 0) out_ += style_.item_separator;
      new_line(level + 1);
      write_key(items[i]->first);
      out_ += style_.key_separator;
      write(items[i]->second, level + 1);
    }
    if (!items.empty()) new_line(level);
    out_ += '}';
  }

  void write_key(const Value& key) {
    if (key.is_text()) return write_text(key.text());
    out_ += '"';
    write(key, 0);
    out_ += '"';
  }

  const JsonStyle& style_;
  std::string out_;
};

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  Value run() {
    Value value = read(1);
    skip_space();
    if (at_ != text_.size()) broken("nothing more");
    return value;
  }

 private:
  [[noreturn]] void broken(std::string_view expected) const {
    template_error("JSON: expected {} at byte {}", expected, at_);
  }

  void skip_space() {
    while (at_ < text_.size() &&
           std::string_view(" \t\r\n").find(text_[at_]) != std::string_view::npos)
      ++at_;
  }

  bool skip(std::string_view token) {
    if (text_.substr(at_, token.size()) != token) return false;
    at_ += token.size();
    return true;
  }

  Value read(std::uint32_t depth) {
    if (depth > kMaxNesting) template_limit("JSON: nested deeper than {}", kMaxNesting);
    skip_space();
    if (skip("{")) return read_dict(depth);
    if (skip("[")) return read_list(depth);
    if (skip("\"")) return Value(read_text());
    if (skip("true")) return Value(true);
    if (skip("false")) return Value(false);
    if (skip("null")) return Value::none();
    return read_number();
  }

  Value read_dict(std::uint32_t depth) {
    Dict dict;
    skip_space();
    if (skip("}")) return Value(std::move(dict));
    do {
      skip_space();
      if (!skip("\"")) broken("a key");
      Value key(read_text());
      skip_space();
      if (!skip(":")) broken("':'");
      dict.set(std::move(key), read(depth + 1));
      skip_space();
    } while (skip(","));
    if (!skip("}")) broken("'}'");
    return Value(std::move(dict));
  }

  Value read_list(std::uint32_t depth) {
    List list;
    skip_space();
    if (skip("]")) return Value(std::move(list));
    do {
      list.items.push_back(read(depth + 1));
      skip_space();
    } while (skip(","));
    if (!skip("]")) broken("']'");
    return Value(std::move(list));
  }

  // -? (0 | [1-9][0-9]*) (. [0-9]+)? ([eE] [+-]? [0-9]+)?
  Value read_number() {
    const std::size_t start = at_;
    const auto digits = [this] {
      const std::size_t first = at_;
      while (at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9') ++at_;
      if (at_ == first) broken("a value");
      return at_ - first;
    };
    skip("-");
    const bool leading_zero = at_ < text_.size() && text_[at_] == '0';
    if (digits() > 1 && leading_zero) broken("a number without leading zeros");
    bool is_float = false;
    if (skip(".")) {
      is_float = true;
      digits();
    }
    if (skip("e") || skip("E")) {
      is_float = true;
      if (!skip("+")) skip("-");
      digits();
    }
    const char* begin = text_.data() + start;
    const char* end = text_.data() + at_;
    std::int64_t integer = 0;
    if (!is_float && std::from_chars(begin, end, integer).ec == std::errc()) return Value(integer);
    double number = 0;
    if (std::from_chars(begin, end, number).ec != std::errc()) broken("a number in range");
    return Value(number);
  }

  std::uint32_t read_hex4() {
    std::uint32_t value = 0;
    if (at_ + 4 > text_.size()) broken("four hexadecimal digits");
    const auto result = std::from_chars(text_.data() + at_, text_.data() + at_ + 4, value, 16);
    if (result.ptr != text_.data() + at_ + 4) broken("four hexadecimal digits");
    at_ += 4;
    return value;
  }

  void read_escape(std::string& out) {
    constexpr std::string_view kLetters = "\"\\/bfnrt";
    constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
    if (at_ >= text_.size()) broken("an escape");
    const char c = text_[at_++];
    if (c == 'u') {
      std::uint32_t code = read_hex4();
      if (code >= 0xD800 && code < 0xDC00 && skip("\\u")) {
        const std::uint32_t low = read_hex4();
        if (low < 0xDC00 || low > 0xDFFF) broken("a low surrogate");
        code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
      }
      append_utf8(code, out);
      return;
    }
    const std::size_t known = kLetters.find(c);
    if (known == std::string_view::npos) broken("an escape");
    out += kMeanings[known];
  }

  std::string read_text() {
    std::string out;
    for (;;) {
      if (at_ >= text_.size()) broken("'\"'");
      const char c = text_[at_++];
      if (c == '"') return out;
      if (static_cast<unsigned char>(c) < 0x20) broken("no control character");
      if (c == '\\') {
        read_escape(out);
      } else {
        out += c;
      }
    }
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

std::string to_json(const Value& value, const JsonStyle& style) {
  Writer writer(style);
  writer.write(value, 0);
  return writer.take();
}

Value from_json(std::string_view text) { return Reader(repaired_utf8(text)).run(); }

}  // namespace edgelm::text
