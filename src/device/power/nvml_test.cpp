// NVIDIA's library replaced by a stub that is loaded by its path.

#include "device/power/nvml.h"

#include <dlfcn.h>
#include <gtest/gtest.h>

#include "device/power/stepped_recorder.h"
#include "support/nvml_stub.h"
#include "support/power_signals.h"
#include "support/scripted_files.h"
#include "support/sysroot.h"

namespace edgelm::device {
namespace {

using test::ScriptedFiles;
using test::VirtualTime;

class NvmlTest : public testing::Test {
 protected:
  void SetUp() override { stub_ = load(EDGELM_NVML_STUB); }
  void TearDown() override {
    for (void* handle : handles_) ::dlclose(handle);
  }

  // The same library that the source loads, so that the test sees its state.
  NvmlStub* load(const char* path) {
    void* handle = ::dlopen(path, RTLD_NOW | RTLD_LOCAL);
    EXPECT_NE(handle, nullptr) << ::dlerror();
    handles_.push_back(handle);
    const auto get = reinterpret_cast<NvmlStubFunction>(::dlsym(handle, "nvml_stub"));
    EXPECT_NE(get, nullptr);
    *get() = NvmlStub{};
    return get();
  }

  std::vector<void*> handles_;
  NvmlStub* stub_ = nullptr;
  VirtualTime time_;
  ScriptedFiles files_;
};

TEST_F(NvmlTest, TheEnergyCounterFollowsTheOracle) {
  const test::PowerSignal signal = test::square_power(60, 300, 2);
  const auto play = [&] {
    stub_->millijoules =
        123'456'789 + static_cast<unsigned long long>(1e3 * signal.joules(time_.s()));
  };
  play();
  auto source = open_nvml("nvml", time_.clock(), EDGELM_NVML_STUB);
  ASSERT_TRUE(source) << source.error().message;
  EXPECT_EQ((*source)->info().name, "NVIDIA GPU 0 (Stub 3000), energy counter");
  {
    SteppedRecorder recorder(std::move(*source), "", files_,
                             {time_.clock(), [] { return 0; }, 1e9, nullptr});
    const double begin_s = time_.s();
    const std::int64_t begin = recorder.mark();
    for (int i = 0; i < 73; ++i) {
      time_.advance(0.1);
      play();
      recorder.step();
    }
    const Known<Energy> energy = recorder.energy(begin, recorder.mark());
    ASSERT_TRUE(energy);
    EXPECT_NEAR(energy->joules, signal.between(begin_s, time_.s()), 2e-3);
  }
  EXPECT_EQ(stub_->shutdowns, 1);
}

TEST_F(NvmlTest, WithoutTheCounterPowerIsRead) {
  stub_->has_energy = false;
  stub_->milliwatts = 75'250;
  auto source = open_nvml("nvml", time_.clock(), EDGELM_NVML_STUB);
  ASSERT_TRUE(source);
  EXPECT_FALSE((*source)->info().counter);
  EXPECT_DOUBLE_EQ((*source)->read()->value, 75.25);
  stub_->read_code = 15;
  const Result<Reading> lost = (*source)->read();
  ASSERT_FALSE(lost);
  EXPECT_NE(lost.error().message.find("GPU is lost"), std::string::npos);
  stub_->read_code = 0;
  stub_->milliwatts = 4'000'000'000;
  EXPECT_FALSE((*source)->read());
  NvmlStub* old = load(EDGELM_NVML_STUB_WITHOUT_ENERGY);
  old->milliwatts = 5'000;
  auto older = open_nvml("nvml", time_.clock(), EDGELM_NVML_STUB_WITHOUT_ENERGY);
  ASSERT_TRUE(older) << older.error().message;
  EXPECT_DOUBLE_EQ((*older)->read()->value, 5);
}

TEST_F(NvmlTest, ADriverLoadedAgainCountsFromZero) {
  stub_->millijoules = 5'000'000;
  auto source = open_nvml("nvml", time_.clock(), EDGELM_NVML_STUB);
  ASSERT_TRUE((*source)->read());
  stub_->millijoules = 1'000;
  EXPECT_TRUE((*source)->read()->restart);
  stub_->millijoules = 3'000;
  EXPECT_DOUBLE_EQ((*source)->read()->value, 2);
}

TEST_F(NvmlTest, ThrottleReasonsBecomeTheCauseOfARun) {
  constexpr std::int64_t kSecond = 1'000'000'000;
  stub_->gpus = 2;
  ThrottleWatch watch = watch_nvml(files_, EDGELM_NVML_STUB);
  ASSERT_TRUE(watch);
  SteppedRecorder recorder(nullptr, "none", files_,
                           {time_.clock(), [] { return 0; }, 1, nullptr, std::move(watch)});
  const auto second = [&](unsigned long long first, unsigned long long other) {
    stub_->reasons = {first, other};
    recorder.step();
    const std::int64_t now = time_.clock()();
    time_.advance(1);
    return now;
  };
  const std::int64_t begin = second(0x1, 0x2);  // idle; clocks that somebody has set
  second(0x10, 0x100);                          // sync boost, display clocks
  second(0x8, 0);                               // a change of clocks
  EXPECT_FALSE(recorder.state(begin, time_.clock()()).throttled);
  const std::int64_t capped = second(0x4, 0x4);
  EXPECT_EQ(recorder.states().back().throttle, "GPU power cap") << "of two GPUs, said once";
  EXPECT_EQ(recorder.states().back().throttle_events, 1U);
  second(0x4, 0x20);
  const std::int64_t hot = second(0x48, 0);
  EXPECT_EQ(recorder.states().back().throttle, "GPU temperature");
  const std::int64_t fine = second(0, 0x8);
  second(0, 0);
  const StateSummary all = recorder.state(begin, fine);
  EXPECT_TRUE(all.throttled);
  EXPECT_EQ(all.cause, "GPU power cap, GPU temperature");
  EXPECT_EQ(recorder.state(capped, capped + kSecond / 2).cause, "GPU power cap");
  EXPECT_EQ(recorder.state(hot, hot + kSecond / 2).cause, "GPU temperature");
  EXPECT_FALSE(recorder.state(fine, fine + 2 * kSecond).throttled);
  second(0, 0x88);
  EXPECT_EQ(recorder.states().back().throttle, "GPU power brake");
  second(0, 0x8);
  EXPECT_EQ(recorder.states().back().throttle, "");
  second(0, 0x8);
  EXPECT_EQ(recorder.states().back().throttle, "GPU hardware slowdown") << "it stays";
  stub_->reasons_code = 15;  // the GPU is lost: nothing is made up
  second(0x4, 0x4);
  EXPECT_EQ(recorder.states().back().throttle, "");
}

TEST_F(NvmlTest, ThrottleReasonsAreAbsentInOldDrivers) {
  EXPECT_FALSE(watch_nvml(files_, EDGELM_NVML_STUB_WITHOUT_ENERGY));
  EXPECT_FALSE(watch_nvml(files_, "libedgelm-no-such-library.so.1"));
  const test::Sysroot machine;
  EXPECT_FALSE(watch_nvml(*os::system_files(machine.root()), EDGELM_NVML_STUB));
  stub_->reasons_code = 3;  // not supported by this GPU
  EXPECT_FALSE(watch_nvml(files_, EDGELM_NVML_STUB));
  NvmlStub* old = load(EDGELM_NVML_STUB_OLD_NAMES);
  old->reasons = {0x40};
  {
    ThrottleWatch watch = watch_nvml(files_, EDGELM_NVML_STUB_OLD_NAMES);
    ASSERT_TRUE(watch);
    EXPECT_EQ(watch(), "GPU temperature");
    const ThrottleWatch copy = watch;
    watch = nullptr;
    EXPECT_EQ(copy(), "GPU temperature");
    EXPECT_EQ(old->shutdowns, 0) << "the library is in use";
  }
  EXPECT_EQ(old->shutdowns, 1);
}

TEST_F(NvmlTest, ListsAllGpusAndSaysWhatIsMissing) {
  stub_->gpus = 2;
  const auto sensors = list_nvml(files_, EDGELM_NVML_STUB);
  ASSERT_EQ(sensors.size(), 2U);
  EXPECT_EQ(sensors[1].id, "nvml:1");
  EXPECT_TRUE(open_nvml("nvml:1", time_.clock(), EDGELM_NVML_STUB));
  EXPECT_FALSE(open_nvml("nvml:2", time_.clock(), EDGELM_NVML_STUB));
  EXPECT_FALSE(open_nvml("nvml:x", time_.clock(), EDGELM_NVML_STUB));
  stub_->init_code = 9;
  const auto broken = list_nvml(files_, EDGELM_NVML_STUB);
  ASSERT_EQ(broken.size(), 1U);
  EXPECT_FALSE(broken[0].not_readable.empty());
  EXPECT_TRUE(list_nvml(files_, "libedgelm-no-such-library.so.1").empty());
  EXPECT_FALSE(open_nvml("nvml", time_.clock(), "libedgelm-no-such-library.so.1"));
  // A library that is another one altogether.
  const auto other = open_nvml("nvml", time_.clock(), "libc.so.6");
  ASSERT_FALSE(other);
  EXPECT_NE(other.error().message.find("has no nvmlInit_v2"), std::string::npos);
  const test::Sysroot machine;
  EXPECT_TRUE(list_nvml(*os::system_files(machine.root()), EDGELM_NVML_STUB).empty());
}

}  // namespace
}  // namespace edgelm::device
