// The real files below a root.

#include "os/system_files.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <utility>

#include "os/descriptor.h"

namespace edgelm::os {
namespace {

constexpr std::size_t kMaxBytes = std::size_t{1} << 20;

ErrorCode code_of(int error) {
  if (error == ENOENT || error == ENOTDIR) return ErrorCode::kNotFound;
  if (error == EACCES || error == EPERM) return ErrorCode::kPermission;
  return ErrorCode::kIo;
}

class RootedFiles final : public SystemFiles {
 public:
  explicit RootedFiles(std::string root) : root_(std::move(root)) {}

  Result<std::string> read(const std::string& path) const override {
    const std::string full = root_ + path;
    const Descriptor file(::open(full.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (file.get() < 0) return failure(full, errno);
    std::string text;
    std::array<char, 4096> piece{};
    for (;;) {
      const ssize_t n = ::read(file.get(), piece.data(), piece.size());
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return failure(full, errno);
      if (n == 0) return text;
      text.append(piece.data(), static_cast<std::size_t>(n));
      if (text.size() > kMaxBytes)
        return fail(ErrorCode::kLimit, "{}: more than {} bytes", full, kMaxBytes);
    }
  }

  std::vector<std::string> list(const std::string& path) const override {
    std::vector<std::string> names;
    DIR* folder = ::opendir((root_ + path).c_str());
    if (folder == nullptr) return names;
    while (const dirent* entry = ::readdir(folder)) {
      const std::string name = entry->d_name;
      if (name != "." && name != "..") names.push_back(name);
    }
    ::closedir(folder);
    std::sort(names.begin(), names.end());
    return names;
  }

  Status write(const std::string& path, const std::string& text) const override {
    const std::string full = root_ + path;
    const Descriptor file(::open(full.c_str(), O_WRONLY | O_CLOEXEC | O_TRUNC));
    if (file.get() < 0) return failure(full, errno);
    const ssize_t n = ::write(file.get(), text.data(), text.size());
    if (n < 0) return failure(full, errno);
    if (static_cast<std::size_t>(n) != text.size())
      return fail(ErrorCode::kIo, "{}: took {} of {} bytes", full, n, text.size());
    return {};
  }

  std::string root() const override { return root_; }

 private:
  static tl::unexpected<Error> failure(const std::string& path, int error) {
    return fail(code_of(error), "{}: {}", path, std::strerror(error));
  }

  std::string root_;
};

}  // namespace

Result<std::string> SystemFiles::line(const std::string& path) const {
  EDGELM_TRY_ASSIGN(std::string text, read(path));
  while (!text.empty() && (text.back() == '\0' || text.back() == '\n' || text.back() == ' ' ||
                           text.back() == '\t' || text.back() == '\r'))
    text.pop_back();
  return text;
}

Result<long long> SystemFiles::integer(const std::string& path) const {
  EDGELM_TRY_ASSIGN(const std::string text, line(path));
  long long value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size())
    return fail(ErrorCode::kFormat, "{}{}: expected a number, got '{}'", root(), path,
                text.substr(0, 40));
  return value;
}

std::unique_ptr<SystemFiles> system_files(const std::string& root) {
  std::string folder = root;
  while (!folder.empty() && folder.back() == '/') folder.pop_back();
  return std::make_unique<RootedFiles>(std::move(folder));
}

}  // namespace edgelm::os
