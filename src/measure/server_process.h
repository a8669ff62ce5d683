#pragma once
// The process behind a port of this device, with all it has started: how much memory a server takes
// that is measured from outside. Only what /proc shows to this user.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/known.h"
#include "measure/record.h"

namespace edgelm::measure {

// Whether the host of a URL is this device: a loopback address, "localhost", this host's name, or
// an address of one of its interfaces.
bool is_this_device(const std::string& host);

// Inodes of sockets that listen on the port, from the text of /proc/net/tcp or tcp6.
std::vector<std::uint64_t> listening_inodes(std::string_view proc_net_tcp, std::uint16_t port);

struct ServerProcess {
  int pid = 0;
  std::string name;
  std::vector<int> all;  // it, and what descends from it
};
Known<ServerProcess> find_server(std::uint16_t port);

// Sums over all its processes; what one of them does not tell makes the sum unknown.
MemoryMeasured memory_of(const ServerProcess& server);

}  // namespace edgelm::measure
