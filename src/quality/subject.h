#pragma once
// What is evaluated: a model file on this engine (file_subject.h) or any OpenAI-compatible server
// (endpoint_subject.h). The tasks of this folder see only this: the log-likelihood of a
// continuation, and answers to prompts. Not thread-safe: one driver.

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/known.h"
#include "base/result.h"

namespace edgelm::quality {

// True when the user wants to stop; asked often.
using Cancelled = std::function<bool()>;

struct Pair {
  std::string context;
  std::string continuation;
};

// Of one continuation, given its context. Natural logarithms.
struct Likelihood {
  double sum_logprob = 0;
  std::uint32_t n_tokens = 0;
  Known<bool> all_greedy = not_available("not told");  // each token was the most likely one
  // From the first token in which the texts of the call differ: what llama.cpp scores as an ending.
  Known<double> distinct_logprob = not_available("not told");
  std::uint32_t n_distinct = 0;
  bool truncated = false;  // the context lost its beginning: it was longer than the model's
};

struct Turn {
  std::string role;  // "system", "user", "assistant"
  std::string content;
};

// Either a text to be continued, or turns of a chat.
struct Prompt {
  std::string text = {};
  std::vector<Turn> chat = {};
  std::uint64_t seed = 0;
};

struct Generation {
  float temperature = 0;  // 0: greedy
  float top_p = 1;
  std::uint32_t max_tokens = 256;
  std::vector<std::string> stop = {};
};

struct Generated {
  std::string text = {};
  bool ended = false;  // by itself or a stop string; not by the limit
  Known<std::uint32_t> n_tokens = not_available("not told");
};

// Who it is, for the record.
struct Identity {
  std::string model = {}, model_hash = {}, type = {}, engine = {};
  std::uint64_t file_bytes = 0;
};

class Subject {
 public:
  virtual ~Subject() = default;
  [[nodiscard]] virtual const Identity& identity() const = 0;

  // kUnsupported with the reason when score() cannot be had. May ask the server.
  virtual Status can_score() = 0;
  // One result per pair, in order. Work that the texts have in common is done once, also across
  // calls where they follow each other.
  virtual Result<std::vector<Likelihood>> score(std::span<const Pair> pairs) = 0;

  // As many prompts as generate() likes at once.
  [[nodiscard]] virtual std::uint32_t width() const { return 1; }
  [[nodiscard]] virtual bool can_chat() const = 0;
  // One result per prompt, in order; an error of one prompt (too long, say) is its own.
  virtual Result<std::vector<Result<Generated>>> generate(std::span<const Prompt> prompts,
                                                          const Generation& options,
                                                          const Cancelled& cancelled) = 0;
};

}  // namespace edgelm::quality
