// The walk over chunks, and the statistics of all positions.

#include "quality/kl.h"

#include <fmt/format.h>

#include <cmath>

#include "engine/evaluator.h"
#include "quality/chunks.h"
#include "quality/log_softmax.h"
#include "stats/summary.h"

namespace edgelm::quality {
namespace {

constexpr std::uint32_t kChunksForInterval = 8;

// Everything seen so far.
class Collector {
 public:
  Status add(const KlPosition& position, const model::Model& model) {
    if (!std::isfinite(position.divergence) || !std::isfinite(position.logprob) ||
        !std::isfinite(position.base_logprob))
      return fail(ErrorCode::kFormat,
                  "{}: the model or its base computes no numbers (a log-likelihood is not finite): "
                  "weights are damaged or leave the range of float32",
                  model.file().path());
    divergence_.push_back(position.divergence);
    base_nll_.push_back(-position.base_logprob);
    nll_.push_back(-position.logprob);
    ratio_.push_back(position.base_logprob - position.logprob);
    delta_p_.push_back(std::exp(position.logprob) - std::exp(position.base_logprob));
    same_.push_back(position.same_top ? 1 : 0);
    return {};
  }

  void end_chunk(const std::string& id) {
    const auto mean = [&](const std::vector<double>& values) {
      return mean_of(std::span(values).subspan(chunk_begin_)).mean;
    };
    result_.divergence_items.push_back({.id = id, .value = mean(divergence_)});
    result_.ratio_items.push_back({.id = id, .value = mean(ratio_)});
    result_.same_items.push_back({.id = id, .value = mean(same_)});
    chunk_begin_ = divergence_.size();
    ++result_.chunks;
  }

  [[nodiscard]] double mean_divergence() const { return mean_of(divergence_).mean; }

  KlResult finish(std::uint32_t asked_chunks, bool lower_bound) {
    KlResult& r = result_;
    r.lower_bound = lower_bound;
    r.asked_chunks = asked_chunks;
    r.tokens = divergence_.size();
    r.divergence = mean_of(divergence_);
    r.divergence_interval = r.divergence.interval();
    if (r.chunks >= kChunksForInterval) {
      std::vector<double> chunks;
      chunks.reserve(r.divergence_items.size());
      for (const Item& item : r.divergence_items) chunks.push_back(item.value);
      r.divergence_interval = mean_of(chunks).interval();
    }
    r.base_perplexity = std::exp(mean_of(base_nll_).mean);
    r.perplexity = std::exp(mean_of(nll_).mean);
    r.log_ratio = mean_of(ratio_);
    for (const double same : same_) r.same_top += same > 0 ? 1 : 0;
    r.delta_p = mean_of(delta_p_);
    std::vector<double> squares;
    squares.reserve(delta_p_.size());
    for (const double delta : delta_p_) squares.push_back(delta * delta);
    const Mean square = mean_of(squares);
    r.rms_delta_p = std::sqrt(square.mean);
    r.rms_error = r.rms_delta_p > 0 ? square.standard_error / (2 * r.rms_delta_p) : 0;
    for (const double share : {1.0, 0.999, 0.99, 0.95, 0.9, 0.5, 0.1, 0.05, 0.01, 0.0}) {
      r.divergence_percentiles.push_back({share, stats::quantile(divergence_, share)});
      r.delta_p_percentiles.push_back({share, stats::quantile(delta_p_, share)});
    }
    return std::move(r);
  }

