// edgelm report: what the store holds, as tables, CSV, JSON lines or one HTML page (src/report).

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <memory>
#include <string>
#include <vector>

#include "apps/edgelm/commands.h"
#include "apps/edgelm/numbers.h"
#include "apps/edgelm/output.h"
#include "base/counted.h"
#include "device/passport.h"
#include "formats/printable.h"
#include "measure/device_speed.h"
#include "os/file.h"
#include "os/system_files.h"
#include "report/build.h"
#include "report/csv.h"
#include "report/html.h"
#include "report/source.h"
#include "report/text.h"

namespace edgelm::apps {
namespace {

constexpr const char* kFooter =
    "Without --run and --last the report covers the newest record of every cell in the store.\n"
    "Figures say whether they were measured, predicted, modelled or stated; those that are not\n"
    "available say why. Energy of different scopes is never compared without a word.\n"
    "Environment:\n"
    "  EDGELM_STORE  the store (default: $XDG_DATA_HOME/edgelm/records.sqlite, or below\n"
    "                ~/.local/share)\n"
    "Examples:\n"
    "  edgelm report\n"
    "  edgelm report --out report.html\n"
    "  edgelm report --run before -o md\n"
    "  edgelm report --last 2 -o jsonl > records.jsonl\n"
    "  edgelm report --store records.jsonl --electricity 0.31 --alpha 0,0.5,1 --out report.html\n"
    "  edgelm report --runs\n";

struct ReportFlags {
  std::string store;
  report::Filter filter;
  std::string output;
  std::string out;
  std::string prices;
  std::string salvage;
  double electricity = -1;
  double ttft_limit = 2;
  double reading_speed = 5;
  std::vector<double> alphas;
  bool list_runs = false;
  bool every = false;
};

std::string now_utc() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  if (::gmtime_r(&now, &parts) == nullptr) return "";
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", parts);
}

std::size_t terminal_columns() {
  constexpr std::size_t kUsual = 120;
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col < 40) return kUsual;
  return size.ws_col;
}

bool ends_with(const std::string& path, const char* extension) {
  return std::string_view(path).ends_with(extension);
}

// As asked for, or as the file's name says.
std::string form_of(const ReportFlags& flags) {
  if (!flags.output.empty()) return flags.output;
  if (ends_with(flags.out, ".html") || ends_with(flags.out, ".htm")) return "html";
  if (ends_with(flags.out, ".md")) return "md";
  if (ends_with(flags.out, ".csv")) return "csv";
  if (ends_with(flags.out, ".jsonl")) return "jsonl";
  return "text";
}

Status list_runs(const ReportFlags& flags) {
  EDGELM_TRY_ASSIGN(const report::Loaded loaded, report::load_file(flags.store, {}));
  std::string out = fmt::format("{:<28}  {:<20}  {:>7}  {:<16}  {}\n", "run", "began", "records",
                                "finished", "label");
  for (const report::Run& run : loaded.runs)
    out +=
        fmt::format("{:<28}  {:<20}  {:>7}  {:<16}  {}\n", formats::printable(run.id),
                    formats::printable(run.started), run.n_records,
                    run.finished.empty() ? "no: resumable" : "yes", formats::printable(run.label));
  return write_result(out);
}

Status salvage(const ReportFlags& flags) {
  std::string store = flags.store;
  if (store.empty()) {
    EDGELM_TRY_ASSIGN(store, report::Store::default_path());
  }
  EDGELM_TRY_ASSIGN(const report::Salvaged saved, report::salvage(store, flags.salvage));
  return write_result(fmt::format("{} copied to {}; {} seen that could not be read\n",
                                  counted(saved.n_records, "record"), flags.salvage,
                                  counted(saved.n_lost, "more was", "more were")));
}

Result<report::Options> options_of(const ReportFlags& flags) {
  report::Options options;
  options.version = EDGELM_VERSION;
  options.made = now_utc();
  options.every_record = flags.every || !flags.filter.run.empty();
  if (!flags.prices.empty()) {
    EDGELM_TRY_ASSIGN(options.prices, econ::load_prices(flags.prices));
  }
  if (flags.electricity >= 0) {
    options.prices.price_per_kwh = flags.electricity;
    options.prices.electricity_source = "--electricity";
    options.prices.electricity_date = options.made.substr(0, 10);
  }
  options.limits.ttft_s = flags.ttft_limit;
  options.limits.reading_tokens_per_s = flags.reading_speed;
  options.limits.comfortable_tokens_per_s =
      std::max(options.limits.comfortable_tokens_per_s, flags.reading_speed);
  if (!flags.alphas.empty()) options.alphas = flags.alphas;
  return options;
}

