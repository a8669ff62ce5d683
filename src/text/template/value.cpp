// Truth, equality, order and text of template values, by Python's rules.

#include "text/template/value.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "text/template/callable.h"
#include "text/template/error.h"

namespace edgelm::text {
namespace {

std::uint32_t checked_depth(std::uint32_t depth) {
  if (depth > kMaxNesting) template_limit("lists and dicts nested deeper than {}", kMaxNesting);
  return depth;
}

// Equal keys (1, 1.0 and true among them) have equal texts.
std::string key_text(const Value& key) {
  if (key.is_text()) return "s" + std::string(key.text());
  if (key.is_none()) return "n";
  if (key.is_integer()) return std::to_string(key.integer());
  if (key.is<double>()) {
    const double number = key.get<double>();
    const bool whole = std::trunc(number) == number && std::abs(number) < 9e18;
    return whole ? std::to_string(static_cast<std::int64_t>(number)) : number_text(number);
  }
  if (key.is_undefined()) return "u";
  template_error("unhashable type: '{}'", type_name(key));
}

// repr() of nested values; `out` is bounded because a namespace may contain itself.
void append_repr(const Value& value, std::string& out, std::uint32_t depth);

void append_text_repr(std::string_view text, std::string& out) {
  const bool single =
      text.find('\'') == std::string_view::npos || text.find('"') != std::string_view::npos;
  const char quote = single ? '\'' : '"';
  out += quote;
  for (const char c : text) {
    if (c == quote || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\r') {
      out += "\\r";
    } else if (c == '\t') {
      out += "\\t";
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned>(c));
    } else {
      out += c;
    }
  }
  out += quote;
}

void append_list_repr(const List& list, std::string& out, std::uint32_t depth) {
  const bool tuple = list.kind == ListKind::kTuple;
  out += tuple ? '(' : '[';
  for (std::size_t i = 0; i < list.items.size(); ++i) {
    if (i > 0) out += ", ";
    append_repr(list.items[i], out, depth + 1);
  }
  if (tuple && list.items.size() == 1) out += ',';
  out += tuple ? ')' : ']';
}

void append_repr(const Value& value, std::string& out, std::uint32_t depth) {
  if (depth > kMaxNesting || out.size() > kMaxTextBytes) {
    template_limit("text of a value exceeds {} bytes or {} levels", kMaxTextBytes, kMaxNesting);
  }
  if (value.is_text()) {
    append_text_repr(value.text(), out);
  } else if (value.is_list()) {
    append_list_repr(value.list(), out, depth);
  } else if (value.is_dict()) {
    out += '{';
    for (std::size_t i = 0; i < value.dict().size(); ++i) {
      const auto& [key, item] = value.dict().items()[i];
      if (i > 0) out += ", ";
      append_repr(key, out, depth + 1);
      out += ": ";
      append_repr(item, out, depth + 1);
    }
    out += '}';
  } else if (value.is_undefined()) {
    out += "Undefined";
  } else {
    out += to_text(value);
  }
}

void count_work(std::uint64_t& work, std::uint64_t steps) {
  work += steps;
  if (work > kMaxSteps) template_limit("comparison of more than {} values", kMaxSteps);
}

bool equal_lists(const List& a, const List& b, std::uint64_t& work) {
  if ((a.kind == ListKind::kTuple) != (b.kind == ListKind::kTuple)) return false;
  return std::equal(a.items.begin(), a.items.end(), b.items.begin(), b.items.end(),
                    [&work](const Value& x, const Value& y) { return equal(x, y, work); });
}

bool equal_dicts(const Dict& a, const Dict& b, std::uint64_t& work) {
  if (a.size() != b.size()) return false;
  return std::all_of(a.items().begin(), a.items().end(), [&](const Dict::Item& item) {
    const Value* other = b.find(item.first);
    return other != nullptr && equal(item.second, *other, work);
  });
}

template <class T>
int order(const T& a, const T& b) {
  return a < b ? -1 : (b < a ? 1 : 0);
}

}  // namespace

Value::Value(List list) {
  for (const Value& item : list.items) list.depth = std::max(list.depth, nesting(item) + 1);
  checked_depth(list.depth);
  storage_ = std::make_shared<const List>(std::move(list));
}

Value::Value(Dict dict) : storage_(std::make_shared<const Dict>(std::move(dict))) {}

Value Value::undefined(std::string what) {
  return Value(Undefined{std::make_shared<const std::string>(std::move(what))});
}

std::int64_t Value::integer() const {
  return is<bool>() ? (get<bool>() ? 1 : 0) : get<std::int64_t>();
}

double Value::number() const {
  return is<double>() ? get<double>() : static_cast<double>(integer());
}

void Dict::set(Value key, Value value) {
  depth_ = checked_depth(std::max(depth_, nesting(value) + 1));
  const auto [at, is_new] = index_.try_emplace(key_text(key), items_.size());
  if (is_new) {
    items_.emplace_back(std::move(key), std::move(value));
  } else {
    items_[at->second].second = std::move(value);
  }
}

const Value* Dict::find(const Value& key) const {
  const auto at = index_.find(key_text(key));
  return at == index_.end() ? nullptr : &items_[at->second].second;
}

