// Requests, timed.

#include "measure/endpoint_cell.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "base/counted.h"
#include "base/random.h"
#include "measure/cell_record.h"
#include "measure/latencies.h"
#include "measure/prompt_text.h"
#include "measure/server_process.h"
#include "os/clock.h"

namespace edgelm::measure {
namespace {

constexpr std::uint32_t kShortPrompt = 16;
// What a server may put around a prompt of its own accord.
constexpr std::size_t kTemplateTokens = 256;
// Pieces that come closer together were read together: the gap is this program's own.
constexpr std::int64_t kOneReadNs = 100'000;
// So many reads at least for a rate from pieces that come in bursts.
constexpr std::size_t kLeastReads = 5;

// A recorder's figures where the energy is not this device's.
constexpr const char* kElsewhere = "the server is not on this device";

class EndpointRun {
 public:
  EndpointRun(const CellSpec& spec, endpoint::Endpoint& server, const Surroundings& around,
              Record& record)
      : spec_(spec), server_(server), around_(around), record_(record) {}

  Status measure() {
    watched_.cell_begin_ns = around_.recorder.mark();
    const auto url = http::parse_url(server_.url());
    local_ = url && is_this_device(url->host);
    const auto running = not_available("the server was running already");
    record_.cold_load_ms = running;
    record_.warm_load_ms = running;
    record_.load.gross = running;
    watched_.idle_before = idle(CellPhase::kIdleBefore);
    watched_.begin_ns = around_.recorder.mark();
    EDGELM_TRY(prefill_phase());
    EDGELM_TRY(decode_phase());
    watched_.end_ns = around_.recorder.mark();
    watched_.idle_after = idle(CellPhase::kIdleAfter);
    finish_energy(around_.recorder, watched_, record_);
    if (!local_) forget_energy();
    if (url) read_memory(*url);
    remark_on_prompts();
    return {};
  }

 private:
  Known<device::Idle> idle(CellPhase which) {
    if (!local_) return not_available(kElsewhere);
    const std::int64_t begin = around_.recorder.mark();
    auto idle = measure_idle(spec_.pace, around_.recorder, around_.clock);
    watched_.took(which, begin, around_.recorder.mark());
    return idle;
  }

  // About n_tokens long, and unlike every other prompt from its first word on: a server that keeps
  // what it has read finds nothing to use.
  std::string next_prompt(std::uint32_t n_tokens) {
    const auto n_words = static_cast<std::uint32_t>(
        std::max(1.0, std::floor((n_tokens - prefix_tokens_) / tokens_per_word_)));
    ++n_requests_;
    return fmt::format("{:08x}. {}", mix64(started_ns_ + n_requests_) >> 32,
                       words(n_words, n_requests_));
  }

  // A count that cannot be is none: a token has a byte at least, and of 0 tokens nothing is asked.
  void check_counts(const std::string& prompt, std::uint32_t asked, endpoint::Answer& answer) {
    const std::size_t most = prompt.size() + kTemplateTokens;
    if (answer.prompt_tokens && *answer.prompt_tokens > most)
      wrong_counts_ =
          fmt::format("{} tokens in a prompt of {} bytes", *answer.prompt_tokens, prompt.size());
    if (answer.prompt_tokens && (*answer.prompt_tokens == 0 || *answer.prompt_tokens > most))
      answer.prompt_tokens = not_available("the server's count of the prompt cannot be");
    const std::size_t pieces = answer.piece_ns.size();
    if (!answer.completion_tokens) return;
    const std::uint32_t told = *answer.completion_tokens;
    // A server that does not stop at the limit may well have sent as many as it says.
    const bool too_many = told > asked && told > pieces + 1;
    if (too_many)
      wrong_counts_ =
          fmt::format("{} tokens where {} were asked for and {} pieces came", told, asked, pieces);
    if (too_many || told == 0)
      answer.completion_tokens = not_available("the server's count of the answer cannot be");
  }

