#pragma once
// The folder of the cache: names of files in it, who may be trusted, what has to go. Everything
// goes by the descriptor of the folder, so that nobody can swap it between a check and a use.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "cache/header.h"
#include "os/descriptor.h"

namespace edgelm::cache {

// A file of the cache as found in the folder; its content is not looked at.
struct File {
  std::string name;
  std::uint64_t bytes = 0;
  std::int64_t used_ns = 0;  // time of the last use, since 1970
};

class Folder {
 public:
  // kNotFound when absent, unless `make`. Refused when another user owns it or may write to it.
  static Result<Folder> open(const std::string& path, bool make);

  [[nodiscard]] std::vector<File> files() const;  // last used first
  [[nodiscard]] std::uint64_t free_bytes() const;

  // A regular file of this user that no other may write to; never through a link, never waiting.
  [[nodiscard]] Result<os::Descriptor> open_file(const std::string& name, bool write = false) const;
  // Its header, checked against the size of the file.
  [[nodiscard]] Result<Header> read_header(const os::Descriptor& file,
                                           const std::string& name) const;
  Status remove(const std::string& name) const;  // no error when it is gone already

  // Removes files, the longest unused first and never `keep`, until those left take at most
  // `most_bytes`.
  void evict(std::uint64_t most_bytes, const std::string& keep = {}) const;
  // Removes what processes that died while they were writing have left.
  void remove_orphans() const;

  [[nodiscard]] int descriptor() const { return folder_.get(); }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  Folder(os::Descriptor folder, std::string path)
      : folder_(std::move(folder)), path_(std::move(path)) {}
  [[nodiscard]] std::vector<std::string> names(std::string_view suffix) const;

  os::Descriptor folder_;
  std::string path_;
};

constexpr std::string_view kSuffix = ".packed";
constexpr std::string_view kUnfinishedSuffix = ".unfinished";

}  // namespace edgelm::cache
