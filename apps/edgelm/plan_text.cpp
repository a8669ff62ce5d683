// The plan for people: a table with a row per candidate, then each candidate's memory and threads.

#include <fmt/format.h>

#include <cmath>

#include "apps/edgelm/plan.h"
#include "base/counted.h"
#include "base/printable.h"

namespace edgelm::apps {
namespace {

using predict::Candidate;
using predict::Interval;
using predict::Prediction;
using predict::Speed;

std::string gb(std::uint64_t bytes) {
  return fmt::format("{:.2f} GB", static_cast<double>(bytes) / 1e9);
}

std::string range(const Interval& i) {
  return fmt::format("{:.3g} ({:.3g}-{:.3g})", i.value, i.low, i.high);
}

std::string threads_of(const Speed& speed) {
  return speed.threads == 0 ? "GPU" : fmt::format("{} thr", speed.threads);
}

template <class T>
std::string or_na(const Known<T>& value, const std::string& text) {
  return value ? text : "n/a";
}

std::string name_of(const Prediction& p) {
  std::string name = printable(p.model, 120);
  if (!p.power_mode.empty()) name += " @ " + p.power_mode;
  return name;
}

std::string row(const Candidate& c) {
  const Prediction& p = c.prediction;
  const Speed& decode = p.decode_best();
  const std::string prefill = p.prefill.empty()
                                  ? "n/a"
                                  : fmt::format("{} {}", range(p.prefill_best().tokens_per_s),
                                                threads_of(p.prefill_best()));
  return fmt::format(
      "| {} | {} | {} | {} | {} | {} {} | {} | {} | {} | {} |\n", name_of(p),
      predict::fit_name(p.memory.fit),
      or_na(p.memory.largest_context, fmt::format("{}", p.memory.largest_context.value_or(0))),
      prefill, or_na(p.ttft_s, p.ttft_s ? range(*p.ttft_s) : ""), range(decode.tokens_per_s),
      threads_of(decode), predict::term_name(decode.term),
      or_na(decode.joules_per_token,
            decode.joules_per_token ? range(*decode.joules_per_token) : ""),
      or_na(c.economics.total_per_million,
            fmt::format("{:.3g}", c.economics.total_per_million.value_or(0))),
      c.economics.usability ? econ::usability_name(*c.economics.usability) : "n/a");
}

void add_reason(std::string_view what, const std::string& reason, std::string& text) {
  text += fmt::format("  {}: n/a, {}\n", what, reason);
}

std::string paid_after(const econ::CloudComparison& cloud) {
  if (!cloud.break_even || !cloud.break_even->tokens) return "";
  const econ::BreakEven& even = *cloud.break_even;
  const std::string tokens = fmt::format("{:.3g} million tokens", *even.tokens / 1e6);
  if (!even.days_nonstop) return ", the device is paid after " + tokens;
  const std::string days = fmt::format("{:.3g} days without a pause", *even.days_nonstop);
  if (even.beyond_lifetime)
    return fmt::format(", which never pays the device: {} are {}", tokens, days);
  return fmt::format(", the device is paid after {}, {}", tokens, days);
}

void add_details(const Candidate& c, const Plan& plan, std::string& text) {
  const Prediction& p = c.prediction;
  text += fmt::format("\n{}: type {}, {:.1f} MB read per token\n", name_of(p), p.type,
                      p.bytes_per_token / 1e6);
  text += fmt::format("  memory: weights {} + KV {} ({}, {}) + compute {}",
                      gb(p.memory.weights_bytes), gb(p.memory.kv_bytes),
                      counted(p.context_tokens, "token"), p.kv_type, gb(p.memory.compute_bytes));
  text += p.memory.runtime_bytes > 0 ? " + runtime " + gb(p.memory.runtime_bytes)
                                     : " (the program itself: not known)";
  text += " = " + gb(p.memory.total_bytes());
  if (p.memory.usable_bytes)
    text += fmt::format("; {} touched again and again of {} usable, margin {:.0f} %",
                        gb(p.memory.touched_bytes), gb(*p.memory.usable_bytes),
                        p.memory.margin.value_or(0) * 100);
  else
    text += "; " + p.memory.usable_bytes.error().reason;
  text += '\n';
  if (!p.memory.largest_context)
    add_reason("largest context", p.memory.largest_context.error().reason, text);
  if (p.decode.size() > 1) {
    text += "  threads:";
    for (std::size_t i = 0; i < p.decode.size(); ++i) {
      const Speed& d = p.decode[i];
      text += fmt::format(" {}: decode {:.3g}", d.threads, d.tokens_per_s.value);
      if (i < p.prefill.size())
        text += fmt::format(", prefill {:.3g}", p.prefill[i].tokens_per_s.value);
      if (d.joules_per_token) text += fmt::format(", {:.3g} J", d.joules_per_token->value);
      text += fmt::format(" ({});", predict::term_name(d.term));
    }
    text += '\n';
  }
  if (p.load_cold_s) text += fmt::format("  load, cold: {} s\n", range(*p.load_cold_s));
  if (!p.load_cold_s) add_reason("load, cold", p.load_cold_s.error().reason, text);
  if (p.load_warm_s) text += fmt::format("  load, warm: {} s\n", range(*p.load_warm_s));
  if (!p.ttft_s) add_reason("TTFT", p.ttft_s.error().reason, text);
  const Speed& decode = p.decode_best();
  if (decode.joules_per_token)
    text += fmt::format("  energy is of the {}{}\n", device::scope_name(p.watts_scope),
                        p.watts_scope == device::Scope::kRail
                            ? "s: the wall takes more (about twice on a Raspberry Pi)"
                            : "");
  else
    add_reason("J/token", decode.joules_per_token.error().reason, text);
  const econ::Summary& e = c.economics;
  if (e.trade_off)
    text += fmt::format("  S_t {:.3g} J s/token^2 = {:.3g} J/token / {:.3g} tokens/s\n",
                        e.trade_off->s_t, e.trade_off->joules_per_token, e.trade_off->tokens_per_s);
  if (e.cost_per_response)
    text +=
        fmt::format("  an answer of {:.0f} + {:.0f} tokens: {:.4f} cent of {}", plan.prompt_tokens,
                    plan.decode_tokens, *e.cost_per_response * 100, plan.prices->currency);
  if (e.cost_per_response && !e.clouds.empty()) {
    const econ::CloudComparison& cloud = e.clouds.front();
    text += fmt::format("; {} {:.2f} cent", cloud.model.name, cloud.cost_per_response * 100);
    text += paid_after(cloud);
  }
  if (e.cost_per_response) text += '\n';
  for (const std::string& note : p.notes) text += fmt::format("  note: {}\n", note);
}

void add_recommendation(const Plan& plan, std::string& text) {
  const predict::Recommendation& r = plan.recommendation;
  text += fmt::format("\nFor {}: ", predict::goal_name(*plan.goal));
  if (r.choice) {
    const Candidate& c = plan.candidates[*r.choice];
    text += fmt::format("{}, {} ({}).\n", name_of(c.prediction),
                        r.threads == 0 ? "on the GPU" : counted(r.threads, "thread"), r.why);
    if (*plan.goal == predict::Goal::kQuality)
      text += fmt::format("  quality: {}\n", c.quality_source);
  } else {
    text += r.choice.error().reason + ".\n";
  }
  for (const predict::Removed& removed : r.removed)
    text += fmt::format("  removed  {}: {}\n",
                        name_of(plan.candidates[removed.candidate].prediction), removed.reason);
  for (const predict::Removed& lost : r.outranked)
    text += fmt::format("  less     {}: {}\n", name_of(plan.candidates[lost.candidate].prediction),
                        lost.reason);
}

}  // namespace

std::string plan_text(const Plan& plan) {
  std::string text;
  if (!plan.candidates.empty()) {
    const Prediction& p = plan.candidates.front().prediction;
    text += fmt::format(
        "{} · {}{} · predicted, {}{:.0f} + {:.0f} tokens\n{}\n\n"
        "| model | memory | max context | prefill tok/s | TTFT s | decode tok/s | bound by | "
        "J/token | {}/M tokens | use |\n|---|---|---:|---:|---:|---:|---|---:|---:|---|\n",
        plan.device, p.engine, p.version.empty() ? "" : " " + p.version,
        plan.depth_tokens > 0 ? fmt::format("after {:.0f} others ", plan.depth_tokens) : "",
        plan.prompt_tokens, plan.decode_tokens, p.basis, plan.prices->currency);
    for (const Candidate& c : plan.candidates) text += row(c);
    for (const Candidate& c : plan.candidates) add_details(c, plan, text);
  }
  if (plan.goal) add_recommendation(plan, text);
  if (!plan.candidates.empty())
    text += fmt::format(
        "\nElectricity {:.3g} {}/kWh ({}, {}); hardware over {:.3g} years at {:.0f} % use, prices "
        "{}.\n",
        plan.prices->price_per_kwh, plan.prices->currency, plan.prices->electricity_source,
        plan.prices->electricity_date, plan.prices->lifetime_years, plan.prices->utilisation * 100,
        plan.prices->origin);
  return text;
}

}  // namespace edgelm::apps
