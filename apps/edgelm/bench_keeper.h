#pragma once
// Where the records of a sweep go while it runs: into the store, and to the output as they come. A
// store that cannot be written costs its message, never a measurement.

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "apps/edgelm/bench_options.h"
#include "measure/sweep.h"
#include "report/store.h"

namespace edgelm::apps {

class BenchKeeper {
 public:
  // Opens the store and looks for an unfinished run of the same cells.
  BenchKeeper(const BenchOptions& options, const std::vector<measure::Cell>& cells);

  [[nodiscard]] bool is_done(const std::string& key) const { return done_.contains(key); }
  // Id, run and version are filled in here.
  void keep(const measure::Cell& cell, measure::Record&& record);
  // All cells are there.
  void finish();

  // In the order of the cells, those of earlier calls included.
  [[nodiscard]] std::vector<measure::Record> records() const;
  [[nodiscard]] std::size_t n_there() const { return done_.size(); }
  [[nodiscard]] bool stored() const { return store_.has_value(); }
  [[nodiscard]] const std::string& run_id() const { return run_id_; }
  [[nodiscard]] const std::string& path() const { return path_; }
  // The first error of printing a record.
  [[nodiscard]] const Status& printed() const { return printed_; }

 private:
  void open_store(const BenchOptions& options, const std::vector<measure::Cell>& cells);
  void open_run(const BenchOptions& options);
  void resume(const report::Run& run, const std::vector<measure::Cell>& cells);
  void print(const measure::Record& record);
  void give_up_store(const std::string& why);

  std::string output_;
  std::map<std::string, std::size_t> order_;  // of cell keys
  std::map<std::size_t, measure::Record> records_;
  std::set<std::string> done_;
  std::optional<report::Store> store_;
  std::string path_;
  std::string run_id_;
  std::string sweep_key_, sweep_json_;
  Status printed_;
};

// A name for something new: time and chance, "20261121-183000-1f2e3d4c".
std::string new_id();

}  // namespace edgelm::apps
