// Names into models.

#include "apps/edgelm/bench_models.h"

#include <algorithm>
#include <cctype>

#include "formats/gguf_summary.h"
#include "formats/gguf_types.h"
#include "measure/cell.h"
#include "os/file.h"
#include "synth/recipe.h"

namespace edgelm::apps {
namespace {

constexpr std::string_view kPlaceholder = "{type}";

std::string filled_in(const std::string& name, const std::string& type) {
  std::string filled = name;
  filled.replace(filled.find(kPlaceholder), kPlaceholder.size(), type);
  return filled;
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

// A synth: name has its type after the second colon.
bool lacks_type(const std::string& name) {
  return synth::is_synth_name(name) && std::count(name.begin(), name.end(), ':') == 1;
}

Result<measure::SweepModel> sweep_model(const std::string& name) {
  measure::SweepModel model;
  if (synth::is_synth_name(name)) {
    // Made of its name: the same bytes every time.
    model.name = name;
    model.hash = "";
    EDGELM_TRY_ASSIGN(const synth::Recipe recipe, synth::parse_synth_name(name));
    const std::size_t colon = name.find(':', name.find(':') + 1);
    model.type = name.substr(colon + 1, name.find(':', colon + 1) - colon - 1);
    static_cast<void>(recipe);
    return model;
  }
  model.name = name.substr(name.rfind('/') + 1);
  EDGELM_TRY_ASSIGN(const formats::GgufFile file, open_gguf(name, formats::TypePolicy::kKnown));
  model.hash = measure::model_hash(file);
  const formats::TensorTotals totals = formats::total_tensors(file);
  if (!totals.types.empty()) model.type = formats::tensor_type_label(totals.types.front().type_id);
  return model;
}

}  // namespace

Result<std::vector<std::string>> expand_models(const std::vector<std::string>& names,
                                               const std::vector<std::string>& types) {
  std::vector<std::string> models;
  for (const std::string& name : names) {
    const bool placeholder = name.find(kPlaceholder) != std::string::npos;
    if (placeholder && types.empty())
      return fail(ErrorCode::kUsage, "{}: {} needs --types", name, kPlaceholder);
    if (types.empty() || (!placeholder && !lacks_type(name))) {
      models.push_back(name);
    } else {
      for (const std::string& type : types) {
        std::string model = placeholder ? filled_in(name, type) : fmt::format("{}:{}", name, type);
        if (placeholder && !os::file_exists(model))
          if (std::string other = filled_in(name, lower(type)); os::file_exists(other))
            model = std::move(other);
        models.push_back(std::move(model));
      }
    }
  }
  for (const std::string& model : models)
    if (synth::is_synth_name(model)) EDGELM_TRY(synth::parse_synth_name(model));
  return models;
}

Result<std::vector<measure::SweepModel>> sweep_models(const std::vector<std::string>& names) {
  std::vector<measure::SweepModel> models;
  models.reserve(names.size());
  std::vector<Error> problems;
  for (const std::string& name : names) {
    if (auto model = sweep_model(name)) {
      models.push_back(std::move(*model));
    } else {
      problems.push_back(std::move(model).error());
    }
  }
  if (problems.empty()) return models;
  if (problems.size() == 1)
    return fail(problems.front().code, "{}; nothing was measured", problems.front().message);
  std::string all;
  for (const Error& problem : problems) all.append(all.empty() ? "" : "; ").append(problem.message);
  return fail(problems.front().code,
              "nothing was measured: {} of {} models are not there or no GGUF files: {}",
              problems.size(), names.size(), all);
}

Result<int> CurrentModel::descriptor_of(const std::string& name) {
  if (!synth::is_synth_name(name)) return -1;
  if (name != name_) {
    source_.reset();  // the old one goes before the new one comes
    name_.clear();
    EDGELM_TRY_ASSIGN(ModelSource source, ModelSource::find(name));
    source_.emplace(std::move(source));
    name_ = name;
  }
  return source_->descriptor();
}

}  // namespace edgelm::apps
