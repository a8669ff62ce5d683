#pragma once
// Multiple choice: each choice's log-likelihood after the question, the largest is the answer.
// Where log-probabilities cannot be had (chat servers), the question is asked with lettered choices
// and the letter is read from the answer: another protocol with another score, and named so.

#include "quality/choice_data.h"
#include "quality/evaluation.h"

namespace edgelm::quality {

struct ChoiceOptions : EvaluationOptions {
  bool by_letter = false;         // ask, instead of scoring
  std::uint32_t max_tokens = 64;  // of such an answer
};

// Records: "acc_norm_token" (HellaSwag: the mean per token of the endings, llama.cpp's score),
// "acc" (the sum), "acc_norm" (the sum per character, where the reference reports it), and
// "gold log-likelihood" (for paired comparison). By letter: "acc_letter".
Result<Evaluation> evaluate_choices(Subject& subject, const ChoiceSet& set,
                                    const ChoiceOptions& options);

// The letter that an answer names, as an index below n_choices; absent when it names none. Taken:
// after the last "answer is" or "answer:", else the first capital letter that stands alone ("B",
// "B.", "(B)", "**B**"); "A" before a lower-case word is an article and does not count.
std::optional<std::uint32_t> letter_of(std::string_view answer, std::size_t n_choices);

// The text that is asked then.
std::string letter_question(const ChoiceTask& task);

}  // namespace edgelm::quality
