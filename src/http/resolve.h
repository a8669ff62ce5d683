#pragma once
// Names to addresses within a time limit. getaddrinfo() cannot be interrupted and waits as long as
// the system's resolver likes, so it runs in a thread that is left behind when time is up. Used by
// client.cpp alone.

#include <sys/socket.h>

#include <chrono>
#include <string>
#include <vector>

#include "base/result.h"

namespace edgelm::http {

struct Address {
  sockaddr_storage storage = {};
  socklen_t size = 0;
};

// At least one address, in the order to try (RFC 6724, by the system). `name` is for messages.
Result<std::vector<Address>> resolve(const std::string& host, const std::string& port,
                                     std::chrono::milliseconds timeout, const std::string& name);

}  // namespace edgelm::http
