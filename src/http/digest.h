#pragma once
// HTTP Digest authentication (RFC 7616) as a client: SHA-256, qop=auth, nothing weaker. Second
// generation Shelly plugs want it; used by device/power/plug.cpp. Apart from client.cpp because it
// needs neither sockets nor Beast.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "http/client.h"

namespace edgelm::http {

struct DigestChallenge {
  std::string realm;
  std::string nonce;
  std::optional<std::string> opaque;  // "" is to be sent back, too
  bool stale = false;                 // only the nonce was too old: the password may be right
};

// The first SHA-256 challenge with qop=auth among the WWW-Authenticate headers of a 401. kFormat
// when there is none that can be read, kUnsupported when they want something else (Basic, MD5,
// auth-int). What the server wrote is not repeated in messages.
Result<DigestChallenge> digest_challenge(const Headers& headers, std::string_view name);

// RFC 7616, section 3.4.1: of ASCII user, `count` the uses of this nonce so far and this one.
struct DigestUse {
  std::string_view user;
  std::string_view password;
  std::string_view method;
  std::string_view uri;  // the request's target, as sent
  std::string_view cnonce;
  std::uint32_t count = 1;
};
// The value of the Authorization header. kInternal when the library refuses to hash.
Result<std::string> digest_authorization(const DigestChallenge& challenge, const DigestUse& use);

// 128 random bits in hexadecimal digits.
Result<std::string> digest_cnonce();

// Requests to one server that may want a digest. Its nonce is kept and counted up, as RFC 7616 and
// Shelly's firmware 2.0 allow; earlier firmware wants a new one for every request, and says so with
// the 401 that brings it. Not thread-safe.
class DigestLogin {
 public:
  DigestLogin(std::string user, std::string password);
  // As Connection::fetch. A 401 is answered with the password once, and once more when the server
  // calls that nonce stale; the 401 that remains is a Response: the password is wrong. Without a
  // password every 401 is.
  Result<Response> fetch(Connection& connection, const Request& request);

 private:
  Result<Response> send(Connection& connection, const Request& request);

  std::string user_;
  std::string password_;
  std::optional<DigestChallenge> challenge_;
  std::uint32_t n_uses_ = 0;  // of the challenge's nonce
};

}  // namespace edgelm::http
