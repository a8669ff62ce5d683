// ARC, OpenBookQA, PIQA, WinoGrande and BoolQ as instructions (LLM-Adapters, Hu et al. 2023): one
// JSON list of {"instruction", "input", "output", "answer"}, in which question and options stand in
// a sentence. They are taken apart again and put into the prompts of lm-evaluation-harness. BoolQ
// has lost its passages there, so its score is not that of the original task.

#include <fmt/format.h>

#include "api/json.h"
#include "quality/choice_data.h"

namespace edgelm::quality {
namespace {

using api::Json;

// What a message needs to name an entry.
struct Place {
  const TextFile& file;
  std::size_t index;
  [[nodiscard]] std::string name() const {
    return fmt::format("{}: entry {}", file.path, index + 1);
  }
};

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t end = std::min(text.find(separator), text.size());
    parts.push_back(text.substr(0, end));
    if (end == text.size()) return parts;
    text.remove_prefix(end + 1);
  }
}

// "{lead}: {question}\n\n{Label}1: a {Label}2: b\n\nAnswer format: {label}1/{label}2"
struct Parts {
  std::string_view question;
  std::vector<std::string> options;
  std::vector<std::string_view> labels;  // as answers name them
};

// Exactly the separator: options may end in white space of their own.
std::string_view without_separator(std::string_view text) {
  if (text.ends_with("\n\n")) return text.substr(0, text.size() - 2);
  if (text.ends_with(' ')) return text.substr(0, text.size() - 1);
  return text;
}

Result<Parts> take_apart(std::string_view text, std::string_view lead, const Place& place) {
  Parts parts;
  constexpr std::string_view kFormat = "Answer format: ";
  const std::size_t format = text.rfind(kFormat);
  if (format == std::string_view::npos)
    return fail(ErrorCode::kFormat, "{}: expected '{}' after the options, got {}", place.name(),
                kFormat, shown(text.substr(text.size() > 40 ? text.size() - 40 : 0)));
  parts.labels = split(text.substr(format + kFormat.size()), '/');
  text = without_separator(text.substr(0, format));
  if (!text.starts_with(lead))
    return fail(ErrorCode::kFormat, "{}: expected an instruction that starts '{}', got {}",
                place.name(), lead, shown(text));
  text.remove_prefix(lead.size());
  if (parts.labels.size() < 2)
    return fail(ErrorCode::kFormat, "{}: expected two labels or more, got {}", place.name(),
                parts.labels.size());
  for (std::size_t i = 0; i < parts.labels.size(); ++i) {
    std::string label(parts.labels[i]);  // "answer1" -> "Answer1: "
    if (label.empty() || label[0] < 'a' || label[0] > 'z')
      return fail(ErrorCode::kFormat, "{}: expected a label like answer1, got {}", place.name(),
                  shown(label));
    label[0] = static_cast<char>(label[0] - 'a' + 'A');
    label += ": ";
    // A space or newlines come before every label.
    std::size_t at = text.find(label);
    while (at != std::string_view::npos && at > 0 && text[at - 1] != ' ' && text[at - 1] != '\n')
      at = text.find(label, at + 1);
    if (at == std::string_view::npos)
      return fail(ErrorCode::kFormat, "{}: option {} of {} is missing: expected '{}' in {}",
                  place.name(), i + 1, parts.labels.size(), label, shown(text));
    const std::string_view before = without_separator(text.substr(0, at));
    if (i == 0) {
      parts.question = before;
    } else {
      parts.options.emplace_back(before);
    }
    text.remove_prefix(at + label.size());
  }
  parts.options.emplace_back(text);
  for (std::size_t i = 0; i < parts.options.size(); ++i)
    if (parts.options[i].find_first_not_of(" \n\t") == std::string::npos)
      return fail(ErrorCode::kFormat, "{}: option {} is empty", place.name(), i + 1);
  return parts;
}

Result<std::uint32_t> gold_of(const Json& entry, const std::vector<std::string_view>& labels,
                              const Place& place) {
  EDGELM_TRY_ASSIGN(const std::string answer, api::string_at(entry, "answer", place.name()));
  for (std::size_t i = 0; i < labels.size(); ++i)
    if (labels[i] == answer) return static_cast<std::uint32_t>(i);
  return fail(ErrorCode::kFormat, "{}: expected an answer of {}, got {}", place.name(),
              fmt::join(labels, ", "), shown(answer));
}

