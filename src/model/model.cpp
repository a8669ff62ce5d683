// Loading: map, check, describe, build the tokenizer. No weight is touched.

#include "model/model.h"

#include <filesystem>
#include <map>
#include <system_error>

namespace edgelm::model {
namespace {

void name_source(const formats::GgufFile& file, plan::Plan& plan) {
  plan.source = file.identity();
  if (plan.source.empty()) return;
  std::error_code unknown;
  const std::filesystem::path path = std::filesystem::canonical(file.path(), unknown);
  plan.source_path = unknown ? file.path() : path.string();
}

}  // namespace

Result<std::shared_ptr<const Model>> Model::load(const std::string& path) {
  EDGELM_TRY_ASSIGN(formats::GgufFile file, formats::GgufFile::open(path));
  return from_file(std::move(file));
}

Result<std::shared_ptr<const Model>> Model::parse(Bytes bytes, std::string name) {
  EDGELM_TRY_ASSIGN(formats::GgufFile file, formats::GgufFile::parse(bytes, std::move(name)));
  return from_file(std::move(file));
}

Result<std::shared_ptr<const Model>> Model::from_file(formats::GgufFile file) {
  const std::shared_ptr<Model> model(new Model(std::move(file)));
  EDGELM_TRY_ASSIGN(model->description_, arch::describe(model->file_));
  name_source(model->file_, model->description_.plan);
  EDGELM_TRY_ASSIGN(model->chat_template_,
                    model->file_.string_or("tokenizer.chat_template", std::string_view{}));
  EDGELM_TRY_ASSIGN(const std::string_view family,
                    model->file_.string_or("tokenizer.ggml.model", "no_vocab"));
  if (family != "no_vocab" && family != "none") {
    EDGELM_TRY_ASSIGN(model->tokenizer_, text::Tokenizer::from_gguf(model->file_));
    if (model->tokenizer_->size() != model->hparams().n_vocab)
      return fail(ErrorCode::kFormat, "{}: the vocabulary has {} tokens, the weights have {} rows",
                  model->file_.path(), model->tokenizer_->size(), model->hparams().n_vocab);
  }
  return model;
}

std::string Model::main_type() const {
  std::map<std::string_view, std::uint64_t> bytes;
  for (const tensor::TensorView& tensor : file_.tensors())
    bytes[tensor::dtype_info(tensor.type).name] += tensor.data.size();
  std::string_view best;
  std::uint64_t most = 0;
  for (const auto& [name, size] : bytes) {
    if (size <= most) continue;
    best = name;
    most = size;
  }
  return std::string(best);
}

}  // namespace edgelm::model
