#pragma once
// GSM8K (Cobbe et al. 2021): grade-school word problems, answered freely, the last number counts.
// Pass@1 is the share of problems whose one greedy answer is right, over a sample stratified by the
// question's length (the workload of arXiv 2505.16508: 100 of them). Prompts and the two ways to
// read an answer are lm-evaluation-harness's (tasks/gsm8k): strict takes the number after "####",
// flexible the last number of the answer.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "quality/evaluation.h"
#include "quality/text_file.h"

namespace edgelm::quality {

struct Problem {
  std::string id;
  std::string question;
  std::string answer;  // worked, ending in "#### 18"
  std::string gold;    // "18"
};

// JSON lines of {"question": "...", "answer": "... #### 18"}.
Result<std::vector<Problem>> read_gsm8k(const TextFile& file);

// The number as answers are compared: without "," and "$" and a "." at the end.
std::optional<std::string> strict_answer(std::string_view text);
std::optional<std::string> flexible_answer(std::string_view text);

struct Gsm8kOptions : EvaluationOptions {
  std::uint32_t shots = 0;    // worked examples before each question
  std::uint32_t strata = 10;  // of equal numbers of problems, by length
  std::uint32_t max_tokens = 512;
  bool chat = false;  // through the chat template, or the server's chat
};

// `examples`: where the shots come from; empty: problems of the same file outside the sample, drawn
// by the seed. Records "pass@1" (flexible) and "pass@1_strict", with the answers for reading.
Result<Evaluation> evaluate_gsm8k(Subject& subject, const std::vector<Problem>& problems,
                                  const std::vector<Problem>& examples, const std::string& data,
                                  const Gsm8kOptions& options);

}  // namespace edgelm::quality
