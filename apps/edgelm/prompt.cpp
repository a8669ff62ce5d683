// Prompt text to ids.

#include "apps/edgelm/prompt.h"

#include <charconv>

#include "os/file.h"
#include "text/template/chat_template.h"
#include "text/unicode.h"

namespace edgelm::apps {
namespace {

constexpr std::uint64_t kMaxPromptBytes = 256U << 20;

Result<std::string> prompt_text(const RunOptions& options) {
  if (options.prompt) return *options.prompt;
  if (!options.prompt_file.empty()) return os::read_file(options.prompt_file, kMaxPromptBytes);
  return os::read_stdin(kMaxPromptBytes);
}

}  // namespace

Status check_utf8(const std::string& text, const std::string& what) {
  const std::size_t valid = text::valid_utf8_prefix(text);
  if (valid == text.size()) return {};
  return fail(ErrorCode::kFormat, "{} is not valid UTF-8: byte {} is 0x{:02x}", what, valid,
              static_cast<unsigned char>(text[valid]));
}

Result<std::vector<text::TokenId>> parse_ids(const std::string& words) {
  std::vector<text::TokenId> ids;
  constexpr const char* kSeparators = " \t\r\n,";
  std::size_t begin = words.find_first_not_of(kSeparators);
  while (begin != std::string::npos) {
    const std::size_t end = std::min(words.find_first_of(kSeparators, begin), words.size());
    text::TokenId id = 0;
    const auto [stop, error] = std::from_chars(words.data() + begin, words.data() + end, id);
    if (error != std::errc() || stop != words.data() + end)
      return fail(ErrorCode::kUsage, "'{}' is not a token id: expected whole numbers like 1 403",
                  words.substr(begin, end - begin));
    ids.push_back(id);
    begin = words.find_first_not_of(kSeparators, end);
  }
  return ids;
}

Result<std::vector<text::TokenId>> prompt_ids(const RunOptions& options,
                                              const model::Model& model) {
  if (options.tokens) return parse_ids(*options.tokens);
  EDGELM_TRY_ASSIGN(const std::string text, prompt_text(options));
  EDGELM_TRY(check_utf8(text, options.prompt_file.empty() ? "the prompt" : options.prompt_file));
  if (model.tokenizer() == nullptr)
    return fail(ErrorCode::kUnsupported, "{} has no vocabulary: feed ids with --tokens",
                model.file().path());
  if (options.raw || model.chat_template().empty())
    return model.tokenizer()->encode(text, {.add_special = true, .parse_special = false});
  std::vector<ChatTurn> turns;
  if (!options.system.empty()) turns.push_back({"system", options.system});
  turns.push_back({"user", text});
  return chat_ids(model, turns);
}

Result<std::vector<text::TokenId>> chat_ids(const model::Model& model,
                                            const std::vector<ChatTurn>& turns) {
  const text::Tokenizer& tokenizer = *model.tokenizer();
  const text::SpecialTokens& special = tokenizer.special();
  text::ChatInput input;
  for (const ChatTurn& turn : turns)
    input.messages.push_back({.role = turn.role, .content = turn.content, .extra_json = {}});
  if (special.bos != text::kNoToken) input.bos_token = tokenizer.raw_piece(special.bos);
  if (special.eos != text::kNoToken) input.eos_token = tokenizer.raw_piece(special.eos);
  const auto with_name = [&](Error error) {
    error.message =
        fmt::format("{}: {}; --raw feeds the prompt as it is", model.file().path(), error.message);
    return error;
  };
  const auto chat_template = text::ChatTemplate::parse(model.chat_template());
  if (!chat_template) return fail(with_name(chat_template.error()));
  const auto text = chat_template->render(input);
  if (!text) return fail(with_name(text.error()));
  EDGELM_TRY_ASSIGN(std::vector<text::TokenId> ids,
                    tokenizer.encode(*text, {.add_special = true, .parse_special = true}));
  // Many templates write BOS themselves, on top of the one the vocabulary asks for.
  if (special.add_bos && ids.size() > 1 && ids[0] == special.bos && ids[1] == special.bos)
    ids.erase(ids.begin());
  return ids;
}

}  // namespace edgelm::apps
