// Filters on text and numbers, and tojson. Names, parameters and results are Jinja2's; tojson is
// Hugging Face's.

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "text/template/format.h"
#include "text/template/json.h"
#include "text/template/render.h"
#include "text/template/text_tools.h"
#include "text/template/unicode.h"

namespace edgelm::text {
namespace {

template <std::string (*Map)(std::string_view)>
Value mapped(Renderer& r, const Value& value, Args& args) {
  args.done("filter", 0);
  return r.make_text(Map(to_text(value)));
}

Value identity(Renderer& r, const Value& value, Args& args) {
  args.done("filter", 0);
  return value.is_text() ? value : r.make_text(to_text(value));
}

Value safe(Renderer&, const Value& value, Args&) { return value; }

Value trim(Renderer& r, const Value& value, Args& args) {
  const Value set = args.take(0, "chars");
  args.done("trim", 1);
  const bool by_space = set.is_undefined() || set.is_none();
  const std::string chars = by_space ? "" : to_text(set);
  const std::string text = to_text(value);
  return r.make_text(std::string(strip_right(strip_left(text, chars, by_space), chars, by_space)));
}

Value replace(Renderer& r, const Value& value, Args& args) {
  const std::string from = to_text(args.require("replace", 0, "old"));
  const std::string to = to_text(args.require("replace", 1, "new"));
  const std::int64_t count = args.take_int(2, "count", -1);
  args.done("replace", 3);
  return r.make_text(replaced(to_text(value), from, to, count));
}

// Like str.title(), but words begin behind white space and -({[< only.
std::string title_words(std::string_view text) {
  std::string out;
  bool start = true;
  for (std::size_t at = 0; at < text.size();) {
    const CodePoint c = code_point_at(text, at);
    const bool separator =
        is_space(c.value) ||
        (c.bytes == 1 && std::string_view("-({[<").find(text[at]) != std::string_view::npos);
    append_utf8(start ? to_upper(c.value) : to_lower(c.value), out);
    start = separator;
    at += c.bytes;
  }
  return out;
}

Value indent(Renderer& r, const Value& value, Args& args) {
  const Value width = args.take(0, "width");
  const bool first = args.take_bool(1, "first", false);
  const bool blank = args.take_bool(2, "blank", false);
  args.done("indent", 3);
  std::string margin(4, ' ');
  if (width.is_text()) {
    margin = width.text();
  } else if (!width.is_undefined()) {
    if (!width.is_integer())
      template_error("indent: width must be int or str, got {}", type_name(width));
    margin = aligned("", width.integer(), ' ', Align::kLeft);
  }
  const std::string text = to_text(value) + "\n";
  std::string out = first ? margin : "";
  const auto lines = split_lines(text, false);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (i > 0) out += '\n';
    if (i > 0 && (blank || !lines[i].empty())) out += margin;
    out += lines[i];
    if (out.size() > kMaxTextBytes) template_limit("text exceeds {} bytes", kMaxTextBytes);
  }
  return r.make_text(std::move(out));
}

Value center(Renderer& r, const Value& value, Args& args) {
  const std::int64_t width = args.take_int(0, "width", 80);
  args.done("center", 1);
  return r.make_text(aligned(to_text(value), width, ' ', Align::kCenter));
}

Value truncate(Renderer& r, const Value& value, Args& args) {
  const std::int64_t length = std::max<std::int64_t>(0, args.take_int(0, "length", 255));
  const bool kill_words = args.take_bool(1, "killwords", false);
  const std::string end = args.take_text(2, "end", "...");
  const std::int64_t leeway = args.take_int(3, "leeway", 5);
  args.done("truncate", 4);
  const std::string text = to_text(value);
  if (static_cast<std::int64_t>(count_code_points(text)) <= length + leeway)
    return r.make_text(text);
  const auto keep = length - static_cast<std::int64_t>(count_code_points(end));
  if (keep < 0)
    template_error("truncate: expected length >= {}, got {}", count_code_points(end), length);
  std::string kept = text.substr(0, byte_offset(text, static_cast<std::size_t>(keep)));
  if (!kill_words) kept = kept.substr(0, kept.rfind(' '));
  return r.make_text(kept + end);
}

Value word_count(Renderer&, const Value& value, Args& args) {
  args.done("wordcount", 0);
  return Value(static_cast<std::int64_t>(split_on_space(to_text(value), -1).size()));
}

// float(text); false when it is not a number.
bool parse_float(std::string_view text, double& number) {
  text = strip_right(strip_left(text, "", true), "", true);
  if (!text.empty() && text[0] == '+') text.remove_prefix(1);
  const auto result = std::from_chars(text.data(), text.data() + text.size(), number);
  return !text.empty() && result.ec == std::errc() && result.ptr == text.data() + text.size();
}

Value to_int(Renderer&, const Value& value, Args& args) {
  Value fallback = args.take(0, "default");
  const std::int64_t base = args.take_int(1, "base", 10);
  args.done("int", 2);
  if (base < 2 || base > 36) template_error("int: base must be 2 to 36, got {}", base);
  if (fallback.is_undefined()) fallback = Value(std::int64_t{0});
  double number = 0;
  if (value.is_undefined()) throw_undefined(value);
  if (value.is_integer()) return Value(value.integer());
  if (value.is<double>()) {
    number = value.get<double>();
  } else if (value.is_text()) {
    std::string_view text = strip_right(strip_left(value.text(), "", true), "", true);
    std::string_view digits = text;
    if (!digits.empty() && digits[0] == '+') digits.remove_prefix(1);
    if (base == 16 && (digits.starts_with("0x") || digits.starts_with("0X")))
      digits.remove_prefix(2);
    std::int64_t integer = 0;
    const auto result = std::from_chars(digits.data(), digits.data() + digits.size(), integer,
                                        static_cast<int>(base));
    if (!digits.empty() && result.ec == std::errc() &&
        result.ptr == digits.data() + digits.size()) {
      return Value(integer);
    }
    if (!parse_float(text, number)) return fallback;
  } else {
    return fallback;
  }
  if (!(std::abs(number) < 9.2e18)) return fallback;
  return Value(static_cast<std::int64_t>(number));
}

Value to_float(Renderer&, const Value& value, Args& args) {
  Value fallback = args.take(0, "default");
  args.done("float", 1);
  if (fallback.is_undefined()) fallback = Value(0.0);
  if (value.is_undefined()) throw_undefined(value);
  if (value.is_number()) return Value(value.number());
  double number = 0;
  return value.is_text() && parse_float(value.text(), number) ? Value(number) : fallback;
}

Value absolute(Renderer& r, const Value& value, Args& args) {
  args.done("abs", 0);
  if (value.is<double>()) return Value(std::abs(value.get<double>()));
  const bool negative = value.is_integer() && value.integer() < 0;
  return r.arithmetic(negative ? "-" : "+", Value(std::int64_t{0}), value);
}

Value round_number(Renderer&, const Value& value, Args& args) {
  const std::int64_t precision = args.take_int(0, "precision", 0);
  const std::string method = args.take_text(1, "method", "common");
  args.done("round", 2);
  if (method != "common" && method != "ceil" && method != "floor") {
    template_error("round: method must be common, ceil or floor, got '{}'", method);
  }
  if (value.is_undefined()) throw_undefined(value);
  if (!value.is_number()) template_error("round: expected a number, got {}", type_name(value));
  if (precision < -300 || precision > 300)
    template_error("round: precision {} is out of range", precision);
  const double scale = std::pow(10.0, static_cast<double>(precision));
  const double number = value.number();
  if (method == "ceil") return Value(std::ceil(number * scale) / scale);
  if (method == "floor") return Value(std::floor(number * scale) / scale);
  if (value.is_integer() && precision >= 0) return Value(value.integer());
  if (!std::isfinite(number)) return Value(number);
  if (precision < 0) {
    const double rounded = std::nearbyint(number * scale) / scale;
    return value.is_integer() ? Value(static_cast<std::int64_t>(rounded)) : Value(rounded);
  }
  // Correctly rounded decimal text, read back: what Python does.
  const std::string text = fmt::format("{:.{}f}", number, precision);
  double rounded = 0;
  std::from_chars(text.data(), text.data() + text.size(), rounded);
  return Value(rounded);
}

Value format_filter(Renderer& r, const Value& value, Args& args) {
  if (!args.named.empty()) {
    Dict dict;
    for (auto& [name, item] : args.named) dict.set(Value(name), item);
    return r.make_text(percent_format(r, to_text(value), Value(std::move(dict))));
  }
  return r.make_text(
      percent_format(r, to_text(value), r.make_list(args.positional, ListKind::kTuple)));
}

Value tojson(Renderer& r, const Value& value, Args& args) {
  JsonStyle style;
  style.ensure_ascii = args.take_bool(0, "ensure_ascii", false);
  const Value indentation = args.take(1, "indent");
  const Value separators = args.take(2, "separators");
  style.sort_keys = args.take_bool(3, "sort_keys", false);
  args.done("tojson", 4);
  if (indentation.is_text()) {
    style.indent = std::string(indentation.text());
  } else if (indentation.is_integer()) {
    style.indent = aligned("", indentation.integer(), ' ', Align::kLeft);
  }
  if (style.indent) style.item_separator = ",";
  if (separators.is_list() && separators.list().items.size() == 2) {
    style.item_separator = to_text(separators.list().items[0]);
    style.key_separator = to_text(separators.list().items[1]);
  }
  return r.make_text(to_json(value, style));
}

constexpr std::array<std::pair<std::string_view, Function>, 21> kFilters = {{
    {"upper", mapped<upper_text>},
    {"lower", mapped<lower_text>},
    {"capitalize", mapped<capitalized_text>},
    {"title", mapped<title_words>},
    {"escape", mapped<html_escaped>},
    {"e", mapped<html_escaped>},
    {"forceescape", mapped<html_escaped>},
    {"string", identity},
    {"safe", safe},
    {"trim", trim},
    {"replace", replace},
    {"indent", indent},
    {"center", center},
    {"truncate", truncate},
    {"wordcount", word_count},
    {"int", to_int},
    {"float", to_float},
    {"abs", absolute},
    {"round", round_number},
    {"format", format_filter},
    {"tojson", tojson},
}};

}  // namespace

Function find_text_filter(std::string_view name) {
  const auto at = std::find_if(kFilters.begin(), kFilters.end(),
                               [name](const auto& entry) { return entry.first == name; });
  return at == kFilters.end() ? nullptr : at->second;
}

Function find_filter(std::string_view name) {
  const Function function = find_text_filter(name);
  return function != nullptr ? function : find_list_filter(name);
}

}  // namespace edgelm::text