const Value* Dict::find(std::string_view key) const {
  const auto at = index_.find("s" + std::string(key));
  return at == index_.end() ? nullptr : &items_[at->second].second;
}

std::uint32_t nesting(const Value& value) {
  if (value.is_list()) return value.list().depth;
  return value.is_dict() ? value.dict().depth() : 0;
}

bool truth(const Value& value) {
  if (value.is_undefined() || value.is_none()) return false;
  if (value.is<double>()) return value.get<double>() != 0;
  if (value.is_integer()) return value.integer() != 0;
  if (value.is_text()) return !value.text().empty();
  if (value.is_list()) {
    return value.list().kind == ListKind::kGenerator || !value.list().items.empty();
  }
  if (value.is_dict()) return value.dict().size() > 0;
  return true;
}

bool equal(const Value& a, const Value& b, std::uint64_t& work) {
  count_work(work, 1);
  if (a.is_integer() && b.is_integer()) return a.integer() == b.integer();
  if (a.is_number() && b.is_number()) return a.number() == b.number();
  if (a.is_text() && b.is_text()) {
    count_work(work, std::min(a.text().size(), b.text().size()) / 64);
    return a.text() == b.text();
  }
  if (a.is_list() && b.is_list()) return equal_lists(a.list(), b.list(), work);
  if (a.is_dict() && b.is_dict()) return equal_dicts(a.dict(), b.dict(), work);
  if (a.is<CallableRef>() && b.is<CallableRef>())
    return a.get<CallableRef>() == b.get<CallableRef>();
  if (a.is<Namespace*>() && b.is<Namespace*>()) return a.get<Namespace*>() == b.get<Namespace*>();
  return (a.is_none() && b.is_none()) || (a.is_undefined() && b.is_undefined());
}

int compare(const Value& a, const Value& b, std::string_view op, std::uint64_t& work) {
  if (a.is_undefined()) throw_undefined(a);
  if (b.is_undefined()) throw_undefined(b);
  if (a.is_integer() && b.is_integer()) return order(a.integer(), b.integer());
  if (a.is_number() && b.is_number()) return order(a.number(), b.number());
  if (a.is_text() && b.is_text()) {
    count_work(work, std::min(a.text().size(), b.text().size()) / 64);
    return order(a.text(), b.text());
  }
  if (a.is_list() && b.is_list()) {
    const auto& left = a.list().items;
    const auto& right = b.list().items;
    for (std::size_t i = 0; i < std::min(left.size(), right.size()); ++i) {
      if (!equal(left[i], right[i], work)) return compare(left[i], right[i], op, work);
    }
    return order(left.size(), right.size());
  }
  template_error("'{}' not supported between '{}' and '{}'", op, type_name(a), type_name(b));
}

std::string_view type_name(const Value& value) {
  if (value.is_undefined()) return "Undefined";
  if (value.is_none()) return "NoneType";
  if (value.is<bool>()) return "bool";
  if (value.is<std::int64_t>()) return "int";
  if (value.is<double>()) return "float";
  if (value.is_text()) return "str";
  if (value.is_dict()) return "dict";
  if (value.is<Namespace*>()) return "Namespace";
  if (value.is<LoopRef>()) return "LoopContext";
  if (value.is<CallableRef>()) return "function";
  switch (value.list().kind) {
    case ListKind::kTuple:
      return "tuple";
    case ListKind::kView:
      return "dict view";
    case ListKind::kGenerator:
      return "generator";
    case ListKind::kList:
      break;
  }
  return "list";
}

// Python's repr(float): the shortest digits that read back, fixed notation for 1e-4 <= |x| < 1e16.
std::string number_text(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  char buffer[400];
  const double magnitude = std::abs(value);
  const bool fixed = magnitude == 0 || (magnitude >= 1e-4 && magnitude < 1e16);
  const auto end = std::to_chars(buffer, buffer + sizeof(buffer), value,
                                 fixed ? std::chars_format::fixed : std::chars_format::scientific);
  std::string text(buffer, end.ptr);
  if (fixed && text.find('.') == std::string::npos) text += ".0";
  return text;
}

std::string to_text(const Value& value) {
  if (value.is_text()) return std::string(value.text());
  if (value.is_undefined()) return {};
  if (value.is_none()) return "None";
  if (value.is<bool>()) return value.get<bool>() ? "True" : "False";
  if (value.is<std::int64_t>()) return std::to_string(value.get<std::int64_t>());
  if (value.is<double>()) return number_text(value.get<double>());
  if (value.is<Namespace*>()) return "<Namespace>";
  if (value.is<LoopRef>()) {
    const Loop& loop = *value.get<LoopRef>();
    return fmt::format("<LoopContext {}/{}>", loop.index + 1, loop.items.size());
  }
  if (value.is<CallableRef>()) return fmt::format("<function {}>", value.get<CallableRef>()->name);
  return to_repr(value);
}

std::string to_repr(const Value& value) {
  std::string out;
  append_repr(value, out, 0);
  return out;
}

void throw_undefined(const Value& value) {
  const auto& what = value.get<Undefined>().what;
  template_error("{}", what == nullptr ? "value is undefined" : *what);
}

}  // namespace edgelm::text
