#pragma once
// Runs the program and collects what it printed, for end-to-end tests.

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace edgelm::test {

struct ProgramResult {
  int exit_code = -1;  // -1: it was killed by a signal
  std::string out;
  std::string err;
};

inline std::string temporary_path(const std::string& name) {
  const char* folder = std::getenv("TMPDIR");
  return std::string(folder == nullptr ? "/tmp" : folder) + "/edgelm_e2e_" +
         std::to_string(getpid()) + "_" + name;
}

inline std::string read_and_remove(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream bytes;
  bytes << file.rdbuf();
  std::remove(path.c_str());
  return bytes.str();
}

// No shell in between: arguments reach the program as they are. Standard input is empty.
inline ProgramResult run_edgelm(const std::vector<std::string>& arguments) {
  const std::string out_path = temporary_path("out");
  const std::string err_path = temporary_path("err");
  std::vector<std::string> words = {EDGELM_BINARY};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    const int in = open("/dev/null", O_RDONLY);
    const int out = open(out_path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    const int err = open(err_path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (in < 0 || out < 0 || err < 0) _exit(126);
    setenv("EDGELM_CACHE_LIMIT", "0", 1);  // nothing touches the user's cache, or records
    setenv("EDGELM_STORE", "/nonexistent/edgelm", 1);
    dup2(in, 0);
    dup2(out, 1);
    dup2(err, 2);
    execv(argv[0], argv.data());
    _exit(127);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, read_and_remove(out_path),
          read_and_remove(err_path)};
}

}  // namespace edgelm::test
