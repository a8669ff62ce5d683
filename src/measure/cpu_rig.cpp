// What a cell runs on: the CPU backend, with its bandwidth probe. And what names a model file.

#include <fmt/format.h>

#include "base/hash.h"
#include "measure/bandwidth.h"
#include "measure/cell.h"

namespace edgelm::measure {
namespace {

// What Loaded::backend is, in this rig.
backend::CpuBackend& cpu_of(Loaded& loaded) {
  return static_cast<backend::CpuBackend&>(*loaded.backend);
}

void hash_text(Hash64& hash, std::string_view text) {
  hash.update_value(static_cast<std::uint64_t>(text.size()));
  hash.update(as_byte_span(text));
}

void hash_value(Hash64& hash, const formats::GgufValue& value) {
  hash_text(hash, value.key);
  hash.update_value(static_cast<std::uint32_t>(value.type));
  if (const auto* text = std::get_if<std::string_view>(&value.value)) hash_text(hash, *text);
  if (const auto* number = std::get_if<std::uint64_t>(&value.value)) hash.update_value(*number);
  if (const auto* number = std::get_if<std::int64_t>(&value.value)) hash.update_value(*number);
  if (const auto* number = std::get_if<double>(&value.value)) hash.update_value(*number);
  if (const auto* truth = std::get_if<bool>(&value.value))
    hash.update_value(static_cast<std::uint8_t>(*truth));
  if (const auto* array = std::get_if<formats::GgufArray>(&value.value)) {
    hash.update_value(array->count);
    hash.update(array->data);
  }
}

}  // namespace

std::string model_hash(const formats::GgufFile& file) {
  Hash64 hash;
  hash.update_value(file.file_bytes());
  for (const formats::GgufValue& value : file.metadata()) hash_value(hash, value);
  for (const formats::GgufTensorInfo& tensor : file.tensor_infos()) {
    hash_text(hash, tensor.name);
    hash.update_value(tensor.type_id);
    for (const std::uint64_t dim : tensor.shape.dims) hash.update_value(dim);
    hash.update_value(tensor.offset);
  }
  return fmt::format("{:016x}", hash.digest());
}

Rig cpu_rig(std::function<Result<std::shared_ptr<const model::Model>>()> open,
            const backend::CpuOptions& cpu) {
  Rig rig;
  rig.load = [open = std::move(open), cpu]() -> Result<Loaded> {
    Loaded loaded;
    EDGELM_TRY_ASSIGN(loaded.model, open());
    EDGELM_TRY_ASSIGN(auto backend, backend::CpuBackend::create(cpu));
    loaded.isa = backend->kernels().name;
    loaded.backend = std::move(backend);
    return loaded;
  };
  rig.settle = [](Loaded& loaded) {
    loaded.packed = cpu_of(loaded).packed_weights();
    if (auto* packed = cpu_of(loaded).packed_weights()) packed->wait_until_stored();
  };
  rig.probe = [](Loaded& loaded) -> Result<std::function<double()>> {
    backend::CpuBackend& backend = cpu_of(loaded);
    EDGELM_TRY_ASSIGN(auto made, BandwidthProbe::create(backend.kernels(), backend.pool()));
    auto probe = std::make_shared<BandwidthProbe>(std::move(made));
    return [probe, threads = backend.decode_threads()] { return probe->measure(threads); };
  };
  return rig;
}

}  // namespace edgelm::measure
