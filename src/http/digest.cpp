// The challenge's grammar (RFC 9110, section 11), the digest (RFC 7616, section 3.4), and when it
// is sent.

#include "http/digest.h"

#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "http/message.h"

namespace edgelm::http {
namespace {

constexpr std::size_t kMaxValueBytes = 512;  // Shelly's nonces have 10 digits, RFC 7616's 44
constexpr std::size_t kMaxParameters = 32;   // of all challenges of a header

std::string hex(std::span<const unsigned char> bytes) {
  std::string text;
  text.reserve(2 * bytes.size());
  for (const unsigned char byte : bytes) fmt::format_to(std::back_inserter(text), "{:02x}", byte);
  return text;
}

Result<std::string> sha256_hex(std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> hash{};
  unsigned size = 0;
  if (::EVP_Digest(text.data(), text.size(), hash.data(), &size, ::EVP_sha256(), nullptr) != 1 ||
      size != 32)
    return fail(ErrorCode::kInternal, "OpenSSL computes no SHA-256");
  return hex(std::span(hash).first(size));
}

struct Parameter {
  std::string name;  // in lower case
  std::string value;
};

struct Challenge {
  std::string scheme;  // in lower case
  std::vector<Parameter> parameters;
  // nullptr when it is absent; `twice` when the server contradicts itself.
  [[nodiscard]] const std::string* find(std::string_view name, bool& twice) const {
    const std::string* found = nullptr;
    for (const Parameter& parameter : parameters) {
      if (parameter.name != name) continue;
      if (found != nullptr) twice = true;
      found = &parameter.value;
    }
    return found;
  }
};

// One header: challenges and their parameters, all separated by commas. What is no grammar ends it:
// what stood before counts.
class ChallengeReader {
 public:
  explicit ChallengeReader(std::string_view text) : rest_(text) {}

  std::vector<Challenge> read() {
    std::vector<Challenge> challenges;
    for (std::size_t n = 0; n < kMaxParameters && !rest_.empty(); ++n) {
      skip(" \t,");
      const std::string word = token();
      if (word.empty()) break;
      const std::size_t spaces = skip(" \t");
      if (rest_.starts_with('=')) {
        if (challenges.empty() || !value(word, challenges.back())) break;
        continue;
      }
      challenges.push_back({lower_case(word), {}});
      if (spaces == 0 && !rest_.empty() && rest_[0] != ',') break;
    }
    return challenges;
  }

 private:
  std::size_t skip(std::string_view chars) {
    const std::size_t n = std::min(rest_.find_first_not_of(chars), rest_.size());
    rest_.remove_prefix(n);
    return n;
  }

  std::string token() {
    const auto* const end = std::find_if_not(rest_.begin(), rest_.end(), is_token_char);
    std::string word(rest_.begin(), end);
    rest_.remove_prefix(word.size());
    return word;
  }

  bool value(const std::string& name, Challenge& challenge) {
    rest_.remove_prefix(1);  // =
    skip(" \t");
    Parameter parameter{lower_case(name), {}};
    if (rest_.starts_with('"')) {
      if (!quoted(parameter.value)) return false;
    } else {
      parameter.value = token();
      if (parameter.value.empty()) return false;
    }
    if (parameter.value.size() > kMaxValueBytes) return false;
    challenge.parameters.push_back(std::move(parameter));
    skip(" \t");
    return rest_.empty() || rest_[0] == ',';
  }

  bool quoted(std::string& text) {
    for (std::size_t i = 1; i < rest_.size(); ++i) {
      char c = rest_[i];
      if (c == '"') {
        rest_.remove_prefix(i + 1);
        return true;
      }
      if (c == '\\' && ++i < rest_.size()) c = rest_[i];
      const auto byte = static_cast<unsigned char>(c);
      if (byte < ' ' || byte == 0x7f) return false;
      text += c;
    }
    return false;
  }

