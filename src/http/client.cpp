// The client of client.h: Asio's sockets and TLS, Beast's HTTP/1 parser, on a private io_context
// that runs one operation at a time until it is done or its time is up. All of Asio and Beast is in
// this file, because they are slow to compile; nothing of them shows in the header.

#include "http/client.h"

#include "http/answer_parser.h"  // first of what includes Boost

#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <cerrno>
#include <cstring>
#include <exception>
#include <optional>
#include <string>
#include <utility>

#include "http/message.h"
#include "http/resolve.h"

namespace edgelm::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using asio::ip::tcp;
using boost::system::error_code;
using Clock = std::chrono::steady_clock;
using Sink = std::function<bool(std::string_view piece)>;

constexpr std::size_t kReadBytes = 64u << 10;
constexpr std::size_t kMaxUnparsedBytes = 2 * kReadBytes;  // a chunk's first line, or trailers
constexpr int kMaxInterimAnswers = 8;                      // of status 1xx
// What is still read of an answer that the caller has enough of, so that a stream that is at its
// end anyway ("[DONE]") does not cost the connection.
constexpr auto kDrainTime = std::chrono::milliseconds(200);
constexpr std::uint64_t kDrainBytes = 64u << 10;
constexpr auto kCancelInterval = std::chrono::milliseconds(100);

bool closed_by_peer(const error_code& error) {
  return error == asio::error::eof || error == asio::error::connection_reset ||
         error == asio::error::broken_pipe || error == asio::error::connection_aborted ||
         error == asio::ssl::error::stream_truncated;
}

std::string seconds(std::chrono::milliseconds time) {
  return fmt::format("{:g} s", static_cast<double>(time.count()) * 1e-3);
}

enum class End { kDone, kTimeout, kCancelled };

}  // namespace

struct Connection::Impl {
  // What one asynchronous operation came to.
  struct Operation {
    bool done = false;
    error_code error;
    std::size_t n = 0;
  };
  struct Done {
    Operation* operation;
    void operator()(const error_code& error, std::size_t n = 0) const {
      *operation = {true, error, n};
    }
  };

  ~Impl() { close(); }

  Result<Response> perform(const Request& request, const Sink* on_data);

 private:
  Result<Response> exchange(const Request& request, const Url& url, const Sink* on_data);
  Status connect(const Request& request, const Url& url);
  Status connect_to(const Address& address, const Request& request, const Url& url,
                    Clock::time_point deadline, std::chrono::milliseconds share);
  Status start_tls(const Request& request, const Url& url, Clock::time_point deadline);
  Status send(const Request& request, const Url& url);
  Result<Response> receive(const Request& request, const Url& url, const Sink* on_data);
  Result<Response> finish(AnswerParser& parser, const Url& url, bool reusable);
  bool still_usable(const Url& url);

  void begin() {
    operation_ = {};
    context_.restart();
  }
  End wait(const Request& request, Clock::time_point deadline);
  Status unfinished(End end, const Request& request, const std::string& name,
                    const std::string& what);
  void close();

  asio::io_context context_{1};
  tcp::socket socket_{context_};
  std::unique_ptr<asio::ssl::context> tls_context_;
  std::unique_ptr<asio::ssl::stream<tcp::socket&>> tls_;
  Operation operation_;
  std::optional<Clock::time_point> total_deadline_;
  std::string origin_;  // of the open connection; empty without one
  std::string unread_;  // received, not parsed yet
  bool reused_ = false;
  bool received_ = false;  // anything of this answer
  bool lost_ = false;      // the server had closed the connection
};

End Connection::Impl::wait(const Request& request, Clock::time_point deadline) {
  if (total_deadline_) deadline = std::min(deadline, *total_deadline_);
  End end = End::kDone;
  while (!operation_.done) {
    const auto now = Clock::now();
    context_.run_until(request.cancelled ? std::min(deadline, now + kCancelInterval) : deadline);
    if (operation_.done) break;
    if (request.cancelled && request.cancelled()) {
      end = End::kCancelled;
      break;
    }
    if (Clock::now() >= deadline) {
      end = End::kTimeout;
      break;
    }
  }
  if (end != End::kDone) {
    // The operation refers to buffers of the caller: it must have ended before we return.
    error_code ignored;
    socket_.close(ignored);
    context_.restart();
    context_.run();
    close();
  }
  return end;
}

Status Connection::Impl::unfinished(End end, const Request& request, const std::string& name,
                                    const std::string& what) {
  if (end == End::kCancelled) return fail(ErrorCode::kIo, "{}: interrupted", name);
  if (total_deadline_ && Clock::now() >= *total_deadline_)
    return fail(ErrorCode::kIo, "{}: not done within {} in all", name,
                seconds(request.total_timeout));
  return fail(ErrorCode::kIo, "{}: {}", name, what);
}

