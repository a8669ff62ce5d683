#pragma once
// The start of a file on a server, fetched in steps by Range requests, for whoever needs a header
// and not the gigabytes behind it. Follows redirects (hubs send to another host, which gets no
// credentials). A server that ignores Range is read up to what is wanted and then left.

#include <cstdint>
#include <functional>
#include <string>

#include "base/result.h"
#include "http/client.h"

namespace edgelm::http {

class RangeFile {
 public:
  explicit RangeFile(std::string url, Headers headers = {},
                     std::function<bool()> cancelled = nullptr);

  // Sees to it that bytes() holds at least the first `n_bytes` of the file, or all of it. Errors as
  // of fetch(), and kIo/kNotFound/kPermission for other statuses than 200 and 206; kFormat when
  // what came is not what was asked for; kUnsupported when the file's size is not told.
  Status need(std::uint64_t n_bytes);

  [[nodiscard]] const std::string& bytes() const { return bytes_; }
  [[nodiscard]] std::uint64_t file_bytes() const { return file_bytes_; }  // once need() succeeded
  [[nodiscard]] bool whole() const { return known_ && bytes_.size() == file_bytes_; }
  std::string take() { return std::move(bytes_); }

 private:
  Status take_part(const Response& response, std::uint64_t wanted);
  Status set_size(std::uint64_t file_bytes);

  Request request_;
  std::string name_;  // for messages
  Connection connection_;
  std::string bytes_;
  std::uint64_t file_bytes_ = 0;
  bool known_ = false;
};

}  // namespace edgelm::http