Status read_entry(const Json& entry, ChoiceFormat format, const Place& place, ChoiceTask& task) {
  EDGELM_TRY_ASSIGN(const std::string text, api::string_at(entry, "instruction", place.name()));
  if (format == ChoiceFormat::kBoolQ) {
    constexpr std::string_view kLead =
        "Please answer the following question with true or false, question: ";
    constexpr std::string_view kTail = "\n\nAnswer format: true/false";
    if (!text.starts_with(kLead) || !text.ends_with(kTail) ||
        text.size() <= kLead.size() + kTail.size())
      return fail(ErrorCode::kFormat, "{}: expected '{}...', got {}", place.name(), kLead,
                  shown(text));
    task.question = text.substr(kLead.size(), text.size() - kLead.size() - kTail.size());
    task.choices = {"no", "yes"};
    EDGELM_TRY_ASSIGN(task.gold, gold_of(entry, {"false", "true"}, place));
    const std::string context = fmt::format("Question: {}\nAnswer:", task.question);
    task.texts = {{context, " no"}, {context, " yes"}};
    return {};
  }
  const std::string_view lead =
      format == ChoiceFormat::kPiqa ? "Please choose the correct solution to the question: "
      : format == ChoiceFormat::kWinoGrande
          ? "Please choose the correct answer to fill in the blank to complete the given sentence: "
          : "Please choose the correct answer to the question: ";
  EDGELM_TRY_ASSIGN(Parts parts, take_apart(text, lead, place));
  EDGELM_TRY_ASSIGN(task.gold, gold_of(entry, parts.labels, place));
  task.question = parts.question;
  task.choices = std::move(parts.options);
  task.texts.reserve(task.choices.size());
  if (format == ChoiceFormat::kWinoGrande) {
    const std::size_t blank = task.question.find('_');
    if (blank == std::string::npos)
      return fail(ErrorCode::kFormat, "{}: expected a blank '_' in {}", place.name(),
                  shown(task.question));
    std::string_view rest = std::string_view(task.question).substr(blank + 1);
    while (rest.starts_with(' ')) rest.remove_prefix(1);
    while (rest.ends_with(' ')) rest.remove_suffix(1);
    if (rest.empty())
      return fail(ErrorCode::kFormat, "{}: nothing follows the blank in {}", place.name(),
                  shown(task.question));
    for (const std::string& option : task.choices)
      task.texts.push_back({task.question.substr(0, blank) + option, fmt::format(" {}", rest)});
    return {};
  }
  const std::string context = format == ChoiceFormat::kOpenBookQa
                                  ? task.question
                                  : fmt::format("Question: {}\nAnswer:", task.question);
  for (const std::string& option : task.choices)
    task.texts.push_back({context, fmt::format(" {}", option)});
  return {};
}

std::string_view protocol_of(ChoiceFormat format) {
  switch (format) {
    case ChoiceFormat::kOpenBookQa:
      return "0-shot, choice after the question";
    case ChoiceFormat::kWinoGrande:
      return "0-shot, rest of the sentence after the filled blank";
    case ChoiceFormat::kBoolQ:
      return "0-shot without the passage, yes or no after 'Question: ...\\nAnswer:'";
    default:
      return "0-shot, choice after 'Question: ...\\nAnswer:'";
  }
}

}  // namespace

Result<ChoiceSet> read_instructions(const TextFile& file, ChoiceFormat format) {
  EDGELM_TRY_ASSIGN(const Json json, api::parse(file.text, file.path));
  if (!json.is_array() || json.empty())
    return fail(ErrorCode::kFormat, "{}: expected a JSON list of instructions, got {}", file.path,
                json.is_array() ? "an empty one" : json.type_name());
  ChoiceSet set{.format = format,
                .task = std::string(format_name(format)),
                .data = file.name,
                .protocol = std::string(protocol_of(format)),
                .tasks = {}};
  // "ARC-Challenge.test.json" says more than "arc".
  if (format == ChoiceFormat::kArc) {
    if (file.name.find("hallenge") != std::string::npos) set.task = "arc_challenge";
    if (file.name.find("asy") != std::string::npos) set.task = "arc_easy";
  }
  set.tasks.reserve(json.size());
  for (std::size_t i = 0; i < json.size(); ++i) {
    ChoiceTask task;
    EDGELM_TRY(read_entry(json[i], format, {file, i}, task));
    task.id = fmt::format("{}-{}", i, short_hash(task.question + task.choices[0]));
    set.tasks.push_back(std::move(task));
  }
  return set;
}

}  // namespace edgelm::quality
