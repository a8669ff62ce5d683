// Keys of pairs. A cell's prompt, generated tokens, depth and sequences always count: nothing else
// would be the same work.

#include "report/compare_key.h"

#include <fmt/format.h>

#include <vector>

#include "report/compare.h"
#include "report/rows.h"

namespace edgelm::report {
namespace {

// "edgelm 0.2.0" and "edgelm 0.3.0" are one engine; endpoints are told apart by their address.
std::string engine_family(const std::string& engine) {
  return engine.starts_with("edgelm ") ? "edgelm" : engine;
}

std::string unless(const std::set<std::string>& across, const char* name, std::string value) {
  return across.contains(name) ? std::string() : std::move(value);
}

}  // namespace

const std::vector<std::string>& across_names() {
  static const std::vector<std::string> kNames = {"device", "model", "type",   "threads", "kv",
                                                  "mode",   "isa",   "engine", "batch"};
  return kNames;
}

std::string pairing_key(const measure::Record& r, const std::set<std::string>& across) {
  const measure::Settings& s = r.settings;
  return fmt::format(
      "{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}", unless(across, "device", r.passport.fingerprint),
      unless(across, "model", short_model(s.model)), unless(across, "type", s.type), test_name(s),
      unless(across, "threads", std::to_string(s.threads)), unless(across, "kv", s.kv_type),
      unless(across, "mode", s.power_mode), unless(across, "isa", s.isa),
      unless(across, "engine", engine_family(s.engine)),
      unless(across, "batch", std::to_string(s.batch_tokens)));
}

std::string pairing_key(const quality::Record& r, const std::set<std::string>& across) {
  return fmt::format("{}\n{}\n{}\n{}\n{}\n{}\n{}", unless(across, "model", short_model(r.model)),
                     unless(across, "type", r.type), r.task, r.data, r.metric, r.protocol,
                     unless(across, "engine", engine_family(r.engine)));
}

std::string pairing_label(const measure::Record& r) {
  const measure::Settings& s = r.settings;
  std::string label = short_model(s.model);
  const auto add = [&](const std::string& word) {
    if (!word.empty() && label.find(word) == std::string::npos) label += " " + word;
  };
  add(s.type);
  add(test_name(s));
  if (s.threads > 0) add(fmt::format("{} thr", s.threads));
  if (!s.kv_type.empty() && s.kv_type != "f16") add("kv " + s.kv_type);
  add(s.power_mode);
  return label;
}

}  // namespace edgelm::report
