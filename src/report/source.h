#pragma once
// Where records come from: a store, a file of JSON lines that `report -o jsonl` wrote, or a run of
// a store. Used by `report` and `compare`.

#include <string>
#include <vector>

#include "base/result.h"
#include "report/store.h"

namespace edgelm::report {

struct Loaded {
  std::string name;  // for messages and headings
  Records records;
  std::vector<Run> runs;
};

// A store, recognised by its first bytes, or JSON lines.
Result<Loaded> load_file(const std::string& path, const Filter& filter);

// A file if there is one of that name, otherwise a run (its id, the beginning of one, or a label)
// of the store at `store`, which is "" for the default one.
Result<Loaded> load(const std::string& what, const std::string& store);

// The whole store, or the part that `filter` names, as JSON lines without loss.
std::string json_lines(const Records& records);

}  // namespace edgelm::report
