#pragma once
// A sweep: every combination of the lists a user gave, in an order that mixes them, with records
// kept one by one so that it can end at any moment and go on later. Knows neither how a cell is
// measured nor where records are kept (apps/edgelm wires both), so that kills and failures are
// tested without either.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/known.h"
#include "base/result.h"
#include "measure/record.h"

namespace edgelm::measure {

// A model of the sweep: what goes into the settings of its cells.
struct SweepModel {
  std::string name;
  std::string hash;
  std::string type;
};

struct SweepLists {
  std::vector<SweepModel> models;
  std::vector<std::uint32_t> threads = {1};
  std::vector<std::uint32_t> prompts;  // 0: none
  std::vector<std::uint32_t> decodes;  // 0: none
  std::vector<std::uint32_t> batches = {256};
  std::vector<std::uint32_t> sequences = {1};
  std::vector<std::uint32_t> contexts = {0};
  std::vector<std::string> kv_types = {"f16"};
  std::vector<std::string> power_modes = {""};  // "": as it is
  std::string engine;
  std::string isa;
};

// What identifies a cell within a sweep: its settings in one line.
std::string cell_key(const Settings& settings);

struct Cell {
  std::string key;  // of its settings
  Settings settings;
  std::size_t model = 0;  // index into SweepLists::models
};

// Models x threads x contexts x KV types x power modes x tests. A prompt length and a generation
// length are separate measurements at the same depth, so they are not multiplied but paired in
// order: p of the first list and n of the second, and the longer list's rest alone. Each prompt
// length is measured with every batch, each generation length with every number of sequences.
std::vector<Cell> cells_of(const SweepLists& lists);

// Mixes the order, so that what changes over time (heat, neighbours) does not look like an effect
// of a setting: first the power modes, which take long to settle, within each the models, so that a
// model is not read anew for every cell, within each its cells.
void shuffle(std::vector<Cell>& cells, std::uint64_t seed);

struct SweepProgress {
  std::size_t done = 0;  // of all, those that were there before included
  std::size_t all = 0;
  Known<double> seconds_left = not_available("nothing has been measured yet");
};

struct SweepHooks {
  std::function<bool(const std::string& key)> is_done = {};
  // Measures one cell. `first_of_model`: it is the first cell of its model in this call. An error
  // ends the sweep (kInternal: it was told to stop); whatever is wrong with the cell is a record.
  std::function<Result<Record>(const Cell& cell, bool first_of_model)> measure = {};
  // Puts the record where it survives. An error does not end the sweep: it is the keeper's to say.
  std::function<void(const Cell& cell, Record&& record)> keep = {};
  // Only called for modes other than "". An error makes records of all cells of this mode.
  std::function<Status(const std::string& mode)> set_power_mode = {};
  std::function<void(const SweepProgress& progress, const Cell& next)> progress = {};
  std::function<bool()> stop = {};       // asked before every cell
  std::function<double()> seconds = {};  // a clock
};

struct SweepEnd {
  bool stopped = false;        // by `stop` or by `measure`
  std::size_t n_measured = 0;  // in this call, whatever came of them
  std::size_t n_there = 0;     // before it
};

SweepEnd run_sweep(const std::vector<Cell>& cells, const SweepHooks& hooks);

}  // namespace edgelm::measure
