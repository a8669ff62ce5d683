// Cells, their order, and the loop over them.

#include "measure/sweep.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/random.h"

namespace edgelm::measure {
namespace {

// One prefill test, one decode test, or both.
struct Test {
  std::uint32_t prompt = 0, batch = 0;
  std::uint32_t decode = 0, sequences = 1;
};

std::vector<Test> tests_of(const SweepLists& lists) {
  const std::uint32_t default_batch = lists.batches.empty() ? 256 : lists.batches.front();
  std::vector<Test> tests;
  for (const std::uint32_t batch : lists.batches)
    for (const std::uint32_t prompt : lists.prompts)
      if (prompt > 0) tests.push_back({.prompt = prompt, .batch = batch});
  std::size_t next = 0;
  for (const std::uint32_t sequences : lists.sequences) {
    for (const std::uint32_t decode : lists.decodes) {
      if (decode == 0) continue;
      if (next == tests.size()) tests.push_back({.batch = default_batch});
      tests[next].decode = decode;
      tests[next].sequences = sequences;
      ++next;
    }
  }
  return tests;
}

template <class T>
void shuffle_vector(std::vector<T>& values, Random& random) {
  for (std::size_t i = values.size(); i > 1; --i)
    std::swap(values[i - 1], values[static_cast<std::size_t>(random.below(i))]);
}

Record failed(const Cell& cell, const std::string& reason) {
  Record record;
  record.settings = cell.settings;
  record.outcome = Outcome::kFailed;
  record.reason = reason;
  return record;
}

// Sets the mode of a cell unless it is set; why it could not be, or "".
class PowerModes {
 public:
  explicit PowerModes(const SweepHooks& hooks) : hooks_(hooks) {}
  const std::string& set(const std::string& mode) {
    if (mode == current_) return problem_;
    current_ = mode;
    problem_.clear();
    if (mode.empty() || !hooks_.set_power_mode) return problem_;
    if (const Status status = hooks_.set_power_mode(mode); !status)
      problem_ = fmt::format("power mode '{}': {}", mode, status.error().message);
    return problem_;
  }

 private:
  const SweepHooks& hooks_;
  std::string current_;
  std::string problem_;
};

}  // namespace

std::string cell_key(const Settings& s) {
  return fmt::format("{}|{}|{}|{}|{}|t{}|p{}|n{}|d{}|b{}|s{}|{}|{}", s.model, s.model_hash, s.type,
                     s.engine, s.isa, s.threads, s.prompt_tokens, s.decode_tokens, s.context_tokens,
                     s.batch_tokens, s.n_sequences, s.kv_type, s.power_mode);
}

std::vector<Cell> cells_of(const SweepLists& lists) {
  std::vector<Cell> cells;
  std::set<std::string> keys;
  const std::vector<Test> tests = tests_of(lists);
  for (const std::string& power_mode : lists.power_modes)
    for (std::size_t model = 0; model < lists.models.size(); ++model)
      for (const std::uint32_t threads : lists.threads)
        for (const std::string& kv_type : lists.kv_types)
          for (const std::uint32_t context : lists.contexts)
            for (const Test& test : tests) {
              Cell cell;
              cell.model = model;
              cell.settings.model = lists.models[model].name;
              cell.settings.model_hash = lists.models[model].hash;
              cell.settings.type = lists.models[model].type;
              cell.settings.engine = lists.engine;
              cell.settings.isa = lists.isa;
              cell.settings.threads = threads;
              cell.settings.prompt_tokens = test.prompt;
              cell.settings.decode_tokens = test.decode;
              cell.settings.context_tokens = context;
              cell.settings.batch_tokens = test.batch;
              cell.settings.n_sequences = test.sequences;
              cell.settings.kv_type = kv_type;
              cell.settings.power_mode = power_mode;
              cell.key = cell_key(cell.settings);
              if (keys.insert(cell.key).second) cells.push_back(std::move(cell));
            }
  return cells;
}

void shuffle(std::vector<Cell>& cells, std::uint64_t seed) {
  Random random(seed);
  std::map<std::string, std::map<std::size_t, std::vector<Cell>>> blocks;
  for (Cell& cell : cells) blocks[cell.settings.power_mode][cell.model].push_back(std::move(cell));
  cells.clear();
  std::vector<std::string> modes;
  modes.reserve(blocks.size());
  for (const auto& [mode, models] : blocks) modes.push_back(mode);
  shuffle_vector(modes, random);
  for (const std::string& mode : modes) {
    std::vector<std::size_t> models;
    models.reserve(blocks[mode].size());
    for (const auto& [model, of_model] : blocks[mode]) models.push_back(model);
    shuffle_vector(models, random);
    for (const std::size_t model : models) {
      std::vector<Cell>& of_model = blocks[mode][model];
      shuffle_vector(of_model, random);
      for (Cell& cell : of_model) cells.push_back(std::move(cell));
    }
  }
}

SweepEnd run_sweep(const std::vector<Cell>& cells, const SweepHooks& hooks) {
  SweepEnd end;
  PowerModes modes(hooks);
  std::set<std::size_t> models;
  const auto seconds = [&] { return hooks.seconds ? hooks.seconds() : 0.0; };
  std::vector<const Cell*> left;
  left.reserve(cells.size());
  for (const Cell& cell : cells)
    if (!hooks.is_done || !hooks.is_done(cell.key)) left.push_back(&cell);
  end.n_there = cells.size() - left.size();
  const double start = seconds();
  for (const Cell* cell : left) {
    if (hooks.stop && hooks.stop()) {
      end.stopped = true;
      return end;
    }
    SweepProgress progress{.done = end.n_there + end.n_measured, .all = cells.size()};
    if (end.n_measured > 0)
      progress.seconds_left = (seconds() - start) / static_cast<double>(end.n_measured) *
                              static_cast<double>(left.size() - end.n_measured);
    if (hooks.progress) hooks.progress(progress, *cell);
    const std::string& problem = modes.set(cell->settings.power_mode);
    if (!problem.empty()) {
      hooks.keep(*cell, failed(*cell, problem));
    } else {
      Result<Record> record = hooks.measure(*cell, models.insert(cell->model).second);
      if (!record) {
        end.stopped = true;
        return end;
      }
      hooks.keep(*cell, std::move(*record));
    }
    ++end.n_measured;
  }
  return end;
}

}  // namespace edgelm::measure