void Connection::Impl::close() {
  tls_.reset();
  error_code ignored;
  socket_.close(ignored);
  origin_.clear();
  unread_.clear();
}

// Whether the open connection leads to `url` and nothing has happened on it since the last answer.
// Bytes that nobody asked for (a 408 that says goodbye, TLS's close_notify) must not be taken for
// the next answer.
bool Connection::Impl::still_usable(const Url& url) {
  if (origin_.empty() || origin_ != display_origin(url)) return false;
  char byte = 0;
  const ssize_t n = ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

Status Connection::Impl::connect(const Request& request, const Url& url) {
  close();
  const auto deadline = Clock::now() + request.connect_timeout;
  const std::string name = display_origin(url);
  EDGELM_TRY_ASSIGN(const std::vector<Address> addresses,
                    resolve(url.host, url.port, request.connect_timeout, name));
  Status status;
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    // A share of what is left for each, so that a dead first address (IPv6 without a route) leaves
    // time for the next.
    const auto left = std::max(deadline - Clock::now(), Clock::duration::zero());
    const auto share = left / static_cast<std::int64_t>(addresses.size() - i);
    status = connect_to(addresses[i], request, url, Clock::now() + share,
                        std::chrono::duration_cast<std::chrono::milliseconds>(share));
    if (status) break;
    if (request.cancelled && request.cancelled()) break;
  }
  if (!status) return status;
  if (url.scheme == "https") EDGELM_TRY(start_tls(request, url, deadline));
  origin_ = name;
  return {};
}

Status Connection::Impl::connect_to(const Address& address, const Request& request, const Url& url,
                                    Clock::time_point deadline, std::chrono::milliseconds share) {
  tcp::endpoint endpoint;
  std::memcpy(endpoint.data(), &address.storage, address.size);
  endpoint.resize(address.size);
  error_code error;
  socket_.close(error);
  socket_.open(endpoint.protocol(), error);
  if (error)
    return fail(ErrorCode::kIo, "{}: opening a socket: {}", display_origin(url), error.message());
  begin();
  socket_.async_connect(endpoint, Done{&operation_});
  const End end = wait(request, deadline);
  const std::string name = display_origin(url);
  if (end != End::kDone)
    return unfinished(end, request, name,
                      fmt::format("no answer to connecting within {}", seconds(share)));
  error = operation_.error;
  if (error == asio::error::connection_refused)
    return fail(ErrorCode::kIo, "{}: nobody listens (connection refused)", name);
  if (error) return fail(ErrorCode::kIo, "{}: connecting: {}", name, error.message());
  socket_.set_option(tcp::no_delay(true), error);
  return {};
}

Status Connection::Impl::start_tls(const Request& request, const Url& url,
                                   Clock::time_point deadline) {
  const std::string name = display_origin(url);
  error_code error;
  if (tls_context_ == nullptr) {
    tls_context_ = std::make_unique<asio::ssl::context>(asio::ssl::context::tls_client);
    // The system's certificates, or those of SSL_CERT_FILE and SSL_CERT_DIR.
    tls_context_->set_default_verify_paths(error);
    ::SSL_CTX_set_min_proto_version(tls_context_->native_handle(), TLS1_2_VERSION);
  }
  tls_ = std::make_unique<asio::ssl::stream<tcp::socket&>>(socket_, *tls_context_);
  ::SSL* const ssl = tls_->native_handle();
  ::X509_VERIFY_PARAM* const expected = ::SSL_get0_param(ssl);
  if (::X509_VERIFY_PARAM_set1_ip_asc(expected, url.host.c_str()) != 1) {
    ::ERR_clear_error();
    if (::X509_VERIFY_PARAM_set1_host(expected, url.host.c_str(), url.host.size()) != 1 ||
        ::SSL_set_tlsext_host_name(ssl, url.host.c_str()) != 1)
      return fail(ErrorCode::kIo, "{}: the host name cannot be verified", name);
  }
  tls_->set_verify_mode(asio::ssl::verify_peer, error);
  begin();
  tls_->async_handshake(asio::ssl::stream_base::client, Done{&operation_});
  const End end = wait(request, deadline);
  if (end != End::kDone)
    return unfinished(end, request, name,
                      fmt::format("no TLS connection within {}", seconds(request.connect_timeout)));
  if (!operation_.error) return {};
  const long verified = ::SSL_get_verify_result(ssl);
  const std::string said = operation_.error.message();
  close();
  if (verified != X509_V_OK)
    return fail(ErrorCode::kIo, "{}: its certificate is not trusted: {}", name,
                ::X509_verify_cert_error_string(verified));
  if (said.find("wrong version number") != std::string::npos)
    return fail(ErrorCode::kIo, "{}: does not speak TLS; with http:// perhaps?", name);
  return fail(ErrorCode::kIo, "{}: no TLS connection: {}", name, said);
}

