// The digest against RFC 7616's own example, challenges as servers and attackers write them, and
// the exchange with a scripted server that checks what it gets.

#include "http/digest.h"

#include <gmock/gmock.h>

#include <atomic>
#include <mutex>
#include <random>
#include <set>

#include "support/loopback_server.h"

namespace edgelm::http {
namespace {

using test::Exchange;
using test::HttpRequest;
using test::LoopbackServer;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kRealm = "http-auth@example.org";
constexpr const char* kNonce = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v";
constexpr const char* kOpaque = "FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS";

Result<DigestChallenge> challenge_of(std::string value) {
  return digest_challenge({{"www-authenticate", std::move(value)}}, "plug");
}

std::string response_of(const std::string& authorization) {
  const std::size_t at = authorization.find("response=\"");
  return at == std::string::npos ? "" : authorization.substr(at + 10, 64);
}

// RFC 7616, section 3.9.1: the server offers SHA-256 and MD5 in two headers.
TEST(Digest, TheExampleOfTheRfc) {
  const auto offer = [](const char* algorithm) {
    return fmt::format(
        "Digest\trealm=\"{}\", qop=\"auth, auth-int\", algorithm={}, nonce=\"{}\", opaque=\"{}\"",
        kRealm, algorithm, kNonce, kOpaque);
  };
  const auto challenge = digest_challenge(
      {{"www-authenticate", offer("MD5")}, {"www-authenticate", offer("SHA-256")}}, "example");
  ASSERT_TRUE(challenge) << challenge.error().message;
  EXPECT_EQ(challenge->realm, kRealm);
  EXPECT_EQ(challenge->opaque, kOpaque);
  EXPECT_FALSE(challenge->stale);
  const auto value =
      digest_authorization(*challenge, {"Mufasa", "Circle of Life", "GET", "/dir/index.html",
                                        "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", 1});
  ASSERT_TRUE(value) << value.error().message;
  EXPECT_EQ(response_of(*value),
            "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1");
  EXPECT_THAT(*value,
              AllOf(HasSubstr("username=\"Mufasa\""), HasSubstr("nc=00000001"),
                    HasSubstr("qop=auth,"), HasSubstr("algorithm=SHA-256"),
                    HasSubstr(fmt::format("opaque=\"{}\"", kOpaque)), Not(HasSubstr("Circle"))));
}

TEST(Digest, ChallengesAsPlugsWriteThem) {
  const auto plug = challenge_of(
      R"(Digest qop="auth", realm="shellyplusplugs-e86beae8f1b4", nonce="1694692867", algorithm=SHA-256)");
  ASSERT_TRUE(plug) << plug.error().message;
  EXPECT_EQ(plug->realm, "shellyplusplugs-e86beae8f1b4");
  EXPECT_EQ(plug->nonce, "1694692867");
  EXPECT_FALSE(plug->opaque);
  // An empty opaque is sent back; quotes and backslashes are escaped again.
  const auto odd = challenge_of(
      R"(Basic realm="x", digest  Algorithm = "sha-256" ,, REALM="a\"b\\c",nonce=7,opaque="",stale=TRUE, qop=auth)");
  ASSERT_TRUE(odd) << odd.error().message;
  EXPECT_EQ(odd->realm, "a\"b\\c");
  EXPECT_EQ(odd->opaque, "");
  EXPECT_TRUE(odd->stale);
  const auto value = digest_authorization(*odd, {"admin", "p", "GET", "/", "c", 0x1a});
  ASSERT_TRUE(value);
  EXPECT_THAT(*value, AllOf(HasSubstr(R"(realm="a\"b\\c")"), HasSubstr(R"(opaque="")"),
                            HasSubstr("nc=0000001a")));
}

TEST(Digest, HostileChallengesAreErrors) {
  const std::string good = R"(realm="r", nonce="n", qop="auth", algorithm=SHA-256)";
  ASSERT_TRUE(challenge_of("Digest " + good));
  for (const std::string& value :
       {std::string(), std::string("Digest"), std::string(",,,"), std::string("="),
        std::string("Digest realm"), std::string("realm=\"r\""), std::string("Digest \"\""),
        std::string(R"(Digest realm="r", nonce="n)"), std::string(R"(Digest realm="r\)"),
        std::string(R"(Digest realm="r" nonce="n" qop="auth" algorithm=SHA-256)"),
        std::string(R"(Digest realm="r", nonce="", qop="auth", algorithm=SHA-256)"),
        "Digest " + good + R"(, nonce="m")", "Digest algorithm=MD5, " + good,
        "Digest realm=\"" + std::string(60'000, 'r') + "\", " + good,
        "Digest " + std::string(40'000, ',') + std::string(20'000, '='),
        std::string("Digest realm=\"r\x01\", nonce=n, qop=auth, algorithm=SHA-256")}) {
    const auto challenge = challenge_of(value);
    ASSERT_FALSE(challenge) << value.substr(0, 80);
    EXPECT_EQ(challenge.error().code, ErrorCode::kFormat) << value.substr(0, 80);
    EXPECT_LT(challenge.error().message.size(), 200U);
  }
  for (const char* value : {"Basic realm=\"r\"", "Digest realm=r, nonce=n, qop=auth",
                            "Digest realm=r, nonce=n, qop=auth, algorithm=MD5",
                            "Digest realm=r, nonce=n, qop=auth-int, algorithm=SHA-256",
                            "Digest realm=r, nonce=n, algorithm=SHA-256",
                            "Digest realm=r, nonce=n, qop=auth, algorithm=SHA-256-sess"})
    EXPECT_EQ(challenge_of(value).error().code, ErrorCode::kUnsupported) << value;
  EXPECT_EQ(digest_challenge({}, "plug").error().code, ErrorCode::kFormat);
}

// Every byte damaged, cut off anywhere: a challenge or an error, and never a header that breaks the
// next request.
TEST(Digest, DamagedChallengesNeverBreakARequest) {
  const std::string whole =
      R"(Basic realm="b", Digest realm="a\"b", nonce="1694", qop="auth", algorithm=SHA-256, stale=true)";
  std::mt19937 random(7);
  std::size_t n_read = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string value = whole.substr(0, random() % (whole.size() + 1));
    for (std::size_t i = 0, n = random() % 4; i < n && !value.empty(); ++i)
      value[random() % value.size()] = static_cast<char>(random() % 256);
    const auto challenge = challenge_of(value);
    if (!challenge) continue;
    ++n_read;
    const auto header = digest_authorization(*challenge, {"admin", "p", "GET", "/", "c", 1});
    ASSERT_TRUE(header);
    EXPECT_EQ(header->find_first_of(std::string_view("\r\n\0", 3)), std::string::npos);
  }
  EXPECT_GT(n_read, 20U);
}

// A server that gives nonces "n1", "n2", ... and takes each `uses` times.
class DigestServer {
 public:
  explicit DigestServer(std::string password) : password_(std::move(password)) {}

