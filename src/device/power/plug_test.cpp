// Plugs answered by a scripted server on 127.0.0.1: what they say, and what goes wrong on the way.

#include "device/power/plug.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>

#include "device/power/sources.h"
#include "http/digest.h"
#include "os/clock.h"
#include "support/loopback_server.h"
#include "support/scripted_files.h"

namespace edgelm::device {
namespace {

using test::Exchange;
using test::HttpRequest;
using test::LoopbackServer;

std::string host_of(const LoopbackServer& server) {
  return fmt::format("127.0.0.1:{}", server.port());
}

constexpr const char* kGen2 =
    R"({"id":0,"source":"init","output":true,"apower":12.3,"voltage":230.1,"current":0.11,)"
    R"("aenergy":{"total":1234.567,"by_minute":[200.1,198.0,197.9],"minute_ts":1700000000}})";

TEST(Plug, AnswersOfAllKinds) {
  EXPECT_DOUBLE_EQ(*plug_watts(PlugKind::kShellyGen2, kGen2, "p"), 12.3);
  EXPECT_DOUBLE_EQ(*plug_watts(PlugKind::kShellyGen1,
                               R"({"power":7.41,"overpower":0,"is_valid":true,"total":1021})", "p"),
                   7.41);
  EXPECT_DOUBLE_EQ(
      *plug_watts(PlugKind::kTasmota,
                  R"({"StatusSNS":{"Time":"x","ENERGY":{"Total":3.1,"Power":9}}})", "p"),
      9);
  EXPECT_DOUBLE_EQ(
      *plug_watts(PlugKind::kTasmota, R"({"StatusSNS":{"ENERGY":{"Power":[4,5.5]}}})", "p"), 9.5);
}

TEST(Plug, WrongAnswersAreErrors) {
  for (const auto& [kind, body] :
       {std::pair{PlugKind::kShellyGen2, R"({"apower":"12.3"})"},
        {PlugKind::kShellyGen2, R"({"apower":null})"},
        {PlugKind::kShellyGen2, R"({"power":5})"},
        {PlugKind::kShellyGen2, R"({"apower":-3})"},
        {PlugKind::kShellyGen2, R"({"apower":1e9})"},
        {PlugKind::kShellyGen2, R"([1])"},
        {PlugKind::kShellyGen2, R"({"apower":1)"},
        {PlugKind::kShellyGen2, "<html>"},
        {PlugKind::kShellyGen2, ""},
        {PlugKind::kShellyGen1, R"({"power":5,"is_valid":false})"},
        {PlugKind::kTasmota, R"({"StatusSNS":{"Time":"x"}})"},
        {PlugKind::kTasmota, R"({"StatusSNS":{"ENERGY":{"Power":["a"]}}})"},
        {PlugKind::kTasmota, R"({"StatusSNS":[]})"}})
    EXPECT_FALSE(plug_watts(kind, body, "p")) << body;
  const auto locked = plug_watts(PlugKind::kTasmota,
                                 R"({"WARNING":"Need user=<username>&password=<password>"})", "p");
  ASSERT_FALSE(locked);
  EXPECT_EQ(locked.error().code, ErrorCode::kPermission);
}

TEST(Plug, BothGenerationsAreRecognised) {
  for (const bool second : {false, true}) {
    const LoopbackServer server([second](const HttpRequest& request, Exchange& exchange) {
      if (request.target == "/shelly")
        exchange.respond(200, second ? R"({"id":"x","gen":2,"auth_en":false})"
                                     : R"({"type":"SHPLG-S","auth":false})");
      else if (second && request.target == "/rpc/Switch.GetStatus?id=0")
        exchange.respond(200, kGen2);
      else if (!second && request.target == "/meter/0")
        exchange.respond(200, R"({"power":12.3,"is_valid":true})");
      else
        exchange.respond(404, "{}");
    });
    auto source = open_shelly(host_of(server), os::now_ns);
    ASSERT_TRUE(source) << source.error().message;
    EXPECT_EQ((*source)->info().scope, Scope::kWall);
    EXPECT_DOUBLE_EQ((*source)->read()->value, 12.3);
    EXPECT_EQ(server.n_connections(), 1U) << "the connection is kept";
    const auto absent = open_shelly(host_of(server) + "/3", os::now_ns);
    ASSERT_FALSE(absent);
    EXPECT_NE(absent.error().message.find("404"), std::string::npos);
  }
}

TEST(Plug, TasmotaThroughThePowerOption) {
  const LoopbackServer server([](const HttpRequest& request, Exchange& exchange) {
    EXPECT_EQ(request.target, "/cm?cmnd=Status%208");
    exchange.begin_chunks(200, "application/json");  // in pieces, cut anywhere
    exchange.chunk(R"({"StatusSNS":{"ENERGY":{"Po)");
    exchange.chunk(R"(wer":31}}})");
    exchange.end_chunks();
  });
  const test::ScriptedFiles files;
  auto source = open_source("tasmota:" + host_of(server), files);
  ASSERT_TRUE(source) << source.error().message;
  EXPECT_DOUBLE_EQ((*source)->read()->value, 31);
  EXPECT_EQ((*source)->info().quantum, 1);
}

