// edgelm: the command line. Parses, dispatches to a subcommand, turns its outcome into an exit
// code: 0 done, 1 the work failed, 2 the command line is wrong.

#include <unistd.h>

#include <csignal>
#include <exception>
#include <string_view>
#include <vector>

#include "apps/edgelm/commands.h"
#include "apps/edgelm/output.h"
#include "base/printable.h"

namespace {

// Touching a page of a mapped model that the file no longer has raises SIGBUS. All that is safe in
// a handler is to say so and leave.
void on_bus_error(int /*signal*/) {
  constexpr std::string_view kMessage =
      "edgelm: the model file could not be read any more: it was cut short or its disk failed\n";
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, kMessage.data(), kMessage.size());
  ::_exit(1);
}

// Messages may quote names from files and arguments: nothing in them reaches the terminal as a
// control code, and they stay one line.
void complain(std::string_view message) {
  edgelm::apps::note("edgelm: {}\n", edgelm::printable(message, std::string::npos));
}

// --help and --version are "errors" of CLI11 with exit code 0.
int usage_exit(const CLI::App& app, const CLI::ParseError& error) {
  if (error.get_exit_code() == 0) {
    app.exit(error);
    if (const edgelm::Status flushed = edgelm::apps::write_result(""); !flushed) {
      complain(flushed.error().message);
      return 1;
    }
    return 0;
  }
  std::string command = "edgelm";
  for (const CLI::App* at = &app; !at->get_subcommands().empty();) {
    at = at->get_subcommands().front();
    command += ' ' + at->get_name();
  }
  complain(fmt::format("{}; see {} --help", error.what(), command));
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  using namespace edgelm;
  std::signal(SIGBUS, on_bus_error);
  CLI::App app{"edgelm runs and measures small language models on this device.", "edgelm"};
  app.require_subcommand(1);
  app.set_version_flag("--version", EDGELM_VERSION);
  app.set_help_all_flag("--help-all", "Print the help of every subcommand and exit");
  apps::Outcome outcome;
  apps::add_run(app, outcome);
  apps::add_bench(app, outcome);
  apps::add_bench_cell(app, outcome);
  apps::add_eval(app, outcome);
  apps::add_inspect(app, outcome);
  apps::add_tokenize(app, outcome);
  apps::add_synth(app, outcome);
  apps::add_cache(app, outcome);
  apps::add_plan(app, outcome);
  apps::add_report(app, outcome);
  apps::add_compare(app, outcome);
  apps::add_device(app, outcome);
  // The field writes -tb; a single dash with two letters is not what CLI11 calls an option.
  std::vector<char*> arguments(argv, argv + argc);
  static char threads_batch[] = "--threads-batch";
  for (char*& argument : arguments)
    if (std::string_view(argument) == "-tb") argument = threads_batch;
  try {
    app.parse(argc, arguments.data());
  } catch (const CLI::ParseError& error) {
    return usage_exit(app, error);
  } catch (const std::bad_alloc&) {
    complain("not enough memory; try a smaller model or context (-c)");
    return 1;
  } catch (const std::exception& error) {  // nothing below should throw; be polite if it does
    complain(fmt::format("internal error: {}", error.what()));
    return 1;
  }
  if (outcome.status) return outcome.exit_code;
  complain(outcome.status.error().message);
  return outcome.status.error().code == ErrorCode::kUsage ? 2 : 1;
}
