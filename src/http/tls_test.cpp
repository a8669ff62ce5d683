// https: whom the client trusts, and what it says when it does not.

#include <gmock/gmock.h>

#include <cstdlib>
#include <string>

#include "http/client.h"
#include "http/tls_server.h"
#include "support/loopback_server.h"

namespace edgelm::http {
namespace {

using ::testing::HasSubstr;

constexpr const char* kAnswer = "HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nsecret";

Result<Response> get(const std::string& url) {
  Request request;
  request.url = url;
  return fetch(request);
}

class TlsTest : public ::testing::Test {
 protected:
  void TearDown() override {
    ::unsetenv("SSL_CERT_FILE");
    std::remove(path().c_str());
  }
  void trust(const TestCertificate& certificate) const {
    ASSERT_TRUE(certificate.write(path()));
    ::setenv("SSL_CERT_FILE", path().c_str(), 1);
  }
  [[nodiscard]] static std::string path() {
    return ::testing::TempDir() + "edgelm_tls_test_" + std::to_string(::getpid()) + ".pem";
  }
};

TEST_F(TlsTest, TrustsTheSystemsCertificates) {
  const TestCertificate certificate("DNS:localhost,IP:127.0.0.1");
  trust(certificate);
  const TlsServer server(certificate, kAnswer);
  for (const char* host : {"127.0.0.1", "localhost"}) {
    const auto response = get(server.url("https", host));
    ASSERT_TRUE(response) << response.error().message;
    EXPECT_EQ(response->body, "secret");
  }
}

TEST_F(TlsTest, RefusesOthers) {
  const TestCertificate certificate("DNS:localhost,IP:127.0.0.1");
  const TestCertificate other("DNS:localhost,IP:127.0.0.1");
  trust(other);
  const TlsServer server(certificate, kAnswer);
  const auto response = get(server.url("https", "127.0.0.1"));
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, ErrorCode::kIo);
  EXPECT_THAT(response.error().message, HasSubstr("its certificate is not trusted"));
}

TEST_F(TlsTest, VerifiesTheName) {
  const TestCertificate certificate("DNS:other.example,IP:127.0.0.2");
  trust(certificate);
  const TlsServer server(certificate, kAnswer);
  EXPECT_THAT(get(server.url("https", "127.0.0.1")).error().message,
              HasSubstr("IP address mismatch"));
  EXPECT_THAT(get(server.url("https", "localhost")).error().message,
              HasSubstr("hostname mismatch"));
}

TEST_F(TlsTest, VerifiesTheDate) {
  const TestCertificate certificate("IP:127.0.0.1", /*expired=*/true);
  trust(certificate);
  const TlsServer server(certificate, kAnswer);
  EXPECT_THAT(get(server.url("https", "127.0.0.1")).error().message, HasSubstr("expired"));
}

// Whoever sits on the line can close it: a body without a length must be ended by the server.
TEST_F(TlsTest, NoticesATruncatedBody) {
  const TestCertificate certificate("IP:127.0.0.1");
  trust(certificate);
  const std::string endless = "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nhalf";
  const TlsServer orderly(certificate, endless);
  EXPECT_EQ(get(orderly.url("https", "127.0.0.1")).value().body, "half");
  const TlsServer cut(certificate, endless, /*orderly=*/false);
  const auto response = get(cut.url("https", "127.0.0.1"));
  ASSERT_FALSE(response);
  EXPECT_THAT(response.error().message, HasSubstr("cut off after 4 bytes"));
}

TEST_F(TlsTest, SuspectsTheWrongScheme) {
  test::LoopbackServer plain([](const test::HttpRequest&, test::Exchange& exchange) {
    exchange.respond(400, "what?", "text/plain");
    exchange.close();
  });
  const std::string port = std::to_string(plain.port());
  Request request;
  request.url = "https://127.0.0.1:" + port;
  // The greeting is no request, so the plain server waits for the rest of one.
  request.connect_timeout = std::chrono::milliseconds(100);
  const auto response = fetch(request);
  ASSERT_FALSE(response);
  EXPECT_THAT(response.error().message, HasSubstr("no TLS connection within 0.1 s"));

  const TestCertificate certificate("IP:127.0.0.1");
  const TlsServer server(certificate, kAnswer);
  EXPECT_FALSE(get(server.url("http", "127.0.0.1")));
}

}  // namespace
}  // namespace edgelm::http
