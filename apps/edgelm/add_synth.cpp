// edgelm synth: a model file of a real model's shape with random weights, to measure with.

#include <fmt/format.h>

#include <memory>
#include <string>

#include "apps/edgelm/commands.h"
#include "apps/edgelm/models.h"
#include "apps/edgelm/numbers.h"
#include "apps/edgelm/output.h"
#include "apps/edgelm/progress.h"
#include "os/file.h"
#include "synth/synth.h"
#include "synth/tensors.h"

namespace edgelm::apps {
namespace {

struct SynthFlags {
  std::string shape;
  std::string type;
  std::string output;
  std::uint32_t layers = 0;
  std::uint64_t seed = 0;
};

std::string footer() {
  return fmt::format(
      "Such a model runs as fast as the real one, and what it writes means nothing.\n"
      "Shapes: {}.\n"
      "Types: {}. One without _M or _S is the type of every matrix; those with it are the mixes\n"
      "that model makers publish. Norms and biases are F32.\n"
      "A file need not be written: other commands take synth:SHAPE:TYPE for a model, and\n"
      "synth:SHAPE:TYPE:layers=N, and make it in memory.\n"
      "Examples:\n"
      "  edgelm synth --shape tinyllama-1.1b --type Q4_K_M -o tiny.gguf\n"
      "  edgelm bench synth:qwen2.5-0.5b:Q4_0\n",
      synth::shape_names(), synth::mix_names());
}

Status run_synth(const SynthFlags& flags) {
  EDGELM_TRY_ASSIGN(const synth::Recipe recipe,
                    synth::make_recipe(flags.shape, flags.type, flags.layers, flags.seed));
  if (const std::string replaced = synth::replaced_types(recipe); !replaced.empty())
    note("edgelm: {} {}: {}\n", recipe.shape.name, recipe.mix.name, replaced);
  {
    Progress bar;
    EDGELM_TRY(synth::gguf_of(recipe).write(
        flags.output, [&](std::uint64_t done_bytes, std::uint64_t total_bytes) {
          bar.update(done_bytes >> 20, total_bytes >> 20, fmt::format("MiB {}", flags.output));
        }));
  }
  EDGELM_TRY_ASSIGN(const std::uint64_t bytes, os::file_size(flags.output));
  const auto parameters = synth::count_parameters(synth::list_tensors(recipe));
  return write_result(fmt::format("{}: {}, {}, {:.1f} M parameters, {:.1f} MiB\n", flags.output,
                                  recipe.title(), recipe.mix.name,
                                  static_cast<double>(parameters) * 1e-6,
                                  static_cast<double>(bytes) / (1024.0 * 1024.0)));
}

}  // namespace

void add_synth(CLI::App& app, Outcome& outcome) {
  CLI::App* command = app.add_subcommand(
      "synth", "Write a model file of a real model's shape with random weights, to measure with");
  command->footer(footer());
  auto flags = std::make_shared<SynthFlags>();
  command->add_option("--shape", flags->shape, "The shape; see below")->required();
  command->add_option("--type", flags->type, "Types of the matrices; see below")->required();
  command->add_option("-o,--output", flags->output, "The file to write")->required();
  command->add_option("--layers", flags->layers, "Make only the first N layers (default: all)")
      ->check(CLI::Range(1, 1 << 16));
  command->add_option("--seed", flags->seed, "Another seed, other weights")
      ->check(whole_number(std::numeric_limits<std::uint64_t>::max()))
      ->capture_default_str();
  command->callback([flags, &outcome] { outcome.status = run_synth(*flags); });
}

}  // namespace edgelm::apps
