// HellaSwag in the six-line form of klosax/hellaswag_text_data, which llama.cpp reads: context,
// index of the right ending, four endings.

#include <fmt/format.h>

#include "quality/choice_data.h"

namespace edgelm::quality {

Result<ChoiceSet> read_hellaswag(const TextFile& file) {
  constexpr std::size_t kLines = 6;
  constexpr std::size_t kEndings = 4;
  const std::vector<Line> lines = file.lines();
  if (lines.size() % kLines != 0)
    return fail(ErrorCode::kFormat,
                "{}:{}: the last task has {} lines, expected {}: context, number of the right "
                "ending, four endings",
                file.path, lines.back().number, lines.size() % kLines, kLines);
  ChoiceSet set{.format = ChoiceFormat::kHellaSwag,
                .task = "hellaswag",
                .data = file.name,
                .protocol = "0-shot, ending after context and a space",
                .tasks = {}};
  set.tasks.reserve(lines.size() / kLines);
  for (std::size_t at = 0; at < lines.size(); at += kLines) {
    ChoiceTask task;
    const std::string_view gold = lines[at + 1].text;
    if (gold.size() != 1 || gold[0] < '0' || gold[0] > '3')
      return fail(ErrorCode::kFormat,
                  "{}:{}: expected the number of the right ending, 0 to 3, got {}", file.path,
                  lines[at + 1].number, shown(gold));
    task.gold = static_cast<std::uint32_t>(gold[0] - '0');
    task.question = lines[at].text;
    if (task.question.empty())
      return fail(ErrorCode::kFormat, "{}:{}: expected a context, got an empty line", file.path,
                  lines[at].number);
    task.texts.reserve(kEndings);
    task.choices.reserve(kEndings);
    for (std::size_t i = 0; i < kEndings; ++i) {
      const Line& ending = lines[at + 2 + i];
      if (ending.text.empty())
        return fail(ErrorCode::kFormat, "{}:{}: expected ending {} of {}, got an empty line",
                    file.path, ending.number, i, kEndings);
      task.choices.emplace_back(ending.text);
      task.texts.push_back({task.question, fmt::format(" {}", ending.text)});
    }
    task.id = fmt::format("{}-{}", at / kLines, short_hash(task.question + task.choices[0]));
    set.tasks.push_back(std::move(task));
  }
  return set;
}

}  // namespace edgelm::quality
