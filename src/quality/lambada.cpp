// Last words, scored or generated.

#include "quality/lambada.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "api/json.h"
#include "quality/sample.h"

namespace edgelm::quality {
namespace {

constexpr std::string_view kWhite = " \t\r\n";
constexpr std::uint32_t kWordTokens = 12;

// The first word without punctuation around it: "'Shane,'" -> "Shane".
std::string_view first_word(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(kWhite);
  if (begin == std::string_view::npos) return {};
  text.remove_prefix(begin);
  text = text.substr(0, text.find_first_of(kWhite));
  constexpr std::string_view kMarks = ".,;:!?\"'()[]*`";
  const std::size_t first = text.find_first_not_of(kMarks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kMarks) - first + 1);
}

struct Collected {
  std::vector<Item> right, likelihood;
  std::string used;
  std::uint64_t truncated = 0;
  bool greedy_unknown = false;
};

Status score(Subject& subject, const Passage& passage, Collected& out) {
  const Pair pair{passage.context, fmt::format(" {}", passage.word)};
  EDGELM_TRY_ASSIGN(const std::vector<Likelihood> got, subject.score({&pair, 1}));
  const Likelihood& one = got.at(0);
  out.likelihood.push_back({.id = passage.id, .value = one.sum_logprob});
  out.right.push_back({.id = passage.id, .value = one.all_greedy.value_or(false) ? 1.0 : 0.0});
  out.greedy_unknown = out.greedy_unknown || !one.all_greedy;
  out.truncated += one.truncated ? 1 : 0;
  return {};
}

Status generate(Subject& subject, std::span<const Passage* const> passages,
                const LambadaOptions& options, Collected& out) {
  std::vector<Prompt> prompts;
  prompts.reserve(passages.size());
  for (const Passage* passage : passages)
    prompts.push_back({.text = passage->context, .chat = {}, .seed = 0});
  EDGELM_TRY_ASSIGN(
      const auto answers,
      subject.generate(prompts, {.max_tokens = kWordTokens, .stop = {"\n"}}, options.cancelled));
  for (std::size_t i = 0; i < passages.size(); ++i) {
    if (!answers[i]) return fail(answers[i].error());
    const std::string_view word = first_word(answers[i]->text);
    out.right.push_back({.id = passages[i]->id,
                         .value = word == passages[i]->word ? 1.0 : 0.0,
                         .answer = answers[i]->text,
                         .expected = passages[i]->word});
  }
  return {};
}

void add_records(const Subject& subject, const std::string& data, const LambadaOptions& options,
                 Collected& got, Evaluation& out) {
  Record base =
      start_record(subject.identity(), "lambada", fmt::format("{} {}", data, short_hash(got.used)));
  const std::string which = fmt::format(
      "{}{}", options.items != 0 ? fmt::format(", sample with seed {}", options.seed) : "",
      out.done < out.asked ? fmt::format(", {} of {} items", out.done, out.asked) : "");
  Record acc = base;
  acc.metric = options.by_generation ? "acc_generated" : "acc";
  acc.protocol =
      fmt::format("{}{}",
                  options.by_generation
                      ? "first word of a greedy continuation"
                      : "last word greedy, token for token (lm-evaluation-harness lambada_openai)",
                  which);
  acc.random_level = 0.0;  // of a vocabulary of words
  acc.items = std::move(got.right);
  set_proportion(acc);
  if (got.greedy_unknown) {
    acc.value = not_available("the server does not tell which token was the most likely");
    acc.items.clear();
  }
  out.records.push_back(std::move(acc));
  if (options.by_generation) return;
  Record perplexity = std::move(base);
  perplexity.metric = "perplexity";
  perplexity.protocol = fmt::format("of the last word, all its tokens together{}", which);
  perplexity.items = std::move(got.likelihood);
  set_mean(perplexity);
  // exp of the negative mean; the interval turns round with it.
  const double mean = -*perplexity.value;
  const double value = std::exp(mean);
  perplexity.value = value;
  if (!std::isfinite(value))
    perplexity.value = not_available(
        fmt::format("exp({:g}), of the mean log-likelihood, is beyond the numbers", mean));
  perplexity.standard_error *= value;
  perplexity.low = std::exp(-perplexity.low);
  perplexity.high = std::exp(-perplexity.high);
  std::swap(perplexity.low, perplexity.high);
  out.records.push_back(std::move(perplexity));
}

}  // namespace

Result<std::vector<Passage>> read_lambada(const TextFile& file) {
  std::vector<Passage> passages;
  const std::vector<Line> lines = file.lines();
  passages.reserve(lines.size());
  for (const Line& line : lines) {
    if (line.text.find_first_not_of(kWhite) == std::string_view::npos) continue;
    const std::string place = fmt::format("{}:{}", file.path, line.number);
    EDGELM_TRY_ASSIGN(const api::Json json, api::parse(line.text, place));
    EDGELM_TRY_ASSIGN(const std::string text, api::string_at(json, "text", place));
    const std::size_t space = text.rfind(' ');
    if (space == std::string::npos || space == 0 || space + 1 == text.size())
      return fail(ErrorCode::kFormat, "{}: expected a text and a last word after a space, got {}",
                  place, shown(text));
    passages.push_back({.id = fmt::format("{}-{}", passages.size(), short_hash(text)),
                        .context = text.substr(0, space),
                        .word = text.substr(space + 1)});
  }
  return passages;
}

Result<Evaluation> evaluate_lambada(Subject& subject, const std::vector<Passage>& passages,
                                    const std::string& data, const LambadaOptions& options) {
  if (!options.by_generation) EDGELM_TRY(subject.can_score());
  const std::vector<std::size_t> order = sample(passages.size(), options.items, options.seed);
  Evaluation out;
  out.asked = order.size();
  Collected got;
  const std::size_t step = options.by_generation ? subject.width() : 1;
  double right = 0;
  for (std::size_t at = 0; at < order.size(); at += step) {
    if (options.cancelled && options.cancelled()) {
      out.stopped = Error{ErrorCode::kIo, "interrupted"};
      break;
    }
    std::vector<const Passage*> part;
    for (std::size_t i = at; i < std::min(at + step, order.size()); ++i)
      part.push_back(&passages[order[i]]);
    const Status done = options.by_generation ? generate(subject, part, options, got)
                                              : score(subject, *part[0], got);
    if (!done) {
      got.right.resize(std::min<std::size_t>(got.right.size(), out.done));
      got.likelihood.resize(std::min<std::size_t>(got.likelihood.size(), out.done));
      out.stopped = done.error();
      out.stopped->message = fmt::format("passage {}: {}", part[0]->id, out.stopped->message);
      break;
    }
    for (const Passage* passage : part) got.used += passage->id + "\n";
    for (std::size_t i = got.right.size() - part.size(); i < got.right.size(); ++i)
      right += got.right[i].value;
    out.done += part.size();
    if (options.progress)
      options.progress(out.done, out.asked,
                       fmt::format("{:.1f} %", 100 * right / static_cast<double>(out.done)));
  }
  if (got.truncated > 0)
    out.notes.push_back(
        fmt::format("{} of {} passages lost their beginning: they are longer than the context",
                    got.truncated, out.done));
  if (out.done > 0) add_records(subject, data, options, got, out);
  return out;
}

}  // namespace edgelm::quality
