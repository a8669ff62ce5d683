#pragma once
// Open questions of one or more turns (MT-Bench's, Zheng et al. 2023), answered and kept for
// reading. Nothing is scored: that needs a judge, and a judge that is no person needs its own
// evaluation.

#include <string>
#include <vector>

#include "quality/evaluation.h"
#include "quality/text_file.h"

namespace edgelm::quality {

struct OpenQuestion {
  std::string id;
  std::string category;
  std::vector<std::string> turns;
  std::vector<std::string> references;  // as many as turns, or none
};

// JSON lines of {"question_id": 81, "category": "...", "turns": [...], "reference": [...]}.
Result<std::vector<OpenQuestion>> read_questions(const TextFile& file);

struct OpenOptions : EvaluationOptions {
  Generation generation = {.max_tokens = 512};
  std::vector<std::string> categories = {};  // empty: all
};

// One record "answers" without a value; an item per turn, whose value says whether the answer ended
// by itself (1) or at the limit (0).
Result<Evaluation> answer_questions(Subject& subject, const std::vector<OpenQuestion>& questions,
                                    const std::string& data, const OpenOptions& options);

}  // namespace edgelm::quality
