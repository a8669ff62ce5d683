// Fuzz target: any bytes as each format of questions. What is accepted must be whole.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "quality/choice.h"
#include "quality/choice_data.h"
#include "quality/gsm8k.h"
#include "quality/lambada.h"
#include "quality/open_questions.h"

namespace {

using namespace edgelm;

void check(const Result<quality::ChoiceSet>& set) {
  if (!set) return;
  for (const quality::ChoiceTask& task : set->tasks)
    if (task.gold >= task.texts.size() || task.texts.size() != task.choices.size() ||
        task.question.empty())
      std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using quality::ChoiceFormat;
  const std::string text(reinterpret_cast<const char*>(data), size);
  static_cast<void>(quality::letter_of(text, 5));
  static_cast<void>(quality::strict_answer(text));
  static_cast<void>(quality::flexible_answer(text));
  const auto file = quality::check_text("input", text);
  if (!file) return 0;
  static_cast<void>(quality::recognise(*file));
  if (const auto passages = quality::read_lambada(*file))
    for (const quality::Passage& passage : *passages)
      if (passage.context.empty() || passage.word.empty()) std::abort();
  if (const auto problems = quality::read_gsm8k(*file))
    for (const quality::Problem& problem : *problems)
      if (problem.gold.empty()) std::abort();
  if (const auto questions = quality::read_questions(*file))
    for (const quality::OpenQuestion& question : *questions)
      if (question.turns.empty()) std::abort();
  check(quality::read_hellaswag(*file));
  check(quality::read_mmlu(*file, &*file, 1));
  for (const ChoiceFormat format :
       {ChoiceFormat::kArc, ChoiceFormat::kPiqa, ChoiceFormat::kWinoGrande, ChoiceFormat::kBoolQ})
    check(quality::read_instructions(*file, format));
  return 0;
}
