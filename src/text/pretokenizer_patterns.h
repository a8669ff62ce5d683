#pragma once
// The table of known pre-tokenizers: which patterns cut the text for each tokenizer.ggml.pre, and
// what else the name implies. Patterns are data of the vocabularies' vendors (tokenizer.json of the
// models); what GGUF calls them follows llama.cpp.

#include <span>
#include <string>
#include <string_view>

namespace edgelm::text {

struct PatternStep {
  std::string_view pattern;       // PCRE2, UTF and UCP; \s means Unicode's White_Space
  bool digits_in_threes = false;  // a match is cut again into groups of three from the right
};

struct PreTokenizerEntry {
  std::span<const PatternStep> steps;
  bool whole_words_first = false;
  bool adds_bos = false;
};

// nullptr when the name is not known. The entry lives as long as the program.
const PreTokenizerEntry* find_pre_tokenizer(std::string_view name);

// All known names, separated by ", ".
std::string pre_tokenizer_names();

}  // namespace edgelm::text
