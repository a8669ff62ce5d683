// Methods of text: Python's str, except those that make bytes or depend on a locale.

#include <algorithm>
#include <array>

#include "text/template/format.h"
#include "text/template/render.h"
#include "text/template/text_tools.h"
#include "text/template/unicode.h"

namespace edgelm::text {
namespace {

template <std::string (*Map)(std::string_view)>
Value mapped(Renderer& r, const Value& self, Args& args) {
  args.done("method", 0);
  return r.make_text(Map(self.text()));
}

enum Side { kLeft = 1, kRight = 2, kBoth = 3 };

template <Side Which>
Value strip(Renderer& r, const Value& self, Args& args) {
  const Value set = args.take(0, "chars");
  args.done("strip", 1);
  const bool by_space = set.is_undefined() || set.is_none();
  if (!by_space && !set.is_text()) template_error("strip: expected str, got {}", type_name(set));
  const std::string_view chars = by_space ? std::string_view() : set.text();
  std::string_view text = self.text();
  if ((Which & kLeft) != 0) text = strip_left(text, chars, by_space);
  if ((Which & kRight) != 0) text = strip_right(text, chars, by_space);
  return r.make_text(std::string(text));
}

Value texts(Renderer& r, const std::vector<std::string_view>& parts) {
  std::vector<Value> items;
  items.reserve(parts.size());
  for (const std::string_view part : parts) items.push_back(r.make_text(std::string(part)));
  return r.make_list(std::move(items));
}

// The separator of split(); empty for white space.
std::string separator_of(Args& args, std::string_view callee) {
  const Value separator = args.take(0, "sep");
  if (separator.is_undefined() || separator.is_none()) return {};
  if (!separator.is_text())
    template_error("{}: expected str, got {}", callee, type_name(separator));
  if (separator.text().empty()) template_error("{}: empty separator", callee);
  return std::string(separator.text());
}

Value split(Renderer& r, const Value& self, Args& args) {
  const std::string separator = separator_of(args, "split");
  const std::int64_t max_splits = args.take_int(1, "maxsplit", -1);
  args.done("split", 2);
  r.charge(self.text().size() / 16);
  return texts(r, separator.empty() ? split_on_space(self.text(), max_splits)
                                    : split_on(self.text(), separator, max_splits));
}

Value rsplit(Renderer& r, const Value& self, Args& args) {
  const std::string separator = separator_of(args, "rsplit");
  const std::int64_t max_splits = args.take_int(1, "maxsplit", -1);
  args.done("rsplit", 2);
  r.charge(self.text().size() / 16);
  std::string_view rest = self.text();
  if (max_splits < 0) {
    return texts(r, separator.empty() ? split_on_space(rest, -1) : split_on(rest, separator, -1));
  }
  if (separator.empty()) template_error("rsplit: a maxsplit needs a separator");
  std::vector<std::string_view> parts;
  for (std::int64_t n = 0; n < max_splits; ++n) {
    const std::size_t found = rest.rfind(separator);
    if (found == std::string_view::npos) break;
    parts.push_back(rest.substr(found + separator.size()));
    rest = rest.substr(0, found);
  }
  parts.push_back(rest);
  std::reverse(parts.begin(), parts.end());
  return texts(r, parts);
}

Value split_lines_method(Renderer& r, const Value& self, Args& args) {
  const bool keep_ends = args.take_bool(0, "keepends", false);
  args.done("splitlines", 1);
  r.charge(self.text().size() / 16);
  return texts(r, split_lines(self.text(), keep_ends));
}

template <bool AtStart>
bool matches(std::string_view text, const Value& affix) {
  if (!affix.is_text()) template_error("expected str or a tuple of str, got {}", type_name(affix));
  return AtStart ? text.starts_with(affix.text()) : text.ends_with(affix.text());
}

template <bool AtStart>
Value has_affix(Renderer&, const Value& self, Args& args) {
  const Value affix = args.require(AtStart ? "startswith" : "endswith", 0, "affix");
  args.done(AtStart ? "startswith" : "endswith", 1);
  if (!affix.is_list()) return Value(matches<AtStart>(self.text(), affix));
  const auto& items = affix.list().items;
  return Value(std::any_of(items.begin(), items.end(),
                           [&](const Value& item) { return matches<AtStart>(self.text(), item); }));
}

template <bool AtStart>
Value without_affix(Renderer& r, const Value& self, Args& args) {
  const std::string affix = args.take_text(0, "affix", "");
  args.done("removeprefix", 1);
  std::string_view text = self.text();
  if (AtStart && text.starts_with(affix)) text.remove_prefix(affix.size());
  if (!AtStart && text.ends_with(affix)) text.remove_suffix(affix.size());
  return r.make_text(std::string(text));
}

Value replace(Renderer& r, const Value& self, Args& args) {
  const Value from = args.require("replace", 0, "old");
  const Value to = args.require("replace", 1, "new");
  const std::int64_t count = args.take_int(2, "count", -1);
  args.done("replace", 3);
  if (!from.is_text() || !to.is_text()) template_error("replace: expected two str");
  return r.make_text(replaced(self.text(), from.text(), to.text(), count));
}

// find, rfind, index and rindex: a position in code points.
template <bool FromEnd, bool MustExist>
Value find(Renderer& r, const Value& self, Args& args) {
  const std::string wanted = args.take_text(0, "sub", "");
  args.done("find", 1);
  const std::string_view text = self.text();
  r.charge(text.size() / 16);
  const std::size_t at = FromEnd ? text.rfind(wanted) : text.find(wanted);
  if (at == std::string_view::npos) {
    if (MustExist) template_error("substring not found");
    return Value(std::int64_t{-1});
  }
  return Value(static_cast<std::int64_t>(count_code_points(text.substr(0, at))));
}

Value count(Renderer& r, const Value& self, Args& args) {
  const std::string wanted = args.take_text(0, "sub", "");
  args.done("count", 1);
  r.charge(self.text().size() / 16);
  if (wanted.empty()) return Value(static_cast<std::int64_t>(count_code_points(self.text())) + 1);
  return Value(static_cast<std::int64_t>(split_on(self.text(), wanted, -1).size()) - 1);
}

Value join(Renderer& r, const Value& self, Args& args) {
  const Value parts = args.require("join", 0, "iterable");
  args.done("join", 1);
  std::string out;
  bool first = true;
  for (const Value& part : r.iterate(parts)) {
    if (!part.is_text()) template_error("join: expected str, got {}", type_name(part));
    if (!first) out += self.text();
    first = false;
    out += part.text();
    if (out.size() > kMaxTextBytes) template_limit("text exceeds {} bytes", kMaxTextBytes);
  }
  return r.make_text(std::move(out));
}

template <Align How>
Value align(Renderer& r, const Value& self, Args& args) {
  const std::int64_t width = args.take_int(0, "width", 0);
  const std::string fill = args.take_text(1, "fillchar", " ");
  args.done("align", 2);
  if (fill.size() != 1) template_error("the fill character must be one ASCII character");
  return r.make_text(aligned(self.text(), width, fill[0], How));
}

Value zero_fill(Renderer& r, const Value& self, Args& args) {
  const std::int64_t width = args.take_int(0, "width", 0);
  args.done("zfill", 1);
  const std::string_view text = self.text();
  const bool sign = text.starts_with('-') || text.starts_with('+');
  return r.make_text(std::string(text.substr(0, sign ? 1 : 0)) + aligned(text.substr(sign ? 1 : 0),
                                                                         width - (sign ? 1 : 0),
                                                                         '0', Align::kRight));
}

template <bool FromEnd>
Value partition(Renderer& r, const Value& self, Args& args) {
  const std::string separator = separator_of(args, "partition");
  args.done("partition", 1);
  if (separator.empty()) template_error("partition: a separator is needed");
  const std::string_view text = self.text();
  const std::size_t at = FromEnd ? text.rfind(separator) : text.find(separator);
  const bool found = at != std::string_view::npos;
  const std::string_view before = found ? text.substr(0, at) : (FromEnd ? "" : text);
  const std::string_view after = found ? text.substr(at + separator.size()) : (FromEnd ? text : "");
  return r.make_list({r.make_text(std::string(before)), Value(found ? separator : ""),
                      r.make_text(std::string(after))},
                     ListKind::kTuple);
}

Value format(Renderer& r, const Value& self, Args& args) {
  return r.make_text(brace_format(r, self.text(), args));
}

bool is_digit(char32_t c) { return c >= '0' && c <= '9'; }
bool is_alnum(char32_t c) { return is_digit(c) || is_alpha(c); }

template <bool (*Test)(char32_t)>
Value all(Renderer& r, const Value& self, Args& args) {
  args.done("method", 0);
  const std::string_view text = self.text();
  r.charge(text.size() / 16);
  for (std::size_t at = 0; at < text.size(); at += code_point_at(text, at).bytes) {
    if (!Test(code_point_at(text, at).value)) return Value(false);
  }
  return Value(!text.empty());
}

template <std::string (*Map)(std::string_view)>
Value is_case(Renderer& r, const Value& self, Args& args) {
  args.done("method", 0);
  r.charge(self.text().size() / 8);
  const bool cased = upper_text(self.text()) != lower_text(self.text());
  return Value(cased && Map(self.text()) == self.text());
}

constexpr std::array<std::pair<std::string_view, Function>, 37> kMethods = {{
    {"split", split},
    {"rsplit", rsplit},
    {"splitlines", split_lines_method},
    {"strip", strip<kBoth>},
    {"lstrip", strip<kLeft>},
    {"rstrip", strip<kRight>},
    {"startswith", has_affix<true>},
    {"endswith", has_affix<false>},
    {"removeprefix", without_affix<true>},
    {"removesuffix", without_affix<false>},
    {"replace", replace},
    {"upper", mapped<upper_text>},
    {"lower", mapped<lower_text>},
    {"casefold", mapped<lower_text>},
    {"title", mapped<titled_words>},
    {"capitalize", mapped<capitalized_text>},
    {"find", find<false, false>},
    {"rfind", find<true, false>},
    {"index", find<false, true>},
    {"rindex", find<true, true>},
    {"count", count},
    {"join", join},
    {"center", align<Align::kCenter>},
    {"ljust", align<Align::kLeft>},
    {"rjust", align<Align::kRight>},
    {"zfill", zero_fill},
    {"partition", partition<false>},
    {"rpartition", partition<true>},
    {"format", format},
    {"isdigit", all<is_digit>},
    {"isdecimal", all<is_digit>},
    {"isnumeric", all<is_digit>},
    {"isalpha", all<is_alpha>},
    {"isalnum", all<is_alnum>},
    {"isspace", all<is_space>},
    {"isupper", is_case<upper_text>},
    {"islower", is_case<lower_text>},
}};

}  // namespace

Function find_text_method(std::string_view name) {
  const auto at = std::find_if(kMethods.begin(), kMethods.end(),
                               [name](const auto& entry) { return entry.first == name; });
  return at == kMethods.end() ? nullptr : at->second;
}

}  // namespace edgelm::text