// Records of this device that do not know its kernels' speeds get those that `edgelm device` has
// measured and kept, so that prediction can be set beside measurement.
void add_kept_speeds(std::vector<measure::Record>& records) {
  const auto wants = [](const measure::Record& r) { return r.passport.speeds.kernels.empty(); };
  if (std::none_of(records.begin(), records.end(), wants)) return;
  const auto files = os::system_files();
  const device::Passport here = device::describe(*files);
  const auto kept = measure::load_speeds(measure::speed_key(here, EDGELM_VERSION));
  if (!kept) return;
  for (measure::Record& record : records)
    if (wants(record) && record.passport.fingerprint == here.fingerprint)
      record.passport.speeds = *kept;
}

Result<std::string> made(const ReportFlags& flags, const report::Loaded& loaded,
                         const std::string& form) {
  if (form == "jsonl") return report::json_lines(loaded.records);
  EDGELM_TRY_ASSIGN(const report::Options options, options_of(flags));
  if (form == "csv")
    return report::csv(report::rows_of(loaded.records, options), loaded.records.quality, options);
  const report::Document document = report::build(loaded.records, loaded.runs, options);
  if (form == "html") return report::html(document);
  if (form == "md") return report::markdown(document);
  return report::terminal_text(document, flags.out.empty() ? terminal_columns() : 120);
}

Status run(const ReportFlags& flags) {
  if (!flags.salvage.empty()) return salvage(flags);
  if (flags.list_runs) return list_runs(flags);
  const std::string form = form_of(flags);
  if (form == "html" && flags.out.empty() && os::stdout_is_terminal())
    return fail(ErrorCode::kUsage,
                "an HTML page is nothing for a terminal; name a file with --out");
  EDGELM_TRY_ASSIGN(report::Loaded loaded, report::load_file(flags.store, flags.filter));
  if (form != "jsonl") add_kept_speeds(loaded.records.measured);
  for (const std::string& message : loaded.records.unreadable)
    note("edgelm: left out: {}\n", formats::printable(message, 400));
  if (loaded.records.measured.empty() && loaded.records.quality.empty())
    return fail(ErrorCode::kNotFound,
                "{}: no record matches; `edgelm report --runs` lists the runs", loaded.name);
  EDGELM_TRY_ASSIGN(const std::string text, made(flags, loaded, form));
  if (flags.out.empty()) return write_result(text);
  EDGELM_TRY(os::write_file_atomic(flags.out, text));
  note("{}: {}, {}\n", formats::printable(flags.out, 400),
       counted(loaded.records.measured.size() + loaded.records.quality.size(), "record"),
       counted(text.size(), "byte"));
  return {};
}

}  // namespace

void add_report(CLI::App& app, Outcome& outcome) {
  auto flags = std::make_shared<ReportFlags>();
  CLI::App* command = app.add_subcommand(
      "report", "Show what was measured: tables, CSV, JSON lines, or one HTML page");
  command->footer(kFooter);
  command->add_option("--store", flags->store, "Store, or JSON lines that a report wrote")
      ->type_name("FILE");
  command
      ->add_option("--run", flags->filter.run, "One run: its id, the beginning of it, or its label")
      ->type_name("RUN");
  command->add_option("--last", flags->filter.last, "The newest N runs")
      ->check(whole_number(std::numeric_limits<std::uint32_t>::max()))
      ->check(CLI::Range(1U, std::numeric_limits<std::uint32_t>::max()))
      ->type_name("N");
  command->add_option("--device", flags->filter.device, "Fingerprint of a device, or its beginning")
      ->type_name("FP");
  command->add_option("--model", flags->filter.model, "Part of the model's name")
      ->type_name("NAME");
  command->add_flag("--all", flags->every, "Older records of the same cell too");
  command->add_flag("--runs", flags->list_runs, "List the runs of the store and end");
  command
      ->add_option("-o,--output", flags->output,
                   "Form (default: by the name given to --out, else text)")
      ->check(CLI::IsMember({"text", "md", "csv", "jsonl", "html"}));
  command->add_option("--out", flags->out, "File to write")->type_name("FILE");
  command->add_option("--prices", flags->prices, "Price list to use in place of the built-in one")
      ->type_name("TOML");
  command->add_option("--electricity", flags->electricity, "Price of a kWh, in the list's currency")
      ->check(real_number(0, 1e6));
  command->add_option("--alpha", flags->alphas, "Weights of quality against responsiveness in U")
      ->delimiter(',')
      ->check(real_number(0, 1));
  command->add_option("--ttft-limit", flags->ttft_limit, "Longest wait that is usable, seconds")
      ->check(real_number(0.001, 1e6))
      ->capture_default_str();
  command->add_option("--reading-speed", flags->reading_speed, "Slowest that is usable, tokens/s")
      ->check(real_number(0.001, 1e6))
      ->capture_default_str();
  command->add_option("--salvage", flags->salvage, "Copy what a damaged store still has, and end")
      ->type_name("NEW");
  command->callback([flags, &outcome] { outcome.status = run(*flags); });
}

}  // namespace edgelm::apps
