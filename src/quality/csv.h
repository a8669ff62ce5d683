#pragma once
// Comma-separated values (RFC 4180) with the line of every record: fields in quotes may hold
// commas, newlines and doubled quotes. For mmlu.cpp.

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "quality/text_file.h"

namespace edgelm::quality {

struct CsvRecord {
  std::uint32_t line = 0;  // where it begins
  std::vector<std::string> fields;
};

// kFormat with the line for a quote that is never closed, or text after a closing one. Empty lines
// are skipped.
Result<std::vector<CsvRecord>> parse_csv(const TextFile& file);

}  // namespace edgelm::quality
