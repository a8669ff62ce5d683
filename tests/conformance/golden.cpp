// Golden files in, and how far logits are from them.
#include "golden.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <fstream>

#include "api/json.h"
#include "support/data.h"

namespace edgelm::conformance {

Golden read_golden(std::string_view model) {
  std::ifstream file(fmt::format("{}/tests/data/conformance/{}.json", test::source_dir(), model));
  const auto json = api::Json::parse(file);
  Golden golden;
  json.at("implementation").get_to(golden.implementation);
  json.at("fingerprint").get_to(golden.fingerprint);
  json.at("prompt_tokens").get_to(golden.prompt_tokens);
  json.at("ids").get_to(golden.ids);
  json.at("positions").get_to(golden.positions);
  json.at("logits").get_to(golden.logits);
  json.at("float64_logits").get_to(golden.float64_logits);
  return golden;
}

double relative_error(std::span<const float> a, std::span<const double> b) {
  double difference = 0;
  double norm = 0;
  for (std::size_t i = 0; i < b.size(); ++i) {
    difference += (double{a[i]} - b[i]) * (double{a[i]} - b[i]);
    norm += b[i] * b[i];
  }
  return std::sqrt(difference / norm);  // NaN stays NaN and fails every comparison
}

bool same_top(std::span<const float> a, std::span<const double> b) {
  const auto top = std::max_element(b.begin(), b.end());
  double second = -INFINITY;
  double largest_difference = 0;
  for (std::size_t i = 0; i < b.size(); ++i) {
    if (b.begin() + static_cast<std::ptrdiff_t>(i) != top) second = std::max(second, b[i]);
    largest_difference = std::max(largest_difference, std::abs(double{a[i]} - b[i]));
  }
  const auto ours = std::max_element(a.begin(), a.end()) - a.begin();
  return ours == top - b.begin() || *top - second <= largest_difference;
}

}  // namespace edgelm::conformance
