// POSIX temporary files and Linux memfd for os/new_file.h.

#include "os/new_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace edgelm::os {
namespace {

tl::unexpected<Error> system_error(const std::string& path, const char* action) {
  return fail(ErrorCode::kIo, "{}: cannot {}: {}", path, action, std::strerror(errno));
}

}  // namespace

NewFile::NewFile(int descriptor, std::string path, std::string temporary)
    : descriptor_(descriptor), path_(std::move(path)), temporary_(std::move(temporary)) {}

NewFile::NewFile(NewFile&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      path_(std::move(other.path_)),
      temporary_(std::exchange(other.temporary_, {})) {}

NewFile::~NewFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

Result<NewFile> NewFile::create(const std::string& path) {
  std::string temporary = path + ".XXXXXX";
  const int descriptor = ::mkostemp(temporary.data(), O_CLOEXEC);
  if (descriptor < 0) return system_error(path, "create a temporary file beside it");
  return NewFile(descriptor, path, std::move(temporary));
}

Result<NewFile> NewFile::in_memory(const std::string& name) {
  const int descriptor = ::memfd_create("edgelm", MFD_CLOEXEC);
  if (descriptor < 0) return system_error(name, "make a file in memory");
  return NewFile(descriptor, name, {});
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
  if (::fchmod(descriptor_, 0644) != 0) return system_error(path_, "set its mode");
  if (::fsync(descriptor_) != 0) return system_error(path_, "sync");
  // A delayed write error shows up in close.
  if (::close(std::exchange(descriptor_, -1)) != 0) return system_error(path_, "close");
  if (std::rename(temporary_.c_str(), path_.c_str()) != 0)
    return system_error(path_, "rename the new file to it");
  temporary_.clear();
  return {};
}

Result<MappedFile> NewFile::map() const { return MappedFile::of_descriptor(descriptor_, path_); }

}  // namespace edgelm::os
