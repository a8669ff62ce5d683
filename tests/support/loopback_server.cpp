// POSIX sockets and poll() for loopback_server.h. Reads only requests with a content-length, which
// is what our client sends.

#include "support/loopback_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>

namespace edgelm::test {
namespace {

[[noreturn]] void give_up(const char* what) {
  std::perror(what);
  std::abort();
}

// A socket bound to a free port of 127.0.0.1.
int bound_socket(std::uint16_t* port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) give_up("socket");
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  if (::bind(fd, generic, size) != 0) give_up("bind");
  if (::getsockname(fd, generic, &size) != 0) give_up("getsockname");
  *port = ntohs(address.sin_port);
  return fd;
}

std::string lower_case(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return text;
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  return text;
}

HttpRequest parse_head(std::string_view head) {
  HttpRequest request;
  std::string_view line = head.substr(0, head.find("\r\n"));
  request.method = line.substr(0, line.find(' '));
  line.remove_prefix(std::min(line.size(), request.method.size() + 1));
  request.target = line.substr(0, line.find(' '));
  while (true) {
    const std::size_t end = head.find("\r\n");
    if (end == std::string_view::npos) return request;
    head.remove_prefix(end + 2);
    line = head.substr(0, head.find("\r\n"));
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    request.headers.emplace_back(lower_case(std::string(line.substr(0, colon))),
                                 trimmed(line.substr(colon + 1)));
  }
}

}  // namespace

struct LoopbackServer::Client {
  explicit Client(int descriptor, std::uint32_t number) : fd(descriptor), index(number) {}
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  ~Client() { ::close(fd); }
  int fd;
  std::uint32_t index;
  std::string received;
};

std::string_view HttpRequest::header(std::string_view lower_name) const {
  for (const auto& [name, value] : headers) {
    if (name == lower_name) return value;
  }
  return {};
}

std::string_view HttpRequest::path() const {
  return std::string_view(target).substr(0, target.find('?'));
}

bool Exchange::send(std::string_view raw) {
  while (!raw.empty() && !failed_) {
    const ssize_t n = ::send(fd_, raw.data(), raw.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n > 0) {
      raw.remove_prefix(static_cast<std::size_t>(n));
      continue;
    }
    if (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) failed_ = true;
    if (failed_) break;
    pollfd writable[2] = {{fd_, POLLOUT, 0}, {server_.wake_[0], POLLIN, 0}};
    ::poll(writable, 2, -1);
    if (writable[1].revents != 0) failed_ = true;
  }
  if (failed_) close_ = true;
  return !failed_;
}

bool Exchange::respond(int status, std::string_view body, std::string_view type,
                       const std::vector<std::pair<std::string, std::string>>& headers) {
  std::string answer = "HTTP/1.1 " + std::to_string(status) + " Scripted\r\ncontent-type: ";
  answer += type;
  answer += "\r\ncontent-length: " + std::to_string(body.size()) + "\r\n";
  for (const auto& [name, value] : headers) {
    answer += name;
    answer += ": ";
    answer += value;
    answer += "\r\n";
  }
  answer += "\r\n";
  answer += body;
  return send(answer);
}

// As RFC 9110 says of "bytes=FIRST-LAST".
bool Exchange::respond_range(const HttpRequest& request, std::string_view file) {
  const std::string range(request.header("range"));
  std::size_t first = 0;
  std::size_t last = 0;
  if (std::sscanf(range.c_str(), "bytes=%zu-%zu", &first, &last) != 2 || first >= file.size())
    return respond(416, "");
  last = std::min(last, file.size() - 1);
  return respond(206, file.substr(first, last - first + 1), "application/octet-stream",
                 {{"Content-Range", "bytes " + std::to_string(first) + "-" + std::to_string(last) +
                                        "/" + std::to_string(file.size())}});
}

bool Exchange::begin_chunks(int status, std::string_view type) {
  std::string head = "HTTP/1.1 " + std::to_string(status) + " Scripted\r\ncontent-type: ";
  head += type;
  head += "\r\ntransfer-encoding: chunked\r\n\r\n";
  return send(head);
}

bool Exchange::chunk(std::string_view piece) {
  if (piece.empty()) return !failed_;  // would end the answer
  char size[24];
  std::snprintf(size, sizeof size, "%zx\r\n", piece.size());
  std::string framed = size;
  framed += piece;
  framed += "\r\n";
  return send(framed);
}

bool Exchange::end_chunks() { return send("0\r\n\r\n"); }

