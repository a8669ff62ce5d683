// Cells measured on servers: one whose answers and moments are scripted, and a real one on
// loopback for what /proc tells.

#include "measure/endpoint_cell.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <set>

#include "measure/server_process.h"
#include "os/clock.h"
#include "support/loopback_server.h"
#include "support/scripted_api.h"
#include "support/scripted_recorder.h"

namespace edgelm::measure {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// 2 ms per prompt token, 50 ms per generated one; 1.5 tokens a word.
class ScriptedServer final : public endpoint::Endpoint {
 public:
  explicit ScriptedServer(test::ScriptedTime& time) : time_(time) {}
  [[nodiscard]] const std::string& model() const override { return name_; }
  [[nodiscard]] const std::vector<std::string>& models() const override { return names_; }
  [[nodiscard]] std::string url() const override { return url_of_it; }

  Result<endpoint::Answer> complete(const std::string& prompt,
                                    const endpoint::Sampling& sampling) override {
    if (fails) return fail(ErrorCode::kIo, "the server went away");
    prompts.push_back(prompt);
    const auto n_words = static_cast<double>(std::count(prompt.begin(), prompt.end(), ' '));
    const auto n_prompt = static_cast<std::uint32_t>(5 + 1.5 * n_words);
    endpoint::Answer answer;
    if (usage) answer.prompt_tokens = n_prompt;
    if (own_times) answer.server_prefill_ms = n_prompt * 1.0;
    if (cached) answer.cached_prompt_tokens = n_prompt;
    answer.start_ns = time_.now_ns;
    time_.pass(n_prompt * 0.002);
    const std::uint32_t n = std::min(sampling.max_tokens, most_tokens);
    for (std::uint32_t i = 0; i < n; i += tokens_per_piece) {
      if (i > 0 && i % pieces_per_read == 0)
        time_.pass(0.050 * tokens_per_piece * pieces_per_read);
      else if (i > 0)
        time_.pass(2e-6);
      answer.piece_ns.push_back(time_.now_ns);
    }
    answer.end_ns = time_.now_ns;
    if (usage) answer.completion_tokens = told_tokens ? *told_tokens : n;
    if (usage && told_prompt) answer.prompt_tokens = *told_prompt;
    return answer;
  }
  Result<endpoint::Answer> chat(const std::vector<endpoint::Message>& /*messages*/,
                                const endpoint::Sampling& sampling) override {
    return complete("", sampling);
  }
  Result<endpoint::Continuation> score(const std::string& /*context*/,
                                       const std::string& /*continuation*/) override {
    return fail(ErrorCode::kUnsupported, "no");
  }
  Known<std::uint32_t> count_tokens(const std::string& /*text*/) override {
    return not_available("no");
  }

  std::string url_of_it = "http://127.0.0.1:1/v1";
  bool fails = false;
  bool usage = true;
  bool own_times = false;
  bool cached = false;
  std::uint32_t tokens_per_piece = 1;
  std::uint32_t pieces_per_read = 1;
  std::optional<std::uint32_t> told_tokens, told_prompt;  // instead of the truth
  std::uint32_t most_tokens = 100'000;
  std::vector<std::string> prompts;

 private:
  test::ScriptedTime& time_;
  std::string name_ = "m";
  std::vector<std::string> names_ = {"m"};
};

class EndpointCell : public ::testing::Test {
 protected:
  EndpointCell() {
    spec_.settings.model = "m";
    spec_.settings.prompt_tokens = 200;
    spec_.settings.decode_tokens = 21;
    spec_.pace.max_repetitions = 10;
    recorder_.set_watts(6);
    recorder_.info.min_window_s = 5;
  }
  Record measure() {
    return measure_endpoint(
        spec_, server_,
        {.recorder = recorder_,
         .files = *files_,
         .clock = {[this] { return time_.now_ns; }, [this](double s) { time_.pass(s); }}});
  }

