// Constraints first, then one number per candidate.

#include "predict/recommend.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace edgelm::predict {
namespace {

struct Score {
  double value = 0;  // higher is better
  std::uint32_t threads = 0;
  std::string text;
};

// The thread count that spends the least energy per token.
const Speed* least_energy(const Prediction& p) {
  const Speed* best = nullptr;
  for (const Speed& speed : p.decode)
    if (speed.joules_per_token &&
        (best == nullptr || speed.joules_per_token->value < best->joules_per_token->value))
      best = &speed;
  return best;
}

Known<Score> score_of(const Candidate& c, Goal goal) {
  const Speed& fastest = c.prediction.decode_best();
  switch (goal) {
    case Goal::kSpeed:
      return Score{fastest.tokens_per_s.value, fastest.threads,
                   fmt::format("{:.3g} tokens/s", fastest.tokens_per_s.value)};
    case Goal::kEnergy: {
      const Speed* least = least_energy(c.prediction);
      if (least == nullptr) return not_available(fastest.joules_per_token.error().reason);
      return Score{-least->joules_per_token->value, least->threads,
                   fmt::format("{:.3g} J/token", least->joules_per_token->value)};
    }
    case Goal::kCost: {
      const Known<double>& total = c.economics.total_per_million;
      const Known<double>& cost = total ? total : c.economics.energy_per_million;
      if (!cost) return not_available(cost.error().reason);
      return Score{-*cost, fastest.threads,
                   fmt::format("{:.3g} per million tokens, {}", *cost,
                               total ? "energy and hardware" : "energy alone")};
    }
    case Goal::kQuality:
      if (!c.quality) return not_available(c.quality.error().reason);
      return Score{*c.quality, fastest.threads, fmt::format("quality {:.3g}", *c.quality)};
  }
  return not_available("unknown goal");
}

std::optional<std::string> unfit(const MemoryPrediction& memory) {
  if (memory.fit == Fit::kFits) return std::nullopt;
  return fmt::format("{}: {:.1f} GB touched of {:.1f} GB usable",
                     memory.fit == Fit::kPaging ? "pages from storage" : "does not fit",
                     static_cast<double>(memory.touched_bytes) / 1e9,
                     static_cast<double>(memory.usable_bytes.value_or(0)) / 1e9);
}

std::optional<std::string> unusable(const Candidate& c, const econ::UsabilityLimits& limits) {
  const double reading = c.prediction.decode_best().tokens_per_s.value;
  if (reading < limits.reading_tokens_per_s)
    return fmt::format("{:.2g} tokens/s, reading wants {:.2g}", reading,
                       limits.reading_tokens_per_s);
  if (c.prediction.ttft_s && c.prediction.ttft_s->value > limits.ttft_s)
    return fmt::format("first token after {:.2g} s, the limit is {:.2g} s",
                       c.prediction.ttft_s->value, limits.ttft_s);
  return std::nullopt;
}

}  // namespace

Result<Goal> parse_goal(std::string_view name) {
  for (const Goal goal : {Goal::kSpeed, Goal::kEnergy, Goal::kCost, Goal::kQuality})
    if (goal_name(goal) == name) return goal;
  return fail(ErrorCode::kUsage, "no goal '{:.32}', expected speed, energy, cost or quality", name);
}

std::string_view goal_name(Goal goal) {
  switch (goal) {
    case Goal::kSpeed:
      return "speed";
    case Goal::kEnergy:
      return "energy";
    case Goal::kCost:
      return "cost";
    case Goal::kQuality:
      return "quality";
  }
  return "unknown";
}

Recommendation recommend(const std::vector<Candidate>& candidates, Goal goal,
                         const econ::UsabilityLimits& limits) {
  Recommendation result;
  std::vector<std::size_t> left;
  left.reserve(candidates.size());
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    if (auto reason = unfit(candidates[i].prediction.memory))
      result.removed.push_back({i, std::move(*reason)});
    else
      left.push_back(i);
  }
  bool usable_alone = false;
  if (goal == Goal::kQuality) {
    std::vector<std::size_t> usable;
    std::vector<Removed> slow;
    for (const std::size_t i : left) {
      if (auto reason = unusable(candidates[i], limits))
        slow.push_back({i, std::move(*reason)});
      else
        usable.push_back(i);
    }
    if (!usable.empty()) {
      usable_alone = true;
      left = std::move(usable);
      result.removed.insert(result.removed.end(), slow.begin(), slow.end());
    }
  }
  std::optional<Score> best;
  std::vector<std::pair<std::size_t, Score>> scored;
  for (const std::size_t i : left) {
    Known<Score> score = score_of(candidates[i], goal);
    if (!score) {
      result.removed.push_back({i, fmt::format("no figure: {}", score.error().reason)});
      continue;
    }
    const bool better = !best || score->value > best->value ||
                        (score->value == best->value &&
                         candidates[i].prediction.memory.weights_bytes <
                             candidates[*result.choice].prediction.memory.weights_bytes);
    if (better) {
      best = *score;
      result.choice = i;
    }
    scored.emplace_back(i, std::move(*score));
  }
  if (!best) {
    result.choice = not_available(candidates.empty() ? "no candidates"
                                                     : "a constraint removed every candidate");
    return result;
  }
  result.threads = best->threads;
  result.why =
      fmt::format("{}: {} of {} candidates left", best->text, scored.size(), candidates.size());
  if (goal == Goal::kQuality)
    result.why += usable_alone ? "; the best that one can read along with"
                               : "; none is fast enough to read along with";
  for (const auto& [i, score] : scored)
    if (i != *result.choice) result.outranked.push_back({i, score.text});
  return result;
}

}  // namespace edgelm::predict
