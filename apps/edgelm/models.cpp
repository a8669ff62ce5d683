// Model names and shared flags.

#include "apps/edgelm/models.h"

#include <algorithm>
#include <charconv>

#include "apps/edgelm/builtin.h"
#include "apps/edgelm/output.h"
#include "os/file.h"

namespace edgelm::apps {
namespace {

// A missing file deserves the hint that there are models without one; a missing part of it does
// not.
Error with_hint(Error error, const std::string& name) {
  if (error.code == ErrorCode::kNotFound && !os::file_exists(name))
    error.message += "; without a file there are the built-in models 'builtin' and 'tiny'";
  return error;
}

}  // namespace

Result<formats::GgufFile> open_gguf(const std::string& name) {
  if (const BuiltinModel* builtin = find_builtin(name))
    return formats::GgufFile::parse(builtin->bytes, std::string(builtin->name));
  auto file = formats::GgufFile::open(name);
  if (!file) return fail(with_hint(std::move(file).error(), name));
  return file;
}

Result<std::shared_ptr<const model::Model>> load_model(const std::string& name) {
  if (const BuiltinModel* builtin = find_builtin(name))
    return model::Model::parse(builtin->bytes, std::string(builtin->name));
  auto model = model::Model::load(name);
  if (!model) return fail(with_hint(std::move(model).error(), name));
  return model;
}

CLI::Validator whole_number(std::uint64_t max) {
  const auto check = [max](const std::string& text) {
    std::uint64_t value = 0;
    const char* const end = text.data() + text.size();
    const auto [stopped, error] = std::from_chars(text.data(), end, value);
    if (error == std::errc() && stopped == end && value <= max) return std::string();
    return fmt::format("'{}' is not a whole number from 0 to {}", text, max);
  };
  return {check, "", "whole_number"};
}

CLI::Validator real_number() {
  const auto check = [](const std::string& text) {
    double value = 0;
    if (!text.empty() && CLI::detail::lexical_cast(text, value)) return std::string();
    return fmt::format("'{}' is not a number", text);
  };
  return {check, "", "real_number"};
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
                 "Force the kernels of one instruction set: scalar, avx2, neon, dotprod");
}

std::uint32_t default_context(const model::Model& model) {
  return std::min(model.hparams().context_length, 4096U);
}

void warn(const std::string& message) { note("edgelm: warning: {}\n", message); }

}  // namespace edgelm::apps
