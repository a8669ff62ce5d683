#pragma once
// A machine for tests: system files whose contents are functions of a virtual time, over a recorded
// tree or nothing. 44 minutes pass in milliseconds, and any file can fail as the system would.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "os/system_files.h"

namespace edgelm::test {

struct VirtualTime {
  std::int64_t ns = 1'000'000'000;  // as of a machine that has been up for a while
  [[nodiscard]] double s() const { return static_cast<double>(ns) * 1e-9; }
  void advance(double seconds) { ns += std::llround(seconds * 1e9); }
  [[nodiscard]] std::function<std::int64_t()> clock() const {
    return [this] { return ns; };
  }
};

class ScriptedFiles final : public os::SystemFiles {
 public:
  using Content = std::function<Result<std::string>()>;

  ScriptedFiles() = default;
  // What is not scripted is read below `root`.
  explicit ScriptedFiles(const std::string& root) : base_(os::system_files(root)) {}

  void set(const std::string& path, const std::string& text) {
    files_[path] = [text]() -> Result<std::string> { return text; };
  }
  void script(const std::string& path, Content content) { files_[path] = std::move(content); }
  void remove(const std::string& path) { files_.erase(path); }
  // Refused from here on, whatever rights this process has.
  void deny(const std::string& path) {
    fail_with(path, ErrorCode::kPermission, "Permission denied");
  }
  void fail_with(const std::string& path, ErrorCode code, const std::string& words) {
    files_[path] = [path, code, words]() -> Result<std::string> {
      return fail(code, "{}: {}", path, words);
    };
  }

  [[nodiscard]] Result<std::string> read(const std::string& path) const override {
    const auto file = files_.find(path);
    if (file != files_.end()) return file->second();
    if (base_) return base_->read(path);
    return fail(ErrorCode::kNotFound, "{}: No such file or directory", path);
  }

  [[nodiscard]] std::vector<std::string> list(const std::string& path) const override {
    std::set<std::string> names;
    const std::string prefix = path + "/";
    for (auto file = files_.lower_bound(prefix);
         file != files_.end() && file->first.starts_with(prefix); ++file) {
      const std::string rest = file->first.substr(prefix.size());
      names.insert(rest.substr(0, rest.find('/')));
    }
    if (base_)
      for (std::string& name : base_->list(path)) names.insert(std::move(name));
    return {names.begin(), names.end()};
  }

  [[nodiscard]] Status write(const std::string& path, const std::string& text) const override {
    const auto file = files_.find(path);
    if (file == files_.end()) return fail(ErrorCode::kNotFound, "{}: No such file", path);
    const Result<std::string> now = file->second();
    if (!now) return fail(now.error());
    files_[path] = [text]() -> Result<std::string> { return text; };
    written.emplace_back(path, text);
    return {};
  }

  [[nodiscard]] std::string root() const override { return base_ ? base_->root() : ""; }

  mutable std::vector<std::pair<std::string, std::string>> written;  // in order

 private:
  std::shared_ptr<os::SystemFiles> base_;  // shared by copies
  mutable std::map<std::string, Content> files_;
};

}  // namespace edgelm::test
