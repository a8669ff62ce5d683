#pragma once
// What `edgelm inspect` found, and its two forms. Everything comes from the file's tables; the
// weights are not read.

#include <cstdint>
#include <optional>
#include <string>

#include "api/json.h"
#include "formats/gguf.h"
#include "formats/gguf_summary.h"
#include "plan/cost.h"

namespace edgelm::apps {

struct Inspection {
  const formats::GgufFile& file;
  formats::TensorTotals totals;
  // What running the model with `context_tokens` takes, or why that is not known.
  std::uint32_t context_tokens = 0;
  plan::KvType kv_type = plan::KvType::kF16;
  std::optional<plan::Memory> memory = std::nullopt;
  std::string memory_unavailable = {};
};

struct InspectView {
  bool tensors = true;  // list every tensor
  bool full = false;    // strings and arrays whole
};

// For people: one screen of facts, then tables. Nothing in it can steer a terminal.
std::string inspection_text(const Inspection& inspection, const InspectView& view);

// For programs: one JSON object. Strings are whole; arrays longer than 8 elements are given by
// their first 8 and "truncated": true unless the view is full.
api::Json inspection_json(const Inspection& inspection, const InspectView& view);

}  // namespace edgelm::apps
