// llama (Touvron et al. 2023 and its many descendants): grouped queries, RoPE on interleaved pairs
// (the converter permutes Q and K so), optional biases, optional RoPE frequency factors
// (Llama 3.1), head tied to the embedding when the file has no output.weight.

#include "arch/decoder.h"
#include "arch/registry.h"

namespace edgelm::arch {

Result<Description> describe_llama(const formats::GgufFile& file) {
  constexpr DenseDecoder::Options kOptions{.rope = plan::RopeLayout::kInterleaved,
                                           .qk_norm = false};
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
