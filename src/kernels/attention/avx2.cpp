// Attention on AVX2 + FMA + F16C; everything stands in avx2.h.

#include "kernels/attention/avx2.h"

#ifdef EDGELM_X86
namespace edgelm::kernels {

void attention_f16_avx2(const AttentionArgs& args) { SpanWalk<Avx2F16>(args).run(); }
void attention_q8_0_avx2(const AttentionArgs& args) { SpanWalk<Avx2Q8_0>(args).run(); }

}  // namespace edgelm::kernels
#endif
