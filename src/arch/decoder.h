#pragma once
// The parts that dense decoders share, told once: embedding, attention with grouped queries, gated
// feed-forward, head. An architecture file chooses among the options and adds what is its own.

#include <cstdint>

#include "arch/builder.h"

namespace edgelm::arch {

class DenseDecoder {
 public:
  struct Options {
    plan::RopeLayout rope = plan::RopeLayout::kInterleaved;
    bool qk_norm = false;  // rms_norm over each head of q and k before the rotation
  };

  DenseDecoder(Builder& builder, const Hparams& hparams, Options options);

  void embed();
  void attention(std::uint32_t layer);     // x += Wo attention(norm(x))
  void feed_forward(std::uint32_t layer);  // x += Wd (silu(Wg norm(x)) * Wu norm(x))
  void head();                             // logits = W norm(x); tied when output.weight is absent

 private:
  Builder& builder_;
  const Hparams& hparams_;
  Options options_;
  plan::WeightId table_;
  std::optional<plan::WeightId> rope_factors_;
  plan::BufferId x_, q_, k_, v_, mixed_, gate_, ffn_;
};

}  // namespace edgelm::arch
