// Model names and shared flags.

#include "apps/edgelm/models.h"

#include <algorithm>

#include "apps/edgelm/builtin.h"
#include "apps/edgelm/output.h"
#include "apps/edgelm/progress.h"
#include "os/file.h"
#include "synth/synth.h"
#include "synth/tensors.h"

namespace edgelm::apps {
namespace {

// A missing file deserves the hint that there are models without one; a missing part of it does
// not.
Error with_hint(Error error, const std::string& name) {
  if (error.code == ErrorCode::kNotFound && !os::file_exists(name))
    error.message += "; without a file there are the built-in models 'builtin' and 'tiny'";
  return error;
}

Result<os::NewFile> make_synth(const std::string& name) {
  EDGELM_TRY_ASSIGN(const synth::Recipe recipe, synth::parse_synth_name(name));
  if (const std::string replaced = synth::replaced_types(recipe); !replaced.empty())
    note("edgelm: {}: {}\n", name, replaced);
  Progress bar;
  return synth::make_in_memory(recipe, [&](std::uint64_t done_bytes, std::uint64_t total_bytes) {
    bar.update(done_bytes >> 20, total_bytes >> 20, fmt::format("MiB {}", name));
  });
}

}  // namespace

Result<ModelSource> ModelSource::find(const std::string& name) {
  ModelSource source(name);
  if (synth::is_synth_name(name)) {
    EDGELM_TRY_ASSIGN(os::NewFile made, make_synth(name));
    source.made_.emplace(std::move(made));
  }
  return source;
}

ModelSource ModelSource::handed_down(const std::string& name, int descriptor) {
  ModelSource source(name);
  source.handed_down_ = descriptor;
  return source;
}

Result<formats::GgufFile> ModelSource::open(formats::TypePolicy policy) const {
  if (const BuiltinModel* builtin = find_builtin(name_))
    return formats::GgufFile::parse(builtin->bytes, std::string(builtin->name), policy);
  if (made_) {
    EDGELM_TRY_ASSIGN(os::MappedFile map, made_->map());
    return formats::GgufFile::adopt(std::move(map), name_, policy);
  }
  if (handed_down_ >= 0) {
    EDGELM_TRY_ASSIGN(os::MappedFile map, os::MappedFile::of_descriptor(handed_down_, name_));
    return formats::GgufFile::adopt(std::move(map), name_, policy);
  }
  auto file = formats::GgufFile::open(name_, policy);
  if (!file) return fail(with_hint(std::move(file).error(), name_));
  return file;
}

Result<std::shared_ptr<const model::Model>> ModelSource::load() const {
  EDGELM_TRY_ASSIGN(formats::GgufFile file, open());
  return model::Model::from_file(std::move(file));
}

Result<formats::GgufFile> open_gguf(const std::string& name, formats::TypePolicy policy) {
  EDGELM_TRY_ASSIGN(const ModelSource source, ModelSource::find(name));
  return source.open(policy);
}

Result<std::shared_ptr<const model::Model>> load_model(const std::string& name) {
  EDGELM_TRY_ASSIGN(const ModelSource source, ModelSource::find(name));
  return source.load();
}

void add_cpu_flags(CLI::App& app, backend::CpuOptions& options) {
  app.add_option(
         "-t,--threads", options.decode_threads,
         "Threads for decode (default: all cores, half of them, ... whichever proves fastest "
         "over the first tokens)")
      ->check(CLI::Range(1, 256));
  app.add_option("--tb,--threads-batch", options.prefill_threads,
                 "Threads for prefill, also written -tb (default: -t, or all cores)")
      ->check(CLI::Range(1, 256));
  app.add_option("--isa", options.isa,
                 "Force the kernels of one instruction set: scalar, avx2, avxvnni, avx512, neon, "
                 "dotprod, i8mm");
  add_packing_flags(app, options);
}

void add_packing_flags(CLI::App& app, backend::CpuOptions& options) {
  options.notice = warn;
  app.add_flag_callback(
      "--no-repack", [&options] { options.repack = false; },
      "Use weights as they lie in the file: starts at once, runs slower");
  app.add_flag_callback(
      "--no-cache", [&options] { options.cache = false; },
      "Neither read nor write the cache of packed weights (see edgelm cache --help)");
}

void add_kv_type_flag(CLI::App& app, plan::KvType& type) {
  app.add_option_function<std::string>(
         "--kv-type",
         [&type](const std::string& name) {
           if (const auto parsed = plan::parse_kv_type(name)) type = *parsed;
         },
         kKvTypeHelp)
      ->check(CLI::IsMember({"f16", "q8_0"}))
      ->default_str("f16");
}

std::uint32_t default_context(const model::Model& model) {
  return std::min(model.hparams().context_length, 4096U);
}

void warn(const std::string& message) { note("edgelm: warning: {}\n", message); }

}  // namespace edgelm::apps
