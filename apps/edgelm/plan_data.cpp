// The plan for programs: CSV with a line per candidate and thread count, and JSON with everything.

#include <fmt/format.h>

#include "api/json.h"
#include "apps/edgelm/plan.h"

namespace edgelm::apps {
namespace {

using api::Json;
using predict::Candidate;
using predict::Interval;
using predict::Prediction;
using predict::Speed;

template <class T>
Json known(const Known<T>& value) {
  if (value) return *value;
  return Json{{"absent", value.error().reason}};
}

Json interval(const Interval& i) { return {{"value", i.value}, {"low", i.low}, {"high", i.high}}; }
Json interval(const Known<Interval>& i) {
  if (i) return interval(*i);
  return Json{{"absent", i.error().reason}};
}

Json speeds(const std::vector<Speed>& all) {
  Json list = Json::array();
  for (const Speed& s : all)
    list.push_back({{"threads", s.threads},
                    {"tokens_per_s", interval(s.tokens_per_s)},
                    {"bound_by", predict::term_name(s.term)},
                    {"watts", interval(s.watts)},
                    {"joules_per_token", interval(s.joules_per_token)}});
  return list;
}

// One thread count for prefill and decode.
Json by_threads(const Candidate& c) {
  Json list = Json::array();
  for (std::size_t i = 0; i < c.by_threads.size(); ++i) {
    const econ::Summary& e = c.by_threads[i];
    list.push_back({{"threads", c.prediction.decode[i].threads},
                    {"ttft_s", interval(c.prediction.ttft_by_threads[i])},
                    {"joules_per_response", known(e.joules_per_response)},
                    {"seconds_per_response", known(e.seconds_per_response)},
                    {"cost_per_response", known(e.cost_per_response)},
                    {"energy_per_million", known(e.energy_per_million)},
                    {"hardware_per_million", known(e.hardware_per_million)},
                    {"total_per_million", known(e.total_per_million)}});
  }
  return list;
}

Known<std::uint32_t> best_prefill_threads(const Prediction& p) {
  if (p.prefill.empty()) return not_available(p.ttft_s.error().reason);
  return p.prefill_best().threads;
}

Json economics(const econ::Summary& e) {
  Json json = {{"joules_per_response", known(e.joules_per_response)},
               {"seconds_per_response", known(e.seconds_per_response)},
               {"cost_per_response", known(e.cost_per_response)},
               {"energy_per_million", known(e.energy_per_million)},
               {"hardware_per_million", known(e.hardware_per_million)},
               {"total_per_million", known(e.total_per_million)},
               {"operational_grams", known(e.operational_grams)},
               {"embodied_grams", known(e.embodied_grams)},
               {"responsiveness", known(e.responsiveness)},
               {"responsiveness_formula", econ::kResponsivenessFormula}};
  if (e.usability) json["usability"] = econ::usability_name(*e.usability);
  if (e.trade_off)
    json["trade_off"] = {{"definition", econ::kTradeOffDefinition},
                         {"joules_per_token", e.trade_off->joules_per_token},
                         {"tokens_per_s", e.trade_off->tokens_per_s},
                         {"s_t", e.trade_off->s_t}};
  Json clouds = Json::array();
  for (const econ::CloudComparison& c : e.clouds) {
    Json one = {{"name", c.model.name},
                {"source", c.model.source},
                {"date", c.model.date},
                {"cost_per_response", c.cost_per_response}};
    if (c.break_even)
      one["break_even"] = {{"tokens", known(c.break_even->tokens)},
                           {"tokens_per_day", known(c.break_even->tokens_per_day)},
                           {"days_nonstop", known(c.break_even->days_nonstop)},
                           {"beyond_lifetime", c.break_even->beyond_lifetime}};
    clouds.push_back(std::move(one));
  }
  json["clouds"] = std::move(clouds);
  return json;
}

Json to_json(const Candidate& c) {
  const Prediction& p = c.prediction;
  const predict::MemoryPrediction& m = p.memory;
  return {{"model", p.model},
          {"type", p.type},
          {"engine", p.engine},
          {"version", p.version},
          {"power_mode", p.power_mode},
          {"origin", origin_name(Origin::kPredicted)},
          {"basis", p.basis},
          {"bytes_per_token", p.bytes_per_token},
          {"context_tokens", p.context_tokens},
          {"kv_type", p.kv_type},
          {"memory",
           {{"fit", predict::fit_name(m.fit)},
            {"weights_bytes", m.weights_bytes},
            {"kv_bytes", m.kv_bytes},
            {"compute_bytes", m.compute_bytes},
            {"runtime_bytes", m.runtime_bytes},
            {"total_bytes", m.total_bytes()},
            {"touched_bytes", m.touched_bytes},
            {"usable_bytes", known(m.usable_bytes)},
            {"margin", known(m.margin)},
            {"largest_context", known(m.largest_context)}}},
          {"prefill", speeds(p.prefill)},
          {"decode", speeds(p.decode)},
          // What follows is of these counts; by_threads has each.
          {"prefill_threads", known(best_prefill_threads(p))},
          {"decode_threads", p.decode_best().threads},
          {"ttft_s", interval(p.ttft_s)},
          {"load_cold_s", interval(p.load_cold_s)},
          {"load_warm_s", interval(p.load_warm_s)},
          {"watts_scope", device::scope_name(p.watts_scope)},
          {"economics", economics(c.economics)},
          {"by_threads", by_threads(c)},
          {"quality", known(c.quality)},
          {"quality_source", c.quality_source},
          {"notes", p.notes}};
}

std::string field(const std::string& text) {
  if (text.find_first_of(",\"\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"') quoted += '"';
    quoted += c == '\n' ? ' ' : c;
  }
  quoted += '"';
  return quoted;
}

std::string number(const Known<Interval>& i) { return i ? fmt::format("{:.6g}", i->value) : ""; }
std::string number(const Known<double>& v) { return v ? fmt::format("{:.6g}", *v) : ""; }
template <class T>
std::string whole(const Known<T>& v) {
  return v ? fmt::format("{}", *v) : "";
}

}  // namespace

std::string plan_csv(const Plan& plan) {
  std::string csv =
      "origin,device,engine,version,power_mode,model,type,threads,fit,weights_bytes,kv_bytes,"
      "compute_bytes,runtime_bytes,usable_bytes,context_tokens,kv_type,largest_context,"
      "prefill_tokens_per_s,prefill_bound_by,decode_tokens_per_s,decode_low,decode_high,"
      "decode_bound_by,joules_per_token,watts_scope,ttft_s,load_cold_s,energy_per_million,"
      "total_per_million,currency\n";
  for (const Candidate& c : plan.candidates) {
    const Prediction& p = c.prediction;
    for (std::size_t i = 0; i < p.decode.size(); ++i) {
      const Speed& d = p.decode[i];
      const bool prefill = i < p.prefill.size();
      csv += fmt::format(
          "predicted,{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{:.6g},{:.6g},{:.6g},{},"
          "{},{},{},{},{},{},{}\n",
          field(plan.device), p.engine, field(p.version), p.power_mode, field(p.model), p.type,
          d.threads, predict::fit_name(p.memory.fit), p.memory.weights_bytes, p.memory.kv_bytes,
          p.memory.compute_bytes, p.memory.runtime_bytes, whole(p.memory.usable_bytes),
          p.context_tokens, p.kv_type, whole(p.memory.largest_context),
          prefill ? fmt::format("{:.6g}", p.prefill[i].tokens_per_s.value) : "",
          prefill ? predict::term_name(p.prefill[i].term) : "", d.tokens_per_s.value,
          d.tokens_per_s.low, d.tokens_per_s.high, predict::term_name(d.term),
          number(d.joules_per_token), device::scope_name(p.watts_scope),
          number(p.ttft_by_threads[i]), number(p.load_cold_s),
          number(c.by_threads[i].energy_per_million), number(c.by_threads[i].total_per_million),
          plan.prices->currency);
    }
  }
  return csv;
}

std::string plan_json(const Plan& plan) {
  Json candidates = Json::array();
  for (const Candidate& c : plan.candidates) candidates.push_back(to_json(c));
  Json failures = Json::array();
  for (const PlanFailure& f : plan.failures)
    failures.push_back({{"model", f.model}, {"message", f.message}});
  Json json = {{"device", plan.device},
               {"depth_tokens", plan.depth_tokens},
               {"prompt_tokens", plan.prompt_tokens},
               {"decode_tokens", plan.decode_tokens},
               {"prices", {{"origin", plan.prices->origin}, {"currency", plan.prices->currency}}},
               {"candidates", std::move(candidates)},
               {"failures", std::move(failures)}};
  if (plan.goal) {
    const predict::Recommendation& r = plan.recommendation;
    Json removed = Json::array();
    for (const predict::Removed& one : r.removed)
      removed.push_back({{"candidate", one.candidate}, {"reason", one.reason}});
    Json outranked = Json::array();
    for (const predict::Removed& one : r.outranked)
      outranked.push_back({{"candidate", one.candidate}, {"figures", one.reason}});
    json["recommendation"] = {{"goal", predict::goal_name(*plan.goal)},
                              {"candidate", known(r.choice)},
                              {"threads", r.threads},
                              {"why", r.why},
                              {"removed", std::move(removed)},
                              {"outranked", std::move(outranked)}};
  }
  return api::dump(json) + "\n";
}

}  // namespace edgelm::apps
