// inspect -o json

#include <variant>

#include "apps/edgelm/inspect.h"
#include "formats/gguf_types.h"

namespace edgelm::apps {
namespace {

using api::Json;

constexpr std::uint64_t kArrayPreview = 8;

// 64-bit integers keep every digit, which double cannot.
template <class T>
Json wide_integers(Bytes data) {
  Json values = Json::array();
  for (std::size_t at = 0; at < data.size(); at += sizeof(T))
    values.push_back(load_le<T>(data.data() + at));
  return values;
}

Json array_elements(const formats::GgufArray& array) {
  using formats::GgufType;
  if (array.element_type == GgufType::kU64) return wide_integers<std::uint64_t>(array.data);
  if (array.element_type == GgufType::kI64) return wide_integers<std::int64_t>(array.data);
  const bool real = array.element_type == GgufType::kF32 || array.element_type == GgufType::kF64;
  Json values = Json::array();
  for (const std::string_view text : array.strings()) values.push_back(std::string(text));
  for (const double number : array.numbers()) {
    if (array.element_type == GgufType::kBool)
      values.push_back(number != 0);
    else if (real)
      values.push_back(number);
    else
      values.push_back(static_cast<std::int64_t>(number));
  }
  return values;
}

Json value_json(const formats::GgufValue& value, bool full) {
  Json out;
  out["type"] = formats::gguf_type_name(value.type);
  if (const auto* array = std::get_if<formats::GgufArray>(&value.value)) {
    const auto shown = formats::first_elements(*array, full ? array->count : kArrayPreview);
    out["element_type"] = formats::gguf_type_name(array->element_type);
    out["count"] = array->count;
    out["value"] = array_elements(shown);
    if (shown.count < array->count) out["truncated"] = true;
  } else if (const auto* text = std::get_if<std::string_view>(&value.value)) {
    out["value"] = std::string(*text);
  } else if (const auto* flag = std::get_if<bool>(&value.value)) {
    out["value"] = *flag;
  } else if (const auto* number = std::get_if<double>(&value.value)) {
    out["value"] = *number;
  } else if (const auto* natural = std::get_if<std::uint64_t>(&value.value)) {
    out["value"] = *natural;
  } else {
    out["value"] = std::get<std::int64_t>(value.value);
  }
  return out;
}

Json tensor_json(const formats::GgufTensorInfo& tensor) {
  Json shape = Json::array();
  for (std::uint32_t d = 0; d < tensor.shape.n_dims; ++d) shape.push_back(tensor.shape.dims[d]);
  return {{"name", std::string(tensor.name)},
          {"type", formats::tensor_type_label(tensor.type_id)},
          {"shape", std::move(shape)},
          {"bytes", tensor.data.size()},
          {"offset", tensor.offset}};
}

Json total_json(const formats::TypeTotal& total) {
  return {{"tensors", total.n_tensors},
          {"elements", total.elements},
          {"bytes", total.bytes},
          {"bits_per_weight", total.bits_per_weight()}};
}

Json memory_json(const Inspection& inspection) {
  if (!inspection.memory) return {{"unavailable", inspection.memory_unavailable}};
  const plan::Memory& memory = *inspection.memory;
  return {{"context_tokens", inspection.context_tokens},
          {"weights_bytes", memory.weights_bytes},
          {"kv_type", plan::kv_type_name(inspection.kv_type)},
          {"kv_bytes", memory.kv_bytes},
          {"compute_bytes", memory.compute_bytes},
          {"total_bytes", memory.total_bytes()}};
}

}  // namespace

Json inspection_json(const Inspection& inspection, const InspectView& view) {
  const formats::GgufFile& file = inspection.file;
  Json out;
  out["path"] = file.path();
  out["version"] = file.version();
  out["parts"] = file.n_parts();
  out["file_bytes"] = file.file_bytes();
  Json& metadata = out["metadata"] = Json::object();
  for (const formats::GgufValue& value : file.metadata())
    metadata[std::string(value.key)] = value_json(value, view.full);
  if (view.tensors) {
    Json& tensors = out["tensors"] = Json::array();
    for (const formats::GgufTensorInfo& tensor : file.tensor_infos())
      tensors.push_back(tensor_json(tensor));
  }
  Json& totals = out["totals"] = total_json(inspection.totals.all);
  Json& by_type = totals["by_type"] = Json::object();
  for (const formats::TypeTotal& total : inspection.totals.types)
    by_type[formats::tensor_type_label(total.type_id)] = total_json(total);
  out["memory"] = memory_json(inspection);
  return out;
}

}  // namespace edgelm::apps
