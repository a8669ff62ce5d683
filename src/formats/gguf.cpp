// GgufFile: maps the parts, joins them, and answers by name. Parsing is in gguf_part.cpp.

#include "formats/gguf.h"

#include <iterator>
#include <utility>

#include "base/hash.h"
#include "base/printable.h"
#include "formats/gguf_part.h"
#include "formats/gguf_split.h"
#include "formats/name_index.h"
#include "os/file.h"

namespace edgelm::formats {

struct GgufFile::State {
  std::string path;
  std::vector<os::MappedFile> maps;  // empty when parsed from memory
  std::vector<Bytes> headers;        // of the parts that are files, in the order of `maps`
  std::uint64_t file_bytes = 0;
  std::uint32_t version = 0;
  std::uint32_t n_parts = 1;
  std::vector<GgufValue> metadata;
  std::vector<GgufTensorInfo> infos;
  std::vector<tensor::TensorView> tensors;
  NameIndex keys;
  NameIndex tensor_names;
  TypePolicy policy = TypePolicy::kRunnable;

  // Everything derived from `metadata` and `infos`.
  Status finish() {
    std::vector<std::string_view> names;
    names.reserve(metadata.size());
    for (const GgufValue& value : metadata) names.push_back(value.key);
    keys = NameIndex(std::move(names));

    names = {};
    tensors.reserve(infos.size());
    for (const GgufTensorInfo& info : infos) {
      if (policy == TypePolicy::kHeader) break;  // no data to look at
      const tensor::DTypeInfo* type = tensor::find_dtype(info.type_id);
      if (type == nullptr) continue;
      tensors.push_back({info.name, type->type, info.shape, info.data});
      names.push_back(info.name);
    }
    tensor_names = NameIndex(std::move(names));
    if (const auto duplicate = tensor_names.duplicate())
      return fail(ErrorCode::kFormat, "{}: tensor '{}' occurs in two parts", path,
                  printable(*duplicate));
    return {};
  }
};

namespace {

// Opens the parts other than `opened`, in order, with `opened` in its place.
struct PartSet {
  std::vector<os::MappedFile> maps;
  std::vector<GgufPart> parts;
};

Result<PartSet> open_parts(const std::string& path, os::MappedFile map, GgufPart opened,
                           const SplitInfo& first, TypePolicy policy) {
  const auto name = parse_split_name(path);
  if (!name || name->count != first.count)
    return fail(
        ErrorCode::kFormat,
        "{}: holds part {} of {}; its name must end in -{:05}-of-{:05}.gguf so that the other "
        "parts can be found",
        path, first.no + 1, first.count, first.no + 1, first.count);
  EDGELM_TRY(check_split_part(path, first, first, name->no));
  PartSet set;
  for (std::uint32_t no = 1; no <= name->count; ++no) {
    if (no == name->no) {
      set.maps.push_back(std::exchange(map, {}));
      set.parts.push_back(std::exchange(opened, {}));
      continue;
    }
    const std::string part_path = split_part_path(*name, no);
    if (!os::file_exists(part_path))
      return fail(ErrorCode::kNotFound, "{}: part {} of {} is missing: {}", path, no, name->count,
                  part_path);
    EDGELM_TRY_ASSIGN(os::MappedFile other, os::MappedFile::open(part_path));
    EDGELM_TRY_ASSIGN(GgufPart part, parse_part(other.bytes(), part_path, policy));
    EDGELM_TRY_ASSIGN(const auto info, read_split_info(part, part_path));
    EDGELM_TRY(check_split_part(part_path, info, first, no));
    set.maps.push_back(std::move(other));
    set.parts.push_back(std::move(part));
  }
  std::uint64_t n_tensors = 0;
  for (const GgufPart& part : set.parts) n_tensors += part.tensors.size();
  if (n_tensors != first.n_tensors)
    return fail(ErrorCode::kFormat, "{}: the {} parts hold {} tensors, expected {}", path,
                name->count, n_tensors, first.n_tensors);
  return set;
}

}  // namespace

GgufFile::GgufFile(std::unique_ptr<State> state) : state_(std::move(state)) {}
GgufFile::GgufFile(GgufFile&&) noexcept = default;
GgufFile& GgufFile::operator=(GgufFile&&) noexcept = default;
GgufFile::~GgufFile() = default;

Result<GgufFile> GgufFile::open(const std::string& path, TypePolicy policy) {
  EDGELM_TRY_ASSIGN(os::MappedFile map, os::MappedFile::open(path));
  EDGELM_TRY_ASSIGN(GgufPart part, parse_part(map.bytes(), path, policy));
  EDGELM_TRY_ASSIGN(const auto split, read_split_info(part, path));
  PartSet set;
  if (split) {
    EDGELM_TRY_ASSIGN(set, open_parts(path, std::move(map), std::move(part), *split, policy));
  } else if (const auto name = parse_split_name(path); name && name->count > 1) {
    return fail(ErrorCode::kFormat, "{}: named as part {} of {}, but it has no split keys", path,
                name->no, name->count);
  } else {
    set.maps.push_back(std::exchange(map, {}));
    set.parts.push_back(std::move(part));
  }

  auto state = std::make_unique<State>();
  state->path = path;
  state->maps = std::move(set.maps);
  for (const os::MappedFile& file : state->maps) state->file_bytes += file.bytes().size();
  state->version = set.parts.front().version;
  state->n_parts = static_cast<std::uint32_t>(set.parts.size());
  state->metadata = std::move(set.parts.front().metadata);
  state->headers.reserve(set.parts.size());
  for (const GgufPart& each : set.parts) state->headers.push_back(each.header);
  for (const GgufPart& each : set.parts)
    state->infos.insert(state->infos.end(), each.tensors.begin(), each.tensors.end());
  EDGELM_TRY(state->finish());
  return GgufFile(std::move(state));
}

Result<GgufFile> GgufFile::parse(Bytes bytes, std::string name, TypePolicy policy) {
  EDGELM_TRY_ASSIGN(GgufPart part, parse_part(bytes, name, policy));
  EDGELM_TRY_ASSIGN(const auto split, read_split_info(part, name));
  if (split && policy != TypePolicy::kHeader)
    return fail(ErrorCode::kUnsupported, "{}: part {} of {} of a split model, which needs files",
                name, split->no + 1, split->count);
  auto state = std::make_unique<State>();
  state->path = std::move(name);
  state->policy = policy;
  state->file_bytes = bytes.size();
  state->version = part.version;
  state->metadata = std::move(part.metadata);
  state->infos = std::move(part.tensors);
  EDGELM_TRY(state->finish());
  return GgufFile(std::move(state));
}

Result<GgufFile> GgufFile::adopt(os::MappedFile map, std::string name, TypePolicy policy) {
  EDGELM_TRY_ASSIGN(GgufFile file, parse(map.bytes(), std::move(name), policy));
  file.state_->maps.push_back(std::move(map));
  return file;
}

const std::string& GgufFile::path() const { return state_->path; }
std::string GgufFile::identity() const {
  std::string text;
  for (std::size_t i = 0; i < state_->headers.size(); ++i) {
    const std::string& stamp = state_->maps[i].stamp();
    if (stamp.empty()) return {};
    fmt::format_to(std::back_inserter(text), "{} {:016x}\n", stamp, hash64(state_->headers[i]));
  }
  return text;
}

std::uint32_t GgufFile::version() const { return state_->version; }
std::uint64_t GgufFile::file_bytes() const { return state_->file_bytes; }
std::uint32_t GgufFile::n_parts() const { return state_->n_parts; }
std::span<const GgufValue> GgufFile::metadata() const { return state_->metadata; }
std::span<const tensor::TensorView> GgufFile::tensors() const { return state_->tensors; }
std::span<const GgufTensorInfo> GgufFile::tensor_infos() const { return state_->infos; }

const GgufValue* GgufFile::find(std::string_view key) const {
  const auto at = state_->keys.find(key);
  return at ? &state_->metadata[*at] : nullptr;
}

const tensor::TensorView* GgufFile::find_tensor(std::string_view name) const {
  const auto at = state_->tensor_names.find(name);
  return at ? &state_->tensors[*at] : nullptr;
}

}  // namespace edgelm::formats
