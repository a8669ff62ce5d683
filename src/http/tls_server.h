#pragma once
// A TLS server on 127.0.0.1 with a certificate made on the spot, for tls_test.cpp: answers one
// request of each connection with fixed bytes and closes.

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <utility>

namespace edgelm::http {

// A self-signed certificate for `names` ("DNS:localhost,IP:127.0.0.1"), valid for an hour, or over
// since an hour.
class TestCertificate {
 public:
  explicit TestCertificate(const char* names, bool expired = false)
      : key_(EVP_EC_gen("P-256"), EVP_PKEY_free), x509_(X509_new(), X509_free) {
    X509_set_version(x509_.get(), 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x509_.get()), 1);
    X509_gmtime_adj(X509_getm_notBefore(x509_.get()), -7200);
    X509_gmtime_adj(X509_getm_notAfter(x509_.get()), expired ? -3600 : 3600);
    X509_set_pubkey(x509_.get(), key_.get());
    X509_NAME* const name = X509_get_subject_name(x509_.get());
    const auto* const text = reinterpret_cast<const unsigned char*>("edgelm test");
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, text, -1, -1, 0);
    X509_set_issuer_name(x509_.get(), name);
    const std::unique_ptr<X509_EXTENSION, decltype(&X509_EXTENSION_free)> extension(
        X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, names), X509_EXTENSION_free);
    X509_add_ext(x509_.get(), extension.get(), -1);
    X509_sign(x509_.get(), key_.get(), EVP_sha256());
  }

  bool write(const std::string& path) const {
    const std::unique_ptr<FILE, decltype(&std::fclose)> file(std::fopen(path.c_str(), "w"),
                                                             std::fclose);
    return file != nullptr && PEM_write_X509(file.get(), x509_.get()) == 1;
  }

  [[nodiscard]] EVP_PKEY* key() const { return key_.get(); }
  [[nodiscard]] X509* x509() const { return x509_.get(); }

 private:
  std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key_;
  std::unique_ptr<X509, decltype(&X509_free)> x509_;
};

class TlsServer {
 public:
  // With `orderly`, the end of the connection is announced (close_notify).
  TlsServer(const TestCertificate& certificate, std::string answer, bool orderly = true)
      : context_(SSL_CTX_new(TLS_server_method()), SSL_CTX_free),
        answer_(std::move(answer)),
        orderly_(orderly),
        listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    SSL_CTX_use_certificate(context_.get(), certificate.x509());
    SSL_CTX_use_PrivateKey(context_.get(), certificate.key());
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    const bool listens =
        ::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) == 0 &&
        ::listen(listener_, 8) == 0;
    EXPECT_TRUE(listens) << std::strerror(errno);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  TlsServer(const TlsServer&) = delete;
  TlsServer& operator=(const TlsServer&) = delete;
  ~TlsServer() {
    ::shutdown(listener_, SHUT_RDWR);  // wakes accept()
    thread_.join();
    ::close(listener_);
  }

  [[nodiscard]] std::string url(const std::string& scheme, const std::string& host) const {
    return scheme + "://" + host + ":" + std::to_string(port_) + "/x";
  }

 private:
  void serve() const {
    // OpenSSL writes with write(): a client that is gone must not end the test program.
    sigset_t pipe;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
    for (int fd = 0; (fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC)) >= 0;) {
      const std::unique_ptr<SSL, decltype(&SSL_free)> ssl(SSL_new(context_.get()), SSL_free);
      SSL_set_fd(ssl.get(), fd);
      if (SSL_accept(ssl.get()) == 1) {
        char bytes[4096];
        SSL_read(ssl.get(), bytes, sizeof bytes);
        SSL_write(ssl.get(), answer_.data(), static_cast<int>(answer_.size()));
        if (orderly_) SSL_shutdown(ssl.get());
      }
      ::close(fd);
    }
  }

  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_;
  std::string answer_;
  bool orderly_;
  int listener_;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

}  // namespace edgelm::http
