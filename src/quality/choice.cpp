// One task after another; the scores of one task become an item of every record.

#include "quality/choice.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "quality/sample.h"
#include "quality/text_file.h"

namespace edgelm::quality {
namespace {

// Of Unicode characters, as Python's len() counts them.
std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  }));
}

// The first of the largest, as numpy's argmax.
std::uint32_t best_of(const std::vector<double>& scores) {
  return static_cast<std::uint32_t>(std::max_element(scores.begin(), scores.end()) -
                                    scores.begin());
}

bool has_norm(ChoiceFormat format) {
  return format == ChoiceFormat::kHellaSwag || format == ChoiceFormat::kArc ||
         format == ChoiceFormat::kOpenBookQa || format == ChoiceFormat::kPiqa;
}

struct Collected {
  std::vector<Item> acc, acc_norm, acc_norm_token, gold, letter;
  std::vector<double> random;
  std::string used;  // ids in order: what the data's hash is made of
  std::uint64_t truncated = 0, unread = 0;
  bool whole_endings = false;  // where endings begin to differ is not known
};

Item item_of(const ChoiceTask& task, double value) { return {.id = task.id, .value = value}; }

Status score_task(Subject& subject, const ChoiceTask& task, Collected& out) {
  EDGELM_TRY_ASSIGN(const std::vector<Likelihood> scores, subject.score(task.texts));
  std::vector<double> sums, per_character, per_token;
  sums.reserve(scores.size());
  per_character.reserve(scores.size());
  per_token.reserve(scores.size());
  bool truncated = false;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    const Likelihood& score = scores[i];
    sums.push_back(score.sum_logprob);
    per_character.push_back(
        score.sum_logprob /
        static_cast<double>(std::max<std::size_t>(
            1, characters(task.choices[std::min(i, task.choices.size() - 1)]))));
    per_token.push_back(score.distinct_logprob
                            ? *score.distinct_logprob / std::max(1U, score.n_distinct)
                            : score.sum_logprob / std::max(1U, score.n_tokens));
    truncated = truncated || score.truncated;
    out.whole_endings = out.whole_endings || !score.distinct_logprob;
  }
  const auto right = [&](const std::vector<double>& by) {
    return item_of(task, best_of(by) == task.gold ? 1 : 0);
  };
  out.acc.push_back(right(sums));
  out.acc_norm.push_back(right(per_character));
  out.acc_norm_token.push_back(right(per_token));
  out.gold.push_back(item_of(task, sums[task.gold]));
  out.truncated += truncated ? 1 : 0;
  return {};
}

Status ask_tasks(Subject& subject, std::span<const ChoiceTask* const> tasks,
                 const ChoiceOptions& options, Collected& out) {
  std::vector<Prompt> prompts;
  prompts.reserve(tasks.size());
  for (const ChoiceTask* task : tasks) {
    Prompt& prompt = prompts.emplace_back();
    if (subject.can_chat()) {
      prompt.chat = {{"user", letter_question(*task)}};
    } else {
      prompt.text = letter_question(*task) + "\nAnswer:";
    }
  }
  EDGELM_TRY_ASSIGN(
      const auto answers,
      subject.generate(prompts,
                       {.temperature = 0, .top_p = 1, .max_tokens = options.max_tokens, .stop = {}},
                       options.cancelled));
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    const ChoiceTask& task = *tasks[i];
    // A question that is too long for the context is wrong; anything else ends the evaluation.
    if (!answers[i] && answers[i].error().code != ErrorCode::kLimit)
      return fail(answers[i].error());
    const std::string text = answers[i] ? answers[i]->text : "";
    const auto letter = letter_of(text, task.choices.size());
    out.unread += letter ? 0 : 1;
    Item item = item_of(task, letter == task.gold ? 1 : 0);
    item.answer = text;
    item.expected = std::string(1, static_cast<char>('A' + task.gold));
    out.letter.push_back(std::move(item));
  }
  return {};
}

std::string score_so_far(const std::vector<Item>& items) {
  double right = 0;
  for (const Item& item : items) right += item.value;
  return fmt::format("{:.1f} %", 100 * right / static_cast<double>(items.size()));
}

