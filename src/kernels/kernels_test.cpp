// The table of kernel sets, the choice among them, and the read probe.

#include "kernels/kernels.h"

#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "base/random.h"
#include "support/guarded_buffer.h"
#include "support/isa.h"

namespace edgelm::kernels {
namespace {

TEST(Kernels, EveryEntryOfEverySetIsFilled) {
  EXPECT_EQ(all_kernels().back()->isa, Isa::kScalar);
  for (const Kernels* set : all_kernels()) {
    SCOPED_TRACE(set->name);
    EXPECT_TRUE(set->matmul && set->quantize && set->rms_norm && set->silu_mul && set->add);
    EXPECT_TRUE(set->to_half && set->rope_interleaved && set->rope_half);
    EXPECT_TRUE(set->attention_f16 && set->attention_q8_0);
    EXPECT_TRUE(set->read_probe);
    EXPECT_EQ(set->matmul(static_cast<tensor::DType>(99)), nullptr);
  }
}

TEST(Kernels, WithoutANameTheBestOfThisProcessor) {
  const auto best = select_kernels();
  ASSERT_TRUE(best.has_value());
  EXPECT_EQ(*best, test::runnable_kernels().front());
  for (const Kernels* set : test::runnable_kernels()) {
    const auto forced = select_kernels(set->name);
    ASSERT_TRUE(forced.has_value());
    EXPECT_EQ(*forced, set);
  }
}

// By the system's own list of processor flags, not by the code under test.
TEST(Kernels, TheBestSetOfTheHostReallyRuns) {
  std::ifstream cpuinfo("/proc/cpuinfo");
  std::string line;
  while (std::getline(cpuinfo, line) && !line.starts_with("flags") &&
         !line.starts_with("Features")) {
  }
  if (line.empty()) GTEST_SKIP() << "/proc/cpuinfo lists no processor flags";
  line += ' ';
  const auto has = [&line](const char* flag) {
    return line.find(std::string(" ").append(flag).append(" ")) != std::string::npos;
  };
  [[maybe_unused]] const std::string_view best = (*select_kernels())->name;
#if defined(EDGELM_X86)
  const bool avx2 = has("avx2") && has("fma") && has("f16c");
  const bool avx512 =
      has("avx512f") && has("avx512bw") && has("avx512dq") && has("avx512vl") && has("avx512_vnni");
  EXPECT_EQ(best, !avx2 ? "scalar" : avx512 ? "avx512" : has("avx_vnni") ? "avxvnni" : "avx2");
#elif defined(EDGELM_ARM)
  if (!has("asimd")) GTEST_SKIP() << "the flags are not those of an ARM processor (emulation)";
  EXPECT_EQ(best, !has("asimddp") ? "neon" : has("i8mm") ? "i8mm" : "dotprod");
#endif
}

TEST(Kernels, WrongNamesSayWhatThereIs) {
  const auto unknown = select_kernels("sse9");
  ASSERT_FALSE(unknown.has_value());
  EXPECT_EQ(unknown.error().code, ErrorCode::kUsage);
  EXPECT_NE(unknown.error().message.find("'sse9'"), std::string::npos);
  EXPECT_NE(unknown.error().message.find("scalar"), std::string::npos);
#if defined(EDGELM_ARM)
  const auto foreign = select_kernels("avx2");
#else
  const auto foreign = select_kernels("dotprod");
#endif
  ASSERT_FALSE(foreign.has_value());
  EXPECT_EQ(foreign.error().code, ErrorCode::kUnsupported);
  for (const Kernels* set : all_kernels()) {
    if (runs_here(*set)) continue;
    const auto refused = select_kernels(set->name);
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, ErrorCode::kUnsupported);
  }
}

TEST(ReadProbe, SumsEveryWordOnce) {
  for (const Kernels* set : test::runnable_kernels()) {
    SCOPED_TRACE(set->name);
    for (std::size_t bytes = 0; bytes <= 4096; bytes += 512) {
      test::GuardedBuffer<std::uint64_t> words(bytes / 8, 64);
      Random random(bytes + 1);
      std::uint64_t sum = 0;
      for (std::uint64_t& word : words.span()) sum += word = random.bits();
      EXPECT_EQ(set->read_probe(words.data(), bytes), sum) << bytes;
    }
  }
}

}  // namespace
}  // namespace edgelm::kernels
