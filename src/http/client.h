#pragma once
// An HTTP/1.1 client: one request, its whole answer, or the answer as it arrives. http and https
// (certificates verified against the system's), time limits on everything, size limits on
// everything. Used for power plugs, OpenAI-compatible endpoints and model hubs. Beast stays inside
// client.cpp.

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace edgelm::http {

struct Url {
  std::string scheme;  // "http", "https"
  std::string host;    // without brackets for IPv6
  std::string port;    // "80"
  std::string target;  // "/v1/models?x=1", at least "/"
};
// kUsage for what is not an http(s) URL, has user:password, control characters or an empty host.
Result<Url> parse_url(std::string_view text);
// For messages: without the query. With and without the path.
std::string display_name(const Url& url);
std::string display_origin(const Url& url);

using Headers = std::vector<std::pair<std::string, std::string>>;  // names in lower case in answers

struct Request {
  std::string method = "GET";
  std::string url;
  Headers headers;
  std::string body;
  std::chrono::milliseconds connect_timeout{5'000};
  // From the request to the end of the answer's header; 0: as idle_timeout.
  std::chrono::milliseconds first_byte_timeout{0};
  // Between two pieces of the answer's body: a streamed one may take as long as it likes in all. A
  // body of another status than 200 that comes instead of a stream has this time as a whole.
  std::chrono::milliseconds idle_timeout{30'000};
  std::chrono::milliseconds total_timeout{0};              // 0: none
  std::uint64_t max_body_bytes = std::uint64_t{16} << 20;  // of what is kept
  // Followed for GET alone, never from https to http; `authorization` and `cookie` stay behind when
  // another server is named. 0: a redirect is a Response like any other.
  int max_redirects = 0;
  // Called when the request has been written, before the answer is waited for (again when it had to
  // be sent again): the moment from which a server's latency counts.
  std::function<void()> on_sent;
  // Asked about ten times a second while waiting, when set; true gives up with kIo "interrupted".
  std::function<bool()> cancelled;
};

struct Response {
  int status = 0;
  Headers headers;
  std::string body;
  std::string url;  // that answered, after redirects; may hold a signature: not for messages
  [[nodiscard]] std::string_view header(std::string_view lower_name) const;  // "" when absent
};

// Any status is a Response; an Error is a failure to get one (kIo: refused, timed out, cut off;
// kFormat: not HTTP; kLimit: too large; kUsage: the URL or a header of the request). Messages name
// the URL without its query, and never what was sent. SIGPIPE is never raised.
Result<Response> fetch(const Request& request);

// The same, with each piece of the body given to `on_data` as it arrives (not kept) when the status
// is 200; on_data returns false to stop, which is no error (a connection whose answer ends within
// the next moment is kept, others are closed). Bodies of other statuses are kept.
Result<Response> stream(const Request& request,
                        const std::function<bool(std::string_view piece)>& on_data);

// Keeps the connection between requests to one server, so that a latency is not that of a
// handshake. A request is sent a second time when the server had closed the kept connection before
// anything of an answer came. Not thread-safe.
class Connection {
 public:
  Connection();
  ~Connection();
  Connection(Connection&&) noexcept;
  Connection& operator=(Connection&&) noexcept;
  Result<Response> fetch(const Request& request);
  Result<Response> stream(const Request& request,
                          const std::function<bool(std::string_view piece)>& on_data);

 private:
  struct Impl;
  Result<Response> run(const Request& request,
                       const std::function<bool(std::string_view piece)>* on_data);
  std::unique_ptr<Impl> impl_;
};

}  // namespace edgelm::http
