// Nothing gets faster by getting wrong: the built-in model, rewritten in every quantized type, must
// have the perplexity that the scalar kernels give it, on every instruction set that runs here,
// with packed weights and with weights as they lie in the file.
//
// The text is chapters 1 and 2 of Jane Austen's Persuasion (1818, public domain; wording of Project
// Gutenberg's EBook 105), a novel that the model never saw (models/README.md): 3429 scored tokens.
// Fewer cannot tell 0.1 %. Any two orders of summation give some activations another int8, and that
// changes a token's log-likelihood at random, by 0.015: scalar kernels against themselves with the
// norms' weights moved by one ulp (Q5_1: 0.0150 and 0.0157; AVX2 against scalar 0.0147 and 0.0151).
// The mean over the whole text is so known to 0.026 %.
//
// Packed weights must give the same bits token by token, where the kernels of decoding run, and on
// sets that differ in nothing but these products.
//
// The scalar kernels need 20 s per type for the text, so their perplexities are kept below and only
// a start is computed again. EDGELM_TEST_SCALAR=1 computes all of it, for every instruction set,
// and prints what belongs here.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>
#include <tuple>

#include "backend/cpu/cpu_backend.h"
#include "formats/gguf_writer.h"
#include "kernels/kernels.h"
#include "model/model.h"
#include "os/file.h"
#include "quality/perplexity.h"
#include "support/data.h"
#include "support/isa.h"
#include "support/quantize_row.h"

namespace edgelm::conformance {
namespace {

using kernels::Kernels;
using tensor::DType;

constexpr double kLimit = 1e-3;           // over the whole text, relative to the scalar kernels
constexpr double kLanguageModel = 60;     // perplexity; 4096 for a model that knows nothing
constexpr std::uint32_t kContext = 256;   // tokens per chunk
constexpr std::uint32_t kStart = 2;       // chunks
constexpr double kStartTokens = 2 * 127;  // that are scored in them
constexpr double kWholeTokens = 3429;

// A model file in memory: the built-in one with every matrix in another type. All its matrices are
// 256 or 768 wide, so none needs a type with smaller blocks.
std::string rewritten(const formats::GgufFile& file, DType type) {
  const tensor::DTypeInfo& info = tensor::dtype_info(type);
  formats::GgufWriter writer;
  for (const formats::GgufValue& value : file.metadata()) writer.copy(value);
  std::vector<std::vector<std::byte>> matrices;
  matrices.reserve(file.tensors().size());
  for (const tensor::TensorView& tensor : file.tensors()) {
    if (tensor.shape.n_dims < 2) {
      writer.add_tensor(std::string(tensor.name), tensor.type, tensor.shape, tensor.data);
      continue;
    }
    const std::uint64_t cols = tensor.shape.cols();
    EXPECT_EQ(cols % info.block_elements, 0U) << tensor.name;
    const std::uint64_t row_bytes = cols / info.block_elements * info.block_bytes;
    std::vector<std::byte>& blocks = matrices.emplace_back(tensor.shape.rows() * row_bytes);
    std::vector<float> row(cols);
    for (std::uint64_t r = 0; r < tensor.shape.rows(); ++r) {
      tensor::dtype_info(tensor.type).dequantize(tensor.row(r), cols, row.data());
      test::quantize_row(type, row, blocks.data() + r * row_bytes);
    }
    writer.add_tensor(std::string(tensor.name), type, tensor.shape, blocks);
  }
  return writer.to_bytes().value();
}

// Perplexity after kStart chunks and after all that were run.
struct Figures {
  double start = 0;
  double whole = 0;
};

// What the scalar kernels give (g++ 12, x86-64).
struct Reference {
  DType type;
  Figures scalar;
};

constexpr Reference kReferences[] = {
    {DType::kQ4_0, {48.125688, 47.110576}}, {DType::kQ5_0, {47.986462, 46.017962}},
    {DType::kQ5_1, {48.044326, 46.057516}}, {DType::kQ8_0, {47.772574, 45.869379}},
    {DType::kQ4_K, {48.849056, 46.663824}}, {DType::kQ5_K, {48.254484, 45.977536}},
    {DType::kQ6_K, {47.810497, 45.899068}},
};

// Emulated and instrumented programs are too slow for the whole text.
#ifdef EDGELM_TEST_SLOW
constexpr bool kSlow = true;
#else
constexpr bool kSlow = false;
#endif

bool all_live() { return std::getenv("EDGELM_TEST_SCALAR") != nullptr; }

class Perplexity : public testing::TestWithParam<Reference> {
 protected:
  void SetUp() override {
    const auto file = formats::GgufFile::open(test::source_dir() + "/models/" + kFile);
    ASSERT_TRUE(file) << file.error().message;
    bytes_ = rewritten(*file, GetParam().type);
    const auto model = model::Model::parse(as_byte_span(bytes_), kFile);
    ASSERT_TRUE(model) << model.error().message;
    model_ = *model;
    ASSERT_EQ(model_->main_type(), type_name());
    const auto text = os::read_file(test::source_dir() + "/tests/data/persuasion.txt", 1U << 20);
    ASSERT_TRUE(text) << text.error().message;
    text_ = *text;
  }

