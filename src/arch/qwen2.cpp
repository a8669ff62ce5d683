// qwen2 (Qwen2 and Qwen2.5, arXiv 2407.10671): llama with biases on Q, K and V, and RoPE on the two
// halves of a head.

#include "arch/decoder.h"
#include "arch/registry.h"

namespace edgelm::arch {

Result<Description> describe_qwen2(const formats::GgufFile& file) {
  constexpr DenseDecoder::Options kOptions{.rope = plan::RopeLayout::kHalfSplit, .qk_norm = false};
  Builder builder(file);
  const Hparams hparams = builder.decoder_hparams(kOptions.rope);
  DenseDecoder decoder(builder, hparams, kOptions);
  decoder.embed();
  for (std::uint32_t layer = 0; layer < hparams.n_layers; ++layer) {
    decoder.attention(layer);
    decoder.feed_forward(layer);
  }
  decoder.head();
  return builder.finish(hparams);
}

}  // namespace edgelm::arch
