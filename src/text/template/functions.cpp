// Functions of the environment: Jinja2's range, dict and namespace, and what Hugging Face adds.

#include "text/template/render.h"

namespace edgelm::text {
namespace {

constexpr std::int64_t kMaxRange = 100'000;  // as Jinja2's sandbox

Value range(Renderer& r, const Value&, Args& args) {
  args.done("range", 3);
  std::int64_t bounds[3] = {0, 0, 1};
  for (std::size_t i = 0; i < args.positional.size(); ++i) {
    const Value& value = args.positional[i];
    if (value.is_undefined()) throw_undefined(value);
    if (!value.is_integer()) template_error("range: expected int, got {}", type_name(value));
    bounds[i] = value.integer();
  }
  if (args.positional.empty()) template_error("range: expected 1 to 3 arguments, got 0");
  if (args.positional.size() == 1) std::swap(bounds[0], bounds[1]);
  const auto [start, stop, step] = bounds;
  if (step == 0) template_error("range: step must not be zero");
  std::vector<Value> items;
  std::int64_t i = start;
  while (step > 0 ? i < stop : i > stop) {
    if (static_cast<std::int64_t>(items.size()) == kMaxRange) {
      template_limit("range: more than {} items", kMaxRange);
    }
    items.emplace_back(i);
    if (__builtin_add_overflow(i, step, &i)) break;
  }
  return r.make_list(std::move(items));
}

// dict(a=1) and dict({...}, a=1) and dict(list of pairs).
Dict dict_of(Renderer& r, Args& args) {
  Dict dict;
  if (args.positional.size() > 1) template_error("expected at most 1 argument");
  if (!args.positional.empty()) {
    const Value& source = args.positional[0];
    if (source.is_dict()) {
      r.charge(4 * source.dict().size());
      for (const auto& [key, value] : source.dict().items()) dict.set(key, value);
    } else {
      for (const Value& pair : r.iterate(source)) {
        const std::vector<Value> parts = r.iterate(pair);
        if (parts.size() != 2) template_error("dict: expected pairs, got {} values", parts.size());
        r.charge(4);
        dict.set(parts[0], parts[1]);
      }
    }
  }
  for (const auto& [name, value] : args.named) dict.set(Value(name), value);
  return dict;
}

Value make_dict(Renderer& r, const Value&, Args& args) { return Value(dict_of(r, args)); }

Value make_namespace(Renderer& r, const Value&, Args& args) {
  Namespace* space = r.make_namespace();
  const Dict dict = dict_of(r, args);
  for (const auto& [key, value] : dict.items()) space->attributes[to_text(key)] = value;
  return Value(space);
}

Value raise_exception(Renderer&, const Value&, Args& args) {
  throw TemplateError{ErrorCode::kUsage, to_text(args.require("raise_exception", 0, "message")), 0};
}

Value strftime_now(Renderer& r, const Value&, Args& args) {
  const std::string format = args.take_text(0, "format", "");
  args.done("strftime_now", 1);
  char buffer[512];
  if (format.size() > 100) template_limit("strftime_now: format exceeds 100 bytes");
  const std::size_t size = std::strftime(buffer, sizeof(buffer), format.c_str(), &r.now());
  return r.make_text(std::string(buffer, size));
}

}  // namespace

const std::vector<std::pair<std::string_view, Function>>& global_functions() {
  static const std::vector<std::pair<std::string_view, Function>> functions = {
      {"range", range},
      {"dict", make_dict},
      {"namespace", make_namespace},
      {"raise_exception", raise_exception},
      {"strftime_now", strftime_now},
  };
  return functions;
}

}  // namespace edgelm::text
