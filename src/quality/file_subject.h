#pragma once
// A model file as a subject: log-likelihoods with the context of a question run once for all its
// choices (and kept for the next question, whose examples are often the same), and answers by the
// engine, several at a time.

#include <memory>
#include <optional>
#include <vector>

#include "backend/backend.h"
#include "engine/engine.h"
#include "model/model.h"
#include "quality/subject.h"
#include "text/template/chat_template.h"

namespace edgelm::quality {

struct FileSubjectOptions {
  std::uint32_t context = 0;    // tokens; 0: the model's own, at most 4096
  std::uint32_t batch = 256;    // tokens per step
  std::uint32_t sequences = 4;  // answers generated together
  plan::KvType kv_type = plan::KvType::kF16;
  // For the record: as measurements of the same file have them, so that reports can join both.
  std::string model_hash = {};
  std::string engine = "edgelm";
};

class FileSubject final : public Subject {
 public:
  // The backend must outlive the subject. kUnsupported for a model without a vocabulary.
  static Result<std::unique_ptr<FileSubject>> create(std::shared_ptr<const model::Model> model,
                                                     backend::Backend& backend,
                                                     const FileSubjectOptions& options);

  [[nodiscard]] const Identity& identity() const override { return identity_; }
  Status can_score() override { return {}; }
  Result<std::vector<Likelihood>> score(std::span<const Pair> pairs) override;
  [[nodiscard]] std::uint32_t width() const override { return options_.sequences; }
  [[nodiscard]] bool can_chat() const override { return !model_->chat_template().empty(); }
  Result<std::vector<Result<Generated>>> generate(std::span<const Prompt> prompts,
                                                  const Generation& options,
                                                  const Cancelled& cancelled) override;

  [[nodiscard]] std::uint32_t context() const { return options_.context; }
  // Tokens that score() has run, and tokens of its texts: what sharing saves.
  [[nodiscard]] std::uint64_t tokens_run() const { return tokens_run_; }
  [[nodiscard]] std::uint64_t tokens_asked() const { return tokens_asked_; }

 private:
  using Ids = std::vector<text::TokenId>;
  struct Text {
    Ids ids;                      // BOS, context and continuation
    std::size_t first = 0;        // of the continuation
    std::vector<double> logprob;  // of ids[first...]
    bool all_greedy = true;
    bool truncated = false;
  };

  FileSubject(std::shared_ptr<const model::Model> model, backend::Backend& backend,
              const FileSubjectOptions& options);
  Status compile();
  [[nodiscard]] Result<Text> tokenize(const Pair& pair) const;
  Status run_prefix(std::span<const text::TokenId> ids, std::vector<Text>& texts);
  Status run_branches(std::size_t n_prefix, std::vector<Text>& texts);
  Status run_branch_wave(std::size_t n_prefix, std::span<Text*> wave);
  Status run_alone(std::size_t n_prefix, Text& text);
  Status keep_score(Text& text, std::size_t position, std::span<const float> logits) const;

  Status start_engine();
  [[nodiscard]] Result<Ids> prompt_ids(const Prompt& prompt) const;

  std::shared_ptr<const model::Model> model_;
  backend::Backend& backend_;
  FileSubjectOptions options_;
  Identity identity_;

  // Scoring: sequence 0 holds the prefix, the others continue its full blocks.
  std::unique_ptr<backend::Executor> executor_;
  std::uint32_t logit_rows_ = 0;
  std::vector<std::uint32_t> prefix_blocks_;
  std::vector<std::uint32_t> branch_blocks_;
  Ids cached_;  // ids whose keys and values are in prefix_blocks_
  std::uint64_t tokens_run_ = 0;
  std::uint64_t tokens_asked_ = 0;

  std::unique_ptr<engine::Engine> engine_;  // made when the first answer is asked for
  std::optional<text::ChatTemplate> template_;
};

}  // namespace edgelm::quality
