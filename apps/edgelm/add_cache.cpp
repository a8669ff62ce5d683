// edgelm cache: the packed weights that are kept on disk between starts (src/cache).

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "api/json.h"
#include "apps/edgelm/commands.h"
#include "apps/edgelm/output.h"
#include "base/counted.h"
#include "base/printable.h"
#include "cache/weight_cache.h"
#include "os/file.h"

namespace edgelm::apps {
namespace {

constexpr const char* kFooter =
    "The first start with a model file of which 64 MiB or more are quantized matrices packs them\n"
    "for this processor's kernels, and keeps what was packed here; later starts map it. Files are\n"
    "removed when the model changes, and the longest unused ones when the limit is reached.\n"
    "Environment:\n"
    "  EDGELM_CACHE_DIR    folder (default: $XDG_CACHE_HOME/edgelm or ~/.cache/edgelm)\n"
    "  EDGELM_CACHE_LIMIT  most space to take, such as 8G; 0: keep nothing (default: 16G, or a\n"
    "                      quarter of the free space if that is less)\n"
    "Examples:\n"
    "  edgelm cache list\n"
    "  edgelm cache verify\n"
    "  edgelm cache clear model.gguf\n"
    "  edgelm cache clear --all\n"
    "  du -sh \"$(edgelm cache path)\"\n";

struct CacheFlags {
  std::string output = "table";
  std::vector<std::string> wanted;
  bool all = false;
};

Result<cache::WeightCache> open_cache() {
  EDGELM_TRY_ASSIGN(cache::Options options, cache::Options::from_environment());
  if (options.folder.empty())
    return fail(ErrorCode::kNotFound,
                "there is no folder for a cache: EDGELM_CACHE_DIR, XDG_CACHE_HOME and HOME are "
                "not set");
  return cache::WeightCache(std::move(options));
}

double mebibytes(std::uint64_t bytes) { return static_cast<double>(bytes) / (1024.0 * 1024.0); }

std::tm broken_down(std::int64_t seconds, bool utc) {
  const auto time = static_cast<std::time_t>(seconds);
  std::tm parts{};
  if ((utc ? ::gmtime_r(&time, &parts) : ::localtime_r(&time, &parts)) == nullptr) return {};
  return parts;
}

std::string name_of(const cache::Entry& entry) {
  return entry.label.empty() ? "?" : printable(entry.label, std::string::npos);
}

// Why this file will not be used again, as far as can be told without reading it.
std::string state_of(const cache::Entry& entry) {
  if (!entry.problem.empty()) return printable(entry.problem, std::string::npos);
  if (!entry.label.empty() && !os::file_exists(entry.label)) return "the model is gone";
  return "";
}

std::uint64_t total_bytes(const std::vector<cache::Entry>& entries) {
  std::uint64_t total = 0;
  for (const cache::Entry& entry : entries) total += entry.file_bytes;
  return total;
}

std::string as_table(const cache::WeightCache& cache, const std::vector<cache::Entry>& entries) {
  std::size_t width = std::string_view("model").size();
  for (const cache::Entry& entry : entries) width = std::max(width, name_of(entry).size());
  std::string text;
  const auto out = std::back_inserter(text);
  if (!entries.empty())
    fmt::format_to(out, "{:<{}}  {:<16}  {:>8}  {:<16}  {:<16}\n", "model", width, "key", "MiB",
                   "built", "last used");
  for (const cache::Entry& entry : entries) {
    const std::string state = state_of(entry);
    const std::string built =
        entry.built_s == 0 ? "?" : fmt::format("{:%F %H:%M}", broken_down(entry.built_s, false));
    fmt::format_to(out, "{:<{}}  {:<16}  {:>8.1f}  {:<16}  {:%F %H:%M}{}{}\n", name_of(entry),
                   width, printable(entry.id), mebibytes(entry.file_bytes), built,
                   broken_down(entry.used_s, false), state.empty() ? "" : "  ", state);
  }
  fmt::format_to(out, "{}, {:.1f} of at most {:.0f} MiB in {}\n", counted(entries.size(), "file"),
                 mebibytes(total_bytes(entries)), mebibytes(cache.limit_bytes()),
                 printable(cache.options().folder, std::string::npos));
  return text;
}

api::Json as_json(const cache::WeightCache& cache, const std::vector<cache::Entry>& entries) {
  api::Json files = api::Json::array();
  for (const cache::Entry& entry : entries) {
    const std::string state = state_of(entry);
    files.push_back({{"model", entry.label},
                     {"key", entry.id},
                     {"bytes", entry.file_bytes},
                     {"built", fmt::format("{:%FT%TZ}", broken_down(entry.built_s, true))},
                     {"last_used", fmt::format("{:%FT%TZ}", broken_down(entry.used_s, true))},
                     {"made_by", entry.made_by},
                     {"problem", state.empty() ? api::Json() : api::Json(state)}});
  }
  return {{"folder", cache.options().folder},
          {"bytes", total_bytes(entries)},
          {"limit_bytes", cache.limit_bytes()},
          {"files", std::move(files)}};
}

Status list(const CacheFlags& flags) {
  EDGELM_TRY_ASSIGN(const cache::WeightCache cache, open_cache());
  const std::vector<cache::Entry> entries = cache.entries();
  return write_result(flags.output == "json" ? api::dump(as_json(cache, entries)) + "\n"
                                             : as_table(cache, entries));
}

Status verify() {
  EDGELM_TRY_ASSIGN(const cache::WeightCache cache, open_cache());
  const std::vector<cache::Entry> entries = cache.entries();
  std::size_t bad = 0;
  for (const cache::Entry& entry : entries) {
    const Status status = cache.verify(entry);
    if (!status) ++bad;
    EDGELM_TRY(write_result(fmt::format(
        "{:<3}  {}  {}\n", status ? "ok" : "BAD", printable(entry.id),
        status ? name_of(entry) : printable(status.error().message, std::string::npos))));
  }
  if (bad == 0) return {};
  return fail(ErrorCode::kFormat, "{} of {} cannot be used; `edgelm cache clear KEY` removes one",
              bad, counted(entries.size(), "file"));
}

bool is_meant(const cache::Entry& entry, const std::string& wanted) {
  if (entry.id == wanted) return true;
  std::error_code unknown;  // labels are canonical paths
  const std::filesystem::path path = std::filesystem::weakly_canonical(wanted, unknown);
  return !entry.label.empty() && (entry.label == wanted || (!unknown && entry.label == path));
}

Status clear(const CacheFlags& flags) {
  if (flags.all != flags.wanted.empty())
    return fail(ErrorCode::kUsage,
                "say what to remove: keys or model files as `edgelm cache list` shows them, or "
                "--all");
  EDGELM_TRY_ASSIGN(const cache::WeightCache cache, open_cache());
  std::vector<cache::Entry> chosen = cache.entries();
  if (!flags.all) {
    for (const std::string& wanted : flags.wanted)
      if (std::none_of(chosen.begin(), chosen.end(),
                       [&](const cache::Entry& entry) { return is_meant(entry, wanted); }))
        return fail(ErrorCode::kNotFound, "{}: the cache has no such key or model", wanted);
    std::erase_if(chosen, [&](const cache::Entry& entry) {
      return std::none_of(flags.wanted.begin(), flags.wanted.end(),
                          [&](const std::string& wanted) { return is_meant(entry, wanted); });
    });
  }
  for (const cache::Entry& entry : chosen) EDGELM_TRY(cache.remove(entry));
  return write_result(fmt::format("removed {}, {:.1f} MiB\n", counted(chosen.size(), "file"),
                                  mebibytes(total_bytes(chosen))));
}

Status print_path() {
  EDGELM_TRY_ASSIGN(const cache::WeightCache cache, open_cache());
  return write_result(cache.options().folder + "\n");
}

}  // namespace

void add_cache(CLI::App& app, Outcome& outcome) {
  CLI::App* group = app.add_subcommand(
      "cache", "Show, check and remove the packed weights that are kept between starts");
  group->require_subcommand(1);
  group->footer(kFooter);
  auto flags = std::make_shared<CacheFlags>();

  CLI::App* command = group->add_subcommand("list", "What is kept, the last used first");
  command->add_option("-o,--output", flags->output, "Form of the result")
      ->check(CLI::IsMember({"table", "json"}))
      ->capture_default_str();
  command->callback([flags, &outcome] { outcome.status = list(*flags); });

  command = group->add_subcommand(
      "verify", "Read every file whole and compare it with its hash; exit code 1 if one is bad");
  command->callback([&outcome] { outcome.status = verify(); });

  command = group->add_subcommand("clear", "Remove files; the next start packs anew");
  command->add_option("KEY", flags->wanted, "Keys or model files, as `list` shows them");
  command->add_flag("--all", flags->all, "Everything");
  command->callback([flags, &outcome] { outcome.status = clear(*flags); });

  command = group->add_subcommand("path", "Print the folder");
  command->callback([&outcome] { outcome.status = print_path(); });
}

}  // namespace edgelm::apps
