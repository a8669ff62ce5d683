// From items to figures.

#include "quality/evaluation.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>

namespace edgelm::quality {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr Interval kUnknown{kNan, kNan};

}  // namespace

Record start_record(const Identity& subject, std::string task, std::string data) {
  Record record;
  record.model = subject.model;
  record.model_hash = subject.model_hash;
  record.type = subject.type;
  record.engine = subject.engine;
  record.file_bytes = subject.file_bytes;
  record.task = std::move(task);
  record.data = std::move(data);
  return record;
}

void set_proportion(Record& record) {
  std::uint64_t right = 0;
  for (const Item& item : record.items) right += item.value > 0.5 ? 1 : 0;
  record.n = record.items.size();
  if (record.n == 0) return;
  record.value = static_cast<double>(right) / static_cast<double>(record.n);
  record.standard_error = proportion_error(right, record.n);
  const Interval interval = stats::wilson(right, record.n);
  record.low = interval.low;
  record.high = interval.high;
}

void set_mean(Record& record) {
  std::vector<double> values;
  values.reserve(record.items.size());
  for (const Item& item : record.items) values.push_back(item.value);
  const Mean mean = mean_of(values);
  record.n = mean.n;
  if (record.n == 0) return;
  record.value = mean.mean;
  record.standard_error = mean.standard_error;
  // One value tells nothing of how far others would lie from it.
  const Interval interval = record.n > 1 ? mean.interval() : kUnknown;
  record.low = interval.low;
  record.high = interval.high;
}

std::string describe(const Record& record) {
  if (!record.value) return fmt::format("{} n/a: {}", record.metric, record.value.error().reason);
  const bool share = record.random_level.has_value();
  std::string text;
  if (share) {
    text = fmt::format("{} {:.2f} % (95 % {:.2f} to {:.2f})", record.metric, 100 * *record.value,
                       100 * record.low, 100 * record.high);
  } else if (std::isnan(record.low)) {
    text = fmt::format("{} {:.4f} (interval n/a)", record.metric, *record.value);
  } else {
    text = fmt::format("{} {:.4f} +/- {:.4f} (95 % {:.4f} to {:.4f})", record.metric, *record.value,
                       record.standard_error, record.low, record.high);
  }
  text += fmt::format(", {} item{}", record.n, record.n == 1 ? "" : "s");
  if (share) text += fmt::format(", random {:.4g} %", 100 * *record.random_level);
  return text;
}

}  // namespace edgelm::quality
