#pragma once
// A file in the making: written piece by piece, so that no writer has to hold it in memory, and
// seen by nobody before it is whole. Used by the writers of large files (formats/gguf_writer), and
// with in_memory() by what makes a model to run it at once.

#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "os/file.h"

namespace edgelm::os {

class NewFile {
 public:
  // Written to a temporary file beside `path`, which commit() renames over `path`, with the mode of
  // the file that was there. Symbolic links stay: what they lead to is replaced. A device or a pipe
  // is written to at once. A folder or a socket is kIo.
  static Result<NewFile> create(const std::string& path);

  // Without a place in any folder: pages of memory that are mapped as those of a file are. Gone
  // with the last mapping. `name` is for messages.
  static Result<NewFile> in_memory(const std::string& name);

  NewFile(NewFile&& other) noexcept;
  NewFile& operator=(NewFile&& other) = delete;
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;
  ~NewFile();  // what was not committed is removed

  Status append(Bytes bytes);

  // Syncs and renames; on failure nothing is left behind. For create() only.
  Status commit();

  // A read-only mapping of what has been appended.
  [[nodiscard]] Result<MappedFile> map() const;

  // Still owned by this: for handing it down to a child process.
  [[nodiscard]] int descriptor() const { return descriptor_; }

 private:
  NewFile(int descriptor, std::string path, std::string temporary, unsigned mode);

  int descriptor_;
  std::string path_;
  std::string temporary_;  // empty when there is nothing to remove
  unsigned mode_;          // of the file when it is whole
};

}  // namespace edgelm::os
