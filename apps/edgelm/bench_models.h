#pragma once
// The models of a sweep: names with --types filled in, and each model opened or made when its first
// cell is due, so that there are never two made ones in memory.

#include <optional>
#include <string>
#include <vector>

#include "apps/edgelm/models.h"
#include "measure/sweep.h"

namespace edgelm::apps {

// "synth:SHAPE" becomes synth:SHAPE:TYPE for every type, a name with {type} likewise (as it is
// given, or in lower case where only that file exists); all others stand as they are. kUsage for
// {type} without --types and for synth names that are wrong.
Result<std::vector<std::string>> expand_models(const std::vector<std::string>& names,
                                               const std::vector<std::string>& types);

// What identifies each model in records. A name that leads to no GGUF file ends the sweep before it
// begins, with all such names in the message; one whose weights do not load, or that goes bad
// later, does not: why is the result of its cells.
Result<std::vector<measure::SweepModel>> sweep_models(const std::vector<std::string>& names);

// The model whose cells are being measured.
class CurrentModel {
 public:
  // Makes a synth: model; -1 for all others. kMemory when there is no room for it.
  Result<int> descriptor_of(const std::string& name);

 private:
  std::string name_;
  std::optional<ModelSource> source_;
};

}  // namespace edgelm::apps