// EDGELM_PLUG_PASSWORD as long as this lives.
struct Password {
  explicit Password(const char* value) { ::setenv("EDGELM_PLUG_PASSWORD", value, 1); }
  ~Password() { ::unsetenv("EDGELM_PLUG_PASSWORD"); }
  Password(const Password&) = delete;
  Password& operator=(const Password&) = delete;
};

TEST(Plug, PasswordsComeFromTheEnvironmentAndAreNotShown) {
  const LoopbackServer server([](const HttpRequest& request, Exchange& exchange) {
    if (request.target.starts_with("/cm")) {
      exchange.respond(200, request.target.ends_with("&user=admin&password=s%20%26cret")
                                ? R"({"StatusSNS":{"ENERGY":{"Power":3}}})"
                                : R"({"WARNING":"Need user"})");
    } else if (request.target == "/shelly") {
      EXPECT_EQ(request.header("authorization"), "") << "open to all: nothing is shown to it";
      exchange.respond(200, R"({"type":"SHPLG-S","auth":true})");
    } else if (request.header("authorization") != "Basic YWRtaW46cyAmY3JldA==") {
      exchange.respond(401, "");
    } else {
      exchange.respond(200, R"({"power":4,"is_valid":true})");
    }
  });
  for (const auto& open : {open_shelly, open_tasmota}) {
    const auto locked = open(host_of(server), os::now_ns, 3000);
    ASSERT_FALSE(locked);
    EXPECT_EQ(locked.error().code, ErrorCode::kPermission);
    EXPECT_NE(locked.error().message.find("wants a password; type: export EDGELM_PLUG_PASSWORD"),
              std::string::npos);
    {
      const Password wrong("wrong-cret");
      const auto refused = open(host_of(server), os::now_ns, 3000);
      ASSERT_FALSE(refused);
      EXPECT_EQ(refused.error().code, ErrorCode::kPermission);
      EXPECT_NE(refused.error().message.find("refuses the password in EDGELM_PLUG_PASSWORD"),
                std::string::npos);
      EXPECT_EQ(refused.error().message.find("cret"), std::string::npos);
    }
    const Password right("s &cret");
    auto source = open(host_of(server), os::now_ns, 3000);
    ASSERT_TRUE(source) << source.error().message;
    EXPECT_TRUE((*source)->read());
    EXPECT_EQ((*source)->info().name.find("cret"), std::string::npos);
  }
}

