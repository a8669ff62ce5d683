#pragma once
// Runs the real program through /bin/sh, as a user would: command line, standard input, exit code
// and both outputs. `edgelm` on the command line is the binary under test.

#include <string>

namespace edgelm::e2e {

struct Outcome {
  int exit_code = -1;  // 128 + signal when one ended the shell
  std::string out;
  std::string err;
};

// The folder for files of this run of the tests; removed at the end.
const std::string& work_folder();

// Ends the command after 120 s (exit code 124).
Outcome run(const std::string& command, const std::string& standard_input = {});

std::string binary_path();

}  // namespace edgelm::e2e
