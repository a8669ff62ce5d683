// Whole cells on a scripted backend and a scripted sensor, and one on the real ones.

#include "measure/cell.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "os/clock.h"
#include "support/scripted_backend.h"
#include "support/scripted_recorder.h"
#include "support/tiny_model.h"

namespace edgelm::measure {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// A scripted backend that every load shares the script of.
struct Script {
  Error on_compile{ErrorCode::kInternal, ""};
  bool fail_steps = false;
  int loads = 0;
};
class SharedBackend final : public backend::Backend {
 public:
  explicit SharedBackend(Script& script) : script_(script) {}
  Result<std::unique_ptr<backend::Executor>> compile(const plan::Plan& plan,
                                                     const plan::Limits& limits) override {
    if (!script_.on_compile.message.empty()) return fail(script_.on_compile);
    EDGELM_TRY_ASSIGN(auto executor, scripted_.compile(plan, limits));
    scripted_.last->fail_next = script_.fail_steps;
    return executor;
  }
  [[nodiscard]] std::string name() const override { return "scripted"; }

 private:
  Script& script_;
  test::ScriptedBackend scripted_;
};

class Cell : public ::testing::Test {
 protected:
  Cell() {
    spec_.settings.model = "tiny";
    spec_.settings.prompt_tokens = 16;
    spec_.settings.decode_tokens = 40;
    spec_.settings.batch_tokens = 8;
    spec_.settings.threads = 1;
    spec_.pace.max_repetitions = 30;
    spec_.pace.budget_s = 0.2;
    spec_.pace.max_window_s = 1e9;
    recorder_.has_sensor = false;
    rig_.load = [this]() -> Result<Loaded> {
      ++script_.loads;
      EDGELM_TRY_ASSIGN(auto model, model::Model::parse(as_byte_span(bytes_), "tiny"));
      return Loaded{std::move(model), std::make_unique<SharedBackend>(script_), nullptr, "none"};
    };
    rig_.probe = [](Loaded& /*loaded*/) -> Result<std::function<double()>> {
      return [] { return 5e9; };
    };
  }
  Record measure() {
    const auto files = os::system_files();
    return measure_cell(spec_, rig_,
                        {.recorder = recorder_,
                         .files = *files,
                         .clock = {os::now_ns, [this](double s) { time_.pass(s); }}});
  }

