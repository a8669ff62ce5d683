#pragma once
// From what a user calls a model (a path, "builtin", "tiny", or nothing) to a loaded one, and the
// flags that every command which runs a model shares.

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "backend/cpu/cpu_backend.h"
#include "base/result.h"
#include "formats/gguf.h"
#include "model/model.h"

namespace edgelm::apps {

// "" and "builtin" are the built-in model, "tiny" its small sibling, anything else a path.
Result<formats::GgufFile> open_gguf(const std::string& name);
Result<std::shared_ptr<const model::Model>> load_model(const std::string& name);

// Checks for flags: CLI11 alone takes "" for 0, -1 for the largest unsigned number, and cuts what
// does not fit.
CLI::Validator whole_number(std::uint64_t max);
CLI::Validator real_number();

constexpr const char* kModelHelp =
    "GGUF file; 'builtin' (the default) and 'tiny' are part of the program";

// -t, -tb, --isa
void add_cpu_flags(CLI::App& app, backend::CpuOptions& options);

// Context for a model when the user names none: what it was made for, at most 4096 tokens.
std::uint32_t default_context(const model::Model& model);

// "edgelm: warning: ..." on standard error.
void warn(const std::string& message);

}  // namespace edgelm::apps
