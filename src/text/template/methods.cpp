// Methods of dicts and lists that only read, those that would write (refused, as Hugging Face's
// immutable sandbox does), and loop.cycle().

#include <algorithm>
#include <array>

#include "text/template/render.h"

namespace edgelm::text {
namespace {

using Entry = std::pair<std::string_view, Function>;

Value get(Renderer&, const Value& self, Args& args) {
  const Value key = args.take(0, "key");
  Value fallback = args.take(1, "default");
  args.done("get", 2);
  if (const Value* found = self.dict().find(key)) return *found;
  return fallback.is_undefined() ? Value::none() : fallback;
}

Value items(Renderer& r, const Value& self, Args& args) {
  args.done("items", 0);
  std::vector<Value> out;
  for (const auto& [key, value] : self.dict().items()) {
    out.push_back(r.make_list({key, value}, ListKind::kTuple));
  }
  return r.make_list(std::move(out), ListKind::kView);
}

Value keys(Renderer& r, const Value& self, Args& args) {
  args.done("keys", 0);
  return r.make_list(r.iterate(self), ListKind::kView);
}

Value values(Renderer& r, const Value& self, Args& args) {
  args.done("values", 0);
  std::vector<Value> out;
  for (const auto& [key, value] : self.dict().items()) out.push_back(value);
  return r.make_list(std::move(out), ListKind::kView);
}

Value copy(Renderer&, const Value& self, Args& args) {
  args.done("copy", 0);
  return self;  // it cannot change
}

Value index(Renderer& r, const Value& self, Args& args) {
  const Value wanted = args.take(0, "value");
  args.done("index", 1);
  const auto& list = self.list().items;
  const auto at =
      std::find_if(list.begin(), list.end(), [&](const Value& v) { return r.equals(v, wanted); });
  if (at == list.end()) template_error("value is not in list");
  return Value(static_cast<std::int64_t>(at - list.begin()));
}

Value count(Renderer& r, const Value& self, Args& args) {
  const Value wanted = args.take(0, "value");
  args.done("count", 1);
  const auto& list = self.list().items;
  return Value(static_cast<std::int64_t>(std::count_if(
      list.begin(), list.end(), [&](const Value& v) { return r.equals(v, wanted); })));
}

Value refused(Renderer&, const Value& self, Args&) {
  throw TemplateError{ErrorCode::kUnsupported,
                      fmt::format("a template may not change a {}", type_name(self)), 0};
}

Value cycle(Renderer&, const Value& self, Args& args) {
  if (args.positional.empty()) template_error("cycle: no items given");
  return args.positional[self.get<LoopRef>()->index % args.positional.size()];
}

constexpr std::array<Entry, 11> kDictMethods = {{
    {"get", get},
    {"items", items},
    {"keys", keys},
    {"values", values},
    {"copy", copy},
    {"clear", refused},
    {"pop", refused},
    {"popitem", refused},
    {"setdefault", refused},
    {"update", refused},
    {"fromkeys", refused},
}};

constexpr std::array<Entry, 11> kListMethods = {{
    {"index", index},
    {"count", count},
    {"copy", copy},
    {"append", refused},
    {"clear", refused},
    {"extend", refused},
    {"insert", refused},
    {"pop", refused},
    {"remove", refused},
    {"reverse", refused},
    {"sort", refused},
}};

template <std::size_t N>
Function find_in(const std::array<Entry, N>& entries, std::string_view name) {
  const auto at = std::find_if(entries.begin(), entries.end(),
                               [name](const Entry& entry) { return entry.first == name; });
  return at == entries.end() ? nullptr : at->second;
}

}  // namespace

Function find_method(const Value& object, std::string_view name) {
  if (object.is_text()) return find_text_method(name);
  if (object.is_dict()) return find_in(kDictMethods, name);
  if (object.is_list() && object.list().kind <= ListKind::kTuple)
    return find_in(kListMethods, name);
  if (object.is<LoopRef>() && name == "cycle") return cycle;
  return nullptr;
}

}  // namespace edgelm::text
