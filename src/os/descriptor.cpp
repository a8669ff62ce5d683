// POSIX close for os/descriptor.h.

#include "os/descriptor.h"

#include <unistd.h>

namespace edgelm::os {

Descriptor::~Descriptor() {
  if (fd_ >= 0) ::close(fd_);
}

}  // namespace edgelm::os