  // The server's count tells how many tokens a word has: the next prompts come nearer.
  void learn(const std::string& prompt, const endpoint::Answer& answer, std::uint32_t wanted) {
    if (!answer.prompt_tokens) return;
    const std::uint32_t got = *answer.prompt_tokens;
    const auto n_words = static_cast<double>(std::count(prompt.begin(), prompt.end(), ' '));
    if (n_words >= 8 && got > prefix_tokens_)
      tokens_per_word_ = std::clamp((got - prefix_tokens_) / n_words, 0.3, 8.0);
    if (wanted != record_.settings.prompt_tokens) return;
    least_prompt_ = std::min(least_prompt_, got);
    most_prompt_ = std::max(most_prompt_, got);
    if (answer.cached_prompt_tokens && *answer.cached_prompt_tokens > got / 10) ++n_cached_;
  }

  Result<endpoint::Answer> ask(std::uint32_t prompt_tokens, std::uint32_t decode_tokens) {
    const std::string prompt = next_prompt(prompt_tokens);
    endpoint::Sampling sampling;
    sampling.max_tokens = decode_tokens;
    sampling.ignore_eos = true;
    EDGELM_TRY_ASSIGN(endpoint::Answer answer, server_.complete(prompt, sampling));
    if (answer.piece_ns.empty())
      return fail(ErrorCode::kUnsupported, "{}: an answer without text ({})", server_.url(),
                  answer.finish_reason);
    check_counts(prompt, decode_tokens, answer);
    learn(prompt, answer, prompt_tokens);
    return answer;
  }

  // One token is asked for: the first.
  Result<TimedRun> prefill_once() {
    const std::uint32_t wanted = record_.settings.prompt_tokens;
    EDGELM_TRY_ASSIGN(const endpoint::Answer answer, ask(wanted, 1));
    TimedRun run;
    run.tokens = answer.prompt_tokens ? *answer.prompt_tokens : wanted;
    run.ttft_ms = os::ns_to_ms(answer.piece_ns.front() - answer.start_ns);
    run.seconds = run.ttft_ms * 1e-3;
    if (answer.server_prefill_ms && *answer.server_prefill_ms > 0) {
      run.seconds = *answer.server_prefill_ms * 1e-3;
      server_times_ = true;
    }
    return run;
  }

  struct Reads {
    std::size_t n = 1;
    std::size_t in_first = 0;  // pieces
    bool bursts = false;       // most pieces came together with the one before
  };
  static Reads reads_of(const std::vector<std::int64_t>& piece_ns) {
    Reads reads;
    for (std::size_t i = 1; i < piece_ns.size(); ++i) {
      if (piece_ns[i] - piece_ns[i - 1] < kOneReadNs) continue;
      if (reads.n++ == 1) reads.in_first = i;
    }
    if (reads.n == 1) reads.in_first = piece_ns.size();
    reads.bursts = 2 * (piece_ns.size() - reads.n) > piece_ns.size() - 1;
    return reads;
  }

  Result<TimedRun> decode_once() {
    const Settings& settings = record_.settings;
    EDGELM_TRY_ASSIGN(const endpoint::Answer answer,
                      ask(std::max(settings.context_tokens, kShortPrompt), settings.decode_tokens));
    const std::size_t pieces = answer.piece_ns.size();
    const std::size_t tokens = answer.completion_tokens ? *answer.completion_tokens : pieces;
    if (pieces < 2 || tokens < 2)
      return fail(ErrorCode::kUnsupported,
                  "{}: {} tokens in {} pieces came of {} asked for: no rate can be told from them",
                  server_.url(), tokens, pieces, settings.decode_tokens);
    if (!answer.completion_tokens) counted_ = false;
    if (pieces + 1 < tokens || pieces > tokens + 1) pieces_are_tokens_ = false;
    least_answer_ = std::min(least_answer_, tokens);
    TimedRun run;
    run.tokens = static_cast<double>(tokens - 1);
    std::int64_t begin_ns = answer.piece_ns.front();
    const Reads reads = reads_of(answer.piece_ns);
    if (reads.bursts) {
      if (reads.n < kLeastReads) {
        no_rate_ = fmt::format(
            "the {} pieces of an answer came in {}: how fast they were decoded does not show",
            pieces, counted(reads.n, "burst"));
        return fail(ErrorCode::kUnsupported, "{}: {}", server_.url(), no_rate_);
      }
      // From burst to burst: those of the first were decoded before the time began.
      in_bursts_ = true;
      pieces_are_tokens_ = false;
      run.tokens = static_cast<double>(tokens) * static_cast<double>(pieces - reads.in_first) /
                   static_cast<double>(pieces);
      begin_ns = answer.piece_ns[reads.in_first - 1];
    }
    run.seconds = os::ns_to_s(answer.piece_ns.back() - begin_ns);
    run.latencies_ms.reserve(pieces - 1);
    for (std::size_t i = 1; i < pieces; ++i)
      run.latencies_ms.push_back(os::ns_to_ms(answer.piece_ns[i] - answer.piece_ns[i - 1]));
    return run;
  }

