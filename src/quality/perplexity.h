#pragma once
// Perplexity of a text, by the protocol of llama.cpp's `perplexity` (chunks.h), so that figures
// compare: perplexity = exp(mean negative log-likelihood); stderr = perplexity * standard error of
// that mean over tokens.

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "backend/backend.h"
#include "model/model.h"
#include "quality/evaluation.h"

namespace edgelm::quality {

struct PerplexityOptions {
  std::uint32_t context = 512;   // tokens per chunk, at least 4
  std::uint32_t max_chunks = 0;  // 0: the whole text
  std::uint32_t batch = 256;
  plan::KvType kv_type = plan::KvType::kF16;
  Cancelled cancelled = {};
};

struct Perplexity {
  double perplexity = 0;
  double standard_error = 0;
  std::uint64_t tokens = 0;  // scored
  std::uint32_t chunks = 0;
  std::uint32_t asked_chunks = 0;  // more than `chunks` when it was cancelled
  // Per chunk: its name and the mean log-likelihood of its scored tokens.
  std::vector<Item> items;
};

// Called after every chunk: chunks done, chunks in all, perplexity so far.
using PerplexityProgress = std::function<void(std::uint32_t, std::uint32_t, double)>;

// kUsage when the text has fewer tokens than one chunk, kUnsupported without a vocabulary.
// Cancelled before the first chunk is done, kIo.
Result<Perplexity> perplexity(const std::shared_ptr<const model::Model>& model,
                              backend::Backend& backend, std::string_view text,
                              const PerplexityOptions& options,
                              const PerplexityProgress& progress = {});

// As a record. Its interval is over chunks where there are eight or more, because tokens of one
// text are not independent; `data` names the text.
Record perplexity_record(const Identity& subject, const std::string& data,
                         const PerplexityOptions& options, const Perplexity& result);

}  // namespace edgelm::quality