bool Exchange::event(std::string_view data) {
  std::string framed = "data: ";
  for (const char c : data) {
    framed += c;
    if (c == '\n') framed += "data: ";
  }
  framed += "\n\n";
  return chunk(framed);
}

void Exchange::close() { close_ = true; }

void Exchange::reset() {
  const linger now = {1, 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  close_ = true;
}

bool Exchange::wait_for_release() {
  std::unique_lock lock(server_.mutex_);
  server_.changed_.wait(lock, [this] { return server_.releases_ > 0 || server_.ending_; });
  if (server_.ending_) return false;
  --server_.releases_;
  return true;
}

bool Exchange::wait_for_client() {
  close_ = true;
  char bytes[4096];
  while (server_.wait_readable(fd_, -1)) {
    if (::recv(fd_, bytes, sizeof bytes, 0) <= 0) return true;
  }
  return false;
}

bool Exchange::wait_ms(int millis) { return server_.wait_readable(-1, millis); }

LoopbackServer::LoopbackServer(Handler handler) : handler_(std::move(handler)) {
  listener_ = bound_socket(&port_);
  if (::listen(listener_, 64) != 0) give_up("listen");
  if (::pipe(wake_) != 0) give_up("pipe");
  thread_ = std::thread([this] { serve(); });
}

LoopbackServer::~LoopbackServer() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  ::close(wake_[1]);
  thread_.join();
  ::close(wake_[0]);
  ::close(listener_);
}

std::string LoopbackServer::url(std::string_view path) const {
  std::string text = "http://127.0.0.1:" + std::to_string(port_);
  text += path;
  return text;
}

std::vector<HttpRequest> LoopbackServer::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

std::uint32_t LoopbackServer::n_connections() const {
  const std::lock_guard lock(mutex_);
  return n_connections_;
}

void LoopbackServer::release() {
  {
    const std::lock_guard lock(mutex_);
    ++releases_;
  }
  changed_.notify_all();
}

bool LoopbackServer::wait_readable(int fd, int timeout_ms) const {
  pollfd watched[2] = {{wake_[0], POLLIN, 0}, {fd, POLLIN, 0}};  // poll skips -1
  ::poll(watched, 2, timeout_ms);
  return watched[0].revents == 0;
}

void LoopbackServer::serve() {
  std::vector<std::unique_ptr<Client>> clients;
  while (true) {
    std::vector<pollfd> watched = {{wake_[0], POLLIN, 0}, {listener_, POLLIN, 0}};
    for (const auto& client : clients) watched.push_back({client->fd, POLLIN, 0});
    if (::poll(watched.data(), watched.size(), -1) < 0) continue;
    if (watched[0].revents != 0) return;
    for (std::size_t i = clients.size(); i > 0; --i) {
      if (watched[i + 1].revents != 0 && !serve_request(*clients[i - 1]))
        clients.erase(clients.begin() + static_cast<std::ptrdiff_t>(i - 1));
    }
    if (watched[1].revents == 0) continue;
    const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) continue;
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    const std::lock_guard lock(mutex_);
    clients.push_back(std::make_unique<Client>(fd, n_connections_++));
  }
}

bool LoopbackServer::serve_request(Client& client) {
  std::size_t head_end = std::string::npos;
  std::size_t body_bytes = 0;
  HttpRequest request;
  char bytes[16384];
  while (true) {
    if (head_end == std::string::npos) {
      head_end = client.received.find("\r\n\r\n");
      if (head_end != std::string::npos) {
        request = parse_head(std::string_view(client.received).substr(0, head_end + 2));
        const std::string length(request.header("content-length"));
        body_bytes = length.empty() ? 0 : std::strtoull(length.c_str(), nullptr, 10);
      }
    }
    if (head_end != std::string::npos && client.received.size() >= head_end + 4 + body_bytes) break;
    if (!wait_readable(client.fd, -1)) return false;
    const ssize_t n = ::recv(client.fd, bytes, sizeof bytes, 0);
    if (n <= 0) return false;
    client.received.append(bytes, static_cast<std::size_t>(n));
  }
  request.body = client.received.substr(head_end + 4, body_bytes);
  request.connection = client.index;
  client.received.erase(0, head_end + 4 + body_bytes);
  {
    const std::lock_guard lock(mutex_);
    requests_.push_back(request);
  }
  Exchange exchange(*this, client.fd);
  handler_(request, exchange);
  return !exchange.close_;
}

std::uint16_t free_port() {
  std::uint16_t port = 0;
  ::close(bound_socket(&port));
  return port;
}

}  // namespace edgelm::test