  Status prefill_phase() {
    if (record_.settings.prompt_tokens == 0) {
      const auto none = not_available("this cell has no prompt");
      record_.prefill_tokens_per_s = record_.ttft_ms = none;
      record_.prefill.gross = none;
      return {};
    }
    PhaseTask task{.name = "prefill", .run = [this] { return prefill_once(); }};
    task.progress = around_.progress;
    const std::int64_t begin = around_.recorder.mark();
    EDGELM_TRY(ask(record_.settings.prompt_tokens, 1));  // loads the model, tells its tokens
    EDGELM_TRY(ask(record_.settings.prompt_tokens, 1));
    least_prompt_ = std::numeric_limits<std::uint32_t>::max();
    most_prompt_ = 0;
    EDGELM_TRY_ASSIGN(const PhaseResult phase,
                      run_phase(task, spec_.pace, around_.recorder, around_.clock));
    watched_.took(CellPhase::kFirstRuns, begin, phase.warm_up_ns);
    take_phase(CellPhase::kPrefill, phase, watched_, record_);
    record_.prefill_tokens_per_s = phase.tokens_per_s;
    record_.ttft_ms = phase.series([](const TimedRun& run) { return run.ttft_ms; });
    const auto inside = not_available("not told apart by the server");
    record_.ttft_tokenize_ms = record_.ttft_prefill_ms = record_.ttft_sample_ms = inside;
    record_.notes.emplace_back(server_times_ ? "prefill: by the server's own timings"
                                             : "prefill: prompt tokens over TTFT");
    record_.prefill = phase.energy;
    return {};
  }

  Status decode_phase() {
    if (record_.settings.decode_tokens == 0) {
      const auto none = not_available("this cell decodes nothing");
      record_.decode_tokens_per_s = record_.tpot_ms = none;
      record_.itl_p50_ms = record_.itl_p90_ms = record_.itl_p99_ms = none;
      record_.decode.gross = none;
      return {};
    }
    PhaseTask task{.name = "decode", .run = [this] { return decode_once(); }};
    task.progress = around_.progress;
    const Result<PhaseResult> done = run_phase(task, spec_.pace, around_.recorder, around_.clock);
    if (!no_rate_.empty()) {  // what else was measured stands
      const auto none = not_available(no_rate_);
      record_.decode_tokens_per_s = record_.tpot_ms = none;
      record_.itl_p50_ms = record_.itl_p90_ms = record_.itl_p99_ms = none;
      record_.decode.gross = none;
      record_.notes.push_back("decode: " + no_rate_);
      return {};
    }
    if (!done) return fail(done.error());
    const PhaseResult& phase = *done;
    take_phase(CellPhase::kDecode, phase, watched_, record_);
    record_.decode_tokens_per_s = phase.tokens_per_s;
    record_.tpot_ms =
        phase.series([](const TimedRun& run) { return run.seconds * 1e3 / run.tokens; });
    if (pieces_are_tokens_) {
      fill_latencies(phase, record_);
    } else {
      const auto none = not_available("the server sends several tokens in one piece");
      record_.itl_p50_ms = record_.itl_p90_ms = record_.itl_p99_ms = none;
    }
    if (!counted_)
      record_.notes.emplace_back(
          wrong_counts_.empty() ? "decode: the server reports no usage, pieces count as tokens"
                                : "decode: the server's usage cannot be, pieces count as tokens");
    if (in_bursts_)
      record_.notes.emplace_back(
          "decode: the server sends its answers in bursts; the rate is that from burst to burst");
    if (least_answer_ < record_.settings.decode_tokens)
      record_.notes.push_back(fmt::format("decode: answers as short as {} of {}",
                                          counted(least_answer_, "token"),
                                          record_.settings.decode_tokens));
    record_.decode = phase.energy;
    if (record_.settings.context_tokens > kShortPrompt)
      record_.decode.gross = not_available(
          "at depth, the energy of the prompt cannot be told from that of the answer");
    return {};
  }

