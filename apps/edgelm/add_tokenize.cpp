// edgelm tokenize: text on standard input to token ids, or ids back to bytes.

#include <fmt/format.h>

#include <charconv>
#include <memory>
#include <string>
#include <vector>

#include "apps/edgelm/commands.h"
#include "apps/edgelm/models.h"
#include "apps/edgelm/output.h"
#include "formats/gguf.h"
#include "os/file.h"
#include "text/tokenizer.h"

namespace edgelm::apps {
namespace {

constexpr const char* kExamples =
    "Examples:\n"
    "  edgelm tokenize model.gguf <text.txt\n"
    "  echo 'Once upon a time' | edgelm tokenize | edgelm tokenize --decode\n";
constexpr std::uint64_t kMaxInputBytes = std::uint64_t{1} << 30;

struct TokenizeFlags {
  std::string model;
  bool no_bos = false;
  bool special = false;
  bool decode = false;
};

// Ids separated by white space or commas.
Result<std::vector<text::TokenId>> parse_ids(std::string_view input, std::uint32_t n_tokens) {
  constexpr std::string_view kSeparators = " \t\r\n,";
  std::vector<text::TokenId> ids;
  std::size_t at = input.find_first_not_of(kSeparators);
  while (at != std::string_view::npos) {
    const std::size_t end = std::min(input.find_first_of(kSeparators, at), input.size());
    const std::string_view word = input.substr(at, end - at);
    text::TokenId id = text::kNoToken;
    const auto [rest, error] = std::from_chars(word.data(), word.data() + word.size(), id);
    if (error == std::errc::invalid_argument || rest != word.data() + word.size())
      return fail(ErrorCode::kFormat, "id {} on standard input is not a number", ids.size() + 1);
    if (error != std::errc() || id < 0 || static_cast<std::uint32_t>(id) >= n_tokens) {
      return fail(ErrorCode::kFormat, "id {} on standard input is {:.20}, expected 0 to {}",
                  ids.size() + 1, word, n_tokens - 1);
    }
    ids.push_back(id);
    at = input.find_first_not_of(kSeparators, end);
  }
  return ids;
}

Status tokenize(const TokenizeFlags& flags) {
  EDGELM_TRY_ASSIGN(const formats::GgufFile file, open_gguf(flags.model));
  EDGELM_TRY_ASSIGN(const std::unique_ptr<text::Tokenizer> tokenizer,
                    text::Tokenizer::from_gguf(file));
  EDGELM_TRY_ASSIGN(const std::string input, os::read_stdin(kMaxInputBytes));
  if (flags.decode) {
    EDGELM_TRY_ASSIGN(const auto ids, parse_ids(input, tokenizer->size()));
    return write_result(tokenizer->decode(ids, flags.special));
  }
  EDGELM_TRY_ASSIGN(const auto ids, tokenizer->encode(input, {.add_special = !flags.no_bos,
                                                              .parse_special = flags.special}));
  std::string line;
  for (const text::TokenId id : ids) {
    if (!line.empty()) line.push_back(' ');
    fmt::format_to(std::back_inserter(line), "{}", id);
  }
  line.push_back('\n');
  return write_result(line);
}

}  // namespace

void add_tokenize(CLI::App& app, Outcome& outcome) {
  CLI::App* command = app.add_subcommand(
      "tokenize", "Turn text on standard input into token ids, or ids into text (--decode)");
  command->footer(kExamples);
  auto flags = std::make_shared<TokenizeFlags>();
  command->add_option("model,-m,--model", flags->model, kModelHelp);
  command->add_flag("--no-bos", flags->no_bos, "Add no BOS or EOS token");
  command->add_flag("--special", flags->special,
                    "Recognise special tokens written in the text; print them with --decode");
  command->add_flag("--decode", flags->decode, "Read ids instead of text, write the bytes");
  command->callback([flags, &outcome] { outcome.status = tokenize(*flags); });
}

}  // namespace edgelm::apps
