// O_DIRECT in blocks of 8 MiB, which the system splits into as many requests as the device takes at
// once; where a file system knows no O_DIRECT, its pages are dropped and seen to be gone.

#include "measure/storage_speed.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <vector>

#include "base/random.h"
#include "os/clock.h"
#include "os/descriptor.h"
#include "os/pages.h"

namespace edgelm::measure {
namespace {

constexpr std::size_t kBlock = 8U << 20;
constexpr std::uint64_t kLeastBytes = 16U << 20;
constexpr long kTmpfs = 0x01021994;  // linux/magic.h
constexpr long kRamfs = 0x858458f6;

std::string reason(const std::string& path) {
  return fmt::format("{}: {}", path, std::strerror(errno));
}

double seconds_since(std::int64_t start_ns) { return os::ns_to_s(os::now_ns() - start_ns); }

// A file without a name in `folder`, of noise that no file system can make smaller.
Known<os::Descriptor> write_file(const StorageOptions& options, std::byte* block) {
  os::Descriptor file(::open(options.path.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (!file.open()) {  // file systems without O_TMPFILE
    std::string name = options.path + "/edgelm-speed-XXXXXX";
    file = os::Descriptor(::mkostemp(name.data(), O_CLOEXEC));
    if (!file.open()) return not_available(reason(options.path));
    ::unlink(name.c_str());
  }
  Random random(static_cast<std::uint64_t>(os::now_ns()));
  for (std::size_t i = 0; i < kBlock; i += 8) {
    const std::uint64_t bits = random.bits();
    std::memcpy(block + i, &bits, sizeof bits);
  }
  const std::int64_t start = os::now_ns();
  std::uint64_t written = 0;
  while (written < options.file_bytes && seconds_since(start) < options.write_seconds) {
    std::memcpy(block, &written, sizeof written);  // no two blocks alike
    const ssize_t n = ::write(file.get(), block, kBlock);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno != ENOSPC) return not_available(reason(options.path));
    if (n <= 0) break;
    written += static_cast<std::uint64_t>(n);
    // To the disk at once: otherwise the time limit would bound the copying alone.
    if (::fdatasync(file.get()) != 0) return not_available(reason(options.path));
  }
  if (written < kLeastBytes)
    return not_available(fmt::format("{}: only {} MiB could be written in {:.0f} s", options.path,
                                     written >> 20U, options.write_seconds));
  return file;
}

// Whether any page of the file is still in memory.
bool is_resident(int file, std::uint64_t bytes) {
  void* map = ::mmap(nullptr, bytes, PROT_READ, MAP_SHARED, file, 0);
  if (map == MAP_FAILED) return true;
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  std::vector<unsigned char> pages((bytes + page - 1) / page);
  const bool known = ::mincore(map, bytes, pages.data()) == 0;
  ::munmap(map, bytes);
  const auto resident = std::count_if(pages.begin(), pages.end(),
                                      [](unsigned char state) { return (state & 1U) != 0; });
  return !known || static_cast<std::size_t>(resident) > pages.size() / 20;
}

// Past the page cache; false when this file system cannot.
bool set_direct(int file) {
  const int flags = ::fcntl(file, F_GETFL);
  return flags >= 0 && ::fcntl(file, F_SETFL, flags | O_DIRECT) == 0;
}

Known<StorageSpeed> read_file(const StorageOptions& options, int file, std::uint64_t size,
                              std::byte* block) {
  StorageSpeed speed;
  speed.direct = set_direct(file);
  if (!speed.direct) {
    ::posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED);
    if (is_resident(file, size))
      return not_available(options.path +
                           ": its pages stay in memory, reads would not reach the "
                           "storage");
  }
  const std::int64_t start = os::now_ns();
  std::uint64_t at = 0;
  // Whole blocks: O_DIRECT wants lengths in sectors.
  while (at + kBlock <= size && (at == 0 || seconds_since(start) < options.read_seconds)) {
    const ssize_t n = ::pread(file, block, kBlock, static_cast<off_t>(at));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return not_available(reason(options.path));
    at += static_cast<std::uint64_t>(n);
    if (static_cast<std::size_t>(n) != kBlock) break;  // the next one would be unaligned
  }
  speed.bytes = at;
  speed.bytes_per_s = static_cast<double>(at) / seconds_since(start);
  return speed;
}

}  // namespace

Known<StorageSpeed> storage_speed(const StorageOptions& options) {
  const os::Pages block(kBlock);
  if (block.data() == nullptr) return not_available("no memory for a block of 8 MiB");
  struct stat status {};
  struct statfs system {};
  if (::stat(options.path.c_str(), &status) != 0 || ::statfs(options.path.c_str(), &system) != 0)
    return not_available(reason(options.path));
  const auto type = static_cast<long>(system.f_type);
  if (type == kTmpfs || type == kRamfs)
    return not_available(options.path + " is in memory (tmpfs): it tells nothing of the storage");
  os::Descriptor file;
  if (S_ISDIR(status.st_mode)) {
    auto written = write_file(options, block.data());
    if (!written) return not_available(std::move(written).error().reason);
    file = *std::move(written);
  } else {
    file = os::Descriptor(::open(options.path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!file.open()) return not_available(reason(options.path));
  }
  if (::fstat(file.get(), &status) != 0) return not_available(reason(options.path));
  if (!S_ISREG(status.st_mode)) return not_available(options.path + ": not a regular file");
  const auto size = static_cast<std::uint64_t>(status.st_size);
  if (size < kLeastBytes)
    return not_available(fmt::format("{}: {} bytes, at least {} MiB are needed to measure",
                                     options.path, size, kLeastBytes >> 20U));
  return read_file(options, file.get(), size, block.data());
}

}  // namespace edgelm::measure
