// What the words of a report mean. Tools disagree on most of them (TPOT with or without the first
// token, sample or population deviation), so a report says which it uses.

#include <fmt/format.h>

#include "report/figures.h"
#include "report/sections.h"

namespace edgelm::report {

std::vector<Definition> definitions(const std::vector<Row>& rows, const Options& options) {
  std::vector<Definition> list = {
      {"cold load",
       "from opening the file until one token has passed through the model, page cache dropped "
       "before"},
      {"warm load", "the same with the file in the page cache"},
      {"prefill", "prompt tokens / time until the logits of the last of them"},
      {"TTFT",
       "time to first token: tokenize, prefill, sample, detokenize; the model is loaded, no "
       "network. Of an endpoint: from the request to the first non-empty piece of text"},
      {"ITL",
       "time between two tokens, over all tokens of all repetitions: p50; p90 from 100 tokens on, "
       "p99 from 1000"},
      {"decode",
       "generated tokens of all sequences / time; sampling and text are not included, as in "
       "llama-bench. Of an endpoint all is included"},
      {"TPOT",
       "time per decoded token of a repetition. The prompt's last token is there before, so all n "
       "steps count. Of an endpoint: (last - first) / (n - 1), as vLLM has it"},
      {"@dN", "N positions were in the cache before the prompt (depth)"},
      {"interval", "95 % percentile bootstrap of the median, 2000 resamples, fixed seed"},
      {"MAD", "median absolute deviation, not scaled"},
      {"outlier", "beyond 5 MAD of the median: flagged, never removed"},
      {"drifting",
       "the Theil-Sen slope's 95 % interval excludes 0 and the speed moved by 2 % or more"},
      {"bandwidth used",
       "bytes of weights that decode reads per second / what a read probe reached with the same "
       "threads"},
      {"energy scope",
       "what the joules are of: wall, board, module, package, gpu, dram, rail, battery, or "
       "modelled "
       "by a published fit. Never compared across scopes"},
      {"gross, net",
       "all that the scope drew; without the mean of idle before and after, model loaded"},
      {"S_t",
       std::string(econ::kTradeOffDefinition) +
           ". J/token is of the energy window behind the repetitions, tokens/s the median of "
           "the repetitions: where other programs run, the two saw a different load"},
      {"use",
       fmt::format("comfortable: first token within {} s and {} tokens/s or more; usable: {} "
                   "tokens/s or more; slow to start, slow to read; batch only: neither",
                   plain(options.limits.ttft_s), plain(options.limits.comfortable_tokens_per_s),
                   plain(options.limits.reading_tokens_per_s))},
      {"CPR",
       "cost per response: joules of the cell's prompt and answer x price of electricity; of a "
       "cloud: its price for the same tokens"},
      {"hardware", "device price / (lifetime x utilisation x decode speed)"},
      {"U, PCR", std::string(econ::kUtilityDefinition)},
      {"R", std::string(econ::kResponsivenessFormula)},
      {"KV cache", "keys and values of past positions"},
      {"Pss", "proportional set size: pages that several processes share count by their share"}};
  for (const Row& row : rows) {
    if (row.record->sensor.id.empty()) continue;
    const device::SensorInfo& s = row.record->sensor;
    Definition sensor{
        "sensor " + s.id,
        fmt::format("{}; scope {}; {}; one reading per {} s, windows of at least {} s; "
                    "uncertainty {} % (1 sigma)",
                    s.name, device::scope_name(s.scope),
                    s.counter ? "a counter of joules" : "watts, integrated by trapezoid",
                    plain(s.period_s), plain(s.min_window_s), plain(s.relative_uncertainty * 100))};
    bool known = false;
    for (const Definition& one : list) known = known || one.term == sensor.term;
    if (!known) list.push_back(std::move(sensor));
  }
  return list;
}

}  // namespace edgelm::report
