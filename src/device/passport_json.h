#pragma once
// A passport and its parts as JSON and back, without loss: what `edgelm device -o json` prints,
// records keep and shipped passports are. A figure that is absent is {"absent": "reason"}. Reading
// is strict (api/fields.h): unknown keys, wrong types and figures that cannot be are refused with
// their place; a field that is left out keeps the default of passport.h, which says why it is
// absent, so that a passport written by hand may be short. Fields: docs/device.md.

#include <string_view>

#include "api/json.h"
#include "base/result.h"
#include "device/passport.h"

namespace edgelm::device {

// Of the field "schema". It grows when an older program could misread what a newer one writes.
constexpr std::uint32_t kPassportSchema = 1;

api::Json to_json(const Passport& passport);
api::Json to_json(const Speeds& speeds);
api::Json to_json(const SensorInfo& sensor);

// `name` (of the file, or of the record) begins each message. kFormat; kUnsupported for the schema
// of a newer edgelm.
Result<Passport> passport_from_json(const api::Json& json, std::string_view name);
Result<Speeds> speeds_from_json(const api::Json& json, std::string_view name);
Result<SensorInfo> sensor_from_json(const api::Json& json, std::string_view name);

// Of the text of a file.
Result<Passport> parse_passport(std::string_view text, std::string_view name);

std::string_view board_kind_name(BoardKind kind);  // "raspberry-pi", "jetson", "pc", ...

}  // namespace edgelm::device