// What the digest is made of is tested beside it (http/digest_test.cpp).
TEST(Plug, SecondGenerationWantsADigest) {
  std::atomic<const char*> challenge{
      R"(Digest qop="auth", realm="shellyplugus-1", nonce="17", opaque="", algorithm=SHA-256)"};
  const LoopbackServer server([&](const HttpRequest& request, Exchange& exchange) {
    const std::string_view got = request.header("authorization");
    if (request.target == "/shelly") {
      EXPECT_EQ(got, "");
      exchange.respond(200, R"({"id":"x","gen":2,"auth_en":true,"auth_domain":"shellyplugus-1"})");
      return;
    }
    EXPECT_FALSE(got.starts_with("Basic")) << "the password in the clear";
    const http::DigestChallenge expected{"shellyplugus-1", "17", "", false};
    for (std::uint32_t count = 1; count < 9; ++count) {
      const std::size_t at = got.find("cnonce=\"");
      if (at == std::string_view::npos) break;
      const std::string_view cnonce = got.substr(at + 8, 32);
      if (got == *http::digest_authorization(
                     expected, {"admin", "s:\"cret", "GET", request.target, cnonce, count})) {
        exchange.respond(200, kGen2);
        return;
      }
    }
    exchange.send(
        fmt::format("HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: {}\r\n"
                    "Content-Length: 0\r\nConnection: close\r\n\r\n",
                    challenge.load()));
    exchange.close();
  });
  const auto message = [&] {
    const auto source = open_shelly(host_of(server), os::now_ns);
    return source ? std::string("no error") : source.error().message;
  };
  EXPECT_NE(message().find("wants a password; type: export EDGELM_PLUG_PASSWORD"),
            std::string::npos);
  {
    const Password wrong("cret");
    EXPECT_NE(message().find("refuses the password"), std::string::npos);
    EXPECT_EQ(message().find("cret"), std::string::npos);
  }
  const Password right("s:\"cret");
  auto source = open_shelly(host_of(server), os::now_ns);
  ASSERT_TRUE(source) << source.error().message;
  EXPECT_DOUBLE_EQ((*source)->read()->value, 12.3);
  EXPECT_EQ(server.requests().back().target, "/rpc/Switch.GetStatus?id=0");
  for (const auto& [value, word] :
       {std::pair{"Basic realm=\"x\"", "another way to log in"},
        {"Digest realm=x, nonce=1, qop=auth, algorithm=MD5", "another digest"},
        {"Digest realm=\"", "cannot be read"}}) {
    challenge = value;
    EXPECT_NE(message().find(word), std::string::npos) << message();
  }
}

TEST(Plug, SlowDeadAndCutOffAnswersEndInTime) {
  std::atomic<int> mode{0};
  const LoopbackServer server([&](const HttpRequest&, Exchange& exchange) {
    switch (mode.load()) {
      case 0:
        exchange.respond(200, R"({"StatusSNS":{"ENERGY":{"Power":3}}})");
        break;
      case 1:
        exchange.wait_for_client();  // never answers
        break;
      case 2:
        exchange.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"StatusSNS\":");
        exchange.close();
        break;
      case 3:
        exchange.reset();
        break;
      default:
        exchange.respond(200, std::string(100'000, ' '));
    }
  });
  auto source = open_tasmota(host_of(server), os::now_ns, 150);
  ASSERT_TRUE(source) << source.error().message;
  for (int wrong = 1; wrong <= 4; ++wrong) {
    mode = wrong;
    const std::int64_t begin = os::now_ns();
    EXPECT_FALSE((*source)->read()) << wrong;
    EXPECT_LT(os::ns_to_s(os::now_ns() - begin), 3) << wrong;
    mode = 0;
    const Result<Reading> again = (*source)->read();
    EXPECT_TRUE(again) << wrong << ": " << again.error().message;
  }
}

TEST(Plug, BadAddressesAreUsageErrors) {
  for (const char* host :
       {"", "a b", "user:pw@host/0", "host/x", "host/100", "host?x=1", "host/1/2"})
    EXPECT_EQ(open_shelly(host, os::now_ns).error().code, ErrorCode::kUsage) << host;
  EXPECT_EQ(open_shelly("admin:secret@host", os::now_ns).error().message.find("secret"),
            std::string::npos);
  const auto nobody = open_tasmota(fmt::format("127.0.0.1:{}", test::free_port()), os::now_ns);
  ASSERT_FALSE(nobody);
  EXPECT_EQ(nobody.error().code, ErrorCode::kIo);
}

}  // namespace
}  // namespace edgelm::device
