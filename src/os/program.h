#pragma once
// Programs of the system that tell what no file tells (vcgencmd, nvpmodel), run without a shell and
// never trusted to end: time and output are limited, and what they started ends with them.
// Thread-safe. The caller judges what they print.

#include <cstddef>
#include <string>
#include <vector>

#include "base/result.h"
#include "os/system_files.h"

namespace edgelm::os {

struct ProgramLimits {
  double seconds = 5;
  std::size_t output_bytes = std::size_t{1} << 20;  // of each of the two streams
};

struct ProgramRun {
  int exit_status = 0;  // 128 + the signal that ended it, as a shell has it
  std::string out;
  std::string err;
};

// Where `name` is: for root "" in $PATH, then in the folders where system programs lie though users
// have them not in PATH (nvpmodel is in /usr/sbin); for another root in ROOT/usr/bin alone. A name
// with a slash is a path below the root. kNotFound says where it was looked for.
Result<std::string> find_program(const std::string& name, const std::string& root);

// Runs arguments[0] with the rest as its arguments, nothing on its input, messages in English
// (LC_ALL=C), and waits. kNotFound when there is no such program; kIo when it did not end in time;
// kLimit when it printed too much. In both cases it has been ended with all that it started.
Result<ProgramRun> run_program(const SystemFiles& files, const std::vector<std::string>& arguments,
                               const ProgramLimits& limits = {});

// What it printed, when it ended with status 0; otherwise kIo with its own words.
Result<std::string> program_output(const SystemFiles& files,
                                   const std::vector<std::string>& arguments,
                                   const ProgramLimits& limits = {});

}  // namespace edgelm::os