  std::string bytes_ = test::TinyModel{}.bytes();
  Script script_;
  test::ScriptedTime time_;
  test::ScriptedRecorder recorder_{time_};
  CellSpec spec_;
  Rig rig_;
};

TEST_F(Cell, HasEveryPhase) {
  const Record record = measure();
  ASSERT_EQ(record.outcome, Outcome::kMeasured) << record.reason;
  EXPECT_EQ(record.settings.type, "F32");
  EXPECT_EQ(record.settings.isa, "none");
  EXPECT_EQ(record.settings.model_hash.size(), 16U);
  EXPECT_EQ(record.time.size(), 20U);
  EXPECT_GT(record.warm_load_ms.value(), 0);
  EXPECT_THAT(record.cold_load_ms.error().reason, HasSubstr("no file"));
  const Series& prefill = record.prefill_tokens_per_s.value();
  EXPECT_GE(prefill.samples.size(), 3U);
  EXPECT_GT(prefill.low, 0);
  EXPECT_LE(prefill.low, prefill.median);
  EXPECT_GE(prefill.high, prefill.median);
  // The first token takes the prefill and more.
  EXPECT_GT(record.ttft_ms->median, record.ttft_prefill_ms.value());
  EXPECT_GT(record.ttft_tokenize_ms.value(), 0);
  EXPECT_GT(record.ttft_sample_ms.value(), 0);
  const Series& decode = record.decode_tokens_per_s.value();
  EXPECT_NEAR(record.tpot_ms->median, 1000 / decode.median, 0.02 * record.tpot_ms->median);
  EXPECT_TRUE(record.itl_p50_ms);
  EXPECT_EQ(record.read_bytes_per_s.value(), 5e9);
  EXPECT_GT(record.planned.weights.value(), 0U);
  EXPECT_GT(record.planned.runtime.value(), 0U);
  EXPECT_GT(record.memory.peak_rss.value(), 0U);
  EXPECT_FALSE(record.memory.paging);
  EXPECT_EQ(record.decode.gross.error().reason, "no power sensor on this device");
  EXPECT_EQ(record.decode.net_joules.error().reason, "no power sensor on this device");
  for (const PhaseSpan& span : record.phases)
    EXPECT_TRUE(span.phase != CellPhase::kIdleBefore && span.phase != CellPhase::kIdleAfter)
        << "nothing is waited for without a sensor";
}

TEST_F(Cell, PercentilesNeedEnoughTokens) {
  spec_.pace.max_repetitions = 3;
  const Record record = measure();
  EXPECT_TRUE(record.itl_p90_ms);  // 120 tokens
  EXPECT_EQ(record.itl_p99_ms.error().reason, "120 tokens, 1000 are needed");
  spec_.settings.decode_tokens = 10;
  EXPECT_FALSE(measure().itl_p90_ms);
  spec_.settings.decode_tokens = 400;
  EXPECT_TRUE(measure().itl_p99_ms);
}

TEST_F(Cell, APhaseThatIsNotAskedForHasAReason) {
  spec_.settings.prompt_tokens = 0;
  const Record record = measure();
  EXPECT_EQ(record.prefill_tokens_per_s.error().reason, "this cell has no prompt");
  EXPECT_TRUE(record.decode_tokens_per_s);
}

TEST_F(Cell, AtDepthAndOfSeveralSequences) {
  spec_.settings.context_tokens = 64;
  spec_.settings.n_sequences = 3;
  const Record record = measure();
  ASSERT_EQ(record.outcome, Outcome::kMeasured) << record.reason;
  EXPECT_NEAR(record.decode_tokens_per_s->median, 3000 / record.tpot_ms->median,
              0.02 * record.decode_tokens_per_s->median);
}

TEST_F(Cell, EnergyOfEachPhaseGrossAndNet) {
  recorder_.has_sensor = true;
  recorder_.info.min_window_s = 0.05;
  recorder_.info.period_s = 0.001;
  spec_.pace.idle_s = 0.01;  // virtual time that passes is real time to catch up with
  spec_.pace.idle_settle_s = 0.01;
  recorder_.set_watts(4);
  // Time of the clock passes for the recorder as well.
  const auto files = os::system_files();
  const auto now = [this] {
    time_.now_ns = std::max(time_.now_ns, os::now_ns());
    return time_.now_ns;
  };
  now();
  const Record record = measure_cell(
      spec_, rig_, {.recorder = recorder_, .files = *files, .clock = {now, [this](double s) {
                                                                        time_.pass(s);
                                                                      }}});
  ASSERT_EQ(record.outcome, Outcome::kMeasured) << record.reason;
  EXPECT_EQ(record.sensor.id, "scripted");
  EXPECT_NEAR(record.idle_watts_before.value(), 4, 1e-6);
  EXPECT_NEAR(record.idle_watts_after.value(), 4, 1e-6);
  for (const EnergyOfPhase* phase : {&record.prefill, &record.decode}) {
    ASSERT_TRUE(phase->gross) << phase->gross.error().reason;
    EXPECT_NEAR(phase->gross->mean_watts, 4, 1e-6);
    EXPECT_GT(phase->tokens, 0);
    EXPECT_NEAR(phase->net_joules.value(), 0, 1e-6 * phase->gross->joules + 1e-9);
  }
  ASSERT_TRUE(record.load.gross);
  EXPECT_GE(record.load.tokens, 1);  // loads in the window
  // Of what takes longer than a millisecond here: the windows of the sensor.
  std::vector<std::string_view> words;
  std::int64_t end_ns = 0;
  for (const PhaseSpan& span : record.phases) {
    EXPECT_GE(span.begin_ns, end_ns);
    EXPECT_LT(span.begin_ns, span.end_ns);
    end_ns = span.end_ns;
    if (span.phase != CellPhase::kFirstRuns && span.phase != CellPhase::kProbe &&
        span.phase != CellPhase::kWarmUp)
      words.push_back(phase_word(span.phase));
  }
  EXPECT_THAT(words, ElementsAre("load", "idle before", "prefill", "decode", "idle after"));
}

TEST_F(Cell, AThrottledRunSaysSo) {
  recorder_.summary.throttled = true;
  recorder_.summary.cause = "under-voltage";
  EXPECT_THAT(measure().notes, Contains("throttled while measuring: under-voltage"));
}

TEST_F(Cell, WhatGoesWrongIsARecord) {
  script_.on_compile = {ErrorCode::kMemory, "not enough memory: the KV cache"};
  Record record = measure();
  EXPECT_EQ(record.outcome, Outcome::kOutOfMemory);
  EXPECT_EQ(record.reason, "not enough memory: the KV cache");
  EXPECT_EQ(record.settings.type, "F32");  // what was known stays
  script_.on_compile = {};
  script_.on_compile.message.clear();
  script_.fail_steps = true;
  record = measure();
  EXPECT_EQ(record.outcome, Outcome::kFailed);
  EXPECT_EQ(record.reason, "scripted failure");
  bytes_ = "GGUF";
  record = measure();
  EXPECT_EQ(record.outcome, Outcome::kFailed);
  EXPECT_THAT(record.reason, HasSubstr("tiny"));
  spec_.settings.kv_type = "q9";
  EXPECT_EQ(measure().outcome, Outcome::kFailed);
}

TEST_F(Cell, WhatCannotFitIsNotTried) {
  spec_.settings.context_tokens = 2'000'000'000;
  const Record record = measure();
  EXPECT_EQ(record.outcome, Outcome::kInfeasible);
  EXPECT_GT(record.needed_bytes.value(), std::uint64_t{100} << 30);
  EXPECT_THAT(record.reason, AllOf(HasSubstr("needs "), HasSubstr("MiB are available")));
  EXPECT_EQ(script_.loads, 1);  // the header alone
}

TEST_F(Cell, OnTheRealBackend) {
  ::setenv("EDGELM_CACHE_LIMIT", "0", 1);
  backend::CpuOptions cpu;
  cpu.decode_threads = cpu.prefill_threads = 1;
  cpu.cache = false;
  rig_ = cpu_rig([this] { return model::Model::parse(as_byte_span(bytes_), "tiny"); }, cpu);
  rig_.probe = {};  // its buffer takes longer to fill than all the rest
  spec_.pace.max_repetitions = 2;
  const Record record = measure();
  ASSERT_EQ(record.outcome, Outcome::kMeasured) << record.reason;
  EXPECT_FALSE(record.settings.isa.empty());
  EXPECT_EQ(record.decode_tokens_per_s->samples.size(), 2U);
  EXPECT_NEAR(record.memory.weights_resident.value(), 1, 0.01);
  EXPECT_FALSE(record.read_bytes_per_s);
}

TEST(ModelHash, FollowsHeaderAndSize) {
  const auto hash = [](const test::TinyModel& tiny) {
    const std::string bytes = tiny.bytes();
    return model_hash(*formats::GgufFile::parse(as_byte_span(bytes), "x"));
  };
  test::TinyModel tiny;
  const std::string base = hash(tiny);
  EXPECT_EQ(hash(tiny), base);
  tiny.change = [](formats::GgufWriter& writer) { writer.set("general.name", "other"); };
  EXPECT_NE(hash(tiny), base);
}

}  // namespace
}  // namespace edgelm::measure
