#pragma once
// The ids of a prompt: from text (through the chat template unless raw), a file, standard input, or
// ids as they are.

#include <string>
#include <vector>

#include "apps/edgelm/run.h"
#include "base/result.h"
#include "text/tokenizer.h"

namespace edgelm::apps {

struct ChatTurn {
  std::string role;
  std::string content;
};

// Ids for the model of one prompt given by the options.
Result<std::vector<text::TokenId>> prompt_ids(const RunOptions& options, const model::Model& model);

// Ids of a whole conversation through the model's chat template, ready for the next answer.
Result<std::vector<text::TokenId>> chat_ids(const model::Model& model,
                                            const std::vector<ChatTurn>& turns);

// "1 403, 407" -> ids; names the word that is not one.
Result<std::vector<text::TokenId>> parse_ids(const std::string& words);

// kFormat naming `what` and the first byte that is not UTF-8.
Status check_utf8(const std::string& text, const std::string& what);

}  // namespace edgelm::apps
