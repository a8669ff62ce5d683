#pragma once
// Any OpenAI-compatible server as something to measure and to evaluate: edgelm's own, llama.cpp's,
// Ollama, vLLM, a cloud. Knows their dialects where they matter (usage in streams,
// log-probabilities of a prompt, exact token counts) and says what a server does not offer instead
// of guessing. Not thread-safe: one per driver thread.

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/known.h"
#include "base/result.h"
#include "http/client.h"

namespace edgelm::endpoint {

// ("= {}" lets callers name the members they set without GCC warning of the rest.)
struct Options {
  std::string url = {};      // "http://127.0.0.1:8080" or ".../v1"
  std::string model = {};    // "" : the only one the server lists
  std::string api_key = {};  // from a file or the environment; never logged, never in an error
  // To the first byte, and from one piece of text to the next, whatever else is sent meanwhile; an
  // answer that is not streamed has it twice.
  std::chrono::milliseconds timeout{120'000};
  // The context to ask for, of servers that take it with a request (Ollama, whose own is small and
  // cuts longer prompts off without a word); 0: theirs.
  std::uint32_t context_tokens = 0;
  // 429 and 503 are asked again, after Retry-After or retry_wait doubled each time.
  int max_retries = 4;
  std::chrono::milliseconds retry_wait{500};
  std::function<bool()> cancelled = {};  // asked while waiting; true ends with kIo "interrupted"
};

struct Sampling {
  double temperature = 0;
  double top_p = 1;
  std::uint64_t seed = 0;
  std::uint32_t max_tokens = 256;
  std::vector<std::string> stop = {};
  bool ignore_eos = false;  // asked for in every dialect known; the count that came is reported
  bool logprobs = false;    // of the tokens generated, where the server gives them
  // Whether the server may use what it kept of an earlier prompt. Off, so that prefill is measured;
  // llama.cpp and edgelm obey, and Answer::cached_prompt_tokens says what happened.
  bool cache_prompt = false;
};

struct TokenLogprob {
  std::string token;  // text
  double logprob = 0;
};

struct Answer {
  std::string text;
  std::string reasoning;  // of models that think first, where the server sends it apart
  std::string finish_reason;
  Known<std::uint32_t> prompt_tokens = not_available("the server reports no usage");
  Known<std::uint32_t> completion_tokens = not_available("the server reports no usage");
  Known<std::uint32_t> cached_prompt_tokens = not_available("the server does not tell");
  std::vector<TokenLogprob> tokens;  // when log-probabilities were asked for and given
  // Moments, os::now_ns(): request written, each non-empty piece of text or reasoning received,
  // end.
  std::int64_t start_ns = 0;
  std::vector<std::int64_t> piece_ns;
  std::int64_t end_ns = 0;
  // Engines that tell (llama.cpp's "timings", Ollama's durations): their own figures.
  Known<double> server_prefill_ms = not_available("the server does not tell");
  Known<double> server_decode_ms = not_available("the server does not tell");
};

struct Message {
  std::string role;
  std::string content;
};

// Log-probabilities of the tokens of context + continuation that hold any byte of the continuation,
// given what precedes. A token over the border counts; tokenizers keep spaces with the word after
// them, so put the space at the start of the continuation.
struct Continuation {
  double sum_logprob = 0;
  std::uint32_t n_tokens = 0;
  bool all_greedy = false;  // each of them was the most likely token
  bool greedy_known = false;
};

// Which program answers, as far as its answers tell.
enum class ServerKind { kUnknown, kEdgelm, kLlamaCpp, kOllama, kVllm };
std::string_view server_kind_name(ServerKind kind);  // "llama.cpp", "unknown server"

class Endpoint {
 public:
  // Asks /v1/models. kIo when nobody answers, kUsage when the model must be named (with the list).
  static Result<std::unique_ptr<Endpoint>> connect(const Options& options);
  virtual ~Endpoint() = default;

  [[nodiscard]] virtual const std::string& model() const = 0;
  [[nodiscard]] virtual const std::vector<std::string>& models() const = 0;
  [[nodiscard]] virtual std::string url() const = 0;  // without secrets
  [[nodiscard]] virtual ServerKind server() const { return ServerKind::kUnknown; }
  // What came of the last complete() or chat() that failed in the middle; nullptr when nothing did.
  [[nodiscard]] virtual const Answer* partial() const { return nullptr; }

  // /v1/completions, streamed. Of Ollama /api/generate, raw: its /v1 would put the prompt into the
  // model's chat template, and tells no durations. For the same reason chat() goes to /api/chat.
  virtual Result<Answer> complete(const std::string& prompt, const Sampling& sampling) = 0;
  // /v1/chat/completions, streamed.
  virtual Result<Answer> chat(const std::vector<Message>& messages, const Sampling& sampling) = 0;
  // echo=true, max_tokens=0 (or 1), logprobs: kUnsupported when the server cannot; the message says
  // what it answered.
  virtual Result<Continuation> score(const std::string& context,
                                     const std::string& continuation) = 0;
  // The server's own count, without tokens that it puts in front (BOS): /tokenize of llama.cpp,
  // vLLM and edgelm.
  virtual Known<std::uint32_t> count_tokens(const std::string& text) = 0;
};

}  // namespace edgelm::endpoint