Status Connection::Impl::send(const Request& request, const Url& url) {
  const std::string head = request_head(request, url);
  // One packet for a small request.
  const bool together = request.body.size() <= kReadBytes;
  const std::string first = together ? head + request.body : head;
  for (std::string_view rest :
       {std::string_view(first), together ? std::string_view() : std::string_view(request.body)}) {
    while (!rest.empty()) {
      begin();
      if (tls_ != nullptr) {
        tls_->async_write_some(asio::buffer(rest.data(), rest.size()), Done{&operation_});
      } else {
        socket_.async_write_some(asio::buffer(rest.data(), rest.size()), Done{&operation_});
      }
      const End end = wait(request, Clock::now() + request.idle_timeout);
      if (end != End::kDone)
        return unfinished(
            end, request, display_name(url),
            fmt::format("took nothing of the request for {}", seconds(request.idle_timeout)));
      if (operation_.error) {
        lost_ = closed_by_peer(operation_.error);
        return fail(ErrorCode::kIo, "{}: sending the request: {}", display_name(url),
                    operation_.error.message());
      }
      rest.remove_prefix(operation_.n);
    }
  }
  return {};
}

Result<Response> Connection::Impl::receive(const Request& request, const Url& url,
                                           const Sink* on_data) {
  const std::string name = display_name(url);
  const auto first_byte =
      request.first_byte_timeout.count() > 0 ? request.first_byte_timeout : request.idle_timeout;
  if (request.on_sent) request.on_sent();
  const auto header_deadline = Clock::now() + first_byte;
  std::optional<AnswerParser> parser(std::in_place, request, on_data);
  std::string buffer(kReadBytes, '\0');
  struct Stop {
    Clock::time_point deadline;
    std::uint64_t body_bytes;
  };
  std::optional<Stop> stop;  // once on_data has said so
  // Of the body: chunk headers and trailers are nothing new. A refusal instead of the stream asked
  // for has to be there as a whole, or a drip of it would hold the caller for ever.
  auto progress = Clock::now();
  std::uint64_t progress_bytes = 0;
  for (int interim = 0;;) {
    begin();
    if (tls_ != nullptr) {
      tls_->async_read_some(asio::buffer(buffer), Done{&operation_});
    } else {
      socket_.async_read_some(asio::buffer(buffer), Done{&operation_});
    }
    const bool in_body = parser->is_header_done();
    const End end = wait(request, stop      ? stop->deadline
                                  : in_body ? progress + request.idle_timeout
                                            : header_deadline);
    if (stop && (end != End::kDone || operation_.error)) return finish(*parser, url, false);
    if (end != End::kDone) {
      const Status status =
          unfinished(end, request, name,
                     in_body ? fmt::format("nothing more came for {}, after {} bytes of the body",
                                           seconds(request.idle_timeout), parser->body_bytes())
                             : fmt::format("no answer within {}", seconds(first_byte)));
      return fail(status.error());
    }
    error_code error = operation_.error;
    if (error && error != asio::error::eof) {
      lost_ = closed_by_peer(error);
      return fail(ErrorCode::kIo, "{}: {}: {}", name,
                  received_
                      ? fmt::format("cut off after {} bytes of the body", parser->body_bytes())
                      : std::string("no answer"),
                  error.message());
    }
    if (error == asio::error::eof) {
      if (!received_) {
        lost_ = true;
        return fail(ErrorCode::kIo, "{}: the server closed the connection without an answer", name);
      }
      error = {};
      parser->put_eof(error);
      if (!error) return finish(*parser, url, false);
      return fail(ErrorCode::kIo, "{}: cut off {} ({} bytes of the body came)", name,
                  parser->is_header_done() ? "in the body" : "in the header", parser->body_bytes());
    }
    received_ = true;
    unread_.append(buffer, 0, operation_.n);
    while (!unread_.empty()) {
      error = {};
      const std::size_t used = parser->put(asio::buffer(unread_), error);
      if (parser->stopped() && !stop)
        stop = Stop{Clock::now() + kDrainTime, parser->body_bytes() + kDrainBytes};
      const bool broken = error && error != beast::http::error::need_more;
      if (stop && (broken || parser->body_bytes() > stop->body_bytes))
        return finish(*parser, url, false);
      if (parser->too_large())
        return fail(ErrorCode::kLimit, "{}: the answer is larger than {} bytes", name,
                    request.max_body_bytes);
      if (error == beast::http::error::header_limit)
        return fail(ErrorCode::kLimit, "{}: a header of more than {} bytes", name,
                    AnswerParser::kMaxHeaderBytes);
      if (broken)
        return fail(ErrorCode::kFormat, "{}: the answer is not HTTP/1.1: {}{}", name,
                    error.message(),
                    url.scheme == "http" && unread_[0] == '\x15' ? "; with https:// perhaps?" : "");
      unread_.erase(0, used);
      if (parser->is_done()) {
        const int status = parser->response().status;
        if (status < 100 || status > 199 || status == 101) return finish(*parser, url, true);
        if (++interim > kMaxInterimAnswers)
          return fail(ErrorCode::kFormat, "{}: more than {} interim answers", name,
                      kMaxInterimAnswers);
        parser.emplace(request, on_data);
      } else if (error || used == 0) {
        break;
      }
    }
    const bool refused = on_data != nullptr && parser->response().status != 200;
    if (!in_body || (!refused && parser->body_bytes() != progress_bytes)) {
      progress = Clock::now();
      progress_bytes = parser->body_bytes();
    }
    if (unread_.size() > kMaxUnparsedBytes)
      return fail(ErrorCode::kLimit, "{}: chunk header or trailers of more than {} bytes", name,
                  kMaxUnparsedBytes);
  }
}

