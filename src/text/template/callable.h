#pragma once
// What a template can call: functions of the environment, methods bound to a value, macros.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "text/template/value.h"

namespace edgelm::text {

class Renderer;
struct MacroClosure;

// The arguments of one call. take() hands out a parameter by position or name; done() then refuses
// what is left over.
class Args {
 public:
  std::vector<Value> positional;
  std::vector<std::pair<std::string, Value>> named;

  // Parameter number `index` called `name`; undefined when absent.
  Value take(std::size_t index, std::string_view name);
  Value require(std::string_view callee, std::size_t index, std::string_view name);
  bool take_bool(std::size_t index, std::string_view name, bool fallback);
  std::int64_t take_int(std::size_t index, std::string_view name, std::int64_t fallback);
  std::string take_text(std::size_t index, std::string_view name, std::string_view fallback);
  void done(std::string_view callee, std::size_t n_parameters) const;
};

using Function = Value (*)(Renderer& renderer, const Value& self, Args& args);

struct Callable {
  std::string name;
  Function function = nullptr;
  Value self;                           // of a method
  const MacroClosure* macro = nullptr;  // owned by the Renderer
};

}  // namespace edgelm::text