  std::atomic<int> uses{1000};
  std::atomic<bool> says_stale{true};
  std::atomic<int> n_stale{0};  // so many right answers are refused as stale first
  [[nodiscard]] std::string url() const { return server_.url("/rpc?id=0"); }
  [[nodiscard]] std::size_t n_requests() const { return server_.requests().size(); }

 private:
  static std::string part(std::string_view header, const std::string& name) {
    std::size_t at = header.find(" " + name + "=");
    if (at == std::string_view::npos) return "";
    at += name.size() + 2;
    const bool quoted = header[at] == '"';
    if (quoted) ++at;
    return std::string(header.substr(at, header.find_first_of(quoted ? "\"" : ",", at) - at));
  }

  void answer(const HttpRequest& request, Exchange& exchange) {
    const std::string_view got = request.header("authorization");
    bool stale = false;
    if (!got.empty()) {
      EXPECT_TRUE(got.starts_with("Digest ")) << got;
      const std::string cnonce = part(got, "cnonce");
      EXPECT_TRUE(cnonces_.insert(cnonce).second) << "a cnonce used twice";
      const DigestChallenge challenge{"r", part(got, "nonce"), "", false};
      const auto count = static_cast<std::uint32_t>(std::stoul(part(got, "nc"), nullptr, 16));
      const auto expected = digest_authorization(
          challenge, {"admin", password_, "GET", request.target, cnonce, count});
      if (challenge.nonce == nonce() && response_of(std::string(got)) == response_of(*expected)) {
        EXPECT_EQ(count, ++count_);
        if (n_stale == 0 && count_ <= static_cast<std::uint32_t>(uses.load())) {
          exchange.respond(200, "{}");
          return;
        }
        if (n_stale > 0) --n_stale;
        stale = says_stale;
      }
    }
    ++number_;
    count_ = 0;
    exchange.respond(401, "", "text/plain",
                     {{"WWW-Authenticate",
                       fmt::format("Digest qop=\"auth\", realm=\"r\", nonce=\"{}\", opaque=\"\", "
                                   "algorithm=SHA-256{}",
                                   nonce(), stale ? ", stale=true" : "")}});
  }
  [[nodiscard]] std::string nonce() const { return fmt::format("n{}", number_); }

