// MMLU (Hendrycks et al. 2021) as csv: question, choices A to D, answer. Both forms that go round:
// the authors' (no header, answers A to D) and the one made from the Hugging Face data set (a
// header, answers 0 to 3). Prompt: lm-evaluation-harness, mmlu/default.

#include <fmt/format.h>

#include "quality/choice_data.h"
#include "quality/csv.h"

namespace edgelm::quality {
namespace {

constexpr std::size_t kChoices = 4;
constexpr std::string_view kLetters = "ABCD";

struct Question {
  std::string text;
  std::vector<std::string> choices;
  std::uint32_t gold = 0;
};

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kWhite = " \t\r\n\v\f";
  const std::size_t begin = text.find_first_not_of(kWhite);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kWhite) - begin + 1);
}

Result<std::vector<Question>> read_questions(const TextFile& file) {
  EDGELM_TRY_ASSIGN(const std::vector<CsvRecord> records, parse_csv(file));
  std::vector<Question> questions;
  questions.reserve(records.size());
  for (const CsvRecord& record : records) {
    if (&record == &records.front() && !record.fields.empty() && record.fields[0] == "question")
      continue;  // the header
    if (record.fields.size() != kChoices + 2)
      return fail(ErrorCode::kFormat,
                  "{}:{}: expected 6 fields (question, 4 choices, answer), got {}", file.path,
                  record.line, record.fields.size());
    const std::string_view answer = trimmed(record.fields.back());
    std::size_t gold = kLetters.find(answer);
    if (answer.size() == 1 && answer[0] >= '0' && answer[0] <= '3')
      gold = static_cast<std::size_t>(answer[0] - '0');
    if (answer.size() != 1 || gold == std::string_view::npos)
      return fail(ErrorCode::kFormat, "{}:{}: expected an answer A to D or 0 to 3, got {}",
                  file.path, record.line, shown(answer));
    if (trimmed(record.fields[0]).empty())
      return fail(ErrorCode::kFormat, "{}:{}: the question is empty", file.path, record.line);
    questions.push_back({std::string(trimmed(record.fields[0])),
                         {record.fields.begin() + 1, record.fields.end() - 1},
                         static_cast<std::uint32_t>(gold)});
  }
  if (questions.empty()) return fail(ErrorCode::kFormat, "{}: a header and no question", file.path);
  return questions;
}

std::string ask(const Question& question) {
  std::string text = question.text;
  for (std::size_t i = 0; i < kChoices; ++i)
    text += fmt::format("\n{}. {}", kLetters[i], question.choices[i]);
  return text + "\nAnswer:";
}

// "college_biology_test.csv" -> "college biology"
std::string subject_of(std::string_view name) {
  if (const std::size_t dot = name.rfind('.'); dot != std::string_view::npos)
    name = name.substr(0, dot);
  for (const std::string_view part : {"_test", "_dev", "_val"})
    if (name.ends_with(part)) name.remove_suffix(part.size());
  std::string subject(name);
  for (char& c : subject)
    if (c == '_') c = ' ';
  return subject;
}

}  // namespace

Result<ChoiceSet> read_mmlu(const TextFile& file, const TextFile* examples, std::uint32_t shots) {
  const std::string subject = subject_of(file.name);
  EDGELM_TRY_ASSIGN(const std::vector<Question> questions, read_questions(file));
  std::string prefix = fmt::format(
      "The following are multiple choice questions (with answers) about {}.\n\n", subject);
  if (shots > 0) {
    if (examples == nullptr)
      return fail(ErrorCode::kUsage, "{}: {} examples asked for and no file of them", file.path,
                  shots);
    EDGELM_TRY_ASSIGN(const std::vector<Question> shown, read_questions(*examples));
    if (shown.size() < shots)
      return fail(ErrorCode::kFormat, "{}: expected {} examples, got {}", examples->path, shots,
                  shown.size());
    for (std::uint32_t i = 0; i < shots; ++i)
      prefix += fmt::format("{} {}\n\n", ask(shown[i]), kLetters[shown[i].gold]);
  }
  ChoiceSet set{.format = ChoiceFormat::kMmlu,
                .task = "mmlu",
                .data = file.name,
                .protocol = fmt::format("{}-shot, letter after the list of choices", shots),
                .tasks = {}};
  set.tasks.reserve(questions.size());
  for (const Question& question : questions) {
    ChoiceTask task;
    const std::string context = prefix + ask(question);
    task.texts.reserve(kChoices);
    for (const char letter : kLetters) task.texts.push_back({context, {' ', letter}});
    task.gold = question.gold;
    task.question = question.text;
    task.choices = question.choices;
    task.id = fmt::format("{}-{}-{}", subject, set.tasks.size(),
                          short_hash(question.text + question.choices[0]));
    set.tasks.push_back(std::move(task));
  }
  return set;
}

}  // namespace edgelm::quality
