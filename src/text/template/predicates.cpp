// Tests: what may follow `is`.

#include <algorithm>
#include <array>

#include "text/template/render.h"
#include "text/template/unicode.h"

namespace edgelm::text {
namespace {

Value other(Args& args) {
  if (args.positional.size() != 1 || !args.named.empty())
    template_error("test expects one argument");
  return args.positional[0];
}

bool is_iterable(const Value& v) {
  return v.is_undefined() || v.is_text() || v.is_list() || v.is_dict();
}
bool is_sequence(const Value& v) {
  return is_iterable(v) && !(v.is_list() && v.list().kind > ListKind::kTuple);
}
bool is_flag(const Value& v, bool flag) { return v.is<bool>() && v.get<bool>() == flag; }

// Some letter, and none of the other case.
bool is_case(const Value& v, std::string (*map)(std::string_view)) {
  const std::string text = to_text(v);
  const bool cased = upper_text(text) != lower_text(text);
  return cased && map(text) == text;
}

bool is_same(Renderer& r, const Value& a, const Value& b) {
  if (a.is<bool>() != b.is<bool>() || a.is<double>() != b.is<double>()) return false;
  return r.equals(a, b);
}

bool has_rest(Renderer& r, const Value& v, const Value& by, std::int64_t rest) {
  if (!v.is_number() && !v.is_undefined())
    template_error("test expects a number, got {}", type_name(v));
  return r.equals(r.arithmetic("%", v, by), Value(rest));
}

using Entry = std::pair<std::string_view, Predicate>;
const std::array<Entry, 39> kPredicates = {{
    {"defined", [](Renderer&, const Value& v, Args&) { return !v.is_undefined(); }},
    {"undefined", [](Renderer&, const Value& v, Args&) { return v.is_undefined(); }},
    {"none", [](Renderer&, const Value& v, Args&) { return v.is_none(); }},
    {"string", [](Renderer&, const Value& v, Args&) { return v.is_text(); }},
    {"mapping", [](Renderer&, const Value& v, Args&) { return v.is_dict(); }},
    {"iterable", [](Renderer&, const Value& v, Args&) { return is_iterable(v); }},
    {"sequence", [](Renderer&, const Value& v, Args&) { return is_sequence(v); }},
    {"number", [](Renderer&, const Value& v, Args&) { return v.is_number(); }},
    {"integer", [](Renderer&, const Value& v, Args&) { return v.is<std::int64_t>(); }},
    {"float", [](Renderer&, const Value& v, Args&) { return v.is<double>(); }},
    {"boolean", [](Renderer&, const Value& v, Args&) { return v.is<bool>(); }},
    {"true", [](Renderer&, const Value& v, Args&) { return is_flag(v, true); }},
    {"false", [](Renderer&, const Value& v, Args&) { return is_flag(v, false); }},
    {"callable", [](Renderer&, const Value& v, Args&) { return v.is<CallableRef>(); }},
    {"even",
     [](Renderer& r, const Value& v, Args&) { return has_rest(r, v, Value(std::int64_t{2}), 0); }},
    {"odd",
     [](Renderer& r, const Value& v, Args&) { return has_rest(r, v, Value(std::int64_t{2}), 1); }},
    {"divisibleby",
     [](Renderer& r, const Value& v, Args& a) { return has_rest(r, v, other(a), 0); }},
    {"lower", [](Renderer&, const Value& v, Args&) { return is_case(v, lower_text); }},
    {"upper", [](Renderer&, const Value& v, Args&) { return is_case(v, upper_text); }},
    {"sameas", [](Renderer& r, const Value& v, Args& a) { return is_same(r, v, other(a)); }},
    {"escaped", [](Renderer&, const Value&, Args&) { return false; }},
    {"filter", [](Renderer&, const Value& v, Args&) { return find_filter(to_text(v)) != nullptr; }},
    {"test",
     [](Renderer&, const Value& v, Args&) { return find_predicate(to_text(v)) != nullptr; }},
    {"in", [](Renderer& r, const Value& v, Args& a) { return r.contains(other(a), v); }},
    {"eq", [](Renderer& r, const Value& v, Args& a) { return r.equals(v, other(a)); }},
    {"equalto", [](Renderer& r, const Value& v, Args& a) { return r.equals(v, other(a)); }},
    {"==", [](Renderer& r, const Value& v, Args& a) { return r.equals(v, other(a)); }},
    {"ne", [](Renderer& r, const Value& v, Args& a) { return !r.equals(v, other(a)); }},
    {"!=", [](Renderer& r, const Value& v, Args& a) { return !r.equals(v, other(a)); }},
    {"lt", [](Renderer& r, const Value& v, Args& a) { return r.order(v, other(a), "<") < 0; }},
    {"lessthan",
     [](Renderer& r, const Value& v, Args& a) { return r.order(v, other(a), "<") < 0; }},
    {"<", [](Renderer& r, const Value& v, Args& a) { return r.order(v, other(a), "<") < 0; }},
    {"le", [](Renderer& r, const Value& v, Args& a) { return r.order(v, other(a), "<=") <= 0; }},
    {"<=", [](Renderer& r, const Value& v, Args& a) { return r.order(v, other(a), "<=") <= 0; }},
    {"gt", [](Renderer& r, const Value& v, Args& a) { return r.order(v, other(a), ">") > 0; }},
    {"greaterthan",
     [](Renderer& r, const Value& v, Args& a) { return r.order(v, other(a), ">") > 0; }},
    {">", [](Renderer& r, const Value& v, Args& a) { return r.order(v, other(a), ">") > 0; }},
    {"ge", [](Renderer& r, const Value& v, Args& a) { return r.order(v, other(a), ">=") >= 0; }},
    {">=", [](Renderer& r, const Value& v, Args& a) { return r.order(v, other(a), ">=") >= 0; }},
}};

}  // namespace

Predicate find_predicate(std::string_view name) {
  const auto at = std::find_if(kPredicates.begin(), kPredicates.end(),
                               [name](const Entry& entry) { return entry.first == name; });
  return at == kPredicates.end() ? nullptr : at->second;
}

}  // namespace edgelm::text