  std::string password_;
  int number_ = 0;
  std::uint32_t count_ = 0;
  std::set<std::string> cnonces_;
  LoopbackServer server_{
      [this](const HttpRequest& request, Exchange& exchange) { answer(request, exchange); }};
};

int status_of(DigestLogin& login, Connection& connection, const std::string& url) {
  Request request;
  request.url = url;
  const Result<Response> response = login.fetch(connection, request);
  EXPECT_TRUE(response) << response.error().message;
  return response ? response->status : 0;
}

TEST(DigestLogin, KeepsTheNonceAndTakesANewOneWhenItIsTold) {
  DigestServer server("secret");
  DigestLogin login("admin", "secret");
  Connection connection;
  for (int i = 0; i < 3; ++i) EXPECT_EQ(status_of(login, connection, server.url()), 200);
  EXPECT_EQ(server.n_requests(), 4U) << "one 401, then nc counts up";
  server.uses = 3;  // worn out: the next request brings a new one
  EXPECT_EQ(status_of(login, connection, server.url()), 200);
  EXPECT_EQ(server.n_requests(), 6U);
  server.uses = 1;  // earlier firmware: one use, and no word of stale
  server.says_stale = false;
  for (int i = 0; i < 2; ++i) EXPECT_EQ(status_of(login, connection, server.url()), 200);
  EXPECT_EQ(server.n_requests(), 10U);
}

TEST(DigestLogin, AStaleNonceIsTriedAgainOnce) {
  DigestServer server("secret");
  Connection connection;
  DigestLogin login("admin", "secret");
  server.n_stale = 1;
  EXPECT_EQ(status_of(login, connection, server.url()), 200);
  EXPECT_EQ(server.n_requests(), 3U);
  DigestLogin again("admin", "secret");
  server.n_stale = 1000;  // for ever: it ends all the same
  EXPECT_EQ(status_of(again, connection, server.url()), 401);
  EXPECT_EQ(server.n_requests(), 6U);
}

TEST(DigestLogin, AWrongPasswordIsSentOnce) {
  DigestServer server("secret");
  Connection connection;
  DigestLogin wrong("admin", "secre");
  EXPECT_EQ(status_of(wrong, connection, server.url()), 401);
  EXPECT_EQ(server.n_requests(), 2U);
  DigestLogin none("admin", "");
  EXPECT_EQ(status_of(none, connection, server.url()), 401);
  EXPECT_EQ(server.n_requests(), 3U);
}

}  // namespace
}  // namespace edgelm::http
