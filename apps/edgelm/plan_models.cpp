// Each kind of name in turn; a name that is a file is a file.

#include "apps/edgelm/plan_models.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "apps/edgelm/builtin.h"
#include "apps/edgelm/models.h"
#include "endpoint/hub.h"
#include "formats/gguf.h"
#include "os/file.h"
#include "predict/gguf_model.h"
#include "predict/reference_model.h"
#include "synth/recipe.h"
#include "synth/synth.h"

namespace edgelm::apps {
namespace {

Result<predict::Model> of_header(const std::string& bytes, const std::string& name,
                                 std::uint64_t file_bytes) {
  EDGELM_TRY_ASSIGN(
      const formats::GgufFile file,
      formats::GgufFile::parse(as_byte_span(bytes), name, formats::TypePolicy::kHeader));
  return predict::model_of_gguf(file, name, file_bytes);
}

Result<predict::Model> of_remote(const endpoint::RemoteHeader& header) {
  constexpr formats::TypePolicy kHeader = formats::TypePolicy::kHeader;
  EDGELM_TRY_ASSIGN(const formats::GgufFile first,
                    formats::GgufFile::parse(as_byte_span(header.bytes), header.name, kHeader));
  std::vector<formats::GgufFile> parts;
  parts.reserve(header.more.size());
  for (const endpoint::RemotePart& part : header.more) {
    EDGELM_TRY_ASSIGN(formats::GgufFile file,
                      formats::GgufFile::parse(as_byte_span(part.bytes), part.name, kHeader));
    parts.push_back(std::move(file));
  }
  const predict::GgufParts more(parts.begin(), parts.end());
  EDGELM_TRY_ASSIGN(predict::Model model,
                    predict::model_of_gguf(first, header.name, header.file_bytes, more));
  model.origin = "GGUF header, fetched alone";
  return model;
}

Result<predict::Model> of_recipe(const std::string& name) {
  EDGELM_TRY_ASSIGN(const synth::Recipe recipe, synth::parse_synth_name(name));
  EDGELM_TRY_ASSIGN(const std::string header, synth::gguf_of(recipe).header_bytes());
  EDGELM_TRY_ASSIGN(predict::Model model, of_header(header, name, 0));
  model.type = recipe.mix.name;
  model.origin = "header of a synth recipe";
  return model;
}

bool is_url(const std::string& name) {
  return name.starts_with("http://") || name.starts_with("https://");
}

}  // namespace

Result<predict::Model> describe_model(const std::string& name) {
  if (find_builtin(name) != nullptr || os::file_exists(name)) {
    EDGELM_TRY_ASSIGN(const formats::GgufFile file, open_gguf(name, formats::TypePolicy::kKnown));
    return predict::model_of_gguf(file, name.empty() ? "builtin" : name, file.file_bytes());
  }
  if (synth::is_synth_name(name)) return of_recipe(name);
  const bool hub = endpoint::has_hub_prefix(name) || is_url(name);
  if (!hub && name.find('/') == std::string::npos) {
    auto shape = predict::reference_model(name);
    if (shape || shape.error().code != ErrorCode::kNotFound) return shape;
    return fail(ErrorCode::kNotFound,
                "'{:.128}' is neither a file nor builtin, tiny, synth:SHAPE:TYPE, OWNER/REPO on a "
                "hub, or SHAPE:TYPE of a published shape: {}",
                name, predict::reference_shape_names());
  }
  if (!hub && (name.front() == '/' || name.front() == '.'))
    return fail(ErrorCode::kNotFound, "{}: no such file", name);
  EDGELM_TRY_ASSIGN(const endpoint::RemoteHeader header, endpoint::fetch_gguf_header(name));
  return of_remote(header);
}

std::vector<std::string> with_types(const std::vector<std::string>& names,
                                    const std::vector<std::string>& types) {
  std::vector<std::string> result;
  result.reserve(names.size() * std::max<std::size_t>(types.size(), 1));
  for (const std::string& name : names) {
    const std::string_view bare =
        synth::is_synth_name(name) ? std::string_view(name).substr(6) : std::string_view(name);
    const bool typed = bare.find(':') != std::string_view::npos || bare.ends_with(".gguf");
    if (types.empty() || typed || find_builtin(name) != nullptr || os::file_exists(name)) {
      result.push_back(name);
      continue;
    }
    for (const std::string& type : types) result.push_back(fmt::format("{}:{}", name, type));
  }
  return result;
}

}  // namespace edgelm::apps
