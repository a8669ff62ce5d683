#pragma once
// A model, ready to be compiled for a backend: the mapped file, what its header says, its plan and
// its tokenizer. Immutable and shared; everything else views into it.

#include <memory>
#include <string>
#include <string_view>

#include "arch/arch.h"
#include "formats/gguf.h"
#include "text/tokenizer.h"

namespace edgelm::model {

class Model {
 public:
  static Result<std::shared_ptr<const Model>> load(const std::string& path);
  // A model whose file lies in memory, as the built-in one does; `bytes` must outlive the model.
  static Result<std::shared_ptr<const Model>> parse(Bytes bytes, std::string name);
  // A model whose file is open already.
  static Result<std::shared_ptr<const Model>> from_file(formats::GgufFile file);

  [[nodiscard]] const formats::GgufFile& file() const { return file_; }
  [[nodiscard]] const arch::Hparams& hparams() const { return description_.hparams; }
  [[nodiscard]] const plan::Plan& plan() const { return description_.plan; }
  // nullptr when the file has no vocabulary; such a model is fed ids.
  [[nodiscard]] const text::Tokenizer* tokenizer() const { return tokenizer_.get(); }
  // tokenizer.chat_template, empty when there is none.
  [[nodiscard]] std::string_view chat_template() const { return chat_template_; }
  // Type of most weight bytes, as users name a file: "Q4_K".
  [[nodiscard]] std::string main_type() const;

 private:
  explicit Model(formats::GgufFile file) : file_(std::move(file)) {}

  formats::GgufFile file_;
  arch::Description description_;
  std::unique_ptr<text::Tokenizer> tokenizer_;
  std::string_view chat_template_;
};

}  // namespace edgelm::model
