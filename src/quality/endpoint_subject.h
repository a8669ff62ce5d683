#pragma once
// An OpenAI-compatible server as a subject. Log-likelihoods where the server gives those of a
// prompt (echo with logprobs: llama.cpp's, edgelm's and vLLM's completions), which is asked once
// and kept in mind; answers by chat or completion everywhere.

#include <memory>
#include <optional>

#include "endpoint/endpoint.h"
#include "quality/subject.h"

namespace edgelm::quality {

class EndpointSubject final : public Subject {
 public:
  explicit EndpointSubject(std::unique_ptr<endpoint::Endpoint> server);

  [[nodiscard]] const Identity& identity() const override { return identity_; }
  Status can_score() override;
  Result<std::vector<Likelihood>> score(std::span<const Pair> pairs) override;
  [[nodiscard]] bool can_chat() const override { return true; }
  Result<std::vector<Result<Generated>>> generate(std::span<const Prompt> prompts,
                                                  const Generation& options,
                                                  const Cancelled& cancelled) override;

 private:
  std::unique_ptr<endpoint::Endpoint> server_;
  Identity identity_;
  std::optional<Status> can_score_;  // what the probe said
};

}  // namespace edgelm::quality
