// POSIX temporary files and Linux memfd for os/new_file.h.

#include "os/new_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace edgelm::os {
namespace {

tl::unexpected<Error> system_error(const std::string& path, const char* action) {
  return fail(ErrorCode::kIo, "{}: cannot {}: {}", path, action, std::strerror(errno));
}

constexpr int kMostLinks = 40;  // as the kernel follows
constexpr mode_t kMode = 0644;

// Where `path` leads by symbolic links, whether anything is there or not.
Result<std::string> behind_links(std::string path) {
  std::array<char, 4096> target{};
  for (int i = 0; i < kMostLinks; ++i) {
    const ssize_t size = ::readlink(path.c_str(), target.data(), target.size());
    if (size < 0) return path;  // no link: a file, or nothing yet
    std::string next(target.data(), static_cast<std::size_t>(size));
    if (!next.starts_with('/')) next.insert(0, path, 0, path.rfind('/') + 1);
    path = std::move(next);
  }
  return fail(ErrorCode::kIo, "{}: more than {} links, one after the other", path, kMostLinks);
}

// Devices and pipes are written to and stay what they are.
Result<int> open_special(const std::string& path, mode_t mode) {
  if (S_ISDIR(mode)) return fail(ErrorCode::kIo, "{}: is a folder, expected a file", path);
  if (S_ISSOCK(mode)) return fail(ErrorCode::kIo, "{}: is a socket, expected a file", path);
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (descriptor < 0) return system_error(path, "open");
  return descriptor;
}

}  // namespace

NewFile::NewFile(int descriptor, std::string path, std::string temporary, unsigned mode)
    : descriptor_(descriptor),
      path_(std::move(path)),
      temporary_(std::move(temporary)),
      mode_(mode) {}

NewFile::NewFile(NewFile&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      path_(std::move(other.path_)),
      temporary_(std::exchange(other.temporary_, {})),
      mode_(other.mode_) {}

NewFile::~NewFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

Result<NewFile> NewFile::create(const std::string& path) {
  struct stat there = {};
  const bool exists = ::stat(path.c_str(), &there) == 0;
  if (exists && !S_ISREG(there.st_mode)) {
    EDGELM_TRY_ASSIGN(const int descriptor, open_special(path, there.st_mode));
    return NewFile(descriptor, path, {}, 0);
  }
  EDGELM_TRY_ASSIGN(std::string place, behind_links(path));
  std::string temporary = place + ".XXXXXX";
  const int descriptor = ::mkostemp(temporary.data(), O_CLOEXEC);
  if (descriptor < 0) return system_error(path, "create a temporary file beside it");
  return NewFile(descriptor, std::move(place), std::move(temporary),
                 exists ? there.st_mode & 07777U : kMode);
}

Result<NewFile> NewFile::in_memory(const std::string& name) {
  const int descriptor = ::memfd_create("edgelm", MFD_CLOEXEC);
  if (descriptor < 0) return system_error(name, "make a file in memory");
  return NewFile(descriptor, name, {}, 0);
}

Status NewFile::append(Bytes bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return system_error(path_, "write");
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return {};
}

Status NewFile::commit() {
  const bool in_place = temporary_.empty();  // a device or a pipe, which may know no sync
  if (!in_place && ::fchmod(descriptor_, mode_) != 0) return system_error(path_, "set its mode");
  if (::fsync(descriptor_) != 0 && !(in_place && (errno == EINVAL || errno == ENOTSUP)))
    return system_error(path_, "sync");
  // A delayed write error shows up in close.
  if (::close(std::exchange(descriptor_, -1)) != 0) return system_error(path_, "close");
  if (in_place) return {};
  if (std::rename(temporary_.c_str(), path_.c_str()) != 0)
    return system_error(path_, "rename the new file to it");
  temporary_.clear();
  return {};
}

Result<MappedFile> NewFile::map() const { return MappedFile::of_descriptor(descriptor_, path_); }

}  // namespace edgelm::os
