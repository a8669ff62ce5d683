// Chunked evaluation and the running mean of the negative log-likelihood.

#include "quality/perplexity.h"

#include <cmath>
#include <vector>

#include "engine/evaluator.h"
#include "text/sampler.h"

namespace edgelm::quality {
namespace {

// Sums of x and x^2 of the negative log-likelihoods.
struct Sums {
  double sum = 0;
  double squares = 0;
  std::uint64_t count = 0;

  void add(double value) {
    sum += value;
    squares += value * value;
    ++count;
  }
  [[nodiscard]] double mean() const { return sum / static_cast<double>(count); }
  [[nodiscard]] double standard_error() const {
    if (count < 2) return 0;
    const auto n = static_cast<double>(count);
    const double variance = squares / n - mean() * mean();
    return std::sqrt(std::max(variance, 0.0) / (n - 1));
  }
};

}  // namespace

Result<Perplexity> perplexity(const std::shared_ptr<const model::Model>& model,
                              backend::Backend& backend, std::string_view text,
                              const PerplexityOptions& options,
                              const PerplexityProgress& progress) {
  const text::Tokenizer* tokenizer = model->tokenizer();
  if (tokenizer == nullptr)
    return fail(ErrorCode::kUnsupported, "{}: no vocabulary, so text cannot be scored",
                model->file().path());
  const std::uint32_t context = options.context;
  if (context < 4)
    return fail(ErrorCode::kUsage, "chunks of {} tokens are too short, expected 4 or more",
                context);
  EDGELM_TRY_ASSIGN(const std::vector<text::TokenId> ids, tokenizer->encode(text, {}));
  const std::uint64_t available = ids.size() / context;
  if (available == 0)
    return fail(
        ErrorCode::kUsage,
        "the text has {} tokens, fewer than one chunk of {}; use a longer text or a smaller "
        "-c",
        ids.size(), context);
  const auto n_chunks = static_cast<std::uint32_t>(
      options.max_chunks != 0 ? std::min<std::uint64_t>(options.max_chunks, available) : available);
  EDGELM_TRY_ASSIGN(
      const auto evaluator,
      engine::Evaluator::create(model, backend, context, options.batch, options.kv_type));

  const text::SpecialTokens& special = tokenizer->special();
  const std::uint32_t first = context / 2;
  Sums sums;
  std::vector<text::TokenId> chunk(context);
  for (std::uint32_t index = 0; index < n_chunks; ++index) {
    const auto begin = ids.begin() + static_cast<std::ptrdiff_t>(index) * context;
    chunk.assign(begin, begin + context);
    if (special.add_bos && special.bos != text::kNoToken) chunk[0] = special.bos;
    // The last token has no successor in its chunk: it need not run.
    EDGELM_TRY(evaluator->run(std::span(chunk).first(context - 1), first,
                              [&](std::uint32_t position, std::span<const float> logits) {
                                const text::TokenLogprob next =
                                    text::token_logprobs(logits, chunk[position + 1], {});
                                sums.add(-static_cast<double>(next.logprob));
                              }));
    if (progress) progress(index + 1, n_chunks, std::exp(sums.mean()));
  }
  if (!std::isfinite(sums.sum))
    return fail(ErrorCode::kFormat,
                "{}: the model computes no numbers (a log-likelihood is not finite): weights are "
                "damaged or leave the range of float32",
                model->file().path());
  const double value = std::exp(sums.mean());
  return Perplexity{.perplexity = value,
                    .standard_error = value * sums.standard_error(),
                    .tokens = sums.count,
                    .chunks = n_chunks};
}

}  // namespace edgelm::quality
