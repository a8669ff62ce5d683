// The shipped constants are what a fit of the shipped data gives, and the fit finds what it should.

#include "predict/fit.h"

#include <gtest/gtest.h>

#include <cmath>

#include "predict/constants.h"
#include "predict/least_squares.h"
#include "predict/speed.h"

namespace edgelm::predict {
namespace {

void expect_near(double fitted, double shipped, const std::string& what) {
  EXPECT_NEAR(fitted, shipped, 0.005 * std::abs(fitted) + 1e-12) << what;
}

TEST(Fit, ShippedConstantsAreTheFit) {
  const std::vector<FitResult> fits = fit_all(reference_rows());
  const std::vector<Profile>& shipped = shipped_profiles();
  ASSERT_EQ(fits.size(), shipped.size()) << "run: edgelm plan --fit > data/reference/constants.csv";
  for (std::size_t i = 0; i < fits.size(); ++i) {
    const Profile& a = fits[i].profile;
    const Profile& b = shipped[i];
    const std::string name = a.device + " " + a.engine + " " + a.power_mode;
    EXPECT_EQ(a.device, b.device);
    EXPECT_EQ(a.engine, b.engine);
    EXPECT_EQ(a.power_mode, b.power_mode);
    ASSERT_EQ(a.bandwidth.size(), b.bandwidth.size()) << name;
    for (std::size_t k = 0; k < a.bandwidth.size(); ++k)
      expect_near(a.bandwidth[k].value, b.bandwidth[k].value, name);
    ASSERT_EQ(a.types.size(), b.types.size()) << name;
    for (std::size_t k = 0; k < a.types.size(); ++k) {
      EXPECT_EQ(a.types[k].type, b.types[k].type);
      for (const device::PerThreads& at : a.types[k].decode_weights_per_s)
        expect_near(at.value, at_threads(b.types[k].decode_weights_per_s, at.threads), name);
      for (const device::PerThreads& at : a.types[k].prefill_macs_per_s)
        expect_near(at.value, at_threads(b.types[k].prefill_macs_per_s, at.threads), name);
    }
    expect_near(a.token_overhead_s, b.token_overhead_s, name);
    expect_near(a.layer_overhead_s, b.layer_overhead_s, name);
    expect_near(a.decode_error, b.decode_error, name);
    EXPECT_EQ(a.decode_power.has_value(), b.decode_power.has_value()) << name;
  }
}

TEST(Fit, ConstantsSurviveTheirTable) {
  const std::string csv = constants_csv(shipped_profiles());
  const auto again = parse_constants(csv, "again");
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(constants_csv(*again), csv);
  EXPECT_FALSE(
      parse_constants("device,engine,version,power_mode,constant,type,threads,value\n"
                      "a,b,c,d,nonsense,,0,1\n",
                      "t.csv"));
}

// Rows made by known constants: the fit must find the speeds again, also of a held-out model.
TEST(Fit, FindsTheConstantsOfMadeUpData) {
  Profile truth;
  truth.device = "Board";
  truth.engine = "engine";
  truth.norm = 4;
  truth.bandwidth = {{1, 9e9}, {2, 12e9}, {4, 10e9}};
  for (const char* type : {"Q4_0", "Q6_K", "Q8_0", "Q4_K", "*"})
    truth.types.push_back({.type = type, .decode_weights_per_s = {{1, 8e9}, {2, 16e9}, {4, 32e9}}});
  std::vector<ReferenceRow> rows;
  for (const char* shape : {"tinyllama-1.1b", "llama3.2-1b", "llama3.2-3b"})
    for (const char* quant : {"Q4_0", "Q8_0", "Q4_K"})
      for (const std::uint32_t threads : {1U, 2U, 4U}) {
        ReferenceRow row;
        row.device = "Board 4 GB";
        row.engine = "engine";
        row.model = shape;
        row.quant = quant;
        row.threads = threads;
        const auto model = model_of_row(row);
        ASSERT_TRUE(model) << model.error().message;
        row.decode_tps = 1 / decode_time(truth, *model, threads, positions_of(row), 2)->seconds;
        rows.push_back(row);
      }
  const std::vector<FitResult> fits = fit_all(rows);
  ASSERT_EQ(fits.size(), 1U);
  EXPECT_EQ(fits[0].held_out.size(), rows.size());
  for (const HeldOut& held : fits[0].held_out)
    EXPECT_LT(std::abs(held.relative_error()), 0.03)
        << held.row->model << ' ' << held.row->quant << ' ' << held.row->threads;
}

TEST(LeastSquares, ALineAndBounds) {
  const std::vector<double> x = least_squares(
      [](const std::vector<double>& p) {
        std::vector<double> r;
        r.reserve(5);
        for (int i = 0; i < 5; ++i) r.push_back((p[0] + p[1] * i - (2 + 3 * i)) / 1e-3);
        return r;
      },
      {{.start = 0, .prior = 0, .sd = 10}, {.start = 0, .prior = 0, .sd = 10}});
  EXPECT_NEAR(x[0], 2, 1e-4);
  EXPECT_NEAR(x[1], 3, 1e-4);
  const std::vector<double> c = non_negative_least_squares({{1, 1}, {1, 2}, {1, 3}}, {3, 2, 1});
  EXPECT_NEAR(c[1], 0, 1e-12);
  EXPECT_NEAR(c[0], 2, 1e-9);
  std::vector<std::vector<double>> singular = {{1, 1}, {1, 1}};
  std::vector<double> right = {1, 2};
  EXPECT_FALSE(solve(singular, right));
}

}  // namespace
}  // namespace edgelm::predict
