// A folder that is there, then what its files say.

#include "apps/edgelm/machine.h"

#include <sys/stat.h>

#include "os/system_files.h"

namespace edgelm::apps {

bool is_folder(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

Result<device::Passport> describe_machine(const std::string& sysroot) {
  if (!sysroot.empty() && !is_folder(sysroot))
    return fail(ErrorCode::kNotFound,
                "{}: no such folder; --sysroot takes one that holds proc, sys and etc of the "
                "recorded machine",
                sysroot);
  return device::describe(*os::system_files(sysroot));
}

}  // namespace edgelm::apps