  static std::string type_name() { return std::string(tensor::dtype_info(GetParam().type).name); }

  struct Run {
    bool repack;
    bool whole;
    std::uint32_t batch = 256;  // tokens per step; 1 takes the kernels of decoding
  };

  Figures perplexity(const Kernels& set, const Run& run) const {
    const auto backend = backend::CpuBackend::create({.isa = std::string(set.name),
                                                      .decode_threads = 1,  // ctest has the others
                                                      .repack = run.repack,
                                                      .cache = false});
    Figures figures;
    const quality::Perplexity result =
        quality::perplexity(
            model_, *backend.value(), text_,
            {.context = kContext, .max_chunks = run.whole ? 0 : kStart, .batch = run.batch},
            [&](std::uint32_t done, std::uint32_t, double so_far) {
              if (done == kStart) figures.start = so_far;
            })
            .value();
    EXPECT_EQ(static_cast<double>(result.tokens), run.whole ? kWholeTokens : kStartTokens);
    figures.whole = run.whole ? result.perplexity : 0;
    return figures;
  }

  // Checks one run against the scalar kernels' and prints a line of the table. Over the start alone
  // the bound is wider by what chance is: the same number of standard errors.
  static void expect_near(std::string_view what, const Figures& ours, const Figures& scalar) {
    const bool whole = ours.whole != 0;
    const double value = whole ? ours.whole : ours.start;
    const double moved = value / (whole ? scalar.whole : scalar.start) - 1;
    EXPECT_LT(std::abs(moved), whole ? kLimit : kLimit * std::sqrt(kWholeTokens / kStartTokens))
        << what;
    fmt::print("{:<6}{:<18}{:>10.4f}{:>+10.4f} %  {} tokens\n", type_name(), what, value,
               100 * moved, whole ? kWholeTokens : kStartTokens);
  }

 private:
  static constexpr const char* kFile = "edgelm-novels-6m-q8_0.gguf";  // --model builtin

  std::string bytes_;
  std::string text_;
  std::shared_ptr<const model::Model> model_;
};

// Sets whose kernels are the same functions but for the products over packed weights, which have
// the same bits on every instruction set (kernels/panel/panel.h).
bool must_agree(const Kernels& a, const Kernels& b) {
  const auto rest = [](const Kernels& k) {
    return std::tuple(k.quantize, k.rms_norm, k.silu_mul, k.add, k.to_half, k.rope_interleaved,
                      k.rope_half, k.attention_f16);
  };
  return rest(a) == rest(b);
}

TEST_P(Perplexity, IsThatOfTheScalarKernels) {
  const auto& [type, kept] = GetParam();
  const std::vector<const Kernels*> sets = test::runnable_kernels();  // best first
  ASSERT_EQ(sets.back()->isa, kernels::Isa::kScalar);
  const Figures live = perplexity(*sets.back(), {.repack = false, .whole = all_live()});
  const Figures scalar = all_live() ? live : kept;
  if (all_live())
    fmt::print("    {{DType::k{}, {{{:.6f}, {:.6f}}}}},\n", type_name(), live.start, live.whole);
  EXPECT_LT(scalar.whole, kLanguageModel);
  expect_near("scalar", live, kept);

  std::map<const Kernels*, Figures> packed;
  std::vector<kernels::MatmulFn> seen;  // products with weights as they lie in the file
  for (const Kernels* set : sets) {
    if (set == sets.back()) continue;
    if (set->panel(type) != nullptr) {
      const auto same = std::find_if(packed.begin(), packed.end(), [&](const auto& other) {
        return must_agree(*set, *other.first);
      });
      const bool whole = all_live() || (same == packed.end() && !kSlow);
      const Figures& figures = packed[set] = perplexity(*set, {.repack = true, .whole = whole});
      expect_near(fmt::format("{} packed", set->name), figures, scalar);
      const Run token_by_token{.repack = true, .whole = false, .batch = 1};
      EXPECT_EQ(perplexity(*set, token_by_token).start, figures.start) << set->name;
      if (same != packed.end()) {
        EXPECT_EQ(figures.start, same->second.start) << set->name << ", " << same->first->name;
        if (all_live()) {
          EXPECT_EQ(figures.whole, same->second.whole) << set->name;
        }
      }
    }
    const kernels::MatmulFn matmul = set->matmul(type);
    if (std::find(seen.begin(), seen.end(), matmul) != seen.end()) continue;
    seen.push_back(matmul);
    expect_near(fmt::format("{} unpacked", set->name),
                perplexity(*set, {.repack = false, .whole = all_live() || !kSlow}), scalar);
  }
}

INSTANTIATE_TEST_SUITE_P(, Perplexity, testing::ValuesIn(kReferences), [](const auto& test) {
  return std::string(tensor::dtype_info(test.param.type).name);
});

}  // namespace
}  // namespace edgelm::conformance
