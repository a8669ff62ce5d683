// A cell's job as JSON.

#include "api/fields.h"
#include "apps/edgelm/bench_cell.h"

namespace edgelm::apps {
namespace {

using measure::Pace;
using measure::Settings;

api::Json to_json(const Settings& s) {
  return {{"model", s.model},
          {"model_hash", s.model_hash},
          {"type", s.type},
          {"engine", s.engine},
          {"isa", s.isa},
          {"threads", s.threads},
          {"prompt_tokens", s.prompt_tokens},
          {"decode_tokens", s.decode_tokens},
          {"context_tokens", s.context_tokens},
          {"batch_tokens", s.batch_tokens},
          {"n_sequences", s.n_sequences},
          {"kv_type", s.kv_type},
          {"power_mode", s.power_mode}};
}

void read(api::Fields& f, Settings& s) {
  f.need("model", s.model);
  f.need("model_hash", s.model_hash);
  f.need("type", s.type);
  f.need("engine", s.engine);
  f.need("isa", s.isa);
  f.need("threads", s.threads);
  f.need("prompt_tokens", s.prompt_tokens);
  f.need("decode_tokens", s.decode_tokens);
  f.need("context_tokens", s.context_tokens);
  f.need("batch_tokens", s.batch_tokens);
  f.need("n_sequences", s.n_sequences);
  f.need("kv_type", s.kv_type);
  f.need("power_mode", s.power_mode);
}

api::Json to_json(const Pace& p) {
  return {{"min_repetitions", p.min_repetitions},
          {"max_repetitions", p.max_repetitions},
          {"precision", p.precision},
          {"budget_s", p.budget_s},
          {"max_warmups", p.max_warmups},
          {"idle_s", p.idle_s},
          {"idle_settle_s", p.idle_settle_s},
          {"max_window_s", p.max_window_s}};
}

void read(api::Fields& f, Pace& p) {
  f.need("min_repetitions", p.min_repetitions);
  f.need("max_repetitions", p.max_repetitions);
  f.need("precision", p.precision);
  f.need("budget_s", p.budget_s);
  f.need("max_warmups", p.max_warmups);
  f.need("idle_s", p.idle_s);
  f.need("idle_settle_s", p.idle_settle_s);
  f.need("max_window_s", p.max_window_s);
}

}  // namespace

api::Json to_json(const CellJob& job) {
  return {{"settings", to_json(job.spec.settings)},
          {"pace", to_json(job.spec.pace)},
          {"cold_load", job.spec.cold_load},
          {"force", job.spec.force},
          {"model", job.model},
          {"handed_down", job.handed_down},
          {"isa", job.isa},
          {"repack", job.repack},
          {"cache", job.cache},
          {"probe", job.probe},
          {"power", job.power},
          {"endpoint", job.endpoint},
          {"api_key_env", job.api_key_env},
          {"endpoint_timeout_s", job.endpoint_timeout_s}};
}

Result<CellJob> job_from_text(std::string_view text) {
  EDGELM_TRY_ASSIGN(const api::Json json, api::parse(text, "bench-cell"));
  CellJob job;
  api::Fields f(json, "bench-cell");
  f.object("settings", [&](api::Fields& inner) { read(inner, job.spec.settings); });
  f.object("pace", [&](api::Fields& inner) { read(inner, job.spec.pace); });
  f.need("cold_load", job.spec.cold_load);
  f.need("force", job.spec.force);
  f.need("model", job.model);
  f.need("handed_down", job.handed_down);
  f.need("isa", job.isa);
  f.need("repack", job.repack);
  f.need("cache", job.cache);
  f.need("probe", job.probe);
  f.need("power", job.power);
  f.need("endpoint", job.endpoint);
  f.need("api_key_env", job.api_key_env);
  f.need("endpoint_timeout_s", job.endpoint_timeout_s);
  EDGELM_TRY(f.done());
  return job;
}

}  // namespace edgelm::apps
