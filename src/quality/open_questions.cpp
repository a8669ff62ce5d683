// Turn by turn: the answers of one turn are part of the next prompt.

#include "quality/open_questions.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "api/json.h"
#include "quality/sample.h"

namespace edgelm::quality {
namespace {

using api::Json;

constexpr std::size_t kMaxTurns = 64;

Status read_texts(const Json& json, const char* key, const std::string& place,
                  std::vector<std::string>& out) {
  const Json* list = api::find(json, key);
  if (list == nullptr || !list->is_array() || list->size() > kMaxTurns)
    return fail(ErrorCode::kFormat, "{}: {}: expected a list of at most {} texts", place, key,
                kMaxTurns);
  out.reserve(list->size());
  for (const Json& one : *list) {
    if (!one.is_string())
      return fail(ErrorCode::kFormat, "{}: {}: expected a text, got {}", place, key,
                  one.type_name());
    out.push_back(one.get<std::string>());
  }
  return {};
}

// What has been said so far, as a chat or as plain text.
Prompt prompt_of(const OpenQuestion& question, const std::vector<std::string>& answers, bool chat,
                 std::uint64_t seed) {
  Prompt prompt;
  prompt.seed = seed;
  for (std::size_t turn = 0; turn <= answers.size(); ++turn) {
    if (chat) {
      prompt.chat.push_back({"user", question.turns[turn]});
      if (turn < answers.size()) prompt.chat.push_back({"assistant", answers[turn]});
    } else {
      prompt.text += fmt::format("Question: {}\nAnswer:", question.turns[turn]);
      if (turn < answers.size()) prompt.text += fmt::format("{}\n\n", answers[turn]);
    }
  }
  return prompt;
}

}  // namespace

Result<std::vector<OpenQuestion>> read_questions(const TextFile& file) {
  std::vector<OpenQuestion> questions;
  const std::vector<Line> lines = file.lines();
  questions.reserve(lines.size());
  std::unordered_map<std::string, std::size_t> seen;
  for (const Line& line : lines) {
    if (line.text.find_first_not_of(" \t") == std::string_view::npos) continue;
    const std::string place = fmt::format("{}:{}", file.path, line.number);
    EDGELM_TRY_ASSIGN(const Json json, api::parse(line.text, place));
    OpenQuestion question;
    EDGELM_TRY_ASSIGN(const std::uint64_t number, api::unsigned_at(json, "question_id", place));
    EDGELM_TRY_ASSIGN(question.category, api::string_at(json, "category", place));
    EDGELM_TRY(read_texts(json, "turns", place, question.turns));
    if (question.turns.empty())
      return fail(ErrorCode::kFormat, "{}: turns: expected at least one, got none", place);
    if (api::find(json, "reference") != nullptr)
      EDGELM_TRY(read_texts(json, "reference", place, question.references));
    question.id = fmt::format("{}-{}", number, short_hash(question.turns[0]));
    // A question that stands there twice is two items, which must not pair with each other.
    if (const std::size_t n = ++seen[question.id]; n > 1) question.id += fmt::format("-{}", n);
    questions.push_back(std::move(question));
  }
  return questions;
}

Result<Evaluation> answer_questions(Subject& subject, const std::vector<OpenQuestion>& questions,
                                    const std::string& data, const OpenOptions& options) {
  std::vector<const OpenQuestion*> chosen;
  chosen.reserve(questions.size());
  for (const OpenQuestion& question : questions)
    if (options.categories.empty() ||
        std::find(options.categories.begin(), options.categories.end(), question.category) !=
            options.categories.end())
      chosen.push_back(&question);
  if (chosen.empty())
    return fail(ErrorCode::kUsage, "no question of the categories {}",
                fmt::join(options.categories, ", "));
  const std::vector<std::size_t> order = sample(chosen.size(), options.items, options.seed);
  Evaluation out;
  out.asked = order.size();
  const bool chat = subject.can_chat();
  Generation generation = options.generation;
  if (!chat) generation.stop.emplace_back("Question:");
  Record record = start_record(subject.identity(), "open", data);
  record.metric = "answers";
  record.value = not_available("answers are kept for reading, not scored");
  const std::size_t step = std::max(1U, subject.width());
  for (std::size_t at = 0; at < order.size() && !out.stopped; at += step) {
    std::vector<const OpenQuestion*> part;
    std::size_t turns = 0;
    for (std::size_t i = at; i < std::min(at + step, order.size()); ++i) {
      part.push_back(chosen[order[i]]);
      turns = std::max(turns, part.back()->turns.size());
    }
    std::vector<std::vector<std::string>> answers(part.size());
    std::vector<Item> items;
    for (std::size_t turn = 0; turn < turns && !out.stopped; ++turn) {
      std::vector<Prompt> prompts;
      std::vector<std::size_t> whose;
      for (std::size_t i = 0; i < part.size(); ++i) {
        if (part[i]->turns.size() <= turn) continue;
        prompts.push_back(prompt_of(*part[i], answers[i], chat, options.seed));
        whose.push_back(i);
      }
      const auto got = subject.generate(prompts, generation, options.cancelled);
      if (!got) {
        out.stopped = got.error();
        break;
      }
      for (std::size_t k = 0; k < whose.size(); ++k) {
        const OpenQuestion& question = *part[whose[k]];
        const Result<Generated>& answer = (*got)[k];
        if (!answer && answer.error().code != ErrorCode::kLimit) out.stopped = answer.error();
        if (!answer && out.notes.empty())
          out.notes.push_back(
              fmt::format("question {}: no answer: {}", question.id, answer.error().message));
        answers[whose[k]].push_back(answer ? answer->text : "");
        items.push_back(
            {.id = fmt::format("{}.{}", question.id, turn + 1),
             .value = answer && answer->ended ? 1.0 : 0.0,
             .question = question.turns[turn],
             .answer = answers[whose[k]].back(),
             .expected = turn < question.references.size() ? question.references[turn] : ""});
      }
    }
    if (out.stopped) break;  // questions with all their turns, or not at all
    // Question by question, not turn by turn.
    std::stable_sort(items.begin(), items.end(), [&](const Item& a, const Item& b) {
      const auto place = [&](const Item& item) {
        return std::find_if(part.begin(), part.end(), [&](const OpenQuestion* question) {
          return item.id.starts_with(question->id + ".");
        });
      };
      return place(a) < place(b);
    });
    record.items.insert(record.items.end(), items.begin(), items.end());
    out.done += part.size();
    if (options.progress) options.progress(out.done, out.asked, "");
  }
  record.n = record.items.size();
  record.protocol = fmt::format(
      "{}, temperature {:g}, at most {} tokens per answer, seed {}{}", chat ? "chat" : "plain",
      generation.temperature, generation.max_tokens, options.seed,
      out.done < out.asked ? fmt::format(", {} of {} questions", out.done, out.asked) : "");
  if (out.done > 0) out.records.push_back(std::move(record));
  return out;
}

}  // namespace edgelm::quality
