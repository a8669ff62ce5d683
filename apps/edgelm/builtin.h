#pragma once
// The models that are part of the program: bytes of models/*.gguf, embedded by builtin.S.

#include <string_view>

#include "base/bytes.h"

namespace edgelm::apps {

struct BuiltinModel {
  std::string_view name;  // as the command line calls it
  std::string_view description;
  Bytes bytes;  // 64-byte aligned, lives as long as the program
};

// nullptr when no built-in model has this name. "" names the default one.
const BuiltinModel* find_builtin(std::string_view name);

}  // namespace edgelm::apps
