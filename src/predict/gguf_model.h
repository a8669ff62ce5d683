#pragma once
// A model's description from its GGUF header, also of architectures that this build cannot run:
// grouped, multi-query and latent attention, sliding windows, mixtures of experts, convolution and
// recurrent layers. Only the tables are read. Keys: ggml's docs/gguf.md and llama.cpp's
// src/llama-arch.cpp (LLM_KV_NAMES).

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "formats/gguf.h"
#include "predict/model.h"

namespace edgelm::predict {

// `file` may be opened with any policy; with kHeader `file_bytes` says how large the whole is (all
// parts; 0: what the tensors take). kFormat names file, key, expected and got: no layers, absurd
// counts, missing keys.
// `more`: headers of the other parts of a model that is split into several files.
using GgufParts = std::vector<std::reference_wrapper<const formats::GgufFile>>;
Result<Model> model_of_gguf(const formats::GgufFile& file, const std::string& name,
                            std::uint64_t file_bytes = 0, const GgufParts& more = {});

}  // namespace edgelm::predict
