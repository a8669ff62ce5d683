// The two tables. Sources in the header; LLaMA-3-8B, wikitext-2: tools/perplexity/README.md of
// llama.cpp, as quoted in its scoreboard.

#include "predict/quality_prior.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>

namespace edgelm::predict {
namespace {

struct Row {
  std::string_view type;
  double perplexity;
};
constexpr double kF16 = 6.233;
// Types between two rows of the table take the row of the mix they make up.
constexpr std::array kRows = {
    Row{"F32", kF16},     Row{"F16", kF16},     Row{"BF16", kF16},    Row{"Q8_0", 6.234},
    Row{"Q6_K", 6.253},   Row{"Q5_K_M", 6.289}, Row{"Q5_K_S", 6.289}, Row{"Q5_K", 6.289},
    Row{"Q4_K_M", 6.407}, Row{"Q4_K_S", 6.407}, Row{"Q4_K", 6.407},   Row{"Q4_0", 6.700},
    Row{"Q3_K_M", 6.735}, Row{"Q3_K", 6.735},   Row{"Q2_K", 8.648},
};

}  // namespace

Known<double> type_loss(std::string_view type) {
  std::string name(type);
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  for (const Row& row : kRows)
    if (row.type == name) return std::log(row.perplexity / kF16);
  return not_available("no published loss of the type " + name);
}

Known<double> expected_loss(const Model& model) {
  auto by_type = type_loss(model.type);
  if (!by_type) return by_type;
  const double n = static_cast<double>(model.parameters());
  if (n <= 0) return not_available("the number of parameters is not known");
  return 406.4 / std::pow(n, 0.34) + *by_type;
}

}  // namespace edgelm::predict