 private:
  KlResult result_;
  std::vector<double> divergence_, base_nll_, nll_, ratio_, delta_p_, same_;
  std::size_t chunk_begin_ = 0;
};

Status same_vocabulary(const model::Model& base, const model::Model& model) {
  const text::Tokenizer* a = base.tokenizer();
  const text::Tokenizer* b = model.tokenizer();
  if (a == nullptr || b == nullptr)
    return fail(ErrorCode::kUnsupported, "{}: no vocabulary, so text cannot be scored",
                (a == nullptr ? base : model).file().path());
  if (base.hparams().n_vocab != model.hparams().n_vocab || a->size() != b->size())
    return fail(
        ErrorCode::kUsage, "{} has {} tokens, {} has {}: only models of one vocabulary compare",
        base.file().path(), base.hparams().n_vocab, model.file().path(), model.hparams().n_vocab);
  for (std::uint32_t i = 0; i < a->size(); ++i) {
    const auto id = static_cast<text::TokenId>(i);
    if (a->raw_piece(id) != b->raw_piece(id))
      return fail(ErrorCode::kUsage,
                  "{} and {} have another token {}: only models of one vocabulary compare",
                  base.file().path(), model.file().path(), i);
  }
  return {};
}

// Runs every chunk; on_row(evaluator row, next token) sees each scored position in order.
// `before_rows` runs after each part of the model, before its rows.
template <class BeforeRows, class OnRow, class EndChunk>
Status walk(const Chunks& chunks, engine::Evaluator& evaluator, const KlOptions& options,
            BeforeRows&& before_rows, OnRow&& on_row, EndChunk&& end_chunk) {
  for (std::uint32_t index = 0; index < chunks.count(); ++index) {
    if (options.cancelled && options.cancelled()) return {};
    const std::vector<text::TokenId> chunk = chunks.chunk(index);
    const auto ids = std::span(chunk).first(chunk.size() - 1);
    for (std::size_t begin = 0; begin < ids.size(); begin += evaluator.batch_tokens()) {
      const auto part =
          ids.subspan(begin, std::min<std::size_t>(evaluator.batch_tokens(), ids.size() - begin));
      EDGELM_TRY(evaluator.run_part(part, static_cast<std::uint32_t>(begin), chunks.first()));
      EDGELM_TRY(before_rows(part, static_cast<std::uint32_t>(begin)));
      for (std::size_t row = 0; row < evaluator.n_rows(); ++row)
        EDGELM_TRY(on_row(row, chunk[begin + evaluator.token_of_row(row) + 1]));
    }
    end_chunk(index);
  }
  return {};
}

const auto kNothing = [](std::span<const text::TokenId>, std::uint32_t) -> Status { return {}; };

void report(const KlOptions& options, const Chunks& chunks, std::uint32_t index,
            const Collector& all) {
  if (options.progress)
    options.progress(index + 1, chunks.count(), fmt::format("KLD {:.5f}", all.mean_divergence()));
}

}  // namespace

Result<KlResult> kl_divergence(const std::shared_ptr<const model::Model>& base,
                               const std::shared_ptr<const model::Model>& model,
                               backend::Backend& backend, std::string_view text,
                               const KlOptions& options) {
  EDGELM_TRY(same_vocabulary(*base, *model));
  EDGELM_TRY_ASSIGN(const Chunks chunks,
                    Chunks::make(*model, text, options.context, options.max_chunks));
  const auto make = [&](const auto& one) {
    return engine::Evaluator::create(one, backend, options.context, options.batch, options.kv_type);
  };
  EDGELM_TRY_ASSIGN(const auto of_base, make(base));
  EDGELM_TRY_ASSIGN(const auto of_model, make(model));
  Collector all;
  const Status walked = walk(
      chunks, *of_model, options,
      [&](std::span<const text::TokenId> part, std::uint32_t begin) {
        return of_base->run_part(part, begin, chunks.first());
      },
      [&](std::size_t row, text::TokenId next) {
        return all.add(compare_logits(of_base->logits(row), of_model->logits(row), next), *model);
      },
      [&](std::uint32_t index) {
        all.end_chunk(chunks.id(index));
        report(options, chunks, index, all);
      });
  EDGELM_TRY(walked);
  KlResult result = all.finish(chunks.count(), false);
  if (result.chunks == 0) return fail(ErrorCode::kIo, "interrupted");
  return result;
}

Result<KlResult> kl_divergence(const BaseFile& base,
                               const std::shared_ptr<const model::Model>& model,
                               backend::Backend& backend, std::string_view text,
                               const KlOptions& options) {
  const BaseHeader& header = base.header();
  if (header.n_vocab != model->hparams().n_vocab)
    return fail(ErrorCode::kUsage, "{} is of a vocabulary of {} tokens, {} has {}", base.name(),
                header.n_vocab, model->file().path(), model->hparams().n_vocab);
  auto all_chunks = Chunks::make(*model, text, header.context, header.n_chunks);
  if (!all_chunks) return fail(all_chunks.error());
  if (all_chunks->count() != header.n_chunks || all_chunks->hash() != header.token_hash)
    return fail(ErrorCode::kUsage,
                "{} was made from other tokens: another text, another tokenizer, or other chunks "
                "({} of {} there, {} here)",
                base.name(), header.n_chunks, header.context, all_chunks->count());
  EDGELM_TRY_ASSIGN(
      const Chunks chunks,
      Chunks::make(*model, text, header.context,
                   options.max_chunks != 0 ? std::min(options.max_chunks, header.n_chunks)
                                           : header.n_chunks));
  EDGELM_TRY_ASSIGN(
      const auto evaluator,
      engine::Evaluator::create(model, backend, header.context, options.batch, options.kv_type));
  Collector all;
  TopComparison comparison;
  BasePosition position;
  std::uint64_t index_of_position = 0;
  const Status walked = walk(
      chunks, *evaluator, options, kNothing,
      [&](std::size_t row, text::TokenId next) -> Status {
        EDGELM_TRY(base.read(index_of_position++, position));
        return all.add(comparison.compare(position, evaluator->logits(row), next), *model);
      },
      [&](std::uint32_t index) {
        all.end_chunk(chunks.id(index));
        report(options, chunks, index, all);
      });
  EDGELM_TRY(walked);
  // A file that keeps every token leaves nothing to bound.
  KlResult result = all.finish(chunks.count(), header.top_k < header.n_vocab);
  if (result.chunks == 0) return fail(ErrorCode::kIo, "interrupted");
  return result;
}

Status save_base(const std::shared_ptr<const model::Model>& model, backend::Backend& backend,
                 std::string_view text, const KlOptions& options, std::uint32_t top_k,
                 const std::string& path) {
  EDGELM_TRY_ASSIGN(const Chunks chunks,
                    Chunks::make(*model, text, options.context, options.max_chunks));
  EDGELM_TRY_ASSIGN(
      const auto evaluator,
      engine::Evaluator::create(model, backend, options.context, options.batch, options.kv_type));
  BaseHeader header;
  header.n_vocab = model->hparams().n_vocab;
  header.top_k = std::min(top_k, header.n_vocab);
  header.context = options.context;
  header.n_chunks = chunks.count();
  header.scored = chunks.scored();
  header.token_hash = chunks.hash();
  header.model = model->file().path().substr(model->file().path().rfind('/') + 1);
  EDGELM_TRY_ASSIGN(BaseFileWriter writer, BaseFileWriter::create(path, header));
  BasePosition position;
  std::uint32_t done = 0;
  const Status walked = walk(
      chunks, *evaluator, options, kNothing,
      [&](std::size_t row, text::TokenId next) -> Status {
        summarize_logits(evaluator->logits(row), next, header.top_k, position);
        if (!std::isfinite(position.logprob))
          return fail(ErrorCode::kFormat, "{}: the model computes no numbers",
                      model->file().path());
        return writer.append(position);
      },
      [&](std::uint32_t index) {
        done = index + 1;
        if (options.progress) options.progress(done, chunks.count(), "");
      });
  EDGELM_TRY(walked);
  if (done < chunks.count()) return fail(ErrorCode::kIo, "interrupted: {} is not written", path);
  return writer.commit();
}

std::vector<Record> kl_records(const Identity& subject, const std::string& base,
                               const std::string& data, const KlOptions& options,
                               const KlResult& result) {
  Record record = start_record(subject, "kl", data);
  record.random_level = not_available("not a choice task");
  record.n = result.tokens;
  record.protocol = fmt::format(
      "against {}; second halves of {} chunks of {} tokens, kv {}{}{}", base, result.chunks,
      options.context, plan::kv_type_name(options.kv_type),
      result.lower_bound ? "; lower bound from the base's most likely tokens" : "",
      result.chunks < result.asked_chunks
          ? fmt::format("; interrupted after {} of {} chunks", result.chunks, result.asked_chunks)
          : "");
  std::vector<Record> records(3, record);
  Record& divergence = records[0];
  divergence.metric =
      result.lower_bound ? "mean KL divergence (lower bound)" : "mean KL divergence";
  divergence.value = result.divergence.mean;
  divergence.standard_error = result.divergence.standard_error;
  divergence.low = result.divergence_interval.low;
  divergence.high = result.divergence_interval.high;
  divergence.items = result.divergence_items;
  Record& same = records[1];
  same.metric = "same top token";
  same.value = static_cast<double>(result.same_top) / static_cast<double>(result.tokens);
  same.standard_error = proportion_error(result.same_top, result.tokens);
  const Interval wilson = stats::wilson(result.same_top, result.tokens);
  same.low = wilson.low;
  same.high = wilson.high;
  same.items = result.same_items;
  Record& ratio = records[2];
  ratio.metric = "ln PPL ratio";
  ratio.value = result.log_ratio.mean;
  ratio.standard_error = result.log_ratio.standard_error;
  ratio.low = result.log_ratio.interval().low;
  ratio.high = result.log_ratio.interval().high;
  ratio.items = result.ratio_items;
  return records;
}

}  // namespace edgelm::quality
