// edgelm: the command line. Parses, dispatches to a subcommand, turns its outcome into an exit
// code: 0 done, 1 the work failed, 2 the command line is wrong.

#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <string_view>
#include <vector>

#include "apps/edgelm/commands.h"
#include "formats/printable.h"

int main(int argc, char** argv) {
  using namespace edgelm;
  CLI::App app{"edgelm runs and measures small language models on this device.", "edgelm"};
  app.require_subcommand(1);
  app.set_version_flag("--version", EDGELM_VERSION);
  app.set_help_all_flag("--help-all", "Print the help of every subcommand and exit");
  apps::Outcome outcome;
  apps::add_run(app, outcome);
  apps::add_bench(app, outcome);
  apps::add_eval(app, outcome);
  apps::add_inspect(app, outcome);
  apps::add_tokenize(app, outcome);
  // The field writes -tb; a single dash with two letters is not what CLI11 calls an option.
  std::vector<char*> arguments(argv, argv + argc);
  static char threads_batch[] = "--threads-batch";
  for (char*& argument : arguments)
    if (std::string_view(argument) == "-tb") argument = threads_batch;
  try {
    app.parse(argc, arguments.data());
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  } catch (const std::bad_alloc&) {
    fmt::print(stderr, "edgelm: not enough memory; try a smaller model or context (-c)\n");
    return 1;
  } catch (const std::exception& error) {  // nothing below should throw; be polite if it does
    fmt::print(stderr, "edgelm: internal error: {}\n", error.what());
    return 1;
  }
  if (outcome.status) return 0;
  // Messages may quote names from files: nothing in them reaches the terminal as a control code.
  fmt::print(stderr, "edgelm: {}\n",
             formats::printable(outcome.status.error().message, std::string::npos));
  return outcome.status.error().code == ErrorCode::kUsage ? 2 : 1;
}
