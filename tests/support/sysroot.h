#pragma once
// Recorded machines as folders: tests/data/sysroot/NAME.txt unpacked into a temporary folder that
// goes with the object. Its text, line by line:
//   # comment                 between files
//   /path = value             a file with one line; \0 is a NUL, and then no newline follows
//   /path <<                  the lines up to the next line "<<"
//   /path -> target           a symbolic link
//   /a{0..3}/b = x{}          one file per number, {} is the number
//   /path <<{0..3}            the lines four times, {} is the number
// A path that comes again gets more lines. What is below /usr/bin can be run.

#include <gtest/gtest.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>

#include "support/data.h"

namespace edgelm::test {

class Sysroot {
 public:
  // An empty machine.
  Sysroot() {
    std::string name = folder() + "edgelm_sysroot_XXXXXX";
    root_ = ::mkdtemp(name.data());
  }
  // "pi5", "orin-nano", "intel-laptop", "nothing".
  explicit Sysroot(const std::string& machine) : Sysroot() {
    const std::string path = source_dir() + "/tests/data/sysroot/" + machine + ".txt";
    std::ifstream file(path, std::ios::binary);
    EXPECT_TRUE(file) << path;
    std::ostringstream text;
    text << file.rdbuf();
    unpack(text.str());
  }
  ~Sysroot() {
    std::error_code ignored;
    std::filesystem::remove_all(root_, ignored);
  }
  Sysroot(const Sysroot&) = delete;
  Sysroot& operator=(const Sysroot&) = delete;

  [[nodiscard]] const std::string& root() const { return root_; }
  [[nodiscard]] std::string path(const std::string& path) const { return root_ + path; }

  // A file as it is given, in place of what was there.
  void write(const std::string& path, std::string_view content) const {
    make(path, content, std::ios::trunc);
  }
  void remove(const std::string& path) const { std::filesystem::remove_all(root_ + path); }

  void unpack(const std::string& text) const {
    std::istringstream lines(text);
    std::string line;
    while (std::getline(lines, line)) {
      if (line.empty() || line.front() == '#') continue;
      if (const std::size_t arrow = line.find(" -> "); arrow != std::string::npos) {
        link(line.substr(0, arrow), line.substr(arrow + 4));
      } else if (const std::size_t here = line.find(" <<"); here != std::string::npos) {
        std::string body;
        std::string next;
        while (std::getline(lines, next) && next != "<<") body += next + "\n";
        for_each_number(line.substr(here + 3), [&](const std::string&, const std::string& number) {
          make(line.substr(0, here), with(body, number), std::ios::app);
        });
      } else if (const std::size_t is = line.find(" = "); is != std::string::npos) {
        const std::string value = line.substr(is + 3);
        for_each_number(line.substr(0, is), [&](const std::string& path, const std::string& n) {
          make(path, escaped(with(value, n)), std::ios::app);
        });
      } else {
        ADD_FAILURE() << "no line of a sysroot: " << line;
      }
    }
  }

 private:
  // Memory, where programs may run from it: hundreds of small files take a second on some disks.
  static std::string folder() {
    const std::string memory = "/dev/shm/";
    struct statvfs info {};
    const bool fits = ::statvfs(memory.c_str(), &info) == 0 && (info.f_flag & ST_NOEXEC) == 0 &&
                      ::access(memory.c_str(), W_OK) == 0;
    return fits ? memory : ::testing::TempDir();
  }

  void make(const std::string& path, std::string_view content, std::ios::openmode mode) const {
    const std::filesystem::path full = root_ + path;
    std::filesystem::create_directories(full.parent_path());
    std::ofstream file(full, std::ios::binary | mode);
    file.write(content.data(), static_cast<std::streamsize>(content.size()));
    EXPECT_TRUE(file.good()) << full;
    file.close();
    if (path.starts_with("/usr/bin/"))
      std::filesystem::permissions(full, std::filesystem::perms::owner_all);
  }

  void link(const std::string& path, const std::string& target) const {
    const std::filesystem::path full = root_ + path;
    std::filesystem::create_directories(full.parent_path());
    std::filesystem::create_symlink(target, full);
  }

  // f(text, number) for each number of the "{a..b}" in it, or once with "".
  template <class F>
  static void for_each_number(const std::string& text, F&& f) {
    const std::size_t open = text.find('{');
    const std::size_t dots = text.find("..", open);
    const std::size_t close = text.find('}', open);
    if (open == std::string::npos || dots == std::string::npos || close == std::string::npos)
      return f(text, "");
    const int first = std::stoi(text.substr(open + 1));
    const int last = std::stoi(text.substr(dots + 2));
    for (int i = first; i <= last; ++i)
      f(text.substr(0, open) + std::to_string(i) + text.substr(close + 1), std::to_string(i));
  }

  static std::string with(std::string text, const std::string& number) {
    for (std::size_t at = text.find("{}"); at != std::string::npos && !number.empty();
         at = text.find("{}", at))
      text.replace(at, 2, number);
    return text;
  }

  static std::string escaped(std::string text) {
    const bool ends_in_nul = text.ends_with("\\0");
    for (std::size_t at = text.find("\\0"); at != std::string::npos; at = text.find("\\0", at))
      text.replace(at, 2, 1, '\0');
    return ends_in_nul ? text : text + "\n";
  }

  std::string root_;
};

}  // namespace edgelm::test
