#pragma once
// The scores of the two papers this program grew from: the throughput-energy trade-off S_t of arXiv
// 2503.09114, and utility, cost per response and their ratio (PCR) of arXiv 2505.16508; and whether
// a speed is good enough for somebody who waits and reads. Where the papers leave a definition
// open, the choice stands here as text, to be printed beside the figure.

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/known.h"

namespace edgelm::econ {

// S_t with both of its factors.
struct TradeOff {
  double joules_per_token = 0;
  double tokens_per_joule = 0;
  double tokens_per_s = 0;
  double s_t = 0;  // J s / token^2; lower is better
};
inline constexpr std::string_view kTradeOffDefinition =
    "S_t = E / t, read as (J/token) / (tokens/s): the energy-delay product of a token, lower is "
    "better";
Known<TradeOff> trade_off(double joules_per_token, double tokens_per_s);

// What a person finds: the wait for the first token, then reading along.
enum class Usability : std::uint8_t {
  kComfortable,  // starts in time, faster than people read
  kUsable,       // starts in time, keeps up with slow reading
  kSlowToStart,  // reads well, but the wait is longer than the limit
  kSlowToRead,   // starts in time, and then one waits for words
  kBatchOnly,    // neither
};
struct UsabilityLimits {
  // Two seconds and 10 tokens/s are MLPerf Inference's limits for llama3.1-8b in a server (TTFT
  // 2000 ms, TPOT 100 ms); 5 to 10 tokens/s is the common rule for reading speed.
  double ttft_s = 2;
  double reading_tokens_per_s = 5;
  double comfortable_tokens_per_s = 10;
};
std::string_view usability_name(Usability usability);  // "comfortable", "slow to start", ...
Usability usability(double ttft_s, double tokens_per_s, const UsabilityLimits& limits = {});

// Responsiveness R in (0, 1]: the paper takes it from TTFT and does not say how.
inline constexpr std::string_view kResponsivenessFormula =
    "R = 1 / (1 + TTFT / T_ref), T_ref = 1 s (this program's choice: the paper normalises TTFT "
    "without saying how)";
inline constexpr double kResponsivenessReferenceSeconds = 1;
double responsiveness(double ttft_s, double reference_s = kResponsivenessReferenceSeconds);

// U = alpha Q + (1 - alpha) R, and PCR = U / CPR with CPR in hundredths of the currency (cents), as
// in the paper's Table I.
struct Utility {
  double alpha = 0;
  double quality = 0;         // Q in [0, 1]
  double responsiveness = 0;  // R in (0, 1]
  double utility = 0;         // U
  double cents = 0;           // CPR
  Known<double> pcr = not_available("the cost per response is zero");
};
inline constexpr std::string_view kUtilityDefinition =
    "U = alpha Q + (1 - alpha) R; PCR = U / CPR, CPR in cents per response";
// n/a when an argument lies outside its range.
Known<Utility> utility(double alpha, double quality, double responsiveness,
                       double cost_per_response);
// The same for alpha = 0, 1/(n-1), ..., 1; n >= 2.
std::vector<Utility> sweep_alpha(double quality, double responsiveness, double cost_per_response,
                                 std::uint32_t n = 5);

}  // namespace edgelm::econ
