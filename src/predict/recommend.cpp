// Constraints first, then one number per candidate.

#include "predict/recommend.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <tuple>

namespace edgelm::predict {
namespace {

struct Score {
  double value = 0;  // higher is better
  const Speed* speed = nullptr;
  std::string text;
};

struct Scored {
  std::size_t candidate = 0;
  Score score;
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
      return Score{fastest.tokens_per_s.value, &fastest,
                   fmt::format("{:.3g} tokens/s", fastest.tokens_per_s.value)};
    case Goal::kEnergy: {
      const Speed* least = least_energy(c.prediction);
      if (least == nullptr) return not_available(fastest.joules_per_token.error().reason);
      return Score{-least->joules_per_token->value, least,
                   fmt::format("{:.3g} J/token", least->joules_per_token->value)};
    }
    case Goal::kCost: {
      const Known<double>& total = c.economics.total_per_million;
      const Known<double>& cost = total ? total : c.economics.energy_per_million;
      if (!cost) return not_available(cost.error().reason);
      return Score{-*cost, &fastest,
                   fmt::format("{:.3g} per million tokens, {}", *cost,
                               total ? "energy and hardware" : "energy alone")};
    }
    case Goal::kQuality:
      if (!c.quality) return not_available(c.quality.error().reason);
      return Score{*c.quality, &fastest, fmt::format("quality {:.3g}", *c.quality)};
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

Known<double> s_t_of(const Speed& speed) {
  if (!speed.joules_per_token) return not_available(speed.joules_per_token.error().reason);
  const auto trade = econ::trade_off(speed.joules_per_token->value, speed.tokens_per_s.value);
  if (!trade) return not_available(trade.error().reason);
  return trade->s_t;
}

// Of those with the same score: what decides among them, lower is better, and what it is called.
struct TieBreak {
  std::string name;
  double first = 0;
  double ttft_s = std::numeric_limits<double>::infinity();
  std::uint64_t weights_bytes = 0;

  bool operator<(const TieBreak& other) const {
    return std::tie(first, ttft_s, weights_bytes) <
           std::tie(other.first, other.ttft_s, other.weights_bytes);
  }
};

TieBreak tie_break_of(const Candidate& c, const Speed& speed, bool by_energy) {
  TieBreak key;
  if (c.prediction.ttft_s) key.ttft_s = c.prediction.ttft_s->value;
  key.weights_bytes = c.prediction.memory.weights_bytes;
  if (by_energy) {
    key.first = s_t_of(speed).value_or(std::numeric_limits<double>::infinity());
    key.name = fmt::format("S_t {:.3g}", key.first);
  } else {
    key.first = -speed.tokens_per_s.value;
    key.name = fmt::format("{:.3g} tokens/s", speed.tokens_per_s.value);
  }
  return key;
}

// The best of `scored`, which is not empty. When others are as good, their texts and the best's
// say what decided.
std::size_t choose(const std::vector<Candidate>& candidates, std::vector<Scored>& scored,
                   std::string& why) {
  double best = scored.front().score.value;
  for (const Scored& one : scored) best = std::max(best, one.score.value);
  std::vector<std::size_t> tied;
  tied.reserve(scored.size());
  for (std::size_t i = 0; i < scored.size(); ++i)
    if (scored[i].score.value == best) tied.push_back(i);
  if (tied.size() == 1) return tied.front();
  const bool by_energy = std::all_of(tied.begin(), tied.end(), [&](std::size_t i) {
    return s_t_of(*scored[i].score.speed).has_value();
  });
  std::optional<TieBreak> least;
  std::size_t chosen = tied.front();
  for (const std::size_t i : tied) {
    TieBreak key = tie_break_of(candidates[scored[i].candidate], *scored[i].score.speed, by_energy);
    scored[i].score.text += ", " + key.name;
    if (!least || key < *least) {
      least = std::move(key);
      chosen = i;
    }
  }
  why = fmt::format("; {} are as good, {} decides among them", tied.size(),
                    by_energy ? "the least S_t (J/token over tokens/s)" : "speed");
  return chosen;
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
  std::vector<Scored> scored;
  scored.reserve(left.size());
  for (const std::size_t i : left) {
    Known<Score> score = score_of(candidates[i], goal);
    if (!score) {
      result.removed.push_back({i, fmt::format("no figure: {}", score.error().reason)});
      continue;
    }
    scored.push_back({i, std::move(*score)});
  }
  if (scored.empty()) {
    result.choice = not_available(candidates.empty() ? "no candidates"
                                                     : "a constraint removed every candidate");
    return result;
  }
  std::string tie;
  const Scored& best = scored[choose(candidates, scored, tie)];
  result.choice = best.candidate;
  result.threads = best.score.speed->threads;
  result.why = fmt::format("{}: {} of {} candidates left{}", best.score.text, scored.size(),
                           candidates.size(), tie);
  if (goal == Goal::kQuality)
    result.why += usable_alone ? "; the best that one can read along with"
                               : "; none is fast enough to read along with";
  for (Scored& one : scored)
    if (one.candidate != *result.choice)
      result.outranked.push_back({one.candidate, std::move(one.score.text)});
  return result;
}

}  // namespace edgelm::predict
