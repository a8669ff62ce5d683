#pragma once
// A subject without a model: its log-likelihoods and answers are what the test says. So every score
// above it is known exactly.

#include <functional>
#include <utility>

#include "quality/subject.h"

namespace edgelm::test {

class ScriptedSubject final : public quality::Subject {
 public:
  using Score = std::function<Result<quality::Likelihood>(const quality::Pair&)>;
  using Answer = std::function<Result<std::string>(const quality::Prompt&)>;

  Score score_pair;      // null: cannot score
  Answer answer_prompt;  // null: an empty answer
  bool chats = true;
  std::uint32_t at_once = 1;
  quality::Identity who = {.model = "script", .model_hash = "0", .type = "", .engine = "scripted"};

  // A likelihood of one token.
  static quality::Likelihood likelihood(double logprob, std::uint32_t n_tokens = 1,
                                        bool greedy = false) {
    quality::Likelihood result;
    result.sum_logprob = logprob;
    result.n_tokens = n_tokens;
    result.all_greedy = greedy;
    result.distinct_logprob = logprob;
    result.n_distinct = n_tokens;
    return result;
  }

  [[nodiscard]] const quality::Identity& identity() const override { return who; }
  Status can_score() override {
    if (score_pair) return {};
    return fail(ErrorCode::kUnsupported, "scripted: no log-probabilities");
  }
  Result<std::vector<quality::Likelihood>> score(std::span<const quality::Pair> pairs) override {
    std::vector<quality::Likelihood> results;
    for (const quality::Pair& pair : pairs) {
      EDGELM_TRY_ASSIGN(const quality::Likelihood one, score_pair(pair));
      results.push_back(one);
    }
    return results;
  }
  [[nodiscard]] std::uint32_t width() const override { return at_once; }
  [[nodiscard]] bool can_chat() const override { return chats; }
  Result<std::vector<Result<quality::Generated>>> generate(
      std::span<const quality::Prompt> prompts, const quality::Generation& options,
      const quality::Cancelled& /*cancelled*/) override {
    last_options = options;
    std::vector<Result<quality::Generated>> results;
    for (const quality::Prompt& prompt : prompts) {
      asked.push_back(prompt);
      const Result<std::string> text =
          answer_prompt ? answer_prompt(prompt) : Result<std::string>("");
      if (text) {
        results.emplace_back(quality::Generated{.text = *text, .ended = true});
      } else {
        results.emplace_back(fail(text.error()));
      }
    }
    return results;
  }

  std::vector<quality::Prompt> asked;
  quality::Generation last_options;
};

}  // namespace edgelm::test