  test::ScriptedTime time_;
  test::ScriptedRecorder recorder_{time_};
  ScriptedServer server_{time_};
  std::unique_ptr<os::SystemFiles> files_ = os::system_files();
  CellSpec spec_;
};

TEST_F(EndpointCell, LatenciesRatesAndEnergy) {
  const Record record = measure();
  ASSERT_EQ(record.outcome, Outcome::kMeasured) << record.reason;
  // Prompts come near the length asked for once the server has counted.
  EXPECT_THAT(record.notes, Contains(HasSubstr("tokens by the server's count")));
  EXPECT_NEAR(record.ttft_ms->median, 400, 12);
  EXPECT_NEAR(record.prefill_tokens_per_s->median, 500, 1e-3);
  EXPECT_THAT(record.notes, Contains("prefill: prompt tokens over TTFT"));
  EXPECT_NEAR(record.decode_tokens_per_s->median, 20, 1e-3);
  EXPECT_NEAR(record.tpot_ms->median, 50, 1e-3);
  EXPECT_NEAR(record.itl_p50_ms.value(), 50, 1e-3);
  // 6 W at 500 tokens/s.
  ASSERT_TRUE(record.prefill.gross) << record.prefill.gross.error().reason;
  EXPECT_NEAR(record.prefill.gross->joules / record.prefill.tokens, 6.0 / 500, 1e-6);
  EXPECT_GE(record.prefill.gross->seconds, 5);
  EXPECT_NEAR(record.idle_watts_before.value(), 6, 1e-9);
  EXPECT_NEAR(record.decode.net_joules.value(), 0, 1e-6);
  EXPECT_THAT(record.warm_load_ms.error().reason, HasSubstr("running already"));
}

// The readings of the time line and its phases are on one clock, which starts with the cell.
TEST_F(EndpointCell, PhasesFollowEachOtherOnTheTimeLine) {
  time_.pass(100);
  static_cast<void>(recorder_.mark());
  const Record record = measure();
  ASSERT_EQ(record.outcome, Outcome::kMeasured) << record.reason;
  std::vector<std::string_view> words;
  std::int64_t end_ns = 0;
  for (const PhaseSpan& span : record.phases) {
    words.push_back(phase_word(span.phase));
    EXPECT_EQ(span.begin_ns, end_ns) << words.back() << " begins where the one before it ends";
    end_ns = span.end_ns;
  }
  EXPECT_THAT(words, ElementsAre("idle before", "first runs", "warm-up", "prefill", "warm-up",
                                 "decode", "idle after"));
  EXPECT_NEAR(static_cast<double>(end_ns) * 1e-9, static_cast<double>(time_.now_ns) * 1e-9 - 101,
              1e-6);
  // Two prompts, of the about 200 tokens that are 0.4 s.
  EXPECT_NEAR(static_cast<double>(record.phases[1].end_ns - record.phases[1].begin_ns) * 1e-9, 0.8,
              0.2);
}

TEST_F(EndpointCell, NoPromptIsLikeAnother) {
  measure();
  std::set<std::string> starts;
  for (const std::string& prompt : server_.prompts) starts.insert(prompt.substr(0, 8));
  EXPECT_EQ(starts.size(), server_.prompts.size());
}

TEST_F(EndpointCell, TheServersOwnTimesAreLabelled) {
  server_.own_times = true;
  server_.cached = true;
  const Record record = measure();
  EXPECT_NEAR(record.prefill_tokens_per_s->median, 1000, 1e-3);
  EXPECT_NEAR(record.ttft_ms->median, 400, 12);  // still what a client sees
  EXPECT_THAT(record.notes, Contains("prefill: by the server's own timings"));
  EXPECT_THAT(record.notes, Contains(HasSubstr("used its prompt cache")));
}

TEST_F(EndpointCell, PiecesThatAreNoTokens) {
  server_.tokens_per_piece = 4;
  Record record = measure();
  EXPECT_EQ(record.itl_p50_ms.error().reason, "the server sends several tokens in one piece");
  EXPECT_NEAR(record.decode_tokens_per_s->median, 20, 1e-3);
  server_.tokens_per_piece = 1;
  server_.usage = false;
  record = measure();
  EXPECT_THAT(record.notes, Contains(HasSubstr("pieces count as tokens")));
  EXPECT_THAT(record.notes, Contains(HasSubstr("tells no count")));
  EXPECT_NEAR(record.decode_tokens_per_s->median, 20, 1e-3);
}

TEST_F(EndpointCell, CountsThatCannotBeAreNotBelieved) {
  server_.told_tokens = 21'000;
  server_.told_prompt = 1'000'000;
  Record record = measure();
  ASSERT_EQ(record.outcome, Outcome::kMeasured) << record.reason;
  EXPECT_NEAR(record.decode_tokens_per_s->median, 20, 1e-3);
  EXPECT_LT(record.prefill_tokens_per_s->median, 1000) << "of the tokens asked for";
  EXPECT_THAT(record.notes,
              Contains(HasSubstr("21000 tokens where 21 were asked for and 21 pieces")));
  EXPECT_THAT(record.notes, Contains(HasSubstr("cannot be, pieces count as tokens")));
  EXPECT_THAT(record.notes, Contains(HasSubstr("tells no count")));
  // No tokens is no count either.
  server_.told_tokens = 0;
  server_.told_prompt = 0;
  record = measure();
  ASSERT_EQ(record.outcome, Outcome::kMeasured) << record.reason;
  EXPECT_GT(record.prefill_tokens_per_s->median, 100);
  EXPECT_THAT(record.notes, Contains(HasSubstr("tells no count")));
  EXPECT_NEAR(record.decode_tokens_per_s->median, 20, 1e-3);
}

TEST_F(EndpointCell, AnswersInOneBurstHaveNoRate) {
  server_.pieces_per_read = 1000;
  Record record = measure();
  ASSERT_EQ(record.outcome, Outcome::kMeasured) << record.reason;
  EXPECT_TRUE(record.prefill_tokens_per_s);
  ASSERT_FALSE(record.decode_tokens_per_s);
  EXPECT_THAT(record.decode_tokens_per_s.error().reason,
              HasSubstr("21 pieces of an answer came in 1 burst"));
  EXPECT_FALSE(record.tpot_ms);
  EXPECT_FALSE(record.itl_p50_ms);
  EXPECT_FALSE(record.decode.gross);
  EXPECT_THAT(record.notes, Contains(HasSubstr("1 burst")));
  // Several tokens a step, and many steps: the rate shows from burst to burst.
  server_.pieces_per_read = 3;
  record = measure();
  ASSERT_TRUE(record.decode_tokens_per_s) << record.decode_tokens_per_s.error().reason;
  EXPECT_NEAR(record.decode_tokens_per_s->median, 20, 0.01);
  EXPECT_FALSE(record.itl_p50_ms);
  EXPECT_THAT(record.notes, Contains(HasSubstr("from burst to burst")));
}

TEST_F(EndpointCell, ShortAnswersAndNone) {
  server_.most_tokens = 7;
  EXPECT_THAT(measure().notes, Contains("decode: answers as short as 7 tokens of 21"));
  server_.most_tokens = 1;
  Record record = measure();
  EXPECT_EQ(record.outcome, Outcome::kFailed);
  EXPECT_THAT(record.reason, HasSubstr("1 tokens in 1 pieces came of 21"));
  EXPECT_TRUE(record.ttft_ms);  // what was measured stays
  server_.most_tokens = 0;
  EXPECT_THAT(measure().reason, HasSubstr("an answer without text"));
  server_.fails = true;
  EXPECT_EQ(measure().reason, "the server went away");
}

TEST_F(EndpointCell, AtDepthAndWithoutPrompt) {
  spec_.settings.prompt_tokens = 0;
  spec_.settings.context_tokens = 300;
  const Record record = measure();
  EXPECT_EQ(record.prefill_tokens_per_s.error().reason, "this cell has no prompt");
  EXPECT_NEAR(record.decode_tokens_per_s->median, 20, 1e-3);
  EXPECT_GT(std::count(server_.prompts.back().begin(), server_.prompts.back().end(), ' '), 150);
  EXPECT_THAT(record.decode.gross.error().reason, HasSubstr("at depth"));
}

TEST_F(EndpointCell, AServerElsewhereHasNoEnergyHere) {
  server_.url_of_it = "http://192.0.2.7:8080/v1";  // RFC 5737: nobody's
  const Record record = measure();
  EXPECT_EQ(record.prefill.gross.error().reason, "the server is not on this device");
  EXPECT_EQ(record.decode.net_joules.error().reason, "the server is not on this device");
  EXPECT_FALSE(record.memory.peak_rss);
  EXPECT_TRUE(record.decode_tokens_per_s);
}

TEST(ServerProcessOfAPort, IsThisOne) {
  const test::ScriptedApi api(
      [](const test::HttpRequest&, test::Exchange& exchange) { exchange.respond(404, "{}"); });
  const auto url = http::parse_url(api.url());
  ASSERT_TRUE(url);
  EXPECT_TRUE(is_this_device(url->host));
  const Known<ServerProcess> process =
      find_server(static_cast<std::uint16_t>(std::stoi(url->port)));
  ASSERT_TRUE(process) << process.error().reason;
  EXPECT_EQ(process->pid, ::getpid());
  EXPECT_EQ(process->name, "measure_test");
  EXPECT_GT(memory_of(*process).peak_rss.value(), 1U << 20);
}

TEST(ServerProcessOfAPort, LinesOfProcNetTcp) {
  constexpr std::string_view kText =
      "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout "
      "inode\n"
      "   0: 0100007F:2CAA 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000 0 91817 "
      "1\n"
      "   1: 0100007F:2CAA 0100007F:D2F0 01 00000000:00000000 00:00000000 00000000  1000 0 99999 "
      "1\n"
      "   2: 0100007F:2CAB 00000000:0000 0A garbage\n"
      "cut";
  EXPECT_EQ(listening_inodes(kText, 0x2CAA), std::vector<std::uint64_t>{91817});
  EXPECT_TRUE(listening_inodes(kText, 0x2CAB).empty());
  EXPECT_FALSE(find_server(1));
  EXPECT_FALSE(is_this_device("192.0.2.7"));
  EXPECT_TRUE(is_this_device("127.0.0.53"));
}

}  // namespace
}  // namespace edgelm::measure
