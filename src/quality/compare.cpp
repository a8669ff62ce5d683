// Items are matched by id, which holds a hash of the question.

#include "quality/compare.h"

#include <fmt/format.h>

#include <cmath>
#include <string_view>
#include <unordered_map>

namespace edgelm::quality {

namespace {

// Only logarithms have a mean that is one of items.
constexpr std::string_view kPerplexity = "perplexity";

std::string quantity_of(const Record& record) {
  if (record.metric == kPerplexity) return "mean log-likelihood";
  return record.task == "open" ? "share of answers that ended by themselves" : record.metric;
}

Known<double> perplexity_of(double mean_log_likelihood) {
  const double value = std::exp(-mean_log_likelihood);
  if (std::isfinite(value)) return value;
  return not_available(fmt::format("exp({:g}) is beyond the numbers", -mean_log_likelihood));
}

}  // namespace

Result<Comparison> compare(const Record& a, const Record& b) {
  if (a.task != b.task || a.metric != b.metric)
    return fail(ErrorCode::kUsage, "records of {} ({}) and {} ({}) cannot be compared", a.task,
                a.metric, b.task, b.metric);
  Comparison result;
  result.task = a.task;
  result.metric = a.metric;
  result.quantity = quantity_of(a);
  std::unordered_map<std::string_view, double> of_a;
  of_a.reserve(a.items.size());
  for (const Item& item : a.items) of_a.emplace(item.id, item.value);
  std::vector<double> differences, values_a, values_b;
  for (auto* values : {&differences, &values_a, &values_b}) values->reserve(b.items.size());
  result.shares = a.random_level.has_value() && b.random_level.has_value();
  std::uint64_t only_a = 0, only_b = 0;
  for (const Item& item : b.items) {
    const auto found = of_a.find(item.id);
    if (found == of_a.end()) {
      ++result.unpaired;
      continue;
    }
    const double before = found->second;
    of_a.erase(found);  // an id that stands twice pairs once
    differences.push_back(item.value - before);
    values_a.push_back(before);
    values_b.push_back(item.value);
    result.a += before;
    result.b += item.value;
    only_a += before > 0.5 && item.value <= 0.5 ? 1 : 0;
    only_b += item.value > 0.5 && before <= 0.5 ? 1 : 0;
    result.shares =
        result.shares && (before == 0 || before == 1) && (item.value == 0 || item.value == 1);
  }
  result.unpaired += of_a.size();
  result.n = differences.size();
  if (result.n == 0)
    return fail(ErrorCode::kUsage,
                "{} ({}): the two runs have no item in common: other data, or another sample "
                "(--tasks, --seed)",
                a.task, a.metric);
  result.a /= static_cast<double>(result.n);
  result.b /= static_cast<double>(result.n);
  if (result.metric == kPerplexity) {
    result.perplexity_a = perplexity_of(result.a);
    result.perplexity_b = perplexity_of(result.b);
  }
  result.difference = stats::paired_difference(values_b, values_a);
  result.bootstrap = bootstrap_mean(differences);
  result.p = result.difference.p_value;
  if (result.shares) {
    result.mcnemar = mcnemar(only_a, only_b);
    result.p = result.mcnemar.mid_p;
  }
  return result;
}

Result<std::vector<Comparison>> compare_all(const std::vector<Record>& a,
                                            const std::vector<Record>& b) {
  std::vector<Comparison> all;
  Error last{ErrorCode::kUsage, ""};
  for (const Record& one : a) {
    if (one.items.empty()) continue;
    for (const Record& other : b) {
      if (one.task != other.task || one.metric != other.metric || other.items.empty()) continue;
      auto result = compare(one, other);
      if (result) {
        all.push_back(std::move(*result));
      } else {
        last = result.error();
      }
    }
  }
  if (!all.empty()) return all;
  if (!last.message.empty()) return fail(last);
  const auto names = [](const std::vector<Record>& records) {
    std::string text;
    for (const Record& record : records)
      text += fmt::format("{}{} ({})", text.empty() ? "" : ", ", record.task, record.metric);
    return text;
  };
  return fail(ErrorCode::kUsage, "nothing to compare: the first has {}, the second {}", names(a),
              names(b));
}

}  // namespace edgelm::quality
