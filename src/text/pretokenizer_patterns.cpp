// The patterns by name; see pretokenizer_patterns.h. Where llama.cpp rewrites a vendor's pattern
// for its own engine, the vendor's form stands here. Rewritten are only the patterns that would
// take quadratic time or unbounded stack on long runs; each says so.

#include "text/pretokenizer_patterns.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace edgelm::text {
namespace {

// Parts that many patterns share.
#define EDGELM_CONTRACTION R"((?i:'s|'t|'re|'ve|'m|'ll|'d))"
#define EDGELM_WORD R"([^\r\n\p{L}\p{N}]?\p{L}+)"
#define EDGELM_SPACES R"(\s*[\r\n]+|\s+(?!\S)|\s+)"
#define EDGELM_OTHER R"( ?[^\s\p{L}\p{N}]+[\r\n]*|)" EDGELM_SPACES
#define EDGELM_KANA_HAN R"([\x{4e00}-\x{9fa5}\x{3040}-\x{309f}\x{30a0}-\x{30ff}]+)"
#define EDGELM_ASCII_PUNCTUATION R"([!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~])"
// Words of capitals then small letters, each part possibly empty (o200k).
#define EDGELM_UPPER R"([\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}])"
#define EDGELM_LOWER R"([\p{Ll}\p{Lm}\p{Lo}\p{M}])"
#define EDGELM_CASED(suffix)                                       \
  R"([^\r\n\p{L}\p{N}]?)" EDGELM_UPPER "*" EDGELM_LOWER "+" suffix \
  R"(|[^\r\n\p{L}\p{N}]?)" EDGELM_UPPER "+" EDGELM_LOWER "*" suffix
#define EDGELM_OTHER_SLASH R"(| ?[^\s\p{L}\p{N}]+[\r\n/]*|)" EDGELM_SPACES

#define EDGELM_GPT2 R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)"
#define EDGELM_QWEN2 EDGELM_CONTRACTION "|" EDGELM_WORD R"(|\p{N}|)" EDGELM_OTHER
#define EDGELM_O200K EDGELM_CASED(EDGELM_CONTRACTION "?") R"(|\p{N}{1,3})" EDGELM_OTHER_SLASH

constexpr PatternStep kGpt2[] = {{EDGELM_GPT2}};
constexpr PatternStep kDigitsGpt2[] = {{R"(\p{N})"}, {EDGELM_GPT2}};
constexpr PatternStep kDefault[] = {
    {R"([\p{P}$+<=>\^~|]+)"}, {EDGELM_GPT2}, {R"(\p{N}+)"}, {"[0-9][0-9][0-9]"}};
constexpr PatternStep kFalcon[] = {{R"([\p{P}$+<=>\^~|`]+)"}, {EDGELM_GPT2}, {"[0-9][0-9][0-9]"}};
constexpr PatternStep kLlama3[] = {
    {EDGELM_CONTRACTION "|" EDGELM_WORD R"(|\p{N}{1,3}|)" EDGELM_OTHER}};
constexpr PatternStep kMiniCpm5[] = {
    {R"(\p{N}{1,3})"}, {EDGELM_CONTRACTION "|" EDGELM_WORD R"(|\p{N}+|)" EDGELM_OTHER}};
constexpr PatternStep kJais2[] = {
    {EDGELM_CONTRACTION
     "|" EDGELM_WORD R"(|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+)"
     R"(|\s{512}(?!\S)|\s{256}(?!\S)|\s{128}(?!\S)|\s{64}(?!\S)|\s{32}(?!\S)|\s{16}(?!\S))"
     R"(|\s{8}(?!\S)|\s{4}(?!\S)|\s{1,2}(?!\S)|\s{1})"}};
constexpr PatternStep kQwen2[] = {{EDGELM_QWEN2}};
constexpr PatternStep kLaguna[] = {{R"([^\n]+|\n+)"}, {EDGELM_QWEN2}};
constexpr PatternStep kUfakzeka[] = {{EDGELM_WORD R"(|\p{N}|)" EDGELM_OTHER}};
constexpr PatternStep kQwen35[] = {
    {EDGELM_CONTRACTION
     R"(|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|)" EDGELM_SPACES}};
constexpr PatternStep kSeedCoder[] = {
    {EDGELM_CONTRACTION "|" EDGELM_WORD R"(|\p{N}| ?[^\s\p{L}\p{N}\r\n]+|)" EDGELM_SPACES}};
constexpr PatternStep kBailing[] = {
    {R"('(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]++[\r\n]*)"
     R"(|\s*[\r\n]|\s+(?!\S)|\s+)"}};
// Published with (?:\p{L}\p{M}*(?: \p{L}\p{M}*)*)+ for the words: the same strings, without a
// stack.
constexpr PatternStep kExaoneMoe[] = {{EDGELM_CONTRACTION
                                       R"(|[^\r\n\p{L}\p{N}]?\p{L}(?:[\p{L}\p{M}]| \p{L})*+|\p{N})"
                                       R"(| ?[^\s\p{L}\p{N}]+[\r\n/]?|\s*[\r\n]|\s+(?!\S)|\s+)"}};
constexpr PatternStep kO200k[] = {{EDGELM_O200K}};
constexpr PatternStep kTekken[] = {{EDGELM_CASED("") R"(|\p{N})" EDGELM_OTHER_SLASH}};
// Published as \d{1,3}(?=(?:\d{3})*\b), which is quadratic in the number of digits.
constexpr PatternStep kTinyAya[] = {{R"((?<!\d)\d++\b)", true}, {EDGELM_O200K}};
// Published with the second pattern (?=(\d{3})+(?!\d)), which is quadratic too.
constexpr PatternStep kSuperBpe[] = {{R"(\p{N}+)"}, {R"(\d++)", true}};
// Han apart from all other letters. Published with set intersections, which PCRE2 lacks; the
// complements name the same sets.
#define EDGELM_NOT_HAN_UPPER R"([^\p{Ll}\p{N}\p{P}\p{S}\p{Z}\p{C}\p{Han}])"
#define EDGELM_NOT_HAN_LOWER R"([^\p{Lu}\p{Lt}\p{N}\p{P}\p{S}\p{Z}\p{C}\p{Han}])"
constexpr PatternStep kKimiK2[] = {
    {R"(\p{Han}+|[^\r\n\p{L}\p{N}]?)" EDGELM_NOT_HAN_UPPER "*" EDGELM_NOT_HAN_LOWER
     "+" EDGELM_CONTRACTION R"(?|[^\r\n\p{L}\p{N}]?)" EDGELM_NOT_HAN_UPPER "+" EDGELM_NOT_HAN_LOWER
     "*" EDGELM_CONTRACTION R"(?|\p{N}{1,3}|)" EDGELM_OTHER}};
constexpr PatternStep kYoutu[] = {
    {R"([\x{ac00}-\x{d7a3}\x{3131}-\x{318e}]+|[\x{ff01}\x{2026}\x{201c}\x{201d}\x{2018})"
     R"(\x{2019}\x{2014}\x{ff1a}\x{ff1b}\x{ff0c}\x{3001}-\x{303f}\x{fe30}-\x{fe4f}]+|[\x{3105}-\x{312f}]+|)" EDGELM_KANA_HAN},
    {EDGELM_CASED(EDGELM_CONTRACTION "?") R"(|\p{N})" EDGELM_OTHER_SLASH}};

// DeepSeek. The letters of deepseek-llm are listed one range at a time by its vendor.
#define EDGELM_V3_WORDS EDGELM_ASCII_PUNCTUATION R"([A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+)"
constexpr PatternStep kDeepseekV3[] = {
    {R"(\p{N}{1,3})"},
    {EDGELM_KANA_HAN},
    {EDGELM_V3_WORDS R"(| ?[\p{P}\p{S}]+[\r\n]*|)" EDGELM_SPACES}};
constexpr PatternStep kSpark25[] = {{R"(\p{N}{1,3})"},
                                    {EDGELM_KANA_HAN},
                                    {EDGELM_V3_WORDS R"(| ?[\p{P}\p{S}]+|[\r\n]|\s+(?!\S)|\s+)"},
                                    {R"(\p{N})"}};
constexpr PatternStep kAfmoe[] = {
    {R"(\p{N}++)", true},
    {R"([\x{4e00}-\x{9fff}\x{3400}-\x{4dbf}\x{f900}-\x{faff}\x{3040}-\x{309f}\x{30a0}-\x{30ff}\x{ff65}-\x{ff9f})"
     R"(\x{2f00}-\x{2fdf}\x{e40}-\x{e7f}\x{e80}-\x{eff}\x{1780}-\x{17ff})"
     R"(\x{1000}-\x{109f}\x{aa60}-\x{aa7f}\x{a9e0}-\x{a9ff}\x{ac00}-\x{d7af}\x{1100}-\x{11ff}]+)"},
    {EDGELM_V3_WORDS R"(| ?[\p{P}\p{S}]+[\r\n]*|)" EDGELM_SPACES}};
constexpr PatternStep kDeepseekCoder[] = {
    {R"([\r\n])"},
    {R"(\s?\p{L}+)"},
    {R"(\s?\p{P}+)"},
    {R"([\x{4e00}-\x{9fa5}\x{800}-\x{4e00}\x{ac00}-\x{d7ff}]+)"},
    {R"(\p{N})"}};
constexpr PatternStep kDeepseekLlm[] = {
    {R"([\r\n])"},
    {R"(\s?[A-Za-z\x{b5}\x{c0}-\x{d6}\x{d8}-\x{f6}\x{f8}-\x{1ba}\x{1bc}-\x{1bf})"
     R"(\x{1c4}-\x{293}\x{295}-\x{2af}\x{370}-\x{373}\x{376}\x{377}\x{37b}-\x{37d}\x{37f})"
     R"(\x{386}\x{388}-\x{38a}\x{38c}\x{38e}-\x{3a1}\x{3a3}-\x{3f5}\x{3f7}-\x{481})"
     R"(\x{48a}-\x{52f}\x{531}-\x{556}\x{10a0}-\x{10c5}\x{13a0}-\x{13f5}\x{13f8}-\x{13fd})"
     R"(\x{1c90}-\x{1cba}\x{1cbd}-\x{1cbf}\x{1d00}-\x{1d2b}\x{1d6b}-\x{1d77})"
     R"(\x{1d79}-\x{1d9a}\x{1e00}-\x{1f15}\x{1f18}-\x{1f1d}\x{1f20}-\x{1f45})"
     R"(\x{1f48}-\x{1f4d}\x{1f50}-\x{1f57}\x{1f59}\x{1f5b}\x{1f5d}\x{1f5f}-\x{1f7d})"
     R"(\x{1f80}-\x{1fb4}\x{1fb6}-\x{1fbc}\x{1fbe}\x{1fc2}-\x{1fc4}\x{1fc6}-\x{1fcc})"
     R"(\x{1fd0}-\x{1fd3}\x{1fd6}-\x{1fdb}\x{1fe0}-\x{1fec}\x{1ff2}-\x{1ff4})"
     R"(\x{1ff6}-\x{1ffc}\x{2102}\x{2107}\x{210a}-\x{2113}\x{2115}\x{2119}-\x{211d}\x{2124})"
     R"(\x{2126}\x{2128}\x{212a}-\x{212d}\x{212f}-\x{2134}\x{2139}\x{213c}-\x{213f})"
     R"(\x{2145}-\x{2149}\x{214e}\x{2183}\x{2184}\x{2c00}-\x{2c7b}\x{2c7e}-\x{2ce4})"
     R"(\x{2ceb}-\x{2cee}\x{2cf2}\x{2cf3}\x{a640}-\x{a66d}\x{a680}-\x{a69b}\x{a722}-\x{a76f})"
     R"(\x{a771}-\x{a787}\x{a78b}-\x{a78e}\x{ab70}-\x{abbf}\x{fb00}-\x{fb06})"
     R"(\x{fb13}-\x{fb17}\x{ff21}-\x{ff3a}\x{ff41}-\x{ff5a}\x{10400}-\x{1044f})"
     R"(\x{104b0}-\x{104d3}\x{104d8}-\x{104fb}\x{10c80}-\x{10cb2}\x{10cc0}-\x{10cf2})"
     R"(\x{118a0}-\x{118df}\x{1e900}-\x{1e943}]+)"},
    {R"(\s?[!-/:-~\x{ff01}-\x{ff0f}\x{ff1a}-\x{ff5e}\x{2018}-\x{201f}\x{3000}-\x{3002}]+)"},
    {R"((?<!\s)\s++$)"},  // published as \s+$, which is quadratic in a run of spaces
    {R"([\x{4e00}-\x{9fa5}\x{800}-\x{4e00}\x{ac00}-\x{d7ff}]+)"},
    {R"(\p{N}+)"}};

#define EDGELM_BLOOM R"( ?[^(\s|.,!?\x{2026}\x{3002}\x{ff0c}\x{3001}\x{964}\x{6d4}\x{60c})]+)"
constexpr PatternStep kBloom[] = {{EDGELM_BLOOM}};
constexpr PatternStep kViking[] = {{EDGELM_BLOOM}, {R"(\p{N})"}};
constexpr PatternStep kChameleon[] = {{"<sentinel:[0-9]+>"},       {"IMGIMG[A-I]{1,4}Z"},
                                      {R"([\t\n]|    |  )"},       {R"(\p{N})"},
                                      {R"([\p{P}!-/:-@\[-`{-~])"}, {EDGELM_GPT2}};

constexpr bool kWhole = true;
constexpr bool kBos = true;

struct Named {
  std::string_view name;
  PreTokenizerEntry entry;
};
constexpr Named kTable[] = {
    {"default", {kDefault}},
    // LLaMA 3 and relatives
    {"llama-bpe", {kLlama3, kWhole, kBos}},
    {"llama3", {kLlama3, kWhole, kBos}},
    {"llama-v3", {kLlama3, kWhole, kBos}},
    {"falcon3", {kLlama3, kWhole, kBos}},
    {"falcon-h1", {kLlama3, kWhole, kBos}},
    {"pixtral", {kLlama3, kWhole, kBos}},
    {"midm-2.0", {kLlama3, kWhole, kBos}},
    {"lfm2", {kLlama3, kWhole, kBos}},
    {"jina-v5-nano", {kLlama3, kWhole, kBos}},
    {"dbrx", {kLlama3}},
    {"smaug-bpe", {kLlama3}},
    {"chatglm-bpe", {kLlama3}},
    {"glm4", {kLlama3}},
    {"minicpm5", {kMiniCpm5, kWhole}},
    {"jais-2", {kJais2}},
    // GPT-2 and relatives
    {"gpt-2", {kGpt2}},
    {"phi-2", {kGpt2}},
    {"mpt", {kGpt2}},
    {"olmo", {kGpt2}},
    {"jais", {kGpt2}},
    {"trillion", {kGpt2}},
    {"granite-docling", {kGpt2}},
    {"exaone4", {kGpt2}},
    {"gigachat", {kGpt2}},
    {"a.x-4.0", {kGpt2}},
    {"mellum", {kGpt2}},
    {"modern-bert", {kGpt2}},
    {"roberta-bpe", {kGpt2}},
    {"jina-es", {kGpt2}},
    {"jina-de", {kGpt2}},
    {"jina-v1-en", {kGpt2}},
    {"jina-v2-es", {kGpt2}},
    {"jina-v2-de", {kGpt2}},
    {"jina-v2-code", {kGpt2}},
    {"falcon", {kFalcon}},
    {"starcoder", {kDigitsGpt2}},
    {"refact", {kDigitsGpt2}},
    {"command-r", {kDigitsGpt2}},
    {"smollm", {kDigitsGpt2}},
    {"codeshell", {kDigitsGpt2}},
    {"exaone", {kDigitsGpt2}},
    {"minerva-7b", {kDigitsGpt2}},
    {"mellum2", {kDigitsGpt2}},
    {"chameleon", {kChameleon, false, kBos}},
    // Qwen and relatives
    {"qwen2", {kQwen2}},
    {"stablelm2", {kQwen2}},
    {"deepseek-r1-qwen", {kQwen2}},
    {"megrez", {kQwen2}},
    {"hunyuan", {kQwen2}},
    {"solar-open", {kQwen2}},
    {"grok-2", {kQwen2}},
    {"kormo", {kQwen2}},
    {"f2llmv2", {kQwen2}},
    {"qwen35", {kQwen35}},
    {"laguna", {kLaguna}},
    {"ufakzeka", {kUfakzeka}},
    {"seed-coder", {kSeedCoder}},
    {"bailingmoe", {kBailing}},
    {"bailingmoe2", {kBailing}},
    {"llada-moe", {kBailing}},
    {"exaone-moe", {kExaoneMoe}},
    // o200k and relatives
    {"gpt-4o", {kO200k}},
    {"llama4", {kO200k}},
    {"kanana2", {kO200k}},
    {"talkie", {kO200k}},
    {"minimax-m2", {kO200k}},
    {"granite-embed-multi-97m", {kO200k, kWhole}},
    {"tekken", {kTekken, kWhole, kBos}},
    {"tiny_aya", {kTinyAya}},
    {"cohere2moe", {kTinyAya}},
    {"youtu", {kYoutu, kWhole}},
    {"kimi-k2", {kKimiK2}},
    // DeepSeek and relatives
    {"deepseek-llm", {kDeepseekLlm}},
    {"deepseek-coder", {kDeepseekCoder}},
    {"deepseek-v3", {kDeepseekV3}},
    {"hunyuan-dense", {kDeepseekV3}},
    {"joyai-llm", {kDeepseekV3}},
    {"hy_v4", {kDeepseekV3}},
    {"spark2_5", {kSpark25}},
    {"afmoe", {kAfmoe}},
    // others
    {"bloom", {kBloom}},
    {"poro-chat", {kBloom}},
    {"gpt3-finnish", {kBloom}},
    {"viking", {kViking}},
    {"superbpe", {kSuperBpe}},
};

}  // namespace

const PreTokenizerEntry* find_pre_tokenizer(std::string_view name) {
  const auto* found = std::find_if(std::begin(kTable), std::end(kTable),
                                   [name](const Named& named) { return named.name == name; });
  return found == std::end(kTable) ? nullptr : &found->entry;
}

std::string pre_tokenizer_names() {
  std::string names;
  for (const Named& named : kTable) {
    if (!names.empty()) names += ", ";
    names += named.name;
  }
  return names;
}

}  // namespace edgelm::text
