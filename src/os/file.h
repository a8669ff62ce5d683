#pragma once
// Files: a read-only mapping, whole-file reads with a cap, and writes that appear whole or not at
// all. Messages carry the path and the system's reason.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace edgelm::os {

// A read-only private mapping of a whole file. Movable; unmaps when destroyed. An empty file maps
// to an empty span. Thread-safe once opened.
//
// One of 2 MiB or more starts at a multiple of 2 MiB and asks for huge pages (madvise), which Linux
// gives to files on file systems with large folios (ext4 since 6.16, XFS, btrfs): a walk through
// weights misses the TLB less, and a page fault on a file not in memory reads 2 MiB at once.
//
// The mapping stays valid while the file is replaced or unlinked; a file truncated by another
// process while mapped raises SIGBUS on access, as with every memory-mapped reader.
class MappedFile {
 public:
  static Result<MappedFile> open(const std::string& path);
  // Of an open descriptor, which may be closed afterwards. `name` is for messages.
  static Result<MappedFile> of_descriptor(int descriptor, const std::string& name);
  // Of a part of it, which must lie within the file. `offset` is a multiple of 2 MiB.
  static Result<MappedFile> of_range(int descriptor, const std::string& name, std::uint64_t offset,
                                     std::uint64_t size);

  MappedFile() = default;
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile();

  [[nodiscard]] Bytes bytes() const { return {data_, size_}; }

  // "device:inode:size:mtime:ctime" as the file was opened: another text when its content may be
  // another. Empty when that cannot be promised, because it changed in the last kStampAgeSeconds
  // and may change again within the file system's tick (of up to two seconds, on FAT).
  [[nodiscard]] const std::string& stamp() const { return stamp_; }
  static constexpr std::int64_t kStampAgeSeconds = 3;

  // Asks the system to read the pages ahead of use (madvise WILLNEED); errors are ignored.
  void prefetch() const;

 private:
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
  std::string stamp_;
};

// The whole file, or kLimit when it is larger than `max_bytes`. "-" is not special.
Result<std::string> read_file(const std::string& path, std::uint64_t max_bytes);

// All of standard input until its end, or kLimit beyond `max_bytes`.
Result<std::string> read_stdin(std::uint64_t max_bytes);

// Writes to a temporary file beside `path`, syncs, and renames over it.
Status write_file_atomic(const std::string& path, std::string_view bytes);

bool file_exists(const std::string& path);
Result<std::uint64_t> file_size(const std::string& path);

// Absolute path of the running executable; empty when the system does not tell.
std::string executable_path();

bool stdin_is_terminal();
bool stdout_is_terminal();
bool stderr_is_terminal();

}  // namespace edgelm::os
