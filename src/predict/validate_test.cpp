// The targets the predictor was built for, from held-out predictions.

#include "predict/validate.h"

#include <gtest/gtest.h>

namespace edgelm::predict {
namespace {

TEST(Validate, EveryTargetHolds) {
  const auto validation = validate(reference_rows());
  ASSERT_TRUE(validation) << validation.error().message;
  EXPECT_EQ(validation->targets.size(), 8U);
  for (const Target& target : validation->targets)
    EXPECT_TRUE(target.holds) << target.name << ": wanted " << target.wanted << ", got "
                              << target.got;
  EXPECT_EQ(validation->cliff.size(), 28U);
  // Degraded rows are slower than what the device does in good state.
  EXPECT_GT(validation->degraded.size(), 20U);
  const std::string text = validation_text(*validation);
  EXPECT_EQ(text.find("MISSED"), std::string::npos);
  EXPECT_NE(text.find("| Jetson Orin Nano | llama.cpp | 25W | decode | 6 |"), std::string::npos);
}

// Data that follow no formula must show as errors and missed targets.
TEST(Validate, NonsenseIsNotFitted) {
  std::vector<ReferenceRow> rows = reference_rows();
  std::uint32_t n = 0;
  for (ReferenceRow& row : rows)
    if (row.decode_tps && row.device.starts_with("Raspberry Pi 5"))
      *row.decode_tps *= (++n * 7919U) % 13 < 6 ? 0.3 : 3.0;
  const auto validation = validate(rows);
  ASSERT_TRUE(validation) << validation.error().message;
  EXPECT_FALSE(validation->targets.front().holds);
}

}  // namespace
}  // namespace edgelm::predict
