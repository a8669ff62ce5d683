#pragma once
// A scripted HTTP server on 127.0.0.1 for tests: a handler gets each request and writes raw bytes,
// so that a test can answer well, slowly, in pieces, wrongly or never. One thread serves all
// connections, one request at a time; connections are kept as HTTP/1.1 says. Steps are steered by
// the test (Exchange::wait_for_release), not by sleeping.

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace edgelm::test {

struct HttpRequest {
  std::string method;
  std::string target;                                        // "/v1/models?x=1"
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
  std::string body;
  std::uint32_t connection = 0;  // 0 for the first one accepted

  [[nodiscard]] std::string_view header(std::string_view lower_name) const;  // "" when absent
  [[nodiscard]] std::string_view path() const;                               // without the query
};

class LoopbackServer;

// The answer to one request. Writing functions give false once the client has gone. What is never
// answered stays open until the client closes or the server ends.
class Exchange {
 public:
  // A whole answer with its length.
  bool respond(int status, std::string_view body, std::string_view type = "application/json",
               const std::vector<std::pair<std::string, std::string>>& headers = {});
  // The part of `file` that the request's header "Range: bytes=FIRST-LAST" asks for.
  bool respond_range(const HttpRequest& request, std::string_view file);
  // An answer in chunks: begin, any number of pieces, end.
  bool begin_chunks(int status = 200, std::string_view type = "text/event-stream");
  bool chunk(std::string_view piece);
  bool end_chunks();
  // A server-sent event as one chunk: a data line for each line of `data`, and a blank one. Needs
  // begin_chunks().
  bool event(std::string_view data);
  // Any bytes.
  bool send(std::string_view raw);

  void close();              // orderly, once the handler has returned
  void reset();              // connection reset by peer
  bool wait_for_release();   // until the test calls release(); false when the server ends
  bool wait_for_client();    // until the client closes; false when the server ends
  bool wait_ms(int millis);  // for tests of time limits alone; false when the server ends

 private:
  friend class LoopbackServer;
  Exchange(LoopbackServer& server, int fd) : server_(server), fd_(fd) {}
  LoopbackServer& server_;
  int fd_;
  bool close_ = false;
  bool failed_ = false;
};

class LoopbackServer {
 public:
  using Handler = std::function<void(const HttpRequest&, Exchange&)>;
  // Listens on a free port at once; aborts the test program when that fails.
  explicit LoopbackServer(Handler handler);
  ~LoopbackServer();  // ends waiting handlers and closes all connections
  LoopbackServer(const LoopbackServer&) = delete;
  LoopbackServer& operator=(const LoopbackServer&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] std::string url(std::string_view path = "") const;  // http://127.0.0.1:PORT + path
  [[nodiscard]] std::vector<HttpRequest> requests() const;          // so far
  [[nodiscard]] std::uint32_t n_connections() const;                // so far
  void release();  // lets one wait_for_release() pass, now or later

 private:
  friend class Exchange;
  struct Client;
  void serve();
  bool serve_request(Client& client);  // false: the connection is over
  // Until `fd` (-1: nothing) is readable; false when the server ends.
  bool wait_readable(int fd, int timeout_ms) const;

  Handler handler_;
  int listener_ = -1;
  int wake_[2] = {-1, -1};  // a pipe: closing its end wakes every poll
  std::uint16_t port_ = 0;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<HttpRequest> requests_;
  std::uint32_t n_connections_ = 0;
  int releases_ = 0;
  bool ending_ = false;
  std::thread thread_;
};

// A port of 127.0.0.1 on which nobody listens (it was free a moment ago).
std::uint16_t free_port();

}  // namespace edgelm::test
