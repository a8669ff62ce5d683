// Plan and weights of the shared decoder parts.

#include "arch/decoder.h"

#include <algorithm>
#include <cmath>

namespace edgelm::arch {
namespace {

std::uint32_t widest(const std::vector<std::uint32_t>& per_layer) {
  return *std::max_element(per_layer.begin(), per_layer.end());
}

}  // namespace

DenseDecoder::DenseDecoder(Builder& builder, const Hparams& hparams, Options options)
    : builder_(builder),
      hparams_(hparams),
      options_(options),
      table_(builder.matrix("token_embd.weight", hparams.n_embd, hparams.n_vocab)),
      // Per-pair frequency divisors: Llama 3.1's long-context scaling comes as this tensor.
      rope_factors_(builder.optional_vector("rope_freqs.weight", hparams.rope.n_rot / 2)),
      x_(builder.buffer("hidden", hparams.n_embd)),
      q_(builder.buffer("q", widest(hparams.n_heads) * hparams.k_dim)),
      k_(builder.buffer("k", widest(hparams.n_kv_heads) * hparams.k_dim)),
      v_(builder.buffer("v", widest(hparams.n_kv_heads) * hparams.v_dim)),
      mixed_(builder.buffer("attention", widest(hparams.n_heads) * hparams.v_dim)),
      gate_(builder.buffer("gate", widest(hparams.n_ff))),
      ffn_(builder.buffer("ffn", widest(hparams.n_ff))) {
  builder.plan().n_vocab = hparams.n_vocab;
  builder.plan().last_layer = hparams.n_layers;
  builder.plan().hidden = x_;
}

void DenseDecoder::embed() { builder_.add(plan::Embed{table_, x_}); }

void DenseDecoder::attention(std::uint32_t layer) {
  const auto name = [&](const char* part) { return fmt::format("blk.{}.{}", layer, part); };
  const plan::AttentionShape shape{hparams_.n_heads[layer], hparams_.n_kv_heads[layer],
                                   hparams_.k_dim, hparams_.v_dim};
  const std::uint64_t n_embd = hparams_.n_embd;
  const std::uint64_t q_width = std::uint64_t{shape.n_heads} * shape.k_dim;
  const std::uint64_t k_width = std::uint64_t{shape.n_kv_heads} * shape.k_dim;
  const std::uint64_t v_width = std::uint64_t{shape.n_kv_heads} * shape.v_dim;
  const std::uint64_t out_width = std::uint64_t{shape.n_heads} * shape.v_dim;
  builder_.plan().kv_layers.push_back({shape.n_kv_heads, shape.k_dim, shape.v_dim});

  plan::NormProject qkv;
  qkv.in = x_;
  qkv.norm = builder_.vector(name("attn_norm.weight"), n_embd);
  qkv.epsilon = hparams_.rms_epsilon;
  qkv.projections = {{builder_.matrix(name("attn_q.weight"), n_embd, q_width),
                      builder_.optional_vector(name("attn_q.bias"), q_width), q_},
                     {builder_.matrix(name("attn_k.weight"), n_embd, k_width),
                      builder_.optional_vector(name("attn_k.bias"), k_width), k_},
                     {builder_.matrix(name("attn_v.weight"), n_embd, v_width),
                      builder_.optional_vector(name("attn_v.bias"), v_width), v_}};
  builder_.add(std::move(qkv));

  plan::StoreKv store;
  store.layer = layer;
  store.shape = shape;
  store.q = q_;
  store.k = k_;
  store.v = v_;
  if (options_.qk_norm) {
    store.q_norm = builder_.vector(name("attn_q_norm.weight"), shape.k_dim);
    store.k_norm = builder_.vector(name("attn_k_norm.weight"), shape.k_dim);
    store.epsilon = hparams_.rms_epsilon;
  }
  store.rope = hparams_.rope;
  store.rope.factors = rope_factors_;
  builder_.add(store);

  const float scale = 1 / std::sqrt(static_cast<float>(shape.k_dim));
  builder_.add(plan::Attend{layer, shape, scale, q_, mixed_});
  if (layer + 1 == hparams_.n_layers) builder_.add(plan::KeepLogitTokens{{mixed_, x_}});
  builder_.add(plan::ProjectAdd{mixed_,
                                builder_.matrix(name("attn_output.weight"), out_width, n_embd),
                                builder_.optional_vector(name("attn_output.bias"), n_embd), x_});
}

void DenseDecoder::feed_forward(std::uint32_t layer) {
  const auto name = [&](const char* part) { return fmt::format("blk.{}.{}", layer, part); };
  const std::uint64_t n_embd = hparams_.n_embd;
  const std::uint64_t n_ff = hparams_.n_ff[layer];
  plan::GatedFfn ffn;
  ffn.in = x_;
  ffn.norm = builder_.vector(name("ffn_norm.weight"), n_embd);
  ffn.epsilon = hparams_.rms_epsilon;
  ffn.gate = builder_.matrix(name("ffn_gate.weight"), n_embd, n_ff);
  ffn.up = builder_.matrix(name("ffn_up.weight"), n_embd, n_ff);
  ffn.gate_scratch = gate_;
  ffn.out = ffn_;
  builder_.add(ffn);
  builder_.add(plan::ProjectAdd{ffn_, builder_.matrix(name("ffn_down.weight"), n_ff, n_embd),
                                std::nullopt, x_});
}

void DenseDecoder::head() {
  const bool tied = !builder_.has("output.weight");
  const plan::BufferId logits = builder_.buffer("logits", hparams_.n_vocab, true);
  plan::NormProject op;
  op.in = x_;
  op.norm = builder_.vector("output_norm.weight", hparams_.n_embd);
  op.epsilon = hparams_.rms_epsilon;
  op.projections = {
      {tied ? table_ : builder_.matrix("output.weight", hparams_.n_embd, hparams_.n_vocab),
       std::nullopt, logits}};
  builder_.add(std::move(op));
  builder_.plan().logits = logits;
}

}  // namespace edgelm::arch