  std::string_view rest_;
};

bool lists_auth(std::string_view qop) {
  while (!qop.empty()) {
    const std::size_t comma = std::min(qop.find(','), qop.size());
    std::string_view word = qop.substr(0, comma);
    while (word.starts_with(' ')) word.remove_prefix(1);
    while (word.ends_with(' ')) word.remove_suffix(1);
    if (lower_case(word) == "auth") return true;
    qop.remove_prefix(std::min(comma + 1, qop.size()));
  }
  return false;
}

// kUnsupported: a digest, but another one.
Result<DigestChallenge> usable(const Challenge& challenge, std::string_view name) {
  bool twice = false;
  const std::string* const realm = challenge.find("realm", twice);
  const std::string* const nonce = challenge.find("nonce", twice);
  const std::string* const opaque = challenge.find("opaque", twice);
  const std::string* const stale = challenge.find("stale", twice);
  const std::string* const algorithm = challenge.find("algorithm", twice);
  const std::string* const qop = challenge.find("qop", twice);
  if (realm == nullptr || nonce == nullptr || nonce->empty() || twice)
    return fail(ErrorCode::kFormat,
                "{}: its WWW-Authenticate header cannot be read (expected Digest with one realm "
                "and one nonce)",
                name);
  if (algorithm == nullptr || lower_case(*algorithm) != "sha-256" || qop == nullptr ||
      !lists_auth(*qop))
    return fail(ErrorCode::kUnsupported,
                "{}: wants another digest than SHA-256 with qop=auth (RFC 7616); update its "
                "firmware",
                name);
  DigestChallenge result;
  result.realm = *realm;
  result.nonce = *nonce;
  if (opaque != nullptr) result.opaque = *opaque;
  result.stale = stale != nullptr && lower_case(*stale) == "true";
  return result;
}

void add_quoted(std::string& text, std::string_view name, std::string_view value) {
  text.append(name).append("=\"");
  for (const char c : value) {
    if (c == '"' || c == '\\') text += '\\';
    text += c;
  }
  text += "\", ";
}

}  // namespace

Result<DigestChallenge> digest_challenge(const Headers& headers, std::string_view name) {
  Error wrong{
      ErrorCode::kFormat,
      fmt::format("{}: status 401 without a WWW-Authenticate header that can be read", name)};
  bool digest_seen = false;
  for (const auto& [header, value] : headers) {
    if (lower_case(header) != "www-authenticate") continue;
    for (const Challenge& challenge : ChallengeReader(value).read()) {
      if (challenge.scheme == "digest") {
        Result<DigestChallenge> result = usable(challenge, name);
        if (result) return result;
        wrong = result.error();
        digest_seen = true;
      } else if (!digest_seen) {
        wrong = {ErrorCode::kUnsupported,
                 fmt::format("{}: wants another way to log in than the digest of RFC 7616", name)};
      }
    }
  }
  return fail(std::move(wrong));
}

Result<std::string> digest_authorization(const DigestChallenge& challenge, const DigestUse& use) {
  const std::string count = fmt::format("{:08x}", use.count);
  EDGELM_TRY_ASSIGN(const std::string secret,
                    sha256_hex(fmt::format("{}:{}:{}", use.user, challenge.realm, use.password)));
  EDGELM_TRY_ASSIGN(const std::string request,
                    sha256_hex(fmt::format("{}:{}", use.method, use.uri)));
  EDGELM_TRY_ASSIGN(const std::string response,
                    sha256_hex(fmt::format("{}:{}:{}:{}:auth:{}", secret, challenge.nonce, count,
                                           use.cnonce, request)));
  std::string text = "Digest ";
  add_quoted(text, "username", use.user);
  add_quoted(text, "realm", challenge.realm);
  add_quoted(text, "nonce", challenge.nonce);
  add_quoted(text, "uri", use.uri);
  add_quoted(text, "response", response);
  add_quoted(text, "cnonce", use.cnonce);
  if (challenge.opaque) add_quoted(text, "opaque", *challenge.opaque);
  return text + fmt::format("algorithm=SHA-256, qop=auth, nc={}", count);
}

Result<std::string> digest_cnonce() {
  std::array<unsigned char, 16> bytes{};
  if (::RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1)
    return fail(ErrorCode::kInternal, "OpenSSL has no random numbers");
  return hex(bytes);
}

DigestLogin::DigestLogin(std::string user, std::string password)
    : user_(std::move(user)), password_(std::move(password)) {}

Result<Response> DigestLogin::send(Connection& connection, const Request& request) {
  if (!challenge_) return connection.fetch(request);
  EDGELM_TRY_ASSIGN(const Url url, parse_url(request.url));
  EDGELM_TRY_ASSIGN(const std::string cnonce, digest_cnonce());
  EDGELM_TRY_ASSIGN(std::string authorization,
                    digest_authorization(*challenge_, {user_, password_, request.method, url.target,
                                                       cnonce, ++n_uses_}));
  Request with_password = request;
  with_password.max_redirects = 0;  // the digest is of this URI
  with_password.headers.emplace_back("authorization", std::move(authorization));
  return connection.fetch(with_password);
}

Result<Response> DigestLogin::fetch(Connection& connection, const Request& request) {
  // 0: what is kept is too old, or there is nothing yet; 1: the nonce was new; 2: and it was stale.
  for (int attempt = 0;; ++attempt) {
    EDGELM_TRY_ASSIGN(Response response, send(connection, request));
    if (response.status != 401 || password_.empty()) return response;
    challenge_.reset();
    n_uses_ = 0;
    EDGELM_TRY_ASSIGN(const Url url, parse_url(request.url));
    Result<DigestChallenge> challenge = digest_challenge(response.headers, display_origin(url));
    if (attempt == 2 || (attempt == 1 && !(challenge && challenge->stale))) return response;
    if (!challenge) return fail(std::move(challenge.error()));
    challenge_ = *std::move(challenge);
  }
}

}  // namespace edgelm::http