  void forget_energy() {
    for (EnergyOfPhase* phase : {&record_.prefill, &record_.decode}) {
      phase->gross = not_available(kElsewhere);
      phase->net_joules = not_available(kElsewhere);
    }
  }

  void read_memory(const http::Url& url) {
    if (!local_) return;
    std::uint16_t port = 0;
    std::from_chars(url.port.data(), url.port.data() + url.port.size(), port);
    const Known<ServerProcess> process = find_server(port);
    if (!process) {
      record_.memory.pss_file = record_.memory.pss_anonymous = record_.memory.peak_rss =
          not_available(process.error().reason);
      return;
    }
    record_.memory = memory_of(*process);
    record_.notes.push_back(
        fmt::format("memory: of the server's process {} ({}{})", process->pid, process->name,
                    process->all.size() > 1 ? fmt::format(" and {} more", process->all.size() - 1)
                                            : std::string()));
  }

  void remark_on_prompts() {
    if (!wrong_counts_.empty())
      record_.notes.push_back(
          fmt::format("the server's usage is not believed: it told of {}", wrong_counts_));
    if (record_.settings.prompt_tokens == 0) return;
    if (most_prompt_ == 0) {
      record_.notes.emplace_back(
          "prompts: of about the length asked for; the server tells no count");
    } else {
      record_.notes.push_back(fmt::format("prompts: {} to {} tokens by the server's count",
                                          least_prompt_, most_prompt_));
    }
    if (n_cached_ > 0)
      record_.notes.push_back(fmt::format("prefill: the server used its prompt cache in {}",
                                          counted(n_cached_, "request")));
  }

  const CellSpec& spec_;
  endpoint::Endpoint& server_;
  const Surroundings& around_;
  Record& record_;
  Watched watched_;
  bool local_ = false;
  std::uint64_t started_ns_ = static_cast<std::uint64_t>(os::now_ns());
  std::uint64_t n_requests_ = 0;
  double tokens_per_word_ = 1.2;
  double prefix_tokens_ = 5;
  std::uint32_t least_prompt_ = std::numeric_limits<std::uint32_t>::max();
  std::uint32_t most_prompt_ = 0;
  std::uint32_t n_cached_ = 0;
  std::size_t least_answer_ = std::numeric_limits<std::size_t>::max();
  std::string wrong_counts_;  // the last count that cannot be
  std::string no_rate_;       // why there is none of decode
  bool in_bursts_ = false;
  bool server_times_ = false;
  bool counted_ = true;
  bool pieces_are_tokens_ = true;
};

}  // namespace

std::string_view endpoint_definitions() {
  return "TTFT: from the request until the first piece of text, over HTTP · prefill: prompt tokens "
         "/ "
         "the server's own time, or / TTFT (a note says which) · decode: (tokens - 1) / time from "
         "the "
         "first piece to the last, sampling included; TPOT: its inverse; ITL: between pieces · "
         "energy: "
         "of whole requests, by the sensors of this device · intervals: 95 % bootstrap of the "
         "median";
}

Record measure_endpoint(const CellSpec& spec, endpoint::Endpoint& server,
                        const Surroundings& around) {
  Record record;
  record.settings = spec.settings;
  record.time = utc_now();
  run_guarded([&] { return EndpointRun(spec, server, around, record).measure(); }, record);
  return record;
}

}  // namespace edgelm::measure
