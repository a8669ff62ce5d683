#pragma once
// From what a user calls a model (a path, "builtin", "tiny", synth:SHAPE:TYPE, or nothing) to a
// loaded one, and the flags that every command which runs a model shares.

#include <CLI/CLI.hpp>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "backend/cpu/cpu_backend.h"
#include "base/result.h"
#include "formats/gguf.h"
#include "model/model.h"
#include "os/new_file.h"

namespace edgelm::apps {

// Where a model comes from, found once and loaded as often as a measurement wants.
class ModelSource {
 public:
  // "" and "builtin" are the built-in model, "tiny" its small sibling, synth:SHAPE:TYPE a model of
  // random weights that is made in memory here, anything else a path.
  static Result<ModelSource> find(const std::string& name);
  // A synth: model that the parent process has made: an open descriptor of its pages.
  static ModelSource handed_down(const std::string& name, int descriptor);

  [[nodiscard]] Result<formats::GgufFile> open(
      formats::TypePolicy policy = formats::TypePolicy::kRunnable) const;
  [[nodiscard]] Result<std::shared_ptr<const model::Model>> load() const;
  // Of a synth: model, for handed_down() in a child process; -1 for all others.
  [[nodiscard]] int descriptor() const { return made_ ? made_->descriptor() : -1; }

 private:
  explicit ModelSource(std::string name) : name_(std::move(name)) {}

  std::string name_;
  std::optional<os::NewFile> made_;  // of a synth: model
  int handed_down_ = -1;             // the same, made by the parent process
};

Result<formats::GgufFile> open_gguf(const std::string& name,
                                    formats::TypePolicy policy = formats::TypePolicy::kRunnable);
Result<std::shared_ptr<const model::Model>> load_model(const std::string& name);

constexpr const char* kModelHelp =
    "GGUF file; 'builtin' (the default) and 'tiny' are part of the program; synth:SHAPE:TYPE is "
    "one "
    "of random weights (see edgelm synth --help)";

// -t, -tb, --isa, and those of add_packing_flags
void add_cpu_flags(CLI::App& app, backend::CpuOptions& options);
// --no-repack, --no-cache
void add_packing_flags(CLI::App& app, backend::CpuOptions& options);

// --kv-type
void add_kv_type_flag(CLI::App& app, plan::KvType& type);
constexpr const char* kKvTypeHelp =
    "How keys and values are cached: f16, or q8_0 in 53 % of the memory (heads of 32, 64, ... "
    "dims)";

// Context for a model when the user names none: what it was made for, at most 4096 tokens.
std::uint32_t default_context(const model::Model& model);

// "edgelm: warning: ..." on standard error.
void warn(const std::string& message);

}  // namespace edgelm::apps
