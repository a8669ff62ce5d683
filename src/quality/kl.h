#pragma once
// How far a model's predictions are from those of a base (usually the same model before
// quantization) on a text: Kullback-Leibler divergence, agreement on the most likely token,
// perplexity ratio. The tokens are those of perplexity (chunks.h). Definitions are llama.cpp's
// (`perplexity --kl-divergence`); docs/quality.md.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "backend/backend.h"
#include "model/model.h"
#include "quality/base_file.h"
#include "quality/evaluation.h"

namespace edgelm::quality {

struct KlOptions {
  std::uint32_t context = 512;   // tokens per chunk; a base file brings its own
  std::uint32_t max_chunks = 0;  // 0: the whole text, or all of the base file
  std::uint32_t batch = 128;     // rows of logits held, twice
  plan::KvType kv_type = plan::KvType::kF16;
  Cancelled cancelled = {};
  Progress progress = {};
};

// One scored position.
struct KlPosition {
  double divergence = 0;                 // nats
  double base_logprob = 0, logprob = 0;  // of the token that came
  bool same_top = false;
};

// From all logits of both.
KlPosition compare_logits(std::span<const float> base, std::span<const float> logits,
                          std::int32_t next);

// From what a base file keeps. The tokens that it does not name count as one, so the divergence is
// a lower bound (log-sum inequality); the rest is exact.
class TopComparison {
 public:
  KlPosition compare(const BasePosition& base, std::span<const float> logits, std::int32_t next);

 private:
  std::vector<std::uint8_t> named_;  // per id; all zero between calls
};

struct Percentile {
  double share = 0;  // 0.5: the median
  double value = 0;
};

struct KlResult {
  bool lower_bound = false;
  std::uint64_t tokens = 0;
  std::uint32_t chunks = 0, asked_chunks = 0;
  Mean divergence;
  Interval divergence_interval;  // over chunks where there are eight or more
  std::vector<Percentile> divergence_percentiles;
  double base_perplexity = 0, perplexity = 0;
  Mean log_ratio;  // ln(PPL / PPL of the base): of the paired differences, so covariance is in it
  std::uint64_t same_top = 0;
  Mean delta_p;  // probability of the token that came, minus the base's
  double rms_delta_p = 0, rms_error = 0;
  std::vector<Percentile> delta_p_percentiles;
  // Per chunk: means of divergence, log ratio, agreement.
  std::vector<Item> divergence_items, ratio_items, same_items;
};

// Both models side by side; nothing is kept of the base. kUsage when their vocabularies differ.
Result<KlResult> kl_divergence(const std::shared_ptr<const model::Model>& base,
                               const std::shared_ptr<const model::Model>& model,
                               backend::Backend& backend, std::string_view text,
                               const KlOptions& options);

// Against a base file. kUsage when the text, cut and tokenized as the file says, gives other
// tokens.
Result<KlResult> kl_divergence(const BaseFile& base,
                               const std::shared_ptr<const model::Model>& model,
                               backend::Backend& backend, std::string_view text,
                               const KlOptions& options);

// Writes a base file of `top_k` tokens per position; nothing is left behind when it fails or is
// cancelled.
Status save_base(const std::shared_ptr<const model::Model>& model, backend::Backend& backend,
                 std::string_view text, const KlOptions& options, std::uint32_t top_k,
                 const std::string& path);

// "mean KL divergence", "same top token", "ln PPL ratio".
std::vector<Record> kl_records(const Identity& subject, const std::string& base,
                               const std::string& data, const KlOptions& options,
                               const KlResult& result);

}  // namespace edgelm::quality
