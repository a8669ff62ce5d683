// Which tokens end a generation. GGUF names EOS, and sometimes EOT and EOM; models also end their
// turns with tokens known by their text alone. The list follows llama.cpp's (src/llama-vocab.cpp,
// "auto-detect special tokens by text"), so that both programs stop at the same place.

#include <algorithm>
#include <array>
#include <string_view>

#include "text/vocab.h"

namespace edgelm::text {
namespace {

// Texts that no ordinary token has: they count whatever type the file gives them. The first that a
// vocabulary holds is its end of turn when the file names none.
constexpr std::string_view kEndOfTurn[] = {
    "<|eot_id|>",
    "<|im_end|>",
    "<|end|>",
    "<end_of_turn>",
    "<|endoftext|>",
    "<|end_of_text|>",
    "<｜end▁of▁sentence｜>",
    "<end_of_utterance>",
};
constexpr std::string_view kOtherEnds[] = {
    "<|eom_id|>",  "<|return|>",   "<|call|>",      "<|calls|>",    "<|flush|>",
    "<|fim_pad|>", "<|fim_repo|>", "<|repo_name|>", "<|file_sep|>", "<|tool_response>",
};
// Texts that also occur as ordinary tokens (</s> is HTML's strike-through): control tokens only.
constexpr std::string_view kEndsIfControl[] = {
    "</s>",      "<eos>",     "<EOT>", "_<EOT>", "[EOT]",      "[EOS]",  "<turn|>",    "[e~[",
    "<fim-pad>", "<fim_pad>", "<PAD>", "[PAD]",  "<fim-repo>", "<REPO>", "<reponame>",
};

template <std::size_t N>
std::size_t index_in(const std::string_view (&list)[N], std::string_view text) {
  return static_cast<std::size_t>(std::find(std::begin(list), std::end(list), text) -
                                  std::begin(list));
}

}  // namespace

void Vocabulary::find_end_tokens() {
  ends_generation_.assign(size(), false);
  const auto mark = [this](TokenId id) {
    if (id != kNoToken) ends_generation_[static_cast<std::size_t>(id)] = true;
  };
  std::size_t best_turn = std::size(kEndOfTurn);
  TokenId turn = kNoToken;
  TokenId end = kNoToken;  // <|end|>
  bool has_return = false;
  bool has_call = false;
  bool has_flush = false;
  for (TokenId id = 0; contains(id); ++id) {
    const std::string_view name = text(id);
    if (name.size() < 4 || (name[0] != '<' && name[0] != '[' && name[0] != '_')) continue;
    TokenType& kind = types_[static_cast<std::size_t>(id)];
    const std::size_t rank = index_in(kEndOfTurn, name);
    if (rank < std::size(kEndOfTurn) || index_in(kOtherEnds, name) < std::size(kOtherEnds)) {
      // Some files mark them as ordinary tokens; plain text must not be able to spell them.
      if (kind == TokenType::kNormal) kind = TokenType::kControl;
      mark(id);
    } else if (kind == TokenType::kControl &&
               index_in(kEndsIfControl, name) < std::size(kEndsIfControl)) {
      mark(id);
    }
    if (rank < best_turn) {
      best_turn = rank;
      turn = id;
    }
    if (name == "<|end|>") end = id;
    has_return |= name == "<|return|>";
    has_call |= name == "<|call|>" || name == "<|calls|>";
    has_flush |= name == "<|flush|>";
  }
  // In the "harmony" format <|end|> closes a message, not the turn.
  if (end != kNoToken && has_call && (has_return || has_flush)) {
    ends_generation_[static_cast<std::size_t>(end)] = false;
    if (turn == end) turn = kNoToken;
  }
  if (special_.eot == kNoToken) special_.eot = turn;
  for (const TokenId id : {special_.eos, special_.eot, eom_}) mark(id);
}

}  // namespace edgelm::text
