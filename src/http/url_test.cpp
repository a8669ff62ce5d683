// Which URLs are accepted, how they are taken apart and how they are shown.

#include <gmock/gmock.h>

#include <string>

#include "http/client.h"

namespace edgelm::http {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(Url, IsTakenApart) {
  struct Case {
    std::string text, scheme, host, port, target, shown;
  };
  const Case cases[] = {
      {"http://h", "http", "h", "80", "/", "http://h"},
      {"HTTPS://Example.COM/A?b=c#d", "https", "example.com", "443", "/A?b=c",
       "https://example.com/A"},
      {"http://127.0.0.1:8080/v1", "http", "127.0.0.1", "8080", "/v1", "http://127.0.0.1:8080/v1"},
      {"http://h:80/", "http", "h", "80", "/", "http://h"},
      {"http://[::1]:9", "http", "::1", "9", "/", "http://[::1]:9"},
      {"http://[fe80::1%25eth0]/x", "http", "fe80::1%25eth0", "80", "/x",
       "http://[fe80::1%25eth0]/x"},
      {"http://h?q=1", "http", "h", "80", "/?q=1", "http://h"},
      {"https://h:", "https", "h", "443", "/", "https://h"},
  };
  for (const Case& expected : cases) {
    const auto url = parse_url(expected.text);
    ASSERT_TRUE(url) << expected.text << ": " << url.error().message;
    EXPECT_EQ(url->scheme, expected.scheme);
    EXPECT_EQ(url->host, expected.host);
    EXPECT_EQ(url->port, expected.port);
    EXPECT_EQ(url->target, expected.target);
    EXPECT_EQ(display_name(*url), expected.shown);
  }
}

TEST(Url, IsRefused) {
  for (const std::string text : {"",
                                 "h",
                                 "localhost:8080",
                                 "ftp://h/",
                                 "file:///etc/passwd",
                                 "http://",
                                 "http:///x",
                                 "http://h:0/",
                                 "http://h:65536/",
                                 "http://h:8x/",
                                 "http://h:-1/",
                                 "http://h /",
                                 "http://h\\x",
                                 "http://h/a\r\nx: y",
                                 "http://h/\xC3\xA9",
                                 "http://[::1",
                                 "http://[::1]x",
                                 "http://[g!]/",
                                 "http://a,b/",
                                 "http://user:secret@h/",
                                 "http://secret@h"}) {
    const auto url = parse_url(text);
    ASSERT_FALSE(url) << text;
    EXPECT_EQ(url.error().code, ErrorCode::kUsage);
    EXPECT_THAT(url.error().message, Not(HasSubstr("secret")));
    EXPECT_THAT(url.error().message, Not(HasSubstr("\n")));
  }
  EXPECT_FALSE(parse_url("http://h/" + std::string(9000, 'x')));
}

}  // namespace
}  // namespace edgelm::http
