// Names for the embedded bytes.

#include "apps/edgelm/builtin.h"

#include <array>

extern "C" {
extern const std::byte edgelm_builtin_default_begin[];
extern const std::byte edgelm_builtin_default_end[];
extern const std::byte edgelm_builtin_tiny_begin[];
extern const std::byte edgelm_builtin_tiny_end[];
}

namespace edgelm::apps {

const BuiltinModel* find_builtin(std::string_view name) {
  static const std::array<BuiltinModel, 2> kModels = {{
      {"builtin",
       "novels, 6 million parameters",
       {edgelm_builtin_default_begin, edgelm_builtin_default_end}},
      {"tiny",
       "novels, 2 to 3 million parameters",
       {edgelm_builtin_tiny_begin, edgelm_builtin_tiny_end}},
  }};
  if (name.empty()) return kModels.data();
  for (const BuiltinModel& model : kModels)
    if (model.name == name) return &model;
  return nullptr;
}

}  // namespace edgelm::apps
