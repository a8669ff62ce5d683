#pragma once
// LAMBADA (Paperno et al. 2016): the last word of a passage that needs the whole passage. Scored as
// lm-evaluation-harness's lambada_openai does: accuracy is the share of passages whose last word is
// what greedy decoding gives, token for token; perplexity is exp of the mean negative
// log-likelihood of the words.

#include <string>
#include <vector>

#include "quality/evaluation.h"
#include "quality/text_file.h"

namespace edgelm::quality {

struct Passage {
  std::string id;
  std::string context;
  std::string word;  // without the space before it
};

// JSON lines of {"text": "..."}.
Result<std::vector<Passage>> read_lambada(const TextFile& file);

struct LambadaOptions : EvaluationOptions {
  bool by_generation =
      false;  // ask for text and compare its first word, where scores cannot be had
};

// Records "acc" and "perplexity"; by generation "acc_generated" alone.
Result<Evaluation> evaluate_lambada(Subject& subject, const std::vector<Passage>& passages,
                                    const std::string& data, const LambadaOptions& options);

}  // namespace edgelm::quality
