// Chunked evaluation and the running mean of the negative log-likelihood.

#include "quality/perplexity.h"

#include <fmt/format.h>

#include <cmath>
#include <vector>

#include "engine/evaluator.h"
#include "quality/chunks.h"
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
  EDGELM_TRY_ASSIGN(const Chunks chunks,
                    Chunks::make(*model, text, options.context, options.max_chunks));
  EDGELM_TRY_ASSIGN(
      const auto evaluator,
      engine::Evaluator::create(model, backend, options.context, options.batch, options.kv_type));
  Sums sums;
  Perplexity result;
  result.asked_chunks = chunks.count();
  result.items.reserve(chunks.count());
  for (std::uint32_t index = 0; index < chunks.count(); ++index) {
    if (options.cancelled && options.cancelled()) break;
    const std::vector<text::TokenId> chunk = chunks.chunk(index);
    const double before = sums.sum;
    // The last token has no successor in its chunk: it need not run.
    EDGELM_TRY(evaluator->run(std::span(chunk).first(chunk.size() - 1), chunks.first(),
                              [&](std::uint32_t position, std::span<const float> logits) {
                                const text::TokenLogprob next =
                                    text::token_logprobs(logits, chunk[position + 1], {});
                                sums.add(-static_cast<double>(next.logprob));
                              }));
    result.items.push_back(
        {.id = chunks.id(index), .value = (before - sums.sum) / chunks.scored()});
    ++result.chunks;
    if (progress) progress(index + 1, chunks.count(), std::exp(sums.mean()));
  }
  if (result.chunks == 0) return fail(ErrorCode::kIo, "interrupted");
  if (!std::isfinite(std::exp(sums.mean())))
    return fail(ErrorCode::kFormat,
                "{}: the model computes no numbers (the perplexity is not finite): weights are "
                "damaged or leave the range of float32",
                model->file().path());
  result.perplexity = std::exp(sums.mean());
  result.standard_error = result.perplexity * sums.standard_error();
  result.tokens = sums.count;
  return result;
}

Record perplexity_record(const Identity& subject, const std::string& data,
                         const PerplexityOptions& options, const Perplexity& result) {
  constexpr std::uint32_t kChunksForInterval = 8;
  Record record = start_record(subject, "perplexity", data);
  record.metric = "perplexity";
  record.items = result.items;
  record.value = result.perplexity;
  record.standard_error = result.standard_error;
  record.n = result.tokens;
  record.random_level = not_available("not a choice task");
  double error = result.standard_error / result.perplexity;  // of the log
  const bool over_chunks = result.chunks >= kChunksForInterval;
  if (over_chunks) {
    std::vector<double> values;
    values.reserve(result.items.size());
    for (const Item& item : result.items) values.push_back(item.value);
    error = mean_of(values).standard_error;
  }
  record.low = result.perplexity * std::exp(-kZ95 * error);
  record.high = result.perplexity * std::exp(kZ95 * error);
  record.protocol = fmt::format(
      "second halves of {} chunks of {} tokens (llama.cpp), kv {}; interval over {}{}",
      result.chunks, options.context, plan::kv_type_name(options.kv_type),
      over_chunks ? "chunks" : "tokens",
      result.chunks < result.asked_chunks
          ? fmt::format("; interrupted after {} of {} chunks", result.chunks, result.asked_chunks)
          : "");
  return record;
}

}  // namespace edgelm::quality
