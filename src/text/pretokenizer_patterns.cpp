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
    {R"([가-힣ㄱ-ㆎ]+|[！…“”‘’—：；，\x{3001}-\x{303f}\x{fe30}-\x{fe4f}]+|[ㄅ-ㄯ]+|)" EDGELM_KANA_HAN},
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
    {R"(\p{Nd}++)", true},
    {R"([一-\x{9fff}㐀-\x{4dbf}豈-\x{faff}\x{3040}-ゟ゠-ヿ･-ﾟ⼀-\x{2fdf}เ-\x{e7f}\x{e80}-\x{eff}ក-\x{17ff})"
     R"(က-\x{109f}ꩠ-ꩿꧠ-\x{a9ff}가-\x{d7af}ᄀ-ᇿ]+)"},
    {EDGELM_V3_WORDS R"(| ?[\p{P}\p{S}]+[\r\n]*|)" EDGELM_SPACES}};
constexpr PatternStep kDeepseekCoder[] = {
    {R"([\r\n])"},
    {R"(\s?\p{L}+)"},
    {R"(\s?\p{P}+)"},
    {R"([\x{4e00}-\x{9fa5}\x{800}-\x{4e00}\x{ac00}-\x{d7ff}]+)"},
    {R"(\p{N})"}};
constexpr PatternStep kDeepseekLlm[] = {
    {R"([\r\n])"},
    {R"(\s?[A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ-ՖႠ-ჅᎠ-Ᏽᏸ-ᏽᲐ-ᲺᲽ-Ჿᴀ-ᴫᵫ-ᵷᵹ-ᶚ)"
     R"(Ḁ-ἕἘ-Ἕἠ-ὅὈ-Ὅὐ-ὗὙὛὝὟ-ώᾀ-ᾴᾶ-ᾼ\x{1fbe}ῂ-ῄῆ-ῌῐ-\x{1fd3}ῖ-\x{1fdb}ῠ-Ῥῲ-ῴῶ-ῼℂℇℊ-ℓℕℙ-ℝℤ\x{2126}ℨ\x{212a}-ℭℯ-ℴℹℼ-ℿⅅ-ⅉⅎↃↄ)"
     R"(Ⰰ-ⱻⱾ-ⳤⳫ-ⳮⲳⳳꙀ-ꙭꚀ-ꚛꜢ-ꝯꝱ-ꞇꞋ-ꞎꭰ-ꮿﬀ-ﬆﬓ-ﬗＡ-Ｚａ-ｚ𐐀-𐑏𐒰-𐓓𐓘-𐓻𐲀-𐲲𐳀-𐳲𑢠-𑣟𞤀-𞥃]+)"},
    {R"(\s?[!-/:-~\x{ff01}-\x{ff0f}\x{ff1a}-\x{ff5e}\x{2018}-\x{201f}\x{3000}-\x{3002}]+)"},
    {R"((?<!\s)\s++$)"},  // published as \s+$, which is quadratic in a run of spaces
    {R"([\x{4e00}-\x{9fa5}\x{800}-\x{4e00}\x{ac00}-\x{d7ff}]+)"},
    {R"(\p{N}+)"}};

#define EDGELM_BLOOM R"( ?[^(\s|.,!?…。，、।۔،)]+)"
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
