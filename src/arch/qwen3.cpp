// qwen3 (arXiv 2505.09388): no biases, Q and K normalised per head before the rotation, and a head
// size of its own (attention.key_length), so that heads need not add up to the hidden size.

#include "arch/decoder.h"
#include "arch/registry.h"

namespace edgelm::arch {

Result<Description> describe_qwen3(const formats::GgufFile& file) {
  constexpr DenseDecoder::Options kOptions{.rope = plan::RopeLayout::kHalfSplit, .qk_norm = true};
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