void add_records(const Subject& subject, const ChoiceSet& set, const ChoiceOptions& options,
                 Collected& got, Evaluation& out) {
  const Known<double> level = mean_of(got.random).mean;
  const std::string partly =
      out.done < out.asked ? fmt::format(", {} of {} items", out.done, out.asked) : "";
  const std::string which =
      options.items != 0 ? fmt::format(", sample with seed {}", options.seed) : "";
  const std::string data = fmt::format("{} {}", set.data, short_hash(got.used));
  const auto add = [&](std::string metric, std::string_view how, std::vector<Item>& items) {
    Record record = start_record(subject.identity(), set.task, data);
    record.metric = std::move(metric);
    record.protocol = options.by_letter
                          ? fmt::format("{}{}{}", how, which, partly)
                          : fmt::format("{}; {}{}{}", set.protocol, how, which, partly);
    record.items = std::move(items);
    out.records.push_back(std::move(record));
    return &out.records.back();
  };
  const auto add_share = [&](std::string metric, std::string_view how, std::vector<Item>& items) {
    Record* record = add(std::move(metric), how, items);
    record->random_level = level;
    set_proportion(*record);
  };
  if (options.by_letter) {
    add_share("acc_letter", "asked with lettered choices, letter read from a greedy answer",
              got.letter);
    return;
  }
  if (set.format == ChoiceFormat::kHellaSwag)
    add_share("acc_norm_token",
              got.whole_endings
                  ? "largest mean log-likelihood per token, over all tokens of an ending"
                  : "largest mean log-likelihood per token (llama.cpp's acc_norm)",
              got.acc_norm_token);
  if (has_norm(set.format))
    add_share("acc_norm", "largest log-likelihood per character (lm-evaluation-harness)",
              got.acc_norm);
  add_share("acc", "largest log-likelihood (lm-evaluation-harness)", got.acc);
  set_mean(*add("gold log-likelihood", "mean over tasks, nats of the right choice", got.gold));
}

}  // namespace

Result<Evaluation> evaluate_choices(Subject& subject, const ChoiceSet& set,
                                    const ChoiceOptions& options) {
  if (!options.by_letter) EDGELM_TRY(subject.can_score());
  std::vector<std::size_t> order = sample(set.tasks.size(), options.items, options.seed);
  // Questions of one MMLU subject share their examples: keep them together.
  if (set.format == ChoiceFormat::kMmlu) std::sort(order.begin(), order.end());
  Evaluation out;
  out.asked = order.size();
  Collected got;
  const std::size_t step = options.by_letter ? subject.width() : 1;
  for (std::size_t at = 0; at < order.size(); at += step) {
    if (options.cancelled && options.cancelled()) {
      out.stopped = Error{ErrorCode::kIo, "interrupted"};
      break;
    }
    std::vector<const ChoiceTask*> tasks;
    for (std::size_t i = at; i < std::min(at + step, order.size()); ++i)
      tasks.push_back(&set.tasks[order[i]]);
    const Status done = options.by_letter ? ask_tasks(subject, tasks, options, got)
                                          : score_task(subject, *tasks[0], got);
    if (!done) {
      got.letter.resize(std::min<std::size_t>(got.letter.size(), out.done));
      out.stopped = done.error();
      out.stopped->message = fmt::format("task {}: {}", tasks[0]->id, out.stopped->message);
      break;
    }
    for (const ChoiceTask* task : tasks) {
      got.random.push_back(1.0 / static_cast<double>(task->choices.size()));
      got.used += task->id + "\n";
    }
    out.done += tasks.size();
    if (options.progress)
      options.progress(out.done, out.asked,
                       score_so_far(options.by_letter                        ? got.letter
                                    : set.format == ChoiceFormat::kHellaSwag ? got.acc_norm_token
                                                                             : got.acc));
  }
  if (got.truncated > 0)
    out.notes.push_back(
        fmt::format("{} of {} contexts lost their beginning: they are longer than the context",
                    got.truncated, out.done));
  if (got.unread > 0)
    out.notes.push_back(
        fmt::format("{} of {} answers name no letter and count as wrong", got.unread, out.done));
  if (out.done > 0) add_records(subject, set, options, got, out);
  return out;
}

}  // namespace edgelm::quality
