// POSIX directory work of the cache.

#include "cache/folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <memory>

#include "base/checked.h"

namespace edgelm::cache {
namespace {

constexpr std::int64_t kOrphanSeconds = 60;

tl::unexpected<Error> system_error(const std::string& path, const char* action) {
  const int reason = errno;
  const ErrorCode code = reason == ENOENT ? ErrorCode::kNotFound : ErrorCode::kIo;
  return fail(code, "{}: cannot {}: {}", path, action, std::strerror(reason));
}

// Made with its parents, all of them for this user alone, as the XDG specification has it.
Status make_folders(const std::string& path) {
  for (std::size_t end = 0; end != std::string::npos;) {
    end = path.find('/', end + 1);
    const std::string part = path.substr(0, end);
    if (::mkdir(part.c_str(), 0700) != 0 && errno != EEXIST && errno != EISDIR) {
      // A parent that may not be made may yet be there (EACCES, EROFS).
      const int reason = errno;
      struct stat info {};
      if (::stat(part.c_str(), &info) == 0) continue;
      errno = reason;
      return system_error(part, "make the folder");
    }
  }
  return {};
}

Status check_owner(const struct stat& info, const std::string& path) {
  if (info.st_uid != ::geteuid())
    return fail(ErrorCode::kIo, "{}: belongs to user {}, not to {}", path, info.st_uid,
                ::geteuid());
  if ((info.st_mode & (S_IWGRP | S_IWOTH)) != 0)
    return fail(ErrorCode::kIo, "{}: others may write to it (mode {:o})", path,
                info.st_mode & 07777U);
  return {};
}

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

}  // namespace

Result<Folder> Folder::open(const std::string& path, bool make) {
  if (make) EDGELM_TRY(make_folders(path));
  os::Descriptor folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder.open()) return system_error(path, "open the folder");
  struct stat info {};
  if (::fstat(folder.get(), &info) != 0) return system_error(path, "stat");
  EDGELM_TRY(check_owner(info, path));
  return Folder(std::move(folder), path);
}

std::vector<std::string> Folder::names(std::string_view suffix) const {
  std::vector<std::string> found;
  // A descriptor of its own: its position is shared with duplicates.
  const int copy = ::openat(folder_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (copy < 0) return found;
  const std::unique_ptr<DIR, CloseDirectory> directory(::fdopendir(copy));
  if (!directory) {
    ::close(copy);
    return found;
  }
  while (const dirent* entry = ::readdir(directory.get())) {  // NOLINT(concurrency-mt-unsafe): own
    const std::string_view name = entry->d_name;
    if (name.ends_with(suffix)) found.emplace_back(name);
  }
  return found;
}

std::vector<File> Folder::files() const {
  std::vector<File> files;
  for (std::string& name : names(kSuffix)) {
    struct stat info {};
    if (::fstatat(folder_.get(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) continue;
    if (!S_ISREG(info.st_mode)) continue;
    files.push_back(
        {.name = std::move(name),
         .bytes = static_cast<std::uint64_t>(info.st_size),
         .used_ns = std::int64_t{info.st_mtim.tv_sec} * 1'000'000'000 + info.st_mtim.tv_nsec});
  }
  std::sort(files.begin(), files.end(), [](const File& a, const File& b) {
    return a.used_ns != b.used_ns ? a.used_ns > b.used_ns : a.name < b.name;
  });
  return files;
}

std::uint64_t Folder::free_bytes() const {
  struct statvfs info {};
  if (::fstatvfs(folder_.get(), &info) != 0) return 0;
  return checked_mul(info.f_bavail, info.f_frsize).value_or(0);
}

Result<os::Descriptor> Folder::open_file(const std::string& name, bool write) const {
  const int mode = write ? O_RDWR : O_RDONLY;
  os::Descriptor file(
      ::openat(folder_.get(), name.c_str(), mode | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  const std::string path = path_ + "/" + name;
  if (!file.open()) return system_error(path, "open");
  struct stat info {};
  if (::fstat(file.get(), &info) != 0) return system_error(path, "stat");
  if (!S_ISREG(info.st_mode)) return fail(ErrorCode::kIo, "{}: is not a regular file", path);
  EDGELM_TRY(check_owner(info, path));
  return file;
}

Result<Header> Folder::read_header(const os::Descriptor& file, const std::string& name) const {
  std::string bytes(kMaxHeaderBytes, '\0');
  std::size_t filled = 0;
  while (filled < bytes.size()) {
    const ssize_t got = ::pread(file.get(), bytes.data() + filled, bytes.size() - filled,
                                static_cast<off_t>(filled));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error(path_ + "/" + name, "read");
    if (got == 0) break;
    filled += static_cast<std::size_t>(got);
  }
  Result<Header> header = decode_header(as_byte_span(std::string_view(bytes).substr(0, filled)));
  if (!header) return fail(header.error().code, "{}/{}: {}", path_, name, header.error().message);
  struct stat info {};
  if (::fstat(file.get(), &info) != 0) return system_error(path_ + "/" + name, "stat");
  const std::optional<std::uint64_t> whole = checked_add(kImageOffset, header->image_bytes);
  if (!whole || *whole != static_cast<std::uint64_t>(info.st_size))
    return fail(ErrorCode::kFormat, "{}/{}: has {} bytes, expected {} and an image of {}", path_,
                name, info.st_size, kImageOffset, header->image_bytes);
  return header;
}

Status Folder::remove(const std::string& name) const {
  if (::unlinkat(folder_.get(), name.c_str(), 0) != 0 && errno != ENOENT)
    return system_error(path_ + "/" + name, "remove");
  return {};
}

void Folder::evict(std::uint64_t most_bytes, const std::string& keep) const {
  std::vector<File> all = files();
  std::uint64_t total = 0;
  for (const File& file : all) total += file.bytes;
  while (total > most_bytes && !all.empty()) {
    const File& oldest = all.back();
    if (oldest.name != keep && remove(oldest.name)) total -= oldest.bytes;
    all.pop_back();
  }
}

void Folder::remove_orphans() const {
  for (const std::string& name : names(kUnfinishedSuffix)) {
    const auto file = open_file(name);
    struct stat info {};
    if (!file || ::fstat(file->get(), &info) != 0) continue;
    // Whoever writes it holds a lock, which the system takes from the dead. The age covers the
    // moment between the making of the file and the lock.
    if (::time(nullptr) - info.st_mtim.tv_sec < kOrphanSeconds) continue;
    if (::flock(file->get(), LOCK_EX | LOCK_NB) == 0) static_cast<void>(remove(name));
  }
}

}  // namespace edgelm::cache
