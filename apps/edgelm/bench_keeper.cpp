// The store, and records printed as they come.

#include "apps/edgelm/bench_keeper.h"

#include <fmt/format.h>

#include <ctime>
#include <random>

#include "apps/edgelm/bench_output.h"
#include "apps/edgelm/models.h"
#include "apps/edgelm/output.h"
#include "base/counted.h"
#include "base/hash.h"

namespace edgelm::apps {
namespace {

std::string sweep_json(const BenchOptions& options, const std::vector<measure::Cell>& cells) {
  api::Json keys = api::Json::array();
  for (const measure::Cell& cell : cells) keys.push_back(cell.key);
  const measure::Pace& pace = options.pace;
  return api::dump({{"version", EDGELM_VERSION},
                    {"label", options.label},
                    {"power", options.power},
                    {"repetitions", pace.max_repetitions},
                    {"budget_s", pace.budget_s},
                    {"idle_s", pace.idle_s},
                    {"cold_load", options.cold_load},
                    {"force", options.force},
                    {"repack", options.cpu.repack},
                    {"endpoint", options.endpoint},
                    {"cells", std::move(keys)}},
                   -1);
}

}  // namespace

std::string new_id() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  char text[32];
  const std::size_t size = std::strftime(text, sizeof text, "%Y%m%d-%H%M%S", &parts);
  std::random_device chance;
  return fmt::format("{}-{:08x}", std::string_view(text, size), chance());
}

BenchKeeper::BenchKeeper(const BenchOptions& options, const std::vector<measure::Cell>& cells)
    : output_(options.output), run_id_(new_id()), sweep_json_(sweep_json(options, cells)) {
  sweep_key_ = fmt::format("{:016x}", hash64(as_byte_span(sweep_json_)));
  for (std::size_t i = 0; i < cells.size(); ++i) order_[cells[i].key] = i;
  if (output_ == "csv") printed_ = write_result(csv_header() + "\n");
  if (options.keep) open_store(options, cells);
}

void BenchKeeper::open_store(const BenchOptions& options, const std::vector<measure::Cell>& cells) {
  auto store = report::Store::open(options.store);
  if (!store) return give_up_store(store.error().message);
  path_ = store->path();
  store_.emplace(std::move(*store));
  if (!options.start_over) {
    const auto run = store_->find_unfinished_run(sweep_key_);
    if (!run) return give_up_store(run.error().message);
    if (*run) return resume(**run, cells);
  }
  open_run(options);
}

void BenchKeeper::open_run(const BenchOptions& options) {
  const Status begun = store_->begin_run({.id = run_id_,
                                          .label = options.label,
                                          .sweep_key = sweep_key_,
                                          .sweep_json = sweep_json_,
                                          .version = EDGELM_VERSION});
  if (!begun) give_up_store(begun.error().message);
}

void BenchKeeper::resume(const report::Run& run, const std::vector<measure::Cell>& cells) {
  run_id_ = run.id;
  const auto done = store_->cells_done(run.id);
  if (!done) return give_up_store(done.error().message);
  const auto records = store_->records({.run = run.id});
  if (!records) return give_up_store(records.error().message);
  // Only what can be printed again counts as done.
  for (const measure::Record& record : records->measured) {
    for (const measure::Cell& cell : cells) {
      if (cell.key != measure::cell_key(record.settings) || !done->contains(cell.key)) continue;
      done_.insert(cell.key);
      print(records_[order_[cell.key]] = record);
    }
  }
  note("edgelm: continuing run {}: {} of {} there (--new starts over)\n", run_id_, done_.size(),
       counted(cells.size(), "cell is", "cells are"));
}

void BenchKeeper::give_up_store(const std::string& why) {
  warn(fmt::format("the results are not kept: {}", why));
  store_.reset();
}

void BenchKeeper::keep(const measure::Cell& cell, measure::Record&& record) {
  // The cell's own, by which it is found again: what the child has filled in beyond them (the hash
  // of a model that was made here) would make another cell of it.
  record.settings = cell.settings;
  record.id = new_id();
  record.run_id = run_id_;
  record.version = EDGELM_VERSION;
  if (store_) {
    if (const Status added = store_->add(record, cell.key); !added)
      give_up_store(added.error().message);
  }
  measure::Record& kept = records_[order_[cell.key]];
  kept = std::move(record);
  print(kept);
}

void BenchKeeper::print(const measure::Record& record) {
  if (!printed_) return;
  for (const BenchRow& row : rows_of(record)) {
    if (output_ == "csv") printed_ = write_result(csv_line(row) + "\n");
    if (output_ == "jsonl") printed_ = write_result(api::dump(to_json(row), -1) + "\n");
  }
}

void BenchKeeper::finish() {
  if (!store_) return;
  if (const Status finished = store_->finish_run(run_id_); !finished)
    give_up_store(finished.error().message);
}

std::vector<measure::Record> BenchKeeper::records() const {
  std::vector<measure::Record> all;
  all.reserve(records_.size());
  for (const auto& [place, record] : records_) all.push_back(record);
  return all;
}

}  // namespace edgelm::apps
