// Fuzz target: tokenizers. The first byte chooses what the rest is: a text for one of the prepared
// tokenizers (both families, every pre-tokenizer), or a whole GGUF file whose vocabulary is used.
// The bytes of a text must come back where the vocabulary has all of them.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "formats/gguf.h"
#include "text/pretokenizer_patterns.h"
#include "text/tokenizer_fixture.h"

namespace {

using namespace edgelm;
using text::TokenId;
using text::Tokenizer;

void require(bool condition) {
  if (!condition) std::abort();
}

std::vector<std::unique_ptr<Tokenizer>> prepare() {
  std::vector<std::unique_ptr<Tokenizer>> all;
  all.push_back(text::fixture::make_tokenizer(text::fixture::spm_spec()).value());
  const std::string names = text::pre_tokenizer_names();
  for (std::size_t at = 0; at < names.size();) {
    const std::size_t end = std::min(names.find(", ", at), names.size());
    const auto spec = text::fixture::bpe_spec(names.substr(at, end - at));
    all.push_back(text::fixture::make_tokenizer(spec).value());
    at = end + 2;
  }
  return all;
}

void encode_prepared(const Tokenizer& tokenizer, std::string_view bytes) {
  for (const bool parse_special : {false, true}) {
    const auto ids =
        tokenizer.encode(bytes, {.add_special = false, .parse_special = parse_special});
    require(ids.has_value());
    require(tokenizer.decode(*ids, parse_special) == bytes);
    for (const TokenId id : *ids) {
      require(id >= 0 && static_cast<std::uint32_t>(id) < tokenizer.size());
      require(parse_special || tokenizer.type(id) != text::TokenType::kControl);
    }
  }
}

// Bytes that a vocabulary of the fuzzer's making is tried on, besides its own tokens.
constexpr std::string_view kText = "Hello <s> world\n\n  12345 \xC3\xA9\xE2\x96\x81\xFF the end";

void use_vocabulary(Bytes bytes) {
  const auto file = formats::GgufFile::parse(bytes, "input");
  if (!file) return;
  const auto made = Tokenizer::from_gguf(*file);
  if (!made) {
    require(!made.error().message.empty());
    return;
  }
  const Tokenizer& tokenizer = **made;
  std::string sample(kText);
  for (TokenId id = 0; static_cast<std::uint32_t>(id) < tokenizer.size() && id < 64; ++id) {
    sample += tokenizer.raw_piece(id);
    (void)tokenizer.ends_generation(id);
  }
  for (const bool flag : {false, true}) {
    const auto ids = tokenizer.encode(sample, {.add_special = flag, .parse_special = flag});
    require(ids.has_value());
    for (const TokenId id : *ids) {
      require(id >= 0 && static_cast<std::uint32_t>(id) < tokenizer.size());
      std::string piece;
      tokenizer.append_piece(id, false, true, piece);
      require(piece.size() <= tokenizer.longest_piece_bytes());
    }
    (void)tokenizer.decode(*ids, flag);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::vector<std::unique_ptr<Tokenizer>> prepared = prepare();
  if (size == 0) return 0;
  const Bytes rest(reinterpret_cast<const std::byte*>(data) + 1, size - 1);
  if (data[0] >= 0xF0) {
    use_vocabulary(rest);
  } else {
    encode_prepared(*prepared[data[0] % prepared.size()], as_chars(rest));
  }
  return 0;
}
