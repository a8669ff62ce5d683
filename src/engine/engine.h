#pragma once
// The engine: sequences, their KV blocks, and one batch step at a time. It is driven, not driving:
// whoever owns it calls step() and drains the events; a server, a benchmark and a test differ only
// in that loop. Everything a sequence needs is allocated when it is added; a step allocates
// nothing.

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "backend/backend.h"
#include "engine/kv_blocks.h"
#include "model/model.h"
#include "text/sampler.h"

namespace edgelm::engine {

using text::TokenId;
using SequenceId = std::uint32_t;

constexpr std::uint32_t kMaxTopLogprobs = 20;

struct EngineOptions {
  std::uint32_t context_tokens = 4096;  // positions one sequence may hold
  std::uint32_t max_sequences = 1;
  // KV positions over all sequences; 0: context_tokens * max_sequences.
  std::uint32_t cache_tokens = 0;
  std::uint32_t batch_tokens = 256;  // most tokens of one step: the prefill chunk
  std::uint32_t kv_block_tokens = 32;
  plan::KvType kv_type = plan::KvType::kF16;
};

struct Request {
  std::vector<TokenId> prompt;  // at least one id
  std::uint32_t max_tokens = 0xffffffff;
  text::SamplingParams sampling;
  std::uint32_t top_logprobs = 0;  // alternatives per token, at most kMaxTopLogprobs
  bool logprobs = false;
  bool ignore_end = false;           // go on after end-of-generation tokens
  bool keep = false;                 // keep the KV blocks after the end, for `prefix`
  std::optional<SequenceId> prefix;  // a kept sequence whose common prefix is shared
};

enum class Finish : std::uint8_t {
  kNone,
  kEnd,      // an end-of-generation token (it is in the event, and in no text)
  kLength,   // max_tokens reached
  kContext,  // the context is full
  kCancelled,
};

// One generated token.
struct TokenEvent {
  SequenceId sequence = 0;
  TokenId id = text::kNoToken;
  std::uint32_t index = 0;  // 0 for the first generated token
  Finish finish = Finish::kNone;
  text::TokenLogprob chosen;
  std::uint32_t n_top = 0;
  std::array<text::TokenLogprob, kMaxTopLogprobs> top;
};

// Not thread-safe: one driver at a time.
class Engine {
 public:
  // The backend must outlive the engine.
  static Result<std::unique_ptr<Engine>> create(std::shared_ptr<const model::Model> model,
                                                backend::Backend& backend,
                                                const EngineOptions& options);

  // kLimit when the prompt exceeds the context or no slot or too few KV blocks are free; kUsage for
  // ids outside the vocabulary or sampling parameters out of range.
  Result<SequenceId> add(Request request);

  // Ends a sequence now (nothing more is reported for it) and frees what it holds, unless kept.
  void cancel(SequenceId id);
  // Frees a kept sequence.
  void release(SequenceId id);

  // Runs one batch: every decoding sequence's next token, and prompts in the room that is left.
  // Nothing to do is not an error. Events must be drained before the next step.
  Status step();

  // Takes the oldest event. False when there is none.
  bool poll(TokenEvent& event);

  [[nodiscard]] bool idle() const;
  [[nodiscard]] std::uint32_t prefilled_tokens(SequenceId id) const;  // prompt tokens in the cache
  [[nodiscard]] std::uint32_t shared_tokens(SequenceId id) const;     // of them, shared by `prefix`
  [[nodiscard]] std::span<const TokenId> ids(SequenceId id) const;    // prompt and generated
  [[nodiscard]] const model::Model& model() const { return *model_; }
  [[nodiscard]] const backend::Executor& executor() const { return *executor_; }
  [[nodiscard]] const EngineOptions& options() const { return options_; }
  [[nodiscard]] const KvBlocks& kv_blocks() const { return blocks_; }

 private:
  enum class State : std::uint8_t { kFree, kPrefill, kDecode, kKept };

  struct Sequence {
    State state = State::kFree;
    Request request;
    std::vector<TokenId> ids;           // prompt and generated; reserved in full
    std::vector<std::uint32_t> blocks;  // enough for all of ids
    std::uint32_t n_prompt = 0;
    std::uint32_t n_cached = 0;  // ids whose keys and values are in the blocks
    std::uint32_t n_shared = 0;
    std::uint32_t limit = 0;  // most ids it may come to hold
    std::optional<text::Sampler> sampler;
  };

  Engine(std::shared_ptr<const model::Model> model, std::unique_ptr<backend::Executor> executor,
         const EngineOptions& options);

  [[nodiscard]] Status validate(const Request& request) const;
  void share_prefix(Sequence& sequence, const Request& request);
  void schedule(std::uint32_t slot, std::uint32_t n_tokens);
  void finish_token(Sequence& sequence, std::uint32_t slot, std::span<const float> logits);
  void free_blocks(Sequence& sequence);
  void end(Sequence& sequence);

  std::shared_ptr<const model::Model> model_;
  std::unique_ptr<backend::Executor> executor_;
  EngineOptions options_;
  KvBlocks blocks_;
  std::vector<Sequence> sequences_;

  // The batch of the current step; capacities are fixed.
  std::vector<std::int32_t> batch_ids_;
  std::vector<std::uint32_t> batch_positions_;
  std::vector<std::uint32_t> batch_sequence_of_;
  std::vector<backend::SequenceView> batch_sequences_;
  std::vector<std::uint32_t> batch_logit_tokens_;
  std::vector<std::uint32_t> logit_slots_;  // sequence slot of each logit row

  std::vector<TokenEvent> events_;  // of the last step, oldest first
  std::size_t next_event_ = 0;
};

}  // namespace edgelm::engine
