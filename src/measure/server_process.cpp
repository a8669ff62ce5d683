// /proc/net/tcp, /proc/PID/fd, /proc/PID/stat.

#include "measure/server_process.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <map>
#include <sstream>

#include "os/system_files.h"

namespace edgelm::measure {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kListening = "0A";

std::vector<int> all_processes() {
  std::vector<int> pids;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator("/proc", ignored)) {
    const std::string name = entry.path().filename();
    int pid = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (error == std::errc() && end == name.data() + name.size()) pids.push_back(pid);
  }
  return pids;
}

bool holds_socket(int pid, const std::vector<std::uint64_t>& inodes) {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(fmt::format("/proc/{}/fd", pid), ignored)) {
    const std::string target = fs::read_symlink(entry.path(), ignored);
    for (const std::uint64_t inode : inodes)
      if (target == fmt::format("socket:[{}]", inode)) return true;
  }
  return false;
}

// Fields 2 and 4 of /proc/PID/stat: name and parent.
struct Stat {
  std::string name;
  int parent = 0;
};
Stat read_stat(const os::SystemFiles& files, int pid) {
  Stat stat;
  const auto text = files.read(fmt::format("/proc/{}/stat", pid));
  if (!text) return stat;
  const std::size_t open = text->find('(');
  const std::size_t close = text->rfind(')');
  if (open == std::string::npos || close == std::string::npos || close < open) return stat;
  stat.name = text->substr(open + 1, close - open - 1);
  std::istringstream rest(text->substr(close + 1));
  std::string state;
  rest >> state >> stat.parent;
  return stat;
}

void add_line(const std::string& text, std::string_view key, Known<std::uint64_t>& sum) {
  const std::size_t at = text.find(key);
  std::uint64_t kilobytes = 0;
  if (at != std::string::npos) {
    std::istringstream rest(text.substr(at + key.size()));
    if (rest >> kilobytes) {
      if (sum) *sum += kilobytes * 1024;
      return;
    }
  }
  sum = not_available(fmt::format("a process of the server does not tell {}", key));
}

}  // namespace

bool is_this_device(const std::string& host) {
  if (host == "localhost" || host == "::1" || host.starts_with("127.")) return true;
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) == 0 && host == name.data()) return true;
  ifaddrs* interfaces = nullptr;
  if (::getifaddrs(&interfaces) != 0) return false;
  bool found = false;
  for (const ifaddrs* at = interfaces; at != nullptr && !found; at = at->ifa_next) {
    if (at->ifa_addr == nullptr) continue;
    std::array<char, INET6_ADDRSTRLEN> text{};
    const int family = at->ifa_addr->sa_family;
    const void* address = nullptr;
    if (family == AF_INET) address = &reinterpret_cast<const sockaddr_in*>(at->ifa_addr)->sin_addr;
    if (family == AF_INET6)
      address = &reinterpret_cast<const sockaddr_in6*>(at->ifa_addr)->sin6_addr;
    found =
        address != nullptr &&
        ::inet_ntop(family, address, text.data(), static_cast<socklen_t>(text.size())) != nullptr &&
        host == text.data();
  }
  ::freeifaddrs(interfaces);
  return found;
}

std::vector<std::uint64_t> listening_inodes(std::string_view proc_net_tcp, std::uint16_t port) {
  std::vector<std::uint64_t> inodes;
  const std::string wanted = fmt::format(":{:04X}", port);
  std::istringstream lines{std::string(proc_net_tcp)};
  std::string line;
  std::getline(lines, line);  // titles
  while (std::getline(lines, line)) {
    // sl local remote state queues timer retransmits uid timeout inode
    std::istringstream words(line);
    std::array<std::string, 9> word;
    std::uint64_t inode = 0;
    for (std::string& one : word) words >> one;
    if (!(words >> inode)) continue;
    if (word[1].ends_with(wanted) && word[3] == kListening) inodes.push_back(inode);
  }
  return inodes;
}

Known<ServerProcess> find_server(std::uint16_t port) {
  const auto files = os::system_files();
  std::vector<std::uint64_t> inodes;
  for (const char* path : {"/proc/net/tcp", "/proc/net/tcp6"})
    if (const auto text = files->read(path))
      for (const std::uint64_t inode : listening_inodes(*text, port)) inodes.push_back(inode);
  if (inodes.empty())
    return not_available(fmt::format("no process of this device listens on port {}", port));
  const std::vector<int> pids = all_processes();
  const auto found =
      std::find_if(pids.begin(), pids.end(), [&](int pid) { return holds_socket(pid, inodes); });
  if (found == pids.end())
    return not_available(
        fmt::format("the process that listens on port {} belongs to another user", port));
  ServerProcess server;
  server.pid = *found;
  server.all = {*found};
  std::map<int, Stat> stats;
  for (const int pid : pids) stats[pid] = read_stat(*files, pid);
  server.name = stats[*found].name;
  for (std::size_t i = 0; i < server.all.size(); ++i)
    for (const auto& [pid, stat] : stats)
      if (stat.parent == server.all[i] && pid != server.all[i]) server.all.push_back(pid);
  return server;
}

MemoryMeasured memory_of(const ServerProcess& server) {
  const auto files = os::system_files();
  MemoryMeasured memory;
  memory.pss_file = memory.pss_anonymous = memory.peak_rss = std::uint64_t{0};
  for (const int pid : server.all) {
    const std::string set =
        files->read(fmt::format("/proc/{}/smaps_rollup", pid)).value_or(std::string());
    add_line(set, "Pss_File:", memory.pss_file);
    add_line(set, "Pss_Anon:", memory.pss_anonymous);
    add_line(files->read(fmt::format("/proc/{}/status", pid)).value_or(std::string()),
             "VmHWM:", memory.peak_rss);
  }
  return memory;
}

}  // namespace edgelm::measure
