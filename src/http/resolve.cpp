// Numeric addresses are read at once; names go to a thread. See resolve.h.

#include "http/resolve.h"

#include <netdb.h>

#include <condition_variable>
#include <cstring>
#include <memory>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

namespace edgelm::http {
namespace {

struct Lookup {
  int error = 0;
  std::vector<Address> addresses;
};

Lookup look_up(const std::string& host, const std::string& port, int flags) {
  addrinfo hints = {};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags;
  addrinfo* list = nullptr;
  Lookup result;
  result.error = ::getaddrinfo(host.c_str(), port.c_str(), &hints, &list);
  if (result.error != 0) return result;
  for (const addrinfo* at = list; at != nullptr; at = at->ai_next) {
    if (at->ai_addrlen > sizeof(sockaddr_storage)) continue;
    Address& address = result.addresses.emplace_back();
    std::memcpy(&address.storage, at->ai_addr, at->ai_addrlen);
    address.size = at->ai_addrlen;
  }
  ::freeaddrinfo(list);
  if (result.addresses.empty()) result.error = EAI_NONAME;
  return result;
}

// What the waiting caller and the thread share; whoever lets go last frees it.
struct Shared {
  std::mutex mutex;
  std::condition_variable ready;
  bool done = false;
  Lookup lookup;
};

}  // namespace

Result<std::vector<Address>> resolve(const std::string& host, const std::string& port,
                                     std::chrono::milliseconds timeout, const std::string& name) {
  Lookup numeric = look_up(host, port, AI_NUMERICHOST | AI_NUMERICSERV);
  if (numeric.error == 0) return std::move(numeric.addresses);

  const auto shared = std::make_shared<Shared>();
  try {
    std::thread([shared, host, port] {
      // No AI_ADDRCONFIG: it hides 127.0.0.1 on a machine whose only interface is loopback.
      Lookup found = look_up(host, port, AI_NUMERICSERV);
      const std::lock_guard lock(shared->mutex);
      shared->lookup = std::move(found);
      shared->done = true;
      shared->ready.notify_one();
    }).detach();
  } catch (const std::system_error& error) {
    return fail(ErrorCode::kIo, "{}: looking up the name: {}", name, error.what());
  }
  std::unique_lock lock(shared->mutex);
  if (!shared->ready.wait_for(lock, timeout, [&] { return shared->done; }))
    return fail(ErrorCode::kIo, "{}: the name '{}' was not resolved within {} ms", name, host,
                timeout.count());
  if (shared->lookup.error == 0) return std::move(shared->lookup.addresses);
  const int error = shared->lookup.error;
  if (error == EAI_NONAME)
    return fail(ErrorCode::kIo, "{}: no machine is known by the name '{}' (is the network up?)",
                name, host);
  return fail(ErrorCode::kIo, "{}: looking up '{}': {}", name, host, ::gai_strerror(error));
}

}  // namespace edgelm::http