Result<Response> Connection::Impl::finish(AnswerParser& parser, const Url& url, bool reusable) {
  const bool keep =
      reusable && parser.keep_alive() && unread_.empty() && parser.response().status != 101;
  Response response = parser.take();
  if (!keep) close();
  response.url = display_origin(url) + url.target;
  return response;
}

Result<Response> Connection::Impl::exchange(const Request& request, const Url& url,
                                            const Sink* on_data) {
  reused_ = still_usable(url);
  for (;;) {
    received_ = false;
    lost_ = false;
    if (!reused_) EDGELM_TRY(connect(request, url));
    const Status sent = send(request, url);
    // A server may refuse (413, 401) and close before it has read everything: its answer counts.
    Result<Response> answer = sent || (lost_ && !reused_) ? receive(request, url, on_data)
                                                          : Result<Response>(fail(sent.error()));
    if (answer) return answer;
    close();
    if (!sent && !reused_) return fail(sent.error());
    if (!reused_ || received_ || !lost_) return answer;
    reused_ = false;
  }
}

Result<Response> Connection::Impl::perform(const Request& request, const Sink* on_data) {
  EDGELM_TRY_ASSIGN(Url url, parse_url(request.url));
  EDGELM_TRY(check_request(request, url));
  total_deadline_.reset();
  if (request.total_timeout.count() > 0) total_deadline_ = Clock::now() + request.total_timeout;
  Request current = request;
  for (int redirects = 0;; ++redirects) {
    EDGELM_TRY_ASSIGN(Response response, exchange(current, url, on_data));
    const std::string_view location = response.header("location");
    if (request.max_redirects <= 0 || request.method != "GET" || !is_redirect(response.status) ||
        location.empty())
      return response;
    if (redirects == request.max_redirects)
      return fail(ErrorCode::kLimit, "{}: redirected more than {} times", display_name(url),
                  request.max_redirects);
    EDGELM_TRY_ASSIGN(const Url next, redirect_target(url, location));
    if (display_origin(next) != display_origin(url)) drop_credentials(current.headers);
    url = next;
  }
}

Connection::Connection() = default;
Connection::~Connection() = default;
Connection::Connection(Connection&&) noexcept = default;
Connection& Connection::operator=(Connection&&) noexcept = default;

Result<Response> Connection::fetch(const Request& request) { return run(request, nullptr); }

Result<Response> Connection::stream(const Request& request, const Sink& on_data) {
  return run(request, &on_data);
}

Result<Response> Connection::run(const Request& request,
                                 const std::function<bool(std::string_view)>* on_data) {
  try {
    if (impl_ == nullptr) impl_ = std::make_unique<Impl>();
    return impl_->perform(request, on_data);
  } catch (const std::exception& error) {  // no descriptors or no memory left, in Asio
    impl_.reset();
    return fail(ErrorCode::kIo, "HTTP client: {}", error.what());
  }
}

Result<Response> fetch(const Request& request) { return Connection().fetch(request); }

Result<Response> stream(const Request& request, const Sink& on_data) {
  return Connection().stream(request, on_data);
}

}  // namespace edgelm::http
