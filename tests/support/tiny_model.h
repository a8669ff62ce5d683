#pragma once
// A small random llama in memory for tests of everything above the file format: one layer, F32, a
// SentencePiece vocabulary of the 256 bytes. Header values can be changed to make broken models.

#include <fmt/format.h>

#include <functional>
#include <string>
#include <vector>

#include "base/random.h"
#include "formats/gguf_writer.h"

namespace edgelm::test {

struct TinyModel {
  std::uint32_t n_embd = 32;
  std::uint32_t n_layers = 1;
  std::uint32_t n_heads = 4;
  std::uint32_t n_kv_heads = 2;
  std::uint32_t n_ff = 48;
  std::uint32_t context = 256;
  std::string architecture = "llama";
  bool vocabulary = true;
  static constexpr std::uint32_t kVocabulary = 259;  // <unk> <s> </s> and the bytes

  // Called before the file is made: set, or replace, what the test needs.
  std::function<void(formats::GgufWriter&)> change = {};
  std::vector<std::string> leave_out = {};  // tensor names

  [[nodiscard]] std::string bytes() const {
    formats::GgufWriter writer;
    writer.set("general.architecture", architecture);
    const auto key = [&](const char* name) { return architecture + "." + name; };
    writer.set(key("context_length"), context);
    writer.set(key("embedding_length"), n_embd);
    writer.set(key("block_count"), n_layers);
    writer.set(key("feed_forward_length"), n_ff);
    writer.set(key("attention.head_count"), n_heads);
    writer.set(key("attention.head_count_kv"), n_kv_heads);
    writer.set(key("attention.layer_norm_rms_epsilon"), 1e-5F);
    if (vocabulary) add_vocabulary(writer);
    std::vector<std::vector<float>> data;
    data.reserve(64UL * n_layers + 64);
    const auto add = [&](const std::string& name, std::uint64_t cols, std::uint64_t rows) {
      for (const std::string& skipped : leave_out)
        if (skipped == name) return;
      std::vector<float>& values = data.emplace_back(cols * rows);
      Random random(std::hash<std::string>{}(name));
      for (float& value : values)
        value = rows == 1 ? random.uniform(0.5F, 1.5F) : random.uniform(-0.4F, 0.4F);
      writer.add_tensor(name, tensor::DType::kF32, {{cols, rows, 1, 1}, rows == 1 ? 1U : 2U},
                        {reinterpret_cast<const std::byte*>(values.data()), values.size() * 4});
    };
    const std::uint64_t kv_width = std::uint64_t{n_embd} / n_heads * n_kv_heads;
    add("token_embd.weight", n_embd, kVocabulary);
    for (std::uint32_t layer = 0; layer < n_layers; ++layer) {
      const auto name = [&](const char* part) { return fmt::format("blk.{}.{}", layer, part); };
      add(name("attn_norm.weight"), n_embd, 1);
      add(name("attn_q.weight"), n_embd, n_embd);
      add(name("attn_k.weight"), n_embd, kv_width);
      add(name("attn_v.weight"), n_embd, kv_width);
      add(name("attn_output.weight"), n_embd, n_embd);
      add(name("ffn_norm.weight"), n_embd, 1);
      add(name("ffn_gate.weight"), n_embd, n_ff);
      add(name("ffn_up.weight"), n_embd, n_ff);
      add(name("ffn_down.weight"), n_ff, n_embd);
    }
    add("output_norm.weight", n_embd, 1);
    if (change) change(writer);
    auto result = writer.to_bytes();
    return result ? std::move(*result) : "writer: " + result.error().message;
  }

  static void add_vocabulary(formats::GgufWriter& writer) {
    std::vector<std::string> tokens = {"<unk>", "<s>", "</s>"};
    std::vector<std::int32_t> types = {2, 3, 3};
    for (unsigned byte = 0; byte < 256; ++byte) {
      tokens.push_back(fmt::format("<0x{:02X}>", byte));
      types.push_back(6);
    }
    writer.set("tokenizer.ggml.model", "llama");
    writer.set_array("tokenizer.ggml.tokens", tokens);
    writer.set_array("tokenizer.ggml.token_type", types);
    writer.set_array("tokenizer.ggml.scores", std::vector<float>(tokens.size(), 0.0F));
    writer.set("tokenizer.ggml.bos_token_id", std::uint32_t{1});
    writer.set("tokenizer.ggml.eos_token_id", std::uint32_t{2});
    writer.set("tokenizer.ggml.add_bos_token", true);
    writer.set("tokenizer.ggml.add_space_prefix", false);
  }
};

}  // namespace edgelm::test
