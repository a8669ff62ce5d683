// edgelm inspect: what is in a model file, and the memory that running it will take. Works on every
// well-formed GGUF file, runnable here or not; the weights are not read.

#include <algorithm>
#include <memory>
#include <string>

#include "apps/edgelm/commands.h"
#include "apps/edgelm/inspect.h"
#include "apps/edgelm/models.h"
#include "apps/edgelm/output.h"
#include "arch/arch.h"
#include "engine/engine.h"
#include "os/cpu.h"

namespace edgelm::apps {
namespace {

constexpr std::uint32_t kDefaultContext = 4096;  // as `run`, unless the model was made for less
constexpr const char* kExamples =
    "Examples:\n"
    "  edgelm inspect model.gguf\n"
    "  edgelm inspect model.gguf -c 32768 --no-tensors\n"
    "  edgelm inspect model.gguf -o json | jq '.memory.total_bytes'\n"
    "  edgelm inspect model.gguf -o json | jq -r '.metadata[\"tokenizer.chat_template\"].value'";

struct InspectFlags {
  std::string model;
  std::string output = "table";
  std::uint32_t context_tokens = 0;  // 0: what the model was made for, at most kDefaultContext
  plan::KvType kv_type = plan::KvType::kF16;
  InspectView view;
};

// One sequence with the engine's own defaults, so that the figure is what `run` will use.
void add_memory(std::uint32_t context_tokens, plan::KvType kv_type, Inspection& inspection) {
  const formats::GgufFile& file = inspection.file;
  if (file.tensor_infos().empty()) {
    inspection.memory_unavailable = "the file holds no weights";
    return;
  }
  for (const formats::GgufTensorInfo& tensor : file.tensor_infos()) {
    if (tensor::find_dtype(tensor.type_id) != nullptr) continue;
    inspection.memory_unavailable = fmt::format("this build cannot run tensors of type {}",
                                                tensor::gguf_type_name(tensor.type_id));
    return;
  }
  const auto description = arch::describe(file);
  if (!description) {
    inspection.memory_unavailable = description.error().message;
    return;
  }
  if (const Status fits = plan::check_kv_type(description->plan, kv_type); !fits) {
    inspection.memory_unavailable = fits.error().message;
    return;
  }
  if (context_tokens == 0)
    context_tokens = std::min(description->hparams.context_length, kDefaultContext);
  const engine::EngineOptions options;
  inspection.context_tokens = context_tokens;
  inspection.kv_type = kv_type;
  inspection.memory =
      plan::memory(description->plan,
                   plan::Limits{.context_tokens = context_tokens,
                                .batch_tokens = std::min(options.batch_tokens, context_tokens),
                                .logit_rows = 1,
                                .kv_block_tokens = options.kv_block_tokens,
                                .n_threads = static_cast<std::uint32_t>(os::usable_cores()),
                                .kv_type = kv_type});
}

Status inspect(const InspectFlags& flags) {
  EDGELM_TRY_ASSIGN(const formats::GgufFile file,
                    open_gguf(flags.model, formats::TypePolicy::kKnown));
  Inspection inspection{.file = file, .totals = formats::total_tensors(file)};
  add_memory(flags.context_tokens, flags.kv_type, inspection);
  const std::string text = flags.output == "json"
                               ? api::dump(inspection_json(inspection, flags.view)) + "\n"
                               : inspection_text(inspection, flags.view);
  return write_result(text);
}

}  // namespace

void add_inspect(CLI::App& app, Outcome& outcome) {
  CLI::App* command = app.add_subcommand(
      "inspect", "Show what is in a model file, and the memory that running it takes");
  auto flags = std::make_shared<InspectFlags>();
  command->add_option("model,-m,--model", flags->model, kModelHelp);
  command->add_option("-o,--output", flags->output, "Form of the result")
      ->check(CLI::IsMember({"table", "json"}))
      ->capture_default_str();
  command
      ->add_option("-c,--ctx", flags->context_tokens,
                   "Context in tokens to plan the memory for (default: the model's, at most 4096)")
      ->check(CLI::Range(1u, 1u << 24));
  add_kv_type_flag(*command, flags->kv_type);
  command->add_flag("--tensors,!--no-tensors", flags->view.tensors, "List every tensor");
  command->add_flag("--full", flags->view.full, "Long strings and arrays whole");
  command->footer(kExamples);
  command->callback([flags, &outcome] { outcome.status = inspect(*flags); });
}

}  // namespace edgelm::apps
