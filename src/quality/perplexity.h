#pragma once
// Perplexity of a text, by the protocol of llama.cpp's `perplexity`, so that figures compare: the
// text is tokenized once (with BOS where the model wants one), cut into chunks of `context` tokens,
// each chunk's first token is replaced by BOS, and only its second half is scored.
// perplexity = exp(mean negative log-likelihood); stderr = perplexity * standard error of that
// mean.

#include <cstdint>
#include <functional>
#include <string_view>

#include "backend/backend.h"
#include "model/model.h"

namespace edgelm::quality {

struct PerplexityOptions {
  std::uint32_t context = 512;   // tokens per chunk, at least 4
  std::uint32_t max_chunks = 0;  // 0: the whole text
  std::uint32_t batch = 256;
  plan::KvType kv_type = plan::KvType::kF16;
};

struct Perplexity {
  double perplexity = 0;
  double standard_error = 0;
  std::uint64_t tokens = 0;  // scored
  std::uint32_t chunks = 0;
};

// Called after every chunk: chunks done, chunks in all, perplexity so far.
using PerplexityProgress = std::function<void(std::uint32_t, std::uint32_t, double)>;

// kUsage when the text has fewer tokens than one chunk, kUnsupported without a vocabulary.
Result<Perplexity> perplexity(const std::shared_ptr<const model::Model>& model,
                              backend::Backend& backend, std::string_view text,
                              const PerplexityOptions& options,
                              const PerplexityProgress& progress = {});

}  // namespace edgelm::quality
