// edgelm compare: two runs, stores or files of records side by side (src/report/compare.h).

#include <fmt/format.h>

#include <memory>
#include <string>
#include <vector>

#include "api/json.h"
#include "apps/edgelm/commands.h"
#include "apps/edgelm/numbers.h"
#include "apps/edgelm/output.h"
#include "base/counted.h"
#include "formats/printable.h"
#include "report/compare.h"
#include "report/text.h"

namespace edgelm::apps {
namespace {

constexpr const char* kFooter =
    "A and B are runs of the store (id, its beginning, or the --label given to bench), stores, or\n"
    "JSON lines that `edgelm report -o jsonl` wrote. Cells are paired by device and settings; the\n"
    "version of edgelm may differ. Better or worse: the 95 % interval of the ratio excludes 1, "
    "the\n"
    "probability (Mann-Whitney, or the sign test over pairs of alternating runs; Holm's "
    "adjustment\n"
    "over all) is below 5 %, and the change is beyond the threshold. No change: the whole "
    "interval\n"
    "is within the threshold. Undecided: neither; measure more.\n"
    "Exit code 1 when something is worse, or was measured in A and fails in B, and when a record\n"
    "of either cannot be read: what it would have said is not known.\n"
    "Examples:\n"
    "  edgelm bench --label before; ... ; edgelm bench --label after\n"
    "  edgelm compare before after\n"
    "  edgelm compare main.jsonl branch.jsonl --threshold 5 -o md\n"
    "  edgelm compare pi5.jsonl orin.jsonl --across device,isa\n";

struct CompareFlags {
  std::string before;
  std::string after;
  std::string store;
  std::string output = "text";
  double threshold_percent = 3;
  std::vector<std::string> across;
};

std::string text(const report::Comparison& comparison, bool markdown) {
  const report::Table table = report::comparison_table(comparison);
  std::string out;
  if (!table.rows.empty())
    out += markdown ? report::markdown_table(table) : report::terminal_table(table, 200);
  const auto list = [&](const char* title, const std::vector<std::string>& lines) {
    if (lines.empty()) return;
    out += fmt::format("\n{}:\n", title);
    for (const std::string& line : lines) out += "- " + formats::printable(line, 400) + "\n";
  };
  list("Not paired", comparison.unpaired);
  list("Left out, not readable", comparison.left_out);
  list("Notes", comparison.notes);
  return out;
}

Status run(const CompareFlags& flags) {
  EDGELM_TRY_ASSIGN(const report::Loaded before, report::load(flags.before, flags.store));
  EDGELM_TRY_ASSIGN(const report::Loaded after, report::load(flags.after, flags.store));
  report::CompareOptions options;
  options.threshold = flags.threshold_percent / 100;
  options.across.insert(flags.across.begin(), flags.across.end());
  for (const report::Loaded* side : {&before, &after})
    for (const std::string& message : side->records.unreadable)
      note("edgelm: left out: {}\n", formats::printable(message, 400));
  EDGELM_TRY_ASSIGN(const report::Comparison comparison, report::compare(before, after, options));
  EDGELM_TRY(write_result(flags.output == "json" ? api::dump(report::to_json(comparison)) + "\n"
                                                 : text(comparison, flags.output == "md")));
  std::size_t worse = 0;
  for (const report::Difference& d : comparison.differences)
    worse += d.tested && d.verdict == stats::Verdict::kWorse ? 1 : 0;
  if (comparison.regression && worse == 0)
    return fail(ErrorCode::kLimit, "regression: a cell that was measured before fails now");
  if (comparison.regression)
    return fail(ErrorCode::kLimit, "regression: {} of {} worse by more than {} %", worse,
                counted(comparison.differences.size(), "quantity", "quantities"),
                flags.threshold_percent);
  if (!comparison.left_out.empty())
    return fail(ErrorCode::kFormat,
                "incomplete: nothing that could be read is worse, but {} of {} and {} of {} were "
                "left out as unreadable, and one of them may hold a regression; measure these "
                "cells again, or `edgelm report --salvage` a damaged store",
                counted(before.records.unreadable.size(), "record"), before.name,
                counted(after.records.unreadable.size(), "record"), after.name);
  return {};
}

}  // namespace

void add_compare(CLI::App& app, Outcome& outcome) {
  auto flags = std::make_shared<CompareFlags>();
  CLI::App* command =
      app.add_subcommand("compare", "Two runs side by side; exit code 1 on a regression");
  command->footer(kFooter);
  command->add_option("A", flags->before, "Run, label, store or records: before")->required();
  command->add_option("B", flags->after, "The same: after")->required();
  command->add_option("--store", flags->store, "Store that runs and labels are looked up in")
      ->type_name("FILE");
  command->add_option("--threshold", flags->threshold_percent, "Smaller changes are none, percent")
      ->check(real_number(0, 1000))
      ->capture_default_str();
  command->add_option("--across", flags->across, "Settings that need not be equal")
      ->delimiter(',')
      ->check(CLI::IsMember(report::across_names()));
  command->add_option("-o,--output", flags->output, "Form")
      ->check(CLI::IsMember({"text", "md", "json"}))
      ->capture_default_str();
  command->callback([flags, &outcome] { outcome.status = run(*flags); });
}

}  // namespace edgelm::apps
