// edgelm against llama.cpp: every fixture model, on every instruction set that runs here, compared
// with the committed logits. The tolerances are the project's promise, not fitted to what is
// measured; the table printed at the end says what is.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "fixture_model.h"
#include "fixture_tensors.h"
#include "golden.h"
#include "runner.h"

namespace edgelm::conformance {
namespace {

constexpr double kFloatLimit = 1e-3;
constexpr double kQuantizedLimit = 2e-2;

// llama.cpp rounds the activations of a BF16 product to bfloat16, 2^-9 each: its own error is
// beyond kFloatLimit. So BF16 is held to kFloatLimit against float64, and to this against
// llama.cpp.
constexpr double kBfloatReferenceLimit = 1e-2;

struct Limits {
  double llama_cpp;
  double float64;
};

Limits limits(const FixtureSpec& spec) {
  if (!spec.type || tensor::dtype_info(*spec.type).quantized)
    return {kQuantizedLimit, kQuantizedLimit};
  if (*spec.type == tensor::DType::kBF16) return {kBfloatReferenceLimit, kFloatLimit};
  return {kFloatLimit, kFloatLimit};
}

// Largest errors by "model isa", printed once after all tests.
class ErrorTable : public testing::Environment {
 public:
  struct Entry {
    double llama_cpp = 0;
    double float64 = 0;
  };
  static std::map<std::string, Entry>& entries() {
    static std::map<std::string, Entry> map;
    return map;
  }
  void TearDown() override {
    if (entries().empty()) return;
    fmt::print("{:<34}{:>12}{:>12}   relative error of logits\n", "model and instruction set",
               "llama.cpp", "float64");
    for (const auto& [name, entry] : entries())
      fmt::print("{:<34}{:>12.2e}{:>12.2e}\n", name, entry.llama_cpp, entry.float64);
  }
};

const auto* const kErrorTable = testing::AddGlobalTestEnvironment(new ErrorTable);

using Case = std::tuple<std::string_view, std::string_view>;  // model, instruction set

class LlamaCpp : public testing::TestWithParam<Case> {};

TEST_P(LlamaCpp, SameLogits) {
  const auto& [name, isa] = GetParam();
  const FixtureSpec& spec = *find_fixture(name);
  const Golden golden = read_golden(name);
  ASSERT_EQ(golden.fingerprint, fmt::format("{:016x}", fingerprint(fixture_tensors(spec))))
      << "the generator makes other weights than when the golden was taken";

  const std::string bytes = fixture_gguf(spec);
  const auto model = model::Model::parse(as_byte_span(bytes), std::string(name));
  ASSERT_TRUE(model) << model.error().message;
  auto runner = Runner::create(*model, isa, 1);
  ASSERT_TRUE(runner) << runner.error().message;
  const std::uint32_t chunks[] = {golden.prompt_tokens, 1};
  const auto rows = (*runner)->run(golden.ids, chunks);
  ASSERT_TRUE(rows) << rows.error().message;

  const Limits limit = limits(spec);
  ErrorTable::Entry& worst = ErrorTable::entries()[fmt::format("{} {}", name, isa)];
  for (std::size_t i = 0; i < golden.positions.size(); ++i) {
    const std::vector<float>& ours = rows->at(golden.positions[i]);
    ASSERT_EQ(ours.size(), golden.logits[i].size());
    const double error = relative_error(ours, golden.logits[i]);
    const double exact_error = relative_error(ours, golden.float64_logits[i]);
    EXPECT_LT(error, limit.llama_cpp) << "position " << golden.positions[i];
    EXPECT_LT(exact_error, limit.float64) << "position " << golden.positions[i];
    EXPECT_TRUE(same_top(ours, golden.logits[i])) << "position " << golden.positions[i];
    worst.llama_cpp = std::max(worst.llama_cpp, error);
    worst.float64 = std::max(worst.float64, exact_error);
  }
}

std::vector<std::string_view> model_names() {
  std::vector<std::string_view> names;
  for (const FixtureSpec& spec : fixture_specs()) names.push_back(spec.name);
  return names;
}

INSTANTIATE_TEST_SUITE_P(, LlamaCpp,
                         testing::Combine(testing::ValuesIn(model_names()),
                                          testing::ValuesIn(runnable_isas())),
                         [](const auto& test) {
                           return fmt::format("{}_{}", std::get<0>(test.param),
                                              std::get<1>(test.param));
                         });

}  // namespace
}  // namespace edgelm::conformance
