#pragma once
// From what a user calls a model to what prediction needs of it, without reading or downloading
// weights. Used by `edgelm plan`.

#include <string>
#include <vector>

#include "base/result.h"
#include "predict/model.h"

namespace edgelm::apps {

// A GGUF file, "builtin", "tiny", synth:SHAPE:TYPE, SHAPE:TYPE of a published shape, a name on a
// hub (OWNER/REPO[@REVISION], OWNER/REPO:QUANT, hf:...) or a URL, whose header alone is fetched.
Result<predict::Model> describe_model(const std::string& name);

// Names that leave the type open (SHAPE, synth:SHAPE, OWNER/REPO) once per type; others as they
// are.
std::vector<std::string> with_types(const std::vector<std::string>& names,
                                    const std::vector<std::string>& types);

}  // namespace edgelm::apps
