#pragma once
// Records as JSON and back, without loss: every figure, every reason for a figure that is absent.
// The text is what the store keeps and what `report -o jsonl` prints; docs/report.md describes it.
// Reading is strict, because the text may come from anywhere.

#include <string>
#include <variant>

#include "api/json.h"
#include "base/result.h"
#include "measure/record.h"
#include "quality/record.h"

namespace edgelm::report {

// The first key of a record's JSON: {"format": "edgelm.measure/1", ...}.
inline constexpr std::string_view kMeasureFormat = "edgelm.measure/1";
inline constexpr std::string_view kQualityFormat = "edgelm.quality/1";

// Invalid UTF-8 in names becomes U+FFFD when the JSON is dumped; nothing else changes on the way.
api::Json to_json(const measure::Record& record);
api::Json to_json(const quality::Record& record);

using AnyRecord = std::variant<measure::Record, quality::Record>;

// `name` is what messages call it. kFormat with the path of the field; kUnsupported for the format
// of a newer edgelm.
Result<AnyRecord> record_from_json(const api::Json& json, const std::string& name);

// One line of text each.
Result<AnyRecord> record_from_text(std::string_view text, const std::string& name);

}  // namespace edgelm::report
