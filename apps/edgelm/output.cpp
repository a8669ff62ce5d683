// Results to standard output.

#include "apps/edgelm/output.h"

#include <cerrno>
#include <cstring>

namespace edgelm::apps {

Status write_result(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0)
    return {};
  return fail(ErrorCode::kIo, "standard output: cannot write: {}", std::strerror(errno));
}

}  // namespace edgelm::apps
