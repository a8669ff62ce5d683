// Outputs go through files: no pipe can fill up and block the program under test.

#include "process.h"

#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "support/data.h"

namespace edgelm::e2e {
namespace {

class Folder {
 public:
  Folder() {
    std::string name = std::filesystem::temp_directory_path() / "edgelm-e2e-XXXXXX";
    path_ = ::mkdtemp(name.data());
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

std::string slurp(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream content;
  content << file.rdbuf();
  return content.str();
}

}  // namespace

const std::string& work_folder() {
  static const Folder folder;
  return folder.path();
}

std::string binary_path() {
  const char* given = std::getenv("EDGELM_BINARY");
  return given != nullptr ? given : EDGELM_BINARY;
}

Outcome run(const std::string& command, const std::string& standard_input) {
  const std::string& folder = work_folder();
  std::ofstream(folder + "/in", std::ios::binary) << standard_input;
  const std::string binary = binary_path();
  std::ofstream(folder + "/script")
      << "PATH='" << std::filesystem::path(binary).parent_path().string() << "':$PATH\n"
      << "SRC='" << test::source_dir() << "'\n"
      << "export EDGELM_CACHE_DIR='" << folder << "/cache'\n"  // never the user's own
      << "export EDGELM_STORE='" << folder << "/records.sqlite'\n"
      << "DATA='" << test::shared_data().value_or("") << "'\n"
      << "cd '" << folder << "'\n"
      << command << "\n";
  const std::string whole = "timeout 120 sh '" + folder + "/script' <'" + folder + "/in' >'" +
                            folder + "/out' 2>'" + folder + "/err'";
  const int status = std::system(whole.c_str());  // NOLINT(cert-env33-c): a shell is the point
  Outcome outcome;
  outcome.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  outcome.out = slurp(folder + "/out");
  outcome.err = slurp(folder + "/err");
  return outcome;
}

}  // namespace edgelm::e2e
