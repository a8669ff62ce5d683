#pragma once
// The files in which a system describes itself (/proc, /sys, /etc, /dev), below a root folder: ""
// is this machine, another folder is a machine that was recorded or made up. Everything that
// device/ knows goes through here, so that each board and each fault can be replayed. Thread-safe.

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"

namespace edgelm::os {

class SystemFiles {
 public:
  virtual ~SystemFiles() = default;

  // The text of `path` ("/sys/class/..."), at most 1 MiB, as the system gave it (device-tree texts
  // end in NUL). kNotFound when absent, kPermission without the right, kIo for all else (a sensor
  // that vanished: ENODEV, ENODATA).
  [[nodiscard]] virtual Result<std::string> read(const std::string& path) const = 0;
  // Names in a folder, sorted, without . and ..; empty when there is no such folder.
  [[nodiscard]] virtual std::vector<std::string> list(const std::string& path) const = 0;
  // Overwrites an existing file (a governor, clear_refs).
  [[nodiscard]] virtual Status write(const std::string& path, const std::string& text) const = 0;
  // "" for this machine. Programs of the system (vcgencmd, nvpmodel) describe the machine they run
  // on, so with another root they are looked for in ROOT/usr/bin alone.
  [[nodiscard]] virtual std::string root() const = 0;

  // Without white space and NUL at the end.
  [[nodiscard]] Result<std::string> line(const std::string& path) const;
  // A decimal integer and nothing else; kFormat names file and text.
  [[nodiscard]] Result<long long> integer(const std::string& path) const;
};

// Files below `root` (an existing folder, or "").
std::unique_ptr<SystemFiles> system_files(const std::string& root = "");

}  // namespace edgelm::os
