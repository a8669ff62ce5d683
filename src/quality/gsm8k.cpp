// Drawing problems, asking, and comparing numbers.

#include "quality/gsm8k.h"

#include <fmt/format.h>

#include <algorithm>

#include "quality/sample.h"

namespace edgelm::quality {
namespace {

constexpr std::string_view kInstruction =
    "Solve the problem step by step. End with a line that has #### and the number alone, like "
    "\"#### 42\".";

std::string plain(const Problem& problem) {
  return fmt::format("Question: {}\nAnswer:", problem.question);
}

Prompt ask(const Problem& problem, std::span<const Problem* const> shots,
           const Gsm8kOptions& options) {
  Prompt prompt;
  prompt.seed = options.seed;
  if (options.chat) {
    prompt.chat.reserve(2 * shots.size() + 1);
    const auto question = [](const Problem& one) {
      return fmt::format("{}\n{}", one.question, kInstruction);
    };
    for (const Problem* shot : shots) {
      prompt.chat.push_back({"user", question(*shot)});
      prompt.chat.push_back({"assistant", shot->answer});
    }
    prompt.chat.push_back({"user", question(problem)});
    return prompt;
  }
  for (const Problem* shot : shots)
    prompt.text += fmt::format("{} {}\n\n", plain(*shot), shot->answer);
  prompt.text += plain(problem);
  return prompt;
}

struct Asked {
  std::vector<std::size_t> order;  // of the sample
  std::vector<const Problem*> shots;
};

Result<Asked> draw(const std::vector<Problem>& problems, const std::vector<Problem>& examples,
                   const Gsm8kOptions& options) {
  Asked asked;
  std::vector<std::size_t> lengths;
  lengths.reserve(problems.size());
  for (const Problem& problem : problems) lengths.push_back(problem.question.size());
  asked.order = stratified_sample(lengths, options.items, options.strata, options.seed);
  if (options.shots == 0) return asked;
  std::vector<const Problem*> pool;
  pool.reserve(problems.size());
  std::vector<bool> taken(problems.size());
  for (const std::size_t i : asked.order) taken[i] = true;
  if (examples.empty()) {
    for (std::size_t i = 0; i < problems.size(); ++i)
      if (!taken[i]) pool.push_back(&problems[i]);
  } else {
    for (const Problem& example : examples) pool.push_back(&example);
  }
  if (pool.size() < options.shots)
    return fail(ErrorCode::kUsage,
                "{} examples asked for, {} problems are left outside the sample: take a smaller "
                "sample (--tasks), or a file of examples (--examples)",
                options.shots, pool.size());
  for (const std::size_t i : sample(pool.size(), options.shots, options.seed + 1)) {
    if (asked.shots.size() < options.shots) asked.shots.push_back(pool[i]);
  }
  return asked;
}

}  // namespace

Result<Evaluation> evaluate_gsm8k(Subject& subject, const std::vector<Problem>& problems,
                                  const std::vector<Problem>& examples, const std::string& data,
                                  const Gsm8kOptions& options) {
  if (options.chat && !subject.can_chat())
    return fail(ErrorCode::kUnsupported, "{} cannot chat; ask with plain prompts",
                subject.identity().model);
  EDGELM_TRY_ASSIGN(const Asked asked, draw(problems, examples, options));
  Generation generation;
  generation.max_tokens = options.max_tokens;
  if (!options.chat) generation.stop = {"Question:", "</s>", "<|im_end|>"};
  Evaluation out;
  out.asked = asked.order.size();
  std::vector<Item> strict, flexible;
  std::string used;
  std::uint64_t cut = 0;
  std::uint64_t failed = 0;
  std::string first_failure;
  const std::size_t step = std::max(1U, subject.width());
  for (std::size_t at = 0; at < asked.order.size() && !out.stopped; at += step) {
    std::vector<Prompt> prompts;
    std::vector<const Problem*> part;
    for (std::size_t i = at; i < std::min(at + step, asked.order.size()); ++i) {
      part.push_back(&problems[asked.order[i]]);
      prompts.push_back(ask(*part.back(), asked.shots, options));
    }
    const auto answers = subject.generate(prompts, generation, options.cancelled);
    if (!answers) {
      out.stopped = answers.error();
      break;
    }
    for (std::size_t i = 0; i < part.size(); ++i) {
      const Problem& problem = *part[i];
      const Result<Generated>& answer = (*answers)[i];
      if (!answer) {
        // Too long for the context: that problem is wrong. Anything else ends the evaluation.
        if (answer.error().code != ErrorCode::kLimit) {
          out.stopped = answer.error();
          break;
        }
        if (failed++ == 0) first_failure = answer.error().message;
      }
      const std::string text = answer ? answer->text : "";
      cut += answer && !answer->ended ? 1 : 0;
      const auto keep = [&](std::vector<Item>& items, const std::optional<std::string>& got) {
        items.push_back({.id = problem.id,
                         .value = got == problem.gold ? 1.0 : 0.0,
                         .question = problem.question,
                         .answer = text,
                         .expected = problem.gold});
      };
      keep(strict, strict_answer(text));
      keep(flexible, flexible_answer(text));
      used += problem.id + "\n";
      ++out.done;
    }
    double right = 0;
    for (const Item& item : flexible) right += item.value;
    if (options.progress && out.done > 0)
      options.progress(out.done, out.asked,
                       fmt::format("{:.1f} %", 100 * right / static_cast<double>(out.done)));
  }
  if (cut > 0)
    out.notes.push_back(
        fmt::format("{} of {} answers were cut at {} tokens", cut, out.done, options.max_tokens));
  if (failed > 0)
    out.notes.push_back(fmt::format("{} of {} problems could not be asked and count as wrong: {}",
                                    failed, out.done, first_failure));
  if (out.done == 0) return out;
  Record base =
      start_record(subject.identity(), "gsm8k", fmt::format("{} {}", data, short_hash(used)));
  base.random_level = 0.0;
  base.protocol = fmt::format(
      "{}-shot{}, {} prompt, greedy, {} problems stratified by length ({} strata, seed {}){}",
      options.shots,
      options.shots > 0 && examples.empty() ? " from the same file outside the sample" : "",
      options.chat ? "chat" : "plain", out.asked, options.strata, options.seed,
      out.done < out.asked ? fmt::format(", {} of them done", out.done) : "");
  const auto add = [&](std::string metric, std::string_view how, std::vector<Item>& items) {
    Record record = base;
    record.metric = std::move(metric);
    record.protocol += fmt::format("; {}", how);
    record.items = std::move(items);
    set_proportion(record);
    out.records.push_back(std::move(record));
  };
  add("pass@1", "last number of the answer", flexible);
  add("pass@1_strict", "number after ####", strict);
  return out;
}

}  // namespace edgelm::quality
