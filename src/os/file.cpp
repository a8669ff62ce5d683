// POSIX files for os/file.h.

#include "os/file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <utility>

#include "os/descriptor.h"
#include "os/new_file.h"
#include "os/pages.h"

namespace edgelm::os {
namespace {

tl::unexpected<Error> system_error(const std::string& path, const char* action) {
  const int reason = errno;
  const ErrorCode code = reason == ENOENT ? ErrorCode::kNotFound : ErrorCode::kIo;
  return fail(code, "{}: cannot {}: {}", path, action, std::strerror(reason));
}

std::int64_t nanoseconds(const timespec& time) {
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

std::string stamp_of(const struct stat& info) {
  if (::time(nullptr) - std::max(info.st_ctim.tv_sec, info.st_mtim.tv_sec) <
      MappedFile::kStampAgeSeconds)
    return {};
  return fmt::format("{}:{}:{}:{}:{}", info.st_dev, info.st_ino, info.st_size,
                     nanoseconds(info.st_mtim), nanoseconds(info.st_ctim));
}

// Address space of `size` bytes, of which the start is aligned to a huge page when there is room
// for one; nullptr when there is none. To be mapped over.
void* reserve(std::size_t size) {
  const std::size_t slack = size < kHugePageBytes ? 0 : kHugePageBytes;
  if (size > SIZE_MAX - slack) return nullptr;
  void* const whole = ::mmap(nullptr, size + slack, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (whole == MAP_FAILED || slack == 0) return whole == MAP_FAILED ? nullptr : whole;
  auto* const begin = static_cast<std::byte*>(whole);
  const std::size_t before =
      (kHugePageBytes - reinterpret_cast<std::uintptr_t>(begin) % kHugePageBytes) % kHugePageBytes;
  // Whole pages only: the mapping above ends at a page, and so must what is given back.
  const std::size_t page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  const std::size_t used = (size + page - 1) / page * page;
  if (before > 0) ::munmap(begin, before);
  if (slack > before) ::munmap(begin + before + used, slack - before);
  return begin + before;
}

// Reads to the end of `fd`, at most max_bytes.
Result<std::string> read_all(int fd, const std::string& name, std::uint64_t max_bytes) {
  std::string content;
  constexpr std::size_t kStep = 1 << 16;
  for (;;) {
    const std::size_t old_size = content.size();
    content.resize(old_size + kStep);
    const ssize_t got = ::read(fd, content.data() + old_size, kStep);
    if (got < 0 && errno == EINTR) {
      content.resize(old_size);
      continue;
    }
    if (got < 0) return system_error(name, "read");
    content.resize(old_size + static_cast<std::size_t>(got));
    if (content.size() > max_bytes)
      return fail(ErrorCode::kLimit, "{}: larger than the limit of {} bytes", name, max_bytes);
    if (got == 0) return content;
  }
}

}  // namespace

Result<MappedFile> MappedFile::open(const std::string& path) {
  // Not blocking, for the open of a pipe would wait for a writer before the check below.
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0) return system_error(path, "open");
  return of_descriptor(file.get(), path);
}

Result<MappedFile> MappedFile::of_descriptor(int descriptor, const std::string& name) {
  struct stat info {};
  if (::fstat(descriptor, &info) != 0) return system_error(name, "stat");
  if (S_ISDIR(info.st_mode)) return fail(ErrorCode::kIo, "{}: is a directory, not a file", name);
  if (!S_ISREG(info.st_mode))
    return fail(ErrorCode::kIo, "{}: is not a regular file, so it cannot be mapped", name);
  auto mapped = of_range(descriptor, name, 0, static_cast<std::uint64_t>(info.st_size));
  if (mapped) mapped->stamp_ = stamp_of(info);
  return mapped;
}

Result<MappedFile> MappedFile::of_range(int descriptor, const std::string& name,
                                        std::uint64_t offset, std::uint64_t size) {
  MappedFile mapped;
  if (size == 0) return mapped;
  void* const place = size > SIZE_MAX ? nullptr : reserve(static_cast<std::size_t>(size));
  if (place == nullptr)
    return fail(ErrorCode::kMemory, "{}: cannot find address space for it: {}", name,
                std::strerror(errno));
  void* const address = ::mmap(place, static_cast<std::size_t>(size), PROT_READ,
                               MAP_PRIVATE | MAP_FIXED, descriptor, static_cast<off_t>(offset));
  if (address == MAP_FAILED) {
    const int reason = errno;
    ::munmap(place, static_cast<std::size_t>(size));
    errno = reason;
    return system_error(name, "map");
  }
  if (size >= kHugePageBytes) ::madvise(address, static_cast<std::size_t>(size), MADV_HUGEPAGE);
  mapped.data_ = static_cast<const std::byte*>(address);
  mapped.size_ = static_cast<std::size_t>(size);
  return mapped;
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)),
      stamp_(std::move(other.stamp_)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  std::swap(stamp_, other.stamp_);
  return *this;
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(const_cast<std::byte*>(data_), size_);
}

void MappedFile::prefetch() const {
  if (data_ != nullptr) ::madvise(const_cast<std::byte*>(data_), size_, MADV_WILLNEED);
}

Result<std::string> read_file(const std::string& path, std::uint64_t max_bytes) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return system_error(path, "open");
  return read_all(file.get(), path, max_bytes);
}

Result<std::string> read_stdin(std::uint64_t max_bytes) {
  return read_all(STDIN_FILENO, "standard input", max_bytes);
}

Status write_file_atomic(const std::string& path, std::string_view bytes) {
  EDGELM_TRY_ASSIGN(NewFile file, NewFile::create(path));
  EDGELM_TRY(file.append(as_byte_span(bytes)));
  return file.commit();
}

bool file_exists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

Result<std::uint64_t> file_size(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return system_error(path, "stat");
  return static_cast<std::uint64_t>(info.st_size);
}

std::string executable_path() {
  std::string path(4096, '\0');
  const ssize_t length = ::readlink("/proc/self/exe", path.data(), path.size());
  path.resize(length < 0 ? 0 : static_cast<std::size_t>(length));
  return path;
}

bool stdin_is_terminal() { return ::isatty(STDIN_FILENO) == 1; }
bool stdout_is_terminal() { return ::isatty(STDOUT_FILENO) == 1; }
bool stderr_is_terminal() { return ::isatty(STDERR_FILENO) == 1; }

}  // namespace edgelm::os
