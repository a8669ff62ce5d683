// Filters on lists and dicts.

#include <algorithm>
#include <array>
#include <charconv>

#include "text/template/render.h"
#include "text/template/text_tools.h"
#include "text/template/unicode.h"

namespace edgelm::text {
namespace {

// item.a.b for attribute "a.b", item[0] for "0"; the item itself for none.
Value attribute_of(Renderer& r, const Value& item, const Value& attribute) {
  if (attribute.is_undefined() || attribute.is_none()) return item;
  if (!attribute.is_text()) return r.item(item, attribute);
  Value value = item;
  for (const std::string_view part : split_on(attribute.text(), ".", -1)) {
    std::int64_t index = 0;
    const auto result = std::from_chars(part.data(), part.data() + part.size(), index);
    const bool number = !part.empty() && part[0] != '-' && result.ec == std::errc() &&
                        result.ptr == part.data() + part.size();
    value = r.item(value, number ? Value(index) : Value(part));
  }
  return value;
}

Value folded(Renderer& r, const Value& value, bool case_sensitive) {
  return value.is_text() && !case_sensitive ? r.make_text(lower_text(value.text())) : value;
}

Value length(Renderer& r, const Value& value, Args& args) {
  args.done("length", 0);
  const auto count = [](std::size_t n) { return Value(static_cast<std::int64_t>(n)); };
  if (value.is_undefined()) return count(0);
  if (value.is_text()) {
    r.charge(value.text().size() / 64);
    return count(count_code_points(value.text()));
  }
  if (value.is_list() && value.list().kind != ListKind::kGenerator)
    return count(value.list().items.size());
  if (value.is_dict()) return count(value.dict().size());
  template_error("object of type '{}' has no len()", type_name(value));
}

Value fallback(Renderer&, const Value& value, Args& args) {
  Value other = args.take(0, "default_value");
  const bool boolean = args.take_bool(1, "boolean", false);
  args.done("default", 2);
  if (other.is_undefined()) other = Value("");
  return value.is_undefined() || (boolean && !truth(value)) ? other : value;
}

Value join(Renderer& r, const Value& value, Args& args) {
  const Value separator = args.take(0, "d");
  const Value attribute = args.take(1, "attribute");
  args.done("join", 2);
  const std::string between = to_text(separator);
  std::string out;
  bool first = true;
  for (const Value& item : r.iterate(value)) {
    if (!first) out += between;
    first = false;
    out += to_text(attribute_of(r, item, attribute));
    if (out.size() > kMaxTextBytes) template_limit("text exceeds {} bytes", kMaxTextBytes);
  }
  return r.make_text(std::move(out));
}

Value first(Renderer& r, const Value& value, Args& args) {
  args.done("first", 0);
  const std::vector<Value> items = r.iterate(value);
  return items.empty() ? Value::undefined("no first item, sequence was empty") : items.front();
}

Value last(Renderer& r, const Value& value, Args& args) {
  args.done("last", 0);
  const std::vector<Value> items = r.iterate(value);
  return items.empty() ? Value::undefined("no last item, sequence was empty") : items.back();
}

Value to_list(Renderer& r, const Value& value, Args& args) {
  args.done("list", 0);
  return r.make_list(r.iterate(value));
}

Value reverse(Renderer& r, const Value& value, Args& args) {
  args.done("reverse", 0);
  std::vector<Value> items = r.iterate(value);
  std::reverse(items.begin(), items.end());
  if (!value.is_text()) return r.make_list(std::move(items), ListKind::kGenerator);
  std::string text;
  for (const Value& item : items) text += item.text();
  return r.make_text(std::move(text));
}

// map and the select family do not look into what is false, be it iterable or not.
std::vector<Value> items_if_true(Renderer& r, const Value& value) {
  return truth(value) ? r.iterate(value) : std::vector<Value>();
}

Value map(Renderer& r, const Value& value, Args& args) {
  std::vector<Value> out;
  if (args.positional.empty()) {
    const Value attribute = args.require("map", 0, "attribute");
    const Value other = args.take(1, "default");
    args.done("map", 0);
    for (const Value& item : items_if_true(r, value)) {
      out.push_back(attribute_of(r, item, attribute));
      if (out.back().is_undefined() && !other.is_undefined()) out.back() = other;
    }
  } else {
    const std::string name = to_text(args.positional[0]);
    args.positional.erase(args.positional.begin());
    for (const Value& item : items_if_true(r, value)) {
      r.charge(1);
      Args copy = args;
      out.push_back(r.filter(name, item, copy));
    }
  }
  return r.make_list(std::move(out), ListKind::kGenerator);
}

// select, reject, selectattr and rejectattr.
template <bool Keep, bool ByAttribute>
Value select(Renderer& r, const Value& value, Args& args) {
  Value attribute;
  if (ByAttribute) {
    attribute = args.require("selectattr", 0, "attribute");
    args.positional.erase(args.positional.begin());
  }
  std::string name;
  if (!args.positional.empty()) {
    name = to_text(args.positional[0]);
    args.positional.erase(args.positional.begin());
  }
  std::vector<Value> out;
  for (const Value& item : items_if_true(r, value)) {
    r.charge(1);
    const Value tested = attribute_of(r, item, attribute);
    Args copy = args;
    if ((name.empty() ? truth(tested) : r.test(name, tested, copy)) == Keep) out.push_back(item);
  }
  return r.make_list(std::move(out), ListKind::kGenerator);
}

Value pairs(Renderer& r, const Dict& dict, ListKind kind) {
  std::vector<Value> out;
  for (const auto& [key, item] : dict.items())
    out.push_back(r.make_list({key, item}, ListKind::kTuple));
  return r.make_list(std::move(out), kind);
}

Value items(Renderer& r, const Value& value, Args& args) {
  args.done("items", 0);
  if (value.is_undefined()) return r.make_list({}, ListKind::kGenerator);
  if (!value.is_dict()) template_error("Can only get item pairs from a mapping.");
  return pairs(r, value.dict(), ListKind::kGenerator);
}

struct Keyed {
  Value key;
  Value value;
};

std::vector<Value> sorted(Renderer& r, std::vector<Keyed> keyed, bool descending) {
  std::stable_sort(keyed.begin(), keyed.end(), [&](const Keyed& a, const Keyed& b) {
    r.charge(1);
    return (descending ? r.order(b.key, a.key, "<") : r.order(a.key, b.key, "<")) < 0;
  });
  std::vector<Value> out;
  out.reserve(keyed.size());
  for (Keyed& entry : keyed) out.push_back(std::move(entry.value));
  return out;
}

Value sort(Renderer& r, const Value& value, Args& args) {
  const bool descending = args.take_bool(0, "reverse", false);
  const bool case_sensitive = args.take_bool(1, "case_sensitive", false);
  const Value attribute = args.take(2, "attribute");
  args.done("sort", 3);
  std::vector<Keyed> keyed;
  for (Value& item : r.iterate(value)) {
    Value key = folded(r, attribute_of(r, item, attribute), case_sensitive);
    keyed.push_back({std::move(key), std::move(item)});
  }
  return r.make_list(sorted(r, std::move(keyed), descending));
}

Value dictsort(Renderer& r, const Value& value, Args& args) {
  const bool case_sensitive = args.take_bool(0, "case_sensitive", false);
  const std::string by = args.take_text(1, "by", "key");
  const bool descending = args.take_bool(2, "reverse", false);
  args.done("dictsort", 3);
  if (by != "key" && by != "value") template_error("dictsort: 'by' must be 'key' or 'value'");
  if (value.is_undefined()) throw_undefined(value);
  if (!value.is_dict()) template_error("dictsort: expected a dict, got {}", type_name(value));
  std::vector<Keyed> keyed;
  for (const auto& [key, item] : value.dict().items()) {
    keyed.push_back({folded(r, by == "key" ? key : item, case_sensitive),
                     r.make_list({key, item}, ListKind::kTuple)});
  }
  return r.make_list(sorted(r, std::move(keyed), descending));
}

Value unique(Renderer& r, const Value& value, Args& args) {
  const bool case_sensitive = args.take_bool(0, "case_sensitive", false);
  const Value attribute = args.take(1, "attribute");
  args.done("unique", 2);
  std::vector<Value> seen;
  std::vector<Value> out;
  for (Value& item : r.iterate(value)) {
    Value key = folded(r, attribute_of(r, item, attribute), case_sensitive);
    if (std::any_of(seen.begin(), seen.end(), [&](const Value& s) { return r.equals(s, key); }))
      continue;
    seen.push_back(std::move(key));
    out.push_back(std::move(item));
  }
  return r.make_list(std::move(out), ListKind::kGenerator);
}

template <int Sign>
Value extreme(Renderer& r, const Value& value, Args& args) {
  const bool case_sensitive = args.take_bool(0, "case_sensitive", false);
  const Value attribute = args.take(1, "attribute");
  args.done("min", 2);
  Value best = Value::undefined("no aggregated item, sequence was empty");
  Value best_key;
  bool empty = true;
  for (const Value& item : r.iterate(value)) {
    Value key = folded(r, attribute_of(r, item, attribute), case_sensitive);
    if (!empty && Sign * r.order(key, best_key, "<") <= 0) continue;
    empty = false;
    best = item;
    best_key = std::move(key);
  }
  return best;
}

Value sum(Renderer& r, const Value& value, Args& args) {
  const Value attribute = args.take(0, "attribute");
  Value total = args.take(1, "start");
  args.done("sum", 2);
  if (total.is_undefined()) total = Value(std::int64_t{0});
  for (const Value& item : r.iterate(value)) {
    total = r.arithmetic("+", total, attribute_of(r, item, attribute));
  }
  return total;
}

Value batch(Renderer& r, const Value& value, Args& args) {
  const std::int64_t size = args.take_int(0, "linecount", 0);
  const Value fill = args.take(1, "fill_with");
  args.done("batch", 2);
  if (size < 1) template_error("batch: linecount must be positive, got {}", size);
  const auto n = static_cast<std::size_t>(size);
  std::vector<Value> out;
  std::vector<Value> row;
  for (Value& item : r.iterate(value)) {
    row.push_back(std::move(item));
    if (row.size() < n) continue;
    out.push_back(r.make_list(std::exchange(row, {})));
  }
  if (!row.empty()) {
    const bool fills = !fill.is_undefined() && !fill.is_none();
    if (fills) r.charge(n - row.size());
    if (fills) row.resize(n, fill);
    out.push_back(r.make_list(std::move(row)));
  }
  return r.make_list(std::move(out), ListKind::kGenerator);
}

Value attr(Renderer& r, const Value& value, Args& args) {
  const std::string name = to_text(args.require("attr", 0, "name"));
  args.done("attr", 1);
  return value.is_dict() ? Value::undefined("no such attribute") : r.attribute(value, name);
}

constexpr std::array<std::pair<std::string_view, Function>, 23> kFilters = {{
    {"length", length},
    {"count", length},
    {"default", fallback},
    {"d", fallback},
    {"join", join},
    {"first", first},
    {"last", last},
    {"list", to_list},
    {"reverse", reverse},
    {"map", map},
    {"select", select<true, false>},
    {"reject", select<false, false>},
    {"selectattr", select<true, true>},
    {"rejectattr", select<false, true>},
    {"items", items},
    {"sort", sort},
    {"dictsort", dictsort},
    {"unique", unique},
    {"min", extreme<-1>},
    {"max", extreme<1>},
    {"sum", sum},
    {"batch", batch},
    {"attr", attr},
}};

}  // namespace

Function find_list_filter(std::string_view name) {
  const auto at = std::find_if(kFilters.begin(), kFilters.end(),
                               [name](const auto& entry) { return entry.first == name; });
  return at == kFilters.end() ? nullptr : at->second;
}

}  // namespace edgelm::text
