// Admission, the batch of a step, and what follows from its logits.

#include "engine/engine.h"

#include <algorithm>
#include <limits>

#include "base/checked.h"

namespace edgelm::engine {
namespace {

// Looks no further than the first number, which is nearly always the first logit.
bool has_number(std::span<const float> logits) {
  return std::any_of(logits.begin(), logits.end(),
                     [](float logit) { return logit > -std::numeric_limits<float>::infinity(); });
}

}  // namespace

Result<std::unique_ptr<Engine>> Engine::create(std::shared_ptr<const model::Model> model,
                                               backend::Backend& backend,
                                               const EngineOptions& options) {
  if (options.context_tokens == 0 || options.max_sequences == 0 || options.batch_tokens == 0 ||
      options.kv_block_tokens == 0)
    return fail(ErrorCode::kUsage, "context, sequences, batch and KV block size must be positive");
  EngineOptions full = options;
  if (full.cache_tokens == 0) {
    const std::uint64_t tokens = std::uint64_t{full.context_tokens} * full.max_sequences;
    if (tokens > 0x7fffffff)
      return fail(ErrorCode::kUsage, "{} sequences of {} tokens are too many", full.max_sequences,
                  full.context_tokens);
    full.cache_tokens = static_cast<std::uint32_t>(tokens);
  }
  // A step holds at least one token of every sequence.
  full.batch_tokens = std::max(full.batch_tokens, full.max_sequences);
  const plan::Limits limits{.context_tokens = full.cache_tokens,
                            .batch_tokens = full.batch_tokens,
                            .logit_rows = full.max_sequences,
                            .kv_block_tokens = full.kv_block_tokens,
                            .kv_type = full.kv_type};
  EDGELM_TRY_ASSIGN(auto executor, backend.compile(model->plan(), limits));
  return std::unique_ptr<Engine>(new Engine(std::move(model), std::move(executor), full));
}

Engine::Engine(std::shared_ptr<const model::Model> model,
               std::unique_ptr<backend::Executor> executor, const EngineOptions& options)
    : model_(std::move(model)),
      executor_(std::move(executor)),
      options_(options),
      blocks_(executor_->n_kv_blocks()),
      sequences_(options.max_sequences) {
  batch_ids_.reserve(options_.batch_tokens);
  batch_positions_.reserve(options_.batch_tokens);
  batch_sequence_of_.reserve(options_.batch_tokens);
  batch_sequences_.reserve(options_.max_sequences);
  batch_logit_tokens_.reserve(options_.max_sequences);
  logit_slots_.reserve(options_.max_sequences);
  events_.reserve(options_.max_sequences);
}

Status Engine::validate(const Request& request) const {
  if (request.prompt.empty())
    return fail(ErrorCode::kUsage, "the prompt is empty: there is nothing to continue");
  const std::uint32_t n_vocab = model_->hparams().n_vocab;
  for (std::size_t i = 0; i < request.prompt.size(); ++i)
    if (request.prompt[i] < 0 || static_cast<std::uint32_t>(request.prompt[i]) >= n_vocab)
      return fail(ErrorCode::kUsage, "prompt token {} has id {}, the vocabulary has {}", i,
                  request.prompt[i], n_vocab);
  if (request.prompt.size() >= options_.context_tokens)
    return fail(ErrorCode::kLimit,
                "the prompt has {} tokens and leaves no room in the context of {}; shorten it or "
                "raise the context (-c)",
                request.prompt.size(), options_.context_tokens);
  if (request.top_logprobs > kMaxTopLogprobs)
    return fail(ErrorCode::kUsage, "{} log-probabilities per token asked for, at most {}",
                request.top_logprobs, kMaxTopLogprobs);
  return text::validate(request.sampling);
}

Result<SequenceId> Engine::add(Request request) {
  EDGELM_TRY(validate(request));
  const auto slot = static_cast<std::uint32_t>(
      std::find_if(sequences_.begin(), sequences_.end(),
                   [](const Sequence& s) { return s.state == State::kFree; }) -
      sequences_.begin());
  if (slot == sequences_.size())
    return fail(ErrorCode::kLimit, "all {} sequences are in use", sequences_.size());
  Sequence& sequence = sequences_[slot];
  const auto n_prompt = static_cast<std::uint32_t>(request.prompt.size());
  const std::uint32_t room = options_.context_tokens - n_prompt;
  sequence.n_prompt = n_prompt;
  sequence.limit = n_prompt + std::min(room, request.max_tokens);
  const std::uint32_t n_blocks = ceil_div(sequence.limit, options_.kv_block_tokens);
  sequence.blocks.clear();
  sequence.blocks.reserve(n_blocks);
  sequence.n_cached = 0;
  share_prefix(sequence, request);
  sequence.n_shared = sequence.n_cached;
  const auto n_shared_blocks = static_cast<std::uint32_t>(sequence.blocks.size());
  if (n_blocks - n_shared_blocks > blocks_.n_free()) {
    free_blocks(sequence);
    return fail(ErrorCode::kLimit, "{} KV blocks needed, {} of {} are free",
                n_blocks - n_shared_blocks, blocks_.n_free(), blocks_.size());
  }
  while (sequence.blocks.size() < n_blocks) sequence.blocks.push_back(blocks_.take());
  sequence.ids.clear();
  sequence.ids.reserve(sequence.limit);
  sequence.ids.assign(request.prompt.begin(), request.prompt.end());
  sequence.sampler.emplace(request.sampling, model_->hparams().n_vocab, sequence.limit);
  sequence.sampler->reset(sequence.ids);
  sequence.request = std::move(request);
  sequence.state = State::kPrefill;
  return slot;
}

// Whole blocks only, and never the last prompt token: its logits are needed.
void Engine::share_prefix(Sequence& sequence, const Request& request) {
  if (!request.prefix || *request.prefix >= sequences_.size()) return;
  const Sequence& kept = sequences_[*request.prefix];
  if (kept.state != State::kKept) return;
  const std::size_t most = std::min<std::size_t>(request.prompt.size() - 1, kept.n_cached);
  std::size_t common = 0;
  while (common < most && request.prompt[common] == kept.ids[common]) ++common;
  const std::size_t n_blocks = common / options_.kv_block_tokens;
  for (std::size_t i = 0; i < n_blocks; ++i) {
    blocks_.share(kept.blocks[i]);
    sequence.blocks.push_back(kept.blocks[i]);
  }
  sequence.n_cached = static_cast<std::uint32_t>(n_blocks) * options_.kv_block_tokens;
}

void Engine::free_blocks(Sequence& sequence) {
  for (const std::uint32_t block : sequence.blocks) blocks_.release(block);
  sequence.blocks.clear();
}

void Engine::end(Sequence& sequence) {
  if (sequence.request.keep) {
    sequence.state = State::kKept;
  } else {
    free_blocks(sequence);
    sequence.state = State::kFree;
  }
}

void Engine::cancel(SequenceId id) {
  if (id >= sequences_.size()) return;
  Sequence& sequence = sequences_[id];
  if (sequence.state == State::kPrefill || sequence.state == State::kDecode) end(sequence);
}

void Engine::release(SequenceId id) {
  if (id >= sequences_.size() || sequences_[id].state != State::kKept) return;
  free_blocks(sequences_[id]);
  sequences_[id].state = State::kFree;
}

bool Engine::idle() const {
  return std::none_of(sequences_.begin(), sequences_.end(), [](const Sequence& s) {
    return s.state == State::kPrefill || s.state == State::kDecode;
  });
}

std::uint32_t Engine::prefilled_tokens(SequenceId id) const {
  return std::min(sequences_[id].n_cached, sequences_[id].n_prompt);
}
std::uint32_t Engine::shared_tokens(SequenceId id) const { return sequences_[id].n_shared; }
std::span<const TokenId> Engine::ids(SequenceId id) const { return sequences_[id].ids; }

// Puts the next n_tokens uncached ids of a sequence into the batch.
void Engine::schedule(std::uint32_t slot, std::uint32_t n_tokens) {
  Sequence& sequence = sequences_[slot];
  const auto index = static_cast<std::uint32_t>(batch_sequences_.size());
  batch_sequences_.push_back({sequence.blocks});
  for (std::uint32_t i = 0; i < n_tokens; ++i) {
    const std::uint32_t position = sequence.n_cached + i;
    batch_ids_.push_back(sequence.ids[position]);
    batch_positions_.push_back(position);
    batch_sequence_of_.push_back(index);
  }
  sequence.n_cached += n_tokens;
  if (sequence.n_cached == sequence.ids.size()) {
    batch_logit_tokens_.push_back(static_cast<std::uint32_t>(batch_ids_.size() - 1));
    logit_slots_.push_back(slot);
  }
}

Status Engine::step() {
  if (next_event_ < events_.size())
    return fail(ErrorCode::kLimit, "{} events of the last step were not taken",
                events_.size() - next_event_);
  events_.clear();
  next_event_ = 0;
  batch_ids_.clear();
  batch_positions_.clear();
  batch_sequence_of_.clear();
  batch_sequences_.clear();
  batch_logit_tokens_.clear();
  logit_slots_.clear();

  const auto n_slots = static_cast<std::uint32_t>(sequences_.size());
  for (std::uint32_t slot = 0; slot < n_slots; ++slot)
    if (sequences_[slot].state == State::kDecode) schedule(slot, 1);
  for (std::uint32_t slot = 0; slot < n_slots; ++slot) {
    const Sequence& sequence = sequences_[slot];
    if (sequence.state != State::kPrefill) continue;
    const auto room = options_.batch_tokens - static_cast<std::uint32_t>(batch_ids_.size());
    const std::uint32_t n_tokens = std::min(room, sequence.n_prompt - sequence.n_cached);
    if (n_tokens > 0) schedule(slot, n_tokens);
  }
  if (batch_ids_.empty()) return {};
  EDGELM_TRY(executor_->run({.ids = batch_ids_,
                             .positions = batch_positions_,
                             .sequence_of = batch_sequence_of_,
                             .sequences = batch_sequences_,
                             .logit_tokens = batch_logit_tokens_}));
  for (std::uint32_t row = 0; row < logit_slots_.size(); ++row) {
    const std::span<const float> logits = executor_->logits(row);
    if (!has_number(logits))
      return fail(ErrorCode::kFormat,
                  "{}: the model computes no numbers (its logits are NaN): weights are damaged or "
                  "leave the range of float32; check the file against its source",
                  model_->file().path());
    finish_token(sequences_[logit_slots_[row]], logit_slots_[row], logits);
  }
  return {};
}

void Engine::finish_token(Sequence& sequence, std::uint32_t slot, std::span<const float> logits) {
  if (sequence.n_prompt == sequence.limit) {  // only the cache was wanted
    end(sequence);
    return;
  }
  sequence.state = State::kDecode;
  TokenEvent& event = events_.emplace_back();
  event.sequence = slot;
  event.index = static_cast<std::uint32_t>(sequence.ids.size()) - sequence.n_prompt;
  event.id = sequence.sampler->sample(logits, event.index);
  if (sequence.request.logprobs) {
    event.n_top = sequence.request.top_logprobs;
    event.chosen = text::token_logprobs(logits, event.id, {event.top.data(), event.n_top});
  }
  sequence.sampler->accept(event.id);
  sequence.ids.push_back(event.id);
  const text::Tokenizer* tokenizer = model_->tokenizer();
  if (!sequence.request.ignore_end && tokenizer != nullptr && tokenizer->ends_generation(event.id))
    event.finish = Finish::kEnd;
  else if (sequence.ids.size() == sequence.limit)
    event.finish =
        event.index + 1 == sequence.request.max_tokens ? Finish::kLength : Finish::kContext;
  if (event.finish != Finish::kNone) end(sequence);
}

bool Engine::poll(TokenEvent& event) {
  if (next_event_ == events_.size()) return false;
  event = events_[next_event_++];
  return true;
}

}  // namespace edgelm::engine
