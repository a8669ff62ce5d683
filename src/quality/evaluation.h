#pragma once
// What every evaluation is told and gives back: records with intervals, how many items were asked,
// and why it ended early if it did. What was measured until then is kept: a score over fewer items
// says over how many.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "quality/record.h"
#include "quality/statistics.h"
#include "quality/subject.h"

namespace edgelm::quality {

// Items done, items in all, and the score so far.
using Progress = std::function<void(std::uint64_t, std::uint64_t, const std::string&)>;

struct EvaluationOptions {
  std::size_t items = 0;  // 0: all
  std::uint64_t seed = 1;
  Cancelled cancelled = {};
  Progress progress = {};
};

struct Evaluation {
  std::vector<Record> records;  // the headline first; empty when no item was done
  std::uint64_t asked = 0;
  std::uint64_t done = 0;
  std::optional<Error> stopped;    // interrupted, or the subject failed in the middle
  std::vector<std::string> notes;  // truncated contexts, answers without a letter, ...
};

// A record of `subject` with nothing measured yet.
Record start_record(const Identity& subject, std::string task, std::string data);

// Items of 0 and 1: value, standard error and Wilson interval.
void set_proportion(Record& record);
// Any items: mean, standard error and normal interval (NaN for a single item).
void set_mean(Record& record);

// "acc 27.00 % (95 % 21.3 to 33.6), 200 items, random 25 %"
std::string describe(const Record& record);

}  // namespace edgelm::quality
