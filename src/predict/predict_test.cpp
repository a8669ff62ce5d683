// Predictions for shipped boards, bad requests, and a device that was measured.

#include "predict/predict.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "device/passport_json.h"
#include "predict/embedded.h"
#include "predict/memory.h"
#include "predict/passports.h"
#include "predict/reference_model.h"

namespace edgelm::predict {
namespace {

using testing::Contains;
using testing::HasSubstr;

Device board(const std::string& name) {
  auto passport = find_passport(name);
  EXPECT_TRUE(passport) << passport.error().message;
  return device_of(passport.value_or(device::Passport{}));
}

Prediction of(const Device& device, const std::string& model, const Request& request = {},
              std::string_view engine = "llama.cpp", std::string_view mode = "") {
  const auto described = reference_model(model);
  EXPECT_TRUE(described) << described.error().message;
  const Profile* profile = device.find(engine, mode);
  EXPECT_NE(profile, nullptr);
  auto prediction = predict(*described, device, *profile, request);
  EXPECT_TRUE(prediction) << prediction.error().message;
  return prediction.value_or(Prediction{});
}

TEST(Passports, AllParseAndAreFound) {
  for (const EmbeddedFile& file : embedded_passports())
    EXPECT_TRUE(device::parse_passport(file.text, file.name)) << file.name;
  EXPECT_EQ(shipped_passports().size(), embedded_passports().size());
  EXPECT_EQ(find_passport("pi5-8gb")->name, "Raspberry Pi 5 8 GB");
  EXPECT_EQ(find_passport("Orin Nano")->name, "Jetson Orin Nano 8 GB");
  EXPECT_EQ(find_passport("pi5").error().code, ErrorCode::kUsage);
  EXPECT_THAT(find_passport("toaster").error().message, HasSubstr("Raspberry Pi 5 16 GB"));
}

TEST(Predict, RaspberryPi) {
  const Device pi = board("Raspberry Pi 5 8 GB");
  EXPECT_THAT(pi.why_not_here, HasSubstr("has not been measured"));
  const Prediction p = of(pi, "llama3.2-1b:Q4_K_M", {.prompt_tokens = 1, .decode_tokens = 128});
  EXPECT_EQ(p.memory.fit, Fit::kFits);
  EXPECT_NEAR(p.decode_best().tokens_per_s.value, 15, 1.5);
  EXPECT_EQ(p.decode_best().threads, 2U);
  EXPECT_EQ(p.decode_best().term, Term::kBandwidth);
  EXPECT_EQ(p.decode.front().term, Term::kDequantization);  // one thread
  EXPECT_EQ(of(pi, "llama3.2-1b:Q4_K_M", {.prompt_tokens = 512}).prefill_best().threads, 4U);
  EXPECT_LT(p.decode_best().tokens_per_s.low, p.decode_best().tokens_per_s.value);
  EXPECT_GT(p.decode_best().tokens_per_s.high, p.decode_best().tokens_per_s.value);
  ASSERT_TRUE(p.decode_best().joules_per_token);
  EXPECT_NEAR(p.decode_best().joules_per_token->value, 0.325, 0.08);
  EXPECT_EQ(p.watts_scope, device::Scope::kRail);
  ASSERT_TRUE(p.load_cold_s);
  EXPECT_NEAR(p.load_cold_s->value, 808 / 94.0, 0.5);
}

TEST(Predict, MemoryDecides) {
  const Device pi = board("Raspberry Pi 5 8 GB");
  const Prediction fits = of(pi, "qwen2.5-7b:Q8_0", {.context_tokens = 512});
  EXPECT_EQ(fits.memory.fit, Fit::kFits);
  ASSERT_TRUE(fits.memory.largest_context);
  EXPECT_GT(*fits.memory.largest_context, 512U);
  EXPECT_LT(*fits.memory.largest_context, 32768U);
  const Prediction pages = of(pi, "qwen2.5-14b:Q4_K_M", {.context_tokens = 512});
  EXPECT_EQ(pages.memory.fit, Fit::kPaging);
  EXPECT_LT(pages.decode_best().tokens_per_s.value, 0.1);  // the reference measured 0.018
  EXPECT_EQ(pages.decode_best().term, Term::kStorage);
  EXPECT_LT(*pages.memory.margin, 0);
  // A prompt goes through the weights once per step: slower, but by far not as much as decode.
  const Prediction prompt = of(pi, "qwen2.5-14b:Q4_K_M", {.prompt_tokens = 512}, "llama.cpp 2024");
  EXPECT_EQ(prompt.prefill[prompt.best_prefill].term, Term::kStorage);
  EXPECT_NEAR(prompt.prefill[prompt.best_prefill].tokens_per_s.value, 1.92, 0.4);  // measured
  ASSERT_TRUE(prompt.ttft_s);
  EXPECT_GT(prompt.ttft_s->high, prompt.ttft_s->value);
  const Prediction no = of(pi, "llama2-7b:Q4_0", {.context_tokens = 100'000});
  EXPECT_EQ(no.memory.fit, Fit::kNo);  // the cache alone is 50 GB
  // A GPU cannot read its weights again.
  const Prediction orin = of(board("Orin Nano"), "llama3.1-8b:Q8_0", {}, "llama.cpp", "25W");
  EXPECT_EQ(orin.memory.fit, Fit::kNo);
  EXPECT_EQ(orin.decode_best().term, Term::kMemory);
}

TEST(Predict, FiguresOfAPagingModelAgree) {
  const Device pi = board("Raspberry Pi 5 8 GB");
  const Prediction p = of(pi, "qwen2.5-14b:Q4_K_M");
  ASSERT_EQ(p.memory.fit, Fit::kPaging);
  for (const Speed& speed : p.decode) {
    const Interval& rate = speed.tokens_per_s;
    EXPECT_LT(rate.low, rate.value);
    EXPECT_LT(rate.value, rate.high);
    EXPECT_NEAR(speed.joules_per_token->value, speed.watts->value / rate.value, 1e-9);
    EXPECT_NEAR(speed.joules_per_token->high, speed.watts->high / rate.low, 1e-9);
    EXPECT_NEAR(speed.joules_per_token->low, speed.watts->low / rate.high, 1e-9);
    EXPECT_LT(speed.watts->value, 4.5);  // it waits: the reference measured 3.1 to 3.9 W
  }
  EXPECT_FALSE(p.load_warm_s);
  EXPECT_THAT(p.notes, Contains(HasSubstr("it pages")));
}

// A token needs a part of the experts: never more than its own bytes come from storage.
TEST(Predict, PagingExperts) {
  const Device pi = board("Raspberry Pi 5 8 GB");
  for (const auto& [model, measured] : {std::pair{"deepseek-v2-lite:Q4_K_M", 1.764},
                                        std::pair{"deepseek-v2-lite:Q4_0_4_4", 3.867}}) {
    const Prediction p = of(pi, model, {.prompt_tokens = 512}, "llama.cpp 2024");
    ASSERT_EQ(p.memory.fit, Fit::kPaging);
    const Interval& rate = p.decode_best().tokens_per_s;
    EXPECT_GT(rate.value, 94e6 / p.bytes_per_token);
    EXPECT_LT(rate.low, measured);
    EXPECT_GT(rate.high, measured);
  }
}

TEST(Predict, WhatIsAtTheBorderSaysSo) {
  const auto border = Contains(HasSubstr("it fits by less than 0.1 GB"));
  EXPECT_THAT(of(board("Raspberry Pi 5 2 GB"), "llama3.2-1b:Q8_0").notes, border);
  EXPECT_THAT(of(board("Raspberry Pi 5 8 GB"), "llama3.2-1b:Q8_0").notes, testing::Not(border));
}

TEST(Predict, TheLargestContextIsTheLargest) {
  const Device pi = board("Raspberry Pi 5 4 GB");
  const Prediction p = of(pi, "llama3.2-3b:Q4_K_M");
  ASSERT_TRUE(p.memory.largest_context);
  const auto at = [&](std::uint32_t context) {
    return of(pi, "llama3.2-3b:Q4_K_M", {.context_tokens = context}).memory.fit;
  };
  const auto most = static_cast<std::uint32_t>(*p.memory.largest_context);
  EXPECT_EQ(at(most), Fit::kFits);
  EXPECT_NE(at(most + 1), Fit::kFits);
}

TEST(Predict, OrinModes) {
  const Device orin = board("Orin Nano");
  double best = 0;
  std::string mode;
  for (const char* name : {"7W", "15W", "25W", "MAXN"}) {
    const Prediction p = of(orin, "llama3.2-1b:Q4_K_M", {}, "llama.cpp", name);
    EXPECT_EQ(p.decode_best().threads, 0U);
    const double per_joule = 1 / p.decode_best().joules_per_token->value;
    if (per_joule > best) {
      best = per_joule;
      mode = name;
    }
  }
  EXPECT_EQ(mode, "25W");
}

TEST(Predict, BadRequests) {
  const Device pi = board("Raspberry Pi 5 8 GB");
  const Profile& profile = *pi.find("llama.cpp", "");
  const Model model = *reference_model("llama3.2-1b:Q4_0");
  EXPECT_EQ(predict(model, pi, profile, {.kv_type = "q3"}).error().code, ErrorCode::kUsage);
  EXPECT_EQ(predict(model, pi, profile, {.threads = {0}}).error().code, ErrorCode::kUsage);
  EXPECT_EQ(predict(model, pi, profile, {.prompt_tokens = 1U << 30U}).error().code,
            ErrorCode::kUsage);
  EXPECT_FALSE(predict(Model{}, pi, profile, {}));
  EXPECT_EQ(pi.find("edgelm", ""), nullptr);
}

TEST(Predict, MemoryHoldsDepthPromptAndAnswer) {
  const Device pi = board("Raspberry Pi 5 8 GB");
  const std::string model = "qwen2.5-7b:Q8_0";
  const Prediction usual = of(pi, model);
  EXPECT_EQ(usual.context_tokens, 4096U);
  EXPECT_EQ(usual.memory.fit, Fit::kFits);
  ASSERT_LT(*usual.memory.largest_context, 8000U);
  for (const Request& request :
       {Request{.depth_tokens = 20'000}, Request{.prompt_tokens = 8000, .decode_tokens = 500}}) {
    Request named = request;
    named.context_tokens = request.depth_tokens + request.prompt_tokens + request.decode_tokens;
    const Prediction p = of(pi, model, request);
    const Prediction same = of(pi, model, named);
    EXPECT_EQ(p.context_tokens, named.context_tokens);
    EXPECT_EQ(p.memory.kv_bytes, same.memory.kv_bytes);
    EXPECT_EQ(p.memory.fit, Fit::kPaging);
    EXPECT_EQ(p.decode_best().tokens_per_s.value, same.decode_best().tokens_per_s.value);
    EXPECT_THAT(p.notes, Contains(HasSubstr("memory is planned for")));
    --named.context_tokens;
    const auto refused = predict(*reference_model(model), pi, *pi.find("llama.cpp", ""), named);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kUsage);
    EXPECT_THAT(refused.error().message, HasSubstr("does not hold"));
  }
}

TEST(Predict, NoMoreThreadsThanTheDeviceHas) {
  Device pi = board("Raspberry Pi 5 8 GB");
  const Profile& profile = *pi.find("llama.cpp", "");
  const Model model = *reference_model("llama3.2-1b:Q4_K_M");
  EXPECT_TRUE(predict(model, pi, profile, {.threads = {4}}));
  const auto refused = predict(model, pi, profile, {.threads = {1, 5}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kUsage);
  EXPECT_EQ(refused.error().message, "5 threads: Raspberry Pi 5 8 GB has 4");
  pi.passport.cpu = {};  // as in a short passport from a file
  EXPECT_TRUE(predict(model, pi, profile, {.threads = {4}}));
  EXPECT_THAT(predict(model, pi, profile, {.threads = {5}}).error().message,
              HasSubstr("known for at most 4"));
}

TEST(Predict, TimeToFirstTokenOfEachThreadCount) {
  const Device pi = board("Raspberry Pi 5 8 GB");
  const Prediction p = of(pi, "llama3.2-1b:Q4_K_M");
  ASSERT_EQ(p.prefill.size(), 4U);
  ASSERT_EQ(p.ttft_by_threads.size(), 4U);
  for (std::size_t i = 0; i < p.prefill.size(); ++i)
    EXPECT_NEAR(p.ttft_by_threads[i]->value * p.prefill[i].tokens_per_s.value, 128, 1e-6);
  EXPECT_EQ(p.ttft_s->value, p.ttft_by_threads[p.best_prefill]->value);
  EXPECT_GT(p.ttft_by_threads[0]->value, 2 * p.ttft_s->value);
}

TEST(Predict, WithoutAPromptThereIsNoPrefill) {
  const Prediction p = of(board("Raspberry Pi 5 8 GB"), "llama3.2-1b:Q4_K_M", {.prompt_tokens = 0});
  EXPECT_TRUE(p.prefill.empty());
  EXPECT_EQ(p.ttft_s.error().reason, "no prompt");
  ASSERT_EQ(p.ttft_by_threads.size(), p.decode.size());
  EXPECT_FALSE(p.ttft_by_threads.front());
}

device::Passport measured() {
  device::Passport passport;
  passport.name = "this device";
  passport.cpu.logical_cpus = 2;
  passport.cpu.cores = 2;
  passport.cpu.caches = {{3, "Unified", 32U << 20U, 2}};
  passport.memory.total_bytes = 16ULL << 30U;
  passport.memory.available_bytes = 12ULL << 30U;
  passport.speeds.read_bytes_per_s = {{1, 10e9}, {2, 16e9}};
  passport.speeds.f32_ops_per_s = {{1, 100e9}, {2, 200e9}};
  passport.speeds.kernels = {{"Q4_0", "decode", {{1, 9e9}, {2, 15e9}}},
                             {"Q4_0", "decode_cached", {{1, 30e9}, {2, 60e9}}},
                             {"Q4_0", "prefill", {{1, 100e9}, {2, 200e9}}}};
  return passport;
}

TEST(Predict, BoardsOfASystemOnAChip) {
  device::Passport passport;
  passport.name = "Radxa ROCK 5B";
  passport.board = {device::BoardKind::kOtherArm, "Radxa ROCK 5B", "", "rockchip,rk3588"};
  passport.memory.total_bytes = 16ULL * 1000 * 1000 * 1000;
  const Device device = device_of(passport);
  ASSERT_FALSE(device.profiles.empty());
  EXPECT_EQ(device.profiles[0].device, "RK3588");
  EXPECT_EQ(device.shipped, "RK3588 16 GB");
  passport.board.soc = "rockchip,rk3399";
  EXPECT_THAT(device_of(passport).profiles, testing::IsEmpty());
}

TEST(Predict, AMeasuredDevice) {
  const Device device = device_of(measured());
  ASSERT_EQ(device.profiles.size(), 1U);
  EXPECT_EQ(device.profiles[0].engine, "edgelm");
  const Model large = *reference_model("llama2-7b:Q4_0");
  // The head is Q6_K, which was not measured: said, not guessed.
  EXPECT_THAT(predict(large, device, device.profiles[0], {}).error().message, HasSubstr("Q6_K"));
  const Model pure = model_of_figures("m", "Q4_0", 8'000'000'000ULL, 4.5e9, 4'500'000'000ULL);
  const Prediction p = *predict(pure, device, device.profiles[0], {});
  EXPECT_NEAR(p.decode_best().tokens_per_s.value, 15e9 / 4.5e9, 0.05);
  EXPECT_EQ(p.decode_best().term, Term::kBandwidth);
  // One that lives in the cache runs at the speed of the arithmetic.
  const Model small = model_of_figures("s", "Q4_0", 16'000'000, 9e6, 9'000'000);
  const Prediction fast = *predict(small, device, device.profiles[0], {});
  EXPECT_GT(fast.decode_best().tokens_per_s.value, 3000);
  EXPECT_FALSE(fast.memory.largest_context);
}

TEST(Memory, LimitsOfTheControlGroup) {
  device::Passport passport = measured();
  passport.memory.limit_bytes = 1ULL << 30U;
  EXPECT_EQ(usable_memory(passport), 1ULL << 30U);
  passport.memory = {};
  EXPECT_FALSE(usable_memory(passport));
}

}  // namespace
}  // namespace edgelm::predict
