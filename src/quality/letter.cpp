// Asking for a letter, and finding it in what comes back.

#include <fmt/format.h>

#include <algorithm>

#include "quality/choice.h"

namespace edgelm::quality {
namespace {

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '\'';
}

// The first letter of the choices that stands alone.
std::optional<std::uint32_t> lone_letter(std::string_view text, std::size_t n_choices) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto index = static_cast<std::size_t>(static_cast<unsigned char>(text[i]) - 'A');
    if (text[i] < 'A' || index >= n_choices) continue;
    if (i > 0 && is_word(text[i - 1])) continue;
    if (i + 1 < text.size() && is_word(text[i + 1])) continue;
    // "A man ...", "I think": a word of the language, not a choice.
    const bool before_word =
        i + 2 < text.size() && text[i + 1] == ' ' && text[i + 2] >= 'a' && text[i + 2] <= 'z';
    if (before_word && (text[i] == 'A' || text[i] == 'I')) continue;
    return static_cast<std::uint32_t>(index);
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::uint32_t> letter_of(std::string_view answer, std::size_t n_choices) {
  n_choices = std::min<std::size_t>(n_choices, 26);
  std::string lower(answer);
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  for (const std::string_view lead : {"answer is", "answer:"}) {
    const std::size_t at = lower.rfind(lead);
    if (at == std::string::npos) continue;
    if (const auto letter = lone_letter(answer.substr(at + lead.size()), n_choices)) return letter;
  }
  return lone_letter(answer, n_choices);
}

std::string letter_question(const ChoiceTask& task) {
  std::string text = task.question;
  for (std::size_t i = 0; i < task.choices.size(); ++i)
    text += fmt::format("\n{}. {}", static_cast<char>('A' + i), task.choices[i]);
  return text + "\nAnswer with the letter of the right choice alone.";
}

}  // namespace edgelm::quality
