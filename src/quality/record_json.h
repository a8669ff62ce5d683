#pragma once
// Records as JSON: what `edgelm eval -o json` prints, `edgelm eval compare` reads again, and the
// store may keep. Reading is strict: the file may be anybody's.

#include <string>
#include <vector>

#include "api/json.h"
#include "base/result.h"
#include "quality/record.h"

namespace edgelm::quality {

api::Json to_json(const Record& record);
Result<Record> record_from_json(const api::Json& json, std::string_view name);

// {"records": [...]}, a list of records, or one record.
Result<std::vector<Record>> read_records(const std::string& path);
Result<std::vector<Record>> parse_records(std::string_view text, std::string_view name);

}  // namespace edgelm::quality
