#pragma once
// What `edgelm run` was asked to do, between its flags (add_run.cpp), one answer (run_once.cpp) and
// a chat (chat.cpp).

#include <atomic>
#include <optional>
#include <string>
#include <vector>

#include "backend/cpu/cpu_backend.h"
#include "base/result.h"
#include "engine/engine.h"

namespace edgelm::apps {

struct RunOptions {
  std::string model;
  std::optional<std::string> prompt;
  std::string prompt_file;
  std::optional<std::string> tokens;  // ids instead of text
  std::string system;
  std::uint32_t max_tokens = 0xffffffff;
  std::uint32_t context = 0;  // 0: default_context()
  std::uint32_t batch = 256;
  plan::KvType kv_type = plan::KvType::kF16;
  std::vector<std::string> stops;
  bool raw = false;
  bool ignore_end = false;
  bool json = false;
  std::optional<std::uint32_t> logprobs;
  text::SamplingParams sampling;
  bool seed_given = false;
  backend::CpuOptions cpu;
};

// A loaded model with its backend and engine, and how long that took.
struct Runtime {
  std::shared_ptr<const model::Model> model;
  std::unique_ptr<backend::CpuBackend> backend;
  std::unique_ptr<engine::Engine> engine;
  double load_ms = 0;
};

Result<Runtime> start_runtime(const RunOptions& options, std::uint32_t max_sequences);

Status run_once(const RunOptions& options);
Status chat(const RunOptions& options);

// Set by Ctrl-C while an answer is generated; the generation loop ends the answer and clears it.
extern std::atomic<bool> interrupted;

// While one lives, Ctrl-C sets `interrupted`, and so does a polite kill (SIGTERM) where hours of
// work would be lost (evaluations); a second one ends the program as usual.
class InterruptGuard {
 public:
  explicit InterruptGuard(bool also_terminate);
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;

 private:
  bool also_terminate_;
};

}  // namespace edgelm::apps
